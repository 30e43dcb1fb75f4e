"""What each tag stands for on one booking and for one client. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel import Locale

from chassis.moments import written_day
from services.crm.access.agency.rules import AgencyDetail, AgentDetail
from services.crm.sales.clients.rules import ClientDetail
from services.crm.trips.bookings.rules import BookingDetail

_LOCALE = Locale.parse("en_US")


def values_for(
    *, booking: BookingDetail, client: ClientDetail, agency: AgencyDetail, agent: AgentDetail, now: datetime
) -> Mapping[str, str]:
    """Tag → its words. What is not known is empty."""
    suppliers = dict.fromkeys(segment.data.supplier_name for segment in booking.segments)
    today = now.astimezone(ZoneInfo(agency.data.time_zone)).date()
    return {
        "ClientName": client.name,
        "ClientFirstName": client.called,
        "ClientAddress": _address(client),
        "AgencyName": agency.name,
        "AgencyPhone": agency.data.phone,
        "AgencyEmail": agency.data.email,
        "AgentName": agent.name,
        "AgentEmail": agent.email,
        "TripTitle": booking.title,
        "Passengers": ", ".join(passenger.name for passenger in booking.passengers),
        "Suppliers": ", ".join(suppliers),
        "BeginTravelDate": _day(booking.begins_on),
        "EndTravelDate": _day(booking.ends_on),
        "TripTotal": _plain(booking.total.format()) if booking.total.minor else "",
        "ServiceFee": _plain(booking.service_fee.format()) if booking.service_fee else "",
        "ServiceFeeFor": booking.service_fee_description,
        "Today": _day(today),
    }


def _address(client: ClientDetail) -> str:
    data = client.data
    place = " ".join(part for part in (data.region, data.postal_code) if part)
    country = _LOCALE.territories.get(data.country, data.country)
    return ", ".join(part for part in (data.street, data.city, place, country) if part)


def _day(day: date | None) -> str:
    return written_day(day) if day else ""


def _plain(amount: str) -> str:
    return amount.replace("\u00a0", " ")
