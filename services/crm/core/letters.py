"""Letters sealed with the CRM's own key."""

from functools import cached_property

from chassis.sealing import Letter, LetterWriter
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
