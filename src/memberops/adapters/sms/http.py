"""One bounded HTTP client for all providers: one request, one reply, no exception."""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import attrs

from memberops.adapters.sms.silence import hush, silenced
from memberops.errors import ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    import httpcore2

__all__ = ["HttpClient", "HttpLimits", "HttpReply", "check_url"]

_DAY = 86_400
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def check_url(option: str, url: Any, *, plain_http: bool = False) -> str:
    """
    Return an address to which phones and keys may be sent.

    Args:
        option: Name of the option that gives it.
        url: The address.
        plain_http: Whether ``http`` is allowed; on this machine itself it always is.

    Raises:
        ConfigurationError: It is no such address; it is not quoted, for it may hold
            a password.

    >>> check_url("url", "https://sms.example.com/send")
    'https://sms.example.com/send'
    >>> check_url("url", "http://sms.example.com/send")
    Traceback (most recent call last):
        ...
    memberops.errors.ConfigurationError: 'url' begins with https://, for phones and ...
    """
    text = url if isinstance(url, str) else ""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    whole = text.isascii() and text.isprintable() and " " not in text
    if not host or not whole or port == 0 or parts.scheme not in {"http", "https"}:
        raise ConfigurationError(
            f"{option!r} is no address: write it as https://host/path, "
            "other letters than ASCII as %XX"
        )
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ConfigurationError(
            f"{option!r} holds a user, a password or a fragment: give secrets by the "
            "options made for them"
        )
    if parts.scheme == "http" and host not in _LOOPBACK and not plain_http:
        raise ConfigurationError(
            f"{option!r} begins with https://, for phones and keys go there"
        )
    return text


def _seconds(value: Any) -> float:
    """Read a time that ends; a lease is made of it."""
    with contextlib.suppress(ArithmeticError):  # no number, or one beyond all floats
        number = isinstance(value, int | float | Decimal) and value is not True
        if number and 0 < value <= _DAY:
            return float(value)
    raise ConfigurationError(f"limits in seconds are above 0, and up to {_DAY} (a day)")


def _size(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"{attribute.name!r} is a whole number above 0")


@attrs.frozen(kw_only=True)
class HttpLimits:
    """
    How long and how much is waited for.

    Args:
        connect_seconds: For the connection, TLS included.
        read_seconds: For each piece of the answer.
        total_seconds: For the whole answer, however slowly its pieces drip.
        body_bytes: How much of an answer is read at most.
        ca_file: Authorities that are trusted instead of the machine's.

    Raises:
        ConfigurationError: A time is not above 0 or longer than a day, or a size is
            no whole number above 0.
    """

    connect_seconds: float = attrs.field(default=5.0, converter=_seconds)
    read_seconds: float = attrs.field(default=20.0, converter=_seconds)
    total_seconds: float = attrs.field(default=30.0, converter=_seconds)
    body_bytes: int = attrs.field(default=1 << 20, validator=_size)
    ca_file: Path | None = None

    @property
    def longest_seconds(self) -> float:
        """How long one request lasts at most, waiting for a connection included."""
        return self.total_seconds + 3 * self.connect_seconds


@attrs.frozen(kw_only=True)
class HttpReply:
    """
    What came of one request.

    Args:
        fate: ``answered`` with a status and a whole body; ``unsent``, surely no byte
            of the request left; ``lost`` for all else.
        status: Of the answer.
        headers: Of the answer, names in lower case.
        body: Of the answer.
        reason: Name of the error, for ``raw_code``; never what the error says.
        trouble: Why no connection came to be, where it is known: ``refused``,
            ``unknown`` (the host's name), ``certificate``, ``tls``, ``silent``.
    """

    fate: Literal["answered", "unsent", "lost"]
    status: int = 0
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    reason: str = ""
    trouble: str = ""


class HttpClient:
    """
    Makes requests: each once, without redirects, cookies, proxies or a body's limit.

    It talks to the connection pool under ``httpx2`` and not to its client, because
    that one logs whole addresses, and some providers take the phone in the query.

    Args:
        limits: `HttpLimits`.

    Raises:
        MissingExtraError: The extra ``sms`` is not installed.
        ConfigurationError: The file of authorities cannot be read.
    """

    def __init__(self, limits: HttpLimits | None = None) -> None:
        try:
            import httpcore2
        except ImportError:
            raise MissingExtraError("sending through a provider", "sms") from None
        self._limits = limits or HttpLimits()
        trusted = self._limits.ca_file
        try:
            context = _trust(trusted)
        except (OSError, ssl.SSLError):
            raise ConfigurationError(
                f"the authorities in {str(trusted)!r:.120} cannot be read"
            ) from None
        self._clock = threading.local()
        self._core = httpcore2
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            max_connections=32,
            max_keepalive_connections=8,
            keepalive_expiry=5.0,
            network_backend=_deadline_backend(self._left),
        )
        hush("httpcore2", "httpx2")

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
    ) -> HttpReply:
        """
        Make one request.

        Args:
            method: Such as ``POST``.
            url: Sent byte by byte as it is, so that a signature of it holds.
            headers: Beside ``Host`` and ``Content-Length``. With ``Accept-Encoding:
                gzip`` among them a compressed answer is unpacked, within the limit.
            content: The body.
        """
        parts = urlsplit(url)
        fields = {
            "Host": parts.netloc,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "memberops",
        }
        if content or method not in {"GET", "HEAD"}:
            fields["Content-Length"] = str(len(content))
        own = {name.lower() for name in headers or {}}
        fields = {n: v for n, v in fields.items() if n.lower() not in own}
        fields |= headers or {}
        asked = "gzip" if fields.get("Accept-Encoding") == "gzip" else "identity"
        left = threading.Event()
        request = self._core.Request(
            method,
            url,
            headers=[(n.encode("ascii"), v.encode("utf-8")) for n, v in fields.items()],
            content=content,
            extensions={
                "timeout": {
                    "connect": self._limits.connect_seconds,
                    "read": self._limits.read_seconds,
                    "write": self._limits.read_seconds,
                    "pool": self._limits.connect_seconds,
                },
                # The pool tells when the first byte is about to leave.
                "trace": lambda event, _: (
                    left.set() if event == "http11.send_request_headers.started" else 0
                ),
            },
        )
        self._clock.ends = time.monotonic() + self._limits.total_seconds
        with silenced():
            try:
                return self._answer(request, asked)
            except Exception as error:  # noqa: BLE001 - each is a fate, none may leak
                early = isinstance(
                    error,
                    (
                        self._core.ConnectError,
                        self._core.ConnectTimeout,
                        self._core.PoolTimeout,
                        self._core.UnsupportedProtocol,
                    ),
                )
                fate: Literal["unsent", "lost"] = (
                    "unsent" if early and not left.is_set() else "lost"
                )
                return HttpReply(
                    fate=fate,
                    reason=type(error).__name__,
                    trouble=_trouble(error) if early else "",
                )

    def _answer(self, request: Any, asked: str) -> HttpReply:
        response = self._pool.handle_request(request)
        try:
            headers = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in response.headers
            }
            encoding = headers.get("content-encoding", "identity").lower()
            if encoding not in {"identity", asked}:
                return HttpReply(fate="lost", status=response.status, reason="Encoded")
            # Unpacked piece by piece, so that a small bomb never becomes a large body.
            unzip = zlib.decompressobj(31) if encoding == "gzip" else None
            limit, came, body = self._limits.body_bytes, 0, bytearray()
            for piece in response.iter_stream():
                came += len(piece)
                left = limit + 1 - len(body)
                body += unzip.decompress(piece, left) if unzip and left else piece
                if max(came, len(body)) > limit:
                    return HttpReply(
                        fate="lost", status=response.status, reason="TooLarge"
                    )
            if unzip and not unzip.eof:
                return HttpReply(fate="lost", status=response.status, reason="Encoded")
        finally:
            response.close()
        return HttpReply(
            fate="answered", status=response.status, headers=headers, body=bytes(body)
        )

    def _left(self) -> float:
        """Return the seconds that are left of this thread's request."""
        return float(self._clock.ends - time.monotonic())

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


def _trouble(error: BaseException) -> str:
    """Name what kept a connection from coming to be, by the error below it."""
    if type(error).__name__ == "ConnectTimeout":
        return "silent"
    below: BaseException | None = error
    while below is not None:
        for kind, name in _TROUBLES:
            if isinstance(below, kind):
                return name
        below = below.__cause__ or below.__context__
    return ""


_TROUBLES: tuple[tuple[type[OSError], str], ...] = (
    (ssl.SSLCertVerificationError, "certificate"),
    (ssl.SSLError, "tls"),
    (socket.gaierror, "unknown"),
    (ConnectionRefusedError, "refused"),
)


@functools.cache
def _trust(ca_file: Path | None) -> ssl.SSLContext:
    """Return the context that verifies servers; reading the authorities is dear."""
    import httpx2

    if ca_file is None:
        return httpx2.create_ssl_context(trust_env=False)
    return ssl.create_default_context(cafile=ca_file)


def _deadline_backend(left: Any) -> httpcore2.NetworkBackend:
    """Return a network whose streams are read until the request's deadline at most."""
    import httpcore2

    class Stream(httpcore2.NetworkStream):
        def __init__(self, inner: httpcore2.NetworkStream) -> None:
            self._inner = inner

        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            rest = left()
            if rest <= 0:
                raise httpcore2.ReadTimeout
            return self._inner.read(max_bytes, min(timeout or rest, rest))

        def write(self, buffer: bytes, timeout: float | None = None) -> None:
            rest = left()
            if rest <= 0:
                raise httpcore2.WriteTimeout
            self._inner.write(buffer, min(timeout or rest, rest))

        def close(self) -> None:
            self._inner.close()

        def start_tls(
            self,
            ssl_context: ssl.SSLContext,
            server_hostname: str | None = None,
            timeout: float | None = None,
        ) -> httpcore2.NetworkStream:
            return Stream(self._inner.start_tls(ssl_context, server_hostname, timeout))

        def get_extra_info(self, info: str) -> Any:
            return self._inner.get_extra_info(info)

    class Backend(httpcore2.SyncBackend):
        def connect_tcp(self, *args: Any, **options: Any) -> httpcore2.NetworkStream:
            return Stream(super().connect_tcp(*args, **options))

    return Backend()
