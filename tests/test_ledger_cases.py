"""Stock cases of other systems that concern the ledger itself."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from memberops.domain import Hold, Lot, Movement, Posting, Release
from memberops.errors import HoldError, InvalidValueError, OutOfStockError
from memberops.ledger import (
    CostQueue,
    Ledger,
    LedgerRules,
    LotStock,
    first_expired_first_out,
)

ZERO = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
TODAY = dt.date(2015, 10, 1)
LATER = dt.date(2027, 1, 1)


@pytest.fixture(scope="module")
def cases(shared):
    """The stock cases by id."""
    text = (shared / "cases" / "peer_cases.json").read_text(encoding="utf-8")
    return {each["id"]: each for each in json.loads(text)["cases"]
            if each["area"] == "stock"}  # fmt: skip


def stock(name, quantity, day):
    """Make what a place has of a lot."""
    return LotStock(
        lot=Lot(lot_id=name, valid_through=day), quantity=quantity, available=quantity
    )


def pick(lots, quantity, on=TODAY, **options):
    """Pick lots for a member."""
    return first_expired_first_out(
        lots, quantity, gift_id="G", source="store:S1", destination="member", on=on,
        **options)  # fmt: skip


def move(key, at, source, destination, quantity, **facts):
    """Make a posting of one movement."""
    return Posting(posting_id=key, kind="transfer", effective_at=at, movements=[
        Movement(gift_id="G", source=source, destination=destination,
                 quantity=quantity)], **facts)  # fmt: skip


@pytest.mark.parametrize("case_id", ["STK-F1", "STK-F2", "STK-F3"])
def test_costs_go_first_in_first_out(cases, case_id):
    """ERPNext's queues of cost come out the same, below zero too."""
    case = cases[case_id]
    queue = CostQueue(case["input"].get("queue", ()))
    for what, *numbers in case["input"]["moves"]:
        queue = (queue.received if what == "in" else queue.issued)(*numbers)

    expect = case["expect"]
    if "queue" in expect:
        assert [list(layer) for layer in queue.layers] == expect["queue"]
    else:
        assert (queue.quantity, queue.value) == (expect["qty"], expect["value"])


@pytest.mark.parametrize("case_id", [f"STK-B{number}" for number in (1, 3, 5, 6, 8)])
def test_lots_go_by_their_date(cases, case_id):
    """Beancount's lots are picked by date, however they are listed, or not at all."""
    case = cases[case_id]
    lots = [stock(day, quantity, dt.date.fromisoformat(day))
            for quantity, _, day in case["input"]["lots"]]  # fmt: skip

    expect = case["expect"]["consumed"]
    if isinstance(expect, str):
        with pytest.raises(OutOfStockError, match="can give 15 of 'G', not 16"):
            pick(lots, case["input"]["out"])
    else:
        picked = pick(lots, case["input"]["out"])
        assert [[each.quantity, each.lot_id] for each in picked] == expect


def test_one_issue_takes_from_several_lots(cases):
    """STK-FEFO1, STK-FEFO2: lots are split; too few is said when they are picked."""
    split = cases["STK-FEFO1"]
    days = {"later": LATER}
    lots = [stock(name, quantity, days.get(day) or dt.date.fromisoformat(day))
            for name, quantity, day in reversed(split["input"]["lots"])]  # fmt: skip
    picked = pick(lots, split["input"]["out"], on=dt.date(2026, 9, 3))
    assert [[each.lot_id, each.quantity] for each in picked] == split[
        "expect"]["consumed"]  # fmt: skip

    few = cases["STK-FEFO2"]["input"]
    with pytest.raises(OutOfStockError) as caught:
        pick([stock("A", few["total"], None)], few["out"])
    assert (caught.value.asked, caught.value.available) == (few["out"], few["total"])


def test_a_lot_is_good_through_its_last_day(cases):
    """STK-EXP: one rule says so everywhere: to give, and to destroy."""
    day = dt.date(2026, 9, 3)
    lots = [stock("A", 1, day), stock("B", 1, None)]
    after = day + dt.timedelta(days=1)

    assert cases["STK-EXP"]["expect"] is True
    assert [each.lot_id for each in pick(lots, 1, on=day)] == ["A"]
    assert [each.lot_id for each in pick(lots, 1, on=after)] == ["B"]
    assert [each.lot_id for each in pick(lots, 1, on=after, expired=True)] == ["A"]
    with pytest.raises(OutOfStockError):
        pick(lots, 1, on=day, expired=True)
    for wrong in (True, 1.0, -1, Decimal(1)):
        with pytest.raises(InvalidValueError):
            pick(lots, wrong)


def test_a_balance_at_the_start_of_a_day_leaves_the_day_out(cases):
    """STK-BAL1: what moves on a day is not there before it."""
    case = cases["STK-BAL1"]["input"]
    ledger = Ledger()
    for number, (day, quantity) in enumerate(case["moves"]):
        at = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
        ledger.post(move(f"P{number}", at, "supplier", "warehouse", quantity))

    for day, expect in case["asserts"]:
        start = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
        before = start - dt.timedelta(microseconds=1)
        assert ledger.balance("G", "warehouse", as_of=before) == expect


def test_a_place_sums_its_parts_and_no_namesakes(cases):
    """STK-BAL2, STK-BAL3: parts count to the whole; a longer name is no part."""
    case = cases["STK-BAL2"]["input"]
    ledger = Ledger(LedgerRules(below_zero=["store"]))
    for number, quantity in enumerate(case["children"]):
        pair = ("supplier", f"store:S:{number}")
        pair = pair if quantity > 0 else pair[::-1]
        ledger.post(move(f"P{number}", ZERO, *pair, abs(quantity)))
    assert ledger.balance("G", "store:S") == case["parent"]

    case = cases["STK-BAL3"]["input"]
    ledger = Ledger()
    for name in ("Checking", "CheckingOld"):
        ledger.post(move(name, ZERO, "supplier", f"store:{name}", case[name]))
    assert ledger.balance("G", "store:Checking") == case["assert_Checking"]


def held(key, quantity, seconds=None):
    """Make a hold of the warehouse's stock, with or without an end."""
    until = ZERO + dt.timedelta(seconds=seconds) if seconds else None
    return Hold(hold_id=key, gift_id="G", place="warehouse", quantity=quantity,
                held_at=ZERO, until=until)  # fmt: skip


def test_holds_are_used_given_up_or_lapse(cases):
    """STK-T1: TigerBeetle's pending amounts: used in part or in full, void, lapsed."""
    case = cases["STK-T1"]
    given, expect = case["input"], case["expect"]
    ledger = Ledger()
    ledger.post(move("IN", ZERO, "supplier", "warehouse", 100))
    ledger.post(move("T1", ZERO, "warehouse", "member", given["posted_now"]))
    for name, size in given["holds"].items():
        quantity = int(str(size).split()[0])
        ledger.hold(held(name, quantity, 1 if "timeout 1s" in str(size) else None))
    assert ledger.held("G", "warehouse", as_of=ZERO) == expect["before"]["pending"]
    assert ledger.balance("G", "member") == expect["before"]["posted"]

    later = ZERO + dt.timedelta(seconds=1)
    for key, quantity in (("T2", 13), ("T5", 7), ("T6", 1)):
        ledger.post(move(f"post {key}", later, "warehouse", "member", quantity,
                         refers_to={"hold": key}))  # fmt: skip
    for key in ("T3", "T7"):
        ledger.release(Release(release_id=f"void {key}", hold_id=key, at=later))
    assert ledger.held("G", "warehouse", as_of=later) == expect["after"]["pending"]
    assert ledger.balance("G", "member") == expect["after"]["posted"]


def test_holds_lapse_one_after_the_other(cases):
    """STK-T2: no end means never; a lapsed hold cannot be used."""
    case = cases["STK-T2"]
    ledger = Ledger()
    ledger.post(move("IN", ZERO, "supplier", "warehouse", 100))
    for number, (quantity, seconds) in enumerate(case["input"]["holds"]):
        ledger.hold(held(f"H{number}", quantity, seconds))

    moments = [ZERO + dt.timedelta(seconds=second) for second in range(4)]
    kept = [ledger.held("G", "warehouse", as_of=each) for each in moments]
    assert kept == case["expect"]["pending_at"]
    for number in (1, 2, 3):
        with pytest.raises(HoldError):
            ledger.post(move(f"P{number}", moments[3], "warehouse", "member", 10,
                             refers_to={"hold": f"H{number}"}))  # fmt: skip
    ledger.post(move("P0", moments[3], "warehouse", "member", 10,
                     refers_to={"hold": "H0"}))  # fmt: skip
    assert ledger.balance("G", "member") == 10
