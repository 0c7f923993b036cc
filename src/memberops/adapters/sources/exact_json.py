"""JSON as a service meant it: exact numbers, each field once, whole characters."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

__all__ = ["parse_json"]

_LONGEST_NUMBER = 60
_LARGEST_POWER = 40
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>u[dD][89a-fA-F]..)|.)", re.DOTALL
)


def parse_json(body: bytes) -> Any:
    """
    Read JSON exactly: no float, no endless number, no NaN, no field that comes twice.

    Half of a pair of surrogates, which no file can hold, becomes U+FFFF.

    Raises:
        ValueError: It is no such JSON.

    >>> parse_json(b'{"total": 19.90}')
    {'total': Decimal('19.90')}
    """
    # Escapes are looked at one by one only where there may be such a half.
    text = _ESCAPES.sub(_kept, body) if _SURROGATE.search(body) else body
    try:
        return json.loads(
            text.decode("utf-8-sig"),
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_no_number,
            object_pairs_hook=_fields,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field comes twice, and nobody knows which counts")
    return fields


def _kept(found: re.Match[bytes]) -> bytes:
    return b"\\uffff" if found["half"] else found[0]


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text[: _LONGEST_NUMBER + 1])
    except InvalidOperation:
        raise ValueError("a number is too long") from None
    if len(text) > _LONGEST_NUMBER or abs(value.adjusted()) > _LARGEST_POWER:
        raise ValueError("a number is too long")
    return value


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("a number is too long")
    return int(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")
