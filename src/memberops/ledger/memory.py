"""A ledger in memory: for embedding, for tests, and as the measure of all others."""

from __future__ import annotations

import datetime as dt
import threading
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import attrs
import pandas as pd

from memberops.domain.closing import Closing
from memberops.domain.gift import Lot, check_scope, lies_within
from memberops.domain.hold import Hold, Release
from memberops.domain.posting import Posting
from memberops.errors import (
    BrokenChainError,
    MemberOpsError,
    UnknownPostingError,
    bounded,
)
from memberops.ledger.balances import balances, check_instant, movement_frame
from memberops.ledger.journal import journal_lines, read_journal
from memberops.ledger.lots import LotStock
from memberops.ledger.records import Entry, Posted, Refusal, record_key
from memberops.ledger.rules import LedgerRules
from memberops.ledger.verdicts import (
    Cell,
    CellFacts,
    Facts,
    HoldFacts,
    decide,
    deltas,
    hold_cell,
)

__all__ = ["Ledger"]


class _Change(NamedTuple):
    """One change of a cell; changes sort by moment, then by sequence."""

    at: dt.datetime
    sequence: int
    change: int


class Ledger:
    """
    A gift ledger in memory (HQ §7): a `LedgerStore`.

    It only ever grows: a mistake is corrected by `reverse`. It may be used by several
    threads at once.

    Args:
        rules: Gifts, places and bounds; anything goes by default.

    >>> from memberops.domain import Movement
    >>> ledger = Ledger()
    >>> noon = dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)
    >>> ledger.post(Posting(posting_id="P1", kind="receipt", effective_at=noon,
    ...     movements=[Movement(gift_id="G1", source="supplier",
    ...                         destination="warehouse", quantity=5)]))
    Posted(sequence=1, replayed=False)
    >>> ledger.balance("G1", "warehouse")
    5
    """

    def __init__(self, rules: LedgerRules | None = None) -> None:
        self._rules = LedgerRules() if rules is None else rules
        self._lock = threading.RLock()
        self._entries: list[Entry] = []
        self._by_key: dict[str, Entry] = {}
        self._cells: dict[Cell, list[_Change]] = defaultdict(list)
        self._totals: dict[Cell, int] = defaultdict(int)
        self._lots: dict[tuple[str, str], dt.date | None] = {}
        self._reversed: dict[str, str] = {}
        self._holds: dict[str, HoldFacts] = {}
        self._closings: list[Closing] = []

    @classmethod
    def restored(
        cls, journal: Iterable[str], *, rules: LedgerRules | None = None
    ) -> Ledger:
        """
        Rebuild a ledger from its journal; every entry is decided anew.

        Args:
            journal: Lines of `journal`.
            rules: The rules it was written by.

        Raises:
            BrokenChainError: The journal was changed or cut, or holds an entry that
                the rules would not have let in.
        """
        ledger = cls(rules)
        for entry in read_journal(journal):
            ledger._restore(entry)
        return ledger

    def _restore(self, entry: Entry) -> None:
        record = entry.record
        wanted = record.wanted if isinstance(record, Refusal) else record
        try:
            verdict = decide(wanted, self._facts(wanted), self._rules)
        except MemberOpsError as error:
            raise BrokenChainError(
                f"entry {entry.sequence} breaks the ledger's rules: "
                f"{bounded([str(error)])}"
            ) from error
        if verdict.record != record:
            raise BrokenChainError(
                f"entry {entry.sequence} is not what the ledger's rules make of it"
            )
        self._append(entry)

    def __repr__(self) -> str:
        """Say how much the ledger holds, and nothing of it."""
        return f"<Ledger of {len(self._entries)} entries>"

    @property
    def rules(self) -> LedgerRules:
        """The gifts, places and bounds of the ledger."""
        return self._rules

    @property
    def position(self) -> int:
        """Sequence of the last entry; 0 for an empty ledger."""
        return self._entries[-1].sequence if self._entries else 0

    def post(self, posting: Posting) -> Posted:
        """
        Write a posting, all of it or nothing.

        The same key with the same contents returns the first receipt.

        Raises:
            LedgerError, LookupError: See `decide`.
        """
        return self._write(posting)

    def reverse(
        self,
        posting_id: str,
        *,
        key: str,
        effective_at: dt.datetime,
        by: str | None = None,
        reason: str = "",
        late: bool = False,
    ) -> Posted:
        """
        Take a posting back by a counter-entry with a key of its own.

        Raises:
            UnknownPostingError: There is no such posting.
            ReversalError: It is reversed already, or a reversal itself.
            LedgerError: See `decide`.
        """
        entry = self.entry(posting_id)
        if entry is None or not isinstance(entry.record, Posting):
            raise UnknownPostingError(
                f"the ledger holds no posting {bounded([posting_id])} to reverse"
            )
        return self.post(
            entry.record.reversal(
                key, effective_at=effective_at, by=by, reason=reason, late=late
            )
        )

    def close(self, closing: Closing) -> Posted:
        """Close a period: later postings that take effect in it are refused."""
        return self._write(closing)

    def hold(self, hold: Hold) -> Posted:
        """
        Keep stock for someone until a moment.

        Raises:
            OutOfStockError: There is too little that is not held already.
        """
        return self._write(hold)

    def release(self, release: Release) -> Posted:
        """
        Give a hold up.

        Raises:
            HoldError: There is no such hold, or it is over.
        """
        return self._write(release)

    def entry(self, key: str) -> Entry | None:
        """Return the entry of a key, if there is one."""
        return self._by_key.get(key)

    def entries(self, *, after: int = 0) -> Iterator[Entry]:
        """List the entries by sequence, those after a position."""
        start = bisect_right(self._entries, after, key=lambda entry: entry.sequence)
        return iter(self._entries[start:])

    def closings(self) -> tuple[Closing, ...]:
        """List the closings by sequence."""
        return tuple(self._closings)

    def balance(
        self,
        gift_id: str,
        place: str,
        *,
        lot_id: str | None = None,
        as_of: dt.datetime | None = None,
        position: int | None = None,
    ) -> int:
        """Return how many there are at a place and its parts (`LedgerStore`)."""
        moment = None if as_of is None else check_instant(as_of)
        scope = check_scope(place)
        with self._lock:
            cells = [
                cell
                for cell in self._totals
                if cell.gift_id == gift_id
                and lot_id in {None, cell.lot_id}
                and lies_within(cell.place, scope)
            ]
            return sum(self._fold(cell, moment, position) for cell in cells)

    def held(self, gift_id: str, place: str, *, as_of: dt.datetime) -> int:
        """Return how many are held at a place and its parts at an instant."""
        moment, scope = check_instant(as_of), check_scope(place)
        with self._lock:
            return sum(
                known.hold.quantity
                for known in self._holds.values()
                if known.hold.gift_id == gift_id
                and lies_within(known.hold.place, scope)
                and known.hold.held_at <= moment
                and _open_after(known, moment)
            )

    def lots(
        self, gift_id: str, place: str, *, as_of: dt.datetime
    ) -> tuple[LotStock, ...]:
        """
        List the lots of a gift at exactly that place, with what can be taken.

        Lots of which there is nothing, now or later, are left out.
        """
        moment = check_instant(as_of)
        with self._lock:
            found = []
            for cell in sorted(self._totals):
                if (cell.gift_id, cell.place) != (gift_id, place):
                    continue
                quantity = self._fold(cell, moment, None)
                facts = self._cell_facts(cell, moment)
                through = self._lots.get((gift_id, cell.lot_id))
                lot = Lot(lot_id=cell.lot_id, valid_through=through)
                available = facts.lowest - facts.held
                if quantity or available:
                    found.append(
                        LotStock(lot=lot, quantity=quantity, available=available)
                    )
            return tuple(found)

    def journal(self) -> Iterator[str]:
        """Write the ledger as lines of JSON (`journal_lines`)."""
        return journal_lines(self.entries())

    def movements(self, *, gifts: Collection[str] | None = None) -> pd.DataFrame:
        """Return movements as a frame (`LedgerStore.movements`)."""
        some = None if gifts is None else set(gifts)
        found = movement_frame(
            (entry.sequence, entry.record)
            for entry in self.entries()
            if isinstance(entry.record, Posting)
            if some is None
            or any(each.gift_id in some for each in entry.record.movements)
        )
        if some is None:
            return found
        return found[found["gift_id"].isin(some)].reset_index(drop=True)

    def balances(
        self, *, as_of: dt.datetime | None = None, position: int | None = None
    ) -> pd.DataFrame:
        """Return every balance that is not zero (`memberops.ledger.balances`)."""
        return balances(self.movements(), as_of=as_of, position=position)

    def _write(self, record: Posting | Closing | Hold | Release) -> Posted:
        with self._lock:
            verdict = decide(record, self._facts(record), self._rules)
            if verdict.record is None:
                return Posted(sequence=verdict.sequence, replayed=True)
            self._append(Entry(sequence=self.position + 1, record=verdict.record))
            if verdict.error is not None:
                raise verdict.error
            return Posted(sequence=self.position, replayed=False)

    def _facts(self, record: Posting | Closing | Hold | Release) -> Facts:
        earlier = self._by_key.get(record_key(record))
        if earlier is not None:
            return Facts(earlier=earlier)
        if isinstance(record, Posting):
            return self._posting_facts(record)
        if isinstance(record, Hold):
            cell = hold_cell(record)
            return Facts(cells={cell: self._cell_facts(cell, record.held_at)})
        if isinstance(record, Release):
            return Facts(holds=self._known_holds([record.hold_id]))
        return Facts()

    def _append(self, entry: Entry) -> None:
        record = entry.record
        if isinstance(record, Posting):
            self._append_posting(entry.sequence, record)
        elif isinstance(record, Closing):
            self._closings.append(record)
        elif isinstance(record, Hold):
            self._holds[record.hold_id] = HoldFacts(hold=record)
        elif isinstance(record, Release):
            self._end_hold(record.hold_id, record.release_id)
        self._entries.append(entry)
        self._by_key[entry.key] = entry

    def _append_posting(self, sequence: int, posting: Posting) -> None:
        for cell, change in deltas(posting).items():
            insort(self._cells[cell], _Change(posting.effective_at, sequence, change))
            self._totals[cell] += change
        for each in posting.movements:
            if each.lot_id is not None:
                self._lots[each.gift_id, each.lot_id] = each.valid_through
        for hold_id in posting.references("hold"):
            self._end_hold(hold_id, posting.posting_id)
        if posting.reverses is not None:
            self._reversed[posting.reverses] = posting.posting_id

    def _end_hold(self, hold_id: str, key: str) -> None:
        self._holds[hold_id] = attrs.evolve(self._holds[hold_id], ended_by=key)

    def _posting_facts(self, posting: Posting) -> Facts:
        mistake = self._by_key.get(posting.reverses or "")
        own = posting.references("hold")
        return Facts(
            reversed_posting=mistake.record
            if mistake is not None and isinstance(mistake.record, Posting)
            else None,
            reversed_by=self._reversed.get(posting.reverses or ""),
            closings=tuple(self._closings),
            lots={
                lot: self._lots[lot]
                for each in posting.movements
                if (lot := (each.gift_id, each.lot_id or "")) in self._lots
            },
            cells={
                cell: self._cell_facts(cell, posting.effective_at, without=own)
                for cell in deltas(posting)
            },
            holds=self._known_holds(own),
        )

    def _known_holds(self, ids: Iterable[str]) -> dict[str, HoldFacts]:
        return {name: self._holds[name] for name in ids if name in self._holds}

    def _cell_facts(
        self, cell: Cell, moment: dt.datetime, *, without: Iterable[str] = ()
    ) -> CellFacts:
        if cell not in self._cells:
            return CellFacts(lowest=0, highest=0)
        changes = self._cells[cell]
        later = changes[bisect_right(changes, moment, key=lambda each: each.at) :]
        opening = self._totals[cell] - sum(each.change for each in later)
        held = sum(
            known.hold.quantity
            for known in self._holds.values()
            if hold_cell(known.hold) == cell
            and _open_after(known, moment)
            and known.hold.hold_id not in without
        )
        return CellFacts.of(opening, (each.change for each in later), held=held)

    def _fold(
        self, cell: Cell, moment: dt.datetime | None, position: int | None
    ) -> int:
        if moment is None and position is None:
            return self._totals[cell]
        return sum(
            each.change
            for each in self._cells[cell]
            if (moment is None or each.at <= moment)
            and (position is None or each.sequence <= position)
        )


def _open_after(known: HoldFacts, moment: dt.datetime) -> bool:
    until = known.hold.until
    return known.ended_by is None and (until is None or moment < until)
