"""Reading entries by their keys, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from memberops.adapters.stores.schema import entries
from memberops.domain.posting import Posting
from memberops.errors import BrokenChainError
from memberops.ledger import Entry, IssueFacts, read_record, returns_issue
from memberops.ledger.facts import ISSUE_KEY

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


_BACK = entries.alias()
_RETURNED = (
    sa.select(*ENTRY)
    .where(
        entries.c.sequence > sa.bindparam("since"),
        entries.c.document.like(sa.bindparam("naming"), escape="/"),
        ~sa.exists().where(_BACK.c.reverses == entries.c.key),
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


def _naming(key: str) -> str:
    """Return a pattern of the documents that name a key as what is returned."""
    text = json.dumps([ISSUE_KEY, key], ensure_ascii=False, separators=(",", ":"))
    for sign in "/%_":
        text = text.replace(sign, f"/{sign}")
    return f"%{text}%"


def read_issue(connection: sa.Connection, key: str) -> IssueFacts | None:
    """Return what became of a posting, if there is one of that key."""
    entry = read_entry(connection, key)
    if entry is None or not isinstance(entry.record, Posting):
        return None
    rows = connection.execute(
        _RETURNED, {"since": entry.sequence, "naming": _naming(key)}
    )
    found = [entry_of(row).record for row in rows]
    return IssueFacts(
        posting=entry.record,
        reversed_by=connection.execute(
            _REVERSAL_OF, {"reverses": key}
        ).scalar_one_or_none(),
        returns=tuple(
            each
            for each in found
            if isinstance(each, Posting) and returns_issue(each, key)
        ),
    )
