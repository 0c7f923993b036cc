"""
A machine that drives any ledger store beside the model of ledger_model.py.

Subclass it and let `make` return the store; `MACHINE_STEPS` steps of a run then end in
the same words, sums and journals, or hypothesis shows the shortest run that does not.
"""

import datetime as dt

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger_model import LIMIT, Model, is_own
from memberops.domain import Closing, Hold, Movement, Posting, Release
from memberops.errors import MemberOpsError
from memberops.ledger import Ledger

ZERO = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
EXPIRY = dt.date(2027, 6, 30)
GOODS = [("G1", "", None), ("G2", "A", EXPIRY), ("G2", "B", None), ("G3", "", None)]
PLACES = ["warehouse", "store:S1", "store:S11", "in_transit:S1", "wallet:M1", "member"]
SOURCES = ["supplier", "opening", "adjustment"]

goods = st.sampled_from(GOODS)
places = st.sampled_from(PLACES)
hours = st.integers(0, 12)
quantities = st.one_of(st.integers(1, 20), st.integers(1, 3), st.just(LIMIT))
keys = st.integers(1, 130).map(lambda number: f"K{number}")


def at(hour):
    """Return the instant of an hour, None for None."""
    return None if hour is None else ZERO + dt.timedelta(hours=hour)


def real(record):
    """Make the domain value of a model's record."""
    if record["type"] == "closing":
        return Closing(
            closing_id=record["key"],
            before=at(record["before"]),
            places=record["places"],
        )
    if record["type"] == "release":
        return Release(release_id=record["key"], hold_id=record["hold"], at=ZERO)
    if record["type"] == "hold":
        gift, place, lot = record["cell"]
        return Hold(
            hold_id=record["key"],
            gift_id=gift,
            place=place,
            lot_id=lot or None,
            quantity=record["quantity"],
            held_at=at(record["hour"]),
            until=at(record["until"]),
        )
    return Posting(
        posting_id=record["key"],
        kind="transfer" if record["reverses"] is None else "reversal",
        effective_at=at(record["hour"]),
        movements=[
            Movement(
                gift_id=gift,
                lot_id=lot or None,
                valid_through=expiry,
                source=source,
                destination=destination,
                quantity=number,
            )
            for gift, lot, expiry, source, destination, number in record["moves"]
        ],
        reverses=record["reverses"],
        refers_to=() if record["hold"] is None else {"hold": record["hold"]},
        late=record["late"],
    )


class LedgerMachine(RuleBasedStateMachine):
    """Post, take back, back-date, hold, close, repeat and reload, beside the model."""

    def make(self):
        """Return an empty ledger."""
        return Ledger()

    def reload(self, ledger):
        """Return a ledger made from the journal of another."""
        return Ledger.restored(list(ledger.journal()))

    @initialize()
    def begin(self):
        """Begin with an empty store."""
        self.ledger = self.make()
        self.model = Model()
        self.lines = []
        self.entries = []
        self.wanted = []
        moves = [
            (*good, "supplier", place, 9) for good in GOODS for place in PLACES[:2]
        ]
        self.post("K0", 0, moves)

    def say(self, record):
        """Give a record to both, and hold their answers together."""
        expected = self.model.write(record)
        value = real(record)
        write = {
            "posting": self.ledger.post,
            "closing": self.ledger.close,
            "hold": self.ledger.hold,
            "release": self.ledger.release,
        }[record["type"]]
        try:
            receipt = write(value)
        except MemberOpsError as error:
            got = type(error).__name__, None
        else:
            got = "replayed" if receipt.replayed else "posted", receipt.sequence
        note(f"{record} -> {got}")
        assert got == expected
        self.wanted.append(record)

    def post(self, key, hour, moves, *, reverses=None, late=False, hold=None):
        """Give a posting to both."""
        self.say({"type": "posting", "key": key, "hour": hour, "moves": moves,
                  "reverses": reverses, "late": late, "hold": hold})  # fmt: skip

    @rule(key=keys, hour=hours, good=goods, source=st.sampled_from(SOURCES),
          place=places, number=quantities)  # fmt: skip
    def receive(self, key, hour, good, source, place, number):
        """Something comes from outside, perhaps back-dated."""
        self.post(key, hour, [(*good, source, place, number)])

    @rule(key=keys, hour=hours, good=goods, number=quantities, late=st.booleans(),
          pair=st.lists(places, min_size=2, max_size=2, unique=True))  # fmt: skip
    def transfer(self, key, hour, good, number, late, pair):
        """Something goes from place to place, to a member or back."""
        self.post(key, hour, [(*good, *pair, number)], late=late)

    @rule(key=keys, hour=hours, good=goods, place=places, number=quantities)
    def lose(self, key, hour, good, place, number):
        """Something is destroyed."""
        self.post(key, hour, [(*good, place, "destroyed", number)])

    @rule(key=keys, hour=hours, first=goods, second=goods, number=quantities,
          place=places)  # fmt: skip
    def several(self, key, hour, first, second, number, place):
        """Several movements are one posting: all or none."""
        self.post(
            key,
            hour,
            [
                (*first, "supplier", "warehouse", number),
                (*second, place, "adjustment", 1),
                (*first, "warehouse", "store:S1", 1),
            ],
        )

    @rule(key=keys, hour=hours)
    def other_expiry(self, key, hour):
        """A lot comes with an expiry that may not be its own."""
        self.post(key, hour, [("G2", "A", None, "supplier", "warehouse", 1)])

    @rule(key=keys, data=st.data(), hour=hours, exact=st.booleans())
    def reverse(self, key, data, hour, exact):
        """A posting that was asked for is taken back, or nearly."""
        asked = [each for each in self.wanted if each["type"] == "posting"]
        if asked:
            mistake = data.draw(st.sampled_from(asked))
            moves = [(g, lot, e, b, a, n if exact else max(1, n - 1))
                     for g, lot, e, a, b, n in mistake["moves"]]  # fmt: skip
            self.post(key, hour, moves, reverses=mistake["key"])

    @rule(key=keys, hour=st.integers(0, 2), where=st.sampled_from(
        [(), (), ("store:S1",), ("member", "warehouse")]))  # fmt: skip
    def close_period(self, key, hour, where):
        """A period is closed, for all places or some."""
        self.say({"type": "closing", "key": key, "before": hour, "places": where})

    @rule(data=st.data())
    def replay(self, data):
        """What was asked before is asked again."""
        if self.wanted:
            self.say(data.draw(st.sampled_from(self.wanted)))

    @rule(key=keys, good=goods, place=places, number=st.integers(1, 9), hour=hours,
          length=st.one_of(st.none(), st.integers(1, 6)))  # fmt: skip
    def hold(self, key, good, place, number, hour, length):
        """Some is held."""
        until = None if length is None else hour + length
        self.say({"type": "hold", "key": key, "cell": (good[0], place, good[1]),
                  "quantity": number, "hour": hour, "until": until})  # fmt: skip

    @rule(key=keys, data=st.data(), wait=st.integers(0, 4), number=st.integers(1, 9),
          mine=st.booleans())  # fmt: skip
    def use_hold(self, key, data, wait, number, mine):
        """A hold is used, or someone else takes from where it keeps."""
        held = [each for each in self.wanted if each["type"] == "hold"]
        if held:
            hold = data.draw(st.sampled_from(held))
            gift, place, lot = hold["cell"]
            expiry = EXPIRY if lot == "A" else None
            self.post(key, hold["hour"] + wait,
                      [(gift, lot, expiry, place, "destroyed", number)],
                      hold=hold["key"] if mine else None)  # fmt: skip

    @rule(key=keys, data=st.data())
    def release(self, key, data):
        """A hold is given up."""
        held = [each["key"] for each in self.wanted if each["type"] == "hold"]
        if held:
            hold = data.draw(st.sampled_from(held))
            self.say({"type": "release", "key": key, "hold": hold})

    @rule()
    def export_and_import(self):
        """The ledger travels through its journal and goes on (L12)."""
        before = list(self.ledger.journal())
        assert before[: len(self.lines)] == self.lines
        self.lines = before[:-1]
        self.ledger = self.reload(self.ledger)
        assert list(self.ledger.journal()) == before

    @invariant()
    def nothing_written_changes(self):
        """L2, L7: the old entries are a prefix of the new; sequences grow by order."""
        entries = list(self.ledger.entries())
        assert entries[: len(self.entries)] == self.entries
        self.entries = entries
        numbers = [entry.sequence for entry in entries]
        assert numbers == sorted(set(numbers))
        assert len(numbers) == len(self.model.log)

    def teardown(self):
        """Lines once seen are there at the end (L2), and the frames agree."""
        if hasattr(self, "ledger"):
            assert list(self.ledger.journal())[: len(self.lines)] == self.lines
            self.frame(len(self.lines) % 13, self.ledger.position * 2 // 3)

    def frame(self, hour, position):
        """The frame of balances is the model's, at an hour and a position (L1, L6)."""
        frame = self.ledger.balances(as_of=at(hour), position=position)
        cells = zip(frame["gift_id"], frame["place"], frame["lot_id"], strict=True)
        got = dict(zip(cells, frame["quantity"], strict=True))
        assert got == self.model.balances(hour, position)

    @invariant()
    def balances_are_sums(self):
        """L1, L6: what the ledger says of every cell is the model's sum."""
        sums = self.model.balances()
        totals = dict.fromkeys([good[:2] for good in GOODS], 0)
        for (gift, place, lot), number in sums.items():
            assert self.ledger.balance(gift, place, lot_id=lot) == number
            totals[gift, lot] += number
        assert not any(totals.values())

    @invariant()
    def never_below_zero(self):
        """L5: run in the order of the ledger, no own place is ever below zero."""
        posted = [entry for entry in self.ledger.entries()
                  if isinstance(entry.record, Posting)]  # fmt: skip
        posted.sort(key=lambda each: (each.record.effective_at, each.sequence))
        sums = {}
        for entry in posted:
            for each in entry.record.movements:
                for place, sign in ((each.source, -1), (each.destination, 1)):
                    cell = each.gift_id, place, each.lot_id
                    sums[cell] = sums.get(cell, 0) + sign * each.quantity
            assert all(n >= 0 for cell, n in sums.items() if is_own(cell[1]))
