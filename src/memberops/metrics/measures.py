"""
Measures: what is counted, in one pass over the lines, for any set of periods.

The lines are reduced once, on their own engine, to facts (`memberops.metrics.facts`);
everything else reads the facts. Distinct members are counted at each level and never
added up; amounts, tickets and items are added up from the stores.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Literal, get_args

import attrs
import numpy as np
import numpy.typing as npt
import pandas as pd

from memberops.errors import InvalidValueError, nearest
from memberops.metrics.buyers import count_buyers, numbered_buyers
from memberops.metrics.engine import Engine, local_engine
from memberops.metrics.enrolment import members_from_sales
from memberops.metrics.facts import reduce_sales
from memberops.metrics.levels import UNASSIGNED, Level, as_levels, place_stores
from memberops.metrics.people import number_people
from memberops.metrics.policy import MetricPolicy
from memberops.metrics.spans import Spans, as_periods
from memberops.metrics.standing import count_standing
from memberops.metrics.totals import total_sales
from memberops.schedules import Period, lapse_cutoff

__all__ = ["Measures", "Part", "measure", "measured"]

Part = Literal["sales", "buyers", "members"]
Ints = npt.NDArray[np.int64]
Span = tuple[dt.date, dt.date]
_ALL: tuple[Part, ...] = get_args(Part)


@attrs.frozen(kw_only=True, eq=False)
class Measures:
    """
    Base figures by level, key and span of days, as whole numbers.

    Args:
        figures: By name, an array of shape (keys, spans).
        standing: By name, then by the last days of the period before and of the
            period, an array by key.
        keys: Pairs of level and key.
        spans: Half-open spans of days (start, end).
        periods: The periods that were asked for.
        policy: What the figures mean.
        parts: Which groups of figures were measured.
        regions: Store id to region id, as far as known.
        sold_stores: By span, the ids of the stores that sold anything.
    """

    figures: dict[str, Ints] = attrs.field(repr=False)
    standing: dict[str, dict[Span, Ints]] = attrs.field(repr=False)
    keys: tuple[tuple[Level, str], ...] = attrs.field(repr=False)
    spans: tuple[Span, ...] = attrs.field(repr=False)
    periods: tuple[Period, ...]
    policy: MetricPolicy
    parts: tuple[Part, ...]
    regions: dict[str, str] = attrs.field(repr=False)
    sold_stores: dict[Span, frozenset[str]] = attrs.field(repr=False)

    def table(self, names: Sequence[str], *, compared: bool = False) -> pd.DataFrame:
        """
        Return base figures, one row a level, key and period.

        Args:
            names: The figures wanted.
            compared: Whether to give ``…_previous`` and ``…_year_before`` beside.

        Returns:
            ``level``, ``key``, ``period`` (label) and an ``int64`` column a figure.
            Keys that stand for "unassigned" appear only where something counts.

        Raises:
            InvalidValueError: A figure was not measured.
        """
        count = len(self.keys)
        columns: dict[str, Any] = {
            "level": [level for level, _ in self.keys] * len(self.periods),
            "key": [key for _, key in self.keys] * len(self.periods),
            "period": [each.label for each in self.periods for _ in range(count)],
        }
        frame = pd.DataFrame(columns, dtype="str")
        spans = {"": self.periods}
        if compared:
            spans["_previous"] = tuple(each.previous() for each in self.periods)
            spans["_year_before"] = tuple(each.year_before() for each in self.periods)
        values = {
            name + suffix: np.concatenate([self._values(name, each) for each in given])
            for suffix, given in spans.items()
            for name in names
        }
        table = pd.concat([frame, pd.DataFrame(values)], axis=1)
        idle = np.ones(len(table), np.bool_)
        for each in values.values():
            idle &= each == 0
        idle &= (table["key"] == UNASSIGNED).to_numpy()
        return table[~idle].reset_index(drop=True)

    def stores_with_sales(self) -> dict[str, frozenset[str]]:
        """Return the ids of the stores that sold anything, by period label."""
        return {
            period.label: self.sold_stores[(period.start, period.end)]
            for period in self.periods
        }

    def _values(self, name: str, span: Period) -> Ints:
        if name in self.standing:
            return self.standing[name][span.previous().through, span.through]
        if name not in self.figures:
            raise InvalidValueError(
                f"{name!r} was not measured; "
                f"{nearest(name, (*self.figures, *self.standing))}: "
                "ask measure() for its part"
            )
        return self.figures[name][:, self.spans.index((span.start, span.end))]


def measure(
    sales: Any,
    *,
    period: Period | Iterable[Period],
    by: Level | Iterable[Level] = "chain",
    members: Any = None,
    cards: Any = None,
    stores: Any = None,
    policy: MetricPolicy | None = None,
    parts: Iterable[Part] = _ALL,
    engine: Engine = "auto",
) -> Measures:
    """
    Count the base figures of all analyses in one pass over the sales lines.

    Args:
        sales: Frame of any engine, see `memberops.tables.SALES`.
        period: One period or several; those compared with are added.
        by: ``"store"``, ``"region"``, ``"chain"``, or several of them.
        members: Frame of any engine, see `memberops.tables.MEMBERS`. Without it and
            without cards, whoever ever bought is a member from the first purchase on.
        cards: Frame of any engine, see `memberops.tables.CARDS`. Without it a
            membership begins with the enrolment and does not end.
        stores: Frame of any engine, see `memberops.tables.STORES`; needed for
            regions.
        policy: What the figures mean where chains differ.
        parts: ``"sales"`` (amounts, tickets, items), ``"buyers"`` (consuming
            members by band, gender and age), ``"members"`` (valid and lapsed).
        engine: Where the reduced facts are worked on; all give the same digits.

    Returns:
        `Measures`; amounts are ``int64`` minor units.

    Raises:
        MissingColumnsError: A frame lacks a column that is needed.
        ColumnTypeError: A column has a type that its table forbids.
        InvalidValueError: An unknown level or part, no period, or regions asked for
            without stores.
    """
    policy = policy or MetricPolicy()
    periods, levels = as_periods(period), as_levels(by)
    wanted = tuple(dict.fromkeys(parts))
    for part in wanted:
        if part not in _ALL:
            raise InvalidValueError(f"unknown part {part!r}; {nearest(part, _ALL)}")
    chosen = local_engine(engine)
    shown = _shown(periods)
    runs = _runs(periods) if "members" in wanted else []
    windows = [_window(day, policy) for run in runs for day in run]
    spans = Spans.of([*shown, *windows])
    facts = reduce_sales(sales, spans, policy=policy, engine=chosen)
    people = None
    if {"buyers", "members"} & set(wanted):
        if members is None and cards is None and "members" in wanted:
            members = members_from_sales(
                sales, end=spans.end, policy=policy, engine=chosen
            )
        people = number_people(facts, members=members, cards=cards, engine=chosen)
    places = place_stores(
        facts, stores, levels, None if people is None else people.store
    )
    figures, sold_stores = total_sales(facts, places, shown)
    standing: dict[str, dict[Span, Ints]] = {}
    if people is not None:
        buyers = numbered_buyers(facts, people, places)
        if "buyers" in wanted:
            figures |= count_buyers(
                buyers, people, places, spans=spans, shown=shown, policy=policy
            )
        if "members" in wanted:
            standing = count_standing(
                buyers, people, places, runs=runs, spans=spans, policy=policy
            )
    return Measures(
        figures=figures,
        standing=standing,
        keys=places.keys,
        spans=tuple(shown),
        periods=periods,
        policy=policy,
        parts=wanted,
        regions=places.regions,
        sold_stores=sold_stores,
    )


def measured(
    sales: Any, *, period: Period | Iterable[Period] | None, **options: Any
) -> Measures:
    """
    Measure, unless *sales* is `Measures` already: then nothing is counted again.

    Raises:
        InvalidValueError: No period is given for a frame; or for `Measures` an option
            that was decided when measuring, or a part that was not measured.
    """
    if isinstance(sales, Measures):
        return _as_measured(sales, period, options)
    if period is None:
        raise InvalidValueError(
            "'period' is needed, such as period=Period.month(2026, 10)"
        )
    return measure(sales, period=period, **options)


def _as_measured(
    measures: Measures, period: object, options: dict[str, Any]
) -> Measures:
    """Refuse options that were decided when measuring, and parts that were not."""
    by, engine = options.pop("by", "chain"), options.pop("engine", "auto")
    parts = options.pop("parts")
    given = [name for name, value in options.items() if value is not None]
    given += ["period"] if period is not None else []
    given += ["by"] if by not in ("chain", ("store",)) else []
    given += ["engine"] if engine != "auto" else []
    if given:
        raise InvalidValueError(
            f"{', '.join(map(repr, given))} cannot be changed for Measures: "
            "they were decided when it was measured"
        )
    missing = [part for part in parts if part not in measures.parts]
    if missing:
        raise InvalidValueError(
            f"the part {missing[0]!r} was not measured: "
            f"measure(..., parts={(*measures.parts, *missing)!r})"
        )
    if by == ("store",) and not any(level == "store" for level, _ in measures.keys):
        raise InvalidValueError("stores were not measured: measure(..., by='store')")
    return measures


def _shown(periods: Sequence[Period]) -> list[Span]:
    spans = (
        (each.start, each.end)
        for one in periods
        for each in (one, one.previous(), one.year_before())
    )
    return list(dict.fromkeys(spans))


def _runs(periods: Sequence[Period]) -> list[list[dt.date]]:
    """Chain periods end to end, so that the flows between their ends are counted."""
    runs: list[list[dt.date]] = []
    for period in sorted(periods, key=lambda each: (each.kind, each.start)):
        before, day = period.previous().through, period.through
        if runs and runs[-1][-1] == before:
            runs[-1].append(day)
        else:
            runs.append([before, day])
    return runs


def _window(day: dt.date, policy: MetricPolicy) -> Span:
    """Return the days on which a purchase keeps a member from having lapsed."""
    one = dt.timedelta(days=1)
    return lapse_cutoff(day, policy.lapse_months) + one, day + one
