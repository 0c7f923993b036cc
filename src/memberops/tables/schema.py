"""What a canonical table is: columns with type, need, meaning and headings."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

import attrs

from memberops.errors import MissingColumnsError

__all__ = ["Column", "Kind", "Table", "normal_heading"]


class Kind(StrEnum):
    """What a column holds, and so how its text is read and its frame is typed."""

    ID = "id"
    """Text that names something; leading zeros stay."""
    TEXT = "text"
    """Free text."""
    INTEGER = "integer"
    """A whole number, ``int64``."""
    MONEY = "money"
    """An amount in whole minor units, ``int64``."""
    DATE = "date"
    """A calendar day in the store's zone, ``datetime64`` without zone, at midnight."""
    INSTANT = "instant"
    """A moment, ``datetime64`` in UTC."""
    CHOICE = "choice"
    """One of a few words; other spellings are mapped by the column."""


@attrs.frozen(kw_only=True)
class Column:
    """
    One column of a canonical table.

    Args:
        name: The identifier.
        kind: What it holds.
        meaning_en: What it means, in English.
        meaning_zh: The same in Chinese.
        heading_en: Heading in English exports and reports.
        heading_zh: Heading in Chinese exports and reports.
        required: Whether a row without a value is rejected.
        aliases: Other headings that files carry.
        personal: Whether it is masked unless asked for by name.
        mask: How, if it is: ``"all"`` hides it whole, ``"tail"`` leaves the last 4
            digits of a number.
        quotable: Whether a finding may show a day of it that cannot exist; not in a
            table of persons, where a birth date may have slid into the cell.
        choices: For `Kind.CHOICE`: pairs of a spelling and the word it means.
        derived_from: Columns from which it can be made when the file lacks it.
    """

    name: str
    kind: Kind
    meaning_en: str
    meaning_zh: str
    heading_en: str
    heading_zh: str
    required: bool = False
    aliases: tuple[str, ...] = ()
    personal: bool = False
    mask: Literal["all", "tail"] = "all"
    quotable: bool = True
    choices: tuple[tuple[str, str], ...] = ()
    derived_from: tuple[str, ...] = ()

    @property
    def headings(self) -> tuple[str, ...]:
        """Every heading that means this column, the canonical ones first."""
        return (self.name, self.heading_zh, self.heading_en, *self.aliases)

    def heading(self, language: str) -> str:
        """Return the heading in ``"zh"`` or ``"en"``."""
        return self.heading_zh if language == "zh" else self.heading_en


@attrs.frozen(kw_only=True)
class Table:
    """
    A canonical table.

    Args:
        name: The identifier, such as ``"sales"``.
        title_en: Title in English.
        title_zh: Title in Chinese.
        columns: Its columns.
        key: Columns that together name one row; empty if rows may repeat.
    """

    name: str
    title_en: str
    title_zh: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The identifiers of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that no row may lack."""
        return tuple(column.name for column in self.columns if column.required)

    def column(self, name: str) -> Column:
        """
        Return one column by its identifier.

        Raises:
            MissingColumnsError: The table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise MissingColumnsError(self.name, [name], self.names)

    def by_heading(self) -> dict[str, Column]:
        """Map every known heading, in its normal form, to its column."""
        return {
            normal_heading(heading): column
            for column in self.columns
            for heading in column.headings
        }

    def check_columns(self, available: Iterable[str], needed: Iterable[str]) -> None:
        """
        Refuse a frame that lacks a needed column.

        Raises:
            MissingColumnsError: Naming what is missing and the nearest names.
        """
        present = tuple(available)
        missing = [name for name in needed if name not in present]
        if missing:
            raise MissingColumnsError(self.name, missing, present)


def normal_heading(text: str) -> str:
    """
    Bring a heading into the form in which headings are compared.

    Full-width letters become narrow; case, spaces, underscores, hyphens, and a unit in
    brackets at the end do not matter.

    >>> normal_heading(" Member_ID "), normal_heading("金额（元）")
    ('memberid', '金额')
    """
    text = unicodedata.normalize("NFKC", text).strip().lstrip("\ufeff").casefold()
    if text.endswith(")") and "(" in text:
        text = text[: text.rindex("(")]
    return "".join(char for char in text if char.isalnum())
