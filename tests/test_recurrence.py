"""Recurring days: anchored or relative, with the rule for missing days named."""

import datetime as dt
import json

import pytest
from dateutil.relativedelta import relativedelta
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from memberops.errors import ScheduleError
from memberops.schedules.recurrence import (
    AnchoredRecurrence,
    RelativeRecurrence,
    RestDays,
    shift_day,
)

DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2090, 12, 31))
UNITS = st.sampled_from(["days", "weeks", "months", "years"])
FREQUENCY = {"days": DAILY, "weeks": WEEKLY, "months": MONTHLY, "years": YEARLY}
WEEKEND = RestDays(weekdays=(6, 7))


@pytest.fixture(scope="module")
def cases(shared):
    """The peers' cases of cadence, by id."""
    known = json.loads((shared / "cases" / "peer_cases.json").read_text("utf-8"))
    listed = known["cases"] if isinstance(known, dict) else known
    return {case["id"]: case for case in listed if case["area"] == "cadence"}


@pytest.mark.parametrize(("name", "unit"), [("CAD-1", "months"), ("CAD-3", "years")])
def test_peer_cases_of_skipped_days(cases, name, unit):
    """Issues 1079 and 823: RFC 5545 skips what a month lacks, when it is asked to."""
    case = cases[name]
    series = AnchoredRecurrence(
        anchor=dt.date.fromisoformat(case["input"]["start"]),
        unit=unit,
        missing_day="skip",
    )

    found = [day.isoformat() for day in series.first(len(case["expect"]))]

    assert found == case["expect"]


def test_peer_case_of_a_cycle_that_is_overdue(cases):
    """CAD-5: overdue is for tomorrow; done today is D+2; never done is D+2."""
    case = cases["CAD-5"]
    today = dt.date(2026, 11, 5)
    cycle = RelativeRecurrence(
        every=case["input"]["every_days"], unit="days", overdue="tomorrow"
    )

    assert case["expect"] == "D+1"
    assert cycle.next_due(
        today - dt.timedelta(days=5), as_of=today
    ) == today + dt.timedelta(days=1)
    assert cycle.next_due(today, as_of=today) == today + dt.timedelta(days=2)
    assert cycle.next_due(None, as_of=today) == today + dt.timedelta(days=2)


@given(anchor=DAYS, every=st.integers(1, 14), unit=UNITS)
def test_skip_is_rfc_5545(anchor, every, unit):
    """T29: with "skip" the series is dateutil's rrule, day for day."""
    series = AnchoredRecurrence(
        anchor=anchor, every=every, unit=unit, missing_day="skip"
    )
    start = dt.datetime.combine(anchor, dt.time())
    end = anchor + dt.timedelta(days=3700)
    expected = rrule(
        FREQUENCY[unit],
        dtstart=start,
        interval=every,
        until=dt.datetime.combine(end, dt.time()),
    )

    assert series.between(anchor, end) == tuple(day.date() for day in expected)


@settings(max_examples=150)
@given(anchor=DAYS, every=st.integers(1, 14), unit=UNITS, number=st.integers(0, 40))
def test_clamp_counts_from_the_anchor(anchor, every, unit, number):
    """T23: the n-th day is anchor + n steps in one go, so the 31st never drifts."""
    series = AnchoredRecurrence(anchor=anchor, every=every, unit=unit)

    assert series.occurrence(number) == anchor + relativedelta(**{unit: every * number})


def test_t21_t22_29_february_never_raises():
    """T21, T22: yearly on 29 February clamps, skips or goes to 1 March, as named."""
    leap = dt.date(2024, 2, 29)

    def second(rule):
        return AnchoredRecurrence(anchor=leap, unit="years", missing_day=rule).first(2)[
            1
        ]

    assert second("clamp") == dt.date(2025, 2, 28)
    assert second("next_day") == dt.date(2025, 3, 1)
    assert second("skip") == dt.date(2028, 2, 29)


def test_yearly_29_february_is_found_over_1900():
    """From 29 February 1896 the next one is in 1904, for 1900 is no leap year."""
    series = AnchoredRecurrence(
        anchor=dt.date(1896, 2, 29), unit="years", missing_day="skip"
    )

    assert series.next_after(dt.date(1896, 2, 29)) == dt.date(1904, 2, 29)


def test_a_series_that_never_comes_again_ends():
    """Where no day is left the answer is an error, not an endless search."""
    series = AnchoredRecurrence(anchor=dt.date(9999, 12, 1), unit="months")

    with pytest.raises(ScheduleError):
        series.next_after(dt.date(9999, 12, 1))


def test_t31_every_two_weeks_across_week_53():
    """T31: every second week stays 14 days apart over the 53rd week of 2026."""
    series = AnchoredRecurrence(anchor=dt.date(2026, 12, 21), every=2, unit="weeks")

    assert series.first(3) == (
        dt.date(2026, 12, 21),
        dt.date(2027, 1, 4),
        dt.date(2027, 1, 18),
    )


@settings(max_examples=100)
@given(
    anchor=DAYS,
    every=st.integers(1, 9),
    unit=UNITS,
    day=DAYS,
    rule=st.sampled_from(["skip", "clamp", "next_day"]),
    rest=st.booleans(),
)
def test_next_after_is_the_first_of_between(anchor, every, unit, day, rule, rest):
    """The two ways to ask agree, with and without days of rest."""
    series = AnchoredRecurrence(
        anchor=anchor,
        every=every,
        unit=unit,
        missing_day=rule,
        working_days=WEEKEND if rest else None,
    )

    found = series.next_after(day)

    assert found > day
    assert series.between(day + dt.timedelta(days=1), found) == (found,)


def test_days_of_rest_shift_by_the_rule_named():
    """A Saturday goes to Monday, to Friday, to the nearer, or stays in its month."""
    saturday = dt.date(2026, 10, 31)
    monday, friday = dt.date(2026, 11, 2), dt.date(2026, 10, 30)

    assert shift_day(saturday, WEEKEND) == monday
    assert shift_day(saturday, WEEKEND, "previous") == friday
    assert shift_day(saturday, WEEKEND, "nearest") == friday
    assert shift_day(dt.date(2026, 11, 1), WEEKEND, "nearest") == monday
    assert shift_day(saturday, WEEKEND, same_month=True) == friday
    assert shift_day(saturday, WEEKEND, "none") == saturday
    assert (
        shift_day(dt.date(2026, 11, 1), WEEKEND, "previous", same_month=True) == monday
    )


def test_make_up_days_are_worked():
    """T40: a Saturday worked for a holiday is a working day."""
    rest = RestDays(weekdays=(6, 7), worked=[dt.date(2026, 2, 14)])

    assert shift_day(dt.date(2026, 2, 14), rest) == dt.date(2026, 2, 14)


def test_a_calendar_of_rest_ends_in_an_error():
    """T15: without any working day the search stops with a clear error."""
    never = RestDays(weekdays=range(1, 8))

    with pytest.raises(ScheduleError, match="rests for ever"):
        shift_day(dt.date(2026, 11, 5), never)


def test_a_late_visit_shifts_only_the_relative_series():
    """Anchored keeps its days; relative counts from the day it was done."""
    anchored = AnchoredRecurrence(anchor=dt.date(2026, 1, 1), every=30, unit="days")
    relative = RelativeRecurrence(every=30, unit="days")
    late = dt.date(2026, 2, 10)

    assert anchored.next_after(late) == dt.date(2026, 3, 2)
    assert relative.next_due(late, as_of=late) == dt.date(2026, 3, 12)


def test_wrong_use_names_the_fix():
    """Unknown words, moments, zero steps and what is done ahead are refused."""
    with pytest.raises(ScheduleError, match="did you mean 'clamp'"):
        AnchoredRecurrence(anchor=dt.date(2026, 1, 1), missing_day="clmap")
    with pytest.raises(ScheduleError, match="every"):
        AnchoredRecurrence(anchor=dt.date(2026, 1, 1), every=0)
    with pytest.raises(ScheduleError, match="without time"):
        AnchoredRecurrence(anchor=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    with pytest.raises(ScheduleError, match="lies after"):
        RelativeRecurrence().next_due(dt.date(2026, 2, 1), as_of=dt.date(2026, 1, 1))
    with pytest.raises(ScheduleError, match="weekdays count from 1"):
        RestDays(weekdays=(0,))
