"""Validators and masks that several nouns share."""

from __future__ import annotations

import datetime as dt
import re
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
    "mask_name",
    "plain_date",
    "whole_number",
]

Language = Literal["zh", "en"]

_KEEP = 4
_HIDE = 5
_DAY = re.compile(r"\d{1,2}[-/. ]\d{1,2}[-/. ](?:19|20)\d\d$")


def mask(text: str | None) -> str | None:
    """
    Hide a phone number or an id: its last 4 digits stay, at least 5 are hidden.

    Text that is too short for that, does not end in 4 digits, or is mostly no
    digits is hidden whole: a name or a birth date may stand where a number should.
    The stars then do not tell how long it was. For names there is `mask_name`.

    >>> mask("13812345678"), mask("C-00012345")
    ('*******5678', '******2345')
    >>> mask("12345"), mask("Anna Smith"), mask("17/05/1990"), mask(None)
    ('*****', '*****', '*****', None)
    """
    if text is None:
        return None
    digits = sum(char.isdecimal() or char == "*" for char in text)
    if (
        len(text) < _KEEP + _HIDE
        or not text[-_KEEP:].isdecimal()
        or 2 * digits < len(text)
        or _DAY.search(text)
    ):
        return mask_name(text)
    return "*" * (len(text) - _KEEP) + text[-_KEEP:]


def mask_name(text: str | None) -> str | None:
    """
    Hide a name, an address or another text of a person whole, and its length too.

    >>> mask_name("Anna Smith"), mask_name("欧阳娜娜"), mask_name(None)
    ('*****', '*****', None)
    """
    return None if text is None else "*" * _HIDE


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
