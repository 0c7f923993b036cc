"""What became of planned visits: coverage, on-time and answer share (HQ §6.3)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain import Finding, Severity
from memberops.domain.values import check_as_of
from memberops.errors import ColumnTypeError, InvalidValueError, bounded
from memberops.policies.visit_intake import among, as_days, as_text, taken_in

__all__ = ["VisitCoverage", "members_without_plan", "visit_coverage", "visits_by_store"]

_SHARES = (
    ("coverage", "done", "planned"),
    ("on_time_share", "on_time", "done"),
    ("answer_share", "answered", "done"),
)


@attrs.frozen(kw_only=True)
class VisitCoverage:
    """
    The coverage of stores.

    Args:
        rows: One row a store, as `visit_coverage` describes them.
        findings: Records that match no planned visit.
    """

    rows: pd.DataFrame
    findings: tuple[Finding, ...]


def visit_coverage(plan: Any, records: Any, *, as_of: dt.date) -> VisitCoverage:
    """
    Count what was done of the visits planned until a day, for each store.

    Args:
        plan: Rows of `plan_visits`; those dropped or suppressed are not planned.
        records: ``visit_id``, ``outcome``, ``done_on`` (the store's local day) and
            ``answered`` (true or false, or the table's words ``"yes"`` and
            ``"no"``). Of several records of a visit the first day done counts; it is
            answered if one of them is.
        as_of: Visits planned for a later day, and later records, do not count yet.

    Returns:
        ``store_id``, then the figures ``planned``, ``done``, ``on_time`` (done by the
        last day in time) and ``answered``, then ``coverage`` = done / planned,
        ``on_time_share`` = on_time / done and ``answer_share`` = answered / done as
        floats, and ``undefined``: which share has no denominator, and why.

    >>> plan = pd.DataFrame({"visit_id": ["V1", "V2"], "store_id": "S1",
    ...     "day": pd.to_datetime(["2026-11-02"] * 2),
    ...     "last_on": pd.to_datetime(["2026-11-03"] * 2)})
    >>> records = pd.DataFrame({"visit_id": ["V1"], "outcome": ["done"],
    ...     "done_on": pd.to_datetime(["2026-11-04"]), "answered": [True]})
    >>> rows = visit_coverage(plan, records, as_of=dt.date(2026, 11, 5)).rows
    >>> rows.to_dict('records')[0]  # doctest: +NORMALIZE_WHITESPACE
    {'store_id': 'S1', 'planned': 2, 'done': 1, 'on_time': 0, 'answered': 1,
     'coverage': 0.5, 'on_time_share': 0.0, 'answer_share': 1.0, 'undefined': ''}
    """
    until = np.datetime64(check_as_of(as_of))
    frame = taken_in(plan, "plan", ("visit_id", "store_id", "day", "last_on"))
    day = as_days(frame, "day")
    visits = pd.DataFrame(
        {
            "visit_id": as_text(frame, "visit_id"),
            "store_id": as_text(frame, "store_id"),
            "last_on": as_days(frame, "last_on").astype("datetime64[s]"),
        }
    )
    # A date without a day (NaT) compares as false: such visits are not planned.
    known = visits["visit_id"].drop_duplicates()
    visits = visits[day <= until].drop_duplicates("visit_id")
    made = taken_in(records, "records", ("visit_id", "outcome", "done_on", "answered"))
    done = pd.DataFrame(
        {
            "visit_id": as_text(made, "visit_id"),
            "outcome": as_text(made, "outcome"),
            "done_on": as_days(made, "done_on").astype("datetime64[s]"),
            "answered": _answered(made["answered"]),
        }
    )
    strange = int(np.count_nonzero(~among(known, done["visit_id"])))
    done = done[(done["outcome"] == "done") & (done["done_on"] <= until)]
    first = done.groupby("visit_id").agg(
        done_on=("done_on", "min"), answered=("answered", "max")
    )
    joined = visits.join(first, on="visit_id")
    joined["done"] = joined["done_on"].notna()
    joined["on_time"] = joined["done"] & (joined["done_on"] <= joined["last_on"])
    joined["answered"] = joined["answered"].eq(other=True)
    figures = joined.groupby("store_id").agg(
        planned=("visit_id", "size"),
        done=("done", "sum"),
        on_time=("on_time", "sum"),
        answered=("answered", "sum"),
    )
    rows = figures.astype("int64").reset_index()
    return VisitCoverage(rows=_with_shares(rows), findings=_unplanned(strange))


def _answered(values: pd.Series[Any]) -> Any:
    """Read true or false, or the words of the table of visits."""
    known = {True: True, False: False, "yes": True, "no": False, "": False}
    whole = values.astype(object).where(values.notna(), other=False)
    strange = [each for each in whole.unique() if each not in known]
    if strange:
        raise ColumnTypeError(
            "column 'answered' must hold true or false, or 'yes' and 'no', not "
            f"{bounded(map(str, strange))}"
        )
    return whole.map(known).to_numpy(dtype=bool)


def _with_shares(rows: pd.DataFrame) -> pd.DataFrame:
    undefined: list[list[str]] = [[] for _ in range(len(rows))]
    for name, numerator, denominator in _SHARES:
        below = rows[denominator].to_numpy(float)
        share = np.full(len(rows), np.nan)
        np.divide(rows[numerator].to_numpy(float), below, out=share, where=below > 0)
        rows[name] = share
        for place in np.flatnonzero(below == 0):
            undefined[place].append(f"{name}: {denominator} = 0")
    rows["undefined"] = pd.Series(["; ".join(each) for each in undefined], dtype="str")
    return rows


def _unplanned(number: int) -> tuple[Finding, ...]:
    if not number:
        return ()
    return (
        Finding(
            table="visit_record",
            rule="visit-unknown",
            message_en="records of visits that are in no plan do not count",
            message_zh="回访记录不在计划中，不计入",
            severity=Severity.WARNING,
            count=number,
        ),
    )


def visits_by_store(plan: Any, *, stores: Any = ()) -> pd.DataFrame:
    """
    Consolidate the plans of all stores: how many visits of each kind (HQ §6.3).

    Args:
        plan: Rows of `plan_visits`.
        stores: Ids of stores that have to hand in a plan; those without one are
            listed with 0 visits and no kind.

    Returns:
        ``store_id``, ``kind``, ``channel``, ``by``, ``visits``, ``moved``,
        ``dropped`` and ``suppressed``, by store, kind and channel.
    """
    keys = ["store_id", "kind", "channel", "by"]
    frame = taken_in(plan, "plan", (*keys, "state"))
    told = pd.DataFrame({name: as_text(frame, name) for name in (*keys, "state")})
    told["visits"] = told["state"].isin(["planned", "moved"])
    for state in ("moved", "dropped", "suppressed"):
        told[state] = told["state"] == state
    names = ["visits", "moved", "dropped", "suppressed"]
    rows = told.groupby(keys)[names].sum().astype("int64").reset_index()
    silent = sorted(set(stores) - set(told["store_id"]))
    if silent:
        empty = pd.DataFrame({"store_id": silent, "kind": "", "channel": "", "by": ""})
        rows = pd.concat([rows, empty.assign(**dict.fromkeys(names, 0))])
    return rows.sort_values(keys).reset_index(drop=True)


def members_without_plan(
    members: Any, plan: Any, contacts: Any, *, days: int, as_of: dt.date
) -> pd.DataFrame:
    """
    List members whom nobody plans to contact, and nobody has for some days.

    Args:
        members: ``member_id``, and ``store_id`` if it is known.
        plan: Rows of `plan_visits`: a day on or after *as_of* is a plan.
        contacts: Contacts made: ``member_id`` and ``on``.
        days: After how many days without a contact a member is listed, 1 or more.
        as_of: The day for which is asked; later contacts are not known yet.

    Returns:
        ``store_id``, ``member_id``, ``last_on`` (none if never) and ``days`` since
        then (missing if never), by store and member.
    """
    today = np.datetime64(check_as_of(as_of))
    if isinstance(days, bool) or days < 1:
        raise InvalidValueError("'days' must be a whole number of 1 or more")
    people = taken_in(members, "members", ("member_id",))
    ahead = taken_in(plan, "plan", ("member_id", "day"))
    made = taken_in(contacts, "contacts", ("member_id", "on"))
    rows = pd.DataFrame(
        {name: as_text(people, name) for name in ("store_id", "member_id")}
    ).drop_duplicates("member_id")
    planned = as_text(ahead, "member_id")[as_days(ahead, "day") >= today]
    on = as_days(made, "on")
    last = pd.DataFrame(
        {"member_id": as_text(made, "member_id"), "last_on": on.astype("datetime64[s]")}
    )[on <= today]
    rows = rows.join(last.groupby("member_id")["last_on"].max(), on="member_id")
    since = (today.astype("datetime64[s]") - rows["last_on"]).dt.days.astype("Int64")
    rows["days"] = since
    silent = (since.isna() | (since >= days)) & ~among(planned, rows["member_id"])
    listed: pd.DataFrame = rows[silent.to_numpy(bool)].sort_values(
        ["store_id", "member_id"]
    )
    return listed.reset_index(drop=True)
