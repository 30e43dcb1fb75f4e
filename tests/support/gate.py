"""A TCP gate before a server: closed, it cuts what runs through it and lets nothing new in, as if the server were gone.

So a test can take a shared engine away from its own stack only.
"""

import socket
import threading
from contextlib import suppress
from typing import Final

_CHUNK: Final = 65536


class Gate:
    """Listens on a free port of 127.0.0.1 and passes everything on to `target` while open."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._open = True
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._answers = threading.Event()
        self._answers.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def shut(self) -> None:
        """Cuts every connection; new ones are closed at once."""
        with self._lock:
            self._open = False
            cut, self._pairs = self._pairs, set()
        for pair in cut:
            _close(*pair)

    def hold_answers(self) -> None:
        """From now on the server's answers get no further; what is asked of it still arrives."""
        self._answers.clear()

    def release_answers(self) -> None:
        """Lets the answers go on, also those held back."""
        self._answers.set()

    def open(self) -> None:
        """Lets connections through again."""
        with self._lock:
            self._open = True

    def remove(self) -> None:
        """Ends it for good."""
        self.shut()
        self.release_answers()
        # Wakes the accept() that a plain close would leave waiting.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                is_open = self._open
            if not is_open:
                _close(near)
                continue
            try:
                far = socket.create_connection(self._target, timeout=5)
            except OSError:
                _close(near)
                continue
            far.settimeout(None)
            with self._lock:
                self._pairs.add((near, far))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink, (near, far)), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, pair: tuple[socket.socket, socket.socket]) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if source is pair[1]:
                    self._answers.wait()
                sink.sendall(data)
        with self._lock:
            self._pairs.discard(pair)
        _close(*pair)


def _close(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
