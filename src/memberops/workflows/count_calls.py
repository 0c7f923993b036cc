"""Stocktakes that were called: the rows of the table, read as what is counted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from memberops.domain import Stocktake
from memberops.domain.gift import lies_within
from memberops.errors import (
    InvalidValueError,
    UnknownTableError,
    bounded,
    nearest,
)
from memberops.workflows.gift_moments import end_of_day
from memberops.workflows.inquiry import Inquiry

__all__ = ["called"]


def called(asked: Inquiry, stocktake_id: str | None = None) -> tuple[Stocktake, ...]:
    """
    Return the stocktakes of the table, or the one asked for.

    Raises:
        UnknownTableError: There is no source of stocktakes.
        InvalidValueError: No such stocktake, a row of the table is none, or the one
            asked for counts in a store that the chain does not have.
    """
    if "stocktakes" not in asked.tables:
        raise UnknownTableError(
            "a stocktake needs a source of stocktakes (盘点通知): add "
            "[sources.stocktakes]"
        )
    rows = asked.tables["stocktakes"].to_dict("records")
    known = [str(row["stocktake_id"]) for row in rows]
    if stocktake_id is not None and stocktake_id not in known:
        raise InvalidValueError(
            f"no stocktake is called {bounded([stocktake_id])}; "
            f"{nearest(stocktake_id[:40], known)}"
        )
    found = tuple(
        _stocktake(row, asked)
        for row in rows
        if stocktake_id in {None, row["stocktake_id"]}
    )
    if stocktake_id is not None:
        for each in found:
            _check_stores(each, asked.stores)
    return found


def _check_stores(stocktake: Stocktake, stores: pd.DataFrame | None) -> None:
    """Refuse a stocktake of a store that nobody knows: its counts would be none."""
    if stores is None:
        return
    known = [f"store:{each}" for each in stores["store_id"]]
    for place in stocktake.places:
        if lies_within(place, "store") and not (
            place == "store" or any(lies_within(place, each) for each in known)
        ):
            raise InvalidValueError(
                f"the stocktake {bounded([stocktake.stocktake_id])} counts in "
                f"{bounded([place])}, which is no store of the chain; "
                f"{nearest(place, known)}"
            )


def _stocktake(row: dict[Any, Any], asked: Inquiry) -> Stocktake:
    held: dict[Any, Any] = {
        name: None if pd.isna(each) else each for name, each in row.items()
    }
    places = [each.strip() for each in (held.get("places") or "").split(";")]
    places = [each for each in places if each]
    if not places:
        stores = asked.stores
        if stores is None:
            raise InvalidValueError(
                f"the stocktake {bounded([held['stocktake_id']])} is of every store: "
                "add [sources.stores], or name its places"
            )
        places = [f"store:{each}" for each in stores["store_id"]]
    ended = held["ended_on"].date()
    due = held.get("due_on")
    last = None if due is None else due.date()
    if last is None and held.get("promotion"):
        days = asked.policies.stocktake.days_after_promotion
        last = ended + dt.timedelta(days=days)
    return Stocktake(
        stocktake_id=held["stocktake_id"],
        places=places,
        cutoff=end_of_day(ended, asked.chain.zone),
        due_on=last,
        promotion=held.get("promotion") or "",
        blind=held.get("blind") == "yes",
    )
