"""
Write the demonstration chain: ``python -m memberops.testing.demo FOLDER``.

It has 12 stores, 5 000 members and the 25 months that end in October 2026, so that
October 2026 has a month before and a year before, and cards that expire in November.
Its stores apply for gifts in October, give them, and count them after a promotion.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from memberops.errors import InvalidValueError, MissingExtraError
from memberops.testing.synthetic_gifts import write_gifts
from memberops.testing.writing import WrittenChain, write_chain
from memberops.workflows import open_chain

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_LEVELS = """
[policies.tiers]
levels = [
    { name = "regular", name_zh = "普通会员" },
    { name = "silver", name_zh = "银卡", rule = { spend = "2000" } },
    { name = "gold", name_zh = "金卡", rule = { spend = "5000" } },
]
"""
"""A chain has no levels of its own accord; the demonstration shows some."""


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Write the demonstration chain and say what was written.

    Args:
        arguments: The folder; the arguments of the command line if None.

    Returns:
        Exit status: 0, or 2 if it was used wrongly.

    >>> main([])
    2
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if len(given) != 1 or given[0].startswith("-"):
        sys.stderr.write(
            "用法 usage: python -m memberops.testing.demo FOLDER\n"
            "在文件夹 FOLDER 中生成示例连锁的虚构数据。\n"
            "Writes the made-up data of a demonstration chain into FOLDER.\n"
        )
        return 2
    try:
        written = write_chain(given[0])
        write_gifts(written)
        with written.chain_file.open("a", encoding="utf-8", newline="\n") as file:
            file.write(_LEVELS)
        _post_gifts(written)
    except (InvalidValueError, OSError) as error:
        sys.stderr.write(f"无法写入，请换一个空文件夹。\nCannot write: {error}\n")
        return 2
    frames, planted = written.frames, written.planted
    stores, members, lines = map(len, (frames.stores, frames.members, frames.sales))
    first, last = written.chain.first_month, written.chain.last_day
    span = f"{first:%Y-%m}–{last:%Y-%m}"
    sys.stdout.write(
        f"已生成虚构的示例连锁：{stores} 家门店，{members} 名会员，{lines} 行销售明细"
        f"（{span}），另有意放入 {len(planted)} 行有问题的数据 → {written.chain_file}\n"
        f"Wrote a made-up chain: {stores} stores, {members} members, "
        f"{lines} sales lines ({span}), and {len(planted)} damaged rows on purpose "
        f"→ {written.chain_file}\n"
    )
    return 0


def _post_gifts(written: WrittenChain) -> None:
    """Begin the gift ledger, where a database is installed for it."""
    with contextlib.suppress(MissingExtraError):
        open_chain(written.chain_file).import_gifts(
            written.folder / "gift_movements.csv", as_of=written.chain.last_day
        )


if __name__ == "__main__":
    raise SystemExit(main())
