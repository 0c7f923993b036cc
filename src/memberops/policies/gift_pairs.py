"""Pairs of rows that agree and lie within a window: as many as there can be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["paired"]

_Cases = np.ndarray[Any, np.dtype[np.int64]]


def paired(
    left: pd.DataFrame,
    right: pd.DataFrame,
    *,
    keys: list[str],
    window: pd.Timedelta,
) -> tuple[_Cases, _Cases]:
    """
    Pair rows that have the same keys and lie within a window, each at most once.

    In each group the earliest goes with the earliest that it can: no other choice
    makes more pairs. One pass over the sorted rows, whatever their number.

    Args:
        left: ``case``, ``at``, ``name`` and the keys.
        right: The same of the other side.
        keys: Columns that must agree.
        window: How far apart both may be.

    Returns:
        The cases of the left and the right rows that were paired.
    """
    both = pd.concat([left.assign(from_left=True), right.assign(from_left=False)])
    both["group"] = both.groupby(keys, sort=False).ngroup()
    sides = both.groupby("group")["from_left"].transform("nunique")
    both = both.loc[sides == 2].sort_values(["group", "at", "name"], kind="stable")  # noqa: PLR2004 - both sides
    ones, twos = both.loc[both["from_left"]], both.loc[~both["from_left"]]
    at_one, at_two = (_plain(each["at"]) for each in (ones, twos))
    group_one, group_two = (each["group"].tolist() for each in (ones, twos))
    limit = int(window // pd.Timedelta(microseconds=1))
    found: list[tuple[int, int]] = []
    i = j = 0
    while i < len(at_one) and j < len(at_two):
        if group_one[i] != group_two[j]:
            i, j = (i + 1, j) if group_one[i] < group_two[j] else (i, j + 1)
        elif at_one[i] < at_two[j] - limit:
            i += 1
        elif at_two[j] < at_one[i] - limit:
            j += 1
        else:
            found.append((i, j))
            i, j = i + 1, j + 1
    index = np.array(found, dtype="int64").reshape(-1, 2)
    return (
        ones["case"].to_numpy()[index[:, 0]],
        twos["case"].to_numpy()[index[:, 1]],
    )


def _plain(at: pd.Series[Any]) -> list[int]:
    return [int(each) for each in at.dt.as_unit("us").astype("int64").to_numpy()]
