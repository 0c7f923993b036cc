"""What every step of an outbox does: lock rows, write facts, and keep the standing."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable
from fractions import Fraction
from typing import Any

import attrs
import sqlalchemy as sa

from memberops.adapters.stores.outbox_rows import standing_columns, standing_of
from memberops.adapters.stores.outbox_schema import batches, facts, messages
from memberops.adapters.stores.outbox_statements import LOCKED
from memberops.domain.money import Money
from memberops.policies.outbox_rules import MessageFact, Standing, advance

__all__ = ["Change", "cost_in", "lock_names", "locked", "write_changes"]

_LOCKS = 1 << 16
_CLASSES = {"member": 513_562, "provider_id": 513_563, "batch": 513_564}
_NAME_LOCKS = sa.text(
    "SELECT pg_advisory_xact_lock(:class, lock_number) "
    "FROM unnest(CAST(:numbers AS integer[])) AS lock_number"
)

_KEPT = (
    "state", "sending", "report", "attempts", "ambiguous", "cause", "counts", "fence",
    "worker", "leased_until", "due_at", "claimed_at", "doubted_at", "provider",
    "provider_message_id", "cost",
)  # fmt: skip
_UPDATE = (
    sa.update(messages)
    .where(messages.c.message_id == sa.bindparam("key"))
    .values({name: sa.bindparam(f"new_{name}") for name in _KEPT})
)
_SPEND = (
    sa.update(batches)
    .where(batches.c.batch_id == sa.bindparam("key"))
    .values(spent=batches.c.spent + sa.bindparam("more"))
)


@attrs.define
class Change:
    """
    A message's row, the facts that are new, and what it is after them.

    Args:
        row: As it was read, locked.
        standing: How it stands now.
        columns: Of the row, what changes.
        facts: Rows of the new facts.
    """

    row: Any
    standing: Standing
    columns: dict[str, Any]
    facts: list[dict[str, Any]]

    @classmethod
    def of(cls, row: Any) -> Change:
        """Begin with a row that was read."""
        return cls(row=row, standing=standing_of(row), columns={}, facts=[])

    def add(self, fact: MessageFact, at: int, **details: Any) -> None:
        """Take in one more fact, which must be possible."""
        self.standing = advance(self.standing, fact)
        line = {
            "message_id": self.row.message_id,
            "kind": fact.kind,
            "value": fact.value,
            "cause": fact.cause,
            "attempt": self.standing.attempts,
            "fence": self.columns.get("fence", self.row.fence),
            "at": at,
            "worker": "",
            "provider": self.row.provider,
            "provider_message_id": None,
            "raw_code": "",
            "segment": None,
            "cost": None,
            "foreign_cost": None,
        }
        self.facts.append(line | details)

    @property
    def spent(self) -> int:
        """What the step adds to the cost of the batch, in minor units."""
        cost = self.columns.get("cost", self.row.cost)
        before = self.row.cost if self.row.counts else 0
        return (cost if self.standing.counts else 0) - before

    def update(self) -> dict[str, Any]:
        """Return the values of the update."""
        values = self.columns | standing_columns(self.standing)
        return {"key": self.row.message_id} | {
            f"new_{name}": values.get(name, getattr(self.row, name)) for name in _KEPT
        }


def lock_names(connection: sa.Connection, kind: str, names: Collection[str]) -> None:
    """
    Let nobody else deal with these members or ids until the transaction ends.

    SQLite has locked everything already. PostgreSQL takes one lock a name, always in
    the same order.

    Args:
        connection: In a transaction that writes.
        kind: ``"member"``, ``"provider_id"`` or ``"batch"``.
        names: Which.
    """
    if connection.dialect.name != "postgresql" or not names:
        return
    digests = (hashlib.blake2b(n.encode(), digest_size=4).digest() for n in names)
    numbers = sorted({int.from_bytes(digest) % _LOCKS for digest in digests})
    connection.execute(_NAME_LOCKS, {"class": _CLASSES[kind], "numbers": numbers})


def cost_in(
    connection: sa.Connection, row: Any, cost: Money | None
) -> tuple[int | None, str | None]:
    """
    Return what a message cost in the minor units of its batch, rounded up.

    Returns:
        The cost; or, in another currency than the batch's, which nothing here can
        turn into it, none and the cost as text.
    """
    if cost is None:
        return None, None
    statement = sa.select(batches.c.currency, batches.c.digits)
    batch = connection.execute(
        statement.where(batches.c.batch_id == row.batch_id)
    ).one()
    if batch.currency != cost.currency.code:
        return None, f"{cost.amount} {cost.currency.code}"
    shift = batch.digits - cost.currency.digits
    return math.ceil(abs(cost.minor) * Fraction(10) ** shift), None


def locked(connection: sa.Connection, ids: Collection[str]) -> dict[str, Any]:
    """Read messages and keep others from changing them, in the order of their ids."""
    rows: dict[str, Any] = {}
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), 1000):
        given = {"ids": wanted[start : start + 1000]}
        rows.update((row.message_id, row) for row in connection.execute(LOCKED, given))
    return rows


def write_changes(connection: sa.Connection, changes: Iterable[Change]) -> None:
    """Write the facts, what follows from them, and what the batches have spent."""
    changed = [change for change in changes if change.facts or change.columns]
    if not changed:
        return
    lines = [line for change in changed for line in change.facts]
    if lines:
        connection.execute(sa.insert(facts), lines)
    connection.execute(_UPDATE, [change.update() for change in changed])
    spent: dict[str, int] = {}
    for change in changed:
        batch_id = change.row.batch_id
        spent[batch_id] = spent.get(batch_id, 0) + change.spent
    for batch_id in sorted(spent):
        if spent[batch_id]:
            connection.execute(_SPEND, {"key": batch_id, "more": spent[batch_id]})
