"""Who may let messages leave, what is counted against the cap, and what is found."""

import datetime as dt

import attrs
import pandas as pd
import pytest

from memberops.adapters.stores import open_outbox
from memberops.domain.message import (
    BatchApproval,
    MessageReceipt,
    SendResult,
    audience_digest,
)
from memberops.domain.money import Currency, Money
from memberops.errors import ApprovalError, InvalidValueError, ScheduleError
from memberops.policies import MessagePolicy, SendFacts
from memberops.policies.outbox_policy import OutboxPolicy
from outbox_scene import (
    CNY,
    FREE,
    MINUTE,
    NOON,
    batch_of,
    claim,
    ready,
    sound,
    states,
    words,
)

FEN5 = Money.of("0.05", CNY)


@pytest.fixture
def outbox(new_database):
    """An outbox in SQLite and in PostgreSQL that nobody has used."""
    with open_outbox(new_database(), policy=FREE) as opened:
        yield opened


@pytest.fixture
def file_outbox(tmp_path):
    """An outbox in SQLite, for what no database does in its own way."""
    with open_outbox(tmp_path / "outbox.db", policy=FREE) as opened:
        yield opened


def test_a_withdrawal_holds_whatever_its_clock_says(outbox):
    """Written after the grant it wins, an hour early, told twice, and after a grant."""
    batch, _ = ready(outbox, "M1")
    early = words(batch, granted=False, at=NOON - 60 * MINUTE)[0]
    for _ in range(2):
        assert outbox.approve(early) == "refused"
        assert claim(outbox) == ()
    assert outbox.approve(words(batch)[0]) == "refused"  # told before: no new word
    assert outbox.approve(attrs.evolve(early, granted=True)) == "approved"
    assert outbox.approve(early) == "refused"
    assert claim(outbox) == ()
    sound(outbox)


@pytest.mark.parametrize("roles", [(), ("boss", "boss"), "ab", ("boss", " ")])
def test_a_policy_needs_roles_to_approve(roles):
    """Without roles, or with one twice, one person or none would do."""
    for make in (OutboxPolicy, MessagePolicy):
        with pytest.raises(InvalidValueError, match="roles"):
            make(roles=roles)


@pytest.mark.parametrize("twin", ["chen\u200b", "CHEN", "ｃｈｅｎ", "ch\u00aden"])
def test_one_person_under_two_spellings_is_one(file_outbox, twin):
    """Case, width and marks that nobody sees make no second person, nor author."""
    batch, messages = batch_of("M1")
    file_outbox.add_batch(batch)
    file_outbox.enqueue("B1", messages)
    first, second = words(batch)
    file_outbox.approve(first)
    assert file_outbox.approve(attrs.evolve(second, actor=twin)) == "waiting"
    other = attrs.evolve(batch, batch_id="B2", author="chen")
    file_outbox.add_batch(other)
    with pytest.raises(ApprovalError, match="who made"):
        file_outbox.approve(attrs.evolve(words(other)[0], actor=twin))


def test_an_id_of_another_message_settles_nothing(outbox):
    """What a provider found by the number alone may be an older message's."""
    ready(outbox, "M1")
    (own,) = claim(outbox)
    result = SendResult(
        message_id=own.message.message_id, outcome="accepted", provider_message_id="X"
    )
    outbox.record(own, result, at=NOON)
    ready(outbox, "M1", batch_id="B2")
    (second,) = claim(outbox)
    lost = SendResult(message_id=second.message.message_id, outcome="unknown")
    outbox.record(second, lost, at=NOON)
    later = NOON + 5 * MINUTE
    (asked,) = outbox.unsettled(at=later)
    found = MessageReceipt(provider="p", status="delivered", provider_message_id="X")
    assert outbox.settle(asked, found, at=later) == "unknown"
    mine = attrs.evolve(found, provider_message_id="Y")
    assert outbox.settle(asked, mine, at=later) == "delivered"
    sound(outbox)


def test_a_provider_that_gives_an_id_twice_still_settles_what_it_names(outbox):
    """Our own id in an answer means this message, whatever the provider's id is."""
    ready(outbox, "M1")
    (own,) = claim(outbox)
    result = SendResult(
        message_id=own.message.message_id, outcome="accepted", provider_message_id="X"
    )
    outbox.record(own, result, at=NOON)
    ready(outbox, "M1", batch_id="B2")
    (second,) = claim(outbox)
    lost = SendResult(message_id=second.message.message_id, outcome="unknown")
    outbox.record(second, lost, at=NOON)
    later = NOON + 5 * MINUTE
    (asked,) = outbox.unsettled(at=later)
    found = MessageReceipt(
        provider="p", status="delivered", message_id=second.message.message_id,
        provider_message_id="X",
    )  # fmt: skip
    assert outbox.settle(asked, found, at=later) == "delivered"
    sound(outbox)


def test_what_the_cap_or_the_approval_held_back_ends_with_that_cause(new_database):
    """Waiting or ended, a message says why; a cheaper one still goes."""
    policy = attrs.evolve(FREE, price=Money.of("6", CNY), unpriced=False)
    with open_outbox(new_database(), policy=policy) as outbox:
        batch, messages = batch_of("M1", "M2", "M3", cap="10")
        long = attrs.evolve(messages[0], text="中" * 80)
        pairs = [(each.message_id, each.digest) for each in (long, *messages[1:])]
        batch = attrs.evolve(batch, audience=audience_digest(pairs)[0])
        outbox.add_batch(batch)
        outbox.enqueue("B1", [long, *messages[1:]])
        for word in words(batch):
            outbox.approve(word)
        assert len(claim(outbox, limit=1)) == 1
        assert claim(outbox, limit=1) == ()
        assert outbox.next_due() is None
        causes = outbox.messages().set_index("state")["cause"]
        assert list(causes["queued"]) == ["cost_cap", "cost_cap"]
        other, more = batch_of("M4", batch_id="B2")
        outbox.add_batch(other)
        outbox.enqueue("B2", more)
        assert outbox.next_due() is None
        outbox.expire(at=NOON + dt.timedelta(days=30))
        ended = outbox.messages().query("state == 'expired'")
        assert sorted(ended["cause"]) == ["cost_cap", "cost_cap", "not_approved"]
        sound(outbox)


def test_a_cap_that_nothing_counts_against_is_refused(tmp_path):
    """Without a price a batch enters only where that was said by name."""
    batch, _ = batch_of("M1")
    with (
        open_outbox(tmp_path / "a.db", policy=OutboxPolicy()) as outbox,
        pytest.raises(InvalidValueError, match="unpriced=True"),
    ):
        outbox.add_batch(batch)
    for policy in (OutboxPolicy(unpriced=True), OutboxPolicy(price=FEN5)):
        with open_outbox(tmp_path / "a.db", policy=policy) as outbox:
            outbox.add_batch(batch)


def test_parts_cost_each_and_another_currency_is_told(outbox):
    """Three parts at 5 fen are 15, twice reported or not; dollars are a finding."""
    ready(outbox, "M1", "M2")
    one, two = claim(outbox)
    for own in (one, two):
        cost = Money.of("3", Currency("USD")) if own is two else None
        result = SendResult(
            message_id=own.message.message_id, outcome="accepted", cost=cost
        )
        outbox.record(own, result, at=NOON)
    sound_before = outbox.verify()
    for part in (1, 2, 3, 2):
        for raw_code in ("a", "b"):
            part_of = MessageReceipt(
                provider="p", status="delivered", segment=part, cost=FEN5,
                message_id=one.message.message_id, raw_code=raw_code,
            )  # fmt: skip
            outbox.receive(part_of, at=NOON)
    assert outbox.status()["spent"].item() == 15
    (finding,) = outbox.verify()
    assert sound_before == (finding,)
    assert (finding.rule, finding.count) == ("message-currency", 1)


def test_a_text_is_checked_once_more_where_the_policy_has_rules(new_database):
    """Too long, without its way out, or not of its variables: none enters."""
    messages = MessagePolicy(signature_position="start", price=FEN5)
    policy = OutboxPolicy.sharing(messages)
    with open_outbox(new_database(), policy=policy) as outbox:
        batch, (good,) = batch_of("M1")
        template = attrs.evolve(batch.template, text="${name}，生日快乐！拒收请回复R")
        outbox.add_batch(attrs.evolve(batch, template=template))
        for bad, why in (
            (attrs.evolve(good, text=f"【示例店】{'中' * 70}拒收请回复R"), "length"),
            (attrs.evolve(good, text="【示例店】M1，生日快乐！"), "cannot be sent"),
            (attrs.evolve(good, variables=[("name", "M2")]), "another text"),
            (attrs.evolve(good, variables=[]), "variable_missing"),
            (attrs.evolve(good, variables=[*good.variables, ("x", "y")]), "another"),
        ):
            with pytest.raises(InvalidValueError, match=why) as caught:
                outbox.enqueue("B1", [bad])
            assert good.phone not in str(caught.value)
        assert outbox.enqueue("B1", [good]).new == 1


def test_a_frame_with_gaps_is_read_and_numbers_are_refused(file_outbox):
    """A missing store is none, again and again; a phone is text and nothing else."""
    batch, messages = batch_of("M1", "M2")
    file_outbox.add_batch(batch)
    frame = pd.DataFrame([attrs.asdict(each) for each in messages])
    for gap in (None, float("nan"), pd.NA):
        frame["store_id"] = pd.Series([gap, "S1"], dtype=object)
        file_outbox.enqueue("B1", frame)
    kept = file_outbox.messages().set_index("member_id")["store_id"]
    assert dict(kept) == {"M1": "", "M2": "S1"}
    frame["phone"] = frame["phone"].astype("int64")
    with pytest.raises(InvalidValueError, match="'phone'"):
        file_outbox.enqueue("B1", frame)
    frame["phone"] = pd.Series([None, "1"], dtype=object)
    with pytest.raises(InvalidValueError, match="has no 'phone'"):
        file_outbox.enqueue("B1", frame)


def test_many_stray_receipts_are_kept_once_and_quickly(outbox):
    """A push of a thousand that nobody knows needs few statements, and none twice."""
    pushed = [
        MessageReceipt(
            provider="p", status="delivered", provider_message_id=f"{n % 700}#0000"
        )
        for n in range(1000)
    ]
    engine = outbox._database._database.engine
    count = []
    import sqlalchemy as sa

    sa.event.listen(engine, "before_cursor_execute", lambda *_: count.append(1))
    for _ in range(2):
        assert {each.outcome for each in outbox.receive_all(pushed, at=NOON)} == {
            "stray"
        }
        assert outbox.strays() == 700
    assert len(count) < 120


def test_what_members_said_is_sealed_and_told_again_is_no_new_word(tmp_path):
    """Evidence may hold a number: on disk it stands under the seal alone."""

    class Seal:
        """Another hidden text each time, as keys with a nonce make it."""

        times = 0

        def hide(self, text):
            """Turn it around, behind a number."""
            self.times += 1
            return f"{self.times:04}{text[::-1]}"

        def show(self, hidden):
            """Turn it back."""
            return hidden[4:][::-1]

    path = tmp_path / "sealed.db"
    with open_outbox(path, policy=FREE, seal=Seal()) as outbox:
        ready(outbox, "M1")
        for _ in range(3):
            outbox.opt_out("M1", at=NOON, evidence="R from 13800000000")
        engine = outbox._database._database.engine
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT evidence FROM outbox_consents"
            ).all()
        assert len(rows) == 1
        assert "13800000000" not in str(rows)
        assert claim(outbox) == ()
        assert states(outbox) == {"M1": "canceled"}


def test_ten_thousand_messages_end_in_batches_not_in_sorts(tmp_path):
    """Each chunk is read along an index: none sorts or scans what still waits."""
    with open_outbox(tmp_path / "many.db", policy=FREE) as outbox:
        ready(outbox, "M1", "M2")
        engine = outbox._database._database.engine
        asked = []
        import sqlalchemy as sa

        sa.event.listen(
            engine, "before_cursor_execute",
            lambda _c, _k, text, given, *_: asked.append((text, given)),
        )  # fmt: skip
        assert outbox.expire(at=NOON + dt.timedelta(days=30)) == 2
        reads = [
            each for each in asked
            if each[0].startswith("SELECT") and "LIMIT" in each[0]
        ]  # fmt: skip
        with engine.connect() as connection:
            for text, given in reads:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given)
                told = " ".join(row[3] for row in plan.all())
                assert "outbox_messages_queued" in told
                assert "TEMP B-TREE" not in told
        assert reads


def test_the_same_person_never_counts_for_two_roles_in_order(file_outbox):
    """Two roles by one person wait, whichever word was written first."""
    batch, messages = batch_of("M1")
    file_outbox.add_batch(batch)
    file_outbox.enqueue("B1", messages)
    for role in ("brand_manager", "customer_service_manager"):
        word = BatchApproval(
            batch_id="B1", fingerprint=batch.fingerprint, role=role, actor="chen",
            at=NOON,
        )  # fmt: skip
        assert file_outbox.approve(word) == "waiting"


@pytest.mark.parametrize(
    ("own", "store"),
    [("Asia/Shanghai", "Pacific/Auckland"), ("Asia/Urumqi", "Asia/Shanghai")],
)
def test_a_claim_keeps_the_hours_that_may_send_keeps(own, store):
    """Whatever is deferred for the member's clock or the store's does not leave."""
    asked = MessagePolicy()
    policy = OutboxPolicy.sharing(asked)
    facts = SendFacts(kind="notice", zone=own, store_zone=store)
    moments = [NOON + half * dt.timedelta(minutes=30) for half in range(48)]
    allowed = [asked.may_send(facts, at=at).outcome == "allowed" for at in moments]
    assert [policy.opens(at, f"{own} {store}") == at for at in moments] == allowed
    assert 0 < sum(allowed) < sum(policy.opens(at, own) == at for at in moments)


def test_the_night_of_the_store_holds_a_message_back(tmp_path):
    """19:30 in Urumqi is 21:30 at the store in Shanghai: it waits for the morning."""
    policy = OutboxPolicy(consent=(), unpriced=True)
    with open_outbox(tmp_path / "outbox.db", policy=policy) as outbox:
        ready(outbox, "M1", zone="Asia/Urumqi Asia/Shanghai")
        ready(outbox, "M2", batch_id="B2", zone="Asia/Urumqi")
        evening = NOON.replace(hour=13, minute=30)
        assert [own.message.member_id for own in claim(outbox, at=evening)] == ["M2"]
        morning = NOON.replace(day=23, hour=3)  # 09:00 in Urumqi
        assert outbox.next_due() == morning
        assert [own.message.member_id for own in claim(outbox, at=morning)] == ["M1"]
        with pytest.raises(ScheduleError, match="Nowhere"):
            ready(outbox, "M3", batch_id="B3", zone="Asia/Urumqi Nowhere")
