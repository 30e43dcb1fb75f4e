"""The gateways that there are. A new one is a folder, and a line here."""

from typing import Final

from services.vault.charging.gateways.authorizenet.kind import KIND as AUTHORIZENET
from services.vault.charging.gateways.port import Kind
from services.vault.charging.gateways.stripe.kind import KIND as STRIPE

KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in (STRIPE, AUTHORIZENET)}
