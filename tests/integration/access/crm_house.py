"""A CRM with one of everything, all of it Maya's: the objects that the matrix's addresses name."""

import io
from datetime import date
from pathlib import Path
from typing import Final

from PIL import Image
from sqlalchemy import select, update

from chassis.ids import new_id
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import Client, DeliveryFailed, EsignSigned, InsuranceDecided, QuoteRequested
from services.crm.access.agency.logo import read_logo
from services.crm.access.agency.models import AgencyRow
from services.crm.access.agency.service import AgencyData, AgentData
from services.crm.access.saved_views.service import SavedList
from services.crm.core.actor import Actor, Role
from services.crm.models import Base, session_tables
from services.crm.office.visits.service import VisitRequest
from services.crm.paying.charging.requests import write_request
from services.crm.paying.standing_orders.plan import Every, Plan
from services.crm.paying.standing_orders.records import Proposal
from services.crm.sales.clients.rules import FamilyMember, Occasion, OccasionKind, Relation
from services.crm.sales.groups.rules import GroupData, GroupKind
from services.crm.sales.suppliers.rules import SupplierData
from services.crm.signing.esign.rules import DocumentKind
from services.crm.signing.esign.service import SendRequest, TemplateData
from services.crm.signing.insurance.service import OfferRequest
from services.crm.trips.bookings.service import SegmentData, SegmentKind
from services.crm.trips.documents.service import Upload
from services.crm.trips.itinerary.rules import Lifetime, ShareRequest
from tests.integration.access.kept_file import KeptFile
from tests.support.crm_charging import FakeCharging
from tests.support.crm_paying import ORIGIN, Browser, CrmHouse, signed_pdf, usd
from tests.support.office_files import pdf

HERE: Final = "tests/integration/access/crm_house.py"
# What is no id of a row.
_WORDS: Final = {"accent": "0f6b6b", "guide_slug": "void", "whose": "own", "which": "payment_due"}


class FurnishedHouse(CrmHouse):
    """Maya is an agent of an agency with the admin Ada and the agent Jonas; Eve is the admin of another agency."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, charging=FakeCharging())
        other = self.deps.access.directory.create_agency(AgencyData(name="Elsewhere Travel"))
        eve = self.deps.access.directory.create_agent(
            other.id, AgentData(name="Eve Admin", email="eve@elsewhere.example", role=Role.ADMIN)
        )
        self.eve: Actor = _known(self.deps.access.directory.actor(eve.id))
        # A second admin: nobody approves what they asked for themselves.
        self._agent(self.agency_id, "Nora Lind", "nora@harbour.example", Role.ADMIN)
        with self.deps.core.database.transaction() as session:
            session.execute(update(AgencyRow).values(second_reveal=True, refund_limit=100))
        self.objects: dict[str, str] = dict(_WORDS)
        self._add_people()
        self._add_payments()
        self._add_office()
        self._add_papers()
        self.browsers: dict[str, Browser] = {
            name: self.browser(actor)
            for name, actor in (
                ("owner", self.maya),
                ("other agent", self.jonas),
                ("admin", self.ada),
                ("other agency's admin", self.eve),
            )
        }
        for browser in self.browsers.values():
            browser.get("/account")
        session_id = next(one.id for one in self.deps.core.sessions.list_for(self.maya.agent_id))
        self.objects["session_id"] = session_id
        self.objects["agency_id"] = self.agency_id
        self.file = KeptFile(folder / "crm.db", self.deps.core.database)

    def contents(self) -> dict[str, list[str]]:
        """What every table holds, but for the sessions' own bookkeeping."""
        with self.deps.core.database.read() as session:
            return {
                table.name: sorted(map(repr, session.execute(select(table))))
                for table in Base.metadata.sorted_tables
                if table is not session_tables.sessions
            }

    def _add_people(self) -> None:
        deps, maya = self.deps, self.maya
        member = FamilyMember(first_name="Ida", last_name="Hopper", relation=Relation.CHILD)
        occasion = Occasion(kind=OccasionKind.ANNIVERSARY, label="Wedding", first_on=date(2001, 5, 5))
        quote = QuoteRequested(
            quote_id=new_id("quote"),
            agent_id=maya.agent_id,
            client_id=self.grace_id,
            client=Client(id=self.grace_id, first_name="Grace", last_name="Hopper", email="grace@client.example"),
            destination="Lofoten",
            adults=2,
            at=stamp(self.clock.now()),
        )
        self.hear(quote)
        deps.sales.portal_access.invite(maya, self.grace_id, "grace.hopper")
        self.objects |= {
            "agent_id": self.jonas.agent_id,
            "client_id": self.grace_id,
            "other_id": self.alan_id,
            "booking_id": self.booking_id,
            "segment_id": self.segment_id,
            "member_id": deps.sales.profiles.save_member(maya, self.grace_id, member).id,
            "occasion_id": deps.sales.profiles.save_occasion(maya, self.grace_id, occasion).id,
            "task_id": deps.sales.tasks.add(maya, self.grace_id, "Call about the cabin", None).id,
            "quote_id": quote.quote_id,
        }

        hotel = SegmentData(supplier_name="Hotel Bryggen", kind=SegmentKind.HOTEL, price=usd(900_00))
        unpaid = deps.trips.bookings.add_segment(maya, self.booking_id, hotel, version=self.booking.version)
        self.objects["unpaid_segment_id"] = unpaid.id
        passes = Upload(request_key="passes", file_name="passes.pdf", content=pdf(), title="Boarding passes")
        self.objects["feed_token"] = deps.office.feeds.renew(maya)
        self.objects["view_id"] = deps.access.saved_views.save(maya, SavedList.CLIENTS, "In Canada", "country=CA").id
        company = GroupData(kind=GroupKind.COMPANY, name="Analytical Engines")
        self.objects["group_id"] = deps.sales.groups.add(maya, company, first_member=self.grace_id).id
        self.objects["supplier_id"] = deps.sales.suppliers.add(maya, SupplierData(name="Aurora Cruises")).id
        wanted = ShareRequest(
            request_key="share", client_ids=(self.grace_id,), lifetime=Lifetime.TRIP, with_prices=False
        )
        self.objects["share_id"] = deps.trips.shares.share(maya, self.booking_id, wanted)[0].id
        imports = deps.sales.imports
        listed = imports.upload(maya, "list.csv", b"Name,Email\nAnn Lee,ann@client.example\n")
        found, table = imports.table(maya, listed.id)
        imports.check(maya, listed.id, found.layout, imports.guess(table, day_first=False))
        deps.sales.import_runner.work()
        self.objects["import_id"] = listed.id
        self.objects["file_id"] = deps.trips.documents.share(maya, self.booking_id, passes).id

    def _add_payments(self) -> None:
        waiting = self.requested("waiting-0123456789")
        payment_id = self.retrieved("shown-0123456789")
        signed = self.signed(payment_id)
        self.hear(signed)
        second = self.deps.paying.second_reveals.ask(
            self.maya, payment_id, reason="The line was cut while the supplier typed.", origin=ORIGIN
        )
        with self.deps.core.database.transaction() as session:
            payment = self.deps.paying.book.get(self.maya, payment_id)
            now = self.clock.now()
            asked = write_request(session, payment, amount=usd(500_00), reason="Cancelled", origin=ORIGIN, now=now)
            self.objects["refund_request_id"] = asked.id
        link = self.deps.paying.links.of_payment(waiting)
        assert link is not None
        call_id, _ = self.deps.paying.phone.start(self.maya, waiting, script="Read out")
        plan = Plan(amount=usd(50_00), every=Every.MONTH, first_on=self.clock.now().date(), times=12)
        wanted = Proposal(request_key="order-0123456789", client_id=self.grace_id, purpose="Planning fee", plan=plan)
        self.objects |= {
            "order_id": self.deps.paying.standing_orders.propose(self.maya, self.booking_id, wanted).id,
            "payment_id": payment_id,
            "call_id": call_id,
            "signed_document_id": signed.document_id,
            "second_id": second.id,
            "link_id": link.id,
        }

    def _add_office(self) -> None:
        deps, maya = self.deps, self.maya
        link = deps.paying.links.of_payment(self.requested("bounced-0123456789"))
        assert link is not None
        failure = DeliveryFailed(
            delivery_id=new_id("dlv"),
            kind="payment_link",
            payment_id=link.payment_id,
            link_id=link.id,
            agent_id=maya.agent_id,
            at=stamp(self.clock.now()),
        )
        self.hear(failure)
        out = io.BytesIO()
        Image.new("RGB", (64, 64), "#0f766e").save(out, "PNG")
        deps.office.handouts.change(self.ada, community_url="", sheet=pdf())
        self.objects |= {
            "receipt_id": self._commission(),
            "ticket_id": deps.office.support.open(maya, "A question", "How do I void?").id,
            "failure_id": failure.delivery_id,
            "logo_sha256": deps.access.directory.change_logo(self.ada, read_logo(out.getvalue())).logo_sha256,
        }

    def _commission(self) -> str:
        deps, maya = self.deps, self.maya
        today = self.clock.now().date()
        deps.office.commissions.record(
            maya, self.booking_id, self.segment_id, amount=usd(100_00), received_on=today, reference="Statement 7"
        )
        _, receipts = deps.office.commissions.line(maya, self.booking_id, self.segment_id)
        return receipts[0].id

    def _add_papers(self) -> None:
        signing, maya = self.deps.signing, self.maya
        template = signing.library.create(maya, TemplateData(title="House rules", body="{ClientName} agrees."))
        requests = [
            signing.requests.send(
                maya,
                self.booking_id,
                SendRequest(request_key=f"rules {client_id}", template_id=template.id, client_ids=[client_id]),
            )[0]
            for client_id in (self.grace_id, self.alan_id)
        ]
        self.hear(EsignSigned(request_id=requests[1].id, document_id=new_id("doc"), pdf=signed_pdf()))
        text = signing.library.of_kind(self.ada, DocumentKind.INSURANCE)
        plain = TemplateData(title=text.title, body="{PlanName}: yes or no?")
        signing.library.change(self.ada, text.id, plain, version=text.version)
        offers = [
            signing.insurance.offer(
                maya,
                self.booking_id,
                OfferRequest(request_key=plan, client_ids=[self.grace_id], plan=plan, price=usd(212_00)),
            )[0]
            for plan in ("Voyager Care", "Voyager Care Plus")
        ]
        self.hear(InsuranceDecided(offer_id=offers[1].id, document_id=new_id("doc"), pdf=signed_pdf()))
        other = signing.library.create(maya, TemplateData(title="Checklist", body="{ClientName} agrees."))
        together = VisitRequest(
            request_key="all",
            client_id=self.grace_id,
            document_ids=[other.id],
            payment=self.link_request(key="visit-0123456789"),
        )
        visit = self.deps.office.visits.send(maya, self.booking_id, together)
        self.objects |= {
            "template_id": template.id,
            "request_id": requests[0].id,
            "signed_request_id": requests[1].id,
            "offer_id": offers[0].id,
            "answered_offer_id": offers[1].id,
            "visit_id": visit.id,
        }


def _known(actor: Actor | None) -> Actor:
    assert actor is not None
    return actor
