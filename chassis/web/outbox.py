"""What a thread of the pool takes for the client's socket: it never waits for the client.

The request is whole when a thread begins with it, so there is nothing to receive; the answer is kept and leaves by the
worker's loop, at the client's own speed. A stream is let through: it has a thread to itself.
"""

import errno
import socket
from typing import Final

# An answer beyond this (a long export) is sent by its thread while it is made.
_MOST_KEPT: Final = 16 * 1024 * 1024
# How long a client of a stream may take no byte before it counts as gone.
_STREAM_SEND_SECONDS: Final = 10.0


class Outbox:
    """Has the methods of a socket that gunicorn calls."""

    def __init__(self, real: socket.socket) -> None:
        self.real = real
        self._kept = bytearray()
        self._direct = False

    def let_through(self) -> None:
        """From here on what is sent leaves at once; the caller's thread waits for the client if needed."""
        if self._direct:
            return
        self._direct = True
        self.real.settimeout(_STREAM_SEND_SECONDS)
        kept = self.take()
        if kept:
            self.sendall(kept)

    def sendall(self, data: bytes) -> None:
        """Raises BrokenPipeError when a stream's client has gone or takes nothing any more."""
        if self._direct:
            try:
                self.real.sendall(data)
            except TimeoutError:
                raise BrokenPipeError(errno.EPIPE, "the client takes no more") from None
            return
        self._kept += data
        if len(self._kept) > _MOST_KEPT:
            self.let_through()

    def send(self, data: bytes) -> int:
        """gunicorn's "100 Continue": the worker has said so when it mattered."""
        return len(data)

    def take(self) -> bytes:
        """What waits to leave; it is the caller's to send."""
        taken = bytes(self._kept)
        self._kept.clear()
        return taken

    def recv(self, _size: int, _flags: int = 0) -> bytes:
        """Nothing: whatever belongs to the request was there before a thread began with it."""
        return b""

    def fileno(self) -> int:
        return self.real.fileno()

    def setblocking(self, _flag: bool) -> None:
        """A thread's wish; the socket's mode is the worker's matter."""

    def settimeout(self, _seconds: float | None) -> None:
        """As setblocking."""

    def gettimeout(self) -> float | None:
        return self.real.gettimeout()

    def shutdown(self, how: int) -> None:
        self.real.shutdown(how)

    def close(self) -> None:
        self.real.close()
