"""The rows of a form: its columns taken from a frame, people and moments shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from memberops.errors import (
    ColumnTypeError,
    InvalidValueError,
    MissingColumnsError,
)
from memberops.metrics import MetricPolicy
from memberops.reports.form import FormColumn
from memberops.reports.forms.places import (
    ids,
    looked_up,
    same_column,
    store_columns,
    with_stores,
)
from memberops.tables import MEMBERS

__all__ = [
    "Versioned",
    "about_members",
    "check_given",
    "figures_line",
    "form_rows",
    "local_moments",
    "policy_line",
    "returns_note",
    "undefined_reasons",
    "with_profiles",
]

_BLANKS = {
    "integer": "Int64",
    "money": "Int64",
    "percent": "float64",
    "number": "float64",
    "date": "datetime64[us]",
}
_PROFILE = ("name", "phone")


class Versioned(Protocol):
    """A policy that says which one it is."""

    @property
    def policy(self) -> str:
        """Id of the policy."""

    @property
    def version(self) -> str:
        """Version of the policy."""


def check_given(frame: pd.DataFrame, form: str, needed: Collection[str]) -> None:
    """
    Refuse a frame without a column that the form cannot leave blank.

    Raises:
        MissingColumnsError: Naming what is absent.
    """
    missing = [name for name in needed if name not in frame]
    if missing:
        raise MissingColumnsError(form, missing, [str(name) for name in frame])


def returns_note(policy: MetricPolicy) -> tuple[str, str]:
    """Say on which day returns count, in English and in Chinese."""
    if policy.returns == "own_day":
        return (
            "A return counts on its own day and in its own store, as at the till.",
            "退货计入退货当天和退货门店，与收银口径一致。",
        )
    return (
        (
            "A return that names its ticket counts on that ticket's day and in its "
            "store, so a month can differ from the till's."
        ),
        "写明原小票的退货计入原小票的日期和门店，因此各月数字可能与收银日报不同。",
    )


def form_rows(
    frame: pd.DataFrame,
    columns: Sequence[FormColumn],
) -> pd.DataFrame:
    """
    Take a form's columns from a frame, and no others.

    A column that the frame lacks is left blank, to be filled in by hand. Text is
    text, whatever its type was; true and false become ``"yes"`` and ``"no"``.

    Args:
        frame: What a policy or an analysis returned.
        columns: The columns of the form.
    """
    rows = {
        column.name: _typed(frame[column.name], column)
        if column.name in frame
        else _blank(column, frame.index)
        for column in columns
    }
    return pd.DataFrame(rows, index=frame.index).reset_index(drop=True)


def _blank(column: FormColumn, index: pd.Index[Any]) -> pd.Series[Any]:
    dtype = _BLANKS.get(column.style, "str")
    return pd.Series([None] * len(index), index=index, dtype=dtype)


def _typed(values: pd.Series[Any], column: FormColumn) -> pd.Series[Any]:
    if column.style in ("text", "reasons"):
        if values.dtype in ("bool", "boolean") or _all_answers(values):
            values = values.map({True: "yes", False: "no"}, na_action="ignore")
        texts = ids(values)
        return texts.where(texts != "", None)
    if column.style == "date" and values.isna().all():
        return _blank(column, values.index)
    if column.style == "date" and values.dtype == object:
        return pd.to_datetime(values)
    if values.dtype == object and column.style in ("integer", "money"):
        return values.astype("Int64") if values.isna().any() else values.astype("int64")
    return values


def _all_answers(values: pd.Series[Any]) -> bool:
    """Say whether a column of objects holds nothing but true, false and gaps."""
    if values.dtype != object:
        return False
    known = values[values.notna()]
    return len(known) > 0 and all(isinstance(value, bool) for value in known)


def local_moments(
    frame: pd.DataFrame, names: Sequence[str], *, zone: str
) -> pd.DataFrame:
    """
    Write moments as text to the minute, by the clocks of a zone.

    Args:
        frame: Where the columns are, as far as it has them.
        names: Columns of moments with a zone.
        zone: IANA name of the zone.

    Raises:
        ColumnTypeError: Moments without a zone.
        InvalidValueError: No such zone.

    >>> frame = pd.DataFrame({"at": pd.to_datetime(["2026-11-05T01:30Z", None])})
    >>> local_moments(frame, ["at"], zone="Asia/Shanghai")["at"].tolist()[0]
    '2026-11-05 09:30'
    """
    try:
        local = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidValueError(
            f"no zone is called {zone[:40]!r}; a name such as 'Asia/Shanghai'"
        ) from None
    shown = {}
    for name in names:
        if name not in frame:
            continue
        values = frame[name]
        if values.isna().all():
            shown[name] = pd.Series([None] * len(values), values.index, dtype="str")
            continue
        if not isinstance(values.dtype, pd.DatetimeTZDtype):
            raise ColumnTypeError(
                f"column {name!r} is {values.dtype}; it must hold moments with a "
                "zone: .dt.tz_localize('Asia/Shanghai') attaches the store's"
            )
        text = values.dt.tz_convert(local).dt.strftime("%Y-%m-%d %H:%M")
        shown[name] = ids(text)
    return frame.assign(**shown)


def with_profiles(
    rows: pd.DataFrame, members: pd.DataFrame | None
) -> tuple[pd.DataFrame, tuple[FormColumn, ...]]:
    """
    Add the names and phones of members, and return the columns that show them masked.

    Args:
        rows: With ``member_id``.
        members: ``member_id`` with ``name`` and ``phone`` as far as it has them; None
            to show neither.

    Raises:
        MissingColumnsError: The members lack their id.
    """
    if members is None:
        return rows, ()
    MEMBERS.check_columns(members.columns, ["member_id"])
    profile = [name for name in _PROFILE if name in members.columns]
    found = {
        name: ids(looked_up(rows["member_id"], members, "member_id", name))
        for name in profile
    }
    return rows.assign(**found), tuple(same_column(MEMBERS, name) for name in profile)


def about_members(
    frame: pd.DataFrame, stores: pd.DataFrame | None, members: pd.DataFrame | None
) -> tuple[pd.DataFrame, tuple[FormColumn, ...]]:
    """
    Name the stores and the members of rows, and return the columns that show them.

    Args:
        frame: With ``member_id``; where it has no ``store_id``, the members' own.
        stores: ``store_id`` with ``name`` and ``region_id``; None to name none.
        members: ``member_id`` with ``name``, ``phone`` and ``store_id`` as far as it
            has them; None to show neither.
    """
    if "store_id" not in frame:
        homes = looked_up(frame["member_id"], members, "member_id", "store_id")
        frame = frame.assign(store_id=homes)
    rows, profile = with_profiles(with_stores(frame, stores), members)
    member = same_column(MEMBERS, "member_id")
    return rows, (*store_columns(stores), member, *profile)


def policy_line(
    policy: Versioned, as_of: dt.date | dt.datetime | None
) -> tuple[str, str]:
    """
    Say which policy stands behind a form, and as of when, in English and Chinese.

    >>> from memberops.policies import FeeWaiver
    >>> policy_line(FeeWaiver(), dt.date(2026, 11, 5))[1]
    '规则 fee-waiver，版本 1；截至 2026-11-05。'
    """
    return figures_line(
        f"Policy {policy.policy}, version {policy.version}",
        f"规则 {policy.policy}，版本 {policy.version}",
        as_of,
    )


def figures_line(
    english: str, chinese: str, as_of: dt.date | dt.datetime | None
) -> tuple[str, str]:
    """
    End a remark with the day or the moment as of which it holds.

    >>> figures_line("Counted", "统计", None)
    ('Counted.', '统计。')
    """
    if as_of is None:
        return f"{english}.", f"{chinese}。"
    told = str(as_of)
    if isinstance(as_of, dt.datetime):
        told = as_of.isoformat(sep=" ", timespec="minutes")
    return f"{english}; as of {told}.", f"{chinese}；截至 {told}。"


def undefined_reasons(values: pd.Series[Any]) -> pd.Series[Any]:
    """
    Give the reasons of undefined shares their common words.

    >>> undefined_reasons(pd.Series(["coverage: planned = 0", ""])).tolist()
    ['coverage: zero', '']
    """
    said = []
    for text in values:
        parts = [part for part in str(text).split("; ") if part]
        said.append(
            "; ".join(
                f"{part.partition(': ')[0]}: zero" if part.endswith("= 0") else part
                for part in parts
            )
        )
    return pd.Series(said, index=values.index, dtype="str")
