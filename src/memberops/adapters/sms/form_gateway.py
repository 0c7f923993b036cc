"""Any provider with a plain HTTP interface, by configuration alone."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from memberops.adapters.sms.contract import (
    ReceiptRequest,
    SmsCapabilities,
    SmsContext,
)
from memberops.adapters.sms.form_protocol import FormProtocol
from memberops.adapters.sms.http import HttpClient, HttpLimits, HttpReply, check_url
from memberops.adapters.sms.json_paths import look_up, text_at
from memberops.adapters.sms.options import (
    made_of,
    name_option,
    optional_secret,
    read_limits,
    seconds_option,
    system_clock,
)
from memberops.adapters.sms.receipts import (
    header,
    read_each,
    read_moment,
    read_number,
)
from memberops.adapters.sms.verdicts import (
    Verdict,
    judge_answer,
    next_request,
    no_secret,
    plain_code,
    plain_id,
    read_document,
)
from memberops.domain.message import (
    Message,
    MessageProblem,
    MessageReceipt,
    MessageTemplate,
    ReceiptStatus,
    SendOutcome,
    SendResult,
)
from memberops.errors import ConfigurationError

__all__ = ["FormGateway"]


class FormGateway:
    """
    A gateway that takes one message in one request, as JSON or as a form.

    With the defaults of `FormProtocol` it speaks this protocol:

    - **Send.** ``POST`` to ``url``, JSON with ``id`` (our message id), ``phone``,
      ``text``, ``template`` (the provider's code of it) and ``variables`` (an object);
      the token in ``Authorization: Bearer …``.
      The answer is 200 with ``{"code": "0", "id": "<the gateway's id>"}``, and may
      carry ``segments``. Any other ``code`` is a refusal; `FormProtocol.codes` says of
      which kind, and by default each `memberops.domain.message.MessageProblem` is a
      code itself, such as ``"opted_out"`` or ``"throttled"``.
    - **Query.** ``GET`` of ``query_url`` with ``?id=<our id>``; a ``POST`` of the same
      field where the token is a field, for no token goes into an address. The answer
      is 200 with ``{"code": "0", "status": "accepted" | "delivered" |
      "undelivered" | "not_found", "id": "<the gateway's id>", "error": "<code>",
      "at": "<ISO 8601 with offset>"}``. A 404 with ``"status": "not_found"`` says the
      same.
    - **Receipts.** The gateway posts one object or an array of them to the host's own
      web server: ``{"id": "<our id>", "gateway_id": …, "status": …, "error": …,
      "at": …, "segment": …}``, signed by ``X-Signature: <hex HMAC-SHA256 of the
      body under the receipt secret>``.

    Args:
        context: The chain's `SmsContext`.
        url: Where messages are sent.
        query_url: Where their fate is asked for; empty if that is not possible.
        token: A secret, see `memberops.adapters.sms.secret_option`; None if the
            gateway asks for none.
        receipt_secret: A secret under which receipts are signed; without it no
            receipt is taken for the gateway's own.
        protocol: A `FormProtocol`, or its fields as a table of a chain file.
        plain_http: Whether addresses may begin with ``http``.
        settle_seconds: How long after an attempt "not found" can be trusted.
        limits: `HttpLimits`, or its fields as a table.
        clock: Gives the moment.
        name: What the outbox and receipts call this account; give each account of
            one provider its own.

    Raises:
        ConfigurationError: An option is wrong, or a secret is written down.
        MissingExtraError: The extra ``sms`` is not installed.

    >>> from pathlib import Path
    >>> gateway = FormGateway(SmsContext(folder=Path()),
    ...     url="https://sms.example.com/send", token=lambda: "s3cret")
    >>> gateway
    FormGateway(name='form')
    >>> gateway.close()
    """

    def __init__(
        self,
        context: SmsContext,
        *,
        url: str,
        query_url: str = "",
        token: Any = None,
        receipt_secret: Any = None,
        protocol: FormProtocol | Mapping[str, Any] | None = None,
        plain_http: bool = False,
        settle_seconds: int = 60,
        limits: HttpLimits | Mapping[str, Any] | None = None,
        clock: Callable[[], dt.datetime] = system_clock,
        name: str = "form",
    ) -> None:
        self.name = name_option(name)
        self._url = check_url("url", url, plain_http=plain_http)
        self._query_url = query_url and check_url(
            "query_url", query_url, plain_http=plain_http
        )
        self._token = optional_secret("token", token)
        self._receipt_secret = optional_secret("receipt_secret", receipt_secret)
        self._protocol = made_of(FormProtocol, "protocol", protocol)
        self._clock = clock
        bounds = read_limits(context, limits)
        self.capabilities = SmsCapabilities(
            longest_seconds=bounds.longest_seconds,
            queries=bool(query_url),
            receipts=True,
            signed_receipts=self._receipt_secret is not None,
            echoes_id=True,
            settle_seconds=seconds_option("settle_seconds", settle_seconds),
        )
        self._http = HttpClient(bounds)

    def __repr__(self) -> str:
        """Show the name alone."""
        return f"FormGateway(name={self.name!r})"

    def send(
        self, messages: Sequence[Message], *, template: MessageTemplate
    ) -> tuple[SendResult, ...]:
        """Send one message; see `SmsProvider.send`. More than one wait."""
        sent = [self._send_one(message, template) for message in messages[:1]]
        later = [next_request().of(message) for message in messages[1:]]
        return (*sent, *later)

    def _send_one(self, message: Message, template: MessageTemplate) -> SendResult:
        protocol = self._protocol
        known: dict[str, Any] = {
            "id": message.message_id,
            "phone": message.phone,
            "text": message.text,
            "template": template.code,
            "variables": dict(message.variables),
            "signature": template.signature,
            "batch": message.batch_id,
        }
        fields: dict[str, Any] = dict(protocol.constants)
        fields |= {field: known[ours] for ours, field in protocol.fields.items()}
        try:
            headers, tokens = self._tokens()
        except ConfigurationError:
            return no_secret().of(message)
        fields |= tokens
        reply = self._post(self._url, headers, fields)
        document = read_document(reply.body) if reply.fate == "answered" else None
        verdict = self._judge(reply, document)
        if verdict.outcome is not SendOutcome.ACCEPTED:
            return verdict.of(message)
        return verdict.of(
            message,
            provider_message_id=plain_id(
                text_at(document, protocol.gateway_id), phone=message.phone
            ),
            segments=read_number(look_up(document, protocol.segments)),
        )

    def _post(
        self, url: str, headers: dict[str, str], fields: Mapping[str, Any]
    ) -> HttpReply:
        if self._protocol.encoding == "json":
            headers["Content-Type"] = "application/json"
            content = json.dumps(fields).encode()
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            content = urlencode(
                {
                    name: json.dumps(value, ensure_ascii=False)
                    if isinstance(value, dict)
                    else value
                    for name, value in fields.items()
                },
                errors="replace",
            ).encode()
        return self._http.request("POST", url, headers=headers, content=content)

    def _tokens(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the token as headers and as fields; one of them is empty."""
        protocol = self._protocol
        if self._token is None:
            return {}, {}
        token = self._token.reveal()
        if protocol.token_field:
            return {}, {protocol.token_field: token}
        text = f"{protocol.token_scheme} {token}".strip()
        return {protocol.token_header: text}, {}

    def _judge(self, reply: HttpReply, document: Any) -> Verdict:
        protocol = self._protocol
        return judge_answer(
            reply,
            text_at(document, protocol.code),
            success=protocol.success,
            problem_of=lambda code: protocol.codes.get(code, MessageProblem.OTHER),
            now=self._clock(),
        )

    def query(
        self,
        message: Message,
        *,
        provider_message_id: str | None,  # noqa: ARG002 - our own id is enough
        sent_on: dt.date,  # noqa: ARG002 - as above
    ) -> MessageReceipt | None:
        """Ask by our id; see `SmsProvider.query`."""
        protocol = self._protocol
        if not self._query_url:
            return None
        try:
            headers, tokens = self._tokens()
        except ConfigurationError:
            return None
        wanted = {protocol.query_field: message.message_id}
        if tokens:  # in an address they would stand in the logs of every proxy
            reply = self._post(self._query_url, headers, wanted | tokens)
        else:
            joint = "&" if "?" in self._query_url else "?"
            url = f"{self._query_url}{joint}{urlencode(wanted)}"
            reply = self._http.request("GET", url, headers=headers)
        document = read_document(reply.body) if reply.fate == "answered" else None
        status = protocol.statuses.get(text_at(document, protocol.status) or "")
        answered = reply.status == HTTPStatus.OK and (
            text_at(document, protocol.code) in protocol.success
        )
        absent = reply.status == HTTPStatus.NOT_FOUND and (
            status is ReceiptStatus.NOT_FOUND
        )
        if status is None or not (answered or absent):
            return None
        return self._receipt(
            document,
            status,
            message_id=message.message_id,
            provider_message_id=plain_id(
                text_at(document, protocol.gateway_id), phone=message.phone
            ),
        )

    def _receipt(
        self,
        document: Any,
        status: ReceiptStatus,
        *,
        message_id: str | None,
        provider_message_id: str | None,
    ) -> MessageReceipt:
        protocol = self._protocol
        code = text_at(document, protocol.error)
        problem = None
        if status is ReceiptStatus.UNDELIVERED:
            problem = protocol.codes.get(code or "", MessageProblem.OTHER)
        return MessageReceipt(
            provider=self.name,
            status=status,
            message_id=message_id,
            provider_message_id=provider_message_id,
            at=read_moment(look_up(document, protocol.at)),
            problem=problem,
            raw_code=plain_code(code) if code else "",
            segment=read_number(look_up(document, protocol.segment)),
        )

    def parse_receipts(self, request: ReceiptRequest) -> tuple[MessageReceipt, ...]:
        """Read one receipt or an array of them; see `SmsProvider.parse_receipts`."""
        protocol = self._protocol
        return read_each(
            look_up(read_document(request.body), protocol.receipts),
            self._pushed,
            wrong="a receipt of the gateway names no message, or a status that "
            "'statuses' does not know",
        )

    def _pushed(self, item: dict[str, Any]) -> MessageReceipt | None:
        protocol = self._protocol
        status = protocol.statuses.get(text_at(item, protocol.status) or "")
        own = text_at(item, protocol.receipt_id)
        theirs = plain_id(text_at(item, protocol.receipt_gateway_id))
        if status is None or not (own or theirs):
            return None
        return self._receipt(item, status, message_id=own, provider_message_id=theirs)

    def verify_receipt(self, request: ReceiptRequest) -> bool:
        """Tell whether the body is signed under the receipt secret."""
        if self._receipt_secret is None:
            return False
        key = self._receipt_secret.reveal().encode()
        signed = hmac.new(key, request.body, hashlib.sha256).hexdigest()
        given = header(request, self._protocol.signature_header).strip().lower()
        return hmac.compare_digest(signed.encode(), given.encode("utf-8", "replace"))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
