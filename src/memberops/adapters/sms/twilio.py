"""Twilio (API 2010-04-01): one message in one request."""

from __future__ import annotations

import datetime as dt
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from memberops.adapters.sms.contract import (
    ReceiptRequest,
    SmsCapabilities,
    SmsContext,
)
from memberops.adapters.sms.http import HttpClient, HttpLimits, HttpReply, check_url
from memberops.adapters.sms.json_paths import look_up, text_at
from memberops.adapters.sms.options import name_option, read_limits, system_clock
from memberops.adapters.sms.receipts import header, read_number, rfc_moment
from memberops.adapters.sms.recipients import day_of, to_e164
from memberops.adapters.sms.secrets import secret_option
from memberops.adapters.sms.signing import matches_twilio
from memberops.adapters.sms.twilio_codes import problem_of_twilio
from memberops.adapters.sms.verdicts import (
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
from memberops.errors import ConfigurationError, SourceError

__all__ = ["TwilioProvider"]

_ACCOUNT = re.compile(r"AC[0-9a-f]{32}")
_SERVICE = re.compile(r"MG[0-9a-f]{32}")
_SID = re.compile(r"(?:SM|MM)[0-9a-f]{32}")
_PAGE = 200
_SKEW = dt.timedelta(seconds=30)  # between Twilio's clock, in whole seconds, and ours
_SOON = dt.timedelta(minutes=30)  # a claim and a request last less
_STATUSES = {
    "accepted": ReceiptStatus.ACCEPTED,
    "scheduled": ReceiptStatus.ACCEPTED,
    "queued": ReceiptStatus.ACCEPTED,
    "sending": ReceiptStatus.ACCEPTED,
    "sent": ReceiptStatus.ACCEPTED,
    "delivered": ReceiptStatus.DELIVERED,
    "read": ReceiptStatus.DELIVERED,
    "undelivered": ReceiptStatus.UNDELIVERED,
    "failed": ReceiptStatus.UNDELIVERED,
    "canceled": ReceiptStatus.UNDELIVERED,
}


class TwilioProvider:
    """
    One account at Twilio, with Basic authentication.

    Twilio keeps no id of ours. Where *callback* is given, our id goes into the address
    that Twilio calls, as ``?message_id=…``, which its signature covers, so receipts
    name the message. A query goes by Twilio's id; without one it goes by recipient,
    moment and text, and is not answered where that leaves a doubt.

    Args:
        context: The chain's `SmsContext`.
        account_sid: The account, ``AC…``; it is no secret.
        auth_token: A secret, see `memberops.adapters.sms.secret_option`.
        sender: A number in E.164, a short code or a name; or
        messaging_service: A service, ``MG…``.
        callback: Address of the host's own web server for receipts; empty for none.
        endpoint: Where requests go.
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
        account_sid: str,
        auth_token: Any,
        sender: str = "",
        messaging_service: str = "",
        callback: str = "",
        endpoint: str = "https://api.twilio.com",
        limits: HttpLimits | Mapping[str, Any] | None = None,
        clock: Callable[[], dt.datetime] = system_clock,
        name: str = "twilio",
    ) -> None:
        self.name = name_option(name)
        if not _ACCOUNT.fullmatch(str(account_sid)):
            raise ConfigurationError(
                "'account_sid' is AC and 32 digits or letters from a to f"
            )
        if messaging_service and not _SERVICE.fullmatch(str(messaging_service)):
            raise ConfigurationError(
                "'messaging_service' is MG and 32 digits or letters from a to f"
            )
        if bool(sender) == bool(messaging_service):
            raise ConfigurationError("give one of 'sender' and 'messaging_service'")
        self._account = account_sid
        self._token = secret_option("auth_token", auth_token)
        self._from = (
            {"From": str(sender)}
            if sender
            else {"MessagingServiceSid": str(messaging_service)}
        )
        self._callback = callback and check_url("callback", callback)
        base = check_url("endpoint", endpoint).rstrip("/")
        self._url = f"{base}/2010-04-01/Accounts/{account_sid}/Messages"
        self._clock = clock
        bounds = read_limits(context, limits)
        self.capabilities = SmsCapabilities(
            longest_seconds=bounds.longest_seconds,
            queries=True,
            receipts=bool(callback),
            signed_receipts=bool(callback),
            echoes_id=bool(callback),
            settle_seconds=120,
        )
        self._http = HttpClient(bounds)

    def __repr__(self) -> str:
        """Show the name alone."""
        return f"TwilioProvider(name={self.name!r})"

    def send(
        self, messages: Sequence[Message], *, template: MessageTemplate
    ) -> tuple[SendResult, ...]:
        """Send one message; see `SmsProvider.send`. More than one wait."""
        del template  # Twilio takes texts as they are
        sent = [self._send_one(message) for message in messages[:1]]
        later = [next_request().of(message) for message in messages[1:]]
        return (*sent, *later)

    def _send_one(self, message: Message) -> SendResult:
        phone = to_e164(message.phone)
        if phone is None:
            return judge_code(MessageProblem.INVALID_NUMBER, "phone").of(message)
        fields = {"To": phone, **self._from, "Body": message.text}
        if self._callback:
            joint = "&" if "?" in self._callback else "?"
            own = urlencode({"message_id": message.message_id})
            fields["StatusCallback"] = f"{self._callback}{joint}{own}"
        try:
            reply = self._call("POST", f"{self._url}.json", fields)
        except ConfigurationError:
            return no_secret().of(message)
        document = read_document(reply.body)
        sid = plain_id(text_at(document, "sid"), phone=phone)
        created = reply.status // 100 == 2  # noqa: PLR2004 - the class of success
        verdict = judge_answer(
            reply,
            ("created" if sid else None) if created else text_at(document, "code"),
            success={"created"},
            problem_of=problem_of_twilio,
            now=self._clock(),
        )
        if verdict.outcome is not SendOutcome.ACCEPTED:
            return verdict.of(message)
        return verdict.of(
            message,
            provider_message_id=sid,
            segments=read_number(look_up(document, "num_segments")) or None,
        )

    def _call(
        self, method: str, url: str, fields: Mapping[str, str] | None = None
    ) -> HttpReply:
        pair = f"{self._account}:{self._token.reveal()}"
        headers = {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        content = b""
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            content = urlencode(fields, errors="replace").encode()
        return self._http.request(method, url, headers=headers, content=content)

    def query(
        self, message: Message, *, provider_message_id: str | None, sent_on: dt.date
    ) -> MessageReceipt | None:
        """Ask by Twilio's id, else by recipient and days; see the class."""
        try:
            if provider_message_id:
                found = self._by_sid(provider_message_id)
            else:
                found = self._by_phone(message, sent_on)
        except ConfigurationError:
            return None
        if found is None:
            return None
        if not found:
            return MessageReceipt(
                provider=self.name,
                status=ReceiptStatus.NOT_FOUND,
                message_id=message.message_id,
            )
        sid = plain_id(text_at(found, "sid"), phone=message.phone)
        if sid is None:
            return None
        # What was found by the phone may be another message: only its id says which.
        return self._receipt(
            text_at(found, "status"),
            text_at(found, "error_code"),
            at=rfc_moment(look_up(found, "date_updated")),
            message_id=message.message_id if provider_message_id else None,
            provider_message_id=sid,
        )

    def _by_sid(self, sid: str) -> dict[str, Any] | None:
        """Fetch a message; empty if Twilio has none, None if that is not known."""
        if not _SID.fullmatch(sid):
            return None
        reply = self._call("GET", f"{self._url}/{sid}.json")
        document = read_document(reply.body)
        if reply.status == HTTPStatus.NOT_FOUND and text_at(document, "code") == (
            "20404"
        ):
            return {}
        whole = reply.status == HTTPStatus.OK and text_at(document, "sid") == sid
        return document if whole else None

    def _by_phone(self, message: Message, sent_on: dt.date) -> dict[str, Any] | None:
        """
        Find a message among all that a phone was sent; as `_by_sid` answers.

        Twilio's own filter by day passes over what still waits, so the moments are
        looked at here. The same text may have gone to the phone before, so only what
        Twilio made from the attempt on, and soon, can be it; where only the day is
        known, nothing can. A text can come back changed, by a trial account or by a
        shorter encoding: then other messages since leave the answer open.
        """
        phone = to_e164(message.phone)
        if phone is None:
            return None
        wanted = urlencode({"To": phone, "PageSize": str(_PAGE)})
        reply = self._call("GET", f"{self._url}.json?{wanted}")
        document = read_document(reply.body)
        rows = look_up(document, "messages")
        if reply.status != HTTPStatus.OK or not isinstance(rows, list):
            return None
        day = dt.timedelta(days=1)
        begun = sent_on if isinstance(sent_on, dt.datetime) else None
        first, last = day_of(sent_on) - day, day_of(sent_on) + day
        near, same = 0, []
        for row in rows:
            made = rfc_moment(look_up(row, "date_created"))
            if made is not None and begun is not None and made < begun - _SKEW:
                continue
            if made is not None and not first <= made.date() <= last:
                continue
            near += 1
            if look_up(row, "body") == message.text:
                soon = begun and made and made <= begun + _SOON
                same.append(row if soon else {})
        if len(same) == 1 and same[0]:
            return dict(same[0])
        return None if near or look_up(document, "next_page_uri") else {}

    def _receipt(
        self,
        word: str | None,
        code: str | None,
        *,
        at: dt.datetime | None,
        message_id: str | None,
        provider_message_id: str | None,
    ) -> MessageReceipt | None:
        status = _STATUSES.get(word or "")
        if status is None:
            return None
        problem = None
        if status is ReceiptStatus.UNDELIVERED:
            problem = problem_of_twilio(code or "")
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
        Read a status callback; see `SmsProvider.parse_receipts`.

        Answer it with status 204.
        """
        fields = dict(_form(request) or ())
        try:
            own = parse_qs(urlsplit(request.url).query).get("message_id", [])
        except ValueError:  # no address at all
            own = []
        sid = plain_id(fields.get("MessageSid") or fields.get("SmsSid"))
        receipt = None
        if sid:
            receipt = self._receipt(
                fields.get("MessageStatus") or fields.get("SmsStatus"),
                fields.get("ErrorCode"),
                at=None,  # a callback does not say when
                message_id=own[0] if len(own) == 1 else None,
                provider_message_id=sid,
            )
        if receipt is None:
            raise SourceError(
                "a callback has 'MessageSid' and a known 'MessageStatus'; this is none"
            )
        return (receipt,)

    def verify_receipt(self, request: ReceiptRequest) -> bool:
        """Tell whether ``X-Twilio-Signature`` is that of address and form."""
        fields = _form(request)
        return fields is not None and matches_twilio(
            header(request, "X-Twilio-Signature").strip(),
            token=self._token.reveal(),
            url=request.url,
            fields=fields,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _form(request: ReceiptRequest) -> list[tuple[str, str]] | None:
    """Read the form of a callback; None if it is too odd to be one."""
    try:
        text = request.body.decode()
        return parse_qsl(text, keep_blank_values=True, max_num_fields=200)
    except ValueError:
        return None
