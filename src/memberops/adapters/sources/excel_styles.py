"""Which styles of a workbook show numbers with zeros in front, as ids are shown."""

from __future__ import annotations

import re
from xml.parsers import expat

import attrs

__all__ = ["ZeroFormats", "digits_shown"]

# A language in front, and the blank of the width of a sign behind, show no sign.
_DIGITS = re.compile(r"(?:\[\$-[0-9A-Fa-f]{1,4}\])?#*(0{2,32})(?:_.)?", re.DOTALL)
_SECTION = ";"
_CONDITION = re.compile(r"\[[<>=]")


def digits_shown(code: str) -> int:
    """
    Tell how many digits a number format of nothing but zeros shows at least.

    Formats with other signs, such as a point or a text, are none of these. The first
    section is that of the numbers from 0 on. Source: ECMA-376-1 §18.8.31, where the
    placeholder 0 shows a zero for a digit that the number does not have.

    Returns:
        The digits, 2 to 32; 0 if it is another format.

    >>> digits_shown("00000"), digits_shown("00000;-00000"), digits_shown("0.00")
    (5, 5, 0)
    """
    first = code.split(_SECTION, 1)[0]
    found = _DIGITS.fullmatch(first)
    return len(found[1]) if found and not _CONDITION.search(code) else 0


@attrs.define
class ZeroFormats:
    """
    Reads the styles of an .xlsx file, block by block.

    Styles that are damaged are read up to there: whether the workbook can be read is
    for its reader to say.
    """

    _formats: dict[str, int] = attrs.field(factory=dict)
    _digits: bytearray = attrs.field(factory=bytearray)
    _inside: bool = False
    _ended: bool = False
    _parser: expat.XMLParserType = attrs.field(
        default=attrs.Factory(lambda self: self._listening(), takes_self=True)
    )

    def feed(self, data: bytes) -> None:
        """Read a block of the part."""
        if self._ended:
            return
        try:
            self._parser.Parse(data, False)  # noqa: FBT003 - expat names it no other way
        except expat.ExpatError:
            self._ended = True

    def digits(self) -> bytes:
        """Return for each style of cells its digits, or nothing if none has any."""
        return bytes(self._digits) if any(self._digits) else b""

    def _listening(self) -> expat.XMLParserType:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        return parser

    def _refuse(self, *_: object) -> None:
        raise expat.ExpatError("no spreadsheet program declares entities")

    def _start(self, name: str, given: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "numFmt" if digits := digits_shown(given.get("formatCode", "")):
                self._formats[given.get("numFmtId", "")] = digits
            case "cellXfs":
                self._inside = True
            case "xf" if self._inside:
                self._digits.append(self._formats.get(given.get("numFmtId", ""), 0))

    def _end(self, name: str) -> None:
        if name.rpartition(":")[2] == "cellXfs":
            # Formats that stand behind it belong to rules that color cells.
            self._ended = True
            self._inside = False
