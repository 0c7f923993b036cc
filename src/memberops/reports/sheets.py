"""How a sheet looks: its name, number formats, column widths and frozen columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any

import attrs

from memberops.domain import Currency
from memberops.reports.cells import ReportLanguage, text_width
from memberops.reports.form import Form, FormColumn

__all__ = [
    "Styles",
    "frozen_columns",
    "header_height",
    "sheet_names",
    "sheet_title",
    "width_for",
]

_NAME_LENGTH = 31
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_NARROWEST, _WIDEST, _WIDEST_HEADING = 9, 48, 22
_MOST_FROZEN = 4
_LINE_HEIGHT = 15.0
_INK, _LIGHT, _LINE = "#1F3864", "#595959", "#BFBFBF"


def sheet_names(titles: Iterable[str], *, taken: Iterable[str] = ()) -> list[str]:
    """
    Turn titles into sheet names: allowed, at most 31 characters, each once.

    >>> sheet_names(["Sales: Q1/Q2", "sales q1 q2", "x" * 40])
    ['Sales Q1 Q2', 'sales q1 q2 (2)', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx']
    """
    used = {name.casefold() for name in (*taken, "history")}
    names = []
    for title in titles:
        plain = " ".join(_FORBIDDEN.sub(" ", title).split()).strip("' ") or "Sheet"
        name, count = _cut(plain, _NAME_LENGTH), 1
        while name.casefold() in used:
            count += 1
            ending = f" ({count})"
            name = _cut(plain, _NAME_LENGTH - len(ending)) + ending
        used.add(name.casefold())
        names.append(name)
    return names


def _cut(text: str, most: int) -> str:
    """Cut to so many UTF-16 units, as spreadsheets count, and to no bare quote."""
    while len(text.encode("utf-16-le", "ignore")) // 2 > most:
        text = text[:-1]
    return text.rstrip("' ")


@attrs.frozen(eq=False)
class Styles:
    """
    The cell formats of a workbook, each made once.

    Args:
        workbook: The open workbook.
    """

    workbook: Any
    _made: dict[Any, Any] = attrs.field(factory=dict, init=False, repr=False)

    def of(self, **properties: Any) -> Any:
        """Return the format with these properties."""
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            self._made[key] = self.workbook.add_format(properties)
        return self._made[key]

    @property
    def title(self) -> Any:
        """Format of a sheet's title."""
        return self.of(bold=True, font_size=14, font_color=_INK)

    @property
    def note(self) -> Any:
        """Format of remarks."""
        return self.of(font_color=_LIGHT)

    @property
    def heading(self) -> Any:
        """Format of column headings."""
        return self.of(
            bold=True,
            font_color="#FFFFFF",
            bg_color=_INK,
            border=1,
            border_color=_LINE,
            text_wrap=True,
            align="center",
            valign="vcenter",
        )

    def column(self, column: FormColumn, currency: Currency) -> Any:
        """Return the format of the cells of a column."""
        shape = {"border": 1, "border_color": _LINE, "valign": "top"}
        digits = "." + "0" * currency.digits if currency.digits else ""
        match column.style:
            case "integer":
                return self.of(num_format="#,##0", **shape)
            case "money":
                return self.of(num_format=f"#,##0{digits}", **shape)
            case "percent":
                return self.of(num_format="0.0%", **shape)
            case "number":
                return self.of(num_format="#,##0.00##", **shape)
            case "date":
                return self.of(num_format="yyyy-mm-dd", align="left", **shape)
            case _:
                return self.of(num_format="@", text_wrap=True, **shape)


def width_for(heading: str, widest: int, column: FormColumn) -> int:
    """
    Return the width of a column.

    Args:
        heading: Its heading, of one line or two.
        widest: How many columns its widest cell fills.
        column: The column; text may be wide, and a number is never cut.
    """
    of_heading = max(text_width(line) for line in heading.split("\n"))
    most = _WIDEST if column.style in ("text", "reasons") else max(widest, _WIDEST)
    return max(_NARROWEST, min(widest, most) + 2, min(of_heading, _WIDEST_HEADING) + 2)


def header_height(headings: Sequence[str], widths: Sequence[int]) -> float:
    """Return the height of the heading row, so that no wrapped heading is cut."""
    lines = [
        sum(max(1, ceil(text_width(line) / (width - 1))) for line in text.split("\n"))
        for text, width in zip(headings, widths, strict=True)
    ]
    return _LINE_HEIGHT * max(lines, default=1) + 3


def frozen_columns(columns: Sequence[FormColumn]) -> int:
    """Return how many columns stay in view: the leading ones that name the row."""
    leading = 0
    for column in columns:
        if column.style not in ("text", "date") or leading == _MOST_FROZEN:
            break
        leading += 1
    return leading if leading < len(columns) else 0


def sheet_title(form: Form, language: ReportLanguage) -> str:
    """Return what the form's sheet is called, in both languages if they fit."""
    both = form.title("both")
    if language == "en":
        return form.title_en
    fits = len(both) <= _NAME_LENGTH
    return both if language == "both" and fits else form.title_zh
