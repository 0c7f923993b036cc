"""What a provider of SMS must do under each fault of a gateway."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import time
from collections.abc import Iterable

import attrs

from memberops.adapters.sms import ReceiptRequest, SmsProvider
from memberops.domain.message import (
    Message,
    MessageReceipt,
    ReceiptStatus,
    SendOutcome,
    SendResult,
)
from memberops.testing.faulty_gateway import FaultyGateway
from memberops.testing.faulty_gateway_faults import GatewayFault
from memberops.testing.sms_contract import ProviderTrial

__all__ = ["check_with_gateway"]

_LONGEST = dt.timedelta(days=1)
_ASKED = dt.timedelta(seconds=2)
_OF_SENDS = {
    GatewayFault.OK,
    GatewayFault.DUPLICATE_ID,
    GatewayFault.BUSINESS_ERROR,
    GatewayFault.BUSINESS_LIMIT,
    GatewayFault.TIMEOUT_LATE,
}
"""Faults that say something of a message, not of a query."""


def check_with_gateway(
    trial: ProviderTrial, provider: SmsProvider, gateway: FaultyGateway
) -> None:
    """
    Check a provider against every fault, noting what it breaks.

    Args:
        trial: Where broken promises are noted.
        provider: Made for the gateway's address.
        gateway: An open one.
    """
    sent = _one(trial, provider, gateway, GatewayFault.OK)
    for fault in GatewayFault:
        if fault is not GatewayFault.OK:
            _one(trial, provider, gateway, fault)
    _check_batch(trial, provider, gateway)
    _check_nobody_there(trial, gateway)
    if gateway.followed:
        key = " and carried the key along" if gateway.exposed else ""
        trial.note(f"it followed a redirect to another host{key}")
    if sent is None:
        trial.note("nothing could be sent when all was well: the rest is not checked")
        return
    message, result = sent
    if provider.capabilities.queries:
        _check_queries(trial, provider, gateway, message, result.provider_message_id)
    if provider.capabilities.receipts:
        _check_receipts(trial, provider, gateway, message, result)


def _one(
    trial: ProviderTrial,
    provider: SmsProvider,
    gateway: FaultyGateway,
    fault: GatewayFault,
) -> tuple[Message, SendResult] | None:
    """Send one message under a fault; return it if it was well accepted."""
    message, what = trial.message(), f"under {fault.value!r}"
    gateway.script(fault)
    flooded = gateway.flooded
    began = time.monotonic()
    results = trial.send(provider, [message], what)
    took = time.monotonic() - began
    # a client that gave up may have done so before it was read
    gateway.wait_until_idle(gateway.hold + 5)
    requests = gateway.requests[message.message_id]
    if requests != 1:
        trial.note(f"send() made {requests} requests for one message {what}")
        gateway.clear_script()
    if fault in _SLOW and took >= gateway.hold:
        trial.note(
            f"send() {what} waited until the gateway gave up ({gateway.hold:g} s): "
            "make it with shorter time-outs, also of the whole answer"
        )
    if flooded < gateway.flooded >= gateway.huge:
        trial.note(f"send() {what} read a huge answer to its end")
    if results is None:
        return None
    (result,) = results
    if result.outcome not in fault.honest:
        honest = " or ".join(sorted(outcome.value for outcome in fault.honest))
        trial.note(f"send() {what} was {result.outcome.value!r}, not {honest}")
    _check_wait(trial, result, fault)
    accepted = result.outcome is SendOutcome.ACCEPTED
    return (message, result) if accepted else None


_SLOW = {
    GatewayFault.TIMEOUT_BEFORE,
    GatewayFault.TIMEOUT_AFTER,
    GatewayFault.TIMEOUT_LATE,
    GatewayFault.SLOW_DRIP,
}


def _check_wait(trial: ProviderTrial, result: SendResult, fault: GatewayFault) -> None:
    wait = result.retry_after
    if wait is not None and not dt.timedelta() <= wait <= _LONGEST:
        trial.note(f"it asks to wait {wait} under {fault.value!r}: not within a day")
    if fault is GatewayFault.THROTTLED_SECONDS and wait != _ASKED:
        trial.note(f"'Retry-After: 2' came out as {wait}")


def _check_batch(
    trial: ProviderTrial, provider: SmsProvider, gateway: FaultyGateway
) -> None:
    size = min(provider.capabilities.batch_size, 3)
    if size == 1:
        return
    messages = [trial.message() for _ in range(size)]
    gateway.refuse(messages[1].message_id)
    results = trial.send(provider, messages, "of which one is refused")
    if results is not None:
        wanted = [SendOutcome.ACCEPTED] * size
        wanted[1] = SendOutcome.REFUSED
        if [result.outcome for result in results] != wanted:
            trial.note("a refusal of one of several was told of another")
    for message in messages:
        if gateway.requests[message.message_id] > 1:
            trial.note("send() sent a message of a batch more than once")


def _check_nobody_there(trial: ProviderTrial, gateway: FaultyGateway) -> None:
    """Try an address at which nobody listens, and one that speaks no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = f"http://127.0.0.1:{listener.getsockname()[1]}"
    for url, what in (
        (closed, "where nobody listens"),
        (gateway.url.replace("http:", "https:"), "where TLS fails"),
    ):
        with contextlib.closing(trial.make(url)) as provider:
            results = trial.send(provider, [trial.message()], what)
            if results is not None and results[0].outcome not in {
                SendOutcome.POSTPONED,
                SendOutcome.UNKNOWN,
            }:
                trial.note(f"send() {what} was {results[0].outcome.value!r}")


def _check_queries(
    trial: ProviderTrial,
    provider: SmsProvider,
    gateway: FaultyGateway,
    message: Message,
    own: str | None,
) -> None:
    known = trial.query(provider, message, own, "of a message that is there")
    if known is None or known.status is not ReceiptStatus.ACCEPTED:
        said = "None" if known is None else repr(known.status.value)
        trial.note(f"query() of an accepted message said {said}")
    absent = trial.query(provider, trial.message(), None, "of one that is not")
    if absent is None or absent.status is not ReceiptStatus.NOT_FOUND:
        said = "None" if absent is None else repr(absent.status.value)
        trial.note(f"query() of a message that never left said {said}")
    for fault in GatewayFault:
        if fault in _OF_SENDS:
            continue
        gateway.script_queries(fault)
        said_of = trial.query(provider, message, own, f"under {fault.value!r}")
        gateway.clear_script()
        wrong = said_of is not None and said_of.status is not ReceiptStatus.ACCEPTED
        told = said_of is not None and fault is not GatewayFault.SLOW_DRIP
        if wrong or told:
            trial.note(
                f"query() under {fault.value!r} said "
                f"{said_of.status.value if said_of else None!r}: what could not be "
                "asked is None"
            )


def _check_receipts(
    trial: ProviderTrial,
    provider: SmsProvider,
    gateway: FaultyGateway,
    message: Message,
    result: SendResult,
) -> None:
    own, signed = message.message_id, provider.capabilities.signed_receipts
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
        if not receipts:
            trial.note("parse_receipts() reads no receipt of what was pushed")
        _check_said(trial, receipts, result, gateway.fate(own))
        if signed:
            if not proven:
                trial.note("verify_receipt() refuses the provider's own receipt")
            _check_forged(trial, provider, request)
    if signed and provider.verify_receipt(gateway.forge(own)):
        trial.note("verify_receipt() takes a receipt that somebody else signed")


def _check_said(
    trial: ProviderTrial,
    receipts: Iterable[MessageReceipt],
    result: SendResult,
    fate: ReceiptStatus,
) -> None:
    for receipt in receipts:
        if (
            receipt.message_id != result.message_id
            and receipt.provider_message_id != result.provider_message_id
        ):
            trial.note("a receipt names another message")
        if receipt.status not in {fate, ReceiptStatus.ACCEPTED}:
            trial.note(f"a receipt says {receipt.status.value!r}, which is not so")


def _check_forged(
    trial: ProviderTrial, provider: SmsProvider, request: ReceiptRequest
) -> None:
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
