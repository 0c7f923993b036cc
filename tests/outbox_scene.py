"""A small office with an outbox, for the tests of messages."""

import datetime as dt

from memberops.domain.message import (
    BatchApproval,
    Message,
    MessageBatch,
    MessageTemplate,
    audience_digest,
    message_id,
)
from memberops.domain.money import Currency, Money
from memberops.policies.contact import ContactPolicy
from memberops.policies.outbox_policy import OutboxPolicy

CNY = Currency("CNY")
NOON = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)  # a Sunday, 12:00 in Shanghai
MINUTE = dt.timedelta(minutes=1)
FREE = OutboxPolicy(
    contact=ContactPolicy(quiet=None, caps=()), consent=(), unpriced=True
)
"""Nothing but the window, the approval and opt-outs stand in the way by day."""


def batch_of(*members, batch_id="B1", kind="marketing", cap="1000", **changes):
    """Return a batch and its messages, one to each member."""
    messages = tuple(
        Message(
            message_id=message_id(batch_id, member),
            batch_id=batch_id,
            member_id=member,
            phone=f"1380000{index:04d}",
            text=f"【示例店】{member}，生日快乐！拒收请回复R",
            variables=(("name", member),),
            zone=changes.get("zone", "Asia/Shanghai"),
        )
        for index, member in enumerate(members)
    )
    pairs = ((m.message_id, m.digest) for m in messages)
    audience, size = audience_digest(pairs)
    template = MessageTemplate(
        template_id="T1", kind=kind, signature="示例店", text="${name}，生日快乐！",
        provider=changes.get("provider", ""),
    )  # fmt: skip
    batch = MessageBatch(
        batch_id=batch_id,
        template=template,
        sample="【示例店】张三，生日快乐！拒收请回复R",
        audience=audience,
        size=size,
        opens_at=changes.get("opens_at", NOON - MINUTE),
        closes_at=changes.get("closes_at", NOON + dt.timedelta(days=9)),
        cost_cap=Money.of(cap, CNY),
        author="author",
        created_at=NOON - dt.timedelta(days=1),
    )
    return batch, messages


def words(batch, *, granted=True, at=NOON - MINUTE):
    """Return the words of the two who approve."""
    return tuple(
        BatchApproval(
            batch_id=batch.batch_id, fingerprint=batch.fingerprint, role=role,
            actor=actor, at=at, granted=granted,
        )
        for role, actor in (
            ("customer_service_manager", "chen"),
            ("brand_manager", "bai"),
        )
    )  # fmt: skip


def ready(outbox, *members, **changes):
    """Add a batch, approve it, and enqueue its messages; return both."""
    batch, messages = batch_of(*members, **changes)
    outbox.add_batch(batch)
    for word in words(batch):
        outbox.approve(word)
    outbox.enqueue(batch.batch_id, messages)
    return batch, messages


def claim(outbox, at=NOON, **options):
    """Claim as the one worker of a test."""
    return outbox.claim(worker="w", at=at, **options)


def states(outbox):
    """Return the state of each message by its member."""
    frame = outbox.messages()
    return dict(zip(frame["member_id"], frame["state"], strict=True))


def sound(outbox):
    """Assert that nothing was lost and that all follows from its facts."""
    assert outbox.verify() == ()
    status = outbox.status()
    first = list(status.columns).index("queued")
    assert (status.iloc[:, first:].sum(axis=1) == status["enqueued"]).all()
