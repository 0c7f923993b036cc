"""Call a stocktake, tell who counts until when, and see who is late (HQ §7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pandas as pd

from memberops.domain.decision import Reason, Statement
from memberops.domain.gift import lies_within
from memberops.domain.stocktake import CountLine, Stocktake
from memberops.domain.values import check_as_of
from memberops.errors import InvalidValueError
from memberops.policies.stocktake import StocktakePolicy
from memberops.schedules.moments import wall_moment, zone_named

__all__ = [
    "StocktakeStanding",
    "call_after_promotion",
    "stocktake_notice",
    "stocktake_standing",
]


def call_after_promotion(
    *,
    stocktake_id: str,
    promotion: str,
    ended_on: dt.date,
    stores: Iterable[str],
    zone: str | ZoneInfo,
    policy: StocktakePolicy | None = None,
    blind: bool = False,
) -> Stocktake:
    """
    Call the stocktake of all stores after a promotion (HQ §7).

    Args:
        stocktake_id: The chain's id of it.
        promotion: The promotion.
        ended_on: Its last local day; the stock table is of its last moment.
        stores: Ids of the stores, such as ``"S01"``.
        zone: Zone of the stores.
        policy: For the days until the deadline.
        blind: Whether those who count see no book quantity.

    >>> called = call_after_promotion(stocktake_id="C1", promotion="国庆",
    ...     ended_on=dt.date(2026, 10, 7), stores=["S01"], zone="Asia/Shanghai")
    >>> str(called.due_on), called.places, called.cutoff.isoformat()
    ('2026-10-09', ('store:S01',), '2026-10-07T15:59:59.999999+00:00')
    """
    day = check_as_of(ended_on)
    rules = StocktakePolicy() if policy is None else policy
    midnight = wall_moment(day + dt.timedelta(days=1), dt.time(0), zone)
    return Stocktake(
        stocktake_id=stocktake_id,
        places=[f"store:{store}" for store in stores],
        cutoff=midnight - dt.timedelta(microseconds=1),
        due_on=day + dt.timedelta(days=rules.days_after_promotion),
        promotion=promotion,
        blind=blind,
    )


def stocktake_notice(
    stocktake: Stocktake, *, zone: str | ZoneInfo, witness: bool = True
) -> Statement:
    """
    Write the notice of a stocktake: who counts, as of when, until when.

    Args:
        stocktake: What is called.
        zone: Zone in which the moment is told.
        witness: Whether stores count under the regional manager's eyes.

    >>> called = call_after_promotion(stocktake_id="C1", promotion="国庆",
    ...     ended_on=dt.date(2026, 10, 7), stores=["S01"], zone="Asia/Shanghai")
    >>> print(stocktake_notice(called, zone="Asia/Shanghai").text("zh"))
    盘点通知 C1（国庆）：1 处（store:S01）；账面截止 2026-10-07 23:59；\
须于 2026-10-09 前（含当日）完成；区域经理监盘；未盘请留空，勿填 0
    """
    places = ", ".join(stocktake.places)
    moment = f"{stocktake.cutoff.astimezone(zone_named(zone)):%Y-%m-%d %H:%M}"
    due = stocktake.due_on
    count = len(stocktake.places)
    title_en = f"Stocktake {stocktake.stocktake_id}"
    title_zh = f"盘点通知 {stocktake.stocktake_id}"
    if stocktake.promotion:
        title_en += f" ({stocktake.promotion})"
        title_zh += f"（{stocktake.promotion}）"
    watched = witness and any(lies_within(p, "store") for p in stocktake.places)
    parts = [
        ("places", f"{count} places ({places})", f"{count} 处（{places}）"),
        ("cutoff", f"books as of {moment}", f"账面截止 {moment}"),
    ]
    if due is not None:
        parts.append(
            (
                "due",
                f"to be counted by {due}, inclusive",
                f"须于 {due} 前（含当日）完成",
            )
        )
    if watched:
        parts.append(("witness", "the regional manager watches", "区域经理监盘"))
    if stocktake.blind:
        parts.append(("blind", "counted blind", "盲盘"))
    parts.append(
        ("uncounted", "leave empty what is not counted: 0 means none",
         "未盘请留空，勿填 0")
    )  # fmt: skip
    return Statement(
        reasons=[
            Reason(rule=rule, met=None, text_en=text_en, text_zh=text_zh)
            for rule, text_en, text_zh in parts
        ],
        text_en=f"{title_en}: {'; '.join(each[1] for each in parts)}",
        text_zh=f"{title_zh}：{'；'.join(each[2] for each in parts)}",
    )


@attrs.frozen(kw_only=True, eq=False, repr=False)
class StocktakeStanding:
    """
    Which places have counted, in time, late or not at all.

    Args:
        due_on: The last day that is in time; None without a deadline.
        places: One row a place: ``place``, ``due_on``, ``counted_on`` (the day of its
            last first count), ``state`` (``"on_time"``, ``"late"``, ``"missing"``,
            ``"incomplete"`` where it is overdue and only a part was counted,
            ``"undated"`` where it is overdue and counts have no moment, or
            ``"awaited"`` while there is time), ``days_late``, ``lines``,
            ``counted``, ``not_counted``.
    """

    due_on: dt.date | None
    places: pd.DataFrame

    @property
    def late(self) -> tuple[str, ...]:
        """Places that counted after the deadline."""
        return self._named("late")

    @property
    def missing(self) -> tuple[str, ...]:
        """Places that are overdue and have not counted."""
        return self._named("missing")

    @property
    def incomplete(self) -> tuple[str, ...]:
        """Places that are overdue and have counted only a part of their sheet."""
        return self._named("incomplete")

    def _named(self, state: str) -> tuple[str, ...]:
        return tuple(self.places.loc[self.places["state"] == state, "place"])

    def __repr__(self) -> str:
        """Count the places; never show rows."""
        states = self.places["state"].value_counts()
        told = ", ".join(f"{state}={count}" for state, count in states.items())
        return f"StocktakeStanding(due_on={self.due_on}, {told})"


def stocktake_standing(
    stocktake: Stocktake,
    lines: Iterable[CountLine],
    *,
    as_of: dt.date,
    zone: str | ZoneInfo,
) -> StocktakeStanding:
    """
    Tell which places of a stocktake have counted, and name the late and missing.

    A place has counted when each of its lines is; what stands in the books and came
    back in no row is a line too (`memberops.ledger.uncounted_lines`). A recount after
    the deadline makes nobody late. What is counted after *as_of* is not known yet. A
    count of the cut-off itself is one without a moment: once the deadline is over,
    nobody knows if it came in time.

    Args:
        stocktake: What was called; its places by name, not by kind.
        lines: The count lines of all places, uncounted ones too.
        as_of: The local day asked for.
        zone: Zone of the places.

    Raises:
        InvalidValueError: The stocktake counts all places of a kind: list them.
    """
    today = check_as_of(as_of)
    if {"store", "wallet"} & set(stocktake.places):
        raise InvalidValueError(
            "who is missing can be told only of places by name: list the stores in "
            "Stocktake(places=...)"
        )
    local, own = zone_named(zone), stocktake.stocktake_id
    counts = [each for each in lines if each.stocktake_id == own]
    rows = []
    for place in stocktake.places:
        here = [each for each in counts if lies_within(each.place, place)]
        first: dict[str, dt.date] = {}
        for each in sorted(here, key=lambda line: -line.recount):
            day = each.counted_at.astimezone(local).date()
            if each.counted is not None and day <= today:
                first[each.line_id] = day
        known = {each.line_id for each in here}
        done = max(first.values(), default=None)
        undated = any(each.counted_at == stocktake.cutoff and each.counted is not None
                      for each in here)  # fmt: skip
        rows.append(_place_row(place, stocktake.due_on, done, today,
                               whole=len(first) == len(known), undated=undated)
                    | {"lines": len(known), "counted": len(first),
                       "not_counted": len(known) - len(first)})  # fmt: skip
    frame = pd.DataFrame(rows).astype(
        {
            "place": "str",
            "state": "str",
            "due_on": "datetime64[us]",
            "counted_on": "datetime64[us]",
            **dict.fromkeys(("days_late", "lines", "counted", "not_counted"), np.int64),
        }
    )
    return StocktakeStanding(due_on=stocktake.due_on, places=frame)


def _place_row(
    place: str,
    due: dt.date | None,
    done: dt.date | None,
    today: dt.date,
    *,
    whole: bool,
    undated: bool,
) -> dict[str, object]:
    until = done if done is not None and whole else today
    behind = 0 if due is None else max((until - due).days, 0)
    if done is None:
        state = "missing" if behind else "awaited"
    elif not whole:
        state = "incomplete" if behind else "awaited"
    elif undated and not behind and due is not None and today > due:
        state = "undated"
    else:
        state = "late" if behind else "on_time"
    return {
        "place": place,
        "due_on": due,
        "counted_on": done,
        "state": state,
        "days_late": behind,
    }
