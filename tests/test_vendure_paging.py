"""Promises of reading Vendure's lists, which are counted and not keyed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memberops.adapters.sources.rest_source import WebServer
from memberops.adapters.sources.vendure_api import VendureSession
from memberops.adapters.sources.vendure_source import VendureSource
from memberops.errors import SourceError
from pos_checks import CONTEXT
from sms_server import SmsServer, answer

SERVER = WebServer.of(
    CONTEXT, "http://127.0.0.1:1", patience={"first_pause": 0.0001, "attempts": 3}
)

READER = SERVER.open()


class Lists(VendureSession):
    """A session whose server is a list that changes between requests."""

    def __init__(self, ids, happen, *, page):
        super().__init__(SERVER, page=page)
        self.ids = list(ids)
        self._happen = happen
        self._reader = READER

    def _list(self, _name, _fields, options):
        self._happen(self.ids)
        found = self.ids[options["skip"] :][: options["take"]]
        return [{"id": str(own)} for own in found], len(self.ids)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_who_is_there_all_the_time_is_read_whatever_goes_meanwhile(data):
    """Deletions move records up to pages that were read; none is passed over."""
    ids = list(range(10, 10 + data.draw(st.integers(0, 25))))
    page = data.draw(st.integers(2, 6))
    gone = []

    def happen(there):
        many = data.draw(st.integers(0, min(3, len(there))))
        gone.extend(
            there.pop(data.draw(st.integers(0, len(there) - 1))) for _ in range(many)
        )

    session = Lists(ids, happen, page=page)
    read = {int(each["id"]) for each in session.pages("customers", "id")}
    assert set(ids) - set(gone) <= read <= set(ids)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_who_comes_meanwhile_hides_nobody(data):
    """A record that was changed while others are read comes in anywhere."""
    ids = list(range(0, 20 * data.draw(st.integers(0, 9)), 20))
    new = iter(data.draw(st.lists(st.integers(0, 200), max_size=4)))
    came = set()

    def happen(there):
        own = next(new, None)
        if own is not None and own not in there:
            came.add(own)
            there[:] = sorted([*there, own])

    session = Lists(ids, happen, page=3)
    try:
        read = {int(each["id"]) for each in session.pages("customers", "id")}
    except SourceError:
        # Told, and nothing taken over: the next reading has them all.
        return
    assert set(ids) <= read <= set(ids) | came


@pytest.fixture
def server():
    """A server that says what a test gives it."""
    made = SmsServer()
    yield made
    made.close()


def source(server, **options):
    """Return a source of it that asks once."""
    given = {"user": "office", "password": lambda: "canary-password"} | options
    return VendureSource(CONTEXT, url=server.url, patience={"attempts": 1}, **given)


@pytest.mark.parametrize(
    "document",
    [
        {"data": {"login": {"__typename": "InvalidCredentialsError"}}},
        {"data": {"login": {"__typename": "CurrentUser"}}},
        {"errors": [{"message": "canary", "extensions": {"code": "FORBIDDEN"}}]},
        {"errors": [{"message": "canary"}]},
        {"errors": [{"extensions": {"code": "INTERNAL_SERVER_ERROR"}}]},
        {"data": None},
        [1],
        "x",
    ],
)
def test_an_answer_that_is_not_vendures_is_told_without_its_words(server, document):
    """A wrong password, cookies only, a refusal, or another server altogether."""
    server.reply = answer(document)
    with pytest.raises(SourceError) as told:
        source(server).read("members")
    assert "canary" not in str(told.value)


def test_a_session_is_never_in_a_cookie_and_never_logged_out(server):
    """The token goes in a header; Vendure would log out others with this one."""
    headers = [("vendure-auth-token", "t"), ("Set-Cookie", "session=evil; path=/")]
    logged_in = {"data": {"login": {"__typename": "CurrentUser"}}}
    page = {"items": [{"id": "1", "code": "S1", "seller": None}], "totalItems": 1}

    def reply(seen):
        login = "login" in seen.json["query"]
        return answer(
            logged_in if login else {"data": {"channels": page}}, headers=headers
        )

    server.reply = reply
    frame = source(server).read("stores").frame
    assert frame["store_id"].tolist() == ["S1"]
    assert [each.headers.get("cookie") for each in server.seen] == [None, None]
    assert server.seen[1].headers["authorization"] == "Bearer t"
    assert not [each for each in server.seen if "logout" in each.json["query"]]
    # By a key nobody logs in.
    server.seen.clear()
    by_key = {"user": "", "password": None, "key": lambda: "k"}
    source(server, **by_key).read("stores")
    assert [each.headers.get("vendure-api-key") for each in server.seen] == ["k"]


def test_only_what_is_asked_for_is_in_a_query(server):
    """Fields of the chain's own are added to those of every reading."""
    page = {"items": [], "totalItems": 0}
    server.reply = answer({"data": {"customers": page}})
    made = source(
        server, user="", password=None, key=lambda: "k",
        member_fields={"birth_date": "customFields.birthday"},
    )  # fmt: skip
    assert made.read("members").accepted == 0
    assert "customFields { birthday }" in server.seen[-1].json["query"]
