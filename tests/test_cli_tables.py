"""Promises of ``memberops tables``: what a chain can have, without the docs."""

import csv
import io

import pytest

from memberops.cli import main
from memberops.tables import TABLES, table


def listed(capsys, *given):
    """Run the command on a pipe; return its rows by their first cell."""
    assert main(["tables", *given]) == 0
    heading, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    return {row[0]: dict(zip(heading, row, strict=True)) for row in rows}


def test_every_table_is_listed_with_its_titles(capsys):
    """All of them, in both languages, with what no row may lack."""
    rows = listed(capsys, "--language", "en")
    assert list(rows) == [each.name for each in TABLES]
    assert rows["sales"]["Title in Chinese"] == "销售明细"
    assert "ticket_id" in rows["sales"]["Needed columns"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_columns_of_a_table_have_headings_in_both_languages(capsys, language):
    """Type, need, headings and meaning of each column."""
    rows = listed(capsys, "sales", "--language", language)
    first = {"zh": "类型", "en": "Type"}[language]
    assert list(rows) == list(table("sales").names)
    assert rows["amount"][first] == "money"
    for column in table("sales").columns:
        cells = rows[column.name].values()
        assert {column.heading_zh, column.heading_en} <= set(cells)
        told = column.meaning_zh if language == "zh" else column.meaning_en
        assert any(cell.startswith(told) for cell in cells)
    needed = {"zh": ("是否必需", "是"), "en": ("Needed", "yes")}[language]
    assert rows["ticket_id"][needed[0]] == needed[1]


def test_a_table_that_is_not_there_is_told_with_the_nearest(capsys):
    """One line, and the status of wrong use."""
    assert main(["tables", "sale"]) == 2
    assert "did you mean 'sales'?" in capsys.readouterr().err
