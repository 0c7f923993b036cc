"""Options that the commands share, and how days and moments are written."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import attrs
from cyclopts import Parameter

from memberops.errors import InvalidValueError

__all__ = [
    "AsOf",
    "ChainFile",
    "FailOn",
    "Format",
    "Language",
    "Options",
    "Reveal",
    "Store",
    "read_day",
    "read_day_or_moment",
    "read_moment",
]

_FIRST_YEAR, _LAST_YEAR = 1901, 2199
Language = Literal["zh", "en"]
FailOn = Literal["info", "warning", "error", "never"]
Format = Literal["table", "csv", "json"]

ChainFile = Annotated[
    Path, Parameter(help="连锁配置文件。The chain file, such as chain.toml.")
]
AsOf = Annotated[
    str, Parameter(help="截至哪一天，如 2026-11-05。The day, such as 2026-11-05.")
]
Store = Annotated[
    str | None, Parameter(help="只列该门店。Only the rows of this store.")
]
Reveal = Annotated[
    list[str] | None,
    Parameter(
        consume_multiple=True,
        negative=(),
        help="不掩码的个人信息列。Personal columns to show: name phone.",
    ),
]


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Options:
    """What every question takes besides its own day."""

    chain: ChainFile
    out: Annotated[
        Path | None,
        Parameter(
            help="另存到该文件夹：工作簿、CSV 和拒收行。A folder to write to: a "
            "workbook, CSV files, and the rows that were refused."
        ),
    ] = None
    language: Annotated[
        Language | None,
        Parameter(help="语言，默认取配置。Language; the chain's by default."),
    ] = None
    format: Annotated[
        Format | None,
        Parameter(
            help="输出格式：终端上默认 table，管道中默认 csv。A table on a terminal, "
            "CSV on a pipe by default."
        ),
    ] = None
    form: Annotated[
        str | None,
        Parameter(
            help="只输出该表单，名称见 --format json。Only this form of the answer; "
            "its names are in --format json."
        ),
    ] = None
    reveal: Reveal = None
    fail_on: Annotated[
        FailOn | None,
        Parameter(
            help="有此级别及以上的数据问题时退出状态为 1；默认 never，写入类命令默认 "
            "error。Exit with 1 if a finding is of this severity or worse; never by "
            "default, and error where something is to be written."
        ),
    ] = None
    progress: Annotated[
        bool, Parameter(help="显示进度条。Show a progress bar on a terminal.")
    ] = True


def read_day(text: str, *, option: str = "--as-of") -> dt.date:
    """
    Read a day as the help says it is written.

    Raises:
        InvalidValueError: It is written otherwise.

    >>> read_day("2026-11-05")
    datetime.date(2026, 11, 5)
    """
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise InvalidValueError(
            f"{option} takes a day that exists, written as 2026-10-05, "
            f"not {text[:40]!r}"
        ).in_chinese(
            f"{option} 须为存在的日期，写作 2026-10-05，而不是 {text[:40]!r}"
        ) from None
    _check_year(day, option)
    return day


def read_day_or_moment(
    text: str, zone: ZoneInfo, *, option: str = "--as-of"
) -> dt.date:
    """
    Read a day, or a moment with its zone.

    Raises:
        InvalidValueError: It is neither, or a moment without a zone.

    >>> read_day_or_moment("2026-11-05", ZoneInfo("Asia/Shanghai"))
    datetime.date(2026, 11, 5)
    """
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return read_moment(text, zone, option=option)
    _check_year(day, option)
    return day


def _check_year(day: dt.date, option: str) -> None:
    """Refuse a year from which nothing can be counted back or ahead."""
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise InvalidValueError(
            f"{option} takes a day of the years {_FIRST_YEAR} to {_LAST_YEAR}, "
            f"not {day.isoformat()[:10]}"
        ).in_chinese(f"{option} 须在 {_FIRST_YEAR} 年至 {_LAST_YEAR} 年之间")


def read_moment(text: str, zone: ZoneInfo, *, option: str = "--as-of") -> dt.datetime:
    """
    Read a moment with its zone.

    A moment without one is refused, and told how it is written in the chain's zone:
    which offset is meant is not guessed.

    Raises:
        InvalidValueError: It is no moment, or has no zone.

    >>> shanghai = ZoneInfo("Asia/Shanghai")
    >>> read_moment("2026-11-05T01:00Z", shanghai).isoformat()
    '2026-11-05T01:00:00+00:00'
    >>> read_moment("2026-11-05 09:00", shanghai)
    Traceback (most recent call last):
    memberops.errors.InvalidValueError: --as-of takes a moment with its zone: 09:00 of \
2026-11-05 in Asia/Shanghai is written as 2026-11-05T09:00+08:00
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InvalidValueError(
            f"{option} takes a moment with its zone, written as "
            f"2026-11-05T09:00+08:00, not {text[:40]!r}"
        ).in_chinese(
            f"{option} 须为带时区的时刻，写作 2026-11-05T09:00+08:00，"
            f"而不是 {text[:40]!r}"
        ) from None
    _check_year(moment, option)
    if moment.utcoffset() is None:
        local = moment.replace(tzinfo=zone)
        raise InvalidValueError(
            f"{option} takes a moment with its zone: {local:%H:%M} of "
            f"{local:%Y-%m-%d} in {zone.key} is written as "
            f"{local.isoformat(timespec='minutes')}"
        ).in_chinese(
            f"{option} 须带时区：{zone.key} 的 {local:%Y-%m-%d %H:%M} 写作 "
            f"{local.isoformat(timespec='minutes')}"
        )
    return moment
