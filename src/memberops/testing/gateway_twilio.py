"""How Twilio speaks (API 2010-04-01), for a faulty gateway."""

from __future__ import annotations

import datetime as dt
import hmac
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import attrs

from memberops.adapters.sms import ReceiptRequest
from memberops.domain.message import MessageProblem, ReceiptStatus
from memberops.testing.faulty_gateway_dialect import (
    GatewayQuestion,
    GatewayReport,
    SentMessage,
    phone_digest,
)
from memberops.testing.faulty_gateway_server import GatewayAnswer, GatewayRequest
from memberops.testing.gateway_signatures import same

__all__ = ["TwilioDialect"]

_PATH = re.compile(
    r"/2010-04-01/Accounts/(AC[0-9a-f]{32})/Messages(?:/(SM[0-9a-f]{32}))?\.json"
)
_CODES: Mapping[MessageProblem, tuple[int, int]] = {
    MessageProblem.THROTTLED: (429, 20429),
    MessageProblem.INVALID_NUMBER: (400, 21211),
}
_WORDS = {
    ReceiptStatus.ACCEPTED: "sent",
    ReceiptStatus.DELIVERED: "delivered",
    ReceiptStatus.UNDELIVERED: "undelivered",
}
_UNREACHABLE = 30003


@attrs.frozen(kw_only=True)
class TwilioDialect:
    """
    Creating, fetching and listing messages, with Basic authentication.

    The key is the account's auth token. Twilio keeps no id of ours: the gateway knows
    a message by ``message_id`` in the address of its callbacks, or else by the phone;
    see `FaultyGateway.expect`. Only who gave such an address gets callbacks, one for
    each status, signed as ``X-Twilio-Signature``.

    Source: Twilio's OpenAPI description (twilio_api_v2010.json, of 2026-04-14) and its
    page www.twilio.com/docs/usage/security, read in November 2026.

    Args:
        prefix: Comes before each text, as "Sent from your Twilio trial account - "
            does at a trial account: then no text comes back as it was sent.
    """

    prefix: str = ""

    def read(self, request: GatewayRequest, key: str) -> GatewayQuestion | None:
        """Return what a request asks for; None if it is none of the three."""
        parts = urlsplit(request.target)
        path = _PATH.fullmatch(parts.path)
        if path is None:
            return None
        authorized = _proven(request, path[1], key)
        if request.method == "POST" and not path[2]:
            form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
            whole = {"To", "Body"} <= set(form) and (
                "From" in form or "MessagingServiceSid" in form
            )
            if not whole:
                return None
            form["AccountSid"] = path[1]
            sent = _sent(form)
            form["Body"] = self.prefix + form["Body"]
            return GatewayQuestion(sends=(sent,), authorized=authorized)
        if request.method != "GET":
            return None
        if path[2]:
            own = f"G{int(path[2].removeprefix('SM'), 16):07}"
            return GatewayQuestion(asks=own, authorized=authorized)
        to = dict(parse_qsl(parts.query)).get("To", "")
        return GatewayQuestion(asks_phone=phone_digest(to), authorized=authorized)

    def answer(
        self,
        question: GatewayQuestion,
        ids: Sequence[str | None],
        problem: MessageProblem,
    ) -> GatewayAnswer:
        """Answer with the message that was made, or with a code and its status."""
        if ids[0] is None:
            return _error(*_CODES[problem])
        now = dt.datetime.now(dt.UTC)  # noqa: TID251 - a server has a clock
        made = _resource(ids[0], question.sends[0].notes, "queued", now)
        return _said(made, status=201)

    def stranger(self) -> GatewayAnswer:
        """Answer that authentication failed."""
        return _error(401, 20003)

    def found(
        self, question: GatewayQuestion, reports: Sequence[GatewayReport]
    ) -> GatewayAnswer:
        """Answer with a message, or with the list of all that a phone was sent."""
        made = [
            _resource(
                report.provider_message_id,
                report.sent.notes,
                _WORDS[report.status],
                report.taken_at,
            )
            for report in reports
        ]
        if question.asks_phone:
            return _said({"messages": made[::-1], "next_page_uri": None})
        return _said(made[0]) if made else _error(404, 20404)

    def receipts(
        self, reports: Sequence[GatewayReport], key: str
    ) -> tuple[ReceiptRequest, ...]:
        """Return a signed callback for each report of who asked for it."""
        return tuple(
            _callback(report, key)
            for report in reports
            if (report.sent.notes or {}).get("StatusCallback")
        )


def _proven(request: GatewayRequest, account: str, key: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    try:
        pair = b64decode(given, validate=True).decode()
    except ValueError:
        return False
    return scheme == "Basic" and same(pair, f"{account}:{key}")


def _sent(form: dict[str, str]) -> SentMessage:
    callback = urlsplit(form.get("StatusCallback", ""))
    own = parse_qs(callback.query).get("message_id", [""])
    return SentMessage.of(own[0], form["To"], form["Body"], notes=form)


def _sid(own: str) -> str:
    return f"SM{int(own.removeprefix('G')):032x}"


def _resource(
    own: str, form: Mapping[str, str], word: str, moment: dt.datetime
) -> dict[str, Any]:
    at = format_datetime(moment.replace(microsecond=0), usegmt=True)
    return {
        "sid": _sid(own),
        "account_sid": form["AccountSid"],
        "to": form["To"],
        "from": form.get("From"),
        "body": form["Body"],
        "status": word,
        "num_segments": "1",
        "error_code": _UNREACHABLE if word == "undelivered" else None,
        "date_created": at,
        "date_updated": at,
    }


def _callback(report: GatewayReport, key: str) -> ReceiptRequest:
    form: dict[str, str] = report.sent.notes
    word, sid = _WORDS[report.status], _sid(report.provider_message_id)
    fields = {
        "AccountSid": form["AccountSid"],
        "MessageSid": sid,
        "SmsSid": sid,
        "To": form["To"],
        "MessageStatus": word,
        "SmsStatus": word,
    }
    if word == "undelivered":
        fields["ErrorCode"] = str(_UNREACHABLE)
    url = form["StatusCallback"]
    text = url + "".join(name + fields[name] for name in sorted(fields))
    code = hmac.digest(key.encode(), text.encode(), "sha1")
    return ReceiptRequest(
        url=url,
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": b64encode(code).decode(),
        },
        body=urlencode(fields).encode(),
    )


def _error(status: int, code: int) -> GatewayAnswer:
    return _said({"code": code, "message": "no", "status": status}, status=status)


def _said(content: object, status: int = 200) -> GatewayAnswer:
    return GatewayAnswer(body=json.dumps(content).encode(), status=status)
