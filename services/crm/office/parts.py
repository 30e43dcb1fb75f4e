"""What the office holds: visits, help, support, failed e-mails, audit viewer, reports, dispute packs, first steps."""

from dataclasses import dataclass

from chassis.web.parts import held
from services.crm.office.audit.service import AuditViewer
from services.crm.office.calendar.feeds import CalendarFeeds
from services.crm.office.calendar.service import Calendars
from services.crm.office.dispute_packs.service import DisputePacks
from services.crm.office.finding.service import Finder
from services.crm.office.first_steps.service import FirstSteps
from services.crm.office.handouts.service import HandoutDesk
from services.crm.office.mail_outcomes.resending import Resending
from services.crm.office.mail_outcomes.service import MailOutcomes
from services.crm.office.reports.commissions import Commissions
from services.crm.office.reports.service import Reports
from services.crm.office.support.service import Support
from services.crm.office.training.service import Guides
from services.crm.office.visits.service import Visits


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The street's use cases."""

    support: Support
    visits: Visits
    guides: Guides
    mail_outcomes: MailOutcomes
    resending: Resending
    audit: AuditViewer
    reports: Reports
    calendars: Calendars
    feeds: CalendarFeeds
    commissions: Commissions
    finder: Finder
    dispute_packs: DisputePacks
    first_steps: FirstSteps
    handouts: HandoutDesk


def office() -> Office:
    """The use cases, in a page."""
    return held(Office)
