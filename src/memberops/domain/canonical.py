"""The one form in which records of the ledger are compared, kept and chained."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import attrs

from memberops.domain.gift import Place
from memberops.domain.values import identifier, whole_number
from memberops.errors import InvalidValueError, bounded

__all__ = [
    "MAX_QUANTITY",
    "a_flag",
    "a_place",
    "a_quantity",
    "a_text",
    "an_id",
    "canonical_json",
    "instant_text",
    "read_instant",
    "storable",
    "to_utc",
]

MAX_QUANTITY = 2**63 - 1
"""The largest whole number that every store can hold."""


def to_utc(value: Any) -> Any:
    """
    Convert an aware datetime to plain UTC; leave the rest to the validator.

    Raises:
        InvalidValueError: It has nanoseconds, or lies outside the calendar in UTC.

    >>> east = dt.timezone(dt.timedelta(hours=8))
    >>> to_utc(dt.datetime(2026, 10, 1, 8, tzinfo=east)).isoformat()
    '2026-10-01T00:00:00+00:00'
    """
    if not isinstance(value, dt.datetime) or value != value:  # noqa: PLR0124 - NaT
        return None if isinstance(value, dt.datetime) else value
    if getattr(value, "nanosecond", 0):
        raise InvalidValueError(
            "a moment of the ledger has microseconds, not nanoseconds: round it first"
        )
    if value.utcoffset() is None:
        return value
    try:
        utc = value.astimezone(dt.UTC)
    except OverflowError:
        raise InvalidValueError("a moment lies outside the calendar in UTC") from None
    return dt.datetime(
        utc.year,
        utc.month,
        utc.day,
        utc.hour,
        utc.minute,
        utc.second,
        utc.microsecond,
        tzinfo=dt.UTC,
    )


def instant_text(value: dt.datetime) -> str:
    """
    Write a UTC instant with its microseconds.

    >>> instant_text(dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
    '2026-10-01T00:00:00.000000Z'
    """
    return f"{value.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def read_instant(text: object) -> dt.datetime:
    """
    Read what `instant_text` wrote, and nothing else.

    >>> read_instant("2026-10-01T00:00:00.000000Z").isoformat()
    '2026-10-01T00:00:00+00:00'
    """
    try:
        moment = dt.datetime.fromisoformat(str(text))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or instant_text(moment) != text:
        raise InvalidValueError(
            f"{bounded([text])} is no instant of the ledger, such as "
            "'2026-10-01T00:00:00.000000Z'"
        )
    return moment


def canonical_json(document: Mapping[str, object]) -> str:
    """
    Write a plain document as the one text that equal documents share.

    Keys are sorted, nothing is escaped that need not be, and nothing is padded.

    >>> canonical_json({"b": None, "a": "茶"})
    '{"a":"茶","b":null}'
    """
    return json.dumps(
        document, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )


def a_text(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    """Refuse what is no text that every store can hold (attrs validator)."""
    if not isinstance(value, str):
        raise InvalidValueError(
            f"{attribute.name!r} must be text (got a {type(value).__name__})"
        )
    if not storable(value):
        raise InvalidValueError(
            f"{attribute.name!r} has a character that no store can hold: "
            "NUL, or half of a surrogate pair"
        )


def an_id(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    """Refuse what is no id, or none that every store can hold (attrs validator)."""
    identifier(instance, attribute, value)
    a_text(instance, attribute, value)


def storable(text: str) -> bool:
    r"""
    Tell if every store and file can hold a text.

    >>> storable("茶杯"), storable("\ud83c"), storable("\x00")
    (True, False, False)
    """
    if "\x00" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def a_flag(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    """Refuse what is neither True nor False (attrs validator)."""
    if not isinstance(value, bool):
        raise InvalidValueError(
            f"{attribute.name!r} must be True or False (got a {type(value).__name__})"
        )


def a_quantity(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    """Refuse what is no whole number from 1 to 2^63 - 1 (attrs validator)."""
    whole_number(_instance, attribute, value)
    if not 1 <= value <= MAX_QUANTITY:
        raise InvalidValueError(
            "'quantity' is at least 1 and fits into 64 bits: what goes the other way "
            "swaps source and destination"
        )


def a_place(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    """Refuse what is no id of a place or account (attrs validator)."""
    Place(value)
    a_text(instance, attribute, value)
