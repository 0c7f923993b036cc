"""From text to canonical columns: headings, dates, keys, and what a user is told."""

import datetime as dt
import decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from csv_reading import GOOD, SALES, findings, read, said
from memberops.adapters.sources.csv_source import read_csv
from memberops.adapters.sources.drop_rules import DropRule
from memberops.adapters.sources.rejects import guard_text, unguard_text
from memberops.adapters.sources.values import read_amount
from memberops.domain import Currency, Severity
from memberops.errors import (
    ConfigurationError,
    MissingColumnsError,
    SourceError,
    UnknownTableError,
)
from memberops.tables import TABLES


def test_every_heading_of_every_table_is_known():
    """A file may carry any heading of `tables`, in Chinese or English, in any case."""
    for table in TABLES:
        for language in ("zh", "en"):
            line = ",".join(column.heading(language) for column in table.columns)
            result = read(line.upper() + "\n", table)
            assert tuple(result.frame.columns) == table.names
            assert not findings(result, "heading-ignored")


def test_a_missing_column_names_the_nearest_headings():
    """The error says in both languages what is missing, and what may be meant."""
    with pytest.raises(MissingColumnsError) as caught:
        read("小票编号,销售日期,门店,数量,金额\n")
    assert caught.value.missing == ("ticket_id",)
    assert "ticket_id / 小票号: did you mean '小票编号'?" in str(caught.value)
    assert read("小票编号,销售日期,门店,数量,金额\n", columns={"ticket_id": "小票编号"})
    with pytest.raises(MissingColumnsError, match="did you mean '小票编号'"):
        read("小票编号,销售日期,门店,数量,金额\n", columns={"ticket_id": "小票编"})


def test_a_file_without_headings_is_told_without_its_data():
    """The first row of data is no list of headings, and no value of it is shown."""
    with pytest.raises(SourceError) as caught:
        read("M1,王小明,13812345678\n", "members")
    assert "needs a heading line" in str(caught.value)
    assert "王小明" not in str(caught.value)
    assert "13812345678" not in str(caught.value)


def test_options_name_what_exists():
    """A mistyped column, constant, format or key is refused with the nearest name."""
    for options, hint in [
        ({"columns": {"amuont": "x"}}, "did you mean 'amount'"),
        ({"constants": {"store": "S1"}}, "did you mean 'store_id'"),
        ({"date_format": {"sold": "excel"}}, "did you mean 'sold_on'"),
        ({"date_format": "dayfirst"}, "did you mean 'day-first'"),
        ({"columns": {"amount": "金额"}, "constants": {"amount": "1"}}, "choose one"),
        ({"constants": {"quantity": "two"}}, "constant 'quantity' cannot be read"),
    ]:
        with pytest.raises(ConfigurationError, match=hint):
            read(SALES, **options)
    with pytest.raises(UnknownTableError, match="did you mean 'sales'"):
        read(SALES, "sale")


def test_unknown_headings_are_told_and_nothing_else_is_lost():
    """A column that means nothing is ignored, and a finding names it."""
    result = read("备注,内部码,小票号,销售日期,门店,数量,金额\na,b," + GOOD)
    assert result.accepted == 1
    english, chinese = said(result, "heading-ignored")
    assert "not read: '备注', '内部码'" in english
    assert "未读取：'备注', '内部码'" in chinese


def test_a_heading_that_looks_like_an_empty_column_is_a_warning():
    """An optional column that stays empty is told with the heading that may mean it."""
    result = read("会员编号,登记门店,备注\nM1,S1,x\n", "members")
    (finding,) = findings(result, "heading-likely")
    assert (finding.severity, finding.column) == (Severity.WARNING, "store_id")
    for text in (finding.message_en, finding.message_zh):
        assert "登记门店" in text
        assert "store_id" in text
    named = read("会员编号,登记门店\nM1,S1\n", "members",
                 columns={"store_id": "登记门店"})  # fmt: skip
    assert not findings(named, "heading-likely")
    known = read("会员编号,注册门店\nM1,S1\n", "members")
    assert known.frame["store_id"].tolist() == ["S1"]


def test_twin_columns_are_told():
    """Two equal columns that mean one are read as one; the repetition is a finding."""
    result = read("金额,金额,小票号,销售日期,门店,数量\n5,5,T1,20261105,S1,1\n")
    assert result.frame["amount"].tolist() == [500]
    assert "more than once" in said(result, "heading-repeated")[0]
    assert "重复出现" in said(result, "heading-repeated")[1]
    assert "are equal" in said(result, "heading-twin")[0]


@pytest.mark.parametrize("second", ["金额", "实收金额"])
def test_columns_in_conflict_ask_for_a_mapping(second):
    """Two different columns that mean one are never chosen between."""
    text = f"金额,{second},小票号,销售日期,门店,数量\n5,5,T1,20261105,S1,1\n"
    text += "5,6,T2,20261105,S1,1\n"
    result = read(text)
    assert (result.accepted, result.rejected) == (0, 2)
    english, chinese = said(result, "heading-conflict")
    assert "all mean amount and differ" in english
    assert "columns={'amount': 标题}" in chinese
    assert findings(result, "heading-conflict")[0].severity is Severity.ERROR
    heading = "金额#2" if second == "金额" else second
    chosen = read(text, columns={"amount": heading})
    assert chosen.frame["amount"].tolist() == [500, 600]


def test_an_optional_conflict_leaves_the_column_empty():
    """A conflict about an optional column rejects no row but is an error finding."""
    text = "会员编号,手机,电话\nM1,13800138000,2\nM2,3,3\n"
    result = read(text, "members")
    assert result.accepted == 2
    assert result.frame["phone"].isna().all()
    assert findings(result, "heading-conflict")[0].severity is Severity.ERROR
    assert "13800138000" not in said(result, "heading-conflict")[0]


def test_frames_have_the_types_of_their_table():
    """Ids are text, dates have no zone, instants are UTC, amounts are whole numbers."""
    head = "小票号,销售日期,销售时间,门店,会员号,数量,单价,金额\n"
    row = "T1,2026-11-05,2026-11-05 08:00,007,,1,5,5\n"
    result = read(head + row)
    types = {name: str(kind) for name, kind in result.frame.dtypes.items()}
    assert types == {
        "ticket_id": "str",
        "sold_on": "datetime64[us]",
        "sold_at": "datetime64[us, UTC]",
        "store_id": "str",
        "member_id": "str",
        "item_id": "str",
        "item_name": "str",
        "quantity": "int64",
        "unit_price": "Int64",
        "amount": "int64",
        "returned_ticket_id": "str",
    }
    (line,) = result.frame.to_dict("records")
    assert line["store_id"] == "007"
    assert line["sold_at"] == pd.Timestamp("2026-11-05 00:00", tz="UTC")
    assert pd.isna(line["member_id"])
    assert pd.isna(line["item_name"])


def test_constants_fill_what_the_file_lacks():
    """A file of one store needs no store column if the caller names the store."""
    result = read(
        "小票号,销售日期,数量,金额\nT1,2026-11-05,1,5\n", constants={"store_id": "S7"}
    )
    assert result.frame["store_id"].tolist() == ["S7"]
    days = read("小票号,门店,数量,金额\nT1,S1,1,5\n", date_format="%d/%m/%Y",
                constants={"sold_on": "2026-11-05"})  # fmt: skip
    assert days.frame["sold_on"].tolist() == [pd.Timestamp("2026-11-05")]


def test_words_for_nothing_are_missing_and_may_be_changed():
    """``NULL`` is no member; a chain whose member is called so can say otherwise."""
    head = "小票号,销售日期,门店,数量,金额,会员号\n"
    row = "T1,2026-11-05,S1,1,5,{}\n"
    for word in ("NULL", "\\N", "NaN", "", "　"):
        assert read(head + row.format(word)).frame["member_id"].isna().all()
    assert read(head + row.format("NA")).frame["member_id"].tolist() == ["NA"]
    kept = read(head + row.format("NULL"), missing=(), nobody=())
    assert kept.frame["member_id"].tolist() == ["NULL"]


@pytest.mark.parametrize("filler", [0, 110])
def test_a_day_at_midnight_in_utc_stays_that_day(filler):
    """West of Greenwich it is the evening before; a birth date is no evening."""
    rows = [
        ("M1", "1990-05-17T00:00:00Z", "2026-01-05T00:00:00.000Z"),
        ("M2", "1990-05-18 00:00:00+00:00", "2026-01-06 00:00Z"),
        *(
            (f"F{n}", f"{1800 + n}-05-19T00:00:00Z", "2026-01-07")
            for n in range(110, 110 + filler)
        ),
    ]
    text = "会员号,生日,入会日期\n" + "".join(",".join(row) + "\n" for row in rows)
    for zone in ("America/New_York", "Asia/Shanghai"):
        frame = read(text, "members", zone=zone).frame
        assert [str(day.date()) for day in frame["birth_date"][:2]] == [
            "1990-05-17", "1990-05-18",
        ]  # fmt: skip
        assert [str(day.date()) for day in frame["joined_on"][:2]] == [
            "2026-01-05", "2026-01-06",
        ]  # fmt: skip
    told = findings(read(text, "members", zone="America/New_York"), "day-at-midnight")
    assert {each.column for each in told} == {"birth_date", "joined_on"}
    assert not findings(read(text, "members"), "day-at-midnight")
    # Among moments a midnight is one of them.
    moments = "会员号,入会日期\nM1,2026-01-05T00:00:00Z\nM2,2026-01-05T15:00:00Z\n"
    joined = read(moments, "members", zone="America/New_York").frame["joined_on"]
    assert [str(day.date()) for day in joined] == ["2026-01-04", "2026-01-05"]


def test_a_word_for_nobody_is_no_member():
    """Customers without a card would all be one member who buys every day."""
    words = ["-", "——", "0", "０", "0000", "N/A", "null", "None", "无", "散客", "游客"]
    rows = "".join(f"T{n},2026-11-05,S1,1,5,{w}\n" for n, w in enumerate(words))
    text = f"小票号,销售日期,门店,数量,金额,会员号\n{rows}T,2026-11-05,S1,1,5,0012\n"
    result = read(text.replace("——", "--"))

    assert result.frame["member_id"].dropna().tolist() == ["0012"]
    (told,) = findings(result, "member-nobody")
    assert (told.count, told.severity.value) == (len(words), "info")
    assert "散客" in told.message_zh
    # What 'missing' has taken stands for nobody too, but not by these words.
    (told,) = findings(
        read(text.replace("——", "--"), missing=["散客", "-"]), "member-nobody"
    )
    assert told.count == len(words) - 2
    assert "散客" not in told.message_zh
    assert "游客" in told.message_zh
    own = read(text, nobody=["散客", "路人"])
    assert own.frame["member_id"].isna().sum() == 1
    assert read("会员号,姓名\n散客,甲\nM1,乙\n", "members").accepted == 1
    assert read("门店编号,店名\n0,总部\n", "stores").accepted == 1


@pytest.mark.parametrize(
    ("row", "rule", "column", "english", "chinese"),
    [
        (",2026-11-05,S1,1,5", "required-missing", "ticket_id", "the cell is empty",
         "单元格为空"),
        ("1.2E+10,2026-11-05,S1,1,5", "number-destroyed", "ticket_id",
         "'1.2E+10': it is in scientific notation",
         "“1.2E+10”：采用了科学计数法"),
        ("T1,46331,S1,1,5", "date-serial", "sold_on", "a text of 5 characters: it",
         "日期序号"),
        ("T1,2026-02-30,S1,1,5", "date-impossible", "sold_on", "there is no such day",
         "不存在这样的日期"),
        ("T1,2026-11-05,S1,1.5,5", "integer-fraction", "quantity", "'1.5': it is not",
         "不是整数"),
        ("T1,2026-11-05,S1,1,5.123", "amount-digits", "amount", "the 2 decimal digits",
         "小数位多于 CNY 的 2 位"),
        ('T1,2026-11-05,S1,1,"1,29,9"', "number-grouping", "amount",
         "'1,29,9': its commas do not part thousands", "千位分隔符"),
        ("T1,2026-11-05,S\u200b1,1,5", "control-character", "store_id",
         "invisible characters", "不可见字符"),
    ],
)  # fmt: skip
def test_a_bad_required_cell_rejects_its_row(row, rule, column, english, chinese):
    """The finding, the reject and its raw text all point at the same line."""
    result = read(SALES + GOOD + row + "\n")
    assert (result.rows_read, result.accepted, result.rejected) == (2, 1, 1)
    (finding,) = findings(result, rule)
    assert (finding.row, finding.column) == (3, column)
    assert finding.severity is Severity.ERROR
    assert english in finding.message_en
    assert finding.message_en.endswith("; the row is rejected")
    assert chinese in finding.message_zh
    assert finding.message_zh.endswith("；该行不予接收")
    (reject,) = result.rejects.to_dict("records")
    assert (reject["file"], reject["line"], reject["rule"]) == ("file.csv", 3, rule)
    assert reject["column"] == column
    assert reject["raw"] == row
    assert english in reject["reason_en"]
    assert chinese in reject["reason_zh"]


def test_a_bad_optional_cell_is_left_empty_with_a_warning():
    """A row is not lost for a cell that it does not need; no personal value is told."""
    result = read(
        "会员编号,手机,生日,性别,入会日期\n"
        "M1,1.38E+10,1990-02-30,妖,昨天\nM2,13800138000,1990-02-03,女,2026-1-2\n",
        "members",
    )
    assert result.accepted == 2
    first = result.frame.iloc[0]
    assert first[["phone", "birth_date", "gender", "joined_on"]].isna().all()
    warned = [f for f in result.findings if f.severity is Severity.WARNING]
    assert sorted((f.rule, f.column, f.row) for f in warned) == [
        ("choice-unknown", "gender", 2),
        ("date-impossible", "birth_date", 2),
        ("date-unreadable", "joined_on", 2),
        ("number-destroyed", "phone", 2),
    ]
    told = " ".join(f.message_en + f.message_zh for f in result.findings)
    assert "1.38E+10" not in told
    assert "1990" not in told
    assert "昨天" not in told
    assert "a text of 2 characters: it is no date" in told
    assert "；该单元格留空" in told
    assert "13800138000" not in repr(result)


def test_no_personal_value_is_told_even_from_another_column():
    """A phone that slipped into a number column is not told; no text is long."""
    result = read(SALES + f"T1,2026-11-05,S1,{13812345678}x,{'长' * 500}\n")
    told = " ".join(f.message_en + f.message_zh for f in result.findings)
    assert "13812345678" not in told
    assert "5678" not in told
    assert "a text of 12 characters: it is no number" in told
    assert "12 个字符的文本：不是数字" in told
    assert max(len(f.message_zh) for f in result.findings) < 200


CANARIES = (
    "王小明", "欧阳娜娜", "万元", "Anna Smith", "LiLei", "13812345678",
    "138-1234-5678", "+86 13812345678", "010-88123456", "1990-05-17", "17.05.1990",
    "1990年5月17日", "33010", "1.3812345678E+10", "wang@example.com", "上海路7号",
)  # fmt: skip


def never_told(canary, table, rows, **options):
    """Assert that a file of these rows is read without a word of a value."""
    head = ",".join(column.name for column in table.columns)
    text = "\n".join([head, *(",".join(cells) for cells in rows)])
    result = read(f"{text}\n", table.name, **options)
    for finding in result.findings:
        assert canary not in finding.describe("en") + finding.describe("zh")
    assert canary not in result.rejects[["reason_en", "reason_zh"]].to_string()


def slid(canary, table):
    """Return a row for each column of a table: good, but for a value in that column."""
    good = ["2026-11-05" if "date" in c.kind else "1" for c in table.columns]
    return [[*good[:at], canary, *good[at + 1 :]] for at in range(len(good))]


def check_slid(canary, table):
    """Put a value into each column of a table in turn, then into all: none tells it."""
    rows = slid(canary, table)
    never_told(canary, table, rows)
    never_told(canary, table, [[canary] * len(rows)], date_format="%Y-%m-%d")


@pytest.mark.parametrize(
    ("at", "table"), list(enumerate(TABLES)), ids=[table.name for table in TABLES]
)
def test_no_finding_tells_a_value_that_slid_into_another_column(at, table):
    """Some personal values in each column of each table; each value in some tables."""
    for canary in CANARIES[at % 3 :: 3]:
        check_slid(canary, table)


@pytest.mark.nightly
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_finding_tells_a_value_that_is_alone_in_its_column(table):
    """Each value in each table; the same where the column has no other value."""
    for canary in CANARIES:
        check_slid(canary, table)
        for row in slid(canary, table):
            never_told(canary, table, [row])
            never_told(canary, table, [row], date_format="%Y-%m-%d")


def test_no_day_is_quoted_from_a_table_of_persons():
    """Where persons are, an impossible day may be a birth date that slid."""
    result = read("会员编号,入会日期\nM1,1990-02-30\n", "members")
    (finding,) = findings(result, "date-impossible")
    assert "1990" not in finding.message_en + finding.message_zh
    for each in TABLES:
        if any(column.personal for column in each.columns):
            assert not any(c.quotable for c in each.columns if c.kind == "date")


@pytest.mark.parametrize(
    "cell", ["1,29,9", "-5-", "(3.5)-", "1e3", "#REF!", "12,5", "5.123元"]
)
def test_what_is_built_as_a_number_is_quoted(cell):
    """A number that cannot be read is told as it stands, so that it can be found."""
    result = read(SALES + f'T1,2026-11-05,S1,1,"{cell}"\n')
    (finding,) = [f for f in result.findings if f.severity is Severity.ERROR]
    assert f"'{cell}': " in finding.message_en
    assert f"“{cell}”：" in finding.message_zh


def test_scientific_notation_is_told_without_another_number():
    """The message for 1e3 speaks of 1e3, not of some other number."""
    result = read(SALES + "T1,2026-11-05,S1,1,1e3\n")
    (finding,) = findings(result, "number-destroyed")
    assert finding.message_en.startswith("'1e3': it is in scientific notation")
    assert "1.23" not in finding.message_en + finding.message_zh


def test_an_ambiguous_column_is_one_finding():
    """Dates that fit both orders are not guessed: one finding asks for the format."""
    rows = "".join(f"T{n},{n}/11/2026,S1,1,5\n" for n in range(1, 11))
    result = read(SALES + rows + "T99,2026-11-05,S1,1,5\n")
    assert result.frame["ticket_id"].tolist() == ["T99"]
    (finding,) = findings(result, "date-ambiguous")
    assert (finding.count, finding.row, finding.column) == (10, None, "sold_on")
    assert 'date_format="day-first" or "month-first"' in finding.message_en
    assert "日与月的先后无法判断" in finding.message_zh
    for order, day in (("day-first", (11, 1)), ("month-first", (1, 11))):
        told = read(SALES + rows, date_format=order)
        first = told.frame["sold_on"][0]
        assert (first.month, first.day) == day
        assert told.accepted == 10
        told = read(SALES + rows, date_format={"sold_on": order})
        assert told.accepted == 10


def test_an_ambiguous_optional_column_is_left_empty():
    """Rows stay if the ambiguous column is optional; still it is one finding."""
    result = read("会员编号,生日\nM1,5/6/1990\nM2,6/7/1991\n", "members")
    assert result.accepted == 2
    assert result.frame["birth_date"].isna().all()
    (finding,) = findings(result, "date-ambiguous")
    assert (finding.count, finding.severity) == (2, Severity.WARNING)


@pytest.mark.parametrize(
    ("proof", "month", "order"), [("25/12/2026", 11, "day"), ("12/25/2026", 5, "month")]
)
def test_a_proven_order_is_used_and_told(proof, month, order):
    """One date that fits a single order settles the column, wherever it stands."""
    rows = SALES + f"T1,5/11/2026,S1,1,5\nT2,{proof},S1,1,5\n"
    result = read(rows)
    assert result.accepted == 2
    assert result.frame["sold_on"][0].month == month
    assert f"dates are read {order}-first" in said(result, "date-order-proven")[0]
    assert "按" in said(result, "date-order-proven")[1]


def test_contradictory_proofs_are_told_and_settle_nothing():
    """Where dates prove both orders, only those that prove their own are read."""
    rows = "T1,25/12/2026,S1,1,5\nT2,12/25/2026,S1,1,5\nT3,5/11/2026,S1,1,5\n"
    result = read(SALES + rows)
    assert result.frame["ticket_id"].tolist() == ["T1", "T2"]
    english, chinese = said(result, "date-order-contradictory")
    assert "some dates are day-first (rows: 1), others are month-first (rows: 1)" in (
        english
    )
    assert "请统一该列的日期格式" in chinese
    assert findings(result, "date-ambiguous")[0].count == 1


def test_day_numbers_are_read_only_when_said():
    """46331 is a day of a spreadsheet if the caller says so, and no date otherwise."""
    text = SALES + "T1,46331,S1,1,5\n"
    assert read(text).accepted == 0
    result = read(text, date_format="excel")
    assert result.frame["sold_on"].tolist() == [pd.Timestamp("2026-11-05")]


def test_the_day_is_made_from_the_moment_in_the_chain_zone():
    """A file with moments alone gets its days from them, in the chain's zone."""
    head = "小票号,销售时间,门店,数量,金额\n"
    result = read(
        head
        + "T1,2026-11-05T18:00:00Z,S1,1,5\nT2,2026-11-05 23:59,S1,1,5\n"
        + "T3,2026-11-05,S1,1,5\nT4,,S1,1,5\nT5,下午3:05,S1,1,5\n"
    )
    assert result.frame["sold_on"].dt.day.tolist() == [6, 5, 5]
    assert result.frame["sold_at"].isna().tolist() == [False, False, True]
    assert result.rejects["rule"].tolist() == ["required-missing", "date-unreadable"]
    assert result.rejects["column"].tolist() == ["sold_at", "sold_at"]
    assert "there is a day but no time" in said(result, "time-missing")[0]


def test_odd_wall_times_are_counted():
    """Times that the clocks repeated or skipped are accepted by rule, and told."""
    head = "小票号,销售时间,门店,数量,金额\n"
    rows = "T1,2026-03-29 02:30,S1,1,5\nT2,2026-10-25 02:30,S1,1,5\n"
    result = read(head + rows, zone="Europe/Berlin")
    assert result.frame["sold_at"].dt.hour.tolist() == [1, 0]
    assert "the first is taken" in said(result, "time-twice")[0]
    assert "按第一次理解" in said(result, "time-twice")[1]
    assert "moved on by the gap" in said(result, "time-skipped")[0]


def test_the_amount_is_made_exactly():
    """Quantity × price is exact, and too large a product is refused."""
    head = "小票号,销售日期,门店,数量,单价\n"
    result = read(
        head
        + "T1,20261105,S1,3,0.10\nT2,20261105,S1,-7,1.01\nT3,20261105,S1,1,\n"
        + "T4,20261105,S1,1,x\nT5,20261105,S1,9000000000,90000000\n"
        + "T6,20261105,S1,90071992547409,10.23\n"
    )
    assert result.frame["amount"].tolist() == [30, -707, 90071992547409 * 1023]
    assert result.rejects[["column", "rule"]].to_numpy().tolist() == [
        ["unit_price", "required-missing"],
        ["unit_price", "number-unreadable"],
        ["amount", "number-too-large"],
    ]


def test_a_given_amount_is_not_made_again():
    """Where the file has an amount, a bad price is only an optional cell."""
    result = read("小票号,销售日期,门店,数量,单价,金额\nT1,20261105,S1,2,x,5\n")
    assert result.frame["amount"].tolist() == [500]
    assert result.frame["unit_price"].isna().all()
    assert findings(result, "number-unreadable")[0].severity is Severity.WARNING


def test_a_second_row_of_a_key_is_rejected_with_the_line_of_the_first():
    """Also an identical row; a row that was rejected itself is no first one."""
    result = read(
        "卡号,会员号,有效期起,有效期止\n"
        "C1,M1,2026-01-01,x\nC1,M1,2026-01-01,2026-12-31\n"
        "C1,M1,2026/1/1,2026-12-31\nC1,M1,2027-01-01,2027-12-31\n",
        "cards",
    )
    assert result.accepted == 2
    assert result.rejects["line"].tolist() == [2, 4]
    english, chinese = said(result, "duplicate-key")
    assert "row 4 card_id: the same card_id and valid_from stands in line 3" in english
    assert "与第 3 行重复" in chinese


def test_a_card_cannot_end_before_it_begins():
    """A term of one day is a term; one that ends before it begins is rejected."""
    result = read(
        "卡号,会员号,有效期起,有效期止\nC1,M1,2026-01-02,2026-01-01\n"
        "C2,M1,2026-01-02,2026-01-02\n",
        "cards",
    )
    assert result.frame["card_id"].tolist() == ["C2"]
    assert "last day is before its first" in said(result, "validity-backwards")[0]
    assert "有效期止早于有效期起" in said(result, "validity-backwards")[1]


def test_months_of_targets_are_first_days():
    """A month may be written as a month or as its first day, and as nothing else."""
    result = read(
        "门店,月份,销售目标\nS1,2026年11月,1.28万\nS1,2026-12-01,3\nS1,2026-10-05,3\n",
        "targets",
    )
    assert result.frame["month"].dt.strftime("%Y-%m-%d").tolist() == [
        "2026-11-01",
        "2026-12-01",
    ]
    assert result.frame["target"].tolist() == [1280000, 300]
    assert result.rejects["rule"].tolist() == ["month-not-first-day"]


def test_findings_are_bounded_and_complete():
    """Examples are given up to the limit, the rest as one finding with a count."""
    rows = "".join(f"T{n},2026-11-05,S1,1,x\n" for n in range(250))
    result = read(SALES + rows)
    found = findings(result, "number-unreadable")
    assert len(found) == 101
    assert sum(finding.count for finding in found) == 250 == result.rejected
    assert found[-1].row is None
    assert "more rows for the same reason: 150" in found[-1].message_en
    assert "另有 150 行原因相同" in found[-1].message_zh
    few = read(SALES + rows, limits={"examples": 3})
    assert [f.count for f in findings(few, "number-unreadable")] == [1, 1, 1, 247]


def test_rows_dropped_by_a_reading_rule_are_kept_and_told():
    """A reading policy is visible: a finding counts its rows, the rejects hold them."""
    rows = "A1,2026-11-05,S1,1,5\nT2,2026-11-05,S1,1,0\nT3,2026-11-05,S2,1,x\n"
    result = read(
        SALES + GOOD + rows,
        drop=[
            {"column": "ticket_id", "starts_with": "A", "reason": "坏账"},
            DropRule(column="amount", at_most="0.00", reason="no price"),
            {"column": "store_id", "equals": ["S2", "S3"], "reason": "closed"},
        ],
    )
    assert result.frame["ticket_id"].tolist() == ["T1"]
    assert result.rejects["rule"].tolist() == ["dropped-by-reading"] * 3
    assert result.rejects["line"].tolist() == [3, 4, 5]
    assert "left out by a reading rule: 坏账" in result.rejects["reason_en"][0]
    told = findings(result, "dropped-by-reading")
    assert [(f.column, f.count, f.severity) for f in told] == [
        ("ticket_id", 1, Severity.INFO),
        ("amount", 1, Severity.INFO),
        ("store_id", 1, Severity.INFO),
    ]
    assert "按读取规则剔除：坏账（ticket_id starts_with A）" in told[0].message_zh
    assert not findings(result, "number-unreadable")


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        ({"column": "sold_on", "below": "2026-11-05"}, ["T2", "T3"]),
        ({"column": "sold_on", "at_least": "2026-11-06"}, ["T1", "T2"]),
        ({"column": "quantity", "above": "2"}, ["T1", "T2"]),
        ({"column": "member_id", "missing": True}, ["T1", "T3"]),
        ({"column": "状态", "equals": "作废"}, ["T1", "T3"]),
        ({"column": "状态", "missing": True}, ["T1", "T2"]),
        ({"column": "amount", "below": "0"}, ["T1", "T2", "T3"]),
    ],
)
def test_each_condition_drops_what_it_says(rule, left):
    """Rules compare values, not texts, and may name a heading that means no column."""
    text = (
        "小票号,销售日期,门店,会员号,数量,金额,状态\n"
        "T1,2026-11-04,S1,M1,1,10,完成\nT2,2026/11/5,S1,,2,9,作废\n"
        "T3,20261106,S1,M3,３,8,\n"
    )
    result = read(text, drop=[{**rule, "reason": "test"}])
    assert result.frame["ticket_id"].tolist() == left


def test_wrong_drop_rules_are_refused():
    """A rule without a condition, with two, or about nothing is a bad option."""
    for rule, hint in [
        ({"column": "amount"}, "needs a text 'reason'"),
        ({"column": "amount", "reason": "x"}, "it has none"),
        (
            {"column": "amount", "reason": "x", "below": "0", "above": "1"},
            "exactly one",
        ),
        ({"column": "amount", "reason": "x", "belo": "0"}, "did you mean 'below'"),
        ({"column": "amount", "reason": "x", "below": 0.5}, "written as text"),
        ({"column": "amount", "reason": "x", "below": "abc"}, "cannot compare"),
        ({"column": "ticket_id", "reason": "x", "below": "5"}, "cannot compare"),
        ({"column": "item_id", "reason": "x", "equals": "a"}, "does not have"),
    ]:
        with pytest.raises(ConfigurationError, match=hint):
            read(SALES + GOOD, drop=[rule])
    with pytest.raises(MissingColumnsError, match="状态"):
        read(SALES + GOOD, drop=[{"column": "状态", "equals": "x", "reason": "y"}])


def test_formula_cells_are_data_and_harmless_in_the_rejects_file():
    """A cell like a formula is kept as it is; in the rejects file it cannot run."""
    import csv

    head = "商品名称,小票号,销售日期,门店,数量,金额\n"
    raw = '=HYPERLINK("http://x"),T1,2026-11-05,S1,1,5'
    good = read(head + '"=1+1",T1,2026-11-05,S1,1,5\n')
    assert good.frame["item_name"].tolist() == ["=1+1"]
    result = read(head + raw + "0.001\n", rejects_path="rejects.csv")
    data = Path("rejects.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(data.decode("utf-8-sig").splitlines())
    assert row["原文 raw"] == "'" + raw + "0.001"
    assert unguard_text(row["原文 raw"]) == result.rejects["raw"][0]
    assert row["行 line"] == "2"
    assert Path("rejects.csv").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "　＝1", "'=1",
     "\u200b=1", "\ufeff=1"],
)  # fmt: skip
def test_no_formula_survives_the_guard(text):
    """Each known way to smuggle a formula gets an apostrophe, and comes back."""
    assert guard_text(text) == "'" + text
    assert unguard_text(guard_text(text)) == text


def test_a_rejects_file_is_written_even_when_empty():
    """An old rejects file never stays behind for a file that is now clean."""
    Path("rejects.csv").write_text("old")
    read(SALES + GOOD, rejects_path="rejects.csv")
    lines = Path("rejects.csv").read_text("utf-8-sig").splitlines()
    names = "文件 file,行 line,列 column,规则 rule,英文原因 reason_en,原因 reason_zh"
    assert lines == [f"{names},原文 raw"]
    with pytest.raises(SourceError, match="cannot be written"):
        read(SALES, rejects_path="rejects.csv/2/rejects.csv")


def test_a_folder_of_rejects_is_made_where_it_is_not_there():
    """A hint says rejects_folder = "rejects/2", and it works as it stands."""
    read(SALES + "T1,2026-11-05,S1,x,5\n", rejects_path="rejects/2/sales-rejects.csv")
    assert len(Path("rejects/2/sales-rejects.csv").read_bytes().splitlines()) == 2


def test_a_reason_begins_with_no_doubled_quote_in_the_rejects_file():
    """A quoted cell at the start of a sentence is no formula and stays as it is."""
    bad = "T1,2026-11-05,S1,1,-5.123\n=1,2026-11-05,S1,1,-5.123\n"
    read(SALES + bad, rejects_path="rejects.csv")
    text = Path("rejects.csv").read_text("utf-8-sig")
    assert ""","'-5.123': it has more""" in text
    assert "''-5" not in text
    assert "\"'=1,2026" in text


def test_dates_far_away_stay_exact():
    """A card without end, as registers write it, keeps its day."""
    text = "卡号,会员号,有效期起,有效期止\nC1,M1,1900-01-01,9999-12-31\n"
    result = read(text, "cards")
    assert result.frame["valid_through"][0].date() == dt.date(9999, 12, 31)


@pytest.mark.parametrize(
    ("table", "text", "column", "expected"),
    [
        (
            "sales",
            (
                "小票号,日期,门店编号,门店,会员编号,会员卡号,数量,金额\n"
                "T1,2026-10-01,S1,人民路店,M1,8801,1,5\n"
            ),
            ("store_id", "member_id"),
            ("S1", "M1"),
        ),
        ("members", "会员编号,会员卡号\nM1,8801\n", ("member_id",), ("M1",)),
        ("stores", "门店,地区\nS1,英国\n", ("store_id",), ("S1",)),
    ],
)
def test_a_column_s_own_heading_wins_over_its_aliases(
    tmp_path, table, text, column, expected
):
    """A code beside a name or a card number is read, and the other is told."""
    path = tmp_path / "file.csv"
    path.write_text(text, encoding="utf-8")

    result = read_csv(path, table, currency=Currency("CNY"), zone=ZoneInfo("UTC"))

    assert result.accepted == 1
    assert expected == tuple(result.frame.loc[0, list(column)])
    assert any(each.rule == "heading-ignored" for each in result.findings)


def test_two_different_amounts_are_never_chosen_between(tmp_path):
    """金额 beside 实付金额 may be the list price: the rows wait for a word."""
    path = tmp_path / "file.csv"
    path.write_text(
        "小票号,日期,门店编号,数量,金额,实付金额\nT1,2026-10-01,S1,1,5,4\n",
        encoding="utf-8",
    )

    result = read_csv(path, "sales", currency=Currency("CNY"), zone=ZoneInfo("UTC"))

    assert (result.accepted, result.rejected) == (0, 1)
    assert any(each.rule == "heading-conflict" for each in result.findings)


def test_amounts_do_not_depend_on_the_host_s_decimal_context():
    """A host that set six digits of precision reads the same cents."""
    with decimal.localcontext() as context:
        context.prec = 6
        got = [
            read_amount(text, Currency("CNY"))
            for text in ("-12345.67", "(12345.67)", "1.234567万", "12345.67")
        ]

    assert got == [-1234567, -1234567, 1234567, 1234567]


def test_a_required_moment_without_its_time_is_a_rejected_row():
    """A day alone never stands for the moment of a complaint: the row comes back."""
    result = read(
        "投诉编号,受理时间\nK1,2026-11-06\nK2,2026-11-06 09:30\nK3,2026-11-07\n",
        "complaints",
    )
    assert result.frame["case_id"].tolist() == ["K2"]
    assert result.frame["received_at"].notna().all()
    assert result.rejects["rule"].tolist() == ["moment-without-time"] * 2
    assert result.rows_read == result.accepted + result.rejected == 3
    assert findings(result, "time-missing") == []
