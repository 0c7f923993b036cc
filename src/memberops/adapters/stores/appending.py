"""Writing entries, and what is kept beside them, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

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
    """What is kept beside the entries, folded from them."""

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
                self.ended[hold_id] = record.posting_id
        elif isinstance(record, Hold):
            self.holds[record.hold_id] = _hold_row(record)
        elif isinstance(record, Release):
            self.ended[record.hold_id] = record.release_id

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


def _hold_row(hold: Hold) -> dict[str, Any]:
    return hold_cell(hold)._asdict() | {
        "hold_id": hold.hold_id,
        "quantity": hold.quantity,
        "held_at": micros(hold.held_at),
        "until": None if hold.until is None else micros(hold.until),
        "ended_by": None,
    }


def _adding(insert: Any) -> Any:
    """Add to a balance that is there already, or begin it."""
    statement = insert(balances)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=list(balances.primary_key),
        set_={
            "quantity": balances.c.quantity + new.quantity,
            "last_at": sa.case(
                (balances.c.last_at < new.last_at, new.last_at),
                else_=balances.c.last_at,
            ),
        },
    )


_ADD = {"sqlite": _adding(sqlite.insert), "postgresql": _adding(postgresql.insert)}
_LOT = {
    "sqlite": sqlite.insert(lots).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(lots).on_conflict_do_nothing(),
}
_ENTRY, _MOVEMENT, _HOLD = map(sa.insert, (entries, movements, holds))
_END = (
    sa.update(holds)
    .where(holds.c.hold_id == sa.bindparam("ended"))
    .values(ended_by=sa.bindparam("by"))
)


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
            _insert(connection, _ENTRY, rows)
            _insert(connection, _MOVEMENT, moved)
            rows, moved = [], []
    dialect = connection.dialect.name
    _insert(connection, _ENTRY, rows)
    _insert(connection, _MOVEMENT, moved)
    _insert(connection, _ADD[dialect], fold.balance_rows())
    _insert(connection, _LOT[dialect], fold.lot_rows())
    _insert(connection, _HOLD, list(fold.holds.values()))
    _insert(
        connection,
        _END,
        [{"ended": hold_id, "by": key} for hold_id, key in fold.ended.items()],
    )


def _insert(
    connection: sa.Connection, statement: Any, rows: list[dict[str, Any]]
) -> None:
    if rows:
        connection.execute(statement, rows)
