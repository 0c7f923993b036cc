"""What the words of visits and complaints are called, in English and Chinese."""

from __future__ import annotations

__all__ = [
    "BIRTHDAY_CALENDARS",
    "CASE_CHANNELS",
    "CLOCKS",
    "CLOCK_STATES",
    "GENDERS",
    "MAKERS",
    "OUTCOMES",
    "SOURCES",
    "VISIT_CHANNELS",
    "VISIT_KINDS",
    "VISIT_STATES",
    "WIN_BACK_REASONS",
]

Terms = tuple[tuple[str, str, str], ...]

VISIT_KINDS: Terms = (
    ("after_sale", "after-sale visit", "售后回访"),
    ("audit", "audit visit", "督察回访"),
    ("care", "care visit", "维护回访"),
    ("win_back", "win-back visit", "流失回访"),
    ("complaint_callback", "complaint callback", "投诉回访"),
    ("expiry_notice", "expiry notice", "到期提醒"),
    ("welcome", "welcome", "新会员欢迎"),
    ("refill_reminder", "refill reminder", "续购提醒"),
    ("appointment_reminder", "appointment reminder", "预约提醒"),
    ("satisfaction_survey", "satisfaction survey", "满意度调查"),
)
VISIT_CHANNELS: Terms = (
    ("phone", "phone", "电话"),
    ("sms", "SMS", "短信"),
    ("mail", "mail", "信函"),
    ("in_person", "in person", "上门"),
)
MAKERS: Terms = (
    ("store", "store", "门店"),
    ("hq", "headquarters", "总部"),
    ("both", "store and headquarters", "门店和总部"),
)
VISIT_STATES: Terms = (
    ("planned", "planned", "按期"),
    ("moved", "moved", "已顺延"),
    ("dropped", "no day found", "排不进日程"),
    ("suppressed", "not to be made", "不予回访"),
)
OUTCOMES: Terms = (
    ("done", "done", "已回访"),
    ("not_reached", "not reached", "未联系上"),
    ("canceled", "canceled", "已取消"),
)
WIN_BACK_REASONS: Terms = (
    ("product_quality", "product quality", "产品质量"),
    ("product_function", "product function", "产品功能"),
    ("service", "service", "服务"),
    ("other", "other", "其他"),
)
SOURCES: Terms = (
    ("visit", "visit", "回访"),
    ("gift", "gift", "赠品"),
    ("abnormal", "abnormal purchase", "异常消费"),
)
CASE_CHANNELS: Terms = (
    ("phone", "phone", "电话"),
    ("email", "email", "电子邮件"),
    ("message", "instant message", "即时消息"),
    ("web", "web", "网站"),
    ("mailbox", "mailbox", "意见箱"),
    ("store", "store", "门店"),
    ("on_site", "on site", "现场"),
)
CLOCK_STATES: Terms = (
    ("met", "met", "按时完成"),
    ("met_late", "met late", "超时完成"),
    ("running", "running", "计时中"),
    ("due_soon", "due soon", "即将到期"),
    ("breached", "overdue", "已超时"),
    ("paused", "waiting for the customer", "等待顾客"),
    ("not_started", "not started", "未开始"),
    ("closed", "case closed without it", "未完成即结案"),
    ("closed_late", "case closed without it, late", "超时未完成即结案"),
)
CLOCKS: Terms = (
    ("reply", "reply", "回复"),
    ("next_reply", "next reply", "后续回复"),
    ("solution", "solution", "解决"),
    ("callback", "callback", "回访"),
    ("second_callback", "second callback", "二次回访"),
    ("promised_reply", "promised reply", "承诺回复"),
    ("escalation", "escalation", "上报"),
    ("delivery", "delivery", "送达"),
    ("wait", "wait", "等候"),
)
GENDERS: Terms = (
    ("female", "female", "女"),
    ("male", "male", "男"),
    ("other", "other", "其他"),
    ("unknown", "unknown", "未知"),
)
BIRTHDAY_CALENDARS: Terms = (
    ("solar", "solar", "公历"),
    ("lunar", "lunar", "农历"),
)
