"""Learns how an agency looks, and dresses its mails."""

from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from chassis.bus import EventHandlers, EventMeta
from chassis.web.colour import DEFAULT_ACCENT
from protos.wayvault.events.v1.events_pb2 import AgencySaved
from services.notifier.agencies.models import AgencyLook
from services.notifier.templates.rules import Theme

__all__ = ["Looks"]

# Asked for every mail: columns, not an object of the ORM, and one statement for the life of the process.
_LOOK: Final = select(AgencyLook.name, AgencyLook.accent, AgencyLook.phone, AgencyLook.email, AgencyLook.logo).where(
    AgencyLook.agency_id == bindparam("agency_id")
)


class Looks:
    """The agencies' looks."""

    def register(self, handlers: EventHandlers) -> None:
        handlers.on(AgencySaved, self.learn)

    def learn(self, session: Session, event: AgencySaved, _: EventMeta) -> None:
        """Takes in how the agency looks from now on."""
        agency = event.agency
        session.merge(
            AgencyLook(
                agency_id=agency.id,
                name=agency.name,
                accent=agency.accent_colour,
                phone=agency.phone,
                email=agency.email,
                logo=event.logo,
            )
        )

    def theme(self, session: Session, agency_id: str, data: dict[str, str]) -> Theme:
        """The agency that a mail speaks for: as it looks today; as the mail's own data has it while nothing is told."""
        look = session.execute(_LOOK, {"agency_id": agency_id}).first()
        if look is None:
            return Theme(
                name=data.get("agency_name") or "Wayvault",
                accent=data.get("agency_accent") or DEFAULT_ACCENT,
                phone=data.get("agency_phone", ""),
                email=data.get("agency_email", ""),
            )
        return Theme(
            name=look.name,
            accent=look.accent or DEFAULT_ACCENT,
            phone=look.phone,
            email=look.email,
            logo=look.logo,
        )
