"""A gateway on this machine that answers with the bytes a test gives it."""

import contextlib
import json
import socket
import struct
import threading
import time
from urllib.parse import parse_qsl, urlsplit

import attrs


@attrs.frozen
class Seen:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: dict
    body: bytes

    @property
    def query(self):
        """The parameters of the address."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self):
        """The fields of a body that is a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self):
        """The body as a JSON document."""
        return json.loads(self.body)


def answer(document=None, *, status=200, headers=(), body=None):
    """Return the bytes of an answer."""
    if body is None:
        body = json.dumps(document).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class SmsServer:
    """Records each request and answers with `reply`, bytes or a function."""

    def __init__(self):
        self.seen = []
        self.reply = answer({})
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._stop = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,)).start()

    def _serve(self, connection):
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            while (seen := _read(connection)) is not None:
                self.seen.append(seen)
                reply = self.reply(seen) if callable(self.reply) else self.reply
                if isinstance(reply, bytes):
                    connection.sendall(reply)
                    if b"Connection: close" in reply:
                        return
                    continue
                reply.act(connection, self._stop)
                return

    def close(self):
        """Stop listening, and let go of who waits."""
        self._stop.set()
        self._listener.close()


@attrs.frozen
class Drip:
    """Sends bytes one by one, with a pause after each."""

    data: bytes
    pause: float

    def act(self, connection, stop):
        """Drip."""
        for at in range(len(self.data)):
            connection.sendall(self.data[at : at + 1])
            if stop.wait(self.pause):
                return


@attrs.frozen
class Hang:
    """Says nothing for a while."""

    seconds: float = 3.0

    def act(self, _connection, stop):
        """Wait."""
        stop.wait(self.seconds)


@attrs.frozen
class Cut:
    """Sends some bytes, and resets or closes the connection."""

    data: bytes = b""
    reset: bool = True

    def act(self, connection, _stop):
        """Send and cut."""
        if self.data:
            connection.sendall(self.data)
            time.sleep(0.02)
        if self.reset:
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def _read(connection):
    """Read one request, None at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    return Seen(method, target, headers, body)
