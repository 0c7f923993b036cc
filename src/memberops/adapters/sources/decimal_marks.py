"""A column of numbers that writes decimal commas: what it leaves open is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from memberops.adapters.sources.values import COMMA_DECIMAL, Unreadable, narrow

__all__ = ["settle_marks"]

_Array = npt.NDArray[Any]
_OPEN = re.compile(r"[^\d.,]*[1-9]\d{0,2}[.,]\d{3}[^\d.,]*", re.ASCII)
_MIXED = Unreadable(
    "number-marks-mixed",
    "other cells of its column have a decimal comma, so it may be a thousand times as "
    "much or as little; write 1,299.00 or 1299.00 everywhere",
    "同列其他单元格以逗号作小数点，该数可能相差一千倍；请统一写成 1,299.00 或 1299.00",
)


def settle_marks(
    texts: Sequence[str], asked: _Array, rest: _Array, found: list[Any]
) -> tuple[_Array, list[Any]]:
    """
    Refuse ``1,234`` and ``1.234`` where the column writes decimal commas elsewhere.

    Alone, a comma before three digits parts thousands. Beside ``12,50`` it may be a
    decimal comma, and a point before three digits may part thousands.

    Args:
        texts: The different texts of the column.
        asked: Which of them hold a value.
        rest: The positions of those that were read one by one.
        found: What that gave.

    Returns:
        *rest* and *found*, with what is refused now.

    >>> comma = Unreadable(COMMA_DECIMAL, "", "")
    >>> rest, found = settle_marks(
    ...     ["1,234", "12,50", "5"], np.ones(3, bool), np.arange(2), [123400, comma])
    >>> rest.tolist(), found[0].rule
    ([0, 1], 'number-marks-mixed')
    """
    if not any(isinstance(v, Unreadable) and v.rule == COMMA_DECIMAL for v in found):
        return rest, found
    values = dict(zip(rest.tolist(), found, strict=True))
    for at in np.flatnonzero(asked).tolist():
        if _OPEN.fullmatch(narrow(texts[at])):
            values[at] = _MIXED
    return np.array(list(values), dtype=np.int64), list(values.values())
