"""One card at a till, a million in an office: the same waiver (HQ §4.2)."""

import datetime as dt
from decimal import Decimal

import attrs
import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.domain import Card, Currency, Decision, Money
from memberops.errors import (
    ColumnTypeError,
    FrameError,
    InvalidValueError,
    MissingColumnsError,
    ScheduleError,
)
from memberops.policies import (
    AllOf,
    AtLeast,
    CardState,
    FeeWaiver,
    Lifetime,
    MembershipFee,
    Term,
    WaiverDecision,
    membership_year,
)
from memberops.policies.free_years import free_reading
from memberops.schedules.dates import add_days, add_months

DAY = dt.timedelta(days=1)
NOVEMBER = dt.date(2026, 11, 5)


def card(first: dt.date, last: dt.date, number: int = 1, **other) -> Card:
    """Make a card."""
    return Card(
        card_id=f"C{number}",
        member_id=f"M{number}",
        valid_from=first,
        valid_through=last,
        **other,
    )


YEAR_CARD = card(dt.date(2026, 1, 1), dt.date(2026, 12, 31))


def test_what_it_should_feel_like():
    """The example of the design: what is missing, in both languages, and until when."""
    answer = FeeWaiver().decide(YEAR_CARD, purchases=2, spend="770.00", as_of=NOVEMBER)

    assert answer.waived is False
    assert answer.explain("zh") == "还差 1 次消费或 230.00 元（截至 2026-12-31）"
    assert answer.explain("en") == (
        "1 more purchase, or 230.00 more (until 2026-12-31)"
    )
    assert [reason.rule for reason in answer.reasons] == ["purchases", "spend"]
    assert isinstance(answer, Decision)
    assert isinstance(answer, WaiverDecision)
    assert (answer.policy, answer.version, answer.as_of) == (
        "fee-waiver",
        "1",
        NOVEMBER,
    )


@pytest.mark.parametrize(
    ("purchases", "spend", "waived"),
    [
        (3, 0, True),
        (2, "1000.00", True),
        (2, "999.99", False),
        (0, 0, False),
        (None, 0, False),
        (None, 1000, True),
        (3, None, True),
        (None, None, False),
        (3, "-50", True),
    ],
)
def test_three_purchases_or_a_thousand_spent(purchases, spend, waived):
    """Either condition waives, the threshold included; what is unknown never does."""
    answer = FeeWaiver().decide(
        YEAR_CARD, purchases=purchases, spend=spend, as_of=NOVEMBER
    )
    assert answer.waived is waived


def test_outcome_says_whether_it_is_still_open():
    """While the year runs the waiver is open; after its last day the fee is due."""
    last = YEAR_CARD.valid_through
    for day, outcome, changes in [
        (last - DAY, "open", last + DAY),
        (last, "open", last + DAY),
        (last + DAY, "fee_due", None),
    ]:
        answer = FeeWaiver().decide(YEAR_CARD, purchases=0, spend=0, as_of=day)
        assert (answer.outcome, answer.changes_on) == (outcome, changes)
    answer = FeeWaiver().decide(YEAR_CARD, purchases=3, spend=0, as_of=last)
    assert (answer.outcome, answer.changes_on) == ("waived", None)
    assert answer.explain("zh") == "已免年费：消费次数 3（需 3）"
    assert answer.explain("en") == "fee waived: 3 purchases (3 needed)"


def test_nobody_is_told_to_buy_after_the_last_day():
    """Once the year is over the sentence says so, and what was missing (HQ §4.2)."""
    last = YEAR_CARD.valid_through
    for day in (last + DAY, dt.date(2027, 11, 5)):
        answer = FeeWaiver().decide(YEAR_CARD, purchases=2, spend="770.00", as_of=day)
        assert (answer.outcome, answer.changes_on) == ("fee_due", None)
        assert answer.explain("en") == (
            "missing at the end: 1 more purchase, or 230.00 more "
            "(the term ended on 2026-12-31; nothing can be added any more)"
        )
        assert answer.explain("zh") == (
            "期满时还差 1 次消费或 230.00 元（本期已于 2026-12-31 结束，不能再补）"
        )
    on_it = FeeWaiver().decide(YEAR_CARD, purchases=2, spend="770.00", as_of=last)
    assert on_it.explain("en").endswith("(until 2026-12-31)")
    met = FeeWaiver().decide(YEAR_CARD, purchases=3, spend=0, as_of=last + DAY)
    assert met.explain("zh") == "已免年费：消费次数 3（需 3）"


def test_thresholds_are_the_chains():
    """A chain changes the numbers, the currency and the rule itself."""
    waiver = FeeWaiver(purchases=None, spend="0.125", currency=Currency("GBP", 3))
    assert not waiver.decide(YEAR_CARD, spend="0.124", as_of=NOVEMBER).waived
    assert waiver.decide(
        YEAR_CARD, spend=Money.of("0.125", Currency("GBP", 3)), as_of=NOVEMBER
    ).waived

    both = FeeWaiver(rule=AllOf(AtLeast("spend", 500), AtLeast("referrals", 1)))
    answer = both.decide(YEAR_CARD, spend=500, referrals=0, as_of=NOVEMBER)
    assert answer.explain("zh") == "还差 1 位推荐（截至 2026-12-31）"


def test_evolving_a_waiver_changes_its_rule():
    """A policy is a value: changing its number changes what it decides."""
    waiver = FeeWaiver()
    assert waiver.decide(YEAR_CARD, purchases=3, spend=0, as_of=NOVEMBER).waived
    stricter = attrs.evolve(waiver, purchases=4, version="2")
    answer = stricter.decide(YEAR_CARD, purchases=3, spend=0, as_of=NOVEMBER)
    assert not answer.waived
    assert answer.version == "2"


@pytest.mark.parametrize("bad", [1000.0, True, "many", Decimal("1000.001")])
def test_bad_spend_thresholds_are_refused(bad):
    """An amount of the policy is as exact as any other."""
    with pytest.raises(InvalidValueError):
        FeeWaiver(spend=bad)


def test_a_waiver_without_condition_is_refused():
    """What never or always waives is no waiver; an unknown year has a hint."""
    with pytest.raises(InvalidValueError, match="needs a condition"):
        FeeWaiver(purchases=None, spend=None)
    with pytest.raises(InvalidValueError, match="'membership' or 'calendar'"):
        FeeWaiver(year="fiscal")
    with pytest.raises(InvalidValueError, match="AnyOf"):
        FeeWaiver(rule="purchases >= 3")


def test_bad_questions_are_refused():
    """A misspelt, forgotten or inexact figure and a moment as day are errors."""
    ask = FeeWaiver().decide
    with pytest.raises(InvalidValueError, match="did you mean 'purchases'"):
        ask(YEAR_CARD, purchase=2, spend=0, as_of=NOVEMBER)
    with pytest.raises(InvalidValueError, match="needs the figure 'spend'"):
        ask(YEAR_CARD, purchases=2, as_of=NOVEMBER)
    with pytest.raises(InvalidValueError, match="a float cannot be money"):
        ask(YEAR_CARD, purchases=2, spend=770.0, as_of=NOVEMBER)
    with pytest.raises(InvalidValueError, match="date without time"):
        ask(
            YEAR_CARD,
            purchases=2,
            spend=0,
            as_of=dt.datetime(2026, 11, 5, tzinfo=dt.UTC),
        )


@pytest.mark.parametrize(
    ("anchor", "first", "last", "start"),
    [
        ((2025, 4, 1), (2025, 4, 1), (2026, 3, 31), (2025, 4, 1)),
        ((2024, 2, 29), (2024, 2, 29), (2025, 2, 27), (2024, 2, 29)),
        ((2024, 2, 29), (2025, 2, 28), (2026, 2, 27), (2025, 2, 28)),
        ((2024, 2, 29), (2027, 2, 28), (2028, 2, 28), (2027, 2, 28)),
        ((2023, 3, 1), (2023, 3, 1), (2024, 2, 29), (2023, 3, 1)),
        ((2024, 3, 1), (2024, 3, 1), (2025, 2, 28), (2024, 3, 1)),
        ((2026, 10, 1), (2026, 10, 1), (2026, 12, 31), (2026, 1, 1)),
        ((2024, 1, 1), (2024, 1, 1), (2026, 12, 31), (2026, 1, 1)),
    ],
)
def test_the_membership_year_ends_with_the_card(anchor, first, last, start):
    """It is the 12 months that end on the last day, whatever the term is long."""
    held = card(dt.date(*first), dt.date(*last), anchor=dt.date(*anchor))
    window = FeeWaiver().window(held, as_of=NOVEMBER)
    assert (window.start, window.through) == (dt.date(*start), dt.date(*last))


@given(
    st.dates(dt.date(1990, 1, 1), dt.date(2090, 12, 31)),
    st.integers(min_value=1, max_value=30),
)
def test_the_membership_year_of_a_year_card_is_its_term(anchor, number):
    """For a card of 12 months, the year is the term itself, in every year."""
    term = Term().period(anchor, number)
    assert membership_year(term.through, anchor.day) == term


@pytest.mark.parametrize(
    ("as_of", "last"),
    [
        (dt.date(2025, 12, 31), dt.date(2025, 12, 31)),
        (dt.date(2026, 1, 1), dt.date(2026, 3, 31)),
        (dt.date(2026, 4, 30), dt.date(2026, 3, 31)),
        (dt.date(2027, 2, 1), dt.date(2026, 3, 31)),
    ],
)
def test_the_calendar_year_is_the_day_s_own(as_of, last):
    """By calendar year, the day's own year counts, but no day after the card's last."""
    held = card(dt.date(2025, 4, 1), dt.date(2026, 3, 31))
    window = FeeWaiver(year="calendar").window(held, as_of=as_of)
    assert (window.start, window.through) == (
        dt.date(last.year, 1, 1),
        last,
    )


@pytest.mark.parametrize("leap_day", ["clamp", "next_day"])
@pytest.mark.parametrize("anchor", [dt.date(2024, 2, 29), dt.date(1896, 2, 29)])
def test_the_membership_years_of_a_leap_day_never_overlap(leap_day, anchor):
    """Each is the 12 months of its term, whichever rule the chain's term has."""
    term, waiver = Term(leap_day=leap_day), FeeWaiver(leap_day=leap_day)
    for number in range(1, 10):
        period = term.period(anchor, number)
        held = card(anchor, period.through)
        assert waiver.window(held, as_of=NOVEMBER) == period
        own = card(period.start, period.through, anchor=anchor)
        assert waiver.window(own, as_of=NOVEMBER) == period


@pytest.mark.parametrize("engine", ["pandas", "polars", "polars-lazy", "pyarrow"])
def test_one_ticket_counts_for_one_year_of_a_leap_day(engine):
    """With years from 1 March, each day's ticket counts in the year of its window."""
    anchor = dt.date(2024, 2, 29)
    term, waiver = Term(leap_day="next_day"), FeeWaiver(leap_day="next_day")
    cards = []
    for number in range(1, 6):
        period = term.period(anchor, number)
        cards.append(card(period.start, period.through, number, anchor=anchor))
    cards = [attrs.evolve(each, member_id="M1") for each in cards]
    last = term.period(anchor, 5).through
    tickets = [
        {"member_id": "M1", "sold_on": dt.date(year, 3, 1) + n * DAY, "amount": 1}
        for year in range(2024, 2030)
        for n in range(-3, 3)
    ]
    rows = [{name: getattr(each, name) for name in CARDS.names} for each in cards]
    native = waiver.figures(
        in_engine(tickets, TICKETS, engine), in_engine(rows, CARDS, engine), as_of=last
    )
    expected = plainly(waiver, cards, tickets, last)
    assert counted(native) == expected
    inside = [t for t in tickets if anchor <= t["sold_on"] <= last]
    assert sum(bought for bought, _ in expected.values()) == len(inside)


@pytest.mark.parametrize("year", ["membership", "calendar"])
def test_what_is_bought_after_the_card_ended_never_counts(year):
    """The answer about a card that has ended is the same on every later day."""
    held = card(dt.date(2025, 4, 1), dt.date(2026, 3, 31))
    rows = [{name: getattr(held, name) for name in CARDS.names}]
    tickets = [
        {"member_id": "M1", "sold_on": dt.date(2026, month, 9), "amount": 10}
        for month in (3, 5, 6, 7)
    ]
    waiver = FeeWaiver(year=year)
    for as_of in (dt.date(2026, 4, 1), dt.date(2026, 12, 31), dt.date(2027, 6, 1)):
        native = waiver.figures(
            in_engine(tickets, TICKETS, "pandas"),
            in_engine(rows, CARDS, "pandas"),
            as_of=as_of,
        )
        assert counted(native) == {"C1": (1, 10)}
        answer = waiver.decide(held, as_of=as_of, purchases=1, spend="0.10")
        assert (answer.outcome, answer.changes_on) == ("fee_due", None)
        assert "2026-03-31" in answer.explain("zh")


@pytest.mark.parametrize("engine", ["pandas", "polars", "pyarrow"])
def test_a_ticket_without_a_day_is_left_out(engine):
    """It belongs to no year, and stops nothing."""
    held = card(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    rows = [{name: getattr(held, name) for name in CARDS.names}]
    tickets = [
        {"member_id": "M1", "sold_on": day, "amount": 10}
        for day in (None, dt.date(2026, 5, 1))
    ]
    native = FeeWaiver().figures(
        in_engine(tickets, TICKETS, engine), in_engine(rows, CARDS, engine),
        as_of=dt.date(2026, 11, 5),
    )  # fmt: skip
    assert counted(native) == {"C1": (1, 10)}


cards_of_all = st.builds(
    lambda first, months, back: card(
        first,
        add_months(first, months) - DAY,
        anchor=add_months(first, -back),
    ),
    st.dates(dt.date(2023, 1, 1), dt.date(2025, 1, 1)),
    st.sampled_from([1, 3, 6, 12, 24]),
    st.sampled_from([0, 0, 12]),
)


@examples(2 / 3)
@given(
    cards_of_all,
    st.sampled_from(["membership", "calendar"]),
    st.integers(0, 2),
    st.integers(-60, 800),
    st.sampled_from([0, 3, None]),
    st.integers(0, 1),
)
def test_an_answer_is_the_same_until_the_day_it_names(
    held, year, free, shift, bought, notice
):
    """Day by day, no waiver and no state of a card changes before *changes_on*."""
    waiver = FeeWaiver(year=year, free_years=free)
    state = CardState(waiver=waiver, notice_months=notice, grace_days=3)
    as_of = held.valid_from + shift * DAY

    def asked(policy, day):
        # A new calendar year has no purchases yet.
        anew = waiver.window(held, as_of=day) != waiver.window(held, as_of=as_of)
        count = 0 if anew and bought else bought
        spend = None if bought is None else 0
        return policy.decide(held, as_of=day, purchases=count, spend=spend)

    for policy in (waiver, state):
        answer = asked(policy, as_of)
        days = (as_of + n * DAY for n in range(1, 800))
        turn = next(
            (day for day in days if asked(policy, day).outcome != answer.outcome), None
        )
        if turn is not None:
            assert answer.changes_on is not None
            assert as_of < answer.changes_on <= turn
        if free and free_reading(held, free):
            assert answer.changes_on == turn


def test_the_first_terms_of_a_membership_are_free():
    """One free year is the year of joining, however long the terms are."""
    joined, fees = dt.date(2026, 5, 1), MembershipFee(renewal=100, joining=20)
    waiver = FeeWaiver(free_years=1)
    for terms, due in ((1, 2_000), (3, 22_000)):
        free = waiver.free_terms(joined, anchor=joined, terms=terms)
        charge = fees.charge(as_of=joined, terms=terms, joining=True, waived_terms=free)
        assert charge.amount.minor == due
    second = dt.date(2027, 5, 1)
    assert waiver.free_terms(second, anchor=joined) == 0
    assert FeeWaiver(free_years=2).free_terms(second, anchor=joined) == 1
    assert FeeWaiver().free_terms(joined, anchor=joined) == 0
    months = Term(count=1)
    assert waiver.free_terms(joined, anchor=joined, terms=30, term=months) == 12
    assert waiver.free_terms(joined, anchor=joined, terms=2, term=Lifetime()) == 2
    leap = dt.date(2024, 2, 29)
    later = Term(leap_day="next_day")
    assert waiver.free_terms(leap, anchor=leap, terms=5, term=later) == 1
    with pytest.raises(ScheduleError, match="terms"):
        waiver.free_terms(joined, anchor=joined, terms=0)
    with pytest.raises(ScheduleError, match="anchor"):
        waiver.free_terms(joined, anchor=second)


def test_a_new_calendar_year_reopens_the_question():
    """Who has the waiver of one calendar year starts again in the card's next one."""
    held = card(dt.date(2025, 4, 1), dt.date(2027, 3, 31))
    answer = FeeWaiver(year="calendar").decide(
        held, purchases=3, spend=0, as_of=dt.date(2026, 5, 1)
    )
    assert (answer.outcome, answer.changes_on) == ("waived", dt.date(2027, 1, 1))


def test_a_card_for_ever_has_a_year():
    """9999-12-31 stands for no end; nothing overflows."""
    held = card(dt.date(2025, 4, 1), dt.date.max)
    for year in ("membership", "calendar"):
        answer = FeeWaiver(year=year).decide(
            held, purchases=0, spend=0, as_of=dt.date(2026, 5, 1)
        )
        assert answer.outcome == "open"


# Figures from tickets.

near_leap = st.one_of(
    st.dates(dt.date(2023, 2, 20), dt.date(2025, 3, 10)),
    st.dates(dt.date(2024, 2, 26), dt.date(2024, 3, 3)),
)
FEBRUARY_ENDS = [
    dt.date(year, 3, 1) - days * DAY for year in (2024, 2025) for days in (1, 2, 3)
]
offsets = st.one_of(st.integers(-400, 400), st.sampled_from([-1, 0, 1]))


@st.composite
def ledgers(draw):
    """Draw cards, and tickets that like to fall on the bounds of their years."""
    cards = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        anchor = draw(near_leap)
        months = draw(st.sampled_from([1, 6, 12, 12, 12, 24]))
        skip = draw(st.integers(0, 3))
        first = add_months(anchor, skip * months)
        last = add_months(anchor, (skip + 1) * months) - DAY
        if draw(st.booleans()):
            last = draw(st.sampled_from(FEBRUARY_ENDS))
            first, anchor = min(first, last), min(anchor, last)
        cards.append(card(first, last, number, anchor=anchor))
    tickets = []
    for _ in range(draw(st.integers(0, 12))):
        owner = draw(st.sampled_from([*cards, None]))
        near = draw(st.sampled_from(cards))
        window = FeeWaiver().window(near, as_of=NOVEMBER)
        base = draw(
            st.sampled_from(
                [
                    window.start,
                    window.through,
                    dt.date(2024, 12, 31),
                    dt.date(2024, 1, 1),
                ]
            )
        )
        tickets.append(
            {
                "member_id": owner.member_id if owner else None,
                "sold_on": base + draw(offsets) * DAY,
                "amount": draw(st.sampled_from([-500, -1, 0, 1, 40000, 100000])),
            }
        )
    as_of = draw(st.dates(dt.date(2024, 1, 1), dt.date(2026, 12, 31)))
    return cards, tickets, as_of


def plainly(waiver, cards, tickets, as_of):
    """Count by the definition, one ticket at a time."""
    result = {}
    for held in cards:
        window = waiver.window(held, as_of=as_of)
        amounts = [
            ticket["amount"]
            for ticket in tickets
            if ticket["member_id"] == held.member_id
            and ticket["sold_on"] in window
            and ticket["sold_on"] <= as_of
        ]
        result[held.card_id] = (sum(a > 0 for a in amounts), sum(amounts))
    return result


def in_engine(rows: list[dict], schema: pa.Schema, engine: str):
    """Bring rows into an engine."""
    table = pa.Table.from_pylist(rows, schema)
    if engine == "pandas":
        frame = table.to_pandas()
        for name in ("sold_on", "valid_from", "valid_through", "anchor"):
            if name in frame:
                frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
        return frame
    if engine == "polars":
        return pl.from_arrow(table)
    if engine == "polars-lazy":
        return pl.from_arrow(table).lazy()
    if engine == "duckdb":
        return duckdb.connect().from_arrow(table)
    return table


CARDS = pa.schema(
    [("card_id", pa.string()), ("member_id", pa.string())]
    + [(name, pa.date32()) for name in ("valid_from", "valid_through", "anchor")]
)
TICKETS = pa.schema(
    [("member_id", pa.string()), ("sold_on", pa.date32()), ("amount", pa.int64())]
)


def counted(native) -> dict:
    """Read figures back by card."""
    frame = nw.from_native(native)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    columns = (frame[name].to_list() for name in ("card_id", "purchases", "spend"))
    return {key: (int(n), int(s)) for key, n, s in zip(*columns, strict=True)}


@pytest.mark.parametrize("engine", ["pandas", "polars", "polars-lazy", "pyarrow"])
@pytest.mark.parametrize("year", ["membership", "calendar"])
@examples(1 / 5)
@given(ledgers())
def test_figures_count_what_the_window_holds(engine, year, ledger):
    """Each card's tickets are counted in its own year, to the day, on every engine."""
    cards, tickets, as_of = ledger
    waiver = FeeWaiver(year=year)
    rows = [attrs.asdict(held) for held in cards]
    held = in_engine(
        [{name: row[name] for name in CARDS.names} for row in rows], CARDS, engine
    )
    sold = in_engine(tickets, TICKETS, engine)

    figures = counted(waiver.figures(sold, held, as_of=as_of))

    assert figures == plainly(waiver, cards, tickets, as_of)


@pytest.mark.parametrize("year", ["membership", "calendar"])
def test_figures_on_duckdb(year):
    """DuckDB counts the same, for a whole grid of days around the bounds at once."""
    day = dt.date(2024, 1, 31)
    cards, tickets = [], []
    for number in range(1, 45):
        first = day + number * DAY
        last = add_days(add_months(first, 12), -1)
        cards.append(card(first, last, number))
        tickets += [
            {
                "member_id": f"M{number}",
                "sold_on": bound + shift * DAY,
                "amount": amount,
            }
            for bound in (first, last, dt.date(2024, 12, 31))
            for shift in (-1, 0, 1)
            for amount in (-5, 0, 7)
        ]
    as_of = dt.date(2025, 3, 1)
    waiver = FeeWaiver(year=year)
    connection = duckdb.connect()
    held = connection.from_arrow(
        pa.Table.from_pylist(
            [{n: getattr(c, n) for n in CARDS.names} for c in cards], CARDS
        )
    )
    sold = connection.from_arrow(pa.Table.from_pylist(tickets, TICKETS))

    figures = waiver.figures(sold, held, as_of=as_of)

    assert isinstance(figures, duckdb.DuckDBPyRelation)
    assert counted(figures) == plainly(waiver, cards, tickets, as_of)


def test_a_renewed_card_has_figures_for_each_term():
    """One card number with two terms keeps the tickets of each apart."""
    cards = pd.DataFrame(
        {
            "card_id": ["C1", "C1"],
            "member_id": ["M1", "M1"],
            "valid_from": pd.to_datetime(["2025-01-01", "2026-01-01"]),
            "valid_through": pd.to_datetime(["2025-12-31", "2026-12-31"]),
        }
    )
    tickets = pd.DataFrame(
        {
            "member_id": ["M1"] * 3,
            "sold_on": pd.to_datetime(["2025-12-31", "2026-01-01", "2026-02-01"]),
            "amount": [100, 200, 300],
        }
    )
    figures = FeeWaiver().figures(tickets, cards, as_of=NOVEMBER)
    assert figures[["purchases", "spend"]].to_numpy().tolist() == [[1, 100], [2, 500]]


def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make one ticket and one card."""
    tickets = pd.DataFrame(
        {
            "member_id": ["M1"],
            "sold_on": pd.to_datetime(["2026-02-01"]),
            "amount": [500],
        }
    )
    cards = pd.DataFrame(
        {
            "card_id": ["C1"],
            "member_id": ["M1"],
            "valid_from": pd.to_datetime(["2026-01-01"]),
            "valid_through": pd.to_datetime(["2026-12-31"]),
        }
    )
    return tickets, cards


def test_lines_are_not_tickets():
    """Sales lines, each of which would count as a purchase, are refused."""
    tickets, cards = frames()
    lines = tickets.assign(item_id="I1")
    with pytest.raises(FrameError, match=r"metrics\.tickets"):
        FeeWaiver().figures(lines, cards, as_of=NOVEMBER)


def test_bad_frames_are_refused():
    """Missing columns, float money, zoned moments and mixed engines are errors."""
    tickets, cards = frames()
    count = FeeWaiver().figures
    with pytest.raises(MissingColumnsError, match="valid_through"):
        count(tickets, cards.drop(columns="valid_through"), as_of=NOVEMBER)
    with pytest.raises(MissingColumnsError, match="tickets"):
        count(tickets.drop(columns="amount"), cards, as_of=NOVEMBER)
    with pytest.raises(ColumnTypeError, match="minor units"):
        count(tickets.assign(amount=5.0), cards, as_of=NOVEMBER)
    zoned = tickets.assign(sold_on=tickets["sold_on"].dt.tz_localize("UTC"))
    with pytest.raises(ColumnTypeError, match="calendar days"):
        count(zoned, cards, as_of=NOVEMBER)
    with pytest.raises(ColumnTypeError, match="calendar days"):
        count(tickets.assign(sold_on="2026-02-01"), cards, as_of=NOVEMBER)
    with pytest.raises(InvalidValueError, match="one engine"):
        count(pl.from_pandas(tickets), cards, as_of=NOVEMBER)
    with pytest.raises(FrameError, match="already has"):
        count(tickets, cards.assign(spend=1), as_of=NOVEMBER)
    with pytest.raises(InvalidValueError, match="no clock"):
        count(tickets, cards, as_of="2026-11-05")


def test_lazy_and_eager_frames_meet():
    """A lazy frame of tickets and an eager one of cards are of one engine."""
    tickets, cards = (pl.from_pandas(frame) for frame in frames())
    figures = FeeWaiver().figures(tickets.lazy(), cards, as_of=NOVEMBER)
    assert counted(figures) == {"C1": (1, 500)}


def test_cards_without_dates_are_left_out():
    """A card whose last day is not known has no year to count in."""
    tickets, cards = frames()
    cards.loc[0, "valid_through"] = pd.NaT
    assert FeeWaiver().figures(tickets, cards, as_of=NOVEMBER).empty


def test_frame_and_scalar_decide_the_same_tickets():
    """From tickets to decision, the office and the till agree to the cent."""
    tickets, cards = frames()
    waiver = FeeWaiver(purchases=2, spend="5.00")
    row = waiver.decide_frame(waiver.figures(tickets, cards, as_of=NOVEMBER)).iloc[0]
    answer = waiver.decide(
        YEAR_CARD,
        purchases=int(row["purchases"]),
        spend=Currency("CNY").to_decimal(row["spend"]),
        as_of=NOVEMBER,
    )
    assert answer.waived is bool(row["waived"]) is True


def test_sales_lines_are_no_tickets():
    """The smallest frame of lines is refused: three lines of one ticket are one."""
    lines = pd.DataFrame(
        {
            "ticket_id": ["T1"] * 3,
            "member_id": ["M1"] * 3,
            "store_id": ["S1"] * 3,
            "sold_on": pd.to_datetime(["2026-10-01"] * 3),
            "quantity": [1] * 3,
            "amount": [100] * 3,
        }
    )
    cards = pd.DataFrame(
        {
            "card_id": ["C1"],
            "member_id": ["M1"],
            "valid_from": pd.to_datetime(["2025-12-01"]),
            "valid_through": pd.to_datetime(["2026-11-30"]),
        }
    )

    with pytest.raises(FrameError, match="quantity"):
        FeeWaiver().figures(lines, cards, as_of=dt.date(2026, 10, 5))


@pytest.mark.parametrize(
    "options", [{"purchases": 0}, {"purchases": -3}, {"spend": "-5"}, {"spend": 0}]
)
def test_a_threshold_that_waives_everyone_is_refused(options):
    """Zero and below would waive every card in silence; None switches off."""
    with pytest.raises(InvalidValueError, match="above zero"):
        FeeWaiver(**options)
    assert FeeWaiver(spend=None).purchases == 3
