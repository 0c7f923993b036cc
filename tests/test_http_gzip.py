"""Promises of reading compressed answers: asked for only, whole, and bounded."""

import gzip
import zlib

import pytest

from memberops.adapters.sms.http import HttpClient, HttpLimits
from sms_server import SmsServer, answer

ASKED = {"Accept-Encoding": "gzip"}


@pytest.fixture
def ask():
    """Ask a server that answers with a compressed body; at most 10 000 bytes."""
    server = SmsServer()
    client = HttpClient(HttpLimits(body_bytes=10_000))

    def asked(body, headers):
        server.reply = answer(body=body, headers=[("Content-Encoding", "gzip")])
        return client.request("GET", server.url, headers=headers)

    yield asked
    client.close()
    server.close()


def test_a_compressed_answer_is_unpacked_where_it_was_asked_for(ask):
    """The body is what was packed; unasked it is no answer."""
    packed = gzip.compress(b'{"total": 19.90}')
    assert ask(packed, ASKED).body == b'{"total": 19.90}'
    unasked = ask(packed, {})
    assert (unasked.fate, unasked.reason, unasked.body) == ("lost", "Encoded", b"")


@pytest.mark.parametrize("size", [10_001, 50_000_000])
def test_a_small_bomb_never_becomes_a_large_body(ask, size):
    """What unpacks to more than the limit is refused."""
    bomb = gzip.compress(bytes(size))
    reply = ask(bomb[:9_000], ASKED) if len(bomb) > 9_000 else ask(bomb, ASKED)
    assert (reply.fate, reply.reason) == ("lost", "TooLarge")
    assert ask(gzip.compress(bytes(10_000)), ASKED).body == bytes(10_000)


@pytest.mark.parametrize(
    "body",
    [
        b"plain, though it is called gzip",
        gzip.compress(b"cut short")[:-9],
        zlib.compress(b"another packing"),
        b"",
    ],
    ids=["plain", "cut", "zlib", "empty"],
)
def test_what_cannot_be_unpacked_to_its_end_is_no_answer(ask, body):
    """A cut or false packing is lost, never half a body."""
    assert ask(body, ASKED).fate == "lost"
