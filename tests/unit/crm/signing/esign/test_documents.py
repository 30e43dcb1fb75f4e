"""Templates and their versions; sending, reminding, taking back, signing; what a booking lacks (C8)."""

import threading
from datetime import UTC, date, timedelta
from hashlib import sha256

import pytest

from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import new_id, token_sha256
from chassis.timestamps import stamp
from protos.wayvault.common.v1.common_pb2 import Origin
from protos.wayvault.events.v1.events_pb2 import (
    DeliveryFailed,
    DeliverySent,
    EsignOpened,
    EsignRequested,
    EsignSigned,
    EsignWithdrawn,
)
from services.crm.core.errors import ChangedMeanwhile
from services.crm.sales.clients.service import ClientData
from services.crm.signing.esign.events import UnknownRequest
from services.crm.signing.esign.rules import DocumentKind, RequestState, Required
from services.crm.signing.esign.service import (
    FeeRestricted,
    RequestFilter,
    SendRequest,
    SignRequest,
    Template,
    TemplateData,
)
from services.crm.trips.bookings.service import BookingData, BookingStatus
from tests.support.crm_paying import OpenLetters, usd
from tests.support.crm_people import published, tell
from tests.support.crm_site import CrmSite

KEY = "a form's own key, made with it"
PDF = b"%PDF-1.7 signed"


def own_document(site: CrmSite, body: str = "{ClientName} agrees with {AgencyName}.") -> Template:
    return site.deps.signing.library.create(site.maya, TemplateData(title="House rules", body=body))


def send(site: CrmSite, template: Template, *client_ids: str, key: str = KEY, sure: bool = False) -> list[SignRequest]:
    wanted = SendRequest(
        request_key=key,
        template_id=template.id,
        client_ids=client_ids or (site.client.id,),
        restricted_ok=sure,
    )
    return site.deps.signing.requests.send(site.maya, site.booking.id, wanted)


def signed(site: CrmSite, request: SignRequest, document_id: str = "doc_1") -> EsignSigned:
    return EsignSigned(
        request_id=request.id,
        document_id=document_id,
        signer_name="Eleanor Whitcombe",
        signature_kind="typed",
        text_sha256=request.text_sha256,
        signed_at=stamp(site.clock.now()),
        origin=Origin(ip="203.0.113.9", user_agent="a phone"),
        pdf=PDF,
        pdf_sha256=sha256(PDF).hexdigest(),
        title=request.title,
        booking_id=request.booking_id,
    )


def state_of(site: CrmSite, request: SignRequest) -> RequestState:
    return site.deps.signing.book.get(site.maya, request.id)[0].state


def asked_events(site: CrmSite) -> list[EsignRequested]:
    return [message for message in published(site) if isinstance(message, EsignRequested)]


def letters(site: CrmSite) -> OpenLetters:
    found = site.deps.signing.requests._issuing._letters  # the fake that bootstrap was given
    assert isinstance(found, OpenLetters)
    return found


# ---------------------------------------------------------------- the library
def test_every_agency_has_the_built_in_documents_once_however_many_ask_at_the_same_time(site: CrmSite) -> None:
    ready = threading.Barrier(4)

    def look() -> None:
        ready.wait()
        site.deps.signing.library.templates(site.maya)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = [template.kind for template in site.deps.signing.library.templates(site.maya)]
    assert sorted(kinds) == sorted(set(DocumentKind) - {DocumentKind.OWN})


def test_a_changed_text_is_a_new_version_and_what_was_sent_stays_as_it_was(site: CrmSite) -> None:
    library = site.deps.signing.library
    template = own_document(site)
    (request,) = send(site, template)
    changed = TemplateData(title="House rules", body="{ClientName} agrees to something else.")
    newer = library.change(site.maya, template.id, changed, version=template.version)
    assert newer.number == 2
    assert [version.number for version in library.versions(site.maya, template.id)] == [2, 1]
    kept, _ = site.deps.signing.book.get(site.maya, request.id)
    assert kept.text == "Eleanor Whitcombe agrees with Harbour & Vine Travel."
    assert kept.version_label == "House rules v1"
    site.deps.signing.requests.remind(site.maya, request.id, issue=1)
    first, second = asked_events(site)
    assert (first.text, first.template_version) == (second.text, second.template_version)


def test_saving_without_a_change_makes_no_version_and_an_outdated_form_saves_nothing(site: CrmSite) -> None:
    library = site.deps.signing.library
    template = own_document(site)
    same = TemplateData(title=template.title, body=template.body)
    assert library.change(site.maya, template.id, same, version=template.version).number == 1
    with pytest.raises(ChangedMeanwhile):
        library.change(site.maya, template.id, TemplateData(title="X", body="Y"), version=template.version - 1)


def test_the_agencys_documents_are_the_admins_and_an_agents_own_are_hers_alone(site: CrmSite) -> None:
    library = site.deps.signing.library
    terms = library.of_kind(site.maya, DocumentKind.TERMS)
    data = TemplateData(title="Ours", body="{AgencyName}", required=Required.NEVER)
    with pytest.raises(PermissionDenied):
        library.change(site.maya, terms.id, data, version=terms.version)
    assert library.change(site.ada, terms.id, data, version=terms.version).title == "Ours"
    hers = own_document(site)
    with pytest.raises(NotFound):
        library.get(site.jonas, hers.id)
    assert hers.id not in {template.id for template in library.templates(site.jonas)}
    with pytest.raises(PermissionDenied):
        library.change(site.ada, hers.id, data, version=hers.version)
    with pytest.raises(InvalidArgument):
        library.archive(site.ada, terms.id, version=terms.version + 1, archived=True)


def test_what_is_put_away_can_not_be_sent_until_it_is_taken_back(site: CrmSite) -> None:
    library = site.deps.signing.library
    template = own_document(site)
    away = library.archive(site.maya, template.id, version=template.version, archived=True)
    with pytest.raises(InvalidArgument):
        send(site, template)
    library.archive(site.maya, template.id, version=away.version, archived=False)
    assert send(site, template)


# ---------------------------------------------------------------- sending
def test_each_passenger_gets_a_request_a_letter_and_a_token_of_their_own(site: CrmSite) -> None:
    robert = site.deps.sales.clients.create(
        site.maya, ClientData(first_name="Robert", last_name="Whitcombe", email="robert@mail.example")
    )
    site.deps.trips.bookings.change(
        site.maya,
        site.booking.id,
        BookingData(
            title=site.booking.title,
            status=BookingStatus.BOOKED,
            currency="USD",
            passenger_ids=(site.client.id, robert.id),
        ),
        version=site.booking.version,
    )
    requests = send(site, own_document(site), site.client.id, robert.id)
    assert [request.signer_name for request in requests] == ["Eleanor Whitcombe", "Robert Whitcombe"]
    events = asked_events(site)
    tokens = []
    for event, letter in zip(events, letters(site).written, strict=True):
        path, _, token = letter.data["url"].partition("#")
        assert path.endswith(f"/sign/{event.request_id}")
        assert event.token_sha256 == token_sha256(token)
        assert event.text_sha256 == sha256(event.text.encode()).hexdigest()
        assert letter.to == event.signer.email
        assert token not in str(event)
        tokens.append(token)
    assert len(set(tokens)) == 2


def test_a_form_sent_twice_sends_once_also_at_the_same_moment(site: CrmSite) -> None:
    template = own_document(site)
    ready = threading.Barrier(3)
    made: list[str] = []

    def press() -> None:
        ready.wait()
        made.extend(request.id for request in send(site, template))

    threads = [threading.Thread(target=press) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 3
    assert len(set(made)) == 1
    assert len(asked_events(site)) == 1


def test_a_document_that_waits_is_not_sent_again_but_reminded_of(site: CrmSite) -> None:
    template = own_document(site)
    (request,) = send(site, template)
    with pytest.raises(InvalidArgument, match="already and has not signed"):
        send(site, template, key="another form's key")
    site.deps.signing.requests.withdraw(site.maya, request.id)
    assert send(site, template, key="another form's key")


def test_a_text_that_can_not_be_filled_is_refused_with_what_is_missing(site: CrmSite) -> None:
    with pytest.raises(InvalidArgument, match="ServiceFee"):
        send(site, own_document(site, "I pay {ServiceFee}."))
    assert asked_events(site) == []


def test_nobody_but_passengers_with_an_address_is_asked(site: CrmSite) -> None:
    stranger = site.deps.sales.clients.create(
        site.maya, ClientData(first_name="Not", last_name="Aboard", email="n@a.example")
    )
    for client_id in (stranger.id, new_id("client")):
        with pytest.raises(InvalidArgument, match="passengers of this booking"):
            send(site, own_document(site), client_id)


def test_a_service_fee_agreement_to_a_restricted_state_needs_a_second_yes(site: CrmSite) -> None:
    library = site.deps.signing.library
    with pytest.raises(PermissionDenied):
        library.set_restrictions(site.maya, {"FL": ""})
    library.set_restrictions(site.ada, {"FL": "Ask Ada first.", "CA": ""})
    data = ClientData(
        first_name="Eleanor", last_name="Whitcombe", email="e@mail.example", region="Florida", country="US"
    )
    site.deps.sales.clients.change(site.maya, site.client.id, data, version=site.client.version)
    booking = BookingData(
        title="Norwegian fjords",
        status=BookingStatus.BOOKED,
        currency="USD",
        passenger_ids=(site.client.id,),
        service_fee=usd(150_00),
        service_fee_description="Planning",
    )
    site.deps.trips.bookings.change(site.maya, site.booking.id, booking, version=site.booking.version)
    fee = library.of_kind(site.maya, DocumentKind.SERVICE_FEE)
    with pytest.raises(FeeRestricted, match="Eleanor Whitcombe lives in Florida: Ask Ada first"):
        send(site, fee)
    (request,) = send(site, fee, sure=True)
    assert "US$150.00" in request.text.replace(" ", "")


# ---------------------------------------------------------------- what becomes of it
def test_a_request_goes_from_sending_to_signed_and_the_pdf_is_kept(site: CrmSite) -> None:
    (request,) = send(site, own_document(site))
    assert state_of(site, request) is RequestState.ISSUED
    sent = DeliverySent(delivery_id="dlv_1", kind="esign_request", link_id=request.id, at=stamp(site.clock.now()))
    tell(site, sent)
    assert state_of(site, request) is RequestState.SENT
    tell(site, EsignOpened(request_id=request.id, at=stamp(site.clock.now())))
    assert state_of(site, request) is RequestState.OPENED
    tell(site, signed(site, request), signed(site, request), sent)
    kept, paper = site.deps.signing.book.get(site.maya, request.id)
    assert kept.state is RequestState.SIGNED
    assert kept.signed_at == site.clock.now().astimezone(UTC)
    assert paper is not None
    assert paper.pdf_sha256 == sha256(PDF).hexdigest()
    assert site.deps.signing.book.pdf(site.maya, request.id) == PDF
    with pytest.raises(NotFound):
        site.deps.signing.book.pdf(site.jonas, request.id)


def test_a_mail_that_fails_is_told_and_a_reminder_clears_it(site: CrmSite) -> None:
    (request,) = send(site, own_document(site))
    failed = DeliveryFailed(
        delivery_id="dlv_1", kind="esign_request", link_id=request.id, reason="There is no such mailbox."
    )
    tell(site, failed)
    assert "no such mailbox" in site.deps.signing.book.get(site.maya, request.id)[0].delivery_problem
    assert site.deps.signing.requests.remind(site.maya, request.id, issue=1).delivery_problem == ""


def test_a_reminder_has_a_fresh_token_and_fresh_time_and_a_second_click_sends_nothing(site: CrmSite) -> None:
    (request,) = send(site, own_document(site))
    site.clock.advance(timedelta(days=3))
    again = site.deps.signing.requests.remind(site.maya, request.id, issue=1)
    assert site.deps.signing.requests.remind(site.maya, request.id, issue=1).issue == again.issue == 2
    first, second = asked_events(site)
    assert first.token_sha256 != second.token_sha256
    assert (first.issue, second.issue) == (1, 2)
    assert again.expires_at - request.expires_at == timedelta(days=3)


def test_an_expired_request_can_be_sent_again(site: CrmSite) -> None:
    (request,) = send(site, own_document(site))
    site.clock.advance(timedelta(days=15))
    assert site.deps.signing.requests.expire_due() == 1
    assert state_of(site, request) is RequestState.EXPIRED
    site.deps.signing.requests.remind(site.maya, request.id, issue=1)
    assert state_of(site, request) is RequestState.ISSUED


def test_taking_back_tells_the_portal_once_and_a_signature_that_crossed_it_stands(site: CrmSite) -> None:
    (request,) = send(site, own_document(site))
    for _ in range(2):
        site.deps.signing.requests.withdraw(site.maya, request.id)
    assert len([message for message in published(site) if isinstance(message, EsignWithdrawn)]) == 1
    tell(site, signed(site, request))
    assert state_of(site, request) is RequestState.SIGNED
    with pytest.raises(InvalidArgument, match="has signed"):
        site.deps.signing.requests.withdraw(site.maya, request.id)
    with pytest.raises(InvalidArgument):
        site.deps.signing.requests.remind(site.maya, request.id, issue=1)


def test_only_the_agent_who_owns_the_booking_acts_and_an_admin_looks(site: CrmSite) -> None:
    (request,) = send(site, own_document(site))
    requests, book = site.deps.signing.requests, site.deps.signing.book
    assert book.get(site.ada, request.id)[0].id == request.id
    with pytest.raises(PermissionDenied):
        requests.withdraw(site.ada, request.id)
    for act in (lambda: requests.withdraw(site.jonas, request.id), lambda: book.get(site.jonas, request.id)):
        with pytest.raises(NotFound):
            act()
    everything = RequestFilter()
    assert book.list_page(site.jonas, everything, 1).total == 0
    assert book.list_page(site.ada, everything, 1).total == 1


def test_an_event_of_another_agency_or_of_no_request_is_a_dead_letter(site: CrmSite) -> None:
    (request,) = send(site, own_document(site))
    with pytest.raises(UnknownRequest):
        tell(site, signed(site, request), agency_id="agency_other")
    unknown = signed(site, request)
    unknown.request_id = "sign_unknown"
    with pytest.raises(UnknownRequest):
        tell(site, unknown)
    assert state_of(site, request) is RequestState.ISSUED


def test_a_booking_says_what_it_lacks_until_it_was_signed_here_or_on_paper(site: CrmSite) -> None:
    library, book = site.deps.signing.library, site.deps.signing.book

    def lacking() -> list[tuple[str, bool]]:
        found = book.lacking(site.maya, site.booking, book.of_booking(site.booking))
        return [(wanted.title, wanted.waiting) for wanted in found]

    assert lacking() == [("Terms and conditions", False)]
    terms = library.of_kind(site.ada, DocumentKind.TERMS)
    library.change(
        site.ada,
        terms.id,
        TemplateData(title=terms.title, body="{ClientName} agrees.", required=Required.ALWAYS),
        version=terms.version,
    )
    (request,) = send(site, terms)
    assert lacking() == [("Terms and conditions", True)]
    site.deps.signing.requests.withdraw(site.maya, request.id)
    noted = site.deps.signing.requests.record_paper(
        site.maya,
        site.booking.id,
        template_id=terms.id,
        client_id=site.client.id,
        signed_on=date(2026, 11, 20),
        request_key="the paper form's own key",
    )
    assert noted.state is RequestState.PAPER
    assert lacking() == []
    assert len(asked_events(site)) == 1, "a form signed on paper is mailed to nobody"


def test_nothing_was_signed_on_paper_tomorrow(site: CrmSite) -> None:
    with pytest.raises(InvalidArgument, match="still to come"):
        site.deps.signing.requests.record_paper(
            site.maya,
            site.booking.id,
            template_id=own_document(site).id,
            client_id=site.client.id,
            signed_on=site.clock.now().date() + timedelta(days=3),
            request_key="the paper form's own key",
        )
