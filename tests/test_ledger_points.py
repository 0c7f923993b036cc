"""Points as lots: awarded, spent oldest-expiring first, taken back (STORE)."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest

from memberops.domain import Gift, Movement, Posting
from memberops.errors import InvalidValueError, OutOfStockError
from memberops.ledger import (
    Ledger,
    award,
    expire_points,
    points_balance,
    redemption,
    take_back,
)

NOON = dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)
TODAY = dt.date(2026, 10, 1)
CUP = Gift(gift_id="CUP", points_price=50)


def awarded(*lots):
    """Make a ledger where M1 has lots of points, and store S1 two cups."""
    ledger = Ledger()
    for number, (points, through) in enumerate(lots):
        ledger.post(award(key=f"A{number}", member_id="M1", points=points,
                          valid_through=through, effective_at=NOON,
                          ticket_id=f"T{number}"))  # fmt: skip
    ledger.post(Posting(posting_id="IN", kind="receipt", effective_at=NOON, movements=[
        Movement(gift_id="CUP", source="supplier", destination="store:S1",
                 quantity=2)]))  # fmt: skip
    return ledger


def redeem(ledger, key="R", quantity=1, on=TODAY):
    """Plan a redemption of cups at the store."""
    return redemption(ledger, key=key, member_id="M1", gift=CUP, quantity=quantity,
                      place="store:S1", effective_at=NOON, on=on)  # fmt: skip


def enquire(ledger, on=TODAY):
    """Ask for the points that can be spent."""
    return points_balance(ledger, "M1", as_of=NOON, on=on)


def test_points_that_expire_first_are_spent_first():
    """One posting pays with the oldest-expiring points and gives the cup."""
    ledger = awarded((40, None), (30, dt.date(2027, 1, 1)), (30, dt.date(2026, 12, 1)))
    ledger.post(redeem(ledger))

    assert [(each.lot_id, each.quantity) for each in ledger.entry("R").record.movements
            ] == [("A2", 30), ("A1", 20), (None, 1)]  # fmt: skip
    assert enquire(ledger) == 50
    assert ledger.balance("CUP", "store:S1") == 1
    assert ledger.balance("CUP", "member:M1") == 1
    assert ledger.balance("points", "program:spent") == 50


def test_points_end_after_their_last_day():
    """Through the last day points count and can be spent; the day after neither."""
    last = dt.date(2026, 12, 1)
    after = last + dt.timedelta(days=1)
    ledger = awarded((50, last), (10, None))

    assert (enquire(ledger, last), enquire(ledger, after)) == (60, 10)
    assert redeem(ledger, on=last)
    with pytest.raises(OutOfStockError) as caught:
        redeem(ledger, on=after)
    assert (caught.value.gift_id, caught.value.available) == ("points", 10)
    gone = expire_points(ledger, key="E", member_id="M1", effective_at=NOON, on=after)
    ledger.post(gone)
    assert ledger.balance("points", "wallet:M1") == 10
    assert ledger.balance("points", "program:expired") == 50
    assert expire_points(ledger, key="F", member_id="M1", effective_at=NOON,
                         on=after) is None  # fmt: skip


def test_a_redemption_moves_both_or_nothing():
    """Too few points, or too few gifts: neither points nor gifts move."""
    ledger = awarded((120, None))
    with pytest.raises(OutOfStockError, match="'points'"):
        redeem(ledger, quantity=3)
    planned = redeem(ledger, key="SLOW", quantity=2)
    ledger.post(redeem(ledger, key="FAST"))
    with pytest.raises(OutOfStockError):
        ledger.post(planned)

    assert (enquire(ledger), ledger.balance("CUP", "store:S1")) == (70, 1)
    with pytest.raises(InvalidValueError, match="not given for points"):
        redemption(ledger, key="X", member_id="M1", gift=Gift(gift_id="CUP"),
                   quantity=1, place="store:S1", effective_at=NOON,
                   on=TODAY)  # fmt: skip
    with pytest.raises(InvalidValueError, match="whole number"):
        redeem(ledger, quantity=True)


def test_l14_points_are_spent_once():
    """L14: many tills redeem the same points; one wins, and none goes below zero."""
    ledger = awarded((50, None))
    plans = [redeem(ledger, key=f"R{number}") for number in range(16)]

    def post(plan):
        try:
            ledger.post(plan)
        except OutOfStockError:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(post, plans)) == 1
    assert enquire(ledger) == 0
    assert ledger.balance("CUP", "store:S1") == 1


def give_back(ledger, points, key="B", on=TODAY):
    """Plan what a return of the first ticket takes back."""
    return take_back(ledger, key=key, award_key="A0", points=points,
                     effective_at=NOON, on=on)  # fmt: skip


def test_a_return_takes_back_what_it_earned():
    """From the award's own lot first, then from others; what is gone is told."""
    ledger = awarded((40, dt.date(2027, 5, 1)), (30, dt.date(2026, 12, 1)))
    assert [each.lot_id for each in give_back(ledger, 10).posting.movements] == ["A0"]
    ledger.post(redeem(ledger))
    back = give_back(ledger, 40)

    assert back.missing == 20
    ledger.post(back.posting)
    assert enquire(ledger) == 0
    assert ledger.balance("points", "program:earned") == -50
    other = take_back(ledger, key="C", award_key="A1", points=5, effective_at=NOON,
                      on=TODAY)  # fmt: skip
    assert (other.posting, other.missing) == (None, 5)
    with pytest.raises(InvalidValueError, match="0 can be taken back, not 5"):
        give_back(ledger, 5, key="C")
    with pytest.raises(InvalidValueError, match="from 1 to the 40"):
        give_back(ledger, 41)
    with pytest.raises(InvalidValueError, match="'IN' is no award"):
        take_back(ledger, key="D", award_key="IN", points=1,
                  effective_at=NOON, on=TODAY)  # fmt: skip
