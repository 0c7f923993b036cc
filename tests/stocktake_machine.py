"""
A machine that counts and settles on any ledger beside the replay of stocktake_model.py.

Subclass it and let `make` return the ledger.
"""

import datetime as dt

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from memberops.domain import ApprovedCount, CountLine, Explanation, Movement, Posting
from memberops.errors import OutOfStockError
from memberops.ledger import Ledger, differences, post_late, settle
from stocktake_model import StocktakeModel

ZERO = dt.datetime(2026, 10, 10, tzinfo=dt.UTC)


def at(day, hour=0):
    """Return the instant of a day before or after, and an hour."""
    return ZERO + dt.timedelta(days=day, hours=hour)


def move(key, moment, change, **facts):
    """Make a posting that brings to the store, or takes from it."""
    place = facts.pop("place", "store:S1")
    pair = ("supplier", place) if change > 0 else (place, "member")
    gift = facts.pop("gift_id", "G")
    lot = {name: facts.pop(name) for name in ("lot_id", "valid_through")
           if name in facts}  # fmt: skip
    return Posting(
        posting_id=key,
        kind="receipt" if change > 0 else "issue",
        effective_at=moment,
        movements=[
            Movement(
                gift_id=gift,
                source=pair[0],
                destination=pair[1],
                quantity=abs(change),
                **lot,
            )
        ],
        **facts,
    )


def count(ledger, counted, moment, name="C1", **facts):
    """Make a count of the store."""
    facts = {"place": "store:S1", "gift_id": "G", "counted_by": "E1",
             "position": ledger.position} | facts  # fmt: skip
    return CountLine(stocktake_id=name, counted=counted, counted_at=moment, **facts)


def approve(ledger, line, *others, by="E9"):
    """Approve the difference that a count shows now, for one reason."""
    shown = [each for each in differences(ledger, [*others, line])
             if each.line == line]  # fmt: skip
    quantity = shown[0].quantity
    reason = "found" if quantity > 0 else "lost"
    return ApprovedCount(
        line=line,
        difference=quantity,
        by=by,
        counters=shown[0].counters,
        explanations=[
            Explanation(line_id=line.line_id, reason=reason, quantity=quantity)
        ]
        if quantity
        else [],
    )


def stock(ledger, moment=None):
    """Return the stock of the store."""
    return ledger.balance("G", "store:S1", as_of=moment)


class StocktakeMachine(RuleBasedStateMachine):
    """Trade, count, approve and settle in any order, beside a replay of its own."""

    def make(self):
        """Return an empty ledger."""
        return Ledger()

    @initialize()
    def begin(self):
        """Begin with an empty store."""
        self.ledger = self.make()
        self.model = StocktakeModel()
        self.lines, self.approved, self.waiting = {}, {}, []

    @rule(hour=st.integers(0, 12), number=st.integers(1, 9), gift=st.sampled_from("GH"))
    def receive(self, hour, number, gift):
        """Goods come in, perhaps back-dated; those before a count in force are late."""
        self.trade(hour, number, gift)

    @rule(hour=st.integers(0, 12), number=st.integers(1, 5), gift=st.sampled_from("GH"))
    def issue(self, hour, number, gift):
        """Goods go out, if there are enough by the model."""
        self.trade(hour, -number, gift)

    def trade(self, hour, change, gift):
        """Give a movement to both."""
        model = self.model
        posting = move(f"T{len(model.moves)}-{self.ledger.position}", at(0, hour),
                       change, gift_id=gift)  # fmt: skip
        model.moves.append((hour, self.ledger.position + 10**6, gift, change))
        if not model.possible(gift, model.in_force):
            model.moves.pop()
            with pytest.raises(OutOfStockError):
                post_late(self.ledger, posting, self.approved.values())
            return
        model.moves.pop()
        post_late(self.ledger, posting, self.approved.values())
        sequence = self.ledger.entry(posting.posting_id).sequence
        model.moves.append((hour, sequence, gift, change))

    @rule(hour=st.integers(0, 12), counted=st.integers(0, 12),
          gift=st.sampled_from("GH"))  # fmt: skip
    def count(self, hour, counted, gift):
        """Someone counts at an hour, and it is approved by what is known."""
        name = f"C{len(self.lines):03}"
        line = count(self.ledger, counted, at(0, hour), name, gift_id=gift)
        self.lines[name] = line
        self.model.counts[name] = (hour, line.position, name, gift, counted)
        approved = approve(self.ledger, line, *(a.line for a in self.approved.values()))
        assert approved.difference == counted - self.model.book(name)
        self.waiting.append((name, approved))

    @rule(data=st.data())
    def settle(self, data):
        """One approved count is settled, now or much later, or turns out stale."""
        if not self.waiting:
            return
        chosen = data.draw(st.integers(0, len(self.waiting) - 1))
        name, approved = self.waiting.pop(chosen)
        model, gift = self.model, approved.line.gift_id
        done = settle(self.ledger, [*self.approved.values(), approved])
        expected = approved.line.counted - model.book(name)
        if expected != approved.difference:
            assert done.changed == (approved,)
            assert not done.posted
        elif not model.possible(gift, [*model.in_force, name]):
            (finding,) = done.findings
            assert finding.rule == "count-impossible"
            assert not done.posted
        else:
            assert not done.changed
            assert not done.findings
            model.in_force.append(name)
            self.approved[name] = approved

    @invariant()
    def agree(self):
        """Stock is what the replay ends with, at every step."""
        for gift in "GH":
            assert self.ledger.balance(gift, "store:S1") == self.model.level(gift)

    def teardown(self):
        """Settling all again writes nothing."""
        position = self.ledger.position
        done = settle(self.ledger, self.approved.values())
        assert (done.posted, self.ledger.position) == ((), position)
