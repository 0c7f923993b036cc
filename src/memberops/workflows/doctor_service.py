"""The doctor for web services: what a section of a chain file would read of one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import attrs

from memberops.adapters.sources.rest_look import RestLook, SeenPath
from memberops.adapters.sources.rest_source import RestSource
from memberops.adapters.sources.text_table import TextTable
from memberops.domain.values import Language
from memberops.errors import ConfigurationError
from memberops.tables import Column, Kind, Table, normal_heading
from memberops.tables import table as table_named
from memberops.workflows.doctor import propose_table
from memberops.workflows.doctor_columns import fitting
from memberops.workflows.doctor_currency import currency_path
from memberops.workflows.doctor_marks import MARKS, is_mark, marks_in
from memberops.workflows.doctor_proposal import MappingProposal, Question, shown_in_line
from memberops.workflows.doctor_record import (
    further_pages,
    naming_column,
    record_id,
)
from memberops.workflows.doctor_usual import CREATED
from memberops.workflows.opening import section_sources

__all__ = ["ServiceProposal", "propose_service"]

_ZH = {
    "nothing": "空",
    "true or false": "是否",
    "whole number": "整数",
    "number": "数字",
    "number as text": "文本数字",
    "list": "列表",
    "object": "对象",
    "moment": "时间",
    "day": "日期",
    "text": "文本",
}


@attrs.frozen(kw_only=True)
class ServiceProposal:
    """
    What the first page of a resource holds, and how a table would be read from it.

    Args:
        section: Which section of the chain file, such as ``"sales"``.
        records: How many records were looked at.
        paths: What stands in them, by path and kind; no values.
        mapping: The lines that the section would have besides those that say where
            the service is.
    """

    section: str
    records: int
    paths: tuple[SeenPath, ...]
    mapping: MappingProposal

    def describe(self, language: Language = "zh") -> str:
        """Tell the paths with their kinds, and what was found."""
        zh = language == "zh"
        lines = [
            f"{self.section}：首页 {self.records} 条记录，字段如下"
            if zh
            else f"{self.section}: {self.records} records of the first page, with"
        ]
        for seen in self.paths:
            kinds = [_ZH[kind] if zh else kind for kind in seen.kinds]
            shown = shown_in_line(seen.path)
            lines.append(f"  {shown}  {' / '.join(kinds)}  ({seen.count})")
        return "\n".join([*lines, self.mapping.describe(language)])

    def toml(self, language: Language = "zh") -> str:
        """
        Write the lines that the section lacks, for it has those of the service.

        They hold no address and no secret; questions are comments.
        """
        _, _, *lines = self.mapping.toml(language).splitlines()
        head = (
            f"# 加入配置文件的 {self.section} 段（base_url、auth、path 保留不变）；"
            "同名的行以此为准"
            if language == "zh"
            else f"# add to the section {self.section} of the chain file, which keeps "
            "its base_url, auth and path; these take the place of lines of one name"
        )
        return "\n".join([head, *lines])


def propose_service(path: str | Path, table: str) -> tuple[ServiceProposal, ...]:
    """
    Look at the first page of a web service that a chain file names, and propose.

    The section needs what says where the service is, such as ``base_url``, ``auth``
    and ``path``; it may lack its columns, and the path of its records.

    Args:
        path: The chain file.
        table: The canonical table whose sections are looked at.

    Raises:
        ConfigurationError: The file cannot be used, or no section of the table is of
            a web service.
        SourceError: A service cannot be read, or its answer holds no list.
        UnknownTableError: No canonical table has that name.
    """
    canonical = table_named(table)
    found = [
        (name, source)
        for name, source in section_sources(path, table, adapter="rest")
        if isinstance(source, RestSource)
    ]
    if not found:
        raise ConfigurationError(
            f'no section of {table} has adapter = "rest": files are looked at by their '
            "paths and databases by --url-env; the mapping of other adapters is known"
        )
    return tuple(
        _proposed(name, source.look(table), canonical) for name, source in found
    )


def _proposed(section: str, look: RestLook, table: Table) -> ServiceProposal:
    each, text, places, asked = _best(look, table)
    place = {}
    if look.found_at and not look.given:
        place["records"] = json.dumps(look.found_at, ensure_ascii=False)
    if each:
        place["each"] = json.dumps(each, ensure_ascii=False)
    if any(column.kind is Kind.MONEY for column in table.columns):
        code, unsure = currency_path(text, places, lines=bool(each))
        asked = [*asked, *unsure]
        if code:
            place["currency"] = json.dumps(code, ensure_ascii=False)
    made = propose_table(text, table=table.name, adapter="rest", place=place)
    shown = [shown_in_line(heading) for heading in text.headings]
    paths = {
        name: places[shown.index(heading)] for name, heading in made.columns.items()
    }
    path, unnamed = record_id(look, table, paths, lines=bool(each))
    if path:
        place["id"] = json.dumps(path, ensure_ascii=False)
    asked = [*asked, *unnamed, *further_pages(look)]
    # What answers a question names headings, and here it has to name paths.
    by_heading = dict(zip(shown, places, strict=True))
    own = [
        attrs.evolve(
            question,
            columns={n: by_heading.get(h, h) for n, h in question.columns.items()},
        )
        for question in made.questions
    ]
    mapping = attrs.evolve(
        made,
        columns={name: shown_in_line(path) for name, path in paths.items()},
        named=paths,
        place=place,
        # What a day and a time join are columns, and here they have no headings.
        options={name: made.options[name] for name in made.options if name != "join"},
        questions=(*own, *asked, *_marks(look), *_others(look, each)),
    )
    return ServiceProposal(
        section=section, records=len(look.records), paths=look.paths, mapping=mapping
    )


def _best(
    look: RestLook, table: Table
) -> tuple[str, TextTable, tuple[str, ...], list[Question]]:
    """Choose whether a record is a row, or each entry of one of its lists."""
    found = []
    for each in ("", *look.lists):
        text, places = look.table(each)
        text, places, asked = _with_usual(text, places, table, each)
        found.append((fitting(table, text.headings), each, text, places, asked))
    _, each, text, places, asked = max(found, key=lambda one: one[0])
    return each, text, places, asked


def _with_usual(
    text: TextTable, places: Sequence[str], table: Table, each: str
) -> tuple[TextTable, tuple[str, ...], list[Question]]:
    """Take the record's ``id`` and moment of creation for what they usually are."""
    known = {own.name for h in text.headings if (own := _own(table, h))}
    usual = {"id": naming_column(table)}
    if table.name == "sales" and not known & {"sold_at", "sold_on"}:
        usual |= dict.fromkeys(CREATED, "sold_at")
    headings, asked = list(text.headings), []
    # When a record was changed is hardly when anything of it happened.
    kept = [at for at, h in enumerate(headings) if not is_mark(h.removeprefix("/"))]
    for at in kept:
        path = places[at]
        # An id of a line is not that of its record.
        of_record = path.removeprefix("/") if path[:1] == "/" or not each else ""
        name = usual.get(of_record, "")
        if name and name not in known:
            known.add(name)
            headings[at] = name
            asked.append(
                Question(
                    rule="usual-name",
                    column=name,
                    text_en=f"{path} of the record was taken for {name}: is it?",
                    text_zh=f"记录的 {path} 被当作 {name}，是否正确？",
                )
            )
    lean = attrs.evolve(
        text,
        headings=tuple(headings[at] for at in kept),
        columns=tuple(text.columns[at] for at in kept),
    )
    return lean, tuple(places[at] for at in kept), asked


def _own(table: Table, heading: str) -> Column | None:
    return table.by_heading().get(normal_heading(heading))


def _marks(look: RestLook) -> list[Question]:
    """Propose what tells of deletions and changes in the record itself."""
    found = marks_in(seen.path for seen in look.paths if "." not in seen.path)
    lines = {
        "deleted": "deleted = {}",
        "cursor": 'since = {{ field = "...", changed_at = {}, form = "iso" }}',
    }
    asked = []
    for option, path in found.items():
        shown = json.dumps(path, ensure_ascii=False)
        asked.append(
            Question(
                rule=f"{option}-likely",
                text_en=f"{shown}: {MARKS[option][0]}",
                text_zh=f"{shown}：{MARKS[option][1]}",
                toml=lines[option].format(shown),
            )
        )
    return asked


def _others(look: RestLook, each: str) -> list[Question]:
    """Ask about lists that are not read, in the answer and in the records."""
    asked = []
    lists = [path for path in look.lists if path != each]
    for rule, paths, text_en, text_zh in (
        (
            "records-likely",
            look.others,
            "the answer holds other lists too: {}; is it one of them?",
            "应答中还有其他列表：{}；是否应取其中之一？",
        ),
        (
            "lists-unread",
            lists,
            "lists that are not read: {}; returns in them need lines of their own",
            "未读取的列表：{}；其中如有退货，需另设 lines",
        ),
    ):
        if paths:
            shown = ", ".join(map(shown_in_line, paths[:6]))
            asked.append(
                Question(
                    rule=rule,
                    text_en=text_en.format(shown),
                    text_zh=text_zh.format(shown),
                )
            )
    return asked
