"""A masker for the CRM's tests: sessions as tests move them on, no telephone and no digit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from chassis.errors import CardInvalid, NotFound, Unavailable
from services.crm.paying.phone.masker import KeyedCard, Opened, Progress, Readiness, Session, Shown
from services.crm.paying.phone.rules import Field
from tests.support.clock import FakeClock

_NOTHING = Progress(
    state="waiting",
    fields={each: Shown(digits=0, taken=False, refusal="", asked=0) for each in Field},
    open_field=None,
    brand="",
    last4="",
    result="",
    seconds_left=120.0,
)


@dataclass
class FakeMasker:
    """Implements MaskerPort. `away`: nobody answers. `refuses`: the vault does not take the card. `dies` is called when
    the vault has taken the card and before the CRM is told."""

    clock: FakeClock
    sessions: dict[str, Progress] = field(default_factory=dict)
    opened: list[Session] = field(default_factory=list)
    away: bool = False
    refuses: str = ""
    dies: Callable[[str], None] | None = None

    def open(self, wanted: Session) -> Opened:
        self._up()
        self.opened.append(wanted)
        session_id = f"phone_{len(self.opened)}"
        self.sessions[session_id] = _NOTHING
        return Opened(session_id=session_id, pin="123456", expires_at=self.clock.now() + timedelta(minutes=2))

    def watch(self, session_id: str, agent_id: str, seconds: float) -> Iterator[Progress]:
        self._up()
        yield self._session(session_id)

    def capture(self, session_id: str, agent_id: str, field: Field) -> Progress:
        self._up()
        before = self._session(session_id)
        shown = replace(before.fields[field], digits=0, taken=False, asked=before.fields[field].asked + 1)
        return self.set(session_id, open_field=field, fields={**before.fields, field: shown})

    def give_up_field(self, session_id: str, agent_id: str) -> Progress:
        return self.set(session_id, open_field=None)

    def finish(self, session_id: str, agent_id: str, name: str) -> KeyedCard:
        self._up()
        progress = self._session(session_id)
        if self.refuses:
            raise CardInvalid(self.refuses, field="name")
        self.set(session_id, state="ended", result="stored", last4="4242")
        if self.dies is not None:
            self.dies(session_id)
        now = self.clock.now()
        return KeyedCard(
            token=f"card_{session_id}",
            brand="visa",
            last4="4242",
            name=name,
            kept_until=now + timedelta(days=30),
            cvv_kept_until=now + timedelta(hours=72),
            asked_again=sum(max(0, shown.asked - 1) for shown in progress.fields.values()),
        )

    def cancel(self, session_id: str, agent_id: str) -> Progress:
        self._up()
        before = self._session(session_id)
        return before if before.state == "ended" else self.set(session_id, state="ended", result="cancelled")

    def readiness(self) -> Readiness:
        self._up()
        now = self.clock.now()
        return Readiness(started_at=now, kamailio_at=now, checked_at=None, calls=1)

    def set(self, session_id: str, **changes: object) -> Progress:
        """Moves a session on."""
        self.sessions[session_id] = replace(self._session(session_id), **changes)  # type: ignore[arg-type]
        return self.sessions[session_id]

    def _session(self, session_id: str) -> Progress:
        if session_id not in self.sessions:
            raise NotFound("This phone payment is over.")
        return self.sessions[session_id]

    def _up(self) -> None:
        if self.away:
            raise Unavailable
