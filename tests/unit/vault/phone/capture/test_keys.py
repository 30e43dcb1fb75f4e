"""A press that comes by several transports counts once, whichever is first."""

from hypothesis import given
from hypothesis import strategies as st

from services.vault.phone.calls.ports import Transport
from services.vault.phone.capture.keys import KeyedField, PinReader
from services.vault.phone.signal.telephone_events import POUND, STAR

_DIGITS = st.lists(st.integers(0, 9), min_size=1, max_size=16)


@given(_DIGITS, st.sets(st.sampled_from(list(Transport)), min_size=1), st.randoms(use_true_random=False))
def test_presses_by_any_transports_in_any_interleaving_count_once(digits: list[int], by: set[Transport], draw) -> None:  # type: ignore[no-untyped-def]
    field = KeyedField(19, {}, 0.0)
    waiting = {transport: list(digits) for transport in by}
    while any(waiting.values()):
        transport = draw.choice([each for each in waiting if waiting[each]])
        field.press(transport, waiting[transport].pop(0), 1.0)
    assert field.digits() == bytearray(48 + digit for digit in digits)


def test_a_falsely_heard_key_does_not_count_when_the_phone_tells_its_keys_beside_the_sound() -> None:
    field = KeyedField(19, {}, 0.0)
    field.press(Transport.SOUND, 9, 1.0)
    for digit in (4, 2):
        field.press(Transport.EVENT, digit, 1.0)
        field.press(Transport.SOUND, digit, 1.1)
    assert field.digits() == b"42"


def test_star_begins_the_field_anew_and_pound_ends_it() -> None:
    field = KeyedField(19, {}, 0.0)
    for key in (1, 2, STAR, 3):
        assert not field.press(Transport.EVENT, key, 1.0)
    assert field.digits() == b"3"
    assert field.press(Transport.EVENT, POUND, 1.0)


def test_what_a_slower_transport_brings_late_does_not_go_into_the_next_field() -> None:
    first = KeyedField(4, {}, 0.0)
    for digit in (1, 1, 2, 7):
        first.press(Transport.EVENT, digit, 1.0)
    for digit in (1, 1, 2):
        first.press(Transport.SOUND, digit, 1.1)
    second = KeyedField(4, first.still_owed(), 1.2)
    second.press(Transport.SOUND, 7, 1.25)
    assert second.digits() == b""
    second.press(Transport.SOUND, 5, 2.0)
    assert second.digits() == b"5"


def test_a_pin_is_read_between_star_and_pound_once_for_all_transports() -> None:
    reader = PinReader()

    def keyed(transport: Transport, text: str, now: float) -> list[bytes]:
        found = [reader.press(transport, {"*": STAR, "#": POUND}.get(key) or int(key), now) for key in text]
        return [bytes(pin) for pin in found if pin is not None]

    assert keyed(Transport.EVENT, "12*123456#", 1.0) == [b"123456"]
    assert keyed(Transport.SOUND, "*123456#", 1.5) == []
    assert keyed(Transport.SOUND, "*12345#", 9.0) == []
    assert keyed(Transport.SOUND, "*1234567#", 9.0) == []
    assert keyed(Transport.SOUND, "*99*123456#", 9.0) == [b"123456"]


def test_a_field_is_kept_in_one_piece_of_memory_that_is_overwritten() -> None:
    field = KeyedField(4, {}, 0.0)
    memory = field._keys[Transport.EVENT]._memory
    for key in (4, 2, 4, 2, 9):
        field.press(Transport.EVENT, key, 1.0)
    assert (bytes(field.digits()), bytes(memory)) == (b"4242", b"\4\2\4\2")
    field.press(Transport.EVENT, STAR, 1.0)
    assert (bytes(field.digits()), bytes(memory)) == (b"", bytes(4))
    field.press(Transport.EVENT, 7, 1.0)
    field.overwrite()
    assert (bytes(field.digits()), bytes(memory)) == (b"", bytes(4))
