"""What the scalar readers take, refuse, and never guess."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberops.adapters.sources.date_values import (
    EitherOrder,
    Localized,
    Moment,
    check_date_format,
    localize,
    read_moment,
    read_month,
)
from memberops.adapters.sources.values import (
    Unreadable,
    read_amount,
    read_choice,
    read_id,
    read_integer,
    read_text,
)
from memberops.domain import Currency
from memberops.errors import ConfigurationError

CNY = Currency("CNY")
FIFTH = dt.date(2026, 11, 5)


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("￥1,299.00", 129900),
        ("¥1,299.00", 129900),
        ("１，２９９．００", 129900),
        ("1299元", 129900),
        ("1299.5 元", 129950),
        ("RMB 12", 1200),
        ("CNY12.30", 1230),
        ("(1,299.00)", -129900),
        ("（３．５０）", -350),
        ("1,299.00-", -129900),
        ("-¥5", -500),
        ("¥-5", -500),
        ("−5", -500),
        ("+5", 500),
        ("1.28万", 1280000),
        ("1.28万元", 1280000),
        ("2亿", 20_000_000_000),
        ("3千", 300000),
        (".5", 50),
        ("12.", 1200),
        ("12.500", 1250),
        ("0.00", 0),
        ("1,234,567.89", 123456789),
        ("92233720368547758.07", 2**63 - 1),
    ],
)
def test_amounts_are_read_exactly(text, minor):
    """Every usual spelling of an amount becomes its exact minor units."""
    assert read_amount(text, CNY) == minor


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1,29,9", "number-grouping"),
        ("1,2990", "number-grouping"),
        (",299", "number-grouping"),
        ("12,34", "number-comma-decimal"),
        ("1.299,00", "number-comma-decimal"),
        ("1.2.3", "number-unreadable"),
        ("1 299", "number-unreadable"),
        ("19.999", "amount-digits"),
        ("2.5500000000000003", "amount-digits"),
        ("$5", "amount-currency"),
        ("5 EUR", "amount-currency"),
        ("5 件", "amount-currency"),
        ("1.2E+3", "number-destroyed"),
        ("1e5", "number-destroyed"),
        ("-(5)", "number-unreadable"),
        ("(-5)", "number-sign"),
        ("-5-", "number-sign"),
        ("abc", "number-unreadable"),
        ("nan", "number-unreadable"),
        ("Infinity", "number-unreadable"),
        ("92233720368547758.08", "number-too-large"),
        ("9" * 61, "number-unreadable"),
        ("٥", "number-unreadable"),
    ],
)
def test_amounts_that_are_not_plain_say_why(text, rule):
    """An amount that could be read in two ways, or in none, is refused with reason."""
    found = read_amount(text, CNY)
    assert isinstance(found, Unreadable)
    assert found.rule == rule
    assert found.text_en
    assert found.text_zh


def test_a_phone_in_a_column_of_amounts_is_in_no_error():
    """None is made that quotes it, even to be caught: the watch over tests sees all."""
    for text, unit in (("13800138000.5", None), ("1380013.80005", Decimal(10_000))):
        found = read_amount(text, Currency("JPY"), unit=unit)
        assert found.rule == "amount-digits"


@given(st.decimals(-(10**15), 10**15, places=2, allow_nan=False, allow_infinity=False))
def test_an_amount_survives_being_written_and_read(amount):
    """Any amount of cents, written with or without separators, is read unchanged."""
    wanted = int(amount * 100)
    assert read_amount(f"{amount}", CNY) == wanted
    assert read_amount(f"¥{amount:,}", CNY) == wanted
    if amount < 0:
        assert read_amount(f"({-amount:,})", CNY) == wanted
        assert read_amount(f"{-amount:,}-", CNY) == wanted


@given(st.decimals(0, 10**6, places=4, allow_nan=False, allow_infinity=False))
def test_ten_thousands_are_exact(amount):
    """A number with 万 is ten thousand times the number, without a float between."""
    wanted = int(Decimal(amount) * 10_000) * 100
    assert read_amount(f"{amount}万", CNY) == wanted


@given(st.text(max_size=30))
def test_no_text_breaks_a_reader(text):
    """Whatever a cell holds, a reader answers with a value or with its reason."""
    for found in (
        read_amount(text, CNY),
        read_integer(text),
        read_id(text),
        read_text(text),
        read_moment(text),
        read_moment(text, "excel"),
        read_moment(text, "%d/%m/%Y"),
    ):
        known = (int, str, Moment, EitherOrder, Unreadable)
        assert isinstance(found, known)
    assert read_month(text) is None or read_month(text).day.day == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("３", 3), ("1,200", 1200), ("3.00", 3), ("-2", -2), ("(2)", -2),
     ("2-", -2)],
)  # fmt: skip
def test_whole_numbers_are_read(text, value):
    """A quantity may carry separators, zero decimals, or a sign on either side."""
    assert read_integer(text) == value


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1.5", "integer-fraction"),
        ("两", "number-unreadable"),
        ("3件", "number-unreadable"),
        ("1e3", "number-destroyed"),
        ("9223372036854775808", "number-too-large"),
    ],
)
def test_what_is_no_whole_number_says_why(text, rule):
    """A quantity is never rounded, and a unit in the cell is not ignored."""
    assert read_integer(text).rule == rule


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("00123", "00123"),
        (" 00123 ", "00123"),
        ("００１２３", "00123"),
        ("United Kingdom", "United Kingdom"),
        ("-1", "-1"),
        ("=1+1", "=1+1"),
        ("会员1", "会员1"),
        ("1E5", "1E5"),
    ],
)
def test_ids_stay_text(text, value):
    """Leading zeros and formula signs stay; only width and outer spaces change."""
    assert read_id(text) == value


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("1.23457E+10", "number-destroyed"),
        ("1E+05", "number-destroyed"),
        ("VIP\u200b001", "control-character"),
        ("VIP\u00ad001", "control-character"),
        ("\u202e001", "control-character"),
        ("a\tb", "control-character"),
        ("a\u2028b", "control-character"),
        ('S1"', "id-quote"),
        ("9" * 201, "id-too-long"),
    ],
)
def test_damaged_ids_are_refused(text, rule):
    """An id that a spreadsheet or an invisible character spoilt is never taken."""
    assert read_id(text).rule == rule


def test_text_keeps_what_people_wrote():
    """Free text keeps its characters; a phone in full-width digits becomes narrow."""
    assert read_text(" 面积５㎡ ") == "面积５㎡"
    assert read_text("１３８００１３８０００") == "13800138000"
    assert read_text("138****8000") == "138****8000"
    assert read_text("1.38001E+10").rule == "number-destroyed"


def test_choices_know_their_spellings_and_name_them():
    """A known spelling is mapped whatever its width and case; another says so."""
    words = {"f": "female", "女": "female", "m": "male"}
    assert read_choice(" Ｆ", words) == "female"
    problem = read_choice("x", words)
    assert problem.rule == "choice-unknown"
    assert "female, male" in problem.text_en


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026年11月5日", None),
        ("2026年 11月 5日", None),
        ("2026年11月5号", None),
        ("2026/11/5", None),
        ("2026.11.05", None),
        ("2026-11-05", None),
        ("２０２６／１１／５", None),
        ("20261105", None),
        ("5 Nov 2026", None),
        ("05-NOV-2026", None),
        ("November 5, 2026", None),
        ("2026年11月5日 星期四", None),
        ("2026-11-05 14:03", dt.time(14, 3)),
        ("2026/11/5 7:37", dt.time(7, 37)),
        ("2026-11-05T14:03:05", dt.time(14, 3, 5)),
        ("2026-11-05 14:03:05.25", dt.time(14, 3, 5, 250000)),
        ("20261105140305", dt.time(14, 3, 5)),
        ("20261105 1403", dt.time(14, 3)),
        ("2026年11月5日 下午3:05", dt.time(15, 5)),
        ("2026年11月5日下午3点05分", dt.time(15, 5)),
        ("2026-11-05 14时03分05秒", dt.time(14, 3, 5)),
        ("2026-11-05 上午12:05", dt.time(0, 5)),
        ("2026-11-05 下午12:05", dt.time(12, 5)),
        ("2026-11-05 中午1:05", dt.time(13, 5)),
        ("2026-11-05 3:05 PM", dt.time(15, 5)),
        ("2026-11-05 12:05 am", dt.time(0, 5)),
        ("2026-11-05 下午15:05", dt.time(15, 5)),
    ],
)
def test_dates_that_begin_with_the_year_are_plain(text, time):
    """A date that can be read in one way only is read, with its time if it has one."""
    found = read_moment(text)
    assert isinstance(found, Moment)
    assert (found.day, found.time) == (FIFTH, time)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("2026-02-30", "date-impossible"),
        ("20261301", "date-impossible"),
        ("0000-00-00", "date-impossible"),
        ("0202-11-05", "date-impossible"),
        ("2026-11-05 25:00", "date-impossible"),
        ("2026-11-05 晚上12:05", "date-impossible"),
        ("2026-11-05 上午13:05", "date-impossible"),
        ("31/31/2026", "date-impossible"),
        ("46331", "date-serial"),
        ("46331.5854", "date-serial"),
        ("5/11/26", "date-two-digit-year"),
        ("下午3:05", "date-unreadable"),
        ("11月5日", "date-unreadable"),
        ("2026-11/05", "date-unreadable"),
        ("2026-11-05 14:03 Uhr", "date-unreadable"),
        ("明天", "date-unreadable"),
    ],
)
def test_what_is_no_plain_date_says_why(text, rule):
    """An impossible or unclear date is refused with its reason, never repaired."""
    found = read_moment(text)
    assert isinstance(found, Unreadable)
    assert found.rule == rule


def test_day_and_month_are_never_guessed():
    """A date that ends with its year is ambiguous or proves its order."""
    assert read_moment("5/11/2026").ambiguous
    assert read_moment("5/11/2026").proves is None
    assert read_moment("25/12/2026").proves == "day-first"
    assert read_moment("12/25/2026").proves == "month-first"
    assert read_moment("5/5/2026") == Moment(dt.date(2026, 5, 5))
    assert read_moment("5/11/2026", "day-first") == Moment(FIFTH)
    assert read_moment("11/5/2026", "month-first") == Moment(FIFTH)
    assert read_moment("25/12/2026", "month-first").rule == "date-impossible"


@given(st.dates(dt.date(1900, 1, 1)), st.sampled_from(["-", "/", "."]))
def test_an_order_is_proven_only_by_a_day_above_twelve(day, separator):
    """Written day first, a date is plain, ambiguous or proof, as its day says."""
    text = f"{day.day}{separator}{day.month}{separator}{day.year:04}"
    found = read_moment(text)
    if day.day == day.month:
        assert found == Moment(day)
    else:
        assert found.ambiguous == (day.day <= 12)
        assert found.proves == ("day-first" if day.day > 12 else None)
        assert found.read("day-first") == Moment(day)


def test_a_stated_format_is_the_only_one_used():
    """A pattern reads what fits it; day numbers of a spreadsheet need their word."""
    assert read_moment("05/11/26", "%d/%m/%y") == Moment(FIFTH)
    assert read_moment("2026-11-05", "%d/%m/%Y").rule == "date-unreadable"
    assert read_moment("46331", "excel") == Moment(FIFTH)
    assert read_moment("46331.5854167", "excel") == Moment(FIFTH, dt.time(14, 3))
    assert read_moment("60", "excel").rule == "date-unreadable"
    with pytest.raises(ConfigurationError, match="did you mean 'day-first'"):
        check_date_format("day_first")


@pytest.mark.parametrize(
    "text", ["2026年11月", "2026-11", "2026/11", "202611", "2026.11"]
)
def test_months_are_their_first_day(text):
    """A month without a day is its first day, where a month is asked for."""
    assert read_month(text) == Moment(dt.date(2026, 11, 1))
    assert read_month("2026-13") is None


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-05T14:03:00+08:00", "2026-11-05T06:03:00+00:00"),
        ("2026-11-05T14:03:00Z", "2026-11-05T14:03:00+00:00"),
        ("2026-11-05 14:03:00 -0530", "2026-11-05T19:33:00+00:00"),
        ("2026-11-05 14:03", "2026-11-05T13:03:00+00:00"),
        ("2026-03-29 01:59", "2026-03-29T00:59:00+00:00"),
        ("2026-03-29 02:30", "2026-03-29T01:30:00+00:00"),
        ("2026-10-25 02:30", "2026-10-25T00:30:00+00:00"),
        ("2026-10-25 03:00", "2026-10-25T02:00:00+00:00"),
    ],
)
def test_wall_times_are_placed_by_a_stated_rule(text, instant):
    """An offset is exact; a time that comes twice is the first, a skipped one moves."""
    place = localize(read_moment(text), ZoneInfo("Europe/Berlin"))
    assert isinstance(place, Localized)
    assert place.instant == dt.datetime.fromisoformat(instant)


def test_the_day_of_an_instant_is_that_of_the_zone():
    """A sale at 18:00 UTC on the 5th belongs to the 6th in Shanghai."""
    place = localize(read_moment("2026-11-05T18:00Z"), ZoneInfo("Asia/Shanghai"))
    assert place.day == dt.date(2026, 11, 6)
    assert place.oddity == ""


def test_odd_wall_times_are_named():
    """Times that the clocks skipped or repeated can be told from the others."""
    berlin = ZoneInfo("Europe/Berlin")
    assert localize(read_moment("2026-03-29 02:30"), berlin).oddity == "time-skipped"
    assert localize(read_moment("2026-10-25 02:30"), berlin).oddity == "time-twice"
    edge = Moment(dt.date(9999, 12, 31), dt.time(23), dt.timedelta(hours=-5))
    assert localize(edge, berlin).rule == "date-impossible"


@pytest.mark.parametrize("cell", ["#DIV/0!", "#REF!", "#NUM!", "＃DIV／0！"])
def test_an_error_of_a_spreadsheet_is_no_foreign_currency(cell):
    """A figure that a spreadsheet could not reckon is told as what it is."""
    found = [read_amount(cell, Currency("CNY")), read_integer(cell)]

    assert [each.rule for each in found] == ["cell-error"] * 2
