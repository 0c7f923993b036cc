"""What waits in an outbox, and until when; and what waited by a wrong clock."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import sqlalchemy as sa

from memberops.adapters.stores.outbox_claims import approval_in
from memberops.adapters.stores.outbox_database import stamp
from memberops.adapters.stores.outbox_rows import batch_of
from memberops.adapters.stores.outbox_schema import batches, messages
from memberops.policies.outbox_policy import OutboxPolicy

__all__ = ["reopen", "waiting_frame"]

_COLUMNS = ("batch_id", "cause", "messages", "expiring", "next_at", "closes_at")
_b, _m = batches.c, messages.c


def waiting_frame(connection: sa.Connection, policy: OutboxPolicy) -> pd.DataFrame:
    """Return one row for each cause for which messages of an approved batch wait."""
    late = _m.due_at >= _b.closes_at
    # What surely ends with its batch has no moment at which it is worth trying.
    in_time = sa.case((late, None), else_=_m.due_at)
    counted = connection.execute(
        sa.select(
            _b.batch_id,
            _b.document,
            _b.opens_at,
            _b.closes_at,
            _m.cause,
            sa.func.count().label("messages"),
            sa.func.sum(sa.case((late, 1), else_=0)).label("expiring"),
            sa.func.min(in_time).label("first"),
        )
        .join(messages, _m.batch_id == _b.batch_id)
        .where(
            _m.state == "queued",
            _b.canceled == "",
            _b.enqueued == _b.size,
            _b.gathered == _b.audience,
        )
        .group_by(_b.batch_id, _m.cause)
        .order_by(_b.batch_id, _m.cause)
    ).all()
    lines: list[dict[str, Any]] = [
        {
            "batch_id": row.batch_id,
            "cause": row.cause,
            "messages": int(row.messages),
            "expiring": int(row.expiring),
            "next_at": None if row.first is None else max(row.first, row.opens_at),
            "closes_at": row.closes_at,
        }
        for row in counted
        if approval_in(connection, batch_of(row.document), policy) == "approved"
    ]
    frame = pd.DataFrame(lines, columns=list(_COLUMNS))
    for name in ("next_at", "closes_at"):
        values = pd.Series(frame[name], dtype="Int64")
        frame[name] = pd.to_datetime(values, unit="us", utc=True)
    return frame.astype({"messages": "int64", "expiring": "int64"})


def reopen(connection: sa.Connection, *, at: dt.datetime, policy: OutboxPolicy) -> int:
    """
    Look again at what waits for hours that are open; return how many.

    A clock that once showed the night let it wait for a morning that the true clock
    has had; every claim asks the hours anew.
    """
    later = sa.and_(_m.state == "queued", _m.cause == "window", _m.due_at > stamp(at))
    zones = connection.execute(sa.select(_m.zone).where(later).distinct()).scalars()
    now = [zone for zone in zones if policy.opens(at, zone) == at]
    if not now:
        return 0
    waiting = (
        sa.select(_m.message_id)
        .where(later, _m.zone.in_(now))
        .with_for_update(skip_locked=True)
    )
    done = connection.execute(
        sa.update(messages)
        .where(_m.message_id.in_(waiting))
        .values(due_at=stamp(at), cause="")
    )
    return done.rowcount
