"""What is proposed for a file: the table it may be, its mapping, and what to ask."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from unicodedata import category
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from memberops.adapters.sources.headings import shown_heading
from memberops.domain import Currency
from memberops.domain.values import Language
from memberops.errors import InvalidValueError

__all__ = [
    "MappingProposal",
    "Question",
    "chain_toml",
    "on_one_line",
    "shown_in_line",
    "toml_text",
]

_FOUR_DIGITS = 0xFFFF


def on_one_line(text: str) -> str:
    r"""
    Write text so that it cannot end a line or a comment.

    >>> on_one_line("销售\n金额\x1b")
    '销售 金额�'
    """
    line = " ".join(text.split())
    return "".join(char if char.isprintable() else "\ufffd" for char in line)


def shown_in_line(heading: str) -> str:
    """
    Write a heading for a message: cut, on one line, its long numbers masked.

    >>> shown_in_line(" 电话 13812345678 ")
    '电话 *******5678'
    """
    return on_one_line(shown_heading(heading))


def toml_text(text: str) -> str:
    r"""
    Write a basic string of TOML, in which what cannot be seen is escaped.

    JSON writes a sign beyond the first 65 536 as two, which TOML does not know.

    >>> print(toml_text('销售 "金额"\u200b👑'))
    "销售 \"金额\"\u200b👑"
    """
    return "".join(
        char if char.isprintable() or category(char) == "Zs" else _escaped(char)
        for char in json.dumps(text, ensure_ascii=False)
    )


def _escaped(char: str) -> str:
    number = ord(char)
    return f"\\u{number:04x}" if number <= _FOUR_DIGITS else f"\\U{number:08x}"


@attrs.frozen(kw_only=True)
class Question:
    """
    What a file does not tell, or tells only with some likelihood.

    Args:
        rule: Short stable name, such as ``"column-missing"``.
        text_en: The question in English.
        text_zh: The question in Chinese.
        column: The canonical column it is about.
        toml: TOML that answers it, if some is likely: each line stands by itself, so
            that any of them can be taken.
        columns: By canonical column the heading that would answer it; ``"..."`` where
            it is not known. Each is a line of its own, unless the section names it.
    """

    rule: str
    text_en: str
    text_zh: str
    column: str | None = None
    toml: str = ""
    columns: Mapping[str, str] = attrs.field(factory=dict, hash=False)

    def text(self, language: Language) -> str:
        """Return the question in ``"zh"`` or ``"en"``."""
        return self.text_zh if language == "zh" else self.text_en


@attrs.frozen(kw_only=True)
class MappingProposal:
    """
    How one file, or one sheet, would be read.

    Args:
        origin: The file, with the sheet, as findings name it.
        table: The canonical table that it seems to be; empty for what is no file of a
            table at all, which a question says.
        scores: The tables that fit best, and how well.
        adapter: What reads it, such as ``"csv"``; empty if that is not known.
        path: The path as the chain file would have it; empty for what is no file.
        further: Further files of the same table, if no pattern stands for them all.
        place: Where it is, if it is no file: lines of the section, by name as TOML.
        sheet: The sheet, if the workbook has several.
        columns: By canonical column, the heading that is read for it.
        named: Those of *columns* that the chain file has to name.
        options: Other lines of the section, by name: their TOML.
        ignored: Headings that mean nothing, cut and masked.
        samples: By canonical column, a value of it, masked where it is personal.
        questions: What to look at before the mapping is used.
        complete: Whether every required column is had.
        likely: Whether the file can be this table at all; a chain file has the
            section of one that cannot as a comment.
    """

    origin: str
    table: str
    scores: tuple[tuple[str, int], ...]
    adapter: str
    path: str
    sheet: str
    columns: Mapping[str, str]
    named: Mapping[str, str]
    options: Mapping[str, str]
    ignored: tuple[str, ...]
    samples: Mapping[str, str]
    questions: tuple[Question, ...]
    complete: bool
    likely: bool = True
    further: tuple[str, ...] = ()
    place: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def settled(self) -> bool:
        """Tell whether the section can be used as it is."""
        return self.complete and (self.likely or not self.table)

    def toml(self, language: Language = "zh") -> str:
        """
        Write the section ``[sources.<table>]`` of a chain file.

        Questions are comments; what answers one is a comment too, unless it is taken.
        """
        if not self.table:
            told = "; ".join(each.text(language) for each in self.questions)
            return f"# {on_one_line(self.origin)}: {told}"
        lines = [f"[sources.{self.table}]", f"adapter = {toml_text(self.adapter)}"]
        paths = ", ".join(map(toml_text, (self.path, *self.further)))
        lines += [f"{name} = {value}" for name, value in self.place.items()]
        if self.path:
            lines.append(f"path = [{paths}]" if self.further else f"path = {paths}")
        if self.sheet:
            lines.append(f"sheet = {toml_text(self.sheet)}")
        offered = any(map(self._offered, self.questions))
        lines += _columns(self.named, apart=offered)
        lines += [f"{name} = {value}" for name, value in self.options.items()]
        for question in self.questions:
            lines.append(f"# {question.text(language)}")
            # Files that are read together may ask for the same word.
            answers = [line for line in question.toml.split("\n") if line]
            answers += _columns(self._offered(question), apart=True)
            lines += [f"# {line}" for line in answers if f"# {line}" not in lines]
        return "\n".join(lines)

    def _offered(self, question: Question) -> dict[str, str]:
        """Return the columns that answer a question and are not named already."""
        pairs = question.columns.items()
        return {name: text for name, text in pairs if name not in self.named}

    def describe(self, language: Language = "zh") -> str:
        """Tell what was found, line by line."""
        zh = language == "zh"
        if not self.table:
            return self.toml(language).removeprefix("# ")
        origin = on_one_line(self.origin)
        shown = ", ".join(f"{name} {score}" for name, score in self.scores)
        lines = [
            f"{origin}：像是 {self.table}（得分 {shown}）"
            if zh
            else f"{origin}: it looks like {self.table} (scores: {shown})"
        ]
        if not self.likely:
            unsure = any(each.rule == "table-unsure" for each in self.questions)
            none_zh, none_en = (
                ("看不出是哪张表", "it does not tell which table it is")
                if unsure
                else ("不像任何一张表", "no table fits it")
            )
            lines = [f"{origin}：{none_zh}" if zh else f"{origin}: {none_en}"]
        for name, heading in self.columns.items():
            sample = self.samples.get(name, "")
            lines.append(f"  {name} <- {heading}" + (f"  ({sample})" if sample else ""))
        if self.ignored:
            mark, comma = ("未读取：", "、") if zh else ("not read: ", ", ")
            lines.append("  " + mark + comma.join(self.ignored))
        lines += [f"  ? {question.text(language)}" for question in self.questions]
        return "\n".join(lines)


def chain_toml(
    proposals: Sequence[MappingProposal],
    *,
    name: str,
    currency: str,
    zone: str,
    language: Language = "zh",
    chain_language: Language | None = None,
) -> str:
    """
    Write a whole chain file from proposals.

    Args:
        proposals: The first of each table is taken; another stands as a comment.
        name: The chain's name.
        currency: Code of its currency.
        zone: Its zone.
        language: Of the comments.
        chain_language: Of the chain's own lists; that of the comments if None.

    Raises:
        InvalidValueError: There is no such currency or zone.

    >>> print(chain_toml([], name="示例", currency="CNY", zone="Asia/Shanghai"))
    name = "示例"
    currency = "CNY"
    zone = "Asia/Shanghai"
    language = "zh"
    <BLANKLINE>
    # 缺少 [sources.sales]：没有销售明细，配置无法打开
    <BLANKLINE>
    """
    Currency(currency)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValueError(
            f"no zone is called {zone[:40]!r}; zones are named as in 'Asia/Shanghai'"
        ).in_chinese(f"没有时区 {zone[:40]!r}：写法如 Asia/Shanghai") from None
    head = {"name": name, "currency": currency, "zone": zone}
    head["language"] = chain_language or language
    parts = ["".join(f"{key} = {toml_text(value)}\n" for key, value in head.items())]
    taken = set()
    for proposal in proposals:
        section = proposal.toml(language)
        if not (proposal.likely or proposal.columns) and proposal.scores:
            # Nothing of it is known: a section would only be in the way.
            section = f"# {proposal.describe(language).splitlines()[0]}"
        if not proposal.table or section.startswith("#"):
            parts.append(section + "\n")
            continue
        if proposal.table in taken or not proposal.adapter or not proposal.likely:
            if proposal.table in taken and proposal.adapter and proposal.likely:
                section = f"{_both(proposal.table, language)}\n{section}"
            section = "\n".join(f"# {line}" for line in section.splitlines())
        if proposal.likely:
            taken.add(proposal.table)
        parts.append(section + "\n")
    if "sales" not in taken:
        parts.append(
            "# 缺少 [sources.sales]：没有销售明细，配置无法打开\n"
            if language == "zh"
            else "# [sources.sales] is missing: no chain opens without sales\n"
        )
    return "\n".join(parts)


def _columns(named: Mapping[str, str], *, apart: bool) -> list[str]:
    """Write columns as one table, or apart: TOML adds nothing to such a table."""
    pairs = [f"{name} = {toml_text(text)}" for name, text in named.items()]
    if apart:
        return [f"columns.{pair}" for pair in pairs]
    return [f"columns = {{ {', '.join(pairs)} }}"] if pairs else []


def _both(table: str, language: Language) -> str:
    """Say how two proposals of one table are read together."""
    section = f"[[sources.{table}]]"
    if language == "zh":
        return f"如两处都要读取，请将各段标题都写成 {section}"
    return f"to read both, write {section} above each of them"
