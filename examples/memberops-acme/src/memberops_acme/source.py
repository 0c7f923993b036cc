"""Members and sales out of the JSON-lines export of an Acme till."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import pandas as pd

from memberops.adapters.sources import (
    REJECT_COLUMNS,
    SourceContext,
    SourceResult,
)
from memberops.domain import Finding, Severity
from memberops.errors import SourceError
from memberops.tables import Column, Kind, Table
from memberops.tables import table as canonical_table
from memberops_acme.values import RefusedError, convert

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AcmeSource"]

# Acme's field of each canonical column.
FIELDS = {
    "members": {
        "member_id": "id",
        "name": "fullName",
        "phone": "mobile",
        "gender": "sex",
        "birth_date": "born",
        "store_id": "shop",
        "joined_on": "enrolled",
        "referrer_id": "referredBy",
    },
    "sales": {
        "ticket_id": "receipt",
        "sold_on": "at",
        "sold_at": "at",
        "store_id": "shop",
        "member_id": "customer",
        "item_id": "sku",
        "item_name": "title",
        "quantity": "qty",
        "unit_price": "price",
        "amount": "paid",
        "returned_ticket_id": "refundOf",
    },
}
REASONS = {
    "line-unreadable": ("the line is no JSON object", "该行不是 JSON 对象"),
    "lines-missing": ("the ticket has no list of lines", "小票没有商品行列表"),
    "value-missing": ("a required value is missing", "缺少必填值"),
    "value-invalid": (
        "the value is not what the column holds",
        "该值不符合此列的类型",
    ),
    "gender-unknown": (
        "a gender that is not known was taken as unknown",
        "无法识别的性别已按未知处理",
    ),
}


class AcmeSource:
    """
    A folder with ``members*.jsonl`` and ``sales*.jsonl``.

    Nothing is opened before `read`. A line of a ticket is one row; a ticket that
    cannot be taken apart counts as one row that was rejected.

    Args:
        context: Folder, currency and zone of the chain.
        folder: The export's folder inside the chain's.
    """

    def __init__(self, context: SourceContext, *, folder: str = "acme") -> None:
        self.context = context
        self.folder = folder

    def __repr__(self) -> str:
        """Show where it reads."""
        return f"AcmeSource(folder={self.folder!r})"

    def read(self, table: str) -> SourceResult:
        """
        Read ``"members"`` or ``"sales"``.

        Raises:
            UnknownTableError: No canonical table has that name.
            SourceError: Acme exports no such table, or a file cannot be read.
        """
        reading = _Reading(table=canonical_table(table))
        if table not in FIELDS:
            raise SourceError(f"an Acme export has members and sales, but no {table}")
        paths = sorted((self.context.folder / self.folder).glob(f"{table}*.jsonl"))
        if not paths:
            raise SourceError(f"{self.folder!r} has no file called {table}*.jsonl")
        for path in paths:
            try:
                lines = path.read_bytes().splitlines()
            except OSError as error:
                raise SourceError(f"{path.name} cannot be read") from error
            for number, raw in enumerate(lines, start=1):
                if raw.strip():
                    self._take(reading, path.name, number, raw)
        return reading.result()

    def _take(self, reading: _Reading, file: str, number: int, raw: bytes) -> None:
        """Take the rows of one line of a file, or refuse them."""
        try:
            records = list(_records(reading.table, raw))
        except RefusedError as refused:
            reading.refuse(refused, file, number, raw)
            return
        for record in records:
            try:
                row = self._row(reading.table, record)
            except RefusedError as refused:
                reading.refuse(refused, file, number, raw)
            else:
                reading.rows.append(row)
                if row.get("gender") == "unknown":
                    reading.note("gender-unknown", "gender", file, number)

    def _row(self, table: Table, record: dict[str, Any]) -> dict[str, Any]:
        return {
            name: convert(table.column(name), record.get(field), self.context)
            for name, field in FIELDS[table.name].items()
        }


@attrs.define(kw_only=True)
class _Reading:
    """What one call of `AcmeSource.read` has gathered so far."""

    table: Table
    rows: list[dict[str, Any]] = attrs.Factory(list)
    rejects: list[tuple[object, ...]] = attrs.Factory(list)
    findings: list[Finding] = attrs.Factory(list)

    def note(
        self,
        rule: str,
        column: str | None,
        file: str,
        number: int,
        severity: Severity = Severity.WARNING,
    ) -> None:
        english, chinese = REASONS[rule]
        self.findings.append(
            Finding(
                table=self.table.name,
                rule=rule,
                column=column,
                severity=severity,
                source=file,
                row=number,
                message_en=english,
                message_zh=chinese,
            )
        )

    def refuse(self, refused: RefusedError, file: str, number: int, raw: bytes) -> None:
        rule, column = refused.rule, refused.column
        self.note(rule, column, file, number, Severity.ERROR)
        text = raw.decode(errors="replace")
        # In the order of REJECT_COLUMNS.
        self.rejects.append((file, number, column, rule, *REASONS[rule], text))

    def result(self) -> SourceResult:
        return SourceResult(
            table=self.table.name,
            frame=pd.DataFrame(
                {
                    name: _series(self.table.column(name), [r[name] for r in self.rows])
                    for name in FIELDS[self.table.name]
                }
            ),
            rejects=pd.DataFrame(self.rejects, columns=list(REJECT_COLUMNS)),
            findings=self.findings,
            rows_read=len(self.rows) + len(self.rejects),
        )


def _records(table: Table, raw: bytes) -> Iterator[dict[str, Any]]:
    """Take one line of a file apart: a member is one record, a ticket several."""
    try:
        record = json.loads(raw, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        raise RefusedError("line-unreadable") from None
    if not isinstance(record, dict):
        raise RefusedError("line-unreadable")
    if table.name == "members":
        yield record
        return
    lines = record.get("lines")
    if not isinstance(lines, list) or not lines:
        raise RefusedError("lines-missing")
    for line in lines:
        if not isinstance(line, dict):
            raise RefusedError("lines-missing")
        yield {**line, **{key: record[key] for key in record if key != "lines"}}


def _series(column: Column, values: list[Any]) -> pd.Series[Any]:
    """Give a column the type that its kind has in canonical frames."""
    if column.kind is Kind.DATE:
        return pd.Series(values, dtype="datetime64[us]")
    if column.kind is Kind.INSTANT:
        return pd.Series(values, dtype="datetime64[us, UTC]")
    if column.kind in {Kind.MONEY, Kind.INTEGER}:
        return pd.Series(values, dtype="int64" if column.required else "Int64")
    return pd.Series(values, dtype="str")
