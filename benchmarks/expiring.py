"""The list of expiring members: 100,000 cards, each with its sentences."""

from __future__ import annotations

import statistics
import timeit

import numpy as np
import pandas as pd

import memberops as mo
from memberops.policies import expiring_members

SIZE, ROUNDS = 100_000, 3


def main() -> None:
    draw = np.random.Generator(np.random.PCG64(7))
    cards = pd.DataFrame({"card_id": [f"C{number}" for number in range(SIZE)]})
    cards["member_id"] = cards["card_id"]
    cards["valid_from"] = pd.Timestamp(2025, 12, 1).as_unit("us")
    cards["valid_through"] = pd.Timestamp(2026, 11, 30).as_unit("us")
    waiver, month = mo.FeeWaiver(), mo.Period.month(2026, 10)
    for name, step in (("whole yuan", 100), ("each amount its own", 1)):
        figures = cards.assign(
            purchases=draw.integers(0, 3, SIZE),
            spend=draw.integers(0, 99_999 // step, SIZE) * step,
        )

        def run(figures: pd.DataFrame = figures) -> pd.DataFrame:
            return expiring_members(cards, figures, month=month, waiver=waiver)

        took = statistics.median(timeit.repeat(run, number=1, repeat=ROUNDS))
        print(f"{name:<22}{took * 1e6 / SIZE:8.1f} us a row")


if __name__ == "__main__":
    main()
