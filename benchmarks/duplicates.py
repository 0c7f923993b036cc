"""Search members for people enrolled twice, and audit their profiles."""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import time
from typing import Any

import numpy as np
import pandas as pd

from memberops.policies.duplicates import possible_duplicates
from memberops.policies.profile_audit import ProfileAudit


def members(number: int) -> pd.DataFrame:
    random = np.random.default_rng(7)
    phones = 13_000_000_000 + random.choice(900_000_000, number, replace=True)
    names = random.integers(0, 200_000, number)
    days = random.integers(0, 20_000, number)
    return pd.DataFrame(
        {
            "member_id": pd.Series([f"M{n:07}" for n in range(number)], dtype="str"),
            "name": pd.Series([f"王 {n}" for n in names], dtype="str"),
            "phone": pd.Series([str(phone) for phone in phones], dtype="str"),
            "birth_date": pd.Timestamp(1950, 1, 1) + pd.to_timedelta(days, unit="D"),
            "store_id": "S1",
            "gender": "female",
            "joined_on": pd.Timestamp(2026, 11, 5),
        }
    )


def analyst(people: pd.DataFrame) -> int:
    """Count rows that share a phone, or name and birth date, in plain pandas."""
    phone = people["phone"].str.replace(r"\D", "", regex=True).str[-11:]
    name = people["name"].str.replace(" ", "").str.lower()
    both = pd.DataFrame({"name": name, "birth_date": people["birth_date"]})
    shared = phone.duplicated(keep=False), both.duplicated(keep=False)
    return sum(int(each.sum()) for each in shared)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    people = members(chosen.members)
    cards = pd.DataFrame(
        {
            "card_id": people["member_id"],
            "member_id": people["member_id"],
            "valid_from": pd.Timestamp(2026, 1, 1),
            "valid_through": pd.Timestamp(2026, 12, 31),
        }
    )
    day = dt.date(2026, 11, 5)
    runs: dict[str, Any] = {
        "duplicates, memberops": lambda: len(possible_duplicates(people)),
        "duplicates, plain pandas": lambda: analyst(people),
        "profile audit, memberops": lambda: len(
            ProfileAudit().decide_frame(people, cards, as_of=day)
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    rows = {}
    for _ in range(chosen.rounds):
        for name, run in runs.items():
            begin = time.perf_counter()
            rows[name] = run()
            times[name].append(time.perf_counter() - begin)
    for name, took in times.items():
        print(
            f"{name:<26}{chosen.members:>10,} members {rows[name]:>9,} rows "
            f"{statistics.median(took):7.2f} s"
        )


if __name__ == "__main__":
    main()
