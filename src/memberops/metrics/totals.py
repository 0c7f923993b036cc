"""Sales, tickets and items: sums that add up over stores and days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import narwhals as nw
import numpy as np
import numpy.typing as npt

from memberops.metrics.engine import flag, sums
from memberops.metrics.facts import Facts
from memberops.metrics.levels import Places

__all__ = ["total_sales"]

Ints = npt.NDArray[np.int64]
_SUMS = ("amount", "items", "tickets")
_NAMES = ("sales", "items", "tickets")


def total_sales(
    facts: Facts, places: Places, shown: Sequence[tuple[dt.date, dt.date]]
) -> tuple[dict[str, Ints], dict[tuple[dt.date, dt.date], frozenset[str]]]:
    """
    Add up sales, items and tickets, of all customers and of members.

    Returns:
        By name, an array of shape (keys, spans): ``sales`` (minor units), ``items``,
        ``tickets``, and the same of members as ``member_…``; and by span the ids
        of the stores that sold anything.
    """
    of_member = flag(nw.col("member_id") != nw.lit(facts.none)).alias("of_member")
    rows = sums(
        facts.frame.with_columns(of_member), ["atom", "store_id", "of_member"], _SUMS
    )
    atoms = len(facts.spans.cuts) - 1
    cube = np.zeros((places.count, 2, atoms + 1, len(_SUMS)), np.int64)
    at = (
        places.numbers(rows["store_id"].to_numpy()),
        rows["of_member"].to_numpy(),
        rows["atom"].to_numpy() + 1,
    )
    cube[at] = np.stack([rows[name].to_numpy() for name in _SUMS], axis=1)
    until = np.cumsum(cube, axis=2)
    cuts = facts.spans.cuts
    starts = [cuts.index(start) for start, _ in shown]
    ends = [cuts.index(end) for _, end in shown]
    within = until[:, :, ends] - until[:, :, starts]
    spread = places.spread(within)
    result = {}
    for number, name in enumerate(_NAMES):
        result[name] = spread[:, :, :, number].sum(axis=1)
        result[f"member_{name}"] = spread[:, 1, :, number]
    sold = (within != 0).any(axis=(1, 3))
    stores = {
        span: frozenset(
            str(places.ids[int(at)]) for at in np.flatnonzero(sold[:-1, number])
        )
        for number, span in enumerate(shown)
    }
    return result, stores
