"""Making the texts of an audience in chunks, and saying why one was not made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from memberops.domain.message import MessageTemplate, message_digest, message_id
from memberops.policies.message_audience import Audience, holding_out
from memberops.policies.message_policy import MessagePolicy
from memberops.policies.message_text import (
    TextRules,
    gap_names,
    text_reason,
    variable_fault,
)
from memberops.policies.phones import PhoneReading
from memberops.policies.sms_segments import SmsLength

__all__ = ["CHUNK", "HELD", "LEFT", "WRITTEN", "Making", "left_out", "values_of"]

CHUNK = 20_000
"""How many texts are in memory at once."""

LEFT, WRITTEN, HELD = 0, 1, 2


def values_of(rows: pd.DataFrame, names: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Take the values of the gaps of each row, in the order of the gaps."""
    if not names:
        return [()] * len(rows)
    filling = (rows[f"${{{name}}}"].tolist() for name in names)
    return list(zip(*filling, strict=True))


class Making:
    """The texts of an audience, made in chunks: what is kept are numbers and ids."""

    def __init__(
        self,
        audience: Audience,
        template: MessageTemplate,
        policy: MessagePolicy,
        batch_id: str,
        seed: str,
    ) -> None:
        self.rows, self.rule = audience.rows, audience.rule
        self.template, self.policy = template, policy
        self.batch_id, self.seed = batch_id, seed
        size = len(self.rows)
        self.state = np.full(size, LEFT, dtype=np.int8)
        self.characters = np.zeros(size, dtype=np.int32)
        self.segments = np.zeros(size, dtype=np.int16)
        self.ids: list[str] = []

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Judge each text, and give the id and digest of those that are sent."""
        names = gap_names(self.template)
        policy = self.policy
        rules = TextRules(self.template, policy)
        write = rules.writer(self.template)
        drawn = holding_out(self.seed, policy.hold_out)
        free = np.flatnonzero(self.rule == "")
        for first in range(0, len(free), CHUNK):
            chosen = free[first : first + CHUNK]
            rows = self.rows.iloc[chosen]
            known = zip(chosen.tolist(), rows["member_id"].tolist(),
                        rows["phone"].tolist(), rows["zone"].tolist(),
                        values_of(rows, names), strict=True)  # fmt: skip
            for place, member, phone, zone, values in known:
                faults = [f for f in (variable_fault(v, policy) for v in values) if f]
                if faults:
                    self.rule[place] = faults[0]
                    continue
                text = write(values)
                broken, length = rules.faults(text)
                self.characters[place] = length.characters
                self.segments[place] = length.segments
                if broken:
                    self.rule[place] = broken[0]
                elif drawn(member):
                    self.state[place] = HELD
                else:
                    self.state[place] = WRITTEN
                    own = message_id(self.batch_id, member)
                    self.ids.append(own)
                    yield (
                        own,
                        message_digest(
                            member_id=member,
                            phone=phone,
                            text=text,
                            variables=zip(names, values, strict=True),
                            zone=zone,
                        ),
                    )


def left_out(rows: pd.DataFrame, made: Making, policy: MessagePolicy) -> pd.DataFrame:
    """List who gets nothing, with the rule in both languages."""
    left = made.state == LEFT
    rule = made.rule[left]
    counted = zip(rule.tolist(), made.characters[left].tolist(),
                  made.segments[left].tolist(), strict=True)  # fmt: skip
    keys = pd.Series(list(counted), dtype=object)
    codes, kinds = pd.factorize(keys)
    texts = [_why(*kind, policy=policy) for kind in kinds]
    found = pd.DataFrame(
        {
            "row": rows.loc[left, "row"].to_numpy(),
            "member_id": rows.loc[left, "member_id"].to_numpy(),
            "rule": rule,
            "reason_en": np.array([t[0] for t in texts] or [""], object)[codes],
            "reason_zh": np.array([t[1] for t in texts] or [""], object)[codes],
        }
    )
    named = dict.fromkeys(("member_id", "rule", "reason_en", "reason_zh"), "str")
    return found.astype(named).sort_values("row").reset_index(drop=True)


_WHY = {
    "member_missing": ("the row has no member id", "缺少会员编号"),
    "member_twice": ("the member has another row", "同一会员重复出现"),
    "not_joined": ("the member enrolled later", "会员入会日期晚于计划日"),
    "no_consent": ("no consent to SMS is on file", "没有同意接收短信的记录"),
    "expired": ("the membership has ended", "会员资格已到期"),
    "phone_twice": ("another member has the number", "该号码已发给另一会员"),
}


def _why(
    rule: str, characters: int, segments: int, *, policy: MessagePolicy
) -> tuple[str, str]:
    if rule in _WHY:
        return _WHY[rule]
    for suppression in policy.suppressions:
        if suppression.name == rule:
            return suppression.text_en, suppression.text_zh
    if rule.startswith("phone_"):
        told: Any = PhoneReading(None, rule.removeprefix("phone_"))  # type: ignore[arg-type]
        return told.text("en"), told.text("zh")
    length = SmsLength(characters=characters, segments=segments, encoding="ucs2",
                       longest=policy.length.longest)  # fmt: skip
    reason = text_reason(rule, length, policy)
    return reason.text_en, reason.text_zh
