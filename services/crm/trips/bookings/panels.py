"""The places on a booking's page that other rooms fill."""

from services.crm.core.panels import Place
from services.crm.trips.bookings.service import BookingDetail

# One line under the title that stays in view.
BOOKING_LINE: Place[BookingDetail] = Place("booking line")
BOOKING_PAGE: Place[BookingDetail] = Place("booking")
