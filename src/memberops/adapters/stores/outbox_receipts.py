"""Receipts: found, joined in any order, and kept where they fit nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from memberops.adapters.stores.outbox_database import stamp
from memberops.adapters.stores.outbox_entering import told_by_provider
from memberops.adapters.stores.outbox_rows import (
    Received,
    Seal,
    receipt_of,
    receipt_text,
)
from memberops.adapters.stores.outbox_schema import strays
from memberops.adapters.stores.outbox_statements import (
    NAMED,
    PARTS,
    STRAYS,
    TOLD,
)
from memberops.adapters.stores.outbox_steps import (
    Change,
    cost_in,
    lock_names,
    locked,
    write_changes,
)
from memberops.domain.message import (
    MessageProblem,
    MessageReceipt,
    ReceiptStatus,
    SendResult,
)
from memberops.policies.outbox_parts import report_of_part
from memberops.policies.outbox_rules import MessageFact

__all__ = [
    "known_strays",
    "named_messages",
    "owners_of",
    "receive",
    "take_strays",
    "told_before",
]


def receive(
    connection: sa.Connection,
    receipts: Iterable[MessageReceipt],
    at: dt.datetime,
    seal: Seal,
) -> list[Received]:
    """Take in receipts; what fits no message of ours is kept apart."""
    receipts = list(receipts)
    named = [r.provider_message_id for r in receipts if r.provider_message_id]
    lock_names(connection, "provider_id", named)
    owners = named_messages(connection, named)
    pairs = [(each, _owner(owners, each)) for each in receipts]
    rows = locked(connection, [own for _, own in pairs if own is not None])
    known = told_before(connection, rows)
    changes: dict[str, Change] = {}
    outcomes: list[tuple[str, str | None]] = []
    apart: list[MessageReceipt] = []
    left: list[tuple[str, str, str]] = []
    for receipt, own in pairs:
        row = None if own is None else rows.get(own)
        if own is None or row is None or not _fits(row, receipt):
            apart.append(receipt)
            outcomes.append(("stray", None))
            continue
        change = changes.setdefault(own, Change.of(row))
        taken = _take_receipt(
            connection, change, receipt, stamp(at), known.get(own, ())
        )
        outcomes.append(("applied" if taken else "repeated", own))
        if taken and receipt.problem is MessageProblem.OPTED_OUT:
            left.append((row.member_id, receipt.provider, receipt.raw_code))
    write_changes(connection, changes.values())
    _keep_apart(connection, apart, stamp(at))
    told_by_provider(connection, left, at, seal)
    return [
        Received(
            outcome=outcome,
            message_id=own,
            state=None if own is None else changes[own].standing.state,
        )
        for outcome, own in outcomes
    ]


Owners = dict[str, dict[str, set[str]]]
"""By a provider's id and the provider's name, our ids of the messages it names."""


def named_messages(
    connection: sa.Connection,
    named: Collection[str],
    kinds: Sequence[str] = ("answered", "late"),
) -> Owners:
    """Return which messages have had answers that named these ids of a provider."""
    given = {"named": sorted(set(named)), "kinds": list(kinds)}
    owners: Owners = {}
    for row in connection.execute(NAMED, given) if named else ():
        by_provider = owners.setdefault(row.provider_message_id, {})
        by_provider.setdefault(row.provider, set()).add(row.message_id)
    return owners


def owners_of(owners: Owners, provider: str, named: str | None) -> set[str]:
    """Return the messages that a provider's id may be about."""
    by_provider = owners.get(named or "", {})
    return by_provider.get(provider, set()) | by_provider.get("", set())


def _owner(owners: Owners, receipt: MessageReceipt) -> str | None:
    """Return the message that a receipt is about, by our id or by the provider's."""
    if receipt.message_id:
        return receipt.message_id
    found = owners_of(owners, receipt.provider, receipt.provider_message_id)
    # An id that a provider gave twice says of neither message what became of it.
    return next(iter(found)) if len(found) == 1 else None


def _fits(row: Any, receipt: MessageReceipt) -> bool:
    return bool(
        row.attempts
        and row.provider in {"", receipt.provider}
        and receipt.status is not ReceiptStatus.NOT_FOUND
    )


def told_before(
    connection: sa.Connection, ids: Collection[str]
) -> dict[str, list[Mapping[str, Any]]]:
    """Return the receipts that messages have had."""
    given = {"ids": sorted(ids)}
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in connection.execute(TOLD, given).mappings() if ids else ():
        found.setdefault(row["message_id"], []).append(dict(row))
    return found


def _take_receipt(
    connection: sa.Connection,
    change: Change,
    receipt: MessageReceipt,
    at: int,
    known: Sequence[Mapping[str, Any]],
) -> bool:
    """Join a receipt to what is known; return False if it was there already."""
    before = [*known, *(each for each in change.facts if each["kind"] == "receipt")]
    cost, foreign = cost_in(connection, change.row, receipt.cost)
    whole = _of_whole(connection, change, receipt, before)
    part_only = whole is not receipt.status
    line = {
        "value": whole.value,
        "cause": _PART
        if part_only
        else ""
        if receipt.problem is None
        else receipt.problem.value,
        "provider": receipt.provider,
        "provider_message_id": receipt.provider_message_id,
        "raw_code": receipt.raw_code,
        "segment": receipt.segment,
        "cost": cost,
        "foreign_cost": foreign,
    }
    told = _as_told(line)
    if any(told.items() <= _as_told(each).items() for each in before):
        return False
    cause = str(line["cause"])
    fact = MessageFact(kind="receipt", value=whole.value, cause=cause)
    change.add(fact, at, **line)
    if cost is not None:
        change.columns["cost"] = _cost([*before, line], change)
    return True


_PART = "part"
"""Cause of a report that a part was delivered, which the whole is not yet."""


def _as_told(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a receipt as it came, whatever it said of the whole."""
    given = dict(line)
    if given["cause"] == _PART:
        given |= {"value": ReceiptStatus.DELIVERED.value, "cause": ""}
    return given


def _of_whole(
    connection: sa.Connection,
    change: Change,
    receipt: MessageReceipt,
    before: Sequence[Mapping[str, Any]],
) -> ReceiptStatus:
    """Return what a receipt says of the message, if it may be of one part of it."""
    if receipt.segment is None:
        return receipt.status
    return report_of_part(
        receipt.status,
        part=receipt.segment,
        parts=_parts(connection, change),
        delivered={
            line["segment"]
            for line in map(_as_told, before)
            if line["segment"] is not None
            and line["value"] == ReceiptStatus.DELIVERED.value
            and line["provider_message_id"] == receipt.provider_message_id
        },
    )


def _parts(connection: sa.Connection, change: Change) -> int | None:
    """Return how many parts a message has: as its provider said, else as we count."""
    given = {"ids": [change.row.message_id]}
    rows = [dict(row) for row in connection.execute(PARTS, given).mappings()]
    told = {
        line["kind"]: line["segment"]
        for line in (*rows, *change.facts)
        if line["kind"] != "receipt" and line["segment"] is not None
    }
    return told.get("answered") or told.get("late") or told.get("claimed")


def _cost(lines: Sequence[Mapping[str, Any]], change: Change) -> int:
    """Return what a message costs by its receipts: each of its parts costs once."""
    parts: dict[int | None, int] = {}
    for line in lines:
        if line["cost"] is not None:
            part = line["segment"]
            parts[part] = max(parts.get(part, 0), line["cost"])
    whole = parts.pop(None, 0)
    if not parts:
        return whole
    # Parts that were not reported yet cost something as well.
    reserved: int = change.columns.get("cost", change.row.cost)
    return max(whole, reserved, sum(parts.values()))


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
    given = {"named": list(times)}
    waiting: dict[str, list[MessageReceipt]] = {}
    for row in connection.execute(STRAYS, given) if named else ():
        receipt = receipt_of(row.document)
        if receipt.status is not ReceiptStatus.NOT_FOUND:
            waiting.setdefault(row.provider_message_id, []).append(receipt)
    found: dict[str, list[MessageReceipt]] = {}
    owners = named_messages(connection, waiting)
    for provider, result, own in named:
        if own not in waiting or times[own] > 1:
            continue
        if not owners_of(owners, provider, own) - {result.message_id}:
            fitting = [r for r in waiting[own] if provider in {"", r.provider}]
            found.setdefault(result.message_id, []).extend(fitting)
    return found


def take_strays(
    connection: sa.Connection,
    change: Change,
    early: Iterable[MessageReceipt],
    at: int,
    known: Sequence[Mapping[str, Any]],
) -> list[tuple[str, str, str]]:
    """
    Join what came before we knew whose it was.

    Returns:
        For `told_by_provider`, the member, if the provider says that they opted out.
    """
    own = change.row.member_id
    return [
        (own, receipt.provider, receipt.raw_code)
        for receipt in early
        if _take_receipt(connection, change, receipt, at, known)
        and receipt.problem is MessageProblem.OPTED_OUT
    ]


def _keep_apart(
    connection: sa.Connection, receipts: Iterable[MessageReceipt], at: int
) -> None:
    """Write receipts that fit nothing, each once."""
    rows = {}
    for receipt in receipts:
        document = receipt_text(receipt)
        digest = hashlib.sha256(document.encode()).hexdigest()
        rows[digest] = {
            "provider": receipt.provider,
            "message_id": receipt.message_id or None,
            "provider_message_id": receipt.provider_message_id,
            "at": at,
            "document": document,
            "digest": digest,
        }
    known = sa.select(strays.c.digest).where(strays.c.digest.in_(sorted(rows)))
    for digest in connection.execute(known).scalars() if rows else ():
        rows.pop(digest, None)
    if rows:
        connection.execute(sa.insert(strays), list(rows.values()))
