"""Stocktakes of a chain from its files: what is owed, approved, closed and late."""

import datetime as dt

import pytest

import memberops as mo
from gift_chain import write_gift_chain

HEADINGS = "盘点单号,盘点地点,礼品编号,批次,实盘数量,盘点时间,盘点人,监盘人\n"


@pytest.fixture
def chain(tmp_path):
    """Open the small chain with its movements posted."""
    made = mo.open_chain(write_gift_chain(tmp_path))
    made.import_gifts(tmp_path / "movements.csv", as_of=mo_day(31))
    return made


def mo_day(day):
    """Return a day of October 2026."""
    return dt.date(2026, 10, day)


def write(folder, name, *rows, headings=HEADINGS):
    """Write a paper; return its path."""
    file = folder / name
    file.write_text(headings + "".join(f"{row}\n" for row in rows), "utf-8")
    return file


def test_half_a_sheet_is_not_complete(chain, tmp_path):
    """What the books have and no row counts is owed: torn-off rows are no count."""
    part = write(tmp_path, "part.csv", "C1,warehouse,CUP,L1,80,2026-10-08 09:00,W1,W2")
    answer = chain.count_summaries("C1", as_of=mo_day(31), counts=part)
    rows = answer["store_count_summary"].frame.set_index(["level", "key"])
    assert rows.loc[("warehouse", "warehouse"), "state"] == "incomplete"
    assert rows.loc[("chain", "chain"), ["lines", "not_counted"]].tolist(
    ) == [4, 3]  # fmt: skip
    assert "rows read 1 = accepted 1 + rejected 0" in answer.explain("en")
    found = chain.count_differences("C1", as_of=mo_day(31), counts=part)
    shown = found["count_differences"].frame
    columns = (shown[name] for name in ("place", "gift_id", "state"))
    assert sorted(zip(*columns, strict=True)) == [
        ("store:S01", "CUP", "not_counted"), ("store:S02", "PEN", "not_counted"),
        ("warehouse", "CUP", "agree"), ("warehouse", "PEN", "not_counted")]  # fmt: skip
