"""An outbox as frames, and whether it holds together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from types import TracebackType
from typing import Any, Self

import pandas as pd
import sqlalchemy as sa

from memberops.adapters.stores.outbox_claims import approval_in, words_in
from memberops.adapters.stores.outbox_database import OutboxDatabase, moment_of
from memberops.adapters.stores.outbox_entering import batch_row_of
from memberops.adapters.stores.outbox_rows import (
    Open,
    Seal,
    batch_of,
    message_of,
    standing_of,
)
from memberops.adapters.stores.outbox_schema import (
    batches,
    facts,
    messages,
    prepare,
    strays,
)
from memberops.domain.finding import Finding
from memberops.domain.message import (
    BatchApproval,
    MessageBatch,
    MessageState,
    audience_digest,
)
from memberops.domain.values import mask, mask_name
from memberops.errors import InvalidValueError, bounded
from memberops.policies.outbox_policy import OutboxPolicy
from memberops.policies.outbox_rules import MessageFact, Standing, advance

__all__ = ["OutboxReading"]

_PERSONAL = {"phone": mask, "text": mask_name, "variables": mask_name}
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
}


def _status_frame(connection: sa.Connection, policy: OutboxPolicy) -> pd.DataFrame:
    """Return one row a batch: approval, sizes, cost, and messages by state."""
    counted = connection.execute(
        sa.select(messages.c.batch_id, messages.c.state, sa.func.count()).group_by(
            messages.c.batch_id, messages.c.state
        )
    )
    by_batch: dict[str, dict[str, int]] = {}
    for batch_id, state, count in counted:
        by_batch.setdefault(batch_id, {})[state] = count
    lines = []
    rows = connection.execute(sa.select(batches).order_by(batches.c.batch_id)).all()
    for row in rows:
        states = by_batch.get(row.batch_id, {})
        lines.append(
            {
                "batch_id": row.batch_id,
                "kind": row.kind,
                "approval": approval_in(connection, batch_of(row.document), policy),
                "cause": row.canceled,
                "size": row.size,
                "enqueued": row.enqueued,
                "spent": row.spent,
                "cost_cap": row.cost_cap,
                **{state.value: states.get(state.value, 0) for state in MessageState},
            }
        )
    names = ["batch_id", "kind", "approval", "cause", "size", "enqueued", "spent",
             "cost_cap", *(state.value for state in MessageState)]  # fmt: skip
    frame = pd.DataFrame(lines, columns=names)
    return frame.astype(dict.fromkeys(names[4:], "int64"))


def _moments(values: Any) -> Any:
    return pd.to_datetime(pd.Series(values, dtype="Int64"), unit="us", utc=True)


def _message_frame(
    connection: sa.Connection, seal: Seal, reveal: Collection[str]
) -> pd.DataFrame:
    """Return one row a message, personal columns masked unless they are revealed."""
    wrong = set(reveal) - set(_PERSONAL)
    if wrong:
        raise InvalidValueError(
            "only 'phone', 'text' and 'variables' are hidden and can be revealed"
        )
    columns = [
        each for each in messages.c if each.name not in {"fence", "leased_until"}
    ]
    statement = sa.select(*columns).order_by(messages.c.batch_id, messages.c.message_id)
    rows = connection.execute(statement).all()
    frame = pd.DataFrame(rows, columns=[column.name for column in columns])
    for name, hide in _PERSONAL.items():
        shown = [seal.show(value) for value in frame[name]]
        frame[name] = shown if name in reveal else [hide(value) for value in shown]
    for name in ("due_at", "claimed_at"):
        frame[name] = _moments(frame[name])
    return frame.astype({"ambiguous": bool, "counts": bool})


def _fact_frame(connection: sa.Connection) -> pd.DataFrame:
    """Return the history: one row a fact, without anything personal."""
    rows = connection.execute(sa.select(facts).order_by(facts.c.sequence)).all()
    frame = pd.DataFrame(rows, columns=[column.name for column in facts.c])
    frame["at"] = _moments(frame["at"])
    return frame


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


def _verify(connection: sa.Connection, seal: Seal) -> tuple[Finding, ...]:
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
    return tuple(
        Finding(
            table="outbox",
            rule=rule,
            message_en=f"{_TEXTS[rule][0]}: {bounded(keys)}",
            message_zh=f"{_TEXTS[rule][1]}：{bounded(keys)}",
            count=len(keys),
        )
        for rule, keys in found.items()
        if keys
    )


class OutboxReading:
    """
    An open outbox as far as it can be read.

    Args:
        engine: Of `memberops.adapters.stores.engines`.
        policy: What is checked at a claim, and when is tried again.
        seal: Hides phones and texts in the database; none by default.
        where: What errors call the database: no secrets.

    Raises:
        OutboxStoreError: The database cannot be opened.
        OutboxVersionError: It is newer than the library.
    """

    def __init__(
        self,
        engine: sa.Engine,
        *,
        policy: OutboxPolicy,
        seal: Seal | None = None,
        where: str,
    ) -> None:
        self._database = OutboxDatabase(engine, where)
        self._policy = policy
        self._seal: Seal = Open() if seal is None else seal
        try:
            prepare(self._database)
        except BaseException:
            self.dispose()
            raise

    def __repr__(self) -> str:
        """Say where the outbox is, and nothing of it."""
        return f"<SqlOutbox in {self._database.where}>"

    def __enter__(self) -> Self:
        """Return the outbox itself."""
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Dispose of the connections."""
        self.dispose()

    def dispose(self) -> None:
        """Close the connections; the outbox opens new ones if it is used again."""
        self._database.dispose()

    @property
    def policy(self) -> OutboxPolicy:
        """What is checked at a claim, and when is tried again."""
        return self._policy

    def batch(self, batch_id: str) -> MessageBatch:
        """
        Return a batch.

        Raises:
            UnknownBatchError: There is none of that id.
        """
        row = self._database.read(lambda connection: batch_row_of(connection, batch_id))
        return batch_of(row.document)

    def approvals(self, batch_id: str) -> tuple[BatchApproval, ...]:
        """Return every word that was said on a batch, the oldest first."""
        return self._database.read(lambda connection: words_in(connection, batch_id))

    def status(self) -> pd.DataFrame:
        """
        Return one row a batch: how many messages stand where.

        Returns:
            Columns ``batch_id``, ``kind``, ``approval``, ``cause`` (why it was
            canceled, or empty), ``size`` (approved), ``enqueued``, ``spent`` and
            ``cost_cap`` (minor units), and one for each `MessageState`, which sum up
            to ``enqueued``.
        """
        return self._database.read(
            lambda connection: _status_frame(connection, self._policy)
        )

    def messages(self, *, reveal: Collection[str] = ()) -> pd.DataFrame:
        """
        Return one row a message; phone, text and variables masked.

        Args:
            reveal: Which of the three are shown as they are.
        """
        return self._database.read(
            lambda connection: _message_frame(connection, self._seal, reveal)
        )

    def journal(self) -> pd.DataFrame:
        """Return one row a fact, oldest first: claims, answers, receipts, ends."""
        return self._database.read(_fact_frame)

    def next_due(self) -> dt.datetime | None:
        """Return when the next waiting message may be tried; None if none waits."""
        statement = (
            sa.select(sa.func.min(messages.c.due_at))
            .join(batches, batches.c.batch_id == messages.c.batch_id)
            .where(messages.c.state == "queued", batches.c.canceled == "")
        )
        due = self._database.read(
            lambda connection: connection.execute(statement).scalar_one_or_none()
        )
        return None if due is None else moment_of(int(due))

    def strays(self) -> int:
        """Return how many different receipts fitted no message when they came."""
        statement = sa.select(sa.func.count()).select_from(strays)
        return self._database.read(
            lambda connection: int(connection.execute(statement).scalar_one())
        )

    def verify(self) -> tuple[Finding, ...]:
        """
        Refold every message from its facts, and every batch from its messages.

        Returns:
            Findings; none if all agree.
        """
        return self._database.read(lambda connection: _verify(connection, self._seal))
