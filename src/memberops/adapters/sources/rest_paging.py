"""
Reading all pages of a resource while others write to it.

What may go wrong is noticed rather than believed: a page that comes again, a page
that is empty before the end, records that move from a page not yet read to one that
was, a cursor that is no more. The reading then asks again or begins anew, a bounded
number of times, and else fails: it never ends early and calls that all.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from memberops.adapters.sources.http_reading import (
    HttpReader,
    JsonAnswer,
    RefusedReadingError,
)
from memberops.adapters.sources.rest_gathering import Gathering, RecordsMovedError
from memberops.adapters.sources.rest_paths import look_up, with_value_at
from memberops.adapters.sources.rest_resource import RestResource
from memberops.adapters.sources.rest_signs import next_link, sign_of_more, sign_of_total
from memberops.errors import SourceError

__all__ = ["CURSOR_GONE", "Pages", "harvest"]

CURSOR_GONE = frozenset({400, 410})
"""What servers say of a cursor, or of a moment, that they do not know any more."""

_AHEAD = dt.timedelta(hours=1)
_NO = frozenset({"", "false", "0", "no", "n", "[]", "{}"})


def harvest(
    reader: HttpReader,
    resource: RestResource,
    since: str | None,
    gathering: Callable[[], Gathering],
) -> Gathering:
    """
    Read all pages, anew if records moved meanwhile.

    Args:
        reader: Of the server.
        resource: What to read.
        since: What is sent for "changed since"; None for all.
        gathering: Makes what takes the pages in.

    Raises:
        RefusedReadingError: The server refused, for instance what *since* says.
        SourceError: The pages cannot be read to their end.
    """
    lasting = ""
    for attempt in range(1, reader.patience.attempts + 1):
        got, bound = gathering(), None
        pages = Pages(reader, resource, since)
        try:
            for answer, page in pages.walk():
                bound = bound or answer.served_at or reader.clock() - _AHEAD
                got.add(page, bound)
        except RecordsMovedError as error:
            lasting = error.lasting
            if attempt < reader.patience.attempts:
                reader.pause(attempt, asked=resource.path)
            continue
        got.unread = pages.unread
        return got
    raise SourceError(
        lasting
        or f"{resource.path}: the records moved between pages in each of "
        f"{reader.patience.attempts} readings; read when fewer people write, or by "
        "pages after the last id if the service can"
    )


class Pages:
    """The pages of one reading, as they come."""

    def __init__(
        self, reader: HttpReader, resource: RestResource, since: str | None
    ) -> None:
        self._reader = reader
        self._resource = resource
        self._paging = resource.paging
        self._template: Any = (
            resource.body if resource.method == "POST" else resource.params
        )
        self._pages: set[int] = set()
        self._known: set[str] = set()
        self._flagged = False
        self._whole = since is None
        self.unread = ""
        """What in the last answer says that there is more than was read."""
        paging = resource.paging
        if paging.size_field:
            self._template = self._with(paging.size_field, paging.size)
        if resource.since is not None:
            sent = resource.since.start
            if since is not None:
                sent = resource.since.template.replace("{moment}", since)
            if sent is not None:
                self._template = self._with(resource.since.field, sent)

    def walk(self) -> Iterator[tuple[JsonAnswer, list[Any]]]:
        """Yield each answer with its records."""
        kind = self._paging.kind
        if kind == "none":
            answer, page = self._ask()
            yield answer, page
            self._look_for_more(answer, len(page), page)
        elif kind == "page":
            yield from self._numbered()
        elif kind == "offset":
            yield from self._offset()
        else:
            yield from self._chained()

    def _numbered(self) -> Iterator[tuple[JsonAnswer, list[Any]]]:
        """Read pages by number, and look back for what slipped between two of them."""
        field, number = self._paging.field, self._paging.first
        read, most, before = 0, 0, None
        while True:
            answer, page = self._new_page({field: number})
            ids = set(self._ids(page))
            total = self._total(answer, page)
            if (total or 0) < most or (not page and read < most):
                raise RecordsMovedError
            if before is None:
                self._check_total(total, len(ids))
            most = max(most, total or 0)
            yield answer, page
            if before is not None:
                # If a record vanished from the pages before, what began this one
                # then ends the one before it now.
                yield self._again({field: number - 1}, before)
            read += len(ids)
            more = self._more(answer, page)
            if not page or more is False:
                return
            done = more is None and most and read >= most
            if done and (before is not None or self._is_all(number, ids, most)):
                return
            number, before = number + 1, ids

    def _again(
        self, fields: Mapping[str, Any], before: set[str]
    ) -> tuple[JsonAnswer, list[Any]]:
        """Ask for a page once more; it still has some of what it had."""
        for attempt in range(1, self._reader.patience.attempts + 1):
            answer, page = self._ask(fields)
            ids = set(self._ids(page))
            if before & ids:
                self._known |= ids
                return answer, page
            if attempt < self._reader.patience.attempts:
                self._reader.pause(attempt, asked=self._resource.path)
        raise RecordsMovedError

    def _is_all(self, number: int, ids: set[str], most: int) -> bool:
        """Tell whether a first page that is as long as the total is all there is."""
        answer, beyond = self._ask({self._paging.field: number + 1})
        if set(self._ids(beyond)) <= ids:
            return True
        if self._total(answer, beyond) == most:
            raise SourceError(
                f"{self._resource.path}: there is more than the number at "
                f"{self._paging.total[:80]!r}: 'total' counts all records, not those "
                "of a page"
            )
        return False

    def _check_total(self, total: int | None, count: int) -> None:
        if total is not None and count > total:
            raise SourceError(
                f"{self._resource.path}: the first page has more records than the "
                f"number at {self._paging.total[:80]!r}; is 'total' the number of "
                "pages?"
            )

    def _offset(self) -> Iterator[tuple[JsonAnswer, list[Any]]]:
        """Read each next page from the last record of the one before."""
        read, last, most, longest = 0, None, 0, 0
        known: set[str] = set()
        while True:
            answer, page = self._beyond(max(0, read - 1), known, last)
            ids = self._ids(page)
            total = self._total(answer, page)
            if last is None:
                self._check_total(total, len(set(ids)))
            most, longest = max(most, total or 0), max(longest, len(set(ids)))
            if last is not None and last not in ids:
                raise RecordsMovedError
            yield answer, page  # what came twice is taken out later
            read = max(0, read - 1) + len(set(ids))
            if set(ids) <= {last}:
                self._check_overlap(longest, read, most)
                if read < most:
                    raise RecordsMovedError
                return
            last = ids[-1]
            known.update(ids)

    def _check_overlap(self, longest: int, read: int, most: int) -> None:
        """Tell a service of one record a page from one that has no more."""
        if longest != 1 or (most and read >= most):
            return
        if most or self._ask({self._paging.field: read})[1]:
            raise SourceError(
                f"{self._resource.path}: the service gives one record a page, so that "
                "pages by offset cannot overlap; ask for larger ones by 'size_field', "
                "or read by 'page'"
            )

    def _beyond(
        self, offset: int, known: set[str], last: str | None
    ) -> tuple[JsonAnswer, list[Any]]:
        """Ask for the page at an offset; it has more than what is known, or ends."""
        for attempt in range(1, self._reader.patience.attempts + 1):
            answer, page = self._ask({self._paging.field: offset})
            ids = set(self._ids(page))
            if ids <= {last} or not ids <= known or last not in ids:
                return answer, page
            if attempt < self._reader.patience.attempts:
                self._reader.pause(attempt, asked=self._resource.path)
        raise SourceError(
            f"{self._resource.path}: the service gives the same page again and again "
            f"whatever {self._paging.field[:40]!r} is; is that its parameter?"
        )

    def _chained(self) -> Iterator[tuple[JsonAnswer, list[Any]]]:
        """Read pages each of which says where the next one is."""
        paging = self._paging
        place: Any = paging.start if paging.kind == "key" else None
        seen, read, first = {place}, 0, True
        while True:
            try:
                answer, page = self._new_page(self._placed(place), place)
            except RefusedReadingError as error:
                if first or error.status not in CURSOR_GONE:
                    raise
                raise RecordsMovedError from None
            yield answer, page
            read += len(page)
            place, more = self._next(answer, page), self._more(answer, page)
            if place is None and more:
                raise SourceError(
                    f"{self._resource.path}: the answer says that there is more and "
                    f"not where, at {self._paging.next[:80]!r}"
                )
            if place is None or more is False:
                if paging.kind != "key" and more is None:
                    self._look_for_more(answer, read, page if first else [])
                return
            if place in seen:
                raise SourceError(
                    f"{self._resource.path}: the service gives the same page again "
                    "and again, so its end cannot be reached"
                )
            seen.add(place)
            first = False

    def _look_for_more(self, answer: JsonAnswer, read: int, page: list[Any]) -> None:
        """Note what says that the last page is none."""
        paging = self._paging
        self.unread = sign_of_more(answer, self._resource.records)
        if not self.unread and self._whole:
            self.unread = sign_of_total(answer, self._resource.records, read)
        if not self.unread and paging.size_field and len(page) >= paging.size:
            self.unread = paging.size_field

    def _placed(self, place: Any) -> dict[str, Any]:
        if place is None or self._paging.kind == "link":
            return {}
        return {self._paging.field: place}

    def _next(self, answer: JsonAnswer, page: list[Any]) -> Any:
        paging = self._paging
        if paging.kind == "key":
            return look_up(page[-1], self._resource.id) if page else None
        if paging.kind == "link" and not paging.next:
            return next_link(answer)
        place = look_up(answer.document, paging.next)
        if isinstance(place, bool) or not isinstance(place, str | int):
            return None
        return None if place == "" else place

    def _new_page(
        self, fields: Mapping[str, Any], place: Any = None
    ) -> tuple[JsonAnswer, list[Any]]:
        """Ask for a page; one that came before is asked for again."""
        for attempt in range(1, self._reader.patience.attempts + 1):
            answer, page = self._ask(
                fields, link=place if self._paging.kind == "link" else None
            )
            last = attempt == self._reader.patience.attempts
            if not self._came(page, last=last):
                return answer, page
            if not last:
                self._reader.pause(attempt, asked=self._resource.path)
        raise SourceError(
            f"{self._resource.path}: the service gives the same page again and again, "
            "so its end cannot be reached"
        )

    def _came(self, page: list[Any], *, last: bool) -> bool:
        """Tell whether a page came before; in another order it is no other page."""
        ids = self._ids(page)
        own = hash(tuple(ids))
        if page and (own in self._pages or (self._known.issuperset(ids) and not last)):
            return True
        self._pages.add(own)
        if self._paging.kind == "page":
            self._known.update(ids)
        return False

    def _ask(
        self, fields: Mapping[str, Any] | None = None, *, link: str | None = None
    ) -> tuple[JsonAnswer, list[Any]]:
        resource = self._resource
        template = self._template
        for field, value in (fields or {}).items():
            template = self._with(field, value, template)
        if link is not None:
            address = self._reader.resolved(resource.path, link)
            answer = self._reader.read("GET", address)
        elif resource.method == "POST":
            answer = self._reader.read(
                "POST", resource.path, params=_plain(resource.params), body=template
            )
        else:
            answer = self._reader.read("GET", resource.path, params=_plain(template))
        page = look_up(answer.document, resource.records)
        if page is None and resource.may_lack and isinstance(answer.document, dict):
            page = []
        if not isinstance(page, list):
            raise SourceError(
                f"{resource.path}: there is no list at {resource.records[:80]!r} of "
                "the answer; set 'records' to the path of the records"
            )
        return answer, page

    def _with(self, field: str, value: Any, template: Any = None) -> Any:
        template = self._template if template is None else template
        nested = field.partition(".")[0] in template and "." in field
        if self._resource.method == "POST" or nested:
            return with_value_at(template, field, value)
        return {**template, field: value}

    def _ids(self, page: list[Any]) -> list[str]:
        return [str(look_up(record, self._resource.id)) for record in page]

    def _more(self, answer: JsonAnswer, page: list[Any]) -> bool | None:
        """Return what the flag says; None if there is to be none."""
        path = self._paging.more
        if not path:
            return None
        value = look_up(answer.document, path)
        if value is None:
            if page and not self._flagged:
                raise SourceError(
                    f"{self._resource.path}: nothing stands at {path[:80]!r}, the path "
                    "of 'more'; leave 'more' out if the service has no such flag"
                )
            return False if self._flagged else None
        self._flagged = True
        return str(value).strip().lower() not in _NO

    def _total(self, answer: JsonAnswer, page: list[Any]) -> int | None:
        path = self._paging.total
        if not path:
            return None
        if path.startswith("header:"):
            value: Any = answer.headers.get(path[7:].strip().lower())
        else:
            value = look_up(answer.document, path)
        text = str(value)
        if text.isascii() and text.isdigit():
            return int(text)
        if page:
            raise SourceError(
                f"{self._resource.path}: no number stands at {path[:80]!r}, the path "
                "of 'total'; leave 'total' out if the service does not tell it"
            )
        return None


def _plain(params: Mapping[str, Any]) -> dict[str, str]:
    """Write parameters of an address: what is no text or number becomes JSON."""
    return {
        name: value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        for name, value in params.items()
    }
