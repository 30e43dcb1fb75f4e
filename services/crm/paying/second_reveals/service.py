"""Use cases of second reveals: asking, proving oneself, approving, refusing. The CRM relays what it can't read."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, literal, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import SecondRevealDecided, SecondRevealRequested
from services.crm.access.agency.service import AgentDetail, Directory, agent_snapshot
from services.crm.core.actor import Actor
from services.crm.core.news import tell
from services.crm.core.ports.vault import Origin, VaultPort
from services.crm.paying.payments.service import Payment, asked_of_admins, context_of, locked_own, payments_by_id
from services.crm.paying.reveal.service import CodeSent, Reveals
from services.crm.paying.second_reveals.models import SecondRevealRow
from services.crm.paying.second_reveals.records import SecondReveal, newest, second_of
from services.crm.paying.second_reveals.rules import LONGEST_REASON, SecondState, SecondStatus, ask_refusal

__all__ = ["Asked", "SecondReveal", "SecondReveals", "SecondStatus"]

_UNKNOWN = "There is no such request."
_OPEN = (SecondStatus.REQUESTED, SecondStatus.APPROVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request with what an admin needs to decide it."""

    second: SecondReveal
    payment: Payment
    agent_name: str
    decided_by_name: str


class SecondReveals:
    """The room's use cases. All raise WayvaultErrors whose text is for the person."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        directory: Directory,
        vault: VaultPort,
        reveals: Reveals,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._directory = directory
        self._vault = vault
        self._reveals = reveals

    # ---- the owner

    def ask(self, actor: Actor, payment_id: str, *, reason: str, origin: Origin) -> SecondReveal:
        """Asks for a second reveal; the agency's other admins are mailed. Asking again while one stands gives that.

        Raises NotFound, PermissionDenied, InvalidArgument (field "reason"), and what the vault refuses.
        """
        reason = " ".join(reason.split())
        if not reason:
            raise InvalidArgument("Say why you need to see the card once more.", field="reason")
        if len(reason) > LONGEST_REASON:
            raise InvalidArgument(f"Use at most {LONGEST_REASON} characters.", field="reason")
        with self._database.transaction() as session:
            payment = locked_own(session, actor, payment_id).now
            known = self._of(session, payment_id)
            if known is not None and known.status in _OPEN:
                return known
            self._check(session, payment)
            token, previous = payment.card_token or "", known.id if known else ""
        # The payment's last second reveal is part of the key: the form sent twice asks once, a later one asks anew.
        key = hashlib.sha256(f"{payment_id}\n{previous}\n{reason}".encode()).hexdigest()
        asked = self._vault.request_second_reveal(
            idempotency_key=key, card_token=token, agent_id=actor.agent_id, reason=reason, origin=origin
        )
        try:
            with self._database.transaction() as session:
                return self._record_asked(session, actor, payment_id, asked.id, reason=reason, ends_at=asked.expires_at)
        except IntegrityError:
            # Two clicks at once: the vault gave both the same request, and the other one has recorded it.
            with self._database.read() as session:
                return second_of(session.get_one(SecondRevealRow, asked.id), self._clock.now())

    def _check(self, session: Session, payment: Payment) -> None:
        allowed = self._directory.load_agency(session, payment.agency_id).data.second_reveal
        if refusal := ask_refusal(payment.state, card_held=payment.card_held, allowed=allowed, asked=False):
            raise InvalidArgument(refusal)
        if not self._others(session, payment.agency_id, payment.agent_id):
            raise InvalidArgument("There is no other admin in your agency who could approve it.")

    def _others(self, session: Session, agency_id: str, agent_id: str) -> list[AgentDetail]:
        """The admins who may decide for this agent."""
        return [one for one in self._directory.admins(session, agency_id) if one.id != agent_id]

    def _record_asked(
        self, session: Session, actor: Actor, payment_id: str, second_id: str, *, reason: str, ends_at: datetime
    ) -> SecondReveal:
        held = locked_own(session, actor, payment_id)
        payment = held.now
        if known := session.get(SecondRevealRow, second_id):
            return second_of(known, self._clock.now())
        row = SecondRevealRow(
            id=second_id,
            payment_id=payment.id,
            agency_id=payment.agency_id,
            agent_id=payment.agent_id,
            state=SecondState.REQUESTED,
            reason=reason,
            requested_at=self._clock.now(),
            ends_at=ends_at,
            word="",
        )
        session.add(row)
        session.flush()
        event = SecondRevealRequested(context=held.context, reason=reason, second_reveal_id=second_id)
        admins = self._others(session, payment.agency_id, payment.agent_id)
        event.admins.extend(agent_snapshot(admin) for admin in admins)
        tell(session, (admin.id for admin in admins))
        self._outbox.add(session, event, aggregate_id=payment.id, agency_id=payment.agency_id)
        return second_of(row, self._clock.now())

    def of_payment(self, payment_id: str) -> SecondReveal | None:
        """The newest of a payment that the caller has from a look-up of their own."""
        with self._database.read() as session:
            return self._of(session, payment_id)

    def _of(self, session: Session, payment_id: str) -> SecondReveal | None:
        row = newest(session, payment_id)
        return second_of(row, self._clock.now()) if row is not None else None

    # ---- the approver

    def count_waiting(self, actor: Actor) -> Select[int]:
        """How many requests wait for this admin; none for anybody else."""
        return select(func.count()).where(
            SecondRevealRow.agency_id == actor.agency_id,
            SecondRevealRow.agent_id != actor.agent_id,
            SecondRevealRow.state == SecondState.REQUESTED,
            SecondRevealRow.ends_at > self._clock.now(),
            literal(actor.is_admin),
        )

    def asked(self, actor: Actor, limit: int = 50) -> list[Asked]:
        """The agency's requests for its admins, newest first. Raises NotFound for others."""
        with self._database.read() as session:
            found = asked_of_admins(session, SecondRevealRow, actor, limit=limit, unknown=_UNKNOWN)
            names = self._directory.names(session, actor.agency_id)
            return [self._asked(row, payment, names) for row, payment in found]

    def get(self, actor: Actor, second_id: str) -> Asked:
        """One request, for an admin of its agency. Raises NotFound."""
        _require_admin(actor)
        with self._database.read() as session:
            row = session.get(SecondRevealRow, second_id)
            if row is None or row.agency_id != actor.agency_id:
                raise NotFound(_UNKNOWN)
            names = self._directory.names(session, actor.agency_id)
            return self._asked(row, payments_by_id(session, [row.payment_id])[row.payment_id], names)

    def _asked(self, row: SecondRevealRow, payment: Payment, names: dict[str, str]) -> Asked:
        return Asked(
            second=second_of(row, self._clock.now()),
            payment=payment,
            agent_name=names.get(row.agent_id, ""),
            decided_by_name=names.get(row.decided_by or "", ""),
        )

    def to_decide(self, actor: Actor, second_id: str) -> Asked:
        """The request, when this admin may decide it now. Raises NotFound, PermissionDenied, InvalidArgument."""
        asked = self.get(actor, second_id)
        if asked.second.agent_id == actor.agent_id:
            raise PermissionDenied("You asked for this yourself. Another admin has to decide it.")
        if asked.second.status is not SecondStatus.REQUESTED:
            raise InvalidArgument(f"This request is {asked.second.status} already. There is nothing left to decide.")
        if not self._directory.agency(actor.agency_id).data.second_reveal:
            raise InvalidArgument("Your agency does not allow second reveals any more.")
        return asked

    def send_code(self, actor: Actor, second_id: str, *, request_key: str, origin: Origin) -> CodeSent:
        """Has the vault mail the approver their code. The caller has checked their authenticator."""
        asked = self.to_decide(actor, second_id)
        return self._reveals.send_approval_code(
            actor, asked.payment, second_id=second_id, request_key=request_key, origin=origin
        )

    def approve(self, actor: Actor, second_id: str, *, sealed_request: str, origin: Origin) -> SecondReveal:
        """Relays the frame's sealed code. The same sealed request again gives the same answer, for a while.

        What the vault approved and the CRM failed to record raises, so that the frame sends the same request again.
        """
        asked = self.get(actor, second_id)
        if asked.second.status is not SecondStatus.APPROVED:
            self.to_decide(actor, second_id)
        approval = self._vault.confirm_approval(
            approver_id=actor.agent_id, sealed_request=sealed_request, origin=origin
        )
        with self._database.transaction() as session:
            row = session.get(SecondRevealRow, approval.second_reveal_id, with_for_update=True)
            if row is None or row.agency_id != actor.agency_id:
                raise NotFound(_UNKNOWN)
            if row.state == SecondState.REQUESTED:
                row.state, row.ends_at = SecondState.APPROVED, approval.good_until
                self._decided(session, row, actor, approved=True)
            return second_of(row, self._clock.now())

    def refuse(self, actor: Actor, second_id: str, *, word: str, origin: Origin) -> SecondReveal:
        """Says no, with a word to the agent. Raises as `to_decide`, and what the vault refuses."""
        word = " ".join(word.split())
        if len(word) > LONGEST_REASON:
            raise InvalidArgument(f"Use at most {LONGEST_REASON} characters.", field="word")
        self.to_decide(actor, second_id)
        key = hashlib.sha256(f"{second_id}\n{actor.agent_id}\n{word}".encode()).hexdigest()
        self._vault.refuse_second_reveal(
            idempotency_key=key, second_reveal_id=second_id, approver_id=actor.agent_id, word=word, origin=origin
        )
        with self._database.transaction() as session:
            row = session.get_one(SecondRevealRow, second_id, with_for_update=True)
            if row.state == SecondState.REQUESTED:
                row.state, row.word = SecondState.REFUSED, word
                self._decided(session, row, actor, approved=False)
            return second_of(row, self._clock.now())

    def _decided(self, session: Session, row: SecondRevealRow, actor: Actor, *, approved: bool) -> None:
        row.decided_by, row.decided_at = actor.agent_id, self._clock.now()
        tell(session, (admin.id for admin in self._others(session, row.agency_id, row.agent_id)))
        event = SecondRevealDecided(
            context=context_of(session, row.payment_id), approved=approved, decided_by=actor.name, word=row.word
        )
        if approved:
            event.good_until.CopyFrom(stamp(row.ends_at))
        self._outbox.add(session, event, aggregate_id=row.payment_id, agency_id=row.agency_id)


def _require_admin(actor: Actor) -> None:
    if not actor.is_admin:
        raise NotFound(_UNKNOWN)
