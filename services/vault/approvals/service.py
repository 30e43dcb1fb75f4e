"""The approvals room's door: second reveals as the reveal room uses them, and asking for one or refusing it (M9).

Approving takes a code, so that use case stands with the codes: services/vault/reveal/approving.py.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from chassis import ids
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import CardGone, NotFound, PermissionDenied
from chassis.rpc.idempotency import CallKey, Idempotency
from chassis.timestamps import stamp
from protos.wayvault.common.v1.common_pb2 import Origin
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.agents.service import Agent, approvers_of, find_agent
from services.vault.approvals.records import (
    approve,
    delete_ended,
    expire,
    find_second,
    insert_second,
    open_of_card,
    overdue,
    refuse,
    standing_approval,
    use,
)
from services.vault.approvals.rules import (
    APPROVAL_TTL,
    REQUEST_TTL,
    SecondReveal,
    SecondState,
    check_open,
    check_pair,
    same_person,
)
from services.vault.audit.service import AuditEntry
from services.vault.custody.service import Card, CardState, find_card, owned_card
from services.vault.refusals import Act, Recorder, Refusals

__all__ = [
    "APPROVAL_TTL",
    "REQUEST_TTL",
    "Decision",
    "SecondReveal",
    "SecondRevealService",
    "SecondState",
    "approve",
    "deciding",
    "delete_ended",
    "expire_one",
    "find_second",
    "overdue",
    "standing_approval",
    "use",
]


class SecondRevealService:
    """Asking and refusing."""

    def __init__(self, *, database: Database, clock: Clock, idempotency: Idempotency, trail: Recorder) -> None:
        self._clock = clock
        self._idempotency = idempotency
        self._trail = trail
        self._refusals = Refusals(database, trail)

    def request(
        self, card_token: str, *, agent_id: str, reason: str, origin: Origin, key: CallKey
    ) -> pb.RequestSecondRevealResponse:
        """The owner asks. Asking while a request or an approval stands gives that one.

        Raises NotFound, PermissionDenied (not theirs, or off for their agency, or never shown), AgentUnknown, CardGone.
        """
        act = Act(
            action="second_reveal.requested",
            refused_action="second_reveal.refused",
            origin=origin,
            resource=card_token,
            agent_id=agent_id,
            card_token=card_token,
        )

        def work(session: Session) -> pb.RequestSecondRevealResponse:
            second = self._ask(session, card_token, agent_id, reason, act)
            return pb.RequestSecondRevealResponse(second_reveal_id=second.id, expires_at=stamp(second.expires_at))

        with self._refusals.audited(act):
            return self._idempotency.once(key, pb.RequestSecondRevealResponse, work)

    def _ask(self, session: Session, card_token: str, agent_id: str, reason: str, act: Act) -> SecondReveal:
        now = self._clock.now()
        card = owned_card(session, card_token, agent_id, lock=True)
        owner = find_agent(session, agent_id)
        if not card.lives(now):
            raise CardGone
        if card.state is not CardState.REVEALED:
            raise PermissionDenied("This card was not shown yet. Retrieve it first.")
        approvers = approvers_of(session, card.agency_id)
        if owner.agency_id != card.agency_id or all(same_person(owner, approver) for approver in approvers):
            raise PermissionDenied(
                "Second reveals are off for this agency: the operator made nobody else in it an approver."
            )
        known = open_of_card(session, card_token)
        if known is not None and known.stands(now):
            return known
        if known is not None:
            expire_one(session, known, self._clock, self._trail)
        second = SecondReveal(
            id=ids.new_id("second"),
            card_token=card_token,
            agency_id=card.agency_id,
            owner_agent_id=agent_id,
            state=SecondState.REQUESTED,
            reason=reason,
            requested_at=now,
            expires_at=min(now + REQUEST_TTL, card.kept_until),
            approver_id=None,
            decided_at=None,
            used_at=None,
        )
        insert_second(session, second)
        self._trail.record(session, act.entry(reason, resource=second.id))
        return second

    def refuse(
        self, second_id: str, *, approver_id: str, word: str, origin: Origin, key: CallKey
    ) -> pb.RefuseSecondRevealResponse:
        """An approver says no. Raises NotFound, AgentUnknown, PermissionDenied."""
        act = Act(
            action="second_reveal.declined",
            refused_action="second_reveal.refused",
            origin=origin,
            resource=second_id,
            agent_id=approver_id,
        )

        def work(session: Session) -> pb.RefuseSecondRevealResponse:
            now = self._clock.now()
            decision = deciding(session, second_id, approver_id, self._clock, act)
            if not refuse(session, decision.second.id, approver_id, now):
                raise PermissionDenied("This request was decided meanwhile.")
            self._trail.record(session, act.entry(word))
            return pb.RefuseSecondRevealResponse(refused_at=stamp(now))

        with self._refusals.audited(act):
            return self._idempotency.once(key, pb.RefuseSecondRevealResponse, work)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A request that may be decided now, its card (both locked), and who decides."""

    second: SecondReveal
    card: Card
    approver: Agent


def deciding(session: Session, second_id: str, approver_id: str, clock: Clock, act: Act) -> Decision:
    """Locks card and request (in that order) and judges who decides: two distinct enrolled people of one agency.

    Names the card in `act`. Raises NotFound, AgentUnknown, PermissionDenied, CardGone.
    """
    now = clock.now()
    found = find_second(session, second_id)
    if found is None:
        raise NotFound("There is no such request.")
    act.card_token, act.resource = found.card_token, found.id
    card = find_card(session, found.card_token, lock=True)
    second = find_second(session, second_id, lock=True)
    if card is None or second is None:
        raise NotFound("There is no such request.")
    approver = find_agent(session, approver_id)
    check_pair(find_agent(session, second.owner_agent_id), approver)
    if not card.lives(now):
        raise CardGone
    check_open(second, now)
    return Decision(second=second, card=card, approver=approver)


def expire_one(session: Session, second: SecondReveal, clock: Clock, trail: Recorder) -> bool:
    """Ends a second reveal past its time, and writes that down."""
    if not expire(session, second.id, clock.now()):
        return False
    entry = AuditEntry(
        action="second_reveal.expired",
        actor="vault",
        resource=second.id,
        card_token=second.card_token,
        reason="NOT_USED" if second.state is SecondState.APPROVED else "NOT_DECIDED",
    )
    trail.record(session, entry)
    return True
