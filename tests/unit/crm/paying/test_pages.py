"""The payment rooms' pages and what they answer."""

import html
import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.errors import CodeWrong, Unavailable
from protos.wayvault.events.v1.events_pb2 import MailSealed, PaymentLinkIssued
from services.crm.core.ports.vault import AccessEntry
from services.crm.paying.payments.rules import PaymentState
from services.crm.paying.reveal.history import Names, history_lines
from tests.support.crm_paying import ORIGIN, Browser, CrmHouse, signed_pdf

ALERT = "Client online payment pending processing"


@pytest.fixture
def maya(crm: CrmHouse) -> Browser:
    return crm.browser(crm.maya)


def filled(page: str, **changes: str) -> dict[str, str]:
    """The link form as a browser would send it, with changes."""
    key = re.search(r'name="request_key"[^>]*value="([^"]+)"', page)
    assert key is not None
    return {"request_key": key[1], "type": "deposit", "purpose": "Deposit for two cabins", **changes}


def test_the_form_offers_passengers_with_an_address_and_says_why_others_can_not_be_ticked(
    crm: CrmHouse, maya: Browser
) -> None:
    page = maya.get(f"/links/new/{crm.booking_id}").text
    assert "Grace Hopper" in page
    assert "grace@client.example" in page
    assert re.search(r'type="checkbox"[^>]*disabled[^>]*>\s*<label[^>]*>Tim Turing', page)
    assert "No e-mail address, so no link can be sent." in page


def test_a_segments_amount_sent_as_a_service_fee_is_asked_about_once_more(crm: CrmHouse, maya: Browser) -> None:
    page = maya.get(f"/links/new/{crm.booking_id}").text
    held = re.search(r'data-fillings="([^"]*)"', page)
    assert held is not None
    deposit = json.loads(html.unescape(held[1]))[f"deposit/{crm.segment_id}"]
    assert deposit["purpose"].startswith("Deposit for ")
    form = filled(
        page, type="service_fee", segment_id="none", pick_0="y", amount_0="8800.00", purpose=deposit["purpose"]
    )
    answer = maya.post(f"/links/new/{crm.booking_id}", form)
    assert answer.status_code == 422
    assert f"It is sent as a service fee, but says “{deposit['purpose']}”." in html.unescape(answer.text)
    assert crm.events(PaymentLinkIssued) == []
    assert maya.post(f"/links/new/{crm.booking_id}", form | {"overpay_ok": "y"}).status_code == 303


def test_a_deposit_beyond_what_is_left_of_it_is_asked_about(crm: CrmHouse, maya: Browser) -> None:
    page = maya.get(f"/links/new/{crm.booking_id}").text
    form = filled(page, segment_id=crm.segment_id, pick_0="y", amount_0="1240.01", purpose="For the cabins")
    answer = maya.post(f"/links/new/{crm.booking_id}", form)
    assert answer.status_code == 422
    assert "What is left of the deposit is" in answer.text


def test_sending_to_two_passengers_makes_two_links_and_shows_them_on_the_booking(crm: CrmHouse, maya: Browser) -> None:
    page = maya.get(f"/links/new/{crm.booking_id}").text
    form = filled(
        page,
        segment_id=crm.segment_id,
        pick_0="y",
        amount_0="620.00",
        pick_1="y",
        amount_1="620.00",
        due_on="2026-12-01",
    )
    answer = maya.post(f"/links/new/{crm.booking_id}", form)
    assert answer.status_code == 303
    assert len(crm.events(PaymentLinkIssued)) == 2
    booking = maya.get(f"/bookings/{crm.booking_id}").text
    assert "on its way to 2 passengers" in booking
    assert booking.count("Sending") >= 2
    again = maya.post(f"/links/new/{crm.booking_id}", form)
    assert again.status_code == 303
    assert len(crm.events(PaymentLinkIssued)) == 2


def test_what_was_typed_stays_when_something_is_missing(crm: CrmHouse, maya: Browser) -> None:
    page = maya.get(f"/links/new/{crm.booking_id}").text
    form = filled(page, segment_id=crm.segment_id, pick_0="y", amount_0="twelve", purpose="Deposit & more")
    answer = maya.post(f"/links/new/{crm.booking_id}", form)
    assert answer.status_code == 422
    assert "Write an amount such as 1240.00." in answer.text
    assert 'value="twelve"' in answer.text
    assert 'value="Deposit &amp; more"' in answer.text


@pytest.mark.parametrize(("typed", "kept"), [("620.00", "620.00"), ("12,5 0", "12,5 0"), (" 7 ", " 7 ")])
def test_an_amount_of_who_is_not_ticked_is_asked_about_and_stays(
    crm: CrmHouse, maya: Browser, typed: str, kept: str
) -> None:
    path = f"/links/new/{crm.booking_id}"
    form = filled(maya.get(path).text, segment_id=crm.segment_id, pick_0="y", amount_0="620.00", amount_1=typed)
    answer = maya.post(path, form)
    assert answer.status_code == 422
    beside = html.unescape(answer.text.partition('id="amount_1-error"')[2].partition("</p>")[0])
    assert "Tick them as well, or take the amount out." in beside or "Check where commas and points stand" in beside
    assert f'value="{kept}"' in answer.text
    assert crm.events(PaymentLinkIssued) == []
    assert maya.post(path, form | {"amount_1": " "}).status_code == 303


def test_an_amount_that_the_form_filled_in_or_styles_hid_is_not_asked_about(crm: CrmHouse, maya: Browser) -> None:
    path = f"/links/new/{crm.booking_id}"
    page = maya.get(path).text
    assert '<input name="parts_shown" type="hidden" value="all">' in page
    # The lead's amount is the one that is due, and the other passenger pays it.
    form = filled(page, segment_id=crm.segment_id, amount_0="1,240.00", pick_1="y", amount_1="1240")
    assert maya.post(path, form).status_code == 303
    hidden = filled(maya.get(path).text, segment_id=crm.segment_id, pick_0="y", amount_0="5", amount_1="7")
    assert maya.post(path, hidden | {"parts_shown": "ticked"}).status_code == 303
    assert [event.context.amount.minor for event in crm.events(PaymentLinkIssued)] == [1_240_00, 5_00]


def test_nobody_ticked_is_said_in_words(crm: CrmHouse, maya: Browser) -> None:
    page = maya.get(f"/links/new/{crm.booking_id}").text
    answer = maya.post(f"/links/new/{crm.booking_id}", filled(page, segment_id=crm.segment_id))
    assert answer.status_code == 422
    assert "Tick at least one passenger" in answer.text


def test_overpayment_is_warned_about_and_can_be_sent_all_the_same(crm: CrmHouse, maya: Browser) -> None:
    page = maya.get(f"/links/new/{crm.booking_id}").text
    form = filled(page, segment_id=crm.segment_id, pick_0="y", amount_0="4500")
    warned = maya.post(f"/links/new/{crm.booking_id}", form)
    assert warned.status_code == 422
    assert "500.00 more than this part of the trip costs" in warned.text
    assert crm.events(PaymentLinkIssued) == []
    assert maya.post(f"/links/new/{crm.booking_id}", form | {"overpay_ok": "y"}).status_code == 303


def test_a_card_number_in_the_form_is_refused_and_kept_nowhere(crm: CrmHouse, maya: Browser) -> None:
    page = maya.get(f"/links/new/{crm.booking_id}").text
    form = filled(page, segment_id=crm.segment_id, pick_0="y", amount_0="5", purpose="4111 1111 1111 1111")
    answer = maya.post(f"/links/new/{crm.booking_id}", form)
    assert answer.status_code == 422
    assert "4111" not in answer.text
    assert crm.events(PaymentLinkIssued) == []


def test_the_alert_and_the_report_show_what_waits_and_only_to_its_agent(crm: CrmHouse, maya: Browser) -> None:
    assert ALERT not in maya.get("/").text
    payment_id = crm.authorized()
    assert ALERT in maya.get("/").text
    report = maya.get("/payments").text
    assert f"/payments/{payment_id}" in report
    assert ">ACTION</a>" in report
    assert "Aurora Cruises" in report
    assert "1111" in report
    for other in (crm.jonas, crm.ada):
        assert ALERT not in crm.browser(other).get("/payments").text


def test_the_count_and_its_stream_follow_and_keep_no_session_awake(crm: CrmHouse, maya: Browser) -> None:
    before = maya.get("/alerts/count").get_json()
    assert before["count"] == 0
    crm.authorized()
    after = maya.get("/alerts/count").get_json()
    assert after["count"] == 1
    assert after["news"] != before["news"]
    assert f'data-news="{after["news"]}"' in maya.get("/").text, "what the page shows already is no news to it"
    assert ALERT in maya.get("/alerts/pending").text
    with maya.get("/alerts/stream", buffered=False) as stream:
        chunks = stream.iter_encoded()
        assert next(chunks) == b"retry: 1000\n\n"
        assert next(chunks) == b"event: count\ndata: 1\n\n"
        assert next(chunks) == f"event: news\ndata: {after['news']}\n\n".encode()
    script = {"Accept": "application/json", "Sec-Fetch-Dest": "empty"}
    statuses = []
    for _ in range(4):
        crm.clock.advance(timedelta(minutes=4))
        statuses.append(maya.get("/alerts/count", headers=script).status_code)
    assert statuses == [200, 200, 200, 401]


def test_the_area_of_an_authorized_payment_waits_for_the_supplier(crm: CrmHouse, maya: Browser) -> None:
    page = maya.get(f"/payments/{crm.authorized()}").text
    assert "The supplier is on the line or the supplier page is open" in page
    assert re.search(r'<button type="submit"[^>]*disabled[^>]*>RETRIEVE and PROCESS</button>', page)
    assert re.search(r'id="process-button"[^>]*disabled', page)
    assert "Kept until" in page
    assert "1 Harbour Street" in page


def test_beside_the_card_stands_what_the_supplier_asks_for(crm: CrmHouse, maya: Browser) -> None:
    payment_id = crm.authorized()
    booking = crm.deps.trips.bookings.get(crm.maya, crm.booking_id)
    (segment, *_) = booking.segments
    crm.deps.trips.bookings.change_segment(
        crm.maya,
        booking.id,
        segment.id,
        replace(segment.data, confirmation_number="AUR-77120"),
        version=booking.version,
    )
    page = maya.get(f"/payments/{payment_id}").text
    supplier = page[page.index('id="supplier"') :]
    supplier = supplier[: supplier.index("</section>")]
    for told in ("AUR-77120", "Grace Hopper", "Alan Turing", "Sat 5 Jun"):
        assert told in supplier


def test_a_code_is_sent_once_the_supplier_is_ready_and_the_answer_relayed(crm: CrmHouse, maya: Browser) -> None:
    payment_id = crm.authorized()
    refused = maya.send(f"/payments/{payment_id}/code", {"request_key": "k1", "supplier_ready": False})
    assert refused.status_code == 422
    sent = maya.send(f"/payments/{payment_id}/code", {"request_key": "k1", "supplier_ready": True})
    assert sent.json is not None
    assert sent.json["address_hint"] == "m***@harbour.example"
    answer = maya.send(f"/payments/{payment_id}/reveal", {"jwe": f"{sent.json['challenge_id']}:x"})
    assert answer.json == {"jwe": f"sealed-card:{crm.row(payment_id).card_token}"}
    page = maya.get(f"/payments/{payment_id}").text
    assert "The card was shown once" in page
    assert "ask the client again" in page
    assert "RETRIEVE and PROCESS" not in page


def test_a_wrong_code_is_relayed_with_the_tries_left(crm: CrmHouse, maya: Browser) -> None:
    payment_id = crm.authorized()
    crm.vault.refuse = CodeWrong(attempts_left=4)
    answer = maya.send(f"/payments/{payment_id}/reveal", {"jwe": "x"})
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["error"]["code"] == "CODE_WRONG"
    assert answer.json["error"]["attempts_left"] == 4


def test_the_page_works_while_the_vault_is_down_and_says_so(crm: CrmHouse, maya: Browser) -> None:
    payment_id = crm.authorized()
    crm.vault.down = Unavailable()
    page = maya.get(f"/payments/{payment_id}")
    assert page.status_code == 200
    assert "The card vault does not answer" in page.text
    answer = maya.send(f"/payments/{payment_id}/code", {"request_key": "k1", "supplier_ready": True})
    assert answer.status_code == 503
    assert answer.json is not None
    assert "Nothing was used up" in answer.json["error"]["message"]
    assert crm.events(MailSealed) == []


@pytest.mark.parametrize("body", [None, [], {"jwe": 5}, {"jwe": ""}, {"jwe": "x" * 20_000}, {"jwe": "ü"}])
def test_nonsense_is_refused_in_words(crm: CrmHouse, maya: Browser, body: object) -> None:
    payment_id = crm.authorized()
    for path in (f"/payments/{payment_id}/reveal", f"/payments/{payment_id}/cvv-link", "/cvv"):
        assert maya.send(path, body).status_code == 422


def test_closing_asks_for_what_it_needs_and_keeps_what_was_typed(crm: CrmHouse, maya: Browser) -> None:
    payment_id = crm.retrieved()
    answer = maya.post(f"/payments/{payment_id}/process", {"process-note": "Ines confirmed"})
    assert answer.status_code == 422
    assert "Ines confirmed" in answer.text
    assert "Enter the supplier&#39;s confirmation number" in answer.text
    done = maya.post(f"/payments/{payment_id}/process", {"process-confirmation": "AUR-77812"})
    assert done.status_code == 303
    crm.deps.paying.removals.carry_out()
    page = maya.get(f"/payments/{payment_id}").text
    assert "AUR-77812" in page
    assert "Destroyed" in page
    assert ALERT not in page


@pytest.mark.parametrize(
    ("path", "data", "fields"),
    [
        ("process", {"process-note": "Ines confirmed"}, ["process-confirmation"]),
        ("void", {"void-reason": " "}, ["void-reason"]),
        ("remove", {"remove-confirmation": "yes"}, ["remove-confirmation"]),
        ("second-reveal", {}, ["second-reason"]),
        ("cvv-again", {}, ["cvv-again-request_key"]),
    ],
)
def test_a_slip_is_answered_in_place_so_that_the_page_with_the_card_stays(
    crm: CrmHouse, maya: Browser, path: str, data: dict[str, str], fields: list[str]
) -> None:
    payment_id = crm.retrieved()
    answer = maya.post_in_place(f"/payments/{payment_id}/{path}", data)
    assert answer.status_code == 422
    assert list((answer.json or {})["fields"]) == fields
    assert crm.row(payment_id).state == PaymentState.RETRIEVED


def test_what_was_done_in_place_says_where_to_go(crm: CrmHouse, maya: Browser) -> None:
    payment_id = crm.retrieved()
    done = maya.post_in_place(f"/payments/{payment_id}/process", {"process-confirmation": "AUR-77812"})
    assert done.json == {"to": f"/payments/{payment_id}"}
    assert "Processed with the supplier." in maya.get(f"/payments/{payment_id}").text


def test_void_leads_to_the_payment_that_takes_its_place(crm: CrmHouse, maya: Browser) -> None:
    payment_id = crm.retrieved()
    answer = maya.post(f"/payments/{payment_id}/void", {"void-reason": "Price changed", "void-fresh_link": "y"})
    assert answer.status_code == 303
    fresh = maya.get(answer.headers["Location"]).text
    assert "in place of" in fresh
    assert "Waiting for Grace Hopper" in fresh
    assert "Go to the payment that took its place" in maya.get(f"/payments/{payment_id}").text


def test_removing_by_hand_asks_for_the_word(crm: CrmHouse, maya: Browser) -> None:
    payment_id = crm.authorized()
    refused = maya.post(f"/payments/{payment_id}/remove", {"remove-confirmation": "remove"})
    assert refused.status_code == 422
    assert "type REMOVE" in refused.text
    done = maya.post(f"/payments/{payment_id}/remove", {"remove-confirmation": "REMOVE"})
    assert done.status_code == 303
    assert "removed from the vault before it was shown" in maya.get(f"/payments/{payment_id}").text


def test_a_reveal_that_was_lost_on_the_way_does_not_stand_in_the_way_of_closing(crm: CrmHouse, maya: Browser) -> None:
    payment_id = crm.authorized()
    sent = crm.vault.request_reveal(
        idempotency_key="lost",
        card_token=crm.row(payment_id).card_token or "",
        agent_id=crm.maya.agent_id,
        purpose="",
        origin=ORIGIN,
    )
    crm.vault.confirm_reveal(agent_id=crm.maya.agent_id, sealed_request=f"{sent.challenge_id}:x", origin=ORIGIN)
    maya.post(f"/payments/{payment_id}/process", {"process-confirmation": "AUR-1"})
    assert crm.row(payment_id).state == PaymentState.PROCESSED


def test_the_history_tells_who_when_where_and_why(crm: CrmHouse, maya: Browser) -> None:
    payment_id = crm.retrieved()
    page = maya.get(f"/payments/{payment_id}").text
    assert "Card shown once" in page
    assert "UTC) · Maya Okafor · 203.0.113.7, Chrome on Windows" in page
    # The vault keeps the amount with a simple space; on the page no line parts it.
    assert ": Supplier ready: Aurora Cruises, US$\u00a01,240.00<" in page


def test_the_history_names_the_client_for_the_card_and_tells_the_two_codes_apart(crm: CrmHouse) -> None:
    def entry(action: str, reason: str, *, ok: bool = True) -> AccessEntry:
        return AccessEntry(at=crm.clock.now(), action=action, ok=ok, actor="agent_1", reason=reason, origin=ORIGIN)

    entries = [
        entry("card.stored", ""),
        entry("challenge.sent", "Supplier ready: Aurora Cruises"),
        entry("code.refused", "CODE_WRONG", ok=False),
        entry("challenge.sent", "CVV_CODE"),
        entry("challenge.refused", "TOO_MANY_CHALLENGES", ok=False),
        entry("card.removed", "voided"),
        entry("card.polished", "new words of a newer vault"),
    ]
    lines = history_lines(entries, Names(names={"agent_1": "Maya Okafor"}, client="Grace Hopper"))
    assert [(line.what, line.why, line.who) for line in reversed(lines)] == [
        ("Card stored in the vault", "", "Grace Hopper, in the portal"),
        ("One-time code e-mailed", "Supplier ready: Aurora Cruises", "Maya Okafor"),
        ("Code refused", "wrong code", "Maya Okafor"),
        ("One-time code for the CVV e-mailed", "", "Maya Okafor"),
        ("No code sent", "three codes within an hour", "Maya Okafor"),
        ("Card destroyed", "payment void", "Maya Okafor"),
        ("Card polished", "new words of a newer vault", "Maya Okafor"),
    ]


def test_every_state_of_a_payment_has_its_page(crm: CrmHouse, maya: Browser) -> None:
    requested = crm.requested("form-a-0123456789")
    crm.hear(crm.signed(requested))
    expired = crm.requested("form-b-0123456789")
    crm.clock.advance(timedelta(minutes=1))
    for payment_id in (requested, expired, crm.authorized("form-c-0123456789"), crm.retrieved("form-d-0123456789")):
        assert maya.get(f"/payments/{payment_id}").status_code == 200
    assert "Resend link" in maya.get(f"/payments/{requested}").text
    crm.clock.advance(timedelta(minutes=1))
    link = crm.deps.paying.links.of_payment(expired)
    assert link is not None
    crm.deps.paying.links.withdraw(crm.maya, link.id)
    assert "Ask the client again" in maya.get(f"/payments/{expired}").text
    assert maya.get(f"/bookings/{crm.booking_id}").status_code == 200
    assert maya.get(f"/clients/{crm.grace_id}").status_code == 200


def test_resend_and_revoke_answer_on_the_page_they_were_pressed_on(crm: CrmHouse, maya: Browser) -> None:
    payment_id = crm.requested()
    link = crm.deps.paying.links.of_payment(payment_id)
    assert link is not None
    answer = maya.post(f"/links/{link.id}/resend", {"issue": "1", "from_payment": payment_id})
    assert answer.headers["Location"] == f"/payments/{payment_id}"
    answer = maya.post(f"/links/{link.id}/revoke", {"from_payment": "https://elsewhere.example"})
    assert answer.headers["Location"] == f"/bookings/{crm.booking_id}#payments"


def test_a_foreign_payment_answers_404_everywhere_and_changes_nothing(crm: CrmHouse) -> None:
    payment_id = crm.retrieved()
    link = crm.deps.paying.links.of_payment(payment_id)
    assert link is not None
    jonas = crm.browser(crm.jonas)
    pages = [f"/payments/{payment_id}", f"/payments/{payment_id}/state", f"/links/new/{crm.booking_id}"]
    forms = ["process", "void", "ask-again", "remove"]
    scripts = ["code", "reveal", "cvv-code", "cvv-link"]
    body = {"jwe": "x", "request_key": "k", "supplier_ready": True, "challenge_id": "c"}
    data = {"process-confirmation": "x", "void-reason": "x", "remove-confirmation": "REMOVE"}
    answers = [
        *(jonas.get(path).status_code for path in pages),
        *(jonas.post(f"/payments/{payment_id}/{name}", data).status_code for name in forms),
        *(jonas.send(f"/payments/{payment_id}/{name}", body).status_code for name in scripts),
        jonas.post(f"/links/{link.id}/resend", {"issue": "1"}).status_code,
        jonas.post(f"/links/{link.id}/revoke").status_code,
    ]
    assert set(answers) == {404}
    assert crm.row(payment_id).state == PaymentState.RETRIEVED


def test_an_admin_sees_the_payment_but_has_no_button_that_touches_the_card(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    page = crm.browser(crm.ada).get(f"/payments/{payment_id}").text
    assert "Only the agent who owns this payment" in page
    assert "RETRIEVE and PROCESS" not in page


def test_without_a_sign_in_nothing_is_shown(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    stranger = crm.browser(crm.maya).app.test_client()
    for path in (f"/payments/{payment_id}", "/payments", "/cvv", f"/links/new/{crm.booking_id}"):
        answer = stranger.get(path)
        assert answer.status_code == 303
        assert "/sign-in" in answer.headers["Location"]


def test_the_cvv_page_uses_nothing_up_by_being_opened(crm: CrmHouse, maya: Browser) -> None:
    payment_id = crm.retrieved()
    for _ in range(3):
        page = maya.get("/cvv")
        assert page.status_code == 200
    token = crm.row(payment_id).card_token
    assert crm.row(payment_id).cvv_shown_at is None
    answer = maya.send("/cvv", {"jwe": f"{token}:x"})
    assert answer.json is not None
    assert answer.json["payment"]["url"] == f"/payments/{payment_id}"
    assert "CVV was shown once" in maya.get(f"/payments/{payment_id}").text


def test_the_signed_authorization_is_served_as_an_attachment_without_scripts(crm: CrmHouse, maya: Browser) -> None:
    payment_id = crm.authorized()
    crm.hear(crm.signed(payment_id))
    (document,) = crm.deps.paying.book.documents([payment_id])
    answer = maya.get(f"/payments/{payment_id}/authorization/{document.id}.pdf")
    assert answer.data == signed_pdf()
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
