"""
What providers ask of a template, as dated data.

The rules were read in the providers' documents, not tried: approval is a decision of
people there. A chain that knows better gives rules of its own to `lint_template`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any, Literal, get_args

import attrs

from memberops.domain import Severity
from memberops.domain.message import MessageKind
from memberops.domain.values import identifier, plain_date
from memberops.errors import InvalidValueError
from memberops.policies.tier_levels import one_of

__all__ = ["LINT_RULES", "LintRule"]

LintCheck = Literal[
    "words", "pattern", "ending", "without", "gap_twice", "simplified", "gsm"
]


def _texts(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(values)


def _kinds(values: Iterable[MessageKind | str]) -> frozenset[MessageKind]:
    return frozenset(MessageKind(value) for value in values)


@attrs.frozen(kw_only=True)
class LintRule:
    """
    One rule of a provider for templates.

    Args:
        name: Short stable name.
        provider: Whose rule it is.
        check: What is looked for: ``"words"`` or a ``"pattern"`` that must not be in
            the text, an ``"ending"`` that it must have, a text that it must be
            ``"without"``, a gap that comes twice (``"gap_twice"``), characters outside
            GB 2312 (``"simplified"``) or outside the GSM alphabet (``"gsm"``).
        values: The words, patterns or endings; empty for the other checks.
        kinds: Kinds of messages that it is about; empty for all.
        severity: An error is refused for sure, a warning may be.
        text_en: What the provider asks, in English.
        text_zh: The same in Chinese.
        source: Address of the document.
        known_on: Its date, or the day on which it was read; the rule holds from then
            on.
        until: Last day on which it held; None while it does.

    Raises:
        InvalidValueError: An unknown check, or a pattern that cannot be read.
    """

    name: str = attrs.field(validator=identifier)
    provider: str = attrs.field(validator=identifier)
    check: LintCheck = attrs.field(validator=one_of(get_args(LintCheck)))
    values: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    kinds: frozenset[MessageKind] = attrs.field(default=(), converter=_kinds)
    severity: Severity = attrs.field(default=Severity.ERROR, converter=Severity)
    text_en: str
    text_zh: str
    source: str
    known_on: dt.date = attrs.field(validator=plain_date)
    until: dt.date | None = attrs.field(
        default=None, validator=attrs.validators.optional(plain_date)
    )

    @values.validator
    def _check_values(self, _attribute: object, value: Any) -> None:
        for each in value if self.check == "pattern" else ():
            try:
                re.compile(each)
            except re.error:
                raise InvalidValueError(
                    f"the rule {self.name!r} has a pattern that cannot be read"
                ) from None


_ALIYUN = {"source": "https://help.aliyun.com/document_detail/463270.html",
           "known_on": dt.date(2026, 11, 1)}  # fmt: skip
_ALIYUN_CARE = {
    **_ALIYUN,
    "source": "https://help.aliyun.com/document_detail/91975.html",
}
_ALIYUN_WORDS = {
    **_ALIYUN,
    "source": "https://help.aliyun.com/document_detail/108088.html",
}
_TENCENT = {"source": "https://cloud.tencent.com/document/product/382/39023",
            "known_on": dt.date(2025, 6, 17)}  # fmt: skip
_TENCENT_OUT = {"source": "https://cloud.tencent.com/document/faq/382/13301",
                "known_on": dt.date(2026, 11, 1)}  # fmt: skip
_HUAWEI = {"source": "https://support.huaweicloud.com (sms_templates)",
           "known_on": dt.date(2025, 9, 4)}  # fmt: skip
_GSM = {"source": "https://www.3gpp.org/dynareport/23038.htm",
        "known_on": dt.date(2026, 11, 1)}  # fmt: skip
_OUT = ("拒收请回复R",)


def _rule(name: str, check: str, text_en: str, text_zh: str, **more: Any) -> LintRule:
    provider, _, short = name.partition(".")
    words: dict[str, Any] = {"check": check, "name": short, **more}
    return LintRule(provider=provider, text_en=text_en, text_zh=text_zh, **words)


LINT_RULES: tuple[LintRule, ...] = (
    _rule("aliyun.opt-out", "ending", "marketing ends with 拒收请回复R, exactly",
          "推广模板须以“拒收请回复R”结尾", values=_OUT, kinds=["marketing"], **_ALIYUN),
    _rule("aliyun.opt-out-in-notice", "without", "a notice is without 拒收请回复R",
          "通知模板不得含“拒收请回复R”", values=_OUT, kinds=["notice"], **_ALIYUN),
    _rule("aliyun.care-in-notice", "words",
          "greetings and promotions are marketing, not notices",
          "生日、节日关怀及促销须用推广模板", severity="warning", kinds=["notice"],
          values=("生日快乐", "节日快乐", "新年快乐", "优惠", "促销", "特惠"),
          **_ALIYUN_CARE),
    _rule("aliyun.gap-twice", "gap_twice", "each gap comes once",
          "同一变量只能出现一次", **_ALIYUN),
    _rule("aliyun.gaps-adjacent", "pattern", "two gaps never follow each other",
          "变量不得相邻", values=(r"\}\$\{",), **_ALIYUN),
    _rule("aliyun.only-gaps", "pattern", "a template is more than its gaps",
          "模板不得全为变量", values=(r"\A(?:[\s，。！,.!]|\$\{\w+\})+\Z",), **_ALIYUN),
    _rule("aliyun.brackets", "words", "the body is without 【 and 】",
          "正文不得含【】", values=("【", "】"), **_ALIYUN),
    _rule("aliyun.symbols", "words", "the text is without such symbols",
          "不得含特殊符号", values=("★", "※", "→", "①"), **_ALIYUN),
    _rule("aliyun.simplified", "simplified",
          "characters are simplified and common ones", "不得含繁体字或生僻字、表情符号",
          severity="warning", **_ALIYUN),
    _rule("aliyun.restricted", "words", "restricted words may be refused",
          "含受限内容，审核可能不通过", severity="warning",
          values=("积分兑换", "积分领取", "用户召回", "用户拉新", "邀请好评"),
          **_ALIYUN_WORDS),
    _rule("tencent.opt-out", "ending", "marketing carries 拒收请回复R",
          "营销短信须带“拒收请回复R”", values=_OUT, kinds=["marketing"],
          **_TENCENT_OUT),
    _rule("tencent.gaps-adjacent", "pattern", "two gaps never follow each other",
          "变量不得相邻", values=(r"\}\$\{",), **_TENCENT),
    _rule("tencent.link-gap", "pattern", "a link is constant: no gap in it",
          "链接须固定，不得含变量", values=(r"https?://[^\s，。]*\$\{",
          r"(?:www\.|[\w-]+\.)(?:com|cn|net)/[^\s，。]*\$\{"), **_TENCENT),
    _rule("tencent.symbols", "words", "the text is without such symbols",
          "不得含特殊符号", values=("【", "】", "¥", "★"), **_TENCENT),
    _rule("tencent.restricted", "words", "restricted words may be refused",
          "含受限内容，审核可能不通过", severity="warning",
          values=("优惠券", "用户召回", "邀请到店", "积分领取", "积分兑换"),
          **_TENCENT),
    _rule("huawei.marketing-gaps", "pattern", "marketing takes no gaps at all",
          "推广模板不支持变量", values=(r"\$\{",), kinds=["marketing"], **_HUAWEI),
    _rule("huawei.restricted", "words", "restricted words may be refused",
          "含受限内容，审核可能不通过", severity="warning", values=("积分清零",),
          **_HUAWEI),
    _rule("twilio.gsm", "gsm",
          "characters outside the GSM alphabet make parts of 67 instead of 153",
          "含 GSM 字符集以外的字符，每条由 153 减为 67 字", severity="warning", **_GSM),
)  # fmt: skip
"""Rules of Aliyun, Tencent, Huawei, and of GSM 03.38 for Twilio."""
