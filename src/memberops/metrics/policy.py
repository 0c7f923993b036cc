"""What the figures mean where chains differ: bands, ages, lapse, items, returns."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal

import attrs

from memberops.domain.money import Currency
from memberops.errors import InvalidValueError

__all__ = ["MetricPolicy"]

_GENDERS = ("female", "male", "other", "gender_unknown")

_GENDER_HEADINGS = (
    ("female", "女"),
    ("male", "男"),
    ("other", "其他"),
    ("gender unknown", "性别未知"),
)


def _edges(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(values)


@attrs.frozen(kw_only=True)
class MetricPolicy:
    """
    The choices behind the figures; every default is the manual's (HQ §5).

    Args:
        currency: What amounts are in; it turns *bands* into minor units.
        bands: Edges between spending bands, in major units, above zero. Lower
            bound included, upper not; below the first edge counts from zero, and
            a member whose net spend is negative is in a band of its own.
        ages: Edges between age bands, in completed years on the period's last day.
        lapse_months: A member has lapsed when the last purchase plus so many
            calendar months lies on or before the day.
        items: ``"net"`` counts units after returns, ``"sold"`` counts the units of
            sale lines only.
        returns: ``"original_day"`` counts a linked return on the day and in the
            store of the ticket that it takes back, ``"own_day"`` on its own.

    Raises:
        InvalidValueError: Edges that do not rise, or a float among them.

    >>> MetricPolicy().band_names
    ('below_0', '0_100', '100_300', '300_500', '500_1000', '1000_up')
    >>> MetricPolicy().age_names
    ('under_20', '20_30', '30_40', '40_up', 'age_unknown')
    """

    currency: Currency = attrs.field(factory=lambda: Currency("CNY"))
    bands: tuple[Decimal | str | int, ...] = attrs.field(
        default=(100, 300, 500, 1000), converter=_edges
    )
    ages: tuple[int, ...] = attrs.field(default=(20, 30, 40), converter=_edges)
    lapse_months: int = attrs.field(default=3)
    items: Literal["net", "sold"] = attrs.field(
        default="net", validator=attrs.validators.in_(("net", "sold"))
    )
    returns: Literal["original_day", "own_day"] = attrs.field(
        default="original_day",
        validator=attrs.validators.in_(("original_day", "own_day")),
    )

    def __attrs_post_init__(self) -> None:
        """Check that the edges rise and the months are whole."""
        edges = self.band_edges
        if any(a >= b for a, b in zip((0, *edges), edges, strict=False)):
            raise InvalidValueError("'bands' must rise from above zero")
        for age in self.ages:
            if type(age) is not int:
                raise InvalidValueError("'ages' must be whole years")
        if any(a >= b for a, b in zip((0, *self.ages), self.ages, strict=False)):
            raise InvalidValueError("'ages' must rise from above zero")
        if type(self.lapse_months) is not int or self.lapse_months < 1:
            raise InvalidValueError("'lapse_months' must be a whole number above zero")

    @property
    def band_edges(self) -> tuple[int, ...]:
        """The edges between bands in minor units."""
        return tuple(self.currency.to_minor(edge) for edge in self.bands)

    @property
    def band_names(self) -> tuple[str, ...]:
        """Names of the spending bands, the negative one first."""
        edges = [str(edge) for edge in self.bands]
        pairs = zip(["0", *edges], edges, strict=False)
        return (
            "below_0",
            *(f"{a}_{b}" for a, b in pairs),
            f"{(edges or ['0'])[-1]}_up",
        )

    @property
    def age_names(self) -> tuple[str, ...]:
        """Names of the age bands, the unknown one last."""
        if not self.ages:
            return ("age_known", "age_unknown")
        edges = [str(age) for age in self.ages]
        middle = (f"{a}_{b}" for a, b in pairwise(edges))
        return (f"under_{edges[0]}", *middle, f"{edges[-1]}_up", "age_unknown")

    @property
    def band_headings(self) -> tuple[tuple[str, str], ...]:
        """Headings of the spending bands, upper bounds excluded, in both languages."""
        unit = self.currency.code
        chinese = self.currency.unit_zh
        edges = [str(edge) for edge in self.bands]
        pairs = zip(["0", *edges], edges, strict=False)
        spans = ["< 0", *(f"{a}–{b}" for a, b in pairs), f"≥ {(edges or ['0'])[-1]}"]
        return tuple((f"{unit} {span}", f"{span} {chinese}") for span in spans)

    @property
    def age_headings(self) -> tuple[tuple[str, str], ...]:
        """Headings of the age bands in English and Chinese, last age included."""
        if not self.ages:
            return (("known", "已知"), ("age unknown", "年龄未知"))
        spans = [
            f"< {self.ages[0]}",
            *(f"{a}–{b - 1}" for a, b in pairwise(self.ages)),
            f"≥ {self.ages[-1]}",
        ]
        named = ((f"aged {span}", f"{span} 岁") for span in spans)
        return (*named, ("age unknown", "年龄未知"))

    @property
    def gender_headings(self) -> tuple[tuple[str, str], ...]:
        """Headings of the genders in English and Chinese."""
        return _GENDER_HEADINGS

    @property
    def gender_names(self) -> tuple[str, ...]:
        """Names of the genders, unknown last."""
        return _GENDERS
