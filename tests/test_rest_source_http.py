"""Reading over HTTP: patient, bounded, exact, and silent about keys."""

import logging
from decimal import Decimal

import pytest

from memberops.adapters.secrets import Secret
from memberops.adapters.sms.http import HttpLimits
from memberops.adapters.sources.http_credential import Credential
from memberops.adapters.sources.http_reading import (
    HttpReader,
    ReadingPatience,
    RefusedReadingError,
)
from memberops.errors import ConfigurationError, SourceError
from sms_server import Cut, SmsServer, answer

pytest.importorskip("httpx2", reason="needs the extra 'pos'")

KEY = "a-key-of-the-shop"
DATE = ("Date", "Sat, 01 Mar 2031 10:00:00 GMT")


@pytest.fixture
def server():
    """Give a server that answers with the bytes a test gives it."""
    one = SmsServer()
    yield one
    one.close()


def reader_of(server, *, pauses=None, **options):
    """Make a reader that notes its pauses in place of sleeping."""
    options.setdefault("patience", ReadingPatience(attempts=3))
    options.setdefault(
        "credential", Credential(kind="bearer", secret=Secret(lambda: KEY))
    )
    options.setdefault("limits", HttpLimits(body_bytes=4000))
    return HttpReader(
        f"{server.url}/api",
        sleep=(pauses if pauses is not None else []).append,
        **options,
    )


def first(*replies):
    """Answer with each reply in turn, and go on with the last."""
    left = list(replies)
    return lambda _seen: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ((("Retry-After", "7"),), 7),
        ((("Retry-After", "0"),), 1),
        ((("Retry-After", "-5"),), 1),
        ((("Retry-After", "soon"),), 1),
        ((), 1),
        ((DATE, ("Retry-After", "Sat, 01 Mar 2031 10:00:42 GMT")), 42),
        ((DATE, ("Retry-After", "Sat, 01 Mar 2031 09:00:00 GMT")), 1),
        ((("Retry-After", "Sat, 01 Mar 2031 10:00:42 GMT"),), 1),
    ],
)
def test_retry_after_is_honored(server, headers, pause):
    """Seconds or a date by the server's own clock; else our own pause, never none."""
    server.reply = first(answer({}, status=429, headers=headers), answer({"a": 1}))
    pauses = []
    with reader_of(server, pauses=pauses) as reader:
        assert reader.read("GET", "orders").document == {"a": 1}
    assert pauses == [pause]


def test_a_server_that_asks_for_ages_is_left_alone(server):
    """A pause that nobody would sit out ends the reading, without a second request."""
    server.reply = answer({}, status=429, headers=[("Retry-After", "1000000000")])
    pauses = []
    with (
        reader_of(server, pauses=pauses) as reader,
        pytest.raises(SourceError, match="1000000 seconds"),
    ):
        reader.read("GET", "orders")
    assert pauses == []
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 524])
def test_attempts_are_bounded(server, status):
    """A server that stays busy is asked so many times, with longer pauses."""
    server.reply = answer({}, status=status)
    pauses = []
    with (
        reader_of(server, pauses=pauses) as reader,
        pytest.raises(SourceError, match=f"3 times, .* said {status}"),
    ):
        reader.read("POST", "orders", body={})
    assert len(server.seen) == 3
    assert pauses == [1, 2]


@pytest.mark.parametrize(
    "trouble",
    [Cut(), Cut(data=b'HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n{"a', reset=False)],
    ids=["reset", "half"],
)
def test_a_broken_answer_is_asked_for_again(server, trouble):
    """Half a page is no page."""
    server.reply = first(trouble, answer({"a": 1}))
    with reader_of(server) as reader:
        assert reader.read("GET", "orders").document == {"a": 1}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_a_refusal_is_not_asked_again(server, status):
    """What the server refuses for good is refused once, with its status."""
    server.reply = answer({"secret": KEY}, status=status)
    with (
        reader_of(server) as reader,
        pytest.raises(RefusedReadingError, match=str(status)) as caught,
    ):
        reader.read("GET", "orders", params={"since": "2031"})
    assert caught.value.status == status
    assert len(server.seen) == 1
    assert KEY not in str(caught.value)
    assert ("nothing at that address" in str(caught.value)) == (status == 404)
    assert "2031" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(server, status):
    """The key goes nowhere else; the error says where the server wanted it."""
    target = [("Location", f"{server.url}/elsewhere?key={KEY}")]
    server.reply = answer({}, status=status, headers=target)
    with (
        reader_of(server) as reader,
        pytest.raises(RefusedReadingError, match="is not followed") as caught,
    ):
        reader.read("GET", "orders")
    assert len(server.seen) == 1
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "link",
    [
        "https://127.0.0.1/api/orders?page=2",
        "http://evil.example.com/api/orders?page=2",
        "//evil.example.com/orders",
        "http://127.0.0.1:1/orders",
    ],
)
def test_a_next_page_is_on_the_same_server(server, link):
    """A link to another scheme, host or port is refused before anything is sent."""
    with (
        reader_of(server) as reader,
        pytest.raises(SourceError, match="another server"),
    ):
        reader.read("GET", reader.resolved("orders", link))
    assert server.seen == []


def test_cookies_are_not_kept(server):
    """A session of one request is not that of the next."""
    server.reply = answer({}, headers=[("Set-Cookie", "session=admin")])
    with reader_of(server) as reader:
        reader.read("GET", "orders")
        reader.read("GET", "orders")
    assert all("cookie" not in seen.headers for seen in server.seen)


def test_amounts_are_exact(server):
    """A number with a point is the decimal that was written, never a float."""
    server.reply = answer(body=b'\xef\xbb\xbf{"total": 0.10, "n": 12}')
    with reader_of(server) as reader:
        document = reader.read("GET", "orders").document
    assert document == {"total": Decimal("0.10"), "n": 12}
    assert str(document["total"]) == "0.10"


@pytest.mark.parametrize(
    "body",
    [
        b"<html>log in</html>",
        b"",
        b'{"a": NaN}',
        b'{"a": 1e999999999}',
        b'{"a": ' + b"9" * 3000 + b"}",
        b"[" * 3900,
        b'{"a": "\xff"}',
    ],
)
def test_what_is_no_json_is_an_error(server, body):
    """A page for people, endless numbers and deep nests are refused, and not shown."""
    server.reply = answer(body=body)
    with reader_of(server) as reader, pytest.raises(SourceError) as caught:
        reader.read("GET", "orders")
    assert "log in" not in str(caught.value)


def test_a_large_answer_is_refused(server):
    """No more than the limit is read, and it is not asked for again."""
    server.reply = answer(body=b" " * 5000)
    with reader_of(server) as reader, pytest.raises(SourceError, match="larger than"):
        reader.read("GET", "orders")
    assert len(server.seen) == 1


def test_requests_of_a_reading_are_bounded(server):
    """A service without an end is left in the end."""
    patience = ReadingPatience(pages=4)
    with reader_of(server, patience=patience) as reader:
        for _ in range(4):
            reader.read("GET", "orders")
        with pytest.raises(SourceError, match="4 requests"):
            reader.read("GET", "orders")
    assert len(server.seen) == 4


def test_keys_are_in_requests_only(server, caplog):
    """A key in the address or a header is in no log, repr or error."""
    caplog.set_level(logging.DEBUG)
    credential = Credential(kind="query", name="token", secret=Secret(lambda: KEY))
    server.reply = answer({}, status=500)
    with reader_of(server, credential=credential) as reader:
        with pytest.raises(SourceError) as caught:
            reader.read("GET", "orders")
        said = repr(reader) + repr(credential) + str(caught.value) + caplog.text
    assert server.seen[0].query["token"] == KEY
    assert KEY not in said


def test_credentials_stand_where_they_belong(server):
    """Bearer, basic with a user that is half of the key, and any header."""
    key = Secret(lambda: KEY)
    for credential, header, value in (
        (Credential(kind="bearer", secret=key), "authorization", f"Bearer {KEY}"),
        (
            Credential(kind="basic", user=Secret(lambda: "ck"), secret=key),
            "authorization",
            "Basic Y2s6YS1rZXktb2YtdGhlLXNob3A=",
        ),
        (
            Credential(kind="header", name="X-Key", prefix="token ", secret=key),
            "x-key",
            f"token {KEY}",
        ),
    ):
        with reader_of(server, credential=credential) as reader:
            reader.read("GET", "orders")
        assert server.seen[-1].headers[header] == value


def test_a_key_cannot_add_headers(server):
    """A secret with a line break in it is refused, and not shown."""
    credential = Credential(kind="bearer", secret=Secret(lambda: "a\r\nX-Evil: 1"))
    with (
        reader_of(server, credential=credential) as reader,
        pytest.raises(ConfigurationError, match="header") as caught,
    ):
        reader.read("GET", "orders")
    assert "X-Evil" not in str(caught.value)
    assert server.seen == []
