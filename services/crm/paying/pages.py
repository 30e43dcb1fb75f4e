"""The pages of the street of payments, and the alert on every page."""

from flask import Blueprint, Flask

from chassis.web.parts import hold
from services.crm.core.parts import Core
from services.crm.paying.alerts.views import blueprint as alerts
from services.crm.paying.alerts.watcher import DeskWatcher
from services.crm.paying.charging.approval_views import blueprint as refund_approvals
from services.crm.paying.charging.views import blueprint as charging
from services.crm.paying.charging.views import let_gateways_in
from services.crm.paying.gateway_keys.views import blueprint as gateway_keys
from services.crm.paying.links.overview_views import blueprint as link_overview
from services.crm.paying.links.views import blueprint as links
from services.crm.paying.parts import Paying
from services.crm.paying.payment_page.charge_views import blueprint as payment_page
from services.crm.paying.payments.views import blueprint as payments
from services.crm.paying.phone.report_views import blueprint as phone
from services.crm.paying.recording.views import blueprint as recording
from services.crm.paying.reminders.views import blueprint as reminders
from services.crm.paying.reveal.views import blueprint as reveal
from services.crm.paying.schedule.views import blueprint as schedule
from services.crm.paying.second_reveals.views import blueprint as second_reveals
from services.crm.paying.standing_orders.views import blueprint as standing_orders

ROOMS: tuple[Blueprint, ...] = (
    payments,
    links,
    link_overview,
    payment_page,
    charging,
    refund_approvals,
    gateway_keys,
    schedule,
    recording,
    phone,
    reveal,
    second_reveals,
    standing_orders,
    reminders,
    alerts,
)


def join(app: Flask, core: Core, paying: Paying) -> None:
    """Adds what isn't a blueprint: the watcher of all the alert's streams."""
    hold(app, DeskWatcher(paying.signs.of_all, max_streams=core.settings.alert_streams))
    let_gateways_in(app)
