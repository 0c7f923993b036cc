"""A card's state is derived for a day; exactly one of the seven applies (HQ §4.2)."""

import datetime as dt
from typing import get_args

import narwhals as nw
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.domain import Card, Currency, Money
from memberops.errors import FrameError, InvalidValueError, MissingColumnsError
from memberops.policies import CardState, FeeWaiver, State
from memberops.policies.free_years import free_expression, free_reading
from memberops.policies.grace import KindGrace

DAY = dt.timedelta(days=1)
days = st.dates(dt.date(2024, 1, 1), dt.date(2027, 12, 31))


def card(first: dt.date, last: dt.date) -> Card:
    """Make a card."""
    return Card(card_id="C1", member_id="M1", valid_from=first, valid_through=last)


cards = st.tuples(days, st.integers(0, 500)).map(
    lambda pair: card(pair[0], pair[0] + pair[1] * DAY)
)
policies = st.builds(
    CardState,
    grace_days=st.sampled_from([0, 1, 30]),
    notice_months=st.sampled_from([0, 1, 2]),
)


def months_apart(late: dt.date, early: dt.date) -> int:
    """Count calendar months between two days."""
    return (late.year - early.year) * 12 + late.month - early.month


def definitions(policy: CardState, held: Card, day: dt.date, *, waived: bool) -> list:
    """List every state whose written definition fits, each on its own."""
    first, last = held.valid_from, held.valid_through
    in_term = first <= day <= last
    ahead = months_apart(last, day)
    noticed = in_term and 0 <= ahead <= policy.notice_months
    fits = {
        "pending": day < first,
        "active": in_term and ahead > policy.notice_months,
        "waived": noticed and waived,
        "expiring": noticed and not waived and ahead > 0,
        "fee_due": noticed and not waived and ahead == 0,
        "in_grace": last < day and (day - last).days <= policy.grace_days,
        "expired": last < day and (day - last).days > policy.grace_days,
    }
    assert set(fits) == set(get_args(State))
    return [state for state, fit in fits.items() if fit]


@given(policies, cards, days, st.sampled_from([0, 3, None]))
def test_exactly_one_state_applies(policy, held, day, purchases):
    """The seven states exclude each other, leave no day out, and are the ones given."""
    answer = policy.decide(held, purchases=purchases, spend=0, as_of=day)
    waived = purchases == 3
    assert definitions(policy, held, day, waived=waived) == [answer.outcome]


@given(policies, cards, days, st.booleans())
def test_changes_on_is_the_next_change(policy, held, day, waived):
    """The state stays until the day before *changes_on*, and changes on it."""
    facts = {"purchases": 3 if waived else 0, "spend": 0}
    answer = policy.decide(held, as_of=day, **facts)
    if answer.changes_on is None:
        assert answer.outcome == "expired"
        return
    assert answer.changes_on > day
    for between in {day + DAY, answer.changes_on - DAY} - {answer.changes_on}:
        same = policy.decide(held, as_of=between, **facts)
        assert (same.outcome, same.changes_on) == (answer.outcome, answer.changes_on)
    then = policy.decide(held, as_of=answer.changes_on, **facts)
    assert then.outcome != answer.outcome


@given(policies, cards, st.booleans())
def test_following_changes_walks_through_the_term(policy, held, waived):
    """From before the term, the changes lead to expired in a few steps."""
    facts = {"purchases": 3 if waived else 0, "spend": 0}
    day, seen = held.valid_from - DAY, []
    while day is not None:
        answer = policy.decide(held, as_of=day, **facts)
        seen.append(answer.outcome)
        day = answer.changes_on
    order = [
        "pending",
        "active",
        "expiring",
        "waived",
        "fee_due",
        "in_grace",
        "expired",
    ]
    assert seen == sorted(set(seen), key=order.index)
    assert (seen[0], seen[-1]) == ("pending", "expired")


@pytest.mark.parametrize(
    ("day", "purchases", "state"),
    [
        ((2025, 12, 31), 0, "pending"),
        ((2026, 1, 1), 0, "active"),
        ((2026, 10, 31), 3, "active"),
        ((2026, 11, 1), 2, "expiring"),
        ((2026, 11, 30), 2, "expiring"),
        ((2026, 11, 30), 3, "waived"),
        ((2026, 12, 1), 2, "fee_due"),
        ((2026, 12, 31), 2, "fee_due"),
        ((2026, 12, 31), 3, "waived"),
        ((2027, 1, 1), 3, "in_grace"),
        ((2027, 1, 7), 0, "in_grace"),
        ((2027, 1, 8), 0, "expired"),
    ],
)
def test_a_year_in_the_life_of_a_card(day, purchases, state):
    """The year of a card through 31 December, with a week of grace."""
    answer = CardState(grace_days=7).decide(
        card(dt.date(2026, 1, 1), dt.date(2026, 12, 31)),
        purchases=purchases,
        spend=0,
        as_of=dt.date(*day),
    )
    assert answer.outcome == state


def test_grace_is_none_by_default():
    """The day after the last day, the membership is over."""
    held = card(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    answer = CardState().decide(held, purchases=9, spend=0, as_of=dt.date(2027, 1, 1))
    assert (answer.outcome, answer.changes_on) == ("expired", None)
    assert "已免年费" in answer.explain("zh")


def test_an_unknown_figure_does_not_waive():
    """Without figures a card that ends next month is expiring, and says why."""
    held = card(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    answer = CardState().decide(
        held, purchases=None, spend=None, as_of=dt.date(2026, 11, 5)
    )
    assert answer.outcome == "expiring"
    assert "消费次数未知" in answer.explain("zh")
    assert "purchases unknown" in answer.explain("en")


def test_reasons_carry_the_dates_and_the_figures():
    """The decision shows the term, the grace and what the waiver weighed."""
    held = card(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    answer = CardState(grace_days=7, version="2026").decide(
        held, purchases=2, spend="770.00", as_of=dt.date(2027, 1, 3)
    )
    assert answer.explain("zh").startswith("已于 2026-12-31 到期，宽限至 2027-01-07")
    assert answer.explain("en").startswith("ended on 2026-12-31, in grace through 2027")
    assert [reason.rule for reason in answer.reasons] == ["term", "purchases", "spend"]
    assert ("grace_through", "2027-01-07") in answer.reasons[0].figures
    assert (answer.policy, answer.version) == ("card-state", "2026")


def test_a_card_for_ever_never_ends():
    """9999-12-31 stands for no end: the next change is far, and nothing overflows."""
    held = card(dt.date(2026, 1, 1), dt.date.max)
    policy = CardState(grace_days=30)
    answer = policy.decide(held, purchases=0, spend=0, as_of=dt.date(2026, 6, 1))
    assert (answer.outcome, answer.changes_on) == ("active", dt.date(9999, 11, 1))
    answer = policy.decide(held, purchases=0, spend=0, as_of=dt.date.max)
    assert (answer.outcome, answer.changes_on) == ("fee_due", None)


def test_the_waiver_of_the_chain_is_asked():
    """The waiver's own numbers decide between expiring and waived."""
    held = card(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    strict = CardState(waiver=FeeWaiver(purchases=4, spend=None))
    facts = {"purchases": 3, "as_of": dt.date(2026, 11, 5)}
    assert strict.decide(held, **facts).outcome == "expiring"


def test_a_calendar_year_counts_anew():
    """By calendar year, who is waived in December may not be on 1 January."""
    held = card(dt.date(2025, 1, 16), dt.date(2026, 1, 15))
    policy = CardState(waiver=FeeWaiver(year="calendar"))
    answer = policy.decide(held, purchases=3, spend=0, as_of=dt.date(2025, 12, 5))
    assert (answer.outcome, answer.changes_on) == ("waived", dt.date(2026, 1, 1))
    yearly = CardState().decide(held, purchases=3, spend=0, as_of=dt.date(2025, 12, 5))
    assert (yearly.outcome, yearly.changes_on) == ("waived", dt.date(2026, 1, 16))


@pytest.mark.parametrize("bad", [-1, 1.5, True])
def test_bad_numbers_are_refused(bad):
    """Grace and notice are whole numbers from 0."""
    with pytest.raises(InvalidValueError):
        CardState(grace_days=bad)
    with pytest.raises(InvalidValueError):
        CardState(notice_months=bad)


wide_policies = st.builds(
    CardState,
    waiver=st.builds(
        FeeWaiver,
        year=st.sampled_from(["membership", "calendar"]),
        free_years=st.sampled_from([0, 0, 1, 2]),
    ),
    grace_days=st.sampled_from([0, 1, 30, 4_000_000]),
    grace_by_kind=st.sampled_from([(), (KindGrace("gold", 15),)]),
    notice_months=st.sampled_from([0, 1, 2, 14, 30_000]),
)
wide_days = (
    days
    | st.sampled_from([dt.date.max, dt.date(9999, 12, 30), dt.date(9998, 12, 31)])
    | st.just(dt.date(2024, 2, 29))
)
rows = st.lists(
    st.tuples(
        wide_days,
        wide_days,
        st.sampled_from(["standard", "gold"]),
        st.none() | st.integers(0, 4),
        st.none() | st.integers(0, 200_000),
    ),
    min_size=1,
    max_size=12,
)


def frame_of(drawn) -> pd.DataFrame:
    """Make a frame of drawn cards."""
    first, last, kind, purchases, spend = zip(*drawn, strict=True)
    return pd.DataFrame(
        {
            "valid_from": pd.Series(first).astype("datetime64[s]"),
            "valid_through": pd.Series(last).astype("datetime64[s]"),
            "kind": kind,
            "purchases": pd.array(purchases, dtype="Int64"),
            "spend": pd.array(spend, dtype="Int64"),
        }
    )


@examples(1 / 2)
@given(wide_policies, rows, days)
def test_a_frame_of_cards_is_the_cards_one_by_one(policy, drawn, day):
    """State, waiver, grace and next change of each row are those of `decide`."""
    drawn = [(min(row[:2]), max(row[:2]), *row[2:]) for row in drawn]

    answers = policy.decide_frame(frame_of(drawn), as_of=day)

    for (first, last, kind, purchases, spend), row in zip(
        drawn, answers.to_dict("records"), strict=True
    ):
        one = policy.decide(
            Card(card_id="C1", member_id="M1", kind=kind, valid_from=first,
                 valid_through=last),
            as_of=day,
            purchases=purchases,
            spend=None if spend is None else Money(spend, Currency("CNY")),
        )  # fmt: skip
        figures = dict(one.reasons[0].figures)
        changes = None if pd.isna(row["changes_on"]) else row["changes_on"].date()
        assert (row["state"], changes) == (one.outcome, one.changes_on)
        assert str(row["grace_through"].date()) == figures["grace_through"]
        for reason in one.reasons[1:]:
            told = dict(reason.figures)
            if reason.rule == "purchases" and "missing" in told:
                assert row["missing_purchases"] == int(told["missing"])


@pytest.mark.parametrize("engine", ["pandas", "polars", "pyarrow", "duckdb"])
def test_free_years_turn_on_every_day_alike_on_every_engine(engine):
    """Whatever day a term ends on, a frame frees the fee that one card is freed of."""
    begun = [dt.date(2023, 1, 1) + n * DAY for n in range(800)]
    terms = [(first, first + n * DAY) for first in begun for n in (363, 364, 365)]
    terms += [(begun[0], dt.date.max), (dt.date(9999, 12, 30), dt.date.max)]
    free = [free_reading(card(*term), 1) is not None for term in terms]
    frame = frame_of([(*term, "gold", 0, None) for term in terms])

    given = nw.from_native(_on(engine, frame[["valid_from", "valid_through"]]))
    answers = given.select(free=free_expression(given, 1)).lazy().collect()

    assert answers["free"].to_list() == free
    assert 0 < sum(free) < len(free)


def _on(engine: str, frame: pd.DataFrame):
    """Bring a frame to another engine, without the time of day."""
    if engine == "pandas":
        return frame
    pa = pytest.importorskip("pyarrow", reason="needs pyarrow")
    table = pa.table(
        {n: pa.array([d.date() for d in frame[n]], pa.date32()) for n in frame}
    )
    if engine == "pyarrow":
        return table
    if engine == "polars":
        return pytest.importorskip("polars", reason="needs polars").from_arrow(table)
    return pytest.importorskip("duckdb", reason="needs duckdb").from_arrow(table)


def test_a_row_that_is_no_card_has_no_state():
    """A day that is missing, or an end before the beginning: no state, no change."""
    day = dt.date(2026, 11, 5)
    frame = frame_of([(day, day, "gold", 3, None)] * 3)
    frame.loc[1, "valid_through"] = pd.NaT
    frame.loc[2, "valid_from"] = pd.Timestamp(2026, 11, 6)

    answers = CardState().decide_frame(frame, as_of=day)

    assert answers["state"].isna().tolist() == [False, True, True]
    assert answers["state"][0] == "waived"
    assert answers[["grace_through", "changes_on"]].isna().loc[1:].all(axis=None)


def test_cards_of_other_engines_and_what_is_refused():
    """Polars cards have the same states; a frame without days is refused."""
    day = dt.date(2026, 11, 5)
    frame = frame_of([(day, day + 40 * DAY, "gold", None, 5)] * 2)
    ours = CardState().decide_frame(frame, as_of=day)

    polars = pytest.importorskip("polars", reason="needs the extra polars")
    theirs = CardState().decide_frame(polars.from_pandas(frame), as_of=day)

    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)
    with pytest.raises(MissingColumnsError, match="valid_through"):
        CardState().decide_frame(frame.drop(columns="valid_through"), as_of=day)
    with pytest.raises(FrameError, match="state"):
        CardState().decide_frame(frame.assign(state=""), as_of=day)
    with pytest.raises(InvalidValueError, match="date without time"):
        CardState().decide_frame(frame, as_of=dt.datetime(2026, 11, 5, tzinfo=dt.UTC))


@pytest.mark.parametrize("purchases", [0, 3])
def test_each_edge_of_a_frame_is_the_edge_of_a_card(purchases):
    """Cards that end on each day around the day asked for: no edge is off by one."""
    day = dt.date(2026, 11, 5)
    policy = CardState(grace_days=30)
    lasts = [day + n * DAY for n in range(-35, 95)]
    drawn = [(last - 60 * DAY, last, "standard", purchases, 0) for last in lasts]

    answers = policy.decide_frame(frame_of(drawn), as_of=day)

    expected = [
        policy.decide(card(last - 60 * DAY, last), as_of=day, purchases=purchases,
                      spend=0)
        for last in lasts
    ]  # fmt: skip
    assert answers["state"].tolist() == [one.outcome for one in expected]
    assert [None if pd.isna(turn) else turn.date() for turn in answers["changes_on"]
            ] == [one.changes_on for one in expected]  # fmt: skip
