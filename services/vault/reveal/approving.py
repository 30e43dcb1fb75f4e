"""Approving a second reveal (M9): the approver proves themselves with a code mailed to their own enrolled address.

What they get back is no card, but until when the owner may retrieve it once more.
"""

import hashlib
from datetime import timedelta

from sqlalchemy.orm import Session

from chassis import ids
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import Busy, NotFound, PermissionDenied
from chassis.rpc.calls import require_time
from chassis.rpc.idempotency import CallKey, Idempotency
from chassis.timestamps import stamp
from protos.wayvault.common.v1.common_pb2 import Origin
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.approvals.service import APPROVAL_TTL, approve, deciding
from services.vault.refusals import Act, Recorder, Refusals
from services.vault.reveal.challenges import Challenges
from services.vault.reveal.grants import reveal_grant, take_grant
from services.vault.reveal.payload import read_code
from services.vault.reveal.redeem import TIME_NEEDED
from services.vault.reveal.rules import Grant, GrantKind
from services.vault.reveal.service import SealOpener


class Approving:
    """See the module."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        idempotency: Idempotency,
        trail: Recorder,
        seals: SealOpener,
        challenges: Challenges,
        answer_ttl: timedelta,
    ) -> None:
        self._database = database
        self._clock = clock
        self._idempotency = idempotency
        self._trail = trail
        self._refusals = Refusals(database, trail)
        self._seals = seals
        self._challenges = challenges
        self._answer_ttl = answer_ttl

    def send_code(self, second_id: str, *, approver_id: str, origin: Origin, key: CallKey) -> pb.ChallengeResponse:
        """Mails the approver their code. Raises what `deciding` and `Challenges.send_to_approver` raise."""
        act = Act(
            action="approval.code_sent",
            refused_action="second_reveal.refused",
            origin=origin,
            resource=second_id,
            agent_id=approver_id,
        )

        def work(session: Session) -> pb.ChallengeResponse:
            decision = deciding(session, second_id, approver_id, self._clock, act)
            sent = self._challenges.send_to_approver(session, act, decision.card, decision.second, decision.approver)
            return pb.ChallengeResponse(
                challenge_id=sent.challenge_id,
                sealed_mail=sent.letter,
                expires_at=stamp(sent.expires_at),
                address_hint=sent.address_hint,
            )

        with self._refusals.audited(act):
            return self._idempotency.once(key, pb.ChallengeResponse, work)

    def confirm(self, sealed: str, *, approver_id: str, origin: Origin) -> pb.ConfirmApprovalResponse:
        """Turns a right code into an approval. The sealed request is its own idempotency key."""
        require_time(TIME_NEEDED)
        entry = read_code(self._seals.open(sealed, "wv-approve+jwe"))
        same_request = hashlib.sha256(sealed.encode()).digest()
        act = Act(
            action="second_reveal.approved",
            refused_action="second_reveal.refused",
            origin=origin,
            resource=entry.challenge_id,
            agent_id=approver_id,
        )
        with self._refusals.audited(act):
            judged = self._challenges.evaluate(GrantKind.APPROVE_CODE, entry, same_request, act)
            if judged.repeat:
                return pb.ConfirmApprovalResponse.FromString(bytes.fromhex(judged.grant.answer or ""))
            with self._database.transaction() as session:
                return self._approve(session, judged.grant, same_request, act)

    def _approve(self, session: Session, grant: Grant, same_request: bytes, act: Act) -> pb.ConfirmApprovalResponse:
        if grant.second_reveal_id is None:
            raise NotFound("There is no such request.")
        decision = deciding(session, grant.second_reveal_id, grant.agent_id, self._clock, act)
        now, lease_id = self._clock.now(), ids.new_id("lease")
        take_grant(session, grant, same_request, lease_id, now)
        if not approve(session, decision.second.id, grant.agent_id, now):
            raise PermissionDenied("This request was decided meanwhile.")
        answer = pb.ConfirmApprovalResponse(second_reveal_id=decision.second.id, good_until=stamp(now + APPROVAL_TTL))
        kept = answer.SerializeToString().hex()
        if not reveal_grant(session, grant.id, lease_id, answer=kept, now=now, answer_until=now + self._answer_ttl):
            raise Busy
        self._trail.record(session, act.entry(decision.second.reason))
        return answer
