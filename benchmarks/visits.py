"""Planning a month of visits for a million members; the first slot for one."""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import statistics
import time
from typing import Any

import numpy as np
import pandas as pd

from memberops.domain import VisitChannel
from memberops.policies.contact import Contact, ContactPolicy, zone_of
from memberops.policies.visit_frame import plan_visits
from memberops.policies.visit_plan import plan_member
from memberops.policies.visit_policy import Staffing, Standing, VisitFact
from memberops.schedules import Period

ROUNDS = 3


def took(run: Any, rounds: int = ROUNDS) -> tuple[float, Any]:
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        answer = run()
        times.append(time.perf_counter() - begin)
    return statistics.median(times), answer


def make(number: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    draw = np.random.Generator(np.random.PCG64(7))
    ids = pd.Series([f"M{n:07}" for n in range(number)], dtype="str")
    members = pd.DataFrame(
        {
            "member_id": ids,
            "store_id": pd.Series(
                [f"S{n % 200:03}" for n in range(number)], dtype="str"
            ),
            "premium": draw.random(number) < 0.1,
            "opted_out": draw.random(number) < 0.05,
            "open_complaint": draw.random(number) < 0.01,
        }
    )
    first = np.datetime64("2026-07-25")
    parts = [("birth_date", np.datetime64("1990-01-01"), 12000, number)]
    parts += [("purchase", first, 95, 2 * number), ("last_purchase", first, 95, number)]
    parts += [("card_end", np.datetime64("2026-11-01"), 365, number)]
    facts = [
        pd.DataFrame(
            {
                "member_id": ids.iloc[draw.integers(0, number, rows)].to_numpy(),
                "trigger": trigger,
                "on": (start + draw.integers(0, days, rows)).astype("datetime64[us]"),
            }
        )
        for trigger, start, days, rows in parts
    ]
    return pd.concat(facts, ignore_index=True), members


def loop(
    facts: pd.DataFrame, members: pd.DataFrame, month: Period, as_of: dt.date
) -> None:
    """Plan some members one by one, the peer of the frame."""
    some = members.iloc[:2000]
    told = facts[facts["member_id"].isin(set(some["member_id"]))]
    begin = time.perf_counter()
    number = 0
    for name, rows in told.groupby("member_id"):
        mine = [
            VisitFact(member_id=str(name), trigger=trigger, on=on)
            for trigger, on in zip(rows["trigger"], rows["on"].dt.date, strict=True)
        ]
        standing = Standing(member_id=str(name), store_id="S1")
        number += len(plan_member(mine, standing=standing, period=month, as_of=as_of))
    took = time.perf_counter() - begin
    print(
        f"  one by one, {len(some):,} members: {number:,} visits in {took:.2f} s, "
        f"{took / len(some) * len(members):,.0f} s for all at this pace"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--members", type=int, default=1_000_000)
    chosen = parser.parse_args()
    facts, members = make(chosen.members)
    month = Period.month(2026, 11)
    as_of = dt.date(2026, 10, 28)
    staffing = Staffing(
        staff={f"S{n:03}": [f"P{n}{k}" for k in range(3)] for n in range(200)}
    )
    for name, each in (("no limit of staff", None), ("200 stores of 3", staffing)):
        seconds, plan = took(
            lambda each=each: plan_visits(
                facts, members, period=month, as_of=as_of, staffing=each
            ),
            1 if chosen.members >= 1_000_000 else ROUNDS,
        )
        states = plan.rows["state"].value_counts().to_dict()
        print(f"{len(facts):,} facts of {len(members):,} members, {name}:")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"  {len(plan.rows):,} visits in {seconds:.2f} s  {states}")
        print(f"  peak {peak:,.0f} MiB, the facts included")
    loop(facts, members, month, as_of)

    fact = VisitFact(member_id="M1", trigger="purchase", on=dt.date(2026, 10, 12))
    standing = Standing(member_id="M1", store_id="S1")

    def one() -> Any:
        return plan_member([fact], standing=standing, period=month, as_of=as_of)

    seconds, _ = took(lambda: [one() for _ in range(200)])
    print(f"one member: {seconds / 200 * 1e6:.0f} us")

    zone = zone_of("Asia/Shanghai")
    after = dt.datetime(2026, 11, 5, 17, 30, tzinfo=zone)
    sent = [Contact(at=after - dt.timedelta(hours=3), channel=VisitChannel.SMS)]

    def slot() -> Any:
        return ContactPolicy().first_slot(
            "phone", after=after, zone=zone, contacts=sent
        )

    seconds, _ = took(lambda: [slot() for _ in range(500)])
    print(f"first legal slot: {seconds / 500 * 1e6:.0f} us")


if __name__ == "__main__":
    main()
