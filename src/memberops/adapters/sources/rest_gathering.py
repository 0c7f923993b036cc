"""Taking the records of a service in page by page, the latest state of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from memberops.adapters.sources.rest_moments import Change, change_of, is_later
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.rest_resource import RestResource
from memberops.errors import SourceError

__all__ = ["Gathering", "RecordsMovedError"]


class RecordsMovedError(Exception):
    """
    What pages gave does not fit together, because somebody wrote meanwhile.

    Args:
        lasting: What to tell if it happens in each reading.
    """

    def __init__(self, lasting: str = "") -> None:
        super().__init__(lasting)
        self.lasting = lasting


@attrs.frozen
class _Kept:
    """A record: when it was changed, and its rows, or itself if more is to be asked."""

    at: Change | None
    made: Any


class Gathering:
    """
    What the pages of one reading gave so far.

    A record becomes rows of text as it comes, and is let go: only where more than the
    record is needed are records kept until then.

    Args:
        resource: What is read.
        made: Makes of a record what is kept of it: its rows, or itself.
        most: How many records a reading may take.
    """

    def __init__(
        self, resource: RestResource, made: Callable[[Any], Any], *, most: int
    ) -> None:
        self._resource = resource
        self._made = made
        self._most = most
        self._kept: dict[str, _Kept] = {}
        self.pages = 0
        self.seen: Change | None = None
        """The latest change that a page showed."""
        self.first: Change | None = None
        """The latest change that the first page showed."""
        self.unread = ""
        """What says that there is more than the pages that were read."""

    def add(self, page: list[Any], bound: dt.datetime | None) -> None:
        """
        Take in the records of a page.

        Args:
            page: The records.
            bound: A moment after which no change can be; a record of a later one was
                given a wrong date, and says nothing of how far a reading went.

        Raises:
            RecordsMovedError: A record is not what another page gave.
            SourceError: Records have no id, or share one.
        """
        self.pages += 1
        own_page: dict[str, tuple[Change | None, Any]] = {}
        for record in page:
            own, at = self._id(record), self._changed(record)
            if not (isinstance(at, dt.datetime) and bound and at > bound):
                self.seen = at if is_later(at, self.seen) else self.seen
            if own in own_page:
                before, other = own_page[own]
                if other != record and before == at:
                    raise SourceError(_SHARED.format(self._resource.path))
            own_page[own] = (at, record)
            self._take(own, at, record)
        if self.pages == 1:
            self.first = self.seen
        if len(self._kept) > self._most:
            raise SourceError(
                f"{self._resource.path}: one reading gave more than {self._most} "
                "records; raise 'records' of 'patience' if there are so many"
            )

    def _take(self, own: str, at: Change | None, record: Any) -> None:
        had = self._kept.get(own)
        if had is not None and is_later(had.at, at):
            return
        made = self._made(record)
        if had is not None and had.at == at and had.made != made:
            raise RecordsMovedError(_SHARED.format(self._resource.path))
        self._kept[own] = _Kept(at, made)

    def records(self) -> Iterator[Any]:
        """Yield rows, or records of which more is to be asked; each is let go then."""
        for own in list(self._kept):
            yield self._kept.pop(own).made

    def _id(self, record: Any) -> str:
        own = look_up(record, self._resource.id)
        if own is None or isinstance(own, dict | list | bool):
            raise SourceError(
                f"{self._resource.path}: a record has no id at "
                f"{self._resource.id[:80]!r}; set 'id' to its path"
            )
        return str(own)

    def _changed(self, record: Any) -> Change | None:
        since = self._resource.since
        if since is None:
            return None
        at = change_of(look_up(record, since.changed_at), since.form, since.zone)
        if at is None:
            raise SourceError(
                f"{self._resource.path}: a record does not say at "
                f"{since.changed_at[:80]!r} when it was changed; set 'changed_at' to "
                "the path of a moment"
            )
        return at


_SHARED = (
    "{}: records that are not equal have the same id; set 'id' to the path of what "
    "names each of them alone, and 'each' where lines stand in a record"
)
