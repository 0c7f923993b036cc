"""What a refresh says, and what becomes of the rows that were refused before."""

from __future__ import annotations

import datetime as dt
import json

import attrs
import pandas as pd

from memberops.adapters.sources.changes import SourceChanges, record_keys
from memberops.adapters.sources.snapshot_folder import KeptTable
from memberops.domain import Finding, Severity

__all__ = [
    "departed",
    "earlier_findings",
    "kept_is_damaged",
    "merged_rejects",
    "options_changed",
    "since_when",
    "told_before",
]

_MOST_EARLIER = 200
_OWN = ("record-refused-now", "refused-record-unknown", "rows-gone", "table-emptied",
        "snapshot-damaged", "snapshot-other-options")  # fmt: skip
_SAME = ["file", "column", "rule", "raw"]
_KNOWINGLY = "dropped-by-reading"


def since_when(table: str, moment: dt.datetime, rows: int) -> Finding:
    """Say as of when a table is read."""
    written = moment.strftime("%Y-%m-%d %H:%M")
    return Finding(
        table=table,
        rule="snapshot",
        message_en=f"read from the snapshot of {written} UTC: {rows} rows",
        message_zh=f"读取自 {written}（UTC）的快照：{rows} 行",
        severity=Severity.INFO,
    )


def kept_is_damaged(table: str) -> Finding:
    """Say that a table was read whole because its files were damaged."""
    return Finding(
        table=table,
        rule="snapshot-damaged",
        message_en="what was kept is damaged: the table is read whole",
        message_zh="原有快照已损坏，已全量读取",
        severity=Severity.WARNING,
    )


def options_changed(table: str) -> Finding:
    """Say that a table was read whole because its source has other options."""
    return Finding(
        table=table,
        rule="snapshot-other-options",
        message_en="the options of the source have changed: the table is read whole",
        message_zh="数据源配置已更改，已全量读取",
        severity=Severity.INFO,
    )


def told_before(finding: Finding) -> Finding:
    """Mark a finding as one of an earlier reading."""
    return attrs.evolve(
        finding,
        message_en=f"{finding.message_en} (at an earlier reading)",
        message_zh=f"{finding.message_zh}（此前读取时）",
    )


def departed(
    before: pd.DataFrame | None, after: pd.DataFrame, changes: SourceChanges
) -> list[Finding]:
    """
    Tell about records that were there and are not, where they should not have gone.

    Args:
        before: The table as it was; None for none.
        after: The table as it is.
        changes: What came.
    """
    table, key = changes.result.table, changes.record_key
    if before is None or before.empty:
        return []
    if after.empty and changes.whole:
        return [
            Finding(
                table=table,
                rule="table-emptied",
                message_en=f"the source gave no row; there were {len(before)}: look "
                "whether it may still read the table",
                message_zh=f"数据源未返回任何数据，此前有 {len(before)} 行；"
                "请检查读取权限",
                count=len(before),
            )
        ]
    if not key or not changes.result.rejected:
        return []
    unknown = 0 if changes.whole else sum(not each for each in changes.refused)
    told = [_unknown(table, unknown)] if unknown else []
    gone = set(record_keys(before, key)) - set(record_keys(after, key))
    if changes.refused:
        count = len(gone & set(changes.refused))
        text_en = "the record was good before and is refused now: it is left out"
        text_zh = "该记录此前正常，现被拒收，已移出"
        rule = "record-refused-now"
    else:
        count = len(gone)
        text_en = (
            "the record was there before and is not now; rows were refused, and may "
            "be the same"
        )
        text_zh = "该记录此前存在，现已消失；本次有拒收行，可能就是它"
        rule = "rows-gone"
    if not count:
        return told
    return [
        *told,
        Finding(
            table=table,
            rule=rule,
            message_en=text_en,
            message_zh=text_zh,
            severity=Severity.WARNING,
            count=count,
        ),
    ]


def _unknown(table: str, count: int) -> Finding:
    return Finding(
        table=table,
        rule="refused-record-unknown",
        message_en="the row was refused and does not tell which record it is: what was "
        "kept of that record may be old; refresh with --whole",
        message_zh="被拒收的行无法判断属于哪条记录，已保存的旧数据可能过时；"
        "请用 --whole 全量更新",
        severity=Severity.WARNING,
        count=count,
    )


def merged_rejects(kept: KeptTable | None, changes: SourceChanges) -> pd.DataFrame:
    """
    Keep the refused rows of records that did not come again, and add the new ones.

    Returns:
        The rejects with a column ``record``: the key of the record as JSON, or
        ``""`` where it is not known.
    """
    refused = changes.refused or ((),) * len(changes.result.rejects)
    records = [json.dumps(each, ensure_ascii=False) if each else "" for each in refused]
    new = changes.result.rejects.assign(record=pd.Series(records, dtype="str"))
    if kept is None or changes.whole or kept.rejects.empty:
        return new
    came = {
        json.dumps(each, ensure_ascii=False)
        for each in (
            *record_keys(changes.result.frame, changes.record_key),
            *changes.deleted,
            *refused,
        )
    }
    old = kept.rejects[~kept.rejects["record"].isin(came)]
    # A row whose record is not known is told once, however often it is read.
    again = pd.MultiIndex.from_frame(old[_SAME]).isin(
        pd.MultiIndex.from_frame(new[_SAME])
    )
    old = old[~(again & (old["record"] == "").to_numpy())]
    return old if new.empty else pd.concat([old, new], ignore_index=True)


def earlier_findings(
    kept: KeptTable, changes: SourceChanges, rejects: pd.DataFrame
) -> tuple[Finding, ...]:
    """
    Gather what earlier readings found, one for each rule, column and text.

    Errors of rows are counted by the refused rows that are still there; other
    findings stay until the table is read whole.

    Args:
        kept: The table as it was.
        changes: What came.
        rejects: What `merged_rejects` gave.
    """
    if changes.whole:
        return ()
    told = [
        attrs.evolve(finding, row=None)
        for finding in (*kept.earlier, *kept.findings)
        if finding.severity is not Severity.ERROR
        and finding.rule not in (*_OWN, _KNOWINGLY)
    ]
    now = {_kind(finding) for finding in changes.result.findings}
    once = {_kind(finding): finding for finding in told if _kind(finding) not in now}
    old = rejects.iloc[: len(rejects) - len(changes.result.rejects)]
    for (file, column, rule), rows in old.groupby(["file", "column", "rule"]):
        first = rows.iloc[0]
        finding = Finding(
            table=kept.table,
            rule=str(rule),
            message_en=str(first["reason_en"]),
            message_zh=str(first["reason_zh"]),
            severity=Severity.INFO if rule == _KNOWINGLY else Severity.ERROR,
            column=str(column) or None,
            source=str(file) or None,
            count=len(rows),
        )
        once[_kind(finding)] = finding
    return tuple(once.values())[-_MOST_EARLIER:]


def _kind(finding: Finding) -> tuple[object, ...]:
    text = finding.message_en
    return finding.rule, finding.column, finding.source, text
