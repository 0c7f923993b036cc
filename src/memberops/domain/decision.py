"""What a policy answers: an outcome with the reasons that led to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Protocol

import attrs

from memberops.domain.values import Language, check_language, plain_date

__all__ = ["Decision", "Grounds", "Reason", "Statement"]


@attrs.frozen(kw_only=True)
class Reason:
    """
    One reason of a decision, in both languages, with the figures it rests on.

    Args:
        rule: Short stable name, such as ``"purchases"`` or ``"grace"``.
        met: Whether the condition held; None if the reason only tells a fact.
        figures: Pairs of a name and the figure used, such as
            ``(("have", "2"), ("need", "3"), ("missing", "1"))``.
        text_en: The sentence in English.
        text_zh: The sentence in Chinese.
    """

    rule: str
    met: bool | None
    text_en: str
    text_zh: str
    figures: tuple[tuple[str, str], ...] = ()

    def text(self, language: Language = "en") -> str:
        """Return the sentence in the language asked for."""
        return self.text_zh if check_language(language) == "zh" else self.text_en


class Grounds(Protocol):
    """
    What a decision rests on: it gives the reasons and says them in a sentence.

    A policy that answers a till in microseconds keeps its rule and the figures here
    and writes the sentences when they are read.
    """

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why, each with its figures."""

    def text(self, language: Language = "en") -> str:
        """Return the whole answer as one sentence."""


def _reasons(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple(reasons)


@attrs.frozen(kw_only=True)
class Statement:
    """
    Grounds that are written out.

    Args:
        reasons: Why, each with its figures.
        text_en: The whole answer as one sentence in English; where it is empty,
            the reasons speak for themselves.
        text_zh: The same in Chinese.

    >>> Statement(reasons=[Reason(rule="grace", met=False, text_en="no grace",
    ...     text_zh="无宽限期")]).text("zh")
    '无宽限期'
    """

    reasons: tuple[Reason, ...] = attrs.field(converter=_reasons)
    text_en: str = ""
    text_zh: str = ""

    def text(self, language: Language = "en") -> str:
        """Return the whole answer as one sentence."""
        chinese = check_language(language) == "zh"
        whole = self.text_zh if chinese else self.text_en
        separator = "；" if chinese else "; "
        return whole or separator.join(reason.text(language) for reason in self.reasons)


@attrs.frozen(kw_only=True)
class Decision:
    """
    The answer of a policy for one case.

    Args:
        outcome: What was decided, a stable word such as ``"waived"``.
        grounds: What it rests on.
        policy: Id of the policy.
        version: Version of the policy.
        as_of: The day for which the question was asked.
        changes_on: The next day on which the answer can change without new
            facts, or None if it never will.

    >>> reason = Reason(rule="term", met=True, text_en="valid", text_zh="有效")
    >>> decision = Decision(outcome="active", grounds=Statement(reasons=[reason]),
    ...     policy="card-state", version="1", as_of=dt.date(2026, 11, 5))
    >>> decision.explain("zh"), decision.reasons[0].met
    ('有效', True)
    """

    outcome: str
    grounds: Grounds
    policy: str
    version: str
    as_of: dt.date = attrs.field(validator=plain_date)
    changes_on: dt.date | None = None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why it was decided, each reason with its figures."""
        return self.grounds.reasons

    def explain(self, language: Language = "en") -> str:
        """Write the answer as one sentence in English or Chinese."""
        return self.grounds.text(language)
