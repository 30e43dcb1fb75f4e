"""Use cases of CardReveal, and the reveal room's door."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from chassis import ids
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import (
    AlreadyRevealed,
    Busy,
    CardGone,
    CodeExpired,
    CvvGone,
    NotFound,
    PermissionDenied,
)
from chassis.rpc.calls import require_time
from chassis.rpc.idempotency import CallKey, Idempotency
from chassis.sealing import Letter, LetterSealer
from chassis.timestamps import stamp
from protos.wayvault.common.v1.common_pb2 import Origin
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.agents.service import Agent, mask_address
from services.vault.approvals.service import use as use_approval
from services.vault.custody.service import (
    Card,
    CvvEvent,
    card_context,
    find_card,
    move_cvv,
    reveal_card,
    show_card_again,
)
from services.vault.refusals import Act, Recorder, Refusals
from services.vault.reveal.challenges import Challenges, check_card, new_grant
from services.vault.reveal.grants import (
    delete_ended,
    drop_answers,
    drop_answers_of_card,
    expire_overdue,
    find_by_secret,
    insert_grant,
    leased_of_card,
    reveal_grant,
    supersede,
    take_grant,
)
from services.vault.reveal.payload import read_code, read_cvv_redeem, read_reveal
from services.vault.reveal.redeem import TIME_NEEDED, Redeemer, Secret, Shown
from services.vault.reveal.rules import Grant, GrantKind, GrantState, Verdict, judge
from services.vault.transit.service import KeyName


class SealOpener(Protocol):
    """Opens what the secure frame sealed to the vault's current or recent key."""

    def open(self, text: str, typ: str) -> bytes:
        """Raises SealBroken when it does not open."""
        ...


__all__ = ["RevealService", "SealedRequest", "delete_ended", "drop_answers", "expire_overdue", "forget_card"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRequest:
    """What the frame sealed, which agent's page relayed it, and from where."""

    agent_id: str
    sealed: str
    origin: Origin


def forget_card(session: Session, card_token: str) -> None:
    """Drops what this room still holds of a card that is destroyed: kept answers. Open grants die with their card."""
    drop_answers_of_card(session, card_token)


class RevealService:
    """Shows a card, or a CVV, to the agent who owns it, once."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        idempotency: Idempotency,
        trail: Recorder,
        seals: SealOpener,
        challenges: Challenges,
        redeemer: Redeemer,
        letters: LetterSealer,
        cvv_link_url: str,
        cvv_link_ttl: timedelta,
        answer_ttl: timedelta,
    ) -> None:
        self._database = database
        self._clock = clock
        self._idempotency = idempotency
        self._trail = trail
        self._refusals = Refusals(database, trail)
        self._seals = seals
        self._challenges = challenges
        self._redeemer = redeemer
        self._letters = letters
        self._cvv_link_url = cvv_link_url
        self._cvv_link_ttl = cvv_link_ttl
        self._answer_ttl = answer_ttl

    # ---- asking for a code

    def request(
        self, kind: GrantKind, card_token: str, *, agent_id: str, purpose: str, origin: Origin, key: CallKey
    ) -> pb.ChallengeResponse:
        """Sends a code. See `Challenges.send` for what it raises."""
        act = Act(
            action="challenge.sent",
            refused_action="challenge.refused",
            origin=origin,
            resource=card_token,
            agent_id=agent_id,
            card_token=card_token,
        )

        def work(session: Session) -> pb.ChallengeResponse:
            sent = self._challenges.send(session, kind, act, agent_id, purpose)
            return pb.ChallengeResponse(
                challenge_id=sent.challenge_id,
                sealed_mail=sent.letter,
                expires_at=stamp(sent.expires_at),
                address_hint=sent.address_hint,
            )

        with self._refusals.audited(act):
            return self._idempotency.once(key, pb.ChallengeResponse, work)

    # ---- the card

    def confirm_reveal(self, request: SealedRequest) -> pb.ConfirmRevealResponse:
        """Shows the card to the frame that typed the code. The reply key is the idempotency key."""
        require_time(TIME_NEEDED)
        entry, recipient = read_reveal(self._seals.open(request.sealed, "wv-reveal+jwe"))
        act = self._act(request, entry.challenge_id, "card.revealed")
        with self._refusals.audited(act):
            judged = self._challenges.evaluate(GrantKind.CARD_CODE, entry, recipient.id, act)
            grant, card = judged.grant, judged.card
            shown = (
                _kept(grant)
                if judged.repeat
                else self._redeemer.redeem(
                    grant, recipient, _card_secret(card), lambda session, at: self._settle_card(session, at, grant, act)
                )
            )
        return pb.ConfirmRevealResponse(sealed_answer=shown.answer, revealed_at=stamp(shown.at), card_token=card.token)

    def _settle_card(self, session: Session, at: datetime, grant: Grant, act: Act) -> None:
        again = grant.second_reveal_id is not None
        show = show_card_again if again else reveal_card
        if not show(session, grant.card_token, at):
            card = find_card(session, grant.card_token)
            raise AlreadyRevealed() if card is not None and card.lives(at) else CardGone()
        if grant.second_reveal_id is not None and not use_approval(session, grant.second_reveal_id, at):
            raise CodeExpired("The approval has ended. Ask for a second reveal again.")
        self._trail.record(session, act.entry(grant.purpose, action="card.revealed_again" if again else ""))

    # ---- the CVV: code, link, show

    def confirm_cvv(self, request: SealedRequest) -> pb.ConfirmCvvResponse:
        """Turns a right code into a letter with a one-time link. The sealed request is its own idempotency key."""
        require_time(TIME_NEEDED)
        entry = read_code(self._seals.open(request.sealed, "wv-cvv-confirm+jwe"))
        same_request = hashlib.sha256(request.sealed.encode()).digest()
        act = self._act(request, entry.challenge_id, "cvv.link_sent")
        with self._refusals.audited(act):
            judged = self._challenges.evaluate(GrantKind.CVV_CODE, entry, same_request, act)
            if judged.repeat:
                return pb.ConfirmCvvResponse.FromString(bytes.fromhex(judged.grant.answer or ""))
            with self._database.transaction() as session:
                return self._link(session, judged.grant, judged.card, same_request, act)

    def _link(self, session: Session, grant: Grant, card: Card, same_request: bytes, act: Act) -> pb.ConfirmCvvResponse:
        now, lease_id = self._clock.now(), ids.new_id("lease")
        agent = self._challenges.enrolled(session, grant.agent_id, card)
        if not move_cvv(session, card.token, CvvEvent.LINK, now):
            raise CvvGone
        take_grant(session, grant, same_request, lease_id, now)
        if leased_of_card(session, card.token, GrantKind.CVV_LINK, now):
            raise Busy
        supersede(session, card.token, GrantKind.CVV_LINK, now)
        token, link_id = ids.new_link_token(), ids.new_id("link")
        secret_hash = bytes.fromhex(ids.token_sha256(token))
        link = new_grant(
            link_id, GrantKind.CVV_LINK, card, secret_hash=secret_hash, now=now, ttl=self._cvv_link_ttl, purpose=""
        )
        insert_grant(session, link)
        answer = pb.ConfirmCvvResponse(
            sealed_mail=self._letters.seal(self._link_letter(link, agent, card, token)),
            link_expires_at=stamp(link.expires_at),
            address_hint=mask_address(agent.email),
            card_token=card.token,
        )
        kept = answer.SerializeToString().hex()
        if not reveal_grant(session, grant.id, lease_id, answer=kept, now=now, answer_until=now + self._answer_ttl):
            raise Busy
        self._trail.record(session, act.entry(resource=link_id))
        return answer

    def redeem_cvv_link(self, request: SealedRequest) -> pb.RedeemCvvLinkResponse:
        """Shows the CVV to the frame whose button was clicked, and destroys it in the same transaction."""
        require_time(TIME_NEEDED)
        token, recipient = read_cvv_redeem(self._seals.open(request.sealed, "wv-cvv-redeem+jwe"))
        act = self._act(request, "cvv_link", "cvv.shown")
        with self._refusals.audited(act):
            grant, card, repeat = self._judge_link(token, recipient.id, act)
            shown = (
                _kept(grant)
                if repeat
                else self._redeemer.redeem(
                    grant, recipient, _cvv_secret(card), lambda session, at: self._settle_cvv(session, at, grant, act)
                )
            )
        return pb.RedeemCvvLinkResponse(sealed_answer=shown.answer, shown_at=stamp(shown.at), card_token=card.token)

    def _judge_link(self, token: str, recipient: bytes, act: Act) -> tuple[Grant, Card, bool]:
        now = self._clock.now()
        with self._database.transaction() as session:
            grant = find_by_secret(session, bytes.fromhex(ids.token_sha256(token)))
            if grant is None or grant.kind is not GrantKind.CVV_LINK:
                raise NotFound("This link is not known. Please open the newest e-mail, or ask for a new code.")
            act.card_token, act.resource = grant.card_token, grant.id
            card = find_card(session, grant.card_token)
        if card is None or grant.agent_id != act.agent_id or card.owner_agent_id != act.agent_id:
            raise PermissionDenied("This link belongs to another agent.")
        if grant.state is GrantState.REVEALED and not card.lives(now):
            raise CardGone
        repeat = judge(grant, recipient, now) is Verdict.REPEAT
        if not repeat:
            check_card(card, GrantKind.CVV_LINK, now)
        return grant, card, repeat

    def _settle_cvv(self, session: Session, at: datetime, grant: Grant, act: Act) -> None:
        if not move_cvv(session, grant.card_token, CvvEvent.SHOW, at):
            raise CvvGone
        self._trail.record(session, act.entry())

    def _link_letter(self, link: Grant, agent: Agent, card: Card, token: str) -> Letter:
        return Letter(
            letter_id=ids.new_id("letter"),
            template="cvv_link",
            to=agent.email,
            data={
                "url": f"{self._cvv_link_url}#{token}",
                "agent_name": agent.display_name,
                "brand": card.brand,
                "last4": card.last4,
                "minutes": str(round(self._cvv_link_ttl.total_seconds() / 60)),
            },
            issued_at=link.created_at,
            expires_at=link.expires_at,
        )

    def _act(self, request: SealedRequest, resource: str, action: str) -> Act:
        return Act(
            action=action,
            refused_action="reveal.refused",
            origin=request.origin,
            resource=resource,
            agent_id=request.agent_id,
        )


def _kept(grant: Grant) -> Shown:
    if grant.answer is None or grant.revealed_at is None:
        raise AlreadyRevealed
    return Shown(answer=grant.answer, at=grant.revealed_at)


def _card_secret(card: Card) -> Secret:
    if card.cipher is None:
        raise CardGone
    context = card_context(KeyName.CARD, card.token, card.agency_id)
    return Secret(key=KeyName.CARD, cipher=card.cipher, context=context, typ="wv-card+jwe")


def _cvv_secret(card: Card) -> Secret:
    if card.cvv_cipher is None:
        raise CvvGone
    context = card_context(KeyName.CVV, card.token, card.agency_id)
    return Secret(key=KeyName.CVV, cipher=card.cvv_cipher, context=context, typ="wv-cvv+jwe")
