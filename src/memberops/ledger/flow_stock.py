"""Stock over a period, the register of gifts issued, and what an order is made from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import pandas as pd

from memberops.domain.gift import POINTS, Gift, PlaceKind
from memberops.domain.posting import Posting, PostingKind
from memberops.errors import InvalidValueError
from memberops.ledger.balances import changes, check_instant, exact, int64
from memberops.schedules import Period

__all__ = ["gift_stock", "issue_register", "order_facts", "use_of_gifts"]

_CELL = ["place", "gift_id", "lot_id"]
_ISSUES = {PostingKind.ISSUE, PostingKind.REDEMPTION}
_REGISTER = (
    "issue_id",
    "issued_at",
    "store_id",
    "member_id",
    "ticket_id",
    "gift_id",
    "lot_id",
    "quantity",
    "reason",
    "issued_by",
    "redemption_id",
    "reversed_by",
)


def gift_stock(
    movements: pd.DataFrame,
    *,
    period: Period,
    zone: dt.tzinfo,
    kind: PlaceKind | str = PlaceKind.STORE,
    gifts: Iterable[Gift] = (),
) -> pd.DataFrame:
    """
    Say what each place had, got, gave and has of each lot over a period.

    What moves between the parts of a place is neither got nor given.

    Args:
        movements: As `LedgerStore.movements` gives them.
        period: The period.
        zone: Where its days begin.
        kind: ``"store"`` or ``"warehouse"``.
        gifts: The gifts, for what one is worth.

    Returns:
        ``place``, ``gift_id``, ``lot_id``, ``valid_through``, ``opening``, ``came``,
        ``went`` and ``book`` (int64; opening + came - went = book), ``unit_value``
        and ``value`` (Int64 minor units, blank where the gift has none). Lots of which
        there was nothing and which did not move are left out; so are points.

    Raises:
        InvalidValueError: Another kind of place.
        FrameError: See `changes`.
    """
    if kind not in (PlaceKind.STORE, PlaceKind.WAREHOUSE):
        raise InvalidValueError("'kind' is 'store' or 'warehouse'")
    start, end = _bounds(period, zone)
    mine = movements.loc[movements["gift_id"] != POINTS]
    ends = {
        name: mine[name].map({each: _root(each) for each in mine[name].unique()})
        for name in ("source", "destination")
    }
    rows = changes(mine.assign(**ends).loc[ends["source"] != ends["destination"]])
    here = _kinds(rows["place"]) == str(kind)
    rows = rows.loc[here & (rows["effective_at"] < end)]
    rows["change"] = exact(rows["change"])
    before = rows["effective_at"] < start
    rows = rows.assign(
        opening=rows["change"].where(before, 0),
        came=rows["change"].clip(lower=0).mask(before, 0),
        went=(-rows["change"]).clip(lower=0).mask(before, 0),
    )
    groups = rows.groupby(_CELL, observed=True)
    sums = groups[["opening", "came", "went"]].sum().apply(int64)
    sums["valid_through"] = groups["valid_through"].first()
    sums["book"] = sums["opening"] + sums["came"] - sums["went"]
    worth = {
        each.gift_id: each.unit_value.minor
        for each in gifts
        if each.unit_value is not None
    }
    found = sums.loc[(sums[["opening", "came", "went"]] != 0).any(axis=1)]
    found = found.reset_index()
    found["unit_value"] = pd.array(
        [worth.get(each) for each in found["gift_id"]], "Int64"
    )
    found["value"] = found["unit_value"] * found["book"]
    return found[
        [*_CELL, "valid_through", "opening", "came", "went", "book", "unit_value",
         "value"]
    ]  # fmt: skip


def _bounds(period: Period, zone: dt.tzinfo) -> tuple[pd.Timestamp, pd.Timestamp]:
    start, end = (
        dt.datetime.combine(day, dt.time(), tzinfo=zone)
        for day in (period.start, period.end)
    )
    return pd.Timestamp(check_instant(start)), pd.Timestamp(check_instant(end))


def _kinds(places: pd.Series[Any]) -> pd.Series[Any]:
    return places.astype("str").str.split(":", n=1).str[0]


def _root(place: str) -> str:
    """Return the place that a part belongs to: the store, or the warehouse."""
    return ":".join(place.removesuffix(":damaged").split(":")[:2])


def issue_register(postings: Iterable[Posting]) -> pd.DataFrame:
    """
    List what members got: the register 赠品发放登记表 (HQ §8), one row a lot.

    Args:
        postings: Postings of the ledger in their order, reversals too.

    Returns:
        The columns of `memberops.tables.GIFT_ISSUES`, and ``reversed_by``: key of
        the reversal that took the line back, or missing.
    """
    known = tuple(postings)
    turned = {each.reverses: each.posting_id for each in known if each.reverses}
    rows = [
        (
            _one(posting, "issue") or posting.posting_id,
            posting.effective_at,
            each.source.partition(":")[2].partition(":")[0],
            each.destination.partition(":")[2] or None,
            _one(posting, "ticket"),
            each.gift_id,
            each.lot_id or "",
            each.quantity,
            posting.reason or None,
            posting.by,
            _one(posting, "redemption"),
            turned.get(posting.posting_id),
        )
        for posting in known
        if posting.kind in _ISSUES
        for each in posting.movements
        if each.gift_id != POINTS
    ]
    frame = pd.DataFrame(rows, columns=list(_REGISTER))
    texts = [name for name in _REGISTER if name not in ("issued_at", "quantity")]
    return frame.astype(
        dict.fromkeys(texts, "str")
        | {"quantity": "int64", "issued_at": "datetime64[us, UTC]"}
    )


def _one(posting: Posting, kind: str) -> str | None:
    found = posting.references(kind)
    return found[0] if found else None


def use_of_gifts(
    movements: pd.DataFrame, *, period: Period, zone: dt.tzinfo
) -> pd.DataFrame:
    """
    Count how many of each gift members got in a period, less what came back.

    Args:
        movements: As `LedgerStore.movements` gives them.
        period: The days.
        zone: Where they begin.

    Returns:
        ``gift_id`` and ``used`` (int64), for the gifts that moved to or from members.
    """
    start, end = _bounds(period, zone)
    inside = movements["effective_at"].between(start, end, inclusive="left")
    rows = changes(movements.loc[inside & (movements["gift_id"] != POINTS)])
    rows = rows.loc[_kinds(rows["place"]) == PlaceKind.MEMBER.value]
    rows["change"] = exact(rows["change"])
    used = int64(rows.groupby("gift_id")["change"].sum())
    return used.rename("used").reset_index()


def order_facts(
    movements: pd.DataFrame, *, period: Period, as_of: dt.datetime, zone: dt.tzinfo
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Gather what an order proposal is made from: use, stock by lot, and the way.

    What is set aside as damaged is no stock to give.

    Args:
        movements: As `LedgerStore.movements` gives them.
        period: The days whose use counts, as the policy of orders gives them.
        as_of: Aware instant of the stock.
        zone: Where days begin.

    Returns:
        A frame of ``gift_id``, ``used`` (at least 0, where more came back than was
        given) and ``on_the_way``, and a frame of ``gift_id``, ``lot_id``,
        ``valid_through`` and ``quantity`` on hand.
    """
    moment = pd.Timestamp(check_instant(as_of))
    rows = changes(
        movements.loc[
            (movements["effective_at"] <= moment) & (movements["gift_id"] != POINTS)
        ]
    )
    rows["change"] = exact(rows["change"])
    where = _kinds(rows["place"])
    damaged = rows["place"].str.endswith(":damaged")
    on_hand = rows.loc[where.isin(["store", "warehouse"]) & ~damaged]
    lots = on_hand.groupby(["gift_id", "lot_id"], as_index=False).agg(
        valid_through=("valid_through", "first"), quantity=("change", "sum")
    )
    lots["quantity"] = int64(lots["quantity"])
    way = int64(rows.loc[where == "in_transit"].groupby("gift_id")["change"].sum())
    used = use_of_gifts(
        movements.loc[movements["effective_at"] <= moment], period=period, zone=zone
    )
    facts = pd.DataFrame({"gift_id": sorted(rows["gift_id"].unique())}, dtype="str")
    facts = facts.merge(used, on="gift_id", how="left").merge(
        way.rename("on_the_way").reset_index(), on="gift_id", how="left"
    )
    counts = facts[["used", "on_the_way"]].fillna(0).astype("int64")
    facts[["used", "on_the_way"]] = counts
    facts["used"] = facts["used"].clip(lower=0)
    return facts, lots.loc[lots["quantity"] != 0].reset_index(drop=True)
