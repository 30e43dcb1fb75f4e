from hypothesis import given
from hypothesis import strategies as st

from services.vault.phone.signal import rtp
from services.vault.phone.signal.rtp import Packet
from services.vault.phone.signal.telephone_events import EventReader, payload_of

_PACKETS = st.builds(
    Packet,
    st.integers(0, 63),
    st.booleans(),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=400),
)


@given(_PACKETS)
def test_what_is_built_is_parsed(packet: Packet) -> None:
    data = rtp.build(
        packet.payload_type, packet.sequence, packet.timestamp, packet.ssrc, packet.payload, marker=packet.marker
    )
    assert rtp.parse(data) == packet


@given(st.binary(max_size=200))
def test_nothing_that_comes_from_a_network_breaks_the_reader(data: bytes) -> None:
    packet = rtp.parse(data)
    assert packet is None or len(packet.payload) <= len(data)


def test_sources_extensions_and_padding_are_left_out() -> None:
    data = (
        bytes([0x80 | 0x20 | 0x10 | 1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3])
        + b"csrc"
        + b"\0\0\0\1exts"
        + b"sound"
        + b"\0\0\3"
    )
    packet = rtp.parse(data)
    assert packet is not None
    assert packet.payload == b"sound"


@given(st.integers(0, 0xFFFFFFFF), st.integers(-0x7FFFFFFF, 0x7FFFFFFF))
def test_distances_go_round_with_the_counter(earlier: int, distance: int) -> None:
    assert rtp.signed_distance((earlier + distance) & 0xFFFFFFFF, earlier) == distance


def test_a_press_is_told_once_however_its_packets_come() -> None:
    reader = EventReader()

    def told(key: int, timestamp: int, ssrc: int = 1) -> bool:
        return reader.read(Packet(101, False, 0, timestamp, ssrc, payload_of(key, 160))) is not None

    assert told(5, 1000)
    assert not told(5, 1000)
    assert told(5, 2000)
    assert not told(5, 1000)
    assert told(5, 1000, ssrc=2)
    assert reader.read(Packet(101, False, 0, 0, 1, b"\x40\0\0\0")) is None
    assert reader.read(Packet(101, False, 0, 0, 1, b"")) is None
