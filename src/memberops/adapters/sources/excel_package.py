"""
What a workbook would cost and what its reader does not tell, before it is opened.

A workbook is a zip archive. A few kilobytes of it can hold gigabytes, and a sheet of
two cells far apart can take all memory. So each part is inflated once in small blocks
and counted by what comes out, not by what its header says. On the way the XML of the
sheets is scanned for what their reader does not tell; see `excel_scan`.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import attrs

from memberops.adapters.sources.excel_facts import SheetFacts
from memberops.adapters.sources.excel_parts import plain_name
from memberops.adapters.sources.excel_scan import SheetScan
from memberops.adapters.sources.excel_styles import ZeroFormats
from memberops.adapters.sources.limits import ReadingLimits
from memberops.errors import SourceError

__all__ = ["check_area", "check_parts", "damaged", "inflated", "inspect_package"]

_BLOCK = 1 << 20
_OVERLAP = 1_000
_BOOK = "xl/workbook.xml"
_STYLES = "xl/styles.xml"
_MOST_OF_STYLES = 64 << 20
_ASKS = re.compile(
    rb"""<(?:\w+:)?calcPr\b[^<>]*\bfullCalcOnLoad\s*=\s*["'](?:1|true|on)["']"""
)
_CELLS = b"sheetData"
_SHEET = re.compile(r"(?:^|/)worksheets/[^/]+\.xml$", re.IGNORECASE)


def check_parts(path: Path, archive: zipfile.ZipFile, limits: ReadingLimits) -> None:
    """
    Refuse an archive whose list of parts is already too much.

    Raises:
        SourceError: It has too many parts, or one whose name leads out of it, comes
            twice, is encrypted or is itself too large by its own word.
    """
    parts = archive.infolist()
    if len(parts) > limits.package_parts:
        raise SourceError(
            f"{path.name} has {len(parts)} parts, more than the limit "
            f"'package_parts' of {limits.package_parts}"
        )
    seen = set()
    for part in parts:
        name = part.filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or ":" in name:
            raise SourceError(f"{path.name} has a part whose name leads out of it")
        if name in seen:
            raise SourceError(f"{path.name} has two parts of one name")
        seen.add(name)
        if part.flag_bits & 1:
            raise SourceError(f"{path.name} is encrypted: save it without a password")
    told = sum(part.file_size for part in parts)
    if told > limits.package_bytes:
        raise too_large(path, told, limits)


def too_large(path: Path, size: int, limits: ReadingLimits) -> SourceError:
    """Say that an archive is too large."""
    return SourceError(
        f"{path.name} holds {size} bytes or more when it is unpacked, above the limit "
        f"'package_bytes' of {limits.package_bytes}; raise it if that is meant"
    )


def inflated(
    path: Path, archive: zipfile.ZipFile, part: zipfile.ZipInfo, limits: ReadingLimits
) -> Iterator[bytes]:
    """
    Give a part of an archive in blocks, and refuse one that grows too much.

    Raises:
        SourceError: It is more than `ReadingLimits.package_ratio` times as large as
            it is compressed, or is damaged, or differs from what its header says.
    """
    size = 0
    # A part of a few bytes may well be a hundred times smaller than its text.
    most = max(limits.package_ratio * part.compress_size, _BLOCK)
    try:
        with archive.open(part) as stream:
            while block := stream.read(_BLOCK):
                size += len(block)
                if size > most:
                    raise SourceError(
                        f"{path.name} has a part that unpacks to more than "
                        f"{limits.package_ratio} times its size (the limit "
                        "'package_ratio'): it looks like a zip bomb"
                    )
                yield block
    except (
        OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError,
        RuntimeError,
    ) as error:  # fmt: skip
        if isinstance(error, SourceError):
            raise
        raise damaged(path, error) from None


def damaged(path: Path, error: BaseException) -> SourceError:
    """Say that a workbook is damaged."""
    return SourceError(
        f"{path.name} is a damaged workbook: {str(error)[:120] or 'it ends too early'}"
    )


def inspect_package(path: Path, limits: ReadingLimits) -> dict[str, SheetFacts]:
    """
    Check a zipped workbook (.xlsx, .xlsb, .ods), and note what its sheets tell.

    Args:
        path: The workbook.
        limits: Its bounds.

    Returns:
        By the name of the part, what is known of each sheet of an .xlsx.

    Raises:
        SourceError: It is no archive, or it is above a limit; with the figures.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise damaged(path, error) from None
    with archive:
        check_parts(path, archive, limits)
        reading = _Reading(path, archive, limits)
        parts = archive.infolist()
        sheets = [part for part in parts if _SHEET.search(part.filename)]
        # What the book asks for is known before its sheets are scanned.
        others = [part for part in parts if part not in sheets]
        sheets += [part for part in others if reading.look_at(part)]
        return {part.filename: reading.scan(part) for part in sheets}


@attrs.define
class _Reading:
    """
    Reads the parts of an archive once.

    Args:
        path: The workbook.
        archive: Its archive.
        limits: Its bounds.
        total: How many bytes came out so far.
        asks: Whether all formulas are to be calculated when the book is opened.
        formats: The number formats that show zeros in front.
    """

    path: Path
    archive: zipfile.ZipFile
    limits: ReadingLimits
    total: int = 0
    asks: bool = False
    formats: ZeroFormats = attrs.field(factory=ZeroFormats)

    def look_at(self, part: zipfile.ZipInfo) -> bool:
        """Count a part that is no sheet; tell if it is one, by what it holds."""
        before = self.total
        plain = part.filename.endswith((".xml", ".rels"))
        rest = b""
        for block in self._blocks(part):
            data = rest + block
            if _CELLS in data:
                self.total = before  # it is read once more
                return True
            if plain:
                self._check_entities(data)
                if plain_name(part.filename) == _BOOK and _ASKS.search(data):
                    self.asks = True
                if plain_name(part.filename) == _STYLES:
                    self._check_styles(self.total - before)
                    self.formats.feed(block)
            rest = data[-_OVERLAP:]
        return False

    def scan(self, part: zipfile.ZipInfo) -> SheetFacts:
        """Count and scan a sheet."""
        scan = SheetScan(self.asks, self.formats.digits())
        rest = b""
        for block in self._blocks(part):
            data = rest + block
            self._check_entities(data)
            rest = scan.feed(data)
            if len(rest) > self.limits.line_bytes:
                raise SourceError(
                    f"{self.path.name} has a cell of more than "
                    f"{self.limits.line_bytes} bytes (the limit 'line_bytes')"
                )
            check_area(self.path, scan.facts.rows, scan.facts.columns, self.limits)
        scan.feed(rest + b"</row>")
        scan.settle()
        check_area(self.path, scan.facts.rows, scan.facts.columns, self.limits)
        return scan.facts

    def _blocks(self, part: zipfile.ZipInfo) -> Iterator[bytes]:
        for block in inflated(self.path, self.archive, part, self.limits):
            self.total += len(block)
            if self.total > self.limits.package_bytes:
                raise too_large(self.path, self.total, self.limits)
            yield block

    def _check_styles(self, size: int) -> None:
        if size > _MOST_OF_STYLES:
            raise SourceError(
                f"{self.path.name} has more than {_MOST_OF_STYLES} bytes of styles, "
                "which no spreadsheet program writes: copy the cells into a new "
                "workbook"
            )

    def _check_entities(self, data: bytes) -> None:
        # One sign is found much sooner than a word.
        if b"!" in data and (b"<!DOCTYPE" in data or b"<!ENTITY" in data):
            raise SourceError(
                f"{self.path.name} declares entities, which no spreadsheet program "
                "writes: it looks like an XML bomb"
            )


def check_area(
    path: Path, rows: int, columns: int, limits: ReadingLimits, *, others: int = 0
) -> None:
    """
    Refuse a sheet whose cells stand too far apart to be kept in memory.

    Raises:
        SourceError: Its area is above `ReadingLimits.sheet_cells`, or together with
            the cells of *others* that are read at once with it.
    """
    if others and others + rows * columns > limits.sheet_cells:
        raise SourceError(
            f"{path.name} has sheets of {others + rows * columns} cells or more "
            f"together, above the limit 'sheet_cells' of {limits.sheet_cells}: this "
            "format is read as a whole; save each sheet as CSV, or the file as .xlsx"
        )
    if rows * columns > limits.sheet_cells:
        raise SourceError(
            f"{path.name} has a sheet of {rows} rows × {columns} columns, above the "
            f"limit 'sheet_cells' of {limits.sheet_cells}: clear the cells far below "
            "or far to the right, or save the sheet as CSV"
        )
