"""How a chain file spells working calendars: the chain's own, and those of stores."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from memberops.schedules import WorkingCalendar
from memberops.schedules.shifts import week_from
from memberops.workflows.plain_values import NONE, found_instead, zone_name
from memberops.workflows.structuring import Misfit, Problem, Reader, built, unknown_key

__all__ = ["WORKING", "read_calendar", "read_calendars"]

WORKING = "working_calendar"
"""The section of the chain's calendar, and the word for it elsewhere."""

_USUAL = (
    "zone", "week", "around_the_clock", "holidays", "special", "known_from",
    "known_until", "name",
)  # fmt: skip
_CHINA = (
    "china", "zone", "week", "make_up_days", "make_up_shifts", "holidays", "special",
    "name",
)  # fmt: skip
_WEEKS = ("week", "around_the_clock")


def read_calendar(value: Any, base: Any, reader: Reader) -> Any:
    """
    Read a calendar: a table, or ``"working_calendar"`` for the chain's own.

    Args:
        value: What the file holds.
        base: Not needed: a calendar is given whole.
        reader: Knows the file's zone, and the chain's calendar once it is read.
    """
    del base
    if value == WORKING:
        if reader.facts.get(WORKING) is None:
            raise Misfit(f"needs a section [policies.{WORKING}], which is not there")
        return reader.facts[WORKING]
    if not isinstance(value, Mapping):
        raise Misfit(found_instead(f'a table, "{WORKING}" or "{NONE}"', value))
    return _made(value, reader)


def _made(value: Mapping[str, Any], reader: Reader, *more: str) -> WorkingCalendar:
    known = _CHINA if "china" in value else _USUAL
    problems = [unknown_key(key, (*known, *more)) for key in value if key not in known]
    table = {"zone": reader.facts["zone"]} | dict(value)
    try:
        zone_name(table["zone"])
    except Misfit as misfit:
        problems += misfit.under("zone")
    week = table.get("week")
    for day, shifts in week.items() if isinstance(week, Mapping) else ():
        try:
            built(partial(week_from, {day: shifts}))
        except Misfit as misfit:
            problems += misfit.under("week", str(day))
    if problems:
        raise Misfit(problems)
    made: WorkingCalendar = built(lambda: WorkingCalendar.from_dict(table))
    return made


def read_calendars(
    value: Any, reader: Reader
) -> tuple[WorkingCalendar | None, dict[str, WorkingCalendar]]:
    """
    Read the chain's calendar, and those of stores that have their own.

    Args:
        value: The section, whose ``stores`` hold what a store has otherwise: each
            key stands in place of the chain's.
        reader: Knows the file's zone.

    Raises:
        Misfit: With every problem that was found.
    """
    if value == NONE:
        return None, {}
    if not isinstance(value, Mapping):
        raise Misfit(found_instead(f'a table or "{NONE}"', value))
    usual = {key: value[key] for key in value if key != "stores"}
    problems: list[Problem] = []
    calendar = None
    try:
        calendar = _made(usual, reader, "stores")
    except Misfit as misfit:
        problems += misfit.problems
    stores: dict[str, WorkingCalendar] = {}
    try:
        stores = reader.keyed(
            value.get("stores", {}),
            lambda own: _made(_over(usual, own), reader),
        )
    except Misfit as misfit:
        told = {problem.text for problem in problems}
        fresh = [each for each in misfit.under("stores") if each.text not in told]
        problems += fresh
    if problems:
        raise Misfit(problems)
    return calendar, stores


def _over(usual: Mapping[str, Any], own: Any) -> dict[str, Any]:
    if not isinstance(own, Mapping):
        raise Misfit(found_instead("a table", own))
    if any(key in own for key in _WEEKS):
        # A store that never closes has no week, and one that has a week closes.
        usual = {key: usual[key] for key in usual if key not in _WEEKS}
    return {**usual, **own}
