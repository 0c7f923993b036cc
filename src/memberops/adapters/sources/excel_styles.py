"""Which styles of a workbook show numbers with zeros in front, as ids are shown."""

from __future__ import annotations

import re
from xml.parsers import expat

import attrs

__all__ = ["MARKS_SHOWN", "TEXT_SHOWN", "ZeroFormats", "digits_shown"]

MARKS_SHOWN = 64
"""Added to the digits of a format that shows marks too, such as ``000-000``."""

TEXT_SHOWN = 128
"""Added to the digits of a format that shows a text too, such as ``"M"00000``."""

# A color or a language in front, and the blank of the width of a sign behind, show no
# sign. A language of more than four digits may have digits of its own.
_IN_FRONT = re.compile(
    r"(?:\[(?:black|blue|cyan|green|magenta|red|white|yellow|color ?[0-9]{1,2}"
    r"|\$-(?:[0-9a-f]{1,4}|[a-z]{2,3}(?:-[0-9a-z]{2,8}){0,3}))\]){1,3}",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"#*(0{2,32})(?:_.)?", re.DOTALL)
_WITH_SIGNS = re.compile(r"""(?:"[^"]*"|\\.|_.|[-#0 ()+])+""", re.DOTALL)
_SIGNS = re.compile(r"""("[^"]*"|\\.)|_.""", re.DOTALL)
_MOST = 32
_LONGEST = 255
_SECTION = ";"
_CONDITION = re.compile(r"\[[<>=][^\]]*\]")


def digits_shown(code: str) -> int:
    """
    Tell how many digits a number format of nothing but zeros shows at least.

    The first section is that of the numbers from 0 on. Source: ECMA-376-1 §18.8.31,
    where the placeholder 0 shows a zero for a digit that the number does not have.

    Returns:
        The digits, 2 to 32, with `MARKS_SHOWN` or `TEXT_SHOWN` where they are not all
        that it shows; 0 if it is another format, such as one with a point, or is
        longer than the 255 signs that a spreadsheet program takes.

    >>> digits_shown("00000"), digits_shown("00000;-00000"), digits_shown("0.00")
    (5, 5, 0)
    >>> digits_shown("000-000") - MARKS_SHOWN, digits_shown('"M"0000') - TEXT_SHOWN
    (6, 4)
    """
    if len(code) > _LONGEST:
        return 0
    plain, conditions = _CONDITION.subn("", code)
    if not conditions:
        return _shown(code.split(_SECTION, 1)[0])
    # Which section shows a number depends on it: none is read, but it is told of those
    # that are too short for each.
    shown = {_shown(section) for section in plain.split(_SECTION)}
    digits = {each % MARKS_SHOWN for each in shown} - {0}
    least = min(digits, default=0) + MARKS_SHOWN
    return max(shown) if max(shown) >= TEXT_SHOWN else least if digits else 0


def _shown(section: str) -> int:
    first = section[found.end() :] if (found := _IN_FRONT.match(section)) else section
    if found := _DIGITS.fullmatch(first):
        return len(found[1])
    bare = _SIGNS.sub("", first)
    if not _WITH_SIGNS.fullmatch(first) or not set("0#").intersection(bare):
        return 0
    zeros = min(bare.count("0"), _MOST)
    if any(map(str.isalnum, "".join(_SIGNS.findall(first)))):
        return TEXT_SHOWN + zeros
    return MARKS_SHOWN + zeros if zeros > 1 else 0


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
