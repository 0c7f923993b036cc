"""Files of which some show ids with zeros in front, and others without."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import pandas as pd

from memberops.adapters.sources.contract import SourceResult
from memberops.domain import Finding, Severity
from memberops.tables import Kind, Table

__all__ = ["zeros_apart"]

_MOST = 20


@attrs.frozen
class _Ids:
    """
    The ids of one column of a file that are digits.

    Args:
        width: How many digits the longest has that begins with a zero.
        bare: How many digits each has, where none begins with a zero.
    """

    width: int
    bare: tuple[int, ...]

    @classmethod
    def of(cls, ids: pd.Series) -> _Ids:
        digits = [each for each in ids.dropna().unique() if str(each).isdecimal()]
        led = [len(each) for each in digits if each[0] == "0" and len(each) > 1]
        return cls(max(led, default=0), () if led else tuple(map(len, digits)))


def zeros_apart(
    parts: Sequence[SourceResult], names: Sequence[str], table: Table
) -> list[Finding]:
    """
    Warn of files in which ids have no zeros that others show by a format.

    What is 00042 in one file and 42 in another is two ids: a ticket counts twice, and
    no member is found.

    Args:
        parts: What each file, or sheet, gave.
        names: Of the files, or the sheets.
        table: The canonical table.
    """
    formatted = [
        any(finding.rule == "ids-zero-format" for finding in part.findings)
        for part in parts
    ]
    if not any(formatted):
        return []
    found: list[Finding] = []
    for column in table.columns:
        held = [
            _Ids.of(part.frame[column.name])
            if column.kind is Kind.ID and column.name in part.frame
            else _Ids(0, ())
            for part in parts
        ]
        widths = [
            each.width if form else 0
            for each, form in zip(held, formatted, strict=True)
        ]
        widest = max(widths)
        for name, each in zip(names, held, strict=True):
            short = sum(length < widest for length in each.bare)
            if short:
                other = names[widths.index(widest)]
                found.append(_apart(table, column.name, name, other, short))
    return found[:_MOST]


def _apart(table: Table, column: str, name: str, other: str, count: int) -> Finding:
    return Finding(
        table=table.name,
        rule="ids-zeros-differ",
        severity=Severity.WARNING,
        source=name,
        column=column,
        count=count,
        message_en=f"different ids that are shorter than those that {other} shows with "
        f"zeros in front, and are shown without: {count}; 42 and 00042 are two ids: "
        "look whether they are meant to be the same, and give all files one format",
        message_zh=f"有 {count} 个不同编号比 {other} 中显示前导零的编号短，且无前导零；"
        "42 与 00042 按两个编号处理：请核对是否应为同样的编号，并统一各文件的格式",
    )
