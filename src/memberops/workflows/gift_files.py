"""The gift ledger as files: movements as CSV, the journal, and its check."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from memberops.adapters.sources.rejects import guard_text
from memberops.domain import Finding, Posting
from memberops.errors import BrokenChainError, SourceError
from memberops.ledger.flow_tables import movement_rows
from memberops.workflows.form_files import keep_private

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain

__all__ = ["export_gifts", "restore_gifts", "verify_gifts"]


def export_gifts(chain: Chain, path: str | Path, *, journal: bool = False) -> int:
    """
    Write every posting of the chain's ledger to a file that only its owner may read.

    As CSV, it can be imported into another ledger, without the holds it used. A ledger
    writes no reason with spaces around it; one that an older version wrote loses them
    as every CSV that is read does, and only the journal keeps it. The journal
    also holds refusals, holds and closings, and a chain of hashes: the same ledger
    gives the same bytes.

    Args:
        chain: The chain; a method of it.
        path: The file; one that exists is replaced.
        journal: Whether to write the journal.

    Returns:
        How many movements, or lines of the journal, were written.

    Raises:
        InvalidValueError: The chain has no ledger.
        BrokenChainError: An entry was changed behind the ledger's back (journal).
        OSError: The file cannot be written.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise SourceError(f"there is no folder {str(target.parent)!r} to write to")
    with chain.ledger() as ledger:
        if journal:
            lines = [f"{line}\n" for line in ledger.journal()]
            count, text = len(lines), "".join(lines)
        else:
            rows = movement_rows(
                each.record
                for each in ledger.entries()
                if isinstance(each.record, Posting)
            )
            count, text = len(rows), _csv(rows)
    keep_private(target)
    target.write_text(text, encoding="utf-8", newline="")
    return count


def _csv(rows: pd.DataFrame) -> str:
    moments = [_written(each) for each in rows["effective_at"]]
    texts: dict[str, list[Any]] = {
        str(name): [
            guard_text(each) if isinstance(each, str) else each for each in column
        ]
        for name, column in rows.items()
        if column.dtype == "str"
    }
    rows = rows.assign(**texts, effective_at=moments)
    return rows.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d")


def _written(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def restore_gifts(chain: Chain, path: str | Path) -> int:
    """
    Fill the chain's empty ledger from a journal, all of it or nothing.

    Args:
        chain: The chain; a method of it.
        path: What `export_gifts` wrote with ``journal=True``.

    Returns:
        How many entries were written.

    Raises:
        BrokenChainError: The journal was changed or cut, or breaks the rules.
        InvalidValueError: The chain's store takes no journal, or it has no ledger.
        LedgerStoreError: The ledger is not empty.
        OSError: The file cannot be read.
    """

    def lines() -> Iterator[str]:
        with Path(path).open(encoding="utf-8", newline="\n") as file:
            try:
                yield from file
            except UnicodeDecodeError:
                raise BrokenChainError(
                    f"{Path(path).name!r} is no journal: it is not UTF-8 text"
                ) from None

    with chain.ledger() as ledger:
        return ledger.restore(lines())


def verify_gifts(chain: Chain) -> tuple[int, tuple[Finding, ...]]:
    """
    Refold the chain's whole ledger, and compare it with all that is kept beside it.

    Args:
        chain: The chain; a method of it.

    Returns:
        How many entries there are, and a finding for each kind of difference.

    Raises:
        InvalidValueError: The chain has no ledger.
    """
    with chain.ledger() as ledger:
        return ledger.position, ledger.verify()
