"""Twilio: requests as its description has them, codes, queries, signed callbacks."""

import datetime as dt
import json
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from base64 import b64encode
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs
import pytest

from memberops.adapters.sms import ReceiptRequest, SmsContext, TwilioProvider
from memberops.adapters.sms.signing import matches_twilio, sign_twilio
from memberops.domain.message import Message, MessageTemplate
from memberops.errors import ConfigurationError, SourceError
from sms_server import Cut, SmsServer, answer

pytest.importorskip("httpx2", reason="needs the extra sms")

VECTORS = json.loads(
    (Path(__file__).parent / "vectors" / "sms_signatures.json").read_text("utf-8")
)
SID, TOKEN = "AC" + "0" * 32, "twilio_test_auth_token"
MESSAGE_SID = "SM" + "1" * 32
MESSAGE = Message(
    message_id="S1",
    batch_id="B1",
    member_id="M1",
    phone="13800138000",
    text="张三，生日快乐！拒收请回复R【示例店】",
)
TEMPLATE = MessageTemplate(
    template_id="T1", kind="marketing", text="生日快乐！", signature="示例店"
)
DAY = dt.date(2026, 11, 22)
LIMITS = {"connect_seconds": 1.0, "read_seconds": 1.0, "total_seconds": 2.0}
CREATED = answer({"sid": MESSAGE_SID, "status": "queued", "num_segments": "1",
                  "error_code": None}, status=201)  # fmt: skip


@pytest.fixture
def server():
    """A gateway of this test alone."""
    server = SmsServer()
    yield server
    server.close()


@pytest.fixture
def make(server, tmp_path):
    """Make providers that talk to the server."""
    made = []

    def make(**options):
        settings = {
            "account_sid": SID,
            "auth_token": lambda: TOKEN,
            "sender": "+15551234567",
            "endpoint": server.url,
            "limits": LIMITS,
        }
        made.append(TwilioProvider(SmsContext(folder=tmp_path), **settings | options))
        return made[-1]

    yield make
    for provider in made:
        provider.close()


def send(provider):
    """Send the one message."""
    (result,) = provider.send([MESSAGE], template=TEMPLATE)
    return result


def test_a_message_is_one_signed_post(server, make):
    """One POST with Basic authentication, and a callback that names the message."""
    server.reply = CREATED
    result = send(make(callback="https://shop.example.com/sms?chain=a"))
    service = "MG" + "a" * 32
    send(make(sender="", messaging_service=service))

    first, second = server.seen
    assert (first.method, first.target) == (
        "POST", f"/2010-04-01/Accounts/{SID}/Messages.json",
    )  # fmt: skip
    pair = b64encode(f"{SID}:{TOKEN}".encode()).decode()
    assert first.headers["authorization"] == f"Basic {pair}"
    assert first.form == {
        "To": "+8613800138000",
        "From": "+15551234567",
        "Body": MESSAGE.text,
        "StatusCallback": "https://shop.example.com/sms?chain=a&message_id=S1",
    }
    assert second.form["MessagingServiceSid"] == service
    assert "From" not in second.form
    assert "StatusCallback" not in second.form
    assert (result.outcome, result.provider_message_id, result.segments) == (
        "accepted", MESSAGE_SID, 1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "outcome", "problem"),
    [
        (answer({"code": 21610}, status=400), "refused", "opted_out"),
        (answer({"code": 21211}, status=400), "refused", "invalid_number"),
        (answer({"code": 21999}, status=400), "refused", "other"),
        (answer({"code": 20003}, status=401), "postponed", "authentication"),
        (answer({"code": 20429}, status=429), "postponed", "throttled"),
        (answer({"code": 21611}, status=400), "postponed", "throttled"),
        (answer({"code": 20500}, status=500), "unknown", "provider"),
        (answer({"code": 20503}, status=503), "unknown", "provider"),
        (answer({}, status=201), "unknown", "provider"),
        (answer(body=b"{", status=201), "unknown", "provider"),
        (Cut(), "unknown", "connection"),
    ],
)
def test_codes(server, make, reply, outcome, problem):
    """A code is told in our vocabulary; without an id nothing was surely created."""
    server.reply = reply

    result = send(make())

    assert (result.outcome, result.problem) == (outcome, problem)
    assert len(server.seen) == 1


def row(**fields):
    """Return a message as Twilio lists it."""
    return {
        "sid": MESSAGE_SID,
        "status": "delivered",
        "body": MESSAGE.text,
        "date_created": "Sun, 22 Nov 2026 04:00:00 +0000",
        "date_updated": "Sun, 22 Nov 2026 04:00:09 +0000",
    } | fields


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (answer(row()), "delivered"),
        (answer(row(status="undelivered", error_code=30003)), "undelivered"),
        (answer(row(status="sending")), "accepted"),
        (answer(row(status="odd")), None),
        (answer(row(sid="SM" + "2" * 32)), None),
        (answer({"code": 20404}, status=404), "not_found"),
        (answer({}, status=404), None),
        (answer({"code": 20500}, status=500), None),
        (answer([]), None),
        (Cut(), None),
    ],
)
def test_a_query_by_twilios_id(server, make, reply, status):
    """Its own id finds a message, or a typed 404 says that there is none."""
    server.reply = reply

    receipt = make().query(MESSAGE, provider_message_id=MESSAGE_SID, sent_on=DAY)

    assert (receipt and receipt.status) == status
    if status == "undelivered":
        assert (receipt.problem, receipt.raw_code) == ("unreachable", "30003")
    if status == "delivered":
        assert receipt.at == dt.datetime(2026, 11, 22, 4, 0, 9, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("rows", "more", "status"),
    [
        ([row()], None, "delivered"),
        ([row(), row(body="other")], None, "delivered"),
        ([row(date_created="Sun, 22 Nov 2026 03:00:00 +0000")], None, "not_found"),
        ([row(date_created="Sun, 22 Nov 2026 05:00:00 +0000")], None, None),
        ([row(date_created=None)], None, None),
        ([row(), row(date_created="Sun, 22 Nov 2026 03:00:00 +0000")], None,
         "delivered"),
        ([], None, "not_found"),
        ([row(date_created="Sat, 22 Nov 2025 04:00:00 +0000")], None, "not_found"),
        ([row(body="Sent from your trial account - x")], None, None),
        ([row(), row(sid="SM" + "2" * 32)], None, None),
        ([], "/2010-04-01/next", None),
        ([row(date_created=None, body="x")], None, None),
    ],
)  # fmt: skip
def test_a_query_without_an_id(server, make, rows, more, status):
    """By phone, moment and text; where that leaves a doubt, there is no answer."""
    server.reply = answer({"messages": rows, "next_page_uri": more})

    begun = dt.datetime(2026, 11, 22, 3, 59, 50, tzinfo=dt.UTC)
    receipt = make().query(MESSAGE, provider_message_id=None, sent_on=begun)

    assert (receipt and receipt.status) == status
    assert server.seen[0].query["To"] == "+8613800138000"


def test_a_text_of_the_same_day_may_be_another_message(server, make):
    """Where only the day is known, no message is taken for ours by its text."""
    server.reply = answer({"messages": [row()], "next_page_uri": None})

    assert make().query(MESSAGE, provider_message_id=None, sent_on=DAY) is None


@pytest.mark.parametrize(
    "vector", VECTORS["twilio"], ids=[v["url"] for v in VECTORS["twilio"]]
)
def test_callbacks_are_signed_as_twilios_validator_signs(make, vector):
    """The signature of Twilio's own library is ours; a changed byte is a forgery."""
    fields = list(vector["fields"].items())[::-1]  # a form comes in any order
    given = {"token": VECTORS["key"], "url": vector["url"], "fields": fields}
    request = ReceiptRequest(
        url=vector["url"],
        headers={"x-twilio-signature": vector["signature"]},
        body=urlencode(fields).encode(),
    )
    provider = make(auth_token=lambda: VECTORS["key"])

    assert sign_twilio(**given) == vector["signature"]
    assert provider.verify_receipt(request)
    assert not make().verify_receipt(request)
    assert not provider.verify_receipt(attrs.evolve(request, headers={}))
    assert not provider.verify_receipt(
        attrs.evolve(request, url=vector["url"].replace("shop", "shup"))
    )
    if fields:
        assert not provider.verify_receipt(
            attrs.evolve(request, body=request.body.replace(b"SM", b"SN"))
        )
    assert not provider.verify_receipt(attrs.evolve(request, body=b"\xff\xfe=1"))


def test_a_standard_port_may_be_signed_or_not():
    """An address with :443 is that without, in both directions, and no other port."""
    fields = [("MessageSid", "SM1")]
    bare, port = "https://shop.example.com/a", "https://shop.example.com:443/a"
    for signed in (bare, port):
        signature = sign_twilio(token=TOKEN, url=signed, fields=fields)
        for called in (bare, port):
            assert matches_twilio(signature, token=TOKEN, url=called, fields=fields)
    other = "https://shop.example.com:8443/a"
    assert not matches_twilio(
        sign_twilio(token=TOKEN, url=bare, fields=fields),
        token=TOKEN, url=other, fields=fields,
    )  # fmt: skip


def test_callbacks_are_read(make):
    """A callback names our message by its address, and says what became of it."""
    fields = {"MessageSid": MESSAGE_SID, "MessageStatus": "undelivered",
              "ErrorCode": "30007", "To": "+8613800138000"}  # fmt: skip
    url = "https://shop.example.com/sms?chain=a&message_id=S1"
    request = ReceiptRequest(url=url, body=urlencode(fields).encode())

    (receipt,) = make().parse_receipts(request)

    assert (receipt.message_id, receipt.provider_message_id) == ("S1", MESSAGE_SID)
    assert (receipt.status, receipt.problem) == ("undelivered", "content")
    for body in (b"", b"MessageSid=SM1", b"MessageStatus=sent", b"\xff", b"a&" * 999):
        with pytest.raises(SourceError):
            make().parse_receipts(ReceiptRequest(url=url, body=body))


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"account_sid": "AC1"}, "account_sid"),
        ({"auth_token": TOKEN}, "env = "),
        ({"sender": ""}, "one of"),
        ({"messaging_service": "MG" + "a" * 32}, "one of"),
        ({"sender": "", "messaging_service": "x"}, "MG and 32"),
        ({"callback": "http://shop.example.com"}, "callback"),
    ],
)
def test_wrong_options(make, options, hint):
    """A wrong option is named, and the token not quoted."""
    with pytest.raises(ConfigurationError, match=hint) as caught:
        make(**options)

    assert TOKEN not in str(caught.value)


def problems_of(spec, seen):  # noqa: C901 - one line for each rule of the description
    """List what a request has against the official description."""
    path = "/2010-04-01/Accounts/{AccountSid}/Messages"
    target = urlsplit(seen.target)
    single = re.fullmatch(r".*/Messages/(\w+)\.json", target.path)
    operation = spec["paths"][path + ("/{Sid}.json" if single else ".json")][
        seen.method.lower()
    ]
    given = {"AccountSid": target.path.split("/")[3]}
    if single:
        given["Sid"] = single[1]
    given |= dict(parse_qsl(target.query))
    schemas = {p["name"]: p["schema"] for p in operation["parameters"]}
    required = {p["name"] for p in operation["parameters"] if p.get("required")}
    if seen.method == "POST":
        body = operation["requestBody"]["content"][seen.headers["content-type"]]
        schemas |= body["schema"]["properties"]
        required |= set(body["schema"]["required"])
        given |= seen.form
    found = [f"no {name}" for name in required - set(given)]
    for name, value in given.items():
        schema = schemas.get(name)
        if schema is None:
            found.append(f"unknown {name}")
            continue
        if "$ref" in schema:
            schema = spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        if not re.search(schema.get("pattern", ""), value):
            found.append(f"pattern of {name}")
        if value not in schema.get("enum", [value]):
            found.append(f"enum of {name}")
        if schema.get("type") == "integer" and not value.isdecimal():
            found.append(f"type of {name}")
        if schema.get("format") == "uri" and not urlsplit(value).scheme:
            found.append(f"format of {name}")
    if not seen.headers.get("authorization", "").startswith("Basic "):
        found.append("no authentication")
    return found


@pytest.fixture(scope="module")
def description(shared):
    """Twilio's official description of its API (OpenAPI 3.0)."""
    path = shared / "labs" / "twilio_api_v2010.json"
    if not path.is_file():
        pytest.skip("needs ../shared/labs/twilio_api_v2010.json")
    return json.loads(path.read_text("utf-8"))


@pytest.fixture
def all_requests(server, make):
    """Each kind of request that the provider makes."""
    provider = make(callback="https://shop.example.com/sms")
    send(provider)
    send(make(sender="", messaging_service="MG" + "a" * 32))
    provider.query(MESSAGE, provider_message_id=MESSAGE_SID, sent_on=DAY)
    provider.query(MESSAGE, provider_message_id=None, sent_on=DAY)
    return server.seen


def test_requests_keep_to_the_official_description(description, all_requests):
    """Each field is one that Twilio describes, in the form it describes."""
    assert len(all_requests) == 4
    for seen in all_requests:
        assert problems_of(description, seen) == []
    first = all_requests[0]
    for changed, problem in (
        (attrs.evolve(first, body=b"From=%2B1"), "no To"),
        (attrs.evolve(first, body=first.body + b"&Too=1"), "unknown Too"),
        (attrs.evolve(first, headers={**first.headers, "authorization": ""}),
         "no authentication"),
        (attrs.evolve(first, target="/2010-04-01/Accounts/AC1/Messages.json"),
         "pattern of AccountSid"),
    ):  # fmt: skip
        assert problem in problems_of(description, changed)


def test_an_openapi_library_takes_them_too(description, all_requests):
    """The pure-Python validator of the group `contract` agrees."""
    core = pytest.importorskip("openapi_core", reason="needs the group contract")
    testing = pytest.importorskip("openapi_core.testing")
    paths = {k: v for k, v in description["paths"].items() if "/Messages" in k}
    api = core.OpenAPI.from_dict({**description, "paths": paths})

    def check(seen, **changes):
        target = urlsplit(seen.target)
        given = {
            "args": dict(parse_qsl(target.query)),
            "data": seen.body,
            "headers": {"Authorization": seen.headers["authorization"]},
        }
        if seen.body:
            given["content_type"] = seen.headers["content-type"]
        api.validate_request(
            testing.MockRequest(
                "https://api.twilio.com", seen.method.lower(), target.path,
                **given | changes,
            )
        )  # fmt: skip

    for seen in all_requests:
        check(seen)
    with pytest.raises(Exception, match=r".+"):
        check(all_requests[0], data=b"From=%2B1")


@pytest.fixture(scope="module")
def emulator(shared, tmp_path_factory):
    """The stateful emulator ``emulate@0.11.2`` from npm, on loopback only."""
    node, npm = shutil.which("node"), shutil.which("npm")
    guard = shared / "labs" / "loopback.cjs"
    if not node or not npm or not guard.is_file():
        pytest.skip("needs node, npm and ../shared/labs/loopback.cjs")
    folder = tmp_path_factory.mktemp("emulate")
    # 0.12 needs a newer node, and "latest" is another package.
    done = subprocess.run(  # noqa: S603 - npm, with our own words
        [npm, "install", "--no-audit", "--no-fund", "emulate@0.11.2"],
        cwd=folder, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip("npm cannot install emulate@0.11.2 here")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    script = folder / "node_modules" / "emulate" / "dist" / "index.js"
    process = subprocess.Popen(  # noqa: S603 - node, with our own words
        [node, "--require", str(guard), str(script), "start", "-s", "twilio", "-p",
         str(port)],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.nightly
def test_an_emulator_takes_messages_and_signs_their_callbacks(emulator, make, server):
    """A stateful Twilio takes our requests, and we know its callbacks for its own."""
    server.reply = answer(status=204, body=b"")
    provider = make(endpoint=emulator, callback=f"{server.url}/cb")

    result = send(provider)
    asked = {"provider_message_id": result.provider_message_id, "sent_on": DAY}
    change = urllib.request.Request(  # noqa: S310 - the emulator on this machine
        f"{emulator}/_twilio/simulate/message-status",
        data=urlencode(
            {"MessageSid": result.provider_message_id, "Status": "delivered"}
        ).encode(),
        headers={"Authorization": "Basic " + b64encode(
            f"{SID}:{TOKEN}".encode()).decode()},
    )  # fmt: skip
    with urllib.request.urlopen(change) as done:  # noqa: S310 - as above
        assert done.status < 300
    for _ in range(50):
        if any(b"delivered" in seen.body for seen in server.seen):
            break
        time.sleep(0.1)
    after = provider.query(MESSAGE, **asked)

    assert result.outcome == "accepted"
    assert after.status == "delivered"
    assert server.seen
    receipts = []
    for seen in server.seen:
        request = ReceiptRequest(
            url=f"{server.url}{seen.target}", headers=seen.headers, body=seen.body
        )
        assert provider.verify_receipt(request)
        assert not make(auth_token=lambda: "other").verify_receipt(request)
        receipts += provider.parse_receipts(request)
    assert {receipt.message_id for receipt in receipts} == {"S1"}
    assert receipts[-1].status == "delivered"
    (bad,) = make(endpoint=emulator, sender="+19999999999").send(
        [MESSAGE], template=TEMPLATE
    )
    assert (bad.outcome, bad.raw_code) == ("refused", "21606")
