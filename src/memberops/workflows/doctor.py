"""
A doctor for files: which table a file is, and the mapping that would read it.

It reads no more than it needs, writes nothing, and decides nothing: what is likely is
proposed, and what is not certain is asked. Personal values are masked in its samples.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from memberops.adapters.sources.column_values import TextColumn
from memberops.adapters.sources.date_values import EitherOrder, Moment, read_moment
from memberops.adapters.sources.heading_units import heading_unit
from memberops.adapters.sources.headings import nearest_heading
from memberops.adapters.sources.limits import ReadingLimits
from memberops.adapters.sources.text_table import TextTable
from memberops.domain.values import mask, mask_name
from memberops.errors import SourceError
from memberops.tables import TABLES, Column, Kind, Table, normal_heading
from memberops.tables import table as table_named
from memberops.workflows.doctor_doubts import which_table
from memberops.workflows.doctor_proposal import (
    MappingProposal,
    Question,
    on_one_line,
    shown_in_line,
)
from memberops.workflows.doctor_questions import (
    TIME_OF_DAY,
    column_questions,
    day_numbers,
    first_texts,
)
from memberops.workflows.doctor_samples import (
    BOOK_ENDINGS,
    TITLE,
    files_of,
    sample_tables,
)
from memberops.workflows.doctor_second import second_tables
from memberops.workflows.doctor_series import as_series, left_aside, unreadable
from memberops.workflows.doctor_shapes import shape_of, shown_headings
from memberops.workflows.doctor_units import heading_units, inline_table

__all__ = ["propose_mapping", "propose_table"]

_REQUIRED, _OTHER, _MISSING = 3, 1, -2
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
            found.append(unreadable(file, str(error)))
    if not several:
        return tuple(found)
    return as_series([*found, *left_aside(Path(path))], home=home)


def _proposals(file: Path, home: Path, table: str | None) -> list[MappingProposal]:
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
) -> MappingProposal:
    """
    Propose how a table of text would be read, wherever it comes from.

    Args:
        text: The table, or its first rows.
        table: The canonical table, if it is known; guessed if None.
        adapter: What would read it.
        path: The path as the chain file would have it.
        sheet: The sheet, if there are several.

    Raises:
        SourceError: It has more columns than a table may have.
        UnknownTableError: No canonical table has that name.
    """
    if len(text.headings) > (most := ReadingLimits().columns):
        raise SourceError(f"{text.name} has more than {most} columns")
    scores = sorted(
        ((each, _score(each, text.headings)) for each in TABLES),
        key=lambda pair: -pair[1],
    )
    wanted = table_named(table) if table is not None else scores[0][0]
    places, named, questions = _places(wanted, text.headings)
    if any(note.rule == TITLE for note in text.notes):
        return _unread(text, wanted, adapter, path, sheet)
    # Cells of a first row without any known heading may be data, even personal.
    if not places and any(char.isdecimal() for each in text.headings for char in each):
        return _unread(text, wanted, adapter, path, sheet)
    likely = _likely(wanted, text.headings, places)
    unsure = (
        ()
        if table is not None
        else which_table(wanted, text.headings, len(places) + len(likely), _reads)
    )
    for column, (at, question) in likely.items():
        places[column] = at
        named[column] = text.headings[at]
        questions.append(question)
    options, joined, parts = _joined(wanted, text, places)
    units, asked = heading_units(wanted, text, places)
    questions += asked
    if units:
        options["units"] = inline_table(units)
    for name in joined:
        named.pop(name, None)
        places.pop(name, None)
    told = shown_headings(text, places)
    missing = _missing(wanted, {*places, *joined}, told, places)
    for name, at in places.items():
        asked, more = column_questions(
            wanted.column(name),
            text.columns[at],
            joined=joined if at in parts else (),
            unit_known=name in units or heading_unit(text.headings[at]) is not None,
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
            if at not in places.values() and at not in parts
        ),
        samples={
            name: _sample(wanted.column(name), text.columns[at])
            for name, at in places.items()
        },
        questions=(*unsure, *missing, *questions),
        complete=not missing,
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


def _score(table: Table, headings: Sequence[str]) -> int:
    known = table.by_heading()
    had = {
        found.name for text in headings if (found := known.get(normal_heading(text)))
    }
    score = 0
    for column in table.columns:
        made = column.derived_from and set(column.derived_from) <= had
        if column.name in had or made:
            score += _REQUIRED if column.required else _OTHER
        elif column.required:
            score += _MISSING
    return score


def _reads(table: Table, headings: Sequence[str]) -> int:
    """Count the headings that a table would read, with those that look alike."""
    places, _, _ = _places(table, headings)
    return len(places) + len(_likely(table, headings, places))


def _places(
    table: Table, headings: Sequence[str]
) -> tuple[dict[str, int], dict[str, str], list[Question]]:
    """Find the column of each usual heading; of several the first, with a question."""
    known = table.by_heading()
    found: dict[str, list[int]] = {}
    for at, text in enumerate(headings):
        if column := known.get(normal_heading(text)):
            found.setdefault(column.name, []).append(at)
    named, questions = {}, []
    for name, several in found.items():
        if len(several) == 1:
            continue
        first = normal_heading(headings[several[0]])
        twice = sum(normal_heading(text) == first for text in headings) > 1
        named[name] = headings[several[0]] + ("#1" if twice else "")
        shown = ", ".join(shown_in_line(headings[at]) for at in several)
        questions.append(
            Question(
                rule="heading-conflict",
                column=name,
                text_en=f"several columns may be {name}: {shown}; is the first meant?",
                text_zh=f"以下列都可能是 {name}：{shown}；是否应取第一列？",
            )
        )
    return {name: several[0] for name, several in found.items()}, named, questions


def _likely(
    table: Table, headings: Sequence[str], places: dict[str, int]
) -> dict[str, tuple[int, Question]]:
    """Take headings that look like one of a column that is not had."""
    had = set(places)
    taken = set(places.values())
    found: dict[str, tuple[int, Question]] = {}
    for column in sorted(table.columns, key=lambda each: not each.required):
        if column.name in had or set(column.derived_from) & had:
            continue
        unread = [text for at, text in enumerate(headings) if at not in taken and text]
        like = nearest_heading(column, unread)
        if like is None:
            continue
        at = next(at for at, t in enumerate(headings) if t == like and at not in taken)
        taken.add(at)
        shown = shown_in_line(like)
        found[column.name] = (
            at,
            Question(
                rule="heading-likely",
                column=column.name,
                text_en=f"{shown} was taken for {column.heading_en} ({column.name}) "
                "because it looks like it: is it?",
                text_zh=f"“{shown}”因名称相近被当作“{column.heading_zh}”"
                f"（{column.name}），是否正确？",
            ),
        )
    return found


def _missing(
    table: Table,
    had: set[str],
    headings: Sequence[str],
    places: dict[str, int],
) -> list[Question]:
    questions = []
    unread = [
        text for at, text in enumerate(headings) if text and at not in places.values()
    ]
    for column in table.columns:
        made = column.derived_from and set(column.derived_from) <= had
        if not column.required or column.name in had or made:
            continue
        shown = ", ".join(unread[:6]) or "-"
        questions.append(
            Question(
                rule="column-missing",
                column=column.name,
                text_en=f"no column is read as {column.heading_en} ({column.name}), "
                f"which every row of {table.name} needs; not yet read are: {shown}; "
                "name the right one in 'columns', or a value in 'constants'",
                text_zh=f"没有读到“{column.heading_zh}”（{column.name}），"
                f"{table.title_zh}的每一行都需要；尚未使用的列：{shown}；"
                "请在 columns 中指定，或在 constants 中给出固定值",
                toml=f'constants = {{ {column.name} = "..." }}',
            )
        )
    return questions


def _joined(
    table: Table, text: TextTable, places: dict[str, int]
) -> tuple[dict[str, str], tuple[str, ...], tuple[int, ...]]:
    """Join a day with a column of times of day, where a table has moments."""
    moments = [column for column in table.columns if column.kind is Kind.INSTANT]
    days = [
        at
        for name, at in places.items()
        if table.column(name).kind is Kind.DATE and not day_numbers(text.columns[at])
    ]
    for column in moments:
        free = [at for at in range(len(text.headings)) if at not in places.values()]
        own = [places[column.name]] if column.name in places else free
        for at in own:
            texts = first_texts(text.columns[at])
            if days and texts and all(TIME_OF_DAY.fullmatch(each) for each in texts):
                pair = [text.headings[days[0]], text.headings[at]]
                if len({*pair, ""}) == len(pair) + 1:
                    join = {"join": _pair(column.name, pair)}
                    return join, (column.name,), (days[0], at)
    return {}, (), ()


def _pair(name: str, headings: Sequence[str]) -> str:
    import json

    return f"{{ {name} = {json.dumps(list(headings), ensure_ascii=False)} }}"


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
