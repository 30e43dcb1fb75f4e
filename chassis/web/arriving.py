"""A request as its bytes arrive: when it is whole, and when it is refused before more of it is read.

Nothing here interprets a request; that is gunicorn's part once all of it is there. Framing is by Content-Length only
(RFC 9112 6.3): a body of unknown length is asked for with its length (411), which also leaves no second opinion on
where a request ends.
"""

import re
from typing import Final

MOST_HEAD: Final = 32 * 1024
# The largest upload (10 MB as a rule) and the form around it.
MOST_BODY: Final = 12 * 1024 * 1024

_END_OF_HEAD: Final = b"\r\n\r\n"
_DIGITS: Final = re.compile(rb"[0-9]{1,15}")


class Unacceptable(Exception):
    """A request that is not read any further. `status` is HTTP's; the message is for the person who sent it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Arriving:
    """Collects one request. What came after it, the next request's beginning, stays in it with the rest."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._needed: int | None = None
        self._wants_continue = False

    def __len__(self) -> int:
        return len(self._bytes)

    @property
    def whole(self) -> bool:
        """Whether a request is here to its last byte."""
        return self._needed is not None and len(self._bytes) >= self._needed

    @property
    def has_its_head(self) -> bool:
        """Whether the headers are here to their end."""
        return self._needed is not None

    def add(self, data: bytes) -> None:
        """Takes in what arrived. Raises Unacceptable."""
        searched_to = max(0, len(self._bytes) - len(_END_OF_HEAD))
        self._bytes += data
        if self._needed is not None:
            return
        end = self._bytes.find(_END_OF_HEAD, searched_to)
        if (len(self._bytes) if end < 0 else end) > MOST_HEAD:
            raise Unacceptable(431, "The request's headers are too long. Clear this site's cookies and try again.")
        if end >= 0:
            head = bytes(self._bytes[:end])
            self._needed = end + len(_END_OF_HEAD) + _body_length(head)
            self._wants_continue = b"100-continue" in _values(head, b"expect")

    def asks_to_continue(self) -> bool:
        """Whether the client waits to be told that its body is welcome (RFC 9110 10.1.1); True once."""
        asks = self._wants_continue and not self.whole
        self._wants_continue = False
        return asks

    def take(self) -> bytes:
        """Everything that arrived; afterwards it is empty."""
        taken = bytes(self._bytes)
        self._bytes.clear()
        self._needed = None
        return taken


def _body_length(head: bytes) -> int:
    if _values(head, b"transfer-encoding"):
        raise Unacceptable(411, "The request must say how long it is (Content-Length).")
    lengths = _values(head, b"content-length")
    if not lengths:
        return 0
    if len(lengths) > 1 or not _DIGITS.fullmatch(lengths[0]):
        raise Unacceptable(400, "The request doesn't say clearly how long it is.")
    if (length := int(lengths[0])) > MOST_BODY:
        raise Unacceptable(413, "That is too large. Please send a smaller file or a shorter text.")
    return length


def _values(head: bytes, name: bytes) -> list[bytes]:
    fields = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return [value.strip().lower() for field, _, value in fields if field.strip().lower() == name]
