"""Options that are whole numbers: written in digits, and nothing is rounded."""

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter, Token

from memberops.errors import InvalidValueError

__all__ = ["Whole", "read_whole"]

_MOST_DIGITS = 18


def read_whole(text: str) -> int:
    """
    Read a whole number; decimals, other bases, signs and other digits are refused.

    Raises:
        InvalidValueError: It is written otherwise, or too large for any count.

    >>> read_whole("12")
    12
    >>> read_whole("1.5")
    Traceback (most recent call last):
    memberops.errors.InvalidValueError: 须为整数，写作 12; a whole number of 0 or \
more, in digits such as 12, not '1.5'
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise InvalidValueError(
            "须为整数，写作 12; a whole number of 0 or more, in digits such as 12, "
            f"not {text[:40]!r}"
        )
    return int(text)


def _converted(_hint: object, tokens: Sequence[Token]) -> int:
    (token,) = tokens
    return read_whole(token.value)


Whole = Annotated[int, Parameter(converter=_converted, n_tokens=1)]
"""A whole number: every option that is a number is one."""
