"""
Scalar readers of dates and moments.

A date that begins with its year is read as it stands. One that ends with its year
is read only if its order is known: given by the caller, or proven by a value of the
same column, such as 25/12/2026. Nothing is guessed.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal
from zoneinfo import ZoneInfo

import attrs

from memberops.adapters.sources.values import Unreadable, narrow
from memberops.errors import ConfigurationError, nearest

__all__ = [
    "AMBIGUOUS",
    "EitherOrder",
    "Localized",
    "Moment",
    "Order",
    "check_date_format",
    "localize",
    "read_moment",
    "read_month",
]

Order = Literal["day-first", "month-first"]
_FORMATS = ("day-first", "month-first", "excel", "excel-1904")
_DAY_ZERO = {"excel": dt.datetime(1899, 12, 30), "excel-1904": dt.datetime(1904, 1, 1)}  # noqa: DTZ001 - zone comes later
_FIRST_YEAR = 1900


@attrs.frozen
class Moment:
    """A day, with its time and offset from UTC where the text has them."""

    day: dt.date
    time: dt.time | None = None
    offset: dt.timedelta | None = None


@attrs.frozen
class EitherOrder:
    """A date whose first two numbers may be day and month, or month and day."""

    first: int
    second: int
    year: int
    rest: str

    @property
    def proves(self) -> Order | None:
        """The order that alone makes it a date, if there is but one."""
        day_first = isinstance(self.read("day-first"), Moment)
        month_first = isinstance(self.read("month-first"), Moment)
        if day_first and not month_first:
            return "day-first"
        return "month-first" if month_first and not day_first else None

    @property
    def ambiguous(self) -> bool:
        """Whether the two orders give two different days."""
        day_first, month_first = self.read("day-first"), self.read("month-first")
        return (
            isinstance(day_first, Moment)
            and isinstance(month_first, Moment)
            and (day_first.day != month_first.day)
        )

    def read(self, order: Order) -> Moment | Unreadable:
        """Read it in one order."""
        month, day = (
            (self.second, self.first)
            if order == "day-first"
            else (self.first, self.second)
        )
        return _moment(self.year, month, day, self.rest)


UNREADABLE = Unreadable(
    "date-unreadable",
    "it is no date; write 2026-11-05 or 2026年11月5日",
    "不是日期；请写成 2026-11-05 或 2026年11月5日",
)
_IMPOSSIBLE = Unreadable(
    "date-impossible", "there is no such day or time", "不存在这样的日期或时间"
)
_SERIAL = Unreadable(
    "date-serial",
    'it may be a spreadsheet\'s day number; say date_format="excel" if it is',
    '疑似电子表格的日期序号；如确实如此，请指定 date_format="excel"',
)
_TWO_DIGITS = Unreadable(
    "date-two-digit-year",
    'its year has two digits; give a date_format such as "%d/%m/%y"',
    '年份只有两位；请指定 date_format，例如 "%d/%m/%y"',
)
AMBIGUOUS = Unreadable(
    "date-ambiguous",
    "day and month can be read in either order and the column does not prove "
    'which; give date_format="day-first" or "month-first"',
    "日与月的先后无法判断，该列也未能证明；"
    '请指定 date_format="day-first"（日在前）或 "month-first"（月在前）',
    column_wide=True,
)

_YEAR_FIRST = re.compile(
    r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})(?!\d)|年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?"
    r"|(\d{2})(\d{2})(?=\D|\d{4}(?:\d{2})?$|$))(.*)",
    re.ASCII,
)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)(.*)", re.ASCII)
_YEAR_SHORT = re.compile(r"\d{1,2}([-/.])\d{1,2}\1\d{2}(?!\d).*", re.ASCII)
_DAY_NAMED = re.compile(
    r"(\d{1,2})[ -]([A-Z]{3,9})\.?,?[ -](\d{4})(?!\d)(.*)", re.ASCII
)
_MONTH_NAMED = re.compile(r"([A-Z]{3,9})\.? (\d{1,2}),? (\d{4})(?!\d)(.*)", re.ASCII)
_NUMBER = re.compile(r"\d{4,5}(?:\.\d+)?", re.ASCII)
_MONTHS = (
    *("JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY"),
    *("AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"),
)
_MONTH = re.compile(r"(\d{4})(?:[-/.](\d{1,2})|年\s*(\d{1,2})\s*月|(\d{2}))", re.ASCII)
_TIME = re.compile(
    r"(?:\s*(?:星期|周|礼拜)[一二三四五六日天])?[T\s]*"
    r"(?P<half>上午|早上|凌晨|下午|晚上|傍晚|中午|AM|PM)?\s*"
    r"(?P<hour>\d{1,2})(?:[:时点](?P<minute>\d{1,2})分?"
    r"(?::?(?P<second>\d{1,2})(?:[.,](?P<fraction>\d{1,9}))?秒?)?|[时点]整?)"
    r"\s*(?P<after>AM|PM)?\s*(?P<offset>Z|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)
_BARE_TIME = re.compile(r"\s*(\d{2})(\d{2})(\d{2})?", re.ASCII)
_WEEKDAY = re.compile(r"\s*(?:星期|周|礼拜)[一二三四五六日天]")
_MORNING = {"上午", "早上", "凌晨", "AM"}
_EVENING = {"下午", "晚上", "傍晚", "PM"}


def check_date_format(date_format: str) -> str:
    """
    Return a known date format: an order, a count of days, or a pattern of `strptime`.

    ``"excel"`` are the day numbers of a spreadsheet, ``"excel-1904"`` those of one that
    counts from 1904.

    Raises:
        ConfigurationError: It is none of these.
    """
    if date_format in _FORMATS or "%" in date_format:
        return date_format
    raise ConfigurationError(
        f"'date_format' must be a pattern such as '%d/%m/%Y' or one of the words "
        f"{', '.join(_FORMATS)}, not {date_format[:40]!r}; "
        f"{nearest(date_format, _FORMATS)}"
    )


def read_moment(  # noqa: PLR0911 - each form of a date has its own exit
    text: str, date_format: str | None = None
) -> Moment | EitherOrder | Unreadable:
    """
    Read a date, with its time if it has one.

    Args:
        text: The cell.
        date_format: See `check_date_format`; None reads what is plain.

    >>> read_moment("2026年11月5日 下午3:05").time
    datetime.time(15, 5)
    >>> read_moment("20261105").day
    datetime.date(2026, 11, 5)
    >>> read_moment("5/11/2026").ambiguous, read_moment("25/12/2026").proves
    (True, 'day-first')
    >>> read_moment("46331").rule, read_moment("46331", "excel").day
    ('date-serial', datetime.date(2026, 11, 5))
    """
    value = narrow(text).upper()
    if date_format is not None and "%" in date_format:
        return _by_pattern(narrow(text), date_format)
    if match := _YEAR_FIRST.fullmatch(value):
        month, day = (
            match[3] or match[5] or match[7],
            match[4] or match[6] or match[8],
        )
        return _moment(int(match[1]), int(month), int(day), match[9])
    if match := _YEAR_LAST.fullmatch(value):
        either = EitherOrder(int(match[1]), int(match[3]), int(match[4]), match[5])
        if date_format == "day-first":
            return either.read("day-first")
        if date_format == "month-first":
            return either.read("month-first")
        if either.proves or either.ambiguous:
            return either
        return either.read("day-first")
    if match := _DAY_NAMED.fullmatch(value):
        return _moment(int(match[3]), _month_number(match[2]), int(match[1]), match[4])
    if match := _MONTH_NAMED.fullmatch(value):
        return _moment(int(match[3]), _month_number(match[1]), int(match[2]), match[4])
    if _NUMBER.fullmatch(value):
        return _excel(value, date_format) if date_format in _DAY_ZERO else _SERIAL
    return _TWO_DIGITS if _YEAR_SHORT.fullmatch(value) else UNREADABLE


def read_month(text: str) -> Moment | None:
    """
    Read a month without day as its first day; None if the text is no month.

    >>> read_month("2026年11月").day, read_month("202611").day.month
    (datetime.date(2026, 11, 1), 11)
    """
    match = _MONTH.fullmatch(narrow(text))
    if match is None:
        return None
    month = int(match[2] or match[3] or match[4])
    if not 1 <= month <= len(_MONTHS) or int(match[1]) < _FIRST_YEAR:
        return None
    return Moment(dt.date(int(match[1]), month, 1))


@attrs.frozen
class Localized:
    """An instant in UTC, its day in the zone, and what was odd about its wall time."""

    instant: dt.datetime
    day: dt.date
    oddity: Literal["", "time-twice", "time-skipped"] = ""


def localize(moment: Moment, zone: ZoneInfo) -> Localized | Unreadable:
    """
    Place a moment in a zone.

    A text with an offset is exact. A wall time that the zone has twice (clocks go
    back) is taken as the first of the two; one that it skips (clocks go forward) is
    moved on by the length of the gap, as a clock that was not put forward shows it.

    >>> berlin = ZoneInfo("Europe/Berlin")
    >>> localize(read_moment("2026-03-29 02:30"), berlin).instant.isoformat()
    '2026-03-29T01:30:00+00:00'
    >>> localize(read_moment("2026-10-25 02:30"), berlin).oddity
    'time-twice'
    """
    wall = dt.datetime.combine(moment.day, moment.time or dt.time())
    try:
        if moment.offset is not None:
            exact = wall.replace(tzinfo=dt.timezone(moment.offset))
            return Localized(exact.astimezone(dt.UTC), exact.astimezone(zone).date())
        first = wall.replace(tzinfo=zone, fold=0)
        ahead = first.utcoffset()
        if ahead is not None and ahead == first.replace(fold=1).utcoffset():
            return Localized((wall - ahead).replace(tzinfo=dt.UTC), moment.day)
        instant = first.astimezone(dt.UTC)
        if instant.astimezone(zone).replace(tzinfo=None) != wall:
            return Localized(instant, moment.day, "time-skipped")
    except OverflowError:
        return _IMPOSSIBLE
    return Localized(instant, moment.day, "time-twice")


def _month_number(name: str) -> int:
    for number, month in enumerate(_MONTHS, 1):
        if name in (month, month[:3], month[:4] if month == "SEPTEMBER" else month):
            return number
    return 0


def _moment(  # noqa: PLR0911 - each form of a time has its own exit
    year: int, month: int, day: int, rest: str
) -> Moment | Unreadable:
    try:
        date = dt.date(year, month, day)
    except ValueError:
        return _IMPOSSIBLE
    if year < _FIRST_YEAR:
        return _IMPOSSIBLE
    if not rest or _WEEKDAY.fullmatch(rest):
        return Moment(date)
    if bare := _BARE_TIME.fullmatch(rest):
        hour, minute, second = int(bare[1]), int(bare[2]), int(bare[3] or 0)
        return _with_time(date, (hour, minute, second, 0), None)
    match = _TIME.fullmatch(rest)
    if match is None:
        return UNREADABLE
    half = match["half"] or match["after"] or ""
    wanted = _hour(int(match["hour"]), half)
    if wanted is None or (match["half"] and match["after"]):
        return _IMPOSSIBLE
    micro = int((match["fraction"] or "0").ljust(6, "0")[:6])
    clock = (wanted, int(match["minute"] or 0), int(match["second"] or 0), micro)
    return _with_time(date, clock, match["offset"])


def _with_time(
    date: dt.date, clock: tuple[int, int, int, int], offset: str | None
) -> Moment | Unreadable:
    try:
        return Moment(date, dt.time(*clock), _offset(offset))
    except ValueError:
        return _IMPOSSIBLE


def _hour(hour: int, half: str) -> int | None:
    noon = 12
    if not half or (hour > noon and half in _EVENING):
        return hour
    if hour > noon or (half == "晚上" and hour == noon):
        return None
    if half == "中午":
        return hour if hour > noon - 2 else hour + noon if hour in (1, 2) else None
    if half in _MORNING:
        return hour % noon
    return hour % noon + noon


def _offset(text: str | None) -> dt.timedelta | None:
    if not text:
        return None
    if text == "Z":
        return dt.timedelta()
    digits = text[1:].replace(":", "").ljust(4, "0")
    size = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if size >= dt.timedelta(days=1) or int(digits[2:]) >= 60:  # noqa: PLR2004 - minutes
        raise ValueError(text)
    return -size if text.startswith("-") else size


def _by_pattern(value: str, pattern: str) -> Moment | Unreadable:
    try:
        read = dt.datetime.strptime(value, pattern)  # noqa: DTZ007 - zone comes later
    except ValueError:
        return Unreadable(
            "date-unreadable",
            f"it does not fit the date_format {pattern[:40]!r}",
            f"与指定的 date_format {pattern[:40]!r} 不符",
        )
    timed = re.search(r"%[HIMSfpcXT]", pattern) is not None
    return Moment(read.date(), read.time() if timed else None, read.utcoffset())


def _excel(value: str, date_format: str) -> Moment | Unreadable:
    number = Decimal(value)
    days = int(number)
    # Day 60 is 29 February 1900, which Excel has and the calendar has not.
    if date_format == "excel" and days <= 60:  # noqa: PLR2004
        return _IMPOSSIBLE
    fraction = (number - days) * 86_400
    seconds = int(fraction.to_integral_value(ROUND_HALF_UP))
    read = _DAY_ZERO[date_format] + dt.timedelta(days=days, seconds=seconds)
    return Moment(read.date(), read.time() if "." in value else None)
