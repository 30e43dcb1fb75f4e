"""Challenges: sending a code, and judging what was typed.

Guesses are counted before they are compared, in a transaction that has committed: however many arrive at once, and
whatever crashes, no challenge sees more than five comparisons.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from chassis import ids
from chassis.clock import Clock
from chassis.db import Database
from chassis.errors import (
    AlreadyRevealed,
    Busy,
    CardGone,
    CodeExpired,
    CodeLocked,
    CodeWrong,
    CvvGone,
    NotFound,
    PermissionDenied,
    TooManyChallenges,
)
from chassis.sealing import Letter, LetterSealer
from services.vault.agents.service import Agent, find_agent, mask_address
from services.vault.approvals.service import SecondReveal, find_second, standing_approval
from services.vault.custody.service import Card, CardState, find_card, owned_card
from services.vault.refusals import Act, Recorder
from services.vault.reveal.codes import Codes
from services.vault.reveal.grants import (
    challenges_since,
    count_attempt,
    find_grant,
    insert_grant,
    leased_of_card,
    lock_grant,
    supersede,
)
from services.vault.reveal.payload import CodeEntry
from services.vault.reveal.rules import (
    CHALLENGE_WINDOW,
    MOST_ATTEMPTS,
    MOST_CHALLENGES,
    Grant,
    GrantKind,
    GrantState,
    Verdict,
    judge,
)

# Which mail carries the code of which kind of grant.
_TEMPLATES: Final = {
    GrantKind.CARD_CODE: "reveal_code",
    GrantKind.CVV_CODE: "cvv_code",
    GrantKind.APPROVE_CODE: "approve_code",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A challenge and the letter that carries its code."""

    challenge_id: str
    letter: str = field(repr=False)
    expires_at: datetime
    address_hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The grant and card at hand; `repeat`: this recipient was answered before, the answer stands in the grant."""

    grant: Grant
    card: Card
    repeat: bool


class Challenges:
    """See the module."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        trail: Recorder,
        letters: LetterSealer,
        codes: Codes,
        code_ttl: timedelta,
    ) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail
        self._letters = letters
        self._codes = codes
        self._code_ttl = code_ttl

    def send(self, session: Session, kind: GrantKind, act: Act, agent_id: str, purpose: str) -> Sent:
        """A new challenge for a card that `act` names, to its owner; an open one is superseded.

        A card that was shown needs a standing approval (M9), which it then names.
        Raises NotFound, PermissionDenied, AgentUnknown, CardGone, AlreadyRevealed, CvvGone, Busy, TooManyChallenges.
        """
        now = self._clock.now()
        card = owned_card(session, act.card_token or "", agent_id, lock=True)
        agent = self.enrolled(session, agent_id, card)
        again = standing_approval(session, card.token, now) if kind is GrantKind.CARD_CODE else None
        check_card(card, kind, now, again=again is not None)
        return self._issue(session, kind, act, _Issue(card=card, to=agent, purpose=purpose, second=again))

    def send_to_approver(self, session: Session, act: Act, card: Card, second: SecondReveal, approver: Agent) -> Sent:
        """A new challenge for the one who is to approve a second reveal; an open one for the card is superseded.

        The caller has locked the card and judged who may approve. Raises CardGone, Busy, TooManyChallenges.
        """
        check_card(card, GrantKind.APPROVE_CODE, self._clock.now())
        owner = find_agent(session, second.owner_agent_id)
        issue = _Issue(card=card, to=approver, purpose=second.reason, second=second, owner_name=owner.display_name)
        return self._issue(session, GrantKind.APPROVE_CODE, act, issue)

    def _issue(self, session: Session, kind: GrantKind, act: Act, issue: "_Issue") -> Sent:
        now, card, second = self._clock.now(), issue.card, issue.second
        if leased_of_card(session, card.token, kind, now):
            raise Busy
        since = now - CHALLENGE_WINDOW
        if kind is GrantKind.CARD_CODE and second is not None and second.decided_at is not None:
            # An admin has looked at it meanwhile: their approval opens what three codes within an hour had closed.
            since = max(since, second.decided_at)
        if challenges_since(session, card.token, kind, since) >= MOST_CHALLENGES:
            raise TooManyChallenges
        supersede(session, card.token, kind, now)
        code, grant = self._new(kind, issue, now)
        insert_grant(session, grant)
        self._trail.record(session, act.entry(issue.purpose or kind.upper(), resource=grant.id))
        letter = self._letters.seal(_code_letter(grant, issue, code))
        return Sent(
            challenge_id=grant.id, letter=letter, expires_at=grant.expires_at, address_hint=mask_address(issue.to.email)
        )

    def enrolled(self, session: Session, agent_id: str, card: Card) -> Agent:
        """The agent as the register knows them. Raises AgentUnknown, or PermissionDenied for another agency's."""
        agent = find_agent(session, agent_id)
        if agent.agency_id != card.agency_id:
            raise PermissionDenied("This agent belongs to another agency.")
        return agent

    def evaluate(self, kind: GrantKind, entry: CodeEntry, recipient: bytes, act: Act) -> Judged:
        """Step (1) of a redemption, and the comparison of the code.

        Raises CodeWrong (with `attempts_left`), CodeLocked, CodeExpired, and what `judge` and `check_card` raise.
        """
        with self._database.transaction() as session:
            now = self._clock.now()
            judged = self._judge(session, kind, entry, recipient, act, now)
            if judged.repeat:
                return judged
            attempts = count_attempt(session, judged.grant.id, now)
        if attempts is None:
            raise CodeLocked
        if not self._right(judged.grant, entry.code):
            raise self._wrong(judged.grant, attempts, act)
        return judged

    def _judge(  # noqa: PLR0917 - what was asked, by whom, when
        self, session: Session, kind: GrantKind, entry: CodeEntry, recipient: bytes, act: Act, now: datetime
    ) -> Judged:
        grant = find_grant(session, entry.challenge_id)
        if grant is None or grant.kind is not kind:
            raise NotFound("There is no such code. Please ask for a new one.")
        act.card_token, act.resource = grant.card_token, grant.id
        card = find_card(session, grant.card_token)
        if card is None or not _answers(act.agent_id, grant, card):
            raise PermissionDenied("This code belongs to another agent.")
        if grant.state is GrantState.REVEALED and not card.lives(now):
            raise CardGone
        repeat = judge(grant, recipient, now) is Verdict.REPEAT
        if not repeat:
            check_card(card, kind, now, again=_lets_again(session, grant, now))
        return Judged(grant=grant, card=card, repeat=repeat)

    def _right(self, grant: Grant, code: str) -> bool:
        typed = self._codes.hashed(grant.kind, grant.id, grant.agent_id, grant.card_token, code)
        return self._codes.same(typed, grant.secret_hash)

    def _wrong(self, grant: Grant, attempts: int, act: Act) -> CodeWrong | CodeLocked:
        left = MOST_ATTEMPTS - attempts
        if left <= 0:
            with self._database.transaction() as session:
                lock_grant(session, grant.id, self._clock.now())
            return CodeLocked()
        # The frame says how many tries are left, in its own words.
        return CodeWrong(attempts_left=left)

    def _new(self, kind: GrantKind, issue: "_Issue", now: datetime) -> tuple[str, Grant]:
        code, grant_id, second = self._codes.new(), ids.new_id("challenge"), issue.second
        secret_hash = self._codes.hashed(kind, grant_id, issue.to.agent_id, issue.card.token, code)
        # No code outlives what it is for.
        ttl = min(self._code_ttl, second.expires_at - now) if second is not None else self._code_ttl
        grant = new_grant(grant_id, kind, issue.card, secret_hash=secret_hash, now=now, ttl=ttl, purpose=issue.purpose)
        second_id = second.id if second is not None else None
        return code, replace(grant, agent_id=issue.to.agent_id, second_reveal_id=second_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Issue:
    """What a code is for, and whom it is mailed to. `owner_name`: who asked an approver."""

    card: Card
    to: Agent
    purpose: str
    second: SecondReveal | None
    owner_name: str = ""


def _answers(agent_id: str, grant: Grant, card: Card) -> bool:
    """Whether the grant is this agent's to answer: the card's owner's, but for an approver's."""
    if grant.kind is GrantKind.APPROVE_CODE:
        return grant.agent_id == agent_id
    return grant.agent_id == agent_id == card.owner_agent_id


def _lets_again(session: Session, grant: Grant, now: datetime) -> bool:
    """Whether the grant shows a card once more. Raises CodeExpired when the approval behind it has ended."""
    if grant.kind is not GrantKind.CARD_CODE or grant.second_reveal_id is None:
        return False
    second = find_second(session, grant.second_reveal_id)
    if second is None or not second.lets(now):
        raise CodeExpired("The approval has ended. Ask for a second reveal again.")
    return True


def new_grant(
    grant_id: str, kind: GrantKind, card: Card, *, secret_hash: bytes, now: datetime, ttl: timedelta, purpose: str
) -> Grant:
    """An open grant, for the card's owner agent."""
    return Grant(
        id=grant_id,
        kind=kind,
        card_token=card.token,
        agent_id=card.owner_agent_id,
        state=GrantState.OPEN,
        secret_hash=secret_hash,
        attempts=0,
        purpose=purpose,
        created_at=now,
        expires_at=now + ttl,
        recipient=None,
        lease_until=None,
        revealed_at=None,
        answer=None,
        answer_until=None,
    )


def check_card(card: Card, kind: GrantKind, now: datetime, *, again: bool = False) -> None:
    """Raises CardGone, AlreadyRevealed or CvvGone when the card no longer holds what the grant would show.

    `again`: an approval lets a card that was shown be shown once more.
    """
    if not card.lives(now):
        raise CardGone
    match kind:
        case GrantKind.CARD_CODE:
            if card.state is not CardState.STORED and not again:
                raise AlreadyRevealed
        case GrantKind.CVV_CODE | GrantKind.CVV_LINK:
            if not card.has_cvv(now):
                raise CvvGone
        case GrantKind.APPROVE_CODE:
            pass


def _code_letter(grant: Grant, issue: _Issue, code: str) -> Letter:
    data = {
        "code": code,
        "agent_name": issue.to.display_name,
        "brand": issue.card.brand,
        "last4": issue.card.last4,
        "minutes": str(max(1, round((grant.expires_at - grant.created_at).total_seconds() / 60))),
    }
    if issue.owner_name:
        data["owner_name"] = issue.owner_name
    if grant.purpose:
        data["purpose"] = grant.purpose
    return Letter(
        letter_id=ids.new_id("letter"),
        template=_TEMPLATES[grant.kind],
        to=issue.to.email,
        data=data,
        issued_at=grant.created_at,
        expires_at=grant.expires_at,
    )
