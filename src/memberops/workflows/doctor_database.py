"""The doctor for databases: which of their tables are which, and how to read them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from memberops.adapters.sources.text_table import TextTable
from memberops.errors import MissingExtraError, SourceError, bounded
from memberops.tables import Kind
from memberops.tables import table as table_named
from memberops.workflows.doctor import propose_table
from memberops.workflows.doctor_marks import MARKS, marks_in
from memberops.workflows.doctor_proposal import MappingProposal, Question, shown_in_line
from memberops.workflows.doctor_questions import first_texts
from memberops.workflows.doctor_second import second_tables
from memberops.workflows.doctor_series import told_aside

if TYPE_CHECKING:
    from memberops.adapters.sources.sql_sample import DatabaseLook, SampledTable

__all__ = ["propose_database"]

_MOST_LOOKED_AT = 300
_MOST_NAMED = 20
_NO_ROWS = "no-rows"
_REASONS_ZH = {"its name needs a query": "名称须用 query 查询"}
_ZONED = re.compile(r".*:\d\d.*(?:Z|[+-]\d\d(?::?\d\d)?)$", re.DOTALL)


def propose_database(
    url: Any,
    *,
    tables: Sequence[str] = (),
    table: str | None = None,
    password: Any = None,
    folder: str | Path | None = None,
) -> tuple[MappingProposal, ...]:
    """
    Look at a database, and propose how to read the tables that are of use.

    It reads names of columns, and of the tables that it proposes some first rows; it
    writes nothing. No password is in what it says.

    Args:
        url: Address of the database without password, or a secret that holds one with
            it, as `SqlSource` takes it: ``{"env": "POS_URL"}``.
        tables: Tables or views to look at, such as ``"pos.receipts"``; if empty, all
            of the usual schema, of which those are proposed that seem to be something.
        table: The canonical table, if it is known; guessed if None.
        password: A secret, if the URL has none.
        folder: Folder of the chain file, which a SQLite file counts from.

    Raises:
        ConfigurationError: The address or a name cannot be one.
        MissingExtraError: The database's driver is not installed.
        SourceError: The database cannot be reached, or has no such table.
        UnknownTableError: No canonical table has the name *table*.

    >>> import sqlite3
    >>> till = sqlite3.connect("pos.db")
    >>> _ = till.executescript('''
    ...     CREATE TABLE receipts (小票号 TEXT, 销售时间 TEXT, 门店 TEXT,
    ...                            数量 INTEGER, 金额 NUMERIC, updated_at TEXT);
    ...     INSERT INTO receipts VALUES
    ...         ('T1', '2026-11-05 14:03:00', 'S1', 2, 19.9, '2026-11-05 14:03:00');
    ...     CREATE TABLE settings (name TEXT, value TEXT);''')
    >>> till.close()
    >>> sales, rest = propose_database("sqlite:///pos.db")
    >>> print(sales.toml("en"))
    [sources.sales]
    adapter = "sql"
    url = "sqlite:///pos.db"
    table = "receipts"
    ...
    >>> print(rest.describe("en"))
    pos.db: looked at and not proposed: settings
    """
    if table is not None:
        table_named(table)
    home = Path(folder) if folder is not None else Path()
    try:
        from memberops.adapters.sources.sql_sample import DatabaseLook
    except ImportError:
        raise MissingExtraError("looking at a database", "sql") from None
    look = DatabaseLook.at(url, password=password, folder=home)
    place = {"url": _toml(url)}
    if password is not None:
        place["password"] = _toml(password)
    if tables:
        return tuple(
            each
            for name in tables
            for each in _proposed(look.sample(name), table, place)
        )
    useful, rest = _of_use(look, table)
    found: list[MappingProposal] = []
    unread: list[_Reason] = []
    for name in useful:
        try:
            found += _proposed(look.sample(name), table, place)
        except SourceError as error:
            why = str(error).removeprefix(f"{look.address.where}: ")
            unread.append((name, why, why))
    # Of two tables that are alike, the one with all columns and with rows is hardly
    # the wrong one.
    found.sort(
        key=lambda each: (
            not each.complete,
            any(q.rule == _NO_ROWS for q in each.questions),
        )
    )
    if unread:
        rest.append(_unreadable(look, unread, complete=False))
    return (*found, *rest)


_Reason = tuple[str, str, str]
"""The name of a table, and why it cannot be read, in English and in Chinese."""


def _of_use(
    look: DatabaseLook, table: str | None
) -> tuple[list[str], list[MappingProposal]]:
    """Find by their columns the tables that seem to be something."""
    names = look.names()
    if not names:
        raise SourceError(f"{look.address.where}: the user sees no table and no view")
    useful: list[str] = []
    other: list[str] = []
    failed: list[_Reason] = []
    for name, seen in look.columns(names[:_MOST_LOOKED_AT]):
        if isinstance(seen, str):
            failed.append((name, seen, _REASONS_ZH.get(seen, seen)))
            continue
        proposal = propose_table(seen.text, table=table, place={"table": name})
        fits = proposal.likely if table is None else proposal.complete
        (useful if fits else other).append(name)
    other += names[_MOST_LOOKED_AT:]
    rest = []
    if other:
        shown = _listed(map(shown_in_line, other))
        rest.append(
            told_aside(
                _where(look),
                "not-proposed",
                f"looked at and not proposed: {shown}",
                f"已查看但未采用：{shown}",
                complete=True,
            )
        )
    if failed:
        rest.append(_unreadable(look, failed, complete=True))
    return useful, rest


def _unreadable(
    look: DatabaseLook, some: Sequence[_Reason], *, complete: bool
) -> MappingProposal:
    """Say which tables cannot be read, and why."""
    told = [(shown_in_line(name), english, chinese) for name, english, chinese in some]
    return told_aside(
        _where(look),
        "table-unreadable",
        "cannot be read: " + _listed(f"{name} ({why})" for name, why, _ in told),
        "无法读取：" + _listed(f"{name}（{why}）" for name, _, why in told),
        complete=complete,
    )


def _where(look: DatabaseLook) -> str:
    return look.address.where.rpartition("/")[2] or look.address.where


def _listed(texts: Iterable[str]) -> str:
    return bounded(texts, limit=_MOST_NAMED).replace("'", "")


def _proposed(
    seen: SampledTable, table: str | None, place: Mapping[str, str]
) -> list[MappingProposal]:
    place = {**place, "table": json.dumps(seen.text.name, ensure_ascii=False)}
    first = propose_table(seen.text, table=table, adapter="sql", place=place)
    more = second_tables(seen.text, first.table) if table is None else ()
    return [
        _asked(each, seen)
        for each in (
            first,
            *(
                propose_table(seen.text, table=name, adapter="sql", place=place)
                for name in (more if first.complete else ())
            ),
        )
    ]


def _asked(proposal: MappingProposal, seen: SampledTable) -> MappingProposal:
    """Ask what a database leaves open besides."""
    text = seen.text
    questions = [
        *_coarse(proposal, seen),
        *_zones(proposal, text),
        *_marks(text.headings),
    ]
    if not len(text.lines):
        questions.insert(
            0,
            Question(
                rule=_NO_ROWS,
                text_en="the table has no row: what its columns hold is not known",
                text_zh="该表没有数据，无法判断各列内容",
            ),
        )
    return attrs.evolve(proposal, questions=(*proposal.questions, *questions))


def _marks(headings: Iterable[str]) -> list[Question]:
    """Propose the columns that tell what changed and what is no more."""
    asked = []
    for option, heading in marks_in(headings).items():
        shown = json.dumps(heading, ensure_ascii=False)
        text_en, text_zh = MARKS[option]
        asked.append(
            Question(
                rule=f"{option}-likely",
                text_en=f"{shown}: {text_en}",
                text_zh=f"{shown}：{text_zh}",
                toml=f"{option} = {shown}",
            )
        )
    return asked


def _zones(proposal: MappingProposal, text: TextTable) -> list[Question]:
    """Ask of moments without a zone in which one they are."""
    asked = []
    table = table_named(proposal.table)
    for name, at in _places(proposal, text):
        texts = first_texts(text.columns[at])
        plain = [each for each in texts if not _ZONED.match(each)]
        if table.column(name).kind is Kind.INSTANT and plain:
            asked.append(at)
    if not asked:
        return []
    names = ", ".join(json.dumps(text.headings[at], ensure_ascii=False) for at in asked)
    return [
        Question(
            rule="moments-without-zone",
            text_en=f"moments without a zone: {names}; they are read in the chain's "
            "zone, unless they are UTC",
            text_zh=f"没有时区的时间：{names}；按连锁所在时区读取，除非是 UTC",
            toml=f"utc = [{names}]",
        )
    ]


def _coarse(proposal: MappingProposal, seen: SampledTable) -> list[Question]:
    table = table_named(proposal.table)
    return [
        Question(
            rule="amount-inexact",
            column=name,
            text_en=f"{shown_in_line(seen.text.headings[at])} is a FLOAT of seven "
            "digits, which keeps no exact amounts, and is refused: make it DECIMAL",
            text_zh=f"{shown_in_line(seen.text.headings[at])} 是 7 位有效数字的 FLOAT，"
            "金额不精确，会被拒绝：请改为 DECIMAL",
        )
        for name, at in _places(proposal, seen.text)
        if table.column(name).kind is Kind.MONEY
        and seen.text.headings[at] in seen.coarse
    ]


def _places(proposal: MappingProposal, text: TextTable) -> Iterable[tuple[str, int]]:
    """Give the column of the database for each canonical one."""
    shown = [shown_in_line(heading) for heading in text.headings]
    return [
        (name, shown.index(heading))
        for name, heading in proposal.columns.items()
        if heading in shown
    ]


def _toml(value: Any) -> str:
    """Write an address or a secret as the chain file would have it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{k} = {json.dumps(v)}" for k, v in value.items())
        return f"{{ {pairs} }}"
    # A function or a secret of the host has no spelling of its own.
    return '{ env = "POS_URL" }'
