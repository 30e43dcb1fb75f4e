"""Use cases of charging: charge, find out, give up (G1, G4, G6); refunds stand in `refunds`.

What is asked for is on record before charging is called. An answer that is lost leaves *asking*: the worker asks
charging what became of it. Only charging and the gateway know whether money
moved; this room shows it and closes the payment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import CardGone, DeadlineTooShort, InvalidArgument, NotFound, Unavailable, WayvaultError
from chassis.ids import new_id
from chassis.money import Money
from chassis.sealing import Letter, LetterSealer
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import PaymentConfirmationWanted
from services.crm.core.actor import Actor
from services.crm.core.ports.charging import (
    HOSTED_PAGE,
    Charge,
    ChargeState,
    ChargingPort,
    GatewayDetail,
)
from services.crm.core.ports.vault import Origin, Removal
from services.crm.paying.card_removal.service import Removals
from services.crm.paying.charging.intents import ChargeIntent, demand_no_charge, write_intent
from services.crm.paying.charging.models import PaymentChargeRow
from services.crm.paying.charging.records import OPEN, ChargeNews, newest_charge
from services.crm.paying.charging.requests import RefundRequest
from services.crm.paying.charging.rules import (
    CARD_GONE,
    CHECK_EVERY,
    LINK_GOOD_FOR,
    NEVER_ARRIVED_AFTER,
    gateway_name,
    may_charge,
)
from services.crm.paying.payments.service import (
    Fact,
    HeldPayment,
    Payment,
    Refused,
    locked,
    locked_own,
    process,
)
from services.crm.trips.bookings.service import Bookings
from services.crm.trips.passenger_picker import address_today

__all__ = [
    "ChargeDetail",
    "ChargeIntent",
    "ChargeNews",
    "Charges",
    "ChargingStatus",
    "RefundRequest",
    "newest_charge",
]

_log = structlog.get_logger(__name__)
_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeDetail:
    """A payment's newest charge, for people."""

    state: ChargeState
    amount: Money
    refunded: Money
    gateway: str
    # None while it is not answered: then it is asked of the gateway that is set, which stays while a charge is open.
    live: bool | None
    reason: str
    next_step: str
    client_url: str
    reference: str
    settled_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it stands in the way of anything else that might be done with the card."""
        return self.state in OPEN

    @property
    def left(self) -> Money:
        """What can still be given back."""
        return self.amount - self.refunded


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingStatus:
    """What the payment's page shows of charging. `problem` says why charging could not be asked."""

    charge: ChargeDetail | None = None
    gateway: GatewayDetail | None = None
    may_charge: bool = False
    problem: str = ""

    @property
    def gateway_name(self) -> str:
        """Of the gateway that charged, or would."""
        return gateway_name(self.charge.gateway if self.charge else self.gateway.name if self.gateway else "")

    @property
    def charged(self) -> bool:
        """Whether the gateway took the money: then a refund takes the payment back, not a word."""
        return self.charge is not None and self.charge.state is ChargeState.SUCCEEDED

    @property
    def instead_of_retrieval(self) -> bool:
        """Whether the card is charged here, so that nobody has to see it."""
        return self.may_charge or (self.charge is not None and self.charge.is_open)


class Charges:
    """The charging room's use cases."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        bookings: Bookings,
        removals: Removals,
        port: ChargingPort,
        letters: LetterSealer,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._bookings = bookings
        self._removals = removals
        self._port = port
        self._letters = letters

    def of_payment(self, payment: Payment) -> ChargeDetail | None:
        """The payment's newest charge, if it was ever charged here."""
        with self._database.read() as session:
            row = session.get(PaymentChargeRow, payment.id)
            return _detail(row, payment.amount.currency) if row else None

    def of_payments(self, currencies: Mapping[str, str]) -> dict[str, ChargeDetail]:
        """The newest charges of many payments, by id, for a report; `currencies`: each payment's, by its id.

        Whoever asks has the ids from a look-up of their own.
        """
        query = select(PaymentChargeRow).where(PaymentChargeRow.payment_id.in_(currencies))
        with self._database.read() as session:
            return {row.payment_id: _detail(row, currencies[row.payment_id]) for row in session.scalars(query)}

    def status_of(self, payment: Payment) -> ChargingStatus:
        """What can be charged of a payment, and what was."""
        charge = self.of_payment(payment)
        decision = may_charge(payment.state, to_agency=not payment.supplier_name, card_held=payment.card_held)
        allowed = not isinstance(decision, Refused) and not (charge is not None and charge.is_open)
        if not allowed and not (charge is not None and charge.live is None):
            return ChargingStatus(charge=charge)
        try:
            gateway = self._port.gateway_of(payment.agency_id)
        except WayvaultError as error:
            return ChargingStatus(charge=charge, problem=error.message if allowed else "")
        return ChargingStatus(charge=charge, gateway=gateway, may_charge=allowed and gateway is not None)

    def card_keeper(self, agency_id: str) -> GatewayDetail:
        """The agency's gateway, which keeps cards for standing orders. Raises InvalidArgument with why it can't."""
        try:
            gateway = self._port.gateway_of(agency_id)
        except WayvaultError as error:
            raise InvalidArgument(error.message) from error
        if gateway is None:
            raise InvalidArgument("Your agency has no payment gateway yet. An admin enters its keys under Agency.")
        if not gateway.keeps_cards:
            name = gateway_name(gateway.name)
            raise InvalidArgument(f"{name} keeps no cards for Wayvault, so there are no standing orders with it.")
        return gateway

    def is_left(self, agency_id: str, mandate_id: str) -> bool:
        """Whether a kept card is of an account that the agency has left; False where charging can't tell now."""
        try:
            gateway = self._port.gateway_of(agency_id)
        except WayvaultError:
            return False
        return gateway is not None and mandate_id in gateway.left_mandates

    def charge(self, actor: Actor, payment_id: str, *, origin: Origin) -> ChargeState:
        """Has the card charged, and says how that stands. Clicked twice, it is charged once.

        Raises NotFound, PermissionDenied, and InvalidArgument with what charging refuses: then nothing was charged.
        """
        with self._database.transaction() as session:
            payment = locked_own(session, actor, payment_id)
            demand_no_charge(session, payment_id)
            now = payment.now
            held = now.card_token is not None and now.card_removed_at is None
            decision = may_charge(now.state, to_agency=not now.supplier_name, card_held=held)
            if isinstance(decision, Refused):
                raise InvalidArgument(decision.why)
            intent = self.intend(session, payment, origin=origin)
        try:
            return self._ask(intent)
        except WayvaultError as error:
            raise InvalidArgument(error.message) from error

    def intend(
        self, session: Session, payment: HeldPayment, *, origin: Origin, keep_card: bool = False, mandate_id: str = ""
    ) -> ChargeIntent:
        """Writes down, in the caller's transaction, that the payment is to be charged: its card, which the gateway is
        to keep or not, or the one that it keeps. Raises InvalidArgument for one that is being charged or has been."""
        return write_intent(
            session, payment.now, origin=origin, keep_card=keep_card, mandate_id=mandate_id, now=self._clock.now()
        )

    def send(self, intent: ChargeIntent) -> None:
        """Asks for what was written down, for the worker: how it ended is read in the charge. Raises nothing of
        charging's."""
        try:
            self._ask(intent)
        except WayvaultError as error:
            _log.warning("charge.refused", payment=intent.order.payment_id, cause=type(error).__name__)

    def end_mandate(self, agency_id: str, mandate_id: str) -> None:
        """The gateway forgets a card that it keeps. Raises WayvaultError."""
        self._port.end_mandate(agency_id, mandate_id)

    def give_up(self, actor: Actor, payment_id: str, *, origin: Origin) -> None:
        """Takes back a charge that waits for the client. Raises NotFound, PermissionDenied, InvalidArgument."""
        with self._database.transaction() as session:
            payment = locked_own(session, actor, payment_id)
            charge = session.get(PaymentChargeRow, payment_id)
            if charge is None or charge.state != ChargeState.NEEDS_CLIENT:
                raise InvalidArgument("This charge does not wait for the client.")
            charge_id, agency_id, agent_id = charge.charge_id, payment.now.agency_id, payment.now.agent_id
        try:
            answer = self._port.void(
                idempotency_key=new_id("key"),
                agency_id=agency_id,
                charge_id=charge_id,
                agent_id=agent_id,
                origin=origin,
            )
        except WayvaultError as error:
            raise InvalidArgument(error.message) from error
        self._take_over(payment_id, answer)

    def find_out(self) -> int:
        """For the worker: asks charging about what is open; returns how many it asked about."""
        now = self._clock.now()
        query = (
            select(PaymentChargeRow.payment_id, PaymentChargeRow.agency_id, PaymentChargeRow.previous_charge_id)
            .where(PaymentChargeRow.check_at <= now)
            .order_by(PaymentChargeRow.check_at)
            .limit(_AT_ONCE)
        )
        with self._database.read() as session:
            due = session.execute(query).all()
        for payment_id, agency_id, previous_id in due:
            charges = [one for one in self._port.charges_of(agency_id, payment_id) if one.id != previous_id]
            if charges:
                self._take_over(payment_id, charges[0])
            else:
                self._unheard_of(payment_id)
        return len(due)

    def mail_again(self, actor: Actor, payment_id: str) -> None:
        """Mails the client once more, at the address that they have today, the link on which they confirm the charge.

        Raises NotFound, PermissionDenied, Unavailable, or InvalidArgument where the charge does not wait for them.
        """
        now, charges = self._clock.now(), self._port.charges_of(actor.agency_id, payment_id)
        with self._database.transaction() as session:
            payment = locked_own(session, actor, payment_id)
            row = session.get(PaymentChargeRow, payment_id)
            charge = next((one for one in charges if row is not None and one.id == row.charge_id), None)
            if row is None or charge is None or charge.state is not ChargeState.NEEDS_CLIENT or not charge.client_url:
                raise InvalidArgument("This charge does not wait for the client any more, so nothing is sent.")
            booking = self._bookings.load_by_id(session, payment.now.booking_id)
            if address := address_today(booking, payment.now.payer_client_id):
                payment.readdress(address)
            row.mailed_url = charge.client_url
            self._mail_link(session, payment, charge, now)

    # ---- pieces

    def _ask(self, intent: ChargeIntent) -> ChargeState:
        payment_id = intent.order.payment_id
        try:
            charge = self._port.charge(intent.order, idempotency_key=intent.key, origin=intent.origin)
        except (Unavailable, DeadlineTooShort) as error:
            _log.warning("charge.unanswered", payment=payment_id, cause=type(error).__name__)
            return ChargeState.ASKING
        except WayvaultError as error:
            self._refused(payment_id, intent.key, error)
            raise
        self._take_over(payment_id, charge)
        return charge.state

    def _take_over(self, payment_id: str, charge: Charge) -> None:
        """Writes down what charging says, and closes the payment on success. Taking it over twice changes nothing."""
        now = self._clock.now()
        with self._database.transaction() as session:
            payment = locked(session, payment_id)
            row = session.get(PaymentChargeRow, payment_id)
            if payment is None or row is None or row.charge_id not in ("", charge.id):
                return
            if row.charge_id and row.state not in OPEN and charge.state in OPEN:
                # The worker asked while it stood open, and hears of it after the click has heard how it ended.
                return
            row.charge_id, row.state = charge.id, charge.state.value
            row.refunded_minor, row.gateway, row.live = charge.refunded_minor, charge.gateway, charge.live
            row.reason, row.next_step = charge.reason[:300], charge.next_step[:300]
            row.reason_code, row.may_pass, row.mandate_id = charge.reason_code, charge.may_pass, charge.mandate_id
            row.client_url, row.reference, row.settled_at = charge.client_url, charge.reference, charge.settled_at
            row.check_at = now + CHECK_EVERY if charge.state in OPEN else None
            payment.charged(live=charge.live if charge.state in (*OPEN, ChargeState.SUCCEEDED) else None)
            if charge.state is ChargeState.NEEDS_CLIENT and row.mailed_url != charge.client_url:
                row.mailed_url = charge.client_url
                self._mail_link(session, payment, charge, now)
            if charge.state is ChargeState.SUCCEEDED:
                self._close(session, payment, row, now)

    def _mail_link(self, session: Session, payment: HeldPayment, charge: Charge, now: datetime) -> None:
        """The client gets the link to their bank, or to the gateway's page; once for each link."""
        letter = Letter(
            letter_id=new_id("letter"),
            template="confirm_charge",
            to=payment.now.payer_email,
            data={"url": charge.client_url},
            issued_at=now,
            expires_at=now + LINK_GOOD_FOR,
        )
        event = PaymentConfirmationWanted(
            context=payment.context,
            sealed_mail=self._letters.seal(letter),
            at=stamp(now),
            card_again=charge.reason_code == HOSTED_PAGE,
        )
        self._outbox.add(session, event, aggregate_id=payment.id, agency_id=payment.now.agency_id)

    def _close(self, session: Session, payment: HeldPayment, row: PaymentChargeRow, now: datetime) -> None:
        """Charged: as *Processed with supplier*, card and CVV are destroyed, and the client is told."""
        words, origin = f"Charged through {gateway_name(row.gateway)}", Origin(ip=row.ip, user_agent=row.user_agent)
        told = {"confirmation": row.reference, "words": words}
        if process(session, self._outbox, payment, Fact.CHARGED, **told, at=now):
            self._removals.want(session, payment, reason=Removal.PROCESSED, origin=origin)

    def _refused(self, payment_id: str, key: str, error: WayvaultError) -> None:
        with self._database.transaction() as session:
            row = session.get(PaymentChargeRow, payment_id, with_for_update=True)
            if row is not None and row.request_key == key and row.state == ChargeState.ASKING:
                row.state, row.reason, row.check_at = ChargeState.FAILED.value, error.message[:300], None
                row.reason_code = CARD_GONE if isinstance(error, (CardGone, NotFound)) else ""
                row.next_step = "Nothing was charged."

    def _unheard_of(self, payment_id: str) -> None:
        """Charging has no such charge: its call never arrived, once it has had the time to."""
        now = self._clock.now()
        with self._database.transaction() as session:
            row = session.get(PaymentChargeRow, payment_id, with_for_update=True)
            if row is None or row.state != ChargeState.ASKING:
                return
            if now - row.asked_at < NEVER_ARRIVED_AFTER:
                row.check_at = now + CHECK_EVERY
                return
            row.state, row.check_at = ChargeState.FAILED.value, None
            row.reason, row.next_step = "The gateway was never asked.", "Nothing was charged. Charge again."


def _detail(row: PaymentChargeRow, currency: str) -> ChargeDetail:
    return ChargeDetail(
        state=ChargeState(row.state),
        amount=Money(minor=row.amount_minor, currency=currency),
        refunded=Money(minor=row.refunded_minor, currency=currency),
        gateway=row.gateway,
        live=row.live if row.charge_id else None,
        reason=row.reason,
        next_step=row.next_step,
        client_url=row.client_url,
        reference=row.reference,
        settled_at=row.settled_at,
    )
