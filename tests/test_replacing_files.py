"""Promises of later files that take the place of earlier ones."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

import memberops as mo
from memberops.adapters.sources import SourceContext
from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.csv_source import CsvSource, read_csv
from memberops.adapters.sources.excel_source import read_excel
from memberops.adapters.sources.rejects import rejects_frame
from memberops.adapters.sources.replaced_rows import without_replaced
from memberops.adapters.sources.snapshot import SnapshotSource
from memberops.domain import Currency
from memberops.errors import ConfigurationError, InvalidValueError
from memberops.tables import table
from memberops.testing import check_sales_source

HEAD = "小票号,日期,门店,数量,金额\n"
LINE = "{},2026-11-{:02d},{},{},{}\n".format
CHAIN = {"currency": Currency("CNY"), "zone": ZoneInfo("Asia/Shanghai")}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder of exports."""
    monkeypatch.chdir(tmp_path)


def exported(name, *lines, head=HEAD):
    """Write a file of sales."""
    Path(name).write_text(head + "".join(lines), "utf-8")


def replaced(result):
    """Say of which file how many rows were replaced."""
    told = [f for f in result.findings if f.rule == "replaced-by-later-file"]
    return {each.source: each.count for each in told}


def test_the_last_file_counts_and_every_row_is_told_for():
    """Of a ticket all lines of the last file count, and none of an earlier one."""
    exported("s-1.csv", LINE("T1", 1, "S1", 1, 5), LINE("T2", 2, "S1", 1, 6),
             LINE("T2", 2, "S1", 1, 7), LINE("T3", 2, "S1", 1, 8))  # fmt: skip
    exported("s-2.csv", LINE("T2", 2, "S1", 2, 9), LINE("T2", 2, "S1", 2, 9),
             LINE("T3", 3, "S1", 1, 8), LINE("T4", 3, "S1", "x", 1))  # fmt: skip
    exported("s-3.csv", LINE("T2", 2, "S2", 1, 1), LINE("T3", 3, "S1", 3, 3))
    paths = [Path("s-1.csv"), Path("s-2.csv"), Path("s-3.csv")]
    result = read_csv(paths, "sales", overlap="replace", **CHAIN)
    # T3 of the 2nd and of the 3rd are two tickets, and so are T2 of two stores.
    assert result.frame["amount"].tolist() == [500, 800, 900, 900, 100, 300]
    assert (result.rows_read, result.accepted, result.rejected, result.replaced) == (
        10, 6, 1, 3,
    )  # fmt: skip
    assert replaced(result) == {"s-1.csv": 2, "s-2.csv": 1}
    assert "replaced=3" in repr(result)
    assert [result.origin(at) for at in (1, 2, 4)] == [
        ("s-1.csv", 5),
        ("s-2.csv", 2),
        ("s-3.csv", 2),
    ]
    warned = {each.rule for each in result.findings}
    assert not warned & {"file-twin", "ticket-in-several-files"}
    counted = read_csv(paths, "sales", **CHAIN)
    assert (counted.accepted, counted.replaced) == (9, 0)


VOID = "状态,小票号,日期,门店,数量,金额\n"
DROP = [{"column": "状态", "equals": "作废", "reason": "void"}]


def test_a_ticket_that_a_later_file_leaves_out_by_rule_is_no_sale_any_more():
    """T2 was sold, and void a week later; T3 was void and is sold: 5 and 8 yuan."""
    exported("s-1.csv", "正常," + LINE("T1", 1, "S1", 1, 5),
             "正常," + LINE("T2", 1, "S1", 1, 6), "正常," + LINE("T2", 1, "S1", 1, 7),
             "作废," + LINE("T3", 1, "S1", 1, 8), head=VOID)  # fmt: skip
    exported("s-2.csv", "作废," + LINE("T2", 1, "S1", 1, 6),
             "正常," + LINE("T3", 1, "S1", 1, 8), "?," + LINE("T1", 1, "S1", 1, "x"),
             head=VOID)  # fmt: skip
    paths = [Path("s-1.csv"), Path("s-2.csv")]
    result = read_csv(paths, "sales", overlap="replace", drop=DROP, **CHAIN)
    assert result.frame["amount"].tolist() == [500, 800]
    assert (result.rows_read, result.rejected, result.replaced) == (7, 3, 2)
    assert replaced(result) == {"s-1.csv": 2}


def test_a_ticket_that_a_later_sheet_leaves_out_by_rule_is_no_sale_any_more():
    """As in text: T2 of the first sheet is void in the second, T3 in the next book."""
    for name, sheets in (("a.xlsx", ["123", "-2"]), ("b.xlsx", ["-3"])):
        with xlsxwriter.Workbook(name) as book:
            for told in sheets:
                tab = book.add_worksheet()
                tab.write_row(0, 0, VOID.strip().split(","))
                states = ["正常"] * len(told) if told[0] != "-" else ["作废"]
                for at, state in enumerate(states, start=1):
                    number = told.lstrip("-")[at - 1]
                    row = [state, f"T{number}", "2026-11-01", "S1", 1, int(number)]
                    tab.write_row(at, 0, row)
    paths = [Path("a.xlsx"), Path("b.xlsx")]
    result = read_excel(
        paths, "sales", sheet="*", overlap="replace", drop=DROP, **CHAIN
    )
    assert result.frame["amount"].tolist() == [100]
    assert (result.rows_read, result.rejected, result.replaced) == (5, 2, 2)
    assert replaced(result) == {"a.xlsx[Sheet1]": 2}


def test_files_are_later_by_name_in_a_chain_file_and_by_order_in_a_list():
    """So whoever names exports by day gets the newest."""
    exported("s-2026-11-02.csv", LINE("T1", 1, "S1", 1, 2))
    exported("s-2026-11-01.csv", LINE("T1", 1, "S1", 1, 1))
    text = 'name = "x"\ncurrency = "CNY"\nzone = "Asia/Shanghai"\n[sources.sales]\n'
    text += 'adapter = "csv"\npath = "s-*.csv"\noverlap = "replace"\n'
    Path("chain.toml").write_text(text, "utf-8")
    chain = mo.open_chain("chain.toml", entry_points=False)
    assert chain.read()["sales"]["amount"].tolist() == [200]
    turned = 'path = ["s-2026-11-02.csv", "s-2026-11-01.csv"]'
    Path("chain.toml").write_text(text.replace('path = "s-*.csv"', turned), "utf-8")
    chain = mo.open_chain("chain.toml", entry_points=False)
    assert chain.read()["sales"]["amount"].tolist() == [100]


def test_a_member_is_as_the_last_file_says_and_twice_in_one_file_is_refused():
    """Without the option the first row of a key counts, as before."""
    exported("a.csv", "M1,王一\n", "M2,王二\n", head="会员编号,姓名\n")
    exported("b.csv", "M2,李二\n", "M2,赵二\n", head="会员编号,姓名\n")
    paths = [Path("a.csv"), Path("b.csv")]
    result = read_csv(paths, "members", overlap="replace", **CHAIN)
    assert result.frame["name"].tolist() == ["王一", "李二"]
    assert (result.rejected, result.replaced) == (1, 1)
    first = read_csv(paths, "members", **CHAIN)
    assert first.frame["name"].tolist() == ["王一", "王二"]
    assert (first.rejected, first.replaced) == (2, 0)


def test_equal_rows_of_a_table_without_ids_count_once_over_files():
    """A consent that two exports have is one; twice in one export it stays two."""
    head = "会员编号,渠道,是否同意,日期\n"
    exported("a.csv", "M1,sms,是,2026-11-01\n", "M2,sms,是,2026-11-01\n", head=head)
    exported("b.csv", *["M1,sms,是,2026-11-01\n"] * 2, head=head)
    result = read_csv(
        [Path("a.csv"), Path("b.csv")], "consents", overlap="replace", **CHAIN
    )
    assert result.frame["member_id"].tolist() == ["M2", "M1", "M1"]


def test_workbooks_and_their_sheets_replace_too():
    """A later sheet is later than an earlier one, and a later book than both."""
    for name, sheets in (("a.xlsx", [[1, 2], [3]]), ("b.xlsx", [[4]])):
        with xlsxwriter.Workbook(name) as book:
            for amounts in sheets:
                tab = book.add_worksheet()
                tab.write_row(0, 0, HEAD.strip().split(","))
                for at, amount in enumerate(amounts, start=1):
                    row = [f"T{at}", "2026-11-01", "S1", 1, amount]
                    tab.write_row(at, 0, row)
    result = read_excel([Path("a.xlsx"), Path("b.xlsx")], "sales", sheet="*",
                        overlap="replace", **CHAIN)  # fmt: skip
    assert result.frame["amount"].tolist() == [200, 400]
    assert replaced(result) == {"a.xlsx[Sheet1]": 1, "a.xlsx[Sheet2]": 1}


@pytest.mark.nightly
@settings(max_examples=100)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["T1", "T2", "T3"]), st.integers(0, 9)),
                 max_size=4),
        min_size=1, max_size=4,
    )
)  # fmt: skip
def test_replacing_is_what_a_dictionary_of_tickets_does(files):
    """Whatever overlaps: each ticket is as the last file that has it says."""
    parts, names = [], []
    expected: dict[str, tuple[int, list[int]]] = {}
    for at, lines in enumerate(files):
        frame = pd.DataFrame(lines, columns=["ticket_id", "amount"])
        frame = frame.astype({"ticket_id": "str", "amount": "int64"}).assign(
            store_id="S1", sold_on=pd.Timestamp("2026-11-05")
        )
        parts.append(
            SourceResult(table="sales", frame=frame, findings=(),
                         rejects=rejects_frame([]), rows_read=len(frame))
        )  # fmt: skip
        names.append(f"{at}.csv")
        for ticket in {each for each, _ in lines}:
            own = [amount for each, amount in lines if each == ticket]
            expected[ticket] = (at, own)
    settled, findings = without_replaced(parts, names, table("sales"))
    got = {
        ticket: (at, part.frame["amount"][part.frame["ticket_id"] == ticket].tolist())
        for at, part in enumerate(settled)
        for ticket in part.frame["ticket_id"].unique()
    }
    assert got == expected
    assert sum(part.replaced for part in settled) == sum(f.count for f in findings)


def test_many_files_have_a_bounded_number_of_findings():
    """Thirty exports of one ticket: twenty are named, and the rest are counted."""
    frame = pd.DataFrame({"ticket_id": ["T"], "store_id": ["S"], "amount": [1],
                          "sold_on": [pd.Timestamp("2026-11-05")]})  # fmt: skip
    part = SourceResult(table="sales", frame=frame, findings=(), rows_read=1,
                        rejects=rejects_frame([]))  # fmt: skip
    names = [f"{at}.csv" for at in range(30)]
    _, told = without_replaced([part] * 30, names, table("sales"))
    assert len(told) == 21
    assert sum(each.count for each in told) == 29


def test_a_source_that_replaces_keeps_the_contract_of_sources():
    """Counts add up with what was replaced, also as a snapshot keeps them."""
    pytest.importorskip("pyarrow", reason="needs the extra parquet")
    exported("s-1.csv", LINE("T1", 1, "S1", 1, 1), LINE("T2", 1, "S1", 1, 1))
    exported("s-2.csv", LINE("T1", 1, "S1", 1, 2))
    here = SourceContext(folder=Path(), **CHAIN)
    source = CsvSource(here, path="s-*.csv", overlap="replace")
    check_sales_source(source)
    result = source.read("sales")
    kept = SnapshotSource(source, "kept")
    kept.refresh(["sales"])
    assert repr(kept.read("sales")).startswith(
        "SourceResult(table='sales', rows_read=3, accepted=2, rejected=0, replaced=1"
    )
    with pytest.raises(InvalidValueError, match="1 replaced"):
        SourceResult(table="sales", frame=result.frame, rejects=result.rejects,
                     findings=(), rows_read=9, replaced=1)  # fmt: skip
    with pytest.raises(InvalidValueError, match="'replaced' is a count"):
        SourceResult(table="sales", frame=result.frame, rejects=result.rejects,
                     findings=(), rows_read=1, replaced=-1)  # fmt: skip


@pytest.mark.parametrize("value", ["last", True, None])
def test_another_word_is_refused(value):
    """A mistyped option does not leave rows to count twice."""
    exported("s-1.csv", LINE("T1", 1, "S1", 1, 1))
    with pytest.raises(ConfigurationError, match="'replace'"):
        read_csv("s-1.csv", "sales", overlap=value, **CHAIN)
