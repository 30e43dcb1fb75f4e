"""Documents of a trip in the portal (P4)."""

from typing import Any

from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import Client, ClientMerged, DocumentShared, DocumentWithdrawn
from tests.support.portal import PortalWorld
from tests.support.portal_people import ALAN, GRACE, client_saved, signed_in, tell
from tests.support.portal_trips import booking_saved


def shared(world: PortalWorld, document_id: str = "file_1", **changes: Any) -> DocumentShared:  # Any: several types
    values: dict[str, Any] = {
        "booking_id": "bkg_1",
        "title": "Boarding passes",
        "file_name": "Bordkarten für Bergen.pdf",
        "content_type": "application/pdf",
        "content": b"%PDF-1.7 passes",
        "shared_at": stamp(world.clock.now()),
        "for_everyone": True,
    }
    return DocumentShared(document_id=document_id, **(values | changes))


def test_a_document_stands_on_the_trip_and_among_all_documents_and_downloads_safely(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved(), shared(world))
    for path in ("/trips/bkg_1", "/documents"):
        assert "Boarding passes" in browser.get(path).get_data(as_text=True)
    answer = browser.get("/documents/file_1")
    assert answer.data == b"%PDF-1.7 passes"
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"Bordkarten fur Bergen.pdf\"; filename*=UTF-8''Bordkarten%20f%C3%BCr%20Bergen.pdf"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert answer.headers["Cache-Control"] == "no-store"


def test_only_those_it_is_for_see_it(world: PortalWorld) -> None:
    grace, alan = signed_in(world), signed_in(world, ALAN, username="alan")
    tell(world, booking_saved(), shared(world, for_everyone=False, client_ids=[GRACE.id]))
    assert grace.get("/documents/file_1").status_code == 200
    assert alan.get("/documents/file_1").status_code == 404
    assert "Boarding passes" not in alan.get("/trips/bkg_1").get_data(as_text=True)
    assert "/sign-in" in world.client().get("/documents/file_1").headers["Location"]


def test_who_was_taken_off_the_trip_sees_its_documents_no_more_and_who_came_later_does(world: PortalWorld) -> None:
    grace, alan = signed_in(world), signed_in(world, ALAN, username="alan")
    tell(world, booking_saved(passengers=(GRACE,)), shared(world), shared(world, "file_2", client_ids=[GRACE.id]))
    assert alan.get("/documents/file_1").status_code == 404
    tell(world, booking_saved(version=2, passengers=(ALAN,)))
    assert alan.get("/documents/file_1").status_code == 200
    assert grace.get("/documents/file_1").status_code == 404
    assert grace.get("/documents/file_2").status_code == 404


def test_a_withdrawn_document_is_gone_also_when_its_trip_is_told_later(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, shared(world), booking_saved())
    assert browser.get("/documents/file_1").status_code == 200
    tell(world, DocumentWithdrawn(document_id="file_1", booking_id="bkg_1"))
    assert browser.get("/documents/file_1").status_code == 404
    tell(world, DocumentWithdrawn(document_id="file_1", booking_id="bkg_1"))


def test_a_document_of_a_quote_waits_until_it_is_booked(world: PortalWorld) -> None:
    browser = signed_in(world)
    tell(world, booking_saved(status="quote"), shared(world))
    assert browser.get("/documents/file_1").status_code == 404
    tell(world, booking_saved(version=2))
    assert browser.get("/documents/file_1").status_code == 200


def test_the_reader_of_a_merged_profile_keeps_her_documents(world: PortalWorld) -> None:
    browser = signed_in(world)
    old = Client(id="cli_old", first_name="Grace", last_name="Hooper", email="old@client.example")
    tell(
        world,
        client_saved(old),
        booking_saved(passengers=(GRACE, old)),
        shared(world, for_everyone=False, client_ids=[old.id]),
    )
    tell(world, ClientMerged(kept_client_id=GRACE.id, merged_client_id=old.id, agent_id="agt_1"))
    assert browser.get("/documents/file_1").status_code == 200
    tell(world, shared(world, "file_2", for_everyone=False, client_ids=[old.id]))
    assert browser.get("/documents/file_2").status_code == 200
