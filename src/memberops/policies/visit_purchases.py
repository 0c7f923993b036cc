"""Purchases of members out of sales lines: ids are compared as numbers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from memberops.policies.intake import taken
from memberops.policies.visit_intake import as_days, told_text
from memberops.tables import SALES

__all__ = ["in_order", "purchases"]

_DAY = 24 * 60 * 60 * 1_000_000
_MOST = 2**62
_Codes = np.ndarray[Any, np.dtype[np.int64]]


def purchases(sales: Any, *, as_of: dt.date) -> tuple[pd.DataFrame, int]:
    """
    Find the days on which members bought, each once.

    A ticket that is not above zero after its linked returns is no purchase (HQ §4.2);
    of a member's tickets of a day the first one names the store.

    Args:
        sales: See `memberops.tables.SALES`.
        as_of: What was sold later is not known yet.

    Returns:
        ``member_id``, ``day``, ``store_id`` and ``last`` (no later day follows),
        ordered by member and day; and how many lines lack a ticket.

    Raises:
        MissingColumnsError: A column is not there.
        ColumnTypeError: A date with a zone, ids that are numbers.

    >>> sales = pd.DataFrame({"ticket_id": ["T1", "T2"], "member_id": ["M1", "M1"],
    ...     "amount": [500, -500], "sold_on": pd.to_datetime(["2026-11-03"] * 2),
    ...     "returned_ticket_id": [None, "T1"]})
    >>> len(purchases(sales, as_of=dt.date(2026, 11, 5))[0])
    0
    """
    lines = taken(
        sales,
        SALES,
        ["ticket_id", "sold_on", "member_id", "amount"],
        ["store_id", "returned_ticket_id"],
    )
    day = as_days(lines, "sold_on")
    known = day <= np.datetime64(as_of)
    tickets, back, own = _coded(lines, "returned_ticket_id", "ticket_id")
    people, member = _coded(lines, "member_id")
    stores, store = _coded(lines, "store_id")
    sold = np.zeros(len(tickets), dtype=bool)
    sold[own] = True
    linked = (back > 0) & sold[back]
    net = np.zeros(len(tickets), dtype=np.int64)
    amount = lines["amount"].to_numpy()
    np.add.at(net, np.where(linked, back, own)[known], amount[known])
    heads = ~linked & known
    nameless = int(np.count_nonzero(heads & (own == 0)))
    heads &= (own > 0) & (member > 0) & (net[own] > 0)
    who, on = member[heads], day[heads].astype(np.int64)
    order = _order([who, on])
    who, on = who[order], on[order]
    ticket = (own[heads] * len(stores) + store[heads])[order]
    fresh = np.flatnonzero(_changes(who) | _changes(on))
    first = np.minimum.reduceat(ticket, fresh) if len(fresh) else ticket
    who, on, where = who[fresh], on[fresh], first % len(stores)
    bought = pd.DataFrame(
        {
            "member_id": people.take(who).array,
            "day": on.astype("datetime64[D]").astype("datetime64[s]"),
            "store_id": stores.take(where).array,
            "last": np.append(_changes(who)[1:], np.ones(min(len(who), 1), bool)),
        }
    )
    return bought, nameless


def in_order(facts: pd.DataFrame) -> pd.DataFrame:
    """
    Sort rows by all columns, from left to right, and keep one of equal ones.

    >>> frame = pd.DataFrame({"id": ["M2", "M1", "M2"], "on": ["b", "a", "b"]})
    >>> in_order(frame)["id"].tolist()
    ['M1', 'M2']
    """
    keys = []
    for name in facts:
        values = facts[name]
        if values.dtype.kind == "M":
            moments = values.to_numpy()
            last = np.iinfo(np.int64).max
            keys.append(np.where(np.isnat(moments), last, moments.astype(np.int64)))
        else:
            keys.append(_ranked(values)[1])
    order = _order(keys)
    fresh = np.zeros(len(order), dtype=bool)
    for key in keys:
        fresh |= _changes(key[order])
    return facts.take(order[fresh]).reset_index(drop=True)


def _order(keys: list[_Codes]) -> _Codes:
    """Sort by numbers, the first key first; keys that fit share one number."""
    packed: list[_Codes] = []
    room = 1
    for key in keys:
        if not len(key):
            return np.zeros(0, dtype=np.int64)
        low, high = int(key.min()), int(key.max())
        if high - low > _MOST:
            packed, room = [*packed, key], _MOST
            continue
        # Whole days in microseconds are counted as days.
        step = _DAY if high - low >= _DAY and not ((key - low) % _DAY).any() else 1
        span = (high - low) // step + 1
        small = (key - low) // step
        if packed and room * span <= _MOST:
            packed[-1] = packed[-1] * span + small
            room *= span
        else:
            packed, room = [*packed, small], span
    if len(packed) == 1:
        return np.argsort(packed[0])
    return np.lexsort(packed[::-1])


def _changes(values: _Codes) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell which values differ from the one before; the first does."""
    changed = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=changed[1:])
    return changed


def _coded(lines: pd.DataFrame, *columns: str) -> tuple[Any, ...]:
    """Number the ids of columns in their order; 0 is the missing one."""
    empty = pd.Series([""], dtype="str")
    parts = [
        told_text(lines, column).astype("str") if column in lines else None
        for column in columns
    ]
    given = [part for part in parts if part is not None]
    words, codes = _ranked(pd.concat([empty, *given], ignore_index=True))
    codes = np.where(codes == len(words), 0, codes)[1:]
    found, start = [], 0
    for part in parts:
        if part is None:
            found.append(np.zeros(len(lines), dtype=np.int64))
            continue
        found.append(codes[start : start + len(part)])
        start += len(part)
    return words, *found


def _ranked(values: pd.Series[Any]) -> tuple[pd.Index[Any], _Codes]:
    """Number texts in their order; a missing one comes last."""
    codes, words = pd.factorize(values)
    order = np.asarray(pd.Index(words).argsort())
    rank = np.full(len(order) + 1, len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return pd.Index(words).take(order), rank[codes]
