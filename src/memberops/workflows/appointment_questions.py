"""What the office asks about appointments: who comes tomorrow, and what is free."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import pandas as pd

from memberops.policies import AppointmentBook, read_appointments
from memberops.reports import appointments_form, free_slots_form
from memberops.workflows.answers import Answer
from memberops.workflows.chain_tables import ChainTables
from memberops.workflows.inquiry import Inquiry, inquire, moment_of, of_store

if TYPE_CHECKING:
    from memberops.workflows.chain import Chain, Progress

__all__ = ["appointments"]


def appointments(
    chain: Chain,
    *,
    as_of: dt.date,
    days_ahead: int = 1,
    store: str | None = None,
    tables: ChainTables | None = None,
    reveal: str | Collection[str] = (),
    progress: Progress | None = None,
) -> Answer:
    """
    List who comes on a coming day, and which places are still free (CLINIC).

    Args:
        chain: The chain; a method of it.
        as_of: The day, meant to its end, or a moment with its zone: what was booked or
            cancelled later is not known yet.
        days_ahead: Which day is listed: 1 is tomorrow.
        store: Only the list of this store.
        tables: What `Chain.read` gave, to answer several questions of one reading.
        reveal: Personal columns to show in full: ``"name"``, ``"phone"``, or both.
        progress: Is told each table before it is read.

    Returns:
        An `Answer` with the forms ``appointments`` and ``free_slots``.

    Raises:
        InvalidValueError: A moment without a zone, or *store* is not known.
        UnknownTableError: There is no source of appointments.
        SourceError: See `Chain.read`.
    """
    day, moment = moment_of(as_of, chain.zone)
    asked = inquire(
        chain,
        "appointments",
        titles=("appointments", "预约名单"),
        as_of=day,
        needs=("appointments",),
        uses=("members", "stores"),
        tables=tables,
        reveal=reveal,
        store=store,
        progress=progress,
    )
    book, findings = read_appointments(asked.tables["appointments"], as_of=moment)
    policy, members = chain.policies.appointments, asked.tables.get("members")
    coming = policy.day_list(book, as_of=day, days_ahead=days_ahead)
    coming["staff_id"] = _staff(asked.tables["appointments"], coming["booking_id"])
    form = of_store(
        appointments_form(
            coming,
            members=members,
            stores=asked.stores,
            policy=policy,
            reveal=asked.revealed(members),
            as_of=day,
        ),
        store,
    )
    free = of_store(
        free_slots_form(
            _free(asked, book, day + dt.timedelta(days=days_ahead)),
            stores=asked.stores,
            policy=policy,
            as_of=day,
        ),
        store,
    )
    when = day + dt.timedelta(days=days_ahead)
    booked, places = len(form.frame), int(free.frame["free"].sum())
    return asked.answer(
        form,
        free,
        lines=[
            (
                f"appointments on {when}: {booked:,}; free places: {places:,}",
                f"{when} 预约 {booked:,} 人；空余名额 {places:,} 个",
            )
        ],
        findings=findings,
    )


def _staff(appointments: pd.DataFrame, bookings: pd.Series[Any]) -> pd.Series[Any]:
    """Say who serves each booking, where the table tells it."""
    if "staff_id" not in appointments:
        return pd.Series(pd.NA, bookings.index, dtype="str")
    told = appointments.dropna(subset=["booking_id", "staff_id"])
    # A booking that is there twice counts once; which row it is, its staff settle.
    told = told.sort_values("staff_id").drop_duplicates("booking_id")
    return bookings.map(told.set_index("booking_id")["staff_id"]).astype("str")


def _free(asked: Inquiry, book: AppointmentBook, day: dt.date) -> pd.DataFrame:
    """List the slots of a day that have a place left."""
    taken = pd.Series([slot for _, slot in book.held.values()], dtype="str")
    held = taken.value_counts()
    zone = asked.chain.zone
    rows = [
        {
            "store_id": slot.store_id,
            "starts_at": slot.starts_at,
            "ends_at": slot.ends_at,
            "service": slot.service,
            "capacity": slot.capacity,
            "free": slot.capacity - int(held.get(slot.slot_id, 0)),
        }
        for slot in book.slots
        if slot.starts_at.astimezone(zone).date() == day
    ]
    names = ["store_id", "starts_at", "ends_at", "service", "capacity", "free"]
    frame = pd.DataFrame(rows, columns=names)
    for name in ("starts_at", "ends_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    frame = frame.astype({"capacity": "int64", "free": "int64"})
    order = ["store_id", "starts_at", "service"]
    return frame[frame["free"] > 0].sort_values(order, kind="stable")
