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
    create_payment_term().save()
    Model.get("party.category")(name="会员").save()
    place = Model.get("stock.location")
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


if __name__ == "__main__":
    prepare(*sys.argv[1:])
