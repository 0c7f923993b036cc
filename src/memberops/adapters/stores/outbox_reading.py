"""An outbox as frames, and whether it holds together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from types import TracebackType
from typing import Any, Self

import pandas as pd
import sqlalchemy as sa

from memberops.adapters.stores.outbox_claims import (
    approval_in,
    stopped,
    words_in,
)
from memberops.adapters.stores.outbox_database import OutboxDatabase, moment_of, stamp
from memberops.adapters.stores.outbox_entering import batch_row_of
from memberops.adapters.stores.outbox_rows import (
    Claim,
    Open,
    Seal,
    batch_of,
    texts_of,
)
from memberops.adapters.stores.outbox_schema import (
    batches,
    facts,
    messages,
    prepare,
    strays,
)
from memberops.adapters.stores.outbox_statements import affordable
from memberops.adapters.stores.outbox_verifying import verify
from memberops.adapters.stores.outbox_waiting import waiting_frame
from memberops.domain.finding import Finding
from memberops.domain.message import (
    BatchApproval,
    MessageBatch,
    MessageState,
)
from memberops.domain.values import mask, mask_name
from memberops.errors import InvalidValueError
from memberops.policies.outbox_policy import OutboxPolicy

__all__ = ["OutboxReading"]

_PERSONAL = {"phone": mask, "text": mask_name, "variables": mask_name}


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
    texts = [texts_of(row, seal) for row in rows]
    for name, hide in _PERSONAL.items():
        shown = [each[name] for each in texts]
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


def _next_due(
    connection: sa.Connection, provider: str, policy: OutboxPolicy
) -> int | None:
    first = sa.func.min(messages.c.due_at).label("first")
    statement = (
        sa.select(batches.c.document, batches.c.opens_at, first)
        .join(messages, messages.c.batch_id == batches.c.batch_id)
        .where(
            messages.c.state == "queued",
            batches.c.canceled == "",
            batches.c.enqueued == batches.c.size,
            batches.c.gathered == batches.c.audience,
            batches.c.provider.in_(["", provider]) if provider else sa.true(),
            affordable(priced=policy.price is not None),
        )
        .group_by(batches.c.batch_id)
    )
    dues = [
        max(row.first, row.opens_at)
        for row in connection.execute(statement).all()
        if approval_in(connection, batch_of(row.document), policy) == "approved"
    ]
    return min(dues, default=None)


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

    def waiting_members(self, *, during: MessageBatch | None = None) -> frozenset[str]:
        """
        Return the members to whom a message waits.

        Args:
            during: Only in other batches that may leave while this one may.
        """
        statement = sa.select(messages.c.member_id).where(messages.c.state == "queued")
        if during is not None:
            statement = statement.join(batches).where(
                batches.c.batch_id != during.batch_id,
                batches.c.opens_at < stamp(during.closes_at),
                batches.c.closes_at > stamp(during.opens_at),
            )
        return self._database.read(
            lambda connection: frozenset(
                connection.execute(statement.distinct()).scalars()
            )
        )

    def journal(self) -> pd.DataFrame:
        """Return one row a fact, oldest first: claims, answers, receipts, ends."""
        return self._database.read(_fact_frame)

    def next_due(self, *, provider: str = "") -> dt.datetime | None:
        """
        Return when the next waiting message may be tried; None if none waits for that.

        What waits for people has no moment: batches that are not approved or not
        whole, and messages that exceed the cost cap.

        Args:
            provider: Name of the provider: batches of others are left out.
        """
        due = self._database.read(
            lambda connection: _next_due(connection, provider, self._policy)
        )
        return None if due is None else moment_of(due)

    def waiting(self) -> pd.DataFrame:
        """
        Return one row for each cause for which messages of an approved batch wait.

        Returns:
            Columns ``batch_id``, ``cause`` (``window``, a cap such as ``cap_day``,
            ``cost_cap``, a `MessageProblem`; empty if nothing keeps them),
            ``messages``, ``expiring`` (of these those that may not leave before their
            batch closes), ``next_at`` (when the first may be tried; missing if all
            are expiring) and ``closes_at``.
        """
        return self._database.read(
            lambda connection: waiting_frame(connection, self._policy)
        )

    def stopped(self, claims: Collection[Claim]) -> frozenset[str]:
        """
        Return the ids of claimed messages that may not leave any more.

        Since the claim their batch was canceled or lost its approval, or their member
        opted out: `SqlOutbox.release` them.
        """
        return self._database.read(
            lambda connection: stopped(connection, claims, self._policy)
        )

    def strays(self) -> int:
        """Return how many different receipts fit no message so far."""
        known = sa.exists().where(
            facts.c.provider_message_id == strays.c.provider_message_id,
            facts.c.provider.in_(["", strays.c.provider]),
            facts.c.kind.in_(["answered", "late"]),
        )
        statement = sa.select(sa.func.count()).where(
            sa.or_(strays.c.message_id.is_not(None), sa.not_(known))
        )
        return self._database.read(
            lambda connection: int(connection.execute(statement).scalar_one())
        )

    def verify(self) -> tuple[Finding, ...]:
        """
        Refold every message from its facts, and every batch from its messages.

        Returns:
            Findings; none if all agree.
        """
        return self._database.read(lambda connection: verify(connection, self._seal))
