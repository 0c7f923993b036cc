"""Bugs of other systems, each with a test named after it; the rest stand by topic."""

import datetime as dt
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberops.domain import Card, CaseEvent, Complaint
from memberops.policies import Renewal, ServiceLevels, Term
from memberops.schedules import AnchoredRecurrence, WorkingCalendar, wall_moment

DAY = dt.timedelta(days=1)
# A week before the clocks change in spring and in autumn.
CHANGES = [
    ("Europe/Berlin", dt.date(2026, 3, 22)),
    ("Europe/Berlin", dt.date(2026, 10, 18)),
    ("America/New_York", dt.date(2026, 3, 1)),
    ("America/Sao_Paulo", dt.date(2018, 10, 28)),
]


@pytest.mark.parametrize("early", [0, 1, 40, 364])
def test_t25_an_early_renewal_keeps_the_days_left(early):
    """Renewed days before the end, a card still ends a whole year after that end."""
    card = Card(
        card_id="C1",
        member_id="M1",
        valid_from=dt.date(2026, 3, 1),
        valid_through=dt.date(2027, 2, 28),
    )
    renewed = Renewal(term=Term(count=12)).renew(
        card, as_of=card.valid_through - early * DAY
    )

    assert renewed.term.start == dt.date(2027, 3, 1)
    assert renewed.term.through == dt.date(2028, 2, 29)
    assert renewed.card.valid_from == card.valid_from
    assert renewed.card.valid_through == dt.date(2028, 2, 29)


def test_t29_a_month_without_the_31st_does_not_lose_the_next():
    """Skipping passes over February only, and clamping leaves no month out."""
    anchor = dt.date(2026, 1, 31)
    skip = AnchoredRecurrence(anchor=anchor, unit="months", missing_day="skip")
    clamp = AnchoredRecurrence(anchor=anchor, unit="months", missing_day="clamp")

    assert [day.month for day in skip.first(7)] == [1, 3, 5, 7, 8, 10, 12]
    assert [day.month for day in clamp.first(12)] == list(range(1, 13))


@pytest.mark.parametrize(("zone", "first"), CHANGES)
@pytest.mark.parametrize("clock", [dt.time(0, 30), dt.time(12), dt.time(23, 30)])
def test_t30_a_weekly_event_keeps_its_day_and_its_time_over_a_clock_change(
    zone, first, clock
):
    """At half past midnight too: the same weekday and wall time, week after week."""
    open_ = WorkingCalendar.around_the_clock(zone)
    start = wall_moment(first, clock, zone)
    days = AnchoredRecurrence(anchor=first, unit="weeks").first(4)

    assert {day.weekday() for day in days} == {first.weekday()}
    for number, day in enumerate(days):
        local = open_.add_days(start, 7 * number, same_time=True).local
        assert local.date() == day
        skipped = local.astimezone(dt.UTC) != wall_moment(day, clock, zone)
        assert not skipped
        if zone != "America/Sao_Paulo" or clock != dt.time(0, 30):
            assert local.time() == clock


def test_t39_moments_within_one_second_are_not_cut_to_it():
    """A wait of 0.7 seconds and a reply a microsecond late are just that, in frames."""
    received = dt.datetime(2026, 11, 5, 1, 0, 0, 100_000, tzinfo=dt.UTC)
    waited, answered = (
        received.replace(microsecond=each) for each in (200_000, 900_000)
    )
    late = received + dt.timedelta(hours=24, microseconds=1)
    rows = [
        ("waiting_for_customer", waited),
        ("customer_answered", answered),
        ("replied", late),
    ]
    levels = ServiceLevels(pausing=("solution",))
    case = Complaint(
        case_id="K1",
        received_at=received,
        events=[CaseEvent(kind=kind, at=at) for kind, at in rows],
    )
    answer = levels.decide(case, as_of=late)
    frame = levels.frame(
        pd.DataFrame({"case_id": ["K1"], "received_at": [received]}),
        pd.DataFrame(rows, columns=["kind", "at"]).assign(case_id="K1"),
        as_of=late,
    ).clocks.set_index("clock")

    assert answer["solution"].paused == dt.timedelta(microseconds=700_000)
    assert frame.loc["solution", "paused"] == answer["solution"].paused
    assert answer["reply"].state == frame.loc["reply", "state"] == "met_late"
    assert frame.loc["reply", "overdue"] == dt.timedelta(microseconds=1)


@given(
    st.one_of(
        st.dates(dt.date(2015, 1, 1), dt.date(2030, 12, 31)),
        st.sampled_from([dt.date(2024, 2, 29), dt.date(2023, 1, 31)]),
    ),
    st.integers(2, 40),
)
def test_p4_expiry_days_increase_keep_their_anchor_and_skip_no_month(first, times):
    """Monthly terms: each end lies in the month after the one before, at its anchor."""
    term = Term(count=1)
    policy = Renewal(term=term)
    held = Card(
        card_id="C1", member_id="M1", valid_from=first, valid_through=term.end(first)
    )
    begun = first
    for _ in range(times):
        answer = policy.renew(held, as_of=held.valid_through)
        renewed, again = answer.card, answer.term.start
        assert renewed.valid_through > held.valid_through
        assert renewed.anchor == first
        months = 12 * (again.year - begun.year) + again.month - begun.month
        assert months == 1
        last = (again.replace(day=28) + 4 * DAY).replace(day=1) - DAY
        assert again.day == min(first.day, last.day)
        held, begun = renewed, again


def test_t38_a_moment_of_another_zone_is_the_same_moment():
    """Told in Shanghai, in Berlin or in UTC, a receipt has one due time."""
    received = dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)
    found = {
        ServiceLevels()
        .decide(
            Complaint(case_id="K1", received_at=received.astimezone(ZoneInfo(zone))),
            as_of=received,
        )["reply"]
        .due_at
        for zone in ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/St_Johns")
    }

    assert found == {received + DAY}
