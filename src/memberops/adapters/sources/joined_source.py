"""One table from several sources, such as the tills of stores of different makes."""

from __future__ import annotations

from memberops.adapters.sources.contract import Source, SourceResult
from memberops.adapters.sources.table_files import joined_results
from memberops.errors import SourceError
from memberops.tables import table as table_named

__all__ = ["JoinedSource"]


class JoinedSource:
    """
    A source that gives what several give, one behind the other.

    Rows, rejects and findings of all are kept, so nothing is lost on the way. What two
    of them give counts twice, as it does in two files: let each have its own rows.

    Args:
        *sources: The sources, in the order of their rows.

    Raises:
        SourceError: There is none.

    >>> from memberops.testing import sales_frame
    >>> from memberops.workflows.chain_tables import FrameSource
    >>> north = FrameSource(sales_frame([("A", "2026-10-03", "S1", "", 1, "5")]), None)
    >>> south = FrameSource(sales_frame([("B", "2026-10-04", "S2", "", 2, "7")]), None)
    >>> JoinedSource(north, south).read("sales").accepted
    2
    """

    def __init__(self, *sources: Source) -> None:
        if not sources:
            raise SourceError("a joined source needs at least one source")
        self._sources = sources

    def __repr__(self) -> str:
        """Show the sources."""
        return f"JoinedSource({', '.join(map(repr, self._sources))})"

    def read(self, table: str) -> SourceResult:
        """
        Read one canonical table of every source.

        Raises:
            SourceError: One of them cannot be read.
            UnknownTableError: One of them has no such table.
        """
        canonical = table_named(table)
        return joined_results([each.read(table) for each in self._sources], canonical)
