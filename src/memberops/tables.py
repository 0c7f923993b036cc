"""
The canonical tables: what every source gives and every analysis takes.

Each table is a value: its columns with type, need, meaning, headings in Chinese and
English, and the headings that files usually carry. The CSV source converts by it, the
metrics check frames by it, and the reference page is made from it.

In frames, money is ``int64`` minor units, a date is a calendar day in the store's zone,
an instant is zone-aware UTC, and an id is text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from enum import StrEnum

import attrs

from memberops.errors import MissingColumnsError, UnknownTableError, nearest

__all__ = [
    "CARDS",
    "MEMBERS",
    "SALES",
    "STORES",
    "TABLES",
    "TARGETS",
    "Column",
    "Kind",
    "Table",
    "normal_heading",
    "table",
]


class Kind(StrEnum):
    """What a column holds, and so how its text is read and its frame is typed."""

    ID = "id"
    """Text that names something; leading zeros stay."""
    TEXT = "text"
    """Free text."""
    INTEGER = "integer"
    """A whole number, ``int64``."""
    MONEY = "money"
    """An amount in whole minor units, ``int64``."""
    DATE = "date"
    """A calendar day in the store's zone, ``datetime64`` without zone, at midnight."""
    INSTANT = "instant"
    """A moment, ``datetime64`` in UTC."""
    CHOICE = "choice"
    """One of a few words; other spellings are mapped by the column."""


@attrs.frozen(kw_only=True)
class Column:
    """
    One column of a canonical table.

    Args:
        name: The identifier.
        kind: What it holds.
        meaning_en: What it means, in English.
        meaning_zh: The same in Chinese.
        heading_en: Heading in English exports and reports.
        heading_zh: Heading in Chinese exports and reports.
        required: Whether a row without a value is rejected.
        aliases: Other headings that files carry.
        personal: Whether it is masked unless asked for by name.
        choices: For `Kind.CHOICE`: pairs of a spelling and the word it means.
        derived_from: Columns from which it can be made when the file lacks it.
    """

    name: str
    kind: Kind
    meaning_en: str
    meaning_zh: str
    heading_en: str
    heading_zh: str
    required: bool = False
    aliases: tuple[str, ...] = ()
    personal: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    derived_from: tuple[str, ...] = ()

    @property
    def headings(self) -> tuple[str, ...]:
        """Every heading that means this column, the canonical ones first."""
        return (self.name, self.heading_zh, self.heading_en, *self.aliases)

    def heading(self, language: str) -> str:
        """Return the heading in ``"zh"`` or ``"en"``."""
        return self.heading_zh if language == "zh" else self.heading_en


@attrs.frozen(kw_only=True)
class Table:
    """
    A canonical table.

    Args:
        name: The identifier, such as ``"sales"``.
        title_en: Title in English.
        title_zh: Title in Chinese.
        columns: Its columns.
        key: Columns that together name one row; empty if rows may repeat.
    """

    name: str
    title_en: str
    title_zh: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The identifiers of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that no row may lack."""
        return tuple(column.name for column in self.columns if column.required)

    def column(self, name: str) -> Column:
        """
        Return one column by its identifier.

        Raises:
            MissingColumnsError: The table has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise MissingColumnsError(self.name, [name], self.names)

    def by_heading(self) -> dict[str, Column]:
        """Map every known heading, in its normal form, to its column."""
        return {
            normal_heading(heading): column
            for column in self.columns
            for heading in column.headings
        }

    def check_columns(self, available: Iterable[str], needed: Iterable[str]) -> None:
        """
        Refuse a frame that lacks a needed column.

        Raises:
            MissingColumnsError: Naming what is missing and the nearest names.
        """
        present = tuple(available)
        missing = [name for name in needed if name not in present]
        if missing:
            raise MissingColumnsError(self.name, missing, present)


def normal_heading(text: str) -> str:
    """
    Bring a heading into the form in which headings are compared.

    Full-width letters become narrow; case, spaces, underscores, hyphens, and a unit in
    brackets at the end do not matter.

    >>> normal_heading(" Member_ID "), normal_heading("金额（元）")
    ('memberid', '金额')
    """
    text = unicodedata.normalize("NFKC", text).strip().lstrip("\ufeff").casefold()
    if text.endswith(")") and "(" in text:
        text = text[: text.rindex("(")]
    return "".join(char for char in text if char.isalnum())


def table(name: str) -> Table:
    """
    Return a canonical table by its name.

    Raises:
        UnknownTableError: No table has that name; the message has the nearest.

    >>> table("sales").required
    ('ticket_id', 'sold_on', 'store_id', 'quantity', 'amount')
    """
    for known in TABLES:
        if known.name == name:
            return known
    raise UnknownTableError(
        f"no table is called {name!r}; {nearest(name, (t.name for t in TABLES))}"
    )


_GENDERS = (
    ("female", "female"), ("f", "female"), ("女", "female"), ("女性", "female"),
    ("女士", "female"), ("woman", "female"),
    ("male", "male"), ("m", "male"), ("男", "male"), ("男性", "male"),
    ("先生", "male"), ("man", "male"),
    ("other", "other"), ("其他", "other"),
    ("unknown", "unknown"), ("未知", "unknown"), ("保密", "unknown"), ("不详", "unknown"),
)  # fmt: skip

_MEMBER_ID = Column(
    name="member_id",
    kind=Kind.ID,
    required=True,
    heading_en="Member ID",
    heading_zh="会员编号",
    meaning_en="The chain's id of the member.",
    meaning_zh="连锁企业内唯一的会员编号。",
    aliases=("会员号", "会员ID", "会员代码", "customer id", "CustomerID", "member",
             "member no", "客户编号", "顾客编号", "会员卡号"),
)  # fmt: skip
_STORE_ID = Column(
    name="store_id",
    kind=Kind.ID,
    required=True,
    heading_en="Store",
    heading_zh="门店编号",
    meaning_en="The store.",
    meaning_zh="门店。",
    aliases=("门店", "门店号", "门店代码", "店铺", "店铺编号", "分店", "store code",
             "shop", "shop id", "branch", "地区", "country"),
)  # fmt: skip

MEMBERS = Table(
    name="members",
    title_en="Members",
    title_zh="会员档案",
    key=("member_id",),
    columns=(
        _MEMBER_ID,
        Column(
            name="name",
            kind=Kind.TEXT,
            personal=True,
            heading_en="Name",
            heading_zh="姓名",
            meaning_en="The member's name.",
            meaning_zh="会员姓名。",
            aliases=("会员姓名", "会员名称", "客户姓名", "full name", "member name"),
        ),
        Column(
            name="phone",
            kind=Kind.TEXT,
            personal=True,
            heading_en="Phone",
            heading_zh="手机号",
            meaning_en="Phone number, as text.",
            meaning_zh="手机号码，按文本保存。",
            aliases=("手机", "电话", "手机号码", "联系电话", "mobile", "phone number"),
        ),
        Column(
            name="gender",
            kind=Kind.CHOICE,
            choices=_GENDERS,
            heading_en="Gender",
            heading_zh="性别",
            meaning_en="female, male, other or unknown.",
            meaning_zh="女、男、其他或未知。",
            aliases=("sex", "会员性别"),
        ),
        Column(
            name="birth_date",
            kind=Kind.DATE,
            personal=True,
            heading_en="Birth date",
            heading_zh="出生日期",
            meaning_en="Solar date of birth.",
            meaning_zh="公历出生日期。",
            aliases=("生日", "出生年月日", "birthday", "date of birth", "dob"),
        ),
        Column(
            name="store_id",
            kind=Kind.ID,
            heading_en="Enrolling store",
            heading_zh="入会门店",
            meaning_en="The store that enrolled the member.",
            meaning_zh="录入该会员的门店。",
            aliases=("门店编号", "门店", "门店号", "所属门店", "开卡门店", "发卡门店",
                     "store", "home store", "enrolling store id"),
        ),
        Column(
            name="joined_on",
            kind=Kind.DATE,
            heading_en="Enrolled on",
            heading_zh="入会日期",
            meaning_en="Day of enrolment.",
            meaning_zh="入会当天的日期。",
            aliases=("入会时间", "注册日期", "开卡日期", "办卡日期", "join date",
                     "enrolment date", "enrollment date", "registered on"),
        ),
        Column(
            name="referrer_id",
            kind=Kind.ID,
            heading_en="Referrer",
            heading_zh="推荐人编号",
            meaning_en="The member who brought this one in.",
            meaning_zh="推荐入会的会员编号。",
            aliases=("推荐人", "介绍人", "referrer id", "referred by"),
        ),
    ),
)  # fmt: skip

CARDS = Table(
    name="cards",
    title_en="Cards",
    title_zh="会员卡",
    key=("card_id", "valid_from"),
    columns=(
        Column(
            name="card_id",
            kind=Kind.ID,
            required=True,
            heading_en="Card number",
            heading_zh="会员卡号",
            meaning_en="Number of the card.",
            meaning_zh="会员卡号码。",
            aliases=("卡号", "card", "card no", "card id"),
        ),
        attrs.evolve(
            _MEMBER_ID,
            aliases=tuple(a for a in _MEMBER_ID.aliases if a != "会员卡号"),
        ),
        Column(
            name="valid_from",
            kind=Kind.DATE,
            required=True,
            heading_en="Valid from",
            heading_zh="有效期起",
            meaning_en="First day of the term.",
            meaning_zh="有效期的第一天（含当天）。",
            aliases=("生效日期", "开始日期", "有效期开始", "启用日期", "start date",
                     "有效期自"),
        ),
        Column(
            name="valid_through",
            kind=Kind.DATE,
            required=True,
            heading_en="Valid through",
            heading_zh="有效期止",
            meaning_en="Last day of the term, still valid.",
            meaning_zh="有效期的最后一天（含当天）。",
            aliases=("有效期至", "到期日期", "到期日", "有效期", "失效日期", "end date",
                     "expiry date", "expires on", "有效期结束"),
        ),
        Column(
            name="kind",
            kind=Kind.TEXT,
            heading_en="Card kind",
            heading_zh="卡类型",
            meaning_en="Kind of card, which may have its own term, fee and grace.",
            meaning_zh="卡的种类，可有各自的期限、年费和宽限期。",
            aliases=("卡种", "会员卡类型", "卡类别", "card type"),
        ),
        Column(
            name="anchor",
            kind=Kind.DATE,
            heading_en="First term began",
            heading_zh="首次生效日期",
            meaning_en="The day the first term began, from which terms count.",
            meaning_zh="首个有效期的第一天，各期由此推算。",
            aliases=("首次开卡日期", "anchor date"),
        ),
    ),
)  # fmt: skip

STORES = Table(
    name="stores",
    title_en="Stores",
    title_zh="门店档案",
    key=("store_id",),
    columns=(
        _STORE_ID,
        Column(
            name="name",
            kind=Kind.TEXT,
            heading_en="Store name",
            heading_zh="门店名称",
            meaning_en="Name as people say it.",
            meaning_zh="门店名称。",
            aliases=("店名", "店铺名称"),
        ),
        Column(
            name="region_id",
            kind=Kind.ID,
            heading_en="Region",
            heading_zh="区域",
            meaning_en="The region the store belongs to.",
            meaning_zh="门店所属区域。",
            aliases=("大区", "区域编号", "所属区域", "region id", "area"),
        ),
        Column(
            name="zone",
            kind=Kind.TEXT,
            heading_en="Time zone",
            heading_zh="时区",
            meaning_en="IANA zone of the store, if it is not the chain's.",
            meaning_zh="门店的 IANA 时区（与总部不同时填写）。",
            aliases=("timezone",),
        ),
    ),
)  # fmt: skip

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
        _STORE_ID,
        attrs.evolve(
            _MEMBER_ID,
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
        _STORE_ID,
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

TABLES = (MEMBERS, CARDS, STORES, SALES, TARGETS)
