"""Options that the commands of gifts and stocktakes share."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from memberops.cli.options import read_day, read_moment

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
