"""Promises about tables in which a column names the currency of each row."""

import sqlite3
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter

from csv_reading import findings, read, said
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.excel_source import read_excel
from memberops.adapters.sources.heading_units import currencies_named
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.records import read_records
from memberops.adapters.sources.sql_source import SqlSource
from memberops.domain import Currency, Severity
from memberops.errors import ConfigurationError, MissingColumnsError

CNY, SHANGHAI = Currency("CNY"), ZoneInfo("Asia/Shanghai")
FIELDS = ("小票号", "销售日期", "门店", "数量", "金额")


def cells(*rows):
    """Cells of lines of sales: each its amount and its currency."""
    return [
        (f"T{at}", "2026-11-05", "S1", "1", amount, code)
        for at, (amount, code) in enumerate(rows, 1)
    ]


def of_file(*rows, heading="币种", **mapping):
    """Read lines from a CSV file with semicolons."""
    table = [(*FIELDS, heading), *cells(*rows)]
    return read("".join(";".join(row) + "\n" for row in table), **mapping)


def of_records(*rows, heading="币种", **mapping):
    """Read lines as records."""
    currency = mapping.pop("currency", CNY)
    options = ReadingOptions.of("sales", currency=currency, zone=SHANGHAI, **mapping)
    names = (*FIELDS, heading)
    made = [dict(zip(names, row, strict=True)) for row in cells(*rows)]
    return read_records(made, options, origin="acme/list")


def of_database(*rows, heading="币种", **mapping):
    """Read lines from a table of SQLite."""
    with closing(sqlite3.connect("till.db")) as till:
        till.execute("DROP TABLE IF EXISTS lines")
        till.execute(f"CREATE TABLE lines ({', '.join(FIELDS)}, '{heading}')")
        till.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?)", cells(*rows))
        till.commit()
    context = SourceContext(folder=Path(), currency=CNY, zone=SHANGHAI)
    source = SqlSource(context, url="sqlite:///till.db", table="lines", **mapping)
    return source.read("sales")


READERS = pytest.mark.parametrize("reader", [of_file, of_records, of_database])


@READERS
def test_rows_of_another_currency_are_refused(reader):
    """A dollar is no yuan: its row is refused, told, and kept among the rejects."""
    result = reader(
        ("10.00", "CNY"), ("99.99", "USD"), ("5.00", "人民币"), ("1.00", "")
    )
    assert result.frame["amount"].tolist() == [1000, 500, 100]
    assert result.rejects["rule"].tolist() == ["amount-currency"]
    assert "99.99" in result.rejects["raw"][0]
    (finding,) = findings(result, "amount-currency")
    assert (finding.severity, finding.column) == (Severity.ERROR, "amount")
    assert "the row is in USD, as '币种' says, not in CNY" in finding.describe("en")
    assert "币种为 USD，不是 CNY" in finding.describe("zh")
    assert findings(result, "heading-ignored") == []
    assert len(findings(result, "currency-column")) == 1


@pytest.mark.parametrize(
    "heading", ["货币", "币别", "Currency", "currency code", "CURRENCY_CODE", "ccy"]
)
def test_usual_headings_name_the_currency(heading):
    """What tills call the column is known, in any case."""
    result = of_file(("9.00", "美元"), ("1.00", "rmb"), heading=heading)
    assert result.frame["amount"].tolist() == [100]


def test_the_currency_is_that_of_the_chain():
    """In a chain that counts dollars it is the yuan that is refused."""
    result = of_records(("9.00", "usd"), ("1.00", "RMB"), currency=Currency("USD"))
    assert result.frame["amount"].tolist() == [900]


def test_other_contents_are_left_alone():
    """A column that holds no currency, or nothing, is ignored as any other."""
    for words in (("硬币", "纸币"), ("1", "2"), ("", "")):
        result = of_file(*(("2.00", word) for word in words))
        assert result.frame["amount"].tolist() == [200, 200]
        english, chinese = said(result, "heading-ignored")
        assert "币种" in english
        assert "币种" in chinese


def test_a_column_of_currencies_and_other_words_is_asked_about():
    """It is not taken by itself, but what may be foreign is counted and told."""
    rows = (("2.00", "USD"), ("2.00", "其他币"), ("2.00", "CNY"))
    result = of_file(*rows)
    assert result.accepted == 3
    (finding,) = findings(result, "currency-unsure")
    assert (finding.severity, finding.count) == (Severity.WARNING, 1)
    assert 'currency_column = "币种"' in finding.describe("zh")
    told = of_file(*rows, currency_column="币种")
    assert told.frame["ticket_id"].tolist() == ["T3"]


@pytest.mark.parametrize("reader", [of_records, of_database])
def test_the_option_names_another_heading_or_none(reader):
    """A chain says which column it is, or that its amounts are yuan after all."""
    rows = (("2.00", "USD"), ("3.00", "CNY"))
    assert reader(*rows, heading="结算").accepted == 2
    named = reader(*rows, heading="结算", currency_column="结算")
    assert named.frame["amount"].tolist() == [300]
    none = reader(*rows, currency_column="")
    assert none.frame["amount"].tolist() == [200, 300]
    assert len(findings(none, "heading-ignored")) == 1


def test_rows_of_another_currency_may_be_left_out_knowingly():
    """A drop rule that names the column goes before the refusal, which is not told."""
    rule = {"column": "币种", "equals": "USD", "reason": "the airport's shop"}
    result = of_file(("2.00", "USD"), ("3.00", "CNY"), drop=[rule])
    assert result.rejects["rule"].tolist() == ["dropped-by-reading"]
    assert findings(result, "amount-currency") == []


def test_an_amount_of_a_foreign_price_is_refused_and_an_optional_one_left_empty():
    """Nothing is made of a foreign price; a complaint stays without its amount."""
    text = "小票号,销售日期,门店,数量,单价,币种\nT1,2026-11-05,S1,2,5.00,EUR\n"
    result = read(text + "T2,2026-11-05,S1,2,5.00,CNY\n")
    assert result.frame["amount"].tolist() == [1000]
    assert result.rejects["rule"].tolist() == ["amount-currency"]
    head = "case_id,received_at,asked,currency\n"
    rows = "C1,2026-11-05 10:00,7.00,EUR\nC2,2026-11-05 10:00,,EUR\n"
    cases = read(head + rows + "C3,2026-11-05 10:00,8.00,CNY\n", "complaints")
    assert cases.frame["asked"].fillna(-1).tolist() == [-1, -1, 800]
    (finding,) = findings(cases, "amount-currency")
    assert (finding.severity, finding.row) == (Severity.WARNING, 2)


def test_a_workbook_with_headings_over_two_rows_is_read_by_the_same_rules():
    """The lower heading names the currency and what marks returns, as in a file."""
    with xlsxwriter.Workbook("book.xlsx") as book:
        tab = book.add_worksheet()
        for place, heading in enumerate(FIELDS):
            tab.merge_range(0, place, 1, place, heading)
        tab.merge_range(0, 5, 0, 6, "单据")
        tab.write_row(1, 5, ["币种", "类型"])
        codes = (("10.00", "CNY"), ("99.99", "USD"), ("4.00", "RMB"))
        for at, (row, word) in enumerate(
            zip(cells(*codes), ("", "", "退货"), strict=True)
        ):
            tab.write_row(at + 2, 0, [*row, word])
    chain = {"currency": CNY, "zone": SHANGHAI}
    plain = read_excel("book.xlsx", "sales", **chain)
    assert plain.frame["amount"].tolist() == [1000, 400]
    assert plain.rejects["rule"].tolist() == ["amount-currency"]
    assert [found.count for found in findings(plain, "returns-positive")] == [1]
    for column in ("类型", "单据类型"):
        rule = {"column": column, "equals": "退货"}
        ruled = read_excel("book.xlsx", "sales", returns=rule, **chain)
        assert ruled.frame["amount"].tolist() == [1000, -400]


def test_the_option_is_checked():
    """A heading that is not there, no text, and a table without amounts are refused."""
    with pytest.raises(MissingColumnsError, match="'结算币'"):
        of_file(("2.00", "USD"), currency_column="结算币")
    with pytest.raises(ConfigurationError, match="'currency_column' is the heading"):
        of_file(("2.00", "USD"), currency_column=1)
    with pytest.raises(ConfigurationError, match="stores holds none"):
        read("门店编号,店名\nS1,一店\n", "stores", currency_column="币种")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("CNY", "CNY"), ("Rmb", "CNY"), ("人民币", "CNY"), ("CNY 人民币", "CNY"),
        ("人民币(CNY)", "CNY"), ("美元", "USD"), ("ＵＳＤ", "USD"), ("港币", "HKD"),
        ("欧元/EUR", "EUR"), ("QAR", "QAR"),
    ],
)  # fmt: skip
def test_names_of_currencies_are_known(text, code):
    """Codes and Chinese names mean one currency, alone or together."""
    assert currencies_named(text) == {code}


@pytest.mark.parametrize("text", ["", "现金", "156", "USD人民币万", "CNY-USD", "abcd"])
def test_what_names_no_one_currency_is_none(text):
    """Other words, numbers and contradictions are no currency."""
    assert currencies_named(text) == frozenset()
