"""An SMS gateway on this machine that fails in every way that real ones do."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

import attrs

from memberops.adapters.sms import ReceiptRequest
from memberops.domain.message import ReceiptStatus
from memberops.errors import InvalidValueError
from memberops.testing.faulty_gateway_dialect import (
    GatewayDialect,
    GatewayQuestion,
    GatewayReport,
    JsonDialect,
    SentMessage,
)
from memberops.testing.faulty_gateway_faults import GatewayFault, fault_mix, say
from memberops.testing.faulty_gateway_server import (
    GatewayAnswer,
    GatewayConnection,
    GatewayRequest,
    LoopbackServer,
)

__all__ = ["AcceptedMessage", "FaultyGateway"]

_UNKNOWN_PATH = GatewayAnswer(status=404, body=b'{"code": "NOT_FOUND"}')
_FULL = GatewayAnswer(status=503, body=b"full\n", content_type="text/plain")


@attrs.frozen(kw_only=True)
class AcceptedMessage:
    """
    One time that the gateway took a message.

    Args:
        message_id: Our id.
        provider_message_id: The gateway's.
        sent: Digests of phone and text.
        at: Seconds since the gateway was opened.
    """

    message_id: str
    provider_message_id: str
    sent: SentMessage
    at: float


class FaultyGateway:
    """
    A real HTTP server on 127.0.0.1 that knows what it did, whatever it said.

    Faults are drawn from a seed, by message and number of the try, so that they do not
    depend on the order of threads; `script` names the next ones instead. A second
    server, to which `GatewayFault.REDIRECT` points, records whether anybody followed.
    It keeps no phone and no text, only digests.

    Args:
        faults: Share of the requests that fail, by `GatewayFault`; the rest is well.
        query_faults: The same for queries.
        seed: Of all that is drawn.
        key: The secret with which a provider proves itself and receipts are signed.
        hold: Seconds for which a time-out keeps the client waiting, and for which a
            slow answer drips; the time-outs of a provider should be shorter.
        huge: Bytes of a huge answer.
        undelivered: Share of the messages that are never delivered.
        most: After so many acceptances it takes no more.
        dialect: How it speaks; see `JsonDialect`.

    >>> import json, urllib.request
    >>> from memberops.testing import FaultyGateway
    >>> with FaultyGateway(key="k") as gateway:
    ...     asked = urllib.request.Request(
    ...         gateway.url + "/send",
    ...         data=b'{"id": "S1", "phone": "13812345678", "text": "hello"}',
    ...         headers={"Content-Type": "application/json",
    ...                  "Authorization": "Bearer k"})
    ...     with urllib.request.urlopen(asked) as answer:
    ...         json.load(answer)["code"]
    '0'
    >>> sorted(gateway.accepted), gateway.duplicates
    (['S1'], 0)
    """

    def __init__(
        self,
        *,
        faults: Mapping[GatewayFault | str, float] | None = None,
        query_faults: Mapping[GatewayFault | str, float] | None = None,
        seed: int = 0,
        key: str = "the gateway's key",
        hold: float = 1.0,
        huge: int = 64 * 1024 * 1024,
        undelivered: float = 0.1,
        most: int = 1_000_000,
        dialect: GatewayDialect | None = None,
    ) -> None:
        self._mixes = {
            "send": fault_mix(faults or {}),
            "query": fault_mix(query_faults or {}),
        }
        self._seed, self._most = seed, most
        self._undelivered = undelivered
        self._dialect = dialect or JsonDialect()
        self.key = key
        self.hold = hold
        self.huge = huge
        self.faults: Counter[GatewayFault] = Counter()
        """How often each fault was given."""
        self.requests: Counter[str] = Counter()
        """How often each message was sent to the gateway, by our id."""
        self.queries: Counter[str] = Counter()
        """How often each message was asked after."""
        self.unauthorized = 0
        self.followed = 0
        """How many requests followed a redirect to the other host."""
        self.exposed = 0
        """How many of these carried the key, or any header of authorization."""
        self.flooded = 0
        """The most bytes of a huge answer that a client took."""
        self._accepted: dict[str, list[AcceptedMessage]] = {}
        self._by_own: dict[str, str] = {}
        self._last = ""
        self._reported: set[str] = set()
        self._refused: set[str] = set()
        self._script: dict[str, list[GatewayFault]] = {"send": [], "query": []}
        self._busy = 0
        self._change = threading.Condition()
        self._began = time.monotonic()
        self._elsewhere = LoopbackServer(self._follow)
        self._server = LoopbackServer(self._serve)
        self.url = self._server.url

    def __repr__(self) -> str:
        """Say where it is and how much it took: no message, no key."""
        return f"FaultyGateway(url={self.url!r}, accepted={len(self._accepted)})"

    def __enter__(self) -> Self:
        """Serve until the block ends; it serves from the moment it is made."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop serving; what was recorded stays."""
        self.close()

    def close(self) -> None:
        """Stop serving; what was recorded stays."""
        self._server.close()
        self._elsewhere.close()

    # what it shall do

    def script(self, *faults: GatewayFault | str) -> None:
        """Give these faults to the next sends, one each; then as drawn again."""
        self._script["send"] += [GatewayFault(fault) for fault in faults]

    def script_queries(self, *faults: GatewayFault | str) -> None:
        """Give these faults to the next queries, one each; then as drawn again."""
        self._script["query"] += [GatewayFault(fault) for fault in faults]

    def clear_script(self) -> None:
        """Forget what `script` and `script_queries` still hold."""
        self._script = {"send": [], "query": []}

    def refuse(self, message_id: str) -> None:
        """Refuse a message whenever it comes, as a wrong number would be."""
        self._refused.add(message_id)

    # what it did

    @property
    def accepted(self) -> dict[str, tuple[AcceptedMessage, ...]]:
        """Each time that a message was taken, by our id."""
        with self._change:
            return {key: tuple(times) for key, times in self._accepted.items()}

    @property
    def duplicates(self) -> int:
        """How many messages were taken that had been taken before."""
        with self._change:
            return sum(len(times) - 1 for times in self._accepted.values())

    def fate(self, message_id: str) -> ReceiptStatus:
        """Return the truth of a message: what became, or will become, of it."""
        with self._change:
            if message_id not in self._accepted:
                return ReceiptStatus.NOT_FOUND
        dice = random.Random(f"fate {self._seed} {message_id}")  # noqa: S311 - no secret
        lost = dice.random() < self._undelivered
        return ReceiptStatus.UNDELIVERED if lost else ReceiptStatus.DELIVERED

    def wait_until_idle(self, seconds: float = 10.0) -> bool:
        """Wait until no request is being handled; False if that took too long."""
        with self._change:
            return self._change.wait_for(lambda: self._busy == 0, seconds)

    def deliver(
        self,
        message_ids: Iterable[str] | None = None,
        *,
        batch: int = 20,
        repeats: int = 1,
    ) -> tuple[ReceiptRequest, ...]:
        """
        Return the signed requests with which it reports what became of messages.

        From now on queries, too, tell the fate of these messages.

        Args:
            message_ids: Whose; None for all that were taken.
            batch: Most receipts of one request.
            repeats: How often each is reported; first come, last repeated, in an order
                drawn from the seed, some of them preceded by a mere "accepted".

        Raises:
            InvalidValueError: A message of that id was never taken.
        """
        accepted = self.accepted
        wanted = list(accepted if message_ids is None else message_ids)
        dice = random.Random(f"order {self._seed}")  # noqa: S311 - no secret
        reports = []
        for own in wanted:
            if own not in accepted:
                raise InvalidValueError(f"the gateway never took {own[:40]!r}")
            final = self._report(own, self.fate(own), accepted[own][0])
            early = attrs.evolve(final, status=ReceiptStatus.ACCEPTED)
            reports += [final] * repeats + [early] * (dice.random() < 0.3)  # noqa: PLR2004 - some
        with self._change:
            self._reported.update(wanted)
        dice.shuffle(reports)
        return tuple(
            self._dialect.receipts(reports[start : start + batch], self.key)
            for start in range(0, len(reports), batch)
        )

    def forge(self, message_id: str) -> ReceiptRequest:
        """Return a request that reports a message, but is signed with another key."""
        report = GatewayReport(
            message_id=message_id,
            provider_message_id="G-forged",
            status=ReceiptStatus.DELIVERED,
        )
        return self._dialect.receipts([report], self.key + " of somebody else")

    @staticmethod
    def _report(
        own: str, status: ReceiptStatus, taken: AcceptedMessage
    ) -> GatewayReport:
        return GatewayReport(
            message_id=own,
            provider_message_id=taken.provider_message_id,
            status=status,
        )

    # serving

    def _follow(self, request: GatewayRequest, connection: GatewayConnection) -> None:
        said = [request.target, *request.headers.values()]
        said.append(request.body.decode("utf-8", "replace"))
        shown = "authorization" in request.headers or any(
            self.key in text for text in said
        )
        with self._change:
            self.followed += 1
            self.exposed += shown
        connection.answer(GatewayAnswer(body=b'{"code": "0", "id": "elsewhere"}'))

    def _serve(self, request: GatewayRequest, connection: GatewayConnection) -> None:
        with self._change:
            self._busy += 1
        try:
            question = self._dialect.read(request, self.key)
            if question is None:
                connection.answer(_UNKNOWN_PATH)
            elif not question.authorized:
                with self._change:
                    self.unauthorized += 1
                connection.answer(self._dialect.stranger())
            elif question.sends:
                self._send(request, connection, question)
            else:
                self._query(request, connection, question)
        finally:
            with self._change:
                self._busy -= 1
                self._change.notify_all()

    def _fault(self, kind: str, own: str, tries: int) -> GatewayFault:
        if self._script[kind]:
            return self._script[kind].pop(0)
        dice = random.Random(f"{kind} {self._seed} {own} {tries}")  # noqa: S311 - no secret
        names, shares = self._mixes[kind]
        return dice.choices(names, shares)[0]

    def _send(
        self,
        request: GatewayRequest,
        connection: GatewayConnection,
        question: GatewayQuestion,
    ) -> None:
        first = question.sends[0].message_id
        with self._change:
            for sent in question.sends:
                self.requests[sent.message_id] += 1
            fault = self._fault("send", first, self.requests[first])
            self.faults[fault] += 1
            full = len(self._by_own) >= self._most
        if full:
            connection.answer(_FULL)
            return
        if fault is GatewayFault.TIMEOUT_LATE:
            connection.hold(self.hold)
        ids: list[str | None] = [None] * len(question.sends)
        if fault.accepted:
            ids = self._take(question, fault)
        whole = self._dialect.answer(question, ids, fault.problem)
        self._say(fault, whole, request, connection)

    def _take(self, question: GatewayQuestion, fault: GatewayFault) -> list[str | None]:
        ids: list[str | None] = []
        with self._change:
            for sent in question.sends:
                if sent.message_id in self._refused:
                    ids.append(None)
                    continue
                own = f"G{len(self._by_own) + 1:07}"
                self._by_own[own] = sent.message_id
                taken = AcceptedMessage(
                    message_id=sent.message_id,
                    provider_message_id=own,
                    sent=sent,
                    at=time.monotonic() - self._began,
                )
                self._accepted.setdefault(sent.message_id, []).append(taken)
                repeats = fault is GatewayFault.DUPLICATE_ID and self._last
                ids.append(self._last if repeats else own)
                self._last = own
        return ids

    def _query(
        self,
        request: GatewayRequest,
        connection: GatewayConnection,
        question: GatewayQuestion,
    ) -> None:
        with self._change:
            asked = self._by_own.get(question.asks, question.asks)
            self.queries[asked] += 1
            fault = self._fault("query", asked, self.queries[asked])
            taken = self._accepted.get(asked)
            reported = asked in self._reported
        if taken is None:
            whole = self._dialect.found(None)
        else:
            status = self.fate(asked) if reported else ReceiptStatus.ACCEPTED
            whole = self._dialect.found(self._report(asked, status, taken[0]))
        self._say(fault, whole, request, connection)

    def _say(
        self,
        fault: GatewayFault,
        whole: GatewayAnswer,
        request: GatewayRequest,
        connection: GatewayConnection,
    ) -> None:
        try:
            say(
                fault,
                whole,
                connection,
                hold=self.hold,
                huge=self.huge,
                elsewhere=self._elsewhere.url + request.target,
                echo=f"{request.body.decode('utf-8', 'replace')} {request.headers}",
            )
        finally:
            with self._change:
                self.flooded = max(self.flooded, connection.sent)
