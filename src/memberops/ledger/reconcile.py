"""Compare what the books say with what was counted, or with another system's stock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from memberops.errors import (
    ColumnTypeError,
    InvalidValueError,
    MissingColumnsError,
    bounded,
)
from memberops.ledger.balances import changes, check_instant, exact, int64

__all__ = ["balances_at", "from_levels", "reconcile"]

_CELL = ["gift_id", "lot_id", "place"]


def balances_at(
    movements: pd.DataFrame, moments: Sequence[dt.datetime]
) -> pd.DataFrame:
    """
    Fold movements into the balances at several moments, in one pass.

    Args:
        movements: As `memberops.ledger.balances` takes them.
        moments: Aware instants, ascending; each counts what is effective at or
            before it.

    Returns:
        A frame with gift_id, lot_id, place, as_of and quantity: every cell that the
        movements name, at every moment.

    Raises:
        InvalidValueError: The moments do not ascend, or are naive.
        BalanceOverflowError: A sum would leave 64 bits.
    """
    ends = [check_instant(each) for each in moments]
    if not ends or any(a >= b for a, b in pairwise(ends)):
        raise InvalidValueError("'moments' are at least one, and ascend")
    rows = changes(movements)
    rows["change"] = exact(rows["change"])
    columns = pd.DatetimeIndex(ends, tz="UTC").as_unit("us")
    bucket = columns.searchsorted(pd.DatetimeIndex(rows["effective_at"]))
    by_cell = rows.groupby(_CELL, sort=True, observed=True)
    cells = by_cell.size().reset_index()[_CELL]
    change = rows["change"].to_numpy()
    sums = np.zeros((len(cells), len(ends) + 1), dtype=change.dtype)
    np.add.at(sums, (by_cell.ngroup().to_numpy(), bucket), change)
    quantity = sums[:, :-1].cumsum(axis=1).ravel()
    long = cells.loc[cells.index.repeat(len(ends))].reset_index(drop=True)
    return long.assign(
        as_of=columns.take(np.tile(np.arange(len(ends)), len(cells))),
        quantity=int64(pd.Series(quantity)),
    )


def reconcile(
    book: pd.DataFrame, counted: pd.DataFrame, *, by: Sequence[str]
) -> pd.DataFrame:
    """
    Compare book quantities with counted ones (HQ §7).

    What is not counted is not zero: it has no difference. What was counted and is not
    in the books has a book quantity of zero, for balances of zero are left out there.

    Args:
        book: A frame with the columns of *by* and `quantity`, int64.
        counted: The same; a missing quantity (Int64) is not counted.
        by: What names a line, such as ``["gift_id", "lot_id", "place"]``.

    Returns:
        One row per line of either, sorted by *by*: book, counted and difference
        (counted less book), Int64, and state: ``"agree"``, ``"surplus"``,
        ``"shortage"`` or ``"not_counted"``.

    Raises:
        MissingColumnsError: A column is absent.
        ColumnTypeError: A quantity is no whole number.
        InvalidValueError: A line stands twice in one of the frames.

    >>> book = pd.DataFrame({"gift_id": ["A", "B", "C"], "quantity": [5, 2, 1]})
    >>> counted = pd.DataFrame({"gift_id": ["A", "B", "D"], "quantity": [5, 1, 4]})
    >>> found = reconcile(book, counted, by=["gift_id"])
    >>> found[["gift_id", "difference", "state"]].astype(object).values.tolist()
    [['A', 0, 'agree'], ['B', -1, 'shortage'], ['C', <NA>, 'not_counted'], \
['D', 4, 'surplus']]
    """
    names = list(by)
    _check_lines(book, names, "book")
    _check_lines(counted, names, "counted")
    left = book.set_index(names)["quantity"].astype("Int64").rename("book")
    right = counted.set_index(names)["quantity"].astype("Int64").rename("counted")
    lines = pd.concat([left, right], axis=1).sort_index().reset_index()
    lines["book"] = lines["book"].fillna(0)
    lines["difference"] = lines["counted"] - lines["book"]
    sign = lines["difference"]
    lines["state"] = np.select(
        [sign.isna(), (sign > 0).fillna(value=False), (sign < 0).fillna(value=False)],
        ["not_counted", "surplus", "shortage"],
        default="agree",
    )
    return lines


def _check_lines(frame: pd.DataFrame, names: list[str], table: str) -> None:
    missing = [name for name in [*names, "quantity"] if name not in frame.columns]
    if missing:
        raise MissingColumnsError(table, missing, frame.columns)
    if not pd.api.types.is_integer_dtype(frame["quantity"].dtype):
        raise ColumnTypeError(
            f"{table}: 'quantity' must be whole numbers (int64 or Int64), "
            f"not {frame['quantity'].dtype}"
        )
    twice = frame.duplicated(names)
    if twice.any():
        first = frame.loc[twice, names].iloc[0].tolist()
        raise InvalidValueError(f"{table}: the line {bounded([first])} stands twice")


def from_levels(
    levels: pd.DataFrame, *, place: str, account: str = "adjustment"
) -> pd.DataFrame:
    """
    Make movements of a journal that records what was there after each event.

    Some systems, such as InvenTree, keep the level and not the change. Each event
    becomes the movement between *account* and *place* that leads from the level before
    to its own; one that changes nothing becomes none.

    Args:
        levels: A frame with gift_id, effective_at (instants) and quantity, int64:
            the level after the event, 0 or more; and sequence, if rows of one instant
            are not in order already.
        place: Where the goods are.
        account: Where they come from and go to.

    Returns:
        Movements, as `memberops.ledger.balances` takes them.

    Raises:
        MissingColumnsError: A column is absent.
        ColumnTypeError: The quantity is no int64.
    """
    needed = ["gift_id", "effective_at", "quantity"]
    missing = [name for name in needed if name not in levels.columns]
    if missing:
        raise MissingColumnsError("levels", missing, levels.columns)
    if levels["quantity"].dtype != np.dtype("int64"):
        raise ColumnTypeError(
            f"levels: 'quantity' must be int64, not {levels['quantity'].dtype}"
        )
    order = [name for name in ("effective_at", "sequence") if name in levels.columns]
    rows = levels.sort_values(order, kind="stable")
    before = rows.groupby("gift_id", sort=False)["quantity"].shift(fill_value=0)
    change = rows["quantity"] - before
    moved = rows.loc[change != 0, [name for name in rows.columns if name != "quantity"]]
    change = change[change != 0]
    return moved.assign(
        source=np.where(change > 0, account, place),
        destination=np.where(change > 0, place, account),
        quantity=change.abs(),
    ).reset_index(drop=True)
