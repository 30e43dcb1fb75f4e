"""Bencoding (BitTorrent, BEP 3), in which Kamailio's rtpengine module speaks. Bounded in size and depth."""

from typing import Final

Value = bytes | int | list["Value"] | dict[bytes, "Value"]

LONGEST: Final = 32 * 1024
_DEEPEST: Final = 8
_LONGEST_NUMBER: Final = 24


class BencodeError(ValueError):
    """Bytes that are no bencoded value; the message never quotes them."""


def decode(data: bytes) -> Value:
    """The one value that the bytes hold. Raises BencodeError."""
    if len(data) > LONGEST:
        raise BencodeError("too long")
    value, end = _value(data, 0, 0)
    if end != len(data):
        raise BencodeError("something follows the value")
    return value


def encode(value: "Value | str") -> bytes:
    """The value's bytes; dictionaries are sorted as the format demands."""
    match value:
        case str():
            return encode(value.encode())
        case bytes():
            return b"%d:%s" % (len(value), value)
        case int():
            return b"i%de" % value
        case list():
            return b"l" + b"".join(encode(item) for item in value) + b"e"
        case dict():
            return b"d" + b"".join(encode(key) + encode(value[key]) for key in sorted(value)) + b"e"


def _value(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    if depth > _DEEPEST:
        raise BencodeError("too deep")
    first = data[at : at + 1]
    if first == b"i":
        end = _find(data, b"e", at + 1)
        return _number(data[at + 1 : end]), end + 1
    if first == b"l":
        return _list(data, at + 1, depth)
    if first == b"d":
        return _dictionary(data, at + 1, depth)
    return _text(data, at)


def _list(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    items: list[Value] = []
    while data[at : at + 1] != b"e":
        item, at = _value(data, at, depth + 1)
        items.append(item)
    return items, at + 1


def _dictionary(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    found: dict[bytes, Value] = {}
    while data[at : at + 1] != b"e":
        key, at = _text(data, at)
        found[key], at = _value(data, at, depth + 1)
    return found, at + 1


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    colon = _find(data, b":", at)
    length = _number(data[at:colon])
    end = colon + 1 + length
    if length < 0 or end > len(data):
        raise BencodeError("a text is cut off")
    return data[colon + 1 : end], end


def _find(data: bytes, mark: bytes, at: int) -> int:
    place = data.find(mark, at, at + _LONGEST_NUMBER)
    if place < 0:
        raise BencodeError("a number does not end")
    return place


def _number(digits: bytes) -> int:
    if not digits.removeprefix(b"-").isdigit() or not digits.isascii():
        raise BencodeError("a number is none")
    return int(digits)
