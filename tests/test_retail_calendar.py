"""Promises of the retail calendar: the NRF's by default, a policy in every part."""

import datetime as dt
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberops.errors import ScheduleError
from memberops.schedules import Period, RetailCalendar

DAY = dt.timedelta(days=1)
NRF = RetailCalendar()
years = st.integers(1950, 2150)
dates = st.dates(dt.date(1950, 1, 1), dt.date(2150, 12, 31))
WEEKDAYS = [
    *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
]
calendars = st.builds(
    RetailCalendar,
    pattern=st.sampled_from([(4, 5, 4), (4, 4, 5), (5, 4, 4)]),
    week_starts_on=st.sampled_from(WEEKDAYS),
    year_end_month=st.integers(1, 12),
    year_end=st.sampled_from(["nearest", "last"]),
    extra_week_month=st.integers(1, 12),
    named_by=st.sampled_from(["first_month", "last_month"]),
)


@pytest.fixture(scope="module")
def cases(shared):
    """The retail cases of other systems, by id."""
    text = (shared / "cases" / "peer_cases.json").read_text(encoding="utf-8")
    return {case["id"]: case for case in json.loads(text)["cases"]}


def test_met_c1_the_cases_of_merch_calendar_agree_in_full(cases):
    """Weeks, starts, ends, month starts and years of 4-5-4, each one."""
    expect = dict(cases["MET-C1"]["expect"])

    weeks = expect.pop("weeks")
    assert {year: NRF.weeks_in_year(int(year)) for year in weeks} == weeks

    start = expect.pop("start")
    assert {year: NRF.bounds(int(year))[0].isoformat() for year in start} == start

    end = expect.pop("end")
    assert {year: NRF.bounds(int(year))[1].isoformat() for year in end} == end

    months = expect.pop("month_starts_2014")
    starts = [NRF.month_bounds(2014, month)[0] for month in range(1, 12)]
    assert [start.isoformat() for start in starts] == months

    year_of = expect.pop("year_of")
    found = {day: NRF.year_of(dt.date.fromisoformat(day)) for day in year_of}
    assert found == year_of

    last = dt.date.fromisoformat(expect.pop("end_of_2017_m12_w5"))
    place = NRF.place(last)
    assert (place.year, place.month, place.week_of_month) == (2017, 12, 5)
    assert NRF.week_bounds(place.year, place.week)[1] == last
    assert NRF.month_bounds(2017, 12)[1] == last

    assert not expect, "every fact of the case was asked"


def test_met_c3_today_agrees_in_full(cases):
    """Year, week, day, start and end of the case's day."""
    case = cases["MET-C3"]
    place = NRF.place(dt.date.fromisoformat(case["input"]["on"]))
    first, last = NRF.bounds(place.year)

    assert case["expect"] == {
        "year": place.year,
        "week": place.week,
        "day": place.day_of_week,
        "year_start": first.isoformat(),
        "year_end": last.isoformat(),
    }


def test_the_years_of_53_weeks_are_those_the_nrf_names():
    """The NRF names fiscal 2000, 2006, 2012, 2017 and 2023, and none between."""
    found = [year for year in range(2000, 2025) if NRF.weeks_in_year(year) == 53]

    assert found == [2000, 2006, 2012, 2017, 2023]


@given(years)
def test_the_default_year_ends_on_the_saturday_nearest_31_january(year):
    """No other Saturday lies nearer to 31 January than the last day of the year."""
    target = dt.date(year + 1, 1, 31)
    around = [target + DAY * offset for offset in range(-7, 8)]
    saturdays = [day for day in around if day.isoweekday() == 6]

    assert NRF.bounds(year)[1] == min(saturdays, key=lambda day: abs(day - target))


@given(years, calendars)
def test_a_year_ends_as_its_policy_says(year, calendar):
    """The last week closes at most 3 days from the month's end, or within the month."""
    last = calendar.bounds(year)[1]
    short = 3 if calendar.year_end == "nearest" else 0
    long = 3 if calendar.year_end == "nearest" else 6
    near = [last + DAY * offset for offset in range(-short, long + 1)]

    month_ends = [day for day in near if (day + DAY).day == 1]
    assert [day.month for day in month_ends] == [calendar.year_end_month]
    assert WEEKDAYS[(last + DAY).weekday()] == calendar.week_starts_on


@given(years, calendars)
def test_years_lie_side_by_side_in_whole_weeks(year, calendar):
    """A year has 52 or 53 weeks, and the next begins the day after."""
    first, last = calendar.bounds(year)

    assert (last - first).days + 1 == 7 * calendar.weeks_in_year(year)
    assert calendar.weeks_in_year(year) in {52, 53}
    assert calendar.bounds(year + 1)[0] == last + DAY


@given(years, calendars)
def test_months_quarters_and_weeks_tile_the_year(year, calendar):
    """Each division covers the year without a gap or a shared day."""
    divisions = (
        [
            calendar.week_bounds(year, n + 1)
            for n in range(calendar.weeks_in_year(year))
        ],
        [calendar.month_bounds(year, n) for n in range(1, 13)],
        [calendar.quarter_bounds(year, n) for n in range(1, 5)],
    )

    for parts in divisions:
        assert (parts[0][0], parts[-1][1]) == calendar.bounds(year)
        for (_, last), (first, _) in itertools.pairwise(parts):
            assert first == last + DAY


@given(years, calendars)
def test_the_extra_week_goes_where_the_policy_puts_it(year, calendar):
    """Months follow the pattern; only a 53rd week adds one, in the month named."""
    weeks = list(calendar.month_weeks(year))
    weeks[calendar.extra_week_month - 1] -= calendar.weeks_in_year(year) - 52

    assert weeks == list(calendar.pattern) * 4


@given(dates, calendars)
def test_a_day_lies_where_its_place_says(day, calendar):
    """Week, month, quarter and year of a place all hold the day."""
    place = calendar.place(day)

    bounds = [
        calendar.bounds(place.year),
        calendar.quarter_bounds(place.year, place.quarter),
        calendar.month_bounds(place.year, place.month),
        calendar.week_bounds(place.year, place.week),
    ]
    assert all(first <= day <= last for first, last in bounds)
    assert day - bounds[3][0] == DAY * (place.day_of_week - 1)
    assert bounds[3][0] - bounds[2][0] == DAY * 7 * (place.week_of_month - 1)
    assert calendar.year_of(day) == place.year


def test_a_year_may_bear_the_number_of_its_last_month():
    """A year to July 2019 is 2018 by its first month and 2019 by its last."""
    by_first = RetailCalendar(year_end_month=7)
    by_last = RetailCalendar(year_end_month=7, named_by="last_month")

    assert by_first.bounds(2018) == by_last.bounds(2019)
    assert by_last.bounds(2019) == (dt.date(2018, 7, 29), dt.date(2019, 8, 3))
    assert by_last.year_of(dt.date(2019, 8, 3)) == 2019


@given(years, st.integers(1, 12), st.sampled_from(["first_month", "last_month"]))
def test_a_year_bears_the_number_of_the_month_its_policy_names(year, month, named_by):
    """The middle of its first or last month lies in the calendar year of its number."""
    calendar = RetailCalendar(year_end_month=month, named_by=named_by)
    first, last = calendar.bounds(year)

    middle = {"first_month": first + 14 * DAY, "last_month": last - 14 * DAY}
    assert middle[named_by].year == year


def test_a_calendar_of_the_chain_reaches_its_periods():
    """A period of another calendar keeps it when it moves."""
    calendar = RetailCalendar(pattern=(4, 4, 5), week_starts_on="monday")
    month = Period.retail_month(2026, 3, calendar)

    assert month.days == 35
    assert month.previous() == Period.retail_month(2026, 2, calendar)
    assert month.year_before().calendar == calendar
    assert month != Period.retail_month(2026, 3)


WRONG_CALENDARS = {
    "pattern": ({"pattern": (4, 4, 4)}, "13 in all"),
    "two-months": ({"pattern": (6, 7)}, "three months"),
    "half-week": ({"pattern": (4.5, 4.5, 4)}, "whole number"),
    "weekday": ({"week_starts_on": "Sunday"}, "did you mean 'sunday'"),
    "month": ({"year_end_month": 13}, "1 to 12"),
    "extra": ({"extra_week_month": 0}, "1 or more"),
    "end": ({"year_end": "nearst"}, "did you mean 'nearest'"),
    "name": ({"named_by": "first"}, "did you mean 'first_month'"),
}


@pytest.mark.parametrize(
    ("policy", "message"), WRONG_CALENDARS.values(), ids=WRONG_CALENDARS
)
def test_a_calendar_that_cannot_exist_is_refused(policy, message):
    """A pattern of 12 weeks or an unknown word is an error with a hint."""
    with pytest.raises(ScheduleError, match=message):
        RetailCalendar(**policy)


WRONG_USE = {
    "week": (lambda: NRF.week_bounds(2026, 53), "1 to 52, not 53"),
    "month": (lambda: NRF.month_bounds(2026, 13), "1 to 12, not 13"),
    "quarter": (lambda: NRF.quarter_bounds(2026, 0), "1 or more"),
    "year": (lambda: NRF.bounds(10_000), "years 1 to 9999"),
    "float": (lambda: NRF.bounds(2026.0), "whole number"),
    "moment": (
        lambda: NRF.place(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
        "astimezone",
    ),
}


@pytest.mark.parametrize(("call", "message"), WRONG_USE.values(), ids=WRONG_USE)
def test_wrong_use_says_what_there_is(call, message):
    """A week 53 of a year of 52, or a moment for a day, is refused."""
    with pytest.raises(ScheduleError, match=message):
        call()
