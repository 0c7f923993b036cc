"""Whether the day numbers of a workbook count from 1900, or from 1904."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

from memberops.adapters.sources.excel_binary import records_of
from memberops.adapters.sources.excel_package import damaged, inflated
from memberops.adapters.sources.limits import ReadingLimits

__all__ = ["counts_from_1904"]

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_IN_XLSX = re.compile(
    rb"<(?:\w+:)?workbookPr\b[^<>]*\bdate1904\s*=\s*[\"'](?:1|true|on)[\"']"
)
_IN_ODS = re.compile(
    rb"<(?:\w+:)?null-date\b[^<>]*date-value\s*=\s*[\"']1904-01-01[\"']"
)
_IN_XLS, _IN_XLSB = 0x22, 153
_KEPT = 1_000


def counts_from_1904(path: Path, limits: ReadingLimits) -> bool:
    """
    Tell whether day 1 of a workbook is 2 January 1904.

    Args:
        path: A workbook that was found to be within its limits.
        limits: Its bounds.

    Raises:
        SourceError: It is damaged.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(_OLE)) == _OLE:
                return any(
                    kind == _IN_XLS and body[:1] == b"\x01"
                    for kind, body in records_of(path)
                )
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                blocks = inflated(path, archive, part, limits)
                match part.filename:
                    case "xl/workbook.xml":
                        return _holds(_IN_XLSX, blocks)
                    case "xl/workbook.bin":
                        return _in_xlsb(b"".join(blocks))
                    case "content.xml":
                        return _holds(_IN_ODS, blocks)
    except (struct.error, IndexError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise damaged(path, error) from None
    return False


def _holds(pattern: re.Pattern[bytes], blocks: Iterator[bytes]) -> bool:
    rest = b""
    for block in blocks:
        if pattern.search(rest + block):
            return True
        rest = block[-_KEPT:]
    return False


def _in_xlsb(data: bytes) -> bool:
    """Look for the properties of the book among its records."""
    at = 0
    while at < len(data):
        kind = data[at] & 0x7F
        if data[at] & 0x80:
            at += 1
            kind |= (data[at] & 0x7F) << 7
        at += 1
        size, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        if kind == _IN_XLSB:
            return bool(data[at] & 1)
        at += size
    return False
