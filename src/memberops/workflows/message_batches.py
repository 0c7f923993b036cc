"""Batches of messages as rows of the approval form, and what they add up to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from memberops.domain import Money
from memberops.domain.message import BatchApproval, MessageBatch, MessageState
from memberops.errors import InvalidValueError, UnknownBatchError, bounded
from memberops.policies import MessagePlan
from memberops.policies.sms_segments import sms_segments
from memberops.workflows.message_access import needed_outbox
from memberops.workflows.message_held_out import held_out_members

if TYPE_CHECKING:
    from memberops.adapters.stores.outbox_reading import OutboxReading
    from memberops.workflows.chain import Chain

__all__ = [
    "SHORT",
    "batch_rows",
    "conservation",
    "known_batch",
    "planned_row",
    "whole_fingerprint",
]

SHORT = 12
"""How many digits of a fingerprint are shown; an approval may name them alone."""

_ROLES = {"customer_service_manager": "客服经理", "brand_manager": "品牌经理"}
STATES = tuple(state.value for state in MessageState)


def known_batch(outbox: OutboxReading, batch_id: str) -> MessageBatch | None:
    """Return a batch of the outbox, or None if it has none of that id."""
    try:
        return outbox.batch(batch_id)
    except UnknownBatchError:
        return None


def batch_rows(
    chain: Chain, outbox: OutboxReading, batch_id: str | None = None
) -> pd.DataFrame:
    """
    Return one row a batch, as `memberops.reports.message_batch_form` takes them.

    Args:
        chain: Whose outbox it is.
        outbox: The open outbox.
        batch_id: Only this batch.

    Raises:
        UnknownBatchError: There is no such batch.
        SourceError: The list of those held out cannot be read.
    """
    status = outbox.status()
    if batch_id is not None:
        outbox.batch(batch_id)
        status = status[(status["batch_id"] == batch_id).to_numpy(bool)]
    held = held_out_members(needed_outbox(chain).held_out)["batch_id"].value_counts()
    rows = []
    for state in status.to_dict("records"):
        batch = outbox.batch(str(state["batch_id"]))
        words = outbox.approvals(batch.batch_id)
        rows.append(
            {
                **_row(chain, batch),
                "held_out": int(held.get(batch.batch_id, 0)),
                "cost": _paid(chain, batch, int(state["spent"])),
                "approval": "canceled" if state["cause"] else state["approval"],
                "approvals_en": _told(words, batch, chain, chinese=False),
                "approvals_zh": _told(words, batch, chain, chinese=True),
                "enqueued": int(state["enqueued"]),
                **{name: int(state[name]) for name in STATES},
            }
        )
    return pd.DataFrame(rows, columns=_COLUMNS)


def planned_row(
    chain: Chain, plan: MessagePlan, batch: MessageBatch | None
) -> pd.DataFrame:
    """Return the row of a batch that is planned and not written."""
    facts = {} if batch is None else _row(chain, batch)
    length = sms_segments(plan.sample, rule=chain.policies.messages.length)
    row: dict[str, Any] = {
        "batch_id": plan.batch_id,
        "template_id": plan.template.template_id,
        "kind": plan.template.kind.value,
        "text": plan.sample,
        "characters": length.characters,
        "segments": length.segments,
        "size": plan.size,
        **facts,
        "held_out": len(plan.held_out),
        "approval": "not_written",
        "enqueued": 0,
        **dict.fromkeys(STATES, 0),
    }
    return pd.DataFrame([row], columns=_COLUMNS).astype(
        {"opens_at": _UTC, "closes_at": _UTC, "created_at": _UTC}
    )


_UTC = "datetime64[us, UTC]"
_COLUMNS = [
    "batch_id", "template_id", "kind", "text", "characters", "segments", "size",
    "held_out", "opens_at", "closes_at", "cost_cap", "cost", "author", "created_at",
    "fingerprint", "approval", "approvals_en", "approvals_zh", "enqueued", *STATES,
]  # fmt: skip


def _row(chain: Chain, batch: MessageBatch) -> dict[str, Any]:
    length = sms_segments(batch.sample, rule=chain.policies.messages.length)
    return {
        "batch_id": batch.batch_id,
        "template_id": batch.template.template_id,
        "kind": batch.template.kind.value,
        "text": batch.sample,
        "characters": length.characters,
        "segments": length.segments,
        "size": batch.size,
        "opens_at": _moment(batch.opens_at),
        "closes_at": _moment(batch.closes_at),
        "cost_cap": _paid(chain, batch, batch.cost_cap.minor),
        "author": batch.author,
        "created_at": _moment(batch.created_at),
        "fingerprint": batch.fingerprint[:SHORT],
    }


def _paid(chain: Chain, batch: MessageBatch, minor: int) -> int:
    """Round an amount of a batch, whose price may have more digits, to what is paid."""
    amount = Money(minor, batch.cost_cap.currency)
    return amount.to_digits(chain.currency.digits).minor


def _moment(moment: dt.datetime) -> pd.Timestamp:
    return pd.Timestamp(moment.astimezone(dt.UTC)).as_unit("us")


def _told(
    words: Iterable[BatchApproval], batch: MessageBatch, chain: Chain, *, chinese: bool
) -> str:
    """Write who said what and when, one after the other."""
    parts = []
    for word in words:
        at = f"{word.at.astimezone(chain.zone):%Y-%m-%d %H:%M}"
        role = _ROLES.get(word.role, word.role) if chinese else word.role
        role = role if chinese else role.replace("_", " ")
        said_en, said_zh = ("yes", "同意") if word.granted else ("no", "不同意")
        other = word.fingerprint != batch.fingerprint
        said_en += " to another version" * other
        said_zh += "（其他版本）" * other
        note = f" ({word.comment})" if word.comment else ""
        parts.append(
            f"{role} {word.actor} {said_zh} {at}{note}"
            if chinese
            else f"{role} {word.actor}: {said_en}, {at}{note}"
        )
    return ("；" if chinese else "; ").join(parts)


def conservation(rows: pd.DataFrame) -> tuple[str, str]:
    """
    Say how many messages stand where: enqueued is the sum of the states.

    >>> rows = pd.DataFrame([{"enqueued": 3, **dict.fromkeys(STATES, 0),
    ...                       "queued": 2, "delivered": 1}])
    >>> conservation(rows)[0]
    'enqueued 3 = queued 2 + delivered 1'
    """
    counts = {name: int(rows[name].sum()) for name in STATES}
    total = int(rows["enqueued"].sum())
    shown = {name: count for name, count in counts.items() if count}
    words = _WORDS
    english = " + ".join(f"{name} {count:,}" for name, count in shown.items())
    chinese = " + ".join(f"{words[name]} {count:,}" for name, count in shown.items())
    return f"enqueued {total:,} = {english or 0}", f"入队 {total:,} = {chinese or 0}"


_WORDS = {
    "queued": "待发送",
    "claimed": "发送中",
    "accepted": "已提交",
    "unknown": "待查证",
    "delivered": "已送达",
    "undelivered": "未送达",
    "rejected": "被拒绝",
    "expired": "已过期",
    "canceled": "已取消",
}


def whole_fingerprint(batch: MessageBatch, given: str) -> str:
    """
    Return the fingerprint that a person names, whole or by its first digits.

    A fingerprint of another version is returned as it is: the outbox refuses it.

    Args:
        batch: As it is.
        given: What the person read on the form.

    Raises:
        InvalidValueError: Fewer digits than the form shows.
    """
    said = given.strip().lower()
    if len(said) < SHORT:
        raise InvalidValueError(
            f"a fingerprint is given with the {SHORT} digits that the approval form "
            f"shows, or more, not {bounded([given[:40]])}"
        ).in_chinese(
            f"指纹须填审批单上的 {SHORT} 位或更多，而不是 {bounded([given[:40]])}"
        )
    return batch.fingerprint if batch.fingerprint.startswith(said) else said
