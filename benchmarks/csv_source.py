"""
Sales from a CSV file: the library beside pandas with the same exactness.

``python benchmarks/csv_source.py [--rows N] [--rounds N]`` writes a file with Chinese
headings, a few bad rows among them, and runs each reader in a process of its own. The
peer reads every cell as text, as ids demand, and converts amounts to whole fen and
days and moments by their format; it has no reasons, no lines and no raw text of what
it cannot read.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEADINGS = "小票号,销售时间,门店,会员号,商品编号,数量,单价,金额"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", choices=("memberops", "pandas"))
    parser.add_argument("--file", type=Path)
    chosen = parser.parse_args()
    if chosen.one:
        read_once(chosen.one, chosen.file)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sales.csv"
        write(file, chosen.rows)
        print(f"{chosen.rows:,} rows, {file.stat().st_size / 1e6:,.0f} MB")
        runs: dict[str, list[dict[str, float]]] = {"memberops": [], "pandas": []}
        for _ in range(chosen.rounds):
            for name, each in runs.items():
                done = subprocess.run(
                    [sys.executable, __file__, "--one", name, "--file", str(file)],
                    capture_output=True, text=True, check=True,
                )  # fmt: skip
                each.append(json.loads(done.stdout))
    if len({(run["rows"], run["sum"]) for each in runs.values() for run in each}) > 1:
        sys.exit(f"the readers disagree: {runs}")
    for name, each in runs.items():
        wall, cpu, peak = (
            statistics.median(run[key] for run in each)
            for key in ("wall", "cpu", "peak")
        )
        print(f"{name:<10} {wall:7.1f} s  CPU {cpu:7.1f} s  peak {peak:6.0f} MiB")


def write(file: Path, rows: int) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        out.write(HEADINGS + "\n")
        for start in range(0, rows, 10_000):
            lines = []
            for n in range(start, min(start + 10_000, rows)):
                minute, price = n * 7 % 525_600, 100 + n * 7919 % 50_000
                day, quantity = 1 + minute // 1_440 % 28, 1 + n % 3
                month, hour = 1 + minute // 43_800, minute // 60 % 24
                amount = price * quantity
                lines.append(
                    f"T{n // 3:09},2025-{month:02}-{day:02} {hour:02}:{minute % 60:02}"
                    f":{n % 60:02},S{n % 200:03},{13800000000 + n * 31 % 900_000},"
                    f"G{n * 13 % 20_000:06},{quantity},{price / 100:.2f},"
                    f"{amount / 100:.2f}\n"
                    if n % 100_000 != 77_777
                    else f"T{n // 3:09},2025-13-01 10:00:00,S1,,,1,1.00,1.00\n"
                )
            out.writelines(lines)


def read_once(name: str, file: Path) -> None:
    start, cpu = time.perf_counter(), time.process_time()
    rows, total = ours(file) if name == "memberops" else theirs(file)
    print(
        json.dumps(
            {
                "wall": time.perf_counter() - start,
                "cpu": time.process_time() - cpu,
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "rows": rows,
                "sum": total,
            }
        )
    )


def ours(file: Path) -> tuple[int, int]:
    from zoneinfo import ZoneInfo

    from memberops.adapters.sources.csv_source import read_csv
    from memberops.domain import Currency

    result = read_csv(
        file, "sales", currency=Currency("CNY"), zone=ZoneInfo("Asia/Shanghai")
    )
    return result.accepted, int(result.frame["amount"].sum())


def theirs(file: Path) -> tuple[int, int]:
    import pandas as pd

    frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    moments = pd.to_datetime(
        frame["销售时间"], format="%Y-%m-%d %H:%M:%S", errors="coerce"
    )
    good = moments.notna()
    for heading in ("单价", "金额"):
        parts = frame[heading].str.extract(r"^(-?\d+)\.(\d\d)$")
        good &= parts[0].notna()
        frame[heading] = (parts[0] + parts[1]).where(good, "0").astype("int64")
    frame["数量"] = frame["数量"].astype("int64")
    frame["销售时间"] = moments.dt.tz_localize("Asia/Shanghai").dt.tz_convert("UTC")
    frame["销售日期"] = moments.dt.normalize()
    for heading in ("小票号", "门店", "会员号", "商品编号"):
        frame[heading] = frame[heading].str.strip().replace("", None)
    frame = frame[good]
    return len(frame), int(frame["金额"].sum())


if __name__ == "__main__":
    main()
