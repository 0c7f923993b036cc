"""An SMS gateway on this machine that fails in every way that real ones do."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

import attrs

from memberops.adapters.sms import ReceiptRequest
from memberops.domain.message import Message, ReceiptStatus
from memberops.errors import InvalidValueError
from memberops.testing.faulty_gateway_dialect import (
    GatewayDialect,
    GatewayQuestion,
    JsonDialect,
    SentMessage,
    phone_digest,
)
from memberops.testing.faulty_gateway_faults import GatewayFault, fault_mix, say
from memberops.testing.faulty_gateway_memory import AcceptedMessage, GatewayMemory
from memberops.testing.faulty_gateway_server import (
    GatewayAnswer,
    GatewayConnection,
    GatewayRequest,
    LoopbackServer,
)

__all__ = ["AcceptedMessage", "FaultyGateway"]

_UNKNOWN_PATH = GatewayAnswer(status=404, body=b'{"code": "NOT_FOUND"}')
_FULL = GatewayAnswer(status=503, body=b"full\n", content_type="text/plain")


class FaultyGateway:
    """
    A real HTTP server on 127.0.0.1 that knows what it did, whatever it said.

    Faults are drawn from a seed, by message and number of the try, so that they do not
    depend on the order of threads; `script` names the next ones instead. A second
    server, to which `GatewayFault.REDIRECT` points, records whether anybody followed.
    It keeps no phone and no text, only digests, save what its dialect needs to report.

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
        dialect: How it speaks: `JsonDialect` by default; `AliyunDialect`,
            `TencentDialect`, `TwilioDialect`, `AwsDialect` or your own.

    >>> import json, urllib.request
    >>> from memberops.testing import FaultyGateway
    >>> with FaultyGateway(key="the gateway's key") as gateway:
    ...     asked = urllib.request.Request(
    ...         gateway.url + "/send",
    ...         data=b'{"id": "S1", "phone": "13812345678", "text": "hello"}',
    ...         headers={"Content-Type": "application/json",
    ...                  "Authorization": "Bearer the gateway's key"})
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
        self._memory = GatewayMemory(seed=seed, undelivered=undelivered)
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
        self._refused: set[str] = set()
        self._script: dict[tuple[str, str | None], list[GatewayFault]] = {}
        self._busy: Counter[str] = Counter()
        self._change = threading.Condition()
        self._elsewhere = LoopbackServer(self._follow)
        self._server = LoopbackServer(self._serve)
        self.url = self._server.url

    def __repr__(self) -> str:
        """Say where it is and how much it took: no message, no key."""
        return f"FaultyGateway(url={self.url!r}, accepted={len(self._memory.accepted)})"

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

    def script(self, *faults: GatewayFault | str, of: str | None = None) -> None:
        """
        Give these faults to the next sends, one each; then as drawn again.

        Args:
            faults: In their order.
            of: Our id of the message whose sends they are; any by default.
        """
        self._write("send", of, faults)

    def script_queries(
        self, *faults: GatewayFault | str, of: str | None = None
    ) -> None:
        """Give these faults to the next queries, as `script` does to sends."""
        self._write("query", of, faults)

    def _write(
        self, kind: str, of: str | None, faults: Iterable[GatewayFault | str]
    ) -> None:
        wanted = [GatewayFault(fault) for fault in faults]
        with self._change:
            self._script.setdefault((kind, of), []).extend(wanted)

    def clear_script(self, *, of: str | None = None) -> None:
        """Forget what `script` and `script_queries` still hold, all or of a message."""
        with self._change:
            self._script = {
                key: each for key, each in self._script.items() if of and key[1] != of
            }

    def expect(self, message: Message) -> None:
        """
        Call what comes for the message's phone by its id from now on.

        A provider that sends many in one request, or keeps no id of ours, does not
        say whose message it is; the phone does, if it is no other message's.
        """
        with self._change:
            self._memory.expect(message.message_id, phone_digest(message.phone))

    def refuse(self, message_id: str) -> None:
        """Refuse a message whenever it comes, as a wrong number would be."""
        self._refused.add(message_id)

    # what it did

    @property
    def accepted(self) -> dict[str, tuple[AcceptedMessage, ...]]:
        """Each time that a message was taken, by our id."""
        with self._change:
            return {own: tuple(each) for own, each in self._memory.accepted.items()}

    @property
    def duplicates(self) -> int:
        """How many messages were taken that had been taken before."""
        with self._change:
            return sum(len(each) - 1 for each in self._memory.accepted.values())

    def fate(self, message_id: str) -> ReceiptStatus:
        """Return the truth of a message: what became, or will become, of it."""
        with self._change:
            return self._memory.fate(message_id)

    def wait_until_idle(self, seconds: float = 10.0, *, of: str | None = None) -> bool:
        """
        Wait until no request is being handled; False if that took too long.

        Args:
            seconds: How long at most.
            of: Our id of the message whose sends are waited for, of which there is
                one at least; all by default.
        """

        def idle() -> bool:
            if of is None:
                return not self._busy.total()
            return self.requests[of] > 0 and not self._busy[of]

        with self._change:
            return self._change.wait_for(idle, seconds)

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
        with self._change:
            accepted = {k: v[0] for k, v in self._memory.accepted.items()}
        wanted = list(accepted if message_ids is None else message_ids)
        dice = random.Random(f"order {self._seed}")  # noqa: S311 - no secret
        reports = []
        for own in wanted:
            if own not in accepted:
                raise InvalidValueError(f"the gateway never took {own[:40]!r}")
            final = self._memory.report(accepted[own], self.fate(own))
            early = attrs.evolve(final, status=ReceiptStatus.ACCEPTED)
            reports += [final] * repeats + [early] * (dice.random() < 0.3)  # noqa: PLR2004 - some
        with self._change:
            self._memory.reported.update(wanted)
        dice.shuffle(reports)
        return tuple(
            request
            for start in range(0, len(reports), batch)
            for request in self._dialect.receipts(
                reports[start : start + batch], self.key
            )
        )

    def forge(self, message_id: str) -> ReceiptRequest:
        """
        Return a request that reports a message, but is signed with another key.

        Raises:
            InvalidValueError: The gateway's provider pushes no receipts.
        """
        with self._change:
            taken = self._memory.accepted.get(message_id)
        report = self._memory.report(
            taken[0]
            if taken
            else AcceptedMessage(
                message_id=message_id,
                provider_message_id="G0000000",
                sent=SentMessage.of(message_id, "", ""),
                at=0.0,
            ),
            ReceiptStatus.DELIVERED,
        )
        forged = self._dialect.receipts([report], self.key + " of somebody else")
        if not forged:
            raise InvalidValueError("the gateway's provider pushes no such receipt")
        return forged[0]

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
        question = self._dialect.read(request, self.key)
        if question is None:
            connection.answer(_UNKNOWN_PATH)
            return
        if not question.authorized:
            with self._change:
                self.unauthorized += 1
            connection.answer(self._dialect.stranger())
            return
        with self._change:
            names = [self._memory.name_of(sent) for sent in question.sends] or [""]
            self._busy.update(names)
        try:
            if question.sends:
                self._send(request, connection, question, names)
            else:
                self._query(request, connection, question)
        finally:
            with self._change:
                self._busy.subtract(names)
                self._change.notify_all()

    def _fault(self, kind: str, own: str, tries: int) -> GatewayFault:
        for of in (own, None):
            if waiting := self._script.get((kind, of)):
                return waiting.pop(0)
        dice = random.Random(f"{kind} {self._seed} {own} {tries}")  # noqa: S311 - no secret
        names, shares = self._mixes[kind]
        return dice.choices(names, shares)[0]

    def _send(
        self,
        request: GatewayRequest,
        connection: GatewayConnection,
        question: GatewayQuestion,
        names: list[str],
    ) -> None:
        with self._change:
            self.requests.update(names)
            fault = self._fault("send", names[0], self.requests[names[0]])
            self.faults[fault] += 1
            full = self._memory.taken >= self._most
        if full:
            connection.answer(_FULL)
            return
        if fault is GatewayFault.TIMEOUT_LATE:
            connection.hold(self.hold)
        ids: list[str | None] = [None] * len(names)
        if fault.accepted:
            repeats = fault is GatewayFault.DUPLICATE_ID
            with self._change:
                ids = self._memory.take(question, self._refused, repeats=repeats)
        whole = self._dialect.answer(question, ids, fault.problem)
        self._say(fault, whole, request, connection)

    def _query(
        self,
        request: GatewayRequest,
        connection: GatewayConnection,
        question: GatewayQuestion,
    ) -> None:
        with self._change:
            asked, reports = self._memory.asked(question)
            self.queries[asked] += 1
            fault = self._fault("query", asked, self.queries[asked])
        self._say(fault, self._dialect.found(question, reports), request, connection)

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
