"""
Every exception of memberops.

Wrong *use* raises one of these; bad *data* never does, it comes back as
`memberops.Finding` values. Each error is also the builtin that a caller would
expect (`ValueError`, `LookupError`, `RuntimeError`, ...), its message names the
thing and the fix, and its length is bounded whatever the size of the data.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Self

__all__ = [
    "AdapterConflictError",
    "ApprovalError",
    "BalanceOverflowError",
    "BrokenChainError",
    "ClosedPeriodError",
    "ColumnTypeError",
    "ConfigurationError",
    "CurrencyMismatchError",
    "FrameError",
    "HoldError",
    "InvalidValueError",
    "KeyConflictError",
    "LedgerBusyError",
    "LedgerError",
    "LedgerStoreError",
    "LedgerVersionError",
    "LotConflictError",
    "MemberOpsError",
    "MessageConflictError",
    "MissingColumnsError",
    "MissingExtraError",
    "OutOfStockError",
    "OutboxBusyError",
    "OutboxError",
    "OutboxStoreError",
    "OutboxVersionError",
    "PluginError",
    "ReversalError",
    "ScheduleError",
    "SourceError",
    "UnknownAdapterError",
    "UnknownBatchError",
    "UnknownGiftError",
    "UnknownPlaceError",
    "UnknownPostingError",
    "UnknownTableError",
    "bounded",
    "nearest",
]

_MAX_NAMES = 5
_MAX_TEXT = 120
_MAX_MESSAGE = 2000


def bounded(values: Iterable[object], *, limit: int = _MAX_NAMES) -> str:
    """
    List at most *limit* values, each cut to 120 characters, and count the rest.

    >>> bounded(["a", "b", "c"], limit=2)
    "'a', 'b' and 1 more"
    """
    items = list(values)
    shown = ", ".join(_short(value) for value in items[:limit])
    rest = len(items) - limit
    return f"{shown} and {rest} more" if rest > 0 else shown


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"


def nearest(name: str, known: Iterable[str]) -> str:
    """
    Return a hint that names the known word nearest to *name*, or all of them.

    >>> nearest("stroe", ["store", "region", "chain"])
    "did you mean 'store'?"
    >>> nearest("x", ["store", "region"])
    "known are: 'region', 'store'"
    """
    names = sorted(set(known))
    match = difflib.get_close_matches(name, names, n=1)
    if match:
        return f"did you mean {match[0]!r}?"
    return f"known are: {bounded(names, limit=12)}" if names else "none is known"


class MemberOpsError(Exception):
    """
    The root of every error that memberops raises on purpose.

    Its message is cut where it grows beyond 2000 characters.
    """

    def __init__(self, *args: object) -> None:
        first, rest = args[:1], args[1:]
        if first and isinstance(first[0], str) and len(first[0]) > _MAX_MESSAGE:
            first = (first[0][: _MAX_MESSAGE - 1] + "…",)
        super().__init__(*first, *rest)

    text_zh: str = ""
    """The same in Chinese; empty where the English is all there is."""

    def in_chinese(self, text: str) -> Self:
        """Say it in Chinese, too, for the command; return the error itself."""
        self.text_zh = text[:_MAX_MESSAGE]
        return self


class InvalidValueError(MemberOpsError, ValueError):
    """A value that cannot exist: a float as money, a naive datetime, a bad code."""


class CurrencyMismatchError(InvalidValueError):
    """Two amounts of different currencies met; the message names both."""


class FrameError(MemberOpsError, ValueError):
    """A frame breaks the contract of its table."""


class MissingColumnsError(FrameError, KeyError):
    """
    A frame lacks columns that the question needs.

    Args:
        table: Name of the canonical table, such as ``"sales"``.
        missing: The columns that are needed and absent.
        available: The columns that the frame has.
    """

    __str__ = Exception.__str__

    def __init__(
        self, table: str, missing: Iterable[str], available: Iterable[str]
    ) -> None:
        self.table = table
        self.missing = tuple(missing)
        self.available = tuple(available)
        hints = [
            f"{name!r}: {nearest(name, self.available)}" for name in self.missing[:3]
        ]
        super().__init__(
            f"the {table} frame lacks {bounded(self.missing)} "
            f"(rename at the door; {'; '.join(hints)})"
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Rebuild from the three facts, so that the error can be pickled."""
        return type(self), (self.table, self.missing, self.available)


class ColumnTypeError(FrameError, TypeError):
    """A column has a type that its table forbids: floats as money, a zoned date."""


class UnknownTableError(MemberOpsError, LookupError):
    """No canonical table has that name; the message gives the nearest."""


class ScheduleError(MemberOpsError, ValueError):
    """A period, recurrence or calendar that cannot exist."""


class ConfigurationError(MemberOpsError, ValueError):
    """A chain file that cannot be read as it stands; the message gives the path."""


class SourceError(MemberOpsError, RuntimeError):
    """A source that cannot be opened or read at all."""


class MissingExtraError(MemberOpsError, ImportError):
    """
    A feature needs an optional dependency that is not installed.

    Args:
        feature: What was asked for, such as ``"a workbook"``.
        extra: The extra that brings it.
    """

    def __init__(self, feature: str, extra: str) -> None:
        self.feature = feature
        self.extra = extra
        super().__init__(
            f"{feature} needs the extra {extra!r}: pip install 'memberops[{extra}]'"
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Rebuild from the two facts, so that the error can be pickled."""
        return type(self), (self.feature, self.extra)


class PluginError(MemberOpsError, RuntimeError):
    """
    A plugin failed to load, validate or answer.

    Args:
        message: What happened.
        plugin: The plugin's name.
        distribution: The distribution that brought it, if known.
    """

    def __init__(
        self, message: str, *, plugin: str, distribution: str | None = None
    ) -> None:
        self.plugin = plugin
        self.distribution = distribution
        super().__init__(message)


class AdapterConflictError(PluginError):
    """Two plugins declare the same capability and name; the message names both."""


class UnknownAdapterError(MemberOpsError, LookupError):
    """
    No adapter of that name is installed.

    Args:
        capability: What kind of adapter was asked for, such as ``"source"``.
        name: The name that is not known.
        known: The names that are.
    """

    def __init__(self, capability: str, name: str, known: Iterable[str]) -> None:
        self.capability = capability
        self.name = name
        self.known = tuple(sorted(known))
        super().__init__(
            f"no {capability} adapter is called {name!r}; {nearest(name, self.known)}"
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Rebuild from the three facts, so that the error can be pickled."""
        return type(self), (self.capability, self.name, self.known)


class LedgerError(MemberOpsError, RuntimeError):
    """A posting that the ledger refuses as it stands; nothing of it was written."""


class KeyConflictError(LedgerError, ValueError):
    """
    A key came again with other contents.

    Args:
        key: The posting's id.
        fields: The fields that differ from what the ledger holds.
    """

    def __init__(self, key: str, fields: Iterable[str]) -> None:
        self.key = key
        self.fields = tuple(sorted(fields))
        super().__init__(
            f"the key {_short(key)} was used before with other contents: "
            f"{bounded(self.fields)} differ; a new posting takes a new key"
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Rebuild from the two facts, so that the error can be pickled."""
        return type(self), (self.key, self.fields)


class OutOfStockError(LedgerError):
    """
    A posting takes more than a place has, at its moment or at a later one.

    Where the ledger refused a posting, its key is spent: the same key is refused
    again, whatever stock has come since. Where lots were being picked, nothing was
    posted yet, and the key is free.

    Args:
        gift_id: The gift, or ``"points"``.
        place: Where it would be taken from.
        lot_id: The lot, or ``""`` if the gift has none.
        asked: How many are taken in all.
        available: How many could be taken: the lowest that the place holds from
            the posting's moment on, less what is held for others.
        replayed: Whether the key was refused before.
        spent: Whether a posting was refused, and its key is spent.
    """

    def __init__(  # noqa: PLR0917 - the facts, in the order of __reduce__
        self,
        gift_id: str,
        place: str,
        lot_id: str,
        asked: int,
        available: int,
        replayed: bool = False,  # noqa: FBT001, FBT002 - as above
        spent: bool = True,  # noqa: FBT001, FBT002 - as above
    ) -> None:
        self.gift_id = gift_id
        self.place = place
        self.lot_id = lot_id
        self.asked = asked
        self.available = available
        self.replayed = replayed
        self.spent = spent
        lot = f" of lot {_short(lot_id)}" if lot_id else ""
        again = "; this key was refused before and stays so" if replayed else ""
        key = "under a new key" if spent else "and ask again: the key is free"
        super().__init__(
            f"{_short(place)} can give {available} of {_short(gift_id)}{lot}, "
            f"not {asked}{again}: take less, or post what came in first, {key}"
        )

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Rebuild from its facts, so that the error can be pickled."""
        what = (self.gift_id, self.place, self.lot_id, self.asked)
        return type(self), (*what, self.available, self.replayed, self.spent)


class ClosedPeriodError(LedgerError):
    """A posting takes effect in a closed period; the message names the closing."""


class ReversalError(LedgerError):
    """A reversal that names no mistake, or one that is reversed already."""


class HoldError(LedgerError):
    """A hold that is used up, given up or lapsed, or is about something else."""


class LotConflictError(LedgerError, ValueError):
    """A lot came with another expiry than it has, or a gift without its lot."""


class BalanceOverflowError(LedgerError, OverflowError):
    """A balance would leave the 64 bits that every store can hold."""


class BrokenChainError(LedgerError, ValueError):
    """An exported ledger was changed or cut: its hash chain does not hold."""


class LedgerStoreError(MemberOpsError, RuntimeError):
    """The database of a ledger cannot be opened, read or written."""


class LedgerBusyError(LedgerStoreError, TimeoutError):
    """Others kept the database for too long; nothing was written."""


class LedgerVersionError(LedgerStoreError):
    """The tables of a ledger are newer than the library, or not migrated yet."""


class UnknownPlaceError(MemberOpsError, LookupError):
    """No place or account has that name; the message gives the nearest."""


class UnknownGiftError(MemberOpsError, LookupError):
    """No gift has that id; the message gives the nearest."""


class UnknownPostingError(MemberOpsError, LookupError):
    """The ledger holds no posting with that key."""


class OutboxError(MemberOpsError, RuntimeError):
    """What an outbox refuses as it stands; nothing of it was written."""


class MessageConflictError(OutboxError, ValueError):
    """An id of a batch or message came again with other contents; names the fields."""


class ApprovalError(OutboxError):
    """A word on a batch that its speaker may not say, or not about this text."""


class OutboxStoreError(MemberOpsError, RuntimeError):
    """The database of an outbox cannot be opened, read or written."""


class OutboxBusyError(OutboxStoreError, TimeoutError):
    """Others kept the database for too long; nothing was written."""


class OutboxVersionError(OutboxStoreError):
    """The tables of an outbox are newer than the library."""


class UnknownBatchError(MemberOpsError, LookupError):
    """The outbox holds no batch of that id; the message gives the nearest."""
