"""Cursors of web services: the latest change that a service showed, by its clock."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Self

import attrs

from memberops.adapters.sources.reading_options import ReadingOptions
from memberops.adapters.sources.rest_gathering import Gathering
from memberops.adapters.sources.rest_moments import Change, change_of, is_later, spelled
from memberops.adapters.sources.rest_resource import RestResource

__all__ = ["RestCursor", "mark_of"]

_VERSION = 2


@attrs.frozen(kw_only=True)
class RestCursor:
    """
    Where a reading of one table was.

    Args:
        table: The table.
        mark: Of `mark_of`.
        at: What the next reading begins from; None for the beginning.
        seen: The latest change that was ever shown.

    >>> cursor = RestCursor(table="sales", mark="m", at=7, seen=9)
    >>> RestCursor.opened(cursor.text(), table="sales", mark="m") == cursor
    True
    >>> RestCursor.opened(cursor.text(), table="sales", mark="n") is None
    True
    """

    table: str
    mark: str
    at: Change | None = None
    seen: Change | None = None

    def text(self) -> str:
        """Write the cursor for `SourceChanges.cursor`."""

        def written(change: Change | None) -> str | int | None:
            return change.isoformat() if isinstance(change, dt.datetime) else change

        return json.dumps(
            {
                "v": _VERSION,
                "table": self.table,
                "mark": self.mark,
                "at": written(self.at),
                "seen": written(self.seen),
            }
        )

    @classmethod
    def opened(cls, text: str, *, table: str, mark: str) -> Self | None:
        """Read a cursor; None if it is not one of this table, read in this way."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, Mapping):
            return None
        known = (found.get("v"), found.get("table"), found.get("mark"))
        if known != (_VERSION, table, mark):
            return None

        def read(value: Any) -> Change | None:
            return value if type(value) is int else change_of(value, "iso", dt.UTC)

        at, seen = read(found.get("at")), read(found.get("seen"))
        return cls(table=table, mark=mark, at=at, seen=seen)

    def asked(self, resource: RestResource) -> str | None:
        """Return what is asked for as "changed since", None for all."""
        since, at = resource.since, self.at
        if since is None or at is None:
            return None
        try:
            if isinstance(at, dt.datetime):
                at -= dt.timedelta(seconds=since.overlap_seconds)
            else:
                # A number is given before it is written: a smaller one comes later.
                at -= min(since.overlap_versions, max(at, 0))
        except OverflowError:
            return None
        return spelled(at, since.form, since.zone)

    def advanced(self, got: Gathering) -> Self:
        """
        Return where the next reading begins; it never goes back.

        What the first page showed had happened before the others were read: what
        changed since then may stand on a page that was read already.
        """
        at = got.seen
        if got.pages > 1:
            at = got.first if is_later(got.first, self.seen) else self.seen
        return attrs.evolve(
            self,
            at=at if is_later(at, self.at) else self.at,
            seen=got.seen if is_later(got.seen, self.seen) else self.seen,
        )


def mark_of(resource: RestResource, options: ReadingOptions, address: str) -> str:
    """
    Return a digest of how the table is read: changed, what was read is stale.

    Args:
        resource: Where its records are.
        options: What becomes of them.
        address: Of the server: what another one gave is not built upon.
    """
    if callable(resource.mark):
        resource = attrs.evolve(resource, mark=resource.mark())
    text = repr((resource, options, address))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
