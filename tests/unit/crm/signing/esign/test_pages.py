"""The pages of documents and insurance: what is shown, kept, refused, and to whom."""

import io
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from chassis.ids import new_id
from services.crm.sales.clients.service import ClientData
from services.crm.signing.esign.rules import TAGS, DocumentKind, Required
from services.crm.signing.esign.service import SignRequest, Template, TemplateData
from tests.support.crm_people import tell
from tests.support.crm_site import Browser, CrmSite, text_of
from tests.unit.crm.signing.esign.test_documents import PDF, asked_events, own_document, send, signed

SOME = settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
texts = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", "-1", "1e9", "9" * 30, "2027-02-30", "{Nobody}", "{", "}{", "\x00", "<b>", "'; --"]),
    st.text(min_size=300, max_size=3000),
)


@pytest.fixture
def maya(site: CrmSite) -> Browser:
    return site.signed_in(site.maya)


def key_of(page: str) -> str:
    found = re.search(r'name="request_key"[^>]*value="([^"]+)"', page)
    assert found
    return found.group(1)


def send_by_form(site: CrmSite, browser: Browser, template: Template, **more: str) -> str:
    address = f"/signatures/new/{site.booking.id}"
    page = browser.get(address).text
    form = {"request_key": key_of(page), "template_id": template.id, "pick_0": "y", **more}
    answer = browser.post(address, form)
    return answer.text if answer.status_code == 422 else browser.get(answer.location.partition("#")[0]).text


def test_a_document_is_written_with_tags_seen_in_preview_and_sent(site: CrmSite, maya: Browser) -> None:
    page = maya.get("/signatures/library/new").text
    for tag in TAGS:
        assert f'data-sign-tag="{tag}"' in page
    body = "<i>{ClientName}</i> agrees with {AgencyName}."
    preview = maya.post("/signatures/library/preview", {"body": body, "kind": "own", "booking_id": site.booking.id})
    assert "&lt;i&gt;Eleanor Whitcombe&lt;/i&gt; agrees with Harbour &amp; Vine Travel." in preview.text
    made = maya.post("/signatures/library/new", {"title": "House rules", "body": body, "required": "never"})
    assert made.status_code == 303
    template = next(one for one in site.deps.signing.library.templates(site.maya) if one.title == "House rules")
    assert "House rules" in send_by_form(site, maya, template)
    (event,) = asked_events(site)
    assert event.text == "<i>Eleanor Whitcombe</i> agrees with Harbour & Vine Travel."
    shown = maya.get(f"/signatures/{event.request_id}").text
    assert "&lt;i&gt;Eleanor" in shown
    assert "<i>Eleanor" not in shown


def test_an_unknown_tag_is_refused_with_the_known_ones_and_the_text_stays(site: CrmSite, maya: Browser) -> None:
    body = "Dear {ClientFirstNam}, this took me an hour to write."
    answer = maya.post("/signatures/library/new", {"title": "Mine", "body": body, "required": "never"})
    assert answer.status_code == 422
    words = text_of(answer)
    assert "{ClientFirstNam} is not a tag. Did you mean {ClientFirstName}?" in words
    assert "this took me an hour to write" in words
    preview = maya.post("/signatures/library/preview", {"body": body, "kind": "own", "booking_id": site.booking.id})
    assert "{ClientFirstNam} is not a tag" in text_of(preview)


def test_the_preview_shows_bookings_in_sight_only(site: CrmSite) -> None:
    jonas = site.signed_in(site.jonas)
    form = {"body": "{ClientName}", "kind": "own", "booking_id": site.booking.id}
    preview = jonas.post("/signatures/library/preview", form)
    assert "Eleanor" not in preview.text


def test_a_changed_text_is_a_new_version_on_its_page(site: CrmSite, maya: Browser) -> None:
    template = own_document(site)
    address = f"/signatures/library/{template.id}"
    maya.get(address)
    form = {"title": "House rules", "body": "Quite another text.", "required": "never", "version": template.version}
    assert maya.post(address, form).status_code == 303
    words = text_of(maya.get(f"{address}/versions"))
    assert "Version 2" in words
    assert "{ClientName} agrees with {AgencyName}." in words
    stale = maya.post(address, {**form, "body": "Typed in an old window."})
    assert stale.status_code == 422
    assert "Typed in an old window." in stale.text


def test_without_a_passenger_or_a_document_nothing_is_sent_and_the_form_says_so(site: CrmSite, maya: Browser) -> None:
    address = f"/signatures/new/{site.booking.id}"
    key = key_of(maya.get(address).text)
    template = own_document(site)
    for form, words in (
        ({"request_key": key, "template_id": template.id}, "Tick at least one passenger"),
        ({"request_key": key, "pick_0": "y", "template_id": ""}, "Choose the document"),
        ({"request_key": key, "pick_0": "y", "template_id": new_id("template")}, "Please check one thing"),
    ):
        answer = maya.post(address, form)
        assert answer.status_code == 422
        assert words in text_of(answer)
    assert asked_events(site) == []


def test_the_warning_about_a_restricted_state_can_be_confirmed(site: CrmSite, maya: Browser) -> None:
    site.deps.signing.library.set_restrictions(site.ada, {"FL": "A licence is needed."})
    data = ClientData(first_name="Eleanor", last_name="Whitcombe", email="e@mail.example", region="Fla", country="US")
    kept = site.deps.sales.clients.change(site.maya, site.client.id, data, version=site.client.version)
    florida = ClientData(first_name="Eleanor", last_name="Whitcombe", email="e@mail.example", region="FL")
    site.deps.sales.clients.change(site.maya, site.client.id, florida, version=kept.version)
    library = site.deps.signing.library
    fee = library.of_kind(site.ada, DocumentKind.SERVICE_FEE)
    changed = TemplateData(title=fee.title, body="{ClientName} pays a fee.", required=Required.WITH_FEE)
    fee = library.change(site.ada, fee.id, changed, version=fee.version)
    assert "A licence is needed." in send_by_form(site, maya, fee)
    assert asked_events(site) == []
    send_by_form(site, maya, fee, restricted_ok="y")
    assert len(asked_events(site)) == 1


def test_the_booking_shows_what_is_missing_what_waits_and_what_was_signed(site: CrmSite, maya: Browser) -> None:
    page = text_of(maya.get(f"/bookings/{site.booking.id}"))
    assert "Still missing" in page
    assert "Terms and conditions" in page
    (request,) = send(site, own_document(site))
    assert "Sending" in text_of(maya.get(f"/bookings/{site.booking.id}"))
    tell(site, signed(site, request))
    page = maya.get(f"/bookings/{site.booking.id}").text
    assert f"/signatures/{request.id}/signed.pdf" in page
    assert maya.get(f"/signatures/{request.id}/signed.pdf").data == PDF
    assert "House rules" in text_of(maya.get(f"/clients/{site.client.id}"))


def test_lists_filter_by_state_and_keep_it_in_the_address(site: CrmSite, maya: Browser) -> None:
    (request,) = send(site, own_document(site))
    assert "House rules" in text_of(maya.get("/signatures"))
    assert "House rules" not in text_of(maya.get("/signatures?state=signed"))
    assert maya.get("/signatures?state=nonsense&page=-3").status_code == 200
    maya.get(f"/signatures/{request.id}")
    assert maya.post(f"/signatures/{request.id}/withdraw").status_code == 303
    assert "House rules" in text_of(maya.get("/signatures?state=withdrawn"))


def test_the_printable_form_has_lines_to_sign_and_no_place_for_a_card_number(site: CrmSite, maya: Browser) -> None:
    card = site.deps.signing.library.of_kind(site.maya, DocumentKind.CARD_AUTHORIZATION)
    page = maya.get(f"/signatures/print/{site.booking.id}?template={card.id}&client={site.client.id}")
    words = text_of(page)
    assert "I, Eleanor Whitcombe, authorize Harbour & Vine Travel" in words
    assert "Please don't write a card number on this form" in words
    for line in ("Signature", "ELEANOR WHITCOMBE", "Place and date"):
        assert line in words
    for place in ("Card number", "Expir", "CVV"):
        assert place not in words
    form = {"request_key": key_of(page.text), "template_id": card.id, "client_id": site.client.id, "on": "2026-11-20"}
    refused = maya.post(f"/signatures/paper/{site.booking.id}", {**form, "on": "2099-01-02"})
    assert refused.status_code == 422
    assert "This day is still to come." in text_of(refused)
    assert 'value="2099-01-02"' in refused.text
    assert maya.post(f"/signatures/paper/{site.booking.id}", form).status_code == 303
    assert "Signed on paper" in text_of(maya.get(f"/bookings/{site.booking.id}"))


def test_the_printable_form_is_a_tagged_pdf_on_the_agencys_paper_with_nothing_to_fill_in_by_machine(
    site: CrmSite, maya: Browser
) -> None:
    card = site.deps.signing.library.of_kind(site.maya, DocumentKind.CARD_AUTHORIZATION)
    address = f"/signatures/print/{site.booking.id}/form.pdf?template={card.id}&client={site.client.id}"
    answer = maya.get(address)
    assert answer.headers["Content-Type"] == "application/pdf"
    made = PdfReader(io.BytesIO(answer.data))
    words = " ".join(" ".join(page.extract_text() for page in made.pages).split())
    for said in ("Harbour & Vine Travel", "I, Eleanor Whitcombe, authorize", "ELEANOR WHITCOMBE", "Place and date"):
        assert said in words
    assert "Please don't write a card number on this form" in words
    for place in ("Card number", "Expir", "CVV"):
        assert place not in words
    assert int(made.pages[0].mediabox.width) == 612
    assert "/StructTreeRoot" in made.root_object
    assert "/AcroForm" not in made.root_object
    assert maya.get(address).data == answer.data


def test_a_form_that_is_not_filled_is_not_printed_and_the_page_says_what_it_lacks(site: CrmSite, maya: Browser) -> None:
    fee = site.deps.signing.library.of_kind(site.maya, DocumentKind.SERVICE_FEE)
    answer = maya.get(f"/signatures/print/{site.booking.id}/form.pdf?template={fee.id}&client={site.client.id}")
    assert answer.status_code == 303
    assert "Not everything can be filled" in text_of(maya.get(answer.headers["Location"]))


def test_only_an_admin_keeps_the_list_of_restricted_states(site: CrmSite, maya: Browser) -> None:
    assert maya.get("/signatures/restrictions").status_code == 404
    ada = site.signed_in(site.ada)
    ada.get("/signatures/restrictions")
    lost = ada.post("/signatures/restrictions", {"note": "Ask first."})
    assert lost.status_code == 422
    assert "Tick the states that the note is for" in text_of(lost)
    assert ada.post("/signatures/restrictions", {"states": ["FL", "CA"], "note": "Ask first."}).status_code == 303
    assert site.deps.signing.library.restrictions(site.agency_id) == {"CA": "Ask first.", "FL": "Ask first."}
    assert ada.post("/signatures/restrictions", {"states": ["XX"], "note": ""}).status_code == 422


def _addresses(request: SignRequest, template: Template) -> list[tuple[str, str]]:
    return [
        ("GET", f"/signatures/{request.id}"),
        ("GET", f"/signatures/{request.id}/signed.pdf"),
        ("POST", f"/signatures/{request.id}/remind"),
        ("POST", f"/signatures/{request.id}/withdraw"),
        ("GET", f"/signatures/library/{template.id}"),
        ("POST", f"/signatures/library/{template.id}"),
        ("GET", f"/signatures/library/{template.id}/versions"),
        ("POST", f"/signatures/library/{template.id}/archive"),
        ("GET", f"/signatures/new/{request.booking_id}"),
        ("POST", f"/signatures/new/{request.booking_id}"),
        ("GET", f"/signatures/print/{request.booking_id}"),
        ("GET", f"/signatures/print/{request.booking_id}/form.pdf"),
        ("POST", f"/signatures/paper/{request.booking_id}"),
    ]


def test_another_agents_documents_do_not_exist(site: CrmSite) -> None:
    template = own_document(site)
    (request,) = send(site, template)
    jonas = site.signed_in(site.jonas)
    for method, address in _addresses(request, template):
        answer = jonas.get(address) if method == "GET" else jonas.post(address)
        assert answer.status_code == 404, (method, address)


def test_a_card_number_in_a_template_is_refused_unread(maya: Browser) -> None:
    form = {"title": "Card", "body": "4111 1111 1111 1111", "required": "never"}
    assert maya.post("/signatures/library/new", form).status_code == 422
    assert maya.post("/signatures/library/preview", form).status_code == 422


@SOME
@given(typed=st.dictionaries(st.sampled_from(("title", "body", "required", "version", "kind", "booking_id")), texts))
def test_the_editor_takes_anything(site: CrmSite, maya: Browser, typed: dict[str, str]) -> None:
    maya.get("/signatures/library/new")
    assert maya.post("/signatures/library/new", dict(typed)).status_code in (200, 303, 422)
    assert maya.post("/signatures/library/preview", dict(typed)).status_code in (200, 422)


@SOME
@given(
    typed=st.dictionaries(
        st.sampled_from(("request_key", "template_id", "pick_0", "on", "client_id", "plan", "price", "issue")), texts
    )
)
def test_sending_takes_anything(site: CrmSite, maya: Browser, typed: dict[str, str]) -> None:
    for path in ("/signatures/new/", "/signatures/paper/", "/insurance/new/"):
        maya.get("/account")
        assert maya.post(f"{path}{site.booking.id}", dict(typed)).status_code in (200, 303, 422)


def test_a_template_names_the_characters_that_the_pdf_cannot_show(site: CrmSite, maya: Browser) -> None:
    odd = {"title": "House rules", "body": "We ride 𠀁.", "required": "never"}
    answer = maya.post("/signatures/library/new", odd)
    assert answer.status_code == 422
    assert "“𠀁” (cjk unified ideograph-20001)" in answer.text
    assert "We ride 𠀁." in answer.text, "what was typed stays"
    assert maya.post("/signatures/library/new", odd | {"body": "ნინო, 山田 and 🏝️ ride."}).status_code == 303
