"""A notifier on SQLite with real letter keys, a turned clock and a mail server of our own."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from pydantic import SecretStr

from chassis.bus import EventHandlers, EventMeta
from chassis.db import Database, open_database
from chassis.sealing import Letter, LetterWriter, OpeningKey
from services.notifier.bootstrap import bootstrap
from services.notifier.config import NotifierSettings
from services.notifier.deliveries.rules import Outcome, Sent
from services.notifier.models import Base
from services.notifier.parts import Dependencies
from services.notifier.worker import event_handlers
from tests.support.clock import FakeClock


@dataclass
class RecordingTransport:
    """Keeps what it is given and answers as told, `Sent()` when nothing is told."""

    outcomes: list[Outcome] = field(default_factory=list)
    messages: list[tuple[str, EmailMessage]] = field(default_factory=list)

    def send(self, message: EmailMessage, recipient: str) -> Outcome:
        self.messages.append((recipient, message))
        return self.outcomes.pop(0) if self.outcomes else Sent()

    def let_go(self, *, all_of_it: bool = False) -> None:
        pass


@dataclass(frozen=True)
class House:
    """The notifier under test and everything around it."""

    notifier: Dependencies
    database: Database
    transport: RecordingTransport
    clock: FakeClock
    writers: dict[str, LetterWriter]

    @property
    def handlers(self) -> EventHandlers:
        return event_handlers(self.notifier)

    def letter(self, template: str, *, issuer: str, to: str, valid_minutes: float = 5, **data: str) -> str:
        now = self.clock.now()
        return self.writers[issuer].seal(
            Letter(
                letter_id="ltr_1",
                template=template,
                to=to,
                data=data,
                issued_at=now,
                expires_at=now + timedelta(minutes=valid_minutes),
            )
        )

    def meta(self, event_id: str = "evt-1", event_type: str = "mail.sealed") -> EventMeta:
        return EventMeta(
            event_id=event_id,
            type=event_type,
            aggregate_type=event_type.partition(".")[0],
            aggregate_id="a",
            sequence=1,
            occurred_at=self.clock.now(),
            producer="crm",
            agency_id="agency_1",
            traceparent="",
        )

    def send_all(self) -> int:
        return self.notifier.senders[0].send_due()


def write_letter_keys(folder: Path) -> None:
    for name in ("vault", "crm", "portal", "notifier"):
        key = OpeningKey.generate(kid=f"{name}-1")
        (folder / f"{name}.jwk").write_bytes(key.private_jwk())
        (folder / f"{name}_signing.jwk").write_text(json.dumps(dict(key.public.public_jwk) | {"kid": f"{name}-1"}))


def make_house(folder: Path, database: Database, clock: FakeClock) -> House:
    """A notifier's process over a database, with the letter keys of a folder."""
    transport = RecordingTransport()
    settings = NotifierSettings(
        letter_key=folder / "notifier.jwk",
        public_keys_dir=folder,
        senders=1,
        secret_key=SecretStr("x" * 40),
    )
    notifier = bootstrap(settings, clock=clock, database=database, transport=transport)
    recipient = folder / "notifier_signing.jwk"
    writers = {name: LetterWriter(folder / f"{name}.jwk", name, recipient) for name in ("vault", "crm", "portal")}
    return House(notifier=notifier, database=database, transport=transport, clock=clock, writers=writers)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    write_letter_keys(tmp_path)
    database = open_database(f"sqlite:///{tmp_path}/notifier.db", name="test")
    Base.metadata.create_all(database.engine)
    yield make_house(tmp_path, database, FakeClock())
    database.dispose()


@pytest.fixture
def workers(tmp_path: Path) -> Callable[[Database, FakeClock], House]:
    """Makes processes that share a database."""
    write_letter_keys(tmp_path)
    return lambda database, clock: make_house(tmp_path, database, clock)
