"""Approvals of differences, added to a file that only grows."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path

from memberops.domain import Approval
from memberops.errors import InvalidValueError
from memberops.tables.stocktakes import COUNT_APPROVALS
from memberops.workflows.form_files import keep_private

__all__ = ["append_approvals"]


def append_approvals(
    path: Path, approvals: Iterable[tuple[Approval, tuple[str, str, str, str]]]
) -> None:
    """
    Add approvals to a CSV file with the columns of the table of approvals.

    They are on disk when this returns: the ledger is changed only after that.

    Args:
        path: The file; one with headings is made if it is not there.
        approvals: Each with stocktake, place, gift and lot of its line.

    Raises:
        InvalidValueError: The file has other headings.
        OSError: The file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if not path.exists() or not path.stat().st_size:
        keep_private(path)
        writer.writerow(COUNT_APPROVALS.names)
    else:
        before = path.read_bytes()
        first = before.partition(b"\n")[0].decode("utf-8-sig", "replace")
        if first.strip() != ",".join(COUNT_APPROVALS.names):
            raise InvalidValueError(
                "approvals are added to a file with the headings "
                f"{','.join(COUNT_APPROVALS.names)}: name another file, or one that "
                "is not there yet"
            )
        if not before.endswith(b"\n"):
            text.write("\n")
    for approval, names in approvals:
        writer.writerow(
            (
                *names,
                approval.difference,
                approval.by,
                approval.role,
                approval.at.isoformat(),
                "yes" if approval.approved else "no",
            )
        )
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())
        file.flush()
        os.fsync(file.fileno())
