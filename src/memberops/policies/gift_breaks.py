"""What is wrong with a case of the three books, and the sentence that says it."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.policies.gift_books import SIDES, Books, Marks
from memberops.policies.gift_cases import Cases
from memberops.policies.gift_codes import Codes, combined, few_texts

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
_NONE = np.iinfo("int64").max


def described_cases(
    cases: Cases, books: Books, *, window: int
) -> tuple[pd.DataFrame, Codes]:
    """
    Say of every case what it holds and what is wrong with it.

    Args:
        cases: The cases.
        books: Their rows.
        window: Microseconds that the rows of one case may be apart.

    Returns:
        The cases by their first moment and id, and for each row its case's position.
    """
    alive = np.flatnonzero((cases.cell >= 0).any(axis=1))
    found = _Found.of(alive, cases, books)
    flaws = np.zeros(len(alive), dtype="int64")
    for number, flaw in enumerate(_flaws(found, cases, books, window=window)):
        flaws |= flaw.astype("int64") << number
    label = _labels(found, books)
    order = _by_moment(found.first_at, label)
    position = np.empty(len(cases.cell), dtype="int64")
    position[alive[order]] = np.arange(len(order))
    found, flaws = found.taken(order), flaws[order]
    facts = {
        "member_id": found.fact(cases.member),
        "gift_id": books.codes["gift_id"][found.head],
        "store_id": found.fact(cases.store),
    }
    frame = pd.DataFrame(
        {
            "case_id": label.take(order).array,
            **_told(found, flaws),
            **{name: books.texts[name].of(facts[name]) for name in _FACTS},
            **{
                name: books.own_names(side, found.names(side, cases, books))
                for side, name in enumerate(_IDS)
            },
            **{
                name: pd.arrays.IntegerArray(found.counts[:, side], ~found.has[:, side])
                for side, name in enumerate(SIDES)
            },
            "first_at": _moments(found.first_at),
            "last_at": _moments(found.last_at),
        }
    )
    return frame, position[cases.of[books.case]]


@attrs.frozen(kw_only=True, eq=False)
class _Found:
    """The cases that are left, case by case and side by side."""

    cell: Codes
    has: Marks
    counts: Codes
    first_at: Codes
    last_at: Codes
    head: Codes
    side: Codes
    extra: Marks
    no_points: Marks

    @classmethod
    def of(cls, alive: Codes, cases: Cases, books: Books) -> _Found:
        cell = cases.cell[alive]
        has = cell >= 0
        side = has.argmax(axis=1)
        first, last = books.moment[cases.first], books.moment[cases.last]
        return cls(
            cell=cell,
            has=has,
            counts=np.where(has, cases.quantity[cell], 0),
            first_at=np.where(has, first[cell], _NONE).min(axis=1, initial=_NONE),
            last_at=np.where(has, last[cell], -_NONE).max(axis=1, initial=-_NONE),
            head=cases.first[cell[np.arange(len(cell)), side]],
            side=side,
            extra=cases.extra[alive],
            no_points=cases.no_points[alive],
        )

    def taken(self, order: Codes) -> _Found:
        """Return them in another order."""
        return _Found(
            **{
                field.name: getattr(self, field.name)[order]
                for field in attrs.fields(_Found)
            }
        )

    def fact(self, by_cell: Codes) -> Codes:
        """Return of each case what the first side says that says it."""
        found = np.zeros(len(self.cell), dtype="int64")
        for side in reversed(range(len(SIDES))):
            said = np.where(self.has[:, side], by_cell[self.cell[:, side]], 0)
            found = np.where(said != 0, said, found)
        return found

    def names(self, side: int, cases: Cases, books: Books) -> Codes:
        """Return the own ids that a side has."""
        row = cases.first[self.cell[:, side]]
        return np.where(self.has[:, side], books.name[row], 0)


def _flaws(found: _Found, cases: Cases, books: Books, *, window: int) -> list[Marks]:
    """Say for each of `BREAKS` which cases have it."""
    redeemed, issued, moved = (found.has[:, side] for side in range(len(SIDES)))
    extra = found.extra
    most = np.where(found.has, found.counts, -_NONE).max(axis=1, initial=-_NONE)
    least = np.where(found.has, found.counts, _NONE).min(axis=1, initial=_NONE)
    unequal = most != least
    usual = found.fact(cases.store)
    away = np.zeros(len(extra), dtype=bool)
    for by_cell in (cases.store, cases.other):
        stores = np.where(found.has, by_cell[found.cell], 0)
        away |= ((stores != 0) & (stores != usual[:, None])).any(axis=1)
    flaws = {
        "redeemed_not_issued": redeemed & ~issued,
        "issued_not_redeemed": issued & ~redeemed & ~found.no_points,
        "moved_not_issued": moved & ~issued & ~redeemed,
        "issued_not_moved": issued & ~moved,
        "wrong_store": away,
        "wrong_quantity": unequal,
        "wrong_lot": ~unequal & _other_lots(found, cases, books),
        "timing": found.last_at - found.first_at > window,
    }
    # A repetition is nothing but that.
    return [extra if name == "duplicate" else flaws[name] & ~extra for name in BREAKS]


def _other_lots(found: _Found, cases: Cases, books: Books) -> Marks:
    """Tell where the till names its lots, and stock moved from others."""
    lot = books.codes["lot_id"]
    till, stock = found.cell[:, 1], found.cell[:, 2]
    both = found.has[:, 1] & found.has[:, 2]
    one, two = lot[cases.first[till]], lot[cases.first[stock]]
    other: Marks = both & (one != 0) & (one != two)
    several = both & ((cases.rows[till] > 1) | (cases.rows[stock] > 1))
    if not several.any():
        return other
    place = np.full(len(cases.rows), -1)
    for side in (1, 2):
        place[found.cell[several, side]] = np.flatnonzero(several)
    cell = np.full(books.cases * len(SIDES), -1)
    # The cells of the books are still those of their rows, whatever was joined.
    where = books.case * len(SIDES) + books.side
    there = np.bincount(where, minlength=len(cell)) > 0
    cell[there] = np.arange(int(there.sum()))
    case = place[cell[where]]
    rows = np.flatnonzero(case >= 0)
    case = case[rows]
    sold = books.side[rows] == 1
    signed = np.where(sold, books.quantity[rows], -books.quantity[rows])
    by_lot = pd.factorize(combined(case, lot[rows]))[0]
    left = np.zeros(int(by_lot.max()) + 1, dtype="int64")
    np.add.at(left, by_lot, signed)
    other[several] = False
    other[case[left[by_lot] != 0]] = True
    other[case[sold & (lot[rows] == 0)]] = False
    return other


def _labels(found: _Found, books: Books) -> pd.Series[str]:
    """Give each case an id that does not depend on the order."""
    own = pd.Series("", index=range(len(found.head)), dtype="str")
    name = books.name[found.head]
    for side in range(len(SIDES)):
        mine = found.side == side
        if mine.all():
            own = books.own_names(side, name)
        elif mine.any():
            own[mine] = books.own_names(side, name[mine]).array
    start = few_texts([f"{side}:" for side in SIDES], found.side)
    gift = books.texts["gift_id"].of(books.codes["gift_id"][found.head])
    label = start + own + ":" + gift
    again = np.flatnonzero(label.duplicated(keep=False))
    if len(again):
        rows, some = found.head[again], label.iloc[again]
        ranks = pd.factorize(some)[0].astype("int64")
        order = np.lexsort(
            (
                *found.counts[again].T[::-1],
                books.ranked("member_id", rows),
                books.ranked("store_id", rows),
                found.last_at[again],
                found.first_at[again],
                found.extra[again],
                ranks,
            )
        )
        count = some.iloc[order].groupby(ranks[order]).cumcount() + 1
        later = count.loc[count > 1]
        label = label.copy()
        label.loc[later.index] += "#" + later.astype("str")
    return label


def _by_moment(first_at: Codes, label: pd.Series[str]) -> Codes:
    """Sort cases by their first moment, and by id where that is the same."""
    order = np.argsort(first_at, kind="stable")
    same = first_at[order][1:] == first_at[order][:-1]
    tied = np.flatnonzero(np.r_[same, False] | np.r_[False, same])
    if len(tied):
        some = order[tied]
        ranks = np.empty(len(some), dtype="int64")
        ranks[np.asarray(label.array.take(some).argsort())] = np.arange(len(some))
        order[tied] = some[np.lexsort((ranks, first_at[some]))]
    return order


def _moments(micros: Codes) -> pd.Series[Any]:
    return pd.Series(micros.view("datetime64[us]")).dt.tz_localize("UTC")


def _told(found: _Found, flaws: Codes) -> dict[str, pd.Series[str]]:
    """Name the flaws of the cases, and write each sentence once."""
    sorts, known = pd.factorize(flaws)
    names = [
        [name for number, name in enumerate(BREAKS) if each >> number & 1]
        for each in known.tolist()
    ]
    counts = [pd.factorize(found.counts[:, side])[0] for side in range(len(SIDES))]
    said, _ = pd.factorize(
        combined(*(each.astype("int64") for each in (sorts, *counts)))
    )
    size = int(said.max(initial=-1)) + 1
    first = np.empty(size, dtype="int64")
    first[said[::-1]] = np.arange(len(said))[::-1]
    told = list(
        zip(
            [names[each] for each in sorts[first].tolist()],
            found.counts[first].tolist(),
            strict=True,
        )
    )
    return {
        "kind": few_texts([each[0] if each else "matched" for each in names], sorts),
        "also": few_texts([",".join(each[1:]) for each in names], sorts),
        "why_en": few_texts([_sentence(*each, 0) for each in told], said),
        "why_zh": few_texts([_sentence(*each, 1) for each in told], said),
    }


def _sentence(names: list[str], counts: list[int], language: int) -> str:
    if not names:
        return _MATCHED[language]
    redeemed, issued, moved = counts
    said = [BREAKS[name][language] for name in names]
    if language:
        return f"{'；'.join(said)}（兑换 {redeemed}，发放 {issued}，出库 {moved}）"
    figures = f"redeemed {redeemed}, issued {issued}, moved {moved}"
    return f"{'; '.join(said)} ({figures})"
