"""One column of text becomes typed values; each different text is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

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
from memberops.adapters.sources.finding_log import FindingLog, Reason, reason_for
from memberops.adapters.sources.values import (
    Unreadable,
    narrow,
    read_amount,
    read_choice,
    read_id,
    read_integer,
    read_text,
)
from memberops.domain import Currency, Severity
from memberops.tables import Column, Kind

__all__ = [
    "NOT_FIRST_DAY",
    "NO_TIME",
    "Cells",
    "TextColumn",
    "empty_series",
    "read_column",
    "read_words",
]

_Array = npt.NDArray[Any]


@attrs.frozen(eq=False, repr=False)
class TextColumn:
    """
    A column of text, each different text kept once.

    Args:
        codes: For each row, the position of its text.
        texts: The different texts.
    """

    codes: _Array
    texts: list[str]

    @classmethod
    def of(cls, series: pd.Series[Any]) -> TextColumn:
        """Make a column from a pandas series of text; missing becomes ``""``."""
        codes, texts = pd.factorize(series.fillna("").astype(object))
        return cls(codes, [str(text) for text in texts])

    @classmethod
    def constant(cls, text: str, rows: int) -> TextColumn:
        """Make a column that holds the same text in each row."""
        return cls(np.zeros(rows, dtype=np.int64), [text])


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Cells:
    """
    What became of a column: per different text, and by `codes` per row.

    Args:
        column: The canonical column.
        codes: For each row, the position of its text in the other arrays.
        typed: The values: int64, datetime64 or objects; a filler where missing.
        missing: Whether the text is empty or a word for nothing.
        problem: Position in `reasons`, or -1 if the text could be read.
        reasons: What is wrong with the texts that could not be read.
        days: For moments: the day in the chain's zone.
    """

    column: Column
    codes: _Array
    typed: _Array
    missing: _Array
    problem: _Array
    reasons: list[Reason]
    days: _Array | None = None

    @property
    def missing_rows(self) -> _Array:
        """For each row, whether its cell is missing."""
        return np.asarray(self.missing[self.codes])

    @property
    def readable_rows(self) -> _Array:
        """For each row, whether its cell holds a value that could be read."""
        return np.asarray((~self.missing & (self.problem < 0))[self.codes])

    @property
    def comparable(self) -> _Array:
        """The values by which different texts are compared: a moment by its day."""
        return self.typed if self.days is None else self.days

    @property
    def problem_rows(self) -> _Array:
        """For each row, the position of its problem, or -1."""
        return np.asarray(self.problem[self.codes])

    def series(self, rows: _Array) -> pd.Series[Any]:
        """Give the typed values of some rows; what could not be read is missing."""
        codes = self.codes[rows]
        void = (self.missing | (self.problem >= 0))[codes]
        kind = self.column.kind
        if kind in (Kind.DATE, Kind.INSTANT):
            moments: pd.Series[Any] = pd.Series(self.typed[codes])
            return moments.dt.tz_localize("UTC") if kind is Kind.INSTANT else moments
        if kind in (Kind.INTEGER, Kind.MONEY):
            whole = self.typed[codes].astype(np.int64)
            if self.column.required:
                return pd.Series(whole)
            return pd.Series(pd.arrays.IntegerArray(whole, void))
        texts = pd.Series([*self.typed.tolist(), None], dtype="str")
        last = np.where(void, len(texts) - 1, codes)
        return texts.take(last).reset_index(drop=True)


def empty_series(column: Column, rows: int) -> pd.Series[Any]:
    """Give a column without values, in the type that it has with values."""
    cells = Cells(
        column=column,
        codes=np.zeros(rows, dtype=np.int64),
        typed=_typed([None], column.kind),
        missing=np.array([True]),
        problem=np.array([-1]),
        reasons=[],
    )
    return cells.series(np.arange(rows))


def read_column(
    column: Column,
    text: TextColumn,
    *,
    currency: Currency,
    zone: ZoneInfo,
    date_format: str | None,
    missing: Iterable[str],
    log: FindingLog,
    unit: Decimal | None = None,
) -> Cells:
    """
    Read a column by its kind.

    Args:
        column: The canonical column.
        text: Its text.
        currency: Currency of amounts.
        zone: Zone in which a local time is read.
        date_format: See `date_values.check_date_format`.
        missing: Words that mean "no value", besides the empty text.
        log: Takes findings about the column as a whole.
        unit: What one of a column of amounts is worth; see `values.read_amount`.
    """
    void = _void(text, missing)
    if column.kind in (Kind.DATE, Kind.INSTANT):
        found, days = _read_dates(
            column, text, void, zone=zone, date_format=date_format, log=log
        )
    else:
        read = _reader(column, currency, unit)
        found = [
            None if empty else read(cell)
            for cell, empty in zip(text.texts, void, strict=True)
        ]
        days = None
    return _cells(column, text, void, found, days)


def read_words(column: Column, text: TextColumn, *, missing: Iterable[str]) -> Cells:
    """
    Read a column of ids, texts or choices, which need no currency and no zone.

    Args:
        column: The canonical column.
        text: Its text.
        missing: Words that mean "no value", besides the empty text.
    """
    void = _void(text, missing)
    read = _word_reader(column)
    found = [
        None if empty else read(cell)
        for cell, empty in zip(text.texts, void, strict=True)
    ]
    return _cells(column, text, void, found, None)


def _void(text: TextColumn, missing: Iterable[str]) -> _Array:
    words = frozenset(missing)
    return np.array([not t.strip() or t.strip() in words for t in text.texts], bool)


def _cells(
    column: Column,
    text: TextColumn,
    void: _Array,
    found: list[Any],
    days: list[Any] | None,
) -> Cells:
    problem = np.full(len(found), -1, dtype=np.int64)
    reasons: list[Reason] = []
    for position, value in enumerate(found):
        if isinstance(value, Unreadable):
            problem[position] = len(reasons)
            reasons.append(reason_for(column, value, text.texts[position]))
            found[position] = None
    return Cells(
        column=column,
        codes=text.codes,
        typed=_typed(found, column.kind),
        missing=void,
        problem=problem,
        reasons=reasons,
        days=None if days is None else _typed(days, Kind.DATE),
    )


def _reader(
    column: Column, currency: Currency, unit: Decimal | None
) -> Callable[[str], Any]:
    if column.kind is Kind.MONEY:
        return partial(read_amount, currency=currency, unit=unit)
    if column.kind is Kind.INTEGER:
        return read_integer
    return _word_reader(column)


def _word_reader(column: Column) -> Callable[[str], Any]:
    if column.kind is Kind.CHOICE:
        words = {narrow(spelling).casefold(): word for spelling, word in column.choices}
        return partial(read_choice, words=words)
    return read_id if column.kind is Kind.ID else read_text


def _typed(found: list[Any], kind: Kind) -> _Array:
    if kind in (Kind.INTEGER, Kind.MONEY):
        return np.array([0 if value is None else value for value in found], np.int64)
    if kind is Kind.DATE:
        return np.array(found, dtype="datetime64[D]").astype("datetime64[us]")
    if kind is Kind.INSTANT:
        return np.array(found, dtype="datetime64[us]")
    values = np.empty(len(found), dtype=object)
    values[:] = found
    return values


def _read_dates(
    column: Column,
    text: TextColumn,
    void: _Array,
    *,
    zone: ZoneInfo,
    date_format: str | None,
    log: FindingLog,
) -> tuple[list[Any], list[Any]]:
    monthly = column.name == "month"
    read: list[Moment | EitherOrder | Unreadable | None] = [
        None
        if empty
        else (monthly and date_format is None and read_month(cell))
        or read_moment(cell, date_format)
        for cell, empty in zip(text.texts, void, strict=True)
    ]
    rows = np.bincount(text.codes, minlength=len(read))
    order = _proven_order(column, read, rows, log)
    values: list[Any] = []
    days: list[Any] = []
    oddities = {"time-twice": 0, "time-skipped": 0, "time-missing": 0}
    for moment, times in zip(read, rows.tolist(), strict=True):
        settled = _settle(moment, order)
        place = localize(settled, zone) if isinstance(settled, Moment) else settled
        if not isinstance(place, Localized) or not isinstance(settled, Moment):
            values.append(place)
            days.append(None)
            continue
        days.append(place.day)
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
            severity, text_en, text_zh = _ODDITIES[rule]
            log.add(rule, text_en, text_zh, column=column.name, count=count,
                    severity=severity)  # fmt: skip
    return values, days


def _settle(moment: Any, order: Order | None) -> Moment | Unreadable | None:
    if not isinstance(moment, EitherOrder):
        return moment  # type: ignore[no-any-return] # a moment, a problem or nothing
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
