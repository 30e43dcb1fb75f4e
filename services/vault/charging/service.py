"""Charging a card, exactly once or known not at all.

The order: (1) what speaks against it, and the intent with its idempotency key, committed; (2) the gateway is told of
the charge, without a card; (3) the card is opened; (4) intent → asking and the audit row, committed; (5) the gateway is
asked, once; (6) what became of it, committed. A crash or a lost answer after (4) leaves *asking*, which `settling`
finds out about; before (4) no card has left, and the intent is given up. Nothing ever repeats (5).

A charge by mandate goes the same way; the gateway has the card, so (3) opens none.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import Busy, CardGone, IdempotencyMismatch, InvalidArgument, NotFound
from chassis.ids import new_id
from chassis.rpc.calls import require_time
from chassis.rpc.idempotency import CallKey
from protos.wayvault.common.v1.common_pb2 import Origin
from services.vault.card_data import CardDataError, Cvv, Pan
from services.vault.charging.accounts import Accounts, account_of, is_of
from services.vault.charging.entries import charge_entries
from services.vault.charging.gateways.port import (
    AmountRefused,
    Card,
    Gateway,
    GatewayRefused,
    GatewayUnknown,
    Order,
    Outcome,
    RawCardsRefused,
)
from services.vault.charging.gateways.registry import KINDS
from services.vault.charging.models import ChargeRow, GatewayAccountRow, MandateRow
from services.vault.charging.reasons import reason_of
from services.vault.charging.records import (
    begin_asking,
    charge_of,
    known_request,
    mandate_of,
    settle_charge,
    standing_charge,
)
from services.vault.charging.rules import GATEWAY_PATIENCE, SETTLE_AFTER, ChargeState
from services.vault.custody.service import Card as StoredCard
from services.vault.custody.service import card_context, live_card
from services.vault.refusals import Act, Recorder, Refusals
from services.vault.transit.service import Cipher, CipherRefused, Decryptor, KeyName, TransitUnavailable

# Seconds that (1) to (6) take when the gateway uses all its patience for (2) and for (5).
TIME_NEEDED: Final = 2 * GATEWAY_PATIENCE + 2

log = structlog.get_logger("vault.charging")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCharge:
    """What is asked for: of a stored card, which the gateway is to keep or not, or of a mandate."""

    agency_id: str
    payment_id: str
    card_token: str
    agent_id: str
    amount_minor: int
    currency: str
    description: str
    origin: Origin
    keep_card: bool = False
    mandate_id: str = ""


class ChargeService:
    """Steps (1) to (6). Thread-safe."""

    def __init__(
        self, *, database: Database, clock: Clock, trail: Recorder, transit: Decryptor, accounts: Accounts
    ) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail
        self._transit = transit
        self._accounts = accounts
        self._refusals = Refusals(database, trail)

    def charge(self, new: NewCharge, key: CallKey) -> str:
        """Charges; returns the charge's id, whatever became of it. The same call again asks for nothing new.

        Raises NotFound, PermissionDenied, CardGone, InvalidArgument, Busy when the payment has a charge already,
        IdempotencyMismatch, and Unavailable while nothing was asked yet.
        """
        if (known := self._known(key)) is not None:
            return known
        require_time(TIME_NEEDED)
        act = _act("card.charging", new)
        with self._refusals.audited(act):
            row, gateway, source = self._intend(new, key)
        order = order_of(row, source.reference if isinstance(source, MandateRow) else "")
        try:
            reference = gateway.prepare(order)
            card = None if isinstance(source, MandateRow) else self._open(source)
        except (GatewayUnknown, GatewayRefused, TransitUnavailable, CipherRefused, CardDataError) as fault:
            failed = Outcome(state=ChargeState.FAILED, reference="", code=_code_before_asking(fault))
            self._record(row, failed, still=ChargeState.INTENT)
            return row.id
        with self._database.transaction() as session:
            if not begin_asking(session, row.id, reference, self._clock.now()):
                return row.id  # it took so long that the intent was given up
            act.card_token = row.card_token
            self._trail.record(session, act.entry(resource=row.id))

        def ask() -> Outcome:
            return gateway.charge(order, reference, card) if card else gateway.charge_mandate(order, reference)

        self._ask(gateway, row, order, ask, reference)
        return row.id

    def void(self, agency_id: str, charge_id: str, agent_id: str, origin: Origin) -> None:
        """Takes a charge back that waits for the client. Raises NotFound, InvalidArgument, Unavailable."""
        with self._database.read() as session:
            row = charge_of(session, agency_id, charge_id)
            account = account_of(session, agency_id)
        if row.state == ChargeState.VOIDED:
            return
        if row.state != ChargeState.NEEDS_CLIENT or account is None:
            raise InvalidArgument("Only a charge that waits for the client can be voided. Refund it instead.")
        if not is_of(row, account):
            raise InvalidArgument(reason_of("left_account").words)
        gateway, order = self._accounts.open(account), order_of(row)

        def give_up() -> Outcome:
            outcome = gateway.void(order, row.reference)
            if outcome.state is ChargeState.FAILED:
                return Outcome(state=ChargeState.VOIDED, reference=outcome.reference)
            return outcome

        self._ask(gateway, row, order, give_up, row.reference)

    # ---- the intent

    def _known(self, key: CallKey) -> str | None:
        with self._database.read() as session:
            row = known_request(session, key.key_hash)
        if row is None:
            return None
        if bytes(row.body_hash) != key.body_hash or not isinstance(row, ChargeRow):
            raise IdempotencyMismatch
        return row.id

    def _intend(self, new: NewCharge, key: CallKey) -> tuple[ChargeRow, Gateway, StoredCard | MandateRow]:
        now = self._clock.now()
        with self._database.read() as session:
            account = account_of(session, new.agency_id)
            source = _live_mandate(session, new) if new.mandate_id else _live_card(session, new, now)
        if account is None:
            raise InvalidArgument("Your agency has no payment gateway yet. An admin enters its keys under Agency.")
        if isinstance(source, MandateRow) and not is_of(source, account):
            raise CardGone(
                "The card is kept by a gateway account that your agency has left. Ask the client for a card."
            )
        if new.keep_card and not KINDS[account.gateway].keeps_cards:
            raise InvalidArgument(reason_of("mandates_not_offered").words)
        gateway = self._accounts.open(account)
        try:
            gateway.check_amount(new.amount_minor, new.currency)
        except AmountRefused as refused:
            raise InvalidArgument(refused.words, field="amount") from None
        row = self._row(new, key, account, now)
        row.card_token = source.card_token if isinstance(source, MandateRow) else new.card_token
        try:
            with self._database.transaction() as session:
                session.add(row)
                session.flush()
                session.expunge(row)
        except IntegrityError:
            with self._database.read() as session:
                standing = standing_charge(session, new.agency_id, new.payment_id)
            if standing is not None and standing.state == ChargeState.SUCCEEDED:
                raise InvalidArgument("This payment has been charged already.") from None
            raise Busy("This payment is being charged already. Reload the page to see how it stands.") from None
        return row, gateway, source

    def _row(self, new: NewCharge, key: CallKey, account: GatewayAccountRow, now: datetime) -> ChargeRow:
        return ChargeRow(
            id=new_id("chg"),
            request_hash=key.key_hash,
            body_hash=key.body_hash,
            agency_id=new.agency_id,
            payment_id=new.payment_id,
            card_token=new.card_token,
            agent_id=new.agent_id,
            amount_minor=new.amount_minor,
            currency=new.currency,
            description=new.description,
            keeps_card=new.keep_card,
            mandate_id=new.mandate_id,
            gateway=account.gateway,
            live=account.live,
            account=account.account,
            state=ChargeState.INTENT,
            reference="",
            reason_code="",
            client_url="",
            refunded_minor=0,
            made_at=now,
            ask_at=now + SETTLE_AFTER,
            asked=0,
        )

    # ---- the card

    def _open(self, stored: StoredCard) -> Card:
        if stored.cipher is None:
            raise CardGone
        opened = json.loads(self._decrypt(KeyName.CARD, stored.cipher, stored))
        cvv = None
        if stored.cvv_cipher is not None and stored.has_cvv(self._clock.now()):
            cvv = Cvv.parse(json.loads(self._decrypt(KeyName.CVV, stored.cvv_cipher, stored))["cvv"])
        return Card(
            pan=Pan.parse(opened["pan"]),
            exp_month=int(opened["exp_month"]),
            exp_year=int(opened["exp_year"]),
            name=str(opened["name"]),
            cvv=cvv,
        )

    def _decrypt(self, key: KeyName, cipher: str, stored: StoredCard) -> bytes:
        return self._transit.decrypt(key, Cipher(cipher), card_context(key, stored.token, stored.agency_id))

    # ---- the gateway

    def _ask(self, gateway: Gateway, row: ChargeRow, order: Order, ask: Callable[[], Outcome], reference: str) -> None:
        try:
            outcome = ask()
        except RawCardsRefused:
            outcome = self._page_instead(gateway, order, reference)
        except (GatewayUnknown, GatewayRefused) as fault:
            # A refusal after the card was sent proves nothing either: only the gateway's books do.
            log.warning("charge.unknown", charge=row.id, cause=type(fault).__name__)
            return
        if outcome.state is not ChargeState.ASKING:
            self._record(row, outcome)

    def _page_instead(self, gateway: Gateway, order: Order, reference: str) -> Outcome:
        try:
            return gateway.hosted_page(order, reference)
        except (GatewayUnknown, GatewayRefused):
            # Nothing was charged: the account took no card, and a page that nobody knows charges nobody.
            return Outcome(state=ChargeState.FAILED, reference=reference, code="raw_cards_refused")

    def _record(self, row: ChargeRow, outcome: Outcome, *, still: ChargeState | None = None) -> None:
        with self._database.transaction() as session:
            if settle_charge(session, row.id, outcome, self._clock.now(), still=still):
                for entry in charge_entries(row, outcome):
                    self._trail.record(session, entry)


def _live_card(session: Session, new: NewCharge, now: datetime) -> StoredCard:
    stored = live_card(session, new.card_token, new.agent_id, now)
    if (stored.agency_id, stored.payment_id) != (new.agency_id, new.payment_id):
        raise NotFound("The vault has no such card.")
    return stored


def _live_mandate(session: Session, new: NewCharge) -> MandateRow:
    mandate = mandate_of(session, new.agency_id, new.mandate_id)
    if mandate.ended_at is not None:
        raise CardGone("The gateway does not keep this card any more. Ask the client for a card.")
    return mandate


def order_of(row: ChargeRow, mandate: str = "") -> Order:
    """The charge as gateways are told of it; `mandate` is what is charged in place of a card."""
    return Order(
        id=row.id,
        payment_id=row.payment_id,
        amount_minor=row.amount_minor,
        currency=row.currency,
        description=row.description,
        keeps_card=row.keeps_card,
        mandate=mandate,
    )


def _act(action: str, new: NewCharge) -> Act:
    return Act(
        action=action,
        refused_action="charge.refused",
        origin=new.origin,
        resource=new.payment_id,
        agent_id=new.agent_id,
        card_token=new.card_token,
    )


def _code_before_asking(fault: Exception) -> str:
    """Why a charge came to nothing before a card left the vault."""
    if isinstance(fault, GatewayRefused):
        return fault.code
    return "gateway_down" if isinstance(fault, GatewayUnknown) else "vault_busy"
