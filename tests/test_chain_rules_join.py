"""Promises that what a chain file says is used, once, or refused."""

import datetime as dt
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from memberops.errors import ConfigurationError, InvalidValueError
from memberops.policies import Welcome
from memberops.testing import sales_frame
from memberops.workflows import Chain, ChainPolicies, open_chain
from office_chain import TODAY, write_office

DAY = dt.date.fromisoformat(TODAY)


def chain_with(folder, more):
    """Return the office's chain with more lines in its file."""
    path = write_office(folder)
    text = path.read_text("utf-8")
    path.write_text(text + more, "utf-8")
    return open_chain(path)


def test_the_expiring_list_carries_the_level_of_each_member(tmp_path):
    """M1 spent 770.00 and M4 999.99, so both have the level that 700 earns."""
    answer = chain_with(tmp_path, "").expiring("2026-11", as_of=DAY)
    frame = answer.frame()
    assert dict(zip(frame["member_id"], frame["tier"], strict=True)) == {
        "M1": "vip", "M4": "vip",
    }  # fmt: skip


def test_the_office_calendar_says_by_when_expiring_members_are_visited(tmp_path):
    """A chain whose list is due on the 8th has the 8th on the list."""
    more = "\n[policies.office_calendar.duties.expiring_list]\nday = 8\n"
    answer = chain_with(tmp_path, more).expiring("2026-11", as_of=DAY)
    assert set(answer.frame()["visit_due"]) == {pd.Timestamp("2026-11-08")}


def test_a_new_member_is_welcomed_within_one_number_of_days():
    """The welcome and its visit share their days, whichever says them."""

    def within(policies):
        (rule,) = (each for each in policies.visits.rules if each.name == "welcome")
        return policies.welcome.days, rule.within

    assert within(ChainPolicies()) == (7, 7)
    assert within(ChainPolicies(welcome=Welcome(days=3))) == (3, 3)
    four = ChainPolicies(welcome=Welcome(days=4)).visits
    assert within(ChainPolicies(visits=four)) == (4, 4)
    with pytest.raises(InvalidValueError, match="give it once"):
        ChainPolicies(welcome=Welcome(days=3), visits=four)


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ("[policies.fee_waiver]\npurchases = 5\nrule = { spend = 2000 }", "purchases"),
        ('[policies.fee_waiver]\nspend = "500"\nrule = { spend = 2000 }', "spend"),
        ('[policies.tiers]\nwindow = "lifetime"\nmonths = 6', "months"),
        ('[policies.tiers]\ndowngrade = "every"\nreviews = ["01-01"]', "reviews"),
    ],
)
def test_a_key_that_another_made_idle_is_refused(tmp_path, more, key):
    """Two keys of which one would do nothing are a mistake in the file."""
    path = write_office(tmp_path)
    text = path.read_text("utf-8")
    if "[policies.tiers]" in more:
        text = text.replace("[policies.tiers]", more, 1)
    else:
        text += "\n" + more + "\n"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=f"{key}.*does nothing"):
        open_chain(path)


def test_a_zone_is_taken_by_its_name_and_a_wrong_one_refused():
    """Text names a zone as well as a ZoneInfo does; what is none is told."""
    sales = sales_frame([("T1", "2026-03-01", "S1", "M1", 1, "10.00")])
    chain = Chain.from_frames(sales=sales, zone="Europe/Berlin")
    assert chain.zone == ZoneInfo("Europe/Berlin")
    assert chain.policies.visits.zone == "Europe/Berlin"
    for wrong in ("Europe/Atlantis", 8, None):
        with pytest.raises(InvalidValueError, match="must be a zone"):
            Chain.from_frames(sales=sales, zone=wrong)
