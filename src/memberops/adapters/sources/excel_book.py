"""A workbook that is safe to open, and its sheets as rows of cells."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import attrs

from memberops.adapters.sources.excel_areas import inspect_ods
from memberops.adapters.sources.excel_binary import inspect_binary
from memberops.adapters.sources.excel_facts import SheetFacts
from memberops.adapters.sources.excel_package import damaged, inspect_package
from memberops.adapters.sources.excel_parts import parts_of_sheets
from memberops.adapters.sources.excel_xlsb import inspect_xlsb
from memberops.adapters.sources.limits import ReadingLimits
from memberops.errors import MissingExtraError, SourceError, nearest

__all__ = ["Sheet", "Workbook", "open_workbook"]

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_WORKSHEET = "WorkSheet"
_VISIBLE = "Visible"


@attrs.frozen(kw_only=True)
class Sheet:
    """
    One sheet of a workbook.

    Args:
        path: The file.
        name: As its tab has it.
        visible: Whether the tab is shown.
        facts: What its file tells that the reader does not; None where that is
            nothing.
        merged: First and last row and column of the merged cells, from 0; None
            where the format does not tell.
    """

    path: Path
    name: str
    visible: bool
    facts: SheetFacts | None
    merged: tuple[tuple[tuple[int, int], tuple[int, int]], ...] | None
    _read: list[Any] = attrs.field(repr=False)

    def rows(self) -> Iterator[list[Any]]:
        """
        Give the rows from the first one of the sheet, all of one width.

        They begin with column A, though the reader leaves out empty columns on the
        left. None are given after `close`.
        """
        with _told_as_ours(self.path):
            for read in self._read:
                left = [""] * (read.start[1] if read.start else 0)
                rows: Iterator[list[Any]] = read.iter_rows()
                yield from (left + row for row in rows) if left else rows

    def close(self) -> None:
        """Let go of the cells, which take more memory than all that is made of them."""
        self._read.clear()


@attrs.frozen(kw_only=True)
class Workbook:
    """
    A workbook that was checked and opened.

    Args:
        path: The file.
        names: Names of the sheets that hold cells, in the order of their tabs.
        hidden: Those of them whose tab is hidden.
        facts: By sheet, see `Sheet`.
    """

    path: Path
    names: tuple[str, ...]
    hidden: tuple[str, ...]
    facts: dict[str, SheetFacts]
    _book: Any = attrs.field(repr=False)

    def sheet(self, name: str) -> Sheet:
        """
        Read one sheet.

        Raises:
            SourceError: There is no such sheet, or it cannot be read.
        """
        if name not in self.names:
            raise SourceError(
                f"{self.path.name} has no sheet {name[:40]!r}; "
                f"{nearest(name, self.names)}"
            )
        with _told_as_ours(self.path):
            read = self._book.get_sheet_by_name(name)
            merged = read.merged_cell_ranges
        return Sheet(
            path=self.path,
            name=name,
            visible=name not in self.hidden,
            facts=self.facts.get(name),
            merged=None if merged is None else tuple(merged),
            read=[read],
        )


def open_workbook(path: Path, limits: ReadingLimits) -> Workbook:
    """
    Check a workbook against its limits, then open it.

    Args:
        path: An .xlsx, .xlsm, .xlsb, .xls or .ods file.
        limits: Bounds of reading.

    Raises:
        MissingExtraError: The extra ``excel`` is not installed.
        SourceError: There is no such file, it is no workbook, it is damaged, or it is
            above a limit.
    """
    try:
        from python_calamine import CalamineWorkbook
    except ImportError:
        raise MissingExtraError("reading a workbook", "excel") from None
    facts = _inspected(path, limits)
    with _told_as_ours(path):
        book = CalamineWorkbook.from_path(path)
        sheets = [
            each for each in book.sheets_metadata if str(each.typ).endswith(_WORKSHEET)
        ]
    names = tuple(each.name for each in sheets)
    if not names:
        raise SourceError(f"{path.name} has no sheet with cells")
    return Workbook(
        path=path,
        names=names,
        hidden=tuple(
            each.name
            for each in sheets
            if not str(each.visible).endswith("." + _VISIBLE)
        ),
        facts=facts,
        book=book,
    )


def _inspected(path: Path, limits: ReadingLimits) -> dict[str, SheetFacts]:
    try:
        with path.open("rb") as file:
            start = file.read(len(_OLE))
    except FileNotFoundError:
        siblings = [each.name for each in path.parent.glob("*") if each.is_file()]
        raise SourceError(
            f"there is no file {str(path)!r}; {nearest(path.name, siblings)}"
        ) from None
    except OSError as error:
        raise SourceError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    if start == _OLE:
        return inspect_binary(path, limits)
    if not start.startswith(_ZIP):
        raise SourceError(
            f"{path.name} is no workbook (.xlsx, .xlsb, .xls or .ods): if it is text, "
            "read it as CSV; if it is a web page, open it and save it as .xlsx"
        )
    facts = inspect_package(path, limits)
    with zipfile.ZipFile(path) as archive:
        told = inspect_xlsb(path, archive, limits)
        told |= inspect_ods(path, archive, limits)
        if told and not facts:
            return told
        try:
            parts = parts_of_sheets(archive)
        except (KeyError, ParseError, ValueError) as error:
            raise damaged(path, error) from None
    return {name: facts[part] for name, part in parts.items() if part in facts}


@contextmanager
def _told_as_ours(path: Path) -> Iterator[None]:
    """Tell what the reader of workbooks cannot read, even where it panics."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a parser makes of a bad file
        if type(error).__name__ == "PasswordError":
            raise SourceError(
                f"{path.name} is encrypted: save it without a password"
            ) from None
        raise damaged(path, error) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise damaged(path, ValueError("its reader gave up")) from None
