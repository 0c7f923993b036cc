"""Why no answer came over HTTP, in words that help to find the wrong address."""

from __future__ import annotations

from urllib.parse import urlsplit

from memberops.adapters.sms.http import HttpReply
from memberops.errors import SourceError

__all__ = ["no_answer", "why_nothing_came"]

_PORTS = {"http": 80, "https": 443}
_REASONS = {
    "refused": ("nothing listens at {} (refused)", "{} 无服务监听（连接被拒绝）"),
    "unknown": ("no host has the name of {}", "找不到 {} 的主机名"),
    "certificate": (
        (
            "the certificate of {} does not fit its name, has expired or is of an "
            "authority that is not trusted ('ca_file' of 'http' names others)"
        ),
        "{} 的证书与主机名不符、已过期或签发机构不受信任（可用 http 的 ca_file 指定）",
    ),
    "tls": ("{} does not speak TLS as it should", "{} 不能正常进行 TLS 通信"),
    "silent": ("{} does not answer", "{} 没有响应"),
}
_OTHERS = ("no whole answer came from {} ({})", "{} 未返回完整响应（{}）")


def why_nothing_came(reply: HttpReply, url: str) -> tuple[str, str]:
    """
    Say why there is no answer, with host and port and nothing else of the address.

    Args:
        reply: What came instead of one.
        url: What was asked.

    Returns:
        The reason in English and in Chinese.

    >>> lost = HttpReply(fate="unsent", reason="ConnectError", trouble="refused")
    >>> why_nothing_came(lost, "https://shop.example/api?key=1")[0]
    'nothing listens at shop.example:443 (refused)'
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host[:100]
    place = f"{host}:{parts.port or _PORTS.get(parts.scheme, 0)}"
    english, chinese = _REASONS.get(reply.trouble, _OTHERS)
    return english.format(place, reply.reason), chinese.format(place, reply.reason)


def no_answer(
    asked: str, times: int, why: tuple[str, str], *, address: bool
) -> SourceError:
    """
    Return the error of a request that was made in vain.

    Args:
        asked: What was asked.
        times: How often.
        why: What came of the last, in English and in Chinese.
        address: Whether the address may be wrong.

    >>> print(no_answer("GET /api", 1, ("the server said 503", ""), address=False))
    GET /api failed, because the server said 503; nothing was taken over, read again ...
    """
    english, chinese = why
    often = ", because" if times == 1 else f" {times} times, at last because"
    hint = "look at the address ('url' or 'base_url'), or " if address else ""
    hint_zh = "请检查地址（url 或 base_url），或" if address else "请"
    often_zh = "" if times == 1 else f" {times} 次"
    return SourceError(
        f"{asked} failed{often} {english}; nothing was taken over, {hint}read again "
        "later"
    ).in_chinese(
        f"{asked} 失败{often_zh}：{chinese}；未读入任何数据，{hint_zh}稍后重新读取"
    )
