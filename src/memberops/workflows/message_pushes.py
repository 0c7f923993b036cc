"""Receipts as a provider pushes them to the host's own web server."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import TYPE_CHECKING

import attrs

from memberops.workflows.message_access import outbox, sms_provider

if TYPE_CHECKING:
    from memberops.adapters.sms import ReceiptRequest, SmsProvider
    from memberops.adapters.stores.outbox_store import SqlOutbox
    from memberops.workflows.chain import Chain

__all__ = ["TakenReceipts", "take_receipts"]


@attrs.frozen(kw_only=True)
class TakenReceipts:
    """
    What came of a pushed request.

    Args:
        proven: Whether it is the provider's own; if not, nothing of it was read.
        applied: Receipts that told something new of our messages.
        repeated: Those that had come before.
        strays: Those that fit no message so far; they are kept.
        odd: Items that are no receipts.
    """

    proven: bool
    applied: int = 0
    repeated: int = 0
    strays: int = 0
    odd: int = 0


def take_receipts(
    chain: Chain,
    request: ReceiptRequest,
    *,
    at: dt.datetime,
    account: str = "",
    provider: SmsProvider | None = None,
    kept: SqlOutbox | None = None,
) -> TakenReceipts:
    """
    Take in what a provider pushed, if it is proven to be the provider's own.

    A web server that answers many of them makes provider and outbox once and gives
    them here. Answer who is not proven with 403, and others as the provider's
    ``parse_receipts`` says; what was taken in twice counts once.

    Args:
        chain: The chain; a method of it.
        request: As it came.
        at: When it came.
        account: Whose address was called, where the chain has several accounts.
        provider: The account itself, in place of its name.
        kept: The open outbox, if there is one already.

    Raises:
        SourceError: It is proven, and nothing of it is a receipt.
        InvalidValueError: The chain has no outbox or no such account, or *at* has no
            zone.
        OutboxStoreError: The outbox cannot be written: let the provider push again.
    """
    with contextlib.ExitStack() as opened:
        if provider is None:
            provider = opened.enter_context(
                contextlib.closing(sms_provider(chain, account))
            )
        if not provider.verify_receipt(request):
            return TakenReceipts(proven=False)
        receipts = provider.parse_receipts(request)
        if kept is None:
            kept = opened.enter_context(outbox(chain))
        outcomes = [each.outcome for each in kept.receive_all(receipts, at=at)]
    return TakenReceipts(
        proven=True,
        applied=outcomes.count("applied"),
        repeated=outcomes.count("repeated"),
        strays=outcomes.count("stray"),
        odd=getattr(receipts, "odd", 0),
    )
