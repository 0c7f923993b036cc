"""Promises of the waiver in full: free years, exclusions, evidence, claw-back."""

import datetime as dt

import attrs
import narwhals as nw
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.domain import Card, Currency, Money
from memberops.errors import (
    ColumnTypeError,
    InvalidValueError,
    MissingColumnsError,
)
from memberops.policies import (
    AtLeast,
    ClawBack,
    Exclusion,
    FeeWaiver,
    FrozenWaiver,
    Reopening,
    expiring_members,
    kept,
    waiver_evidence,
)
from memberops.schedules import Period
from test_fee_waiver import in_engine, ledgers

CNY = Currency("CNY")
DAY = dt.timedelta(days=1)
NOVEMBER = dt.date(2026, 11, 5)
ENGINES = ["pandas", "polars", "polars-lazy", "pyarrow", "duckdb"]
STAFF = Exclusion("ticket_kind", ["staff", "gift_card"], name_zh="内部购物")
TICKETS = pa.schema(
    [
        ("ticket_id", pa.string()),
        ("member_id", pa.string()),
        ("sold_on", pa.date32()),
        ("amount", pa.int64()),
        ("ticket_kind", pa.string()),
    ]
)
CARDS = pa.schema(
    [("card_id", pa.string()), ("member_id", pa.string())]
    + [(name, pa.date32()) for name in ("valid_from", "valid_through", "anchor")]
)


def card(**given_) -> Card:
    """Make a card of 2026."""
    return Card(
        **{
            "card_id": "C1",
            "member_id": "M1",
            "valid_from": dt.date(2026, 1, 1),
            "valid_through": dt.date(2026, 12, 31),
            **given_,
        }
    )


def read(native) -> dict[str, list]:
    """Read the columns of a frame of any engine."""
    frame = nw.from_native(native)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    return {name: frame[name].to_list() for name in frame.columns}


@given(
    st.from_regex(r"-?[0-9]{0,16}\.?[0-9]{0,3}", fullmatch=True)
    | st.sampled_from(["1e2", " 5.00", "５.00", "1_0.00", "+1.00", "0007.10"]),
    st.sampled_from(["CNY", "JPY", "KWD"]),
)
def test_an_amount_read_in_a_hurry_is_the_same(text, code):
    """A till's short way to minor units gives what the currency gives, or refuses."""
    currency = Currency(code)
    condition = AtLeast("spend", 1, currency=currency)
    try:
        expected = currency.to_minor(text)
    except InvalidValueError:
        with pytest.raises(InvalidValueError):
            condition.to_units(text)
    else:
        assert condition.to_units(text) == expected


def test_the_first_years_are_free_whatever_is_bought():
    """With two free years the first renewal is free, the second is not."""
    waiver = FeeWaiver(free_years=2)
    nothing = {"purchases": 0, "spend": 0, "as_of": NOVEMBER}
    first = waiver.decide(card(), **nothing)
    assert (first.outcome, first.waived) == ("waived", True)
    assert first.explain("zh") == "已免年费：剩余免费年数 1（需 1）"
    assert first.explain("en") == "fee waived: 1 free year left (1 needed)"
    assert not FeeWaiver(free_years=1).decide(card(), **nothing).waived
    second = card(anchor=dt.date(2025, 1, 1))
    assert waiver.decide(second, **nothing).outcome == "open"
    half = card(valid_through=dt.date(2026, 6, 30))
    assert FeeWaiver(free_years=1).decide(half, **nothing).waived
    leap = Card(
        card_id="C1",
        member_id="M1",
        valid_from=dt.date(2024, 2, 29),
        valid_through=dt.date(2025, 2, 27),
    )
    assert not FeeWaiver(free_years=1).decide(leap, **nothing).waived
    eve = attrs.evolve(leap, valid_through=dt.date(2025, 2, 26))
    assert FeeWaiver(free_years=1).decide(eve, **nothing).waived
    assert not waiver.decide(card(valid_through=dt.date.max), **nothing).waived


@pytest.mark.parametrize("engine", ENGINES)
@examples(1 / 8)
@given(ledgers(), st.integers(1, 4), st.lists(st.booleans(), min_size=4, max_size=4))
def test_free_years_scalar_equals_frame(engine, ledger, years, gaps):
    """A frame of any engine finds the same cards free, leap days and gaps included."""
    cards, _, as_of = ledger
    cards = [
        attrs.evolve(each, anchor=each.valid_from) if gap else each
        for each, gap in zip(cards, gaps, strict=False)
    ]
    waiver = FeeWaiver(free_years=years)
    rows = [
        {
            **{name: getattr(each, name) for name in CARDS.names},
            "anchor": None if gap else each.anchor,
            "purchases": 0,
            "spend": 0,
        }
        for each, gap in zip(cards, gaps, strict=False)
    ]
    schema = pa.schema([*CARDS, ("purchases", pa.int64()), ("spend", pa.int64())])
    found = read(waiver.decide_frame(in_engine(rows, schema, engine)))
    alone = [
        waiver.decide(each, as_of=as_of, purchases=0, spend=0).waived for each in cards
    ]
    by_card = dict(zip(found["card_id"], found["waived"], strict=True))
    assert [bool(by_card[each.card_id]) for each in cards] == alone


def test_a_free_card_is_not_on_the_list():
    """The list of expiring members leaves out whose next year is free."""
    cards = pd.DataFrame(
        {
            "card_id": ["C1", "C2"],
            "member_id": ["M1", "M2"],
            "valid_from": pd.to_datetime(["2025-12-01"] * 2),
            "valid_through": pd.to_datetime(["2026-11-30"] * 2),
            "anchor": pd.to_datetime(["2025-12-01", "2024-12-01"]),
        }
    )
    rows = expiring_members(
        cards,
        cards.assign(purchases=0, spend=0),
        month=Period.month(2026, 10),
        waiver=FeeWaiver(free_years=2),
    )
    assert rows["card_id"].tolist() == ["C2"]


@pytest.mark.parametrize("engine", ENGINES)
@examples(1 / 8)
@given(ledgers(), st.data())
def test_evidence_equals_the_figures_of_the_frame(engine, ledger, data):
    """What a case's tickets add up to is what the frame counts, on each engine."""
    cards, tickets, as_of = ledger
    kinds = st.sampled_from([None, "normal", "staff", "gift_card"])
    for number, ticket in enumerate(tickets):
        ticket |= {"ticket_id": f"T{number}", "ticket_kind": data.draw(kinds)}
    year = data.draw(st.sampled_from(["membership", "calendar"]))
    waiver = FeeWaiver(year=year, exclusions=[STAFF])
    sold = in_engine(tickets, TICKETS, engine)
    rows = [{name: getattr(each, name) for name in CARDS.names} for each in cards]
    # Two tables of two DuckDB connections do not meet: there polars counts.
    other = "polars" if engine == "duckdb" else engine
    figures = waiver.figures(
        in_engine(tickets, TICKETS, other), in_engine(rows, CARDS, other), as_of=as_of
    )
    counted = read(waiver.decide_frame(figures))
    for number, name in enumerate(counted["card_id"]):
        (own,) = [each for each in cards if each.card_id == name]
        found = waiver_evidence(waiver, own, sold, as_of=as_of)
        assert found.purchases == counted["purchases"][number]
        assert found.spend == Money(int(counted["spend"][number]), CNY)
        assert found.decision.waived == counted["waived"][number]
        mine = {
            ticket["ticket_id"]
            for ticket in tickets
            if ticket["member_id"] == own.member_id
        }
        assert {line.ticket_id for line in found.lines} == mine


def test_each_ticket_says_why_it_counts_or_not():
    """Lines are in the order of days, with amount, store and a reason each."""
    days = ["2026-05-03", "2025-12-31", "2026-01-01", "2026-12-31", "2026-11-06",
            "2026-06-01", "2027-01-01"]  # fmt: skip
    tickets = pd.DataFrame(
        {
            "ticket_id": [f"T{number}" for number in range(7)],
            "member_id": "M1",
            "store_id": "S1",
            "sold_on": pd.to_datetime(days),
            "amount": [70_000, 1, 2, 3, 4, -5, 6],
            "ticket_kind": ["staff", None, None, None, None, "normal", None],
        }
    )
    waiver = FeeWaiver(exclusions=STAFF)
    found = waiver_evidence(waiver, card(), tickets, as_of=dt.date(2026, 11, 5))
    assert [(line.ticket_id, line.rule, line.counts) for line in found.lines] == [
        ("T1", "before", False),
        ("T2", "purchase", True),
        ("T0", "excluded", False),
        ("T5", "return", True),
        ("T4", "not_known", False),
        ("T3", "not_known", False),
        ("T6", "not_known", False),
    ]
    assert (found.purchases, found.spend) == (1, Money(-3, CNY))
    assert found.lines[2].text_zh == "不计入：内部购物"
    assert found.lines[2].text_en == "excluded: ticket kind"
    late = waiver_evidence(waiver, card(), tickets, as_of=dt.date(2027, 2, 1))
    assert late.lines[-1].rule == "after"
    assert found.to_frame()["amount"].tolist() == [1, 2, 70_000, -5, 4, 3, 6]
    assert "M1" not in found.to_frame().to_string() + repr(found)
    none = waiver_evidence(waiver, card(member_id="M9"), tickets, as_of=NOVEMBER)
    assert (none.lines, len(none.to_frame())) == ((), 0)


def test_categories_are_excluded_from_the_lines():
    """A category is that of an item: its lines are taken off before the tickets."""
    lines = pd.DataFrame({"category": ["food", "gift", None], "amount": [1, 2, 3]})
    assert kept(lines, [Exclusion("category", "gift")])["amount"].tolist() == [1, 3]
    with pytest.raises(MissingColumnsError, match="ticket_kind"):
        kept(lines, [STAFF])
    with pytest.raises(InvalidValueError, match="names the texts"):
        Exclusion("category", [])
    with pytest.raises(InvalidValueError, match="exclusions are a list"):
        FeeWaiver(exclusions=["staff"])
    with pytest.raises(MissingColumnsError, match="ticket_kind"):
        waiver_evidence(
            FeeWaiver(exclusions=STAFF),
            card(),
            pd.DataFrame(
                {"member_id": ["M1"], "sold_on": [dt.date(2026, 1, 1)], "amount": [1]}
            ),
            as_of=NOVEMBER,
        )
    with pytest.raises(ColumnTypeError, match="sold_on"):
        waiver_evidence(
            FeeWaiver(),
            card(),
            pd.DataFrame({"member_id": ["M1"], "sold_on": ["May"], "amount": [1]}),
            as_of=NOVEMBER,
        )


# Claw-back.

RENEWED = dt.date(2026, 12, 20)


def frozen(*, purchases: int = 3, spend: str = "1200.00", **more) -> FrozenWaiver:
    """Freeze a decision of the renewal day."""
    decision = FeeWaiver(**more).decide(
        card(), as_of=RENEWED, purchases=purchases, spend=spend
    )
    return FrozenWaiver(card_id="C1", decided_on=RENEWED, decision=decision)


def reviewed(policy: ClawBack, event: str | None, day: dt.date, **given_):
    """Review a frozen waiver after an event."""
    happened = event and Reopening(event=event, happened_on=day, reference="R1")
    return policy.review(
        given_.pop("was", frozen()),
        happened,
        waiver=FeeWaiver(),
        **{"as_of": day, "purchases": 2, "spend": "900.00", **given_},
    )


@pytest.mark.parametrize(
    ("mode", "after", "outcome"),
    [
        ("never", 0, "frozen"),
        ("within", 0, "clawed_back"),
        ("within", 30, "clawed_back"),
        ("within", 31, "frozen"),
        ("always", 31, "clawed_back"),
        ("always", 3000, "clawed_back"),
    ],
)
def test_a_return_takes_a_waiver_back_as_the_policy_says(mode, after, outcome):
    """Never, through the last day of the window, or always."""
    policy = ClawBack(mode=mode, days=30)
    answer = reviewed(policy, "return", RENEWED + after * DAY)
    assert answer.outcome == outcome
    figures = dict(answer.reasons[0].figures)
    assert figures["reference"] == "R1"
    assert figures["was_waived"] == "yes"
    assert answer.reasons[1].rule == "purchases"
    assert str(RENEWED) in answer.explain("zh") or outcome != "frozen"


def test_a_decision_is_frozen_but_for_a_named_event():
    """Worse or better figures alone change nothing; a correction asks anew."""
    policy = ClawBack(mode="always")
    day = dt.date(2027, 3, 1)
    assert reviewed(policy, None, day).outcome == "frozen"
    assert reviewed(policy, "complaint", day).outcome == "frozen"
    assert reviewed(policy, "correction", day).outcome == "clawed_back"
    assert reviewed(policy, "return", day, purchases=3).outcome == "stands"
    unmet = frozen(purchases=1, spend="10.00")
    assert reviewed(policy, None, day, was=unmet, purchases=5).outcome == "frozen"
    assert reviewed(policy, "return", day, was=unmet, purchases=5).outcome == "stands"
    granted = reviewed(policy, "correction", day, was=unmet, purchases=5)
    assert granted.outcome == "granted"
    assert granted.explain("en").startswith("met after the correction: 5 purchases")
    own = ClawBack(corrections=["appeal"])
    assert reviewed(own, "correction", day).outcome == "frozen"
    assert reviewed(own, "appeal", day).outcome == "clawed_back"


def test_an_event_of_tomorrow_is_not_known_today():
    """Before its day an event opens nothing; the answer changes on that day."""
    policy, day = ClawBack(mode="always"), dt.date(2027, 3, 1)
    answer = reviewed(policy, "return", day, as_of=day - DAY)
    assert (answer.outcome, answer.changes_on) == ("frozen", day)
    assert reviewed(policy, "return", day).changes_on is None


def test_a_free_year_is_not_taken_back():
    """Who was free by the first years loses nothing by a return."""
    was = frozen(purchases=0, spend="0", free_years=2)
    assert was.decision.waived
    day = dt.date(2027, 1, 2)
    answer = reviewed(ClawBack(mode="always"), "return", day, was=was)
    assert answer.outcome == "stands"


@examples(1 / 2)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.none() | st.integers(0, 5),
            st.sampled_from([None, "return", "correction", "other"]),
            st.integers(-5, 40),
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(["never", "within", "always"]),
    st.integers(0, 30),
    st.integers(0, 40),
)
def test_claw_back_scalar_equals_frame(rows, mode, days, after):
    """A frame of frozen waivers gets row by row what each gets alone."""
    policy, as_of = ClawBack(mode=mode, days=days), RENEWED + after * DAY
    happened = [RENEWED + shift * DAY if event else None for _, _, event, shift in rows]
    frame = pd.DataFrame(
        {
            "decided_on": pd.to_datetime([RENEWED] * len(rows)),
            "was_waived": [was >= 3 for was, *_ in rows],
            "event": pd.array([event for _, _, event, _ in rows], dtype="str"),
            "happened_on": pd.to_datetime(pd.Series(happened, dtype=object)),
            "purchases": pd.array([now for _, now, *_ in rows], dtype="Int64"),
            "spend": 0,
        }
    )
    found = policy.review_frame(frame, waiver=FeeWaiver(), as_of=as_of)
    for number, (was, now, event, _) in enumerate(rows):
        answer = policy.review(
            frozen(purchases=was, spend="0"),
            event and Reopening(event=event, happened_on=happened[number]),
            waiver=FeeWaiver(),
            as_of=as_of,
            purchases=now,
            spend=0,
        )
        assert found["outcome"][number] == answer.outcome
        holds = answer.outcome == "granted" or (
            was >= 3 and answer.outcome != "clawed_back"
        )
        assert found["waived"][number] == holds


def test_an_unknown_figure_takes_nothing_back():
    """What could still meet the rule is not below it; what cannot is."""
    policy, day = ClawBack(mode="always"), dt.date(2027, 3, 1)
    for figures in (
        {"purchases": None, "spend": None},
        {"purchases": None, "spend": "0"},
        {"purchases": 2, "spend": None},
    ):
        for event in ("return", "correction"):
            assert reviewed(policy, event, day, **figures).outcome == "stands"
    known = {"purchases": 2, "spend": "0"}
    assert reviewed(policy, "return", day, **known).outcome == "clawed_back"
    unmet = frozen(purchases=1, spend="10.00")
    asked = reviewed(policy, "correction", day, was=unmet, purchases=None, spend=None)
    assert asked.outcome == "stands"


@pytest.mark.parametrize("gap", [float("nan"), None, pd.NA])
def test_a_row_that_does_not_say_what_was_decided_has_no_answer(gap):
    """Whatever the gap is made of, it is neither waived nor taken back."""
    frame = pd.DataFrame(
        {
            "decided_on": pd.to_datetime([RENEWED, RENEWED, None]),
            "was_waived": pd.Series([True, gap, True], dtype=object),
            "event": "return",
            "happened_on": pd.to_datetime([RENEWED] * 3),
            "purchases": 0,
            "spend": 0,
        }
    )
    found = ClawBack(mode="always").review_frame(
        frame, waiver=FeeWaiver(), as_of=RENEWED
    )
    assert found["outcome"].tolist()[0] == "clawed_back"
    assert found["waived"].tolist()[0] is False
    assert found[["outcome", "waived"]].isna().all(axis=1).tolist() == [
        False, True, True,
    ]  # fmt: skip
    with pytest.raises(ColumnTypeError, match="was_waived"):
        ClawBack().review_frame(
            frame.assign(was_waived="yes"), waiver=FeeWaiver(), as_of=RENEWED
        )


@pytest.mark.parametrize("mode", ["never", "within", "always"])
@pytest.mark.parametrize("event", ["return", "correction", "other"])
@pytest.mark.parametrize("after", [-20, 5, 60])
@pytest.mark.parametrize("purchases", [1, 3])
def test_a_claw_back_names_the_day_on_which_it_changes(mode, event, after, purchases):
    """Day by day, an event changes the answer on its day, or never."""
    policy, day = ClawBack(mode=mode), RENEWED + after * DAY

    def asked(as_of):
        return reviewed(policy, event, day, as_of=as_of, purchases=purchases)

    first = asked(RENEWED)
    later = (RENEWED + n * DAY for n in range(1, 100))
    turn = next((d for d in later if asked(d).outcome != first.outcome), None)
    assert first.changes_on == turn


def test_what_cannot_be_a_claw_back_is_refused():
    """Unknown modes, returns as corrections and missing columns are errors."""
    with pytest.raises(InvalidValueError, match="'mode'"):
        ClawBack(mode="sometimes")
    with pytest.raises(InvalidValueError, match="by 'mode'"):
        ClawBack(corrections=["return"])
    with pytest.raises(InvalidValueError, match="events are"):
        ClawBack(corrections=[""])
    with pytest.raises(MissingColumnsError, match="was_waived"):
        ClawBack().review_frame(
            pd.DataFrame({"decided_on": []}), waiver=FeeWaiver(), as_of=RENEWED
        )
