"""
Claims per second of the outbox on SQLite and PostgreSQL, and a big batch enqueued.

1. Enqueue one batch in one call: messages per second, and how far memory grew.
2. Claim them and record an accepted answer for each, so many at once: both are
   committed durably. Messages per second; with several workers on PostgreSQL.

``python benchmarks/outbox.py [--messages N] [--big N] [--at-once N]``
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from memberops.adapters.stores import open_outbox
from memberops.domain.message import (
    BatchApproval,
    Message,
    MessageBatch,
    MessageTemplate,
    SendResult,
    audience_digest,
)
from memberops.domain.money import Currency, Money
from memberops.policies.contact import ContactPolicy
from memberops.policies.outbox_policy import OutboxPolicy

NOON = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
CNY = Currency("CNY")
POLICY = OutboxPolicy(contact=ContactPolicy(), consent=(), price=Money.of("0.05", CNY))


def messages(count: int) -> Iterator[Message]:
    for number in range(count):
        yield Message(
            message_id=f"S{number:09d}",
            batch_id="B1",
            member_id=f"M{number:09d}",
            phone=f"139{number:08d}",
            text=f"会员{number:09d}，生日快乐！凭短信到店领取礼品一份。拒收请回复R【示例店】",
        )


def batch(count: int) -> MessageBatch:
    pairs = ((m.message_id, m.digest) for m in messages(count))
    audience, size = audience_digest(pairs)
    return MessageBatch(
        batch_id="B1",
        template=MessageTemplate(
            template_id="T1", kind="marketing", text="${name}", signature="示例店"
        ),
        sample="",
        audience=audience,
        size=size,
        opens_at=NOON,
        closes_at=NOON + dt.timedelta(days=1),
        cost_cap=Money.of(count, CNY),
        author="a",
        created_at=NOON,
    )


def fill(database: str, count: int) -> tuple[Any, float, float]:
    outbox = open_outbox(database, policy=POLICY)
    made = batch(count)
    outbox.add_batch(made)
    for role, actor in zip(POLICY.roles, "bc", strict=True):
        outbox.approve(
            BatchApproval(
                batch_id="B1",
                fingerprint=made.fingerprint,
                role=role,
                actor=actor,
                at=NOON,
            )
        )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    outbox.enqueue("B1", messages(count))
    seconds = time.perf_counter() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return outbox, count / seconds, grown / 1024


def send_all(outbox: Any, workers: int, at_once: int) -> float:
    done: list[int] = []

    def work(name: str) -> None:
        while claims := outbox.claim(worker=name, at=NOON, limit=at_once):
            pairs = [
                (
                    claim,
                    SendResult(
                        message_id=claim.message.message_id,
                        outcome="accepted",
                        provider_message_id=claim.message.message_id,
                    ),
                )
                for claim in claims
            ]
            outbox.record_all(pairs, at=NOON)
            done.append(len(claims))

    threads = [
        threading.Thread(target=work, args=(f"w{number}",)) for number in range(workers)
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - began)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--messages", type=int, default=20_000)
    options.add_argument("--big", type=int, default=0)
    options.add_argument("--at-once", type=int, default=100)
    given = options.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    server_of = importlib.import_module("ledger_databases").Server

    with tempfile.TemporaryDirectory() as folder:
        server = server_of()
        numbers = iter(range(100))
        stores = {
            "SQLite": lambda: f"{folder}/outbox{next(numbers)}.db",
            "PostgreSQL": server.new_url,
        }
        for store, new in stores.items():
            for workers in (1, 4):
                outbox, entered, _ = fill(new(), given.messages)
                sent = send_all(outbox, workers, given.at_once)
                wrong = outbox.verify()
                outbox.dispose()
                print(
                    f"{store}, {workers} worker(s), {given.at_once} at once: "
                    f"enqueued {entered:,.0f}/s, claimed and recorded {sent:,.0f}/s, "
                    f"findings {len(wrong)}"
                )
            if given.big:
                outbox, entered, grown = fill(new(), given.big)
                outbox.dispose()
                print(
                    f"{store}: {given.big:,} messages in one call: "
                    f"{entered:,.0f}/s, memory grew by {grown:,.0f} MB"
                )
        server.stop()


if __name__ == "__main__":
    main()
