"""From the outbox to the provider, once."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import attrs

from memberops.domain.message import (
    MessageProblem,
    SendOutcome,
    SendResult,
)
from memberops.errors import InvalidValueError, OutboxStoreError
from memberops.policies.outbox_pacing import Breaker, Pace
from memberops.workflows.message_settling import SettleReport, settle_messages

if TYPE_CHECKING:
    from memberops.adapters.sms import SmsProvider
    from memberops.adapters.stores.outbox_rows import Claim
    from memberops.adapters.stores.outbox_store import SqlOutbox

__all__ = ["SendReport", "SettleReport", "send_messages", "settle_messages"]

_SLOWER = {MessageProblem.THROTTLED, MessageProblem.NUMBER_LIMIT}
_MOST = 500
_TRIES = 100
"""How often an answer is written at most, until its lease ends."""


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
        released: Messages that were put back because the breaker opened, the
            provider asked to come slower, the lease or their hours ran out before
            their request, the request had no room for them, their member opted out
            or their batch was canceled meanwhile, or the run was broken off.
        late: Results of messages that others had recovered meanwhile.
        recovered: Messages of dead workers, now unknown.
        expired: Messages whose batch had closed.
        stopped: Why it ended: ``done`` (nothing is due), ``limit``, ``rate`` (ours,
            or the provider's that asked to come slower), ``breaker``, ``asked``, or
            ``lease`` (shorter than a claim takes).
        next_at: When it is worth running again; None if nothing waits for a moment.
        problems: Why messages were refused or postponed or are unknown: how many by
            outcome and `MessageProblem`, such as ``("postponed", "authentication")``.
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
    problems: Counter[tuple[str, str]] = attrs.field(factory=Counter)


@attrs.define(kw_only=True)
class _Sender:
    outbox: SqlOutbox
    provider: SmsProvider
    now: Callable[[], dt.datetime]
    worker: str
    lease: dt.timedelta
    pace: Pace
    breaker: Breaker
    sleep: Callable[[float], object]
    report: SendReport = attrs.Factory(SendReport)
    too_slow: bool = False
    slower: int = 0

    def count(self, **more: Any) -> None:
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
        self.too_slow = False
        waiting = list(_requests(claims, self.provider))
        try:
            self.request(waiting.pop(0))
            while waiting and self.flows():
                self.request(waiting.pop(0))
            self.release([claim for claims_left in waiting for claim in claims_left])
        except BaseException:
            # What was not begun has surely not left: it need not become unknown.
            self.release([claim for claims_left in waiting for claim in claims_left])
            raise
        return len(claims)

    def flows(self) -> bool:
        """Tell whether the provider may be asked at once for more."""
        at = self.now()
        return self.breaker.open_until is None and self.pace.held_until(at) is None

    def release(self, claims: Sequence[Claim]) -> None:
        """Put back what was not begun."""
        self.count(released=self.outbox.release(claims, at=self.now()))

    def allowed(self, claims: Sequence[Claim]) -> list[Claim]:
        """Put back what may not leave any more, and return the others."""
        stopped = self.outbox.stopped(claims)
        at = self.now()
        ends = at + dt.timedelta(seconds=self.provider.capabilities.longest_seconds)
        kept: list[Claim] = []
        back: list[Claim] = []
        for claim in claims:
            # Nothing is begun that could outlast its lease: others would take it for
            # lost, and ask about it, while it is still under way.
            late = at >= claim.leased_until or ends > claim.leased_until
            self.too_slow = self.too_slow or late
            gone = claim.message.message_id in stopped or at >= claim.begins_before
            (back if late or gone else kept).append(claim)
        if back:
            self.release(back)
            self.outbox.expire(at=at)
        return kept

    def request(self, claims: Sequence[Claim]) -> None:
        """Make one request and write down what came of it."""
        claims = self.allowed(claims)
        if not claims:
            return
        messages = [claim.message for claim in claims]
        by_id: dict[str, SendResult] = {}
        try:
            for result in self.provider.send(messages, template=claims[0].template):
                own = result.message_id
                if by_id.setdefault(own, result) != result:
                    by_id[own] = _unknown(own, "contradicting results")
        except Exception as error:  # noqa: BLE001 - whatever a provider raises, it may have sent
            by_id = {
                own: _unknown(own, type(error).__name__)
                for own in (message.message_id for message in messages)
            }
        pairs = [
            (claim, by_id.get(own) or _unknown(own, "no result"))
            for claim in claims
            for own in [claim.message.message_id]
        ]
        begun = [result for _, result in pairs if result.begun]
        if not begun:  # to put all back would ask the same again, and for ever
            pairs = [(claim, attrs.evolve(r, begun=True)) for claim, r in pairs]
        self.count(requests=1)
        for result in begun:
            self.breaker.note(_standing(result), self.now())
        self.slow_down(begun)
        self.write(pairs)

    def slow_down(self, results: Sequence[SendResult]) -> None:
        """Leave the provider alone for a while if it asked for that."""
        limited = [each for each in results if each.problem is MessageProblem.THROTTLED]
        if len(limited) < len(results):
            self.slower = 0
        if limited:
            self.slower += 1
            asked = max((e.retry_after for e in limited if e.retry_after), default=None)
            retry = self.outbox.policy.retry
            wait = retry.wait(self.worker, attempt=self.slower, asked=asked)
            self.pace.hold(self.now() + wait)

    def write(self, pairs: Sequence[tuple[Claim, SendResult]]) -> None:
        """Record results and count them: what is known is not lost to a busy moment."""
        ends = max(claim.leased_until for claim, _ in pairs)
        for attempt in range(_TRIES):
            try:
                recorded = self.outbox.record_all(pairs, at=self.now())
                break
            except OutboxStoreError:
                if attempt + 1 == _TRIES or self.now() >= ends:
                    raise
            self.sleep(min(0.05 * 2**attempt, 2.0))
        for (_, result), done in zip(pairs, recorded, strict=True):
            kind = result.outcome.value if result.begun else "released"
            self.count(**{kind: 1, "late": int(not done.applied)})
            if result.begun and result.problem is not None:
                self.count(problems=Counter([(kind, result.problem.value)]))


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
        lease: How long a claim is held; longer than a request of the provider can
            last. No request is begun that could outlast it.
        pace: How fast; no limit by default.
        breaker: When to leave the provider alone.
        sleep: Waits so many seconds, such as `time.sleep`.
        stop: Asked before each claim; True ends the run.
        progress: Called after each claim with the report so far.

    Returns:
        What was done, and when it is worth calling again.

    Raises:
        InvalidValueError: The lease is not longer than a request can last.
    """
    longest = provider.capabilities.longest_seconds
    if lease <= dt.timedelta(seconds=longest):
        raise InvalidValueError(
            f"'lease' must be longer than the {longest:g} s that one request of the "
            "provider can last, or its messages would be taken for lost meanwhile"
        )
    sender = _Sender(
        outbox=outbox, provider=provider, now=now, worker=worker, lease=lease,
        pace=pace or Pace(), breaker=breaker or Breaker(), sleep=sleep or time.sleep,
    )  # fmt: skip
    at = now()
    sender.count(recovered=outbox.recover(at=at), expired=outbox.expire(at=at))
    outbox.reopen(at=at)
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
        if sender.too_slow and sender.report.requests == requests:
            return _ended(sender, "lease")
        if progress is not None:
            progress(sender.report)


def _ended(sender: _Sender, why: str, until: dt.datetime | None = None) -> SendReport:
    name, at = sender.provider.name, sender.now()
    waiting = sender.outbox.next_due(provider=name)
    if waiting is not None and waiting <= at:
        # It may wait in a batch that has closed meanwhile.
        sender.count(expired=sender.outbox.expire(at=at))
        waiting = sender.outbox.next_due(provider=name)
    after = waiting if until is None or waiting is None else max(until, waiting)
    return attrs.evolve(sender.report, stopped=why, next_at=after)


def _requests(
    claims: Sequence[Claim], provider: SmsProvider
) -> Iterator[tuple[Claim, ...]]:
    """Split claims into what one request of the provider takes."""
    can = provider.capabilities
    groups: dict[object, list[Claim]] = {}
    for claim in claims:
        variables = claim.message.variables if can.same_text else None
        alike = None if can.group is None else can.group(claim.message)
        groups.setdefault((variables, alike), []).append(claim)
    for group in groups.values():
        size = can.batch_size
        if can.mixed_size is not None and len({c.message.variables for c in group}) > 1:
            size = min(size, can.mixed_size)
        size = max(1, size)
        for start in range(0, len(group), size):
            yield tuple(group[start : start + size])


def _unknown(message_id: str, why: str) -> SendResult:
    return SendResult(
        message_id=message_id,
        outcome=SendOutcome.UNKNOWN,
        problem=MessageProblem.OTHER,
        raw_code=why,
    )


def _standing(result: SendResult) -> Literal["answered", "slower", "failed"]:
    if result.outcome in {SendOutcome.ACCEPTED, SendOutcome.REFUSED}:
        return "answered"
    return "slower" if result.problem in _SLOWER else "failed"
