"""Authorize.Net's response reason codes (developer.authorize.net/api/reference/responseCodes.html) as ours. Pure."""

from typing import Final

_OURS: Final[dict[str, str]] = {
    "2": "generic_decline", "3": "call_issuer", "4": "pickup_card", "5": "invalid_amount", "6": "invalid_number",
    "7": "invalid_expiry_year", "8": "expired_card", "11": "duplicate_transaction", "17": "card_not_supported",
    "19": "processing_error", "20": "processing_error", "21": "processing_error", "22": "processing_error",
    "23": "processing_error", "25": "processing_error", "26": "processing_error", "27": "incorrect_address",
    "28": "card_not_supported", "37": "invalid_number", "41": "fraudulent", "44": "incorrect_cvc",
    "45": "incorrect_address", "49": "invalid_amount", "57": "processing_error", "58": "processing_error",
    "59": "processing_error", "60": "processing_error", "61": "processing_error", "62": "processing_error",
    "63": "processing_error", "65": "incorrect_cvc", "78": "invalid_cvc", "120": "try_again_later",
    "121": "try_again_later", "122": "try_again_later", "127": "incorrect_address", "141": "fraudulent",
    "145": "fraudulent", "165": "incorrect_cvc", "192": "processing_error", "250": "fraudulent", "251": "fraudulent",
    "252": "fraudulent", "253": "fraudulent", "254": "fraudulent", "261": "processing_error", "315": "invalid_number",
    "316": "invalid_expiry_year", "317": "expired_card",
}  # fmt: skip
_REFUNDS: Final[dict[str, str]] = {
    # "does not meet the criteria for issuing a credit": nothing has settled yet, or it is too old.
    "54": "not_settled",
    "55": "charge_already_refunded",
}


def decline_code(code: str) -> str:
    """Of a charge; an unknown one reads as a decline without a reason."""
    return _OURS.get(code, "generic_decline")


def refund_word(code: str) -> str:
    """Of a refund, for services.vault.charging.reasons.refund_code."""
    return _REFUNDS.get(code, "refused")
