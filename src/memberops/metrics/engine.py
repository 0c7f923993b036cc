"""
How frames of any engine come in: portable operations only.

Bare columns are aggregated, never expressions; nulls are filled before a condition;
date parts and sums are cast to 64 bits; nothing is divided on an engine. The reasons
are measured bugs of engines, one sentence each in the explanation of engines.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import narwhals as nw

from memberops.errors import (
    ColumnTypeError,
    FrameError,
    InvalidValueError,
    MissingExtraError,
)
from memberops.tables import Kind, Table

__all__ = [
    "Engine",
    "as_frame",
    "checked",
    "collected",
    "filled_id",
    "flag",
    "is_given",
    "local_engine",
    "month_index",
    "refuse_gaps",
    "sums",
]

Engine = Literal["auto", "polars", "pandas"]

NO_TEXT = ""
NO_NUMBER = -(2**62)
"""What stands for a missing id while grouping: no id may be empty or this number."""


def local_engine(engine: Engine) -> Literal["polars", "pandas"]:
    """
    Choose where the reduced facts are worked on: polars where it is installed.

    Raises:
        InvalidValueError: The engine is not known.
        MissingExtraError: polars is asked for by name and not installed.
    """
    if engine not in ("auto", "polars", "pandas"):
        raise InvalidValueError(
            f"engine must be 'auto', 'polars' or 'pandas', not {str(engine)[:20]!r}"
        )
    here = importlib.util.find_spec("polars") and importlib.util.find_spec("pyarrow")
    if engine == "polars" and not here:
        raise MissingExtraError("working on polars", "polars")
    return "polars" if here and engine != "pandas" else "pandas"


def as_frame(native: Any, table: Table) -> nw.LazyFrame[Any]:
    """
    Take a frame of any engine.

    Raises:
        ColumnTypeError: It is no frame that narwhals knows.
    """
    try:
        frame = nw.from_native(native)
    except TypeError:
        raise ColumnTypeError(
            f"{table.name} must be a pandas, polars, pyarrow, DuckDB, Ibis or PySpark "
            f"frame, not a {type(native).__name__}"
        ) from None
    return frame.lazy() if isinstance(frame, nw.DataFrame) else frame


def is_given(native: Any) -> bool:
    """Tell whether an optional frame was given (a frame has no truth value)."""
    return native is not None


def checked(
    frame: nw.LazyFrame[Any], table: Table, needed: Iterable[str]
) -> nw.LazyFrame[Any]:
    """
    Refuse a frame whose columns cannot carry the table's meaning.

    Raises:
        MissingColumnsError: A needed column is absent.
        ColumnTypeError: Money or quantities that are not whole numbers, ids that are
            floats, dates that carry a zone or are no dates.
    """
    schema = frame.collect_schema()
    table.check_columns(schema.names(), needed)
    for column in table.columns:
        dtype = schema.get(column.name)
        if dtype is not None:
            _check_type(table.name, column.name, column.kind, dtype)
    return frame


def _check_type(table: str, name: str, kind: Kind, dtype: Any) -> None:
    where = f"column {name!r} of the {table} frame"
    if kind in (Kind.MONEY, Kind.INTEGER) and not dtype.is_integer():
        hint = (
            "whole minor units: memberops.metrics.minor_units(amounts, currency=...) "
            "makes them and tells what was rounded"
            if kind is Kind.MONEY
            else "whole numbers"
        )
        raise ColumnTypeError(f"{where} is {dtype}; it must hold {hint}")
    if kind is Kind.ID and (dtype.is_float() or dtype.is_decimal()):
        raise ColumnTypeError(
            f"{where} is {dtype}: ids read as floats lose digits; "
            "read them as text, or as a nullable integer (Int64)"
        )
    if kind is Kind.DATE:
        if not dtype.is_temporal():
            raise ColumnTypeError(
                f"{where} is {dtype}; it must hold dates: pandas.to_datetime(...)"
            )
        if getattr(dtype, "time_zone", None):
            raise ColumnTypeError(
                f"{where} carries the zone {dtype.time_zone}: give the calendar day "
                "in the store's zone, as in column.dt.tz_convert('Asia/Shanghai')"
                ".dt.tz_localize(None).dt.normalize()"
            )


def refuse_gaps(
    frame: nw.LazyFrame[Any], table: Table, needed: Sequence[str]
) -> nw.LazyFrame[Any]:
    """
    Refuse rows that lack a needed value: they would be merged or left out in silence.

    Raises:
        FrameError: Naming the columns and how many rows lack a value.
    """
    counted = frame.select(
        *(flag(nw.col(name).is_null()).alias(name) for name in needed)
    )
    gaps = counted.select(*(nw.col(name).sum() for name in needed)).collect()
    missing = {name: int(gaps[name].to_list()[0] or 0) for name in needed}
    told = [f"{name!r} in {count:,} rows" for name, count in missing.items() if count]
    if told:
        raise FrameError(
            f"the {table.name} frame has no value for {', '.join(told)}: leave such "
            "rows out, or read them through a source, which keeps and tells them"
        )
    return frame


def filled_id(frame: nw.LazyFrame[Any], name: str) -> nw.Expr:
    """Fill a missing id with what stands for none, text or number as the column is."""
    dtype = frame.collect_schema()[name]
    if dtype.is_integer():
        return nw.col(name).fill_null(NO_NUMBER).cast(nw.Int64)
    # Filled before the cast: some versions cast a missing value to the text "None".
    missing = nw.col(name).is_null()
    text = nw.col(name).cast(nw.String)
    return nw.when(missing).then(nw.lit(NO_TEXT)).otherwise(text).alias(name)


def flag(condition: nw.Expr) -> nw.Expr:
    """Turn a condition into 0 or 1: some engines cannot add up booleans."""
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0)).cast(nw.Int64)


def month_index(day: str) -> nw.Expr:
    """Number the months: 12 × year + month - 1, in 64 bits (some count in 8)."""
    year = nw.col(day).dt.year().cast(nw.Int64)
    return year * 12 + nw.col(day).dt.month().cast(nw.Int64) - 1


def sums(frame: Any, keys: Sequence[str], columns: Sequence[str]) -> Any:
    """Group by *keys* and add up bare columns, back in 64 bits."""
    if not keys:
        return frame.select(*(nw.col(name).sum() for name in columns))
    return (
        frame.group_by(*keys)
        .agg(*(nw.col(name).sum() for name in columns))
        .with_columns(*(nw.col(name).cast(nw.Int64) for name in columns))
    )


def collected(
    frame: nw.LazyFrame[Any], engine: Literal["polars", "pandas"]
) -> nw.DataFrame[Any]:
    """Bring a reduced frame into memory, on the local engine."""
    return frame.collect(backend=engine)
