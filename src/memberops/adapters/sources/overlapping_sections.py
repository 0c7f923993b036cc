"""Records that two sections of a chain file give: told, and with a key taken once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.adapters.sources.changes import record_keys
from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.finding_log import FindingLog
from memberops.adapters.sources.limits import ReadingLimits
from memberops.adapters.sources.record_names import TICKET, record_columns
from memberops.adapters.sources.rejects import rejects_frame
from memberops.domain import Finding, Severity
from memberops.tables import Table

__all__ = ["SEVERAL", "settled_sections"]

SEVERAL = "record-in-several-sections"
"""Rule of what an earlier section gives too."""


def settled_sections(
    parts: Sequence[SourceResult],
    names: Sequence[str],
    table: Table,
    *,
    most: int = ReadingLimits().rejects,
) -> tuple[list[SourceResult], list[Finding]]:
    """
    Find records that a section and an earlier one both give.

    Of a table with a key the row of the earlier section counts, and that of the later
    one is refused, as in files; of postings, issues and redemptions too, of which
    nobody writes one in two systems. Other rows all count: of sales a record is a
    ticket of a store and a day, and elsewhere it is a whole row.

    Args:
        parts: What each section gave.
        names: Of the sections.
        table: The canonical table.
        most: How many rejected rows of a part are listed.

    Returns:
        The parts as they count, and a finding for each section that gives again what
        an earlier one gave.

    >>> from memberops.tables import table
    >>> def stores(*ids):
    ...     return SourceResult(table="stores", frame=pd.DataFrame({"store_id": ids}),
    ...         rejects=rejects_frame([]), findings=(), rows_read=len(ids))
    >>> parts, found = settled_sections(
    ...     [stores("S1", "S2"), stores("S2", "S3")], ["stores[1]", "stores[2]"],
    ...     table("stores"))
    >>> [part.frame["store_id"].tolist() for part in parts], parts[1].rejected
    ([['S1', 'S2'], ['S3']], 1)
    >>> [(each.rule, each.source, each.count) for each in found]
    [('record-in-several-sections', 'stores[2]', 1)]
    """
    settled: list[SourceResult] = []
    findings: list[Finding] = []
    for part, name in zip(parts, names, strict=True):
        kept = part
        if (key := record_columns(table)) and key != TICKET:
            kept, found = _once(
                part, settled, names, [*key], name=name, most_listed=most
            )
        else:
            found = _several_times(part, settled, names, table, name)
        settled.append(kept)
        findings += found
    return settled, findings


def _several_times(
    part: SourceResult,
    before: Sequence[SourceResult],
    names: Sequence[str],
    table: Table,
    name: str,
) -> list[Finding]:
    """Tell of records that earlier sections gave; all rows count."""
    record = [*record_columns(table)]
    counts = {}
    shared: list[npt.NDArray[np.uint64]] = []
    for other, earlier in zip(names, before, strict=False):
        both = _shared_records(part.frame, earlier.frame, record)
        if len(both):
            counts[other] = len(both)
            shared.append(both)
    if not shared:
        return []
    count = len(np.unique(np.concatenate(shared)))
    most = max(counts, key=lambda other: counts[other])
    unit_en, unit_zh = ("tickets", "张小票") if record else ("rows", "行")
    return [
        Finding(
            table=table.name,
            rule=SEVERAL,
            source=name,
            severity=Severity.WARNING,
            count=count,
            message_en=f"{unit_en} that {most} or another earlier section gives too: "
            f"{count}; they count twice: let each section have its own",
            message_zh=f"有 {count} {unit_zh}在 {most} 等此前的数据源中已出现，"
            "会重复计入：请让各数据源互不重叠",
        )
    ]


def _shared_records(
    one: pd.DataFrame, other: pd.DataFrame, record: Sequence[str]
) -> npt.NDArray[np.uint64]:
    if one.empty or other.empty:
        return np.array([], dtype=np.uint64)
    columns = [*record] or sorted({*one.columns} & {*other.columns})
    if "store_id" in record:
        # Most sections are of stores of their own: of no other is a digest needed.
        stores = {*one["store_id"].unique()} & {*other["store_id"].unique()}
        one, other = (
            frame[frame["store_id"].isin(stores)] if stores else frame.iloc[:0]
            for frame in (one, other)
        )
    mine, theirs = (
        pd.util.hash_pandas_object(frame[columns], index=False).to_numpy(np.uint64)
        for frame in (one, other)
    )
    return np.intersect1d(mine, theirs)


def _once(
    part: SourceResult,
    before: Sequence[SourceResult],
    names: Sequence[str],
    key: list[str],
    *,
    name: str,
    most_listed: int,
) -> tuple[SourceResult, list[Finding]]:
    """Refuse the rows of which an earlier section has the key."""
    own = pd.MultiIndex.from_frame(part.frame[key])
    again = np.zeros(len(own), dtype=bool)
    by_other: dict[str, int] = {}
    different = 0
    for other, earlier in zip(names, before, strict=False):
        known = own.isin(pd.MultiIndex.from_frame(earlier.frame[key]))
        if known.any():
            by_other[other] = int(known.sum())
            different += _different(part.frame[known], earlier.frame, key)
            again |= known
    if not by_other:
        return part, []
    count = int(again.sum())
    most = max(by_other, key=lambda other: by_other[other])
    same_en, same_zh = " and ".join(key), "、".join(key)
    found = Finding(
        table=part.table,
        rule=SEVERAL,
        source=name,
        severity=Severity.WARNING,
        count=count,
        message_en=f"rows whose {same_en} {most} or another earlier section has: "
        f"{count}; records among them that differ: {different}; the earlier section "
        "counts, these are refused",
        message_zh=f"有 {count} 行的 {same_zh} 在 {most} 等此前的数据源中已出现，"
        f"其中内容不同的记录 {different} 条；以此前的数据源为准，这些行未采用",
    )
    log = FindingLog(part.table, name, 1)
    listed = max(most_listed - len(part.rejects), 0)
    log.add_unlisted(count, listed)
    kept = _refused(part, again, key, (most, same_en, same_zh), listed)
    return kept, [found, *log.findings]


def _different(rows: pd.DataFrame, earlier: pd.DataFrame, key: list[str]) -> int:
    """Count the records that say something else than the earlier ones of their key."""
    both = [each for each in rows.columns if each in earlier]
    mine, theirs = (_digests(frame[both], key) for frame in (rows, earlier))
    return int((mine.to_numpy() != theirs.reindex(mine.index).to_numpy()).sum())


def _digests(frame: pd.DataFrame, key: list[str]) -> pd.Series[Any]:
    """Give each record a number that changes with its rows, but not their order."""
    rows = pd.util.hash_pandas_object(frame, index=False)
    return rows.groupby([frame[name] for name in key]).sum()


def _refused(
    part: SourceResult,
    again: npt.NDArray[np.bool_],
    key: list[str],
    told: tuple[str, str, str],
    listed: int,
) -> SourceResult:
    """Put rows of a result among its rejects."""
    other, same_en, same_zh = told
    places = np.flatnonzero(again)[:listed]
    rows = []
    for at, texts in zip(
        places, record_keys(part.frame.iloc[places], key), strict=True
    ):
        file, line = part.origin(int(at))
        rows.append(
            (file or "", line, key[0], SEVERAL,
             f"an earlier section, such as {other}, has the same {same_en}",
             f"{same_zh} 与此前的数据源（如 {other}）重复", ",".join(texts))
        )  # fmt: skip
    return part.without(
        again,
        rejects=pd.concat([part.rejects, rejects_frame(rows)], ignore_index=True),
        unlisted=part.unlisted + int(again.sum()) - len(places),
    )
