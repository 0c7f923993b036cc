"""What a faulty gateway can do to a request, and what a provider may make of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from enum import StrEnum
from functools import partial

import attrs

from memberops.domain.message import MessageProblem, SendOutcome
from memberops.errors import InvalidValueError, nearest
from memberops.testing.faulty_gateway_server import GatewayAnswer, GatewayConnection

__all__ = ["FAULTS", "USUAL_FAULTS", "Fault", "GatewayFault", "fault_mix", "say"]


_LOGIN = GatewayAnswer(
    body=b"<html><title>Please log in</title></html>", content_type="text/html"
)
_WELL = 200


class GatewayFault(StrEnum):
    """
    A way in which a gateway answers, or does not.

    "After" means that the gateway accepted the message, and the answer was lost.

    >>> GatewayFault("timeout_after").accepted, GatewayFault("throttled").accepted
    (True, False)
    """

    OK = "ok"
    DUPLICATE_ID = "duplicate_id"
    THROTTLED = "throttled"
    THROTTLED_SECONDS = "throttled_seconds"
    THROTTLED_DATE = "throttled_date"
    THROTTLED_PAST = "throttled_past"
    THROTTLED_NEGATIVE = "throttled_negative"
    THROTTLED_FOREVER = "throttled_forever"
    THROTTLED_NONSENSE = "throttled_nonsense"
    BUSINESS_LIMIT = "business_limit"
    BUSINESS_ERROR = "business_error"
    REDIRECT = "redirect"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    ERROR_ECHO = "error_echo"
    UNAVAILABLE = "unavailable"
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    TIMEOUT_LATE = "timeout_late"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    HALF_BODY = "half_body"
    BAD_JSON = "bad_json"
    WRONG_TYPE = "wrong_type"
    EMPTY_BODY = "empty_body"
    SLOW_DRIP = "slow_drip"
    HUGE_BODY = "huge_body"

    @property
    def accepted(self) -> bool:
        """Whether the gateway takes the message, whatever it says then."""
        return FAULTS[self].accepted

    @property
    def honest(self) -> frozenset[SendOutcome]:
        """The outcomes that a provider may report of it."""
        return FAULTS[self].honest

    @property
    def problem(self) -> MessageProblem:
        """What a refusal of the gateway's names."""
        limit = self is GatewayFault.BUSINESS_LIMIT
        return MessageProblem.THROTTLED if limit else MessageProblem.INVALID_NUMBER


@attrs.frozen(kw_only=True)
class Fault:
    """
    One fault: whether the message is taken, and what may be reported of it.

    Args:
        accepted: Whether the gateway takes the message.
        honest: The outcomes that claim no more than can be known.
        status: Of HTTP, where one is sent.
        retry_after: The header's text, where one is sent; a number is seconds from
            now, told as a date.
    """

    accepted: bool
    honest: frozenset[SendOutcome]
    status: int = 200
    retry_after: str | int = ""

    def plain_answer(self) -> GatewayAnswer:
        """Return the answer of a fault that is told by its status."""
        wait = self.retry_after
        if isinstance(wait, int):
            now = time.time()  # noqa: TID251 - a server has a clock
            wait = formatdate(now + wait, usegmt=True)
        return GatewayAnswer(
            status=self.status,
            body=b"not now\n",
            content_type="text/plain",
            headers={"Retry-After": wait} if wait else {},
        )


def _taken(honest: frozenset[SendOutcome], status: int = 200) -> Fault:
    return Fault(accepted=True, honest=honest, status=status)


def _left(
    honest: frozenset[SendOutcome], status: int = 200, retry_after: str | int = ""
) -> Fault:
    return Fault(accepted=False, honest=honest, status=status, retry_after=retry_after)


_YES = frozenset({SendOutcome.ACCEPTED})
_LATER = frozenset({SendOutcome.POSTPONED})
_NO = frozenset({SendOutcome.REFUSED})
_OPEN = frozenset({SendOutcome.UNKNOWN})
_BUSY = 429
_BROKEN = 500
_AWAY = 503
_ELSEWHERE = 307

FAULTS: Mapping[GatewayFault, Fault] = {
    GatewayFault.OK: _taken(_YES),
    GatewayFault.DUPLICATE_ID: _taken(_YES),
    GatewayFault.THROTTLED: _left(_LATER, _BUSY),
    GatewayFault.THROTTLED_SECONDS: _left(_LATER, _BUSY, "2"),
    GatewayFault.THROTTLED_DATE: _left(_LATER, _BUSY, 30),
    GatewayFault.THROTTLED_PAST: _left(_LATER, _BUSY, -86_400),
    GatewayFault.THROTTLED_NEGATIVE: _left(_LATER, _BUSY, "-5"),
    GatewayFault.THROTTLED_FOREVER: _left(_LATER, _BUSY, "1000000000"),
    GatewayFault.THROTTLED_NONSENSE: _left(_LATER, _BUSY, "soon"),
    GatewayFault.BUSINESS_LIMIT: _left(_LATER),
    GatewayFault.BUSINESS_ERROR: _left(_NO),
    # it did not take the message, and a client that trusts it may say so
    GatewayFault.REDIRECT: _left(_NO | _LATER | _OPEN, _ELSEWHERE),
    GatewayFault.ERROR_BEFORE: _left(_OPEN, _BROKEN),
    GatewayFault.ERROR_AFTER: _taken(_OPEN, _BROKEN),
    GatewayFault.ERROR_ECHO: _left(_OPEN, _BROKEN),
    GatewayFault.UNAVAILABLE: _left(_OPEN, _AWAY, "2"),
    GatewayFault.TIMEOUT_BEFORE: _left(_OPEN),
    GatewayFault.TIMEOUT_AFTER: _taken(_OPEN),
    GatewayFault.TIMEOUT_LATE: _taken(_OPEN),
    GatewayFault.RESET_BEFORE: _left(_OPEN),
    GatewayFault.RESET_AFTER: _taken(_OPEN),
    GatewayFault.HALF_BODY: _taken(_OPEN),
    GatewayFault.BAD_JSON: _taken(_OPEN),
    GatewayFault.WRONG_TYPE: _taken(_OPEN),
    GatewayFault.EMPTY_BODY: _taken(_OPEN),
    # who waits long enough reads the whole answer
    GatewayFault.SLOW_DRIP: _taken(_YES | _OPEN),
    GatewayFault.HUGE_BODY: _taken(_OPEN),
}  # fmt: skip

USUAL_FAULTS: Mapping[GatewayFault, float] = {
    fault: 0.05 if fault is GatewayFault.THROTTLED else 0.015
    for fault in GatewayFault
    # what waits, or fills the wire, is rare: it costs the storm its time
    if fault not in {GatewayFault.OK, GatewayFault.SLOW_DRIP, GatewayFault.HUGE_BODY}
} | {GatewayFault.SLOW_DRIP: 0.002, GatewayFault.HUGE_BODY: 0.002}
"""Shares of a bad day: about a third of the requests go wrong in some way."""


def fault_mix(
    faults: Mapping[GatewayFault | str, float],
) -> tuple[tuple[GatewayFault, ...], tuple[float, ...]]:
    """
    Return faults and their shares, with what is left over for `GatewayFault.OK`.

    Args:
        faults: Share of the requests, 0 to 1, by fault.

    Raises:
        InvalidValueError: A fault is not known, or the shares are no shares.

    >>> fault_mix({"throttled": 0.25})
    ((<GatewayFault.THROTTLED: 'throttled'>, <GatewayFault.OK: 'ok'>), (0.25, 0.75))
    """
    names = [fault.value for fault in GatewayFault]
    for name in faults:
        if name not in names:
            raise InvalidValueError(
                f"no fault is called {str(name)[:40]!r}; {nearest(str(name), names)}"
            )
    shares = {GatewayFault(name): float(share) for name, share in faults.items()}
    shares.pop(GatewayFault.OK, None)
    wrong = sum(shares.values())
    if any(not 0 <= share <= 1 for share in shares.values()) or wrong > 1 + 1e-9:
        raise InvalidValueError("the shares of faults are 0 or more, together up to 1")
    return (*shares, GatewayFault.OK), (*shares.values(), max(0.0, 1.0 - wrong))


def say(
    fault: GatewayFault,
    whole: GatewayAnswer,
    connection: GatewayConnection,
    *,
    hold: float,
    huge: int,
    elsewhere: str,
    echo: str,
) -> None:
    """
    Answer a request in the way of a fault.

    Args:
        fault: What goes wrong.
        whole: What should have been said.
        connection: Where to say it.
        hold: Seconds to keep the client waiting.
        huge: Bytes of a huge answer.
        elsewhere: The address to which a redirect points.
        echo: What was asked, for an answer that repeats it.
    """
    moved = GatewayAnswer(status=_ELSEWHERE, body=b"", headers={"Location": elsewhere})
    known = FAULTS[fault]
    echoed = GatewayAnswer(
        status=_BROKEN, body=json.dumps({"code": echo, "error": echo}).encode()
    )

    def wait() -> None:
        connection.hold_client(hold)
        connection.close()

    acts: Mapping[GatewayFault, Callable[[], None]] = {
        GatewayFault.REDIRECT: partial(connection.answer, moved),
        GatewayFault.ERROR_ECHO: partial(connection.answer, echoed),
        GatewayFault.TIMEOUT_BEFORE: wait,
        GatewayFault.TIMEOUT_AFTER: wait,
        GatewayFault.TIMEOUT_LATE: connection.close,
        GatewayFault.RESET_BEFORE: connection.reset,
        GatewayFault.RESET_AFTER: connection.reset,
        GatewayFault.HALF_BODY: partial(connection.half, whole),
        GatewayFault.BAD_JSON: partial(
            connection.answer, attrs.evolve(whole, body=b"{'code': OK" + whole.body)
        ),
        GatewayFault.WRONG_TYPE: partial(connection.answer, _LOGIN),
        GatewayFault.EMPTY_BODY: partial(
            connection.answer, attrs.evolve(whole, body=b"")
        ),
        GatewayFault.SLOW_DRIP: partial(connection.drip, whole, hold),
        GatewayFault.HUGE_BODY: partial(connection.flood, whole, huge),
    }
    plain = whole if known.status == _WELL else known.plain_answer()
    acts.get(fault, partial(connection.answer, plain))()
