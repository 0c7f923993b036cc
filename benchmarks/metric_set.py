"""
One run of one implementation of the metric set, in a process of its own.

Reading the frames is not counted. Prints one JSON line: wall and CPU seconds, peak
memory, and a digest of all figures, which must be equal for all implementations.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import resource
import time
from pathlib import Path

import pandas as pd

TABLES = ("sales", "members", "cards", "stores", "targets")
FIGURES = (
    "sales", "items", "tickets", "member_sales", "member_items", "member_tickets",
    "consuming_members", *(f"band_{n}" for n in range(6)), "gender_female",
    "gender_male", "gender_unknown", *(f"age_{n}" for n in range(5)), "valid_members",
    "lapsed_at_start", "lapsed_at_end", "newly_lapsed", "won_back", "left",
)  # fmt: skip


def digest(table: pd.DataFrame) -> str:
    table = table.copy()
    for name in FIGURES:
        table[name] = table[name].astype("int64") if name in table else 0
    table["key"] = table["key"].astype(str)
    table = table[(table[list(FIGURES)] != 0).any(axis=1)]
    table = table.sort_values(["level", "key", "period"])
    text = table[["level", "key", "period", *FIGURES]].to_csv(index=False)
    return hashlib.sha256(text.encode()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("implementation")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--engine", default="auto")
    chosen = parser.parse_args()
    module = importlib.import_module(chosen.implementation)
    frames = {name: pd.read_parquet(chosen.data / f"{name}.parquet") for name in TABLES}
    days = frames["sales"]["sold_on"]
    months = [str(month) for month in pd.period_range(days.min(), days.max(), freq="M")]
    options = {"engine": chosen.engine} if chosen.implementation == "library" else {}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    table = module.figures(frames, months, **options)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {
                "wall": wall,
                "cpu": cpu,
                "peak_mib": peak / 1024,
                "before_mib": before / 1024,
                "rows": len(table),
                "digest": digest(table),
            }
        )
    )


if __name__ == "__main__":
    main()
