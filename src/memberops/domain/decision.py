"""What a policy answers: an outcome with the reasons that led to it."""

from __future__ import annotations

import datetime as dt

import attrs

from memberops.domain.values import Language, check_language, plain_date

__all__ = ["Decision", "Reason"]


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


@attrs.frozen(kw_only=True)
class Decision:
    """
    The answer of a policy for one case.

    Args:
        outcome: What was decided, a stable word such as ``"waived"``.
        reasons: Why, each with its figures.
        policy: Id of the policy.
        version: Version of the policy.
        as_of: The day for which the question was asked.
        changes_on: The next day on which the answer can change without new
            facts, or None if it never will.
    """

    outcome: str
    reasons: tuple[Reason, ...] = attrs.field(converter=tuple)
    policy: str
    version: str
    as_of: dt.date = attrs.field(validator=plain_date)
    changes_on: dt.date | None = None

    def explain(self, language: Language = "en") -> str:
        """Write the reasons as one sentence in English or Chinese."""
        separator = "；" if check_language(language) == "zh" else "; "
        return separator.join(reason.text(language) for reason in self.reasons)
