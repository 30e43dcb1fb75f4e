"""The ng protocol, in which Kamailio's rtpengine module tells of calls: one bencoded command per datagram.

`ping`, `offer`, `answer`, `delete`, `query`, and `play DTMF` by which Kamailio hands over a key that came by SIP INFO.
Kamailio marks which sides are desks of the agency: `direction=desk` or `direction=line`, offerer first, and names them
in `from-desk` and `to-desk`.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import structlog

from services.vault.phone.calls import bencode, sdp
from services.vault.phone.calls.bencode import BencodeError, Value
from services.vault.phone.calls.masker import Call, Masker, Side
from services.vault.phone.calls.sdp import SdpRefused
from services.vault.phone.signal.telephone_events import SYMBOLS

_REMEMBERED: Final = 512
_LONGEST_NAME: Final = 256
# Keys from * on, by their numbers.
_TWO_DIGITS: Final = frozenset(str(number) for number in range(10, len(SYMBOLS)))

_log = structlog.get_logger("phone.ng")


class NgRefused(Exception):
    """A command that can't be obeyed; the message goes to Kamailio's log and never quotes the command."""


class NgServer:
    """Answers commands. `address` is where both sides' media reach us."""

    def __init__(self, masker: Masker, address: str) -> None:
        self._masker = masker
        self._address = address
        self._answered: OrderedDict[bytes, bytes] = OrderedDict()
        # When Kamailio last asked whether we are there, which it does twice a second; None for never.
        self.pinged_at: float | None = None
        self._commands: dict[bytes, Callable[[dict[bytes, Value], float], dict[bytes, Value]]] = {
            b"ping": self._ping,
            b"offer": self._offer,
            b"answer": self._answer,
            b"delete": self._delete,
            b"query": self._query,
            b"play DTMF": self._key,
        }

    def datagram(self, data: bytes, now: float) -> bytes:
        """The reply to one datagram; empty when it is no command. The same cookie gets the same reply."""
        cookie, space, body = data.partition(b" ")
        if not space or not 0 < len(cookie) <= 64:
            return b""
        if cookie in self._answered:
            return self._answered[cookie]
        try:
            answer = self._obey(bencode.decode(body), now)
        except (BencodeError, NgRefused, SdpRefused, OSError) as error:
            reason = str(error) if not isinstance(error, OSError) else "no ports are free"
            _log.warning("ng.refused", reason=reason)
            answer = {b"result": b"error", b"error-reason": reason.encode()}
        reply = cookie + b" " + bencode.encode(answer)
        self._answered[cookie] = reply
        if len(self._answered) > _REMEMBERED:
            self._answered.popitem(last=False)
        return reply

    def _obey(self, command: Value, now: float) -> dict[bytes, Value]:
        if not isinstance(command, dict):
            raise NgRefused("no dictionary")
        name = command.get(b"command")
        if not isinstance(name, bytes) or name not in self._commands:
            raise NgRefused("this command is not known here")
        return self._commands[name](command, now)

    def _ping(self, _: dict[bytes, Value], now: float) -> dict[bytes, Value]:
        self.pinged_at = now
        return {b"result": b"pong"}

    def _offer(self, command: dict[bytes, Value], now: float) -> dict[bytes, Value]:
        call_id, tag, text = _text(command, b"call-id"), _text(command, b"from-tag"), _sdp(command)
        media = sdp.read(text)
        call = self._masker.calls.get(call_id)
        if call is None:
            call = self._masker.open(call_id, tag, desks=_desks(command), names=_names(command), now=now)
        side = _side_of(call, tag)
        rewritten = sdp.rewrite(text, self._address, call.other(side).port)
        self._masker.told(call, side, media)
        return {b"result": b"ok", b"sdp": rewritten.encode()}

    def _answer(self, command: dict[bytes, Value], _: float) -> dict[bytes, Value]:
        call = self._call(command)
        offerer = _side_of(call, _text(command, b"from-tag"))
        text = _sdp(command)
        media = sdp.read(text)
        side = call.other(offerer)
        # Another branch of the same call may answer after the first: the last answer is the one that speaks.
        side.tag = _text(command, b"to-tag")
        rewritten = sdp.rewrite(text, self._address, offerer.port)
        self._masker.told(call, side, media)
        return {b"result": b"ok", b"sdp": rewritten.encode()}

    def _delete(self, command: dict[bytes, Value], _: float) -> dict[bytes, Value]:
        if not self._masker.close(_text(command, b"call-id")):
            return {b"result": b"ok", b"warning": b"there is no such call"}
        return {b"result": b"ok"}

    def _query(self, command: dict[bytes, Value], _: float) -> dict[bytes, Value]:
        call = self._call(command)
        tags: dict[bytes, Value] = {}
        for side in call.sides:
            kind = b"desk" if side.desk else b"line"
            tags[side.tag.encode()] = {b"tag": side.tag.encode(), b"kind": kind, b"port": side.port}
        return {b"result": b"ok", b"tags": tags, b"session": int(call.client is not None)}

    def _key(self, command: dict[bytes, Value], _: float) -> dict[bytes, Value]:
        code = _text(command, b"code").upper()
        key = SYMBOLS.find(code) if len(code) == 1 else int(code) if code in _TWO_DIGITS else -1
        if key < 0:
            raise NgRefused("no such key")
        if not self._masker.key_by_message(_text(command, b"call-id"), _text(command, b"from-tag"), key):
            raise NgRefused("there is no such call")
        return {b"result": b"ok"}

    def _call(self, command: dict[bytes, Value]) -> Call:
        call = self._masker.calls.get(_text(command, b"call-id"))
        if call is None:
            raise NgRefused("there is no such call")
        return call


def _side_of(call: Call, tag: str) -> Side:
    """The side of that tag; the answerer's, when it speaks before it was heard to answer."""
    side = call.side(tag)
    if side is None:
        side = call.sides[1]
        side.tag = tag
    return side


def _text(command: dict[bytes, Value], name: bytes) -> str:
    value = command.get(name)
    if not isinstance(value, bytes) or not 0 < len(value) <= _LONGEST_NAME:
        raise NgRefused(f"{name.decode()} is missing or too long")
    return value.decode("utf-8", "replace")


def _sdp(command: dict[bytes, Value]) -> str:
    value = command.get(b"sdp")
    if not isinstance(value, bytes):
        raise NgRefused("sdp is missing")
    return value.decode("utf-8", "replace")


def _desks(command: dict[bytes, Value]) -> tuple[bool, bool]:
    """Which sides are the agency's own telephones; without a word from Kamailio, none is."""
    found = command.get(b"direction")
    kinds = found if isinstance(found, list) and len(found) == 2 else [b"line", b"line"]
    return kinds[0] == b"desk", kinds[1] == b"desk"


def _names(command: dict[bytes, Value]) -> tuple[str, str]:
    first, second = command.get(b"from-desk"), command.get(b"to-desk")
    return (
        first.decode("utf-8", "replace")[:64] if isinstance(first, bytes) else "",
        second.decode("utf-8", "replace")[:64] if isinstance(second, bytes) else "",
    )
