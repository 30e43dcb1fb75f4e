"""What callers sound like: keys by ITU-T Q.23 and Q.24, speech by espeak-ng, babble, music."""

import functools
import shutil
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.vault.phone.signal.g711 import FULL_SCALE_DBM0, RATE
from services.vault.phone.signal.telephone_events import SYMBOLS

Sound = NDArray[np.float64]

LOW = (697, 770, 852, 941)
HIGH = (1209, 1336, 1477, 1633)
_PLACES = "123A456B789C*0#D"
_VOICES = ("en-us", "en-gb-scotland", "en-gb-x-rp", "en-029", "en-us+f2", "en+f3", "en+m7", "en-gb+f4")
_SPEECH = (
    (
        "Hello, this is about the cruise from Southampton to Bergen in the first week of June, two adults and one "
        "child, with a balcony cabin if there is one left. My daughter needs a vegetarian meal and we need "
        "wheelchair assistance at the airport. Could you tell me how much the deposit is, and when the final "
        "payment falls due? The weather was lovely last year. Please hold on while I find my purse. Yes, I have "
        "it here. Right, so you want me to type in the long number on the front of the card. Okay, give me one "
        "moment, the print is rather small. Do you also need the name? It is Margaret O'Donoghue. We live at "
        "forty seven Bridge Street, flat nine, Edinburgh."
    ),
    (
        "Our supplier wants the balance ninety days before departure. I can send you the itinerary again if you "
        "wish. Did you enjoy the excursion to the glacier? My husband would rather fly from Melbourne, but the "
        "connection through Singapore is terribly long. We could stay a night in the old town, which is beautiful "
        "in autumn. Who is the other passenger in the second cabin? She has a passport from New Zealand, valid "
        "until two thousand and thirty one. I shall ask her to phone you this evening, shortly after seven. Thank "
        "you ever so much for being so patient."
    ),
)


def power_of(dbm0: float) -> float:
    """Mean power in units where a full-scale sine has 0.5."""
    return float(10 ** ((dbm0 - FULL_SCALE_DBM0) / 10) / 2)


def key_sound(
    key: int, samples: int, *, dbm0: float, twist: float, off: tuple[float, float], rng: np.random.Generator
) -> Sound:
    """A key's tones: `twist` in dB high against low, `off` each tone's deviation as a part."""
    place = _PLACES.index(SYMBOLS[key])
    low, high = LOW[place // 4] * (1 + off[0]), HIGH[place % 4] * (1 + off[1])
    total = power_of(dbm0)
    low_power = total / (1 + 10 ** (twist / 10))
    moments = np.arange(samples) / RATE
    phases = rng.uniform(0, 2 * np.pi, 2)
    sound = np.sqrt(2 * low_power) * np.sin(2 * np.pi * low * moments + phases[0])
    sound += np.sqrt(2 * (total - low_power)) * np.sin(2 * np.pi * high * moments + phases[1])
    edge = np.minimum(1.0, np.minimum(np.arange(samples) + 1, np.arange(samples)[::-1] + 1) / 8)
    return np.asarray(sound * edge)


@functools.cache
def voices() -> tuple[Sound, ...]:
    """Each voice's reading, in the telephone's band, with mean power 1 where it speaks."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise RuntimeError("espeak-ng is missing: apt-get install espeak-ng")
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for index, voice in enumerate(_VOICES):
            file = Path(folder) / f"{index}.wav"
            text = _SPEECH[index % len(_SPEECH)]
            subprocess.run([program, "-v", voice, "-s", str(150 + 7 * index), "-w", str(file), text], check=True)
            found.append(_telephone(file))
    return tuple(found)


def _telephone(file: Path) -> Sound:
    with wave.open(str(file)) as opened:
        rate = opened.getframerate()
        raw = np.frombuffer(opened.readframes(10**9), np.int16).astype(float)
    spectrum = np.fft.rfft(raw)
    frequency = np.fft.rfftfreq(len(raw), 1 / rate)
    spectrum[(frequency < 200) | (frequency > 3400)] = 0
    samples = int(len(raw) * RATE / rate)
    sound = np.fft.irfft(spectrum[: samples // 2 + 1], samples)
    speaking = np.abs(sound) > 0.02 * np.abs(sound).max()
    return np.asarray(sound / np.sqrt(np.mean(sound[speaking] ** 2)))


def speech(samples: int, rng: np.random.Generator) -> Sound:
    """A stretch of one voice."""
    voice = voices()[rng.integers(len(voices()))]
    begin = int(rng.integers(len(voice)))
    return np.take(voice, np.arange(begin, begin + samples), mode="wrap")


def babble(samples: int, rng: np.random.Generator) -> Sound:
    """Six voices at once."""
    return np.asarray(np.sum([speech(samples, rng) for _ in range(6)], 0) / np.sqrt(6))


def music(samples: int, rng: np.random.Generator) -> Sound:
    """Chords of plucked notes with overtones, as while on hold."""
    moments = np.arange(samples) / RATE
    sound = np.zeros(samples)
    for begin in np.arange(0, samples / RATE, 0.25):
        note = 220 * 2 ** (rng.integers(0, 25) / 12)
        after = moments - begin
        ringing = (after >= 0) & (after < 1.5)
        for overtone in range(1, 5):
            if note * overtone < 3400:
                decay = np.exp(-3 * after[ringing]) / overtone
                sound[ringing] += decay * np.sin(2 * np.pi * note * overtone * after[ringing])
    return np.asarray(sound / np.sqrt(np.mean(sound**2) + 1e-12))
