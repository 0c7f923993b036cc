"""Messages, batches and approvals as rows, and back."""

from __future__ import annotations

import datetime as dt
import functools
import json
from typing import Any, Protocol

import attrs

from memberops.adapters.stores.outbox_database import stamp
from memberops.adapters.stores.outbox_seal import SEALED
from memberops.domain.canonical import storable
from memberops.domain.message import (
    BatchApproval,
    Message,
    MessageBatch,
    MessageReceipt,
    MessageState,
    MessageTemplate,
    ReceiptStatus,
)
from memberops.domain.money import Currency, Money
from memberops.errors import InvalidValueError, OutboxStoreError
from memberops.policies.outbox_rules import Standing

__all__ = [
    "Claim",
    "Enqueued",
    "Open",
    "Received",
    "Recorded",
    "Seal",
    "Unsettled",
    "approval_of",
    "approval_text",
    "batch_of",
    "batch_row",
    "message_of",
    "message_row",
    "receipt_of",
    "receipt_text",
    "standing_columns",
    "standing_of",
    "texts_of",
]

HIDDEN = ("phone", "text", "variables")
_BOUND = "\x1e"
"""Parts a text from where it belongs; no phone and no text begins with it."""
_MOST_ID = 200


class Seal(Protocol):
    """How phones and texts are hidden in the database, such as by a key of a host."""

    def hide(self, text: str) -> str:
        """Return what is written for a text."""
        ...

    def show(self, hidden: str) -> str:
        """Return the text again."""
        ...


class Open:
    """
    The seal that hides nothing: phones stand in the database as they are.

    >>> Open().show(Open().hide("text"))
    'text'
    """

    def hide(self, text: str) -> str:
        """Return the text."""
        return text

    def show(self, hidden: str) -> str:
        """
        Return the text.

        Raises:
            OutboxStoreError: It was hidden by a `KeySeal`: it is no phone and no text.
        """
        if hidden.startswith(SEALED):
            raise OutboxStoreError(
                "the outbox is sealed: open it with its key, as seal=KeySeal(...), or "
                "with 'seal_env' in the section [outbox] of chain.toml"
            )
        return hidden


@attrs.frozen(kw_only=True)
class Claim:
    """
    The right, written down before the request, to send a message once.

    Args:
        message: What is sent.
        template: What it was made of.
        attempt: Number of the request, from 1.
        fence: Goes up when the message changes hands: a result that comes with an
            older one is late.
        worker: Whose claim it is.
        provider: By which provider it is sent; empty if it was not said.
        leased_until: From then on others may take the worker for dead; nothing is
            to be sent any more.
        begins_before: From then on no request may begin: the lease, the member's
            hours or the window of the batch have ended.
    """

    message: Message
    template: MessageTemplate
    attempt: int
    fence: int
    worker: str
    provider: str
    leased_until: dt.datetime
    begins_before: dt.datetime


@attrs.frozen(kw_only=True)
class Unsettled:
    """
    A message of which it is not known whether it was accepted.

    Args:
        message: What may have been sent.
        template: What it was made of.
        attempt: Number of the last request.
        provider: By which provider.
        provider_message_id: The provider's id, if it became known.
        attempted_at: When the last request was claimed.
        doubted_at: When it was given up to learn its outcome from the answer: the
            request had ended by then.
    """

    message: Message
    template: MessageTemplate
    attempt: int
    provider: str
    provider_message_id: str | None
    attempted_at: dt.datetime
    doubted_at: dt.datetime


@attrs.frozen(kw_only=True)
class Enqueued:
    """How many messages were new to the outbox, and how many it had already."""

    new: int
    repeated: int


@attrs.frozen(kw_only=True)
class Recorded:
    """
    What a result came to.

    Args:
        message_id: Of the message.
        state: Where it stands now.
        applied: False if the worker had lost the message: the result is kept as
            evidence, and can at most turn ``unknown`` into ``accepted``.
    """

    message_id: str
    state: MessageState
    applied: bool


@attrs.frozen(kw_only=True)
class Received:
    """
    What became of a receipt.

    Args:
        outcome: ``applied``, ``repeated`` (was here before), or ``stray``: about no
            message that this outbox sent; kept, and applied if an answer to a
            request names its id later.
        message_id: Of the message it was applied to.
        state: Where that stands now.
    """

    outcome: str
    message_id: str | None = None
    state: MessageState | None = None


def _money(value: Money | None) -> list[Any] | None:
    if value is None:
        return None
    return [value.minor, value.currency.code, value.currency.digits]


def _money_of(value: Any) -> Money | None:
    return None if value is None else Money(value[0], Currency(value[1], value[2]))


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, sort_keys=True)


def _check(*ids: str) -> None:
    if not all(len(each) <= _MOST_ID and storable(each) for each in ids):
        raise InvalidValueError(
            f"an id of the outbox has at most {_MOST_ID} characters, no NUL and no "
            "half of a surrogate pair"
        )


def batch_row(batch: MessageBatch) -> dict[str, Any]:
    """Return the row of a batch."""
    _check(batch.batch_id, batch.author, batch.template.provider)
    document = attrs.asdict(batch, recurse=False) | {
        "template": attrs.asdict(batch.template),
        "opens_at": batch.opens_at.astimezone(dt.UTC).isoformat(),
        "closes_at": batch.closes_at.astimezone(dt.UTC).isoformat(),
        "created_at": batch.created_at.astimezone(dt.UTC).isoformat(),
        "cost_cap": _money(batch.cost_cap),
    }
    text = _text(document)
    if not storable(text):
        raise InvalidValueError("a text of the batch was decoded wrongly")
    return {
        "batch_id": batch.batch_id,
        "document": text,
        "fingerprint": batch.fingerprint,
        "kind": batch.template.kind.value,
        "provider": batch.template.provider,
        "opens_at": stamp(batch.opens_at),
        "closes_at": stamp(batch.closes_at),
        "currency": batch.cost_cap.currency.code,
        "digits": batch.cost_cap.currency.digits,
        "cost_cap": batch.cost_cap.minor,
        "audience": batch.audience,
        "size": batch.size,
    }


@functools.lru_cache(maxsize=256)
def batch_of(document: str) -> MessageBatch:
    """Return the batch of its document."""
    facts = json.loads(document)
    facts["template"] = MessageTemplate(**facts["template"])
    for name in ("opens_at", "closes_at", "created_at"):
        facts[name] = dt.datetime.fromisoformat(facts[name])
    facts["cost_cap"] = _money_of(facts["cost_cap"])
    return MessageBatch(**facts)


def approval_text(approval: BatchApproval) -> str:
    """Return the document of an approval."""
    _check(approval.role, approval.actor)
    at = approval.at.astimezone(dt.UTC).isoformat()
    return _text(attrs.asdict(approval) | {"at": at})


def approval_of(document: str) -> BatchApproval:
    """Return the approval of its document."""
    facts = json.loads(document)
    return BatchApproval(**facts | {"at": dt.datetime.fromisoformat(facts["at"])})


def receipt_text(receipt: MessageReceipt) -> str:
    """Return the document of a receipt."""
    at = None if receipt.at is None else receipt.at.astimezone(dt.UTC).isoformat()
    facts = attrs.asdict(receipt, recurse=False)
    return _text(facts | {"at": at, "cost": _money(receipt.cost)})


def receipt_of(document: str) -> MessageReceipt:
    """Return the receipt of its document."""
    facts = json.loads(document)
    at = facts["at"]
    facts["at"] = None if at is None else dt.datetime.fromisoformat(at)
    facts["cost"] = _money_of(facts["cost"])
    return MessageReceipt(**facts)


def message_row(message: Message, *, cost: int, seal: Seal) -> dict[str, Any]:
    """Return the row of a message that is new."""
    _check(message.message_id, message.member_id, message.zone, message.store_id)
    variables = json.dumps(message.variables, ensure_ascii=False)
    if not storable(message.phone + message.text + variables):
        raise InvalidValueError("a phone or text of a message was decoded wrongly")
    return {
        "message_id": message.message_id,
        "batch_id": message.batch_id,
        "member_id": message.member_id,
        "phone": _bound(message.message_id, "phone", message.phone, seal),
        "text": _bound(message.message_id, "text", message.text, seal),
        "variables": _bound(message.message_id, "variables", variables, seal),
        "zone": message.zone,
        "store_id": message.store_id,
        "cost": cost,
    }


def _bound(message_id: str, column: str, text: str, seal: Seal) -> str:
    """Hide a text together with where it belongs, if it is hidden at all."""
    if isinstance(seal, Open):
        return text
    return seal.hide(_BOUND.join(["", column, message_id, text]))


def texts_of(row: Any, seal: Seal) -> dict[str, str]:
    """
    Return phone, text and variables of a row as they can be read.

    Raises:
        OutboxStoreError: They were hidden by another key, were changed since, or one
            of them stood in another row, or was not hidden while the others were.
    """
    shown = {name: seal.show(getattr(row, name)) for name in HIDDEN}
    if isinstance(seal, Open) or not any(
        text.startswith(_BOUND) for text in shown.values()
    ):
        return shown  # written before there was a seal
    for name, text in shown.items():
        place = _BOUND.join(["", name, row.message_id, ""])
        if not text.startswith(place):
            raise OutboxStoreError(
                "a phone or text of a message in the outbox has been changed: it was "
                "not written there"
            )
        shown[name] = text.removeprefix(place)
    return shown


def message_of(row: Any, seal: Seal) -> Message:
    """Return the message of its row."""
    texts = texts_of(row, seal)
    pairs = json.loads(texts["variables"])
    variables: Any = tuple((name, value) for name, value in pairs)
    return Message(
        message_id=row.message_id,
        batch_id=row.batch_id,
        member_id=row.member_id,
        phone=texts["phone"],
        text=texts["text"],
        variables=variables,
        zone=row.zone,
        store_id=row.store_id,
    )


def standing_of(row: Any) -> Standing:
    """Return how a message stands by its row."""
    return Standing(
        sending=MessageState(row.sending),
        report=None if row.report is None else ReceiptStatus(row.report),
        attempts=row.attempts,
        ambiguous=bool(row.ambiguous),
        cause=row.cause,
    )


def standing_columns(standing: Standing) -> dict[str, Any]:
    """Return the columns of how a message stands."""
    return {
        "state": standing.state.value,
        "sending": standing.sending.value,
        "report": None if standing.report is None else standing.report.value,
        "attempts": standing.attempts,
        "ambiguous": int(standing.ambiguous),
        "cause": standing.cause,
        "counts": int(standing.counts),
    }
