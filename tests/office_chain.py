"""
A chain small enough to work out by hand, as a folder of CSV files.

The day is Thursday 5 November 2026, 09:00 in Shanghai.

- M1 bought twice for 770.00; M2 three times for 300.00; M4 once for 1000.00 and took
  0.01 back; M3 once for 60.00, and for 2000.00 the day after.
- C1, C2 and C4 end on 31 December 2026, C3 in January, C5 and C6 a year later.
- M5 has neither phone nor birth date; M6 has the phone of M1. Both enrolled today.
- K1 waits for a reply since yesterday 10:00, K2 is 60 minutes beyond its 48 hours, K3
  came at 08:00 today, K4 is closed.
- M2 refused every channel. Of November's visits V1 was in time, V2 a day late, V3 and
  V4 are not done as far as today knows; V5 is October's.
- Tomorrow A1 comes to S1, where A2 gave one of two places back, and A3 fills S2.
"""

from pathlib import Path

__all__ = ["MOMENT", "NAMES", "PHONES", "TODAY", "write_office"]

TODAY = "2026-11-05"
MOMENT = "2026-11-05T09:00+08:00"
NAMES = ("王小明", "李雷雷", "韩梅梅", "赵强强", "钱五五", "孙六六")
PHONES = ("13812345678", "13912345678", "13712345678", "13612345678")

CHAIN = """
name = "手算连锁"
currency = "CNY"
zone = "Asia/Shanghai"
language = "zh"

[policies.tiers]
[[policies.tiers.levels]]
name = "regular"
name_zh = "普通会员"
[[policies.tiers.levels]]
name = "vip"
name_zh = "贵宾"
rule = { any = [{ spend = 700 }, { purchases = 3 }] }

[policies.premium]
spend_steps = [700]
purchase_steps = [2]
referral_steps = [1]
least_points = 3

[policies.working_calendar.week]
mon = ["09:00-18:00"]
tue = ["09:00-18:00"]
wed = ["09:00-18:00"]
thu = ["09:00-18:00"]
fri = ["09:00-18:00"]
"""

TABLES = {
    "stores": """
门店编号,门店名称,区域
S1,一店,华东
S2,二店,华东
""",
    "members": """
会员编号,姓名,手机号,性别,出生日期,入会门店,入会日期,推荐人编号
M1,王小明,13812345678,男,1990-05-01,S1,2026-01-01,
M2,李雷雷,13912345678,女,1985-03-02,S1,2026-01-01,
M3,韩梅梅,13712345678,女,1992-07-07,S2,2026-02-01,
M4,赵强强,13612345678,男,1979-12-30,S2,2026-01-01,M1
M5,钱五五,,女,,S1,2026-11-05,
M6,孙六六,13812345678,女,2000-01-01,S2,2026-11-05,
""",
    "cards": """
会员卡号,会员编号,有效期起,有效期止
C1,M1,2026-01-01,2026-12-31
C2,M2,2026-01-01,2026-12-31
C3,M3,2026-02-01,2027-01-31
C4,M4,2026-01-01,2026-12-31
C5,M5,2026-11-05,2027-11-04
C6,M6,2026-11-05,2027-11-04
""",
    "sales": """
小票号,销售日期,门店编号,会员编号,数量,金额,原小票号
T1,2026-03-01,S1,M1,1,400.00,
T2,2026-06-01,S1,M1,1,370.00,
T3,2026-02-10,S1,M2,1,100.00,
T4,2026-05-10,S1,M2,1,100.00,
T5,2026-08-10,S1,M2,1,100.00,
T6,2026-04-01,S2,M4,1,1000.00,
T7,2026-04-02,S2,M4,-1,-0.01,T6
T8,2026-11-04,S2,M3,1,60.00,
T9,2026-11-06,S2,M3,1,2000.00,
""",
    "complaints": """
投诉编号,受理时间,投诉渠道,门店编号,会员编号,投诉类别,受理人,顾客姓名,顾客电话,投诉内容
K1,2026-11-04 10:00,电话,S1,M1,quality,A1,王小明,13812345678,王小明说坏了
K2,2026-11-03 08:00,门店,S2,M3,service,A2,韩梅梅,13712345678,态度
K3,2026-11-05 08:00,网站,S2,,quality,,周七七,13512345678,延迟
K4,2026-10-20 09:00,电话,S1,M2,quality,A1,李雷雷,13912345678,已结
""",
    "case_events": """
投诉编号,处理动作,处理时间,是否满意
K2,replied,2026-11-03 09:00,
K4,replied,2026-10-20 10:00,
K4,solved,2026-10-21 09:00,
K4,callback,2026-10-22 09:00,yes
K4,closed,2026-10-22 10:00,
""",
    "visits": """
回访编号,回访类型,会员编号,门店编号,回访方式,回访方,最晚回访日期,计划回访日期,回访结果,回访日期,是否答复,回访内容
V1,care,M2,S1,phone,store,2026-11-03,2026-11-02,done,2026-11-02,yes,太远了
V2,care,M2,S1,phone,store,2026-11-03,2026-11-03,done,2026-11-04,no,
V3,care,M4,S2,phone,store,2026-11-06,2026-11-04,,,,
V4,care,M4,S2,phone,store,2026-11-06,2026-11-05,done,2026-11-06,yes,
V5,care,M1,S1,phone,store,2026-10-30,2026-10-30,done,2026-10-30,yes,
""",
    "consents": """
会员编号,渠道,是否同意,登记日期
M2,all,no,2026-10-01
""",
    "appointments": """
预约编号,会员编号,门店编号,服务项目,预约时间,时段容量,预约状态,登记时间,取消时间,员工编号
A1,M1,S1,skin,2026-11-06 09:00,2,booked,2026-11-01 10:00,,E1
A2,M3,S1,skin,2026-11-06 09:00,2,cancelled,2026-11-01 11:00,2026-11-05 12:00,E2
A3,M4,S2,skin,2026-11-06 10:00,1,booked,2026-11-02 10:00,,
A4,M2,S1,skin,2026-11-07 09:00,1,booked,2026-11-02 11:00,,
""",
}


def write_office(folder: Path, *, without=(), more="", tables=None) -> Path:
    """Write the chain but for some tables; return its chain file."""
    folder.mkdir(parents=True, exist_ok=True)
    text = CHAIN
    for name, rows in {**TABLES, **(tables or {})}.items():
        if name in without:
            continue
        file = folder / f"{name}.csv"
        file.write_text(rows.lstrip(), encoding="utf-8")
        text += f'\n[sources.{name}]\nadapter = "csv"\npath = "{name}.csv"\n'
    chain = folder / "chain.toml"
    chain.write_text(text + more, encoding="utf-8")
    return chain
