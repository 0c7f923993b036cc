"""Statements as the texts that a driver takes: made once, and executed as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

__all__ = ["run"]

Values = Mapping[str, Any]


class _Text(NamedTuple):
    """The text of a statement, its own values, and the order of all of them."""

    text: str
    own: dict[str, Any]
    order: tuple[str, ...] | None


_TEXTS: dict[tuple[sa.Executable, str], _Text] = {}


def run(
    connection: sa.Connection,
    statement: sa.Executable,
    values: Values | Sequence[Values] | None = None,
) -> Any:
    """
    Execute a statement that is there for good, in half the time of the usual way.

    Its columns need no types beyond the driver's own, and no list that is spread out.

    Args:
        connection: In a transaction.
        statement: One that the module keeps: it is remembered.
        values: Of its parameters; several for as many rows to insert.

    Returns:
        A `sqlalchemy.CursorResult`.
    """
    dialect = connection.dialect
    known = _TEXTS.get((statement, dialect.name))
    if known is None:
        known = _TEXTS[statement, dialect.name] = _compiled(statement, dialect)
    if isinstance(values, Sequence):
        return connection.exec_driver_sql(
            known.text, [_given(known, each) for each in values]
        )
    return connection.exec_driver_sql(known.text, _given(known, values or {}))


def _compiled(statement: sa.Executable, dialect: sa.Dialect) -> _Text:
    made: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    own = {name: value for name, value in made.params.items() if value is not None}
    order = None if made.positiontup is None else tuple(made.positiontup)
    return _Text(text=str(made), own=own, order=order)


def _given(known: _Text, values: Values) -> Any:
    if known.order is None:
        return {**known.own, **values}
    own = known.own
    return tuple(
        [values[name] if name in values else own[name] for name in known.order]
    )
