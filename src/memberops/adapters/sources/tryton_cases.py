"""Complaints in Tryton, and what was done about them: its module sale_complaint."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from memberops.adapters.sources.counted_reading import Came
from memberops.adapters.sources.http_reading import RefusedReadingError
from memberops.adapters.sources.records import latest_records
from memberops.adapters.sources.tryton_reading import (
    DATES,
    TrytonReading,
    changed_at,
    numbers_of,
    reference,
    since_domain,
    stores_of,
)
from memberops.adapters.sources.tryton_rpc import TrytonSession

__all__ = ["case_events", "complained_sales", "complaint_reading", "event_reading"]

_MODEL = "sale.complaint"
_FIELDS = (
    "state", "date", "customer", "customer.name", "customer.mobile", "customer.phone",
    "type.name", "origin", "description", "create_uid", *DATES,
)  # fmt: skip
_COLUMNS = ("case_id", "received_at", "store_id", "member_id", "category", "handler",
            "customer_name", "customer_phone", "statement")  # fmt: skip
_EVENTS = ("case_id", "kind", "at", "by", "note")
_OPEN = ["draft", "waiting", "approved"]
_ENDS = {"done": "solved", "rejected": "closed"}


def complaint_reading(
    session: TrytonSession, *, zone: dt.tzinfo, walk_in: Collection[int]
) -> TrytonReading:
    """
    Return how ``complaints`` is read.

    Args:
        session: An open session.
        zone: Of the chain, in which a complaint has its day.
        walk_in: Parties that are no members.
    """
    stores = stores_of(session)

    def came(since: dt.datetime | None) -> Came:
        domain = since_domain(since, "customer", "customer.contact_mechanisms")
        found = session.pages(_MODEL, domain, _FIELDS)
        records = latest_records(found, key="id")
        there = [each for each in records if each["state"] != "cancelled"]
        sales = complained_sales(session, there)
        places = {
            each["id"]: stores.get(each["warehouse"])
            for each in session.by_values(
                "sale.sale", "id", sales.values(), ["warehouse"]
            )
        }
        return Came(
            origin=f"tryton/{_MODEL}",
            rows=[
                _complaint(each, zone, walk_in)
                | {"store_id": places.get(sales.get(each["id"], 0))}
                for each in there
            ],
            gone=[str(each["id"]) for each in records if each["state"] == "cancelled"],
            seen=max(map(changed_at, records), default=None),
            served_at=session.served_at,
            met={_MODEL: [each["id"] for each in records]},
        )

    return TrytonReading(
        came=came,
        columns=_COLUMNS,
        counts=(_MODEL,),
        marks=(sorted(stores.items()),),
    )


def complained_sales(
    session: TrytonSession, complaints: Iterable[Mapping[str, Any]]
) -> dict[int, int]:
    """
    Return the sale that each complaint is about, where it is about one.

    Args:
        session: An open session.
        complaints: Records with ``origin``.
    """
    origins = {each["id"]: reference(each["origin"]) for each in complaints}
    lines = numbers_of(origins.values(), "sale.line")
    owners = {
        each["id"]: each["sale"]
        for each in session.by_values("sale.line", "id", lines, ["sale"])
    }
    sales = {}
    for own, (model, number) in origins.items():
        if model == "sale.sale":
            sales[own] = number
        elif model == "sale.line" and number in owners:
            sales[own] = owners[number]
    return sales


def _complaint(
    record: Mapping[str, Any], zone: dt.tzinfo, walk_in: Collection[int]
) -> dict[str, Any]:
    row = {
        "case_id": record["id"],
        "received_at": _received(record, zone),
        "category": (record["type."] or {}).get("name"),
        "handler": record["create_uid"] or None,
        "statement": record["description"],
    }
    if record["customer"] in walk_in:
        return row
    party = record["customer."]
    return row | {
        "member_id": record["customer"],
        "customer_name": party["name"],
        "customer_phone": party["mobile"] or party["phone"] or None,
    }


def _received(record: Mapping[str, Any], zone: dt.tzinfo) -> dt.datetime:
    """
    Return when a complaint came in: when it was written down, or on a day before.

    Tryton keeps the day only, and reckons it in UTC where the company has no zone. A
    day after that on which it was written down is a slip.

    >>> from zoneinfo import ZoneInfo
    >>> noon = dt.datetime(2026, 11, 5, 12, tzinfo=dt.UTC)
    >>> record = {"create_date": noon, "date": dt.date(2026, 11, 5)}
    >>> _received(record, ZoneInfo("Asia/Shanghai")) == noon
    True
    >>> earlier = record | {"date": dt.date(2026, 11, 2)}
    >>> print(_received(earlier, ZoneInfo("Asia/Shanghai")))
    2026-11-02 00:00:00+08:00
    >>> slip = record | {"date": dt.date(2027, 11, 5)}
    >>> _received(slip, ZoneInfo("Asia/Shanghai")) == noon
    True
    """
    made: dt.datetime = record["create_date"]
    day: dt.date | None = record["date"]
    if day is None or day >= min(made.date(), made.astimezone(zone).date()):
        return made
    return dt.datetime.combine(day, dt.time(), tzinfo=zone)


def event_reading(session: TrytonSession, *, chat_days: int) -> TrytonReading:
    """
    Return how ``case_events`` is read: all events of a complaint again if one is new.

    Args:
        session: An open session.
        chat_days: Chats of complaints that ended are read again for so many days;
            no chats are read if 0.
    """
    window = dt.timedelta(days=chat_days)

    def came(since: dt.datetime | None) -> Came:
        begin = None if since is None else since - window
        domain = since_domain(begin)
        if domain and chat_days:
            domain.append(["state", "in", _OPEN])
        found = session.pages(_MODEL, domain, ["state", *DATES])
        records = latest_records(found, key="id")
        there = {each["id"]: each for each in records if each["state"] != "cancelled"}
        changes: dict[int, list[Mapping[str, Any]]] = {own: [] for own in there}
        logs = session.by_values(
            "ir.model.log",
            "resource",
            [f"{_MODEL},{own}" for own in there],
            ["resource", "target", "user", "create_date"],
            domain=[["event", "=", "transition"]],
        )
        for log in latest_records(logs, key="id"):
            changes[reference(log["resource"])[1]].append(log)
        rows = [
            {"case_id": own, **event}
            for own, logs in changes.items()
            for event in (
                *case_events(logs, _chat(session, own) if chat_days else ()),
                *_unlogged_end(there[own], logs),
            )
        ]
        rows.sort(key=lambda row: (row["case_id"], row["at"]))
        having = {row["case_id"] for row in rows}
        return Came(
            origin="tryton/ir.model.log",
            rows=rows,
            gone=[str(each["id"]) for each in records if each["id"] not in having],
            seen=max(map(changed_at, records), default=None),
            served_at=session.served_at,
            met={_MODEL: [each["id"] for each in records]},
        )

    return TrytonReading(
        came=came,
        columns=_EVENTS,
        counts=(_MODEL,),
        marks=(chat_days > 0,),
        key=("case_id",),
    )


def _chat(session: TrytonSession, own: int) -> list[Mapping[str, Any]]:
    try:
        found = session.ask("ir.chat.channel.get", f"{_MODEL},{own}")
    except RefusedReadingError as error:
        raise RefusedReadingError(
            f"{error}; Tryton has chats since 7.6: chat_days = 0 reads none",
            status=error.status,
        ) from None
    return latest_records(found if isinstance(found, list) else [], key="id")


def case_events(
    logs: Iterable[Mapping[str, Any]], chat: Iterable[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """
    Yield what happened to one complaint.

    Done is ``solved``, rejected ``closed``, and back to draft from there
    ``reopened``; what is submitted and approved is the office's own and told by no
    event. A public message of a user is ``replied``, one that came by email
    ``customer_message``.

    Args:
        logs: Changes of its state: ``target``, ``user``, ``create_date``.
        chat: Its messages: ``audience``, ``user``, ``author``, ``content``,
            ``timestamp``.

    >>> log = {"id": 1, "target": "state:done", "user": 4, "create_date": "later"}
    >>> list(case_events([log], []))
    [{'kind': 'solved', 'at': 'later', 'by': 4}]
    """
    state = "draft"
    for log in sorted(logs, key=lambda each: (each["create_date"], each["id"])):
        name, _, after = str(log["target"]).partition(":")
        if name != "state":
            continue
        kind = _ENDS.get(after)
        if after == "draft" and state in _ENDS:
            kind = "reopened"
        state = after
        if kind:
            yield {"kind": kind, "at": log["create_date"], "by": log["user"] or None}
    for message in chat:
        user = message["user"]
        if message["audience"] != "public" or not (user or message["author"]):
            continue
        yield {
            "kind": "replied" if user else "customer_message",
            "at": message["timestamp"],
            "by": user or None,
            "note": message["content"],
        }


def _unlogged_end(
    complaint: Mapping[str, Any], logs: Iterable[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """
    Yield the end of a complaint that ended without a log, as before Tryton had logs.

    Without it the complaint would stay open for ever. It is of the last change.

    >>> day = dt.datetime(2026, 11, 5, tzinfo=dt.UTC)
    >>> done = {"state": "done", "create_date": day, "write_date": None}
    >>> [each["kind"] for each in _unlogged_end(done, [])]
    ['solved']
    """
    kind, at = _ENDS.get(complaint["state"]), changed_at(complaint)
    last = max(logs, key=lambda log: (log["create_date"], log["id"]), default=None)
    logged = last is not None and (
        last["target"] == f"state:{complaint['state']}" or last["create_date"] > at
    )
    if kind and not logged:
        yield {"kind": kind, "at": at, "by": None}
