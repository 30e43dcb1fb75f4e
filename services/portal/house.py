"""The agency behind a page of the portal, as an event told of it. Pure."""

from dataclasses import dataclass

from chassis.paper.letterhead import Letterhead, letterhead_of


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """For values that speak for an agency. `time_zone` is its IANA zone; `accent` "#RRGGBB" or empty; `paper`: what it
    prints on (chassis.paper.letterhead.paper_for)."""

    agency_id: str
    agency_name: str
    accent: str
    agency_phone: str
    agency_email: str
    time_zone: str
    paper: str = ""

    @property
    def letterhead(self) -> Letterhead:
        """The agency's paper."""
        return letterhead_of(
            name=self.agency_name,
            phone=self.agency_phone,
            email=self.agency_email,
            accent=self.accent,
            paper=self.paper,
            time_zone=self.time_zone,
        )
