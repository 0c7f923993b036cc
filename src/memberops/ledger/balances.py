"""Balances as a fold of movements, at any moment and any position."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import accumulate

import numpy as np
import pandas as pd

from memberops.domain.canonical import MAX_QUANTITY, to_utc
from memberops.domain.posting import Posting
from memberops.errors import (
    BalanceOverflowError,
    ColumnTypeError,
    InvalidValueError,
    MissingColumnsError,
)

__all__ = [
    "BALANCE_COLUMNS",
    "MOVEMENT_COLUMNS",
    "balances",
    "changes",
    "lowest",
    "movement_frame",
]

MOVEMENT_COLUMNS = (
    "sequence",
    "posting_id",
    "kind",
    "effective_at",
    "gift_id",
    "lot_id",
    "valid_through",
    "source",
    "destination",
    "quantity",
)
"""Columns of a frame of movements: sequence and quantity int64, instants UTC."""

BALANCE_COLUMNS = ("gift_id", "lot_id", "valid_through", "place", "quantity")
"""Columns of a frame of balances; `lot_id` is ``""`` for goods without lots."""

_CELL = ["gift_id", "lot_id", "place"]
_NEEDED = ("effective_at", "gift_id", "source", "destination", "quantity")
_SAFE = 2**62


def movement_frame(postings: Iterable[tuple[int, Posting]]) -> pd.DataFrame:
    """
    Make the frame of the movements of postings with their sequences.

    Args:
        postings: Pairs of sequence and posting.

    Returns:
        A frame with `MOVEMENT_COLUMNS`, one row per movement.
    """
    rows = [
        (
            sequence,
            posting.posting_id,
            posting.kind.value,
            posting.effective_at,
            each.gift_id,
            each.lot_id or "",
            each.valid_through,
            each.source,
            each.destination,
            each.quantity,
        )
        for sequence, posting in postings
        for each in posting.movements
    ]
    frame = pd.DataFrame(rows, columns=list(MOVEMENT_COLUMNS))
    texts = ("posting_id", "kind", "gift_id", "lot_id", "source", "destination")
    return frame.astype(
        dict.fromkeys(texts, "str")
        | {
            "sequence": "int64",
            "quantity": "int64",
            "effective_at": "datetime64[us, UTC]",
            "valid_through": "datetime64[s]",
        }
    )


def changes(movements: pd.DataFrame) -> pd.DataFrame:
    """
    Return what each movement does to its two places: a row for each, signed.

    Args:
        movements: A frame with effective_at, gift_id, source, destination, quantity,
            and, where there are any, sequence (else the order of rows), lot_id and
            valid_through.

    Returns:
        A frame with sequence, effective_at, gift_id, lot_id, valid_through, place
        and change, by effective instant and sequence: the order of the ledger.

    Raises:
        MissingColumnsError: A column is absent.
        ColumnTypeError: The quantity is no int64, or the instants have no zone.
        InvalidValueError: A quantity is below 1.
    """
    missing = [name for name in _NEEDED if name not in movements.columns]
    if missing:
        raise MissingColumnsError("movements", missing, movements.columns)
    if movements["quantity"].dtype != np.dtype("int64"):
        raise ColumnTypeError(
            "movements: 'quantity' must be int64, "
            f"not {movements['quantity'].dtype}: whole numbers without gaps"
        )
    if not isinstance(movements["effective_at"].dtype, pd.DatetimeTZDtype):
        raise ColumnTypeError(
            "movements: 'effective_at' must be instants with a zone: "
            "series.dt.tz_localize('Asia/Shanghai') attaches the store's"
        )
    if bool((movements["quantity"] < 1).any()):
        raise InvalidValueError(
            "movements: 'quantity' is at least 1: what goes the other way swaps "
            "source and destination"
        )
    parts = {
        "sequence": movements["sequence"]
        if "sequence" in movements.columns
        else pd.Series(
            np.arange(1, len(movements) + 1, dtype="int64"), index=movements.index
        ),
        "effective_at": movements["effective_at"].dt.tz_convert("UTC"),
        "gift_id": movements["gift_id"],
        "lot_id": movements["lot_id"].fillna("")
        if "lot_id" in movements.columns
        else "",
        "valid_through": movements["valid_through"]
        if "valid_through" in movements.columns
        else pd.NaT,
    }
    quantity = movements["quantity"]
    out = pd.DataFrame(parts | {"place": movements["source"], "change": -quantity})
    come = pd.DataFrame(parts | {"place": movements["destination"], "change": quantity})
    both = pd.concat([out, come], ignore_index=True)
    order = np.lexsort(
        (both["sequence"].to_numpy(), both["effective_at"].dt.tz_localize(None))
    )
    return both.iloc[order].reset_index(drop=True)


def balances(
    movements: pd.DataFrame,
    *,
    as_of: dt.datetime | None = None,
    position: int | None = None,
) -> pd.DataFrame:
    """
    Fold movements into balances: one row per gift, lot and place that is not zero.

    Args:
        movements: As `changes` takes them.
        as_of: Aware instant, inclusive; None: with everything effective later.
        position: Sequence of the last entry that counts; None: all.

    Returns:
        A frame with `BALANCE_COLUMNS`, sorted by gift, lot and place; the quantities
        of a gift and lot add up to 0, for nothing is created or lost.

    Raises:
        BalanceOverflowError: A sum would leave 64 bits.
        FrameError, InvalidValueError: See `changes`.

    >>> moved = pd.DataFrame({"effective_at": pd.to_datetime(["2026-10-01"], utc=True),
    ...     "gift_id": ["G1"], "source": ["supplier"], "destination": ["warehouse"],
    ...     "quantity": [5]})
    >>> balances(moved)[["place", "quantity"]].values.tolist()
    [['supplier', -5], ['warehouse', 5]]
    """
    rows = changes(_cut(movements, as_of, position))
    rows["change"] = exact(rows["change"])
    sums = (
        rows.groupby(_CELL, sort=True, observed=True)
        .agg(valid_through=("valid_through", "first"), quantity=("change", "sum"))
        .reset_index()
    )
    sums["quantity"] = int64(sums["quantity"])
    return sums.loc[sums["quantity"] != 0, list(BALANCE_COLUMNS)].reset_index(drop=True)


def lowest(movements: pd.DataFrame) -> pd.DataFrame:
    """
    Return the lowest balance that each gift, lot and place ever has.

    What takes effect at one instant happens at once: the balance is judged after it.

    Args:
        movements: As `changes` takes them.

    Returns:
        A frame with gift_id, lot_id, place, lowest (0 or below: a cell begins empty).

    Raises:
        BalanceOverflowError: A sum would leave 64 bits.
    """
    rows = changes(movements)
    rows["change"] = exact(rows["change"])
    steps = (
        rows.groupby([*_CELL, "effective_at"], sort=True, observed=True)["change"]
        .sum()
        .reset_index()
    )
    by_cell = steps.groupby(_CELL, observed=True)["change"]
    if steps["change"].dtype == np.dtype("int64"):
        steps["lowest"] = by_cell.cumsum()
        lows = steps.groupby(_CELL, observed=True)["lowest"].min().reset_index()
    else:
        # Groups of objects pass through floats on the way to a minimum.
        lows = steps[_CELL].drop_duplicates(ignore_index=True)
        lows["lowest"] = pd.Series(
            [min(0, *accumulate(each.tolist())) for _, each in by_cell],
            dtype="object",
        )
    lows["lowest"] = int64(lows["lowest"]).clip(upper=0)
    return lows


def _cut(
    movements: pd.DataFrame, as_of: dt.datetime | None, position: int | None
) -> pd.DataFrame:
    if as_of is not None:
        movements = movements.loc[movements["effective_at"] <= check_instant(as_of)]
    if position is not None:
        if "sequence" not in movements.columns:
            raise MissingColumnsError("movements", ["sequence"], movements.columns)
        movements = movements.loc[movements["sequence"] <= position]
    return movements


def check_instant(as_of: object) -> dt.datetime:
    """Return an aware instant in UTC, or raise with the way to make one."""
    if not isinstance(as_of, dt.datetime) or as_of.utcoffset() is None:
        raise InvalidValueError(
            "'as_of' must be an aware datetime: attach the store's zone, as in "
            "moment.replace(tzinfo=ZoneInfo('Asia/Shanghai'))"
        )
    moment: dt.datetime = to_utc(as_of)
    return moment


def exact(change: pd.Series) -> pd.Series:
    """Return changes as Python's whole numbers where 64 bits might wrap around."""
    if float(change.abs().astype("float64").sum()) < _SAFE:
        return change
    return change.astype("object")


def int64(sums: pd.Series) -> pd.Series:
    """Return sums as int64, or raise where one does not fit."""
    if sums.dtype != np.dtype("int64") and any(
        abs(each) > MAX_QUANTITY for each in sums
    ):
        raise BalanceOverflowError("the movements add up beyond 64 bits")
    return sums.astype("int64")
