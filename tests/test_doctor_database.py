"""Promises of the doctor for databases: it proposes what reads them, and tells none."""

import sqlite3
from pathlib import Path

import pytest

from memberops import open_chain
from memberops.adapters.sources.sql_sample import SampledTable
from memberops.adapters.sources.text_table import TextTable
from memberops.cli import main
from memberops.errors import ConfigurationError, SourceError, UnknownTableError
from memberops.workflows import chain_toml, propose_database
from memberops.workflows.doctor import propose_table
from memberops.workflows.doctor_database import _asked
from sql_scene import till_of

PHONE = "13800138000"
TILL = """
CREATE TABLE receipts (小票号 TEXT, 销售时间 TEXT, 门店 TEXT, 会员号 TEXT,
                       数量 INTEGER, 金额 NUMERIC, 备注 TEXT, updated_at TEXT,
                       is_deleted INTEGER);
INSERT INTO receipts VALUES
    ('T1', '2026-11-05 14:03:00', 'S1', 'M1', 2, 19.9, '13800138000', '2026-11-05', 0),
    ('T2', '2026-11-05 15:03:00', 'S1', NULL, 1, 0.29, NULL, '2026-11-06', 0);
CREATE TABLE people (会员编号 TEXT, 姓名 TEXT, 手机号 TEXT, 卡号 TEXT, 有效期起 TEXT,
                     有效期止 TEXT);
INSERT INTO people VALUES
    ('M1', '王小明', '13800138000', 'C1', '2026-01-01', '2026-12-31');
CREATE TABLE "odd ""name" (a TEXT);
CREATE TABLE settings (c1 TEXT, c2 TEXT);
CREATE VIEW broken AS SELECT * FROM gone;
"""


@pytest.fixture(autouse=True)
def till(tmp_path, monkeypatch):
    """A till's database in the folder of the chain file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POS_URL", "sqlite:///./till.db")
    with sqlite3.connect("till.db") as database:
        database.executescript(TILL)
    database.close()


def rules(proposal):
    """Name what a proposal asks."""
    return [each.rule for each in proposal.questions]


def test_a_whole_database_gives_a_chain_file_that_opens_and_reads(capsys):
    """Sales, members and their cards are found; what is nothing is named."""
    assert main(["doctor", "--url-env", "POS_URL", "--language", "en"]) == 0
    out = capsys.readouterr().out
    assert PHONE not in out
    assert "小明" not in out
    assert 'url = { env = "POS_URL" }' in out
    assert "sqlite:" not in out
    Path("chain.toml").write_text(out, "utf-8")
    tables = open_chain("chain.toml", entry_points=False).read()
    assert tables["sales"]["amount"].tolist() == [1990, 29]
    assert tables["members"]["member_id"].tolist() == ["M1"]
    assert tables["cards"]["card_id"].tolist() == ["C1"]
    *_, other, failed = propose_database("sqlite:///till.db")
    assert "settings" in other.describe("en")
    assert "broken" in failed.describe("en")
    assert 'odd "name (its name needs a query)' in failed.describe("en")
    assert "无法读取" in failed.describe("zh")


def test_one_table_that_cannot_be_sampled_does_not_hide_the_others(monkeypatch):
    """An old table in GBK is told with its reason, in both languages, and passed."""
    with sqlite3.connect("till.db") as database:
        database.executescript(
            "CREATE TABLE ancient AS SELECT * FROM receipts WHERE 0;"
            "INSERT INTO ancient (小票号) VALUES (CAST(x'C3FB' AS TEXT));"
            "CREATE TABLE a_new AS SELECT * FROM receipts WHERE 0;"
        )
    database.close()
    found = propose_database("sqlite:///till.db")
    assert {each.table for each in found[:3]} == {"sales", "members", "cards"}
    # A table that was only set up yields to the one that has rows.
    assert found[3].place["table"] == '"a_new"'
    assert "ancient (it holds a text that is no UTF-8" in found[-1].describe("en")
    assert not found[-1].settled
    assert "名称须用 query 查询" in found[-2].describe("zh")
    with pytest.raises(SourceError, match="UTF-8"):
        propose_database("sqlite:///till.db", tables=["ancient"])


def test_what_a_database_leaves_open_is_asked_with_its_answer():
    """A zone, marks of deletion, and the column that tells what changed."""
    (sales,) = propose_database({"env": "POS_URL"}, tables=["receipts"])
    answers = {each.rule: each.toml for each in sales.questions}
    assert answers["moments-without-zone"] == 'utc = ["销售时间"]'
    assert answers["cursor-likely"] == 'cursor = "updated_at"'
    assert answers["deleted-likely"] == 'deleted = "is_deleted"'
    assert (sales.table, sales.settled) == ("sales", True)
    taken = sales.toml("en")
    for answer in answers.values():
        taken = taken.replace(f"# {answer}", answer)
    head = 'name = "x"\ncurrency = "CNY"\nzone = "Asia/Shanghai"\n'
    Path("chain.toml").write_text(head + taken, "utf-8")
    read = open_chain("chain.toml", entry_points=False).read()["sales"]
    assert str(read["sold_at"][0]) == "2026-11-05 14:03:00+00:00"


def test_a_table_that_is_known_is_looked_for_in_the_whole_database():
    """--table sales proposes what has all columns of sales, and nothing else."""
    sales, *rest = propose_database("sqlite:///till.db", table="sales")
    assert (sales.table, 'table = "receipts"' in sales.toml()) == ("sales", True)
    assert all(not each.table for each in rest)
    assert "people" in rest[0].describe("en")


def test_names_of_columns_are_never_taken_for_data():
    """A table of odd columns shows them, and says what is missing."""
    (proposal,) = propose_database(
        "sqlite:///till.db", tables=["settings"], table="stores"
    )
    assert proposal.ignored == ("c1", "c2")
    assert rules(proposal) == ["column-missing", "no-rows"]
    assert not proposal.complete


def test_two_tables_of_sales_are_a_section_and_a_comment():
    """They are no files: no pattern stands for both."""
    with sqlite3.connect("till.db") as database:
        database.execute("CREATE TABLE receipts_2025 AS SELECT * FROM receipts")
    database.close()
    found = propose_database("sqlite:///till.db", tables=["receipts", "receipts_2025"])
    text = chain_toml(found, name="x", currency="CNY", zone="Asia/Shanghai")
    assert '\ntable = "receipts"' in text
    assert '# table = "receipts_2025"' in text
    assert "# 如两处都要读取，请将各段标题都写成 [[sources.sales]]" in text
    sections = text.replace("\n[sources", "\n[[sources").replace(
        "sales]\n", "sales]]\n"
    )
    sections = "\n".join(
        line.removeprefix("# ") if "=" in line or "# [" in line else line
        for line in sections.replace("# [sources", "# [[sources").splitlines()
    )
    Path("chain.toml").write_text(sections, "utf-8")
    result = open_chain("chain.toml", entry_points=False).read().results["sales"]
    assert result.accepted == 4
    (told,) = [f for f in result.findings if f.rule == "record-in-several-sections"]
    assert told.count == 2


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_databases_of_each_kind_are_looked_at(kind, request, tmp_path):
    """The same table gives the same proposal, and its values are the same."""
    (tmp_path / "new").mkdir()
    with till_of(kind, request, tmp_path / "new") as till:
        till.run(
            "CREATE TABLE sold (ticket_id {long}, sold_at {naive}, store_id {long}, "
            "quantity INTEGER, amount NUMERIC(14, 2), phone {long}, member_id {long})",
            "INSERT INTO sold VALUES ('T1', '2026-11-05 14:03:00', 'S1', 2, 19.95, "
            "'13800138000', 'M1')",
        )
        (sales,) = propose_database(till.url)
        assert sales.table == "sales"
        assert sales.settled
        assert sales.samples["amount"] == "19.95"
        assert rules(sales) == ["moments-without-zone"]
        assert PHONE not in sales.describe("en") + sales.toml("en")


def test_amounts_in_floats_of_seven_digits_are_asked_about():
    """Whichever database says that its column is one."""
    text = TextTable.of_rows("sold", ["amount"], [])
    proposal = propose_table(text, table="sales", place={})
    asked = _asked(proposal, SampledTable(text=text, coarse=("amount",)))
    assert "amount-inexact" in rules(asked)
    exact = _asked(proposal, SampledTable(text=text, coarse=()))
    assert "amount-inexact" not in rules(exact)


@pytest.mark.nightly
def test_a_float_of_seven_digits_is_named(request, tmp_path):
    """The source refuses amounts in it, so the doctor says why."""
    with till_of("mariadb", request, tmp_path) as till:
        till.run(
            "CREATE TABLE sold (ticket_id {long}, sold_on DATE, store_id {long}, "
            "quantity INTEGER, amount FLOAT)"
        )
        (sales,) = propose_database(till.url)
    assert rules(sales) == ["no-rows", "member-missing", "amount-inexact"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ([], "--url-env"),
        (["--url", "sqlite:///till.db", "--url-env", "POS_URL"], "not both"),
        (["--url-env", "NO_SUCH_URL"], "NO_SUCH_URL"),
        (["--url", "postgresql://u:s3cret@db/pos"], "password"),
        (["--url-env", "POS_URL", "--from", "receits"], "'receipts'"),
        (["--url-env", "POS_URL", "--table", "sale"], "sales"),
    ],
)
def test_wrong_use_is_told_without_a_secret(asked, told, capsys, monkeypatch):
    """One line, and 2."""
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    assert main(["doctor", *asked, "--language", "en"]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert "s3cret" not in err


def test_an_empty_database_and_wrong_names_are_errors():
    """Nothing to be seen is hardly what somebody meant."""
    sqlite3.connect("none.db").close()
    Path("none.db").touch()
    with pytest.raises(SourceError, match="no table and no view"):
        propose_database("sqlite:///none.db")
    with pytest.raises(SourceError, match=r"other\.db"):
        propose_database("sqlite:///other.db")
    with pytest.raises(ConfigurationError, match="query"):
        propose_database("sqlite:///till.db", tables=["a;b"])
    with pytest.raises(UnknownTableError):
        propose_database("sqlite:///till.db", table="sale")
    with pytest.raises(ConfigurationError, match="environment variable"):
        propose_database({"env": "s3cret"})
