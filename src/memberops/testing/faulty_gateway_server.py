"""A small HTTP server on the loopback that can also misbehave on the wire."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import attrs

__all__ = ["GatewayAnswer", "GatewayConnection", "GatewayRequest", "LoopbackServer"]

_HEAD = 64 * 1024
_BODY = 8 * 1024 * 1024
_CHUNK = 64 * 1024
_RST = struct.pack("ii", 1, 0)
_REASONS = {200: "OK", 307: "Temporary Redirect", 429: "Too Many Requests"}


def _hidden(_value: object) -> str:
    return "*****"


@attrs.frozen(kw_only=True)
class GatewayRequest:
    """
    A request as it came in.

    Args:
        method: Such as ``"POST"``.
        target: Path and query; hidden in the repr, for it may hold a phone.
        headers: With names in small letters; hidden in the repr.
        body: As it came; hidden in the repr.

    >>> GatewayRequest(method="GET", target="/query?to=13812345678", headers={})
    GatewayRequest(method='GET', target=*****, headers=*****, body=*****)
    """

    method: str
    target: str = attrs.field(repr=_hidden)
    headers: Mapping[str, str] = attrs.field(repr=_hidden)
    body: bytes = attrs.field(default=b"", repr=_hidden)


@attrs.frozen(kw_only=True)
class GatewayAnswer:
    """
    An answer before it is put on the wire.

    Args:
        body: Of the answer.
        status: Of HTTP.
        content_type: Of the body.
        headers: More headers, such as ``Retry-After``.
    """

    body: bytes = attrs.field(repr=_hidden)
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = attrs.field(factory=dict)

    def head(self, length: int | None = None) -> bytes:
        """Return the status line and the headers, for a body of that many bytes."""
        size = len(self.body) if length is None else length
        lines = [
            f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Said')}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {size}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


class GatewayConnection:
    """One connection of a client: what can be done with it, well or badly."""

    def __init__(self, wire: socket.socket, closing: threading.Event) -> None:
        self._wire = wire
        self._closing = closing
        self._waiting = b""
        self.sent = 0

    def read(self) -> GatewayRequest | None:
        """Return the next request; None when there is none or it is no HTTP."""
        while b"\r\n\r\n" not in self._waiting:
            if len(self._waiting) > _HEAD or not self._more():
                return None
            if not self._waiting[:1].isalpha():  # such as a hello of TLS
                return None
        head, _, rest = self._waiting.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ")
        pairs = [line.partition(":") for line in lines]
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        length = headers.get("content-length", "0")
        if len(words) != 3 or not length.isdecimal() or int(length) > _BODY:  # noqa: PLR2004 - method, target and version
            return None
        self._waiting = rest
        while len(self._waiting) < int(length):
            if not self._more():
                return None
        body = self._waiting[: int(length)]
        self._waiting = self._waiting[int(length) :]
        return GatewayRequest(
            method=words[0], target=words[1], headers=headers, body=body
        )

    def _more(self) -> bool:
        part = self._wire.recv(_CHUNK)
        self._waiting += part
        return bool(part)

    def answer(self, answer: GatewayAnswer) -> None:
        """Send a whole answer in one write."""
        self._wire.sendall(answer.head() + answer.body)

    def half(self, answer: GatewayAnswer) -> None:
        """Promise a whole body, send half of it, and hang up."""
        self._wire.sendall(answer.head() + answer.body[: len(answer.body) // 2])
        self.close()

    def drip(self, answer: GatewayAnswer, seconds: float) -> None:
        """Send the body byte by byte, evenly over so many seconds."""
        self._wire.sendall(answer.head())
        pause = seconds / max(1, len(answer.body))
        for byte in answer.body:
            self.hold(pause)
            self._wire.sendall(bytes([byte]))

    def flood(self, answer: GatewayAnswer, size: int) -> None:
        """Send a body that goes on with spaces, up to *size*, counting what leaves."""
        self._wire.sendall(answer.head(size) + answer.body)
        self.sent = len(answer.body)
        while self.sent < size and not self._closing.is_set():
            part = b" " * min(_CHUNK, size - self.sent)
            self._wire.sendall(part)
            self.sent += len(part)

    def hold(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        self._closing.wait(seconds)

    def hold_client(self, seconds: float) -> None:
        """Keep the client waiting, but not longer than it waits."""
        until = time.monotonic() + seconds
        self._wire.settimeout(seconds)
        try:
            gone = not self._wire.recv(1, socket.MSG_PEEK)
        except OSError:  # the time is over, or the client broke off
            gone = True
        self._wire.settimeout(None)
        if not gone:  # it talks on: wait for it all the same
            self.hold(until - time.monotonic())

    def reset(self) -> None:
        """Break the connection: the client's next read fails."""
        with contextlib.suppress(OSError):
            self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        self._wire.close()

    def close(self) -> None:
        """Hang up in good order."""
        with contextlib.suppress(OSError):
            self._wire.shutdown(socket.SHUT_RDWR)
        self._wire.close()


class LoopbackServer:
    """
    Serves on a free port of 127.0.0.1, with a thread for each connection.

    Args:
        serve: Called with each request and its connection; it answers, or not.

    >>> def serve(request, connection):
    ...     connection.answer(GatewayAnswer(body=request.method.encode()))
    >>> import urllib.request
    >>> with LoopbackServer(serve) as server:
    ...     with urllib.request.urlopen(server.url) as answer:
    ...         answer.read()
    b'GET'
    """

    def __init__(
        self, serve: Callable[[GatewayRequest, GatewayConnection], None]
    ) -> None:
        self._serve = serve
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, GatewayConnection] = {}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(
            target=self._listen, args=[self._listener], daemon=True
        )
        self._thread.start()

    def _listen(self, listener: socket.socket) -> None:
        while not self._closing.is_set():
            try:
                wire, _ = listener.accept()
            except OSError:
                return
            if self._closing.is_set():
                wire.close()
                return
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = GatewayConnection(wire, self._closing)
            thread = threading.Thread(target=self._talk, args=[connection], daemon=True)
            with self._lock:
                self._open[thread] = connection
            thread.start()

    def _talk(self, connection: GatewayConnection) -> None:
        try:
            # a client may hang up, or be broken off by us, at any byte
            with contextlib.suppress(OSError):
                while (request := connection.read()) is not None:
                    self._serve(request, connection)
        finally:
            connection.close()
            with self._lock:
                self._open.pop(threading.current_thread(), None)

    def close(self) -> None:
        """Hang up on all clients and end the threads; a second time does nothing."""
        self._closing.set()
        with contextlib.suppress(OSError):  # closing alone wakes no accept()
            socket.create_connection(self._listener.getsockname(), 1).close()
        self._thread.join(5)
        self._listener.close()
        with self._lock:
            talks = dict(self._open)
        for connection in talks.values():
            connection.close()
        until = time.monotonic() + 5
        for thread in talks:
            thread.join(max(0.0, until - time.monotonic()))

    def __enter__(self) -> Self:
        """Serve until the block ends."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop serving."""
        self.close()
