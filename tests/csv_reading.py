"""Ways to read a CSV text in a test."""

from pathlib import Path
from zoneinfo import ZoneInfo

from memberops.adapters.sources.csv_source import read_csv
from memberops.domain import Currency

SALES = "小票号,销售日期,门店,数量,金额\n"
GOOD = "T1,2026-11-05,S1,1,5.00\n"


def read(text, table="sales", *, name="file.csv", zone="Asia/Shanghai", **options):
    """Read a text, or bytes, as a file of one table."""
    path = Path(name)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    options.setdefault("currency", Currency("CNY"))
    return read_csv(path, table, zone=ZoneInfo(zone), **options)


def findings(result, rule):
    """The findings of one rule."""
    return [finding for finding in result.findings if finding.rule == rule]


def said(result, rule):
    """The one finding of a rule, as a user sees it in both languages."""
    (finding,) = findings(result, rule)
    return finding.describe("en"), finding.describe("zh")
