"""Promises of a snapshot: what was read stays as it was, or is replaced as a whole."""

import datetime as dt
import json
import os
import stat
import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changing_world import Server, ServerSource, member, ticket
from counts import examples
from memberops.adapters.sources.changes import SourceChanges
from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.frame_rows import read_frame
from memberops.adapters.sources.rejects import rejects_frame
from memberops.adapters.sources.snapshot import SnapshotSource
from memberops.adapters.sources.snapshot_folder import SnapshotFolder
from memberops.adapters.sources.snapshot_losses import LossLimits
from memberops.errors import MissingExtraError, SourceError, UnknownTableError
from memberops.testing import check_source, sales_frame

pytest.importorskip("pyarrow", reason="needs the extra parquet")
NOON = dt.datetime(2026, 11, 5, 12, tzinfo=dt.UTC)


class Offline:
    """A source whose network is gone."""

    def read(self, table):
        """Fail as an adapter does."""
        raise SourceError("no network")


class Given:
    """A source that gives what it holds, and cannot tell changes."""

    def __init__(self, frame, rejects=(), table="stores"):
        self.frame, self.rejects, self.table = frame, rejects, table

    def read(self, table):
        """Give all."""
        return SourceResult(
            table=self.table,
            frame=self.frame,
            rejects=rejects_frame(self.rejects),
            findings=(),
            rows_read=len(self.frame) + len(self.rejects),
        )


def stores(*rows):
    """A canonical table of stores."""
    return read_frame(
        pd.DataFrame(rows, columns=["store_id", "name"], dtype="str"), "stores"
    ).frame


def snapshot(source, folder="kept", **more):
    """A snapshot whose clock stands."""
    return SnapshotSource(source, folder, now=lambda: NOON, **more)


def counts(done):
    """The counts of a refresh."""
    return done.new, done.changed, done.gone, done.rows, done.rejected


def rules(result):
    """The rules of the findings."""
    return [finding.rule for finding in result.findings]


def test_a_snapshot_keeps_the_contract_of_sources():
    """It passes the checks of every source, for a table with a refused row."""
    server = Server()
    server.put("members", member("王小明"))
    server.put("members", member("李雷", joined="someday"))
    server.records["members"]["x"] = {
        "id": "", "lines": [{"name": "无名", "phone": "13900139000"}], "at": 1000,
    }  # fmt: skip
    kept = snapshot(ServerSource(server))
    kept.refresh(["members"])
    result = check_source(kept, "members")
    assert (result.accepted, result.rejected) == (2, 1)
    assert "王小明" not in repr(kept)


def test_reading_needs_no_network():
    """After a refresh the source behind may be gone, and every reading is the same."""
    kept = snapshot(Given(stores(("S1", "一店"))))
    kept.refresh(["stores"])
    result = snapshot(Offline()).read("stores")
    pd.testing.assert_frame_equal(result.frame, stores(("S1", "一店")))
    assert "2026-11-05 12:00 UTC" in result.findings[0].describe("en")
    assert kept.tables == ("stores",)


def test_what_was_never_refreshed_says_how():
    """No table is empty because nobody fetched it."""
    with pytest.raises(SourceError, match="memberops refresh"):
        snapshot(Offline()).read("stores")
    with pytest.raises(UnknownTableError):
        snapshot(Offline()).read("store")
    with pytest.raises(UnknownTableError):
        snapshot(Offline()).refresh(["store"])


def test_a_refresh_counts_records():
    """New, changed and gone are records: a ticket is one, whatever its lines."""
    server = Server()
    for lines in ([1], [2, 3], [4]):
        server.put("sales", ticket(*lines))
    kept = snapshot(ServerSource(server))
    assert counts(kept.refresh(["sales"])[0]) == (3, 0, 0, 4, 0)
    server.put("sales", ticket(2, 9), key=("S2",))
    server.put("sales", ticket(5))
    server.delete("sales", ("S1",))
    (done,) = kept.refresh(["sales"])
    assert counts(done) == (1, 1, 1, 4, 0)
    assert not done.whole
    assert counts(kept.refresh(["sales"])[0]) == (0, 0, 0, 4, 0)
    assert counts(kept.refresh(["sales"], whole=True)[0]) == (0, 0, 0, 4, 0)


def test_a_source_without_changes_is_read_whole():
    """What it no longer gives is gone."""
    source = Given(stores(("S1", "a"), ("S2", "b")))
    kept = snapshot(source)
    kept.refresh(["stores"])
    source.frame = stores(("S2", "B"), ("S3", "c"))
    (done,) = kept.refresh(["stores"])
    assert counts(done) == (1, 1, 1, 2, 0)
    assert done.whole
    assert kept.read("stores").frame["name"].tolist() == ["B", "c"]


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["put", "delete", "refresh", "bad", "cursor-gone"]),
        st.integers(0, 4),
        st.lists(st.integers(1, 9), min_size=1, max_size=3),
    ),
    max_size=14,
)


@examples(1 / 4)
@given(EVENTS)
def test_refreshes_since_give_what_one_whole_reading_gives(events):
    """Whatever happens between them: rows, refused rows and their number agree."""
    server, where = Server(), Path("any")
    for file in where.glob("*"):
        file.unlink()
    kept = snapshot(ServerSource(server), where)
    for kind, at, lines in [*events, ("refresh", 0, [])]:
        name = f"T{at}"
        if kind == "put":
            server.put("sales", ticket(*lines), key=(name,))
        elif kind == "bad":
            broken = [{**ticket(1)[0], "sold_on": "someday"}]
            server.put("sales", [*ticket(*lines[1:]), *broken], key=(name,))
        elif kind == "delete" and name in server.records["sales"]:
            server.delete("sales", (name,))
        elif kind == "cursor-gone":
            server.fault(kind)
        elif kind == "refresh":
            # How much may go at once is another promise.
            kept.refresh(["sales"], allow_loss=True)
    whole, mine = ServerSource(server).read("sales"), kept.read("sales")
    order = ["ticket_id", "item_id", "quantity"]
    pd.testing.assert_frame_equal(
        mine.frame.sort_values(order, ignore_index=True),
        whole.frame.sort_values(order, ignore_index=True),
    )
    assert sorted(mine.rejects["raw"]) == sorted(whole.rejects["raw"])


def test_a_record_that_is_refused_now_leaves_and_is_told():
    """Its old figures would be wrong; the finding counts it, and the row is kept."""
    server = Server()
    server.put("sales", ticket(1))
    server.put("sales", ticket(2))
    kept = snapshot(ServerSource(server))
    kept.refresh(["sales"])
    server.put("sales", [{**ticket(3)[0], "sold_on": "someday"}], key=("S1",))
    (done,) = kept.refresh(["sales"])
    assert counts(done) == (0, 0, 1, 1, 1)
    assert "record-refused-now" in rules(done)
    # It is still refused after readings in which it does not come again.
    server.second += 100
    server.put("sales", ticket(4))
    kept.refresh(["sales"])
    server.second += 100
    kept.refresh(["sales"])
    result = kept.read("sales")
    assert result.rejected == 1
    (told,) = [each for each in result.findings if each.rule == "date-unreadable"]
    assert told.count == 1
    assert "at an earlier reading" in told.describe("en")
    # Once it is mended, nothing tells of it.
    server.put("sales", ticket(3), key=("S1",))
    assert counts(kept.refresh(["sales"])[0]) == (1, 0, 0, 3, 0)
    assert "date-unreadable" not in rules(kept.read("sales"))


def test_a_whole_reading_that_loses_rows_is_told():
    """Fewer rows beside refused ones are a warning, and none at all an error."""
    source = Given(stores(("S1", "a"), ("S2", "b")))
    kept = snapshot(source)
    kept.refresh(["stores"])
    source.frame = stores(("S1", "a"))
    source.rejects = [("f", 2, "store_id", "bad", "no", "不", ",b")]
    assert "rows-gone" in rules(kept.refresh(["stores"])[0])
    source.frame, source.rejects = stores(), ()
    assert "table-emptied" in rules(kept.refresh(["stores"], allow_loss=True)[0])


def test_a_snapshot_is_not_emptied_by_a_source_that_gives_nothing():
    """A right that was taken away does not delete the only good copy."""
    source = Given(stores(*((f"S{n}", "a") for n in range(30))))
    kept = snapshot(source)
    kept.refresh(["stores"])
    bad = ("f", 2, "store_id", "cell-missing", "no", "不", ",b")
    for rows, rejects in ((), [bad]), ([("S1", "a")], []), ([], [bad] * 30):
        source.frame, source.rejects = stores(*rows), rejects
        with pytest.raises(SourceError, match="of 30 records of stores") as error:
            kept.refresh(["stores"])
        assert ("cell-missing" in str(error.value)) is bool(rejects)
        assert len(kept.read("stores").frame) == 30
    assert kept.refresh(["stores"], allow_loss=True)[0].gone == 30

    source.frame, source.rejects = stores(*((f"S{n}", "a") for n in range(9))), []
    kept.refresh(["stores"])
    source.frame = stores(("S1", "a"))
    assert kept.refresh(["stores"])[0].gone == 8
    strict = snapshot(source, losses=LossLimits(share=0.1, records=1))
    source.frame = stores(("S2", "a"))
    with pytest.raises(SourceError, match="1 of 1 records"):
        strict.refresh(["stores"])


def test_a_loss_of_tickets_is_measured_against_tickets():
    """70 of 100 tickets are too much, however many lines each of them has."""

    def tickets(count, lines=10):
        return sold(*((f"T{n}", 100) for n in range(count) for _ in range(lines)))

    source = Given(tickets(100), table="sales")
    kept = snapshot(source)
    kept.refresh(["sales"])
    source.frame = tickets(30)
    with pytest.raises(SourceError, match="70 of 100 records of sales"):
        kept.refresh(["sales"])
    # Fewer lines a ticket, and half of the tickets, may go.
    source.frame = tickets(50, lines=1)
    assert counts(kept.refresh(["sales"])[0]) == (0, 50, 50, 50, 0)


FIRST, LAST = (pd.Timestamp(f"{year}-01-01").to_pydatetime() for year in (1700, 2250))
AMOUNTS = st.one_of(
    st.sampled_from([2**63 - 1, -(2**63), 0]), st.integers(-(10**6), 10**6)
)


@examples(1 / 4)
@given(st.lists(st.tuples(AMOUNTS, st.none() | AMOUNTS, st.none() | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=5), st.none() | st.datetimes(
    FIRST, LAST)), max_size=6))  # fmt: skip
def test_types_and_values_come_back_exactly(rows):
    """Money to the last unit, gaps as gaps, moments to the microsecond, any text."""
    amounts, prices, names, moments = zip(*rows, strict=True) if rows else ((),) * 4
    frame = pd.DataFrame(
        {
            "ticket_id": pd.Series([str(at) for at in range(len(rows))], dtype="str"),
            "sold_on": pd.Series(
                np.array(["2026-11-05"] * len(rows), dtype="datetime64[us]")
            ),
            "sold_at": pd.Series(
                np.array(moments, dtype="datetime64[us]")
            ).dt.tz_localize("UTC"),
            "store_id": pd.Series(["S"] * len(rows), dtype="str"),
            "item_name": pd.Series(list(names), dtype="str"),
            "quantity": pd.Series([1] * len(rows), dtype="int64"),
            "unit_price": pd.Series(list(prices), dtype="Int64"),
            "amount": pd.Series(list(amounts), dtype="int64"),
        }
    )
    kept = snapshot(Given(frame, table="sales"), "types")
    kept.refresh(["sales"], allow_loss=True)
    pd.testing.assert_frame_equal(kept.read("sales").frame, frame)


def files():
    """What is in the folder, with its bytes."""
    return {each.name: each.read_bytes() for each in Path("kept").iterdir()}


@pytest.mark.parametrize("crash", range(3))
def test_a_crash_between_files_never_mixes_old_and_new(crash, monkeypatch):
    """Whichever file is not written, the old table is read; the next refresh works."""
    source = Given(
        stores(("S1", "old")), [("f", 2, "store_id", "bad", "no", "不", "old")]
    )
    kept = snapshot(source)
    kept.refresh(["stores"])
    before, replace, done = files(), Path.replace, []

    def dying(self, target):
        if self.suffix == ".part":
            done.append(target)
            if len(done) > crash:
                raise KeyboardInterrupt
        return replace(self, target)

    source.frame = stores(("S1", "new"))
    source.rejects = [("f", 2, "store_id", "bad", "no", "不", "new")]
    monkeypatch.setattr(Path, "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        kept.refresh(["stores"])
    monkeypatch.undo()
    assert files().items() >= before.items()
    result = kept.read("stores")
    assert result.frame["name"].tolist() == result.rejects["raw"].tolist() == ["old"]
    kept.refresh(["stores"])
    result = kept.read("stores")
    assert result.frame["name"].tolist() == result.rejects["raw"].tolist() == ["new"]
    assert len(files()) == len(before)


def test_a_process_that_dies_leaves_no_lock():
    """The lock is the system's: a killed refresh does not lock the office out."""
    code = (
        "import os\n"
        "from memberops.adapters.sources.snapshot_folder import SnapshotFolder\n"
        "with SnapshotFolder('kept').locked('stores'):\n"
        "    open('kept/.stores-x.part', 'w').close()\n"
        "    os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603 - ours
    assert done.returncode == 9
    snapshot(Given(stores(("S1", "a")))).refresh(["stores"])
    assert not list(Path("kept").glob("*.part"))


def test_two_refreshes_of_one_table_do_not_meet():
    """The second is refused while the first works; another table may be refreshed."""
    with SnapshotFolder(Path("kept")).locked("stores"):
        with pytest.raises(SourceError, match="somebody else"):
            snapshot(Given(stores())).refresh(["stores"])
        server = Server()
        server.put("sales", ticket(1))
        snapshot(ServerSource(server)).refresh(["sales"])
    snapshot(Given(stores(("S1", "a")))).refresh(["stores"])


def test_a_reader_that_meets_a_refresh_reads_the_new_table(monkeypatch):
    """The files of the manifest that it read are swept away: it reads again."""
    source = Given(stores(("S1", "old")))
    kept = snapshot(source)
    kept.refresh(["stores"])
    load, once = SnapshotFolder._load, []

    def slowly(self, table, told):
        if not once:
            once.append(1)
            source.frame = stores(("S1", "new"))
            kept.refresh(["stores"])
        return load(self, table, told)

    monkeypatch.setattr(SnapshotFolder, "_load", slowly)
    assert snapshot(Offline()).read("stores").frame["name"].tolist() == ["new"]


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
def test_only_the_owner_may_read():
    """Tables and refused rows hold personal values."""
    snapshot(Given(stores(("S1", "a")))).refresh(["stores"])
    assert stat.S_IMODE(Path("kept").stat().st_mode) == 0o700
    for each in Path("kept").iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600, each.name


def damage(file, change):
    """Change a file."""
    file.write_bytes(change(file.read_bytes()))


HURTS = {
    "changed": lambda: damage(next(Path("kept").glob("*.parquet")), lambda d: d + b"x"),
    "absent": lambda: next(Path("kept").glob("*.parquet")).unlink(),
    "cut": lambda: damage(Path("kept/stores.json"), lambda data: data[:40]),
    "other": lambda: damage(Path("kept/stores.json"), lambda _: b"[]"),
    "elsewhere": lambda: damage(
        Path("kept/stores.json"),
        lambda data: data.replace(b'"file": "stores-', b'"file": "../stores-'),
    ),
    "later": lambda: damage(
        Path("kept/stores.json"),
        lambda data: data.replace(b'"format": 1', b'"format": 9'),
    ),
}


@pytest.mark.parametrize("hurt", HURTS.values(), ids=HURTS)
def test_damage_is_told_and_mended_by_a_refresh(hurt):
    """No figure rests on a damaged file, and the next refresh reads all anew."""
    kept = snapshot(Given(stores(("S1", "a"))))
    kept.refresh(["stores"])
    hurt()
    with pytest.raises(SourceError, match="cannot be read"):
        kept.read("stores")
    assert "snapshot-damaged" in rules(kept.refresh(["stores"])[0])
    assert kept.read("stores").accepted == 1


def test_other_options_of_the_source_ask_for_a_whole_reading():
    """What was read under one mapping is not added to under another."""
    server = Server()
    server.put("sales", ticket(1))
    snapshot(ServerSource(server), origin="a").refresh(["sales"])
    other = snapshot(ServerSource(server), origin="b")
    with pytest.raises(SourceError, match="other options"):
        other.read("sales")
    (done,) = other.refresh(["sales"])
    assert done.whole
    assert "snapshot-other-options" in rules(done)
    assert other.read("sales").accepted == 1


def test_a_source_that_fails_leaves_the_snapshot():
    """Old and told is better than none; what a plugin raises is not quoted."""
    snapshot(Given(stores(("S1", "a")))).refresh(["stores"])

    class Rude:
        def read(self, table):
            raise RuntimeError("王小明 13800138000")

    for source, told in ((Offline(), "no network"), (Rude(), "failed with Runtime")):
        with pytest.raises(SourceError, match=told) as caught:
            snapshot(source).refresh(["stores"])
        assert "1380" not in "".join(traceback.format_exception(caught.value))
    assert "in test_source_snapshot.py, line" in str(caught.value)
    with pytest.raises(SourceError, match="no SourceResult"):
        snapshot(type("Odd", (), {"read": lambda *_: 1})()).refresh(["stores"])
    with pytest.raises(SourceError, match="gave 'stores'"):
        snapshot(Given(stores(("S1", "a")))).refresh(["members"])
    assert snapshot(Offline()).read("stores").accepted == 1


class Changing(Given):
    """A plugin that tells changes, and not which records its rejects are."""

    def __init__(self, *readings, table="sales"):
        super().__init__(None, table=table)
        self.readings, self.asked = list(readings), []

    def changes(self, table, *, since):
        """Give the next reading; without cursor all that is good now."""
        self.asked.append(since)
        self.frame, self.rejects, *more = self.readings.pop(0)
        return SourceChanges(
            result=self.read(table), cursor=str(len(self.asked)), whole=since is None,
            refused=more,
        )  # fmt: skip


def sold(*rows, price=True):
    """Canonical sales; the price of one is an optional column."""
    lines = [(t, "2026-11-05", "S1", None, 1, "1.00") for t, _ in rows]
    frame = sales_frame(lines)
    amounts = pd.Series([amount for _, amount in rows], dtype="int64")
    frame = frame.assign(amount=amounts)
    return (
        frame.assign(unit_price=amounts)
        if price
        else frame.drop(columns="unit_price", errors="ignore")
    )


def test_amounts_stay_whole_when_a_column_is_missing_in_what_came():
    """A gap makes floats in pandas, and no float holds 9 007 199 254 740 993."""
    large = 2**53 + 1
    kept = snapshot(Changing(
        (sold(("T1", large)), []), (sold(("T2", 5), price=False), []),
        (sold(("T3", large)), []),
    ))  # fmt: skip
    for _ in range(3):
        kept.refresh(["sales"])
    frame = kept.read("sales").frame
    assert frame["unit_price"].dropna().tolist() == [large, large]
    assert str(frame["unit_price"].dtype) == "Int64"
    assert frame["ticket_id"].tolist() == ["T1", "T2", "T3"]


BAD = ("f", 2, "amount", "bad", "no", "不", "T1,x")


def test_a_refused_row_of_an_unknown_record_leaves_no_old_figure():
    """Without keys the table is read whole; with some it is told which is not known."""
    source = Changing(
        (sold(("T1", 100), ("T2", 5)), []),
        (sold(), [BAD]),
        (sold(("T2", 5)), [BAD]),
        (sold(("T3", 5)), [BAD, BAD], ("T2",), ()),
    )
    kept = snapshot(source)
    kept.refresh(["sales"])
    assert kept.refresh(["sales"])[0].whole
    assert kept.read("sales").frame["ticket_id"].tolist() == ["T2"]
    assert source.asked == [None, "1", None]
    (done,) = kept.refresh(["sales"])
    assert kept.read("sales").frame["ticket_id"].tolist() == ["T3"]
    (told,) = [e for e in done.findings if e.rule == "refused-record-unknown"]
    assert (told.count, told.severity.value) == (1, "warning")


def test_a_source_that_breaks_the_contract_is_refused_before_it_is_kept():
    """Money as floats, moments as text, two rows of one key: nothing is written."""
    floats = sold(("T1", 100)).assign(amount=1.5)
    texts = sold(("T1", 100)).assign(sold_on="2026-11-05")
    for frame, table, told in (
        (floats, "sales", "'amount' as float64"),
        (texts, "sales", "'sold_on' as"),
        (pd.concat([stores(("S1", "a"))] * 2), "stores", "1 rows whose 'store_id'"),
    ):
        with pytest.raises(SourceError, match=told):
            snapshot(Given(frame, table=table)).refresh([table])
    assert not list(Path("kept").glob("*.parquet"))


def test_values_that_are_no_text_are_refused_without_a_word_of_them():
    """What a plugin gives in a column of texts is in no error that comes of it."""
    kept = snapshot(Given(stores(("S1", "一店"))))
    kept.refresh(["stores"])
    for name in ([7, "13800138000"], ["13800138000", 7]):
        frame = stores(("S1", ""), ("S2", ""))
        frame["name"] = pd.Series(name, dtype=object)
        with pytest.raises(SourceError, match=r"^the table stores .*texts") as error:
            snapshot(Given(frame)).refresh(["stores"])
        assert "138001" not in "".join(traceback.format_exception(error.value))
        assert kept.read("stores").frame["name"].tolist() == ["一店"]


def test_without_pyarrow_the_extra_is_named(monkeypatch):
    """Who lacks it is told what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match="parquet"):
        snapshot(Given(stores(("S1", "a")))).refresh(["stores"])


def test_no_manifest_holds_a_personal_value():
    """Names and phones are in the Parquet files alone."""
    server = Server()
    server.put("members", member("王小明", "13912345678", "someday"))
    snapshot(ServerSource(server)).refresh(["members"])
    text = Path("kept/members.json").read_text("utf-8")
    assert json.loads(text)["table"] == "members"
    assert "王小明" not in text
    assert "13912345678" not in text
