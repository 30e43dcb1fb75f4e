"""The place on a booking's page that other rooms fill."""

from services.crm.core.panels import Place
from services.crm.trips.bookings.service import BookingDetail

BOOKING_PAGE: Place[BookingDetail] = Place("booking")
