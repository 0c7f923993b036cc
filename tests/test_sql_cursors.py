"""A cursor of a database hides no change: texts whose order is not time are refused."""

import contextlib
import itertools
import sqlite3
from zoneinfo import ZoneInfo

import pytest

from memberops.adapters.sources import SourceContext
from memberops.adapters.sources.changes import merge_changes
from memberops.adapters.sources.sql_source import SqlSource
from memberops.domain import Currency
from memberops.errors import SourceError
from sql_scene import KINDS, till_of


@pytest.fixture(
    scope="module",
    params=[KINDS[0], *(pytest.param(k, marks=pytest.mark.nightly) for k in KINDS[1:])],
)
def shops(request, tmp_path_factory):
    """A table of stores whose cursor column is text."""
    with till_of(request.param, request, tmp_path_factory.mktemp("shops")) as till:
        till.run("CREATE TABLE shops (store_id {long}, changed {long})")
        yield till


def stand(till, *moments):
    """Let stores changed at some texts, and no other, be there."""
    till.run("DELETE FROM shops")
    till.fill(
        "shops", [{"store_id": f"S{n}", "changed": m} for n, m in enumerate(moments)]
    )


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("9", "10"),
        ("v9", "v10"),
        ("31/10/2026 10:00", "05/11/2026 10:00"),
        ("12/30/2025", "01/05/2026"),
        ("2026年9月30日", "2026年10月5日"),
        ("2026-9-30 10:00", "2026-10-05 10:00"),
        ("2026/9/30", "2026/10/5"),
        ("2026-11-05 11:00 PM", "2026-11-05 12:30 PM"),
        ("2026-11-05T14:03:00+08:00", "2026-11-05T07:30:00Z"),
        ("2026-11-05T14:03:00+08:00", "2026-11-05T07:30:00+01:00"),
        ("2026-11-07 14:07:00", "2026-11-07"),
        ("2026-11-07 14:07", "20261107"),
        ("王小明", "李四"),
    ],
)
def test_texts_that_do_not_sort_as_time_are_refused(shops, first, later):
    """At the latest when the change comes that would be lost; no text is shown."""
    source = shops.source(table="shops", cursor="changed")
    stand(shops, first, later)
    with pytest.raises(SourceError, match="whose order is not that of time") as error:
        source.changes("stores", since=None)
    assert first not in str(error.value)
    assert source.read("stores").accepted == 2


@pytest.mark.parametrize(
    "moments",
    [
        ("2026-09-30 10:00:00", "2026-10-05 10:00:00", "2026-10-05 10:00:00.5"),
        ("2026-09-30T10:00:00+08:00", "2026-10-05T10:00:00.25+08:00"),
        ("2026-09-30T10:00:00Z", "2026-10-05T10:00:00Z"),
        ("2026/09/30 10:00", "2026/10/05 10:00", "2026/10/05 10:01"),
        ("2026-09-30", "2026-10-05", "2026-10-05"),
        ("1762300000", "1762300100"),
        ("20260930100000", "20261005100000"),
        ("0009", "0010", "0010"),
        ("", None, "2026-10-05 10:00:00"),
    ],
)
@pytest.mark.parametrize("overlap", [None, 0])
def test_texts_that_sort_as_time_lose_nothing(shops, moments, overlap):
    """However the changes are parted between two readings, all are there after it."""
    for parted in range(1, len(moments)):
        source = shops.source(table="shops", cursor="changed", overlap=overlap)
        stand(shops, *moments[:parted])
        first = source.changes("stores", since=None)
        stand(shops, *moments)
        second = source.changes("stores", since=first.cursor)
        frame = merge_changes(merge_changes(None, first), second)
        assert sorted(frame["store_id"]) == [f"S{n}" for n in range(len(moments))]
        assert not second.whole


def test_a_reading_of_text_moments_begins_before_the_last_one(shops):
    """300 seconds by default, in the form of the texts, whatever it is."""
    forms = ("{}-{}-{} {}:{}:00", "{}/{}/{} {}:{}", "{}-{}-{}T{}:{}:00+08:00")
    for form, minute in itertools.product(forms, ("58", "57")):
        source = shops.source(table="shops", cursor="changed")
        newest = form.format(2026, 11, "05", "14", "03")
        stand(shops, newest)
        first = source.changes("stores", since=None)
        stand(shops, newest, form.format(2026, 11, "05", "13", minute))
        second = source.changes("stores", since=first.cursor)
        late = "S1" in set(second.result.frame["store_id"])
        assert late is (minute == "58"), form


@pytest.mark.parametrize(("overlap", "found"), [(None, True), (0, False)])
def test_a_version_that_is_committed_late_is_read(tmp_path, request, overlap, found):
    """Sequence 9 may be committed after 10: a reading begins 1 000 before the last."""
    with till_of("sqlite", request, tmp_path) as till:
        till.run("CREATE TABLE shops (store_id TEXT, version INTEGER)")
        till.run("INSERT INTO shops VALUES ('S1', 1008), ('S2', 1010)")
        source = till.source(table="shops", cursor="version", overlap=overlap)
        first = source.changes("stores", since=None)
        till.run("INSERT INTO shops VALUES ('LATE', 1009), ('OLD', 9)")
        came = set(
            source.changes("stores", since=first.cursor).result.frame["store_id"]
        )
        assert ("LATE" in came) is found
        assert "OLD" not in came


def test_a_cursor_of_another_database_reads_all(tmp_path, monkeypatch):
    """An address in the environment may move from a test to the real database."""
    for name in ("a", "b"):
        with contextlib.closing(sqlite3.connect(tmp_path / f"{name}.db")) as one:
            one.execute("CREATE TABLE shops (store_id TEXT, version INTEGER)")
            one.execute("INSERT INTO shops VALUES (?, ?)", (name, ord(name)))
            one.commit()
    context = SourceContext(
        folder=tmp_path, currency=Currency("CNY"), zone=ZoneInfo("Asia/Shanghai")
    )
    source = SqlSource(
        context, url={"env": "POS_URL"}, table="shops", cursor="version", overlap=0
    )
    came = []
    for address in ("sqlite:///b.db", "sqlite:///a.db", "sqlite:///a.db"):
        monkeypatch.setenv("POS_URL", address)
        since = came[-1].cursor if came else None
        came.append(source.changes("stores", since=since))
    assert [each.whole for each in came] == [True, True, False]
    assert [each.result.frame["store_id"].tolist() for each in came[1:]] == [["a"]] * 2
    assert "cursor-unknown" in [each.rule for each in came[1].result.findings]
    assert "a.db" not in came[1].cursor
