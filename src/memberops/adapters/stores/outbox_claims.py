"""The one door out: everything that may forbid a message is asked as it is claimed."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Collection
from typing import Any

import attrs
import sqlalchemy as sa

from memberops.adapters.stores.outbox_database import moment_of, stamp
from memberops.adapters.stores.outbox_rows import (
    Claim,
    Seal,
    approval_of,
    batch_of,
    message_of,
)
from memberops.adapters.stores.outbox_schema import messages
from memberops.adapters.stores.outbox_statements import (
    APPROVALS,
    BATCH_TO_CLAIM,
    BATCHES,
    CONSENTS,
    CONTACTS,
    DUE,
    SENT,
    WITHIN,
    due,
    open_to,
)
from memberops.adapters.stores.outbox_steps import Change, lock_names, write_changes
from memberops.domain.message import BatchApproval, MessageBatch
from memberops.policies.contact import Contact
from memberops.policies.outbox_policy import (
    ApprovalState,
    OutboxPolicy,
    approval_state,
)
from memberops.policies.outbox_rules import MessageFact

__all__ = [
    "Claiming",
    "approval_in",
    "open_batches",
    "stopped",
    "words_in",
    "words_of",
]


def approval_in(
    connection: sa.Connection, batch: MessageBatch, policy: OutboxPolicy
) -> ApprovalState:
    """Tell whether a batch is approved, by all words that were said on it."""
    words = connection.execute(APPROVALS, {"batch_id": batch.batch_id}).scalars()
    return _approval(batch, tuple(words), policy.roles)


@functools.lru_cache(maxsize=256)
def _approval(
    batch: MessageBatch, words: tuple[str, ...], roles: tuple[str, ...]
) -> ApprovalState:
    return approval_state(batch, map(approval_of, words), roles=roles)


def words_in(connection: sa.Connection, batch_id: str) -> tuple[BatchApproval, ...]:
    """Return every word that was said on a batch, the oldest first."""
    words = connection.execute(APPROVALS, {"batch_id": batch_id}).scalars()
    return tuple(map(approval_of, words))


def open_batches(
    connection: sa.Connection, *, at: dt.datetime, provider: str, policy: OutboxPolicy
) -> list[str]:
    """Return the batches of which something may be due, notices first."""
    statement = open_to(priced=policy.price is not None)
    given = {"at": stamp(at), "provider": provider}
    return [
        row.batch_id
        for row in connection.execute(statement, given).all()
        if approval_in(connection, batch_of(row.document), policy) == "approved"
    ]


@attrs.frozen(kw_only=True)
class Claiming:
    """
    One transaction that claims messages of one batch.

    Args:
        policy: The rules.
        seal: Of phones and texts.
        batch_id: Which batch.
        worker: Who claims.
        provider: For which provider; empty for any.
        at: The moment.
        lease: For how long.
        limit: How many at most.
    """

    policy: OutboxPolicy
    seal: Seal
    batch_id: str
    worker: str
    provider: str
    at: dt.datetime
    lease: dt.timedelta
    limit: int

    def __call__(self, connection: sa.Connection) -> tuple[list[Claim], bool]:
        """
        Claim what may be claimed.

        Returns:
            The claims, and whether anything else was moved, so that it is worth
            asking again.
        """
        at = stamp(self.at)
        given = {"batch_id": self.batch_id, "at": at, "provider": self.provider}
        batch_row = connection.execute(BATCH_TO_CLAIM, given).one_or_none()
        if batch_row is None:
            return [], False
        batch = batch_of(batch_row.document)
        if approval_in(connection, batch, self.policy) != "approved":
            return [], False
        given |= self._purse(batch, batch_row.spent) | {"most": self.limit}
        rows = connection.execute(DUE, given).all()
        lock_names(connection, "member", {row.member_id for row in rows})
        return self._decide(connection, batch, batch_row.spent, rows)

    def _decide(
        self, connection: sa.Connection, batch: MessageBatch, spent: int, rows: Any
    ) -> tuple[list[Claim], bool]:
        members = sorted({row.member_id for row in rows})
        said = words_of(connection, members)
        met = _contacts(connection, members)
        hours: dict[str, tuple[dt.datetime | None, dt.datetime]] = {}
        changes: list[Change] = []
        claims: list[Claim] = []
        at, until = stamp(self.at), self.at + self.lease
        for row in rows:
            if row.zone not in hours:
                hours[row.zone] = self.policy.hours(self.at, row.zone)
                if hours[row.zone][0] != self.at:
                    self._defer(connection, batch, row.zone, hours[row.zone][0])
            opens, ends = hours[row.zone]
            change = Change.of(row)
            refusal = self.policy.refusal(batch.template.kind, said.get(row.member_id))
            if refusal:
                change.add(
                    MessageFact(kind="ended", value="canceled", cause=refusal), at
                )
                changes.append(change)
                continue
            if opens != self.at:
                continue
            others = [
                contact
                for own, contact in met.get(row.member_id, ())
                if own != row.message_id
            ]
            free, cap = self.policy.room(self.at, row.zone, others)
            if cap:
                change.columns = {"due_at": max(_by(free, batch), at + 1)}
                change.standing = attrs.evolve(change.standing, cause=cap)
                changes.append(change)
                continue
            more = 0 if row.counts else row.cost
            if self._dear(batch, spent, more):
                continue
            spent += more
            change.columns = {
                "fence": row.fence + 1,
                "worker": self.worker,
                "leased_until": stamp(until),
                "claimed_at": at,
                "provider": self.provider,
            }
            message = message_of(row, self.seal)
            change.add(
                MessageFact(kind="claimed"),
                at,
                worker=self.worker,
                provider=self.provider,
                segment=self.policy.parts(message.text),
            )
            changes.append(change)
            here = Contact(at=self.at, channel="sms")
            met.setdefault(row.member_id, []).append((row.message_id, here))
            claims.append(
                Claim(
                    message=message,
                    template=batch.template,
                    attempt=row.attempts + 1,
                    fence=row.fence + 1,
                    worker=self.worker,
                    provider=self.provider,
                    leased_until=until,
                    begins_before=min(until, ends, batch.closes_at),
                )
            )
        write_changes(connection, changes)
        if len(claims) < self.limit:
            self._tell_dear(connection, batch, spent)
        moved = bool(changes) or any(each != self.at for each, _ in hours.values())
        return claims, moved

    def _purse(self, batch: MessageBatch, spent: int) -> dict[str, int]:
        """Return what a message may cost, and whether any may cost something."""
        room = batch.cost_cap.minor - spent
        return {"room": room, "paying": int(self.policy.price is not None or room > 0)}

    def _dear(self, batch: MessageBatch, spent: int, more: int) -> bool:
        purse = self._purse(batch, spent)
        return more > purse["room"] or not purse["paying"]

    def _tell_dear(
        self, connection: sa.Connection, batch: MessageBatch, spent: int
    ) -> None:
        """Say of what is due and exceeds the cost cap that this is why it waits."""
        waiting = (
            sa.select(messages.c.message_id)
            .where(
                messages.c.batch_id == batch.batch_id,
                due(),
                messages.c.cause != "cost_cap",
                sa.not_(WITHIN),
            )
            .with_for_update(skip_locked=True)
        )
        connection.execute(
            sa.update(messages)
            .where(messages.c.message_id.in_(waiting))
            .values(cause="cost_cap"),
            {"at": stamp(self.at), **self._purse(batch, spent)},
        )

    def _defer(
        self,
        connection: sa.Connection,
        batch: MessageBatch,
        zone: str,
        opens: dt.datetime | None,
    ) -> None:
        """Let all of a zone wait at once until its hours begin."""
        later = _by(opens, batch)
        waiting = (
            sa.select(messages.c.message_id)
            .where(
                messages.c.batch_id == batch.batch_id,
                messages.c.state == "queued",
                messages.c.due_at < later,
                messages.c.zone == zone,
            )
            .with_for_update(skip_locked=True)
        )
        connection.execute(
            sa.update(messages)
            .where(messages.c.message_id.in_(waiting))
            .values(due_at=later, cause="window")
        )


def _by(moment: dt.datetime | None, batch: MessageBatch) -> int:
    """Return when to look again: at the close of the batch at the latest."""
    close = stamp(batch.closes_at)
    return close if moment is None else min(stamp(moment), close)


def words_of(connection: sa.Connection, members: Collection[str]) -> dict[str, bool]:
    """
    Return whether members agreed or refused; nothing of those who said nothing.

    A consent counts if it is later than every refusal, both by what it says of its
    moment and by when it was written: of two clocks that differ, a refusal wins.
    """
    refused: dict[str, int] = {}
    said: dict[str, bool] = {}
    for row in connection.execute(CONSENTS, {"members": list(members)}):
        if not row.granted:
            refused[row.member_id] = max(refused.get(row.member_id, row.at), row.at)
            said[row.member_id] = False
        elif row.member_id not in refused or row.at > refused[row.member_id]:
            said[row.member_id] = True
    return said


def stopped(
    connection: sa.Connection, claims: Collection[Claim], policy: OutboxPolicy
) -> frozenset[str]:
    """Return which of claimed messages may not leave any more, by their ids."""
    mine = {claim.message.batch_id for claim in claims}
    closed = {
        row.batch_id
        for row in connection.execute(BATCHES, {"ids": sorted(mine)}).all()
        if row.canceled
        or approval_in(connection, batch_of(row.document), policy) != "approved"
    }
    said = words_of(connection, sorted({each.message.member_id for each in claims}))
    return frozenset(
        claim.message.message_id
        for claim in claims
        if claim.message.batch_id in closed
        or policy.refusal(claim.template.kind, said.get(claim.message.member_id))
    )


def _contacts(
    connection: sa.Connection, members: list[str]
) -> dict[str, list[tuple[str, Contact]]]:
    found: dict[str, list[tuple[str, Contact]]] = {}
    given = {"members": members}
    for row in connection.execute(SENT, given):
        contact = Contact(at=moment_of(row.claimed_at), channel="sms")
        found.setdefault(row.member_id, []).append((row.message_id, contact))
    for row in connection.execute(CONTACTS, given):
        contact = Contact(at=moment_of(row.at), channel=row.channel)
        found.setdefault(row.member_id, []).append(("", contact))
    return found
