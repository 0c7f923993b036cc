"""The unit that a heading names is the unit of its amounts."""

import pytest

from csv_reading import findings, read
from excel_files import read as read_book
from memberops.adapters.sources.heading_units import heading_unit, unit_above
from memberops.domain import Currency

ROW = "T1,2026-11-05,S1,1,"


def sales(heading, *cells, **options):
    """Read amounts below one heading."""
    rows = "".join(f"{ROW}{cell}\n" for cell in cells)
    return read(f"小票号,销售日期,门店,数量,{heading}\n{rows}", **options)


@pytest.mark.parametrize(
    ("heading", "cell", "minor"),
    [
        ("金额(分)", "500", 500),
        ("金额（单位：分）", "500", 500),
        ("amount (cents)", "500", 500),
        ("金额(角)", "5", 50),
        ("金额(万元)", "1.2345", 1_234_500),
        ("金额（千元）", "5", 500_000),
        ("金额(人民币千元)", "5", 500_000),
        ('"金额(百万元,含税)"', "5", 500_000_000),
        ("Amount (RMB '000)", "5", 500_000),
        ("金额(元)", "￥5.00", 500),
        ("金额[¥]", "5", 500),
        ("金额（CNY）", "5", 500),
    ],
)
def test_amounts_are_in_the_unit_of_their_heading(heading, cell, minor):
    """500 below 金额(分) are five yuan; what is not yuan is told once."""
    options = {"columns": {"amount": heading}} if "[" in heading else {}
    result = sales(heading, cell, **options)

    assert result.frame["amount"].tolist() == [minor]
    plain = minor == 500 and cell != "500"
    assert len(findings(result, "heading-unit")) == (0 if plain else 1)


def test_a_heading_in_another_currency_is_asked_about_and_never_read():
    """No dollar becomes a yuan; the finding says how to say it is one."""
    for heading in (
        "金额(美元)",
        "金额（USD）",
        "金额($)",
        "金额(万美元)",
        "金额(日元)",
    ):
        result = sales(heading, "5")
        assert (result.accepted, result.rejected) == (0, 1), heading
        (told,) = findings(result, "heading-currency")
        assert "units={'amount': '元'}" in told.message_en
        assert "CNY" in told.message_zh
    known = sales("金额(美元)", "5", units={"amount": "元"})
    assert known.frame["amount"].tolist() == [500]
    assert findings(known, "heading-unit-overruled")
    dollars = sales("金额(美元)", "5", currency=Currency("USD"))
    assert dollars.frame["amount"].tolist() == [500]
    yen = sales("金额(分)", "500", currency=Currency("JPY"))
    assert findings(yen, "heading-currency")


@pytest.mark.parametrize(
    ("sign", "code", "minor"),
    [
        ("$", "MXN", 500),
        ("$", "ARS", 500),
        ("$", "CLP", 5),
        ("£", "EGP", 500),
        ("¥", "XTS", 500),
    ],
)
def test_a_mere_sign_names_no_other_currency(sign, code, minor):
    """Pesos are written with a dollar sign, and Egyptian pounds with a pound's."""
    result = sales(f"amount ({sign})", "5", currency=Currency(code))
    assert result.frame["amount"].tolist() == [minor]
    assert not findings(result, "heading-currency")


@pytest.mark.parametrize(
    ("heading", "code"),
    [
        ("amount (US$)", "MXN"),
        ("amount (USD)", "CLP"),
        ("amount (€)", "ARS"),
        ("amount ($)", "EUR"),
        ("amount (£)", "MXN"),
    ],
)
def test_a_name_or_the_sign_of_a_known_other_is_still_refused(heading, code):
    """US$ are no pesos, and euros are not written with a dollar sign."""
    result = sales(heading, "5", currency=Currency(code))
    assert result.accepted == 0
    assert findings(result, "heading-currency")


def test_what_the_caller_says_counts_more_than_the_heading():
    """A unit that both say is not told; one that differs is a warning."""
    both = sales("金额(分)", "500", units={"amount": "minor"})
    other = sales("金额(分)", "500", units={"amount": "元"})

    assert both.frame["amount"].tolist() == [500]
    assert not findings(both, "heading-unit-overruled")
    assert other.frame["amount"].tolist() == [50_000]
    assert findings(other, "heading-unit-overruled")


def test_a_unit_counts_in_a_heading_that_is_named_without_brackets():
    """金额分 and amount_cents are read because the caller names them."""
    for heading in ("amount_cents", "实收/分", "金额分", "Total in cents"):
        result = sales(heading, "500", columns={"amount": heading})
        assert result.frame["amount"].tolist() == [500], heading


def test_a_bracket_that_is_no_unit_is_told_until_it_is_confirmed():
    """含税 may be the right amount or not: the office says so once."""
    assert findings(sales("金额(含税)", "5"), "heading-note")
    named = sales("金额(含税)", "5", columns={"amount": "金额(含税)"})
    assert not findings(named, "heading-note")
    assert named.frame["amount"].tolist() == [500]


def test_two_columns_with_different_units_are_asked_about():
    """Even where their cells are equal, one of them is a hundred times the other."""
    result = read("小票号,销售日期,门店,数量,金额,金额(分)\nT1,2026-11-05,S1,1,0,0\n")
    assert findings(result, "heading-conflict")
    assert result.accepted == 0


def test_a_cell_with_a_unit_of_its_own_is_refused_below_a_unit():
    """5元 below 金额(分) would be read a hundred times wrong either way."""
    assert sales("金额(分)", "5元").rejects["rule"].tolist() == ["amount-unit"]


def test_counts_in_multiples_are_told():
    """数量(箱) is a count; 数量(千件) is a thousand times one."""
    head = "小票号,销售日期,门店,{},金额\nT1,2026-11-05,S1,2,5\n"
    assert findings(read(head.format("数量(千件)")), "heading-multiple")
    assert not findings(read(head.format("数量(件)")), "heading-multiple")


def test_a_unit_above_the_headings_of_a_sheet_counts_for_its_amounts():
    """单位：万元 in the corner is how offices say it; 单位：一分店 is no unit."""
    head = ["小票号", "销售日期", "门店", "数量", "金额"]
    row = ["T1", "2026-11-05", "S1", 1, 1.28]
    assert read_book([["十月销售", "", "", "", "单位：万元"], head, row]).frame[
        "amount"
    ].tolist() == [1_280_000]
    assert read_book([["单位：一分店"], head, row]).frame["amount"].tolist() == [128]
    own = [*head[:4], "金额(元)"]
    both = read_book([["单位：万元"], own, row])
    assert both.frame["amount"].tolist() == [128]


def test_words_that_only_look_like_units_are_none():
    """A store, points and tax are not money."""
    for heading in ("积分", "金额", "amount", "实收", "成交k", "price_try"):
        assert heading_unit(heading) is None
    assert unit_above(["单位：十月分店", "制表单位：财务部"]) is None
