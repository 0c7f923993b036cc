"""Receipts: found, joined in any order, and kept where they fit nothing."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from memberops.adapters.stores.outbox_database import stamp
from memberops.adapters.stores.outbox_rows import Received, receipt_of, receipt_text
from memberops.adapters.stores.outbox_schema import facts, strays
from memberops.adapters.stores.outbox_steps import (
    Change,
    cost_in,
    lock_names,
    locked,
    write_changes,
)
from memberops.domain.message import (
    MessageReceipt,
    ReceiptStatus,
    SendResult,
)
from memberops.policies.outbox_rules import MessageFact

__all__ = ["known_strays", "receive", "take_receipt"]


def receive(
    connection: sa.Connection, receipts: Iterable[MessageReceipt], at: dt.datetime
) -> list[Received]:
    """Take in receipts; what fits no message of ours is kept apart."""
    receipts = list(receipts)
    named = [r.provider_message_id for r in receipts if r.provider_message_id]
    lock_names(connection, "provider_id", named)
    pairs = [(each, _owner(connection, each)) for each in receipts]
    rows = locked(connection, [own for _, own in pairs if own is not None])
    changes: dict[str, Change] = {}
    outcomes: list[tuple[str, str | None]] = []
    now = stamp(at)
    for receipt, own in pairs:
        row = None if own is None else rows.get(own)
        if own is None or row is None or not _fits(row, receipt):
            outcomes.append((_stray(connection, receipt, now), None))
            continue
        change = changes.setdefault(own, Change.of(row))
        taken = take_receipt(connection, change, receipt, now)
        outcomes.append(("applied" if taken else "repeated", own))
    write_changes(connection, changes.values())
    return [
        Received(
            outcome=outcome,
            message_id=own,
            state=None if own is None else changes[own].standing.state,
        )
        for outcome, own in outcomes
    ]


def _owner(connection: sa.Connection, receipt: MessageReceipt) -> str | None:
    """Return the message that a receipt is about, by our id or by the provider's."""
    if receipt.message_id:
        return receipt.message_id
    owners = _named(connection, receipt.provider, receipt.provider_message_id)
    # An id that a provider gave twice says of neither message what became of it.
    return owners[0] if len(owners) == 1 else None


def _named(
    connection: sa.Connection, provider: str, provider_message_id: str | None
) -> list[str]:
    statement = (
        sa.select(facts.c.message_id)
        .distinct()
        .where(
            facts.c.provider_message_id == provider_message_id,
            facts.c.provider.in_(["", provider]),
            facts.c.kind.in_(["answered", "late"]),
        )
    )
    return list(connection.execute(statement.limit(2)).scalars())


def _fits(row: Any, receipt: MessageReceipt) -> bool:
    return bool(
        row.attempts
        and row.provider in {"", receipt.provider}
        and receipt.status is not ReceiptStatus.NOT_FOUND
    )


def take_receipt(
    connection: sa.Connection, change: Change, receipt: MessageReceipt, at: int
) -> bool:
    """Join a receipt to what is known; return False if it was there already."""
    known = connection.execute(
        sa.select(facts).where(
            facts.c.message_id == change.row.message_id, facts.c.kind == "receipt"
        )
    ).all()
    cost = cost_in(connection, change.row, receipt.cost)
    line = {
        "value": receipt.status.value,
        "cause": "" if receipt.problem is None else receipt.problem.value,
        "provider": receipt.provider,
        "provider_message_id": receipt.provider_message_id,
        "raw_code": receipt.raw_code,
        "segment": receipt.segment,
        "cost": cost,
    }
    before = [row._mapping for row in known] + change.facts  # noqa: SLF001 - SQLAlchemy's public name
    if any(
        each["kind"] == "receipt" and all(each[name] == line[name] for name in line)
        for each in before
    ):
        return False
    cause = str(line["cause"])
    fact = MessageFact(kind="receipt", value=receipt.status.value, cause=cause)
    change.add(fact, at, **line)
    if cost is not None:
        said = [each["cost"] for each in before if each["kind"] == "receipt"]
        change.columns["cost"] = max(cost, *(each or 0 for each in said), 0)
    return True


def known_strays(
    connection: sa.Connection, pairs: Iterable[tuple[str, SendResult]]
) -> dict[str, list[MessageReceipt]]:
    """
    Return receipts that came under a provider's id before we knew it was ours.

    Args:
        connection: In the transaction that writes the answers.
        pairs: Name of the provider, and the answer that names an id.

    Returns:
        By our id; nothing for an id that the provider gave to several messages.
    """
    named = [(p, r, r.provider_message_id) for p, r in pairs if r.provider_message_id]
    times = Counter(own for _, _, own in named)
    statement = (
        sa.select(strays.c.provider_message_id, strays.c.document)
        .where(
            strays.c.provider_message_id.in_(list(times)),
            strays.c.message_id.is_(None),
        )
        .order_by(strays.c.sequence)
    )
    waiting: dict[str, list[MessageReceipt]] = {}
    for row in connection.execute(statement) if named else ():
        receipt = receipt_of(row.document)
        if receipt.status is not ReceiptStatus.NOT_FOUND:
            waiting.setdefault(row.provider_message_id, []).append(receipt)
    found: dict[str, list[MessageReceipt]] = {}
    for provider, result, own in named:
        if own not in waiting or times[own] > 1:
            continue
        if not set(_named(connection, provider, own)) - {result.message_id}:
            fitting = [r for r in waiting[own] if provider in {"", r.provider}]
            found[result.message_id] = fitting
    return found


def _stray(connection: sa.Connection, receipt: MessageReceipt, at: int) -> str:
    document = receipt_text(receipt)
    same = sa.select(strays.c.sequence).where(
        strays.c.document == document,
        strays.c.provider_message_id.is_not_distinct_from(receipt.provider_message_id),
    )
    if connection.execute(same.limit(1)).first() is None:
        connection.execute(
            sa.insert(strays),
            {
                "provider": receipt.provider,
                "message_id": receipt.message_id or None,
                "provider_message_id": receipt.provider_message_id,
                "at": at,
                "document": document,
            },
        )
    return "stray"
