"""
Forms as CSV files that a spreadsheet opens safely and a program reads exactly.

Money is exact decimal text, never touched by a float. Text that a spreadsheet would
run as a formula gets a quote before it; numbers are never touched.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from pathlib import Path
from typing import Any

import attrs

from memberops.reports.cells import (
    ReportLanguage,
    check_report_language,
    clean_text,
    day_of,
    each_once,
    is_missing,
    minor_of,
    ratio_text,
    text_of,
)
from memberops.reports.form import Form, FormColumn, columns_for

__all__ = ["csv_text", "guard_text", "unguard_text", "write_csv"]

_TRIGGERS = frozenset("=+-@")
_PART = re.compile("([;\t\n])")


def _would_run(text: str) -> bool:
    """Say whether a spreadsheet could take the text for a formula."""
    for char in text:
        if char in "'\"" or char.isspace() or unicodedata.category(char) in _SKIPPED:
            continue
        return unicodedata.normalize("NFKC", char)[0] in _TRIGGERS
    return False


_SKIPPED = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp"))


def guard_text(text: str) -> str:
    """
    Keep text from running as a formula: a quote before what looks like one.

    What looks like one begins, after blanks, quotes and invisible characters, with
    ``=``, ``+``, ``-``, ``@`` or a full-width form of these; the same goes for what
    follows a semicolon, a tab or a line break, where some spreadsheets begin another
    cell (CWE-1236). `unguard_text` undoes it.

    >>> guard_text("=1+1"), guard_text("人民路店"), guard_text("'=1")
    ("'=1+1", '人民路店', "''=1")
    """
    parts = _PART.split(text)
    parts[::2] = [f"'{part}" if _would_run(part) else part for part in parts[::2]]
    return "".join(parts)


def unguard_text(text: str) -> str:
    """
    Take back what `guard_text` added; other text stays as it is.

    >>> unguard_text("'=1+1"), unguard_text("'quoted'")
    ('=1+1', "'quoted'")
    """
    parts = _PART.split(text)
    parts[::2] = [
        part[1:] if part.startswith("'") and _would_run(part[1:]) else part
        for part in parts[::2]
    ]
    return "".join(parts)


def write_csv(form: Form, path: str | Path, *, language: ReportLanguage = "zh") -> Path:
    """
    Write a form as a CSV file: UTF-8 with a byte-order mark, comma, CRLF.

    Money is decimal text in major units with the currency's digits (``1299.00``; an
    average is rounded half up). Shares and other ratios are plain numbers with 6
    digits, rounded half up: ``1.041667`` is 104.2 %. Dates are ``2026-11-05``. What is
    missing or undefined is empty. Text and headings pass `guard_text`. The same form
    gives the same bytes.

    Args:
        form: What to write.
        path: The file; one that exists is replaced.
        language: Of headings and words: ``"zh"``, ``"en"`` or ``"both"``.

    Returns:
        The path.

    Raises:
        InvalidValueError: Another language.
        OSError: The file cannot be written.
    """
    text = csv_text(form, language=language)
    target = Path(path)
    target.write_bytes(b"\xef\xbb\xbf" + text.encode("utf-8"))
    return target


def csv_text(
    form: Form, *, language: ReportLanguage = "zh", line_end: str = "\r\n"
) -> str:
    """
    Write a form as the text of a CSV file, without a byte-order mark.

    Args:
        form: What to write; cells as in `write_csv`.
        language: Of headings and words: ``"zh"``, ``"en"`` or ``"both"``.
        line_end: What ends each line; a pipe wants a line feed alone.

    Raises:
        InvalidValueError: Another language.
    """
    check_report_language(language)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=line_end)
    columns = columns_for(form, language)
    writer.writerow(
        [guard_text(clean_text(column.heading(language))) for column in columns]
    )
    texts = [
        _Column(form, column, language).texts(form.frame[column.name])
        for column in columns
    ]
    writer.writerows(zip(*texts, strict=True))
    return text.getvalue()


@attrs.frozen
class _Column:
    form: Form
    column: FormColumn
    language: ReportLanguage

    def texts(self, values: Any) -> list[str]:
        return each_once(values, self._text)

    def _text(self, value: Any) -> str:  # noqa: PLR0911 - each kind has its own exit
        if is_missing(value):
            return ""
        if isinstance(value, str):
            said = text_of(self.form, self.column, value, self.language)
            return guard_text(said)
        match self.column.style:
            case "money":
                return str(self.form.currency.to_decimal(minor_of(value)))
            case "percent" | "number":
                return ratio_text(value)
            case "date":
                return str(day_of(value))
            case "integer":
                return str(int(value))
            case _:
                return guard_text(text_of(self.form, self.column, value, self.language))
