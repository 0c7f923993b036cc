"""Numbers that a sheet shows with zeros in front become the text that it shows."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from memberops.adapters.sources.excel_styles import MARKS_SHOWN, TEXT_SHOWN
from memberops.adapters.sources.finding_log import FindingLog
from memberops.domain import Severity

__all__ = ["ZerosShown", "show_zeros", "tell_zeros", "widths_of_rows"]

_EXACT, _LONG = 1e15, 1e10
_ROUND = 1e5
_NO_ID = 0.5
_Array = npt.NDArray[Any]


@attrs.frozen
class ZerosShown:
    """
    What became of the numbers of a column.

    Args:
        padded: How many cells are read with zeros in front.
        plain: How many of as few digits have another format, which shows none.
        altered: How many are shown with a text, or with zeros and marks, and are read
            as numbers.
    """

    padded: int
    plain: int
    altered: int = 0


def widths_of_rows(lines: _Array, rows: _Array, digits: _Array) -> _Array:
    """
    Spread what is noted of some cells of a column over its rows.

    Args:
        lines: The numbers of the rows, without a gap.
        rows: The numbers of those of which something is noted, or of others.
        digits: What is noted of them.

    >>> widths_of_rows(np.arange(3, 6), np.array([1, 4]), np.array([5, 8])).tolist()
    [0, 8, 0]
    """
    widths = np.zeros(len(lines), dtype=np.uint8)
    if len(lines):
        inside = (rows >= lines[0]) & (rows <= lines[-1])
        widths[rows[inside] - lines[0]] = digits[inside]
    return widths


def show_zeros(codes: _Array, cells: list[Any], widths: _Array) -> ZerosShown:
    """
    Put the texts that the sheet shows into the place of numbers.

    A number that is negative, has a fraction or has lost digits stays as it is.

    Args:
        codes: For each row the position of its cell; changed in place.
        cells: The different cells; changed in place.
        widths: For each row what `digits_shown` told of its format.

    >>> codes, cells = np.array([1, 1, 2]), ["", 42.0, 4.5]
    >>> show_zeros(codes, cells, np.array([5, 0, 5]))
    ZerosShown(padded=1, plain=1, altered=0)
    >>> [cells[code] for code in codes]
    ['00042', 42.0, 4.5]
    """
    numbers = np.array([n if type(n) in (float, int) else np.nan for n in cells], float)
    values = np.where((numbers >= 0) & (numbers < _EXACT), numbers, _NO_ID)
    short = np.trunc(values) == values
    long = np.flatnonzero(values >= _LONG)
    short[long] &= np.fmod(values[long], _ROUND) != 0  # `looks_rounded`, many at once
    left = np.bincount(codes, minlength=len(numbers))
    padded, widest, altered = 0, 1, 0
    for width in np.unique(widths[widths > 0]).tolist():
        rows = np.flatnonzero(widths == width)
        uses = np.bincount(codes[rows], minlength=len(numbers))
        filled = short & (values < 10.0 ** (width % MARKS_SHOWN - 1))
        if width >= MARKS_SHOWN:
            told = ~np.isnan(numbers) if width >= TEXT_SHOWN else filled
            altered += int(uses[told].sum())
            continue
        chosen = np.flatnonzero(filled & (uses > 0))
        padded, widest = padded + int(uses[chosen].sum()), width
        left[chosen] -= uses[chosen]
        texts = map(f"%0{width}d".__mod__, values[chosen].astype(np.int64).tolist())
        # A number that other rows show otherwise stays, and its text stands behind.
        target = np.arange(len(numbers))
        shared = left[chosen] > 0
        target[chosen[shared]] = len(cells) + np.arange(np.count_nonzero(shared))
        codes[rows] = target[codes[rows]]
        for code, text, other in zip(
            chosen.tolist(), texts, shared.tolist(), strict=True
        ):
            if other:
                cells.append(text)
            else:
                cells[code] = text
    plain = int(left[short & (values < 10.0 ** (widest - 1))].sum())
    return ZerosShown(padded, plain, altered)


def tell_zeros(found: ZerosShown, shown: str, log: FindingLog) -> None:
    """Tell which ids are read as they are shown, and whether others are not."""
    if found.altered:
        log.add(
            "ids-shown-otherwise",
            f"numbers of {shown} that a format shows with other signs in front or "
            f'between, as "M"00000 does, and that are read without them: '
            f"{found.altered}; export the column as text",
            f'{shown} 列有 {found.altered} 个数字因格式（如 "M"00000）显示时带有'
            "其他字符，读取时不含这些字符；请把该列设为文本后重新导出",
            severity=Severity.WARNING,
            count=found.altered,
        )
    if not found.padded:
        return
    also, also_zh, severity = "", "", Severity.INFO
    if found.plain:
        severity = Severity.WARNING
        also = (
            f"; as short, but shown without zeros, and read so: {found.plain}: look "
            "whether they are meant to be the same, and format the column as one"
        )
        also_zh = (
            f"；另有 {found.plain} 个同样短的数字显示时不带前导零，按原样读取："
            "请核对是否应为同样的编号，并统一该列格式"
        )
    log.add(
        "ids-zero-format",
        f"numbers of {shown} that a format such as 00000 shows with zeros in front, "
        f"and that are read with them: {found.padded}{also}",
        f"{shown} 列有 {found.padded} 个数字因 00000 一类格式显示前导零，"
        f"按显示的样子读取{also_zh}",
        severity=severity,
        count=found.padded,
    )
