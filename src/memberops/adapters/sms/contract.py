"""What a provider of SMS is: send, query, read a receipt, and say what it can do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import attrs

from memberops.domain.message import (
    Message,
    MessageReceipt,
    MessageTemplate,
    SendResult,
)
from memberops.errors import InvalidValueError

__all__ = [
    "ReceiptRequest",
    "SmsCapabilities",
    "SmsContext",
    "SmsProvider",
    "SmsProviderFactory",
]

_WEEK = 604_800


@attrs.frozen(kw_only=True)
class SmsContext:
    """
    What a chain gives to a provider when it is opened.

    Args:
        folder: The chain's folder; paths of options are relative to it.
        currency: Code of the currency in which costs are counted.
    """

    folder: Path
    currency: str = "CNY"


def _seconds(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and 0 <= value <= _WEEK):
        raise InvalidValueError(f"{attribute.name!r} is from 0 to {_WEEK} seconds")


@attrs.frozen(kw_only=True)
class SmsCapabilities:
    """
    What a provider can do, so that the outbox does not have to know providers.

    Args:
        batch_size: How many messages one `SmsProvider.send` takes at most.
        mixed_size: How many, if their variables differ; *batch_size* by default.
        group: What messages that share a request have alike, besides their batch,
            such as that all numbers are of the mainland; any go together by default.
        longest_seconds: How long one `SmsProvider.send` lasts at most, by its
            time-outs: nothing is begun that could outlast its lease. 0 if it is not
            said; then the lease is all that keeps a slow request from being taken
            for a dead one.
        queries: Whether `SmsProvider.query` can find a message by our id or its own.
        queries_reports: Whether a query knows what carriers reported and no more: it
            finds no message before that, and never says that there is none.
        receipts: Whether it pushes receipts.
        signed_receipts: Whether a pushed receipt can be proven to be the provider's.
        token_receipts: Whether that proof is a secret in the address, which says
            nothing of what was pushed there.
        echoes_id: Whether receipts and queries carry our message id.
        idempotent: Whether a message sent twice with one id leaves once.
        same_text: Whether all messages of one request share one set of variables.
        settle_seconds: How long after an attempt a query's "not found" can be trusted.

    Raises:
        InvalidValueError: A time is no number of 0 to 604,800 seconds, a week.

    >>> SmsCapabilities(longest_seconds=float("inf"))
    Traceback (most recent call last):
        ...
    memberops.errors.InvalidValueError: 'longest_seconds' is from 0 to 604800 seconds
    """

    batch_size: int = 1
    mixed_size: int | None = None
    group: Callable[[Message], Hashable] | None = attrs.field(default=None, eq=False)
    longest_seconds: float = attrs.field(default=0.0, validator=_seconds)
    queries: bool = False
    queries_reports: bool = False
    receipts: bool = False
    signed_receipts: bool = False
    token_receipts: bool = False
    echoes_id: bool = False
    idempotent: bool = False
    same_text: bool = False
    settle_seconds: int = attrs.field(default=60, validator=_seconds)


@attrs.frozen(kw_only=True)
class ReceiptRequest:
    """
    A provider's HTTP request with receipts, as the host's own web server got it.

    Args:
        url: The whole URL that the provider called, as it is registered there.
        headers: Names are compared without case.
        body: The bytes as they came.
        method: Of the request.
    """

    url: str = attrs.field(repr=False)  # it may hold a token
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    method: str = "POST"


class SmsProvider(Protocol):
    """
    One account at one provider.

    A provider makes at most one request for each message of a call and never repeats
    it by itself: whoever calls decides about that. Messages that its capabilities let
    share a request go in one, so that a call is one request and lasts no longer than
    it says. A failure of the network, the provider or the answer is a `SendResult`,
    not an exception.
    """

    @property
    def name(self) -> str:
        """The provider's name, such as ``aliyun``."""
        ...

    @property
    def capabilities(self) -> SmsCapabilities:
        """What it can do."""
        ...

    def send(
        self, messages: Sequence[Message], *, template: MessageTemplate
    ) -> tuple[SendResult, ...]:
        """Send once, and return one result for each message, in their order."""
        ...

    def query(
        self, message: Message, *, provider_message_id: str | None, sent_on: dt.date
    ) -> MessageReceipt | None:
        """
        Ask what became of a message.

        Args:
            message: The message, with its phone, by which some providers search.
            provider_message_id: The provider's id, if one is known.
            sent_on: Moment (`datetime.datetime`, with its zone) before which the
                attempt surely had not begun, or, if that is not known, the day
                (`datetime.date`, UTC) of the attempt.

        Returns:
            A receipt, ``not_found`` if the provider surely does not know the message,
            and None if it could not be asked. It names our id only if the provider
            knows it by that id or by the one that it gave for it: what was found by
            a phone names the provider's id alone, which may be another message's.
        """
        ...

    def parse_receipts(self, request: ReceiptRequest) -> tuple[MessageReceipt, ...]:
        """
        Read the receipts of a pushed request.

        One that cannot be read does not take the others along: what is returned may
        say as ``odd`` how many there were. If none can be, raise `SourceError`.
        """
        ...

    def verify_receipt(self, request: ReceiptRequest) -> bool:
        """Tell whether a pushed request is the provider's own."""
        ...

    def close(self) -> None:
        """Release connections and files."""
        ...


class SmsProviderFactory(Protocol):
    """Makes a provider of the options of a chain file."""

    def __call__(self, context: SmsContext, /, **options: Any) -> SmsProvider:
        """Return a provider; wrong options raise `ConfigurationError`."""
        ...
