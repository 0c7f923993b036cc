"""How a faulty gateway speaks: JSON by default, a provider's own way if it is given."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import attrs

from memberops.adapters.sms import ReceiptRequest
from memberops.domain.message import MessageProblem, ReceiptStatus
from memberops.testing.faulty_gateway_server import GatewayAnswer, GatewayRequest

__all__ = [
    "GatewayDialect",
    "GatewayQuestion",
    "GatewayReport",
    "JsonDialect",
    "SentMessage",
    "phone_digest",
]


def _hidden(_value: object) -> str:
    return "*****"


_NATIONAL = 11
"""So many digits tell a phone, with or without the code of the mainland."""


def phone_digest(phone: str) -> str:
    """
    Return BLAKE2 of a phone, however it is written.

    >>> phone_digest("+86 138 1234 5678") == phone_digest("13812345678")
    True
    """
    return _digest(re.sub(r"\D", "", phone, flags=re.ASCII)[-_NATIONAL:] or phone)


@attrs.frozen(kw_only=True)
class SentMessage:
    """
    A message as the gateway got it: without the phone and the text, but comparable.

    Args:
        message_id: Our id, as the request carried it; empty if it carried none.
        text_digest: BLAKE2 of the text.
        phone_digest: See `phone_digest`.
        notes: What the dialect needs again when it tells of the message, such as the
            phone, if its provider's receipts name it; hidden in the repr.

    >>> one = SentMessage.of("S1", "13812345678", "hello")
    >>> one == SentMessage.of("S1", "13812345678", "hello"), one.message_id
    (True, 'S1')
    """

    message_id: str
    text_digest: str
    phone_digest: str
    notes: Any = attrs.field(default=None, eq=False, repr=_hidden)

    @classmethod
    def of(
        cls, message_id: str, phone: str, text: str, *, notes: Any = None
    ) -> SentMessage:
        """Make one of what a request carried."""
        return cls(
            message_id=message_id,
            text_digest=_digest(text),
            phone_digest=phone_digest(phone),
            notes=notes,
        )


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


@attrs.frozen(kw_only=True)
class GatewayQuestion:
    """
    What a request asks for.

    Args:
        sends: The messages to send; empty if it is a query.
        asks: The id of the message that it asks after: ours, or the gateway's.
        asks_phone: The `phone_digest` of the phone that it asks after, for providers
            that list all that a phone was sent.
        authorized: Whether it proved to be the customer's.
        batch: Whether the answer is a list.
        one_fate: Whether its messages are taken together, under one id, or not at
            all.
        notes: What the dialect needs again to answer; hidden in the repr.
    """

    sends: tuple[SentMessage, ...] = ()
    asks: str = ""
    asks_phone: str = ""
    authorized: bool = True
    batch: bool = False
    one_fate: bool = False
    notes: Any = attrs.field(default=None, eq=False, repr=_hidden)


@attrs.frozen(kw_only=True)
class GatewayReport:
    """
    What a receipt or the answer to a query says.

    Args:
        message_id: Our id.
        provider_message_id: The gateway's id.
        status: What became of it.
        sent: The message as the gateway got it.
        taken_at: When the gateway took it.
    """

    message_id: str
    provider_message_id: str
    status: ReceiptStatus
    sent: SentMessage
    taken_at: dt.datetime


class GatewayDialect(Protocol):
    """A provider's way to speak: write one to try your provider on the faults."""

    def read(self, request: GatewayRequest, key: str) -> GatewayQuestion | None:
        """Return what a request asks for; None if the gateway does not know it."""
        ...

    def answer(
        self,
        question: GatewayQuestion,
        ids: Sequence[str | None],
        problem: MessageProblem,
    ) -> GatewayAnswer:
        """Answer with the gateway's id of each message; None where it refused one."""
        ...

    def stranger(self) -> GatewayAnswer:
        """Answer who could not prove to be the customer."""
        ...

    def found(
        self, question: GatewayQuestion, reports: Sequence[GatewayReport]
    ) -> GatewayAnswer:
        """Answer a query with all that was taken; empty if no such message is known."""
        ...

    def receipts(
        self, reports: Sequence[GatewayReport], key: str
    ) -> Sequence[ReceiptRequest]:
        """
        Return the signed requests with which the gateway pushes receipts.

        A provider that reports one message in a request gives one for each, and one
        that never reports a mere "accepted" leaves these out.
        """
        ...


@attrs.frozen(kw_only=True)
class JsonDialect:
    """
    The small JSON that `memberops.adapters.sms.FormGateway` speaks by default.

    ``POST /send`` takes ``id`` (our message id), ``phone`` and ``text``, as JSON or as
    a form, and answers ``{"code": "0", "id": <the gateway's>}`` or, with status 200 as
    well, a code of `memberops.domain.message.MessageProblem`; ``{"messages": [...]}``
    is answered by ``{"code": "0", "results": [...]}``. ``GET /query?id=`` answers
    ``{"code": "0", "status", "id", "error"}``. The key is the bearer of the header
    ``Authorization``. Receipts are pushed as an array of ``{"id": <ours>,
    "gateway_id", "status", "error"}`` with the HMAC-SHA256 (hex) of the body under the
    key in the header ``X-Signature``.

    Args:
        receipt_url: Where receipts are pushed.
    """

    receipt_url: str = "https://office.example/sms/receipts"

    def read(self, request: GatewayRequest, key: str) -> GatewayQuestion | None:
        """Return what a request asks for; None if it is none of the two."""
        parts = urlsplit(request.target)
        bearer = request.headers.get("authorization", "")
        authorized = hmac.compare_digest(bearer.encode(), f"Bearer {key}".encode())
        if request.method == "GET" and parts.path == "/query":
            fields = dict(parse_qsl(parts.query))
            own = fields.get("id", "")
            return GatewayQuestion(asks=own, authorized=authorized) if own else None
        if request.method != "POST" or parts.path != "/send":
            return None
        content = _fields(request)
        batch = "messages" in content
        rows = content["messages"] if batch else [content]
        sends = tuple(
            SentMessage.of(str(row["id"]), str(row["phone"]), str(row.get("text", "")))
            for row in rows
            if isinstance(row, dict) and row.get("id") and row.get("phone")
        )
        if not sends:
            return None
        return GatewayQuestion(sends=sends, authorized=authorized, batch=batch)

    def answer(
        self,
        question: GatewayQuestion,
        ids: Sequence[str | None],
        problem: MessageProblem,
    ) -> GatewayAnswer:
        """Answer with an id or a code for each message."""
        rows = [
            {"code": problem.value} if own is None else {"code": "0", "id": own}
            for own in ids
        ]
        return _json({"code": "0", "results": rows} if question.batch else rows[0])

    def stranger(self) -> GatewayAnswer:
        """Answer with a code of its own."""
        return _json({"code": MessageProblem.AUTHENTICATION.value})

    def found(
        self, question: GatewayQuestion, reports: Sequence[GatewayReport]
    ) -> GatewayAnswer:
        """Answer a query."""
        del question
        if not reports:
            return _json({"code": "0", "status": "not_found"})
        first = reports[0]
        return _json(_row(first) | {"code": "0", "id": first.provider_message_id})

    def receipts(
        self, reports: Sequence[GatewayReport], key: str
    ) -> tuple[ReceiptRequest, ...]:
        """Return the signed request with receipts."""
        rows = [_row(report) for report in reports]
        body = _json(rows).body
        signature = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        request = ReceiptRequest(
            url=self.receipt_url,
            headers={"Content-Type": "application/json", "X-Signature": signature},
            body=body,
        )
        return (request,)


def _row(report: GatewayReport) -> dict[str, str]:
    failed = report.status is ReceiptStatus.UNDELIVERED
    return {
        "id": report.message_id,
        "gateway_id": report.provider_message_id,
        "status": report.status.value,
        "error": MessageProblem.UNREACHABLE.value if failed else "",
    }


def _json(content: object) -> GatewayAnswer:
    return GatewayAnswer(body=json.dumps(content, sort_keys=True).encode())


def _fields(request: GatewayRequest) -> dict[str, Any]:
    text = request.body.decode("utf-8", "replace")
    if "json" in request.headers.get("content-type", ""):
        try:
            content = json.loads(text)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}
    return dict(parse_qsl(text))
