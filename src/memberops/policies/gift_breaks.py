"""What is wrong with a case of the three books, and the sentence that says it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from memberops.policies.gift_books import SIDES, Books

__all__ = ["BREAKS", "described_cases"]

BREAKS = {
    "duplicate": ("entered a second time", "重复登记"),
    "redeemed_not_issued": (
        "points were taken, and no gift was issued at the till",
        "已扣积分，收银未发放礼品",
    ),
    "issued_not_redeemed": (
        "a gift was issued for points, and none were taken",
        "已凭积分发放礼品，未扣积分",
    ),
    "moved_not_issued": (
        "stock left for a member, and nothing was issued",
        "库存已出给会员，收银未登记发放",
    ),
    "issued_not_moved": (
        "a gift was issued, and no stock moved",
        "已发放礼品，库存未减少",
    ),
    "wrong_store": ("the stores differ", "门店不一致"),
    "wrong_quantity": ("the quantities differ", "数量不一致"),
    "wrong_lot": ("the lots differ", "批次不一致"),
    "timing": ("the moments lie too far apart", "时间相差过大"),
}
_MATCHED = ("all agree", "一致")
_IDS = ("redemption_id", "issue_id", "posting_id")
_FACTS = ("member_id", "gift_id", "store_id")


def described_cases(books: Books, *, window: pd.Timedelta) -> pd.DataFrame:
    """
    Say of every case what it holds and what is wrong with it, indexed by its number.

    Args:
        books: The rows with their cases.
        window: How far apart the rows of one case may be.
    """
    rows = books.rows.sort_values(
        ["case", "side", "at", "name", "lot_id", "quantity", "store_id"], kind="stable"
    )
    rows["known_store"] = rows["store_id"].where(rows["store_id"] != 0)
    by_case = rows.groupby("case", sort=True)
    cases = by_case.agg(
        first_at=("at", "min"),
        last_at=("at", "max"),
        side=("side", "first"),
        extra=("extra", "first"),
        no_points=("no_points", "max"),
        stores=("known_store", "nunique"),
        **{name: (name, "first") for name in (*_FACTS, "name")},
    )
    for side, (figure, name) in enumerate(zip(SIDES, _IDS, strict=True)):
        mine = rows.loc[rows["side"] == side].groupby("case")
        cases[figure] = mine["quantity"].sum().reindex(cases.index).astype("Int64")
        code = mine["name"].first().reindex(cases.index, fill_value=0)
        cases[name] = pd.Series(books.texts["name"][code], cases.index, dtype="str")
    flaws = _flaws(rows, cases, window=window)
    kind = np.select([flaws[name] for name in BREAKS], list(BREAKS), "matched")
    also = pd.Series("", index=cases.index, dtype="str")
    for name in BREAKS:
        more = flaws[name] & (kind != name)
        also = also.mask(more, also + name + ",")
    texts = {
        name: pd.Series(books.texts[name][cases[name]], cases.index, dtype="str")
        for name in _FACTS
    }
    cases = cases.assign(
        kind=pd.Series(kind, cases.index, dtype="str"),
        also=also.str.rstrip(","),
        **texts,
    )
    return _named(cases, books).drop(
        columns=["side", "extra", "no_points", "stores", "name"]
    )


def _flaws(
    rows: pd.DataFrame, cases: pd.DataFrame, *, window: pd.Timedelta
) -> dict[str, pd.Series[Any]]:
    redeemed, issued, moved = (cases[name].notna() for name in SIDES)
    counts = cases[list(SIDES)]
    unequal = (counts.max(axis=1) != counts.min(axis=1)).fillna(value=False)
    extra = cases["extra"]
    flaws = {
        "duplicate": extra,
        "redeemed_not_issued": redeemed & ~issued,
        "issued_not_redeemed": issued & ~redeemed & ~cases["no_points"],
        "moved_not_issued": moved & ~issued & ~redeemed,
        "issued_not_moved": issued & ~moved,
        "wrong_store": cases["stores"] > 1,
        "wrong_quantity": unequal.astype(bool),
        "wrong_lot": ~unequal.astype(bool) & _other_lots(rows, cases),
        "timing": cases["last_at"] - cases["first_at"] > window,
    }
    # A repetition is nothing but that.
    return {
        name: flaw if name == "duplicate" else flaw & ~extra
        for name, flaw in flaws.items()
    }


def _other_lots(rows: pd.DataFrame, cases: pd.DataFrame) -> pd.Series[Any]:
    """Tell where the till names its lots, and stock moved from others."""
    both = rows.loc[rows["side"] > 0]
    unknown = (both["side"] == 1) & (both["lot_id"] == 0)
    silent = both.loc[unknown, "case"]
    halves = both.groupby("case")["side"].nunique()
    known = both.loc[
        ~both["case"].isin(silent) & both["case"].isin(halves.index[halves > 1])
    ]
    signed = known.assign(
        quantity=np.where(known["side"] == 1, 1, -1) * known["quantity"]
    )
    left = signed.groupby(["case", "lot_id"])["quantity"].sum()
    differ = left[left != 0].index.get_level_values("case")
    return pd.Series(cases.index.isin(differ), index=cases.index)


def _named(cases: pd.DataFrame, books: Books) -> pd.DataFrame:
    """Give each case an id that does not depend on the order, and its sentences."""
    names = pd.Series(books.texts["name"][cases["name"]], cases.index, dtype="str")
    side = pd.Series(np.array(SIDES)[cases["side"]], cases.index, dtype="str")
    label = side + ":" + names + ":" + cases["gift_id"]
    ordered = cases.assign(label=label).sort_values(
        ["label", "extra", "first_at", "last_at", "store_id", "member_id", *SIDES],
        kind="stable",
    )
    again = ordered.groupby("label").cumcount().reindex(cases.index)
    suffix = "#" + (again + 1).astype("str")
    sentences = [
        [_sentence(row, language) for row in _figures(cases)] for language in (0, 1)
    ]
    return cases.assign(
        case_id=label.mask(again > 0, label + suffix),
        why_en=pd.Series(sentences[0], cases.index, dtype="str"),
        why_zh=pd.Series(sentences[1], cases.index, dtype="str"),
    )


def _figures(cases: pd.DataFrame) -> list[tuple[Any, ...]]:
    counts = [cases[name].fillna(0).astype("int64").tolist() for name in SIDES]
    return list(
        zip(cases["kind"].tolist(), cases["also"].tolist(), *counts, strict=True)
    )


def _sentence(row: tuple[Any, ...], language: int) -> str:
    kind, also, redeemed, issued, moved = row
    if kind == "matched":
        return _MATCHED[language]
    said = [BREAKS[name][language] for name in (kind, *also.split(",")) if name]
    if language:
        return f"{'；'.join(said)}（兑换 {redeemed}，发放 {issued}，出库 {moved}）"
    figures = f"redeemed {redeemed}, issued {issued}, moved {moved}"
    return f"{'; '.join(said)} ({figures})"
