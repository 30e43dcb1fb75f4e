"""Joins the payment rooms' pages to the CRM's application: blueprints, panels on other rooms' pages, the alert."""

from flask import Flask

from services.crm.bootstrap import Dependencies
from services.crm.paying.alerts.views import blueprint as alerts
from services.crm.paying.alerts.watcher import PendingWatcher
from services.crm.paying.links.views import blueprint as links
from services.crm.paying.links.views import booking_panel
from services.crm.paying.payment_page.views import blueprint as area
from services.crm.paying.payments.views import blueprint as payments
from services.crm.paying.payments.views import client_panel
from services.crm.paying.reveal.views import blueprint as retrieval
from services.crm.paying.second_reveals.views import blueprint as second_reveals

_ROOMS = (payments, links, area, retrieval, second_reveals, alerts)


def join_payment_rooms(app: Flask, deps: Dependencies) -> None:
    """Adds the rooms. Streams of the alert may take half of a process's threads, never more."""
    watcher = PendingWatcher(deps.paying.book.pending_counts, max_streams=max(1, deps.settings.web_threads // 2))
    app.extensions["crm_pending_watcher"] = watcher
    for room in _ROOMS:
        app.register_blueprint(room)
    deps.panels.booking.append(booking_panel)
    deps.panels.client.append(client_panel)
