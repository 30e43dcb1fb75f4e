"""Letters sealed with the CRM's own key, and those that go to agents."""

from functools import cached_property

from sqlalchemy.orm import Session

from chassis.bus import Outbox
from chassis.sealing import Letter, LetterSealer, LetterWriter
from protos.wayvault.events.v1.events_pb2 import MailSealed
from services.crm.config import CrmSettings

_ISSUER = "crm"


class CrmLetters:
    """A chassis.sealing.LetterSealer that reads its keys at the first letter, so that other commands need none."""

    def __init__(self, settings: CrmSettings) -> None:
        self._settings = settings

    @cached_property
    def _writer(self) -> LetterWriter:
        return LetterWriter(self._settings.letter_signing_key, _ISSUER, self._settings.notifier_letter_key)

    def seal(self, letter: Letter) -> str:
        """Raises chassis.sealing.SealError when a key file is missing."""
        return self._writer.seal(letter)


def mail_agent(
    session: Session,
    outbox: Outbox,
    letters: LetterSealer,
    letter: Letter,
    *,
    agency_id: str,
    sender_id: str,
    about: str = "",
) -> None:
    """Has a letter to an agent sent, in the caller's transaction.

    What becomes of it is told of the agent `sender_id` and, if it is about somebody else, of `about`.
    """
    event = MailSealed(mail_id=letter.letter_id, sealed_mail=letters.seal(letter), agent_id=sender_id, link_id=about)
    outbox.add(session, event, aggregate_id=letter.letter_id, agency_id=agency_id)
