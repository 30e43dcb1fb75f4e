"""Whatever agents, frames, faults and time do in whatever order: shown to one key at most, and never lost."""

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chassis import errors
from protos.wayvault.vault.v1 import vault_pb2 as pb
from tests.support.vault_kit import VISA, Frame, Kit, make_kit


class RevealMachine(RuleBasedStateMachine):
    """One card; three frames; codes asked for, typed right and wrong; transit up and down; the clock; removal."""

    @initialize()
    def store(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="wayvault-machine-"))
        self.kit: Kit = make_kit(self.folder)
        self.token = self.kit.store()
        self.frames: list[Frame] = [self.kit.frame() for _ in range(3)]
        self.challenge: tuple[str, str] | None = None
        self.seen_by: set[int] = set()
        self.transit_up = True
        self.removed = False

    @rule()
    def ask_for_a_code(self) -> None:
        try:
            self.challenge = self.kit.request_reveal(self.token)
            assert not self.seen_by
        except errors.AlreadyRevealed:
            assert self.seen_by
        except errors.CardGone:
            assert self.removed or self._past_its_time()
        except errors.TooManyChallenges:
            pass

    @precondition(lambda self: self.challenge is not None)
    @rule(number=st.integers(0, 2), right=st.booleans())
    def type_a_code(self, number: int, right: bool) -> None:
        assert self.challenge is not None
        challenge, code = self.challenge
        typed = code if right else f"{(int(code) + 1) % 10**8:08d}"
        frame = self.frames[number]
        try:
            answer = self.kit.confirm(frame.reveal(challenge, typed))
        except errors.WayvaultError as error:
            refusal: errors.WayvaultError | None = error
        else:
            refusal = None
            assert frame.opened(answer.sealed_answer, "wv-card+jwe")["pan"] == VISA
            # The first showing needs the right code; a repeat goes to the same key, whatever is typed.
            assert right or number in self.seen_by
            self.seen_by.add(number)
        if refusal is None:
            assert self.transit_up or number in self.seen_by

    @rule()
    def transit_goes_down(self) -> None:
        self.transit_up = False
        self.kit.transit.down()

    @rule()
    def transit_comes_up(self) -> None:
        self.transit_up = True
        self.kit.transit.up()

    @rule(seconds=st.sampled_from([1, 11, 121, 300, 3601]))
    def time_passes(self, seconds: int) -> None:
        self.kit.fake_clock.advance(timedelta(seconds=seconds))

    @rule()
    def sweep(self) -> None:
        self.kit.vault.sweep.run()

    @rule(sure=st.integers(0, 9))
    def remove(self, sure: int) -> None:
        if sure == 0:
            self.kit.remove(self.token)
            self.removed = True

    @invariant()
    def one_recipient_and_a_true_state(self) -> None:
        if not hasattr(self, "kit"):
            return
        assert len(self.seen_by) <= 1
        state = self.kit.describe(self.token).state
        if self.removed:
            assert state == pb.CARD_STATE_REMOVED
            assert self.kit.ciphers(self.token) == (None, None)
        elif not self._past_its_time():
            assert state == (pb.CARD_STATE_REVEALED if self.seen_by else pb.CARD_STATE_STORED)

    def _past_its_time(self) -> bool:
        return self.kit.describe(self.token).state == pb.CARD_STATE_LAPSED

    def teardown(self) -> None:
        if hasattr(self, "kit"):
            self.kit.vault.close()
            shutil.rmtree(self.folder, ignore_errors=True)


TestRevealMachine = RevealMachine.TestCase
TestRevealMachine.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
