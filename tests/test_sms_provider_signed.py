"""Alibaba Cloud and Tencent Cloud: signatures, batches, codes, queries and reports."""

import datetime as dt
import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import attrs
import pytest

from memberops.adapters.sms import (
    AliyunProvider,
    ReceiptRequest,
    SmsContext,
    TencentProvider,
)
from memberops.adapters.sms.signing import sign_acs3, sign_tc3
from memberops.domain.message import Message, MessageTemplate
from memberops.errors import ConfigurationError, SourceError
from sms_server import Cut, SmsServer, answer

pytest.importorskip("httpx2", reason="needs the extra sms")

VECTORS = json.loads(
    (Path(__file__).parent / "vectors" / "sms_signatures.json").read_text("utf-8")
)
KEY_ID, KEY = VECTORS["key_id"], VECTORS["key"]
PHONES = ("13800138000", "13900139001")
MESSAGES = tuple(
    Message(
        message_id=f"S{number}",
        batch_id="B1",
        member_id=f"M{number}",
        phone=phone,
        text="生日快乐【示例店】",
        variables=(("name", name),),
    )
    for number, (phone, name) in enumerate(
        zip(PHONES, ("张三 & Co+", "李四"), strict=True), 1
    )
)
TEMPLATE = MessageTemplate(
    template_id="T1",
    kind="marketing",
    text="${name}，生日快乐！拒收请回复R",
    signature="示例店",
    code="SMS_1",
)
NOON = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
DAY = NOON.date()
LIMITS = {"connect_seconds": 1.0, "read_seconds": 1.0, "total_seconds": 2.0}


def action(vector):
    """Name a vector in the list of tests."""
    return vector["action"]


@pytest.fixture
def server():
    """A gateway of this test alone."""
    server = SmsServer()
    yield server
    server.close()


@pytest.fixture
def aliyun(server, tmp_path):
    """Make providers of Alibaba Cloud that talk to the server."""
    made = []

    def make(**options):
        settings = {
            "access_key_id": lambda: KEY_ID,
            "access_key_secret": lambda: KEY,
            "endpoint": server.url,
            "limits": LIMITS,
            "clock": lambda: NOON,
        }
        made.append(AliyunProvider(SmsContext(folder=tmp_path), **settings | options))
        return made[-1]

    yield make
    for provider in made:
        provider.close()


@pytest.fixture
def tencent(server, tmp_path):
    """Make providers of Tencent Cloud that talk to the server."""
    made = []

    def make(**options):
        settings = {
            "secret_id": lambda: KEY_ID,
            "secret_key": lambda: KEY,
            "app_id": "1400006666",
            "endpoint": server.url,
            "limits": LIMITS,
            "clock": lambda: NOON,
        }
        made.append(TencentProvider(SmsContext(folder=tmp_path), **settings | options))
        return made[-1]

    yield make
    for provider in made:
        provider.close()


class TestSignatures:
    """Our signatures are those of the official SDKs, bit for bit."""

    @pytest.mark.parametrize("vector", VECTORS["aliyun"], ids=action)
    def test_acs3(self, vector):
        """What Alibaba Cloud's SDK signed, we sign alike."""
        request = vector["request"]
        headers = request["headers"]
        names = headers["authorization"].split("SignedHeaders=")[1].split(",")[0]
        target = urlsplit(request["target"])

        signed = sign_acs3(
            key_id=KEY_ID,
            key=KEY,
            method=request["method"],
            path=target.path,
            query=dict(parse_qsl(target.query, keep_blank_values=True)),
            headers={name: headers[name] for name in names.split(";")},
            body=request["body"].encode(),
        )

        assert signed == headers["authorization"]

    @pytest.mark.parametrize("vector", VECTORS["tencent"], ids=action)
    def test_tc3(self, vector):
        """What Tencent Cloud's SDK signed, we sign alike."""
        request = vector["request"]
        headers = request["headers"]

        signed = sign_tc3(
            key_id=KEY_ID,
            key=KEY,
            service="sms",
            host=headers["host"],
            content_type=headers["content-type"],
            body=request["body"].encode(),
            at=dt.datetime.fromtimestamp(int(headers["x-tc-timestamp"]), dt.UTC),
        )

        assert signed == headers["authorization"]

    @pytest.mark.parametrize("zone", [dt.UTC, dt.timezone(dt.timedelta(hours=8))])
    def test_what_is_sent_is_what_was_signed(self, server, aliyun, tencent, zone):
        """The signature holds for the bytes on the wire, whatever the clock's zone."""
        at = dt.datetime(2026, 11, 22, 20, 30, tzinfo=dt.UTC).astimezone(zone)
        awkward = attrs.evolve(MESSAGES[0], variables=(("name", " *~/%=&?+😀 '"),))
        aliyun(clock=lambda: at, batch_size=9).send(
            [awkward, MESSAGES[1]], template=TEMPLATE
        )
        aliyun(clock=lambda: at).send([awkward], template=TEMPLATE)
        tencent(clock=lambda: at).send([awkward], template=TEMPLATE)
        *ours, seen = server.seen

        assert [one.headers["x-acs-action"] for one in ours] == [
            "SendBatchSms", "SendSms",
        ]  # fmt: skip
        for one in ours:
            names = one.headers["authorization"].split("SignedHeaders=")[1]
            names = names.split(",")[0].split(";")
            assert {"host", "x-acs-date", "x-acs-signature-nonce"} < set(names)
            assert one.headers["x-acs-date"] == "2026-11-22T20:30:00Z"
            assert one.headers["authorization"] == sign_acs3(
                key_id=KEY_ID, key=KEY, method="POST", path="/", query=one.query,
                headers={name: one.headers[name] for name in names}, body=one.body,
            )  # fmt: skip
        assert seen.headers["authorization"] == sign_tc3(
            key_id=KEY_ID, key=KEY, service="sms", host=seen.headers["host"],
            content_type=seen.headers["content-type"], body=seen.body, at=at,
        )  # fmt: skip
        assert int(seen.headers["x-tc-timestamp"]) == at.timestamp()

    def test_each_request_has_a_nonce_of_its_own(self, server, aliyun):
        """Two requests of one moment cannot be taken for a replay."""
        provider = aliyun()
        for message in MESSAGES:
            provider.send([message], template=TEMPLATE)
        nonces = [seen.headers["x-acs-signature-nonce"] for seen in server.seen]

        assert len(set(nonces)) == len(nonces) == 2


class TestSameAsTheSdk:
    """Our requests say what those of the official SDKs say."""

    def test_aliyun(self, server, aliyun):
        """Query, body, action and version are those of the SDK's calls."""
        one, batch, query = (vector["request"] for vector in VECTORS["aliyun"])
        sign = attrs.evolve(TEMPLATE, signature="示例店 (一)*~")
        aliyun().send([MESSAGES[0]], template=sign)
        plain = attrs.evolve(MESSAGES[0], variables=(("name", "张三"),))
        aliyun(batch_size=100).send([plain, MESSAGES[1]], template=TEMPLATE)
        aliyun().query(MESSAGES[0], provider_message_id="900^0#8000", sent_on=DAY)

        for seen, theirs in zip(server.seen, (one, batch, query), strict=True):
            wanted = dict(parse_qsl(urlsplit(theirs["target"]).query))
            if theirs is batch:
                wanted["OutId"] = "batch:B1"
            assert seen.query == wanted
            assert seen.form == dict(parse_qsl(theirs["body"]))
            for name in ("x-acs-action", "x-acs-version", "content-type"):
                assert seen.headers.get(name) == theirs["headers"].get(name)

    def test_tencent(self, server, tencent):
        """Body, action, version and region are those of the SDK's calls."""
        one, pull = VECTORS["tencent"]
        template = attrs.evolve(TEMPLATE, code="1")
        same = attrs.evolve(MESSAGES[1], variables=MESSAGES[0].variables)
        tencent(batch_size=200).send([MESSAGES[0], same], template=template)
        begin = dt.datetime.fromtimestamp(pull["given"]["BeginTime"], dt.UTC)
        tencent(clock=lambda: begin + dt.timedelta(days=1)).query(
            MESSAGES[0], provider_message_id=None, sent_on=begin.date()
        )

        sent, pulled = server.seen
        assert sent.json == one["given"] | {"SessionContext": "batch:B1"}
        assert pulled.json == pull["given"]
        for seen, vector in ((sent, one), (pulled, pull)):
            theirs = vector["request"]["headers"]
            for name in ("x-tc-action", "x-tc-version", "x-tc-region", "content-type"):
                assert seen.headers[name] == theirs[name]


class TestAliyunSends:
    """One request, one code, one id of the request."""

    @pytest.mark.parametrize(
        ("reply", "outcome", "problem"),
        [
            (answer({"Code": "OK", "BizId": "9^0"}), "accepted", None),
            (answer({"Code": "isv.BUSINESS_LIMIT_CONTROL"}), "postponed",
             "number_limit"),
            (answer({"Code": "isv.OUT_OF_SERVICE"}), "postponed", "balance"),
            (answer({"Code": "isv.MOBILE_NUMBER_ILLEGAL"}), "refused",
             "invalid_number"),
            (answer({"Code": "isv.SMS_SIGNATURE_ILLEGAL"}), "refused", "signature"),
            (answer({"Code": "isv.NEVER_HEARD_OF"}), "refused", "other"),
            (answer({"Code": "isp.SYSTEM_ERROR"}), "unknown", "provider"),
            (answer({"Code": "NeverHeardOf"}), "unknown", "provider"),
            (answer({"Code": "SignatureNonceUsed"}, status=400), "unknown",
             "provider"),
            (answer({"Code": "Throttling.User"}, status=400), "postponed",
             "throttled"),
            (answer({"Code": "SignatureDoesNotMatch"}, status=400), "postponed",
             "authentication"),
            (answer({"Code": "MissingPhoneNumbers"}, status=400), "refused",
             "request"),
            (answer({"Code": "ServiceUnavailable"}, status=503), "unknown",
             "provider"),
            (Cut(), "unknown", "connection"),
        ],
    )  # fmt: skip
    def test_codes(self, server, aliyun, reply, outcome, problem):
        """A code inside of HTTP 200 or 400 is told in our vocabulary, and kept."""
        server.reply = reply

        (result,) = aliyun().send([MESSAGES[0]], template=TEMPLATE)

        assert (result.outcome, result.problem) == (outcome, problem)
        if isinstance(reply, bytes) and b"HTTP/1.1 5" not in reply:
            assert result.raw_code in reply.decode()
        if outcome == "accepted":
            assert result.provider_message_id == "9^0#8000"

    def test_same_text_shares_a_request(self, server, aliyun):
        """A thousand with the same variables leave together, and the rest waits."""
        server.reply = answer({"Code": "OK", "BizId": "9^0"})
        many = [
            attrs.evolve(MESSAGES[0], message_id=f"S{n}", phone=f"1380013{n:04d}")
            for n in range(1001)
        ]

        results = aliyun(batch_size=1000).send(many, template=TEMPLATE)

        assert [len(seen.query["PhoneNumbers"].split(",")) for seen in server.seen] == [
            1000,
        ]  # fmt: skip
        assert [result.message_id for result in results] == [
            message.message_id for message in many
        ]
        assert results[7].provider_message_id == "9^0#0007"
        assert [result.outcome for result in results[999:]] == ["accepted", "postponed"]
        assert results[1000].retry_after == dt.timedelta()

    def test_own_texts_leave_by_hundreds_and_told_apart(self, server, aliyun):
        """A call is one request, with no two phones whose last four digits are one."""
        server.reply = answer({"Code": "OK", "BizId": "9^0"})
        many = [
            attrs.evolve(
                MESSAGES[0],
                message_id=f"S{n}",
                phone=f"138{n // 50:04d}{n % 50:04d}",
                variables=(("name", str(n)),),
            )
            for n in range(150)
        ]

        provider, left, calls = aliyun(batch_size=1000), many, 0
        while left:
            results = provider.send(left, template=TEMPLATE)
            calls += 1
            assert len(server.seen) == calls  # and no more, so that a lease can hold it
            left = [
                message
                for message, result in zip(left, results, strict=True)
                if result.outcome == "postponed"
            ]

        sent = [json.loads(seen.form["PhoneNumberJson"]) for seen in server.seen]
        names = [json.loads(seen.form["TemplateParamJson"]) for seen in server.seen]
        assert sorted(phone for one in sent for phone in one) == [
            message.phone for message in many
        ]
        for phones, variables in zip(sent, names, strict=True):
            assert len({phone[-4:] for phone in phones}) == len(phones) <= 100
            assert [dict(m.variables) for m in many if m.phone in phones] == variables

    def test_who_cannot_be_written_to_costs_no_request(self, server, aliyun, tencent):
        """A phone that is none, or North American, and a text without a code."""
        bad = [
            attrs.evolve(MESSAGES[0], message_id="Sa", phone="010-1234"),
            attrs.evolve(MESSAGES[0], message_id="Sb", phone="+13105551234"),
        ]
        results = aliyun().send(bad, template=TEMPLATE)
        (other,) = tencent().send(bad[:1], template=TEMPLATE)
        (bare,) = aliyun().send([MESSAGES[0]], template=attrs.evolve(TEMPLATE, code=""))

        assert [one.problem for one in (*results, other)] == ["invalid_number"] * 3
        assert (bare.outcome, bare.problem) == ("refused", "template")
        assert server.seen == []

    def test_a_message_given_twice_leaves_once(self, server, aliyun, tencent):
        """Two results, one request."""
        for make in (aliyun, tencent):
            server.seen.clear()
            results = make().send([MESSAGES[0]] * 2, template=TEMPLATE)

            assert len(results) == 2
            assert len(server.seen) == 1

    def test_without_a_key_nothing_leaves(self, server, aliyun, tencent):
        """A message waits until the key is there."""
        gone = {"env": "SMS_NO_SUCH_KEY"}
        for provider in (aliyun(access_key_secret=gone), tencent(secret_key=gone)):
            (result,) = provider.send([MESSAGES[0]], template=TEMPLATE)
            asked = provider.query(MESSAGES[0], provider_message_id=None, sent_on=DAY)

            assert (result.outcome, result.problem) == ("postponed", "authentication")
            assert asked is None
        assert server.seen == []

    @pytest.mark.parametrize(
        ("option", "value"),
        [("access_key_secret", KEY), ("batch_size", 0), ("batch_size", 1001),
         ("batch_size", True), ("endpoint", "http://dysmsapi.aliyuncs.com")],
    )  # fmt: skip
    def test_wrong_options(self, aliyun, option, value):
        """A wrong option is named, and a secret not quoted."""
        with pytest.raises(ConfigurationError, match=option) as caught:
            aliyun(**{option: value})

        assert KEY not in str(caught.value)


def details(*rows, total=None):
    """Return the answer to a query of Alibaba Cloud."""
    return answer(
        {
            "Code": "OK",
            "TotalCount": str(len(rows) if total is None else total),
            "SmsSendDetailDTOs": {"SmsSendDetailDTO": list(rows)},
        }
    )


class TestAliyunQueries:
    """What became of a message, by phone, day and our id."""

    @pytest.mark.parametrize(
        ("reply", "status"),
        [
            (details({"OutId": "S1", "SendStatus": 3, "ErrCode": "DELIVERED"}),
             "delivered"),
            (details({"OutId": "S9", "SendStatus": 3}, {"OutId": "S1",
             "SendStatus": 2, "ErrCode": "MOBILE_IN_BLACK"}), "undelivered"),
            (details({"OutId": "S1", "SendStatus": 1}), "accepted"),
            (details({"OutId": "S1", "SendStatus": 7}), None),
            (details({"OutId": "S9", "SendStatus": 3}), "not_found"),
            (details(), "not_found"),
            (details(total=900), None),
            (answer({"Code": "isv.BUSINESS_LIMIT_CONTROL"}), None),
            (answer({}), None),
            (answer({"Code": "OK"}, status=500), None),
            *((answer({"Code": "OK", "TotalCount": 0, "SmsSendDetailDTOs":
               {"SmsSendDetailDTO": odd}}), None) for odd in (3, True, 1.5, "x", {})),
            (Cut(), None),
        ],
    )  # fmt: skip
    def test_only_a_whole_answer_counts(self, server, aliyun, reply, status):
        """Not found is said only after all that the phone was sent was seen."""
        server.reply = reply

        receipt = aliyun().query(MESSAGES[0], provider_message_id=None, sent_on=DAY)

        assert (receipt and receipt.status) == status
        if status == "undelivered":
            assert (receipt.problem, receipt.raw_code) == (
                "opted_out", "MOBILE_IN_BLACK",
            )  # fmt: skip

    def test_a_day_in_utc_is_two_in_beijing(self, server, aliyun):
        """What left in the evening of UTC is found under the next day."""
        row = {"OutId": "S1", "SendStatus": 3, "ReceiveDate": "2026-11-23 01:00:00"}
        server.reply = lambda seen: (
            details(row) if seen.query["SendDate"] == "20261123" else details()
        )
        later = NOON + dt.timedelta(days=1)

        receipt = aliyun(clock=lambda: later).query(
            MESSAGES[0], provider_message_id=None, sent_on=DAY
        )

        assert receipt.at == dt.datetime(2026, 11, 22, 17, tzinfo=dt.UTC)
        assert [seen.query["SendDate"] for seen in server.seen] == [
            "20261122", "20261123",
        ]  # fmt: skip

    def test_pages_are_turned(self, server, aliyun):
        """The second page is asked for while there is more."""
        pages = [[{"OutId": "S9"}] * 50, [{"OutId": "S1", "SendStatus": 3}]]
        server.reply = lambda seen: details(
            *pages[int(seen.query["CurrentPage"]) - 1], total=51
        )

        receipt = aliyun().query(MESSAGES[0], provider_message_id=None, sent_on=DAY)

        assert receipt.status == "delivered"
        assert len(server.seen) == 2


class TestTencent:
    """One request, and a code for each recipient."""

    @staticmethod
    def rows(*codes):
        """Return an answer with a code for each of the phones."""
        return answer(
            {
                "Response": {
                    "SendStatusSet": [
                        {"SerialNo": f"2019:{n}", "PhoneNumber": f"+86{phone}",
                         "Fee": 2, "Code": code}
                        for n, (phone, code) in enumerate(
                            zip(PHONES, codes, strict=False)
                        )
                    ]
                }
            }
        )  # fmt: skip

    def test_each_recipient_has_a_fate(self, server, tencent):
        """One accepted, one over its limit, one not spoken of; in the order asked."""
        server.reply = self.rows("LimitExceeded.PhoneNumberThirtySecondLimit", "Ok")
        same = [
            attrs.evolve(m, variables=MESSAGES[0].variables) for m in MESSAGES[::-1]
        ]
        third = attrs.evolve(same[0], message_id="S3", phone="13700137002")

        results = tencent(batch_size=200).send([*same, third], template=TEMPLATE)

        assert len(server.seen) == 1
        assert [(r.message_id, r.outcome, r.problem) for r in results] == [
            ("S2", "accepted", None),
            ("S1", "postponed", "number_limit"),
            ("S3", "unknown", "provider"),
        ]
        assert (results[0].provider_message_id, results[0].segments) == ("2019:1", 2)
        assert results[1].raw_code == "LimitExceeded.PhoneNumberThirtySecondLimit"

    def test_other_variables_leave_by_themselves(self, server, tencent):
        """A request has one set of variables, whatever the size of a batch."""
        server.reply = self.rows("Ok")
        results = tencent(batch_size=200).send(MESSAGES, template=TEMPLATE)

        assert [seen.json["TemplateParamSet"] for seen in server.seen] == [
            ["张三 & Co+"],
        ]  # fmt: skip
        assert [result.outcome for result in results] == ["accepted", "postponed"]

    @pytest.mark.parametrize(
        ("code", "outcome", "problem"),
        [
            ("FailedOperation.PhoneNumberInBlacklist", "refused", "opted_out"),
            ("FailedOperation.ContainSensitiveWord", "refused", "content"),
            ("FailedOperation.InsufficientBalanceInSmsPackage", "postponed",
             "balance"),
            ("LimitExceeded.AppDailyLimit", "postponed", "throttled"),
            ("InternalError.Timeout", "unknown", "provider"),
            ("NeverHeardOf", "unknown", "provider"),
            ("AuthFailure.SignatureFailure", "postponed", "authentication"),
            ("InvalidParameterValue.Xyz", "refused", "request"),
        ],
    )  # fmt: skip
    def test_codes(self, server, tencent, code, outcome, problem):
        """A code means the same for one recipient and for a whole request."""
        for reply in (
            self.rows(code),
            answer({"Response": {"Error": {"Code": code, "Message": "x"}}}),
        ):
            server.reply = reply
            (result,) = tencent().send([MESSAGES[0]], template=TEMPLATE)

            assert (result.outcome, result.problem, result.raw_code) == (
                outcome, problem, code,
            )  # fmt: skip

    @pytest.mark.parametrize("body", [{}, {"Response": {}}, [], {"Response": {
        "SendStatusSet": [5]}}, {"Response": {"SendStatusSet": {"a": 1}}},
        *({"Response": {"Error": {"Code": "Ok"}, "SendStatusSet": odd}}
          for odd in (None, 3, 1.5, "x"))])  # fmt: skip
    def test_an_answer_of_another_shape_says_nothing(self, server, tencent, body):
        """Without a status of its own a recipient's fate is unknown."""
        server.reply = answer(body)

        assert tencent().send([MESSAGES[0]], template=TEMPLATE)[0].outcome == "unknown"

    def test_a_query_knows_what_carriers_reported(self, server, tencent):
        """By serial number, or by our id; silence is not a no."""
        rows = [
            {"SerialNo": "2019:0", "ReportStatus": "SUCCESS",
             "UserReceiveTime": 1795305600},
            {"SerialNo": "2019:1", "ReportStatus": "FAIL", "SessionContext": "S1",
             "UserReceiveTime": 0},
        ]  # fmt: skip
        server.reply = answer({"Response": {"PullSmsSendStatusSet": rows}})
        ask = tencent().query

        by_serial = ask(MESSAGES[0], provider_message_id="2019:0", sent_on=DAY)
        by_ours = ask(MESSAGES[0], provider_message_id=None, sent_on=DAY)

        assert by_serial.status == "delivered"
        assert by_serial.at == dt.datetime.fromtimestamp(1795305600, dt.UTC)
        assert (by_ours.status, by_ours.provider_message_id, by_ours.at) == (
            "undelivered", "2019:1", None,
        )  # fmt: skip
        assert ask(MESSAGES[0], provider_message_id="2019:7", sent_on=DAY) is None
        assert ask(MESSAGES[1], provider_message_id=None, sent_on=DAY) is None
        server.reply = answer({"Response": {"Error": {"Code": "X"}}})
        assert ask(MESSAGES[0], provider_message_id="2019:0", sent_on=DAY) is None


class TestReports:
    """Pushed reports: in batches, read whole, and proven by a token."""

    def test_aliyun(self, aliyun):
        """SmsReport of one message and of a batch."""
        body = json.dumps(
            [
                {"phone_number": "13800138000", "success": True, "biz_id": "9^0",
                 "err_code": "DELIVERED", "report_time": "2026-11-22 12:00:00",
                 "out_id": "S1"},
                {"phone_number": "13900139001", "success": False, "biz_id": "8^0",
                 "err_code": "CONTENT_KEYWORD", "out_id": "batch:B1"},
            ]
        ).encode()  # fmt: skip

        one, two = aliyun().parse_receipts(ReceiptRequest(url="https://x/", body=body))

        assert (one.message_id, one.provider_message_id, one.status, one.at) == (
            "S1", "9^0#8000", "delivered", NOON,
        )  # fmt: skip
        assert (two.message_id, two.provider_message_id, two.problem) == (
            None, "8^0#9001", "content",
        )  # fmt: skip

    def test_tencent(self, tencent):
        """The callback of Tencent Cloud, as its reference shows it."""
        body = json.dumps(
            [
                {"user_receive_time": "2026-11-22 12:00:00", "nationcode": "86",
                 "mobile": "13800138000", "report_status": "SUCCESS",
                 "errmsg": "DELIVRD", "description": "x", "sid": "2019:0"},
                {"report_status": "FAIL", "errmsg": "MK:0001", "sid": "2019:1"},
            ]
        ).encode()  # fmt: skip

        one, two = tencent().parse_receipts(ReceiptRequest(url="https://x/", body=body))

        assert (one.provider_message_id, one.status, one.at) == (
            "2019:0", "delivered", NOON,
        )  # fmt: skip
        assert (two.problem, two.raw_code) == ("carrier", "MK:0001")

    @pytest.mark.parametrize("body", [b"", b"[{}]", b'[{"success": "yes"}]', b"[1]",
                                      b'[{"report_status": "SUCCESS"}]'])  # fmt: skip
    def test_others_raise(self, aliyun, tencent, body):
        """What is no report is a SourceError."""
        for provider in (aliyun(), tencent()):
            with pytest.raises(SourceError):
                provider.parse_receipts(ReceiptRequest(url="https://x/", body=body))

    @pytest.mark.parametrize(
        ("query", "own"),
        [("?token=t0ken", True), ("?a=1&token=t0ken", True), ("", False),
         ("?token=T0ken", False), ("?token=t0ken&token=x", False), ("?token=", False)],
    )  # fmt: skip
    def test_the_token_proves_them(self, aliyun, tencent, query, own):
        """Only who knows the address with its token is taken for the provider."""
        request = ReceiptRequest(url=f"https://shop.example.com/sms{query}")
        for make in (aliyun, tencent):
            assert make(receipt_token=lambda: "t0ken").verify_receipt(request) is own
            assert not make().verify_receipt(request)
            assert make(receipt_token=lambda: "x").capabilities.signed_receipts
        assert "t0ken" not in repr(request)
