"""Answers to the survey that follows a service."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs

from memberops.domain.values import identifier, plain_date, whole_number
from memberops.errors import InvalidValueError

__all__ = ["SurveyAnswer"]

_optional_id = attrs.validators.optional(identifier)


@attrs.frozen(kw_only=True)
class SurveyAnswer:
    """
    One answer to one question (REG §6, CLINIC).

    Args:
        answer_id: The answer, unique in the chain.
        question: Short stable name of the question, such as ``"friendliness"``.
        score: From 1, the worst, up.
        answered_on: Local calendar day.
        store_id: Where the service was given.
        staff_id: By whom, if known.
        member_id: Who answered, or None if anonymous.

    Raises:
        InvalidValueError: The score is below 1 or no whole number.

    >>> SurveyAnswer(answer_id="A1", question="overall", score=5, store_id="S1",
    ...              answered_on=dt.date(2026, 10, 1)).score
    5
    """

    answer_id: str = attrs.field(validator=identifier)
    question: str = attrs.field(validator=identifier)
    score: int = attrs.field(validator=whole_number)
    answered_on: dt.date = attrs.field(validator=plain_date)
    store_id: str = attrs.field(validator=identifier)
    staff_id: str | None = attrs.field(default=None, validator=_optional_id)
    member_id: str | None = attrs.field(default=None, validator=_optional_id)

    @score.validator
    def _check_score(self, _attribute: object, value: Any) -> None:
        if value < 1:
            raise InvalidValueError(f"'score' begins at 1 (got {value})")
