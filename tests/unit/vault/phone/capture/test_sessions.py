"""PINs and the ends of sessions, through the masker as in life, by a clock of the test's own."""

from collections.abc import Callable

import pytest

from chassis.errors import CardInvalid, InvalidArgument, NotFound, Unavailable
from services.vault.phone.calls.ports import Transport
from services.vault.phone.capture.ports import KeyedCard
from services.vault.phone.capture.rules import Field, Refusal, Result, State, TimeLimits
from services.vault.phone.capture.sessions import Purpose, StoredCard
from services.vault.phone.signal.telephone_events import SYMBOLS
from tests.proof.phone.world import World

_SDP = (
    "v=0\r\no={user} {id} {version} IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 0 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
)


def _sdp(user: str, *, version: int = 1, direction: str = "sendrecv", identity: int = 1) -> str:
    address = "10.0.0.1" if user == "client" else "10.0.0.2"
    return _SDP.format(user=user, id=identity, version=version, address=address, direction=direction)


@pytest.fixture
def world() -> World:
    return World()


def _call(world: World, name: str = "call", desk: str = "201") -> None:
    world.command(
        "offer", call_id=name, from_tag="client", sdp=_sdp("client"), direction=[b"line", b"desk"], to_desk=desk
    )
    world.command("answer", call_id=name, from_tag="client", to_tag="agent", sdp=_sdp("agent"))


def _purpose(agent: str = "maya", desk: str = "", field: float = 45.0) -> Purpose:
    return Purpose(
        agency_id="agency",
        agent_id=agent,
        payment_id=f"payment-{agent}",
        desk=desk,
        card_days=30,
        cvv_hours=72,
        limits=TimeLimits(pin=40, field=field, idle=20),
    )


def _key(world: World, text: str, *, call: str = "call", tag: str = "agent") -> None:
    for symbol in text:
        world.masker.key_by_message(call, tag, SYMBOLS.index(symbol))
    world.settle()


def _pass(world: World, seconds: float) -> None:
    ends = world.now + seconds
    world.run(lambda: world.now >= ends)


def _tied(world: World, *, field: float = 45.0) -> str:
    _call(world)
    session, pin = world.sessions.open(_purpose(field=field))
    world.settle()
    _key(world, f"*{pin}#")
    assert world.sessions.progress(session, "maya").state is State.TIED
    return session


def _keyed(world: World, session: str, field: Field, digits: str) -> None:
    world.sessions.capture(session, "maya", field)
    world.settle()
    _key(world, digits, tag="client")
    _pass(world, 2)


def _refusals(world: World) -> list[str]:
    return [act.reason for act in world.trail.acts if act.action == "phone.pin"]


def test_a_card_is_keyed_field_by_field_in_any_order_and_stored(world: World) -> None:
    session = _tied(world)
    _keyed(world, session, Field.EXPIRY, "1130")
    _keyed(world, session, Field.CVV, "123")
    _keyed(world, session, Field.NUMBER, "4242424242424242")
    progress = world.sessions.finish(session, "maya", "Ana Client")
    assert progress.result is Result.STORED
    assert progress.last4 == "4242"
    assert world.store.cards["payment-maya"] == ("4242424242424242", "1130", "123")
    assert [act.action for act in world.trail.acts] == ["phone.opened", "phone.tied", "phone.ended"]


def test_a_field_can_be_asked_for_again_and_says_why_it_was_refused(world: World) -> None:
    session = _tied(world)
    _keyed(world, session, Field.NUMBER, "4242424242424241#")
    shown = world.sessions.progress(session, "maya").fields[Field.NUMBER]
    assert (shown.refusal, shown.digits, shown.taken) == (Refusal.NOT_A_CARD, 16, False)
    _keyed(world, session, Field.NUMBER, "5555555555554444")
    shown = world.sessions.progress(session, "maya").fields[Field.NUMBER]
    assert (shown.taken, shown.asked) == (True, 2)


def test_the_hash_of_a_field_that_its_length_had_ended_does_not_end_the_next(world: World) -> None:
    session = _tied(world)
    _keyed(world, session, Field.NUMBER, "4242424242424242")
    _keyed(world, session, Field.EXPIRY, "#1130#")
    assert world.sessions.progress(session, "maya").fields[Field.EXPIRY].taken


def test_keys_outside_a_field_are_not_taken(world: World) -> None:
    session = _tied(world)
    _key(world, "4242", tag="client")
    _keyed(world, session, Field.EXPIRY, "1130")
    assert world.sessions.progress(session, "maya").fields[Field.EXPIRY].taken


def test_a_card_can_not_be_stored_before_every_field_is_keyed(world: World) -> None:
    session = _tied(world)
    _keyed(world, session, Field.NUMBER, "4242424242424242")
    with pytest.raises(InvalidArgument) as refused:
        world.sessions.finish(session, "maya", "Ana Client")
    assert refused.value.field == "expiry"


def test_a_pin_keyed_by_the_clients_side_is_refused_without_a_hint(world: World) -> None:
    _call(world)
    session, pin = world.sessions.open(_purpose())
    world.settle()
    _key(world, f"*{pin}#", tag="client")
    assert world.sessions.progress(session, "maya").state is State.WAITING
    assert _refusals(world) == ["keyed by the client's side"]


def test_a_pin_works_once_and_not_for_two_calls_at_once(world: World) -> None:
    _call(world, "one")
    _call(world, "two")
    session, pin = world.sessions.open(_purpose())
    world.settle()
    for symbol in f"*{pin}#":
        for call in ("one", "two"):
            world.masker.key_by_message(call, "agent", SYMBOLS.index(symbol))
    world.settle()
    assert world.sessions.progress(session, "maya").state is State.TIED
    assert world.masker.calls["one"].client is not None
    assert world.masker.calls["two"].client is None
    assert _refusals(world) == ["no session has this PIN"]


def test_a_pin_after_its_time_is_refused(world: World) -> None:
    _call(world)
    session, pin = world.sessions.open(_purpose())
    _pass(world, 41)
    other, _ = world.sessions.open(_purpose("noor"))
    world.settle()
    _key(world, f"*{pin}#")
    assert world.sessions.progress(session, "maya").result is Result.PIN_EXPIRED
    assert world.sessions.progress(other, "noor").state is State.WAITING
    assert len(_refusals(world)) == 1


def test_only_the_agents_own_telephone_ties_where_the_crm_knows_it(world: World) -> None:
    _call(world, desk="201")
    session, pin = world.sessions.open(_purpose(desk="305"))
    world.settle()
    _key(world, f"*{pin}#")
    assert world.sessions.progress(session, "maya").result is Result.REFUSED


def test_guesses_are_bounded_per_call_and_in_all(world: World) -> None:
    for index in range(6):
        _call(world, f"call-{index}")
    session, pin = world.sessions.open(_purpose())
    world.settle()
    wrong = f"{(int(pin) + 1) % 1_000_000:06}"
    for _ in range(3):
        _key(world, f"*{wrong}#", call="call-0")
        _pass(world, 3)
    _key(world, f"*{pin}#", call="call-0")
    assert world.sessions.progress(session, "maya").state is State.WAITING
    for index in range(1, 5):
        for _ in range(2):
            _key(world, f"*{wrong}#", call=f"call-{index}")
            _pass(world, 3)
    assert world.sessions.progress(session, "maya").result is Result.REFUSED


def test_outside_a_session_keys_are_neither_looked_at_nor_counted(world: World) -> None:
    _call(world)
    _key(world, "4242424242424242#", tag="client")
    _key(world, "*123456#")
    assert world.trail.acts == []
    assert world.masker._lines == {}


@pytest.mark.parametrize(
    ("end", "result"),
    [
        (lambda world: world.command("delete", call_id="call", from_tag="client"), Result.HUNG_UP),
        (
            lambda world: world.command(
                "offer", call_id="call", from_tag="client", sdp=_sdp("client", version=2, direction="sendonly")
            ),
            Result.HELD,
        ),
        (
            lambda world: world.command("offer", call_id="call", from_tag="agent", sdp=_sdp("agent", identity=2)),
            Result.TRANSFERRED,
        ),
        (lambda world: world.sessions.cancel(world.test_session, "maya"), Result.CANCELLED),
        (lambda world: _pass(world, 21), Result.TIMED_OUT),
    ],
)
def test_a_session_ends_and_overwrites_its_digits(world: World, end: Callable[[World], object], result: Result) -> None:
    session = world.test_session = _tied(world)  # type: ignore[attr-defined]
    _keyed(world, session, Field.NUMBER, "4242424242424242")
    inside = world.sessions._sessions[session]
    kept = inside.digits[Field.NUMBER]
    end(world)
    progress = world.sessions.progress(session, "maya")
    assert progress.result is result
    assert kept == b""
    assert inside.digits == {}
    _pass(world, 33)
    assert all(call.client is None for call in world.masker.calls.values())


def test_a_field_ends_when_no_key_comes(world: World) -> None:
    session = _tied(world, field=10)
    world.sessions.capture(session, "maya", Field.NUMBER)
    world.settle()
    _key(world, "4242", tag="client")
    _pass(world, 11)
    progress = world.sessions.progress(session, "maya")
    assert progress.fields[Field.NUMBER].refusal is Refusal.TIMED_OUT
    assert progress.open_field is None


def test_a_session_is_its_agents_alone(world: World) -> None:
    session = _tied(world)
    for act in (world.sessions.progress, world.sessions.cancel, world.sessions.give_up_field):
        with pytest.raises(NotFound):
            act(session, "noor")


@pytest.mark.parametrize("error", [Unavailable(), CardInvalid(field="name")])
def test_what_the_vault_does_not_take_can_be_tried_again(world: World, error: Exception) -> None:
    session = _tied(world)
    for field, digits in ((Field.NUMBER, "4242424242424242"), (Field.EXPIRY, "1130"), (Field.CVV, "123")):
        _keyed(world, session, field, digits)
    store = world.store.store

    def refusing(card: KeyedCard, purpose: Purpose) -> StoredCard:
        raise error

    world.store.store = refusing  # type: ignore[method-assign]
    with pytest.raises(type(error)):
        world.sessions.finish(session, "maya", "Ana Client")
    world.store.store = store  # type: ignore[method-assign]
    assert world.sessions.finish(session, "maya", "Ana Client").result is Result.STORED


def test_progress_never_holds_a_digit(world: World) -> None:
    session = _tied(world)
    _keyed(world, session, Field.NUMBER, "4000056655665556")
    text = repr(world.sessions.progress(session, "maya"))
    assert "4000" not in text
    assert "5556" not in text
    assert Transport.EVENT not in text


def test_a_field_that_is_given_up_takes_no_more_keys_and_can_be_asked_for_again(world: World) -> None:
    session = _tied(world)
    world.sessions.capture(session, "maya", Field.NUMBER)
    world.settle()
    _key(world, "4242", tag="client")
    given_up = world.sessions.give_up_field(session, "maya")
    assert (given_up.fields[Field.NUMBER].taken, given_up.fields[Field.NUMBER].digits) == (False, 0)
    assert world.sessions.give_up_field(session, "maya") == given_up, "nothing is open any more"
    _keyed(world, session, Field.NUMBER, "4242424242424242")
    assert world.sessions.progress(session, "maya").fields[Field.NUMBER].taken


def test_what_comes_before_the_call_is_tied_or_after_the_end_is_refused_in_words(world: World) -> None:
    session, _ = world.sessions.open(_purpose())
    with pytest.raises(InvalidArgument):
        world.sessions.capture(session, "maya", Field.NUMBER)
    with pytest.raises(InvalidArgument):
        world.sessions.finish(session, "maya", "Ana Client")
    with pytest.raises(NotFound, match="has stored no card"):
        world.sessions.stored(session, "maya")


def test_a_card_is_stored_once_and_asked_for_again_is_the_same(world: World) -> None:
    session = _tied(world)
    for field, digits in ((Field.NUMBER, "4242424242424242"), (Field.EXPIRY, "1130"), (Field.CVV, "123")):
        _keyed(world, session, field, digits)
    first = world.sessions.finish(session, "maya", "Ana Client")
    assert world.sessions.finish(session, "maya", "Ana Client").result is first.result
    assert world.sessions.stored(session, "maya").last4 == "4242"
    assert len(world.store.cards) == 1


def test_a_field_that_was_taken_is_overwritten_when_it_is_asked_for_anew(world: World) -> None:
    session = _tied(world)
    _keyed(world, session, Field.CVV, "123")
    kept = world.sessions._sessions[session].digits[Field.CVV]
    world.sessions.capture(session, "maya", Field.CVV)
    assert bytes(kept).strip(b"\0") == b""


def test_more_sessions_than_the_pins_allow_are_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.vault.phone.capture.service._MOST_SESSIONS", 1)
    world.sessions.open(_purpose())
    with pytest.raises(InvalidArgument, match="Too many phone payments"):
        world.sessions.open(_purpose("ada"))
