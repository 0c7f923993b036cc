"""What a chain file says of its sources: one section for a table, or several."""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from memberops.errors import nearest
from memberops.tables import TABLES
from memberops.workflows.structuring import Misfit, Problem, Reader

__all__ = ["SourceSettings", "read_sources", "section_names"]

_FOLDERS = ("snapshot", "rejects_folder")


@attrs.frozen(kw_only=True)
class SourceSettings:
    """
    Where one table comes from, or the part of it that one section gives.

    Args:
        adapter: Name of the adapter that reads it, such as ``"csv"``.
        options: What the adapter's factory is given.
        snapshot: Folder in which what was read is kept, and from which it is read
            until the next refresh; None to ask the source each time.
    """

    adapter: str
    options: Mapping[str, Any] = attrs.field(factory=dict)
    snapshot: str | None = None


def section_names(table: str, count: int) -> tuple[str, ...]:
    """
    Name the sections of a table, as findings and errors do.

    Args:
        table: The table.
        count: How many sections it has.

    >>> section_names("sales", 1), section_names("sales", 2)
    (('sales',), ('sales[1]', 'sales[2]'))
    """
    if count == 1:
        return (table,)
    return tuple(f"{table}[{number}]" for number in range(1, count + 1))


def read_sources(
    given: Any, _base: Any, reader: Reader
) -> dict[str, tuple[SourceSettings, ...]]:
    """
    Read the sources: for each canonical table one section or a list of them.

    Raises:
        Misfit: A section names no table, lacks its adapter, or has the folder of
            another one.
    """
    if not isinstance(given, Mapping):
        raise Misfit("takes a table for each source, such as [sources.sales]")
    known = [table.name for table in TABLES]
    made: dict[str, tuple[SourceSettings, ...]] = {}
    problems: list[Problem] = []
    for name, own in given.items():
        if name not in known:
            problems.append(
                Problem((name,), f"is not known; {nearest(name[:40], known)}")
            )
            continue
        sections = own if isinstance(own, list) and own else [own]
        called = section_names(name, len(sections))
        wrong = [
            problem
            for section, place in zip(sections, called, strict=True)
            for problem in _wrong(section, place)
        ]
        problems += wrong or _same_folders(sections, called, reader.facts.get("folder"))
        if not wrong:
            made[name] = tuple(map(_section, sections))
    if "sales" not in given:
        problems.append(Problem(("sales",), "is needed: all figures rest on sales"))
    if problems:
        raise Misfit(problems)
    return made


def _section(options: Mapping[str, Any]) -> SourceSettings:
    own = ("adapter", "snapshot")
    return SourceSettings(
        adapter=options["adapter"],
        options={key: options[key] for key in options if key not in own},
        snapshot=options.get("snapshot"),
    )


def _wrong(options: Any, place: str) -> Iterator[Problem]:
    if not isinstance(options, Mapping):
        yield Problem((place,), 'takes a table with adapter = "csv"')
    elif not isinstance(options.get("adapter"), str):
        yield Problem((place, "adapter"), 'is needed, as text: adapter = "csv"')
    elif not _is_folder(options.get("snapshot", ".")):
        yield Problem((place, "snapshot"), 'takes a folder: snapshot = "snapshot"')


def _same_folders(
    sections: list[Mapping[str, Any]], called: tuple[str, ...], home: Path | None
) -> Iterator[Problem]:
    """Refuse two sections that would write the same file."""
    for option in _FOLDERS:
        taken: dict[str, str] = {}
        for section, place in zip(sections, called, strict=True):
            folder = section.get(option)
            if not isinstance(folder, str):
                continue
            whole = os.path.realpath(home / folder) if home is not None else folder
            # Of one spelling but for the case, two are one folder on many disks.
            plain = os.path.normpath(whole).casefold()
            if plain in taken:
                yield Problem(
                    (place, option),
                    f"is that of {taken[plain]}: each section needs a folder of its "
                    f'own, such as {option} = "{option.partition("_")[0]}/2"',
                )
            taken.setdefault(plain, place)


def _is_folder(given: object) -> bool:
    return isinstance(given, str) and bool(given.strip())
