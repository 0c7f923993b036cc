"""The rejected rows as a file that an office can open, mend and hand in again."""

from __future__ import annotations

import csv
import os
import tempfile
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from memberops.adapters.sources.contract import REJECT_COLUMNS
from memberops.adapters.sources.values import whole_text
from memberops.errors import SourceError

__all__ = [
    "guard_text",
    "is_rejects_file",
    "kept_raw",
    "rejects_frame",
    "unguard_text",
    "write_rejects",
]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_HEADINGS = (
    "文件 file",
    "行 line",
    "列 column",
    "规则 rule",
    "英文原因 reason_en",
    "原因 reason_zh",
    "原文 raw",
)
_LONGEST_RAW = 32_000
_ENDING = "-rejects.csv"
_SENTENCES = ("reason_en", "reason_zh")


def _would_run(text: str) -> bool:
    """Say whether a spreadsheet could take the text for a formula."""
    bare = unicodedata.normalize("NFKC", text[:20]).lstrip(" ")
    # Invisible characters in front hide a sign from us but not from every program.
    hidden = bare[:1] and unicodedata.category(bare[0])[0] == "C"
    return bool(hidden) or bare.startswith(_FORMULA)


def guard_text(text: str) -> str:
    """
    Keep a spreadsheet from running a text as a formula, reversibly (CWE-1236).

    A text that begins with a formula sign, behind spaces or in full width too, gets
    an apostrophe in front; so does one that looks as if it had got one.

    >>> guard_text("=1+1"), guard_text("＝1"), guard_text("'a"), guard_text("'=1")
    ("'=1+1", "'＝1", "'a", "''=1")
    """
    return "'" + text if _would_run(text.lstrip("'")) else text


def unguard_text(text: str) -> str:
    """
    Undo `guard_text`.

    >>> unguard_text("'=1+1"), unguard_text("'a"), unguard_text("S01")
    ('=1+1', "'a", 'S01')
    """
    return text.removeprefix("'") if _would_run(text.lstrip("'")) else text


def kept_raw(text: str) -> str:
    """
    Bound the raw text of a rejected row to what a cell of a spreadsheet holds.

    >>> kept_raw("T1,S1"), len(kept_raw("x" * 10**6))
    ('T1,S1', 32008)
    """
    if len(text) > _LONGEST_RAW:
        text = f"{text[:_LONGEST_RAW]}…{len(text)}"
    return whole_text(text)


def rejects_frame(rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    """
    Lay out rejected rows as `SourceResult` holds them.

    Args:
        rows: For each row a value of each of `REJECT_COLUMNS`.

    >>> rejects_frame([]).columns.tolist()
    ['file', 'line', 'column', 'rule', 'reason_en', 'reason_zh', 'raw']
    """
    columns: list[Any] = list(zip(*rows, strict=True)) or [()] * len(REJECT_COLUMNS)
    return pd.DataFrame(
        {
            name: pd.Series(list(cells), dtype="int64" if name == "line" else "str")
            for name, cells in zip(REJECT_COLUMNS, columns, strict=True)
        }
    )


def is_rejects_file(path: Path) -> bool:
    """
    Tell whether a file was written by `write_rejects`, so that none is read as data.

    It is told by its name, which ends in ``-rejects.csv``, and its heading line.
    """
    if not path.name.endswith(_ENDING):
        return False
    wanted = ",".join(_HEADINGS).encode("utf-8-sig")
    try:
        with path.open("rb") as file:
            return file.read(len(wanted)) == wanted
    except OSError:
        return False


def _cell(name: str, cell: object) -> int | str:
    if isinstance(cell, int):
        return cell
    text = cell if isinstance(cell, str) else ""
    # A sentence of ours may begin with a quoted cell: no program runs a quote.
    sentence = name in _SENTENCES
    return text if sentence and text.startswith("'") else guard_text(text)


def write_rejects(rejects: pd.DataFrame, path: str | Path) -> None:
    """
    Write rejected rows as CSV: UTF-8 with a byte-order mark, formulas guarded.

    Each heading is in Chinese and ends with the column's name in `REJECT_COLUMNS`.

    The file holds raw rows, so it may hold personal data: only its owner may read
    it. It is replaced as a whole, and is written even if nothing was rejected. A
    folder that is not there is made.

    Args:
        rejects: The rejects of a `SourceResult`.
        path: The file to write.

    Raises:
        SourceError: The file cannot be written.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(_HEADINGS)
                for row in rejects[list(REJECT_COLUMNS)].itertuples(index=False):
                    writer.writerow(
                        _cell(name, cell)
                        for name, cell in zip(REJECT_COLUMNS, row, strict=True)
                    )
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SourceError(
            f"the rejects file {str(target)!r} cannot be written: {error.strerror}"
        ) from None
