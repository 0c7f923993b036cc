"""Files that are parts of one table, and what of a folder is no proposal at all."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import attrs

from memberops.adapters.sources.currency_column import may_name_currency
from memberops.tables import table as table_named
from memberops.workflows.doctor_proposal import (
    MappingProposal,
    Question,
    on_one_line,
)
from memberops.workflows.doctor_samples import files_of
from memberops.workflows.doctor_units import units_together

__all__ = ["as_series", "database_url", "left_aside", "told_aside", "unreadable"]

_NUMBER = re.compile(r"(\d+)")
_SQLITE = b"SQLite format 3\0"


def as_series(
    proposals: Sequence[MappingProposal], *, home: Path
) -> tuple[MappingProposal, ...]:
    """
    Put files of equal headings together, such as the sales of several months.

    Only tables without a key are: a second list of members is hardly a further part of
    the first. Where the names differ in numbers alone, a pattern stands for them.

    Args:
        proposals: One for each file.
        home: Folder of the chain file, which their paths count from.
    """
    groups: dict[object, list[MappingProposal]] = {}
    for at, each in enumerate(proposals):
        files = bool(each.table and each.likely and each.path)
        parts = files and not table_named(each.table).key
        # Whether a column of currencies is read depends on what a month has in it.
        ignored = tuple(
            heading
            for heading in (each.ignored if parts else ())
            if not may_name_currency(heading, table_named(each.table))
        )
        alike = (
            each.table, each.adapter, each.sheet, ignored,
            tuple(each.columns.items()), tuple(each.named.items()),
            tuple(each.options.items()),
        )  # fmt: skip
        groups.setdefault(alike if parts else at, []).append(each)
    return tuple(_together(group, home) for group in groups.values())


def _together(group: Sequence[MappingProposal], home: Path) -> MappingProposal:
    first = group[0]
    if len(group) == 1:
        return first
    paths = [path for each in group for path in (each.path, *each.further)]
    pattern = _pattern(paths, home)
    asked = {each.text_en: each for one in group for each in one.questions}
    units = tomllib.loads(f"units = {first.options.get('units', '{}')}")["units"]
    names = ", ".join(on_one_line(each.origin) for each in group)
    note_en = f"read together, for their headings are equal: {names}"
    note_zh = f"标题相同，合并读取：{names}"
    if pattern:
        note_en += "; later files of such names are read too"
        note_zh += "；以后同样命名的文件也会读取"
    note = Question(rule="files-together", text_en=note_en, text_zh=note_zh)
    return attrs.evolve(
        first,
        path=pattern or paths[0],
        further=() if pattern else tuple(paths[1:]),
        questions=(note, *units_together([*asked.values()], units)),
    )


def _pattern(paths: Sequence[str], home: Path) -> str:
    """Find a pattern for paths that differ in numbers, and for no other file."""
    cut = [_NUMBER.split(path) for path in paths]
    if len({tuple(parts[::2]) for parts in cut}) > 1:
        return ""
    parts = cut[0]
    varying = [at for at, own in enumerate(zip(*cut, strict=True)) if len({*own}) > 1]
    if not varying or any(char in paths[0] for char in "*?["):
        return ""
    start, end = parts[: varying[0]], parts[varying[-1] + 1 :]
    pattern = PurePosixPath("".join([*start, "*", *end]))
    folder = home / pattern.parent
    if "*" in str(pattern.parent) or not folder.is_dir():
        return ""
    fits = sum(fnmatchcase(each.name, pattern.name) for each in folder.iterdir())
    return str(pattern) if fits == len(paths) else ""


def unreadable(file: Path, why_en: str, why_zh: str = "") -> MappingProposal:
    """Say in the place of a proposal that a file cannot be read."""
    return told_aside(file.name, "file-unreadable", f"it cannot be read: {why_en}",
                 f"无法读取：{why_zh or why_en}", complete=False)  # fmt: skip


def left_aside(folder: Path) -> list[MappingProposal]:
    """Say what of a folder is not looked at: folders in it, and other files."""
    seen = {each.name for each in files_of(folder)}
    told = []
    for each in sorted(folder.iterdir()):
        if each.name in seen or each.name.startswith((".", "~$")):
            continue
        if each.is_dir():
            why = ("a folder: name it to have it looked at", "文件夹：需要时请单独指明")
        elif url := database_url(each):
            why = (
                f"a SQLite database: look at it with --url {url}",
                f"SQLite 数据库：用 --url {url} 查看",
            )
        else:
            continue
        told.append(told_aside(each.name, "not-looked-at", *why, complete=True))
    return told


def database_url(file: Path) -> str:
    """Return the address of a file that is a SQLite database; else ``""``."""
    try:
        with file.open("rb") as stream:
            found = stream.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return ""
    return f"sqlite:///{file.as_posix()}" if found else ""


def told_aside(
    name: str, rule: str, text_en: str, text_zh: str, *, complete: bool
) -> MappingProposal:
    """Say something in the place of a proposal."""
    question = Question(
        rule=rule, text_en=on_one_line(text_en), text_zh=on_one_line(text_zh)
    )
    return MappingProposal(
        origin=name, table="", scores=(), adapter="", path="", sheet="", columns={},
        named={}, options={}, ignored=(), samples={}, questions=(question,),
        complete=complete, likely=False,
    )  # fmt: skip
