"""Documents of a booking: shared, downloaded, taken back (P4); and the itinerary (C5)."""

import io
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from werkzeug.test import TestResponse

from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.money import Money
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import ClientPortalActivated, DocumentShared, DocumentWithdrawn
from services.crm.core.actor import Actor
from services.crm.trips.bookings.rules import Cancellation
from services.crm.trips.bookings.service import BookingData, BookingStatus, SegmentData, SegmentKind
from services.crm.trips.documents.service import Document, Upload
from tests.support.crm_paying import Browser, CrmHouse
from tests.support.office_files import docx, pdf

PASSES = pdf()


def upload(**changes: Any) -> Upload:  # Any: fields of several types
    values: dict[str, Any] = {
        "request_key": "form-1",
        "file_name": "passes.pdf",
        "content": PASSES,
        "title": "Boarding passes",
    }
    return Upload(**(values | changes))


def shared(crm: CrmHouse, **changes: Any) -> Document:  # Any: fields of several types
    return crm.deps.trips.documents.share(crm.maya, crm.booking_id, upload(**changes))


def sent(browser: Browser, crm: CrmHouse, content: bytes, name: str = "passes.pdf", **fields: str) -> TestResponse:
    """Sends the form with a file."""
    browser.get(f"/bookings/{crm.booking_id}/documents/new")
    data = {"whom": "everyone", "request_key": "k", "title": "Passes", **fields, "file": (io.BytesIO(content), name)}
    return browser.post(f"/bookings/{crm.booking_id}/documents/new", data=data)


def test_a_shared_document_is_told_with_its_bytes_and_readers(crm: CrmHouse) -> None:
    document = shared(crm, reader_ids=(crm.alan_id,))
    told = crm.events(DocumentShared)
    assert [event.document_id for event in told] == [document.id]
    assert told[0].content == PASSES
    assert list(told[0].client_ids) == [crm.alan_id]
    assert not told[0].for_everyone
    assert told[0].content_type == "application/pdf"
    assert crm.deps.trips.documents.file(crm.maya, document.id).content == PASSES


def test_only_those_who_can_open_the_portal_are_told_by_mail(crm: CrmHouse) -> None:
    crm.deps.sales.portal_access.invite(crm.maya, crm.grace_id, "grace")
    crm.hear(ClientPortalActivated(client_id=crm.grace_id, at=stamp(crm.clock.now())))
    shared(crm)
    shared(crm, request_key="form-2", tell=False)
    told = crm.events(DocumentShared)
    assert [client.email for client in told[0].told] == ["grace@client.example"]
    assert list(told[1].told) == []


def test_the_form_sent_twice_shares_one_file(crm: CrmHouse) -> None:
    assert shared(crm).id == shared(crm).id
    assert len(crm.events(DocumentShared)) == 1


def test_what_was_taken_back_is_gone_for_good_and_told_once(crm: CrmHouse) -> None:
    document = shared(crm)
    for _ in range(2):
        crm.deps.trips.documents.withdraw(crm.maya, document.id)
    assert [event.document_id for event in crm.events(DocumentWithdrawn)] == [document.id]
    with pytest.raises(NotFound):
        crm.deps.trips.documents.file(crm.maya, document.id)


def test_a_card_number_in_the_file_stops_it(crm: CrmHouse) -> None:
    with pytest.raises(InvalidArgument, match="card number"):
        shared(crm, content=docx("Card 4111 1111 1111 1111"), file_name="form.docx")
    assert crm.events(DocumentShared) == []


def test_readers_must_travel_along(crm: CrmHouse) -> None:
    with pytest.raises(InvalidArgument, match="passengers of this booking"):
        shared(crm, reader_ids=("cli_stranger",))


def test_foreign_documents_answer_like_unknown_ones_and_admins_look_but_change_nothing(crm: CrmHouse) -> None:
    document = shared(crm)

    def status(agent: Actor, path: str) -> int:
        return crm.browser(agent).get(path).status_code

    assert status(crm.jonas, f"/documents/{document.id}") == 404
    assert status(crm.jonas, f"/bookings/{crm.booking_id}/documents/new") == 404
    assert status(crm.ada, f"/documents/{document.id}") == 200
    assert status(crm.ada, f"/bookings/{crm.booking_id}/documents/new") == 403
    assert crm.browser(crm.jonas).post(f"/documents/{document.id}/withdraw").status_code == 404
    with pytest.raises(PermissionDenied):
        crm.deps.trips.documents.withdraw(crm.ada, document.id)


def test_a_merged_readers_document_follows_her(crm: CrmHouse) -> None:
    from services.crm.client_references import CLIENT_REFERENCES

    document = shared(crm, reader_ids=(crm.alan_id, crm.tim_id))
    with crm.deps.core.database.transaction() as session:
        for reference in CLIENT_REFERENCES:
            if reference.words == "documents":
                assert reference.move(session, crm.alan_id, crm.tim_id) == 1
    found = crm.deps.trips.documents.of_booking(crm.maya, crm.booking_id)
    assert [(each.id, each.reader_ids) for each in found] == [(document.id, (crm.alan_id,))]


def test_the_form_shares_a_file_and_the_booking_shows_it(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    answer = sent(browser, crm, pdf(), name="passes.exe")
    assert answer.headers["Location"] == f"/bookings/{crm.booking_id}#shared"
    page = browser.get(f"/bookings/{crm.booking_id}").get_data(as_text=True)
    assert "Passes" in page
    document = crm.deps.trips.documents.of_booking(crm.maya, crm.booking_id)[0]
    file = browser.get(f"/documents/{document.id}")
    assert file.headers["Content-Disposition"].startswith('attachment; filename="passes.pdf"')
    assert file.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert file.headers["Cache-Control"] == "no-store"
    assert "Passes" in browser.get(f"/clients/{crm.grace_id}").get_data(as_text=True)


@pytest.mark.parametrize(
    ("content", "fields", "message"),
    [
        (b"MZ\x90", {}, "can&#39;t be shared"),
        (b"", {}, "Choose a file."),
        (pdf(), {"whom": "some"}, "Tick at least one passenger"),
        (pdf(), {"readers": "cli_stranger", "whom": "some"}, "passenger"),
    ],
)
def test_a_wrong_form_says_what_is_wrong_and_keeps_the_title(
    crm: CrmHouse, content: bytes, fields: dict[str, str], message: str
) -> None:
    answer = sent(crm.browser(crm.maya), crm, content, name="x.pdf" if content else "", **fields)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert message in page
    assert 'value="Passes"' in page


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (pdf()[:400], "passes.pdf", "can&#39;t be read to its end"),
        (docx()[:100], "voucher.docx", "can&#39;t be read to its end"),
        ("Grüße".encode("cp1252"), "notes.txt", "UTF-8"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "IMG_1.jpg", "HEIC"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "map.svg", "Share a PDF"),
        (b"x", "passes.pdf", "Share a PDF"),
        (b"Ann\t4111\t1111\t1111\t1111\n", "list.csv", "card number"),
    ],
)
def test_a_refused_file_is_said_beside_its_field_and_nothing_else_is_lost(
    crm: CrmHouse, content: bytes, name: str, words: str
) -> None:
    typed = {"title": "O’Brien & <b>", "whom": "some", "readers": crm.alan_id, "request_key": "mine"}
    answer = sent(crm.browser(crm.maya), crm, content, name, **typed)
    assert answer.status_code == 422
    beside = answer.text.partition('id="file-error"')[2].partition("</p>")[0]
    assert words in beside
    assert 'value="O’Brien &amp; &lt;b&gt;"' in answer.text
    assert (
        f'<input checked class="form-check-input" id="readers-1" name="readers" type="checkbox" value="{crm.alan_id}">'
        in answer.text
    )
    assert 'name="request_key" type="hidden" value="mine"' in answer.text


def test_passengers_who_are_ticked_while_everyone_is_chosen_are_asked_about(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    answer = sent(browser, crm, pdf(), whom="everyone", readers=crm.alan_id)
    assert answer.status_code == 422
    assert "You ticked passengers below." in answer.text.partition('id="whom-error"')[2].partition("</p>")[0]
    assert crm.events(DocumentShared) == []
    assert sent(browser, crm, pdf(), whom="some", readers=crm.alan_id).status_code == 303
    assert list(crm.events(DocumentShared)[0].client_ids) == [crm.alan_id]


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be"])
def test_a_text_of_windows_is_shared_as_it_is_and_handed_out_as_what_it_is(crm: CrmHouse, mark: str) -> None:
    browser, content = crm.browser(crm.maya), "\ufeffTreffpunkt: Gleis 7, 駅\r\n".encode(mark)
    assert sent(browser, crm, content, name="Treffpunkt.txt").status_code == 303
    (told,) = crm.events(DocumentShared)
    assert (told.content, told.file_name) == (content, "Treffpunkt.txt")
    answer = browser.get(f"/documents/{told.document_id}")
    assert (answer.data, answer.headers["Content-Type"]) == (content, "text/plain; charset=utf-16")


def test_a_card_number_as_title_or_file_name_is_refused_unread(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    assert sent(browser, crm, pdf(), title="4111 1111 1111 1111").status_code == 422
    page = sent(browser, crm, pdf(), name="4111111111111111.pdf", whom="some", readers=crm.alan_id)
    assert page.status_code == 422
    assert crm.events(DocumentShared) == []
    assert "looks like a card number" in page.text.partition('id="file-error"')[2].partition("</p>")[0]
    assert 'value="Passes"' in page.text
    (alan,) = [line for line in page.text.splitlines() if crm.alan_id in line and "<input" in line]
    assert " checked" in alan
    assert "4111111111111111" not in page.text


def test_the_itinerary_is_a_page_a_pdf_and_a_calendar_file(crm: CrmHouse) -> None:
    browser, path = crm.browser(crm.maya), f"/bookings/{crm.booking_id}/itinerary"
    page = browser.get(path).get_data(as_text=True)
    assert "Aurora Cruises" in page
    assert "4,000" not in page
    assert browser.get(f"{path}/trip.pdf").data.startswith(b"%PDF-")
    calendar = browser.get(f"{path}/trip.ics")
    assert calendar.headers["Content-Type"] == "text/calendar; charset=utf-8"
    events = {str(event["UID"]): event for event in Calendar.from_ical(calendar.data).walk("VEVENT")}
    assert set(events) == {
        f"{crm.segment_id}@wayvault",
        f"{crm.segment_id}-deposit@wayvault",
        f"{crm.segment_id}-final@wayvault",
    }
    assert all(event["SEQUENCE"] == crm.booking.version for event in events.values())
    for suffix in ("", "/trip.pdf", "/trip.ics"):
        assert crm.browser(crm.jonas).get(path + suffix).status_code == 404


def test_a_changed_booking_keeps_its_calendar_ids_and_counts_on(crm: CrmHouse) -> None:
    browser, path = crm.browser(crm.maya), f"/bookings/{crm.booking_id}/itinerary/trip.ics"
    before = {str(event["UID"]) for event in Calendar.from_ical(browser.get(path).data).walk("VEVENT")}
    booking = crm.booking
    data = BookingData(
        title=booking.title,
        status=BookingStatus.CANCELLED,
        currency=booking.currency,
        passenger_ids=tuple(each.client_id for each in booking.passengers),
    )
    crm.deps.trips.bookings.change(crm.maya, booking.id, data, version=booking.version)
    after = Calendar.from_ical(browser.get(path).data).walk("VEVENT")
    assert {str(event["UID"]) for event in after} == before
    assert all(event["STATUS"] == "CANCELLED" and event["SEQUENCE"] == booking.version + 1 for event in after)


def test_a_removed_segment_and_due_date_go_out_once_more_as_cancelled(crm: CrmHouse) -> None:
    browser, path = crm.browser(crm.maya), f"/bookings/{crm.booking_id}/itinerary/trip.ics"
    bookings, segment = crm.deps.trips.bookings, crm.booking.segments[0]
    hotel = SegmentData(supplier_name="Hotel Sol", kind=SegmentKind.HOTEL, begins_on=date(2027, 6, 1))
    added = bookings.add_segment(crm.maya, crm.booking_id, hotel, version=crm.booking.version)
    bookings.remove_segment(crm.maya, crm.booking_id, added.id, version=crm.booking.version)
    undated = replace(segment.data, deposit_due_on=None)
    bookings.change_segment(crm.maya, crm.booking_id, segment.id, undated, version=crm.booking.version)

    def events() -> dict[str, object]:
        found = Calendar.from_ical(browser.get(path).data).walk("VEVENT")
        return {str(each["UID"]): (str(each["STATUS"]), each["SEQUENCE"]) for each in found}

    gone = ("CANCELLED", crm.booking.version)
    assert events()[f"{added.id}@wayvault"] == gone
    assert events()[f"{segment.id}-deposit@wayvault"] == gone
    assert events()[f"{segment.id}@wayvault"] == ("CONFIRMED", crm.booking.version)
    bookings.change_segment(crm.maya, crm.booking_id, segment.id, segment.data, version=crm.booking.version)
    assert events()[f"{segment.id}-deposit@wayvault"] == ("CONFIRMED", crm.booking.version)
    assert events()[f"{added.id}@wayvault"] == ("CANCELLED", crm.booking.version)


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(("add", "remove", "move", "without days", "other dues", "cancel", "take up")),
        st.integers(0, 5),
        st.dates(date(2027, 1, 1), date(2027, 12, 31)),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_whatever_happens_to_a_trip_nothing_stays_in_a_calendar_that_is_no_more(
    crm: CrmHouse, steps: list[tuple[str, int, date]]
) -> None:
    browser, path = crm.browser(crm.maya), f"/bookings/{crm.booking_id}/itinerary/trip.ics"
    in_the_calendar: dict[str, int] = {}
    for step in steps:
        _take(crm, *step)
        file = {
            str(event["UID"]): (int(str(event["SEQUENCE"])), str(event["STATUS"]))
            for event in Calendar.from_ical(browser.get(path).data).walk("VEVENT")
        }
        assert in_the_calendar.keys() <= file.keys()
        assert all(file[uid][0] >= sequence for uid, sequence in in_the_calendar.items())
        here = {segment.id for segment in crm.booking.segments if not segment.is_cancelled and segment.data.begins_on}
        alive = {uid for uid, (_, status) in file.items() if status != "CANCELLED" and "-" not in uid}
        assert alive == {f"{segment}@wayvault" for segment in here}
        in_the_calendar = {uid: sequence for uid, (sequence, _) in file.items()}


def _take(crm: CrmHouse, step: str, which: int, day: date) -> None:
    """One thing that an agent does to a trip; nothing where it has no segment for it."""
    bookings, booking = crm.deps.trips.bookings, crm.booking
    if step == "add" or not booking.segments:
        deposit = Money(minor=10_000, currency=booking.currency)
        hotel = SegmentData(supplier_name="Hotel Sol", kind=SegmentKind.HOTEL, begins_on=day)
        made = replace(hotel, deposit=deposit, deposit_due_on=day)
        bookings.add_segment(crm.maya, booking.id, made, version=booking.version)
        return
    segment = booking.segments[which % len(booking.segments)]
    changed: dict[str, dict[str, Any]] = {  # Any: fields of several types
        "move": {"begins_on": day, "ends_on": None},
        "without days": {"begins_on": None, "ends_on": None},
        "other dues": {"deposit_due_on": day if which % 2 else None},
    }
    if step == "remove":
        bookings.remove_segment(crm.maya, booking.id, segment.id, version=booking.version)
    elif step in ("cancel", "take up"):
        why = (
            Cancellation(at=datetime(2026, 11, 21, tzinfo=UTC), reason="The ship is full.")
            if step == "cancel"
            else None
        )
        bookings.cancel_segment(crm.maya, booking.id, segment.id, why, version=booking.version)
    elif not segment.is_cancelled:
        data = replace(segment.data, **changed[step])
        with suppress(InvalidArgument):  # a deposit that is due after the final payment
            bookings.change_segment(crm.maya, booking.id, segment.id, data, version=booking.version)
