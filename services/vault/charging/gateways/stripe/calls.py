"""One call to Stripe: through its library, to allowed hosts only, answered in plain values."""

import logging
from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import stripe

from services.vault.charging.gateways.port import GatewayRefused, GatewayUnknown
from services.vault.charging.rules import GATEWAY_PATIENCE

# The library logs the body of every request at DEBUG, the card in it.
logging.getLogger("stripe").disabled = True

_CONNECT_PATIENCE: Final = 5.0


class HostForbidden(Exception):
    """A URL whose host is not on the list; nothing was sent."""


class AllowedHosts(stripe.RequestsClient):
    """The library's HTTP client, which goes to the listed origins only and follows no redirects elsewhere."""

    def __init__(self, origins: Collection[str], timeout: float = GATEWAY_PATIENCE) -> None:
        session = requests.Session()
        # A redirect, or a proxy that the environment names, would lead elsewhere.
        session.max_redirects = 0
        session.trust_env = False
        super().__init__(timeout=(_CONNECT_PATIENCE, timeout), session=session)
        self._origins = frozenset(origins)

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,  # Any: the library's
        *,
        _usage: list[str] | None = None,
    ) -> Any:
        if origin_of(url) not in self._origins:
            raise HostForbidden(origin_of(url))
        return super().request(method, url, headers, post_data)


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class Calls:
    """Calls as one account. Never repeats a call by itself."""

    def __init__(self, key: str, *, url: str, hosts: Collection[str], timeout: float = GATEWAY_PATIENCE) -> None:
        self._client = stripe.StripeClient(
            key,
            base_addresses={"api": url},
            http_client=AllowedHosts(hosts, timeout),
            max_network_retries=0,
        )

    def post(self, path: str, fields: dict[str, Any], *, key: str) -> dict[str, Any]:
        """Raises stripe.CardError and stripe.InvalidRequestError as they come, GatewayUnknown and GatewayRefused."""
        return self._call("post", path, fields, {"idempotency_key": key} if key else {})

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            return self._call("get", path, dict(query or {}), {})
        except stripe.StripeError as error:
            raise GatewayRefused("gateway_refused") from error

    def _call(self, method: Any, path: str, fields: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = self._client.raw_request(method, path, **fields, **options)
            found = answer.data
        except (stripe.CardError, stripe.InvalidRequestError):
            raise
        except stripe.AuthenticationError:
            raise GatewayRefused("gateway_key_refused") from None
        except stripe.PermissionError:
            raise GatewayRefused("gateway_key_limited") from None
        except stripe.IdempotencyError:
            raise GatewayRefused("gateway_refused") from None
        except (stripe.StripeError, ValueError):
            # No answer, 429, 5xx, a body that is no JSON: nothing is known.
            raise GatewayUnknown("no answer that says anything") from None
        if not isinstance(found, dict):
            raise GatewayUnknown("the answer is no object")
        return found
