"""What a call's packets go through with and without a session."""

import itertools

import numpy as np

from services.vault.phone.calls.ports import Address
from services.vault.phone.signal import rtp
from services.vault.phone.signal.g711 import PCMU, RATE
from services.vault.phone.signal.line import DELAY, FRAME
from tests.proof.phone.sound import key_sound
from tests.proof.phone.world import World

CLIENT: Address = ("10.0.0.1", 4000)
AGENT: Address = ("10.0.0.2", 4000)
_SDP = (
    "v=0\r\no={user} 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
)


def _port(answer: object) -> int:
    assert isinstance(answer, dict)
    return int(answer[b"sdp"].split(b"m=audio ")[1].split(b" ")[0])


class Call:
    """A call in the simulated world; the client speaks, the agent hears."""

    def __init__(self) -> None:
        self.world = world = World()
        sdp = {user: _SDP.format(user=user, address=side[0]) for user, side in (("c", CLIENT), ("a", AGENT))}
        world.command("offer", call_id="call", from_tag="client", sdp=sdp["c"], direction=[b"line", b"desk"])
        self.port = _port(world.command("answer", call_id="call", from_tag="client", to_tag="agent", sdp=sdp["a"]))
        self.heard: list[bytes] = []
        world.receive_at(AGENT, lambda data, _: self.heard.append(data))

    def speak(self, samples: "np.ndarray") -> list[bytes]:
        """Sends sound in frames of 20 ms, and returns the packets."""
        wire, sent = PCMU.encode(samples), []
        for frame in range(len(wire) // FRAME):
            payload = wire[frame * FRAME :][:FRAME].tobytes()
            sent.append(rtp.build(0, frame, frame * FRAME, 9, payload))
            self.world.masker.packet(self.port, sent[-1], CLIENT, self.world.now)
            self._pass(FRAME / RATE)
        return sent

    def _pass(self, seconds: float) -> None:
        ends = self.world.now + seconds
        self.world.run(lambda: self.world.now >= ends)


def _noise(seconds: float) -> "np.ndarray":
    return 0.05 * np.random.default_rng(4).standard_normal(int(seconds * RATE))


def test_outside_a_session_every_packet_is_passed_on_as_it_came_keys_too() -> None:
    call = Call()
    tones = key_sound(5, 1600, dbm0=-10, twist=0, off=(0, 0), rng=np.random.default_rng(1))
    samples = _noise(1)
    samples[2000 : 2000 + len(tones)] += tones
    sent = call.speak(samples)
    assert call.heard == sent


def test_within_a_session_speech_has_the_level_it_had() -> None:
    call = Call()
    call.world.masker.begin("call", "agent", call.world.now)
    samples = _noise(2)
    call.speak(samples)
    played = PCMU.decode(b"".join(rtp.parse(data).payload for data in call.heard))  # type: ignore[union-attr]
    said = PCMU.decode(PCMU.encode(samples).tobytes())
    middle = slice(DELAY + 2 * FRAME, 12_000)
    level = 10 * np.log10(np.mean(played[middle] ** 2) / np.mean(said[middle] ** 2))
    assert abs(level) < 1


def test_after_a_session_the_same_stream_goes_on_without_a_jump() -> None:
    call = Call()
    call.world.masker.begin("call", "agent", call.world.now)
    call.speak(_noise(1))
    masked = [packet for data in call.heard if (packet := rtp.parse(data)) is not None]
    call.world.masker.end("call", call.world.now)
    while call.world.masker.calls["call"].client is not None:
        call.speak(_noise(0.1))
    before = len(call.heard)
    call.speak(_noise(0.2))

    packets = [packet for data in call.heard if (packet := rtp.parse(data)) is not None]
    assert len(packets) > before, "sound is passed on again"
    assert {packet.ssrc for packet in packets} == {masked[0].ssrc}, "to the agent's telephone it is one stream"
    steps = {(b.sequence - a.sequence) % 65536 for a, b in itertools.pairwise(packets)}
    assert steps == {1}
