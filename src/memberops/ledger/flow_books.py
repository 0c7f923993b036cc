"""The ledger as the book of stock that is matched with points and tills (HQ §7)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable

import pandas as pd

from memberops.domain.gift import POINTS, Place, PlaceKind
from memberops.domain.posting import Posting, PostingKind
from memberops.errors import InvalidValueError
from memberops.ledger.facts import ISSUE_KEY, brought_back

__all__ = ["moved_gifts"]

_GIVEN = frozenset({PostingKind.ISSUE, PostingKind.REDEMPTION})
_TEXTS = ("posting_id", "store_id", "member_id", "gift_id", "lot_id")
_PAPERS = ("issue", "redemption")


def moved_gifts(postings: Iterable[Posting], *, as_of: dt.datetime) -> pd.DataFrame:
    """
    List the stock that left stores for members: the movements of a match.

    What was reversed by then is left out, as if it had not been. What a member brought
    back does not undo that it was given: how many came back stands beside it.

    Args:
        postings: Postings of the ledger.
        as_of: Aware instant, inclusive.

    Returns:
        One row a movement, in the order of the postings: ``posting_id``,
        ``effective_at``, ``store_id``, ``member_id``, ``gift_id``, ``lot_id``,
        ``quantity``, ``returned``, ``issue_id`` and ``redemption_id``, as
        `memberops.policies.GiftMatchPolicy.match` takes them.

    Raises:
        InvalidValueError: *as_of* has no zone.

    >>> from memberops.domain import Movement
    >>> noon = dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)
    >>> given = Posting(posting_id="P1", kind="issue", effective_at=noon,
    ...     refers_to={"issue": "I1"}, movements=[Movement(gift_id="CUP", quantity=2,
    ...         source="store:S01", destination="member:M1")])
    >>> moved = moved_gifts([given], as_of=noon)
    >>> moved[["store_id", "member_id", "quantity", "issue_id"]].values.tolist()
    [['S01', 'M1', 2, 'I1']]
    """
    if as_of.utcoffset() is None:
        raise InvalidValueError("'as_of' must be a datetime with a zone")
    known = [each for each in postings if each.effective_at <= as_of]
    undone = {each.reverses for each in known}
    back: Counter[tuple[str, str, str]] = Counter()
    for posting in known:
        if posting.posting_id not in undone and posting.reverses is None:
            for key in posting.references(ISSUE_KEY):
                for cell, number in brought_back(posting).items():
                    back[key, cell.gift_id, cell.lot_id] += number
    rows = []
    for posting in known:
        if posting.kind not in _GIVEN or posting.posting_id in undone:
            continue
        papers = [next(iter(posting.references(kind)), "") for kind in _PAPERS]
        for each in posting.movements:
            source, to = Place(each.source), Place(each.destination)
            if (
                each.gift_id == POINTS
                or source.kind is not PlaceKind.STORE
                or to.kind is not PlaceKind.MEMBER
            ):
                continue
            store, member = (place.name.partition(":")[0] for place in (source, to))
            texts = (posting.posting_id, store, member, each.gift_id, each.lot_id or "")
            came = posting.posting_id, each.gift_id, each.lot_id or ""
            returned = min(back[came], each.quantity)
            back[came] -= returned
            counts = each.quantity, returned
            rows.append((*texts, posting.effective_at, *counts, *papers))
    papers_named = [f"{kind}_id" for kind in _PAPERS]
    columns = [*_TEXTS, "effective_at", "quantity", "returned", *papers_named]
    frame = pd.DataFrame(rows, columns=columns).astype(
        dict.fromkeys((*_TEXTS, *papers_named), "str")
        | {
            "effective_at": "datetime64[us, UTC]",
            "quantity": "int64",
            "returned": "int64",
        }
    )
    order = [
        "posting_id",
        "effective_at",
        *_TEXTS[1:],
        "quantity",
        "returned",
        *papers_named,
    ]
    return frame[order]
