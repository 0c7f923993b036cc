"""Three books side by side: their rows, the ids that join them, and repetitions."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.errors import ColumnTypeError, MissingColumnsError

__all__ = ["CODED", "SIDES", "Books", "read_books"]

SIDES = ("redeemed", "issued", "moved")
CODED = ("name", "member_id", "store_id", "gift_id", "lot_id")
_NAMES = ("redemption_id", "issue_id", "posting_id")
_MOMENTS = ("redeemed_at", "issued_at", "effective_at")
_POINTS = "points"
_DOCUMENT = ["case", "side", "name"]


@attrs.frozen(kw_only=True)
class Books:
    """
    The rows of the three books.

    Args:
        rows: ``side``, ``row``, ``at``, ``quantity``, ``no_points`` (issues that
            need no redemption), ``extra`` (repetitions), ``case``, and a number for
            each of `CODED`; 0 is none.
        texts: The texts that the numbers stand for.
    """

    rows: pd.DataFrame
    texts: dict[str, np.ndarray[Any, Any]]


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
    parts = [_part(frame, side) for side, frame in enumerate(frames)]
    rows = pd.concat(parts, ignore_index=True)
    rows = rows.loc[rows["at"] <= as_of].reset_index(drop=True)
    anchors = _anchors(rows)
    codes, texts = {}, {}
    for name in CODED:
        # The empty text sorts first, and so has the number 0.
        column = pd.concat([pd.Series([""], dtype="str"), rows[name]])
        code, known = pd.factorize(column, sort=True)
        codes[name], texts[name] = code[1:], np.asarray(known, dtype=object)
    rows = rows.assign(**codes)
    rows["case"] = (
        pd.DataFrame({"anchor": anchors, "gift": rows["gift_id"]})
        .groupby(["anchor", "gift"], sort=False)
        .ngroup()
    )
    rows["extra"] = _repeated(rows)
    rows["extra"] |= _beyond(rows)
    extra = rows["extra"].to_numpy()
    start = int(rows["case"].max()) + 1 if len(rows) else 0
    case = rows["case"].to_numpy(copy=True)
    case[extra] = start + np.arange(int(extra.sum()))
    unused = ["redemption_id", "issue_id"]
    return Books(rows=rows.assign(case=case).drop(columns=unused), texts=texts)


def _part(frame: pd.DataFrame, side: int) -> pd.DataFrame:
    name, moment = _NAMES[side], _MOMENTS[side]
    needed = (name, moment, "store_id", "member_id", "gift_id", "quantity")
    missing = [each for each in needed if each not in frame]
    if missing:
        raise MissingColumnsError(SIDES[side], missing, [str(each) for each in frame])
    if frame["quantity"].dtype != np.dtype("int64"):
        raise ColumnTypeError(f"{SIDES[side]}: 'quantity' must be int64")
    if not isinstance(frame[moment].dtype, pd.DatetimeTZDtype):
        raise ColumnTypeError(f"{SIDES[side]}: {moment!r} must be moments with a zone")
    part = pd.DataFrame(
        {
            "side": side,
            "row": np.arange(len(frame)),
            "at": frame[moment].dt.tz_convert("UTC").dt.as_unit("us").array,
            "quantity": frame["quantity"].to_numpy(),
            "name": _text(frame, name),
            "no_points": False,
        }
    )
    for each in ("member_id", "store_id", "gift_id", "lot_id"):
        part[each] = _text(frame, each)
    part["redemption_id"] = _text(frame, "redemption_id")
    part["issue_id"] = _text(frame, "issue_id")
    if side == 1:
        part["no_points"] = ~_text(frame, "reason").isin(["", _POINTS])
    return part


def _text(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    if name not in frame:
        return pd.Series("", index=range(len(frame)), dtype="str")
    return frame[name].astype("str").fillna("").reset_index(drop=True)


def _anchors(rows: pd.DataFrame) -> pd.Series[Any]:
    """Say what each row hangs on: a redemption, an issue, or nothing but itself."""
    redemption = rows["redemption_id"]
    tills = rows.loc[(rows["side"] == 1) & (redemption != "")]
    by_issue = tills.groupby("issue_id")["redemption_id"].min()
    through = rows["issue_id"].map(by_issue).astype("str").fillna("")
    known = redemption.where(redemption != "", through)
    own = ("I" + rows["issue_id"]).where(rows["issue_id"] != "", "M" + rows["name"])
    return ("R" + known).where(known != "", own)


def _repeated(rows: pd.DataFrame) -> pd.Series[Any]:
    """Mark lines that their document holds already."""
    line = [*_DOCUMENT, "lot_id"]
    ordered = rows.sort_values(
        [*line, "at", "quantity", "store_id", "member_id", "row"], kind="stable"
    )
    return ordered.duplicated(line).reindex(rows.index)


def _beyond(rows: pd.DataFrame) -> pd.Series[Any]:
    """Mark documents that come when those before them had given all there was."""
    kept = rows.loc[~rows["extra"]]
    papers = kept.groupby(_DOCUMENT, as_index=False).agg(
        at=("at", "min"), quantity=("quantity", "sum")
    )
    papers = papers.sort_values(["case", "side", "at", "name"], ignore_index=True)
    totals = [
        papers.loc[papers["side"] == side].groupby("case")["quantity"].sum()
        for side in (0, 1)
    ]
    redeemed = papers["case"].map(totals[0])
    issued = papers["case"].map(totals[1])
    # Issues that go beyond what was redeemed give no room to movements.
    room = redeemed.where(papers["side"] == 1, redeemed.fillna(issued))
    before = papers.groupby(["case", "side"])["quantity"].cumsum() - papers["quantity"]
    papers["beyond"] = (papers["side"] > 0) & (before >= room)
    marked = rows[_DOCUMENT].merge(
        papers[[*_DOCUMENT, "beyond"]], on=_DOCUMENT, how="left"
    )
    return marked["beyond"].fillna(value=False).astype(bool) & ~rows["extra"]
