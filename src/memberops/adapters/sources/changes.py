"""What changed since a source was last read, and how it goes into what one has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

import attrs
import numpy as np
import pandas as pd

from memberops.adapters.sources.column_values import empty_series
from memberops.adapters.sources.contract import Source, SourceResult
from memberops.errors import InvalidValueError, bounded
from memberops.tables import Kind, Table
from memberops.tables import table as table_named

__all__ = [
    "ChangingSource",
    "RecordKey",
    "SourceChanges",
    "merge_changes",
    "record_key_of",
    "record_keys",
]

RecordKey = tuple[str, ...]
"""What names a record: the texts of its key columns; a day is written 2026-11-05."""

_LONGEST_CURSOR = 10_000
_TICKET = ("ticket_id",)


def _keys(value: Any) -> tuple[RecordKey, ...]:
    return tuple(tuple(key) for key in value)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SourceChanges:
    """
    What one reading of a table since a cursor gave.

    Args:
        result: The records that are new or changed, each once; all of them if
            *whole*.
        cursor: Where the next reading begins: the source's own text, not to be
            looked into, of at most 10 000 characters, and without personal values.
        deleted: Keys of records that are no more.
        whole: Whether *result* is the whole table, so that what it lacks is no more.
        refused: For each row of ``result.rejects`` the key of its record, or an empty
            key where that is not known; empty if none is known, or if not all rejects
            are listed. A record that was good and is refused now leaves the table, as
            in a whole reading. A snapshot reads a table whole where rows were refused
            and no key is known.
        key: Columns by which a record that comes again replaces the earlier rows;
            those of `record_key_of` if empty. A source whose card has one row
            whatever its term says ``("card_id",)``.

    Raises:
        InvalidValueError: The cursor is too long, a whole reading names deleted
            records, the refused keys are not those of the rejects, or a key has
            another number of parts.
        MissingColumnsError: *key* is no column of the table.
    """

    result: SourceResult
    cursor: str = attrs.field()
    deleted: tuple[RecordKey, ...] = attrs.field(default=(), converter=_keys)
    whole: bool = False
    refused: tuple[RecordKey, ...] = attrs.field(default=(), converter=_keys)
    key: tuple[str, ...] = attrs.field(default=(), converter=tuple)

    @cursor.validator
    def _check_cursor(self, _attribute: object, value: Any) -> None:
        if not isinstance(value, str) or len(value) > _LONGEST_CURSOR:
            raise InvalidValueError(
                f"a cursor is a text of at most {_LONGEST_CURSOR} characters"
            )

    def __attrs_post_init__(self) -> None:
        """Hold the keys against the table, and deletions against a whole reading."""
        canonical = table_named(self.result.table)
        for name in self.key:
            canonical.column(name)
        if self.whole and self.deleted:
            raise InvalidValueError("a whole reading names no deleted records")
        if self.refused and len(self.refused) != self.result.rejected:
            raise InvalidValueError(
                f"there are {len(self.refused)} refused keys for "
                f"{self.result.rejected} rejects: give one for each, or none"
            )
        parts = len(self.record_key)
        if any(len(each) != parts for each in self.deleted) or any(
            len(each) not in (0, parts) for each in self.refused
        ):
            raise InvalidValueError(
                f"a key of {canonical.name} has {parts} parts: {self.record_key}"
            )

    @property
    def record_key(self) -> tuple[str, ...]:
        """The columns by which records are replaced; empty if there are none."""
        return self.key or record_key_of(self.result.table)

    def __repr__(self) -> str:
        """Show the counts, never a value."""
        return (
            f"SourceChanges(result={self.result!r}, deleted={len(self.deleted)}, "
            f"whole={self.whole})"
        )


@runtime_checkable
class ChangingSource(Source, Protocol):
    """
    A source that can be asked for what changed.

    Two readings overlap, because the clocks of servers are coarse and not ours: a
    record may come in both, and `merge_changes` takes out the double. In one reading
    it comes once: the source takes out what a page repeated (`latest_records`).
    """

    def changes(self, table: str, *, since: str | None) -> SourceChanges:
        """
        Read what is new or changed since a cursor.

        Args:
            table: Name of the table, such as ``"sales"``.
            since: `SourceChanges.cursor` of an earlier reading; None reads all. A
                cursor that the source does not know reads all too, with a finding.

        Raises:
            UnknownTableError: The source cannot give that table.
            SourceError: The source cannot be read.
        """


def record_key_of(table: str | Table) -> tuple[str, ...]:
    """
    Name the columns by which a record that comes again replaces the earlier one.

    It is the key of the table; lines of sales are replaced ticket by ticket, because
    a changed ticket may have fewer lines than before.

    >>> record_key_of("members"), record_key_of("sales")
    (('member_id',), ('ticket_id',))
    """
    canonical = table_named(table) if isinstance(table, str) else table
    return canonical.key or tuple(name for name in _TICKET if name in canonical.names)


def record_keys(frame: pd.DataFrame, key: Iterable[str]) -> list[RecordKey]:
    """
    Write the key of each row of a canonical frame as text.

    Args:
        frame: The frame.
        key: Columns of ids or days.

    >>> frame = pd.DataFrame({"store_id": ["S1"], "month": pd.to_datetime(["2026-11"])})
    >>> record_keys(frame, ["store_id", "month"])
    [('S1', '2026-11-01')]
    """
    parts = []
    for name in key:
        column = frame[name]
        if pd.api.types.is_datetime64_any_dtype(column):
            column = column.dt.strftime("%Y-%m-%d")
        parts.append(column.fillna("").astype(object).tolist())
    return list(zip(*parts, strict=True))


def merge_changes(frame: pd.DataFrame | None, changes: SourceChanges) -> pd.DataFrame:
    """
    Put what changed into a table that was read before.

    The same changes merged twice give the same table. Order: what stays as it was,
    in its order, then what came.

    Args:
        frame: The canonical table so far; None for none.
        changes: What came since.

    Returns:
        The canonical table as it is now.

    Raises:
        InvalidValueError: The table has neither key nor tickets, and the reading is
            not whole.

    >>> from memberops.adapters.sources.rejects import rejects_frame
    >>> def came(ids, names, **more):
    ...     frame = pd.DataFrame({"store_id": ids, "name": names})
    ...     return SourceChanges(cursor="1", **more, result=SourceResult(
    ...         table="stores", frame=frame, rejects=rejects_frame([]), findings=(),
    ...         rows_read=len(ids)))
    >>> first = merge_changes(None, came(["S1", "S2", "S3"], ["a", "b", "c"]))
    >>> merge_changes(first, came(["S2"], ["B"], deleted=[["S3"]])).values.tolist()
    [['S1', 'a'], ['S2', 'B']]
    """
    came = changes.result.frame
    if frame is None or changes.whole:
        return came.reset_index(drop=True)
    key = changes.record_key
    canonical = table_named(changes.result.table)
    if not key:
        raise InvalidValueError(
            f"rows of {canonical.name} have no key to be replaced by: "
            "read the table whole"
        )
    if odd := [n for n in key if canonical.column(n).kind not in (Kind.ID, Kind.DATE)]:
        raise InvalidValueError(f"{bounded(odd)} names no record: ids and days do")
    replaced = {*record_keys(came, key), *changes.deleted, *changes.refused}
    had = record_keys(frame, key)
    stays = np.fromiter((each not in replaced for each in had), bool, len(had))
    if came.empty:
        # Without rows a column may have lost its type: it has nothing to add.
        return frame[stays].reset_index(drop=True)
    kept, came = _alike(frame[stays], came, canonical), _alike(came, frame, canonical)
    return pd.concat([kept, came], ignore_index=True)


def _alike(frame: pd.DataFrame, other: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Add the columns that only the other has: a gap would make floats of amounts."""
    added = {
        name: empty_series(table.column(name), len(frame)).set_axis(frame.index)
        for name in other.columns
        if name not in frame.columns and name in table.names
    }
    return frame.assign(**added) if added else frame
