"""Promises of the doctor where a wrong guess would make wrong figures in silence."""

import sqlite3
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from excel_files import CNY, SHANGHAI
from memberops import open_chain
from memberops.adapters.sources.csv_source import read_csv
from memberops.adapters.sources.rest_look import RestLook
from memberops.adapters.sources.text_table import TextTable
from memberops.cli import main
from memberops.errors import ConfigurationError, MissingColumnsError, SourceError
from memberops.tables import table
from memberops.workflows import chain_toml, propose_database, propose_mapping
from memberops.workflows.doctor import propose_table
from memberops.workflows.doctor_proposal import toml_text
from memberops.workflows.doctor_service import _proposed

HEAD = {"name": "x", "currency": "CNY", "zone": "Asia/Shanghai"}
TILL = """
CREATE TABLE t_order (order_no TEXT, shop_code TEXT, vip_no TEXT, created_at TEXT,
                      updated_at TEXT, is_deleted INTEGER);
INSERT INTO t_order VALUES
    ('T1', 'S1', 'M1', '2026-11-05 14:03:00', '2026-12-24 09:00:00', 0);
CREATE TABLE t_order_item (order_no TEXT, sku TEXT, qty INTEGER, amount_fen INTEGER);
INSERT INTO t_order_item VALUES ('T1', 'A', 1, 1990);
CREATE VIEW v_sales AS
    SELECT t_order.*, sku, qty, amount_fen FROM t_order JOIN t_order_item USING (order_no);
"""  # noqa: E501 - one statement of SQL


def asked(proposal, rule):
    """The questions of a rule."""
    return [each for each in proposal.questions if each.rule == rule]


def section(proposal):
    """What stands in the section, without its comments."""
    return tomllib.loads(proposal.toml())["sources"][proposal.table]


def taken_lines(proposal):
    """The lines that name a column, out of their comments."""
    lines = proposal.toml().splitlines()
    return [each[2:] for each in lines if each.startswith("# columns")]


def taken(proposal, language="zh"):
    """The section with every one of those lines taken."""
    text = proposal.toml(language).replace("# columns", "columns")
    return tomllib.loads(text)["sources"][proposal.table]


def columns_of(*headings, name="sales", rows=()):
    """Propose how a table of a database would be read."""
    text = TextTable.of_rows("t", headings, rows)
    return propose_table(text, table=name, place={"table": '"t"'})


@pytest.fixture(name="till")
def _till(tmp_path, monkeypatch):
    """A till whose names are those of programmers."""
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect("receipts.db") as database:
        database.executescript(TILL)
    database.close()


def service(record, count=1):
    """Propose how sales of a service would be read."""
    look = RestLook(asked="orders", found_at="data", records=(record,) * count)
    return _proposed("sales", look, table("sales"))


ORDER = {"id": 7, "created_at": "2026-11-05T06:03:00Z", "shop_id": "S1", "qty": 1,
         "member": "M1"}  # fmt: skip


@pytest.mark.parametrize("total", [1990, 5, "2990"])
def test_whole_amounts_of_a_service_are_asked_about_however_few(total):
    """One order of 1990 may be 19.90 yuan: the unit is a question, and not taken."""
    mapping = service({**ORDER, "total": total}).mapping
    (question,) = asked(mapping, "unit")
    assert question.toml == 'units = { amount = "分" }'
    assert "units" not in section(mapping)
    for sure in ({**ORDER, "total": Decimal("19.9")}, {**ORDER, "total": 0}):
        assert not asked(service(sure).mapping, "unit")


def test_the_units_of_several_amounts_are_answered_by_one_line():
    """Two lines of one name would be an error of TOML."""
    mapping = service({**ORDER, "total": 1990, "price": 990}).mapping
    lines = [each.toml for each in asked(mapping, "unit") if each.toml]
    assert [tomllib.loads(line)["units"] for line in lines] == [
        {"amount": "分", "unit_price": "分"}
    ]


@pytest.mark.parametrize(
    ("record", "path"),
    [
        ({"currency": "CNY"}, "/currency"),
        ({"money": {"currency_code": "usd"}}, "/money.currency_code"),
        ({"lines": [{"total": 5, "sku": "A", "currency": "CNY"}]}, "currency"),
        ({"lines": [{"total": 5, "sku": "A", "qty": 1}], "currency": "CNY"},
         "/currency"),
    ],
    ids=["record", "nested", "line", "above"],
)  # fmt: skip
def test_the_code_of_a_currency_is_read_where_it_stands(record, path):
    """Amounts in dollars are refused then, and not taken for yuan."""
    mapping = service({**ORDER, "total": 1990, **record}).mapping
    assert section(mapping)["currency"] == path


def test_a_currency_that_is_no_code_is_asked_about():
    """RMB is no code: with that line all amounts would be refused."""
    mapping = service({**ORDER, "total": 1990, "currency": "RMB"}).mapping
    assert asked(mapping, "currency-likely")[0].toml == 'currency = "/currency"'
    assert "currency" not in section(mapping)


def test_lines_for_a_section_of_a_service_are_no_section_of_their_own():
    """They say where they belong, and repeat neither the heading nor the adapter."""
    proposal = service({**ORDER, "total": 1990, "vip": "V1"})
    for language, told in (("en", "section sales"), ("zh", "sales 段")):
        text = proposal.toml(language)
        assert told in text.splitlines()[0]
        assert set(tomllib.loads(text)) == {"records", "columns"}


def test_what_answers_a_question_of_a_service_names_paths():
    """The column of cards stands in an object: its path is offered."""
    record = {**ORDER, "card": {"no": "V1"}, "lines": [{"sku": "A", "total": 1990}]}
    del record["member"]
    assert '# columns.member_id = "/card.no"' in service(record).toml()


@pytest.mark.parametrize("name", ["total_cents", "amount_fen", "金额_分", "金额分"])
def test_a_unit_in_the_name_of_a_column_is_taken(name):
    """It is said in the section, and nobody is asked."""
    proposal = columns_of(name, rows=[["1990"]])
    assert section(proposal)["units"] == {"amount": "分"}
    assert section(proposal)["columns"]["amount"] == name
    assert not asked(proposal, "unit")


def test_a_view_with_names_of_programmers_is_read_as_it_was_sold(till):
    """The day of sale is that of the order, never that of its last change."""
    (sales,) = propose_database(
        "sqlite:///receipts.db", tables=["v_sales"], table="sales"
    )
    assert sales.complete
    head = "".join(f'{name} = "{value}"\n' for name, value in HEAD.items())
    Path("chain.toml").write_text(head + sales.toml(), "utf-8")
    read = open_chain("chain.toml", entry_points=False).read()["sales"]
    (row,) = read.to_dict("records")
    assert str(row["sold_on"].date()) == "2026-11-05"
    assert (row["amount"], row["member_id"], row["ticket_id"], row["store_id"]) == (
        1990, "M1", "T1", "S1",
    )  # fmt: skip
    taken = {each.column for each in asked(sales, "heading-likely")}
    assert taken == {"sold_at", "member_id", "ticket_id", "store_id"}


@pytest.mark.parametrize("name", ["updated_at", "modified", "更新时间"])
def test_the_moment_of_a_change_is_only_ever_offered(name):
    """Without another moment it stands in a comment, for somebody to decide."""
    proposal = columns_of("order_no", name)
    assert not {"sold_on", "sold_at"} & set(proposal.columns)
    (offered,) = [each.columns for each in proposal.questions if each.columns]
    assert offered["sold_on"] == name
    assert f'sold_on = "{name}"' in proposal.toml()
    assert name not in str(section(proposal))


def test_sales_without_members_are_asked_about():
    """A column of cards is offered; a column of members is no question."""
    proposal = columns_of("ticket_id", "sold_on", "store_id", "qty", "paid", "card_no")
    (question,) = asked(proposal, "member-missing")
    assert "without a member" in question.text_en
    assert "没有会员" in question.text_zh
    assert '# columns.member_id = "card_no"' in proposal.toml()
    assert "member_id" not in proposal.columns
    assert not asked(columns_of("ticket_id", "member_id"), "member-missing")


def test_what_hardly_fits_a_table_is_no_live_section(till):
    """Orders without lines are no complaints; the view with all columns comes first."""
    found = propose_database("sqlite:///receipts.db")
    made = tomllib.loads(chain_toml(found, **HEAD))["sources"]
    assert {name: each["table"] for name, each in made.items()} == {"sales": "v_sales"}
    (orders,) = propose_database("sqlite:///receipts.db", tables=["t_order"])
    assert not orders.settled
    assert asked(orders, "table-unsure")
    assert "sources" not in tomllib.loads(chain_toml([orders], **HEAD))


def test_no_key_and_no_amount_is_offered_as_a_constant():
    """One id for all rows is none: each column is a line of its own."""
    proposal = columns_of("shop_code", "c1")
    (line,) = [each.toml for each in proposal.questions if each.toml]
    assert set(tomllib.loads(line)["constants"]) == {"quantity"}
    named = taken(proposal)["columns"]
    assert named.items() >= {"store_id": "shop_code", "ticket_id": "..."}.items()
    assert "amount" in named
    shop = columns_of("ticket_id", "member_id")
    (line,) = [each.toml for each in shop.questions if each.toml]
    assert set(tomllib.loads(line)["constants"]) == {"store_id", "quantity"}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_columns_that_answer_stand_beside_those_that_are_named(language):
    """Any of them can be taken, and all, with a live line or without one."""
    plain = ["日期", "门店", "数量", "商品", "单价(含税)", "金额(含税)", "card_no"]
    answers = {
        "unit_price": "单价(含税)",
        "amount": "金额(含税)",
        "member_id": "card_no",
    }
    proposal = columns_of("小票号", *plain)
    assert len(asked(proposal, "heading-note")) == len({"unit_price", "amount"})
    assert "columns" not in section(proposal)
    assert taken(proposal, language)["columns"] == answers
    proposal = columns_of("小票号码", *plain)
    live = {"ticket_id": "小票号码"}
    assert section(proposal)["columns"] == live
    assert taken(proposal, language)["columns"] == live | answers
    for line in taken_lines(proposal):
        ((name, heading),) = tomllib.loads(line)["columns"].items()
        assert answers[name] == heading
        one = tomllib.loads(proposal.toml(language).replace(f"# {line}", line))
        assert one["sources"]["sales"]["columns"] == live | {name: heading}


def test_a_column_that_the_section_names_has_no_second_line():
    """Its live line says that it is the right one; the question stays."""
    proposal = columns_of("ticket_id", "member_id", "金额(含税)", "金额(不含税)")
    assert section(proposal)["columns"] == {"amount": "金额(含税)#1"}
    assert asked(proposal, "heading-note")
    assert [line.partition(" ")[0] for line in taken_lines(proposal)] == [
        "columns.sold_on"
    ]
    assert taken(proposal)["columns"].keys() == {"amount", "sold_on"}


def test_an_example_of_words_makes_nobody_anything(till):
    """Taken as it stands, the example is refused: no cell gets a meaning."""
    rows = "".join(f"M{n},{n % 3}\n" for n in range(9))
    Path("members.csv").write_text(f"会员号,性别\n{rows}", "utf-8")
    (members,) = propose_mapping("members.csv")
    (question,) = asked(members, "word-unknown")
    words = tomllib.loads(question.toml)["values"]["gender"]
    assert set(words) == {"0", "1", "2"}
    known = {meant for _, meant in table("members").column("gender").choices}
    assert not known & set(words.values())
    with pytest.raises(ConfigurationError, match="'gender' in 'values'"):
        read_csv("members.csv", "members", currency=CNY, zone=SHANGHAI,
                 values={"gender": words})  # fmt: skip


def test_words_of_any_signs_can_be_taken_as_they_are_proposed():
    """Each is a key of TOML: with quotes, dots, line ends, or what joins signs."""
    words = [
        "家\u200d👑",
        'a"b.c',
        "甲\n乙",
        "\x7f",
        "a\u2028b",
        "…",
        "\\",
        "x=1#y",
    ]
    rows = [(f"M{n}", words[n % len(words)]) for n in range(4 * len(words))]
    text = TextTable.of_rows("t", ["会员号", "性别"], rows)
    proposal = propose_table(text, table="members", place={"table": '"t"'})

    (question,) = asked(proposal, "word-unknown")

    found = tomllib.loads(question.toml)["values"]["gender"]
    assert len(found) > 1
    assert set(found) <= set(words)
    for word in words:
        assert tomllib.loads(f"a.{toml_text(word)} = 1")["a"] == {word: 1}
    open_lines = proposal.toml().replace("# values.", "values.").splitlines()
    assert set(section(proposal)) <= {"adapter", "table", "columns"}
    assert tomllib.loads("\n".join(open_lines))["sources"]["members"]["values"]


@pytest.mark.parametrize(
    "heads",
    [
        "会员卡号,姓名,手机号,卡有效期起,卡有效期止",
        "会员卡号,姓名,手机号,有效期起,有效期止",
    ],
)
def test_members_who_go_by_their_cards_give_both_tables(heads, till):
    """The number of the card is the member's, which is asked."""
    row = "C1,王小明,13800138000,2026-01-01,2026-12-31\n"
    Path("people.csv").write_text(f"{heads}\n{row}", "utf-8")
    found = {each.table: each for each in propose_mapping("people.csv")}
    assert set(found) == {"members", "cards"}
    cards = found["cards"]
    assert found["members"].complete
    assert cards.complete
    assert asked(cards, "member-by-card")
    assert section(cards)["columns"]["member_id"] == "会员卡号"
    options = {"columns": section(cards)["columns"]}
    read = read_csv("people.csv", "cards", currency=CNY, zone=SHANGHAI, **options)
    assert read.frame[["card_id", "member_id"]].values.tolist() == [["C1", "C1"]]


def test_a_sheet_of_one_cell_leaves_no_section_behind(till):
    """A line says that no table fits; there is nothing to uncomment."""
    Path("cover.csv").write_text("说明\n", "utf-8")
    text = chain_toml(propose_mapping("cover.csv"), **HEAD)
    assert "不像任何一张表" in text
    assert "adapter" not in text


def test_a_database_among_files_is_told_with_the_command_for_it(till):
    """The address can be copied as it stands."""
    with pytest.raises(SourceError) as caught:
        propose_mapping("receipts.db")
    assert "--url sqlite:///receipts.db" in str(caught.value)
    Path("stores.csv").write_text("门店编号,店名\nS1,一店\n", "utf-8")
    told = [each.describe("zh") for each in propose_mapping(".")]
    assert any("用 --url sqlite:///receipts.db 查看" in each for each in told)
    Path("receipts.db").rename("till.csv")
    (told,) = [each for each in propose_mapping(".") if each.origin == "till.csv"]
    assert told.describe("zh").endswith("请用 --url sqlite:///till.csv 查看")


def test_the_language_of_a_chain_is_chinese_unless_it_is_said(till, capsys):
    """The locale of the terminal speaks for the comments alone."""
    Path("stores.csv").write_text("门店编号,店名\nS1,一店\n", "utf-8")
    for more, language in (([], "zh"), (["--language", "en"], "en")):
        main(["doctor", "stores.csv", "--toml", *more])
        assert tomllib.loads(capsys.readouterr().out)["language"] == language


def test_a_missing_column_is_told_in_the_words_of_a_chain_file_too(till):
    """Who writes TOML need not know Python to answer it."""
    Path("sales.csv").write_text("小票编号,日期,门店,数量,金额\n", "utf-8")
    with pytest.raises(MissingColumnsError) as caught:
        read_csv("sales.csv", "sales", currency=CNY, zone=SHANGHAI)
    assert "columns={'ticket_id': ...}" in str(caught.value)
    assert 'in TOML columns = { ticket_id = "..." }' in str(caught.value)
