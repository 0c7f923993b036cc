"""Search 1 million members for people enrolled twice, and audit their profiles."""

from __future__ import annotations

import datetime as dt
import time

import numpy as np
import pandas as pd

from memberops.policies.duplicates import possible_duplicates
from memberops.policies.profile_audit import ProfileAudit

MEMBERS = 1_000_000


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


def main() -> None:
    people = members(MEMBERS)
    began = time.perf_counter()
    found = possible_duplicates(people)
    print(
        f"duplicates: {MEMBERS:,} members, {found['group'].nunique():,} groups, "
        f"{time.perf_counter() - began:.2f} s"
    )
    cards = pd.DataFrame(
        {
            "card_id": people["member_id"],
            "member_id": people["member_id"],
            "valid_from": pd.Timestamp(2026, 1, 1),
            "valid_through": pd.Timestamp(2026, 12, 31),
        }
    )
    began = time.perf_counter()
    answers = ProfileAudit().decide_frame(people, cards, as_of=dt.date(2026, 11, 5))
    print(f"audit: {len(answers):,} profiles, {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
