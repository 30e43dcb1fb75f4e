"""What stands on the dashboard and on the pages of clients and bookings, in the order in which it is read."""

from flask import Flask

from services.crm.core.panels import DASHBOARD
from services.crm.office.first_steps import views as first_steps
from services.crm.office.mail_outcomes import views as mail_outcomes
from services.crm.office.visits import views as visits
from services.crm.paying.charging import approval_views as refund_approvals
from services.crm.paying.charging import views as charging
from services.crm.paying.links import views as links
from services.crm.paying.links.panels import LINKS_PAGE
from services.crm.paying.payments import views as payments
from services.crm.paying.recording import views as recording
from services.crm.paying.reminders import views as reminders
from services.crm.paying.schedule import views as schedule
from services.crm.paying.second_reveals import views as second_reveals
from services.crm.sales.clients.panels import CLIENT_PAGE
from services.crm.sales.groups import views as groups
from services.crm.sales.groups.panels import GROUP_PAGE
from services.crm.sales.merging import views as merging
from services.crm.sales.portal_access import views as portal_access
from services.crm.sales.tasks import views as tasks
from services.crm.signing.esign import views as esign
from services.crm.signing.insurance import views as insurance
from services.crm.trips.bookings import views as bookings
from services.crm.trips.bookings.panels import BOOKING_LINE, BOOKING_PAGE
from services.crm.trips.documents import views as documents
from services.crm.trips.quotes import views as quotes


def fill_places(app: Flask) -> None:
    """Joins the rooms' panels to the application."""
    DASHBOARD.fill(
        app,
        first_steps.dashboard_panel,
        second_reveals.dashboard_panel,
        refund_approvals.dashboard_panel,
        charging.dashboard_panel,
        mail_outcomes.dashboard_panel,
        recording.dashboard_panel,
        quotes.dashboard_panel,
    )
    CLIENT_PAGE.fill(
        app,
        bookings.client_panel,
        tasks.client_panel,
        groups.client_panel,
        payments.client_panel,
        esign.client_panel,
        documents.client_panel,
        portal_access.client_panel,
        merging.history_panel,
    )
    GROUP_PAGE.fill(app, schedule.group_panel)
    LINKS_PAGE.fill(app, visits.links_panel)
    BOOKING_LINE.fill(app, links.booking_line)
    BOOKING_PAGE.fill(
        app,
        links.booking_panel,
        visits.booking_panel,
        esign.booking_panel,
        insurance.booking_panel,
        documents.booking_panel,
        reminders.booking_panel,
    )
