"""What a client is, and how one is found by what an agent types."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientData:
    """What an agent enters about a client."""

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
        return f"{self.data.first_name} {self.data.last_name}".strip()

    @property
    def email(self) -> str:
        return self.data.email

    @property
    def phone(self) -> str:
        return self.data.phone


def fold(text: str) -> str:
    """Lower case without accents, so that "Muller" finds "Müller"."""
    decomposed = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o").replace("Ø", "O"))
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def digits_of(phone: str) -> str:
    """A telephone number's digits alone."""
    return re.sub(r"\D", "", phone)


def search_text(data: ClientData) -> str:
    """The text that search looks through."""
    words = [fold(data.first_name), fold(data.last_name), fold(data.email)]
    phones = [digits_of(data.phone), digits_of(data.second_phone)]
    return " ".join(word for word in [*words, *phones] if word)


def search_terms(query: str) -> list[str]:
    """What each client found must contain: every word typed, telephone numbers as digits however they are written."""
    query = query.strip()[:100]
    if re.fullmatch(r"[\d\s()+./\-]+", query):
        digits = digits_of(query)
        return [digits] if digits else []
    return fold(query).split()[:6]
