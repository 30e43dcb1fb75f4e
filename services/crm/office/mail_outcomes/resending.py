"""Sending again, from one list, whatever waits on a person whom its e-mail did not reach (ux 16)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chassis.errors import InvalidArgument, NotFound
from services.crm.access.parts import Access
from services.crm.core.actor import Actor
from services.crm.office.mail_outcomes.rules import Failure
from services.crm.office.visits.service import Visits
from services.crm.paying.parts import Paying
from services.crm.sales.parts import Sales
from services.crm.signing.parts import Signing
from services.crm.trips.parts import Trips

_GONE = "What this e-mail was about is not there any more."


@dataclass(frozen=True, slots=True, kw_only=True)
class Resending:
    """Each kind is sent by the room that sent it first, under that room's rules and to the address of today."""

    access: Access
    sales: Sales
    trips: Trips
    paying: Paying
    signing: Signing
    visits: Visits

    def again(self, actor: Actor, failure: Failure) -> None:
        """Raises NotFound, PermissionDenied, Unavailable or InvalidArgument, in words for the agent."""
        self._ways()[failure.name](actor, failure)

    def _ways(self) -> Mapping[str, Callable[[Actor, Failure], object]]:
        return {
            "payment_link": self._payment_link,
            "esign_request": self._document,
            "insurance_offer": self._insurance,
            "visit": self._visit,
            "portal_invitation": self._portal_invitation,
            "agent_invitation": self._agent_invitation,
            "cvv_request": self._cvv,
            "confirm_charge": lambda actor, failure: self.paying.charges.mail_again(actor, failure.payment_id),
            "itinerary": lambda actor, failure: self.trips.shares.again(actor, failure.link_id),
        }

    def _payment_link(self, actor: Actor, failure: Failure) -> None:
        link = self.paying.links.of_payment(failure.payment_id)
        if link is None:
            raise NotFound(_GONE)
        self.paying.links.remind(actor, link.id, issue=link.issue)

    def _document(self, actor: Actor, failure: Failure) -> None:
        asked, _ = self.signing.book.get(actor, failure.link_id)
        self.signing.requests.remind(actor, asked.id, issue=asked.issue)

    def _insurance(self, actor: Actor, failure: Failure) -> None:
        offer = self.signing.insurance.get(actor, failure.link_id)
        self.signing.insurance.remind(actor, offer.id, issue=offer.issue)

    def _visit(self, actor: Actor, failure: Failure) -> None:
        visit = self.visits.get(actor, failure.link_id)
        self.visits.remind(actor, visit.id, issue=visit.issue)

    def _portal_invitation(self, actor: Actor, failure: Failure) -> None:
        # Whom a failure of before names only by address, that address says.
        client_id = failure.link_id or failure.client_id
        invited = self.sales.portal_access.of(actor, client_id) if client_id else None
        if invited is None:
            raise InvalidArgument("Nobody is known by this address. Invite the client again in their profile.")
        self.sales.portal_access.resend(actor, client_id, issue=invited.issue)

    def _agent_invitation(self, actor: Actor, failure: Failure) -> None:
        if not failure.link_id:
            raise InvalidArgument("It is not known who was invited. Send the invitation again under Agency.")
        invited = self.access.directory.colleague(actor, failure.link_id)
        self.access.invitations.send(invited, invited_by=actor)

    def _cvv(self, actor: Actor, failure: Failure) -> None:
        self.paying.cvv_requests.ask(actor, failure.payment_id, request_key=failure.id, cvv_gone=False)
