"""A signed cookie that says which accounts this browser has signed in to before.

It opens nothing. It lets a device be counted by itself (chassis.web.lockout), so that strangers who try wrong passwords
lock nobody out of a browser in use.
"""

from datetime import timedelta
from typing import Final

from flask import Flask, Response, current_app, g, request
from itsdangerous import BadData, URLSafeTimedSerializer

from chassis.ids import new_id
from chassis.web.lockout import Visitor, address_digest

_KEPT: Final = timedelta(days=180)
_MOST_ACCOUNTS: Final = 5
# Enough of an account's digest to tell it from another; the cookie is signed.
_DIGITS: Final = 24
_PENDING: Final = "wv_known_device"


class KnownDevices:
    """Reads and writes the cookie of one service."""

    def __init__(self, secret_key: str, *, service: str, https: bool) -> None:
        self._signer = URLSafeTimedSerializer(secret_key, salt=f"wayvault-known-device-{service}")
        self._https = https
        self.cookie_name = f"__Host-wv_{service}_device" if https else f"wv_{service}_device"

    def visitor(self, account: str) -> Visitor:
        """Who tries to sign in to the account with this request."""
        device, accounts = self._read()
        known = device if _mark(account) in accounts else ""
        return Visitor(address=request.remote_addr or "", device=known)

    def remember(self, account: str) -> None:
        """Notes that this request has signed in to the account."""
        device, accounts = self._read()
        mark = _mark(account)
        kept = [mark, *(other for other in accounts if other != mark)][:_MOST_ACCOUNTS]
        setattr(g, _PENDING, self._signer.dumps([device or new_id("dev"), kept]))

    def _read(self) -> tuple[str, list[str]]:
        try:
            device, accounts = self._signer.loads(
                request.cookies.get(self.cookie_name, ""), max_age=int(_KEPT.total_seconds())
            )
            return str(device), [str(account) for account in accounts]
        except (BadData, TypeError, ValueError):
            return "", []

    def send(self, response: Response) -> Response:
        """Lets the answer carry the cookie."""
        if (value := g.pop(_PENDING, None)) is not None:
            response.set_cookie(
                self.cookie_name, value, path="/", max_age=_KEPT, secure=self._https, httponly=True, samesite="Lax"
            )
        return response


def install_known_devices(app: Flask, devices: KnownDevices) -> None:
    """Gives an app its known devices."""
    app.extensions[_PENDING] = devices
    app.after_request(devices.send)


def known_devices() -> KnownDevices:
    """Those of the app at hand."""
    found: KnownDevices = current_app.extensions[_PENDING]
    return found


def _mark(account: str) -> str:
    return address_digest(account)[:_DIGITS]
