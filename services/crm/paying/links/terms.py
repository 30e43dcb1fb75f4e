"""The wording of the credit card authorization that the client signs (M2). Exact, versioned, kept with each link.

Change the wording only together with the version: what was signed must stay readable forever (M13).
"""

import re
from typing import Final

from chassis.moments import written_day
from chassis.money import Money
from chassis.typed.days import day_from
from protos.wayvault.events.v1.events_pb2 import Agency, Agent, PaymentContext, Policy, Segment
from services.crm.paying.payments.service import TYPE_WORDS, PaymentType

TERMS_VERSION: Final = "card-authorization-2026-11"

_HEAD: Final = """\
CREDIT CARD AUTHORIZATION

I, {payer}, am the cardholder of the card that I enter with this form, or I am authorized by its holder to use it.

1. What I authorize. I authorize {charger} to charge this card once, in the amount of {amount}, as {type} for \
{purpose}. {trip}

2. How my card is used. I ask {agency} and its travel advisor {agent} to pass my card details to {recipient} for this \
charge. My card is encrypted in my browser, can be opened by {agent} only and only once, and is destroyed when the \
charge is made or the payment is void, at the latest {days} after I submit it.{cvv}

3. What I confirm. I have received the price, the dates and the cancellation and change terms of this arrangement. \
I understand that refunds follow the terms of {recipient}, that the charge may show on my statement under the name \
of {recipient} or {agency}, and that this authorization is for this amount only: any further charge needs a \
further authorization from me.

4. Disputes. If I believe that the charge is wrong I will first contact {agent} at {contact}, so that it can be put \
right. This does not limit the rights that the law or my card issuer gives me.

5. Taking it back. Until the charge is made I can withdraw this authorization by writing to {contact}.

By signing I accept these terms. My electronic signature has the same effect as one on paper."""


STANDING_ORDER_VERSION: Final = "standing-order-2026-11"

_STANDING_ORDER: Final = """\
STANDING ORDER: AUTHORIZATION OF REPEATED CARD CHARGES

I, {payer}, am the cardholder of the card that I enter with this form, or I am authorized by its holder to use it.

1. What I authorize. I authorize {agency} to charge this card again and again by this plan: {plan}. Each charge is \
{type} for {purpose}. If I sign after the first of these days, the first charge is made on the day I sign. {trip}

2. How my card is used. My card is encrypted in my browser. {agency} charges it through its payment gateway; nobody at \
{agency} sees it. With the first charge the gateway keeps it for the further ones, and the copy in Wayvault is \
destroyed, at the latest {days} after I submit it.{cvv}

3. What I confirm. {notice}Each charge is for the amount above; another amount needs a further authorization from me. \
A charge that is declined may be tried again up to three times within nine days. A charge may show on my statement \
under the name of {agency}.

4. Disputes. If I believe that a charge is wrong I will first contact {agent} at {contact}, so that it can be put \
right. This does not limit the rights that the law or my card issuer gives me.

5. Ending it. I can cancel this authorization at any time, in the client portal or by writing to {contact}. No charge \
is made after that, and the gateway is told to forget my card. {agency} can end it as well.

By signing I accept these terms. My electronic signature has the same effect as one on paper."""

# "As a deposit for Deposit for two cabins": what the kind of payment says already is not said again.
_SAID_BY_THE_KIND: Final = re.compile(
    r"(?:deposit|regular payment|final payment|payment|service fee) for ", re.IGNORECASE
)


def bare_purpose(purpose: str) -> str:
    """The purpose without the kind of payment before it. The portal's terms do the same (tests hold them together)."""
    found = _SAID_BY_THE_KIND.match(purpose)
    return (purpose[found.end() :].strip() or purpose) if found else purpose


def render_terms(context: PaymentContext, payment_type: PaymentType, payer_name: str) -> str:
    """The terms for one payment, as plain text with a blank line between paragraphs."""
    if context.plan:
        return _standing_order_terms(context, payment_type, payer_name)
    supplier = context.segment.supplier_name or context.agency.name
    is_fee = payment_type is PaymentType.SERVICE_FEE
    amount = Money(minor=context.amount.minor, currency=context.amount.currency)
    return _HEAD.format(
        payer=payer_name,
        charger=context.agency.name if is_fee else supplier,
        recipient=context.agency.name if is_fee else supplier,
        amount=amount.format().replace("\u00a0", " "),
        type=_WITH_ARTICLE[payment_type],
        purpose=bare_purpose(context.purpose),
        trip=_trip(context),
        **_house(context.agency, context.agent, context.policy),
    )


def version_for(context: PaymentContext) -> str:
    """The version of the terms that `render_terms` gives."""
    return STANDING_ORDER_VERSION if context.plan else TERMS_VERSION


def _standing_order_terms(context: PaymentContext, payment_type: PaymentType, payer_name: str) -> str:
    days = context.notice_days
    told = "1 day" if days == 1 else f"{days} days"
    return _STANDING_ORDER.format(
        payer=payer_name,
        plan=context.plan,
        type=_WITH_ARTICLE[payment_type],
        purpose=bare_purpose(context.purpose),
        trip=_trip(context),
        notice=f"I am told by e-mail {told} before each charge after the first. " if days else "",
        **_house(context.agency, context.agent, context.policy),
    )


def self_service_terms(agency: Agency, agent: Agent, policy: Policy) -> tuple[str, str]:
    """The same terms for a payment that the client starts in the portal (P3), and their version. What only the portal
    knows then stays a tag: {Payer} {Supplier} {Amount} {Type} {Purpose} {Trip}."""
    text = _HEAD.format(
        payer="{Payer}",
        charger="{Supplier}",
        recipient="{Supplier}",
        amount="{Amount}",
        type="{Type}",
        purpose="{Purpose}",
        trip="{Trip}",
        **_house(agency, agent, policy),
    )
    return text, TERMS_VERSION


def _house(agency: Agency, agent: Agent, policy: Policy) -> dict[str, str]:
    days = policy.card_retention_days
    return {
        "agency": agency.name,
        "agent": agent.name,
        "days": "1 day" if days == 1 else f"{days} days",
        "cvv": _cvv(policy.cvv_retention_hours),
        "contact": agent.email or agency.email,
    }


_WITH_ARTICLE: Final = {kind: f"a {words.lower()}" for kind, words in TYPE_WORDS.items()}


def _trip(context: PaymentContext) -> str:
    parts = [f"Trip: {context.booking_title}"]
    if context.segment.supplier_name:
        parts.append(f"{context.segment.supplier_name}{_dates(context.segment)}")
    if context.segment.confirmation_number:
        parts.append(f"confirmation number {context.segment.confirmation_number}")
    return ", ".join(parts) + "."


def _dates(segment: Segment) -> str:
    if not segment.begins_on:
        return ""
    begins = _day(segment.begins_on)
    if not segment.ends_on or segment.ends_on == segment.begins_on:
        return f", {begins}"
    return f", {begins} to {_day(segment.ends_on)}"


def _day(iso: str) -> str:
    day = day_from(iso)
    return written_day(day) if day else iso


def _cvv(hours: int) -> str:
    if hours == 0:
        return " The security code (CVV) is never stored."
    return (
        f" The security code (CVV) is destroyed as soon as it has been used, "
        f"at the latest {'1 hour' if hours == 1 else f'{hours} hours'} after I submit it."
    )
