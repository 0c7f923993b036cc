"""
A machine that drives any ledger store beside the model of ledger_model.py.

Subclass it and let `make` return the store; the steps of a run then end in the same
words, sums and journals, or hypothesis shows the shortest run that does not.

What a step says is drawn in few draws, each from a list of whole situations: a draw
costs as much as a posting in memory does.
"""

import datetime as dt
from itertools import permutations, product

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from ledger_model import LIMIT, OVER, Model, is_own
from memberops.domain import Closing, Hold, Movement, Posting, Release
from memberops.errors import MemberOpsError
from memberops.ledger import Ledger

ZERO = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
EXPIRY = dt.date(2027, 6, 30)
GOODS = [("G1", "", None), ("G2", "A", EXPIRY), ("G2", "B", None), ("G3", "", None)]
PLACES = ["warehouse", "store:S1", "store:S11", "in_transit:S1", "wallet:M1", "member"]
SOURCES = ["supplier", "opening", "adjustment"]

EVERY = 6  # steps from one look at all the sums to the next

whens = st.sampled_from(
    [(f"K{key}", hour) for key in range(1, 251) for hour in range(13)]
)
keys = st.sampled_from([f"K{key}" for key in range(1, 251)])
numbers = st.sampled_from([*range(1, 21), 1, 2, 3, LIMIT])
arrivals = st.sampled_from(  # some of them more than was written, or explained
    [
        *product(GOODS, [*SOURCES, OVER], PLACES),
        *product(GOODS, ["supplier"], [OVER] * 4),
    ]
)
ways = st.sampled_from(list(product(GOODS, permutations(PLACES, 2), (False, True))))
whereabouts = st.sampled_from(  # mostly where there is something to begin with
    list(product(GOODS, [*PLACES, *PLACES[:2] * 3]))
)
comings_back = st.sampled_from(
    [*product(["new", "again"], [0, 1, 2]), *[("again", 0)] * 2, ("reversed", 0)]
)
mixtures = st.sampled_from(list(product(GOODS, GOODS, PLACES)))
picks = st.integers(0, 2**16)  # of what was asked before, counted back from the last
closings = st.sampled_from(
    list(product(range(3), [(), (), ("store:S1",), ("member", "warehouse")]))
)
lengths = st.sampled_from([None, *range(1, 7)])
takings = st.sampled_from(
    list(product(["at the end", 0, 1, 2, 4], [*range(1, 10), LIMIT], (True, False)))
)


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
        return Release(
            release_id=record["key"], hold_id=record["hold"], at=at(record["hour"])
        )
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
        refers_to={
            name: record[of]
            for name, of in (("hold", "hold"), ("issue_key", "back"))
            if record[of] is not None
        },
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
        self.steps = self.journeys = 0
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

    def post(
        self, key, hour, moves, *, reverses=None, late=False, hold=None, back=None
    ):
        """Give a posting to both."""
        self.say({"type": "posting", "key": key, "hour": hour, "moves": moves,
                  "reverses": reverses, "late": late, "hold": hold,
                  "back": back})  # fmt: skip

    @rule(when=whens, arrival=arrivals, number=numbers)
    def receive(self, when, arrival, number):
        """Something comes from outside, perhaps back-dated."""
        good, source, place = arrival
        self.post(*when, [(*good, source, place, number)])

    @rule(when=whens, way=ways, number=numbers)
    def transfer(self, when, way, number):
        """Something goes from place to place, to a member or back."""
        good, pair, late = way
        self.post(*when, [(*good, *pair, number)], late=late)

    @rule(when=whens, whereabout=whereabouts, number=numbers)
    def lose(self, when, whereabout, number):
        """Something is destroyed."""
        good, place = whereabout
        self.post(*when, [(*good, place, "destroyed", number)])

    @rule(when=whens, what=mixtures, number=numbers)
    def several(self, when, what, number):
        """Several movements are one posting: all or none."""
        first, second, place = what
        self.post(
            *when,
            [
                (*first, "supplier", "warehouse", number),
                (*second, place, "adjustment", 1),
                (*first, "warehouse", "store:S1", 1),
            ],
        )

    @rule(when=whens)
    def other_expiry(self, when):
        """A lot comes with an expiry that may not be its own."""
        self.post(*when, [("G2", "A", None, "supplier", "warehouse", 1)])

    def asked(self, kind, pick):
        """Pick what was asked before: the last for 0, the one before for 1, ..."""
        asked = [each for each in self.wanted if kind in {None, each["type"]}]
        return asked[-1 - pick % len(asked)] if asked else None

    @rule(when=whens, pick=picks, exact=st.booleans())
    def reverse(self, when, pick, exact):
        """A posting that was asked for is taken back, or nearly."""
        mistake = self.asked("posting", pick)
        moves = [(g, lot, e, b, a, n if exact else max(1, n - 1))
                 for g, lot, e, a, b, n in mistake["moves"]]  # fmt: skip
        self.post(*when, moves, reverses=mistake["key"])

    @rule(when=whens, pick=picks, coming=comings_back)
    def bring_back(self, when, pick, coming):
        """A member brings back what was given, once or again, or it is taken back."""
        (key, hour), (which, less) = when, coming
        given = [r for r in self.model.records("posting")
                 if r["reverses"] is None and any(m[4] == "member" for m in r["moves"])
                 ]  # fmt: skip
        some = [r for r in given if self.model.returns(r["key"])]
        issue = (some or given if which != "new" else given)[-1 - pick % 3 :][:1]
        for first in issue:
            last = 6 + max(first["hour"] + hour % 7 - 7, -6)
            if which == "reversed":
                moves = [(g, lot, e, b, a, n) for g, lot, e, a, b, n in first["moves"]]
                self.post(key, last, moves, reverses=first["key"])
                continue
            moves = [
                (g, lot, e, to, "store:S1", max(1, n - less))
                for g, lot, e, _, to, n in first["moves"]
                if to == "member"
            ]
            self.post(key, last, moves, back=first["key"])

    @rule(key=keys, closing=closings)
    def close_period(self, key, closing):
        """A period is closed, for all places or some."""
        hour, where = closing
        self.say({"type": "closing", "key": key, "before": hour, "places": where})

    @rule(pick=picks)
    def replay(self, pick):
        """What was asked before is asked again."""
        self.say(self.asked(None, pick))

    @rule(when=whens, whereabout=whereabouts, number=st.integers(1, 9), length=lengths)
    def hold(self, when, whereabout, number, length):
        """Some is held."""
        (key, hour), (good, place) = when, whereabout
        until = None if length is None else hour + length
        self.say({"type": "hold", "key": key, "cell": (good[0], place, good[1]),
                  "quantity": number, "hour": hour, "until": until})  # fmt: skip

    def held(self, pick):
        """Pick a hold: mostly one that is open, else any that was asked for."""
        still = [h for h in self.model.records("hold") if self.model.is_open(h)]
        if still and pick % 4:
            return still[-1 - pick // 4 % len(still)]
        return self.asked("hold", pick // 4)

    @rule(key=keys, pick=picks, taking=takings)
    def use_hold(self, key, pick, taking):
        """A hold is used, or someone else takes from where it keeps."""
        hold, (wait, part, mine) = self.held(pick), taking
        if hold:
            gift, place, lot = hold["cell"]
            expiry = EXPIRY if lot == "A" else None
            ends = hold["hour"] + 1 if hold["until"] is None else hold["until"]
            hour = ends if wait == "at the end" else hold["hour"] + wait
            number = (
                hold["quantity"] + 1 if part == LIMIT else min(part, hold["quantity"])
            )
            self.post(key, hour,
                      [(gift, lot, expiry, place, "destroyed", number)],
                      hold=hold["key"] if mine else None)  # fmt: skip

    @rule(when=whens, pick=picks)
    def release(self, when, pick):
        """A hold is given up, perhaps before it begins."""
        (key, hour), hold = when, self.held(pick)
        if hold:
            self.say({"type": "release", "key": key, "hold": hold["key"],
                      "hour": hold["hour"] + hour % 7 - 1})  # fmt: skip

    @precondition(lambda self: len(self.wanted) >= 20 * (self.journeys + 1))
    @rule()
    def export_and_import(self):
        """The ledger travels through its journal and goes on (L12)."""
        self.journeys += 1
        before = list(self.ledger.journal())
        assert before[: len(self.lines)] == self.lines
        self.lines = before[:-1]
        self.ledger = self.reload(self.ledger)
        assert list(self.ledger.journal()) == before

    @invariant()
    def sums_agree(self):
        """Every few steps, all that must always be so."""
        self.steps += 1
        if self.steps % EVERY == 0:
            self.nothing_written_changes()
            self.balances_are_sums()
            self.never_below_zero()

    def teardown(self):
        """At the end too; lines once seen are there still (L2), the frames agree."""
        if hasattr(self, "ledger"):
            self.nothing_written_changes()
            self.balances_are_sums()
            self.never_below_zero()
            self.holds_are_as_of()
            assert list(self.ledger.journal())[: len(self.lines)] == self.lines
            if self.is_looked_at():
                self.frame(len(self.wanted) % 13, self.ledger.position * 2 // 3)

    def is_looked_at(self):
        """Tell if the dear frames of this run are compared: of one run in 16."""
        return len(self.model.log) % 16 == 8

    def nothing_written_changes(self):
        """L2, L7: the old entries are a prefix of the new; sequences grow by order."""
        entries = list(self.ledger.entries())
        assert entries[: len(self.entries)] == self.entries
        self.entries = entries
        numbers = [entry.sequence for entry in entries]
        assert numbers == sorted(set(numbers))
        assert len(numbers) == len(self.model.log)

    def frame(self, hour, position):
        """The frame of balances is the model's, at an hour and a position (L1, L6)."""
        frame = self.ledger.balances(as_of=at(hour), position=position)
        cells = zip(frame["gift_id"], frame["place"], frame["lot_id"], strict=True)
        got = dict(zip(cells, frame["quantity"], strict=True))
        assert got == self.model.balances(hour, position)

    def balances_are_sums(self):
        """L1, L6: what the ledger says of every cell is the model's sum."""
        sums = self.model.balances()
        totals = dict.fromkeys([good[:2] for good in GOODS], 0)
        for (gift, place, lot), number in sums.items():
            parts = sums.get((gift, OVER, lot), 0) if place == "adjustment" else 0
            assert self.ledger.balance(gift, place, lot_id=lot) == number + parts
            totals[gift, lot] += number
        assert not any(totals.values())

    def holds_are_as_of(self):
        """What was held at a moment stays what was held then."""
        for (gift, _, _), place in product(GOODS[:2], PLACES[:2]):
            for hour in range(0, 14, 2):
                held = self.ledger.held(gift, place, as_of=at(hour))
                assert held == self.model.held(gift, place, hour)

    def never_below_zero(self):
        """L5: no own place is ever below zero after all that one moment brings."""
        moments = {}
        for entry in self.ledger.entries():
            if isinstance(entry.record, Posting):
                same = moments.setdefault(entry.record.effective_at, [])
                same += entry.record.movements
        sums = {}
        for _, moved in sorted(moments.items()):
            for each in moved:
                for place, sign in ((each.source, -1), (each.destination, 1)):
                    cell = each.gift_id, place, each.lot_id
                    sums[cell] = sums.get(cell, 0) + sign * each.quantity
            assert all(n >= 0 for cell, n in sums.items() if is_own(cell[1]))
