"""Session descriptions (RFC 8866) as the masker passes them on: G.711 and telephone-event through its own ports."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 16 * 1024
_EVENT_RATE: Final = "8000"
_STATIC: Final = {"0": "PCMU/8000", "8": "PCMA/8000"}
_KEPT: Final = frozenset({"PCMU/8000", "PCMA/8000"})
# Attributes of the audio stream that stay true behind the masker's port; all others are left out.
_ATTRIBUTES: Final = frozenset({"ptime", "sendrecv", "sendonly", "recvonly", "inactive", "label", "lang"})
_HELD: Final = frozenset({"sendonly", "inactive"})
_NUMBER: Final = re.compile(r"[0-9]{1,5}")
_LINE: Final = re.compile(r"[a-z]=[^\r\n]*")


class SdpRefused(ValueError):
    """A description that the masker can't stand between; the message says why in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What a side's description says of its sound.

    `origin` tells two user agents apart (RFC 8866, 5.2, without the version). `codecs`: payload types by law.
    """

    address: str
    port: int
    held: bool
    origin: str
    codecs: dict[int, int]
    event_type: int | None


def read(text: str) -> Media:
    """Raises SdpRefused."""
    head, sections = _split(text)
    audio = _audio(sections)
    port, _, numbers = _media_line(audio[0])
    names = _names(audio, numbers)
    codecs = {int(number): 0 if names[number] == "PCMU/8000" else 8 for number in numbers if names[number] in _KEPT}
    if not codecs:
        raise SdpRefused("no G.711 among the codecs")
    events = [int(number) for number in numbers if _is_event(names[number])]
    address = _connection(audio) or _connection(head)
    direction = {line[2:] for line in (*head, *audio) if line[2:] in _ATTRIBUTES}
    return Media(
        address=address,
        port=port,
        held=bool(direction & _HELD) or ipaddress.ip_address(address).is_unspecified,
        origin=_origin(head),
        codecs=codecs,
        event_type=events[0] if events else None,
    )


def rewrite(text: str, address: str, port: int) -> str:
    """The same description with the masker's address and port, other codecs and other media taken out.

    Raises SdpRefused.
    """
    head, sections = _split(text)
    audio = _audio(sections)
    family = "IP6" if ":" in address else "IP4"
    kept = [line for line in head if line[0] in "vost" or line[2:] in _ATTRIBUTES]
    first_time = next(index for index, line in enumerate(kept) if line.startswith("t="))
    lines = [*kept[:first_time], f"c=IN {family} {address}", *kept[first_time:]]
    for section in sections:
        lines += _passed_on(section, port) if section is audio else [_declined(section[0])]
    return "\r\n".join(lines) + "\r\n"


def _passed_on(audio: list[str], port: int) -> list[str]:
    old_port, protocol, numbers = _media_line(audio[0])
    names = _names(audio, numbers)
    kept = [number for number in numbers if names[number] in _KEPT or _is_event(names[number])]
    lines = [f"m=audio {port if old_port else 0} {protocol} {' '.join(kept)}"]
    lines += [f"a=rtpmap:{number} {names[number]}" for number in kept]
    lines += [f"a=fmtp:{number} 0-15" for number in kept if _is_event(names[number])]
    return lines + [line for line in audio[1:] if line.startswith("a=") and line[2:].partition(":")[0] in _ATTRIBUTES]


def _declined(media: str) -> str:
    words = media.split(" ")
    return " ".join([words[0], "0", *words[2:]])


def _split(text: str) -> tuple[list[str], list[list[str]]]:
    if len(text) > LONGEST:
        raise SdpRefused("the description is too long")
    lines = [line for line in re.split(r"\r\n|\n|\r", text) if line]
    if not lines or not all(_LINE.fullmatch(line) for line in lines) or lines[0] != "v=0":
        raise SdpRefused("the description is malformed")
    if not any(line.startswith("t=") for line in lines) or not any(line.startswith("o=") for line in lines):
        raise SdpRefused("the description is incomplete")
    sections: list[list[str]] = []
    head: list[str] = []
    for line in lines:
        if line.startswith("m="):
            sections.append([])
        (sections[-1] if sections else head).append(line)
    return head, sections


def _audio(sections: list[list[str]]) -> list[str]:
    found = [section for section in sections if section[0].startswith("m=audio ")]
    if not found:
        raise SdpRefused("there is no sound in the description")
    return found[0]


def _media_line(line: str) -> tuple[int, str, list[str]]:
    words = line.split()
    if len(words) < 4 or not _NUMBER.fullmatch(words[1]) or int(words[1]) > 65535:
        raise SdpRefused("the description is malformed")
    if words[2] not in ("RTP/AVP", "RTP/AVPF"):
        raise SdpRefused("the sound is encrypted or no RTP")
    if not all(_NUMBER.fullmatch(number) and int(number) < 128 for number in words[3:]):
        raise SdpRefused("the description is malformed")
    return int(words[1]), words[2], words[3:]


def _names(audio: list[str], numbers: list[str]) -> dict[str, str]:
    names = {number: _STATIC.get(number, "") for number in numbers}
    for line in audio:
        if line.startswith("a=rtpmap:"):
            number, _, name = line[9:].partition(" ")
            if number in names:
                names[number] = _plain(name)
    return names


def _plain(name: str) -> str:
    """`pcmu/8000/1` as `PCMU/8000`; telephone-event in small letters."""
    codec, _, rest = name.strip().partition("/")
    rate = rest.removesuffix("/1")
    return f"{codec.lower() if codec.lower() == 'telephone-event' else codec.upper()}/{rate}"


def _is_event(name: str) -> bool:
    return name == f"telephone-event/{_EVENT_RATE}"


def _connection(lines: list[str]) -> str:
    for line in lines:
        if line.startswith("c=IN IP"):
            address = line.split()[-1].partition("/")[0]
            try:
                ipaddress.ip_address(address)
            except ValueError:
                raise SdpRefused("the address is a name, not a number") from None
            return address
    if any(line.startswith("m=") for line in lines):
        return ""
    raise SdpRefused("the description has no address")


def _origin(head: list[str]) -> str:
    words = next(line for line in head if line.startswith("o="))[2:].split()
    return " ".join(words[:2] + words[-1:]) if len(words) >= 3 else ""
