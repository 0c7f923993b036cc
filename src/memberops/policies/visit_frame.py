"""Planning visits for many members: frames in, one frame out (HQ §6.3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain import Finding
from memberops.domain.values import check_as_of
from memberops.domain.visit import visit_key
from memberops.policies.visit_intake import (
    read_contacts,
    read_facts,
    read_members,
    read_planned,
)
from memberops.policies.visit_placing import Array, Board, Wishes
from memberops.policies.visit_plan import check_period
from memberops.policies.visit_policy import Staffing, VisitPolicy
from memberops.policies.visit_rows import FAR, visit_rows
from memberops.schedules import Period

__all__ = ["VisitPlan", "plan_visits"]

_WEEK = 7
_HQ = "hq"
_ID = np.dtype([("high", ">u8"), ("low", ">u2")])


@attrs.frozen(kw_only=True)
class VisitPlan:
    """
    The visits of many members.

    Args:
        rows: One row a visit, as `plan_visits` describes them.
        findings: What was wrong with the facts.
    """

    rows: pd.DataFrame
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        """Count, and show nobody."""
        return f"VisitPlan({len(self.rows)} rows, {len(self.findings)} findings)"


def plan_visits(
    facts: Any,
    members: Any,
    *,
    period: Period,
    as_of: dt.date,
    policy: VisitPolicy | None = None,
    contacts: Any = None,
    planned: Any = None,
    staffing: Staffing | None = None,
) -> VisitPlan:
    """
    Plan the visits of many members that fall due in a period.

    For each member the answer is that of `plan_member`, whatever the order of the
    rows. With *staffing*, a visit for which the staff have no time moves on like any
    other, in the order of importance, and visits are shared out evenly.

    Args:
        facts: ``member_id``, ``trigger``, ``on`` (a date); ``fact_id`` and
            ``store_id`` if there are any. See `VisitFact`.
        members: ``member_id``; as far as they are known ``store_id``, ``zone``,
            ``store_zone``, ``premium``, ``valid_through`` and a true-or-false column
            for each suppression, such as ``opted_out``. See `Standing`.
        period: Visits that fall due in it are planned.
        as_of: The day of planning.
        policy: The rules; the spec's by default.
        contacts: Contacts made: ``member_id``, ``on`` and ``channel`` if it is known.
        planned: Rows of earlier plans: they keep their days and are not planned
            again. Leave rows out to have them weighed anew.
        staffing: Who makes the visits; None for no limit.

    Returns:
        One row a visit, also those dropped or suppressed, ordered by store, day,
        priority and id: ``visit_id``, ``rule``, ``kind``, ``store_id``,
        ``member_id``, ``channel``, ``by``, ``priority``, ``due_on``, ``last_on``,
        ``day`` (none if dropped or suppressed), ``windows`` (the member's local
        hours), ``staff_id``, ``state``, ``cause``, ``reason_en``, ``reason_zh``.

    Raises:
        MissingColumnsError: A frame lacks a column.
        ColumnTypeError: A date with a zone, an id that is a number.

    >>> facts = pd.DataFrame({"member_id": ["M1", "M2"], "trigger": "purchase",
    ...     "on": pd.to_datetime(["2026-10-08", "2026-10-09"])})
    >>> members = pd.DataFrame({"member_id": ["M1", "M2"], "store_id": "S1",
    ...     "opted_out": [False, True]})
    >>> plan = plan_visits(facts, members, period=Period.month(2026, 11),
    ...     as_of=dt.date(2026, 10, 28))
    >>> plan.rows[["member_id", "rule", "state", "cause"]]
      member_id      rule       state      cause
    0        M1  greeting     planned
    1        M2  greeting  suppressed  opted_out
    """
    check_as_of(as_of)
    check_period(period)
    policy = policy or VisitPolicy()
    told, findings = read_facts(facts, policy)
    standing, more = read_members(members, policy)
    earlier, known = read_planned(planned)
    wishes = _wishes(told, standing, policy, period, as_of, known)
    rows = _placed(
        wishes, standing, policy, period, as_of, read_contacts(contacts), earlier,
        staffing or Staffing(staff={}),
    )  # fmt: skip
    return VisitPlan(rows=rows, findings=(*findings, *more))


def _wishes(  # noqa: PLR0917 - private, one caller
    facts: pd.DataFrame,
    members: pd.DataFrame,
    policy: VisitPolicy,
    period: Period,
    as_of: dt.date,
    known: Collection[str],
) -> pd.DataFrame:
    """List what the rules ask for, the important first, each once."""
    place = pd.Index(members["member_id"]).get_indexer(facts["member_id"])
    premium = np.append(members["premium"].to_numpy(bool), False)[place]
    stores = np.append(members["store_id"].to_numpy(object), "")[place]
    own = facts["store_id"].to_numpy(object)
    store = np.where(own != "", own, stores)
    on = facts["on"].to_numpy().astype("datetime64[D]")
    triggers, names = pd.factorize(facts["trigger"])
    codes = {name: code for code, name in enumerate(names)}
    found: list[tuple[Array, int, Array, Array]] = []
    for number, rule in enumerate(policy.rules):
        chosen = triggers == codes.get(rule.trigger, -2)
        if not rule.ahead:
            chosen &= on <= np.datetime64(as_of)
        if rule.audience != "all":
            chosen &= premium == (rule.audience == "premium")
        which = np.flatnonzero(chosen)
        for column in rule.occurrences(on[which], period):
            due = rule.due_column(column)
            inside = (due >= np.datetime64(period.start)) & (
                due <= np.datetime64(period.through)
            )
            if inside.any():
                found.append((which[inside], number, column[inside], due[inside]))
    which = np.concatenate([np.empty(0, np.int64), *(each[0] for each in found)])
    rule_no = np.repeat([each[1] for each in found], [len(each[0]) for each in found])
    empty = np.empty(0, "datetime64[D]")
    ons = np.concatenate([empty, *(each[2] for each in found)])
    due = np.concatenate([empty, *(each[3] for each in found)])
    keys = _keys(facts, which, rule_no.astype(np.int64), ons, policy)
    wishes = pd.DataFrame(
        {
            "member": place[which],
            "member_id": _objects(facts["member_id"].to_numpy(object)[which]),
            "store_id": _objects(store[which]),
            "rule": rule_no.astype(np.int64),
            "due": due.astype(np.int64),
        }
    )
    capped = np.array([rule.capped for rule in policy.rules], bool)
    priority = np.array([rule.priority for rule in policy.rules], np.int64)
    rank = pd.factorize(wishes["store_id"], sort=True)[0]
    ids = np.frombuffer(b"".join(keys), _ID)
    order = np.lexsort((rank, ids["low"], ids["high"], wishes["due"],
                        priority[wishes["rule"]], capped[wishes["rule"]]))  # fmt: skip
    again = np.zeros(len(order), bool)
    again[1:] = ids[order][1:] == ids[order][:-1]
    order = order[~again]
    wishes = wishes.iloc[order]
    written = np.array(["V" + keys[index].hex() for index in order], object)
    wishes["visit_id"] = pd.Series(written, index=wishes.index, dtype=object)
    if known:
        wishes = wishes[~wishes["visit_id"].isin(known)]
    return wishes.reset_index(drop=True)


def _objects(values: Array) -> pd.Series:
    return pd.Series(values, dtype=object, copy=False)


def _keys(
    facts: pd.DataFrame, which: Array, rules: Array, ons: Array, policy: VisitPolicy
) -> list[bytes]:
    names = np.array([rule.name for rule in policy.rules], object)[rules]
    days, texts = pd.factorize(ons)
    written = np.array([str(day)[:10] for day in texts], object)
    columns = (
        names,
        facts["member_id"].to_numpy(object)[which],
        written[days] if len(written) else days,
        facts["fact_id"].to_numpy(object)[which],
    )
    return [visit_key(*parts) for parts in zip(*columns, strict=True)]


def _placed(  # noqa: PLR0917 - private, one caller
    wishes: pd.DataFrame,
    members: pd.DataFrame,
    policy: VisitPolicy,
    period: Period,
    as_of: dt.date,
    contacts: pd.DataFrame,
    earlier: pd.DataFrame,
    staffing: Staffing,
) -> pd.DataFrame:
    codes, who = pd.factorize(wishes["member_id"])
    place = pd.Index(members["member_id"]).get_indexer(who)
    people = (
        members.reindex(place) if len(members) else members.reindex([-1] * len(who))
    )
    rules = policy.rules
    rule = wishes["rule"].to_numpy()
    due = wishes["due"].to_numpy()
    last = due + np.array([each.within for each in rules], np.int64)[rule]
    reach = max([_WEEK, policy.recent_days, *(cap.days for cap in policy.contact.caps)])
    first = _number(period.start) - reach
    until = max(int(last.max(initial=0)), _number(period.through)) + reach
    zones, places = _zones(people, policy)
    pools = _pools(wishes["store_id"], rule, policy, staffing)
    limits = np.array([staffing.limit(name) for name, _ in staffing.staff], np.int64)
    board = Board(
        policy,
        zones=zones,
        places=places,
        through=_through(people),
        first=first,
        days=until - first + 1,
        limits=limits,
    )
    known = pd.Index(who)
    for frame, made in ((contacts, True), (earlier, False)):
        board.enter(
            known.get_indexer(frame["member_id"]),
            frame["on"].to_numpy().astype("datetime64[D]").astype(np.int64),
            frame["channel"].to_numpy(object),
            made=made,
        )
    board.occupy(
        _earlier_pools(earlier, staffing),
        earlier["on"].to_numpy().astype("datetime64[D]").astype(np.int64),
    )
    before = board.load.copy()
    columns = Wishes(
        member=codes,
        rule=rule,
        due=due,
        last=last,
        pool=pools,
        stopped=_stopped(people, codes, place, rule, due, policy, board),
        round=_rounds(codes, rule, policy),
    )
    day, cause = board.place(columns, _number(as_of))
    staff = _shared_out(columns, day, staffing, before)
    return visit_rows(wishes, columns, day, cause, staff, board)


def _number(day: dt.date) -> int:
    return (day - dt.date(1970, 1, 1)).days


def _through(people: pd.DataFrame) -> Array:
    through = people["valid_through"].to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(through), FAR, through.astype(np.int64))


def _zones(
    people: pd.DataFrame, policy: VisitPolicy
) -> tuple[Array, list[tuple[str, str]]]:
    store = people["store_zone"].fillna("").to_numpy(object)
    store = np.where(store != "", store, policy.zone)
    own = people["zone"].fillna("").to_numpy(object)
    own = np.where(own != "", own, store)
    own_codes, own_names = pd.factorize(own)
    store_codes, store_names = pd.factorize(store)
    pairs, uniques = pd.factorize(own_codes * max(len(store_names), 1) + store_codes)
    return pairs, [
        (str(own_names[pair // len(store_names)]),
         str(store_names[pair % len(store_names)]))
        for pair in uniques
    ]  # fmt: skip


def _pools(
    stores: pd.Series, rule: Array, policy: VisitPolicy, staffing: Staffing
) -> Array:
    hq = np.array([each.by == _HQ for each in policy.rules], bool)[rule]
    staffed = np.array([e.channel in staffing.channels for e in policy.rules], bool)
    names = np.where(hq, _HQ, stores.to_numpy(object))
    pools = pd.Index([name for name, _ in staffing.staff], dtype=object)
    found = pools.get_indexer(pd.Index(names, dtype=object))
    return np.where(staffed[rule], found, -1)


def _earlier_pools(earlier: pd.DataFrame, staffing: Staffing) -> Array:
    names = earlier["store_id"].where(earlier["by"] != _HQ, _HQ).astype(object)
    pools = pd.Index([name for name, _ in staffing.staff], dtype=object)
    channels = [channel.value for channel in staffing.channels]
    found = pools.get_indexer(pd.Index(names, dtype=object))
    return np.where(earlier["channel"].isin(channels), found, -1)


def _stopped(  # noqa: PLR0917 - private, one caller
    people: pd.DataFrame,
    codes: Array,
    place: Array,
    rule: Array,
    due: Array,
    policy: VisitPolicy,
    board: Board,
) -> Array:
    stopped = np.zeros(len(codes), np.int16)
    stopped[place[codes] < 0] = board.causes["unknown_member"]
    for suppression in policy.suppressions:
        flags = (people[suppression.name] == True).to_numpy(bool)[codes]  # noqa: E712 - a column with gaps
        stops = np.array([suppression.stops(each) for each in policy.rules], bool)
        hit = flags & stops[rule] & (stopped == 0)
        stopped[hit] = board.causes[suppression.name]
    expired = (due > board.through[codes]) & ~board.despite[rule] & (stopped == 0)
    stopped[expired] = board.causes["expired"]
    return stopped


def _rounds(codes: Array, rule: Array, policy: VisitPolicy) -> Array:
    ranks = [(each.capped, each.priority) for each in policy.rules]
    known = sorted(set(ranks))
    rank = np.array([known.index(each) for each in ranks], np.int64)[rule]
    mixed = pd.Series(codes * len(known) + rank)
    ordinal = mixed.groupby(mixed, sort=False).cumcount().to_numpy()
    return rank * (int(ordinal.max(initial=0)) + 1) + ordinal


def _shared_out(
    columns: Wishes, day: Array, staffing: Staffing, before: Array
) -> Array:
    """Deal each pool's visits of a day out in turn, the important first."""
    staff = np.full(len(day), "", object)
    some = np.flatnonzero((columns.pool >= 0) & (day >= 0))
    desk = pd.Series(columns.pool[some] * before.shape[1] + day[some])
    turn = desk.groupby(desk, sort=False).cumcount().to_numpy()
    turn = turn + before[columns.pool[some], day[some]]
    for pool, (_, names) in enumerate(staffing.staff):
        mine = columns.pool[some] == pool
        if names and mine.any():
            staff[some[mine]] = np.array(names, object)[turn[mine] % len(names)]
    return staff
