"""A table of mostly bad rows: each is counted, and a bounded number is listed."""

import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from csv_reading import GOOD as GOOD_LINE
from csv_reading import SALES as HEADS
from csv_reading import read as read_text
from excel_files import CNY, SHANGHAI
from excel_files import read as read_book
from memberops.adapters.sources.contract import SourceContext, SourceResult
from memberops.adapters.sources.csv_source import CsvSource
from memberops.adapters.sources.frame_rows import read_frame
from memberops.adapters.sources.joined_source import JoinedSource
from memberops.adapters.sources.limits import ReadingLimits
from memberops.adapters.sources.rejects import rejects_frame
from memberops.adapters.sources.rest_source import rest_source
from memberops.adapters.sources.snapshot import SnapshotSource
from memberops.adapters.sources.sql_source import SqlSource
from memberops.errors import InvalidValueError
from memberops.testing import check_source
from sms_server import SmsServer, answer

TWO = {"rejects": 2}
CONTEXT = SourceContext(folder=Path(), currency=CNY, zone=SHANGHAI)
MEMBERS = [("", "无"), ("M1", "甲"), ("", "无"), ("M1", "乙"), ("", "无"), ("M2", "丙")]


def context(tmp_path):
    """Return a chain in a folder."""
    return SourceContext(folder=tmp_path, currency=CNY, zone=SHANGHAI)


def of_csv(_folder):
    """Read values that are bad, from a text."""
    lines = "".join(f"{own},{name}\n" for own, name in MEMBERS)
    return read_text("会员号,姓名\n" + lines, "members", limits=TWO)


def of_broken_csv(_folder):
    """Read lines that cannot be parted, and one whose value is bad."""
    bad = "x,y,z\n" * 3
    return read_text(f"会员号,姓名\n{bad}M1,甲\n,无\nM2,丙\n", "members", limits=TWO)


def of_excel(_folder):
    """Read a sheet."""
    return read_book([["会员号", "姓名"], *MEMBERS], "members", limits=TWO)


def of_sql(folder):
    """Read a table of SQLite."""
    with sqlite3.connect(folder / "till.db") as till:
        till.execute("CREATE TABLE members (member_id TEXT, name TEXT)")
        till.executemany("INSERT INTO members VALUES (?, ?)", MEMBERS)
    till.close()
    url = f"sqlite:///{folder / 'till.db'}"
    source = SqlSource(context(folder), url=url, table="members", limits=TWO)
    return check_source(source, "members")


def of_rest(_folder):
    """Read a web service."""
    pytest.importorskip("httpx2", reason="needs the extra 'pos'")
    columns = {"member_id": "no", "name": "name"}
    server = SmsServer()
    records = [{"id": at, "no": n, "name": m} for at, (n, m) in enumerate(MEMBERS)]
    server.reply = answer(records)
    try:
        members = {"path": "members", "columns": columns}
        return rest_source(
            CONTEXT, base_url=server.url, members=members, limits=TWO
        ).read("members")
    finally:
        server.close()


def of_frame(_folder):
    """Take a frame of a host."""
    frame = pd.DataFrame(MEMBERS, columns=["member_id", "name"])
    return read_frame(frame, "members", limits=ReadingLimits.of(TWO))


WAYS = [of_csv, of_broken_csv, of_excel, of_sql, of_rest, of_frame]


@pytest.mark.parametrize("way", WAYS)
def test_each_bad_row_is_counted_and_the_first_ones_are_listed(way, tmp_path):
    """Of six rows four are bad: all count, two are listed, and a finding says so."""
    result = way(tmp_path)

    assert (result.rows_read, result.accepted, result.rejected) == (6, 2, 4)
    assert (len(result.rejects), result.unlisted) == (2, 2)
    first, second = result.rejects["line"]
    assert first < second
    assert second <= result.rejects["line"].min() + 2
    assert result.frame["member_id"].tolist() == ["M1", "M2"]
    (told,) = [f for f in result.findings if f.rule == "rejects-unlisted"]
    assert told.count == 2
    for language in ("en", "zh"):
        assert "rejects" in told.describe(language)
        assert len(told.describe(language)) < 250
    errors = [f for f in result.findings if f.severity.value == "error"]
    assert sum(finding.count for finding in errors) == 4


def test_a_table_at_its_limit_tells_nothing_of_it():
    """As many bad rows as may be listed are all listed, in whichever way bad."""
    for bad in ("T1\n", "T1,2026-13-45,S1,1,5\n"):
        rows = HEADS + GOOD_LINE + bad * 5
        for most, unlisted in ((5, 0), (4, 1)):
            result = read_text(rows, limits={"rejects": most})
            assert (result.rejected, result.unlisted) == (5, unlisted)
            rules = [finding.rule for finding in result.findings]
            assert ("rejects-unlisted" in rules) == bool(unlisted)


def test_damaged_lines_beyond_the_limit_are_counted_by_reason():
    """Lines of too many and of too few cells keep their counts when not listed."""
    bad = "x\n" * 3 + "a,b,c,d,e,f\n" * 4
    for listed in (1, 5):
        result = read_text(
            HEADS + bad + GOOD_LINE, limits={"rejects": listed, "examples": 2}
        )
        counted = dict.fromkeys(("too-few-cells", "too-many-cells"), 0)
        for finding in result.findings:
            if finding.rule in counted:
                counted[finding.rule] += finding.count
        assert counted == {"too-few-cells": 3, "too-many-cells": 4}
        assert (result.accepted, result.rejected) == (1, 7)


def test_files_and_sources_that_are_joined_add_up(tmp_path):
    """The limit is one of each file, and no count is lost in joining."""
    for name in "ab":
        rows = HEADS + GOOD_LINE.replace("T1", name) + "x\n" * 3
        (tmp_path / f"{name}.csv").write_text(rows)
    source = CsvSource(context(tmp_path), path="*.csv", limits=TWO)

    assert source.read("sales").rejected == 6
    result = JoinedSource(source, source).read("sales")
    assert (result.accepted, len(result.rejects), result.unlisted) == (4, 8, 4)


def test_a_snapshot_keeps_the_count_and_is_read_whole_until_all_are_listed(tmp_path):
    """Which unlisted rows came right is told by no increment, so none is asked for."""
    pytest.importorskip("pyarrow", reason="needs the extra parquet")
    path = tmp_path / "till.db"
    with sqlite3.connect(path) as till:
        till.execute("CREATE TABLE m (member_id TEXT, name TEXT, at INTEGER, d TEXT)")
        till.executemany(
            "INSERT INTO m VALUES (?, '甲', ?, NULL)",
            [(None if at < 4 else f"M{at}", at) for at in range(6)],
        )
    source = SqlSource(
        context(tmp_path),
        url=f"sqlite:///{path}",
        tables={"members": {"table": "m", "cursor": "at"}},
        limits=TWO,
    )
    kept = SnapshotSource(source, tmp_path / "kept")

    (done,) = kept.refresh(["members"])
    assert (done.rows, done.rejected) == (2, 4)
    result = check_source(kept, "members")
    assert (result.rows_read, result.rejected, result.unlisted) == (6, 4, 2)
    till.execute("UPDATE m SET member_id = 'N' || at, at = at + 10 WHERE at < 3")
    till.commit()
    (done,) = kept.refresh(["members"])
    assert (done.whole, done.rows, done.rejected) == (True, 5, 1)
    assert kept.read("members").unlisted == 0
    assert not kept.refresh(["members"])[0].whole
    till.execute(
        "INSERT INTO m VALUES ('', '', 20, ''), ('', '', 20, ''), ('','',20,'')"
    )
    till.commit()
    changes = source.changes(
        "members", since=source.changes("members", since=None).cursor
    )
    assert changes.result.unlisted
    assert changes.refused == ()
    (done,) = kept.refresh(["members"])
    assert (done.whole, done.rejected) == (True, 4)
    till.close()


def test_duplicates_beyond_those_that_are_named_cost_one_reason(monkeypatch):
    """A key that stands in each row: the first say which row they repeat."""
    monkeypatch.setattr("memberops.adapters.sources.canonical_rows._MOST_NAMED", 2)
    result = read_frame(pd.DataFrame({"store_id": ["S1"] * 5}), "stores")

    texts = result.rejects["reason_en"].tolist()
    assert texts[:2] == ["the same store_id stands in row 1"] * 2
    assert texts[2:] == ["the same store_id stands in an earlier row"] * 2
    (_, last) = [f for f in result.findings if f.rule == "duplicate-key"][-2:]
    assert last.count == 1


def test_texts_beyond_those_that_are_shown_share_a_reason(monkeypatch):
    """Each text wrong in its own way is quoted, up to a bound."""
    monkeypatch.setattr("memberops.adapters.sources.column_values._MOST_SHOWN", 2)
    rows = "".join(f"T{n},2026-11-05,S1,1,{n}.001\n" for n in range(5))

    texts = read_text(HEADS + rows).rejects["reason_en"].tolist()

    assert [text.partition(":")[0] for text in texts[:2]] == ["'0.001'", "'1.001'"]
    assert len(set(texts[2:])) == 1
    assert "0" not in texts[2].partition(";")[0].replace("2 decimal", "")


@pytest.mark.parametrize("count", [-1, True, 1.0, "1"])
def test_what_is_no_count_of_unlisted_rows_is_refused(count):
    """A plugin cannot make rows up, or make them vanish."""
    with pytest.raises(InvalidValueError, match="count from 0 on"):
        SourceResult(
            table="stores", frame=pd.DataFrame({"store_id": ["S1"]}),
            rejects=rejects_frame([]), findings=(), rows_read=1, unlisted=count,
        )  # fmt: skip
