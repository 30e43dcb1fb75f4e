"""The custody room's door: the cards as other rooms may use them, and the use cases of CardCustody."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import cast

from sqlalchemy import Select, Table, select
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.db import Database
from chassis.rpc.idempotency import CallKey, Idempotency
from chassis.timestamps import stamp
from protos.wayvault.common.v1.common_pb2 import Origin
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.audit.service import Audit, AuditRecord
from services.vault.custody.cards import (
    Card,
    Kept,
    NewCard,
    demand_owner,
    destroy_card,
    find_card,
    kept_cards,
    kept_cvvs,
    keyed_card,
    live_card,
    move_cvv,
    overdue_cards,
    overdue_cvvs,
    owned_card,
    replace_card_of_payment,
    reveal_card,
    show_card_again,
    storing_cards,
    supply_cvv,
)
from services.vault.custody.models import CardRow
from services.vault.custody.rules import (
    MAX_CARD_DAYS,
    MAX_CVV_HOURS,
    CardEvent,
    CardState,
    CvvEvent,
    CvvState,
    Retention,
)
from services.vault.refusals import Act, Refusals
from services.vault.transit.service import Context, KeyName, WrappedColumn, context_of

__all__ = [
    "MAX_CARD_DAYS",
    "MAX_CVV_HOURS",
    "Card",
    "CardEvent",
    "CardState",
    "CustodyService",
    "CvvEvent",
    "CvvState",
    "Kept",
    "NewCard",
    "Retention",
    "card_context",
    "destroy_card",
    "find_card",
    "kept_cards",
    "kept_cvvs",
    "live_card",
    "move_cvv",
    "overdue_cards",
    "overdue_cvvs",
    "owned_card",
    "payments_of_cards",
    "replace_card_of_payment",
    "reveal_card",
    "show_card_again",
    "storing_cards",
    "supply_cvv",
    "tokens_of_agency",
    "wrapped_columns",
]

# What a request has room for on the way back; the newest are the ones that matter when there are more.
_MOST_ENTRIES = 500

_CARD_STATES = {
    CardState.STORED: pb.CARD_STATE_STORED,
    CardState.REVEALED: pb.CARD_STATE_REVEALED,
    CardState.REMOVED: pb.CARD_STATE_REMOVED,
    CardState.LAPSED: pb.CARD_STATE_LAPSED,
}
_CVV_STATES = {
    CvvState.NONE: pb.CVV_STATE_NONE,
    CvvState.HELD: pb.CVV_STATE_HELD,
    CvvState.LINKED: pb.CVV_STATE_LINKED,
    CvvState.SHOWN: pb.CVV_STATE_SHOWN,
    CvvState.PURGED: pb.CVV_STATE_PURGED,
}


class CustodyService:
    """Describes, lists and destroys; for the card's owner agent only.

    `forget` drops what other rooms hold of a card, in the transaction that destroys it.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        idempotency: Idempotency,
        trail: Audit,
        forget: Callable[[Session, str], None],
    ) -> None:
        self._forget = forget
        self._database = database
        self._clock = clock
        self._idempotency = idempotency
        self._trail = trail
        self._refusals = Refusals(database, trail)

    def describe(self, token: str, agent_id: str) -> pb.DescribeCardResponse:
        """A card's state and times. One past its time reads as lapsed, swept or not."""
        with self._refusals.audited(self._look(token, agent_id)), self._database.read() as session:
            card = owned_card(session, token, agent_id)
        return _described(card, self._clock.now())

    def accesses(self, token: str, agent_id: str) -> pb.ListAccessResponse:
        """What happened to the card, oldest first (M12)."""
        with self._refusals.audited(self._look(token, agent_id)), self._database.read() as session:
            owned_card(session, token, agent_id)
            records = self._trail.of_card(session, token)
        return pb.ListAccessResponse(entries=[_entry(record) for record in records[-_MOST_ENTRIES:]])

    def remove(self, token: str, agent_id: str, reason: str, origin: Origin, key: CallKey) -> pb.RemoveCardResponse:
        """Destroys card and CVV. A card that is gone already answers with the time it went."""
        act = Act(
            action="card.removed",
            refused_action="removal.refused",
            origin=origin,
            resource=token,
            agent_id=agent_id,
            card_token=token,
        )

        def work(session: Session) -> pb.RemoveCardResponse:
            card = owned_card(session, token, agent_id, lock=True)
            now = self._clock.now()
            if destroy_card(session, token, CardEvent.REMOVE, now):
                self._forget(session, token)
                self._trail.record(session, act.entry(reason))
                return pb.RemoveCardResponse(removed_at=stamp(now))
            return pb.RemoveCardResponse(removed_at=stamp(card.removed_at))

        with self._refusals.audited(act):
            return self._idempotency.once(key, pb.RemoveCardResponse, work)

    def find_keyed(self, phone_session_id: str, agent_id: str) -> pb.FindKeyedCardResponse:
        """The live card that was keyed in a phone session; an empty answer when there is none.

        Raises PermissionDenied for another agent than its owner.
        """
        with self._database.read() as session:
            card = keyed_card(session, phone_session_id, self._clock.now())
        if card is None:
            return pb.FindKeyedCardResponse()
        with self._refusals.audited(self._look(card.token, agent_id)):
            demand_owner(card, agent_id)
        return pb.FindKeyedCardResponse(
            card_token=card.token,
            brand=card.brand,
            last4=card.last4,
            card_kept_until=stamp(card.kept_until),
            cvv_kept_until=stamp(card.cvv_kept_until),
        )

    def _look(self, token: str, agent_id: str) -> Act:
        return Act(
            action="card.described",
            refused_action="access.refused",
            origin=Origin(),
            resource=token,
            agent_id=agent_id,
            card_token=token,
        )


def tokens_of_agency(agency_id: str, payment_id: str = "") -> Select[str]:
    """The tokens of all cards that an agency ever had, or had for one payment, as part of another query."""
    query = select(CardRow.token).where(CardRow.agency_id == agency_id)
    return query.where(CardRow.payment_id == payment_id) if payment_id else query


def payments_of_cards(session: Session, agency_id: str, tokens: Collection[str]) -> dict[str, str]:
    """The payments that cards were given for, by token; the agency's own cards only."""
    query = select(CardRow.token, CardRow.payment_id).where(CardRow.agency_id == agency_id, CardRow.token.in_(tokens))
    return {row.token: row.payment_id for row in session.execute(query)} if tokens else {}


def wrapped_columns() -> tuple[WrappedColumn, ...]:
    """Where this room keeps ciphertexts, for key management: the cards', and the CVVs'."""
    return (
        _column(KeyName.CARD, "cipher", "key_version"),
        _column(KeyName.CVV, "cvv_cipher", "cvv_key_version"),
    )


def _column(key: KeyName, cipher: str, version: str) -> WrappedColumn:
    return WrappedColumn(
        key=key,
        table=cast("Table", CardRow.__table__),
        row_id="token",
        cipher=cipher,
        version=version,
        context_columns=("token", "agency_id"),
        context_of_row=lambda token, agency_id: card_context(key, token, agency_id),
    )


def card_context(key: KeyName, token: str, agency_id: str) -> Context:
    """What a card's ciphertexts are bound to: moved to another row, agency or kind, none opens."""
    return context_of(key, token, agency_id)


def _described(card: Card, now: datetime) -> pb.DescribeCardResponse:
    state, removed_at = card.state, card.removed_at
    if state in (CardState.STORED, CardState.REVEALED) and not card.lives(now):
        state, removed_at = CardState.LAPSED, card.kept_until
    cvv_state = card.cvv_state
    if cvv_state in (CvvState.HELD, CvvState.LINKED) and not (card.has_cvv(now) and card.lives(now)):
        cvv_state = CvvState.PURGED
    return pb.DescribeCardResponse(
        state=_CARD_STATES[state],
        cvv_state=_CVV_STATES[cvv_state],
        brand=card.brand,
        last4=card.last4,
        stored_at=stamp(card.stored_at),
        card_kept_until=stamp(card.kept_until),
        cvv_kept_until=stamp(card.cvv_kept_until),
        revealed_at=stamp(card.revealed_at),
        cvv_shown_at=stamp(card.cvv_shown_at),
        removed_at=stamp(removed_at),
    )


def _entry(record: AuditRecord) -> pb.AccessEntry:
    entry = record.entry
    return pb.AccessEntry(
        at=stamp(record.at),
        action=entry.action,
        result=entry.result,
        actor=entry.agent_id or entry.actor,
        reason=entry.reason,
        origin=Origin(ip=entry.ip, user_agent=entry.user_agent),
    )
