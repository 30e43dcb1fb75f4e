"""How many calls one core carries: real sockets, every call in a session, sound both ways; CPU time and late beats."""

import multiprocessing
import socket
import struct
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np

from deploy.dev.engines.host import port_is_taken
from services.vault.phone.calls import bencode
from services.vault.phone.calls.masker import Masker
from services.vault.phone.calls.media import Media
from services.vault.phone.calls.ports import Ended, Transport
from services.vault.phone.signal.g711 import PCMU
from tests.bench.figures import Figure, Run

_FRAME = 160
_FRAME_SECONDS = 0.02
_SDP = (
    "v=0\r\no={who} 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    calls: int
    seconds: float
    rounds: int


QUICK = Plan(calls=20, seconds=2.0, rounds=1)
FULL = Plan(calls=50, seconds=8.0, rounds=3)


class _Nobody:
    """Hears keys and does nothing with them."""

    def key_while_waiting(self, call_id: str, tag: str, *, desk: bool, transport: Transport, key: int) -> None: ...
    def key_in_session(self, call_id: str, transport: Transport, key: int) -> None: ...
    def over(self, call_id: str, why: Ended) -> None: ...


def measure(plan: Plan) -> list[Figure]:
    """`per_second` is calls per core; `ms` how late beats were."""
    return [
        Figure(
            name="phone: calls per core, all in a session",
            engines="none",
            runs=[_round(plan) for _ in range(plan.rounds)],
            callers=plan.calls,
        )
    ]


def _round(plan: Plan) -> Run:
    base = next(port for port in range(42_000, 60_000, 500) if not port_is_taken(port))
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_mask, args=(theirs, base, plan.calls), daemon=True)
    process.start()
    assert ours.recv() == "ready"
    phones = _set_up(base, plan.calls)
    ours.send("begin")
    assert ours.recv() == "begun"
    _talk(phones, plan.seconds)
    ours.send("end")
    cpu, seconds, late = ours.recv()
    process.join(10)
    return Run(per_second=round(plan.calls * seconds / cpu, 1), operations=plan.calls, ms=late)


def _mask(pipe: Connection, base: int, calls: int) -> None:
    media = Media(ng_listen=f"127.0.0.1:{base}", address="127.0.0.1", first_port=base + 2, last_port=base + 400)
    masker, stop = Masker(media.network, _Nobody()), threading.Event()
    thread = threading.Thread(target=media.run, args=(masker, lambda _: None, stop))
    thread.start()
    pipe.send("ready")
    pipe.recv()
    begun = threading.Event()

    def begin(masker: Masker, now: float) -> None:
        for index in range(calls):
            assert masker.begin(f"call-{index}", "agent", now)
        begun.set()

    media.post(begin)
    begun.wait(10)
    started, cpu = time.monotonic(), time.process_time()
    media.lateness.clear()
    pipe.send("begun")
    pipe.recv()
    late = {f"p{part}": round(media.lateness.percentile(part / 100) * 1000, 2) for part in (50, 95, 99)}
    pipe.send((time.process_time() - cpu, time.monotonic() - started, late))
    stop.set()
    thread.join(5)


def _set_up(base: int, calls: int) -> list[tuple[socket.socket, tuple[str, int]]]:
    phones = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ng:
        ng.settimeout(5)
        for index in range(calls):
            pair = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
            for phone in pair:
                phone.bind(("127.0.0.1", 0))
            ports = []
            for name, phone, tags in zip(("offer", "answer"), pair, ({}, {b"to-tag": b"agent"}), strict=True):
                sdp = _SDP.format(who=name, port=phone.getsockname()[1]).encode()
                command: dict[bytes, bencode.Value] = {
                    b"command": name.encode(),
                    b"call-id": f"call-{index}".encode(),
                    b"from-tag": b"client",
                    b"sdp": sdp,
                    **tags,
                }
                ng.sendto(f"{index}{name} ".encode() + bencode.encode(command), ("127.0.0.1", base))
                answer = ng.recv(8192)
                ports.append(int(answer.split(b"m=audio ")[1].split(b" ")[0]))
            # What the agent is told of is where the agent sends to, and the other way round.
            phones += [(pair[0], ("127.0.0.1", ports[1])), (pair[1], ("127.0.0.1", ports[0]))]
    return phones


def _talk(phones: list[tuple[socket.socket, tuple[str, int]]], seconds: float) -> None:
    noise = np.random.default_rng(1).standard_normal(_FRAME * 50) * 0.05
    sound = PCMU.encode(noise).tobytes()
    started, frame = time.monotonic(), 0
    while (now := time.monotonic()) < started + seconds:
        payload = sound[frame % 50 * _FRAME :][:_FRAME]
        header = struct.pack("!BBHII", 0x80, 0, frame & 0xFFFF, frame * _FRAME, 77)
        for phone, address in phones:
            phone.sendto(header + payload, address)
        frame += 1
        time.sleep(max(0.0, started + frame * _FRAME_SECONDS - now))
