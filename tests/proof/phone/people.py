"""A client and an agent on one simulated call, and what the agent's side was sent."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from services.vault.phone.calls.ports import Address
from services.vault.phone.capture.rules import Field, Result, State, TimeLimits
from services.vault.phone.capture.sessions import Progress, Purpose
from services.vault.phone.signal import rtp
from services.vault.phone.signal.g711 import CODECS, RATE
from services.vault.phone.signal.telephone_events import SYMBOLS, payload_of
from tests.proof.phone import sound
from tests.proof.phone.plans import Plan
from tests.proof.phone.world import World

FRAME = 160
EVENT_TYPE = 101
_PATH = 0.02
# A stretch of this many samples is met once in 20 seconds of surroundings, not by accident.
_TELLING = 40
_SDP = (
    "v=0\r\no={user} 1 {version} IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 96 {law} 101 13\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-16\r\na={direction}\r\n"
)


@dataclass
class Pressed:
    """A key as it was pressed: times in the world's seconds."""

    key: int
    begin: float
    end: float


class Phone:
    """Sends 20 ms of its sound at a time, with keys in it or beside it, over a path with its faults."""

    def __init__(self, world: World, plan: Plan, address: Address, rng: np.random.Generator, *, faults: bool) -> None:
        self.world, self.plan, self.address, self.rng, self.faults = world, plan, address, rng, faults
        self.to_port = 0
        self.pressed: list[Pressed] = []
        self.begun = world.now
        self.background = self._background() if faults else np.zeros(RATE)
        self._surroundings = b""
        self.keys: dict[int, sound.Sound] = {}
        self.events: list[tuple[int, int, int]] = []
        self.ssrc, self.sequence = int(rng.integers(2**32)), int(rng.integers(2**16))
        self.first_timestamp = int(rng.integers(2**32))
        self.informed_at = 0.0
        self.renews_with_next_key = False
        self.renews_at: int | None = None
        self.silent = (0, 0)
        self.frame = 0
        self.on = True
        self.reordered: tuple[bytes, float] | None = None
        world.at(world.now + float(rng.uniform(0, 0.02)), self._send)

    def _background(self) -> sound.Sound:
        make: Callable[[int, np.random.Generator], sound.Sound] | None = {
            "quiet": None,
            "speech": sound.speech,
            "music": sound.music,
        }[self.plan.background]
        if make is None:
            return np.zeros(RATE)
        power = sound.power_of(self.plan.level - self.plan.below)
        return np.asarray(make(20 * RATE, self.rng) * np.sqrt(power))

    def is_background(self, samples: sound.Sound) -> bool:
        """Whether these samples are, one by one, a stretch of this phone's surroundings without any key.

        The silence of a mask before or after it makes no difference.
        """
        codec = CODECS[self.plan.law]
        if not self._surroundings:
            # Twice, since each law has two bytes for silence.
            wire = codec.encode(codec.decode(codec.encode(self.background).tobytes())).tobytes()
            self._surroundings = wire + wire[:FRAME]
        left = codec.encode(samples).tobytes().strip(codec.encode(np.zeros(1)).tobytes())
        return len(left) >= _TELLING and left in self._surroundings

    def press(self, digits: str, after: float, transports: tuple[str, ...], key: float, pause: float) -> float:
        """Presses keys one after another; returns when the last one is over (world's seconds)."""
        at = int((self.world.now - self.begun + after) * RATE)
        at = max(at, self.frame * FRAME + FRAME)
        if self.renews_with_next_key:
            self.renews_with_next_key, self.renews_at = False, at
        for symbol in digits:
            number, samples = SYMBOLS.index(symbol), int(key * RATE)
            begin = self.begun + at / RATE
            self.pressed.append(Pressed(number, begin, begin + key))
            if "sound" in transports:
                self._lay(
                    at,
                    sound.key_sound(
                        number, samples, dbm0=self.plan.level, twist=self.plan.twist, off=self.plan.off, rng=self.rng
                    ),
                )
            if "event" in transports:
                self.events.append((at, samples, number))
            if "info" in transports:
                self._inform(begin + key + float(self.rng.uniform(0.02, 0.12)), symbol)
            at += samples + int(pause * RATE)
        return self.begun + at / RATE

    def _lay(self, at: int, tones: sound.Sound) -> None:
        done = 0
        while done < len(tones):
            frame, offset = divmod(at + done, FRAME)
            part = tones[done : done + FRAME - offset]
            self.keys.setdefault(frame, np.zeros(FRAME))[offset : offset + len(part)] += part
            done += len(part)

    def _inform(self, moment: float, symbol: str) -> None:
        # A telephone sends a message when the one before was answered.
        moment = self.informed_at = max(moment, self.informed_at + 0.01)
        self.world.at(moment, lambda: self.inform(symbol))

    inform: Callable[[str], None] = staticmethod(lambda _symbol: None)

    def _send(self) -> None:
        if not self.on:
            return
        at = self.frame * FRAME
        if self.renews_at is not None and self.renews_at < at + FRAME:
            # With another source, whose first packet is the key's: the event's, where it sends events.
            self.renews_at = None
            self.new_source()
            self._send_events(at)
            self._send_sound(at)
        else:
            self._send_sound(at)
            self._send_events(at)
        self.frame += 1
        self.world.at(self.world.now + FRAME / RATE, self._send)

    def _send_sound(self, at: int) -> None:
        keyed = self.keys.pop(self.frame, None)
        if self.silent[0] <= at < self.silent[1] or (
            self.plan.trouble == "silence_suppressed" and keyed is None and self.faults
        ):
            return
        if self.events and self.events[0][0] - FRAME < at < self.events[0][0] + self.events[0][1] and keyed is None:
            return  # while it sends an event, a phone sends no sound
        background = np.take(self.background, range(at, at + FRAME), mode="wrap")
        samples = background if keyed is None else background + keyed
        payload = CODECS[self.plan.law].encode(samples).tobytes()
        if self.faults and self.plan.trouble == "comfort_noise" and keyed is None and self.rng.random() < 0.1:
            self._packet(13, at, bytes([60]))
            return
        self._packet(self.plan.law, at, payload)

    def _send_events(self, at: int) -> None:
        for begin, samples, key in list(self.events):
            if at + FRAME <= begin:
                break
            duration = min(at + FRAME - begin, samples)
            self._packet(EVENT_TYPE, begin, payload_of(key, duration, end=duration == samples))
            if duration == samples:
                for _ in range(2):
                    self._packet(EVENT_TYPE, begin, payload_of(key, duration, end=True))
                self.events.remove((begin, samples, key))

    def _packet(self, kind: int, at: int, payload: bytes) -> None:
        data = rtp.build(kind, self.sequence, self.first_timestamp + at, self.ssrc, payload)
        self.sequence += 1
        if not self.faults:
            self._deliver(data, _PATH)
            return
        if self.rng.random() < self.plan.loss:
            return
        delay = _PATH + float(self.rng.uniform(0, self.plan.jitter))
        if self.plan.trouble == "reordered" and self.rng.random() < 0.1:
            delay += 0.045
        self._deliver(data, delay)
        if self.rng.random() < self.plan.doubled:
            self._deliver(data, delay + 0.005)

    def _deliver(self, data: bytes, delay: float) -> None:
        port, source = self.to_port, self.address
        self.world.at(self.world.now + delay, lambda: self.world.masker.packet(port, data, source, self.world.now))

    def new_source(self) -> None:
        """Another SSRC, sequence and timestamp from here on."""
        self.ssrc, self.sequence = int(self.rng.integers(2**32)), int(self.rng.integers(2**16))
        self.first_timestamp = int(self.rng.integers(2**32))


@dataclass
class Heard:
    """What the agent's side was sent, packet by packet."""

    packets: list[tuple[float, rtp.Packet]] = field(default_factory=list)
    raw_events: int = 0

    def take(self, data: bytes, now: float) -> None:
        packet = rtp.parse(data)
        assert packet is not None
        self.packets.append((now, packet))

    def sound(self, begun: float) -> sound.Sound:
        """As a recorder lays it down: by arrival, 8,000 samples a second from `begun`."""
        last = max((now for now, _ in self.packets), default=begun)
        laid = np.zeros(int((last - begun + 1) * RATE))
        for now, packet in self.packets:
            if packet.payload_type in CODECS:
                at = round((now - begun) * RATE)
                samples = CODECS[packet.payload_type].decode(packet.payload)
                laid[at : at + len(samples)] = samples
        return laid


class Conversation:
    """One call from dialling to hanging up, with the agent's clicks."""

    def __init__(self, world: World, plan: Plan, index: int) -> None:
        self.world, self.plan = world, plan
        self.rng = np.random.default_rng(plan.seed + 10**6)
        self.call_id = f"call-{index}"
        self.client_address = (f"10.1.{index // 200}.{index % 200 + 1}", 4000)
        self.agent_address = (f"10.2.{index // 200}.{index % 200 + 1}", 5000)
        self.begun = world.now
        self.heard = Heard()
        self.client = Phone(world, plan, self.client_address, self.rng, faults=True)
        self.agent = Phone(world, plan, self.agent_address, self.rng, faults=False)
        world.receive_at(self.agent_address, self.heard.take)
        self.client.inform = self._inform("client")
        self.agent.inform = self._inform("agent")
        self._connect()
        self.purpose = Purpose(
            agency_id="agency",
            agent_id=f"agent-{index}",
            payment_id=f"payment-{index}",
            desk="",
            card_days=30,
            cvv_hours=72,
            limits=TimeLimits(field=20.0, idle=60.0, total=300.0),
        )
        self.session_id = ""
        self.tied_at = 0.0
        self.done_at = 0.0
        self.over = False
        self.refusals: list[str] = []
        self.troubled = False
        self.result: Result | None = None
        self.keyed_until = 0.0
        world.at(world.now + 0.4 + float(self.rng.uniform(0, 0.5)), self._open)

    def _inform(self, tag: str) -> Callable[[str], None]:
        return lambda symbol: (self.world.command("play DTMF", call_id=self.call_id, from_tag=tag, code=symbol), None)[
            1
        ]

    # ---- signalling
    def _sdp(self, user: str, address: Address, *, version: int = 1, direction: str = "sendrecv") -> str:
        return _SDP.format(
            user=user, version=version, address=address[0], port=address[1], law=self.plan.law, direction=direction
        )

    def _connect(self) -> None:
        offer = self.world.command(
            "offer",
            call_id=self.call_id,
            from_tag="client",
            sdp=self._sdp("client", self.client_address),
            direction=[b"line", b"desk"],
        )
        answer = self.world.command(
            "answer",
            call_id=self.call_id,
            from_tag="client",
            to_tag="agent",
            sdp=self._sdp("agent", self.agent_address),
        )
        self.agent.to_port, self.client.to_port = _port(offer), _port(answer)
        if self.plan.early_media:  # a 183 and then a 200, each with the description
            self._reinvite("answer")

    def _reinvite(self, command: str, *, direction: str = "sendrecv", by: str = "client") -> None:
        addresses = {"client": self.client_address, "agent": self.agent_address}
        to = next(tag for tag in addresses if tag != by)
        if command == "offer":
            offer = self._sdp(by, addresses[by], version=2, direction=direction)
            self.world.command("offer", call_id=self.call_id, from_tag=by, sdp=offer)
        answer = self._sdp(to, addresses[to], version=2)
        self.world.command("answer", call_id=self.call_id, from_tag=by, to_tag=to, sdp=answer)

    # ---- the agent
    def _open(self) -> None:
        self.session_id, pin = self.world.sessions.open(self.purpose)
        self.world.settle()
        by = ("sound",) if self.plan.pin_by_sound else ("event",)
        self.agent.press(f"*{pin}#", 0.2, by, 0.1, 0.1)
        self.world.at(self.world.now + 0.05, self._look)

    def _look(self) -> None:
        progress = self.world.sessions.progress(self.session_id, self.purpose.agent_id)
        if progress.state is State.ENDED:
            self._ended(progress)
            return
        if progress.state is State.TIED:
            self.tied_at = self.tied_at or self.world.now
            self._next(progress)
        self.world.at(self.world.now + 0.04, self._look)

    def _next(self, progress: Progress) -> None:
        if progress.open_field is not None or self.world.now < self.keyed_until + 0.35:
            return
        wanted = next((each for each in Field if not progress.fields[each].taken), None)
        if wanted is None:
            self.world.sessions.finish(self.session_id, self.purpose.agent_id, "A Client")
            return
        if progress.fields[wanted].refusal:
            self.refusals.append(f"{wanted}: {progress.fields[wanted].refusal} {progress.fields[wanted].digits}")
        if progress.fields[wanted].asked > 6:
            self.world.sessions.cancel(self.session_id, self.purpose.agent_id)
            return
        self.world.sessions.capture(self.session_id, self.purpose.agent_id, wanted)
        self.world.settle()
        digits = {Field.NUMBER: self.plan.number, Field.EXPIRY: self.plan.expiry, Field.CVV: self.plan.cvv}[wanted]
        self._trouble(digits, wanted)

    def _trouble(self, digits: str, wanted: Field) -> None:
        plan, client = self.plan, self.client

        def key(text: str, after: float) -> float:
            return client.press(text, after, plan.transports, plan.key, plan.pause)

        if self.troubled or wanted is not Field.NUMBER or plan.trouble in ("none", "comfort_noise", "reordered"):
            self.keyed_until = key(f"{digits}#", 0.3)
            return
        self.troubled = True
        half = key(digits[:7], 0.3)
        rest = max(0.1, half - self.world.now)
        match plan.trouble:
            case "gap":
                begins = int((half - client.begun) * RATE)
                client.silent = (begins, begins + int(self.rng.uniform(0.1, 3) * RATE))
                rest = client.silent[1] / RATE + client.begun - self.world.now
            case "new_source":
                self.world.at(half, client.new_source)
            case "first_is_event":
                client.renews_with_next_key = True
            case "new_port":
                self.world.at(half, self._new_port)
                rest += 0.1
            case "hold":
                direction, by = ("inactive", "client") if plan.early_media else ("sendonly", "agent")
                self.world.at(half, lambda: self._reinvite("offer", direction=direction, by=by))
                self.world.at(half + 1.0, lambda: self._reinvite("offer", by=by))
            case "unasked":
                # The client keys on, though the agent has taken the field back.
                self.world.at(half, self._give_up)
        self.keyed_until = key(f"{digits[7:]}#", rest + 0.02)

    def _give_up(self) -> None:
        self.world.sessions.give_up_field(self.session_id, self.purpose.agent_id)

    def _new_port(self) -> None:
        self.client_address = (self.client_address[0], self.client_address[1] + 10)
        self.client.address = self.client_address
        self._reinvite("offer")

    def _ended(self, progress: Progress) -> None:
        self.result, self.done_at = progress.result, self.world.now
        self.world.at(self.world.now + 0.6, self._hang_up)

    def _hang_up(self) -> None:
        if self.world.now < self.keyed_until + 0.6:
            self.world.at(self.world.now + 0.1, self._hang_up)
            return
        self.client.on = self.agent.on = False
        self.world.command("delete", call_id=self.call_id, from_tag="client")
        self.over = True


def _port(answer: Mapping[bytes, object]) -> int:
    text = answer[b"sdp"]
    assert isinstance(text, bytes)
    found = re.search(rb"m=audio (\d+)", text)
    assert found is not None
    return int(found[1])
