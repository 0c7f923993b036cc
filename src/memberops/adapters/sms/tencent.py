"""Tencent Cloud SMS (sms 2021-01-11)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

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
    size_option,
    system_clock,
    text_option,
)
from memberops.adapters.sms.receipt_token import carries_token
from memberops.adapters.sms.receipts import local_moment, read_each, read_number
from memberops.adapters.sms.recipients import at_home, day_of, requests_of, to_e164
from memberops.adapters.sms.secrets import secret_option
from memberops.adapters.sms.signing import sign_tc3
from memberops.adapters.sms.tencent_codes import problem_of_report, problem_of_tencent
from memberops.adapters.sms.verdicts import (
    Verdict,
    judge_answer,
    judge_code,
    next_request,
    no_secret,
    plain_code,
    plain_id,
    read_document,
    unread,
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

__all__ = ["TencentProvider"]

_BEIJING = dt.timezone(dt.timedelta(hours=8))
_MOST = 200
_STATUSES = {
    "SUCCESS": ReceiptStatus.DELIVERED,
    "FAIL": ReceiptStatus.UNDELIVERED,
}


class TencentProvider:
    """
    One account at Tencent Cloud SMS, requests signed by TC3-HMAC-SHA256.

    One request has one set of variables, and its answer has a code for each recipient.
    By default each message is a request of its own with our id as ``SessionContext``.
    A query can only be answered where the account may pull statuses and, if no
    ``SerialNo`` is known, where it echoes ``SessionContext``; both are switched on by
    Tencent's support. It lists what carriers reported, so what it does not list is
    not thereby unsent, and ``not_found`` is never the answer.

    Args:
        context: The chain's `SmsContext`.
        secret_id: A secret, see `memberops.adapters.sms.secret_option`.
        secret_key: A secret.
        app_id: The ``SmsSdkAppId``.
        region: Such as ``ap-guangzhou``.
        endpoint: Where requests go.
        batch_size: How many recipients a request has at most, up to 200.
        receipt_token: A secret in the address at which reports arrive, as
            ``?token=…``: Tencent Cloud does not sign them.
        limits: `HttpLimits`, or its fields as a table.
        clock: Gives the moment.
        name: What the outbox and receipts call this account; give each account of
            one provider its own.

    Raises:
        ConfigurationError: An option is wrong, or a secret is written down.
        MissingExtraError: The extra ``sms`` is not installed.
    """

    def __init__(
        self,
        context: SmsContext,
        *,
        secret_id: Any,
        secret_key: Any,
        app_id: str,
        region: str = "ap-guangzhou",
        endpoint: str = "https://sms.tencentcloudapi.com",
        batch_size: int = 1,
        receipt_token: Any = None,
        limits: HttpLimits | Mapping[str, Any] | None = None,
        clock: Callable[[], dt.datetime] = system_clock,
        name: str = "tencent",
    ) -> None:
        self.name = name_option(name)
        self._key_id = secret_option("secret_id", secret_id)
        self._key = secret_option("secret_key", secret_key)
        self._app_id = text_option("app_id", app_id, example="1400006666")
        self._region = text_option("region", region, example="ap-guangzhou")
        self._endpoint = check_url("endpoint", endpoint).rstrip("/")
        self._size = size_option("batch_size", batch_size, most=_MOST)
        self._receipt_token = optional_secret("receipt_token", receipt_token)
        self._clock = clock
        bounds = read_limits(context, limits)
        self.capabilities = SmsCapabilities(
            batch_size=self._size,
            group=at_home,
            longest_seconds=bounds.longest_seconds,
            queries=True,
            queries_reports=True,
            receipts=True,
            signed_receipts=self._receipt_token is not None,
            token_receipts=self._receipt_token is not None,
            same_text=True,
            settle_seconds=120,
        )
        self._http = HttpClient(bounds)

    def __repr__(self) -> str:
        """Show the name alone."""
        return f"TencentProvider(name={self.name!r})"

    def send(
        self, messages: Sequence[Message], *, template: MessageTemplate
    ) -> tuple[SendResult, ...]:
        """Send what one request takes; see `SmsProvider.send`. The rest waits."""
        results: dict[str, SendResult] = {}
        known: list[tuple[Message, str]] = []
        bad_number = judge_code(MessageProblem.INVALID_NUMBER, "phone")
        # A message that is given twice leaves once.
        for message in {one.message_id: one for one in messages}.values():
            phone = to_e164(message.phone)
            if not template.code:
                refusal = judge_code(MessageProblem.TEMPLATE, "no template code")
                results[message.message_id] = refusal.of(message)
            elif phone is None:
                results[message.message_id] = bad_number.of(message)
            else:
                known.append((message, phone))
        requests = requests_of(
            known,
            size=self._size,
            alike=lambda message, _: (
                message.batch_id,
                message.variables,
                at_home(message),
            ),
        )
        for request in requests[:1]:
            for message, result in self._send_request(request, template):
                results[message.message_id] = result
        for message in (one for request in requests[1:] for one, _ in request):
            results[message.message_id] = next_request().of(message)
        return tuple(results[message.message_id] for message in messages)

    def _send_request(
        self, request: list[tuple[Message, str]], template: MessageTemplate
    ) -> list[tuple[Message, SendResult]]:
        first = request[0][0]
        asked: dict[str, Any] = {
            "PhoneNumberSet": [phone for _, phone in request],
            "SmsSdkAppId": self._app_id,
            "TemplateId": template.code,
            "SignName": template.signature,
            "TemplateParamSet": [value for _, value in first.variables],
            "SessionContext": first.message_id
            if self._size == 1
            else f"batch:{first.batch_id}",
        }
        try:
            reply = self._call("SendSms", asked)
        except ConfigurationError:
            return [(message, no_secret().of(message)) for message, _ in request]
        document = look_up(read_document(reply.body), "Response")
        rows = look_up(document, "SendStatusSet")
        error = text_at(document, "Error.Code")
        whole = self._judge(
            reply, error or ("Ok" if isinstance(rows, list) and rows else None)
        )
        if whole.outcome is not SendOutcome.ACCEPTED:
            return [(message, whole.of(message)) for message, _ in request]
        return [
            (message, self._of_recipient(message, phone, reply, rows))
            for message, phone in request
        ]

    def _judge(self, reply: HttpReply, code: str | None) -> Verdict:
        return judge_answer(
            reply,
            code,
            success={"Ok"},
            problem_of=problem_of_tencent,
            now=self._clock(),
        )

    def _of_recipient(
        self, message: Message, phone: str, reply: HttpReply, rows: Any
    ) -> SendResult:
        """Find the recipient's own row: exactly one, or nothing is known."""
        some = rows if isinstance(rows, list) else []
        own = [row for row in some if text_at(row, "PhoneNumber") == phone]
        if len(own) != 1:
            return unread("no status").of(message)
        verdict = self._judge(reply, text_at(own[0], "Code"))
        if verdict.outcome is not SendOutcome.ACCEPTED:
            return verdict.of(message)
        return verdict.of(
            message,
            provider_message_id=plain_id(
                text_at(own[0], "SerialNo"), phone=message.phone
            ),
            segments=read_number(look_up(own[0], "Fee")),
        )

    def _call(self, action: str, document: Mapping[str, Any]) -> HttpReply:
        body = json.dumps(document).encode()
        host = urlsplit(self._endpoint).netloc
        at = self._clock()
        headers = {
            "Host": host,
            "Content-Type": "application/json",
            "X-TC-Action": action,
            "X-TC-Version": "2021-01-11",
            "X-TC-Region": self._region,
            "X-TC-Timestamp": str(int(at.timestamp())),
            "Authorization": sign_tc3(
                key_id=self._key_id.reveal(),
                key=self._key.reveal(),
                service="sms",
                host=host,
                content_type="application/json",
                body=body,
                at=at,
            ),
        }
        url = f"{self._endpoint}/"
        return self._http.request("POST", url, headers=headers, content=body)

    def query(
        self, message: Message, *, provider_message_id: str | None, sent_on: dt.date
    ) -> MessageReceipt | None:
        """Look through what carriers reported of this phone; see the class."""
        phone = to_e164(message.phone)
        if phone is None:
            return None
        begin = dt.datetime.combine(day_of(sent_on), dt.time(), dt.UTC)
        end = min(begin + dt.timedelta(days=3), self._clock())
        asked = {
            "BeginTime": int(begin.timestamp()),
            "EndTime": int(end.timestamp()),
            "Offset": 0,
            "Limit": 100,
            "PhoneNumber": phone,
            "SmsSdkAppId": self._app_id,
        }
        try:
            reply = self._call("PullSmsSendStatusByPhoneNumber", asked)
        except ConfigurationError:
            return None
        document = read_document(reply.body) if reply.status == 200 else None  # noqa: PLR2004 - as HTTP says
        rows = look_up(document, "Response.PullSmsSendStatusSet")
        for row in rows if isinstance(rows, list) else ():
            status = _STATUSES.get(text_at(row, "ReportStatus") or "")
            serial = text_at(row, "SerialNo")
            named = text_at(row, "SessionContext") == message.message_id
            if status and (serial == provider_message_id if serial and
                           provider_message_id else named):  # fmt: skip
                return MessageReceipt(
                    provider=self.name,
                    status=status,
                    message_id=message.message_id,
                    provider_message_id=serial,
                    at=_moment(look_up(row, "UserReceiveTime")),
                    problem=MessageProblem.CARRIER
                    if status is ReceiptStatus.UNDELIVERED
                    else None,
                )
        return None

    def parse_receipts(self, request: ReceiptRequest) -> tuple[MessageReceipt, ...]:
        """
        Read the pushed reports; see `SmsProvider.parse_receipts`.

        Answer them with ``{"result": 0, "errmsg": "OK"}``, or they come again.
        """
        return read_each(
            read_document(request.body),
            self._report,
            wrong="a report has 'report_status' and 'sid'; this is none",
        )

    def _report(self, item: dict[str, Any]) -> MessageReceipt | None:
        status = _STATUSES.get(text_at(item, "report_status") or "")
        serial = plain_id(text_at(item, "sid"))
        if status is None or not serial:
            return None
        code = text_at(item, "errmsg")
        return MessageReceipt(
            provider=self.name,
            status=status,
            provider_message_id=serial,
            at=local_moment(text_at(item, "user_receive_time"), _BEIJING),
            problem=problem_of_report(code or "")
            if status is ReceiptStatus.UNDELIVERED
            else None,
            raw_code=plain_code(code) if code else "",
        )

    def verify_receipt(self, request: ReceiptRequest) -> bool:
        """Tell whether the address carries the token that only we two know."""
        return carries_token(request, self._receipt_token)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _moment(value: Any) -> dt.datetime | None:
    """Read seconds since 1970; 0 stands where nothing was received."""
    seconds = read_number(value) or 0
    return dt.datetime.fromtimestamp(seconds, dt.UTC) if seconds else None
