"""Consuming members: counted anew at each level, by band, gender and age."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Literal

import attrs
import narwhals as nw
import numpy as np
import numpy.typing as npt

from memberops.metrics.engine import sums
from memberops.metrics.facts import Facts
from memberops.metrics.levels import Places
from memberops.metrics.people import People
from memberops.metrics.policy import MetricPolicy
from memberops.metrics.spans import Spans
from memberops.schedules import is_month_end

__all__ = ["Buyers", "count_buyers", "numbered_buyers"]

Ints = npt.NDArray[np.int64]


@attrs.frozen(eq=False)
class Buyers:
    """
    The members' rows of the facts as arrays.

    Args:
        atom: When.
        store: Store number.
        member: Member number.
        amount: Net amount in minor units.
        tickets: Tickets that are purchases.
        backend: The library that groups.
    """

    atom: Ints
    store: Ints
    member: Ints
    amount: Ints
    tickets: Ints
    backend: Literal["polars", "pandas"]


def numbered_buyers(facts: Facts, people: People, places: Places) -> Buyers:
    """Give the members' rows of the facts their numbers."""
    rows = people.bought
    return Buyers(
        rows["atom"].to_numpy(),
        places.numbers(rows["store_id"].to_numpy()),
        rows["code"].to_numpy(),
        rows["amount"].to_numpy(),
        rows["tickets"].to_numpy(),
        facts.engine,
    )


def _units(
    atom: Ints, spans: Spans, shown: Sequence[tuple[dt.date, dt.date]]
) -> Iterator[tuple[npt.NDArray[np.bool_], Ints, list[int]]]:
    """
    Say which rows count to which span: in one pass where no spans overlap.

    Yields a mask of rows, the number of each of them among the spans that are counted
    together, and those spans.
    """
    owner = np.full(len(spans.cuts), -1, np.int64)
    overlapping = False
    for number, span in enumerate(shown):
        run = spans.atoms(span)
        overlapping |= bool((owner[run.start : run.stop] >= 0).any())
        owner[run.start : run.stop] = number
    if not overlapping:
        of_row = owner[atom]
        mask = of_row >= 0
        yield mask, of_row[mask], list(range(len(shown)))
        return
    for number, span in enumerate(shown):
        run = spans.atoms(span)
        mask = (atom >= run.start) & (atom < run.stop)
        yield mask, np.zeros(int(mask.sum()), np.int64), [number]


def _age_day(last: dt.date) -> int:
    """
    Number the day on which ages are taken, yyyymmdd.

    A month's end is written as its 31st: who was born on 29 February completes a year
    on the 28th in common years, as a card of that day does.
    """
    day = 31 if is_month_end(last) else last.day
    return last.year * 10000 + last.month * 100 + day


def count_buyers(
    buyers: Buyers,
    people: People,
    places: Places,
    *,
    spans: Spans,
    shown: Sequence[tuple[dt.date, dt.date]],
    policy: MetricPolicy,
) -> dict[str, Ints]:
    """
    Count the members with a purchase: all, by spending band, gender and age band.

    Returns:
        By name, an array of shape (keys, spans): ``consuming_members`` and
        ``members_…`` for every band, gender (``members_female``) and age band.
    """
    bands = np.array([0, *policy.band_edges], np.int64)
    ages = np.array(policy.ages, np.int64) * 10000
    last = np.array(
        [_age_day(end - dt.timedelta(days=1)) for _, end in shown], np.int64
    )
    groups = {
        "band": tuple(f"members_{name}" for name in policy.band_names),
        "gender": tuple(f"members_{name}" for name in policy.gender_names),
        "age": tuple(f"members_{name}" for name in policy.age_names),
    }
    shape = (len(places.keys), len(shown))
    counts = {
        name: np.zeros((*shape, len(names)), np.int64) for name, names in groups.items()
    }
    total = np.zeros(shape, np.int64)
    people_count = max(len(people.birth), 1)
    # Facts hold one row a store and member where a span is one atom.
    whole = all(len(spans.atoms(span)) == 1 for span in shown)
    for mask, unit, together in _units(buyers.atom, spans, shown):
        ends = last[together]
        for level, (begin, key_of) in places.offsets.items():
            keys = int(key_of.max()) + 1 if level != "store" else places.count
            cell = unit * keys + key_of[buyers.store[mask]]
            rows = (
                cell,
                buyers.member[mask],
                buyers.amount[mask],
                buyers.tickets[mask],
            )
            if level != "store" or not whole:
                rows = _net(*rows, people_count, buyers.backend)
            bought = rows[3] > 0
            cell, member, amount = (each[bought] for each in rows[:3])
            span = cell // keys
            birth = people.birth[member]
            age = np.zeros(len(member), np.int64)
            for edge in ages:
                age += birth + edge <= ends[span]
            age[(birth == 0) | (birth > ends[span])] = len(ages) + 1
            kinds = {
                "band": np.searchsorted(bands, amount, side="right"),
                "gender": people.gender[member],
                "age": age,
            }
            at = np.ix_(range(begin, begin + keys), together)
            size = len(together) * keys
            total[at] += np.bincount(cell, minlength=size).reshape(-1, keys).T
            for name, kind in kinds.items():
                width = len(groups[name])
                flat = np.bincount(cell * width + kind, minlength=size * width)
                counts[name][at] += flat.reshape(-1, keys, width).transpose(1, 0, 2)
    result = {"consuming_members": total}
    for name, names in groups.items():
        for number, column in enumerate(names):
            result[column] = counts[name][:, :, number]
    return result


def _net(  # noqa: PLR0917 - four columns and what groups them
    cell: Ints,
    member: Ints,
    amount: Ints,
    tickets: Ints,
    people: int,
    backend: Literal["polars", "pandas"],
) -> tuple[Ints, Ints, Ints, Ints]:
    """Add up a member's rows in a cell: stores of a region, atoms of a span."""
    frame = nw.from_dict(
        {"cell": cell * people + member, "amount": amount, "tickets": tickets},
        backend=backend,
    )
    rows = sums(frame, ["cell"], ["amount", "tickets"])
    both = rows["cell"].to_numpy()
    return (
        both // people,
        both % people,
        rows["amount"].to_numpy(),
        rows["tickets"].to_numpy(),
    )
