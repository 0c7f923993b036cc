"""The provider that needs none: messages are written to a file."""

from __future__ import annotations

import datetime as dt
import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from memberops.adapters.sms.contract import (
    ReceiptRequest,
    SmsCapabilities,
    SmsContext,
)
from memberops.adapters.sms.options import name_option
from memberops.adapters.sms.verdicts import Verdict
from memberops.domain.message import (
    Message,
    MessageProblem,
    MessageReceipt,
    MessageTemplate,
    ReceiptStatus,
    SendOutcome,
    SendResult,
)
from memberops.errors import ConfigurationError, SourceError

__all__ = ["FileProvider"]

_OWNER_ONLY = 0o600
_LONGEST_SECONDS = 10.0  # for a thousand lines, others that write, and a slow disk
_APPENDING = threading.Lock()


class FileProvider:
    """
    Appends each message to a file, one JSON object a line, for whoever sends it on.

    The file holds phones and texts in clear, so only its owner may read it. A line has
    ``message_id``, ``batch_id``, ``member_id``, ``phone``, ``text``, ``template`` and
    ``variables``. ``accepted`` means written and synced to the disk; nothing is known
    of what comes after, so there are no receipts, and a query answers ``accepted`` or
    ``not_found``.

    A message that is sent twice is written twice: what reads the file goes by
    ``message_id``, and the outbox sends once.

    Args:
        context: The chain's `SmsContext`.
        file: The file, in the chain's folder.
        name: What the outbox and receipts call this account; give each account of
            one provider its own.

    Raises:
        ConfigurationError: The name leads out of the folder.

    >>> import datetime as dt, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> provider = FileProvider(SmsContext(folder=folder), file="sms.jsonl")
    >>> message = Message(message_id="S1", batch_id="B1", member_id="M1",
    ...     phone="13812345678", text="生日快乐！拒收请回复R【示例店】")
    >>> template = MessageTemplate(template_id="T1", kind="marketing",
    ...     text="生日快乐！拒收请回复R", signature="示例店")
    >>> provider.send([message], template=template)[0].outcome.value
    'accepted'
    >>> provider.query(message, provider_message_id=None,
    ...     sent_on=dt.date(2026, 11, 22)).status.value
    'accepted'
    """

    def __init__(
        self,
        context: SmsContext,
        *,
        file: str = "messages.jsonl",
        name: str = "file",
    ) -> None:
        self.name = name_option(name)
        folder = Path(context.folder).resolve()
        self._path = (folder / str(file)).resolve()
        if not str(file).strip() or not self._path.is_relative_to(folder):
            raise ConfigurationError(
                f"'file' is a file in the chain's folder, not {str(file)!r:.120}"
            )
        self._known: set[str] = set()
        self._read_to = 0
        self._lock = threading.Lock()
        self.capabilities = SmsCapabilities(
            batch_size=1000,
            longest_seconds=_LONGEST_SECONDS,
            queries=True,
            echoes_id=True,
            settle_seconds=1,
        )

    def __repr__(self) -> str:
        """Show the name alone."""
        return f"FileProvider(name={self.name!r})"

    def send(
        self, messages: Sequence[Message], *, template: MessageTemplate
    ) -> tuple[SendResult, ...]:
        """Append the messages at once; see `SmsProvider.send`."""
        lines = "".join(
            json.dumps(
                {
                    "message_id": message.message_id,
                    "batch_id": message.batch_id,
                    "member_id": message.member_id,
                    "phone": message.phone,
                    "text": message.text,
                    "template": template.code or template.template_id,
                    "variables": dict(message.variables),
                },
                ensure_ascii=False,
            )
            + "\n"
            for message in messages
        ).encode("utf-8", "replace")
        verdict = self._append(lines)
        return tuple(verdict.of(message) for message in messages)

    def _append(self, lines: bytes) -> Verdict:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        try:
            file = os.open(self._path, flags, _OWNER_ONLY)
        except OSError as error:
            return Verdict(
                outcome=SendOutcome.POSTPONED,
                problem=MessageProblem.CONNECTION,
                raw_code=type(error).__name__,
            )
        try:
            if hasattr(os, "fchmod"):
                os.fchmod(file, _OWNER_ONLY)
            # The last byte is another writer's while that one writes: one at a time.
            with _APPENDING:
                _wait_for_turn(file)
                size = os.fstat(file).st_size
                # A line that a full disk cut short must not swallow the next one.
                if size and _last_byte(file, size) != b"\n":
                    lines = b"\n" + lines
                written = os.write(file, lines)
            if written == len(lines):
                os.fsync(file)
                return Verdict(outcome=SendOutcome.ACCEPTED)
            reason = "ShortWrite"
        except OSError as error:
            reason = type(error).__name__
        finally:
            os.close(file)
        return Verdict(
            outcome=SendOutcome.UNKNOWN,
            problem=MessageProblem.PROVIDER,
            raw_code=reason,
        )

    def query(
        self,
        message: Message,
        *,
        provider_message_id: str | None,  # noqa: ARG002 - the file has none
        sent_on: dt.date,  # noqa: ARG002 - the file is one for all days
    ) -> MessageReceipt | None:
        """Look for the message in the file; see `SmsProvider.query`."""
        try:
            known = message.message_id in self._written()
        except OSError:
            return None
        return MessageReceipt(
            provider=self.name,
            status=ReceiptStatus.ACCEPTED if known else ReceiptStatus.NOT_FOUND,
            message_id=message.message_id,
        )

    def _written(self) -> set[str]:
        """Return the ids of all whole lines; only what is new is read."""
        with self._lock:
            try:
                with self._path.open("rb") as file:
                    if os.fstat(file.fileno()).st_size < self._read_to:  # a new file
                        self._known, self._read_to = set(), 0
                    file.seek(self._read_to)
                    for line in file:
                        if not line.endswith(b"\n"):
                            break
                        self._read_to += len(line)
                        self._known.add(_id_of(line))
            except FileNotFoundError:
                self._known, self._read_to = set(), 0
            return self._known

    def parse_receipts(self, request: ReceiptRequest) -> tuple[MessageReceipt, ...]:
        """Raise `SourceError`: nobody reports on a file."""
        del request
        raise SourceError(f"the provider {self.name!r} has no receipts")

    def verify_receipt(self, request: ReceiptRequest) -> bool:
        """Return False: nobody reports on a file."""
        del request
        return False

    def close(self) -> None:
        """Do nothing: the file is closed after each call."""


def _last_byte(file: int, size: int) -> bytes:
    os.lseek(file, size - 1, os.SEEK_SET)
    return os.read(file, 1)


def _id_of(line: bytes) -> str:
    """Return the message id of a line, empty for a line that was cut."""
    try:
        return str(json.loads(line)["message_id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _wait_for_turn(file: int) -> None:
    """Lock a file against other processes until it is closed, where that exists."""
    try:
        import fcntl
    except ImportError:  # Windows: one write, which threads take in turn
        return
    fcntl.flock(file, fcntl.LOCK_EX)
