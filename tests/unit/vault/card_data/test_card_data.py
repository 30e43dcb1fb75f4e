"""Pan and Cvv show themselves through reveal() alone, and reveal() is called in known places only."""

import ast
import copy
import dataclasses
import json
import pickle
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.cards import luhn_valid
from services.vault.card_data import CardDataError, Cvv, Pan

ROOT = Path(__file__).parents[4]
VISA = "4111111111111111"
CVV = "937"

# Each place where card data leaves its wrapper, and why it has to. A new one needs a reason here.
REVEALS = {
    "services/vault/card_data.py": "last4: PCI DSS 3.4.1",
    "services/vault/charging/gateways/authorizenet/adapter.py": "the request to the gateway (G1)",
    "services/vault/charging/gateways/stripe/adapter.py": "the request to the gateway (G1)",
    "services/vault/intake/payload.py": "into the plaintext that transit encrypts; the brand follows from the digits",
}


@pytest.fixture(params=[Pan.parse(VISA), Cvv.parse(CVV)], ids=["pan", "cvv"])
def secret(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_reveal_is_the_one_way_to_the_digits(secret: Any) -> None:
    assert secret.reveal() in (VISA, CVV)


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        lambda s: f"{s}",
        lambda s: f"{s!r:>40}",
        lambda s: "%s %r" % (s, s),  # noqa: UP031
        lambda s: f"{[s]}",
        lambda s: f"{s:x}",
    ],
)
def test_every_other_way_of_showing_is_masked(secret: Any, show: Callable[[Any], str]) -> None:
    shown = show(secret)

    assert secret.reveal() not in shown
    assert VISA[:6] not in shown
    assert "•••" in shown


@pytest.mark.parametrize(
    "take",
    [
        copy.copy,
        copy.deepcopy,
        pickle.dumps,
        json.dumps,
        hash,
        vars,
        iter,
        len,
        bytes,
        dict,
        dataclasses.asdict,
        weakref.ref,
        lambda s: {s},
        lambda s: setattr(s, "value", "1"),
        lambda s: setattr(s, "masked", "1"),
        lambda s: delattr(s, "masked"),
        lambda s: s.__getstate__(),
        lambda s: s.__reduce_ex__(4),
        lambda s: s < s,  # noqa: PLR0124
        lambda s: s[0],
    ],
)
def test_nothing_takes_it_apart_or_copies_it(secret: Any, take: Callable[[Any], object]) -> None:
    with pytest.raises((TypeError, AttributeError)):
        take(secret)


def test_inside_a_dataclass_it_stays_whole(secret: Any) -> None:
    @dataclasses.dataclass
    class Holder:
        card: Any

    assert secret.reveal() not in repr(Holder(secret))
    with pytest.raises(TypeError):
        dataclasses.asdict(Holder(secret))


def test_two_of_the_same_digits_are_not_equal(secret: Any) -> None:
    other = type(secret).parse(secret.reveal())

    assert secret == secret  # noqa: PLR0124
    assert secret != other


@pytest.mark.parametrize("kind", [Pan, Cvv])
def test_the_types_are_final(kind: type) -> None:
    with pytest.raises(TypeError, match="final"):
        type("Wider", (kind,), {})


@pytest.mark.parametrize("text", [VISA, "4111 1111 1111 1111", " 4111-1111-1111-1111 ", "378282246310005"])
def test_a_pan_is_read_with_spaces_and_hyphens(text: str) -> None:
    assert Pan.parse(text).last4 == text.strip()[-4:]


@given(st.text(max_size=30))
def test_whatever_is_no_pan_is_refused_without_being_quoted(text: str) -> None:
    try:
        digits = Pan.parse(text).reveal()
    except CardDataError as error:
        refusal = str(error)
    else:
        assert luhn_valid(digits)
        return
    assert len(text.strip()) < 8 or text not in refusal


@pytest.mark.parametrize(
    "text", ["", "4111111111111112", "0000000000000000", "411111111111111", "4111  1111 1111 1111", "٤111111111111111"]
)
def test_a_wrong_pan_is_refused(text: str) -> None:
    with pytest.raises(CardDataError):
        Pan.parse(text)


@pytest.mark.parametrize(
    ("text", "sizes"), [("12", (3, 4)), ("12345", (3, 4)), ("12a", (3, 4)), ("123", (4,)), ("1234", (3,))]
)
def test_a_wrong_cvv_is_refused(text: str, sizes: tuple[int, ...]) -> None:
    with pytest.raises(CardDataError):
        Cvv.parse(text, sizes=sizes)


def test_only_listed_places_reveal() -> None:
    paths = [*ROOT.glob("services/**/*.py"), *ROOT.glob("chassis/**/*.py")]
    found = {path.relative_to(ROOT).as_posix() for path in paths if _reveals(path)}

    assert found == set(REVEALS)


def _reveals(path: Path) -> bool:
    """Whether a file calls `.reveal()` without arguments, or (in the vault) passes such a method on."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    calls = [node for node in nodes if isinstance(node, ast.Call) and not node.args and not node.keywords]
    called = any(isinstance(call.func, ast.Attribute) and call.func.attr == "reveal" for call in calls)
    return called or ("vault" in path.parts and any(_is_passed_on(node) for node in nodes))


def _is_passed_on(node: ast.AST) -> bool:
    """`transit.reveal`, `self.reveal` and `deps.reveal` are other things of that name: a port, and a wired room."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "reveal"
        and not ast.unparse(node.value).endswith(("transit", "self", "deps"))
    )
