"""Calls in progress: two sides, their ports, and the line that takes keys out of what the client sends.

Everything here runs on one thread and takes the time as an argument (seconds, monotonic), so that a proof may run it by
a clock of its own.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.vault.phone.calls.ports import Address, Ended, Listener, Network, Transport
from services.vault.phone.calls.sdp import Media
from services.vault.phone.signal import rtp
from services.vault.phone.signal.g711 import CODECS, RATE, Codec
from services.vault.phone.signal.line import BEAT, FRAME, Line, LineBank
from services.vault.phone.signal.telephone_events import EventReader

# After a session's end keys are masked until none came for this long, but no longer than _LAST (seconds).
CHECKING: Final = "check"
_QUIET: Final = 2.0
_LAST: Final = 30.0
# A call of which nothing is heard for this long is over, whatever Kamailio said, which may be away (seconds): its
# session first, since a session must not outlive its call; a call may also be muted on both sides for a while.
_SILENT: Final = 30.0
_FORGOTTEN: Final = 600.0


@dataclass(eq=False, slots=True)
class Side:
    """One end of a call: `port` is ours, where it sends to. `line` judges what it sends.

    `stream`: source, sequence and timestamp of what we last sent on in its name.
    """

    tag: str
    desk: bool
    port: int
    name: str = ""
    media: Media | None = None
    remote: Address | None = None
    learned: bool = False
    # Where it was before its last description: what still comes from there is not learned from.
    left: Address | None = None
    line: Line | None = None
    last: bytes = b""
    last_at: float = 0.0
    stream: tuple[int, int, int] | None = None
    shift: tuple[int, int, int] | None = None
    sent_type: int = 0
    starts: bool = True
    events: EventReader = field(default_factory=EventReader)

    def told(self, media: Media) -> None:
        """Takes a description of this side."""
        address = (media.address, media.port)
        if self.media is None or (self.media.address, self.media.port) != address:
            self.left, self.remote, self.learned = self.remote, address, False
        self.media = media


@dataclass(eq=False, slots=True)
class Call:
    """A call: `sides` in the order offerer, answerer. `client` is the masked side while a session lives."""

    id: str
    sides: tuple[Side, Side]
    heard_at: float
    client: Side | None = None
    ending: float | None = None
    # RTCP is passed on until a session's first packet: afterwards its counts would not fit what was sent.
    touched: bool = False

    def side(self, tag: str) -> Side | None:
        return next((side for side in self.sides if side.tag == tag), None)

    def other(self, side: Side) -> Side:
        return self.sides[1] if side is self.sides[0] else self.sides[0]


class Masker:
    """All calls of a process."""

    def __init__(
        self, network: Network, listener: Listener, *, most_calls: int = 500, bank: LineBank | None = None
    ) -> None:
        self._network = network
        self._listener = listener
        self._most = most_calls
        self._bank = bank or LineBank()
        self._calls: dict[str, Call] = {}
        self._ports: dict[int, tuple[Call, Side]] = {}
        self._lines: dict[Line, tuple[Call, Side]] = {}
        self._watching = False
        # When a test call (desk CHECKING) last had sound both ways; None for never.
        self.checked_at: float | None = None

    @property
    def calls(self) -> Mapping[str, Call]:
        """Calls by id."""
        return self._calls

    # ---- signalling
    def open(self, call_id: str, tag: str, *, desks: tuple[bool, bool], names: tuple[str, str], now: float) -> Call:
        """A new call. Raises OSError when there is no room."""
        if len(self._calls) >= self._most:
            raise OSError("too many calls")
        first = self._network.open_pair()
        try:
            second = self._network.open_pair()
        except OSError:
            self._network.close_pair(first)
            raise
        sides = (
            Side(tag=tag, desk=desks[0], port=first, name=names[0]),
            Side(tag="", desk=desks[1], port=second, name=names[1]),
        )
        call = self._calls[call_id] = Call(id=call_id, sides=sides, heard_at=now)
        for side in sides:
            self._ports[side.port] = (call, side)
        if self._watching:
            self._watch(call, now)
        return call

    def told(self, call: Call, side: Side, media: Media) -> None:
        """A side described itself, first or anew. Ends a session when the call was held or handed on."""
        before = side.media
        side.told(media)
        if call.client is None or call.ending is not None or before is None:
            return
        if media.held:
            self._listener.over(call.id, Ended.HELD)
        elif media.origin != before.origin:
            self._listener.over(call.id, Ended.TRANSFERRED)

    def close(self, call_id: str) -> bool:
        """The call is over; its ports are free and its sound overwritten. False when it is not known."""
        call = self._calls.pop(call_id, None)
        if call is None:
            return False
        for side in call.sides:
            self._drop_line(side)
            del self._ports[side.port]
            self._network.close_pair(side.port)
        self._listener.over(call_id, Ended.HUNG_UP)
        return True

    def key_by_message(self, call_id: str, tag: str, key: int) -> bool:
        """A key that came by SIP INFO; it is never passed on. False when the call is not known."""
        call = self._calls.get(call_id)
        side = call.side(tag) if call else None
        if call is None or side is None:
            return False
        self._key(call, side, Transport.INFO, key)
        return True

    # ---- sessions
    def watch(self, *, watching: bool, now: float) -> None:
        """Begins or ends to listen for a PIN on the calls that have no session."""
        self._watching = watching
        for call in self._calls.values():
            if call.client is not None:
                continue
            if watching:
                self._watch(call, now)
            else:
                for side in call.sides:
                    self._drop_line(side)

    def begin(self, call_id: str, desk_tag: str, now: float) -> bool:
        """Masks the side opposite the desk's from now on. False when the call is gone or carries a session."""
        call = self._calls.get(call_id)
        desk = call.side(desk_tag) if call else None
        if call is None or desk is None or call.client is not None:
            return False
        for side in call.sides:
            self._drop_line(side)
        client = call.client = call.other(desk)
        call.ending, call.touched = None, True
        client.line = self._open_line(call, client, masked=True, now=now)
        client.stream, client.starts = _stream_after(client.last), True
        client.shift = None
        return True

    def keying(self, call_id: str, *, keying: bool) -> None:
        """Judges more suspiciously while a field is keyed."""
        call = self._calls.get(call_id)
        if call is not None and call.client is not None and call.client.line is not None:
            call.client.line.keying = keying

    def end(self, call_id: str, now: float) -> None:
        """The session is over: masks on until no key came for a while, then only relays."""
        call = self._calls.get(call_id)
        if call is not None and call.client is not None and call.ending is None:
            call.ending = now

    # ---- media
    def packet(self, port: int, data: bytes, source: Address, now: float) -> None:
        """An RTP packet that came to one of our ports."""
        found = self._ports.get(port)
        if found is None:
            return
        call, side = found
        if source != side.remote and not self._learn(side, source):
            return
        call.heard_at = now
        if CHECKING in (call.sides[0].name, call.sides[1].name) and call.other(side).last:
            self.checked_at = now
        line = side.line
        if line is None:
            self._relay(call.other(side), side, data, now)
            return
        if not line.masked:
            self._relay(call.other(side), side, data, now)
        packet = rtp.parse(data)
        if packet is not None:
            self._take(call, side, line, packet, int(now * RATE))

    def control(self, port: int, data: bytes, now: float) -> None:
        """An RTCP packet that came to the port after one of ours."""
        found = self._ports.get(port - 1)
        if found is None or found[0].touched:
            return
        call, side = found
        other = call.other(side)
        if other.remote is not None and now - call.heard_at < _FORGOTTEN:
            self._network.send(other.port + 1, data, (other.remote[0], other.remote[1] + 1))

    def beat(self, now: float) -> None:
        """Plays what is due; called every 10 ms."""
        moment = int(now * RATE)
        due: dict[int, list[Line]] = {}
        for line in self._lines:
            if line.clock <= moment:
                due.setdefault(line.clock, []).append(line)
        for clock in sorted(due):
            lines = [line for line in due[clock] if line in self._lines]
            for line, frame in zip(lines, self._bank.play(lines), strict=True):
                if frame:
                    self._play(line, frame)
        if due:
            self._end_lines(now)

    def sweep(self, now: float) -> None:
        """Ends sessions, and closes calls, of which nothing was heard for long; called now and then."""
        for call in self._calls.values():
            if call.client is not None and call.ending is None and now - call.heard_at > _SILENT:
                self._listener.over(call.id, Ended.HUNG_UP)
        for call in [call for call in self._calls.values() if now - call.heard_at > _FORGOTTEN]:
            self.close(call.id)

    # ---- inside
    def _learn(self, side: Side, source: Address) -> bool:
        """Behind a NAT a side sends from elsewhere than it said: the first source after each description is it."""
        if side.media is None or source == side.left:
            return False
        if side.learned and source != (side.media.address, side.media.port):
            return False
        side.remote, side.learned = source, True
        return True

    def _relay(self, to: Side, side: Side, data: bytes, now: float) -> None:
        if to.remote is None:
            return
        if side.stream is not None:
            data = _follow(side, data, now)
            if not data:
                return
        side.last, side.last_at = data, now
        self._network.send(to.port, data, to.remote)

    def _take(self, call: Call, side: Side, line: Line, packet: rtp.Packet, moment: int) -> None:
        codec = self._codec(call, packet.payload_type)
        if codec is not None:
            side.sent_type = packet.payload_type
            self._bank.put(line, packet, codec, moment)
        elif self._is_event(call, packet.payload_type):
            event = side.events.read(packet)
            if event is not None:
                self._bank.key_beside(line, packet, moment)
                self._key(call, side, Transport.EVENT, event.key)

    @staticmethod
    def _codec(call: Call, payload_type: int) -> Codec | None:
        for side in call.sides:
            if side.media is not None and payload_type in side.media.codecs:
                return CODECS[side.media.codecs[payload_type]]
        return None

    @staticmethod
    def _is_event(call: Call, payload_type: int) -> bool:
        return any(side.media is not None and side.media.event_type == payload_type for side in call.sides)

    def _key(self, call: Call, side: Side, transport: Transport, key: int) -> None:
        if call.client is side:
            if call.ending is None:
                self._listener.key_in_session(call.id, transport, key)
        elif call.client is None and self._watching:
            self._listener.key_while_waiting(call.id, side.tag, desk=side.desk, transport=transport, key=key)

    def _watch(self, call: Call, now: float) -> None:
        for side in call.sides:
            if side.line is None:
                side.line = self._open_line(call, side, masked=False, now=now)

    def _open_line(self, call: Call, side: Side, *, masked: bool, now: float) -> Line:
        def on_key(key: int, _: int) -> None:
            self._key(call, side, Transport.SOUND, key)

        heard: Callable[[int, int], None] = on_key
        line = self._bank.open(int(now * RATE), masked=masked, on_key=heard)
        self._lines[line] = (call, side)
        return line

    def _drop_line(self, side: Side) -> None:
        if side.line is not None:
            del self._lines[side.line]
            self._bank.close(side.line)
            side.line = None

    def _play(self, line: Line, frame: bytes) -> None:
        if line not in self._lines:
            return
        call, side = self._lines[line]
        to = call.other(side)
        source, sequence, timestamp = side.stream or _new_stream()
        side.stream = (source, sequence + 1 & 0xFFFF, timestamp + FRAME & 0xFFFFFFFF)
        if to.remote is not None:
            data = rtp.build(
                side.sent_type or line.codec.payload_type, sequence, timestamp, source, frame, marker=side.starts
            )
            side.starts = False
            side.last_at = line.clock / RATE
            self._network.send(to.port, data, to.remote)

    def _end_lines(self, now: float) -> None:
        for call in [self._lines[line][0] for line in self._lines if line.masked]:
            client = call.client
            if call.ending is None or client is None or client.line is None:
                continue
            since = now - max(call.ending, client.line.last_key / RATE)
            if since > _QUIET or now - call.ending > _LAST:
                self._drop_line(client)
                call.client, call.ending = None, None
                if self._watching:
                    self._watch(call, now)


def _new_stream() -> tuple[int, int, int]:
    return random.getrandbits(32), random.getrandbits(15), random.getrandbits(31)


def _stream_after(data: bytes) -> tuple[int, int, int]:
    """What follows the packet that was passed on last, so that the agent's phone hears one stream."""
    packet = rtp.parse(data)
    if packet is None:
        return _new_stream()
    return packet.ssrc, packet.sequence + 1 & 0xFFFF, packet.timestamp + len(packet.payload) & 0xFFFFFFFF


def _follow(side: Side, data: bytes, now: float) -> bytes:
    """A packet passed on after we sent our own in its name: the same stream goes on."""
    packet = rtp.parse(data)
    if packet is None or side.stream is None:
        return b""
    source, sequence, timestamp = side.stream
    if side.shift is None or side.shift[0] != packet.ssrc:
        pause = max(BEAT, int((now - side.last_at) * RATE)) if side.last_at else FRAME
        side.shift = (packet.ssrc, sequence - packet.sequence, timestamp + pause - FRAME - packet.timestamp)
    _, by, later = side.shift
    shifted = rtp.shifted(data, sequence=by, timestamp=later, ssrc=source)
    moved = rtp.parse(shifted)
    if moved is not None:
        side.stream = (source, moved.sequence + 1 & 0xFFFF, moved.timestamp + len(packet.payload) & 0xFFFFFFFF)
    return shifted
