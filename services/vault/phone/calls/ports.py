"""What the masker needs of a network, and who listens to it."""

from enum import StrEnum, auto
from typing import Protocol

Address = tuple[str, int]


class Transport(StrEnum):
    """How a key reached us. In the order of trust: an event or a message can't be misheard."""

    SOUND = auto()
    INFO = auto()
    EVENT = auto()


class Ended(StrEnum):
    """Why a call no longer carries its session."""

    HUNG_UP = auto()
    HELD = auto()
    TRANSFERRED = auto()


class Network(Protocol):
    """Pairs of UDP ports: RTP on the even one, RTCP on the next."""

    def open_pair(self) -> int:
        """The RTP port of a new pair. Raises OSError when there is none left."""
        ...

    def close_pair(self, port: int) -> None: ...

    def send(self, port: int, data: bytes, address: Address) -> None:
        """Sends from one of our ports; what can't be sent is lost, as on any network."""
        ...


class Listener(Protocol):
    """Hears keys and ends, on the media thread: must not wait for anything."""

    def key_while_waiting(self, call_id: str, tag: str, *, desk: bool, transport: Transport, key: int) -> None:
        """A key on a call without a session, while a PIN is waited for."""
        ...

    def key_in_session(self, call_id: str, transport: Transport, key: int) -> None:
        """A key of the client's side. Numbers are RFC 4733's."""
        ...

    def over(self, call_id: str, why: Ended) -> None:
        """The call, or its shape, ended what it carried."""
        ...
