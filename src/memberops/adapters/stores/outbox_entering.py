"""What goes into an outbox: batches, words on them, messages, and what members said."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import attrs
import pandas as pd
import sqlalchemy as sa

from memberops.adapters.stores.outbox_claims import words_in
from memberops.adapters.stores.outbox_database import stamp
from memberops.adapters.stores.outbox_rows import (
    Enqueued,
    Seal,
    approval_text,
    batch_of,
    batch_row,
    message_of,
    message_row,
)
from memberops.adapters.stores.outbox_schema import (
    approvals,
    batches,
    consents,
    contacts,
    messages,
)
from memberops.adapters.stores.outbox_steps import lock_names
from memberops.domain.message import (
    BatchApproval,
    Message,
    MessageBatch,
    MessageTemplate,
    audience_digest,
)
from memberops.domain.visit import VisitChannel
from memberops.errors import (
    ApprovalError,
    InvalidValueError,
    MessageConflictError,
    MissingColumnsError,
    OutboxError,
    UnknownBatchError,
    bounded,
    nearest,
)
from memberops.policies.contact_hours import zones_of
from memberops.policies.message_approval import person_of
from memberops.policies.message_policy import MessagePolicy
from memberops.policies.message_text import TextRules, gap_names, variable_fault
from memberops.policies.outbox_policy import OutboxPolicy

__all__ = [
    "add_batch",
    "approve",
    "batch_row_of",
    "cancel",
    "enqueue",
    "frame_messages",
    "heard",
    "met",
    "told_by_provider",
]

_COLUMNS = tuple(field.name for field in attrs.fields(Message))
_WORD = ("member_id", "granted", "at", "evidence")
_NEEDED = ("message_id", "batch_id", "member_id", "phone", "text")


def batch_row_of(
    connection: sa.Connection, batch_id: str, *, lock: bool = False
) -> Any:
    """Return the row of a batch; with *lock*, others wait until we are done."""
    statement = sa.select(batches).where(batches.c.batch_id == batch_id)
    if lock:
        statement = statement.with_for_update()
    row = connection.execute(statement).one_or_none()
    if row is None:
        every = sa.select(batches.c.batch_id).limit(1000)
        known = connection.execute(every).scalars().all()
        raise UnknownBatchError(
            f"the outbox holds no batch {bounded([batch_id])}: "
            f"{nearest(batch_id, known)}"
        ).in_chinese(
            f"发件箱里没有批次 {bounded([batch_id])}；"
            f"已有 {len(known)} 个批次，见 messages status"
        )
    return row


def add_batch(
    connection: sa.Connection, batch: MessageBatch, policy: OutboxPolicy
) -> bool:
    """Write a batch; return False if it was there with the same contents."""
    price = policy.price
    if price is None and not policy.unpriced:
        raise InvalidValueError(
            "nothing would be counted against the cost cap, for the policy has no "
            "price: give price=, or unpriced=True to count what the provider says"
        )
    if price is not None and price.currency != batch.cost_cap.currency:
        raise InvalidValueError(
            "the cost cap of a batch is in the currency of the price, digits included"
        )
    row = batch_row(batch)
    lock_names(connection, "batch", [batch.batch_id])
    known = connection.execute(
        sa.select(batches.c.document).where(batches.c.batch_id == batch.batch_id)
    ).scalar_one_or_none()
    if known is None:
        connection.execute(sa.insert(batches), row)
        return True
    if known != row["document"]:
        first, second = json.loads(known), json.loads(row["document"])
        differ = [name for name in second if first.get(name) != second[name]]
        raise _conflict(batch.batch_id, differ)
    return False


def approve(
    connection: sa.Connection, approval: BatchApproval, policy: OutboxPolicy
) -> bool:
    """Write a word on a batch; return False if it was said before."""
    row = batch_row_of(connection, approval.batch_id, lock=True)
    batch = batch_of(row.document)
    if approval.fingerprint != batch.fingerprint:
        raise ApprovalError(
            "this word is on another text, audience, window or cost cap than the "
            "batch has: read the batch again and approve what it is now"
        ).in_chinese(
            "指纹不符：审批的是另一版本（文本、名单、时段或费用上限已变更），"
            "请重新查看批次，再按现有版本审批"
        )
    if approval.granted and person_of(approval.actor) == person_of(batch.author):
        raise ApprovalError("who made a batch does not approve it").in_chinese(
            "编制人不得审批自己编制的批次，请由他人审批"
        )
    if approval.role not in policy.roles:
        raise ApprovalError(
            f"{bounded([approval.role])} is no role that approves batches: "
            f"{nearest(approval.role, policy.roles)}"
        ).in_chinese(
            f"{bounded([approval.role])} 不是审批角色；"
            f"可用角色：{'、'.join(policy.roles)}"
        )
    if row.canceled and approval.granted:
        raise ApprovalError("the batch was canceled; make a new one").in_chinese(
            "该批次已取消，请新建批次"
        )
    words = words_in(connection, approval.batch_id)
    own = (person_of(approval.actor), approval.role)
    mine = [word for word in words if (person_of(word.actor), word.role) == own]
    # A grant that is told again must not undo what was said after it; a refusal may.
    if approval in (mine if approval.granted else mine[-1:]):
        return False
    row = {"batch_id": approval.batch_id, "document": approval_text(approval)}
    connection.execute(sa.insert(approvals), row)
    return True


def cancel(connection: sa.Connection, batch_id: str, cause: str) -> None:
    """Let no message of a batch leave any more."""
    if not cause:
        raise InvalidValueError("say in a word why the batch is canceled").in_chinese(
            "请写明取消原因"
        )
    row = batch_row_of(connection, batch_id, lock=True)
    if not row.canceled:
        connection.execute(
            sa.update(batches)
            .where(batches.c.batch_id == batch_id)
            .values(canceled=cause)
        )


def frame_messages(frame: Any) -> Iterator[Message]:
    """Read messages from a frame with the fields of `Message` as columns."""
    columns = list(frame.columns)
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise MissingColumnsError("messages", missing, columns)
    names = [name for name in _COLUMNS if name in columns]
    for values in zip(*(frame[name] for name in names), strict=True):
        given = {
            name: value
            for name, value in zip(names, values, strict=True)
            if not _is_missing(value)
        }
        absent = [name for name in _NEEDED if name not in given]
        if absent:
            raise InvalidValueError(f"a message has no {bounded(absent)}")
        yield Message(**given)


def _is_missing(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def enqueue(
    connection: sa.Connection,
    batch_id: str,
    chunk: list[Message],
    policy: OutboxPolicy,
    seal: Seal,
) -> Enqueued:
    """Write a chunk of messages, each once."""
    row = batch_row_of(connection, batch_id, lock=True)
    given: dict[str, Message] = {}
    for message in chunk:
        if message.batch_id != batch_id:
            raise InvalidValueError("a message is enqueued into the batch it names")
        first = given.setdefault(message.message_id, message)
        if first != message:
            raise _conflict(message.message_id, _unlike(first, message))
    for zone in {message.zone for message in given.values()}:
        zones_of(zone)
    known = connection.execute(
        sa.select(messages).where(messages.c.message_id.in_(list(given)))
    ).all()
    for old in known:
        kept = message_of(old, seal)
        if kept != given[old.message_id]:
            differ = _unlike(kept, given[old.message_id])
            raise _conflict(old.message_id, differ)
        del given[old.message_id]
    if given:
        _add(connection, row, list(given.values()), policy, seal)
    return Enqueued(new=len(given), repeated=len(chunk) - len(given))


def _conflict(key: str, fields: Iterable[str]) -> MessageConflictError:
    return MessageConflictError(
        f"the id {bounded([key])} is in the outbox with other contents: "
        f"{bounded(sorted(fields))} differ; another message takes another id"
    ).in_chinese(
        f"发件箱里已有 {bounded([key])} 而内容不同（{bounded(sorted(fields))}）："
        "请用新编号"
    )


def _unlike(first: Message, second: Message) -> list[str]:
    return [name for name in _COLUMNS if getattr(first, name) != getattr(second, name)]


def _cost(policy: OutboxPolicy, message: Message, batch: Any) -> int:
    """Return what a message may cost in the minor units of its batch, rounded up."""
    cost = policy.estimate(message.text)
    if policy.price is None or policy.price.currency.digits == batch.digits:
        return cost
    # the price has got another number of digits since the batch was made
    shift = int(batch.digits) - policy.price.currency.digits
    return math.ceil(cost * Fraction(10) ** shift)


def _add(
    connection: sa.Connection,
    batch: Any,
    new: list[Message],
    policy: OutboxPolicy,
    seal: Seal,
) -> None:
    if policy.texts is not None:
        _check_texts(batch_of(batch.document).template, new, policy.texts)
    if batch.canceled:
        raise OutboxError("the batch was canceled; nothing enters it any more")
    if batch.enqueued + len(new) > batch.size:
        raise OutboxError(
            f"the batch was made for {batch.size} messages and would have "
            f"{batch.enqueued + len(new)}: make a batch for the others"
        )
    rows = [
        message_row(each, cost=_cost(policy, each, batch), seal=seal) for each in new
    ]
    if connection.dialect.name == "postgresql":
        names = list(rows[0])
        kinds = {"cost": "bigint"}
        shape = ", ".join(f"{name} {kinds.get(name, 'text')}" for name in names)
        listed = ", ".join(names)
        connection.execute(
            sa.text(
                f"INSERT INTO outbox_messages ({listed}) SELECT {listed} "  # noqa: S608 - names of our own columns
                f"FROM json_to_recordset(CAST(:rows AS json)) AS given({shape})"
            ),
            {"rows": json.dumps(rows, ensure_ascii=False)},
        )
    else:
        connection.execute(sa.insert(messages), rows)
    part, count = audience_digest((each.message_id, each.digest) for each in new)
    total = (int(batch.gathered, 16) + int(part, 16)) % (1 << 256)
    connection.execute(
        sa.update(batches)
        .where(batches.c.batch_id == batch.batch_id)
        .values(gathered=f"{total:064x}", enqueued=batches.c.enqueued + count)
    )


def _check_texts(
    template: MessageTemplate, new: Iterable[Message], policy: MessagePolicy
) -> None:
    """Refuse a text that breaks a rule, or that its variables do not make."""
    rules = TextRules(template, policy)
    names = gap_names(template)
    write = rules.writer(template)
    for message in new:
        given = dict(message.variables)
        faults = [
            fault
            for name in names
            if (fault := variable_fault(given.get(name), policy))
        ]
        if not faults:
            faults, _ = rules.faults(message.text)
        made = not faults and write([given[name] for name in names]) == message.text
        if not made or len(given) != len(names):
            why = faults[0] if faults else "its variables make another text"
            raise InvalidValueError(
                f"the message {bounded([message.message_id])} cannot be sent: {why}"
            )


def heard(
    connection: sa.Connection,
    said: Iterable[tuple[str, dt.datetime, str]],
    *,
    granted: bool,
    seal: Seal,
) -> None:
    """Write what members said, each word once; a claim that comes after it sees it."""
    words = dict.fromkeys(
        (member_id, int(granted), stamp(at), evidence)
        for member_id, at, evidence in said
    )
    who = sorted({member_id for member_id, *_ in words})
    lock_names(connection, "member", who)
    columns = [consents.c[name] for name in _WORD]
    known = connection.execute(sa.select(*columns).where(consents.c.member_id.in_(who)))
    for *word, evidence in known:
        # What cannot be read is another word: a refusal is never lost for its sake.
        with contextlib.suppress(Exception):
            words.pop((*word, seal.show(evidence)), None)
    if words:
        rows = [
            dict(zip(_WORD, (*word, seal.hide(evidence)), strict=True))
            for *word, evidence in words
        ]
        connection.execute(sa.insert(consents), rows)


def told_by_provider(
    connection: sa.Connection,
    said: Iterable[tuple[str, str, str]],
    at: dt.datetime,
    seal: Seal,
) -> None:
    """
    Write that members refuse of whom a provider says so, for every campaign to come.

    Args:
        connection: In the transaction that writes down what the provider said.
        said: Member, name of the provider, and its code.
        at: When it was heard.
        seal: Of the evidence.
    """
    words = [
        (who, at, f"{name or 'provider'} {code}".strip()) for who, name, code in said
    ]
    if words:
        heard(connection, words, granted=False, seal=seal)


def met(
    connection: sa.Connection,
    made: Iterable[tuple[str, dt.datetime, VisitChannel | str]],
) -> None:
    """Write contacts that were made elsewhere; the same one counts once."""
    rows = {
        (member_id, stamp(at), VisitChannel(channel).value)
        for member_id, at, channel in made
    }
    lock_names(connection, "member", [member_id for member_id, _, _ in rows])
    for member_id, at, channel in sorted(rows):
        same = sa.select(contacts.c.at).where(
            contacts.c.member_id == member_id,
            contacts.c.at == at,
            contacts.c.channel == channel,
        )
        if connection.execute(same).first() is None:
            connection.execute(
                sa.insert(contacts),
                {"member_id": member_id, "at": at, "channel": channel},
            )
