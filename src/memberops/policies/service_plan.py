"""The targets of a service-level policy, checked against each other and chosen from."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import attrs

from memberops.errors import InvalidValueError, nearest
from memberops.policies.service_targets import Target

__all__ = ["TargetPlan"]

_MOST = 10_000


@attrs.frozen
class TargetPlan:
    """
    All targets of a policy, by name; of one name the first that applies counts.

    Args:
        targets: The targets; conditional ones before the one for all others.

    Raises:
        InvalidValueError: A target that can never apply, one that follows an unknown
            target or, through others, itself, or a reply that may take longer than
            the solution.

    >>> slow = Target(name="reply", hours=72, stops=("replied",))
    >>> TargetPlan((slow, Target(name="solution", hours=48, stops=("solved",))))
    Traceback (most recent call last):
    memberops.errors.InvalidValueError: the target 'reply' (3 days, 0:00:00) is longer \
than the target 'solution' (2 days, 0:00:00): a case is solved after its reply
    """

    targets: tuple[Target, ...]

    def __attrs_post_init__(self) -> None:
        """Check the targets against each other."""
        self._check_reach()
        for name in self.names:
            self._check_circle(name)
        self._check_order()

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the order of their first target."""
        return tuple(dict.fromkeys(target.name for target in self.targets))

    def named(self, name: str) -> tuple[Target, ...]:
        """Return the targets of a name, in the order in which they are tried."""
        return tuple(target for target in self.targets if target.name == name)

    def chosen(
        self, category: str | None, priority: str | None, channel: str | None
    ) -> tuple[Target, ...]:
        """Return the target of each name for a case, those that others follow first."""
        picked: dict[str, Target] = {}
        for target in self.targets:
            if target.name not in picked and target.applies(
                category, priority, channel
            ):
                picked[target.name] = target
        ordered: dict[str, Target] = {}

        def place(target: Target) -> None:
            if target.after is not None and target.after in picked:
                place(picked[target.after])
            ordered.setdefault(target.name, target)

        for name in self.names:
            if name in picked:
                place(picked[name])
        return tuple(ordered.values())

    def _check_reach(self) -> None:
        for name in self.names:
            same = self.named(name)
            for earlier, later in itertools.pairwise(same):
                if not earlier.is_conditional:
                    raise InvalidValueError(
                        f"a target {name!r} for {_conditions(later)} is never "
                        f"reached: an earlier one is for {_conditions(earlier)}"
                    )

    def _check_circle(self, name: str) -> None:
        for first in self.named(name):
            seen = [name]
            waiting = [first]
            while waiting:
                target = waiting.pop()
                if target.after is None:
                    continue
                if target.after == name:
                    raise InvalidValueError(
                        f"the targets go in a circle: {' after '.join(seen)} "
                        f"after {name}"
                    )
                if target.after not in self.names:
                    raise InvalidValueError(
                        f"target {target.name!r} comes after {target.after[:40]!r}, "
                        f"which no target is called; "
                        f"{nearest(target.after[:40], self.names)}"
                    )
                if target.after not in seen:
                    seen.append(target.after)
                    waiting.extend(self.named(target.after))

    def _check_order(self) -> None:
        conditions = [
            [None, *dict.fromkeys(itertools.chain.from_iterable(lists))]
            for lists in (
                [target.categories for target in self.targets],
                [target.priorities for target in self.targets],
                [target.channels for target in self.targets],
            )
        ]
        for marks in itertools.islice(itertools.product(*conditions), _MOST):
            picked = {target.name: target for target in self.chosen(*marks)}
            reply, solution = picked.get("reply"), picked.get("solution")
            if reply is not None and solution is not None:
                _check_pair(reply, solution)


def _conditions(target: Target) -> str:
    named: Sequence[str] = (
        *target.categories,
        *target.priorities,
        *target.channels,
    )
    return ", ".join(named[:5]) if named else "all cases"


def _check_pair(reply: Target, solution: Target) -> None:
    if (reply.starts, reply.after) != (solution.starts, solution.after):
        return
    if reply.calendar != solution.calendar:
        return
    first, second = reply.budget, solution.budget
    longer = (
        first > second
        if first is not None and second is not None
        else reply.days is not None
        and solution.days is not None
        and reply.days > solution.days
    )
    if longer:
        shown = [
            f"{target.days} working days" if target.budget is None else target.budget
            for target in (reply, solution)
        ]
        raise InvalidValueError(
            f"the target {reply.name!r} ({shown[0]}) is longer than the target "
            f"{solution.name!r} ({shown[1]}): a case is solved after its reply"
        )
