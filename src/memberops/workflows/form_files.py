"""Forms, findings and refused rows as files: what every answer is written by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import pandas as pd

from memberops.adapters.sources.rejects import write_rejects
from memberops.errors import InvalidValueError, SourceError, nearest
from memberops.reports import Form, write_csv, write_workbook
from memberops.reports.cells import ReportLanguage
from memberops.tables import TABLES

__all__ = [
    "keep_private",
    "revealed_columns",
    "write_form_book",
    "write_forms",
    "write_refused",
]

_REVEALABLE = ("name", "phone")


def revealed_columns(reveal: str | Collection[str]) -> tuple[str, ...]:
    """
    Return the personal columns that are asked for by name.

    Raises:
        InvalidValueError: There is no such personal column; with the nearest.

    >>> revealed_columns("phone")
    ('phone',)
    """
    names = (reveal,) if isinstance(reveal, str) else tuple(reveal)
    for name in names:
        if name not in _REVEALABLE:
            raise InvalidValueError(
                f"'reveal' takes column names such as ('phone',), not {name[:40]!r}; "
                f"{nearest(name[:40], _REVEALABLE)}"
            )
    return names


def write_form_book(
    forms: Iterable[Form],
    path: str | Path,
    *,
    as_of: dt.date,
    language: ReportLanguage,
    titles: tuple[str, str],
    private: bool,
) -> Path:
    """
    Write forms into one workbook (extra ``excel``).

    Args:
        forms: The forms, one sheet each.
        path: The file; one that exists is replaced.
        as_of: The day for which they were made.
        language: Of headings and words.
        titles: Title of the workbook, in English and in Chinese.
        private: Whether only the owner may read it.

    Raises:
        MissingExtraError: xlsxwriter is not installed.
        SourceError: The folder is not there.
        OSError: The file cannot be written.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise SourceError(
            f"the workbook cannot be written: there is no folder {str(target.parent)!r}"
        )
    if private:
        keep_private(target)
    english, chinese = titles
    return write_workbook(
        tuple(forms),
        target,
        as_of=as_of,
        language=language,
        title_en=english,
        title_zh=chinese,
    )


def write_forms(
    forms: Iterable[Form],
    folder: str | Path,
    *,
    language: ReportLanguage,
    private: bool,
    known: Iterable[str] = (),
) -> tuple[Path, ...]:
    """
    Write each form as ``<name>.csv`` and remove the known ones that are absent.

    Args:
        forms: The forms.
        folder: Where to; it is made if it is not there.
        language: Of headings and words.
        private: Whether only the owner may read the files.
        known: Names of all forms that could be there: a file of an earlier run whose
            form this one does not have is removed; other files stay.

    Raises:
        OSError: A file cannot be written.
    """
    made = tuple(forms)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name in {*known} - {form.name for form in made}:
        (target / f"{name}.csv").unlink(missing_ok=True)
    files = []
    for form in made:
        file = target / f"{form.name}.csv"
        if private:
            keep_private(file)
        files.append(write_csv(form, file, language=language))
    return tuple(files)


def write_refused(
    rejects: Mapping[str, pd.DataFrame], folder: str | Path
) -> tuple[Path, ...]:
    """
    Write the refused rows of each table as ``<table>-rejects.csv``.

    The rows are raw and may be personal: only the owner may read the files. A table
    without any gets a file with headings alone, and the file of a table that was not
    read is removed.

    Args:
        rejects: By table.
        folder: Where to; it is made if it is not there.

    Raises:
        SourceError: A file cannot be written.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        if table.name not in rejects:
            (target / f"{table.name}-rejects.csv").unlink(missing_ok=True)
    files = []
    for name, rows in rejects.items():
        file = target / f"{name}-rejects.csv"
        write_rejects(rows, file)
        files.append(file)
    return tuple(files)


def keep_private(file: Path) -> None:
    """Let only the owner read a file, before there is anything in it."""
    file.touch(mode=0o600)
    file.chmod(0o600)
