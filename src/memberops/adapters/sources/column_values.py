"""One column of text becomes typed values; each different text is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.adapters.sources.arrow_texts import (
    ArrowTexts,
    in_order,
    no_texts,
    picked,
)
from memberops.adapters.sources.date_columns import (
    NO_TIME,
    NOT_FIRST_DAY,
    days_at_midnight,
    read_dates,
)
from memberops.adapters.sources.decimal_marks import settle_marks
from memberops.adapters.sources.finding_log import FindingLog, Reason, reason_for
from memberops.adapters.sources.nothing_words import (
    NOBODY_WORDS,
    nobody_texts,
    void_texts,
)
from memberops.adapters.sources.plain_moments import FEWEST, read_plain_moments
from memberops.adapters.sources.plain_values import plain_numbers, plain_words
from memberops.adapters.sources.values import (
    Unreadable,
    narrow,
    read_amount,
    read_choice,
    read_id,
    read_integer,
    read_text,
)
from memberops.domain import Currency
from memberops.tables import Column, Kind

__all__ = [
    "NOBODY_WORDS",
    "NOT_FIRST_DAY",
    "NO_TIME",
    "Cells",
    "TextColumn",
    "empty_series",
    "read_column",
    "read_words",
]

_MEMBER = "member_id"
_NO_PROBLEM = np.int64(-1)
_MOST_SHOWN = 100_000
_Array = npt.NDArray[Any]


@attrs.frozen(eq=False, repr=False)
class TextColumn:
    """
    A column of text, each different text kept once.

    Args:
        codes: For each row, the position of its text.
        texts: The different texts; of a column in which most rows have one of their
            own, the text of each row. They may be kept by pyarrow.
    """

    codes: _Array
    texts: Sequence[str]

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
        typed: The values: int64, datetime64, objects or `ArrowTexts`; a filler where
            missing.
        missing: Whether the text is empty or a word for nothing.
        problem: Position in `reasons`, or -1 if the text could be read.
        reasons: What is wrong with the texts that could not be read.
        days: For moments: the day in the chain's zone.
    """

    column: Column
    codes: _Array
    typed: Any
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
        return np.asarray(self.typed if self.days is None else self.days)

    @property
    def problem_rows(self) -> _Array:
        """For each row, the position of its problem, or -1."""
        if not self.reasons:
            return np.broadcast_to(_NO_PROBLEM, len(self.codes))
        return np.asarray(self.problem[self.codes])

    def series(self, rows: _Array | None = None) -> pd.Series[Any]:
        """Give the typed values of all rows or some; what is unreadable is missing."""
        codes = self.codes if rows is None else self.codes[rows]
        if isinstance(self.typed, ArrowTexts):
            return self.typed.series(codes)
        # A column of which each row has its own value is not copied.
        each = in_order(codes, len(self.typed))
        kind = self.column.kind
        if kind in (Kind.DATE, Kind.INSTANT):
            values = self.typed if each else self.typed[codes]
            zone = "UTC" if kind is Kind.INSTANT else None
            return pd.Series(pd.DatetimeIndex(values, tz=zone, copy=False), copy=False)
        void = self.missing | (self.problem >= 0)
        void = void if each else void[codes]
        if kind in (Kind.INTEGER, Kind.MONEY):
            whole = self.typed if each else self.typed[codes]
            whole = whole.astype(np.int64, copy=False)
            if self.column.required:
                return pd.Series(whole, copy=False)
            return pd.Series(pd.arrays.IntegerArray(whole, void), copy=False)
        texts = pd.Series([*self.typed.tolist(), None], dtype="str")
        last = np.where(void, len(texts) - 1, codes)
        return texts.take(last).reset_index(drop=True)


def empty_series(column: Column, rows: int) -> pd.Series[Any]:
    """Give a column without values, in the type that it has with values."""
    kind = column.kind
    if kind in (Kind.DATE, Kind.INSTANT):
        none = pd.Series(np.full(rows, "NaT", dtype="datetime64[us]"), copy=False)
        return none.dt.tz_localize("UTC") if kind is Kind.INSTANT else none
    if kind not in (Kind.INTEGER, Kind.MONEY):
        return no_texts(rows)
    zeros = np.zeros(rows, dtype=np.int64)
    if column.required:
        return pd.Series(zeros, copy=False)
    void = np.ones(rows, dtype=bool)
    return pd.Series(pd.arrays.IntegerArray(zeros, void), copy=False)


def read_column(
    column: Column,
    text: TextColumn,
    *,
    currency: Currency,
    zone: ZoneInfo,
    date_format: str | None,
    missing: Iterable[str],
    log: FindingLog,
    nobody: Iterable[str] = (),
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
        nobody: Words that mean "no member", in a column that names one.
        unit: What one of a column of amounts is worth; see `values.read_amount`.
    """
    void = void_texts(text, missing)
    if column.kind in (Kind.DATE, Kind.INSTANT):
        return _moments(column, text, void, zone=zone, date_format=date_format, log=log)
    if column.kind not in (Kind.INTEGER, Kind.MONEY):
        if column.name == _MEMBER:
            void |= nobody_texts(text, nobody, asked=~void, log=log)
        return _words(column, text, void)
    read: Callable[[str], Any] = read_integer
    plain, digits = np.zeros(len(void), dtype=bool), 0
    if column.kind is Kind.MONEY:
        read = partial(read_amount, currency=currency, unit=unit)
        digits = currency.digits
    typed = np.zeros(len(void), dtype=np.int64)
    if column.kind is Kind.INTEGER or unit is None:
        typed, plain = plain_numbers(text.texts, digits)
    rest = np.flatnonzero(~(void | plain))
    found = list(map(read, picked(text.texts, rest)))
    rest, found = settle_marks(text.texts, ~void, rest, found)
    return _cells(column, text, void, typed, rest=rest, found=found)


def read_words(
    column: Column,
    text: TextColumn,
    *,
    missing: Iterable[str],
    nobody: Iterable[str] = (),
) -> Cells:
    """
    Read a column of ids, texts or choices, which need no currency and no zone.

    Args:
        column: The canonical column.
        text: Its text.
        missing: Words that mean "no value", besides the empty text.
        nobody: Words that mean "no member", in a column that names one.
    """
    void = void_texts(text, missing)
    if column.name == _MEMBER:
        void |= nobody_texts(text, nobody, asked=~void)
    return _words(column, text, void)


def _words(column: Column, text: TextColumn, void: _Array) -> Cells:
    if column.kind is Kind.CHOICE:
        words = {narrow(spelling).casefold(): word for spelling, word in column.choices}
        read: Callable[[str], Any] = partial(read_choice, words=words)
        rest = np.flatnonzero(~void)
    else:
        read = read_id if column.kind is Kind.ID else read_text
        rest = np.flatnonzero(~(void | plain_words(text.texts)))
    found = list(map(read, picked(text.texts, rest)))
    if isinstance(text.texts, ArrowTexts):
        return _cells(column, text, void, text.texts, rest=rest, found=found)
    typed = np.array(text.texts, dtype=object)
    typed[void] = None
    return _cells(column, text, void, typed, rest=rest, found=found)


def _moments(
    column: Column,
    text: TextColumn,
    void: _Array,
    *,
    zone: ZoneInfo,
    date_format: str | None,
    log: FindingLog,
) -> Cells:
    """Read days or moments: the plain ones at once, the rest one by one."""
    rows = _counts(text)
    dated = column.kind is Kind.DATE
    texts = text.texts
    if dated and date_format is None:
        texts = days_at_midnight(column, texts, zone, log)
    rest, odd = np.flatnonzero(~void), dict[str, int]()
    if date_format is not None or len(rest) < FEWEST or column.name == "month":
        instants = np.full(len(void), "NaT", dtype="datetime64[us]")
        days = instants.copy()
    else:
        read = read_plain_moments(texts, zone, dated=dated)
        instants, days = read.instants, read.days
        # A word for nothing may look like a moment.
        instants[void] = days[void] = np.datetime64("NaT")
        rest = np.flatnonzero(~(void | read.plain))
        for rule, positions in read.odd.items():
            odd[rule] = int(rows[[at for at in positions if not void[at]]].sum())
        odd["zoned"] = int(rows[read.zoned & ~void].sum())
        odd["local"] = int(rows[read.local & ~void].sum())
    found, found_days = read_dates(
        column,
        picked(texts, rest),
        rows[rest],
        zone=zone,
        date_format=date_format,
        log=log,
        odd=odd,
    )
    days[rest] = np.array(found_days, dtype="datetime64[D]")
    typed = days if dated else instants
    return _cells(column, text, void, typed, rest=rest, found=found, days=days)


def _counts(text: TextColumn) -> _Array:
    """Count for each text how many rows have it."""
    if in_order(text.codes, len(text.texts)):
        return np.broadcast_to(np.int64(1), len(text.codes))
    return np.bincount(text.codes, minlength=len(text.texts))


def _cells(
    column: Column,
    text: TextColumn,
    void: _Array,
    typed: _Array | ArrowTexts,
    *,
    rest: _Array,
    found: list[Any],
    days: _Array | None = None,
) -> Cells:
    """
    Make cells of values, with what was read one by one.

    Args:
        column: The canonical column.
        text: Its text.
        void: Which texts mean "no value".
        typed: The values, whose rest is still to be filled in.
        rest: The positions of what was read one by one.
        found: What that gave.
        days: The days of moments.
    """
    problem: _Array = np.broadcast_to(_NO_PROBLEM, len(void))
    reasons: dict[Reason, int] = {}
    for place, (position, value) in enumerate(zip(rest, found, strict=True)):
        if isinstance(value, Unreadable):
            shown = text.texts[position] if len(reasons) < _MOST_SHOWN else None
            reason = reason_for(column, value, shown)
            if not reasons:
                problem = np.full(len(void), _NO_PROBLEM)
            problem[position] = reasons.setdefault(reason, len(reasons))
            found[place] = None
    if isinstance(typed, ArrowTexts):
        if len(rest) or void.any():
            typed = typed.replaced(void, rest, found)
    else:
        typed[rest] = _typed(found, column.kind)
    return Cells(
        column=column,
        codes=text.codes,
        typed=typed,
        missing=void,
        problem=problem,
        reasons=list(reasons),
        days=days,
    )


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
