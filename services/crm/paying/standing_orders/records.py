"""A standing order as the rest of the CRM sees it: a value, read from its row."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chassis.cards import brand_words
from chassis.money import Money
from protos.wayvault.events.v1.events_pb2 import PaymentContext
from services.crm.paying.standing_orders.models import StandingOrderRow
from services.crm.paying.standing_orders.plan import EVERY_WORDS, Every, Plan, days_ahead, due_date, plan_words
from services.crm.paying.standing_orders.rules import ENDED, STATE_WORDS, OrderFact, OrderState, after

# How many of the days to come a page shows.
_AHEAD = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What an agent proposes to one client. `request_key` is made with the form: sent twice, it proposes once."""

    request_key: str
    client_id: str
    purpose: str
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingOrder:
    """One person's standing order. Of the card only what stays forever (M13)."""

    id: str
    agency_id: str
    agent_id: str
    booking_id: str
    booking_title: str
    client_id: str
    payer_name: str
    payer_email: str
    purpose: str
    plan: Plan
    notice_days: int
    state: OrderState
    index: int
    made: int
    payment_id: str | None
    charge_on: date | None
    card_brand: str
    card_last4: str
    # Charging's name for the card that the gateway keeps; empty while it keeps none.
    mandate_id: str
    # Whether its charges move real money; None where that is not known before the first.
    live: bool | None
    # How long the agency's vault keeps a card.
    card_days: int
    note: str
    created_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None

    @property
    def state_words(self) -> str:
        return STATE_WORDS[self.state]

    @property
    def plan_words(self) -> str:
        return plan_words(self.plan)

    @property
    def every_words(self) -> str:
        return EVERY_WORDS[self.plan.every]

    @property
    def made_words(self) -> str:
        """ "2 of 12", or how many were charged of what has no fixed number."""
        return f"{self.made} of {self.plan.times}" if self.plan.times is not None else f"{self.made}"

    @property
    def card_words(self) -> str:
        """ "Visa ending in 4242", or nothing before a card was given."""
        return f"{brand_words(self.card_brand)} ending in {self.card_last4}" if self.card_last4 else ""

    @property
    def next_on(self) -> date | None:
        """The day of the next charge; None where none is planned."""
        if self.state not in (OrderState.ACTIVE, OrderState.PROPOSED):
            return None
        return self.charge_on or due_date(self.plan, self.index)

    @property
    def ahead(self) -> list[date]:
        """The next days on which something is due."""
        if self.state in ENDED:
            return []
        days = days_ahead(self.plan, index=self.index, made=self.made, limit=_AHEAD)
        return [self.charge_on or days[0], *days[1:]] if days else []

    @property
    def can_pause(self) -> bool:
        return after(self.state, OrderFact.PAUSED) is not None

    @property
    def can_resume(self) -> bool:
        return after(self.state, OrderFact.RESUMED) is not None

    @property
    def can_cancel(self) -> bool:
        return after(self.state, OrderFact.CANCELLED) is not None

    @property
    def can_change_card(self) -> bool:
        """Whether another card may be asked for: there is one, and the present day's payment is not under way."""
        return self.state is OrderState.ACTIVE and self.payment_id is None

    @property
    def other_card_from(self) -> date:
        """From which day on a new card would still be in the vault at the next charge."""
        return due_date(self.plan, self.index) - timedelta(days=self.card_days - 1)


def plan_of(row: StandingOrderRow) -> Plan:
    """What the client signed."""
    return Plan(
        amount=Money(minor=row.amount_minor, currency=row.currency),
        every=Every(row.every),
        first_on=row.first_on,
        times=row.times,
        until=row.until,
    )


def order_of(row: StandingOrderRow) -> StandingOrder:
    """The value of a row."""
    context = PaymentContext.FromString(row.context)
    return StandingOrder(
        id=row.id,
        agency_id=row.agency_id,
        agent_id=row.agent_id,
        booking_id=row.booking_id,
        booking_title=context.booking_title,
        client_id=row.client_id,
        payer_name=row.payer_name,
        payer_email=context.payer.email,
        purpose=row.purpose,
        plan=plan_of(row),
        notice_days=row.notice_days,
        state=OrderState(row.state),
        index=row.index,
        made=row.made,
        payment_id=row.payment_id,
        charge_on=row.charge_on,
        card_brand=row.card_brand,
        card_days=context.policy.card_retention_days,
        card_last4=row.card_last4,
        mandate_id=row.mandate_id,
        live=row.live,
        note=row.note,
        created_at=row.created_at,
        begun_at=row.begun_at,
        ended_at=row.ended_at,
    )
