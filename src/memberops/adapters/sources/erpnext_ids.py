"""Ids of ERPNext's customers, none of which shows who they are."""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from memberops.adapters.secrets import Secret
from memberops.errors import ConfigurationError

__all__ = ["CUSTOMER_SERIES", "CustomerIds"]

CUSTOMER_SERIES = ("CUST-.YYYY.-",)
"""The naming series that ERPNext gives customers unless it is told others."""

_DATES = {"YYYY": r"\d{4}", "YY": r"\d{2}", "MM": r"\d{2}", "DD": r"\d{2}"}
_USUAL = "#####"
_SHORTEST_KEY = 16
_NOBODY = "\0key"  # of no customer
# A counter that outgrew its digits; a phone has more.
_GROWN = 2
_LONGEST = 8


@attrs.frozen
class CustomerIds:
    """
    Which ids are numbers of a naming series, and may be shown.

    Any other may be a name or a phone, however much it looks like a number, and
    becomes a digest. Without a key, who has a list of names can make their digests
    too, and so find out which of them are customers.

    Args:
        patterns: Of the series.
        key: Returns the key of the digests; None for digests without one.

    >>> ids = CustomerIds.of(["CUST-.YYYY.-", "VIP.####"])
    >>> ids.safe("CUST-2026-00017"), ids.safe("VIP0042")
    ('CUST-2026-00017', 'VIP0042')
    >>> ids.safe("ZHANG-1980")[:2], len(ids.safe("ZHANG-1980")), ids.safe("")
    ('C-', 18, None)
    """

    patterns: tuple[re.Pattern[str], ...]
    key: Callable[[], bytes] | None = attrs.field(default=None, repr=False, eq=False)

    @classmethod
    def of(cls, series: Iterable[str], key: Secret | None = None) -> CustomerIds:
        """
        Read naming series as ERPNext's settings write them.

        Args:
            series: Parts with dots between: ``YYYY``, ``YY``, ``MM`` and ``DD`` for
                the date, ``#`` for each digit of the counter, which is of five where
                none stands there, and text.
            key: Of the digests, of at least 16 characters; fetched once, when the
                first table is read.

        Raises:
            ConfigurationError: One has another part, or fewer than two letters: its
                numbers could not be told from phones.
        """
        if isinstance(series, str):
            raise ConfigurationError(
                "'customer_series' is a list, as in customer_series = "
                '["CUST-.YYYY.-"]'
            )
        return cls(
            tuple(_pattern(each) for each in series),
            functools.cache(lambda: _long_enough(key.reveal())) if key else None,
        )

    def safe(self, own: Any) -> str | None:
        """Return an id, or a digest of what may be a person's name or phone."""
        if own in (None, ""):
            return None
        text = str(own)
        if any(each.fullmatch(text) for each in self.patterns):
            return text
        return f"C-{self._digest(text)}"

    def mark(self) -> str:
        """Return what ids depend on; another key makes other ones."""
        shown = " ".join(each.pattern for each in self.patterns)
        return f"{shown} {self._digest(_NOBODY)}" if self.key else shown

    def _digest(self, text: str) -> str:
        if self.key is None:
            return hashlib.sha256(text.encode()).hexdigest()[:16]
        return hmac.new(self.key(), text.encode(), hashlib.sha256).hexdigest()[:16]


def _long_enough(key: str) -> bytes:
    if len(key) < _SHORTEST_KEY:
        raise ConfigurationError(
            f"'digest_key' has fewer than {_SHORTEST_KEY} characters and could be "
            "guessed like the names: take random ones"
        )
    return key.encode()


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
