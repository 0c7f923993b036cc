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
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from memberops.adapters.sources.http_reading import (
    HttpReader,
    JsonAnswer,
    RefusedReadingError,
)
from memberops.adapters.sources.rest_gathering import Gathering, RecordsMovedError
from memberops.adapters.sources.rest_paths import look_up, with_value_at
from memberops.adapters.sources.rest_resource import RestResource
from memberops.errors import SourceError

__all__ = ["CURSOR_GONE", "followed", "harvest"]

CURSOR_GONE = frozenset({400, 410})
"""What servers say of a cursor, or of a moment, that they do not know any more."""

_AHEAD = dt.timedelta(hours=1)
_GONE = frozenset({404, 410})
_NEXT = re.compile(r'<([^<>]+)>\s*;[^,<]*\brel="?next"?', re.IGNORECASE)


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
        try:
            for answer, page in _Pages(reader, resource, since).walk():
                bound = bound or answer.served_at or reader.clock() - _AHEAD
                got.add(page, bound)
        except RecordsMovedError as error:
            lasting = error.lasting
            if attempt < reader.patience.attempts:
                reader.pause(attempt, asked=resource.path)
            continue
        return got
    raise SourceError(
        lasting
        or f"{resource.path}: the records moved between pages in each of "
        f"{reader.patience.attempts} readings; read when fewer people write, or by "
        "pages after the last id if the service can"
    )


class _Pages:
    def __init__(
        self, reader: HttpReader, resource: RestResource, since: str | None
    ) -> None:
        self._reader = reader
        self._resource = resource
        self._paging = resource.paging
        self._template: Any = (
            resource.body if resource.method == "POST" else resource.params
        )
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
            yield self._ask()
        elif kind == "page":
            yield from self._numbered()
        elif kind == "offset":
            yield from self._offset()
        else:
            yield from self._chained()

    def _numbered(self) -> Iterator[tuple[JsonAnswer, list[Any]]]:
        number, read, most, before = self._paging.first, 0, 0, None
        while True:
            answer, page = self._new_page(before, {self._paging.field: number})
            total = self._total(answer)
            if total is not None and total < most:
                raise RecordsMovedError
            most = max(most, total or 0)
            if not page and read < most:
                raise RecordsMovedError
            yield answer, page
            read += len(page)
            more = self._more(answer)
            if not page or more is False or (most and read >= most):
                return
            number, before = number + 1, self._ids(page)

    def _offset(self) -> Iterator[tuple[JsonAnswer, list[Any]]]:
        """Read each next page from the last record of the one before."""
        read, last, most = 0, None, 0
        while True:
            answer, page = self._ask({self._paging.field: max(0, read - 1)})
            ids = self._ids(page)
            most = max(most, self._total(answer) or 0)
            if last is not None and last not in ids:
                raise RecordsMovedError
            yield answer, page  # what came twice is taken out later
            read = max(0, read - 1) + len(page)
            if set(ids) <= {last}:
                if read < most:
                    raise RecordsMovedError
                return
            last = ids[-1]

    def _chained(self) -> Iterator[tuple[JsonAnswer, list[Any]]]:
        """Read pages each of which says where the next one is."""
        paging = self._paging
        place: Any = paging.start if paging.kind == "key" else None
        seen, before = {place}, None
        while True:
            try:
                answer, page = self._new_page(before, self._placed(place), place)
            except RefusedReadingError as error:
                if before is None or error.status not in CURSOR_GONE:
                    raise
                raise RecordsMovedError from None
            yield answer, page
            place = self._next(answer, page)
            if place is None and self._more(answer):
                raise SourceError(
                    f"{self._resource.path}: the answer says that there is more and "
                    f"not where, at {self._paging.next[:80]!r}"
                )
            if place is None or self._more(answer) is False:
                return
            if place in seen:
                raise SourceError(
                    f"{self._resource.path}: the service gives the same page again "
                    "and again, so its end cannot be reached"
                )
            seen.add(place)
            before = self._ids(page)

    def _placed(self, place: Any) -> dict[str, Any]:
        if place is None or self._paging.kind == "link":
            return {}
        return {self._paging.field: place}

    def _next(self, answer: JsonAnswer, page: list[Any]) -> Any:
        paging = self._paging
        if paging.kind == "key":
            return look_up(page[-1], self._resource.id) if page else None
        if paging.kind == "link" and not paging.next:
            found = _NEXT.search(answer.headers.get("link", ""))
            return found[1] if found else None
        place = look_up(answer.document, paging.next)
        return place if isinstance(place, str | int) and place != "" else None

    def _new_page(
        self, before: list[Any] | None, fields: Mapping[str, Any], place: Any = None
    ) -> tuple[JsonAnswer, list[Any]]:
        """Ask for a page; one that came just before is asked for again."""
        for attempt in range(1, self._reader.patience.attempts + 1):
            answer, page = self._ask(
                fields, link=place if self._paging.kind == "link" else None
            )
            if not page or self._ids(page) != before:
                return answer, page
            if attempt < self._reader.patience.attempts:
                self._reader.pause(attempt, asked=self._resource.path)
        raise SourceError(
            f"{self._resource.path}: the service gives the same page again and again, "
            "so its end cannot be reached"
        )

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

    def _ids(self, page: list[Any]) -> list[Any]:
        return [look_up(record, self._resource.id) for record in page]

    def _more(self, answer: JsonAnswer) -> bool | None:
        if not self._paging.more:
            return None
        return bool(look_up(answer.document, self._paging.more))

    def _total(self, answer: JsonAnswer) -> int | None:
        path = self._paging.total
        if not path:
            return None
        if path.startswith("header:"):
            value: Any = answer.headers.get(path[7:].strip().lower())
        else:
            value = look_up(answer.document, path)
        text = str(value)
        return int(text) if text.isascii() and text.isdigit() else None


def _plain(params: Mapping[str, Any]) -> dict[str, str]:
    """Write parameters of an address: what is no text or number becomes JSON."""
    return {
        name: value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        for name, value in params.items()
    }


def followed(reader: HttpReader, resource: RestResource, record: Any) -> Any:
    """
    Ask for what a record of a list leaves out; None if it is gone by now.

    Args:
        reader: Of the server.
        resource: Says what to ask for.
        record: As the list has it.

    Raises:
        SourceError: The server cannot be read.
    """
    for follow in resource.follow:
        if follow.when and not look_up(record, follow.when):
            continue
        own = quote(str(look_up(record, resource.id)), safe="")
        path = follow.path.replace("{id}", own)
        try:
            answer = reader.read("GET", path, params=follow.params)
        except RefusedReadingError as error:
            if error.status not in _GONE:
                raise
            return None
        found = look_up(answer.document, follow.records)
        record = {**record, follow.into: found} if follow.into else found
    return record
