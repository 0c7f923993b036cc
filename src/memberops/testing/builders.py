"""
Small frames for tests and docs: compact rows in, canonical frames out.

A row is a tuple in the order that each function documents (columns at the end may be
left out), or a mapping from column names to values. Amounts are in major units, as
`Decimal`, text or whole numbers; dates are `datetime.date` or ISO text; moments carry a
zone, as `datetime` or ISO text; ids are text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from memberops.domain.money import Currency
from memberops.errors import InvalidValueError, nearest
from memberops.tables import (
    APPOINTMENTS,
    CARDS,
    CASE_EVENTS,
    COMPLAINTS,
    CONSENTS,
    MEMBERS,
    SALES,
    STORES,
    TARGETS,
    VISITS,
    Column,
    Kind,
    Table,
)

__all__ = [
    "Row",
    "appointments_frame",
    "cards_frame",
    "case_events_frame",
    "complaints_frame",
    "consents_frame",
    "members_frame",
    "sales_frame",
    "stores_frame",
    "targets_frame",
    "visits_frame",
]

Row = Sequence[Any] | Mapping[str, Any]
_CNY = Currency("CNY")


def sales_frame(rows: Iterable[Row], *, currency: Currency = _CNY) -> pd.DataFrame:
    """
    Build sales lines.

    Args:
        rows: ``(ticket_id, sold_on, store_id, member_id, quantity, amount,
            returned_ticket_id)``, or mappings.
        currency: The currency of the amounts.

    Returns:
        One row per line, with amounts in ``int64`` minor units.

    Raises:
        InvalidValueError: A row is too long, lacks a required value, names an
            unknown column, or holds a value of the wrong kind.

    >>> sales = sales_frame([
    ...     ("T1", "2026-10-03", "S1", "M1", 2, "39.80"),
    ...     ("T2", "2026-10-05", "S1", None, 1, "12.50"),
    ...     ("T3", "2026-10-09", "S1", "M1", -1, "-19.90", "T1"),
    ... ])
    >>> sales["amount"].tolist()
    [3980, 1250, -1990]
    """
    order = (
        "ticket_id",
        "sold_on",
        "store_id",
        "member_id",
        "quantity",
        "amount",
        "returned_ticket_id",
    )
    return _frame(SALES, rows, order, currency)


def cards_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """
    Build card terms: one row per term of a card, both of its days inclusive.

    Args:
        rows: ``(card_id, member_id, valid_from, valid_through, kind, anchor)``, or
            mappings.

    Raises:
        InvalidValueError: As `sales_frame`.

    >>> cards = cards_frame([("C1", "M1", "2026-01-01", "2026-12-31")])
    >>> print(cards["valid_through"].iloc[0])
    2026-12-31 00:00:00
    """
    order = ("card_id", "member_id", "valid_from", "valid_through", "kind", "anchor")
    return _frame(CARDS, rows, order, _CNY)


def members_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """
    Build members.

    Args:
        rows: ``(member_id, gender, birth_date, store_id, joined_on, referrer_id)``,
            or mappings, which may also give ``name`` and ``phone``.

    Raises:
        InvalidValueError: As `sales_frame`.

    >>> members_frame([("M1", "female", "1996-02-29", "S1", "2025-03-01")]).shape
    (1, 6)
    """
    order = (
        "member_id",
        "gender",
        "birth_date",
        "store_id",
        "joined_on",
        "referrer_id",
    )
    return _frame(MEMBERS, rows, order, _CNY)


def stores_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """
    Build stores.

    Args:
        rows: ``(store_id, region_id, name, zone)``, or mappings.

    Raises:
        InvalidValueError: As `sales_frame`.

    >>> stores_frame([("S1", "east"), ("S2", "west")])["region_id"].tolist()
    ['east', 'west']
    """
    return _frame(STORES, rows, ("store_id", "region_id", "name", "zone"), _CNY)


def targets_frame(rows: Iterable[Row], *, currency: Currency = _CNY) -> pd.DataFrame:
    """
    Build monthly sales targets.

    Args:
        rows: ``(store_id, month, target)``, or mappings; the month is its first
            day, or text such as ``"2026-10"``.
        currency: The currency of the targets.

    Raises:
        InvalidValueError: As `sales_frame`.

    >>> targets_frame([("S1", "2026-10", "480000")])["target"].tolist()
    [48000000]
    """
    return _frame(TARGETS, rows, ("store_id", "month", "target"), currency)


def complaints_frame(rows: Iterable[Row], *, currency: Currency = _CNY) -> pd.DataFrame:
    """
    Build complaints.

    Args:
        rows: ``(case_id, received_at, store_id, member_id, channel, category,
            asked)``, or mappings.
        currency: The currency of the amounts.

    Raises:
        InvalidValueError: As `sales_frame`.

    >>> complaints_frame([("K1", "2026-11-05T09:00+08:00", "S1")])["received_at"][0]
    Timestamp('2026-11-05 01:00:00+0000', tz='UTC')
    """
    order = ("case_id", "received_at", "store_id", "member_id", "channel", "category",
             "asked")  # fmt: skip
    return _frame(COMPLAINTS, rows, order, currency)


def case_events_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """
    Build events of cases.

    Args:
        rows: ``(case_id, kind, at, by, to, until, satisfied)``, or mappings.

    Raises:
        InvalidValueError: As `sales_frame`.

    >>> case_events_frame([("K1", "replied", "2026-11-05T10:00+08:00")]).shape
    (1, 7)
    """
    order = ("case_id", "kind", "at", "by", "to", "until", "satisfied")
    return _frame(CASE_EVENTS, rows, order, _CNY)


def visits_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """
    Build visits, planned or made.

    Args:
        rows: ``(visit_id, member_id, store_id, kind, channel, by, day, outcome,
            done_on, answered)``, or mappings.

    Raises:
        InvalidValueError: As `sales_frame`.

    >>> visits_frame([("V1", "M1", "S1", "welcome", "phone")])["kind"].tolist()
    ['welcome']
    """
    order = ("visit_id", "member_id", "store_id", "kind", "channel", "by", "day",
             "outcome", "done_on", "answered")  # fmt: skip
    return _frame(VISITS, rows, order, _CNY)


def consents_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """
    Build consents and refusals.

    Args:
        rows: ``(member_id, channel, given, on)``, or mappings.

    Raises:
        InvalidValueError: As `sales_frame`.

    >>> consents_frame([("M1", "sms", "no", "2026-11-05")])["given"].tolist()
    ['no']
    """
    return _frame(CONSENTS, rows, ("member_id", "channel", "given", "on"), _CNY)


def appointments_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """
    Build appointments.

    Args:
        rows: ``(booking_id, member_id, store_id, starts_at, service, state)``, or
            mappings.

    Raises:
        InvalidValueError: As `sales_frame`.

    >>> appointments_frame([("A1", "M1", "S1", "2026-11-06T09:00+08:00")]).shape
    (1, 6)
    """
    order = ("booking_id", "member_id", "store_id", "starts_at", "service", "state")
    return _frame(APPOINTMENTS, rows, order, _CNY)


def _frame(
    table: Table, rows: Iterable[Row], order: tuple[str, ...], currency: Currency
) -> pd.DataFrame:
    records = [_record(table, row, order) for row in rows]
    given = {name for record in records for name in record}
    names = [name for name in table.names if name in given or name in order]
    return pd.DataFrame(
        {
            name: _series(table.column(name), [r.get(name) for r in records], currency)
            for name in names
        }
    )


def _record(table: Table, row: Row, order: tuple[str, ...]) -> dict[str, Any]:
    if isinstance(row, Mapping):
        record = dict(row)
        for name in record:
            if name not in table.names:
                raise InvalidValueError(
                    f"{table.name} has no column {name!r}; {nearest(name, table.names)}"
                )
    else:
        if isinstance(row, str) or len(row) > len(order):
            raise InvalidValueError(
                f"a row of {table.name} is a tuple of at most {len(order)} values "
                f"({', '.join(order)}) or a mapping"
            )
        record = dict(zip(order, row, strict=False))
    for name in table.required:
        if record.get(name) is None:
            raise InvalidValueError(f"a row of {table.name} lacks {name!r}")
    return record


def _series(column: Column, values: list[Any], currency: Currency) -> pd.Series[Any]:
    gaps = any(value is None for value in values)
    if column.kind is Kind.DATE:
        return pd.Series([_date(column, v) for v in values], dtype="datetime64[us]")
    if column.kind is Kind.INSTANT:
        instants = [_instant(column, value) for value in values]
        return pd.Series(instants, dtype="datetime64[us, UTC]")
    if column.kind is Kind.MONEY:
        minor = [_minor(column, value, currency) for value in values]
        return pd.Series(minor, dtype="Int64" if gaps else "int64")
    if column.kind is Kind.INTEGER:
        numbers = [_whole(column, value) for value in values]
        return pd.Series(numbers, dtype="Int64" if gaps else "int64")
    return pd.Series([_text(column, value) for value in values], dtype="str")


def _wrong(column: Column, wanted: str, value: object) -> InvalidValueError:
    return InvalidValueError(
        f"{column.name!r} takes {wanted}, not a {type(value).__name__}"
    )


def _date(column: Column, value: object) -> dt.date | None:
    if isinstance(value, str):
        is_month = column.name == "month" and value.count("-") == 1
        text = f"{value}-01" if is_month else value
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            raise InvalidValueError(
                f"{column.name!r} takes a date such as '2026-10-03'"
            ) from None
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date | None):
        raise _wrong(column, "a date or ISO text", value)
    return value


def _instant(column: Column, value: object) -> dt.datetime | None:
    if value is None:
        return None
    try:
        at = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        at = None
    if not isinstance(at, dt.datetime) or at.utcoffset() is None:
        raise _wrong(column, "a datetime or ISO text that carries a zone", value)
    return at.astimezone(dt.UTC)


def _minor(column: Column, value: object, currency: Currency) -> int | None:
    if value is None:
        return None
    if not isinstance(value, Decimal | str | int):
        raise _wrong(column, "an amount as Decimal, text or whole number", value)
    return currency.to_minor(value)


def _whole(column: Column, value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | None):
        raise _wrong(column, "a whole number", value)
    return value


def _text(column: Column, value: object) -> str | None:
    if not isinstance(value, str | None):
        raise _wrong(column, "text", value)
    return value
