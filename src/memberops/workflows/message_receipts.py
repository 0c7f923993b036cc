"""Receipts in a file, one JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from memberops.adapters.sms.receipts import read_moment, read_number
from memberops.adapters.sms.verdicts import plain_code, plain_id
from memberops.domain import Finding, Severity
from memberops.domain.message import MessageReceipt
from memberops.errors import MemberOpsError, SourceError

__all__ = ["read_receipts"]

_LONGEST = 10_000
_TEXTS = ("message_id", "provider_message_id", "problem", "raw_code")
_KNOWN = {*_TEXTS, "status", "provider", "at", "segment"}


def read_receipts(
    file: str | Path, *, provider: str
) -> tuple[list[MessageReceipt], list[Finding]]:
    r"""
    Read receipts that a web server took in and proved to be the provider's.

    Args:
        file: UTF-8, one JSON object a line with ``status`` (a
            `memberops.domain.message.ReceiptStatus`), ``message_id`` or
            ``provider_message_id``, and as far as they are known ``provider``, ``at``
            (ISO 8601 with offset), ``problem``, ``raw_code`` and ``segment``.
        provider: Whose they are where a line does not say.

    Returns:
        The receipts, and a finding with the number of the first line that is none.

    Raises:
        SourceError: The file cannot be read.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "receipts.jsonl"
    >>> _ = path.write_text('{"message_id": "S1", "status": "delivered"}\n{}\\n')
    >>> read, findings = read_receipts(path, provider="file")
    >>> read[0].status.value, findings[0].row, findings[0].count
    ('delivered', 2, 1)
    >>> folder.cleanup()
    """
    path = Path(file)
    read: list[MessageReceipt] = []
    wrong: list[int] = []
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                made = _receipt(line, provider)
                if made is None:
                    wrong.append(number)
                else:
                    read.append(made)
    except OSError as error:
        raise SourceError(
            f"the receipts in {path.name[:80]!r} cannot be read: {error.strerror}"
        ) from None
    return read, [_wrong(wrong)] if wrong else []


def _receipt(line: str, provider: str) -> MessageReceipt | None:
    """Make a receipt of a line; None for a line that is none."""
    try:
        document: Any = json.loads(line) if len(line) <= _LONGEST else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not _KNOWN.issuperset(document):
        return None
    texts = {name: document.get(name) for name in _TEXTS}
    if any(
        value is not None and not isinstance(value, str) for value in texts.values()
    ):
        return None
    at, said = read_moment(document.get("at")), document.get("at")
    if said is not None and at is None:
        return None
    try:
        return MessageReceipt(
            provider=document.get("provider", provider),
            status=document.get("status", ""),
            message_id=texts["message_id"] or None,
            provider_message_id=plain_id(texts["provider_message_id"]),
            problem=texts["problem"] or None,
            raw_code=plain_code(texts["raw_code"]) if texts["raw_code"] else "",
            at=at,
            segment=read_number(document.get("segment")),
        )
    except (MemberOpsError, ValueError, TypeError):
        return None


def _wrong(lines: list[int]) -> Finding:
    return Finding(
        table="receipts",
        rule="receipt-unreadable",
        severity=Severity.ERROR,
        row=lines[0],
        count=len(lines),
        message_en="lines of the file are no receipts; the others were taken in",
        message_zh="文件中有不是回执的行，其余已登记",
    )
