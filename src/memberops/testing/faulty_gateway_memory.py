"""What a faulty gateway took, whatever it said of it."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Collection

import attrs

from memberops.domain.message import ReceiptStatus
from memberops.testing.faulty_gateway_dialect import (
    GatewayQuestion,
    GatewayReport,
    SentMessage,
)

__all__ = ["AcceptedMessage", "GatewayMemory"]


@attrs.frozen(kw_only=True)
class AcceptedMessage:
    """
    One time that the gateway took a message.

    Args:
        message_id: Our id.
        provider_message_id: The gateway's.
        sent: Digests of phone and text.
        at: Seconds since the gateway was opened.
        taken_at: The same by this machine's clock.
    """

    message_id: str
    provider_message_id: str
    sent: SentMessage
    at: float
    taken_at: dt.datetime = attrs.field(
        factory=lambda: dt.datetime.now(dt.UTC)  # noqa: TID251 - a server has a clock
    )


class GatewayMemory:
    """
    What was taken, and what will become of it; whoever uses it holds a lock.

    Args:
        seed: Of the fates.
        undelivered: Share of the messages that are never delivered.

    >>> GatewayMemory(seed=0, undelivered=0.0).fate("S1").value
    'not_found'
    """

    def __init__(self, *, seed: int, undelivered: float) -> None:
        self._seed = seed
        self._undelivered = undelivered
        self._began = time.monotonic()
        self.accepted: dict[str, list[AcceptedMessage]] = {}
        self.taken = 0
        self.reported: set[str] = set()
        self._by_own: dict[str, str] = {}
        self._by_phone: dict[str, list[AcceptedMessage]] = {}
        self._expected: dict[str, str] = {}
        self._last = ""

    def expect(self, message_id: str, phone: str) -> None:
        """Call what comes for a phone by our id; the phone is given as its digest."""
        self._expected[phone] = message_id

    def name_of(self, sent: SentMessage) -> str:
        """Return our id of a message, or one made of the phone if none is known."""
        expected = self._expected.get(sent.phone_digest)
        return expected or sent.message_id or f"to {sent.phone_digest}"

    def take(
        self, question: GatewayQuestion, refused: Collection[str], *, repeats: bool
    ) -> list[str | None]:
        """
        Take the messages of a request; return the id of each, None for a refused one.

        Args:
            question: The request.
            refused: Our ids of what is not taken.
            repeats: Whether the first is answered with the id of the message before.
        """
        names = [self.name_of(sent) for sent in question.sends]
        if question.one_fate and any(name in refused for name in names):
            return [None] * len(names)
        ids: list[str | None] = []
        own = ""
        for name, sent in zip(names, question.sends, strict=True):
            if name in refused:
                ids.append(None)
                continue
            self.taken += 1
            if not own or not question.one_fate:
                own = f"G{self.taken:07}"
            self._by_own.setdefault(own, name)
            taken = AcceptedMessage(
                message_id=name,
                provider_message_id=own,
                sent=sent,
                at=time.monotonic() - self._began,
            )
            self.accepted.setdefault(name, []).append(taken)
            self._by_phone.setdefault(sent.phone_digest, []).append(taken)
            ids.append(self._last if repeats and self._last else own)
            self._last = own
        return ids

    def asked(self, question: GatewayQuestion) -> tuple[str, list[GatewayReport]]:
        """Return the name of what a query asks after, and all that was taken of it."""
        if question.asks_phone:
            known = self._by_phone.get(question.asks_phone, [])
            expected = self._expected.get(question.asks_phone, "")
            name = known[-1].message_id if known else expected
        else:
            name = self._by_own.get(question.asks, question.asks)
            known = self.accepted.get(name, [])
        reports = [
            self.report(
                taken,
                self.fate(taken.message_id)
                if taken.message_id in self.reported
                else ReceiptStatus.ACCEPTED,
            )
            for taken in known
        ]
        return name or f"to {question.asks_phone}", reports

    def fate(self, message_id: str) -> ReceiptStatus:
        """Return what became, or will become, of a message."""
        if message_id not in self.accepted:
            return ReceiptStatus.NOT_FOUND
        dice = random.Random(f"fate {self._seed} {message_id}")  # noqa: S311 - no secret
        lost = dice.random() < self._undelivered
        return ReceiptStatus.UNDELIVERED if lost else ReceiptStatus.DELIVERED

    @staticmethod
    def report(taken: AcceptedMessage, status: ReceiptStatus) -> GatewayReport:
        """Tell a status of a message."""
        return GatewayReport(
            message_id=taken.message_id,
            provider_message_id=taken.provider_message_id,
            status=status,
            sent=taken.sent,
            taken_at=taken.taken_at,
        )
