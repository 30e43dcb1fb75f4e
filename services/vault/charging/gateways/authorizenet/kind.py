"""What charging has to know of Authorize.Net to offer it."""

import re
from typing import Final

from services.vault.charging.gateways.authorizenet.adapter import AuthorizeNetGateway
from services.vault.charging.gateways.authorizenet.calls import Calls
from services.vault.charging.gateways.port import Gateway, GatewaySettings, Kind, Mode

# An API login id and a transaction key say nothing of which of the two environments they are for.
_KEY: Final = re.compile(r"(live|test):([A-Za-z0-9_-]{6,25}):([A-Za-z0-9_-]{8,40})")


def _open(key: str, settings: GatewaySettings) -> Gateway:
    mode, login, secret = key.split(":")
    url = settings.authorizenet_url if mode == "live" else settings.authorizenet_test_url
    calls = Calls(login, secret, url=url, hosts=settings.hosts)
    return AuthorizeNetGateway(Mode(mode), calls)


def _problem(key: str) -> str:
    if _KEY.fullmatch(key):
        return ""
    return "A key of Authorize.Net is typed as live:LOGIN:TRANSACTIONKEY or test:LOGIN:TRANSACTIONKEY."


KIND: Final = Kind(
    name="authorizenet",
    # Its customer profiles would keep cards; this adapter has no part for them.
    keeps_cards=False,
    open=_open,
    key_problem=_problem,
    signing_problem=lambda _: "The messages of Authorize.Net are not taken; leave what they are signed with empty.",
    is_live=lambda key: key.startswith("live:"),
)
