"""Promises of calendar arithmetic: anchors, month ends, 29 February, lapse, age."""

import csv
import datetime as dt
import gzip

import numpy as np
import pandas as pd
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import assume, given
from hypothesis import strategies as st

from memberops.errors import ScheduleError
from memberops.schedules import (
    add_days,
    add_months,
    add_years,
    completed_years,
    is_month_end,
    lapse_cutoff,
    month_end,
)
from memberops.schedules.dates import month_length

DAY = dt.timedelta(days=1)
dates = st.dates(dt.date(1900, 1, 1), dt.date(2200, 12, 31))
LEAP_BIRTH = dt.date(2000, 2, 29)
MOMENT = dt.datetime(2026, 11, 5, 14, 3, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def reference(shared):
    """The 3,653 days whose arithmetic another engine computed."""
    path = shared / "reference" / "dates" / "date_arithmetic.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [
            {name: dt.date.fromisoformat(text) for name, text in row.items()}
            for row in csv.DictReader(lines)
        ]


@pytest.mark.parametrize(
    ("column", "ours"),
    [
        ("m1", lambda day: add_months(day, 1)),
        ("m3", lambda day: add_months(day, 3)),
        ("m_minus3", lambda day: add_months(day, -3)),
        ("y1", lambda day: add_years(day, 1)),
        ("y2", lambda day: add_years(day, 2)),
        ("y3", lambda day: add_years(day, 3)),
        ("y1_minus_1d", lambda day: add_days(add_years(day, 1), -1)),
        ("y2_minus_1d", lambda day: add_days(add_years(day, 2), -1)),
        ("month_end", month_end),
    ],
)
def test_every_reference_day_agrees(reference, column, ours):
    """All 3,653 days of the independent reference agree, with no exception."""
    assert len(reference) == 3653

    differ = [
        (row["d"], ours(row["d"])) for row in reference if ours(row["d"]) != row[column]
    ]

    assert differ == []


@given(dates, st.integers(-1200, 1200))
def test_months_agree_with_dateutil(day, months):
    """Our plain arithmetic gives what dateutil's general class gives."""
    assert add_months(day, months) == day + relativedelta(months=months)


@given(dates, st.integers(-100, 100))
def test_years_agree_with_dateutil(day, years):
    """The default rule for 29 February is dateutil's: 28 February (HQ §4.2)."""
    assert add_years(day, years) == day + relativedelta(years=years)


@given(dates, st.integers(-100, 100))
def test_next_day_differs_only_on_29_february_of_common_years(day, years):
    """The other rule gives 1 March where the 29th is missing, and nothing else."""
    clamped = add_years(day, years)
    missing = (day.month, day.day) == (2, 29) and month_length(clamped.year, 2) == 28

    assert add_years(day, years, leap_day="next_day") == clamped + DAY * missing


@given(dates)
def test_month_end_is_the_day_before_another_month(day):
    """A month's end lies in the month, and the next day does not."""
    end = month_end(day)

    assert (end.year, end.month) == (day.year, day.month)
    assert (end + DAY).day == 1
    assert is_month_end(day) == ((day + DAY).day == 1)


@given(dates, st.integers(0, 48))
def test_month_ends_clamp_and_never_overflow(day, months):
    """A result lies in the month aimed at, on the anchor's day or the month's last."""
    result = add_months(day, months)

    aimed = day.year * 12 + day.month - 1 + months
    assert (result.year, result.month) == (aimed // 12, aimed % 12 + 1)
    assert result.day == day.day or (result.day < day.day and is_month_end(result))


def test_t21_moving_the_year_of_29_february_never_raises():
    """T21: replace(year=...) raises on 29 February; add_years does not."""
    with pytest.raises(ValueError, match="day"):
        LEAP_BIRTH.replace(year=2001)

    assert add_years(LEAP_BIRTH, 1) == dt.date(2001, 2, 28)
    assert add_years(LEAP_BIRTH, 4) == dt.date(2004, 2, 29)
    assert add_years(LEAP_BIRTH, -100) == dt.date(1900, 2, 28)


def test_t23_chained_steps_drift_and_anchored_steps_do_not():
    """T23: from 31 January, steps from the anchor give 28, 31, 30, 31."""
    anchor = dt.date(2023, 1, 31)
    chained = anchor
    chain = [(chained := add_months(chained, 1)).day for _ in range(4)]

    assert chain == [28, 28, 28, 28]
    assert [add_months(anchor, n).day for n in (1, 2, 3, 4)] == [28, 31, 30, 31]


def test_t27_a_year_is_not_365_days():
    """T27: 365 days from 1 March 2023 end on 29 February 2024, a year does not."""
    start = dt.date(2023, 3, 1)

    assert add_days(start, 365) == dt.date(2024, 2, 29)
    assert add_years(start, 1) == dt.date(2024, 3, 1)


@pytest.mark.parametrize(
    "day", [dt.date(2024, 2, 29), dt.date(2026, 12, 31), dt.date(2026, 1, 1)]
)
def test_t28_every_function_answers_on_the_awkward_days(day):
    """T28: asked on 29 February, 31 December and 1 January, a year leads back."""
    assert add_years(add_years(day, 4), -4) == day
    assert completed_years(day, add_years(day, 1)) == 1
    assert lapse_cutoff(day, 0) == day
    assert lapse_cutoff(day, 12) == month_end(add_years(day, -1)) or day.day == 1


@given(dates, st.integers(0, 36))
def test_lapse_cutoff_is_the_latest_day_that_has_lapsed(day, months):
    """Brute force: a day lies on or before the cutoff exactly when it has lapsed."""
    cutoff = lapse_cutoff(day, months)

    around = [cutoff + DAY * offset for offset in range(-40, 41)]
    lapsed = [last for last in around if add_months(last, months) <= day]
    assert lapsed == [last for last in around if last <= cutoff]


def test_lapse_cutoff_over_every_day_of_five_years():
    """Every day of five years, against every last purchase near it, unsampled."""
    first = dt.date(2023, 1, 1)
    days = [first + DAY * n for n in range(5 * 365)]
    after = {day: add_months(day, 3) for day in (first - DAY * n for n in range(120))}
    after |= {day: add_months(day, 3) for day in days}

    for day in days:
        nearby = [day - DAY * n for n in range(85, 97)]
        expected = max(last for last in nearby if after[last] <= day)
        assert lapse_cutoff(day, 3) == expected


def test_lapse_at_month_ends_means_whole_calendar_months():
    """At a month's end lapse means no purchase in the last three calendar months."""
    ends = [month_end(dt.date(2026, month, 1)) for month in range(1, 13)]

    expected = [
        *("2025-10-31", "2025-11-30", "2025-12-31", "2026-01-31", "2026-02-28"),
        *("2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30", "2026-07-31"),
        *("2026-08-31", "2026-09-30"),
    ]
    assert [lapse_cutoff(end, 3).isoformat() for end in ends] == expected


@pytest.mark.parametrize(
    ("on", "clamp", "next_day"),
    [
        ("2000-02-29", 0, 0),
        ("2001-02-27", 0, 0),
        ("2001-02-28", 1, 0),
        ("2001-03-01", 1, 1),
        ("2004-02-28", 3, 3),
        ("2004-02-29", 4, 4),
    ],
)
def test_a_year_of_life_completes_by_the_stated_rule(on, clamp, next_day):
    """Born on 29 February: a year older on 28 February, or on 1 March by choice."""
    day = dt.date.fromisoformat(on)

    assert completed_years(LEAP_BIRTH, day) == clamp
    assert completed_years(LEAP_BIRTH, day, leap_day="next_day") == next_day


@given(dates, dates, st.sampled_from(["clamp", "next_day"]))
def test_completed_years_is_the_last_anniversary_reached(birth, on, leap_day):
    """The n-th anniversary has been reached and the next one has not."""
    assume(birth <= on)

    years = completed_years(birth, on, leap_day=leap_day)

    assert add_years(birth, years, leap_day=leap_day) <= on
    assert on < add_years(birth, years + 1, leap_day=leap_day)


def test_an_error_about_age_never_shows_the_birth_date():
    """A birth date is personal: the errors name what is wrong, not the day."""
    birth = dt.date(1987, 6, 5)

    with pytest.raises(ScheduleError) as too_early:
        completed_years(birth, dt.date(1980, 1, 1))
    with pytest.raises(ScheduleError) as moment:
        completed_years(pd.Timestamp(birth), dt.date(2026, 1, 1))

    assert "1987" not in f"{too_early.value} {moment.value}"


MOMENT_CALLS = {
    "add_days": lambda: add_days(MOMENT, 1),
    "add_months": lambda: add_months(MOMENT, 1),
    "add_years": lambda: add_years(MOMENT, 1),
    "month_end": lambda: month_end(MOMENT),
    "is_month_end": lambda: is_month_end(MOMENT),
    "lapse_cutoff": lambda: lapse_cutoff(MOMENT, 3),
    "completed_years": lambda: completed_years(dt.date(2000, 1, 1), MOMENT),
    "timestamp": lambda: add_months(pd.Timestamp("2026-11-05"), 1),
    "missing": lambda: add_months(pd.NaT, 1),
}


@pytest.mark.parametrize("call", MOMENT_CALLS.values(), ids=MOMENT_CALLS)
def test_a_moment_is_refused_with_the_way_to_a_day(call):
    """A datetime has no day without its zone: the error says how to get one."""
    with pytest.raises(ScheduleError, match=r"astimezone\(zone\)\.date\(\)"):
        call()


NEW_YEAR = dt.date(2026, 1, 1)
WRONG_USE = {
    "text": (lambda: add_months("2026-11-05", 1), "fromisoformat"),
    "float": (lambda: add_months(NEW_YEAR, 1.0), "whole number, not a float"),
    "bool": (lambda: add_months(NEW_YEAR, months=True), "whole number, not a bool"),
    "far": (lambda: add_months(NEW_YEAR, 96_000), "years 1 to 9999"),
    "early": (lambda: add_months(dt.date(1, 1, 1), -1), "years 1 to 9999"),
    "last": (lambda: add_days(dt.date.max, 1), "years 1 to 9999"),
    "huge": (lambda: add_days(dt.date.max, 10**20), "years 1 to 9999"),
    "negative": (lambda: lapse_cutoff(NEW_YEAR, -1), "0 or more"),
    "rule": (
        lambda: add_years(NEW_YEAR, 1, leap_day="nextday"),
        "did you mean 'next_day'",
    ),
    "rule-unused": (
        lambda: completed_years(NEW_YEAR, NEW_YEAR, leap_day="nextday"),
        "did you mean 'next_day'",
    ),
}


@pytest.mark.parametrize(("call", "message"), WRONG_USE.values(), ids=WRONG_USE)
def test_wrong_use_says_what_to_do(call, message):
    """Text, fractions, bools, far years and misspelt rules are refused by name."""
    with pytest.raises(ScheduleError, match=message):
        call()


def test_integers_of_numpy_are_numbers_too():
    """A count that comes out of a frame needs no conversion."""
    assert add_months(dt.date(2026, 1, 31), np.int64(1)) == dt.date(2026, 2, 28)
