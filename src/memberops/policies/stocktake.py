"""Decide what becomes of a difference: explain it, approve it, adjust it (HQ §7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from memberops.domain.decision import Decision, Reason, Statement
from memberops.domain.gift import Place, PlaceKind
from memberops.domain.stocktake import (
    Approval,
    ApprovedCount,
    Difference,
    Explanation,
)
from memberops.domain.values import whole_number
from memberops.errors import InvalidValueError, bounded, nearest
from memberops.policies.stocktake_limits import (
    ApprovalLimit,
    Tolerance,
    effective_limit,
)
from memberops.policies.stocktake_reasons import (
    DEFAULT_REASONS,
    TOLERANCE_REASON,
    DifferenceReason,
)
from memberops.policies.stocktake_words import (
    MEASURES,
    fact,
    found,
    no,
    objection,
    role_en,
    role_zh,
    yes,
)

__all__ = ["StocktakePolicy"]


def _roles(value: Iterable[str]) -> tuple[str, ...]:
    roles = () if isinstance(value, str) else tuple(value)
    if len(set(roles)) != len(roles) or len(roles) < len(("below", "above")):
        raise InvalidValueError(
            "roles are a list of at least two, the lowest first: what is beyond the "
            "limit needs the second or a higher one"
        )
    return roles


def _limits(value: Iterable[ApprovalLimit]) -> tuple[ApprovalLimit, ...]:
    return tuple(value)


def _reasons(value: Iterable[DifferenceReason]) -> tuple[DifferenceReason, ...]:
    reasons = tuple(value)
    codes = [each.code for each in reasons]
    if len(set(codes)) < len(codes):
        raise InvalidValueError("the code of a reason comes twice")
    return reasons


@attrs.frozen(kw_only=True)
class StocktakePolicy:
    """
    The rules of a chain's stocktakes (HQ §7).

    Args:
        days_after_promotion: Days after a promotion's end in which stores count.
        tolerance: What passes without anybody's word; nothing by default.
        limits: From where on the second role has to approve. By default that is any
            difference, for stores count under the regional manager's eyes.
        roles: Who approves in a store, the lowest first.
        warehouse_roles: Who approves in the warehouse, the lowest first.
        witness: Whether what nobody watched needs the second role in any case.
        reasons: The reasons a difference may have.
        version: Version of the policy.

    >>> from memberops.domain import CountLine
    >>> line = CountLine(stocktake_id="C1", place="store:S01", gift_id="CUP", counted=8,
    ...     counted_at=dt.datetime(2026, 10, 31, tzinfo=dt.UTC), position=9,
    ...     counted_by="E1", witnessed_by="E2")
    >>> shown = Difference(line=line, book=10)
    >>> policy = StocktakePolicy()
    >>> policy.decide(shown, as_of=dt.date(2026, 11, 1)).outcome
    'explain'
    >>> why = [Explanation(line_id=line.line_id, reason="damaged", quantity=-2)]
    >>> waiting = policy.decide(shown, why, as_of=dt.date(2026, 11, 1))
    >>> print(waiting.outcome, "|", waiting.explain("zh"))
    approve | 盘亏 2；原因：破损 2；数量超过限额；须由区域经理审批
    """

    days_after_promotion: int = attrs.field(default=2, validator=whole_number)
    tolerance: Tolerance = attrs.field(factory=Tolerance)
    limits: tuple[ApprovalLimit, ...] = attrs.field(
        default=(ApprovalLimit(scope="chain", quantity=0),), converter=_limits
    )
    roles: tuple[str, ...] = attrs.field(
        default=("store_manager", "regional_manager", "headquarters"), converter=_roles
    )
    warehouse_roles: tuple[str, ...] = attrs.field(
        default=("warehouse_manager", "headquarters"), converter=_roles
    )
    witness: bool = True
    reasons: tuple[DifferenceReason, ...] = attrs.field(
        default=DEFAULT_REASONS, converter=_reasons
    )
    version: str = "1"

    @days_after_promotion.validator
    def _check_days(self, _attribute: object, value: int) -> None:
        if value < 0:
            raise InvalidValueError("'days_after_promotion' is 0 or more")

    @limits.validator
    def _check_limits(self, _attribute: object, value: Any) -> None:
        scopes = [each.scope for each in value]
        if len(set(scopes)) < len(scopes):
            raise InvalidValueError("a scope has two limits: put them into one")

    def reason(self, code: str) -> DifferenceReason:
        """
        Return a reason by its code.

        Raises:
            InvalidValueError: The policy has no such reason.
        """
        for each in self.reasons:
            if each.code == code:
                return each
        raise InvalidValueError(
            f"no reason for a difference is called {bounded([code])}; "
            f"{nearest(str(code)[:40], [each.code for each in self.reasons])}"
        )

    def check_role(self, role: str) -> str:
        """
        Return a role that approves somewhere, and refuse any other word.

        Raises:
            InvalidValueError: Nobody of that role approves counts; with the nearest.

        >>> StocktakePolicy().check_role("headquarters")
        'headquarters'
        """
        known = tuple(dict.fromkeys((*self.roles, *self.warehouse_roles)))
        if role not in known:
            raise InvalidValueError(
                f"nobody approves counts as {bounded([role])}; {nearest(role, known)}"
            )
        return role

    def roles_at(self, place: str) -> tuple[str, ...]:
        """Return who approves at a place, the lowest first."""
        warehouse = Place(place).kind is PlaceKind.WAREHOUSE
        return self.warehouse_roles if warehouse else self.roles

    def decide(
        self,
        difference: Difference,
        explanations: Sequence[Explanation] = (),
        approval: Approval | None = None,
        *,
        as_of: dt.date,
        region: str | None = None,
    ) -> Decision:
        """
        Say what becomes of a difference.

        Args:
            difference: What the count says (`memberops.ledger.differences`).
            explanations: Why; each reason once, and together the whole difference.
            approval: What was said to it, if anything yet.
            as_of: The day asked for.
            region: The store's region, for its limits.

        Returns:
            A decision: ``"not_counted"``, ``"agrees"``, ``"tolerated"``,
            ``"explain"``, ``"approve"`` (the reason ``role`` names by whom),
            ``"refused"`` or ``"approved"``.

        Raises:
            InvalidValueError: An explanation or approval is of another line.
        """
        line = difference.line
        for each in (*explanations, *(() if approval is None else (approval,))):
            if each.line_id != line.line_id:
                raise InvalidValueError(
                    f"{bounded([each.line_id])} is another line than "
                    f"{bounded([line.line_id])}"
                )
        reasons = found(difference)
        unsettled = difference.to_explain
        if unsettled is None:
            outcome = "not_counted"
        elif 0 in {unsettled, difference.quantity}:
            outcome = "agrees"
            if explanations:
                text = "a reason is on file, and there is nothing to explain"
                reasons.append(fact("reason-unused", text, "无需说明，所填原因不采用"))
        elif self.tolerance.holds(unsettled, difference.judged_book):
            outcome = "tolerated"
            reasons.append(yes("tolerance", "within the tolerance", "在允差内"))
        else:
            why, explained = self._explained(difference, explanations)
            reasons += why
            outcome = "explain"
            if explained:
                outcome, said = self._approved(difference, approval, region)
                reasons += said
        return Decision(
            outcome=outcome,
            grounds=Statement(reasons=reasons),
            policy="stocktake",
            version=self.version,
            as_of=as_of,
        )

    def in_force(
        self,
        difference: Difference,
        explanations: Sequence[Explanation] = (),
        approval: Approval | None = None,
        *,
        as_of: dt.date,
        region: str | None = None,
    ) -> ApprovedCount | None:
        """
        Return the count that `memberops.ledger.settle` takes, once nothing is open.

        Args: See `decide`.

        Returns:
            The approved count; None while something is missing. A count that agrees,
            or is tolerated, is approved by the policy.
        """
        decided = self.decide(
            difference, explanations, approval, as_of=as_of, region=region
        )
        by = f"policy:stocktake@{self.version}"
        line, quantity = difference.line, difference.to_explain or 0
        given: Sequence[Explanation] = ()
        if decided.outcome == "tolerated":
            given = [
                Explanation(
                    line_id=line.line_id,
                    reason=TOLERANCE_REASON,
                    quantity=quantity,
                    by=by,
                )
            ]
        elif decided.outcome == "approved" and approval is not None:
            by, given = approval.by, explanations
        elif decided.outcome == "agrees":
            quantity = 0
        else:
            return None
        return ApprovedCount(
            line=line,
            difference=quantity,
            by=by,
            explanations=given,
            counters=difference.counters,
        )

    def _explained(
        self, difference: Difference, explanations: Sequence[Explanation]
    ) -> tuple[list[Reason], bool]:
        """Say what explains the difference, and whether all of it is."""
        known = {each.code: each for each in self.reasons}
        said: list[Reason] = []
        for each in explanations:
            code = each.reason
            if code not in known:
                shown = bounded([code])
                said.append(
                    no(
                        "reason-unknown",
                        f"the reason {shown} is not known",
                        f"没有原因代码 {shown}",
                    )
                )
            elif not known[code].fits(each.quantity):
                said.append(
                    no(
                        "reason-direction",
                        f"{known[code].text_en}: no reason for "
                        f"a {'surplus' if each.quantity > 0 else 'shortage'}",
                        f"“{known[code].text_zh}”不能用于"
                        f"{'盘盈' if each.quantity > 0 else '盘亏'}",
                    )
                )
            else:
                size = abs(each.quantity)
                said.append(
                    yes(
                        "reason",
                        f"reason: {known[code].text_en}, {size}",
                        f"原因：{known[code].text_zh} {size}",
                        ("code", code),
                        ("quantity", str(each.quantity)),
                    )
                )
        codes = [each.reason for each in explanations]
        if len(set(codes)) < len(codes):
            said.append(no("reason-twice", "a reason twice", "原因重复"))
        left = difference.unexplained(explanations)
        if left:
            said.append(
                no(
                    "unexplained",
                    f"{abs(left)} not explained",
                    f"尚有 {abs(left)} 未说明原因",
                    ("unexplained", str(left)),
                )
            )
        return said, all(reason.met for reason in said)

    def entitled(
        self, difference: Difference, approval: Approval, *, region: str | None = None
    ) -> bool:
        """
        Tell if a word on a line counts: who said it may, of what is there now.

        Args:
            difference: The line, and what it differs by.
            approval: What was said.
            region: The region of its store.
        """
        _, _, needed = self._needed(difference, region)
        roles = self.roles_at(difference.line.place)
        return objection(difference, approval, roles, needed) is None

    def _needed(
        self, difference: Difference, region: str | None
    ) -> tuple[str | None, bool, str]:
        """Return the limit that is exceeded, if nobody watched, and who approves."""
        line = difference.line
        beyond = effective_limit(self.limits, line.place, region).exceeded(difference)
        unseen = self.witness and line.witnessed_by in {None, line.counted_by}
        roles = self.roles_at(line.place)
        return beyond, unseen, roles[1 if beyond is not None or unseen else 0]

    def _approved(
        self, difference: Difference, approval: Approval | None, region: str | None
    ) -> tuple[str, list[Reason]]:
        """Say whose approval is needed and why, and if it is there."""
        line = difference.line
        roles = self.roles_at(line.place)
        said: list[Reason] = []
        beyond, unseen, needed = self._needed(difference, region)
        if beyond is not None:
            english, chinese = MEASURES[beyond]
            said.append(
                no(
                    "limit",
                    f"{english} is beyond the limit",
                    f"{chinese}超过限额",
                    ("measure", beyond),
                )
            )
        if unseen:
            said.append(no("witness", "nobody else watched", "无监盘人"))
        if line.counted_by is None:
            text = (
                "it is not known who counted: name them first",
                "未记录盘点人，须先补记",
            )
            said.append(no("counter-unknown", *text))
            return "approve", said
        wrong = objection(difference, approval, roles, needed)
        if approval is None or wrong is not None:
            said += [] if wrong is None else [wrong]
            said.append(
                no(
                    "role",
                    f"to be approved by {role_en(needed)}",
                    f"须由{role_zh(needed)}审批",
                    ("role", needed),
                )
            )
            return "approve", said
        who = role_zh(approval.role)
        if not approval.approved:
            text = (
                f"refused by {role_en(approval.role)}: recount",
                f"{who}未批准：须复盘",
            )
            return "refused", [*said, no("approval", *text)]
        text = f"approved by {role_en(approval.role)}", f"{who}已批准"
        return "approved", [*said, yes("approval", *text, ("by", approval.by))]
