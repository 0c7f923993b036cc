"""What `memberops.ledger.decide` has to know, read inside the transaction that asks."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

import sqlalchemy as sa

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
    Entry,
    Facts,
    HoldFacts,
    deltas,
    hold_cell,
    read_record,
)

__all__ = [
    "cell_histories",
    "entry_of",
    "open_holds",
    "read_entry",
    "read_facts",
    "read_last",
    "stored_lots",
]

_SOME = 200  # of a list of values in one statement: far below what databases take

_BY_KEY = sa.select(entries).where(entries.c.key == sa.bindparam("key"))
_BY_KEY_OR_LAST = sa.select(entries).where(
    sa.or_(
        entries.c.key == sa.bindparam("key"),
        entries.c.sequence
        == sa.select(sa.func.max(entries.c.sequence)).scalar_subquery(),
    )
)
_CELLS = sa.select(balances).where(
    sa.tuple_(balances.c.gift_id, balances.c.place, balances.c.lot_id).in_(
        sa.bindparam("some", expanding=True)
    )
)
_LOTS = sa.select(lots).where(
    sa.tuple_(lots.c.gift_id, lots.c.lot_id).in_(sa.bindparam("some", expanding=True))
)
_HOLDS = sa.select(holds).where(
    holds.c.hold_id.in_(sa.bindparam("some", expanding=True))
)
_OPEN_HOLDS = sa.select(holds).where(
    sa.tuple_(holds.c.gift_id, holds.c.place, holds.c.lot_id).in_(
        sa.bindparam("some", expanding=True)
    ),
    holds.c.ended_by.is_(None),
    sa.or_(holds.c.until.is_(None), holds.c.until > sa.bindparam("moment")),
)
_REVERSAL_OF = sa.select(entries.c.key).where(
    entries.c.reverses == sa.bindparam("reverses")
)
_CLOSINGS_AFTER = (
    sa.select(entries.c.document)
    .where(entries.c.closes_before > sa.bindparam("moment"))
    .order_by(entries.c.sequence)
)


def _side(place: sa.Column[str], sign: int) -> sa.Select[Any]:
    return sa.select(
        movements.c.effective_at,
        movements.c.sequence,
        (sign * movements.c.quantity).label("change"),
    ).where(
        movements.c.gift_id == sa.bindparam("gift_id"),
        place == sa.bindparam("place"),
        movements.c.lot_id == sa.bindparam("lot_id"),
        movements.c.effective_at > sa.bindparam("moment"),
    )


_LATER = sa.union_all(
    _side(movements.c.source, -1), _side(movements.c.destination, 1)
).order_by("effective_at", "sequence")


def entry_of(row: Any) -> Entry:
    """
    Make the entry of a row with sequence, type and document.

    Raises:
        BrokenChainError: The document is none that the ledger writes.
    """
    try:
        record = read_record(row.type, json.loads(row.document))
    except (LookupError, TypeError, ValueError):
        raise BrokenChainError(
            f"entry {row.sequence} cannot be read: it was changed behind the ledger's "
            "back"
        ) from None
    return Entry(sequence=row.sequence, record=record)


def read_entry(connection: sa.Connection, key: str) -> Entry | None:
    """Return the entry of a key, if there is one."""
    row = connection.execute(_BY_KEY, {"key": key}).one_or_none()
    return None if row is None else entry_of(row)


def read_last(connection: sa.Connection, key: str = "") -> tuple[int, str, Any]:
    """Return the last sequence, its hash, and the row of a key, if there is one."""
    sequence, running, earlier = 0, START, None
    for row in connection.execute(_BY_KEY_OR_LAST, {"key": key}):
        if row.sequence > sequence:
            sequence, running = row.sequence, row.hash
        if row.key == key:
            earlier = row
    return sequence, running, earlier


def read_facts(
    connection: sa.Connection, record: Posting | Closing | Hold | Release
) -> Facts:
    """Read the `Facts` about a record whose key is new."""
    if isinstance(record, Posting):
        return _posting_facts(connection, record)
    if isinstance(record, Hold):
        cells = [hold_cell(record)]
        return Facts(cells=_cell_facts(connection, cells, record.held_at))
    if isinstance(record, Release):
        return Facts(holds=_known_holds(connection, [record.hold_id]))
    return Facts()


def _posting_facts(connection: sa.Connection, posting: Posting) -> Facts:
    mistake, reversed_by = None, None
    if posting.reverses is not None:
        mistake = read_entry(connection, posting.reverses)
        reversed_by = connection.execute(
            _REVERSAL_OF, {"reverses": posting.reverses}
        ).scalar_one_or_none()
    own = posting.references("hold")
    closed = connection.execute(
        _CLOSINGS_AFTER, {"moment": micros(posting.effective_at)}
    )
    return Facts(
        reversed_posting=mistake.record
        if mistake is not None and isinstance(mistake.record, Posting)
        else None,
        reversed_by=reversed_by,
        closings=tuple(map(_closing, closed.scalars())),
        lots=stored_lots(
            connection,
            {
                (each.gift_id, each.lot_id)
                for each in posting.movements
                if each.lot_id is not None
            },
        ),
        cells=_cell_facts(connection, deltas(posting), posting.effective_at, own),
        holds=_known_holds(connection, own),
    )


def _closing(document: str) -> Closing:
    closing = read_record("closing", json.loads(document))
    if not isinstance(closing, Closing):  # the type column says so
        raise TypeError("no closing")
    return closing


def stored_lots(
    connection: sa.Connection, wanted: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], dt.date | None]:
    """Return the expiry of those lots that are known."""
    known = {}
    for some in _parts(sorted(wanted)):
        rows = connection.execute(_LOTS, {"some": some})
        for gift_id, lot_id, through in rows:
            known[gift_id, lot_id] = (
                None if through is None else dt.date.fromisoformat(through)
            )
    return known


def _known_holds(connection: sa.Connection, ids: Iterable[str]) -> dict[str, HoldFacts]:
    known = {}
    for some in _parts(sorted(ids)):
        for row in connection.execute(_HOLDS, {"some": some}):
            entry = read_entry(connection, row.hold_id)
            if entry is not None and isinstance(entry.record, Hold):
                known[row.hold_id] = HoldFacts(hold=entry.record, ended_by=row.ended_by)
    return known


def cell_histories(
    connection: sa.Connection, cells: Iterable[Cell], moment: dt.datetime
) -> Mapping[Cell, tuple[int, list[int]]]:
    """
    Return the balance of each known cell at a moment, and its changes after it.

    Only what is effective after the moment is read: the balance of today is stored,
    and what came later is taken from it.
    """
    after = micros(moment)
    found = {}
    for some in _parts(sorted(cells)):
        rows = connection.execute(
            _CELLS, {"some": [tuple(cell) for cell in some]}
        ).all()
        for row in rows:
            cell = Cell(row.gift_id, row.place, row.lot_id)
            later = (
                _changes_after(connection, cell, after) if row.last_at > after else []
            )
            found[cell] = (row.quantity - sum(later), later)
    return found


def _changes_after(connection: sa.Connection, cell: Cell, after: int) -> list[int]:
    """List by how much each later entry changes a cell, in the ledger's order."""
    rows = connection.execute(_LATER, cell._asdict() | {"moment": after})
    return [
        sum(row.change for row in same)
        for _, same in groupby(rows, key=lambda row: (row.effective_at, row.sequence))
    ]


def _cell_facts(
    connection: sa.Connection,
    cells: Iterable[Cell],
    moment: dt.datetime,
    without: Iterable[str] = (),
) -> dict[Cell, CellFacts]:
    histories = cell_histories(connection, cells, moment)
    held = open_holds(connection, histories, moment, without=without)
    return {
        cell: CellFacts.of(opening, later, held=held.get(cell, 0))
        for cell, (opening, later) in histories.items()
    }


def open_holds(
    connection: sa.Connection,
    cells: Iterable[Cell],
    moment: dt.datetime,
    *,
    without: Iterable[str] = (),
) -> dict[Cell, int]:
    """Return how much of each cell is held by open holds that end after a moment."""
    held: dict[Cell, int] = {}
    left_out = set(without)
    for some in _parts(list(cells)):
        rows = connection.execute(
            _OPEN_HOLDS,
            {"some": [tuple(cell) for cell in some], "moment": micros(moment)},
        )
        for row in rows:
            if row.hold_id not in left_out:
                cell = Cell(row.gift_id, row.place, row.lot_id)
                held[cell] = held.get(cell, 0) + row.quantity
    return held


def _parts(values: list[Any]) -> Iterable[list[Any]]:
    return (values[at : at + _SOME] for at in range(0, len(values), _SOME))
