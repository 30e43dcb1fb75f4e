"""An agency's letterhead, for what the CRM prints."""

from chassis.paper.letterhead import Letterhead, paper_for
from services.crm.access.agency.rules import AgencyDetail


def letterhead_of(agency: AgencyDetail) -> Letterhead:
    """Name, ways to reach it, colour, and the paper it prints on."""
    return Letterhead(
        name=agency.name,
        contact=" · ".join(part for part in (agency.data.phone, agency.data.email) if part),
        accent=agency.data.accent_colour,
        paper=paper_for(agency.data.paper, agency.data.time_zone),
    )
