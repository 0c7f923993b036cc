"""Frames of any engine as the columns that planning visits works on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
import narwhals as nw
import numpy as np
import pandas as pd

from memberops.domain import Finding, Severity
from memberops.domain.values import mask
from memberops.errors import (
    ColumnTypeError,
    FrameError,
    MissingColumnsError,
    bounded,
    nearest,
)
from memberops.policies.cadence import Days
from memberops.policies.visit_policy import VisitPolicy

__all__ = ["Facts", "among", "as_days", "as_text", "positions", "read_contacts",
           "read_facts", "read_members", "read_planned", "taken_in",
           "told_text"]  # fmt: skip


def taken_in(given: Any, name: str, needed: Iterable[str]) -> pd.DataFrame:
    """
    Bring a frame of any engine into pandas, and check its columns.

    Raises:
        FrameError: It is no frame.
        MissingColumnsError: A column that is needed is not there.
    """
    if isinstance(given, pd.DataFrame):
        frame = given
    else:
        try:
            entered = nw.from_native(given)
        except TypeError:
            raise FrameError(
                f"{name!r} must be a frame of pandas, polars, pyarrow or DuckDB, "
                f"not a {type(given).__name__}"
            ) from None
        full = entered.collect() if isinstance(entered, nw.LazyFrame) else entered
        frame = pd.DataFrame(
            {each: pd.Series(full[each].to_list()) for each in full.columns}
        )
    missing = [each for each in needed if each not in frame]
    if missing:
        raise MissingColumnsError(name, missing, list(frame.columns))
    return frame


def as_days(frame: pd.DataFrame, column: str) -> Days:
    """
    Read a column of days without zone as ``datetime64[D]``.

    Raises:
        ColumnTypeError: It holds zoned moments, numbers or text.
    """
    values = frame[column]
    if not isinstance(values.dtype, np.dtype) or values.dtype.kind != "M":
        if values.dtype != object or pd.api.types.infer_dtype(
            values, skipna=True
        ) not in (
            "date",
            "empty",
        ):
            raise ColumnTypeError(
                f"column {column!r} is {values.dtype}; it must hold dates without "
                "zone: pd.to_datetime(column), or moments.dt.tz_convert(zone)"
                ".dt.tz_localize(None)"
            )
        values = pd.to_datetime(values)
    result: Days = values.to_numpy().astype("datetime64[D]")
    return result


def as_text(frame: pd.DataFrame, column: str) -> np.ndarray[Any, Any]:
    """
    Read a column of ids as an array of text, empty where it is missing or not there.

    Raises:
        ColumnTypeError: It holds numbers, which lose leading zeros.
    """
    if column not in frame:
        return np.full(len(frame), "", dtype=object)
    return told_text(frame, column).to_numpy(dtype=object, na_value="")


def told_text(frame: pd.DataFrame, column: str) -> pd.Series:
    """
    Return a column of ids as it is stored.

    Raises:
        ColumnTypeError: It holds numbers, which lose leading zeros.
    """
    values = frame[column]
    if pd.api.types.is_numeric_dtype(values.dtype) and values.notna().any():
        raise ColumnTypeError(
            f"column {column!r} holds numbers; ids are text, or they lose leading "
            "zeros: read the file with dtype=str"
        )
    return values


def _texts(frame: pd.DataFrame, column: str) -> pd.Series:
    """Read a column of text as it is stored, empty where it is missing."""
    if column not in frame:
        return pd.Series(np.full(len(frame), "", dtype=object), dtype=object)
    values = told_text(frame, column).reset_index(drop=True)
    if values.dtype != object and not isinstance(values.dtype, pd.StringDtype):
        values = values.astype(object)
    return values.fillna("") if values.isna().any() else values


def positions(known: pd.Series, asked: pd.Series) -> np.ndarray[Any, Any]:
    """
    Return the place of each id among those known, which are all different.

    >>> positions(pd.Series(["M1", "M2"]), pd.Series(["M2", "M9"])).tolist()
    [1, -1]
    """
    both = pd.concat([known, asked], ignore_index=True)
    found = pd.factorize(both)[0][len(known) :]
    return np.where(found < len(known), found, -1)


def among(known: Any, asked: Any) -> np.ndarray[Any, Any]:
    """
    Tell which of the ids asked for are known; neither need be different.

    >>> among(pd.Series(["M1", "M2", "M2"]), pd.Series(["M2", "M9"])).tolist()
    [True, False]
    """
    both = pd.concat([pd.Series(known), pd.Series(asked)], ignore_index=True)
    codes, words = pd.factorize(both)
    met = np.zeros(len(words) + 1, dtype=bool)
    met[codes[: len(known)]] = True
    # A missing id, the code -1, is nobody's.
    met[-1] = False
    found: np.ndarray[Any, Any] = met[codes[len(known) :]]
    return found


def _flags(frame: pd.DataFrame, column: str) -> np.ndarray[Any, Any]:
    if column not in frame:
        return np.zeros(len(frame), dtype=bool)
    values = frame[column]
    if not pd.api.types.is_bool_dtype(values.dtype):
        kind = pd.api.types.infer_dtype(values, skipna=True)
        if kind not in ("boolean", "empty"):
            raise ColumnTypeError(
                f"column {column!r} is {values.dtype}; it must be true or false"
            )
    result: np.ndarray[Any, Any] = (
        values.astype("boolean").fillna(value=False).to_numpy(dtype=bool)
    )
    return result


_INCOMPLETE = (
    "facts",
    "fact-incomplete",
    "no member, trigger or day: no visit can be planned",
    "缺少会员、事由或日期，无法安排回访",
)
_UNKNOWN = (
    "facts",
    "trigger-unknown",
    "no rule of the cadence table answers this trigger",
    "回访规则表中没有对应的事由",
)
_MOST_NAMED = 3
_WORD = re.compile(r"[A-Za-z][A-Za-z_]{0,39}")
_TWICE = (
    "members",
    "member-twice",
    "a member is listed more than once: the stricter row holds",
    "同一会员出现多次，按较严格的一条处理",
)


def _finding(table: str, rule: str, en: str, zh: str, number: int) -> Finding:
    return Finding(
        table=table,
        rule=rule,
        message_en=en,
        message_zh=zh,
        severity=Severity.WARNING,
        count=number,
    )


def _unknown(strange: Sequence[str], known: Iterable[str], number: int) -> Finding:
    """Name the triggers that no rule answers, but none that may be a person's."""
    table, rule, english, chinese = _UNKNOWN
    told = [name if _WORD.fullmatch(name) else str(mask(name)) for name in strange]
    named = bounded(told, limit=_MOST_NAMED)
    hint = nearest(told[0], known)
    return _finding(
        table,
        rule,
        f"{english}: {named}; {hint}",
        f"{chinese}：{'、'.join(told[:_MOST_NAMED])}"
        + (f" 等 {len(told)} 种" if len(told) > _MOST_NAMED else ""),
        number,
    )


@attrs.frozen(kw_only=True, eq=False)
class Facts:
    """
    Facts as columns of equal length.

    Args:
        member_id: Whom each is about.
        trigger: Number of the trigger in *triggers*, -1 for a fact left out.
        triggers: The triggers that the policy answers.
        on: The day of each.
        fact_id: The id of each, empty if it has none; None if no fact has any.
        store_id: The store of each, likewise.
    """

    member_id: pd.Series = attrs.field(repr=False)
    trigger: np.ndarray[Any, Any] = attrs.field(repr=False)
    triggers: tuple[str, ...]
    on: Days = attrs.field(repr=False)
    fact_id: pd.Series | None = attrs.field(repr=False)
    store_id: pd.Series | None = attrs.field(repr=False)


def read_facts(facts: Any, policy: VisitPolicy) -> tuple[Facts, tuple[Finding, ...]]:
    """Read facts: those without member, trigger or day are told and left out."""
    frame = taken_in(facts, "facts", ("member_id", "trigger", "on"))
    known = tuple(dict.fromkeys(rule.trigger for rule in policy.rules))
    member, on = _texts(frame, "member_id"), as_days(frame, "on")
    codes, names = pd.factorize(_texts(frame, "trigger"))
    told = np.array([name != "" for name in names], bool)
    number = np.array(
        [known.index(name) if name in known else -1 for name in names], np.int16
    )
    whole = (member != "").to_numpy(bool) & told[codes] & ~np.isnat(on)
    trigger = np.where(whole, number[codes], np.int16(-1))
    findings = []
    for line, count in (
        (_INCOMPLETE, int((~whole).sum())),
        (_UNKNOWN, int((whole & (trigger < 0)).sum())),
    ):
        if count and line is not _UNKNOWN:
            findings.append(_finding(*line, count))
        elif count:
            strange = sorted(set(names[codes[whole & (trigger < 0)]]))
            findings.append(_unknown(strange, known, count))
    read = Facts(
        member_id=member,
        trigger=trigger,
        triggers=known,
        on=on,
        fact_id=_texts(frame, "fact_id") if "fact_id" in frame else None,
        store_id=_texts(frame, "store_id") if "store_id" in frame else None,
    )
    return read, tuple(findings)


_PLACES = ("store_id", "zone", "store_zone")


def read_members(
    members: Any, policy: VisitPolicy
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Read how members stand; of one listed twice the stricter word holds."""
    frame = taken_in(members, "members", ("member_id",))
    flags = [suppression.name for suppression in policy.suppressions]
    read = pd.DataFrame(
        {name: _texts(frame, name) for name in ("member_id", *_PLACES)}
        | {name: _flags(frame, name) for name in ("premium", *flags)}
    )
    read["valid_through"] = (
        as_days(frame, "valid_through").astype("datetime64[s]")
        if "valid_through" in frame
        else np.full(len(frame), np.datetime64("NaT", "s"))
    )
    findings: tuple[Finding, ...] = ()
    if len(pd.factorize(read["member_id"])[1]) < len(read):
        twice = read["member_id"].duplicated(keep=False)
        strict = dict.fromkeys((*_PLACES, "valid_through"), "min")
        strict |= dict.fromkeys(("premium", *flags), "max")
        merged = read[twice].groupby("member_id", as_index=False).agg(strict)
        findings = (_finding(*_TWICE, int(twice.sum())),)
        read = pd.concat([read[~twice], merged], ignore_index=True)
    return read, findings


def read_contacts(contacts: Any) -> pd.DataFrame:
    """Read contacts made: member, day and channel (empty if it is not told)."""
    if contacts is None:
        return pd.DataFrame({"member_id": [], "on": [], "channel": []})
    frame = taken_in(contacts, "contacts", ("member_id", "on"))
    read = pd.DataFrame(
        {name: _texts(frame, name) for name in ("member_id", "channel")}
    )
    read["on"] = as_days(frame, "on").astype("datetime64[s]")
    return read.dropna(subset=["on"])


def read_planned(planned: Any) -> tuple[pd.DataFrame, pd.Series]:
    """Read visits of earlier plans: those with a day, and the ids of all."""
    if planned is None:
        return pd.DataFrame({"member_id": [], "on": [], "channel": [], "by": [],
                             "store_id": []}), pd.Series([], dtype=object)  # fmt: skip
    needed = ("visit_id", "member_id", "day", "channel", "by", "store_id")
    frame = taken_in(planned, "planned", needed)
    names = ("member_id", "channel", "by", "store_id")
    read = pd.DataFrame({name: _texts(frame, name) for name in names})
    read["on"] = as_days(frame, "day").astype("datetime64[s]")
    return read.dropna(subset=["on"]), _texts(frame, "visit_id")
