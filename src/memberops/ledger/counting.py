"""What the books say at the place of each count line in the ledger's order."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import attrs

from memberops.domain.gift import Gift
from memberops.domain.posting import Posting
from memberops.domain.stocktake import CountLine, Difference, latest_counts
from memberops.ledger.store import LedgerStore
from memberops.ledger.verdicts import Cell

__all__ = ["REVISION", "CellHistory", "differences", "histories", "line_cell"]

REVISION = "revision"
"""What corrects a settled count for late entries and other counts."""


class _Change(NamedTuple):
    at: dt.datetime
    sequence: int
    change: int
    lines: tuple[str, ...]
    reverses: str | None
    key: str
    revision: bool


@attrs.frozen(kw_only=True)
class CellHistory:
    """
    Every change of one gift and lot at one place, in the ledger's order.

    Args:
        changes: Moment, sequence, change, the count lines it names, key of the
            posting and of what it reverses.
        valid_through: Last day of the lot, as the ledger has it.
        known: Whether the ledger knows the lot.
    """

    changes: tuple[_Change, ...]
    valid_through: dt.date | None = None
    known: bool = False

    def read(
        self, line: CountLine, order: Mapping[str, tuple[dt.datetime, int, str]]
    ) -> tuple[int, int, int]:
        """
        Split the changes at a count: before it, its own adjustments, after it.

        Args:
            line: The count.
            order: Where each known line stands (`CountLine.order`): of adjustments
                at the same instant, those of lines before this one came before.

        Returns:
            The sums before, own and after.
        """
        before = own = after = 0
        for each in self.changes:
            if _owned(each, line):
                own += each.change
            elif (each.at, each.sequence) <= (line.counted_at, line.position):
                before += each.change
            elif each.at > line.counted_at:
                after += each.change
            elif any(name in order and order[name] < line.order for name in each.lines):
                before += each.change
            else:
                after += each.change
        return before, own, after

    def revised(self, line: CountLine) -> int:
        """Sum what revisions of a line changed."""
        return sum(
            each.change for each in self.changes if _owned(each, line) and each.revision
        )

    def drifted(self, line: CountLine) -> int:
        """Sum what counts of other lines moved before a count since it was settled."""
        own = [each.sequence for each in self.changes if _owned(each, line)]
        return sum(
            each.change
            for each in self.changes
            if each.lines
            and not _owned(each, line)
            and each.sequence > max(own, default=0)
            and each.at <= line.counted_at
        )

    def adjustments(self, line: CountLine) -> tuple[str, ...]:
        """List the keys of a line's own adjustments that nothing took back."""
        own = [each for each in self.changes if _owned(each, line)]
        back = {each.reverses for each in self.changes}
        keys = [each.key for each in own if each.reverses is None]
        return tuple(dict.fromkeys(key for key in keys if key not in back))

    def lowest(
        self, since: dt.datetime, planned: Iterable[tuple[dt.datetime, int]] = ()
    ) -> int:
        """
        Return the lowest balance from a moment on, itself included.

        Args:
            since: Aware instant.
            planned: Moments and changes that are not written yet.
        """
        steps: dict[dt.datetime, int] = defaultdict(int)
        for each in self.changes:
            steps[each.at] += each.change
        for at, change in planned:
            steps[at] += change
        balance, seen = 0, []
        for at, change in sorted(steps.items()):
            if at > since:
                seen.append(balance)
            balance += change
        return min([*seen, balance])


def _owned(change: _Change, line: CountLine) -> bool:
    """Tell if a change is the count's own; of a recount, those since alone."""
    return (
        change.at == line.counted_at
        and line.line_id in change.lines
        and (line.recount == 0 or change.sequence > line.position)
    )


def line_cell(line: CountLine) -> Cell:
    """Return the cell that a line counts."""
    return Cell(line.gift_id, line.place, line.lot_id or "")


def histories(
    ledger: LedgerStore, cells: Iterable[Cell]
) -> defaultdict[Cell, CellHistory]:
    """
    Read the changes of cells, in one pass over the ledger's movements.

    Args:
        ledger: Any ledger.
        cells: Which gifts, lots and places.
    """
    wanted = set(cells)
    moved = ledger.movements(gifts={cell.gift_id for cell in wanted})
    lots = {
        (gift, lot): None if through != through else through.date()  # noqa: PLR0124 - NaT
        for gift, lot, through in moved[["gift_id", "lot_id", "valid_through"]]
        .drop_duplicates()
        .itertuples(index=False, name=None)
    }
    places = {cell.place for cell in wanted}
    moved = moved[moved["source"].isin(places) | moved["destination"].isin(places)]
    changes: dict[Cell, list[_Change]] = defaultdict(list)
    names = (
        "gift_id", "lot_id", "source", "destination", "effective_at", "sequence",
        "quantity", "posting_id", "kind",
    )  # fmt: skip
    for gift, lot, source, destination, at, sequence, quantity, key, kind in zip(
        *(moved[name].tolist() for name in names), strict=True
    ):
        named: tuple[tuple[str, ...], str | None] = ((), None)
        if kind in {"adjustment", "reversal"}:
            named = _named(ledger, key)
        revision = f"adjustment:{REVISION}" in {source, destination}
        for place, change in ((source, -quantity), (destination, quantity)):
            cell = Cell(gift, place, lot)
            if cell in wanted:
                moment = at.to_pydatetime().astimezone(dt.UTC)
                changes[cell].append(
                    _Change(moment, sequence, change, *named, key, revision)
                )
    return defaultdict(
        lambda: CellHistory(changes=()),
        {
            cell: CellHistory(
                changes=tuple(sorted(changes[cell], key=lambda each: each[:2])),
                valid_through=lots.get((cell.gift_id, cell.lot_id)),
                known=(cell.gift_id, cell.lot_id) in lots,
            )
            for cell in wanted
        },
    )


def _named(ledger: LedgerStore, key: str) -> tuple[tuple[str, ...], str | None]:
    """Return the count lines that a posting names, and what it reverses."""
    entry = ledger.entry(key)
    if entry is None or not isinstance(entry.record, Posting):
        return (), None
    return entry.record.references("count_line"), entry.record.reverses


def differences(
    ledger: LedgerStore,
    lines: Iterable[CountLine],
    *,
    gifts: Iterable[Gift] = (),
) -> tuple[Difference, ...]:
    """
    Compare counts with the books, each at its own moment (HQ §7).

    What moved after the count stays: it is in `Difference.later`. A late entry of
    something that moved before the count changes the difference, as it should.

    Args:
        ledger: Any ledger.
        lines: Count lines of one or more stocktakes, with their recounts.
        gifts: For unit values; by default those of the ledger's rules.

    Returns:
        One difference per line, by place, gift and lot.

    Raises:
        InvalidValueError: See `latest_counts`.

    >>> from memberops.domain import Movement
    >>> from memberops.ledger import Ledger
    >>> ledger, noon = Ledger(), dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)
    >>> done = ledger.post(Posting(posting_id="P1", kind="receipt", effective_at=noon,
    ...     movements=[Movement(gift_id="CUP", source="supplier",
    ...                         destination="warehouse", quantity=10)]))
    >>> line = CountLine(stocktake_id="C1", place="warehouse", gift_id="CUP",
    ...     counted=8, counted_at=noon, position=ledger.position)
    >>> found, = differences(ledger, [line])
    >>> found.book, found.quantity, str(found.state)
    (10, -2, 'shortage')
    """
    held = latest_counts(lines)
    values = {gift.gift_id: gift.unit_value for gift in ledger.rules.gifts or ()}
    values |= {gift.gift_id: gift.unit_value for gift in gifts}
    history = histories(ledger, [line_cell(line) for line, _ in held])
    order = {line.line_id: line.order for line, _ in held}
    found = []
    for line, earlier in held:
        before, own, after = history[line_cell(line)].read(line, order)
        found.append(
            Difference(
                line=line,
                book=before,
                adjusted=own,
                revised=history[line_cell(line)].revised(line),
                later=after,
                earlier=earlier,
                unit_value=values.get(line.gift_id),
            )
        )
    return tuple(sorted(found, key=lambda each: _sheet_order(each.line)))


def _sheet_order(line: CountLine) -> tuple[str, str, str, str]:
    return line.place, line.gift_id, line.lot_id or "", line.stocktake_id
