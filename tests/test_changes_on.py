"""Promises of *changes_on*: until that day the answer stays as it is."""

import datetime as dt
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from memberops.domain import Card
from memberops.policies import CardState, Override, Welcome, overridden

DAY = dt.timedelta(days=1)
CARD = Card(
    card_id="C1",
    member_id="M1",
    valid_from=dt.date(2026, 1, 1),
    valid_through=dt.date(2026, 12, 31),
)
near = st.dates(dt.date(2026, 9, 15), dt.date(2027, 1, 15))
words = st.builds(
    lambda outcome, first, days: Override(
        subject="C1",
        outcome=outcome,
        reason="complaint",
        actor="E7",
        set_on=first,
        until=days and first + days * DAY,
    ),
    st.sampled_from(["expired", "active"]),
    near,
    st.none() | st.integers(1, 60),
)


@cache
def state_on(day):
    """Return the state of the card, which hangs on nothing but the day."""
    return CardState().decide(CARD, purchases=0, spend=0, as_of=day)


def turn_of(asked, day, days):
    """Find the first later day on which the outcome is another."""
    first = asked(day).outcome
    ahead = (day + n * DAY for n in range(1, days))
    return next((later for later in ahead if asked(later).outcome != first), None)


@given(st.lists(words, max_size=3), near)
def test_a_person_s_word_changes_on_the_day_that_is_named(told, day):
    """Never later than the outcome does, and on a day of another outcome if sure."""

    def asked(as_of):
        return overridden(state_on(as_of), told, subject="C1")

    turn, answer = turn_of(asked, day, 250), asked(day)
    assert turn is None or (answer.changes_on and answer.changes_on <= turn)
    state = state_on(day)
    if state.changes_on is None or (
        answer.changes_on and answer.changes_on < state.changes_on
    ):
        assert answer.changes_on == turn


@given(st.none() | near, st.none() | near, near)
def test_a_welcome_changes_on_the_day_that_is_named(filed, contacted, day):
    """A filing, a contact and the last day all come on the day that was told."""

    def asked(as_of):
        return Welcome().decide(filed_on=filed, contacted_on=contacted, as_of=as_of)

    assert asked(day).changes_on == turn_of(asked, day, 200)
