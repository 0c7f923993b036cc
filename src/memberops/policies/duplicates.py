"""Members who may be one person enrolled twice: reported, never merged (HQ §4.1)."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np
import pandas as pd

from memberops.policies.intake import taken
from memberops.policies.phones import PhoneRule
from memberops.policies.profile_fields import PLACEHOLDERS
from memberops.tables import MEMBERS

__all__ = ["possible_duplicates"]

_NO_LETTER = re.compile(r"[\W_]+")
_FILLERS = ["", *(_NO_LETTER.sub("", word) for word in PLACEHOLDERS)]
_REASONS = {
    "phone": ("the same phone", "手机号相同"),
    "name_birth_date": ("the same name and birth date", "姓名和出生日期相同"),
}


def possible_duplicates(
    members: Any, *, phones: PhoneRule | None = None
) -> pd.DataFrame:
    """
    Group the members who share a phone, or name and birth date (HQ §4.1).

    Phones are compared as numbers, so that ``138 1234 5678`` and ``+8613812345678``
    are the same; one that is masked or cannot exist is not compared. Names are compared
    without spaces, case and width, but for those that only fill the field (``"未知"``).
    Rows are grouped by their keys: the time grows with the members,
    not with their pairs. Nothing is merged: a person decides.

    Args:
        members: One row a member, of any engine: ``member_id``, ``name``, ``phone``,
            ``birth_date``; optional ``store_id`` and ``joined_on``.
        phones: How phone numbers are read.

    Returns:
        A pandas frame, one row a member of a group: ``group`` (numbered from 1),
        ``reason`` (``"phone"`` or ``"name_birth_date"``), ``members`` (how many the
        group has), ``member_id``, ``store_id`` and ``joined_on`` where given, and
        ``reason_en``, ``reason_zh``. Groups by phone come first, then by their first
        member id. Members who share both are in a group of each kind. No personal
        value is shown.

    Raises:
        MissingColumnsError: A needed column is absent.
        ColumnTypeError: A column has a type that its table forbids.

    >>> people = pd.DataFrame({
    ...     "member_id": ["M1", "M2", "M3"],
    ...     "name": ["王小明", "王 小明", "李雷"],
    ...     "phone": ["13812345678", "138****5678", "+86 138-1234-5678"],
    ...     "birth_date": pd.to_datetime(["1990-05-01", "1990-05-01", None])})
    >>> found = possible_duplicates(people)
    >>> found[["group", "reason", "member_id"]].values.tolist()
    [[1, 'phone', 'M1'], [1, 'phone', 'M3'],
     [2, 'name_birth_date', 'M1'], [2, 'name_birth_date', 'M2']]
    """
    rows = taken(
        members,
        MEMBERS,
        ["member_id", "name", "phone", "birth_date"],
        ["store_id", "joined_on"],
    )
    rows = rows[rows["member_id"].notna()].drop_duplicates("member_id", keep="last")
    number = (phones or PhoneRule()).read_column(rows["phone"])["number"]
    born = rows["birth_date"]
    names = _plain_names(rows["name"])
    born_on = pd.Series(pd.factorize(born)[0], index=rows.index)
    both = (names * (len(rows) + 1) + born_on).where((names >= 0) & (born_on >= 0))
    groups = pd.concat(
        [
            _shared(rows, number, "phone"),
            _shared(rows, both, "name_birth_date"),
        ]
    )
    keys = groups[["_kind", "_first"]].drop_duplicates()
    numbers = pd.Series(range(1, len(keys) + 1), index=pd.MultiIndex.from_frame(keys))
    at = pd.MultiIndex.from_frame(groups[["_kind", "_first"]])
    groups["group"] = numbers.reindex(at).to_numpy(dtype=np.int64)
    kept = [name for name in ("store_id", "joined_on") if name in groups]
    wanted = [
        "group",
        "reason",
        "members",
        "member_id",
        *kept,
        "reason_en",
        "reason_zh",
    ]
    return groups[wanted].reset_index(drop=True)


def _plain_names(names: pd.Series) -> pd.Series:
    """Number the names without width, case and spaces; -1 if no letter is left."""
    codes, spellings = pd.factorize(names)
    plain = [
        _NO_LETTER.sub("", unicodedata.normalize("NFKC", str(name)).casefold())
        for name in spellings.tolist()
    ]
    numbers, known = pd.factorize(pd.Series(plain, dtype=object))
    empty = np.flatnonzero(np.isin(known, _FILLERS))
    numbers = np.append(np.where(np.isin(numbers, empty), -1, numbers), -1)
    return pd.Series(numbers[codes], index=names.index)


def _shared(rows: pd.DataFrame, key: pd.Series, kind: str) -> pd.DataFrame:
    """Keep the rows whose key another row has too, in the order of groups."""
    repeated = key.notna() & key.duplicated(keep=False)
    found = rows[repeated].copy()
    code = key[repeated]
    found["_kind"] = list(_REASONS).index(kind)
    found["_first"] = found.groupby(code)["member_id"].transform("min")
    found["members"] = (
        found.groupby(code)["member_id"].transform("size").astype(np.int64)
    )
    found["reason"] = kind
    found["reason_en"], found["reason_zh"] = _REASONS[kind]
    return found.sort_values(["_first", "member_id"], kind="stable")
