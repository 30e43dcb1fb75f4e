"""Who may sign which letter. Pure."""

from typing import Final

# A code or a CVV link counts only when the vault itself wrote it: a taken-over CRM can't make one up.
SIGNERS: Final[dict[str, str]] = {
    "reveal_code": "vault",
    "cvv_code": "vault",
    "cvv_link": "vault",
    "approve_code": "vault",
    "payment_link": "crm",
    "cvv_request": "crm",
    "confirm_charge": "crm",
    "signed_copy": "portal",
    "portal_invitation": "crm",
    "agent_invitation": "crm",
    "esign_request": "crm",
    "esign_copy": "portal",
    "insurance_offer": "crm",
    "itinerary": "crm",
    "visit": "crm",
    "visit_copy": "portal",
    "password_reset": "portal",
    "registration_link": "portal",
    "sign_in_locked": "crm",
    "portal_sign_in_locked": "portal",
}


def may_sign(issuer: str, template: str) -> bool:
    """Whether this issuer may write this letter; an unknown letter has no writer."""
    return SIGNERS.get(template) == issuer
