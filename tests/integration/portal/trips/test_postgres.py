"""Trips, own payments and documents on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import Client, ClientMerged, DocumentShared, PaymentAuthorized
from tests.support.portal import PortalWorld
from tests.support.portal_people import GRACE, client_saved, signed_in, tell
from tests.support.portal_trips import booking_saved, processed


@pytest.fixture
def world(postgres_url: str, tmp_path: Path) -> Iterator[PortalWorld]:
    made = PortalWorld(tmp_path, url=postgres_url)
    yield made
    made.close()


@pytest.mark.enable_socket
def test_a_trip_is_shown_paid_documented_and_follows_a_merge(world: PortalWorld) -> None:
    old = Client(id="cli_old", first_name="Grace", last_name="Hooper", email="old@client.example")
    passes = DocumentShared(
        document_id="file_1",
        booking_id="bkg_1",
        title="Boarding passes",
        file_name="passes.pdf",
        content_type="application/pdf",
        content=b"%PDF-1.7",
        shared_at=stamp(world.clock.now()),
        client_ids=[old.id, GRACE.id],
    )
    browser = signed_in(world)
    tell(world, client_saved(old), booking_saved(passengers=(GRACE, old)), passes, processed(world, 1240, payer=old))
    tell(world, ClientMerged(kept_client_id=GRACE.id, merged_client_id=old.id, agent_id="agt_1"))
    form = {"type": "final", "amount": "2,760.00", "request_key": "one"}
    link_id = browser.post("/trips/bkg_1/pay/seg_1", data=form).headers["Location"].split("/")[2]
    browser.get(f"/pay/{link_id}/authorize")
    assert browser.post(f"/pay/{link_id}/authorize", data=world.form(link_id)).status_code == 303
    assert sum(isinstance(message, PaymentAuthorized) for message in world.published()) == 1
    assert browser.get("/documents/file_1").status_code == 200
    part = world.deps.trips.get(GRACE.id, "bkg_1").parts[0]
    assert (part.balance.paid.minor, part.balance.under_way.minor, part.offers) == (124_000, 276_000, ())
