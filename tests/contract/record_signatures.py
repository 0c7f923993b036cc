"""
Record what the official SDKs send, as vectors for the fast suite.

Each SDK sends made-up messages under made-up keys to a server on this machine, and the
requests are written to ``tests/vectors/sms_signatures.json`` as they came. Run it in an
environment of its own, with the dependency group ``contract``:

    python -m venv sdks && sdks/bin/pip install --group contract
    sdks/bin/python tests/contract/record_signatures.py
"""

import http.server
import json
import sys
import threading
from importlib import metadata
from pathlib import Path

KEY_ID, KEY = "LTAItestid", "testsecret"
VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "sms_signatures.json"
SEEN = []


class Recorder(http.server.BaseHTTPRequestHandler):
    """Keeps each request, and answers with an empty object."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        """Keep and answer."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        SEEN.append(
            {
                "method": self.command,
                "target": self.path,
                "headers": {k.lower(): v for k, v in self.headers.items()},
                "body": body.decode(),
            }
        )
        answer = b'{"Response": {"RequestId": "r"}, "Code": "OK"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815 - the name that the server asks for

    def log_message(self, *_):
        """Say nothing."""


def aliyun(host):
    """Send through Alibaba Cloud's SDK."""
    from alibabacloud_dysmsapi20170525 import models
    from alibabacloud_dysmsapi20170525.client import Client
    from alibabacloud_tea_openapi.models import Config

    client = Client(
        Config(
            access_key_id=KEY_ID,
            access_key_secret=KEY,
            endpoint=host,
            protocol="HTTP",
        )
    )
    given = {
        "phone_numbers": "13800138000",
        "sign_name": "示例店 (一)*~",
        "template_code": "SMS_1",
        "template_param": '{"name":"张三 & Co+"}',
        "out_id": "S1",
    }
    client.send_sms(models.SendSmsRequest(**given))
    yield "SendSms", given
    given = {
        "phone_number_json": '["13800138000","13900139001"]',
        "sign_name_json": '["示例店","示例店"]',
        "template_code": "SMS_1",
        "template_param_json": '[{"name":"张三"},{"name":"李四"}]',
        "out_id": "B1",
    }
    client.send_batch_sms(models.SendBatchSmsRequest(**given))
    yield "SendBatchSms", given
    given = {
        "phone_number": "13800138000",
        "send_date": "20261122",
        "page_size": 50,
        "current_page": 1,
        "biz_id": "900^0",
    }
    client.query_send_details(models.QuerySendDetailsRequest(**given))
    yield "QuerySendDetails", given


def tencent(host):
    """Send through Tencent Cloud's SDK."""
    from tencentcloud.common import credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.sms.v20210111 import models, sms_client

    client = sms_client.SmsClient(
        credential.Credential(KEY_ID, KEY),
        "ap-guangzhou",
        ClientProfile(httpProfile=HttpProfile(endpoint=host, protocol="http")),
    )
    given = {
        "PhoneNumberSet": ["+8613800138000", "+8613900139001"],
        "SmsSdkAppId": "1400006666",
        "TemplateId": "1",
        "SignName": "示例店",
        "TemplateParamSet": ["张三 & Co+"],
        "SessionContext": "S1",
    }
    request = models.SendSmsRequest()
    request.from_json_string(json.dumps(given))
    client.SendSms(request)
    yield "SendSms", given
    given = {
        "BeginTime": 1795305600,
        "EndTime": 1795392000,
        "Offset": 0,
        "Limit": 100,
        "PhoneNumber": "+8613800138000",
        "SmsSdkAppId": "1400006666",
    }
    request = models.PullSmsSendStatusByPhoneNumberRequest()
    request.from_json_string(json.dumps(given))
    client.PullSmsSendStatusByPhoneNumber(request)
    yield "PullSmsSendStatusByPhoneNumber", given


CALLBACKS = [
    ("https://shop.example.com/sms", {"MessageSid": "SM1", "MessageStatus": "sent"}),
    ("https://shop.example.com/sms?id=S1&x=%E5%BC%A0",
     {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003",
      "To": "+8613800138000", "Body": "张三，生日快乐", "a": "", "B": "1", "b": "2"}),
    ("https://shop.example.com:8443/sms", {"MessageSid": "SM2"}),
    ("https://shop.example.com:443/sms", {"MessageSid": "SM3"}),
    ("http://shop.example.com/", {}),
]  # fmt: skip


def twilio():
    """Sign callbacks as Twilio's own validator does."""
    from twilio.request_validator import RequestValidator

    validator = RequestValidator(KEY)
    for url, fields in CALLBACKS:
        yield {
            "url": url,
            "fields": fields,
            "signature": validator.compute_signature(url, fields),
        }


def main():
    """Record everything."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_port}"
    vectors = {"key_id": KEY_ID, "key": KEY, "sdks": {}}
    for name in ("alibabacloud-dysmsapi20170525", "tencentcloud-sdk-python-sms",
                 "twilio"):  # fmt: skip
        vectors["sdks"][name] = metadata.version(name)
    for name, provider in (("aliyun", aliyun), ("tencent", tencent)):
        vectors[name] = [
            {"action": action, "given": given, "request": SEEN[-1]}
            for action, given in provider(host)
        ]
    vectors["twilio"] = list(twilio())
    text = json.dumps(vectors, ensure_ascii=False, indent=1, sort_keys=True)
    VECTORS.parent.mkdir(exist_ok=True)
    VECTORS.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(SEEN)} requests, {len(vectors['twilio'])} callbacks\n")


if __name__ == "__main__":
    main()
