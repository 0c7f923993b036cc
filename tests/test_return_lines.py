"""Promises about returns that a word marks and no sign."""

import sqlite3
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from csv_reading import findings, read, said
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.excel_source import read_excel
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.records import read_records
from memberops.adapters.sources.return_words import return_word
from memberops.adapters.sources.sql_source import SqlSource
from memberops.domain import Currency, Severity
from memberops.errors import ConfigurationError, MissingColumnsError

HEAD = "小票号,销售日期,门店,数量,金额,类型\n"
LINE = "T1,2026-11-05,S1,{},{},{}\n"
RULE = {"column": "类型", "equals": ["退货", "退款"]}
FIELDS = HEAD.strip().split(",")
CNY, SHANGHAI = Currency("CNY"), ZoneInfo("Asia/Shanghai")


def lines(*rows):
    """A file of lines: each its quantity, its amount and its word."""
    return HEAD + "".join(LINE.format(*row) for row in rows)


def of_records(*rows, **mapping):
    """Read lines as records, as a web service gives them."""
    cells = [LINE.format(*row).strip().split(",") for row in rows]
    options = ReadingOptions.of("sales", currency=CNY, zone=SHANGHAI, **mapping)
    return read_records(
        [dict(zip(FIELDS, row, strict=True)) for row in cells], options, origin="acme"
    )


def of_database(*rows, **mapping):
    """Read lines from a table of SQLite."""
    cells = [LINE.format(*row).strip().split(",") for row in rows]
    with closing(sqlite3.connect("till.db")) as till:
        till.execute("DROP TABLE IF EXISTS lines")
        till.execute(f"CREATE TABLE lines ({', '.join(FIELDS)})")
        till.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?)", cells)
        till.commit()
    context = SourceContext(folder=Path(), currency=CNY, zone=SHANGHAI)
    source = SqlSource(context, url="sqlite:///till.db", table="lines", **mapping)
    return source.read("sales")


def of_file(*rows, **mapping):
    """Read lines from a CSV file."""
    return read(lines(*rows), **mapping)


def of_workbook(*rows, **mapping):
    """Read lines from a workbook."""
    with xlsxwriter.Workbook("lines.xlsx") as book:
        tab = book.add_worksheet()
        for at, line in enumerate(lines(*rows).splitlines()):
            tab.write_row(at, 0, line.split(","))
    return read_excel("lines.xlsx", "sales", currency=CNY, zone=SHANGHAI, **mapping)


READERS = pytest.mark.parametrize(
    "reader", [of_file, of_records, of_database, of_workbook]
)
BOTH_SIGNS = [
    (2, "10.00", "销售"),
    (1, "4.00", "退货"),
    (-1, "-3.00", "退货"),
    (1, "0.50", " 退款"),
    (3, "6.00", ""),
]


@READERS
def test_a_marked_line_is_negative_whatever_its_sign(reader):
    """A positive return becomes negative, a negative one stays, a sale stays."""
    result = reader(*BOTH_SIGNS, returns=RULE)
    assert result.frame["quantity"].tolist() == [2, -1, -1, -1, 3]
    assert result.frame["amount"].tolist() == [1000, -400, -300, -50, 600]
    assert findings(result, "returns-positive") == []
    english, chinese = said(result, "returns-by-rule")
    assert "marks as returns: 3; of these the amount was positive" in english
    assert "negative now: 2" in english
    assert "标记为退货的行：3" in chinese


@READERS
def test_returns_that_count_as_sales_are_told_with_what_to_write(reader):
    """Without the rule nothing changes, and a warning counts the positive returns."""
    result = reader(*BOTH_SIGNS)
    assert result.frame["amount"].tolist() == [1000, 400, -300, 50, 600]
    (finding,) = findings(result, "returns-positive")
    assert (finding.severity, finding.count) == (Severity.WARNING, 2)
    for language in ("en", "zh"):
        text = finding.describe(language)
        assert 'returns = { column = "类型", equals = ["退货", "退款"] }' in text


@pytest.mark.parametrize("word", ["退单", "Returned", "ｒｅｆｕｎｄ"])
def test_words_of_tills_are_known_in_any_case_and_width(word):
    """The warning knows the words that tills write, and the option takes them so."""
    text = lines((1, "5.00", word))
    assert findings(read(text), "returns-positive")
    told = read(text, returns={"column": "类型", "equals": word.lower()})
    assert told.frame["amount"].tolist() == [-500]


@pytest.mark.parametrize(
    "word",
    [
        "退货(质量)", "退货（质量）", "退货【尺码不合】", "退货-无理由",
        "退货（7天无理由）",
        "退货 未拆封", "部分退款", "仅退款", "退货退款", "已退款", "退款成功",
        "退货\n质量", "销售退货订单", "2-退货",
        "[3]退款", "退货:是", "Return - damaged", "refund (partial)", "Partial refund",
        "PARTIALLY_REFUNDED", "sales-return", "Return: not as described", "退貨/質量",
        "01 Return", "Refund", "部分退货（品质问题）", "RETURN – damaged in shipping",
    ],
)  # fmt: skip
def test_a_word_with_a_reason_still_says_return(word):
    """What a till writes before the word, or after a sign, does not hide a return."""
    assert return_word(word)


@pytest.mark.parametrize(
    "word",
    [
        "不可退货", "未退款", "non-returnable", "return label fee",
        "Return - label fee",
        "退货券", "会员退货券", "退货运费", "退货(运费)", "退货运费险", "可退货",
        "无退货",
        "支持七天无理由退货", "退款(失败)", "退款-已取消", "退货申请", "退货(申请中)",
        "待退货", "退款中", "退换货", "退货/换货", "退货:否", "退货=0", "退税",
        "退押金",
        "no return", "no_return", "Return: no", "unreturned", "refundable", "returning",
        "refund (rejected)", "Refund - pending", "return/exchange", "return policy",
        "Return - 30 days", "return to vendor", "销售", "", "sale", "-", "退货" * 30,
        "退货供应商", "refund (not approved)", "取消退货", "退款不成功", "tax refund",
    ],
)  # fmt: skip
def test_a_word_about_returns_that_is_none_is_left_alone(word):
    """What is denied, undone or only asked for, a fee and a policy are no returns."""
    assert return_word(word) == ""


MIXED = [
    (1, "30.00", "退货"),
    (1, "50.00", "退款"),
    (1, "20.00", "退货(质量)"),
    (1, "9.00", "不可退货"),
    (-1, "-5.00", "退单"),
]


@READERS
def test_returns_that_the_rule_forgets_are_told_with_the_words_to_add(reader):
    """A rule that takes one word of three leaves two as sales, and not in silence."""
    (finding,) = findings(reader(*MIXED), "returns-positive")
    assert finding.count == 3
    assert 'equals = ["退货", "退款", "退货(质量)"]' in finding.message_zh
    result = reader(*MIXED, returns={"column": "类型", "equals": ["退货"]})
    assert result.frame["amount"].tolist() == [-3000, 5000, 2000, 900, -500]
    (finding,) = findings(result, "returns-positive")
    assert (finding.severity, finding.count) == (Severity.WARNING, 2)
    assert "match no line" not in finding.message_en
    for text in (finding.message_en, finding.message_zh):
        assert '"退款", "退货(质量)"' in text
        assert "equals" in text
    rule = {"column": "类型", "equals": ["退货", "退款", "退货(质量)"]}
    result = reader(*MIXED, returns=rule)
    assert result.frame["amount"].tolist() == [-3000, -5000, -2000, 900, -500]
    assert not findings(result, "returns-positive")


@READERS
def test_a_rule_with_a_slip_is_told(reader):
    """Words that match no line are told where others look like returns."""
    slip = {"column": "类型", "equals": ["退貨"]}
    result = reader((1, "30.00", "退货"), (1, "5.00", "销售"), returns=slip)
    (finding,) = findings(result, "returns-positive")
    assert (finding.severity, finding.count) == (Severity.WARNING, 1)
    assert "the words of 'returns' match no line" in finding.message_en
    assert "未匹配任何行" in finding.message_zh
    assert "add \"退货\" to its 'equals'" in finding.message_en


def test_a_day_without_returns_is_no_warning():
    """A rule that has nothing to take says so quietly, as on most days."""
    result = read(lines((1, "5.00", "销售"), (1, "2.00", "不可退货")), returns=RULE)
    (finding,) = findings(result, "returns-by-rule")
    assert (finding.severity, finding.count) == (Severity.INFO, 0)
    assert not findings(result, "returns-positive")
    gone = {"column": "类型", "equals": "退单", "reason": "void"}
    result = read(lines((1, "5.00", "退单")), returns=RULE, drop=[gone])
    assert not findings(result, "returns-positive")


def test_what_somebody_wrote_beside_a_return_is_not_quoted():
    """Of a column of remarks only the word is shown, of others no long number."""
    text = lines((1, "5.00", "退款(王小明)"), (1, "5.00", "退货-13812345678"))
    remarks = text.replace("类型", "备注")
    starts = {"column": "备注", "starts_with": "退单"}
    for rule, words in ((starts, '"退款", "退货"'), ({**RULE, "column": "备注"},
                        '"退货", "退款", "退款", "退货"')):  # fmt: skip
        told = " ".join(said(read(remarks, returns=rule), "returns-positive"))
        assert words in told
        assert "starts_with" in told
        assert "王小明" not in told
    told = " ".join(said(read(text), "returns-positive"))
    assert "13812345678" not in told
    told = " ".join(said(read(text.replace("退款(王小明)", "x")), "returns-positive"))
    assert 'starts_with = ["退货"]' in told
    assert "138" not in told


def test_only_few_words_are_shown():
    """However many words a column has, a message names six and counts all lines."""
    text = lines(*((1, "5.00", f"退货({chr(0x5F20 + at)})") for at in range(40)))
    (finding,) = findings(read(text), "returns-positive")
    assert finding.count == 40
    assert finding.message_en.count("退货(") == 6


def test_what_is_no_positive_return_is_not_told():
    """A return that is negative, or left out by a rule, and other words bring none."""
    negative = lines((-1, "-5.00", "退货"), (1, "5.00", "会员退货券"))
    assert not findings(read(negative), "returns-positive")
    gone = {"column": "类型", "equals": "退货", "reason": "void"}
    positive = lines((1, "5.00", "退货"), (1, "2.00", "销售"))
    assert not findings(read(positive, drop=[gone]), "returns-positive")
    assert not findings(
        read("门店编号,店名,类型\nS1,一店,退货\n", "stores"), "returns-positive"
    )


def test_an_amount_that_is_made_of_a_price_is_negative_too():
    """Where quantity and price make the amount, a return takes it back once."""
    text = "小票号,销售日期,门店,数量,单价,是否退货\n" + "".join(
        f"T1,2026-11-05,S1,{row}\n" for row in ("2,5.00,是", "-2,5.00,是", "2,5.00,否")
    )
    assert findings(read(text), "returns-positive")[0].count == 1
    result = read(text, returns={"column": "是否退货", "equals": "是"})
    assert result.frame["quantity"].tolist() == [-2, -2, 2]
    assert result.frame["amount"].tolist() == [-1000, -1000, 1000]
    assert result.frame["unit_price"].tolist() == [500, 500, 500]


def test_a_canonical_column_may_mark_returns_by_its_beginning():
    """A till that numbers its returns apart needs no column for them."""
    text = HEAD + "R7,2026-11-05,S1,1,5.00,x\nT7,2026-11-05,S1,1,5.00,x\n"
    for column in ("ticket_id", "小票号"):
        result = read(text, returns={"column": column, "starts_with": "r"})
        assert result.frame["amount"].tolist() == [-500, 500]


def test_rules_see_returns_as_negative_and_unreadable_cells_stay_refused():
    """A drop rule compares what is counted; a bad amount is rejected as ever."""
    text = lines((1, "5.00", "退货"), (1, "abc", "退货"), (1, "7.00", "销售"))
    below = {"column": "amount", "below": "0", "reason": "returns apart"}
    result = read(text, returns=RULE, drop=[below])
    assert result.frame["amount"].tolist() == [700]
    assert sorted(result.rejects["rule"]) == ["dropped-by-reading", "number-unreadable"]


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        ({"colum": "类型"}, "did you mean 'column'"),
        ({"equals": ["退货"]}, "a text 'column'"),
        ({"column": "类型"}, "in 'equals' or in 'starts_with'"),
        ({"column": "类型", "equals": "退", "starts_with": "退"}, "'starts_with'"),
        ({"column": "类型", "equals": [1]}, "the texts that mark a return"),
        ({"column": "类型", "equals": 1}, "is a list"),
        ("类型", "is a table, as in"),
    ],
)
def test_a_rule_that_says_too_little_is_refused(rule, hint):
    """Each slip of the option names what is wrong."""
    with pytest.raises(ConfigurationError, match=hint):
        read(lines(), returns=rule)


def test_the_column_of_the_rule_exists():
    """A heading that is not there is named with the nearest; a table has returns."""
    with pytest.raises(MissingColumnsError, match=r"not there; known are: .*'类型'"):
        read(lines(), returns={"column": "类形", "equals": "退货"})
    with pytest.raises(ConfigurationError, match=r"'item_id'.*not there"):
        read(lines(), returns={"column": "item_id", "equals": "退货"})
    with pytest.raises(ConfigurationError, match="'returns' is about lines of sales"):
        read("门店编号,店名\nS1,一店\n", "stores", returns=RULE)


@settings(max_examples=6, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-9, 9),
            st.integers(-(10**6), 10**6),
            st.sampled_from(["退货", "退款", "销售", "", "退货 "]),
        ),
        min_size=1,
        max_size=24,
    )
)
def test_the_rule_takes_back_twice_what_counted_wrongly(rows):
    """The sum with the rule is that without, less twice the positive marked amounts."""
    given_rows = [(q, f"{'-' * (a < 0)}{abs(a) // 100}.{abs(a) % 100:02}", w)
                  for q, a, w in rows]  # fmt: skip
    plain = of_records(*given_rows).frame
    ruled = of_records(*given_rows, returns=RULE).frame
    for name, at in (("quantity", 0), ("amount", 1)):
        wrong = sum(max(row[at], 0) for row in rows if row[2].startswith("退"))
        assert ruled[name].sum() == plain[name].sum() - 2 * wrong
