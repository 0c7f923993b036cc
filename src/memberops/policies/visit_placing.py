"""Giving many visits their days at once, in the order in which one by one would."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain.visit import VisitChannel
from memberops.policies.contact import ContactCap
from memberops.policies.contact_hours import window_text, zone_of
from memberops.policies.visit_policy import VisitPolicy

__all__ = ["Board", "Wishes"]

Array = np.ndarray[Any, Any]

_MOST = 255
_EPOCH_WEEKDAY = 3


@attrs.frozen(kw_only=True)
class Wishes:
    """
    Visits that rules ask for, as columns, the most important of a member first.

    Args:
        member: Number of the member.
        rule: Number of the rule in the policy.
        due: Day due, in days since 1970.
        last: Last day in time.
        pool: Number of the pool of staff, -1 for none.
        stopped: Number of the cause that stops it, 0 for none.
        round: Wishes of one round are of different members; rounds come in order.
    """

    member: Array
    rule: Array
    due: Array
    last: Array
    pool: Array
    stopped: Array
    round: Array


class Board:
    """
    The days of all members, and of the staff, while a plan is made.

    Args:
        policy: The rules.
        zones: For each member a number into *places*.
        places: Pairs of zones: the member's and the store's.
        through: For each member the last day of membership, far ahead if unknown.
        first: First day of the board, in days since 1970.
        days: How many days it has.
        limits: How many visits each pool makes a day.
    """

    def __init__(
        self,
        policy: VisitPolicy,
        *,
        zones: Array,
        places: list[tuple[str, str]],
        through: Array,
        first: int,
        days: int,
        limits: Array,
    ) -> None:
        self.policy = policy
        self.first = first
        self.days = days
        self.zones = zones
        self.through = through
        self.limits = limits
        self.causes = {name: code for code, name in enumerate(policy.causes)}
        self.channels = list(dict.fromkeys(rule.channel for rule in policy.rules))
        rules = policy.rules
        self.channel = np.array([self.channels.index(r.channel) for r in rules], int)
        self.capped = np.array([rule.capped for rule in rules], bool)
        self.marketing = np.array([rule.marketing for rule in rules], bool)
        self.despite = np.array(["expired" in rule.despite for rule in rules], bool)
        self.windows = self._windows(places)
        self.open = self.windows != ""
        self.works = self._works()
        size = len(through) * days
        groups = {cap.channels for cap in policy.contact.caps}
        self.taken = {group: np.zeros(size, np.uint8) for group in groups}
        self.made = np.zeros(size if policy.recent_days >= 0 else 0, bool)
        self.load = np.zeros((len(limits), days), np.int64)

    def _windows(self, places: list[tuple[str, str]]) -> Array:
        texts = np.full((len(places), len(self.channels), self.days), "", object)
        for place, (own, store) in enumerate(places):
            zone, store_zone = zone_of(own), zone_of(store)
            for number, channel in enumerate(self.channels):
                for index in range(self.days):
                    slots = self.policy.contact.slots(
                        channel, self._date(index), zone=zone, store_zone=store_zone
                    )
                    texts[place, number, index] = window_text(slots, zone)
        return texts

    def _works(self) -> Array:
        works = np.ones((len(self.channels), self.days), bool)
        if self.policy.rest is not None:
            days = [self.policy.rest.is_working_day(self._date(i))
                    for i in range(self.days)]  # fmt: skip
            for number, channel in enumerate(self.channels):
                if channel in (VisitChannel.PHONE, VisitChannel.IN_PERSON):
                    works[number] = days
        return works

    def clear(self) -> None:
        """Give back the room that the days took, once all wishes have theirs."""
        self.taken, self.made = {}, np.zeros(0, bool)

    def _date(self, index: int) -> dt.date:
        return dt.date(1970, 1, 1) + dt.timedelta(days=self.first + index)

    def enter(self, member: Array, on: Array, channel: Array, *, made: bool) -> None:
        """Take the days of contacts made or planned before."""
        index = on - self.first
        inside = (index >= 0) & (index < self.days) & (member >= 0)
        cells = (member * self.days + index)[inside]
        kinds = channel[inside]
        for group, taken in self.taken.items():
            counts = cells
            if group:
                # A contact whose channel is not told counts for every cap.
                counts = cells[np.isin(kinds, [*(each.value for each in group), ""])]
            places, number = np.unique(counts, return_counts=True)
            taken[places] = np.minimum(number + taken[places], _MOST)
        if made:
            self.made[cells] = True

    def occupy(self, pool: Array, on: Array) -> None:
        """Take the staff of visits planned before."""
        index = on - self.first
        inside = (index >= 0) & (index < self.days) & (pool >= 0)
        np.add.at(self.load, (pool[inside], index[inside]), 1)

    def place(self, wishes: Wishes, start: int) -> tuple[Array, Array]:
        """
        Give each wish its first legal day from the day *start* on.

        Returns:
            The days as numbers on the board, -1 for none, and the numbers of causes.
        """
        day = np.full(len(wishes.member), -1, np.int64)
        cause = wishes.stopped.copy()
        free = wishes.stopped == 0
        order = np.flatnonzero(free)
        order = order[np.argsort(wishes.round[order], kind="stable")]
        cuts = np.flatnonzero(np.diff(wishes.round[order])) + 1
        for batch in np.split(order, cuts):
            todo = batch
            tried = np.maximum(wishes.due[todo], start)
            while todo.size:
                in_time = tried <= wishes.last[todo]
                todo, tried = todo[in_time], tried[in_time]
                index = tried - self.first
                found = self._hindrance(wishes, todo, index)
                self._staff(wishes, todo, index, found)
                legal = found == 0
                self._take(wishes, todo[legal], index[legal])
                day[todo[legal]] = index[legal]
                todo, tried = todo[~legal], tried[~legal] + 1
                cause[todo] = np.where(cause[todo] == 0, found[~legal], cause[todo])
        # Being late moves a visit; what has no day for another reason says that one.
        late = free & (wishes.due < start) & ((day >= 0) | (cause == 0))
        cause[late] = self.causes["passed"]
        return day, cause

    def _hindrance(self, wishes: Wishes, todo: Array, index: Array) -> Array:
        """Number the first rule that each would break on its day, 0 for none."""
        member, rule = wishes.member[todo], wishes.rule[todo]
        channel = self.channel[rule]
        found = np.zeros(len(todo), np.int16)
        cell = member * self.days + index

        def note(name: str, hit: Array) -> None:
            found[(found == 0) & hit] = self.causes[name]

        late = index + self.first > self.through[member]
        note("expired", late & ~self.despite[rule])
        note("window", ~self.open[self.zones[member], channel, index])
        note("rest_day", ~self.works[channel, index])
        if self.marketing[rule].any():
            recent = np.zeros(len(todo), bool)
            for back in range(self.policy.recent_days + 1):
                recent |= self.made[cell - back]
            note("recently_contacted", recent & self.marketing[rule])
        for cap in self.policy.contact.caps:
            counted = self.capped[rule]
            if cap.channels:
                names = [self.channels.index(c) for c in cap.channels
                         if c in self.channels]  # fmt: skip
                counted = counted & np.isin(channel, names)
            if counted.any() and not cap.fine:
                note(cap.name, counted & self._full(cap, cell, index))
        return found

    def _full(self, cap: ContactCap, cell: Array, index: Array) -> Array:
        taken = self.taken[cap.channels]
        if cap.window == "day":
            return np.asarray(taken[cell] >= cap.most)
        if cap.window == "week":
            back = (index + self.first + _EPOCH_WEEKDAY) % cap.days
            monday = cell - back
            total = sum(taken[monday + n].astype(np.int32) for n in range(cap.days))
            return np.asarray(total >= cap.most)
        full = np.zeros(len(cell), bool)
        for start in range(cap.days):
            run = cell - start
            total = sum(taken[run + n].astype(np.int32) for n in range(cap.days))
            full |= total >= cap.most
        return full

    def _staff(self, wishes: Wishes, todo: Array, index: Array, found: Array) -> None:
        """Name those for whom their pool has no time left that day."""
        pool = wishes.pool[todo]
        some = np.flatnonzero((pool >= 0) & (found == 0))
        if not some.size:
            return
        desk = pd.Series(pool[some] * self.days + index[some])
        place = desk.groupby(desk, sort=False).cumcount().to_numpy()
        left = self.limits[pool[some]] - self.load[pool[some], index[some]]
        found[some[place >= left]] = self.causes["capacity"]

    def _take(self, wishes: Wishes, who: Array, index: Array) -> None:
        cell = wishes.member[who] * self.days + index
        channel = self.channel[wishes.rule[who]]
        for group, taken in self.taken.items():
            counts = cell
            if group:
                names = [self.channels.index(c) for c in group if c in self.channels]
                counts = cell[np.isin(channel, names)]
            taken[counts] = np.minimum(taken[counts], _MOST - 1) + 1
        pool = wishes.pool[who]
        np.add.at(self.load, (pool[pool >= 0], index[pool >= 0]), 1)
