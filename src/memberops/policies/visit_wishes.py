"""What the cadence rules ask for, for many members at once, as columns of numbers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain.visit import visit_key
from memberops.policies.visit_intake import Facts, positions
from memberops.policies.visit_placing import Array
from memberops.policies.visit_policy import VisitPolicy
from memberops.schedules import Period

__all__ = ["Wanted", "by_importance", "wanted_visits"]

_ID = np.dtype([("high", ">u8"), ("low", ">u2")])
_AT_ONCE = 100_000
_BITS = 64


@attrs.frozen(kw_only=True, eq=False)
class Wanted:
    """
    Visits that rules ask for, each once, the important first.

    Args:
        fact: Row of the fact.
        member: Row of the member; the number of members if it is not known.
        store: Number of the store in *stores*.
        stores: Names of stores, in order.
        rule: Number of the rule in the policy.
        due: Day due, in days since 1970.
        visit_id: Ids of the visits.
    """

    fact: Array
    member: Array
    store: Array
    stores: Array
    rule: Array
    due: Array
    visit_id: pd.Series


def wanted_visits(  # noqa: PLR0917 - private, one caller
    facts: Facts,
    members: pd.DataFrame,
    policy: VisitPolicy,
    period: Period,
    as_of: dt.date,
    known: pd.Series,
) -> Wanted:
    """List what the rules ask for, less the visits known by their ids."""
    fact, rule, on, due = _in_period(facts, policy, period, as_of)
    rows, back = _distinct(fact, len(facts.trigger))
    place = positions(members["member_id"], facts.member_id.take(rows))
    place = np.where(place < 0, len(members), place)
    premium = np.append(members["premium"].to_numpy(bool), False)[place][back]
    wide = np.array([each.audience == "all" for each in policy.rules], bool)
    few = np.array([each.audience == "premium" for each in policy.rules], bool)
    suits = np.flatnonzero(wide[rule] | (few[rule] == premium))
    fact, rule, on, due, back = (each[suits] for each in (fact, rule, on, due, back))
    store, stores = _stores(facts, members, rows, place)
    member, store = place[back].astype(np.int32), store[back]
    keys = _keys(facts, fact, rule, on, policy)
    order = by_importance(keys, rule, due, store, policy)
    written = keys[order].tobytes().hex()
    size = 2 * _ID.itemsize
    ids = pd.Series(
        ["V" + written[at : at + size] for at in range(0, len(written), size)],
        dtype="str",
    )
    if len(known):
        new = positions(known[known != ""].drop_duplicates(), ids) < 0
        order, ids = order[new], ids[new].reset_index(drop=True)
    return Wanted(
        fact=fact[order],
        member=member[order],
        store=store[order],
        stores=stores,
        rule=rule[order],
        due=due[order],
        visit_id=ids,
    )


def _in_period(
    facts: Facts, policy: VisitPolicy, period: Period, as_of: dt.date
) -> tuple[Array, Array, Array, Array]:
    """
    Match facts and rules by the day due, for whatever audience, as `CadenceRule.dues`.

    Rules are asked about each day once, however many facts it has.
    """
    first, last = np.datetime64(period.start), np.datetime64(period.through)
    start = np.datetime64(max(as_of, period.start))
    code, days = pd.factorize(facts.on)
    days = np.asarray(days).astype("datetime64[D]")
    found: list[tuple[Array, int, Array, Array]] = []
    rows_of: dict[str, tuple[Array, Array]] = {}
    for number, rule in enumerate(policy.rules):
        if rule.trigger not in rows_of:
            rows = np.flatnonzero(facts.trigger == facts.triggers.index(rule.trigger))
            rows_of[rule.trigger] = rows, code[rows]
        rows, codes = rows_of[rule.trigger]
        for on in rule.occurrences(days, period):
            due = rule.due_column(on)
            # What was due before the period may still be in time when it begins.
            late = np.timedelta64(rule.within, "D")
            inside = ((due >= first) | (due >= start - late)) & (due <= last)
            if not rule.ahead:
                inside &= days <= np.datetime64(as_of)
            hit = np.flatnonzero(inside[codes])
            if hit.size:
                at = codes[hit]
                found.append((rows[hit], number, on[at], due[at]))
    empty = np.empty(0, "datetime64[D]")
    sizes = [len(each[0]) for each in found]
    return (
        np.concatenate([np.empty(0, np.int64), *(each[0] for each in found)]),
        np.repeat(np.array([each[1] for each in found], np.int16), sizes),
        np.concatenate([empty, *(each[2] for each in found)]),
        np.concatenate([empty, *(each[3] for each in found)]).astype(np.int64),
    )


def _distinct(rows: Array, size: int) -> tuple[Array, Array]:
    """List the rows that occur, and say which of them each is."""
    occurs = np.zeros(size, bool)
    occurs[rows] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[rows]


def _stores(
    facts: Facts, members: pd.DataFrame, rows: Array, place: Array
) -> tuple[Array, Array]:
    """Number the stores in their order: the fact's own, else the member's."""
    codes, names = pd.factorize(members["store_id"])
    parts = [np.append(codes, len(names))[place]]
    called: list[Any] = [*names, ""]
    if facts.store_id is not None:
        own, own_names = pd.factorize(facts.store_id.take(rows))
        told = np.array([name != "" for name in own_names], bool)[own]
        parts[0] = np.where(told, own + len(called), parts[0])
        called.extend(own_names)
    stores = sorted(set(called))
    rank = {name: number for number, name in enumerate(stores)}
    ranks = np.array([rank[name] for name in called], np.int32)
    return ranks[parts[0]], np.array(stores, object)


def _keys(
    facts: Facts, fact: Array, rule: Array, on: Array, policy: VisitPolicy
) -> Array:
    """Hash each visit's fact and rule, some at a time to spare memory."""
    names = np.array([each.name for each in policy.rules], object)
    days, texts = pd.factorize(on)
    written = np.array([str(day)[:10] for day in texts], object)
    keys = np.empty(len(fact), _ID)
    for begin in range(0, len(fact), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        rows = fact[part]
        ids = facts.fact_id
        told = [""] * len(rows) if ids is None else ids.take(rows).tolist()
        columns = (
            names[rule[part]].tolist(),
            facts.member_id.take(rows).tolist(),
            written[days[part]].tolist(),
            told,
        )
        keys[part] = np.frombuffer(b"".join(map(visit_key, *columns)), _ID)
    return keys


def by_importance(
    keys: Array, rule: Array, due: Array, store: Array, policy: VisitPolicy
) -> Array:
    """
    Order visits by cap, priority, day due and id, each once.

    Of the same visit asked for at two stores, the first store by id has it.
    """
    ranks = sorted({(each.capped, each.priority) for each in policy.rules})
    rank = np.array([ranks.index((e.capped, e.priority)) for e in policy.rules])[rule]
    first = int(due.min(initial=0))
    span = int(due.max(initial=0)) - first + 1
    weight = (rank * span + due - first).astype(np.uint64)
    high = keys["high"].astype(np.uint64)
    bits = np.uint64((len(ranks) * span).bit_length())
    rough = (weight << (np.uint64(_BITS) - bits)) | (high >> bits)
    order = np.argsort(rough)
    # Where the beginning of the id is not enough, all of it decides.
    sorted_ = rough[order]
    same = np.zeros(len(order) + 1, bool)
    same[1:-1] = sorted_[1:] == sorted_[:-1]
    tied = np.flatnonzero(same[1:] | same[:-1])
    among = order[tied]
    order[tied] = among[np.lexsort((store[among], keys["low"][among], high[among],
                                    weight[among]))]  # fmt: skip
    again = np.zeros(len(order), bool)
    again[1:] = same[1:-1] & (keys[order][1:] == keys[order][:-1])
    return order[~again]
