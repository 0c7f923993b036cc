"""AWS End User Messaging (pinpoint-sms-voice-v2), through boto3 with one attempt."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from memberops.adapters.sms.contract import (
    ReceiptRequest,
    SmsCapabilities,
    SmsContext,
)
from memberops.adapters.sms.http import HttpClient, HttpLimits, HttpReply, check_url
from memberops.adapters.sms.json_paths import look_up, text_at
from memberops.adapters.sms.options import (
    name_option,
    optional_secret,
    read_limits,
    system_clock,
    text_option,
)
from memberops.adapters.sms.receipt_token import carries_token
from memberops.adapters.sms.receipts import read_each, read_number
from memberops.adapters.sms.recipients import to_e164
from memberops.adapters.sms.silence import hush, silenced
from memberops.adapters.sms.verdicts import (
    Verdict,
    judge_answer,
    judge_code,
    judge_status,
    next_request,
    no_secret,
    plain_id,
    read_document,
)
from memberops.domain.message import (
    Message,
    MessageKind,
    MessageProblem,
    MessageReceipt,
    MessageTemplate,
    ReceiptStatus,
    SendOutcome,
    SendResult,
)
from memberops.errors import ConfigurationError, MissingExtraError

__all__ = ["AwsProvider"]

_CODES: Mapping[str, MessageProblem] = {
    "ThrottlingException": MessageProblem.THROTTLED,
    "ServiceQuotaExceededException": MessageProblem.THROTTLED,
    "AccessDeniedException": MessageProblem.AUTHENTICATION,
    "UnrecognizedClientException": MessageProblem.AUTHENTICATION,
    "InvalidSignatureException": MessageProblem.AUTHENTICATION,
    "ExpiredTokenException": MessageProblem.AUTHENTICATION,
    "ResourceNotFoundException": MessageProblem.REQUEST,
    "ValidationException": MessageProblem.REQUEST,
    "ConflictException": MessageProblem.REQUEST,
    "DESTINATION_PHONE_NUMBER_OPTED_OUT": MessageProblem.OPTED_OUT,
    "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT": MessageProblem.BALANCE,
    "SENDER_ID_NOT_REGISTERED": MessageProblem.SIGNATURE,
    "SENDER_ID_REQUIRES_REGISTRATION": MessageProblem.SIGNATURE,
}
_OF_A_CLIENT = 60.0
"""Seconds of a ready client of boto3 at most: a read may drip, within reason."""

_EVENTS: Mapping[str, tuple[ReceiptStatus, MessageProblem | None]] = {
    "TEXT_QUEUED": (ReceiptStatus.ACCEPTED, None),
    "TEXT_PENDING": (ReceiptStatus.ACCEPTED, None),
    "TEXT_SENT": (ReceiptStatus.ACCEPTED, None),
    "TEXT_SUCCESSFUL": (ReceiptStatus.ACCEPTED, None),
    "TEXT_DELIVERED": (ReceiptStatus.DELIVERED, None),
    "TEXT_INVALID": (ReceiptStatus.UNDELIVERED, MessageProblem.INVALID_NUMBER),
    "TEXT_UNREACHABLE": (ReceiptStatus.UNDELIVERED, MessageProblem.UNREACHABLE),
    "TEXT_CARRIER_UNREACHABLE": (ReceiptStatus.UNDELIVERED, MessageProblem.CARRIER),
    "TEXT_CARRIER_BLOCKED": (ReceiptStatus.UNDELIVERED, MessageProblem.CARRIER),
    "TEXT_BLOCKED": (ReceiptStatus.UNDELIVERED, MessageProblem.OPTED_OUT),
    "TEXT_SPAM": (ReceiptStatus.UNDELIVERED, MessageProblem.CONTENT),
    "TEXT_TTL_EXPIRED": (ReceiptStatus.UNDELIVERED, MessageProblem.EXPIRED),
    "TEXT_UNKNOWN": (ReceiptStatus.UNDELIVERED, MessageProblem.OTHER),
}


class AwsProvider:
    """
    One account at AWS End User Messaging.

    boto3 finds the credentials, signs, and reads the answer. By itself it repeats a
    request up to three times when the answer is lost, and reads an answer however
    long it is and lasts; here it makes one attempt, which our own client carries
    within the limits. Our id goes along as ``Context``, which events echo. AWS answers
    no questions about a message, so what is unknown is settled by its event.

    Args:
        context: The chain's `SmsContext`.
        region: Such as ``ap-southeast-1``.
        access_key_id: A secret, see `memberops.adapters.sms.secret_option`; without
            it boto3 finds credentials as it does everywhere.
        secret_access_key: A secret, with *access_key_id*.
        origination_identity: A number, sender id or pool; AWS chooses if empty.
        configuration_set: Name of the set whose event destinations report.
        receipt_token: A secret in the address at which events arrive, as ``?token=…``.
        endpoint: Another address of the service; empty for the region's.
        client: A ready boto3 client of ``pinpoint-sms-voice-v2`` with
            ``total_max_attempts`` 1, instead of the options above, such as one behind
            a proxy; it goes by its own time-outs, and has no limit of an answer.
        limits: `HttpLimits`, or its fields as a table.
        clock: Gives the moment.
        name: What the outbox and receipts call this account; give each account of
            one provider its own.

    Raises:
        ConfigurationError: An option is wrong, or a client would repeat requests.
        MissingExtraError: The extra ``aws`` is not installed.
    """

    def __init__(
        self,
        context: SmsContext,
        *,
        region: str = "",
        access_key_id: Any = None,
        secret_access_key: Any = None,
        origination_identity: str = "",
        configuration_set: str = "",
        receipt_token: Any = None,
        endpoint: str = "",
        client: Any = None,
        limits: HttpLimits | Mapping[str, Any] | None = None,
        clock: Callable[[], dt.datetime] = system_clock,
        name: str = "aws",
    ) -> None:
        self.name = name_option(name)
        key_id = optional_secret("access_key_id", access_key_id)
        key = optional_secret("secret_access_key", secret_access_key)
        if (key_id is None) != (key is None):
            raise ConfigurationError("give both of 'access_key_id' and its secret")
        self._fixed = {
            name: str(value)
            for name, value in (
                ("OriginationIdentity", origination_identity),
                ("ConfigurationSetName", configuration_set),
            )
            if value
        }
        self._receipt_token = optional_secret("receipt_token", receipt_token)
        self._clock = clock
        try:
            import boto3
            from botocore import config, exceptions
        except ImportError:
            raise MissingExtraError("sending through AWS", "aws") from None
        self._errors = exceptions
        bounds = read_limits(context, limits)
        self._http: HttpClient | None = None
        if client is None:
            client = boto3.client(
                "pinpoint-sms-voice-v2",
                region_name=text_option("region", region, example="ap-southeast-1"),
                endpoint_url=check_url("endpoint", endpoint) if endpoint else None,
                aws_access_key_id=key_id and key_id.reveal(),
                aws_secret_access_key=key and key.reveal(),
                config=config.Config(retries={"total_max_attempts": 1}),
            )
            self._http = HttpClient(bounds)
            client.meta.events.register(
                "before-send.pinpoint-sms-voice-v2", _Carrier(self._http)
            )
        retries = client.meta.config.retries or {}
        if retries.get("total_max_attempts") != 1:
            raise ConfigurationError(
                "the client would repeat requests: make it with "
                "Config(retries={'total_max_attempts': 1})"
            )
        self._client = client
        hush("boto3", "botocore", "urllib3")
        own = self._http is None
        self.capabilities = SmsCapabilities(
            longest_seconds=_OF_A_CLIENT if own else bounds.longest_seconds,
            receipts=True,
            signed_receipts=self._receipt_token is not None,
            token_receipts=self._receipt_token is not None,
            echoes_id=True,
        )

    def __repr__(self) -> str:
        """Show the name alone."""
        return f"AwsProvider(name={self.name!r})"

    def send(
        self, messages: Sequence[Message], *, template: MessageTemplate
    ) -> tuple[SendResult, ...]:
        """Send one message; see `SmsProvider.send`. More than one wait."""
        kind = (
            "PROMOTIONAL" if template.kind is MessageKind.MARKETING else "TRANSACTIONAL"
        )
        sent = [self._send_one(message, kind) for message in messages[:1]]
        later = [next_request().of(message) for message in messages[1:]]
        return (*sent, *later)

    def _send_one(self, message: Message, kind: str) -> SendResult:
        phone = to_e164(message.phone)
        if phone is None:
            return judge_code(MessageProblem.INVALID_NUMBER, "phone").of(message)
        with silenced():
            try:
                answer = self._client.send_text_message(
                    DestinationPhoneNumber=phone,
                    MessageBody=message.text,
                    MessageType=kind,
                    Context={"message_id": message.message_id},
                    **self._fixed,
                )
            except Exception as error:  # noqa: BLE001 - each is a fate, none may leak
                return self._judge(error).of(message)
        sid = plain_id(text_at(answer, "MessageId"), phone=phone)
        if sid is None:
            return judge_code(MessageProblem.PROVIDER, "no id").of(message)
        return Verdict(outcome=SendOutcome.ACCEPTED).of(
            message, provider_message_id=sid
        )

    def _judge(self, error: Exception) -> Verdict:
        """Judge what boto3 raised: surely before the request, typed, or unknown."""
        errors = self._errors
        reason = type(error).__name__
        if isinstance(error, _UnansweredError):
            verdict = judge_status(error.reply, now=self._clock())
            return verdict or judge_code(MessageProblem.PROVIDER, reason)
        if isinstance(error, errors.ClientError):
            return self._of_answer(error.response)
        if isinstance(
            error, errors.NoCredentialsError | errors.PartialCredentialsError
        ):
            return no_secret()
        if isinstance(error, errors.ParamValidationError):
            return judge_code(MessageProblem.REQUEST, reason)
        if isinstance(
            error, errors.EndpointConnectionError | errors.ConnectTimeoutError
        ):
            return judge_code(MessageProblem.CONNECTION, reason)
        return judge_code(MessageProblem.PROVIDER, reason)

    def _of_answer(self, response: Mapping[str, Any]) -> Verdict:
        """Judge an answer that is no success, as those of other providers are."""
        status = look_up(response, "ResponseMetadata.HTTPStatusCode")
        headers = look_up(response, "ResponseMetadata.HTTPHeaders")
        code = text_at(response, "Error.Code")
        detail = text_at(response, "Reason") or code
        usual = _CODES.get(code or "", MessageProblem.PROVIDER)
        reply = HttpReply(fate="answered", status=status or 0, headers=headers or {})
        return judge_answer(
            reply,
            None if code == str(status) else detail,  # botocore's word for no code
            success=(),
            problem_of=lambda said: _CODES.get(said, usual),
            now=self._clock(),
        )

    def query(
        self, message: Message, *, provider_message_id: str | None, sent_on: dt.date
    ) -> MessageReceipt | None:
        """Return None: AWS answers no questions about a message."""
        del message, provider_message_id, sent_on
        return None

    def parse_receipts(self, request: ReceiptRequest) -> tuple[MessageReceipt, ...]:
        """Read events of an event destination, as raw JSON without an envelope."""
        return read_each(
            read_document(request.body),
            self._event,
            wrong="an event has 'messageId' and a known 'eventType'; this is none",
        )

    def _event(self, item: dict[str, Any]) -> MessageReceipt | None:
        word = text_at(item, "eventType") or ""
        sid = plain_id(text_at(item, "messageId"))
        if word not in _EVENTS or not sid:
            return None
        status, problem = _EVENTS[word]
        moment = read_number(item.get("eventTimestamp"), most=10**13)
        return MessageReceipt(
            provider=self.name,
            status=status,
            message_id=text_at(item, "context.message_id"),
            provider_message_id=sid,
            at=None
            if moment is None
            else dt.datetime.fromtimestamp(moment / 1000, dt.UTC),
            problem=problem,
            raw_code=word,
        )

    def verify_receipt(self, request: ReceiptRequest) -> bool:
        """Tell whether the address carries the token that only we two know."""
        return carries_token(request, self._receipt_token)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        if self._http is not None:
            self._http.close()


@attrs.frozen
class _Carrier:
    """Carries the requests that boto3 signed, each once, and within the limits."""

    http: HttpClient

    def __call__(self, request: Any, **_: Any) -> Any:
        """Make a request, and give boto3 the answer to read."""
        from botocore.awsrequest import AWSResponse

        headers = {
            name: value.decode("latin-1") if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        content = request.body or b""
        reply = self.http.request(
            request.method,
            request.url,
            headers=headers,
            content=content.encode() if isinstance(content, str) else content,
        )
        if reply.fate != "answered":
            raise _UnansweredError(reply)
        return AWSResponse(request.url, reply.status, reply.headers, _Whole(reply.body))


@attrs.frozen
class _Whole:
    """A body that is there already, as boto3 reads one."""

    body: bytes = attrs.field(repr=False)

    def stream(self, **_: Any) -> Iterator[bytes]:
        """Give all of it."""
        yield self.body


class _UnansweredError(Exception):
    """What came instead of an answer."""

    def __init__(self, reply: HttpReply) -> None:
        super().__init__(reply.reason)
        self.reply = reply
