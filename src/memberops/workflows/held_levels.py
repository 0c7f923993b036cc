"""The levels that members held on a day, from the table of levels."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from memberops.domain import Finding, Severity
from memberops.policies import TierPolicy
from memberops.workflows.inquiry import Inquiry

__all__ = ["held_levels"]

_HELD = ("level", "since", "reviewed_on", "floor")
_MANUAL = ("manual_level", "manual_since", "manual_until", "manual_floor")


def held_levels(
    asked: Inquiry, policy: TierPolicy
) -> tuple[pd.DataFrame | None, list[Finding]]:
    """
    Return what `TierPolicy.decide_frame` takes of what is held and set by hand.

    Args:
        asked: The question; a level reached after its day is not held yet, and one
            that a person set without reason or staff id is not applied.
        policy: The chain's levels.

    Returns:
        ``member_id`` with the columns of the table, or None where there is none; and
        what was not applied.
    """
    given = asked.tables.get("levels")
    if given is None:
        return None, []
    rows = given.drop_duplicates("member_id", keep="last")
    rows = rows.reindex(columns=["member_id", *_HELD, *_MANUAL, "reason", "actor"])
    day = pd.Timestamp(asked.as_of)
    for name in ("since", "reviewed_on", "manual_since", "manual_until"):
        rows[name] = pd.to_datetime(rows[name]).astype("datetime64[us]")
    for name in ("level", "floor", "manual_level"):
        rows[name] = rows[name].astype("str")
    ahead = (rows["since"] > day).to_numpy(bool)
    rows.loc[ahead, list(_HELD)] = None
    # A review to come has not been made.
    rows["reviewed_on"] = rows["reviewed_on"].mask(rows["reviewed_on"] > day)
    by_hand = rows["manual_level"].notna()
    grounded = rows["reason"].notna() & rows["actor"].notna()
    bare = (by_hand & ~grounded).to_numpy(bool)
    strange = pd.Series(data=False, index=rows.index)
    for name in ("level", "floor", "manual_level"):
        strange |= rows[name].notna() & ~rows[name].isin(policy.names)
    rows.loc[bare, "manual_level"] = None
    rows["manual_floor"] = rows["manual_floor"].eq("yes").fillna(value=False)
    rows["manual_floor"] = rows["manual_floor"].astype(bool)
    return rows.drop(columns=["reason", "actor"]), [
        *_told(
            int(strange.sum()),
            "level-unknown",
            "a level that the chain does not have: it is not applied",
            "等级名称不在本企业的等级之中，未采用",
        ),
        *_told(
            int(bare.sum()),
            "manual-level-unfounded",
            "a level set by hand without a reason or a staff id: it is not applied",
            "人工等级缺少原因或设定人编号，未采用",
        ),
    ]


def _told(count: int, rule: str, english: str, chinese: str) -> Iterable[Finding]:
    if count:
        yield Finding(
            table="levels",
            rule=rule,
            message_en=english,
            message_zh=chinese,
            severity=Severity.WARNING,
            count=count,
        )
