"""
Storms for ledger stores: writers at once, races for the last gift, killed writers.

Each returns its totals, or fails with what was lost. ``python tests/ledger_storms.py
[rounds] [kills]`` runs them at the counts of a release on SQLite and PostgreSQL, and
prints the totals.
"""

import datetime as dt
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs

from memberops.adapters.stores import open_ledger
from memberops.domain import Movement, Posting
from memberops.errors import LedgerStoreError, OutOfStockError, ReversalError

NOON = dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)
FORK = multiprocessing.get_context("fork")


def posting(key, gift, source, destination, quantity=1, minutes=0):
    """Make a posting of one movement."""
    return Posting(
        posting_id=key,
        kind="issue",
        effective_at=NOON + dt.timedelta(minutes=minutes),
        movements=[
            Movement(
                gift_id=gift,
                source=source,
                destination=destination,
                quantity=quantity,
            )
        ],
    )


def forked(target, *arguments):
    """Start a process of a function; it ends without touching what it inherited."""
    process = FORK.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


# --- writers at once ---------------------------------------------------------------


def _write(database, number, postings, seed, start, answers):
    try:
        answers.put(_written(database, number, postings, seed, start))
    except BaseException as error:
        answers.put([error])
        raise


def _written(database, number, postings, seed, start):
    rng = random.Random(seed * 1000 + number)  # noqa: S311 - a test's dice
    done = []
    with open_ledger(database, wait=120) as ledger:
        start.wait()
        for index in range(postings):
            # one key in twenty is another writer's too, with the same contents
            shared = rng.random() < 0.05
            few = rng.randrange(postings // 50 + 1)
            key = f"shared-{few}" if shared else f"{number}-{index}"
            dice = random.Random(f"{seed}-{key}")  # noqa: S311 - a test's dice
            gift = "hot" if dice.random() < 0.3 else f"G{dice.randrange(40)}"
            wanted = posting(
                key,
                gift,
                "warehouse",
                f"store:S{dice.randrange(5)}",
                dice.randint(1, 3),
                dice.randint(0, 600),
            )
            try:
                receipt = ledger.post(wanted)
            except OutOfStockError:
                done.append((key, gift, 0, None))
            else:
                quantity = wanted.movements[0].quantity
                done.append((key, gift, quantity, receipt.sequence))
    return done


def writers_at_once(database, *, writers=8, postings=250, seed=1):
    """Let processes write; return (acknowledged, refused, replayed) or fail."""
    with open_ledger(database) as ledger:
        for name in ["hot", *(f"G{number}" for number in range(40))]:
            stock = (
                writers * postings // 3 if name == "hot" else writers * postings // 20
            )
            ledger.post(posting(f"in-{name}", name, "supplier", "warehouse", stock))
        begun = ledger.position
    start, answers = FORK.Barrier(writers), FORK.Queue()
    team = [
        forked(_write, database, number, postings, seed, start, answers)
        for number in range(writers)
    ]
    said = [line for _ in team for line in answers.get(timeout=600)]
    broken = [line for line in said if isinstance(line, BaseException)]
    assert not broken, broken
    for process in team:
        process.join(60)
    assert len(said) == writers * postings
    by_key = {}
    for key, gift, quantity, sequence in said:
        assert by_key.setdefault(key, (gift, quantity, sequence)) == (
            gift, quantity, sequence), f"two answers for {key}"  # fmt: skip
    with open_ledger(database) as ledger:
        assert ledger.verify() == ()
        stored = {entry.key: entry.sequence for entry in ledger.entries(after=begun)}
        assert stored.keys() == by_key.keys(), "lost or doubled"
        assert all(s in {None, stored[key]} for key, (_, _, s) in by_key.items())
        assert len(set(stored.values())) == len(stored) == ledger.position - begun
        frame = ledger.balances()
        own = frame[frame["place"].str.match("warehouse|store:")]
        assert (own["quantity"] >= 0).all()
        taken = {}
        for gift, quantity, _ in by_key.values():
            taken[gift] = taken.get(gift, 0) + quantity
        for gift, quantity in taken.items():
            assert ledger.balance(gift, "store") == quantity
    refused = sum(sequence is None for _, _, sequence in by_key.values())
    return len(by_key) - refused, refused, len(said) - len(by_key)


# --- a race for the last gift ------------------------------------------------------


def last_gift_races(database, *, rounds=100, redeemers=50):
    """Let threads redeem one gift, round by round; return the winners or fail."""
    winners = 0
    with (
        open_ledger(database, wait=120) as ledger,
        ThreadPoolExecutor(redeemers) as pool,
    ):
        for number in range(rounds):
            gift = f"last-{number}"
            ledger.post(posting(f"in-{number}", gift, "supplier", "store:S1"))
            start = threading.Barrier(redeemers)

            def redeem(redeemer, number=number, gift=gift, start=start):
                key = f"{number}-{redeemer}"
                wanted = posting(key, gift, "store:S1", f"member:M{redeemer}")
                start.wait()
                try:
                    ledger.post(wanted)
                except OutOfStockError:
                    return False
                return True

            won = sum(pool.map(redeem, range(redeemers)))
            assert won == 1, f"{won} winners in round {number}"
            assert ledger.balance(gift, "store:S1") == 0
            assert ledger.balance(gift, "member") == 1
            winners += won
        assert ledger.verify() == ()
    return winners


# --- a race to bring one gift back ------------------------------------------------


def return_races(database, *, rounds=100, tills=8):
    """Let threads bring one gift back, round by round; return the winners or fail."""
    winners = 0
    with (
        open_ledger(database, wait=120) as ledger,
        ThreadPoolExecutor(tills) as pool,
    ):
        for number in range(rounds):
            gift, key = f"back-{number}", f"issue-{number}"
            ledger.post(posting(f"in-{number}", gift, "supplier", "store:S1", 2))
            ledger.post(posting(key, gift, "store:S1", "member:M1"))
            start = threading.Barrier(tills)

            def bring(till, number=number, gift=gift, key=key, start=start):
                back = posting(f"{number}-{till}", gift, "member:M1", "store:S1")
                start.wait()
                try:
                    if till == 0:  # and one takes the issue itself back
                        ledger.reverse(key, key=f"{number}-R", effective_at=NOON)
                    else:
                        named = attrs.evolve(back, refers_to={"issue_key": key})
                        ledger.post(named)
                except (OutOfStockError, ReversalError):
                    return False
                return True

            won = sum(pool.map(bring, range(tills)))
            assert won == 1, f"{won} winners in round {number}"
            assert ledger.balance(gift, "store:S1") == 2
            assert ledger.balance(gift, "member") == 0
            winners += won
        assert ledger.verify() == ()
    return winners


# --- killed writers ----------------------------------------------------------------


def _post_until_killed(database, first, pipe):
    with open_ledger(database, wait=120) as ledger:
        number = first
        while True:
            ledger.post(posting(f"K{number}", "G", "supplier", "warehouse"))
            os.write(pipe, f"{number}\n".encode())
            number += 1


def killed_writers(database, *, kills=100, seed=1):
    """Kill a writer again and again; return how many postings it was told of."""
    rng = random.Random(seed)  # noqa: S311 - a test's dice
    acknowledged = 0  # keys K0.. up to this were acknowledged
    open_ledger(database).dispose()
    for _ in range(kills):
        out, into = os.pipe()
        process = forked(_post_until_killed, database, acknowledged, into)
        os.close(into)
        told = os.read(out, 4096)  # it is alive and writing
        time.sleep(rng.uniform(0.005, 0.08))
        os.kill(process.pid, signal.SIGKILL)
        process.join(30)
        while part := os.read(out, 65536):
            told += part
        os.close(out)
        if told:
            acknowledged = int(told.split()[-1]) + 1
    with open_ledger(database) as ledger:
        keys = [entry.key for entry in ledger.entries()]
        # the one that was written, but not acknowledged, is posted again by the next
        assert keys[:acknowledged] == [f"K{n}" for n in range(acknowledged)], "lost"
        assert len(keys) <= acknowledged + 1
        assert len(set(keys)) == len(keys), "doubled"
        assert ledger.balance("G", "warehouse") == len(keys)
        assert ledger.verify() == ()
    return acknowledged


# --- a server that falls -----------------------------------------------------------


def fallen_servers(server, *, falls=3):
    """Stop PostgreSQL at once while threads write; return what was acknowledged."""
    database = server.new_url()
    acknowledged = []
    with open_ledger(database, wait=10) as ledger:
        for fall in range(falls):
            running = threading.Event()
            running.set()

            def write(thread, fall=fall, running=running):
                for number in range(10**6):
                    key = f"{fall}-{thread}-{number}"
                    try:
                        ledger.post(posting(key, "G", "supplier", "warehouse"))
                    except LedgerStoreError:
                        return key
                    acknowledged.append(key)
                    if not running.is_set():
                        return None
                return None

            with ThreadPoolExecutor(4) as pool:
                jobs = [pool.submit(write, thread) for thread in range(4)]
                time.sleep(0.4)
                server.crash()
                running.clear()
                ends = [job.result() for job in jobs]
            server.restart()
            for key in ends:
                if key is not None:  # in doubt: posted again, it counts once
                    ledger.post(posting(key, "G", "supplier", "warehouse"))
                    acknowledged.append(key)
        keys = [entry.key for entry in ledger.entries()]
        assert set(acknowledged) <= set(keys), "lost"
        assert len(set(keys)) == len(keys), "doubled"
        assert ledger.balance("G", "warehouse") == len(keys)
        assert ledger.verify() == ()
    return len(acknowledged)


def say(text):
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main():
    """Run all storms on both databases and print the totals."""
    from ledger_databases import Server

    rounds, kills = map(int, [*sys.argv[1:], 100, 100][:2])
    server = Server()
    with tempfile.TemporaryDirectory() as folder:
        for name, new in (
            ("SQLite", lambda: str(Path(folder) / f"{time.monotonic_ns()}.db")),
            ("PostgreSQL", server.new_url),
        ):
            began = time.perf_counter()
            acknowledged, refused, replayed = writers_at_once(new())
            say(f"{name}: 8 writers x 250: {acknowledged} acknowledged, {refused} "
                  f"refused, {replayed} repeated keys; 0 lost, 0 doubled, never below "
                  f"zero; {time.perf_counter() - began:.1f} s")  # fmt: skip
            began = time.perf_counter()
            winners = last_gift_races(new(), rounds=rounds)
            say(f"{name}: {rounds} races of 50 redeemers: {winners} winners; "
                  f"{time.perf_counter() - began:.1f} s")  # fmt: skip
            began = time.perf_counter()
            winners = return_races(new(), rounds=rounds)
            say(f"{name}: {rounds} races of 8 tills for a return: {winners} winners; "
                  f"{time.perf_counter() - began:.1f} s")  # fmt: skip
            began = time.perf_counter()
            told = killed_writers(new(), kills=kills)
            say(f"{name}: {kills} kills: {told} acknowledged, 0 lost, 0 doubled, "
                  f"balance = sum; {time.perf_counter() - began:.1f} s")  # fmt: skip
    told = fallen_servers(server, falls=10)
    say(f"PostgreSQL: 10 immediate stops: {told} acknowledged, 0 lost, 0 doubled")
    server.stop()


if __name__ == "__main__":
    main()
