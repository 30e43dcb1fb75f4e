"""Asks the vault who is enrolled, and remembers it for a while."""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from chassis.clock import Clock
from chassis.errors import InvalidArgument, WayvaultError
from services.crm.access.enrolment.rules import BLOCKED, Enrolment, EnrolmentStatus, Person, hint_of
from services.crm.core.ports.vault import EnrolledAgent, RegisterPort

__all__ = ["Enrolment", "EnrolmentStatus", "Enrolments"]

# An enrolment is never taken back, so a found one is kept; who is missing is asked about anew.
_KEPT: Final = timedelta(minutes=10)
# After the vault did not answer, pages are not held up by asking it again and again.
_REST: Final = timedelta(seconds=20)
log = structlog.get_logger(__name__)

_Known = Mapping[str, EnrolledAgent]


class Enrolments:
    """The room's use cases."""

    def __init__(self, *, register: RegisterPort, clock: Clock) -> None:
        self._register = register
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[datetime, _Known]] = {}
        self._silent_until: datetime | None = None

    def of(self, agent: Person) -> Enrolment:
        """Where an agent stands. The vault is asked when nothing good is known of them."""
        known = self._remembered(agent.agency_id)
        if known is None or agent.id not in known:
            known = self._ask(agent.agency_id)
        return _status(agent, known)

    def of_agency(self, agency_id: str, agents: Sequence[Person]) -> dict[str, Enrolment]:
        """Where each agent of an agency stands, by id; as the vault says now."""
        known = self._ask(agency_id)
        return {agent.id: _status(agent, known) for agent in agents}

    def require(self, agent: Person) -> None:
        """Raises InvalidArgument for an agent who could not retrieve what a client gives. A vault that does not answer
        stops nobody: the card is safe there, and the answer comes when it is retrieved."""
        if not self.of(agent).may_ask:
            raise InvalidArgument(BLOCKED)

    def _remembered(self, agency_id: str) -> _Known | None:
        with self._lock:
            at, known = self._kept.get(agency_id, (None, {}))
        return known if at is not None and self._clock.now() < at + _KEPT else None

    def _ask(self, agency_id: str) -> _Known | None:
        now = self._clock.now()
        if self._silent_until is not None and now < self._silent_until:
            return None
        try:
            known = {agent.agent_id: agent for agent in self._register.enrolled(agency_id)}
        except WayvaultError as error:
            log.warning("enrolment.unknown", error=type(error).__name__)
            self._silent_until = now + _REST
            return None
        with self._lock:
            self._kept[agency_id] = (now, known)
        self._silent_until = None
        return known


def _status(agent: Person, known: _Known | None) -> Enrolment:
    if known is None:
        return Enrolment(status=EnrolmentStatus.UNKNOWN)
    found = known.get(agent.id)
    if found is None:
        return Enrolment(status=EnrolmentStatus.MISSING)
    fits = found.address_hint.casefold() == hint_of(agent.email).casefold()
    return Enrolment(
        status=EnrolmentStatus.ENROLLED if fits else EnrolmentStatus.ELSEWHERE,
        address_hint=found.address_hint,
        approver=found.approver,
    )
