"""Lunar birthdays: on the days of public almanacs, and by rule where none exists."""

import datetime as dt
import sys
from itertools import pairwise

import pandas as pd
import pytest
from holidays.calendars import _ChineseLunisolar
from hypothesis import given, settings
from hypothesis import strategies as st

from memberops.errors import MissingExtraError, ScheduleError
from memberops.schedules import lunar
from memberops.schedules.lunar import LunarBirthday
from memberops.schedules.lunar_frames import lunar_birthdays

# First day of the lunar year, from public almanacs.
NEW_YEARS = (
    "1900-01-31", "1950-02-17", "1976-01-31", "1984-02-02", "1985-02-20", "1990-01-27",
    "1999-02-16", "2000-02-05", "2008-02-07", "2012-01-23", "2018-02-16", "2019-02-05",
    "2020-01-25", "2021-02-12", "2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29",
    "2026-02-17", "2027-02-06", "2028-01-26", "2033-01-31", "2034-02-19",
)  # fmt: skip


@pytest.mark.parametrize("day", [dt.date.fromisoformat(day) for day in NEW_YEARS])
def test_new_year_is_on_its_known_day(day):
    """A birthday on the first day of the lunar year falls on its published date."""
    assert LunarBirthday(1, 1).solar_in(day.year) == day
    assert LunarBirthday.born_on(day) == LunarBirthday(1, 1)


@pytest.mark.parametrize(
    ("month", "day", "year", "solar"),
    [
        (5, 5, 2020, "2020-06-25"),
        (5, 5, 2024, "2024-06-10"),
        (5, 5, 2025, "2025-05-31"),
        (5, 5, 2026, "2026-06-19"),
        (8, 15, 2020, "2020-10-01"),
        (8, 15, 2023, "2023-09-29"),
        (8, 15, 2024, "2024-09-17"),
        (8, 15, 2025, "2025-10-06"),
        (8, 15, 2026, "2026-09-25"),
        (12, 30, 2022, "2023-01-21"),
        (12, 30, 2023, "2024-02-09"),
    ],
)
def test_festivals_are_on_their_known_days(month, day, year, solar):
    """Festivals before and after leap months fall on their published dates."""
    assert LunarBirthday(month, day).solar_in(year) == dt.date.fromisoformat(solar)


@pytest.mark.parametrize("year", range(2024, 2029))
def test_the_missing_30th_of_the_last_month(year):
    """In lunar 2024 to 2028 the 30th of the last month is kept on the last day."""
    new_year = LunarBirthday(1, 1).solar_in(year + 1)
    eve = new_year - dt.timedelta(days=1)
    assert LunarBirthday(12, 29).solar_in(year) == eve
    assert LunarBirthday(12, 30).solar_in(year) == eve
    assert LunarBirthday(12, 30, missing_day="next_day").solar_in(year) == new_year


@pytest.mark.parametrize(
    ("year", "month", "begins"),
    [(2020, 4, "2020-05-23"), (2023, 2, "2023-03-22"), (2025, 6, "2025-07-25"),
     (2028, 5, "2028-06-23"), (2033, 11, "2033-12-22")],
)  # fmt: skip
def test_a_leap_month_is_kept_where_the_year_has_it(year, month, begins):
    """A leap-month birthday is in the leap month, or in the ordinary one by rule."""
    birthday = LunarBirthday(month, 1, leap=True)
    ordinary = LunarBirthday(month, 1)
    assert birthday.solar_in(year) == dt.date.fromisoformat(begins)
    assert ordinary.solar_in(year) < birthday.solar_in(year)
    other = LunarBirthday(month, 1, leap=True, leap_month="ordinary_month")
    assert other.solar_in(year) == ordinary.solar_in(year)
    assert birthday.solar_in(year + 1) == ordinary.solar_in(year + 1)
    assert LunarBirthday.born_on(dt.date.fromisoformat(begins)) == birthday


# Two new moons within minutes of midnight. In 1916 Beijing still kept local time, 14
# minutes behind the hour of today, so its month began a day earlier; of September 2089
# almanacs disagree already.
DISPUTED = {(1916, 1, 1), (2089, 8, 15)}


def test_the_whole_calendar_agrees_with_another():
    """Four festivals of 1901 to 2099 equal an independent calendar's, but for two."""
    other = _ChineseLunisolar()
    festivals = {
        (1, 1): other.lunar_new_year_date,
        (5, 5): other.dragon_boat_date,
        (8, 15): other.mid_autumn_date,
        (9, 9): other.double_ninth_date,
    }
    different = {
        (year, month, day)
        for year in range(1901, 2100)
        for (month, day), known in festivals.items()
        if LunarBirthday(month, day).solar_in(year) != known(year)[0]
    }
    assert different <= DISPUTED


days = st.dates(dt.date(1900, 1, 31), dt.date(2101, 1, 28))


@given(days)
def test_a_birth_date_is_its_own_first_birthday(day):
    """The lunar birthday of a day falls on that day in its own lunar year."""
    birthday = LunarBirthday.born_on(day)
    year = min(day.year, 2100)
    year -= day < LunarBirthday(1, 1).solar_in(year)
    assert birthday.solar_in(year) == day
    assert birthday.between(day, day) == (day,)


@given(
    st.builds(LunarBirthday, st.integers(1, 12), st.integers(1, 30), st.booleans()),
    st.dates(dt.date(1901, 1, 31), dt.date(2090, 1, 1)),
)
def test_birthdays_are_a_lunar_year_apart(birthday, first):
    """Whatever the rules meet, one birthday follows another after 324 to 414 days."""
    found = birthday.between(first, first + dt.timedelta(days=3650))
    gaps = {(b - a).days for a, b in pairwise(found)}
    assert 8 <= len(found) <= 11
    assert min(gaps) >= 324
    assert max(gaps) <= 414


def test_a_solar_year_may_lack_the_birthday_or_have_two():
    """The eighth of the last month: none in solar 2023, and two in solar 2020."""
    birthday = LunarBirthday(12, 8)
    assert birthday.between(dt.date(2023, 1, 1), dt.date(2023, 12, 31)) == ()
    assert birthday.between(dt.date(2022, 1, 1), dt.date(2022, 12, 31)) == (
        dt.date(2022, 1, 10),
        dt.date(2022, 12, 30),
    )


@pytest.mark.parametrize("year", [1899, 2101, 0, -5])
def test_years_beyond_the_calendar_are_refused(year):
    """The error states the range that is known."""
    with pytest.raises(ScheduleError, match="1900 to 2100"):
        LunarBirthday(1, 1).solar_in(year)


def test_days_beyond_the_calendar_are_refused():
    """Days outside the range are refused, and no birth date is shown."""
    with pytest.raises(ScheduleError, match="1900-01-31 to 2101-01-28") as caught:
        LunarBirthday.born_on(dt.date(1899, 5, 17))
    assert "1899" not in str(caught.value)
    with pytest.raises(ScheduleError, match="reaches beyond"):
        LunarBirthday(1, 1).between(dt.date(1890, 1, 1), dt.date(2000, 1, 1))
    with pytest.raises(ScheduleError, match="lies before"):
        LunarBirthday(1, 1).between(dt.date(2001, 1, 1), dt.date(2000, 1, 1))


@pytest.mark.parametrize(
    ("month", "day"), [(0, 1), (13, 1), (1, 0), (1, 31), ("1", 1), (True, 1)]
)
def test_a_day_that_no_lunar_year_has_is_refused(month, day):
    """Months are 1 to 12 and days 1 to 30."""
    with pytest.raises(ScheduleError):
        LunarBirthday(month, day)


def test_an_unknown_rule_is_refused():
    """A misspelt rule is found when it is written, with the nearest known one."""
    with pytest.raises(ScheduleError, match="did you mean 'last_day'"):
        LunarBirthday(1, 1, missing_day="lastday")
    with pytest.raises(ScheduleError, match="leap_month"):
        LunarBirthday(1, 1, leap_month="leap")


def test_the_repr_hides_the_birthday():
    """A birthday is personal: no repr shows it."""
    text = repr(LunarBirthday(11, 27, leap=True))
    assert "11" not in text
    assert "27" not in text


def test_without_the_extra_the_error_names_it(monkeypatch):
    """Without borax the error says what to install."""
    lunar.lunar_months.cache_clear()
    monkeypatch.setitem(sys.modules, "borax.calendars", None)
    with pytest.raises(MissingExtraError, match=r"memberops\[cn\]"):
        LunarBirthday(1, 1).solar_in(2026)


SOLAR = st.dates(dt.date(1890, 1, 1), dt.date(2105, 1, 1))
# Births of 2025-07-25 to 2025-08-22 lie in a leap month, those of 30 days at its end.
LEAP = st.dates(dt.date(2025, 7, 1), dt.date(2025, 9, 1))


@settings(max_examples=60)
@given(
    born=st.lists(st.none() | SOLAR | LEAP, max_size=15),
    first=st.dates(dt.date(1900, 1, 31), dt.date(2098, 1, 1)),
    length=st.integers(0, 1100),
    missing_day=st.sampled_from(["last_day", "next_day"]),
    leap_month=st.sampled_from(["leap_month", "ordinary_month"]),
)
def test_a_column_of_birthdays_is_the_birthdays_one_by_one(
    born, first, length, missing_day, leap_month
):
    """Each row has the days of `between`; gaps and dates too far away have none."""
    last = first + dt.timedelta(days=length)
    rules = {"missing_day": missing_day, "leap_month": leap_month}
    known = (dt.date(1900, 1, 31), dt.date(2101, 1, 28))
    expected = [
        (row, day)
        for row, birth in enumerate(born)
        if birth is not None and known[0] <= birth <= known[1]
        for day in LunarBirthday.born_on(birth, **rules).between(first, last)
    ]

    found = lunar_birthdays(
        pd.Series(born, dtype="datetime64[s]"), first=first, last=last, **rules
    )

    assert list(zip(found["row"], found["on"].dt.date, strict=True)) == expected


def test_a_column_of_the_whole_calendar():
    """Every day of the years around leap months, in years with and without them."""
    born = pd.Series(pd.date_range("2023-01-01", "2026-12-31"))
    first, last = dt.date(2024, 1, 1), dt.date(2029, 12, 31)

    found = lunar_birthdays(born, first=first, last=last)

    days = found["on"].dt.date.groupby(found["row"]).agg(tuple)
    assert [days.get(row, ()) for row in range(len(born))] == [
        LunarBirthday.born_on(day.date()).between(first, last) for day in born
    ]


def test_a_column_that_holds_no_days_is_refused():
    """Text, zoned moments, and a span beyond the calendar say what is wrong."""
    span = {"first": dt.date(2026, 1, 1), "last": dt.date(2026, 12, 31)}
    for column in (pd.Series(["1990-01-01"]), pd.Series(pd.to_datetime(
            ["1990-01-01"], utc=True))):  # fmt: skip
        with pytest.raises(ScheduleError, match="days without zone"):
            lunar_birthdays(column, **span)
    born = pd.Series(pd.to_datetime(["1990-01-01"]))
    with pytest.raises(ScheduleError, match="reaches beyond"):
        lunar_birthdays(born, first=dt.date(2026, 1, 1), last=dt.date(2200, 1, 1))
    with pytest.raises(ScheduleError, match="last_day"):
        lunar_birthdays(born, **span, missing_day="lastday")
