"""Promises of the headers that a chain file has sent to a web service."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.rest_source import rest_source
from memberops.domain import Currency
from memberops.errors import ConfigurationError
from sms_server import SmsServer, answer

pytest.importorskip("httpx2", reason="needs the extra 'pos'")

CONTEXT = SourceContext(
    folder=Path(), currency=Currency("CNY"), zone=ZoneInfo("Asia/Shanghai")
)
PEOPLE = {"a": "Ann", "b": "Ben"}


@pytest.fixture
def server():
    """A service of two tenants, each of which has one member with the number 1."""
    one = SmsServer()
    one.reply = lambda seen: answer({
        "data": [{"id": 1, "name": PEOPLE[seen.headers["x-tenant"]],
                  "updated_at": "2026-11-05T08:00:00Z"}]
    })  # fmt: skip
    yield one
    one.close()


def source_of(url, headers):
    """Return a source that sends headers."""
    return rest_source(
        CONTEXT, base_url=url, headers=headers,
        members={
            "path": "members", "records": "data", "since": {"field": "since"},
            "columns": {"member_id": "id", "name": "name"},
        },
    )  # fmt: skip


def test_a_cursor_of_one_tenant_is_not_taken_for_anothers(server):
    """All of the other's is read, and told; what is a key may be renewed."""
    own = source_of(server.url, {"X-Tenant": "a", "X-Api-Key": "k3y"})
    cursor = own.changes("members", since=None).cursor
    other = source_of(server.url, {"X-Tenant": "b", "X-Api-Key": "k3y"})
    changes = other.changes("members", since=cursor)
    assert changes.whole
    assert changes.result.frame["name"].tolist() == ["Ben"]
    assert "cursor-unknown" in [each.rule for each in changes.result.findings]
    again = source_of(server.url, {"x-api-key": "n3w", "x-tenant": "a"})
    changes = again.changes("members", since=cursor)
    assert not changes.whole
    assert "k3y" not in cursor


@pytest.mark.parametrize(
    "wrong",
    [["X-Tenant"], {"X-Tenant": 7}, {"X Tenant": "s3cret"}, {"X-Tenant": "s3cret\n"},
     {"门店": "s3cret"}, {"X-Key": {"env": "s3cret"}}],
)  # fmt: skip
def test_headers_that_cannot_be_sent_are_refused_at_once(wrong):
    """They are told before a request is made, and without their values."""
    with pytest.raises(ConfigurationError, match="'headers' is a table") as caught:
        source_of("https://pos.example.com", wrong)
    assert "s3cret" not in str(caught.value)
