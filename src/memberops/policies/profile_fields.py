"""How the profile audit names fields and what is wrong with them, in two languages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from memberops.domain import Reason, Statement
from memberops.errors import InvalidValueError, MissingColumnsError, nearest
from memberops.policies.intake import taken
from memberops.policies.phones import PhoneReading
from memberops.tables import CARDS, MEMBERS, Kind

__all__ = [
    "CHECKS",
    "DAYS",
    "PHONE_PROBLEMS",
    "PLACEHOLDERS",
    "PROBLEMS",
    "holds_filler",
    "known_profile",
    "listed_fields",
    "listed_problems",
    "profile_rows",
    "profile_statement",
]

CHECKS = ("phone", "birth_date", "valid_through", "store_id", "card_id")
"""The fields whose plausibility can be checked."""

_COLUMNS = {column.name: column for column in (*CARDS.columns, *MEMBERS.columns)}
DAYS = frozenset(n for n, column in _COLUMNS.items() if column.kind is Kind.DATE)
"""The fields that hold days."""

_CARD_FIELDS = ("card_id", "valid_from", "valid_through")
PHONE_PROBLEMS = ("missing", "masked", "spoiled", "unreadable", "invalid", "not_mobile")
"""What a `PhoneRule` finds."""
PLACEHOLDERS = (
    "-", "--", "/", "?", ".", "0", "n/a", "na", "null", "none", "无", "未知",
)  # fmt: skip
"""What people write to get past a field that must be filled."""
_TEXTS = {
    "future": ("lies in the future", "晚于审核日期"),
    "too_old": ("gives an age that nobody reaches", "推算年龄超出合理范围"),
    "reversed": ("lies before the first day of the term", "早于有效期起"),
    "unknown": ("is no store of the chain", "门店不存在"),
    "shared": ("is held by several members", "被多名会员持有"),
}
PROBLEMS = ("", *PHONE_PROBLEMS, *_TEXTS)
"""The words for what is wrong with a field; the first means nothing is."""


def _heading(name: str) -> tuple[str, str]:
    column = _COLUMNS[name]
    return column.heading_en.lower(), column.heading_zh


def _said(name: str, code: str) -> tuple[str, str]:
    english, chinese = _heading(name)
    if code in _TEXTS:
        text_en, text_zh = _TEXTS[code]
        return f"{english} {text_en}", f"{chinese}：{text_zh}"
    reading = PhoneReading(None, code)  # type: ignore[arg-type]
    return f"{english}: {reading.text('en')}", f"{chinese}：{reading.text('zh')}"


def profile_statement(
    missing: Sequence[str],
    wrong: Mapping[str, str],
    unchecked: Sequence[str],
    *,
    required: int,
) -> Statement:
    """
    Write out an audit.

    Args:
        missing: Fields that are empty.
        wrong: What is wrong with fields that are not.
        unchecked: Fields for which nothing was given to check them against.
        required: How many fields are required.
    """
    reasons = []
    texts_en, texts_zh = [], []
    if missing:
        texts_en.append("missing: " + ", ".join(_heading(n)[0] for n in missing))
        texts_zh.append("缺少：" + "、".join(_heading(n)[1] for n in missing))
    for name in missing:
        english, chinese = _heading(name)
        reasons.append(
            _reason(f"missing:{name}", f"{english} is missing", f"缺少{chinese}")
        )
    for name, code in wrong.items():
        english, chinese = _said(name, code)
        texts_en.append(english)
        texts_zh.append(chinese)
        reasons.append(_reason(f"implausible:{name}", english, chinese))
    if not reasons:
        english = f"all {required} required fields are filled and plausible"
        chinese = f"{required} 项必填资料齐全、合理"
        texts_en.append(english)
        texts_zh.append(chinese)
        reasons.append(_reason("complete", english, chinese, met=True))
    for name in unchecked:
        english, chinese = _heading(name)
        english, chinese = f"{english} was not checked", f"未核对{chinese}"
        texts_en.append(english)
        texts_zh.append(chinese)
        reasons.append(_reason(f"unchecked:{name}", english, chinese, met=None))
    return Statement(
        reasons=reasons, text_en="; ".join(texts_en), text_zh="；".join(texts_zh)
    )


def _reason(
    rule: str, english: str, chinese: str, *, met: bool | None = False
) -> Reason:
    return Reason(rule=rule, met=met, text_en=english, text_zh=chinese)


def listed_fields(codes: Any, fields: Sequence[str]) -> dict[str, list[str]]:
    """
    Write out which fields are missing, from one number a row.

    Args:
        codes: A number a row whose bit *n* tells that field *n* is missing.
        fields: The fields.
    """
    unique, rows = np.unique(codes, return_inverse=True)
    words = []
    for code in unique.tolist():
        names = [name for at, name in enumerate(fields) if code >> at & 1]
        words.append(
            (
                "; ".join(names),
                ", ".join(_heading(name)[0] for name in names),
                "、".join(_heading(name)[1] for name in names),
            )
        )
    return _spread(("missing", "missing_en", "missing_zh"), words, rows)


def listed_problems(codes: Any, fields: Sequence[str]) -> dict[str, list[str]]:
    """
    Write out what is wrong with fields, from one number a row.

    Args:
        codes: A number a row, whose digits to the base of `PROBLEMS` tell what is
            wrong with each field, the last field in the last digit.
        fields: The fields.
    """
    unique, rows = np.unique(codes, return_inverse=True)
    words = []
    for code in unique.tolist():
        rest, found = code, []
        for name in reversed(fields):
            rest, at = divmod(rest, len(PROBLEMS))
            if at:
                found.append((name, PROBLEMS[at]))
        found.reverse()
        said = [_said(name, problem) for name, problem in found]
        words.append(
            (
                "; ".join(f"{name}: {problem}" for name, problem in found),
                "; ".join(english for english, _ in said),
                "；".join(chinese for _, chinese in said),
            )
        )
    return _spread(("implausible", "implausible_en", "implausible_zh"), words, rows)


def _spread(
    names: Sequence[str], words: Sequence[Sequence[str]], rows: Any
) -> dict[str, list[str]]:
    places = rows.tolist()
    return {
        name: [words[place][at] for place in places] for at, name in enumerate(names)
    }


def known_profile(profile: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """
    Take the fields of one profile, with None for what pandas has for a gap.

    Raises:
        InvalidValueError: A field is not given, or a date is none.

    >>> known_profile({"name": pd.NA, "birth_date": pd.NaT}, ["name", "birth_date"])
    {'name': None, 'birth_date': None}
    """
    known = {}
    for name in fields:
        if name not in profile:
            raise InvalidValueError(
                f"the audit needs the field {name!r} (None if it is empty); "
                f"{nearest(name, profile)}"
            )
        gap: Any = pd.isna(profile[name])
        value = None if gap is True else profile[name]
        is_day = isinstance(value, dt.date) and not isinstance(value, dt.datetime)
        if name in DAYS and value is not None and not is_day:
            raise InvalidValueError(
                f"{name!r} must be a date without time or None, "
                f"not a {type(value).__name__}"
            )
        known[name] = value
    return known


def holds_filler(column: pd.Series, fillers: Sequence[str]) -> pd.Series:
    """
    Tell which texts are fillers but for case and spaces around them.

    >>> holds_filler(pd.Series([" N/A", "Ann", None]), ["", "n/a"]).tolist()
    [True, False, False]
    """
    words = column.str.strip()
    # Folding the case never makes a text shorter: a longer one is no filler.
    short = words.str.len() <= max(map(len, fillers))
    some = short.fillna(value=False).to_numpy(bool)
    codes, spellings = pd.factorize(words[some])
    filled = pd.Series(spellings).str.casefold().isin(fillers).to_numpy(bool)
    result = np.zeros(len(column), bool)
    result[some] = np.append(filled, False)[codes]
    return pd.Series(result, index=column.index)


def profile_rows(members: Any, cards: Any, fields: Sequence[str]) -> pd.DataFrame:
    """
    Set beside each member the card term that began last.

    Args:
        members: One row a member.
        cards: The terms of cards, or None.
        fields: The fields that are needed, of members and cards.

    Returns:
        The fields, ``name`` and ``phone`` where the members have them, and where a
        card's field is needed ``_holders``: how many members hold the card number.

    Raises:
        MissingColumnsError: A field has no column, or no cards were given.
    """
    names = dict.fromkeys(["member_id", *fields])
    own = [name for name in names if name in MEMBERS.names]
    rows = taken(members, MEMBERS, own, ("name", "phone"))
    wanted = [name for name in names if name not in own]
    if not wanted:
        return rows
    if cards is None:
        raise MissingColumnsError("members", wanted, [*rows.columns])
    needed = list(dict.fromkeys(["member_id", *_CARD_FIELDS, *wanted]))
    held = taken(cards, CARDS, needed)
    held = held[held["member_id"].notna()]
    holders = held.groupby("card_id")["member_id"].nunique()
    held = held.sort_values(
        ["valid_from", "valid_through"], kind="stable", na_position="first"
    ).drop_duplicates("member_id", keep="last")
    held = held.assign(_holders=held["card_id"].map(holders).fillna(0))
    return rows.merge(held, on="member_id", how="left")
