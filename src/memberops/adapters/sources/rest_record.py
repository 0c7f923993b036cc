"""The rows of text that a record of a web service gives, and the keys of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from memberops.adapters.sources.changes import RecordKey
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.records import text_of
from memberops.adapters.sources.rest_nowhere import PathWatch
from memberops.adapters.sources.rest_paths import plain_at, scopes
from memberops.adapters.sources.rest_resource import Lines, RestResource
from memberops.adapters.sources.rest_rows import counts, id_text, row_of
from memberops.tables import Kind

__all__ = ["RecordReader", "RecordRows"]


@attrs.frozen
class RecordRows:
    """
    What a record gives.

    Args:
        rows: Of the table, as text.
        gone: Keys whose rows are to be taken out unless some of *rows* have them.
        cut: Whether the service left lines out.
        differs: Whether they do not add up to what the record says.
        left: Whether the record was listed, and gone when it was asked for.
    """

    rows: tuple[tuple[str, ...], ...]
    gone: tuple[RecordKey, ...] = ()
    cut: bool = False
    differs: bool = False
    left: bool = False


class RecordReader:
    """
    Makes rows of the records of a resource.

    Args:
        resource: Where values are.
        options: What becomes of them.
        key: Columns by which rows are replaced.
    """

    def __init__(
        self, resource: RestResource, options: ReadingOptions, key: tuple[str, ...]
    ) -> None:
        self._resource = resource
        self._options = options
        self._key = key
        self._days = [
            options.converter.table.column(name).kind is Kind.DATE for name in key
        ]
        self._texts: dict[str, str] = {}
        self.watch = PathWatch(resource, options.converter.table.name)
        self.fields: tuple[str, ...] = tuple(
            dict.fromkeys(
                name
                for lines in resource.lines
                for name in (*lines.columns, *lines.sums, *lines.constants)
            )
        )
        self._places = [
            self.fields.index(name) if name in self.fields else -1 for name in key
        ]

    def read(self, record: Any) -> RecordRows:
        """Return the rows of a record."""
        resource, agrees = self._resource, True
        if resource.prepare is not None and isinstance(record, Mapping):
            record, agrees = resource.prepare(record)
        self.watch.record(record)
        counting = counts(record, resource)
        rows: list[tuple[str, ...]] = []
        gone: list[RecordKey] = []
        cut = False
        for at, lines in enumerate(resource.lines):
            cut = cut or any(
                chain[-1] is True
                for path in lines.whole
                for chain in scopes(record, path)
            )
            gone += self._shared_key(record, lines)
            for chain in scopes(record, lines.each):
                self.watch.line(at, chain)
                row = row_of(chain, lines, resource, self._options)
                if counting:
                    rows.append(tuple(self._cells(row)))
                else:
                    gone += self._known([row.get(name) for name in self._key])
        differs = counting and not agrees
        return RecordRows(tuple(rows), tuple(dict.fromkeys(gone)), cut, differs)

    def left(self, record: Any) -> RecordRows:
        """Return what a record gives that was in a list and is no more."""
        gone = [
            key
            for lines in self._resource.lines
            for key in self._shared_key(record, lines)
        ]
        return RecordRows((), tuple(dict.fromkeys(gone)), left=True)

    def key_of(self, row: tuple[str, ...]) -> RecordKey:
        """Return the key of a row; empty if a part is missing."""
        found = self._known([row[at] if at >= 0 else None for at in self._places])
        return found[0] if found else ()

    def _cells(self, row: Mapping[str, Any]) -> Iterator[str]:
        for name in self.fields:
            text = text_of(row.get(name))
            # Stores, days and items stand in many rows: one text is enough for all.
            yield self._texts.setdefault(text, text)

    def _shared_key(self, record: Any, lines: Lines) -> list[RecordKey]:
        """Return the key of a record that its lines share, be there lines or not."""
        if any(self._days):
            return []  # a day may have to be told by the chain's zone: rows say it
        parts: list[Any] = []
        for name in self._key:
            path = lines.columns.get(name, "")
            if not path or (lines.each and not path.startswith("/")):
                return []
            value = plain_at(
                (record,), path, false_is_missing=self._resource.false_is_missing
            )
            mark = lines.prefix.get(name, "") if value is not None else ""
            parts.append(f"{mark}{text_of(value)}" if mark else value)
        return self._known(parts)

    def _known(self, values: list[Any]) -> list[RecordKey]:
        if not values or any(value in (None, "") for value in values):
            return []
        return [
            tuple(
                _day_text(value) if day else id_text(value)
                for value, day in zip(values, self._days, strict=True)
            )
        ]


def _day_text(value: Any) -> str:
    text = text_of(value)
    try:
        return dt.date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return text
