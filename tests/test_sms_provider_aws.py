"""AWS End User Messaging: one attempt, typed refusals, events."""

import datetime as dt
import json

import pytest

from memberops.adapters.sms import AwsProvider, ReceiptRequest, SmsContext
from memberops.domain.message import Message, MessageTemplate
from memberops.errors import ConfigurationError, SourceError
from sms_server import Cut, SmsServer, answer

boto3 = pytest.importorskip("boto3", reason="needs the extra aws")

Config = pytest.importorskip("botocore.config").Config

KEY = "cAnArY"
MESSAGE = Message(
    message_id="S1",
    batch_id="B1",
    member_id="M1",
    phone="13800138000",
    text="生日快乐！拒收请回复R【示例店】",
)
TEMPLATE = MessageTemplate(
    template_id="T1", kind="marketing", text="生日快乐！", signature="示例店"
)


@pytest.fixture
def server():
    """A gateway of this test alone."""
    server = SmsServer()
    yield server
    server.close()


@pytest.fixture
def provider(server, tmp_path):
    """A provider whose service is the server."""
    provider = AwsProvider(
        SmsContext(folder=tmp_path),
        region="ap-southeast-1",
        access_key_id=lambda: "id",
        secret_access_key=lambda: KEY,
        endpoint=server.url,
        origination_identity="+6581234567",
    )
    yield provider
    provider.close()


def refusal(code, reason="", status=400):
    """Return an answer that refuses, as the service writes it."""
    return answer(
        {"__type": code, "Message": "x", "Reason": reason},
        status=status,
        headers=[("Content-Type", "application/x-amz-json-1.0")],
    )


@pytest.mark.parametrize(
    ("reply", "outcome", "problem"),
    [
        (answer({"MessageId": "m-1"}), "accepted", None),
        (answer({}), "unknown", "provider"),
        (refusal("ThrottlingException"), "postponed", "throttled"),
        (refusal("ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT"),
         "refused", "opted_out"),
        (refusal("ServiceQuotaExceededException",
                 "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"), "postponed", "balance"),
        (refusal("ValidationException", "FIELD_VALIDATION_FAILED"), "refused",
         "request"),
        (refusal("NeverHeardOf"), "unknown", "provider"),
        (refusal("InternalServerException", status=500), "unknown", "provider"),
        (refusal("ThrottlingException", status=503), "unknown", "provider"),
        (answer(body=b"too many", status=429), "postponed", "throttled"),
        (answer(body=b"no", status=400), "refused", "request"),
        (Cut(), "unknown", "connection"),
        (Cut(answer({"MessageId": "m-1"})[:-4]), "unknown", "connection"),
    ],
)  # fmt: skip
def test_one_attempt_and_its_outcome(server, provider, caplog, reply, outcome, problem):
    """boto3 makes one request, whatever becomes of it, and logs nothing of it."""
    caplog.set_level("DEBUG")
    server.reply = reply

    (result,) = provider.send([MESSAGE], template=TEMPLATE)

    assert (result.outcome, result.problem) == (outcome, problem)
    assert len(server.seen) == 1
    assert server.seen[0].json == {
        "DestinationPhoneNumber": "+8613800138000",
        "MessageBody": MESSAGE.text,
        "MessageType": "PROMOTIONAL",
        "Context": {"message_id": "S1"},
        "OriginationIdentity": "+6581234567",
    }
    for secret in ("13800138000", KEY, "生日"):
        assert secret not in caplog.text


def test_nobody_listening_is_surely_not_sent(tmp_path):
    """A refused connection postpones."""
    provider = AwsProvider(
        SmsContext(folder=tmp_path), region="ap-southeast-1",
        access_key_id=lambda: "id", secret_access_key=lambda: KEY,
        endpoint="http://127.0.0.1:9",
    )  # fmt: skip

    (result,) = provider.send([MESSAGE], template=TEMPLATE)
    provider.close()

    assert (result.outcome, result.problem) == ("postponed", "connection")


def test_a_throttled_request_waits_as_long_as_it_is_told(server, provider):
    """The answer's own Retry-After is kept, as other providers' is."""
    server.reply = answer(status=429, body=b"", headers=[("Retry-After", "7")])

    (result,) = provider.send([MESSAGE], template=TEMPLATE)

    assert result.retry_after == dt.timedelta(seconds=7)


def test_a_ready_client_is_taken_as_it_is(server, tmp_path):
    """A client of the host's own sends once, too, by its own connections."""
    client = boto3.client(
        "pinpoint-sms-voice-v2", region_name="ap-southeast-1",
        endpoint_url=server.url, aws_access_key_id="id", aws_secret_access_key=KEY,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=5),
    )  # fmt: skip
    provider = AwsProvider(SmsContext(folder=tmp_path), client=client)
    outcomes = []
    for server.reply in (answer({"MessageId": "m-1"}), Cut()):
        (result,) = provider.send([MESSAGE], template=TEMPLATE)
        outcomes.append(result.outcome)
    provider.close()

    assert outcomes == ["accepted", "unknown"]
    assert len(server.seen) == 2


def test_a_client_that_repeats_is_refused(tmp_path):
    """boto3's own default would send up to three times."""
    client = boto3.client("pinpoint-sms-voice-v2", region_name="ap-southeast-1")

    with pytest.raises(ConfigurationError, match="total_max_attempts"):
        AwsProvider(SmsContext(folder=tmp_path), client=client)


def test_events_are_read(provider):
    """An event names our message, and says what became of it."""
    body = json.dumps({"eventType": "TEXT_BLOCKED", "messageId": "m-1",
                       "eventTimestamp": 1795320000000,
                       "context": {"message_id": "S1"}}).encode()  # fmt: skip

    (receipt,) = provider.parse_receipts(ReceiptRequest(url="https://x/", body=body))

    assert (receipt.message_id, receipt.provider_message_id) == ("S1", "m-1")
    assert (receipt.status, receipt.problem) == ("undelivered", "opted_out")
    assert receipt.at == dt.datetime.fromtimestamp(1795320000, dt.UTC)
    with pytest.raises(SourceError):
        provider.parse_receipts(ReceiptRequest(url="https://x/", body=b"{}"))
