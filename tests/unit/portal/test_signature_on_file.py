"""An earlier signature signs again only with its giver's tick, each time, and the new paper says so (M2)."""

import io
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select

from protos.wayvault.events.v1.events_pb2 import Agency, Client, ClientMerged, DocumentSigned, PaymentContext
from services.portal.esign.models import SignedDocumentRow
from tests.support.portal import LINK, PortalWorld, context, signature_png

SECOND, THIRD = "lnk_2", "lnk_3"
TOKEN_2 = "token-two-0123456789"


def asked_again(world: PortalWorld, link_id: str = SECOND, about: PaymentContext | None = None) -> FlaskClient:
    """Another link for the same client, opened, a week later."""
    world.clock.advance(timedelta(days=7))
    world.issue(link_id, token=TOKEN_2 + link_id, about=about or context(f"pay_{link_id}"))
    browser = world.opened(link_id, TOKEN_2 + link_id)
    assert browser.get(f"/pay/{link_id}/authorize").status_code == 200
    return browser


def original(world: PortalWorld) -> str:
    with world.database.read() as session:
        first = select(SignedDocumentRow.document_id).order_by(SignedDocumentRow.signed_at).limit(1)
        return str(session.scalars(first).one())


def on_file(world: PortalWorld, link_id: str = SECOND, **changes: str) -> dict[str, str]:
    chosen = {"signature_kind": "on_file", "signature_document": original(world), "signature_reuse": "y"}
    return world.form(link_id, signature_text="", **chosen | changes)


@pytest.fixture
def signed(world: PortalWorld) -> PortalWorld:
    """Grace has signed once, by drawing."""
    world.issue()
    world.submitted(signature_kind="drawn", signature_image=signature_png())
    return world


def test_nobody_is_offered_a_signature_that_was_never_given(world: PortalWorld) -> None:
    world.issue()
    assert "signature on file" not in world.opened().get(f"/pay/{LINK}/authorize").text


def test_the_page_shows_the_earlier_signature_and_leaves_its_box_unticked(signed: PortalWorld) -> None:
    page = asked_again(signed).get(f"/pay/{SECOND}/authorize").text
    assert "data:image/png;base64," in page
    assert "Sign this with my signature on file of" in page
    assert "checked" not in page.split('name="signature_reuse"')[1].split(">")[0]


def test_with_the_tick_it_signs_and_the_paper_says_of_when_it_is(signed: PortalWorld) -> None:
    given = signed.clock.now()
    browser = asked_again(signed)
    assert browser.post(f"/pay/{SECOND}/authorize", data=on_file(signed)).status_code == 303
    told = [message for message in signed.published() if isinstance(message, DocumentSigned)]
    assert [message.signature_kind for message in told] == ["drawn", "on_file"]
    text = " ".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(told[-1].pdf)).pages).split())
    assert f"Signature on file of {given:%Y-%m-%d %H:%M:%S} UTC, reused with consent at" in text
    assert f"{signed.clock.now():%Y-%m-%d %H:%M:%S} UTC" in text
    assert original(signed) in text.replace(" ", "")
    assert "Consent to reuse" in text


@pytest.mark.parametrize("tick", ["", None])
def test_without_the_tick_nothing_is_signed_however_often_it_was_ticked_before(
    signed: PortalWorld, tick: str | None
) -> None:
    asked_again(signed).post(f"/pay/{SECOND}/authorize", data=on_file(signed))
    browser, form = asked_again(signed, THIRD), on_file(signed, THIRD)
    del form["signature_reuse"]
    answer = browser.post(f"/pay/{THIRD}/authorize", data=form if tick is None else form | {"signature_reuse": tick})
    assert answer.status_code == 422
    assert "Tick the box to sign with your signature on file" in answer.text
    assert signed.published_types().count("PaymentAuthorized") == 2


def test_a_reused_signature_is_no_original(signed: PortalWorld) -> None:
    """The third paper names the day of the hand's own work, not of the second paper."""
    first = signed.deps.on_file.of("cli_1", "agy_1")
    asked_again(signed).post(f"/pay/{SECOND}/authorize", data=on_file(signed))
    assert first is not None
    assert signed.deps.on_file.of("cli_1", "agy_1") == first


def test_another_clients_signature_is_not_offered_and_not_taken(signed: PortalWorld) -> None:
    other = context(f"pay_{SECOND}", payer=Client(id="cli_2", first_name="Ada", email="ada@client.example"))
    browser = asked_again(signed, about=other)
    assert "signature on file" not in browser.get(f"/pay/{SECOND}/authorize").text
    answer = browser.post(f"/pay/{SECOND}/authorize", data=on_file(signed))
    assert answer.status_code == 422
    assert "not on file any more" in answer.text


def test_another_agency_is_not_offered_it_either(signed: PortalWorld) -> None:
    other = context(f"pay_{SECOND}", agency=Agency(id="agy_2", name="Far Away Travel"))
    browser = asked_again(signed, about=other)
    assert "signature on file" not in browser.get(f"/pay/{SECOND}/authorize").text
    assert browser.post(f"/pay/{SECOND}/authorize", data=on_file(signed)).status_code == 422


def test_it_follows_a_merged_client(signed: PortalWorld) -> None:
    signed.tell(ClientMerged(kept_client_id="cli_9", merged_client_id="cli_1"))
    kept = context(f"pay_{SECOND}", payer=Client(id="cli_9"))
    assert "signature on file" in asked_again(signed, about=kept).get(f"/pay/{SECOND}/authorize").text


def test_a_typed_signature_is_kept_on_file_too(world: PortalWorld) -> None:
    world.issue()
    world.submitted()
    browser = asked_again(world)
    assert '<p class="wv-signature-picture">Grace Hopper</p>' in browser.get(f"/pay/{SECOND}/authorize").text
    assert browser.post(f"/pay/{SECOND}/authorize", data=on_file(world)).status_code == 303
