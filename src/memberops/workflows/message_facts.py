"""What the chain's tables know of members, told to the outbox that sends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs
import pandas as pd

from memberops.domain.visit import VisitChannel
from memberops.policies.visit_standing import consents_in_order
from memberops.schedules.dates import add_days
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.inquiry import Inquiry
from memberops.workflows.visit_records import records_of

if TYPE_CHECKING:
    from memberops.adapters.stores.outbox_store import SqlOutbox
    from memberops.workflows.chain import Chain, Progress

__all__ = [
    "ConsentFact",
    "record_facts",
    "recorded_consents",
    "recorded_contacts",
    "tables_to_send",
]

_CHANNELS = ("all", VisitChannel.SMS.value)
_NOBODY = ("no-rows", "file-empty")
_DAYS_BACK = 31
"""No cap of the contact policy looks back further than a window of hours in days."""


class ConsentFact(NamedTuple):
    """What a member said last, and when."""

    member_id: str
    at: dt.datetime
    given: bool


def recorded_consents(
    asked: Inquiry, members: Iterable[str] | None = None
) -> list[ConsentFact]:
    """
    Return the last word of members on messages, as the chain's tables have it.

    Args:
        asked: The question, with the table of consents if there is one.
        members: Whom; all by default.
    """
    if "consents" not in asked.tables:
        return []
    zone = asked.chain.zone
    rows, _ = consents_in_order(
        asked.tables["consents"], as_of=asked.as_of, zone=zone.key
    )
    rows = rows[rows["channel"].isin(_CHANNELS).to_numpy(bool)]
    rows = rows.drop_duplicates("member_id", keep="last")
    if members is not None:
        rows = rows[rows["member_id"].isin(set(members)).to_numpy(bool)]
    days = rows["on"].dt.tz_localize(zone).dt.tz_convert("UTC")
    exact = pd.to_datetime(rows["at"], utc=True)
    moments = exact.where(exact.notna(), days)
    return [
        ConsentFact(member, at.to_pydatetime(), given == "yes")
        for member, at, given in zip(
            rows["member_id"], moments, rows["given"], strict=True
        )
    ]


def recorded_contacts(
    asked: Inquiry, members: Iterable[str]
) -> list[tuple[str, dt.datetime, str]]:
    """
    Return the visits that were made lately: they count against the caps.

    Args:
        asked: The question, with the table of visits if there is one.
        members: Whom.
    """
    if "visits" not in asked.tables:
        return []
    zone = asked.chain.zone
    rows = records_of(asked)
    made = rows["done_on"].notna() & (rows["outcome"] != "canceled")
    made &= rows["done_on"] >= pd.Timestamp(add_days(asked.as_of, -_DAYS_BACK))
    made &= rows["member_id"].isin(set(members))
    known = {channel.value for channel in VisitChannel}
    made &= rows["channel"].isin(known)
    rows = rows[made.to_numpy(bool)]
    noon = rows["done_on"].dt.normalize() + pd.Timedelta(hours=12)
    noon = noon.dt.tz_localize(zone).dt.tz_convert("UTC")
    exact: Any = rows["done_at"]
    moments = exact.where(exact.notna(), noon)
    return [
        (member, at.to_pydatetime(), channel)
        for member, at, channel in zip(
            rows["member_id"], moments, rows["channel"], strict=True
        )
    ]


def tables_to_send(chain: Chain, progress: Progress | None = None) -> ChainTables:
    """
    Read what is asked once more as messages leave: consents and visits.

    That nobody was visited yet is no fault of a message: it is not told.

    Args:
        chain: The chain.
        progress: Is told of each table.

    Raises:
        SourceError: A table cannot be read.
    """
    only = [each for each in ("consents", "visits") if each in chain.sources]
    tables = chain.read(only=only, progress=progress)
    if "visits" not in tables:
        return tables
    visits = tables.results["visits"]
    kept = [each for each in visits.findings if each.rule not in _NOBODY]
    told = attrs.evolve(visits, findings=kept)
    return ChainTables({**tables.results, "visits": told})


def record_facts(
    outbox: SqlOutbox,
    *,
    consents: Iterable[ConsentFact] = (),
    contacts: Iterable[tuple[str, dt.datetime, str]] = (),
) -> None:
    """Write consents, opt-outs and contacts into an outbox; each counts once."""
    said = list(consents)
    evidence = "table of consents"
    outbox.record_consents(
        (each.member_id, each.at, evidence) for each in said if each.given
    )
    outbox.record_opt_outs(
        (each.member_id, each.at, evidence) for each in said if not each.given
    )
    outbox.record_contacts(contacts)
