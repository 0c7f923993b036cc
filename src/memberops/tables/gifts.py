"""Gifts: what they are, what moved, what was asked, issued and redeemed."""

from __future__ import annotations

import attrs

from memberops.tables.people import MEMBER_ID, STORE_ID
from memberops.tables.schema import Column, Kind, Table
from memberops.tables.words import YES_NO, spelled

__all__ = [
    "GIFTS",
    "GIFT_APPLICATIONS",
    "GIFT_ISSUES",
    "GIFT_MOVEMENTS",
    "POINT_REDEMPTIONS",
]


def _column(
    name: str,
    kind: Kind,
    headings: tuple[str, str],
    meanings: tuple[str, str],
    aliases: str = "",
    *,
    required: bool = False,
    choices: tuple[tuple[str, str], ...] = (),
) -> Column:
    return Column(
        name=name,
        kind=kind,
        heading_en=headings[0],
        heading_zh=headings[1],
        meaning_en=meanings[0],
        meaning_zh=meanings[1],
        aliases=tuple(aliases.split(",")) if aliases else (),
        required=required,
        choices=choices,
        quotable=kind not in {Kind.DATE, Kind.INSTANT},
    )


_REASONS = {
    "birthday": "生日,生日礼,生日礼品,会员生日",
    "promotion": "促销,活动,促销活动,买赠,赠送",
    "points": "积分,积分兑换,兑换,redemption",
    "complaint": "投诉,投诉补偿,客诉,补偿,compensation",
}
_PURPOSES = {
    **_REASONS,
    "replenishment": "补货,补充库存,日常补货",
    "opening": "新店,新店开业,开业备货,新店铺货,new store",
}
_GIFT_ID = _column("gift_id", Kind.ID, ("Gift", "礼品编号"),
    ("The chain's id of the gift.", "连锁企业内唯一的礼品编号。"),
    "礼品,赠品编号,赠品,礼品代码,赠品代码,gift code,item,sku",
    required=True)  # fmt: skip
_LOT_ID = _column("lot_id", Kind.ID, ("Lot", "批次"),
    ("The lot; empty if the gift has none.", "批次；不分批次则留空。"),
    "批号,批次号,lot no,batch")  # fmt: skip
_QUANTITY = _column("quantity", Kind.INTEGER, ("Quantity", "数量"),
    ("How many, at least 1.", "数量，至少为 1。"), "件数,赠送数量,qty",
    required=True)  # fmt: skip
_TICKET_ID = _column("ticket_id", Kind.ID, ("Ticket", "小票号"),
    ("The ticket that it belongs to.", "所属小票。"),
    "单据号,销售单号,ticket no")  # fmt: skip
_ISSUE_STORE = attrs.evolve(STORE_ID, meaning_en="The store that gives.",
                            meaning_zh="发放礼品的门店。")  # fmt: skip

GIFTS = Table(
    name="gifts",
    title_en="Gifts",
    title_zh="礼品档案",
    key=("gift_id",),
    columns=(
        _GIFT_ID,
        _column("name", Kind.TEXT, ("Gift name", "礼品名称"),
            ("As people say it.", "礼品名称。"), "名称,赠品名称"),
        _column("unit_value", Kind.MONEY, ("Unit value", "单价"),
            ("What one is worth in the books.", "账面单价。"), "单位价值,成本,cost"),
        _column("points_price", Kind.INTEGER, ("Points price", "兑换积分"),
            ("Points for one; empty if it is not given for points.",
             "兑换一件所需积分；不可兑换则留空。"), "所需积分,积分价,points"),
        _column("has_lots", Kind.CHOICE, ("Has lots", "是否分批次"),
            ("Whether every movement names the lot, yes or no; empty is no.",
             "是否按批次管理；空为否。"), "批次管理,lots", choices=YES_NO),
        _column("minimum", Kind.INTEGER, ("Minimum", "最低库存"),
            ("Stock that the chain wants at least.", "最低库存。"), "安全库存,min"),
        _column("maximum", Kind.INTEGER, ("Maximum", "最高库存"),
            ("Stock that the chain wants at most.", "最高库存。"), "库存上限,max"),
        _column("lot_size", Kind.INTEGER, ("Order multiple", "采购倍数"),
            ("It is ordered in multiples of this.", "采购数量须为其整数倍。"),
            "包装数量,起订倍数,multiple"),
    ),
)  # fmt: skip

GIFT_MOVEMENTS = Table(
    name="gift_movements",
    title_en="Movements of gifts",
    title_zh="礼品流水",
    columns=(
        _column("posting_id", Kind.ID, ("Posting", "凭证号"),
            ("Key of the posting; its movements happen at once.",
             "凭证号；同一凭证的各行同时生效。"), "单据编号,流水号,key", required=True),
        _column("kind", Kind.CHOICE, ("Kind", "类型"),
            ("What it is, a word of `PostingKind`.", "业务类型。"), "业务类型,type",
            required=True,
            choices=spelled(
                opening="期初,铺货,新店铺货", receipt="入库,采购入库",
                dispatch="发货,配送出库",
                arrival="收货,到货,门店收货", transfer="调拨", issue="发放,赠送",
                redemption="兑换,积分兑换", damage="报损,损坏", destruction="销毁,报废",
                adjustment="调整,盘点调整", award="积分发放", spend="积分消费",
                expiry="过期,积分过期", reversal="冲销,红冲", **{"return": "退回,退货"},
            )),
        _column("effective_at", Kind.INSTANT, ("Effective at", "生效时间"),
            ("When the goods moved.", "货物移动的时刻。"), "时间,业务时间,日期,date",
            required=True),
        _GIFT_ID,
        _LOT_ID,
        _column("valid_through", Kind.DATE, ("Valid through", "有效期至"),
            ("Last day of the lot, inclusive.", "批次最后有效日（含当日）。"),
            "到期日,有效期,expiry"),
        _column("source", Kind.ID, ("From", "转出"),
            ("Place or account that loses it, such as store:S01.",
             "转出地点或账户，例如 store:S01。"), "来源,转出地点,from", required=True),
        _column("destination", Kind.ID, ("To", "转入"),
            ("Place or account that gains it.", "转入地点或账户。"),
            "去向,转入地点,to", required=True),
        _QUANTITY,
        _column("reason", Kind.TEXT, ("Reason", "原因"), ("Why.", "原因说明。"),
            "备注,说明,remark"),
        _column("by", Kind.ID, ("By", "经办人"), ("Who did it.", "经办人编号。"),
            "操作人,经手人,staff"),
        _column("refers_to", Kind.TEXT, ("Refers to", "关联单据"),
            ("What it rests on, such as ticket=T1;application=A1.",
             "关联单据，例如 ticket=T1;application=A1。"), "关联单号,references"),
        _column("reverses", Kind.ID, ("Reverses", "冲销凭证"),
            ("The posting that a reversal takes back.", "被冲销的凭证号。"),
            "红冲凭证"),
        _column("late", Kind.CHOICE, ("Late entry", "补录"),
            ("Whether it enters a closed period knowingly; empty is no.",
             "是否补录到已关账期间；空为否。"), "是否补录", choices=YES_NO),
    ),
)  # fmt: skip

GIFT_APPLICATIONS = Table(
    name="gift_applications",
    title_en="Applications for gifts",
    title_zh="礼品申请单",
    key=("application_id",),
    columns=(
        _column("application_id", Kind.ID, ("Application", "申请单号"),
            ("The application.", "申请单号。"), "申请编号,单号,application no",
            required=True),
        attrs.evolve(STORE_ID, meaning_en="The store that applies.",
                     meaning_zh="申请门店。"),
        _GIFT_ID,
        _column("asked", Kind.INTEGER, ("Asked", "申请数量"),
            ("How many are asked for.", "申请数量。"), "数量,申请量,quantity",
            required=True),
        _column("purpose", Kind.CHOICE, ("Purpose", "用途"),
            ("What for, such as birthday, promotion, replenishment or opening.",
             "用途：生日、促销、积分、投诉、补货或新店。"),
            "申请用途,申请原因,reason", required=True, choices=spelled(**_PURPOSES)),
        _column("applied_by", Kind.ID, ("Applied by", "申请人"),
            ("Who applies.", "申请人编号。"), "申请人员,applicant", required=True),
        _column("applied_at", Kind.INSTANT, ("Applied at", "申请时间"),
            ("When.", "申请时刻。"), "申请日期,提交时间,date", required=True),
        _column("approved", Kind.INTEGER, ("Approved", "批准数量"),
            ("How many are granted: 0 refuses, empty is not answered yet.",
             "批准数量；0 为不批准，空为未审批。"), "审批数量,批准量,granted"),
        _column("approved_by", Kind.ID, ("Approved by", "审批人"),
            ("Who answered.", "审批人编号。"), "批准人,approver"),
        _column("approved_at", Kind.INSTANT, ("Approved at", "审批时间"),
            ("When it was answered.", "审批时刻。"), "审批日期,批准时间"),
    ),
)  # fmt: skip

GIFT_ISSUES = Table(
    name="gift_issues",
    title_en="Gifts issued",
    title_zh="赠品发放登记表",
    columns=(
        _column("issue_id", Kind.ID, ("Issue", "登记编号"),
            ("The line of the register.", "登记编号。"), "发放单号,编号,issue no",
            required=True),
        _column("issued_at", Kind.INSTANT, ("Issued at", "发放时间"),
            ("When it was given.", "发放时刻。"), "发放日期,日期,时间,date",
            required=True),
        _ISSUE_STORE,
        attrs.evolve(MEMBER_ID, required=False),
        _TICKET_ID,
        _GIFT_ID,
        _LOT_ID,
        _QUANTITY,
        _column("reason", Kind.CHOICE, ("Reason", "发放原因"),
            ("Why: birthday, promotion, points or complaint.",
             "原因：生日、促销、积分或投诉。"), "原因,用途,purpose",
            choices=spelled(**_REASONS)),
        _column("issued_by", Kind.ID, ("Issued by", "发放人"),
            ("Who gave it.", "发放人编号。"), "经办人,发放人员,staff"),
        _column("redemption_id", Kind.ID, ("Redemption", "兑换单号"),
            ("The redemption of points that it belongs to, if the till knows it.",
             "对应的积分兑换单号（如有）。"), "积分兑换单号,redemption no"),
    ),
)  # fmt: skip

POINT_REDEMPTIONS = Table(
    name="point_redemptions",
    title_en="Points redeemed",
    title_zh="积分兑换记录",
    columns=(
        _column("redemption_id", Kind.ID, ("Redemption", "兑换单号"),
            ("The redemption.", "兑换单号。"), "兑换编号,单号,redemption no",
            required=True),
        _column("redeemed_at", Kind.INSTANT, ("Redeemed at", "兑换时间"),
            ("When the points were taken.", "扣减积分的时刻。"),
            "兑换日期,日期,时间,date", required=True),
        attrs.evolve(STORE_ID, meaning_en="The store where the gift is given.",
                     meaning_zh="兑换门店。"),
        MEMBER_ID,
        _TICKET_ID,
        _GIFT_ID,
        _QUANTITY,
        _column("points", Kind.INTEGER, ("Points", "积分"),
            ("How many points were taken.", "扣减的积分。"), "扣减积分,使用积分"),
    ),
)  # fmt: skip
