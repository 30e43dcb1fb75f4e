"""Looks for card numbers and gateways' keys that the run used, in any dress, wherever the system leaves bytes
behind (docs/security.md).

A CVV has three digits, which occur everywhere by chance; so it is looked for in the forms in which it would leak: as a
field of JSON or of a form, and beside its card's number.
"""

import base64
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_DEEPEST: Final = 3
_CHUNK: Final = 8 << 20
_LARGEST_UNPACKED: Final = 32 << 20
_PIECE: Final = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """A published test card: digits only."""

    number: str
    cvv: str


# What an admin of the demo's agency types as keys of the gateway: the simulator takes what begins like the first.
GATEWAY_KEYS: Final = ("sk_test_simulatorXqL7mZ4canary", "whsec_Zk81canaryPvW3hq6T")


class Scanner:
    """Finds canaries and secret texts in bytes, also packed ones. Built once, used for many files."""

    def __init__(self, canaries: Iterable[Canary], secrets: Iterable[str] = ()) -> None:
        self._needles: dict[bytes, str] = {}
        for secret in secrets:
            for dress, needle in _dresses("key", secret):
                self._needles.setdefault(needle, f"{dress} of …{secret[-4:]}")
        for canary in canaries:
            for name, needle in _forms(canary):
                self._needles.setdefault(needle, f"{name} of …{canary.number[-4:]}")
        self.longest = max(map(len, self._needles))

    def find(self, data: bytes, depth: int = 0) -> set[str]:
        """Names of the forms found; never the number itself."""
        # One search per needle: several times faster than one pattern of them all.
        found = {name for needle, name in self._needles.items() if needle in data}
        if depth < _DEEPEST:
            for kind, unpacked in _unpack(data):
                found |= {f"{name} in {kind}" for name in self.find(unpacked, depth + 1)}
        return found

    def find_in_file(self, path: Path) -> set[str]:
        """As `find`; large files are read in overlapping pieces."""
        found: set[str] = set()
        with path.open("rb") as file:
            tail = b""
            while chunk := file.read(_CHUNK):
                found |= self.find(tail + chunk)
                tail = chunk[-self.longest :]
        return found

    def find_in_tree(self, root: Path, *, but: Iterable[Path] = (), since: float = 0.0) -> Mapping[str, set[str]]:
        """Every file under a folder that holds a canary, and in which forms.

        `since`: files that nobody has written to after that time (seconds since 1970) hold nothing of this run.
        """
        left_out = [path.resolve() for path in but]
        hits = {}
        for path in sorted(root.rglob("*")):
            if path.is_symlink() or not path.is_file() or any(path.resolve().is_relative_to(one) for one in left_out):
                continue
            try:
                if path.stat().st_mtime < since:
                    continue
                found = self.find_in_file(path)
            except (FileNotFoundError, PermissionError):
                continue
            if found:
                hits[str(path)] = found
        return hits


def _forms(canary: Canary) -> Iterator[tuple[str, bytes]]:
    number = canary.number
    groups = _groups(number)
    texts = {"digits": number, "spaced": " ".join(groups), "hyphenated": "-".join(groups), "dotted": ".".join(groups)}
    for name, text in texts.items():
        yield from _dresses(name, text)
    yield "digits, per cent", "%20".join(groups).encode()
    yield "digits, plus", "+".join(groups).encode()
    for text in (f'"cvv":"{canary.cvv}"', f'"cvv": "{canary.cvv}"', f"cvv={canary.cvv}", f"'cvv': '{canary.cvv}'"):
        yield "CVV", text.encode()
        yield "CVV, UTF-16", text.encode("utf-16-le")
        for alignment in range(3):
            yield "CVV, base64", _base64_core(text.encode(), alignment)


def _dresses(name: str, text: str) -> Iterator[tuple[str, bytes]]:
    raw = text.encode()
    yield name, raw
    yield f"{name}, UTF-16", text.encode("utf-16-le")
    yield f"{name}, UTF-16 BE", text.encode("utf-16-be")
    yield f"{name}, hex", raw.hex().encode()
    yield f"{name}, HEX", raw.hex().upper().encode()
    for alignment in range(3):
        yield f"{name}, base64", _base64_core(raw, alignment)


def _groups(number: str) -> list[str]:
    if len(number) == 15:
        return [number[:4], number[4:10], number[10:]]
    return [number[at : at + 4] for at in range(0, len(number), 4)]


def _base64_core(raw: bytes, alignment: int) -> bytes:
    """What base64 of `raw` looks like inside a longer text, without the ends that its neighbours share."""
    encoded = base64.b64encode(b"\0" * alignment + raw)
    start = (alignment * 8 + 5) // 6
    end = (alignment + len(raw)) * 8 // 6
    return encoded[start:end]


def _unpack(data: bytes) -> Iterator[tuple[str, bytes]]:
    for kind, magic in (("gzip", b"\x1f\x8b\x08"), ("zlib", b"stream\n"), ("zlib", b"stream\r\n")):
        at = data.find(magic)
        while at >= 0:
            start = at if kind == "gzip" else at + len(magic)
            if unpacked := _inflate(memoryview(data)[start:], 31 if kind == "gzip" else 15):
                yield kind if kind == "gzip" else "a PDF stream", unpacked
            at = data.find(magic, at + len(magic))
    if data[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for info in archive.infolist():
                    if info.file_size < _LARGEST_UNPACKED:
                        yield "zip", archive.read(info)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
            return


def _inflate(data: memoryview, window: int) -> bytes:
    """What is packed at the beginning. In pieces: a packed page of a large file must not cost a copy of the file."""
    machine, parts, room = zlib.decompressobj(window), list[bytes](), _LARGEST_UNPACKED
    try:
        for at in range(0, len(data), _PIECE):
            parts.append(machine.decompress(data[at : at + _PIECE], room))
            room -= len(parts[-1])
            if machine.eof or room <= 0:
                break
    except zlib.error:
        return b""
    return b"".join(parts)


def dressed(canary: Canary) -> Mapping[str, bytes]:
    """A planted control in every dress that a scan has to see through, by name."""
    text = f'{{"pan":"{canary.number}"}}'
    raw = text.encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("card.json", text)
    return {
        "raw": raw,
        "spaced": " ".join(_groups(canary.number)).encode(),
        "hyphenated": "-".join(_groups(canary.number)).encode(),
        **{f"base64-{shift}": base64.b64encode(b"x" * shift + raw) for shift in range(3)},
        "hex": raw.hex().encode(),
        "utf-16": text.encode("utf-16"),
        "gzip": b"before" + gzip.compress(raw),
        "zip": packed.getvalue(),
        "pdf": b"%PDF-1.7\n1 0 obj\n<< /Filter /FlateDecode >>\nstream\n" + zlib.compress(raw) + b"\nendstream\n",
        "cvv": f'{{"cvv":"{canary.cvv}"}}'.encode(),
    }
