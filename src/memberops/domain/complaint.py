"""Complaints and other cases: what was received, and all that happened since."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any, TypeVar

import attrs

from memberops.domain.finding import Finding, Severity
from memberops.domain.money import Money
from memberops.domain.values import aware_instant, identifier, mask
from memberops.errors import InvalidValueError, nearest

__all__ = ["EVENT_FIELDS", "CaseEvent", "Channel", "Complaint", "EventKind"]

_optional_id = attrs.validators.optional(identifier)
_optional_instant = attrs.validators.optional(aware_instant)


class Channel(StrEnum):
    """How a case came in (HQ §6.2)."""

    PHONE = "phone"
    EMAIL = "email"
    MESSAGE = "message"
    WEB = "web"
    MAILBOX = "mailbox"
    STORE = "store"
    ON_SITE = "on_site"


class EventKind(StrEnum):
    """What can happen to a case after its receipt."""

    REPLIED = "replied"
    CUSTOMER_MESSAGE = "customer_message"
    WAITING_FOR_CUSTOMER = "waiting_for_customer"
    CUSTOMER_ANSWERED = "customer_answered"
    PROMISED_REPLY = "promised_reply"
    TRANSFERRED = "transferred"
    ESCALATED = "escalated"
    RECLASSIFIED = "reclassified"
    POLICY_CHANGED = "policy_changed"
    CALENDAR_CHANGED = "calendar_changed"
    DELIVERED = "delivered"
    SOLVED = "solved"
    REOPENED = "reopened"
    CALLBACK = "callback"
    CLOSED = "closed"


_Word = TypeVar("_Word", bound=StrEnum)


def _kind(value: Any) -> EventKind:
    return _word(EventKind, value, "event")


def _channel(value: Any) -> Channel | None:
    return None if value is None else _word(Channel, value, "channel")


def _word(words: type[_Word], value: Any, what: str) -> _Word:
    try:
        return words(value)
    except ValueError:
        shown = str(value)[:40]
        hint = nearest(shown, [word.value for word in words])
        raise InvalidValueError(f"no {what} is called {shown!r}; {hint}") from None


def _utc(at: dt.datetime) -> dt.datetime:
    # Moments of one zone compare by the wall clock, wrongly in a repeated hour.
    return at.astimezone(dt.UTC)


def _hidden(value: object) -> str:
    return "None" if value is None else "*****"


def _masked(value: str | None) -> str:
    return str(mask(value))


@attrs.frozen(kw_only=True)
class CaseEvent:
    """
    One thing that happened to a case; events are only ever added.

    Args:
        kind: An `EventKind`, or its word.
        at: When it happened, with a zone.
        by: Id of who did it, if known.
        to: Who has the case now, for ``"transferred"`` and ``"escalated"``.
        until: By when a reply was promised, for ``"promised_reply"``.
        satisfied: Whether the customer was satisfied, for ``"callback"``; None if
            that is not known.
        category: The new category, for ``"reclassified"``.
        priority: The new priority, for ``"reclassified"``.
        policy: What was changed, such as ``"service-levels 1"``, for
            ``"policy_changed"`` and ``"calendar_changed"``.
        note: Free text; personal, hidden in the repr.

    Raises:
        InvalidValueError: An unknown kind, a naive moment, or a field that does not
            fit the kind.

    >>> from zoneinfo import ZoneInfo
    >>> at = dt.datetime(2026, 11, 5, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
    >>> CaseEvent(kind="callback", at=at, satisfied=False).kind.value
    'callback'
    """

    kind: EventKind = attrs.field(converter=_kind)
    at: dt.datetime = attrs.field(validator=aware_instant)
    by: str | None = attrs.field(default=None, validator=_optional_id)
    to: str | None = attrs.field(default=None, validator=_optional_id)
    until: dt.datetime | None = attrs.field(default=None, validator=_optional_instant)
    satisfied: bool | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(attrs.validators.instance_of(bool)),
    )
    category: str | None = attrs.field(default=None, validator=_optional_id)
    priority: str | None = attrs.field(default=None, validator=_optional_id)
    policy: str | None = attrs.field(default=None, validator=_optional_id)
    note: str | None = attrs.field(default=None, repr=_hidden)

    def __attrs_post_init__(self) -> None:
        """Refuse a field that does not belong to the kind, and one that lacks."""
        for name, kinds in EVENT_FIELDS.items():
            if getattr(self, name) is not None and self.kind not in kinds:
                raise InvalidValueError(
                    f"{name!r} does not belong to a {self.kind.value!r} event, "
                    f"but to {' and '.join(kind.value for kind in kinds)}"
                )
        if self.kind is EventKind.PROMISED_REPLY and (
            self.until is None or _utc(self.until) < _utc(self.at)
        ):
            raise InvalidValueError(
                "a promised reply says until when, not before it was promised: until="
            )
        if self.kind is EventKind.RECLASSIFIED and not (self.category or self.priority):
            raise InvalidValueError("a reclassified case has a category= or priority=")

    @property
    def is_reopening(self) -> bool:
        """Whether it opens the case again, by word or by an unsatisfied callback."""
        return self.kind is EventKind.REOPENED or (
            self.kind is EventKind.CALLBACK and self.satisfied is False
        )


EVENT_FIELDS: dict[str, tuple[EventKind, ...]] = {
    "to": (EventKind.TRANSFERRED, EventKind.ESCALATED),
    "until": (EventKind.PROMISED_REPLY,),
    "satisfied": (EventKind.CALLBACK,),
    "category": (EventKind.RECLASSIFIED,),
    "priority": (EventKind.RECLASSIFIED,),
    "policy": (EventKind.POLICY_CHANGED, EventKind.CALENDAR_CHANGED),
}
"""Fields of an event that belong to some kinds only."""


def _events(events: Any) -> tuple[CaseEvent, ...]:
    return tuple(dict.fromkeys(events))


@attrs.frozen(kw_only=True)
class Complaint:
    """
    A complaint, or any case with a clock: an enquiry, a wait, an order (HQ §6.2).

    The facts are what was received and the events since; its clocks are worked out
    from them for a moment and never stored. The same event twice is one event.

    Args:
        case_id: Id of the case.
        received_at: When it came in, with a zone.
        channel: A `Channel`, or its word.
        store_id: The store that it is about.
        member_id: The member, if one.
        category: What it is about.
        priority: Priority, by which a chain may set other targets.
        asked: What the customer asks for, if an amount.
        handler: Id of who handles it first.
        root_cause: Why it happened, once known.
        customer_name: Personal, masked in the repr.
        customer_phone: Personal, masked in the repr.
        statement: The customer's words; personal, hidden in the repr.
        events: What happened since, in any order.

    >>> from zoneinfo import ZoneInfo
    >>> at = dt.datetime(2026, 11, 5, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
    >>> case = Complaint(case_id="K1", received_at=at, customer_phone="13812345678")
    >>> "13812345678" in repr(case)
    False
    >>> case = case.add(CaseEvent(kind="replied", at=at + dt.timedelta(hours=2)))
    >>> [event.kind.value for event in case.history(at + dt.timedelta(hours=3))]
    ['replied']
    """

    case_id: str = attrs.field(validator=identifier)
    received_at: dt.datetime = attrs.field(validator=aware_instant)
    channel: Channel | None = attrs.field(default=None, converter=_channel)
    store_id: str | None = attrs.field(default=None, validator=_optional_id)
    member_id: str | None = attrs.field(default=None, validator=_optional_id)
    category: str | None = attrs.field(default=None, validator=_optional_id)
    priority: str | None = attrs.field(default=None, validator=_optional_id)
    asked: Money | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(attrs.validators.instance_of(Money)),
    )
    handler: str | None = attrs.field(default=None, validator=_optional_id)
    root_cause: str | None = attrs.field(default=None, validator=_optional_id)
    customer_name: str | None = attrs.field(default=None, repr=_masked)
    customer_phone: str | None = attrs.field(default=None, repr=_masked)
    statement: str | None = attrs.field(default=None, repr=_hidden)
    events: tuple[CaseEvent, ...] = attrs.field(default=(), converter=_events)

    @events.validator
    def _check_events(self, _attribute: object, value: Any) -> None:
        for event in value:
            if not isinstance(event, CaseEvent):
                raise InvalidValueError(
                    f"'events' holds CaseEvent values, not a {type(event).__name__}"
                )

    def add(self, *events: CaseEvent) -> Complaint:
        """Return the case with more events; none is ever taken away."""
        return attrs.evolve(self, events=(*self.events, *events))

    def history(self, as_of: dt.datetime) -> tuple[CaseEvent, ...]:
        """
        Return what had happened by a moment, in order of time.

        Events of one instant keep the order in which they were given.
        """
        last = _utc(as_of)
        known = (event for event in self.events if _utc(event.at) <= last)
        return tuple(sorted(known, key=lambda event: _utc(event.at)))

    def findings(self) -> tuple[Finding, ...]:
        """
        Tell which events cannot be as recorded.

        An event before the receipt is read as one at the receipt; an answer that
        nobody waited for and the reopening of an unsolved case change nothing.
        """
        found = []
        waiting = solved = False
        for event in sorted(self.events, key=lambda each: _utc(each.at)):
            kind = event.kind
            if _utc(event.at) < _utc(self.received_at):
                found.append(self._finding(event, "before-receipt"))
            if kind is EventKind.CUSTOMER_ANSWERED and not waiting:
                found.append(self._finding(event, "answer-not-awaited"))
            if kind is EventKind.REOPENED and not solved:
                found.append(self._finding(event, "reopened-unsolved"))
            if kind is EventKind.WAITING_FOR_CUSTOMER:
                waiting = True
            elif kind in _END_WAITING:
                waiting = False
            if kind in {EventKind.SOLVED, EventKind.CLOSED, EventKind.CALLBACK}:
                solved = True
            if event.is_reopening:
                solved = False
        return tuple(found)

    def _finding(self, event: CaseEvent, rule: str) -> Finding:
        english, chinese = _FINDINGS[rule]
        where = f"case {self.case_id[:40]}, event {event.kind.value}: "
        return Finding(
            table="complaints",
            rule=rule,
            severity=Severity.WARNING,
            column=event.kind.value,
            message_en=where + english,
            message_zh=f"投诉 {self.case_id[:40]}，事件 {event.kind.value}：{chinese}",
        )


_END_WAITING = {
    EventKind.CUSTOMER_ANSWERED,
    EventKind.CUSTOMER_MESSAGE,
    EventKind.SOLVED,
    EventKind.CLOSED,
    EventKind.REOPENED,
}
_FINDINGS = {
    "before-receipt": (
        "earlier than the receipt, read as at the receipt",
        "早于受理时间，按受理时刻计",
    ),
    "answer-not-awaited": (
        "no answer was awaited, nothing is resumed",
        "当时并未等待顾客答复，不影响计时",
    ),
    "reopened-unsolved": (
        "the case was not solved, nothing is reopened",
        "投诉当时尚未解决，不影响计时",
    ),
}
