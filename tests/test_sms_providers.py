"""Providers of SMS: secrets, the one HTTP client, the file and the form gateway."""

import copy
import datetime as dt
import hashlib
import hmac
import json
import logging
import math
import os
import pickle
import socket
import stat
import subprocess
import sys
import threading
import time
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import attrs
import pytest

from memberops.adapters import load_adapters
from memberops.adapters.sms import (
    AliyunProvider,
    FileProvider,
    FormGateway,
    FormProtocol,
    ReceiptRequest,
    Secret,
    SmsCapabilities,
    SmsContext,
    TencentProvider,
    TwilioProvider,
    secret_option,
)
from memberops.adapters.sms.verdicts import plain_code, plain_id
from memberops.domain.message import (
    Message,
    MessageProblem,
    MessageTemplate,
    ReceiptStatus,
    SendOutcome,
)
from memberops.errors import (
    ConfigurationError,
    InvalidValueError,
    MissingExtraError,
    SourceError,
)
from sms_server import Cut, Drip, Hang, SmsServer, answer

pytest.importorskip("httpx2", reason="needs the extra sms")

KEY = "cAnArY-s3cret"
PHONE = "13800138000"
TEXT = "张三，生日快乐！拒收请回复R【示例店】"
MESSAGE = Message(
    message_id="S1",
    batch_id="B1",
    member_id="M1",
    phone=PHONE,
    text=TEXT,
    variables=(("name", "张三"),),
)
TEMPLATE = MessageTemplate(
    template_id="T1",
    kind="marketing",
    text="${name}，生日快乐！拒收请回复R",
    signature="示例店",
    code="SMS_1",
)
DAY = dt.date(2026, 11, 22)
NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
FAST = {"connect_seconds": 1.0, "read_seconds": 0.3, "total_seconds": 0.6}


@pytest.fixture
def server():
    """A gateway of this test alone."""
    server = SmsServer()
    yield server
    server.close()


@pytest.fixture
def make(server, tmp_path):
    """Make form gateways that talk to the server."""
    made = []

    def make(**options):
        settings = {"url": f"{server.url}/send", "token": lambda: KEY, "limits": FAST}
        gateway = FormGateway(
            SmsContext(folder=tmp_path), clock=lambda: NOON, **settings | options
        )
        made.append(gateway)
        return gateway

    yield make
    for gateway in made:
        gateway.close()


def send(gateway, message=MESSAGE):
    """Send one message and return its one result."""
    (result,) = gateway.send([message], template=TEMPLATE)
    assert result.message_id == message.message_id
    return result


class TestSecret:
    """A secret is used and never shown."""

    def test_it_is_stars_wherever_it_is_written(self):
        """No text, format, container or attrs dictionary of a secret shows it."""

        @attrs.frozen
        class Holder:
            key: Secret

        secret = Secret(lambda: KEY)
        shown = [
            repr(secret), str(secret), f"{secret}", f"{secret!s:>30}", f"{secret:^9}",
            "{} {!r}".format(*[secret] * 2), repr([secret]), repr(Holder(secret)),
            repr(attrs.asdict(Holder(secret))), json.dumps({"a": secret}, default=str),
        ]  # fmt: skip

        assert not any(KEY in text for text in shown)
        assert secret.reveal() == KEY

    @pytest.mark.parametrize(
        "copying",
        [pickle.dumps, copy.copy, copy.deepcopy, json.dumps],
        ids=["pickle", "copy", "deepcopy", "json"],
    )
    def test_it_cannot_leave_the_process(self, copying):
        """Pickle, copy and JSON refuse it."""
        with pytest.raises(TypeError):
            copying(Secret(lambda: KEY))

    def test_it_is_read_from_the_environment_at_each_use(self, monkeypatch):
        """A key that is changed in the environment is the key of the next use."""
        secret = secret_option("token", {"env": "SMS_TEST_KEY"})
        monkeypatch.setenv("SMS_TEST_KEY", "one")
        first = secret.reveal()
        monkeypatch.setenv("SMS_TEST_KEY", " two\n")

        assert (first, secret.reveal()) == ("one", "two")
        monkeypatch.delenv("SMS_TEST_KEY")
        with pytest.raises(ConfigurationError, match="SMS_TEST_KEY"):
            secret.reveal()

    @pytest.mark.parametrize(
        "value",
        [
            KEY, b"s3cret", {"env": KEY}, {"env": "s3cret"}, 5, {"value": KEY},
            {"env": "A", "b": 1}, [KEY],
        ],
    )  # fmt: skip
    def test_a_literal_is_refused_unquoted(self, value):
        """A secret that is written down is refused with the way to do it."""
        with pytest.raises(ConfigurationError, match="env = ") as caught:
            secret_option("token", value)

        assert KEY not in str(caught.value)

    def test_what_a_vault_raises_is_left_out(self):
        """The error of a function that fails names its type, and chains nothing."""

        def fail():
            raise RuntimeError(KEY)

        with pytest.raises(ConfigurationError, match="RuntimeError") as caught:
            Secret(fail).reveal()

        assert KEY not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


ACCEPTED = {"code": "0", "id": "G1", "segments": 1}


class TestFates:
    """What is known after one request decides the outcome, and nothing else does."""

    @pytest.mark.parametrize(
        ("reply", "outcome", "problem"),
        [
            (answer(ACCEPTED), "accepted", None),
            (answer({"code": 0}), "accepted", None),
            (answer({"code": "opted_out"}), "refused", "opted_out"),
            (answer({"code": "7"}), "refused", "other"),
            (answer({"code": "throttled"}), "postponed", "throttled"),
            (answer({"code": "balance"}), "postponed", "balance"),
            (answer({"code": "provider"}), "unknown", "provider"),
            (answer({"code": "content"}, status=400), "refused", "content"),
            (answer({"code": "0"}, status=400), "unknown", "provider"),
            (answer({}, status=401), "postponed", "authentication"),
            (answer(body=b"<html>", status=404), "refused", "request"),
            (answer({}, status=408), "unknown", "provider"),
            (answer({}, status=409), "unknown", "provider"),
            (answer({}, status=429), "postponed", "throttled"),
            (answer({}, status=500), "unknown", "provider"),
            (answer({"code": "content"}, status=503), "unknown", "provider"),
            (answer({}), "unknown", "provider"),
            (answer([]), "unknown", "provider"),
            (answer(body=b"{"), "unknown", "provider"),
            (answer(body=b""), "unknown", "provider"),
            (answer(body=b"[" * 5000), "unknown", "provider"),
            (answer(body=b"\xff\xfe\x00"), "unknown", "provider"),
            (answer(body=b"x" * 5000, headers=[("Content-Encoding", "gzip")]),
             "unknown", "connection"),
            (Cut(), "unknown", "connection"),
            (Cut(reset=False), "unknown", "connection"),
            (Cut(answer(ACCEPTED)[:-5]), "unknown", "connection"),
            (Cut(b"HTTP/1.1 200 OK\r\n"), "unknown", "connection"),
            (Cut(b"not HTTP at all\r\n\r\n"), "unknown", "connection"),
            (Hang(), "unknown", "connection"),
            (Drip(answer(ACCEPTED), 0.05), "unknown", "connection"),
            (Drip(answer(ACCEPTED, headers=[("X", "y" * 99)]), 0.05), "unknown",
             "connection"),
        ],
    )  # fmt: skip
    def test_one_request_and_its_outcome(self, server, make, reply, outcome, problem):
        """Each answer has its outcome after exactly one request."""
        server.reply = reply

        result = send(make())

        assert (result.outcome, result.problem) == (outcome, problem)
        assert len(server.seen) == 1

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed(self, server, make, status):
        """Another host hears nothing; the fate is unknown, for a server read it."""
        other = SmsServer()
        place = [("Location", f"{other.url}/steal")]
        server.reply = answer({}, status=status, headers=place)

        result = send(make())
        other.close()

        assert result.outcome is SendOutcome.UNKNOWN
        assert other.seen == []

    def test_nobody_listening_is_surely_not_sent(self, make):
        """A refused connection and an unknown host postpone."""
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        for url in (f"http://127.0.0.1:{port}/", "https://no-such-host.invalid/"):
            result = send(make(url=url))

            assert result.outcome is SendOutcome.POSTPONED
            assert result.problem is MessageProblem.CONNECTION

    def test_a_server_without_tls_is_surely_not_sent(self, server, make):
        """A TLS handshake that fails comes before any byte of the request."""
        server.reply = answer(ACCEPTED)

        result = send(make(url=server.url.replace("http:", "https:")))

        assert result.outcome is SendOutcome.POSTPONED
        assert server.seen == []

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [("7", 7), ("-3", 0), ("1e9", None), ("1000000000", 86400), ("x", None),
         ("Sun, 22 Nov 2026 12:01:30 GMT", 90), ("Sun, 22 Nov 2020 12:00:00 GMT", 0),
         ("Fri, 31 Dec 9999 23:59:59 -2359", 86400), ("9" * 200, None), ("0.5", 0.5)],
    )  # fmt: skip
    def test_retry_after_is_heard_and_bounded(self, server, make, value, seconds):
        """A wait is at least nothing and at most a day; what cannot be read is None."""
        server.reply = answer({}, status=429, headers=[("Retry-After", value)])

        wait = send(make()).retry_after

        assert wait == (None if seconds is None else dt.timedelta(seconds=seconds))

    def test_a_moment_to_retry_counts_by_the_servers_clock(self, server, make):
        """With a Date header the wait does not depend on our own clock."""
        headers = [("Retry-After", "Sun, 22 Nov 2026 09:00:30 GMT"),
                   ("Date", "Sun, 22 Nov 2026 09:00:00 GMT")]  # fmt: skip
        server.reply = answer({}, status=429, headers=headers)

        assert send(make()).retry_after == dt.timedelta(seconds=30)

    def test_a_huge_body_is_not_read(self, server, make):
        """More than the limit is never held in memory."""
        server.reply = lambda _: (
            b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + (huge)
        )
        huge = b" " * 30_000_000
        gateway = make(limits={**FAST, "read_seconds": 3.0, "total_seconds": 3.0})
        tracemalloc.start()
        result = send(gateway)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert result.outcome is SendOutcome.UNKNOWN
        assert result.raw_code == "TooLarge"
        assert peak < 45_000_000  # the server's own copy is 30 MB

    def test_a_drip_ends_at_the_deadline(self, server, make):
        """An answer that comes byte by byte is given up in the time that was set."""
        server.reply = Drip(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 1000, 0.02)
        begun = time.monotonic()

        assert send(make()).outcome is SendOutcome.UNKNOWN
        assert time.monotonic() - begun < 20  # the whole answer takes minutes

    def test_cookies_are_not_kept(self, server, make):
        """What a gateway sets is not sent back."""
        server.reply = answer(ACCEPTED, headers=[("Set-Cookie", "who=me")])
        gateway = make()
        send(gateway)
        send(gateway)

        assert all("cookie" not in seen.headers for seen in server.seen)

    def test_threads_share_one_gateway(self, server, make):
        """Many threads get each their own answer."""
        server.reply = lambda seen: answer({"code": 0, "id": "G" + seen.json["id"]})
        gateway = make(limits={})
        results = {}

        def work(start):
            for number in range(start, start + 10):
                message = attrs.evolve(MESSAGE, message_id=f"S{number}")
                results[number] = send(gateway, message).provider_message_id

        threads = [threading.Thread(target=work, args=(n * 10,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert results == {number: f"GS{number}" for number in range(40)}

    def test_nothing_is_logged_raised_or_shown(self, server, make, caplog):
        """Phone, text and key are in no log at any level, result or repr."""
        caplog.set_level(logging.DEBUG)
        logging.getLogger("httpcore2.http11").setLevel(logging.DEBUG)
        query = f"{server.url}/q"
        gateway = make(query_url=query)
        where = [("Location", f"{server.url}/?phone={PHONE}&key={KEY}")]
        texts = [repr(gateway), repr(MESSAGE)]
        for reply in (
            answer(ACCEPTED),
            answer({"code": f"no {PHONE}"}),
            answer({"code": PHONE}),
            answer({}, status=302, headers=where),
            Cut(),
        ):
            server.reply = reply
            texts.append(repr(send(gateway)))
            texts.append(
                repr(gateway.query(MESSAGE, provider_message_id=None, sent_on=DAY))
            )
        texts.append(caplog.text)
        logging.getLogger("httpcore2.http11").warning("others still log")

        assert len(server.seen) == 10
        assert all(seen.headers["authorization"] == f"Bearer {KEY}" for seen in
                   server.seen)  # fmt: skip
        for secret in (PHONE, KEY, "张三"):
            assert not any(secret in text for text in texts)
        assert "others still log" in caplog.text


class TestFormGateway:
    """The gateway that is made of configuration."""

    def test_the_default_protocol(self, server, make):
        """A message goes out as the docstring says, and its answer is read."""
        server.reply = answer({"code": "0", "id": "G1", "segments": "2"})

        result = send(make())

        (seen,) = server.seen
        assert (seen.method, seen.target) == ("POST", "/send")
        assert seen.headers["content-type"] == "application/json"
        assert seen.json == {
            "id": "S1", "phone": PHONE, "text": TEXT, "template": "SMS_1",
            "variables": {"name": "张三"},
        }  # fmt: skip
        assert (result.provider_message_id, result.segments) == ("G1", 2)

    def test_an_older_protocol(self, server, make):
        """A form with other names, a token field and a nested answer is configured."""
        server.reply = answer({"data": [{"sid": 9}], "result": {"c": 0}})
        gateway = make(
            protocol={
                "encoding": "form",
                "fields": {"id": "uid", "phone": "mobile", "text": "content"},
                "constants": {"account": "office"},
                "token_field": "apikey",
                "code": "result.c",
                "gateway_id": "data.0.sid",
                "codes": {"21": "content"},
            }
        )

        result = send(gateway)
        server.reply = answer({"result": {"c": 21}})
        refused = send(gateway)

        assert server.seen[0].form == {
            "account": "office", "uid": "S1", "mobile": PHONE, "content": TEXT,
            "apikey": KEY,
        }  # fmt: skip
        assert "authorization" not in server.seen[0].headers
        assert result.provider_message_id == "9"
        assert (refused.outcome, refused.problem, refused.raw_code) == (
            "refused", "content", "21",
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("reply", "status"),
        [
            (answer({"code": 0, "status": "delivered", "id": "G1"}), "delivered"),
            (answer({"code": 0, "status": "not_found"}), "not_found"),
            (answer({"status": "not_found"}, status=404), "not_found"),
            (answer({"status": "delivered"}, status=404), None),
            (answer({}, status=404), None),
            (answer({"code": 5, "status": "not_found"}), None),
            (answer({"code": 0, "status": "whatever"}), None),
            (answer({"code": 0, "status": "not_found"}, status=500), None),
            (answer(body=b"{"), None),
            (Cut(), None),
        ],
    )
    def test_a_query_knows_or_does_not(self, server, make, reply, status):
        """Only a typed answer says what became of a message, or that none is there."""
        server.reply = reply
        gateway = make(query_url=f"{server.url}/q?v=1")

        receipt = gateway.query(MESSAGE, provider_message_id=None, sent_on=DAY)

        assert server.seen[0].query == {"v": "1", "id": "S1"}
        if status is None:
            assert receipt is None
        else:
            assert (receipt.status, receipt.message_id) == (status, "S1")

    def test_receipts_are_read_and_proven(self, make):
        """A batch of receipts is read; a changed byte or another key is a forgery."""
        gateway = make(receipt_secret=lambda: KEY)
        body = json.dumps(
            [
                {"id": "S1", "gateway_id": "G1", "status": "delivered",
                 "at": "2026-11-22T20:00:00+08:00", "segment": 1},
                {"gateway_id": "G2", "status": "undelivered", "error": "unreachable"},
            ]
        ).encode()  # fmt: skip
        signature = hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
        request = ReceiptRequest(
            url="https://x/", body=body, headers={"x-signature": signature}
        )

        first, second = gateway.parse_receipts(request)

        assert gateway.verify_receipt(request)
        assert not gateway.verify_receipt(attrs.evolve(request, body=body + b" "))
        assert not gateway.verify_receipt(attrs.evolve(request, headers={}))
        odd = {"X-Signature": "\ud800"}
        assert not gateway.verify_receipt(attrs.evolve(request, headers=odd))
        assert not make().verify_receipt(request)
        assert not make(receipt_secret=lambda: "other").verify_receipt(request)
        assert (first.message_id, first.status, first.at, first.segment) == (
            "S1", ReceiptStatus.DELIVERED, NOON, 1,
        )  # fmt: skip
        assert (second.provider_message_id, second.problem) == (
            "G2", MessageProblem.UNREACHABLE,
        )  # fmt: skip

    @pytest.mark.parametrize(
        "body",
        [
            b"", b"5", b"[5]", b"{}", b'{"id": "S1"}', b'{"status": "delivered"}',
            b"[" * 5000,
        ],
        ids=["empty", "number", "numbers", "object", "no-status", "no-id", "deep"],
    )  # fmt: skip
    def test_wrong_receipts_raise(self, make, body):
        """What is no receipt is a SourceError that quotes nothing of it."""
        with pytest.raises(SourceError):
            make().parse_receipts(ReceiptRequest(url="https://x/", body=body))

    @pytest.mark.parametrize(
        ("options", "hint"),
        [
            ({"token": KEY}, "env = "),
            ({"url": "http://sms.example.com/"}, "https"),
            ({"url": f"https://me:{KEY}@sms.example.com/"}, "options made for them"),
            ({"url": "sms.example.com"}, "https://host/path"),
            ({"url": "https://sms.example.com:99999/"}, "https://host/path"),
            ({"url": "https://a b/"}, "https://host/path"),
            ({"protocol": {"succes": ["0"]}}, "did you mean 'success'"),
            ({"protocol": {"codes": {"1": "contend"}}}, "did you mean 'content'"),
            ({"protocol": {"fields": {"phon": "a"}}}, "did you mean 'phone'"),
            ({"protocol": {"fields": {"phone": "a"}}}, "'id' and 'phone'"),
            ({"protocol": {"encoding": "xml"}}, "'json' or 'form'"),
            ({"limits": {"read_seconds": -1}}, "limits"),
            *(({"limits": {"total_seconds": odd}}, "above 0, and up to 86400")
              for odd in (math.inf, math.nan, 10**400, True, "3", Decimal("NaN"))),
            ({"limits": {"body_bytes": 2.5}}, "'body_bytes' is a whole number"),
            *(({"settle_seconds": odd}, "'settle_seconds' is a whole number")
              for odd in ("soon", -5, 1.5, True, 10**9)),
            ({"limits": {"ca_file": "none.pem"}}, "cannot be read"),
        ],
    )  # fmt: skip
    def test_wrong_options_are_named(self, make, options, hint):
        """A chain file that cannot work says so at once, without quoting a secret."""
        with pytest.raises(ConfigurationError, match=hint) as caught:
            make(**options)

        assert KEY not in str(caught.value)

    @pytest.mark.parametrize("name", ["longest_seconds", "settle_seconds"])
    @pytest.mark.parametrize("odd", [math.inf, math.nan, -1, "soon", True, None])
    def test_a_time_of_a_plugin_that_cannot_be_is_refused(self, name, odd):
        """Leases and waits are made of what a provider says that it can do."""
        with pytest.raises(InvalidValueError, match=f"'{name}' is from 0 to 604800"):
            SmsCapabilities(**{name: odd})

    def test_a_missing_key_sends_nothing(self, server, make):
        """Without its secret a message waits, and no request is made."""
        gateway = make(token={"env": "SMS_NO_SUCH_KEY"}, query_url=server.url)

        result = send(gateway)

        assert (result.outcome, result.problem) == ("postponed", "authentication")
        assert gateway.query(MESSAGE, provider_message_id=None, sent_on=DAY) is None
        assert server.seen == []

    def test_the_protocol_cannot_be_changed(self):
        """Tables that were given are copied, and their reading is read-only."""
        codes = {"1": "content"}
        protocol = FormProtocol(codes=codes)
        codes["2"] = "content"

        assert "2" not in protocol.codes
        with pytest.raises(TypeError):
            protocol.codes["2"] = MessageProblem.CONTENT


class TestFileProvider:
    """Messages in a file."""

    def test_lines_are_whole_private_and_found(self, tmp_path):
        """Each message is a line that only the owner reads, and a query finds it."""
        provider = FileProvider(SmsContext(folder=tmp_path))
        path = tmp_path / "messages.jsonl"
        other = attrs.evolve(MESSAGE, message_id="S2")
        asked = {"provider_message_id": None, "sent_on": DAY}
        before = provider.query(MESSAGE, **asked).status

        results = provider.send([MESSAGE, other], template=TEMPLATE)

        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        assert [result.outcome for result in results] == ["accepted", "accepted"]
        assert [line["message_id"] for line in lines] == ["S1", "S2"]
        assert (lines[0]["phone"], lines[0]["text"]) == (PHONE, TEXT)
        assert before is ReceiptStatus.NOT_FOUND
        assert provider.query(other, **asked).status is ReceiptStatus.ACCEPTED
        if os.name == "posix":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_cut_line_swallows_nothing(self, tmp_path):
        """After a write that a full disk cut short the next line stands by itself."""
        provider = FileProvider(SmsContext(folder=tmp_path))
        path = tmp_path / "messages.jsonl"
        path.write_bytes(b'{"message_id": "S0", "pho')
        path.chmod(0o644)
        asked = {"provider_message_id": None, "sent_on": DAY}
        unsure = provider.query(attrs.evolve(MESSAGE, message_id="S0"), **asked).status

        provider.send([MESSAGE], template=TEMPLATE)

        assert unsure is ReceiptStatus.NOT_FOUND
        assert json.loads(path.read_bytes().splitlines()[1])["message_id"] == "S1"
        assert provider.query(MESSAGE, **asked).status is ReceiptStatus.ACCEPTED
        if os.name == "posix":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_file_that_was_taken_away_is_begun_again(self, tmp_path):
        """After the office moved the file away, what is asked is the new one."""
        provider = FileProvider(SmsContext(folder=tmp_path))
        asked = {"provider_message_id": None, "sent_on": DAY}
        provider.send([MESSAGE], template=TEMPLATE)
        provider.query(MESSAGE, **asked)
        (tmp_path / "messages.jsonl").rename(tmp_path / "sent.jsonl")

        assert provider.query(MESSAGE, **asked).status is ReceiptStatus.NOT_FOUND

    def test_threads_do_not_mix_their_lines(self, tmp_path):
        """Lines of many threads and providers are all whole."""

        def work(start):
            provider = FileProvider(SmsContext(folder=tmp_path))
            for number in range(start, start + 20):
                provider.send([attrs.evolve(MESSAGE, message_id=f"S{number}")],
                              template=TEMPLATE)  # fmt: skip

        threads = [threading.Thread(target=work, args=(n * 20,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lines = (tmp_path / "messages.jsonl").read_text("utf-8").splitlines()

        assert {json.loads(line)["message_id"] for line in lines} == {
            f"S{number}" for number in range(80)
        }

    def test_a_folder_that_is_not_there_postpones(self, tmp_path):
        """A file that cannot be opened has surely got nothing."""
        provider = FileProvider(SmsContext(folder=tmp_path / "none"))

        assert send(provider).outcome is SendOutcome.POSTPONED

    @pytest.mark.parametrize("file", ["../out.jsonl", "", "a/../../b"])
    def test_the_file_stays_in_the_folder(self, tmp_path, file):
        """A chain file cannot write elsewhere."""
        with pytest.raises(ConfigurationError, match="in the chain's folder"):
            FileProvider(SmsContext(folder=Path(tmp_path)), file=file)


class TestReceipts:
    """What is pushed: one odd item, one odd address, one phone too many."""

    PUSHED: ClassVar = {
        "form": [{"id": "S1", "status": "delivered"}, {"id": "S2", "status": "?"}, 5],
        "aliyun": [
            {"phone_number": PHONE, "success": True, "biz_id": "9^0", "out_id": "S1"},
            {"phone_number": PHONE, "success": "true", "biz_id": "9^0"},
            None,
        ],
        "tencent": [{"report_status": "SUCCESS", "sid": "2019:1"}, {}, []],
    }

    @pytest.fixture
    def providers(self, tmp_path):
        """Make a provider of each kind, of which none is asked for anything."""
        context, secret = SmsContext(folder=tmp_path), lambda: KEY
        made = [
            FormGateway(context, url="https://x.example/", receipt_secret=secret),
            AliyunProvider(context, access_key_id=secret, access_key_secret=secret,
                           receipt_token=secret),
            TencentProvider(context, secret_id=secret, secret_key=secret, app_id="1",
                            receipt_token=secret),
            TwilioProvider(context, account_sid="AC" + "0" * 32, auth_token=secret,
                           sender="+15005550006", callback="https://x.example/cb"),
        ]  # fmt: skip
        yield {provider.name: provider for provider in made}
        for provider in made:
            provider.close()

    @pytest.mark.parametrize("name", PUSHED)
    def test_one_odd_receipt_takes_none_along(self, providers, name):
        """The good one is read, the odd ones are counted; all odd is an error."""
        provider, pushed = providers[name], self.PUSHED[name]

        def read(items):
            body = json.dumps(items).encode()
            return provider.parse_receipts(ReceiptRequest(url="", body=body))

        receipts = read(pushed)

        assert [receipt.status for receipt in receipts] == ["delivered"]
        assert receipts.odd == 2
        assert read(pushed[:1]).odd == 0
        with pytest.raises(SourceError):
            read(pushed[1:])

    @pytest.mark.parametrize(
        "url", ["https://[x/?token=a", "https://x:99999/?a=b", "["]
    )
    def test_an_odd_address_proves_nothing(self, providers, url):
        """Whatever address is called, the answer is no, and no error."""
        headers = {"X-Twilio-Signature": "x"}
        request = ReceiptRequest(url=url, body=b"MessageSid=SM1", headers=headers)

        for provider in providers.values():
            assert not provider.verify_receipt(request)
        with pytest.raises(SourceError):
            providers["twilio"].parse_receipts(request)

    def test_accounts_have_names_of_their_own(self, tmp_path):
        """Receipts and queries carry the name that an account was given."""
        context = SmsContext(folder=tmp_path)
        provider = FileProvider(context, name="file-beijing")
        asked = {"provider_message_id": None, "sent_on": DAY}

        assert provider.name == "file-beijing"
        assert repr(provider) == "FileProvider(name='file-beijing')"
        assert provider.query(MESSAGE, **asked).provider == "file-beijing"
        for wrong in ("", "a b", 5, None, "x" * 41):
            with pytest.raises(ConfigurationError, match="'name' is a word"):
                FileProvider(context, name=wrong)

    @pytest.mark.parametrize(
        "text",
        [PHONE, f"+86{PHONE}", "138-1234-5678", "138.1234.5678", "+86-138-0013-8000",
         "1381234_5678", "to:13812345678"],
    )  # fmt: skip
    def test_a_phone_is_neither_code_nor_id(self, server, make, text):
        """However its digits are parted, a phone is kept by nobody as an id."""
        server.reply = answer({"code": "0", "id": text})

        assert plain_code(text) == "*****"
        assert plain_id(text) is None
        assert send(make()).provider_message_id is None

    def test_a_token_stands_in_no_address(self, server, make):
        """A gateway whose token is a field is asked by a post."""
        server.reply = answer({"code": "0", "status": "delivered"})
        gateway = make(query_url=f"{server.url}/q", protocol={"token_field": "key"})

        receipt = gateway.query(MESSAGE, provider_message_id=None, sent_on=DAY)

        (seen,) = server.seen
        assert receipt.status is ReceiptStatus.DELIVERED
        assert (seen.method, seen.target) == ("POST", "/q")
        assert seen.json == {"id": "S1", "key": KEY}

    def test_a_call_is_one_request(self, server, make):
        """Of two messages of a call the second waits for the next one."""
        server.reply = answer({"code": "0", "id": "G1"})
        gateway = make(limits={"connect_seconds": 1, "total_seconds": 4})

        results = gateway.send(
            [MESSAGE, attrs.evolve(MESSAGE, message_id="S2")], template=TEMPLATE
        )

        assert [result.outcome for result in results] == ["accepted", "postponed"]
        assert results[1].retry_after == dt.timedelta()
        assert len(server.seen) == 1
        assert gateway.capabilities.longest_seconds == 4 + 3 * 1


class TestPlugins:
    """Providers are adapters of a hook like any other."""

    def test_each_is_made_by_its_name(self, server, tmp_path):
        """A chain file's options make a provider, and no request is made by that."""
        secret = {"env": "SMS_NO_SUCH_KEY"}
        options = {
            "file": {},
            "form": {"url": f"{server.url}/", "token": secret},
            "aliyun": {"access_key_id": secret, "access_key_secret": secret},
            "tencent": {"secret_id": secret, "secret_key": secret, "app_id": "1"},
            "twilio": {
                "account_sid": "AC" + "0" * 32, "auth_token": secret, "sender": "+1",
            },
        }  # fmt: skip
        registry = load_adapters(entry_points=False)
        context = SmsContext(folder=tmp_path)

        for name, given in options.items():
            provider = registry.sms_providers[name].factory(context, **given)

            assert provider.name == name
            assert provider.capabilities.batch_size >= 1
            provider.close()
        assert set(options) <= set(registry.sms_providers)
        assert server.seen == []

    def test_listing_them_loads_no_network(self):
        """Neither httpx2 nor a provider is imported before one is made."""
        code = (
            "import sys; from memberops.adapters import load_adapters; "
            "load_adapters(entry_points=False); "
            "print(sorted({'httpx2', 'httpcore2', 'memberops.adapters.sms.http'} "
            "& set(sys.modules)))"
        )
        done = subprocess.run(  # noqa: S603 - our own interpreter and text
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )

        assert done.stdout.strip() == "[]"

    def test_without_the_extra_it_is_named(self, tmp_path, monkeypatch):
        """A provider that needs the network says which extra brings it."""
        monkeypatch.setitem(sys.modules, "httpcore2", None)

        with pytest.raises(MissingExtraError, match="sms"):
            FormGateway(SmsContext(folder=tmp_path), url="https://sms.example.com/")
        FileProvider(SmsContext(folder=tmp_path)).close()
