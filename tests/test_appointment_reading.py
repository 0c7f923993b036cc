"""The table of appointments becomes the book that bookings are decided in."""

import datetime as dt

import pandas as pd
import pytest

from memberops.domain.appointment import BookingEvent
from memberops.errors import InvalidValueError
from memberops.policies import Appointments, read_appointments

AS_OF = dt.datetime(2026, 11, 5, 12, tzinfo=dt.UTC)
NINE = "2026-11-06T01:00Z"


def bookings(*rows):
    """A frame: id, member, start, state, booked and cancelled moments, capacity."""
    names = ["booking_id", "member_id", "starts_at", "state", "booked_at",
             "cancelled_at", "capacity"]  # fmt: skip
    frame = pd.DataFrame(rows, columns=names).assign(store_id="S1", service="体检")
    for name in ("starts_at", "booked_at", "cancelled_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame.astype({"capacity": "Int64"})


FRAME = bookings(
    ("A1", "M1", NINE, "booked", None, None, 2),
    ("A2", "M2", NINE, "cancelled", None, None, None),
    ("A3", "M3", NINE, "cancelled", None, "2026-11-05T13:00Z", None),
    ("A4", "M4", NINE, "booked", "2026-11-05T12:30Z", None, None),
    ("A5", "M5", None, "booked", None, None, None),
    ("A6", "M6", "2026-11-07T01:00Z", "cancelled", None, "2026-11-01T01:00Z", 1),
)


def test_the_book_is_as_it_stood_at_the_moment():
    """What was cancelled by then is free; what came later is not known yet."""
    book, findings = read_appointments(FRAME, as_of=AS_OF)
    assert {key: member for key, (member, _) in book.held.items()} == {
        "A1": "M1", "A3": "M3",
    }  # fmt: skip
    assert [(slot.capacity, book.free(slot.slot_id)) for slot in book.slots] == [
        (2, 0), (1, 1),
    ]  # fmt: skip
    assert [(f.rule, f.count) for f in findings] == [("appointment-incomplete", 1)]
    later, _ = read_appointments(FRAME, as_of=AS_OF + dt.timedelta(hours=2))
    assert set(later.held) == {"A1", "A4"}
    turned, _ = read_appointments(FRAME.iloc[::-1], as_of=AS_OF)
    assert (turned.slots, dict(turned.held)) == (book.slots, dict(book.held))


def test_bookings_are_decided_in_the_book():
    """A full slot of the table offers the next free one of the table."""
    book, _ = read_appointments(FRAME, as_of=AS_OF)
    answer = Appointments().decide(
        book,
        BookingEvent(event_id="E1", kind="book", booking_id="B1", at=AS_OF,
                     member_id="M9", slot_id=book.slots[0].slot_id),
    )  # fmt: skip
    assert answer.decision.outcome == "full"
    assert answer.offers == (book.slots[1],)


def test_rows_that_contradict_themselves_are_told():
    """An end before the start, a booking twice, a slot too full: each is counted."""
    frame = bookings(
        ("A1", "M1", NINE, "booked", None, None, 1),
        ("A1", "M1", "2026-11-06T02:00Z", "booked", None, None, 1),
        ("A2", "M2", NINE, "booked", None, None, 1),
    ).assign(ends_at=pd.Timestamp("2026-11-06T00:00Z"))
    book, findings = read_appointments(frame, as_of=AS_OF)
    assert {f.rule: f.count for f in findings} == {
        "appointment-twice": 1, "appointment-backwards": 2, "slot-overbooked": 1,
    }  # fmt: skip
    (slot,) = book.slots
    assert slot.ends_at - slot.starts_at == dt.timedelta(minutes=30)
    assert slot.capacity == 2


def test_a_naive_moment_is_refused():
    """The book stands at a moment, which has a zone."""
    with pytest.raises(InvalidValueError):
        read_appointments(FRAME, as_of=AS_OF.replace(tzinfo=None))


def test_odd_rows_are_findings_and_stop_nothing():
    """Half a minute apart, a blank in an id, a capacity that is no number."""
    frame = pd.DataFrame(
        {"booking_id": ["A1", "A2", "A3", "A4"], "member_id": "M1",
         "store_id": ["S1", "S1", "S 1", "S"], "service": [None, None, None, "1"],
         "starts_at": pd.to_datetime([NINE, "2026-11-06T01:00:30Z", NINE, NINE],
                                     utc=True, format="ISO8601"),
         "capacity": ["x", "1.5", "inf", "2"]}
    )  # fmt: skip
    book, findings = read_appointments(frame, as_of=AS_OF)
    assert len(book.slots) == len(book.held) == 4
    assert [(f.rule, f.count) for f in findings] == [("capacity-unread", 3)]


def test_a_booking_that_moved_holds_its_new_time():
    """The cancelled row of a booking does not hide the one that stands."""
    frame = bookings(
        ("A1", "M1", "2026-11-05T01:00Z", "cancelled", None, None, 1),
        ("A1", "M1", NINE, "booked", None, None, 1),
    )
    book, findings = read_appointments(frame, as_of=AS_OF)
    assert [book.held["A1"][0], len(book.held)] == ["M1", 1]
    assert book.slots[-1].starts_at == dt.datetime(2026, 11, 6, 1, tzinfo=dt.UTC)
    assert [f.rule for f in findings] == ["appointment-twice"]
