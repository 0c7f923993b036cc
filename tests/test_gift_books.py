"""The ledger as the book of stock of the three-way match."""

import datetime as dt

import pandas as pd
import pytest

from memberops.domain import Gift, Movement, Posting
from memberops.errors import InvalidValueError
from memberops.ledger import (
    Ledger,
    award,
    issue,
    moved_gifts,
    redeem,
    take_gift_back,
)
from memberops.policies import GiftMatchPolicy

NOON = dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)
TODAY = NOON.date()
CUP = Gift(gift_id="CUP", points_price=50)


def at(hours):
    """Return a moment so many hours after noon."""
    return NOON + dt.timedelta(hours=hours)


def chain_ledger():
    """Make a ledger in which M1 redeemed two cups, and got one for a birthday."""
    ledger = Ledger()
    ledger.post(Posting(
        posting_id="OPEN", kind="opening", effective_at=NOON,
        movements=[Movement(gift_id="CUP", source="opening", destination="store:S01",
                            quantity=9)]))  # fmt: skip
    ledger.post(award(key="AWARD", member_id="M1", points=100, valid_through=None,
                      effective_at=NOON, ticket_id="T0"))  # fmt: skip
    terms = {"store_id": "S01", "member_id": "M1", "on": TODAY, "by": "E1"}
    ledger.post(redeem(ledger, redemption_id="R1", gift=CUP, quantity=2,
                       effective_at=at(1), **terms))  # fmt: skip
    ledger.post(issue(ledger, issue_id="I2", gift_id="CUP", quantity=1,
                      reason="birthday", effective_at=at(2), **terms))  # fmt: skip
    return ledger


def stock(ledger, hours=9):
    """Read the book of stock of a ledger."""
    postings = [entry.record for entry in ledger.entries()
                if isinstance(entry.record, Posting)]  # fmt: skip
    return moved_gifts(postings, as_of=at(hours))


def test_only_gifts_that_left_a_store_for_a_member_are_in_the_book():
    """No points, no opening stock; each row names its paper, and what is known then."""
    ledger = chain_ledger()
    shown = ["store_id", "member_id", "gift_id", "quantity", "issue_id",
             "redemption_id"]  # fmt: skip
    assert stock(ledger)[shown].to_numpy().tolist() == [
        ["S01", "M1", "CUP", 2, "", "R1"],
        ["S01", "M1", "CUP", 1, "I2", ""],
    ]
    assert stock(ledger, 1)["redemption_id"].tolist() == ["R1"]
    assert stock(Ledger()).empty
    with pytest.raises(InvalidValueError):
        moved_gifts([], as_of=NOON.replace(tzinfo=None))


def test_what_was_reversed_is_not_in_the_book():
    """From the moment of the reversal, and not before."""
    ledger = chain_ledger()
    key = stock(ledger)["posting_id"].iloc[1]
    ledger.reverse(key, key="UNDO", effective_at=at(3))
    assert stock(ledger)["redemption_id"].tolist() == ["R1"]
    assert len(stock(ledger, 2)) == 2


def test_a_gift_that_came_back_ends_its_break():
    """Given without points and brought back, all of it: nothing is owed any more."""
    ledger = chain_ledger()
    key = stock(ledger)["posting_id"].iloc[1]
    common = {"store_id": "S01", "member_id": "M1", "gift_id": "CUP"}
    never = pd.to_datetime([], utc=True)
    none = pd.DataFrame({"redemption_id": [], "redeemed_at": never,
                         "quantity": pd.Series([], dtype="int64"), "store_id": [],
                         "member_id": [], "gift_id": []})  # fmt: skip
    till = pd.DataFrame({"issue_id": ["I2"], "issued_at": [at(2)], "quantity": [1],
                         "reason": "points", **common})  # fmt: skip

    def kinds(hours):
        found = GiftMatchPolicy().match(none, till, stock(ledger, hours), as_of=at(9))
        assert "returned" not in set(found.breaks["kind"])
        return dict(zip(found.cases["posting_id"], found.cases["kind"], strict=True))

    assert kinds(9)[key] == "issued_not_redeemed"
    ledger.post(take_gift_back(ledger, return_id="B", issue_key=key, quantity=1,
                               effective_at=at(4), by="E1"))  # fmt: skip
    assert kinds(3)[key] == "issued_not_redeemed"
    assert kinds(9) == {key: "returned", "redemption:R1": "moved_not_issued"}
    ledger.reverse("return:B", key="UNDO", effective_at=at(5))
    assert kinds(9)[key] == "issued_not_redeemed"


def test_the_ledger_is_a_book_of_the_match():
    """What was posted agrees with the tills; what the till did not enter is told."""
    ledger = chain_ledger()
    common = {"store_id": "S01", "member_id": "M1", "gift_id": "CUP"}
    redeemed = pd.DataFrame(
        {"redemption_id": ["R1"], "redeemed_at": [at(1)], "quantity": [2], **common}
    )
    issued = pd.DataFrame(
        {"issue_id": ["I1"], "issued_at": [at(1)], "quantity": [2],
         "redemption_id": ["R1"], **common})  # fmt: skip
    found = GiftMatchPolicy().match(redeemed, issued, stock(ledger), as_of=at(9))
    assert found.cases["kind"].tolist() == ["matched", "moved_not_issued"]
    assert found.breaks["moved"].tolist() == [1]
