"""Balances of frames, and the reconciliation of real data."""

import datetime as dt
import gzip
import json
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from counts import examples
from memberops.domain import Currency, Gift, Money
from memberops.errors import (
    BalanceOverflowError,
    ColumnTypeError,
    InvalidValueError,
    MissingColumnsError,
)
from memberops.ledger import (
    balances,
    balances_at,
    from_levels,
    lowest,
    reconcile,
    stock_values,
)

LIMIT = 2**63 - 1
PLACES = ["warehouse", "store:S1", "supplier", "member"]


def frame(rows):
    """Make movements from (hour, gift, source, destination, quantity)."""
    made = pd.DataFrame(
        rows, columns=["effective_at", "gift_id", "source", "destination", "quantity"]
    )
    start = pd.Timestamp("2026-10-01", tz="UTC").as_unit("us")
    hours = pd.to_timedelta(made["effective_at"].astype("int64"), unit="h")
    return made.assign(
        effective_at=(start + hours).astype("datetime64[us, UTC]"),
        quantity=made["quantity"].astype("int64"),
    )


moves = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["A", "B"]),
        st.lists(st.sampled_from(PLACES), min_size=2, max_size=2, unique=True),
        st.one_of(st.integers(1, 9), st.just(LIMIT)),
    ).map(lambda row: (row[0], row[1], *row[2], row[3])),
    max_size=12,
)


@given(rows=moves, hour=st.integers(0, 5))
@example(
    rows=[
        (0, "A", "warehouse", "store:S1", LIMIT),
        (0, "B", "store:S1", "warehouse", LIMIT),
        (1, "B", "warehouse", "supplier", LIMIT),
        (1, "B", "warehouse", "supplier", LIMIT),
    ],
    hour=0,
)
@examples(2 / 3)
def test_l6_folds_of_frames_are_plain_sums(rows, hour):
    """L6: balances, balances at moments and lows are what adding up by hand gives."""
    at = dt.datetime(2026, 10, 1, hour, tzinfo=dt.UTC)
    sums, lows, ordered = {}, {}, sorted(rows, key=lambda row: row[0])
    for when, gift, source, destination, quantity in ordered:
        for place, change in ((source, -quantity), (destination, quantity)):
            cell = gift, place
            if when <= hour:
                sums[cell] = sums.get(cell, 0) + change
    running = {}
    for number, (when, gift, source, destination, quantity) in enumerate(ordered, 1):
        for place, change in ((source, -quantity), (destination, quantity)):
            running[gift, place] = running.get((gift, place), 0) + change
        if number == len(ordered) or ordered[number][0] > when:  # the moment is over
            lows = {cell: min(lows.get(cell, 0), now) for cell, now in running.items()}
    if any(abs(each) > LIMIT for each in sums.values()):
        with pytest.raises(BalanceOverflowError):
            balances(frame(rows), as_of=at)
        return

    found = balances(frame(rows), as_of=at)
    cells = list(zip(found["gift_id"], found["place"], strict=True))
    assert dict(zip(cells, found["quantity"], strict=True)) == {
        cell: number for cell, number in sums.items() if number}  # fmt: skip
    ended = balances_at(frame(rows), [at])
    cells = list(zip(ended["gift_id"], ended["place"], strict=True))
    assert dict(zip(cells, ended["quantity"], strict=True)) == {
        cell: sums.get(cell, 0) for cell in running}  # fmt: skip
    if all(abs(low) <= LIMIT for low in lows.values()):
        low = lowest(frame(rows))
        cells = list(zip(low["gift_id"], low["place"], strict=True))
        assert dict(zip(cells, low["lowest"], strict=True)) == lows


def test_frames_that_are_no_movements_are_refused():
    """Floats, local times, quantities below one and absent columns are wrong use."""
    good = frame([(0, "A", "supplier", "warehouse", 1)])

    with pytest.raises(MissingColumnsError, match="'quantity'"):
        balances(good.drop(columns="quantity"))
    with pytest.raises(MissingColumnsError, match="'sequence'"):
        balances(good, position=1)
    with pytest.raises(ColumnTypeError, match="int64"):
        balances(good.astype({"quantity": "float64"}))
    with pytest.raises(ColumnTypeError, match="zone"):
        balances(good.assign(effective_at=good["effective_at"].dt.tz_localize(None)))
    with pytest.raises(InvalidValueError, match="at least 1"):
        balances(good.assign(quantity=-1))
    with pytest.raises(InvalidValueError, match="aware"):
        balances(good, as_of=dt.datetime(2026, 1, 1))  # noqa: DTZ001 - the wrong use
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with pytest.raises(InvalidValueError, match="ascend"):
        balances_at(good, [now, now])


def test_reconciling_needs_whole_numbers_and_lines_that_stand_once():
    """A line twice, a float and an absent column are refused by name."""
    good = pd.DataFrame({"gift_id": ["A"], "quantity": [1]})

    with pytest.raises(InvalidValueError, match=r"counted: the line .*'A'.* twice"):
        reconcile(good, pd.concat([good, good]), by=["gift_id"])
    with pytest.raises(ColumnTypeError, match="counted"):
        reconcile(good, good.astype({"quantity": "float64"}), by=["gift_id"])
    with pytest.raises(MissingColumnsError):
        reconcile(good, good, by=["gift_id", "place"])


def test_what_is_not_counted_is_not_zero():
    """A count of 0 is a shortage; a gap, or no line at all, is no count."""
    book = pd.DataFrame({"gift_id": ["A", "B", "C"], "quantity": [2, 2, 2]})
    counted = pd.DataFrame(
        {"gift_id": ["A", "B"], "quantity": pd.array([0, None], "Int64")}
    )
    found = reconcile(book, counted, by=["gift_id"])

    assert found["state"].tolist() == ["shortage", "not_counted", "not_counted"]
    assert found["difference"].isna().tolist() == [False, True, True]


def test_values_are_exact_minor_units():
    """Stock is worth its quantity times the unit value; unknown values stay gaps."""
    cny = Currency("CNY")
    gifts = [Gift(gift_id="A", unit_value=Money.of("19.99", cny)), Gift(gift_id="B")]
    stock = pd.DataFrame({"gift_id": ["A", "B", "C"], "quantity": [3, 1, 1]})

    assert stock_values(stock, gifts)["value"].tolist() == [5997, pd.NA, pd.NA]
    with pytest.raises(BalanceOverflowError):
        stock_values(stock.assign(quantity=LIMIT), gifts)
    euro = Gift(gift_id="C", unit_value=Money.of("1", Currency("EUR")))
    with pytest.raises(InvalidValueError, match="several currencies"):
        stock_values(stock, [*gifts, euro])


def scaled(texts):
    """Read decimals with five digits as whole numbers."""
    return texts.map(lambda text: int(Decimal(text).scaleb(5))).astype("int64")


def test_inventree_agrees_but_for_the_items_of_the_reference(shared):
    """797 of 833 items agree with their journal; 36 differ as the reference says."""
    folder = shared / "data" / "inventree"
    events = pd.read_csv(folder / "stock_tracking.csv", dtype="str")
    events = events.dropna(subset=["quantity_after"]).rename(
        columns={"item": "gift_id"}
    )
    levels = events.assign(
        sequence=events["event"].astype("int64"),
        quantity=scaled(events["quantity_after"]),
        effective_at=pd.to_datetime(events["date"], format="ISO8601"),
    )[["sequence", "gift_id", "effective_at", "quantity"]]
    items = pd.read_csv(folder / "stock_items.csv", dtype="str")
    items = items.rename(columns={"item": "gift_id"})
    items = items.assign(quantity=scaled(items["quantity"]))
    items = items[items["gift_id"].isin(set(levels["gift_id"]))]
    known = pd.read_csv(
        shared / "reference" / "ledger" / "inventree_reconciliation.csv", dtype="str"
    ).set_index("item")

    moved = from_levels(levels, place="warehouse")
    book = balances(moved)
    found = reconcile(
        book[book["place"] == "warehouse"], items, by=["gift_id"]
    ).set_index("gift_id")
    assert found["state"].eq("agree").sum() == 797
    assert len(found) == 833
    expected = scaled(known["unexplained"]).reindex(found.index)
    assert found["difference"].tolist() == expected.tolist()
    assert (found["difference"] != 0).sum() == 36
    assert found["difference"].abs().sum() == 762302960  # 7623.0296 of the reference


@pytest.fixture(scope="module")
def online(shared):
    """Online Retail as movements: sales out, returns in, gifts, adjustments."""
    rows = pd.read_parquet(
        shared / "data" / "onlineretail" / "onlineretail.parquet",
        columns=["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice",
                 "CustomerID"],
    )  # fmt: skip
    rows = rows[~rows["InvoiceNo"].str.startswith("A")]
    free = rows["UnitPrice"] == 0
    kind = np.select(
        [free & rows["CustomerID"].notna(), free,
         rows["InvoiceNo"].str.startswith("C")],
        ["gift_out", "adjust", "return_in"], default="sale_out")  # fmt: skip
    sign = np.where((kind == "gift_out") | (kind == "sale_out"), -1, 1)
    change = np.where(kind == "adjust", rows["Quantity"],
                      sign * rows["Quantity"].abs())  # fmt: skip
    account = np.where(kind == "adjust", "adjustment", "member")
    return pd.DataFrame(
        {
            "kind": kind,
            "effective_at": rows["InvoiceDate"].dt.tz_localize("UTC"),
            "gift_id": rows["StockCode"],
            "source": np.where(change < 0, "store:UK", account),
            "destination": np.where(change < 0, account, "store:UK"),
            "quantity": np.abs(change).astype("int64"),
        }
    ).astype(dict.fromkeys(["gift_id", "source", "destination"], "category"))


def at_end(day):
    """Return the last microsecond of a day."""
    start = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
    return start + dt.timedelta(days=1, microseconds=-1)


def test_online_retail_closes_as_the_reference_does(online, shared):
    """541,906 movements: every total and every month's closing balance agree."""
    folder = shared / "reference" / "ledger"
    known = json.loads((folder / "ledger_headline.json").read_text("utf-8"))
    assert len(online) == known["onlineretail_total_change"]["n"] == 541_906
    final = balances(online)
    here = final[final["place"] == "store:UK"]
    assert here["quantity"].sum() == known["onlineretail_total_change"]["s"]
    assert final["quantity"].sum() == 0
    for each in known["onlineretail_by_kind"]:
        part = balances(online[online["kind"] == each["kind"]])
        part = part[part["place"] == "store:UK"]
        assert part["quantity"].sum() == each["net_change"]
        assert (online["kind"] == each["kind"]).sum() == each["entries"]

    closing = pd.read_csv(
        folder / "onlineretail_monthly_closing.csv.gz", dtype={"sku": "str"}
    )
    days = sorted(closing["month_end"].unique())
    ended = balances_at(online, [at_end(day) for day in days])
    ended = ended[ended["place"] == "store:UK"]
    book = pd.DataFrame(
        {
            "gift_id": ended["gift_id"].astype("str"),
            "day": ended["as_of"].dt.strftime("%Y-%m-%d"),
            "quantity": ended["quantity"],
        }
    )
    told = closing.rename(
        columns={"sku": "gift_id", "month_end": "day", "closing": "quantity"}
    )
    compared = reconcile(book, told, by=["gift_id", "day"])
    assert len(compared) == 13 * 4069
    assert compared["state"].eq("agree").all()


def test_online_retail_shows_the_planted_miscounts_and_no_others(online, shared):
    """Of 520 counts the five wrong ones are found, with their differences."""
    folder = shared / "reference" / "ledger"
    known = json.loads((folder / "ledger_headline.json").read_text("utf-8"))
    path = folder / "onlineretail_40sku_miscounted.beancount.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    counts = re.findall(r"^(\S+) balance \S+ +(-?\d+) S(\w+)X$", text, re.MULTILINE)
    assert len(counts) == 520
    counted = pd.DataFrame(counts, columns=["day", "quantity", "gift_id"])
    counted = counted.astype({"quantity": "int64"})

    # A count of beancount is of the start of its day: the end of the day before.
    starts = sorted(counted["day"].unique())
    second = dt.timedelta(microseconds=1)
    ends = [dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC) - second
            for day in starts]  # fmt: skip
    wanted = online[online["gift_id"].isin(set(counted["gift_id"]))]
    ended = balances_at(wanted, ends)
    ended = ended[ended["place"] == "store:UK"]
    named = dict(zip(ends, starts, strict=True))
    book = ended.assign(day=ended["as_of"].map(named)).astype({"gift_id": "str"})
    found = reconcile(book, counted, by=["gift_id", "day"])
    wrong = found[found["state"] != "agree"]

    assert {
        (row.gift_id, row.book, row.counted, row.difference)
        for row in wrong.itertuples()
    } == {
        (each["sku"], each["book"], each["counted"], each["variance"])
        for each in known["beancount_injected_variances"]
    }
