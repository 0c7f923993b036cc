"""A chain of two stores with a gift ledger, small enough to work out by hand."""

CHAIN = """\
name = "礼品连锁"
currency = "CNY"
zone = "Asia/Shanghai"

[sources.sales]
adapter = "csv"
path = "sales.csv"

[sources.stores]
adapter = "csv"
path = "stores.csv"

[sources.gifts]
adapter = "csv"
path = "gifts.csv"

[sources.stocktakes]
adapter = "csv"
path = "stocktakes.csv"
"""

FILES = {
    "sales.csv": "小票号,销售日期,门店编号,会员编号,数量,金额\n"
    "T1,2026-10-03,S01,M1,1,39.80\n",
    "stores.csv": "门店编号,店名,区域编号\nS01,一店,R1\nS02,二店,R1\n",
    "gifts.csv": "礼品编号,礼品名称,单价,是否分批次\n"
    "CUP,茶杯,12.50,是\nPEN,签字笔,3.00,否\n",
    "stocktakes.csv": "盘点单号,促销活动,截止日期,盘点范围\n"
    "C1,国庆,2026-10-07,store:S01;store:S02;warehouse\n",
    # 100 cups and 50 pens come in; 20 cups go to S01 and 10 pens to S02; S01 gives 3
    # cups away. So on 7 October: warehouse 80 cups and 40 pens, S01 17 cups, S02 10
    # pens. Two postings are refused, and one row is no row.
    "movements.csv": (
        "凭证号,类型,生效时间,礼品编号,批次,有效期至,转出,转入,数量,经办人,关联单据\n"
        "R-1,入库,2026-10-01 09:00,CUP,L1,2027-06-30,supplier,warehouse,100,E1,\n"
        "R-1,入库,2026-10-01 09:00,PEN,,,supplier,warehouse,50,E1,\n"
        "T-1,调拨,2026-10-02 09:00,CUP,L1,2027-06-30,warehouse,store:S01,20,E1,\n"
        "T-2,调拨,2026-10-02 10:00,PEN,,,warehouse,store:S02,10,E1,order=B=7;x=%\n"
        "I-1,发放,2026-10-05 15:00,CUP,L1,2027-06-30,store:S01,member:M1,3,E2,"
        "ticket=T1\n"
        "X-1,调拨,2026-10-06 09:00,PEN,,,warehouse,store:S09,1,E1,\n"
        "X-2,调拨,2026-10-06 09:00,PEN,,,warehouse,store:S01,9999,E1,\n"
        "X-3,调拨,2026-10-06 09:00,PEN,,,warehouse,store:S01,2.5,E1,\n"
    ),
    # Counted: 79 of 80 cups and all 40 pens in the warehouse, 18 of 17 cups in S01;
    # S02 has not counted. One row is of a store that is not the chain's.
    "counts.csv": (
        "盘点单号,盘点地点,礼品编号,批次,实盘数量,盘点时间,盘点人,监盘人\n"
        "C1,warehouse,CUP,L1,79,2026-10-08 09:00,W1,W2\n"
        "C1,warehouse,PEN,,40,2026-10-08 09:10,W1,W2\n"
        "C1,store:S01,CUP,L1,18,2026-10-10 20:00,E1,R1\n"
        "C1,store:S09,CUP,L1,5,2026-10-08 20:00,E1,R1\n"
    ),
    "reasons.csv": (
        "盘点单号,盘点地点,礼品编号,批次,原因代码,数量,处理意见\n"
        "C1,warehouse,CUP,L1,damaged,-1,报损\n"
        "C1,store:S01,CUP,L1,issue_doubled,1,\n"
    ),
}


def write_gift_chain(folder, ledger='path = "gifts.db"\n'):
    """Write the chain with its papers; return the chain file."""
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    file = folder / "chain.toml"
    file.write_text(f"{CHAIN}\n[ledger]\n{ledger}", "utf-8")
    return file
