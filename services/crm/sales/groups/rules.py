"""What a company or a household is, and how one is recognised by its name. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from chassis.typed.names import LONGEST_KEY, title_key

LONGEST_NAME: Final = 120


class GroupKind(StrEnum):
    """A company has whom to bill and a tax number; a household has an address and who lives there."""

    COMPANY = "company"
    HOUSEHOLD = "household"


KIND_WORDS: Final = {GroupKind.COMPANY: "Company", GroupKind.HOUSEHOLD: "Household"}
# What a household has no use for.
COMPANY_FIELDS: Final = ("website", "tax_id", "billing_name", "billing_email")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupData:
    """What an agent enters. COMPANY_FIELDS are empty for a household; `country` is ISO 3166-1 alpha-2 or empty."""

    kind: GroupKind
    name: str
    phone: str = ""
    website: str = ""
    tax_id: str = ""
    billing_name: str = ""
    billing_email: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A company or household as rooms and pages see one."""

    id: str
    agency_id: str
    agent_id: str
    data: GroupData
    updated_at: datetime
    version: int

    @property
    def name(self) -> str:
        return self.data.name

    @property
    def kind(self) -> GroupKind:
        return self.data.kind

    @property
    def kind_words(self) -> str:
        return KIND_WORDS[self.data.kind]

    @property
    def icon(self) -> str:
        return "building" if self.data.kind is GroupKind.COMPANY else "house"


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongs:
    """A client of an import and the company or household that their row names."""

    client_id: str
    kind: GroupKind
    name: str


def key_of(name: str) -> str:
    """What two spellings of one name share: no case, mark or punctuation counts."""
    return title_key(name)[:LONGEST_KEY]
