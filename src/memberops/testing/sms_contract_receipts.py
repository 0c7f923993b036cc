"""What a provider of SMS must read of receipts, and which it must refuse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from memberops.adapters.sms import ReceiptRequest, SmsProvider
from memberops.domain.message import (
    Message,
    MessageReceipt,
    ReceiptStatus,
    SendResult,
)
from memberops.testing.faulty_gateway import FaultyGateway
from memberops.testing.sms_contract import ProviderTrial

__all__ = ["check_forged", "check_receipts", "check_said", "names_result"]


def check_receipts(
    trial: ProviderTrial,
    provider: SmsProvider,
    gateway: FaultyGateway,
    message: Message,
    result: SendResult,
) -> None:
    """
    Read the receipts of a message, again, changed, and signed by somebody else.

    Args:
        trial: Where broken promises are noted.
        provider: Made for the gateway's address.
        gateway: An open one.
        message: What was sent.
        result: What came of it.
    """
    own, signed = message.message_id, provider.capabilities.signed_receipts
    read = 0
    for request in gateway.deliver([own], repeats=2):
        try:
            receipts = provider.parse_receipts(request)
            again = provider.parse_receipts(request)
            proven = provider.verify_receipt(request)
        except Exception as error:  # noqa: BLE001 - any of them breaks the promise
            trial.failed("reading a receipt", error)
            continue
        trial.show("a receipt", receipts)
        if receipts != again:
            trial.note("a receipt that is read again reads otherwise")
        read += len(receipts)
        check_said(trial, receipts, [result], [gateway.fate(own)])
        if signed:
            if not proven:
                trial.note("verify_receipt() refuses the provider's own receipt")
            check_forged(trial, provider, request)
    if not read:
        trial.note("parse_receipts() reads no receipt of what was pushed")
    if signed and provider.verify_receipt(gateway.forge(own)):
        trial.note("verify_receipt() takes a receipt that somebody else signed")
    if provider.capabilities.queries:
        said = trial.query(
            provider, message, result.provider_message_id, "of what was reported"
        )
        if said is None or said.status is not gateway.fate(own):
            trial.note("query() of a message that was reported tells another fate")


def names_result(receipt: MessageReceipt, result: SendResult) -> bool:
    """Tell whether a receipt is of the message of a result."""
    theirs = receipt.provider_message_id
    return receipt.message_id == result.message_id or (
        theirs is not None and theirs == result.provider_message_id
    )


def check_said(
    trial: ProviderTrial,
    receipts: Iterable[MessageReceipt],
    results: Sequence[SendResult],
    fates: Iterable[ReceiptStatus],
) -> None:
    """
    Hold receipts against the truth.

    Args:
        trial: Where broken promises are noted.
        receipts: As they were read.
        results: Of the messages that they may be of.
        fates: What became of these.
    """
    possible = {*fates, ReceiptStatus.ACCEPTED}
    for receipt in receipts:
        if not any(names_result(receipt, result) for result in results):
            trial.note("a receipt names another message")
        if receipt.status not in possible:
            trial.note(f"a receipt says {receipt.status.value!r}, which is not so")


def check_forged(
    trial: ProviderTrial, provider: SmsProvider, request: ReceiptRequest
) -> None:
    """Change a receipt that is the provider's own, so that it is so no more."""
    changed = request.body.replace(b"delivered", b"Delivered") + b" "
    bare = request.url.partition("?")[0]
    wrong = {
        "whose body was changed": attrs.evolve(request, body=changed),
        "without a signature": attrs.evolve(request, headers={}),
    }
    if provider.capabilities.token_receipts:  # it proves the address, and no more
        wrong = {
            "without a token": attrs.evolve(request, url=bare),
            "with another token": attrs.evolve(request, url=f"{bare}?token=another"),
        }
    for what, forged in wrong.items():
        try:
            if provider.verify_receipt(forged):
                trial.note(f"verify_receipt() takes a receipt {what}")
        except Exception as error:  # noqa: BLE001 - any of them breaks the promise
            trial.failed(f"verify_receipt() of a receipt {what}", error)
