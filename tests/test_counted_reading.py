"""Promises of reading systems that keep no trace of what was deleted."""

import datetime as dt

import pytest

from memberops.adapters.sources.changes import merge_changes
from memberops.adapters.sources.counted_reading import Came, counted_changes
from memberops.adapters.sources.reading_options import ReadingOptions
from pos_checks import CONTEXT

AT = dt.datetime(2026, 11, 5, 6, tzinfo=dt.UTC)
OPTIONS = ReadingOptions.of("members", currency=CONTEXT.currency, zone=CONTEXT.zone)


class Office:
    """Members by number, of whom somebody may come or go while they are read."""

    def __init__(self, *ids):
        self.ids = list(ids)
        self.meanwhile = lambda: None

    def _count(self, before):
        far = before[0] if before else max(self.ids, default=0)
        return far, sum(each <= far for each in self.ids)

    def _fetch(self, since):
        self.meanwhile()
        # As any system, it gives what was made at that moment or later.
        came = [each for each in self.ids if since is None or each >= 7]
        return Came(
            origin="office", rows=[{"member_id": each} for each in came],
            seen=AT, served_at=AT, met={"member": came},
        )  # fmt: skip

    def read(self, since):
        """Read what changed."""
        return counted_changes(
            OPTIONS, self._fetch, since=since, name="office", mark="m",
            overlap=dt.timedelta(), fields=["member_id"],
            counts={"member": self._count},
        )  # fmt: skip


@pytest.mark.parametrize(("there", "whole"), [((), True), ((1, 2, 3), False)])
def test_who_came_after_the_counting_and_went_later_is_missed(there, whole):
    """Whoever was read is watched, though not yet there when all were counted."""
    office = Office(*there)
    cursor = None if whole else office.read(None).cursor
    office.meanwhile = lambda: office.ids.append(7)
    first = office.read(cursor)
    assert "7" in set(first.result.frame["member_id"])
    office.meanwhile = lambda: None
    assert not office.read(first.cursor).whole
    office.ids.remove(7)
    later = office.read(first.cursor)
    assert later.whole
    found = merge_changes(first.result.frame, later)["member_id"].tolist()
    assert found == [str(each) for each in there]


def test_who_went_between_counting_and_reading_is_missed_too():
    """He was counted and never read, so that the next reading is whole."""
    office = Office(1, 2, 7)
    office.meanwhile = lambda: office.ids.remove(2)
    first = office.read(None)
    office.meanwhile = lambda: None
    assert office.read(first.cursor).whole
