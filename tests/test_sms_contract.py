"""The contract of SMS providers: ours keep it, and broken ones are told of it."""

import logging
from functools import partial

import attrs
import pytest

from memberops.adapters.sms import (
    AliyunProvider,
    AwsProvider,
    FileProvider,
    FormGateway,
    ReceiptRequest,
    SmsCapabilities,
    SmsContext,
    TencentProvider,
    TwilioProvider,
)
from memberops.domain.message import MessageReceipt, SendResult
from memberops.errors import InvalidValueError, SourceError
from memberops.testing import (
    AliyunDialect,
    AwsDialect,
    FaultyGateway,
    GatewayFault,
    TencentDialect,
    TwilioDialect,
    check_sms_provider,
)
from memberops.testing.sms_contract import ProviderTrial
from memberops.testing.sms_contract_receipts import check_forged
from stalls import unless_stalled

KEY = "a-key-of-the-gateway"


def form_gateway(folder, url, *, read=0.25, **options):
    """Make our provider for a gateway, with short time-outs."""
    pytest.importorskip("httpx2", reason="needs the extra 'sms'")
    return FormGateway(
        SmsContext(folder=folder),
        url=f"{url}/send",
        query_url=f"{url}/query",
        token=lambda: KEY,
        receipt_secret=lambda: KEY,
        limits={"connect_seconds": 0.5, "read_seconds": read, "total_seconds": read},
        **options,
    )


class Wrapped:
    """A good provider, of which a test breaks one thing."""

    def __init__(self, inner):
        self.inner = inner
        self.name = inner.name
        self.capabilities = inner.capabilities

    def __repr__(self):
        """Show nothing."""
        return "Wrapped()"

    def send(self, messages, *, template):
        """Send once."""
        return self.inner.send(messages, template=template)

    def query(self, message, *, provider_message_id, sent_on):
        """Ask."""
        return self.inner.query(
            message, provider_message_id=provider_message_id, sent_on=sent_on
        )

    def parse_receipts(self, request):
        """Read."""
        return self.inner.parse_receipts(request)

    def verify_receipt(self, request):
        """Check."""
        return self.inner.verify_receipt(request)

    def close(self):
        """Close."""
        self.inner.close()


LIMITS = {"connect_seconds": 0.5, "read_seconds": 0.5, "total_seconds": 0.5}


def aliyun(folder, url, **options):
    """Make a provider whose service is a gateway."""
    return AliyunProvider(
        SmsContext(folder=folder), access_key_id=lambda: "id",
        access_key_secret=lambda: KEY, receipt_token=lambda: KEY, endpoint=url,
        limits=LIMITS, **options,
    )  # fmt: skip


def tencent(folder, url, **options):
    """Make a provider whose service is a gateway."""
    return TencentProvider(
        SmsContext(folder=folder), secret_id=lambda: "id", secret_key=lambda: KEY,
        app_id="1400006666", receipt_token=lambda: KEY, endpoint=url,
        limits=LIMITS, **options,
    )  # fmt: skip


def twilio(folder, url, **options):
    """Make a provider whose service is a gateway."""
    return TwilioProvider(
        SmsContext(folder=folder), account_sid="AC" + "a" * 32,
        auth_token=lambda: KEY, sender="+15005550006", endpoint=url,
        limits=LIMITS, **options,
    )  # fmt: skip


def aws(folder, url, **options):
    """Make a provider whose service is a gateway."""
    pytest.importorskip("boto3", reason="needs the extra 'aws'")
    return AwsProvider(
        SmsContext(folder=folder), region="ap-southeast-1",
        access_key_id=lambda: "id", secret_access_key=lambda: KEY,
        receipt_token=lambda: KEY, endpoint=url, limits=LIMITS, **options,
    )  # fmt: skip


CALLBACK = {"callback": "https://office.example/sms/receipts"}


@pytest.mark.parametrize(
    ("dialect", "make", "options"),
    [
        (AliyunDialect, aliyun, {}),
        (AliyunDialect, aliyun, {"batch_size": 3}),
        (TencentDialect, tencent, {}),
        (TencentDialect, tencent, {"batch_size": 3}),
        (partial(TwilioDialect, prefix="Trial - "), twilio, {}),
        (TwilioDialect, twilio, CALLBACK),
        (AwsDialect, aws, {}),
    ],
    ids=["aliyun", "aliyun-batch", "tencent", "tencent-batch", "twilio-trial",
         "twilio-callback", "aws"],
)  # fmt: skip
def test_each_provider_keeps_the_contract(tmp_path, dialect, make, options):
    """Every provider passes every fault of a gateway that speaks as its own does."""
    pytest.importorskip("httpx2", reason="needs the extra 'sms'")

    def check():
        with FaultyGateway(key=KEY, hold=0.9, dialect=dialect()) as gateway:
            check_sms_provider(
                lambda url: make(tmp_path, url, **options), gateway=gateway
            )
        assert (gateway.duplicates, gateway.followed, gateway.unauthorized) == (0, 0, 0)
        assert all(gateway.faults[fault] for fault in GatewayFault)

    unless_stalled(check, limit=0.1)


def broken(make, *, gateway=None):
    """Return what a provider is told."""
    with pytest.raises(AssertionError, match="broke a promise") as told:
        check_sms_provider(make, gateway=gateway)
    text = str(told.value)
    assert KEY not in text
    assert "13987650" not in text
    return text


def broken_at_gateway(folder, kind, **options):
    """Return what a provider is told that has a gateway."""
    with FaultyGateway(key=KEY, hold=0.7, huge=1 << 25) as gateway:
        return broken(
            lambda url: kind(form_gateway(folder, url, **options)), gateway=gateway
        )


def test_the_file_keeps_the_contract(tmp_path):
    """The provider that is there by default keeps every promise."""
    check_sms_provider(lambda _url: FileProvider(SmsContext(folder=tmp_path)))


def test_the_form_gateway_keeps_the_contract(tmp_path):
    """Our own provider passes every fault of the gateway."""

    def check():
        with FaultyGateway(key=KEY, hold=1.5) as gateway:
            check_sms_provider(
                lambda url: form_gateway(tmp_path, url, read=0.5), gateway=gateway
            )
        assert (gateway.duplicates, gateway.followed) == (0, 0)
        assert all(gateway.faults.values())

    unless_stalled(check, limit=0.1)


def test_a_check_is_run_again_only_where_the_machine_stood_still():
    """What fails on a machine that works fails at once, and a stall is noticed."""
    runs = []

    def fails():
        runs.append(1)
        raise AssertionError

    with pytest.raises(AssertionError):
        unless_stalled(fails, limit=60)
    assert len(runs) == 1
    with pytest.raises(AssertionError):
        unless_stalled(fails, limit=-1)
    assert len(runs) == 1 + 3


def test_one_that_retries_and_logs_is_told(tmp_path):
    """A second request by itself is counted, and a name in a log is found."""

    class Retrying(Wrapped):
        def send(self, messages, *, template):
            results = super().send(messages, template=template)
            if any(result.outcome == "unknown" for result in results):
                logging.getLogger("some.library").debug("again: %s", messages[0].text)
                return super().send(messages, template=template)
            return results

    text = broken_at_gateway(tmp_path, Retrying)

    assert "made 2 requests for one message under 'timeout_after'" in text
    assert "made 2 requests for one message under 'error_before'" in text
    assert "under 'throttled'" not in text
    assert "a phone, a name or a secret was logged or printed" in text


def test_one_that_claims_to_know_is_told(tmp_path):
    """What surely was not accepted is not what nobody knows, in sends and queries."""

    class Sure(Wrapped):
        def send(self, messages, *, template):
            return tuple(
                attrs.evolve(result, outcome="postponed", retry_after=None)
                if result.outcome == "unknown"
                else attrs.evolve(result, retry_after=None)
                for result in super().send(messages, template=template)
            )

        def query(self, message, **known):
            said = super().query(message, **known)
            return said or MessageReceipt(
                provider="x", status="not_found", message_id=message.message_id
            )

        def verify_receipt(self, request):
            return bool(request.headers)

    text = broken_at_gateway(tmp_path, Sure)

    assert "under 'timeout_after' was 'postponed', not unknown" in text
    assert "under 'reset_before' was 'postponed', not unknown" in text
    assert "query() under 'half_body' said 'not_found'" in text
    assert "'Retry-After: 2' came out as None" in text
    assert "takes a receipt that somebody else signed" in text
    assert "takes a receipt whose body was changed" in text
    assert "takes a receipt without a signature" not in text


def test_one_that_raises_waits_and_believes_all_is_told(tmp_path):
    """An exception, a missing time-out and a 200 taken at its word are found."""

    class Believing(Wrapped):
        def send(self, messages, *, template):
            results = super().send(messages, template=template)
            if results and results[0].raw_code == "HTTP 429":
                message = f"too many requests for {messages[0].phone}"
                raise RuntimeError(message)
            if results and not results[0].raw_code.startswith(("HTTP", "R", "T")):
                return tuple(
                    attrs.evolve(result, outcome="accepted") for result in results
                )
            return results

    text = broken_at_gateway(tmp_path, Believing, read=5)

    assert "under 'throttled' raised RuntimeError" in text
    assert "the RuntimeError of send() under 'throttled' shows a phone" in text
    assert "under 'business_error' was 'accepted', not refused" in text
    assert "under 'bad_json' was 'accepted', not unknown" in text
    assert "under 'timeout_after' waited until the gateway gave up" in text
    assert "under 'slow_drip' waited until the gateway gave up" in text


def test_one_that_follows_redirects_is_told(tmp_path):
    """Who follows a redirect with the key in hand is seen at the other host."""
    client = pytest.importorskip("httpx2", reason="needs the extra 'sms'")

    class Following(Wrapped):
        def __init__(self, inner):
            super().__init__(inner)
            self.url = inner._url
            self.client = client.Client(follow_redirects=True, timeout=0.2)

        def send(self, messages, *, template):
            results = super().send(messages[1:], template=template)
            for message in messages[:1]:
                own = {"id": message.message_id, "phone": message.phone, "key": KEY}
                try:
                    answer = self.client.post(
                        self.url, json=own, headers={"Authorization": f"Bearer {KEY}"}
                    )
                    taken = answer.json().get("code") == "0"
                except Exception:  # noqa: BLE001 - this one is not the careful one
                    taken = False
                first = SendResult(
                    message_id=message.message_id,
                    outcome="accepted" if taken else "unknown",
                )
                results = (first, *results)
            return results

        def close(self):
            self.client.close()
            super().close()

    text = broken_at_gateway(tmp_path, Following)

    assert "it followed a redirect to another host and carried the key along" in text
    assert "under 'redirect' was 'accepted'" in text
    assert "under 'huge_body' read a huge answer to its end" in text


class Alone:
    """A provider without a network, of which a test breaks one thing."""

    name = "alone"
    capabilities = SmsCapabilities(batch_size=5, longest_seconds=5)

    def send(self, messages, *, template):
        """Accept all."""
        return tuple(
            SendResult(message_id=message.message_id, outcome="accepted")
            for message in messages
        )

    def parse_receipts(self, request):
        """Refuse all."""
        raise SourceError("there are no receipts")

    def verify_receipt(self, request):
        """Refuse all."""
        return False

    def close(self):
        """Close."""


def test_one_that_does_nothing_wrong_passes():
    """The smallest honest provider passes."""
    check_sms_provider(lambda _url: Alone())


def test_one_that_swallows_or_turns_around_is_told():
    """Results that are missing, and results in another order, are told apart."""

    class Swallowing(Alone):
        def send(self, messages, *, template):
            return super().send(messages[:1], template=template)

    class Turning(Alone):
        def send(self, messages, *, template):
            return super().send(messages[::-1], template=template)

    class Listing(Alone):
        def send(self, messages, *, template):
            return [message.message_id for message in messages]

    assert "gave 1 results for 3 messages" in broken(lambda _url: Swallowing())
    assert "gave the results in another order" in broken(lambda _url: Turning())
    assert "gave no tuple of SendResult" in broken(lambda _url: Listing())


def test_one_that_shows_what_it_knows_is_told(capsys):
    """A phone in a result, on the screen, in an error or its cause is found."""

    class Showing(Alone):
        def send(self, messages, *, template):
            return tuple(
                SendResult(
                    message_id=message.message_id,
                    outcome="refused",
                    raw_code=f"bad number {message.phone}",
                )
                for message in messages
            )

    class Printing(Alone):
        def send(self, messages, *, template):
            for message in messages:
                print(message.text)  # noqa: T201 - this one shall
            return super().send(messages, template=template)

    class Chaining(Alone):
        def parse_receipts(self, request):
            said = ValueError(request.body.decode("utf-8", "replace"))
            raise SourceError("no receipt") from said

    assert "a result of send() of one message shows" in broken(lambda _url: Showing())
    assert "was logged or printed" in broken(lambda _url: Printing())
    assert "SourceError of a wrong receipt shows" in broken(lambda _url: Chaining())
    assert capsys.readouterr() == ("", "")


def test_one_that_chokes_on_nonsense_is_told():
    """Anybody may post nonsense: it is a SourceError, and never proven."""

    class Choking(Alone):
        capabilities = SmsCapabilities(batch_size=0)

        def parse_receipts(self, request):
            return request.body[0]

        def verify_receipt(self, request):
            return True

        def close(self):
            raise OSError

    class Guessing(Choking):
        capabilities = SmsCapabilities(longest_seconds=5)

    with pytest.raises(OSError, match=r"^$"):
        check_sms_provider(lambda _url: Choking())

    Choking.close = Alone.close
    assert "batch of 1 or more" in broken(lambda _url: Choking())
    text = broken(lambda _url: Guessing())
    assert "raised IndexError, not a SourceError" in text
    assert "takes nonsense for the provider's own" in text


@pytest.mark.parametrize("believing", [False, True])
def test_a_token_in_the_address_is_tried_as_what_it_is(tmp_path, believing):
    """It proves the address: one without it is refused, whatever the body says."""
    pytest.importorskip("httpx2", reason="needs the extra 'sms'")
    provider = AliyunProvider(
        SmsContext(folder=tmp_path),
        access_key_id=lambda: KEY,
        access_key_secret=lambda: KEY,
        receipt_token=lambda: KEY,
    )
    assert provider.capabilities.token_receipts
    if believing:
        provider.verify_receipt = lambda _request: True
    trial = ProviderTrial(make=lambda _url: provider, template=None, secrets=())
    url = f"https://office.example/sms?token={KEY}"

    check_forged(trial, provider, ReceiptRequest(url=url, body=b"[]"))
    provider.close()

    assert ("verify_receipt() takes a receipt without a token" in trial.broken) == (
        believing
    )
    assert bool(trial.broken) == believing


def test_a_key_that_stands_in_ordinary_words_is_refused():
    """Of a key of one letter the check would say that every word shows it."""
    with (
        FaultyGateway(key="k") as gateway,
        pytest.raises(InvalidValueError, match="fewer than 8 characters"),
    ):
        check_sms_provider(lambda url: None, gateway=gateway)
    with pytest.raises(InvalidValueError, match="a longer one"):
        check_sms_provider(lambda url: None, secrets=["s3cret"])
