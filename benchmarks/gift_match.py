"""Matching points redeemed, gifts issued and stock moved: a million rows a book."""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import time

import numpy as np
import pandas as pd

from memberops.policies.gift_match import GiftMatchPolicy

AS_OF = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
SMALL = 20


def make(number: int, *, linked: bool) -> list[pd.DataFrame]:
    """Make three books that agree but for a few rows in a thousand."""
    draw = np.random.Generator(np.random.PCG64(7))
    serial = np.arange(number)
    at = np.datetime64("2026-10-01", "us") + draw.integers(
        0, 30 * 86400, number
    ).astype("timedelta64[s]")

    def text(letter: str, numbers: np.ndarray, width: int = 8) -> pd.Series:
        return pd.Series([f"{letter}{n:0{width}}" for n in numbers], dtype="str")

    facts = {
        "store_id": text("S", draw.integers(0, 200, number), 3),
        "member_id": text("M", draw.integers(0, max(number // 3, 1), number)),
        "gift_id": text("G", draw.integers(0, 50, number), 3),
        "quantity": draw.integers(1, 4, number),
    }
    lots = text("L", draw.integers(0, 500, number), 3)
    redeemed = {"redemption_id": text("R", serial), "redeemed_at": at, **facts}
    issued = {"issue_id": text("I", serial), "issued_at": at + 60_000_000, **facts}
    moved = {"posting_id": text("P", serial), "effective_at": at + 90_000_000, **facts}
    issued["lot_id"] = moved["lot_id"] = lots
    if linked:
        issued["redemption_id"] = redeemed["redemption_id"]
        moved["issue_id"] = issued["issue_id"]
    books = [pd.DataFrame(each) for each in (redeemed, issued, moved)]
    shuffled = []
    for book in books:
        kept = book.take(draw.permutation(number)[: number - number // 500])
        moment = kept.columns[1]
        kept[moment] = kept[moment].dt.tz_localize("UTC")
        shuffled.append(kept.reset_index(drop=True))
    return shuffled


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    number = parser.parse_args().rows
    for name, linked in (("each names the other's id", True), ("no ids", False)):
        books = make(number, linked=linked)
        wall, cpu = time.perf_counter(), time.process_time()
        found = GiftMatchPolicy().match(*books, as_of=AS_OF)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        kinds = found.cases["kind"].value_counts().to_dict()
        print(f"{len(found.rows):,} rows of three books, {name}:")
        print(f"  {len(found.cases):,} cases in {wall:.2f} s wall, {cpu:.2f} s CPU,")
        print(f"  peak {peak:,.0f} MiB, the books included  {kinds}")
    books = make(SMALL, linked=True)
    begin = time.process_time()
    for _ in range(50):
        GiftMatchPolicy().match(*books, as_of=AS_OF)
    each = (time.process_time() - begin) / 50 * 1000
    print(f"{SMALL} rows a book: {each:.1f} ms")


if __name__ == "__main__":
    main()
