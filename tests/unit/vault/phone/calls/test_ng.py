"""Kamailio's commands: what is obeyed, what is refused without a word of it quoted, and what a call goes through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.phone.calls import bencode
from services.vault.phone.calls.bencode import Value
from services.vault.phone.calls.ng import NgServer
from services.vault.phone.calls.ports import Address, Ended
from services.vault.phone.signal import rtp
from services.vault.phone.signal.line import FRAME
from tests.proof.phone.world import World

CLIENT: Address = ("10.0.0.1", 4000)
AGENT: Address = ("10.0.0.2", 4000)


def sdp_of(user: str, address: Address, *, way: str = "sendrecv") -> str:
    host, port = address
    return (
        f"v=0\r\no={user} 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n"
        f"a=rtpmap:101 telephone-event/8000\r\na={way}\r\n"
    )


@pytest.fixture
def world() -> World:
    return World()


def answered(world: World) -> int:
    """A call between a client and a desk; gives the port that the client sends to."""
    offered = world.command(
        "offer",
        call_id="call",
        from_tag="client",
        sdp=sdp_of("client", CLIENT),
        direction=[b"line", b"desk"],
        to_desk="desk-7",
    )
    assert offered[b"result"] == b"ok"
    answer = world.command("answer", call_id="call", from_tag="client", to_tag="desk", sdp=sdp_of("desk", AGENT))
    assert isinstance(answer[b"sdp"], bytes)
    return int(answer[b"sdp"].split(b"m=audio ")[1].split(b" ")[0])


def test_a_ping_is_answered_and_remembered(world: World) -> None:
    assert world.ng.pinged_at is None
    assert world.command("ping") == {b"result": b"pong"}
    assert world.ng.pinged_at == world.now


def test_a_query_tells_both_sides_and_whether_a_session_masks(world: World) -> None:
    answered(world)
    told = world.command("query", call_id="call")
    assert isinstance(told[b"tags"], dict)
    kinds = {tag: side[b"kind"] for tag, side in told[b"tags"].items() if isinstance(side, dict)}
    assert kinds == {b"client": b"line", b"desk": b"desk"}
    assert told[b"session"] == 0
    assert world.masker.begin("call", "desk", world.now)
    assert world.command("query", call_id="call")[b"session"] == 1
    assert not world.masker.begin("call", "desk", world.now), "one session at a time"
    assert not world.masker.begin("other", "desk", world.now)


def test_a_call_ends_once_and_its_ports_are_free(world: World) -> None:
    answered(world)
    assert world.command("delete", call_id="call") == {b"result": b"ok"}
    again = world.command("delete", call_id="call")
    assert (again[b"result"], again[b"warning"]) == (b"ok", b"there is no such call")
    assert not world.masker.calls


@pytest.mark.parametrize(
    ("name", "fields", "reason"),
    [
        ("dance", {}, b"this command is not known here"),
        ("query", {"call_id": "none"}, b"there is no such call"),
        ("query", {}, b"call-id is missing or too long"),
        ("delete", {"call_id": "x" * 300}, b"call-id is missing or too long"),
        ("offer", {"call_id": "new", "from_tag": "client"}, b"sdp is missing"),
        ("play DTMF", {"call_id": "call", "from_tag": "client", "code": "X"}, b"no such key"),
        ("play DTMF", {"call_id": "call", "from_tag": "client", "code": "99"}, b"no such key"),
        ("play DTMF", {"call_id": "none", "from_tag": "client", "code": "5"}, b"there is no such call"),
        ("play DTMF", {"call_id": "call", "from_tag": "stranger", "code": "5"}, b"there is no such call"),
    ],
)
def test_what_can_not_be_obeyed_says_why_and_quotes_nothing(
    world: World, name: str, fields: dict[str, str], reason: bytes
) -> None:
    answered(world)
    answer = world.command(name, **fields)
    assert (answer[b"result"], answer[b"error-reason"]) == (b"error", reason)


@pytest.mark.parametrize("code", ["5", "*", "#", "10", "a"])
def test_keys_by_message_are_taken_by_sign_or_number(world: World, code: str) -> None:
    answered(world)
    assert world.command("play DTMF", call_id="call", from_tag="client", code=code) == {b"result": b"ok"}


def test_the_same_cookie_gets_the_same_reply_until_it_is_forgotten(world: World) -> None:
    ping = b"cookie " + bencode.encode({b"command": b"ping"})
    first = world.ng.datagram(ping, 1.0)
    world.ng.datagram(ping, 2.0)
    assert world.ng.pinged_at == 1.0, "a command that came twice is obeyed once"
    for number in range(600):
        world.ng.datagram(b"%d " % number + bencode.encode({b"command": b"ping"}), 3.0)
    assert world.ng.datagram(ping, 4.0) == first
    assert world.ng.pinged_at == 4.0


@given(st.binary(max_size=200))
def test_whatever_arrives_is_answered_or_passed_over(data: bytes) -> None:
    answer = NgServer(World().masker, "192.0.2.1").datagram(data, 1.0)
    assert not answer or b"result" in answer


_VALUES: st.SearchStrategy[Value] = st.recursive(
    st.binary(max_size=12) | st.integers(-(10**12), 10**12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.binary(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(_VALUES)
def test_any_value_for_a_command_is_no_fault(value: Value) -> None:
    world = World()
    answer = world.ng.datagram(b"c " + bencode.encode(value), 1.0)
    assert b"error" in answer or b"pong" in answer


def test_no_room_for_a_call_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = iter([20_000])
    closed: list[int] = []

    def one_pair() -> int:
        try:
            return next(opened)
        except StopIteration:
            raise OSError("none") from None

    monkeypatch.setattr(world, "open_pair", one_pair)
    monkeypatch.setattr(world, "close_pair", closed.append)
    answer = world.command("offer", call_id="call", from_tag="client", sdp=sdp_of("client", CLIENT))
    assert answer[b"error-reason"] == b"no ports are free"
    assert closed == [20_000], "half a call keeps no port"
    monkeypatch.setattr(world.masker, "_most", 0)
    assert world.command("offer", call_id="more", from_tag="c", sdp=sdp_of("c", CLIENT))[b"result"] == b"error"


def ended(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Ended]:
    """Why sessions were over, in their order."""
    found: list[Ended] = []
    monkeypatch.setattr(world, "over", lambda _call, why: found.append(why))
    return found


def test_who_is_put_on_hold_or_handed_on_keys_no_card(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(world)
    found = ended(world, monkeypatch)
    world.masker.begin("call", "desk", world.now)
    world.command("offer", call_id="call", from_tag="desk", sdp=sdp_of("desk", AGENT))
    assert found == [], "the same description changes nothing"
    world.command("offer", call_id="call", from_tag="desk", sdp=sdp_of("desk", AGENT, way="sendonly"))
    assert found == [Ended.HELD]
    world.command("offer", call_id="call", from_tag="desk", sdp=sdp_of("another", ("10.0.0.9", 4000)))
    assert found == [Ended.HELD, Ended.TRANSFERRED]


def test_a_call_of_which_nothing_is_heard_is_closed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(world)
    found = ended(world, monkeypatch)
    world.masker.sweep(world.now)
    assert "call" in world.masker.calls
    world.masker.sweep(world.now + 24 * 3600)
    assert (list(world.masker.calls), found) == ([], [Ended.HUNG_UP])


def test_a_session_ends_when_neither_side_is_heard_though_nobody_says_that_they_hung_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, found = answered(world), ended(world, monkeypatch)
    world.masker.begin("call", "desk", world.now)
    world.masker.sweep(world.now + 29)
    world.masker.packet(port, rtp.build(0, 1, FRAME, 9, b"\xff" * FRAME), CLIENT, world.now + 20)
    world.masker.sweep(world.now + 49)
    assert found == []
    world.masker.sweep(world.now + 51)
    assert found == [Ended.HUNG_UP]
    assert "call" in world.masker.calls, "it may only be muted"


def test_sound_from_a_stranger_is_dropped_and_from_behind_a_router_it_is_learned(world: World) -> None:
    port, heard = answered(world), list[bytes]()
    world.receive_at(AGENT, lambda data, _: heard.append(data))
    packet = rtp.build(0, 1, FRAME, 9, b"\xff" * FRAME)
    world.masker.packet(port + 1000, packet, CLIENT, world.now)
    assert heard == [], "nobody's port"
    router: Address = ("203.0.113.5", 40_000)
    world.masker.packet(port, packet, router, world.now)
    assert heard == [packet]
    world.masker.packet(port, packet, ("198.51.100.6", 5000), world.now)
    assert heard == [packet], "only the first who speaks is the client"


def test_reports_on_sound_pass_until_a_session_was_there(world: World) -> None:
    port, heard = answered(world), list[bytes]()
    world.receive_at((AGENT[0], AGENT[1] + 1), lambda data, _: heard.append(data))
    world.masker.control(port + 1, b"report", world.now)
    assert heard == [b"report"]
    world.masker.control(port + 500, b"report", world.now)
    world.masker.begin("call", "desk", world.now)
    world.masker.control(port + 1, b"report", world.now)
    assert heard == [b"report"]
