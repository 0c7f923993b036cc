"""The plain values of a chain file: text, numbers, amounts, dates, hours, choices.

Nothing is coerced: text is no number, a float is no money, and true is not 1.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, get_args
from zoneinfo import ZoneInfo, available_timezones

from memberops.errors import bounded, nearest
from memberops.workflows.problems import Misfit

__all__ = [
    "NONE",
    "PLAIN",
    "amount",
    "choice",
    "found_instead",
    "hours_between",
    "member_of",
    "month_day",
    "number",
    "one_of",
    "optional",
    "text",
    "zone_name",
]

NONE = "none"
"""What a file says for no value: TOML has no word for it."""

_AMOUNT = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_SHARE = re.compile(r"\d+(\.\d+)?|\d+/[1-9]\d*", re.ASCII)
_TIME = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,4})m)?(?:(\d{1,5})s)?", re.ASCII)
_CLOCK = r"([01]\d|2[0-3]):([0-5]\d)"
_HOURS = re.compile(rf"{_CLOCK}-{_CLOCK}", re.ASCII)
_MONTH_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", re.ASCII)


def found_instead(expected: str, value: Any) -> str:
    """
    Say what is expected and what was found instead.

    >>> found_instead("a whole number", "3")
    "takes a whole number, not the text '3'"
    """
    if isinstance(value, bool):
        found = str(value).lower()
    elif isinstance(value, str):
        found = f"the text {bounded([value[:40]])}"
    elif isinstance(value, float):
        found = f"the float {value}"
    elif isinstance(value, int):
        found = f"the number {str(value)[:40]}"
    elif isinstance(value, Mapping):
        found = "a table"
    elif isinstance(value, list):
        found = "a list"
    else:
        found = "a date or time" if value is not None else "nothing"
    return f"takes {expected}, not {found}"


def text(value: Any) -> str:
    """Take text as it is."""
    if not isinstance(value, str):
        raise Misfit(found_instead("text", value))
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Misfit(found_instead("a whole number", value))
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Misfit(found_instead("true or false, without quotes", value))
    return value


def _exact(value: Any, what: str, example: str) -> Decimal:
    if isinstance(value, float):
        raise Misfit(
            f"{found_instead(what, value)}: quote it so that it stays exact, as in "
            f'"{example}", or write a whole number'
        )
    fits = isinstance(value, str) and _AMOUNT.fullmatch(value)
    if isinstance(value, bool) or not (fits or isinstance(value, int)):
        shown = f'{what} such as "{example}" or {example.partition(".")[0]}'
        raise Misfit(found_instead(shown, value))
    return Decimal(value)


def amount(value: Any) -> Decimal:
    """
    Take an amount of money: a whole number, or a decimal in quotes.

    >>> amount("1000.50"), amount(1000)
    (Decimal('1000.50'), Decimal('1000'))
    """
    return _exact(value, "an amount", "1000.50")


def number(value: Any) -> Decimal:
    """Take a number of hours or minutes, or a share, exactly as it is written."""
    return _exact(value, "a number", "0.5")


def _share(value: Any) -> Fraction:
    fits = isinstance(value, str) and _SHARE.fullmatch(value)
    if isinstance(value, bool) or not (fits or isinstance(value, int)):
        raise Misfit(found_instead('a share in quotes such as "0.1" or "1/3"', value))
    return Fraction(value)


def _day(value: Any) -> dt.date:
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
        raise Misfit(found_instead("a date without quotes, such as 2026-10-01", value))
    return value


def _duration(value: Any) -> dt.timedelta:
    found = _TIME.fullmatch(value) if isinstance(value, str) and value else None
    if found is None:
        raise Misfit(found_instead('a time such as "2h", "90m" or "1h30m"', value))
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return dt.timedelta(hours=hours, minutes=minutes, seconds=seconds)


def hours_between(value: Any) -> tuple[dt.time, dt.time]:
    """
    Take hours of the local clock, spelled as the shifts of a calendar are.

    >>> hours_between("10:00-11:30")
    (datetime.time(10, 0), datetime.time(11, 30))
    """
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Misfit(found_instead('hours in quotes such as "10:00-11:30"', value))
    parts = [int(part) for part in found.groups()]
    return dt.time(parts[0], parts[1]), dt.time(parts[2], parts[3])


def month_day(value: Any) -> tuple[int, int]:
    """
    Take a day of the year.

    >>> month_day("12-31")
    (12, 31)
    """
    found = _MONTH_DAY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Misfit(found_instead('a month and a day such as "12-31"', value))
    return int(found[1]), int(found[2])


def _zone(value: Any) -> ZoneInfo:
    name = text(value)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        told = f"takes an IANA zone such as 'Asia/Shanghai', not {bounded([name])}"
        raise Misfit(_with_nearest(told, name, available_timezones())) from None


def _with_nearest(told: str, value: Any, known: Iterable[str]) -> str:
    """Add the nearest word, if one is near: all of them are too many or told."""
    names = list(known)
    near = isinstance(value, str) and get_close_matches(value[:40], names, n=1)
    return f"{told}; {nearest(value[:40], names)}" if near else told


def zone_name(value: Any) -> str:
    """
    Take the name of a zone that exists.

    >>> zone_name("Asia/Shanghai")
    'Asia/Shanghai'
    """
    return _zone(value).key


def one_of(value: Any, known: tuple[Any, ...]) -> Any:
    """Take one of the words that are known."""
    if value not in known or isinstance(value, bool):
        told = found_instead(f"one of {bounded(known, limit=12)}", value)
        raise Misfit(_with_nearest(told, value, known))
    return value


def choice(value: Any, kind: Any) -> Any:
    """Take one of the words of a `Literal`."""
    return one_of(value, get_args(kind))


def member_of(value: Any, kind: type[enum.Enum]) -> Any:
    """Take one of the words of an enumeration."""
    return kind(one_of(value, tuple(each.value for each in kind)))


def optional(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """
    Let ``"none"`` stand for no value.

    >>> optional(amount)("none"), optional(amount)(5)
    (None, Decimal('5'))
    """
    return lambda value: None if value == NONE else read(value)


PLAIN: dict[type, Callable[[Any], Any]] = {
    str: text,
    int: _whole,
    bool: _truth,
    Decimal: amount,
    Fraction: _share,
    dt.date: _day,
    dt.timedelta: _duration,
    ZoneInfo: _zone,
}
"""By type, what reads it."""
