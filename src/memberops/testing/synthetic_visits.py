"""The visits of a made-up chain, planned by the manual's policy, and who refused."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from memberops.policies import plan_visits, visit_facts, visit_standing
from memberops.schedules import Period
from memberops.testing.draws import anniversaries, chance, generator, pick, texts

if TYPE_CHECKING:
    from memberops.testing.synthetic_chain import SyntheticChain
    from memberops.testing.synthetic_members import People

__all__ = ["made_consents", "made_visits"]

_DAY = np.timedelta64(1, "D")
_NO_DAY = np.datetime64("NaT", "us")
_WEEK = 7
_MONTHS_BACK = 4
_SAID = ("sms", "all", "phone", "mail", "in_person")
_SAID_SHARES = (0.45, 0.2, 0.2, 0.1, 0.05)
_SOURCES = ("短信退订", "电话", "门店登记", None)
_APPLICATION = "会员申请表"
_OUTCOMES = ("done", "not_reached", "canceled", None)
_BY_PHONE = (0.76, 0.17, 0.03, 0.04)
_BY_MESSAGE = (0.97, 0.01, 0.01, 0.01)
_CALLS = ("phone", "in_person")
_DELAYS = (0.86, 0.1, 0.04)
_ANSWERS = ("满意", "最近较忙，有空会去", "希望有更多优惠", "价格偏高", "没有意见")
_REASONS = ("product_quality", "product_function", "service", "other")
_REASON_SHARES = (0.2, 0.1, 0.25, 0.45)


def made_consents(chain: SyntheticChain, people: People) -> pd.DataFrame:
    """
    Make what members said about being contacted.

    Some agreed when they applied, some refuse one channel or all later, and a few of
    those take it back.
    """
    draw = generator(chain.seed, "consents")
    count = chain.members
    last = np.datetime64(chain.last_day)
    since = (last - people.joined_on).astype(np.int64)
    agrees = chance(draw, 0.2, count)
    refuses = chance(draw, 0.07, count)
    back = refuses & chance(draw, 0.12, count)
    channel = np.array(_SAID, dtype=object)[pick(draw, _SAID_SHARES, count)]
    source = np.array(_SOURCES, dtype=object)[np.floor(draw.random(count) * 4).astype(
        np.int64)]  # fmt: skip
    first = np.floor(draw.random(count) * (since + 1)).astype(np.int64)
    second = first + np.floor(draw.random(count) * (since - first + 1)).astype(np.int64)
    who = people.members["member_id"].to_numpy(dtype=object)
    parts = (
        (agrees, "yes", np.zeros(count, np.int64), np.full(count, "all", object),
         np.full(count, _APPLICATION, object)),
        (refuses, "no", first, channel, source),
        (back, "yes", second, channel, source),
    )  # fmt: skip
    rows = pd.concat(
        [
            pd.DataFrame(
                {
                    "member_id": texts(who[some]),
                    "channel": texts(channels[some]),
                    "given": texts([given] * int(some.sum())),
                    "on": (people.joined_on + after * _DAY)[some].astype(
                        "datetime64[us]"
                    ),
                    "source": texts(sources[some]),
                }
            )
            for some, given, after, channels, sources in parts
        ],
        ignore_index=True,
    )
    return rows.sort_values("on", kind="stable").reset_index(drop=True)


def made_visits(
    chain: SyntheticChain,
    people: People,
    sales: pd.DataFrame,
    consents: pd.DataFrame,
    stores: pd.DataFrame,
) -> pd.DataFrame:
    """
    Make the visits of the last month and the days after it.

    They are what the manual's policy plans week by week (HQ §6.3), with what became
    of them by the chain's last day: done on the day or a little later, not reached,
    canceled, or nothing at all. Lunar birthdays are left out, for the calendar that
    places them is an extra.
    """
    planned = _planned(chain, people, sales, consents, stores)
    draw = generator(chain.seed, "visits")
    count = len(planned)
    last = np.datetime64(chain.last_day)
    called = planned["channel"].isin(_CALLS).to_numpy(bool)
    result = np.where(
        called, pick(draw, _BY_PHONE, count), pick(draw, _BY_MESSAGE, count)
    )
    late = np.where(called, pick(draw, _DELAYS, count), 0)
    done_on = planned["day"].to_numpy().astype("datetime64[D]") + late * _DAY
    result[done_on > last] = _OUTCOMES.index(None)
    outcome = np.array(_OUTCOMES, dtype=object)[result]
    dated = (outcome == "done") | (outcome == "not_reached")
    reached = outcome == "done"
    spoke = reached & np.where(
        called, chance(draw, 0.88, count), chance(draw, 0.06, count)
    )
    says = spoke & called & chance(draw, 0.5, count)
    lapsed = spoke & (planned["kind"] == "win_back").to_numpy(bool)
    reason = pick(draw, _REASON_SHARES, count)
    answer = np.floor(draw.random(count) * len(_ANSWERS)).astype(np.int64)
    return pd.DataFrame(
        {
            **{name: planned[name] for name in ("visit_id", "rule", "kind", "store_id",
                                                "member_id", "channel", "by")},
            "staff_id": _staff(planned, called, draw),
            **{name: planned[name] for name in ("due_on", "last_on", "day")},
            "outcome": texts(outcome),
            "done_on": np.where(dated, done_on.astype("datetime64[us]"), _NO_DAY),
            "answered": texts(
                np.where(spoke, "yes", "no").astype(object), missing=~reached
            ),
            "answer": texts([_ANSWERS[at] for at in answer.tolist()], missing=~says),
            "reason_code": texts(
                [_REASONS[at] for at in reason.tolist()], missing=~lapsed
            ),
        }
    )  # fmt: skip


def _planned(
    chain: SyntheticChain,
    people: People,
    sales: pd.DataFrame,
    consents: pd.DataFrame,
    stores: pd.DataFrame,
) -> pd.DataFrame:
    """Plan week by week from the last month's first day; the last week runs over."""
    begin, last = chain.month_days[-2], chain.last_day
    earliest = anniversaries(chain.month_days[-2:-1], -_MONTHS_BACK)[0]
    recent = sales[sales["sold_on"] >= pd.Timestamp(earliest)]
    lunar = people.members["birthday_calendar"] == "lunar"
    facts, _ = visit_facts(
        as_of=last,
        zone=chain.zone,
        members=people.members.assign(
            birth_date=people.members["birth_date"].mask(lunar),
            birthday_calendar=None,
        ),
        sales=recent,
        cards=people.cards,
    )
    standing, _ = visit_standing(
        as_of=last,
        zone=chain.zone,
        members=people.members,
        stores=stores,
        cards=people.cards,
        consents=consents,
    )
    plans: list[pd.DataFrame] = []
    monday: dt.date = begin.item()
    while monday <= last:
        week = Period.span(monday, monday + dt.timedelta(days=_WEEK - 1))
        rows = plan_visits(
            facts,
            standing,
            period=week,
            as_of=monday,
            planned=pd.concat(plans) if plans else None,
        ).rows
        plans.append(rows[rows["day"].notna()])
        monday = week.end
    made = pd.concat(plans, ignore_index=True)
    return made.sort_values(["day", "visit_id"]).reset_index(drop=True)


def _staff(planned: pd.DataFrame, called: Any, draw: np.random.Generator) -> Any:
    """Name who calls: staff of the store or of the head office; nobody for SMS."""
    pool = planned["store_id"].where(planned["by"] == "store", "HQ").astype(object)
    desk = 1 + np.floor(draw.random(len(planned)) * 4).astype(np.int64)
    names = [f"{home}-{n:02d}" for home, n in zip(pool, desk, strict=True)]
    return texts(names, missing=~called)
