"""What members did in a window: spend, purchases, active days, referrals."""

from __future__ import annotations

import datetime as dt
from typing import Any

import narwhals as nw

from memberops.errors import (
    ColumnTypeError,
    FrameError,
    InvalidValueError,
    MissingColumnsError,
)
from memberops.policies.figures import Frame, day_number, entered, number_of
from memberops.tables import MEMBERS

__all__ = ["tier_figures"]

_TICKETS = ("member_id", "sold_on", "amount")
_COUNTED = ("spend", "purchases", "active_days", "last_purchase", "referrals")


def tier_figures(tickets: Any, members: Any, *, first: dt.date, last: dt.date) -> Any:
    """
    Count each member's figures in a window, both of its days included.

    Args:
        tickets: One row a ticket, returns that the source links already taken off it,
            as ``memberops.metrics.tickets`` gives: ``member_id``, ``sold_on``,
            ``amount`` (net, minor units).
        members: A frame of the same engine: ``member_id``; with ``referrer_id`` and
            ``joined_on``, referrals are counted too.
        first: First day.
        last: Last day.

    Returns:
        The members with ``spend`` (net of returns, minor units), ``purchases``
        (tickets above zero), ``active_days`` (days with a purchase),
        ``last_purchase`` (a number such as 20261105, 0 if there was none) and
        ``referrals`` (others whom the member brought in and who enrolled in the
        window): ``int64``, 0 if there is nothing.

    Raises:
        MissingColumnsError: A needed column is absent.
        ColumnTypeError: Amounts that are no whole numbers, days that are none.
        FrameError: The members have one of the figures already.
        InvalidValueError: The frames are of two engines.

    >>> import pandas as pd
    >>> sold = pd.DataFrame({"member_id": ["M1"] * 3, "amount": [500, 700, -100],
    ...     "sold_on": pd.to_datetime(["2026-10-01", "2026-10-01", "2026-10-09"])})
    >>> people = pd.DataFrame({"member_id": ["M1", "M2"]})
    >>> tier_figures(sold, people, first=dt.date(2026, 10, 1),
    ...              last=dt.date(2026, 10, 31)).to_numpy().tolist()
    [['M1', 1100, 2, 1, 20261001], ['M2', 0, 0, 0, 0]]
    """
    sold, people = entered(tickets, "tickets"), entered(members, "members")
    _check(sold, people)
    if isinstance(sold, nw.LazyFrame) or isinstance(people, nw.LazyFrame):
        sold, people = sold.lazy(), people.lazy()
    sold = sold.filter(~nw.col("sold_on").is_null())
    sold = sold.select(
        "member_id",
        day_number(sold, "sold_on").alias("last_purchase"),
        nw.col("amount").fill_null(0).cast(nw.Int64).alias("spend"),
        nw.lit(1, nw.Int64).alias("_one"),
    ).filter(
        nw.col("last_purchase") >= number_of(first),
        nw.col("last_purchase") <= number_of(last),
    )
    bought = sold.filter(nw.col("spend") > 0)
    days = bought.select("member_id", "last_purchase", "_one").unique()
    counted = [
        _summed(sold, "spend", "spend"),
        _summed(bought, "_one", "purchases"),
        _summed(days, "_one", "active_days"),
        bought.group_by("member_id").agg(nw.col("last_purchase").max()),
    ]
    names = ["spend", "purchases", "active_days", "last_purchase"]
    if {"referrer_id", "joined_on"} <= set(people.collect_schema().names()):
        counted.append(_referrals(people, first, last))
        names.append("referrals")
    for each in counted:
        people = people.join(each, on="member_id", how="left")
    return nw.to_native(
        people.with_columns(
            *(nw.col(name).fill_null(0).cast(nw.Int64) for name in names)
        )
    )


def _summed(frame: Frame, column: str, name: str) -> Frame:
    chosen = frame.select("member_id", nw.col(column).alias(name))
    return chosen.group_by("member_id").agg(nw.col(name).sum())


def _referrals(people: Frame, first: dt.date, last: dt.date) -> Frame:
    brought = people.filter(
        ~(nw.col("joined_on").is_null() | nw.col("referrer_id").is_null())
    )
    joined = day_number(brought, "joined_on")
    brought = brought.with_columns(joined.alias("_joined")).filter(
        nw.col("_joined") >= number_of(first), nw.col("_joined") <= number_of(last)
    )
    brought = brought.filter(nw.col("referrer_id") != nw.col("member_id"))
    brought = brought.select(
        nw.col("referrer_id").alias("member_id"), nw.lit(1, nw.Int64).alias("_one")
    )
    return _summed(brought, "_one", "referrals")


def _check(sold: Frame, people: Frame) -> None:
    schema = sold.collect_schema()
    missing = [name for name in _TICKETS if name not in schema]
    if missing:
        raise MissingColumnsError("tickets", missing, schema.names())
    if not schema["amount"].is_integer():
        raise ColumnTypeError(
            f"column 'amount' of the tickets frame is {schema['amount']}; it must hold "
            "whole minor units (Currency.to_minor)"
        )
    available = people.collect_schema().names()
    MEMBERS.check_columns(available, ["member_id"])
    taken = [name for name in _COUNTED if name in available]
    if taken:
        raise FrameError(f"the members frame already has {taken}: drop them")
    if sold.implementation != people.implementation:
        raise InvalidValueError(
            f"tickets are in {sold.implementation} and members in "
            f"{people.implementation}: bring both to one engine"
        )
