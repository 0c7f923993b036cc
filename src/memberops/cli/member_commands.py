"""The questions about members: expiring cards, waivers, tiers, profiles."""

from typing import TYPE_CHECKING, Any

from memberops.cli.answering import give_answer
from memberops.cli.options import AsOf, Options, Store, read_day
from memberops.schedules import Period

if TYPE_CHECKING:
    from memberops.workflows import Answer, Chain

__all__ = ["COMMANDS"]


def expiring(options: Options, *, as_of: AsOf, store: Store = None) -> int:
    """列出次月到期且未满足免年费条件的会员。Cards that end next month unwaived."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        day = read_day(as_of)
        month = Period.month(day.year, day.month)
        return chain.expiring(month, as_of=day, store=store, **given)

    return give_answer(options, ask)


COMMANDS = (expiring,)
"""In the order of the help."""
