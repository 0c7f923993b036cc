"""Cases of the three books: what each holds on each side, and how they are joined."""

from __future__ import annotations

import attrs
import numpy as np
import pandas as pd

from memberops.policies.gift_books import SIDES, Books, Marks
from memberops.policies.gift_codes import Codes, combined
from memberops.policies.gift_pairs import paired

__all__ = ["Cases", "gathered", "joined"]


@attrs.define(kw_only=True, eq=False)
class Cases:
    """
    The cases of some books, and what each holds on each side.

    What one case holds on one side has a number, its cell.

    Args:
        cell: By case and side, the cell; -1 where there is nothing.
        first: By cell, its first row.
        last: By cell, its latest row.
        rows: By cell, how many rows it has.
        quantity: By cell, how many gifts.
        member: By cell, the first member that is named; 0 is none.
        store: By cell, the first store that is named; 0 is none.
        other: By cell, another store that it names, or else the same.
        no_points: By case, whether an issue needs no redemption.
        extra: By case, whether it is a row that repeats another.
        of: By case as the books number it, the case that it has become.
    """

    cell: Codes
    first: Codes
    last: Codes
    rows: Codes
    quantity: Codes
    member: Codes
    store: Codes
    other: Codes
    no_points: Marks
    extra: Marks
    of: Codes


def gathered(books: Books) -> Cases:
    """Gather the rows of the books by case and side."""
    where = books.case * len(SIDES) + books.side
    number = np.bincount(where, minlength=books.cases * len(SIDES))
    there = number > 0
    cell = np.where(there, np.cumsum(there) - 1, -1)
    of_row = cell[where]
    rows = number[there]
    first = np.empty(len(rows), dtype="int64")
    first[of_row] = np.arange(len(of_row))
    last = first.copy()
    many = np.flatnonzero(rows[of_row] > 1)
    if len(many):
        many = many[_order(books, many, of_row[many])]
        last[of_row[many]] = many
        first[of_row[many[::-1]]] = many[::-1]
    quantity = np.zeros(len(rows), dtype="int64")
    np.add.at(quantity, of_row, books.quantity)
    facts = []
    for name in ("member_id", "store_id"):
        codes = books.codes[name]
        found = codes[first]
        named = many[codes[many] != 0][::-1]
        found[of_row[named]] = codes[named]
        facts.append(found)
    member, store = facts
    other = store.copy()
    away = many[books.codes["store_id"][many] != store[of_row[many]]]
    away = away[books.codes["store_id"][away] != 0]
    other[of_row[away]] = books.codes["store_id"][away]
    marks = []
    for each in (books.no_points, books.extra):
        mark = np.zeros(books.cases, dtype=bool)
        mark[books.case[each]] = True
        marks.append(mark)
    return Cases(
        cell=cell.reshape(-1, len(SIDES)),
        first=first,
        last=last,
        rows=rows,
        quantity=quantity,
        member=member,
        store=store,
        other=other,
        no_points=marks[0],
        extra=marks[1],
        of=np.arange(books.cases),
    )


def _order(books: Books, rows: Codes, cell: Codes) -> Codes:
    """Sort rows by cell and moment, and so that their order in the frame is nothing."""
    return np.lexsort(
        (
            books.ranked("member_id", rows),
            books.ranked("store_id", rows),
            books.quantity[rows],
            books.ranked("lot_id", rows),
            books.ranked_names(rows),
            books.moment[rows],
            cell,
        )
    )


def joined(cases: Cases, books: Books, *, window: int) -> None:
    """
    Join cases that lack a side with those that have it, where they agree.

    They agree in member, gift and quantity, first in the same store and then in any.

    Args:
        cases: The cases, which are changed.
        books: Their rows.
        window: Microseconds that two may be apart.
    """
    for same_store in (True, False):
        for left, right in ((0, 1), (1, 2), (0, 2)):
            one, two = _pairs(
                cases, books, (left, right), window=window, same_store=same_store
            )
            has = cases.cell >= 0
            # Two cases are joined only if no side would then be there twice.
            apart = ~(has[one] & has[two]).any(axis=1)
            one, two = one[apart], two[apart]
            if not len(one):
                continue
            cases.cell[one] = np.maximum(cases.cell[one], cases.cell[two])
            cases.cell[two] = -1
            cases.no_points[one] |= cases.no_points[two]
            became = np.arange(len(cases.cell))
            became[two] = one
            cases.of = became[cases.of]


def _pairs(
    cases: Cases, books: Books, sides: tuple[int, int], *, window: int, same_store: bool
) -> tuple[Codes, Codes]:
    """Pair cases that have one side and lack the other with those that lack the one."""
    closed = cases.extra | cases.no_points if sides[0] == 0 else cases.extra
    ends = []
    for mine, other in (sides, sides[::-1]):
        free = (cases.cell[:, mine] >= 0) & (cases.cell[:, other] < 0) & ~closed
        case = np.flatnonzero(free)
        cell = cases.cell[case, mine]
        known = cases.member[cell] != 0
        ends.append((case[known], cell[known]))
    both = np.concatenate([cell for _, cell in ends])
    size = len(ends[0][0])
    if not 0 < size < len(both):
        nothing = np.empty(0, dtype="int64")
        return nothing, nothing
    first = cases.first[both]
    keys = [
        cases.member[both],
        books.codes["gift_id"][first],
        pd.factorize(cases.quantity[both])[0].astype("int64"),
    ]
    if same_store:
        keys.append(cases.store[both])
    group = pd.factorize(combined(*keys))[0].astype("int64")
    numbers = int(group.max()) + 1
    shared = np.bincount(group[:size], minlength=numbers) > 0
    shared &= np.bincount(group[size:], minlength=numbers) > 0
    sorted_ends, found = [], []
    for (case, _), part in zip(ends, (slice(size), slice(size, None)), strict=True):
        keep = shared[group[part]]
        rows, groups = first[part][keep], group[part][keep]
        order = _by_moment(books, rows, groups)
        sorted_ends.append((groups[order], books.moment[rows[order]]))
        found.append(case[keep][order])
    one, two = paired(*sorted_ends, window=window)
    return found[0][one], found[1][two]


def _by_moment(books: Books, rows: Codes, groups: Codes) -> Codes:
    """Sort rows by group and moment, and by their own ids where these are equal."""
    at = books.moment[rows]
    order = np.lexsort((at, groups))
    same = (at[order][1:] == at[order][:-1]) & (groups[order][1:] == groups[order][:-1])
    tied = np.flatnonzero(np.r_[same, False] | np.r_[False, same])
    if len(tied):
        some = order[tied]
        # Lines of one posting may belong to several cases: then these tell.
        names, cases = books.ranked_names(rows[some]), books.ranked_anchors(rows[some])
        order[tied] = some[np.lexsort((cases, names, at[some], groups[some]))]
    return order
