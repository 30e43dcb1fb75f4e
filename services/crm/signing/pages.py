"""Joins the pages of the rooms in which clients sign to the CRM's application: blueprints, panels on others' pages."""

from flask import Flask

from services.crm.bootstrap import Dependencies
from services.crm.signing.esign import library_views
from services.crm.signing.esign.views import booking_panel as documents_panel
from services.crm.signing.esign.views import client_panel as client_documents_panel
from services.crm.signing.insurance.views import blueprint as insurance
from services.crm.signing.insurance.views import booking_panel as insurance_panel


def join_signing_rooms(app: Flask, deps: Dependencies) -> None:
    """Adds the rooms."""
    # The library's pages and those of the requests are one room: importing the one adds its pages to it.
    for room in (library_views.blueprint, insurance):
        app.register_blueprint(room)
    deps.panels.booking.extend((documents_panel, insurance_panel))
    deps.panels.client.append(client_documents_panel)
