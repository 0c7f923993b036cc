"""Slots, bookings and the list for tomorrow (CLINIC)."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberops.domain.appointment import BookingEvent, Slot
from memberops.errors import InvalidValueError, ScheduleError
from memberops.policies.appointments import AppointmentBook, Appointments

ZONE = ZoneInfo("Asia/Shanghai")
NINE = dt.datetime(2026, 11, 6, 9, tzinfo=ZONE)
HALF = dt.timedelta(minutes=30)
DECIDE = Appointments()


def slot(name, number=0, capacity=1, store="S1", service=None):
    """Make the slot that begins so many half hours after nine."""
    start = NINE + number * HALF
    return Slot(slot_id=name, store_id=store, starts_at=start, ends_at=start + HALF,
                capacity=capacity, service=service)  # fmt: skip


def event(number, kind="book", slot_id="A", booking=None, member=None, minutes=0):
    """Make a wish of the day before."""
    return BookingEvent(
        event_id=f"E{number}",
        kind=kind,
        booking_id=booking or f"K{number}",
        at=NINE - dt.timedelta(days=1) + dt.timedelta(minutes=minutes),
        member_id=member or f"M{number}",
        slot_id=slot_id,
    )


BOOK = AppointmentBook(
    slots=[slot("B", 1), slot("A"), slot("C", 2), slot("X", 1, store="S2")]
)


def test_the_last_place_goes_to_one():
    """Two who want the last place never both get it; the other is offered the next."""
    first = DECIDE.decide(BOOK, event(1))
    second = DECIDE.decide(first.book, event(2))

    assert (first.decision.outcome, second.decision.outcome) == ("booked", "full")
    assert [each.slot_id for each in second.offers] == ["B", "C"]
    assert (dict(second.book.held), second.book.free("A")) == ({"K1": ("M1", "A")}, 0)
    assert (first.notice, second.notice) == (True, False)


def test_a_change_frees_the_old_place():
    """Who moves to another slot leaves a place for the next."""
    booked = DECIDE.decide(BOOK, event(1)).book
    moved = DECIDE.decide(booked, event(2, "change", "B", "K1", "M1"))

    assert moved.decision.outcome == "changed"
    assert DECIDE.decide(moved.book, event(3)).decision.outcome == "booked"


def test_a_change_to_a_full_slot_keeps_the_old_place():
    """A change that cannot be had loses nothing."""
    book = DECIDE.decide(DECIDE.decide(BOOK, event(1)).book, event(2, slot_id="B")).book
    refused = DECIDE.decide(book, event(3, "change", "B", "K1", "M1"))

    assert refused.decision.outcome == "full"
    assert refused.book.held["K1"] == ("M1", "A")


def test_a_change_to_the_slot_held_is_no_refusal():
    """Asking for the very slot one holds is granted though it is full."""
    book = DECIDE.decide(BOOK, event(1)).book
    same = DECIDE.decide(book, event(2, "change", "A", "K1", "M1"))

    assert (same.decision.outcome, same.book.free("A")) == ("changed", 0)


def test_a_cancellation_frees_the_place():
    """A cancelled booking holds nothing, and cannot be cancelled twice."""
    book = DECIDE.decide(BOOK, event(1)).book
    gone = DECIDE.decide(book, event(2, "cancel", None, "K1", "M1"))
    again = DECIDE.decide(gone.book, event(3, "cancel", None, "K1", "M1"))

    assert (gone.decision.outcome, gone.book.free("A")) == ("cancelled", 1)
    assert again.decision.outcome == "unknown"


def test_nobody_changes_another_s_booking():
    """A booking answers to its own member only, and tells nothing of it."""
    book = DECIDE.decide(BOOK, event(1)).book
    for kind, wanted in (("cancel", None), ("change", "B")):
        other = DECIDE.decide(book, event(2, kind, wanted, "K1", "M9"))

        assert other.decision.outcome == "unknown"
        assert dict(book.held) == dict(other.book.held)


def test_a_slot_that_has_begun_cannot_be_booked():
    """At the very start it is too late; later slots are offered."""
    late = DECIDE.decide(BOOK, event(1, minutes=24 * 60))

    assert (
        late.decision.outcome,
        [each.slot_id for each in late.offers],
    ) == ("late", ["B", "C"])


def test_the_same_event_twice_counts_once():
    """A wish that is sent again is answered as before and takes no second place."""
    book = AppointmentBook(slots=[slot("A", capacity=2)])
    once = DECIDE.decide(book, event(1))
    twice = DECIDE.decide(once.book, event(1))

    assert once.decision == twice.decision
    assert (twice.book.free("A"), twice.notice) == (1, False)


def test_an_event_id_with_other_contents_is_an_error_that_names_them():
    """An id is made once: other contents are refused by field name."""
    book = DECIDE.decide(BOOK, event(1)).book

    with pytest.raises(InvalidValueError, match="slot_id"):
        DECIDE.decide(book, event(1, slot_id="B"))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: DECIDE.decide(BOOK, event(1, slot_id="AA")), "did you mean 'A'"),
        (lambda: DECIDE.replay(BOOK, []), "no event"),
        (lambda: AppointmentBook(slots=[slot("A"), slot("A", 1)]), "two slots"),
        (lambda: event(1, slot_id=None), "name a slot"),
        (lambda: event(1, "cancel", "A"), "names none"),
        (lambda: slot("A", capacity=-1), "below 0"),
        (lambda: slot("A", capacity=1.5), "whole number"),
        (
            lambda: Slot(slot_id="A", store_id="S", starts_at=NINE, ends_at=NINE),
            "ends after",
        ),
        (
            lambda: Slot(slot_id="A", store_id="S", ends_at=NINE,
                         starts_at=NINE.replace(tzinfo=None)),
            "zone",
        ),
    ],
)  # fmt: skip
def test_bad_use_is_refused(make, says):
    """What cannot be is refused with the reason."""
    with pytest.raises(InvalidValueError, match=says):
        make()


def test_a_booking_id_is_used_once():
    """A new booking under the id of another is refused: it would hide the first."""
    book = DECIDE.decide(BOOK, event(1)).book

    with pytest.raises(InvalidValueError, match="there already"):
        DECIDE.decide(book, event(2, slot_id="B", booking="K1", member="M1"))


def test_offers_are_of_the_same_store_and_service():
    """Another store's slot, and another service's, are not offered."""
    book = AppointmentBook(
        slots=[
            slot("A", service="skin", capacity=0),
            slot("B", 1, service="hair"),
            slot("C", 2, service="skin", store="S2"),
            slot("D", 3, service="skin"),
        ]
    )

    offers = DECIDE.decide(book, event(1)).offers

    assert [each.slot_id for each in offers] == ["D"]


def test_tomorrow_s_list_goes_by_the_store_s_day():
    """The list holds the local day's bookings, by store and time."""
    book = DECIDE.replay(
        BOOK, [event(1, slot_id="B"), event(2, slot_id="A"), event(3, slot_id="X")]
    ).book

    listed = DECIDE.day_list(book, as_of=dt.date(2026, 11, 5))

    assert [
        tuple(row)
        for row in listed[["store_id", "local_time", "member_id"]].itertuples(
            index=False
        )
    ] == [("S1", "09:00", "M2"), ("S1", "09:30", "M1"), ("S2", "09:30", "M3")]
    assert DECIDE.day_list(book, as_of=dt.date(2026, 11, 6)).empty


events = st.lists(
    st.builds(
        lambda number, kind, name, booking, member, minutes: (
            number, kind, None if kind == "cancel" else name, f"K{booking}",
            f"M{member}", minutes,
        ),
        st.integers(0, 20),
        st.sampled_from(["book", "book", "change", "cancel"]),
        st.sampled_from(["A", "B", "C"]),
        st.integers(0, 6),
        st.integers(0, 3),
        st.integers(0, 100),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda each: each[0],
)  # fmt: skip


@given(rows=events, capacities=st.tuples(*[st.integers(0, 2)] * 3))
def test_no_slot_is_ever_overbooked(rows, capacities):
    """After any events in any order no slot holds more than its capacity."""
    book = AppointmentBook(
        slots=[
            slot(name, n, c)
            for n, (name, c) in enumerate(zip("ABC", capacities, strict=True))
        ]
    )
    wanted = {}
    for row in rows:
        # A booking id is made once: a second booking of it would be bad use.
        if row[1] != "book" or row[3] not in wanted:
            wanted.setdefault(row[3] if row[1] == "book" else row[0], event(*row))
    given_ = list(wanted.values())

    results = [DECIDE.replay(book, order).book for order in
               itertools.islice(itertools.permutations(given_), 6)]  # fmt: skip

    for result in results:
        assert dict(results[0].held) == dict(result.held)
        for name, capacity in zip("ABC", capacities, strict=True):
            held = sum(place == name for _, place in result.held.values())
            assert held <= capacity
            assert capacity - held == result.free(name)
        assert {each.event_id for each in given_} == set(result.decided)


@pytest.mark.parametrize(
    "wrong",
    [{"zone": "Nowhere/X"}, {"offers": "3"}, {"offers": -1}, {"answer_within": 5},
     {"answer_within": -HALF}],
)  # fmt: skip
def test_a_policy_that_can_never_work_is_refused(wrong):
    """A zone, a number of offers or a time to answer that is none."""
    with pytest.raises((InvalidValueError, ScheduleError)):
        Appointments(**wrong)
