"""How much of a table may go at once before a refresh is stopped and asked about."""

from __future__ import annotations

from typing import Any

import attrs

from memberops.adapters.sources.changes import SourceChanges
from memberops.errors import InvalidValueError, SourceError

__all__ = ["LossLimits"]


def _share(_instance: object, _attribute: object, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise InvalidValueError("'share' is a number from 0 on, such as 0.5")


def _count(_instance: object, _attribute: object, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidValueError("'records' is a whole number from 1 on")


@attrs.frozen(kw_only=True)
class LossLimits:
    """
    When a whole reading has lost so much that the source may not give all any more.

    A right that was taken away, a folder that is not mounted or a filter that was
    set at the source look like a table that became small: the copy would be the only
    one left. A table that became empty is always too much.

    Args:
        share: Of the records that were there, how many may go.
        records: Fewer than these may go, whatever share they are.

    >>> LossLimits().share
    0.5
    """

    share: float = attrs.field(default=0.5, validator=_share)
    records: int = attrs.field(default=10, validator=_count)

    def check(self, changes: SourceChanges, *, had: int, gone: int, rows: int) -> None:
        """
        Stop a refresh that would lose too much.

        Args:
            changes: What came.
            had: How many records were there.
            gone: How many of them are not any more.
            rows: How many rows there are now.

        Raises:
            SourceError: With the counts, and how to take it over all the same.
        """
        many = gone >= self.records and gone > self.share * had
        if not changes.whole or not had or (rows and not many):
            return
        result = changes.result
        refused = (
            f", and {result.rejected} rows were refused" if result.rejected else ""
        )
        why = ""
        if result.rejected:
            rules = result.rejects["rule"].value_counts()
            why = f" (most of them: {str(rules.index[0])[:40]})"
        raise SourceError(
            f"{gone} of {had} records of {result.table} are no more{refused}{why}: the "
            "snapshot is as it was. Look whether the source may still read all; if it "
            "is right, take it over with 'memberops refresh --allow-loss', or "
            "refresh(allow_loss=True)"
        )
