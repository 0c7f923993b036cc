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
from memberops.policies.gift_pairs import paired

__all__ = ["GiftMatch", "GiftMatchPolicy"]

_SAME = ["member_id", "gift_id", "quantity"]
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
        cases: One row a case: ``case_id``, ``kind`` (``"matched"`` or the break),
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
        return self.cases.loc[self.cases["kind"] != "matched"].reset_index(drop=True)


@attrs.frozen(kw_only=True)
class GiftMatchPolicy:
    """
    How points redeemed, gifts issued at the till and stock moved are matched.

    Rows that name each other's ids belong together. What is left is joined by
    member, gift and quantity, first in the same store and then in any, where both
    lie within the window: the earliest with the earliest, as many as possible.

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
                and ``issue_id`` or ``redemption_id`` where they are known.
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
        rows = books.rows
        case = rows["case"].to_numpy(copy=True)
        for keys in ([*_SAME, "store_id"], _SAME):
            for left, right in ((0, 1), (1, 2), (0, 2)):
                case = self._join(rows, case, left, right, keys)
        rows = rows.assign(case=case)
        books = attrs.evolve(books, rows=rows)
        cases = described_cases(books, window=pd.Timedelta(self.window))
        days = (moment - cases["first_at"]).dt.days
        names = [self.bucket(each) for each in (*self.ages, self.ages[-1] + 1)]
        edges = np.searchsorted(np.array(self.ages), days.to_numpy())
        cases = cases.assign(
            age_days=days.astype("int64"),
            bucket=pd.Series(np.array(names)[edges], cases.index, dtype="str"),
        )
        placed = pd.DataFrame(
            {
                "side": pd.Series(np.array(SIDES)[rows["side"]], dtype="str"),
                "row": rows["row"].to_numpy(),
                "case_id": cases["case_id"].reindex(case).to_numpy(),
            }
        ).astype({"case_id": "str"})
        return GiftMatch(
            cases=cases[list(_COLUMNS)].sort_values(
                ["first_at", "case_id"], ignore_index=True
            ),
            rows=placed.sort_values(["side", "row"], ignore_index=True),
            policy=self.policy,
            version=self.version,
        )

    def _join(
        self,
        rows: pd.DataFrame,
        case: np.ndarray[Any, Any],
        left: int,
        right: int,
        keys: list[str],
    ) -> np.ndarray[Any, Any]:
        """Join the cases that lack one side with those that lack the other."""
        size = int(case.max(initial=-1)) + 1
        side = rows["side"].to_numpy()
        has = np.zeros((size, len(SIDES)), dtype=bool)
        has[case, side] = True
        closed = np.zeros(size, dtype=bool)
        closed[case[rows["extra"].to_numpy()]] = True
        if left == 0:
            closed[case[rows["no_points"].to_numpy()]] = True
        heads = {}
        for mine, other in ((left, right), (right, left)):
            free = (side == mine) & ~has[case, other] & ~closed[case]
            free &= (rows["member_id"] != 0).to_numpy()
            if not free.any():
                return case
            summed = rows.loc[free].assign(case=case[free]).groupby("case")
            heads[mine] = summed.agg(
                **{name: (name, "first") for name in (*_SAME[:2], "store_id")},
                at=("at", "min"),
                name=("name", "min"),
                quantity=("quantity", "sum"),
            ).reset_index()
        one, two = paired(
            heads[left], heads[right], keys=keys, window=pd.Timedelta(self.window)
        )
        # Two cases are joined only if no side would then be there twice.
        apart = ~(has[one] & has[two]).any(axis=1)
        target: np.ndarray[Any, Any] = np.arange(size)
        target[two[apart]] = one[apart]
        joined: np.ndarray[Any, Any] = target[case]
        return joined
