"""The questions about members: expiring cards, waivers, tiers, profiles."""

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

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

    return give_answer(options, ask, store=store)


def waiver(
    options: Options,
    *,
    as_of: AsOf,
    member: Annotated[
        str | None,
        Parameter(help="只说明该会员，并列出小票。Explain this member, with tickets."),
    ] = None,
    card: Annotated[
        str | None,
        Parameter(help="只说明该会员卡。Explain this card number."),
    ] = None,
    store: Store = None,
) -> int:
    """判定次年年费是否免除，并说明理由。Whose next fee is waived, and why."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.waiver(
            member, card=card, as_of=read_day(as_of), store=store, **given
        )

    return give_answer(options, ask, member=member, card=card, store=store)


def tiers(
    options: Options,
    *,
    as_of: AsOf,
    premium: Annotated[
        bool,
        Parameter(negative=(), help="改列优质会员。List the premium members instead."),
    ] = False,
    store: Store = None,
) -> int:
    """列出会员等级及升级所需。Levels of members, and what the next one lacks."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        question = chain.premium if premium else chain.tiers
        return question(as_of=read_day(as_of), store=store, **given)

    return give_answer(options, ask, store=store)


def audit(
    options: Options,
    *,
    as_of: AsOf,
    since: Annotated[
        str | None,
        Parameter(
            help="从哪天录入的资料起，默认当天。Profiles entered from this day on; "
            "the day itself by default."
        ),
    ] = None,
    store: Store = None,
) -> int:
    """审核当天录入的会员资料，查找重复。Incomplete and duplicate profiles."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        day = read_day(as_of)
        first = day if since is None else read_day(since, option="--since")
        entered = Period.span(first, day)
        return chain.audit(as_of=day, entered=entered, store=store, **given)

    return give_answer(options, ask, since=since, store=store)


COMMANDS = (expiring, waiver, tiers, audit)
"""In the order of the help."""
