"""The states of many cards at once; `CardState.decide_frame` comes here."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.errors import FrameError, MissingColumnsError
from memberops.policies.figures import entered
from memberops.policies.free_years import free_expression
from memberops.policies.status_frames import as_pandas, days_of

if TYPE_CHECKING:
    from memberops.policies.card_state import CardState

__all__ = ["card_states"]

_Days = npt.NDArray[np.datetime64]
_STATES = (
    "pending", "active", "expiring", "waived", "fee_due", "in_grace", "expired",
)  # fmt: skip
_PENDING, _ACTIVE, _EXPIRING, _WAIVED, _FEE_DUE, _IN_GRACE, _EXPIRED = range(7)
_DAY = np.dtype("datetime64[D]")
_MOST = np.datetime64(dt.date.max, "D")
_NEVER = np.datetime64("NaT", "D")
_ONE = np.timedelta64(1, "D")
_TAKEN = ("state", "grace_through", "changes_on")


def card_states(policy: CardState, cards: Any, *, as_of: dt.date) -> pd.DataFrame:
    """Give the state of each row; see `CardState.decide_frame`."""
    frame = as_pandas(policy.waiver.decide_frame(cards), "cards")
    missing = [n for n in ("valid_from", "valid_through") if n not in frame]
    if missing:
        raise MissingColumnsError("cards", missing, list(frame.columns))
    taken = [name for name in _TAKEN if name in frame]
    if taken:
        raise FrameError(f"the cards frame already has {taken}: drop them")
    for figure in {condition.figure for condition in policy.waiver.rule.conditions}:
        for name in (figure, f"missing_{figure}"):
            if frame[name].dtype.kind == "f":
                frame[name] = frame[name].astype("Int64")
    first, last = days_of(frame, "valid_from"), days_of(frame, "valid_through")
    whole = first <= last  # false where either is missing
    waived = frame["waived"].to_numpy(bool)
    grace = _grace(policy, frame)

    def states(day: Any) -> npt.NDArray[np.int8]:
        return _states(policy, first, last, grace, waived, day)

    today = np.datetime64(as_of, "D")
    state = states(today)
    changes = np.full(len(frame), _NEVER)
    month = last.astype("datetime64[M]")
    noticed = (month - np.timedelta64(policy.notice_months, "M")).astype(_DAY)
    for turn in (first, month.astype(_DAY), noticed, last + _ONE, last + grace + _ONE):
        # A day outside the calendar never comes.
        turns = whole & (turn > today) & (turn <= _MOST)
        if turns.any():
            turns &= states(turn) != state
            changes = np.where(turns, np.fmin(changes, turn), changes)
    if policy.waiver.year == "calendar" and as_of.year < dt.MAXYEAR:
        new = np.datetime64(dt.date(as_of.year + 1, 1, 1), "D")
        decides = whole & _counts_anew(policy, frame, new)
        changes = np.where(decides, np.fmin(changes, new), changes)
    names = pd.Series([*_STATES, None], dtype="str")
    codes = np.where(whole, state, len(_STATES))
    through = np.where(whole, np.minimum(last + grace, _MOST), _NEVER)
    # Older versions of pandas would write a missing state as a word.
    said = pd.Series(names.take(codes).to_numpy(object), frame.index).astype("str")
    return frame.assign(
        state=said.where(whole),
        grace_through=pd.Series(through.astype("datetime64[us]"), index=frame.index),
        changes_on=pd.Series(changes.astype("datetime64[us]"), index=frame.index),
    )


def _counts_anew(
    policy: CardState, frame: pd.DataFrame, new: np.datetime64
) -> npt.NDArray[np.bool_]:
    """Tell where a new calendar year may give another state."""
    first, last = days_of(frame, "valid_from"), days_of(frame, "valid_through")
    decides = (first <= new) & (new <= last)
    decides &= _ahead(last, new) <= policy.notice_months
    years = policy.waiver.free_years
    if years:
        # What is free whatever is bought does not count anew.
        taken = entered(frame, "cards").select(
            free_expression(entered(frame, "cards"), years).alias("free")
        )
        decides &= ~np.asarray(taken["free"].to_numpy(), bool)
    return np.asarray(decides)


def _grace(policy: CardState, frame: pd.DataFrame) -> npt.NDArray[np.timedelta64]:
    if "kind" not in frame:
        days = np.full(len(frame), policy.grace("standard"))
    else:
        codes, kinds = pd.factorize(frame["kind"].astype(object).fillna("standard"))
        days = np.array([policy.grace(str(kind)) for kind in kinds], np.int64)[codes]
    return days.astype("timedelta64[D]")


def _ahead(last: _Days, day: Any) -> npt.NDArray[np.int64]:
    months = last.astype("datetime64[M]") - day.astype("datetime64[M]")
    return np.asarray(months.astype(np.int64))


def _states(  # noqa: PLR0917 - private, one caller
    policy: CardState,
    first: _Days,
    last: _Days,
    grace: npt.NDArray[np.timedelta64],
    waived: npt.NDArray[np.bool_],
    day: Any,
) -> npt.NDArray[np.int8]:
    """Number the states on a day, or on a day of each card."""
    ahead = _ahead(last, day)
    noticed = np.where(ahead > 0, np.int8(_EXPIRING), np.int8(_FEE_DUE))
    found = np.where(waived, np.int8(_WAIVED), noticed)
    found[ahead > policy.notice_months] = _ACTIVE
    over = day > last
    found[over] = np.where((day - last) <= grace, _IN_GRACE, _EXPIRED)[over]
    found[day < first] = _PENDING
    return found
