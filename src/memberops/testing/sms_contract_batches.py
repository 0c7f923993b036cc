"""What a provider of SMS must do with several messages in one request."""

from __future__ import annotations

from collections.abc import Sequence

from memberops.adapters.sms import SmsProvider
from memberops.domain.message import Message, ReceiptStatus, SendOutcome, SendResult
from memberops.testing.faulty_gateway import FaultyGateway
from memberops.testing.sms_contract import ProviderTrial
from memberops.testing.sms_contract_receipts import check_said, names_result

__all__ = ["check_batches"]


def check_batches(
    trial: ProviderTrial, provider: SmsProvider, gateway: FaultyGateway
) -> None:
    """
    Send several at once: with one set of variables, and with one for each.

    Args:
        trial: Where broken promises are noted.
        provider: Made for the gateway's address.
        gateway: An open one.
    """
    size = min(provider.capabilities.batch_size, 3)
    for alike in (True, False) if size > 1 else ():
        for refuses in (False, True):
            names = [""] * size if alike else [str(number) for number in range(size)]
            messages = [trial.message(name) for name in names]
            for message in messages:
                gateway.expect(message)
            if refuses:
                gateway.refuse(messages[1].message_id)
            results = trial.send(provider, messages, "of several messages")
            if results is not None:
                _check_batch(trial, provider, gateway, messages, results)


def _check_batch(
    trial: ProviderTrial,
    provider: SmsProvider,
    gateway: FaultyGateway,
    messages: Sequence[Message],
    results: Sequence[SendResult],
) -> None:
    """Hold each result against what the gateway did with the message."""
    taken: dict[str, SendResult] = {}
    for message, result in zip(messages, results, strict=True):
        own = message.message_id
        times = gateway.requests[own]
        truth = SendOutcome.REFUSED if times else SendOutcome.POSTPONED
        if own in gateway.accepted:
            truth, taken[own] = SendOutcome.ACCEPTED, result
        if times > 1:
            trial.note("send() sent a message of a batch more than once")
        if result.outcome is not truth:
            trial.note(
                f"of several messages one was {truth.value!r} and came out as "
                f"{result.outcome.value!r}"
            )
    can = provider.capabilities
    for message, result in zip(messages, results, strict=True):
        if message.message_id in taken and can.queries and not can.queries_reports:
            known = result.provider_message_id
            said = trial.query(provider, message, known, "of one of several")
            if said is None or said.status is not ReceiptStatus.ACCEPTED:
                trial.note("query() does not find one of several messages")
    if can.receipts and taken:
        _check_receipts_of(trial, provider, gateway, taken)


def _check_receipts_of(
    trial: ProviderTrial,
    provider: SmsProvider,
    gateway: FaultyGateway,
    taken: dict[str, SendResult],
) -> None:
    """Receipts of several messages are told apart."""
    named: set[str] = set()
    for request in gateway.deliver(taken):
        try:
            receipts = provider.parse_receipts(request)
        except Exception as error:  # noqa: BLE001 - any of them breaks the promise
            trial.failed("reading the receipts of several", error)
            continue
        for receipt in receipts:
            fits = {
                own for own, result in taken.items() if names_result(receipt, result)
            }
            if len(fits) != 1:
                trial.note(f"a receipt names {len(fits)} of several messages, not one")
            named |= fits
            check_said(
                trial, [receipt], [taken[own] for own in fits], map(gateway.fate, fits)
            )
    if named != set(taken):
        trial.note("of several messages some have no receipt")
