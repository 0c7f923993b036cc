"""The policies of one chain, gathered: each has the manual's defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from memberops.domain import Currency, FlowRules
from memberops.domain.values import Language
from memberops.errors import CurrencyMismatchError, InvalidValueError, bounded
from memberops.metrics import EffectPolicy, MetricPolicy, SatisfactionPolicy
from memberops.policies import (
    AnyTerm,
    Appointments,
    AuditPolicy,
    CardState,
    ClawBack,
    FeeWaiver,
    FixedTerm,
    GiftApprovalPolicy,
    GiftMatchPolicy,
    GiftOrderPolicy,
    HardCasePolicy,
    Lifetime,
    LinkedCards,
    MembershipFee,
    MessagePolicy,
    PhoneRule,
    PremiumPolicy,
    ProfileAudit,
    Renewal,
    ServiceLevels,
    Staffing,
    StatusRules,
    StocktakePolicy,
    Term,
    TierPolicy,
    VisitPolicy,
    Welcome,
)
from memberops.policies.outbox_policy import OutboxPolicy
from memberops.schedules import OfficeCalendar, WorkingCalendar
from memberops.workflows.contradictions import one_welcome, sharing_contact
from memberops.workflows.policies_in_force import PolicyInForce, policies_in_force
from memberops.workflows.policy_currencies import policy_currencies

__all__ = ["ChainPolicies"]

_HOME = "Asia/Shanghai"
_SERVICES = ("service_levels", "enquiry", "email", "store_wait", "order")


def _is(*kinds: type) -> Any:
    return attrs.validators.instance_of(kinds)


def _perhaps(kind: type) -> Any:
    return attrs.validators.optional(_is(kind))


def _calendars(
    given: Mapping[str, WorkingCalendar] | Iterable[tuple[str, WorkingCalendar]],
) -> tuple[tuple[str, WorkingCalendar], ...]:
    made = tuple(sorted(dict(given).items()))
    if not all(isinstance(calendar, WorkingCalendar) for _, calendar in made):
        raise InvalidValueError(
            "store calendars are a mapping such as {'S1': WorkingCalendar(...)}"
        )
    return made


@attrs.frozen(kw_only=True)
class ChainPolicies:
    """
    What a chain decides for itself; the rest is the manual's (HQ, preface).

    One chain has one rule: renewal follows the chain's term, the card state its
    waiver, the profile audit its phones, and what they hold of either is replaced.
    Renewal and card state share one grace: it is given to one of them, or the same to
    both. The welcome and the visit of that name have the same days. The service levels
    look to the opening of the chain's working calendar, unless they have an office of
    their own; hard cases have the authority of the service levels, unless they have
    another. Messages have the hours, caps, suppressions and zone of the visits, and
    what leaves the outbox is checked by the policy of messages.

    Args:
        fee_waiver: When next year's fee is waived.
        term: How long a card runs: rolling, fixed or for life.
        renewal: How a card gets its next term.
        card_state: What a card is on a day; its notice is also that of the list of
            expiring members.
        metrics: What the figures mean.
        status_rules: The status of a membership by ordered rules.
        fees: What a membership costs; None where the chain did not say.
        claw_back: What becomes of a waiver when the figures change later.
        linked_cards: How a family's cards follow the main card.
        tiers: The levels of members; None for none, the manual names no thresholds.
        premium: Who is a premium member.
        profile_audit: What a profile needs.
        phones: How phone numbers are read.
        welcome: By when a new member is contacted.
        working_calendar: When the office works; None is around the clock.
        store_calendars: Stores with a calendar of their own.
        office_calendar: What the office owes on which day.
        service_levels: By when a complaint is answered, solved and called back.
        enquiry: The same for an enquiry.
        email: The same for an email.
        store_wait: The same for waiting in a store.
        order: The same for the delivery of an order.
        hard_cases: Which complaints are hard.
        visits: The cadence of visits, and when a member may be contacted.
        staffing: Who makes visits; None where it sets no limit.
        audit_sample: How the audit sample is drawn.
        appointments: How bookings are decided.
        satisfaction: What counts as satisfied.
        gift_approval: Who may approve an application for gifts.
        gift_order: From which use orders are proposed.
        gift_flow: How long its steps may take, and who witnesses a destruction.
        gift_match: Which entries of points, till and stock belong together.
        stocktake: By when stores count, and who approves a difference.
        messages: What may be written to members, and who approves it.
        outbox: When a message is tried again, and what is done with unknown ones.
        message_effect: How the effect of messages is measured.

    Raises:
        InvalidValueError: A value is no such policy, or renewal and card state have
            two different graces.

    >>> ChainPolicies(fee_waiver=FeeWaiver(purchases=5)).card_state.waiver.purchases
    5
    >>> ChainPolicies(renewal=Renewal(grace_days=10)).card_state.grace_days
    10
    >>> ChainPolicies.of(Currency("JPY")).metrics.band_edges
    (100, 300, 500, 1000)
    """

    fee_waiver: FeeWaiver = attrs.field(factory=FeeWaiver, validator=_is(FeeWaiver))
    term: AnyTerm = attrs.field(factory=Term, validator=_is(Term, FixedTerm, Lifetime))
    renewal: Renewal = attrs.field(factory=Renewal, validator=_is(Renewal))
    card_state: CardState = attrs.field(factory=CardState, validator=_is(CardState))
    metrics: MetricPolicy = attrs.field(
        factory=MetricPolicy, validator=_is(MetricPolicy)
    )
    status_rules: StatusRules = attrs.field(
        factory=StatusRules, validator=_is(StatusRules)
    )
    fees: MembershipFee | None = attrs.field(
        default=None, validator=_perhaps(MembershipFee)
    )
    claw_back: ClawBack = attrs.field(factory=ClawBack, validator=_is(ClawBack))
    linked_cards: LinkedCards = attrs.field(
        factory=LinkedCards, validator=_is(LinkedCards)
    )
    tiers: TierPolicy | None = attrs.field(default=None, validator=_perhaps(TierPolicy))
    premium: PremiumPolicy = attrs.field(
        factory=PremiumPolicy, validator=_is(PremiumPolicy)
    )
    profile_audit: ProfileAudit = attrs.field(
        factory=ProfileAudit, validator=_is(ProfileAudit)
    )
    phones: PhoneRule = attrs.field(factory=PhoneRule, validator=_is(PhoneRule))
    welcome: Welcome = attrs.field(factory=Welcome, validator=_is(Welcome))
    working_calendar: WorkingCalendar | None = attrs.field(
        default=None, validator=_perhaps(WorkingCalendar)
    )
    store_calendars: tuple[tuple[str, WorkingCalendar], ...] = attrs.field(
        default=(), converter=_calendars
    )
    office_calendar: OfficeCalendar = attrs.field(
        factory=OfficeCalendar, validator=_is(OfficeCalendar)
    )
    service_levels: ServiceLevels = attrs.field(
        factory=ServiceLevels, validator=_is(ServiceLevels)
    )
    enquiry: ServiceLevels = attrs.field(
        factory=ServiceLevels.enquiry, validator=_is(ServiceLevels)
    )
    email: ServiceLevels = attrs.field(
        factory=ServiceLevels.email, validator=_is(ServiceLevels)
    )
    store_wait: ServiceLevels = attrs.field(
        factory=ServiceLevels.store_wait, validator=_is(ServiceLevels)
    )
    order: ServiceLevels = attrs.field(
        factory=lambda: ServiceLevels.order(_HOME), validator=_is(ServiceLevels)
    )
    hard_cases: HardCasePolicy = attrs.field(
        factory=HardCasePolicy, validator=_is(HardCasePolicy)
    )
    visits: VisitPolicy = attrs.field(factory=VisitPolicy, validator=_is(VisitPolicy))
    staffing: Staffing | None = attrs.field(default=None, validator=_perhaps(Staffing))
    audit_sample: AuditPolicy = attrs.field(
        factory=AuditPolicy, validator=_is(AuditPolicy)
    )
    appointments: Appointments = attrs.field(
        factory=Appointments, validator=_is(Appointments)
    )
    satisfaction: SatisfactionPolicy = attrs.field(
        factory=SatisfactionPolicy, validator=_is(SatisfactionPolicy)
    )
    gift_approval: GiftApprovalPolicy = attrs.field(
        factory=GiftApprovalPolicy, validator=_is(GiftApprovalPolicy)
    )
    gift_order: GiftOrderPolicy = attrs.field(
        factory=GiftOrderPolicy, validator=_is(GiftOrderPolicy)
    )
    gift_flow: FlowRules = attrs.field(factory=FlowRules, validator=_is(FlowRules))
    gift_match: GiftMatchPolicy = attrs.field(
        factory=GiftMatchPolicy, validator=_is(GiftMatchPolicy)
    )
    stocktake: StocktakePolicy = attrs.field(
        factory=StocktakePolicy, validator=_is(StocktakePolicy)
    )
    messages: MessagePolicy = attrs.field(
        factory=MessagePolicy, validator=_is(MessagePolicy)
    )
    outbox: OutboxPolicy = attrs.field(
        factory=OutboxPolicy, validator=_is(OutboxPolicy)
    )
    message_effect: EffectPolicy = attrs.field(
        factory=EffectPolicy, validator=_is(EffectPolicy)
    )

    def __attrs_post_init__(self) -> None:
        """Let the policies that share a rule share it."""
        grace = self._grace()
        leap_day: Any = getattr(self.term, "leap_day", "clamp")
        if self.fee_waiver.leap_day not in ("clamp", leap_day):
            raise InvalidValueError(
                "the waiver's years begin where those of the term do: give leap_day "
                "to the term"
            )
        if leap_day != self.fee_waiver.leap_day:
            waiver = attrs.evolve(self.fee_waiver, leap_day=leap_day)
            self._put("fee_waiver", waiver)
        self._put("renewal", attrs.evolve(self.renewal, term=self.term, **grace))
        state = attrs.evolve(self.card_state, waiver=self.fee_waiver, **grace)
        self._put("card_state", state)
        self._put("profile_audit", attrs.evolve(self.profile_audit, phones=self.phones))
        welcome, visits = one_welcome(self.welcome, self.visits)
        self._put("welcome", welcome)
        self._put("visits", visits)
        messages, outbox = sharing_contact(visits, self.messages, self.outbox)
        self._put("messages", messages)
        self._put("outbox", outbox)
        if not self.hard_cases.authority:
            limits = self.service_levels.authority
            self._put("hard_cases", attrs.evolve(self.hard_cases, authority=limits))
        if self.working_calendar is None:
            return
        for name in _SERVICES:
            levels: ServiceLevels = getattr(self, name)
            if levels.office is None:
                self._put(name, attrs.evolve(levels, office=self.working_calendar))

    def _put(self, name: str, policy: object) -> None:
        object.__setattr__(self, name, policy)

    def _grace(self) -> dict[str, Any]:
        """Return the grace that renewal and card state share."""
        shared: dict[str, Any] = {}
        for name in ("grace_days", "grace_by_kind"):
            given = {getattr(self.renewal, name), getattr(self.card_state, name)}
            said = [value for value in given if value]
            if len(said) > 1:
                raise InvalidValueError(
                    f"renewal and card state have two different {name}, "
                    f"{bounded([getattr(self.renewal, name)])} and "
                    f"{bounded([getattr(self.card_state, name)])}: a card that may "
                    "be renewed in its place is in grace; give it once"
                )
            shared[name] = said[0] if said else getattr(self.renewal, name)
        return shared

    @classmethod
    def of(cls, currency: Currency, *, zone: str = _HOME) -> ChainPolicies:
        """
        Return the manual's policies in a currency and a zone.

        Args:
            currency: What amounts are in.
            zone: IANA name of the zone in which a day begins.

        >>> ChainPolicies.of(Currency("EUR"), zone="Europe/Paris").visits.zone
        'Europe/Paris'
        """
        return cls(
            fee_waiver=FeeWaiver(currency=currency),
            metrics=MetricPolicy(currency=currency),
            premium=PremiumPolicy(currency=currency),
            order=ServiceLevels.order(zone),
            visits=VisitPolicy(zone=zone),
            appointments=Appointments(zone=zone),
        )

    def calendar_of(self, store_id: str) -> WorkingCalendar | None:
        """Return the working calendar of a store: its own, or else the chain's."""
        return dict(self.store_calendars).get(store_id, self.working_calendar)

    def of_store(self, store_id: str) -> ChainPolicies:
        """
        Return the policies as they hold in a store that has a calendar of its own.

        Wherever a service level counts the chain's working time, it counts the
        store's instead; what has another calendar keeps it.

        Args:
            store_id: The store; one without a calendar of its own has the chain's.

        >>> week = {"mon": ["09:00-18:00"]}
        >>> office = WorkingCalendar.weekly("Asia/Shanghai", week)
        >>> late = WorkingCalendar.weekly("Asia/Shanghai", {"mon": ["12:00-22:00"]})
        >>> chain = ChainPolicies(
        ...     working_calendar=office, store_calendars={"S1": late},
        ...     service_levels=ServiceLevels(calendar=office))
        >>> chain.of_store("S1").service_levels.calendar == late
        True
        """
        usual, own = self.working_calendar, self.calendar_of(store_id)
        if own == usual:
            return self

        def moved(calendar: WorkingCalendar | None) -> WorkingCalendar | None:
            return own if usual is not None and calendar == usual else calendar

        changes: dict[str, Any] = {"working_calendar": own}
        for name in _SERVICES:
            levels: ServiceLevels = getattr(self, name)
            changes[name] = attrs.evolve(
                levels,
                calendar=moved(levels.calendar),
                office=moved(levels.office),
                targets=[
                    attrs.evolve(target, calendar=moved(target.calendar))
                    for target in levels.targets
                ],
            )
        return attrs.evolve(self, **changes)

    def in_force(self) -> tuple[PolicyInForce, ...]:
        """
        List the policies by id and version, and what is not the default.

        >>> own = ChainPolicies(fee_waiver=FeeWaiver(purchases=5, version="2027"))
        >>> own.in_force()[0].changed
        ('purchases', 'version')
        """
        currency, zone = self.fee_waiver.currency, self.visits.zone
        return policies_in_force(self, ChainPolicies.of(currency, zone=zone))

    def describe(self, language: Language = "en") -> str:
        """
        Write the policies, one line each.

        >>> print(ChainPolicies().describe("zh").splitlines()[0])
        免年费：fee-waiver（版本 1），默认
        """
        return "\n".join(each.text(language) for each in self.in_force())

    def check_currency(self, currency: Currency) -> None:
        """
        Refuse policies that count in another currency.

        Raises:
            CurrencyMismatchError: Naming the policy and both currencies.
        """
        for name, own in policy_currencies(self):
            if own not in (currency, currency.code):
                shown = own if isinstance(own, str) else _shown(own)
                raise CurrencyMismatchError(
                    f"the chain counts in {_shown(currency)} and its policy "
                    f"{name!r} in {shown}: give both one currency"
                )


def _shown(currency: Currency) -> str:
    return f"{currency.code} with {currency.digits} digits"
