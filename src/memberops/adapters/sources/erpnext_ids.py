"""Ids of ERPNext's customers, none of which shows who they are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

import attrs

from memberops.errors import ConfigurationError

__all__ = ["CUSTOMER_SERIES", "CustomerIds"]

CUSTOMER_SERIES = ("CUST-.YYYY.-",)
"""The naming series that ERPNext gives customers unless it is told others."""

_DATES = {"YYYY": r"\d{4}", "YY": r"\d{2}", "MM": r"\d{2}", "DD": r"\d{2}"}
_USUAL = "#####"
# A counter that outgrew its digits; a phone has more.
_GROWN = 2
_LONGEST = 8


@attrs.frozen
class CustomerIds:
    """
    Which ids are numbers of a naming series, and may be shown.

    Any other may be a name or a phone, however much it looks like a number.

    Args:
        patterns: Of the series.

    >>> ids = CustomerIds.of(["CUST-.YYYY.-", "VIP.####"])
    >>> ids.safe("CUST-2026-00017"), ids.safe("VIP0042")
    ('CUST-2026-00017', 'VIP0042')
    >>> ids.safe("ZHANG-1980")[:2], len(ids.safe("ZHANG-1980")), ids.safe("")
    ('C-', 18, None)
    """

    patterns: tuple[re.Pattern[str], ...]

    @classmethod
    def of(cls, series: Iterable[str]) -> CustomerIds:
        """
        Read naming series as ERPNext's settings write them.

        Args:
            series: Parts with dots between: ``YYYY``, ``YY``, ``MM`` and ``DD`` for
                the date, ``#`` for each digit of the counter, which is of five where
                none stands there, and text.

        Raises:
            ConfigurationError: One has another part, or fewer than two letters: its
                numbers could not be told from phones.
        """
        if isinstance(series, str):
            raise ConfigurationError(
                "'customer_series' is a list, as in customer_series = "
                '["CUST-.YYYY.-"]'
            )
        return cls(tuple(_pattern(each) for each in series))

    def safe(self, own: Any) -> str | None:
        """Return an id, or a digest of what may be a person's name or phone."""
        if own in (None, ""):
            return None
        text = str(own)
        if any(each.fullmatch(text) for each in self.patterns):
            return text
        return f"C-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _pattern(series: Any) -> re.Pattern[str]:
    parts = str(series).split(".")
    if not any(part.strip("#") == "" and part for part in parts):
        parts.append(_USUAL)
    made, letters = [], 0
    for part in parts:
        if part in _DATES:
            made.append(_DATES[part])
        elif part and not part.strip("#"):
            least = len(part)
            made.append(rf"\d{{{least},{max(least, min(least + _GROWN, _LONGEST))}}}")
        elif re.fullmatch(r"[A-Za-z0-9/_-]*", part):
            made.append(re.escape(part))
            letters += sum(each.isalpha() for each in part)
        else:
            raise ConfigurationError(
                f"the naming series {str(series)[:40]!r} has the part {part[:20]!r}, "
                "which is neither text nor YYYY, YY, MM, DD or ####"
            )
    if letters < 2:  # noqa: PLR2004 - a single letter is an initial
        raise ConfigurationError(
            f"the naming series {str(series)[:40]!r} has fewer than two letters: its "
            "numbers could not be told from phones"
        )
    return re.compile("".join(made), re.ASCII)
