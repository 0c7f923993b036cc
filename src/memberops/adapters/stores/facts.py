"""What `memberops.ledger.decide` has to know, read inside the transaction that asks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from memberops.adapters.stores.driver_text import run
from memberops.adapters.stores.entry_rows import (
    ENTRY,
    any_of,
    entry_of,
    named,
    parts,
    read_entry,
    read_issue,
)
from memberops.adapters.stores.schema import (
    balances,
    entries,
    holds,
    lots,
    micros,
    movements,
)
from memberops.domain.closing import Closing
from memberops.domain.hold import Hold, Release
from memberops.domain.posting import Posting
from memberops.errors import BrokenChainError
from memberops.ledger import (
    START,
    Cell,
    CellFacts,
    Facts,
    HoldFacts,
    deltas,
    hold_cell,
    record_key,
    returned_issues,
)

__all__ = [
    "Standing",
    "read_cells",
    "read_facts",
    "read_standing",
    "stored_lots",
]

_STANDING = sa.union_all(
    sa.select(*ENTRY, sa.literal(0).label("closes")).where(
        sa.or_(
            entries.c.key == sa.bindparam("key"),
            entries.c.sequence
            == sa.select(sa.func.max(entries.c.sequence)).scalar_subquery(),
        )
    ),
    sa.select(*ENTRY, sa.literal(1)).where(
        entries.c.closes_before > sa.bindparam("moment")
    ),
)
_NEVER = 2**63 - 1  # microseconds: no period is closed up to there


@cache
def _cells(number: int) -> sa.Select[Any]:
    cell = (balances.c.gift_id, balances.c.place, balances.c.lot_id)
    return (
        sa.select(
            *cell,
            balances.c.quantity,
            balances.c.last_at,
            holds.c.hold_id,
            holds.c.quantity.label("held"),
        )
        .outerjoin_from(
            balances,
            holds,
            sa.and_(
                holds.c.gift_id == balances.c.gift_id,
                holds.c.place == balances.c.place,
                holds.c.lot_id == balances.c.lot_id,
                holds.c.ended_by.is_(None),
                sa.or_(holds.c.until.is_(None), holds.c.until > sa.bindparam("moment")),
            ),
        )
        .where(any_of(number, *cell))
    )


@cache
def _lots(number: int) -> sa.Select[Any]:
    return sa.select(lots).where(any_of(number, lots.c.gift_id, lots.c.lot_id))


_HOLDS = sa.select(holds).where(
    holds.c.hold_id.in_(sa.bindparam("some", expanding=True))
)


def _side(number: int, place: sa.Column[str], sign: int) -> sa.Select[Any]:
    cell = (movements.c.gift_id, place, movements.c.lot_id)
    return sa.select(
        movements.c.gift_id,
        place.label("place"),
        movements.c.lot_id,
        movements.c.effective_at,
        (sign * movements.c.quantity).label("change"),
    ).where(any_of(number, *cell), movements.c.effective_at > sa.bindparam("moment"))


@cache
def _later(number: int) -> sa.CompoundSelect[Any]:
    return sa.union_all(
        _side(number, movements.c.source, -1),
        _side(number, movements.c.destination, 1),
    ).order_by("effective_at")


class Standing(NamedTuple):
    """
    Where a ledger stands, as a record with a key finds it.

    Args:
        position: The last sequence; 0 in an empty ledger.
        running: The hash of the last entry.
        earlier: The row of the key, if there is one.
        closings: Rows of the closings that end after the record's moment.
    """

    position: int
    running: str
    earlier: Any
    closings: list[Any]


def read_standing(
    connection: sa.Connection,
    record: Posting | Closing | Hold | Release | None = None,
) -> Standing:
    """Return where the ledger stands, and the entry of the record's key, if any."""
    key = "" if record is None else record_key(record)
    moment = _NEVER
    if isinstance(record, Posting):
        moment = micros(record.effective_at)
    position, running, earlier, closings = 0, START, None, []
    for row in run(connection, _STANDING, {"key": key, "moment": moment}):
        if row.closes:
            closings.append(row)
            continue
        if row.sequence > position:
            position, running = row.sequence, row.hash
        if row.key == key:
            earlier = row
    closings.sort(key=lambda row: row.sequence)
    return Standing(position, running, earlier, closings)


def read_facts(
    connection: sa.Connection,
    record: Posting | Closing | Hold | Release,
    standing: Standing,
) -> Facts:
    """Read the `Facts` about a record."""
    if standing.earlier is not None:
        return Facts(earlier=entry_of(standing.earlier))
    if isinstance(record, Posting):
        return _posting_facts(connection, record, standing)
    if isinstance(record, Hold):
        cells = read_cells(connection, [hold_cell(record)], record.held_at)
        return Facts(cells={cell: known for cell, (_, known) in cells.items()})
    if isinstance(record, Release):
        return Facts(holds=_known_holds(connection, [record.hold_id]))
    return Facts()


def _posting_facts(
    connection: sa.Connection, posting: Posting, standing: Standing
) -> Facts:
    issues = {
        key: known
        for key in returned_issues(posting)
        if (known := read_issue(connection, key)) is not None
    }
    mistake = issues.get(posting.reverses or "")
    own = posting.references("hold")
    cells = read_cells(connection, deltas(posting), posting.effective_at, without=own)
    return Facts(
        reversed_posting=None if mistake is None else mistake.posting,
        reversed_by=None if mistake is None else mistake.reversed_by,
        closings=tuple(map(_closing, standing.closings)),
        lots=stored_lots(
            connection,
            {
                (each.gift_id, each.lot_id)
                for each in posting.movements
                if each.lot_id is not None
            },
        ),
        cells={cell: known for cell, (_, known) in cells.items()},
        holds=_known_holds(connection, own),
        issues=issues,
    )


def _closing(row: Any) -> Closing:
    closing = entry_of(row).record
    if not isinstance(closing, Closing):  # only they have a moment that they close
        raise BrokenChainError(f"entry {row.sequence} is no closing")
    return closing


def stored_lots(
    connection: sa.Connection, wanted: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], dt.date | None]:
    """Return the expiry of those lots that are known."""
    known = {}
    for some in parts(sorted(wanted)):
        rows = run(connection, _lots(len(some)), named(some))
        for gift_id, lot_id, through in rows:
            known[gift_id, lot_id] = (
                None if through is None else dt.date.fromisoformat(through)
            )
    return known


def _known_holds(connection: sa.Connection, ids: Iterable[str]) -> dict[str, HoldFacts]:
    known = {}
    for some in parts(sorted(ids)):
        for row in connection.execute(_HOLDS, {"some": some}):
            entry = read_entry(connection, row.hold_id)
            if entry is not None and isinstance(entry.record, Hold):
                known[row.hold_id] = HoldFacts(hold=entry.record, ended_by=row.ended_by)
    return known


def read_cells(
    connection: sa.Connection,
    cells: Iterable[Cell],
    moment: dt.datetime,
    *,
    without: Iterable[str] = (),
) -> dict[Cell, tuple[int, CellFacts]]:
    """
    Return the balance of each known cell at a moment, and its facts from then on.

    Only what is effective after the moment is read: the balance of today is stored,
    and what came later is taken from it.

    Args:
        connection: In a transaction.
        cells: The cells.
        moment: The moment.
        without: Ids of holds that do not count.
    """
    after, left_out = micros(moment), set(without)
    today: dict[Cell, int] = {}
    held: dict[Cell, int] = {}
    changed: list[Cell] = []
    for some in parts(sorted(cells)):
        rows = run(connection, _cells(len(some)), named(some) | {"moment": after})
        for gift, place, lot, quantity, last_at, hold_id, number in rows:
            cell = Cell(gift, place, lot)
            if cell not in today:
                today[cell] = quantity
                if last_at > after:
                    changed.append(cell)
            if hold_id is not None and hold_id not in left_out:
                held[cell] = held.get(cell, 0) + number
    later = _changes_after(connection, changed, after)
    found = {}
    for cell, quantity in today.items():
        changes = later.get(cell, [])
        opening = quantity - sum(changes)
        known = CellFacts.of(opening, changes, held=held.get(cell, 0))
        found[cell] = (opening, known)
    return found


def _changes_after(
    connection: sa.Connection, cells: list[Cell], after: int
) -> dict[Cell, list[int]]:
    """List by how much each later moment changes a cell, one after the other."""
    changes: dict[Cell, list[int]] = {}
    latest: dict[Cell, int] = {}
    for some in parts(cells):
        rows = run(connection, _later(len(some)), named(some) | {"moment": after})
        for gift, place, lot, at, change in rows:
            cell = Cell(gift, place, lot)
            if latest.get(cell) == at:
                changes[cell][-1] += change
            else:
                changes.setdefault(cell, []).append(change)
                latest[cell] = at
    return changes
