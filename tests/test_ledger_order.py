"""The order of the ledger: back-dated entries, equal moments, any order of arrival."""

import datetime as dt
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberops.domain import Movement, Posting
from memberops.errors import OutOfStockError
from memberops.ledger import Ledger

ZERO = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
PLACES = ["warehouse", "store:S1", "store:S2", "member"]


def posting(key, minute, source, destination, quantity):
    """Make a posting of one movement at a minute."""
    return Posting(
        posting_id=str(key),
        kind="transfer",
        effective_at=ZERO + dt.timedelta(minutes=minute),
        movements=[
            Movement(
                gift_id="G", source=source, destination=destination, quantity=quantity
            )
        ],
    )


def filled(postings):
    """Make a ledger of postings."""
    ledger = Ledger()
    for each in postings:
        ledger.post(each)
    return ledger


def stock(ledger, moment=None):
    """Return the balance of every place."""
    places = [*PLACES, "supplier"]
    return {place: ledger.balance("G", place, as_of=moment) for place in places}


plans = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.lists(st.sampled_from(PLACES), min_size=2, max_size=2, unique=True),
        st.integers(1, 9),
    ),
    min_size=1,
    max_size=8,
)


@given(plan=plans, data=st.data())
@settings(max_examples=60)
def test_l10_postings_that_do_not_compete_commute(plan, data):
    """L10: with enough stock, any order of arrival gives the same balances."""
    enough = [posting(place, -1, "supplier", place, 99) for place in PLACES]
    wanted = [posting(number, minute, *pair, quantity)
              for number, (minute, pair, quantity) in enumerate(plan)]  # fmt: skip
    other = data.draw(st.permutations(wanted))
    one, two = filled(enough + wanted), filled(enough + list(other))

    assert stock(one) == stock(two)
    moment = ZERO + dt.timedelta(minutes=data.draw(st.integers(-2, 6)))
    assert stock(one, moment) == stock(two, moment)
    before = stock(one)
    assert all(one.post(each).replayed for each in other)
    assert stock(one) == before


def test_l7_rows_of_one_microsecond_are_judged_as_they_came():
    """L7: all 720 orders of six rows of one moment give what a run by hand does."""
    rows = [("supplier", "warehouse", 2), ("warehouse", "store:S1", 2),
            ("store:S1", "member", 1), ("supplier", "warehouse", 1),
            ("warehouse", "member", 1), ("member", "store:S1", 1)]  # fmt: skip
    for order in itertools.permutations(range(6)):
        ledger, sums, refused = Ledger(), dict.fromkeys([*PLACES, "supplier"], 0), []
        for number in order:
            source, destination, quantity = rows[number]
            if source in {"warehouse", "store:S1"} and sums[source] < quantity:
                refused.append(number)
                with pytest.raises(OutOfStockError):
                    ledger.post(posting(number, 0, *rows[number]))
                continue
            ledger.post(posting(number, 0, *rows[number]))
            sums[source] -= quantity
            sums[destination] += quantity
        got = {place: ledger.balance("G", place, as_of=ZERO) for place in sums}
        assert got == sums
        assert ledger.position == 6


def test_l5_a_back_dated_entry_is_judged_at_every_place_of_a_long_ledger():
    """L5, L6: at each of 200 places, as many can be taken as the later low allows."""
    changes = [(7 * number) % 11 - 5 for number in range(200)]
    ledger, balances = Ledger(), []
    ledger.post(posting("start", -1, "supplier", "warehouse", 100))
    stock = 100
    for minute, change in enumerate(changes):
        pair = ("supplier", "warehouse") if change > 0 else ("warehouse", "member")
        if change:
            ledger.post(posting(minute, minute, *pair, abs(change)))
        stock += change
        balances.append(stock)
    assert min(balances) >= 0

    for minute in range(200):
        low = min(balances[minute:])
        with pytest.raises(OutOfStockError) as caught:
            ledger.post(posting(f"x{minute}", minute, "warehouse", "member", low + 1))
        assert caught.value.available == low
        if low:
            key = f"y{minute}"
            ledger.post(posting(key, minute, "warehouse", "member", low))
            late = ZERO + dt.timedelta(minutes=200)
            assert ledger.balance("G", "warehouse") == balances[-1] - low
            ledger.post(posting(f"z{minute}", minute, "supplier", "warehouse", low))
            assert ledger.balance("G", "warehouse", as_of=late) == balances[-1]
