"""Rows of a database become columns of text, piece by piece."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa

from memberops.adapters.sources.arrow_texts import (
    ArrowTexts,
    in_order,
    release_unused,
)
from memberops.adapters.sources.column_values import TextColumn
from memberops.adapters.sources.records import text_of
from memberops.adapters.sources.sql_access import FAMILIES
from memberops.adapters.sources.sql_place import SqlPlace, rows_of
from memberops.adapters.sources.text_gathering import TextGatherer
from memberops.errors import ColumnTypeError, SourceError, bounded

__all__ = ["Piece", "Shape", "fetched", "gathered", "select_texts", "shape_of", "zoned"]

Piece = tuple[npt.NDArray[Any] | None, Sequence[str]]
"""
Some rows of a column: positions of their texts (-1 for none), and the texts; or None,
and the text of each row.
"""

# As PEP 249 drivers of MySQL number the types.
_MYSQL_FLOAT, _MYSQL_TIMESTAMP = 4, 7
# Below these a float holds each whole number, and each cent.
_WHOLE: sa.ColumnElement[Any] = sa.literal_column("1e15")
_CENTS: sa.ColumnElement[Any] = sa.literal_column("1e13")
_SHORT: sa.ColumnElement[Any] = sa.literal_column("'%!.15g'")
_LARGE: sa.ColumnElement[Any] = sa.literal_column("'%.16e'")
_OFFSET = re.compile(r".*\d:\d\d.*(?:Z|[+-]\d\d(?::?\d\d)?)|[^:]*")


@attrs.frozen(kw_only=True)
class Shape:
    """
    What the columns of a place are.

    Args:
        names: Their names.
        utc: Positions of columns whose moments are written in UTC without saying so.
        coarse: Positions of columns of floats of seven digits, whose text is rounded.
    """

    names: tuple[str, ...]
    utc: frozenset[int] = frozenset()
    coarse: frozenset[int] = frozenset()


def shape_of(connection: sa.Connection, place: SqlPlace, family: str) -> Shape:
    """
    Ask for the columns of a place, and no row.

    Raises:
        SourceError: Two columns have one name.
    """
    every: Any = sa.select(sa.literal_column("*"))
    statement = every.select_from(rows_of(place, alias="r")).where(sa.false())
    result = connection.execute(statement)
    names = tuple(str(name) for name in result.keys())  # noqa: SIM118 - no mapping
    types = [each[1] for each in getattr(result.cursor, "description", None) or ()]
    result.close()
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SourceError(
            f"{place.name} gives more than one column the name {bounded(twice)}: "
            "name them apart in the query"
        )
    if family != "mysql":
        return Shape(names=names)
    return Shape(
        names=names,
        utc=frozenset(at for at, kind in enumerate(types) if kind == _MYSQL_TIMESTAMP),
        coarse=frozenset(at for at, kind in enumerate(types) if kind == _MYSQL_FLOAT),
    )


def select_texts(
    rows: Any, names: Sequence[str], *, family: str, no_null: bool = False
) -> sa.Select[Any]:
    """
    Select columns as the texts by which the database itself shows their values.

    So no amount passes through a float, and nothing that a driver cannot hold, such
    as a day ``infinity``, breaks the reading. Of a database that is not in `FAMILIES`
    the values are selected as they are.

    Args:
        rows: What `rows_of` returned.
        names: The columns.
        family: The kind of database.
        no_null: Whether the empty text stands for NULL.
    """
    columns: list[Any] = [rows.c[name] for name in names]
    if family in FAMILIES.values():
        written = _sqlite_text if family == "sqlite" else _text
        columns = [written(column) for column in columns]
        if no_null:
            columns = [sa.func.coalesce(column, sa.text("''")) for column in columns]
    return sa.select(
        *[column.label(f"c{at}") for at, column in enumerate(columns)]
    ).select_from(rows)


def _text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(column, sa.Text)


def _sqlite_text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """
    Write a REAL of SQLite as the 15 digits that a float keeps, or not as an amount.

    SQLite writes 12345678901234.56 as 12345678901234.6, or with noise, by its version.
    A number so large that 15 digits hold no cents is written in scientific notation,
    which every reader of numbers refuses.
    """
    whole = sa.cast(column, sa.BigInteger)
    shown = sa.case(
        (
            sa.and_(sa.func.abs(column) < _WHOLE, column == whole),
            sa.cast(whole, sa.Text),
        ),
        (sa.func.abs(column) < _CENTS, sa.func.printf(_SHORT, column)),
        else_=sa.func.printf(_LARGE, column),
    )
    kind = sa.func.typeof(column)
    text, real = (kind == sa.literal_column(name) for name in ("'text'", "'real'"))
    return sa.case((text, column), (real, shown), else_=_text(column))


def fetched(
    connection: sa.Connection,
    statement: sa.Select[Any],
    names: Sequence[str],
    *,
    rows_at_once: int,
) -> Iterator[list[Piece]]:
    """
    Fetch rows in pieces, so that no more than one piece of values is in memory.

    Args:
        connection: Where.
        statement: What `select_texts` returned, with its conditions.
        names: Its columns, for errors.
        rows_at_once: Rows of one piece.

    Raises:
        SourceError: A value cannot be written as text exactly.
    """
    result = connection.execution_options(
        stream_results=True, max_row_buffer=rows_at_once
    ).execute(statement)
    for rows in _driver_rows(result, rows_at_once):
        yield [
            _piece(values, name)
            for name, values in zip(names, zip(*rows, strict=True), strict=True)
        ]


def _driver_rows(result: Any, at_once: int) -> Iterator[Sequence[Any]]:
    """Fetch rows as the driver gives them: no column has a type that changes them."""
    while rows := result.cursor_strategy.fetchmany(result, result.cursor, at_once):
        yield rows


def _piece(values: Sequence[Any], name: str) -> Piece:
    kinds = set(map(type, values))
    if kinds == {str}:
        return None, values
    kinds.discard(type(None))
    if kinds <= {str}:
        return None, ["" if value is None else value for value in values]
    if len(kinds) > 1:  # 1 and True and Decimal(1) are equal, and other texts
        values = [None if value is None else _written(value, name) for value in values]
    column = np.empty(len(values), dtype=object)
    column[:] = values
    try:
        codes, distinct = pd.factorize(column)
    except TypeError:  # a list or a mapping: it says why it has no text
        distinct = column
        codes = np.arange(len(column))
    return codes, [_written(value, name) for value in distinct]


def _written(value: Any, name: str) -> str:
    """Write what drivers give, beyond the plain values of records."""
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):  # a time of day, as drivers of MySQL give it
        return str(value)
    try:
        return text_of(value)
    except ColumnTypeError:
        raise SourceError(
            f"the column {name[:60]!r} holds values of the type "
            f"{type(value).__name__}, which have no exact text: cast it to DECIMAL or "
            "text in a query"
        ) from None


class _Gatherer:
    """One column, the texts of all pieces kept once."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._codes: list[npt.NDArray[Any]] = []
        self._plain: TextGatherer | None = None

    def add(self, piece: Piece) -> None:
        codes, texts = piece
        if codes is None and not self._codes:
            self._plain = self._plain or TextGatherer()
        if self._plain is not None:
            if codes is not None:
                every = [*texts, ""]  # the code -1 takes the last
                texts = [every[at] for at in codes]
            self._plain.add(texts)
            return
        if codes is None:
            codes, distinct = pd.factorize(np.array([*texts], dtype=object))
            texts = list(distinct)
        known = self._known
        if len(codes) and codes.min() < 0:
            texts = [*texts, ""]  # the code -1 takes the last
        places = [known.setdefault(text, len(known)) for text in texts]
        self._codes.append(np.array(places, dtype=np.int32)[codes])

    def column(self) -> TextColumn:
        if self._plain is not None:
            return self._plain.column()
        codes = [np.zeros(0, dtype=np.int32), *self._codes]
        self._codes = []
        return TextColumn(np.concatenate(codes), list(self._known))


def gathered(pieces: Iterable[list[Piece]], columns: int) -> list[TextColumn]:
    """
    Put the pieces of some columns together.

    Args:
        pieces: For each piece of rows, one `Piece` for each column.
        columns: How many.

    >>> pieces = [[(np.array([0, 1, 0]), ["a", "b"])], [(np.array([0, -1]), ["b"])]]
    >>> [column] = gathered(pieces, 1)
    >>> column.codes.tolist(), column.texts
    ([0, 1, 0, 1, 2], ['a', 'b', ''])
    >>> [column] = gathered([[(None, ["a", "b"])], [(np.array([-1, 0]), ["b"])]], 1)
    >>> column.codes.tolist(), list(column.texts)
    ([0, 1, 2, 1], ['a', 'b', ''])
    >>> [column] = gathered([[(np.array([-1, 0]), ["b"])], [(None, ["a", "b"])]], 1)
    >>> [column.texts[code] for code in column.codes]
    ['', 'b', 'a', 'b']
    """
    gatherers = [_Gatherer() for _ in range(columns)]
    for piece in pieces:
        for gatherer, part in zip(gatherers, piece, strict=True):
            gatherer.add(part)
    found: list[TextColumn] = []
    each: npt.NDArray[Any] | None = None
    for gatherer in gatherers:
        column = gatherer.column()
        if in_order(column.codes, len(column.texts)):
            # One numbering will do for all columns whose rows have their own texts.
            each = column.codes if each is None else each
            column = TextColumn(each, column.texts)
        found.append(column)
    release_unused()
    return found


def zoned(column: TextColumn) -> TextColumn:
    """
    Mark the moments of a column that carry no zone as UTC.

    >>> zoned(TextColumn(np.arange(3), ["2026-11-05 14:03:00", "2026-11-05", ""])).texts
    ['2026-11-05 14:03:00Z', '2026-11-05', '']
    """
    if isinstance(column.texts, ArrowTexts):
        pattern = _OFFSET.pattern.replace(r"\d", r"\p{Nd}")  # as pyarrow writes digits
        kept = column.texts.ended("Z", unless=f"^(?:{pattern})$")
        return TextColumn(column.codes, kept)
    texts = [text if _OFFSET.fullmatch(text) else f"{text}Z" for text in column.texts]
    return TextColumn(column.codes, texts)
