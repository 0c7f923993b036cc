"""
What may become of a message, and by which facts: pure, the same for every outbox.

What we did (`Standing.sending`) and what the provider reports (`Standing.report`) are
kept apart, because a report may come before the answer to the request that it is
about, twice, and in any order. Reports are joined by taking the strongest, so their
order and repetition do not matter; the state is read from both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import attrs

from memberops.domain.message import MessageState, ReceiptStatus, SendOutcome
from memberops.errors import InvalidValueError

__all__ = [
    "FactKind",
    "MessageFact",
    "Standing",
    "advance",
    "join",
    "state_of",
]

FactKind = Literal[
    "claimed",
    "answered",
    "released",
    "late",
    "recovered",
    "receipt",
    "ended",
    "settled",
    "resent",
]

_STRENGTH = {
    None: 0,
    ReceiptStatus.ACCEPTED: 1,
    ReceiptStatus.DELIVERED: 2,
    ReceiptStatus.UNDELIVERED: 3,
}
_REPORTED = {
    ReceiptStatus.ACCEPTED: MessageState.ACCEPTED,
    ReceiptStatus.DELIVERED: MessageState.DELIVERED,
    ReceiptStatus.UNDELIVERED: MessageState.UNDELIVERED,
}
_ENDS = {"expired": MessageState.EXPIRED, "canceled": MessageState.CANCELED}


def join(
    first: ReceiptStatus | None, second: ReceiptStatus | None
) -> ReceiptStatus | None:
    """
    Return what two reports on one message say together.

    The strongest stands: undelivered, then delivered, then accepted. A message of
    several parts is not delivered if one part was not, whatever is said later of
    another. ``not_found`` is no report, but an answer to a question of one moment.

    >>> join(ReceiptStatus.UNDELIVERED, ReceiptStatus.DELIVERED).value
    'undelivered'
    """
    weak = [
        None if each is ReceiptStatus.NOT_FOUND else each for each in (first, second)
    ]
    return max(weak, key=_STRENGTH.__getitem__)


def state_of(sending: MessageState, report: ReceiptStatus | None) -> MessageState:
    """
    Return the state of a message from what we did and what the provider reports.

    A report outweighs what we believe: a message that a provider says it has is
    never sent again, even if its request was answered with a refusal.

    >>> state_of(MessageState.CLAIMED, ReceiptStatus.DELIVERED).value
    'delivered'
    """
    return sending if report is None else _REPORTED[report]


@attrs.frozen(kw_only=True)
class Standing:
    """
    How a message stands.

    Args:
        sending: What we did, as a `MessageState` that no report has changed.
        report: What the provider reported, joined.
        attempts: How many requests were begun.
        ambiguous: An attempt may have been accepted without our knowing, and no
            later refusal can take that back.
        cause: Why it ended or waits; empty if there is nothing to say.

    >>> Standing().state.value
    'queued'
    """

    sending: MessageState = MessageState.QUEUED
    report: ReceiptStatus | None = None
    attempts: int = 0
    ambiguous: bool = False
    cause: str = ""

    @property
    def state(self) -> MessageState:
        """Where the message stands, all facts considered."""
        return state_of(self.sending, self.report)

    @property
    def counts(self) -> bool:
        """Whether it counts as a contact: it was sent, or may have been."""
        return (
            self.report is not None
            or self.ambiguous
            or self.sending
            in {MessageState.CLAIMED, MessageState.ACCEPTED, MessageState.UNKNOWN}
        )


@attrs.frozen(kw_only=True)
class MessageFact:
    """
    One line of a message's history, from which its standing follows.

    Args:
        kind: ``claimed`` (before a request), ``answered`` (its result),
            ``released`` (it was never begun), ``late`` (a result by a worker that
            had lost the message), ``recovered`` (its worker is gone), ``receipt``,
            ``ended`` (will not be sent), ``settled`` (the provider surely does not
            know it), ``resent`` (free for another attempt under the same id, where
            the provider leaves out what it has).
        value: A `SendOutcome` of answers, a `ReceiptStatus` of receipts,
            ``expired`` or ``canceled`` of an end, ``rejected`` or ``queued`` of a
            settlement.
        cause: Why.
    """

    kind: FactKind
    value: str = ""
    cause: str = ""


def advance(standing: Standing, fact: MessageFact) -> Standing:
    """
    Return how a message stands after one more fact.

    Args:
        standing: How it stood.
        fact: What happened.

    Raises:
        InvalidValueError: The fact cannot happen to a message that stands so.

    >>> sent = advance(Standing(), MessageFact(kind="claimed"))
    >>> lost = advance(sent, MessageFact(kind="recovered"))
    >>> lost.state.value, lost.counts
    ('unknown', True)
    >>> advance(lost, MessageFact(kind="receipt", value="delivered")).state.value
    'delivered'
    """
    need = _NEEDS.get(fact.kind)
    stands = standing.sending if need is MessageState.CLAIMED else standing.state
    if need is not None and stands is not need:
        raise InvalidValueError(
            f"a message that is {standing.state.value} cannot be {fact.kind}"
        )
    return _STEPS[fact.kind](standing, fact)


def _claimed(standing: Standing, _fact: MessageFact) -> Standing:
    return attrs.evolve(
        standing,
        sending=MessageState.CLAIMED,
        attempts=standing.attempts + 1,
        cause="",
    )


def _answered(standing: Standing, fact: MessageFact) -> Standing:
    outcome = SendOutcome(fact.value)
    if outcome is SendOutcome.ACCEPTED:
        return attrs.evolve(standing, sending=MessageState.ACCEPTED, cause="")
    if outcome is SendOutcome.UNKNOWN or standing.ambiguous:
        return _doubtful(standing, fact)
    refused = outcome is SendOutcome.REFUSED or fact.cause == "attempts_exhausted"
    sending = MessageState.REJECTED if refused else MessageState.QUEUED
    return attrs.evolve(standing, sending=sending, cause=fact.cause)


def _released(standing: Standing, fact: MessageFact) -> Standing:
    return attrs.evolve(standing, sending=MessageState.QUEUED, cause=fact.cause)


def _doubtful(standing: Standing, fact: MessageFact) -> Standing:
    return attrs.evolve(
        standing, sending=MessageState.UNKNOWN, ambiguous=True, cause=fact.cause
    )


def _reported(standing: Standing, fact: MessageFact) -> Standing:
    if not standing.attempts:
        raise InvalidValueError("a message that was never sent has no receipt")
    report = join(standing.report, ReceiptStatus(fact.value))
    return attrs.evolve(standing, report=report)


def _late(standing: Standing, fact: MessageFact) -> Standing:
    accepted = fact.value == SendOutcome.ACCEPTED
    return _reported(standing, fact) if accepted else standing


def _ended(standing: Standing, fact: MessageFact) -> Standing:
    if standing.ambiguous:
        return _doubtful(standing, fact)
    return attrs.evolve(standing, sending=_ENDS[fact.value], cause=fact.cause)


def _settled(standing: Standing, fact: MessageFact) -> Standing:
    return attrs.evolve(
        standing,
        sending=MessageState(fact.value),
        ambiguous=False,
        cause=fact.cause,
    )


_NEEDS = {
    "claimed": MessageState.QUEUED,
    "ended": MessageState.QUEUED,
    "answered": MessageState.CLAIMED,
    "released": MessageState.CLAIMED,
    "recovered": MessageState.CLAIMED,
    "settled": MessageState.UNKNOWN,
    "resent": MessageState.UNKNOWN,
}

_STEPS: dict[str, Callable[[Standing, MessageFact], Standing]] = {
    "claimed": _claimed,
    "answered": _answered,
    "released": _released,
    "late": _late,
    "recovered": _doubtful,
    "receipt": _reported,
    "ended": _ended,
    "settled": _settled,
    "resent": _released,
}
