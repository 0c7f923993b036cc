"""The plugin's own tests: what a third party would write."""

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import memberops_acme
import pytest

from memberops.adapters.sources import Source, SourceContext
from memberops.domain import Currency
from memberops.errors import SourceError
from memberops.testing import check_source, load_only

MEMBERS = """\
{"id": "0017", "fullName": "王小明", "mobile": "13812345678", "sex": "M",\
 "born": "1990-02-28", "shop": "S01", "enrolled": "2025-03-01"}
{"id": "0018", "sex": "?", "shop": "S02"}

{"id": 19, "fullName": "李雷"}
{"id": "0020", "fullName": "韩梅梅", "born": "1990-13-45"}
{"id": "0021",
"""
SALES = """\
{"receipt": "R1", "at": "2026-09-30T17:30:00Z", "shop": "S01", "customer": "0017",\
 "lines": [{"sku": "A", "qty": 2, "price": 19.90, "paid": "39.80"},\
 {"sku": "B", "qty": 1, "paid": 0.10}]}
{"receipt": "R2", "at": "2026-10-05T14:03:00", "shop": "S02",\
 "lines": [{"sku": "A", "qty": 1, "paid": 12.505}, {"sku": "B", "qty": 1, "paid": 5}]}
{"receipt": "R3", "at": "2026-10-06T09:00:00", "shop": "S02", "customer": "0017",\
 "lines": [{"sku": "A", "qty": -1, "paid": "-19.90", "refundOf": "R1"}]}
{"receipt": "R4", "at": "2026-10-06T09:00:00", "shop": "S02"}
"""


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """Export a few members and tickets, and return the source that reads them."""
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "members.jsonl").write_text(MEMBERS, encoding="utf-8")
    (folder / "sales-2026-10.jsonl").write_text(SALES, encoding="utf-8")
    context = SourceContext(
        folder=tmp_path, currency=Currency("CNY"), zone=ZoneInfo("Asia/Shanghai")
    )
    return load_only(memberops_acme).sources["acme-pos"].factory(context)


@pytest.mark.parametrize("table", ["members", "sales"])
def test_source_keeps_the_promises_of_every_source(source: Source, table: str) -> None:
    """Counts, columns, types, findings and privacy are as memberops demands."""
    assert check_source(source, table).rejected > 0


def test_members_keep_their_zeros_and_dates(source: Source) -> None:
    """An id stays text, a day stays a day, and an odd gender becomes unknown."""
    members = source.read("members").frame

    assert members["member_id"].tolist() == ["0017", "0018"]
    assert members["gender"].tolist() == ["male", "unknown"]
    assert members["birth_date"].iloc[0].date() == dt.date(1990, 2, 28)


def test_what_is_refused_has_its_line(source: Source) -> None:
    """Each refused row tells file, line, column and rule, and keeps its text."""
    rejects = source.read("members").rejects

    assert rejects["line"].tolist() == [4, 5, 6]
    assert rejects["column"].iloc[:2].tolist() == ["member_id", "birth_date"]
    assert rejects["rule"].tolist() == [
        "value-invalid",
        "value-invalid",
        "line-unreadable",
    ]
    assert rejects["raw"].iloc[2] == '{"id": "0021",'


def test_sales_are_exact_and_local(source: Source) -> None:
    """Amounts are whole fen; half past five in London is tomorrow in Shanghai."""
    result = source.read("sales")

    days = result.frame["sold_on"].dt.strftime("%m-%d").tolist()

    assert result.frame["amount"].tolist() == [3980, 10, 500, -1990]
    assert days == ["10-01", "10-01", "10-05", "10-06"]
    assert (result.rows_read, result.accepted, result.rejected) == (6, 4, 2)


def test_an_amount_with_half_a_fen_is_refused(source: Source) -> None:
    """12.505 is not rounded in silence: its line is rejected, the other is not."""
    rejects = source.read("sales").rejects

    assert rejects["column"].iloc[0] == "amount"
    assert rejects["rule"].tolist() == ["value-invalid", "lines-missing"]


def test_a_table_that_acme_does_not_export_is_an_error(source: Source) -> None:
    """A source that lacks a table says so; it does not give an empty one."""
    with pytest.raises(SourceError, match="members and sales, but no cards"):
        source.read("cards")


def test_an_empty_folder_is_an_error(source: Source, tmp_path: Path) -> None:
    """No file is an error; an empty file is a table without rows."""
    (tmp_path / "acme" / "members.jsonl").write_bytes(b"")
    assert check_source(source, "members").rows_read == 0

    (tmp_path / "acme" / "members.jsonl").unlink()
    with pytest.raises(SourceError, match="no file called members"):
        source.read("members")
