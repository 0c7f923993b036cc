"""What a provider of SMS must do under each fault of a gateway."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import attrs

from memberops.adapters.sms import SmsProvider
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
from memberops.testing.sms_contract_batches import check_batches
from memberops.testing.sms_contract_receipts import check_receipts

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

_SLOW = {
    GatewayFault.TIMEOUT_BEFORE,
    GatewayFault.TIMEOUT_AFTER,
    GatewayFault.TIMEOUT_LATE,
    GatewayFault.SLOW_DRIP,
}
"""Faults that take a provider its time-outs: each is tried by a provider of its own."""


@attrs.frozen(kw_only=True)
class _Known:
    """A message that was well sent, and what a query should say of it."""

    message: Message
    result: SendResult
    status: ReceiptStatus


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
    known = _sent_well(trial, provider, gateway)
    if known is None:
        trial.note("nothing could be sent when all was well: the rest is not checked")
        return
    if provider.capabilities.queries:
        _check_queries(trial, provider, known)
    with contextlib.ExitStack() as opened:
        others = [
            (fault, opened.enter_context(contextlib.closing(trial.make(gateway.url))))
            for fault in GatewayFault
            if fault in _SLOW
        ]
        pool = opened.enter_context(ThreadPoolExecutor(len(others)))
        waits = [
            pool.submit(_alone, trial, other, gateway, fault) for fault, other in others
        ]
        for fault in GatewayFault:
            if fault is not GatewayFault.OK and fault not in _SLOW:
                _under(trial, provider, gateway, fault, known)
        check_batches(trial, provider, gateway)
        _check_nobody_there(trial, gateway)
        for wait in waits:
            wait.result()
    if gateway.followed:
        key = " and carried the key along" if gateway.exposed else ""
        trial.note(f"it followed a redirect to another host{key}")
    if provider.capabilities.receipts:
        check_receipts(trial, provider, gateway, known.message, known.result)


def _sent_well(
    trial: ProviderTrial, provider: SmsProvider, gateway: FaultyGateway
) -> _Known | None:
    """Send a message when all is well; None if it was not accepted."""
    message, result = _one(trial, provider, gateway, GatewayFault.OK)
    own, can = message.message_id, provider.capabilities
    if result is None or result.outcome is not SendOutcome.ACCEPTED:
        return None
    taken = gateway.accepted.get(own)
    if taken is None:
        trial.note("send() was 'accepted' of what the gateway never took")
        return None
    if can.echoes_id and taken[0].sent.message_id != own:
        trial.note("it says that it echoes our id, and does not send it along")
    status = ReceiptStatus.ACCEPTED
    if can.queries_reports:
        _check_unreported(trial, provider, message, result)
        gateway.deliver([own])
        status = gateway.fate(own)
    return _Known(message=message, result=result, status=status)


def _check_unreported(
    trial: ProviderTrial, provider: SmsProvider, message: Message, result: SendResult
) -> None:
    own = result.provider_message_id
    said = trial.query(provider, message, own, "of what was not reported yet")
    if said is not None:
        trial.note(f"query() of what was not reported yet said {_word(said)}")


def _alone(
    trial: ProviderTrial,
    provider: SmsProvider,
    gateway: FaultyGateway,
    fault: GatewayFault,
) -> None:
    """Try a fault with a provider and a message that nobody else asks about."""
    known = _sent_well(trial, provider, gateway)
    if known is not None:
        _under(trial, provider, gateway, fault, known)


def _under(
    trial: ProviderTrial,
    provider: SmsProvider,
    gateway: FaultyGateway,
    fault: GatewayFault,
    known: _Known,
) -> None:
    """Send under a fault, and ask under it."""
    began = dt.datetime.now(dt.UTC)  # noqa: TID251 - a trial goes by the clock
    message, result = _one(trial, provider, gateway, fault)
    if not provider.capabilities.queries:
        return
    if fault not in _OF_SENDS:
        _check_query(trial, provider, gateway, fault, known)
    lost = result is not None and result.outcome is SendOutcome.UNKNOWN
    if lost and fault in {GatewayFault.RESET_BEFORE, GatewayFault.RESET_AFTER}:
        what = f"of a message of which nobody knows, under {fault.value!r},"
        said = trial.query(provider, message, None, what, since=began)
        there = said is not None and said.status is not ReceiptStatus.NOT_FOUND
        if said is not None and there is not fault.accepted:
            trial.note(f"query() {what} said {said.status.value!r}, which is not so")


def _one(
    trial: ProviderTrial,
    provider: SmsProvider,
    gateway: FaultyGateway,
    fault: GatewayFault,
) -> tuple[Message, SendResult | None]:
    """Send one message under a fault."""
    message, what = trial.message(), f"under {fault.value!r}"
    gateway.expect(message)
    gateway.script(fault, of=message.message_id)
    flooded = gateway.flooded
    began = time.monotonic()
    results = trial.send(provider, [message], what)
    took = time.monotonic() - began
    # a client that gave up may have done so before it was read
    gateway.wait_until_idle(gateway.hold + 1, of=message.message_id)
    requests = gateway.requests[message.message_id]
    if requests != 1:
        trial.note(f"send() made {requests} requests for one message {what}")
    if fault in _SLOW and took >= gateway.hold:
        trial.note(
            f"send() {what} waited until the gateway gave up ({gateway.hold:g} s): "
            "make it with shorter time-outs, also of the whole answer"
        )
    longest = provider.capabilities.longest_seconds
    if 0 < longest < took:
        trial.note(f"send() {what} lasted longer than its 'longest_seconds'")
    if fault is GatewayFault.HUGE_BODY and flooded < gateway.flooded >= gateway.huge:
        trial.note(f"send() {what} read a huge answer to its end")
    if results is None:
        return message, None
    (result,) = results
    if result.outcome not in fault.honest:
        honest = " or ".join(sorted(outcome.value for outcome in fault.honest))
        trial.note(f"send() {what} was {result.outcome.value!r}, not {honest}")
    _check_wait(trial, result, fault)
    return message, result


def _check_wait(trial: ProviderTrial, result: SendResult, fault: GatewayFault) -> None:
    wait = result.retry_after
    if wait is not None and not dt.timedelta() <= wait <= _LONGEST:
        trial.note(f"it asks to wait {wait} under {fault.value!r}: not within a day")
    if fault is GatewayFault.THROTTLED_SECONDS and wait != _ASKED:
        trial.note(f"'Retry-After: 2' came out as {wait}")


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


def _check_queries(trial: ProviderTrial, provider: SmsProvider, known: _Known) -> None:
    """Ask after a message that is there, and one that is not."""
    own = known.result.provider_message_id
    said = trial.query(provider, known.message, own, "of a message that is there")
    if said is None or said.status is not known.status:
        trial.note(
            f"query() of a message that is {known.status.value!r} said {_word(said)}"
        )
    said = trial.query(provider, trial.message(), None, "of one that is not")
    blind = provider.capabilities.queries_reports
    wanted = None if blind else ReceiptStatus.NOT_FOUND
    if (None if said is None else said.status) is not wanted:
        trial.note(f"query() of a message that never left said {_word(said)}")


def _word(said: MessageReceipt | None) -> str:
    return "None" if said is None else repr(said.status.value)


def _check_query(
    trial: ProviderTrial,
    provider: SmsProvider,
    gateway: FaultyGateway,
    fault: GatewayFault,
    known: _Known,
) -> None:
    """Ask under a fault."""
    message, own = known.message, known.result.provider_message_id
    gateway.script_queries(fault, of=message.message_id)
    said = trial.query(provider, message, own, f"under {fault.value!r}")
    gateway.clear_script(of=message.message_id)
    wrong = said is not None and said.status is not known.status
    if wrong or (said is not None and fault is not GatewayFault.SLOW_DRIP):
        trial.note(
            f"query() under {fault.value!r} said {_word(said)}: what could not be "
            "asked is None"
        )
