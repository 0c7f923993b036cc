"""From the outbox to the provider, once; and asking what became of the unknown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import attrs

from memberops.domain.message import (
    Message,
    MessageProblem,
    MessageReceipt,
    MessageState,
    SendOutcome,
    SendResult,
)
from memberops.policies.outbox_pacing import Breaker, Pace

if TYPE_CHECKING:
    from memberops.adapters.sms import SmsProvider
    from memberops.adapters.stores.outbox_rows import Claim, Unsettled
    from memberops.adapters.stores.outbox_store import SqlOutbox

__all__ = ["SendReport", "SettleReport", "send_messages", "settle_messages"]

_SLOWER = {MessageProblem.THROTTLED, MessageProblem.NUMBER_LIMIT}
_MOST = 500


@attrs.frozen(kw_only=True)
class SendReport:
    """
    What a run of sending did.

    Args:
        claimed: Messages that were taken out.
        requests: Calls of the provider.
        accepted: Messages the provider took.
        refused: Messages it will never take.
        postponed: Messages that go back into the queue, or gave up trying.
        unknown: Messages of which nobody knows yet.
        released: Messages that were put back because the breaker opened, the lease
            ran out before their request, or the run was broken off.
        late: Results of messages that others had recovered meanwhile.
        recovered: Messages of dead workers, now unknown.
        expired: Messages whose batch had closed.
        stopped: Why it ended: ``done`` (nothing is due), ``limit``, ``rate``,
            ``breaker``, ``asked``, or ``lease`` (shorter than a claim takes).
        next_at: When it is worth running again; None if nothing waits for a moment.
    """

    claimed: int = 0
    requests: int = 0
    accepted: int = 0
    refused: int = 0
    postponed: int = 0
    unknown: int = 0
    released: int = 0
    late: int = 0
    recovered: int = 0
    expired: int = 0
    stopped: str = "done"
    next_at: dt.datetime | None = None


@attrs.frozen(kw_only=True)
class SettleReport:
    """
    What a run of asking came to.

    Args:
        asked: Messages that were asked about.
        settled: Messages that are no longer unknown.
        missing: Of these, those the provider surely does not have.
        recovered: Messages of dead workers that became unknown first.
    """

    asked: int = 0
    settled: int = 0
    missing: int = 0
    recovered: int = 0


@attrs.define(kw_only=True)
class _Sender:
    outbox: SqlOutbox
    provider: SmsProvider
    now: Callable[[], dt.datetime]
    worker: str
    lease: dt.timedelta
    pace: Pace
    breaker: Breaker
    report: SendReport = attrs.Factory(SendReport)

    def count(self, **more: int) -> None:
        """Add to the report."""
        sums = {name: getattr(self.report, name) + n for name, n in more.items()}
        self.report = attrs.evolve(self.report, **sums)

    def room(self, wanted: int) -> tuple[int, str, dt.datetime | None]:
        """Return how many may go now, else why not and until when."""
        at = self.now()
        granted = self.pace.take(at, wanted)
        if not granted:
            return 0, "rate", self.pace.ready_at(at)
        admitted = self.breaker.admit(at, granted)
        self.pace.give_back(granted - admitted)
        return admitted, "breaker", self.breaker.open_until

    def step(self, wanted: int) -> int:
        """Claim and send once; return how many were claimed."""
        claims = self.outbox.claim(
            worker=self.worker,
            at=self.now(),
            limit=wanted,
            lease=self.lease,
            provider=self.provider.name,
        )
        self.pace.give_back(wanted - len(claims))
        if not claims:
            self.breaker.give_back(self.now())
            return 0
        self.count(claimed=len(claims))
        waiting = list(_requests(claims, self.provider))
        try:
            self.request(waiting.pop(0))
            while waiting and self.breaker.open_until is None:
                self.request(waiting.pop(0))
            self.release([claim for claims_left in waiting for claim in claims_left])
        except BaseException:
            # What was not begun has surely not left: it need not become unknown.
            self.release([claim for claims_left in waiting for claim in claims_left])
            raise
        return len(claims)

    def release(self, claims: Sequence[Claim]) -> None:
        """Put back what was not begun."""
        self.count(released=self.outbox.release(claims, at=self.now()))

    def request(self, claims: Sequence[Claim]) -> None:
        """Make one request and write down what came of it."""
        if self.now() >= min(claim.leased_until for claim in claims):
            self.release(claims)
            return
        messages = [claim.message for claim in claims]
        results: Sequence[SendResult]
        try:
            results = self.provider.send(messages, template=claims[0].template)
        except Exception as error:  # noqa: BLE001 - whatever a provider raises, it may have sent
            results = [_unknown(message, type(error).__name__) for message in messages]
        by_id = {result.message_id: result for result in results}
        pairs = [
            (claim, by_id.get(own) or _unknown(claim.message, "no result"))
            for claim in claims
            for own in [claim.message.message_id]
        ]
        self.count(requests=1)
        for _, result in pairs:
            self.breaker.note(_standing(result), self.now())
        self.write(pairs)

    def write(self, pairs: Sequence[tuple[Claim, SendResult]]) -> None:
        """Record results and count them."""
        for (_, result), done in zip(
            pairs, self.outbox.record_all(pairs, at=self.now()), strict=True
        ):
            self.count(**{result.outcome.value: 1, "late": int(not done.applied)})


def send_messages(
    outbox: SqlOutbox,
    provider: SmsProvider,
    *,
    now: Callable[[], dt.datetime],
    worker: str,
    limit: int | None = None,
    batch: int | None = None,
    lease: dt.timedelta = dt.timedelta(minutes=2),
    pace: Pace | None = None,
    breaker: Breaker | None = None,
    sleep: Callable[[float], object] | None = None,
    stop: Callable[[], bool] | None = None,
    progress: Callable[[SendReport], None] | None = None,
) -> SendReport:
    """
    Send what is due, each message once.

    Workers in several threads or processes may run this at once on one outbox; in
    threads they share *pace* and *breaker*. It never waits by itself: without
    *sleep* it returns when the rate or the breaker holds it back.

    Args:
        outbox: Of `memberops.adapters.stores.open_outbox`.
        provider: Who sends.
        now: The clock: a function that returns the moment, with its zone.
        worker: A name for the history.
        limit: How many messages at most.
        batch: How many are claimed at once; what the provider takes in one request
            by default. More saves commits; what a dying worker holds becomes unknown.
        lease: How long a claim is held; longer than a request can last.
        pace: How fast; no limit by default.
        breaker: When to leave the provider alone.
        sleep: Waits so many seconds, such as `time.sleep`.
        stop: Asked before each claim; True ends the run.
        progress: Called after each claim with the report so far.

    Returns:
        What was done, and when it is worth calling again.
    """
    sender = _Sender(
        outbox=outbox, provider=provider, now=now, worker=worker, lease=lease,
        pace=pace or Pace(), breaker=breaker or Breaker(),
    )  # fmt: skip
    at = now()
    sender.count(recovered=outbox.recover(at=at), expired=outbox.expire(at=at))
    most = max(1, provider.capabilities.batch_size if batch is None else batch)
    while True:
        left = _MOST if limit is None else limit - sender.report.claimed
        if left < 1:
            return _ended(sender, "limit")
        if stop is not None and stop():
            return _ended(sender, "asked")
        room, why, until = sender.room(min(most, left, _MOST))
        if not room:
            if sleep is None or until is None:
                return _ended(sender, why, until)
            sleep(max((until - now()).total_seconds(), 0.001))
            continue
        requests = sender.report.requests
        if not sender.step(room):
            return _ended(sender, "done")
        if sender.report.requests == requests:
            return _ended(sender, "lease")
        if progress is not None:
            progress(sender.report)


def _ended(sender: _Sender, why: str, until: dt.datetime | None = None) -> SendReport:
    waiting = sender.outbox.next_due()
    after = waiting if until is None or waiting is None else max(until, waiting)
    return attrs.evolve(sender.report, stopped=why, next_at=after)


def _requests(
    claims: Sequence[Claim], provider: SmsProvider
) -> Iterator[tuple[Claim, ...]]:
    """Split claims into what one request of the provider takes."""
    can = provider.capabilities
    groups: dict[object, list[Claim]] = {}
    for claim in claims:
        key = claim.message.variables if can.same_text else None
        groups.setdefault(key, []).append(claim)
    size = max(1, can.batch_size)
    for group in groups.values():
        for start in range(0, len(group), size):
            yield tuple(group[start : start + size])


def _unknown(message: Message, why: str) -> SendResult:
    return SendResult(
        message_id=message.message_id,
        outcome=SendOutcome.UNKNOWN,
        problem=MessageProblem.OTHER,
        raw_code=why,
    )


def _standing(result: SendResult) -> Literal["answered", "slower", "failed"]:
    if result.outcome in {SendOutcome.ACCEPTED, SendOutcome.REFUSED}:
        return "answered"
    return "slower" if result.problem in _SLOWER else "failed"


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
            ripe = at >= each.attempted_at + delay
            answer = _asked(provider, each) if ripe and can.queries else None
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
            )
            if progress is not None:
                progress(report)
    return report


def _asked(provider: SmsProvider, unsettled: Unsettled) -> MessageReceipt | None:
    try:
        return provider.query(
            unsettled.message,
            provider_message_id=unsettled.provider_message_id,
            sent_on=unsettled.attempted_at.date(),
        )
    except Exception:  # noqa: BLE001 - a provider that cannot be asked has not answered
        return None
