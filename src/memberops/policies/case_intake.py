"""Frames of complaints and their events, cleaned: what cannot be used is told."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain import Finding, Severity
from memberops.domain.complaint import EVENT_FIELDS, Channel, EventKind
from memberops.errors import ColumnTypeError
from memberops.policies.intake import taken
from memberops.policies.visit_intake import as_text
from memberops.tables import CASE_EVENTS, COMPLAINTS, Kind, Table

__all__ = ["CaseFrames", "clean_cases", "instants_of", "told"]

_RANKS = {kind.value: rank for rank, kind in enumerate(EventKind)}
_CHANNELS = frozenset(channel.value for channel in Channel)
_YES = {"yes": True, "no": False}


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CaseFrames:
    """
    Cases and events that can be used, in an order that does not depend on the rows'.

    Args:
        cases: One row a case, by id; columns of `COMPLAINTS`.
        events: One row an event, by case and time; columns of `CASE_EVENTS`, and
            ``place``, the position of its case.
        findings: What was left out or mended, counted.
    """

    cases: pd.DataFrame
    events: pd.DataFrame
    findings: tuple[Finding, ...]


def instants_of(frame: pd.DataFrame, name: str) -> pd.Series:
    """
    Take a column of moments as ``datetime64[us, UTC]``; all missing if it is not there.

    Raises:
        ColumnTypeError: It holds something else, or moments without a zone.
    """
    if name not in frame or frame[name].isna().all():
        return pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us, UTC]")
    values = frame[name]
    aware = isinstance(values.dtype, pd.DatetimeTZDtype) or (
        values.dtype == object
        and all(
            getattr(each, "tzinfo", None) is not None
            for each in values
            if each is not None and not pd.isna(each)
        )
    )
    if not aware:
        raise ColumnTypeError(
            f"column {name!r} is {values.dtype}; it must hold moments with a zone: "
            ".dt.tz_localize('Asia/Shanghai') attaches the store's"
        )
    return pd.to_datetime(values, utc=True).astype("datetime64[us, UTC]")


def clean_cases(complaints: Any, case_events: Any) -> CaseFrames:
    """
    Bring both frames into canonical form, and leave out what cannot be used.

    Events of one instant come in the order of `EventKind`, the order in which a case
    goes its way, whatever the order of their rows.
    """
    found: list[Finding] = []
    cases = _columns(complaints, COMPLAINTS, ("case_id", "received_at"))
    cases = _kept(
        cases,
        (cases["case_id"] != "") & cases["received_at"].notna(),
        found,
        _INCOMPLETE_CASE,
    )
    cases = _ordered(cases, ["case_id", "received_at"])
    cases = _kept(cases, ~cases["case_id"].duplicated(), found, _CASE_TWICE)
    strange = ~cases["channel"].isin([*_CHANNELS, ""])
    found += told(_CHANNEL, int(strange.sum()))
    cases.loc[strange, "channel"] = ""
    cases = cases.reset_index(drop=True)
    if case_events is None:
        events = _columns(
            pd.DataFrame({"case_id": [], "kind": [], "at": []}, dtype=object),
            CASE_EVENTS,
            ("case_id", "kind", "at"),
        )
    else:
        events = _columns(case_events, CASE_EVENTS, ("case_id", "kind", "at"))
    events = _usable(events, cases, found)
    return CaseFrames(cases=cases, events=events, findings=tuple(found))


def _columns(native: Any, table: Table, needed: tuple[str, ...]) -> pd.DataFrame:
    rows = taken(native, table, needed, table.names)
    made: dict[str, Any] = {}
    for column in table.columns:
        if column.kind is Kind.INSTANT:
            made[column.name] = instants_of(rows, column.name)
        elif column.kind is Kind.MONEY:
            made[column.name] = _amounts(rows, column.name)
        else:
            text = as_text(rows, column.name)
            made[column.name] = pd.Series(text, index=rows.index, dtype=object)
    return pd.DataFrame(made)


def _amounts(rows: pd.DataFrame, name: str) -> pd.Series:
    if name not in rows or rows[name].isna().all():
        return pd.Series(pd.NA, index=rows.index, dtype="Int64")
    values = rows[name]
    if not pd.api.types.is_integer_dtype(values.dtype):
        raise ColumnTypeError(
            f"column {name!r} is {values.dtype}; it must hold whole minor units, with "
            "gaps as nullable integers: column.astype('Int64')"
        )
    return values.astype("Int64")


def _usable(
    events: pd.DataFrame, cases: pd.DataFrame, found: list[Finding]
) -> pd.DataFrame:
    events = _kept(
        events,
        (events["case_id"] != "") & (events["kind"] != "") & events["at"].notna(),
        found,
        _INCOMPLETE_EVENT,
    )
    events = _kept(events, events["kind"].isin(_RANKS), found, _KIND)
    place = pd.Index(cases["case_id"], dtype=object).get_indexer(
        pd.Index(events["case_id"], dtype=object)
    )
    events = events.assign(place=place)
    events = _kept(events, events["place"] >= 0, found, _NO_CASE)
    promise = events["kind"] == EventKind.PROMISED_REPLY.value
    dated = events["until"].notna() & (events["until"] >= events["at"])
    events = _kept(events, ~promise | dated, found, _PROMISE)
    moved = events["kind"] == EventKind.RECLASSIFIED.value
    named = (events["category"] != "") | (events["priority"] != "")
    events = _kept(events, ~moved | named, found, _RECLASSIFIED)
    events = events.copy()
    stray = 0
    for name, kinds in EVENT_FIELDS.items():
        foreign = ~events["kind"].isin([kind.value for kind in kinds])
        none: Any = pd.NaT if name == "until" else ""
        filled = events[name].notna() if name == "until" else events[name] != ""
        stray += int((foreign & filled).sum())
        events.loc[foreign, name] = none
    found += told(_STRAY, stray)
    strange = ~events["satisfied"].isin([*_YES, ""])
    found += told(_SATISFIED, int(strange.sum()))
    events.loc[strange, "satisfied"] = ""
    events["_rank"] = events["kind"].map(_RANKS).astype("int64")
    events = _ordered(events, ["place", "at", "_rank"])
    if events.duplicated(["place", "at", "_rank"]).any():
        events = events.drop_duplicates()
    return events.drop(columns="_rank").reset_index(drop=True)


def _ordered(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Sort by keys, and rows that share them by all they say."""
    if rows.duplicated(keys).any():
        keys = [*keys, *(name for name in ("until",) if name in rows), *_texts(rows)]
    return rows.sort_values(keys, kind="stable")


def _texts(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame.columns if frame[name].dtype == object]


def _kept(
    rows: pd.DataFrame,
    good: pd.Series,
    found: list[Finding],
    text: tuple[str, str, str, str],
) -> pd.DataFrame:
    mask = good.to_numpy(bool)
    found += told(text, int(np.count_nonzero(~mask)))
    return rows[mask]


def told(text: tuple[str, str, str, str], count: int) -> list[Finding]:
    """Tell of rows: table, rule, English and Chinese; nothing if there are none."""
    table, rule, english, chinese = text
    if not count:
        return []
    return [
        Finding(
            table=table,
            rule=rule,
            severity=Severity.WARNING,
            message_en=english,
            message_zh=chinese,
            count=count,
        )
    ]


_INCOMPLETE_CASE = (
    "complaints",
    "case-incomplete",
    "a case without id or receipt has no clocks: left out",
    "缺少投诉编号或受理时间，无法计时，未采用",
)
_CASE_TWICE = (
    "complaints",
    "case-twice",
    "a case is listed more than once: the earliest receipt holds",
    "同一投诉出现多次，以最早的受理时间为准",
)
_CHANNEL = (
    "complaints",
    "channel-unknown",
    "the channel is no word of the table: read as unknown",
    "投诉渠道无法识别，按未知处理",
)
_INCOMPLETE_EVENT = (
    "case_events",
    "event-incomplete",
    "an event without case, kind or moment: left out",
    "处理记录缺少投诉编号、动作或时间，未采用",
)
_KIND = (
    "case_events",
    "event-unknown",
    "no event has that name: left out",
    "处理动作无法识别，未采用",
)
_NO_CASE = (
    "case_events",
    "event-without-case",
    "an event of a case that is not among the complaints: left out",
    "处理记录对应的投诉不存在，未采用",
)
_PROMISE = (
    "case_events",
    "promise-without-time",
    "a promised reply without a later moment until which it was promised: left out",
    "承诺回复没有有效的承诺时间，未采用",
)
_RECLASSIFIED = (
    "case_events",
    "reclassified-to-nothing",
    "a reclassified case without a new category or priority: left out",
    "重新分类没有新类别或新优先级，未采用",
)
_STRAY = (
    "case_events",
    "field-of-another-event",
    "a field that does not belong to its kind of event is not read",
    "该动作不应有的栏目，未采用",
)
_SATISFIED = (
    "case_events",
    "satisfied-unknown",
    "satisfied is neither yes nor no: read as unknown",
    "是否满意既非是也非否，按未知处理",
)
