"""The rows of a plan of visits, with the sentences that say why."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from memberops.domain.visit import VisitState
from memberops.policies.visit_placing import Array, Board, Wishes
from memberops.policies.visit_policy import visit_reasons
from memberops.policies.visit_wishes import Wanted

__all__ = ["FAR", "visit_rows"]

FAR = 10**6
"""A number of days since 1970 that lies after every plan."""
_NO_DAY = np.iinfo(np.int64).min


def visit_rows(  # noqa: PLR0917 - private, one caller
    wanted: Wanted,
    member_id: pd.Series,
    columns: Wishes,
    day: Array,
    cause: Array,
    staff: tuple[Array, list[str]],
    board: Board,
) -> pd.DataFrame:
    """Write a plan out: one row a visit, by store, day, priority and id."""
    policy = board.policy
    priority = np.array([rule.priority for rule in policy.rules], np.int64)
    # Wishes come by importance and id already: what is equal stays in its order.
    order = np.lexsort(
        (priority[columns.rule], np.where(day < 0, FAR, day), wanted.store)
    )
    rule, due, last = (
        each[order] for each in (columns.rule, columns.due, columns.last)
    )
    member, stopped = columns.member[order], columns.stopped[order]
    day, cause = day[order], cause[order]
    absolute = np.where(day >= 0, day + board.first, -1)
    state = np.select([stopped > 0, day < 0, absolute > due], [3, 2, 1], 0)
    shape = board.windows.shape
    window = np.ravel_multi_index(
        (board.zones[member], board.channel[rule], np.maximum(day, 0)), shape
    )
    window = np.where(day >= 0, window, board.windows.size)
    sentence, english, chinese = _texts(board, rule, due, absolute, state, cause)

    def each(name: str) -> pd.Series:
        return _text([str(getattr(r, name)) for r in policy.rules], rule)

    return pd.DataFrame(
        {
            "visit_id": _taken(wanted.visit_id, order),
            "rule": each("name"),
            "kind": each("kind"),
            "store_id": _text(wanted.stores, wanted.store[order]),
            "member_id": _taken(member_id, order).astype("str"),
            "channel": each("channel"),
            "by": each("by"),
            "priority": priority[rule],
            "due_on": _dates(due),
            "last_on": _dates(last),
            "day": _dates(np.where(day >= 0, absolute, _NO_DAY)),
            "windows": _text([*board.windows.ravel(), ""], window),
            "staff_id": _text(staff[1], staff[0][order]),
            "state": _text([state.value for state in VisitState], state),
            "cause": _text(policy.causes, cause),
            "reason_en": _text(english, sentence),
            "reason_zh": _text(chinese, sentence),
        },
        copy=False,
    )


def _text(values: Any, codes: Array) -> pd.Series:
    """Write each text once and take it as often as it is needed."""
    return _taken(pd.Series(list(values), dtype="str"), codes)


def _taken(values: pd.Series, order: Array) -> pd.Series:
    return values.take(order).reset_index(drop=True)


def _dates(numbers: Array) -> pd.Series:
    days = numbers.astype("datetime64[D]")
    return pd.Series(days.astype("datetime64[us]"), copy=False)


def _texts(  # noqa: PLR0917 - private, one caller
    board: Board, rule: Array, due: Array, day: Array, state: Array, cause: Array
) -> tuple[Array, list[str], list[str]]:
    """Write each sentence once, however many members it is for."""
    mixed = rule.astype(np.int64) * (2 * FAR) + due
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
    return codes, english, chinese


def _date(number: Any) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(number))
