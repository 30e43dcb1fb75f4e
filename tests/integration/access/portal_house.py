"""A portal with one of everything, all of it Grace's: the objects that the matrix's addresses name."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from flask.testing import FlaskClient

from chassis.ids import token_sha256
from protos.wayvault.events.v1.events_pb2 import (
    ClientProfile,
    CvvRequested,
    DocumentShared,
    FamilyMember,
    Occasion,
)
from tests.integration.access.kept_file import KeptFile
from tests.support.portal import LINK, TOKEN, PortalWorld, context, timestamp
from tests.support.portal_people import ALAN, GRACE, client_saved, signed_in, with_account
from tests.support.portal_trips import booking_saved, processed

HERE: Final = "tests/integration/access/portal_house.py"
_CVV_LINK, _SUBMITTED, _FOREIGN = "cvvlink_first", "lnk_submitted", "lnk_foreign"


class FurnishedPortal(PortalWorld):
    """Grace and Alan are clients; `holder` is a browser that opened Grace's links, `other holder` another's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        with_account(self, GRACE)
        with_account(self, ALAN, username="alan")
        self.tell(client_saved(GRACE, _profile()))
        self.issue()
        self.issue(_SUBMITTED, token="second", about=context("pay_second"))
        self.issue(_FOREIGN, token="foreign", about=context("pay_third"))
        self._ask_for_cvv()
        self._book_a_trip()
        holder = self.submitted_with(_SUBMITTED, "second")
        self.tell(processed(self, 1240, payment_id="pay_second", payer=GRACE))
        holder.post(f"/pay/{LINK}/open", data={"token": TOKEN})
        holder.post(f"/cvv/{_CVV_LINK}/open", data={"token": TOKEN})
        grace = signed_in(self, GRACE)
        sessions = self.deps.accounts.sessions.list_for(GRACE.id)
        self.browsers: dict[str, FlaskClient] = {
            "visitor": self.client(),
            "client": grace,
            "other client": signed_in(self, ALAN, username="alan"),
            "holder": holder,
            "other holder": self.opened(_FOREIGN, "foreign"),
        }
        self.objects: dict[str, str] = {
            "accent": "0f6b6b",
            "name": "maya-okafor",
            "link_id": LINK,
            "submitted_link_id": _SUBMITTED,
            "cvv_link_id": _CVV_LINK,
            "member_id": "member_ida_of_grace",
            "occasion_id": "occasion_wedding_grace",
            "session_id": sessions[0].id,
            "booking_id": "bkg_1",
            "segment_id": "seg_1",
            "document_id": "file_boarding_passes",
            "payment_id": "pay_second",
        }
        self.file = KeptFile(folder / "portal.db", self.database)

    def submitted_with(self, link_id: str, token: str) -> FlaskClient:
        """A browser that has authorized the payment of a link."""
        browser = self.opened(link_id, token)
        browser.get(f"/pay/{link_id}/authorize")
        assert browser.post(f"/pay/{link_id}/authorize", data=self.form(link_id)).status_code == 303
        return browser

    def _book_a_trip(self) -> None:
        self.tell(booking_saved(passengers=(GRACE,)))
        passes = DocumentShared(
            document_id="file_boarding_passes",
            booking_id="bkg_1",
            title="Boarding passes",
            file_name="passes.pdf",
            content_type="application/pdf",
            content=b"%PDF-1.7",
            shared_at=timestamp(self.clock.now()),
            for_everyone=True,
        )
        self.tell(passes)

    def _ask_for_cvv(self) -> None:
        self.tell(
            CvvRequested(
                link_id=_CVV_LINK,
                context=context(),
                card_token="card_1",
                brand="visa",
                last4="1111",
                token_sha256=token_sha256(TOKEN),
                expires_at=timestamp(self.clock.now() + timedelta(days=3)),
            )
        )


def _profile() -> ClientProfile:
    return ClientProfile(
        client=GRACE,
        family=[FamilyMember(id="member_ida_of_grace", first_name="Ida", last_name="Hopper", relation="child")],
        occasions=[Occasion(id="occasion_wedding_grace", label="Wedding", on="2001-05-05", year_known=True)],
    )
