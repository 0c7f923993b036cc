"""Fee-waiver decisions: one with its reasons, and a million as a frame."""

from __future__ import annotations

import datetime as dt
import statistics
import timeit
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

import memberops as mo

ROUNDS = 7
MILLION = 1_000_000


def median(run: Any, number: int = 1) -> float:
    times = timeit.repeat(run, number=number, repeat=ROUNDS)
    return statistics.median(times) / number


def main() -> None:
    waiver = mo.FeeWaiver()
    card = mo.Card(
        card_id="C1",
        member_id="M1",
        valid_from=dt.date(2026, 1, 1),
        valid_through=dt.date(2026, 12, 31),
    )
    day = dt.date(2026, 11, 5)

    def one() -> Any:
        return waiver.decide(card, purchases=2, spend="770.00", as_of=day)

    def explained() -> Any:
        return one().explain("zh")

    draw = np.random.Generator(np.random.PCG64(7))
    frame = pd.DataFrame(
        {
            "purchases": draw.integers(0, 6, MILLION),
            "spend": draw.integers(0, 200_000, MILLION),
        }
    )
    other = pl.from_pandas(frame)
    print(f"one decision with its reasons   {median(one, 2000) * 1e6:8.1f} us")
    print(f"  and its sentence in Chinese   {median(explained, 2000) * 1e6:8.1f} us")
    for name, each in (("pandas", frame), ("polars", other)):
        took = median(lambda each=each: waiver.decide_frame(each))
        print(f"1 million as a frame, {name:<10}{took * 1e3:8.1f} ms")


if __name__ == "__main__":
    main()
