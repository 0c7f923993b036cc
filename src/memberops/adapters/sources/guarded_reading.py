"""Reading a source that may be a plugin's: it fails as ours do, and gives a result."""

from __future__ import annotations

from memberops.adapters.sources.contract import Source, SourceResult
from memberops.errors import MemberOpsError, SourceError
from memberops.tables import table as table_named

__all__ = ["guarded_read", "note_place"]


def guarded_read(source: Source, table: str) -> SourceResult:
    """
    Read a canonical table of any source.

    Args:
        source: The source.
        table: Name of the table.

    Raises:
        MemberOpsError: What the source raises of `memberops.errors`, as it is.
        SourceError: The source failed in another way, or gave no result.
        MissingColumnsError: The result lacks a column that no row may lack.

    >>> class Till:
    ...     def read(self, table):
    ...         raise KeyError("王小明")
    >>> guarded_read(Till(), "sales")
    Traceback (most recent call last):
        ...
    memberops.errors.SourceError: the source of sales failed with KeyError
    """
    try:
        result: object = source.read(table)
    except MemberOpsError:
        raise
    except Exception as error:
        # Its text may quote a row, so only its kind is told; the cause has the rest.
        raise SourceError(
            f"the source of {table} failed with {type(error).__name__}"
        ) from error
    if not isinstance(result, SourceResult):
        raise SourceError(
            f"the source of {table} gave a {type(result).__name__}, no SourceResult"
        )
    canonical = table_named(table)
    canonical.check_columns(result.frame.columns, canonical.required)
    return result


def note_place(error: MemberOpsError, place: str) -> None:
    """
    Note which part of a chain file an error is about, unless a closer one is noted.

    Args:
        error: The error, whose kind stays what it is.
        place: Such as ``"sources.sales"``; ``"sources.sales[2]"`` is closer.

    >>> error = SourceError("no network")
    >>> note_place(error, "sources.sales[2]")
    >>> note_place(error, "sources.sales")
    >>> error.__notes__
    ['sources.sales[2]']
    """
    if not any(note.startswith(place) for note in getattr(error, "__notes__", ())):
        error.add_note(place)
