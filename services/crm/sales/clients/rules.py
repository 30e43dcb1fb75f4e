"""What a client is, and by which words one is found."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from chassis.moments import written_day
from chassis.typed.names import (
    LONGEST_KEY,
    by_last_name,
    called,
    email_words,
    fold,
    full_name,
    sort_key,
    title_key,
    words_of,
)
from chassis.typed.phones import found_by

# The id under which a client's own birthday travels among their occasions.
BIRTHDAY_ID = "birthday"
# The year of an occasion whose year is not known: a leap year, so that 29 February fits.
UNKNOWN_YEAR = 1904


class Relation(StrEnum):
    """What a family member is to the client."""

    SPOUSE = "spouse"
    PARTNER = "partner"
    CHILD = "child"
    PARENT = "parent"
    OTHER = "other"


class OccasionKind(StrEnum):
    """What comes back each year."""

    BIRTHDAY = "birthday"
    ANNIVERSARY = "anniversary"
    OTHER = "other"


class ChangedBy(StrEnum):
    """Who changed a field."""

    AGENT = "agent"
    CLIENT = "client"


class ProfileField(StrEnum):
    """What of a profile changes as one: a street of one address with the town of another helps nobody."""

    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    EMAIL = "email"
    PHONE = "phone"
    SECOND_PHONE = "second_phone"
    BIRTHDAY = "birthday"
    ADDRESS = "address"
    NOTES = "notes"
    FAMILY = "family"
    OCCASIONS = "occasions"


# What a field is called on the pages.
WORDS = {
    ProfileField.FIRST_NAME: "First name",
    ProfileField.LAST_NAME: "Last name",
    ProfileField.EMAIL: "E-mail",
    ProfileField.PHONE: "Phone",
    ProfileField.SECOND_PHONE: "Second phone",
    ProfileField.BIRTHDAY: "Birthday",
    ProfileField.ADDRESS: "Address",
    ProfileField.NOTES: "Notes",
    ProfileField.FAMILY: "Family",
    ProfileField.OCCASIONS: "Occasions",
}

# The columns of the list as a file (C15).
LIST_TITLES = (
    "First name",
    "Last name",
    "E-mail",
    "Phone",
    "Second phone",
    "Birthday",
    "Street",
    "City",
    "State or region",
    "Postal code",
    "Country",
)
# What it says beside them of whom a client belongs to.
BELONGS_TITLES = ("Company", "Household")
ADDRESS_COLUMNS = ("street", "city", "region", "postal_code", "country")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientData:
    """What an agent enters about a client. One of the two names is enough; many people have no other."""

    first_name: str
    last_name: str
    email: str = ""
    phone: str = ""
    second_phone: str = ""
    birthday: date | None = None
    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    notes: str = ""


def list_cells(data: ClientData) -> tuple[object, ...]:
    """A client as a row beneath LIST_TITLES."""
    names = (data.first_name, data.last_name)
    contact = (data.email, data.phone, data.second_phone, data.birthday)
    return (*names, *contact, *(getattr(data, name) for name in ADDRESS_COLUMNS))


def columns_of(field: ProfileField) -> tuple[str, ...]:
    """The names in ClientData that a field stands for; none for family and occasions, which are lists of their own."""
    if field is ProfileField.ADDRESS:
        return ADDRESS_COLUMNS
    return () if field in (ProfileField.FAMILY, ProfileField.OCCASIONS) else (field.value,)


def values_of(data: ClientData, field: ProfileField) -> tuple[object, ...]:
    """What stands in a field."""
    return tuple(getattr(data, name) for name in columns_of(field))


def in_words(data: ClientData, field: ProfileField) -> str:
    """What stands in a field, as one reads it; empty for nothing."""
    return ", ".join(
        written_day(value) if isinstance(value, date) else str(value) for value in values_of(data, field) if value
    )


def changed_fields(old: ClientData, new: ClientData) -> list[ProfileField]:
    """The fields in which two versions of a profile differ."""
    return [field for field in ProfileField if values_of(old, field) != values_of(new, field)]


def month_day(day: date) -> int:
    """Month and day as a number that sorts within the year: 24 December is 1224."""
    return day.month * 100 + day.day


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyMember:
    """Somebody of a client's family."""

    id: str = ""
    first_name: str
    last_name: str = ""
    relation: Relation = Relation.OTHER
    born_on: date | None = None

    @property
    def name(self) -> str:
        return full_name(self.first_name, self.last_name)

    @property
    def called(self) -> str:
        return called(self.first_name, self.last_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """A day that comes back every year. Without `year_known` only month and day of `first_on` mean anything."""

    id: str = ""
    kind: OccasionKind
    label: str
    first_on: date
    year_known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """Who and what belongs to a client: family by name, occasions by their place in the year."""

    family: tuple[FamilyMember, ...] = ()
    occasions: tuple[Occasion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientsChange:
    """A change that the client made in the portal and their agent has not taken note of."""

    field: ProfileField
    was: str
    at: datetime


def kind_of(label: str) -> OccasionKind:
    """What kind of occasion somebody means who only gave it a name."""
    words = fold(label)
    if "birthday" in words:
        return OccasionKind.BIRTHDAY
    return OccasionKind.ANNIVERSARY if "anniversary" in words or "wedding" in words else OccasionKind.OTHER


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDetail:
    """A client as rooms and pages see one."""

    id: str
    agency_id: str
    agent_id: str
    data: ClientData
    created_at: datetime
    updated_at: datetime
    version: int

    @property
    def name(self) -> str:
        return full_name(self.data.first_name, self.data.last_name)

    @property
    def called(self) -> str:
        """How the client is addressed: by the first name, or by the only one."""
        return called(self.data.first_name, self.data.last_name)

    @property
    def listed(self) -> str:
        """The name in a list that is sorted by it: "Garcia, Maria"."""
        return by_last_name(self.data.first_name, self.data.last_name)

    @property
    def email(self) -> str:
        return self.data.email

    @property
    def phone(self) -> str:
        return self.data.phone


# What search_words reads.
FOUND_BY = ("first_name", "last_name", "email", "phone", "second_phone")


def order_keys(data: ClientData) -> dict[str, str]:
    """The columns by which lists of clients are ordered, in the same order on either database."""
    return {
        "sort_key": sort_key(data.first_name, data.last_name),
        "email_key": data.email.lower()[:LONGEST_KEY],
        "city_key": title_key(data.city)[:LONGEST_KEY],
    }


def search_words(data: ClientData) -> list[str]:
    """The words that a client is found by: names, e-mail address, telephone numbers."""
    names = [*words_of(data.first_name), *words_of(data.last_name), *email_words(data.email)]
    return list(dict.fromkeys([*names, *found_by(data.phone), *found_by(data.second_phone)]))
