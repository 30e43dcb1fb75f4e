"""Runs the calls, asks the judges, and measures what a conversation loses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.vault.phone.capture.rules import Result
from services.vault.phone.signal import rtp
from services.vault.phone.signal.flat_tone import TONE
from services.vault.phone.signal.g711 import PCMU, RATE
from services.vault.phone.signal.line import BEAT, FRAME, Line, LineBank
from tests.proof.phone import sound
from tests.proof.phone.judges import Goertzel, Reading, Trained, Verdict
from tests.proof.phone.people import EVENT_TYPE, Conversation
from tests.proof.phone.plans import plan
from tests.proof.phone.world import World

_LONGEST = 180.0
# Where in the agent's recording a key could be heard: from 100 ms before it began to 100 ms after it ended, delayed by
# the path (20 ms), the masker (90 to 100 ms) and jitter (up to 60 ms).
_EARLIEST, _LATEST = 0.02 + 0.09 - 0.1, 0.02 + 0.1 + 0.06 + 0.1


Wire = NDArray[np.uint8]


class Judge(Protocol):
    name: str

    def claims(self, samples: sound.Sound) -> set[int]: ...

    def readings(self, samples: sound.Sound) -> list[Reading]: ...


def calls(seeds: Sequence[int]) -> list[Conversation]:
    """All at once, from dialling to hanging up."""
    world = World()
    found = [Conversation(world, plan(seed), index) for index, seed in enumerate(seeds)]
    ends = world.now + _LONGEST
    world.run(lambda: all(call.over for call in found) or world.now > ends)
    return found


def judged(judge: Judge, conversations: Sequence[Conversation]) -> Verdict:
    """What the judge reads of the masked keys, and of one planted beside each call's session."""
    verdict = Verdict()
    for call in conversations:
        heard = call.heard.sound(call.begun)
        for number, pressed in enumerate(call.client.pressed):
            if pressed.begin < call.tied_at:
                continue
            begin = int((pressed.begin - call.begun + _EARLIEST) * RATE)
            end = int((pressed.end - call.begun + _LATEST) * RATE)
            verdict.keys += 1
            readings = [each for each in judge.readings(heard[max(0, begin) : end]) if each.key == pressed.key]
            told = any(not call.client.is_background(each.window) for each in readings)
            verdict.read += told
            if told:
                verdict.where.append((call.plan.seed, number))
            verdict.chance += bool(readings) and not told
        verdict.planted += 1
        if _finds_planted(judge, call, heard):
            verdict.found += 1
        else:
            verdict.missed.append(call.plan.seed)
    return verdict


def _finds_planted(judge: Judge, call: Conversation, heard: sound.Sound) -> bool:
    """A key of 50 ms as the client's, laid over what the agent heard shortly before the session."""
    key = call.plan.seed % 10
    tones = sound.key_sound(
        key, 400, dbm0=call.plan.level, twist=call.plan.twist, off=call.plan.off, rng=np.random.default_rng(1)
    )
    begin = int((call.tied_at - call.begun - 0.3) * RATE)
    stretch = heard[begin : begin + 1600].copy()
    stretch[600:1000] += tones
    return key in judge.claims(np.asarray(PCMU.decode(PCMU.encode(stretch).tobytes()), float))


def events_passed(conversations: Sequence[Conversation]) -> int:
    """RFC 4733 packets that reached the agent's side within a session."""
    return sum(
        packet.payload_type == EVENT_TYPE
        for call in conversations
        for now, packet in call.heard.packets
        if now > call.tied_at + 0.02
    )


def tone_lengths(conversations: Sequence[Conversation]) -> set[int]:
    """In samples, of each tone that stands alone in the silence of a quiet call's session; all should be equal."""
    lengths: set[int] = set()
    for call in conversations:
        if call.plan.background != "quiet" or call.plan.loss or call.plan.key + call.plan.pause < 0.15:
            continue
        heard = call.heard.sound(call.begun)[int((call.tied_at - call.begun + 0.1) * RATE) :]
        loud = np.flatnonzero(np.abs(heard) > 1e-3)
        if not len(loud):
            continue
        edges = np.flatnonzero(np.diff(loud) > 30)
        starts, ends = loud[np.r_[0, edges + 1]], loud[np.r_[edges, len(loud) - 1]]
        # The fade's first and last samples are below what G.711 can say.
        lengths |= {int(round((end - start + 1) / 16) * 16) for start, end in zip(starts, ends, strict=True)}
    return lengths


def waits_for_dots(conversations: Sequence[Conversation]) -> list[float]:
    """Seconds from a key's beginning, at the client's ear, until its session is told of it: then the agent's dot comes.

    Of keys that are sent while they are pressed, over a path that loses nothing; messages are sent afterwards.
    """
    waits = []
    for call in conversations:
        if call.plan.loss or call.plan.transports == ("info",):
            continue
        told = [(at, key) for at, call_id, key in call.world.told if call_id == call.call_id]
        for pressed in call.client.pressed:
            if call.tied_at < pressed.begin < call.keyed_until - 1:
                last = pressed.end + _LATEST
                waits += [at - pressed.begin for at, key in told if key == pressed.key and pressed.begin < at < last][
                    :1
                ]
    return waits


@dataclass
class Rightness:
    """Of the cards: stored as keyed, stored otherwise, at the first try."""

    calls: int = 0
    stored: int = 0
    wrong: int = 0
    first_try: int = 0
    # By number, to be played again.
    not_stored: list[int] = field(default_factory=list)

    def __add__(self, other: "Rightness") -> "Rightness":
        return Rightness(
            calls=self.calls + other.calls,
            stored=self.stored + other.stored,
            wrong=self.wrong + other.wrong,
            first_try=self.first_try + other.first_try,
            not_stored=self.not_stored + other.not_stored,
        )


def rightness(conversations: Sequence[Conversation], *, most_loss: float) -> Rightness:
    """Of the calls with at most that loss whose session wasn't ended by being held."""
    found = Rightness()
    for call in conversations:
        if call.plan.loss > most_loss or call.result is Result.HELD:
            continue
        stored = call.world.store.cards.get(call.purpose.payment_id)
        right = stored == (call.plan.number, call.plan.expiry, call.plan.cvv)
        found.calls += 1
        found.stored += right
        if not right:
            found.not_stored.append(call.plan.seed)
        found.wrong += stored is not None and not right
        found.first_try += right and not call.refusals
    return found


@dataclass
class Comfort:
    """What a conversation inside a session loses: minutes, masks, the longest of them, keys taken that were none."""

    minutes: float = 0.0
    masks: int = 0
    longest_ms: float = 0.0
    false_keys: int = 0
    delay_ms: float = 0.0

    def __add__(self, other: "Comfort") -> "Comfort":
        return Comfort(
            minutes=self.minutes + other.minutes,
            masks=self.masks + other.masks,
            longest_ms=max(self.longest_ms, other.longest_ms),
            false_keys=self.false_keys + other.false_keys,
            delay_ms=max(self.delay_ms, other.delay_ms),
        )


def comfort(lines: int, seconds: int, *, keying: bool = False, seed: int = 8) -> Comfort:
    """Plain speech and babble through lines of a session, compared sample by sample with what went in."""
    rng = np.random.default_rng(seed)
    makers: tuple[Callable[[int, np.random.Generator], sound.Sound], ...] = (sound.speech, sound.speech, sound.babble)
    power = [np.sqrt(sound.power_of(rng.uniform(-26, -14))) for _ in range(lines)]
    spoken = [
        PCMU.encode(makers[index % 3](seconds * RATE, rng) * power[index]).astype(np.uint8) for index in range(lines)
    ]
    bank, found = LineBank(lines), Comfort(minutes=lines * seconds / 60)

    def on_key(key: int, _: int) -> None:
        found.false_keys += key < 12

    opened = [bank.open(0, masked=True, on_key=on_key) for _ in range(lines)]
    played: list[list[bytes]] = [[] for _ in range(lines)]
    for line in opened:
        line.keying = keying
    for frame in range(seconds * RATE // FRAME):
        _frame(bank, opened, spoken, played, frame)
    for index in range(lines):
        _compare(spoken[index], np.frombuffer(b"".join(played[index]), np.uint8), found)
    return found


def _frame(bank: LineBank, lines: list[Line], spoken: list[Wire], played: list[list[bytes]], frame: int) -> None:
    now = frame * FRAME
    for line, samples in zip(lines, spoken, strict=True):
        payload = samples[now : now + FRAME].tobytes()
        bank.put(line, rtp.Packet(0, False, frame, now, 7, payload), PCMU, now)
    for index, data in enumerate(bank.play(lines)):
        played[index].append(data)


def _compare(spoken: Wire, played: Wire, found: Comfort) -> None:
    # The delay by which what was played fits what was said.
    same = {shift: np.mean(played[shift : shift + 40000] == spoken[:40000]) for shift in range(0, 1200, BEAT // 2)}
    delay = max(same, key=lambda shift: same[shift])
    found.delay_ms = max(found.delay_ms, delay * 1000 / RATE)
    length = len(played) - delay
    changed = np.flatnonzero(played[delay:] != spoken[:length])
    if not len(changed):
        return
    edges = np.flatnonzero(np.diff(changed) > TONE // 2)
    starts, ends = changed[np.r_[0, edges + 1]], changed[np.r_[edges, len(changed) - 1]]
    found.masks += len(starts)
    found.longest_ms = max(found.longest_ms, float((ends - starts + 1).max() * 1000 / RATE))


def judges() -> tuple[Judge, ...]:
    """Both, the second trained."""
    return Goertzel(), Trained()
