"""Promises of membership terms: anchored, side by side, inclusive (HQ §4.2)."""

import csv
import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disagreements import DISAGREEMENTS
from memberops.errors import ScheduleError
from memberops.schedules import term_end, term_number, term_start

DAY = dt.timedelta(days=1)
LEAP = dt.date(2024, 2, 29)
MOMENT = dt.datetime(2026, 11, 5, 14, 3, tzinfo=dt.UTC)
anchors = st.one_of(
    st.dates(dt.date(1990, 1, 1), dt.date(2060, 12, 31)),
    st.sampled_from([LEAP, dt.date(2024, 1, 31), dt.date(2023, 12, 31)]),
)
terms = st.fixed_dictionaries(
    {
        "count": st.integers(1, 36),
        "unit": st.sampled_from(["days", "weeks", "months", "years"]),
        "leap_day": st.sampled_from(["clamp", "next_day"]),
    }
)


def ends(anchor, numbers, **term):
    """Write the last days of some terms."""
    return [term_end(anchor, number=n, **term).isoformat() for n in numbers]


@pytest.fixture(scope="module")
def cases(shared):
    """The term cases of other systems, by id."""
    text = (shared / "cases" / "peer_cases.json").read_text(encoding="utf-8")
    return {
        case["id"]: case
        for case in json.loads(text)["cases"]
        if case["kind"].startswith("rolling_end_inclusive")
    }


def our_end(case):
    """Answer a case's question with our rule."""
    given_ = case["input"]
    start = dt.date.fromisoformat(given_["start"])
    return term_end(start, count=given_["count"], unit=given_["unit"]).isoformat()


@pytest.mark.parametrize("case", ["MEM-V1", "MEM-V3", "MEM-V5"])
def test_terms_end_where_other_systems_end_them(cases, case):
    """The literal cases of OCA's variable period agree."""
    assert our_end(cases[case]) == cases[case]["expect"]


@pytest.mark.parametrize("case", ["MEM-V6", "MEM-V7"])
def test_where_two_systems_disagree_we_follow_the_manual(cases, case):
    """Clamped like OCA, never overflowing like CiviCRM (HQ §4.2)."""
    expect = cases[case]["expect"]

    assert our_end(cases[case]) == expect["dateutil_oca"] != expect["civicrm"]


def test_the_list_of_disagreements_is_exact(cases):
    """Each listed term case disagrees with a system, and no other one does."""
    differ = set()
    for name, case in cases.items():
        expect = case["expect"]
        answers = expect.values() if isinstance(expect, dict) else [expect]
        if any(our_end(case) != answer for answer in answers):
            differ.add(name)

    assert differ == {name for name, _ in DISAGREEMENTS if name.startswith("MEM-V")}


def test_every_external_vector_agrees(shared):
    """Each row of the reference's term ends is met, the renewal included."""
    path = shared / "reference" / "dates" / "external_vectors.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 7

    for row in rows:
        count, unit, *renewal = row["period"].lstrip("+").split()
        end = term_end(
            dt.date.fromisoformat(row["start"]),
            count=int(count),
            unit=unit if unit.endswith("s") else f"{unit}s",
            number=2 if renewal else 1,
        )
        assert end.isoformat() == row["expected_end"], row


@given(anchors, terms, st.integers(1, 60))
def test_terms_lie_side_by_side(anchor, term, number):
    """Each term begins the day after the one before ends, and ends after it begins."""
    start = term_start(anchor, number=number, **term)
    end = term_end(anchor, number=number, **term)

    assert start <= end
    assert term_start(anchor, number=number + 1, **term) == end + DAY


@given(anchors, terms)
def test_ends_strictly_increase(anchor, term):
    """No two terms end on the same day, and the order of terms is that of days."""
    found = [term_end(anchor, number=n, **term) for n in range(1, 40)]

    assert found == sorted(set(found))


@given(anchors, st.integers(1, 36), st.integers(1, 60))
def test_month_terms_never_drift(anchor, count, number):
    """However many terms later, a term begins on the anchor's day or a month's last."""
    start = term_start(anchor, count=count, unit="months", number=number)

    assert start.day == anchor.day or (start + DAY).day == 1


@given(anchors, terms, st.integers(1, 20), st.integers(1, 3))
def test_n_terms_are_one_long_term(anchor, term, number, times):
    """The n-th end does not depend on how the time before it was cut into terms."""
    whole = term | {"count": term["count"] * times}

    assert term_end(anchor, number=number, **whole) == term_end(
        anchor, number=number * times, **term
    )


@given(anchors, st.integers(1, 8), st.sampled_from(["clamp", "next_day"]))
def test_twelve_months_are_a_year(anchor, number, leap_day):
    """A chain may write its term as 12 months or 1 year, 7 days or 1 week."""
    rule = {"number": number, "leap_day": leap_day}

    assert term_end(anchor, count=12, unit="months", **rule) == term_end(
        anchor, count=1, unit="years", **rule
    )
    assert term_end(anchor, count=7, unit="days", **rule) == term_end(
        anchor, count=1, unit="weeks", **rule
    )


@given(anchors, terms, st.integers(1, 60))
def test_term_number_finds_the_term_of_each_of_its_ends(anchor, term, number):
    """The first and the last day of the n-th term are in the n-th term."""
    first = term_start(anchor, number=number, **term)
    last = term_end(anchor, number=number, **term)

    assert term_number(anchor, first, **term) == number
    assert term_number(anchor, last, **term) == number


def test_t22_a_card_of_29_february_goes_to_the_28th_and_back():
    """T22: it begins again on 28 February, and on 29 February in leap years."""
    year = {"count": 12, "unit": "months"}
    starts = [term_start(LEAP, number=n, **year).isoformat() for n in range(1, 6)]

    assert starts == [
        "2024-02-29",
        "2025-02-28",
        "2026-02-28",
        "2027-02-28",
        "2028-02-29",
    ]
    assert ends(LEAP, (1, 4, 5), **year) == ["2025-02-27", "2028-02-28", "2029-02-27"]


def test_t22_a_card_that_ends_on_29_february_does_so_again_in_leap_years():
    """T22: valid through 29 February, then 28 February, then 29 February again."""
    found = ends(dt.date(2023, 3, 1), range(1, 6), count=12, unit="months")

    assert found == [
        "2024-02-29",
        "2025-02-28",
        "2026-02-28",
        "2027-02-28",
        "2028-02-29",
    ]


def test_t22_the_other_rule_ends_a_leap_card_on_28_february():
    """T22: a chain that starts on 1 March in common years has the whole February."""
    found = ends(LEAP, (1, 4), count=1, unit="years", leap_day="next_day")

    assert found == ["2025-02-28", "2028-02-28"]


def test_t23_a_card_of_the_31st_keeps_its_day():
    """T23: from 31 January the terms begin on 29, 31, 30, 31, never on 29, 29, 29."""
    anchor = dt.date(2024, 1, 31)
    monthly = {"count": 1, "unit": "months"}
    starts = [term_start(anchor, number=n, **monthly).day for n in (2, 3, 4, 5)]

    assert starts == [29, 31, 30, 31]
    assert ends(anchor, (1, 2, 3), **monthly) == [
        "2024-02-28",
        "2024-03-30",
        "2024-04-29",
    ]


def test_t24_a_card_that_comes_back_keeps_its_first_anchor():
    """T24: a return on a clamped day does not make that day the new anchor."""
    anchor = dt.date(2024, 1, 31)
    monthly = {"count": 1, "unit": "months"}
    returned = dt.date(2025, 2, 28)

    number = term_number(anchor, returned, **monthly)

    assert term_end(anchor, number=number, **monthly) == dt.date(2025, 3, 30)
    assert term_end(returned, **monthly) == dt.date(2025, 3, 27)


def test_t24_terms_shorter_than_a_month_do_not_clamp():
    """T24: 30 days from 31 January are 30 days, whatever February has."""
    anchor = dt.date(2023, 1, 31)

    assert term_end(anchor, count=30, unit="days") == dt.date(2023, 3, 1)
    assert term_end(anchor, count=2, unit="weeks", number=2) == dt.date(2023, 2, 27)


def test_t26_the_last_day_belongs_to_the_term_and_the_next_does_not():
    """T26: inclusive ends: 31 December is in, 1 January is the second term's."""
    year = {"count": 1, "unit": "years"}
    anchor = dt.date(2026, 1, 1)

    assert term_number(anchor, dt.date(2026, 12, 31), **year) == 1
    assert term_number(anchor, dt.date(2027, 1, 1), **year) == 2


def test_t27_a_year_term_over_29_february_has_366_days():
    """T27: a year from 1 March 2023 ends on 29 February 2024, not on the 28th."""
    anchor = dt.date(2023, 3, 1)

    assert term_end(anchor, count=1, unit="years") == dt.date(2024, 2, 29)
    assert term_end(anchor, count=365, unit="days") == dt.date(2024, 2, 28)


MONTHLY = {"count": 1, "unit": "months"}
WRONG_USE = {
    "unit": (lambda: term_end(LEAP, count=1, unit="month"), "did you mean 'months'"),
    "count": (lambda: term_end(LEAP, count=0, unit="months"), "'count' must be 1 or"),
    "float": (lambda: term_end(LEAP, count=1.5, unit="months"), "whole number"),
    "number": (lambda: term_end(LEAP, number=0, **MONTHLY), "'number' must be 1 or"),
    "far": (lambda: term_end(LEAP, count=9000, unit="years"), "years 1 to 9999"),
    "moment": (lambda: term_end(MOMENT, **MONTHLY), "astimezone"),
    "rule": (
        lambda: term_end(LEAP, count=1, unit="years", leap_day="march"),
        "known are: 'clamp', 'next_day'",
    ),
    "rule-unused": (
        lambda: term_end(LEAP, leap_day="march", **MONTHLY),
        "known are: 'clamp', 'next_day'",
    ),
    "before": (lambda: term_number(LEAP, LEAP - DAY, **MONTHLY), "before the first"),
    "asked-moment": (lambda: term_number(LEAP, MOMENT, **MONTHLY), "astimezone"),
}


@pytest.mark.parametrize(("call", "message"), WRONG_USE.values(), ids=WRONG_USE)
def test_wrong_use_says_what_to_do(call, message):
    """Unknown units, zero terms, moments and days before the card are refused."""
    with pytest.raises(ScheduleError, match=message):
        call()
