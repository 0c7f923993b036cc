"""
Due times with a working calendar: one by one, as a column, beside businesstimedelta.

``python benchmarks/working_time.py [--peer-path FOLDER]``: the folder holds an
unpacked businesstimedelta (with pytz and holidays) if it is not installed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import statistics
import sys
import time
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from memberops.schedules import (
    WorkingCalendar,
    add_days_many,
    add_many,
    china_calendar,
    due_frame,
    elapsed_many,
)

ROUNDS = 7
MILLION = 1_000_000
SCALAR = 2_000
ZONE = "Europe/Berlin"
BUDGET = dt.timedelta(hours=48)
SHIFTS = ((dt.time(9), dt.time(12)), (dt.time(13, 30), dt.time(18)))


def median(run: Any) -> float:
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def peer(path: str | None) -> Any:
    """Return the same rules in businesstimedelta, or None where it is absent."""
    if path:
        sys.path.insert(0, path)
    try:
        other = importlib.import_module("businesstimedelta")
    except ImportError:
        return None
    rules = [
        other.WorkDayRule(
            start_time=begin, end_time=end, working_days=list(range(5)),
            tz=importlib.import_module("pytz").timezone(ZONE),
        )
        for begin, end in SHIFTS
    ]  # fmt: skip
    hours = other.Rules(rules)
    budget = other.BusinessTimeDelta(hours, timedelta=BUDGET)
    return lambda start: start + budget


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer-path")
    chosen = parser.parse_args()
    texts = [f"{begin:%H:%M}-{end:%H:%M}" for begin, end in SHIFTS]
    office = WorkingCalendar.weekly(
        ZONE, dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), texts)
    )
    draw = np.random.Generator(np.random.PCG64(7))
    low, high = (
        int(dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp()) for year in (2024, 2027)
    )
    micros = draw.integers(low, high, MILLION) * MILLION
    starts = [
        dt.datetime.fromtimestamp(each // MILLION, ZoneInfo(ZONE))
        for each in micros[:SCALAR].tolist()
    ]
    office.add(starts[0], BUDGET)
    ours = median(lambda: [office.add(start, BUDGET) for start in starts]) / SCALAR
    print(f"one due time, 48 working hours   {ours * 1e6:8.1f} us  {1 / ours:12,.0f}/s")
    theirs = peer(chosen.peer_path)
    if theirs is None:
        print("  businesstimedelta is not installed: no comparison")
    else:
        few = starts[:200]
        same = sum(theirs(each) == office.add(each, BUDGET).at for each in few)
        took = median(lambda: [theirs(start) for start in few]) / len(few)
        print(
            f"  businesstimedelta              {took * 1e6:8.1f} us  "
            f"{took / ours:6.1f} x ours, {same} of {len(few)} answers equal"
        )
    took = median(lambda: add_many(office, micros, BUDGET))
    print(f"1 million due times              {took * 1e3:8.1f} ms")
    due = add_many(office, micros, BUDGET)
    took = median(lambda: elapsed_many(office, micros, due))
    print(f"1 million elapsed times          {took * 1e3:8.1f} ms")
    took = median(lambda: add_days_many(office, micros, 2, same_time=True))
    print(f"1 million, 2 business days later {took * 1e3:8.1f} ms")
    frame = pd.Series(micros.astype("datetime64[us]")).dt.tz_localize("UTC")
    took = median(lambda: due_frame(office, frame, BUDGET))
    print(f"1 million due times as a frame   {took * 1e3:8.1f} ms")
    place = np.arange(MILLION, dtype=np.int64)
    hour = 3600 * MILLION
    pauses = (place, micros + hour, micros + 30 * hour)
    took = median(lambda: add_many(office, micros, BUDGET, pauses=pauses))
    print(f"  with a pause in each           {took * 1e3:8.1f} ms")
    took = median(lambda: china_calendar([2024, 2025, 2026]).add(starts[0], BUDGET))
    print(f"make a calendar of China, 3 years{took * 1e3:8.1f} ms")


if __name__ == "__main__":
    main()
