"""Sending and asking by each account of a chain, one after the other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import attrs

from memberops.workflows.message_access import sms_provider, sms_settings
from memberops.workflows.message_sending import SendReport
from memberops.workflows.message_settling import SettleReport

if TYPE_CHECKING:
    from memberops.adapters.sms import SmsProvider
    from memberops.workflows.chain import Chain

__all__ = ["account_names", "asked_by_each", "joined", "sent_by_each"]

ReportT = TypeVar("ReportT", SendReport, SettleReport)

_STOPS = {"asked", "limit"}
_OF_A_RUN = ("stopped", "next_at")


def account_names(chain: Chain, provider: SmsProvider | None = None) -> list[str]:
    """Return the names of the accounts, first the one that sends what names none."""
    if provider is not None:
        return [provider.name]
    return [each.title for each in sms_settings(chain).senders()]


def joined(first: SendReport, second: SendReport) -> SendReport:
    """
    Return what two runs of sending came to together.

    Counts add up. The first that did not end by itself tells why, and the earlier
    moment is when it is worth running again.

    >>> one, two = SendReport(accepted=1, stopped="breaker"), SendReport(accepted=2)
    >>> joined(one, two).accepted, joined(two, one).stopped
    (3, 'breaker')
    """
    moments = [each for each in (first.next_at, second.next_at) if each is not None]
    return attrs.evolve(
        _summed(first, second),
        stopped=second.stopped if first.stopped == "done" else first.stopped,
        next_at=min(moments, default=None),
    )


def _summed(first: ReportT, second: ReportT) -> ReportT:
    counts = {
        field.name: getattr(first, field.name) + getattr(second, field.name)
        for field in attrs.fields(type(first))
        if field.name not in _OF_A_RUN
    }
    return attrs.evolve(first, **counts)


@contextlib.contextmanager
def _opened(
    chain: Chain, provider: SmsProvider | None
) -> Iterator[tuple[SmsProvider, ...]]:
    """Make all providers before one of them is used; close those that were made."""
    if provider is not None:
        yield (provider,)
        return
    with contextlib.ExitStack() as made:
        yield tuple(
            made.enter_context(contextlib.closing(sms_provider(chain, each.name)))
            for each in sms_settings(chain).senders()
        )


def sent_by_each(
    chain: Chain,
    provider: SmsProvider | None,
    run: Callable[[SmsProvider, SendReport], SendReport],
) -> SendReport:
    """
    Send by each account of a chain, and return what it came to.

    Args:
        chain: The chain.
        provider: The only one to send by; all accounts of the chain by default.
        run: Sends by one, given what it came to so far.
    """
    report = SendReport()
    with _opened(chain, provider) as providers:
        for each in providers:
            report = joined(report, run(each, report))
            if report.stopped in _STOPS:
                break
    return report


def asked_by_each(
    chain: Chain,
    provider: SmsProvider | None,
    run: Callable[[SmsProvider, SettleReport], SettleReport],
) -> SettleReport:
    """
    Ask each account of a chain about what it sent; as `sent_by_each`.

    Args:
        chain: The chain.
        provider: The only one to ask.
        run: Asks one.
    """
    report = SettleReport()
    with _opened(chain, provider) as providers:
        for each in providers:
            report = _summed(report, run(each, report))
    return report
