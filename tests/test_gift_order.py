"""Order proposals: three months' use, stock that lasts, and what is coming (HQ §7)."""

import datetime as dt

import attrs
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.domain import Lot
from memberops.errors import InvalidValueError, MissingColumnsError
from memberops.ledger.flow_stock import order_facts
from memberops.policies.gift_order import GiftNeed, GiftOrderPolicy

DAY = dt.date(2026, 9, 30)
POLICY = GiftOrderPolicy()


def lot(days, quantity):
    """Make a lot that can be given on so many more days, the day itself being over."""
    through = None if days is None else DAY + dt.timedelta(days=days)
    return Lot(lot_id=f"L{days}", valid_through=through), quantity


def figures(need, policy=POLICY):
    """Return the figures of a proposal as numbers."""
    answer = policy.propose(need, as_of=DAY)
    return {name: int(value) for name, value in answer.reasons[0].figures}


def test_the_months_that_count_end_with_the_day():
    """Three months to the 30th of September begin on the 1st of July: 92 days."""
    period = POLICY.period(DAY)
    assert (period.start, period.through, period.days) == (
        dt.date(2026, 7, 1), DAY, 92)  # fmt: skip


def test_stock_that_will_expire_unused_is_no_stock():
    """One a day is used: of 5 that last 3 days 3 are good, of 10 more by day 8 five."""
    need = GiftNeed(gift_id="CUP", used=92, lots=[lot(8, 10), lot(3, 5), lot(None, 4)])
    found = figures(need)
    assert (found["on_hand"], found["expiring"]) == (19, 2 + 5)
    assert found["proposed"] == 92 - (3 + 5 + 4)
    gone = GiftNeed(gift_id="CUP", used=92, lots=[lot(0, 9)])
    assert figures(gone)["expiring"] == 9


def test_an_order_keeps_to_minimum_maximum_and_multiple():
    """Rounded up to whole boxes, but never beyond the maximum."""
    base = {"gift_id": "CUP", "used": 50, "on_the_way": 7}
    assert figures(GiftNeed(**base))["proposed"] == 43
    assert figures(GiftNeed(**base, lot_size=12))["proposed"] == 48
    assert figures(GiftNeed(**base, lot_size=12, maximum=54))["proposed"] == 36
    assert figures(GiftNeed(**base, minimum=80))["proposed"] == 73
    enough = POLICY.propose(GiftNeed(**base, lots=[lot(None, 43)]), as_of=DAY)
    assert (enough.outcome, enough.policy, enough.version) == (
        "enough", "gift-order", "1")  # fmt: skip
    assert "建议采购 0" in enough.explain("zh")
    long = GiftOrderPolicy(months=3, cover_months=4)
    assert figures(GiftNeed(gift_id="CUP", used=50), long)["wanted"] == 67
    for wrong in ({"used": -1}, {"lot_size": 0}, {"used": 1.5}, {"used": True}):
        with pytest.raises(InvalidValueError):
            GiftNeed(**({"gift_id": "CUP"} | wrong))


def test_stock_that_nobody_uses_reaches_the_minimum_and_fills_the_room():
    """Of 100 that last, 10 are there; of 100 that expire soon, no room is for more."""
    idle = GiftNeed(gift_id="CUP", used=0, lots=[lot(1500, 100)], minimum=10)
    assert figures(idle)["proposed"] == 0
    assert figures(attrs.evolve(idle, lots=[lot(0, 100)]))["proposed"] == 10
    full = GiftNeed(gift_id="CUP", used=92, lots=[lot(10, 100)], maximum=100)
    assert figures(full)["proposed"] == 0
    assert figures(attrs.evolve(full, maximum=130, on_the_way=10))["proposed"] == 20


def test_more_came_back_than_was_given_is_no_use():
    """An issue of July that is taken back in September makes no use below zero."""
    rows = [("2026-06-01", "supplier", "store:S01", 9), ("2026-06-02", "store:S01",
            "member:M1", 4), ("2026-09-28", "member:M1", "store:S01", 4)]  # fmt: skip
    moved = pd.DataFrame(rows, columns=["effective_at", "source", "destination",
                                        "quantity"])  # fmt: skip
    moved["effective_at"] = pd.to_datetime(moved["effective_at"], utc=True)
    facts, lots = order_facts(
        moved.assign(gift_id="CUP", lot_id="", valid_through=pd.NaT),
        period=POLICY.period(DAY), as_of=dt.datetime(2026, 9, 30, tzinfo=dt.UTC),
        zone=dt.UTC,
    )  # fmt: skip
    assert facts[["used", "on_the_way"]].to_numpy().tolist() == [[0, 0]]
    assert POLICY.propose_frame(facts, lots, as_of=DAY)["expiring"].tolist() == [0]


SMALL = st.integers(0, 120)
NEEDS = st.lists(
    st.builds(
        dict,
        used=SMALL,
        lots=st.lists(
            st.tuples(st.one_of(st.none(), st.integers(-3, 90)), SMALL), max_size=5
        ),
        on_the_way=SMALL,
        minimum=SMALL,
        maximum=st.one_of(st.none(), SMALL),
        lot_size=st.integers(1, 12),
    ),
    max_size=4,
)


@examples(2 / 3)
@given(NEEDS)
def test_a_frame_is_answered_gift_by_gift(needs):
    """The frame says of each gift what the policy says of it alone."""
    facts = pd.DataFrame(
        [{"gift_id": f"G{at}"} | need for at, need in enumerate(needs)],
        columns=["gift_id", "used", "on_the_way", "minimum", "maximum", "lot_size"],
    ).astype({"gift_id": "str", "used": "int64", "on_the_way": "int64",
              "minimum": "int64", "maximum": "Int64", "lot_size": "int64"})  # fmt: skip
    made = [(f"G{at}", lot(*each)) for at, need in enumerate(needs)
            for each in need["lots"]]  # fmt: skip
    lots = pd.DataFrame({
        "gift_id": pd.Series([name for name, _ in made], dtype="str"),
        "valid_through": pd.Series([each[0].valid_through for _, each in made],
                                   dtype="datetime64[s]"),
        "quantity": pd.Series([each[1] for _, each in made], dtype="int64"),
    })  # fmt: skip
    frame = POLICY.propose_frame(facts, lots.iloc[::-1], as_of=DAY)
    for at, need in enumerate(needs):
        one = need | {"lots": [lot(*each) for each in need["lots"]]}
        alone = figures(GiftNeed(gift_id=f"G{at}", **one))
        assert frame.loc[at, list(alone)].tolist() == list(alone.values())


def test_a_frame_without_its_columns_is_refused():
    """Use is never guessed."""
    facts = pd.DataFrame({"gift_id": ["CUP"], "on_the_way": [0]})
    below = facts.assign(used=-1)
    none = pd.DataFrame({"gift_id": [], "valid_through": [], "quantity": []})
    with pytest.raises(InvalidValueError, match="'CUP' is below zero"):
        POLICY.propose_frame(below, none, as_of=DAY)
    with pytest.raises(MissingColumnsError, match="used"):
        POLICY.propose_frame(facts, pd.DataFrame(), as_of=DAY)
