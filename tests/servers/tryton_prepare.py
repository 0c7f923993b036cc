"""
Prepare an empty Tryton database: a company, its chart, three stores and a product.

Runs in the environment of Tryton itself, never in that of memberops:
``python tryton_prepare.py CONFIG DATABASE``.
"""

import sys
from decimal import Decimal

from proteus import Model, config
from trytond.modules.account.tests.tools import (
    create_chart,
    create_fiscalyear,
    create_tax,
    get_accounts,
)
from trytond.modules.account_invoice.tests.tools import (
    create_payment_term,
    set_fiscalyear_invoice_sequences,
)
from trytond.modules.company.tests.tools import create_company, get_company
from trytond.modules.currency.tests.tools import get_currency

STORES = (("S01", "南京路店"), ("S02", "外滩店"), ("S03", "豫园店"))
GOODS = (("大衣", "199.90"), ("围巾", "59.05"), ("手套", "0.10"))
# Goods of which stock is kept, by their codes; services above are sold only.
GIFTS = (("G-1", "茶杯"), ("G-2", "雨伞"))
# Sold at the till with tax, at prices that the sales name.
TAXED = ("毛衣", "糖果")
# Tills by name: the place they sell from, and whether their prices are with tax.
TILLS = (("T1", "南京路店 storage", True), ("T2", "外滩店 storage", False),
         ("T3", "专柜", True))  # fmt: skip


def prepare(settings, database):
    """Make everything that a sale needs before anyone can sell."""
    session = config.set_trytond(f"sqlite:///{database}", config_file=settings)
    create_company(currency=get_currency("CNY"))
    company = get_company()
    user = Model.get("res.user")(session.user)
    user.companies.append(Model.get("company.company")(company.id))
    user.company = Model.get("company.company")(company.id)
    user.save()
    session._context["company"] = company.id
    year = set_fiscalyear_invoice_sequences(create_fiscalyear(company))
    year.click("create_period")
    create_chart(company)
    accounts = get_accounts(company)
    category = Model.get("product.category")(
        name="商品",
        accounting=True,
        account_expense=accounts["expense"],
        account_revenue=accounts["revenue"],
    )
    category.save()
    (unit,) = Model.get("product.uom").find([("name", "=", "Unit")])
    for name, price in GOODS:
        Model.get("product.template")(
            name=name,
            default_uom=unit,
            type="service",
            salable=True,
            list_price=Decimal(price),
            account_category=category,
        ).save()
    for code, name in GIFTS:
        gift = Model.get("product.template")(
            name=name,
            code=code,
            default_uom=unit,
            type="goods",
            salable=True,
            list_price=Decimal(0),
            account_category=category,
        )
        gift.save()
    dozen = Model.get("product.uom")(
        name="打",
        symbol="打",
        category=unit.category,
        factor=12.0,
        rate=round(1 / 12, 12),
    )
    dozen.save()
    create_payment_term().save()
    Model.get("party.category")(name="会员").save()
    Model.get("marketing.email.list")(name="会员邮件").save()
    Model.get("marketing.email.list")(name="供应商通知").save()
    for name, model in (("商品质量", "sale.line"), ("服务态度", "sale.sale")):
        (origin,) = Model.get("ir.model").find([("name", "=", model)])
        Model.get("sale.complaint.type")(name=name, origin=origin).save()
    place = Model.get("stock.location")
    for code, kind in (("DROP", "drop"), ("P-1", "production")):
        place(name=code, code=code, type=kind).save()
    for code, name in STORES:
        parts = {}
        for part in ("input", "output", "storage"):
            kind = "storage"
            parts[part] = place(name=f"{name} {part}", type=kind)
            parts[part].save()
        place(
            name=name,
            code=code,
            type="warehouse",
            input_location=parts["input"],
            output_location=parts["output"],
            storage_location=parts["storage"],
        ).save()
    (first,) = place.find([("code", "=", STORES[0][0])])
    place(name="报废", code="SCRAP", type="lost_found",
          waste_warehouses=[first]).save()  # fmt: skip
    prepare_tills(company, accounts, unit)


def prepare_tills(company, accounts, unit):
    """Have tills, one of them in a corner of the central warehouse."""
    tax = create_tax(Decimal("0.13"), company)
    tax.save()
    category = Model.get("product.category")(
        name="含税商品", accounting=True, account_revenue=accounts["revenue"]
    )
    category.customer_taxes.append(tax)
    category.save()
    for name in TAXED:
        Model.get("product.template")(
            name=name,
            default_uom=unit,
            type="service",
            salable=True,
            list_price=Decimal(0),
            account_category=category,
        ).save()
    place = Model.get("stock.location")
    (central,) = place.find([("code", "=", "STO")])
    place(name="专柜", code="Z2", type="storage", parent=central).save()
    (customers,) = place.find([("code", "=", "CUS")])
    (journal,) = Model.get("account.journal").find([("type", "=", "revenue")])
    kinds = Model.get("ir.sequence.type").find([("name", "=", "POS")])
    for name, shelf, with_tax in TILLS:
        numbers = Model.get("ir.sequence.strict")(
            name=name, company=company, sequence_type=kinds[0]
        )
        numbers.save()
        (where,) = place.find([("name", "=", shelf)])
        Model.get("sale.point")(
            name=name,
            company=company,
            tax_included=with_tax,
            sequence=numbers,
            storage_location=where,
            return_location=where,
            customer_location=customers,
            journal=journal,
        ).save()
    (card,) = accounts["cash"].duplicate(default={"name": "Card"})
    for name, account in (("现金", accounts["cash"]), ("银行卡", card)):
        Model.get("sale.point.payment.method")(
            name=name, company=company, account=account, cash=name == "现金"
        ).save()
    (user,) = Model.get("res.user").find([("login", "=", "admin")])
    named = [("name", "in", ["POS", "POS Posting"])]
    user.groups.extend(Model.get("res.group").find(named))
    user.save()


if __name__ == "__main__":
    prepare(*sys.argv[1:])
