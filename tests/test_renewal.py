"""Renewal keeps what was paid for, and keeps the anchor day (HQ §4.2)."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberops.domain import Card
from memberops.errors import InvalidValueError, ScheduleError
from memberops.policies import Renewal, Term
from memberops.schedules.dates import add_months

DAY = dt.timedelta(days=1)
days = st.one_of(
    st.dates(dt.date(2015, 1, 1), dt.date(2035, 12, 31)),
    st.sampled_from([dt.date(2024, 2, 29), dt.date(2023, 8, 31), dt.date(2024, 1, 30)]),
)


def first_card(anchor: dt.date, term: Term) -> Card:
    """Make a card in its first term."""
    return Card(
        card_id="C1",
        member_id="M1",
        valid_from=anchor,
        valid_through=term.end(anchor),
        kind="gold",
    )


@given(days, st.sampled_from([1, 3, 12, 24]), st.integers(1, 12), st.integers(-400, 10))
def test_terms_lie_side_by_side_on_the_anchor(anchor, months, times, shift):
    """However often it is renewed in time, the n-th term counts from the anchor."""
    term = Term(count=months)
    policy, held = Renewal(term=term, grace_days=10), first_card(anchor, term)
    for number in range(2, times + 2):
        renewed = policy.renew(held, as_of=held.valid_through + shift * DAY)
        assert renewed.card.valid_from == held.valid_through + DAY
        held = renewed.card
        assert held.valid_through == add_months(anchor, number * months) - DAY
        assert held.anchor == anchor
        assert renewed.decision.outcome == "continued"


@given(days, st.lists(st.sampled_from([1, 3, 6, 12]), min_size=1, max_size=8))
def test_a_change_of_term_keeps_the_day(anchor, lengths):
    """A month, then a year, then a quarter: the day of the month does not drift."""
    held = first_card(anchor, Term(count=1))
    total = 1
    for months in lengths:
        policy = Renewal(term=Term(count=months))
        held = policy.renew(held, as_of=held.valid_from).card
        total += months
        assert held.valid_through == add_months(anchor, total) - DAY


@given(
    days,
    st.integers(-800, 800),
    st.sampled_from([0, 7, 40]),
    st.sampled_from(["days", "weeks", "months", "years"]),
)
def test_a_renewal_never_shortens(anchor, shift, grace, unit):
    """The new term ends later than the old one, and never begins before it ended."""
    term = Term(count=1, unit=unit)
    held = first_card(anchor, term)
    as_of = held.valid_through + shift * DAY
    renewed = Renewal(term=term, grace_days=grace).renew(held, as_of=as_of)

    assert renewed.card.valid_through > held.valid_through
    assert renewed.card.valid_from > held.valid_through
    restarted = shift > grace
    assert renewed.decision.outcome == ("restarted" if restarted else "continued")
    assert renewed.card.valid_from == (as_of if restarted else held.valid_through + DAY)
    assert (renewed.card.card_id, renewed.card.kind) == ("C1", "gold")


def test_leap_day_comes_back():
    """29 February renews to 28 February, and back to 29 February in a leap year."""
    held = first_card(dt.date(2024, 2, 29), Term())
    starts = []
    for _ in range(4):
        held = Renewal().renew(held, as_of=held.valid_through).card
        starts.append(str(held.valid_from))
    assert starts == ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]


def test_leap_day_may_go_to_march():
    """A chain whose leap-day cards begin on 1 March keeps 29 February in leap years."""
    term = Term(leap_day="next_day")
    held = first_card(dt.date(2024, 2, 29), term)
    starts = []
    for _ in range(4):
        held = Renewal(term=term).renew(held, as_of=held.valid_through).card
        starts.append(str(held.valid_from))
    assert starts == ["2025-03-01", "2026-03-01", "2027-03-01", "2028-02-29"]


def test_a_pause_begins_anew():
    """After the grace the term begins on the given day, which is the new anchor."""
    held = first_card(dt.date(2025, 1, 31), Term())
    renewed = Renewal(grace_days=5).renew(held, as_of=dt.date(2026, 3, 10))

    assert renewed.card.valid_from == renewed.card.anchor == dt.date(2026, 3, 10)
    assert renewed.card.valid_through == dt.date(2027, 3, 9)
    assert renewed.decision.changes_on == dt.date(2026, 3, 11)
    assert renewed.decision.explain("zh") == (
        "自 2026-03-10 续期至 2027-03-09；逾期 39 天（宽限 5 天）"
    )
    assert renewed.decision.explain("en") == (
        "renewed from 2026-03-10 through 2027-03-09; 39 days late (5 of grace)"
    )


def test_a_continuation_holds_until_the_grace_is_over():
    """Until the last day of grace the answer stays; on the next it is another."""
    held = first_card(dt.date(2025, 1, 1), Term())
    policy = Renewal(grace_days=5)
    answer = policy.renew(held, as_of=dt.date(2026, 1, 2)).decision
    assert answer.changes_on == dt.date(2026, 1, 6)
    for day, outcome in [(5, "continued"), (6, "restarted")]:
        renewed = policy.renew(held, as_of=dt.date(2026, 1, day))
        assert renewed.decision.outcome == outcome


def test_a_last_day_off_the_anchor_begins_its_own():
    """A card whose end does not fit its anchor counts on from the day after the end."""
    held = Card(
        card_id="C1",
        member_id="M1",
        valid_from=dt.date(2025, 1, 10),
        valid_through=dt.date(2026, 1, 20),
    )
    renewed = Renewal().renew(held, as_of=dt.date(2026, 1, 1)).card
    assert (renewed.anchor, renewed.valid_through) == (
        dt.date(2026, 1, 21),
        dt.date(2027, 1, 20),
    )


def test_bad_use_is_refused():
    """A moment as day, a negative grace, an empty term and the end of time."""
    held = first_card(dt.date(2025, 1, 1), Term())
    with pytest.raises(InvalidValueError, match="date without time"):
        Renewal().renew(held, as_of=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    with pytest.raises(InvalidValueError, match="0 or more"):
        Renewal(grace_days=-1)
    with pytest.raises(ScheduleError):
        Term(count=0)
    with pytest.raises(ScheduleError, match="did you mean 'months'"):
        Term(unit="month")
    for_ever = first_card(dt.date(9999, 1, 1), Term(count=30, unit="days"))
    with pytest.raises(ScheduleError):
        Renewal().renew(for_ever, as_of=dt.date(9999, 1, 2))
