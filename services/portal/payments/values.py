"""What the payments room hands around: a billing address, a submission, and how a submission ended."""

from dataclasses import dataclass

from babel import Locale

from protos.wayvault.common.v1 import common_pb2
from services.portal.esign.service import Signature
from services.portal.links.service import LinkStatus

_LOCALE = Locale.parse("en_US")


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingAddress:
    """Where the card's bills go. `country` is ISO 3166-1 alpha-2."""

    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str

    def lines(self) -> tuple[str, ...]:
        """The address as printed, country by name."""
        place = ", ".join(part for part in (self.city, f"{self.region} {self.postal_code}".strip()) if part)
        country = _LOCALE.territories.get(self.country, self.country)
        return tuple(line for line in (self.line1, self.line2, place, country) if line)

    def to_proto(self) -> common_pb2.PostalAddress:
        return common_pb2.PostalAddress(
            line1=self.line1,
            line2=self.line2,
            city=self.city,
            region=self.region,
            postal_code=self.postal_code,
            country=self.country,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A form that passed its own checks. `sealed_card` is a JWE that only the vault can open."""

    intake_id: str
    sealed_card: str
    offer_digest: str
    address: BillingAddress
    signature: Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorized:
    """The authorization is kept and told of; `again` when an earlier submission had done it already."""

    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """Another submission of the same link is being worked on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkClosed:
    """The link expired or was revoked meanwhile. Nothing was stored."""

    status: LinkStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferChanged:
    """What the client read is not what the link asks for now. Nothing was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRefused:
    """The vault found the card wrong; `field` names the frame's field."""

    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOver:
    """The card must be sealed again, into a new slot; with `fresh_frame` also in a freshly loaded frame."""

    message: str
    fresh_frame: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NotNow:
    """The vault can't be reached. Nothing was stored."""

    message: str


Outcome = Authorized | UnderWay | LinkClosed | OfferChanged | CardRefused | StartOver | NotNow
