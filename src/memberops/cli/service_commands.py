"""The questions about service: cases, visits, appointments."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from memberops.cli.answering import give_answer
from memberops.cli.options import (
    AsOf,
    Options,
    Store,
    read_day,
    read_day_or_moment,
    read_moment,
)
from memberops.cli.whole_numbers import Whole
from memberops.errors import InvalidValueError

if TYPE_CHECKING:
    from memberops.workflows import Answer, Chain

__all__ = ["COMMANDS"]

_FARTHEST = 366


def sla(
    options: Options,
    *,
    as_of: Annotated[
        str,
        Parameter(
            help="截至哪一刻，须带时区，如 2026-11-05T09:00+08:00。The moment with its "
            "zone, such as 2026-11-05T09:00+08:00; with --hard a day is taken, too."
        ),
    ],
    case: Annotated[
        str | None,
        Parameter(help="只说明该投诉的各时限。Explain the clocks of this case."),
    ] = None,
    hard: Annotated[
        bool,
        Parameter(
            negative=(), help="改列疑难投诉周报。The hard cases of the week instead."
        ),
    ] = False,
    store: Store = None,
) -> int:
    """列出未结投诉的下一步、负责人和时限。Open cases: next action, owner, due."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        if hard:
            if case is not None:
                raise InvalidValueError("--hard lists all cases: no --case")
            until = read_day_or_moment(as_of, chain.zone)
            return chain.hard_cases(as_of=until, store=store, **given)
        moment = read_moment(as_of, chain.zone)
        return chain.sla(case, as_of=moment, store=store, **given)

    return give_answer(options, ask, moment=as_of, case=case, store=store)


def visits(
    options: Options,
    *,
    as_of: AsOf,
    first: Annotated[
        str | None,
        Parameter(help="从哪天起，默认当天。From this day on; --as-of by default."),
    ] = None,
    through: Annotated[
        str | None,
        Parameter(
            help="到哪天止，默认下月末。Through this day; the last of next month by "
            "default."
        ),
    ] = None,
    coverage: Annotated[
        bool,
        Parameter(
            negative=(),
            help="改列各门店回访完成情况。Coverage of the stores instead.",
        ),
    ] = False,
    store: Store = None,
) -> int:
    """安排会员回访，列出不予回访的原因。Plan visits; say why some are not made."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        day = read_day(as_of)
        begin = None if first is None else read_day(first, option="--first")
        if coverage:
            if through is not None:
                raise InvalidValueError("--coverage ends with --as-of: no --through")
            return chain.visit_coverage(as_of=day, first=begin, store=store, **given)
        last = None if through is None else read_day(through, option="--through")
        return chain.visits(as_of=day, first=begin, through=last, store=store, **given)

    return give_answer(options, ask, store=store, **{"from": first, "through": through})


def appointments(
    options: Options,
    *,
    as_of: Annotated[
        str,
        Parameter(
            help="截至哪天（含当天），或哪一刻，如 2026-11-05T18:00+08:00。The day, "
            "meant to its end, or a moment such as 2026-11-05T18:00+08:00."
        ),
    ],
    days_ahead: Annotated[
        Whole,
        Parameter(help="列几天后的预约，1 为次日。Which day is listed: 1 is tomorrow."),
    ] = 1,
    store: Store = None,
) -> int:
    """列出次日预约和空余时段。Tomorrow's appointments and free places."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        until = read_day_or_moment(as_of, chain.zone)
        if not 0 <= days_ahead <= _FARTHEST:
            raise InvalidValueError(
                f"--days-ahead is 0 to {_FARTHEST} days after --as-of, not {days_ahead}"
            )
        return chain.appointments(
            as_of=until, days_ahead=days_ahead, store=store, **given
        )

    ahead = None if days_ahead == 1 else days_ahead
    return give_answer(options, ask, moment=as_of, store=store, ahead=ahead)


COMMANDS: tuple[Callable[..., int], ...] = (sla, visits, appointments)
"""In the order of the help."""
