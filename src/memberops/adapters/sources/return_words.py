"""Which words say that a line is a return: 退货(质量) does, 不可退货 does not."""

from __future__ import annotations

import re

from memberops.adapters.sources.values import narrow

__all__ = ["plain_word", "return_word"]

_WORDS = frozenset({
    "退货", "退款", "退单", "退", "退回", "销退", "退货单", "退款单", "销售退货",
    "零售退货", "销售退货单", "零售退货单", "退貨", "退單", "已退",
    "return", "returns", "returned", "refund", "refunds", "refunded",
    "sales return", "sale return",
})  # fmt: skip
_LONGEST = 40
"""What is longer is a sentence about a line, and no word for it."""
_SIGNS = r"\-–—:;,.，。、/|\\=+·(\[{<【〔「《》」〕】>}\])"
_NUMBERED = re.compile(r"[(\[【〔「《<]*(?:\d{1,3}[-.:、)\]】 ][ ]*)?")
_CHINESE = re.compile(
    "(?:已完成|已|部分|部份|全部|全额|全額|整单|整單|单品|仅|僅|会员|會員|顾客|顧客|客户|客戶"
    "|门店|門店|线上|线下|零售|销售|銷售|商品|订单|現金|现金|无单|有单|原单|跨店|售后)*"
    "(?:退货|退貨|退款|退单|退單|退回|销退|銷退){1,2}"
    "(?:单据|单|單|订单|小票|交易|业务|入库|完成|成功|行|类)?"
    rf"(?=$|[\s{_SIGNS}])"
)
_ENGLISH = re.compile(
    "(?:(?:partial|partially|full|fully|sales?|customer|retail|store|product|items?"
    "|order|goods|merchandise|cash|online|pos)[ -]?)*"
    "(?:returned|returns?|refunded|refunds?)"
    "(?:[ -](?:order|sale|line|items?|goods|ticket|transaction|slip|partial"
    "|partially|full|damaged|defective|faulty|completed|approved|processed|issued))?"
    rf"(?=[ ]*(?:$|[{_SIGNS}]))"
)
_NO_RETURN = re.compile(
    # What undoes it, or has not come about yet.
    "取消|撤销|撤回|作废|失败|拒绝|拒退|驳回|关闭|申请|待|审核中|审核不|处理中|进行中"
    "|未(?:完成|成功|通过|退|审|收|到|付|处理|发生)|不(?:退|可退|能退|予|通过|支持|接受|成功)"
    r"|不成|无效|\b(?:cancel|reject|declin|denied|deny|fail|pending|request|apply"
    r"|applied|await|in progress|open\b|void|revers|revok)"
    r"|\bnot (?:refund|return|allow|accept|approv|possib|eligib|receiv|complet|process"
    r"|yet)|\b(?:non|un)[- ]?(?:refund|return)"
    # What is no goods taken back from a customer.
    "|费|券|险|押金|政策|换|补(?:发|差|货)|供应商|供货商|退厂|返厂|^销售"
    r"|\b(?:fees?|charges?|labels?|cost|postage|freight|insur|polic|window|voucher"
    r"|coupon|deposit|supplier|vendor|exchang|swap|replac)"
    r"|^(?:shipping|delivery|sales?)\b|^\d+ ?(?:days?|天)$"
    # Its whole answer is no.
    "|^(?:no|n|not|none|never|false|x|0|否|无|無|不|不可|不能|未|没有)$"
)


def plain_word(text: str) -> str:
    """Bring a word into the form in which words are compared."""
    return narrow(text).casefold()


def return_word(text: str) -> str:
    """
    Return the part of a word that says that a line is a return, or nothing.

    It is that of the till with what goes before it, in the form of `plain_word`. A
    reason may follow, after a sign that parts them. What undoes a return or only asks
    for it, and what is a fee, a voucher or an exchange, is none, and neither is a word
    in which a return is but a part of another, such as 退货券.

    >>> [return_word(each) for each in ("退货（质量）", "Return - damaged", "2-退款")]
    ['退货', 'return', '2-退款']
    >>> [return_word(each) for each in ("不可退货", "non-returnable", "退款(失败)")]
    ['', '', '']
    """
    plain = plain_word(text)
    if plain in _WORDS:
        return plain
    if len(plain) > _LONGEST:
        return ""
    flat = plain.replace("_", " ")
    numbered = _NUMBERED.match(flat)
    start = numbered.end() if numbered else 0
    found = _CHINESE.match(flat, start) or _ENGLISH.match(flat, start)
    if found is None:
        return ""
    rest = re.sub(rf"^[\s{_SIGNS}]+|[\s{_SIGNS}]+$", "", flat[found.end() :])
    return "" if _NO_RETURN.search(rest) else plain[: found.end()]
