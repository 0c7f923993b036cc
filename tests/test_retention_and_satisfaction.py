"""Who comes back, and who is satisfied (REG §6)."""

import datetime as dt

import duckdb
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops import metrics
from memberops.domain import SurveyAnswer
from memberops.errors import InvalidValueError, MissingColumnsError
from memberops.metrics import MetricPolicy, SatisfactionPolicy
from memberops.schedules import Period

OCTOBER = Period.month(2026, 10)


def lines(rows):
    """Build sales lines: ticket, day, store, member, amount."""
    frame = pd.DataFrame(
        rows, columns=["ticket_id", "sold_on", "store_id", "member_id", "amount"]
    )
    frame["sold_on"] = pd.to_datetime(frame["sold_on"])
    return frame.assign(quantity=1)


SALES = lines(
    [
        ("A", "2026-09-01", "S1", "M1", 100),
        ("B", "2026-09-02", "S1", "M2", 100),
        ("C", "2026-09-03", "S2", "M3", 100),
        ("D", "2026-10-01", "S1", "M1", 100),
        ("E", "2026-10-09", "S1", "M1", 100),
        ("F", "2026-10-09", "S2", "M2", 100),
        ("G", "2026-10-09", "S2", None, 100),
        ("R", "2026-10-09", "S2", "M3", -100),
    ]
)


def test_retention_looks_back_at_the_period_before():
    """Of three September buyers two came back; one of two bought twice."""
    row = metrics.retention(SALES, period=OCTOBER).iloc[0]

    assert row[
        ["consuming_members", "consuming_members_previous", "retained_members",
         "repeat_members"]
    ].tolist() == [2, 3, 2, 1]  # fmt: skip
    assert (row["retention_rate"], row["repeat_purchase_share"]) == (2 / 3, 1 / 2)


def test_a_store_s_retention_is_its_own():
    """A member who moved to another store is retained by the chain alone."""
    frame = metrics.retention(SALES, period=OCTOBER, by=("store", "chain"))

    assert list(zip(frame["key"], frame["retained_members"], strict=True)) == [
        ("S1", 1),
        ("S2", 0),
        ("chain", 2),
    ]


def test_nobody_before_leaves_the_rate_undefined():
    """Without buyers in the period before there is no rate, and it says why."""
    row = metrics.retention(SALES, period=Period.month(2026, 9)).iloc[0]

    assert pd.isna(row["retention_rate"])
    assert row["undefined"] == "retention_rate: zero"


def test_retention_equals_the_reference(shared):
    """Online Retail: retained members of every month equal the reference."""
    rows = pd.read_parquet(shared / "data/onlineretail/onlineretail.parquet")
    rows = rows[(rows["UnitPrice"] > 0) & ~rows["InvoiceNo"].str.startswith("A")]
    sales = pd.DataFrame(
        {
            "ticket_id": rows["InvoiceNo"],
            "sold_on": rows["InvoiceDate"].dt.normalize(),
            "store_id": rows["Country"],
            "member_id": rows["CustomerID"].astype("Int64"),
            "quantity": rows["Quantity"],
            "amount": (rows["UnitPrice"] * 1000).round().astype("int64")
            * rows["Quantity"],
        }
    )
    months = Period.months("2011-01", "2011-12")

    got = metrics.retention(sales, period=months)

    reference = pd.read_csv(
        shared / "reference/online_retail/new_old_retention.csv"
    ).iloc[1:]
    assert reference["consuming_members"].tolist() == got["consuming_members"].tolist()
    assert reference["also_previous_month"].tolist() == got["retained_members"].tolist()
    assert [round(each, 10) for each in got["retention_rate"]] == reference[
        "retention_from_prev_month"
    ].tolist()


@pytest.mark.parametrize("engine", ["polars", "pandas"])
@examples(1 / 3)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 8),
            st.dates(dt.date(2026, 8, 25), dt.date(2026, 11, 5)),
            st.sampled_from(["S1", "S2"]),
            st.sampled_from(["M1", "M2", "M3"]),
            st.sampled_from([-5, 0, 5]),
        ),
        min_size=1,
        max_size=15,
        unique_by=lambda row: row[0],
    )
)
def test_retention_equals_sets(engine, rows):
    """Retained and repeat members equal plain sets, at every level."""
    given_ = lines([(f"T{ticket}", *rest) for ticket, *rest in rows])

    def buyers(period, store):
        return [
            member
            for _, day, shop, member, amount in rows
            if amount > 0 and day in period and store in (shop, "chain")
        ]

    frame = metrics.retention(
        given_,
        period=OCTOBER,
        by=("store", "chain"),
        engine=engine,
        policy=MetricPolicy(),
    )
    for _, row in frame.iterrows():
        now = buyers(OCTOBER, row["key"])
        before = buyers(OCTOBER.previous(), row["key"])

        assert len(set(now)) == row["consuming_members"]
        assert len(set(now) & set(before)) == row["retained_members"]
        assert len({m for m in now if now.count(m) > 1}) == row["repeat_members"]


ANSWERS = pd.DataFrame(
    {
        "answer_id": list("ABCDEFG"),
        "question": ["price", "price", "staff", "staff", "staff", "price", "staff"],
        "score": [5, 3, 4, 4, 1, 5, 9],
        "store_id": ["S1", "S1", "S1", "S2", "S2", "S1", "S2"],
        "staff_id": ["E1", None, "E1", "E2", "E2", "E1", "E2"],
        "answered_on": pd.to_datetime(
            ["2026-10-01"] * 5 + ["2026-09-30", "2026-10-31"]
        ),
    }
)


def test_satisfaction_counts_four_and_five_of_five():
    """CSAT: 3 of 5 answers within the scale are satisfied; 9 of 5 is told apart."""
    row = metrics.satisfaction(ANSWERS, period=OCTOBER).iloc[0]

    assert row[["answers", "satisfied", "out_of_scale"]].tolist() == [5, 3, 1]
    assert row["satisfaction_rate"] == 3 / 5


@pytest.mark.parametrize(
    "turn",
    [
        lambda frame: frame,
        pl.from_pandas,
        lambda frame: pl.from_pandas(frame).lazy(),
        lambda frame: duckdb.from_arrow(pl.from_pandas(frame).to_arrow()),
    ],
    ids=["pandas", "polars", "polars-lazy", "duckdb"],
)
def test_satisfaction_by_question_and_store_on_every_engine(turn):
    """Groups are counted alike whatever frame comes in."""
    frame = metrics.satisfaction(
        turn(ANSWERS), period=OCTOBER, by=("question", "store_id")
    )

    assert [
        tuple(row)
        for row in frame[["question", "store_id", "answers", "satisfied"]].itertuples(
            index=False
        )
    ] == [("price", "S1", 2, 1), ("staff", "S1", 1, 1), ("staff", "S2", 2, 1)]


def test_a_stricter_policy_counts_fewer():
    """A chain may call only the best score satisfied."""
    policy = SatisfactionPolicy(satisfied_from=5)

    assert (
        metrics.satisfaction(ANSWERS, period=OCTOBER, policy=policy)["satisfied"][0]
        == 1
    )


def test_no_answers_leave_the_rate_undefined():
    """A period without answers has a row that says why there is no rate."""
    row = metrics.satisfaction(ANSWERS, period=Period.month(2026, 1)).iloc[0]

    assert row["undefined"] == "satisfaction_rate: zero"


def test_bad_use_is_refused():
    """Unknown groupings, columns and impossible scales are refused with a hint."""
    with pytest.raises(InvalidValueError, match="did you mean 'store_id'"):
        metrics.satisfaction(ANSWERS, period=OCTOBER, by=("store",))
    with pytest.raises(MissingColumnsError, match="score"):
        metrics.satisfaction(ANSWERS.drop(columns="score"), period=OCTOBER)
    for bad in ((0, 5), (5, 4), (True, 5)):
        with pytest.raises(InvalidValueError):
            SatisfactionPolicy(satisfied_from=bad[0], highest=bad[1])
    with pytest.raises(InvalidValueError, match="begins at 1"):
        SurveyAnswer(
            answer_id="A",
            question="q",
            score=0,
            store_id="S1",
            answered_on=dt.date(2026, 10, 1),
        )
