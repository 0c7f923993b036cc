"""Promises of how headings over two rows of a sheet may be named."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter

from memberops.adapters.sources.excel_source import read_excel
from memberops.domain import Currency
from memberops.errors import MissingColumnsError
from memberops.workflows.doctor import propose_mapping

CHAIN = {"currency": Currency("CNY"), "zone": ZoneInfo("Asia/Shanghai")}
GROUPS = [(0, 1, "单据"), (2, 3, "门店信息"), (4, 4, "会员"), (5, 6, "本期"),
          (7, 7, "上期")]  # fmt: skip
LOWER = ["单号", "日期", "编码", "名称", "会员号", "数量", "金额", "金额"]
ROWS = [["T1", "2026-10-05", 101, "一店", "M1", 2, 10.5, 99],
        ["T2", "2026-10-06", 102, "二店", "M2", 1, 20, 98]]  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder of its own."""
    monkeypatch.chdir(tmp_path)


def sheet(groups=GROUPS, lower=LOWER, rows=ROWS, title="十月销售明细"):
    """Write a sheet: a title, groups over their headings, and rows."""
    with xlsxwriter.Workbook("book.xlsx") as book:
        tab = book.add_worksheet("十月")
        tab.write(0, 0, title)
        for first, last, text in groups:
            if first == last:
                tab.write(1, first, text)
            else:
                tab.merge_range(1, first, 1, last, text)
        for at, row in enumerate([lower, *rows], start=2):
            tab.write_row(at, 0, row)
    return Path("book.xlsx")


def read(path, table="sales", **options):
    """Read the sheet."""
    return read_excel(path, table, **CHAIN, **options)


@pytest.mark.parametrize("line", [None, 2, 3])
@pytest.mark.parametrize("amount", ["本期金额", "金额#1", "本期 金额"])
@pytest.mark.parametrize("store", ["编码", "门店信息编码"])
def test_a_heading_may_be_named_joined_or_as_it_stands_below(store, amount, line):
    """Either name of either heading, in any mixture, and wherever it is said to be."""
    columns = {"store_id": store, "amount": amount, "ticket_id": "单据单号"}
    result = read(sheet(), columns=columns, heading_line=line)
    assert result.frame["store_id"].tolist() == ["101", "102"]
    assert result.frame["amount"].tolist() == [1050, 2000]
    assert result.frame["member_id"].tolist() == ["M1", "M2"]


def test_the_second_of_a_name_is_the_second():
    """Both 金额#2 and 上期金额 are the last column."""
    for name in ("金额#2", "上期金额"):
        result = read(sheet(), columns={"store_id": "编码", "amount": name})
        assert result.frame["amount"].tolist() == [9900, 9800]


def test_what_stands_twice_is_listed_and_hinted_at_by_its_joined_name():
    """Nobody can choose between 金额 and 金额, and neither is chosen unasked."""
    path = sheet()
    with pytest.raises(MissingColumnsError, match=r"上期金额.*did you mean '本期金额'"):
        read(path)
    with pytest.raises(MissingColumnsError, match=r"'金额'.*did you mean '本期金额'"):
        read(path, columns={"store_id": "编码", "amount": "金额"})
    [proposed] = propose_mapping(path)
    assert proposed.table == "sales"
    told = {*proposed.columns.values(), *proposed.ignored}
    assert {"编码", "本期金额", "上期金额"} <= told
    assert "金额" not in told


def test_ids_under_two_groups_are_read_as_ids_by_either_name():
    """A number among ids has no decimals, and zeros that were destroyed are refused."""
    groups = [(0, 1, "单据"), (2, 2, "门店"), (3, 4, "会员"), (5, 6, "本期")]
    lower = ["单号", "日期", "编码", "编码", "名称", "数量", "金额"]
    rows = [["T1", "2026-10-05", 101, 12345700000, "", 2, 10.5]]
    path = sheet(groups, lower, rows)
    for store, member in [("门店编码", "会员编码"), ("编码#1", "编码#2")]:
        result = read(path, columns={"store_id": store, "member_id": member})
        assert result.frame["store_id"].tolist() == ["101"]
        assert "number-destroyed" in {each.rule for each in result.findings}


def test_a_rule_and_a_join_may_name_a_joined_heading():
    """Whatever option names a heading, it has the same names."""
    lower = ["单号", "日期", "编码", "状态", "会员号", "数量", "金额", "金额"]
    rows = [[*ROWS[0][:3], "作废", *ROWS[0][4:]], [*ROWS[1][:3], "", *ROWS[1][4:]]]
    rule = {"column": "门店信息状态", "equals": "作废", "reason": "void"}
    path = sheet(lower=lower, rows=rows)
    result = read(path, columns={"store_id": "编码", "amount": "本期金额"}, drop=[rule])
    assert result.frame["ticket_id"].tolist() == ["T2"]


def test_the_option_that_names_a_joined_heading_wins_over_what_its_lower_part_means():
    """退货 over 金额 is not the amount, if it is said to be something else."""
    groups = [(0, 1, "单据"), (2, 3, "退货")]
    lower = ["单号", "日期", "数量", "金额", "编码", "件数", "售额"]
    rows = [["T1", "2026-10-05", 7, 8, "S1", 2, 10.5]]
    columns = {"store_id": "编码", "quantity": "件数", "amount": "售额",
               "unit_price": "退货金额"}  # fmt: skip
    result = read(sheet(groups, lower, rows), columns=columns)
    assert result.frame[["quantity", "amount", "unit_price"]].to_numpy().tolist() == [
        [2, 1050, 800]
    ]


def test_a_title_in_two_cells_parts_nothing_and_its_unit_counts():
    """What stands over some columns only, or over all, is no group of headings."""
    lower = ["单号", "日期", "门店", "金额", "会员号", "数量", "金额"]
    rows = [["T1", "2026-10-05", "S1", 10.5, "M1", 2, 10.5]]
    result = read(sheet([(0, 4, "十月销售")], lower, rows))
    assert result.frame["amount"].tolist() == [1050]  # the two are equal
    wide = read(sheet([(0, 4, "门店日报"), (5, 6, "单位：万元")], lower, rows),
                columns={"amount": "金额#2"})  # fmt: skip
    assert wide.frame["amount"].tolist() == [10_500_000]
