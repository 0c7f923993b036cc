"""Writing a made-up chain as the files that an office would have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import attrs

from memberops.domain.money import Currency
from memberops.errors import InvalidValueError
from memberops.tables import TABLES, Table
from memberops.testing.dirt import DAMAGES, PlantedDirt
from memberops.testing.styles import CLEAN, DIRTY, Style, csv_bytes, text_rows
from memberops.testing.synthetic_chain import ChainFrames, SyntheticChain

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WrittenChain", "write_chain"]

_MADE = tuple(table for table in TABLES if table.name in attrs.fields_dict(ChainFrames))
_CHAIN_FILE = "chain.toml"
_MARK = (
    "# 虚构数据，由 memberops.testing 生成 · Made-up data, written by memberops.testing"
)


@attrs.frozen(kw_only=True, eq=False)
class WrittenChain:
    """
    A chain as it was written.

    Args:
        folder: Where it is.
        chain: What it was made from.
        frames: Its clean frames: what a reader should accept, but for the planted
            rows that a reader takes.
        planted: The damage that was planted, in the order of the files.
    """

    folder: Path
    chain: SyntheticChain = attrs.field(repr=False)
    frames: ChainFrames = attrs.field(repr=False)
    planted: tuple[PlantedDirt, ...] = attrs.field(repr=False)

    @property
    def chain_file(self) -> Path:
        """The chain file, which names the others."""
        return self.folder / _CHAIN_FILE

    def file(self, table: str) -> Path:
        """Return the file of a table."""
        return self.folder / f"{table}.csv"

    def planted_in(self, table: str) -> tuple[PlantedDirt, ...]:
        """Return the damage that was planted in the file of a table."""
        return tuple(dirt for dirt in self.planted if dirt.table == table)


def write_chain(
    folder: str | Path,
    *,
    chain: SyntheticChain | None = None,
    dirty: bool = True,
    name: str = "示例连锁",
) -> WrittenChain:
    """
    Write a made-up chain: one CSV file per table, and the chain file.

    The same values give the same bytes. A dirty chain has Chinese headings, GB18030
    in some files and UTF-8 with a byte-order mark in others, days and amounts in many
    styles, and a few damaged rows; a clean one is plain.

    Args:
        folder: Where to write; it is made if it is not there. A folder that this
            function wrote before is written again; other files in it stay.
        chain: What to write; the default chain if None.
        dirty: Whether to write it as real exports look.
        name: The chain's name in the chain file.

    Raises:
        InvalidValueError: The folder holds something that was not written here, or
            is no folder; or the currency has digits of its own.

    >>> small = SyntheticChain(seed=7, stores=2, regions=1, members=50, months=3)
    >>> written = write_chain("small", chain=small)
    >>> len(list(written.folder.glob("*.csv"))), written.file("visits").name
    (11, 'visits.csv')
    >>> written.planted_in("cards")[0].rule
    'too-few-cells'
    """
    target = Path(folder)
    _check_ours(target)
    made = chain or SyntheticChain()
    if Currency(made.currency.code) != made.currency:
        raise InvalidValueError(
            f"the chain file names {made.currency.code} by its code alone, "
            f"so its amounts cannot have {made.currency.digits} digits"
        )
    frames = made.frames()
    target.mkdir(parents=True, exist_ok=True)
    # The chain file goes first: it marks the folder as ours from the beginning.
    (target / _CHAIN_FILE).write_bytes(_chain_file(made, name).encode())
    planted: list[PlantedDirt] = []
    for table in _MADE:
        style = DIRTY[table.name] if dirty else CLEAN
        content, dirt = _file(table, frames[table.name], style, made, dirty=dirty)
        (target / f"{table.name}.csv").write_bytes(content)
        planted.extend(dirt)
    return WrittenChain(
        folder=target, chain=made, frames=frames, planted=tuple(planted)
    )


def _check_ours(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InvalidValueError(f"{str(folder)!r} is a file, not a folder")
    if not any(folder.iterdir()):
        return
    try:
        with (folder / _CHAIN_FILE).open(encoding="utf-8") as file:
            ours = file.readline().rstrip("\n") == _MARK
    except (OSError, UnicodeDecodeError):
        ours = False
    if not ours:
        raise InvalidValueError(
            f"{str(folder)!r} is not empty and was not written by memberops.testing: "
            "nothing in it was touched; give another folder"
        )


def _chain_file(chain: SyntheticChain, name: str) -> str:
    sources = "".join(
        f'[sources.{table.name}]\nadapter = "csv"\npath = "{table.name}.csv"\n\n'
        for table in _MADE
    )
    return (
        f"{_MARK}\n"
        f"name = {json.dumps(name, ensure_ascii=False)}\n"
        f'currency = "{chain.currency.code}"\n'
        f'zone = "{chain.zone}"\n'
        f'language = "zh"\n\n'
        f"{sources}"
        "[policies.fee_waiver]\n"
        "purchases = 3\n"
        'spend = "1000"\n\n'
        "[policies.term]\n"
        "count = 12\n"
        'unit = "months"\n'
    )


def _file(
    table: Table,
    frame: pd.DataFrame,
    style: Style,
    chain: SyntheticChain,
    *,
    dirty: bool,
) -> tuple[bytes, list[PlantedDirt]]:
    names = [str(name) for name in frame.columns]
    rows = text_rows(frame, table, style, chain.currency, ZoneInfo(chain.zone))
    headings = [table.column(name).heading(style.language) for name in names]
    kinds = DAMAGES[table.name] if dirty and rows else ()
    damaged: list[tuple[int, bytes]] = []
    for number, kind in enumerate(kinds, start=1):
        above = max(1, len(rows) * number // (len(kinds) + 1))
        model = dict(zip(names, rows[above - 1], strict=True))
        damaged.append((above, kind.line(model, style.encoding)))
    content, lines = csv_bytes(headings, rows, style, damaged)
    planted = [
        PlantedDirt(
            table=table.name,
            file=f"{table.name}.csv",
            line=line,
            rule=kind.rule,
            column=kind.column,
            rejected=kind.rejected,
            found_by=kind.found_by,
        )
        for kind, line in zip(kinds, lines, strict=True)
    ]
    return content, planted
