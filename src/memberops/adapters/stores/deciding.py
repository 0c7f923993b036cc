"""Deciding records inside the transaction that writes them."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from memberops.adapters.stores import facts
from memberops.adapters.stores.appending import append
from memberops.adapters.stores.driver_text import run
from memberops.adapters.stores.migrations import STEPS, check_version
from memberops.adapters.stores.schema import version
from memberops.domain.closing import Closing
from memberops.domain.hold import Hold, Release
from memberops.domain.posting import Posting
from memberops.errors import OutOfStockError
from memberops.ledger import Entry, LedgerRules, Posted, Refusal, chained, decide
from memberops.ledger.storable import check_reason

__all__ = ["take_turn", "write_all", "write_one"]

# One writer at a time: sequence and hash then follow the order of the commits, and
# no two writers can take the same stock. SQLite has locked already.
_TAKE_TURN = {
    "sqlite": sa.select(version.c.version),
    "postgresql": sa.select(version.c.version).with_for_update(),
}


def take_turn(connection: sa.Connection) -> None:
    """Wait for the other writers, and see that the tables are still ours."""
    turn = _TAKE_TURN[connection.dialect.name]
    check_version(run(connection, turn).scalar_one(), len(STEPS))


def write_one(
    connection: sa.Connection,
    record: Posting | Closing | Hold | Release,
    rules: LedgerRules,
    *,
    whole: bool = False,
) -> tuple[Posted, OutOfStockError | None]:
    """
    Write what is decided of a record: itself, or its refusal.

    Args:
        connection: In a transaction that has its turn.
        record: What the client wants to write.
        rules: The ledger's gifts, places and bounds.
        whole: Whether it is one of several that are written together or not at all:
            then a refusal is raised, and nothing of it is kept.

    Returns:
        The receipt, and the error that is raised once the refusal is durable.

    Raises:
        InvalidValueError: A new posting's reason has spaces around it.
        LedgerError, LookupError: See `memberops.ledger.decide`.
    """
    standing = facts.read_standing(connection, record)
    known = facts.read_facts(connection, record, standing)
    verdict = decide(record, known, rules)
    if verdict.record is None:
        return Posted(sequence=verdict.sequence, replayed=True), None
    check_reason(verdict.record)
    if whole and isinstance(verdict.record, Refusal):
        raise verdict.record.error(replayed=False, spent=False)
    entry = Entry(sequence=standing.position + 1, record=verdict.record)
    append(connection, entry, chained(standing.running, entry))
    return Posted(sequence=entry.sequence, replayed=False), verdict.error


def write_all(
    connection: sa.Connection, postings: Iterable[Posting], rules: LedgerRules
) -> tuple[Posted, ...]:
    """
    Write postings one after the other; the first that is refused ends it all.

    Raises:
        OutOfStockError: There is too little; no key is spent.
    """
    return tuple(write_one(connection, each, rules, whole=True)[0] for each in postings)
