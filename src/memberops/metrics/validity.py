"""Counting valid, lapsed and won-back members at the ends of consecutive periods."""

from __future__ import annotations

import attrs
import numpy as np
import numpy.typing as npt

from memberops.metrics.people import Islands

__all__ = ["MomentCounts", "Moments", "count_moments"]

Ints = npt.NDArray[np.int64]


@attrs.frozen(eq=False)
class Moments:
    """
    Days in order on which members are counted, each the end of a period.

    Args:
        days: yyyymmdd, rising.
        cutoffs: yyyymmdd; whoever last bought on or before it has lapsed that day.
    """

    days: Ints
    cutoffs: Ints


@attrs.frozen(eq=False)
class MomentCounts:
    """
    Members counted by home and moment: arrays of shape (homes, moments).

    The flows of a moment lie between the moment before and it; those of the first
    moment are not known and zero.

    Args:
        valid: Members with a valid card.
        lapsed: Valid members who have lapsed.
        won_back: Lapsed the moment before, valid and buying again now.
        left: Lapsed the moment before, whose card has ended since.
    """

    valid: Ints
    lapsed: Ints
    won_back: Ints
    left: Ints


def _merged(member: Ints, first: Ints, last: Ints, moments: int) -> Islands:
    """Merge runs of moments that touch or overlap, so that runs are maximal."""
    keep = first <= last
    width = moments + 2
    # One whole number for each run sorts several times faster than three columns.
    packed = np.sort((member[keep] * width + first[keep]) * width + last[keep])
    rest, last = np.divmod(packed, width)
    member, first = np.divmod(rest, width)
    if not len(member):
        return Islands(member, first, last)
    base = member * width
    reach = np.maximum.accumulate(base + last)
    begins = np.ones(len(member), np.bool_)
    # A run of another member lies a whole base away, so it always begins anew.
    begins[1:] = base[1:] + first[1:] > reach[:-1] + 1
    begins[1:] |= member[1:] != member[:-1]
    starts = np.flatnonzero(begins)
    ends = np.append(starts[1:], len(member)) - 1
    return Islands(member[starts], first[starts], reach[ends] - base[ends])


def _meet(active: Islands, valid: Islands) -> tuple[Ints, Ints]:
    """Pair every active run with every valid run of the same member, by position."""
    left = np.searchsorted(valid.member, active.member, side="left")
    right = np.searchsorted(valid.member, active.member, side="right")
    count = right - left
    rows = np.repeat(np.arange(len(active.member)), count)
    offset = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    return rows, np.repeat(left, count) + offset


def _events(homes: int, moments: int, home: Ints, moment: Ints) -> Ints:
    """Count events by home and moment; one past the last moment is kept apart."""
    flat = np.bincount(home * (moments + 1) + moment, minlength=homes * (moments + 1))
    return flat.reshape(homes, moments + 1).astype(np.int64)


def _standing(homes: int, moments: int, home: Ints, runs: tuple[Ints, Ints]) -> Ints:
    """Count runs that cover each moment."""
    first, last = runs
    change = _events(homes, moments, home, first)
    change -= _events(homes, moments, home, last + 1)
    return np.cumsum(change, axis=1)[:, :moments]


def count_moments(
    moments: Moments,
    *,
    cards: Islands,
    activity: tuple[Ints, Ints],
    home: Ints,
    homes: int,
) -> MomentCounts:
    """
    Count members by home store at each moment, and the flows between moments.

    A purchase keeps its member active at every moment from its day until it lies on or
    before the moment's cutoff. Both the active and the valid moments of a member are
    merged into runs, and the runs' ends are the events: nothing is expanded.

    Args:
        moments: The days, and the cutoff of each.
        cards: Runs of valid days by member number.
        activity: Member numbers and days (yyyymmdd) of purchases and enrolments.
        home: Home store number by member number.
        homes: How many home stores there are.

    Returns:
        Counts by home and moment.
    """
    size = len(moments.days)
    valid = _merged(
        cards.member,
        np.searchsorted(moments.days, cards.first, side="left"),
        np.searchsorted(moments.days, cards.last, side="right") - 1,
        size,
    )
    member, day = activity
    active = _merged(
        member,
        np.searchsorted(moments.days, day, side="left"),
        np.searchsorted(moments.cutoffs, day, side="left") - 1,
        size,
    )
    at_home = home[valid.member]
    valid_count = _standing(homes, size, at_home, (valid.first, valid.last))
    a, v = _meet(active, valid)
    first = np.maximum(active.first[a], valid.first[v])
    last = np.minimum(active.last[a], valid.last[v])
    meets = first <= last
    a, v, first, last = a[meets], v[meets], first[meets], last[meets]
    met_home = home[valid.member[v]]
    buying = _standing(homes, size, met_home, (first, last))
    # Won back: the active run begins at a moment before which the card was valid.
    back = (active.first[a] == first) & (first > valid.first[v])
    won_back = _events(homes, size, met_home[back], first[back])[:, :size]
    # Left: the card's run ended at a moment at which the member was not active.
    ended = _events(homes, size, at_home, valid.last + 1)[:, :size]
    still = last == valid.last[v]
    ended_active = _events(homes, size, met_home[still], last[still] + 1)[:, :size]
    return MomentCounts(
        valid_count, valid_count - buying, won_back, ended - ended_active
    )
