"""Numbers and moments that can be read in two ways: told or refused, never guessed."""

import sqlite3

import pytest

from csv_reading import SALES, read
from excel_files import CNY, SHANGHAI
from excel_files import read as read_book
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.sql_source import SqlSource
from memberops.adapters.sources.values import read_amount, read_integer


def amounts(*cells, column="金额"):
    """Read amounts, or quantities, as one column; give each its value or its rule."""
    rows = [
        f'T{at},2026-11-05,S1,1,"{cell}"\n'
        if column == "金额"
        else f'T{at},2026-11-05,S1,"{cell}",5\n'
        for at, cell in enumerate(cells)
    ]
    result = read(SALES + "".join(rows))
    name = "amount" if column == "金额" else "quantity"
    found = dict(zip(result.frame["ticket_id"], result.frame[name], strict=True))
    lines = result.rejects["line"] - 2
    found |= {
        f"T{at}": rule for at, rule in zip(lines, result.rejects["rule"], strict=True)
    }
    return [found[f"T{at}"] for at in range(len(cells))]


def test_a_comma_before_three_digits_parts_thousands_unless_the_column_says_else():
    """1,234 is 1 234 by itself; beside 12,50 it may be 1.234, and is refused."""
    assert amounts("1,234", "12.50", "1,000.00") == [123400, 1250, 100000]
    for proof in ("12,50", "1.234,56", "0,5", "1.234.567"):
        assert amounts("1,234", proof, "7.5", "1.000", "-1,234", "9,999.00", "５") == [
            "number-marks-mixed", "number-comma-decimal", 750, "number-marks-mixed",
            "number-marks-mixed", 999900, 500,
        ]  # fmt: skip


def test_quantities_with_decimal_commas_are_no_thousands():
    """2.000 is two pieces as a database writes them, but not beside 1,5."""
    assert amounts("2.000", "1,000", column="数量") == [2, 1000]
    assert amounts("2.000", "1,000", "1,5", "3", column="数量") == [
        "number-marks-mixed", "number-marks-mixed", "number-comma-decimal", 3,
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["0,123", "0,5", "00,12", "-0,500", "1.234,567"])
def test_no_thousands_begin_with_a_zero(text):
    """0,123 was read as 123: it is a decimal comma."""
    assert read_integer(text).rule == "number-comma-decimal"
    assert read_amount(text, CNY).rule == "number-comma-decimal"


@pytest.mark.parametrize("text", ["12²", "²", "①", "1₂", "㈠5", "½", "5⒈", "㍙"])
def test_signs_that_are_no_digits_are_none(text):
    """A mark of a footnote behind 12 made 122 of it."""
    for found in (read_integer(text), read_amount(text, CNY)):
        assert found.rule in ("number-unreadable", "amount-currency")


def test_full_width_digits_and_every_way_to_write_a_minus_are_read():
    """As accountants and Chinese keyboards write them; two signs are refused."""
    cells = (
        "１２．５０",
        "￥－３",
        "(12.00)",
        "12.00-",
        "−12",
        "（￥12）",
        "-(5)",
        "12%",
    )
    assert amounts(*cells) == [
        1250, -300, -1200, -1200, -1200, -1200, "number-unreadable", "amount-currency",
    ]  # fmt: skip


@pytest.mark.parametrize("engine", ["sqlalchemy", "adbc"])
def test_a_real_of_sqlite_keeps_its_cents_or_is_refused(tmp_path, engine):
    """Of 15 digits 13 stand before the point; above that SQLite rounds cents away."""
    if engine == "adbc":
        pytest.importorskip("adbc_driver_sqlite", reason="needs the extra 'sql-fast'")
    real = {
        0.1: 10, 19.99: 1999, 0.1 + 0.2: 30, -1234567.89: -123456789, 7.0: 700,
        9999999999999.99: 999999999999999, 123456789012345.0: 12345678901234500,
        12345678901234.56: None, 99999999999999.99: None, 1e15: None, 1e300: None,
        float("inf"): None,
    }  # fmt: skip
    with sqlite3.connect(tmp_path / "till.db") as till:
        till.execute("CREATE TABLE s (t REAL, d TEXT, s TEXT, n NUMERIC, a REAL)")
        till.executemany(
            "INSERT INTO s VALUES (?, '2026-11-05', 'S1', 1.0, ?)", enumerate(real)
        )
    till.close()
    names = ("ticket_id", "sold_on", "store_id", "quantity", "amount")
    source = SqlSource(
        SourceContext(folder=tmp_path, currency=CNY, zone=SHANGHAI),
        url="sqlite:///till.db",
        engine=engine,
        table="s",
        columns=dict(zip(names, "tdsna", strict=True)),
    )
    result = source.read("sales")

    good = {str(at): cents for at, cents in enumerate(real.values()) if cents}
    found = zip(result.frame["ticket_id"], result.frame["amount"], strict=True)
    assert dict(found) == good
    assert set(result.rejects["rule"]) == {"number-destroyed", "number-unreadable"}
    assert result.rejected == len(real) - len(good)


@pytest.mark.parametrize("count", [1, 120], ids=["few", "many"])
@pytest.mark.parametrize("name", ["销售时间", "销售日期"])
def test_times_with_a_zone_beside_times_without_are_told(count, name):
    """Z in some rows: the others are read in the chain's zone, with a warning."""
    zoned = [f"2026-11-05T20:{n // 60:02}:{n % 60:02}Z" for n in range(count)]
    local = [f"2026-11-05T20:{n // 60:02}:{n % 60:02}" for n in range(count + 1)]
    days = ["2026-11-04"] if name == "销售日期" else []

    def told(*moments):
        lines = [f"T{n},{moment},S1,1,5\n" for n, moment in enumerate(moments)]
        result = read(f"小票号,{name},门店,数量,金额\n{''.join(lines)}")
        assert result.accepted == len(moments)
        found = [each for each in result.findings if each.rule == "zones-mixed"]
        return result, [each.count for each in found]

    result, counts = told(*zoned, *local, *days)
    assert counts == [count + 1]
    # 20:00 in UTC is the next morning in Shanghai.
    assert (result.frame["sold_on"] == "2026-11-06").sum() == count
    assert told(*zoned, *days)[1] == told(*local, *days)[1] == []


def test_a_number_of_a_workbook_keeps_its_cents_or_is_refused():
    """A spreadsheet keeps 15 digits: above ten million million cents are made up."""
    values = {
        9999999999999.99: 999999999999999,
        12345678901234.56: None,
        -99999999999999.99: None,
        123456789012345.0: 12345678901234500,
    }
    rows = [[f"T{at}", "2026-11-05", "S1", 1, v] for at, v in enumerate(values)]
    result = read_book([SALES.strip().split(","), *rows])

    good = [cents for cents in values.values() if cents]
    assert result.frame["amount"].tolist() == good
    assert result.rejects["rule"].tolist() == ["number-destroyed"] * 2


def test_a_heading_that_is_named_exactly_is_the_one_that_is_read():
    """金额* stands beside 金额: the signs that headings differ by count where asked."""
    rows = "小票号,销售日期,门店,数量,金额,金额*\nT1,2026-11-05,S1,1,5,7\n"

    for name, cents in (("金额", 500), ("金额*", 700)):
        frame = read(rows, columns={"amount": name}).frame
        assert frame["amount"].tolist() == [cents]
