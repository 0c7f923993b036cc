"""Promises of resources whose records say enough only together with others."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.rest_listing import all_records
from memberops.adapters.sources.rest_resource import Lines, Paging, RestResource
from memberops.adapters.sources.rest_source import RestSource, WebServer
from memberops.domain import Currency
from memberops.errors import SourceError
from sms_server import SmsServer, answer

pytest.importorskip("httpx2", reason="needs the extra 'pos'")

CONTEXT = SourceContext(
    folder=Path(), currency=Currency("CNY"), zone=ZoneInfo("Asia/Shanghai")
)
PEOPLE = [{"id": str(own), "name": f"n{own}"} for own in range(5)]
ACCOUNTS = [{"id": f"a{own}", "of": str(own)} for own in (3, 1, 4)]


def page_of(seen):
    """Answer with two records after the last one that is named."""
    known = PEOPLE if "people" in seen.target else ACCOUNTS
    after = seen.target.partition("after=")[2]
    ids = [each["id"] for each in known]
    at = ids.index(after) + 1 if after else 0
    return answer({"data": known[at : at + 2]})


def listed(path, **more):
    """Return a resource that is read two by two."""
    return RestResource(
        path=path,
        records="data",
        lines=(Lines(columns={"member_id": "person.id", "name": "person.name"}),),
        paging=Paging(kind="key", field="after", size=2),
        **more,
    )


def test_records_are_joined_with_those_of_another_list():
    """Each account has its person, though pages of both were read one by one."""
    asked = []

    def joined(reader, accounts):
        asked.append([each["id"] for each in accounts])
        people = {each["id"]: each for each in all_records(reader, listed("people"))}
        return [{**each, "person": people[each["of"]]} for each in accounts]

    server = SmsServer()
    server.reply = page_of
    try:
        source = RestSource(
            CONTEXT,
            WebServer.of(CONTEXT, server.url, sleep=lambda _: None),
            {"members": listed("accounts", together=joined)},
        )
        frame = source.read("members").frame
    finally:
        server.close()
    assert asked == [["a3", "a1", "a4"]]
    assert frame[["member_id", "name"]].values.tolist() == [
        ["3", "n3"],
        ["1", "n1"],
        ["4", "n4"],
    ]


@pytest.fixture
def joined():
    """Return what is read of accounts whose people come by an answer of their own."""
    server = SmsServer()

    def read(said):
        def reply(seen):
            return answer(said) if "people" in seen.target else page_of(seen)

        def together(reader, accounts):
            all_records(
                reader,
                RestResource(
                    path="people",
                    records="data",
                    lines=(),
                    paging=Paging(
                        kind="cursor", field="at", next="at", size_field="most", size=2
                    ),
                ),
            )
            return [{"person": each} for each in accounts]

        server.reply = reply
        accounts = listed("accounts", together=together)
        source = RestSource(
            CONTEXT,
            WebServer.of(CONTEXT, server.url, sleep=lambda _: None),
            {"members": accounts},
        )
        return source.read("members")

    yield read
    server.close()


def test_a_list_to_join_that_may_go_on_is_told(joined):
    """A full page that says nothing of another may be the last one, or not."""
    (told,) = [
        each
        for each in joined({"data": PEOPLE[:2]}).findings
        if each.source == "people"
    ]
    assert told.rule == "pages-unread"
    assert "'most'" in told.message_en
    assert "'most'" in told.message_zh
    assert all(
        each.source != "people" for each in joined({"data": PEOPLE[:1]}).findings
    )


@pytest.mark.parametrize(
    "more", [{"has_more": True}, {"meta": {"next": "x"}}, {"total": 5}]
)
def test_a_list_to_join_that_goes_on_ends_the_reading(joined, more):
    """Of what is joined with half a list nobody would know what is wrong."""
    with pytest.raises(SourceError, match=r"^people: the answer says by '"):
        joined({"data": PEOPLE[:2], **more})
