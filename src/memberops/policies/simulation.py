"""Waiver policies compared over history: who would pay, and what it would bring."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import attrs
import narwhals as nw
import numpy as np
import pandas as pd

from memberops.domain.values import check_as_of
from memberops.errors import (
    CurrencyMismatchError,
    InvalidValueError,
    MissingColumnsError,
)
from memberops.policies.fee_waiver import FeeWaiver, waiver_texts
from memberops.policies.fees import MembershipFee
from memberops.policies.figures import Frame, day_number, entered, number_of
from memberops.policies.free_years import FREE
from memberops.schedules import Period
from memberops.tables import CARDS

__all__ = ["Simulation", "simulate"]

_NEEDED = ("card_id", "member_id", "valid_from", "valid_through")
_KEPT = (*_NEEDED, "anchor", "kind", "store_id")


@attrs.frozen(kw_only=True)
class Simulation:
    """
    What each policy would have decided, as pandas frames; money in minor units.

    Args:
        by_policy: One row a policy: ``policy``, ``policy_id``, ``version``, ``cards``,
            ``waived``, ``fee_due``, ``fee_income``, ``fee_waived``, ``changed`` (cards
            whose answer differs from that of the first policy).
        by_store: The same by ``policy`` and ``store_id`` (with ``region_id`` if stores
            were given); ``""`` where a card has none.
        by_tier: The same by ``policy`` and ``tier``.
        changed: One row a card whose answer is not the same under all policies: its
            ids and days, and for each policy ``waived_<policy>``, ``fee_<policy>`` and
            the reasons ``<policy>_en`` and ``<policy>_zh``.
    """

    by_policy: pd.DataFrame
    by_store: pd.DataFrame
    by_tier: pd.DataFrame
    changed: pd.DataFrame


def simulate(
    policies: Mapping[str, FeeWaiver],
    *,
    tickets: Any,
    cards: Any,
    as_of: dt.date,
    fees: MembershipFee | Mapping[str, MembershipFee],
    period: Period | None = None,
    members: Any = None,
    stores: Any = None,
    tiers: Any = None,
) -> Simulation:
    """
    Decide the cards of the past by several policies, and compare.

    Each term that ended in the period is decided once, with the tickets of its own
    year; a term whose last day is later than *as_of* is left out, for its year is not
    over.

    Args:
        policies: Waivers by the name under which they are compared; the first is what
            the others are compared with.
        tickets: As `FeeWaiver.figures` takes them; or one frame for each policy, by
            name, where exclusions were taken off sales lines.
        cards: One row a term, of the same engine: ``card_id``, ``member_id``,
            ``valid_from``, ``valid_through``; optional ``anchor``, ``kind``,
            ``store_id``.
        as_of: Tickets after this day are not known.
        fees: What a term costs; or one for each policy, by name.
        period: Only terms whose last day lies in it.
        members: Optional: ``member_id`` with ``store_id``, for cards without a store.
        stores: Optional: ``store_id`` with ``region_id``.
        tiers: Optional: ``member_id`` with ``tier``.

    Raises:
        InvalidValueError: There is no policy, or a policy has no fees or tickets.
        CurrencyMismatchError: Waivers and fees are in more than one currency.
        MissingColumnsError: A needed column is absent.

    >>> cards = pd.DataFrame({"card_id": ["C1", "C2"], "member_id": ["M1", "M2"],
    ...     "valid_from": pd.to_datetime(["2025-01-01"] * 2),
    ...     "valid_through": pd.to_datetime(["2025-12-31"] * 2)})
    >>> tickets = pd.DataFrame({"member_id": ["M1", "M2"], "amount": [60000, 150000],
    ...     "sold_on": pd.to_datetime(["2025-05-01"] * 2)})
    >>> found = simulate(
    ...     {"today": FeeWaiver(), "lower": FeeWaiver(spend=500, version="2")},
    ...     tickets=tickets, cards=cards, as_of=dt.date(2026, 1, 1),
    ...     fees=MembershipFee(renewal=100))
    >>> found.by_policy[["policy", "fee_due", "fee_income", "changed"]].values.tolist()
    [['today', 1, 10000, 0], ['lower', 0, 0, 1]]
    >>> found.changed["lower_zh"].tolist()
    ['已免年费：消费金额 600.00 元（需 500.00 元）']
    """
    check_as_of(as_of)
    names = _checked(policies, tickets, fees)
    held = _ended(entered(cards, "cards"), as_of, period)
    answers: dict[str, pd.DataFrame] = {}
    for name, waiver in policies.items():
        sold = tickets[name] if isinstance(tickets, Mapping) else tickets
        figures = waiver.figures(sold, nw.to_native(held), as_of=as_of)
        rows = _rows(waiver.decide_frame(figures))
        fee = fees[name] if isinstance(fees, Mapping) else fees
        answers[name] = rows.assign(fee=_fees(rows, fee))
    first = answers[names[0]]
    cards_of = _placed(first, members, stores, tiers)
    for rows in answers.values():
        differs = rows["waived"].to_numpy() != first["waived"].to_numpy()
        rows["differs"] = differs
    return Simulation(
        by_policy=_summed(answers, cards_of, [], policies),
        by_store=_summed(
            answers,
            cards_of,
            ["store_id", *(["region_id"] if stores is not None else [])],
            policies,
        ),
        by_tier=_summed(answers, cards_of, ["tier"], policies),
        changed=_changed(answers, cards_of, policies, as_of),
    )


def _checked(policies: Any, tickets: Any, fees: Any) -> list[str]:
    if not isinstance(policies, Mapping) or not policies:
        raise InvalidValueError(
            "simulate compares policies by name: {'today': FeeWaiver(), ...}"
        )
    for name, waiver in policies.items():
        if not isinstance(name, str) or not isinstance(waiver, FeeWaiver):
            raise InvalidValueError(
                "each policy is a FeeWaiver under a name that is text, "
                f"not a {type(waiver).__name__}"
            )
        for what, given in (("tickets", tickets), ("fees", fees)):
            if isinstance(given, Mapping) and name not in given:
                raise InvalidValueError(f"the policy {name[:40]!r} has no {what}")
        fee = fees[name] if isinstance(fees, Mapping) else fees
        if fee.currency != waiver.currency:
            raise CurrencyMismatchError(
                f"the policy {name[:40]!r} counts {waiver.currency.code}, "
                f"its fees are in {fee.currency.code}"
            )
    if len({waiver.currency for waiver in policies.values()}) > 1:
        raise CurrencyMismatchError(
            "the policies count in different currencies: what they bring cannot be "
            "compared"
        )
    return list(policies)


def _ended(held: Frame, as_of: dt.date, period: Period | None) -> Frame:
    names = held.collect_schema().names()
    CARDS.check_columns(names, _NEEDED)
    last = day_number(held, "valid_through")
    until = as_of if period is None else min(as_of, period.through)
    held = held.filter(
        ~(nw.col("valid_from").is_null() | nw.col("valid_through").is_null()),
        last <= number_of(until),
    )
    if period is not None:
        held = held.filter(last >= number_of(period.start))
    return held.select(*(name for name in _KEPT if name in names))


def _rows(native: Any) -> pd.DataFrame:
    """Bring the decided cards into pandas, in an order of their own."""
    frame = entered(native, "cards")
    taken = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    rows = pd.DataFrame({n: pd.Series(taken[n].to_list()) for n in taken.columns})
    for name in {"valid_from", "valid_through", "anchor"} & set(rows):
        rows[name] = pd.to_datetime(rows[name]).astype("datetime64[us]")
    rows["waived"] = rows["waived"].astype(bool)
    order = ["card_id", "valid_from", "valid_through", "member_id"]
    return rows.sort_values(order, kind="stable", ignore_index=True)


def _fees(rows: pd.DataFrame, fee: MembershipFee) -> pd.Series[int]:
    kinds = rows["kind"] if "kind" in rows else pd.Series("standard", rows.index)
    kinds = kinds.astype(object).fillna("standard")
    prices = {kind: fee.renewal_minor(kind) for kind in kinds.unique()}
    return kinds.map(prices).astype("int64")


def _placed(first: pd.DataFrame, members: Any, stores: Any, tiers: Any) -> pd.DataFrame:
    """Say of each card its store, region and tier; "" where that is not known."""
    wanted = [name for name in (*_NEEDED, "store_id") if name in first]
    cards = first[wanted].copy()
    if members is not None:
        homes = _lookup(members, "members", "member_id", "store_id")
        home = cards["member_id"].map(homes)
        cards["store_id"] = (
            cards["store_id"].where(cards["store_id"].notna(), home)
            if "store_id" in cards
            else home
        )
    elif "store_id" not in cards:
        cards["store_id"] = None
    if stores is not None:
        regions = _lookup(stores, "stores", "store_id", "region_id")
        cards["region_id"] = cards["store_id"].map(regions)
    cards["tier"] = None
    if tiers is not None:
        cards["tier"] = cards["member_id"].map(
            _lookup(tiers, "tiers", "member_id", "tier")
        )
    for name in {"store_id", "region_id", "tier"} & set(cards):
        cards[name] = cards[name].astype(object).fillna("").astype("str")
    return cards


def _lookup(native: Any, table: str, key: str, value: str) -> dict[Any, Any]:
    frame = entered(native, table)
    names = frame.collect_schema().names()
    missing = [name for name in (key, value) if name not in names]
    if missing:
        raise MissingColumnsError(table, missing, names)
    chosen = frame.select(key, value)
    taken = chosen.collect() if isinstance(chosen, nw.LazyFrame) else chosen
    return dict(zip(taken[key].to_list(), taken[value].to_list(), strict=True))


def _summed(
    answers: Mapping[str, pd.DataFrame],
    cards: pd.DataFrame,
    keys: list[str],
    policies: Mapping[str, FeeWaiver],
) -> pd.DataFrame:
    parts = []
    for name, rows in answers.items():
        waived, fee = rows["waived"].to_numpy(), rows["fee"].to_numpy()
        counted = pd.DataFrame(
            {
                "policy": pd.Series(name, rows.index, dtype="str"),
                **{key: cards[key] for key in keys},
                "cards": np.ones(len(rows), "int64"),
                "waived": waived.astype("int64"),
                "fee_due": (~waived).astype("int64"),
                "fee_income": np.where(waived, 0, fee),
                "fee_waived": np.where(waived, fee, 0),
                "changed": rows["differs"].to_numpy().astype("int64"),
            }
        )
        sums = [n for n in counted.columns if n not in ("policy", *keys)]
        if keys:
            part = counted.groupby(keys, sort=True, as_index=False)[sums].sum()
        else:
            part = counted[sums].sum().to_frame().T.astype("int64")
        part.insert(0, "policy", name)
        part.insert(1, "policy_id", policies[name].policy)
        part.insert(2, "version", policies[name].version)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _changed(
    answers: Mapping[str, pd.DataFrame],
    cards: pd.DataFrame,
    policies: Mapping[str, FeeWaiver],
    as_of: dt.date,
) -> pd.DataFrame:
    differs = np.zeros(len(cards), bool)
    for rows in answers.values():
        differs |= rows["differs"].to_numpy()
    result = cards[differs].reset_index(drop=True)
    for name, rows in answers.items():
        mine = rows[differs].reset_index(drop=True)
        result[f"waived_{name}"] = mine["waived"]
        result[f"fee_{name}"] = mine["fee"].where(~mine["waived"], 0)
        texts = _reasons(mine, policies[name], as_of)
        for number, language in enumerate(("en", "zh")):
            said = [text[number] for text in texts]
            result[f"{name}_{language}"] = pd.Series(said, mine.index, dtype="str")
    return result


def _reasons(
    rows: pd.DataFrame, waiver: FeeWaiver, as_of: dt.date
) -> list[tuple[str, str]]:
    """Write why, once for all rows that share their figures and last day."""
    names = list(dict.fromkeys(c.figure for c in waiver.rule.conditions))
    written: dict[tuple[Any, ...], tuple[str, str]] = {}
    result = []
    for day, waived, *values in zip(
        rows["valid_through"],
        rows["waived"],
        *(rows[name].tolist() for name in names),
        strict=True,
    ):
        units = {
            name: None if pd.isna(value) else int(value)
            for name, value in zip(names, values, strict=True)
        }
        key = (day, waived, *units.values())
        if key not in written:
            reading = waiver.rule.weigh(units)
            last = waiver.last_day(day.date(), as_of=day.date())
            texts = waiver_texts(reading, last, as_of=as_of)
            if waived and not reading.met:
                texts = _FREE_TEXTS
            written[key] = texts
        result.append(written[key])
    return result


_FREE_TEXTS = (
    f"fee waived: one of the {FREE.replace('_', ' ')}",
    "已免年费：在免费年度内",
)
