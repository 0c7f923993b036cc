"""One column of a host's frame becomes typed cells, exactly or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt

from memberops.adapters.sources.column_values import (
    NOT_FIRST_DAY,
    Cells,
    TextColumn,
    read_words,
)
from memberops.adapters.sources.conversion import MISSING_WORDS, NOBODY_WORDS
from memberops.adapters.sources.finding_log import reason_for
from memberops.adapters.sources.values import TOO_LARGE, Unreadable, whole_text
from memberops.errors import ColumnTypeError
from memberops.tables import Column, Kind

__all__ = ["frame_cells", "is_absent"]

_Array = npt.NDArray[Any]
_Series = nw.Series[Any]
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - stands in for a day without zone
_WRONG_NUMBER = {
    Kind.MONEY: "whole minor units: memberops.metrics.minor_units(amounts, "
    "currency=...) makes them and tells what was rounded",
    Kind.INTEGER: "whole numbers; where some are missing, a nullable integer (Int64)",
}
_WRONG_ID = (
    "ids read as floats lose digits; read them as text, or as a nullable integer "
    "(Int64)"
)


def frame_cells(column: Column, series: _Series, *, table: str) -> Cells:
    """
    Read a column of a frame by its kind.

    Ids become text, integers among them exactly; days lose nothing but a time of day;
    choices are mapped by the column. Nothing is parsed: text is no date and no number.

    Args:
        column: The canonical column.
        series: What the frame holds, in memory.
        table: What errors call the table.

    Raises:
        ColumnTypeError: Floats or decimals as ids, money or counts; text or a zone
            in a date; a moment without a zone.
    """
    where = f"column {column.name!r} of the {table} frame"
    return _READERS[column.kind](column, series, where)


def _objects(series: _Series) -> list[Any] | None:
    """Take the Python values of a column that has no type of its own."""
    if series.dtype not in (nw.Object, nw.Unknown):
        return None
    return [None if is_absent(value) else value for value in series.to_list()]


def is_absent(value: Any) -> bool:
    """
    Tell whether a value of a frame is none: None, NaN, NaT, or NA of pandas.

    >>> is_absent(None), is_absent(float("nan")), is_absent(0), is_absent("")
    (True, True, False, False)
    """
    if value is None:
        return True
    same = value == value  # noqa: PLR0124 - only a missing value is not itself
    return not (same is True or same is np.True_)


def _refuse(where: str, found: object, wanted: str) -> ColumnTypeError:
    return ColumnTypeError(f"{where} is {found}; it must hold {wanted}")


def _cells(
    column: Column,
    typed: _Array,
    missing: _Array,
    hit: _Array | None = None,
    problem: Unreadable | None = None,
) -> Cells:
    """Make cells of values that need no reading; a mask has one problem."""
    which = np.full(len(typed), -1, dtype=np.int64)
    reasons = []
    if hit is not None and problem is not None and hit.any():
        which[hit] = 0
        reasons = [reason_for(column, problem)]
    return Cells(
        column=column,
        codes=np.arange(len(typed)),
        typed=typed,
        missing=missing,
        problem=which,
        reasons=reasons,
    )


def _words(column: Column, series: _Series, where: str) -> Cells:
    """Read ids, texts and choices: each different text once."""
    dtype = series.dtype
    values = _objects(series)
    if values is not None:
        for value in values:
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, str | int)
            ):
                hint = _WRONG_ID if isinstance(value, float) else "hold text"
                raise ColumnTypeError(f"{where} holds a {type(value).__name__}: {hint}")
    elif dtype.is_float() or dtype.is_decimal():
        if dtype.is_decimal() and getattr(dtype, "scale", 1) == 0:
            values = [None if v is None else int(v) for v in series.to_list()]
        elif series.is_null().all() or (dtype.is_float() and series.is_nan().all()):
            values = [None] * len(series)
        else:
            raise ColumnTypeError(f"{where} is {dtype}: {_WRONG_ID}")
    elif dtype.is_integer() or dtype == nw.String:
        values = series.to_list()
    elif dtype in (nw.Categorical, nw.Enum):
        values = series.cast(nw.String).to_list()
    else:
        raise _refuse(where, dtype, "text")
    seen: dict[Any, int] = {}
    codes = np.fromiter(
        (seen.setdefault("" if is_absent(v) else v, len(seen)) for v in values),
        dtype=np.int64,
        count=len(values),
    )
    text = TextColumn(codes, [whole_text(str(value)) for value in seen])
    return read_words(column, text, missing=MISSING_WORDS, nobody=NOBODY_WORDS)


def _numbers(column: Column, series: _Series, where: str) -> Cells:
    """Take whole numbers that fit into 64 bits."""
    wanted = _WRONG_NUMBER[column.kind]
    dtype = series.dtype
    values = _objects(series)
    if values is not None:
        for value in values:
            if value is not None and (
                isinstance(value, bool) or not hasattr(value, "__index__")
            ):
                raise _refuse(where, f"of {type(value).__name__}s", wanted)
    elif series.is_null().all() and not dtype.is_integer():
        values = [None] * len(series)
    elif dtype.is_decimal() and getattr(dtype, "scale", 1) == 0 and _was_huge(series):
        values = [None if v is None else int(v) for v in series.to_list()]
    elif not dtype.is_integer():
        raise _refuse(where, dtype, wanted)
    elif dtype in (nw.UInt64, nw.Int128, nw.UInt128):
        values = series.to_list()
    if values is None:
        missing = series.is_null().to_numpy().astype(bool)
        typed = series.fill_null(0).to_numpy().astype(np.int64)
        return _cells(column, typed, missing)
    missing = np.array([is_absent(value) for value in values], dtype=bool)
    whole = [0 if void else int(v) for v, void in zip(values, missing, strict=True)]
    large = np.array([not _SMALLEST <= value <= _LARGEST for value in whole], bool)
    typed = np.array(
        [0 if far else v for v, far in zip(whole, large, strict=True)], np.int64
    )
    return _cells(column, typed, missing, large, TOO_LARGE)


def _was_huge(series: _Series) -> bool:
    """Tell whether decimals are what a 128-bit integer becomes on its way."""
    return getattr(series.dtype, "precision", 0) == _DIGITS_OF_128_BITS


_DIGITS_OF_128_BITS = 38


def _days(column: Column, series: _Series, where: str) -> Cells:
    """Take calendar days; a time of day without a zone is left out."""
    dtype = series.dtype
    values = _objects(series)
    hint = "dates: pandas.to_datetime(...)"
    if values is not None:
        for value in values:
            if value is not None and not isinstance(value, dt.date):
                raise _refuse(where, f"of {type(value).__name__}s", hint)
            if isinstance(value, dt.datetime) and value.tzinfo is not None:
                raise _zoned(where, value.tzinfo)
        missing = np.array([value is None for value in values], dtype=bool)
        days = np.array(
            [v.date() if isinstance(v, dt.datetime) else v for v in values],
            dtype="datetime64[D]",
        )
    elif series.is_null().all() and not dtype.is_temporal() and dtype != nw.String:
        missing = np.ones(len(series), dtype=bool)
        days = np.full(len(series), "NaT", dtype="datetime64[D]")
    elif dtype not in (nw.Date, nw.Datetime):
        raise _refuse(where, dtype, hint)
    elif zone := getattr(dtype, "time_zone", None):
        raise _zoned(where, zone)
    else:
        missing, moments = _moments(series)
        days = moments.astype("datetime64[D]")
    days[missing] = np.datetime64("NaT")
    late = np.zeros(len(days), dtype=bool)
    if column.name == "month":
        late = ~missing & (days != days.astype("datetime64[M]").astype(days.dtype))
    return _cells(column, days.astype("datetime64[us]"), missing, late, NOT_FIRST_DAY)


def _zoned(where: str, zone: object) -> ColumnTypeError:
    return ColumnTypeError(
        f"{where} carries the zone {zone}: give the calendar day in the store's zone, "
        "as in column.dt.tz_convert('Asia/Shanghai').dt.tz_localize(None)"
        ".dt.normalize()"
    )


def _instants(column: Column, series: _Series, where: str) -> Cells:
    """Take moments, which carry a zone, in UTC."""
    dtype = series.dtype
    values = _objects(series)
    if values is None and series.is_null().all():
        values = [None] * len(series)
    hint = (
        "moments with a zone, as in column.dt.tz_localize('Asia/Shanghai', "
        "ambiguous=..., nonexistent=...)"
    )
    if values is not None:
        for value in values:
            aware = isinstance(value, dt.datetime) and value.tzinfo is not None
            if value is not None and not aware:
                raise _refuse(where, f"of {type(value).__name__}s without zone", hint)
        missing = np.array([value is None for value in values], dtype=bool)
        plain = [
            None if value is None else value.astimezone(dt.UTC).replace(tzinfo=None)
            for value in values
        ]
        return _cells(column, np.array(plain, dtype="datetime64[us]"), missing)
    if dtype != nw.Datetime or not getattr(dtype, "time_zone", None):
        raise _refuse(where, dtype, hint)
    utc = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    missing, moments = _moments(utc)
    moments[missing] = np.datetime64("NaT")
    return _cells(column, moments, missing)


def _moments(series: _Series) -> tuple[_Array, _Array]:
    """Take days or moments without zone as microseconds, and which are missing."""
    missing = series.is_null().to_numpy().astype(bool)
    fill = _EPOCH.date() if series.dtype == nw.Date else _EPOCH
    values = series.fill_null(fill).to_numpy()
    return missing, np.array(values, dtype="datetime64[us]")


_READERS: dict[Kind, Callable[[Column, _Series, str], Cells]] = {
    Kind.ID: _words,
    Kind.TEXT: _words,
    Kind.CHOICE: _words,
    Kind.INTEGER: _numbers,
    Kind.MONEY: _numbers,
    Kind.DATE: _days,
    Kind.INSTANT: _instants,
}
