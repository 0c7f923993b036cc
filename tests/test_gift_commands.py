"""Promises of the gift ledger and the stocktake on the command line, end to end."""

import csv
import datetime as dt
import io
import json
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pandas as pd
import pytest

from gift_chain import FILES, write_gift_chain
from ledger_databases import Server
from memberops import open_chain
from memberops.cli import main
from memberops.domain import Movement, Posting
from memberops.errors import (
    ConfigurationError,
    InvalidValueError,
    KeyConflictError,
    UnknownTableError,
)
from memberops.tables import COUNT_APPROVALS
from memberops.workflows import Chain, LedgerSettings

MONTH_END = "2026-10-31"


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL server of our own."""
    made = Server()
    yield made
    made.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request, tmp_path, monkeypatch):
    """The chain of `gift_chain`, with a ledger of each kind."""
    if request.param == "sqlite":
        return write_gift_chain(tmp_path)
    url = request.getfixturevalue("server").new_url()
    monkeypatch.setenv("GIFTS_AT", url)
    return write_gift_chain(tmp_path, 'store = "postgresql"\nurl_env = "GIFTS_AT"\n')


@pytest.fixture
def run(capsys):
    """Run a command; return status, output and errors."""

    def command(*given):
        status = main([str(each) for each in given])
        said = capsys.readouterr()
        return status, said.out, said.err

    return command


def rows_of(text):
    """Read what a command wrote on a pipe."""
    return list(csv.DictReader(io.StringIO(text)))


def imported(run, office, *more, name="movements.csv"):
    """Import the chain's movements."""
    file = office.parent / name
    return run("gifts", "import", file, "--chain", office, "--as-of", MONTH_END, *more)


def balances(run, office, *more):
    """Ask for the balances; return place, gift and quantity of each."""
    asked = ("--chain", office, "--as-of", MONTH_END, *more)
    status, out, err = run("gifts", "balance", *asked)
    found = {(r["库位"], r["礼品编号"]): int(r["数量"]) for r in rows_of(out)}
    # beside a bare heading, standard error says in words that there is nothing
    assert (status, "没有符合条件的记录" in err) == (0, not found)
    return found


def test_from_application_to_stocktake(run, office):
    """Movements come in once, a gift is given, counts correct the books: by hand."""
    status, out, err = imported(run, office, "--format", "json", "--language", "en")
    assert (status, err) == (1, "")  # for two were refused, and a row rejected
    assert imported(run, office, "--fail-on", "never")[0] == 0
    said = json.loads(out)
    assert said["explanation"] == [
        "rows read 8 = written 5 + there before 0 + refused 2 + rejected 1"
    ]
    by_hand = {
        ("warehouse", "CUP"): 80,
        ("warehouse", "PEN"): 40,
        ("store:S01", "CUP"): 17,
        ("store:S02", "PEN"): 10,
    }
    assert balances(run, office) == by_hand

    _, out, _ = imported(run, office, "--format", "json", "--language", "en")
    assert json.loads(out)["explanation"] == [
        "rows read 8 = written 0 + there before 5 + refused 2 + rejected 1"
    ]
    assert balances(run, office) == by_hand

    given = (
        "gifts", "issue", "--chain", office, "--issue", "R7", "--store", "S01",
        "--member", "M1", "--gift", "CUP", "--reason", "birthday", "--by", "E2",
        "--at", "2026-10-20T10:00+08:00",
    )  # fmt: skip
    assert run(*given)[0] == run(*given)[0] == 0
    assert balances(run, office)["store:S01", "CUP"] == 16

    papers = [
        part
        for name in ("counts", "reasons")
        for part in (f"--{name}", office.parent / f"{name}.csv")
    ]
    file = office.parent / "approvals.csv"
    stocktake = ("--chain", office, "--stocktake", "C1", *papers)
    asked = (*stocktake, "--as-of", MONTH_END)
    status, out, _ = run("stocktake", "differences", *asked)
    found = {(r["盘点地点"], r["礼品编号"]): r for r in rows_of(out)}
    assert {cell: row["差异数量"] for cell, row in found.items()} == {
        ("warehouse", "CUP"): "-1",
        ("warehouse", "PEN"): "0",
        ("store:S01", "CUP"): "1",
        ("store:S02", "PEN"): "",
    }
    assert found["warehouse", "CUP"]["待审批角色"] == "headquarters"
    assert balances(run, office)["warehouse", "CUP"] == 80

    approve = (
        "stocktake", "approve", *stocktake, "--approvals", file, "--by", "H1",
        "--role", "headquarters", "--at", "2026-10-21T09:00+08:00", "--format", "json",
        "--language", "en",
    )  # fmt: skip
    for said in ("now: 2; adjustments written: 2", "now: 0; adjustments written: 0"):
        status, out, err = run(*approve)
        assert (status, err) == (1, "")  # for a row of the counts was rejected
        assert json.loads(out)["explanation"][-1] == f"lines approved {said}"
    # 80 - 1 damaged; 17 counted as 18, and one given since.
    after = {**by_hand, ("warehouse", "CUP"): 79, ("store:S01", "CUP"): 17}
    assert balances(run, office) == after
    assert len(file.read_text("utf-8").splitlines()) == 3

    status, out, _ = run("stocktake", "summary", *asked, "--approvals", file)
    found = {(r["层级"], r["对象"]): r for r in rows_of(out)}
    assert found["门店", "S01"]["完成情况"] == "迟交"
    assert found["门店", "S02"]["完成情况"] == "缺交"
    assert found["总仓", "warehouse"]["完成情况"] == "按时"
    whole = found["连锁", "连锁"]
    names = ("盘点行数", "盘盈数量", "盘亏数量", "待处理行数")
    assert [whole[name] for name in names] == ["4", "1", "1", "0"]
    assert (whole["迟交处数"], whole["缺交处数"]) == ("1", "1")
    assert run("gifts", "verify", "--chain", office)[0] == 0


def test_who_counted_does_not_approve_and_a_small_role_is_not_enough(run, tmp_path):
    """A word that does not count is an error that says why, and nothing is written."""
    office = write_gift_chain(tmp_path)
    imported(run, office)
    file = tmp_path / "approvals.csv"
    for who, role, rule, why in (
        ("W1", "headquarters", "approval-counter", "who counted does not approve"),
        ("H1", "warehouse_manager", "approval-role-too-low", "may not approve it"),
    ):
        status, out, _ = run(
            "stocktake", "approve", "--chain", office, "--stocktake", "C1",
            "--counts", tmp_path / "counts.csv", "--reasons", tmp_path / "reasons.csv",
            "--approvals", file, "--by", who, "--role", role, "--place", "warehouse",
            "--at", "2026-10-21T09:00+08:00", "--format", "json", "--language", "en",
        )  # fmt: skip
        assert status == 1
        said = json.loads(out)
        assert (
            said["explanation"][-1] == "lines approved now: 0; adjustments written: 0"
        )
        found = {each["rule"]: each for each in said["findings"]}
        assert why in found[rule]["message"]
        assert "warehouse" in found[rule]["message"]
        assert not file.exists()
    assert balances(run, office)["warehouse", "CUP"] == 80


def test_an_approval_that_no_longer_counts_can_be_given_again(run, tmp_path):
    """Approved as -1 and recounted as -2: the new word counts, and is added once."""
    office = write_gift_chain(tmp_path)
    imported(run, office)
    file = tmp_path / "approvals.csv"
    file.write_text(
        ",".join(COUNT_APPROVALS.names)
        + "\nC1,warehouse,CUP,L1,-3,H1,headquarters,2026-10-20T01:00:00+00:00,yes\n",
        "utf-8",
    )
    for lines in (1, 0):
        _, out, _ = run(
            "stocktake", "approve", "--chain", office, "--stocktake", "C1",
            "--counts", tmp_path / "counts.csv", "--reasons", tmp_path / "reasons.csv",
            "--approvals", file, "--by", "H1", "--role", "headquarters",
            "--at", "2026-10-21T09:00+08:00", "--format", "json", "--language", "en",
            "--place", "warehouse",
        )  # fmt: skip
        said = json.loads(out)["explanation"][-1]
        assert said == f"lines approved now: {lines}; adjustments written: {lines}"
    assert balances(run, office)["warehouse", "CUP"] == 79


def test_approvals_are_not_added_to_another_table(run, tmp_path):
    """A file with other headings stays as it is."""
    office = write_gift_chain(tmp_path)
    imported(run, office)
    file = tmp_path / "approvals.csv"
    text = (
        "盘点单号,盘点地点,礼品编号,批次,差异数量,审批人,审批角色,审批时间,是否批准\n"
    )
    file.write_text(text, "utf-8")
    status, _, err = run(
        "stocktake", "approve", "--chain", office, "--stocktake", "C1",
        "--counts", tmp_path / "counts.csv", "--reasons", tmp_path / "reasons.csv",
        "--approvals", file, "--by", "H1", "--role", "headquarters",
        "--at", "2026-10-21T09:00+08:00",
    )  # fmt: skip
    assert (status, file.read_text("utf-8")) == (2, text)
    assert "stocktake_id,place,gift_id" in err


def test_no_answer_takes_the_place_of_another(run, tmp_path):
    """Every command of a day writes to names of its own."""
    office = write_gift_chain(tmp_path)
    imported(run, office)
    out = tmp_path / "out"
    books = ("--chain", office, "--as-of", MONTH_END)
    papers = ("--chain", office, "--stocktake", "C1", "--as-of", MONTH_END)
    counts = ("--counts", tmp_path / "counts.csv")
    asked = (
        ("gifts", "balance", *books),
        ("gifts", "balance", *books, "--place", "store:S01"),
        ("gifts", "movements", *books, "--since", "2026-10-05"),
        ("stocktake", "sheet", *papers, "--place", "warehouse"),
        ("stocktake", "differences", *papers, *counts),
        ("stocktake", "differences", *papers, *counts,
         "--reasons", tmp_path / "reasons.csv"),
        ("stocktake", "summary", *papers, *counts),
    )  # fmt: skip
    for number, each in enumerate(asked, 1):
        status, said, _ = run(*each, "--out", out)
        assert (status, len(list(out.glob("*.xlsx")))) == (0, number), said


def test_a_count_sheet_comes_back_as_counts(run, tmp_path):
    """
    The sheet that goes out holds the books of the cut-off, and can be read back.

    What has no row, the two lines of the stores, is as little counted as the pens.
    """
    office = write_gift_chain(tmp_path)
    imported(run, office)
    status, out, _ = run(
        "stocktake", "sheet", "--chain", office, "--stocktake", "C1",
        "--as-of", "2026-10-08", "--form", "warehouse_count_sheet",
    )  # fmt: skip
    assert status == 0
    sheet = pd.read_csv(io.StringIO(out), dtype=str)
    assert sheet["账面数量"].tolist() == ["80", "40"]
    sheet["实盘数量"] = ["80", None]
    sheet["盘点人"] = "W1"
    sheet.to_csv(tmp_path / "back.csv", index=False)

    status, out, _ = run(
        "stocktake", "count", tmp_path / "back.csv", "--chain", office,
        "--stocktake", "C1", "--as-of", "2026-10-08", "--format", "json",
    )  # fmt: skip
    assert json.loads(out)["explanation"] == [
        "读取 2 行 = 接收 2 + 拒收 0",
        "相符 1 行，盘盈 0 行，盘亏 0 行，未盘 3 行",
    ]


def test_csv_names_the_forms_that_it_leaves_out(run, tmp_path):
    """The sheet of the warehouse is not lost in silence; remarks are no problems."""
    office = write_gift_chain(tmp_path)
    given = ("stocktake", "sheet", "--chain", office, "--stocktake", "C1")
    status, out, err = run(*given, "--as-of", "2026-10-08", "--format", "csv")
    assert (status, len(rows_of(out))) == (0, 0)
    assert "总仓礼品盘点表 warehouse_count_sheet" in err
    assert "--form" in err
    assert "条数据问题" not in err
    asked = ("--as-of", "2026-10-08", "--language", "en", "--format", "csv")
    assert "warehouse_count_sheet" in run(*given, *asked)[2]
    assert "warehouse_count_sheet" not in run(
        *given, *asked, "--form", "store_count_sheet"
    )[2]  # fmt: skip


def test_an_export_fills_another_ledger_with_the_same(run, tmp_path):
    """CSV and journal go out and come in: same balances, same bytes, one reader."""
    office = write_gift_chain(tmp_path)
    imported(run, office)
    assert run("gifts", "export", tmp_path / "out.csv", "--chain", office)[0] == 0
    journal = tmp_path / "out.jsonl"
    assert run("gifts", "export", journal, "--journal", "--chain", office)[0] == 0
    mode = stat.S_IMODE((tmp_path / "out.csv").stat().st_mode)
    assert (mode, stat.S_IMODE(journal.stat().st_mode)) == (0o600, 0o600)

    other = tmp_path / "other"
    other.mkdir()
    second = write_gift_chain(other)
    (other / "out.csv").write_bytes((tmp_path / "out.csv").read_bytes())
    status, out, _ = imported(
        run, second, "--format", "json", "--language", "en", name="out.csv"
    )
    assert json.loads(out)["explanation"] == [
        "rows read 5 = written 5 + there before 0 + refused 0 + rejected 0"
    ]
    assert balances(run, second) == balances(run, office)
    with open_chain(second).ledger() as ledger, open_chain(office).ledger() as first:
        for key in ("R-1", "T-1", "T-2", "I-1"):
            assert ledger.entry(key).record == first.entry(key).record

    third = tmp_path / "third"
    third.mkdir()
    restored = write_gift_chain(third)
    assert run("gifts", "restore", journal, "--chain", restored)[0] == 0
    again = tmp_path / "again.jsonl"
    run("gifts", "export", again, "--journal", "--chain", restored)
    assert again.read_bytes() == journal.read_bytes()
    status, _, err = run("gifts", "restore", journal, "--chain", restored)
    assert status == 2
    assert "restore into an empty one" in err


def test_a_posting_of_which_a_row_was_rejected_is_not_written(run, tmp_path):
    """Half a posting would create or lose goods: the other half waits."""
    office = write_gift_chain(tmp_path)
    text = FILES["movements.csv"].replace("PEN,,,supplier,warehouse,50", "PEN,,,supplier,warehouse,fifty")  # fmt: skip # noqa: E501 - one replacement
    (tmp_path / "half.csv").write_text(text, "utf-8")

    status, out, _ = imported(
        run, office, "--format", "json", "--fail-on", "error", name="half.csv"
    )
    assert status == 1
    (form,) = json.loads(out)["forms"]
    shown = json.dumps(form, ensure_ascii=False)
    assert "该凭证有行被拒收" in shown
    assert ("warehouse", "CUP") not in balances(run, office)


def test_what_takes_effect_after_the_import_is_refused(run, tmp_path):
    """A year that is mistyped does not wait in the ledger."""
    office = write_gift_chain(tmp_path)
    text = FILES["movements.csv"].replace("2026-10-05 15:00", "2062-10-05 15:00")
    (tmp_path / "later.csv").write_text(text, "utf-8")

    _, out, _ = imported(run, office, name="later.csv")
    states = {row["凭证号"]: row["结果"] for row in rows_of(out)}
    assert states["I-1"] == "未入账"
    assert states["R-1"] == "已入账"


def test_movements_of_a_span_and_place(run, tmp_path):
    """The list holds what moved on the days asked for, from or to the place."""
    office = write_gift_chain(tmp_path)
    imported(run, office)
    status, out, _ = run(
        "gifts", "movements", "--chain", office, "--as-of", "2026-10-05",
        "--since", "2026-10-02", "--place", "store:S01",
    )  # fmt: skip
    assert status == 0
    assert [(r["凭证号"], r["生效时间"], r["数量"]) for r in rows_of(out)] == [
        ("T-1", "2026-10-02 09:00", "20"),
        ("I-1", "2026-10-05 15:00", "3"),
    ]


def test_a_posting_from_the_command_line_counts_once(run, tmp_path):
    """The same key twice is told, other contents are an error, and it can go back."""
    office = write_gift_chain(tmp_path)
    given = [
        "gifts", "post", "--chain", office, "--key", "P1", "--kind", "receipt",
        "--gift", "PEN", "--quantity", "7", "--from", "supplier", "--to", "warehouse",
        "--at", "2026-10-01T09:00+08:00", "--refers-to", "order=B7",
    ]  # fmt: skip
    assert [row["结果"] for row in rows_of(run(*given)[1])] == ["已入账"]
    assert [row["结果"] for row in rows_of(run(*given)[1])] == ["已存在，未重复入账"]
    given[given.index("7")] = "8"
    status, out, err = run(*given)
    assert (status, out) == (2, "")
    assert "同一编号的内容不一致" in err
    assert len(err.splitlines()) == 1
    back = (
        "gifts", "reverse", "--chain", office, "--posting", "P1", "--key", "P1-back",
        "--at", "2026-10-02T09:00+08:00", "--by", "E1",
    )  # fmt: skip
    assert run(*back)[0] == 0
    assert balances(run, office) == {}


def test_an_issue_without_stock_leaves_its_number_free(run, tmp_path):
    """Too few are there: nothing is posted, the text says so, and later it is given."""
    office = write_gift_chain(tmp_path)
    given = (
        "gifts", "issue", "--chain", office, "--issue", "R7", "--store", "S01",
        "--member", "M1", "--gift", "CUP", "--reason", "birthday", "--by", "E2",
        "--at", "2026-10-20T10:00+08:00",
    )  # fmt: skip
    status, _, err = run(*given)
    assert (status, "the key is free" in err, "new key" in err) == (2, True, False)
    imported(run, office)
    assert run(*given)[0] == 0


def test_a_changed_ledger_is_found(run, tmp_path):
    """Somebody who writes into the file behind the ledger's back is told on."""
    office = write_gift_chain(tmp_path)
    imported(run, office)
    with closing(sqlite3.connect(tmp_path / "gifts.db")) as raw, raw:
        raw.execute("UPDATE ledger_balances SET quantity = quantity + 1")

    status, out, _ = run("gifts", "verify", "--chain", office, "--language", "en")
    assert status == 1
    assert "balance" in out


def test_a_ledger_that_is_not_there_is_told_in_one_line(run, tmp_path, monkeypatch):
    """No section, no variable, a variable with something else: each says what to do."""
    office = write_gift_chain(tmp_path)
    text = office.read_text("utf-8")
    office.write_text(text.partition("[ledger]")[0], "utf-8")
    asked = ("gifts", "balance", "--chain", office, "--as-of", MONTH_END)
    status, _, err = run(*asked)
    assert (status, len(err.splitlines())) == (2, 1)
    assert "add [ledger]" in err

    server = LedgerSettings(store="postgresql", url_env="GIFTS_AT")
    monkeypatch.delenv("GIFTS_AT", raising=False)
    with pytest.raises(ConfigurationError, match="no variable 'GIFTS_AT'"):
        server.database()
    monkeypatch.setenv("GIFTS_AT", "mysql://me:hunter2@host/db")
    with pytest.raises(ConfigurationError, match="no address of PostgreSQL") as caught:
        server.database()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [{}, {"path": "a.db", "url_env": "X"}, {"store": "postgresql", "path": "a.db"}],
)
def test_a_ledger_has_one_place(given):
    """A file or a server, and what belongs to the one does not go with the other."""
    with pytest.raises(InvalidValueError, match="a ledger in"):
        LedgerSettings(**given)


def test_an_unknown_place_or_gift_is_no_empty_list(run, tmp_path):
    """A misspelt store or gift is told with the nearest, and not as nothing there."""
    office = write_gift_chain(tmp_path)
    asked = ("gifts", "balance", "--chain", office, "--as-of", MONTH_END)
    assert "store:S02" in run(*asked, "--place", "store:S002")[2]
    assert "did you mean 'CUP'" in run(*asked, "--gift", "KUP")[2]
    status, _, err = run(*asked[:-1], "2026-10-31T09:00")
    assert status == 2
    assert "+08:00" in err


def test_a_host_keeps_the_ledger_of_its_frames(tmp_path):
    """Without files: frames for gifts and stores, and a ledger beside them."""
    chain = Chain.from_frames(
        sales=pd.DataFrame({"ticket_id": ["T1"], "sold_on": ["2026-10-01"],
                            "store_id": ["S1"], "quantity": [1], "amount": [100]})
        .astype({"sold_on": "datetime64[us]"}),
        gifts=pd.DataFrame({"gift_id": ["CUP"]}),
        ledger_settings=LedgerSettings(path=str(tmp_path / "own.db")),
    )  # fmt: skip

    def receipt(quantity):
        return Posting(
            posting_id="R1",
            kind="receipt",
            effective_at=dt.datetime(2026, 10, 1, tzinfo=dt.UTC),
            movements=[
                Movement(gift_id="CUP", source="supplier", destination="warehouse",
                         quantity=quantity)
            ],
        )  # fmt: skip

    chain.post_gifts(receipt(5))
    with chain.ledger() as ledger:
        assert ledger.balance("CUP", "warehouse") == 5
    with pytest.raises(KeyConflictError):
        chain.post_gifts(receipt(6))
    with pytest.raises(UnknownTableError, match=r"\[sources\.stocktakes\]"):
        chain.count_sheets("C1", as_of=dt.date(2026, 10, 2))


def test_the_command_runs_by_itself(tmp_path):
    """The installed command asks the ledger, and opening a chain begins none."""
    office = write_gift_chain(tmp_path)
    open_chain(office)
    assert not (tmp_path / "gifts.db").exists()
    command = "from memberops.cli import main; raise SystemExit(main())"
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", command, "gifts", "import",
         str(tmp_path / "movements.csv"), "--chain", str(office), "--as-of", MONTH_END],
        capture_output=True, text=True, check=False, env={**os.environ, "LANG": "C"},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr  # rows were refused
    assert len(rows_of(done.stdout)) == 6
