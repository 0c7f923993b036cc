"""Frames of any engine as the columns that planning visits works on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from memberops.domain import Finding, Severity
from memberops.errors import ColumnTypeError, FrameError, MissingColumnsError
from memberops.policies.cadence import Days
from memberops.policies.visit_policy import VisitPolicy

__all__ = ["as_days", "as_text", "read_contacts", "read_facts", "read_members",
           "read_planned", "taken_in"]  # fmt: skip


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
    values = frame[column]
    if pd.api.types.is_numeric_dtype(values.dtype) and values.notna().any():
        raise ColumnTypeError(
            f"column {column!r} holds numbers; ids are text, or they lose leading "
            "zeros: read the file with dtype=str"
        )
    return values.to_numpy(dtype=object, na_value="")


def _objects(frame: pd.DataFrame, column: str) -> pd.Series:
    """Keep text as objects: these columns are taken apart again at once."""
    return pd.Series(as_text(frame, column), dtype=object, copy=False)


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


def read_facts(
    facts: Any, policy: VisitPolicy
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Read facts: those without member, trigger or day are told and left out."""
    frame = taken_in(facts, "facts", ("member_id", "trigger", "on"))
    read = pd.DataFrame(
        {
            "member_id": _objects(frame, "member_id"),
            "trigger": _objects(frame, "trigger"),
            "on": as_days(frame, "on").astype("datetime64[s]"),
            "fact_id": _objects(frame, "fact_id"),
            "store_id": _objects(frame, "store_id"),
        }
    )
    findings = []
    whole = (read["member_id"] != "") & (read["trigger"] != "") & read["on"].notna()
    if not whole.all():
        findings.append(_finding(*_INCOMPLETE, int((~whole).sum())))
        read = read[whole].reset_index(drop=True)
    strange = ~read["trigger"].isin({rule.trigger for rule in policy.rules})
    if strange.any():
        findings.append(_finding(*_UNKNOWN, int(strange.sum())))
        read = read[~strange].reset_index(drop=True)
    return read, tuple(findings)


_TEXTS = ("store_id", "zone", "store_zone")


def read_members(
    members: Any, policy: VisitPolicy
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Read how members stand; of one listed twice the stricter word holds."""
    frame = taken_in(members, "members", ("member_id",))
    flags = [suppression.name for suppression in policy.suppressions]
    read = pd.DataFrame(
        {name: _objects(frame, name) for name in ("member_id", *_TEXTS)}
        | {name: _flags(frame, name) for name in ("premium", *flags)}
    )
    read["valid_through"] = (
        as_days(frame, "valid_through").astype("datetime64[s]")
        if "valid_through" in frame
        else np.full(len(frame), np.datetime64("NaT", "s"))
    )
    findings: tuple[Finding, ...] = ()
    twice = read["member_id"].duplicated(keep=False)
    if twice.any():
        strict = dict.fromkeys((*_TEXTS, "valid_through"), "min")
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
    return pd.DataFrame(
        {
            "member_id": as_text(frame, "member_id"),
            "on": as_days(frame, "on").astype("datetime64[s]"),
            "channel": as_text(frame, "channel"),
        }
    ).dropna(subset=["on"])


def read_planned(planned: Any) -> tuple[pd.DataFrame, Collection[str]]:
    """Read visits of earlier plans: those with a day, and the ids of all."""
    if planned is None:
        return pd.DataFrame({"member_id": [], "on": [], "channel": [], "by": [],
                             "store_id": []}), ()  # fmt: skip
    needed = ("visit_id", "member_id", "day", "channel", "by", "store_id")
    frame = taken_in(planned, "planned", needed)
    names = ("member_id", "channel", "by", "store_id")
    read = pd.DataFrame({name: as_text(frame, name) for name in names})
    read["on"] = as_days(frame, "day").astype("datetime64[s]")
    return read.dropna(subset=["on"]), set(as_text(frame, "visit_id"))
