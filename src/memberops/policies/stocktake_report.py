"""The count report with its dispositions, and its sums (总仓盘点报告, 盘点汇总表)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping

import pandas as pd

from memberops.domain.canonical import MAX_QUANTITY
from memberops.domain.gift import Place, PlaceKind
from memberops.domain.stocktake import (
    Approval,
    CountState,
    Difference,
    Explanation,
)
from memberops.errors import BalanceOverflowError
from memberops.policies.stocktake import StocktakePolicy
from memberops.policies.stocktake_calls import StocktakeStanding

__all__ = ["count_report", "count_summary"]

_TYPES = {
    "stocktake_id": "str", "line_id": "str", "place": "str", "region": "str",
    "gift_id": "str", "lot_id": "str", "valid_through": "datetime64[us]",
    "counted_at": "datetime64[us, UTC]", "counted_by": "str", "witnessed_by": "str",
    "recounts": "int64", "book": "int64", "counted": "Int64", "difference": "Int64",
    "value": "Int64", "state": "str", "reasons": "str", "reasons_zh": "str",
    "unexplained": "Int64", "outcome": "str", "approver": "str", "disposition": "str",
    "approved_by": "str", "approved_role": "str",
    "approved_at": "datetime64[us, UTC]", "settled": "bool", "later": "int64",
    "result": "Int64", "why_en": "str", "why_zh": "str",
}  # fmt: skip
_SUMS = (
    "places", "lines", "counted", "not_counted", "matched", "surplus_lines",
    "shortage_lines", "surplus", "shortage", "difference", "surplus_value",
    "shortage_value", "value", "unvalued", "open", "late", "missing",
    "incomplete",
)  # fmt: skip


_BEHIND = ("late", "missing", "incomplete")


def count_report(
    differences: Iterable[Difference],
    explanations: Iterable[Explanation] = (),
    approvals: Iterable[Approval] = (),
    *,
    as_of: dt.date,
    regions: Mapping[str, str] | None = None,
    policy: StocktakePolicy | None = None,
) -> pd.DataFrame:
    """
    Write the report of a stocktake: each line with what became of it (HQ §7).

    Args:
        differences: What the counts say (`memberops.ledger.differences`).
        explanations: The reasons given so far.
        approvals: What was said to differences; of several the latest counts.
        as_of: The day asked for.
        regions: Region of each store, by the store's id.
        policy: The rules.

    Returns:
        One row a line, in the order given: what was counted where, when and by whom;
        ``book``, ``counted``, ``difference``, ``value`` (minor units) and ``state``;
        ``reasons`` with their quantities and ``unexplained``, where there is something
        to explain; ``outcome`` of
        `StocktakePolicy.decide`, ``approver`` (the role still needed, or empty),
        ``disposition``, ``approved_by`` and so on; ``settled`` (whether the books
        agree by now), ``later`` and ``result``; ``why_en`` and ``why_zh``.
    """
    rules = StocktakePolicy() if policy is None else policy
    why: dict[str, list[Explanation]] = defaultdict(list)
    for each in explanations:
        why[each.line_id].append(each)
    said: dict[str, Approval] = {}
    for word in sorted(approvals, key=lambda approval: approval.at):
        said[word.line_id] = word
    rows = [
        _row(
            each,
            why[each.line.line_id],
            said.get(each.line.line_id),
            rules,
            as_of,
            _region(each.line.place, regions),
        )
        for each in differences
    ]
    return pd.DataFrame(rows, columns=list(_TYPES)).astype(_TYPES)


def _region(place: str, regions: Mapping[str, str] | None) -> str | None:
    where = Place(place)
    if where.kind is not PlaceKind.STORE:
        return None
    return (regions or {}).get(where.name.partition(":")[0])


def _row(  # noqa: PLR0917 - private, one caller
    shown: Difference,
    why: list[Explanation],
    approval: Approval | None,
    rules: StocktakePolicy,
    as_of: dt.date,
    region: str | None,
) -> dict[str, object]:
    line = shown.line
    decided = rules.decide(shown, why, approval, as_of=as_of, region=region)
    roles = [dict(reason.figures)["role"] for reason in decided.reasons
             if reason.rule == "role"]  # fmt: skip
    if decided.outcome == "agrees":
        why = []
    texts = {each.code: each for each in rules.reasons}
    named = [(each, texts.get(each.reason)) for each in why]
    over = approval if decided.outcome in {"approved", "refused"} else None
    return {
        "stocktake_id": line.stocktake_id,
        "line_id": line.line_id,
        "place": line.place,
        "region": region or "",
        "gift_id": line.gift_id,
        "lot_id": line.lot_id or "",
        "valid_through": line.valid_through,
        "counted_at": line.counted_at,
        "counted_by": line.counted_by or "",
        "witnessed_by": line.witnessed_by or "",
        "recounts": line.recount,
        "book": shown.book,
        "counted": line.counted,
        "difference": shown.quantity,
        "value": None if shown.value is None else shown.value.minor,
        "state": str(shown.state),
        "reasons": "; ".join(
            f"{text.text_en if text else each.reason} {each.quantity:+d}"
            for each, text in named
        ),
        "reasons_zh": "；".join(
            f"{text.text_zh if text else each.reason} {each.quantity:+d}"
            for each, text in named
        ),
        "unexplained": 0 if decided.outcome == "agrees" else shown.unexplained(why),
        "outcome": decided.outcome,
        "approver": roles[0] if roles else "",
        "disposition": "; ".join(each.disposition for each in why if each.disposition),
        "approved_by": "" if over is None else over.by,
        "approved_role": "" if over is None else over.role,
        "approved_at": None if over is None else over.at,
        "settled": shown.settled,
        "later": shown.later,
        "result": shown.result,
        "why_en": decided.explain("en"),
        "why_zh": decided.explain("zh"),
    }


def count_summary(
    report: pd.DataFrame, *, standing: StocktakeStanding | None = None,
    regions: Mapping[str, str] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """
    Add a count report up by store and warehouse, region and chain.

    Args:
        report: What `count_report` gave.
        standing: For late and missing places, which then have a row without lines.
        regions: Region of each store, for places that have no line.

    Returns:
        One row per ``level`` (``"warehouse"``, ``"store"``, ``"region"``,
        ``"chain"``) and ``key``: how many places and lines; ``counted``,
        ``not_counted``, ``matched``, ``surplus_lines``, ``shortage_lines``; the
        quantities ``surplus``, ``shortage`` and ``difference`` (surplus less
        shortage), and their values in minor units; ``unvalued`` (lines with a
        difference whose value is not known); ``open`` (lines still to be explained,
        approved or recounted); ``late``, ``missing`` and ``incomplete`` places (counted
        in part when it was due). Whole numbers; those
        of stores and warehouses add up to the chain's.

    Raises:
        BalanceOverflowError: A sum would leave 64 bits.
    """
    sums: dict[tuple[int, str], dict[str, int]] = {}
    seen: set[str] = set()

    def add(place: str, region: str, figures: Mapping[str, int]) -> None:
        kind = Place(place).kind.value
        whole = ":".join(place.removesuffix(":damaged").split(":")[:2])
        keys = [(0, whole) if kind == "warehouse" else (1, Place(whole).name)]
        keys += [(2, region)] if region else []
        new = whole not in seen
        seen.add(whole)
        for key in [*keys, (3, "chain")]:
            row = sums.setdefault(key, dict.fromkeys(_SUMS, 0))
            row["places"] += new
            for name, figure in figures.items():
                row[name] += figure

    names = ["place", "region", "state", "difference", "value", "outcome"]
    for place, region, state, difference, value, outcome in zip(
        *(report[name].tolist() for name in names), strict=True
    ):
        add(place, region, _figures(state, difference, value, outcome))
    if standing is not None:
        for place, state in standing.places[["place", "state"]].itertuples(
            index=False, name=None
        ):
            behind = {word: int(state == word) for word in _BEHIND}
            add(place, _region(place, regions) or "", behind)
    if any(abs(sum_) > MAX_QUANTITY for row in sums.values() for sum_ in row.values()):
        raise BalanceOverflowError("a sum of the counts would leave 64 bits")
    levels = ("warehouse", "store", "region", "chain")
    rows = [{"level": levels[key[0]], "key": key[1], **row}
            for key, row in sorted(sums.items())]  # fmt: skip
    types = {"level": "str", "key": "str"} | dict.fromkeys(_SUMS, "int64")
    return pd.DataFrame(rows, columns=list(types)).astype(types)


def _figures(
    state: str, difference: object, value: object, outcome: str
) -> dict[str, int]:
    """Return what one line adds to the sums of its place."""
    size = difference if isinstance(difference, int) else 0
    worth = value if isinstance(value, int) else 0
    return {
        "lines": 1,
        "counted": int(state != CountState.NOT_COUNTED),
        "not_counted": int(state == CountState.NOT_COUNTED),
        "matched": int(state == CountState.AGREE),
        "surplus_lines": int(size > 0),
        "shortage_lines": int(size < 0),
        "surplus": max(size, 0),
        "shortage": max(-size, 0),
        "difference": size,
        "surplus_value": max(worth, 0),
        "shortage_value": max(-worth, 0),
        "value": worth,
        "unvalued": int(bool(size) and not isinstance(value, int)),
        "open": int(outcome in {"explain", "approve", "refused"}),
    }
