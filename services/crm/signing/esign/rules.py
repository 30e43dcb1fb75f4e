"""Documents to be signed: kinds, tags, states, which are missing, where service fees are restricted. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from chassis.tags import slips, slips_message
from services.crm.core.course import Course


class DocumentKind(StrEnum):
    """What a template of the library is for. Every agency has one of each but OWN, of which it has as many as it
    likes."""

    TERMS = "terms"
    SERVICE_FEE = "service_fee"
    CARD_AUTHORIZATION = "card_authorization"
    INSURANCE = "insurance"
    OWN = "own"


class Required(StrEnum):
    """On which bookings a document must be signed."""

    NEVER = "never"
    ALWAYS = "always"
    WITH_FEE = "with_fee"


KIND_WORDS: Final = {
    DocumentKind.CARD_AUTHORIZATION: "Credit card authorization",
    DocumentKind.TERMS: "Terms and conditions",
    DocumentKind.SERVICE_FEE: "Service fee agreement",
    DocumentKind.INSURANCE: "Travel insurance offer",
    DocumentKind.OWN: "Own document",
}
REQUIRED_WORDS: Final = {
    Required.NEVER: "When you choose to send it",
    Required.ALWAYS: "On every booking",
    Required.WITH_FEE: "On bookings with a service fee",
}

# What a template may name, and what stands there when it is sent.
TAGS: Final[Mapping[str, str]] = {
    "ClientName": "the client's full name",
    "ClientFirstName": "the client's first name",
    "ClientAddress": "the client's postal address",
    "AgencyName": "your agency",
    "AgencyPhone": "the agency's phone number",
    "AgencyEmail": "the agency's e-mail address",
    "AgentName": "the agent",
    "AgentEmail": "the agent's e-mail address",
    "TripTitle": "the booking's title",
    "Passengers": "everybody who travels",
    "Suppliers": "the suppliers of all segments",
    "BeginTravelDate": "the first day",
    "EndTravelDate": "the last day",
    "TripTotal": "price of the trip and service fee together",
    "ServiceFee": "the service fee",
    "ServiceFeeFor": "what the service fee is for",
    "Today": "the day on which it is sent",
}
# What only the offer of a travel insurance has.
INSURANCE_TAGS: Final[Mapping[str, str]] = {"PlanName": "the insurance plan", "PlanPrice": "what the plan costs"}
_TAG = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")

MAX_TITLE: Final = 120
MAX_BODY: Final = 20_000
# How long a request can be answered; a reminder begins the time anew.
LIFETIME: Final = timedelta(days=14)


def tags_of(kind: DocumentKind) -> Mapping[str, str]:
    """The tags that a template of this kind may use, with what each stands for."""
    return {**TAGS, **INSURANCE_TAGS} if kind is DocumentKind.INSURANCE else TAGS


def used_tags(text: str) -> list[str]:
    """The tags in a text, each once, in their order."""
    return list(dict.fromkeys(_TAG.findall(text)))


def tag_problem(text: str, kind: DocumentKind) -> str:
    """What stands in braces and is no tag of this kind of document, each with the nearest tag; empty when all are."""
    return slips_message(slips(text, tags_of(kind)), tags_of(kind))


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its tags filled, in one pass: what stands in a value is never taken for a tag. A tag without a
    value stays as it is."""
    return _TAG.sub(lambda match: values.get(match.group(1)) or match.group(), text)


def empty_tags(text: str, values: Mapping[str, str]) -> list[str]:
    """The tags in a text that have no value on this booking."""
    return [tag for tag in used_tags(text) if not values.get(tag)]


def template_errors(title: str, body: str, kind: DocumentKind) -> dict[str, str]:
    """What is wrong with a template: field name → text for the person."""
    errors: dict[str, str] = {}
    if not title.strip():
        errors["title"] = "Give the document a title, such as “Terms and conditions”."
    elif len(title) > MAX_TITLE:
        errors["title"] = f"The title can have up to {MAX_TITLE} characters."
    elif used_tags(title):
        errors["title"] = "Tags work in the text only. Write the title without them."
    if not body.strip():
        errors["body"] = "Write the text that the client signs."
    elif len(body) > MAX_BODY:
        errors["body"] = f"The text can have up to {MAX_BODY:,} characters; this one has {len(body):,}."
    elif problem := tag_problem(body, kind):
        errors["body"] = problem
    return errors


class RequestState(StrEnum):
    """The course of every request to a client (core.course); `PAPER`: signed on a printed form, without a mail."""

    ISSUED = "issued"
    SENT = "sent"
    OPENED = "opened"
    SIGNED = "signed"
    PAPER = "paper"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


COURSE: Final = Course(
    issued=RequestState.ISSUED,
    sent=RequestState.SENT,
    opened=RequestState.OPENED,
    answers=frozenset({RequestState.SIGNED}),
    expired=RequestState.EXPIRED,
    withdrawn=RequestState.WITHDRAWN,
)
# States in which the client can still sign.
WAITING: Final = COURSE.waiting
DONE: Final = frozenset({RequestState.SIGNED, RequestState.PAPER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A document that a booking needs, and how far it is: None = nobody was asked yet, else waiting."""

    template_id: str
    title: str
    kind: DocumentKind
    waiting: bool


def is_required(required: Required, *, has_fee: bool) -> bool:
    """Whether a booking needs the document."""
    return required is Required.ALWAYS or (required is Required.WITH_FEE and has_fee)


def missing(
    templates: Iterable[tuple[str, str, DocumentKind, Required]],
    states: Mapping[str, Collection[RequestState]],
    *,
    has_fee: bool,
    card_authorized: bool,
) -> list[Wanted]:
    """The documents that a booking still lacks.

    `templates`: id, title, kind, required. `states`: those of the booking's requests by template. One passenger's
    signature is enough; an authorization signed with a payment counts as one of its kind.
    """
    lacking = []
    for template_id, title, kind, required in templates:
        held = states.get(template_id, ())
        met = any(state in DONE for state in held) or (kind is DocumentKind.CARD_AUTHORIZATION and card_authorized)
        if is_required(required, has_fee=has_fee) and not met:
            waiting = any(state in WAITING for state in held)
            lacking.append(Wanted(template_id=template_id, title=title, kind=kind, waiting=waiting))
    return lacking


US_STATES: Final[Mapping[str, str]] = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia",
    "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky",
    "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota",
    "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire",
    "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina", "ND": "North Dakota",
    "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania", "RI": "Rhode Island",
    "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont",
    "VA": "Virginia", "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
}  # fmt: skip
_BY_NAME: Final = {name.casefold(): code for code, name in US_STATES.items()}


def state_code(region: str, country: str) -> str:
    """The code of the US state in a client's address, however it was written; empty for anywhere else. An address
    without a country counts as one in the United States: a warning too many harms nobody."""
    if country not in ("", "US"):
        return ""
    plain = " ".join(region.replace(".", "").split()).casefold()
    return plain.upper() if plain.upper() in US_STATES else _BY_NAME.get(plain, "")
