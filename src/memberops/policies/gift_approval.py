"""Who may approve gifts, and how many (HQ §7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import attrs
import pandas as pd

from memberops.domain import Currency, Decision, Money, Reason, Statement
from memberops.domain.gift_flow import GiftApplication
from memberops.domain.values import check_as_of, identifier, whole_number
from memberops.errors import InvalidValueError, bounded
from memberops.policies.gift_approval_frame import approval_outcomes

__all__ = ["ApprovalRight", "Approver", "GiftApprovalPolicy"]

_CHAIN = "chain"


def _scope(_instance: object, attribute: attrs.Attribute[str], value: object) -> None:
    kind, _, name = str(value).partition(":")
    if value != _CHAIN and (kind not in {"region", "store"} or not name.strip()):
        raise InvalidValueError(
            f"{attribute.name!r} is 'chain', 'region:R1' or 'store:S01', "
            f"not {bounded([value])}"
        )


@attrs.frozen(kw_only=True)
class Approver:
    """
    Who answers an application.

    Args:
        staff_id: The person.
        role: Their role, such as ``"manager"``.
        place: What they answer for: ``"chain"``, ``"region:R1"`` or ``"store:S01"``.
    """

    staff_id: str = attrs.field(validator=identifier)
    role: str = attrs.field(validator=identifier)
    place: str = attrs.field(default=_CHAIN, validator=_scope)


def _at_least_none(
    instance: object, attribute: attrs.Attribute[int], value: int
) -> None:
    whole_number(instance, attribute, value)
    if value < 0:
        raise InvalidValueError(f"{attribute.name!r} is at least 0")


@attrs.frozen(kw_only=True)
class ApprovalRight:
    """
    How much a role may approve somewhere.

    Args:
        role: The role.
        place: Where it holds: ``"chain"``, ``"region:R1"`` or ``"store:S01"``.
        quantity: The most gifts of one application; None: any number.
        value: The most that they may be worth; None: any.
    """

    role: str = attrs.field(validator=identifier)
    place: str = attrs.field(default=_CHAIN, validator=_scope)
    quantity: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(_at_least_none)
    )
    value: Money | None = attrs.field(
        default=None,
        validator=attrs.validators.optional(attrs.validators.instance_of(Money)),
    )


def _rights(value: Iterable[ApprovalRight]) -> tuple[ApprovalRight, ...]:
    return tuple(value)


@attrs.frozen(kw_only=True)
class GiftApprovalPolicy:
    """
    The policy of who may approve gifts, in full or in part (HQ §7).

    A right is looked up for the role at the store, then at its region, then in the
    chain: the first that is found counts. Nobody approves an application of their
    own, and an approver answers for the store. The manual's default is that a manager
    approves, without a limit.

    Args:
        rights: How much each role may approve where.
        policy: Id of the policy.
        version: Version of the policy.

    Raises:
        InvalidValueError: No right, or two for one role at one place.

    >>> asked = GiftApplication(application_id="A-1", store_id="S01", gift_id="CUP",
    ...     asked=20, purpose="birthday", applied_by="E1",
    ...     applied_at=dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
    >>> policy = GiftApprovalPolicy(rights=[
    ...     ApprovalRight(role="manager", quantity=15), ApprovalRight(role="head")])
    >>> chief = Approver(staff_id="E2", role="manager")
    >>> day = dt.date(2026, 10, 1)
    >>> policy.decide(asked, approved=15, approver=chief, as_of=day).outcome
    'partly_approved'
    >>> answer = policy.decide(asked, approved=20, approver=chief, as_of=day)
    >>> print(answer.outcome, answer.explain("zh"))
    not_entitled manager 每单最多可批 15 件，本次 20 件；可批：head
    """

    rights: tuple[ApprovalRight, ...] = attrs.field(
        default=(ApprovalRight(role="manager"),), converter=_rights
    )
    policy: str = attrs.field(default="gift-approval", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    @rights.validator
    def _check_rights(
        self, _attribute: object, value: tuple[ApprovalRight, ...]
    ) -> None:
        known = [(each.role, each.place) for each in value]
        if not known or len(set(known)) < len(known):
            raise InvalidValueError(
                "'rights' has at least one right, and one for each role and place "
                f"(got {bounded(known)})"
            )

    def right(
        self, role: str, *, store_id: str, region_id: str | None = None
    ) -> ApprovalRight | None:
        """
        Look up what a role may approve for a store: store, then region, then chain.

        Args:
            role: The role.
            store_id: The store that applies.
            region_id: Its region, if it has one.
        """
        known = {(each.role, each.place): each for each in self.rights}
        for place in (f"store:{store_id}", f"region:{region_id}", _CHAIN):
            if (role, place) in known:
                return known[role, place]
        return None

    def decide(
        self,
        application: GiftApplication,
        *,
        approved: int,
        approver: Approver,
        as_of: dt.date,
        region_id: str | None = None,
        unit_value: Money | None = None,
    ) -> Decision:
        """
        Say whether someone may answer an application so.

        Args:
            application: What is asked.
            approved: How many would be granted; 0 refuses.
            approver: Who answers.
            as_of: The day of the answer.
            region_id: The region of the store, if it has one.
            unit_value: What one gift is worth; needed where a right has a value.

        Returns:
            A decision: ``"approved"``, ``"partly_approved"``, ``"refused"``, or
            ``"not_entitled"`` with what is not met and which roles could do it.

        Raises:
            InvalidValueError: More is granted than asked, or less than nothing.
        """
        if type(approved) is not int or not 0 <= approved <= application.asked:
            raise InvalidValueError(
                f"'approved' is a whole number from 0 to the {application.asked} asked"
            )
        right = self.right(
            approver.role, store_id=application.store_id, region_id=region_id
        )
        reasons = [
            _separation(application, approver),
            _responsibility(application, approver, region_id),
            *_amounts(approver.role, right, approved, unit_value),
        ]
        failed = [each for each in reasons if not each.met]
        if failed:
            outcome = "not_entitled"
            others = self._entitled(application, approved, region_id, unit_value)
            reasons.append(_who_may(others))
            shown = [*failed, reasons[-1]]
        else:
            outcome, granted = _granted(approved, application.asked)
            reasons.append(granted)
            shown = [granted]
        return Decision(
            outcome=outcome,
            grounds=Statement(
                reasons=reasons,
                text_en="; ".join(each.text_en for each in shown),
                text_zh="；".join(each.text_zh for each in shown),
            ),
            policy=self.policy,
            version=self.version,
            as_of=check_as_of(as_of),
        )

    def decide_frame(
        self, frame: pd.DataFrame, *, currency: Currency | None = None
    ) -> pd.DataFrame:
        """
        Say of many answers at once whether they may be given; row by row as `decide`.

        Args:
            frame: ``store_id``, ``asked``, ``applied_by``, ``approved`` (what would
                be granted), ``approver`` and ``role``; where there are any, ``place``
                (what the approver answers for; empty is the chain), ``region_id`` and
                ``unit_value`` in minor units.
            currency: What unit values are in; needed where a right has a value.

        Returns:
            The frame with ``outcome``, and ``unmet``: the rules that are not met,
            separated by commas. A row that lacks something, or grants less than 0 or
            more than was asked, has no outcome, and ``unmet`` is ``row``.

        Raises:
            MissingColumnsError: A column is not there.
            FrameError: The frame has an outcome already.
            InvalidValueError: A column of counts holds something else, or there is no
                *currency*.
            CurrencyMismatchError: A right counts in another currency.

        >>> frame = pd.DataFrame({"store_id": "S01", "asked": 20, "applied_by": "E1",
        ...     "approved": [20, 15, 20], "approver": ["E2", "E2", "E1"],
        ...     "role": "manager"})
        >>> policy = GiftApprovalPolicy(
        ...     rights=[ApprovalRight(role="manager", quantity=15)])
        >>> policy.decide_frame(frame)[["outcome", "unmet"]].values.tolist()[:2]
        [['not_entitled', 'quantity'], ['partly_approved', '']]
        """
        return approval_outcomes(self, frame, currency=currency)

    def _entitled(
        self,
        application: GiftApplication,
        approved: int,
        region_id: str | None,
        unit_value: Money | None,
    ) -> list[str]:
        roles = dict.fromkeys(each.role for each in self.rights)
        return [
            role
            for role in roles
            if all(
                each.met
                for each in _amounts(
                    role,
                    self.right(
                        role, store_id=application.store_id, region_id=region_id
                    ),
                    approved,
                    unit_value,
                )
            )
        ]


def _separation(application: GiftApplication, approver: Approver) -> Reason:
    met = application.applied_by != approver.staff_id
    return Reason(
        rule="separation",
        met=met,
        figures=(
            ("applied_by", application.applied_by),
            ("approver", approver.staff_id),
        ),
        text_en="another person applied"
        if met
        else "nobody approves an application of their own",
        text_zh="申请人与审批人不是同一人" if met else "申请人不得审批自己的申请",
    )


def _responsibility(
    application: GiftApplication, approver: Approver, region_id: str | None
) -> Reason:
    store = f"store:{application.store_id}"
    met = approver.place in {_CHAIN, store} or (
        region_id is not None and approver.place == f"region:{region_id}"
    )
    return Reason(
        rule="responsibility",
        met=met,
        figures=(("store", store), ("answers_for", approver.place)),
        text_en=f"the approver answers for {approver.place}, "
        f"{'and so' if met else 'not'} for {store}",
        text_zh=f"审批人负责 {approver.place}，{'包括' if met else '不包括'} {store}",
    )


def _amounts(
    role: str, right: ApprovalRight | None, approved: int, unit_value: Money | None
) -> list[Reason]:
    if right is None:
        return [
            Reason(
                rule="right",
                met=False,
                figures=(("role", role),),
                text_en=f"the role {role} approves no gifts here",
                text_zh=f"{role} 无权审批该门店的礼品申请",
            )
        ]
    found = [
        Reason(
            rule="right",
            met=True,
            figures=(("role", role), ("place", right.place)),
            text_en=f"the right of {role} is that of {right.place}",
            text_zh=f"{role} 的权限取自 {right.place}",
        )
    ]
    if right.quantity is not None:
        found.append(
            Reason(
                rule="quantity",
                met=approved <= right.quantity,
                figures=(("approved", str(approved)), ("most", str(right.quantity))),
                text_en=f"{role} approves at most {right.quantity} an application, "
                f"and this is {approved}",
                text_zh=f"{role} 每单最多可批 {right.quantity} 件，本次 {approved} 件",
            )
        )
    if right.value is not None:
        found.append(_worth(role, right.value, approved, unit_value))
    return found


def _worth(role: str, most: Money, approved: int, unit_value: Money | None) -> Reason:
    # What costs nothing needs no value: a refusal is within every right.
    worth = None if unit_value is None else unit_value.times(approved)
    met = not approved or (worth is not None and worth <= most)
    said = "unknown" if worth is None else str(worth)
    said_zh = "未知" if worth is None else str(worth)
    return Reason(
        rule="value",
        met=met,
        figures=(("value", said), ("most", str(most))),
        text_en=f"{role} approves at most {most} an application, and this is {said}",
        text_zh=f"{role} 每单最多可批 {most}，本次 {said_zh}",
    )


def _who_may(roles: list[str]) -> Reason:
    names = ", ".join(roles)
    return Reason(
        rule="entitled",
        met=None,
        figures=(("roles", names),),
        text_en=f"could approve it: {names or 'nobody'}",
        text_zh=f"可批：{'、'.join(roles) or '无'}",
    )


def _granted(approved: int, asked: int) -> tuple[str, Reason]:
    outcome, english, chinese = (
        ("refused", "refused", "不批准")
        if not approved
        else ("approved", f"all {asked} approved", f"全部批准 {asked} 件")
        if approved == asked
        else (
            "partly_approved",
            f"{approved} of {asked} approved",
            f"批准 {approved} 件（申请 {asked} 件）",
        )
    )
    return outcome, Reason(
        rule="granted",
        met=approved > 0,
        figures=(("approved", str(approved)), ("asked", str(asked))),
        text_en=english,
        text_zh=chinese,
    )
