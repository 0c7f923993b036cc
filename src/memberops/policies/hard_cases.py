"""Which complaints are hard, and why: 疑难投诉周报 (HQ §6.2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.domain import Currency
from memberops.domain.values import identifier
from memberops.errors import ColumnTypeError, InvalidValueError, MissingColumnsError
from memberops.policies.service_targets import Authority
from memberops.policies.term import not_negative
from memberops.policies.tier_levels import positive

__all__ = ["HardCasePolicy", "hard_cases"]

_HOUR = 3600
_CLOCKS_ZH = {
    "reply": "回复",
    "solution": "解决",
    "callback": "回访",
    "next_reply": "后续回复",
    "second_callback": "二次回访",
    "promised_reply": "承诺回复",
    "escalation": "上报",
}
_Reasons = list[tuple[npt.NDArray[np.bool_], str, str]]


def _authorities(values: Iterable[Authority]) -> tuple[Authority, ...]:
    found = tuple(values)
    if not all(isinstance(each, Authority) for each in found):
        raise InvalidValueError("'authority' holds Authority values")
    return found


@attrs.frozen(kw_only=True)
class HardCasePolicy:
    """
    What makes an open case hard (HQ §6.2).

    Args:
        overdue_hours: So many whole hours after its target a clock is hard; 0 as
            soon as it is late.
        reopenings: So many reopenings make a case hard.
        escalated: Whether an escalation does.
        dissatisfied: Whether a customer who was not satisfied at the callback does,
            so that a second callback is needed.
        authority: What is beyond the handler, as `ServiceLevels` has it: a case that
            goes beyond one of them is hard, escalated or not.
        policy: Id of the policy.
        version: Version of the policy; change it with the numbers.

    Raises:
        InvalidValueError: Hours below zero, or no reopening at all.
    """

    overdue_hours: int = attrs.field(default=0, validator=not_negative)
    reopenings: int = attrs.field(default=1, validator=positive)
    escalated: bool = True
    dissatisfied: bool = True
    authority: tuple[Authority, ...] = attrs.field(default=(), converter=_authorities)
    policy: str = attrs.field(default="hard-cases", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)


def hard_cases(
    states: pd.DataFrame, *, as_of: dt.datetime, policy: HardCasePolicy | None = None
) -> pd.DataFrame:
    """
    List the hard cases of a week: 疑难投诉周报 (HQ §6.2).

    A case is hard if it is received, not closed, and one of the policy's reasons
    holds: a clock is late, it was reopened, it was escalated, it goes beyond the
    handler's authority, or the customer was not satisfied.

    Args:
        states: What ``ServiceLevels.decide_frame`` gives for the end of the week, with
            ``case_id``; optional ``store_id``, ``category``, ``handler``, ``asked``
            (minor units), ``reopened`` (how often), ``escalated_at``,
            ``callback_at``, ``satisfied`` (``"yes"``, ``"no"``, or true and false),
            ``closed_at``, and ``resolution`` (in the chain's own words).
        as_of: The end of the week, with a zone.
        policy: What makes a case hard; the manual's by default.

    Returns:
        ``case_id``, ``store_id``, ``category``, ``owner``, ``age_hours`` (whole, by
        the wall), ``why_en``, ``why_zh`` and ``usual_solution`` (the most frequent
        ``resolution`` of the category), the oldest first.

    Raises:
        MissingColumnsError: ``case_id`` or ``received_at`` is absent.
        ColumnTypeError: Moments without a zone.
        InvalidValueError: *as_of* has no zone.

    >>> states = pd.DataFrame({"case_id": ["K1"], "reply_state": ["breached"],
    ...     "received_at": pd.to_datetime(["2026-11-05T01:00Z"])})
    >>> at = dt.datetime(2026, 11, 8, tzinfo=dt.UTC)
    >>> print(hard_cases(states, as_of=at).why_zh[0])
    回复超时
    """
    policy = policy or HardCasePolicy()
    if as_of.utcoffset() is None:
        raise InvalidValueError("'as_of' must be a datetime with a zone")
    missing = [name for name in ("case_id", "received_at") if name not in states]
    if missing:
        raise MissingColumnsError("cases", missing, [str(name) for name in states])
    frame = states.reset_index(drop=True)
    rows = len(frame)
    known = _by(frame, "received_at", as_of) & ~_by(frame, "closed_at", as_of)
    english = np.full(rows, "", dtype=object)
    chinese = np.full(rows, "", dtype=object)
    for mask, text_en, text_zh in _reasons(frame, as_of, policy):
        english[mask] += np.where(english[mask] != "", "; ", "") + text_en
        chinese[mask] += np.where(chinese[mask] != "", "；", "") + text_zh
    none = pd.Series([None] * rows, dtype=object)
    age = (pd.Timestamp(as_of) - frame["received_at"]).dt.total_seconds() // _HOUR
    listed = pd.DataFrame(
        {
            "case_id": frame["case_id"],
            "store_id": frame.get("store_id", none),
            "category": frame.get("category", none),
            "owner": frame.get("handler", none),
            "age_hours": age,
            "why_en": english,
            "why_zh": chinese,
            "usual_solution": _usual_solution(frame),
        }
    )
    hard: pd.DataFrame = listed[known & (english != "")].sort_values(
        ["age_hours", "case_id"], ascending=[False, True], kind="stable"
    )
    return hard.astype({"age_hours": "int64"}).reset_index(drop=True)


def _by(frame: pd.DataFrame, column: str, as_of: dt.datetime) -> npt.NDArray[np.bool_]:
    """Tell in which rows a moment has come."""
    if column not in frame or (len(frame) and frame[column].isna().all()):
        return np.zeros(len(frame), dtype=bool)
    if getattr(frame[column].dtype, "tz", None) is None:
        raise ColumnTypeError(
            f"column {column!r} must hold moments with a zone: "
            ".dt.tz_localize('Asia/Shanghai') attaches the store's"
        )
    return (frame[column] <= as_of).to_numpy(dtype=bool)


def _reasons(
    frame: pd.DataFrame, as_of: dt.datetime, policy: HardCasePolicy
) -> _Reasons:
    found = _overdue(frame, as_of, policy.overdue_hours)
    if "reopened" in frame:
        again = frame["reopened"].fillna(0) >= policy.reopenings
        found.append((again.to_numpy(dtype=bool), "reopened", "重新投诉"))
    if policy.escalated:
        found.append((_by(frame, "escalated_at", as_of), "escalated", "已上报"))
    beyond = np.zeros(len(frame), dtype=bool)
    for limit in policy.authority:
        beyond = beyond | _beyond(frame, limit)
    found.append((beyond, "beyond the handler's authority", "超出处理权限"))
    if policy.dissatisfied and "satisfied" in frame:
        unhappy = frame["satisfied"].isin(["no", False]).to_numpy(dtype=bool)
        if "callback_at" in frame:
            unhappy = unhappy & _by(frame, "callback_at", as_of)
        found.append((unhappy, "second callback needed", "顾客不满意，需二次回访"))
    return found


def _overdue(frame: pd.DataFrame, as_of: dt.datetime, hours: int) -> _Reasons:
    found: _Reasons = []
    limit = pd.Timestamp(as_of) - pd.Timedelta(hours=hours)
    for column in frame.columns:
        if not str(column).endswith("_state"):
            continue
        clock = str(column).removesuffix("_state")
        late = (frame[column].astype(object) == "breached").to_numpy(dtype=bool)
        due = f"{clock}_due_at"
        if hours and due in frame:
            late = late & (frame[due] <= limit).to_numpy(dtype=bool)
        words = clock.replace("_", " ")
        chinese = _CLOCKS_ZH.get(clock, words)
        found.append((late, f"{words} overdue", f"{chinese}超时"))
    return found


def _beyond(frame: pd.DataFrame, limit: Authority) -> npt.NDArray[np.bool_]:
    mask = np.ones(len(frame), dtype=bool)
    if limit.category is not None:
        if "category" not in frame:
            return ~mask
        mask = mask & (frame["category"] == limit.category).to_numpy(dtype=bool)
    if limit.amount is not None:
        if "asked" not in frame:
            return np.zeros(len(frame), dtype=bool)
        most = Currency(limit.currency).to_minor(limit.amount)
        above = frame["asked"].astype("Int64") > most
        mask = mask & above.fillna(value=False).to_numpy(dtype=bool)
    return mask


def _usual_solution(frame: pd.DataFrame) -> Any:
    if "resolution" not in frame or "category" not in frame:
        return ""
    counted = (
        frame.dropna(subset=["resolution", "category"])
        .groupby(["category", "resolution"], observed=True)
        .size()
        .reset_index(name="count")
        .sort_values(["count", "resolution"], ascending=[False, True], kind="stable")
        .drop_duplicates("category")
    )
    usual = dict(zip(counted["category"], counted["resolution"], strict=True))
    return frame["category"].map(usual).astype(object).fillna("")
