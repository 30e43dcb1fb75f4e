"""Who works at the demo agency and who travels with it. Names, addresses and numbers are invented: example domains
(RFC 2606), and telephone numbers that are set aside for fiction."""

from datetime import date

from services.crm.access.agency.service import AgencyData, AgentData
from services.crm.core.actor import Role
from services.crm.sales.clients.service import ClientData

AGENCY = AgencyData(
    name="Harbour & Vine Travel",
    accent_colour="#0f766e",
    phone="+1 (401) 555 0100",
    email="hello@harbour.example",
    time_zone="America/New_York",
)

ADA = AgentData(
    name="Ada Lindqvist",
    email="ada@harbour.example",
    phone="+1 (401) 555 0101",
    time_zone="America/New_York",
    role=Role.ADMIN,
)
MAYA = AgentData(
    name="Maya Okafor", email="maya@harbour.example", phone="+1 (401) 555 0102", time_zone="America/New_York"
)
JONAS = AgentData(
    name="Jonas Weber", email="jonas@harbour.example", phone="+49 30 23125 103", time_zone="Europe/Berlin"
)
AGENTS = (ADA, MAYA, JONAS)
# Jonas sets his authenticator up with the QR code at his first sign-in.
WITH_AUTHENTICATOR = (ADA.email, MAYA.email)


def _client(name: str, email: str, phone: str, place: str, *, birthday: str = "", notes: str = "") -> ClientData:
    """`name` is "First|Last"; `place` is "street|city|region|postal code|country"."""
    first, last = name.split("|")
    street, city, region, postal_code, country = place.split("|")
    return ClientData(
        first_name=first,
        last_name=last,
        email=email,
        phone=phone,
        birthday=date.fromisoformat(birthday) if birthday else None,
        street=street,
        city=city,
        region=region,
        postal_code=postal_code,
        country=country,
        notes=notes,
    )


MAYAS_CLIENTS = (
    _client(
        "Eleanor|Whitcombe",
        "eleanor.whitcombe@mail.example",
        "+1 (617) 555 0142",
        "18 Beacon Row|Boston|Massachusetts|02108|US",
        birthday="1958-03-14",
        notes="Prefers midship cabins, low deck. Seasick in the North Atlantic in 2023.",
    ),
    _client(
        "Robert|Whitcombe",
        "robert.whitcombe@mail.example",
        "+1 (617) 555 0143",
        "18 Beacon Row|Boston|Massachusetts|02108|US",
        birthday="1955-11-02",
        notes="Pays his own half. Vegetarian.",
    ),
    _client(
        "Chidi|Eze",
        "chidi.eze@post.example",
        "+1 (305) 555 0118",
        "940 Palmetto Way|Miami|Florida|33131|US",
        birthday="1984-07-21",
    ),
    _client(
        "Amara|Eze",
        "amara.eze@post.example",
        "+1 (305) 555 0119",
        "940 Palmetto Way|Miami|Florida|33131|US",
        birthday="1986-01-30",
    ),
    _client(
        "Zoë|Lefèvre",
        "zoe.lefevre@courriel.example",
        "+33 1 99 00 12 34",
        "7 rue des Tilleuls|Lyon||69002|FR",
        birthday="1991-05-09",
        notes="French passport; writes in French, reads English.",
    ),
    _client(
        "Hiroshi|Tanabe", "h.tanabe@mail.example", "+1 (206) 555 0177", "402 Alder Street|Seattle|Washington|98104|US"
    ),
    _client(
        "Priya|Raman",
        "priya.raman@post.example",
        "+1 (732) 555 0155",
        "61 Orchard Lane|Edison|New Jersey|08817|US",
        birthday="1979-09-18",
        notes="Allergic to shellfish. Window seats.",
    ),
    _client(
        "Sanjay|Raman", "sanjay.raman@post.example", "+1 (732) 555 0156", "61 Orchard Lane|Edison|New Jersey|08817|US"
    ),
    _client(
        "Dorothy|Blackwood",
        "",
        "+1 (401) 555 0163",
        "5 Harbor View|Newport|Rhode Island|02840|US",
        birthday="1944-12-24",
        notes="No e-mail; call in the mornings. Son Peter handles payments.",
    ),
    _client(
        "Peter|Blackwood",
        "peter.blackwood@mail.example",
        "+1 (401) 555 0164",
        "22 Mill Street|Providence|Rhode Island|02903|US",
    ),
    _client(
        "Marisol|Cárdenas",
        "marisol.cardenas@correo.example",
        "+1 (512) 555 0121",
        "310 Live Oak Drive|Austin|Texas|78704|US",
        birthday="1988-02-11",
    ),
    _client(
        "Gwen|O'Rourke",
        "gwen.orourke@mail.example",
        "+1 (312) 555 0190",
        "1180 Lakeside Avenue|Chicago|Illinois|60611|US",
        notes="Group leader of the Lakeside book club, eight people.",
    ),
    _client(
        "Tomasz|Nowicki",
        "tomasz.nowicki@poczta.example",
        "+1 (716) 555 0138",
        "77 Linden Place|Buffalo|New York|14202|US",
    ),
)

JONAS_CLIENTS = (
    _client(
        "Annika|Brandt",
        "annika.brandt@post.example",
        "+49 40 66969 120",
        "Elbchaussee 12|Hamburg||22765|DE",
        birthday="1976-06-03",
    ),
    _client("Lukas|Brandt", "lukas.brandt@post.example", "+49 40 66969 121", "Elbchaussee 12|Hamburg||22765|DE"),
    _client(
        "Ferdinand|Groß",
        "f.gross@brief.example",
        "+49 89 99998 310",
        "Rosenweg 4|München|Bayern|80331|DE",
        birthday="1950-10-10",
        notes="Walks with a cane; ground floor rooms.",
    ),
    _client("Katrin|Sommer", "katrin.sommer@brief.example", "+49 221 4710 155", "Am Stadtgarten 9|Köln||50672|DE"),
    _client(
        "Oliver|Hartley",
        "oliver.hartley@mail.example",
        "+44 20 7946 0123",
        "3 Kestrel Mews|London||SW7 4RP|GB",
        birthday="1969-04-27",
    ),
    _client("Fiona|Hartley", "fiona.hartley@mail.example", "+44 20 7946 0124", "3 Kestrel Mews|London||SW7 4RP|GB"),
    _client(
        "Giulia|Moretti",
        "giulia.moretti@posta.example",
        "+1 (415) 555 0109",
        "58 Hyde Terrace|San Francisco|California|94109|US",
    ),
    _client(
        "Wei|Zhang",
        "wei.zhang@mail.example",
        "+1 (415) 555 0171",
        "1220 Mission Row|San Francisco|California|94103|US",
        birthday="1993-08-15",
    ),
    _client(
        "Nadia|Haddad", "nadia.haddad@mail.example", "+1 (313) 555 0147", "904 Cass Court|Detroit|Michigan|48201|US"
    ),
    _client("Erik|Solberg", "erik.solberg@epost.example", "+47 22 22 55 55", "Fjordgata 21|Oslo||0150|NO"),
    _client(
        "Beatriz|Almeida",
        "beatriz.almeida@correio.example",
        "+351 21 555 0133",
        "Rua das Flores 88|Lisboa||1200-194|PT",
        birthday="1982-12-05",
    ),
    _client("Samuel|Adeyemi", "", "+1 (202) 555 0166", "16 Cedar Court|Washington|District of Columbia|20001|US"),
)

ADAS_CLIENTS = (
    _client("Ingrid|Falk", "ingrid.falk@epost.example", "+46 8 465 004 12", "Strandvägen 30|Stockholm||114 56|SE"),
    _client("Henrik|Falk", "henrik.falk@epost.example", "+46 8 465 004 13", "Strandvägen 30|Stockholm||114 56|SE"),
)

CLIENTS = {ADA.email: ADAS_CLIENTS, MAYA.email: MAYAS_CLIENTS, JONAS.email: JONAS_CLIENTS}
