"""The gift ledger in memory: what may be posted, what is refused and why (HQ §7)."""

import datetime as dt
import pickle
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs
import pandas as pd
import pytest

from memberops.domain import (
    Closing,
    Currency,
    Gift,
    Hold,
    Lot,
    Movement,
    Place,
    Posting,
    Release,
)
from memberops.errors import (
    BalanceOverflowError,
    ClosedPeriodError,
    HoldError,
    InvalidValueError,
    KeyConflictError,
    LotConflictError,
    OutOfStockError,
    ReversalError,
    UnknownGiftError,
    UnknownPlaceError,
    UnknownPostingError,
)
from memberops.ledger import Ledger, LedgerRules
from memberops.policies import read_gifts

NOON = dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
LIMIT = 2**63 - 1


def move(source, destination, quantity=1, gift_id="G1", lot_id=None, through=None):
    """Make a movement of one gift."""
    return Movement(
        gift_id=gift_id,
        source=source,
        destination=destination,
        quantity=quantity,
        lot_id=lot_id,
        valid_through=through,
    )


def posting(key, *movements, hours=0, **facts):
    """Make a posting so many hours after noon."""
    return Posting(**({"posting_id": key, "kind": "transfer", "movements": movements,
                       "effective_at": NOON + hours * HOUR} | facts))  # fmt: skip


def stocked(quantity=10, **rules):
    """Make a ledger whose warehouse has so many."""
    ledger = Ledger(LedgerRules(**rules))
    ledger.post(posting("IN", move("supplier", "warehouse", quantity)))
    return ledger


def lines(ledger):
    """Write every entry as its canonical line."""
    return [entry.canonical() for entry in ledger.entries()]


def test_l1_what_leaves_one_place_arrives_in_another():
    """L1: the balances of a gift add up to zero, accounts included, per lot."""
    ledger = stocked()
    ledger.post(
        posting("P", move("warehouse", "store:S1", 4), move("store:S1", "member", 1))
    )

    frame = ledger.balances()
    assert dict(zip(frame["place"], frame["quantity"], strict=True)) == {
        "supplier": -10, "warehouse": 6, "store:S1": 3, "member": 1}  # fmt: skip
    assert frame["quantity"].sum() == 0


def test_l2_the_ledger_only_grows():
    """L2: what was written stays byte for byte, also after refusals and reversals."""
    ledger = stocked()
    before = lines(ledger)
    ledger.post(posting("P", move("warehouse", "store:S1", 4)))
    middle = lines(ledger)
    with pytest.raises(OutOfStockError):
        ledger.post(posting("Q", move("warehouse", "store:S1", 7)))
    ledger.reverse("P", key="R", effective_at=NOON + HOUR)

    assert lines(ledger)[:2] == middle
    assert middle[:1] == before
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        next(ledger.entries()).sequence = 7


def test_l2_a_reversal_negates_exactly_and_once():
    """L2: a reversal puts everything back, names its mistake, and comes once."""
    ledger = stocked()
    ledger.post(posting("P", move("warehouse", "store:S1", 4), reason="typo"))
    ledger.reverse("P", key="R", effective_at=NOON + HOUR, by="E1")

    assert ledger.balance("G1", "warehouse") == 10
    assert ledger.balance("G1", "store") == 0
    assert ledger.balance("G1", "store:S1", as_of=NOON) == 4
    assert ledger.entry("R").record.reverses == "P"
    with pytest.raises(ReversalError, match="reversed already, by 'R'"):
        ledger.reverse("P", key="R2", effective_at=NOON + HOUR)
    with pytest.raises(ReversalError, match="a reversal itself"):
        ledger.reverse("R", key="R3", effective_at=NOON + HOUR)
    with pytest.raises(UnknownPostingError, match="no posting 'X'"):
        ledger.reverse("X", key="R4", effective_at=NOON)
    with pytest.raises(UnknownPostingError):
        ledger.post(posting("R5", move("store:S1", "warehouse"), kind="reversal",
                            reverses="X"))  # fmt: skip


def test_l2_a_reversal_takes_back_what_was_posted_and_nothing_else():
    """L2: other movements than the mistake's, or an earlier moment, are refused."""
    ledger = stocked()
    ledger.post(posting("P", move("warehouse", "store:S1", 4)))

    with pytest.raises(ReversalError, match="turns every movement"):
        ledger.post(posting("R", move("store:S1", "warehouse", 3), kind="reversal",
                            reverses="P"))  # fmt: skip
    with pytest.raises(ReversalError, match="not take effect before"):
        ledger.reverse("P", key="R", effective_at=NOON - HOUR)


def test_l3_the_same_posting_counts_once():
    """L3: the same key and contents give the first receipt; the zone may differ."""
    ledger = stocked()
    wanted = posting("P", move("warehouse", "store:S1", 4))
    first = ledger.post(wanted)
    shanghai = NOON.astimezone(ZoneInfo("Asia/Shanghai"))
    again = ledger.post(attrs.evolve(wanted, effective_at=shanghai))

    assert (first.replayed, again.replayed) == (False, True)
    assert first.sequence == again.sequence == ledger.position == 2
    assert ledger.balance("G1", "store:S1") == 4


def test_l3_other_contents_under_one_key_name_what_differs():
    """L3: a key that comes with other contents is an error naming the fields."""
    ledger = stocked()
    ledger.post(posting("P", move("warehouse", "store:S1", 4)))

    with pytest.raises(KeyConflictError) as caught:
        ledger.post(posting("P", move("warehouse", "store:S2", 5), hours=1))
    assert caught.value.fields == (
        "effective_at",
        "movements[0].destination",
        "movements[0].quantity",
    )
    with pytest.raises(KeyConflictError, match="'type'"):
        ledger.close(Closing(closing_id="P", before=NOON))
    assert ledger.position == 2


def test_l3_a_key_refused_for_stock_stays_refused():
    """L3: stock that comes later does not revive a refused key; a new key works."""
    ledger = stocked(1)
    wanted = posting("P", move("warehouse", "store:S1", 2), hours=2)
    with pytest.raises(OutOfStockError) as first:
        ledger.post(wanted)
    ledger.post(posting("IN2", move("supplier", "warehouse", 5)))
    with pytest.raises(OutOfStockError, match="refused before") as second:
        ledger.post(wanted)

    assert (first.value.replayed, second.value.replayed) == (False, True)
    assert (second.value.asked, second.value.available) == (2, 1)
    with pytest.raises(KeyConflictError):
        ledger.post(posting("P", move("warehouse", "store:S1", 1), hours=2))
    assert not ledger.post(attrs.evolve(wanted, posting_id="P2")).replayed


def test_l3_only_want_of_stock_spends_a_key():
    """L3: a posting refused for another reason may come again when that is mended."""
    ledger = stocked(places=["warehouse", "store:S1"])
    ledger.close(Closing(closing_id="C", before=NOON + HOUR))
    wanted = posting("P", move("warehouse", "store:S1"))
    with pytest.raises(ClosedPeriodError):
        ledger.post(wanted)
    assert not ledger.post(attrs.evolve(wanted, late=True)).replayed


def test_l4_a_posting_is_all_or_nothing():
    """L4: one movement that cannot be, and none of the posting is there."""
    ledger = stocked()
    with pytest.raises(OutOfStockError):
        ledger.post(posting("P", move("warehouse", "store:S1", 4),
                            move("store:S2", "member", 1)))  # fmt: skip

    assert ledger.balance("G1", "warehouse") == 10
    assert ledger.balance("G1", "store") == 0


def test_l5_stock_is_never_below_zero_at_any_later_instant():
    """L5: a back-dated entry that a later one already used up is refused."""
    ledger = stocked(10)
    ledger.post(posting("OUT", move("warehouse", "store:S1", 8), hours=2))
    ledger.post(posting("IN2", move("supplier", "warehouse", 8), hours=4))

    with pytest.raises(OutOfStockError) as caught:
        ledger.post(posting("LATE", move("warehouse", "store:S2", 3), hours=1))
    assert (caught.value.asked, caught.value.available) == (3, 2)
    assert not ledger.post(
        posting("LATE2", move("warehouse", "store:S2", 2), hours=1)
    ).replayed


def test_l5_a_place_may_be_let_below_zero():
    """L5: only where the rules say so; accounts always may."""
    ledger = Ledger(LedgerRules(below_zero=["store:S1"]))
    ledger.post(posting("P", move("store:S1", "member", 3)))

    assert ledger.balance("G1", "store:S1") == -3
    with pytest.raises(OutOfStockError, match="'store:S11' can give 0 of 'G1', not 3"):
        ledger.post(posting("Q", move("store:S11", "member", 3)))


def test_l5_the_movements_of_a_posting_happen_at_once():
    """L5: goods may pass through a place within one posting."""
    ledger = stocked()
    ledger.post(posting("P", move("store:S1", "member", 2),
                        move("warehouse", "store:S1", 2)))  # fmt: skip

    assert ledger.balance("G1", "member") == 2


def test_l7_equal_moments_are_ordered_by_sequence():
    """L7: of one microsecond, what was posted first came first; midnight is a time."""
    midnight = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
    ledger = Ledger()
    with pytest.raises(OutOfStockError):
        ledger.post(posting("A", move("warehouse", "member"), effective_at=midnight))
    ledger.post(posting("B", move("supplier", "warehouse"), effective_at=midnight))
    ledger.post(posting("C", move("warehouse", "member"), effective_at=midnight))

    assert [entry.sequence for entry in ledger.entries()] == [1, 2, 3]
    assert [entry.key for entry in ledger.entries(after=1)] == ["B", "C"]
    assert ledger.balance("G1", "member", as_of=midnight) == 1
    assert ledger.balance("G1", "member", as_of=midnight, position=2) == 0


def test_l9_a_closed_period_is_closed_but_for_late_entries():
    """L9: before a closing nothing is posted, but knowingly; at its instant it is."""
    ledger = stocked()
    ledger.close(Closing(closing_id="OCT", before=NOON + 2 * HOUR))

    with pytest.raises(ClosedPeriodError, match="'OCT' closed"):
        ledger.post(posting("P", move("warehouse", "store:S1"), hours=1))
    assert ledger.post(posting("P", move("warehouse", "store:S1"), hours=2))
    assert ledger.post(posting("L", move("warehouse", "store:S1"), hours=1, late=True))


def test_l9_a_closing_may_be_of_some_places():
    """L9: a closed place and its parts are closed, also as a destination; no other."""
    ledger = stocked()
    ledger.close(Closing(closing_id="C", before=NOON + HOUR, places=["store:S1"]))

    with pytest.raises(ClosedPeriodError):
        ledger.post(posting("P", move("warehouse", "store:S1:shelf 1")))
    assert ledger.post(posting("Q", move("warehouse", "store:S11")))


@pytest.mark.parametrize(
    "quantity",
    [True, 1.0, float("nan"), Decimal("1.5"), Decimal(1), "1", None, 0, -1, 2**63],
    ids=repr,
)
def test_l13_a_quantity_is_a_whole_number_of_64_bits(quantity):
    """L13: nothing that is no count from 1 to 2^63 - 1 becomes a movement."""
    with pytest.raises(InvalidValueError, match="quantity"):
        move("supplier", "warehouse", quantity)


def test_l13_a_balance_stays_within_64_bits():
    """L13: the largest count is kept exactly; one more is refused, on either side."""
    ledger = stocked(LIMIT)
    with pytest.raises(BalanceOverflowError):
        ledger.post(posting("P", move("supplier", "store:S1", 1)))
    with pytest.raises(BalanceOverflowError):
        ledger.post(posting("Q", move("adjustment", "warehouse", 1)))
    ledger.post(posting("R", move("warehouse", "supplier", LIMIT)))
    ledger.post(posting("S", move("supplier", "warehouse", LIMIT)))

    assert ledger.balance("G1", "warehouse") == LIMIT
    assert ledger.balances()["quantity"].tolist() == [-LIMIT, LIMIT]


def test_l14_one_gift_is_given_once():
    """L14: of many threads that redeem the last gift, exactly one gets it."""
    for _ in range(20):
        ledger = stocked(1)

        def redeem(number, ledger=ledger):
            try:
                ledger.post(posting(f"P{number}", move("warehouse", "member")))
            except OutOfStockError:
                return "out"
            return "won"

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(redeem, range(16)))
        assert sorted(answers) == ["out"] * 15 + ["won"]
        assert ledger.balance("G1", "member") == 1


def test_a_lot_has_one_expiry():
    """A lot comes with the same expiry each time, within a posting too."""
    day = dt.date(2026, 12, 31)
    ledger = Ledger(LedgerRules(gifts=[Gift(gift_id="G1", has_lots=True)]))
    ledger.post(posting("P", move("supplier", "warehouse", 5, lot_id="A", through=day)))

    with pytest.raises(LotConflictError, match="valid through 2026-12-31, not None"):
        ledger.post(posting("Q", move("warehouse", "store:S1", 1, lot_id="A")))
    with pytest.raises(LotConflictError, match="names none"):
        ledger.post(posting("Q", move("warehouse", "store:S1", 1)))
    with pytest.raises(LotConflictError, match="'B'"):
        ledger.post(posting("Q", move("supplier", "warehouse", 1, lot_id="B"),
                            move("supplier", "warehouse", 1, lot_id="B",
                                 through=day)))  # fmt: skip
    with pytest.raises(OutOfStockError, match="of lot 'B'"):
        ledger.post(posting("Q", move("warehouse", "store:S1", lot_id="B")))
    assert Lot(lot_id="A", valid_through=day).expired(day) is False


def test_unknown_gifts_and_places_are_refused_with_the_nearest():
    """What the ledger does not list is refused, and the nearest is named."""
    ledger = stocked(gifts=[Gift(gift_id="G1")], places=["warehouse", "store:S1"])

    with pytest.raises(UnknownPlaceError, match="did you mean 'store:S1'"):
        ledger.post(posting("P", move("warehouse", "store:S2")))
    with pytest.raises(UnknownPlaceError):
        ledger.post(posting("P", move("warehouse", "in_transit:S2")))
    with pytest.raises(UnknownGiftError, match="known are: 'G1'"):
        ledger.post(posting("P", move("supplier", "warehouse", gift_id="G2")))
    with pytest.raises(UnknownPlaceError, match="did you mean 'store'"):
        move("warehouse", "stroe:S1")
    with pytest.raises(InvalidValueError, match="which one"):
        move("warehouse", "store")
    assert ledger.post(posting("P", move("warehouse", "in_transit:S1")))


def test_wrong_postings_cannot_be_made():
    """A posting without movements, zone, or sense is refused when it is made."""
    good = move("supplier", "warehouse")
    wrong = [
        lambda: posting("P"),
        lambda: posting(7, good),
        lambda: posting("P", good, effective_at=dt.datetime(2026, 1, 1)),  # noqa: DTZ001 - the wrong use
        lambda: posting("P", good, effective_at=pd.NaT),
        lambda: posting("P", good, effective_at=pd.Timestamp(1, unit="ns", tz="UTC")),
        lambda: posting("P", good, effective_at=dt.date(2026, 1, 1)),
        lambda: posting("P", good, kind="recieptt"),
        lambda: posting("P", good, reverses="Q"),
        lambda: posting("P", good, kind="reversal"),
        lambda: posting("P", good, late=1),
        lambda: posting("P", good, refers_to=[("ticket", "")]),
        lambda: move("store:S1", "store:S1"),
        lambda: move("supplier", "warehouse", through=dt.date(2026, 1, 1)),
        lambda: Place("store: S1"),
        lambda: Gift(gift_id="G", points_price=0),
    ]
    for make in wrong:
        with pytest.raises(InvalidValueError):
            make()


def test_a_pandas_moment_is_the_plain_moment():
    """A posting made from a frame's cell is the same as one made from a datetime."""
    good = move("supplier", "warehouse")

    made = posting("P", good, effective_at=pd.Timestamp(NOON))
    assert made == posting("P", good)
    assert type(made.effective_at) is dt.datetime


def test_errors_survive_pickling():
    """Errors of a worker process arrive whole."""
    for error in (OutOfStockError("G", "store:S", "A", 2, 1, *[True]),
                  OutOfStockError("G", "store:S", "A", 2, 1, spent=False),
                  KeyConflictError("P", ["by"])):  # fmt: skip
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
        assert (str(copy), vars(copy)) == (str(error), vars(error))


def test_a_reason_is_not_in_the_repr():
    """Free text may name a person: it is kept, but not shown by the way."""
    assert "Anna" not in repr(
        posting("P", move("supplier", "warehouse"), reason="Anna")
    )


def hold(key, quantity, *, hours=0, until=None, **facts):
    """Make a hold at the warehouse."""
    return Hold(**({"hold_id": key, "gift_id": "G1", "place": "warehouse",
                    "quantity": quantity, "held_at": NOON + hours * HOUR,
                    "until": None if until is None else NOON + until * HOUR}
                   | facts))  # fmt: skip


def test_held_stock_is_kept_for_its_holder():
    """Others cannot take what is held; the holder can, once."""
    ledger = stocked(5)
    ledger.hold(hold("H", 4))

    with pytest.raises(OutOfStockError) as caught:
        ledger.post(posting("P", move("warehouse", "member", 2)))
    assert caught.value.available == 1
    mine = posting("Q", move("warehouse", "member", 3), refers_to={"hold": "H"})
    ledger.post(mine)
    assert ledger.post(mine).replayed
    assert ledger.held("G1", "warehouse", as_of=NOON) == 0
    with pytest.raises(HoldError, match="over, by 'Q'"):
        ledger.post(attrs.evolve(mine, posting_id="R"))
    ledger.reverse("Q", key="B", effective_at=NOON)
    assert ledger.balance("G1", "warehouse") == 5


def test_a_hold_lapses_or_is_given_up():
    """A hold that is over keeps nothing, and cannot be used."""
    ledger = stocked(5)
    ledger.hold(hold("H", 4, until=1))
    ledger.hold(hold("I", 1))
    with pytest.raises(OutOfStockError):
        ledger.hold(hold("J", 1))
    ledger.release(Release(release_id="X", hold_id="I", at=NOON))

    assert ledger.held("G1", "warehouse", as_of=NOON) == 4
    assert ledger.held("G1", "warehouse", as_of=NOON + HOUR) == 0
    with pytest.raises(HoldError, match="the hold 'H' runs"):
        ledger.post(posting("P", move("warehouse", "member"), hours=1,
                            refers_to={"hold": "H"}))  # fmt: skip
    with pytest.raises(HoldError, match="over, by 'X'"):
        ledger.release(Release(release_id="Y", hold_id="I", at=NOON))
    with pytest.raises(HoldError, match="no hold 'Z'"):
        ledger.release(Release(release_id="Y", hold_id="Z", at=NOON))
    assert ledger.post(posting("Q", move("warehouse", "member", 5), hours=1))


def test_a_hold_is_used_for_what_it_is():
    """More than was held, or something else, is refused."""
    ledger = stocked(5)
    ledger.hold(hold("H", 2))

    with pytest.raises(HoldError, match="takes 3 there"):
        ledger.post(posting("P", move("warehouse", "member", 3),
                            refers_to={"hold": "H"}))  # fmt: skip
    with pytest.raises(HoldError, match="takes 0 there"):
        ledger.post(posting("P", move("supplier", "store:S1", 1),
                            refers_to={"hold": "H"}))  # fmt: skip


def test_l4_several_postings_are_written_together_or_not_at_all():
    """L4: the first refusal takes all back, spends no key, and leaves the sums."""
    ledger = stocked(5)
    size = ledger.position
    given = [posting(key, move("warehouse", "member", 2)) for key in "PQR"]
    with pytest.raises(OutOfStockError) as caught:
        ledger.post_all(given)
    assert (caught.value.spent, caught.value.available) == (False, 1)
    assert (ledger.position, ledger.balance("G1", "warehouse")) == (size, 5)
    assert ledger.entry("P") is None
    some = ledger.post_all([*given[:2], given[0]])
    assert [each.replayed for each in some] == [False, False, True]
    assert ledger.balance("G1", "warehouse") == 1
    assert list(ledger.journal()) == list(Ledger.restored(ledger.journal()).journal())


def test_a_gift_is_listed_once():
    """Nobody knows which row of a gift counts: rules refuse it, a table tells of it."""
    with pytest.raises(InvalidValueError, match="'CUP' more than once"):
        LedgerRules(gifts=[Gift(gift_id="CUP"), Gift(gift_id="CUP", has_lots=True)])
    table = pd.DataFrame({"gift_id": ["CUP", "CUP"], "points_price": [50, 60]})
    (gift,), (finding,) = read_gifts(table, currency=Currency("CNY"))
    assert (gift.points_price, finding.rule) == (50, "gift-twice")


@pytest.mark.parametrize("reason", [" wet", "wet\n", "\u3000"])
def test_a_reason_has_no_spaces_around_it(reason):
    """A file of movements would not keep them: nothing is written, no key spent."""
    ledger = stocked()
    for source in ("supplier", "store:S1"):  # the second would be refused
        wanted = posting("P", move(source, "warehouse"), reason=reason)
        with pytest.raises(InvalidValueError, match="spaces around"):
            ledger.post(wanted)
        with pytest.raises(InvalidValueError, match="spaces around"):
            ledger.post_all([posting("Q", move("supplier", "warehouse")), wanted])
    with pytest.raises(InvalidValueError, match="spaces around"):
        ledger.reverse("IN", key="R", effective_at=NOON, reason=reason)
    assert [each.key for each in ledger.entries()] == ["IN"]
