"""A portal with one of everything, all of it Grace's: the objects that the matrix's addresses name."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from flask.testing import FlaskClient

from chassis.ids import token_sha256
from chassis.timestamps import stamp
from chassis.web.passwords import Passwords
from protos.wayvault.events.v1.events_pb2 import (
    AgencySaved,
    ClientProfile,
    CvvRequested,
    DocumentShared,
    FamilyMember,
    ItineraryShared,
    Occasion,
    StandingOrderTold,
)
from services.portal.app import create_app
from services.portal.bootstrap import bootstrap
from services.portal.esign.rules import Signature, SignatureKind
from services.portal.esign.service import RequestKind, Signing
from services.portal.following import signed
from services.portal.origin import Origin
from tests.integration.access.kept_file import KeptFile
from tests.support.clock import FakeClock
from tests.support.portal import LINK, TOKEN, PortalWorld, context
from tests.support.portal_papers import OFFER, REQUEST, offer_insurance, request_document
from tests.support.portal_people import AGENCY, ALAN, GRACE, MAYA, client_saved, signed_in, with_account
from tests.support.portal_trips import booking_saved, processed
from tests.support.portal_visits import VISIT, ask_for_all

HERE: Final = "tests/integration/access/portal_house.py"
_SIGNED, _ANSWERED = "sign_signed", "offer_answered"
_SHARE = "itin_first"
_CVV_LINK, _SUBMITTED, _FOREIGN = "cvvlink_first", "lnk_submitted", "lnk_foreign"


class _CvvIntake:
    """CvvIntakePort that takes everything."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def open_cvv_intake(self, **_given: object) -> str:
        return "intake_1"

    def replace_cvv(self, **_given: object) -> datetime:
        return self._clock.now() + timedelta(hours=72)


class FurnishedPortal(PortalWorld):
    """Grace and Alan are clients; `holder` is a browser that opened Grace's links, `other holder` another's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.deps = bootstrap(
            self.settings,
            clock=self.clock,
            database=self.database,
            intake=self.intake,
            cvv_intake=_CvvIntake(self.clock),
            letters=self.letters,
            passwords=Passwords(memory_kib=64, passes=1),
        )
        self._app = create_app(self.deps)
        with_account(self, GRACE)
        with_account(self, ALAN, username="alan")
        self.tell(client_saved(GRACE, _profile()))
        self.issue()
        self.issue(_SUBMITTED, token="second", about=context("pay_second"))
        self.issue(_FOREIGN, token="foreign", about=context("pay_third"))
        self._ask_for_cvv()
        self._book_a_trip()
        signed_document_id = self._ask_to_sign()
        holder = self.submitted_with(_SUBMITTED, "second")
        self.tell(processed(self, 1240, payment_id="pay_second", payer=GRACE))
        holder.post(f"/pay/{LINK}/open", data={"token": TOKEN})
        holder.post(f"/cvv/{_CVV_LINK}/open", data={"token": TOKEN})
        for path in (f"/sign/{REQUEST}", f"/sign/{_SIGNED}", f"/insurance/{OFFER}", f"/insurance/{_ANSWERED}"):
            holder.post(f"{path}/open", data={"token": f"token of {path}"})
        holder.post(f"/itinerary/{_SHARE}/open", data={"token": TOKEN})
        ask_for_all(self, ids=("offer_in_visit", "sign_in_visit", "sign_in_visit_too", "lnk_in_visit"))
        holder.post(f"/visit/{VISIT}/open", data={"token": TOKEN})
        registration_id = self._register(holder)
        grace = signed_in(self, GRACE)
        sessions = self.deps.accounts.sessions.list_for(GRACE.id)
        self.browsers: dict[str, FlaskClient] = {
            "visitor": self.client(),
            "client": grace,
            "other client": signed_in(self, ALAN, username="alan"),
            "holder": holder,
            "other holder": self.opened(_FOREIGN, "foreign"),
        }
        self.tell(AgencySaved(agency=AGENCY, logo=b"png", logo_sha256="0" * 64))
        order = StandingOrderTold(
            order_id="order_1",
            context=context("", payer=GRACE),
            news=StandingOrderTold.NEWS_CHARGED,
            state="active",
            can_change_card=True,
            at=stamp(self.clock.now()),
        )
        self.tell(order)
        self.objects: dict[str, str] = {
            "order_id": "order_1",
            "agency_id": AGENCY.id,
            "logo_sha256": "0" * 64,
            "accent": "0f6b6b",
            "name": "maya-okafor",
            "link_id": LINK,
            "submitted_link_id": _SUBMITTED,
            "cvv_link_id": _CVV_LINK,
            "share_id": _SHARE,
            "member_id": "member_ida_of_grace",
            "occasion_id": "occasion_wedding_grace",
            "session_id": sessions[0].id,
            "booking_id": "bkg_1",
            "segment_id": "seg_1",
            "document_id": "file_boarding_passes",
            "payment_id": "pay_second",
            "request_id": REQUEST,
            "signed_request_id": _SIGNED,
            "signed_document_id": signed_document_id,
            "offer_id": OFFER,
            "answered_offer_id": _ANSWERED,
            "visit_id": VISIT,
            "registration_id": registration_id,
        }
        with self.wsgi.app_context():
            self.objects["followed"] = signed([GRACE.id])
        self.file = KeptFile(folder / "portal.db", self.database)

    def _register(self, browser: FlaskClient) -> str:
        """A registration whose address this browser proved; its id."""
        fields = {"first_name": "Ida", "last_name": "Lovelace", "email": "ida@visitor.example"}
        assert browser.post("/a/maya-okafor/register", data=fields).status_code == 303
        token = self.letters.written[-1].data["url"].partition("#")[2]
        password = "violet harbour tractor moon"
        proof = {"token": token, "password": password, "again": password}
        return browser.post("/registration", data=proof).headers["Location"].rpartition("/")[2]

    def submitted_with(self, link_id: str, token: str) -> FlaskClient:
        """A browser that has authorized the payment of a link."""
        browser = self.opened(link_id, token)
        browser.get(f"/pay/{link_id}/authorize")
        assert browser.post(f"/pay/{link_id}/authorize", data=self.form(link_id)).status_code == 303
        return browser

    def _ask_to_sign(self) -> str:
        """Two documents and two offers, one of each signed; the signed document's id."""
        for request_id in (REQUEST, _SIGNED):
            request_document(self, request_id, token=f"token of /sign/{request_id}")
        for offer_id in (OFFER, _ANSWERED):
            offer_insurance(self, offer_id, token=f"token of /insurance/{offer_id}")
        signature = Signature(kind=SignatureKind.TYPED, signer_name="Grace Hopper")
        signing = Signing(signature=signature, origin=Origin(ip="127.0.0.1", user_agent="test"), accepted=True)
        self.deps.sign_requests.sign(_ANSWERED, RequestKind.INSURANCE, signing)
        signed = self.deps.sign_requests.sign(_SIGNED, RequestKind.DOCUMENT, signing)
        assert signed is not None
        return signed.document_id

    def _book_a_trip(self) -> None:
        self.tell(booking_saved(passengers=(GRACE,)))
        passes = DocumentShared(
            document_id="file_boarding_passes",
            booking_id="bkg_1",
            title="Boarding passes",
            file_name="passes.pdf",
            content_type="application/pdf",
            content=b"%PDF-1.7",
            shared_at=stamp(self.clock.now()),
            for_everyone=True,
        )
        self.tell(passes)
        shared = ItineraryShared(
            share_id=_SHARE,
            booking_id="bkg_1",
            token_sha256=token_sha256(TOKEN),
            expires_at=stamp(self.clock.now() + timedelta(days=30)),
            agent=MAYA,
            agency=AGENCY,
        )
        self.tell(shared)

    def _ask_for_cvv(self) -> None:
        self.tell(
            CvvRequested(
                link_id=_CVV_LINK,
                context=context(),
                card_token="card_1",
                brand="visa",
                last4="1111",
                token_sha256=token_sha256(TOKEN),
                expires_at=stamp(self.clock.now() + timedelta(days=3)),
            )
        )


def _profile() -> ClientProfile:
    return ClientProfile(
        client=GRACE,
        family=[FamilyMember(id="member_ida_of_grace", first_name="Ida", last_name="Hopper", relation="child")],
        occasions=[Occasion(id="occasion_wedding_grace", label="Wedding", on="2001-05-05", year_known=True)],
    )
