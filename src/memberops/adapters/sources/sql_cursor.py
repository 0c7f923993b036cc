"""
Which rows of a database changed since it was last read.

A cursor is the newest value of each column that grows with a change. The next reading
begins at that value, ties included, and an overlap before it: a transaction that began
early may end late. A value beyond the present is no cursor, else one wrong clock would
hide all that comes after.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import sqlalchemy as sa

from memberops.adapters.sources.sql_place import SqlPlace
from memberops.adapters.sources.sql_text_cursor import (
    check_text_cursor,
    moment_bound,
    text_moment,
)
from memberops.errors import SourceError

__all__ = ["Mark", "changed", "newest_marks", "read_cursor", "write_cursor"]

_MOMENTS = 300
_VERSIONS = 1_000
_LONGEST = 200


@attrs.frozen
class Mark:
    """
    The newest value of a cursor column.

    Args:
        kind: ``"moment"``, ``"day"``, ``"number"``, ``"text"`` (a moment), ``"digits"``
            (a number of fixed length), or ``"none"`` where the column holds nothing
            yet.
        text: It, as text.
    """

    kind: str
    text: str = ""


def newest_marks(
    connection: sa.Connection,
    rows: Any,
    place: SqlPlace,
    *,
    family: str,
    zones: Sequence[ZoneInfo],
    now: dt.datetime,
) -> tuple[Mark, ...]:
    """
    Ask for the newest value of each cursor column that is not beyond the present.

    Args:
        connection: Where.
        rows: What `sql_place.rows_of` returned.
        place: The table or query.
        family: The kind of database.
        zones: For each cursor column, the zone of moments that carry none.
        now: The present.

    Raises:
        SourceError: A column holds what cannot be a cursor.
    """
    columns = [_compared(rows.c[name], family) for name in place.cursor]
    statement = sa.select(
        *[sa.func.max(column, type_=sa.types.NullType()) for column in columns]
    ).select_from(rows)
    found = connection.execute(statement).one()
    forms = [
        check_text_cursor(connection, rows, column, name, sqlite=family == "sqlite")
        if isinstance(value, str) and value.strip()
        else ""
        for value, column, name in zip(found, columns, place.cursor, strict=True)
    ]
    return tuple(
        _mark(value, name, zone, now, form=form)
        for value, name, zone, form in zip(
            found, place.cursor, zones, forms, strict=True
        )
    )


def _mark(
    value: Any, name: str, zone: ZoneInfo, now: dt.datetime, *, form: str
) -> Mark:
    if value is None or value == "":
        return Mark("none")
    if isinstance(value, dt.datetime):
        return Mark("moment", _not_beyond(value, zone, now).isoformat())
    if isinstance(value, dt.date):
        return Mark("day", min(value, now.astimezone(zone).date()).isoformat())
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        if Decimal(value).is_finite() and Decimal(value) == int(value):
            return Mark("number", str(int(value)))
    elif isinstance(value, str) and 0 < len(value) <= _LONGEST:
        moment = text_moment(value)
        if form == "digits" or moment is None:
            return Mark(form, value.strip())
        kept = _not_beyond(moment, zone, now)
        late = int((moment - kept).total_seconds() + 1)
        return Mark("text", value if kept == moment else moment_bound(value, late))
    raise SourceError(
        f"the cursor column {name[:60]!r} holds values of the type "
        f"{type(value).__name__}: name one of moments, days or whole numbers"
    )


def _not_beyond(value: dt.datetime, zone: ZoneInfo, now: dt.datetime) -> dt.datetime:
    if value.tzinfo is None:
        return min(value, now.astimezone(zone).replace(tzinfo=None))
    return value if value <= now else now.astimezone(value.tzinfo)


def write_cursor(place: SqlPlace, marks: Sequence[Mark], *, where: str = "") -> str:
    """
    Write marks as the cursor of `SourceChanges`.

    Args:
        place: The table or query.
        marks: Of its cursor columns.
        where: `SqlAddress.fingerprint` of its database.

    >>> place = SqlPlace(table="receipts", cursor="version")
    >>> read_cursor(place, write_cursor(place, [Mark("number", "7")]))
    (Mark(kind='number', text='7'),)
    """
    return json.dumps(
        {
            "of": place.fingerprint,
            "in": where,
            "at": [[mark.kind, mark.text] for mark in marks],
        }
    )


def read_cursor(
    place: SqlPlace, cursor: str, *, where: str = ""
) -> tuple[Mark, ...] | None:
    """
    Read what `write_cursor` wrote; None if it is of another place, or is no cursor.

    Args:
        place: The table or query.
        cursor: The text.
        where: `SqlAddress.fingerprint` of its database.

    >>> read_cursor(SqlPlace(table="receipts", cursor="version"), "yesterday")
    """
    try:
        held = json.loads(cursor)
        marks = tuple(Mark(str(kind), str(text)) for kind, text in held["at"])
        for mark in marks:
            _bound(mark, place)
    except (ValueError, TypeError, KeyError, ArithmeticError):
        return None
    own = (place.fingerprint, where, len(place.cursor))
    return marks if (held.get("of"), held.get("in"), len(marks)) == own else None


def changed(
    rows: Any, place: SqlPlace, marks: Sequence[Mark], *, family: str
) -> sa.ColumnElement[bool]:
    """
    Return the condition that a row may have changed since.

    Rows in which all cursor columns are NULL are among them: nothing tells otherwise.

    Args:
        rows: What `sql_place.rows_of` returned.
        place: The table or query.
        marks: What the cursor held.
        family: The kind of database.
    """
    conditions = [sa.and_(*[rows.c[name].is_(None) for name in place.cursor])]
    for name, mark in zip(place.cursor, marks, strict=True):
        column = rows.c[name]
        bound = _bound(mark, place)
        if bound is None:
            conditions.append(column.is_not(None))
            continue
        conditions.append(_compared(column, family) >= sa.literal(bound))
        if mark.kind in ("text", "digits"):
            conditions.append(column == "")
        if family == "sqlite":  # where a column may hold texts and numbers at once
            kind = "text" if isinstance(bound, str) else "integer"
            conditions.append(sa.func.typeof(column).not_in([kind, "null"]))
    return sa.or_(*conditions)


def _compared(column: Any, family: str) -> Any:
    """Let the two ways to write a moment in SQLite compare as one."""
    if family != "sqlite":
        return column
    spaced = sa.func.replace(column, "T", " ")
    return sa.case((sa.func.typeof(column) == "text", spaced), else_=column)


_READ: dict[str, Callable[[str], Any]] = {
    "none": lambda _text: None,
    "moment": dt.datetime.fromisoformat,
    "day": dt.date.fromisoformat,
    "number": int,
    "text": str,
    "digits": str,
}


def _bound(mark: Mark, place: SqlPlace) -> Any:
    """Return the value from which on rows may have changed."""
    value = _READ[mark.kind](mark.text)
    before = _MOMENTS if place.overlap is None else place.overlap
    versions = _VERSIONS if place.overlap is None else place.overlap
    if mark.kind == "number":
        return value - versions
    if mark.kind == "moment":
        return value - dt.timedelta(seconds=before)
    if mark.kind == "day":
        return value - dt.timedelta(days=-(-before // 86_400))
    if mark.kind == "digits":
        return str(max(int(value) - versions, 0)).zfill(len(value))
    return moment_bound(value, before) if mark.kind == "text" else value
