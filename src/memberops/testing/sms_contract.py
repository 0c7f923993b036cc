"""Checks that the author of an SMS provider runs in the provider's own tests."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import itertools
import logging
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import attrs

from memberops.adapters.sms import ReceiptRequest, SmsCapabilities, SmsProvider
from memberops.domain.message import (
    Message,
    MessageReceipt,
    MessageTemplate,
    SendResult,
    message_id,
)
from memberops.errors import InvalidValueError, SourceError
from memberops.testing.faulty_gateway import FaultyGateway

__all__ = ["ProviderTrial", "check_sms_provider"]

_PHONE = "13987650"
_NAME = "欧阳测试"
_TEMPLATE = MessageTemplate(
    template_id="check",
    kind="notice",
    text="${name}，您的会员卡将于月底到期",
    signature="示例店",
    code="CHECK1",
)
_NUMBERS = itertools.count(1)
_PARTS = 3
_SHORTEST_SECRET = 8


@attrs.define(kw_only=True)
class ProviderTrial:
    """
    A provider on trial: what it is asked, and what it broke.

    Args:
        make: Makes a provider for the address of a gateway.
        template: What is sent.
        secrets: Texts that may be seen nowhere.
        broken: The promises it broke, in words.
        said: What it logged and printed.
    """

    make: Callable[[str], SmsProvider] = attrs.field(repr=False)
    template: MessageTemplate
    secrets: tuple[str, ...] = attrs.field(repr=False)
    broken: list[str] = attrs.field(factory=list)
    said: io.StringIO = attrs.field(factory=io.StringIO, repr=False)

    def message(self, addition: str = "") -> Message:
        """
        Return a message that was never sent, with values that may not be shown.

        Args:
            addition: Comes behind the name.
        """
        number = next(_NUMBERS)
        name = f"{_NAME}{addition}"
        gaps: Any = (("name", name),)
        return Message(
            message_id=message_id("check", str(number)),
            batch_id="check",
            member_id=f"M{number}",
            phone=f"{_PHONE}{number % 1000:03}",
            text=f"【示例店】{name}，您的会员卡将于月底到期",
            variables=gaps,
        )

    def leaks(self, text: str) -> bool:
        """Tell whether a text holds a phone, a name or a secret."""
        return any(value in text for value in (_PHONE, _NAME, *self.secrets))

    def note(self, promise: str) -> None:
        """Note a promise that was broken; a private value in it is not repeated."""
        safe = "it shows a phone, a name or a secret" if self.leaks(promise) else ""
        self.broken.append(safe or promise)

    def show(self, what: str, *values: object) -> None:
        """Note it if the repr or the text of a value shows what it may not."""
        if any(self.leaks(repr(value)) or self.leaks(str(value)) for value in values):
            self.note(f"{what} shows a phone, a name or a secret")

    def failed(self, what: str, error: Exception) -> None:
        """Note an error that should have been a result, and what it shows."""
        whole = "".join(traceback.format_exception(error))
        kind = type(error).__name__
        self.note(f"{what} raised {kind}: a failure is an answer, not an exception")
        if self.leaks(whole):
            self.note(f"the {kind} of {what} shows a phone, a name or a secret")

    def send(
        self, provider: SmsProvider, messages: Sequence[Message], what: str
    ) -> tuple[SendResult, ...] | None:
        """Send, and return the results if there is one for each, in order."""
        results: Any
        try:
            results = provider.send(messages, template=self.template)
        except Exception as error:  # noqa: BLE001 - any of them breaks the promise
            self.failed(f"send() {what}", error)
            return None
        self.show(f"a result of send() {what}", results)
        if not isinstance(results, tuple) or not all(
            isinstance(result, SendResult) for result in results
        ):
            self.note(f"send() {what} gave no tuple of SendResult")
            return None
        wanted = [message.message_id for message in messages]
        given = [result.message_id for result in results]
        if given == wanted:
            return tuple(results)
        if sorted(given) == sorted(wanted):
            self.note(f"send() {what} gave the results in another order")
        else:
            self.note(
                f"send() {what} gave {len(given)} results for {len(wanted)} messages, "
                "or results of others: one for each, in their order"
            )
        return None

    def query(
        self,
        provider: SmsProvider,
        message: Message,
        own: str | None,
        what: str,
        *,
        since: dt.datetime | None = None,
    ) -> MessageReceipt | None:
        """
        Ask what became of a message.

        Args:
            provider: Whom.
            message: Which.
            own: The provider's id of it, if it gave one.
            what: What is asked, in words.
            since: Moment before it was sent; by default the day alone is told.
        """
        receipt: Any
        sent_on = since or dt.datetime.now(dt.UTC).date()  # noqa: TID251 - sent a moment ago
        try:
            receipt = provider.query(message, provider_message_id=own, sent_on=sent_on)
        except Exception as error:  # noqa: BLE001 - any of them breaks the promise
            self.failed(f"query() {what}", error)
            return None
        self.show(f"the answer of query() {what}", receipt)
        if receipt is None or isinstance(receipt, MessageReceipt):
            return receipt
        self.note(f"query() {what} gave a {type(receipt).__name__}")
        return None


def check_sms_provider(
    make_provider: Callable[[str], SmsProvider],
    *,
    gateway: FaultyGateway | None = None,
    template: MessageTemplate | None = None,
    secrets: Iterable[str] = (),
) -> None:
    """
    Check that a provider of SMS keeps the promises of every provider.

    With a gateway it goes through every fault of it. The promises:

    - one `SendResult` for each message, in their order, and no exception, whatever
      the network and the gateway do;
    - one request for each message, never a second by itself;
    - an outcome that claims no more than can be known: surely not accepted is only
      what surely was not;
    - a ``Retry-After`` is kept, within a day; a redirect is not followed; a huge, a
      slow and a lost answer are given up;
    - a query that could not be asked is None, never ``not_found``, and a message
      whose answer was lost is not said to be missing if it is there;
    - of several messages in one request each is told what became of it, by results,
      queries and receipts;
    - no request lasts longer than its capabilities say;
    - receipts can be read, again and again alike; forged and changed ones are refused;
    - no phone, name or secret in a repr, a log, on the screen or in an error;
    - it can be closed, and closed again.

    Args:
        make_provider: Given the address of the gateway, such as
            ``"http://127.0.0.1:4711"``, makes a provider; give it time-outs that are
            shorter than the gateway's ``hold``. Several are made, and what takes
            time-outs is tried by some of them at once, each in a thread of its own.
        gateway: An open one; None for a provider without a network, which is then
            given an address at which nobody listens.
        template: What to send, for a provider that knows its templates.
        secrets: Texts that may be seen nowhere, beside the gateway's key; of at least
            8 characters, for a shorter one stands in other words by chance.

    Raises:
        AssertionError: Naming every promise that is broken.
        InvalidValueError: The gateway's key or a secret is shorter than that.

    >>> from memberops.domain.message import SendResult
    >>> class Deaf:
    ...     name, capabilities = "deaf", SmsCapabilities(longest_seconds=5)
    ...     def send(self, messages, *, template): return ()
    ...     def parse_receipts(self, request): raise SourceError("it pushes none")
    ...     def verify_receipt(self, request): return False
    ...     def close(self): pass
    >>> check_sms_provider(lambda url: Deaf())
    Traceback (most recent call last):
        ...
    AssertionError: the provider broke a promise:
    - send() of one message gave 0 results for 1 messages, or results of others: ...
    """
    known = tuple(secret for secret in secrets if secret)
    known = known if gateway is None else (*known, gateway.key)
    if any(len(secret) < _SHORTEST_SECRET for secret in known):
        raise InvalidValueError(
            f"a key of fewer than {_SHORTEST_SECRET} characters stands in other words "
            "by chance, and would be found where it is not: give a longer one"
        )
    trial = ProviderTrial(
        make=make_provider, template=template or _TEMPLATE, secrets=known
    )
    with _overheard(trial.said):
        url = "http://127.0.0.1:9" if gateway is None else gateway.url
        with contextlib.closing(make_provider(url)) as provider:
            _check_alone(trial, provider)
            if gateway is not None:
                from memberops.testing.sms_contract_faults import check_with_gateway

                check_with_gateway(trial, provider, gateway)
            _check_closing(trial, provider)
    if trial.leaks(trial.said.getvalue()):
        trial.note("a phone, a name or a secret was logged or printed")
    if trial.broken:
        lines = "\n".join(f"- {each}" for each in dict.fromkeys(trial.broken))
        raise AssertionError(f"the provider broke a promise:\n{lines}")


def _check_alone(trial: ProviderTrial, provider: SmsProvider) -> None:
    trial.show("the provider's repr", provider)
    name: object = provider.name
    if not (isinstance(name, str) and name):
        trial.note("its name is no text")
    can: object = provider.capabilities
    if not isinstance(can, SmsCapabilities) or can.batch_size < 1:
        trial.note("its capabilities are no SmsCapabilities of a batch of 1 or more")
        return
    if not can.longest_seconds > 0:
        trial.note(
            "its capabilities do not say how long a send() lasts at most: the "
            "dispatcher needs 'longest_seconds', else it takes a slow one for dead"
        )
    trial.send(provider, [], "of nothing")
    trial.send(provider, [trial.message()], "of one message")
    if can.batch_size > 1:
        several = [trial.message() for _ in range(min(can.batch_size, _PARTS))]
        trial.send(provider, several, "of several messages")
    _check_nonsense(trial, provider)


def _check_nonsense(trial: ProviderTrial, provider: SmsProvider) -> None:
    """Give it requests that are no receipts, as anybody may post to a web server."""
    bodies = [b"", b"{", b"[" * 5000, b"\xff\xfe", f'["{_PHONE}001"]'.encode()]
    for body in bodies:
        request = ReceiptRequest(url="https://office.example/sms", body=body)
        try:
            if provider.verify_receipt(request):
                trial.note("verify_receipt() takes nonsense for the provider's own")
        except Exception as error:  # noqa: BLE001 - any of them breaks the promise
            trial.failed("verify_receipt() of nonsense", error)
        try:
            if provider.parse_receipts(request):
                trial.note("parse_receipts() reads receipts from nonsense")
        except SourceError as error:
            whole = "".join(traceback.format_exception(error))
            if trial.leaks(whole):
                trial.note("the SourceError of a wrong receipt shows what is in it")
        except Exception as error:  # noqa: BLE001 - any other breaks the promise
            trial.note(
                f"parse_receipts() of nonsense raised {type(error).__name__}, "
                "not a SourceError"
            )


def _check_closing(trial: ProviderTrial, provider: SmsProvider) -> None:
    try:
        provider.close()
        provider.close()
    except Exception as error:  # noqa: BLE001 - any of them breaks the promise
        trial.failed("close() again", error)


@contextlib.contextmanager
def _overheard(into: io.StringIO) -> Iterator[None]:
    """Write down all that is logged, at every level, and printed."""
    handler = logging.StreamHandler(into)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    root = logging.getLogger()
    known = [root, *(logging.getLogger(name) for name in [*root.manager.loggerDict])]
    before = [(logger, logger.level, logger.propagate) for logger in known]
    for logger in known:
        logger.setLevel(logging.DEBUG)
        logger.propagate = logger is not root
    root.addHandler(handler)
    try:
        with contextlib.redirect_stdout(into), contextlib.redirect_stderr(into):
            yield
    finally:
        root.removeHandler(handler)
        for logger, level, propagate in before:
            logger.setLevel(level)
            logger.propagate = propagate
