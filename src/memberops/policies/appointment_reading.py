"""From a frame of appointments to the book of slots and bookings (CLINIC)."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from operator import itemgetter
from typing import Any

import pandas as pd

from memberops.domain import Finding
from memberops.domain.appointment import Slot
from memberops.errors import InvalidValueError
from memberops.policies.appointments import AppointmentBook
from memberops.policies.case_intake import instants_of, told
from memberops.policies.intake import taken
from memberops.policies.visit_intake import as_text
from memberops.tables import APPOINTMENTS

__all__ = ["read_appointments"]

_NEEDED = ["booking_id", "member_id", "store_id", "starts_at"]
_OPTIONAL = ["service", "ends_at", "capacity", "state", "booked_at", "cancelled_at"]
_TEXTS = ("booking_id", "member_id", "store_id", "service", "state")
_MOMENTS = ("starts_at", "ends_at", "booked_at", "cancelled_at")


def read_appointments(
    appointments: Any,
    *,
    as_of: dt.datetime,
    length: dt.timedelta = dt.timedelta(minutes=30),
) -> tuple[AppointmentBook, tuple[Finding, ...]]:
    """
    Make the book of appointments as it stood at a moment.

    Rows of one store, service and start share a slot; its id is made of the three.
    A booking that was cancelled by then holds no place, its slot stays in the book;
    one that was made later is not known yet.

    Args:
        appointments: See `memberops.tables.APPOINTMENTS`.
        as_of: The moment, with a zone.
        length: How long a slot is where the source gives no later end.

    Returns:
        The book, whatever the order of the rows; and what could not be used, counted.
        A slot holds what ``capacity`` says (the most, if rows differ), and at least
        what is booked in it.

    Raises:
        InvalidValueError: *as_of* has no zone, or *length* is not above zero.
        MissingColumnsError: A column is not there.
        ColumnTypeError: A moment without a zone, ids that are numbers.

    >>> frame = pd.DataFrame({"booking_id": ["A1"], "member_id": ["M1"],
    ...     "store_id": ["S1"], "capacity": [2],
    ...     "starts_at": pd.to_datetime(["2026-11-06T01:00Z"])})
    >>> at = dt.datetime(2026, 11, 5, tzinfo=dt.UTC)
    >>> book, _ = read_appointments(frame, as_of=at)
    >>> book.free(book.slots[0].slot_id)
    1
    """
    if as_of.utcoffset() is None:
        raise InvalidValueError("'as_of' must be a datetime with a zone")
    if length <= dt.timedelta(0):
        raise InvalidValueError("'length' must be above zero")
    given = taken(appointments, APPOINTMENTS, _NEEDED, _OPTIONAL)
    rows = pd.DataFrame({name: as_text(given, name) for name in _TEXTS})
    for name in _MOMENTS:
        rows[name] = instants_of(given, name)
    capacity = (
        given["capacity"] if "capacity" in given else pd.Series(pd.NA, rows.index)
    )
    number = pd.to_numeric(capacity, errors="coerce").astype("float64")
    usable = (number >= 0) & (number <= _MOST) & (number % 1 == 0)
    found = told(_CAPACITY, int((capacity.notna() & ~usable).sum()))
    rows["capacity"] = number.where(usable, 0).astype("int64").to_numpy()
    rows = rows[~(rows["booked_at"] > pd.Timestamp(as_of))]
    whole = (rows[["booking_id", "member_id", "store_id"]] != "").all(axis=1)
    whole &= rows["starts_at"].notna()
    found += told(_INCOMPLETE, int((~whole).sum()))
    gone = rows["cancelled_at"] <= pd.Timestamp(as_of)
    gone |= (rows["state"] == "cancelled") & rows["cancelled_at"].isna()
    # A booking that moved leaves its cancelled row: the one that stands holds.
    rows = rows.assign(live=~gone, _gone=gone)[whole]
    rows = rows.sort_values(["booking_id", "_gone", *_MOMENTS, *_TEXTS[1:]])
    twice = rows["booking_id"].duplicated()
    found += told(_TWICE, int(twice.sum()))
    rows = rows[~twice]
    backwards = rows["ends_at"] <= rows["starts_at"]
    found += told(_BACKWARDS, int(backwards.sum()))
    end = rows["ends_at"].where(~backwards & rows["ends_at"].notna())
    rows = rows.assign(ends_at=end.fillna(rows["starts_at"] + length))
    keys = ["store_id", "service", "starts_at"]
    rows = rows.sort_values([*keys, "booking_id"])
    slots: list[Slot] = []
    held: dict[str, tuple[str, str]] = {}
    crowded = 0
    columns = ["ends_at", "capacity", "live", "booking_id", "member_id"]
    listed = zip(*(rows[name].tolist() for name in [*keys, *columns]), strict=True)
    for (store, service, start), of_slot in groupby(listed, itemgetter(0, 1, 2)):
        bookings = list(of_slot)
        live = [(booking, member) for *_, is_live, booking, member in bookings
                if is_live]  # fmt: skip
        ends = max(row[3] for row in bookings)
        told_capacity = max(row[4] for row in bookings)
        crowded += 0 < told_capacity < len(live)
        begins = start.to_pydatetime()
        whole_minute = not (begins.second or begins.microsecond)
        unit = "minutes" if whole_minute else "auto"
        moment = begins.isoformat(timespec=unit).replace("+00:00", "Z")
        slot_id = " ".join(_part(part) for part in (store, service, moment) if part)
        slots.append(
            Slot(
                slot_id=slot_id,
                store_id=store,
                starts_at=begins,
                ends_at=ends.to_pydatetime(),
                capacity=max(told_capacity, len(live)),
                service=service or None,
            )
        )
        held |= {booking: (member, slot_id) for booking, member in live}
    found += told(_CROWDED, crowded)
    return AppointmentBook(slots=tuple(slots), held=held), tuple(found)


def _part(text: str) -> str:
    """Write a part of a slot's id so that a blank in it does not end it."""
    return text.replace("%", "%25").replace(" ", "%20")


_MOST = 2**31
_CAPACITY = (
    "appointments",
    "capacity-unread",
    "a capacity is no whole number of 0 or more: taken as not told",
    "时段容量不是非负整数，按未填处理",
)
_INCOMPLETE = (
    "appointments",
    "appointment-incomplete",
    "an appointment without id, member, store or time: left out",
    "预约缺少编号、会员、门店或时间，未采用",
)
_TWICE = (
    "appointments",
    "appointment-twice",
    "a booking is listed more than once: the earliest that is not cancelled holds",
    "同一预约出现多次，以未取消且时间最早的为准",
)
_BACKWARDS = (
    "appointments",
    "appointment-backwards",
    "an appointment ends before it starts: its usual length is taken",
    "预约结束早于开始，按通常时长计",
)
_CROWDED = (
    "appointments",
    "slot-overbooked",
    "a slot has more bookings than its capacity: all are kept",
    "时段预约数超出容量，均予保留",
)
