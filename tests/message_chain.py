"""A chain of one store that greets its members on their birthday, worked by hand."""

import datetime as dt
import json

DAY = dt.date(2026, 11, 5)
NOON = dt.datetime(2026, 11, 5, 4, tzinfo=dt.UTC)  # 12:00 in Shanghai
ROLES = (("brand_manager", "B1"), ("customer_service_manager", "C1"))

CHAIN = """\
name = "短信连锁"
currency = "CNY"
zone = "Asia/Shanghai"

[sources.sales]
adapter = "csv"
path = "sales.csv"

[sources.members]
adapter = "csv"
path = "members.csv"

[sources.consents]
adapter = "csv"
path = "consents.csv"

[sources.visits]
adapter = "csv"
path = "visits.csv"

[outbox]
database = "outbox.db"

[policies.messages]
price = "0.05"
"""
TEMPLATE = """
[sms.templates.birthday]
kind = "marketing"
text = "${name}，生日快乐！拒收请回复R"
rules = ["birthday"]
"""
FILE = '[sms]\nsignature = "示例店"\n'
FILES = {
    # M1 buys three days after the birthday.
    "sales.csv": "小票号,销售日期,门店编号,会员编号,数量,金额\n"
    "T1,2026-10-20,S01,M1,1,39.80\nT2,2026-11-08,S01,M1,1,50.00\n",
    # Born on 5 November: all but M4. M3 said no, M5 has no number, M6 said nothing.
    "members.csv": "会员编号,姓名,手机号,出生日期,门店编号,入会日期\n"
    "M1,王小明,13812345671,1990-11-05,S01,2024-01-01\n"
    "M2,李小红,13812345672,1991-11-05,S01,2024-01-01\n"
    "M3,张三,13812345673,1992-11-05,S01,2024-01-01\n"
    "M4,赵四,13812345674,1992-11-06,S01,2024-01-01\n"
    "M5,钱五,1381234,1992-11-05,S01,2024-01-01\n"
    "M6,孙六,13812345676,1993-11-05,S01,2024-01-01\n",
    "consents.csv": "会员编号,渠道,是否同意,日期\n"
    "M1,短信,是,2025-01-01\nM2,短信,是,2025-01-01\nM3,短信,否,2025-01-01\n"
    "M4,短信,是,2025-01-01\nM5,全部,是,2025-01-01\n",
    "visits.csv": "回访编号,会员编号,渠道,计划日期,结果,回访日期\n",
}


def write_message_chain(folder, *, sms=FILE, more=""):
    """Write the chain; return the chain file."""
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    file = folder / "chain.toml"
    file.write_text(CHAIN + sms + TEMPLATE + more, "utf-8")
    return file


def plan(chain, *, write=True, **changes):
    """Plan the birthday batch of the day, to those whose birthday it is."""
    given = {"batch_id": "B1", "as_of": DAY, "author": "A1", "at": NOON,
             "members": ["M1", "M2", "M3", "M5", "M6"], "write": write}  # fmt: skip
    return chain.plan_messages("birthday", **{**given, **changes})


def approve(chain, answer, *, roles=ROLES):
    """Let two people approve what the answer shows; return the last answer."""
    row = answer.frame().iloc[0]
    for role, who in roles:
        answer = chain.approve_messages(
            row["batch_id"], fingerprint=row["fingerprint"], role=role, by=who, at=NOON
        )
    return answer


def clock(minutes=0):
    """Return a clock that stands still, so many minutes after noon."""
    return lambda: NOON + dt.timedelta(minutes=minutes)


def stands(answer):
    """Return the states that have messages, of all batches of an answer."""
    sums = answer["message_batch"].frame.loc[:, "queued":"canceled"].sum()
    return {name: int(count) for name, count in sums.items() if count}


def delivered(file, members, outbox):
    """Write receipts that all messages to these members were delivered."""
    rows = outbox.messages()
    ids = rows.loc[rows["member_id"].isin(members), "message_id"]
    lines = [json.dumps({"message_id": own, "status": "delivered"}) for own in ids]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file
