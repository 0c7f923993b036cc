"""Promises of frames as a source: any engine, and the rules of files."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from memberops import Chain, Severity
from memberops.adapters.sources.frame_rows import read_frame
from memberops.errors import ColumnTypeError, MissingColumnsError

SALES = {
    "ticket_id": [1, 2, 3],
    "sold_on": [dt.date(2026, 10, 3), dt.date(2026, 10, 4), dt.date(2026, 10, 5)],
    "store_id": [7, 7, 8],
    "member_id": [2**53 + 1, None, 9],
    "quantity": [1, 2, -1],
    "amount": [500, 1999, -500],
}


def pandas_frame(columns):
    """Ids with gaps as Int64, days as a database driver gives them: objects."""
    frame = pd.DataFrame(columns)
    for name, values in columns.items():
        if any(isinstance(value, int) for value in values):
            frame[name] = pd.array(values, dtype="Int64")
    return frame


def pandas_moments(columns):
    """Days as datetime64."""
    frame = pandas_frame(columns)
    for name in frame:
        if isinstance(frame[name].dropna().iloc[0], dt.date):
            frame[name] = pd.to_datetime(frame[name])
    return frame


def polars_frame(columns):
    """A polars frame."""
    return pytest.importorskip("polars").DataFrame(columns)


def arrow_table(columns):
    """A pyarrow table; its days are date32."""
    return pytest.importorskip("pyarrow").table(columns)


def duckdb_relation(columns):
    """A DuckDB relation; its days are DATE, its ids BIGINT."""
    duckdb = pytest.importorskip("duckdb")
    table = arrow_table(columns)
    return duckdb.connect().from_arrow(table)


ENGINES = [pandas_frame, pandas_moments, polars_frame, arrow_table, duckdb_relation]
engines = pytest.mark.parametrize("engine", ENGINES)


@engines
def test_any_frame_becomes_the_same_canonical_frame(engine):
    """Whole ids as exact text, days without zone, amounts in int64."""
    result = read_frame(engine(SALES), "sales")
    frame = result.frame
    assert frame["ticket_id"].tolist() == ["1", "2", "3"]
    assert frame["member_id"].dropna().tolist() == ["9007199254740993", "9"]
    assert frame["member_id"].isna().tolist() == [False, True, False]
    assert frame["sold_on"].dtype == "datetime64[us]"
    assert frame["sold_on"].dt.day.tolist() == [3, 4, 5]
    assert frame["amount"].dtype == frame["quantity"].dtype == "int64"
    assert frame["amount"].tolist() == [500, 1999, -500]
    assert (result.rows_read, result.accepted, result.findings) == (3, 3, ())


def chain_of(engine):
    """Make a chain of frames with members, cards, stores and targets."""
    day = dt.date
    return Chain.from_frames(
        sales=engine(SALES),
        members=engine(
            {
                "member_id": [9, 2**53 + 1],
                "gender": ["女", "F"],
                "birth_date": [day(1990, 5, 1), None],
            }
        ),
        cards=engine(
            {
                "card_id": [5, 6],
                "member_id": [9, 2**53 + 1],
                "valid_from": [day(2025, 12, 1), day(2026, 1, 1)],
                "valid_through": [day(2026, 11, 30), day(2026, 12, 31)],
            }
        ),
        stores=engine({"store_id": [7, 8], "region_id": ["east", "west"]}),
        targets=engine(
            {
                "store_id": [7, 8],
                "month": [day(2026, 10, 1), day(2026, 10, 1)],
                "target": [1000, 2000],
            }
        ),
    )


@pytest.fixture(scope="module")
def tables():
    """The tables of a chain of pandas frames, as they are read."""
    return chain_of(pandas_frame).read()


def test_a_chain_of_frames_makes_every_form(tables):
    """What the README promises, with members, cards, stores and targets."""
    pack = chain_of(pandas_frame).month_end("2026-10", tables=tables)
    assert len(pack.names) == 10
    assert pack.frame("expiring_members")["card_id"].tolist() == ["5"]
    people = pack.frame("demographics")
    row = people[(people["level"] == "chain") & (people["period"] == "2026-10")]
    assert row["members_female"].tolist() == [1]
    assert pack.rejects["sales"].empty


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_a_chain_of_any_frames_reads_the_same_tables(tables, engine):
    """The forms are made of what is read, to the last type and finding."""
    read = chain_of(engine).read()
    assert set(read.results) == set(tables.results)
    for name, wanted in tables.results.items():
        result = read.results[name]
        pd.testing.assert_frame_equal(result.frame, wanted.frame)
        pd.testing.assert_frame_equal(result.rejects, wanted.rejects)
        assert result.findings == wanted.findings
        assert result.rows_read == wanted.rows_read


@engines
def test_a_row_without_what_its_table_needs_is_refused_and_kept(engine):
    """Read = accepted + rejected; the finding names row and column."""
    bad = {
        "ticket_id": [1, None, 3, 4, 5],
        "sold_on": [dt.date(2026, 10, 3)] * 2 + [None] + [dt.date(2026, 10, 4)] * 2,
        "store_id": [7, 7, 7, None, 7],
        "quantity": [1, 1, 1, 1, 1],
        "amount": [500, 500, 500, 500, None],
    }
    result = read_frame(engine(bad), "sales")
    assert (result.rows_read, result.accepted, result.rejected) == (5, 1, 4)
    assert result.frame["ticket_id"].tolist() == ["1"]
    told = {(each.rule, each.row, each.column) for each in result.findings}
    assert told == {
        ("required-missing", 2, "ticket_id"),
        ("required-missing", 3, "sold_on"),
        ("required-missing", 4, "store_id"),
        ("required-missing", 5, "amount"),
    }
    assert {each.severity for each in result.findings} == {Severity.ERROR}
    assert result.rejects["line"].tolist() == [2, 3, 4, 5]
    assert result.rejects["raw"].iloc[0].startswith(",2026-10-03")


KEYED = {
    "members": {"member_id": ["M1", "M2", "M1"]},
    "stores": {"store_id": ["S1", "S2", "S1"], "region_id": ["east", "east", "west"]},
    "targets": {
        "store_id": ["S1", "S2", "S1"],
        "month": [dt.date(2026, 10, 1)] * 3,
        "target": [1, 2, 3],
    },
    "cards": {
        "card_id": ["C1", "C2", "C1"],
        "member_id": ["M1", "M2", "M3"],
        "valid_from": [dt.date(2026, 1, 1)] * 3,
        "valid_through": [dt.date(2026, 12, 31)] * 3,
    },
}


@engines
@pytest.mark.parametrize("table", KEYED)
def test_the_second_row_of_a_key_is_refused_and_names_the_first(engine, table):
    """A member, store, target or card term stands once; two regions are not both."""
    result = read_frame(engine(KEYED[table]), table)
    assert (result.rows_read, result.accepted, result.rejected) == (3, 2, 1)
    (finding,) = result.findings
    assert (finding.rule, finding.row) == ("duplicate-key", 3)
    assert "in row 1" in finding.message_en
    assert "第 1 行" in finding.message_zh


def test_choices_are_mapped_and_unknown_ones_are_told():
    """Both "F" and "女" are female; what nobody knows is left empty and told."""
    frame = pd.DataFrame(
        {"member_id": list("abcde"), "gender": ["F", "女", "male", None, "robot"]}
    )
    result = read_frame(frame, "members")
    assert result.accepted == 5
    assert result.frame["gender"].tolist()[:3] == ["female", "female", "male"]
    assert result.frame["gender"].isna().tolist()[3:] == [True, True]
    (finding,) = result.findings
    assert (finding.severity, finding.row) == (Severity.WARNING, 5)


def sales_with(name, values):
    """One good sales line, and one column as given."""
    good = {
        "ticket_id": ["T1"],
        "sold_on": pd.to_datetime(["2026-10-03"]),
        "store_id": ["S1"],
        "member_id": ["M1"],
        "quantity": [1],
        "amount": [500],
    }
    return pd.DataFrame({**good, name: values})


MOMENT = dt.datetime(2026, 10, 3, 14, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("sold_on", ["2026-10-03"], "must hold dates"),
        ("sold_on", np.array([20261003]), "must hold dates"),
        ("sold_on", pd.to_datetime([MOMENT]), "carries the zone UTC"),
        ("sold_on", pd.Series([MOMENT], dtype=object), "carries the zone UTC"),
        ("sold_on", pd.Series([3.5], dtype=object), "of floats; it must hold dates"),
        ("sold_at", pd.to_datetime(["2026-10-03"]), "moments with a zone"),
        ("sold_at", pd.Series([dt.date(2026, 10, 3)]), "moments with a zone"),
        ("amount", [5.0], "memberops.metrics.minor_units"),
        ("amount", [True], "whole minor units"),
        ("amount", ["5.00"], "whole minor units"),
        ("amount", pd.Series([Decimal("5.00")], dtype=object), "minor_units"),
        ("quantity", [1.0], "Int64"),
        ("store_id", [7.0], "ids read as floats lose digits"),
        ("store_id", pd.Series([7.0], dtype=object), "ids read as floats lose digits"),
        ("store_id", [True], "must hold text"),
        ("item_name", pd.to_datetime(["2026-10-03"]), "must hold text"),
    ],
)
def test_a_column_of_a_wrong_type_is_refused_with_its_name(name, values, told):
    """Never a raw TypeError: the error names table, column, and the way out."""
    with pytest.raises(ColumnTypeError, match=told) as caught:
        read_frame(sales_with(name, values), "sales")
    assert f"column {name!r} of the sales frame" in str(caught.value)


def test_what_derives_is_made_and_extra_columns_are_left_out():
    """An amount from quantity and price, a day from a moment, as for files."""
    frame = pd.DataFrame(
        {
            "ticket_id": ["T1"],
            "sold_at": pd.to_datetime(["2026-10-03T15:30Z"]),
            "sold_on": [dt.date(2026, 10, 3)],
            "store_id": ["S1"],
            "quantity": [3],
            "unit_price": [250],
            "weather": ["rain"],
        }
    )
    result = read_frame(frame, "sales")
    assert result.frame["amount"].tolist() == [750]
    assert "weather" not in result.frame
    assert str(result.frame["sold_at"].dtype) == "datetime64[us, UTC]"
    with pytest.raises(MissingColumnsError, match="'amount'"):
        read_frame(frame.drop(columns="unit_price"), "sales")


@engines
def test_a_moment_alone_has_the_day_of_the_zone(engine):
    """A sale of 23:30 in UTC is one of the next day in Shanghai, not of a moment."""
    moments = [dt.datetime(2026, 10, 3, 23, 30, tzinfo=dt.UTC)] * 2
    moments.append(dt.datetime(2026, 10, 3, 15, 59, tzinfo=dt.UTC))
    columns = {name: SALES[name] for name in SALES if name != "sold_on"}
    frame = engine({**columns, "sold_at": moments})
    for zone, days in (("Asia/Shanghai", [4, 4, 3]), ("UTC", [3, 3, 3])):
        result = read_frame(frame, "sales", zone=ZoneInfo(zone))
        wanted = [pd.Timestamp(2026, 10, day) for day in days]
        assert result.frame["sold_on"].tolist() == wanted
        assert str(result.frame["sold_on"].dtype) == "datetime64[us]"


def test_a_chain_of_moments_has_the_days_of_its_zone():
    """Frames of a chain have their days in its zone; a sale without moment has none."""
    frame = pd.DataFrame(
        {
            "ticket_id": ["T1", "T2"],
            "sold_at": pd.to_datetime(["2026-10-03T23:30Z", None]),
            "store_id": ["S1", "S1"],
            "quantity": [1, 1],
            "amount": [500, 500],
        }
    )
    for zone, day in (("Asia/Shanghai", "2026-10-04"), ("Europe/London", "2026-10-04"),
                      ("America/New_York", "2026-10-03")):  # fmt: skip
        read = Chain.from_frames(sales=frame, zone=ZoneInfo(zone)).read()
        assert read["sales"]["sold_on"].tolist() == [pd.Timestamp(day)]
        assert len(read.rejects["sales"]) == 1
    assert Chain.from_frames(sales=frame).read()["sales"]["sold_on"].tolist() == [
        pd.Timestamp("2026-10-04")
    ]


def test_a_month_is_its_first_day():
    """A target of another day is refused, as in a file."""
    result = read_frame(
        pd.DataFrame(
            {
                "store_id": ["S1", "S2"],
                "month": [dt.date(2026, 10, 1), dt.date(2026, 10, 2)],
                "target": [1, 2],
            }
        ),
        "targets",
    )
    assert result.accepted == 1
    assert [each.rule for each in result.findings] == ["month-not-first-day"]


def test_numbers_beyond_64_bits_are_refused_rows():
    """They are told, not wrapped."""
    frame = sales_with("amount", np.array([2**63], dtype=np.uint64))
    result = read_frame(frame, "sales")
    assert (result.accepted, result.rejected) == (0, 1)
    assert result.findings[0].rule == "number-too-large"


def test_an_id_that_holds_no_value_is_missing():
    """Blank text and words for nothing are no store."""
    frame = pd.DataFrame({"store_id": ["S1", " ", "NULL", None]})
    result = read_frame(frame, "stores")
    assert (result.accepted, result.rejected) == (1, 3)


def test_personal_values_stay_out_of_findings():
    """A phone in an error names its row, never its digits."""
    frame = pd.DataFrame(
        {"member_id": ["M1", "M1"], "phone": ["13800138000", "13800138000"]}
    )
    result = read_frame(frame, "members")
    for finding in result.findings:
        assert "13800138000" not in finding.describe("en") + finding.describe("zh")
    assert "13800138000" in result.rejects["raw"].iloc[0]
