"""The faulty gateway does what it says it does, and knows what it did."""

import contextlib
import hashlib
import hmac
import http.client
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import pytest

from memberops.domain.message import ReceiptStatus, SendOutcome
from memberops.errors import InvalidValueError
from memberops.testing import USUAL_FAULTS, FaultyGateway, GatewayFault

PHONE = "13812345678"
KEY = "a key of the gateway"
BROKEN = (http.client.HTTPException, OSError)


def ask(gateway, method, target, body=None, *, key=KEY, timeout=5.0, **headers):
    """Ask once over a connection of its own; return status, headers and body."""
    host = gateway.url.removeprefix("http://")
    with contextlib.closing(http.client.HTTPConnection(host, timeout=timeout)) as wire:
        wire.request(
            method,
            target,
            body=body,
            headers={
                "Authorization": f"Bearer {key}",
                "Content-Type": "application/json",
                **headers,
            },
        )
        answer = wire.getresponse()
        return answer.status, answer.headers, answer.read()


def send(gateway, message_id, **options):
    """Send a message once."""
    content = {"id": message_id, "phone": PHONE, "text": "生日快乐"}
    return ask(gateway, "POST", "/send", json.dumps(content).encode(), **options)


def query(gateway, message_id):
    """Ask what became of a message."""
    return json.loads(ask(gateway, "GET", f"/query?id={message_id}")[2])


@pytest.fixture(scope="module")
def gateway():
    """Return a gateway that keeps nobody waiting for long."""
    with FaultyGateway(key=KEY, hold=0.2, huge=8 * 1024 * 1024) as open_gateway:
        yield open_gateway


def test_a_message_is_taken_once_and_told_by_query(gateway):
    """A well answer carries an id; the query knows the message, and no other."""
    status, _, body = send(gateway, "well")

    said = json.loads(body)
    assert (status, said["code"]) == (200, "0")
    (taken,) = gateway.accepted["well"]
    assert taken.provider_message_id == said["id"]
    assert query(gateway, "well")["status"] == "accepted"
    assert query(gateway, "never")["status"] == "not_found"


def test_a_form_and_a_batch_are_read_too(gateway):
    """A form is read as JSON is, and a batch is answered one by one, in its order."""
    form = f"id=form&phone={PHONE}&text=hello".encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    gateway.refuse("b2")
    rows = [{"id": own, "phone": PHONE} for own in ("b1", "b2", "b3")]
    batch = json.dumps({"messages": rows}).encode()

    ask(gateway, "POST", "/send", form, **kind)
    said = json.loads(ask(gateway, "POST", "/send", batch)[2])

    first, refused, last = said["results"]
    assert refused == {"code": "invalid_number"}
    assert first["id"] == gateway.accepted["b1"][0].provider_message_id
    assert last["id"] == gateway.accepted["b3"][0].provider_message_id
    assert {"form", "b1", "b3"} <= set(gateway.accepted)
    assert "b2" not in gateway.accepted


@pytest.mark.parametrize("fault", GatewayFault)
def test_each_fault_takes_the_message_or_not_as_it_says(gateway, fault):
    """After each fault the truth is what the fault promises, and the query tells it."""
    own = f"truth-{fault}"
    gateway.script(fault)
    with contextlib.suppress(*BROKEN):
        send(gateway, own, timeout=0.15)
    while not gateway.requests[own]:
        time.sleep(0.01)

    assert gateway.wait_until_idle()
    assert gateway.requests[own] == 1
    assert gateway.faults[fault] >= 1
    assert (own in gateway.accepted) is fault.accepted
    assert query(gateway, own)["status"] == (
        "accepted" if fault.accepted else "not_found"
    )


def test_no_fault_lets_a_provider_claim_more_than_can_be_known():
    """Where the client cannot know, the honest outcome is the unknown one."""
    for fault in GatewayFault:
        if fault.accepted:
            assert not fault.honest & {SendOutcome.REFUSED, SendOutcome.POSTPONED}
        else:
            assert SendOutcome.ACCEPTED not in fault.honest


def test_throttling_says_when_to_come_again(gateway):
    """429 comes without a Retry-After and with each kind of one."""
    gateway.script(*(name for name in GatewayFault if name.startswith("throttled")))
    said = [send(gateway, "busy")[:2] for _ in range(7)]

    assert [status for status, _ in said] == [429] * 7
    none, seconds, date, past, *odd = [headers["Retry-After"] for _, headers in said]
    assert (none, seconds, odd) == (None, "2", ["-5", "1000000000", "soon"])
    assert parsedate_to_datetime(past) < parsedate_to_datetime(date)


@pytest.mark.parametrize("fault", ["reset_before", "half_body", "timeout_after"])
def test_a_broken_answer_breaks_the_client(gateway, fault):
    """What shall break the wire breaks it: no whole answer comes."""
    gateway.script(fault)

    with pytest.raises(BROKEN):
        send(gateway, f"broken-{fault}", timeout=0.15)


def test_what_is_no_json_is_no_json(gateway):
    """Bad JSON, a page to log in and nothing at all come with status 200."""
    gateway.script("bad_json", "wrong_type", "empty_body")
    for own in ("bad", "page", "empty"):
        status, _, body = send(gateway, own)
        assert status == 200
        with pytest.raises(ValueError, match="Expecting"):
            json.loads(body)


def test_a_slow_answer_drips_and_a_huge_one_goes_on(gateway):
    """The slow answer takes its time; of the huge one is counted what was taken."""
    gateway.script("slow_drip", "huge_body")
    began = time.monotonic()
    assert json.loads(send(gateway, "slow")[2])["code"] == "0"
    assert time.monotonic() - began > gateway.hold * 0.8

    assert len(send(gateway, "huge")[2]) == gateway.flooded == 8 * 1024 * 1024


def test_who_follows_a_redirect_is_seen(gateway):
    """The other host records a visit, and whether the key came along."""
    gateway.script("redirect")
    status, headers, _ = send(gateway, "moved")
    assert (status, gateway.followed, gateway.exposed) == (307, 0, 0)
    host, _, path = headers["Location"].removeprefix("http://").partition("/")
    assert host != gateway.url.removeprefix("http://")

    for key in ("", KEY):
        with contextlib.closing(http.client.HTTPConnection(host)) as wire:
            wire.request("POST", f"/{path}", body=f'{{"key": "{key}"}}')
            wire.getresponse().read()

    assert gateway.followed == 2
    assert gateway.exposed == 2 - 1


def test_a_wrong_key_is_refused_and_counted(gateway):
    """Who does not prove to be the customer sends nothing."""
    _, _, body = send(gateway, "stranger", key="another")

    assert json.loads(body)["code"] == "authentication"
    assert gateway.unauthorized == 1
    assert "stranger" not in gateway.accepted


def test_what_is_no_request_of_it_is_not_found(gateway):
    """Other paths, other methods, other bodies and no HTTP at all end well."""
    for body in (b"", b"[]", b"{", b'{"messages": [1]}', b'{"id": "x"}'):
        assert ask(gateway, "POST", "/send", body)[0] == 404
    assert ask(gateway, "GET", "/")[0] == 404
    port = int(gateway.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as wire:
        wire.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert wire.recv(10) == b""


def test_draws_depend_on_the_seed_and_the_message_alone():
    """The same seed gives the same faults, whatever the order of the threads."""

    def day(seed, order):
        quick = {name: 0.08 for name in USUAL_FAULTS if "slow" not in name}
        for name in ("huge_body", "timeout_before", "timeout_after", "timeout_late"):
            quick.pop(name)
        quick = dict(list(quick.items())[:10])
        with FaultyGateway(faults=quick, seed=seed, key=KEY) as gateway:

            def one(number):
                with contextlib.suppress(*BROKEN):
                    send(gateway, f"M{number}")

            with ThreadPoolExecutor(4) as pool:
                list(pool.map(one, order))
            gateway.wait_until_idle()
            return set(gateway.accepted), gateway.faults

    forward, backward = day(1, range(60)), day(1, reversed(range(60)))

    assert forward == backward
    assert len(forward[1]) > 4
    assert day(2, range(60)) != forward


def test_duplicates_are_counted():
    """A message that was taken again is one message too many."""
    with FaultyGateway(key=KEY) as gateway:
        for own in ("one", "two", "two", "two"):
            send(gateway, own)

    assert gateway.duplicates == 2
    assert len(gateway.accepted["two"]) == 3
    times = [taken.at for taken in gateway.accepted["two"]]
    assert times == sorted(times)


def test_an_id_given_twice_is_an_id_given_twice(gateway):
    """The fault of duplicate ids repeats the id of the message before."""
    gateway.script("ok", "duplicate_id")
    first, second = (json.loads(send(gateway, own)[2]) for own in ("d1", "d2"))

    assert first["id"] == second["id"]
    assert query(gateway, "d2")["id"] != second["id"]


def test_receipts_are_signed_shuffled_and_repeated():
    """Receipts carry a signature that holds, each as often as asked, fates as told."""
    with FaultyGateway(key=KEY, undelivered=0.4, seed=3) as gateway:
        for number in range(40):
            send(gateway, f"M{number}")
        with pytest.raises(InvalidValueError, match="never took 'nobody'"):
            gateway.deliver(["nobody"])
        requests = gateway.deliver(batch=7, repeats=2)
        told = query(gateway, "M0")["status"]

    rows = []
    for request in requests:
        wanted = hmac.new(KEY.encode(), request.body, hashlib.sha256).hexdigest()
        assert request.headers["X-Signature"] == wanted
        rows += json.loads(request.body)
        assert PHONE not in request.body.decode()
    finals = [row for row in rows if row["status"] != "accepted"]
    assert len(finals) == 80
    assert len(rows) > 80
    for row in finals:
        assert row["status"] == gateway.fate(row["id"])
    assert {row["status"] for row in finals} == {"delivered", "undelivered"}
    assert [row["id"] for row in finals] != [f"M{n // 2}" for n in range(80)]
    assert told == gateway.fate("M0")
    assert gateway.fate("nobody") is ReceiptStatus.NOT_FOUND


def test_a_forged_receipt_bears_a_signature_that_does_not_hold(gateway):
    """What is forged looks like a receipt, and is signed with another key."""
    request = gateway.forge("well")

    wanted = hmac.new(KEY.encode(), request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-Signature"] != wanted
    assert json.loads(request.body)[0]["id"] == "well"


def test_queries_fail_too():
    """Queries have faults of their own shares."""
    with FaultyGateway(key=KEY, query_faults={"error_before": 1.0}) as gateway:
        assert send(gateway, "M1")[0] == 200
        assert ask(gateway, "GET", "/query?id=M1")[0] == 500
        assert gateway.queries["M1"] == 1


@pytest.mark.parametrize(
    "faults", [{"throtled": 0.1}, {"throttled": -0.1}, {"throttled": 0.6, "ok": 0.2,
     "reset_after": 0.6}],
)  # fmt: skip
def test_faults_that_cannot_be_are_refused(faults):
    """A misspelt fault, a negative share and more than the whole are told."""
    with pytest.raises(InvalidValueError, match=r"throttled|shares"):
        FaultyGateway(faults=faults)


def test_it_ends_at_once_and_shows_nobody():
    """Closing hangs up on who waits, and the repr holds neither key nor phone."""
    gateway = FaultyGateway(key=KEY, hold=60)
    gateway.script("timeout_after")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(send, gateway, "patient", timeout=30)
        while "patient" not in gateway.accepted:
            time.sleep(0.01)
        began = time.monotonic()
        gateway.close()
        assert isinstance(waiting.exception(30), BROKEN)
    gateway.close()

    assert time.monotonic() - began < 30  # it would hold for 60
    assert KEY not in repr(gateway)
    assert PHONE not in repr(gateway.accepted)
    with pytest.raises(OSError, match=r"\w"):
        send(gateway, "late")


def test_it_takes_no_more_than_it_was_told():
    """Beyond its bound it answers that it is full, and keeps no more."""
    with FaultyGateway(key=KEY, most=2) as gateway:
        said = [send(gateway, f"M{number}")[0] for number in range(4)]

    assert said == [200, 200, 503, 503]
    assert len(gateway.accepted) == 2
