"""Reading JSON over HTTP: bounded, patient with servers, and never writing a thing."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

import attrs

from memberops.adapters.sms.http import HttpClient, HttpLimits, HttpReply, check_url
from memberops.adapters.sms.options import system_clock
from memberops.adapters.sources.exact_json import parse_json
from memberops.adapters.sources.http_credential import Credential
from memberops.adapters.sources.http_nowhere import no_answer, why_nothing_came
from memberops.errors import ConfigurationError, MissingExtraError, SourceError

__all__ = [
    "HttpReader",
    "JsonAnswer",
    "ReadingPatience",
    "RefusedReadingError",
]

# 408 and 425 ask for it; 520 to 524 are those of a proxy whose server is away.
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_DENIED = frozenset({401, 403})
_NOT_THERE = 404
_OK = range(200, 300)
_ELSEWHERE = range(300, 400)


class RefusedReadingError(SourceError):
    """
    A server refused a request for good.

    Args:
        message: What to tell.
        status: Of HTTP; 0 if a whole answer said it in its body.
        said: What the server said of it as JSON; it may name people.
    """

    def __init__(self, message: str, status: int = 0, said: Any = None) -> None:
        super().__init__(message)
        self.status = status
        self.said = said


@attrs.frozen(kw_only=True)
class ReadingPatience:
    """
    How often and how long a reading that failed is tried again.

    Args:
        attempts: Requests for one answer, the first included.
        first_pause: Seconds before the second request; doubled before each further
            one, where the server does not say how long.
        longest_pause: Longest pause in seconds. A server that asks for a longer one
            ends the reading, rather than be asked too early.
        total_pause: Seconds that all pauses of one reading may take together.
        pages: Requests that one reading may make.
        records: Records that one reading may take.

    >>> ReadingPatience(attempts=3).attempts
    3
    """

    attempts: int = attrs.field(default=5, validator=attrs.validators.gt(0))
    first_pause: float = attrs.field(default=1.0, validator=attrs.validators.gt(0))
    longest_pause: float = attrs.field(default=120.0, validator=attrs.validators.gt(0))
    total_pause: float = attrs.field(default=900.0, validator=attrs.validators.gt(0))
    pages: int = attrs.field(default=100_000, validator=attrs.validators.gt(0))
    records: int = attrs.field(default=2_000_000, validator=attrs.validators.gt(0))


@attrs.frozen(kw_only=True)
class JsonAnswer:
    """
    A whole answer.

    Args:
        document: What it says; numbers with a point are `Decimal`.
        headers: With names in lower case.
        served_at: The moment by the server's own clock, if it says so.
    """

    document: Any = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    served_at: dt.datetime | None = None


class HttpReader:
    """
    Asks one server for JSON, and goes nowhere else.

    Only reading requests are made: GET, and POST where a system takes its queries so;
    both may be made again. No cookie is kept and no redirect followed, for the key
    would go along; TLS is verified; what the libraries below log is dropped, for
    addresses may hold keys.

    Args:
        base_url: Where all paths count from.
        credential: Who asks, if anybody.
        headers: More headers, such as a version.
        limits: Time-outs and the size of an answer.
        patience: How often to try again.
        sleep: How to wait.
        judge: Looks at a whole answer: returns seconds to wait before asking again,
            None if it is good, or raises `RefusedReadingError`.
        clock: Tells the moment where a server does not.

    Raises:
        ConfigurationError: The address cannot be.
        MissingExtraError: ``httpx2`` is not installed.
    """

    def __init__(
        self,
        base_url: str,
        *,
        credential: Credential | None = None,
        headers: Mapping[str, str] | None = None,
        limits: HttpLimits | None = None,
        patience: ReadingPatience | None = None,
        sleep: Callable[[float], None] = time.sleep,
        judge: Callable[[Any], float | None] | None = None,
        clock: Callable[[], dt.datetime] = system_clock,
    ) -> None:
        self.clock = clock
        self._base = check_url("base_url", base_url).rstrip("/") + "/"
        if urlsplit(self._base).query:
            raise ConfigurationError("'base_url' has no query: give it by 'params'")
        self._credential = credential
        self._headers = dict(headers or {})
        if importlib.util.find_spec("httpx2") is None:
            raise MissingExtraError("reading from a web service", "pos")
        self._client = HttpClient(limits or HttpLimits(body_bytes=32 << 20))
        self.patience = patience or ReadingPatience()
        self._sleep = sleep
        self._judge = judge
        self.dress: Callable[[Any], Any] | None = None
        self.unread: Counter[tuple[str, str]] = Counter()
        """
        Answers beside the list that is read of which more may have been left unread:
        by path, and what says so.
        """
        self._paused = 0.0
        self._requests = 0

    @property
    def address(self) -> str:
        """Where all paths count from."""
        return self._base

    def read(
        self,
        method: Literal["GET", "POST"],
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        shown: str = "",
    ) -> JsonAnswer:
        """
        Ask once, and again while it is worth it.

        Args:
            method: GET, or POST for a query.
            path: Below the base; or a whole address of the same server, as it gives
                for a next page.
            params: Of the address.
            body: Sent as JSON with POST.
            shown: What errors call the path, where it holds what they must not show.

        Raises:
            RefusedReadingError: The server refused for good.
            SourceError: No answer could be had or understood.
        """
        url, place = self._address(path, params or {})
        content = b""
        headers = {**self._headers}
        if method == "POST":
            dressed = self.dress(body) if self.dress else body
            content = json.dumps(dressed, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        headers |= self._credential.headers() if self._credential else {}
        asked = f"{method} {shown or place}"
        trouble, nowhere = ("", ""), False
        for attempt in range(1, self.patience.attempts + 1):
            self._requests += 1
            if self._requests > self.patience.pages:
                raise SourceError(
                    f"{asked}: one reading made {self.patience.pages} requests and "
                    "is not done; raise 'pages' of 'patience' if there is so much"
                )
            reply = self._client.request(method, url, headers=headers, content=content)
            nowhere = bool(reply.trouble)
            again = self._again(reply, asked, url)
            if again is None:
                answer = _answer(reply, asked)
                pause = self._judge(answer.document) if self._judge else None
                if pause is None:
                    return answer
                again = ("the server is busy", "服务器繁忙"), pause
            trouble, asks = again
            if reply.trouble == "certificate":  # which another try does not mend
                raise no_answer(asked, 1, trouble, address=True)
            if attempt < self.patience.attempts:
                self.pause(attempt, asks=asks, asked=asked)
        raise no_answer(asked, self.patience.attempts, trouble, address=nowhere)

    def pause(
        self, attempt: int, *, asks: float | None = None, asked: str = "a reading"
    ) -> None:
        """
        Wait before another attempt.

        Args:
            attempt: How many were made.
            asks: Seconds for which the server asked.
            asked: What was asked, for the error.

        Raises:
            SourceError: The pause would be too long.
        """
        own = min(
            self.patience.first_pause * 2 ** min(attempt - 1, 30),
            self.patience.longest_pause,
        )
        seconds = max(own, asks or 0.0)
        left = self.patience.total_pause - self._paused
        if seconds > min(self.patience.longest_pause, left):
            raise SourceError(
                f"{asked}: the next try would be in {min(seconds, 10**6):.0f} seconds, "
                "longer than 'patience' allows; nothing was taken over, read again "
                "later"
            )
        self._paused += seconds
        self._sleep(seconds)

    def resolved(self, path: str, link: str) -> str:
        """Return the whole address that a link in the answer of a path means."""
        return urljoin(self._base + quote(path.lstrip("/"), safe="/%?=&"), link)

    def _address(self, path: str, params: Mapping[str, str]) -> tuple[str, str]:
        """Return the address, and what of it an error may show."""
        if "://" in path or path.startswith("//"):
            parts, own = urlsplit(path), urlsplit(self._base)
            if (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
                raise SourceError(
                    "the server names a next page on another server, where the key "
                    "must not go; set 'base_url' to the address by which it calls "
                    "itself"
                )
        else:
            parts = urlsplit(self._base + quote(path.lstrip("/"), safe="/%?=&"))
        given = dict(params)
        given |= self._credential.parameters() if self._credential else {}
        had = [p for p in parse_qsl(parts.query, True) if p[0] not in given]  # noqa: FBT003 - keep blank values
        query = urlencode([*had, *given.items()], quote_via=quote)
        parts = parts._replace(
            path=quote(parts.path, safe="/%"), query=query, fragment=""
        )
        return parts.geturl(), parts.path[:200]

    def _again(
        self, reply: HttpReply, asked: str, url: str
    ) -> tuple[tuple[str, str], float | None] | None:
        """Return why to ask again and when, None for an answer; raise for neither."""
        if reply.fate != "answered":
            if reply.reason in {"TooLarge", "Encoded"}:
                raise SourceError(
                    f"{asked}: the answer is larger than 'limits' allow or is "
                    "compressed unasked; ask for smaller pages"
                )
            return why_nothing_came(reply, url), None
        if reply.status in _AGAIN:
            why = f"the server said {reply.status}", f"服务器返回 {reply.status}"
            return why, _retry_after(reply.headers)
        if reply.status in _OK:
            return None
        status = reply.status
        if status in _ELSEWHERE:
            target = urlsplit(reply.headers.get("location", ""))
            raise RefusedReadingError(
                f"{asked}: the server sends on to {target.scheme[:8]}://"
                f"{(target.hostname or '')[:80]} ({status}), which is not followed, "
                "for the key would go along; set 'base_url' to where it belongs",
                status,
            )
        hint = "the request is not to its liking; compare it with its documentation"
        if status in _DENIED:
            hint = "check the key, and the rights that it has"
        if status == _NOT_THERE:
            hint = "there is nothing at that address; check 'base_url' and the path"
        raise RefusedReadingError(
            f"{asked}: the server said {status}: {hint}", status, _said(reply)
        )

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def __enter__(self) -> Self:
        """Read until the block ends."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


def _said(reply: HttpReply) -> Any:
    """Return what a refusal says, if it is JSON."""
    try:
        return parse_json(reply.body)
    except ValueError:
        return None


def _answer(reply: HttpReply, asked: str) -> JsonAnswer:
    try:
        document = parse_json(reply.body)
    except ValueError:
        kind = reply.headers.get("content-type", "no type").partition(";")[0]
        raise SourceError(
            f"{asked}: the answer is no JSON that can be read ({kind[:40]!r}); is the "
            "address right?"
        ) from None
    return JsonAnswer(
        document=document, headers=reply.headers, served_at=_date(reply.headers, "date")
    )


def _date(headers: Mapping[str, str], name: str) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(headers.get(name, ""))
        return None if found.tzinfo is None else found.astimezone(dt.UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks for, a date counted by its own clock."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text[:20]), 1e9)
    until, now = _date(headers, "retry-after"), _date(headers, "date")
    return max(0.0, (until - now).total_seconds()) if until and now else None
