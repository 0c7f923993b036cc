"""Validators and masks that several nouns share."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import attrs

from memberops.errors import InvalidValueError

__all__ = [
    "Language",
    "aware_instant",
    "check_as_of",
    "check_language",
    "identifier",
    "mask",
    "plain_date",
    "whole_number",
]

Language = Literal["zh", "en"]

_KEEP = 4
_HIDE = 5


def mask(text: str | None) -> str | None:
    """
    Hide personal text: at most the last 4 characters stay, and at least 5 are hidden.

    A text too short to keep that promise is hidden whole; the number of stars
    never tells the length of a short text.

    >>> mask("13812345678")
    '*******5678'
    >>> mask("12345"), mask("张三丰"), mask(None)
    ('*****', '*****', None)
    """
    if text is None:
        return None
    kept = min(_KEEP, len(text) - _HIDE)
    if kept < _KEEP:
        return "*" * _HIDE
    return "*" * (len(text) - kept) + text[-kept:]


def check_language(language: str) -> Language:
    """Return *language* if it is ``"zh"`` or ``"en"``, else raise."""
    if language == "zh":
        return "zh"
    if language == "en":
        return "en"
    raise InvalidValueError(
        f"language must be 'zh' or 'en', not {str(language)[:20]!r}"
    )


def check_as_of(as_of: object) -> dt.date:
    """
    Return *as_of* if it is a plain date, else raise with the way to make one.

    A moment is refused, because the day it falls on depends on the store's zone.
    """
    if isinstance(as_of, dt.datetime):
        raise InvalidValueError(
            "'as_of' must be a date without time, not a datetime: convert it to "
            "the store's zone first, as in as_of.astimezone(zone).date()"
        )
    if not isinstance(as_of, dt.date):
        raise InvalidValueError(
            f"'as_of' must be a datetime.date, not {type(as_of).__name__}: "
            "the library has no clock, say for which day you ask"
        )
    return as_of


def plain_date(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    """Refuse anything but a `datetime.date` without time (attrs validator)."""
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
        raise InvalidValueError(
            f"{attribute.name!r} must be a date without time "
            f"(got a {type(value).__name__})"
        )


def aware_instant(
    _instance: object, attribute: attrs.Attribute[Any], value: Any
) -> None:
    """Refuse a naive datetime (attrs validator)."""
    if not isinstance(value, dt.datetime):
        raise InvalidValueError(
            f"{attribute.name!r} must be a datetime (got a {type(value).__name__})"
        )
    if value.utcoffset() is None:
        raise InvalidValueError(
            f"{attribute.name!r} must carry a zone; "
            "attach the store's: value.replace(tzinfo=ZoneInfo('Asia/Shanghai'))"
        )


def identifier(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    """Refuse an id that is not text, is empty, or has spaces around it."""
    if not isinstance(value, str):
        raise InvalidValueError(
            f"{attribute.name!r} must be text (got a {type(value).__name__}): "
            "an id read as a number loses its leading zeros"
        )
    if not value or value != value.strip():
        raise InvalidValueError(
            f"{attribute.name!r} must not be empty or have spaces around it"
        )


def whole_number(
    _instance: object, attribute: attrs.Attribute[Any], value: Any
) -> None:
    """Refuse a bool, a float or anything else that is no whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValueError(
            f"{attribute.name!r} must be a whole number (got a {type(value).__name__})"
        )
