"""What messages brought: written to beside held out, by hand and by recount."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from counts import examples
from memberops.domain import Currency, Money
from memberops.errors import ColumnTypeError, InvalidValueError, MissingColumnsError
from memberops.metrics.message_effect import (
    EffectPolicy,
    message_effect,
    newcombe_interval,
)

END = dt.date(2026, 12, 31)
SENT = dt.date(2026, 11, 1)


def messages(*rows):
    """Make messages of (member, state, days after the first)."""
    frame = pd.DataFrame(list(rows), columns=["member_id", "state", "on"])
    days = [None if n is None else SENT + dt.timedelta(days=n) for *_, n in rows]
    return frame.assign(on=pd.to_datetime(pd.Series(days, dtype="object")), segments=2)


def sales(*rows):
    """Make one line a ticket of (ticket, member, days after the first, amount)."""
    frame = pd.DataFrame(
        list(rows), columns=["ticket_id", "member_id", "sold_on", "amount"]
    )
    days = [SENT + dt.timedelta(days=n) for n in frame["sold_on"]]
    frame["sold_on"] = pd.to_datetime(pd.Series(days, dtype="object"))
    kinds = {"ticket_id": "str", "member_id": "str", "amount": "int64"}
    return frame.assign(store_id="S1", quantity=1).astype(kinds)


def members(*names):
    """Make those who were held out."""
    return pd.DataFrame({"member_id": list(names)})


def group(effect, name):
    """Take a group's row."""
    return effect.groups.set_index("group").loc[name]


def test_each_group_buys_in_its_own_days():
    """The day of the message and the last of the window count, their neighbors not."""
    sent = messages(("R1", "delivered", 0), ("R2", "delivered", 5),
                    ("R3", "delivered", 0), ("U1", "undelivered", 0),
                    ("Q1", "queued", None), ("X1", "unknown", 0))  # fmt: skip
    sold = sales(("A", "R1", 0, 100), ("B", "R1", 6, 200), ("C", "R1", 7, 400),
                 ("D", "R2", 4, 800), ("E", "R2", 11, 1600), ("F", "R3", -1, 3200),
                 ("G", "H1", 3, 50), ("H", "Q1", 2, 70), ("I", "X1", 2, 90),
                 ("J", "ZZ", 2, 90))  # fmt: skip

    effect = message_effect(
        sent, sold, as_of=END, held_out=members("H1", "H2"),
        policy=EffectPolicy(days=7), price=Money.of("0.05", Currency("CNY")),
    )  # fmt: skip

    counts = ["members", "buyers", "tickets", "sales"]
    assert group(effect, "reached")[counts].tolist() == [3, 2, 3, 1900]
    assert group(effect, "held_out")[counts].tolist() == [2, 1, 1, 50]
    assert group(effect, "not_reached")[counts].tolist() == [1, 0, 0, 0]
    # Of those written to the days count from the first of all, and X1 is one of them.
    assert group(effect, "written_to")[counts].tolist() == [6, 4, 5, 1260]
    assert group(effect, "reached")["buying_share"] == 2 / 3
    assert group(effect, "reached")["sales_per_member"] == 1900 / 3
    row = effect.delivery.iloc[0]
    # Q1 waits, and nobody can say yet that it does not arrive.
    told = ["messages", "reached", "unknown", "not_reached", "waiting"]
    assert row[told].tolist() == [6, 3, 1, 1, 1]
    # What is queued costs nothing; five messages of two parts at 5 fen do.
    assert (row["segments"], row["cost"]) == (10, 50)
    assert row["delivered_share"] == 0.5
    found = effect.differences.set_index(["group", "against"])
    assert found["difference"].to_dict() == pytest.approx({
        ("written_to", "held_out"): 4 / 6 - 1 / 2,
        ("reached", "held_out"): 2 / 3 - 1 / 2,
        ("reached", "not_reached"): 2 / 3 - 0 / 1,
    })  # fmt: skip
    assert (found["low"] < found["difference"]).all()
    assert (found["difference"] < found["high"]).all()
    assert effect.complete


def test_a_price_of_more_digits_is_told_in_the_currency_of_the_sales():
    """Nine parts at 0.045 yuan cost 0.405: 41 fen, rounded once."""
    sent = messages(*((f"R{n}", "delivered", 0) for n in range(9)))
    effect = message_effect(
        sent.assign(segments=1), sales(), as_of=END,
        price=Money.of("0.045", Currency("CNY", digits=3)), currency=Currency("CNY"),
    )  # fmt: skip
    assert effect.delivery["cost"].item() == 41


def test_what_is_not_known_yet_is_not_counted():
    """Later sales are left out, and a window that still runs says so."""
    sent = messages(("R1", "delivered", 0))
    sold = sales(("A", "R1", 13, 100))

    def at(days):
        return message_effect(sent, sold, as_of=SENT + dt.timedelta(days=days))

    assert (group(at(12), "reached")["buyers"], at(12).complete) == (0, False)
    assert (group(at(13), "reached")["buyers"], at(13).complete) == (1, True)


def test_a_purchase_taken_back_is_none():
    """A ticket whose goods were returned is no purchase."""
    sold = sales(("A", "R1", 1, 100), ("B", "R1", 2, -100))
    sold["returned_ticket_id"] = pd.Series([None, "A"], dtype="str")

    effect = message_effect(messages(("R1", "delivered", 0)), sold, as_of=END)

    assert group(effect, "reached")["buyers"] == 0


def test_groups_without_members_are_undefined_with_a_reason():
    """Nobody held out: no share, no difference, and the reason; never a zero."""
    effect = message_effect(messages(), sales(), as_of=END)

    assert effect.groups["buying_share"].isna().all()
    assert "buying_share: zero" in group(effect, "held_out")["undefined"]
    assert effect.differences["difference"].isna().all()
    assert effect.differences["undefined"].tolist() == ["difference: zero"] * 3
    assert effect.delivery["cost"].isna().all()
    assert effect.delivery["undefined"].tolist() == ["delivered_share: zero"]
    few = message_effect(
        messages(("R1", "delivered", 0)), sales(), as_of=END, held_out=members("H1"),
        policy=EffectPolicy(least_members=2),
    )  # fmt: skip
    assert few.differences["difference"].tolist()[0] == 0
    assert few.differences["low"].isna().all()
    assert few.differences["undefined"].tolist()[0] == "interval: few members"


def without_effect(held, dead, buys):
    """Measure a message that does nothing: dead numbers' owners do not buy."""
    ids = np.array([f"M{n}" for n in range(len(held))], dtype=object)
    sent = pd.DataFrame({"member_id": ids[~held], "on": pd.Timestamp(SENT)})
    sent["state"] = np.where(dead[~held], "undelivered", "delivered")
    sold = pd.DataFrame(
        {"ticket_id": ids[buys & ~dead], "member_id": ids[buys & ~dead]}
    )
    sold = sold.assign(store_id="S1", sold_on=pd.Timestamp(SENT), amount=1, quantity=1)
    effect = message_effect(sent, sold, as_of=END, held_out=members(*ids[held]))
    found = effect.differences.set_index(["group", "against"])
    return found.loc[("written_to", "held_out")], found.loc[("reached", "held_out")]


def test_dead_numbers_do_not_make_a_message_work():
    """With the same buyers and dead numbers in both, nothing is told to have worked."""
    number = np.arange(5000)
    fair, biased = without_effect(
        held=number % 5 == 0, dead=number // 5 % 10 < 3, buys=number // 50 % 5 == 0
    )

    assert fair["difference"] == pytest.approx(0)
    # A fifth of the living buy: 20 % of the reached, 14 % of those held out.
    assert biased["difference"] == pytest.approx(0.06)
    assert biased["low"] > 0


@pytest.mark.nightly
def test_chance_alone_seldom_makes_a_message_work():
    """Drawn anew, written to minus held out is about zero; the reached never are."""
    draw = np.random.default_rng(1)
    missed = 0
    for _ in range(40):
        held, dead, buys = (draw.random(4000) < share for share in (0.2, 0.3, 0.2))
        fair, biased = without_effect(held, dead, buys)
        missed += fair["low"] > 0 or fair["high"] < 0
        assert biased["low"] > 0
    # A 95 % interval misses zero in 2 of 40; more than 7 in 1 of 1,000 such tests.
    assert missed <= 7


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        # Newcombe (1998), table II, method 10.
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_is_the_published_one(one, other, low, high):
    """The limits of Newcombe's own examples come out to four digits."""
    found = newcombe_interval(one, other)

    assert found == pytest.approx((low, high), abs=5e-5)


@examples(1 / 6)
@given(
    states=st.lists(
        st.sampled_from(["delivered", "undelivered", "unknown", "rejected"]),
        max_size=6,
    ),
    held=st.integers(0, 3),
    bought=st.lists(
        st.tuples(st.integers(0, 9), st.integers(-3, 20), st.integers(1, 9)), max_size=8
    ),
    days=st.integers(1, 15),
)
def test_a_slow_recount_agrees(states, held, bought, days):
    """Counting one ticket after the other by hand gives the groups' figures."""
    sent = messages(*((f"M{n}", state, n) for n, state in enumerate(states)))
    out = [f"M{9 - n}" for n in range(held)]
    sold = sales(*(
        (f"T{n}", f"M{who}", day, amount)
        for n, (who, day, amount) in enumerate(bought)
    ))  # fmt: skip
    effect = message_effect(
        sent, sold, as_of=END, held_out=members(*out), sent_on=SENT,
        policy=EffectPolicy(days=days),
    )  # fmt: skip

    homes = {f"M{n}": (state, n) for n, state in enumerate(states)}
    homes |= dict.fromkeys(out, ("held_out", 0))
    homes |= {f"M{n}+": ("written_to", 0) for n in range(len(states))}
    wanted = {"written_to": ["written_to"], "held_out": ["held_out"],
              "reached": ["delivered"],
              "not_reached": ["undelivered", "rejected"]}  # fmt: skip
    for name, kinds in wanted.items():
        own = {who: on for who, (state, on) in homes.items() if state in kinds}
        hits = [
            (who, amount) for who, day, amount in bought
            if any(
                home in own and 0 <= day - own[home] < days
                for home in (f"M{who}", f"M{who}+")
            )
        ]  # fmt: skip
        row = group(effect, name)
        assert row["members"] == len(own)
        assert row["buyers"] == len({who for who, _ in hits})
        assert row["sales"] == sum(amount for _, amount in hits)
        assert math.isnan(row["buying_share"]) == (not own)


def test_wrong_use_names_the_fix():
    """Missing columns, odd states, a member twice, and no window are refused."""
    good = messages(("R1", "delivered", 0))
    with pytest.raises(MissingColumnsError, match="state"):
        message_effect(good.drop(columns="state"), sales(), as_of=END)
    with pytest.raises(InvalidValueError, match="MessageState"):
        message_effect(good.assign(state="done"), sales(), as_of=END)
    with pytest.raises(ColumnTypeError, match="calendar days"):
        message_effect(good.assign(on="2026-11-01"), sales(), as_of=END)
    with pytest.raises(InvalidValueError, match="two groups"):
        message_effect(good, sales(), as_of=END, held_out=members("R1"))
    with pytest.raises(InvalidValueError, match="1 or more"):
        EffectPolicy(days=0)
