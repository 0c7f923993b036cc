"""One column of text becomes typed values; each different text is read once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.adapters.sources.date_columns import (
    NO_TIME,
    NOT_FIRST_DAY,
    days_at_midnight,
    read_dates,
)
from memberops.adapters.sources.decimal_marks import settle_marks
from memberops.adapters.sources.finding_log import FindingLog, Reason, reason_for
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
from memberops.errors import bounded
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

NOBODY_WORDS = (
    "-", "0", "none", "null", "nil", "nan", "n/a", "#n/a", "<na>", "guest",
    "walk-in", "anonymous", "无", "散客", "非会员", "游客", "匿名", "普通顾客",
)  # fmt: skip
"""Member ids that mean no member, as tills write them; case and width do not count."""

_MEMBER = "member_id"
_MOST_SHOWN = 100_000
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
    void = _void(text, missing)
    if column.kind in (Kind.DATE, Kind.INSTANT):
        return _moments(column, text, void, zone=zone, date_format=date_format, log=log)
    if column.kind not in (Kind.INTEGER, Kind.MONEY):
        if column.name == _MEMBER:
            void |= _nobody(text, nobody, ~void, log)
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
    found = [read(text.texts[at]) for at in rest]
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
    void = _void(text, missing)
    if column.name == _MEMBER:
        void |= _nobody(text, nobody, ~void, None)
    return _words(column, text, void)


def _words(column: Column, text: TextColumn, void: _Array) -> Cells:
    typed = np.array(text.texts, dtype=object)
    typed[void] = None
    if column.kind is Kind.CHOICE:
        words = {narrow(spelling).casefold(): word for spelling, word in column.choices}
        read: Callable[[str], Any] = partial(read_choice, words=words)
        rest = np.flatnonzero(~void)
    else:
        read = read_id if column.kind is Kind.ID else read_text
        rest = np.flatnonzero(~(void | plain_words(text.texts)))
    found = [read(text.texts[at]) for at in rest]
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
    rows = np.bincount(text.codes, minlength=len(text.texts))
    dated = column.kind is Kind.DATE
    texts = text.texts
    if dated and date_format is None:
        texts = days_at_midnight(column, texts, zone, log)
    instants = np.full(len(void), "NaT", dtype="datetime64[us]")
    days, rest, odd = instants.copy(), np.flatnonzero(~void), dict[str, int]()
    if date_format is None and len(rest) >= FEWEST and column.name != "month":
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
        [texts[at] for at in rest],
        rows[rest],
        zone=zone,
        date_format=date_format,
        log=log,
        odd=odd,
    )
    days[rest] = np.array(found_days, dtype="datetime64[D]")
    typed = days.copy() if dated else instants
    return _cells(column, text, void, typed, rest=rest, found=found, days=days)


def _void(text: TextColumn, missing: Iterable[str]) -> _Array:
    words = frozenset(missing) | {""}
    stripped = map(str.strip, text.texts)
    return np.fromiter(map(words.__contains__, stripped), bool, len(text.texts))


def _nobody(
    text: TextColumn, words: Iterable[str], asked: _Array, log: FindingLog | None
) -> _Array:
    """Tell which texts name no member: the words, and rows of zeros or dashes."""
    known = {narrow(word).casefold() for word in words} - {""}
    runs = {re.escape(mark) + "+" for mark in known & {"0", "-"}}
    forms = "|".join(sorted(runs | {re.escape(word) for word in known}))
    found = np.zeros(len(text.texts), dtype=bool)
    if not forms:
        return found
    # All at once: a chain has as many different texts here as members.
    texts = [each.replace("\0", " ") for each in text.texts]
    together = narrow("\0" + "\0".join(texts) + "\0").casefold()
    shown, at, last = set[str](), 0, 0
    for match in re.finditer(rf"\0\s*({forms})\s*(?=\0)", together):
        at += together.count("\0", last, match.start())
        last = match.start()
        if asked[at]:
            found[at] = True
            shown.add(match[1])
    rows = np.bincount(text.codes, minlength=len(text.texts))
    if log is not None and rows[found].any():
        told = bounded(sorted(shown), limit=12)
        log.add(
            "member-nobody",
            f"rows whose member id stands for nobody ({told}) and that name no "
            "member; 'nobody' says which words do",
            f"会员号表示“无会员”的行（{told}），不计为会员；哪些词如此，由 nobody 指定",
            column=_MEMBER,
            count=int(rows[found].sum()),
        )
    return found


def _cells(
    column: Column,
    text: TextColumn,
    void: _Array,
    typed: _Array,
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
    problem = np.full(len(typed), -1, dtype=np.int64)
    reasons: dict[Reason, int] = {}
    for place, (position, value) in enumerate(zip(rest, found, strict=True)):
        if isinstance(value, Unreadable):
            shown = text.texts[position] if len(reasons) < _MOST_SHOWN else None
            reason = reason_for(column, value, shown)
            problem[position] = reasons.setdefault(reason, len(reasons))
            found[place] = None
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
