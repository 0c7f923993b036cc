"""Planning a batch of messages to a million members, and giving them one by one."""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import time
import tracemalloc

import numpy as np
import pandas as pd

from memberops.domain.message import MessageTemplate
from memberops.policies.message_plan import plan_messages
from memberops.policies.message_policy import MessagePolicy

DAY = dt.date(2026, 11, 5)
TEMPLATE = MessageTemplate(
    template_id="T1",
    kind="marketing",
    signature="示例店",
    text="${name}，会员日到店有礼。拒收请回复R",
)


def make(number: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    ids = pd.Series([f"M{n:07}" for n in range(number)], dtype="str")
    draw = np.random.Generator(np.random.PCG64(7))
    members = pd.DataFrame(
        {
            "member_id": ids,
            "store_id": pd.Series(
                [f"S{n % 200:03}" for n in range(number)], dtype="str"
            ),
            "name": pd.Series([f"会员{n % 9973}" for n in range(number)], dtype="str"),
            "phone": pd.Series(
                [f"138{n:08}" if n % 97 else "1380" for n in range(number)], dtype="str"
            ),
        }
    )
    consents = pd.DataFrame(
        {
            "member_id": ids,
            "channel": "sms",
            "given": pd.Series(np.where(draw.random(number) < 0.9, "yes", "no")),
            "on": pd.to_datetime("2026-01-02"),
        }
    )
    return members, consents


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--trace", action="store_true", help="peak of Python's memory")
    asked = parser.parse_args()
    members, consents = make(asked.members)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if asked.trace:
        tracemalloc.start()
    begin = time.process_time()
    plan = plan_messages(
        members,
        template=TEMPLATE,
        batch_id="B1",
        as_of=DAY,
        policy=MessagePolicy(hold_out="0.1"),
        consents=consents,
        seed="november",
    )
    planned = time.process_time() - begin
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    total = plan.size + len(plan.held_out) + len(plan.left_out)
    print(f"{plan}: {total} of {asked.members} members accounted for")
    print(
        f"planned in {planned:.1f} s of CPU; peak {after:.0f} MB (before: {before:.0f})"
    )
    if asked.trace:
        print(f"traced peak {tracemalloc.get_traced_memory()[1] / 2**20:.0f} MB")
        tracemalloc.stop()
    begin = time.process_time()
    count = sum(1 for _ in plan.each())
    given = time.process_time() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} messages given in {given:.1f} s of CPU; peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
