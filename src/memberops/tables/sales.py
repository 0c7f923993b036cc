"""Sales lines, and sales targets."""

from __future__ import annotations

import attrs

from memberops.tables.people import MEMBER_ID, STORE_ID
from memberops.tables.schema import Column, Kind, Table

__all__ = ["SALES", "TARGETS"]

SALES = Table(
    name="sales",
    title_en="Sales lines",
    title_zh="销售明细",
    columns=(
        Column(
            name="ticket_id",
            kind=Kind.ID,
            required=True,
            heading_en="Ticket",
            heading_zh="小票号",
            meaning_en="The ticket, unique in the chain.",
            meaning_zh="小票号，连锁企业内唯一。",
            aliases=("单据号", "单号", "流水号", "销售单号", "交易号", "订单号",
                     "ticket no", "receipt", "receipt no", "invoice", "invoice no",
                     "InvoiceNo", "order id", "transaction id"),
        ),
        Column(
            name="sold_on",
            kind=Kind.DATE,
            required=True,
            derived_from=("sold_at",),
            heading_en="Sold on",
            heading_zh="销售日期",
            meaning_en="Calendar day of the sale in the store's zone.",
            meaning_zh="按门店所在时区的销售日期。",
            aliases=("日期", "消费日期", "交易日期", "date", "sale date",
                     "business date", "营业日期"),
        ),
        Column(
            name="sold_at",
            kind=Kind.INSTANT,
            heading_en="Sold at",
            heading_zh="销售时间",
            meaning_en="Moment of the sale; a local time is read in the store's zone.",
            meaning_zh="销售时刻；无时区的时间按门店所在时区理解。",
            aliases=("消费时间", "交易时间", "下单时间", "time", "sale time",
                     "timestamp", "InvoiceDate", "invoice date", "datetime"),
        ),
        STORE_ID,
        attrs.evolve(
            MEMBER_ID,
            required=False,
            meaning_en="The member, or empty for other customers.",
            meaning_zh="会员编号；非会员留空。",
        ),
        Column(
            name="item_id",
            kind=Kind.ID,
            heading_en="Item",
            heading_zh="商品编码",
            meaning_en="What was sold.",
            meaning_zh="商品编码。",
            aliases=("商品编号", "商品代码", "货号", "条码", "sku", "StockCode",
                     "item code", "product id"),
        ),
        Column(
            name="item_name",
            kind=Kind.TEXT,
            heading_en="Item name",
            heading_zh="商品名称",
            meaning_en="Name of the item.",
            meaning_zh="商品名称。",
            aliases=("品名", "description", "product name"),
        ),
        Column(
            name="quantity",
            kind=Kind.INTEGER,
            required=True,
            heading_en="Quantity",
            heading_zh="数量",
            meaning_en="Units; negative for a return.",
            meaning_zh="数量；退货为负数。",
            aliases=("件数", "销售数量", "qty", "units"),
        ),
        Column(
            name="unit_price",
            kind=Kind.MONEY,
            heading_en="Unit price",
            heading_zh="单价",
            meaning_en="Price of one unit, in minor units.",
            meaning_zh="单件价格，以最小货币单位计。",
            aliases=("售价", "price", "UnitPrice"),
        ),
        Column(
            name="amount",
            kind=Kind.MONEY,
            required=True,
            derived_from=("quantity", "unit_price"),
            heading_en="Amount",
            heading_zh="金额",
            meaning_en="What was paid for the line, net of discounts, in minor units; "
            "negative for a return.",
            meaning_zh="该行实付金额（扣除折扣），以最小货币单位计；退货为负数。",
            aliases=("实付金额", "销售金额", "实收金额", "实收", "成交金额", "小计",
                     "net amount", "line total", "total", "paid"),
        ),
        Column(
            name="returned_ticket_id",
            kind=Kind.ID,
            heading_en="Returned ticket",
            heading_zh="原小票号",
            meaning_en="The ticket that a return line takes back, if linked.",
            meaning_zh="退货对应的原小票号（如有关联）。",
            aliases=("原单号", "原单据号", "原销售单号", "original ticket",
                     "original receipt"),
        ),
    ),
)  # fmt: skip

TARGETS = Table(
    name="targets",
    title_en="Sales targets",
    title_zh="销售目标",
    key=("store_id", "month"),
    columns=(
        STORE_ID,
        Column(
            name="month",
            kind=Kind.DATE,
            required=True,
            heading_en="Month",
            heading_zh="月份",
            meaning_en="The month, as its first day.",
            meaning_zh="月份，以当月第一天表示。",
            aliases=("目标月份", "年月", "period"),
        ),
        Column(
            name="target",
            kind=Kind.MONEY,
            required=True,
            heading_en="Sales target",
            heading_zh="销售目标",
            meaning_en="Sales target of the store for the month, in minor units.",
            meaning_zh="门店当月销售目标，以最小货币单位计。",
            aliases=("目标", "目标金额", "销售指标", "sales goal"),
        ),
    ),
)  # fmt: skip
