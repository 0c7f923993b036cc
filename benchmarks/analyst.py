"""The metric set as an analyst writes it in plain pandas: a peer to run beside."""

from __future__ import annotations

from typing import Any

import pandas as pd

BANDS = [float("-inf"), 0, 10_000, 30_000, 50_000, 100_000, float("inf")]
AGES = [float("-inf"), 20, 30, 40, float("inf")]


def figures(frames: dict[str, pd.DataFrame], months: list[str]) -> pd.DataFrame:
    """Every base figure for every month and level."""
    sales = frames["sales"].merge(frames["stores"], on="store_id")
    members = frames["members"].merge(frames["stores"], on="store_id")
    tickets = (
        sales.groupby("ticket_id")
        .agg(
            sold_on=("sold_on", "first"),
            store_id=("store_id", "first"),
            region_id=("region_id", "first"),
            member_id=("member_id", "first"),
            amount=("amount", "sum"),
            items=("quantity", "sum"),
        )
        .reset_index()
    )
    tickets["month"] = tickets["sold_on"].dt.to_period("M").astype(str)
    tickets["chain"] = "chain"
    tickets["bought"] = tickets["amount"] > 0
    members["chain"] = "chain"
    levels = {"store": "store_id", "region": "region_id", "chain": "chain"}
    rows = []
    lapsed_before, _ = _state(tickets, members, frames["cards"], _before(months[0]))
    for month in months:
        end = pd.Period(month).end_time.normalize()
        lapsed, valid = _state(tickets, members, frames["cards"], end)
        sets = {
            "valid_members": valid,
            "lapsed_at_start": lapsed_before,
            "lapsed_at_end": lapsed,
            "newly_lapsed": lapsed - lapsed_before,
            "won_back": (lapsed_before & valid) - lapsed,
            "left": lapsed_before - valid,
        }
        of_month = tickets[tickets["month"] == month]
        of_members = of_month[of_month["member_id"].notna()]
        for level, key in levels.items():
            table = pd.DataFrame(
                {
                    "sales": of_month.groupby(key)["amount"].sum(),
                    "items": of_month.groupby(key)["items"].sum(),
                    "tickets": of_month.groupby(key)["bought"].sum(),
                    "member_sales": of_members.groupby(key)["amount"].sum(),
                    "member_items": of_members.groupby(key)["items"].sum(),
                    "member_tickets": of_members.groupby(key)["bought"].sum(),
                }
            )
            spend = (
                of_members.groupby([key, "member_id"])
                .agg(amount=("amount", "sum"), bought=("bought", "any"))
                .reset_index()
            )
            spend = spend[spend["bought"]].merge(
                members[["member_id", "gender", "birth_date"]],
                on="member_id",
                how="left",
            )
            spend["band"] = pd.cut(spend["amount"], BANDS, right=False, labels=False)
            birth = spend["birth_date"]
            age = (end.year - birth.dt.year) - (
                birth.dt.month * 100 + birth.dt.day > end.month * 100 + 31
            )
            spend["age"] = pd.cut(age, AGES, right=False, labels=False).fillna(4)
            table["consuming_members"] = spend.groupby(key)["member_id"].nunique()
            for column in ("band", "gender", "age"):
                counts = pd.crosstab(spend[key], spend[column])
                for value in counts.columns:
                    name = f"{column}_{value if column == 'gender' else int(value)}"
                    table[name] = counts[value]
            for name, ids in sets.items():
                inside = members[members["member_id"].isin(ids)]
                table[name] = inside.groupby(key)["member_id"].nunique()
            table = table.reset_index(names="key").assign(level=level, period=month)
            rows.append(table)
        lapsed_before = lapsed
    return pd.concat(rows).fillna(0)


def _before(month: str) -> Any:
    return (pd.Period(month) - 1).end_time.normalize()


def _state(
    tickets: pd.DataFrame, members: pd.DataFrame, cards: pd.DataFrame, day: Any
) -> tuple[set[Any], set[Any]]:
    held = cards[(cards["valid_from"] <= day) & (cards["valid_through"] >= day)]
    valid = members[members["member_id"].isin(held["member_id"])]
    bought = tickets[tickets["bought"] & (tickets["sold_on"] <= day)]
    last = bought.groupby("member_id")["sold_on"].max().rename("last")
    state = valid.merge(last, left_on="member_id", right_index=True, how="left")
    since = state[["last", "joined_on"]].max(axis=1)
    lapsed = since + pd.DateOffset(months=3) <= day
    return set(state.loc[lapsed, "member_id"]), set(state["member_id"])
