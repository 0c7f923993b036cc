"""A made-up chain, the same for the same seed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import pandas as pd

from memberops.domain.money import Currency
from memberops.domain.values import plain_date
from memberops.errors import InvalidValueError, UnknownTableError, nearest
from memberops.testing.draws import Days, first_days, generator
from memberops.testing.synthetic_bookings import made_appointments, made_surveys
from memberops.testing.synthetic_cases import made_cases
from memberops.testing.synthetic_members import made_members
from memberops.testing.synthetic_sales import made_sales, made_targets
from memberops.testing.synthetic_visits import made_consents, made_visits

__all__ = ["ChainFrames", "SyntheticChain"]

_REGIONS = ("华东", "华南", "华北", "华中", "西南", "西北", "东北")


@attrs.frozen(kw_only=True, eq=False)
class ChainFrames:
    """
    The canonical frames of one chain (see `memberops.tables`).

    The office's own tables, from the complaints on, are empty frames without columns
    where a chain has none (`memberops.testing.large_sales`).

    Args:
        members: One row per member.
        cards: One row per term of a card.
        stores: One row per store.
        sales: One row per line of a ticket, in the order of sale.
        targets: One row per store and month.
        complaints: One row per case, in the order of receipt.
        case_events: What happened to cases up to the last day, in order.
        visits: What was planned for the last month, and what became of it.
        consents: What members said about being contacted.
        appointments: Those of the last month and of the ten days after it.
        surveys: Answers of the last three months.
    """

    members: pd.DataFrame = attrs.field(repr=False)
    cards: pd.DataFrame = attrs.field(repr=False)
    stores: pd.DataFrame = attrs.field(repr=False)
    sales: pd.DataFrame = attrs.field(repr=False)
    targets: pd.DataFrame = attrs.field(repr=False)
    complaints: pd.DataFrame = attrs.field(factory=pd.DataFrame, repr=False)
    case_events: pd.DataFrame = attrs.field(factory=pd.DataFrame, repr=False)
    visits: pd.DataFrame = attrs.field(factory=pd.DataFrame, repr=False)
    consents: pd.DataFrame = attrs.field(factory=pd.DataFrame, repr=False)
    appointments: pd.DataFrame = attrs.field(factory=pd.DataFrame, repr=False)
    surveys: pd.DataFrame = attrs.field(factory=pd.DataFrame, repr=False)

    def __getitem__(self, table: str) -> pd.DataFrame:
        """
        Return the frame of a table by its name.

        Raises:
            UnknownTableError: No frame has that name.
        """
        names = tuple(attrs.fields_dict(ChainFrames))
        if table not in names:
            raise UnknownTableError(
                f"no frame is called {table!r}; {nearest(table, names)}"
            )
        frame: pd.DataFrame = getattr(self, table)
        return frame


def _at_least(lowest: int) -> Any:
    def check(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
            raise InvalidValueError(
                f"{attribute.name!r} must be a whole number of at least {lowest}, "
                f"not {str(value)[:20]!r}"
            )

    return check


def _share(_instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValueError(f"{attribute.name!r} must be a number from 0 to 1")
    if not 0 <= value <= 1:
        raise InvalidValueError(
            f"{attribute.name!r} must be a share from 0 to 1, not {value}"
        )


@attrs.frozen(kw_only=True)
class SyntheticChain:
    """
    A made-up chain: all of it follows from these values, above all from the seed.

    Nobody in it exists: names are ``会员00001``, and phone numbers begin with digits
    that no mobile number begins with. What offices meet is in it: cards of several
    terms, expired ones and ones that came back; members who joined late, never
    bought, drifted away, were born on 29 February or on an unknown day; returns with
    and without their ticket, exchanges, gift lines; a store that opened halfway;
    complaints that wait, are escalated, opened again or left lying; visits that the
    manual's policy planned, and members who refuse them; appointments; surveys.

    Args:
        seed: Where every draw comes from.
        stores: How many stores.
        regions: How many regions, at most one for each store.
        members: How many members, by the end.
        first_month: The first month of sales, as its first day.
        months: How many months of sales.
        tickets_per_member: Tickets a month of the average member who ever buys,
            before season and growth.
        lines_per_ticket: Average lines of a ticket, at least 1.
        member_share: Share of tickets that carry a member id.
        return_share: Share of tickets of which something comes back.
        renewal_share: Share of card terms that are renewed when they end.
        typical_price: Median price of an item, in major units.
        currency: The currency of all amounts.
        zone: IANA zone of the chain.

    Raises:
        InvalidValueError: A value is out of its range.

    >>> chain = SyntheticChain(seed=7, stores=3, members=200, months=4)
    >>> frames = chain.frames()
    >>> len(frames.stores), len(frames.members), frames.sales["amount"].dtype
    (3, 200, dtype('int64'))
    >>> frames.sales.equals(SyntheticChain(**attrs.asdict(chain,
    ...     recurse=False)).frames().sales)
    True
    """

    seed: int = attrs.field(default=2026, validator=_at_least(0))
    stores: int = attrs.field(default=12, validator=_at_least(1))
    regions: int = attrs.field(default=3, validator=_at_least(1))
    members: int = attrs.field(default=5000, validator=_at_least(1))
    first_month: dt.date = attrs.field(
        default=dt.date(2024, 10, 1), validator=plain_date
    )
    months: int = attrs.field(default=25, validator=_at_least(1))
    tickets_per_member: float = attrs.field(
        default=0.45, validator=attrs.validators.ge(0)
    )
    lines_per_ticket: float = attrs.field(default=1.9, validator=attrs.validators.ge(1))
    member_share: float = attrs.field(default=0.65, validator=_share)
    return_share: float = attrs.field(default=0.04, validator=_share)
    renewal_share: float = attrs.field(default=0.72, validator=_share)
    typical_price: Decimal = attrs.field(
        default=Decimal(48), validator=attrs.validators.instance_of(Decimal)
    )
    currency: Currency = attrs.field(
        default=Currency("CNY"), validator=attrs.validators.instance_of(Currency)
    )
    zone: str = attrs.field(default="Asia/Shanghai")

    @regions.validator
    def _check_regions(self, _attribute: object, value: int) -> None:
        if value > self.stores:
            raise InvalidValueError(
                f"{value} regions need at least as many stores, not {self.stores}"
            )

    @first_month.validator
    def _check_first_month(self, _attribute: object, value: dt.date) -> None:
        if value.day != 1:
            raise InvalidValueError(
                f"'first_month' is the first day of a month, not {value}"
            )

    @typical_price.validator
    def _check_price(self, _attribute: object, value: Decimal) -> None:
        if not value.is_finite() or value <= 0:
            raise InvalidValueError(f"'typical_price' must be above zero, not {value}")

    @zone.validator
    def _check_zone(self, _attribute: object, value: Any) -> None:
        try:
            ZoneInfo(value)
        except (ValueError, TypeError, LookupError, OSError):
            raise InvalidValueError(
                f"'zone' is an IANA zone such as 'Asia/Shanghai', "
                f"not {str(value)[:40]!r}"
            ) from None

    @property
    def month_days(self) -> Days:
        """The first day of each month, and of the one after the last."""
        return first_days(self.first_month, self.months)

    @property
    def last_day(self) -> dt.date:
        """The last day of sales."""
        day: dt.date = (self.month_days[-1] - np.timedelta64(1, "D")).item()
        return day

    def opened_on(self) -> Days:
        """Return the day each store opened: before the first month, but the last."""
        opened = np.full(self.stores, self.month_days[0] - np.timedelta64(3650, "D"))
        if self.stores > 1 and self.months > 1:
            opened[-1] = self.month_days[self.months // 2]
        return opened

    def store_sizes(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return how much each store sells, relative to the average one."""
        draw = generator(self.seed, "store sizes")
        sizes = np.exp(0.45 * draw.standard_normal(self.stores))
        relative: np.ndarray[Any, np.dtype[np.float64]] = sizes / sizes.mean()
        return relative

    def store_ids(self) -> list[str]:
        """Return the ids of the stores."""
        return [f"S{number:02d}" for number in range(1, self.stores + 1)]

    def frames(self) -> ChainFrames:
        """
        Make the frames; the same values give the same frames.

        Ids are text, amounts ``int64`` minor units, days ``datetime64[us]``, and
        the moment of sale is in UTC, to the minute.
        """
        people = made_members(self)
        sales, stores = made_sales(self, people), self._stores()
        complaints, case_events = made_cases(self, people)
        consents = made_consents(self, people)
        return ChainFrames(
            members=people.members,
            cards=people.cards,
            stores=stores,
            sales=sales,
            targets=made_targets(self, sales),
            complaints=complaints,
            case_events=case_events,
            visits=made_visits(self, people, sales, consents, stores),
            consents=consents,
            appointments=made_appointments(self, people),
            surveys=made_surveys(self, people),
        )

    def _stores(self) -> pd.DataFrame:
        regions = [
            _REGIONS[n] if n < len(_REGIONS) else f"区域{n + 1}"
            for n in range(self.regions)
        ]
        spread = [regions[n % self.regions] for n in range(self.stores)]
        names = [f"示例{number:02d}店" for number in range(1, self.stores + 1)]
        return pd.DataFrame(
            {
                "store_id": pd.Series(self.store_ids(), dtype="str"),
                "name": pd.Series(names, dtype="str"),
                "region_id": pd.Series(spread, dtype="str"),
                "zone": pd.Series([self.zone] * self.stores, dtype="str"),
            }
        )
