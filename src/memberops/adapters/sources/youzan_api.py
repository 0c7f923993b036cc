"""Asking Youzan Cloud: its envelope, and lists that are read window by window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

import attrs

from memberops.adapters.sources.counted_reading import wait_for_page
from memberops.adapters.sources.http_reading import HttpReader, RefusedReadingError
from memberops.adapters.sources.rest_paths import look_up
from memberops.adapters.sources.rest_source import WebServer
from memberops.errors import SourceError

__all__ = ["YOUZAN_ZONE", "ListOf", "YouzanSession", "youzan_moment"]

YOUZAN_ZONE = ZoneInfo("Asia/Shanghai")
"""Zone of all moments that Youzan writes without one."""
_BUSY = frozenset({4101, 500100004, 123000042, 141500203, 106000001, 106100118})
_KEY = frozenset({4201, 4202, 4203, 4204})
_PAUSE = 3.0
_AHEAD = dt.timedelta(minutes=1)
_SECOND = dt.timedelta(seconds=1)


def youzan_moment(text: Any) -> dt.datetime:
    """
    Read a moment of Youzan, which has no zone and is of Beijing.

    Raises:
        SourceError: It is none.

    >>> youzan_moment("2026-11-05 14:03:00").isoformat()
    '2026-11-05T14:03:00+08:00'
    """
    try:
        found = dt.datetime.fromisoformat(str(text))
    except ValueError:
        raise SourceError("Youzan gave a moment that is none") from None
    return found if found.tzinfo else found.replace(tzinfo=YOUZAN_ZONE)


@attrs.frozen(kw_only=True)
class ListOf:
    """
    A list of Youzan that is asked for by a span of time.

    Args:
        name: Of the interface.
        version: Of the interface.
        span: Names of the first and the last moment of what is asked for.
        written: Writes a moment as the interface takes it.
        records: Path of the records.
        totals: Paths of how many there are, of which one is enough.
        own: Returns the id of a record.
        page: Records of one request.
        most: Records that a span may have, or Youzan does not give them all.
        body: What else is asked.
    """

    name: str
    version: str
    span: tuple[str, str]
    written: Callable[[dt.datetime], Any]
    records: str
    totals: tuple[str, ...]
    own: Callable[[Mapping[str, Any]], str]
    page: int
    most: int
    body: Mapping[str, Any] = attrs.field(factory=dict)


class YouzanSession:
    """
    Asks Youzan Cloud with a token.

    Youzan says in the body what went wrong, with HTTP 200: what it is too busy for is
    asked again after 3 seconds and longer, as its documentation wishes.

    Args:
        server: Where it is, with the token.
    """

    def __init__(self, server: WebServer) -> None:
        self._server = attrs.evolve(server, judge=_judge)
        self._reader: HttpReader | None = None
        self.served_at: dt.datetime | None = None

    def __enter__(self) -> Self:
        """Begin."""
        self._reader = self._server.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of all connections."""
        if self._reader is not None:
            self._reader.close()

    def ask(self, name: str, version: str, body: Mapping[str, Any]) -> Any:
        """
        Return the ``data`` of an answer.

        Raises:
            RefusedReadingError: Youzan refused.
            SourceError: The answer is not one of Youzan.
        """
        if self._reader is None:
            raise SourceError("the session is not open")
        answer = self._reader.read("POST", f"api/{name}/{version}", body=dict(body))
        self.served_at = answer.served_at or self.served_at
        data = look_up(answer.document, "data")
        if not isinstance(data, dict):
            raise SourceError(f"the answer of {name} holds no data; is it Youzan's?")
        return data

    def now(self) -> dt.datetime:
        """Return what time it is by Youzan's clock, as of its last answer."""
        if self.served_at is None:
            raise SourceError("Youzan does not say what time it is: no Date header")
        return self.served_at

    def count(self, wanted: ListOf) -> int:
        """Return how many records a list has in all, or in no span at least."""
        body = {**wanted.body, "page_no": 1, "page_size": 1}
        return _total(self.ask(wanted.name, wanted.version, body), wanted)

    def since(
        self, wanted: ListOf, start: dt.datetime, longest: dt.timedelta
    ) -> Iterator[list[dict[str, Any]]]:
        """
        Yield every record since a moment, by spans of time.

        A record that changes goes on to a later span, and all others move up while
        pages are read. So a span counts only if it had as many records before as
        after, and all of them came; it is read again otherwise. The last one ends
        after Youzan's own present, so that nothing is between it and the next reading.

        Args:
            wanted: The list.
            start: Where the first span begins.
            longest: Of a span; it is halved while a span has more than Youzan gives.

        Yields:
            The records of a span; one that lies on a border comes twice.

        Raises:
            SourceError: A span cannot be read whole.
        """
        if self.served_at is None:
            self.count(wanted)
        at, span, turns = start, longest, 0
        while True:
            now = self.now() + _AHEAD
            end = min(at + span, max(now, at + _SECOND))
            found = self._within(wanted, at, end)
            if found is None:
                if end - at <= _SECOND:
                    raise SourceError(
                        f"{wanted.name} has more than {wanted.most} records in one "
                        "second, which Youzan does not give"
                    )
                span = max((end - at) / 2, _SECOND)
                continue
            if not found.settled:
                turns += 1
                if self._reader is not None:
                    wait_for_page(self._reader, turns, f"Youzan's {wanted.name}")
                continue
            yield found.records
            if end >= now:
                return
            at, span, turns = end, min(span * 2, longest), 0

    def _within(
        self, wanted: ListOf, at: dt.datetime, end: dt.datetime
    ) -> _Span | None:
        """Read a span; None if it holds more than Youzan gives."""
        names = zip(wanted.span, map(wanted.written, (at, end)), strict=True)
        body = {**wanted.body, **dict(names), "page_size": wanted.page}
        found: dict[str, dict[str, Any]] = {}
        number, came = 0, 0
        while True:
            number += 1
            data = self.ask(wanted.name, wanted.version, {**body, "page_no": number})
            records = look_up(data, wanted.records)
            if not isinstance(records, list):
                raise SourceError(f"the answer of {wanted.name} holds no list")
            total = _total(data, wanted)
            if number == 1:
                first = total
                if total > wanted.most:
                    return None
            found |= {wanted.own(each): each for each in records}
            came += len(records)
            if not records or came >= total:
                break
        settled = len(found) == first == total
        return _Span(records=list(found.values()), settled=settled)


@attrs.frozen(kw_only=True)
class _Span:
    records: list[dict[str, Any]]
    settled: bool


def _total(data: Mapping[str, Any], wanted: ListOf) -> int:
    for path in wanted.totals:
        found = look_up(data, path)
        if isinstance(found, int) and not isinstance(found, bool):
            return found
    raise SourceError(f"the answer of {wanted.name} does not say how many there are")


def _judge(document: Any) -> float | None:
    """Ask again where Youzan is busy; raise for what it refuses."""
    code = look_up(document, "gw_err_resp.err_code")
    if code is None:
        if look_up(document, "success") is True:
            return None
        code = look_up(document, "code")
    number = int(code) if str(code).lstrip("-").isdigit() else 0
    if number in _BUSY:
        return _PAUSE
    hint = "compare the request with its documentation"
    if number in _KEY:
        hint = (
            "the token is no more valid or not of this shop, or the application lacks "
            "the right to this interface"
        )
    raise RefusedReadingError(f"Youzan refused (code {number}); {hint}")
