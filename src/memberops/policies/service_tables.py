"""Frames of the clocks of all cases: a row a case, and a row a clock."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.domain import EventKind, Finding
from memberops.policies.case_intake import text_of, words_of
from memberops.policies.service_arrays import MISSING, STATES, Mask, Micros
from memberops.policies.service_clocks import ClockState
from memberops.policies.service_decision import WORST_FIRST
from memberops.policies.service_log import Places
from memberops.policies.service_states import CaseClocks, ClockRows

__all__ = ["ServiceFrame", "instants", "worded"]

_FAR = np.iinfo(np.int64).max
_SECOND = 1_000_000
_SHOWN = ("case_id", "received_at", "channel", "store_id", "member_id")
_AGREED = (EventKind.PROMISED_REPLY, EventKind.REPLIED, EventKind.SOLVED)
_AGREE = ("agree a reply time with the customer", "与顾客约定回复时间")
_AWAIT = ("await the customer's answer", "等待顾客答复")
_LATE = STATES.index(ClockState.BREACHED)
_PAUSED = STATES.index(ClockState.PAUSED)
_RANKS = np.array([WORST_FIRST.index(ClockState(state)) for state in STATES])
_Words = npt.NDArray[np.object_]


@attrs.frozen(eq=False, kw_only=True, slots=False)
class ServiceFrame:
    """
    Where all cases stand at a moment; what `ServiceLevels.frame` gives.

    Args:
        read: The clocks.
        findings: What could not be read, counted by rule.
        policy: Id of the policy.
        version: Version of the policy.
    """

    read: CaseClocks = attrs.field(repr=False)
    findings: tuple[Finding, ...]
    policy: str
    version: str

    @cached_property
    def cases(self) -> pd.DataFrame:
        """
        A row for each case, by id.

        ``case_id``, ``received_at``, ``channel``, ``store_id``, ``member_id``;
        ``category``, ``priority`` and ``handler`` as they are by then; for each clock,
        of several of a name the last, ``<clock>_state`` (categories, missing if the
        case has no such clock), ``_due_at``, ``_started_at``, ``_stopped_at`` (UTC),
        ``_remaining_seconds`` (whole, of the clock's own time, below zero when late),
        ``_paused_seconds``, ``_late``, ``_level`` (the highest reached) and
        ``_breached_by_forecast``; ``outcome``; the next action as ``next_clock``,
        ``next_owner``, ``next_due_at``, ``next_en`` and ``next_zh``; ``changes_at``.
        """
        return _case_frame(self.read)

    @cached_property
    def clocks(self) -> pd.DataFrame:
        """
        A row for each clock of each case, in the order of `ServiceDecision.clocks`.

        ``case_id``, ``clock``, ``number``, ``state``, ``started_at``, ``stopped_at``,
        ``due_at``, ``elapsed``, ``remaining``, ``paused`` (the clock's own time,
        exact), ``overdue`` (by the wall), ``late``, ``provisional``, ``level``,
        ``owner``, ``breached_by_forecast`` and ``changes_at``.
        """
        return _clock_frame(self.read)


def instants(micros: Micros) -> Any:
    """Return microseconds as moments of UTC, missing ones empty."""
    return pd.Series(micros.view("datetime64[us]")).dt.tz_localize("UTC").array


def worded(codes: Any, names: Any) -> Any:
    """Return codes as categories of some names; -1 is empty."""
    kinds = pd.CategoricalDtype(list(names))
    return pd.Categorical.from_codes(codes, dtype=kinds)


def _case_frame(read: CaseClocks) -> pd.DataFrame:
    log = read.log
    made: dict[str, Any] = {}
    for name in _SHOWN:
        values = log.cases[name]
        moments = name == "received_at"
        made[name] = values.array if moments else text_of(values)
    made["category"] = words_of(read.category)
    made["priority"] = words_of(read.priority)
    holder = log.now("handler", "to")
    made["handler"] = words_of(holder)
    for name in dict.fromkeys(each.target.name for each in read.clocks):
        same = [each for each in read.clocks if each.target.name == name]
        made |= _last_clocks(name, same, len(log.cases))
    worst = np.full(len(log.cases), len(_RANKS), dtype=np.int64)
    changes = np.full(len(log.cases), _FAR, dtype=np.int64)
    for rows in read.clocks:
        ranks = _RANKS[rows.states]
        np.minimum.at(worst, rows.case, ranks)
        known = rows.changes != MISSING
        np.minimum.at(changes, rows.case[known], rows.changes[known])
    # A case without clocks is met.
    worst = np.minimum(worst, len(_RANKS) - 1)
    made["outcome"] = worded(worst, [state.value for state in WORST_FIRST])
    made |= _next_actions(read, holder)
    made["changes_at"] = instants(np.where(changes == _FAR, MISSING, changes))
    return pd.DataFrame(made)


def _last_clocks(name: str, same: list[ClockRows], cases: int) -> dict[str, Any]:
    """Return the columns of one name: of each case, the last of its clocks."""
    state = np.full(cases, -1, dtype=np.int8)
    columns = {
        field: np.full(cases, MISSING, dtype=np.int64)
        for field in ("due", "start", "stop", "remaining", "paused")
    }
    late, by_then = np.zeros(cases, dtype=bool), np.zeros(cases, dtype=bool)
    level = np.full(cases, "", dtype=object)
    for rows in same:
        # Of rows of the same case, numpy keeps the last.
        state[rows.case] = rows.states
        late[rows.case], by_then[rows.case] = rows.late, rows.breached_by
        level[rows.case] = rows.levels
        for field, column in columns.items():
            column[rows.case] = getattr(rows, field)
    idle = columns["due"] == MISSING
    made: dict[str, Any] = {
        f"{name}_state": worded(state, STATES),
        f"{name}_due_at": instants(columns["due"]),
        f"{name}_started_at": instants(columns["start"]),
        f"{name}_stopped_at": instants(columns["stop"]),
    }
    for field in ("remaining", "paused"):
        seconds = columns[field] // _SECOND
        made[f"{name}_{field}_seconds"] = pd.arrays.IntegerArray(seconds, idle)
    made[f"{name}_late"] = late
    if any(rows.target.levels for rows in same):
        made[f"{name}_level"] = level
    made[f"{name}_breached_by_forecast"] = by_then
    return made


@attrs.define(eq=False)
class _Chosen:
    """The most pressing open clock of each case, found part by part."""

    urgency: npt.NDArray[np.int64]
    due: Micros
    order: Places
    target: Places

    @classmethod
    def none(cls, cases: int) -> _Chosen:
        """Begin with nothing chosen."""
        far = np.full(cases, _FAR, dtype=np.int64)
        return cls(far, far.copy(), far.copy(), np.full(cases, -1, dtype=np.int64))

    def take(self, place: int, rows: ClockRows, part: Any, urgency: Places) -> None:
        """Take the rows of a part that press more than what was chosen."""
        open_ = (rows.start[part] != MISSING) & (rows.stop[part] == MISSING)
        case = rows.case[part][open_]
        urgency = urgency[part][open_]
        due, order = rows.due[part][open_], rows.order[part][open_]
        first = (self.due[case] == due) & (order < self.order[case])
        first = (due < self.due[case]) | first
        use = (self.urgency[case] == urgency) & first
        use |= urgency < self.urgency[case]
        case = case[use]
        self.urgency[case], self.due[case] = urgency[use], due[use]
        self.order[case], self.target[case] = order[use], place


def _next_actions(read: CaseClocks, holder: _Words) -> dict[str, Any]:
    log = read.log
    chosen = _Chosen.none(len(log.cases))
    soonest = np.full(len(log.cases), _FAR, dtype=np.int64)
    for place, rows in enumerate(read.clocks):
        urgency = np.ones(len(rows.case), dtype=np.int64)
        urgency[rows.states == _LATE] = 0
        urgency[rows.states == _PAUSED] = 2
        if rows.target.name == "escalation":
            urgency[:] = -1
        for part in rows.rounds():
            chosen.take(place, rows, part, urgency)
        open_ = (rows.start != MISSING) & (rows.stop == MISSING)
        np.minimum.at(soonest, rows.case[open_], rows.due[open_])
    names = [each.target.name for each in read.clocks]
    words = list(dict.fromkeys([*names, "promised_reply"]))
    code = np.array([*(words.index(name) for name in names), -1])
    owners = np.array([*(r.target.owner for r in read.clocks), None], dtype=object)
    clock, owner = code[chosen.target], owners[chosen.target]
    said = chosen.target.copy()
    due = np.where(chosen.target >= 0, chosen.due, MISSING)
    handled = owner == "handler"
    owner[handled] = np.where(holder[handled] == "", "handler", holder[handled])
    waits = chosen.urgency == 2  # noqa: PLR2004 -- that of a wait, above
    due[waits] = MISSING
    said[waits] = len(read.clocks)
    agree = _to_agree(read) & (chosen.urgency >= 0)
    told, last = log.latest("to")
    handed = np.full(len(log.cases), "manager", dtype=object)
    handed[told] = log.said("to", last[told])
    clock[agree], owner[agree] = words.index("promised_reply"), handed[agree]
    due[agree] = np.where(soonest == _FAR, MISSING, soonest)[agree]
    said[agree] = len(read.clocks) + 1
    actions = [(rows.target.action_en, rows.target.action_zh) for rows in read.clocks]
    english, chinese = zip(*actions, _AWAIT, _AGREE, strict=True)
    return {
        "next_clock": worded(clock, words),
        "next_owner": words_of(owner),
        "next_due_at": instants(due),
        "next_en": pd.array(english, dtype="str").take(said, allow_fill=True),
        "next_zh": pd.array(chinese, dtype="str").take(said, allow_fill=True),
    }


def _to_agree(read: CaseClocks) -> Mask:
    """Tell which cases are escalated and have no reply time agreed."""
    log = read.log
    agree: Mask = log.has([EventKind.ESCALATED]) & ~log.has(_AGREED)
    agree &= log.closing() == log.nowhere
    return agree


def _clock_frame(read: CaseClocks) -> pd.DataFrame:
    log, parts = read.log, read.clocks
    holder = log.now("handler", "to")

    def whole(field: str) -> Any:
        return np.concatenate([getattr(rows, field) for rows in parts])

    case = whole("case") if parts else np.zeros(0, dtype=np.int64)
    if not parts:
        return pd.DataFrame({"case_id": [], "clock": []}, dtype=object)
    sort = np.lexsort((whole("number"), whole("order"), case))
    place = np.repeat(np.arange(len(parts)), [len(rows.case) for rows in parts])[sort]
    names = [rows.target.name for rows in parts]
    words = list(dict.fromkeys(names))
    owner = np.array([rows.target.owner for rows in parts], dtype=object)[place]
    own = owner == "handler"
    held = holder[case[sort]]
    owner[own] = np.where(held[own] == "", "handler", held[own])
    idle = whole("due")[sort] == MISSING

    def spans(field: str) -> Any:
        micros = np.where(idle, MISSING, whole(field)[sort])
        return pd.array(micros.view("timedelta64[us]"))

    return pd.DataFrame(
        {
            "case_id": text_of(log.cases["case_id"]).take(case[sort]),
            "clock": worded(
                np.array([words.index(each) for each in names])[place], words
            ),
            "number": whole("number")[sort],
            "state": worded(whole("states")[sort], STATES),
            "started_at": instants(whole("start")[sort]),
            "stopped_at": instants(whole("stop")[sort]),
            "due_at": instants(whole("due")[sort]),
            "elapsed": spans("elapsed"),
            "remaining": spans("remaining"),
            "paused": spans("paused"),
            "overdue": spans("overdue"),
            "late": whole("late")[sort],
            "provisional": whole("provisional")[sort],
            "level": words_of(whole("levels")[sort]),
            "owner": words_of(owner),
            "breached_by_forecast": whole("breached_by")[sort],
            "changes_at": instants(whole("changes")[sort]),
        }
    )
