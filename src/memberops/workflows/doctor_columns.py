"""Which columns of a table of text are which, by their headings alone."""

from __future__ import annotations

from collections.abc import Sequence

from memberops.adapters.sources.headings import nearest_heading
from memberops.adapters.sources.text_table import TextTable
from memberops.tables import Column, Kind, Table, normal_heading
from memberops.tables.people import MEMBER_ID
from memberops.workflows.doctor_marks import is_mark
from memberops.workflows.doctor_proposal import Question, shown_in_line, toml_text
from memberops.workflows.doctor_questions import TIME_OF_DAY, day_numbers, first_texts
from memberops.workflows.doctor_usual import usual_columns, with_unit

__all__ = ["fitting", "joined_moments", "likely", "placed", "reads"]

_REQUIRED, _OTHER, _MISSING = 3, 1, -2


def fitting(table: Table, headings: Sequence[str]) -> int:
    """Score how well headings fit a table."""
    known = table.by_heading()
    had = {
        found.name
        for text in headings
        if (found := known.get(normal_heading(text)) or with_unit(table, text))
    }
    had |= set(usual_columns(table, headings, had))
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
    places = {name: several[0] for name, several in found.items()}
    for at, text in enumerate(headings):
        # What has its unit in its name is what it says: amount_fen, total_cents.
        column = None if at in places.values() else with_unit(table, text)
        if column and column.name not in places:
            places[column.name] = at
            named[column.name] = text
    return places, named, questions


def likely(
    table: Table, headings: Sequence[str], places: dict[str, int]
) -> dict[str, tuple[int, Question]]:
    """Take headings that look like one of a column that is not had."""
    had = set(places)
    taken = set(places.values())
    found: dict[str, tuple[int, Question]] = {}
    free = [("" if at in taken else text) for at, text in enumerate(headings)]
    for name, at in usual_columns(table, free, had).items():
        found[name] = (at, _is_it(table.column(name), headings[at], usual=True))
        had.add(name)
        taken.add(at)
    for column in sorted(table.columns, key=lambda each: not each.required):
        if column.name in had or set(column.derived_from) & had:
            continue
        # When a row was changed is hardly when anything of it happened.
        unread = [
            text
            for at, text in enumerate(headings)
            if at not in taken and text and not is_mark(text)
        ]
        like = nearest_heading(column, unread)
        if like is None:
            continue
        at = next(at for at, t in enumerate(headings) if t == like and at not in taken)
        taken.add(at)
        found[column.name] = (at, _is_it(column, like, usual=False))
    found |= _by_their_cards(table, headings, {**places, **_only_places(found)})
    return found


def _is_it(column: Column, heading: str, *, usual: bool) -> Question:
    shown = shown_in_line(heading)
    why_en, why_zh = (
        ("it is often called so", "常见名称")
        if usual
        else ("it looks like it", "名称相近")
    )
    return Question(
        rule="heading-likely",
        column=column.name,
        text_en=f"{shown} was taken for {column.heading_en} ({column.name}) "
        f"because {why_en}: is it?",
        text_zh=f"“{shown}”因{why_zh}被当作“{column.heading_zh}”"
        f"（{column.name}），是否正确？",
    )


def _only_places(found: dict[str, tuple[int, Question]]) -> dict[str, int]:
    return {name: at for name, (at, _) in found.items()}


def _by_their_cards(
    table: Table, headings: Sequence[str], places: dict[str, int]
) -> dict[str, tuple[int, Question]]:
    """Take the number of a card for its member's, where members go by their cards."""
    at = places.get("card_id")
    if table.name != "cards" or at is None or "member_id" in places:
        return {}
    members = {normal_heading(each) for each in MEMBER_ID.headings}
    if normal_heading(headings[at]) not in members:
        return {}
    shown = shown_in_line(headings[at])
    question = Question(
        rule="member-by-card",
        column="member_id",
        text_en=f"{shown} was taken for the card and for its member: is a member "
        "known by the number of the card?",
        text_zh=f"“{shown}”同时被当作卡号和会员编号：会员是否以卡号识别？",
    )
    return {"member_id": (at, question)}


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
    return f"{{ {name} = [{', '.join(map(toml_text, headings))}] }}"
