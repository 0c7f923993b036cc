"""Several columns of a source become one: a day and a time, the parts of an id."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from memberops.adapters.sources.column_values import TextColumn
from memberops.adapters.sources.headings import check_names
from memberops.adapters.sources.values import Unreadable, read_id
from memberops.errors import ConfigurationError, nearest
from memberops.tables import Kind, Table

__all__ = ["check_compositions", "check_joins", "composed_text", "joined_text"]

_MIDNIGHT = re.compile(r"[ T]+0{1,2}:00(?::00(?:\.0+)?)?$")
_PARTS = 2


def check_joins(
    joins: Mapping[str, Sequence[str]] | None,
    table: Table,
    *,
    taken: Iterable[str] = (),
) -> dict[str, tuple[str, ...]]:
    """
    Hold the option ``join`` against a table.

    Args:
        joins: By canonical column, the heading of the day and that of the time.
        table: The canonical table.
        taken: Columns that another option gives already.

    Raises:
        ConfigurationError: A column is not there, holds no moments or is given
            twice, or its headings are not two.
    """
    given = dict(joins or {})
    check_names("join", given, table)
    moments = [each.name for each in table.columns if each.kind is Kind.INSTANT]
    for name, headings in given.items():
        if name not in moments:
            raise ConfigurationError(
                f"'join' makes moments of a day and a time, and {name!r} of "
                f"{table.name} holds none; {nearest(name, moments)}"
            )
        if name in taken:
            raise ConfigurationError(
                f"{name!r} is in 'join' and in 'columns' or 'constants': choose one"
            )
        if (
            isinstance(headings, str)
            or len(headings) != _PARTS
            or not all(isinstance(each, str) for each in headings)
        ):
            raise ConfigurationError(
                f"'join' takes two headings for {name!r}, that of the day and that "
                f'of the time, as in join = {{ {name} = ["日期", "时间"] }}'
            )
    return {name: tuple(headings) for name, headings in given.items()}


def joined_text(
    day: TextColumn, time: TextColumn, *, missing: Collection[str]
) -> TextColumn:
    """
    Join the text of a day and of a time; each different pair is joined once.

    A midnight that a spreadsheet wrote behind the day is left out where there is a
    time. A time without a day stays as it is, and so is reported as no moment.

    Args:
        day: The days.
        time: The times, row by row.
        missing: Words that mean "no value".

    >>> days = TextColumn(np.array([0, 0, 1]), ["2026-11-05 00:00:00", ""])
    >>> times = TextColumn(np.array([0, 1, 0]), ["14:03", "NULL"])
    >>> joined = joined_text(days, times, missing=["NULL"])
    >>> [joined.texts[code] for code in joined.codes]
    ['2026-11-05 14:03', '2026-11-05 00:00:00', '14:03']
    """
    pairs, codes = np.unique(
        np.stack([day.codes, time.codes]), axis=1, return_inverse=True
    )
    texts = []
    for first, second in pairs.T.tolist():
        left, right = (
            "" if text.strip() in missing else text.strip()
            for text in (day.texts[first], time.texts[second])
        )
        if left and right:
            left = _MIDNIGHT.sub("", left)
        texts.append(f"{left} {right}".strip())
    return TextColumn(codes.reshape(-1).astype(np.int64), texts)


def check_compositions(
    compose: Mapping[str, Sequence[str]] | None,
    table: Table,
    *,
    taken: Collection[str] = (),
) -> dict[str, tuple[str, ...]]:
    """
    Hold the option ``compose`` against a table.

    Args:
        compose: By canonical column of ids, the headings of its parts.
        table: The canonical table.
        taken: Columns that another option gives already.

    Raises:
        ConfigurationError: A column is not there, holds no ids or is given twice, or
            its headings are fewer than two.
    """
    given = dict(compose or {})
    check_names("compose", given, table)
    ids = [each.name for each in table.columns if each.kind is Kind.ID]
    for name, headings in given.items():
        if name not in ids:
            raise ConfigurationError(
                f"'compose' makes ids of parts, and {name!r} of {table.name} is none; "
                f"{nearest(name, ids)}"
            )
        if name in taken:
            raise ConfigurationError(
                f"{name!r} is in 'compose' and in another option: choose one"
            )
        if (
            isinstance(headings, str)
            or len(headings) < _PARTS
            or not all(isinstance(each, str) for each in headings)
        ):
            raise ConfigurationError(
                f"'compose' takes two headings or more for {name!r}, as in "
                f'compose = {{ {name} = ["门店", "日期", "流水号"] }}'
            )
    return {name: tuple(headings) for name, headings in given.items()}


def composed_text(
    parts: Sequence[TextColumn], *, missing: Collection[str]
) -> TextColumn:
    """
    Join the parts of an id by dashes; each different set of parts is joined once.

    Dashes and backslashes of a part are escaped, so that no two sets give one id. A
    row that lacks a part has no id; a part that cannot be of an id stands alone, and
    so is refused for what is wrong with it.

    Args:
        parts: The parts, row by row.
        missing: Words that mean "no value".

    >>> store = TextColumn(np.array([0, 0]), ["S01"])
    >>> number = TextColumn(np.array([0, 1]), ["0007", ""])
    >>> made = composed_text([store, number], missing=[])
    >>> [made.texts[code] for code in made.codes]
    ['S01-0007', '']
    """
    sets, codes = np.unique(
        np.stack([part.codes for part in parts]), axis=1, return_inverse=True
    )
    texts = []
    for chosen in sets.T.tolist():
        words = [p.texts[at].strip() for p, at in zip(parts, chosen, strict=True)]
        ids = [read_id(word) for word in words]
        damaged = [
            word
            for word, own in zip(words, ids, strict=True)
            if isinstance(own, Unreadable)
        ]
        if any(not word or word in missing for word in words):
            texts.append("")
        elif damaged:
            texts.append(damaged[0])
        else:
            # Narrow before they are escaped: a full-width dash becomes a dash.
            texts.append("-".join(_escaped(str(own)) for own in ids))
    return TextColumn(codes.reshape(-1).astype(np.int64), texts)


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("-", "\\-")
