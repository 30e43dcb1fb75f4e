"""Whatever order a visit's parts go in, and whatever is taken back or runs out meanwhile (C18)."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from protos.wayvault.events.v1.events_pb2 import EsignWithdrawn, InsuranceWithdrawn, PaymentLinkRevoked, VisitEnded
from services.portal.visits.rules import PartStatus, Standing, standing
from tests.support.portal import LINK, TOKEN, PortalWorld
from tests.support.portal_papers import OFFER, REQUEST
from tests.support.portal_visits import SECOND, VISIT, ask_for_all, pay_part, sign_part, visitor
from tests.support.thorough import examples

PARTS = (OFFER, REQUEST, SECOND, LINK)


def test_how_far_a_visit_is() -> None:
    done, late, gone, waits = PartStatus.DONE, PartStatus.EXPIRED, PartStatus.WITHDRAWN, PartStatus.OPEN
    assert standing([]) is Standing.WAITING
    assert standing([waits, gone]) is Standing.WAITING
    assert standing([waits, done, late]) is Standing.PARTLY
    assert standing([done, gone, late]) is Standing.ENDED
    assert standing([gone, late]) is Standing.EXPIRED
    assert standing([gone, gone]) is Standing.WITHDRAWN


class AVisit(RuleBasedStateMachine):
    """A model of four parts beside the portal; time passes, the worker looks, the agent takes back and sends again."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self.world = PortalWorld(Path(self._folder.name))
        self.issue = 0
        self.done: set[str] = set()
        self.gone: set[str] = set()
        self.ends_at = self.world.clock.now()
        self.mails = 0
        self.ended = False
        self.send()

    @property
    def open(self) -> set[str]:
        late = self.world.clock.now() >= self.ends_at
        return set() if late else set(PARTS) - self.done - self.gone

    @rule()
    def send(self) -> None:
        self.issue += 1
        ask_for_all(self.world, issue=self.issue)
        self.ends_at = self.world.clock.now() + timedelta(days=7)
        self.ended = False

    @rule(part=st.sampled_from(PARTS))
    def give(self, part: str) -> None:
        """In any order, in a browser that was just opened; a part that does not wait is not given."""
        opened = self.world.client().post(f"/visit/{VISIT}/open", data={"token": TOKEN})
        assert opened.status_code == (303 if self.open or self.done else 410)
        if part not in self.open:
            return
        browser = visitor(self.world)
        if part == LINK:
            pay_part(self.world, browser)
        else:
            sign_part(browser, part, answer="accept")
        self.done.add(part)

    @rule(part=st.sampled_from(PARTS))
    def take_back(self, part: str) -> None:
        events = {
            OFFER: InsuranceWithdrawn(offer_id=OFFER),
            REQUEST: EsignWithdrawn(request_id=REQUEST),
            SECOND: EsignWithdrawn(request_id=SECOND),
            LINK: PaymentLinkRevoked(link_id=LINK),
        }
        self.world.tell(events[part])
        if part not in self.done:
            self.gone.add(part)

    @rule(days=st.integers(min_value=1, max_value=8))
    def wait(self, days: int) -> None:
        self.world.clock.advance(timedelta(days=days))

    @precondition(lambda self: not self.ended)
    @rule()
    def look(self) -> None:
        self.world.deps.visits.settle()
        if not self.open:
            self.ended = True
            self.mails += 1 if self.done else 0

    @invariant()
    def parts_are_as_they_were_given(self) -> None:
        visit = self.world.deps.visits.find(VISIT)
        assert visit is not None
        assert {part.part_id for part in visit.done} == self.done
        assert {part.part_id for part in visit.waiting} == self.open
        assert (visit.next() is not None) == bool(self.open)

    @invariant()
    def copies_are_mailed_once_and_whole(self) -> None:
        ends = [event for event in self.world.published() if isinstance(event, VisitEnded)]
        assert len(ends) == self.mails
        if ends and self.ended:
            assert len(ends[-1].copies) == len(self.done)

    def teardown(self) -> None:
        self.world.close()
        self._folder.cleanup()


TestAVisit = AVisit.TestCase
TestAVisit.settings = settings(
    max_examples=examples(6), stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
)
