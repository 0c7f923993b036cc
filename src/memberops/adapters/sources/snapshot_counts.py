"""What a refresh changed: counts of records, for a person to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain import Finding
from memberops.domain.values import Language, check_language
from memberops.tables import table as table_named

__all__ = ["TableRefresh", "count_changes"]


@attrs.frozen(kw_only=True)
class TableRefresh:
    """
    What a refresh of one table did.

    Records are tickets for sales, rows elsewhere.

    Args:
        table: The table.
        new: Records that were not there.
        changed: Records that were there and are different now.
        gone: Records that were there and are no more.
        rows: Rows that the snapshot holds now.
        rejected: Rows that are refused now, whenever they were read.
        whole: Whether the whole table was read.
        findings: What this reading found.
        section: Which section of the chain file gives it, such as ``"sales[2]"``,
            where the table has several.
    """

    table: str
    new: int
    changed: int
    gone: int
    rows: int
    rejected: int
    whole: bool
    findings: tuple[Finding, ...] = attrs.field(default=(), repr=False)
    section: str = ""

    def describe(self, language: Language = "en") -> str:
        """
        Write the counts as one line in English or Chinese.

        >>> done = TableRefresh(table="sales", new=2, changed=1, gone=0, rows=12,
        ...                     rejected=1, whole=False)
        >>> print(done.describe("en"))
        sales lines: 2 new, 1 changed, 0 gone (tickets); 12 rows kept, ...
        >>> print(done.describe("zh"))
        销售明细：新增 2，变更 1，消失 0（按小票）；现有 12 行，拒收 1 行（增量读取）
        """
        table = table_named(self.table)
        # Counts of tickets beside one of rows would read as if they did not agree.
        sales = self.table == "sales"
        section = f" ({self.section})" if self.section else ""
        if check_language(language) == "zh":
            unit = "（按小票）" if sales else ""
            way = "全量读取" if self.whole else "增量读取"
            return (
                f"{table.title_zh}{section}：新增 {self.new}，变更 {self.changed}，"
                f"消失 {self.gone}{unit}；现有 {self.rows} 行，"
                f"拒收 {self.rejected} 行（{way}）"
            )
        unit = " (tickets)" if sales else ""
        way = "read whole" if self.whole else "read since"
        return (
            f"{table.title_en.lower()}{section}: {self.new} new, "
            f"{self.changed} changed, "
            f"{self.gone} gone{unit}; {self.rows} rows kept, "
            f"{self.rejected} rejected ({way})"
        )


def count_changes(
    before: pd.DataFrame | None, after: pd.DataFrame, key: Sequence[str]
) -> tuple[int, int, int]:
    """
    Count the records that are new, changed and gone.

    Args:
        before: The canonical table as it was; None for none.
        after: The table as it is.
        key: Columns that name a record; rows are told apart by all columns if empty.

    >>> then = pd.DataFrame({"store_id": ["S1", "S2"], "name": ["a", "b"]})
    >>> now = pd.DataFrame({"store_id": ["S2", "S3"], "name": ["B", "c"]})
    >>> count_changes(then, now, ["store_id"]), count_changes(then, now, [])
    ((1, 1, 1), (2, 0, 2))
    """
    new = _digests(after, key)
    if before is None:
        return int(new.sum() if not key else len(new)), 0, 0
    old = _digests(before, key)
    if not key:
        both = pd.concat([old, new], axis=1).fillna(0).to_numpy()
        gained = both[:, 1] - both[:, 0]
        return int(gained.clip(min=0).sum()), 0, int(-gained.clip(max=0).sum())
    shared = old.index.intersection(new.index)
    changed = int((old.loc[shared].to_numpy() != new.loc[shared].to_numpy()).sum())
    return len(new) - len(shared), changed, len(old) - len(shared)


def _digests(frame: pd.DataFrame, key: Sequence[str]) -> pd.Series[Any]:
    """Give each record a number that changes with it; without key, count each row."""
    plain = frame.reindex(columns=sorted(frame.columns))
    rows = pd.util.hash_pandas_object(plain, index=False).to_numpy()
    if not key:
        return pd.Series(rows).value_counts()
    names = pd.util.hash_pandas_object(frame[list(key)], index=False).to_numpy()
    # Squared, two lines that swap a value do not cancel out; order does not count.
    mixed = pd.DataFrame({"name": names, "row": rows * (rows | np.uint64(1))})
    return mixed.groupby("name")["row"].sum()
