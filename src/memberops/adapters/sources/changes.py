"""What changed since a source was last read, and how it goes into what one has."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import attrs
import numpy as np
import pandas as pd

from memberops.adapters.sources.contract import Source, SourceResult
from memberops.errors import InvalidValueError
from memberops.tables import Table
from memberops.tables import table as table_named

__all__ = ["ChangingSource", "SourceChanges", "merge_changes", "record_key_of"]

_LONGEST_CURSOR = 10_000
_TICKET = ("ticket_id",)


def _keys(value: Any) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(key) for key in value)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SourceChanges:
    """
    What one reading of a table since a cursor gave.

    Args:
        result: The records that are new or changed; all of them if *whole*.
        cursor: Where the next reading begins: the source's own text, not to be
            looked into, of at most 10 000 characters.
        deleted: Keys (`record_key_of`) of records that are no more.
        whole: Whether *result* is the whole table, so that what it lacks is no more.

    Raises:
        InvalidValueError: The cursor is too long, or a whole reading names deleted
            records.
    """

    result: SourceResult
    cursor: str = attrs.field()
    deleted: tuple[tuple[str, ...], ...] = attrs.field(default=(), converter=_keys)
    whole: bool = False

    @cursor.validator
    def _check_cursor(self, _attribute: object, value: Any) -> None:
        if not isinstance(value, str) or len(value) > _LONGEST_CURSOR:
            raise InvalidValueError(
                f"a cursor is a text of at most {_LONGEST_CURSOR} characters"
            )

    def __attrs_post_init__(self) -> None:
        """Refuse deletions of a whole reading: absence says it there."""
        if self.whole and self.deleted:
            raise InvalidValueError("a whole reading names no deleted records")

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

    A record may come twice, in one reading or in two: readings overlap, because the
    clocks of servers are coarse and not ours. `merge_changes` takes out the doubles.
    """

    def changes(self, table: str, *, since: str | None) -> SourceChanges:
        """
        Read what is new or changed since a cursor.

        Args:
            table: Name of the table, such as ``"sales"``.
            since: `SourceChanges.cursor` of an earlier reading; None reads all. A
                cursor that the source no longer knows reads all too, with a finding.

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

    >>> import pandas as pd
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
    key = record_key_of(changes.result.table)
    if not key:
        raise InvalidValueError(
            f"rows of {changes.result.table} have no key to be replaced by: "
            "read the table whole"
        )
    gone = pd.MultiIndex.from_tuples(
        [*came[list(key)].astype(object).itertuples(index=False, name=None),
         *_typed(changes.deleted, came, key)],
        names=key,
    )  # fmt: skip
    if not len(gone):
        return frame.reset_index(drop=True)
    had = pd.MultiIndex.from_frame(frame[list(key)].astype(object))
    stays = ~np.asarray(had.isin(gone))
    return pd.concat([frame[stays], came], ignore_index=True)


def _typed(
    deleted: tuple[tuple[str, ...], ...], came: pd.DataFrame, key: tuple[str, ...]
) -> list[tuple[Any, ...]]:
    """Give the keys of deleted records the types of the columns."""
    dated = {name for name in key if pd.api.types.is_datetime64_any_dtype(came[name])}
    return [
        tuple(
            pd.Timestamp(part) if name in dated else part
            for name, part in zip(key, parts, strict=True)
        )
        for parts in deleted
    ]
