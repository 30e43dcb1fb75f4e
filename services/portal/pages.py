"""What every page of the portal shares: whose house it is, in which zone its times are, who is asking."""

from flask import Flask, g, request

from chassis.web import Brand
from chassis.web.formatting import use_zone
from services.portal.origin import Origin
from services.portal.payment_request import PaymentRequest

_NOBODY = Brand(name="Your travel agency")


def dress(payment_request: PaymentRequest) -> None:
    """Shows the rest of this request in the agency's name and colour, and times in its zone."""
    g.portal_brand = Brand(name=payment_request.agency_name, accent=payment_request.accent)
    use_zone(payment_request.time_zone)


def origin_of_request() -> Origin:
    """Where the current request came from."""
    return Origin.of(request.remote_addr, request.user_agent.string)


def install_brand(app: Flask) -> None:
    """Makes `brand` known to the layout."""
    app.context_processor(lambda: {"brand": g.get("portal_brand", _NOBODY)})
