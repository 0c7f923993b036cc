"""What a ledger in memory keeps beside its entries, folded from them one by one."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import attrs

from memberops.domain.closing import Closing
from memberops.domain.gift import Lot, lies_within
from memberops.domain.hold import Hold, Release
from memberops.domain.posting import Posting
from memberops.ledger.facts import (
    ISSUE_KEY,
    Cell,
    CellFacts,
    Facts,
    HoldFacts,
    IssueFacts,
    deltas,
    hold_cell,
    returned_issues,
)
from memberops.ledger.lots import LotStock
from memberops.ledger.records import Entry, record_key

__all__ = ["Books"]


class _Change(NamedTuple):
    """One change of a cell; changes sort by moment, then by sequence."""

    at: dt.datetime
    sequence: int
    change: int


class Books:
    """The state of a ledger in memory, and the `Facts` that it gives."""

    def __init__(self) -> None:
        self.by_key: dict[str, Entry] = {}
        self.closings: list[Closing] = []
        self._cells: dict[Cell, list[_Change]] = defaultdict(list)
        self._totals: dict[Cell, int] = defaultdict(int)
        self._lots: dict[tuple[str, str], dt.date | None] = {}
        self._reversed: dict[str, str] = {}
        self._returns: dict[str, list[Posting]] = defaultdict(list)
        self._holds: dict[str, HoldFacts] = {}

    def take(self, entry: Entry) -> None:
        """Fold one entry more."""
        record = entry.record
        if isinstance(record, Posting):
            self._take_posting(entry.sequence, record)
        elif isinstance(record, Closing):
            self.closings.append(record)
        elif isinstance(record, Hold):
            self._holds[record.hold_id] = HoldFacts(hold=record)
        elif isinstance(record, Release):
            self._end_hold(record.hold_id, record.release_id, record.at)
        self.by_key[entry.key] = entry

    def _take_posting(self, sequence: int, posting: Posting) -> None:
        for cell, change in deltas(posting).items():
            insort(self._cells[cell], _Change(posting.effective_at, sequence, change))
            self._totals[cell] += change
        for each in posting.movements:
            if each.lot_id is not None:
                self._lots[each.gift_id, each.lot_id] = each.valid_through
        for hold_id in posting.references("hold"):
            self._end_hold(hold_id, posting.posting_id, posting.effective_at)
        if posting.reverses is not None:
            self._reversed[posting.reverses] = posting.posting_id
            return
        for key in posting.references(ISSUE_KEY):
            self._returns[key].append(posting)

    def _end_hold(self, hold_id: str, key: str, at: dt.datetime) -> None:
        self._holds[hold_id] = attrs.evolve(
            self._holds[hold_id], ended_by=key, ended_at=at
        )

    def posting(self, key: str | None) -> Posting | None:
        """Return the posting of a key, if that is what it stands for."""
        entry = self.by_key.get(key or "")
        record = None if entry is None else entry.record
        return record if isinstance(record, Posting) else None

    def issue(self, key: str) -> IssueFacts | None:
        """Return what became of a posting, if there is one of that key."""
        posting = self.posting(key)
        if posting is None:
            return None
        return IssueFacts(
            posting=posting,
            reversed_by=self._reversed.get(key),
            returns=tuple(
                each
                for each in self._returns.get(key, ())
                if each.posting_id not in self._reversed
            ),
        )

    def facts(self, record: Posting | Closing | Hold | Release) -> Facts:
        """Return the `Facts` about a record."""
        earlier = self.by_key.get(record_key(record))
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

    def _posting_facts(self, posting: Posting) -> Facts:
        own = posting.references("hold")
        return Facts(
            reversed_posting=self.posting(posting.reverses),
            reversed_by=self._reversed.get(posting.reverses or ""),
            closings=tuple(self.closings),
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
            issues={
                key: known
                for key in returned_issues(posting)
                if (known := self.issue(key)) is not None
            },
        )

    def _known_holds(self, ids: Iterable[str]) -> dict[str, HoldFacts]:
        return {name: self._holds[name] for name in ids if name in self._holds}

    def _cell_facts(
        self, cell: Cell, moment: dt.datetime, *, without: Iterable[str] = ()
    ) -> CellFacts:
        if cell not in self._cells:
            return CellFacts(lowest=0, highest=0)
        known = self._cells[cell]
        later = known[bisect_right(known, moment, key=attrgetter("at")) :]
        opening = self._totals[cell] - sum(each.change for each in later)
        held = sum(
            each.hold.quantity
            for each in self._holds.values()
            if hold_cell(each.hold) == cell
            and each.ended_by is None
            and each.hold.lasts(moment)
            and each.hold.hold_id not in without
        )
        by_moment = groupby(later, key=attrgetter("at"))
        changes = (sum(each.change for each in same) for _, same in by_moment)
        return CellFacts.of(opening, changes, held=held)

    def balance(
        self,
        gift_id: str,
        scope: str,
        lot_id: str | None,
        moment: dt.datetime | None,
        position: int | None,
    ) -> int:
        """Add up a gift at a place and its parts."""
        return sum(
            self._fold(cell, moment, position)
            for cell in self._totals
            if cell.gift_id == gift_id
            and lot_id in {None, cell.lot_id}
            and lies_within(cell.place, scope)
        )

    def held(self, gift_id: str, scope: str, moment: dt.datetime) -> int:
        """Add up what was held at a place and its parts at a moment."""
        return sum(
            known.hold.quantity
            for known in self._holds.values()
            if known.hold.gift_id == gift_id
            and lies_within(known.hold.place, scope)
            and known.holds_at(moment)
        )

    def lots(self, gift_id: str, place: str, moment: dt.datetime) -> list[LotStock]:
        """List the lots of a gift at exactly that place, with what can be taken."""
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
                found.append(LotStock(lot=lot, quantity=quantity, available=available))
        return found

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
