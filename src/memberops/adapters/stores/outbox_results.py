"""What came of an attempt: answers, dead workers, ends and settlements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import attrs
import sqlalchemy as sa

from memberops.adapters.stores.outbox_claims import approval_in, words_of
from memberops.adapters.stores.outbox_database import moment_of, stamp
from memberops.adapters.stores.outbox_entering import told_by_provider
from memberops.adapters.stores.outbox_receipts import (
    known_strays,
    named_messages,
    owners_of,
    receive,
    take_strays,
    told_before,
)
from memberops.adapters.stores.outbox_rows import (
    Claim,
    Recorded,
    Seal,
    Unsettled,
    batch_of,
    message_of,
)
from memberops.adapters.stores.outbox_schema import batches, facts, messages
from memberops.adapters.stores.outbox_steps import (
    Change,
    cost_in,
    lock_names,
    locked,
    write_changes,
)
from memberops.domain.message import (
    MessageKind,
    MessageProblem,
    MessageReceipt,
    MessageState,
    ReceiptStatus,
    SendOutcome,
    SendResult,
)
from memberops.errors import InvalidValueError
from memberops.policies.outbox_policy import OutboxPolicy
from memberops.policies.outbox_rules import MessageFact

__all__ = [
    "end",
    "ended_batches",
    "record",
    "recover",
    "release",
    "settle",
    "unsettled",
]

_CHUNK = 1000


def record(
    connection: sa.Connection,
    results: Iterable[tuple[Claim, SendResult]],
    at: dt.datetime,
    policy: OutboxPolicy,
    seal: Seal,
) -> list[Recorded]:
    """Write down the answers to requests, each once."""
    pairs = list(results)
    named = [r.provider_message_id for _, r in pairs if r.provider_message_id]
    lock_names(connection, "provider_id", named)
    rows = locked(connection, [claim.message.message_id for claim, _ in pairs])
    waiting = known_strays(connection, [(c.provider, result) for c, result in pairs])
    before = told_before(connection, waiting)
    changes: dict[str, Change] = {}
    recorded = []
    left: list[tuple[str, str, str]] = []
    for claim, result in pairs:
        own = claim.message.message_id
        if result.message_id != own or own not in rows:
            raise InvalidValueError("a result belongs to the claim of its message")
        change = changes.setdefault(own, Change.of(rows[own]))
        row = change.row
        details = {
            "worker": claim.worker,
            "provider": claim.provider,
            "provider_message_id": result.provider_message_id,
            "raw_code": result.raw_code,
            "segment": result.segments,
        }
        # A result after the first of the same claim is late as well: only one counts.
        holds = row.fence == claim.fence and change.standing.sending == "claimed"
        early = waiting.get(own, [])
        if holds:
            _answer(connection, change, result, at, policy, details)
        elif (written := _written(connection, claim, result)) is not None:
            holds, early = written != "late", []
        else:
            change.add(
                MessageFact(kind="late", value=result.outcome.value),
                stamp(at),
                **details | {"attempt": claim.attempt, "fence": claim.fence},
            )
        left += take_strays(connection, change, early, stamp(at), before.get(own, ()))
        if result.problem is MessageProblem.OPTED_OUT:
            left.append((row.member_id, claim.provider, result.raw_code))
        recorded.append((own, holds))
    write_changes(connection, changes.values())
    # Last, for a claim waits for the batch and holds its members.
    told_by_provider(connection, left, at, seal)
    return [
        Recorded(message_id=own, state=changes[own].standing.state, applied=holds)
        for own, holds in recorded
    ]


def _answer(  # noqa: PLR0917 - private, one caller
    connection: sa.Connection,
    change: Change,
    result: SendResult,
    at: dt.datetime,
    policy: OutboxPolicy,
    details: dict[str, Any],
) -> None:
    row, cause = change.row, "" if result.problem is None else result.problem.value
    if not result.begun:
        _put_back(change, at)
        return
    passing = result.problem in policy.retry.passing
    if result.outcome is SendOutcome.POSTPONED and not (row.ambiguous or passing):
        tries = 1 + _postponed(connection, row, policy)
        cause = "attempts_exhausted" if tries >= policy.retry.attempts else cause
    cost, details["foreign_cost"] = cost_in(connection, row, result.cost)
    if cost is not None:
        details["cost"] = change.columns["cost"] = cost
    change.add(
        MessageFact(kind="answered", value=result.outcome.value, cause=cause),
        stamp(at),
        **details,
    )
    change.columns["leased_until"] = None
    if result.provider_message_id is not None:
        change.columns["provider_message_id"] = result.provider_message_id
    if change.standing.sending is MessageState.QUEUED:
        wait = policy.retry.wait(
            row.message_id, attempt=row.attempts, asked=result.retry_after
        )
        change.columns["due_at"] = stamp(at + wait)
    elif change.standing.sending is MessageState.UNKNOWN:
        change.columns["doubted_at"] = stamp(at)
        change.columns["due_at"] = stamp(at + policy.settle)


def _postponed(connection: sa.Connection, row: Any, policy: OutboxPolicy) -> int:
    """Return how often a message was postponed for a reason of its own."""
    if row.attempts < policy.retry.attempts:
        return 0
    statement = sa.select(sa.func.count()).where(
        facts.c.message_id == row.message_id,
        facts.c.kind == "answered",
        facts.c.value == SendOutcome.POSTPONED.value,
        facts.c.cause.not_in(sorted(policy.retry.passing)),
    )
    return int(connection.execute(statement).scalar_one())


def release(connection: sa.Connection, claims: Iterable[Claim], at: dt.datetime) -> int:
    """Put back what was claimed and never begun; return how many were still ours."""
    given = {claim.message.message_id: claim for claim in claims}
    changes = []
    for own, row in locked(connection, given).items():
        if row.fence == given[own].fence and row.sending == "claimed":
            change = Change.of(row)
            _put_back(change, at)
            changes.append(change)
    write_changes(connection, changes)
    return len(changes)


def _put_back(change: Change, at: dt.datetime) -> None:
    change.columns |= {"leased_until": None, "due_at": stamp(at)}
    change.add(MessageFact(kind="released"), stamp(at), worker=change.row.worker)


def _written(connection: sa.Connection, claim: Claim, result: SendResult) -> str | None:
    """Return as what the very same result was written before."""
    same = sa.and_(
        facts.c.kind.in_(["answered", "late"]),
        facts.c.value == result.outcome.value,
        facts.c.raw_code == result.raw_code,
        facts.c.provider_message_id.is_not_distinct_from(result.provider_message_id),
    )
    if not result.begun:  # what was put back says nothing of the result
        same = sa.or_(facts.c.kind == "released", same)
    own = claim.message.message_id
    statement = (
        sa.select(facts.c.kind)
        .where(facts.c.message_id == own, facts.c.fence == claim.fence, same)
        .order_by(facts.c.kind == "late")
    )
    return connection.execute(statement.limit(1)).scalar_one_or_none()


def recover(connection: sa.Connection, at: dt.datetime, settle: dt.timedelta) -> int:
    """Take what dead workers had claimed for unknown; return how many."""
    statement = (
        sa.select(messages)
        .where(messages.c.sending == "claimed", messages.c.leased_until <= stamp(at))
        .order_by(messages.c.leased_until, messages.c.message_id)
        .limit(_CHUNK)
        .with_for_update(skip_locked=True)
    )
    changes = []
    for row in connection.execute(statement).all():
        change = Change.of(row)
        change.columns = {
            "fence": row.fence + 1,
            "leased_until": None,
            "doubted_at": stamp(at),
            "due_at": stamp(at + settle),
        }
        change.add(MessageFact(kind="recovered", cause="worker_lost"), stamp(at))
        changes.append(change)
    write_changes(connection, changes)
    return len(changes)


def ended_batches(connection: sa.Connection, at: dt.datetime) -> list[str]:
    """Return batches that closed or were canceled, and in which something waits."""
    waits = sa.exists().where(
        messages.c.batch_id == batches.c.batch_id, messages.c.state == "queued"
    )
    over = sa.or_(batches.c.closes_at <= stamp(at), batches.c.canceled != "")
    statement = sa.select(batches.c.batch_id).where(over, waits)
    return list(connection.execute(statement.order_by(batches.c.batch_id)).scalars())


def end(
    connection: sa.Connection, batch_id: str, at: dt.datetime, policy: OutboxPolicy
) -> int:
    """End what waits in a batch that closed or was canceled; return how many."""
    batch = connection.execute(
        sa.select(batches).where(batches.c.batch_id == batch_id)
    ).one()
    statement = (
        sa.select(messages)
        .where(messages.c.state == "queued", messages.c.batch_id == batch_id)
        .order_by(messages.c.due_at, messages.c.message_id)
        .limit(_CHUNK)
        .with_for_update(skip_locked=True)
    )
    value, cause = "canceled", batch.canceled
    if not cause:
        approved = approval_in(connection, batch_of(batch.document), policy)
        value, cause = "expired", "" if approved == "approved" else "not_approved"
    changes = []
    for row in connection.execute(statement).all():
        change = Change.of(row)
        why = cause or row.cause or "window_closed"
        change.add(MessageFact(kind="ended", value=value, cause=why), stamp(at))
        changes.append(change)
    write_changes(connection, changes)
    return len(changes)


def settle(
    connection: sa.Connection,
    asked: Unsettled,
    answer: MessageReceipt | None,
    at: dt.datetime,
    policy: OutboxPolicy,
    *,
    seal: Seal,
    idempotent: bool,
) -> MessageState:
    """Take in what a provider answered, or did not, about an unknown message."""
    own = asked.message.message_id
    missing = answer is not None and answer.status is ReceiptStatus.NOT_FOUND
    if answer is not None and not missing and not _is_others(connection, asked, answer):
        named = attrs.evolve(answer, message_id=own)
        (taken,) = receive(connection, [named], at, seal)
        if taken.state is not None:
            return taken.state
    return _decide(connection, asked, at, policy, missing=missing, resend=idempotent)


def _is_others(
    connection: sa.Connection, asked: Unsettled, answer: MessageReceipt
) -> bool:
    """
    Tell whether a provider that looked by the number found another message.

    A provider that names our own id means this message, whatever ids it gave twice.
    """
    named = answer.provider_message_id
    if not named or answer.message_id == asked.message.message_id:
        return False
    lock_names(connection, "provider_id", [named])
    told = named_messages(connection, [named], ["answered", "late", "receipt"])
    owners = owners_of(told, answer.provider, named)
    return bool(owners - {asked.message.message_id})


def _decide(
    connection: sa.Connection,
    asked: Unsettled,
    at: dt.datetime,
    policy: OutboxPolicy,
    *,
    missing: bool,
    resend: bool,
) -> MessageState:
    """Decide what "not found", or no answer, means for an unknown message."""
    own = asked.message.message_id
    row = locked(connection, [own]).get(own)
    if row is None:
        raise InvalidValueError("the outbox does not hold this message")
    change = Change.of(row)
    state = change.standing.state
    if state is not MessageState.UNKNOWN or row.attempts != asked.attempt:
        return state
    now = stamp(at)
    trusted = stamp(moment_of(row.doubted_at) + policy.settle)
    close = connection.execute(
        sa.select(batches.c.closes_at).where(
            batches.c.batch_id == row.batch_id, batches.c.canceled == ""
        )
    ).scalar_one_or_none()
    said = words_of(connection, [row.member_id]).get(row.member_id)
    again = (
        not policy.refusal(asked.template.kind, said)
        and policy.resend_notices
        and asked.template.kind is MessageKind.NOTICE
        and row.attempts < policy.retry.attempts
        and close is not None
        and now < close
    )
    if missing and now >= trusted:
        value = "queued" if again else "rejected"
        fact = MessageFact(kind="settled", value=value, cause="not_found")
        change.add(fact, now)
    elif resend and again:
        change.add(MessageFact(kind="resent", cause="idempotent"), now)
    if change.standing.state is MessageState.QUEUED:
        wait = policy.retry.wait(own, attempt=row.attempts)
        change.columns["due_at"] = stamp(at + wait)
    else:
        change.columns["due_at"] = max(trusted, stamp(at + policy.settle))
    write_changes(connection, [change])
    return change.standing.state


def unsettled(
    connection: sa.Connection,
    *,
    at: dt.datetime,
    limit: int,
    provider: str,
    seal: Seal,
) -> tuple[Unsettled, ...]:
    """Return unknown messages that it is time to ask about."""
    statement = (
        sa.select(messages, batches.c.document)
        .join(batches, batches.c.batch_id == messages.c.batch_id)
        .where(messages.c.state == "unknown", messages.c.due_at <= stamp(at))
        .where(messages.c.provider.in_(["", provider]) if provider else sa.true())
        .order_by(messages.c.due_at, messages.c.message_id)
        .limit(limit)
    )
    return tuple(
        Unsettled(
            message=message_of(row, seal),
            template=batch_of(row.document).template,
            attempt=row.attempts,
            provider=row.provider,
            provider_message_id=row.provider_message_id,
            attempted_at=moment_of(row.claimed_at),
            doubted_at=moment_of(row.doubted_at),
        )
        for row in connection.execute(statement)
    )
