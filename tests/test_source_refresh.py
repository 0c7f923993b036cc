"""Promises of a chain with snapshots: refreshed when asked, read without a network."""

import json
import runpy
from pathlib import Path

import pandas as pd
import pytest

from changing_world import Server, ServerSource, member, ticket
from memberops import open_chain
from memberops.adapters import Adapter, hookimpl
from memberops.cli import main
from memberops.errors import ConfigurationError, SourceError, UnknownTableError
from memberops.testing import sales_frame
from memberops.workflows import Chain

pytest.importorskip("pyarrow", reason="needs the extra parquet")

CHAIN = """name = "示例"
currency = "CNY"
zone = "Asia/Shanghai"
[sources.sales]
adapter = "counter"
snapshot = "kept/pos"
[sources.members]
adapter = "counter"
snapshot = "kept/pos"
[sources.stores]
adapter = "csv"
path = "stores.csv"
"""


class Counter:
    """A plugin whose tills can be switched off, and that counts what it is asked."""

    def __init__(self, server):
        self.server, self.online, self.asked = server, True, []

    @hookimpl
    def memberops_sources(self):
        """Bring the adapter."""
        return [Adapter(name="counter", factory=self.make, summary="tills")]

    def make(self, context, *, shop=""):
        """Make a source."""
        acme, own = self, ServerSource(self.server)

        class Source:
            def read(self, table):
                return self.changes(table, since=None).result

            def changes(self, table, *, since):
                if not acme.online:
                    raise SourceError("no network")
                acme.asked.append((table, since is None))
                return own.changes(table, since=since)

        return Source()


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """A server with a little trade, and a chain file in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    Path("stores.csv").write_text("门店编号,店名\nS1,一店\n", encoding="utf-8")
    Path("chain.toml").write_text(CHAIN, encoding="utf-8")
    server = Server()
    server.put("members", member("王小明"))
    server.put("sales", ticket(2, 3))
    return Counter(server)


def opened(acme, text=CHAIN):
    """The chain, opened anew as tomorrow's process does."""
    Path("chain.toml").write_text(text, encoding="utf-8")
    return open_chain("chain.toml", plugins=[acme], entry_points=False)


def test_a_chain_reads_its_snapshots_and_a_refresh_brings_what_changed(acme):
    """The month end of today is that of tomorrow, until somebody refreshes."""
    with pytest.raises(SourceError, match="memberops refresh"):
        opened(acme).read()
    told = []
    done = opened(acme).refresh(progress=lambda *step: told.append(step))
    assert [(each.table, each.new) for each in done] == [("members", 1), ("sales", 1)]
    assert [step[1:] for step in told] == [
        ("更新会员档案", 0, 2),
        ("更新销售明细", 1, 2),
    ]
    first = opened(acme).month_end("2026-11")
    acme.server.put("sales", ticket(7))
    acme.online = False
    again = opened(acme).month_end("2026-11")
    for form in first.forms:
        pd.testing.assert_frame_equal(first.frame(form.name), again.frame(form.name))
    with pytest.raises(SourceError, match="no network"):
        opened(acme).refresh()
    acme.online = True
    (done,) = opened(acme).refresh(["sales"])
    assert (done.new, done.whole) == (1, False)
    assert opened(acme).read()["sales"]["quantity"].sum() == 12
    assert acme.asked == [("members", True), ("sales", True), ("sales", False)]


def test_whole_reads_all_and_other_options_do_so_by_themselves(acme):
    """A mapping that has changed since is not mixed with what it gave before."""
    opened(acme).refresh()
    assert opened(acme).refresh(["sales"], whole=True)[0].whole
    other = opened(
        acme, CHAIN.replace("[sources.members]", 'shop = "S1"\n[sources.members]')
    )
    with pytest.raises(SourceError, match="other options"):
        other.read(only=["sales"])
    assert other.refresh(["sales"])[0].whole
    assert other.read(only=["sales", "members"])["members"].shape[0] == 1


def test_a_table_without_a_snapshot_is_named(acme):
    """What cannot be refreshed says what to write into the chain file."""
    with pytest.raises(ConfigurationError, match=r"\[sources.stores\]"):
        opened(acme).refresh(["stores"])
    with pytest.raises(UnknownTableError):
        opened(acme).refresh(["store"])
    chain = Chain.from_frames(sales=sales_frame([]))
    with pytest.raises(ConfigurationError, match="no source of the chain has a snap"):
        chain.refresh()
    for wrong in ("7", '""', "true"):
        text = CHAIN.replace('"kept/pos"', wrong, 1)
        with pytest.raises(ConfigurationError, match=r"sources.sales.snapshot takes"):
            opened(acme, text)


CSV_CHAIN = """name = "示例"
currency = "CNY"
zone = "Asia/Shanghai"
[sources.sales]
adapter = "csv"
path = "sales.csv"
snapshot = "kept"
"""
HEAD = "小票号,销售日期,门店,数量,金额\n"


def test_the_command_prints_the_counts_in_both_languages(tmp_path, monkeypatch, capsys):
    """A file may be kept too: it is read whole, and may be away afterwards."""
    pytest.importorskip("cyclopts", reason="needs the extra cli")
    monkeypatch.chdir(tmp_path)
    Path("chain.toml").write_text(CSV_CHAIN, encoding="utf-8")
    Path("sales.csv").write_text(HEAD + "T1,2026-11-05,S1,1,5\n", encoding="utf-8")
    assert main(["refresh", "--chain", "chain.toml"]) == 0
    assert (
        "销售明细：新增 1，变更 0，消失 0（按小票）；现有 1 行"
        in capsys.readouterr().out
    )
    Path("sales.csv").write_text(
        HEAD + "T1,2026-11-05,S1,2,9\nT2,2026-11-06,S1,1,5\nT3,someday,S1,1,5\n",
        encoding="utf-8",
    )
    asked = ["refresh", "--chain", "chain.toml", "--language", "en", "--whole"]
    assert main([*asked, "--table", "sales", "--fail-on", "error"]) == 1
    shown = capsys.readouterr().out
    assert (
        "sales lines: 1 new, 1 changed, 0 gone (tickets); 2 rows kept, 1 rejected"
        in shown
    )
    assert "date-unreadable" in shown
    kept = Path("sales.csv").read_text("utf-8")
    Path("sales.csv").write_text(HEAD, encoding="utf-8")
    assert main(asked) == 2
    assert "--allow-loss" in capsys.readouterr().err
    assert open_chain("chain.toml").read()["sales"]["amount"].tolist() == [900, 500]
    assert main([*asked, "--allow-loss"]) == 0
    Path("sales.csv").write_text(kept, encoding="utf-8")
    assert main(asked) == 0
    Path("sales.csv").unlink()
    assert open_chain("chain.toml").read()["sales"]["amount"].tolist() == [900, 500]
    assert main(["refresh", "--chain", "chain.toml"]) == 2
    assert main(["refresh", "--chain", "chain.toml", "--table", "members"]) == 2
    assert "[sources.members]" in capsys.readouterr().err


def test_the_command_gives_every_finding_where_it_says_so(
    tmp_path, monkeypatch, capsys
):
    """More findings than are shown are in the JSON that the last line names."""
    pytest.importorskip("cyclopts", reason="needs the extra cli")
    monkeypatch.chdir(tmp_path)
    Path("chain.toml").write_text(CSV_CHAIN, encoding="utf-8")
    rows = "".join(f"T{n},someday,S1,1,5\n" for n in range(15))
    Path("sales.csv").write_text(
        HEAD + "T1,2026-11-05,S1,1,5\n" + rows, encoding="utf-8"
    )
    asked = ["refresh", "--chain", "chain.toml", "--language", "en"]
    assert main(asked) == 0
    assert "... and 5 more findings with --format json\n" in capsys.readouterr().out
    assert main([*asked, "--whole", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sum(each["severity"] == "error" for each in told["findings"]) == 15
    (sales,) = told["tables"]
    assert (sales["table"], sales["rows"], sales["rejected"]) == ("sales", 1, 15)


def test_the_package_itself_is_the_command(monkeypatch, capsys):
    """`python -m memberops` works where the script is not on the path."""
    pytest.importorskip("cyclopts", reason="needs the extra cli")
    monkeypatch.setattr("sys.argv", ["memberops", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("memberops", run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip()[0].isdigit()
