"""Gifts of a made-up chain: applications, deliveries, issues, and a stocktake."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

import attrs
import pandas as pd

from memberops.testing.draws import generator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from memberops.testing.writing import WrittenChain

__all__ = ["PlantedMiscount", "write_gifts"]

_GIFTS = (
    ("CUP", "茶杯", "12.50", "是"),
    ("BAG", "购物袋", "3.00", "否"),
    ("TOWEL", "毛巾", "8.80", "否"),
)
_ASKED, _RECEIVED = 30, 2000
_LOTS = {"CUP": (("L1", "2026-12-31"), ("L2", "2027-06-30"))}
_SECTIONS = ("gifts", "gift_applications", "stocktakes", "counts", "count_reasons")
_Cell = tuple[str, str, str]


@attrs.frozen(kw_only=True)
class PlantedMiscount:
    """
    A count that differs from the books on purpose.

    Args:
        place: Where.
        gift_id: What.
        lot_id: The lot; empty if the gift has none.
        difference: Counted less book.
    """

    place: str
    gift_id: str
    lot_id: str
    difference: int


@attrs.define
class _Papers:
    """The rows of the files while they are made, and what is where."""

    moves: list[tuple[str, ...]] = attrs.Factory(list)
    stock: Counter[_Cell] = attrs.Factory(Counter)

    def move(
        self, key: str, what: tuple[str, str], cell: _Cell, to: str, quantity: int
    ) -> None:
        kind, at = what
        place, gift, lot = cell
        through = dict(_LOTS.get(gift, ())).get(lot, "")
        self.moves.append(
            (key, kind, at, gift, lot, through, place, to, str(quantity), "E001")
        )
        self.stock[cell] -= quantity
        self.stock[to, gift, lot] += quantity


def write_gifts(written: WrittenChain) -> tuple[PlantedMiscount, ...]:
    """
    Add gifts to a made-up chain that was written: files, and a ledger in its file.

    In the chain's last month every store applies for gifts, gets and gives them; a
    few deliveries arrive short. After a promotion the stores and the warehouse count:
    the last store does not, and three counts are wrong. The movements are in
    ``gift_movements.csv``, to be posted with ``memberops gifts import``.

    Args:
        written: The chain, just written.

    Returns:
        The wrong counts, and no others are.
    """
    folder, chain = written.folder, written.chain
    month = chain.last_day.replace(day=1)
    stores = sorted(written.frames.stores["store_id"])
    members = sorted(written.frames.members["member_id"])
    draw = generator(chain.seed, "gifts")
    papers = _Papers()

    def at(day: int, hour: int) -> str:
        return f"{month + dt.timedelta(days=day - 1)} {hour:02d}:00"

    for gift, *_ in _GIFTS:
        for lot, _ in _LOTS.get(gift, (("", ""),)):
            cell = ("supplier", gift, lot)
            papers.move(
                f"R-{gift}{lot}", ("入库", at(1, 9)), cell, "warehouse", _RECEIVED
            )
    applications = []
    for number, store in enumerate(stores):
        for gift, *_ in _GIFTS:
            name, lot = f"A-{store}-{gift}", _LOTS.get(gift, (("", ""),))[0][0]
            granted = _ASKED if number % 3 else _ASKED - 10
            applications.append(
                (name, store, gift, str(_ASKED), "促销", f"M-{store}", at(8, 9),
                 str(granted), "H001", at(8, 15))
            )  # fmt: skip
            way = f"in_transit:{store}:{name}:1"
            cell = ("warehouse", gift, lot)
            papers.move(f"D-{name}", ("发货", at(10, 9)), cell, way, granted)
            short = int(number % 5 == 1)
            arrived = (way, gift, lot), f"store:{store}", granted - short
            papers.move(f"V-{name}", ("收货", at(12, 9)), *arrived)
            for visit in range(int(draw.integers(1, 3))):
                member = members[int(draw.integers(len(members)))]
                cell, to = (f"store:{store}", gift, lot), f"member:{member}"
                papers.move(
                    f"I-{name}-{visit}", ("发放", at(14 + visit, 11)), cell, to, 1
                )
    counts, miscounts = _counts(papers, stores, at)
    reasons = [("P1", m.place, m.gift_id, m.lot_id, "damaged", str(m.difference))
               for m in miscounts if m.difference < 0]  # fmt: skip
    ended = month + dt.timedelta(days=20)
    places = ";".join([*(f"store:{each}" for each in stores), "warehouse"])
    tables = {
        "gifts": ("礼品编号,礼品名称,单价,是否分批次", _GIFTS),
        "gift_applications": (
            "申请单号,门店编号,礼品编号,申请数量,用途,申请人,申请时间,批准数量,审批人,审批时间",
            applications,
        ),
        "gift_movements": (
            "凭证号,类型,生效时间,礼品编号,批次,有效期至,转出,转入,数量,经办人",
            papers.moves,
        ),
        "stocktakes": (
            "盘点单号,促销活动,截止日期,盘点范围",
            [("P1", "会员日促销", str(ended), places)],
        ),
        "counts": (
            "盘点单号,盘点地点,礼品编号,批次,实盘数量,盘点时间,盘点人,监盘人",
            counts,
        ),
        "count_reasons": ("盘点单号,盘点地点,礼品编号,批次,原因代码,数量", reasons),
    }
    for name, (headings, rows) in tables.items():
        frame = pd.DataFrame(rows, columns=headings.split(","), dtype="str")
        text = frame.to_csv(index=False, lineterminator="\n")
        (folder / f"{name}.csv").write_bytes(text.encode())
    _add_sections(written.chain_file)
    return miscounts


def _counts(
    papers: _Papers, stores: list[str], at: Callable[[int, int], str]
) -> tuple[list[tuple[str, ...]], tuple[PlantedMiscount, ...]]:
    """Count everything but the last store; three counts are wrong."""
    held = [
        (cell, quantity)
        for cell, quantity in sorted(papers.stock.items())
        if cell[0].startswith(("store:", "warehouse")) and quantity > 0
        if cell[0] != f"store:{stores[-1]}"
    ]
    wrong = {0: -1, len(held) // 2: 2, len(held) - 1: -3}
    rows: list[tuple[str, ...]] = []
    planted: list[PlantedMiscount] = []
    for number, ((place, gift, lot), quantity) in enumerate(held):
        difference = wrong.get(number, 0)
        if difference:
            planted.append(
                PlantedMiscount(
                    place=place, gift_id=gift, lot_id=lot, difference=difference
                )
            )
        day = 25 if place == f"store:{stores[0]}" else 22
        counted = str(quantity + difference)
        rows.append(("P1", place, gift, lot, counted, at(day, 20), "E001", "R001"))
    return rows, tuple(planted)


def _add_sections(file: Path) -> None:
    sections = "".join(
        f'\n[sources.{name}]\nadapter = "csv"\npath = "{name}.csv"\n'
        for name in _SECTIONS
    )
    text = file.read_text("utf-8")
    file.write_bytes(f'{text}{sections}\n[ledger]\npath = "gifts.db"\n'.encode())
