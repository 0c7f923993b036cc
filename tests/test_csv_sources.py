"""The CSV source of a chain file, and real files through it."""

import csv
import gzip
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from csv_reading import GOOD, SALES
from memberops.adapters.sources import Source, SourceContext
from memberops.adapters.sources.csv_source import CsvSource, read_csv
from memberops.adapters.sources.joined_source import JoinedSource
from memberops.domain import Currency
from memberops.errors import (
    ConfigurationError,
    MissingColumnsError,
    SourceError,
    UnknownTableError,
)
from memberops.testing.contracts import check_source
from memberops.workflows import Chain

LONDON = ZoneInfo("Europe/London")
MEMBERS = "会员编号,姓名\n"


def context():
    """The context of a chain in a folder of its own."""
    Path("chain").mkdir(exist_ok=True)
    zone = ZoneInfo("Asia/Shanghai")
    return SourceContext(folder=Path("chain"), currency=Currency("CNY"), zone=zone)


def write(name, text):
    """Write a file into the chain's folder."""
    Path("chain").mkdir(exist_ok=True)
    Path("chain", name).write_text(text, encoding="utf-8")


def test_a_source_keeps_the_contract_of_sources():
    """The CSV source passes the checks that a plugin's source has to pass."""
    source = CsvSource(context(), path="sales.csv")
    write("sales.csv", SALES + GOOD + "T2,x,S1,1,5\n")
    assert isinstance(source, Source)
    assert check_source(source, "sales").accepted == 1


def test_files_of_one_table_are_read_together():
    """Several files, or a pattern, are one table; a key is unique across them."""
    source = CsvSource(context(), members="members-*.csv", delimiter=",")
    write("members-1.csv", MEMBERS + "M1,甲\nM2,乙\n")
    write("members-2.csv", MEMBERS + "M3,丙\nM1,丁\n")
    result = source.read("members")
    assert result.frame["member_id"].tolist() == ["M1", "M2", "M3"]
    (reject,) = result.rejects.to_dict("records")
    assert (reject["file"], reject["line"]) == ("members-2.csv", 3)
    assert "stands in line 2 of members-1.csv" in reject["reason_en"]
    assert "与members-1.csv第 2 行重复" in reject["reason_zh"]
    assert reject["raw"] == "M1,丁"
    assert result.rows_read == 4


def test_tables_may_have_options_of_their_own():
    """What is said of one table overrides what is said of all."""
    source = CsvSource(
        context(),
        encoding="gb18030",
        rejects_folder=".",
        members={"path": ["members.csv"], "encoding": "utf-8"},
        sales="sales.csv",
    )
    write("members.csv", MEMBERS + "M1,甲\n")
    Path("chain", "sales.csv").write_bytes((SALES + "x\n").encode("gbk"))
    assert source.tables == ("members", "sales")
    assert source.read("members").frame["name"].tolist() == ["甲"]
    assert source.read("sales").rejected == 1
    assert "too-few-cells" in Path("chain/sales-rejects.csv").read_text("utf-8-sig")
    assert Path("chain/members-rejects.csv").exists()


def test_an_error_names_the_file_and_the_table():
    """With twelve files open, a message says which of them it is about."""
    write("s.csv", "小票号,日期\nT1,2026-11-05\n")
    for options, error in [
        ({}, MissingColumnsError),
        ({"date_format": "day first"}, ConfigurationError),
        ({"columns": {"amuont": "实付"}}, ConfigurationError),
        ({"columns": {"amount": "实付"}}, MissingColumnsError),
        ({"drop": [{"column": "amount"}]}, ConfigurationError),
        ({"limits": {"exmples": 1}}, ConfigurationError),
    ]:
        source = CsvSource(context(), sales={"path": "s.csv", **options})
        with pytest.raises(error) as caught:
            source.read("sales")
        assert str(caught.value).startswith("s.csv (sales): ")
        assert "rename at the door" not in str(caught.value)
    write("data.csv", "T1,2026-11-05,S1,1,5\n")
    with pytest.raises(SourceError, match=r"data\.csv \(sales\): the first line"):
        CsvSource(context(), sales="data.csv").read("sales")


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"a;b;c\n1;2;3\n", "delimiter=';'"),
        (b"<table><tr>\n", "save it as CSV"),
        (b"PK\x03\x04 and so on", "workbook"),
        (b"\xd0\xcf\x11\xe0 and so on", "workbook"),
        ("会员报表\n".encode(), "'delimiter' or 'encoding'"),
    ],
)
def test_a_file_of_another_kind_is_told_apart(data, hint):
    """A workbook, a web page or another delimiter is named, not "known are: ..."."""
    Path("chain").mkdir()
    Path("chain", "s.csv").write_bytes(data)
    options = {"delimiter": "|"} if b";" in data else {}
    with pytest.raises((SourceError, MissingColumnsError)) as caught:
        CsvSource(context(), sales={"path": "s.csv", **options}).read("sales")
    assert hint in str(caught.value)


def test_no_file_counts_twice_unseen():
    """The same path twice is refused; an equal copy under another name is told."""
    write("s-1.csv", SALES + GOOD)
    for path in (["s-1.csv", "s-1.csv"], ["s-*.csv", "./s-1.csv"]):
        with pytest.raises(ConfigurationError, match=r"s-1\.csv is given twice"):
            CsvSource(context(), sales=path).read("sales")
    write("s-2.csv", SALES + GOOD)
    write("s-3.csv", SALES + GOOD.replace("5.00", "6.00"))
    result = CsvSource(context(), sales="s-*.csv").read("sales")
    (finding,) = [f for f in result.findings if f.rule == "file-twin"]
    assert (finding.source, finding.severity.value) == ("s-2.csv", "warning")
    assert "s-1.csv" in finding.message_en
    assert "s-1.csv" in finding.message_zh


def test_the_rejects_of_the_last_run_are_no_data():
    """A second run reads the same files, though its rejects would fit the pattern."""
    write("sales.csv", SALES + GOOD + "T2,x,S1,1,5\n")
    source = CsvSource(context(), path="sales*.csv", rejects_folder=".")
    for _ in range(2):
        result = source.read("sales")
        assert (result.rows_read, result.rejected) == (2, 1)
    write("sales-rejects.csv", SALES + GOOD)
    assert source.read("sales").rows_read == 3


def test_wrong_options_of_a_source_are_refused_before_reading():
    """A mistyped option or table is told when the source is made, with the nearest."""
    for options, hint in [
        ({"sale": "x.csv"}, "did you mean 'sales'"),
        ({"sales": "x.csv", "encodng": "x"}, "did you mean 'encoding'"),
        ({"sales": {"path": "x", "delimeter": ";"}}, "did you mean 'delimiter'"),
        ({"sales": {"delimiter": ";"}}, "need a 'path'"),
        ({}, "needs a file"),
    ]:
        with pytest.raises(ConfigurationError, match=hint):
            CsvSource(context(), **options)
    source = CsvSource(context(), sales="no-*.csv")
    with pytest.raises(SourceError, match="no file fits"):
        source.read("sales")
    with pytest.raises(UnknownTableError, match=r"no file for 'cards'; it has 'sales'"):
        source.read("cards")
    with pytest.raises(UnknownTableError, match="did you mean 'cards'"):
        source.read("card")


def test_the_gbk_file_loads_with_its_path_alone(shared):
    """Chinese headings, GBK, dates such as 2011/6/1 7:37: nothing to configure."""
    (path,) = (shared / "data" / "derived_gbk").glob("*.gbk.csv")
    result = read_csv(path, "sales", currency=Currency("GBP"), zone=LONDON)
    with path.open(encoding="gbk", newline="") as file:
        rows = list(csv.DictReader(file))
    assert result.rows_read == result.accepted == len(rows) == 3902
    wanted = [int(Decimal(row["单价"]) * 100) * int(row["数量"]) for row in rows]
    assert result.frame["amount"].tolist() == wanted
    assert sorted(set(result.frame["sold_on"].dt.day)) == [1, 2, 3]
    assert [finding.rule for finding in result.findings] == ["encoding"]
    assert "GB18030" in result.findings[0].message_en


DAY = SALES + "T1,2026-11-05,S1,1,5\nT2,2026-11-05,S1,1,5\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv.gz", gzip.compress(DAY.encode(), mtime=0)),
        ("b.csv", DAY.replace("\n", "\r\n").encode()),
        ("b.csv", b"\xef\xbb\xbf" + DAY.encode()),
        ("b.csv", DAY.encode("gb18030")),
        (
            "b.csv",
            (SALES + "T2,2026年11月5日,S1,1,5.00\nT1,2026-11-5,S1,1,5\n").encode(),
        ),
    ],
    ids=["compressed", "line ends", "mark", "encoding", "order and dates"],
)
def test_a_copy_in_another_form_is_told(name, data):
    """Compressed, with other line ends or in another encoding: it counts twice."""
    folder = Path("exports")
    folder.mkdir()
    (folder / "a.csv").write_text(DAY, "utf-8")
    (folder / name).write_bytes(data)
    result = CsvSource(context(), sales="../exports").read("sales")
    (finding,) = [f for f in result.findings if f.rule == "file-twin"]
    assert (finding.source, finding.count) == (name, 2)
    assert "a.csv" in finding.message_zh


def test_exports_that_overlap_are_told_and_those_that_follow_are_not():
    """A ticket of a store and day in two files counts twice; a new day does not."""
    folder = Path("exports")
    folder.mkdir()
    (folder / "a.csv").write_text(DAY, "utf-8")
    (folder / "b.csv").write_text(
        SALES + "T2,2026-11-05,S1,1,5\nT2,2026-11-05,S1,1,5\nT3,2026-11-06,S1,1,5\n"
        "T1,2026-11-05,S2,1,5\nT1,2026-11-06,S1,1,5\n",
        "utf-8",
    )
    (folder / "c.csv").write_text(SALES + "T1,2026-11-07,S1,1,5\n", "utf-8")
    result = CsvSource(context(), sales="../exports").read("sales")
    told = [f for f in result.findings if f.rule == "ticket-in-several-files"]
    assert [(f.source, f.count) for f in told] == [("b.csv", 1)]
    assert "a.csv" in told[0].message_en


def test_tills_of_different_makes_are_one_source_of_a_chain():
    """Nothing of any is lost, and findings name the file."""
    Path("a.csv").write_text(SALES + GOOD, "utf-8")
    Path("b.csv").write_text(
        "流水,日期,门店,数量,金额\nT2,2026-11-05,S2,1,7\nT3,?,S2,1,7\n", "utf-8"
    )
    here = SourceContext(
        folder=Path(), currency=Currency("CNY"), zone=ZoneInfo("Asia/Shanghai")
    )
    joined = JoinedSource(
        CsvSource(here, path="a.csv"),
        CsvSource(here, path="b.csv", columns={"ticket_id": "流水"}),
    )
    result = Chain(sources={"sales": joined}).read().results["sales"]
    assert result.frame["ticket_id"].tolist() == ["T1", "T2"]
    assert (result.rows_read, result.rejects["file"].tolist()) == (3, ["b.csv"])
    assert {each.source for each in result.findings} == {"a.csv", "b.csv"}
    with pytest.raises(SourceError, match="at least one"):
        JoinedSource()
