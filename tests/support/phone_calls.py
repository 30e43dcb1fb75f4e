"""Calls over real sockets without any SIP: described to a masker by ng as Kamailio does, each side a UDP socket."""

import socket
import struct
from dataclasses import dataclass, field

from services.vault.phone.calls import bencode
from services.vault.phone.signal.telephone_events import SYMBOLS, payload_of

EVENT_TYPE = 101
_SDP = (
    "v=0\r\no={who} 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
)
_KEY = 800


@dataclass
class Side:
    """One end of a call: its socket, and where it sends to."""

    socket: socket.socket
    address: tuple[str, int] = ("", 0)
    source: int = 0
    sequence: int = 0
    timestamp: int = 0
    packets: list[bytes] = field(default_factory=list)

    def send(self, kind: int, payload: bytes, *, timestamp: int) -> None:
        """One RTP packet."""
        header = struct.pack("!BBHII", 0x80, kind, self.sequence & 0xFFFF, timestamp & 0xFFFFFFFF, self.source)
        self.sequence += 1
        self.socket.sendto(header + payload, self.address)

    def key(self, symbol: str) -> None:
        """A key as an event beside the sound, told three times as telephones do."""
        self.timestamp += 2 * _KEY
        for _ in range(3):
            self.send(EVENT_TYPE, payload_of(SYMBOLS.index(symbol), _KEY, end=True), timestamp=self.timestamp)


@dataclass
class Pair:
    """A call: `client` a line, `agent` a desk of the agency."""

    id: str
    client: Side
    agent: Side

    def close(self) -> None:
        """Closes both sockets; the masker is told nothing."""
        self.client.socket.close()
        self.agent.socket.close()


def set_up(ng_port: int, calls: int) -> list[Pair]:
    """That many calls on the masker whose ng answers there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ng:
        ng.settimeout(5)
        return [_call(ng, ng_port, index) for index in range(calls)]


def _call(ng: socket.socket, ng_port: int, index: int) -> Pair:
    client, agent = (Side(_bound(), source=2 * index + side) for side in range(2))
    for name, speaking, hearing, tags in (
        ("offer", client, agent, {}),
        ("answer", agent, client, {b"to-tag": b"agent"}),
    ):
        command: dict[bytes, bencode.Value] = {
            b"command": name.encode(),
            b"call-id": f"call-{index}".encode(),
            b"from-tag": b"client",
            b"direction": [b"line", b"desk"],
            b"sdp": _SDP.format(who=name, port=speaking.socket.getsockname()[1]).encode(),
            **tags,
        }
        ng.sendto(f"{index}{name} ".encode() + bencode.encode(command), ("127.0.0.1", ng_port))
        answer = ng.recv(8192)
        # What one side is told of is where it sends to.
        hearing.address = ("127.0.0.1", int(answer.split(b"m=audio ")[1].split(b" ")[0]))
    return Pair(f"call-{index}", client, agent)


def _bound() -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind(("127.0.0.1", 0))
    return opened
