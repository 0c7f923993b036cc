"""Paths of a resource that stand in no record: most often a slip of the pen."""

from __future__ import annotations

from typing import Any

from memberops.adapters.sources.rest_paths import stands_at
from memberops.adapters.sources.rest_resource import Lines, RestResource
from memberops.domain import Finding, Severity
from memberops.tables import table as table_named

__all__ = ["PathWatch"]


class PathWatch:
    """
    Watches which paths of a resource stood in some record.

    Args:
        resource: The resource.
        table: Name of the table.
    """

    def __init__(self, resource: RestResource, table: str) -> None:
        self._resource = resource
        self._table = table
        self._records = 0
        expected = resource.expected
        self._roots = {("only", path) for path in resource.only}
        if expected is None:
            if resource.deleted is not None:
                self._roots.add(("deleted", resource.deleted.path))
            self._roots |= {("each", own.each) for own in resource.lines if own.each}
        self._columns = [
            {
                (name, path)
                for name, path in _paths(lines, resource)
                if expected is None or name in expected
            }
            for lines in resource.lines
        ]
        self._absent: set[tuple[str, str]] = set()

    def record(self, record: Any) -> None:
        """Look at a record."""
        self._records += 1
        self._look((record,), self._roots)

    def line(self, at: int, chain: tuple[Any, ...]) -> None:
        """Look at a line of the kind that stands at a position."""
        self._look(chain, self._columns[at])

    def _look(self, chain: tuple[Any, ...], watched: set[tuple[str, str]]) -> None:
        """Watch no longer what stands there."""
        for each in list(watched):
            there = stands_at(chain, each[1])
            if there:
                watched.discard(each)
            elif there is False:
                self._absent.add(each)

    def findings(self) -> list[Finding]:
        """Tell of the paths that stood nowhere."""
        left = self._roots.union(*self._columns) & self._absent
        told = [self._said(name, path) for name, path in sorted(left)]
        return sorted(told, key=lambda each: -each.severity.rank)

    def _needed(self) -> set[str]:
        """Name the columns that every row needs, or those that they are made of."""
        had = {
            name
            for lines in self._resource.lines
            for name in (*lines.columns, *lines.sums, *lines.constants)
        }
        needed = [each for each in table_named(self._table).columns if each.required]
        return {
            name
            for each in needed
            for name in ([each.name] if each.name in had else each.derived_from)
        }

    def _said(self, name: str, path: str) -> Finding:
        column = name not in {"only", "each", "deleted", "currency"}
        # Without these no row can be trusted, or there is none.
        needed = name in {"only", "currency", *self._needed()}
        may_en, may_zh = (
            ("; if it may be absent, 'expected' lists the columns to be told of",
             "；若允许缺失，请用 expected 列出需要提示的列")
            if column and not needed
            else ("", "")
        )  # fmt: skip
        return Finding(
            table=self._table,
            rule="path-nowhere",
            severity=Severity.ERROR if needed else Severity.WARNING,
            source=self._resource.path[:80],
            column=name if column else None,
            count=self._records,
            message_en=f"the path {path[:80]!r} of {name!r} stands in none of the "
            f"records; look at how the service spells it{may_en}",
            message_zh=f"{name!r} 的路径 {path[:80]!r} 在所有记录中都不存在，"
            f"请检查拼写{may_zh}",
        )


def _paths(lines: Lines, resource: RestResource) -> list[tuple[str, str]]:
    found = [*lines.columns.items()]
    found += [(name, path) for name, paths in lines.sums.items() for path in paths]
    if resource.currency:
        found.append(("currency", resource.currency))
    return found
