"""The list of expiring members, each card with its sentences, beside plain pandas."""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np
import pandas as pd

import memberops as mo
from memberops.policies import expiring_members

MONTH = mo.Period.month(2026, 10)


def analyst(cards: pd.DataFrame, figures: pd.DataFrame) -> pd.DataFrame:
    """Write the Chinese sentence of each row, as one would for one list."""
    keys = ["card_id", "valid_from"]
    first, last = pd.Timestamp(2026, 11, 1), pd.Timestamp(2026, 11, 30)
    rows = cards[cards["valid_through"].between(first, last)]
    rows = rows.merge(figures[[*keys, "purchases", "spend"]], on=keys, how="left")
    rows = rows[(rows["purchases"] < 3) & (rows["spend"] < 100_000)].copy()
    rows["reason_zh"] = [
        f"还差 {3 - bought} 次消费或 {(100_000 - spent) / 100:,.2f} 元"
        f"（截至 {day:%Y-%m-%d}）"
        for bought, spent, day in zip(
            rows["purchases"], rows["spend"], rows["valid_through"], strict=True
        )
    ]
    return rows.sort_values(["valid_through", "card_id"]).reset_index(drop=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cards", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    size = chosen.cards
    draw = np.random.Generator(np.random.PCG64(7))
    ids = pd.Series([f"C{number}" for number in range(size)], dtype="str")
    cards = pd.DataFrame({"card_id": ids, "member_id": ids})
    cards["valid_from"] = pd.Timestamp(2025, 12, 1).as_unit("us")
    cards["valid_through"] = pd.Timestamp(2026, 11, 30).as_unit("us")
    waiver = mo.FeeWaiver()
    for name, step in (("whole yuan", 100), ("each amount its own", 1)):
        figures = cards.assign(
            purchases=draw.integers(0, 3, size),
            spend=draw.integers(0, 99_999 // step, size) * step,
        )
        runs: dict[str, Any] = {
            "memberops": lambda figures=figures: expiring_members(
                cards, figures, month=MONTH, waiver=waiver
            ),
            "plain pandas": lambda figures=figures: analyst(cards, figures),
        }
        times: dict[str, list[float]] = {each: [] for each in runs}
        texts = {}
        for _ in range(chosen.rounds):
            for each, run in runs.items():
                begin = time.perf_counter()
                rows = run()
                times[each].append(time.perf_counter() - begin)
                texts[each] = rows["reason_zh"].tolist()
        same = texts["memberops"] == texts["plain pandas"]
        for each, took in times.items():
            micros = statistics.median(took) * 1e6 / size
            print(f"expiring, {name:<22}{each:<14}{micros:8.1f} us a row")
        print(f"  the same sentences: {same}")


if __name__ == "__main__":
    main()
