"""Promises of fixed, lifetime and linked terms, and of renewals told by receipts."""

import datetime as dt
import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.domain import Card
from memberops.errors import InvalidValueError, MissingColumnsError, ScheduleError
from memberops.policies import (
    CardState,
    FixedTerm,
    KindGrace,
    Lifetime,
    LinkedCards,
    Receipt,
    Renewal,
    Term,
    replay,
)

DAY = dt.timedelta(days=1)
days = st.dates(dt.date(2015, 1, 1), dt.date(2035, 12, 31))
years = st.builds(
    lambda start, turn: FixedTerm.yearly(
        start.strftime("%m-%d"), rollover=turn and turn.strftime("%m-%d")
    ),
    st.dates(dt.date(2024, 1, 1), dt.date(2024, 12, 31)),
    st.none() | st.dates(dt.date(2024, 1, 1), dt.date(2024, 12, 31)),
)


def card(number: int = 1, **given_) -> Card:
    """Make a card of 2026."""
    return Card(
        **{
            "card_id": f"C{number}",
            "member_id": f"M{number}",
            "valid_from": dt.date(2026, 1, 1),
            "valid_through": dt.date(2026, 12, 31),
            **given_,
        }
    )


def test_fixed_periods_of_other_systems(shared):
    """Each fixed-period case agrees, those of 30 and 31 December among them."""
    text = (shared / "cases" / "peer_cases.json").read_text(encoding="utf-8")
    cases = [c for c in json.loads(text)["cases"] if c["kind"] == "fixed_period"]
    assert {c["id"] for c in cases} >= {"MEM-F1", "MEM-F3", "MEM-F5", "MEM-F6"}

    for case in cases:
        asked = case["input"]
        year = FixedTerm.yearly(asked["period_start"], rollover=asked["rollover_from"])
        found = year.term(dt.date.fromisoformat(asked["join"]), terms=asked["terms"])
        assert str(found.start) == case["expect"]["start"], case["id"]
        assert str(found.through) == case["expect"]["end"], case["id"]


@given(years, days)
def test_fixed_periods_lie_side_by_side(year, day):
    """Each day has one period, and the next begins on the day after its last."""
    period = year.period(day)

    assert period.start <= day <= period.through
    assert year.period(period.start) == year.period(period.through) == period
    assert year.period(period.through + DAY).start == period.through + DAY


@given(years, days, st.integers(1, 4))
def test_the_rollover_day_itself_includes_the_next_period(year, day, terms):
    """From the rollover day on there is one period more, on the day before not."""
    decision = year.decide(day, terms=terms)
    included = decision.outcome == "next_included"
    end = year.period(day).through
    for _ in range(terms - 1 + included):
        end = year.period(end + DAY).through

    assert year.end(day, terms) == end
    # The answer holds until the day it names, and is another on it.
    turn = decision.changes_on
    answers = [(year.rolls_over(d), year.period(d)) for d in (day, turn - DAY, turn)]
    assert answers[0] == answers[1] != answers[2]
    assert str(year.term(day, terms=terms).through) in decision.explain("zh")


def test_periods_may_be_months_weeks_or_days():
    """Quarters, fortnights and ten days are counted from the first period."""
    quarter = FixedTerm(
        first=dt.date(2026, 1, 1),
        count=3,
        unit="months",
        rollover=dt.date(2026, 3, 15),
    )
    assert quarter.term(dt.date(2026, 6, 14)).label == "2026-04-01..2026-06-30"
    assert quarter.end(dt.date(2026, 6, 15)) == dt.date(2026, 9, 30)
    fortnight = FixedTerm(first=dt.date(2026, 1, 5), count=2, unit="weeks")
    assert fortnight.period(dt.date(2026, 1, 19)).start == dt.date(2026, 1, 19)
    ten = FixedTerm(first=dt.date(2026, 1, 1), count=10, unit="days")
    assert ten.end(dt.date(2026, 1, 10), 2) == dt.date(2026, 1, 20)


@pytest.mark.parametrize("bad", ["13-01", "02-30", "1-1", "", 101, None])
def test_a_day_of_the_year_is_a_month_and_a_day(bad):
    """What is no month and day is refused with an example."""
    with pytest.raises(InvalidValueError, match="04-01"):
        FixedTerm.yearly(bad)


def test_a_rollover_lies_in_its_period():
    """A rollover outside the first period, or an unknown unit, is refused."""
    with pytest.raises(InvalidValueError, match="must lie in the first period"):
        FixedTerm(first=dt.date(2026, 1, 1), rollover=dt.date(2027, 1, 1))
    with pytest.raises(ScheduleError, match="years"):
        FixedTerm(unit="year")
    with pytest.raises(ScheduleError, match="terms"):
        FixedTerm().end_from(dt.date(2026, 1, 1), terms=0)


def test_renewing_never_asks_for_the_rollover():
    """A fixed card goes on to the end of the next period, however late it renews."""
    policy = Renewal(term=FixedTerm.yearly(rollover="11-01"), grace_days=30)

    renewed = policy.renew(card(), as_of=dt.date(2026, 12, 20))
    assert renewed.term.label == "2027-01-01..2027-12-31"
    again = policy.renew(card(), as_of=dt.date(2027, 3, 1))
    assert again.decision.outcome == "restarted"
    assert again.card.valid_from == dt.date(2027, 3, 1)
    assert again.card.valid_through == dt.date(2027, 12, 31)
    late = policy.renew(card(), as_of=dt.date(2027, 11, 1))
    assert late.card.valid_through == dt.date(2028, 12, 31)


@given(years, days, st.integers(1, 3), st.integers(0, 400))
def test_a_fixed_renewal_gives_whole_periods(year, last, terms, ahead):
    """What goes on ends that many periods after the one in which the card ended."""
    held = card(valid_from=last - 400 * DAY, valid_through=last)
    renewed = Renewal(term=year).renew(held, as_of=last - ahead * DAY, terms=terms)
    end = year.period(last).through
    for _ in range(terms):
        end = year.period(end + DAY).through

    assert renewed.term.through == end
    assert renewed.term.start == last + DAY
    assert renewed.term.days >= 365 * terms


def test_a_card_that_ends_on_30_december_gets_the_next_year():
    """The term that is sold is never the one day that is left of the year."""
    policy = Renewal(term=FixedTerm.yearly("01-01"))
    held = card(valid_through=dt.date(2026, 12, 30))
    renewed = policy.renew(held, as_of=dt.date(2026, 12, 20))
    assert renewed.term.label == "2026-12-31..2027-12-31"
    # A chain whose first period begins after the card's end begins with it.
    first = FixedTerm(first=dt.date(2027, 1, 1))
    assert first.end_from(dt.date(2027, 1, 1)) == dt.date(2027, 12, 31)


def test_a_card_for_life_is_never_renewed():
    """A card that moves to life never ends; renewing it again changes nothing."""
    policy = Renewal(term=Lifetime())
    renewed = policy.renew(card(), as_of=dt.date(2026, 12, 1))

    assert renewed.card.valid_through == dt.date.max
    again = policy.renew(renewed.card, as_of=dt.date(2030, 1, 1))
    assert again.card == renewed.card
    assert (again.decision.outcome, again.decision.changes_on) == ("kept", None)
    assert again.decision.explain("zh") == "终身有效，无需续期"


@given(days, st.sampled_from(["days", "weeks", "months", "years"]), st.integers(1, 5))
def test_n_terms_at_once_are_n_renewals(first, unit, terms):
    """Paying for several terms gives what as many early renewals give."""
    policy = Renewal(term=Term(count=1, unit=unit))
    held = card(valid_from=first, valid_through=policy.term.end(first))
    at_once = policy.renew(held, as_of=first, terms=terms).card
    for _ in range(terms):
        held = policy.renew(held, as_of=first).card

    assert at_once.valid_through == held.valid_through


def test_grace_per_kind_of_card():
    """A gold card goes on 30 days after its end, a standard one does not."""
    grace = [KindGrace("gold", 30)]
    day = dt.date(2027, 1, 30)
    policy, state = Renewal(grace_by_kind=grace), CardState(grace_by_kind=grace)

    assert policy.renew(card(kind="gold"), as_of=day).decision.outcome == "continued"
    late = policy.renew(card(kind="gold"), as_of=day + DAY).decision
    assert "(30 of grace)" in late.explain()
    assert policy.renew(card(), as_of=day).decision.outcome == "restarted"
    figures = {"purchases": 0, "spend": 0}
    answer = state.decide(card(kind="gold"), as_of=day, **figures)
    assert (answer.outcome, answer.changes_on) == ("in_grace", day + DAY)
    assert state.decide(card(), as_of=day, **figures).outcome == "expired"
    with pytest.raises(InvalidValueError, match="two graces"):
        Renewal(grace_by_kind=[KindGrace("gold", 1), KindGrace("gold", 2)])
    with pytest.raises(InvalidValueError, match="KindGrace"):
        Renewal(grace_by_kind=[("gold", 30)])


receipts = st.lists(
    st.builds(
        Receipt,
        receipt_id=st.sampled_from(["R1", "R2", "R3", "R4"]),
        card_id=st.sampled_from(["C1", "C2"]),
        paid_on=st.dates(dt.date(2026, 6, 1), dt.date(2029, 1, 1)),
        terms=st.integers(0, 2),
    ),
    max_size=6,
)


@given(receipts, st.randoms(use_true_random=False))
def test_the_same_receipt_renews_once_in_any_order(told, chance):
    """Told twice, in any order, the same receipts give the same history."""
    as_of = dt.date(2028, 6, 30)
    once = replay(Renewal(), card(), told, as_of=as_of)
    mixed = told * 2
    chance.shuffle(mixed)
    twice = replay(Renewal(), card(), mixed, as_of=as_of)

    assert (twice.card, twice.steps) == (once.card, once.steps)
    used = [receipt.receipt_id for receipt, _ in once.steps]
    assert len(used) == len(set(used))
    assert all(
        r.card_id == "C1" and r.paid_on <= as_of and r.terms for r, _ in once.steps
    )
    ends = [card().valid_through, *(s.card.valid_through for _, s in once.steps)]
    assert ends == sorted(set(ends))


def test_a_receipt_with_other_contents_is_found():
    """The first of an id counts; another, or one without a term, is a finding."""
    first = Receipt(receipt_id="R1", card_id="C1", paid_on=dt.date(2026, 12, 1))
    other = Receipt(
        receipt_id="R1", card_id="C1", paid_on=dt.date(2026, 12, 2), terms=2
    )
    none = Receipt(receipt_id="R2", card_id="C1", paid_on=dt.date(2026, 12, 3), terms=0)
    told = replay(Renewal(), card(), [none, other, first], as_of=dt.date(2027, 1, 1))

    assert told.card.valid_through == dt.date(2027, 12, 31)
    assert [f.rule for f in told.findings] == [
        "receipt-differs",
        "receipt-without-term",
    ]
    assert "R1" in told.findings[0].describe("zh")


@pytest.mark.parametrize("terms", [100_000, 10**30])
@pytest.mark.parametrize("term", [Term(), Term(count=1, unit="days"), FixedTerm()])
def test_a_receipt_beyond_the_calendar_is_found(terms, term):
    """It renews nothing and is a finding; the receipts beside it renew as ever."""
    good = Receipt(receipt_id="R2", card_id="C1", paid_on=dt.date(2026, 12, 3))
    far = Receipt(
        receipt_id="R1", card_id="C1", paid_on=dt.date(2026, 12, 1), terms=terms * 100
    )
    policy, as_of = Renewal(term=term), dt.date(2027, 1, 1)
    told = replay(policy, card(), [far, good], as_of=as_of)

    assert told.card == replay(policy, card(), [good], as_of=as_of).card
    assert [f.rule for f in told.findings] == ["receipt-beyond-calendar"]
    assert "R1" in told.findings[0].describe("zh")


spans = st.tuples(days, st.integers(0, 800), st.integers(0, 900)).map(
    lambda p: (p[0], p[0] + p[1] * DAY, p[0] - p[2] * DAY)
)


@examples(2 / 3)
@given(st.lists(spans, min_size=1, max_size=4), st.data())
def test_linked_cards_scalar_equals_frame(terms, data):
    """Each card of a family gets in a frame the days and anchor that it gets alone."""
    policy = LinkedCards(start=data.draw(st.sampled_from(["own", "main"])))
    with_anchor = data.draw(st.booleans())
    cards = [
        card(number, valid_from=first, valid_through=last, anchor=anchor)
        if with_anchor
        else card(number, valid_from=first, valid_through=last)
        for number, (first, last, anchor) in enumerate(terms)
    ]
    main = data.draw(
        st.lists(
            st.sampled_from([None, "C0", "lost"]),
            min_size=len(cards),
            max_size=len(cards),
        )
    )
    main[0] = None
    names = ["card_id", "member_id", "valid_from", "valid_through", "anchor"]
    frame = pd.DataFrame({n: [getattr(c, n) for c in cards] for n in names})
    frame = frame.astype(dict.fromkeys(names[2:], "datetime64[us]"))
    if not with_anchor:
        frame = frame.drop(columns="anchor")
    rows = policy.follow_frame(frame.assign(main_card_id=pd.array(main, dtype="str")))
    for row, own, link in zip(rows.to_dict("records"), cards, main, strict=True):
        expected, outcome = own, ""
        if link == "lost":
            outcome = "main_unknown"
        elif link:
            followed = policy.follow(own, cards[0], as_of=dt.date(2026, 1, 1))
            expected, outcome = followed.card, followed.decision.outcome
        found = {n: row[n] if n in names[:2] else row[n].date() for n in names}
        assert Card(**found) == expected
        assert row["link"] == outcome


def test_a_linked_card_loses_no_paid_day_when_the_main_card_renews_early():
    """Whether it is told the main card or only its next term, today stays valid."""
    child = card(2, valid_from=dt.date(2026, 3, 1))
    renewed = Renewal().renew(card(), as_of=dt.date(2026, 12, 3))
    row = card(
        valid_from=renewed.term.start,
        valid_through=renewed.term.through,
        anchor=card().anchor,
    )
    for main in (renewed.card, row):
        for start in ("own", "main"):
            followed = LinkedCards(start=start).follow(
                child, main, as_of=dt.date(2026, 12, 10)
            )
            assert followed.card.valid_from <= dt.date(2026, 3, 1)
            assert followed.card.valid_through == dt.date(2027, 12, 31)
        own = LinkedCards().follow(child, main, as_of=dt.date(2026, 12, 10)).card
        assert own.valid_from == dt.date(2026, 3, 1)
    # One that had ended before begins with the main card's next term.
    ended = card(2, valid_from=dt.date(2026, 3, 1), valid_through=dt.date(2026, 5, 1))
    late = LinkedCards().follow(ended, row, as_of=dt.date(2026, 12, 10)).card
    assert late.valid_from == dt.date(2027, 1, 1)


def test_a_row_that_is_no_term_follows_nothing():
    """A linked or main card without a day stays as it was, and says so."""
    day, gap = "2026-01-01", None
    frame = pd.DataFrame(
        {
            "card_id": ["C1", "C2", "C3", "C4", "C5"],
            "valid_from": pd.to_datetime([day, day, day, gap, "2026-02-01"]),
            "valid_through": pd.to_datetime([day, gap, day, day, day]),
            "main_card_id": [None, None, "C2", "C1", "C1"],
        }
    )
    rows = LinkedCards().follow_frame(frame)
    assert rows["link"].tolist() == ["", "", "no_term", "no_term", "no_term"]
    for name in ("valid_from", "valid_through"):
        assert rows[name].equals(frame[name].astype("datetime64[us]"))


def test_a_linked_card_gets_each_renewal_of_its_main_card():
    """It runs as long as the main card, never longer, and keeps its own first day."""
    child = card(2, valid_from=dt.date(2026, 3, 1), valid_through=dt.date(2029, 1, 1))
    followed = LinkedCards().follow(child, card(), as_of=dt.date(2026, 5, 1))
    assert followed.card.valid_from == dt.date(2026, 3, 1)
    assert followed.card.valid_through == dt.date(2026, 12, 31)
    inherited = LinkedCards(start="main").follow(
        child, card(), as_of=dt.date(2026, 5, 1)
    )
    assert inherited.card.valid_from == dt.date(2026, 1, 1)
    late = card(3, valid_from=dt.date(2027, 3, 1), valid_through=dt.date(2028, 1, 1))
    ended = LinkedCards().follow(late, card(), as_of=dt.date(2026, 5, 1))
    assert ended.decision.outcome == "ended"
    assert not ended.decision.reasons[0].met
    assert ended.card.valid_through == ended.card.valid_from == dt.date(2027, 3, 1)


def test_links_go_one_step():
    """A card that follows itself, or a follower, is refused: no circle can be."""
    with pytest.raises(InvalidValueError, match="itself"):
        LinkedCards().follow(card(), card(), as_of=dt.date(2026, 5, 1))
    frame = pd.DataFrame(
        {
            "card_id": ["C1", "C2"],
            "valid_from": pd.to_datetime(["2026-01-01"] * 2),
            "valid_through": pd.to_datetime(["2026-12-31"] * 2),
            "main_card_id": ["C2", "C1"],
        }
    )
    with pytest.raises(InvalidValueError, match="stands for itself"):
        LinkedCards().follow_frame(frame)
    with pytest.raises(InvalidValueError, match="twice"):
        LinkedCards().follow_frame(frame.assign(card_id="C1", main_card_id=None))
    with pytest.raises(MissingColumnsError, match="main_card_id"):
        LinkedCards().follow_frame(frame.drop(columns="main_card_id"))
    with pytest.raises(InvalidValueError, match="'own' or 'main'"):
        LinkedCards(start="mine")
