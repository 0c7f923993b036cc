"""The questions about service: cases, visits, appointments."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from memberops.cli.answering import give_answer
from memberops.cli.options import Options, Store, read_moment

if TYPE_CHECKING:
    from memberops.workflows import Answer, Chain

__all__ = ["COMMANDS"]


def sla(
    options: Options,
    *,
    as_of: Annotated[
        str,
        Parameter(
            help="截至哪一刻，须带时区，如 2026-11-05T09:00+08:00。The moment with its "
            "zone, such as 2026-11-05T09:00+08:00."
        ),
    ],
    case: Annotated[
        str | None,
        Parameter(help="只说明该投诉的各时限。Explain the clocks of this case."),
    ] = None,
    store: Store = None,
) -> int:
    """列出未结投诉的下一步、负责人和时限。Open cases: next action, owner, due."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        moment = read_moment(as_of, chain.zone)
        return chain.sla(case, as_of=moment, store=store, **given)

    return give_answer(options, ask)


COMMANDS: tuple[Callable[..., int], ...] = (sla,)
"""In the order of the help."""
