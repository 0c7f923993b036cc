"""
What an outbox asks its database at every message, built once.

To build a statement and to find out which compiled text is its own costs more than to
run it: where a claim, a request and an answer run a dozen each, that would be most of
their time.
"""

from __future__ import annotations

import functools
from typing import Any

import sqlalchemy as sa

from memberops.adapters.stores.outbox_schema import (
    approvals,
    batches,
    consents,
    contacts,
    facts,
    messages,
    strays,
)

__all__ = [
    "APPROVALS",
    "BATCHES",
    "BATCH_TO_CLAIM",
    "CONSENTS",
    "CONTACTS",
    "DUE",
    "LOCKED",
    "NAMED",
    "PARTS",
    "SENT",
    "STRAYS",
    "TOLD",
    "WITHIN",
    "affordable",
    "due",
    "may_leave",
    "open_to",
]

_b, _m, _f = batches.c, messages.c, facts.c


def _any_of(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, expanding=True)


def may_leave() -> sa.ColumnElement[bool]:
    """Tell of a batch that its messages may leave at ``at`` by ``provider``."""
    provider: sa.BindParameter[str] = sa.bindparam("provider", type_=sa.Text)
    return sa.and_(
        _b.canceled == "",
        _b.opens_at <= sa.bindparam("at"),
        _b.closes_at > sa.bindparam("at"),
        _b.enqueued == _b.size,
        _b.gathered == _b.audience,
        sa.or_(provider == "", _b.provider.in_(["", provider])),
    )


def due() -> sa.ColumnElement[bool]:
    """Tell of a message that it waits for nothing later than ``at``."""
    return sa.and_(_m.state == "queued", _m.due_at <= sa.bindparam("at"))


def affordable(*, priced: bool) -> sa.ColumnElement[bool]:
    """Tell of which messages the cost is within the cap of their batch."""
    free = sa.or_(_m.counts == 1, _m.cost <= _b.cost_cap - _b.spent)
    return free if priced else sa.and_(free, _b.spent < _b.cost_cap)


@functools.cache
def open_to(*, priced: bool) -> sa.Select[Any]:
    """Return how to ask for batches in which something is due, notices first."""
    waiting = sa.exists().where(
        _m.batch_id == _b.batch_id,
        due(),
        # What is too dear is looked at once, to say so.
        sa.or_(affordable(priced=priced), _m.cause != "cost_cap"),
    )
    return (
        sa.select(_b.batch_id, _b.document)
        .where(may_leave(), waiting)
        .order_by(_b.kind.desc(), _b.opens_at, _b.batch_id)
    )


BATCH_TO_CLAIM = (
    sa.select(batches)
    .where(_b.batch_id == sa.bindparam("batch_id"), may_leave())
    .with_for_update()
)
"""A batch, locked, if its messages may leave."""

WITHIN = sa.and_(
    sa.or_(_m.counts == 1, _m.cost <= sa.bindparam("room", type_=sa.BigInteger)),
    sa.bindparam("paying", type_=sa.BigInteger) == 1,
)
"""Of a message, that its batch can pay for it out of ``room``, if it is paying."""

DUE = (
    sa.select(messages)
    .where(_m.batch_id == sa.bindparam("batch_id"), due(), WITHIN)
    .order_by(_m.due_at, _m.message_id)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)
"""What of a batch is due and can be paid, locked."""

BATCHES = sa.select(batches).where(_b.batch_id.in_(_any_of("ids")))
"""Batches."""

APPROVALS = (
    sa.select(approvals.c.document)
    .where(approvals.c.batch_id == sa.bindparam("batch_id"))
    .order_by(approvals.c.sequence)
)
"""Every word on a batch, the oldest first."""

CONSENTS = (
    sa.select(consents.c.member_id, consents.c.granted, consents.c.at)
    .where(consents.c.member_id.in_(_any_of("members")))
    .order_by(consents.c.sequence)
)
"""What members said, the oldest word first."""

SENT = sa.select(_m.message_id, _m.member_id, _m.claimed_at).where(
    _m.counts == 1, _m.member_id.in_(_any_of("members"))
)
"""Messages to members that were sent, or may have been."""

CONTACTS = sa.select(contacts).where(contacts.c.member_id.in_(_any_of("members")))
"""Contacts that were made elsewhere."""

LOCKED = (
    sa.select(messages)
    .where(_m.message_id.in_(_any_of("ids")))
    .order_by(_m.message_id)
    .with_for_update()
)
"""Messages, locked in the order of their ids."""

NAMED = (
    sa.select(_f.provider_message_id, _f.provider, _f.message_id)
    .distinct()
    .where(
        _f.provider_message_id.in_(_any_of("named")),
        _f.kind.in_(_any_of("kinds")),
    )
)
"""Which messages have had answers that named ids of a provider."""

TOLD = sa.select(facts).where(_f.message_id.in_(_any_of("ids")), _f.kind == "receipt")
"""The receipts that messages have had."""

PARTS = (
    sa.select(_f.kind, _f.segment)
    .where(_f.message_id.in_(_any_of("ids")), _f.kind != "receipt")
    .order_by(_f.sequence)
)
"""How many parts messages have, as was said at each step; missing if it was not."""

STRAYS = (
    sa.select(strays.c.provider_message_id, strays.c.document)
    .where(
        strays.c.provider_message_id.in_(_any_of("named")),
        strays.c.message_id.is_(None),
    )
    .order_by(strays.c.sequence)
)
"""Receipts that came under a provider's id before we knew it was ours."""
