"""The list of next month's expiring members, with what each still misses (HQ §4.2)."""

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.domain import Card, Currency
from memberops.domain.values import mask
from memberops.errors import ColumnTypeError, InvalidValueError, MissingColumnsError
from memberops.policies import (
    AllOf,
    AnyOf,
    AtLeast,
    CardState,
    FeeWaiver,
    expiring_members,
)
from memberops.policies.fee_waiver import waiver_texts
from memberops.policies.waiver_sentences import waiver_sentences
from memberops.schedules import Period

OCTOBER = Period.month(2026, 10)
CNY = Currency("CNY")
DATES = ("valid_from", "valid_through")


def days(*texts: str) -> pd.Series:
    """Make a column of days."""
    return pd.Series(pd.to_datetime(list(texts))).astype("datetime64[us]")


CARDS = pd.DataFrame(
    {
        "card_id": ["C1", "C2", "C3", "C4", "C5"],
        "member_id": ["M1", "M2", "M3", "M4", "M5"],
        "valid_from": days(
            *["2025-12-01"] * 2, "2025-11-01", "2026-01-01", "2025-11-15"
        ),
        "valid_through": days(
            "2026-11-30", "2026-11-30", "2026-10-31", "2026-12-31", "2026-11-14"
        ),
    }
)
FIGURES = CARDS.assign(purchases=[2, 3, 0, 0, 0], spend=[77_000, 0, 0, 0, 99_999])
MEMBERS = pd.DataFrame(
    {
        "member_id": ["M1", "M2", "M5"],
        "name": ["王小明", "李丽", None],
        "phone": ["13812345678", "13900000000", "13700001111"],
        "store_id": ["S2", "S1", "S1"],
    }
)
STORES = pd.DataFrame({"store_id": ["S1", "S2"], "region_id": ["east", "west"]})


def listed(**options) -> pd.DataFrame:
    """Make the list of the run month October 2026."""
    given_ = {
        "cards": CARDS,
        "figures": FIGURES,
        "month": OCTOBER,
        "waiver": FeeWaiver(),
        "members": MEMBERS,
        "stores": STORES,
        **options,
    }
    return expiring_members(given_.pop("cards"), given_.pop("figures"), **given_)


def test_the_list():
    """Next month's cards without a waiver, by store, with what is missing and why."""
    rows = listed()

    assert list(rows.columns) == [
        "month", "store_id", "region_id", "member_id", "name", "phone", "card_id",
        "valid_through", "purchases", "spend", "missing_purchases", "missing_spend",
        "reason_en", "reason_zh", "visit_due",
    ]  # fmt: skip
    assert rows["card_id"].tolist() == ["C5", "C1"]
    first, second = rows.to_dict("records")
    assert second == {
        "month": "2026-10",
        "store_id": "S2",
        "region_id": "west",
        "member_id": "M1",
        "name": "*****",
        "phone": "*******5678",
        "card_id": "C1",
        "valid_through": pd.Timestamp(2026, 11, 30),
        "purchases": 2,
        "spend": 77_000,
        "missing_purchases": 1,
        "missing_spend": 23_000,
        "reason_en": "1 more purchase, or 230.00 more (until 2026-11-30)",
        "reason_zh": "还差 1 次消费或 230.00 元（截至 2026-11-30）",
        "visit_due": pd.Timestamp(2026, 10, 5),
    }
    assert first["reason_zh"] == "还差 3 次消费或 0.01 元（截至 2026-11-14）"
    assert rows["spend"].dtype == "Int64"


@pytest.mark.parametrize(
    ("month", "cards"), [((2026, 9), ["C3"]), ((2026, 11), ["C4"]), ((2026, 12), [])]
)
def test_only_the_month_after_the_run_month(month, cards):
    """Each run month lists the cards of the next month and no other."""
    rows = listed(month=Period.month(*month))
    assert rows["card_id"].tolist() == cards
    assert len(rows.columns) == 15


def test_personal_columns_are_shown_only_by_name():
    """A name or phone comes out only if it is asked for by its name."""
    rows = listed(reveal=("phone",))
    assert rows["phone"].tolist() == ["13700001111", "13812345678"]
    assert "王小明" not in rows.to_string()
    assert "13812345678" not in listed().to_string()
    assert listed(reveal=("name",))["name"].tolist()[1] == "王小明"


def test_what_is_not_given_is_left_out():
    """Without members or stores their columns are not there; a card's store counts."""
    rows = listed(members=None, stores=None)
    assert not {"name", "phone", "store_id", "region_id"} & set(rows.columns)

    rows = listed(cards=CARDS.assign(store_id="S1"))
    assert rows["store_id"].tolist() == ["S1", "S1"]
    assert rows["region_id"].tolist() == ["east", "east"]


def test_a_renewed_card_is_not_listed():
    """A card number that already holds a later term is no longer about to end."""
    later = pd.DataFrame(
        {
            "card_id": ["C1"],
            "member_id": ["M1"],
            "valid_from": days("2026-12-01"),
            "valid_through": days("2027-11-30"),
        }
    )
    rows = listed(cards=pd.concat([CARDS, later], ignore_index=True))
    assert rows["card_id"].tolist() == ["C5"]


def test_unknown_figures_are_listed_as_unknown():
    """A card without figures is not waived and not zero: it is unknown."""
    rows = listed(figures=FIGURES[FIGURES["card_id"] != "C1"])
    row = rows[rows["card_id"] == "C1"].iloc[0]
    assert row["purchases"] is pd.NA
    assert row["missing_spend"] is pd.NA
    assert row["reason_zh"] == "消费次数未知或消费金额未知（截至 2026-11-30）"


def test_the_calendar_year_names_its_own_last_day():
    """By calendar year, purchases count until the card ends, not to 31 December."""
    rows = listed(waiver=FeeWaiver(year="calendar"))
    assert rows["reason_en"].tolist()[1].endswith("(until 2026-11-30)")


def test_a_rule_of_ones_own():
    """The figures of another rule are shown in place of the usual two."""
    waiver = FeeWaiver(rule=AtLeast("referrals", 2))
    rows = listed(waiver=waiver, figures=CARDS.assign(referrals=[1, 2, 0, 0, 2]))
    assert rows["card_id"].tolist() == ["C1"]
    assert rows["missing_referrals"].tolist() == [1]
    assert rows["reason_zh"].tolist() == ["还差 1 位推荐（截至 2026-11-30）"]


def engines(frame: pd.DataFrame, engine: str):
    """Hand a frame to an engine, with plain dates."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if engine == "polars":
        return pl.from_arrow(table)
    if engine == "polars-lazy":
        return pl.from_arrow(table).lazy()
    return duckdb.connect().from_arrow(table) if engine == "duckdb" else table


@pytest.mark.parametrize("engine", ["polars", "polars-lazy", "duckdb", "pyarrow"])
def test_every_engine_gives_the_same_list(engine):
    """Frames of another engine give the same list, each frame of its own engine."""
    other = listed(
        cards=engines(CARDS, engine),
        figures=engines(FIGURES, engine),
        members=engines(MEMBERS, engine),
    )
    pd.testing.assert_frame_equal(other, listed())


@examples(1 / 3)
@given(
    st.lists(
        st.tuples(
            st.dates(dt.date(2026, 9, 25), dt.date(2027, 2, 5)),
            st.integers(0, 4),
            st.integers(0, 120_000),
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([(2026, 10), (2026, 11), (2026, 12)]),
    st.integers(0, 3),
)
def test_the_list_is_the_expiring_state(facts, month, notice):
    """On any day of the run month, the list holds exactly the cards that expire."""
    cards = [
        Card(
            card_id=f"C{number}",
            member_id=f"M{number}",
            valid_from=dt.date(2026, 1, 1),
            valid_through=last,
        )
        for number, (last, _, _) in enumerate(facts)
    ]
    frame = pd.DataFrame(
        {
            "card_id": [c.card_id for c in cards],
            "member_id": [c.member_id for c in cards],
            "valid_from": days(*[str(c.valid_from) for c in cards]),
            "valid_through": days(*[str(c.valid_through) for c in cards]),
        }
    )
    figures = frame.assign(purchases=[f[1] for f in facts], spend=[f[2] for f in facts])
    run = Period.month(*month)
    expected = {
        held.card_id: answer.reasons[1:]
        for held, (_, purchases, spend) in zip(cards, facts, strict=True)
        if (
            answer := CardState(notice_months=notice).decide(
                held,
                purchases=purchases,
                spend=CNY.to_decimal(spend),
                as_of=run.through,
            )
        ).outcome
        == "expiring"
    }

    rows = expiring_members(
        frame, figures, month=run, waiver=FeeWaiver(), notice_months=notice
    )

    assert set(rows["card_id"]) == set(expected)
    for row in rows.to_dict("records"):
        purchases, spend = expected[row["card_id"]]
        assert purchases.figures[2] == ("missing", str(row["missing_purchases"]))
        missing = f"{CNY.to_decimal(row['missing_spend']):,}"
        assert spend.figures[2][1] in (missing, "0")


def test_bad_use_is_refused():
    """A period that is no month, an unknown column and an odd day are errors."""
    with pytest.raises(InvalidValueError, match="calendar month"):
        listed(month=Period.year(2026))
    with pytest.raises(InvalidValueError, match="did you mean 'phone'"):
        listed(reveal=("phones",))
    with pytest.raises(InvalidValueError, match=r"\('phone',\)"):
        listed(reveal="phone")
    with pytest.raises(InvalidValueError, match="1 to 28"):
        listed(visit_day=31)
    with pytest.raises(MissingColumnsError, match="spend"):
        listed(figures=FIGURES.drop(columns="spend"))
    with pytest.raises(MissingColumnsError, match="valid_from"):
        listed(figures=FIGURES.drop(columns="valid_from"))
    with pytest.raises(MissingColumnsError, match="cards"):
        listed(cards=CARDS.drop(columns="valid_through"))
    with pytest.raises(MissingColumnsError, match="region_id"):
        listed(stores=STORES.drop(columns="region_id"))


def test_ids_that_are_numbers_are_refused_with_the_way_out():
    """Numbers lose zeros and find no names in a table of texts: say so at once."""
    numbered = CARDS.assign(member_id=[1, 2, 3, 4, 5])
    with pytest.raises(ColumnTypeError, match=r"'member_id' holds numbers.*dtype=str"):
        listed(cards=numbered)
    with pytest.raises(ColumnTypeError, match="'member_id' holds numbers"):
        listed(members=MEMBERS.assign(member_id=[1, 2, 5]))


@pytest.mark.parametrize("gap", [None, float("nan")])
def test_a_column_of_gaps_stays_text(gap):
    """Cards without any store: the column is empty text, not a column of numbers."""
    rows = listed(cards=CARDS.assign(store_id=[gap] * 5), stores=None)

    assert rows["store_id"].isna().all()
    assert rows["store_id"].dtype == rows["card_id"].dtype


LEAVES = st.builds(
    AtLeast,
    st.sampled_from(["purchases", "spend", "referrals"]),
    st.integers(1, 12),
)
RULES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda kind, rules: kind(*rules),
        st.sampled_from([AnyOf, AllOf]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


@examples(1 / 2)
@given(rule=RULES, seed=st.integers(0, 99))
def test_sentences_of_many_are_those_of_each(rule, seed):
    """Filled in row by row or phrased one by one: the same words for any rule."""
    rule = rule.in_currency(CNY)
    draw = np.random.default_rng(seed)
    size = 40
    rows = pd.DataFrame(
        {
            "purchases": draw.integers(0, 14, size),
            "spend": draw.integers(0, 1_400, size),
            "referrals": draw.integers(0, 14, size),
        }
    ).astype("Int64")
    rows = rows.mask(draw.random((size, 3)) < 0.2)
    last = [dt.date(2026, 11, int(day)) for day in draw.integers(1, 4, size)]

    english, chinese = waiver_sentences(rule, rows, last)

    for place, day in enumerate(last):
        units = {
            leaf.figure: None
            if pd.isna(value := rows[leaf.figure][place])
            else int(value)
            for leaf in rule.conditions
        }
        assert (english[place], chinese[place]) == waiver_texts(rule.weigh(units), day)


@examples(1 / 5)
@given(st.text(alphabet="0123456789", max_size=15) | st.text(max_size=15))
def test_phones_are_masked_as_everywhere(phone):
    """The short way through a column of phones hides what `mask` hides."""
    rows = listed(members=MEMBERS.assign(phone=phone or None))

    expected = {mask(phone)} if phone else set()
    assert set(rows["phone"].dropna()) == expected
