"""The form that shares an itinerary."""

from wtforms.widgets import HiddenInput

from chassis.web.forms import BooleanField, CheckboxesField, Form, RadioField, StringField
from services.crm.trips.bookings.service import BookingDetail
from services.crm.trips.itinerary.rules import LIFETIME_WORDS, Lifetime, ShareRequest


class ShareForm(Form):
    """Without a tick no mail is sent: the agent passes the link on."""

    request_key = StringField(widget=HiddenInput())
    passengers = CheckboxesField("Send by e-mail to", choices={})
    lifetime = RadioField("The link works", choices={each.value: words for each, words in LIFETIME_WORDS.items()})
    with_prices = BooleanField("Show prices")

    def offer(self, booking: BookingDetail) -> None:
        """The passengers who have an e-mail address can be ticked."""
        self.passengers.choices = {each.client_id: each.name for each in booking.passengers if each.email}

    def entered(self) -> ShareRequest:
        """What was entered, once the form is valid."""
        return ShareRequest(
            request_key=(self.request_key.data or "")[:64],
            client_ids=tuple(dict.fromkeys(self.passengers.data or ())),
            lifetime=Lifetime(self.lifetime.data),
            with_prices=bool(self.with_prices.data),
        )
