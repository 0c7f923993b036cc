"""
Run the benchmarks: the library beside its peers, interleaved, as ratios of medians.

``python benchmarks/run.py [--lines N] [--members N] [--rounds N] [--quick]
[--offices]``
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PEERS = (
    ("memberops", ["library"]),
    ("memberops, no polars", ["library", "--engine", "pandas"]),
    ("plain pandas", ["analyst"]),
    ("DuckDB SQL", ["sql"]),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--stores", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of the lines")
    parser.add_argument("--offices", action="store_true", help="no metric set")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.lines, chosen.members = chosen.lines // 10, chosen.members // 10
    size = str(chosen.members)
    for name, *words in (
        ["decisions.py"],
        ["import_time.py"],
        ["working_time.py"],
        ["service_levels.py", "--cases", size],
        ["visits.py", "--members", size],
        ["expiring.py", "--cards", str(chosen.members // 10)],
        ["duplicates.py", "--members", size],
    ):
        print(run_script(name, *words), flush=True)
    if chosen.offices:
        return
    with tempfile.TemporaryDirectory() as folder:
        make_data(Path(folder), chosen)
        race(Path(folder), chosen)


def run_script(name: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, str(HERE / name), *words],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.rstrip()


def make_data(folder: Path, chosen: argparse.Namespace) -> None:
    code = (
        "import sys; from memberops.testing import large_sales; "
        "lines, members, stores, folder = sys.argv[1:]; "
        "frames = large_sales(int(lines), members=int(members), stores=int(stores)); "
        "[frames[name].to_parquet(f'{folder}/{name}.parquet', index=False) "
        "for name in ('sales', 'members', 'cards', 'stores', 'targets')]"
    )
    subprocess.run(
        [
            sys.executable, "-c", code, str(chosen.lines), str(chosen.members),
            str(chosen.stores), str(folder),
        ],
        check=True,
    )  # fmt: skip


def race(folder: Path, chosen: argparse.Namespace) -> None:
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name, _ in PEERS}
    for number in range(chosen.rounds):
        for name, words in PEERS:
            done = subprocess.run(
                [
                    sys.executable, str(HERE / "metric_set.py"), *words,
                    "--data", str(folder),
                ],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            result = json.loads(done.stdout)
            runs[name].append(result)
            print(
                f"  round {number + 1}  {name:<22}{result['wall']:8.2f} s wall "
                f"{result['cpu']:8.2f} s CPU {result['peak_mib']:8.0f} MiB",
                flush=True,
            )
    digests = {run["digest"] for each in runs.values() for run in each}
    print(
        f"\nmetric set, 25 months x store, region, chain: {chosen.lines:,} lines, "
        f"{chosen.members:,} members, {chosen.stores} stores; "
        f"medians of {chosen.rounds}"
    )
    print(f"figures equal in all runs: {len(digests) == 1}")
    ours = medians(runs["memberops"])
    for name, each in runs.items():
        theirs = medians(each)
        print(
            f"{name:<22}{theirs['wall']:8.2f} s  x{theirs['wall'] / ours['wall']:5.2f}"
            f"   CPU {theirs['cpu']:7.2f} s  x{theirs['cpu'] / ours['cpu']:5.2f}"
            f"   peak {theirs['peak_mib']:6.0f} MiB  "
            f"x{theirs['peak_mib'] / ours['peak_mib']:5.2f}"
            f"   above the frames {theirs['above']:6.0f} MiB"
        )
    if len(digests) != 1:
        sys.exit("the implementations disagree")


def medians(runs: list[dict[str, Any]]) -> dict[str, float]:
    result = {
        name: statistics.median(run[name] for run in runs)
        for name in ("wall", "cpu", "peak_mib")
    }
    result["above"] = statistics.median(
        run["peak_mib"] - run["before_mib"] for run in runs
    )
    return result


if __name__ == "__main__":
    main()
