"""Writing entries, and what is kept beside them, in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from memberops.adapters.stores.driver_text import run
from memberops.adapters.stores.schema import (
    balances,
    entries,
    holds,
    lots,
    micros,
    movements,
)
from memberops.domain.canonical import canonical_json
from memberops.domain.closing import Closing
from memberops.domain.hold import Hold, Release
from memberops.domain.posting import Posting
from memberops.ledger import Cell, Entry, deltas, hold_cell, record_type

__all__ = ["Fold", "append", "append_all", "entry_row", "movement_rows"]

_BATCH = 5000


def entry_row(entry: Entry, running: str) -> dict[str, Any]:
    """Return the row of an entry with its hash."""
    record = entry.record
    posting = record if isinstance(record, Posting) else None
    return {
        "sequence": entry.sequence,
        "key": entry.key,
        "type": record_type(record),
        "kind": None if posting is None else posting.kind.value,
        "reverses": None if posting is None else posting.reverses,
        "closes_before": micros(record.before) if isinstance(record, Closing) else None,
        "document": canonical_json(record.document()),
        "hash": running,
    }


def movement_rows(entry: Entry) -> list[dict[str, Any]]:
    """Return the rows of an entry's movements."""
    posting = entry.record
    if not isinstance(posting, Posting):
        return []
    return [
        {
            "sequence": entry.sequence,
            "line": line,
            "effective_at": micros(posting.effective_at),
            "gift_id": each.gift_id,
            "lot_id": each.lot_id or "",
            "valid_through": None
            if each.valid_through is None
            else each.valid_through.isoformat(),
            "source": each.source,
            "destination": each.destination,
            "quantity": each.quantity,
        }
        for line, each in enumerate(posting.movements, start=1)
    ]


@attrs.define
class Fold:
    """
    What is kept beside the entries, folded from them.

    Args:
        balances: Quantity and latest moment by cell.
        lots: Expiry by gift and lot.
        holds: Rows by id.
        ended: What ended a hold that is not among `holds`, by the hold's id.
    """

    balances: dict[Cell, tuple[int, int]] = attrs.Factory(dict)
    lots: dict[tuple[str, str], str | None] = attrs.Factory(dict)
    holds: dict[str, dict[str, Any]] = attrs.Factory(dict)
    ended: dict[str, str] = attrs.Factory(dict)

    def take(self, entry: Entry) -> None:
        """Fold one entry more."""
        record = entry.record
        if isinstance(record, Posting):
            at = micros(record.effective_at)
            for cell, change in deltas(record).items():
                quantity, last_at = self.balances.get(cell, (0, at))
                self.balances[cell] = (quantity + change, max(last_at, at))
            for each in record.movements:
                if each.lot_id is not None:
                    through = each.valid_through
                    self.lots[each.gift_id, each.lot_id] = (
                        None if through is None else through.isoformat()
                    )
            for hold_id in record.references("hold"):
                self._end(hold_id, record.posting_id)
        elif isinstance(record, Hold):
            self.holds[record.hold_id] = _hold_row(record)
        elif isinstance(record, Release):
            self._end(record.hold_id, record.release_id)

    def _end(self, hold_id: str, key: str) -> None:
        if hold_id in self.holds:
            self.holds[hold_id]["ended_by"] = key
        else:
            self.ended[hold_id] = key

    def balance_rows(self) -> list[dict[str, Any]]:
        """Return the rows of the balances."""
        return [
            cell._asdict() | {"quantity": quantity, "last_at": last_at}
            for cell, (quantity, last_at) in self.balances.items()
        ]

    def lot_rows(self) -> list[dict[str, Any]]:
        """Return the rows of the lots."""
        return [
            {"gift_id": gift_id, "lot_id": lot_id, "valid_through": through}
            for (gift_id, lot_id), through in self.lots.items()
        ]

    def ended_rows(self) -> list[dict[str, Any]]:
        """Return which holds were ended by what."""
        return [{"ended": hold, "by": key} for hold, key in self.ended.items()]


def _hold_row(hold: Hold) -> dict[str, Any]:
    return hold_cell(hold)._asdict() | {
        "hold_id": hold.hold_id,
        "quantity": hold.quantity,
        "held_at": micros(hold.held_at),
        "until": None if hold.until is None else micros(hold.until),
        "ended_by": None,
    }


_NEW = sqlite.insert(balances)
_STEPS = (
    sa.insert(entries),
    sa.insert(movements),
    _NEW.on_conflict_do_update(
        index_elements=list(balances.primary_key),
        set_={
            "quantity": balances.c.quantity + _NEW.excluded.quantity,
            "last_at": sa.func.max(balances.c.last_at, _NEW.excluded.last_at),
        },
    ),
    sqlite.insert(lots).on_conflict_do_nothing(),
    sa.insert(holds),
    sa.update(holds)
    .where(holds.c.hold_id == sa.bindparam("ended"))
    .values(ended_by=sa.bindparam("by")),
)


def _added(number: int, table: sa.Table, conflict: str = "") -> str:
    """Insert the rows of one of several lists in a text of JSON."""
    types = {column.name: _json_type(column) for column in table.columns}
    names = ", ".join(f'"{name}"' for name in types)
    typed = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
    return (
        f"step{number} AS (INSERT INTO {table.name} ({names}) SELECT {names} "  # noqa: S608 - names of our tables only
        f"FROM given, json_to_recordset(rows -> {number}) AS new ({typed}) {conflict})"
    )


def _json_type(column: sa.Column[Any]) -> str:
    return "bigint" if isinstance(column.type, sa.BigInteger) else "text"


# PostgreSQL takes all rows in one text, by one statement: one way to the server and
# back for a posting, instead of one for each table.
_PARTS = (
    "WITH given AS (SELECT CAST(:rows AS json) AS rows)",
    _added(0, entries),
    _added(1, movements),
    _added(
        2,
        balances,
        "ON CONFLICT (gift_id, place, lot_id) DO UPDATE SET "
        "quantity = ledger_balances.quantity + excluded.quantity, "
        "last_at = greatest(ledger_balances.last_at, excluded.last_at)",
    ),
    _added(3, lots, "ON CONFLICT DO NOTHING"),
    _added(4, holds),
)
_ENDED = (
    "UPDATE ledger_holds SET ended_by = new.by FROM given, "
    'json_to_recordset(rows -> 5) AS new ("ended" text, "by" text) '
    "WHERE hold_id = new.ended"
)
_AT_ONCE = sa.text(f"{', '.join(_PARTS)} {_ENDED}")


def append(connection: sa.Connection, entry: Entry, running: str) -> None:
    """Write one entry with its hash, and fold it."""
    append_all(connection, [(entry, running)])


def append_all(connection: sa.Connection, chain: Iterable[tuple[Entry, str]]) -> None:
    """Write entries with their hashes, and fold them."""
    fold = Fold()
    rows: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    for entry, running in chain:
        rows.append(entry_row(entry, running))
        moved += movement_rows(entry)
        fold.take(entry)
        if len(rows) >= _BATCH:
            _write(connection, rows, moved, Fold())
            rows, moved = [], []
    _write(connection, rows, moved, fold)


def _write(
    connection: sa.Connection,
    rows: list[dict[str, Any]],
    moved: list[dict[str, Any]],
    fold: Fold,
) -> None:
    steps = (
        rows,
        moved,
        fold.balance_rows(),
        fold.lot_rows(),
        list(fold.holds.values()),
        fold.ended_rows(),
    )
    if connection.dialect.name == "postgresql":
        run(connection, _AT_ONCE, {"rows": json.dumps(steps, ensure_ascii=False)})
        return
    for statement, each in zip(_STEPS, steps, strict=True):
        if each:
            run(connection, statement, each)
