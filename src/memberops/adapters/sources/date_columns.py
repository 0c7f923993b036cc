"""A column of dates or moments: read one by one, in the order that it proves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy.typing as npt

from memberops.adapters.sources.date_values import (
    AMBIGUOUS,
    EitherOrder,
    Localized,
    Moment,
    Order,
    localize,
    read_moment,
    read_month,
)
from memberops.adapters.sources.finding_log import FindingLog
from memberops.adapters.sources.values import Unreadable
from memberops.domain import Severity
from memberops.tables import Column, Kind

__all__ = ["NOT_FIRST_DAY", "NO_TIME", "days_at_midnight", "read_dates"]

_Array = npt.NDArray[Any]

_BIRTH = "birth_date"
_MIDNIGHT = re.compile(
    r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2})[T ]00:00(?::00(?:[.,]0{1,9})?)?"
    r"\s*(?:Z|[+-]00(?::?00)?)\s*",
    re.ASCII,
)


def read_dates(
    column: Column,
    texts: Sequence[str],
    rows: _Array,
    *,
    zone: ZoneInfo,
    date_format: str | None,
    log: FindingLog,
    odd: Mapping[str, int],
) -> tuple[list[Any], list[Any]]:
    """
    Read the different texts of a column of days or moments, one by one.

    Args:
        column: The canonical column.
        texts: Different texts, each with a value.
        rows: For each, how many rows have it.
        zone: Zone in which a local time is read.
        date_format: See `date_values.check_date_format`.
        log: Takes findings about the column as a whole.
        odd: By oddity, how many rows of other texts have it; and by "zoned" and
            "local", how many of their times name a zone, or none.

    Returns:
        The values, or `Unreadable`, or None; and the days in the zone.
    """
    monthly = column.name == "month"
    read: list[Moment | EitherOrder | Unreadable] = [
        (monthly and date_format is None and read_month(cell))
        or read_moment(cell, date_format)
        for cell in texts
    ]
    order = _proven_order(column, read, rows, log)
    values: list[Any] = []
    days: list[Any] = []
    oddities = {rule: odd.get(rule, 0) for rule in _ODDITIES}
    zoned, local = odd.get("zoned", 0), odd.get("local", 0)
    for moment, times in zip(read, rows.tolist(), strict=True):
        settled = _settle(moment, order)
        place = localize(settled, zone) if isinstance(settled, Moment) else settled
        if not isinstance(place, Localized) or not isinstance(settled, Moment):
            values.append(place)
            days.append(None)
            continue
        days.append(place.day)
        if settled.time is not None:
            zoned += times if settled.offset is not None else 0
            local += times if settled.offset is None else 0
        if column.kind is Kind.DATE:
            late = monthly and place.day.day != 1
            values.append(NOT_FIRST_DAY if late else place.day)
        elif settled.time is None:
            # A row without its moment would break the table: it is not accepted.
            values.append(NO_TIME if column.required else None)
            oddities["time-missing"] += 0 if column.required else times
        else:
            if place.oddity:
                oddities[place.oddity] += times
            values.append(place.instant.replace(tzinfo=None))
    for rule, count in oddities.items():
        if count:
            _tell_oddity(rule, count, column, log)
    if zoned and local:
        _tell_mixed(local, zone, column, log)
    return values, days


def days_at_midnight(
    column: Column, texts: Sequence[str], zone: ZoneInfo, log: FindingLog
) -> Sequence[str]:
    """
    Take the time from days that a service writes as midnight in UTC.

    West of Greenwich such a midnight is the evening before, and a birth date would be
    a day early. A column of days in which each time is that midnight holds days, and
    a birth date is a day whatever the others are.

    Args:
        column: The canonical column, of days.
        texts: Its different texts.
        zone: Zone in which a local time is read.
        log: Takes the finding, where it matters.

    Returns:
        The texts, without the midnights.
    """
    days, other = dict[str, str](), False
    born = column.name == _BIRTH
    for text in texts:
        if match := _MIDNIGHT.fullmatch(text):
            days[text] = match[1]
        elif ":" in text:
            if not born:
                return texts
            other = True
    if not days:
        return texts
    first = read_moment(next(iter(days)))
    place = localize(first, zone) if isinstance(first, Moment) else None
    there = getattr(place, "day", None) == getattr(first, "day", None)
    if not there:
        log.add(
            "day-at-midnight",
            f"{column.name} is written as midnight in UTC; its days are taken as they "
            f"stand{' where it is' if other else ''}",
            f"{column.name} 写成 UTC 零点；按所写日期读取",
            column=column.name,
            count=len(days),
        )
    return [days.get(text, text) for text in texts]


def _tell_oddity(rule: str, count: int, column: Column, log: FindingLog) -> None:
    severity, text_en, text_zh = _ODDITIES[rule]
    log.add(rule, text_en, text_zh, column=column.name, count=count, severity=severity)


def _tell_mixed(count: int, zone: ZoneInfo, column: Column, log: FindingLog) -> None:
    log.add(
        "zones-mixed",
        f"times with a zone, such as Z, and times without one stand in one column; "
        f"those without are read as times in {zone.key}",
        f"同一列中有的时间带时区（如 Z），有的不带；不带的按 {zone.key} 时间读取",
        column=column.name,
        count=count,
        severity=Severity.WARNING,
    )


def _settle(
    moment: Moment | EitherOrder | Unreadable, order: Order | None
) -> Moment | Unreadable:
    if not isinstance(moment, EitherOrder):
        return moment
    if proven := moment.proves:
        return moment.read(proven)
    return AMBIGUOUS if order is None else moment.read(order)


def _proven_order(
    column: Column, read: Iterable[Any], rows: _Array, log: FindingLog
) -> Order | None:
    """Find the order that values of the column prove, if they prove but one."""
    proofs: dict[Order, int] = {}
    for moment, count in zip(read, rows.tolist(), strict=True):
        if isinstance(moment, EitherOrder) and (proven := moment.proves):
            proofs[proven] = proofs.get(proven, 0) + count
    if not proofs:
        return None
    if len(proofs) > 1:
        log.add(
            "date-order-contradictory",
            f"some dates are day-first (rows: {proofs['day-first']}), others are "
            f"month-first (rows: {proofs['month-first']}); "
            "export the column in one format, or give its date_format",
            f"有 {proofs['day-first']} 行证明日在前，又有 {proofs['month-first']} 行"
            "证明月在前；请统一该列的日期格式后重新导出，或指定 date_format",
            severity=Severity.ERROR,
            column=column.name,
            count=sum(proofs.values()),
        )
        return None
    ((order, count),) = proofs.items()
    log.add(
        "date-order-proven",
        f"dates are read {order}; rows that can be read in no other order: {count}",
        f"日期按{'日在前' if order == 'day-first' else '月在前'}读取：有 {count} 行"
        "只能这样理解",
        column=column.name,
        count=count,
    )
    return order


NOT_FIRST_DAY = Unreadable(
    "month-not-first-day",
    "a month is written 2026-11 or as its first day",
    "月份应写成 2026-11 或当月第一天",
)
NO_TIME = Unreadable(
    "moment-without-time",
    "the moment has a day but no time: write both, or join the time's column",
    "只有日期没有时间：请一并写上时间，或用 join 并入时间列",
)
_ODDITIES = {
    "time-twice": (
        Severity.WARNING,
        "the clocks went back and the time came twice; the first is taken",
        "夏令时回拨，该时刻出现两次；按第一次理解",
    ),
    "time-skipped": (
        Severity.WARNING,
        "the clocks went forward and skipped the time; it is moved on by the gap",
        "夏令时拨快，该时刻不存在；按跳过的时长顺延",
    ),
    "time-missing": (
        Severity.INFO,
        "there is a day but no time; the moment is left empty, the day is used",
        "只有日期没有时间；时刻留空，日期照常使用",
    ),
}
