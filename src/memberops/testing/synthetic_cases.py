"""The complaints of a made-up chain, and how each went its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pandas as pd

from memberops.testing.draws import Ints, chance, generator, moments, pick, texts

if TYPE_CHECKING:
    from memberops.testing.synthetic_chain import SyntheticChain
    from memberops.testing.synthetic_members import People

__all__ = ["made_cases"]

_CASES_A_MONTH = 1.3
_CHANNELS = ("phone", "message", "store", "on_site", "email", "web", "mailbox", None)
_CHANNEL_SHARES = (0.34, 0.24, 0.16, 0.1, 0.06, 0.05, 0.03, 0.02)
_CATEGORIES = ("商品质量", "服务态度", "价格", "会员积分", "退换货")
_CATEGORY_SHARES = (0.36, 0.24, 0.14, 0.1, 0.16)
_STATEMENTS = (
    "买回去第二天就坏了",
    "店员不理人，等了很久",
    "标价和收银不一致",
    "积分没有到账",
    "要求退货被拒绝",
)
_CAUSES = ("批次缺陷", "人手不足", "价签未更新", "系统延迟", "员工不熟悉规定")
_HEAD_OFFICE = "HQ"
_OPENS, _CLOSES = 9 * 60, 18 * 60
_MINUTES_A_DAY = 24 * 60
_HOUR = 60.0
_DAY = 24 * _HOUR


@attrs.frozen
class _Event:
    """One thing that happened to a case, at a local minute counted from 1970."""

    case: int
    kind: str
    at: int
    by: str
    to: str | None = None
    until: int | None = None
    satisfied: str | None = None
    category: str | None = None


@attrs.define
class _Desk:
    """Whoever works on one case: each step takes a while, within office hours."""

    draw: np.random.Generator
    case: int
    at: int
    by: str
    events: list[_Event]

    def likely(self, share: float) -> bool:
        """Draw yes or no."""
        return bool(self.draw.random() < share)

    def do(self, kind: str, minutes: float, **more: Any) -> None:
        """Do the next thing, about so many minutes later."""
        self.at = self.later(minutes)
        event = _Event(self.case, kind, self.at, self.by, **more)
        self.events.append(event)

    def later(self, minutes: float) -> int:
        """Return a minute of office hours, about so many minutes later."""
        at = self.at + 1 + int(self.draw.standard_gamma(1.6) / 1.6 * minutes)
        day, minute = divmod(at, _MINUTES_A_DAY)
        if _OPENS <= minute < _CLOSES:
            return at
        morning = _OPENS + int(self.draw.random() * 90)
        return (day + (minute >= _CLOSES)) * _MINUTES_A_DAY + morning


def made_cases(
    chain: SyntheticChain, people: People
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Make the complaints of *chain*, and their events up to its last day.

    Cases wait for the customer, are promised a reply, passed on, escalated, moved to
    another category, opened again by an unsatisfied callback; those of the last days
    are still open.
    """
    draw = generator(chain.seed, "complaints")
    received, store = _received(chain, draw)
    count = len(received)
    members = people.members
    own = np.floor(draw.random(count) * len(members)).astype(np.int64)
    day = received // _MINUTES_A_DAY
    joined = people.joined_on.astype("datetime64[D]").astype(np.int64)
    is_member = chance(draw, 0.72, count) & (joined[own] <= day)
    category = pick(draw, _CATEGORY_SHARES, count)
    stores = np.array(chain.store_ids(), dtype=object)
    desk = 1 + np.floor(draw.random(count) * 4).astype(np.int64)
    handlers = [f"{stores[s]}-{n:02d}" for s, n in zip(store, desk, strict=True)]
    events = _events(chain, received, handlers, category)
    solved = {event.case for event in events if event.kind == "solved"}
    is_solved = np.array([number in solved for number in range(count)], dtype=bool)
    asked, paid = _amounts(chain, draw, is_solved)
    ids = np.array([f"K{number + 1:05d}" for number in range(count)], dtype=object)
    urgent = chance(draw, 0.06, count)
    knows_cause = is_solved & chance(draw, 0.8, count)
    name, phone = (members[n].to_numpy(dtype=object)[own] for n in ("name", "phone"))
    complaints = pd.DataFrame(
        {
            "case_id": texts(ids),
            "received_at": moments(received, chain.zone),
            "channel": texts(
                [_CHANNELS[at] for at in pick(draw, _CHANNEL_SHARES, count).tolist()]
            ),
            "store_id": texts(stores[store]),
            "member_id": texts(
                members["member_id"].to_numpy(dtype=object)[own], missing=~is_member
            ),
            "category": texts([_CATEGORIES[at] for at in category.tolist()]),
            "priority": texts(["urgent"] * count, missing=~urgent),
            "asked": asked,
            "handler": texts(handlers),
            "root_cause": texts(
                [_CAUSES[at] for at in category.tolist()], missing=~knows_cause
            ),
            "compensation": paid,
            "customer_name": texts(name, missing=~is_member),
            "customer_phone": texts(phone, missing=~is_member),
            "statement": texts([_STATEMENTS[at] for at in category.tolist()]),
        }
    )
    return complaints, _frame(chain, events, ids)


def _received(chain: SyntheticChain, draw: np.random.Generator) -> tuple[Ints, Ints]:
    """Draw the local minute and the store of each case, in order; one at least."""
    begin, end = chain.month_days[:-1], chain.month_days[1:]
    is_open = chain.opened_on()[:, None] <= begin[None, :]
    counts = draw.poisson(
        _CASES_A_MONTH * chain.store_sizes()[:, None] * is_open
    ).astype(np.int64)
    counts[0, -1] = max(counts[0, -1], 1)
    which = np.repeat(np.arange(counts.size), counts.ravel())
    month = which % chain.months
    first = begin[month].astype(np.int64)
    days = (end - begin).astype(np.int64)[month]
    day = first + np.floor(draw.random(len(which)) * days).astype(np.int64)
    minute = _OPENS + np.floor(draw.random(len(which)) * 12 * _HOUR).astype(np.int64)
    received = day * _MINUTES_A_DAY + minute
    order = np.argsort(received, kind="stable")
    return received[order], (which // chain.months)[order]


def _amounts(
    chain: SyntheticChain, draw: np.random.Generator, solved: Any
) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Draw what customers ask for and are paid, in minor units, with gaps."""
    count = len(solved)
    major = float(chain.typical_price) * np.exp(0.9 * draw.standard_normal(count))
    unit = 10**chain.currency.digits
    asked = np.maximum(np.round(major), 1).astype(np.int64) * unit
    asks = chance(draw, 0.4, count)
    pays = asks & solved & chance(draw, 0.7, count)
    half = chance(draw, 0.4, count)
    paid = np.where(half, np.maximum(asked // unit // 2, 1) * unit, asked)
    return (
        pd.Series(pd.arrays.IntegerArray(asked, ~asks)),
        pd.Series(pd.arrays.IntegerArray(paid, ~pays)),
    )


def _events(
    chain: SyntheticChain, received: Ints, handlers: list[str], category: Ints
) -> list[_Event]:
    """Let each case go its way, as far as it is known on the chain's last day."""
    draw = generator(chain.seed, "case events")
    events: list[_Event] = []
    for case, at in enumerate(received.tolist()):
        desk = _Desk(draw, case, at, handlers[case], [])
        _work(desk, int(category[case]))
        events += desk.events
    end = int(chain.month_days[-1].astype("datetime64[D]").astype(np.int64))
    known = [event for event in events if event.at < end * _MINUTES_A_DAY]
    return sorted(known, key=lambda event: (event.at, event.case))


def _work(desk: _Desk, category: int) -> None:
    if desk.likely(0.01):
        return  # nobody ever answered this one
    if desk.likely(0.1):
        desk.do("promised_reply", _HOUR, until=desk.later(2 * _DAY) + _MINUTES_A_DAY)
    desk.do("replied", 3 * _HOUR if desk.likely(0.9) else 2 * _DAY)
    if desk.likely(0.05):
        other = _CATEGORIES[(category + 1) % len(_CATEGORIES)]
        desk.do("reclassified", 2 * _HOUR, category=other)
    if desk.likely(0.16):
        desk.do("waiting_for_customer", 2 * _HOUR)
        if desk.likely(0.85):
            desk.do("customer_answered", 1.5 * _DAY)
    if desk.likely(0.12):
        desk.do("transferred", 5 * _HOUR, to=_HEAD_OFFICE)
        desk.by = f"{_HEAD_OFFICE}-01"
    if desk.likely(0.06):
        desk.do("escalated", _DAY, to=f"{_HEAD_OFFICE}-09")
    _finish(desk)
    ended = desk.events[-1].kind in ("solved", "callback")
    if ended and desk.likely(0.04):
        desk.do("reopened", 3 * _DAY)
        _finish(desk)
    if desk.events[-1].kind == "callback" and desk.likely(0.8):
        desk.do("closed", 4 * _HOUR)


def _finish(desk: _Desk) -> None:
    """Solve the case and call back, again if the customer is not satisfied."""
    if desk.likely(0.04):
        return  # left lying
    desk.do("solved", 12 * _HOUR if desk.likely(0.85) else 5 * _DAY)
    if desk.likely(0.12):
        return  # no callback
    unsatisfied = desk.likely(0.09)
    desk.do("callback", 1.5 * _DAY, satisfied="no" if unsatisfied else "yes")
    if unsatisfied:
        desk.do("solved", 1.5 * _DAY)
        known = desk.likely(0.8)
        desk.do("callback", 2 * _DAY, satisfied="yes" if known else None)


def _frame(chain: SyntheticChain, events: list[_Event], ids: Any) -> pd.DataFrame:
    at = np.array([event.at for event in events], dtype=np.int64)
    until = [event.until for event in events]
    return pd.DataFrame(
        {
            "case_id": texts([ids[event.case] for event in events]),
            "kind": texts([event.kind for event in events]),
            "at": moments(at, chain.zone),
            "by": texts([event.by for event in events]),
            "to": texts([event.to for event in events]),
            "until": moments(
                np.array([minute or 0 for minute in until], dtype=np.int64),
                chain.zone,
                missing=np.array([minute is None for minute in until], dtype=bool),
            ),
            "satisfied": texts([event.satisfied for event in events]),
            "category": texts([event.category for event in events]),
        }
    )
