"""Reading entries by their keys, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

import sqlalchemy as sa

from memberops.adapters.stores.schema import entries, movements
from memberops.domain.posting import Posting
from memberops.errors import BrokenChainError
from memberops.ledger import Entry, IssueFacts, read_record, returns_issue

__all__ = [
    "ENTRY",
    "any_of",
    "entry_of",
    "named",
    "parts",
    "read_entry",
    "read_issue",
]

_SOME = 200  # of a list of values in one statement: far below what databases take

_BY_KEY = sa.select(entries).where(entries.c.key == sa.bindparam("key"))
ENTRY = (
    entries.c.sequence,
    entries.c.key,
    entries.c.type,
    entries.c.document,
    entries.c.hash,
)
_REVERSAL_OF = sa.select(entries.c.key).where(
    entries.c.reverses == sa.bindparam("reverses")
)


def parts(values: list[Any]) -> Iterable[list[Any]]:
    """Cut a list into such as one statement takes."""
    return (values[at : at + _SOME] for at in range(0, len(values), _SOME))


def any_of(number: int, *columns: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """
    Match any of some combinations of values, named as `named` names them.

    SQLite searches an index for each of these, where it reads a whole table for
    ``(a, b) IN ((1, 2), (3, 4))``.
    """
    return sa.or_(
        *(
            sa.and_(
                *(
                    column == sa.bindparam(f"v{row}_{at}")
                    for at, column in enumerate(columns)
                )
            )
            for row in range(number)
        )
    )


def named(values: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    """Name the values that `any_of` asks for."""
    return {
        f"v{row}_{at}": value
        for row, each in enumerate(values)
        for at, value in enumerate(each)
    }


@cache
def _returned(number: int) -> sa.Select[Any]:
    """Select what took from some cells since, named a key, and was not reversed."""
    cell = (movements.c.gift_id, movements.c.source, movements.c.lot_id)
    back = entries.alias()
    return (
        sa.select(*ENTRY)
        .where(
            entries.c.sequence.in_(
                sa.select(movements.c.sequence).where(
                    any_of(number, *cell),
                    movements.c.sequence > sa.bindparam("since"),
                )
            ),
            entries.c.document.like(sa.bindparam("quoting"), escape="/"),
            ~sa.exists().where(back.c.reverses == entries.c.key),
        )
        .order_by(entries.c.sequence)
    )


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


def _quoting(key: str) -> str:
    """Return a pattern of the documents in which a key may be named."""
    text = json.dumps(key, ensure_ascii=False)
    for sign in "/%_":
        text = text.replace(sign, f"/{sign}")
    return f"%{text}%"


def read_issue(connection: sa.Connection, key: str) -> IssueFacts | None:
    """Return what became of a posting, if there is one of that key."""
    entry = read_entry(connection, key)
    if entry is None or not isinstance(entry.record, Posting):
        return None
    found: dict[int, Entry] = {}
    for some in parts(sorted(IssueFacts(posting=entry.record).left())):
        values = named((each.gift_id, each.place, each.lot_id) for each in some)
        rows = connection.execute(
            _returned(len(some)),
            values | {"since": entry.sequence, "quoting": _quoting(key)},
        )
        found |= {row.sequence: entry_of(row) for row in rows}
    return IssueFacts(
        posting=entry.record,
        reversed_by=connection.execute(
            _REVERSAL_OF, {"reverses": key}
        ).scalar_one_or_none(),
        returns=tuple(
            each.record
            for _, each in sorted(found.items())
            if isinstance(each.record, Posting) and returns_issue(each.record, key)
        ),
    )
