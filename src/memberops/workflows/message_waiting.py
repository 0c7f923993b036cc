"""Why messages wait, in words, and which will never leave."""

from __future__ import annotations

import datetime as dt
import math
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from memberops.domain import Finding, Severity
from memberops.workflows.message_access import sms_settings

if TYPE_CHECKING:
    from memberops.adapters.stores.outbox_reading import OutboxReading
    from memberops.domain.message import MessageBatch
    from memberops.policies import MessagePlan
    from memberops.workflows.chain import Chain
    from memberops.workflows.message_sending import SendReport

__all__ = [
    "cause_texts",
    "moment_texts",
    "next_moment",
    "other_batches",
    "problem_findings",
    "told_problems",
    "unset_secrets",
    "waiting_findings",
]

_CAUSES = {
    "": ("due", "到期待发"),
    "window": ("outside the hours", "不在可发送时段"),
    "cap_day": ("cap of the day", "当日触达上限"),
    "cap_week": ("cap of the week", "每周触达上限"),
    "cap_month": ("cap of the month", "每月触达上限"),
    "cap_rolling": ("cap of some days in a row", "连续时段触达上限"),
    "cost_cap": ("cost cap", "费用上限"),
    "throttled": ("the provider asks to come slower", "通道限速"),
    "number_limit": ("the provider's limit for one number", "通道单号上限"),
    "opted_out": ("opted out", "已退订"),
    "invalid_number": ("wrong number", "号码无效"),
    "unreachable": ("unreachable", "无法接通"),
    "content": ("content", "内容违规"),
    "template": ("template", "模板问题"),
    "signature": ("signature", "签名问题"),
    "balance": ("balance", "余额不足"),
    "authentication": ("authentication", "鉴权失败"),
    "request": ("wrong request", "请求有误"),
    "carrier": ("carrier", "运营商拒绝"),
    "provider": ("the provider's fault", "通道故障"),
    "connection": ("connection", "连接失败"),
    "other": ("other", "其他"),
}
_SOON = 120
"""Up to so many seconds a moment is told by how far away it is."""


def cause_texts(cause: str) -> tuple[str, str]:
    """
    Return why a message waits or failed, in English and in Chinese.

    >>> cause_texts("cap_day")
    ('cap of the day', '当日触达上限')
    """
    plain = cause.replace("_", " ")
    return _CAUSES.get(cause, (plain, plain))


def moment_texts(moment: dt.datetime, at: dt.datetime, chain: Chain) -> tuple[str, str]:
    """Say when: in how many seconds if that is soon, else the local time."""
    seconds = math.ceil((moment - at).total_seconds())
    if seconds <= _SOON:
        return f"in {seconds} s", f"{seconds} 秒后"
    local = local_time(moment, chain)
    return f"at {local}", local


def local_time(moment: dt.datetime, chain: Chain) -> str:
    """Write a moment in the chain's zone, never earlier than it is."""
    local = moment.astimezone(chain.zone)
    if local.microsecond:
        local = local.replace(microsecond=0) + dt.timedelta(seconds=1)
    return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"


def next_moment(
    report: SendReport, waits: pd.DataFrame, at: dt.datetime
) -> dt.datetime | None:
    """Return when it is worth sending again; None where nothing could leave then."""
    moments = waits["next_at"].dropna()
    if report.next_at is None or moments.empty:
        return None
    after = max(report.next_at, moments.min().to_pydatetime())
    # What is due and does not leave waits for people, not for a moment.
    return after if after > at else None


def told_problems(report: SendReport, outcome: str) -> tuple[str, str]:
    """
    Count why messages had an outcome, in brackets; empty if nothing is known.

    >>> from memberops.workflows.message_sending import SendReport
    >>> told_problems(SendReport(), "postponed")
    ('', '')
    """
    found = sorted(
        (problem, count)
        for (kind, problem), count in report.problems.items()
        if kind == outcome
    )
    return _bracketed(found) if found else ("", "")


def _bracketed(found: list[tuple[str, int]]) -> tuple[str, str]:
    english = ", ".join(f"{cause_texts(cause)[0]} {count:,}" for cause, count in found)
    chinese = "、".join(f"{cause_texts(cause)[1]} {count:,}" for cause, count in found)
    return f" ({english})", f"（{chinese}）"


def waiting_findings(waits: pd.DataFrame, chain: Chain) -> Iterator[Finding]:
    """
    Tell of what waits beyond the close of its batch, and why.

    Args:
        waits: What `waiting` of the outbox returned.
        chain: Whose zone it is told in.

    Yields:
        A finding for each batch that closes before some of its messages may leave.
    """
    late = waits[(waits["expiring"] > 0).to_numpy(bool)]
    for batch_id, rows in late.groupby("batch_id", sort=True):
        count = int(rows["expiring"].sum())
        causes = [
            (str(cause), int(number))
            for cause, number in zip(rows["cause"], rows["expiring"], strict=True)
        ]
        why_en, why_zh = _bracketed(causes)
        closes = local_time(rows["closes_at"].iloc[0].to_pydatetime(), chain)
        yield Finding(
            table="outbox",
            rule="message-will-expire",
            severity=Severity.WARNING,
            count=count,
            message_en=f"messages of the batch {str(batch_id)[:40]!r} wait{why_en}; it "
            f"closes at {closes}, before they may leave: they will expire",
            message_zh=f"批次 {str(batch_id)[:40]} 的短信在等待{why_zh}；该批次"
            f" {closes} 截止，届时仍不可发送：将会过期",
        )


def other_batches(
    kept: OutboxReading, plan: MessagePlan, batch: MessageBatch
) -> list[Finding]:
    """
    Warn where messages of other batches wait for the same members at the same time.

    Args:
        kept: The outbox.
        plan: What is planned.
        batch: Its batch.
    """
    who = kept.waiting_members(during=batch)
    count = int(plan.messages["member_id"].isin(who).sum())
    if not count:
        return []
    return [
        Finding(
            table="outbox",
            rule="message-other-batch",
            severity=Severity.WARNING,
            count=count,
            message_en="messages of other batches wait for the same members at the "
            "same time: by the caps one of two may expire",
            message_zh="其他批次在同一时段也有发给这些会员的短信：按触达上限其中之一可能过期",
        )
    ]


def problem_findings(report: SendReport) -> Iterator[Finding]:
    """Tell at once of what people at the provider's account have to mend."""
    for problem, english, chinese in (
        (
            "authentication",
            "the provider does not take the account or its key: look at [sms]",
            "通道鉴权失败：请检查 [sms] 的账号和密钥",
        ),
        (
            "balance",
            "the account at the provider has no money left: pay in",
            "通道账户余额不足：请充值",
        ),
    ):
        count = sum(n for (_, each), n in report.problems.items() if each == problem)
        if count:
            yield Finding(
                table="outbox",
                rule=f"message-{problem}",
                severity=Severity.ERROR,
                count=count,
                message_en=english,
                message_zh=chinese,
            )


def unset_secrets(chain: Chain) -> Iterator[Finding]:
    """Name the environment variables of secrets that hold nothing."""
    for account in sms_settings(chain).senders():
        section = f"sms.providers.{account.name}" if account.name else "sms"
        for option, value in account.options.items():
            variable = value.get("env") if isinstance(value, Mapping) else None
            if not isinstance(variable, str) or os.environ.get(variable, "").strip():
                continue
            yield Finding(
                table="outbox",
                rule="message-secret-unset",
                severity=Severity.ERROR,
                message_en=f"[{section}] {option}: the environment variable "
                f"{variable[:80]} is not set: nothing can be sent without it",
                message_zh=f"[{section}] {option}：环境变量 {variable[:80]} 未设置，"
                "无法发送",
            )
