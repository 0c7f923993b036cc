"""Promises of business days in columns: each row is the single answer."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberops.errors import ColumnTypeError, ScheduleError
from memberops.schedules import (
    WorkingCalendar,
    add_days_many,
    due_days_frame,
)
from test_working_time import draw_case, draw_pauses, micros

SECOND = dt.timedelta(seconds=1)
MISSING = np.iinfo(np.int64).min
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
seconds = st.integers(0, 12 * 86_400)
OFFICE = WorkingCalendar.weekly(
    "Asia/Shanghai",
    dict.fromkeys(WEEK[:5], ("09:00-12:00", "13:30-18:00")),
    known_from=dt.date(2026, 1, 1),
    known_until=dt.date(2026, 12, 31),
)


def at(words):
    """Read a time on the wall of Shanghai."""
    return dt.datetime.fromisoformat(words).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


@given(
    st.integers(0, 2**32),
    st.lists(seconds, min_size=1, max_size=6),
    st.integers(-9, 9),
    st.booleans(),
)
def test_columns_of_business_days_are_the_days_one_by_one(seed, drawn, days, ends):
    """Scalar equals column: nights, clock changes, holidays, pauses, back and forth."""
    calendar, ticking, draw = draw_case(seed)
    if calendar is None or not any(calendar.week):
        return
    how = {"end_of_day": True} if ends else {"same_time": True}
    starts = [ticking.base + each * SECOND for each in drawn]
    pauses = [draw_pauses(draw, start) if days >= 0 else [] for start in starts]
    rows = [(n, *each) for n, found in enumerate(pauses) for each in found]
    columns = (
        np.array([row[0] for row in rows], dtype=np.int64),
        micros(row[1] for row in rows),
        micros(row[2] for row in rows),
    )
    found = add_days_many(calendar, micros(starts), days, pauses=columns, **how)

    assert (
        found.tolist()
        == micros(
            calendar.add_days(start, days, pauses=own, **how).at
            for start, own in zip(starts, pauses, strict=True)
        ).tolist()
    )


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut"])
def test_every_hour_of_a_year_keeps_its_wall_time_over_clock_changes(zone):
    """Two business days later, in a store open at night too, for 8 760 hours."""
    night = WorkingCalendar.weekly(
        zone, dict.fromkeys(WEEK, ("00:00-02:45", "03:15-12:00", "21:00-24:00"))
    )
    first = int(dt.datetime(2018, 1, 1, tzinfo=dt.UTC).timestamp()) * 1_000_000
    starts = first + np.arange(8_760, dtype=np.int64) * 3_600_000_000
    found = add_days_many(night, starts, 2, same_time=True)
    picked = range(0, 8_760, 7)

    assert [int(found[each]) for each in picked] == micros(
        night.add_days(
            dt.datetime.fromtimestamp(starts[each] / 1_000_000, dt.UTC),
            2,
            same_time=True,
        ).at
        for each in picked
    ).tolist()


def test_missing_moments_stay_missing_and_the_frame_marks_what_is_not_published():
    """The flag is that of the single answer, in pandas and polars."""
    starts = pd.Series([at("2026-11-20 10:00"), pd.NaT, at("2026-12-31 10:00")])
    starts = pd.to_datetime(starts, utc=True)
    frame = due_days_frame(OFFICE, starts, 1, end_of_day=True)

    assert frame["due"].iloc[0] == at("2026-11-23 18:00")
    assert pd.isna(frame["due"].iloc[1])
    assert frame["due"].iloc[2] == at("2027-01-01 18:00")
    assert frame["provisional"].tolist() == [False, False, True]
    other = due_days_frame(OFFICE, pl.from_pandas(starts), 1, end_of_day=True)
    assert other["provisional"].to_list() == [False, False, True]
    back = due_days_frame(OFFICE, starts.iloc[[0]], -300, same_time=True)
    assert back["provisional"].tolist() == [True]


@pytest.mark.parametrize("days", [5, -5])
def test_days_beyond_the_dated_shifts_are_refused_as_for_one(days):
    """The error of a column is the error of the row that lacks the days."""
    dated = WorkingCalendar.weekly(
        "UTC",
        {},
        special={"2026-11-20": ["09:00-18:00"], "2026-11-21": ["10:00-12:00"]},
    )
    noon = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)

    with pytest.raises(ScheduleError, match="business days from there"):
        dated.add_days(noon, days, end_of_day=True)
    with pytest.raises(ScheduleError, match="business days from there"):
        add_days_many(dated, micros([noon]), days, end_of_day=True)
    near = add_days_many(dated, micros([noon]), 1, end_of_day=True)
    assert (
        near.tolist() == micros([dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)]).tolist()
    )


def test_far_apart_business_days_are_found():
    """A store open one day a year, asked for the thirtieth."""
    day = {f"{year}-06-01": ["10:00-12:00"] for year in range(2000, 2040)}
    yearly = WorkingCalendar.weekly("UTC", {}, special=day)
    noon = dt.datetime(2000, 6, 1, 11, tzinfo=dt.UTC)

    assert (
        add_days_many(yearly, micros([noon]), 30, same_time=True).tolist()
        == micros([dt.datetime(2030, 6, 1, 11, tzinfo=dt.UTC)]).tolist()
    )


def test_wrong_use_of_business_days_is_refused():
    """Both or none of the two ways, pauses going back, no zone, another type."""
    one = micros([at("2026-11-20 10:00")])
    pause = (np.array([0]), one, one + 1)

    with pytest.raises(ScheduleError, match="how the day ends"):
        add_days_many(OFFICE, one, 1)
    with pytest.raises(ScheduleError, match="0 or more business days"):
        add_days_many(OFFICE, one, -1, same_time=True, pauses=pause)
    with pytest.raises(ScheduleError, match="int64"):
        add_days_many(OFFICE, one.astype(float), 1, same_time=True)
    with pytest.raises(ColumnTypeError, match="zone"):
        due_days_frame(
            OFFICE, pd.Series(pd.to_datetime(["2026-11-20"])), 1, same_time=True
        )
    assert add_days_many(OFFICE, one[:0], 1, same_time=True).tolist() == []
    gone = np.array([MISSING])
    assert add_days_many(OFFICE, gone, 1, same_time=True).tolist() == [MISSING]
