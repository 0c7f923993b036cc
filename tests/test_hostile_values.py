"""Values that mean harm, over every kind of source: a rejected row or a typed error."""

import sqlite3
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from csv_reading import SALES, read
from excel_files import CNY, SHANGHAI
from memberops.adapters.sources.contract import SourceContext
from memberops.adapters.sources.exact_json import parse_json
from memberops.adapters.sources.frame_rows import read_frame
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.records import read_records
from memberops.adapters.sources.rejects import write_rejects
from memberops.adapters.sources.rest_source import rest_source
from memberops.adapters.sources.sql_place import SqlPlace, rows_of
from memberops.adapters.sources.sql_rows import select_texts
from memberops.adapters.sources.sql_source import SqlSource
from memberops.errors import ConfigurationError, MissingColumnsError, SourceError
from sms_server import SmsServer, answer

CONTEXT = SourceContext(folder=Path(), currency=CNY, zone=SHANGHAI)
HALF = "\ud800"


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"a": 1e999999}',
        b'{"a": 0.' + b"1" * 1_000_000 + b"}",
        b'{"a": ' + b"1" * 1_000_000 + b"}",
        b'{"amount": 1, "amount": 100}',
        b'[{"lines": [{"n": 1, "\\u006e": 2}]}]',
        b'{"a": -Infinity}',
    ],
    ids=["lists", "objects", "power", "digits", "whole", "twice", "spelt", "endless"],
)
def test_json_that_is_a_bomb_or_says_two_things_is_refused(body):
    """Depth, length and powers are bounded, and of two values none is chosen."""
    with pytest.raises(ValueError, match=r"deep|long|twice|no number"):
        parse_json(body)


def test_half_a_character_of_json_becomes_one_that_can_be_kept():
    """A pair stays a pair, a backslash a backslash; half of a pair is replaced."""
    body = rb'["\ud83d\ude00", "\\ud800", "\ud800", "\ude00\ud83d", "\\\udfff."]'

    assert parse_json(body) == ["😀", "\\ud800", "\uffff", "\uffff\uffff", "\\\uffff."]


def check_halves(result):
    """The id with half a character is refused; the name keeps the rest; all is kept."""
    assert result.frame["member_id"].tolist() == ["M1"]
    assert result.frame["name"].tolist() == ["王\ufffd"]
    assert result.rejects["rule"].tolist() == ["control-character"]
    write_rejects(result.rejects, "rejects.csv")
    assert "M2\uffff" in Path("rejects.csv").read_text("utf-8-sig")


def test_half_a_character_costs_a_row_and_not_the_reading():
    """In records of a plugin and in a frame of a host."""
    rows = [{"member_id": "M1", "name": f"王{HALF}"}, {"member_id": f"M2{HALF}"}]
    options = ReadingOptions.of("members", currency=CNY, zone=SHANGHAI)

    check_halves(read_records(rows, options, origin="shop"))
    cells = {name: [row.get(name) for row in rows] for name in rows[0]}
    check_halves(read_frame(pd.DataFrame(cells, dtype=object), "members"))


def test_half_a_character_over_http_costs_a_row():
    """A service that cuts names by bytes or by UTF-16 units is still read."""
    pytest.importorskip("httpx2", reason="needs the extra 'pos'")
    server = SmsServer()
    server.reply = answer([{"id": "M1", "n": f"王{HALF}"}, {"id": f"M2{HALF}"}])
    columns = {"member_id": "id", "name": "n"}
    try:
        resource = {"path": "members", "columns": columns}
        source = rest_source(CONTEXT, base_url=server.url, members=resource)
        check_halves(source.read("members"))
    finally:
        server.close()


@pytest.mark.parametrize("quoted", [True, False])
def test_the_text_of_a_rejected_row_is_bounded(quoted):
    """A row of a hundred kilobytes is kept as far as a cell of a spreadsheet goes."""
    cell = "x" * 100_000
    row = f'T1,someday,"S{cell}",1,5\n' if quoted else f"T1,{cell}\n"
    (raw,) = read(SALES + row).rejects["raw"]

    assert len(raw) < 32_767
    assert raw.startswith("T1,")
    assert raw.endswith(str(len(row) - 1))
    options = ReadingOptions.of("stores", currency=CNY, zone=SHANGHAI)
    (kept,) = read_records(
        [{"store_id": "", "name": cell}], options, origin="shop"
    ).rejects["raw"]
    assert kept.endswith("100001")


@pytest.mark.parametrize("name", ["idna", "utf-8\0", "rot13", "base64", "undefined"])
def test_an_encoding_that_is_none_is_wrong_use(name):
    """Codecs that are no encodings of text, and names that are no names."""
    with pytest.raises(ConfigurationError, match="no encoding is called"):
        read(SALES, encoding=name)


NAMES = [
    'a"; DROP TABLE t; --',
    "a' OR '1'='1",
    "a`b",
    "%s %(x)s",
    ":b ::c",
    "a\\",
    "]",
]


def test_a_hostile_name_of_a_column_is_a_name(tmp_path):
    """What a database calls its columns is quoted, however it is asked for."""
    names = [*NAMES, "a\nb", "x" * 65_536, "=1+1"]
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    with sqlite3.connect(tmp_path / "till.db") as till:
        till.execute(f"CREATE TABLE t ({' TEXT, '.join(quoted)} TEXT, gone TEXT)")
        till.execute("INSERT INTO t (gone) VALUES ('x')")
        for at, name in enumerate(quoted):
            till.execute(f"UPDATE t SET {name} = {at}")  # noqa: S608 - it is ours
    context = SourceContext(folder=tmp_path, currency=CNY, zone=SHANGHAI)

    def source(name, **options):
        return SqlSource(
            context,
            url="sqlite:///till.db",
            table="t",
            columns={"store_id": name},
            **options,
        )

    for at, name in enumerate(names):
        frame = source(name).read("stores").frame
        assert frame["store_id"].tolist() == [str(at)]
    for name in (names[0], names[-2]):
        marked = source(name, cursor=name, deleted="gone")
        cursor = marked.changes("stores", since=None).cursor
        changes = marked.changes("stores", since=cursor)
        assert changes.deleted == ((str(names.index(name)),),)
        assert all(len(each.describe("en")) < 500 for each in changes.result.findings)
        with pytest.raises((ConfigurationError, MissingColumnsError)) as caught:
            source(f"{name}Z").read("stores")
        assert len(str(caught.value)) < 500
    assert till.execute("SELECT count(*) FROM t").fetchone() == (1,)
    till.close()


@pytest.mark.parametrize(
    ("family", "dialect", "mark"),
    [
        ("postgresql", postgresql.dialect(), '"'),
        ("mysql", mysql.dialect(), "`"),
        ("sqlite", sqlite.dialect(), '"'),
    ],
    ids=["postgresql", "mysql", "sqlite"],
)
def test_names_are_quoted_in_every_dialect(family, dialect, mark):
    """No name of a column ends its quotes, and a percent sign takes no value."""
    rows = rows_of(SqlPlace(table="public.t"), NAMES, alias="r")
    compiled = select_texts(rows, NAMES, family=family).compile(dialect=dialect)

    assert not compiled.params
    text = str(compiled)
    for name in NAMES:
        plain = name.replace(mark, mark * 2)
        if dialect.identifier_preparer._double_percents:
            plain = plain.replace("%", "%%")
        assert f"r.{mark}{plain}{mark}" in text
    for name in NAMES:
        with pytest.raises(ConfigurationError, match="'table' is the name"):
            SqlPlace(table=name)
    assert sa.text(":b").compile().params  # what an unquoted one would be


@pytest.mark.parametrize("engine", ["sqlalchemy", "adbc"])
def test_text_of_another_encoding_in_sqlite_is_told(tmp_path, engine):
    """A till that keeps GBK in SQLite is told what to do, and shows nothing of it."""
    if engine == "adbc":
        pytest.importorskip("adbc_driver_sqlite", reason="needs the extra 'sql-fast'")
    with sqlite3.connect(tmp_path / "till.db") as till:
        till.execute("CREATE TABLE t (store_id TEXT, name TEXT)")
        till.execute("INSERT INTO t VALUES ('S1', CAST(x'cdf5d0a1' AS TEXT))")
    till.close()
    context = SourceContext(folder=tmp_path, currency=CNY, zone=SHANGHAI)

    with pytest.raises(SourceError, match=r"no UTF-8.*GBK") as caught:
        SqlSource(context, url="sqlite:///till.db", table="t", engine=engine).read(
            "stores"
        )
    assert "S1" not in str(caught.value)
