"""The month of the service in one table: 客服月报 (HQ §6, §6.2, §6.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from memberops.errors import InvalidValueError, MissingColumnsError
from memberops.metrics.levels import UNASSIGNED, Level, as_levels
from memberops.metrics.service import CLOCK_SPANS, service_figures

__all__ = ["service_report"]

_COLUMNS = (
    "section", "level", "key", "item", "numerator", "denominator", "share",
    "mean_hours", "p90_hours", "undefined",
)  # fmt: skip
_ORDER = {"chain": 0, "region": 1, "store": 2}
_SECTIONS = (
    "state", "category", "root_cause", "clock", "visits", "messages", "satisfaction",
)  # fmt: skip
_VISITS = (
    ("coverage", "done", "planned"),
    ("on_time_share", "on_time", "done"),
    ("answer_share", "answered", "done"),
)


def service_report(
    states: pd.DataFrame,
    *,
    visits: pd.DataFrame | None = None,
    answers: pd.DataFrame | None = None,
    messages: pd.DataFrame | None = None,
    stores: pd.DataFrame | None = None,
    by: Level | Iterable[Level] = ("store", "chain"),
    spans: Mapping[str, tuple[str, str]] = CLOCK_SPANS,
) -> pd.DataFrame:
    """
    Sum up complaints, clocks, visits and satisfaction for each store, region, chain.

    Every share stands beside its numerator and its denominator, and is counted anew
    at each level, never averaged.

    Args:
        states: What ``ServiceLevels.decide_frame`` gives for the cases of the period,
            with ``store_id``; optional ``category``, ``root_cause``, ``closed_at``.
        visits: What `memberops.policies.visit_coverage` gives: a row a store.
        answers: What `memberops.metrics.satisfaction` gives by ``store_id``.
        messages: Messages that left, and of these the delivered: ``store_id``,
            ``messages``, ``delivered``, a row a store.
        stores: ``store_id`` with ``region_id``; needed for the level "region".
        by: ``"store"``, ``"region"``, ``"chain"``, or several.
        spans: See `service_figures`.

    Returns:
        One row a section, level, key and item. ``section`` is ``"state"`` (item
        ``open``, ``solved`` or ``closed``), ``"category"`` and ``"root_cause"`` (the
        cases' own words, ``""`` if unknown), ``"clock"`` (met in time of those due),
        ``"visits"`` (``coverage``, ``on_time_share``, ``answer_share``),
        ``"messages"`` (``delivered_share``) or
        ``"satisfaction"``; ``numerator`` and ``denominator`` are ``int64``, ``share``
        is a float, NaN where the denominator is 0; ``mean_hours`` and ``p90_hours``
        of clocks; ``undefined`` says why, such as ``"share: zero"``. The chain has its
        clocks even without a case.

    Raises:
        MissingColumnsError: A frame lacks a column.
        InvalidValueError: Regions are asked for, and no stores are given.

    >>> states = pd.DataFrame({"store_id": ["S1"],
    ...     "received_at": pd.to_datetime(["2026-11-05T01:00Z"]),
    ...     "replied_at": pd.to_datetime(["2026-11-05T03:00Z"]),
    ...     "reply_state": ["met"]})
    >>> table = service_report(states, by="chain",
    ...     spans={"reply": ("received_at", "replied_at")})
    >>> table[["section", "item", "numerator", "denominator"]].values.tolist()
    [['state', 'open', 1, 1], ['clock', 'reply', 1, 1]]
    """
    levels = as_levels(by)
    _need(states, "cases", ["store_id", "received_at"])
    pieces = []
    for level in sorted(levels, key=_ORDER.__getitem__):
        cases = _keyed(states, level, stores)
        whole = level == "chain"
        rows = [*_cases(cases), *_clocks(cases, spans, by=None if whole else "_key")]
        if visits is not None:
            _need(visits, "visits", ["store_id", "planned", "done", "on_time",
                                     "answered"])  # fmt: skip
            rows += _visits(_keyed(visits, level, stores))
        if messages is not None:
            _need(messages, "messages", ["store_id", "messages", "delivered"])
            rows += _delivered(_keyed(messages, level, stores))
        if answers is not None:
            _need(answers, "answers", ["store_id", "answers", "satisfied"])
            rows += _satisfied(_keyed(answers, level, stores))
        pieces.append(pd.DataFrame(rows, columns=_COLUMNS).assign(level=level))
    table = pd.concat(pieces, ignore_index=True)
    counts = ["numerator", "denominator"]
    texts = ["section", "level", "key", "item", "undefined"]
    shares = ["share", "mean_hours", "p90_hours"]
    table = table.astype(
        dict.fromkeys(counts, "int64")
        | dict.fromkeys(texts, "str")
        | dict.fromkeys(shares, "float64")
    )
    table["_section"] = table["section"].map(_SECTIONS.index)
    table["_level"] = table["level"].map(_ORDER)
    table["_unassigned"] = table["key"] == UNASSIGNED
    order = ["_section", "_level", "_unassigned", "key"]
    sorted_rows: pd.DataFrame = table.sort_values(order, kind="stable")
    return sorted_rows[list(_COLUMNS)].reset_index(drop=True)


def _need(frame: pd.DataFrame, name: str, columns: Iterable[str]) -> None:
    missing = [column for column in columns if column not in frame]
    if missing:
        raise MissingColumnsError(name, missing, [str(each) for each in frame])


def _keyed(
    frame: pd.DataFrame, level: str, stores: pd.DataFrame | None
) -> pd.DataFrame:
    """Say to which key of a level each row belongs."""
    if level == "chain":
        return frame.assign(_key="chain")
    store = frame["store_id"].astype(object).where(frame["store_id"].notna(), "")
    if level == "region":
        if stores is None:
            raise InvalidValueError(
                "the level 'region' needs stores= with store_id and region_id"
            )
        _need(stores, "stores", ["store_id", "region_id"])
        known = dict(zip(stores["store_id"], stores["region_id"], strict=True))
        store = store.map(known)
    key = store.where(store.notna() & (store != ""), UNASSIGNED)
    return frame.assign(_key=key.astype("str"))


def _row(
    section: str, key: Any, item: str, count: tuple[int, int], **more: Any
) -> dict[str, Any]:
    above, below = int(count[0]), int(count[1])
    return {
        "section": section,
        "level": "",
        "key": key,
        "item": item,
        "numerator": above,
        "denominator": below,
        "share": above / below if below else np.nan,
        "mean_hours": np.nan,
        "p90_hours": np.nan,
        "undefined": "" if below else "share: zero",
    } | more


def _cases(cases: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    state = np.full(len(cases), "open", dtype=object)
    for name in ("solved", "closed"):
        if f"{name}_at" in cases:
            state[cases[f"{name}_at"].notna().to_numpy(dtype=bool)] = name
    told = cases.assign(state=state)
    for section in ("state", "category", "root_cause"):
        if section not in told:
            continue
        words = told[section].astype(object)
        items = words.where(words.notna(), "").astype("str").tolist()
        of_key: dict[str, Counter[str]] = {}
        for key, item in zip(told["_key"].tolist(), items, strict=True):
            of_key.setdefault(key, Counter())[item] += 1
        for key, counts in sorted(of_key.items()):
            ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
            rows += [
                _row(section, key, item, (number, counts.total()))
                for item, number in ordered
            ]
    return rows


def _clocks(
    cases: pd.DataFrame, spans: Mapping[str, tuple[str, str]], *, by: str | None
) -> list[dict[str, Any]]:
    figures = service_figures(cases, by=by, spans=spans)
    rows = []
    for each in figures.to_dict("records"):
        judged = each["met"] + each["met_late"] + each["breached"]
        done = pd.notna(each["mean_hours"])
        reasons = [] if judged else ["share: zero"]
        reasons += [] if done else ["mean_hours: zero", "p90_hours: zero"]
        rows.append(
            _row(
                "clock",
                each["key"],
                each["clock"],
                (each["met"], judged),
                mean_hours=each["mean_hours"],
                p90_hours=each["p90_hours"],
                undefined="; ".join(reasons),
            )
        )
    return rows


def _visits(visits: pd.DataFrame) -> list[dict[str, Any]]:
    names = ["planned", "done", "on_time", "answered"]
    sums = visits.groupby("_key", sort=True)[names].sum()
    return [
        _row("visits", key, item, (row[above], row[below]))
        for key, row in sums.iterrows()
        for item, above, below in _VISITS
    ]


def _delivered(messages: pd.DataFrame) -> list[dict[str, Any]]:
    sums = messages.groupby("_key", sort=True)[["delivered", "messages"]].sum()
    return [
        _row("messages", key, "delivered_share", (row["delivered"], row["messages"]))
        for key, row in sums.iterrows()
    ]


def _satisfied(answers: pd.DataFrame) -> list[dict[str, Any]]:
    sums = answers.groupby("_key", sort=True)[["satisfied", "answers"]].sum()
    return [
        _row(
            "satisfaction",
            key,
            "satisfaction_rate",
            (row["satisfied"], row["answers"]),
        )
        for key, row in sums.iterrows()
    ]
