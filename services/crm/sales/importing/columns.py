"""Which column holds what: by its name, in the words of Outlook, Google Contacts and travel CRMs, or by its content."""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, Protocol

from chassis.typed.names import fold

_SAMPLE: Final = 200


class Listed(Protocol):
    """What has columns with names, and rows."""

    @property
    def header(self) -> Sequence[str]: ...

    @property
    def rows(self) -> Sequence[Sequence[str]]: ...


class Target(StrEnum):
    """What a column is taken for."""

    IGNORE = ""
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    FULL_NAME = "full_name"
    COMPANY = "company"
    HOUSEHOLD = "household"
    EMAIL = "email"
    PHONE = "phone"
    BIRTHDAY = "birthday"
    STREET = "street"
    CITY = "city"
    REGION = "region"
    POSTAL_CODE = "postal_code"
    COUNTRY = "country"
    NOTES = "notes"


TARGET_WORDS: Final = {
    Target.IGNORE: "Leave out",
    Target.FIRST_NAME: "First name",
    Target.LAST_NAME: "Last name",
    Target.FULL_NAME: "Whole name",
    Target.COMPANY: "Company",
    Target.HOUSEHOLD: "Household",
    Target.EMAIL: "E-mail",
    Target.PHONE: "Phone",
    Target.BIRTHDAY: "Birthday",
    Target.STREET: "Street",
    Target.CITY: "City",
    Target.REGION: "State or region",
    Target.POSTAL_CODE: "Postal code",
    Target.COUNTRY: "Country",
    Target.NOTES: "Notes",
}
T = Target
# Folded names without blanks and signs, as programs and people write them; German and French Outlook among them.
_NAMES: Final[dict[str, Target]] = {
    **dict.fromkeys(
        ("firstname", "givenname", "first", "forename", "vorname", "prenom", "clientfirstname"), T.FIRST_NAME
    ),
    **dict.fromkeys(("middlename", "additionalname", "middle", "weiterevornamen"), T.FIRST_NAME),
    **dict.fromkeys(("lastname", "familyname", "last", "surname", "nachname", "nom", "clientlastname"), T.LAST_NAME),
    **dict.fromkeys(
        ("name", "fullname", "clientname", "client", "contact", "contactname", "displayname", "primarytraveler",
         "travelername", "traveler", "customer", "customername", "leadpassenger", "leadtraveler", "passengername"),
        T.FULL_NAME,
    ),
    **dict.fromkeys(
        ("company", "companyname", "organization", "organizationname", "organization1name", "organisation", "firma",
         "entreprise", "societe", "employer"),
        T.COMPANY,
    ),
    **dict.fromkeys(("household", "householdname", "haushalt", "foyer"), T.HOUSEHOLD),
    **dict.fromkeys(
        ("email", "emailaddress", "email1value", "email1", "primaryemail", "mail", "emailadresse", "adressemessagerie",
         "email2value", "email2address", "email3address", "secondemail", "secondaryemail", "personalemail",
         "workemail"),
        T.EMAIL,
    ),
    **dict.fromkeys(
        ("phone", "phonenumber", "mobilephone", "mobile", "cell", "cellphone", "homephone", "primaryphone", "telephone",
         "phone1value", "phone2value", "phone3value", "secondphone", "businessphone", "workphone", "homephone2",
         "mobiltelefon", "telefonprivat", "telefongeschaftlich", "daytimephone", "eveningphone", "tel"),
        T.PHONE,
    ),
    **dict.fromkeys(("birthday", "birthdate", "dateofbirth", "dob", "geburtstag", "anniversaire"), T.BIRTHDAY),
    **dict.fromkeys(
        ("street", "address", "address1", "address2", "addressline1", "addressline2", "homestreet", "homestreet2",
         "address1street", "address1extendedaddress", "streetaddress", "mailingaddress", "strasseprivat", "strase"),
        T.STREET,
    ),
    **dict.fromkeys(("city", "town", "homecity", "address1city", "ortprivat", "ort", "stadt", "ville"), T.CITY),
    **dict.fromkeys(
        ("state", "region", "province", "stateorregion", "stateprovince", "homestate", "address1region",
         "bundeslandkantonprivat", "county"),
        T.REGION,
    ),
    **dict.fromkeys(
        ("zip", "zipcode", "postalcode", "postcode", "homepostalcode", "address1postalcode", "postleitzahlprivat",
         "plz"),
        T.POSTAL_CODE,
    ),
    **dict.fromkeys(
        ("country", "homecountryregion", "homecountry", "address1country", "countryregion", "land"), T.COUNTRY
    ),
    **dict.fromkeys(("notes", "note", "comments", "comment", "remarks", "notizen", "clientnotes"), T.NOTES),
}  # fmt: skip
# Business addresses stand beside private ones in Outlook's file; one address is kept.
_MOST: Final = {T.EMAIL: 2, T.PHONE: 2, T.STREET: 3, T.FIRST_NAME: 2, T.NOTES: 5}


def guess_columns(table: Listed) -> tuple[Target, ...]:
    """A target for each column. What a name says counts first, then what the cells look like."""
    samples = [_sample(table.rows, at) for at in range(len(table.header))]
    found = [
        _NAMES.get(_key(name), T.IGNORE) if sample else T.IGNORE
        for name, sample in zip(table.header, samples, strict=True)
    ]
    for at, sample in enumerate(samples):
        if found[at] is T.IGNORE and (meant := _by_content(sample)) is not None and meant not in found:
            found[at] = meant
    return tuple(_within_bounds(found))


def is_known(name: str) -> bool:
    """Whether programs or people call a column so."""
    return _key(name) in _NAMES


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", fold(name))


def _sample(rows: Sequence[Sequence[str]], at: int) -> list[str]:
    return [row[at].strip() for row in rows[:_SAMPLE] if row[at].strip()]


def _by_content(sample: Sequence[str]) -> Target | None:
    if not sample:
        return None
    enough = 0.7 * len(sample)
    if sum(re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", cell) is not None for cell in sample) > enough:
        return T.EMAIL
    if sum(re.fullmatch(r"\+?[0-9 ()./\-]{7,20}", cell) is not None and _digits(cell) >= 7 for cell in sample) > enough:
        days = sum(re.fullmatch(r"[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}", cell) is not None for cell in sample)
        return T.BIRTHDAY if days > enough else T.PHONE
    return None


def _digits(cell: str) -> int:
    return sum(char.isdigit() for char in cell)


def _within_bounds(found: Iterable[Target]) -> Iterable[Target]:
    """Of each target as many columns as a client has places for it."""
    used: dict[Target, int] = {}
    for target in found:
        used[target] = used.get(target, 0) + 1
        yield target if target is T.IGNORE or used[target] <= _MOST.get(target, 1) else T.IGNORE
