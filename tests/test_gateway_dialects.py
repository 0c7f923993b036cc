"""The gateway's ways to speak: official SDKs are understood, and strangers are not."""

import json
from pathlib import Path

import attrs
import pytest

from memberops.adapters.sms import SmsContext, TwilioProvider
from memberops.domain.message import Message, MessageTemplate, ReceiptStatus
from memberops.errors import InvalidValueError
from memberops.testing import (
    AliyunDialect,
    AwsDialect,
    FaultyGateway,
    TencentDialect,
    TwilioDialect,
    check_sms_provider,
    gateway_aliyun,
    gateway_tencent,
)
from memberops.testing.faulty_gateway_server import GatewayRequest
from test_sms_contract import KEY, aliyun, aws, tencent, twilio

VECTORS = json.loads(
    (Path(__file__).parent / "vectors" / "sms_signatures.json").read_text("utf-8")
)
MESSAGE = Message(
    message_id="S1", batch_id="B1", member_id="M1", phone="13800138000", text="hi"
)
TEMPLATE = MessageTemplate(
    template_id="T1", kind="notice", text="hi", signature="示例店", code="SMS_1"
)
RECORDED = [
    (dialect, each)
    for name, dialect in (("aliyun", AliyunDialect), ("tencent", TencentDialect))
    for each in VECTORS[name]
]


@pytest.fixture
def as_then(monkeypatch):
    """Let the recorded moments be now."""
    for module in (gateway_aliyun, gateway_tencent):
        monkeypatch.setattr(module, "is_fresh", lambda _moment: True)


@pytest.mark.parametrize(
    ("dialect", "recorded"),
    RECORDED,
    ids=[f"{dialect.__name__}-{each['action']}" for dialect, each in RECORDED],
)
def test_what_official_sdks_sent_is_understood(as_then, dialect, recorded):
    """A request that an official SDK made and signed is read, and taken as proven."""
    sent = recorded["request"]
    request = GatewayRequest(
        method=sent["method"], target=sent["target"], headers=sent["headers"],
        body=sent["body"].encode(),
    )  # fmt: skip
    speaker = dialect()
    question = speaker.read(request, VECTORS["key"])

    assert question.authorized
    assert bool(question.sends) != bool(question.asks_phone)
    assert not dialect().read(request, "another key").authorized
    changed = attrs.evolve(
        request,
        target=request.target.replace("13800138000", "13800138001"),
        body=request.body.replace(b"13800138000", b"13800138001"),
    )
    assert not dialect().read(changed, VECTORS["key"]).authorized
    # the nonce of Alibaba Cloud holds once
    again = speaker.read(request, VECTORS["key"])
    assert again.authorized == (dialect is TencentDialect)


def test_a_request_of_another_day_is_not_taken():
    """What was signed long ago may be a request that somebody recorded."""
    for dialect, recorded in RECORDED:
        sent = recorded["request"]
        headers = dict(sent["headers"])
        if "x-acs-date" in headers:
            headers["x-acs-date"] = "2020-01-01T00:00:00Z"
        else:
            headers["x-tc-timestamp"] = "1577836800"
        request = GatewayRequest(
            method=sent["method"], target=sent["target"], headers=headers,
            body=sent["body"].encode(),
        )  # fmt: skip
        assert not dialect().read(request, VECTORS["key"]).authorized


@pytest.mark.parametrize(
    ("dialect", "make"),
    [(AliyunDialect, aliyun), (TencentDialect, tencent), (TwilioDialect, twilio),
     (AwsDialect, aws)],
    ids=["aliyun", "tencent", "twilio", "aws"],
)  # fmt: skip
def test_a_wrong_key_is_told_in_the_words_of_the_provider(tmp_path, dialect, make):
    """Who signs with another key is refused, and our provider understands it so."""
    pytest.importorskip("httpx2", reason="needs the extra 'sms'")
    with FaultyGateway(key="another key", dialect=dialect()) as gateway:
        provider = make(tmp_path, gateway.url)
        (result,) = provider.send([MESSAGE], template=TEMPLATE)
        provider.close()

    assert (result.outcome, result.problem) == ("postponed", "authentication")
    assert (gateway.unauthorized, dict(gateway.accepted)) == (1, {})


@pytest.mark.parametrize(
    "dialect", [AliyunDialect, TencentDialect, TwilioDialect, AwsDialect]
)
def test_what_is_no_request_of_the_provider_is_unknown(dialect):
    """Another path, another action and a body that is none are not found."""
    for method, target, body in (
        ("GET", "/", b""), ("POST", "/send", b"{}"), ("POST", "/", b"{"),
        ("POST", "/2010-04-01/Accounts/AC1/Messages.json", b"To=1"),
    ):  # fmt: skip
        for action in ("SendSms", "QuerySendDetails", "Nonsense"):
            headers = {
                "x-acs-action": action,
                "x-tc-action": action,
                "content-type": "application/x-amz-json-1.0",
                "x-amz-target": "PinpointSMSVoiceV2.SendTextMessage",
            }
            request = GatewayRequest(
                method=method, target=target, headers=headers, body=body
            )
            assert dialect().read(request, "key") is None


def test_of_two_members_with_one_phone_none_is_taken_for_the_other(tmp_path):
    """In a batch Alibaba Cloud has no id of ours: another name is another message."""
    pytest.importorskip("httpx2", reason="needs the extra 'sms'")
    sent, lost = (
        attrs.evolve(MESSAGE, message_id=own, member_id=own, variables=(("n", name),))
        for own, name in (("S1", "王芳"), ("S2", "张伟"))
    )
    with FaultyGateway(key=KEY, dialect=AliyunDialect()) as gateway:
        provider = aliyun(tmp_path, gateway.url, batch_size=3)

        def ask(message):
            began = gateway.accepted["S1"][0].taken_at
            said = provider.query(message, provider_message_id=None, sent_on=began)
            return said and (said.status, said.message_id)

        gateway.expect(sent)
        gateway.script("reset_after", "reset_before")
        for message in (sent, lost):
            gateway.expect(message)
            (result,) = provider.send([message], template=TEMPLATE)
            assert result.outcome == "unknown"
        gateway.expect(sent)
        asked = ask(sent), ask(lost)
        provider.close()

    assert asked == (("accepted", "S1"), None)


def test_without_a_callback_twilio_reports_to_nobody(tmp_path):
    """Twilio calls only who gave an address, and there is nothing to forge then."""
    pytest.importorskip("httpx2", reason="needs the extra 'sms'")
    with FaultyGateway(key=KEY, dialect=TwilioDialect()) as gateway:
        gateway.expect(MESSAGE)
        provider = twilio(tmp_path, gateway.url)
        provider.send([MESSAGE], template=TEMPLATE)
        pushed = gateway.deliver()
        began = gateway.accepted["S1"][0].taken_at
        said = provider.query(MESSAGE, provider_message_id=None, sent_on=began)
        provider.close()

        assert pushed == ()
        with pytest.raises(InvalidValueError, match="pushes no such receipt"):
            gateway.forge("S1")

    assert gateway.fate("S1") is not ReceiptStatus.NOT_FOUND
    assert said.status == gateway.fate("S1")


def test_one_that_takes_another_message_for_its_own_is_told(tmp_path):
    """A provider that finds the newest message, whose it may be, is found out."""
    pytest.importorskip("httpx2", reason="needs the extra 'sms'")

    class Newest(TwilioProvider):
        def _by_phone(self, message, sent_on):
            found = super()._by_phone(message, sent_on)
            return found or {"sid": "SM" + "0" * 32, "status": "sent"}

    def make(url):
        return Newest(
            SmsContext(folder=tmp_path), account_sid="AC" + "a" * 32,
            auth_token=lambda: KEY, sender="+15005550006", endpoint=url,
            limits={"connect_seconds": 0.5, "read_seconds": 0.3, "total_seconds": 0.3},
        )  # fmt: skip

    with (
        FaultyGateway(key=KEY, hold=0.6, dialect=TwilioDialect()) as gateway,
        pytest.raises(AssertionError) as told,
    ):
        check_sms_provider(make, gateway=gateway)

    assert "of a message that never left said 'accepted'" in str(told.value)
    assert "under 'reset_before', said 'accepted', which is not so" in str(told.value)
