"""The rows of gift movements as postings: which of them are whole, and whose."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import numpy as np
import pandas as pd

from memberops.adapters.sources.contract import SourceResult
from memberops.adapters.sources.csv_source import read_csv
from memberops.adapters.sources.rejects import unguard_text
from memberops.adapters.sources.table_files import Paths
from memberops.domain import Posting
from memberops.ledger.flow_tables import read_movements
from memberops.tables.gifts import GIFT_MOVEMENTS

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain

__all__ = [
    "HandedIn",
    "Refused",
    "Torn",
    "handed_in",
    "moment_of_group",
    "torn_in_files",
    "unguarded",
]


class Refused(NamedTuple):
    """Why a posting was not written."""

    rule: str
    text_en: str
    text_zh: str


class HandedIn(NamedTuple):
    """The rows of a key, and what they became."""

    key: str
    kind: str
    rows: int
    became: Posting | Refused


class Torn(NamedTuple):
    """
    Postings of which a row was rejected.

    Args:
        keys: Those that are known.
        nameless: Whether a rejected row may belong to any posting.
    """

    keys: frozenset[str] = frozenset()
    nameless: bool = False


_INCOMPLETE = Refused(
    "posting-incomplete",
    "a row of it was rejected: mend the row and import again",
    "该凭证有行被拒收：请更正后重新导入",
)
_PERHAPS_INCOMPLETE = Refused(
    "posting-perhaps-incomplete",
    "a rejected row has no readable posting and may belong to any: mend it and import "
    "again",
    "有拒收行的凭证号无法识别，可能属于任一凭证：请更正后重新导入",
)
_KEYS = attrs.evolve(GIFT_MOVEMENTS, columns=(GIFT_MOVEMENTS.column("posting_id"),))
_MADE = ("compose", "join", "constants", "values")


def unguarded(frame: pd.DataFrame) -> pd.DataFrame:
    """Undo what an export did to texts that a spreadsheet would run."""
    texts = {
        str(name): column.map(unguard_text, na_action="ignore").astype(column.dtype)
        for name, column in frame.items()
        if column.dtype == "str"
    }
    return frame.assign(**texts)


def moment_of_group(group: HandedIn) -> dt.datetime:
    """Return when a group takes effect; what is no posting is not written anyway."""
    made = group.became
    if isinstance(made, Posting):
        return made.effective_at
    return dt.datetime.max.replace(tzinfo=dt.UTC)


def torn_in_files(
    chain: Chain, path: Paths, result: SourceResult, options: Mapping[str, Any]
) -> Torn:
    """
    Tell the keys of the rejected rows, and whether one of them cannot be told.

    The files are read once more for their keys alone, by the same rules: a row that
    has a key then, and became nothing before, was rejected for another cell, or a
    later file replaced it.

    Args:
        chain: The chain.
        path: The file or files.
        result: What they gave.
        options: How they were read.
    """
    if not result.rejected:
        return Torn()
    if "drop" in options or any(
        "posting_id" in (options.get(name) or ()) for name in _MADE
    ):
        return Torn(nameless=True)
    named = options.get("columns") or {}
    read = read_csv(
        path,
        _KEYS,
        currency=chain.currency,
        zone=chain.zone,
        columns={name: each for name, each in named.items() if name == "posting_id"},
        **{name: options[name] for name in ("encoding", "delimiter")
           if name in options},
    )  # fmt: skip
    keys = _keys_by_file(read)
    kept = _keys_by_file(result)
    rest = {
        (at, key)
        for at, (lines, own) in enumerate(keys)
        for key in own[~np.isin(lines, kept[at][0])]
    }
    if options.get("overlap") == "replace":
        # What a later file gives whole does not rest on an earlier one.
        last = {key: at for at, (_, own) in enumerate(kept) for key in own}
        rest = {(at, key) for at, key in rest if at >= last.get(key, at)}
    return Torn(frozenset(unguard_text(key) for _, key in rest), read.rejected > 0)


def _keys_by_file(result: SourceResult) -> list[tuple[Any, Any]]:
    """Give the lines and the postings of the accepted rows of each file."""
    ends = np.cumsum([len(lines) for _, lines in result.origins])[:-1]
    keys = np.split(result.frame["posting_id"].to_numpy(dtype=object), ends)
    return [(lines, own) for (_, lines), own in zip(result.origins, keys, strict=True)]


def handed_in(frame: pd.DataFrame, torn: Torn) -> list[HandedIn]:
    """Gather what each key became; hold back what a rejected row may belong to."""
    postings, unreadable = read_movements(frame)
    keys = frame["posting_id"].astype(str)
    made: dict[str, Posting | Refused] = {each.posting_id: each for each in postings}
    for finding in unreadable:
        key = keys.iloc[(finding.row or 1) - 1]
        made[key] = Refused(finding.rule, finding.message_en, finding.message_zh)
    first = ~keys.duplicated()
    kinds = dict(zip(keys[first], frame.loc[first, "kind"].astype(str), strict=True))
    found = []
    for key, rows in Counter(keys.tolist()).items():
        became = made[key]
        if key in torn.keys:
            became = _INCOMPLETE
        elif torn.nameless:
            became = _PERHAPS_INCOMPLETE
        found.append(HandedIn(key, kinds[key], rows, became))
    return found
