"""An outbox in SQLite or PostgreSQL."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

import pandas as pd
import sqlalchemy as sa

from memberops.adapters.stores import outbox_entering as entering
from memberops.adapters.stores import outbox_results as results
from memberops.adapters.stores.outbox_claims import (
    Claiming,
    approval_in,
    open_batches,
)
from memberops.adapters.stores.outbox_reading import OutboxReading
from memberops.adapters.stores.outbox_receipts import receive
from memberops.adapters.stores.outbox_rows import (
    Claim,
    Enqueued,
    Received,
    Recorded,
    Unsettled,
    batch_of,
)
from memberops.adapters.stores.outbox_waiting import reopen
from memberops.domain.message import (
    BatchApproval,
    Message,
    MessageBatch,
    MessageReceipt,
    MessageState,
    SendResult,
)
from memberops.domain.visit import VisitChannel
from memberops.errors import InvalidValueError
from memberops.policies.outbox_policy import ApprovalState

__all__ = ["MOST_CLAIMS", "SqlOutbox"]

T = TypeVar("T")

MOST_CLAIMS = 500
"""How many messages one claim takes at most: each is one lock in PostgreSQL."""

_CHUNK = 2000
_RECEIPTS = 200


class SqlOutbox(OutboxReading):
    """
    Messages on their way out, in a database: nothing lost, nothing twice (HQ §6.1).

    `memberops.adapters.stores.open_outbox` opens one. It may be used by several
    threads, and by several processes that open it each for itself; it is also a
    context manager, which disposes of its connections. What a method returns is on
    disk. `docs/explanation/messages.md` tells the states and why they are so.

    Args:
        engine: Of `memberops.adapters.stores.engines`.
        policy: What is checked at a claim, and when is tried again.
        seal: Hides phones and texts in the database; none by default.
        where: What errors call the database: no secrets.

    Raises:
        OutboxStoreError: The database cannot be opened.
        OutboxVersionError: It is newer than the library.
    """

    def add_batch(self, batch: MessageBatch) -> bool:
        """
        Write a batch; its messages leave when it is whole and approved.

        Returns:
            False if it was there already, with the same contents.

        Raises:
            MessageConflictError: The id is taken by another batch.
            InvalidValueError: The cost cap is not in the currency of the price.
        """
        return self._database.write(
            lambda connection: entering.add_batch(connection, batch, self._policy)
        )

    def approve(self, approval: BatchApproval) -> ApprovalState:
        """
        Write one person's word on a batch; saying it again changes nothing.

        A withdrawal holds from the moment this returns: no claim comes after it.

        Returns:
            ``approved``, ``waiting``, ``refused`` or ``void``.

        Raises:
            ApprovalError: It is the author's own, in no needed role, or on another
                text, audience, window or cap than the batch has.
            UnknownBatchError: There is no such batch.
        """

        def work(connection: sa.Connection) -> ApprovalState:
            entering.approve(connection, approval, self._policy)
            row = entering.batch_row_of(connection, approval.batch_id)
            return approval_in(connection, batch_of(row.document), self._policy)

        return self._database.write(work)

    def enqueue(
        self,
        batch_id: str,
        messages: Iterable[Message] | pd.DataFrame,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> Enqueued:
        """
        Write messages in chunks; the same message counts once.

        A call that was cut off is simply made again. Messages may come before the
        batch is approved; none leaves before all are here, for what was approved is
        the whole audience.

        Args:
            batch_id: The batch that the messages name.
            messages: As they come, or a frame with the fields of `Message` as
                columns; a million need no more memory than a thousand.
            progress: Called after each chunk with how many were read.

        Raises:
            MessageConflictError: An id came before with other contents; the chunk
                with it was not written.
            OutboxError: The batch is canceled, or was made for fewer messages.
            UnknownBatchError: There is no such batch.
        """
        given = (
            entering.frame_messages(messages)
            if hasattr(messages, "columns")
            else iter(messages)
        )
        new = repeated = 0
        for chunk in _chunks(given):
            work = partial(
                entering.enqueue,
                batch_id=batch_id,
                chunk=chunk,
                policy=self._policy,
                seal=self._seal,
            )
            done = self._database.write(work)
            new, repeated = new + done.new, repeated + done.repeated
            if progress is not None:
                progress(new + repeated)
        return Enqueued(new=new, repeated=repeated)

    def record_consent(self, member_id: str, *, at: dt.datetime, evidence: str) -> None:
        """Write that a member agreed to messages, with what proves it."""
        self.record_consents([(member_id, at, evidence)])

    def record_consents(self, given: Iterable[tuple[str, dt.datetime, str]]) -> None:
        """Write many consents, as triples of member, moment and evidence."""
        for chunk in _chunks(iter(given)):
            work = partial(entering.heard, said=chunk, granted=True, seal=self._seal)
            self._database.write(work)

    def opt_out(self, member_id: str, *, at: dt.datetime, evidence: str) -> None:
        """
        Write that a member wants no messages: none is claimed once this returns.

        It holds whatever its moment says, until a consent with a later one is written
        after it. The same word told again is no new one.
        """
        self.record_opt_outs([(member_id, at, evidence)])

    def record_opt_outs(self, given: Iterable[tuple[str, dt.datetime, str]]) -> None:
        """Write many opt-outs, as triples of member, moment and evidence."""
        for chunk in _chunks(iter(given)):
            work = partial(entering.heard, said=chunk, granted=False, seal=self._seal)
            self._database.write(work)

    def record_contact(
        self, member_id: str, *, at: dt.datetime, channel: VisitChannel | str
    ) -> None:
        """Write a contact made elsewhere, such as a visit: the caps count it."""
        self.record_contacts([(member_id, at, channel)])

    def record_contacts(
        self, given: Iterable[tuple[str, dt.datetime, VisitChannel | str]]
    ) -> None:
        """Write many contacts, as triples of member, moment and channel."""
        for chunk in _chunks(iter(given)):
            self._database.write(partial(entering.met, made=chunk))

    def claim(
        self,
        *,
        worker: str,
        at: dt.datetime,
        limit: int = 100,
        lease: dt.timedelta = dt.timedelta(minutes=2),
        provider: str = "",
    ) -> tuple[Claim, ...]:
        """
        Take messages of one batch to send them, and write that down first.

        In the same transaction are asked: approval, window and cost cap of the
        batch; consent and opt-out, hours, quiet hours and caps of the member. Who
        may not be written to is canceled, who may be later waits.

        Args:
            worker: Who claims, for the history.
            at: The moment.
            limit: How many at most, up to 500.
            lease: After it others may take the worker for dead; longer than a
                request to the provider can last.
            provider: Name of the provider: batches of others are left.

        Returns:
            The claims; none if nothing is due. Send each once, and `record` the
            result.
        """
        if not 1 <= limit <= MOST_CLAIMS or lease <= dt.timedelta(0):
            raise InvalidValueError(
                f"'limit' is 1 to {MOST_CLAIMS}, and 'lease' is above zero"
            )
        for batch_id in self._database.read(
            partial(open_batches, at=at, provider=provider, policy=self._policy)
        ):
            claiming = Claiming(
                policy=self._policy,
                seal=self._seal,
                batch_id=batch_id,
                worker=worker,
                provider=provider,
                at=at,
                lease=lease,
                limit=limit,
            )
            moved = True
            while moved:
                claims, moved = self._database.write(claiming)
                if claims:
                    return tuple(claims)
        return ()

    def record(self, claim: Claim, result: SendResult, *, at: dt.datetime) -> Recorded:
        """
        Write what came of a request; see `record_all`.

        Raises:
            InvalidValueError: The result is of another message.
        """
        return self.record_all([(claim, result)], at=at)[0]

    def record_all(
        self, pairs: Iterable[tuple[Claim, SendResult]], *, at: dt.datetime
    ) -> tuple[Recorded, ...]:
        """
        Write what came of requests, all in one transaction.

        ``postponed`` goes back into the queue by the `RetryPolicy`, ``unknown``
        never does. The same result may be recorded again after a lost connection.
        A worker that lost its claim is refused: `Recorded.applied` is False. A member
        of whom the provider says that they opted out has opted out here as well.
        """
        given = list(pairs)
        return tuple(
            self._database.write(
                lambda connection: results.record(
                    connection, given, at, self._policy, self._seal
                )
            )
        )

    def release(self, claims: Iterable[Claim], *, at: dt.datetime) -> int:
        """
        Put back claims whose requests were surely never begun; return how many.

        They count neither as contacts nor as tries. A claim that was recovered
        meanwhile stays unknown.
        """
        given = list(claims)
        return self._database.write(
            lambda connection: results.release(connection, given, at)
        )

    def receive(self, receipt: MessageReceipt, *, at: dt.datetime) -> Received:
        """Take in one receipt; see `receive_all`."""
        return self.receive_all([receipt], at=at)[0]

    def receive_all(
        self, receipts: Iterable[MessageReceipt], *, at: dt.datetime
    ) -> tuple[Received, ...]:
        """
        Take in receipts, in any order and as often as they come, in small chunks.

        A receipt may come before the answer to the request. One that fits no
        message of this outbox is a stray: kept and counted, and applied when an
        answer names its provider's id. Prove that they are the provider's first.
        """
        taken: list[Received] = []
        for chunk in _chunks(iter(receipts), _RECEIPTS):
            taken += self._database.write(
                partial(receive, receipts=chunk, at=at, seal=self._seal)
            )
        return tuple(taken)

    def recover(self, *, at: dt.datetime) -> int:
        """
        Take what workers claimed and never answered for unknown; return how many.

        It is not queued again: the request may have left before the worker died.
        """
        return self._repeat(
            lambda connection: results.recover(connection, at, self._policy.settle)
        )

    def reopen(self, *, at: dt.datetime) -> int:
        """Look again at what waits for hours that are open; return how many."""
        return self._database.write(partial(reopen, at=at, policy=self._policy))

    def expire(self, *, at: dt.datetime) -> int:
        """End what still waits in batches that have closed; return how many."""
        over = self._database.read(partial(results.ended_batches, at=at))
        return sum(
            self._repeat(
                partial(results.end, batch_id=each, at=at, policy=self._policy)
            )
            for each in over
        )

    def cancel(self, batch_id: str, *, cause: str, at: dt.datetime) -> int:
        """
        Let no message of a batch leave any more; return how many were ended.

        Raises:
            UnknownBatchError: There is no such batch.
        """
        self._database.write(
            lambda connection: entering.cancel(connection, batch_id, cause)
        )
        return self.expire(at=at)

    def _repeat(self, step: Callable[[sa.Connection], int]) -> int:
        total = 0
        while done := self._database.write(step):
            total += done
        return total

    def unsettled(
        self, *, at: dt.datetime, limit: int = 100, provider: str = ""
    ) -> tuple[Unsettled, ...]:
        """Return unknown messages that it is time to ask their provider about."""
        return self._database.read(
            partial(
                results.unsettled,
                at=at,
                limit=limit,
                provider=provider,
                seal=self._seal,
            )
        )

    def settle(
        self,
        unsettled: Unsettled,
        receipt: MessageReceipt | None,
        *,
        at: dt.datetime,
        idempotent: bool = False,
    ) -> MessageState:
        """
        Take in what a provider answered about an unknown message.

        Args:
            unsettled: The message as it was asked about.
            receipt: The answer; None if the provider could not be asked, which
                lets the question wait, as does an id of the provider that is
                another message's.
            at: When it was answered. "Not found" is believed only after the settle
                delay, and then means that it was not sent: marketing is rejected, a
                notice is queued again if the policy says so.
            idempotent: Whether the provider leaves out what it has already, so that
                a notice may be sent again without an answer.

        Returns:
            Where the message stands now.
        """
        work = partial(
            results.settle, asked=unsettled, answer=receipt, at=at,
            policy=self._policy, seal=self._seal, idempotent=idempotent,
        )  # fmt: skip
        return self._database.write(work)


def _chunks(given: Iterator[T], size: int = _CHUNK) -> Iterator[list[T]]:
    while chunk := list(itertools.islice(given, size)):
        yield chunk
