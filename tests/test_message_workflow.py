"""Promises of messages at the chain: planned, approved by two, sent once, settled."""

import datetime as dt
import hmac
import json
import shutil
from fractions import Fraction

import pandas as pd
import pytest

from memberops import open_chain
from memberops.adapters.sms import ReceiptRequest
from memberops.errors import (
    ApprovalError,
    ConfigurationError,
    InvalidValueError,
    MessageConflictError,
    SourceError,
    UnknownBatchError,
    UnknownTableError,
)
from memberops.policies.message_audience import holding_out
from memberops.testing import FaultyGateway
from memberops.workflows import TakenReceipts, parse_settings
from memberops.workflows.message_held_out import add_held_out
from memberops.workflows.message_receipts import read_receipts
from message_chain import (
    CHAIN,
    NOON,
    ROLES,
    approve,
    clock,
    delivered,
    plan,
    stands,
    write_message_chain,
)


@pytest.fixture
def file(tmp_path):
    """The chain of `message_chain`, which writes its messages into a file."""
    return write_message_chain(tmp_path)


@pytest.fixture
def chain(file):
    """The same, opened."""
    return open_chain(file)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with the chain whose batch is planned, and its fingerprint."""
    folder = tmp_path_factory.mktemp("written")
    answer = plan(open_chain(write_message_chain(folder)))
    return folder, answer


@pytest.fixture
def office(written, tmp_path):
    """A copy of that folder, and what was planned."""
    folder, answer = written
    shutil.copytree(folder, tmp_path / "office")
    return tmp_path / "office" / "chain.toml", answer


def sent_lines(folder):
    """Return what the file provider wrote."""
    text = (folder / "messages.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_a_day_without_a_visit_by_message_says_so(chain, tmp_path):
    """Nobody is asked to approve nothing, and why there is nothing is said."""
    day = dt.date(2026, 11, 9)
    asked = {"members": None, "visits": True, "as_of": day}
    dry = plan(chain, write=False, **asked)

    first = [dry.explain(language).splitlines()[0] for language in ("en", "zh")]
    assert "no visit by SMS (birthday) is planned on 2026-11-09" in first[0]
    assert "2026-11-09 所选会员没有计划中的短信回访（birthday）" in first[1]
    assert "message-visit-none" in {each.rule for each in dry.findings}
    assert dry.frame().empty

    with pytest.raises(InvalidValueError, match=r"no visit .+ nothing was written"):
        plan(chain, **asked)
    assert not (tmp_path / "outbox.db").exists()


def test_from_the_visit_plan_to_delivered_receipts(chain, tmp_path):
    """A birthday of the visit plan reaches whom it may, once, and its fate is known."""
    dry = plan(chain, write=False)
    assert dry.explain("en").splitlines() == [
        "messages 2, parts 2, longest 20 characters; cost ¥0.10",
        "held out 0, left out 3",
        "  1: no consent to SMS is on file",
        "  1: no phone can have this number",
        "  1: the member opted out of SMS",
        "nothing was written; --write does it",
    ]
    assert not (tmp_path / "outbox.db").exists()

    written = plan(chain, members=None, visits=True)
    row = written.frame().iloc[0]
    assert (row["approval"], row["size"], row["enqueued"]) == ("waiting", 2, 2)
    assert row["text"] == "示例，生日快乐！拒收请回复R【示例店】"
    assert row["cost_cap"] == 10
    assert row["fingerprint"] == dry.frame()["fingerprint"].iloc[0]

    assert approve(chain, written).decision.outcome == "approved"
    assert stands(chain.send_messages(now=clock())) == {"queued": 2}
    sending = chain.send_messages(now=clock(), send=True)
    assert stands(sending) == {"accepted": 2}
    assert [each for each in sending.findings if each.table == "outbox"] == []
    assert {line["member_id"]: line["text"] for line in sent_lines(tmp_path)} == {
        "M1": "王小明，生日快乐！拒收请回复R【示例店】",
        "M2": "李小红，生日快乐！拒收请回复R【示例店】",
    }
    chain.send_messages(now=clock(5), send=True)
    assert len(sent_lines(tmp_path)) == 2

    with chain.outbox() as outbox:
        receipts = delivered(tmp_path / "receipts.jsonl", ["M1", "M2"], outbox)
    for _ in range(2):
        settled = chain.settle_messages(now=clock(10), receipts=receipts)
        assert stands(settled) == {"delivered": 2}
    status = chain.message_status(at=NOON, batch_id="B1")
    assert status.explain("zh") == "入队 2 = 已送达 2"
    masked = {"**********5671", "**********5672"}
    assert set(status.frame("message_list")["phone"]) == masked
    shown = chain.message_status(at=NOON, batch_id="B1", reveal="phone")
    assert "+8613812345671" in set(shown.frame("message_list")["phone"])


def test_through_a_gateway_that_fails_by_chain_file(tmp_path, monkeypatch):
    """A lost answer is unknown, settled by asking and never sent again."""
    with FaultyGateway(key="the key of the test", undelivered=0, hold=0.2) as gateway:
        monkeypatch.setenv("TEST_GATEWAY_KEY", "the key of the test")
        sms = (
            f'[sms]\nsignature = "示例店"\nprovider = "form"\nplain_http = true\n'
            f'url = "{gateway.url}/send"\nquery_url = "{gateway.url}/query"\n'
            'token = { env = "TEST_GATEWAY_KEY" }\n'
            'receipt_secret = { env = "TEST_GATEWAY_KEY" }\n'
        )
        chain = open_chain(write_message_chain(tmp_path, sms=sms))
        approve(chain, plan(chain))
        gateway.script("reset_after", "throttled")
        first = chain.send_messages(now=clock(), send=True)
        assert stands(first) == {"unknown": 1, "queued": 1}
        assert "message-unknown" in [each.rule for each in first.findings]

        again = chain.send_messages(now=clock(2), send=True)
        assert stands(again) == {"unknown": 1, "accepted": 1}
        assert gateway.duplicates == 0
        assert len(gateway.accepted) == 2

        early = chain.settle_messages(now=clock(0))
        assert stands(early) == {"unknown": 1, "accepted": 1}
        assert stands(chain.settle_messages(now=clock(5))) == {"accepted": 2}

        (pushed,) = gateway.deliver(repeats=2)
        known = len({each["id"] for each in json.loads(pushed.body)})
        forged = gateway.forge(next(iter(gateway.accepted)))
        assert chain.take_receipts(forged, at=NOON) == TakenReceipts(proven=False)
        taken = chain.take_receipts(pushed, at=NOON)
        assert (taken.proven, taken.strays, taken.odd, known) == (True, 0, 0, 2)
        assert taken.applied + taken.repeated == len(json.loads(pushed.body))
        odd = b'[7, {"id": "S0", "status": "delivered"}, {}]'
        signed = hmac.new(b"the key of the test", odd, "sha256").hexdigest()
        push = ReceiptRequest(url="/", headers={"X-Signature": signed}, body=odd)
        wanted = TakenReceipts(proven=True, strays=1, odd=2)
        assert chain.take_receipts(push, at=NOON) == wanted
    done = chain.message_status(at=NOON)
    assert stands(done) == {"delivered": 2}
    assert gateway.duplicates == 0


def test_nothing_leaves_before_two_people_approved(office):
    """One approval, the author's own, or one person's in both roles are not enough."""
    file, written = office
    chain = open_chain(file)
    with pytest.raises(ApprovalError, match="who made a batch does not approve"):
        approve(chain, written, roles=[("brand_manager", "a1")])
    one = approve(chain, written, roles=ROLES[:1])
    assert one.decision.outcome == "waiting"
    same = approve(chain, written, roles=[("customer_service_manager", "B1")])
    assert same.decision.outcome == "waiting"
    sent = chain.send_messages(now=clock(), send=True)
    assert stands(sent) == {"queued": 2}
    assert not (file.parent / "messages.jsonl").exists()


def test_an_approval_is_of_the_version_that_was_read(office):
    """Another text needs another batch, and a word on the old text does not count."""
    file, written = office
    mark = written.frame()["fingerprint"].iloc[0]
    file.write_text(file.read_text("utf-8").replace("生日快乐", "生日愉快"), "utf-8")
    changed = open_chain(file)
    with pytest.raises(MessageConflictError):
        plan(changed)
    other = plan(changed, batch_id="B2").frame()["fingerprint"].iloc[0]
    assert other != mark
    told = {"role": "brand_manager", "by": "B1", "at": NOON}
    with pytest.raises(ApprovalError, match="another text"):
        changed.approve_messages("B2", fingerprint=mark, **told)
    with pytest.raises(InvalidValueError, match="12 digits") as caught:
        changed.approve_messages("B2", fingerprint=other[:8], **told)
    assert other not in str(caught.value)
    with pytest.raises(UnknownBatchError):
        changed.approve_messages("B3", fingerprint=other, **told)


def test_a_plan_that_was_cut_off_is_made_again(office):
    """The same batch written a minute later counts once."""
    file, first = office
    chain = open_chain(file)
    again = plan(chain, at=NOON + dt.timedelta(minutes=1))
    assert again.frame()["enqueued"].tolist() == [2]
    assert (
        again.frame()["fingerprint"].tolist() == first.frame()["fingerprint"].tolist()
    )
    assert "written 0, there before 2" in again.explain("en")


@pytest.mark.parametrize("how", ["table", "late", "command", "refusal", "cancel"])
def test_a_late_no_is_a_no(office, how):
    """An opt-out or a withdrawal after the approval lets no such message leave."""
    file, written = office
    chain = open_chain(file)
    approve(chain, written)
    expected = {"accepted": 1, "canceled": 1}
    if how in {"table", "late"}:  # entered today, and said today or the week before
        consents = file.parent / "consents.csv"
        day = "2026-11-05" if how == "table" else "2026-10-29"
        consents.write_text(
            consents.read_text("utf-8") + f"M2,短信,否,{day}\n", "utf-8"
        )
    elif how == "command":
        chain.opt_out_messages("M2", at=NOON, evidence="answered R")
    elif how == "refusal":
        chain.approve_messages(  # by a clock that is an hour late
            "B1", fingerprint=written.frame()["fingerprint"].iloc[0],
            role="brand_manager", by="B1", at=clock(-60)(), refuse=True,
        )  # fmt: skip
        answer = approve(chain, written, roles=ROLES[1:])
        assert answer.decision.outcome == "refused"
        assert answer.frame()["approval"].item() == "refused"
        expected = {"queued": 2}
    else:
        chain.cancel_messages("B1", cause="wrong day", at=NOON)
        expected = {"canceled": 2}
    assert stands(open_chain(file).send_messages(now=clock(), send=True)) == expected


@pytest.mark.parametrize("before", [True, False])
def test_a_call_of_the_day_counts_against_the_cap(file, before):
    """Who was called today gets no message today, also if it was entered after all."""
    visits = file.parent / "visits.csv"
    called = visits.read_text("utf-8") + "V1,M1,电话,2026-11-05,已接通,2026-11-05\n"
    if before:
        visits.write_text(called, "utf-8")
    chain = open_chain(file)
    approve(chain, plan(chain, members=["M1", "M2"]))
    visits.write_text(called, "utf-8")
    sent = open_chain(file).send_messages(now=clock(), send=True)
    assert stands(sent) == {"accepted": 1, "queued": 1}


def test_night_is_no_time_for_messages(office):
    """Outside the hours nothing leaves, whoever approved it."""
    file, written = office
    chain = open_chain(file)
    approve(chain, written)
    sent = chain.send_messages(now=clock(10 * 60), send=True)  # 22:00
    assert stands(sent).get("accepted") is None
    assert not (file.parent / "messages.jsonl").exists()


def test_whom_to_write_to_can_be_named(chain):
    """A list or a store narrows the audience; who is not on file is told."""
    named = plan(chain, write=False, members=["M4", "M9"])
    assert named.frame()["size"].tolist() == [1]
    told = [each for each in named.findings if each.rule == "message-member-unknown"]
    assert [each.count for each in told] == [1]
    everyone = plan(chain, write=False, members=None)
    assert everyone.frame()["size"].tolist() == [3]
    assert everyone.frame("message_left_out")["member_id"].tolist() == [
        "M3",
        "M5",
        "M6",
    ]
    with pytest.raises(InvalidValueError, match="nobody is left"):
        plan(chain, members=["M3"])
    with pytest.raises(InvalidValueError, match="did you mean 'birthday'"):
        chain.plan_messages("birthdya", batch_id="B", as_of=NOON.date(), author="A",
                            at=NOON)  # fmt: skip


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "{}", '{"status": "delivered"}', '{"message_id": "S1"}',
     '{"message_id": 1, "status": "delivered"}',
     '{"message_id": "S1", "status": "sent"}',
     '{"message_id": "S1", "status": "delivered", "at": "2026-11-05 12:00"}',
     '{"message_id": "S1", "status": "delivered", "phone": "13812345671"}',
     '{"message_id": "S1", "status": "undelivered", "problem": "bad luck"}'],
)  # fmt: skip
def test_a_line_that_is_no_receipt_is_told_and_not_quoted(tmp_path, line):
    """One bad line costs no other, and nothing of it is in the finding."""
    good = '{"message_id": "S2", "status": "undelivered", "problem": "unreachable"}'
    path = tmp_path / "receipts.jsonl"
    path.write_text(f"{good}\n{line}\n\n{good}\n", "utf-8")
    read, findings = read_receipts(path, provider="file")
    assert [each.message_id for each in read] == ["S2", "S2"]
    assert [(each.row, each.count) for each in findings] == [(2, 1)]
    assert "13812345671" not in repr(findings)


def test_a_phone_where_a_code_belongs_is_not_kept(tmp_path):
    """Whoever wrote the file put the phone there; it does not enter the outbox."""
    path = tmp_path / "receipts.jsonl"
    line = {"message_id": "S1", "status": "undelivered", "raw_code": "to 13812345671",
            "provider_message_id": "13812345671"}  # fmt: skip
    path.write_text(json.dumps(line), "utf-8")
    (receipt,), findings = read_receipts(path, provider="p")
    assert (receipt.raw_code, receipt.provider_message_id) == ("*****", None)
    assert findings == []


def test_a_file_of_receipts_that_is_not_there(chain, tmp_path):
    """A missing file is an error, and nothing is asked."""
    with pytest.raises(SourceError, match="cannot be read"):
        chain.settle_messages(now=clock(), receipts=tmp_path / "none.jsonl")


def test_mistakes_of_the_messages_are_told_at_once():
    """Each problem of [outbox] and [sms] is named by its path."""
    text = CHAIN.replace('"outbox.db"', '"postgresql://u:secret@host/x"') + (
        '[sms]\nprovider = 3\n[sms.templates.a]\nkind = "ad"\ntxt = "x"\n'
        '[sms.templates.b]\nkind = "notice"\ntext = "hello"\n'
        '[sms.templates.c]\nkind = "notice"\ntext = "${x"\nsignature = "店"\n'
        '[sms.templates.d]\nkind = "notice"\ntext = "${name}"\nsignature = "店"\n'
        'variables = { nmae = "name" }\n'
    )
    with pytest.raises(ConfigurationError) as caught:
        parse_settings(text)
    said = str(caught.value)
    for part in (
        "outbox: 'database' is a SQLite file",
        "sms.provider takes text",
        "sms.templates.a.kind takes one of 'marketing', 'notice', not the text 'ad'",
        "sms.templates.a.txt is not known; did you mean 'text'?",
        "sms.templates.b.signature is needed",
        "sms.templates.c: a gap of a template is written ${name}",
        "sms.templates.d: 'variables' has 'nmae', which is no gap",
    ):
        assert part in said
    assert "secret@" not in said


@pytest.mark.parametrize(
    ("sms", "told"),
    [
        ('provider = "form"\nurl = "https://a.example/"\ntoken = "hunter2"',
         "sms: 'token' is a secret and is not written down"),
        ('provider = "form"\nurl = "https://a.example/"\nlimits = {read_seconds = inf}',
         "sms: limits in seconds are above 0"),
        ('provider = "from"', "sms.provider: no SMS provider adapter is called 'from'"),
        ('provider = "form"\nurll = "https://a.example/"', "argument 'urll'"),
        ('file = "../messages.jsonl"', "sms: 'file' is a file in the chain's folder"),
    ],
)  # fmt: skip
def test_a_provider_that_cannot_be_is_told_on_opening(tmp_path, sms, told):
    """A literal secret or a wrong option is refused before anything is sent."""
    text = f'[sms]\nsignature = "示例店"\n{sms}\n'
    with pytest.raises(ConfigurationError) as caught:
        open_chain(write_message_chain(tmp_path, sms=text))
    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_chain_without_an_outbox_can_plan(file):
    """A dry run needs no outbox; what needs one says how a chain gets it."""
    text = file.read_text("utf-8").replace('[outbox]\ndatabase = "outbox.db"\n', "")
    file.write_text(text, "utf-8")
    chain = open_chain(file)
    assert plan(chain, write=False).frame()["size"].tolist() == [2]
    with pytest.raises(InvalidValueError, match=r"add \[outbox\]"):
        plan(chain)


def test_looking_begins_no_outbox(chain, tmp_path):
    """Until something is written there is no file: a dry run and a status make none."""
    for answer in (chain.send_messages(now=clock()), chain.message_status(at=NOON)):
        assert answer.frame("message_batch").empty
        assert answer.findings == ()
    assert not list(tmp_path.glob("outbox.db*"))
    chain.send_messages(now=clock(), send=True)
    assert (tmp_path / "outbox.db").exists()


def test_no_visits_are_no_reason_for_a_warning(chain, tmp_path):
    """A chain that has visited nobody yet sends without a word about that."""
    assert (tmp_path / "visits.csv").read_text("utf-8").count("\n") == 1
    approve(chain, plan(chain))
    sent = chain.send_messages(now=clock(), send=True)
    assert stands(sent) == {"accepted": 2}
    assert {each.severity.value for each in sent.findings} == {"info"}


def test_the_address_of_a_server_comes_from_the_environment(file, monkeypatch):
    """A variable that is not set is named, and its value never shown."""
    text = file.read_text("utf-8")
    file.write_text(text.replace('database = "outbox.db"', 'url_env = "OUT"'), "utf-8")
    chain = open_chain(file)
    for value in ("", "hunter2"):
        monkeypatch.setenv("OUT", value)
        with pytest.raises(ConfigurationError, match=r"outbox\.url_env") as caught:
            plan(chain)
        assert "hunter2" not in str(caught.value)


def test_the_month_end_shows_batches_and_what_they_brought(file, tmp_path):
    """Delivered, held out, purchases and cost of a batch are those worked by hand."""
    text = file.read_text("utf-8").replace(
        'price = "0.05"', 'price = "0.05"\nhold_out = "1/2"'
    )
    file.write_text(text, "utf-8")
    chain = open_chain(file)
    members = ["M1", "M2", "M4"]
    seed = next(
        str(number)
        for number in range(100)
        if [holding_out(str(number), Fraction(1, 2))(each) for each in members]
        == [False, False, True]
    )
    for _ in range(2):
        written = plan(chain, members=members, seed=seed)
    lines = (tmp_path / "held-out.csv").read_text("utf-8").splitlines()
    assert lines == ["batch_id,member_id,store_id", "B1,M4,S01"]
    assert written.frame()["held_out"].tolist() == [1]
    with pytest.raises(InvalidValueError, match="others were held out"):
        add_held_out(tmp_path / "held-out.csv", "B1", pd.DataFrame(
            {"member_id": ["M1"], "store_id": ["S01"]}))  # fmt: skip
    approve(chain, written)
    chain.send_messages(now=clock(), send=True)
    with chain.outbox() as outbox:
        receipts = delivered(tmp_path / "receipts.jsonl", ["M1", "M2"], outbox)
    chain.settle_messages(now=clock(), receipts=receipts)

    pack = open_chain(file).month_end("2026-11")
    batch = pack.frame("message_batch").iloc[0]
    assert (batch["delivered"], batch["cost"], batch["enqueued"]) == (2, 10, 2)
    effect = pack.frame("message_effect").set_index("group")
    assert effect["members"].to_dict() == {
        "written_to": 2,
        "held_out": 1,
        "reached": 2,
        "not_reached": 0,
    }
    assert effect["buyers"].tolist() == [1, 0, 1, 0]
    # M1 buys for 50.00 within the days: half of those written to buy, 25.00 a head.
    assert effect.loc[
        "written_to", ["buying_share", "sales", "cost", "messages"]
    ].tolist() == [0.5, 5000, 10, 2]
    assert effect.loc["written_to", "compared"] == "written_to-held_out"
    assert effect.loc["written_to", "difference"] == 0.5
    assert effect.loc["reached", "compared"] == "reached-held_out"
    assert effect.loc["not_reached", "compared"] == "reached-not_reached"
    assert "difference: zero" in effect.loc["not_reached", "undefined"]
    assert effect["cost"].sum() == 10
    earlier = open_chain(file).month_end("2026-10")
    assert "message_batch" not in earlier.names
    with pytest.raises(UnknownTableError, match="needs an outbox"):
        earlier["message_batch"]


def test_a_month_without_a_batch_or_with_a_broken_outbox_goes_on(file, tmp_path):
    """An outbox that is not begun or cannot be read is a finding, not an end."""
    chain = open_chain(file)
    empty = chain.month_end("2026-11")
    (tmp_path / "outbox.db").write_text("this is no database" * 100, "utf-8")
    broken = chain.month_end("2026-11")
    rules = [{each.rule for each in pack.findings} for pack in (empty, broken)]
    assert "outbox-empty" in rules[0]
    assert "outbox-unavailable" in rules[1]
    assert set(empty.names) == set(broken.names)
