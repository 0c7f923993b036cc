"""How a tier decision is said, in Chinese and English."""

from __future__ import annotations

import datetime as dt

from memberops.domain import Reason, Statement
from memberops.policies.reading import Reading
from memberops.policies.tier_levels import HeldTier, LevelNeed, ManualTier, Tier
from memberops.policies.wording import reason_text

__all__ = ["tier_statement"]

_CHANGES = {
    "new": ("level {now}", "等级：{now}"),
    "up": ("up to {now}", "升级为{now}"),
    "kept": ("stays {now}", "保持{now}"),
    "down": ("down to {now} at the review", "复核后降为{now}"),
    "manual": ("{now}, set by hand{until}", "{now}（人工设定{until}）"),
}


def tier_statement(
    *,
    now: Tier,
    earned: Tier,
    change: str,
    held: HeldTier,
    manual: ManualTier | None,
    reading: Reading | None,
    above: LevelNeed | None,
    review: dt.date | None,
) -> Statement:
    """
    Write out why a member has a level.

    Args:
        now: The level.
        earned: The highest level whose rule holds.
        change: What became of the level.
        held: What is held by the rules.
        manual: The level set by hand, if it is what counts.
        reading: The rule of the level by the rules, weighed; None without one.
        above: What the next level needs; None at the top.
        review: The next review, if the level may fall.
    """
    until_en = until_zh = ""
    if manual is not None:
        until_en = f" through {manual.until}" if manual.until else ""
        until_zh = f"，至 {manual.until}" if manual.until else ""
    english, chinese = _CHANGES[change]
    english = english.format(now=now.label("en"), until=until_en)
    chinese = chinese.format(now=now.label("zh"), until=until_zh)
    reasons = [
        Reason(
            rule="level",
            met=None,
            figures=(
                ("level", now.name),
                ("earned", earned.name),
                ("held", held.level),
                ("since", str(held.since)),
            ),
            text_en=english,
            text_zh=chinese,
        )
    ]
    if change == "manual" and manual is not None:
        reasons.append(
            Reason(
                rule="manual",
                met=None,
                figures=(("actor", manual.actor), ("since", str(manual.since))),
                text_en=f"reason: {reason_text(manual.reason)}",
                text_zh=f"原因：{reason_text(manual.reason)}",
            )
        )
    elif reading is not None and reading.met:
        reasons.extend(reason for reason in reading.reasons if reason.met)
    elif held.level != earned.name:
        reasons.append(_unearned(held, earned, review))
    texts_en = [reason.text_en for reason in reasons]
    texts_zh = [reason.text_zh for reason in reasons]
    if above is not None and above.reading is not None:
        reasons.extend(above.reading.reasons)
        texts_en.append(f"next level: {above.text('en')}")
        texts_zh.append(f"下一等级：{above.text('zh')}")
    return Statement(
        reasons=reasons, text_en="; ".join(texts_en), text_zh="；".join(texts_zh)
    )


def _unearned(held: HeldTier, earned: Tier, review: dt.date | None) -> Reason:
    english = f"the figures earn {earned.label('en')}"
    chinese = f"现有数据对应{earned.label('zh')}"
    if held.level == held.floor:
        english = f"never below this level, though {english}"
        chinese = f"不低于此等级，{chinese}"
    elif review is not None:
        english = f"{english}, the next review is on {review}"
        chinese = f"{chinese}，下次复核日 {review}"
    return Reason(rule="earned", met=False, text_en=english, text_zh=chinese)
