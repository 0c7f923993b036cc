"""Calls, notices, who is late, the report of a stocktake and its sums."""

import datetime as dt
import gzip
import json
import re

import attrs
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberops.domain import (
    Approval,
    CountLine,
    Currency,
    Difference,
    Explanation,
    Money,
    Movement,
    Posting,
    Stocktake,
)
from memberops.errors import InvalidValueError
from memberops.ledger import (
    Ledger,
    LedgerRules,
    closings_after,
    differences,
    settle,
)
from memberops.policies import (
    StocktakePolicy,
    call_after_promotion,
    count_report,
    count_summary,
    stocktake_notice,
    stocktake_standing,
)

ZONE = "Asia/Shanghai"
DAY = dt.date(2026, 10, 10)
CNY = Currency("CNY")
REGIONS = {"S01": "east", "S02": "east", "S03": "west"}


def called(**facts):
    """Call the stocktake of three stores after a promotion that ended on the 7th."""
    facts = {"stores": REGIONS, "stocktake_id": "C1", "promotion": "国庆"} | facts
    return call_after_promotion(ended_on=dt.date(2026, 10, 7), zone=ZONE, **facts)


def local(day, hour):
    """Return an instant of October by the clock on the wall in Shanghai."""
    east = dt.timezone(dt.timedelta(hours=8))
    return dt.datetime(2026, 10, day, hour, tzinfo=east)


def line(store, counted, at, **facts):
    """Make a count line."""
    facts = {"gift_id": "CUP", "counted_by": "E1", "witnessed_by": "E2"} | facts
    return CountLine(stocktake_id="C1", place=f"store:{store}", counted=counted,
                     counted_at=at, position=9, **facts)  # fmt: skip


def test_stores_count_within_two_days_after_a_promotion():
    """HQ §7: the books of the promotion's last moment, counted by the 2nd day after."""
    session = called()
    assert session.due_on == dt.date(2026, 10, 9)
    assert session.cutoff == local(8, 0) - dt.timedelta(microseconds=1)
    assert session.places == ("store:S01", "store:S02", "store:S03")
    longer = called(policy=StocktakePolicy(days_after_promotion=5), blind=True)
    assert (longer.due_on, longer.blind) == (dt.date(2026, 10, 12), True)


def test_a_notice_tells_places_cutoff_and_deadline_in_both_languages():
    """The same facts stand in the Chinese and the English notice."""
    session = called(blind=True)
    notice = stocktake_notice(session, zone=ZONE)
    for language in ("en", "zh"):
        text = notice.text(language)
        for fact in ("C1", "store:S02", "2026-10-07 23:59", "2026-10-09"):
            assert fact in text
    assert {"witness", "blind", "due"} <= {each.rule for each in notice.reasons}
    central = Stocktake(stocktake_id="C9", places=["warehouse"], cutoff=session.cutoff)
    rules = {each.rule for each in stocktake_notice(central, zone=ZONE).reasons}
    assert rules == {"places", "cutoff", "uncounted"}


def test_late_and_missing_stores_are_named():
    """The local day of the last first count decides; recounts make nobody late."""
    lines = [
        line("S01", 5, local(9, 23)),
        line("S01", 6, local(10, 9), recount=1),
        line("S02", 5, local(10, 0)),
        line("S03", None, local(7, 9)),
    ]

    def states(day, given_=lines):
        found = stocktake_standing(called(), given_, as_of=day, zone=ZONE)
        return found.places.set_index("place")["state"].tolist()

    assert states(dt.date(2026, 10, 9)) == ["on_time", "awaited", "awaited"]
    assert states(DAY) == ["on_time", "late", "missing"]
    found = stocktake_standing(called(), lines, as_of=DAY, zone=ZONE)
    assert (found.late, found.missing) == (("store:S02",), ("store:S03",))
    assert found.places["days_late"].tolist() == [0, 1, 1]
    assert found.places[["lines", "counted", "not_counted"]].to_numpy().tolist() == [
        [1, 1, 0], [1, 1, 0], [1, 0, 1]]  # fmt: skip
    part = [*lines, line("S01", 4, local(10, 1), gift_id="TEA")]
    assert states(DAY, part)[0] == "late"
    half = [*lines, line("S01", None, local(8, 1), gift_id="TEA")]
    assert states(DAY, half)[0] == "incomplete"
    assert states(dt.date(2026, 10, 9), half)[0] == "awaited"
    assert states(DAY, []) == ["missing"] * 3
    session = Stocktake(stocktake_id="C1", places=["store"], cutoff=local(7, 0))
    with pytest.raises(InvalidValueError, match="list the stores"):
        stocktake_standing(session, lines, as_of=DAY, zone=ZONE)


def shown(store, book, counted, unit=None, **facts):
    """Make what a count says."""
    worth = None if unit is None else Money(unit, CNY)
    return Difference(line=line(store, counted, local(8, 9), **facts), book=book,
                      unit_value=worth)  # fmt: skip


def test_the_report_shows_reasons_dispositions_and_approvals():
    """Each line with its difference, why, what is done, and who said so or has to."""
    done, waiting = shown("S01", 10, 8, 150), shown("S03", 10, 12, 150)
    blank, same = shown("S02", 3, None), shown("S02", 3, 3, gift_id="TEA")
    key = done.line.line_id
    why = [
        Explanation(line_id=key, reason="damaged", quantity=-2, disposition="destroy"),
        Explanation(line_id=waiting.line.line_id, reason="found", quantity=1),
    ]
    said = [
        Approval(line_id=key, difference=-2, by="E9", role="regional_manager",
                 at=local(9, hour), approved=hour == 11)
        for hour in (11, 10)
    ]  # fmt: skip
    report = count_report([done, blank, same, waiting], why, said, as_of=DAY,
                          regions=REGIONS)  # fmt: skip
    assert report["outcome"].tolist() == [
        "approved", "not_counted", "agrees", "explain"]  # fmt: skip
    first = report.iloc[0]
    assert (first["book"], first["counted"], first["difference"]) == (10, 8, -2)
    assert (first["value"], first["unexplained"], first["state"]) == (
        -300, 0, "shortage")  # fmt: skip
    assert (first["reasons"], first["reasons_zh"]) == ("damaged -2", "破损 -2")
    assert (first["disposition"], first["approved_by"], first["region"]) == (
        "destroy", "E9", "east")  # fmt: skip
    assert "区域经理已批准" in first["why_zh"]
    assert report["unexplained"].tolist()[3] == 1
    assert report["counted"].isna().tolist() == [False, True, False, False]
    why[1] = Explanation(line_id=waiting.line.line_id, reason="found", quantity=2)
    again = count_report([waiting], why, said, as_of=DAY)
    assert again["approver"].tolist() == ["regional_manager"]


def test_the_summary_counts_lines_values_and_who_is_late():
    """Per store, region and chain: matched, surplus, shortage, value, late, missing."""
    report = count_report(
        [shown("S01", 10, 8, 150), shown("S01", 4, 4, gift_id="TEA"),
         shown("S02", 1, 3), shown("S02", 3, None, gift_id="TEA")],
        as_of=DAY, regions=REGIONS)  # fmt: skip
    standing = stocktake_standing(
        called(), [line("S01", 8, local(10, 9))], as_of=DAY, zone=ZONE)  # fmt: skip
    found = count_summary(report, standing=standing, regions=REGIONS)
    rows = found.set_index(["level", "key"])
    names = ["places", "lines", "matched", "surplus", "shortage", "value", "unvalued",
             "late", "missing"]  # fmt: skip
    assert rows.loc[("store", "S01"), names].tolist() == [1, 2, 1, 0, 2, -300, 0, 1, 0]
    assert rows.loc[("store", "S02"), names].tolist() == [1, 2, 0, 2, 0, 0, 1, 0, 1]
    assert rows.loc[("store", "S03"), names].tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert rows.loc[("region", "west"), "missing"] == 1
    assert rows.loc[("chain", "chain"), names].tolist() == [
        3, 4, 1, 2, 2, -300, 1, 1, 2]  # fmt: skip
    assert rows.loc[("chain", "chain"), "open"] == 2
    assert count_summary(count_report([], as_of=DAY)).empty


PLACES = st.sampled_from(["S01", "S02", "S03", "S04"])
COUNTS = st.one_of(st.none(), st.integers(0, 20))


@settings(max_examples=40)
@given(st.lists(st.tuples(PLACES, st.integers(0, 20), COUNTS, st.booleans()),
                max_size=12))  # fmt: skip
def test_stores_add_up_to_the_chain_and_regions_to_theirs(rows):
    """L11: the sum over stores is the chain's, in every column."""
    found = [shown(store, book, counted, 7 if priced else None, gift_id=f"G{number}")
             for number, (store, book, counted, priced) in enumerate(rows)]  # fmt: skip
    sums = count_summary(count_report(found, as_of=DAY, regions=REGIONS))
    figures = sums.drop(columns=["level", "key"])
    stores = figures[sums["level"] == "store"].sum()
    if rows:
        chain = figures[sums["level"] == "chain"].iloc[0]
        assert stores.to_dict() == chain.to_dict()
    counted = [each for each in rows if each[2] is not None]
    assert stores["difference"] == sum(each[2] - each[1] for each in counted)
    assert stores["lines"] == stores["counted"] + stores["not_counted"] == len(rows)
    east = sums[(sums["level"] == "store") & sums["key"].isin(["S01", "S02"])]
    region = sums[(sums["level"] == "region") & (sums["key"] == "east")]
    assert region["difference"].sum() == east["difference"].sum()


@pytest.fixture(scope="module")
def miscounted(shared):
    """The counts of 40 gifts with planted errors, and the movements behind them."""
    folder = shared / "reference" / "ledger"
    known = json.loads((folder / "ledger_headline.json").read_text("utf-8"))
    path = folder / "onlineretail_40sku_miscounted.beancount.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    counts = re.findall(r"^(\S+) balance \S+ +(-?\d+) S(\w+)X$", text, re.MULTILINE)
    rows = pd.read_parquet(
        shared / "data" / "onlineretail" / "onlineretail.parquet",
        columns=["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice",
                 "CustomerID"],
    )  # fmt: skip
    rows = rows[~rows["InvoiceNo"].str.startswith("A")]
    rows = rows[rows["StockCode"].isin({sku for _, _, sku in counts})]
    return known["beancount_injected_variances"], counts, rows


def test_the_planted_miscounts_are_found_and_settled_and_no_others(miscounted):
    """Of 520 counts the five planted ones differ, by as much as was planted.

    The goods of Online Retail begin before its ledger does, so books are below zero
    and the counts, which are no less than 0 here, are raised by a level opening.
    """
    planted, counts, rows = miscounted
    opening = 10**6
    ledger = Ledger(LedgerRules())
    skus = sorted({sku for _, _, sku in counts})
    ledger.post(Posting(posting_id="opening", kind="opening",
        effective_at=dt.datetime(2010, 1, 1, tzinfo=dt.UTC),
        movements=[Movement(gift_id=sku, source="opening", destination="store:UK",
                            quantity=opening) for sku in skus]))  # fmt: skip
    free = (rows["UnitPrice"] == 0) & rows["CustomerID"].isna()
    sale = ~rows["InvoiceNo"].str.startswith("C")
    change = rows["Quantity"].where(free, rows["Quantity"].abs().where(~sale, -rows[
        "Quantity"].abs()))  # fmt: skip
    moments = rows["InvoiceDate"].dt.tz_localize("UTC").dt.to_pydatetime()
    for number, (sku, quantity, at) in enumerate(
        zip(rows["StockCode"], change.tolist(), moments, strict=True)
    ):
        pair = ("store:UK", "member") if quantity < 0 else ("member", "store:UK")
        ledger.post(Posting(posting_id=str(number), kind="transfer", effective_at=at,
            movements=[Movement(gift_id=sku, source=pair[0], destination=pair[1],
                                quantity=abs(quantity))]))  # fmt: skip
    # A count of beancount is of the start of its day: the end of the day before.
    tick = dt.timedelta(microseconds=1)
    lines = [
        CountLine(stocktake_id=day, place="store:UK", gift_id=sku,
                  counted=int(number) + opening, counted_by="E1", position=0,
                  counted_at=dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
                  - tick)
        for day, number, sku in counts
    ]  # fmt: skip
    found = differences(ledger, lines)
    wrong = [each for each in found if each.quantity]
    assert len(found) == 520
    assert {(each.line.gift_id, each.book - opening, each.line.counted - opening,
             each.quantity) for each in wrong} == {
        (each["sku"], each["book"], each["counted"], each["variance"])
        for each in planted
    }  # fmt: skip


def test_a_stocktake_from_call_to_closing():
    """Called, counted while trading goes on, explained, approved, settled, closed."""
    ledger = Ledger()
    session = called(stores=["S01"])
    for number, (at, change) in enumerate([(local(7, 9), 10), (local(8, 10), -1)]):
        pair = ("supplier", "store:S01") if change > 0 else ("store:S01", "member")
        ledger.post(Posting(posting_id=f"P{number}", kind="transfer", effective_at=at,
            movements=[Movement(gift_id="CUP", source=pair[0], destination=pair[1],
                                quantity=abs(change))]))  # fmt: skip
    (found,) = differences(ledger, [line("S01", 8, local(8, 9))])
    why = [Explanation(line_id=found.line.line_id, reason="stolen", quantity=-2)]
    said = Approval(line_id=found.line.line_id, difference=-2, by="E9",
                    role="regional_manager", at=local(9, 9))  # fmt: skip
    policy = StocktakePolicy()
    counted = policy.in_force(found, why, said, as_of=DAY)
    settle(ledger, [counted])
    assert ledger.balance("CUP", "store:S01") == 7
    assert ledger.balance("CUP", "adjustment:stolen") == 2
    (closing,) = closings_after([counted], by="E9")
    ledger.close(closing)
    assert (closing.before, closing.places) == (local(8, 9), ("store:S01",))
    recount = attrs.evolve(counted.line, recount=1, counted_at=local(9, 9))
    again = attrs.evolve(counted, line=recount)
    for later in closings_after([again], by="E9"):
        assert ledger.close(later).sequence > 0
    (after,) = differences(ledger, [found.line])
    assert session.cutoff < found.line.counted_at
    assert (after.settled, after.result, after.quantity) == (True, 7, -2)
    report = count_report([after], why, [said], as_of=DAY)
    assert report[["outcome", "settled", "result"]].to_numpy().tolist() == [
        ["approved", True, 7]]  # fmt: skip
