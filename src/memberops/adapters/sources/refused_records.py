"""Which records the rejected rows of a source belong to, where the source can tell."""

from __future__ import annotations

from memberops.adapters.sources.changes import ChangingSource, RecordKey
from memberops.adapters.sources.contract import Source
from memberops.adapters.sources.guarded_reading import guarded_read
from memberops.adapters.sources.joined_source import JoinedSource
from memberops.adapters.sources.snapshot import SnapshotSource

__all__ = ["refused_records", "sections_of"]


def sections_of(source: Source) -> tuple[Source, ...]:
    """Return the sources that a source joins, or itself."""
    if isinstance(source, JoinedSource):
        return tuple(own for _, own in source.sections)
    return (source,)


def refused_records(
    source: Source, table: str, key: tuple[str, ...]
) -> tuple[RecordKey, ...]:
    """
    Name the record of each rejected row, an empty key where it is not known.

    A source that knows its records is read once more for them, whole.

    Args:
        source: One source, not several joined.
        table: The table.
        key: The columns that name a record: of a source that names records by
            others, none is known.

    Raises:
        SourceError: The source cannot be read.

    >>> import pandas as pd
    >>> class Till:
    ...     def read(self, table):
    ...         from memberops.adapters.sources.frame_rows import read_frame
    ...         return read_frame(pd.DataFrame({"store_id": ["S1", None]}), table)
    >>> refused_records(Till(), "stores", ("store_id",))
    ((),)
    """
    own: tuple[str, ...] = ()
    named: tuple[RecordKey, ...] = ()
    if isinstance(source, SnapshotSource):
        rows = guarded_read(source, table).rejected
        own, named = source.refused(table)
    elif isinstance(source, ChangingSource):
        changes = source.changes(table, since=None)
        own, named = changes.record_key, changes.refused
        rows = changes.result.rejected
    else:
        rows = guarded_read(source, table).rejected
    if own != key:
        named = ()
    return (*named, *((),) * max(rows - len(named), 0))
