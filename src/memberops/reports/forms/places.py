"""Columns that say where and when, and the names that a stores frame gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from memberops.metrics import base_heading
from memberops.metrics.engine import NO_NUMBER, NO_TEXT
from memberops.reports.form import FormColumn, Style
from memberops.tables import STORES, Table

__all__ = [
    "PLACE_COLUMNS",
    "STORE_NAME",
    "UNASSIGNED",
    "by_place",
    "ids",
    "looked_up",
    "place_columns",
    "same_column",
    "store_columns",
    "with_place_names",
    "with_stores",
]

UNASSIGNED = ("unassigned", "Unassigned", "未分配")
"""The word for members without a store and for stores without a region."""
_LEVELS = (
    ("chain", "Chain", "连锁"),
    ("region", "Region", "区域"),
    ("store", "Store", "门店"),
)


def _based(
    name: str, style: Style, words: tuple[tuple[str, str, str], ...] = ()
) -> FormColumn:
    english, chinese = base_heading(name)
    return FormColumn(
        name=name, heading_en=english, heading_zh=chinese, style=style, words=words
    )


STORE_NAME = FormColumn(
    name="store_name",
    heading_en=STORES.column("name").heading_en,
    heading_zh=STORES.column("name").heading_zh,
    style="text",
)
PLACE_COLUMNS = (
    _based("level", "text", _LEVELS),
    _based("key", "text", (("chain", "Chain", "连锁"), UNASSIGNED)),
    _based("period", "text"),
)


def place_columns(stores: pd.DataFrame | None) -> tuple[FormColumn, ...]:
    """Return level, key, the store's name if *stores* has names, and period."""
    level, key, period = PLACE_COLUMNS
    named = stores is not None and "name" in stores.columns
    return (level, key, *((STORE_NAME,) if named else ()), period)


def store_columns(stores: pd.DataFrame | None) -> tuple[FormColumn, ...]:
    """Return the store's id, and its name and region as far as *stores* has them."""
    region = same_column(STORES, "region_id", words=(UNASSIGNED,))
    have = () if stores is None else tuple(stores.columns)
    return (
        same_column(STORES, "store_id", words=(UNASSIGNED,)),
        *((STORE_NAME,) if "name" in have else ()),
        *((region,) if "region_id" in have else ()),
    )


def same_column(
    table: Table, name: str, *, words: tuple[tuple[str, str, str], ...] = ()
) -> FormColumn:
    """Return the form's column for a canonical column: its headings and its mask."""
    column = table.column(name)
    styles: dict[str, Style] = {
        "integer": "integer",
        "money": "money",
        "date": "date",
    }
    return FormColumn(
        name=name,
        heading_en=column.heading_en,
        heading_zh=column.heading_zh,
        style=styles.get(column.kind.value, "text"),
        personal=column.personal,
        mask=column.mask,
        words=words,
    )


def ids(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return ids as text; a missing one stays missing."""
    if values.dtype == "str":
        return values.rename(None)
    return pd.Series(
        [None if pd.isna(value) else str(value) for value in values],
        index=values.index,
        dtype="str",
    )


def looked_up(
    keys: pd.Series[Any], table: pd.DataFrame | None, key: str, value: str
) -> pd.Series[Any]:
    """Look up a column of a table by its key; what is not there is missing."""
    if table is None or value not in table.columns:
        return pd.Series([None] * len(keys), index=keys.index, dtype="str")
    known = dict(zip(_objects(ids(table[key])), _objects(table[value]), strict=True))
    found = [known.get(each) for each in _objects(ids(keys))]
    return pd.Series(found, index=keys.index, dtype=table[value].dtype)


def _objects(values: pd.Series[Any]) -> list[Any]:
    """Return the values one by one: far faster than to walk a column of text."""
    return values.astype(object).tolist()


def with_place_names(frame: pd.DataFrame, stores: pd.DataFrame | None) -> pd.DataFrame:
    """Add the names of the stores to the rows of the level "store"."""
    if stores is None:
        return frame
    STORES.check_columns(stores.columns, ["store_id"])
    if "name" not in stores.columns:
        return frame
    names = looked_up(frame["key"], stores, "store_id", "name")
    return frame.assign(store_name=names.where(frame["level"] == "store"))


def with_stores(frame: pd.DataFrame, stores: pd.DataFrame | None) -> pd.DataFrame:
    """Name the stores and their regions; a row without a store is unassigned."""
    store = ids(frame["store_id"]).replace([NO_TEXT, str(NO_NUMBER)], None)
    frame = frame.assign(store_id=store.fillna(UNASSIGNED[0]))
    if stores is None:
        return frame
    STORES.check_columns(stores.columns, ["store_id"])
    if "name" in stores.columns:
        frame = frame.assign(store_name=looked_up(store, stores, "store_id", "name"))
    if "region_id" in stores.columns:
        region = ids(looked_up(store, stores, "store_id", "region_id"))
        frame = frame.assign(region_id=region.fillna(UNASSIGNED[0]))
    return frame


def by_place(frame: pd.DataFrame, *, largest_first: str | None = None) -> pd.DataFrame:
    """
    Sort rows from the chain down to the stores, then by period, then by key.

    Args:
        frame: Rows with level, key and period, periods in the order wanted.
        largest_first: A figure by which the keys of a level and period are sorted,
            the largest first, rather than by their names.
    """
    levels = {level: at for at, (level, _, _) in enumerate(_LEVELS)}
    periods = {period: at for at, period in enumerate(frame["period"].unique())}
    order = pd.DataFrame(
        {
            "level": frame["level"].map(levels),
            "period": frame["period"].map(periods),
            "unassigned": frame["key"] == UNASSIGNED[0],
            "figure": 0 if largest_first is None else -frame[largest_first],
            "key": frame["key"],
        },
        index=frame.index,
    )
    sorted_index = order.sort_values(_SORTED, kind="stable").index
    return frame.loc[sorted_index].reset_index(drop=True)


_SORTED: Sequence[str] = ["level", "period", "unassigned", "figure", "key"]
