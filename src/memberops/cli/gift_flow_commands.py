"""``memberops gifts``: from an application to the member; the match of the books."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from memberops.cli.answering import give_answer
from memberops.cli.gift_options import (
    Moment,
    day_or_moment,
    only_progress,
    role_word,
    strict,
    word,
)
from memberops.cli.options import AsOf, Options, read_moment
from memberops.cli.whole_numbers import Whole
from memberops.domain import GiftApplication, ReceivedLot
from memberops.errors import InvalidValueError
from memberops.tables import GIFT_APPLICATIONS

if TYPE_CHECKING:
    from memberops.workflows import Answer, Chain

__all__ = [
    "apply",
    "approve",
    "destroy",
    "dispatch",
    "match",
    "recall",
    "receive",
    "redeem",
    "take_back",
]

Application = Annotated[str, Parameter(help="申请单号。Id of the application.")]
Kept = Annotated[
    Path, Parameter(help="礼品申请单 CSV，写入该文件。The file of applications.")
]
Applications = Annotated[
    Path | None,
    Parameter(help="礼品申请单 CSV，默认取配置。Applications; the chain's by default."),
]
Quantity = Annotated[Whole, Parameter(help="数量。How many.")]
Number = Annotated[Whole, Parameter(help="第几次发货。Which delivery, from 1.")]
Who = Annotated[str, Parameter(help="经办人编号。Who does it.")]
Store = Annotated[str, Parameter(help="门店编号。The store.")]
Member = Annotated[str, Parameter(help="会员编号。The member.")]
GiftId = Annotated[str, Parameter(help="礼品编号。The gift.")]


def apply(
    options: Options,
    *,
    application: Application,
    store: Store,
    gift: GiftId,
    quantity: Quantity,
    purpose: Annotated[
        str,
        Parameter(
            help="用途：birthday 生日、promotion 促销、points 积分、complaint 投诉、"
            "replenishment 补货、opening 新店。What for."
        ),
    ],
    by: Who,
    at: Moment,
    applications: Kept,
) -> int:
    """登记礼品申请单，同号只记一次。Write an application; its number counts once."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        asked = GiftApplication(
            application_id=application,
            store_id=store,
            gift_id=gift,
            asked=quantity,
            purpose=word(purpose, GIFT_APPLICATIONS.column("purpose")),
            applied_by=by,
            applied_at=read_moment(at, chain.zone, option="--at"),
        )
        return chain.apply_for_gifts(
            asked, applications=applications, **only_progress(given)
        )

    return give_answer(options, ask, moment=at, application=application)


def approve(
    options: Options,
    *,
    application: Application,
    approved: Annotated[
        Whole, Parameter(help="批准数量，0 为不批准。How many; 0 refuses.")
    ],
    by: Annotated[str, Parameter(help="审批人编号。Who answers.")],
    role: Annotated[str, Parameter(help="审批角色，如 manager、经理。The role.")],
    at: Moment,
    applications: Kept,
    place: Annotated[
        str,
        Parameter(
            help="审批人负责的范围，如 region:R1、store:S01。What they answer for."
        ),
    ] = "chain",
) -> int:
    """审批礼品申请单：全批、部分批准或不批准。Answer an application, if one may."""
    from memberops.policies import Approver

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.approve_gifts(
            application,
            approved=approved,
            approver=Approver(
                staff_id=by,
                role=role_word(
                    role, {each.role for each in chain.policies.gift_approval.rights}
                ),
                place=place,
            ),
            at=read_moment(at, chain.zone, option="--at"),
            applications=applications,
            **only_progress(given),
        )

    return give_answer(strict(options), ask, moment=at, approval=application)


def dispatch(
    options: Options,
    *,
    application: Application,
    quantity: Quantity,
    by: Who,
    at: Moment,
    number: Number = 1,
    applications: Applications = None,
) -> int:
    """按审批发货，先到期先发。Send what was approved, first expired first."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.dispatch_gifts(
            application,
            quantity=quantity,
            by=by,
            effective_at=read_moment(at, chain.zone, option="--at"),
            number=number,
            applications=applications,
            **only_progress(given),
        )

    return give_answer(options, ask, moment=at, dispatch=application, number=number)


def recall(
    options: Options,
    *,
    application: Application,
    by: Who,
    reason: Annotated[str, Parameter(help="撤回原因。Why, in words.")],
    at: Moment,
    number: Number = 1,
    applications: Applications = None,
) -> int:
    """撤回整次发货，尚未到店。Take a whole delivery back, before any of it arrived."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.recall_gifts(
            application,
            by=by,
            reason=reason,
            effective_at=read_moment(at, chain.zone, option="--at"),
            number=number,
            applications=applications,
            **only_progress(given),
        )

    return give_answer(options, ask, moment=at, recall=application, number=number)


def receive(
    options: Options,
    *,
    application: Application,
    lots: Annotated[
        list[str],
        Parameter(
            consume_multiple=True,
            negative=(),
            help="实收：批次=数量，如 L1=14 L2=5；不分批次的只写数量，没有收到写 0。"
            "What came: lot=quantity; only the quantity where there are no lots.",
        ),
    ],
    by: Who,
    at: Moment,
    number: Number = 1,
    part: Annotated[
        Whole, Parameter(help="该次发货的第几次收货。Which receipt of it, from 1.")
    ] = 1,
    new_lots: Annotated[
        bool,
        Parameter(
            negative=(),
            help="批次从未入账也收，无有效期。Take lots never seen before.",
        ),
    ] = False,
    applications: Applications = None,
) -> int:
    """确认收货，短少和溢收列明。Confirm a delivery; what differs is named."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.receive_gifts(
            application,
            [_received(each) for each in lots],
            by=by,
            effective_at=read_moment(at, chain.zone, option="--at"),
            number=number,
            part=part,
            new_lots=new_lots,
            applications=applications,
            **only_progress(given),
        )

    return give_answer(
        options, ask, moment=at, receipt=application, number=number, part=part
    )


def _received(text: str) -> ReceivedLot:
    lot, _, quantity = text.rpartition("=")
    if not (quantity.isascii() and quantity.isdecimal()):
        raise InvalidValueError(
            "--lots takes what came as lot=quantity, such as L1=14, or as a quantity "
            f"alone, not {text[:40]!r}"
        )
    return ReceivedLot(quantity=int(quantity), lot_id=lot or None)


def redeem(
    options: Options,
    *,
    redemption: Annotated[str, Parameter(help="兑换单号。Id of the redemption.")],
    store: Store,
    member: Member,
    gift: GiftId,
    at: Moment,
    by: Who,
    quantity: Quantity = 1,
    ticket: Annotated[str | None, Parameter(help="小票号。The ticket.")] = None,
) -> int:
    """积分兑换礼品，积分与礼品一并入账。Give a gift for points, both or neither."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.redeem_gift(
            redemption_id=redemption,
            store_id=store,
            member_id=member,
            gift_id=gift,
            quantity=quantity,
            by=by,
            ticket_id=ticket,
            effective_at=read_moment(at, chain.zone, option="--at"),
            **only_progress(given),
        )

    return give_answer(options, ask, moment=at, redemption=redemption)


def take_back(
    options: Options,
    *,
    paper: Annotated[str, Parameter(help="退回单号。Id of the return.")],
    posting: Annotated[
        str, Parameter(help="发放凭证号，如 issue:R7。Posting that gave it.")
    ],
    at: Moment,
    by: Who,
    quantity: Quantity = 1,
    reason: Annotated[str, Parameter(help="原因说明。Why, in words.")] = "",
) -> int:
    """会员退回礼品，回到原批次。A member brings a gift back, into its lot."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.return_gift(
            return_id=paper,
            issue_key=posting,
            quantity=quantity,
            by=by,
            reason=reason,
            effective_at=read_moment(at, chain.zone, option="--at"),
            **only_progress(given),
        )

    return give_answer(options, ask, moment=at, **{"return": paper})


def destroy(
    options: Options,
    *,
    paper: Annotated[str, Parameter(help="销毁单号。Id of the destruction.")],
    gift: GiftId,
    place: Annotated[str, Parameter(help="库位，如 store:S01。Where it lies.")],
    quantity: Quantity,
    at: Moment,
    by: Who,
    reason: Annotated[str, Parameter(help="销毁原因。Why, in words.")],
    witnesses: Annotated[
        list[str],
        Parameter(
            consume_multiple=True,
            negative=(),
            help="见证人编号，不含经办人。Who sees it, not who does it.",
        ),
    ],
    lot: Annotated[
        str | None, Parameter(help="批次，默认先到期。The lot; the first to expire.")
    ] = None,
) -> int:
    """销毁礼品，须有见证人。Destroy gifts before witnesses."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.destroy_gifts(
            paper_id=paper,
            gift_id=gift,
            place=place,
            quantity=quantity,
            by=by,
            reason=reason,
            witnesses=witnesses,
            lot_id=lot,
            effective_at=read_moment(at, chain.zone, option="--at"),
            **only_progress(given),
        )

    return give_answer(options, ask, moment=at, destruction=paper)


def match(
    options: Options,
    *,
    as_of: AsOf,
    redemptions: Annotated[
        Path | None,
        Parameter(help="积分兑换 CSV，默认取配置。Points redeemed; the chain's."),
    ] = None,
    issues: Annotated[
        Path | None,
        Parameter(help="收银发放 CSV，默认取配置。Gifts issued; the chain's."),
    ] = None,
) -> int:
    """核对积分兑换、收银发放与库存流水。Match points, till and stock."""

    def ask(chain: "Chain", given: dict[str, Any]) -> "Answer":
        return chain.gift_match(
            as_of=day_or_moment(as_of, chain),
            redemptions=redemptions,
            issues=issues,
            **only_progress(given),
        )

    return give_answer(
        options,
        ask,
        moment=as_of,
        redemptions=None if redemptions is None else redemptions.stem,
        issues=None if issues is None else issues.stem,
    )
