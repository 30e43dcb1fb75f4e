"""What charging has to know of Authorize.Net to offer it."""

import re
from collections.abc import Mapping
from typing import Final

from chassis.errors import InvalidArgument
from services.vault.charging.gateways.authorizenet.adapter import AuthorizeNetGateway
from services.vault.charging.gateways.authorizenet.calls import Calls
from services.vault.charging.gateways.port import Gateway, GatewaySettings, Kind, Mode

# An API login id and a transaction key say nothing of which of the two environments they are for.
_LOGIN: Final = r"[A-Za-z0-9_-]{6,25}"
_TRANSACTION_KEY: Final = r"[A-Za-z0-9_-]{8,40}"
_KEY: Final = re.compile(rf"(live|test):({_LOGIN}):({_TRANSACTION_KEY})")


def _open(key: str, settings: GatewaySettings) -> Gateway:
    mode, login, secret = key.split(":")
    url = settings.authorizenet_url if mode == "live" else settings.authorizenet_test_url
    calls = Calls(login, secret, url=url, hosts=settings.hosts)
    return AuthorizeNetGateway(Mode(mode), calls)


def _problem(key: str) -> str:
    if _KEY.fullmatch(key):
        return ""
    return "A key of Authorize.Net is typed as live:LOGIN:TRANSACTIONKEY or test:LOGIN:TRANSACTIONKEY."


def _key_from(fields: Mapping[str, str]) -> str:
    mode, login, key = (fields.get(name, "") for name in ("mode", "login", "key"))
    if mode not in ("live", "test"):
        raise InvalidArgument("Say whether this account is live or in the sandbox.", field="mode")
    if not re.fullmatch(_LOGIN, login):
        raise InvalidArgument("An API login ID has 6 to 25 letters and digits.", field="login")
    if not re.fullmatch(_TRANSACTION_KEY, key):
        raise InvalidArgument("A transaction key has 8 to 40 letters and digits, usually 16.", field="key")
    return f"{mode}:{login}:{key}"


KIND: Final = Kind(
    name="authorizenet",
    # Its customer profiles would keep cards; this adapter has no part for them.
    keeps_cards=False,
    tells_books=False,
    takes_notices=False,
    key_from=_key_from,
    open=_open,
    key_problem=_problem,
    signing_problem=lambda _: "The messages of Authorize.Net are not taken; leave what they are signed with empty.",
    is_live=lambda key: key.startswith("live:"),
)
