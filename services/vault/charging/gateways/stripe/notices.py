"""Stripe's signed messages (docs.stripe.com/webhooks/signature).

Nothing of a message is believed but which objects it names: they are read at Stripe. So a message that comes twice,
late or before an older one can do no harm.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import stripe

from services.vault.charging.gateways.port import NoticeRefused

# How far a message's time may be from ours, in seconds; the library's own bound.
TOLERANCE: Final = stripe.Webhook.DEFAULT_TOLERANCE
_SENT_AT: Final = re.compile(r"(?:^|,)t=([0-9]{1,12})(?:,|$)")


def references_of(body: bytes, signature: str, secret: str, now: datetime) -> frozenset[str]:
    """The ids of Stripe's that a message names. Raises NoticeRefused for one that Stripe did not sign, or not now."""
    sent = _SENT_AT.search(signature)
    if not secret or sent is None or abs(now.timestamp() - int(sent.group(1))) > TOLERANCE:
        raise NoticeRefused("not signed, or not within five minutes")
    try:
        # The time was compared with our clock, so the library is to compare the signature only.
        stripe.WebhookSignature.verify_header(body.decode(), signature, secret, tolerance=None)
        event = json.loads(body)
    except (stripe.SignatureVerificationError, ValueError) as error:
        raise NoticeRefused("the signature is not of this body") from error
    return frozenset(_references(_part(_part(event, "data"), "object")))


def _part(whole: object, name: str) -> dict[str, Any]:
    found = whole.get(name) if isinstance(whole, dict) else None
    return found if isinstance(found, dict) else {}


def _references(told: dict[str, Any]) -> Iterator[str]:
    for name in ("id", "payment_intent", "client_reference_id"):
        if isinstance(told.get(name), str):
            yield told[name]
