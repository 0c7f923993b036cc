"""Promises of ``memberops messages``: dry by default, masked, and honest on exit."""

import csv
import datetime as dt
import io
import json

import pytest

from memberops.adapters.sms import options
from memberops.cli import main
from message_chain import NOON, ROLES, write_message_chain

PHONES = ("13812345671", "13812345672")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of our own."""
    return tmp_path_factory.mktemp("messages")


@pytest.fixture
def run(folder, capsys, monkeypatch):
    """Run a command of messages at noon; return status, output and errors."""
    monkeypatch.setattr(options, "system_clock", lambda: NOON)

    def command(name, *given):
        chain = ("--chain", str(folder / "chain.toml"))
        status = main(["messages", name, *chain, *map(str, given)])
        said = capsys.readouterr()
        assert not any(phone in said.out + said.err for phone in PHONES)
        return status, said.out, said.err

    return command


def rows_of(text):
    """Read what a command wrote on a pipe."""
    return list(csv.DictReader(io.StringIO(text)))


def test_a_batch_from_the_shell(run, folder, capsys):
    """Planned, approved by two, sent, settled: each step dry until it is meant."""
    write_message_chain(folder)
    visits = folder / "visits.csv"  # an empty table would be a warning when it is read
    called = "V0,M4,电话,2026-11-04,done,2026-11-04\n"
    visits.write_text(visits.read_text("utf-8") + called, "utf-8")
    ids = folder / "ids.txt"
    ids.write_text("M1\nM2\nM3\n", "utf-8")
    wish = ("--as-of", "2026-11-05", "--template", "birthday", "--batch", "B1",
            "--by", "A1", "--members", ids)  # fmt: skip
    status, out, err = run("plan", *wish)
    assert status == 0
    assert rows_of(out)[0]["审批状态"] == "未写入"
    # What the rows do not tell stands beside them.
    assert "  1：会员已退订短信\n未写入；加 --write 写入\n" in err
    assert not (folder / "outbox.db").exists()

    status, out, _ = run("plan", *wish, "--write", "--language", "en")
    (row,) = rows_of(out)
    assert (row["Approval"], row["Audience"], row["queued"]) == ("waiting", "2", "2")
    assert row["Cost cap"] == "0.10"
    mark = row["Fingerprint"]

    by_author = ("--role", "brand_manager", "--by", "A1")
    status, _, err = run("approve", "--batch", "B1", "--fingerprint", mark, *by_author)
    assert status == 2
    assert err.count("\n") == 1

    for role, who in ROLES:
        status, out, _ = run("approve", "--batch", "B1", "--fingerprint", mark,
                             "--role", role, "--by", who, "--format", "json",
                             "--language", "en")  # fmt: skip
        assert status == 0
    assert json.loads(out)["decisions"][0]["outcome"] == "approved"

    status, out, _ = run("send", "--format", "json", "--language", "en")
    assert status == 0
    assert json.loads(out)["explanation"] == [
        "2 messages wait in approved batches for the provider file",
        "nothing was sent; --send does it",
    ]
    assert not (folder / "messages.jsonl").exists()
    status, out, _ = run("send", "--send", "--fail-on", "warning")
    assert (status, rows_of(out)[0]["已提交"]) == (0, "2")

    ids = [row["短信编号"] for row in rows_of(
        run("status", "--batch", "B1", "--form", "message_list")[1])]  # fmt: skip
    receipts = folder / "receipts.jsonl"
    lines = [json.dumps({"message_id": own, "status": "delivered"}) for own in ids]
    receipts.write_text("\n".join([*lines, "{"]), "utf-8")
    status, out, _ = run("settle", "--receipts", receipts, "--fail-on", "error")
    assert (status, rows_of(out)[0]["已送达"]) == (1, "2")
    status, out, _ = run("status", "--format", "json")
    assert (status, json.loads(out)["explanation"]) == (0, ["入队 2 = 已送达 2"])

    arguments = ["messages", "status", "--chain", str(folder / "chain.toml"), "--batch",
                 "B1", "--form", "message_list", "--reveal", "phone"]  # fmt: skip
    assert main(arguments) == 0
    assert all(phone in capsys.readouterr().out for phone in PHONES[:1])


def test_what_is_wrong_is_told_in_a_line(run, folder, tmp_path):
    """Wrong use has the status 2, one line, and changes nothing."""
    write_message_chain(folder)
    wish = ("--as-of", "2026-11-05", "--template", "birthday", "--batch", "B9",
            "--by", "A1")  # fmt: skip
    ids = tmp_path / "ids.txt"
    ids.write_bytes("王".encode("gb18030"))
    for given in (
        ("plan", *wish, "--members", ids),
        ("plan", *wish, "--opens", "2026-11-05 09:00"),
        ("plan", *wish, "--opens", "2026-11-06T09:00+08:00"),
        ("plan", *wish, "--cost-cap", "0.01"),
        ("plan", *wish, "--store", "S99"),
        ("approve", "--batch", "B9", "--fingerprint", "0" * 12, "--role", "x",
         "--by", "B1"),
        ("cancel", "--batch", "B9", "--cause", "x"),
        ("opt-out", "--member", "M1", "--evidence", " "),
        ("send", "--send", "--per-second", "0"),
        ("status", "--reveal", "txt"),
    ):  # fmt: skip
        status, out, err = run(*given)
        assert (status, out, err.count("\n")) == (2, "", 1), given


def test_a_batch_that_is_canceled_and_a_member_who_opts_out(run, folder, tmp_path):
    """What waits ends with the batch; an opt-out is written with its evidence."""
    write_message_chain(folder)
    ids = tmp_path / "ids.txt"
    ids.write_text("M4\n\n", "utf-8")
    wish = ("--as-of", "2026-11-05", "--template", "birthday", "--batch", "B2",
            "--by", "A1", "--members", ids, "--cost-cap", "9",
            "--at", (NOON + dt.timedelta(hours=1)).isoformat(), "--write")  # fmt: skip
    _, out, _ = run("plan", *wish)
    assert (rows_of(out)[0]["发送人数"], rows_of(out)[0]["费用上限"]) == ("1", "9.00")
    status, out, _ = run("cancel", "--batch", "B2", "--cause", "改期")
    assert (status, rows_of(out)[0]["已取消"]) == (0, "1")
    assert rows_of(out)[0]["审批状态"] == "已取消"
    status, out, _ = run("opt-out", "--member", "M4", "--evidence", "回复R",
                         "--format", "json")  # fmt: skip
    assert (status, json.loads(out)["explanation"]) == (0, ["退订已登记"])
