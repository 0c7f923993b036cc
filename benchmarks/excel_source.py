"""
Sales from a workbook: the library beside pandas.read_excel.

``python benchmarks/excel_source.py [--rows N] [--rounds N]`` writes one sheet and runs
each reader in a process of its own. The peers are pandas with its default engine
(openpyxl) and with calamine; both give floats and infer, so they do less.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEADINGS = (
    "小票号", "销售时间", "门店", "会员号", "商品编号", "数量", "单价", "金额",
)  # fmt: skip
NAMES = ("memberops", "openpyxl", "calamine")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", choices=NAMES)
    parser.add_argument("--file", type=Path)
    chosen = parser.parse_args()
    if chosen.one:
        read_once(chosen.one, chosen.file)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sales.xlsx"
        write(file, chosen.rows)
        print(f"{chosen.rows:,} rows x 8, {file.stat().st_size / 1e6:,.1f} MB")
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in NAMES}
        for _ in range(chosen.rounds):
            for name, each in runs.items():
                done = subprocess.run(
                    [sys.executable, __file__, "--one", name, "--file", str(file)],
                    capture_output=True, text=True, check=True,
                )  # fmt: skip
                each.append(json.loads(done.stdout))
    if len({run["sum"] for each in runs.values() for run in each}) > 1:
        sys.exit(f"the readers disagree: {runs}")
    for name, each in runs.items():
        wall, cpu, peak = (
            statistics.median(run[key] for run in each)
            for key in ("wall", "cpu", "peak")
        )
        print(f"{name:<10} {wall:7.1f} s  CPU {cpu:7.1f} s  peak {peak:6.0f} MiB")


def write(file: Path, rows: int) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(file), {"constant_memory": True}) as book:
        sheet = book.add_worksheet("销售")
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        first = dt.datetime(2025, 1, 1)  # noqa: DTZ001 - a wall time
        sheet.write_row(0, 0, HEADINGS)
        for n in range(rows):
            quantity, price = 1 + n % 3, 100 + n * 7919 % 50_000
            sheet.write_string(n + 1, 0, f"T{n // 3:07}")
            when = first + dt.timedelta(seconds=n * 37)
            sheet.write_datetime(n + 1, 1, when, moment)
            sheet.write_string(n + 1, 2, f"S{n % 200:03}")
            sheet.write_number(n + 1, 3, 13800000000 + n * 31 % 90_000)
            sheet.write_string(n + 1, 4, f"G{n * 13 % 20_000:06}")
            sheet.write_number(n + 1, 5, quantity)
            sheet.write_number(n + 1, 6, price / 100)
            sheet.write_number(n + 1, 7, price * quantity / 100)


def read_once(name: str, file: Path) -> None:
    start, cpu = time.perf_counter(), time.process_time()
    total = ours(file) if name == "memberops" else theirs(file, name)
    print(
        json.dumps(
            {
                "wall": time.perf_counter() - start,
                "cpu": time.process_time() - cpu,
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "sum": total,
            }
        )
    )


def ours(file: Path) -> int:
    from zoneinfo import ZoneInfo

    from memberops.adapters.sources.excel_source import read_excel
    from memberops.domain import Currency

    result = read_excel(
        file, "sales", currency=Currency("CNY"), zone=ZoneInfo("Asia/Shanghai")
    )
    if result.rejected:
        sys.exit(f"rejected {result.rejected} rows")
    return int(result.frame["amount"].sum())


def theirs(file: Path, engine: str) -> int:
    import pandas as pd

    frame = pd.read_excel(file, engine=engine, dtype={"会员号": str})  # type: ignore[call-overload]
    return int((frame["金额"] * 100).round().astype("int64").sum())


if __name__ == "__main__":
    main()
