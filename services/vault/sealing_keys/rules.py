"""How long a sealing key is served, opens, and lives. Pure.

A page that carries a key may be sent until the grace after the key stopped being served: a form that stayed open.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.vault.transit.service import Context, context_of

MAKE_BEFORE = timedelta(minutes=10)
"""The next key is made this long before the present one stops being served, so that no page waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """From a key's making: served for `ttl`, opens for `grace` more, then it is destroyed."""

    ttl: timedelta
    grace: timedelta

    def served_until(self, made_at: datetime) -> datetime:
        return made_at + self.ttl

    def opens_until(self, made_at: datetime) -> datetime:
        return made_at + self.ttl + self.grace


def key_context(kid: str) -> Context:
    """The transit context of a wrapped sealing key."""
    return context_of("sealing-key", kid)
