"""Members valid, lapsed, won back and gone at the ends of periods, by home store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from memberops.metrics.buyers import Buyers
from memberops.metrics.levels import Places
from memberops.metrics.people import People
from memberops.metrics.policy import MetricPolicy
from memberops.metrics.spans import Spans
from memberops.metrics.validity import Moments, count_moments
from memberops.schedules import lapse_cutoff

__all__ = ["count_standing"]

Ints = npt.NDArray[np.int64]


def _ymd(day: dt.date) -> int:
    return day.year * 10000 + day.month * 100 + day.day


def _enrolments(people: People) -> tuple[Ints, Ints]:
    """Return who enrolled when; where it is not said, with the first card."""
    since = people.joined.copy()
    first = np.full(len(since), np.iinfo(np.int64).max)
    np.minimum.at(first, people.cards.member, people.cards.first)
    unsaid = (since == 0) & (first < np.iinfo(np.int64).max)
    since[unsaid] = first[unsaid]
    known = np.flatnonzero((since > 0) & people.enrolled)
    return known, since[known]


def count_standing(
    buyers: Buyers,
    people: People,
    places: Places,
    *,
    runs: Sequence[Sequence[dt.date]],
    spans: Spans,
    policy: MetricPolicy,
) -> dict[str, dict[tuple[dt.date, dt.date], Ints]]:
    """
    Count members by the store that enrolled them at the end of each period.

    Args:
        buyers: The members' rows of the facts.
        people: The members.
        places: The stores.
        runs: Days in order; each but the first ends a period.
        spans: The atoms' meaning.
        policy: When a member has lapsed.

    Returns:
        By name, then by the two last days, an array by key: ``valid_members``,
        ``lapsed_at_start``, ``newly_lapsed``, ``won_back``, ``left``,
        ``lapsed_at_end``.
    """
    bought = buyers.tickets > 0
    day_of_atom = np.array([_ymd(day) for day in spans.cuts], np.int64)
    member, since = _enrolments(people)
    activity = (
        np.concatenate([buyers.member[bought], member]),
        np.concatenate([day_of_atom[buyers.atom[bought]], since]),
    )
    home = places.numbers(people.store)
    names = ("valid_members", "lapsed_at_start", "newly_lapsed", "won_back", "left",
             "lapsed_at_end")  # fmt: skip
    result: dict[str, dict[tuple[dt.date, dt.date], Ints]] = {
        name: {} for name in names
    }
    for run in runs:
        cutoffs = [lapse_cutoff(day, policy.lapse_months) for day in run]
        counts = count_moments(
            Moments(
                np.array([_ymd(day) for day in run], np.int64),
                np.array([_ymd(day) for day in cutoffs], np.int64),
            ),
            cards=people.cards,
            activity=activity,
            home=home,
            homes=places.count,
        )
        valid = places.spread(counts.valid)
        lapsed = places.spread(counts.lapsed)
        won_back = places.spread(counts.won_back)
        left = places.spread(counts.left)
        for moment, day in enumerate(run[1:], start=1):
            ends = run[moment - 1], day
            before, after = lapsed[:, moment - 1], lapsed[:, moment]
            back, gone = won_back[:, moment], left[:, moment]
            result["valid_members"][ends] = valid[:, moment]
            result["lapsed_at_start"][ends] = before
            result["lapsed_at_end"][ends] = after
            result["won_back"][ends] = back
            result["left"][ends] = gone
            result["newly_lapsed"][ends] = after - before + back + gone
    return result
