"""Promises of periods: neighbours, years before, labels, days (HQ §5)."""

import datetime as dt
import itertools
import pickle

import attrs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberops.errors import ScheduleError
from memberops.schedules import Period, RetailCalendar, add_years

DAY = dt.timedelta(days=1)
MOMENT = dt.datetime(2026, 11, 5, 14, 3, tzinfo=dt.UTC)
GREGORIAN = ["day", "week", "month", "quarter", "year"]
RETAIL = ["retail_week", "retail_month", "retail_quarter", "retail_year"]
NUMBERED = [kind for kind in GREGORIAN + RETAIL if kind != "day"]
CHAIN = RetailCalendar(pattern=(4, 4, 5), week_starts_on="monday", year_end_month=6)
dates = st.dates(dt.date(1950, 1, 1), dt.date(2150, 12, 31))
spans = st.builds(
    lambda first, days: Period.span(first, first + DAY * days),
    dates,
    st.integers(0, 800),
)
kinds = st.sampled_from(GREGORIAN + RETAIL)
calendar_periods = st.builds(Period.covering, dates, kinds)
own_periods = st.builds(Period.covering, dates, st.sampled_from(RETAIL), st.just(CHAIN))
periods = st.one_of(calendar_periods, own_periods, spans)


@given(periods)
def test_the_previous_period_is_adjacent_and_of_the_same_kind(period):
    """It ends the day before the period starts, and `next` leads back."""
    before = period.previous()

    assert before.end == period.start
    assert (before.kind, before.calendar) == (period.kind, period.calendar)
    assert before.next() == period
    assert period.next().previous() == period


@given(spans)
def test_the_previous_span_has_as_many_days(span):
    """A promotion is compared with the same number of days before it."""
    assert span.previous().days == span.days


@given(periods)
def test_a_label_reads_back_as_the_period_it_names(period):
    """parse(label) gives an equal period of the same calendar, repr too."""
    assert Period.parse(period.label, period.calendar) == period
    assert eval(repr(period)) == period  # noqa: S307 - our own repr is the promise
    assert str(period) == period.label


@given(periods)
def test_a_period_holds_its_own_days_and_no_other(period):
    """Both ends are in, the days beside them are not, `end` is the first one out."""
    assert period.start in period
    assert period.through in period
    assert period.start - DAY not in period
    assert period.end not in period
    assert period.end == period.through + DAY
    assert period.days == (period.end - period.start).days


@given(dates, kinds)
def test_the_covering_period_holds_the_day(day, kind):
    """Every day lies in exactly one period of a kind."""
    period = Period.covering(day, kind)

    assert day in period
    assert Period.covering(period.start, kind) == period
    assert Period.covering(period.through, kind) == period


@given(calendar_periods)
def test_a_year_before_keeps_the_kind_and_the_number(period):
    """Month 10 meets month 10; only a week 53 has no partner and takes week 52."""
    before = period.year_before()

    assert before.kind == period.kind
    if period.kind == "day":
        assert before.start == add_years(period.start, -1)
        return
    year, rest = _year_and_rest(period.label)
    assert _year_and_rest(before.label) == (year - 1, rest.replace("W53", "W52"))


def _year_and_rest(label):
    """Split a numbered label into its year and the text after it."""
    name, _, rest = label.removeprefix("retail ").partition("-")
    return int(name), rest


@given(spans)
def test_a_span_a_year_before_keeps_its_dates(span):
    """Both ends move to their date a year before, so a day is lost or won at most."""
    before = span.year_before()

    for ours, other in ((span.start, before.start), (span.through, before.through)):
        assert other.year == ours.year - 1
        assert other.month == ours.month
        assert other.day == ours.day or (ours.day, other.day) == (29, 28)
    assert abs(before.days - span.days) <= 1


@given(dates)
def test_weeks_are_those_of_iso_8601(day):
    """Python's own ISO calendar names the same year and week, from Monday."""
    week = Period.covering(day, "week")

    assert week.label == day.strftime("%G-W%V")
    assert week.start.isoweekday() == 1
    assert week.days == 7


@given(dates, st.sampled_from(["month", "quarter", "year"]))
def test_calendar_periods_are_those_of_pandas(day, kind):
    """Starts, ends and quarters agree with pandas' own periods."""
    frequency = {"month": "M", "quarter": "Q", "year": "Y"}[kind]
    theirs = pd.Period(day, freq=frequency)
    ours = Period.covering(day, kind)

    assert ours.start == theirs.start_time.date()
    assert ours.through == theirs.end_time.date()
    assert ours.previous().start == (theirs - 1).start_time.date()


LABELS = {
    "2026-11-05": ("day", "2026-11-05", "2026-11-05"),
    "2026-W47": ("week", "2026-11-16", "2026-11-22"),
    "2026-W53": ("week", "2026-12-28", "2027-01-03"),
    "2026-10": ("month", "2026-10-01", "2026-10-31"),
    "2028-02": ("month", "2028-02-01", "2028-02-29"),
    "2026-Q4": ("quarter", "2026-10-01", "2026-12-31"),
    "2026": ("year", "2026-01-01", "2026-12-31"),
    "2026-11-01..2026-11-11": ("span", "2026-11-01", "2026-11-11"),
    "retail 2026-W42": ("retail_week", "2026-11-15", "2026-11-21"),
    "retail 2014-M08": ("retail_month", "2014-08-31", "2014-10-04"),
    "retail 2026-Q1": ("retail_quarter", "2026-02-01", "2026-05-02"),
    "retail 2017": ("retail_year", "2017-01-29", "2018-02-03"),
}


@pytest.mark.parametrize(("label", "facts"), LABELS.items(), ids=LABELS)
def test_each_form_of_a_label_names_its_days(label, facts):
    """The twelve written forms, with days from the calendars on the wall."""
    period = Period.parse(label)

    found = (period.kind, period.start.isoformat(), period.through.isoformat())
    assert found == facts
    assert period.label == label


def test_each_constructor_makes_what_its_label_names():
    """A period made by its kind equals the one read from its label."""
    assert Period.day(dt.date(2026, 11, 5)) == Period.parse("2026-11-05")
    assert Period.week(2026, 47) == Period.parse("2026-W47")
    assert Period.month(2026, 10) == Period.parse("2026-10")
    assert Period.quarter(2026, 4) == Period.parse("2026-Q4")
    assert Period.year(2026) == Period.parse("2026")
    assert Period.retail_week(2026, 42) == Period.parse("retail 2026-W42")
    assert Period.retail_month(2026, 10) == Period.parse("retail 2026-M10")
    assert Period.retail_quarter(2026, 3) == Period.parse("retail 2026-Q3")
    assert Period.retail_year(2026) == Period.parse("retail 2026")
    assert Period.span(dt.date(2026, 11, 1), dt.date(2026, 11, 11)) == Period.parse(
        "2026-11-01..2026-11-11"
    )


YEARS_BEFORE = {
    "2024-02-29": "2023-02-28",
    "2025-02-28": "2024-02-28",
    "2024-02": "2023-02",
    "2026-Q4": "2025-Q4",
    "2026": "2025",
    "2026-W53": "2025-W52",
    "2027-W52": "2026-W52",
    "2027-W01": "2026-W01",
    "2024-02-01..2024-02-29": "2023-02-01..2023-02-28",
    "2025-02-20..2025-03-05": "2024-02-20..2024-03-05",
    "2024-02-29..2024-03-05": "2023-02-28..2023-03-05",
    "2025-12-20..2026-01-05": "2024-12-20..2025-01-05",
    "retail 2018-M12": "retail 2017-M12",
    "retail 2023-W53": "retail 2022-W52",
    "retail 2018": "retail 2017",
}


@pytest.mark.parametrize(("label", "before"), YEARS_BEFORE.items(), ids=YEARS_BEFORE)
def test_a_year_before_follows_the_stated_rules(label, before):
    """29 February, week 53, spans over a leap day and 53-week years, by name."""
    assert Period.parse(label).year_before().label == before


def test_a_month_of_the_53rd_week_is_compared_whole():
    """Retail month 12 of 2017 has 5 weeks, and is not restated for 2018."""
    january = Period.retail_month(2018, 12)

    assert (january.days, january.year_before().days) == (28, 35)


def test_t31_every_second_week_goes_on_across_week_53():
    """T31: 2026 has a week 53; 1 January 2027 is in it, and no week is 00."""
    assert Period.covering(dt.date(2027, 1, 1), "week").label == "2026-W53"

    week = Period.week(2026, 51)
    labels = [week.label]
    for _ in range(3):
        week = week.next().next()
        labels.append(week.label)
    assert labels == ["2026-W51", "2026-W53", "2027-W02", "2027-W04"]
    with pytest.raises(ScheduleError, match="a week of 2027 is 1 to 52, not 53"):
        Period.week(2027, 53)


def test_t21_a_period_asked_on_29_february_has_its_neighbours():
    """T21: every kind that holds 29 February has a year before and a previous."""
    for kind in GREGORIAN + RETAIL:
        period = Period.covering(dt.date(2024, 2, 29), kind)
        assert period.year_before().through < period.start
        assert period.previous().through < period.start


def test_consecutive_months_leave_none_out():
    """Thirteen months from December 2010 to December 2011, both included."""
    months = Period.months("2010-12", "2011-12")

    assert len(months) == 13
    assert (months[0].label, months[-1].label) == ("2010-12", "2011-12")
    for first, second in itertools.pairwise(months):
        assert second.previous() == first
    assert Period.months(Period.month(2026, 10), "2026-10") == (Period.month(2026, 10),)


def test_periods_are_values():
    """Equal periods are one key, pickle keeps them, and nothing changes in place."""
    october = Period.month(2026, 10)

    assert {october: 1}[Period.parse("2026-10")] == 1
    assert pickle.loads(pickle.dumps(october)) == october  # noqa: S301 - our own
    assert october != Period.span(october.start, october.through)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        october.start = dt.date(2026, 9, 1)


def test_whole_numbers_of_numpy_make_periods():
    """A year and month out of a frame need no conversion, and stay plain dates."""
    october = Period.month(np.int64(2026), np.int64(10))

    assert october == Period.month(2026, 10)
    assert october.label == "2026-10"


def test_the_ends_of_the_calendar_raise_by_name():
    """Before the year 1 and after 9999 there is no period, and the error says so."""
    last = Period.month(9999, 12)

    assert last.days == 31
    with pytest.raises(ScheduleError, match="years 1 to 9999"):
        _ = last.end
    for label in ("0001", "0001-01", "0001-Q1", "0001-W01", "0001-01-01"):
        for step in (Period.previous, Period.year_before):
            with pytest.raises(ScheduleError, match="1 to 9999"):
                step(Period.parse(label))


@pytest.mark.parametrize("kind", NUMBERED)
def test_a_period_that_is_not_whole_is_refused(kind):
    """A month without its last day is no month, however it is made."""
    whole = Period.covering(dt.date(2026, 11, 5), kind)

    with pytest.raises(ScheduleError, match=r"is not a whole .*Period\.span"):
        attrs.evolve(whole, through=whole.through - DAY)


FIRST, LAST = dt.date(2026, 11, 1), dt.date(2026, 11, 30)
WRONG_USE = {
    "kind": (
        lambda: Period(kind="mnth", start=FIRST, through=LAST),
        "did you mean 'month'",
    ),
    "covering": (lambda: Period.covering(FIRST, "decade"), "known are"),
    "covering-span": (lambda: Period.covering(FIRST, "span"), r"Period\.span"),
    "order": (lambda: Period.span(LAST, FIRST), "before it starts"),
    "two-days": (
        lambda: Period(kind="day", start=FIRST, through=LAST),
        "not a whole day",
    ),
    "no-calendar": (
        lambda: Period(kind="month", start=FIRST, through=LAST, calendar=CHAIN),
        "retail kinds",
    ),
    "month": (lambda: Period.month(2026, 13), "a month of 2026 is 1 to 12, not 13"),
    "quarter": (lambda: Period.quarter(2026, 0), "is 1 to 4, not 0"),
    "retail-week": (lambda: Period.retail_week(2026, 53), "is 1 to 52, not 53"),
    "year": (lambda: Period.year(0), "1 to 9999"),
    "float": (lambda: Period.month(2026.0, 10), "whole number, not a float"),
    "label-as-year": (lambda: Period.month("2026-10", 1), "whole number, not a str"),
    "in-text": (lambda: "2026-11-05" in Period.year(2026), "fromisoformat"),
    "months-kind": (lambda: Period.months("2026", "2026-10"), "not a month"),
    "months-order": (lambda: Period.months("2026-10", "2026-09"), "before the first"),
    "parse-date": (lambda: Period.parse(FIRST), "label is text, not a date"),
}


@pytest.mark.parametrize(("call", "message"), WRONG_USE.values(), ids=WRONG_USE)
def test_wrong_use_says_what_to_do(call, message):
    """Unknown kinds, impossible numbers and reversed ends are refused with a hint."""
    with pytest.raises(ScheduleError, match=message):
        call()


MOMENTS = {
    "in": lambda: MOMENT in Period.month(2026, 11),
    "in-timestamp": lambda: pd.Timestamp("2026-11-05") in Period.month(2026, 11),
    "day": lambda: Period.day(MOMENT),
    "span": lambda: Period.span(FIRST, MOMENT),
    "covering": lambda: Period.covering(MOMENT, "month"),
}


@pytest.mark.parametrize("call", MOMENTS.values(), ids=MOMENTS)
def test_a_moment_is_refused_with_the_way_to_a_day(call):
    """The day of a moment depends on the store's zone: the error says how."""
    with pytest.raises(ScheduleError, match=r"astimezone\(zone\)\.date\(\)"):
        call()


@pytest.mark.parametrize(
    "label",
    [
        "",
        "2026/10",
        "2026-1",
        "2026-13",
        "2026-00",
        "2026-w47",
        "2026-W54",
        "2026-Q5",
        "20261105",
        "2026-W47-1",
        "2026-02-29",
        "2026-11-11..2026-11-01",
        "2026-11-01..",
        "..2026-11-01",
        "2026-10..2026-11",
        "２０２６-10",
        "2026-10\n",
        " 2026-10",
        "retail 2026-M13",
        "retail 2026-10",
        "0000",
        "026",
        "12026-10",
        "x" * 10_000,
    ],
    ids=lambda label: repr(label[:24]),
)
def test_any_other_writing_is_refused_in_bounded_text(label):
    """Nothing is guessed: what is no label is an error of a few lines."""
    with pytest.raises(ScheduleError) as refused:
        Period.parse(label)

    assert len(str(refused.value)) < 400
