"""From frames of complaints and events to cases, one by one (HQ §6.2)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from memberops.domain import CaseEvent, Complaint, Currency, Finding, Money
from memberops.domain.complaint import Channel, EventKind
from memberops.errors import MemberOpsError
from memberops.policies.case_intake import clean_cases, told

__all__ = ["read_cases"]

_YES = {"yes": True, "no": False}
_KINDS = {kind.value: kind for kind in EventKind}
_CHANNELS = {channel.value: channel for channel in Channel}


def read_cases(
    complaints: Any,
    case_events: Any = None,
    *,
    currency: Currency,
    zone: dt.tzinfo = dt.UTC,
) -> tuple[tuple[Complaint, ...], tuple[Finding, ...]]:
    """
    Make a `Complaint` of each case that can be used, with its events.

    Nothing is left out by time: `Complaint.history` and `ServiceLevels.decide` take
    ``as_of``, and what happened later is not known to them.

    Args:
        complaints: See `memberops.tables.COMPLAINTS`; needs ``case_id`` and
            ``received_at``.
        case_events: See `memberops.tables.CASE_EVENTS`; None for no events.
        currency: Of the amounts asked, which are minor units.
        zone: Zone in which moments are told; it changes none of them.

    Returns:
        The cases by id, their events by time, whatever the order of the rows; and
        what was left out or mended, counted by rule.

    Raises:
        MissingColumnsError: A frame lacks a column.
        ColumnTypeError: Moments without a zone, ids that are numbers.

    >>> complaints = pd.DataFrame({"case_id": ["K1"],
    ...     "received_at": pd.to_datetime(["2026-11-05T01:00Z"]), "asked": [120000]})
    >>> events = pd.DataFrame({"case_id": ["K1", "K9"], "kind": "replied",
    ...     "at": pd.to_datetime(["2026-11-05T03:00Z"] * 2)})
    >>> cases, findings = read_cases(complaints, events, currency=Currency("CNY"))
    >>> cases[0].asked, [event.kind.value for event in cases[0].events]
    (Money('1200.00', 'CNY'), ['replied'])
    >>> [(finding.rule, finding.count) for finding in findings]
    [('event-without-case', 1)]
    """
    frames = clean_cases(complaints, case_events)
    events: dict[int, list[CaseEvent]] = {}
    strange_events = 0
    for row in _rows(frames.events, zone):
        try:
            event = CaseEvent(
                kind=_KINDS[row["kind"]],
                at=row["at"],
                by=row["by"],
                to=row["to"],
                until=row["until"],
                satisfied=_YES.get(row["satisfied"] or ""),
                category=row["category"],
                priority=row["priority"],
                policy=row["policy"],
                note=row["note"],
            )
        except MemberOpsError:
            strange_events += 1
            continue
        events.setdefault(row["place"], []).append(event)
    cases, strange_cases = [], 0
    for place, row in enumerate(_rows(frames.cases, zone)):
        try:
            case = Complaint(
                case_id=row["case_id"],
                received_at=row["received_at"],
                channel=_CHANNELS.get(row["channel"] or ""),
                store_id=row["store_id"],
                member_id=row["member_id"],
                category=row["category"],
                priority=row["priority"],
                asked=None
                if row["asked"] is None
                else Money(minor=int(row["asked"]), currency=currency),
                handler=row["handler"],
                root_cause=row["root_cause"],
                customer_name=row["customer_name"],
                customer_phone=row["customer_phone"],
                statement=row["statement"],
                events=events.get(place, ()),
            )
        except MemberOpsError:
            strange_cases += 1
            continue
        cases.append(case)
    found = (
        *frames.findings,
        *told(_STRANGE_CASE, strange_cases),
        *told(_STRANGE_EVENT, strange_events),
    )
    return tuple(cases), found


def _rows(frame: pd.DataFrame, zone: dt.tzinfo) -> list[dict[str, Any]]:
    """Take rows as Python values: none for what is missing, moments in the zone."""
    columns = {}
    for name in frame.columns:
        values = frame[name]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            local = values.dt.tz_convert(zone)
            columns[name] = [
                None if each is pd.NaT else each.to_pydatetime(warn=False)
                for each in local
            ]
        elif values.dtype == "Int64":
            columns[name] = [None if each is pd.NA else each for each in values]
        else:
            columns[name] = [None if each == "" else each for each in values]
    return [
        dict(zip(columns, row, strict=True))
        for row in zip(*columns.values(), strict=True)
    ]


_STRANGE_CASE = (
    "complaints",
    "case-unusable",
    "a case has a value that cannot be one: left out",
    "投诉中有无法采用的值，未采用",
)
_STRANGE_EVENT = (
    "case_events",
    "event-unusable",
    "an event has a value that cannot be one: left out",
    "处理记录中有无法采用的值，未采用",
)
