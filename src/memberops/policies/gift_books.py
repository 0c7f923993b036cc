"""Three books side by side: their rows, the ids that join them, and repetitions."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.errors import ColumnTypeError, MissingColumnsError
from memberops.policies.gift_codes import Codes, Texts, combined, read_texts

__all__ = ["SIDES", "Books", "Marks", "read_books"]

SIDES = ("redeemed", "issued", "moved")
_NAMES = ("redemption_id", "issue_id", "posting_id")
_MOMENTS = ("redeemed_at", "issued_at", "effective_at")
_FACTS = ("member_id", "store_id", "gift_id", "lot_id")
_POINTS = "points"

Marks = np.ndarray[Any, np.dtype[Any]]
"""Yes or no, row by row."""


@attrs.frozen(kw_only=True, eq=False)
class Books:
    """
    The rows of the three books, one under the other, as arrays.

    Args:
        side: 0 for points redeemed, 1 for gifts issued, 2 for stock moved.
        row: The position in the book's frame.
        moment: Microseconds since 1970 in UTC.
        quantity: How many.
        name: Code of the row's own id, in the texts of its side.
        codes: By fact, its codes; 0 is none.
        no_points: Issues that need no redemption.
        extra: Rows that repeat another, or go beyond what there was.
        anchor: What the row hangs on: a redemption, an issue, or its own posting.
        case: The number of the case that the row is in.
        texts: By id or fact, what its codes stand for.
    """

    side: Codes
    row: Codes
    moment: Codes
    quantity: Codes
    name: Codes
    codes: dict[str, Codes]
    no_points: Marks
    extra: Marks
    anchor: Codes
    case: Codes
    texts: dict[str, Texts]

    @property
    def cases(self) -> int:
        """How many cases there are."""
        return int(self.case.max(initial=-1)) + 1

    def ranked_names(self, rows: Codes) -> Codes:
        """Return numbers for the own ids of rows, sorted as they are in each side."""
        ranks = np.zeros(len(rows), dtype="int64")
        side = self.side[rows]
        for number, name in enumerate(_NAMES):
            mine = side == number
            ranks[mine] = self.texts[name].ranks(self.name[rows[mine]])
        return ranks

    def ranked_anchors(self, rows: Codes) -> Codes:
        """Return numbers for what rows hang on, sorted by kind and id."""
        anchor, ranks, start = self.anchor[rows], np.zeros(len(rows), dtype="int64"), 0
        for name in _NAMES:
            end = start + len(self.texts[name])
            mine = (anchor >= start) & (anchor < end)
            ranks[mine] = start + self.texts[name].ranks(anchor[mine] - start)
            start = end
        return ranks

    def ranked(self, fact: str, rows: Codes) -> Codes:
        """Return numbers for a fact of rows, sorted as its texts are."""
        return self.texts[fact].ranks(self.codes[fact][rows])

    def own_names(self, side: int, codes: Codes) -> pd.Series[str]:
        """Return own ids of a side."""
        return self.texts[_NAMES[side]].of(codes)


def read_books(frames: tuple[pd.DataFrame, ...], *, as_of: pd.Timestamp) -> Books:
    """
    Put the rows of the books one under the other, joined by the ids they name.

    Args:
        frames: Redemptions, issues and movements.
        as_of: Later rows are left out.

    Raises:
        MissingColumnsError: A column is not there.
        ColumnTypeError: A quantity is no int64, or moments have no zone.
    """
    for number, frame in enumerate(frames):
        _check(frame, number)
    lengths = [len(each) for each in frames]
    names = [_texts(frames, name, from_side=k) for k, name in enumerate(_NAMES)]
    facts = {name: _texts(frames, name) for name in _FACTS}
    side = np.repeat(np.arange(len(SIDES)), lengths)
    own = np.choose(side, [codes for codes, _ in names])
    reasons, known = _texts((frames[1],), "reason")
    plain = np.isin(known.known.astype(object), ["", _POINTS])
    no_points = np.zeros(len(side), dtype=bool)
    no_points[side == 1] = ~plain[reasons]
    at = np.concatenate([_micros(f[m]) for f, m in zip(frames, _MOMENTS, strict=True)])
    texts = {name: found for name, (_, found) in zip(_NAMES, names, strict=True)}
    texts |= {name: found for name, (_, found) in facts.items()}
    anchor = _anchors(side, [codes for codes, _ in names], texts)
    books = Books(
        side=side,
        row=np.concatenate([np.arange(each) for each in lengths]),
        moment=at,
        quantity=np.concatenate([f["quantity"].to_numpy() for f in frames]),
        name=own,
        codes={name: codes for name, (codes, _) in facts.items()},
        no_points=no_points,
        extra=np.zeros(len(side), dtype=bool),
        anchor=anchor,
        case=anchor,
        texts=texts,
    )
    books = _kept(books, at <= int(as_of.as_unit("us").asm8.astype("int64")))
    case = combined(books.case, books.codes["gift_id"])
    case = pd.factorize(case)[0].astype("int64")
    books = attrs.evolve(books, case=case)
    books = attrs.evolve(books, extra=_repeated(books))
    books = attrs.evolve(books, extra=books.extra | _beyond(books))
    alone = case.copy()
    alone[books.extra] = books.cases + np.arange(int(books.extra.sum()))
    # What only extra rows held has no number of its own any more.
    return attrs.evolve(books, case=pd.factorize(alone)[0].astype("int64"))


def _check(frame: pd.DataFrame, side: int) -> None:
    moment = _MOMENTS[side]
    needed = (_NAMES[side], moment, "store_id", "member_id", "gift_id", "quantity")
    missing = [each for each in needed if each not in frame]
    if missing:
        raise MissingColumnsError(SIDES[side], missing, [str(each) for each in frame])
    if frame["quantity"].dtype != np.dtype("int64"):
        raise ColumnTypeError(f"{SIDES[side]}: 'quantity' must be int64")
    if not isinstance(frame[moment].dtype, pd.DatetimeTZDtype):
        raise ColumnTypeError(f"{SIDES[side]}: {moment!r} must be moments with a zone")


def _texts(
    frames: tuple[pd.DataFrame, ...], name: str, *, from_side: int = 0
) -> tuple[Codes, Texts]:
    return read_texts(
        [
            frame[name] if name in frame and side >= from_side else len(frame)
            for side, frame in enumerate(frames)
        ]
    )


def _micros(moments: pd.Series[Any]) -> Codes:
    utc = moments.dt.tz_convert("UTC").dt.as_unit("us")
    micros: Codes = utc.astype("int64").to_numpy()
    return micros


def _kept(books: Books, marks: Marks) -> Books:
    if marks.all():
        return books
    arrays = (
        *("side", "row", "moment", "quantity", "name"),
        *("no_points", "extra", "anchor", "case"),
    )
    return attrs.evolve(
        books,
        codes={name: codes[marks] for name, codes in books.codes.items()},
        **{name: getattr(books, name)[marks] for name in arrays},
    )


def _anchors(side: Codes, ids: list[Codes], texts: dict[str, Texts]) -> Codes:
    """Say what each row hangs on: a redemption, an issue, or nothing but itself."""
    redemption, issue, posting = ids
    told = np.flatnonzero((side == 1) & (redemption > 0) & (issue > 0))
    by_issue = np.zeros(len(texts["issue_id"]), dtype="int64")
    by_issue[issue[told]] = redemption[told]
    # Where the lines of an issue name several, the first by its text counts.
    torn = np.unique(issue[told][by_issue[issue[told]] != redemption[told]])
    if len(torn):
        told = told[np.isin(issue[told], torn)]
        ranks = texts["redemption_id"].ranks(redemption[told])
        told = told[np.argsort(-ranks, kind="stable")]
        by_issue[issue[told]] = redemption[told]
    known = np.where(redemption > 0, redemption, by_issue[issue])
    first = len(texts["redemption_id"])
    beyond = first + len(texts["issue_id"])
    return np.where(
        known > 0, known, np.where(issue > 0, first + issue, beyond + posting)
    )


def _repeated(books: Books) -> Marks:
    """Mark lines that their document holds already."""
    extra = np.zeros(len(books.side), dtype=bool)
    rows = _shared(combined(books.side, books.name), np.arange(len(extra)))
    line = combined(
        books.case[rows],
        books.side[rows],
        books.name[rows],
        books.codes["lot_id"][rows],
    )
    again = _shared(line, np.arange(len(rows)))
    rows, line = rows[again], line[again]
    # Of two that differ in their reason alone, the one that needs points stands.
    order = np.lexsort(
        (
            books.no_points[rows],
            books.ranked("member_id", rows),
            books.ranked("store_id", rows),
            books.quantity[rows],
            books.moment[rows],
            line,
        )
    )
    rows, line = rows[order], line[order]
    extra[rows[1:][line[1:] == line[:-1]]] = True
    return extra


def _shared(keys: Codes, rows: Codes) -> Codes:
    """Return the rows whose key another has too."""
    return rows[pd.Series(keys).duplicated(keep=False).to_numpy()]


def _beyond(books: Books) -> Marks:
    """Mark documents that come when those before them had given all there was."""
    marked = np.zeros(len(books.side), dtype=bool)
    kept = np.flatnonzero(~books.extra)
    cell = books.case * len(SIDES) + books.side
    total = np.zeros(books.cases * len(SIDES), dtype="int64")
    np.add.at(total, cell[kept], books.quantity[kept])
    number = np.bincount(cell[kept], minlength=len(total))
    rows = kept[(number[cell[kept]] > 1) & (books.side[kept] > 0)]
    if not len(rows):
        return marked
    paper, first = _numbered(combined(cell[rows], books.name[rows]))
    quantity = np.zeros(len(first), dtype="int64")
    np.add.at(quantity, paper, books.quantity[rows])
    at = books.moment[rows[first]].copy()
    np.minimum.at(at, paper, books.moment[rows])
    head = rows[first]
    order = np.lexsort((books.ranked_names(head), at, cell[head]))
    own = cell[head][order]
    sums = np.cumsum(quantity[order]) - quantity[order]
    starts = np.flatnonzero(np.r_[True, own[1:] != own[:-1]])
    before = sums - np.repeat(sums[starts], np.diff(np.r_[starts, len(own)]))
    redeemed = own - own % len(SIDES)
    # Issues that go beyond what was redeemed give no room to movements.
    source = np.where(
        (number[redeemed] > 0) | (own == redeemed + 1), redeemed, redeemed + 1
    )
    first_one = np.zeros(len(own), dtype=bool)
    first_one[starts] = True
    full = (number[source] > 0) & (before >= total[source]) & ~first_one
    beyond = np.zeros(len(first), dtype=bool)
    beyond[order] = full
    marked[rows] = beyond[paper]
    return marked


def _numbered(keys: Codes) -> tuple[Codes, Codes]:
    """Number the different keys, and say where each is met first."""
    numbers = pd.factorize(keys)[0].astype("int64")
    first = np.empty(int(numbers.max(initial=-1)) + 1, dtype="int64")
    first[numbers[::-1]] = np.arange(len(keys))[::-1]
    return numbers, first
