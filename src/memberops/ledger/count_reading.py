"""Counts from a frame: good rows become count lines, the others findings."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain.canonical import MAX_QUANTITY
from memberops.domain.finding import Finding
from memberops.domain.stocktake import CountLine, Stocktake
from memberops.errors import ColumnTypeError, InvalidValueError, nearest
from memberops.ledger.balances import check_instant
from memberops.ledger.count_sheets import check_place
from memberops.ledger.store import LedgerStore
from memberops.tables.counts import COUNTS

__all__ = ["CountReading", "read_counts"]

_IDS = ("stocktake_id", "place", "gift_id", "lot_id", "counted_by", "witnessed_by")


@attrs.frozen(kw_only=True)
class CountReading:
    """
    What was read of a frame of counts.

    Args:
        lines: The good rows.
        findings: One or more for each rejected row, with row and column.
        rejected_rows: Their numbers, from 1.
        rows_read: How many rows there were: as many as lines and rejected rows.
    """

    lines: tuple[CountLine, ...]
    findings: tuple[Finding, ...]
    rejected_rows: tuple[int, ...]
    rows_read: int = attrs.field()

    @rows_read.validator
    def _check_rows(self, _attribute: object, value: int) -> None:
        if value != self.accepted + self.rejected:
            raise InvalidValueError("rows read are those accepted and those rejected")

    @property
    def accepted(self) -> int:
        """How many rows became lines."""
        return len(self.lines)

    @property
    def rejected(self) -> int:
        """How many rows did not."""
        return len(self.rejected_rows)


class _BadCellError(Exception):
    """A cell that cannot be used: rule, column, and what is wrong in two languages."""

    def __init__(self, rule: str, column: str, text_en: str, text_zh: str) -> None:
        super().__init__(rule)
        self.rule, self.column = rule, column
        self.text_en, self.text_zh = text_en, text_zh


def read_counts(
    counts: pd.DataFrame,
    stocktake: Stocktake,
    ledger: LedgerStore,
    *,
    as_of: dt.datetime,
    origins: Sequence[tuple[str | None, int]] | None = None,
) -> CountReading:
    """
    Read the counts of a stocktake; bad rows are told and good ones go on.

    A row is bad whose gift or place is not known, which is of another stocktake or
    place, whose count is no whole number from 0 (a float, bool or text), or whose lot
    is missing or has another expiry in the ledger. Where the same line comes twice
    nobody knows which count holds, so all its rows are rejected.

    Args:
        counts: A frame with columns of the table ``counts``: those required, and
            ``counted``.
        stocktake: The stocktake.
        ledger: For gifts, lots and positions.
        as_of: Aware instant: later counts are not known yet.
        origins: File and line of each row, for the findings; by default no file, and
            the number of the row from 1.

    Returns:
        A `CountReading`.

    Raises:
        MissingColumnsError: A column is absent.
        ColumnTypeError: `counted_at` has no zone.
        InvalidValueError: *counts* is no frame.
    """
    if not isinstance(counts, pd.DataFrame):
        raise InvalidValueError(
            f"counts are a frame of the table 'counts', not {type(counts).__name__}"
        )
    COUNTS.check_columns(counts.columns, [*COUNTS.required, "counted"])
    now = check_instant(as_of)
    if "counted_at" in counts and pd.api.types.is_datetime64_dtype(
        counts["counted_at"].dtype
    ):
        raise ColumnTypeError(
            "counts: 'counted_at' must be instants with a zone: "
            "series.dt.tz_localize('Asia/Shanghai') attaches the store's"
        )
    names = [name for name in COUNTS.names if name in counts]
    columns = [counts[name].tolist() for name in names]
    lots = _lot_days(ledger)
    lines: dict[int, CountLine] = {}
    bad_rows: dict[int, _BadCellError] = {}
    for row, cells in enumerate(zip(*columns, strict=True), start=1):
        try:
            lines[row] = _line(
                dict(zip(names, cells, strict=True)), stocktake, ledger, lots, now
            )
        except _BadCellError as bad:
            bad_rows[row] = bad
    places = dict(enumerate(origins or [], start=1))
    for row, problem in _contradictions(lines, places):
        del lines[row]
        bad_rows[row] = problem
    rejected = sorted(bad_rows)
    return CountReading(
        lines=tuple(lines.values()),
        findings=tuple(
            _finding(places.get(row, (None, row)), bad_rows[row]) for row in rejected
        ),
        rejected_rows=tuple(rejected),
        rows_read=len(counts),
    )


def _finding(place: tuple[str | None, int], bad: _BadCellError) -> Finding:
    source, row = place
    return Finding(
        table="counts",
        rule=bad.rule,
        source=source,
        row=row,
        column=bad.column,
        message_en=bad.text_en,
        message_zh=bad.text_zh,
    )


def _line(
    cells: Mapping[str, Any],
    stocktake: Stocktake,
    ledger: LedgerStore,
    lots: Mapping[tuple[str, str], dt.date | None],
    now: dt.datetime,
) -> CountLine:
    ids = {name: _id(cells.get(name), name) for name in _IDS}
    for name in COUNTS.required:
        if ids[name] is None:
            raise _BadCellError("id-missing", name, "empty", "为空")
    if ids["stocktake_id"] != stocktake.stocktake_id:
        raise _BadCellError("other-stocktake", "stocktake_id",
                            "a line of another stocktake", "属于其他盘点")  # fmt: skip
    place, gift, lot = str(ids["place"]), str(ids["gift_id"]), ids["lot_id"]
    _check_names(place, gift, lot, stocktake, ledger)
    through = _day(cells.get("valid_through"))
    if lot is not None and (gift, lot) in lots:
        if through is not None and through != lots[gift, lot]:
            raise _BadCellError(
                "lot-conflict", "valid_through",
                f"the ledger has this lot as valid through {lots[gift, lot]}",
                f"台账中该批次有效期至 {lots[gift, lot]}",
            )  # fmt: skip
        through = lots[gift, lot]
    if lot is None and through is not None:
        raise _BadCellError("lot-missing", "lot_id",
                            "an expiry without a lot", "有有效期而无批次")  # fmt: skip
    at = _moment(cells.get("counted_at"), stocktake.cutoff)
    if at > now:
        text = "later than the moment asked for", "晚于查询时刻"
        raise _BadCellError("count-in-future", "counted_at", *text)
    line = CountLine(
        stocktake_id=stocktake.stocktake_id,
        place=place,
        gift_id=gift,
        lot_id=lot,
        valid_through=through,
        counted=_whole(cells.get("counted"), "counted"),
        counted_at=at,
        counted_by=ids["counted_by"],
        witnessed_by=ids["witnessed_by"],
        recount=_whole(cells.get("recount"), "recount") or 0,
        position=0,
    )
    position = _whole(cells.get("position"), "position")
    if position is None:
        own = ledger.entry(f"count/{line.line_id}/1")
        position = ledger.position if own is None else own.sequence - 1
    if position > ledger.position:
        text = "the ledger has no such entry yet", "台账尚无该序号"
        raise _BadCellError("position-ahead", "position", *text)
    return attrs.evolve(line, position=position)


def _check_names(
    place: str, gift: str, lot: str | None, stocktake: Stocktake, ledger: LedgerStore
) -> None:
    rules = ledger.rules
    wrong = check_place(place, stocktake)
    if wrong == "unknown" or (wrong is None and not rules.knows_place(place)):
        hint = nearest(place, rules.places or ("store:S01", "warehouse"))
        raise _BadCellError("place-unknown", "place",
                            f"no place of the chain; {hint}", "没有该地点")  # fmt: skip
    if wrong is not None:
        raise _BadCellError("place-elsewhere", "place",
                            "this stocktake does not count there",
                            "不在本次盘点范围内")  # fmt: skip
    if rules.gifts is None:
        return
    known = rules.gift(gift)
    if known is None:
        hint = nearest(gift, (each.gift_id for each in rules.gifts))
        raise _BadCellError("gift-unknown", "gift_id",
                            f"no gift of the chain; {hint}", "没有该礼品")  # fmt: skip
    if known.has_lots and lot is None:
        raise _BadCellError("lot-missing", "lot_id",
                            "the gift has lots: count each by itself",
                            "该礼品分批次：须按批次盘点")  # fmt: skip


def _missing(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value != value  # noqa: PLR0124 - NaN


def _id(value: object, column: str) -> str | None:
    if _missing(value) or value == "":
        return None
    if not isinstance(value, str) or value != value.strip() or "\x00" in value:
        raise _BadCellError("id-invalid", column,
                            "an id is text without spaces around it",
                            "编号须为文本，首尾无空格")  # fmt: skip
    return value


def _whole(value: object, column: str) -> int | None:
    if _missing(value):
        return None
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise _BadCellError("count-not-whole", column,
                            "no whole number: decimals, yes/no and text are none; "
                            "a column with gaps is Int64",
                            "不是整数（小数、是否、文本均不可）")  # fmt: skip
    if not 0 <= int(value) <= MAX_QUANTITY:
        raise _BadCellError("count-out-of-range", column,
                            "below 0, or too large", "小于 0 或过大")  # fmt: skip
    return int(value)


def _day(value: object) -> dt.date | None:
    if _missing(value):
        return None
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    raise _BadCellError("date-invalid", "valid_through", "no day", "不是日期")


def _moment(value: object, cutoff: dt.datetime) -> dt.datetime:
    if _missing(value):
        return cutoff
    try:
        return check_instant(value)
    except InvalidValueError:
        raise _BadCellError("instant-invalid", "counted_at",
                            "no instant with a zone",
                            "不是带时区的时刻") from None  # fmt: skip


def _lot_days(ledger: LedgerStore) -> dict[tuple[str, str], dt.date | None]:
    moved = ledger.movements()[["gift_id", "lot_id", "valid_through"]]
    moved = moved[moved["lot_id"] != ""].drop_duplicates()
    return {
        (gift, lot): None if _missing(through) else through.date()
        for gift, lot, through in moved.itertuples(index=False, name=None)
    }


def _contradictions(
    lines: Mapping[int, CountLine], places: Mapping[int, tuple[str | None, int]]
) -> list[tuple[int, _BadCellError]]:
    """Find lines that come twice, and recounts of an earlier moment."""
    by_count: dict[Hashable, list[int]] = defaultdict(list)
    for row, line in lines.items():
        by_count[line.line_id, line.recount].append(row)
    found = []
    single: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for rows in by_count.values():
        for row in rows:
            numbers = [places.get(each, ("", each))[1] for each in rows if each != row]
            others = ", ".join(str(each) for each in numbers)
            if others:
                text_en = (
                    f"the same line stands in row {others:.60} too: which holds? "
                    "a second count is recount 1"
                )
                text_zh = f"与第 {others:.60} 行重复，无法判断以哪行为准；复盘请填次数"
                bad = _BadCellError("line-twice", "gift_id", text_en, text_zh)
                found.append((row, bad))
            else:
                single[lines[row].line_id].append((lines[row].recount, row))
    for counts in single.values():
        latest: dt.datetime | None = None
        for _, row in sorted(counts):
            if lines[row].counted is None:
                continue
            at = lines[row].counted_at
            if latest is not None and at < latest:
                found.append(
                    (
                        row,
                        _BadCellError(
                            "recount-earlier",
                            "counted_at",
                            "a recount of an earlier moment than the count before",
                            "复盘时刻早于上一次盘点",
                        ),
                    )
                )
            else:
                latest = at
    return found
