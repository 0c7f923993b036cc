"""Levels: one store, one region, the whole chain; and which store lies where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, get_args

import attrs
import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.errors import InvalidValueError, nearest
from memberops.metrics.engine import NO_NUMBER, as_frame, checked, filled_id
from memberops.metrics.facts import Facts, same_ids
from memberops.tables import STORES

__all__ = ["CHAIN", "UNASSIGNED", "Level", "Places", "as_levels", "place_stores"]

Level = Literal["store", "region", "chain"]
Ints = npt.NDArray[np.int64]
_LEVELS: tuple[Level, ...] = get_args(Level)

CHAIN = "chain"
"""The key of the one row of the level ``"chain"``."""
UNASSIGNED = "unassigned"
"""The key for members without a home store, and for stores without a region."""


def as_levels(by: Level | Iterable[Level]) -> tuple[Level, ...]:
    """
    Take one level or several, from the smallest up.

    Raises:
        InvalidValueError: One of them is not known, or there is none.
    """
    given = (by,) if isinstance(by, str) else tuple(by)
    for each in given:
        if each not in _LEVELS:
            raise InvalidValueError(f"unknown level {each!r}; {nearest(each, _LEVELS)}")
    if not given:
        raise InvalidValueError("'by' must name at least one level")
    return tuple(level for level in _LEVELS if level in given)


@attrs.frozen(eq=False)
class Places:
    """
    The stores by number, and the number of the key they count to at each level.

    Args:
        ids: Store ids as the frames hold them, in the order of their numbers; the
            last one stands for "unassigned".
        keys: The keys of all levels, one after the other: pairs of level and key.
        offsets: By level, where its keys begin and, by store number, which one.
        regions: Store id to region id, as text.
    """

    ids: Sequence[Any]
    keys: tuple[tuple[Level, str], ...]
    offsets: dict[Level, tuple[int, Ints]]
    regions: dict[str, str]

    @property
    def count(self) -> int:
        """How many store numbers there are."""
        return len(self.ids)

    def numbers(self, ids: npt.NDArray[Any]) -> Ints:
        """Return the number of each store id; unknown ones are unassigned."""
        index = pd.Index(
            list(self.ids[:-1]), dtype=object if ids.dtype == object else None
        )
        found = index.get_indexer(pd.Index(ids))
        return np.where(found < 0, self.count - 1, found).astype(np.int64)

    def spread(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Add up store rows (first axis) to the rows of all keys of all levels."""
        result = np.zeros((len(self.keys), *values.shape[1:]), values.dtype)
        for begin, key in self.offsets.values():
            np.add.at(result, begin + key, values)
        return result


def _regions(native: Any, facts: Facts) -> dict[Any, str | None]:
    frame = as_frame(native, STORES)
    checked(frame, STORES, ["store_id"])
    names = frame.collect_schema().names()
    same_ids(
        "stores",
        "store_id",
        facts.frame.schema["store_id"],
        nw.String if not frame.collect_schema()["store_id"].is_integer() else nw.Int64,
    )
    region = filled_id(frame, "region_id") if "region_id" in names else nw.lit("")
    small = frame.select(filled_id(frame, "store_id"), region.alias("region_id"))
    rows = small.collect()
    none = ("", NO_NUMBER)
    return {
        store: None if region in none else str(region)
        for store, region in zip(
            rows["store_id"].to_list(), rows["region_id"].to_list(), strict=True
        )
        if store not in none
    }


def place_stores(
    facts: Facts, stores: Any, levels: Sequence[Level], homes: npt.NDArray[Any] | None
) -> Places:
    """
    Number the stores that the frames name and find their keys at each level.

    Raises:
        InvalidValueError: Regions are asked for and no stores frame says which.
    """
    known = {} if stores is None else _regions(stores, facts)
    if "region" in levels and not any(known.values()):
        raise InvalidValueError(
            "by 'region' needs stores=, a frame with store_id and region_id"
        )
    sold = facts.frame["store_id"].unique().to_list()
    lived = [] if homes is None else pd.unique(homes).tolist()
    none = ("", NO_NUMBER, None)
    ids = sorted({*sold, *known, *lived} - set(none))
    region_ids = sorted({region for region in known.values() if region})
    keys: list[tuple[Level, str]] = []
    offsets: dict[Level, tuple[int, Ints]] = {}
    for level in levels:
        begin = len(keys)
        if level == "store":
            keys += [("store", str(store)) for store in ids]
            keys.append(("store", UNASSIGNED))
            number = np.arange(len(ids) + 1)
        elif level == "region":
            keys += [("region", region) for region in region_ids]
            keys.append(("region", UNASSIGNED))
            place = {region: at for at, region in enumerate(region_ids)}
            last = len(region_ids)
            number = np.array(
                [place.get(known.get(store) or "", last) for store in ids] + [last]
            )
        else:
            keys.append(("chain", CHAIN))
            number = np.zeros(len(ids) + 1, np.int64)
        offsets[level] = (begin, number.astype(np.int64))
    regions = {str(store): region for store, region in known.items() if region}
    return Places((*ids, None), tuple(keys), offsets, regions)
