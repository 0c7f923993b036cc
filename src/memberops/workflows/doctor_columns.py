"""Which columns of a table of text are which, by their headings alone."""

from __future__ import annotations

import json
from collections.abc import Sequence

from memberops.adapters.sources.headings import nearest_heading
from memberops.adapters.sources.text_table import TextTable
from memberops.tables import Kind, Table, normal_heading
from memberops.workflows.doctor_proposal import Question, shown_in_line
from memberops.workflows.doctor_questions import TIME_OF_DAY, day_numbers, first_texts

__all__ = ["fitting", "joined_moments", "lacking", "likely", "placed", "reads"]

_REQUIRED, _OTHER, _MISSING = 3, 1, -2


def fitting(table: Table, headings: Sequence[str]) -> int:
    """Score how well headings fit a table."""
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


def reads(table: Table, headings: Sequence[str]) -> int:
    """Count the headings that a table would read, with those that look alike."""
    places, _, _ = placed(table, headings)
    return len(places) + len(likely(table, headings, places))


def placed(
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


def likely(
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


def lacking(
    table: Table,
    had: set[str],
    headings: Sequence[str],
    places: dict[str, int],
) -> list[Question]:
    """Ask for each required column that is not had."""
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


def joined_moments(
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
    return f"{{ {name} = {json.dumps(list(headings), ensure_ascii=False)} }}"
