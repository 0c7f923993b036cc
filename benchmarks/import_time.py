"""What `import memberops` adds to a bare interpreter, in fresh processes in turn."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 15


def took(code: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - begin


def main() -> None:
    bare, ours = [], []
    for _ in range(ROUNDS):
        bare.append(took("pass"))
        ours.append(took("import memberops"))
    added = statistics.median(ours) - statistics.median(bare)
    print(f"import memberops adds           {added * 1e3:8.1f} ms")


if __name__ == "__main__":
    main()
