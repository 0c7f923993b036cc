"""Which rows of a database are read for a table: a table or view, or a query."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import sqlalchemy as sa

from memberops.errors import ConfigurationError, nearest

__all__ = ["SqlPlace", "rows_of"]

# Quoting is SQLAlchemy's; the list keeps out what is never a name but an attack.
_NAME = re.compile(r"[^\W\d][\w$#]{0,127}(?:[ -][\w$#]{1,64}){0,4}")
_READS = re.compile(r"\s*(?:select|with|values|table)\b", re.IGNORECASE)
_PARAMETER = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
_LONGEST_QUERY = 100_000
_NAME_PARTS = 2


def _names(value: Any) -> tuple[str, ...]:
    found = (value,) if isinstance(value, str) else tuple(value or ())
    if not all(isinstance(name, str) and name.isprintable() for name in found):
        raise ConfigurationError(
            "'cursor', 'key', 'deleted' and 'utc' are names of columns"
        )
    return found


@attrs.frozen(kw_only=True)
class SqlPlace:
    """
    Where the rows of one canonical table stand in a database.

    Args:
        table: Name of a table or view, or ``"schema.table"``.
        query: Instead of it one statement that reads, without ``;``. It is read as a
            subquery, so whatever is no reading is refused by the database too.
        parameters: Values of the query's ``:names``; they are bound, never written
            into the statement.
        cursor: Columns that grow when a row is changed, such as ``"updated_at"`` or a
            version; several if none alone tells all changes.
        overlap: How far before the cursor the next reading begins: seconds of a
            moment, or units of a number. By default 300 seconds, and 1 000 of a
            number.
        deleted: A column that marks deleted rows: a moment, or a flag.
        key: Canonical columns by which a changed record replaces its earlier rows, if
            not those of the table: ``("card_id",)`` where a card has one row whatever
            its term says.
        utc: Columns whose moments carry no zone and are UTC; others are read in the
            chain's zone.

    Raises:
        ConfigurationError: A name or the query cannot be one, or both are given.

    >>> SqlPlace(table="pos.receipts", cursor="updated_at").cursor
    ('updated_at',)
    >>> SqlPlace(table="receipts; drop table members")
    Traceback (most recent call last):
        ...
    memberops.errors.ConfigurationError: 'table' is the name of a table or view, ...
    >>> SqlPlace(query="delete from members")
    Traceback (most recent call last):
        ...
    memberops.errors.ConfigurationError: 'query' is one statement that reads: it ...
    """

    table: str | None = attrs.field(default=None)
    query: str | None = attrs.field(default=None, repr=False)
    parameters: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    cursor: tuple[str, ...] = attrs.field(default=(), converter=_names)
    overlap: int | None = attrs.field(default=None)
    deleted: str | None = attrs.field(default=None)
    key: tuple[str, ...] = attrs.field(default=(), converter=_names)
    utc: tuple[str, ...] = attrs.field(default=(), converter=_names)

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """Return the names of the options that make one."""
        return tuple(field.name for field in attrs.fields(cls))

    @table.validator
    def _check_table(self, _attribute: object, value: Any) -> None:
        if value is None:
            return
        parts = value.split(".") if isinstance(value, str) else [""]
        if len(parts) > _NAME_PARTS or not all(_NAME.fullmatch(p) for p in parts):
            raise ConfigurationError(
                "'table' is the name of a table or view, or 'schema.table', of "
                "letters, digits, '_', '$', '#', single spaces and hyphens; "
                "give a 'query' for anything else"
            )

    @query.validator
    def _check_query(self, _attribute: object, value: Any) -> None:
        if value is None:
            return
        text = value if isinstance(value, str) else ""
        if not _READS.match(text) or len(text) > _LONGEST_QUERY:
            raise ConfigurationError(
                "'query' is one statement that reads: it begins with SELECT or WITH "
                f"and has at most {_LONGEST_QUERY} characters"
            )
        if ";" in text or "\0" in text:
            raise ConfigurationError(
                "'query' is one statement and holds no ';': leave out the last one, "
                "and give a text that holds one in 'parameters'"
            )

    @parameters.validator
    def _check_parameters(self, _attribute: object, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise ConfigurationError("'parameters' is a table of names and values")
        known = set(_PARAMETER.findall(self.query or ""))
        for name in value:
            if name not in known:
                raise ConfigurationError(
                    f"the query has no parameter :{str(name)[:40]}; "
                    f"{nearest(str(name)[:40], known)}"
                )
        if lacking := sorted(known - set(value)):
            raise ConfigurationError(
                f"'parameters' lacks :{lacking[0][:40]}, which the query names"
            )

    @overlap.validator
    def _check_overlap(self, _attribute: object, value: Any) -> None:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value is not None and not (whole and 0 <= value < 10**9):
            raise ConfigurationError(
                "'overlap' is a whole number of seconds or versions, not negative"
            )

    @deleted.validator
    def _check_deleted(self, _attribute: object, value: Any) -> None:
        if value is not None:
            _names([value])

    def __attrs_post_init__(self) -> None:
        """Want one of table and query."""
        if (self.table is None) == (self.query is None):
            raise ConfigurationError("give either a 'table' or a 'query' to be read")

    @property
    def name(self) -> str:
        """What findings call it."""
        return self.table or "query"

    @property
    def fingerprint(self) -> str:
        """A short text that differs where a cursor of another place would be wrong."""
        told = repr((self.table, self.query, self.cursor, self.key))
        told += repr(sorted((k, str(v)) for k, v in self.parameters.items()))
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def rows_of(place: SqlPlace, columns: Iterable[str] = (), *, alias: str) -> Any:
    """
    Return what is selected from: the table, or the query as a subquery.

    Args:
        place: The table or query.
        columns: Names of its columns, as far as they are known.
        alias: Its name within the statement.

    >>> place = SqlPlace(table="pos.Order Lines")
    >>> " ".join(str(sa.select(rows_of(place, ["id"], alias="r").c.id)).split())
    'SELECT r.id FROM pos."Order Lines" AS r'
    """
    made: list[sa.ColumnClause[Any]] = [sa.column(name) for name in columns]
    if place.query is not None:
        text = sa.text(f"{place.query}\n")  # a comment at its end ends here
        if place.parameters:
            text = text.bindparams(**place.parameters)
        return text.columns(*made).subquery(alias)
    *schema, name = (place.table or "").split(".")
    return sa.table(name, *made, schema=schema[0] if schema else None).alias(alias)
