"""
A million rows of sales from a database: our source beside pandas.read_sql.

Both end with the same canonical columns: ids as text, amounts as whole minor units
without a float between, moments in UTC with their days in the chain's zone. Each
reading is a process of its own; its time counts from the first statement, its memory
is the growth of the peak since the imports. MariaDB and connectorx are measured where
they are installed.

``python benchmarks/sql_source.py [--rows N] [--rounds N]``
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

HERE = Path(__file__).resolve().parent
SHANGHAI = ZoneInfo("Asia/Shanghai")
COLUMNS = ("ticket_id", "sold_at", "store_id", "member_id", "item_id", "quantity")
TYPES = {
    "sqlite": ("TEXT", "TEXT", "NUMERIC(12,2)"),
    "postgresql": ("text", "timestamptz", "numeric(12,2)"),
    "mariadb": ("VARCHAR(20)", "DATETIME", "DECIMAL(12,2)"),
}
READERS = ("pandas", "pandas in chunks", "sqlalchemy", "fast")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs=3, metavar=("KIND", "URL", "READER"))
    chosen = parser.parse_args()
    if chosen.only:
        print(json.dumps(measure(*chosen.only)))
        return
    sys.path.insert(0, str(HERE.parent / "tests"))
    with tempfile.TemporaryDirectory() as folder:
        race("sqlite", f"sqlite:///{folder}/till.db", chosen)
    Server: Any = importlib.import_module("ledger_databases").Server  # noqa: N806

    server = Server()
    race("postgresql", server.new_url(), chosen)
    server.stop()
    MariaServer: Any = importlib.import_module("sql_servers").MariaServer  # noqa: N806

    try:
        maria = MariaServer()
    except BaseException as skipped:  # noqa: BLE001 - pytest's way to say "not here"
        print(f"mariadb: {skipped}")
        return
    race("mariadb", maria.new_url(), chosen)
    maria.stop()


def race(kind: str, url: str, chosen: argparse.Namespace) -> None:
    fill(kind, url, chosen.rows)
    found: dict[str, list[dict[str, Any]]] = {reader: [] for reader in READERS}
    for _ in range(chosen.rounds):
        for reader in READERS:
            done = subprocess.run(
                [sys.executable, __file__, "--only", kind, url, reader],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode == 0:
                found[reader].append(json.loads(done.stdout.splitlines()[-1]))
            elif not found[reader]:
                print(f"{kind} {reader}: {done.stderr.splitlines()[-1][:150]}")
    sums = {json.dumps(one["sums"]) for each in found.values() for one in each}
    assert len(sums) == 1, sums
    for reader, each in found.items():
        if each:
            seconds = statistics.median(one["seconds"] for one in each)
            cpu = statistics.median(one["cpu"] for one in each)
            peak = statistics.median(one["peak"] for one in each)
            print(
                f"{kind:11}{reader:18}{seconds:7.2f} s  CPU {cpu:6.2f} s  "
                f"peak +{peak:5.0f} MB",
                flush=True,
            )


def fill(kind: str, url: str, rows: int) -> None:
    import sqlalchemy as sa

    text, moment, money = TYPES[kind]
    engine = sa.create_engine(driver(url))
    start = dt.datetime(2025, 11, 1, tzinfo=SHANGHAI)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                f"CREATE TABLE sales (ticket_id {text}, sold_at {moment}, "
                f"store_id {text}, member_id {text}, item_id {text}, "
                f"quantity INTEGER, amount {money})"
            )
        )
        made = sa.table("sales", *map(sa.column, (*COLUMNS, "amount")))
        for first in range(0, rows, 50_000):
            block = []
            for n in range(first, min(first + 50_000, rows)):
                at: Any = start + dt.timedelta(seconds=n * 31)
                if kind != "postgresql":
                    at = at.replace(tzinfo=None)
                block.append(
                    {
                        "ticket_id": f"T{n:09d}",
                        "sold_at": at.isoformat(" ") if kind == "sqlite" else at,
                        "store_id": f"S{n * 7919 % 200:03d}",
                        "member_id": f"M{n * 104729 % 200_003:07d}" if n % 3 else None,
                        "item_id": f"SKU{n * 31 % 5000:05d}",
                        "quantity": n % 5 + 1,
                        "amount": f"{n * 37 % 4000}.{n % 100:02d}",
                    }
                )
            connection.execute(sa.insert(made), block)
    engine.dispose()


def driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://").replace(
        "mariadb://", "mariadb+pymysql://"
    )


def measure(kind: str, url: str, reader: str) -> dict[str, Any]:
    importlib.import_module("sqlalchemy")  # by both, and so not counted

    import pandas as pd

    from memberops.adapters.sources import SourceContext
    from memberops.adapters.sources.sql_source import SqlSource
    from memberops.domain import Currency

    engine = {"sqlalchemy": "sqlalchemy", "fast": "auto"}.get(reader)
    if reader == "fast":
        importlib.import_module("pyarrow")

        engine = "connectorx" if kind == "mariadb" else "adbc"
    before = peak()
    began, worked = time.perf_counter(), time.process_time()
    if engine is None:
        frame = by_pandas(kind, url, chunks=reader != "pandas")
    else:
        context = SourceContext(folder=Path(), currency=Currency("CNY"), zone=SHANGHAI)
        source = SqlSource(context, url=url, table="sales", engine=engine)
        frame = source.read("sales").frame
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    grown = peak() - before
    assert str(frame["amount"].dtype) == "int64", frame.dtypes
    return {
        "seconds": seconds,
        "cpu": cpu,
        "peak": grown,
        "sums": [
            len(frame),
            int(frame["amount"].sum()),
            int(frame["quantity"].sum()),
            int(frame["sold_on"].astype("datetime64[s]").astype("int64").sum()),
            str(pd.Timestamp(frame["sold_at"].max())),
            int(frame["member_id"].nunique()),
        ],
    }


def by_pandas(kind: str, url: str, *, chunks: bool) -> Any:
    import pandas as pd
    import sqlalchemy as sa

    engine = sa.create_engine(driver(url))
    query = f"SELECT {', '.join((*COLUMNS, 'amount'))} FROM sales"
    if kind == "sqlite":  # a NUMERIC of SQLite is a float: its text is exact
        query = query.replace("amount", "CAST(amount AS TEXT) AS amount")
    with engine.connect().execution_options(stream_results=chunks) as connection:
        parts = pd.read_sql(
            sa.text(query),
            connection,
            coerce_float=False,
            chunksize=50_000 if chunks else None,
        )
        if not chunks:
            return canonical(kind, parts)
        return pd.concat([canonical(kind, one) for one in parts], ignore_index=True)


def canonical(kind: str, frame: Any) -> Any:
    from decimal import Decimal

    import pandas as pd

    exact = frame["amount"].map(Decimal) if kind == "sqlite" else frame["amount"]
    frame["amount"] = exact.map(lambda value: int(value.scaleb(2))).astype("int64")
    moments = pd.to_datetime(frame["sold_at"], utc=kind == "postgresql")
    if kind != "postgresql":
        moments = moments.dt.tz_localize(SHANGHAI)
    local = moments.dt.tz_convert(SHANGHAI).dt.tz_localize(None)
    frame["sold_on"] = local.dt.normalize().astype("datetime64[us]")
    frame["sold_at"] = moments.dt.tz_convert("UTC").astype("datetime64[us, UTC]")
    for name in ("ticket_id", "store_id", "member_id", "item_id"):
        frame[name] = frame[name].astype("str")
    return frame


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
