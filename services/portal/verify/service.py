"""Use case of the public check: is this still the document that was signed?"""

from dataclasses import dataclass
from hashlib import sha256

from services.portal.esign.service import Documents, KnownDocument
from services.portal.verify.rules import Finding, number_in, read_hash, read_reference

__all__ = ["Answer", "Finding", "Verification"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found. `document` is what anybody may know of it: no name, no address.

    `by_number`: only the document's number was given, so nothing was said of any file yet.
    """

    finding: Finding
    document: KnownDocument | None = None
    by_number: bool = False
    sha256: str = ""


class Verification:
    """Checks; keeps nothing of what it is given."""

    def __init__(self, *, documents: Documents) -> None:
        self._documents = documents

    def check_file(self, content: bytes) -> Answer:
        """Whether these bytes are a document that was signed here."""
        digest = sha256(content).hexdigest()
        if known := self._documents.known_by_hash(digest):
            return Answer(finding=Finding.GENUINE, document=known, sha256=digest)
        number = number_in(content)
        if number and (known := self._documents.known_by_id(number)):
            return Answer(finding=Finding.ALTERED, document=known, sha256=digest)
        return Answer(finding=Finding.UNKNOWN, sha256=digest)

    def check_text(self, text: str) -> Answer | None:
        """As check_file, by the SHA-256 of a file or by a document's number; None when the text is neither."""
        if digest := read_hash(text):
            known = self._documents.known_by_hash(digest)
            return Answer(finding=Finding.GENUINE if known else Finding.UNKNOWN, document=known, sha256=digest)
        if number := read_reference(text):
            known = self._documents.known_by_id(number)
            finding = Finding.GENUINE if known else Finding.UNKNOWN
            return Answer(finding=finding, document=known, by_number=True)
        return None
