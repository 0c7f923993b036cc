"""Alibaba Cloud SMS (dysmsapi 2017-05-25)."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from memberops.adapters.sms.aliyun_codes import REPORT_CODES, problem_of_aliyun
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
)
from memberops.adapters.sms.receipt_token import carries_token
from memberops.adapters.sms.receipts import local_moment, read_each, read_number
from memberops.adapters.sms.recipients import at_home, day_of, requests_of, to_e164
from memberops.adapters.sms.secrets import secret_option
from memberops.adapters.sms.signing import form_encoded, sign_acs3
from memberops.adapters.sms.verdicts import (
    Verdict,
    judge_answer,
    judge_code,
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

__all__ = ["AliyunProvider"]

_BEIJING = dt.timezone(dt.timedelta(hours=8))
_SAME_TEXT_MOST = 1000  # SendSms
_OWN_TEXT_MOST = 100  # SendBatchSms
_PAGE = 50
_PAGES = 4
_BATCH = "batch:"
_STATUSES = {
    "1": ReceiptStatus.ACCEPTED,
    "2": ReceiptStatus.UNDELIVERED,
    "3": ReceiptStatus.DELIVERED,
}


class AliyunProvider:
    """
    One account at Alibaba Cloud SMS, requests signed by ACS3-HMAC-SHA256.

    By default each message is a request of its own with our id as ``OutId``, so that
    reports and queries name it even if the answer was lost. With a larger *batch_size*
    one request has up to 100 recipients, or up to 1000 if all have the same variables;
    all share one fate, and one ``OutId``, that of the batch. A recipient is then known
    by ``BizId`` and the last four digits of the phone, which ``provider_message_id``
    carries as ``BizId#1234``. So recipients whose last four digits are alike do not
    share a request: the second is postponed to the next one.

    Args:
        context: The chain's `SmsContext`.
        access_key_id: A secret, see `memberops.adapters.sms.secret_option`.
        access_key_secret: A secret.
        endpoint: Where requests go.
        batch_size: How many recipients a request has at most.
        receipt_token: A secret in the address at which reports arrive, as
            ``?token=…``: Alibaba Cloud does not sign them.
        limits: `HttpLimits`, or its fields as a table.
        clock: Gives the moment.
        nonce: Gives a text that no request had before.
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
        access_key_id: Any,
        access_key_secret: Any,
        endpoint: str = "https://dysmsapi.aliyuncs.com",
        batch_size: int = 1,
        receipt_token: Any = None,
        limits: HttpLimits | Mapping[str, Any] | None = None,
        clock: Callable[[], dt.datetime] = system_clock,
        nonce: Callable[[], str] = lambda: uuid.uuid4().hex,
        name: str = "aliyun",
    ) -> None:
        self.name = name_option(name)
        self._key_id = secret_option("access_key_id", access_key_id)
        self._key = secret_option("access_key_secret", access_key_secret)
        self._endpoint = check_url("endpoint", endpoint).rstrip("/")
        self._size = size_option("batch_size", batch_size, most=_SAME_TEXT_MOST)
        self._receipt_token = optional_secret("receipt_token", receipt_token)
        self._clock = clock
        self._nonce = nonce
        bounds = read_limits(context, limits)
        self.capabilities = SmsCapabilities(
            batch_size=self._size,
            mixed_size=min(self._size, _OWN_TEXT_MOST),
            group=at_home,
            longest_seconds=bounds.longest_seconds,
            queries=True,
            receipts=True,
            signed_receipts=self._receipt_token is not None,
            token_receipts=self._receipt_token is not None,
            echoes_id=self._size == 1,
            settle_seconds=120,
        )
        self._http = HttpClient(bounds)

    def __repr__(self) -> str:
        """Show the name alone."""
        return f"AliyunProvider(name={self.name!r})"

    def send(
        self, messages: Sequence[Message], *, template: MessageTemplate
    ) -> tuple[SendResult, ...]:
        """Send what one request takes; see `SmsProvider.send`. The rest waits."""
        results: dict[str, SendResult] = {}
        known: list[tuple[Message, str]] = []
        bad_number = judge_code(MessageProblem.INVALID_NUMBER, "phone")
        # A message that is given twice leaves once.
        for message in {one.message_id: one for one in messages}.values():
            phone = _as_aliyun(to_e164(message.phone))
            if not template.code:
                refusal = judge_code(MessageProblem.TEMPLATE, "no template code")
                results[message.message_id] = refusal.of(message)
            elif phone is None:
                results[message.message_id] = bad_number.of(message)
            else:
                known.append((message, phone))
        same = len({message.variables for message, _ in known}) == 1
        size = self._size if same else min(self._size, _OWN_TEXT_MOST)
        # Mainland numbers and others do not share a request, nor do batches.
        requests = requests_of(
            known,
            size=size,
            alike=lambda message, _: (message.batch_id, at_home(message)),
        )
        for request in requests[:1]:
            verdict, biz_id = self._send_request(request, template)
            for message, phone in request:
                own = plain_id(biz_id, phone=message.phone)
                results[message.message_id] = verdict.of(
                    message, provider_message_id=own and f"{own}#{phone[-4:]}"
                )
        for message in (one for request in requests[1:] for one, _ in request):
            results[message.message_id] = next_request().of(message)
        return tuple(results[message.message_id] for message in messages)

    def _send_request(
        self, request: list[tuple[Message, str]], template: MessageTemplate
    ) -> tuple[Verdict, str | None]:
        first = request[0][0]
        # Our id where it is the only one, so that what comes back names the message.
        alone = self._size == 1
        query = {
            "TemplateCode": template.code,
            "OutId": first.message_id if alone else f"{_BATCH}{first.batch_id}",
        }
        form: dict[str, str] = {}
        if len({message.variables for message, _ in request}) == 1:
            action = "SendSms"
            query["PhoneNumbers"] = ",".join(phone for _, phone in request)
            query["SignName"] = template.signature
            if first.variables:
                query["TemplateParam"] = _json(dict(first.variables))
        else:
            action = "SendBatchSms"
            form["PhoneNumberJson"] = _json([phone for _, phone in request])
            form["SignNameJson"] = _json([template.signature] * len(request))
            form["TemplateParamJson"] = _json(
                [dict(message.variables) for message, _ in request]
            )
        try:
            reply = self._call(action, query, form)
        except ConfigurationError:
            return no_secret(), None
        document = read_document(reply.body)
        verdict = judge_answer(
            reply,
            text_at(document, "Code"),
            success={"OK"},
            problem_of=problem_of_aliyun,
            now=self._clock(),
        )
        accepted = verdict.outcome is SendOutcome.ACCEPTED
        return verdict, text_at(document, "BizId") if accepted else None

    def _call(
        self, action: str, query: Mapping[str, str], form: Mapping[str, str]
    ) -> HttpReply:
        body = form_encoded(form).encode()
        headers = {
            "Host": urlsplit(self._endpoint).netloc,
            "x-acs-action": action,
            "x-acs-version": "2017-05-25",
            "x-acs-date": self._clock()
            .astimezone(dt.UTC)
            .strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": self._nonce(),
            "x-acs-content-sha256": sha256(body).hexdigest(),
        }
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        headers["Authorization"] = sign_acs3(
            key_id=self._key_id.reveal(),
            key=self._key.reveal(),
            method="POST",
            path="/",
            query=query,
            headers=headers,
            body=body,
        )
        url = f"{self._endpoint}/?{form_encoded(query)}"
        return self._http.request("POST", url, headers=headers, content=body)

    def query(
        self, message: Message, *, provider_message_id: str | None, sent_on: dt.date
    ) -> MessageReceipt | None:
        """
        Look through what this phone was sent; see `SmsProvider.query`.

        Alibaba Cloud asks for a day of Beijing; the day of the attempt in UTC has
        parts of two.
        """
        phone = _as_aliyun(to_e164(message.phone))
        if phone is None:
            return None
        sent_on = day_of(sent_on)
        today = self._clock().astimezone(_BEIJING).date()
        found: list[dict[str, Any]] = []
        for day in (sent_on, sent_on + dt.timedelta(days=1)):
            if day > today and day != sent_on:
                continue
            details = self._details(phone, day, provider_message_id)
            if details is None:
                return None
            found += [
                detail
                for detail in details
                if text_at(detail, "OutId")
                in {message.message_id, f"{_BATCH}{message.batch_id}"}
            ]
        if len(found) > 1:  # a phone that a batch has twice
            return None
        if not found:
            return MessageReceipt(
                provider=self.name,
                status=ReceiptStatus.NOT_FOUND,
                message_id=message.message_id,
            )
        status = _STATUSES.get(text_at(found[0], "SendStatus") or "")
        if status is None or not (provider_message_id or _says(found[0], message)):
            return None
        return self._receipt(
            status,
            text_at(found[0], "ErrCode"),
            at=local_moment(text_at(found[0], "ReceiveDate"), _BEIJING),
            message_id=message.message_id,
            provider_message_id=provider_message_id,
        )

    def _details(
        self, phone: str, day: dt.date, provider_message_id: str | None
    ) -> list[dict[str, Any]] | None:
        """Return all that a phone was sent on a day, None if that is not known."""
        query = {
            "PhoneNumber": phone,
            "SendDate": f"{day:%Y%m%d}",
            "PageSize": str(_PAGE),
        }
        if provider_message_id:
            query["BizId"] = provider_message_id.partition("#")[0]
        details: list[dict[str, Any]] = []
        for page in range(1, _PAGES + 1):
            try:
                reply = self._call(
                    "QuerySendDetails", query | {"CurrentPage": str(page)}, {}
                )
            except ConfigurationError:
                return None
            document = read_document(reply.body) if reply.status == 200 else None  # noqa: PLR2004 - as HTTP says
            rows = look_up(document, "SmsSendDetailDTOs.SmsSendDetailDTO")
            total = read_number(look_up(document, "TotalCount"))
            if text_at(document, "Code") != "OK" or total is None:
                return None
            if not isinstance(rows, list | None):
                return None
            details += [row for row in rows or () if isinstance(row, dict)]
            if len(details) >= total:
                return details
        return None

    def _receipt(
        self,
        status: ReceiptStatus,
        code: str | None,
        *,
        at: dt.datetime | None,
        message_id: str | None,
        provider_message_id: str | None,
    ) -> MessageReceipt:
        problem = None
        if status is ReceiptStatus.UNDELIVERED:
            problem = REPORT_CODES.get(code or "", MessageProblem.CARRIER)
        return MessageReceipt(
            provider=self.name,
            status=status,
            message_id=message_id,
            provider_message_id=provider_message_id,
            at=at,
            problem=problem,
            raw_code=plain_code(code) if code else "",
        )

    def parse_receipts(self, request: ReceiptRequest) -> tuple[MessageReceipt, ...]:
        """
        Read the reports of ``SmsReport``; see `SmsProvider.parse_receipts`.

        Answer them with ``{"code": 0, "msg": "接收成功"}``, or they come again.
        """
        return read_each(
            read_document(request.body),
            self._report,
            wrong="a report has 'success', 'biz_id' and 'phone_number'; this is none",
        )

    def _report(self, item: dict[str, Any]) -> MessageReceipt | None:
        phone = text_at(item, "phone_number")
        biz_id = plain_id(text_at(item, "biz_id"), phone=phone or "")
        delivered = item.get("success")
        if not isinstance(delivered, bool) or not biz_id or not phone:
            return None
        own = text_at(item, "out_id")
        return self._receipt(
            ReceiptStatus.DELIVERED if delivered else ReceiptStatus.UNDELIVERED,
            text_at(item, "err_code"),
            at=local_moment(text_at(item, "report_time"), _BEIJING),
            message_id=None if own and own.startswith(_BATCH) else own,
            provider_message_id=f"{biz_id}#{phone[-4:]}",
        )

    def verify_receipt(self, request: ReceiptRequest) -> bool:
        """Tell whether the address carries the token that only we two know."""
        return carries_token(request, self._receipt_token)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _says(detail: Mapping[str, Any], message: Message) -> bool:
    """Tell whether a detail has the id or, of a batch, the values of a message."""
    if text_at(detail, "OutId") == message.message_id:
        return True
    content = text_at(detail, "Content") or ""
    return all(value in content for _, value in message.variables)


def _as_aliyun(phone: str | None) -> str | None:
    """
    Write E.164 as Alibaba Cloud does: mainland bare, others without the plus.

    North America is refused: +1 310… without its plus is a mainland mobile.
    """
    if phone is None or phone.startswith("+1"):
        return None
    return phone.removeprefix("+86").removeprefix("+")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
