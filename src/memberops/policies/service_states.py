"""The clocks of all cases of a chain, from its frames of complaints and events."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.domain import Currency
from memberops.errors import CurrencyMismatchError
from memberops.policies.case_intake import CaseFrames
from memberops.policies.service_arrays import (
    Mask,
    Micros,
    read_columns,
)
from memberops.policies.service_folds import fold_runs
from memberops.policies.service_log import CaseLog, Places, micros_at
from memberops.policies.service_plan import TargetPlan
from memberops.policies.service_targets import Authority, Target

__all__ = ["CaseClocks", "ClockRows", "read_clocks"]

_Words = npt.NDArray[np.object_]


@attrs.frozen(eq=False, kw_only=True)
class ClockRows:
    """
    The clocks of one target: a row for each run, by case and number; microseconds.

    Args:
        target: The target.
        case: Row of the case.
        number: 1 for the first run of the case, 2 for the next.
        order: Place of the clock among those of its case.
        start: When it started; `MISSING` if it has not.
        stop: When it stopped; `MISSING` if it has not.
        states: Codes of `STATES`.
        due: When it is due; `MISSING` if it has not started.
        elapsed: The clock's own time used.
        remaining: What is left of it, below zero when late.
        paused: The clock's own time in which it stood still.
        overdue: How long it is past its due time by the wall.
        late: Whether it is, or was, past its target.
        provisional: Whether the due time lies beyond the published calendar.
        changes: When the state or level changes next; `MISSING` if it never will.
        levels: Name of the highest level reached, empty if none.
        breached_by: Whether it is late at the moment of the forecast.
    """

    target: Target
    case: Places
    number: Places
    order: Places
    start: Micros
    stop: Micros
    states: npt.NDArray[np.int8]
    due: Micros
    elapsed: Micros
    remaining: Micros
    paused: Micros
    overdue: Micros
    late: Mask
    provisional: Mask
    changes: Micros
    levels: _Words
    breached_by: Mask

    def rounds(self) -> Iterator[Any]:
        """Give the rows in parts that hold each case once: first runs, second runs."""
        last = int(self.number.max(initial=1))
        if last == 1:
            yield slice(None)
            return
        for number in range(1, last + 1):
            yield np.flatnonzero(self.number == number)


@attrs.frozen(eq=False, kw_only=True)
class CaseClocks:
    """
    The clocks of all cases at a moment, one target's after another's.

    Args:
        log: The cases and what had happened to them.
        clocks: The rows of each target.
        category: Of each case, as it is by then.
        priority: Of each case, as it is by then.
    """

    log: CaseLog
    clocks: tuple[ClockRows, ...]
    category: _Words
    priority: _Words


def read_clocks(
    plan: TargetPlan,
    authority: Sequence[Authority],
    frames: CaseFrames,
    *,
    as_of: dt.datetime,
    currency: Currency,
    forecast: dt.datetime | None = None,
) -> CaseClocks:
    """
    Work out every clock of every case at a moment, as `ServiceLevels.decide` does.

    Args:
        plan: The targets.
        authority: What is beyond the handler.
        frames: The cases and their events.
        as_of: The moment, in UTC.
        currency: Of the amounts asked.
        forecast: A later moment, in UTC.

    Raises:
        CurrencyMismatchError: An amount asked and an authority's differ in currency.
    """
    log = CaseLog.of(frames, micros_at(as_of))
    category = log.now("category", "category")
    priority = log.now("priority", "priority")
    exceeded = _exceeded(authority, log, category, currency)
    orders = _orders(plan, category, priority, log.cases["channel"])
    waits = log.waits()
    ahead = None if forecast is None else micros_at(forecast)
    ended: dict[str, Places] = {}
    read: dict[int, ClockRows] = {}
    for place in _in_turn(plan):
        target, order = plan.targets[place], orders[place]
        chosen = order >= 0
        if target.name == "escalation":
            chosen &= exceeded
        runs = fold_runs(target, log, chosen, waits, ended.get(target.after or ""))
        stops = ended.setdefault(target.name, np.full(len(chosen), log.nowhere))
        # Of several runs of a case, the last one counts.
        stops[runs.case] = runs.ended
        columns = read_columns(
            target,
            runs.start,
            runs.stop,
            as_of=log.as_of,
            pauses=runs.pauses,
            standing=runs.standing,
            until=runs.until if target.starts == "promised_reply" else None,
            closed=runs.closed,
            forecast=ahead,
        )
        names = np.array([*(level.name for level in target.levels), ""], dtype=object)
        read[place] = ClockRows(
            target=target,
            case=runs.case,
            number=runs.number,
            order=order[runs.case],
            start=runs.start,
            stop=runs.stop,
            states=columns.states,
            due=columns.due,
            elapsed=columns.elapsed,
            remaining=columns.remaining,
            paused=columns.paused,
            overdue=columns.overdue,
            late=columns.late,
            provisional=columns.provisional,
            changes=columns.changes,
            levels=names[columns.level],
            breached_by=columns.breached_by,
        )
    return CaseClocks(
        log=log,
        clocks=tuple(read[place] for place in sorted(read)),
        category=category,
        priority=priority,
    )


def _in_turn(plan: TargetPlan) -> list[int]:
    """Put targets that others follow before them."""
    names: dict[str, None] = {}

    def visit(name: str) -> None:
        for target in plan.named(name):
            if target.after is not None:
                visit(target.after)
        names.setdefault(name)

    for name in plan.names:
        visit(name)
    ranks = {name: rank for rank, name in enumerate(names)}
    places = range(len(plan.targets))
    return sorted(places, key=lambda place: ranks[plan.targets[place].name])


def _orders(
    plan: TargetPlan, category: _Words, priority: _Words, channel: pd.Series
) -> npt.NDArray[np.int64]:
    """Tell for each target its place among the clocks of each case, or -1."""
    kinds = (
        ([each.categories for each in plan.targets], category),
        ([each.priorities for each in plan.targets], priority),
        ([each.channels for each in plan.targets], channel.to_numpy(dtype=object)),
    )
    code = np.zeros(len(category), dtype=np.int64)
    named = []
    for conditions, marks in kinds:
        words = list(dict.fromkeys(word for each in conditions for word in each))
        named.append(words)
        code *= len(words) + 1
        if words:
            code += pd.Index(words, dtype=object).get_indexer(pd.Index(marks)) + 1
    known, inverse = np.unique(code, return_inverse=True)
    orders = np.full((len(plan.targets), len(known)), -1, dtype=np.int64)
    for column, each in enumerate(known.tolist()):
        rest, found = each, []
        for words in reversed(named):
            rest, place = divmod(rest, len(words) + 1)
            found.append(words[place - 1] if place else None)
        for order, target in enumerate(plan.chosen(*reversed(found))):
            same = (row for row, one in enumerate(plan.targets) if one is target)
            orders[next(same), column] = order
    return orders[:, inverse]


def _exceeded(
    authority: Sequence[Authority], log: CaseLog, category: _Words, currency: Currency
) -> Mask:
    """Tell which cases go beyond the handler's authority."""
    found = np.zeros(len(log.cases), dtype=bool)
    asked = log.cases["asked"]
    for limit in authority:
        mask = np.ones(len(found), dtype=bool)
        if limit.category is not None:
            mask = np.asarray(category == limit.category, dtype=bool)
        if limit.amount is not None:
            mask &= asked.notna().to_numpy(dtype=bool)
            if mask.any() and limit.currency != currency.code:
                raise CurrencyMismatchError(
                    f"the case asks {currency.code}, "
                    f"the authority is in {limit.currency}"
                )
            least = math.floor(limit.amount.scaleb(currency.digits))
            mask &= asked.fillna(0).to_numpy(dtype=np.int64) > least
        found |= mask
    return found
