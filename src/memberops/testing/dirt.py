"""
The dirt of real exports: damaged rows, and the rules under which they are reported.

Ways to write that do no harm are a `memberops.testing.styles.Style`. Damage is a row
beside the good ones, which the CSV source refuses, or takes and reports. Good rows are
never damaged, so what a reader accepts can be compared with the clean frame.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from typing import Literal

import attrs

__all__ = ["DAMAGES", "Damage", "PlantedDirt"]

_Model = Mapping[str, str]


@attrs.frozen(kw_only=True)
class PlantedDirt:
    """
    One damaged row that was planted in a file.

    Args:
        table: Canonical table of the file.
        file: Name of the file.
        line: Its line in the file, counted from 1.
        rule: The rule under which it is reported.
        column: The column that is damaged; None if the row as such is.
        rejected: Whether the CSV source refuses the row.
        found_by: ``"source"`` if the file alone shows it, ``"chain"`` if it takes
            another table to see it.
    """

    table: str
    file: str
    line: int
    rule: str
    column: str | None = None
    rejected: bool = True
    found_by: Literal["source", "chain"] = "source"


@attrs.frozen
class Damage:
    """
    One kind of damage.

    Args:
        rule: The rule under which it is reported.
        column: The column that is damaged, if it is one.
        write: Makes the damaged line from a good row: its cells by column.
        rejected: Whether the CSV source refuses the row.
        found_by: As in `PlantedDirt`.
    """

    rule: str
    column: str | None
    write: Callable[[_Model], str]
    rejected: bool = True
    found_by: Literal["source", "chain"] = "source"

    def line(self, model: _Model, encoding: str) -> bytes:
        """Write the damaged line, without its end."""
        text = self.write(model)
        raw = text.encode(encoding.removesuffix("-sig"))
        # 0xFF is a byte that neither GB18030 nor UTF-8 has.
        return raw.replace(_BAD_BYTE.encode(), b"\xff")


_BAD_BYTE = "{bad byte}"


def _line(*cells: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def _with(**cells: str) -> Callable[[_Model], str]:
    """Write the good row with some cells changed."""
    return lambda model: _line(*{**model, **cells}.values())


def _cut_off(model: _Model) -> str:
    return _line(*list(model.values())[:-2])


def _run_over(model: _Model) -> str:
    return _line(*model.values(), "多出的一列")


def _unclosed(model: _Model) -> str:
    return _line(*list(model.values())[:-1]) + ',"没有右引号'


def _unchanged(model: _Model) -> str:
    return _line(*model.values())


DAMAGES: Mapping[str, tuple[Damage, ...]] = {
    "members": (
        Damage("required-missing", "member_id", _with(member_id="")),
        Damage(
            "number-destroyed",
            "phone",
            _with(member_id="M-E10", name="会员E10", phone="1.2E+10", referrer_id=""),
            rejected=False,
        ),
        Damage("duplicate-key", "member_id", _unchanged),
    ),
    "cards": (
        Damage("too-few-cells", None, _cut_off),
        Damage("date-impossible", "valid_through", _with(valid_through="20260230")),
        Damage("bad-bytes", None, _with(kind=_BAD_BYTE)),
    ),
    "stores": (),
    "sales": (
        Damage("too-few-cells", None, _cut_off),
        Damage("required-missing", "quantity", _with(quantity="")),
        Damage("quote-unclosed", None, _unclosed),
        Damage("bad-bytes", None, _with(item_name=_BAD_BYTE)),
        Damage("too-many-cells", None, _run_over),
        Damage("number-unreadable", "amount", _with(amount="见备注")),
        Damage("date-impossible", "sold_on", _with(sold_on="2026/2/30")),
        Damage(
            "store-unknown",
            "store_id",
            _with(
                ticket_id="S99-20251111-0001",
                store_id="S99",
                member_id="",
                returned_ticket_id="",
            ),
            rejected=False,
            found_by="chain",
        ),
    ),
    "targets": (
        Damage("required-missing", "target", _with(target="")),
        Damage("duplicate-key", "store_id", _with(target="￥1.00")),
    ),
    "complaints": (
        Damage("required-missing", "received_at", _with(received_at="")),
        Damage(
            "choice-unknown",
            "channel",
            _with(case_id="K-E1", channel="飞鸽传书"),
            rejected=False,
        ),
        Damage("duplicate-key", "case_id", _unchanged),
        Damage("quote-unclosed", None, _unclosed),
    ),
    "case_events": (
        Damage("choice-unknown", "kind", _with(kind="不了了之")),
        Damage("date-impossible", "at", _with(at="2026-02-30 10:00")),
        Damage("too-few-cells", None, _cut_off),
    ),
    "visits": (
        Damage("required-missing", "visit_id", _with(visit_id="")),
        Damage(
            "date-impossible",
            "done_on",
            _with(visit_id="V-E1", done_on="20260230"),
            rejected=False,
        ),
        Damage("duplicate-key", "visit_id", _unchanged),
        Damage("bad-bytes", None, _with(answer=_BAD_BYTE)),
    ),
    "consents": (
        Damage("choice-unknown", "given", _with(given="再说吧")),
        Damage("required-missing", "on", _with(on="")),
    ),
    "appointments": (
        Damage("date-unreadable", "starts_at", _with(starts_at="下周三下午")),
        Damage("duplicate-key", "booking_id", _unchanged),
    ),
    "surveys": (
        Damage("number-unreadable", "score", _with(score="很好")),
        Damage("integer-fraction", "score", _with(score="4.5")),
        Damage("duplicate-key", "answer_id", _unchanged),
    ),
}
"""The damage planted in each file, from top to bottom."""
