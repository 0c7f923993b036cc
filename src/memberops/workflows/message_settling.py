"""Asking a provider what became of messages of which nobody knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from memberops.domain.message import MessageReceipt, MessageState

if TYPE_CHECKING:
    from memberops.adapters.sms import SmsProvider
    from memberops.adapters.stores.outbox_rows import Unsettled
    from memberops.adapters.stores.outbox_store import SqlOutbox

__all__ = ["SettleReport", "settle_messages"]


@attrs.frozen(kw_only=True)
class SettleReport:
    """
    What a run of asking came to.

    Args:
        asked: Messages that were asked about.
        settled: Messages that are no longer unknown.
        missing: Of these, those the provider surely does not have.
        recovered: Messages of dead workers that became unknown first.
        failed: Of these asked, those whose question itself failed, such as by an
            error of the provider; they are asked about again later.
    """

    asked: int = 0
    settled: int = 0
    missing: int = 0
    recovered: int = 0
    failed: int = 0


def settle_messages(
    outbox: SqlOutbox,
    provider: SmsProvider,
    *,
    now: Callable[[], dt.datetime],
    limit: int | None = None,
    progress: Callable[[SettleReport], None] | None = None,
) -> SettleReport:
    """
    Ask the provider about unknown messages whose settle delay is over.

    Nothing is sent here. A notice that the provider surely does not have is queued
    again if the policy says so; marketing is rejected as not sent.

    Args:
        outbox: Of `memberops.adapters.stores.open_outbox`.
        provider: Who sent.
        now: The clock.
        limit: How many are asked about at most.
        progress: Called after each answer with the report so far.
    """
    report = SettleReport(recovered=outbox.recover(at=now()))
    can = provider.capabilities
    delay = dt.timedelta(seconds=can.settle_seconds)
    seen: set[tuple[str, int]] = set()
    while limit is None or report.asked < limit:
        page = [
            each
            for each in outbox.unsettled(at=now(), provider=provider.name)
            if (each.message.message_id, each.attempt) not in seen
        ]
        if not page:
            break
        for each in page[: None if limit is None else limit - report.asked]:
            seen.add((each.message.message_id, each.attempt))
            at = now()
            ripe = at >= each.doubted_at + delay
            answer, failed = None, False
            if ripe and can.queries:
                answer, failed = _asked(provider, each)
            state = outbox.settle(
                each, answer, at=at, idempotent=can.idempotent and ripe
            )
            settled = state is not MessageState.UNKNOWN
            missing = answer is not None and answer.status == "not_found"
            report = attrs.evolve(
                report,
                asked=report.asked + 1,
                settled=report.settled + settled,
                missing=report.missing + (settled and missing),
                failed=report.failed + failed,
            )
            if progress is not None:
                progress(report)
    return report


def _asked(
    provider: SmsProvider, unsettled: Unsettled
) -> tuple[MessageReceipt | None, bool]:
    """Return the answer, and whether asking failed."""
    try:
        answer = provider.query(
            unsettled.message,
            provider_message_id=unsettled.provider_message_id,
            sent_on=unsettled.attempted_at,
        )
    except Exception:  # noqa: BLE001 - a provider that cannot be asked has not answered
        return None, True
    return answer, False
