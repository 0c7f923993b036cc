"""Points redeemed, gifts issued, stock moved: the match of three books (HQ §7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain.values import identifier, whole_number
from memberops.errors import InvalidValueError, bounded
from memberops.policies.gift_books import SIDES, read_books
from memberops.policies.gift_breaks import described_cases
from memberops.policies.gift_cases import gathered, joined
from memberops.policies.gift_codes import Codes, few_texts

__all__ = ["GiftMatch", "GiftMatchPolicy"]

_COLUMNS = (
    "case_id",
    "kind",
    "also",
    "member_id",
    "gift_id",
    "store_id",
    "redemption_id",
    "issue_id",
    "posting_id",
    "redeemed",
    "issued",
    "moved",
    "first_at",
    "last_at",
    "age_days",
    "bucket",
    "why_en",
    "why_zh",
)


def _ages(value: Iterable[int]) -> tuple[int, ...]:
    return tuple(value)


@attrs.frozen(kw_only=True)
class GiftMatch:
    """
    What a match of the three books found.

    Args:
        cases: One row a case: ``case_id``, ``kind`` (``"matched"``, ``"returned"``
            where nothing is owed for all came back, or the break),
            ``also`` (further flaws), ids, counts and moments of its three sides,
            ``age_days``, ``bucket``, ``why_en`` and ``why_zh``.
        rows: One row for every row of every book: ``side`` (``redeemed``, ``issued``
            or ``moved``), ``row`` (its position in the frame, from 0) and
            ``case_id``.
        policy: Id of the policy.
        version: Version of the policy.
    """

    cases: pd.DataFrame
    rows: pd.DataFrame
    policy: str
    version: str

    @property
    def breaks(self) -> pd.DataFrame:
        """The cases that do not agree."""
        ended = self.cases["kind"].isin(["matched", "returned"])
        return self.cases.loc[~ended].reset_index(drop=True)


@attrs.frozen(kw_only=True)
class GiftMatchPolicy:
    """
    How points redeemed, gifts issued at the till and stock moved are matched.

    Rows that name each other's ids belong together. What is left is joined by
    member, gift and quantity, first in the same store and then in any, where both
    lie within the window: as many as possible, and of these choices the one that lies
    nearest together.

    Args:
        window: How far apart two rows may be that belong together; rows joined by
            ids that are further apart are a break of their timing.
        ages: Last days of the ageing buckets, rising.
        policy: Id of the policy.
        version: Version of the policy.

    >>> GiftMatchPolicy().bucket(8), GiftMatchPolicy().bucket(200)
    ('8-30', '91+')
    """

    window: dt.timedelta = attrs.field(default=dt.timedelta(days=1))
    ages: tuple[int, ...] = attrs.field(default=(7, 30, 90), converter=_ages)
    policy: str = attrs.field(default="gift-match", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    @window.validator
    def _check_window(self, _attribute: object, value: Any) -> None:
        if not isinstance(value, dt.timedelta) or value < dt.timedelta():
            raise InvalidValueError("'window' is a time span, not below zero")

    @ages.validator
    def _check_ages(
        self, attribute: attrs.Attribute[Any], value: tuple[int, ...]
    ) -> None:
        for each in value:
            whole_number(self, attribute, each)
        if not value or list(value) != sorted({each for each in value if each >= 0}):
            raise InvalidValueError(
                f"'ages' are rising whole days from 0 (got {bounded(value)})"
            )

    def bucket(self, days: int) -> str:
        """Name the ageing bucket of so many days."""
        starts = (0, *(each + 1 for each in self.ages))
        for start, last in zip(starts, self.ages, strict=False):
            if days <= last:
                return f"{start}-{last}"
        return f"{starts[-1]}+"

    def match(
        self,
        redemptions: pd.DataFrame,
        issues: pd.DataFrame,
        movements: pd.DataFrame,
        *,
        as_of: dt.datetime,
    ) -> GiftMatch:
        """
        Match the three books; every row is in exactly one match or break.

        A redemption and what it needs are told in one case, with each row of it. The
        order of the rows does not matter.

        Args:
            redemptions: See `memberops.tables.POINT_REDEMPTIONS`.
            issues: See `memberops.tables.GIFT_ISSUES`; those for points, or without
                a reason, need a redemption, the others only their movement.
            movements: Issues of stock: ``posting_id``, ``effective_at``,
                ``store_id``, ``member_id``, ``gift_id``, ``lot_id``, ``quantity``,
                and ``issue_id`` or ``redemption_id`` where they are known; and
                ``returned``, how many of them came back, if any did.
            as_of: Aware instant: later rows are not known yet.

        Returns:
            A `GiftMatch`. The breaks are ``redeemed_not_issued``,
            ``issued_not_redeemed``, ``issued_not_moved``, ``moved_not_issued``,
            ``wrong_store``, ``wrong_quantity``, ``wrong_lot``, ``timing`` and
            ``duplicate``.

        Raises:
            InvalidValueError: *as_of* has no zone.
            MissingColumnsError: A column is not there.
            ColumnTypeError: A quantity is no int64, or moments have no zone.
        """
        if as_of.utcoffset() is None:
            raise InvalidValueError("'as_of' must be a datetime with a zone")
        moment = pd.Timestamp(as_of).tz_convert("UTC")
        books = read_books((redemptions, issues, movements), as_of=moment)
        cases = gathered(books)
        window = self.window // dt.timedelta(microseconds=1)
        joined(cases, books, window=window)
        found, position = described_cases(cases, books, window=window)
        if "returned" in movements:
            back = np.zeros(len(found), dtype="int64")
            moved = books.side == SIDES.index("moved")
            counts = movements["returned"].to_numpy()[books.row[moved]]
            np.add.at(back, position[moved], counts)
            found = _brought_back(found, back)
        days = (moment - found["first_at"]).dt.days.to_numpy()
        names = [self.bucket(each) for each in (*self.ages, self.ages[-1] + 1)]
        found = found.assign(
            age_days=days.astype("int64"),
            bucket=few_texts(names, np.searchsorted(np.array(self.ages), days)),
        )
        rows = pd.DataFrame(
            {
                "side": few_texts(SIDES, books.side),
                "row": books.row,
                "case_id": found["case_id"].array.take(position),
            }
        )
        return GiftMatch(
            cases=found[list(_COLUMNS)],
            rows=rows,
            policy=self.policy,
            version=self.version,
        )


def _brought_back(found: pd.DataFrame, back: Codes) -> pd.DataFrame:
    """End the breaks of gifts that all came back: no points and no paper are owed."""
    ended = (
        found["kind"].isin(["issued_not_redeemed", "moved_not_issued"])
        & (found["also"] == "")
        & (back > 0)
        & (found["moved"].fillna(0) == back).to_numpy(bool)
    )
    texts = {
        "kind": "returned",
        "why_en": "all of it came back",
        "why_zh": "已全部退回",
    }
    return found.assign(
        **{name: found[name].mask(ended, text) for name, text in texts.items()}
    )
