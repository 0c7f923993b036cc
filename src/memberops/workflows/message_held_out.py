"""Who was held out of which batch, in a file that only grows."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pandas as pd

from memberops.errors import InvalidValueError, SourceError, bounded
from memberops.workflows.form_files import keep_private

__all__ = ["add_held_out", "held_out_members"]

_HEADINGS = ("batch_id", "member_id", "store_id")


def held_out_members(file: str | Path) -> pd.DataFrame:
    """
    Return who was held out: ``batch_id``, ``member_id``, ``store_id``.

    Args:
        file: The file; one that is not there holds nobody.

    Raises:
        SourceError: It cannot be read, or has other headings.
    """
    path = Path(file)
    rows: list[tuple[str, ...]] = []
    if path.exists():
        try:
            with path.open(encoding="utf-8-sig", newline="") as lines:
                reader = csv.reader(lines)
                headings = tuple(next(reader, _HEADINGS))
                rows = [tuple(row) for row in reader]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SourceError(
                f"{bounded([path.name])}, the list of those held out, cannot be read "
                f"({type(error).__name__})"
            ) from None
        if headings != _HEADINGS or any(len(row) != len(_HEADINGS) for row in rows):
            raise SourceError(
                f"{bounded([path.name])}, the list of those held out, has the headings "
                f"{','.join(_HEADINGS)} and as many cells in each row"
            )
    frame = pd.DataFrame(rows, columns=list(_HEADINGS), dtype="str")
    return frame.drop_duplicates(ignore_index=True)


def add_held_out(file: str | Path, batch_id: str, members: pd.DataFrame) -> None:
    """
    Write who is held out of a batch; the same people again are written once.

    They are on disk when this returns.

    Args:
        file: The file; it is made if it is not there.
        batch_id: The batch.
        members: ``member_id`` and ``store_id``.

    Raises:
        InvalidValueError: Others were held out of that batch before.
        SourceError: The file cannot be read.
        OSError: It cannot be written.
    """
    path = Path(file)
    before = held_out_members(path)
    known = set(before.loc[before["batch_id"] == batch_id, "member_id"])
    wanted = set(members["member_id"])
    if known - wanted:
        raise InvalidValueError(
            f"others were held out of the batch {bounded([batch_id])} before, by "
            f"{bounded([path.name])}: a new batch takes a new id"
        ).in_chinese(
            f"{bounded([path.name])} 中批次 {bounded([batch_id])} 的对照组"
            "是另一些会员："
            "新批次请用新批次号"
        )
    new = members[[each not in known for each in members["member_id"]]]
    if not len(new):
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if not path.exists() or not path.stat().st_size:
        keep_private(path)
        writer.writerow(_HEADINGS)
    elif not path.read_bytes().endswith(b"\n"):
        text.write("\n")
    stores = new["store_id"].fillna("")
    writer.writerows(
        (batch_id, member, store)
        for member, store in zip(new["member_id"], stores, strict=True)
    )
    with path.open("a", encoding="utf-8", newline="") as lines:
        lines.write(text.getvalue())
        lines.flush()
        os.fsync(lines.fileno())
