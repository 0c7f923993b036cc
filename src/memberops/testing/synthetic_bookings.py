"""The appointments of a made-up chain, and what members say in surveys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from memberops.testing.draws import chance, generator, moments, pick, texts

if TYPE_CHECKING:
    from memberops.testing.synthetic_chain import SyntheticChain
    from memberops.testing.synthetic_members import People

__all__ = ["made_appointments", "made_surveys"]

_MINUTES_A_DAY = 24 * 60
_SLOT = 30
_OPENS, _SLOTS = 10 * 60, 16
_CAPACITY = 2
_DAYS_AHEAD = 10
_A_DAY_AND_STORE = 0.7
_SERVICES = ("皮肤护理", "验光", "保养")
_PAST = ("kept", "missed", "cancelled")
_PAST_SHARES = (0.8, 0.1, 0.1)
_AHEAD = ("booked", "changed", "cancelled")
_AHEAD_SHARES = (0.84, 0.08, 0.08)
_QUESTIONS = ("商品", "服务", "环境")
_SCORE_SHARES = (0.02, 0.04, 0.13, 0.38, 0.43)
_ANSWERS_A_MEMBER = 0.03
_SURVEY_MONTHS = 3


def made_appointments(chain: SyntheticChain, people: People) -> pd.DataFrame:
    """
    Make the appointments of the last month and of the ten days after the last day.

    Times are half hours between 10:00 and 18:00; no slot holds more than its
    capacity. Those ahead were booked by the last day, the others were kept, missed or
    cancelled.
    """
    draw = generator(chain.seed, "appointments")
    first = int(chain.month_days[-2].astype(np.int64))
    end = int(chain.month_days[-1].astype(np.int64))
    days = end + _DAYS_AHEAD - first
    count = max(1, int(draw.poisson(_A_DAY_AND_STORE * days * chain.stores)))
    day = first + np.floor(draw.random(count) * days).astype(np.int64)
    slot = np.floor(draw.random(count) * _SLOTS).astype(np.int64)
    store = pick(draw, chain.store_sizes(), count)
    service = np.floor(draw.random(count) * len(_SERVICES)).astype(np.int64)
    member = np.floor(draw.random(count) * chain.members).astype(np.int64)
    joined, opened = people.joined_on.astype(np.int64), chain.opened_on()
    rows = pd.DataFrame(
        {"day": day, "slot": slot, "store": store, "service": service, "member": member}
    )
    slots = ["day", "slot", "store", "service"]
    fits = rows.groupby(slots).cumcount() < _CAPACITY
    fits &= joined[member] <= np.minimum(day, end - 1)
    fits &= opened.astype(np.int64)[store] <= day
    fits.iloc[0] = True
    rows = rows[fits].sort_values([*slots, "member"]).reset_index(drop=True)
    count = len(rows)
    start = rows["day"] * _MINUTES_A_DAY + _OPENS + rows["slot"] * _SLOT
    starts = start.to_numpy()
    is_ahead = (rows["day"] >= end).to_numpy(bool)
    state = np.where(
        is_ahead,
        np.array(_AHEAD, dtype=object)[pick(draw, _AHEAD_SHARES, count)],
        np.array(_PAST, dtype=object)[pick(draw, _PAST_SHARES, count)],
    )
    latest = np.minimum(starts - 60, end * _MINUTES_A_DAY - 5 * 60)
    # A booking is made and taken back between nine and the evening, as people wake.
    booked_day = latest // _MINUTES_A_DAY - 1
    booked_day -= np.floor(draw.random(count) * 9).astype(np.int64)
    booked = booked_day * _MINUTES_A_DAY + _OPENS
    booked += np.floor(draw.random(count) * 480).astype(np.int64)
    gone = (latest // _MINUTES_A_DAY) * _MINUTES_A_DAY + 9 * 60
    gone = np.maximum(np.minimum(gone, starts - 60), booked + 5)
    unsaid = chance(draw, 0.1, count)
    stores = np.array(chain.store_ids(), dtype=object)
    ids = people.members["member_id"].to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "booking_id": texts([f"B{number + 1:05d}" for number in range(count)]),
            "member_id": texts(ids[rows["member"]]),
            "store_id": texts(stores[rows["store"]]),
            "service": texts([_SERVICES[at] for at in rows["service"].tolist()]),
            "starts_at": moments(starts, chain.zone),
            "ends_at": moments(starts + _SLOT, chain.zone),
            "capacity": pd.Series(
                pd.arrays.IntegerArray(
                    np.full(count, _CAPACITY, np.int64), chance(draw, 0.05, count)
                )
            ),
            "state": texts(state, missing=(state == "booked") & unsaid),
            "booked_at": moments(booked, chain.zone),
            "cancelled_at": moments(
                gone, chain.zone, missing=np.asarray(state != "cancelled", bool)
            ),
        }
    )


def made_surveys(chain: SyntheticChain, people: People) -> pd.DataFrame:
    """
    Make the answers of the last three months: three questions, a score from 1 to 5.

    Some answer without saying who they are, or leave a question out.
    """
    draw = generator(chain.seed, "surveys")
    months = min(chain.months, _SURVEY_MONTHS)
    first = int(chain.month_days[-1 - months].astype(np.int64))
    end = int(chain.month_days[-1].astype(np.int64))
    count = max(1, round(chain.members * _ANSWERS_A_MEMBER * months))
    day = np.sort(first + np.floor(draw.random(count) * (end - first)).astype(np.int64))
    store = pick(draw, chain.store_sizes(), count)
    store = np.where(chain.opened_on().astype(np.int64)[store] > day, 0, store)
    member = np.floor(draw.random(count) * chain.members).astype(np.int64)
    unnamed = chance(draw, 0.25, count)
    unnamed |= people.joined_on.astype(np.int64)[member] > day
    desk = 1 + np.floor(draw.random(count) * 4).astype(np.int64)
    nobody = chance(draw, 0.1, count)
    sheet = np.repeat(np.arange(count), len(_QUESTIONS))
    question = np.tile(np.arange(len(_QUESTIONS)), count)
    told = chance(draw, 0.95, len(sheet))
    told[0] = True
    score = 1 + pick(draw, _SCORE_SHARES, len(sheet))
    sheet, question, score = sheet[told], question[told], score[told]
    stores = np.array(chain.store_ids(), dtype=object)
    staff = [f"{stores[s]}-{n:02d}" for s, n in zip(store, desk, strict=True)]
    ids = people.members["member_id"].to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "answer_id": texts(
                [
                    f"Q{number + 1:05d}-{place + 1}"
                    for number, place in zip(sheet, question, strict=True)
                ]
            ),
            "question": texts([_QUESTIONS[at] for at in question.tolist()]),
            "score": score,
            "answered_on": day[sheet].astype("datetime64[D]").astype("datetime64[us]"),
            "store_id": texts(stores[store[sheet]]),
            "staff_id": texts(np.array(staff, object)[sheet], missing=nobody[sheet]),
            "member_id": texts(ids[member[sheet]], missing=unnamed[sheet]),
        }
    )
