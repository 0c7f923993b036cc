"""How frames of any engine come in where the answer is a list for an office."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import pandas as pd

from memberops.errors import ColumnTypeError
from memberops.policies.figures import entered
from memberops.tables import Kind, Table

__all__ = ["days_of", "taken"]


def taken(
    native: Any, table: Table, needed: Sequence[str], optional: Sequence[str] = ()
) -> pd.DataFrame:
    """
    Bring columns of a frame of any engine into pandas, which may lack pyarrow.

    Args:
        native: The frame.
        table: The canonical table that it is.
        needed: Columns that it must have.
        optional: Columns that are taken if it has them.

    Returns:
        A frame of these columns, numbered from 0; days are ``datetime64[us]``.

    Raises:
        MissingColumnsError: A needed column is absent.
        ColumnTypeError: It is no frame, or a column of days holds something else.

    >>> from memberops.tables import MEMBERS
    >>> people = pd.DataFrame({"member_id": ["M1"], "shoe_size": [38]})
    >>> taken(people, MEMBERS, ["member_id"], ["name"]).columns.tolist()
    ['member_id']
    """
    frame = entered(native, table.name)
    available = frame.collect_schema().names()
    table.check_columns(available, needed)
    names = list(
        dict.fromkeys([*needed, *(name for name in optional if name in available)])
    )
    if isinstance(native, pd.DataFrame):
        rows = native[names].reset_index(drop=True)
    else:
        chosen = frame.select(*names)
        whole = chosen.collect() if isinstance(chosen, nw.LazyFrame) else chosen
        rows = pd.DataFrame({name: _series(whole[name], table, name) for name in names})
    for name in names:
        if name in table.names and table.column(name).kind is Kind.DATE:
            rows[name] = days_of(rows[name], name)
    return rows


def _series(values: Any, table: Table, name: str) -> pd.Series:
    text = {Kind.ID, Kind.TEXT, Kind.CHOICE}
    is_text = name in table.names and table.column(name).kind in text
    listed = values.to_list()
    # A column of gaps has no type of its own.
    return pd.Series(listed, dtype="str" if is_text and _all_text(listed) else None)


def _all_text(values: Sequence[Any]) -> bool:
    return all(value is None or isinstance(value, str) for value in values)


def days_of(column: pd.Series, name: str) -> pd.Series:
    """
    Take a column of calendar days as ``datetime64[us]``; a time of day is dropped.

    Raises:
        ColumnTypeError: It holds something else, or carries a zone.

    >>> days_of(pd.Series(pd.to_datetime(["2026-11-05"])), "joined_on").dtype
    dtype('<M8[us]')
    """
    if column.isna().all():
        return pd.Series(pd.NaT, index=column.index, dtype="datetime64[us]")
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        raise ColumnTypeError(
            f"column {name!r} carries a zone; it must hold calendar days: "
            f"frame[{name!r}].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()"
        )
    if pd.api.types.is_datetime64_dtype(column.dtype):
        return column.astype("datetime64[us]").dt.normalize()
    kinds = pd.api.types.infer_dtype(column, skipna=True)
    if kinds != "date":
        raise ColumnTypeError(
            f"column {name!r} is {column.dtype}; it must hold calendar days without a "
            "zone, such as pandas.to_datetime(...) gives"
        )
    return column.astype("datetime64[us]")
