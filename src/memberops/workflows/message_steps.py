"""What people do with a batch of messages: approve, look, cancel; and opt-outs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING

from memberops.domain.message import BatchApproval
from memberops.errors import InvalidValueError
from memberops.policies.service_decision import instant_of
from memberops.reports import Form
from memberops.reports.forms.messages import message_batch_form, message_list_form
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.form_files import revealed_columns
from memberops.workflows.inquiry import Inquiry
from memberops.workflows.message_access import outbox, outbox_as_it_is
from memberops.workflows.message_batches import (
    batch_rows,
    conservation,
    whole_fingerprint,
)

if TYPE_CHECKING:
    from memberops.adapters.stores.outbox_reading import OutboxReading
    from memberops.workflows.chain import Chain

__all__ = [
    "approve_messages",
    "batch_form",
    "begin_messages",
    "cancel_messages",
    "message_status",
    "opt_out_messages",
]

_TITLES = {
    "approve": ("approval of messages", "短信审批"),
    "status": ("state of messages", "短信发送情况"),
    "cancel": ("messages canceled", "取消短信批次"),
    "opt_out": ("opt-out of messages", "短信退订登记"),
    "send": ("sending of messages", "短信发送"),
    "settle": ("settling of messages", "短信结果查证"),
}


def begin_messages(
    chain: Chain,
    step: str,
    at: dt.datetime,
    *,
    tables: ChainTables | None = None,
    reveal: str | Collection[str] = (),
) -> Inquiry:
    """
    Begin a step with messages at a moment.

    Args:
        chain: Whose messages.
        step: Which.
        at: Aware instant.
        tables: What was read.
        reveal: Personal columns to show in full.

    Raises:
        InvalidValueError: The moment has no zone, or *reveal* names something else.
    """
    moment = instant_of(at, "at")
    return Inquiry(
        chain=chain,
        question=f"messages_{step}",
        titles=_TITLES[step],
        as_of=moment.astimezone(chain.zone).date(),
        tables=ChainTables({}) if tables is None else tables,
        reveal=revealed_columns(reveal),
        store=None,
    )


def batch_form(chain: Chain, kept: OutboxReading, batch_id: str | None) -> Form:
    """Make the approval form of a batch, or of all."""
    return message_batch_form(
        batch_rows(chain, kept, batch_id),
        zone=chain.zone,
        currency=chain.currency,
        policy=chain.policies.messages,
    )


def approve_messages(
    chain: Chain,
    batch_id: str,
    *,
    fingerprint: str,
    role: str,
    by: str,
    at: dt.datetime,
    refuse: bool = False,
    comment: str = "",
) -> Answer:
    """
    Write one person's word on a batch as that person read it (HQ §6.1).

    Args:
        chain: The chain; a method of it.
        batch_id: Which batch.
        fingerprint: That of the approval form, at least its 12 digits: the word is
            on that text, audience, window and cost cap, and on no other.
        role: In which role, such as ``"brand_manager"``.
        by: Who.
        at: Aware instant.
        refuse: Refuse the batch, or take an approval back; it holds at once.
        comment: Why.

    Returns:
        An `Answer` with the form ``message_batch`` and the decision.

    Raises:
        ApprovalError: It is the author's own, in no needed role, or on another
            version.
        UnknownBatchError: There is no such batch.
        InvalidValueError: The fingerprint is too short, or the moment has no zone.
    """
    asked = begin_messages(chain, "approve", at)
    with outbox(chain) as kept:
        batch = kept.batch(batch_id)
        kept.approve(
            BatchApproval(
                batch_id=batch_id,
                fingerprint=whole_fingerprint(batch, fingerprint),
                role=role,
                actor=by,
                at=at,
                granted=not refuse,
                comment=comment,
            )
        )
        form = batch_form(chain, kept, batch_id)
        words = kept.approvals(batch_id)
    gone = bool((form.frame["approval"] == "canceled").any())
    decision = chain.policies.messages.approval(
        batch, words, as_of=at, canceled_at=at if gone else None, in_order=True
    )
    said = (decision.explain("en"), decision.explain("zh"))
    outcome = (
        f"{decision.outcome}: {said[0]}",
        f"{_OUTCOMES[decision.outcome]}：{said[1]}",
    )
    return asked.answer(form, lines=[outcome], decisions=[decision])


_OUTCOMES = {
    "approved": "已批准",
    "waiting": "待审批",
    "refused": "未批准",
    "void": "作废",
}


def message_status(
    chain: Chain,
    *,
    at: dt.datetime,
    batch_id: str | None = None,
    reveal: str | Collection[str] = (),
) -> Answer:
    """
    Say how batches and their messages stand.

    Args:
        chain: The chain; a method of it.
        at: Aware instant of the question, for its title.
        batch_id: Only this batch, and each message of it.
        reveal: ``"phone"`` to show the phones of the messages.

    Returns:
        An `Answer` with the form ``message_batch`` and, for one batch,
        ``message_list``; and what the outbox finds wrong with itself.

    Raises:
        UnknownBatchError: There is no such batch.
        InvalidValueError: The chain has no outbox, or see `begin_messages`.
    """
    asked = begin_messages(chain, "status", at, reveal=reveal)
    with outbox_as_it_is(chain) as kept:
        form = batch_form(chain, kept, batch_id)
        forms = [form]
        if batch_id is not None:
            rows = kept.messages(reveal=("phone",))
            rows = rows[(rows["batch_id"] == batch_id).to_numpy(bool)]
            forms.append(message_list_form(rows, zone=chain.zone, reveal=asked.reveal))
        findings = kept.verify()
        strays = kept.strays()
    lines = [conservation(form.frame)]
    if strays:
        stray = f"{strays:,}"
        lines.append(
            (f"receipts that fitted no message: {stray}", f"无法对应的回执：{stray}")
        )
    return asked.answer(*forms, lines=lines, findings=findings)


def cancel_messages(
    chain: Chain, batch_id: str, *, cause: str, at: dt.datetime
) -> Answer:
    """
    Let no message of a batch leave any more; what has left stays as it is.

    Args:
        chain: The chain; a method of it.
        batch_id: Which batch.
        cause: Why, in a few words.
        at: Aware instant.

    Returns:
        An `Answer` with the form ``message_batch``.

    Raises:
        UnknownBatchError: There is no such batch.
        InvalidValueError: No cause is given.
    """
    asked = begin_messages(chain, "cancel", at)
    with outbox(chain) as kept:
        ended = kept.cancel(batch_id, cause=cause, at=at)
        form = batch_form(chain, kept, batch_id)
    line = (f"messages ended: {ended:,}", f"不再发送：{ended:,} 条")
    return asked.answer(form, lines=[line, conservation(form.frame)])


def opt_out_messages(
    chain: Chain, member_id: str, *, at: dt.datetime, evidence: str
) -> Answer:
    """
    Write that a member wants no messages: none leaves once this returns.

    Args:
        chain: The chain; a method of it.
        member_id: Who.
        at: Aware instant at which the member said so.
        evidence: What proves it, such as the answer that came in.

    Returns:
        An `Answer` with the form ``message_batch`` of all batches.

    Raises:
        InvalidValueError: No evidence is given, or the chain has no outbox.
    """
    if not evidence.strip():
        raise InvalidValueError(
            "say what proves the opt-out, such as 'answered R'"
        ).in_chinese("请写明退订依据，如“回复R”")
    asked = begin_messages(chain, "opt_out", at)
    with outbox(chain) as kept:
        kept.opt_out(member_id, at=at, evidence=evidence)
        form = batch_form(chain, kept, None)
    line = ("the opt-out is written", "退订已登记")
    return asked.answer(form, lines=[line])
