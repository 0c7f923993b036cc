"""How Tencent Cloud SMS speaks (sms 2021-01-11), for a faulty gateway."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

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
from memberops.testing.gateway_signatures import (
    canonical_request,
    is_fresh,
    mac_chain,
    same,
    signed_fields,
)

__all__ = ["TencentDialect"]

_BEIJING = dt.timezone(dt.timedelta(hours=8))
_MOST = 200
_CODES: Mapping[MessageProblem, str] = {
    MessageProblem.THROTTLED: "LimitExceeded.PhoneNumberThirtySecondLimit",
    MessageProblem.INVALID_NUMBER: "InvalidParameterValue.IncorrectPhoneNumber",
}
_WORDS = {ReceiptStatus.DELIVERED: "SUCCESS", ReceiptStatus.UNDELIVERED: "FAIL"}
_CARRIERS = {ReceiptStatus.DELIVERED: "DELIVRD", ReceiptStatus.UNDELIVERED: "UNDELIV"}


@attrs.frozen(kw_only=True)
class TencentDialect:
    """
    ``SendSms`` and ``PullSmsSendStatusByPhoneNumber``, signed by TC3-HMAC-SHA256.

    The key is the SecretKey, and the token in the address of reports. Each recipient
    has a row, a code and a ``SerialNo`` of its own, all with status 200. A query lists
    what carriers reported, and nothing else.

    Source: the API reference of the two actions (such as
    tencentcloud.com/document/product/382/40518), 382/43547 (reports), and what the
    official SDK 3.1.153 sends. Read in November 2026.

    Args:
        receipt_url: Where reports are pushed, without the token.
    """

    receipt_url: str = "https://office.example/sms/receipts"

    def read(self, request: GatewayRequest, key: str) -> GatewayQuestion | None:
        """Return what a request asks for; None if it is no action of these."""
        if request.method != "POST" or request.target != "/":
            return None
        try:
            asked = json.loads(request.body)
            question = _READERS[request.headers.get("x-tc-action", "")](asked)
        except (KeyError, ValueError, TypeError, AttributeError):
            return None
        return attrs.evolve(question, authorized=_proven(request, key))

    def answer(
        self,
        question: GatewayQuestion,
        ids: Sequence[str | None],
        problem: MessageProblem,
    ) -> GatewayAnswer:
        """Answer with a row for each recipient."""
        rows = []
        for sent, own in zip(question.sends, ids, strict=True):
            phone, session = sent.notes
            taken = own is not None
            rows.append(
                {
                    "SerialNo": _serial(own) if own else "",
                    "PhoneNumber": phone,
                    "Fee": int(taken),
                    "SessionContext": session,
                    "Code": "Ok" if taken else _CODES[problem],
                    "Message": "send success" if taken else "not sent",
                    "IsoCode": "CN",
                }
            )
        return _said(SendStatusSet=rows)

    def stranger(self) -> GatewayAnswer:
        """Answer that the signature does not hold."""
        code = "AuthFailure.SignatureFailure"
        return _said(Error={"Code": code, "Message": "the signature is wrong"})

    def found(
        self, question: GatewayQuestion, reports: Sequence[GatewayReport]
    ) -> GatewayAnswer:
        """List what carriers reported of a phone."""
        asked: dict[str, Any] = question.notes
        rows = [
            {
                "UserReceiveTime": int(report.taken_at.timestamp()),
                "CountryCode": "86",
                "SubscriberNumber": _national(report),
                "PhoneNumber": report.sent.notes[0],
                "SerialNo": _serial(report.provider_message_id),
                "ReportStatus": _WORDS[report.status],
                "Description": _CARRIERS[report.status],
                "SessionContext": report.sent.notes[1],
            }
            for report in reports
            if report.status in _WORDS
            # the second in which it was taken belongs to the time that is asked for
            and asked["BeginTime"] - 1
            <= report.taken_at.timestamp()
            <= asked["EndTime"] + 1
        ]
        first = asked["Offset"]
        return _said(PullSmsSendStatusSet=rows[first : first + asked["Limit"]])

    def receipts(
        self, reports: Sequence[GatewayReport], key: str
    ) -> tuple[ReceiptRequest, ...]:
        """Return one request with all reports of what carriers reported."""
        rows = [
            {
                "user_receive_time": f"{each.taken_at.astimezone(_BEIJING):%F %T}",
                "nationcode": "86",
                "mobile": _national(each),
                "report_status": _WORDS[each.status],
                "errmsg": _CARRIERS[each.status],
                "description": "",
                "sid": _serial(each.provider_message_id),
            }
            for each in reports
            if each.status in _WORDS
        ]
        if not rows:
            return ()
        request = ReceiptRequest(
            url=f"{self.receipt_url}?token={quote(key, safe='')}",
            headers={"Content-Type": "application/json"},
            body=json.dumps(rows).encode(),
        )
        return (request,)


def _proven(request: GatewayRequest, key: str) -> bool:
    given = signed_fields(request, "TC3-HMAC-SHA256")
    names = given.get("SignedHeaders", "").split(";")
    stamp = request.headers.get("x-tc-timestamp", "")
    if not {"content-type", "host"} <= set(names) or not stamp.isdecimal():
        return False
    moment = dt.datetime.fromtimestamp(int(stamp), dt.UTC)
    day = f"{moment:%Y-%m-%d}"
    scope = f"{day}/sms/tc3_request"
    if given["Credential"].partition("/")[2] != scope or not is_fresh(moment):
        return False
    text = f"TC3-HMAC-SHA256\n{stamp}\n{scope}\n{canonical_request(request, names)}"
    wanted = mac_chain(f"TC3{key}", day, "sms", "tc3_request", text)
    return same(given["Signature"], wanted)


def _send(asked: Mapping[str, Any]) -> GatewayQuestion:
    phones: list[str] = asked["PhoneNumberSet"]
    wanted = [asked["SmsSdkAppId"], asked["SignName"], asked["TemplateId"]]
    if not all(wanted) or not 1 <= len(phones) <= _MOST:
        raise ValueError
    text = " ".join([*wanted[1:], *asked.get("TemplateParamSet", ())])
    session = asked.get("SessionContext", "")
    sends = tuple(
        SentMessage.of(
            session if len(phones) == 1 else "", phone, text, notes=(phone, session)
        )
        for phone in phones
    )
    return GatewayQuestion(sends=sends)


def _query(asked: Mapping[str, Any]) -> GatewayQuestion:
    numbers = [asked[name] for name in ("BeginTime", "EndTime", "Offset", "Limit")]
    if not all(isinstance(number, int) for number in numbers) or numbers[3] > 100:  # noqa: PLR2004 - the service's limit
        raise ValueError
    return GatewayQuestion(
        asks_phone=phone_digest(asked["PhoneNumber"]), notes=dict(asked)
    )


_READERS = {"SendSms": _send, "PullSmsSendStatusByPhoneNumber": _query}


def _serial(own: str) -> str:
    return f"5000:{hashlib.md5(own.encode(), usedforsecurity=False).hexdigest()}"


def _national(report: GatewayReport) -> str:
    phone, _ = report.sent.notes or ("+8613800138000", "")
    return str(phone).removeprefix("+86")


def _said(**fields: Any) -> GatewayAnswer:
    content = {"Response": fields | {"RequestId": "a0aabda6"}}
    return GatewayAnswer(body=json.dumps(content).encode())
