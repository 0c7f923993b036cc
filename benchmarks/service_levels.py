"""Service levels: one case with its reasons, and a million cases as a frame."""

from __future__ import annotations

import argparse
import datetime as dt
import functools
import statistics
import timeit
from typing import Any

import numpy as np
import pandas as pd

from memberops.domain import CaseEvent, Complaint, Currency
from memberops.policies import ServiceLevels
from memberops.policies.case_intake import clean_cases
from memberops.policies.service_states import read_clocks
from memberops.policies.service_tables import ServiceFrame
from memberops.schedules import WorkingCalendar

ROUNDS = 5
MILLION = 1_000_000
HOUR = dt.timedelta(hours=1)
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
AS_OF = dt.datetime(2026, 11, 5, 9, tzinfo=dt.UTC)


def median(run: Any, number: int = 1, rounds: int = ROUNDS) -> float:
    return statistics.median(timeit.repeat(run, number=number, repeat=rounds)) / number


def cases(number: int) -> pd.DataFrame:
    draw = np.random.Generator(np.random.PCG64(7))
    received = draw.integers(0, 310 * 86_400, number)
    seconds = {"received_at": received}
    for name, mean in (("replied", 12), ("solved", 40), ("callback", 120)):
        after = received + draw.exponential(mean * 3600, number).astype(np.int64)
        seconds[f"{name}_at"] = np.where(draw.random(number) < 0.1, -1, after)
    frame = pd.DataFrame(seconds)
    for name in frame.columns:
        moments = pd.Timestamp(START) + pd.to_timedelta(frame[name], unit="s")
        frame[name] = moments.where(frame[name] >= 0).dt.as_unit("us")
    frame["paused_seconds"] = draw.integers(0, 7200, number)
    return frame


def tables(number: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make cases with some 3 events each, one case in five with pauses."""
    frame = cases(number)
    ids = "K" + pd.Series(np.arange(number)).astype("str")
    complaints = pd.DataFrame({"case_id": ids, "received_at": frame["received_at"]})
    draw = np.random.Generator(np.random.PCG64(8))
    parts = []
    for kind, share, hours in (
        ("replied", 0.9, 12), ("solved", 0.9, 40), ("callback", 0.8, 120),
        ("waiting_for_customer", 0.2, 6), ("customer_answered", 0.18, 20),
        ("customer_message", 0.1, 30), ("reopened", 0.03, 60),
        ("promised_reply", 0.02, 10), ("escalated", 0.02, 3),
    ):  # fmt: skip
        use = np.flatnonzero(draw.random(number) < share)
        late = draw.exponential(hours * 3600, len(use)).astype(np.int64)
        at = frame["received_at"].iloc[use] + pd.to_timedelta(late, unit="s")
        rows = pd.DataFrame({"case_id": ids.iloc[use], "kind": kind, "at": at})
        rows["until"] = rows["at"] + HOUR if kind == "promised_reply" else pd.NaT
        parts.append(rows)
    events = pd.concat(parts, ignore_index=True)
    events["until"] = pd.to_datetime(events["until"], utc=True)
    return complaints, events


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=MILLION)
    number = parser.parse_args().cases
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
    frame = cases(number)
    for name, levels in (("around the clock", always), ("working hours", working)):
        one = median(lambda levels=levels: levels.decide(case, as_of=AS_OF), 300)
        many = median(lambda levels=levels: levels.decide_frame(frame, as_of=AS_OF))
        print(f"one case, {name:<24}{one * 1e6:10.1f} us")
        print(f"{number:,} cases as a frame, {name:<17}{many:6.2f} s")
    complaints, events = tables(number)
    begun = timeit.default_timer()
    clean = clean_cases(complaints, events)
    took = timeit.default_timer() - begun
    print(f"{len(events):,} events cleaned and put in order{took:6.2f} s")
    read = functools.partial(
        read_clocks, working.plan, (), clean, as_of=AS_OF, currency=Currency("CNY")
    )
    print(f"  every clock of {number:,} cases read {median(read, rounds=3):6.2f} s")
    found = ServiceFrame(read=read(), findings=(), policy="p", version="1")
    begun = timeit.default_timer()
    shown = found.cases
    print(
        f"  {len(shown):,} rows, one a case   {timeit.default_timer() - begun:6.2f} s"
    )
    begun = timeit.default_timer()
    shown = found.clocks
    print(
        f"  {len(shown):,} rows, one a clock  {timeit.default_timer() - begun:6.2f} s"
    )


if __name__ == "__main__":
    main()
