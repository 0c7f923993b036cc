"""Which rows of a form are drawn: the chain's, or the first of the stores."""

from __future__ import annotations

import attrs
import pandas as pd

from memberops.errors import InvalidValueError, nearest

__all__ = ["Drawn", "check_drawn", "compared_rows", "summary_rows"]

_MOST_SERIES = 6
_MOST_STORES = 10
_MOST_PERIODS = 36


@attrs.frozen
class Drawn:
    """
    Rows that follow each other, and the column that tells them apart.

    Args:
        first: Position of the first row.
        last: Position of the last one, included.
        label: The column that names the rows.
    """

    first: int
    last: int
    label: str

    @property
    def several(self) -> bool:
        """Whether there is something to compare."""
        return self.last > self.first


def _chain(frame: pd.DataFrame, draw: str | None, most: int) -> Drawn | None:
    wanted = frame["level"] == "chain"
    if draw is not None:
        wanted &= frame["period"] == draw
    rows = [at for at, is_wanted in enumerate(wanted) if is_wanted][-most:]
    return Drawn(rows[0], rows[-1], "period") if rows else None


def _of_level(
    frame: pd.DataFrame, level: str, draw: str | None, most: int
) -> Drawn | None:
    period = frame["period"].iloc[-1] if draw is None else draw
    wanted = (frame["level"] == level) & (frame["period"] == period)
    rows = [at for at, is_wanted in enumerate(wanted) if is_wanted][:most]
    label = "store_name" if _named(frame, rows) else "key"
    return Drawn(rows[0], rows[-1], label) if rows else None


def _named(frame: pd.DataFrame, rows: list[int]) -> bool:
    return "store_name" in frame and bool(frame["store_name"].iloc[rows].notna().all())


def check_drawn(frame: pd.DataFrame, draw: str | None) -> None:
    """
    Refuse a period that the frame does not have.

    Raises:
        InvalidValueError: Naming the nearest period.
    """
    if draw is not None and len(frame) and not (frame["period"] == draw).any():
        raise InvalidValueError(
            f"no row is of the period {draw!r}; {nearest(draw, frame['period'])}"
        )


def summary_rows(frame: pd.DataFrame, draw: str | None) -> Drawn | None:
    """
    Return the rows that stand for the whole: each is a series of its own.

    The chain's last periods, or where the chain is not shown, the first regions or
    stores of the last period. None if the form is empty.

    Args:
        frame: Rows sorted by level, period and key.
        draw: The only period that is drawn, or None for all of them.
    """
    if frame.empty:
        return None
    return (
        _chain(frame, draw, _MOST_SERIES)
        or _of_level(frame, "region", draw, _MOST_SERIES)
        or _of_level(frame, "store", draw, _MOST_SERIES)
    )


def compared_rows(frame: pd.DataFrame, draw: str | None) -> Drawn | None:
    """
    Return the rows that are worth comparing: each is a category.

    The chain's periods if there are several, else the first stores or regions of the
    last period, however many there are.

    Args:
        frame: Rows sorted by level, period and key.
        draw: The only period that is drawn, or None for all of them.
    """
    if frame.empty:
        return None
    chain = _chain(frame, draw, _MOST_PERIODS)
    if chain is not None and chain.several:
        return chain
    return (
        _of_level(frame, "store", draw, _MOST_STORES)
        or _of_level(frame, "region", draw, _MOST_STORES)
        or chain
    )
