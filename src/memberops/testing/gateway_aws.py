"""How AWS End User Messaging speaks (pinpoint-sms-voice-v2), for a faulty gateway."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import attrs

from memberops.adapters.sms import ReceiptRequest
from memberops.domain.message import MessageProblem, ReceiptStatus
from memberops.testing.faulty_gateway_dialect import (
    GatewayQuestion,
    GatewayReport,
    SentMessage,
)
from memberops.testing.faulty_gateway_server import GatewayAnswer, GatewayRequest
from memberops.testing.gateway_signatures import (
    canonical_request,
    is_fresh,
    mac_chain,
    same,
    signed_fields,
)

__all__ = ["AwsDialect"]

_TYPE = "application/x-amz-json-1.0"
_ERRORS: Mapping[MessageProblem, tuple[str, str]] = {
    MessageProblem.THROTTLED: ("ThrottlingException", ""),
    MessageProblem.INVALID_NUMBER: ("ValidationException", "INVALID_PARAMETER"),
}
_EVENTS = {
    ReceiptStatus.ACCEPTED: "TEXT_SENT",
    ReceiptStatus.DELIVERED: "TEXT_DELIVERED",
    ReceiptStatus.UNDELIVERED: "TEXT_UNREACHABLE",
}
_SIGNED = {"content-type", "host", "x-amz-date", "x-amz-target"}


@attrs.frozen(kw_only=True)
class AwsDialect:
    """
    ``SendTextMessage`` in JSON 1.0, signed by Signature Version 4.

    The key is the secret access key, and the token in the address of events. There is
    no query. Events are pushed one by one, as raw JSON without an envelope.

    Source: the service's description in botocore 1.44.5, whose signatures this reads,
    and the user guide's page on the format of events. Read in November 2026.

    Args:
        receipt_url: Where events are pushed, without the token.
    """

    receipt_url: str = "https://office.example/sms/receipts"

    def read(self, request: GatewayRequest, key: str) -> GatewayQuestion | None:
        """Return what a request asks for; None if it sends no text."""
        target = request.headers.get("x-amz-target", "")
        whole = request.headers.get("content-type") == _TYPE and request.target == "/"
        if not whole or target != "PinpointSMSVoiceV2.SendTextMessage":
            return None
        try:
            asked = json.loads(request.body)
            phone, text = asked["DestinationPhoneNumber"], asked["MessageBody"]
            own = asked.get("Context", {}).get("message_id", "")
        except (KeyError, ValueError, TypeError, AttributeError):
            return None
        sent = SentMessage.of(own, phone, text, notes=(phone, asked.get("Context")))
        return GatewayQuestion(sends=(sent,), authorized=_proven(request, key))

    def answer(
        self,
        question: GatewayQuestion,
        ids: Sequence[str | None],
        problem: MessageProblem,
    ) -> GatewayAnswer:
        """Answer with an id, or with a typed error and status 400."""
        del question
        if ids[0] is None:
            return _error(*_ERRORS[problem])
        return _said({"MessageId": _id(ids[0])})

    def stranger(self) -> GatewayAnswer:
        """Answer that the signature does not hold."""
        return _error("InvalidSignatureException", "")

    def found(
        self, question: GatewayQuestion, reports: Sequence[GatewayReport]
    ) -> GatewayAnswer:
        """Answer as to an unknown operation: nothing reads queries."""
        del question, reports
        return _error("UnknownOperationException", "")

    def receipts(
        self, reports: Sequence[GatewayReport], key: str
    ) -> tuple[ReceiptRequest, ...]:
        """Return a request for each event."""
        return tuple(
            ReceiptRequest(
                url=f"{self.receipt_url}?token={quote(key, safe='')}",
                headers={"Content-Type": "application/json"},
                body=json.dumps(_event(report)).encode(),
            )
            for report in reports
        )


def _proven(request: GatewayRequest, key: str) -> bool:
    given = signed_fields(request, "AWS4-HMAC-SHA256")
    names = given.get("SignedHeaders", "").split(";")
    scope = given.get("Credential", "").partition("/")[2]
    day, _, region = scope.removesuffix("/sms-voice/aws4_request").partition("/")
    if not set(names) >= _SIGNED or scope != f"{day}/{region}/sms-voice/aws4_request":
        return False
    stamp = request.headers["x-amz-date"]
    moment = dt.datetime.strptime(stamp, "%Y%m%dT%H%M%S%z")
    if not stamp.startswith(day) or not is_fresh(moment):
        return False
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{canonical_request(request, names)}"
    wanted = mac_chain(f"AWS4{key}", day, region, "sms-voice", "aws4_request", text)
    return same(given["Signature"], wanted)


def _id(own: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, own))


def _event(report: GatewayReport) -> dict[str, object]:
    phone, context = report.sent.notes or ("+8613800138000", {})
    return {
        "eventType": _EVENTS[report.status],
        "eventVersion": "1.0",
        "eventTimestamp": int(report.taken_at.timestamp() * 1000),
        "isFinal": report.status is not ReceiptStatus.ACCEPTED,
        "messageId": _id(report.provider_message_id),
        "destinationPhoneNumber": phone,
        "context": context,
    }


def _error(kind: str, reason: str) -> GatewayAnswer:
    content = {"__type": f"com.amazonaws.smsvoice#{kind}", "Message": "no"}
    return _said(content | ({"Reason": reason} if reason else {}), status=400)


def _said(content: object, status: int = 200) -> GatewayAnswer:
    return GatewayAnswer(
        body=json.dumps(content).encode(), status=status, content_type=_TYPE
    )
