"""The pages of the office."""

from flask import Blueprint

from services.crm.office.audit.views import blueprint as audit
from services.crm.office.calendar.views import blueprint as calendar
from services.crm.office.dashboard.views import blueprint as dashboard
from services.crm.office.dispute_packs.views import blueprint as dispute_packs
from services.crm.office.finding.views import blueprint as finding
from services.crm.office.first_steps.views import blueprint as first_steps
from services.crm.office.handouts.views import blueprint as handouts
from services.crm.office.mail_outcomes.views import blueprint as mail_outcomes
from services.crm.office.reports.order_views import blueprint as reports
from services.crm.office.support.views import blueprint as support
from services.crm.office.training.views import blueprint as training
from services.crm.office.visits.views import blueprint as visits

ROOMS: tuple[Blueprint, ...] = (
    dashboard,
    first_steps,
    finding,
    calendar,
    reports,
    support,
    training,
    handouts,
    mail_outcomes,
    audit,
    dispute_packs,
    visits,
)
