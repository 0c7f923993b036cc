"""Sales lines reduced to tickets: the only pass over the lines."""

from __future__ import annotations

import datetime as dt
from typing import Any

import narwhals as nw

from memberops.metrics.engine import (
    NO_NUMBER,
    NO_TEXT,
    as_frame,
    checked,
    filled_id,
    refuse_gaps,
    sums,
)
from memberops.metrics.policy import MetricPolicy
from memberops.tables import SALES

__all__ = ["NEEDED", "ticket_frame", "tickets"]

NEEDED = ("ticket_id", "sold_on", "store_id", "amount", "quantity")
_CONSTANT = ("sold_on", "store_id", "member_id")
_SUMS = ("amount", "items")


def tickets(
    sales: Any,
    *,
    first: dt.date | None = None,
    end: dt.date | None = None,
    known_through: dt.date | None = None,
    policy: MetricPolicy | None = None,
) -> Any:
    """
    Reduce sales lines to one row a ticket, with linked returns taken back.

    Args:
        sales: A frame of any engine with ``ticket_id``, ``sold_on``, ``store_id``,
            ``amount`` (``int64`` minor units), ``quantity``; optional ``member_id``
            and ``returned_ticket_id``. Ticket ids are unique in the chain.
        first: Leave out tickets before this day.
        end: Leave out tickets from this day on.
        known_through: Leave out lines, returns too, that were sold after this day:
            what was known on it. Without it a return made since counts.
        policy: Where a linked return counts, and which items.

    Returns:
        A lazy frame of the same engine: ``ticket_id``, ``sold_on``, ``store_id``,
        ``member_id`` (``""``, or -2**62 for whole numbers, if none), ``amount`` and
        ``items`` (``int64``, net of returns). A ticket is a purchase when its
        ``amount`` is above zero.

    Raises:
        MissingColumnsError: A needed column is absent.
        ColumnTypeError: A column has a type that its table forbids.
        FrameError: A line lacks a value that is needed.

    >>> import pandas as pd
    >>> lines = pd.DataFrame({
    ...     "ticket_id": ["A", "A", "R"], "returned_ticket_id": [None, None, "A"],
    ...     "sold_on": pd.to_datetime(["2026-10-01", "2026-10-01", "2026-11-02"]),
    ...     "store_id": ["S1"] * 3, "amount": [500, 700, -700], "quantity": [1, 1, -1]})
    >>> tickets(lines)[["ticket_id", "amount", "items"]].to_dict("records")
    [{'ticket_id': 'A', 'amount': 500, 'items': 1}]
    """
    policy = policy or MetricPolicy()
    lines = refuse_gaps(checked(as_frame(sales, SALES), SALES, NEEDED), SALES, NEEDED)
    frame = ticket_frame(
        lines, first=first, end=end, policy=policy, known_through=known_through
    )
    return nw.to_native(frame.collect() if _eager(sales) else frame)


def _eager(native: Any) -> bool:
    return isinstance(nw.from_native(native), nw.DataFrame)


def ticket_frame(
    sales: nw.LazyFrame[Any],
    *,
    first: dt.date | None,
    end: dt.date | None,
    policy: MetricPolicy,
    known_through: dt.date | None = None,
) -> nw.LazyFrame[Any]:
    """Reduce checked lines to tickets inside narwhals; see `tickets`."""
    frame = sales
    names = frame.collect_schema().names()
    day = frame.collect_schema()["sold_on"]
    if known_through is not None:
        after = known_through + dt.timedelta(days=1)
        frame = _between(frame, day, None, after, margin=0)
    linked = "returned_ticket_id" in names and policy.returns == "original_day"
    if not linked:
        # A day of margin: a ticket that runs over midnight stays whole.
        frame = _between(frame, day, first, end, margin=1)
    quantity = nw.col("quantity").fill_null(0).cast(nw.Int64)
    if policy.items == "sold":
        quantity = (
            nw.when(nw.col("quantity").fill_null(0) > 0)
            .then(quantity)
            .otherwise(nw.lit(0, nw.Int64))
        )
    member = (
        filled_id(frame, "member_id") if "member_id" in names else nw.lit("", nw.String)
    )
    lines = frame.select(
        filled_id(frame, "ticket_id"),
        nw.col("sold_on"),
        filled_id(frame, "store_id"),
        member.alias("member_id"),
        nw.col("amount").fill_null(0).cast(nw.Int64).alias("amount"),
        quantity.alias("items"),
        *([filled_id(frame, "returned_ticket_id").alias("returns")] if linked else []),
    )
    result = _linked(lines) if linked else _reduced(lines)
    return _between(result, day, first, end, margin=0)


def _between(
    frame: nw.LazyFrame[Any],
    dtype: Any,
    first: dt.date | None,
    end: dt.date | None,
    *,
    margin: int,
) -> nw.LazyFrame[Any]:
    extra = dt.timedelta(days=margin)
    if first is not None:
        frame = frame.filter(nw.col("sold_on") >= _literal(first - extra, dtype))
    if end is not None:
        frame = frame.filter(nw.col("sold_on") < _literal(end + extra, dtype))
    return frame


def _literal(day: dt.date, dtype: Any) -> nw.Expr:
    if dtype == nw.Date:
        return nw.lit(day, nw.Date)
    midnight = dt.datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a local day
    return nw.lit(midnight, dtype)


def _reduced(lines: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    return (
        lines.group_by("ticket_id")
        .agg(
            *(nw.col(name).min() for name in ("sold_on", "store_id")),
            # What stands for no member is the lowest: a member on any line counts.
            nw.col("member_id").max(),
            *(nw.col(name).sum() for name in _SUMS),
        )
        .with_columns(*(nw.col(name).cast(nw.Int64) for name in _SUMS))
    )


def _linked(lines: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Let each linked return line take its day, store and member from its ticket."""
    target = nw.col("returns")
    if lines.collect_schema()["returns"] == nw.String:
        unlinked = target == nw.lit(NO_TEXT)
    else:
        unlinked = target == nw.lit(NO_NUMBER)
    own = lines.filter(unlinked)
    back = lines.filter(~unlinked)
    wanted = back.select(target.alias("ticket_id")).unique()
    there = own.join(wanted, on="ticket_id", how="semi").select("ticket_id").unique()
    there = there.select(nw.col("ticket_id").alias("returns"))
    orphans = back.join(there, on="returns", how="anti")
    kept = nw.concat([own.drop("returns"), orphans.drop("returns")], how="vertical")
    moved = sums(
        back.join(there, on="returns", how="semi").select(
            target.alias("ticket_id"),
            nw.col("amount").alias("back_amount"),
            nw.col("items").alias("back_items"),
        ),
        ["ticket_id"],
        ["back_amount", "back_items"],
    )
    return (
        _reduced(kept)
        .join(moved, on="ticket_id", how="left")
        .with_columns(
            nw.col("amount") + nw.col("back_amount").fill_null(0).cast(nw.Int64),
            nw.col("items") + nw.col("back_items").fill_null(0).cast(nw.Int64),
        )
        .drop("back_amount", "back_items")
    )
