"""Several accounts in one chain file, also of one provider."""

import pytest

from memberops.adapters.sms import SmsCapabilities
from memberops.errors import ConfigurationError, InvalidValueError
from memberops.testing import FaultyGateway
from memberops.workflows import ProviderSettings, SmsSettings, open_chain
from message_chain import approve, clock, stands, write_message_chain

pytest.importorskip("sqlalchemy", reason="needs the extra 'sql'")

TWO = """\
[sms]
provider = "care"
signature = "示例店"
[sms.providers.care]
kind = "file"
file = "care.jsonl"
[sms.providers.sale]
kind = "file"
file = "sale.jsonl"
"""
SALE = """
[sms.templates.sale]
kind = "marketing"
text = "${name}，周末双倍积分！拒收请回复R"
provider = "sale"
"""


def two_gateways(one, two):
    """Return the section of two accounts at two gateways that speak alike."""
    return '[sms]\nprovider = "care"\nsignature = "示例店"\n' + "".join(
        f'[sms.providers.{name}]\nkind = "form"\nplain_http = true\n'
        f'url = "{gateway.url}/send"\nquery_url = "{gateway.url}/query"\n'
        'token = { env = "TEST_KEY" }\n'
        for name, gateway in (("care", one), ("sale", two))
    )


def plan_one_by_each(chain):
    """Plan and approve a message of each account."""
    for template, batch, member in (("birthday", "B1", "M1"), ("sale", "B2", "M2")):
        written = chain.plan_messages(
            template, batch_id=batch, as_of=clock()().date(), author="A1",
            at=clock()(), members=[member], write=True,
        )  # fmt: skip
        approve(chain, written)


@pytest.mark.parametrize("rate", [None, 5])
def test_an_account_that_asks_to_wait_holds_no_other_back(tmp_path, monkeypatch, rate):
    """The first gateway says 429 for a long time; the second sends what it has."""
    monkeypatch.setenv("TEST_KEY", "the key of the test")
    with (
        FaultyGateway(key="the key of the test") as one,
        FaultyGateway(key="the key of the test") as two,
    ):
        sms = two_gateways(one, two)
        chain = open_chain(write_message_chain(tmp_path, sms=sms, more=SALE))
        plan_one_by_each(chain)
        one.script("throttled_seconds")
        sent = chain.send_messages(now=clock(), send=True, per_second=rate)
        assert stands(sent) == {"queued": 1, "accepted": 1}
        assert (one.requests.total(), two.requests.total()) == (1, 1)


def test_each_account_sends_its_batches_and_is_asked_about_them(tmp_path, monkeypatch):
    """Two accounts of one provider: each its own templates, one limit for both."""
    monkeypatch.setenv("TEST_KEY", "the key of the test")
    with (
        FaultyGateway(key="the key of the test", hold=0.2) as one,
        FaultyGateway(key="the key of the test", hold=0.2) as two,
    ):
        sms = two_gateways(one, two)
        file = write_message_chain(tmp_path, sms=sms, more=SALE)
        text = file.read_text("utf-8").replace('price = "0.05"', 'price = "0.045"')
        file.write_text(text, "utf-8")
        chain = open_chain(file)
        plan_one_by_each(chain)
        with chain.outbox() as outbox:
            assert outbox.batch("B1").template.provider == "care"

        waits = chain.send_messages(now=clock())
        assert "for the provider care, sale" in waits.explain("en")
        first = chain.send_messages(now=clock(), send=True, limit=1)
        assert stands(first) == {"accepted": 1, "queued": 1}
        assert (one.requests.total(), two.requests.total()) == (1, 0)
        two.script("reset_after")
        second = chain.send_messages(now=clock(), send=True)
        assert stands(second) == {"accepted": 1, "unknown": 1}
        rows = second["message_batch"].frame
        assert rows[["cost", "cost_cap"]].to_numpy().tolist() == [[5, 5]] * 2
        with chain.outbox() as outbox:  # exact inside, and rounded where it is shown
            assert outbox.status()["spent"].tolist() == [45, 45]
        assert (one.requests.total(), two.requests.total()) == (1, 1)

        class Broken:
            name, capabilities = "sale", SmsCapabilities(queries=True)

            def query(self, *_args, **_options):
                raise OSError

        failed = chain.settle_messages(now=clock(5), provider=Broken())
        (found,) = failed.findings
        assert (found.rule, found.count) == ("message-query-failed", 1)
        settled = chain.settle_messages(now=clock(30))
        assert stands(settled) == {"accepted": 2}
        assert settled.findings == ()
        assert (one.queries.total(), two.queries.total()) == (0, 1)
    assert chain.sms_provider("sale").name == "sale"
    with pytest.raises(InvalidValueError, match="no account is called 'sail'"):
        chain.sms_provider("sail")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('provider = "care"\n', ""), "sms.provider is needed"),
        (('provider = "care"', 'provider = "car"'), "'care'"),
        (('kind = "file"\nfile = "care', 'file = "care'),
         "sms.providers.care.kind is needed"),
        (('kind = "file"', 'kind = "fyle"'), "sms.providers.care.kind"),
        (('file = "care.jsonl"', 'name = "x"'), "the section's name"),
        (('file = "care.jsonl"', 'fill = "x"'), "sms.providers.care"),
        (("[sms]", '[sms]\nfile = "x"'), "nobody's option"),
        (('provider = "sale"', 'provider = "sail"'), "of no account 'sail'"),
        (("[sms.providers.care]", "[sms.providers]\ncare = 3\n[sms.providers.more]"),
         "sms.providers.care"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_account_is_told_by_its_path(tmp_path, change, told):
    """Each mistake names its section, and nothing is opened."""
    file = write_message_chain(tmp_path, sms=TWO, more=SALE)
    text = file.read_text("utf-8")
    assert change[0] in text
    file.write_text(text.replace(*change, 1), "utf-8")

    with pytest.raises(ConfigurationError) as error:
        open_chain(file)

    assert told in str(error.value)


def test_accounts_have_names_of_their_own():
    """Two accounts of one name would settle each other's messages."""
    care = ProviderSettings(name="care", kind="aliyun")
    for accounts in ((care, care), (ProviderSettings(kind="aliyun"), care)):
        with pytest.raises(InvalidValueError, match="no other has it"):
            SmsSettings(provider="care", accounts=accounts)
    named = SmsSettings(provider="aliyun", options={"name": "aliyun-beijing"})
    assert [each.title for each in named.senders()] == ["aliyun-beijing"]
