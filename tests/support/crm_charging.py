"""The program `charging` as the CRM sees it, in memory."""

from dataclasses import replace
from datetime import datetime

from chassis.errors import CardGone, InvalidArgument, NotFound, Unavailable, WayvaultError
from chassis.ids import new_id
from services.crm.core.ports.charging import (
    Charge,
    ChargeOrder,
    ChargeState,
    GatewayDetail,
    GatewayKind,
    KeyEntry,
    LedgerAnswer,
    LedgerEntry,
    PayoutDetail,
    PayoutsAnswer,
    Refund,
    Refunded,
    RefundOrder,
    RefundState,
)
from services.crm.core.ports.vault import Origin
from services.crm.paying.payments.rules import PaymentType
from tests.support.crm_paying import ORIGIN, CrmHouse


class FakeCharging:
    """ChargingPort with charging's promises: a key asks once, a standing charge bars another, never more
    back than taken.

    `lost`: the next answer does not arrive, though the work is done."""

    def __init__(self) -> None:
        self.gateway: GatewayDetail | None = GatewayDetail(name="stripe", live=False, keeps_cards=True)
        self.live = False
        # Slots for keys, by id: (agency, agent, gateway); and what was sealed into them.
        self.key_entries: dict[str, tuple[str, str, str]] = {}
        self.entered: dict[str, KeyEntry] = {}
        # The cards that the gateway keeps, and what was asked for in order.
        self.mandates: set[str] = set()
        self.orders: list[ChargeOrder] = []
        # Of a decline: whether it may pass by itself, and its code.
        self.may_pass = True
        self.reason_code = ""
        self.charges: dict[str, list[Charge]] = {}
        self.keys: dict[str, str] = {}
        self.next = ChargeState.SUCCEEDED
        self.next_refund = RefundState.SUCCEEDED
        self.lost = False
        self.notices: list[tuple[str, bytes, str]] = []
        self.never_arrives = False
        self.refuse: WayvaultError | None = None
        # Who approved each refund that was asked for with one.
        self.approvers: list[str] = []
        # What the reports are told.
        self.ledger_entries: list[LedgerEntry] = []
        self.paid_out: list[PayoutDetail] = []
        self.books_problem = ""

    def gateway_of(self, agency_id: str) -> GatewayDetail | None:
        return self.gateway

    def gateways(self) -> list[GatewayKind]:
        return [
            GatewayKind(name="authorizenet", keeps_cards=False, tells_books=False, takes_notices=False),
            GatewayKind(name="stripe", keeps_cards=True, tells_books=True, takes_notices=True),
        ]

    def check_gateway(self, agency_id: str) -> GatewayDetail:
        if self.refuse:
            raise self.refuse
        assert self.gateway is not None
        return self.gateway

    def open_key_entry(self, agency_id: str, agent_id: str, gateway: str, *, origin: Origin) -> str:
        if self.refuse:
            raise self.refuse
        entry_id = new_id("gwkey")
        self.key_entries[entry_id] = (agency_id, agent_id, gateway)
        return entry_id

    def enter_key(self, entry: KeyEntry, *, idempotency_key: str, origin: Origin) -> GatewayDetail:
        if self.refuse:
            raise self.refuse
        known = self.key_entries.get(entry.entry_id)
        if known is None or known[:2] != (entry.agency_id, entry.agent_id):
            raise NotFound("There is no such form.")
        if self.entered.setdefault(idempotency_key, entry) != entry:
            raise InvalidArgument("used", field="key")
        self.gateway = GatewayDetail(name=known[2], live=False, set_by=entry.agent_id, key_hint="0000")
        return self.gateway

    def reasons(self) -> dict[str, str]:
        if self.refuse:
            raise self.refuse
        return {"insufficient_funds": "There is not enough money on the card."}

    def charge(self, order: ChargeOrder, *, idempotency_key: str, origin: Origin) -> Charge:
        if self.refuse:
            raise self.refuse
        if self.never_arrives:
            raise Unavailable
        if order.mandate_id and order.mandate_id not in self.mandates:
            raise CardGone
        self.orders.append(order)
        mandate_id = order.mandate_id
        if order.keep_card and self.next is ChargeState.SUCCEEDED:
            mandate_id = new_id("mdt")
            self.mandates.add(mandate_id)
        made = Charge(
            mandate_id=mandate_id,
            may_pass=self.may_pass and self.next is ChargeState.DECLINED,
            reason_code=self.reason_code,
            id=new_id("chg"),
            state=self.next,
            amount_minor=order.amount_minor,
            currency=order.currency,
            refunded_minor=0,
            gateway="stripe",
            live=self.live,
            reason="There is not enough money on the card." if self.next is ChargeState.DECLINED else "",
            next_step="Ask the client for another card." if self.next is ChargeState.DECLINED else "",
            client_url="https://bank.example/3ds" if self.next is ChargeState.NEEDS_CLIENT else "",
            reference="pi_000001",
        )
        assert not [one for one in self._of(order.payment_id) if one.state is ChargeState.SUCCEEDED]
        self.charges.setdefault(order.payment_id, []).insert(0, made)
        return self._answer(made)

    def refund(self, order: RefundOrder, *, origin: Origin) -> Refunded:
        if self.refuse:
            raise self.refuse
        if self.never_arrives:
            raise Unavailable
        payment_id, old = next((p, c) for p, found in self.charges.items() for c in found if c.id == order.charge_id)
        if order.id not in self.keys:
            if old.refunded_minor + order.amount_minor > old.amount_minor:
                raise InvalidArgument("That is more than what is left of this charge.", field="amount")
            made = Refund(id=new_id("rfd"), state=self.next_refund, amount_minor=order.amount_minor)
            self.keys[order.id] = made.id
            self.approvers += [order.approver_id] if order.approver_id else []
            refunded = old.refunded_minor + order.amount_minor
            old = self.become(payment_id, refunded_minor=refunded, refunds=(*old.refunds, made))
        if self.lost:
            self.lost = False
            raise Unavailable
        return Refunded(charge=old, refund_id=self.keys[order.id])

    def settle_refunds(self, payment_id: str, state: RefundState, problem: str = "") -> None:
        """The gateway settles a payment's refunds."""
        charge = self.charges[payment_id][0]
        refunds = tuple(
            replace(one, state=state, problem=problem) if one.state is not RefundState.FAILED else one
            for one in charge.refunds
        )
        back = sum(one.amount_minor for one in refunds if one.state is not RefundState.FAILED)
        self.become(payment_id, refunds=refunds, refunded_minor=back)

    def void(self, *, idempotency_key: str, agency_id: str, charge_id: str, agent_id: str, origin: Origin) -> Charge:
        payment_id = next(p for p, found in self.charges.items() for c in found if c.id == charge_id)
        return self.become(payment_id, state=ChargeState.VOIDED, client_url="")

    def end_mandate(self, agency_id: str, mandate_id: str) -> None:
        if self.refuse:
            raise self.refuse
        self.mandates.discard(mandate_id)

    def take_notice(self, agency_id: str, body: bytes, signature: str) -> list[str]:
        if self.refuse:
            raise self.refuse
        self.notices.append((agency_id, body, signature))
        return list(self.charges)

    def ledger(self, agency_id: str, since: datetime, until: datetime) -> LedgerAnswer:
        if self.refuse:
            raise self.refuse
        return LedgerAnswer(entries=tuple(self.ledger_entries), problem=self.books_problem)

    def payouts(self, agency_id: str, since: datetime, until: datetime) -> PayoutsAnswer:
        if self.refuse:
            raise self.refuse
        return PayoutsAnswer(payouts=tuple(self.paid_out), problem=self.books_problem)

    def charges_of(self, agency_id: str, payment_id: str) -> list[Charge]:
        return self._of(payment_id)

    def become(self, payment_id: str, **changes: object) -> Charge:
        """The payment's newest charge changes at the gateway."""
        self.charges[payment_id][0] = replace(self.charges[payment_id][0], **changes)  # type: ignore[arg-type]
        return self.charges[payment_id][0]

    def _of(self, payment_id: str) -> list[Charge]:
        return list(self.charges.get(payment_id, []))

    def _answer(self, charge: Charge) -> Charge:
        if self.lost:
            self.lost = False
            raise Unavailable
        return charge


def fee(crm: CrmHouse) -> str:
    """An authorized service fee: its payee is the agency."""
    request = replace(crm.link_request(), segment_id="", type=PaymentType.SERVICE_FEE)
    payment_id = crm.deps.paying.links.send(crm.maya, crm.booking_id, request)[0].payment_id
    crm.hear(crm.authorization(payment_id))
    return payment_id


def charged_fee(crm: CrmHouse) -> str:
    """A service fee whose card was charged."""
    payment_id = fee(crm)
    crm.deps.paying.charges.charge(crm.maya, payment_id, origin=ORIGIN)
    return payment_id
