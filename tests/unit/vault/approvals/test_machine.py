"""Whatever two agents, two approvers, frames, faults and time do in whatever order: no showing without an approval.

The model counts what each approval allows; the vault must never show more, and never call open what is over.
"""

import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chassis import errors
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.approvals.rules import APPROVAL_TTL, REQUEST_TTL
from tests.support.vault_kit import AGENT, APPROVER, OTHER_AGENT, VISA, Frame, Kit, make_kit

_PEOPLE = (AGENT, OTHER_AGENT, APPROVER, "agent_edda")
_APPROVERS = (APPROVER, "agent_edda")
# Mostly who should, sometimes who should not.
_OWNER_MOSTLY = st.sampled_from((*[AGENT] * 5, *_PEOPLE))
_APPROVER_MOSTLY = st.sampled_from((*[APPROVER] * 5, *_PEOPLE))


class SecondRevealMachine(RuleBasedStateMachine):
    """A card that was shown once; who asks, who decides and who types which code is anybody's guess."""

    @initialize()
    def show_once(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="wayvault-second-"))
        self.kit: Kit = make_kit(self.folder)
        self.kit.with_approver()
        self.kit.enrol("agent_edda", email="edda@harbour.example")
        self.kit.set_approver("agent_edda")
        self.token = self.kit.reveal_once()
        self.frames: list[Frame] = [self.kit.frame() for _ in range(2)]
        self.second = ""
        self.asked_until = self.approved_until = datetime.min.replace(tzinfo=self.now.tzinfo)
        # Whom the newest approval code was mailed to, and the code; likewise the owner's newest card code.
        self.approval: tuple[str, str, str] | None = None
        self.challenge: tuple[str, str] | None = None
        self.approvals = self.showings = 0
        self.answered: dict[str, int] = {}
        self.transit_up, self.removed = True, False

    @property
    def now(self) -> datetime:
        return self.kit.clock.now()

    @property
    def approved(self) -> bool:
        """Whether an approval stands unused."""
        return self.approvals > self.showings and self.now < self.approved_until

    @property
    def asked(self) -> bool:
        return self.now < self.asked_until

    @rule(who=_OWNER_MOSTLY)
    def ask(self, who: str) -> None:
        try:
            second = self.kit.ask_again(self.token, agent=who)
        except errors.PermissionDenied:
            assert who != AGENT
        except errors.CardGone:
            assert self.removed
        else:
            assert who == AGENT
            assert not self.removed
            # Asking while one stands gives that one.
            assert (second == self.second) is (self.asked or self.approved)
            if second != self.second:
                self.second, self.asked_until = second, self.now + REQUEST_TTL

    @precondition(lambda self: self.second)
    @rule(who=_APPROVER_MOSTLY, then_type=st.booleans())
    def ask_for_an_approval_code(self, who: str, then_type: bool) -> None:
        try:
            challenge, code = self.kit.approval_code(self.second, approver=who)
        except (errors.PermissionDenied, errors.NotFound):
            # What ended a day ago is swept, and then not found.
            assert who not in _APPROVERS or not self.asked
        except errors.CardGone:
            assert self.removed
        except errors.TooManyChallenges:
            assert who in _APPROVERS
        else:
            assert who in _APPROVERS
            assert self.asked
            self.approval = (who, challenge, code)
            if then_type:
                self.approve(who, right=True)

    @precondition(lambda self: self.approval is not None)
    @rule(who=_APPROVER_MOSTLY, right=st.sampled_from([True, True, True, False]))
    def approve(self, who: str, right: bool) -> None:
        assert self.approval is not None
        mailed_to, challenge, code = self.approval
        typed = code if right else f"{(int(code) + 1) % 10**8:08d}"
        try:
            done = self.kit.confirm_approval(self.frames[0].approve(challenge, typed), approver=who)
        except errors.WayvaultError:
            return
        assert right
        assert who == mailed_to
        assert self.asked
        assert not self.removed
        self.approvals += 1
        self.asked_until, self.approved_until = self.now, self.now + APPROVAL_TTL
        assert done.good_until.ToDatetime(tzinfo=self.now.tzinfo) == self.approved_until

    @rule(
        what=st.sampled_from(("refuse", "transit", "minute", "minute", "code's time", "half an hour", "day", "sweep")),
        who=st.sampled_from(_PEOPLE),
        remove=st.integers(0, 30),
    )
    def something_else_happens(self, what: str, who: str, remove: int) -> None:
        match what:
            case "refuse":
                self._refuse(who)
            case "transit":
                self.transit_up = not self.transit_up
                (self.kit.transit.up if self.transit_up else self.kit.transit.down)()
            case "sweep":
                self.kit.vault.sweep.run()
            case _:
                passing = {"minute": 1, "code's time": 6, "half an hour": 31, "day": 24 * 60}
                self.kit.fake_clock.advance(timedelta(minutes=passing[what]))
        if remove == 30 and not self.removed:
            self.kit.remove(self.token)
            self.removed = True

    def _refuse(self, who: str) -> None:
        if not self.second:
            return
        try:
            self.kit.refuse_second(self.second, approver=who)
        except (errors.PermissionDenied, errors.NotFound):
            # What ended a day ago is swept, and then not found.
            assert who not in _APPROVERS or not self.asked
        except errors.CardGone:
            assert self.removed
        else:
            assert who in _APPROVERS
            assert self.asked
            self.asked_until = self.now

    @rule(then_type=st.sampled_from((None, 0, 1)))
    def ask_for_the_card(self, then_type: int | None) -> None:
        try:
            self.challenge = self.kit.request_reveal(self.token)
        except errors.AlreadyRevealed:
            assert not self.approved
        except errors.CardGone:
            assert self.removed
        except errors.TooManyChallenges:
            assert self.approved
        else:
            assert self.approved
            if then_type is not None:
                self.type_the_card_code(then_type, AGENT)

    @precondition(lambda self: self.challenge is not None)
    @rule(number=st.integers(0, 1), who=st.sampled_from((AGENT, AGENT, APPROVER)))
    def type_the_card_code(self, number: int, who: str) -> None:
        assert self.challenge is not None
        challenge, code = self.challenge
        frame, repeat = self.frames[number], self.answered.get(challenge) == number
        try:
            answer = self.kit.confirm(frame.reveal(challenge, code), agent=who)
        except errors.WayvaultError:
            return
        assert who == AGENT
        assert frame.opened(answer.sealed_answer, "wv-card+jwe")["pan"] == VISA
        if not repeat:
            assert challenge not in self.answered
            assert self.approved
            assert self.transit_up
            self.answered[challenge] = number
            self.showings += 1

    @invariant()
    def the_history_tells_of_each_approval_and_each_showing(self) -> None:
        if not hasattr(self, "answered"):
            return
        history = self.kit.history(self.token)
        assert history.count("second_reveal.approved") == self.approvals
        assert history.count("card.revealed_again") == self.showings <= self.approvals
        assert history.count("card.revealed") == 1
        state = self.kit.describe(self.token).state
        if self.removed:
            assert self.kit.ciphers(self.token) == (None, None)
        elif state != pb.CARD_STATE_LAPSED:
            assert state == pb.CARD_STATE_REVEALED
        else:
            self.removed = True

    def teardown(self) -> None:
        if hasattr(self, "kit"):
            assert self.kit.vault.core.audit.verify().findings == []
            self.kit.vault.close()
            shutil.rmtree(self.folder, ignore_errors=True)


TestSecondRevealMachine = SecondRevealMachine.TestCase
TestSecondRevealMachine.settings = settings(
    max_examples=6, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
