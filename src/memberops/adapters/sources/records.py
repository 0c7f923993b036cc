"""Records of a web service or a database: fields with plain values become text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.text_table import TextTable, read_text_table
from memberops.adapters.sources.values import narrow, whole_text
from memberops.errors import ColumnTypeError

__all__ = ["latest_records", "read_records", "refused_keys", "text_of"]


def text_of(value: Any) -> str:
    """
    Write a plain value as the text that conversion reads back exactly.

    Args:
        value: Text, a whole number, `Decimal`, a day, a moment, a truth value or
            None.

    Raises:
        ColumnTypeError: A float, which is no exact value, or something that is no
            plain value.

    >>> text_of(Decimal("19.90")), text_of(None), text_of(True), text_of(7)
    ('19.90', '', 'yes', '7')
    >>> text_of(dt.datetime(2026, 11, 5, 14, 3, tzinfo=dt.UTC))
    '2026-11-05T14:03:00+00:00'
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}" if value.is_finite() else ""
    if isinstance(value, dt.date | dt.datetime):
        return value.isoformat()
    if isinstance(value, float):
        raise ColumnTypeError(
            "a float is no exact value: read JSON with parse_float=Decimal, and "
            "decimals of a database as Decimal or as text"
        )
    raise ColumnTypeError(
        f"a record holds a {type(value).__name__}; take the plain values out of it"
    )


def read_records(
    records: Iterable[Mapping[str, Any]],
    options: ReadingOptions,
    *,
    origin: str,
    fields: Sequence[str] | None = None,
) -> SourceResult:
    """
    Read one canonical table of records, with the rules and findings of files.

    Args:
        records: Each a mapping from a field to a plain value (see `text_of`).
        options: What becomes of their fields.
        origin: Name of the resource, as findings give it.
        fields: Names of all fields; taken from the records if None. Name them where
            there may be no record at all.

    Raises:
        ColumnTypeError: A value is a float or is not plain.
        ConfigurationError: An option names a field that no record has.
        MissingColumnsError: A required column is in no field.

    >>> from zoneinfo import ZoneInfo
    >>> from memberops.domain import Currency
    >>> options = ReadingOptions.of("stores", currency=Currency("CNY"),
    ...     zone=ZoneInfo("Asia/Shanghai"), columns={"store_id": "code"})
    >>> read_records([{"code": "S01"}, {"code": "S02", "name": "二店"}], options,
    ...              origin="acme/stores").accepted
    2
    """
    kept = list(records)
    names = dict.fromkeys(fields or ())
    for record in kept:
        names |= dict.fromkeys(record)
    rows = [[text_of(record.get(name)) for name in names] for record in kept]
    return read_text_table(TextTable.of_rows(origin, list(names), rows), options)[0]


def latest_records(
    records: Iterable[Mapping[str, Any]], *, key: str, moment: str | None = None
) -> list[Mapping[str, Any]]:
    """
    Keep one of the records that came twice: pages overlap while others write.

    Args:
        records: In the order in which they came.
        key: Field of the record's id.
        moment: Field of when it was changed, as text or moments that compare; the
            last that came is kept where it is None or equal.

    Returns:
        The records in the order in which their ids first came.

    >>> latest_records([{"id": 1, "at": "2"}, {"id": 2, "at": "1"},
    ...                 {"id": 1, "at": "1"}], key="id", moment="at")
    [{'id': 1, 'at': '2'}, {'id': 2, 'at': '1'}]
    """
    kept: dict[Any, Mapping[str, Any]] = {}
    for record in records:
        own = record[key]
        had = kept.get(own)
        if had is None or moment is None or not record[moment] < had[moment]:
            kept[own] = record
    return list(kept.values())


def refused_keys(
    records: Sequence[Mapping[str, Any]], result: SourceResult, *, key: Sequence[str]
) -> tuple[tuple[str, ...], ...]:
    """
    Name the records that were refused, for `SourceChanges.refused`.

    Args:
        records: What `read_records` was given.
        result: What it gave.
        key: The fields that hold the record's key.

    Returns:
        For each reject the key of its record, an empty key where a part is missing;
        nothing if not all rejects are listed.

    Raises:
        ColumnTypeError: A part is no plain value.
    """
    found: list[tuple[str, ...]] = []
    if result.unlisted:
        return ()
    for line in result.rejects["line"].tolist():
        record = records[line - 1]
        parts = tuple(narrow(text_of(record.get(name))) for name in key)
        found.append(parts if all(parts) else ())
    return tuple(found)
