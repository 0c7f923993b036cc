"""
Text files as they come: found encodings, compressed files, bad bytes.

The encoding is taken from a byte-order mark, else it is UTF-8 if the whole file is,
else GB18030 (which contains GBK and GB2312) or UTF-8: the one that can read the
heading line, or if both can, the one that reads most of the other lines. So one bad
byte in a UTF-8 file costs one line and does not turn the others into wrong characters.
"""

from __future__ import annotations

import codecs
import gzip
import io
import itertools
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import attrs

from memberops.adapters.sources.limits import ReadingLimits
from memberops.errors import ConfigurationError, SourceError, nearest

__all__ = ["TextFile", "open_text", "visible"]

_BLOCK = 1 << 20
_SMALL = 16 << 20
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_WORKBOOK_PARTS = frozenset({"[Content_Types].xml", "content.xml"})
_SQLITE = b"SQLite format 3\0"
_LONGEST_MARK = 16
_GZIP = b"\x1f\x8b"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
    (b"\x84\x31\x95\x33", "gb18030", "GB18030"),
)
_SUPERSETS = {"gbk": "gb18030", "gb2312": "gb18030", "utf-8-sig": "utf-8"}


def visible(text: str) -> str:
    r"""
    Write NUL so that it can be seen and stored.

    >>> print(visible("a\x00b"))
    a\x00b
    """
    return text.replace("\0", "\\x00")


@attrs.frozen(kw_only=True)
class TextFile:
    """
    A file whose encoding is known; it is opened anew for each pass over it.

    Args:
        path: The file, plain, gzip or zip.
        encoding: Codec of its text.
        label: The encoding as a person calls it.
        given: Whether the encoding was given by the caller.
        limits: Bounds of reading.
        stamp: Size and time of change when it was first opened.
    """

    path: Path
    encoding: str
    label: str
    given: bool
    limits: ReadingLimits
    stamp: tuple[int, int]

    def batches(self, damage: dict[int, str]) -> Iterator[list[str]]:
        r"""
        Give the physical lines with their ends, some at a time; never fail on bytes.

        Args:
            damage: Is filled with the numbers of lines that hold a NUL
                (``"nul-byte"``) or bytes that the encoding does not have
                (``"bad-bytes"``); those bytes are written as ``\xff``.

        Raises:
            SourceError: The file changed since it was opened, is too large, has
                a line that is too long, or is a broken archive.
        """
        if _stamp(self.path) != self.stamp:
            raise SourceError(
                f"{self.path.name} changed while it was read: copy it first"
            )
        encoding = self.encoding
        blocks = _blocks(self.path, self.limits)
        if _is_wide(encoding):
            blocks, encoding = _narrow(blocks, encoding, self.path), "utf-8"
        number = 0
        for block in _whole_lines(blocks, self.path, self.limits):
            lines = _decoded(block, encoding, number, damage)
            if number == 0:
                lines[0] = lines[0].removeprefix("\ufeff")
            number += len(lines)
            yield lines


def open_text(
    path: Path, encoding: str | None = None, *, limits: ReadingLimits | None = None
) -> TextFile:
    """
    Find the encoding of a text file.

    Args:
        path: The file; gzip and zip are recognized by their first bytes.
        encoding: Codec to use; overrides what would be found.
        limits: Bounds of reading.

    Raises:
        ConfigurationError: Python has no such encoding.
        SourceError: There is no such file, or it cannot be read.

    >>> name = Path("sales.csv")
    >>> _ = name.write_bytes("日期,金额".encode("gbk"))
    >>> open_text(name).label
    'GB18030'
    """
    bounds = limits or ReadingLimits()
    stamp = _stamp(path)
    if encoding is not None:
        try:
            codec = codecs.lookup(encoding).name
            "\n".encode(codec).decode(codec, "backslashreplace")
        except (LookupError, ValueError):  # a ValueError is also one of Unicode
            raise ConfigurationError(
                f"no encoding is called {encoding[:40]!r}; "
                f"{nearest(encoding, ('utf-8', 'gb18030', 'big5', 'utf-16'))}"
            ) from None
        found, label = _SUPERSETS.get(codec, codec), codec.upper()
    else:
        found, label = _detect(path, bounds)
    return TextFile(
        path=path,
        encoding=found,
        label=label,
        given=encoding is not None,
        limits=bounds,
        stamp=stamp,
    )


def _detect(path: Path, limits: ReadingLimits) -> tuple[str, str]:
    head = next(_blocks(path, limits), b"")
    for mark, codec, label in _MARKS:
        if head.startswith(mark):
            return codec, label
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in _blocks(path, limits):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _better_of_two(path, limits)
    return "utf-8", "UTF-8"


def _better_of_two(path: Path, limits: ReadingLimits) -> tuple[str, str]:
    lines = (
        line
        for block in _whole_lines(_blocks(path, limits), path, limits)
        for line in block.splitlines()
        if line.strip()
    )
    headings = next(lines, b"")
    utf8, gb = _decodes(headings, "utf-8"), _decodes(headings, "gb18030")
    if utf8 == gb:
        other, not_utf8, not_gb = 0, 0, 0
        for line in lines:
            if not line.isascii():
                other += 1
                not_utf8 += not _decodes(line, "utf-8")
                not_gb += not _decodes(line, "gb18030")
        # Chinese text in GB18030 is hardly ever valid UTF-8, the reverse is common:
        # UTF-8 stays unless most lines speak against it.
        utf8 = 2 * not_utf8 <= other or not_utf8 <= not_gb
    return ("utf-8", "UTF-8") if utf8 else ("gb18030", "GB18030")


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_wide(encoding: str) -> bool:
    return "\n".encode(encoding) != b"\n"


def _narrow(blocks: Iterator[bytes], encoding: str, path: Path) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    for block in itertools.chain(blocks, [None]):
        try:
            text = decoder.decode(block or b"", final=block is None)
        except UnicodeError as error:
            raise SourceError(f"{path.name} is no {encoding}: {error}") from None
        # 0xFF is no UTF-8, so the line shows up as damaged.
        yield text.replace("\ufffd", "\udcff").encode("utf-8", "surrogateescape")


def _stamp(path: Path) -> tuple[int, int]:
    try:
        facts = path.stat()
    except FileNotFoundError:
        siblings = [p.name for p in path.parent.glob("*") if p.is_file()]
        raise SourceError(
            f"there is no file {str(path)!r}; {nearest(path.name, siblings)}"
        ) from None
    except OSError as error:
        raise SourceError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    return facts.st_size, facts.st_mtime_ns


def _blocks(path: Path, limits: ReadingLimits) -> Iterator[bytes]:
    total, packed = 0, None
    try:
        with path.open("rb") as plain:
            start = plain.read(_LONGEST_MARK)
            plain.seek(0)
            stream: IO[bytes] = plain
            if start.startswith(_OLE):
                raise _workbook(path)
            if start.startswith(_SQLITE):
                raise SourceError(
                    f"{path.name} is a SQLite database, no text: read it with the "
                    "adapter 'sql'"
                )
            if start.startswith(_ZIP):
                stream, packed = _only_part(path, plain, limits)
            elif start.startswith(_GZIP):
                stream = cast("IO[bytes]", gzip.GzipFile(fileobj=plain))
                packed = path.stat().st_size
            # What unpacks to a little costs little, whatever its ratio.
            most = max(limits.package_ratio * (packed or 0), _SMALL)
            while block := stream.read(_BLOCK):
                total += len(block)
                if total > limits.file_bytes:
                    raise SourceError(
                        f"{path.name} is larger than {limits.file_bytes} bytes; raise "
                        "the limit 'file_bytes' if that is meant"
                    )
                if packed is not None and total > most:
                    raise SourceError(
                        f"{path.name} unpacks to more than {limits.package_ratio} "
                        "times its size, as no export does; if that is meant, raise "
                        "the limit 'package_ratio', or unpack it first"
                    )
                yield block
    except (
        OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError,
        RuntimeError,
    ) as error:  # fmt: skip
        if isinstance(error, SourceError):
            raise
        raise SourceError(
            f"{path.name} cannot be read: {str(error)[:120] or type(error).__name__}"
        ) from None


def _workbook(path: Path) -> SourceError:
    return SourceError(
        f"{path.name} is a spreadsheet workbook, no text: read it with the adapter "
        "'excel' (read_excel), or save the sheet as CSV"
    )


def _only_part(
    path: Path, file: IO[bytes], limits: ReadingLimits
) -> tuple[IO[bytes], int]:
    """Open the one file in a zip archive, and tell its compressed size."""
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile:
        raise SourceError(
            f"{path.name} begins as a workbook or a zip archive does, and is damaged"
        ) from None
    if len(archive.infolist()) > limits.package_parts:
        raise SourceError(
            f"{path.name} has {len(archive.infolist())} parts, more than the limit "
            f"'package_parts' of {limits.package_parts}"
        )
    names = set(archive.namelist())
    if names & _WORKBOOK_PARTS:
        raise _workbook(path)
    files = [
        name
        for name in archive.namelist()
        if not name.endswith("/")
        and not name.startswith("__MACOSX/")
        and not name.rpartition("/")[2].startswith(".")
    ]
    if len(files) != 1:
        raise SourceError(
            f"{path.name} has {len(files)} files in it, not one: unpack it into a "
            "folder, and name the folder"
        )
    return archive.open(files[0]), archive.getinfo(files[0]).compress_size


def _whole_lines(
    blocks: Iterator[bytes], path: Path, limits: ReadingLimits
) -> Iterator[bytes]:
    pending = b""
    for block in blocks:
        data = pending + block
        # A final \r may be the first half of \r\n.
        cut = data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, -1) + 1
        pending = data[cut:]
        if len(pending) > limits.line_bytes:
            raise SourceError(
                f"{path.name} has a line of more than {limits.line_bytes} bytes: "
                "it is no CSV file, or the limit 'line_bytes' is too low"
            )
        if cut:
            yield data[:cut]
    if pending:
        yield pending


def _decoded(
    block: bytes, encoding: str, before: int, damage: dict[int, str]
) -> list[str]:
    if b"\0" not in block:
        try:
            text = block.decode(encoding)
        except UnicodeDecodeError:
            pass
        else:
            return io.StringIO(text, newline="").readlines()
    lines = []
    for number, raw in enumerate(block.splitlines(keepends=True), before + 1):
        try:
            line = raw.decode(encoding)
        except UnicodeDecodeError:
            damage[number] = "bad-bytes"
            line = raw.decode(encoding, "backslashreplace")
        if b"\0" in raw:
            damage[number] = "nul-byte"
        lines.append(line)
    return lines
