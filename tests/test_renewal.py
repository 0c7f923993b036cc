"""Renewal keeps what was paid for, and keeps the anchor day (HQ §4.2)."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memberops.domain import Card
from memberops.errors import InvalidValueError, ScheduleError
from memberops.policies import CardState, Receipt, Renewal, Term, replay
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
        assert renewed.term.start == held.valid_through + DAY
        assert renewed.card.valid_from == anchor
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
    """The new term begins after the old one, and is not over when it is paid."""
    term = Term(count=1, unit=unit)
    held = first_card(anchor, term)
    as_of = held.valid_through + shift * DAY
    renewed = Renewal(term=term, grace_days=grace).renew(held, as_of=as_of)

    assert renewed.card.valid_through == renewed.term.through > held.valid_through
    assert renewed.term.through >= as_of
    restarted = shift > grace or term.end_from(held.valid_through + DAY, anchor) < as_of
    assert renewed.decision.outcome == ("restarted" if restarted else "continued")
    assert renewed.term.start == (as_of if restarted else held.valid_through + DAY)
    assert renewed.card.valid_from == (as_of if restarted else held.valid_from)
    assert (renewed.card.card_id, renewed.card.kind) == ("C1", "gold")


def test_leap_day_comes_back():
    """29 February renews to 28 February, and back to 29 February in a leap year."""
    held = first_card(dt.date(2024, 2, 29), Term())
    starts = []
    for _ in range(4):
        renewed = Renewal().renew(held, as_of=held.valid_through)
        held = renewed.card
        starts.append(str(renewed.term.start))
    assert starts == ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]


def test_leap_day_may_go_to_march():
    """A chain whose leap-day cards begin on 1 March keeps 29 February in leap years."""
    term = Term(leap_day="next_day")
    held = first_card(dt.date(2024, 2, 29), term)
    starts = []
    for _ in range(4):
        renewed = Renewal(term=term).renew(held, as_of=held.valid_through)
        held = renewed.card
        starts.append(str(renewed.term.start))
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
    for year in (2026, 2027, 2028):
        renewed = Renewal().renew(held, as_of=dt.date(2026, 1, 1))
        assert renewed.term.label == f"{year}-01-21..{year + 1}-01-20"
        held = renewed.card
        assert held.valid_from == dt.date(2025, 1, 10)
    assert held.anchor <= held.valid_from


@given(days, st.integers(0, 364), st.integers(1, 3), st.sampled_from([0, 5]))
def test_an_early_renewal_loses_no_paid_day(first, ahead, terms, grace):
    """The card is valid from its first day to the new last day, today among them."""
    held = first_card(first, Term())
    as_of = held.valid_through - min(ahead, (held.valid_through - first).days) * DAY
    policy = Renewal(grace_days=grace)
    renewed = policy.renew(held, as_of=as_of, terms=terms)

    assert renewed.card.valid_from == held.valid_from
    assert renewed.term.start == held.valid_through + DAY
    assert renewed.term.through == renewed.card.valid_through
    for day in (held.valid_from, as_of, held.valid_through, renewed.term.start):
        answer = CardState().decide(renewed.card, as_of=day, purchases=0, spend=0)
        assert answer.outcome not in ("pending", "expired")


def test_the_present_stays_valid_when_the_next_term_is_paid():
    """Renewed on 3 December, the card is valid on the 10th (and so is a replay)."""
    held = first_card(dt.date(2026, 1, 1), Term())
    paid = Receipt(receipt_id="R1", card_id="C1", paid_on=dt.date(2026, 12, 3))
    renewed = Renewal().renew(held, as_of=paid.paid_on)
    told = replay(Renewal(), held, [paid], as_of=dt.date(2026, 12, 31))
    assert told.card == renewed.card
    answer = CardState().decide(
        told.card, as_of=dt.date(2026, 12, 10), purchases=0, spend=0
    )
    assert answer.outcome == "active"
    # The table of cards has one row a term: the next one begins after this one.
    assert renewed.term.label == "2027-01-01..2027-12-31"


def test_no_term_is_sold_that_is_already_over():
    """A month's card in a long grace begins anew when its next month has passed."""
    held = first_card(dt.date(2026, 1, 1), Term(count=1))
    policy = Renewal(term=Term(count=1), grace_days=60)
    answers = {
        day: policy.renew(held, as_of=day)
        for day in (dt.date(2026, 2, 28), dt.date(2026, 3, 1), dt.date(2026, 3, 20))
    }
    kept, *anew = answers.values()
    assert kept.term.label == "2026-02-01..2026-02-28"
    assert kept.decision.changes_on == dt.date(2026, 3, 1)
    assert [each.decision.outcome for each in anew] == ["restarted"] * 2
    assert anew[1].term.label == "2026-03-20..2026-04-19"
    assert anew[1].decision.explain("zh") == (
        "自 2026-03-20 续期至 2026-04-19；逾期 48 天（宽限 60 天）；"
        "所续会期届时已过，改自当日起算"
    )
    two = policy.renew(held, as_of=dt.date(2026, 3, 20), terms=2)
    assert two.term.label == "2026-02-01..2026-03-31"


@given(days, st.integers(-40, 60), st.sampled_from([0, 3, 40]))
def test_a_renewal_holds_until_the_day_it_names(first, shift, grace):
    """Until *changes_on* the same is given; on it, another term or outcome."""
    term = Term(count=1)
    held, policy = first_card(first, term), Renewal(term=term, grace_days=grace)
    as_of = held.valid_through + shift * DAY

    def given_on(day):
        renewed = policy.renew(held, as_of=day)
        return renewed.decision.outcome, renewed.card, renewed.term

    turn = policy.renew(held, as_of=as_of).decision.changes_on
    assert turn > as_of
    for day in range((turn - as_of).days):
        assert given_on(as_of + day * DAY) == given_on(as_of)
    assert given_on(turn) != given_on(as_of)


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
