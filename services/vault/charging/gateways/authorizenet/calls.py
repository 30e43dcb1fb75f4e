"""One call to Authorize.Net, to allowed hosts only, answered in plain values.

Its single address takes every request; the answer begins with a byte order mark, and a refusal of the request itself is
a 200 with `resultCode` Error.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from services.vault.charging.gateways.port import GatewayRefused, GatewayUnknown
from services.vault.charging.rules import GATEWAY_PATIENCE

_CONNECT_PATIENCE: Final = 5.0
_OK: Final = 200
_PATH: Final = "/xml/v1/request.api"
# E00001: it failed inside; E00053: it is too busy. Whether the request was done is not said.
_SAYS_NOTHING: Final = frozenset({"E00001", "E00053"})
# Login and key: unknown, disabled, or of the other environment.
_KEY_REFUSED: Final = frozenset({"E00005", "E00006", "E00007", "E00008", "E00009"})


class Calls:
    """Calls as one account. Never repeats a call by itself, and follows nobody elsewhere."""

    def __init__(self, login: str, key: str, *, url: str, hosts: Collection[str]) -> None:
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" not in hosts:
            raise GatewayRefused("gateway_refused")
        self._url = url + _PATH
        self._authentication = {"name": login, "transactionKey": key}
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.max_redirects = 0

    def call(self, name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """`name` is the request's, e.g. createTransactionRequest. Its fields' order counts: they stand for XML.

        Raises GatewayUnknown and GatewayRefused. An answer may still hold errors of the transaction.
        """
        body = {name: {"merchantAuthentication": self._authentication, **fields}}
        try:
            answer = self._session.post(
                self._url, json=body, timeout=(_CONNECT_PATIENCE, GATEWAY_PATIENCE), allow_redirects=False
            )
            found = json.loads(answer.content.decode("utf-8-sig")) if answer.status_code == _OK else None
        except (requests.RequestException, ValueError):
            raise GatewayUnknown("no answer that says anything") from None
        if not isinstance(found, dict):
            raise GatewayUnknown("the answer is no object")
        codes = {str(each.get("code")) for each in (found.get("messages") or {}).get("message") or ()}
        if codes & _SAYS_NOTHING:
            raise GatewayUnknown("the gateway failed inside")
        if codes & _KEY_REFUSED:
            raise GatewayRefused("gateway_key_refused")
        return found
