"""
The durable ledger beside its peers, in one run; ratios of medians.

1. Durable postings per second, one writer: the library on SQLite and PostgreSQL, and
   a naive read-then-update of the same tables with the same durability, posting by
   posting and all in one transaction; and what the naive way loses when four write at
   once.
2. Balances at a date of the Online Retail ledger (541,906 movements): the library from
   its SQLite file and from a frame, and beancount, which loads its text first.

``python benchmarks/ledger.py [--shared ../shared] [--postings N] [--rounds N]``
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from memberops.adapters.stores import open_ledger
from memberops.domain import Movement, Posting
from memberops.ledger import START, Entry, balances, chained

NOON = dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)
DAY = dt.datetime(2011, 6, 30, 23, 59, 59, 999999, tzinfo=dt.UTC)

BEANCOUNT = """
import datetime, sys, time
from decimal import Decimal
from beancount import loader
began = time.perf_counter()
entries, errors, options = loader.load_file(sys.argv[1])
sums = {}
for entry in entries:
    if entry.date <= datetime.date(2011, 6, 30) and hasattr(entry, "postings"):
        for each in entry.postings:
            if each.account == "Assets:Stock":
                units = each.units
                sums[units.currency] = sums.get(units.currency, 0) + units.number
assert not errors, errors[:3]
print(time.perf_counter() - began, int(sum(sums.values())))
"""


def posting(key: str, quantity: int = 1) -> Posting:
    move = Movement(
        gift_id="G1", source="warehouse", destination="store:S1", quantity=quantity
    )
    return Posting(
        posting_id=key, kind="transfer", effective_at=NOON, movements=(move,)
    )


def stocked(database: str) -> Any:
    ledger = open_ledger(database)
    ledger.post(
        Posting(
            posting_id="IN",
            kind="receipt",
            effective_at=NOON,
            movements=(
                Movement(
                    gift_id="G1",
                    source="supplier",
                    destination="warehouse",
                    quantity=10**9,
                ),
            ),
        )
    )
    return ledger


def library_rate(database: str, count: int) -> float:
    with stocked(database) as ledger:
        began = time.perf_counter()
        for number in range(count):
            ledger.post(posting(f"P{number}"))
        return count / (time.perf_counter() - began)


def batch_rate(database: str, count: int) -> float:
    with stocked(database) as ledger:
        postings = [posting(f"P{number}") for number in range(count)]
        began = time.perf_counter()
        ledger.post_all(postings)
        return count / (time.perf_counter() - began)


READ = "SELECT quantity FROM ledger_balances WHERE gift_id = 'G1' AND place = {0}"
ENTER = """INSERT INTO ledger_entries (sequence, key, type, document, hash)
VALUES ({0}, {0}, 'posting', '{{}}', '')"""
MOVE = """INSERT INTO ledger_movements (sequence, line, effective_at, gift_id, lot_id,
source, destination, quantity) VALUES ({0}, 1, 0, 'G1', '', 'warehouse', 'store:S1', 1)
"""
UPDATE = """UPDATE ledger_balances SET quantity = {0}
WHERE gift_id = 'G1' AND place = {0}"""
NAIVE = (READ, ENTER, MOVE, UPDATE)


def naive_post(execute: Callable[..., Any], mark: str, number: int) -> None:
    select, entry, movement, update = (each.format(mark) for each in NAIVE)
    (here,) = execute(select, ("warehouse",)).fetchone()
    execute(entry, (number, str(number)))
    execute(movement, (number,))
    execute(update, (here - 1, "warehouse"))


def connect(database: str) -> tuple[Any, str]:
    if "://" in database:
        import psycopg

        return psycopg.connect(database), "%s"
    connection = sqlite3.connect(database, timeout=60, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    return connection, "?"


def naive_rate(database: str, count: int, *, each: bool = True) -> float:
    stocked(database).dispose()
    connection, mark = connect(database)
    began = time.perf_counter()
    for number in range(2, count + 2):
        if mark == "?" and not connection.in_transaction:
            connection.execute("BEGIN")
        naive_post(connection.execute, mark, number)
        if each:
            connection.commit()
    connection.commit()
    rate = count / (time.perf_counter() - began)
    connection.close()
    return rate


def naive_loss(database: str, count: int) -> tuple[int, int]:
    """Let four read and then update; return acknowledged and lost."""
    stocked(database).dispose()
    done = []
    numbers = iter(range(2, 10**9))
    lock = threading.Lock()

    def work() -> None:
        connection, mark = connect(database)
        if mark == "%s":
            connection.autocommit = True  # each statement by itself, as often written
        for _ in range(count):
            with lock:
                number = next(numbers)
            with contextlib.suppress(sqlite3.OperationalError, sqlite3.IntegrityError):
                naive_post(connection.execute, mark, number)
                done.append(number)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connection, mark = connect(database)
    (left,) = connection.execute(NAIVE[0].format(mark), ("warehouse",)).fetchone()
    connection.close()
    return len(done), len(done) - (10**9 - left)


def library_loss(database: str, count: int) -> tuple[int, int]:
    with stocked(database) as ledger:

        def work(thread: int) -> None:
            for number in range(count):
                ledger.post(posting(f"{thread}-{number}"))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return 4 * count, 4 * count - (10**9 - ledger.balance("G1", "warehouse"))


def race_postings(new: Callable[[str], str], name: str, chosen: Any) -> None:
    runs: dict[str, Callable[[str, int], float]] = {
        "library": library_rate,
        "naive": naive_rate,
        "library at once": batch_rate,
        "naive at once": partial(naive_rate, each=False),
    }
    rates: dict[str, list[float]] = {each: [] for each in runs}
    for number in range(chosen.rounds):
        for at, (each, run) in enumerate(runs.items()):
            rates[each].append(run(new(f"r{at}x{number}"), chosen.postings))
    ours, theirs, batch, whole = (statistics.median(rates[each]) for each in runs)
    acked, lost = naive_loss(new("nl"), chosen.postings // 4)
    kept, gone = library_loss(new("ll"), chosen.postings // 4)
    print(
        f"{name:<12} library {ours:7.0f}/s   naive {theirs:7.0f}/s   "
        f"x{ours / theirs:4.2f}   in one transaction {batch:7.0f}/s, naive "
        f"{whole:7.0f}/s   four writers: library lost {gone} of {kept}, "
        f"naive lost {lost} of {acked}",
        flush=True,
    )


def online(shared: Path) -> pd.DataFrame:
    rows = pd.read_parquet(
        shared / "data" / "onlineretail" / "onlineretail.parquet",
        columns=["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice",
                 "CustomerID"],
    )  # fmt: skip
    rows = rows[~rows["InvoiceNo"].str.startswith("A")]
    free = rows["UnitPrice"] == 0
    adjusted = free & rows["CustomerID"].isna()
    back = rows["InvoiceNo"].str.startswith("C")
    change = np.where(
        adjusted,
        rows["Quantity"],
        np.where(back & ~free, 1, -1) * rows["Quantity"].abs(),
    )
    account = np.where(adjusted, "adjustment", "member")
    frame = pd.DataFrame(
        {
            "effective_at": rows["InvoiceDate"].dt.tz_localize("UTC"),
            "gift_id": rows["StockCode"],
            "source": np.where(change < 0, "store:UK", account),
            "destination": np.where(change < 0, account, "store:UK"),
            "quantity": np.abs(change).astype("int64"),
        }
    )
    return frame.astype(dict.fromkeys(["gift_id", "source", "destination"], "category"))


def chain(frame: pd.DataFrame) -> Iterator[tuple[Entry, str]]:
    running = START
    for sequence, row in enumerate(frame.itertuples(index=False), start=1):
        at, gift, source, destination, quantity = row
        move = Movement(
            gift_id=gift,
            source=source,
            destination=destination,
            quantity=quantity,
        )
        entry = Entry(
            sequence=sequence,
            record=Posting(
                posting_id=f"L{sequence}",
                kind="issue",
                effective_at=at,
                movements=(move,),
            ),
        )
        running = chained(running, entry)
        yield entry, running


def write_beancount(frame: pd.DataFrame, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("2010-11-30 open Assets:Stock\n2010-11-30 open Expenses:Other\n")
        for number, row in enumerate(frame.itertuples(index=False), start=1):
            at, gift, _, destination, quantity = row
            signed = quantity if destination == "store:UK" else -quantity
            name = "S" + "".join(c if c.isalnum() else "-" for c in gift.upper()) + "X"
            file.write(
                f'\n{at:%Y-%m-%d} * "L{number}" ""\n  Assets:Stock  {signed} {name}\n'
                f"  Expenses:Other  {-signed} {name}\n"
            )


def race_balances(shared: Path, folder: Path, rounds: int) -> None:
    from memberops.adapters.stores.appending import append_all

    frame = online(shared)
    path, text = folder / "online.db", folder / "online.beancount"
    with open_ledger(path) as ledger:
        began = time.perf_counter()
        ledger._database.write(  # noqa: SLF001 - in bulk: filling is not measured
            lambda connection: append_all(connection, chain(frame))
        )
        print(f"(filling the file: {time.perf_counter() - began:.0f} s)", flush=True)
    write_beancount(frame, text)

    def stored() -> tuple[float, int]:
        began = time.perf_counter()
        with open_ledger(path) as again:
            found = again.balances(as_of=DAY)
        took = time.perf_counter() - began
        return took, total(found)

    def folded() -> tuple[float, int]:
        began = time.perf_counter()
        found = balances(frame, as_of=DAY)
        return time.perf_counter() - began, total(found)

    cache = folder / ".online.beancount.picklecache"

    def beancount(*, cached: bool) -> tuple[float, int]:
        if not cached:  # it reads its text, and writes its cache
            cache.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-c", BEANCOUNT, str(text)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        took, units = done.stdout.split()
        return float(took), int(units)

    peers: dict[str, Callable[[], tuple[float, int]]] = {
        "memberops, SQLite file": stored,
        "memberops, frame": folded,
        "beancount, loading": lambda: beancount(cached=False),
        "beancount, its cache": lambda: beancount(cached=True),
    }
    times: dict[str, list[float]] = {name: [] for name in peers}
    units = set()
    for _ in range(rounds):
        for name, run in peers.items():
            took, found = run()
            print(f"({name}: {took:.2f} s, {found:,} units)", flush=True)
            times[name].append(took)
            units.add(found)
    ours = statistics.median(times["memberops, SQLite file"])
    print(
        f"balances at a date, {len(frame):,} movements; sums equal: {len(units) == 1}"
    )
    for name, each in times.items():
        took = statistics.median(each)
        print(f"{name:<24}{took:8.2f} s  x{took / ours:6.1f}", flush=True)
    if len(units) != 1:
        sys.exit("the implementations disagree")


def total(found: pd.DataFrame) -> int:
    return int(found.loc[found["place"] == "store:UK", "quantity"].sum())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--postings", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-balances", action="store_true")
    parser.add_argument("--no-postings", action="store_true")
    chosen = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    with tempfile.TemporaryDirectory() as folder:
        if not chosen.no_postings:
            from ledger_databases import Server  # type: ignore[import-not-found]

            race_postings(lambda name: f"{folder}/{name}.db", "SQLite", chosen)
            server = Server()
            race_postings(server.url, "PostgreSQL", chosen)
            server.stop()
        if not chosen.no_balances:
            race_balances(chosen.shared, Path(folder), chosen.rounds)


if __name__ == "__main__":
    main()
