"""Joins the office's pages to the CRM's application."""

from flask import Flask

from services.crm.audit.views import blueprint as audit
from services.crm.bootstrap import Dependencies
from services.crm.support.views import blueprint as support
from services.crm.training.views import blueprint as training
from services.crm.undelivered.views import blueprint as undelivered
from services.crm.undelivered.views import dashboard_panel

_ROOMS = (support, training, undelivered, audit)


def join_office_rooms(app: Flask, deps: Dependencies) -> None:
    """Adds the rooms, and the dashboard's word of e-mails that failed."""
    for room in _ROOMS:
        app.register_blueprint(room)
    deps.panels.dashboard.append(dashboard_panel)
