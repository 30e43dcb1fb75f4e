"""A small SIP telephone (RFC 3261) with sound of its own: for the demo call, the check and browser tests.

It registers by digest, calls and answers, sends sound each 20 ms with keys in it or beside it, and keeps what it hears.
No telephone for people: it has no ears.
"""

import contextlib
import hashlib
import queue
import re
import secrets
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from deploy.phone.extensions import REALM, Extension

FRAME, RATE = 160, 8000
EVENT_TYPE = 101
SYMBOLS = "0123456789*#ABCD"
_TONES = {"123A": 697, "456B": 770, "789C": 852, "*0#D": 941}
_COLUMNS = (1209, 1336, 1477, 1633)
_PATIENCE = 8.0


class PhoneFault(Exception):
    """A call that did not come about; the message says where it ended."""


@dataclass
class Message:
    """A SIP message: its first line, headers by their long names in small letters, body."""

    first: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""

    def get(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def status(self) -> int:
        """0 for a request."""
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0") else 0

    def wire(self) -> bytes:
        lines = [self.first, *(f"{key}: {value}" for key, value in self.headers), f"Content-Length: {len(self.body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()

    @classmethod
    def parse(cls, data: bytes) -> "Message":
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        lines = head.split("\r\n")
        headers = []
        for line in lines[1:]:
            key, _, value = line.partition(":")
            if key.lower() != "content-length":
                headers.append((key.strip().lower(), value.strip()))
        return cls(lines[0], headers, body)


class Softphone:
    """One telephone. `start` it, `register`, then `call` or wait for `answered`."""

    def __init__(self, extension: Extension, server: tuple[str, int], address: str = "127.0.0.1") -> None:
        self.extension, self.server, self.address = extension, server, address
        self._sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sip.bind((address, 0))
        self._sip.settimeout(0.2)
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.bind((address, 0))
        self._rtp.settimeout(0.2)
        self._stop = threading.Event()
        self._answers: queue.Queue[Message] = queue.Queue()
        self.in_call = threading.Event()
        self.over = threading.Event()
        self.heard: list[tuple[float, int, bytes]] = []
        self._call_id = self._local = self._remote = self._target = ""
        self._routes: list[str] = []
        self._sequence = 1
        self._registered, self._patience = False, _PATIENCE
        self._remote_media: tuple[str, int] | None = None
        self._keys: queue.Queue[tuple[str, str]] = queue.Queue()
        self._threads = [threading.Thread(target=loop, daemon=True) for loop in (self._listen, self._hear, self._speak)]

    # ---- what a person does
    def start(self) -> "Softphone":
        for thread in self._threads:
            thread.start()
        return self

    def register(self, seconds: int = 600) -> None:
        """For that long; 0 takes it back. Raises PhoneFault."""
        request = self._request("REGISTER", f"sip:{self._domain}", to=self._own_uri, call_id=_random(), sequence=1)
        request.headers += [("Contact", f"<{self._contact}>"), ("Expires", str(seconds))]
        answer = self._authenticated(request, "REGISTER")
        if answer.status != 200:
            raise PhoneFault(f"{self.extension.user} could not register: {answer.first}")
        self._registered = seconds > 0

    def call(self, user: str) -> None:
        """Calls an extension and returns when it answered. Raises PhoneFault."""
        target = f"sip:{user}@{self._domain}"
        self._call_id, self._local = _random(), f"<{self._own_uri}>;tag={_random()}"
        self._remote, self._target = f"<{target}>", target
        request = self._request("INVITE", target, to=target, call_id=self._call_id, sequence=self._sequence)
        request.headers += [("Contact", f"<{self._contact}>"), ("Content-Type", "application/sdp")]
        request.body = self._sdp()
        answer = self._authenticated(request, "INVITE")
        if answer.status != 200:
            raise PhoneFault(f"{user} did not answer: {answer.first}")
        self._remote = answer.get("to")
        self._target = _uri(answer.get("contact"))
        self._routes = [value for key, value in answer.headers if key == "record-route"][::-1]
        self._media(answer.body)
        self._send(self._within("ACK", sequence=self._sequence))
        self.in_call.set()

    def key(self, text: str, *, by: str = "event") -> None:
        """Presses keys one after another, 100 ms each: by `event`, `sound`, `both` or `info`."""
        for symbol in text:
            self._keys.put((symbol, by))

    def keyed(self, seconds: float = 30.0) -> None:
        """Returns when all keys were pressed. Raises PhoneFault."""
        ends = time.monotonic() + seconds
        while self._keys.unfinished_tasks:
            if time.monotonic() > ends:
                raise PhoneFault("the keys were not sent in time")
            self._stop.wait(0.02)

    def hang_up(self) -> None:
        if self.in_call.is_set() and not self.over.is_set():
            self._sequence += 1
            self._send(self._within("BYE", sequence=self._sequence))
            self._wait(lambda answer: "BYE" in answer.get("cseq"))
            self.over.set()

    def close(self) -> None:
        """Takes its registration back, for an exchange keeps only so many of an extension, and is silent."""
        if self._registered:
            self._patience = 1.0
            with contextlib.suppress(PhoneFault, OSError):
                self.register(0)
        self._stop.set()
        for thread in self._threads:
            thread.join(2)
        self._sip.close()
        self._rtp.close()

    # ---- signalling
    @property
    def _domain(self) -> str:
        return f"{self.server[0]}:{self.server[1]}"

    @property
    def _own_uri(self) -> str:
        return f"sip:{self.extension.user}@{self._domain}"

    @property
    def _contact(self) -> str:
        return f"sip:{self.extension.user}@{self.address}:{self._sip.getsockname()[1]}"

    def _request(self, method: str, target: str, *, to: str, call_id: str, sequence: int) -> Message:
        local = self._local or f"<{self._own_uri}>;tag={_random()}"
        return Message(
            f"{method} {target} SIP/2.0",
            [
                ("Via", f"SIP/2.0/UDP {self.address}:{self._sip.getsockname()[1]};branch=z9hG4bK{_random()};rport"),
                ("Max-Forwards", "70"),
                ("From", local),
                ("To", f"<{to}>"),
                ("Call-ID", call_id),
                ("CSeq", f"{sequence} {method}"),
            ],
        )

    def _within(self, method: str, *, sequence: int) -> Message:
        message = self._request(method, self._target, to="", call_id=self._call_id, sequence=sequence)
        message.headers = [(key, self._remote if key == "To" else value) for key, value in message.headers]
        message.headers += [("Route", route) for route in self._routes]
        return message

    def _authenticated(self, request: Message, method: str) -> Message:
        """Sends, proves the password when asked, and gives the final answer."""
        self._send(request)
        answer = self._wait(lambda found: found.status >= 200 and method in found.get("cseq"), again=request)
        if answer.status not in (401, 407):
            return answer
        if method == "INVITE":
            ack = self._request("ACK", request.first.split()[1], to="", call_id=self._call_id, sequence=self._sequence)
            ack.headers = [
                ("Via", request.headers[0][1]),
                ("Max-Forwards", "70"),
                *((key, answer.get("to") if key == "To" else value) for key, value in ack.headers[2:]),
            ]
            self._send(ack)
        nonce = re.search(r'nonce="([^"]+)"', answer.get("www-authenticate"))
        number, _ = next(value for key, value in request.headers if key == "CSeq").split()
        self._sequence = int(number) + 1
        request.headers = [
            (key, f"{self._sequence} {method}" if key == "CSeq" else _new_branch(value) if key == "Via" else value)
            for key, value in request.headers
        ]
        request.headers.append(
            ("Authorization", self._proof(method, request.first.split()[1], nonce[1] if nonce else ""))
        )
        self._send(request)
        return self._wait(
            lambda found: found.status >= 200 and f"{self._sequence} {method}" in found.get("cseq"), again=request
        )

    def _proof(self, method: str, uri: str, nonce: str) -> str:
        def digest(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        response = digest(f"{self.extension.digest}:{nonce}:{digest(f'{method}:{uri}')}")
        return (
            f'Digest username="{self.extension.user}", realm="{REALM}", nonce="{nonce}", uri="{uri}", '
            f'response="{response}", algorithm=MD5'
        )

    def _send(self, message: Message) -> None:
        self._sip.sendto(message.wire(), self.server)

    def _wait(self, wanted: Callable[[Message], bool], again: Message | None = None) -> Message:
        ends, resend = time.monotonic() + self._patience, time.monotonic() + 0.5
        while (now := time.monotonic()) < ends:
            with contextlib.suppress(queue.Empty):
                answer = self._answers.get(timeout=0.1)
                again = None
                if wanted(answer):
                    return answer
            if again is not None and now > resend:
                self._send(again)
                resend = now + 1
        raise PhoneFault("the exchange did not answer; is it running? (make up PHONE=1)")

    def _listen(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                message = Message.parse(self._sip.recvfrom(65_535)[0])
                if message.status:
                    self._answers.put(message)
                else:
                    self._asked(message)

    def _asked(self, request: Message) -> None:
        method = request.first.split()[0]
        if method == "ACK":
            self.in_call.set()
            return
        answer = Message(
            "SIP/2.0 200 OK",
            [
                (key.title(), value)
                for key, value in request.headers
                if key in ("via", "from", "to", "call-id", "cseq", "record-route")
            ],
        )
        if method == "INVITE":
            self._take_call(request, answer)
        elif method == "BYE":
            self.over.set()
        self._send(answer)

    def _take_call(self, request: Message, answer: Message) -> None:
        tag = request.get("to") if "tag=" in request.get("to") else f"{request.get('to')};tag={_random()}"
        self._local, self._remote = tag, request.get("from")
        self._call_id, self._target = request.get("call-id"), _uri(request.get("contact"))
        self._routes = [value for key, value in request.headers if key == "record-route"]
        answer.headers = [(key, tag if key == "To" else value) for key, value in answer.headers]
        answer.headers += [("Contact", f"<{self._contact}>"), ("Content-Type", "application/sdp")]
        answer.body = self._sdp()
        self._media(request.body)

    # ---- sound
    def _sdp(self) -> str:
        return (
            f"v=0\r\no={self.extension.user} 1 1 IN IP4 {self.address}\r\ns=-\r\nc=IN IP4 {self.address}\r\nt=0 0\r\n"
            f"m=audio {self._rtp.getsockname()[1]} RTP/AVP 0 {EVENT_TYPE}\r\na=rtpmap:0 PCMU/8000\r\n"
            f"a=rtpmap:{EVENT_TYPE} telephone-event/8000\r\na=fmtp:{EVENT_TYPE} 0-16\r\na=sendrecv\r\n"
        )

    def _media(self, sdp: str) -> None:
        address, port = re.search(r"c=IN IP4 (\S+)", sdp), re.search(r"m=audio (\d+)", sdp)
        if address and port:
            self._remote_media = (address[1], int(port[1]))

    def _hear(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                data = self._rtp.recvfrom(4096)[0]
                self.heard.append((time.monotonic(), data[1] & 0x7F, data[12:]))

    def _speak(self) -> None:
        source, sequence, frame = secrets.randbits(32), 0, 0
        pressed: tuple[str, str, int] | None = None
        due = time.monotonic()
        while not self._stop.is_set():
            due += FRAME / RATE
            self._stop.wait(max(0.0, due - time.monotonic()))
            if self._remote_media is None or not self.in_call.is_set() or self.over.is_set():
                continue
            if pressed is None:
                with contextlib.suppress(queue.Empty):
                    pressed = (*self._keys.get_nowait(), frame)
            for kind, timestamp, payload in self._frame(pressed, frame):
                header = struct.pack("!BBHII", 0x80, kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, source)
                with contextlib.suppress(OSError):
                    self._rtp.sendto(header + payload, self._remote_media)
                sequence += 1
            # Five frames of key, five of pause.
            if pressed is not None and frame - pressed[2] >= 9:
                pressed = None
                self._keys.task_done()
            frame += 1

    def _frame(self, pressed: tuple[str, str, int] | None, frame: int) -> list[tuple[int, int, bytes]]:
        at = frame * FRAME
        if pressed is None or frame - pressed[2] >= 5:
            return [(0, at, _hum(at))]
        symbol, by, began = pressed
        packets = []
        if by == "info" and frame == began:
            self._sequence += 1
            message = self._within("INFO", sequence=self._sequence)
            message.headers.append(("Content-Type", "application/dtmf-relay"))
            message.body = f"Signal={symbol}\r\nDuration=100\r\n"
            self._send(message)
        packets.append((0, at, _tones(symbol, at) if by in ("sound", "both") else _hum(at)))
        if by in ("event", "both"):
            duration = (frame - began + 1) * FRAME
            last = frame - began == 4
            payload = struct.pack("!BBH", SYMBOLS.index(symbol), (0x80 if last else 0) | 10, duration)
            packets += [(EVENT_TYPE, began * FRAME, payload)] * (3 if last else 1)
        return packets


def _mu_law(samples: np.ndarray) -> bytes:
    """G.711 μ-law, by its formula."""
    value = np.clip(np.abs(samples) * 32635, 0, 32635).astype(int) + 132
    exponent = np.floor(np.log2(value)).astype(int) - 7
    mantissa = value >> (exponent + 3) & 0x0F
    sign = np.where(samples < 0, 0x80, 0)
    return bytes((~(sign | exponent << 4 | mantissa) & 0xFF).astype(np.uint8))


def _hum(at: int) -> bytes:
    """A soft voice-like sound that is no key."""
    moments = (at + np.arange(FRAME)) / RATE
    return _mu_law(0.05 * np.sin(2 * np.pi * 220 * moments) + 0.02 * np.sin(2 * np.pi * 440 * moments))


def _tones(symbol: str, at: int) -> bytes:
    row = next(row for row in _TONES if symbol in row)
    moments = (at + np.arange(FRAME)) / RATE
    high = _COLUMNS[row.index(symbol)]
    return _mu_law(0.2 * (np.sin(2 * np.pi * _TONES[row] * moments) + np.sin(2 * np.pi * high * moments)))


def _random() -> str:
    return secrets.token_hex(8)


def _new_branch(via: str) -> str:
    return re.sub(r"branch=[^;]+", f"branch=z9hG4bK{_random()}", via)


def _uri(contact: str) -> str:
    found = re.search(r"<([^>]+)>", contact)
    return found[1] if found else contact
