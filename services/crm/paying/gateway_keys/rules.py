"""What an admin has to know of a gateway before they choose it. Pure."""

from services.crm.core.ports.charging import GatewayKind
from services.crm.paying.charging.rules import gateway_name


def lacking(kind: GatewayKind) -> str:
    """What can't be done through a gateway, in words; empty where everything can."""
    name, found = gateway_name(kind.name), []
    if not kind.keeps_cards:
        found.append(f"{name} keeps no cards for Wayvault, so there are no standing orders with it.")
    if not kind.tells_books:
        found.append("It tells neither its fees nor its payouts, so reports show none.")
    if not kind.takes_notices:
        found.append("Its messages are not taken: Wayvault asks it by itself, and news comes some minutes later.")
    return " ".join(found)
