"""What a record of a web service says: whether it counts, and values of its lines."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from typing import Any

from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.records import text_of
from memberops.adapters.sources.rest_moments import change_of
from memberops.adapters.sources.rest_paths import look_up, plain_at
from memberops.adapters.sources.rest_resource import Lines, RestResource
from memberops.adapters.sources.values import read_id
from memberops.tables import Kind, Table

__all__ = ["counts", "id_text", "row_of"]

_BIRTH = "birth_date"
_DAY = len("2026-11-05")


def counts(record: Any, resource: RestResource) -> bool:
    """Tell whether a record is still there and one of those that count."""
    deleted = resource.deleted
    if deleted is not None:
        value = look_up(record, deleted.path)
        if deleted.equals:
            if _word(value) in deleted.equals:
                return False
        elif value not in (None, "", False, 0):
            return False
    return all(
        _word(look_up(record, path)) in words for path, words in resource.only.items()
    )


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or isinstance(value, dict | list) else str(value)


def row_of(
    chain: tuple[Any, ...],
    lines: Lines,
    resource: RestResource,
    options: ReadingOptions,
) -> dict[str, Any]:
    """
    Return the values of a line by canonical column.

    Args:
        chain: Of `rest_paths.scopes`.
        lines: What kind of lines it is of.
        resource: Of the record.
        options: Of the table.
    """

    def at(path: str) -> Any:
        return plain_at(chain, path, false_is_missing=resource.false_is_missing)

    row = {name: at(path) for name, path in lines.columns.items()}
    for name, paths in lines.sums.items():
        row[name] = _sum([at(path) for path in paths])
    for name, value in row.items():
        if value is None:
            continue
        if name in lines.negative:
            row[name] = _negative(value)
        elif name in lines.prefix:
            row[name] = f"{lines.prefix[name]}{text_of(value)}"
        elif isinstance(value, str) and len(value) > _DAY:
            row[name] = _local(value, name, resource, options)
    code = at(resource.currency) if resource.currency else None
    if code is not None and str(code).upper() != options.converter.currency.code:
        _name_unit(row, options.converter.table, str(code).upper()[:12])
    return row | dict(lines.constants)


def _name_unit(row: dict[str, Any], table: Table, unit: str) -> None:
    """Give amounts their foreign unit, so that they are refused and never taken."""
    for column in table.columns:
        if column.kind is Kind.MONEY and row.get(column.name) is not None:
            row[column.name] = f"{text_of(row[column.name])} {unit}"


def _local(
    text: str, name: str, resource: RestResource, options: ReadingOptions
) -> Any:
    """Read moments in the service's zone, and days as those of the chain."""
    converter = options.converter
    if name not in converter.table.names:
        return text
    kind = converter.table.column(name).kind
    if kind not in (Kind.DATE, Kind.INSTANT):
        return text
    at = change_of(text, "iso", resource.zone or converter.zone)
    if not isinstance(at, dt.datetime):
        return text
    utc = at.astimezone(dt.UTC)
    if name == _BIRTH and utc.time() == dt.time():
        return utc.date()  # a day; west of Greenwich it is the evening before
    return at if kind is Kind.INSTANT else at.astimezone(converter.zone).date()


def _sum(values: list[Any]) -> Any:
    """Add up what is there; what is no number stays, to be refused."""
    there = [value for value in values if value is not None]
    try:
        return (
            sum((Decimal(str(value)) for value in there), Decimal()) if there else None
        )
    except InvalidOperation:
        return there[0]


def _negative(value: Any) -> Any:
    try:
        return -abs(Decimal(str(value)))
    except InvalidOperation:
        return value


def id_text(value: Any) -> str:
    """Return an id as a canonical table holds it."""
    text = text_of(value)
    found = read_id(text)
    return found if isinstance(found, str) else text
