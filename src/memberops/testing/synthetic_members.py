"""The members of a made-up chain and the terms of their cards."""

from __future__ import annotations

import calendar
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pandas as pd

from memberops.testing.draws import (
    Bools,
    Days,
    Floats,
    Ints,
    anniversaries,
    chance,
    generator,
    pick,
    texts,
)

if TYPE_CHECKING:
    from memberops.testing.synthetic_chain import SyntheticChain

__all__ = ["People", "Terms", "card_terms", "made_members"]

_DAY = np.timedelta64(1, "D")
_NO_DAY = np.datetime64("NaT", "D")
_TERM_MONTHS = 12
_MONTHS_BEFORE = 36
_GENDERS = ("female", "male", "other", "unknown", None)
_GENDER_SHARES = (0.55, 0.36, 0.01, 0.05, 0.03)
_NEVER_BUY = 0.08
_DRIFT_AWAY = 0.35
_COME_BACK = 0.12


@attrs.frozen(kw_only=True, eq=False)
class People:
    """
    Members and cards, with what decides when and where they buy.

    Args:
        members: The canonical members.
        cards: The canonical card terms.
        joined_on: Day of enrolment of each member.
        buys_through: Last day on which each member may buy.
        home: Position of each member's store.
        appetite: Tickets a month relative to the average member; 0 never buys.
    """

    members: pd.DataFrame = attrs.field(repr=False)
    cards: pd.DataFrame = attrs.field(repr=False)
    joined_on: Days = attrs.field(repr=False)
    buys_through: Days = attrs.field(repr=False)
    home: Ints = attrs.field(repr=False)
    appetite: Floats = attrs.field(repr=False)


@attrs.frozen(kw_only=True, eq=False)
class Terms:
    """
    Card terms as arrays, one entry per term.

    Args:
        card: Position of the card.
        valid_from: First day.
        valid_through: Last day.
        anchor: The day the card's first term began.
    """

    card: Ints = attrs.field(repr=False)
    valid_from: Days = attrs.field(repr=False)
    valid_through: Days = attrs.field(repr=False)
    anchor: Days = attrs.field(repr=False)


def card_terms(
    anchors: Days,
    *,
    last_day: np.datetime64,
    renewal_share: float,
    seed: int,
    purpose: str,
) -> Terms:
    """
    Make the terms of cards: a year each from the anchor, until one is not renewed.

    A term that would begin after *last_day* is not made, so the terms of one card
    neither overlap nor leave a gap.

    Args:
        anchors: First day of each card.
        last_day: The last day that is known.
        renewal_share: How often a term is renewed.
        seed: The chain's seed.
        purpose: Names the stream of draws.
    """
    draw = generator(seed, purpose)
    cards: list[Ints] = []
    starts: list[Days] = []
    ends: list[Days] = []
    alive = np.flatnonzero(anchors <= last_day)
    term = 0
    while len(alive):
        begin = anniversaries(anchors[alive], _TERM_MONTHS * term)
        known = begin <= last_day
        alive, begin = alive[known], begin[known]
        cards.append(alive)
        starts.append(begin)
        ends.append(anniversaries(anchors[alive], _TERM_MONTHS * (term + 1)) - _DAY)
        alive = alive[draw.random(len(alive)) < renewal_share]
        term += 1
    if not cards:
        return Terms(
            card=np.array([], dtype=np.int64),
            valid_from=anchors[:0],
            valid_through=anchors[:0],
            anchor=anchors[:0],
        )
    card = np.concatenate(cards)
    order = np.argsort(card, kind="stable")
    card = card[order]
    return Terms(
        card=card,
        valid_from=np.concatenate(starts)[order],
        valid_through=np.concatenate(ends)[order],
        anchor=anchors[card],
    )


def made_members(chain: SyntheticChain) -> People:
    """Make the members and cards of *chain*."""
    draw = generator(chain.seed, "members")
    count = chain.members
    joined = _joined_on(chain, draw)
    birth = _birth_dates(joined, draw)
    home = pick(draw, chain.store_sizes(), count)
    home = np.where(chain.opened_on()[home] > joined, 0, home)
    gender = pick(draw, _GENDER_SHARES, count)
    referrer = np.floor(draw.random(count) * np.arange(count)).astype(np.int64)
    referred = chance(draw, 0.08, count) & (joined[referrer] < joined)
    without_phone = chance(draw, 0.03, count)

    width = max(5, len(str(count)))
    ids = np.array([f"M{n:0{width}d}" for n in range(1, count + 1)], dtype=object)
    stores = np.array(chain.store_ids(), dtype=object)
    members = pd.DataFrame(
        {
            "member_id": texts(ids),
            "name": texts([f"会员{n:0{width}d}" for n in range(1, count + 1)]),
            # No mobile number begins with 120: nobody can be called by mistake.
            "phone": texts(
                [f"120{n:08d}" for n in range(1, count + 1)], missing=without_phone
            ),
            "gender": texts([_GENDERS[position] for position in gender.tolist()]),
            "birth_date": birth.astype("datetime64[us]"),
            **_birthdays(chain, np.isnat(birth)),
            "store_id": texts(stores[home]),
            "joined_on": joined.astype("datetime64[us]"),
            "referrer_id": texts(ids[referrer], missing=~referred),
        }
    )
    cards, last_valid = _cards(chain, joined, ids)
    span = (last_valid - joined).astype(np.int64)
    drifts = chance(draw, _DRIFT_AWAY, count)
    drifted = joined + np.floor(draw.random(count) * (span + 1)).astype(
        "timedelta64[D]"
    )
    appetite = draw.standard_gamma(0.9, count) / 0.9
    return People(
        members=members,
        cards=cards,
        joined_on=joined,
        buys_through=np.where(drifts, drifted, last_valid),
        home=home,
        appetite=np.where(chance(draw, _NEVER_BUY, count), 0.0, appetite),
    )


def _joined_on(chain: SyntheticChain, draw: np.random.Generator) -> Days:
    first, after = chain.month_days[0], chain.month_days[-1]
    earliest = anniversaries(chain.month_days[:1], -_MONTHS_BEFORE)[0]
    before = int((first - earliest).astype(int))
    within = int((after - first).astype(int))
    offset = np.where(
        chance(draw, 0.55, chain.members),
        np.floor(draw.random(chain.members) * before) - before,
        np.floor(draw.random(chain.members) * within),
    )
    joined: Days = first + offset.astype("timedelta64[D]")
    leap = [
        day
        for year in range(earliest.item().year, after.item().year + 1)
        if calendar.isleap(year)
        and earliest <= (day := np.datetime64(f"{year}-02-29")) < after
    ]
    if leap:
        joined[: min(4, chain.members // 50)] = leap[-1]
    joined.sort()
    return joined


def _birth_dates(joined: Days, draw: np.random.Generator) -> Days:
    count = len(joined)
    years = 18 + 57 * draw.beta(1.8, 2.6, count)
    birth: Days = joined - np.floor(years * 365.25).astype("timedelta64[D]")
    # One member in 200 was born on 29 February.
    some = np.arange(count // 400, count, 200)
    year = birth[some].astype("datetime64[Y]").astype(np.int64) + 1970
    leap_year = [
        next(y for y in range(value, value - 9, -1) if calendar.isleap(y))
        for value in year.tolist()
    ]
    birth[some] = np.array([f"{y}-02-29" for y in leap_year], dtype="datetime64[D]")
    unknown = chance(draw, 0.06, count)
    unknown[some] = False
    birth[unknown] = _NO_DAY
    return birth


def _birthdays(chain: SyntheticChain, unknown: Bools) -> dict[str, pd.Series[Any]]:
    """
    Say in which calendar birthdays are kept, where members said so.

    Who keeps the lunar one and gave no birth date gave the lunar day, a few of them
    in a leap month; for the others it follows from the birth date.
    """
    draw = generator(chain.seed, "birthday calendars")
    count = chain.members
    lunar = chance(draw, 0.07, count) | (unknown & chance(draw, 0.3, count))
    said = lunar | chance(draw, 0.4, count)
    month = 1 + np.floor(draw.random(count) * 12).astype(np.int64)
    day = 1 + np.floor(draw.random(count) * 29).astype(np.int64)
    leap = chance(draw, 0.03, count)
    written = [
        f"{'L' if is_leap else ''}{m:02d}-{d:02d}"
        for m, d, is_leap in zip(month, day, leap, strict=True)
    ]
    return {
        "birthday_calendar": texts(
            np.where(lunar, "lunar", "solar").astype(object), missing=~said
        ),
        "lunar_birthday": texts(written, missing=~(lunar & unknown)),
    }


def _cards(chain: SyntheticChain, joined: Days, ids: Any) -> tuple[pd.DataFrame, Days]:
    """Return the card terms, and each member's last valid day within the chain's."""
    last = np.datetime64(chain.last_day)
    first = card_terms(
        joined,
        last_day=last,
        renewal_share=chain.renewal_share,
        seed=chain.seed,
        purpose="cards",
    )
    final = _last_by(first.card, first.valid_through, len(joined))
    # Some of those who let the card run out come back with a new one.
    draw = generator(chain.seed, "come back")
    away = 30 + np.floor(draw.random(len(joined)) * 150).astype("timedelta64[D]")
    back = final + away
    owner = np.flatnonzero((draw.random(len(joined)) < _COME_BACK) & (back <= last))
    second = card_terms(
        back[owner],
        last_day=last,
        renewal_share=chain.renewal_share,
        seed=chain.seed,
        purpose="second cards",
    )
    final[owner] = _last_by(second.card, second.valid_through, len(owner))

    card = np.concatenate([first.card, len(joined) + second.card])
    member = np.concatenate([first.card, owner[second.card]])
    total = len(joined) + len(owner)
    gold = chance(generator(chain.seed, "card kinds"), 0.15, total)
    frame = pd.DataFrame(
        {
            "card_id": texts([f"0088{number + 1:06d}" for number in card.tolist()]),
            "member_id": texts(ids[member]),
            "valid_from": _us(first.valid_from, second.valid_from),
            "valid_through": _us(first.valid_through, second.valid_through),
            "kind": texts(np.where(gold[card], "gold", "standard").astype(object)),
            "anchor": _us(first.anchor, second.anchor),
        }
    )
    return frame, np.minimum(final, last)


def _last_by(card: Ints, through: Days, count: int) -> Days:
    final = np.full(count, np.datetime64("1970-01-01"))
    final[card] = through  # terms are in order, so the last one stays
    return final


def _us(*parts: Days) -> Days:
    return np.concatenate(parts).astype("datetime64[us]")
