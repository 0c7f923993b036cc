"""How Alibaba Cloud SMS speaks (dysmsapi 2017-05-25), for a faulty gateway."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote

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

__all__ = ["AliyunDialect"]

_BEIJING = dt.timezone(dt.timedelta(hours=8))
_CODES: Mapping[MessageProblem, str] = {
    MessageProblem.THROTTLED: "isv.BUSINESS_LIMIT_CONTROL",
    MessageProblem.INVALID_NUMBER: "isv.MOBILE_NUMBER_ILLEGAL",
}
_STATES = {
    ReceiptStatus.ACCEPTED: 1,
    ReceiptStatus.UNDELIVERED: 2,
    ReceiptStatus.DELIVERED: 3,
}
_ERRORS = {
    ReceiptStatus.ACCEPTED: "",
    ReceiptStatus.UNDELIVERED: "MOBILE_NOT_ON_SERVICE",
    ReceiptStatus.DELIVERED: "DELIVERED",
}
_SIGNED = {"host", "x-acs-action", "x-acs-version", "x-acs-date",
           "x-acs-signature-nonce", "x-acs-content-sha256"}  # fmt: skip


@attrs.define(kw_only=True)
class AliyunDialect:
    """
    ``SendSms``, ``SendBatchSms`` and ``QuerySendDetails``, signed by ACS3-HMAC-SHA256.

    The key is the AccessKey secret, and the token in the address of reports. A nonce
    that comes again is refused. A request has one ``BizId`` and one fate, a failure is
    told with status 200, and a report is pushed when the fate is known, not before.

    Source: the API reference of the three actions (such as
    help.aliyun.com/document_detail/419277.html), 101867 (``SmsReport``), and what the
    official SDK 4.6.0 sends. Read in November 2026.

    Args:
        receipt_url: Where reports are pushed, without the token.
    """

    receipt_url: str = "https://office.example/sms/receipts"
    _nonces: set[str] = attrs.field(factory=set, init=False, repr=False)
    _lock: threading.Lock = attrs.field(
        factory=threading.Lock, init=False, repr=False, eq=False
    )

    def read(self, request: GatewayRequest, key: str) -> GatewayQuestion | None:
        """Return what a request asks for; None if it is no action of these."""
        path, _, query = request.target.partition("?")
        action = request.headers.get("x-acs-action", "")
        if request.method != "POST" or path != "/":
            return None
        fields = dict(parse_qsl(query, keep_blank_values=True))
        fields |= dict(parse_qsl(request.body.decode("utf-8", "replace")))
        try:
            question = _READERS[action](fields)
        except (KeyError, ValueError, TypeError, AttributeError):
            return None
        return attrs.evolve(question, authorized=self._proven(request, key))

    def _proven(self, request: GatewayRequest, key: str) -> bool:
        given = signed_fields(request, "ACS3-HMAC-SHA256")
        names = given.get("SignedHeaders", "").split(";")
        headers = request.headers
        if not set(names) >= _SIGNED or names != sorted(names):
            return False
        if headers["x-acs-content-sha256"] != hashlib.sha256(request.body).hexdigest():
            return False
        moment = dt.datetime.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%S%z")
        text = f"ACS3-HMAC-SHA256\n{canonical_request(request, names)}"
        with self._lock:
            used = headers["x-acs-signature-nonce"] in self._nonces
            self._nonces.add(headers["x-acs-signature-nonce"])
        fresh = is_fresh(moment) and not used
        return fresh and same(given["Signature"], mac_chain(key, text))

    def answer(
        self,
        question: GatewayQuestion,
        ids: Sequence[str | None],
        problem: MessageProblem,
    ) -> GatewayAnswer:
        """Answer with one ``BizId`` for all, or with one code."""
        del question
        if ids[0] is None:
            return _said(_CODES[problem])
        return _said("OK", BizId=_biz_id(ids[0]))

    def stranger(self) -> GatewayAnswer:
        """Answer that the signature does not hold."""
        return attrs.evolve(_said("SignatureDoesNotMatch"), status=400)

    def found(
        self, question: GatewayQuestion, reports: Sequence[GatewayReport]
    ) -> GatewayAnswer:
        """List what a phone was sent on a day of Beijing, page by page."""
        asked: dict[str, str] = question.notes
        rows = [
            _detail(report)
            for report in reports
            if f"{report.taken_at.astimezone(_BEIJING):%Y%m%d}" == asked["SendDate"]
            and asked.get("BizId", _biz_of(report)) == _biz_of(report)
        ]
        size, page = int(asked["PageSize"]), int(asked["CurrentPage"])
        shown = rows[(page - 1) * size : page * size]
        return _said(
            "OK", TotalCount=len(rows), SmsSendDetailDTOs={"SmsSendDetailDTO": shown}
        )

    def receipts(
        self, reports: Sequence[GatewayReport], key: str
    ) -> tuple[ReceiptRequest, ...]:
        """Return one request with all reports of what is known."""
        rows = [
            _pushed(report)
            for report in reports
            if report.status is not ReceiptStatus.ACCEPTED
        ]
        if not rows:
            return ()
        request = ReceiptRequest(
            url=f"{self.receipt_url}?token={quote(key, safe='')}",
            headers={"Content-Type": "application/json;charset=utf-8"},
            body=json.dumps(rows).encode(),
        )
        return (request,)


def _send(fields: Mapping[str, str]) -> GatewayQuestion:
    phones = fields["PhoneNumbers"].split(",")
    content = [fields["SignName"], fields["TemplateCode"]]
    values = fields.get("TemplateParam", "{}")
    return _sends(fields, phones, [[*content, values]] * len(phones))


def _send_batch(fields: Mapping[str, str]) -> GatewayQuestion:
    phones: list[str] = json.loads(fields["PhoneNumberJson"])
    signed = json.loads(fields["SignNameJson"])
    values = json.loads(fields["TemplateParamJson"])
    code = fields["TemplateCode"]
    texts = [
        [name, code, json.dumps(each, sort_keys=True)]
        for _, name, each in zip(phones, signed, values, strict=True)
    ]
    return _sends(fields, phones, texts)


def _sends(
    fields: Mapping[str, str], phones: Sequence[str], texts: Sequence[list[str]]
) -> GatewayQuestion:
    if not all(phone.isdecimal() for phone in phones):
        raise ValueError
    own = fields.get("OutId", "")
    sends = tuple(
        SentMessage.of(
            own if len(phones) == 1 else "",
            phone,
            " ".join(text),
            notes=(phone, own, _content(text)),
        )
        for phone, text in zip(phones, texts, strict=True)
    )
    return GatewayQuestion(sends=sends, one_fate=True)


def _content(text: Sequence[str]) -> str:
    """Return what the phone shows, the template's own words aside."""
    signature, _, values = text
    return f"【{signature}】{' '.join(map(str, json.loads(values).values()))}"


def _query(fields: Mapping[str, str]) -> GatewayQuestion:
    asked = dict(fields)
    day = dt.datetime.strptime(asked["SendDate"], "%Y%m%d").astimezone(_BEIJING)
    if day.year < 2000 or not 1 <= int(asked["PageSize"]) <= 50:  # noqa: PLR2004 - as the service's limits are
        raise ValueError
    int(asked["CurrentPage"])
    return GatewayQuestion(asks_phone=phone_digest(asked["PhoneNumber"]), notes=asked)


_READERS = {"SendSms": _send, "SendBatchSms": _send_batch, "QuerySendDetails": _query}


def _biz_id(own: str) -> str:
    return f"9006197469{own.removeprefix('G'):0>8}^0"


def _biz_of(report: GatewayReport) -> str:
    return _biz_id(report.provider_message_id)


def _said(code: str, **fields: Any) -> GatewayAnswer:
    content = {"Code": code, "Message": code, "RequestId": "0A974B78"} | fields
    return GatewayAnswer(body=json.dumps(content).encode())


def _detail(report: GatewayReport) -> dict[str, Any]:
    phone, own, content = report.sent.notes
    return {
        "PhoneNum": phone,
        "Content": content,
        "OutId": own,
        "SendStatus": _STATES[report.status],
        "ErrCode": _ERRORS[report.status],
        "SendDate": _beijing(report.taken_at),
        "ReceiveDate": _beijing(report.taken_at),
    }


def _pushed(report: GatewayReport) -> dict[str, Any]:
    phone, own, _ = report.sent.notes or ("13800138000", report.message_id, "")
    return {
        "phone_number": phone,
        "success": report.status is ReceiptStatus.DELIVERED,
        "err_code": _ERRORS[report.status],
        "err_msg": "",
        "sms_size": "1",
        "send_time": _beijing(report.taken_at),
        "report_time": _beijing(report.taken_at),
        "biz_id": _biz_of(report),
        "out_id": own,
    }


def _beijing(moment: dt.datetime) -> str:
    return f"{moment.astimezone(_BEIJING):%Y-%m-%d %H:%M:%S}"
