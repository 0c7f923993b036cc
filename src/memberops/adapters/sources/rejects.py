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
from memberops.errors import SourceError

__all__ = ["guard_text", "rejects_frame", "unguard_text", "write_rejects"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


def guard_text(text: str) -> str:
    """
    Keep a spreadsheet from running a text as a formula, reversibly (CWE-1236).

    A text that begins with a formula sign, behind spaces or in full width too, gets
    an apostrophe in front; so does one that has one already.

    >>> guard_text("=1+1"), guard_text("＝1"), guard_text("S01"), guard_text("'a")
    ("'=1+1", "'＝1", 'S01', "''a")
    """
    bare = unicodedata.normalize("NFKC", text[:20]).lstrip(" ")
    # Invisible characters in front hide a sign from us but not from every program.
    hidden = bare[:1] and unicodedata.category(bare[0])[0] == "C"
    return "'" + text if hidden or bare.startswith(_FORMULA) else text


def unguard_text(text: str) -> str:
    """
    Undo `guard_text`.

    >>> unguard_text("'=1+1"), unguard_text("''a"), unguard_text("S01")
    ('=1+1', "'a", 'S01')
    """
    return text.removeprefix("'")


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


def _text(cell: object) -> str:
    return cell if isinstance(cell, str) else ""


def write_rejects(rejects: pd.DataFrame, path: str | Path) -> None:
    """
    Write rejected rows as CSV: UTF-8 with a byte-order mark, formulas guarded.

    The file holds raw rows, so it may hold personal data: only its owner may read
    it. It is replaced as a whole, and is written even if nothing was rejected.

    Args:
        rejects: The rejects of a `SourceResult`.
        path: The file to write.

    Raises:
        SourceError: The file cannot be written.
    """
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(REJECT_COLUMNS)
                for row in rejects[list(REJECT_COLUMNS)].itertuples(index=False):
                    writer.writerow(
                        cell if isinstance(cell, int) else guard_text(_text(cell))
                        for cell in row
                    )
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SourceError(
            f"the rejects file {str(target)!r} cannot be written: {error.strerror}"
        ) from None
