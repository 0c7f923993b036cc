"""Promises of what is said of messages that wait: why, until when, and what to do."""

import datetime as dt
import shutil

import pytest

from memberops import open_chain
from memberops.testing import FaultyGateway
from message_chain import (
    approve,
    clock,
    plan,
    stands,
    write_message_chain,
)

NIGHT = 10 * 60  # minutes after noon: 22:00
KEY = "the key of the test"


@pytest.fixture(scope="module")
def approved(tmp_path_factory):
    """A folder with a chain that has two approved messages."""
    folder = tmp_path_factory.mktemp("approved")
    opened = open_chain(write_message_chain(folder))
    approve(opened, plan(opened))
    return folder


@pytest.fixture
def chain(approved, tmp_path):
    """A chain with two approved messages."""
    shutil.copytree(approved, tmp_path / "office")
    return open_chain(tmp_path / "office" / "chain.toml")


def of(answer, rule):
    """Return the one finding of a rule."""
    (found,) = [each for each in answer.findings if each.rule == rule]
    return found


def test_what_cannot_leave_before_its_batch_closes_is_a_warning(chain):
    """At night no closing moment is called the next one: the reason is told."""
    sent = chain.send_messages(now=clock(NIGHT), send=True)

    assert stands(sent) == {"queued": 2}
    found = of(sent, "message-will-expire")
    assert (found.severity.value, found.count) == ("warning", 2)
    assert "wait (outside the hours 2); it closes at 2026-11-06 00:00" in (
        found.message_en
    )
    assert "不在可发送时段 2" in found.message_zh
    assert sent.explain("en").splitlines()[1] == "nothing more is due"
    assert of(chain.send_messages(now=clock(NIGHT)), "message-will-expire").count == 2


def test_a_clock_that_was_wrong_once_holds_nothing_back(chain):
    """Deferred to the close by a clock ahead, messages leave by the true one."""
    chain.send_messages(now=clock(NIGHT), send=True)

    sent = chain.send_messages(now=clock(1), send=True)

    assert stands(sent) == {"accepted": 2}
    assert not [each for each in sent.findings if each.table == "outbox"]


@pytest.mark.nightly
def test_hours_of_tomorrow_are_the_next_moment_of_a_longer_batch(tmp_path):
    """A batch that is open tomorrow waits for the morning, and nothing expires."""
    opened = open_chain(write_message_chain(tmp_path))
    closes = dt.datetime(2026, 11, 7, 4, tzinfo=dt.UTC)
    approve(opened, plan(opened, closes_at=closes))

    sent = opened.send_messages(now=clock(NIGHT), send=True)

    assert "; next at 2026-11-06 0" in sent.explain("en").splitlines()[1]
    assert "message-will-expire" not in {each.rule for each in sent.findings}


def test_a_used_up_cap_is_the_reason(chain):
    """A second batch of one day waits for the cap of the day, and says so."""
    opened = chain
    second = plan(opened, batch_id="B2")
    warned = of(second, "message-other-batch")
    assert (warned.severity.value, warned.count) == ("warning", 2)
    approve(opened, second)

    sent = opened.send_messages(now=clock(), send=True)

    assert stands(sent) == {"accepted": 2, "queued": 2}
    found = of(sent, "message-will-expire")
    assert found.count == 2
    assert "'B2' wait (cap" in found.message_en


def gateway_chain(folder, gateway, monkeypatch):
    """Return a chain with two approved messages that sends by a gateway."""
    monkeypatch.setenv("TEST_GATEWAY_KEY", KEY)
    sms = (
        f'[sms]\nsignature = "示例店"\nprovider = "form"\nplain_http = true\n'
        f'url = "{gateway.url}/send"\ntoken = {{ env = "TEST_GATEWAY_KEY" }}\n'
    )
    opened = open_chain(write_message_chain(folder, sms=sms))
    approve(opened, plan(opened))
    return opened


def test_a_key_that_is_missing_or_wrong_is_an_error_at_once(tmp_path, monkeypatch):
    """The cause is counted, is an error, and names the variable that is unset."""
    with FaultyGateway(key=KEY, hold=0.2) as gateway:
        opened = gateway_chain(tmp_path, gateway, monkeypatch)
        monkeypatch.delenv("TEST_GATEWAY_KEY")
        dry = opened.send_messages(now=clock())
        assert "[sms] token: the environment variable TEST_GATEWAY_KEY is not set" in (
            of(dry, "message-secret-unset").message_en
        )
        sent = opened.send_messages(now=clock(), send=True)
        first, second = sent.explain("en").splitlines()[:2]
        assert "postponed 2 (authentication 2)" in first
        assert second.startswith("nothing more is due; next in ")
        assert second.endswith(" s")
        assert of(sent, "message-authentication").severity.value == "error"
        assert "稍后重试 2（鉴权失败 2）" in sent.explain("zh")

        monkeypatch.setenv("TEST_GATEWAY_KEY", "some other key")
        sent = opened.send_messages(now=clock(5), send=True)
        assert of(sent, "message-authentication").count == 2
        assert "message-secret-unset" not in {each.rule for each in sent.findings}


@pytest.mark.nightly
def test_a_gateway_that_says_slower_is_not_our_rate(tmp_path, monkeypatch):
    """429 of the provider is told as the provider's wish."""
    with FaultyGateway(key=KEY, hold=0.2) as gateway:
        opened = gateway_chain(tmp_path, gateway, monkeypatch)
        gateway.script("throttled")
        sent = opened.send_messages(now=clock(), send=True)
    assert "the provider asked to come slower; next in " in sent.explain("en")
    assert "the provider asks to come slower 1" in sent.explain("en")
