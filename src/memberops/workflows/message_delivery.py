"""Sending what was approved, and finding out what became of it (HQ §6.1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from memberops.domain import Finding, Severity
from memberops.domain.message import MessageProblem
from memberops.policies.outbox_pacing import Pace, RateLimit
from memberops.reports import Form
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.inquiry import Inquiry
from memberops.workflows.message_access import outbox, outbox_as_it_is
from memberops.workflows.message_accounts import (
    account_names,
    asked_by_each,
    joined,
    sent_by_each,
)
from memberops.workflows.message_batches import conservation
from memberops.workflows.message_facts import (
    record_facts,
    recorded_consents,
    recorded_contacts,
    tables_to_send,
)
from memberops.workflows.message_receipts import read_receipts
from memberops.workflows.message_sending import SendReport, SettleReport
from memberops.workflows.message_sending import send_messages as dispatch
from memberops.workflows.message_sending import settle_messages as ask_provider
from memberops.workflows.message_steps import batch_form, begin_messages
from memberops.workflows.message_waiting import (
    moment_texts,
    next_moment,
    problem_findings,
    told_problems,
    unset_secrets,
    waiting_findings,
)

if TYPE_CHECKING:
    from memberops.adapters.sms import SmsProvider
    from memberops.adapters.stores.outbox_store import SqlOutbox
    from memberops.workflows.chain import Chain, Progress

__all__ = ["send_messages", "settle_messages"]

Clock = Callable[[], dt.datetime]
_STOPPED = {
    "done": ("nothing more is due", "没有到期待发的短信"),
    "limit": ("the limit of this run is reached", "达到本次上限"),
    "rate": ("the rate is used up", "达到发送速率"),
    "slower": ("the provider asked to come slower", "通道要求放慢发送"),
    "breaker": ("the provider fails, and is left alone", "通道连续失败，暂停发送"),
    "asked": ("it was asked to stop", "按要求停止"),
    "lease": ("the lease is shorter than a request", "租约短于一次请求"),
}


def send_messages(
    chain: Chain,
    *,
    now: Clock,
    send: bool = False,
    provider: SmsProvider | None = None,
    worker: str = "office",
    limit: int | None = None,
    per_second: int | None = None,
    sleep: Callable[[float], object] | None = None,
    stop: Callable[[], bool] | None = None,
    tables: ChainTables | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Send what is approved and due, each message once; only if *send* is true.

    Opt-outs that stand in the table of consents are written into the outbox first,
    whatever their day, so that none of these members is written to; and the visits
    that were made since the plan, which count against the caps.

    Args:
        chain: The chain; a method of it.
        now: The clock.
        send: Send; without it, it is only told what waits.
        provider: Who sends; each account of the chain's settings by default.
        worker: A name for the history.
        limit: How many messages at most.
        per_second: How many in any second at most by one account.
        sleep: Waits so many seconds where the rate asks for it, such as `time.sleep`.
        stop: Asked before each claim; True ends the run.
        tables: What `Chain.read` gave.
        progress: Is told how many messages have gone.

    Returns:
        An `Answer` with the form ``message_batch``; findings tell of messages that
        are unknown or were refused, and of a provider that fails.

    Raises:
        InvalidValueError: The chain has no outbox.
        ConfigurationError: The provider cannot be made.
        SourceError: The consents cannot be read.
    """
    with outbox(chain) if send else outbox_as_it_is(chain) as kept:
        waiting = _waiting(kept)
        if not send:
            asked = begin_messages(chain, "send", now())
            form = batch_form(chain, kept, None)
            names = ", ".join(account_names(chain, provider))
            return asked.answer(
                form,
                lines=_would(waiting, names),
                findings=_before(chain, kept.waiting(), provider),
            )
        if tables is None:
            tables = tables_to_send(chain, progress)
        asked = begin_messages(chain, "send", now(), tables=tables)
        _tell_news(asked, kept)
        limits: list[RateLimit] = []
        if per_second is not None:
            limits = [RateLimit(most=per_second, per=dt.timedelta(seconds=1))]

        def run(opened: SmsProvider, before: SendReport) -> SendReport:
            def told(report: SendReport) -> None:
                if progress is not None:
                    so_far = joined(before, report)
                    done = so_far.accepted + so_far.refused + so_far.unknown
                    progress("sending messages", "发送短信", done, max(waiting, done))

            # A pace of its own: an account that asks to wait holds no other back.
            return dispatch(
                kept, opened, now=now, worker=worker, pace=Pace(limits),
                limit=None if limit is None else limit - before.claimed,
                sleep=sleep, stop=stop, progress=told,
            )  # fmt: skip

        report = sent_by_each(chain, provider, run)
        form = batch_form(chain, kept, None)
        waits = kept.waiting()
        found = [*_found(report), *_before(chain, waits, provider)]
    return asked.answer(
        form, lines=_sent(report, form, waits, chain, now()), findings=found
    )


def _before(
    chain: Chain, waits: pd.DataFrame, provider: SmsProvider | None
) -> list[Finding]:
    """Tell what keeps messages: a secret that is not there, or their own hours."""
    secrets = unset_secrets(chain) if provider is None else ()
    return [*secrets, *waiting_findings(waits, chain)]


def _waiting(kept: SqlOutbox) -> int:
    """Count what waits in approved batches."""
    status = kept.status()
    approved = (status["approval"] == "approved") & (status["cause"] == "")
    return int(status.loc[approved.to_numpy(bool), "queued"].sum())


def _would(waiting: int, name: str) -> list[tuple[str, str]]:
    return [
        (
            f"{waiting:,} messages wait in approved batches for the provider {name}",
            f"已批准批次待发 {waiting:,} 条，通道 {name}",
        ),
        ("nothing was sent; --send does it", "未发送；加 --send 发送"),
    ]


def _tell_news(asked: Inquiry, kept: SqlOutbox) -> None:
    """
    Write what the tables know now of members to whom something waits.

    That is who refuses, whenever it was said, for a table may have learned it late,
    and the visits that count against the caps. What members agreed to is not taken
    from here: it was asked when they were planned.
    """
    waiting = kept.waiting_members()
    if not waiting:
        return
    said = recorded_consents(asked, waiting)
    record_facts(
        kept,
        consents=[each for each in said if not each.given],
        contacts=recorded_contacts(asked, waiting),
    )


def _sent(
    report: SendReport, form: Form, waits: pd.DataFrame, chain: Chain, at: dt.datetime
) -> list[tuple[str, str]]:
    counted = {name: f"{getattr(report, name):,}" for name in _COUNTED}
    whys = {name: told_problems(report, name) for name in _COUNTED}
    said_en = {name: count + whys[name][0] for name, count in counted.items()}
    said_zh = {name: count + whys[name][1] for name, count in counted.items()}
    english = (
        "claimed {claimed}: accepted {accepted}, refused {refused}, postponed "
        "{postponed}, unknown {unknown}, put back {released}"
    )
    chinese = (
        "取出 {claimed} 条：已提交 {accepted}，被拒绝 {refused}，稍后重试 {postponed}，"
        "待查证 {unknown}，放回 {released}"
    )
    held = {problem for _, problem in report.problems} & _HELD
    stopped = "slower" if held and report.stopped == "rate" else report.stopped
    why_en, why_zh = _STOPPED.get(stopped, (stopped, stopped))
    after = next_moment(report, waits, at)
    if after is not None:
        when_en, when_zh = moment_texts(after, at, chain)
        why_en, why_zh = f"{why_en}; next {when_en}", f"{why_zh}；下次 {when_zh}"
    return [
        (english.format(**said_en), chinese.format(**said_zh)),
        (why_en, why_zh),
        conservation(form.frame),
    ]


_HELD = {MessageProblem.THROTTLED.value, MessageProblem.NUMBER_LIMIT.value}
_COUNTED = ("claimed", "accepted", "refused", "postponed", "unknown", "released")


def _found(report: SendReport) -> list[Finding]:
    """Tell what somebody has to look after."""
    told: list[tuple[str, Severity, int, str, str]] = [
        (
            "message-unknown",
            Severity.WARNING,
            report.unknown + report.recovered,
            "it is not known whether messages left: settle them, they are not resent",
            "短信是否发出尚不可知：请查证，不会重发",
        ),
        (
            "message-refused",
            Severity.WARNING,
            report.refused,
            "the provider refused messages",
            "短信被通道拒绝",
        ),
        (
            "message-provider-failing",
            Severity.ERROR,
            int(report.stopped == "breaker"),
            "the provider failed several times in a row: sending stopped",
            "通道连续失败，已停止发送",
        ),
    ]
    found = [
        Finding(
            table="outbox",
            rule=rule,
            severity=severity,
            count=count,
            message_en=english,
            message_zh=chinese,
        )
        for rule, severity, count, english, chinese in told
        if count
    ]
    return [*problem_findings(report), *found]


def settle_messages(
    chain: Chain,
    *,
    now: Clock,
    receipts: str | Path | None = None,
    ask: bool = True,
    provider: SmsProvider | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Answer:
    """
    Take in receipts, and ask the provider what became of unknown messages.

    Nothing is sent. What may have been sent stays unknown until a receipt or the
    provider's answer tells; see `docs/explanation/messages.md`.

    Args:
        chain: The chain; a method of it.
        now: The clock.
        receipts: File of receipts, one JSON object a line with ``status`` and
            ``message_id`` or ``provider_message_id``, and as far as they are known
            ``provider``, ``at``, ``problem``, ``raw_code`` and ``segment``; whoever
            writes it has proven that they are the provider's.
        ask: Ask the provider about unknown messages, too.
        provider: Whom; each account of the chain's settings by default.
        limit: How many messages are asked about at most.
        progress: Is told how many were asked about.

    Returns:
        An `Answer` with the form ``message_batch``; lines of the file that are no
        receipts are findings, and the others are taken in.

    Raises:
        InvalidValueError: The chain has no outbox.
        SourceError: The file cannot be read.
    """
    at = now()
    asked = begin_messages(chain, "settle", at)
    name = account_names(chain, provider)[0]
    lines: list[tuple[str, str]] = []
    findings: list[Finding] = []
    with outbox(chain) as kept:
        if receipts is not None:
            read, findings = read_receipts(receipts, provider=name)
            taken = kept.receive_all(read, at=at)
            fitted = sum(each.state is not None for each in taken)
            counts = (f"{len(taken):,}", f"{fitted:,}")
            lines.append(
                (
                    "receipts {}, of messages of ours {}".format(*counts),
                    "回执 {} 条，对应本系统短信 {} 条".format(*counts),
                )
            )
        if ask and (left := _unknown(kept)):

            def run(opened: SmsProvider, before: SettleReport) -> SettleReport:
                return ask_provider(
                    kept,
                    opened,
                    now=now,
                    limit=None if limit is None else limit - before.asked,
                    progress=lambda each: _told(
                        progress, before.asked + each.asked, left
                    ),
                )

            report = asked_by_each(chain, provider, run)
            sums = (f"{report.asked:,}", f"{report.settled:,}", f"{report.missing:,}")
            english = "asked about {}; settled {}, of these never sent {}"
            chinese = "查证 {} 条；已明确 {} 条，其中未曾发出 {} 条"
            lines.append((english.format(*sums), chinese.format(*sums)))
            findings = [*findings, *_unasked(report)]
        form = batch_form(chain, kept, None)
    return asked.answer(
        form, lines=[*lines, conservation(form.frame)], findings=findings
    )


def _unasked(report: SettleReport) -> list[Finding]:
    """Tell of what could not be asked: it stays unknown, and is asked again."""
    if not report.failed:
        return []
    return [
        Finding(
            table="outbox",
            rule="message-query-failed",
            severity=Severity.WARNING,
            count=report.failed,
            message_en="the provider could not be asked about messages: they stay "
            "unknown, ask again later",
            message_zh="向通道查证失败：仍为待查证，请稍后再查",
        )
    ]


def _told(progress: Progress | None, done: int, left: int) -> None:
    if progress is not None:
        progress("asking the provider", "向通道查证", done, max(left, done))


def _unknown(kept: SqlOutbox) -> int:
    """Count what is unknown, or was claimed by a worker that may be dead."""
    counts: pd.Series[Any] = kept.status()[["unknown", "claimed"]].sum()
    return int(counts.sum())
