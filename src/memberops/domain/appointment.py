"""Slots that can be booked, and what happened to bookings."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

import attrs

from memberops.domain.values import aware_instant, identifier, whole_number
from memberops.errors import InvalidValueError

__all__ = ["BookingEvent", "BookingEventKind", "Slot"]

_optional_id = attrs.validators.optional(identifier)


def _utc(value: Any) -> Any:
    """
    Bring an instant to UTC; the validator refuses what is none.

    Two times of one zone compare by the wall, which an hour that comes twice misleads.
    """
    if isinstance(value, dt.datetime) and value.utcoffset() is not None:
        return value.astimezone(dt.UTC)
    return value


@attrs.frozen(kw_only=True)
class Slot:
    """
    A time at a store that holds so many bookings (CLINIC).

    Args:
        slot_id: The slot.
        store_id: Where.
        starts_at: Aware instant, kept in UTC.
        ends_at: Aware instant, after *starts_at*, kept in UTC.
        capacity: How many bookings it holds: the staff of that time.
        service: What is given there, if slots differ.

    Raises:
        InvalidValueError: A naive instant, an end before the start, a capacity
            below zero.

    >>> from zoneinfo import ZoneInfo
    >>> nine = dt.datetime(2026, 11, 5, 9, tzinfo=ZoneInfo("Asia/Shanghai"))
    >>> Slot(slot_id="A", store_id="S1", starts_at=nine,
    ...      ends_at=nine + dt.timedelta(minutes=30), capacity=2).capacity
    2
    """

    slot_id: str = attrs.field(validator=identifier)
    store_id: str = attrs.field(validator=identifier)
    starts_at: dt.datetime = attrs.field(converter=_utc, validator=aware_instant)
    ends_at: dt.datetime = attrs.field(converter=_utc, validator=aware_instant)
    capacity: int = attrs.field(default=1, validator=whole_number)
    service: str | None = attrs.field(default=None, validator=_optional_id)

    @ends_at.validator
    def _check_order(self, _attribute: object, value: Any) -> None:
        if value <= self.starts_at:
            raise InvalidValueError("a slot ends after it starts")

    @capacity.validator
    def _check_capacity(self, _attribute: object, value: Any) -> None:
        if value < 0:
            raise InvalidValueError(f"'capacity' must not be below 0 (got {value})")


class BookingEventKind(StrEnum):
    """What can happen to a booking."""

    BOOK = "book"
    CHANGE = "change"
    CANCEL = "cancel"


@attrs.frozen(kw_only=True)
class BookingEvent:
    """
    One wish of a member: book a slot, change to another, or cancel.

    Args:
        event_id: Made once by whoever asks; the same id again is the same wish.
        kind: `BookingEventKind`.
        booking_id: The booking it is about.
        at: Aware instant at which it was asked, kept in UTC.
        member_id: Whose booking it is.
        slot_id: The slot wanted; None for a cancellation.

    Raises:
        InvalidValueError: A naive instant, or a slot that is missing or too many.
    """

    event_id: str = attrs.field(validator=identifier)
    kind: BookingEventKind = attrs.field(converter=BookingEventKind)
    booking_id: str = attrs.field(validator=identifier)
    at: dt.datetime = attrs.field(converter=_utc, validator=aware_instant)
    member_id: str = attrs.field(validator=identifier)
    slot_id: str | None = attrs.field(default=None, validator=_optional_id)

    @slot_id.validator
    def _check_slot(self, _attribute: object, value: Any) -> None:
        if (self.kind is BookingEventKind.CANCEL) != (value is None):
            raise InvalidValueError(
                "a booking and a change name a slot, a cancellation names none"
            )
