"""Promises of the mapping of columns: words, units and ids of parts, for any source."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csv_reading import findings, read
from memberops import open_chain
from memberops.adapters.sources import rest_rows
from memberops.adapters.sources.csv_paths import naming
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.records import read_records
from memberops.adapters.sources.rest_resource import Lines, RestResource
from memberops.domain import Currency
from memberops.errors import ConfigurationError, MissingColumnsError, SourceError

HEAD = "小票号,销售日期,门店,数量,金额\n"
CNY, SHANGHAI = Currency("CNY"), ZoneInfo("Asia/Shanghai")


def options(table, **mapping):
    """The checked options of a table."""
    return ReadingOptions.of(table, currency=CNY, zone=SHANGHAI, **mapping)


def of_records(records, table, **mapping):
    """Read records as a web service gives them."""
    return read_records(records, options(table, **mapping), origin="acme/list")


def test_words_of_the_source_become_ours_before_they_are_judged():
    """A word that the table does not know is read where `values` says what it means."""
    text = "会员号,性别\nM1,先生\nM2,女士\nM3,女\nM4,?\n"
    told = {"gender": {"先生": "male", " 女士 ": "female", "?": ""}}
    result = read(text, "members", values=told)
    assert result.frame["gender"].tolist()[:3] == ["male", "female", "female"]
    assert result.frame["gender"].isna().tolist() == [False, False, False, True]
    assert findings(result, "choice-unknown") == []
    assert findings(read(text, "members"), "choice-unknown") != []


def test_a_word_may_make_a_row_fall_under_a_rule():
    """Drop rules see our words, and a rejected row keeps the source's own."""
    result = read(
        "会员号,性别\nM1,先生\nM2,女士\n",
        "members",
        values={"gender": {"先生": "male", "女士": "female"}},
        drop=[{"column": "gender", "equals": "male", "reason": "not asked for"}],
    )
    assert result.frame["member_id"].tolist() == ["M2"]
    assert result.rejects["raw"].tolist() == ["M1,先生"]


@pytest.mark.parametrize(
    ("table", "mapping", "wanted_en", "wanted_zh"),
    [
        ("members", {"values": {"gender": {"先生": "male", "暂缺": " ... "}}},
         "one of female, male, other, unknown", "female、male、other、unknown 之一"),
        ("members", {"values": {"name": {"暂缺": "..."}}},
         "word that is meant", "对应的取值"),
        ("sales", {"constants": {"store_id": "..."}}, "value of all rows", "每行的值"),
    ],
)  # fmt: skip
def test_what_a_proposal_leaves_to_be_filled_in_is_no_value(
    table, mapping, wanted_en, wanted_zh
):
    """Three dots are refused before a row is read, in both languages, with what to do.

    As a constant they would be a store of that id, and as a word what each row says.
    """
    with pytest.raises(ConfigurationError, match="fill it in") as caught:
        options(table, **mapping)
    ((option, (column, *_)),) = mapping.items()
    for text in (str(caught.value), caught.value.text_zh):
        assert option in text
        assert column in text
    assert wanted_en in str(caught.value)
    assert wanted_zh in caught.value.text_zh
    assert "请填写" in caught.value.text_zh


@pytest.mark.parametrize(
    ("line", "entry_en", "entry_zh"),
    [
        ('since = { field = "...", changed_at = "updated_at" }',
         "'field' in 'since'", "since 的 'field'"),
        ('columns.ticket_id = "/id"\ncolumns.member_id = " ... "',
         "'member_id' in 'columns'", "columns 的 'member_id'"),
        ('lines = [{ columns = { ticket_id = "..." } }]',
         "'ticket_id' in 'columns'", "columns 的 'ticket_id'"),
    ],
)  # fmt: skip
def test_what_is_to_be_filled_in_of_a_service_is_refused_before_it_is_asked(
    tmp_path, line, entry_en, entry_zh
):
    """The chain does not open: three dots are no parameter and no path."""
    file = tmp_path / "chain.toml"
    file.write_text(
        'name = "x"\ncurrency = "CNY"\nzone = "Asia/Shanghai"\n[sources.sales]\n'
        'adapter = "rest"\nbase_url = "https://pos.example"\npath = "orders"\n'
        f"{line}\n",
        "utf-8",
    )
    with pytest.raises(ConfigurationError) as caught:
        open_chain(file, entry_points=False)
    told = str(caught.value)
    assert f'sources.sales: {entry_en} still says "..."' in told
    assert f"sources.sales：{entry_zh} 仍为“...”" in caught.value.text_zh
    assert "fill it in" in told
    assert "请填写" in caught.value.text_zh
    file.write_text(file.read_text("utf-8").replace("...", "given"), "utf-8")
    open_chain(file, entry_points=False)


@pytest.mark.parametrize(
    ("file", "place_en", "place_zh"),
    [
        ("sales.csv", "sales.csv (sales): ", "sales.csv（sales）："),
        ("", "sales: ", "sales："),
        ("month.xlsx", "sales: ", "month.xlsx（sales）："),
    ],
)
def test_an_error_begins_with_its_file_in_both_languages(file, place_en, place_zh):
    """Each text by itself says where to look, and no file twice."""
    told = SourceError("month.xlsx is empty").in_chinese("没有内容")
    with pytest.raises(SourceError) as caught, naming(file, "sales"):
        raise told
    assert str(caught.value) == f"{place_en}month.xlsx is empty"
    assert caught.value.text_zh == f"{place_zh}没有内容"
    with pytest.raises(SourceError) as caught, naming(file, "sales"):
        raise SourceError("month.xlsx is empty")
    assert not caught.value.text_zh


@pytest.mark.parametrize(
    ("unit", "cell", "minor"),
    [
        ("分", "1299", 129_9),
        ("minor", "1,299.00", 1299),
        ("minor", "(７)", -7),
        ("元", "12.99", 1299),
        ("major", "￥12.99", 1299),
        ("千元", "1.28", 128_000),
        ("thousand", "-1.28", -128_000),
        ("万元", "1.28", 1_280_000),
        ("万元", "0.000001", 1),
    ],
)
def test_units_are_exact(unit, cell, minor):
    """An amount in any unit becomes whole minor units, in files and in records."""
    row = HEAD + f'T1,2026-11-05,S1,1,"{cell}"\n'
    assert read(row, units={"amount": unit}).frame["amount"].tolist() == [minor]
    record = {"小票号": "T1", "销售日期": "2026-11-05", "门店": "S1", "数量": 1}
    result = of_records([record | {"金额": cell}], "sales", units={"amount": unit})
    assert result.frame["amount"].tolist() == [minor]


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("￥1299", "amount-unit"),
        ("12.99元", "amount-unit"),
        ("1.28万", "amount-unit"),
        ("1299.5", "amount-digits"),
        ("1,2.5", "number-grouping"),
        ("1_000", "number-unreadable"),
        ("1E+5", "number-destroyed"),
        ("Infinity", "number-unreadable"),
        ("99999999999999999999", "number-too-large"),
    ],
)
def test_a_cell_that_a_unit_would_misread_is_refused(cell, rule):
    """No amount is a hundred times too large because its cell had a unit of its own."""
    result = read(HEAD + f'T1,2026-11-05,S1,1,"{cell}"\n', units={"amount": "分"})
    assert result.rejects["rule"].tolist() == [rule]


@given(st.integers(-(2**62), 2**62))
def test_minor_units_come_back_as_they_are(amount):
    """Fen are read as fen, however many, without a float on the way."""
    record = {"ticket_id": "T", "sold_on": "2026-11-05", "store_id": "S", "quantity": 1}
    result = of_records([record | {"amount": amount}], "sales",
                        units={"amount": "minor"})  # fmt: skip
    assert result.frame["amount"].tolist() == [amount]


def test_a_unit_scales_what_the_amount_is_made_of():
    """Quantity × unit price in fen; a limit of a rule is in the currency still."""
    result = read(
        "小票号,销售日期,门店,数量,单价\nT1,2026-11-05,S1,3,1990\nT2,2026-11-05,S1,1,0\n",
        units={"unit_price": "分"},
        drop=[{"column": "unit_price", "at_most": "0.50", "reason": "gifts"}],
    )
    assert result.frame["amount"].tolist() == [5970]
    assert result.rejects["rule"].tolist() == ["dropped-by-reading"]


def test_parts_make_an_id():
    """A ticket of store, day and number is one id; without a part it has none."""
    text = "分店,营业日,流水,销售日期,门店,数量,金额\n"
    rows = (
        "S1,20261105,0007,2026-11-05,S1,1,5\n"
        "S1,20261105,,2026-11-05,S1,1,5\n"
        "S1,20261105,NULL,2026-11-05,S1,1,5\n"
        "S1,20261105,1.23E+10,2026-11-05,S1,1,5\n"
    )
    result = read(text + rows, compose={"ticket_id": ["分店", "营业日", "流水"]})
    assert result.frame["ticket_id"].tolist() == ["S1-20261105-0007"]
    assert result.rejects["column"].tolist() == ["ticket_id"] * 3
    assert result.rejects["rule"].tolist()[2] == "number-destroyed"
    assert findings(result, "heading-ignored") == []


PARTS = st.text(st.sampled_from("a1-\\－＼Ａ 号"), min_size=1, max_size=4)
PAIRS = st.tuples(PARTS, PARTS).filter(lambda pair: all(p.strip() for p in pair))


@given(st.lists(PAIRS, min_size=1, max_size=12))
def test_two_sets_of_parts_never_make_one_id(pairs):
    """Ids are the same exactly where their parts are the same as ids."""
    stores = [
        {"a": left, "b": right, "name": str(at)}
        for at, (left, right) in enumerate(pairs)
    ]
    made = of_records(stores, "stores", compose={"store_id": ["a", "b"]})
    ids = dict(zip(made.frame["name"].astype(int), made.frame["store_id"], strict=True))
    parts = {at: tuple(narrowed(part) for part in pairs[at]) for at in ids}
    assert len(set(ids.values())) == len(set(parts.values())) == len(ids)
    # What was refused is a second row of one id, so it has the parts of a first one.
    refused = set(range(len(pairs))) - set(ids)
    assert {tuple(narrowed(part) for part in pairs[at]) for at in refused} <= set(
        parts.values()
    )


def narrowed(part):
    """How an id is written: full-width letters and signs are narrow."""
    return part.strip().replace("－", "-").replace("＼", "\\").replace("Ａ", "A")


@pytest.mark.parametrize(
    ("own", "hint_en", "hint_zh"),
    [
        ("unkown", "did you mean 'unknown'?", "是否应为“unknown”？"),
        ("QQ", "known are: 'female', 'male'", "可取：female、male"),
    ],
)
def test_a_word_that_no_column_knows_is_refused_with_the_nearest(own, hint_en, hint_zh):
    """A slip on our side of 'values' is the chain file's, and not that of each row."""
    with pytest.raises(ConfigurationError) as caught:
        options("members", values={"gender": {"先生": "male", "暂缺": own}})
    assert hint_en in str(caught.value)
    assert hint_zh in caught.value.text_zh
    for text in (str(caught.value), caught.value.text_zh):
        assert "gender" in text
        assert own in text


def test_a_word_may_be_ours_in_any_spelling_or_stand_for_no_value():
    """What a cell may say, a chain file may say; a word for nothing empties a cell."""
    words = {"先生": "男", "女士": " Ｆemale ", "暂缺": "", "不详": "NULL"}
    text = "会员号,性别\n" + "".join(f"M{at},{word}\n" for at, word in enumerate(words))
    result = read(text, "members", values={"gender": words})
    assert result.frame["gender"].fillna("none").tolist() == [
        "male", "female", "none", "none"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ({"units": {"amount": "cent"}}, "no unit is called 'cent'"),
        ({"units": {"quantity": "分"}}, "holds none"),
        ({"units": {"amonut": "分"}}, "did you mean 'amount'"),
        ({"values": {"gendr": {"a": "b"}}}, "gendr"),
        ({"values": {"item_name": "a"}}, "is a table of the source's word and ours"),
        ({"compose": {"amount": ["数量", "金额"]}}, "'compose' makes ids of parts"),
        ({"compose": {"ticket_id": ["小票号"]}}, "two headings or more"),
        ({"compose": {"ticket_id": "小票号"}}, "two headings or more"),
        (
            {"compose": {"ticket_id": ["a", "b"]}, "columns": {"ticket_id": "a"}},
            "in 'compose' and in another option",
        ),
        ({"colunms": {}}, "did you mean 'columns'"),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_meant(mapping, told):
    """Nothing that an option names is ignored, in a file or for records."""
    with pytest.raises(ConfigurationError, match=told):
        options("sales", **mapping)


def test_a_part_that_no_heading_has_is_refused():
    """The headings of the parts must be there."""
    with pytest.raises((ConfigurationError, MissingColumnsError), match="流水"):
        read(HEAD, compose={"ticket_id": ["门店", "流水"]})


def test_a_chain_file_says_words_units_and_parts():
    """The options stand in chain.toml beside the path."""
    Path("till.csv").write_text(
        "分店,流水,日期,状态,件数,实收\nS1,7,2026-11-05,销,2,1990\nS1,8,2026-11-06,退,-1,-5\n",
        encoding="utf-8",
    )
    Path("chain.toml").write_text(
        """name = "示例"
currency = "CNY"
zone = "Asia/Shanghai"
[sources.sales]
adapter = "csv"
path = "till.csv"
columns = { store_id = "分店", item_id = "状态" }
compose = { ticket_id = ["分店", "流水"] }
units = { amount = "分" }
[sources.sales.values.item_id]
"销" = "sold"
""",
        encoding="utf-8",
    )
    sales = open_chain("chain.toml").read()["sales"]
    assert sales["ticket_id"].tolist() == ["S1-7", "S1-8"]
    assert sales["amount"].tolist() == [1990, -5]
    assert sales["item_id"].tolist() == ["sold", "退"]


def test_records_are_read_as_rows_of_a_file():
    """Plain values of JSON are text, and the rules and findings are those of files."""
    result = of_records(
        [
            {"id": 7, "n": "王小明", "joined": None, "tel": "13800138000"},
            {"id": 8, "n": "Ann", "joined": "2026-11-05"},
            {"id": 7, "n": "again"},
            {"id": None, "n": "nobody"},
        ],
        "members",
        columns={"member_id": "id", "name": "n", "joined_on": "joined", "phone": "tel"},
    )
    assert result.frame["member_id"].tolist() == ["7", "8"]
    assert result.frame["joined_on"].tolist()[1] == pd.Timestamp("2026-11-05")
    assert result.rejects["line"].tolist() == [3, 4]
    assert result.rejects["file"].unique().tolist() == ["acme/list"]
    assert not any("again" in f.describe("en") for f in result.findings)


def test_no_records_are_an_empty_table_where_the_fields_are_named():
    """A day without sales is no error."""
    fields = ["ticket_id", "sold_on", "store_id", "quantity", "amount"]
    result = read_records([], options("sales"), origin="acme/orders", fields=fields)
    assert (result.accepted, result.rejected) == (0, 0)
    assert str(result.frame["amount"].dtype) == "int64"
    assert [finding.rule for finding in result.findings] == ["no-rows"]
    with pytest.raises(MissingColumnsError):
        read_records([], options("sales"), origin="acme/orders")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-10**12,
                   max_value=10**12))  # fmt: skip
def test_decimals_of_records_are_exact(amount):
    """A Decimal comes in to the last digit, also where it is written as 1E+3."""
    record = {"ticket_id": "T", "sold_on": "2026-11-05", "store_id": "S", "quantity": 1}
    for written in (amount, amount.normalize()):
        result = of_records([record | {"amount": written}], "sales")
        assert result.frame["amount"].tolist() == [int(amount * 100)]
    assert Decimal(int(amount * 100)) / 100 == amount


def test_a_birth_date_of_a_service_is_a_day_in_every_zone():
    """Midnight in UTC, said so or by the service's zone, is not the evening before."""
    own = ReadingOptions.of(
        "members", currency=Currency("USD"), zone=ZoneInfo("America/New_York")
    )
    for text, zone in (("Z", None), (".000+00:00", None), ("", ZoneInfo("UTC"))):
        resource = RestResource(
            path="x", lines=[Lines(columns={"birth_date": "b"})], zone=zone
        )
        born = rest_rows._local(
            f"1990-05-17T00:00:00{text}", "birth_date", resource, own
        )
        assert born == dt.date(1990, 5, 17)
    joined = rest_rows._local("2026-01-05T00:00:00Z", "joined_on", resource, own)
    assert joined == dt.date(2026, 1, 4)
