"""The rows of a plan of visits, with the sentences that say why."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from memberops.domain.visit import VisitState
from memberops.policies.visit_placing import Array, Board, Wishes
from memberops.policies.visit_policy import visit_reasons

__all__ = ["FAR", "visit_rows"]

FAR = 10**6
"""A number of days since 1970 that lies after every plan."""


def visit_rows(  # noqa: PLR0917 - private, one caller
    wishes: pd.DataFrame,
    columns: Wishes,
    day: Array,
    cause: Array,
    staff: Array,
    board: Board,
) -> pd.DataFrame:
    """Write a plan out: one row a visit, by store, day, priority and id."""
    policy, rule = board.policy, columns.rule
    absolute = np.where(day >= 0, day + board.first, -1)
    states = np.array([state.value for state in VisitState], object)
    state = np.select(
        [columns.stopped > 0, day < 0, absolute > columns.due], [3, 2, 1], 0
    )
    channel = board.channel[rule]
    zone = board.zones[columns.member]
    windows = np.where(day >= 0, board.windows[zone, channel, day], "")
    english, chinese = _texts(board, rule, columns.due, absolute, state, cause)

    def each(name: str) -> Array:
        return np.array([str(getattr(r, name)) for r in policy.rules], object)[rule]

    rows = pd.DataFrame(
        {
            "visit_id": _text(wishes["visit_id"]),
            "rule": _text(each("name")),
            "kind": _text(each("kind")),
            "store_id": _text(wishes["store_id"]),
            "member_id": _text(wishes["member_id"]),
            "channel": _text(each("channel")),
            "by": _text(each("by")),
            "priority": np.array([r.priority for r in policy.rules], np.int64)[rule],
            "due_on": _dates(columns.due),
            "last_on": _dates(columns.last),
            "day": _dates(absolute).where(day >= 0),
            "windows": _text(windows),
            "staff_id": _text(staff),
            "state": _text(states[state]),
            "cause": _text(np.array(policy.causes, object)[cause]),
            "reason_en": _text(english),
            "reason_zh": _text(chinese),
        }
    )
    store = pd.factorize(wishes["store_id"], sort=True)[0]
    # Wishes come by importance and id already, so two keys are enough.
    order = np.lexsort((rows["priority"], np.where(day < 0, FAR, day), store))
    return rows.iloc[order].reset_index(drop=True)


def _text(values: Any) -> pd.Series:
    return pd.Series(np.asarray(values, object), dtype="str")


def _dates(numbers: Array) -> pd.Series:
    days = numbers.astype("datetime64[D]")
    return pd.Series(days.astype("datetime64[us]"))


def _texts(  # noqa: PLR0917 - private, one caller
    board: Board, rule: Array, due: Array, day: Array, state: Array, cause: Array
) -> tuple[Array, Array]:
    """Write each sentence once, however many members it is for."""
    mixed = rule * (2 * FAR) + due
    mixed = mixed * board.days + np.where(day >= 0, day - board.first, 0)
    mixed = (mixed * len(VisitState) + state) * len(board.causes) + cause
    codes, uniques = pd.factorize(mixed)
    sample = np.zeros(len(uniques), np.int64)
    sample[codes[::-1]] = np.arange(len(codes))[::-1]
    english, chinese = [], []
    for at in sample:
        reasons = visit_reasons(
            board.policy,
            board.policy.rules[rule[at]],
            due_on=_date(due[at]),
            day=_date(day[at]) if day[at] >= 0 else None,
            state=list(VisitState)[state[at]],
            cause=board.policy.causes[cause[at]],
        )
        english.append("; ".join(reason.text_en for reason in reasons))
        chinese.append("；".join(reason.text_zh for reason in reasons))
    return np.array(english, object)[codes], np.array(chinese, object)[codes]


def _date(number: Any) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(number))
