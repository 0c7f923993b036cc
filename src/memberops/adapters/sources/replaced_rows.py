"""A later file takes the place of what an earlier one said of the same record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.record_names import record_columns
from memberops.domain import Finding, Severity
from memberops.errors import ConfigurationError
from memberops.tables import Table

__all__ = [
    "Overlap",
    "check_overlap",
    "left_out_by_rule",
    "without_replaced",
    "without_rules",
]

Overlap = Literal["count", "replace"]
"""What becomes of records that several files give; see `read_csv`."""

_MOST = 20


def check_overlap(value: object) -> bool:
    """
    Tell whether later files replace what earlier ones gave.

    Raises:
        ConfigurationError: The value is none of `Overlap`.
    """
    if value not in ("count", "replace"):
        raise ConfigurationError(
            "'overlap' says what becomes of records that several files give: "
            f"'count' counts them all, 'replace' takes the last; not {value!r:.40}"
        )
    return value == "replace"


def without_rules(options: ReadingOptions) -> ReadingOptions:
    """Return the options of a reading that leaves out no rows knowingly."""
    return attrs.evolve(options, converter=attrs.evolve(options.converter, drop=()))


def left_out_by_rule(part: SourceResult, whole: SourceResult) -> pd.DataFrame:
    """
    Return the rows of one file that its `drop` left out.

    Args:
        part: What the file gave.
        whole: What it gives `without_rules`.
    """
    kept, lines = (
        np.concatenate(
            [np.array([], dtype=np.int64), *(own for _, own in each.origins)]
        )
        for each in (part, whole)
    )
    return whole.frame[~np.isin(lines, kept)]


def without_replaced(
    parts: Sequence[SourceResult],
    names: Sequence[str],
    table: Table,
    *,
    left_out: Sequence[pd.DataFrame] = (),
) -> tuple[list[SourceResult], list[Finding]]:
    """
    Leave out the rows of records that a later file gives again.

    A record is what `record_columns` says, or a whole row where a table has none: all
    rows of it in the last file that has an accepted one count, and none of an earlier
    file. Rows of one file never replace each other. A row that was left out by a rule,
    such as that of a ticket that is void by now, replaces earlier ones too.

    Args:
        parts: What each file gave, in their order.
        names: Of the files, or the sheets.
        table: The canonical table.
        left_out: For each part its rows that were left out by a rule, if there are.

    Returns:
        The parts as they count, with `SourceResult.replaced`, and a finding for each
        file of which rows were replaced.

    >>> from memberops.adapters.sources.rejects import rejects_frame
    >>> from memberops.tables import table
    >>> def sales(*lines):
    ...     frame = pd.DataFrame(lines, columns=["ticket_id", "amount"])
    ...     frame = frame.assign(store_id="S1", sold_on=pd.Timestamp("2026-11-05"))
    ...     return SourceResult(table="sales", frame=frame, findings=(),
    ...                         rejects=rejects_frame([]), rows_read=len(frame))
    >>> parts, found = without_replaced(
    ...     [sales(("T1", 5), ("T2", 3), ("T2", 4)), sales(("T2", 9))],
    ...     ["a.csv", "b.csv"], table("sales"))
    >>> [part.frame["amount"].tolist() for part in parts], parts[0].replaced
    ([[5], [9]], 2)
    >>> [(each.rule, each.source, each.count) for each in found]
    [('replaced-by-later-file', 'a.csv', 2)]
    """
    told = [(at, part.frame) for at, part in enumerate(parts)]
    last = _last_parts([*told, *enumerate(left_out)], table)
    settled: list[SourceResult] = []
    findings: list[Finding] = []
    unnamed, more = 0, 0
    for at, part in enumerate(parts):
        gone = last[at] > at
        count = int(gone.sum())
        if not count:
            settled.append(part)
            continue
        later = np.bincount(last[at][gone])
        found = _finding(names[at], names[int(later.argmax())], count, table)
        if len(findings) < _MOST:
            findings.append(found)
        else:
            unnamed, more = unnamed + 1, more + count
        settled.append(part.without(gone, replaced=part.replaced + count))
    if unnamed:
        findings.append(_more(unnamed, more, table))
    return settled, findings


def _last_parts(
    told: Sequence[tuple[int, pd.DataFrame]], table: Table
) -> list[npt.NDArray[np.int64]]:
    """Give for each row of each frame the last part that tells of its record."""
    frames = [frame for _, frame in told]
    every = dict.fromkeys(name for frame in frames for name in frame.columns)
    record = [*(record_columns(table) or sorted(every))]
    own = [np.full(len(frame), at) for at, frame in told]
    if sum(map(len, own)) == 0:
        return own
    digests = np.concatenate(
        [
            pd.util.hash_pandas_object(
                frame.reindex(columns=record), index=False
            ).to_numpy(np.uint64)
            for frame in frames
        ]
    )
    part: Any = pd.Series(np.concatenate(own))
    grouped = part.groupby(digests, sort=False)
    perhaps = (grouped.transform("max") > grouped.transform("min")).to_numpy()
    last = part.to_numpy().copy()
    if perhaps.any():
        # Equal digests are hardly ever of two records, but rows go by this.
        starts = np.cumsum([0, *map(len, frames)])
        rows = pd.concat(
            [
                frame.reindex(columns=record)[perhaps[start : start + len(frame)]]
                for frame, start in zip(frames, starts, strict=False)
            ],
            ignore_index=True,
        )
        rows["part"] = last[perhaps]
        alike = rows.groupby(record, dropna=False, sort=False)["part"]
        last[perhaps] = alike.transform("max").to_numpy()
    return np.split(last, np.cumsum([len(frame) for frame in frames])[:-1])


def _finding(name: str, later: str, count: int, table: Table) -> Finding:
    return Finding(
        table=table.name,
        rule="replaced-by-later-file",
        source=name,
        severity=Severity.INFO,
        count=count,
        message_en=f"rows of records that {later} or another later file gives again: "
        f"{count}; the later file counts, as 'overlap' says",
        message_zh=f"有 {count} 行所属的记录在 {later} 等之后的文件中再次给出；"
        "按 overlap 设置，以之后的文件为准",
    )


def _more(files: int, count: int, table: Table) -> Finding:
    return Finding(
        table=table.name,
        rule="replaced-by-later-file",
        severity=Severity.INFO,
        count=count,
        message_en=f"more files of which a later one replaces rows: {files}",
        message_zh=f"另有 {files} 个文件的数据被之后的文件替换",
    )
