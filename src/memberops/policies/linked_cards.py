"""Linked cards, such as those of a family, that follow a main card."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal, NamedTuple

import attrs
import numpy as np
import pandas as pd

from memberops.domain import Card, Decision, Reason, Statement
from memberops.domain.values import check_as_of, identifier
from memberops.errors import InvalidValueError, MissingColumnsError, bounded
from memberops.policies.renewal import Renewed
from memberops.policies.status_frames import as_pandas, days_of
from memberops.schedules import Period
from memberops.schedules.dates import add_days

__all__ = ["LinkedCards"]

_COLUMNS = ("card_id", "valid_from", "valid_through")


@attrs.frozen(kw_only=True)
class LinkedCards:
    """
    The policy by which a linked card follows its main card.

    A linked card never outlives the main card, and gets each of its renewals. One
    that joined later keeps its own first day, unless the chain gives it the main
    card's. Days that are paid are kept: where the linked card runs up to the main
    card's next term, it goes on through it.

    Args:
        start: Whose first day it has: ``"own"``, but none before the main card's
            anchor, or ``"main"``.
        policy: Id of the policy.
        version: Version of the policy.

    >>> from memberops.policies import Renewal
    >>> main = Card(card_id="C1", member_id="M1",
    ...     valid_from=dt.date(2026, 1, 1), valid_through=dt.date(2026, 12, 31))
    >>> main = Renewal().renew(main, as_of=dt.date(2026, 12, 1)).card
    >>> child = Card(card_id="C2", member_id="M2",
    ...     valid_from=dt.date(2026, 3, 1), valid_through=dt.date(2026, 12, 31))
    >>> followed = LinkedCards().follow(child, main, as_of=dt.date(2026, 12, 1))
    >>> print(followed.card.valid_from, followed.card.valid_through)
    2026-03-01 2027-12-31
    >>> print(followed.decision.explain("zh"))
    随主卡 C1，自 2026-03-01 至 2027-12-31
    """

    start: Literal["own", "main"] = "own"
    policy: str = attrs.field(default="linked-cards", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    def __attrs_post_init__(self) -> None:
        """Refuse a rule that does not exist."""
        if self.start not in ("own", "main"):
            raise InvalidValueError(
                f"'start' must be 'own' or 'main', not {str(self.start)[:20]!r}"
            )

    def follow(self, card: Card, main: Card, *, as_of: dt.date) -> Renewed:
        """
        Give a linked card the days of its main card.

        Args:
            card: The linked card.
            main: The card that it follows.
            as_of: The day asked for.

        Returns:
            The card with its days; the outcome is ``"followed"`` if they changed,
            ``"same"`` if not, and ``"ended"`` where the main card ended before the
            linked one began: then it stays as it was but for its last day.

        Raises:
            InvalidValueError: A card is to follow itself.
        """
        check_as_of(as_of)
        if card.card_id == main.card_id:
            raise InvalidValueError("a card cannot be linked to itself")
        begun = main.valid_from
        if card.valid_through >= begun or add_days(card.valid_through, 1) == begun:
            begun = main.anchor  # the linked card ran on with the term before
        first = max(card.valid_from, begun)
        if self.start == "main":
            first = min(main.valid_from, first)
        ended = main.valid_through < first
        if ended:
            first = card.valid_from
        last = max(main.valid_through, first)
        anchor = main.anchor if self.start == "main" else card.anchor
        followed = attrs.evolve(
            card,
            valid_from=first,
            valid_through=last,
            anchor=min(anchor, first),
        )
        outcome = "followed" if followed != card else "same"
        outcome = "ended" if ended else outcome
        reason = Reason(
            rule="main_card",
            met=not ended,
            figures=(
                ("main_card", main.card_id),
                ("valid_from", str(first)),
                ("valid_through", str(last)),
                ("main_through", str(main.valid_through)),
            ),
            text_en=f"follows card {main.card_id}, from {first} through {last}",
            text_zh=f"随主卡 {main.card_id}，自 {first} 至 {last}",
        )
        return Renewed(
            card=followed,
            term=Period.span(first, last),
            decision=Decision(
                outcome=outcome,
                grounds=Statement(reasons=[reason]),
                policy=self.policy,
                version=self.version,
                as_of=as_of,
                changes_on=None,
            ),
        )

    def follow_frame(self, cards: Any) -> pd.DataFrame:
        """
        Give each linked card of a frame the days of its main card.

        Args:
            cards: A frame of any engine: ``card_id`` (each once), ``valid_from``,
                ``valid_through``, ``main_card_id`` (a gap for a card of its own),
                optional ``anchor`` (a gap stands for the first day).

        Returns:
            A pandas frame of the same rows with the days and the ``anchor`` as
            `follow` gives them, and ``link``: ``""`` for a card of its own,
            ``"followed"``, ``"same"`` or ``"ended"``, ``"main_unknown"`` where the
            main card is not there, and ``"no_term"`` where a linked card or its main
            card lacks a day or ends before it begins: it stays as it was.

        Raises:
            MissingColumnsError: A column is absent.
            InvalidValueError: A card is there twice, or follows a card that follows
                another: links go one step, so that none can go in a circle.
        """
        frame = as_pandas(cards, "cards")
        missing = [n for n in (*_COLUMNS, "main_card_id") if n not in frame]
        if missing:
            raise MissingColumnsError("cards", missing, list(frame.columns))
        linked = frame["main_card_id"].notna().to_numpy()
        mains = frame[~linked]
        if frame["card_id"].duplicated().any():
            raise InvalidValueError("a card is there twice: give each its last term")
        chained = linked & frame["main_card_id"].isin(frame.loc[linked, "card_id"])
        if chained.any():
            raise InvalidValueError(
                "a linked card follows a card that stands for itself; linked to a "
                f"linked card or to itself: {bounded(frame.loc[chained, 'card_id'])}"
            )
        at = pd.Index(mains["card_id"]).get_indexer(frame["main_card_id"])
        known = linked & (at >= 0)
        days = [days_of(frame, name) for name in _COLUMNS[1:]]
        days.append(_anchors(frame, days[0]))
        own = _Days(*days)
        chosen = np.flatnonzero(~linked)[at] if len(mains) else np.zeros(len(at), int)
        main = _Days(*(values[chosen] for values in days))
        told = known & own.are_terms() & main.are_terms()
        followed, ended = self._followed(own, main)
        same = np.all([new == old for new, old in zip(followed, own, strict=True)], 0)
        link = np.where(ended, "ended", np.where(same, "same", "followed"))
        link = np.where(told, link, np.where(linked, "main_unknown", ""))
        link = np.where(known & ~told, "no_term", link)
        result = frame.assign(link=pd.Series(link, index=frame.index, dtype="str"))
        for name, new, old in zip(_Days._fields, followed, own, strict=True):
            taken = np.where(told, new, old).astype("datetime64[us]")
            result[name] = pd.Series(taken, index=frame.index)
        return result

    def _followed(self, own: _Days, main: _Days) -> tuple[_Days, Any]:
        """Give linked cards their days as `follow` does, and which have ended."""
        runs_on = own.valid_through + np.timedelta64(1, "D") >= main.valid_from
        begun = np.where(runs_on, main.anchor, main.valid_from)
        first = np.maximum(own.valid_from, begun)
        if self.start == "main":
            first = np.minimum(main.valid_from, first)
        ended = main.valid_through < first
        first = np.where(ended, own.valid_from, first)
        last = np.maximum(main.valid_through, first)
        anchor = main.anchor if self.start == "main" else own.anchor
        return _Days(first, last, np.minimum(anchor, first)), ended


class _Days(NamedTuple):
    """The days of the cards of a frame, as arrays."""

    valid_from: Any
    valid_through: Any
    anchor: Any

    def are_terms(self) -> Any:
        """Tell which are terms: no day is missing, and none ends before it begins."""
        return (self.anchor <= self.valid_from) & (
            self.valid_from <= self.valid_through
        )


def _anchors(frame: pd.DataFrame, first: Any) -> Any:
    if "anchor" not in frame:
        return first
    anchors = days_of(frame, "anchor")
    return np.where(np.isnat(anchors), first, anchors)
