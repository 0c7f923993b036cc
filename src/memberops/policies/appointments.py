"""Appointments (CLINIC): the last place goes to one, and a full slot offers others."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pandas as pd

from memberops.domain.appointment import BookingEvent, BookingEventKind, Slot
from memberops.domain.decision import Decision, Reason, Statement
from memberops.domain.values import check_as_of, identifier, whole_number
from memberops.errors import InvalidValueError, nearest
from memberops.policies.contact_hours import zone_of

__all__ = ["AppointmentBook", "Appointments", "Booked"]


def _slots(slots: Iterable[Slot]) -> tuple[Slot, ...]:
    return tuple(sorted(slots, key=lambda slot: (slot.starts_at, slot.slot_id)))


def _frozen(values: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(values))


@attrs.frozen(kw_only=True, eq=False)
class AppointmentBook:
    """
    Slots, and who holds a place in them: a fold of events, never changed in place.

    Args:
        slots: Every slot, in time order.
        held: By booking id, the member and the slot.
        decided: By event id, the event and what was decided of it.

    Raises:
        InvalidValueError: Two slots have one id.
    """

    slots: tuple[Slot, ...] = attrs.field(converter=_slots)
    held: Mapping[str, tuple[str, str]] = attrs.field(
        factory=dict, converter=_frozen, repr=False
    )
    decided: Mapping[str, tuple[BookingEvent, Decision]] = attrs.field(
        factory=dict, converter=_frozen, repr=False
    )

    def __attrs_post_init__(self) -> None:
        """Refuse slots that share an id."""
        ids = [slot.slot_id for slot in self.slots]
        if len(set(ids)) != len(ids):
            twice = next(each for each in ids if ids.count(each) > 1)
            raise InvalidValueError(f"two slots are called {twice!r}")

    def free(self, slot_id: str) -> int:
        """
        Count the places that are left in a slot.

        Raises:
            InvalidValueError: No slot has that id.
        """
        state = _State.of(self)
        return state.free(state.slot(slot_id).slot_id)


@attrs.define
class _State:
    """The book while events are folded into it: every look-up is one step."""

    slots: dict[str, Slot]
    order: tuple[Slot, ...]
    held: dict[str, tuple[str, str]]
    decided: dict[str, tuple[BookingEvent, Decision]]
    taken: Counter[str]

    @classmethod
    def of(cls, book: AppointmentBook) -> _State:
        """Open a book for folding."""
        return cls(
            {slot.slot_id: slot for slot in book.slots},
            book.slots,
            dict(book.held),
            dict(book.decided),
            Counter(slot_id for _, slot_id in book.held.values()),
        )

    def slot(self, slot_id: str) -> Slot:
        """Return a slot by its id."""
        if slot_id not in self.slots:
            raise InvalidValueError(
                f"no slot is called {slot_id!r}; {nearest(slot_id, self.slots)}"
            )
        return self.slots[slot_id]

    def free(self, slot_id: str) -> int:
        """Count the places that are left in a slot."""
        return self.slots[slot_id].capacity - self.taken[slot_id]

    def release(self, booking_id: str) -> None:
        """Give a booking's place back."""
        if booking_id in self.held:
            self.taken[self.held.pop(booking_id)[1]] -= 1

    def close(self) -> AppointmentBook:
        """Return the book as it is now."""
        return AppointmentBook(slots=self.order, held=self.held, decided=self.decided)


@attrs.frozen(kw_only=True)
class Booked:
    """
    What an event led to.

    Args:
        book: The book after it.
        decision: ``"booked"``, ``"changed"``, ``"cancelled"``, ``"full"``, ``"late"``
            (the slot has begun), or ``"unknown"`` (no such booking of the member).
        offers: For a full or late slot: the next free ones.
        notice: Whether the member is told by SMS: booked, changed or cancelled.
    """

    book: AppointmentBook
    decision: Decision
    offers: tuple[Slot, ...] = ()
    notice: bool = False


_TEXTS = {
    "booked": ("booked for {when}", "已预约 {when}"),
    "changed": ("moved to {when}", "已改约至 {when}"),
    "cancelled": ("cancelled", "已取消"),
    "full": ("{when} is full", "{when} 已约满"),
    "late": ("{when} has begun", "{when} 已开始，无法预约"),
    "unknown": ("there is no such booking", "没有这个预约"),
}
_DONE = ("booked", "changed", "cancelled")


@attrs.frozen(kw_only=True)
class Appointments:
    """
    How bookings are decided (CLINIC).

    Args:
        zone: IANA zone in which days and times are told.
        offers: How many free slots are offered where one is full.
        answer_within: How soon an online request is answered; 2 hours.
        policy: Id of the policy.
        version: Version of the policy.

    >>> nine = dt.datetime(2026, 11, 5, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
    >>> half = dt.timedelta(minutes=30)
    >>> def slot(name, start):
    ...     return Slot(slot_id=name, store_id="S1", starts_at=start,
    ...                 ends_at=start + half)
    >>> def wish(number, member):
    ...     return BookingEvent(event_id=f"E{number}", kind="book", slot_id="A",
    ...         booking_id=f"K{number}", at=nine - half, member_id=member)
    >>> book = AppointmentBook(slots=[slot("A", nine), slot("B", nine + half)])
    >>> first = Appointments().decide(book, wish(1, "M1"))
    >>> second = Appointments().decide(first.book, wish(2, "M2"))
    >>> first.decision.outcome, second.decision.outcome, second.offers[0].slot_id
    ('booked', 'full', 'B')
    >>> print(second.decision.explain("zh"))
    2026-11-05 09:00 已约满
    """

    zone: str = "Asia/Shanghai"
    offers: int = attrs.field(default=3, validator=whole_number)
    answer_within: dt.timedelta = dt.timedelta(hours=2)
    policy: str = attrs.field(default="appointments", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    def __attrs_post_init__(self) -> None:
        """Refuse a zone that does not exist, and what no office can offer."""
        zone_of(self.zone)
        if self.offers < 0:
            raise InvalidValueError(f"'offers' must be 0 or more, not {self.offers}")
        within: object = self.answer_within
        if not isinstance(within, dt.timedelta) or within <= dt.timedelta(0):
            raise InvalidValueError(
                "'answer_within' must be a timedelta above zero: timedelta(hours=2)"
            )

    def decide(self, book: AppointmentBook, event: BookingEvent) -> Booked:
        """
        Decide one event; again, it gets its first decision and changes nothing.

        Args:
            book: The book as it is.
            event: What is wanted.

        Returns:
            `Booked`, with the book after the event.

        Raises:
            InvalidValueError: The slot is not known, or an event id comes again with
                other contents (the differing fields are named).
        """
        return self._folded(book, (event,))

    def replay(self, book: AppointmentBook, events: Iterable[BookingEvent]) -> Booked:
        """
        Decide events in the order in which they were asked, ids breaking ties.

        Whatever order they arrive in, the same events give the same book: the last
        place goes to who asked first. The answer is that of the last event; those of
        the others stand in the book.

        Raises:
            InvalidValueError: There is no event; else as `decide`.
        """
        return self._folded(
            book, sorted(events, key=lambda each: (each.at, each.event_id))
        )

    def _folded(self, book: AppointmentBook, events: Iterable[BookingEvent]) -> Booked:
        state = _State.of(book)
        answer: tuple[Decision, tuple[Slot, ...], bool] | None = None
        for event in events:
            answer = self._step(state, event)
        if answer is None:
            raise InvalidValueError("there is no event to decide")
        decision, offers, notice = answer
        return Booked(
            book=state.close(), decision=decision, offers=offers, notice=notice
        )

    def _step(
        self, state: _State, event: BookingEvent
    ) -> tuple[Decision, tuple[Slot, ...], bool]:
        if event.event_id in state.decided:
            again = self._again(state, event)
            return again, self._offered(state, event, again.outcome), False
        outcome = self._outcome(state, event)
        decision = self._decision(state, event, outcome)
        if outcome in _DONE:
            state.release(event.booking_id)
        if event.slot_id is not None and outcome in ("booked", "changed"):
            state.held[event.booking_id] = (event.member_id, event.slot_id)
            state.taken[event.slot_id] += 1
        offers = self._offered(state, event, outcome)
        state.decided[event.event_id] = (event, decision)
        return decision, offers, outcome in _DONE

    def _offered(
        self, state: _State, event: BookingEvent, outcome: str
    ) -> tuple[Slot, ...]:
        """Return what is free instead, where the wanted place cannot be had."""
        if event.slot_id is None or outcome not in {"full", "late"}:
            return ()
        return self._offers(state, state.slot(event.slot_id), event.at)

    def next_free(
        self, book: AppointmentBook, *, like: Slot, at: dt.datetime
    ) -> tuple[Slot, ...]:
        """
        Return the next free slots of the same store and service, the nearest first.

        Args:
            book: The book.
            like: The slot that cannot be had.
            at: Slots that have begun by then are not offered.
        """
        return self._offers(_State.of(book), like, at)

    def _offers(self, state: _State, like: Slot, at: dt.datetime) -> tuple[Slot, ...]:
        free = [
            slot
            for slot in state.order
            if slot.store_id == like.store_id
            and slot.service == like.service
            and slot.starts_at > at
            and slot.slot_id != like.slot_id
            and state.free(slot.slot_id) > 0
        ]
        later = [slot for slot in free if slot.starts_at >= like.starts_at]
        sooner = [slot for slot in free if slot.starts_at < like.starts_at]
        return tuple([*later, *reversed(sooner)][: self.offers])

    def day_list(
        self, book: AppointmentBook, *, as_of: dt.date, days_ahead: int = 1
    ) -> pd.DataFrame:
        """
        List a coming day's appointments, which the staff get each evening (CLINIC).

        Args:
            book: The book.
            as_of: Today.
            days_ahead: Which day: 1 is tomorrow.

        Returns:
            One row a booking, by store and time: ``store_id``, ``starts_at`` (UTC),
            ``local_time`` (text), ``slot_id``, ``booking_id``, ``member_id``,
            ``service``.
        """
        day = check_as_of(as_of) + dt.timedelta(days=days_ahead)
        zone = ZoneInfo(self.zone)
        slots = {slot.slot_id: slot for slot in book.slots}
        rows = [
            (
                slots[slot_id].store_id,
                slots[slot_id].starts_at,
                slots[slot_id].starts_at.astimezone(zone).strftime("%H:%M"),
                slot_id,
                booking_id,
                member_id,
                slots[slot_id].service,
            )
            for booking_id, (member_id, slot_id) in book.held.items()
            if slots[slot_id].starts_at.astimezone(zone).date() == day
        ]
        names = ["store_id", "starts_at", "local_time", "slot_id", "booking_id",
                 "member_id", "service"]  # fmt: skip
        frame = pd.DataFrame(rows, columns=names)
        frame["starts_at"] = pd.to_datetime(frame["starts_at"], utc=True)
        order = ["store_id", "starts_at", "slot_id", "booking_id"]
        return frame.sort_values(order).reset_index(drop=True)

    @staticmethod
    def _again(state: _State, event: BookingEvent) -> Decision:
        before, decision = state.decided[event.event_id]
        if before != event:
            differing = [
                each.name
                for each in attrs.fields(BookingEvent)
                if getattr(before, each.name) != getattr(event, each.name)
            ]
            raise InvalidValueError(
                f"event {event.event_id!r} comes again with another "
                f"{', '.join(differing)}: an id is made once"
            )
        return decision

    @staticmethod
    def _outcome(state: _State, event: BookingEvent) -> str:
        held = state.held.get(event.booking_id)
        own = held is not None and held[0] == event.member_id
        if event.kind is BookingEventKind.CANCEL:
            return "cancelled" if own else "unknown"
        if event.kind is BookingEventKind.CHANGE and not own:
            return "unknown"
        if event.kind is BookingEventKind.BOOK and held is not None:
            raise InvalidValueError(
                f"booking {event.booking_id!r} is there already: change it, or give "
                "a new booking its own id"
            )
        slot = state.slot(str(event.slot_id))
        if slot.starts_at <= event.at:
            return "late"
        stays = held is not None and held[1] == slot.slot_id
        if not stays and state.free(slot.slot_id) < 1:
            return "full"
        return "changed" if event.kind is BookingEventKind.CHANGE else "booked"

    def _decision(self, state: _State, event: BookingEvent, outcome: str) -> Decision:
        zone = ZoneInfo(self.zone)
        when = ""
        if event.slot_id is not None and outcome != "unknown":
            start = state.slot(event.slot_id).starts_at
            when = start.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        english, chinese = _TEXTS[outcome]
        figures: tuple[tuple[str, str], ...] = ()
        if event.slot_id is not None and outcome != "unknown":
            slot = state.slot(event.slot_id)
            figures = (
                ("capacity", str(slot.capacity)),
                ("taken", str(state.taken[slot.slot_id])),
            )
        reason = Reason(
            rule=outcome,
            met=outcome in _DONE,
            text_en=english.format(when=when),
            text_zh=chinese.format(when=when),
            figures=figures,
        )
        return Decision(
            outcome=outcome,
            grounds=Statement(reasons=[reason]),
            policy=self.policy,
            version=self.version,
            as_of=event.at.astimezone(zone).date(),
        )
