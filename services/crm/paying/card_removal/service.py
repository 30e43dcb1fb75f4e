"""Cards that the vault must destroy, and cards that lapse by themselves.

A removal is written in the transaction that makes it necessary and carried out by the worker, whether or not the bus
runs: destroying a card must not wait for events. Asking the database, instead of consuming the CRM's own event,
destroys cards even while the broker is down, and keeps the network out of the inbox's transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import CardGone, InvalidArgument, NotFound, WayvaultError
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import PaymentCardRemoved, PaymentLapsed, PaymentLapsing
from services.crm.core.actor import Actor
from services.crm.core.ports.vault import (
    CardState,
    Origin,
    Removal,
    VaultPort,
)
from services.crm.paying.card_removal.models import CardRemovalRow
from services.crm.paying.card_removal.rules import may_remove, pause_before_try
from services.crm.paying.payments.service import (
    Fact,
    HeldPayment,
    Refused,
    locked,
    locked_own,
    past_their_date,
    unwarned,
)

__all__ = [
    "Lapses",
    "RemovalStatus",
    "Removals",
    "stamp",
]

_log = structlog.get_logger(__name__)
_LAPSED = "lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalStatus:
    """A card that is on its way out of the vault."""

    wanted_at: datetime
    tries: int
    last_problem: str


class Removals:
    """M7, M8: closing a payment, or an agent's hand, has the card destroyed."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        vault: VaultPort,
        barrier: Callable[[Session, str], None],
    ) -> None:
        """`barrier` raises InvalidArgument while something under way needs the payment's card."""
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._vault = vault
        self._barrier = barrier

    def want(
        self,
        session: Session,
        payment: HeldPayment,
        *,
        reason: Removal,
        card_token: str = "",
        origin: Origin = Origin(),  # noqa: B008 - an empty frozen value
    ) -> None:
        """Notes, in the caller's transaction, that the payment's card (or the one named) has to be destroyed, unless
        it is gone already."""
        token = card_token or (payment.now.card_token if payment.now.card_removed_at is None else "")
        if not token or session.get(CardRemovalRow, token) is not None:
            return
        now = self._clock.now()
        session.add(
            CardRemovalRow(
                card_token=token,
                payment_id=payment.id,
                agency_id=payment.now.agency_id,
                agent_id=payment.now.agent_id,
                reason=reason,
                wanted_at=now,
                next_try_at=now,
                tries=0,
                last_problem="",
                ip=origin.ip[:64],
                user_agent=origin.user_agent[:300],
            )
        )
        session.flush()

    def by_hand(self, actor: Actor, payment_id: str, *, typed: str, origin: Origin) -> bool:
        """Removes a card by hand (M8) and returns whether the vault has done it already.

        Raises NotFound, PermissionDenied, or InvalidArgument with what is missing.
        """
        with self._database.transaction() as session:
            payment = locked_own(session, actor, payment_id)
            match may_remove(payment.now.state, card_held=payment.now.card_held, typed=typed):
                case Refused(why=why):
                    raise InvalidArgument(why, field="confirmation")
            self._barrier(session, payment.id)
            self.want(session, payment, reason=Removal.BY_HAND, origin=origin)
            token = payment.now.card_token
        return self._try(token) if token else False

    def status_of(self, card_token: str) -> RemovalStatus | None:
        """How a removal goes; None when none is wanted or it is done."""
        with self._database.read() as session:
            row = session.get(CardRemovalRow, card_token)
            if row is None or row.removed_at is not None:
                return None
            return RemovalStatus(wanted_at=row.wanted_at, tries=row.tries, last_problem=row.last_problem)

    def carry_out(self, limit: int = 50) -> int:
        """Asks the vault to destroy what is due. Returns how many cards it destroyed. Raises nothing of the vault's."""
        query = (
            select(CardRemovalRow.card_token)
            .where(CardRemovalRow.removed_at.is_(None), CardRemovalRow.next_try_at <= self._clock.now())
            .order_by(CardRemovalRow.next_try_at)
            .limit(limit)
        )
        with self._database.read() as session:
            tokens = session.scalars(query).all()
        return sum(self._try(token) for token in tokens)

    def _try(self, token: str) -> bool:
        with self._database.read() as session:
            row = session.get(CardRemovalRow, token)
            if row is None or row.removed_at is not None:
                return row is not None
            agent_id, reason = row.agent_id, Removal(row.reason)
            origin = Origin(ip=row.ip, user_agent=row.user_agent)
        try:
            removed_at = self._vault.remove_card(
                idempotency_key=f"remove:{token}",
                card_token=token,
                agent_id=agent_id,
                reason=reason,
                origin=origin,
            )
        except (CardGone, NotFound):
            removed_at = self._clock.now()
        except WayvaultError as error:
            self._put_off(token, error.message)
            return False
        self._done(token, removed_at)
        return True

    def _put_off(self, token: str, problem: str) -> None:
        with self._database.transaction() as session:
            row = session.get(CardRemovalRow, token, with_for_update=True)
            if row is None or row.removed_at is not None:
                return
            row.tries += 1
            row.last_problem = problem[:300]
            row.next_try_at = self._clock.now() + timedelta(seconds=pause_before_try(row.tries))
            _log.warning("card_removal.put_off", payment_id=row.payment_id, tries=row.tries)

    def _done(self, token: str, removed_at: datetime) -> None:
        """Says once, however many workers asked, that the card is gone."""
        with self._database.transaction() as session:
            row = session.get(CardRemovalRow, token, with_for_update=True)
            if row is None or row.removed_at is not None:
                return
            row.removed_at = removed_at
            payment = locked(session, row.payment_id)
            if payment is None or payment.now.card_token != token:
                return
            payment.card_gone(at=removed_at, reason=row.reason)
            event = PaymentCardRemoved(payment_id=payment.id, at=stamp(removed_at), reason=row.reason)
            self._outbox.add(session, event, aggregate_id=payment.id, agency_id=payment.now.agency_id)


class Lapses:
    """M11: the agent is warned the day before, and told when a card lapsed."""

    def __init__(self, *, database: Database, outbox: Outbox, clock: Clock, vault: VaultPort) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._vault = vault

    def warn(self, limit: int = 200) -> int:
        """Announces, once each, the open payments whose card lapses within a day. Returns how many."""
        now = self._clock.now()
        with self._database.read() as session:
            due = unwarned(session, now, limit)
        return sum(self._warn(payment_id, now) for payment_id in due)

    def confirm(self, limit: int = 200) -> int:
        """Asks the vault about open payments whose card is past its date, and records what lapsed. Returns how many."""
        with self._database.read() as session:
            due = past_their_date(session, self._clock.now(), limit)
        return sum(self._confirm(payment.id, payment.card_token or "", payment.agent_id) for payment in due)

    def _warn(self, payment_id: str, now: datetime) -> bool:
        with self._database.transaction() as session:
            payment = locked(session, payment_id)
            if payment is None or not payment.warn_of_lapse(now):
                return False
            event = PaymentLapsing(context=payment.context)
            if kept_until := payment.now.card_kept_until:
                event.card_kept_until.CopyFrom(stamp(kept_until))
            self._outbox.add(session, event, aggregate_id=payment.id, agency_id=payment.now.agency_id)
            return True

    def _confirm(self, payment_id: str, token: str, agent_id: str) -> bool:
        try:
            gone = self._vault.describe_card(card_token=token, agent_id=agent_id).state in (
                CardState.LAPSED,
                CardState.REMOVED,
            )
        except (CardGone, NotFound):
            gone = True
        except WayvaultError:
            return False  # asked again at the next round
        return gone and self._lapse(payment_id)

    def _lapse(self, payment_id: str) -> bool:
        now = self._clock.now()
        with self._database.transaction() as session:
            payment = locked(session, payment_id)
            if payment is None or payment.now.card_removed_at is not None:
                return False
            payment.card_gone(at=now, reason=_LAPSED)
            if payment.happen(Fact.LAPSED, at=now):
                event = PaymentLapsed(context=payment.context, at=stamp(now))
                self._outbox.add(session, event, aggregate_id=payment.id, agency_id=payment.now.agency_id)
            return True
