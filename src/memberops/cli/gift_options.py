"""Options that the commands of gifts and stocktakes share."""

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any

import attrs
from cyclopts import Parameter

from memberops.cli.options import Options, read_day, read_moment
from memberops.tables import Column

if TYPE_CHECKING:
    from memberops.workflows import Chain

__all__ = [
    "By",
    "Gift",
    "Late",
    "Moment",
    "Place",
    "Reason",
    "day_or_moment",
    "only_progress",
    "role_word",
    "strict",
    "word",
]

Moment = Annotated[
    str,
    Parameter(
        help="发生的时刻，须带时区，如 2026-11-05T09:00+08:00。When it happened, with "
        "its zone."
    ),
]
Place = Annotated[
    str | None,
    Parameter(
        help="库位或账户，如 warehouse、store:S01。A place or account, and its parts."
    ),
]
Gift = Annotated[str | None, Parameter(help="礼品编号。Only this gift.")]
By = Annotated[str | None, Parameter(help="经办人编号。Who did it.")]
Reason = Annotated[str, Parameter(help="原因说明。Why, in words.")]
Late = Annotated[
    bool,
    Parameter(negative=(), help="补录到已关账期间。Enter a closed period knowingly."),
]


_ROLES = {
    "经理": "manager",
    "店长": "store_manager",
    "区域经理": "regional_manager",
    "仓库主管": "warehouse_manager",
    "总部": "headquarters",
}


def strict(options: Options) -> Options:
    """Let what was asked to be written and was not be a failure, unless told."""
    return attrs.evolve(options, fail_on=options.fail_on or "error")


def word(text: str, column: Column) -> str:
    """
    Return the word of a choice by any of its spellings, as a file's column has them.

    >>> from memberops.tables import GIFT_MOVEMENTS
    >>> word("调拨", GIFT_MOVEMENTS.column("kind"))
    'transfer'
    """
    return dict(column.choices).get(text.strip().casefold(), text)


def role_word(text: str, known: Collection[str]) -> str:
    """
    Return a role by its Chinese name, unless the chain has a role of that name.

    >>> role_word("店长", ["store_manager"]), role_word("店长", ["店长"])
    ('store_manager', '店长')
    """
    return text if text in known else _ROLES.get(text.strip(), text)


def day_or_moment(text: str, chain: "Chain") -> dt.date | dt.datetime:
    """Read a day, meaning its end, or a moment with its zone."""
    return (
        read_day(text)
        if len(text) <= len("2026-10-05")
        else read_moment(text, chain.zone)
    )


def only_progress(given: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a ledger has nothing of: personal columns."""
    return {"progress": given["progress"]}
