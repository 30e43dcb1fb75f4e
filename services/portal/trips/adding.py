"""A payment that a client starts themselves (P3). It becomes a link of the links room, as their agent's requests do:
from there on form, card, signature and status page are one and the same."""

from chassis.errors import InvalidArgument, NotFound
from chassis.ids import new_id
from chassis.money import Money
from protos.wayvault.common.v1 import common_pb2
from protos.wayvault.events.v1.events_pb2 import Client, PaymentContext, PaymentType
from services.portal.account.service import PresentClient
from services.portal.agents.service import Agents
from services.portal.links.service import Links, LinkView, OwnPayment
from services.portal.origin import Origin
from services.portal.trips.rules import FEE_ID, PayType, amount_error
from services.portal.trips.service import Part, Trips, TripView
from services.portal.trips.snapshot import wire_segment
from services.portal.trips.terms import filled_terms

WIRE_TYPES = {
    PayType.DEPOSIT: PaymentType.PAYMENT_TYPE_DEPOSIT,
    PayType.REGULAR: PaymentType.PAYMENT_TYPE_REGULAR,
    PayType.FINAL: PaymentType.PAYMENT_TYPE_FINAL,
    PayType.SERVICE_FEE: PaymentType.PAYMENT_TYPE_SERVICE_FEE,
}


class OwnPayments:
    """Starts payments for clients who are signed in."""

    def __init__(self, *, links: Links, agents: Agents, trips: Trips) -> None:
        self._links = links
        self._agents = agents
        self._trips = trips

    def refusal(self, link: LinkView) -> str:
        """Why a payment that they started can't be authorized any more, in words; empty when it can. Another window of
        theirs, or a companion, may have paid meanwhile."""
        try:
            view = self._trips.get(link.client_id, link.request.booking_id)
        except NotFound:
            return "Your agent took this trip off the portal meanwhile. Nothing was charged."
        part = view.part(FEE_ID if link.request.is_fee else link.request.segment_id)
        if part is None or not part.offers:
            return "There is nothing left to pay here. Nothing more was charged."
        return amount_error(link.request.amount, part.balance)

    def start(
        self,
        client: PresentClient,
        view: TripView,
        segment_id: str,
        *,
        kind: PayType,
        amount: Money,
        request_key: str,
        origin: Origin,
    ) -> str:
        """The id of the link on which they go on. The same `request_key` again: the same link.

        Raises NotFound for a segment that is none of the trip's, InvalidArgument (field "type" or "amount") for what
        can't be paid now.
        """
        part = view.part(segment_id)
        if part is None:
            raise NotFound("There is no such part of this trip.")
        offer = next((each for each in part.offers if each.type is kind), None)
        if offer is None:
            raise InvalidArgument("This can't be paid here now. Choose another kind of payment.", field="type")
        if error := amount_error(amount, part.balance):
            raise InvalidArgument(error, field="amount")
        context = self.context(client, view, part, kind, amount)
        context.due_on = offer.due_on.isoformat() if offer.due_on else ""
        terms = filled_terms(
            view.message.terms_template,
            payer=client.name,
            agency=context.agency.name,
            title=view.trip.title,
            segment=part.segment,
            amount=amount,
            kind=kind,
            purpose=context.purpose,
        )
        own = OwnPayment(
            # Another client's form can't have this key: it is bound to them here.
            request_key=f"{client.client_id}:{request_key}"[:80],
            client_id=client.client_id,
            context=context,
            terms_text=terms,
            terms_version=view.message.terms_version,
        )
        return self._links.begin(own, origin)

    def context(
        self, client: PresentClient, view: TripView, part: Part, kind: PayType, amount: Money
    ) -> PaymentContext:
        """What every reader of the payment shows. The agent is whose trip it is; their address as it is today."""
        agent, agency = self._agents.snapshots(view.agent.agent_id) or (view.message.agent, view.message.agency)
        return PaymentContext(
            payment_id=new_id("pay"),
            booking_id=view.trip.id,
            booking_title=view.trip.title,
            agency=agency,
            agent=agent,
            payer=Client(
                id=client.client_id, first_name=client.first_name, last_name=client.last_name, email=client.email
            ),
            segment=wire_segment(view.message, part.segment.id),
            amount=common_pb2.Money(minor=amount.minor, currency=amount.currency),
            type=WIRE_TYPES[kind],
            purpose=(part.segment.text or part.segment.supplier)[:200],
            policy=view.message.policy,
        )
