"""The fee waiver on real sales: the counts of an independent reference, exactly."""

import datetime as dt
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from memberops.domain import Currency
from memberops.policies import FeeWaiver
from memberops.schedules.dates import add_days, add_years

WAIVER = FeeWaiver(currency=Currency("GBP", digits=3))


@pytest.fixture(scope="module")
def tickets(shared: Path) -> pl.DataFrame:
    """Member tickets as the reference reads them: net amounts in mils."""
    source = shared / "data" / "onlineretail" / "onlineretail.parquet"
    return (
        pl.read_parquet(source)
        .filter(
            pl.col("UnitPrice") > 0,
            ~pl.col("InvoiceNo").str.starts_with("A"),
            pl.col("CustomerID").is_not_null(),
        )
        .select(
            ticket_id="InvoiceNo",
            member_id=pl.col("CustomerID").cast(pl.Int64).cast(pl.String),
            sold_on=pl.col("InvoiceDate").dt.date(),
            amount=pl.col("Quantity").cast(pl.Int64)
            * (pl.col("UnitPrice") * 1000).round().cast(pl.Int64),
        )
        .group_by("ticket_id", "member_id")
        .agg(pl.col("sold_on").min(), pl.col("amount").sum())
    )


def reference(shared: Path, name: str) -> pd.DataFrame:
    """Read a table of reference results."""
    return pd.read_csv(shared / "reference" / "online_retail" / name)


def as_engine(frame: pl.DataFrame, engine: str):
    """Hand a frame to an engine."""
    return frame.to_pandas() if engine == "pandas" else frame


@pytest.mark.parametrize("engine", ["pandas", "polars"])
@pytest.mark.parametrize("year", [2010, 2011])
def test_calendar_year(shared, tickets, year, engine):
    """Who reaches 3 purchases or 1000 in a calendar year, net of returns."""
    first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
    members = tickets.filter(pl.col("sold_on").is_between(first, last))
    cards = (
        members.select("member_id")
        .unique()
        .select(
            "member_id",
            card_id="member_id",
            valid_from=pl.lit(first),
            valid_through=pl.lit(last),
        )
    )
    waiver = FeeWaiver(year="calendar", currency=WAIVER.currency)

    figures = waiver.figures(
        as_engine(tickets, engine), as_engine(cards, engine), as_of=last
    )
    rows = pd.DataFrame(pl.DataFrame(waiver.decide_frame(figures)).to_dict())

    row = reference(shared, "member_year_summary.csv").set_index("year").loc[year]
    assert len(rows) == row["members_with_rows"]
    enough_purchases = rows["missing_purchases"] == 0
    enough_spend = rows["missing_spend"] == 0
    assert (rows["purchases"] > 0).sum() == row["consuming_members"]
    assert enough_purchases.sum() == row["ge3_purchases"]
    assert enough_spend.sum() == row["ge1000_net"]
    assert (enough_purchases & enough_spend).sum() == row["both_net"]
    assert rows["waived"].sum() == row["waiver_net"]
    assert (~rows["waived"]).sum() == row["not_waived_net"]
    assert rows["purchases"].sum() == row["purchases"]
    assert rows["spend"].sum() == round(row["spend_net"] * 1000)


@pytest.mark.parametrize("engine", ["pandas", "polars"])
def test_first_card_year(shared, tickets, engine):
    """Who reaches it in the card year that begins with the first purchase."""
    joined = (
        tickets.filter(pl.col("amount") > 0)
        .group_by("member_id")
        .agg(valid_from=pl.col("sold_on").min())
    )
    ends = [add_days(add_years(day, 1), -1) for day in joined["valid_from"]]
    last_day = tickets["sold_on"].max()
    cards = joined.with_columns(
        pl.Series("valid_through", ends), card_id="member_id"
    ).filter(pl.col("valid_through") <= last_day)

    figures = WAIVER.figures(
        as_engine(tickets, engine), as_engine(cards, engine), as_of=last_day
    )
    rows = pd.DataFrame(pl.DataFrame(WAIVER.decide_frame(figures)).to_dict())

    row = reference(shared, "card_year_summary.csv").iloc[0]
    assert len(rows) == row["card_years_completed"]
    assert (rows["missing_purchases"] == 0).sum() == row["ge3"]
    assert (rows["missing_spend"] == 0).sum() == row["ge1000"]
    assert rows["waived"].sum() == row["waived"]
    assert (~rows["waived"]).sum() == row["fee_due"]
