"""Files that give rows of an earlier one: they count twice, or take their place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.csv_paths import equal_files
from memberops.adapters.sources.record_names import TICKET
from memberops.adapters.sources.replaced_rows import without_replaced
from memberops.domain import Finding, Severity
from memberops.tables import Table

__all__ = ["overlapping_files", "settled_files"]

_TICKET = [*TICKET]
_MOST = 20


def settled_files(
    parts: Sequence[SourceResult],
    names: Sequence[str],
    table: Table,
    paths: Sequence[Path],
    *,
    replace: bool,
    left_out: Sequence[pd.DataFrame] = (),
) -> tuple[list[SourceResult], list[Finding]]:
    """
    Settle what becomes of records that several files give.

    Args:
        parts: What each file, or sheet, gave.
        names: Of the files, or the sheets.
        table: The canonical table.
        paths: The files.
        replace: Whether the last file counts; else all count, with a warning.
        left_out: See `without_replaced`.

    Returns:
        The parts as they count, and what there is to tell.
    """
    if replace:
        return without_replaced(parts, names, table, left_out=left_out)
    copies = equal_files(paths, table.name)
    return [*parts], [*copies, *overlapping_files(parts, names, table, told=copies)]


def overlapping_files(
    parts: Sequence[SourceResult],
    names: Sequence[str],
    table: Table,
    *,
    told: Sequence[Finding] = (),
) -> list[Finding]:
    """
    Warn of files with the same rows as an earlier one, and of tickets in several.

    A copy in another encoding, with other line ends or compressed differs in its
    bytes, and exports that overlap differ in most rows: what counts is what was read.
    Files of a table with a key need no warning, since their second rows are refused.

    Args:
        parts: What each file gave.
        names: Of the files, or the sheets.
        table: The canonical table.
        told: Findings about copies; nothing more is told of their files.

    >>> from memberops.adapters.sources.rejects import rejects_frame
    >>> from memberops.tables import table
    >>> def sales(*tickets):
    ...     frame = pd.DataFrame({"ticket_id": tickets, "store_id": "S1",
    ...                           "sold_on": pd.to_datetime("2026-11-05"), "amount": 5})
    ...     return SourceResult(table="sales", frame=frame, findings=(),
    ...                         rejects=rejects_frame([]), rows_read=len(frame))
    >>> found = overlapping_files(
    ...     [sales("T1", "T2"), sales("T2", "T3"), sales("T1", "T2")],
    ...     ["a.csv", "b.csv", "c.csv"], table("sales"))
    >>> [(each.rule, each.source, each.count) for each in found]
    [('ticket-in-several-files', 'b.csv', 1), ('file-twin', 'c.csv', 2)]
    """
    if table.key or len(parts) == 1 or not {*_TICKET} <= set(parts[0].frame.columns):
        return []
    known = {finding.source for finding in told}
    spans = [_span(part.frame) for part in parts]
    rows: dict[int, int] = {}
    tickets: dict[int, npt.NDArray[Any]] = {}
    findings: list[Finding] = []
    left_out = 0
    for at, part in enumerate(parts):
        if {names[at], names[at].rpartition("[")[0]} & known:
            continue
        before = [other for other in range(at) if _meet(spans[at], spans[other])]
        for each in (*before, at) if before else ():
            if each not in tickets:
                tickets[each] = _tickets(parts[each].frame)
                rows[each] = _digest(parts[each].frame)
        twin = next((other for other in before if rows[other] == rows[at]), None)
        if twin is not None:
            found = _twin(part, names[at], names[twin], table)
        else:
            shared = {o: np.intersect1d(tickets[at], tickets[o]) for o in before}
            both = np.unique(np.concatenate([[], *shared.values()]))
            if not len(both):
                continue
            most = max(shared, key=lambda other: len(shared[other]))
            found = _shared(names[at], names[most], len(both), table)
        if len(findings) < _MOST:
            findings.append(found)
        else:
            left_out += 1
    if left_out:
        findings.append(_more(left_out, table))
    return findings


def _span(frame: pd.DataFrame) -> tuple[Any, Any] | None:
    return (frame["sold_on"].min(), frame["sold_on"].max()) if len(frame) else None


def _meet(one: tuple[Any, Any] | None, other: tuple[Any, Any] | None) -> bool:
    # Files of other days share no ticket; most files are looked at no further.
    if one is None or other is None:
        return False
    return bool(one[0] <= other[1] and other[0] <= one[1])


def _tickets(frame: pd.DataFrame) -> npt.NDArray[Any]:
    return np.unique(pd.util.hash_pandas_object(frame[_TICKET], index=False))


def _digest(frame: pd.DataFrame) -> int:
    """Give a frame a number that changes with its rows, but not with their order."""
    plain = frame.reindex(columns=sorted(frame.columns)).dropna(axis=1, how="all")
    hashes = np.sort(pd.util.hash_pandas_object(plain, index=False).to_numpy())
    return hash((tuple(plain.columns), hashes.tobytes()))


def _twin(part: SourceResult, name: str, other: str, table: Table) -> Finding:
    return Finding(
        table=table.name,
        rule="file-twin",
        source=name,
        severity=Severity.WARNING,
        count=part.accepted,
        message_en=f"the file gives the same rows as {other}; they count once more: "
        "remove one if it is a copy",
        message_zh=f"该文件与 {other} 的数据相同，被重复计入；如为副本，请删除其一",
    )


def _shared(name: str, other: str, count: int, table: Table) -> Finding:
    return Finding(
        table=table.name,
        rule="ticket-in-several-files",
        source=name,
        severity=Severity.WARNING,
        count=count,
        message_en=f"tickets that stand in {other} or another earlier file too, with "
        f"the same store and day: {count}; where exports overlap their lines count "
        "twice: export each day once",
        message_zh=f"有 {count} 张小票（同门店、同日期）在 {other} 等此前的文件中"
        "已出现；"
        "如导出区间重叠，其明细会重复计入：请每天只导出一次",
    )


def _more(count: int, table: Table) -> Finding:
    return Finding(
        table=table.name,
        rule="ticket-in-several-files",
        severity=Severity.WARNING,
        count=count,
        message_en=f"more files that give rows of an earlier one: {count}",
        message_zh=f"另有 {count} 个文件含有此前文件的数据",
    )
