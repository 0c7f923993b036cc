"""Whether an outbox holds together: everything again, from its facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from memberops.adapters.stores.outbox_rows import Seal, message_of, standing_of
from memberops.adapters.stores.outbox_schema import batches, facts, messages
from memberops.domain.finding import Finding, Severity
from memberops.domain.message import audience_digest
from memberops.errors import bounded
from memberops.policies.outbox_rules import MessageFact, Standing, advance

__all__ = ["verify"]

_PAGE = 5000
_TEXTS = {
    "message-state": (
        "messages do not stand as their facts say",
        "短信状态与其记录不符",
    ),
    "message-audience": (
        "a batch's messages are not those that were enqueued",
        "批次短信与入队时不符",
    ),
    "message-cost": (
        "a batch's cost is not that of its messages",
        "批次费用与其短信不符",
    ),
    "message-currency": (
        "costs in another currency than the batch's are not counted",
        "通道报价币种与批次不同，未计入费用",
    ),
}


def _histories(connection: sa.Connection) -> Iterator[tuple[Any, list[Any]]]:
    last = ""
    while True:
        rows = connection.execute(
            sa.select(messages)
            .where(messages.c.message_id > last)
            .order_by(messages.c.message_id)
            .limit(_PAGE)
        ).all()
        if not rows:
            return
        first, last = rows[0].message_id, rows[-1].message_id
        lines = connection.execute(
            sa.select(facts)
            .where(facts.c.message_id >= first, facts.c.message_id <= last)
            .order_by(facts.c.message_id, facts.c.sequence)
        )
        by_message: dict[str, list[Any]] = {}
        for line in lines:
            by_message.setdefault(line.message_id, []).append(line)
        for row in rows:
            yield row, by_message.get(row.message_id, [])


def _refolded(lines: list[Any]) -> Standing | None:
    standing = Standing()
    try:
        for line in lines:
            fact = MessageFact(kind=line.kind, value=line.value, cause=line.cause)
            standing = advance(standing, fact)
    except ValueError:
        return None
    return standing


def _same(row: Any, standing: Standing | None) -> bool:
    if standing is None:
        return False
    kept = standing_of(row)
    facts_of = (
        (each.sending, each.report, each.attempts, each.ambiguous)
        for each in (kept, standing)
    )
    return (
        len(set(facts_of)) == 1
        and row.state == standing.state.value
        and bool(row.counts) is standing.counts
    )


def verify(connection: sa.Connection, seal: Seal) -> tuple[Finding, ...]:
    """Refold every message from its facts, and every batch from its messages."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    wrong: list[str] = []
    gathered: dict[str, list[int]] = {}
    for row, lines in _histories(connection):
        if not _same(row, _refolded(lines)):
            wrong.append(row.message_id)
        part, _ = audience_digest([(row.message_id, message_of(row, seal).digest)])
        sums = gathered.setdefault(row.batch_id, [0, 0, 0])
        sums[0] = (sums[0] + int(part, 16)) % (1 << 256)
        sums[1] += 1
        sums[2] += row.cost if row.counts else 0
    found: dict[str, list[str]] = {"message-state": wrong}
    for batch in connection.execute(sa.select(batches).order_by(batches.c.batch_id)):
        total, count, spent = gathered.get(batch.batch_id, (0, 0, 0))
        if (batch.gathered, batch.enqueued) != (f"{total:064x}", count):
            found.setdefault("message-audience", []).append(batch.batch_id)
        if batch.spent != spent:
            found.setdefault("message-cost", []).append(batch.batch_id)
    foreign = sa.select(facts.c.message_id).where(facts.c.foreign_cost.is_not(None))
    found["message-currency"] = list(
        connection.execute(foreign.distinct().order_by(facts.c.message_id)).scalars()
    )
    return tuple(
        Finding(
            table="outbox",
            rule=rule,
            severity=Severity.WARNING if rule == "message-currency" else Severity.ERROR,
            message_en=f"{_TEXTS[rule][0]}: {bounded(keys)}",
            message_zh=f"{_TEXTS[rule][1]}：{bounded(keys)}",
            count=len(keys),
        )
        for rule, keys in found.items()
        if keys
    )
