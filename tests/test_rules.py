"""A rule is a value: one case with reasons and a whole frame give the same answer."""

import datetime as dt
from decimal import Decimal

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.domain import Currency, Money
from memberops.errors import (
    ColumnTypeError,
    CurrencyMismatchError,
    InvalidValueError,
    MissingColumnsError,
)
from memberops.policies import AllOf, AnyOf, AtLeast, FeeWaiver, Words

CNY = Currency("CNY")
JPY = Currency("JPY")
FIGURES = ("purchases", "spend", "referrals")
ENGINES = ("pandas", "pandas-arrow", "polars", "polars-lazy", "duckdb", "pyarrow")


def in_engine(table: pa.Table, engine: str):
    """Bring a table into an engine, gaps staying gaps."""
    if engine == "pandas":
        return table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    if engine == "pandas-arrow":
        return table.to_pandas(types_mapper=pd.ArrowDtype)
    if engine == "polars":
        return pl.DataFrame(table.to_pydict(), schema_overrides=_polars(table))
    if engine == "polars-lazy":
        return in_engine(table, "polars").lazy()
    if engine == "duckdb":
        return duckdb.connect().from_arrow(table)
    return table


def _polars(table: pa.Table) -> dict[str, pl.DataType]:
    return {f.name: pl.Int64() for f in table.schema if pa.types.is_integer(f.type)}


def rows_of(native) -> list[dict]:
    """Read an engine's answer back as plain rows, in their order by ``row``."""
    frame = nw.from_native(native)
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    columns = {name: frame[name].to_list() for name in frame.columns}
    rows = [
        dict(zip(columns, [None if pd.isna(v) else v for v in values], strict=True))
        for values in zip(*columns.values(), strict=True)
    ]
    return sorted(rows, key=lambda row: row["row"])


conditions = st.builds(
    AtLeast, st.sampled_from(FIGURES), st.integers(min_value=-3, max_value=12)
)
rules = st.recursive(
    conditions,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyOf(*parts)),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AllOf(*parts)),
    ),
    max_leaves=6,
)
# Some thresholds in minor units are met exactly, and one missed by one unit.
values = st.one_of(
    st.none(),
    st.integers(min_value=-5, max_value=15),
    st.integers(min_value=-3, max_value=12).map(lambda n: n * 100),
    st.integers(min_value=-3, max_value=12).map(lambda n: n * 100 - 1),
    st.integers(min_value=-(2**52), max_value=2**52),
)
cases = st.lists(
    st.fixed_dictionaries(dict.fromkeys(FIGURES, values)), min_size=1, max_size=12
)


def expected(rule, case: dict) -> bool:
    """Say by the definition alone whether a rule holds."""
    if isinstance(rule, AtLeast):
        scale = 100 if rule.figure == "spend" else 1
        value = case[rule.figure]
        return value is not None and value >= rule.threshold * scale
    combine = any if isinstance(rule, AnyOf) else all
    return combine(expected(part, case) for part in rule.rules)


@pytest.mark.parametrize("engine", ENGINES)
@examples(1 / 2)
@given(rule=rules, rows=cases)
def test_scalar_and_frame_agree(engine, rule, rows):
    """The two readings of a rule agree on every engine, gaps included."""
    bound = rule.in_currency(CNY)
    types = [(name, pa.int64()) for name in ("row", *FIGURES)]
    table = pa.Table.from_pylist(
        [{"row": number, **row} for number, row in enumerate(rows)], pa.schema(types)
    )
    # The waiver is how a rule meets a frame.
    answers = rows_of(FeeWaiver(rule=rule).decide_frame(in_engine(table, engine)))

    assert [row["waived"] for row in answers] == [expected(rule, row) for row in rows]
    for row, answer in zip(rows, answers, strict=True):
        reading = bound.weigh(row)
        assert reading.met is bool(answer["waived"])
        limits: dict[str, int] = {}
        for condition in bound.conditions:
            name = condition.figure
            limits[name] = max(condition.limit, limits.get(name, condition.limit))
        for name, limit in limits.items():
            have = row[name]
            lacking = None if have is None else max(0, limit - have)
            assert answer[f"missing_{name}"] == lacking


@pytest.mark.parametrize("engine", ENGINES)
def test_frame_answer_is_never_null(engine):
    """A frame of nothing but gaps is decided too: unknown is not met."""
    table = pa.table(
        {
            "row": pa.array([0], pa.int64()),
            "purchases": pa.array([None], pa.int64()),
            "spend": pa.array([None], pa.int64()),
        }
    )
    (row,) = rows_of(FeeWaiver().decide_frame(in_engine(table, engine)))
    assert row["waived"] is not None
    assert not row["waived"]
    assert row["missing_purchases"] is None


@given(rule=rules, rows=cases)
def test_what_is_missing_is_just_enough(rule, rows):
    """Adding each figure's exact shortfall meets every condition, not one unit less."""
    for row in rows:
        if None in row.values():
            continue
        for condition in rule.in_currency(CNY).conditions:
            have = row[condition.figure]
            short = condition.limit - have
            if short > 0:
                assert not condition.holds({condition.figure: have + short - 1})
                assert condition.reason(have).met is False
            assert condition.holds({condition.figure: max(have, have + short)})


def test_shortfall_sentences():
    """An open rule says in both languages what is missing, joined by or."""
    rule = AnyOf(AtLeast("purchases", 3), AtLeast("spend", 1000)).in_currency(CNY)
    reading = rule.read({"purchases": 1, "spend": "-230.50"})

    assert reading.text("en") == "2 more purchases, or 1,230.50 more"
    assert reading.text("zh") == "还差 2 次消费或 1,230.50 元"
    purchases, spend = reading.reasons
    assert purchases.figures == (("have", "1"), ("need", "3"), ("missing", "2"))
    assert spend.figures == (
        ("have", "-230.50"),
        ("need", "1,000.00"),
        ("missing", "1,230.50"),
    )
    assert spend.text("zh") == "还差 1,230.50 元（已有 -230.50 元，需 1,000.00 元）"
    assert spend.text("en") == "1,230.50 more (-230.50 of 1,000.00)"


def test_met_sentences_name_the_condition_that_held():
    """A rule that holds names what held, and only that."""
    rule = AnyOf(AtLeast("purchases", 3), AtLeast("spend", 1000)).in_currency(CNY)
    reading = rule.read({"purchases": 1, "spend": "1000"})

    assert reading.met
    assert reading.text("en") == "spend 1,000.00 (1,000.00 needed)"
    assert reading.text("zh") == "消费金额 1,000.00 元（需 1,000.00 元）"
    assert [reason.met for reason in reading.reasons] == [False, True]


def test_all_of_asks_only_for_what_is_open():
    """A group that needs all its rules names only those that do not hold yet."""
    rule = AllOf(AtLeast("purchases", 3), AtLeast("spend", 10), AtLeast("referrals", 1))
    reading = rule.in_currency(CNY).read({"purchases": 3, "spend": 4, "referrals": 0})

    assert reading.text("en") == "6.00 more, and 1 more referral"
    assert reading.text("zh") == "还差 6.00 元和 1 位推荐"


def test_nested_groups_are_bracketed():
    """Alternatives of several parts each stay readable."""
    rule = AnyOf(
        AtLeast("purchases", 3), AllOf(AtLeast("referrals", 2), AtLeast("spend", 500))
    )
    reading = rule.in_currency(CNY).read({"purchases": 2, "referrals": 0, "spend": 0})

    assert reading.text("en") == (
        "1 more purchase, or (2 more referrals, and 500.00 more)"
    )
    assert reading.text("zh") == "还差 1 次消费或（2 位推荐和 500.00 元）"


def test_unknown_is_not_zero():
    """A figure that is unknown never meets a condition, not even at least nothing."""
    for threshold in (-1, 0, 3):
        reading = AtLeast("purchases", threshold).read({"purchases": None})
        assert not reading.met
        assert reading.reasons[0].figures[0] == ("have", "unknown")
    rule = AnyOf(AtLeast("purchases", 3), AtLeast("spend", 1000)).in_currency(CNY)
    reading = rule.read({"purchases": None, "spend": "770.00"})
    assert reading.text("en") == "purchases unknown, or 230.00 more"
    assert reading.text("zh") == "消费次数未知或还差 230.00 元"


def test_words_of_an_own_figure():
    """A chain names its own figures in both languages."""
    visits = Words(
        name_en="visits", name_zh="到店次数", one_en="visit", unit_zh="次到店"
    )
    reading = AtLeast("visits", 2, words=visits).read({"visits": 1})
    assert reading.text("en") == "1 more visit"
    assert reading.text("zh") == "还差 1 次到店"

    stored = AtLeast("top_up", "50", currency=JPY)
    assert stored.read({"top_up": 20}).text("en") == "30 more top up"


def test_rules_are_values():
    """Equal rules compare and hash as one, however their numbers are written."""
    assert AtLeast("purchases", 3) == AtLeast("purchases", "3")
    assert hash(AnyOf(AtLeast("spend", "1000.00"))) == hash(
        AnyOf(AtLeast("spend", Decimal(1000)))
    )
    assert AnyOf(AtLeast("purchases", 3)) != AllOf(AtLeast("purchases", 3))


def test_figures_come_in_major_units_or_as_money():
    """One case takes amounts as people write them; numpy's whole numbers count."""
    spend = AtLeast("spend", "0.50", currency=CNY)
    for value in ("0.50", Decimal("0.5"), 1, Money.of("0.50", CNY)):
        assert spend.read({"spend": value}).met
    assert not spend.read({"spend": "0.49"}).met
    assert AtLeast("purchases", 3).read({"purchases": np.int64(3)}).met


@pytest.mark.parametrize("value", [3.0, True, "3", float("nan"), Decimal(3)])
def test_counts_are_whole_numbers(value):
    """A count is no float, bool or text."""
    with pytest.raises(InvalidValueError, match="whole number or None"):
        AtLeast("purchases", 3).read({"purchases": value})


@pytest.mark.parametrize("value", [770.0, True, "0.005", "many"])
def test_amounts_are_exact(value):
    """An amount is no float or bool, and has no more digits than its currency."""
    with pytest.raises(InvalidValueError):
        AtLeast("spend", 1000, currency=CNY).read({"spend": value})


def test_amounts_of_another_currency_are_refused():
    """Yen do not count towards yuan; the message names both."""
    with pytest.raises(CurrencyMismatchError, match=r"CNY.*JPY"):
        AtLeast("spend", 1, currency=CNY).read({"spend": Money.of(5, JPY)})


@pytest.mark.parametrize("threshold", [3.0, True, None, "three", "NaN", "Infinity"])
def test_thresholds_are_exact(threshold):
    """A threshold is a whole number, a decimal text or a Decimal."""
    with pytest.raises(InvalidValueError):
        AtLeast("purchases", threshold)


def test_count_thresholds_are_whole():
    """Two and a half purchases are refused, with the way to say an amount."""
    with pytest.raises(InvalidValueError, match="currency="):
        AtLeast("purchases", "2.5")
    with pytest.raises(InvalidValueError, match="decimal digits"):
        AtLeast("spend", "1.005", currency=CNY)


def test_spend_without_currency_is_refused():
    """Spend is money: it is never compared before it has a currency."""
    rule = AnyOf(AtLeast("purchases", 3), AtLeast("spend", 1000))
    with pytest.raises(InvalidValueError, match="in_currency"):
        rule.read({"purchases": 1, "spend": 5})


def test_a_missing_or_misspelt_figure_is_named():
    """A figure that is not given at all is an error with the nearest name."""
    with pytest.raises(InvalidValueError, match="did you mean 'purchase'"):
        AtLeast("purchases", 3).read({"purchase": 3})


def test_groups_hold_rules():
    """An empty group and a group of something else are refused."""
    with pytest.raises(InvalidValueError, match="at least one"):
        AnyOf()
    with pytest.raises(InvalidValueError, match="not a tuple"):
        AllOf(("purchases", 3))


def test_frame_without_the_figure_is_refused():
    """A frame that lacks a figure says which, and the nearest column."""
    with pytest.raises(MissingColumnsError, match="did you mean 'purchase'"):
        FeeWaiver().decide_frame(pd.DataFrame({"purchase": [1], "spend": [1]}))


@pytest.mark.parametrize(
    "column", [[1.0, None], ["1", "2"], [Decimal(1), Decimal(2)], [True, False]]
)
def test_frame_of_floats_is_refused(column):
    """Figures of a frame are whole numbers; the message tells how gaps are kept."""
    frame = pd.DataFrame({"purchases": [1, 2], "spend": column})
    with pytest.raises(ColumnTypeError, match="Int64"):
        FeeWaiver().decide_frame(frame)


def test_what_is_no_frame_is_refused():
    """A list or a date is no frame."""
    with pytest.raises(ColumnTypeError, match="not a date"):
        FeeWaiver().decide_frame(dt.date(2026, 11, 5))
