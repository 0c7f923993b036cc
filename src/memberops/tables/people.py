"""Members, their cards, and stores."""

from __future__ import annotations

import attrs

from memberops.tables.schema import Column, Kind, Table

__all__ = ["CARDS", "MEMBERS", "MEMBER_ID", "STORES", "STORE_ID"]

_GENDERS = (
    ("female", "female"), ("f", "female"), ("女", "female"), ("女性", "female"),
    ("女士", "female"), ("woman", "female"),
    ("male", "male"), ("m", "male"), ("男", "male"), ("男性", "male"),
    ("先生", "male"), ("man", "male"),
    ("other", "other"), ("其他", "other"),
    ("unknown", "unknown"), ("未知", "unknown"), ("保密", "unknown"),
    ("不详", "unknown"),
)  # fmt: skip

_CALENDARS = (
    ("solar", "solar"), ("公历", "solar"), ("阳历", "solar"), ("新历", "solar"),
    ("国历", "solar"), ("gregorian", "solar"),
    ("lunar", "lunar"), ("农历", "lunar"), ("阴历", "lunar"), ("旧历", "lunar"),
)  # fmt: skip

MEMBER_ID = Column(
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
STORE_ID = Column(
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
        MEMBER_ID,
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
            mask="tail",
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
            quotable=False,
            personal=True,
            heading_en="Birth date",
            heading_zh="出生日期",
            meaning_en="Solar date of birth.",
            meaning_zh="公历出生日期。",
            aliases=("生日", "出生年月日", "birthday", "date of birth", "dob"),
        ),
        Column(
            name="birthday_calendar",
            kind=Kind.CHOICE,
            choices=_CALENDARS,
            heading_en="Birthday calendar",
            heading_zh="生日类型",
            meaning_en="In which calendar the birthday is kept, solar or lunar; empty "
            "is solar.",
            meaning_zh="生日按公历（solar）还是农历（lunar）过；空为公历。",
            aliases=("生日历法", "历法", "生日类别", "公历农历", "阳历阴历",
                     "calendar", "birthday type"),
        ),
        Column(
            name="lunar_birthday",
            kind=Kind.TEXT,
            personal=True,
            heading_en="Lunar birthday",
            heading_zh="农历生日",
            meaning_en="Lunar month and day as MM-DD, with L before the month if it is "
            "a leap month; where it is empty, that of the birth date.",
            meaning_zh="农历月日，写作 MM-DD，闰月前加 L（或“闰”），也可写作八月十五；"
            "空则由公历出生日期换算。",
            aliases=("阴历生日", "旧历生日", "农历生日日期", "lunar birth date"),
        ),
        Column(
            name="store_id",
            kind=Kind.ID,
            heading_en="Enrolling store",
            heading_zh="入会门店",
            meaning_en="The store that enrolled the member.",
            meaning_zh="录入该会员的门店。",
            aliases=("门店编号", "门店", "门店号", "所属门店", "开卡门店", "发卡门店",
                     "注册门店", "办卡门店", "归属门店", "入会店铺", "注册店铺",
                     "store", "home store", "enrolling store id"),
        ),
        Column(
            name="joined_on",
            kind=Kind.DATE,
            quotable=False,
            heading_en="Enrolled on",
            heading_zh="入会日期",
            meaning_en="Day of enrolment.",
            meaning_zh="入会当天的日期。",
            aliases=("入会时间", "注册日期", "注册时间", "开卡日期", "开卡时间",
                     "办卡日期", "办卡时间", "join date",
                     "enrolment date", "enrollment date", "registered on"),
        ),
        Column(
            name="referrer_id",
            kind=Kind.ID,
            heading_en="Referrer",
            heading_zh="推荐人编号",
            meaning_en="The member who brought this one in.",
            meaning_zh="推荐入会的会员编号。",
            aliases=("推荐人", "介绍人", "推荐会员", "推荐人会员号",
                     "referrer id", "referred by"),
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
            MEMBER_ID,
            aliases=tuple(a for a in MEMBER_ID.aliases if a != "会员卡号"),
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
        STORE_ID,
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
