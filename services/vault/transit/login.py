"""One identity's way to Vault: pooled TLS connections, an AppRole login, its token's renewal.

hvac's requests go over urllib3 directly: hvac's own adapter, `requests`, costs more CPU than all the rest of a call.
"""

import json
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
import urllib3
from hvac.adapters import JSONAdapter
from hvac.api.auth_methods import AppRole, Token
from hvac.api.secrets_engines.transit import Transit as HvacTransit
from hvac.exceptions import (
    Forbidden,
    InternalServerError,
    RateLimitExceeded,
    VaultDown,
    VaultError,
)

from services.vault.coalescer import BatchTimeout
from services.vault.transit.rules import TransitDenied, TransitUnavailable

_log = structlog.get_logger(__name__)
T = TypeVar("T")

_CONNECTIONS = 8
_CONNECT_TIMEOUT = 2.0
_LOGIN_TIMEOUT = 5.0
# A token is renewed when this part of its life has passed, and replaced when renewing no longer gives it much.
_RENEW_AFTER = 0.5
_SHORT_LEASE = 30.0


class SendTimeout(BatchTimeout, TransitUnavailable):
    """The engine did not answer within the time that the call had."""


class PooledAdapter(JSONAdapter):
    """hvac's adapter over one urllib3 pool. Made per call: it carries the call's token and timeout."""

    def __init__(self, pool: urllib3.HTTPSConnectionPool, *, token: str | None, timeout: float) -> None:
        super().__init__(base_uri="", token=token, session=_NoSession())  # type: ignore[arg-type]  # never used
        self._pool = pool
        self._patience = urllib3.Timeout(connect=min(timeout, _CONNECT_TIMEOUT), read=timeout)

    def request(
        self,
        method: str,
        url: str,
        headers: Any = None,
        raise_exception: bool = True,
        **kwargs: Any,
    ) -> Any:  # Any: hvac's signature
        sent = {"X-Vault-Request": "true", "Content-Type": "application/json"}
        if self.token:
            sent["X-Vault-Token"] = self.token
        body = json.dumps(kwargs["json"]).encode() if kwargs.get("json") is not None else None
        answer = self._pool.urlopen(
            method.upper(),
            url,
            body=body,
            headers=sent,
            timeout=self._patience,
            retries=False,
            redirect=False,
        )
        content = _json_of(answer.data)
        if answer.status >= 400 and raise_exception:
            errors = content.get("errors") if isinstance(content, dict) else None
            raise VaultError.from_status(answer.status, errors=errors, method=method, url=url, json=content)
        return content


class _NoSession:
    """Stands where hvac would make a requests.Session, which costs as much as a call."""

    verify = cert = proxies = None


def _json_of(data: bytes) -> Any:  # Any: JSON
    try:
        return json.loads(data) if data else {}
    except ValueError:
        return {}


class Session:
    """Runs calls as one identity. Logs in when first needed, renews in time, logs in anew when Vault says 403."""

    def __init__(self, url: str, *, credentials: Path, ca: Path | None) -> None:
        """Touches neither network nor files: both may come to be later."""
        self._url = url
        self._credentials = credentials
        self._ca = ca
        self._lock = threading.Lock()
        self._pool: urllib3.HTTPSConnectionPool | None = None
        self._token: str | None = None
        self._renew_at = self._ends_at = 0.0

    def check(self) -> None:
        """Asks Vault about the token itself. Raises TransitUnavailable."""
        self._as_someone(lambda adapter: Token(adapter).lookup_self(), _LOGIN_TIMEOUT)

    def transit(self, call: Callable[[HvacTransit], T], timeout: float) -> T:
        """Runs a call of the transit engine.

        Raises SendTimeout when time ran out, TransitUnavailable when Vault is down or sealed, TransitDenied when it
        refuses the login, and hvac's VaultError for its other refusals.
        """
        return self._as_someone(lambda adapter: call(HvacTransit(adapter)), timeout)

    def _as_someone(self, call: Callable[[PooledAdapter], T], timeout: float) -> T:
        ends = time.monotonic() + timeout
        token = self._valid_token(ends)
        try:
            return self._over_wire(call, token, max(0.01, ends - time.monotonic()))
        except Forbidden:
            # Revoked, expired while Vault was away, or a policy of ours is missing: a new login tells which.
            token = self._valid_token(ends, not_this=token)
            return self._over_wire(call, token, max(0.01, ends - time.monotonic()))

    def _over_wire(self, call: Callable[[PooledAdapter], T], token: str | None, timeout: float) -> T:
        try:
            return self._sent(call, token, timeout)
        except urllib3.exceptions.ReadTimeoutError as error:
            raise SendTimeout from error
        except (
            urllib3.exceptions.HTTPError,
            OSError,
            VaultDown,
            RateLimitExceeded,
            InternalServerError,
        ) as error:
            if isinstance(error, InternalServerError) and isinstance(error.json, dict) and error.json.get("data"):
                raise  # a batch of which some items failed
            _log.warning("transit.unreachable", kind=type(error).__name__)
            raise TransitUnavailable from error

    def _sent(self, call: Callable[[PooledAdapter], T], token: str | None, timeout: float) -> T:
        try:
            return call(PooledAdapter(self._connections(), token=token, timeout=timeout))
        except urllib3.exceptions.ProtocolError:
            # A kept connection that Vault had closed. Sending again harms nothing: a second rotation at worst.
            return call(PooledAdapter(self._connections(), token=token, timeout=timeout))

    def _connections(self) -> urllib3.HTTPSConnectionPool:
        if self._pool is None:
            target = urlsplit(self._url)
            context = ssl.create_default_context(cafile=None if self._ca is None else str(self._ca))
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            self._pool = urllib3.HTTPSConnectionPool(
                target.hostname or "",
                target.port or 8200,
                maxsize=_CONNECTIONS,
                ssl_context=context,
            )
        return self._pool

    # ---- the token

    def _valid_token(self, ends: float, *, not_this: str | None = None) -> str | None:
        """A token that holds. One thread renews or logs in; the others go on with the present one while it holds."""
        now = time.monotonic()
        token = self._token
        if token is not None and token != not_this and now < self._renew_at:
            return token
        usable = token is not None and token != not_this and now < self._ends_at
        if not self._lock.acquire(timeout=0 if usable else max(0.0, ends - now)):
            if usable:
                return token
            raise TransitUnavailable
        try:
            if self._token is not None and self._token != not_this and time.monotonic() < self._renew_at:
                return self._token
            if not (usable and self._renewed()):
                self._log_in()
            return self._token
        except TransitUnavailable:
            if usable:
                return token
            raise
        finally:
            self._lock.release()

    def _renewed(self) -> bool:
        try:
            answer = self._over_wire(lambda adapter: Token(adapter).renew_self(), self._token, _LOGIN_TIMEOUT)
        except VaultError:
            return False
        auth = answer["auth"]
        if not auth.get("renewable") or float(auth["lease_duration"]) < _SHORT_LEASE:
            return False
        self._keep(auth)
        return True

    def _log_in(self) -> None:
        role_id, secret_id = self._read_credentials()
        try:
            answer = self._over_wire(
                lambda adapter: AppRole(adapter).login(role_id, secret_id, use_token=False),
                None,
                _LOGIN_TIMEOUT,
            )
        except VaultError as error:
            _log.error(
                "transit.login_refused",
                identity=self._credentials.stem,
                kind=type(error).__name__,
            )
            raise TransitDenied from error
        self._keep(answer["auth"])
        _log.info("transit.logged_in", identity=self._credentials.stem)

    def _read_credentials(self) -> tuple[str, str]:
        try:
            content = json.loads(self._credentials.read_text("utf-8"))
            return str(content["role_id"]), str(content["secret_id"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.error(
                "transit.no_credentials",
                file=str(self._credentials),
                kind=type(error).__name__,
            )
            raise TransitDenied from error

    def _keep(self, auth: dict[str, Any]) -> None:
        lease = float(auth["lease_duration"]) or float("inf")
        now = time.monotonic()
        self._token = auth["client_token"]
        self._renew_at, self._ends_at = now + lease * _RENEW_AFTER, now + lease * 0.95
