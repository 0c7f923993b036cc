"""Postings as rows of the table of movements, and rows as postings: CSV in and out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from memberops.domain.finding import Finding
from memberops.domain.posting import Movement, Posting
from memberops.errors import InvalidValueError, MemberOpsError
from memberops.tables.gifts import GIFT_MOVEMENTS

__all__ = ["movement_rows", "read_movements"]

_TERMS = ("kind", "effective_at", "reason", "by", "refers_to", "reverses", "late")
_PARTS = {"%": "%25", ";": "%3B", "=": "%3D"}


def movement_rows(postings: Iterable[Posting]) -> pd.DataFrame:
    """
    Write postings as rows of `memberops.tables.GIFT_MOVEMENTS`, one a movement.

    Args:
        postings: Postings of the ledger, in their order.

    Returns:
        A frame with the columns of the table, that `read_movements` reads back.
    """
    rows = [
        (
            posting.posting_id,
            posting.kind.value,
            posting.effective_at,
            each.gift_id,
            each.lot_id,
            each.valid_through,
            each.source,
            each.destination,
            each.quantity,
            posting.reason or None,
            posting.by,
            ";".join(
                f"{_coded(kind)}={_coded(name)}" for kind, name in posting.refers_to
            )
            or None,
            posting.reverses,
            "yes" if posting.late else "no",
        )
        for posting in postings
        for each in posting.movements
    ]
    frame = pd.DataFrame(rows, columns=list(GIFT_MOVEMENTS.names))
    typed = {"quantity": "int64", "effective_at": "datetime64[us, UTC]"}
    typed |= {"valid_through": "datetime64[s]"}
    texts = {name: "str" for name in GIFT_MOVEMENTS.names if name not in typed}
    return frame.astype(texts | typed)


def read_movements(
    frame: pd.DataFrame,
) -> tuple[tuple[Posting, ...], tuple[Finding, ...]]:
    """
    Make postings of rows of `memberops.tables.GIFT_MOVEMENTS`.

    Rows of one posting id are one posting, in the order in which ids first come. A
    posting of which a row cannot be read is left out whole: half of it would create
    or lose goods.

    Args:
        frame: The rows, as a source gives them.

    Returns:
        The postings, and a finding for each one that was left out.

    Raises:
        MissingColumnsError: A required column is not there.
    """
    GIFT_MOVEMENTS.check_columns(frame.columns, GIFT_MOVEMENTS.required)
    given = [name for name in GIFT_MOVEMENTS.names if name in frame]
    columns = [frame[name].tolist() for name in given]
    by_key: dict[Any, list[tuple[int, dict[str, Any]]]] = {}
    for at, values in enumerate(zip(*columns, strict=True), 1):
        row = dict.fromkeys(GIFT_MOVEMENTS.names) | dict(
            zip(given, values, strict=True)
        )
        known = {name: None if pd.isna(each) else each for name, each in row.items()}
        by_key.setdefault(known["posting_id"], []).append((at, known))
    postings: list[Posting] = []
    findings: list[Finding] = []
    for rows in by_key.values():
        try:
            postings.append(_posting([row for _, row in rows]))
        except MemberOpsError as error:
            findings.append(_left_out(rows, error))
    return tuple(postings), tuple(findings)


def _posting(rows: list[dict[str, Any]]) -> Posting:
    first = rows[0]
    for row in rows[1:]:
        differ = [name for name in _TERMS if row[name] != first[name]]
        if differ:
            raise InvalidValueError(f"its rows differ in {', '.join(differ)}")
    at = first["effective_at"]
    return Posting(
        posting_id=first["posting_id"],
        kind=first["kind"],
        effective_at=at.to_pydatetime() if isinstance(at, pd.Timestamp) else at,
        movements=[
            Movement(
                gift_id=row["gift_id"],
                source=row["source"],
                destination=row["destination"],
                quantity=row["quantity"],
                lot_id=row["lot_id"] or None,
                valid_through=None
                if row["valid_through"] is None
                else pd.Timestamp(row["valid_through"]).date(),
            )
            for row in rows
        ],
        reason=first["reason"] or "",
        by=first["by"] or None,
        refers_to=[
            _pair(part) for part in (first["refers_to"] or "").split(";") if part
        ],
        reverses=first["reverses"] or None,
        late=first["late"] == "yes",
    )


def _left_out(rows: list[tuple[int, dict[str, Any]]], error: MemberOpsError) -> Finding:
    # What the error quotes may be a member's id, never a name or a phone.
    return Finding(
        table=GIFT_MOVEMENTS.name,
        rule="posting-unreadable",
        row=rows[0][0],
        count=len(rows),
        message_en=f"the posting was left out: {error}",
        message_zh=f"该凭证整张未采用：{error}",
    )


def _coded(text: str) -> str:
    return "".join(_PARTS.get(char, char) for char in text)


def _pair(text: str) -> tuple[str, str]:
    kind, found, name = text.partition("=")
    if not found:
        raise InvalidValueError("'refers_to' is written ticket=T1;application=A1")
    for char, code in reversed(_PARTS.items()):
        kind, name = kind.replace(code, char), name.replace(code, char)
    return kind.strip(), name.strip()
