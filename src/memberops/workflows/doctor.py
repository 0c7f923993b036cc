"""
A doctor for files: which table a file is, and the mapping that would read it.

It reads no more than it needs, writes nothing, and decides nothing: what is likely is
proposed, and what is not certain is asked. Personal values are masked in its samples.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from memberops.adapters.sources.column_values import TextColumn
from memberops.adapters.sources.date_values import EitherOrder, Moment, read_moment
from memberops.adapters.sources.heading_units import heading_unit
from memberops.adapters.sources.limits import ReadingLimits
from memberops.adapters.sources.text_table import TextTable
from memberops.domain.values import mask, mask_name
from memberops.errors import SourceError
from memberops.tables import TABLES, Column, Kind, Table
from memberops.tables import table as table_named
from memberops.workflows.doctor_beside import currency_columns, return_questions
from memberops.workflows.doctor_columns import (
    fitting,
    joined_moments,
    likely,
    placed,
    reads,
)
from memberops.workflows.doctor_doubts import poor_fit, which_table
from memberops.workflows.doctor_lacking import lacking
from memberops.workflows.doctor_proposal import (
    MappingProposal,
    Question,
    on_one_line,
    shown_in_line,
)
from memberops.workflows.doctor_questions import (
    column_questions,
    first_texts,
)
from memberops.workflows.doctor_samples import (
    BOOK_ENDINGS,
    TITLE,
    files_of,
    sample_tables,
)
from memberops.workflows.doctor_second import second_tables
from memberops.workflows.doctor_series import (
    as_series,
    database_url,
    left_aside,
    unreadable,
)
from memberops.workflows.doctor_shapes import shape_of, shown_headings
from memberops.workflows.doctor_units import heading_units, inline_table, units_together

__all__ = ["propose_mapping", "propose_table"]

_MOST_SCORES = 3
_SMALL_NUMBER = re.compile(r"[-+¥￥$€£]?\d[\d,]{0,7}(?:\.\d{1,4})?元?", re.ASCII)


def propose_mapping(
    path: str | Path, *, table: str | None = None, folder: str | Path | None = None
) -> tuple[MappingProposal, ...]:
    r"""
    Look at a CSV file, a workbook or a folder of them, and propose how to read it.

    Args:
        path: The file or folder.
        table: The canonical table, if it is known; guessed if None.
        folder: Folder of the chain file, which paths count from; the current one if
            None.

    Returns:
        A proposal for each file, and for each sheet that is shown; for one that holds
        members with their cards, one for each of both tables. Files of a folder that
        are parts of one table, such as the sales of several months, have one
        together; what in it cannot be read, or is not looked at, has one that says so.

    Raises:
        MissingExtraError: A workbook needs the extra ``excel``.
        SourceError: The file cannot be opened or read at all, or the folder holds none.
        UnknownTableError: No canonical table has that name.

    >>> _ = Path("till.csv").write_text("票据号码,日期,门店,数量,实收\nT1,2026-11-05,"
    ...                                 "S1,1,5\n", "utf-8")
    >>> (sales,) = propose_mapping("till.csv")
    >>> sales.table, sales.columns["amount"], sales.complete
    ('sales', '实收', False)
    >>> print(sales.questions[0].text_en)
    no column is read as Ticket (ticket_id), which every row of sales needs; ...
    """
    home = Path(folder) if folder is not None else Path()
    found: list[MappingProposal] = []
    several = Path(path).is_dir()
    for file in files_of(Path(path)):
        try:
            found += _proposals(file, home, table)
        except SourceError as error:
            if not several:
                raise
            found.append(unreadable(file, str(error), error.text_zh))
    if not several:
        return tuple(found)
    return as_series([*found, *left_aside(Path(path))], home=home)


def _proposals(file: Path, home: Path, table: str | None) -> list[MappingProposal]:
    if url := database_url(file):
        raise SourceError(
            f"doctor: {file.name} is a SQLite database: look at it with --url {url}"
        ).in_chinese(f"doctor：{file.name} 是 SQLite 数据库：请用 --url {url} 查看")
    found = []
    adapter = "excel" if file.name.lower().endswith(BOOK_ENDINGS) else "csv"
    for sheet, text in sample_tables(file):
        first = propose_table(
            text, table=table, adapter=adapter, path=_relative(file, home), sheet=sheet
        )
        found.append(first)
        more = second_tables(text, first.table) if table is None else ()
        found += [
            propose_table(
                text, table=name, adapter=adapter, path=first.path, sheet=sheet
            )
            for name in (more if first.complete else ())
        ]
    return found


def propose_table(
    text: TextTable,
    *,
    table: str | None = None,
    adapter: str = "",
    path: str = "",
    sheet: str = "",
    place: Mapping[str, str] | None = None,
) -> MappingProposal:
    """
    Propose how a table of text would be read, wherever it comes from.

    Args:
        text: The table, or its first rows.
        table: The canonical table, if it is known; guessed if None.
        adapter: What would read it.
        path: The path as the chain file would have it.
        sheet: The sheet, if there are several.
        place: Where it is, if it is no file: lines of its section, by name as TOML.
            Its headings are names of columns then, and never a first row of data.

    Raises:
        SourceError: It has more columns than a table may have.
        UnknownTableError: No canonical table has that name.
    """
    if len(text.headings) > (most := ReadingLimits().columns):
        raise SourceError(f"{text.name} has more than {most} columns")
    # 金额 under 本期 speaks for sales, though 本期金额 alone is no name of theirs.
    names = [*text.headings, *(other.partition("#")[0] for other in text.also)]
    scores = sorted(
        ((each, fitting(each, names)) for each in TABLES),
        key=lambda pair: -pair[1],
    )
    wanted = table_named(table) if table is not None else scores[0][0]
    places, named, questions = placed(wanted, text.headings)
    if any(note.rule == TITLE for note in text.notes):
        return _unread(text, wanted, adapter, path, sheet)
    # Cells of a first row without any known heading may be data, even personal.
    if (
        place is None
        and not places
        and any(char.isdecimal() for each in text.headings for char in each)
    ):
        return _unread(text, wanted, adapter, path, sheet)
    taken = likely(wanted, text.headings, places)
    unsure = (
        ()
        if table is not None
        else which_table(wanted, text.headings, len(places) + len(taken), reads)
    )
    for column, (at, question) in taken.items():
        places[column] = at
        named[column] = text.headings[at]
        questions.append(question)
    options, joined, parts = joined_moments(wanted, text, places)
    units, asked = heading_units(wanted, text, places)
    questions += asked
    if units:
        options["units"] = inline_table(units)
    for name in joined:
        named.pop(name, None)
        places.pop(name, None)
    told = shown_headings(text, places, sure=place is not None)
    beside = {}
    # Of a web service only what a path names is read.
    if adapter != "rest":
        beside = currency_columns(wanted, text, {*places.values(), *parts})
        questions += [*beside.values(), *return_questions(wanted, text, places)]
        told = ["" if at in beside else each for at, each in enumerate(told)]
    missing = lacking(wanted, {*places, *joined}, text.headings, told, places)
    required = [each.column for each in missing if each.rule == "column-missing"]
    if table is None and scores[0][1] >= 0 and not unsure:
        unsure = poor_fit(wanted, required)
    for name, at in places.items():
        asked, more = column_questions(
            wanted.column(name),
            text.columns[at],
            joined=joined if at in parts else (),
            unit_known=name in units or heading_unit(text.headings[at]) is not None,
            exact=place is not None,
        )
        questions += asked
        options |= more
    shown = {name: shown_in_line(text.headings[at]) for name, at in places.items()}
    return MappingProposal(
        origin=text.name,
        table=wanted.name,
        scores=tuple((each.name, score) for each, score in scores[:_MOST_SCORES]),
        adapter=adapter,
        path=path,
        sheet=sheet,
        columns={name: shown[name] for name in wanted.names if name in shown},
        named=named,
        options=options,
        ignored=tuple(
            heading or f"({at + 1})"
            for at, heading in enumerate(told)
            if at not in places.values() and at not in parts and at not in beside
        ),
        samples={
            name: _sample(wanted.column(name), text.columns[at])
            for name, at in places.items()
        },
        questions=(*unsure, *missing, *units_together(questions, units)),
        complete=not required,
        place=place or {},
        likely=table is not None or (scores[0][1] >= 0 and not unsure),
    )


def _unread(
    text: TextTable, table: Table, adapter: str, path: str, sheet: str
) -> MappingProposal:
    return MappingProposal(
        origin=text.name, table=table.name, scores=(), adapter=adapter, path=path,
        sheet=sheet, columns={}, named={}, options={}, ignored=(), samples={},
        questions=(_unread_question(text),), complete=False, likely=False,
    )  # fmt: skip


def _unread_question(text: TextTable) -> Question:
    for note in text.notes:
        if note.rule == TITLE:
            return Question(
                rule=TITLE, text_en=note.message_en, text_zh=note.message_zh
            )
    return Question(
        rule="headings-missing",
        text_en="the first row has no known heading and looks like data: the "
        "file needs a row of headings",
        text_zh="首行没有可识别的标题，看起来是数据：文件需要标题行",
    )


def _sample(column: Column, text: TextColumn) -> str:
    """Show one value: a plain number or day as it is, of any other its shape."""
    value = next(iter(first_texts(text)), "")
    if column.personal and column.mask == "tail":
        return str(mask(value)) if value else ""
    if column.personal or column.kind in (Kind.TEXT, Kind.CHOICE):
        return str(mask_name(value)) if value else ""
    # A name, a phone or an address may have slid into any column, above all of ids.
    if column.kind in (Kind.MONEY, Kind.INTEGER) and _SMALL_NUMBER.fullmatch(value):
        return value
    if column.quotable and isinstance(read_moment(value), Moment | EitherOrder):
        return on_one_line(value)
    return shape_of(value)


def _relative(file: Path, home: Path) -> str:
    try:
        return Path(os.path.relpath(file, home)).as_posix()
    except ValueError:
        # On another drive there is no relative path.
        return file.resolve().as_posix()
