"""What a service that browsers reach is told, beside what every service is told (chassis.settings).

One setting for proxies, so that audit, sessions, throttles and certificates name the same address everywhere.
"""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from chassis.settings import ServiceSettings, SettingsError

# Names that only a browser on this machine can mean; they are accepted in development beside the public one.
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class SiteSettings(ServiceSettings):
    """Settings of a service with pages."""

    # Reverse proxies in front; the address that the outermost of them reports is the client's. 0 = none is believed.
    trusted_proxies: int = Field(default=0, ge=0, le=8)
    # The header that the proxies write; "forwarded" is RFC 7239's.
    proxy_header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"
    # host:port on which a web process answers GET /metrics (loopback when there is no host); the next processes take
    # the following ports. Empty = nowhere.
    web_metrics_listen: str = ""

    def site_urls(self) -> dict[str, str]:
        """Addresses that browsers use, by setting; this service's own site first."""
        raise NotImplementedError

    @property
    def https(self) -> bool:
        """Whether browsers reach the site over TLS; cookies are then Secure and carry the __Host- prefix."""
        return next(iter(self.site_urls().values())).startswith("https://")

    def allowed_hosts(self) -> frozenset[str]:
        """The names that a request's Host header may have, lower case, without a port."""
        own = urlsplit(next(iter(self.site_urls().values()))).hostname or ""
        host = f"[{own}]" if ":" in own else own
        return frozenset({host}) | (_LOOPBACK if self.environment == "development" else frozenset())

    def problems(self) -> list[str]:
        """Adds what a site in production needs: https, and the buffering proxy in front."""
        return super().problems() + (self._not_fit_for_production() if self.environment == "production" else [])

    def _not_fit_for_production(self) -> list[str]:
        found = [
            f"{self.prefix()}{name}: production needs an https:// address."
            for name, url in self.site_urls().items()
            if not url.startswith("https://")
        ]
        if not self.trusted_proxies:
            found.append(
                f"{self.prefix()}TRUSTED_PROXIES: production needs a buffering proxy in front, such as "
                "deploy/proxy/nginx.conf; say here how many there are, usually 1."
            )
        return found

    def require_ready(self) -> None:
        """Raises SettingsError when this is production and something stands in the way."""
        if self.environment == "production" and (found := self.problems()):
            raise SettingsError("\n".join(found))
