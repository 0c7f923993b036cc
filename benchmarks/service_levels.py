"""Service levels: one case with its reasons, and a million cases as a frame."""

from __future__ import annotations

import datetime as dt
import statistics
import timeit
from typing import Any

import numpy as np
import pandas as pd

from memberops.domain import CaseEvent, Complaint
from memberops.policies import ServiceLevels
from memberops.schedules import WorkingCalendar

ROUNDS = 5
MILLION = 1_000_000
HOUR = dt.timedelta(hours=1)
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
AS_OF = dt.datetime(2026, 11, 5, 9, tzinfo=dt.UTC)


def median(run: Any, number: int = 1, rounds: int = ROUNDS) -> float:
    return statistics.median(timeit.repeat(run, number=number, repeat=rounds)) / number


def cases() -> pd.DataFrame:
    draw = np.random.Generator(np.random.PCG64(7))
    received = draw.integers(0, 310 * 86_400, MILLION)
    seconds = {"received_at": received}
    for name, mean in (("replied", 12), ("solved", 40), ("callback", 120)):
        after = received + draw.exponential(mean * 3600, MILLION).astype(np.int64)
        seconds[f"{name}_at"] = np.where(draw.random(MILLION) < 0.1, -1, after)
    frame = pd.DataFrame(seconds)
    for name in frame.columns:
        moments = pd.Timestamp(START) + pd.to_timedelta(frame[name], unit="s")
        frame[name] = moments.where(frame[name] >= 0).dt.as_unit("us")
    frame["paused_seconds"] = draw.integers(0, 7200, MILLION)
    return frame


def main() -> None:
    days = ("mon", "tue", "wed", "thu", "fri")
    office = WorkingCalendar.weekly(
        "Asia/Shanghai", {day: ["09:00-12:00", "13:00-18:00"] for day in days}
    )
    always = ServiceLevels()
    working = ServiceLevels(
        reply_hours=8, solution_hours=16, calendar=office, pausing=("solution",)
    )
    case = Complaint(
        case_id="K1",
        received_at=AS_OF - 30 * HOUR,
        events=[
            CaseEvent(kind="replied", at=AS_OF - 28 * HOUR),
            CaseEvent(kind="waiting_for_customer", at=AS_OF - 20 * HOUR),
            CaseEvent(kind="customer_answered", at=AS_OF - 10 * HOUR),
        ],
    )
    frame = cases()
    for name, levels in (("around the clock", always), ("working hours", working)):
        one = median(lambda levels=levels: levels.decide(case, as_of=AS_OF), 300)
        many = median(lambda levels=levels: levels.decide_frame(frame, as_of=AS_OF))
        print(f"one case, {name:<24}{one * 1e6:10.1f} us")
        print(f"1 million cases as a frame, {name:<17}{many:6.2f} s")


if __name__ == "__main__":
    main()
