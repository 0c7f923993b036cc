"""Sales targets: added up over the months of a period and the stores of a level."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pandas as pd

from memberops.metrics.engine import as_frame, checked, filled_id, month_index
from memberops.metrics.levels import UNASSIGNED
from memberops.metrics.measures import Measures
from memberops.schedules import Period, is_month_end
from memberops.tables import TARGETS

__all__ = ["with_targets"]


def _months(period: Period) -> range:
    """Return the months that make up a period; none if it holds part of one."""
    if period.start.day != 1 or not is_month_end(period.through):
        return range(0)
    first = 12 * period.start.year + period.start.month - 1
    return range(first, 12 * period.through.year + period.through.month)


def _by_store(native: Any) -> dict[tuple[str, int], int]:
    frame = as_frame(native, TARGETS)
    checked(frame, TARGETS, ["store_id", "month", "target"])
    rows = (
        frame.select(
            filled_id(frame, "store_id"),
            month_index("month").alias("month"),
            nw.col("target").cast(nw.Int64),
        )
        .filter(~nw.col("target").is_null())
        .collect()
    )
    found: dict[tuple[str, int], int] = {}
    for store, month, target in rows.iter_rows():
        found[str(store), int(month)] = int(target)
    return found


def _needed(
    store: str, months: range, opened: dict[str, int], closed: dict[str, int]
) -> list[tuple[str, int]]:
    """Return the months for which a store needs a target: from its first one on."""
    first = opened.get(store)
    if first is None:
        return []
    last = closed.get(store, months.stop)
    return [(store, month) for month in months if first <= month <= last]


def with_targets(table: pd.DataFrame, measures: Measures, targets: Any) -> pd.DataFrame:
    """
    Add the sales target to base figures.

    The target of a region or of the chain is the sum over its stores that sold in the
    period; if one of them has none, the sum would flatter, so it is unknown. A store
    needs a target for every month from its first one on, so a store that opened within
    the period counts from its opening.

    Args:
        table: Base figures, one row a level, key and period.
        measures: Where they come from.
        targets: A frame of any engine, or None.

    Returns:
        The table with ``target`` (``Int64`` minor units), missing where unknown.
    """
    known = {} if targets is None else _by_store(targets)
    stores = sorted({store for store, _ in known})
    # Sorted backwards, the first month of a store comes last and stays.
    opened, last = dict(sorted(known, reverse=True)), dict(sorted(known))
    values: list[int | None] = []
    months = {period.label: _months(period) for period in measures.periods}
    sold = measures.stores_with_sales()
    for level, key, label in zip(
        table["level"], table["key"], table["period"], strict=True
    ):
        if level == "store":
            group = {key}
        else:
            group = {
                store
                for store in {*stores, *sold[label]}
                if level == "chain" or measures.regions.get(store, UNASSIGNED) == key
            }
            group = {
                store
                for store in group
                if store in sold[label]
                or any((store, month) in known for month in months[label])
            }
        # A store that sold nothing has closed: it needs targets to its last one.
        closed = {each: last[each] for each in group - sold[label] if each in last}
        wanted = [_needed(each, months[label], opened, closed) for each in group]
        pairs = [pair for each in wanted for pair in each]
        if wanted and all(wanted) and all(pair in known for pair in pairs):
            values.append(sum(known[pair] for pair in pairs))
        else:
            values.append(None)
    return table.assign(target=pd.array(values, dtype="Int64"))
