"""Ids and words of cases without the blanks that a file has put around them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from memberops.tables import Table

__all__ = ["trimmed"]

_FREE = ("customer_name", "customer_phone", "statement", "note")


def trimmed(rows: pd.DataFrame, table: Table) -> tuple[pd.DataFrame, int]:
    """
    Take the blanks around ids and words away, so that each names one thing.

    Args:
        rows: Rows of the table.
        table: The table; its free texts stay as they are.

    Returns:
        The rows, and in how many of them something was taken away.
    """
    mended, padded = {}, np.zeros(len(rows), dtype=bool)
    for column in table.columns:
        name = column.name
        if name not in rows or name in _FREE:
            continue
        values = rows[name]
        worded = isinstance(values.dtype, pd.CategoricalDtype)
        if not worded and not pd.api.types.is_string_dtype(values.dtype):
            continue
        codes, words = pd.factorize(values)
        plain = [word.strip() if isinstance(word, str) else word for word in words]
        same = [one == other for one, other in zip(plain, words, strict=True)]
        if not all(same):
            padded |= ~np.array([*same, True])[codes]
            mended[name] = np.array([*plain, None], dtype=object)[codes]
    shown = rows.assign(**mended) if mended else rows
    return shown, int(np.count_nonzero(padded))
