"""Closed periods of the gift ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import attrs

from memberops.domain.canonical import (
    a_text,
    an_id,
    canonical_json,
    instant_text,
    to_utc,
)
from memberops.domain.gift import check_scope, lies_within
from memberops.domain.posting import Posting
from memberops.domain.values import aware_instant
from memberops.errors import InvalidValueError

__all__ = ["Closing"]

_optional_id = attrs.validators.optional(an_id)


def _places(value: Iterable[str]) -> tuple[str, ...]:
    if isinstance(value, str):
        raise InvalidValueError("'places' is a list of place ids, not one text")
    return tuple(sorted(map(check_scope, value)))


@attrs.frozen(kw_only=True)
class Closing:
    """
    A period that is closed: what takes effect before its end is refused.

    An approved count closes the place it counted, up to the count.

    Args:
        closing_id: The client's key.
        before: Aware instant; postings effective earlier are refused, unless late.
        places: Ids of the places closed, with their parts; empty: all.
        by: Who closed it.
        reason: Why.
    """

    closing_id: str = attrs.field(validator=an_id)
    before: dt.datetime = attrs.field(converter=to_utc, validator=aware_instant)
    places: tuple[str, ...] = attrs.field(default=(), converter=_places)
    by: str | None = attrs.field(default=None, validator=_optional_id)
    reason: str = attrs.field(default="", validator=a_text, repr=False)

    def touches(self, posting: Posting) -> bool:
        """Tell if the posting takes effect in what is closed."""
        if posting.effective_at >= self.before:
            return False
        return not self.places or any(
            lies_within(text, closed)
            for each in posting.movements
            for text in (each.source, each.destination)
            for closed in self.places
        )

    def document(self) -> dict[str, object]:
        """Return the plain form: text, lists and None."""
        return {
            "before": instant_text(self.before),
            "by": self.by,
            "closing_id": self.closing_id,
            "places": list(self.places),
            "reason": self.reason,
        }

    def canonical(self) -> str:
        """Return the one text of its contents."""
        return canonical_json(self.document())
