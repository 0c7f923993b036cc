"""Cursors of sources that are asked for what changed after a moment."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import attrs

from memberops.domain import Finding, Severity

__all__ = ["MomentCursor", "digest_of", "read_anew"]

_VERSION = 1


@attrs.frozen(kw_only=True)
class MomentCursor:
    """
    Where a reading of one table stood.

    Args:
        table: The table.
        mark: Digest of everything else that the rows depend on; where it is another
            one now, what was read is stale.
        at: By the server's clock; nothing that changed before it was missed. None
            where no moment is known yet.
        counts: By what is counted, the id up to which it was counted and how many
            there were: fewer of them now means that some were deleted.

    >>> cursor = MomentCursor(table="sales", mark="m", counts={"sale": (9, 7)},
    ...                       at=dt.datetime(2026, 11, 5, 6, tzinfo=dt.UTC))
    >>> MomentCursor.opened(cursor.text(), table="sales", mark="m") == cursor
    True
    >>> MomentCursor.opened(cursor.text(), table="sales", mark="other") is None
    True
    """

    table: str
    mark: str
    at: dt.datetime | None = None
    counts: Mapping[str, tuple[int | str, int]] = attrs.field(factory=dict)

    def text(self) -> str:
        """Write the cursor for `SourceChanges.cursor`."""
        return json.dumps(
            {
                "v": _VERSION,
                "table": self.table,
                "mark": self.mark,
                "at": self.at and self.at.isoformat(),
                "counts": self.counts,
            }
        )

    @classmethod
    def opened(cls, text: str, *, table: str, mark: str) -> MomentCursor | None:
        """Read a cursor; None if it is not one of this table, read in this way."""
        try:
            found = json.loads(text)
            known = (found["v"], found["table"], found["mark"])
            if known != (_VERSION, table, mark):
                return None
            at = found["at"] and dt.datetime.fromisoformat(found["at"])
            counts = {
                str(name): (far if isinstance(far, str) else int(far), int(many))
                for name, (far, many) in found["counts"].items()
            }
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        if at is not None and at.tzinfo is None:
            return None
        return cls(table=table, mark=mark, at=at, counts=counts)

    def advanced(
        self, seen: dt.datetime | None, served_at: dt.datetime | None
    ) -> dt.datetime | None:
        """
        Return where the next reading begins; it never goes back.

        Args:
            seen: The latest change that came.
            served_at: The server's clock when the reading began; what changed after
                it may have been passed over, and is read the next time.
        """
        if seen is None or served_at is None:
            return self.at
        at = min(seen, served_at)
        return at if self.at is None else max(at, self.at)


def digest_of(*values: Any) -> str:
    """
    Return a short digest of values that have a lasting repr.

    >>> digest_of("a", 1) == digest_of("a", 1), digest_of("a") == digest_of("b")
    (True, False)
    """
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def read_anew(table: str, origin: str, *, deleted: bool = False) -> Finding:
    """
    Tell that a table was read whole although only its changes were asked for.

    Args:
        table: The table.
        origin: The source.
        deleted: Whether because records were deleted, else because of the cursor.
    """
    if deleted:
        rule = "records-deleted"
        english = "records were deleted, and the server does not say which; all was"
        chinese = "有记录被删除而服务器未说明是哪些，已重新读取全部数据"
    else:
        rule = "cursor-unknown"
        english = (
            "the place where the last reading ended is not known any more; all was"
        )
        chinese = "上次读取的位置已失效，已重新读取全部数据"
    return Finding(
        table=table,
        rule=rule,
        severity=Severity.INFO if deleted else Severity.WARNING,
        source=origin,
        message_en=f"{english} read anew",
        message_zh=chinese,
    )
