"""The bytes of a PDF's streams (ISO 32000-1, 7.4), unpacked within bounds. Pure but for pikepdf's objects."""

import base64
import io
import re
import zlib
from collections.abc import Callable
from typing import Any, Final

import pikepdf

_CHUNK: Final = 1024 * 1024
_END_OF_RUNS: Final = 128


def is_readable(stream: Any) -> bool:  # Any: pikepdf's streams
    """Whether `unpacked` knows how the stream was packed; pictures and long forgotten ways (LZW) it does not."""
    settings = stream.get("/DecodeParms", None)
    return _FILTERS.keys() >= set(_filters(stream)) and "Predictor" not in repr(settings)


def unpacked(stream: Any, most: int) -> bytes | None:  # Any: pikepdf's streams
    """A stream's bytes; empty for one that is not readable; None when there is more than `most`."""
    names = _filters(stream)
    if names.count("/FlateDecode") > 1:
        # Several in a row pack so tightly that nobody does it in earnest.
        return None
    if not is_readable(stream):
        return b""
    data: bytes | None = stream.read_raw_bytes()
    for name in names:
        data = _FILTERS[name](data or b"", most)
        if data is None:
            return None
    return data if data is None or len(data) <= most else None


def _filters(stream: Any) -> list[str]:  # Any: pikepdf's streams
    found = stream.get("/Filter", None)
    return [str(each) for each in found] if isinstance(found, pikepdf.Array) else [str(found)] if found else []


def _inflated(raw: bytes, most: int) -> bytes | None:
    unpacker, out, waiting = zlib.decompressobj(), io.BytesIO(), raw
    try:
        while waiting:
            out.write(unpacker.decompress(waiting, _CHUNK))
            waiting = unpacker.unconsumed_tail
            if out.tell() > most:
                return None
    except zlib.error:
        # Readers show what came before the fault.
        pass
    return out.getvalue()


def _from_hex(raw: bytes, _most: int) -> bytes:
    digits = re.sub(rb"[^0-9A-Fa-f]", b"", raw.partition(b">")[0])
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))


def _from_85(raw: bytes, _most: int) -> bytes:
    """Raises ValueError for what is none."""
    return base64.a85decode(raw.strip().removeprefix(b"<~").partition(b"~>")[0])


def _from_runs(raw: bytes, most: int) -> bytes | None:
    """Of each run the first byte says whether what follows is copied or repeated (7.4.5)."""
    out, at = bytearray(), 0
    while at < len(raw) and raw[at] != _END_OF_RUNS:
        size = raw[at]
        if size < _END_OF_RUNS:
            out += raw[at + 1 : at + size + 2]
            at += size + 2
        else:
            out += raw[at + 1 : at + 2] * (257 - size)
            at += 2
        if len(out) > most:
            return None
    return bytes(out)


_FILTERS: Final[dict[str, Callable[[bytes, int], bytes | None]]] = {
    "/FlateDecode": _inflated,
    "/ASCIIHexDecode": _from_hex,
    "/ASCII85Decode": _from_85,
    "/RunLengthDecode": _from_runs,
}
