"""Planning visits for many members: frames in, one frame out (HQ §6.3)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain import Finding
from memberops.domain.values import check_as_of
from memberops.policies.visit_intake import (
    positions,
    read_contacts,
    read_facts,
    read_members,
    read_planned,
)
from memberops.policies.visit_placing import Array, Board, Wishes
from memberops.policies.visit_plan import check_period
from memberops.policies.visit_policy import Staffing, VisitPolicy
from memberops.policies.visit_rows import FAR, visit_rows
from memberops.policies.visit_wishes import Wanted, wanted_visits
from memberops.schedules import Period

__all__ = ["VisitPlan", "plan_visits"]

_WEEK = 7
_HQ = "hq"


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
    Plan the visits of many members for a period.

    For each member the answer is that of `plan_member`, whatever the order of the
    rows. With *staffing*, a visit for which the staff have no time moves on like any
    other, in the order of importance, and visits are shared out evenly.

    Args:
        facts: ``member_id``, ``trigger``, ``on`` (a date); ``fact_id`` and
            ``store_id`` if there are any. See `VisitFact`.
        members: ``member_id``; as far as they are known ``store_id``, ``zone``,
            ``store_zone``, ``premium``, ``valid_through`` and a true-or-false column
            for each suppression, such as ``opted_out``. See `Standing`.
        period: Visits that fall due in it are planned, and those due before that are
            still in time.
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
    wanted = wanted_visits(told, standing, policy, period, as_of, known)
    member_id = told.member_id.take(wanted.fact).reset_index(drop=True)
    del told
    rows = _placed(
        wanted, member_id, standing, policy, period, as_of, read_contacts(contacts),
        earlier, staffing or Staffing(staff={}),
    )  # fmt: skip
    return VisitPlan(rows=rows, findings=(*findings, *more))


def _placed(  # noqa: PLR0917 - private, one caller
    wanted: Wanted,
    member_id: pd.Series,
    members: pd.DataFrame,
    policy: VisitPolicy,
    period: Period,
    as_of: dt.date,
    contacts: pd.DataFrame,
    earlier: pd.DataFrame,
    staffing: Staffing,
) -> pd.DataFrame:
    people, numbers = _people(members, wanted.member)
    codes = numbers[wanted.member]
    rules = policy.rules
    rule, due = wanted.rule, wanted.due
    last = due + np.array([each.within for each in rules], np.int64)[rule]
    reach = max([_WEEK, policy.recent_days, *(cap.days for cap in policy.contact.caps)])
    first = _number(period.start) - reach
    until = max(int(last.max(initial=0)), _number(period.through)) + reach
    zones, places = _zones(people, policy)
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
    for frame, made in ((contacts, True), (earlier, False)):
        place = positions(members["member_id"], frame["member_id"])
        board.enter(
            np.where(place < 0, -1, numbers[place]),
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
        pool=_pools(wanted, policy, staffing),
        stopped=_stopped(people, codes, rule, due, policy, board),
        round=_rounds(codes, rule, policy),
    )
    day, cause = board.place(columns, _number(max(as_of, period.start)))
    staff, names = _shared_out(columns, day, staffing, before)
    board.clear()
    return visit_rows(wanted, member_id, columns, day, cause, (staff, names), board)


def _people(members: pd.DataFrame, member: Array) -> tuple[pd.DataFrame, Array]:
    """Take the members who are asked for, and number them; the unknown as one."""
    occurs = np.zeros(len(members) + 1, bool)
    occurs[member] = True
    numbers = np.where(occurs, np.cumsum(occurs) - 1, -1)
    known = np.flatnonzero(occurs[:-1])
    people = members.drop(columns="member_id").take(known)
    people["unknown"] = False
    if occurs[-1]:
        nobody: dict[str, Any] = dict.fromkeys(map(str, people), False)
        nobody |= dict.fromkeys(("store_id", "zone", "store_zone"), "")
        nobody |= {"valid_through": pd.NaT, "unknown": True}
        last = pd.DataFrame([nobody]).astype(people.dtypes.to_dict())
        people = pd.concat([people, last])
    return people.reset_index(drop=True), numbers


def _number(day: dt.date) -> int:
    return (day - dt.date(1970, 1, 1)).days


def _through(people: pd.DataFrame) -> Array:
    through = people["valid_through"].to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(through), FAR, through.astype(np.int64))


def _zones(
    people: pd.DataFrame, policy: VisitPolicy
) -> tuple[Array, list[tuple[str, str]]]:
    own, names = pd.factorize(people["zone"])
    at, places = pd.factorize(people["store_zone"])
    pairs, uniques = pd.factorize(own * max(len(places), 1) + at)
    found = []
    for pair in uniques.tolist():
        place = str(places[pair % len(places)]) or policy.zone
        found.append((str(names[pair // len(places)]) or place, place))
    return pairs, found


def _pools(wanted: Wanted, policy: VisitPolicy, staffing: Staffing) -> Array:
    rules, rule = policy.rules, wanted.rule
    pools = {name: number for number, (name, _) in enumerate(staffing.staff)}
    of_store = np.array([pools.get(name, -1) for name in wanted.stores], np.int64)
    hq = np.array([each.by == _HQ for each in rules], bool)[rule]
    staffed = np.array([each.channel in staffing.channels for each in rules], bool)
    found = np.where(hq, pools.get(_HQ, -1), of_store[wanted.store])
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
    rule: Array,
    due: Array,
    policy: VisitPolicy,
    board: Board,
) -> Array:
    stopped = np.zeros(len(codes), np.int16)
    stopped[people["unknown"].to_numpy(bool)[codes]] = board.causes["unknown_member"]
    for suppression in policy.suppressions:
        flags = people[suppression.name].to_numpy(bool)[codes]
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
) -> tuple[Array, list[str]]:
    """Deal each pool's visits of a day out in turn, the important first."""
    names = ["", *(name for _, pool in staffing.staff for name in pool)]
    staff = np.zeros(len(day), np.int64)
    some = np.flatnonzero((columns.pool >= 0) & (day >= 0))
    if not some.size:
        return staff, names
    pool = columns.pool[some]
    desk = pd.Series(pool * before.shape[1] + day[some])
    turn = desk.groupby(desk, sort=False).cumcount().to_numpy()
    turn = turn + before[pool, day[some]]
    sizes = np.array([len(each) for _, each in staffing.staff], np.int64)
    begin = 1 + np.cumsum(sizes) - sizes
    staff[some] = np.where(
        sizes[pool] > 0, begin[pool] + turn % np.maximum(sizes[pool], 1), 0
    )
    return staff, names
