"""What a membership costs: joining, renewal, pro-rata, discount, upgrade (HQ §4.2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import attrs
import pandas as pd

from memberops.domain import Currency, Decision, Money, Statement
from memberops.domain.money import NO_CURRENCY, round_half_up
from memberops.domain.values import check_as_of, identifier
from memberops.errors import CurrencyMismatchError, InvalidValueError
from memberops.policies.fee_frames import charge_frame
from memberops.policies.fee_parts import Part, part, terms_note
from memberops.policies.term import not_negative
from memberops.schedules import Period
from memberops.schedules.dates import check_whole

__all__ = ["FeeCharge", "KindFee", "MembershipFee", "fraction_left"]


def fraction_left(day: dt.date, period: Period) -> Fraction:
    """
    Return which part of a period is left on a day, that day included, exactly.

    >>> fraction_left(dt.date(2017, 7, 1), Period.year(2017))
    Fraction(184, 365)
    >>> fraction_left(dt.date(2018, 7, 1), Period.year(2017))
    Fraction(0, 1)
    """
    check_as_of(day)
    left = (period.through - max(day, period.start)).days + 1
    return Fraction(max(left, 0), period.days)


def _amount(value: Any) -> Decimal:
    if NO_CURRENCY.to_minor(value) < 0:
        raise InvalidValueError("a fee must be 0 or more")
    return Decimal(value)


def _share(value: Any) -> Fraction:
    if isinstance(value, (float, bool)):
        raise InvalidValueError(
            "a discount must be a text, Decimal or Fraction such as '0.25', "
            f"not a {type(value).__name__}"
        )
    try:
        share = Fraction(value)
    except (TypeError, ValueError, ZeroDivisionError):
        raise InvalidValueError(
            f"{str(value)[:20]!r} is no share such as '0.25'"
        ) from None
    if not 0 <= share <= 1:
        raise InvalidValueError(f"a discount must lie from 0 to 1, not {share}")
    return share


@attrs.frozen
class KindFee:
    """
    The fees of one kind of card, in major units.

    Args:
        kind: The kind of card.
        renewal: The fee of one term.
        joining: The fee of joining, on top of the first term.
    """

    kind: str = attrs.field(validator=identifier)
    renewal: Decimal = attrs.field(converter=_amount)
    joining: Decimal = attrs.field(default=Decimal(0), converter=_amount)


def _kinds(value: Iterable[KindFee]) -> tuple[KindFee, ...]:
    found = tuple(value)
    if not all(isinstance(each, KindFee) for each in found):
        raise InvalidValueError(
            "fees by kind are a list such as [KindFee('gold', 200)]"
        )
    if len({each.kind for each in found}) < len(found):
        raise InvalidValueError("fees by kind name a kind twice")
    return found


@attrs.frozen(kw_only=True)
class FeeCharge(Decision):
    """
    What is to be paid: ``"charged"`` or ``"free"``, with each part among the reasons.

    Args:
        amount: What is to be paid, rounded half up once.
        exact: The same in minor units before rounding.
        unspent: What is left of a credit that exceeds the price.
    """

    amount: Money
    exact: Fraction
    unspent: Money


@attrs.frozen(kw_only=True)
class MembershipFee:
    """
    The policy of fees; all parts are exact and the sum is rounded half up once.

    Args:
        renewal: The fee of one term, in major units.
        joining: The fee of joining, on top of the first term.
        by_kind: Kinds of card that have other fees.
        prorate: Whether joining within a period pays only its days that are left, the
            day of joining included.
        rejoin_days: Who joins again pays the joining fee only if the last membership
            ended more than so many days ago; None if never again.
        discount_joining: Whether a discount is given on the joining fee too.
        upgrade_credit: What counts for who changes to another kind: ``"unused"``, the
            part of the old kind's fee for the days not used, or ``"paid"``, all that
            was paid for the term (`unused_value` asks for it).
        currency: What the fees are in.
        policy: Id of the policy.
        version: Version of the policy.

    Raises:
        InvalidValueError: A float, an amount below 0 or with more digits than the
            currency, a kind named twice, or an unknown word.

    >>> fee = MembershipFee(renewal=100)
    >>> charge = fee.charge(as_of=dt.date(2026, 11, 5), terms=3, discount="0.25")
    >>> charge.amount
    Money('225.00', 'CNY')
    >>> print(charge.explain("zh"))
    会费 300.00 元（3 期）；折扣 -75.00 元；合计 225.00 元
    """

    renewal: Decimal = attrs.field(default=Decimal(0), converter=_amount)
    joining: Decimal = attrs.field(default=Decimal(0), converter=_amount)
    by_kind: tuple[KindFee, ...] = attrs.field(default=(), converter=_kinds)
    prorate: bool = False
    rejoin_days: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(not_negative)
    )
    discount_joining: bool = False
    upgrade_credit: Literal["unused", "paid"] = "unused"
    currency: Currency = attrs.field(
        default=Currency("CNY"), validator=attrs.validators.instance_of(Currency)
    )
    policy: str = attrs.field(default="membership-fee", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    def __attrs_post_init__(self) -> None:
        """Refuse amounts that the currency cannot have, and unknown words."""
        for fees in (self.of(""), *self.by_kind):
            self.currency.to_minor(fees.renewal)
            self.currency.to_minor(fees.joining)
        if self.upgrade_credit not in ("unused", "paid"):
            raise InvalidValueError(
                "'upgrade_credit' must be 'unused' or 'paid', "
                f"not {str(self.upgrade_credit)[:20]!r}"
            )

    def of(self, kind: str = "standard") -> KindFee:
        """
        Return the fees of a kind of card.

        >>> MembershipFee(renewal=100, by_kind=[KindFee("gold", 200)]).of("gold")
        KindFee(kind='gold', renewal=Decimal('200'), joining=Decimal('0'))
        """
        for each in self.by_kind:
            if each.kind == kind:
                return each
        return KindFee(kind or "standard", self.renewal, self.joining)

    def renewal_minor(self, kind: str = "standard") -> int:
        """Return the fee of one term of a kind, in minor units."""
        return self.currency.to_minor(self.of(kind).renewal)

    def joins(self, *, last_ended: dt.date | None, as_of: dt.date) -> bool:
        """
        Tell whether who joins pays the joining fee.

        Args:
            last_ended: The last day of an earlier membership; None if there was none.
            as_of: The day of joining.
        """
        if last_ended is None:
            return True
        late = (check_as_of(as_of) - last_ended).days
        return self.rejoin_days is not None and late > self.rejoin_days

    def charge(
        self,
        *,
        as_of: dt.date,
        kind: str = "standard",
        terms: int = 1,
        joining: bool = False,
        period: Period | None = None,
        discount: Fraction | Decimal | str | int = 0,
        waived_terms: int = 0,
        credit: Money | Fraction | None = None,
    ) -> FeeCharge:
        """
        Say what is to be paid.

        Args:
            as_of: The day of payment.
            kind: The kind of card.
            terms: How many terms are bought.
            joining: Whether the joining fee is due (`joins`).
            period: The period of the first term, for a fee by the days left.
            discount: The share that is taken off each of the terms, from 0 to 1.
            waived_terms: How many terms are free: 1 if a `FeeWaiver` waived the next.
            credit: What is taken off at the end: money, or minor units that are not
                rounded yet, as `unused_value` gives them.

        Returns:
            The charge. A fee by the days left changes on the next day.

        Raises:
            InvalidValueError: A share that cannot be.
            ScheduleError: A number of terms that cannot be.
            CurrencyMismatchError: A credit in another currency.
        """
        check_as_of(as_of)
        fees = self.of(kind)
        share = _share(discount)
        check_whole(terms, "terms", least=1)
        check_whole(waived_terms, "waived_terms", least=0)
        fee = Fraction(self.currency.to_minor(fees.renewal))
        begun = Fraction(1)
        if self.prorate and period is not None:
            begun = fraction_left(as_of, period)
        usual = fee * (begun + terms - 1)
        # The first terms are the free ones: a waiver is for the next term.
        free = Fraction(0)
        if waived_terms:
            free = fee * (begun + min(waived_terms, terms) - 1)
        entry = Fraction(self.currency.to_minor(fees.joining) if joining else 0)
        off = (usual - free + (entry if self.discount_joining else 0)) * share
        price = entry + usual - free - off
        given = min(self._credit(credit), price)
        parts = [
            part("joining", "joining fee", "入会费", entry),
            part(
                "fee", "fee", "会费", usual,
                note=terms_note(terms, begun), always=True,
            ),
            part("waived", "waived", "免年费", -free),
            part("discount", "discount", "折扣", -off),
            part("credit", "credit", "抵扣", -given),
        ]  # fmt: skip
        return self._charged(
            as_of,
            [each for each in parts if each is not None],
            price - given,
            self._credit(credit) - given,
            self._changes_on(as_of, period),
        )

    def charge_frame(
        self, memberships: Any, *, discount: Fraction | Decimal | str | int = 0
    ) -> pd.DataFrame:
        """
        Say what each row of a frame is to pay; row by row as `charge`.

        Args:
            memberships: A frame of any engine; each column is optional: ``kind``,
                ``terms``, ``joining`` (bool), ``waived_terms`` (number or bool), and
                with *prorate* ``days_left`` of ``period_days``.
            discount: The share taken off each term of each row.

        Returns:
            A pandas frame of the same rows with ``amount`` in minor units (Int64) and
            ``undefined`` (text): a row that `charge` would refuse, such as no terms or
            more days left than the period has, has no amount and says why.

        Raises:
            ColumnTypeError: A column of fractions or text; gaps need Int64.

        >>> rows = pd.DataFrame({"terms": [1, 3], "waived_terms": [1, 0]})
        >>> MembershipFee(renewal=100).charge_frame(rows, discount="0.25")["amount"
        ...     ].tolist()
        [0, 22500]
        """
        return charge_frame(self, memberships, _share(discount))

    def unused_value(
        self,
        kind: str,
        period: Period,
        *,
        as_of: dt.date,
        waived: bool = False,
        terms: int = 1,
        paid: Money | None = None,
    ) -> Fraction:
        """
        Return what counts of an old kind's terms for who changes on a day.

        With *upgrade_credit* ``"unused"`` the old kind's own fee counts for the days
        left, not the last payment, which may have been a difference already; with
        ``"paid"`` what was paid counts whole, as long as a day is left. A term that
        was waived has no value.

        Args:
            kind: The old kind of card.
            period: Its terms, from the first day to the last; a term that was paid by
                the days left is the whole term here, not the days of the card.
            as_of: The day of the change, from which the new kind is paid.
            waived: Whether the terms were free.
            terms: How many terms were bought for the period.
            paid: What was paid for the period, an earlier credit included; needed
                with ``"paid"``, else not looked at.

        Returns:
            Minor units, not rounded.

        Raises:
            InvalidValueError: With ``"paid"``, the payment is not given or below 0.
            CurrencyMismatchError: It is in another currency.
            ScheduleError: *terms* is below 1.

        >>> fee = MembershipFee(renewal=365)
        >>> fee.unused_value("standard", Period.year(2026), as_of=dt.date(2026, 12, 31))
        Fraction(100, 1)
        """
        left = fraction_left(as_of, period)
        check_whole(terms, "terms", least=1)
        if self.upgrade_credit == "paid":
            if paid is None and not waived:
                raise InvalidValueError(
                    "upgrade_credit='paid' counts what was paid: give "
                    "paid=Money.of(...); the list of fees does not know it"
                )
            return self._credit(None if waived or not left else paid)
        if waived:
            return Fraction(0)
        return self.renewal_minor(kind) * terms * left

    def _credit(self, credit: Money | Fraction | None) -> Fraction:
        if isinstance(credit, Money):
            if credit.currency != self.currency:
                raise CurrencyMismatchError(
                    f"the fees are in {self.currency.code}, "
                    f"the credit in {credit.currency.code}"
                )
            credit = Fraction(credit.minor)
        if credit is None:
            return Fraction(0)
        known: Any = credit
        if not isinstance(known, Fraction) or known < 0:
            raise InvalidValueError(
                "a credit must be Money or a Fraction of minor units, 0 or more"
            )
        return credit

    def _changes_on(self, as_of: dt.date, period: Period | None) -> dt.date | None:
        """Return the day on which a fee by the days left is another."""
        if not self.prorate or period is None or as_of > period.through:
            return None
        held = max(as_of, period.start)
        return None if held == dt.date.max else held + dt.timedelta(days=1)

    def _charged(
        self,
        as_of: dt.date,
        parts: list[Part],
        exact: Fraction,
        unspent: Fraction,
        changes_on: dt.date | None,
    ) -> FeeCharge:
        total = Part("total", "total", "合计", exact)
        amount = Money(round_half_up(exact), self.currency)
        return FeeCharge(
            outcome="charged" if amount.minor else "free",
            grounds=Statement(
                reasons=[each.reason(self.currency) for each in (*parts, total)]
            ),
            policy=self.policy,
            version=self.version,
            as_of=as_of,
            changes_on=changes_on,
            amount=amount,
            exact=exact,
            unspent=Money(round_half_up(unspent), self.currency),
        )
