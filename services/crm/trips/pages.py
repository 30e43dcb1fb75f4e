"""Joins the pages of documents and itineraries to the CRM's application."""

from flask import Flask

from services.crm.bootstrap import Dependencies
from services.crm.trips.documents.views import blueprint as documents
from services.crm.trips.documents.views import booking_panel, client_panel
from services.crm.trips.itinerary.views import blueprint as itinerary

_ROOMS = (documents, itinerary)


def join_travel_rooms(app: Flask, deps: Dependencies) -> None:
    """Adds the rooms and their places on booking and profile."""
    for room in _ROOMS:
        app.register_blueprint(room)
    deps.panels.booking.append(booking_panel)
    deps.panels.client.append(client_panel)
