"""How much of a file is read, and how much is told about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from memberops.errors import ConfigurationError, InvalidValueError, nearest

__all__ = ["ReadingLimits"]


def _positive(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidValueError(
            f"{attribute.name!r} must be a whole number above zero, "
            f"not {str(value)[:20]!r}"
        )


@attrs.frozen(kw_only=True)
class ReadingLimits:
    """
    The bounds of reading, so that a broken or hostile file costs little.

    Args:
        file_bytes: Largest file, after decompression.
        line_bytes: Longest line.
        columns: How many columns a table may have.
        row_lines: How many lines one row may span by quoted line breaks; a quote
            that stays open for longer is taken as never closed.
        examples: How many findings of one rule and column are given one by one;
            the rest is one finding with a count.
        package_bytes: Largest workbook, after decompression of all its parts.
        rejects: How many rejected rows of one table, sheet or file are listed, with
            their text; more are counted and told, and not listed.
        package_ratio: How many times larger a part, or a compressed CSV file, may be
            than it is compressed.
        package_parts: How many parts a workbook or an archive may have.
        sheet_cells: Largest area of a sheet, from its first cell to its last; of
            .ods and .xls, which are read as a whole, of all sheets together.

    >>> ReadingLimits.of({"examples": 20}).examples
    20
    """

    file_bytes: int = attrs.field(default=4 * 2**30, validator=_positive)
    line_bytes: int = attrs.field(default=8 * 2**20, validator=_positive)
    columns: int = attrs.field(default=2_000, validator=_positive)
    row_lines: int = attrs.field(default=100, validator=_positive)
    examples: int = attrs.field(default=100, validator=_positive)
    rejects: int = attrs.field(default=100_000, validator=_positive)
    package_bytes: int = attrs.field(default=512 * 2**20, validator=_positive)
    package_ratio: int = attrs.field(default=100, validator=_positive)
    package_parts: int = attrs.field(default=1_000, validator=_positive)
    sheet_cells: int = attrs.field(default=30_000_000, validator=_positive)

    @classmethod
    def of(cls, value: ReadingLimits | Mapping[str, Any] | None) -> ReadingLimits:
        """
        Make limits from what a chain file holds.

        Raises:
            ConfigurationError: A limit has no such name.
        """
        if isinstance(value, ReadingLimits):
            return value
        known = [field.name for field in attrs.fields(cls)]
        for name in value or {}:
            if name not in known:
                raise ConfigurationError(
                    f"no reading limit is called {str(name)[:40]!r}; "
                    f"{nearest(str(name), known)}"
                )
        return cls(**(value or {}))
