"""The metric set by memberops, base figures and all formulas, from the same frames."""

from __future__ import annotations

import pandas as pd

from memberops import metrics
from memberops.schedules import Period


def figures(
    frames: dict[str, pd.DataFrame], months: list[str], engine: str = "auto"
) -> pd.DataFrame:
    """Every figure for every month and level, and the base figures in common names."""
    measures = metrics.measure(
        frames["sales"],
        period=[Period.parse(month) for month in months],
        by=("store", "region", "chain"),
        members=frames["members"],
        cards=frames["cards"],
        stores=frames["stores"],
        engine=engine,  # type: ignore[arg-type] # a word from the command line
    )
    level = metrics.consumption_level(measures)
    ages = metrics.demographics(measures)
    power = metrics.spending_power(measures, targets=frames["targets"])
    lapse = metrics.lapse(measures)
    metrics.store_ranking(measures)
    keys = ["level", "key", "period"]
    table = power[[*keys, "sales", "items", "tickets", "member_sales", "member_items",
                   "member_tickets", "consuming_members"]].copy()  # fmt: skip
    policy = measures.policy
    for number, name in enumerate(policy.band_names):
        table[f"band_{number}"] = level[f"members_{name}"]
    for name in ("female", "male"):
        table[f"gender_{name}"] = ages[f"members_{name}"]
    table["gender_unknown"] = ages["members_gender_unknown"]
    for number, name in enumerate(policy.age_names):
        table[f"age_{number}"] = ages[f"members_{name}"]
    for name in ("valid_members", "lapsed_at_start", "lapsed_at_end", "newly_lapsed",
                 "won_back", "left"):  # fmt: skip
        table[name] = lapse[name]
    return table
