"""The doctor says what a file is, and asks what it cannot know."""

import datetime as dt
import re
import sqlite3
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from excel_files import CNY, SHANGHAI, workbook
from memberops.adapters.sources.csv_source import read_csv
from memberops.adapters.sources.text_table import TextTable
from memberops.cli import main
from memberops.errors import SourceError, UnknownTableError
from memberops.workflows import (
    chain_toml,
    open_chain,
    propose_mapping,
    propose_table,
)

TILL = (
    "小票号码,日期,时间,门店,件数,实收,退款金额,备注\n"
    "T1,2026-11-05,14:03,S1,1,5.00,,常客\n"
    "T2,2026-11-06,9:15,S1,2,19.90,,\n"
)
MEMBERS = (
    "会员号,姓名,手机号,生日,入会日期\nM001,王小明,13812345678,1990-05-17,2026-01-05\n"
)


def look(text, **options):
    """Look at the text of one CSV file."""
    Path("file.csv").write_text(text, "utf-8")
    (proposal,) = propose_mapping("file.csv", **options)
    return proposal


def asked(proposal, rule):
    """The questions of a rule."""
    return [each for each in proposal.questions if each.rule == rule]


def test_a_proposal_opens_as_it_is_and_reads_every_row():
    """What the doctor writes is a chain file that open_chain takes."""
    Path("sales.csv").write_text(TILL, "gb18030")
    Path("members.csv").write_text(MEMBERS, "utf-8")
    day = dt.date(2026, 11, 5)
    heads = ["卡号", "会员号", "有效期起", "有效期止"]
    workbook({"卡": [heads, [101, "M001", day, day]]}, name="cards.xlsx")

    proposals = propose_mapping(".")
    text = chain_toml(proposals, name="示例", currency="CNY", zone="Asia/Shanghai")
    Path("chain.toml").write_text(text, "utf-8")
    chain = open_chain("chain.toml", entry_points=False)

    assert sorted(each.table for each in proposals) == ["cards", "members", "sales"]
    assert all(each.complete for each in proposals)
    read = {name: source.read(name) for name, source in chain.sources.items()}
    assert {name: result.accepted for name, result in read.items()} == {
        "cards": 1, "members": 1, "sales": 2,
    }  # fmt: skip
    moments = read["sales"].frame["sold_at"]
    assert moments[0].isoformat() == "2026-11-05T06:03:00+00:00"


def test_headings_that_only_look_alike_are_taken_with_a_question():
    """小票号码 is near 小票号: it is named in the mapping, and asked about."""
    proposal = look(TILL)

    assert proposal.named["ticket_id"] == "小票号码"
    assert "小票号码" in asked(proposal, "heading-likely")[0].text_zh
    assert proposal.options == {"join": '{ sold_at = ["日期", "时间"] }'}


def test_a_required_column_that_is_not_there_is_said_with_what_is_unread():
    """The office reads which column is missing, and which ones are left."""
    proposal = look("日期,数量,金额,柜台\n2026-11-05,1,5,3\n", table="sales")

    missing = {each.column for each in asked(proposal, "column-missing")}
    assert missing == {"ticket_id", "store_id"}
    assert all("柜台" in q.text_zh and "柜台" in q.text_en
               for q in asked(proposal, "column-missing"))  # fmt: skip
    assert not proposal.complete
    assert (
        "constants"
        in tomllib.loads(
            re.sub(
                r"^# (constants)", r"\1", proposal.toml(), count=1, flags=re.MULTILINE
            )
        )["sources"]["sales"]
    )


@pytest.mark.parametrize(
    ("dates", "answer"),
    [
        (["5/11/2026", "6/11/2026"], 'date_format.sold_on = "day-first"'),
        (["46331", "46332"], 'date_format.sold_on = "excel"'),
        (["5/11/26", "25/11/26"], 'date_format.sold_on = "%d/%m/%y"'),
    ],
)
def test_dates_that_can_mean_two_days_are_asked_about(dates, answer):
    """The answer is a line of TOML that makes the file readable, and a comment."""
    rows = "".join(f"T{d},{d},S1,1,5\n" for d in dates)
    proposal = look("小票号,日期,门店,数量,金额\n" + rows)

    (question,) = asked(proposal, "date-format")
    assert question.toml == answer
    assert f"# {answer}" in proposal.toml()
    options = tomllib.loads(question.toml)
    result = read_csv("file.csv", "sales", currency=CNY, zone=SHANGHAI, **options)
    assert result.accepted == 2


@pytest.mark.parametrize(
    ("days", "times"),
    [(["3/10/2026", "4/10/2026"], ["9:05", "14:03"]),
     (["3/10/26", "4/10/26"], ["09:05", "14:03"])],
)  # fmt: skip
def test_the_order_of_a_joined_day_is_answered_for_the_moment_too(days, times):
    """The answer reads the day and its time; the time's column is not called unread."""
    rows = [f"T{d},{d},{t},S1,1,5" for d, t in zip(days, times, strict=True)]
    proposal = look("\n".join(["小票号,交易日期,时间,门店,数量,金额", *rows, ""]))

    assert proposal.ignored == ()
    (question,) = asked(proposal, "date-format")
    section = f"{proposal.toml()}\n{question.toml}"
    given = tomllib.loads(section)["sources"]["sales"]
    options = {name: given[name] for name in ("join", "date_format")}
    result = read_csv("file.csv", "sales", currency=CNY, zone=SHANGHAI, **options)
    assert [each.isoformat() for each in result.frame["sold_at"]] == [
        "2026-10-03T01:05:00+00:00", "2026-10-04T06:03:00+00:00",
    ]  # fmt: skip


def test_day_numbers_are_joined_with_no_time():
    """A number and a time make no moment that can be read: the time stays unread."""
    proposal = look("小票号,日期,时间,门店,数量,金额\nT1,46298,9:05,S1,1,5\n")

    assert proposal.ignored == ("时间",)
    assert proposal.options == {}


def test_proven_dates_and_plain_amounts_are_not_asked_about():
    """A day above 12 proves the order; amounts with a point are yuan."""
    proposal = look(
        "小票号,日期,门店,会员号,数量,金额\nT1,5/11/2026,S1,M1,1,1299.00\n"
        "T2,25/11/2026,S1,M1,1,2500.50\nT3,26/11/2026,S1,M1,1,3500\n"
    )

    assert proposal.questions == ()


def test_whole_large_amounts_are_asked_about_and_not_changed():
    """They may be fen: only a question, no option."""
    rows = "".join(f"T{n},2026-11-05,S1,1,{n}9900\n" for n in range(1, 5))
    proposal = look("小票号,日期,门店,数量,金额\n" + rows)

    assert asked(proposal, "unit")[0].toml == 'units = { amount = "分" }'
    assert "units" not in tomllib.loads(proposal.toml())["sources"]["sales"]


def test_a_unit_in_a_heading_is_proposed_and_another_currency_asked_about():
    """金额(分) becomes a line of units; dollars are a question; 元 is neither."""
    proposal = look(
        "小票号,日期,门店,会员号,数量,金额(分),单价(美元)\n"
        + "".join(f"T{n},2026-11-05,S1,M1,1,{n}9900,5\n" for n in range(1, 5))
    )
    plain = look(
        "小票号,日期,门店,会员号,数量,金额（元）\nT1,2026-11-05,S1,M1,1,1299\n"
    )

    made = tomllib.loads(proposal.toml())["sources"]["sales"]
    assert made["units"] == {"amount": "分"}
    assert [each.rule for each in proposal.questions] == ["heading-currency"]
    assert "USD" in proposal.questions[0].text_zh
    assert plain.questions == ()
    assert "units" not in plain.toml()


def test_words_of_states_are_asked_about_but_never_names():
    """An unknown word that recurs is shown; many, or one of one row, may be names."""
    lines = [f"M{n},{'先生女士暂缺'[n % 3 * 2 :][:2]}\n" for n in range(9)]
    few = look("会员号,性别\n" + "".join([*lines, "M9,小胖\n"]), table="members")
    many = look(
        "会员号,性别\n" + "".join(f"M{n},王小{chr(0x4E00 + n)}\n" for n in range(20)),
        table="members",
    )

    assert "暂缺" in asked(few, "word-unknown")[0].text_zh
    assert '"暂缺" = ' in few.toml()
    assert "小胖" not in few.describe() + few.describe("zh") + few.toml()
    assert "王小" not in many.describe() + many.toml()


def answered(proposal):
    """The section with every answer of options taken out of its comment."""
    answer = re.compile(
        r"^# (?=(?:date_format|values|units)\b[^：:]* = )", re.MULTILINE
    )
    return tomllib.loads(answer.sub("", proposal.toml()))["sources"][proposal.table]


def test_answers_about_several_columns_stand_beside_one_another():
    """Whoever takes all of them has a section that is valid, and reads its file."""
    words = ["甲", "丙"]
    lines = [f"M{n},5/6/199{n},{words[n % 2]},6/7/2026,{words[n % 2]}\n"
             for n in range(6)]  # fmt: skip
    heads = "会员号,出生日期,性别,入会日期,生日类型\n"
    given = answered(look(heads + "".join(lines), table="members"))

    assert given["date_format"] == {"birth_date": "day-first", "joined_on": "day-first"}
    unsaid = dict.fromkeys(words, "...")
    assert given["values"] == {"gender": unsaid, "birthday_calendar": unsaid}
    given["values"] = {"gender": {"甲": "male", "丙": "female"},
                       "birthday_calendar": {"甲": "solar", "丙": "lunar"}}  # fmt: skip
    told = {name: given[name] for name in ("date_format", "values")}
    result = read_csv("file.csv", "members", currency=CNY, zone=SHANGHAI, **told)
    assert result.accepted == len(lines)
    assert result.frame["gender"].tolist() == ["male", "female"] * 3


def test_answers_about_files_that_are_read_together_stand_beside_one_another():
    """A month that leaves less open has no second answer for the same option."""
    heads = "小票号,日期,门店,数量,单价,金额\n"
    for month, amount in ((10, "1234{}"), (11, "123.4{}")):
        lines = [f"T{n},{n}/{month}/2026,S1,1,1990{n},{amount.format(n)}\n"
                 for n in range(1, 5)]  # fmt: skip
        Path(f"till-{month}.csv").write_text(heads + "".join(lines), "utf-8")
    (proposal,) = propose_mapping(".")

    given = answered(proposal)
    assert given["path"] == "till-*.csv"
    assert given["units"] == {"unit_price": "分", "amount": "分"}
    assert given["date_format"] == {"sold_on": "day-first"}
    assert proposal.toml().count("# date_format") == 1


def test_a_word_of_several_files_has_one_line():
    """Each file asks for its words; together they are the answers of one option."""
    for month, words in ((10, ["飞鸽"]), (11, ["飞鸽", "鸿雁"])):
        lines = [
            f"M{n},{word},是,2026-{month}-05\n" for word in words for n in range(3)
        ]
        text = "会员编号,渠道,是否同意,登记日期\n" + "".join(lines)
        Path(f"consents-{month}.csv").write_text(text, "utf-8")
    (proposal,) = propose_mapping(".")
    assert answered(proposal)["values"] == {"channel": {"飞鸽": "...", "鸿雁": "..."}}


def test_two_columns_that_mean_one_are_asked_about():
    """The first is proposed, by its number if both have one name."""
    proposal = look("小票号,日期,门店,数量,金额,金额\nT1,2026-11-05,S1,1,5,6\n")

    assert proposal.named["amount"] == "金额#1"
    assert asked(proposal, "heading-conflict")


def test_no_personal_value_is_shown():
    """Samples of names, phones and birth dates are masked, wherever they slid."""
    proposal = look(MEMBERS + "王小明,M002,2026-01-05,13812345678,1990-05-17\n")

    shown = proposal.describe("zh") + proposal.describe("en") + proposal.toml()
    for value in ("王小明", "13812345678", "1990-05-17", "1381234"):
        assert value not in shown
    assert "*******5678" in shown


def test_a_file_without_headings_shows_none_of_its_cells():
    """The first row of such a file is a person's."""
    proposal = look("M001,王小明,13812345678\nM002,李四,13900139000\n")

    assert asked(proposal, "headings-missing")
    assert "王小明" not in proposal.describe() + proposal.toml()


@pytest.mark.parametrize(
    "value",
    ["138-1234-5678", "138 1234 5678", "zhang88@qq.com", "王小明1988", "王小明"],
)
@pytest.mark.parametrize(
    "text",
    ["会员号,姓名,入会日期\n{},王小明,2026-01-01\n",
     "会员号,姓名,入会日期\nM1,M1,{}\n",
     "小票号,日期,门店,数量,金额\n{0},2026-11-05,{0},{0},{0}\n"],
)  # fmt: skip
def test_a_person_in_any_column_is_shown_as_a_shape(text, value):
    """A phone as an id, a mail as an amount: what is shown names nobody."""
    proposal = look(text.format(value))

    shown = proposal.describe("zh") + proposal.toml() + repr(proposal)
    for piece in (value, "1234", "zhang", "qq", "王小明", "1988"):
        assert piece not in shown


@pytest.mark.parametrize("first", ["王小明,男,北京", "会员,李白,北京", "王小明,男,"])
def test_a_first_row_without_digits_may_be_a_person_too(first):
    """Words above words may be data; a word above figures is a heading."""
    proposal = look(f"{first}\n李小红,女,上海\n")
    shown = proposal.describe("zh") + proposal.describe("en") + proposal.toml()
    for piece in ("王小明", "李白", "北京", "李小红"):
        assert piece not in shown
    assert "柜台" in look("柜台,楼层\n甲,3\n").describe()


@pytest.mark.parametrize("title", ["销售明细", "2026年10月销售明细", "销售日报,,,,,,,"])
@pytest.mark.parametrize("table", [None, "sales"])
def test_a_title_above_the_headings_is_named(title, table):
    """The office hears which line to take out, and no section stands active."""
    proposal = look(f"{title}\n{TILL}", table=table)

    (question,) = proposal.questions
    assert "line 1 seems to be a title, and line 2 has the headings" in question.text_en
    assert "第 1 行像是表名，标题在第 2 行" in question.text_zh
    text = chain_toml([proposal], name="x", currency="CNY", zone="Asia/Shanghai")
    assert "sources" not in tomllib.loads(text)
    assert "得分" not in proposal.describe()


def test_a_file_that_fits_no_table_is_a_comment():
    """A score below nothing means no table, unless the office names one."""
    text = "颜色,味道\n红,甜\n"
    for table, active in ((None, False), ("stores", True)):
        proposal = look(text, table=table)
        made = chain_toml([proposal], name="x", currency="CNY", zone="Asia/Shanghai")
        assert ("sources" in tomllib.loads(made)) is active
        assert ("不像任何一张表" in proposal.describe()) is not active


def test_each_sheet_of_a_workbook_is_looked_at():
    """A workbook with two tables gives two sections, each with its sheet."""
    workbook({
        "销售": [["小票号", "日期", "门店", "数量", "金额"]],
        "门店": [["门店编号", "店名"], ["S1", "一店"]],
    })  # fmt: skip

    found = propose_mapping("book.xlsx")

    assert [(each.table, each.sheet) for each in found] == [
        ("sales", "销售"), ("stores", "门店"),
    ]  # fmt: skip


def test_a_sheet_of_members_with_their_cards_gives_both_tables():
    """Both are read from it; a sales export with names holds no members."""
    heads = "会员号,姓名,手机号,卡号,有效期起,有效期止\n"
    row = "M1,王小明,13812345678,101,2026-01-01,2026-12-31\n"
    Path("people.csv").write_text(heads + row, "utf-8")
    sold = "小票号,日期,门店,数量,金额,会员号,姓名,手机号\n"
    line = "{},2026-11-05,S1,1,5,M1,王小明,13812345678\n"
    Path("sales.csv").write_text(sold + line.format("T1") + line.format("T2"), "utf-8")
    found = propose_mapping(".")
    text = chain_toml(found, name="x", currency="CNY", zone="Asia/Shanghai")
    Path("chain.toml").write_text(text, "utf-8")

    assert sorted(each.table for each in found) == ["cards", "members", "sales"]
    chain = open_chain("chain.toml", entry_points=False)
    assert {n: s.read(n).accepted for n, s in chain.sources.items()} == {
        "cards": 1, "members": 1, "sales": 2,
    }  # fmt: skip
    assert len(propose_mapping("people.csv", table="members")) == 1


@pytest.mark.parametrize(
    ("headings", "tables"),
    [
        ("会员卡号,姓名,卡有效期起,卡有效期止", ["members", "cards"]),
        ("会员卡号,姓名,生效日期,有效期至", ["cards", "members"]),
        ("会员号,姓名,手机号,卡号,有效期起,有效期止", ["members", "cards"]),
    ],
)
@pytest.mark.parametrize("days", [str, dt.date.fromisoformat])
def test_a_sheet_of_a_workbook_is_looked_at_as_a_csv_file_is(headings, tables, days):
    """Members with their cards give both tables, whatever kind of file they are in."""
    heads = headings.split(",")
    people = ([1001, "王小明", 13812345678], [1002, "李白", 13912345678])
    rows = [
        [*own[: len(heads) - 3], *own[:1], days("2026-01-01"), days("2026-12-31")]
        if len(heads) > 4
        else [*own[:2], days("2026-01-01"), days("2026-12-31")]
        for own in people
    ]
    lines = [",".join(map(str, row)) for row in (heads, *rows)]
    Path("people.csv").write_text("\n".join(lines) + "\n", "utf-8")
    workbook({"会员": [heads, *rows, ["合计", 2]]}, name="people.xlsx")

    plain, sheet = propose_mapping("people.csv"), propose_mapping("people.xlsx")

    assert sorted(each.table for each in plain) == sorted(tables)
    for one, other in zip(plain, sheet, strict=True):
        assert (one.table, one.columns, one.named) == (
            other.table, other.columns, other.named,
        )  # fmt: skip
        assert one.ignored == other.ignored
        assert one.complete
        assert other.complete
        assert [q.rule for q in one.questions] == [q.rule for q in other.questions]


SOLD = "小票号,日期,门店,数量,金额,{}\n"
SOLD_LINE = "T{},2026-11-05,S1,1,{},{}\n"


def sold(heading, *amounts_and_words):
    """The text of a file of sales with a further column."""
    lines = [SOLD_LINE.format(at, *pair) for at, pair in enumerate(amounts_and_words)]
    return SOLD.format(heading) + "".join(lines)


def test_a_column_that_is_read_as_the_currency_is_not_called_unread():
    """It is said how many rows are refused; what holds other things stays unread."""
    mixed = look(sold("币种", (5, "CNY"), (6, "USD"), (7, "人民币"), (8, "")))
    (note,) = asked(mixed, "currency-column")
    assert "币种" not in mixed.ignored
    assert "CNY" in note.text_en
    assert "of 4 looked at 1 in another one" in note.text_en
    assert "4 行中有 1 行为其他币种" in note.text_zh
    (note,) = asked(look(sold("币种", (5, "CNY"), (6, "RMB"))), "currency-column")
    assert "all rows looked at are in CNY" in note.text_en
    for text in (sold("币种", (5, "CNY"), (6, "赠品")), sold("备注", (5, "CNY"))):
        other = look(text)
        assert not asked(other, "currency-column")
        assert other.ignored in {("币种",), ("备注",)}
    for month, code in ((9, "CNY"), (10, "")):
        Path(f"sales-{month}.csv").write_text(sold("币种", (5, code)), "utf-8")
    Path("file.csv").unlink()
    (months,) = propose_mapping(".")
    assert months.path == "sales-*.csv"
    short = look("小票号,日期,币种\nT1,2026-11-05,CNY\n", table="sales")
    assert "币种" not in asked(short, "column-missing")[0].text_zh


def test_lines_that_would_be_warned_of_as_returns_are_asked_about():
    """The answer, once taken, makes them returns, and there is no warning any more."""
    workbook({
        "销售": [
            ["小票号", "日期", "门店", "数量", "金额", "单据类型"],
            ["T1", dt.date(2026, 11, 5), "S1", 1, 5, "销售"],
            ["T2", dt.date(2026, 11, 5), "S1", 1, 6, "退货"],
            ["T3", dt.date(2026, 11, 5), "S1", 1, 7, "退货"],
        ]
    })  # fmt: skip
    plain = sold("单据类型", (5, "销售"), (6, "退货"), (7, "退货"))
    for proposal in (look(plain), *propose_mapping("book.xlsx")):
        (question,) = asked(proposal, "returns-positive")
        option = 'returns = { column = "单据类型", equals = ["退货"] }'
        assert question.toml == option
        assert "2 of those looked at" in question.text_en
        assert "：2（" in question.text_zh
        for answer, warned, amounts in (
            (f"# {option}", True, [500, 600, 700]),
            (option, False, [500, -600, -700]),
        ):
            text = chain_toml(
                [proposal], name="x", currency="CNY", zone="Asia/Shanghai"
            )
            Path("chain.toml").write_text(text.replace(f"# {option}", answer), "utf-8")
            chain = open_chain("chain.toml", entry_points=False)
            read = chain.sources["sales"].read("sales")
            rules = {finding.rule for finding in read.findings}
            assert ("returns-positive" in rules) is warned
            assert read.frame["amount"].tolist() == amounts
    negative = look(sold("单据类型", (5, "销售"), (-6, "退货")))
    assert not asked(negative, "returns-positive")


def test_a_second_file_of_a_table_stands_as_a_comment():
    """The chain file stays valid; the office chooses."""
    for name in ("a.csv", "b.csv"):
        Path(name).write_text(MEMBERS, "utf-8")
    text = chain_toml(
        propose_mapping("."), name="x", currency="CNY", zone="Asia/Shanghai"
    )

    assert tomllib.loads(text)["sources"]["members"]["path"] == "a.csv"
    assert '# path = "b.csv"' in text


@given(
    st.lists(st.one_of(st.text(max_size=12), st.sampled_from(["金额", "日期", "门店"])),
             min_size=1, max_size=6),
    st.lists(st.text(max_size=8), min_size=6, max_size=6),
)  # fmt: skip
def test_whatever_headings_and_cells_hold_the_toml_is_valid(headings, cells):
    """No heading ends its line, its text or its comment."""
    text = TextTable.of_rows("file", headings, [cells[: len(headings)]])
    proposal = propose_table(text, adapter="csv", path='a"\n\\b.csv')

    for language in ("zh", "en"):
        made = tomllib.loads(proposal.toml(language))["sources"][proposal.table]
        assert made["path"] == 'a"\n\\b.csv'
        assert len(proposal.describe(language).splitlines()) < 80


def test_wrong_use_is_told():
    """A table, a file or a folder that does not exist."""
    Path("empty").mkdir()
    Path("a.csv").write_text(MEMBERS)

    with pytest.raises(UnknownTableError):
        propose_mapping("a.csv", table="member")
    for path in ("none.csv", "empty"):
        with pytest.raises(SourceError, match=path):
            propose_mapping(path)


def test_the_command_prints_a_chain_file_and_its_report_as_comments(capsys):
    """Its output can be kept as chain.toml; 1 says that a column is missing."""
    Path("sales.csv").write_text(TILL, "utf-8")

    assert main(["doctor", "sales.csv", "--language", "en"]) == 0
    out = capsys.readouterr().out
    assert "# sales.csv: it looks like sales" in out
    Path("chain.toml").write_text(out, "utf-8")
    assert open_chain("chain.toml", entry_points=False).sources["sales"]

    Path("sales.csv").write_text("日期,金额\n2026-11-05,5\n", "utf-8")
    assert main(["doctor", "sales.csv", "--table", "sales", "--toml"]) == 1
    assert "it looks like" not in capsys.readouterr().out
    assert main(["doctor", "none.csv"]) == 2
    assert "none.csv" in capsys.readouterr().err


def test_a_file_whose_headings_tell_no_table_is_asked_about(capsys):
    """One known heading of six makes no table: which one is asked, and exits with 1."""
    text = "流水单号,交易时刻,门店编号,贵宾号,件,实收款(元)\nT1,2026-11-05,S1,M1,1,5\n"
    proposal = look(text)

    assert not proposal.likely
    (question,) = asked(proposal, "table-unsure")
    assert "--table sales" in question.text_zh
    assert "--table members" in question.text_en
    assert main(["doctor", "file.csv", "--toml"]) == 1
    assert "sources" not in tomllib.loads(capsys.readouterr().out)
    assert look(text, table="stores").likely
    assert look("门店编号,店名,地址,面积,租金,房东\nS1,一店,a,b,c,d\n").likely


def test_a_chain_file_without_sales_says_so_and_exits_with_1(capsys):
    """Without sales no chain opens; a wrong currency or zone is refused."""
    Path("members.csv").write_text(MEMBERS, "utf-8")

    assert main(["doctor", "members.csv", "--language", "en"]) == 1
    assert "# [sources.sales] is missing" in capsys.readouterr().out
    for wrong in (["--currency", "RMB8"], ["--zone", "Asia/Shanghia"]):
        assert main(["doctor", "members.csv", *wrong]) == 2
        assert wrong[1] in capsys.readouterr().err


def test_a_folder_is_looked_at_as_a_whole(capsys):
    """A bad file is told and does not stop the others; folders and databases are."""
    Path("sales.csv").write_text(TILL, "utf-8")
    Path("members.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    Path("archive").mkdir()
    sqlite3.connect("pos.db").execute("CREATE TABLE sales (id)").connection.close()

    assert main(["doctor", ".", "--language", "en"]) == 1
    out = capsys.readouterr().out
    assert "# members.xlsx: it cannot be read" in out
    assert "# archive: a folder" in out
    assert "# pos.db: a SQLite database" in out
    assert list(tomllib.loads(out)["sources"]) == ["sales"]
    with pytest.raises(SourceError, match="SQLite database"):
        propose_mapping("pos.db")


@pytest.mark.parametrize(
    ("names", "path"),
    [
        (["销售-202609.csv", "销售-202610.csv"], "销售-*.csv"),
        (["北店.csv", "南店.csv"], ["北店.csv", "南店.csv"]),
    ],
)
def test_files_of_one_table_are_read_together(names, path):
    """Months of sales with equal headings are one section; other lists are not."""
    for name in names:
        Path(name).write_text(TILL.replace("T", name[3:9]), "utf-8")
    Path("零售导出-202608.csv").write_text(TILL.replace("实收", "金额"), "utf-8")
    text = chain_toml(
        propose_mapping("."), name="x", currency="CNY", zone="Asia/Shanghai"
    )

    made = tomllib.loads(text)["sources"]["sales"]["path"]
    assert sorted(made) == sorted(path) if isinstance(path, list) else made == path
    Path("chain.toml").write_text(text, "utf-8")
    chain = open_chain("chain.toml", entry_points=False)
    assert chain.sources["sales"].read("sales").accepted == 2 * len(names)
