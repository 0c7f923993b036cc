"""The daily audit of profiles: what is missing, what cannot be (HQ §4.1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import attrs
import numpy as np
import pandas as pd

from memberops.domain import Decision
from memberops.domain.values import check_as_of, identifier, mask
from memberops.errors import InvalidValueError, bounded, nearest
from memberops.policies.intake import taken
from memberops.policies.phones import PhoneRule
from memberops.policies.profile_fields import (
    CHECKS,
    PHONE_PROBLEMS,
    PLACEHOLDERS,
    PROBLEMS,
    holds_filler,
    known_profile,
    listed_fields,
    listed_problems,
    profile_rows,
    profile_statement,
)
from memberops.policies.term import not_negative
from memberops.schedules import Period
from memberops.schedules.dates import add_years, lapse_cutoff
from memberops.tables import CARDS, MEMBERS, STORES

__all__ = ["ProfileAudit"]

_REQUIRED = (
    "member_id", "name", "phone", "gender", "birth_date", "store_id", "joined_on",
    "card_id", "valid_from", "valid_through",
)  # fmt: skip
_PERSONAL = ("name", "phone")
_YEAR = 12


def _names(values: Iterable[str]) -> tuple[str, ...]:
    if isinstance(values, str):
        raise InvalidValueError("fields are given as a tuple: ('name', 'phone')")
    return tuple(values)


@attrs.frozen(kw_only=True)
class ProfileAudit:
    """
    Which fields of a profile are required, and which must be plausible (HQ §4.1).

    A plausible phone is one that the chain's `PhoneRule` reads; a plausible birth date
    gives an age of 0 to *oldest*; the card does not end before it begins; the store
    exists; the card number is held by one member. A field that is empty is missing,
    never implausible.

    Args:
        required: Fields that no profile may lack: columns of members and cards.
        plausible: Which of ``"phone"``, ``"birth_date"``, ``"valid_through"``,
            ``"store_id"`` and ``"card_id"`` are checked.
        phones: How phone numbers are read.
        oldest: The highest plausible age in completed years.
        accept_unknown_gender: Whether ``"unknown"`` fills the field, for chains that
            let a member decline to say.
        placeholders: Texts that people write to get past a required field; case and
            spaces around them do not matter.
        policy: Id of the policy.
        version: Version of the policy.

    Raises:
        InvalidValueError: A field is named that cannot be checked.

    >>> audit = ProfileAudit(required=("name", "phone", "birth_date"),
    ...                      plausible=("phone", "birth_date"))
    >>> answer = audit.decide(
    ...     {"name": "王小明", "phone": "138****8000", "birth_date": None},
    ...     as_of=dt.date(2026, 11, 5))
    >>> answer.outcome
    'incomplete'
    >>> print(answer.explain("zh"))
    缺少：出生日期；手机号：手机号已打码，请补全号码
    """

    required: tuple[str, ...] = attrs.field(default=_REQUIRED, converter=_names)
    plausible: tuple[str, ...] = attrs.field(default=CHECKS, converter=_names)
    phones: PhoneRule = attrs.field(
        factory=PhoneRule, validator=attrs.validators.instance_of(PhoneRule)
    )
    oldest: int = attrs.field(default=120, validator=not_negative)
    accept_unknown_gender: bool = False
    placeholders: tuple[str, ...] = attrs.field(
        default=PLACEHOLDERS, converter=_names, repr=False
    )
    policy: str = attrs.field(default="profile-audit", validator=identifier)
    version: str = attrs.field(default="1", validator=identifier)

    def __attrs_post_init__(self) -> None:
        """Refuse a field that no table has, or that cannot be checked."""
        known = dict.fromkeys((*MEMBERS.names, *CARDS.names))
        for names, choices in ((self.required, known), (self.plausible, CHECKS)):
            for name in names:
                if name not in choices:
                    raise InvalidValueError(
                        f"no field {bounded([name])} can be audited; "
                        f"{nearest(str(name), choices)}"
                    )

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field that the audit looks at."""
        needed = dict.fromkeys(self.required + self.plausible)
        if "valid_through" in self.plausible:
            needed["valid_from"] = None
        return tuple(needed)

    def decide(
        self,
        profile: Mapping[str, Any],
        *,
        as_of: dt.date,
        stores: Collection[str] | None = None,
        card_holders: int | None = None,
    ) -> Decision:
        """
        Audit one profile.

        Args:
            profile: The value of each of the `fields`; None or what pandas has for a
                gap (NaN, NaT, NA) if it is empty. Dates are plain dates.
            as_of: The day asked for: ages are those of this day.
            stores: Ids of the stores that exist; None if that is not checked.
            card_holders: How many members hold the card number; None if that is not
                checked.

        Returns:
            A decision, ``"complete"`` or ``"incomplete"``, with a reason for each
            field at fault. No text has a personal value.

        Raises:
            InvalidValueError: A field is not given, or a date is none.
        """
        check_as_of(as_of)
        profile = known_profile(profile, self.fields)
        missing = [name for name in self.required if self._empty(name, profile[name])]
        problems = {
            name: self._problem(name, profile, as_of, stores, card_holders)
            for name in self.plausible
        }
        wrong = {name: code for name, code in problems.items() if code}
        context = {"store_id": stores is None, "card_id": card_holders is None}
        unchecked = [name for name in self.plausible if context.get(name, False)]
        return Decision(
            outcome="incomplete" if missing or wrong else "complete",
            grounds=profile_statement(
                missing, wrong, unchecked, required=len(self.required)
            ),
            policy=self.policy,
            version=self.version,
            as_of=as_of,
            changes_on=self._changes_on(profile, as_of, missing, wrong),
        )

    def decide_frame(
        self, members: Any, cards: Any = None, stores: Any = None, *, as_of: dt.date
    ) -> pd.DataFrame:
        """
        Audit all profiles; row by row the same answer as `decide`.

        Args:
            members: One row a member, of any engine: ``member_id`` and each of the
                `fields` that is a member's.
            cards: ``card_id``, ``member_id``, ``valid_from``, ``valid_through``; the
                term that began last stands for the member. Needed where the policy
                asks for a card's field.
            stores: ``store_id`` of each store; None if that is not checked.
            as_of: The day asked for.

        Returns:
            A pandas frame in the members' order: ``member_id``, ``complete``,
            ``missing`` (fields, such as ``"name; phone"``), ``missing_en`` and
            ``missing_zh`` (the same in words), ``implausible`` (such as
            ``"phone: masked"``), ``implausible_en`` and ``implausible_zh``. Empty
            text if nothing is.

        Raises:
            MissingColumnsError: A field has no column, or no cards were given.
            ColumnTypeError: A column has a type that its table forbids.

        >>> people = pd.DataFrame({"member_id": ["M1", "M2"],
        ...     "name": ["王小明", "无"], "phone": ["13812345678", "12345"]})
        >>> audit = ProfileAudit(required=("name",), plausible=("phone",))
        >>> answers = audit.decide_frame(people, as_of=dt.date(2026, 11, 5))
        >>> answers[["complete", "missing", "implausible"]].values.tolist()
        [[True, '', ''], [False, 'name', 'phone: invalid']]
        """
        check_as_of(as_of)
        return self._answers(profile_rows(members, cards, self.fields), stores, as_of)

    def daily_list(
        self,
        members: Any,
        cards: Any = None,
        stores: Any = None,
        *,
        as_of: dt.date,
        entered: Period | None = None,
        reveal: Collection[str] = (),
    ) -> pd.DataFrame:
        """
        List for each store the profiles that go back to it (HQ §4.1).

        Args:
            members: As `decide_frame`, with ``store_id`` and ``joined_on``.
            cards: As `decide_frame`.
            stores: As `decide_frame`.
            as_of: The day asked for.
            entered: Only profiles of members who enrolled in it, such as
                ``Period.day(...)``, and those without a day of enrolment, which
                belong to no day; None lists all.
            reveal: Which of ``"name"`` and ``"phone"`` are not masked.

        Returns:
            One row an incomplete profile, by store and member: ``store_id``,
            ``member_id``, ``joined_on``, ``name``, ``phone`` (where the members have
            them) and the columns of `decide_frame` but ``complete``.

        Raises:
            InvalidValueError: *reveal* names something else.
            MissingColumnsError: As `decide_frame`.
        """
        for name in [reveal] if isinstance(reveal, str) else reveal:
            if name not in _PERSONAL or isinstance(reveal, str):
                raise InvalidValueError(
                    f"reveal takes column names such as ('phone',), not {name!r}; "
                    f"{nearest(str(name), _PERSONAL)}"
                )
        check_as_of(as_of)
        rows = profile_rows(members, cards, (*self.fields, "store_id", "joined_on"))
        if entered is not None:
            joined = rows["joined_on"]
            first, last = pd.Timestamp(entered.start), pd.Timestamp(entered.through)
            rows = rows[joined.isna() | ((joined >= first) & (joined <= last))]
        answers = self._answers(rows, stores, as_of)
        listed = answers[~answers["complete"]].drop(columns="complete")
        shown = ["store_id", "joined_on", *(n for n in _PERSONAL if n in rows)]
        for place, name in enumerate(shown):
            values = rows[name].loc[listed.index]
            if name in _PERSONAL and name not in reveal:
                values = values.map(lambda value: mask(str(value)), na_action="ignore")
            listed.insert(place + (name != "store_id"), name, values)
        return listed.sort_values(
            ["store_id", "member_id"], kind="stable", ignore_index=True
        )

    def _empty(self, name: str, value: Any) -> bool:
        if value is None:
            return True
        if not isinstance(value, str):
            return False
        word = value.strip().casefold()
        return not word or word in self._fillers(name)

    def _fillers(self, name: str) -> frozenset[str]:
        words = {word.casefold() for word in self.placeholders}
        if name == "gender" and not self.accept_unknown_gender:
            words.add("unknown")
        return frozenset(words)

    def _problem(
        self,
        name: str,
        profile: Mapping[str, Any],
        as_of: dt.date,
        stores: Collection[str] | None,
        card_holders: int | None,
    ) -> str | None:
        value = profile[name]
        found: str | None = None
        if self._empty(name, value):
            return None
        match name:
            case "phone":
                found = self.phones.read(value).problem
            case "birth_date" if value > as_of:
                found = "future"
            case "birth_date" if value <= self._oldest_birth(as_of):
                found = "too_old"
            case "valid_through":
                start = profile["valid_from"]
                found = "reversed" if start is not None and start > value else None
            case "store_id" if stores is not None and value not in stores:
                found = "unknown"
            case "card_id" if card_holders is not None and card_holders > 1:
                found = "shared"
        return found

    def _oldest_birth(self, as_of: dt.date) -> dt.date:
        return lapse_cutoff(as_of, (self.oldest + 1) * _YEAR)

    def _changes_on(
        self,
        profile: Mapping[str, Any],
        as_of: dt.date,
        missing: Collection[str],
        wrong: Mapping[str, str],
    ) -> dt.date | None:
        """Give the day on which the age alone turns the answer."""
        others = missing or wrong.keys() - {"birth_date"}
        birth = profile.get("birth_date")
        if "birth_date" not in self.plausible or others or birth is None:
            return None
        if birth > as_of:
            return birth if isinstance(birth, dt.date) else None
        turns = add_years(birth, self.oldest + 1)
        return turns if turns > as_of else None

    def _answers(self, rows: pd.DataFrame, stores: Any, as_of: dt.date) -> pd.DataFrame:
        empty = {name: self._empty_rows(name, rows[name]) for name in self.fields}
        missing = np.zeros(len(rows), dtype=np.int64)
        for place, name in enumerate(self.required):
            missing |= empty[name].to_numpy().astype(np.int64) << place
        known = (
            None
            if stores is None
            else set(taken(stores, STORES, ["store_id"])["store_id"])
        )
        wrong = np.zeros(len(rows), dtype=np.int64)
        for name in self.plausible:
            code = self._problem_rows(name, rows, known, as_of)
            code = np.where(empty[name].to_numpy(), 0, code)
            wrong = wrong * len(PROBLEMS) + code
        answers = pd.DataFrame({"member_id": rows["member_id"]}, index=rows.index)
        answers["complete"] = (missing == 0) & (wrong == 0)
        fields = listed_fields(missing, self.required)
        problems = listed_problems(wrong, self.plausible)
        for name, texts in {**fields, **problems}.items():
            answers[name] = pd.Series(texts, index=rows.index, dtype="str")
        return answers

    def _empty_rows(self, name: str, column: pd.Series) -> pd.Series:
        empty = column.isna()
        is_text = pd.api.types.is_string_dtype(column) or column.dtype == object
        if not is_text or empty.all():
            return empty
        return empty | holds_filler(column, ["", *self._fillers(name)])

    def _problem_rows(
        self, name: str, rows: pd.DataFrame, stores: set[Any] | None, as_of: dt.date
    ) -> Any:
        column = rows[name]
        nothing = np.zeros(len(rows), dtype=np.int64)
        match name:
            case "phone":
                read = self.phones.read_column(column)["problem"]
                found = [(read == word, word) for word in PHONE_PROBLEMS]
            case "birth_date":
                late = column > pd.Timestamp(as_of)
                old = column <= pd.Timestamp(self._oldest_birth(as_of))
                found = [(late, "future"), (old, "too_old")]
            case "valid_through":
                found = [(rows["valid_from"] > column, "reversed")]
            case "store_id":
                found = [] if stores is None else [(~column.isin(stores), "unknown")]
            case _:
                found = [(rows["_holders"] > 1, "shared")]
        for rows_at, word in found:
            nothing[rows_at.to_numpy(dtype=bool)] = PROBLEMS.index(word)
        return nothing
