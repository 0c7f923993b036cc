"""Frames of complaints and their events, cleaned: what cannot be used is told."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain import Finding, Severity
from memberops.domain.complaint import EVENT_FIELDS, Channel, EventKind
from memberops.errors import ColumnTypeError
from memberops.policies.case_words import trimmed
from memberops.policies.intake import taken
from memberops.policies.visit_intake import as_text, told_text
from memberops.tables import CASE_EVENTS, COMPLAINTS, Kind, Table

__all__ = ["CaseFrames", "clean_cases", "instants_of", "text_of", "told",
           "words_of"]  # fmt: skip

_RANKS = {kind.value: rank for rank, kind in enumerate(EventKind)}
_KINDS = pd.Index(list(_RANKS), dtype=object)
_MANY = ("case_id", "member_id")
_SPARE = 62 - len(_RANKS).bit_length()
_CHANNELS = frozenset(channel.value for channel in Channel)
_YES = {"yes": True, "no": False}


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CaseFrames:
    """
    Cases and events that can be used, in an order that does not depend on the rows'.

    Args:
        cases: One row a case, by id; columns of `COMPLAINTS`, where ids of cases
            and members and free texts are objects, other words categories; a missing
            word is empty.
        events: One row an event, by case and time; columns of `CASE_EVENTS`, and
            ``place``, the position of its case; kinds are categories in the order of
            `EventKind`.
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
    rows = taken(complaints, COMPLAINTS, ("case_id", "received_at"), COMPLAINTS.names)
    rows, padded = trimmed(rows, COMPLAINTS)
    found += told(("complaints", *_PADDED), padded)
    cases = _columns(rows, COMPLAINTS)
    cases = _usable_cases(cases, found)
    if case_events is None:
        rows = pd.DataFrame({"case_id": [], "kind": [], "at": []}, dtype=object)
    else:
        rows = taken(
            case_events, CASE_EVENTS, ("case_id", "kind", "at"), CASE_EVENTS.names
        )
        rows, padded = trimmed(rows, CASE_EVENTS)
        found += told(("case_events", *_PADDED), padded)
    return CaseFrames(
        cases=cases, events=_usable_events(rows, cases, found), findings=tuple(found)
    )


def text_of(values: Any) -> Any:
    """Return words of a column as an array of text, empty ones missing."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        words = text_of(values.dtype.categories)
        return words.take(np.asarray(pd.Categorical(values).codes))
    words = np.array(values, dtype=object)
    words[words == ""] = None
    return pd.array(words, dtype="str")


def words_of(words: Any) -> Any:
    """Return an array of a few different words as text, empty ones missing."""
    codes, different = pd.factorize(words)
    return text_of(different).take(codes, allow_fill=True)


def _columns(
    rows: pd.DataFrame, table: Table, order: Any = slice(None), **made: Any
) -> pd.DataFrame:
    """Read the columns of a table, in some order of the rows, beside those made."""
    columns: dict[str, Any] = {}
    for column in table.columns:
        name, kind = column.name, column.kind
        if name in made:
            columns[name] = made[name]
        elif kind is Kind.INSTANT:
            columns[name] = instants_of(rows, name).array[order]
        elif kind is Kind.MONEY:
            columns[name] = _amounts(rows, name).array[order]
        elif kind is Kind.TEXT or name in _MANY:
            columns[name] = pd.Series(as_text(rows, name)[order], dtype=object)
        else:
            columns[name] = _worded(rows, name, order)
    return pd.DataFrame(columns)


def _worded(rows: pd.DataFrame, name: str, order: Any) -> pd.Categorical:
    """Read a column of few words as categories, of which the first is empty."""
    codes, words = _coded(rows, name)
    return pd.Categorical.from_codes(codes[order], categories=words)


def _coded(rows: pd.DataFrame, name: str) -> tuple[Any, pd.Index]:
    if name not in rows:
        return np.zeros(len(rows), dtype=np.int8), pd.Index([""], dtype=object)
    values = told_text(rows, name)
    codes, uniques = pd.factorize(values)
    words = np.asarray(uniques, dtype=object)
    empty = words == ""
    places = np.append(np.cumsum(~empty) * ~empty, 0)
    return places[codes], pd.Index(["", *words[~empty]], dtype=object)


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


def _usable_cases(cases: pd.DataFrame, found: list[Finding]) -> pd.DataFrame:
    good = (cases["case_id"] != "").to_numpy(bool)
    good = good & cases["received_at"].notna().to_numpy(bool)
    found += told(_INCOMPLETE_CASE, int(np.count_nonzero(~good)))
    place = np.flatnonzero(good)
    ids = cases["case_id"].to_numpy(dtype=object)
    place = place[np.argsort(ids[place], kind="stable")]
    again = _repeats(ids[place])
    if again.any():
        place = _settled(cases, place, again, ["case_id", "received_at"])
        found += told(_CASE_TWICE, int(np.count_nonzero(again)))
        place = place[~again]
    cases = cases.take(place).reset_index(drop=True)
    strange = ~cases["channel"].isin([*_CHANNELS, ""])
    found += told(_CHANNEL, int(strange.sum()))
    cases.loc[strange, "channel"] = ""
    return cases


def _usable_events(
    rows: pd.DataFrame, cases: pd.DataFrame, found: list[Finding]
) -> pd.DataFrame:
    place, told_case = _owners(rows, cases)
    codes, words = _coded(rows, "kind")
    kinds = np.array([_RANKS.get(word, -1) for word in words], dtype=np.int8)[codes]
    at, until = instants_of(rows, "at"), instants_of(rows, "until")
    named = np.zeros(len(rows), dtype=bool)
    for name in ("category", "priority"):
        if name in rows:
            named |= _coded(rows, name)[0] != 0
    promise = kinds == _RANKS[EventKind.PROMISED_REPLY.value]
    moved = kinds == _RANKS[EventKind.RECLASSIFIED.value]
    left = np.ones(len(rows), dtype=bool)
    for good, text in (
        (told_case & (codes != 0) & at.notna().to_numpy(bool), _INCOMPLETE_EVENT),
        (kinds >= 0, _KIND),
        (place >= 0, _NO_CASE),
        (~promise | (until >= at).to_numpy(bool), _PROMISE),
        (~moved | named, _RECLASSIFIED),
    ):
        found += told(text, int(np.count_nonzero(left & ~good)))
        left &= good
    order = np.flatnonzero(left)
    order = order[_by_time(place[order], _ticks(at)[order], kinds[order])]
    place, kinds = place[order], kinds[order]
    ids = cases["case_id"].to_numpy(dtype=object)
    events = _columns(
        rows,
        CASE_EVENTS,
        order,
        case_id=pd.Series(ids[place], dtype=object),
        kind=pd.Categorical.from_codes(kinds, categories=_KINDS),
    ).assign(place=place)
    _read_own_fields(events, rows, found)
    ticks = _ticks(events["at"])
    again = _repeats(place) & _repeats(ticks) & _repeats(kinds)
    if again.any():
        whole = np.arange(len(events))
        events = events.take(_settled(events, whole, again, ["place", "at", "kind"]))
        tied = again | np.append(again[1:], False)
        twice = np.zeros(len(events), dtype=bool)
        twice[tied] = events[tied].duplicated().to_numpy(bool)
        events = events[~twice].reset_index(drop=True)
    return events


def _owners(rows: pd.DataFrame, cases: pd.DataFrame) -> tuple[Any, Any]:
    """Find the case of each event, -1 if it is not there; tell which name one."""
    asked, known = told_text(rows, "case_id"), pd.Series(cases["case_id"])
    if isinstance(asked.dtype, pd.StringDtype):
        known = known.astype(asked.dtype)
    else:
        asked = asked.astype(object)
    codes, words = pd.factorize(pd.concat([known, asked], ignore_index=True))
    places = np.full(len(words) + 1, -1, dtype=np.int64)
    places[codes[: len(known)]] = np.arange(len(known))
    named = np.append(np.asarray(words, dtype=object) != "", [False])
    codes = codes[len(known) :]
    return places[codes], named[codes]


def _by_time(place: Any, ticks: Any, ranks: Any) -> Any:
    """Order events by case, moment and kind."""
    if np.abs(ticks).max(initial=0) >> _SPARE:
        return np.lexsort((ranks, ticks, place))
    first = np.argsort(ticks * len(_RANKS) + ranks)
    # One number a row, so that sorting the numbers sorts the rows.
    bits = len(first).bit_length()
    packed = np.sort((place[first] << bits) | np.arange(len(first)))
    return first[packed & ((1 << bits) - 1)]


def _ticks(moments: pd.Series) -> Any:
    plain = moments.dt.tz_localize(None)
    return plain.to_numpy(dtype="datetime64[us]").view(np.int64)


def _repeats(values: Any) -> Any:
    """Tell which values are the same as the one before."""
    same = np.zeros(len(values), dtype=bool)
    same[1:] = values[1:] == values[:-1]
    return same


def _settled(rows: pd.DataFrame, order: Any, again: Any, keys: list[str]) -> Any:
    """Put rows that share their place in an order into that of all they say."""
    tied = again | np.append(again[1:], False)
    some = rows.take(order[tied])
    for name in some.columns:
        if isinstance(some[name].dtype, pd.CategoricalDtype) and name not in keys:
            some[name] = some[name].astype(object)
    texts = [name for name in some.columns if some[name].dtype == object]
    rest = [name for name in some.columns if name not in {*keys, *texts, "until"}]
    until = [name for name in ("until",) if name in some]
    names = [*keys, *until, *texts, *rest]
    settled = order.copy()
    place = some.reset_index(drop=True).sort_values(names, kind="stable").index
    settled[tied] = order[tied][place.to_numpy()]
    return settled


def _read_own_fields(
    events: pd.DataFrame, rows: pd.DataFrame, found: list[Finding]
) -> None:
    """Empty what does not belong to its kind of event, and unknown answers."""
    codes, stray = events["kind"].cat.codes.to_numpy(), 0
    for name, kinds in EVENT_FIELDS.items():
        if name not in rows:
            continue
        foreign = ~np.isin(codes, [_RANKS[kind.value] for kind in kinds])
        none: Any = pd.NaT if name == "until" else ""
        filled = events[name].notna() if name == "until" else events[name] != ""
        foreign &= filled.to_numpy(bool)
        stray += int(np.count_nonzero(foreign))
        events.loc[foreign, name] = none
    found += told(_STRAY, stray)
    strange = ~events["satisfied"].isin([*_YES, ""])
    found += told(_SATISFIED, int(strange.sum()))
    events.loc[strange, "satisfied"] = ""


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
_PADDED = (
    "blanks-around",
    "an id or a word has blanks around it: read without them",
    "编号或用语前后有空格，已去除",
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
