"""Joins the office's pages to the CRM's application."""

from flask import Flask

from services.crm.bootstrap import Dependencies
from services.crm.office.audit.views import blueprint as audit
from services.crm.office.mail_outcomes.views import blueprint as undelivered
from services.crm.office.mail_outcomes.views import dashboard_panel
from services.crm.office.support.views import blueprint as support
from services.crm.office.training.views import blueprint as training

_ROOMS = (support, training, undelivered, audit)


def join_office_rooms(app: Flask, deps: Dependencies) -> None:
    """Adds the rooms, and the dashboard's word of e-mails that failed."""
    for room in _ROOMS:
        app.register_blueprint(room)
    deps.panels.dashboard.append(dashboard_panel)
