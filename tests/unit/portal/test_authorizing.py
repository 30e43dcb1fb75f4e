"""Taking an authorization: once, with signature, whatever fails where."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from markupsafe import escape

from chassis import errors
from chassis.errors import WayvaultError
from protos.wayvault.events.v1.events_pb2 import DocumentSigned, PaymentAuthorized, PaymentLinkRevoked
from tests.support.portal import LINK, PAYMENT, TERMS, PortalWorld, context, signature_png

PAGE = f"/pay/{LINK}/authorize"
JSON = {"Accept": "application/json"}


@pytest.fixture
def browser(world: PortalWorld) -> FlaskClient:
    world.issue()
    opened = world.opened()
    assert opened.get(PAGE).status_code == 200
    return opened


def test_the_page_says_who_asks_what_for_who_sees_the_card_and_the_exact_terms(
    world: PortalWorld, browser: FlaskClient
) -> None:
    page = browser.get(PAGE).text
    for words in (
        "Harbour &amp; Vine Travel",
        "Maya Okafor",
        "Aurora Cruises",
        "Norwegian Fjords for two",
        "Sat 5 Jun – Sat 12 Jun 2027",
        "US$\u00a01,240.00",
        "Deposit for your balcony cabin",
        "Who sees my card?",
        "Authorize US$\u00a01,240.00",
        "JavaScript",
    ):
        assert words in page, words
    assert str(escape(TERMS)) in page


def test_without_javascript_both_pages_say_why_it_is_needed_and_whom_to_call(
    world: PortalWorld, browser: FlaskClient
) -> None:
    for page in (browser.get(PAGE).text, browser.get(f"/pay/{LINK}").text):
        said = page.split("<noscript>")[1].split("</noscript>")[0]
        assert "JavaScript" in said
        assert "call Maya Okafor at +1 (212) 555 0142" in said


def test_the_slot_in_the_vault_is_bound_to_payment_owner_and_policy(world: PortalWorld, browser: FlaskClient) -> None:
    assert world.intake.opened[0] == {
        "intake_id": "int_1",
        "payment_id": PAYMENT,
        "agency_id": "agy_1",
        "owner_agent_id": "agt_1",
        "card_retention_days": 30,
        "cvv_retention_hours": 72,
    }


def test_an_authorization_is_told_with_card_facts_address_and_signed_pdf(
    world: PortalWorld, browser: FlaskClient
) -> None:
    assert browser.post(PAGE, data=world.form()).location == f"/pay/{LINK}/status"
    _, authorized, signed = world.published()
    assert isinstance(authorized, PaymentAuthorized)
    assert isinstance(signed, DocumentSigned)
    assert (authorized.card_token, authorized.brand, authorized.last4) == ("card_1", "visa", "1111")
    assert authorized.billing_address.postal_code == "62701"
    assert authorized.document_id == signed.document_id
    assert authorized.HasField("cvv_kept_until")
    assert signed.signer_name == "Grace Hopper"
    assert signed.signature_kind == "typed"
    assert signed.pdf.startswith(b"%PDF-")
    (letter,) = world.letters.written
    assert signed.sealed_mail == f"sealed:{letter.letter_id}"
    assert (letter.template, letter.to) == ("signed_copy", "grace@client.example")


def test_the_mailed_copy_links_to_the_payments_state(world: PortalWorld, browser: FlaskClient) -> None:
    browser.post(PAGE, data=world.form())
    address, _, token = world.letters.written[0].data["url"].partition("#")
    assert address == f"http://portal.localhost:8102/pay/{LINK}"
    answer = world.client().post(f"/pay/{LINK}/open", data={"token": token})
    assert answer.location == f"/pay/{LINK}/status"


def test_the_copy_of_a_service_fee_names_the_agency_that_is_paid(world: PortalWorld) -> None:
    fee = context("pay_fee")
    fee.ClearField("segment")
    world.issue("lnk_fee", token="fee", about=fee)
    browser = world.opened("lnk_fee", token="fee")
    browser.get("/pay/lnk_fee/authorize")
    browser.post("/pay/lnk_fee/authorize", data=world.form("lnk_fee"))
    (letter,) = world.letters.written
    assert letter.data["supplier"] == "Harbour & Vine Travel"


def test_a_drawn_signature_is_signed_in_the_payers_name(world: PortalWorld, browser: FlaskClient) -> None:
    answer = browser.post(
        PAGE, data=world.form(signature_kind="drawn", signature_text="", signature_image=signature_png())
    )
    assert answer.status_code == 303
    signed = world.published()[-1]
    assert isinstance(signed, DocumentSigned)
    assert (signed.signature_kind, signed.signer_name) == ("drawn", "Grace Hopper")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"signature_text": ""}, "signature"),
        ({"signature_text": " \u202e "}, "signature"),
        ({"signature_kind": "drawn"}, "signature"),
        ({"signature_kind": "drawn", "signature_image": "data:image/png;base64,AAAA"}, "signature"),
        ({"signature_kind": "stamp", "signature_text": ""}, "signature"),
        ({"consent": ""}, "consent"),
        ({"line1": ""}, "line1"),
        ({"city": ""}, "city"),
        ({"postal_code": ""}, "postal_code"),
        ({"country": ""}, "country"),
        ({"country": "Atlantis"}, "country"),
        ({"sealed_card": ""}, "sealed_card"),
        ({"sealed_card": "x" * 9000}, "sealed_card"),
    ],
)
def test_without_signature_consent_card_and_address_nothing_is_stored(
    world: PortalWorld, browser: FlaskClient, changes: dict[str, str], field: str
) -> None:
    form = {key: value for key, value in world.form(**changes).items() if value}
    answer = browser.post(PAGE, data=form, headers=JSON)
    assert answer.status_code == 422
    assert answer.json is not None
    assert list(answer.json["error"]["fields"]) == [field]
    page = browser.post(PAGE, data=form)
    assert page.status_code == 422
    assert world.intake.stores == 0
    if field not in ("line1", "signature"):
        assert "12 Long Lane" in page.text
    assert "enter it once more" in page.text


def test_a_country_without_postal_codes_needs_none(world: PortalWorld, browser: FlaskClient) -> None:
    assert browser.post(PAGE, data=world.form(country="HK", postal_code="", region="")).status_code == 303


def test_a_card_number_in_the_address_is_refused_and_nothing_is_kept(world: PortalWorld, browser: FlaskClient) -> None:
    answer = browser.post(PAGE, data=world.form(line2="card 4111 1111 1111 1111"), headers=JSON)
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["error"]["code"] == "CARD_NUMBER_REFUSED"
    assert "4111" not in answer.text
    assert world.intake.stores == 0


def test_a_card_that_the_vault_refuses_names_the_field_and_the_same_form_works_afterwards(
    world: PortalWorld, browser: FlaskClient
) -> None:
    world.intake.refuse = errors.CardInvalid("This card has expired.", field="exp")
    answer = browser.post(PAGE, data=world.form(), headers=JSON)
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["error"] == {"code": "CARD_INVALID", "message": "This card has expired.", "card_field": "exp"}
    assert browser.post(PAGE, data=world.form(), headers=JSON).json == {"next": f"/pay/{LINK}/status"}


@pytest.mark.parametrize("refusal", [errors.Unavailable(), errors.DeadlineTooShort(), errors.Busy()])
def test_with_the_vault_out_of_reach_nothing_is_lost_and_the_same_form_works_afterwards(
    world: PortalWorld, browser: FlaskClient, refusal: WayvaultError
) -> None:
    world.intake.refuse = refusal
    answer = browser.post(PAGE, data=world.form(), headers=JSON)
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["error"]["code"] == "UNAVAILABLE"
    assert browser.post(PAGE, data=world.form()).status_code == 303
    assert world.published_types().count("PaymentAuthorized") == 1


@pytest.mark.parametrize(
    ("refusal", "fresh_frame"),
    [(errors.IntakeExpired(), False), (errors.IntakeUsed(), False), (errors.SealBroken(), True)],
)
def test_a_slot_or_seal_that_is_no_good_any_more_is_replaced(
    world: PortalWorld, browser: FlaskClient, refusal: WayvaultError, fresh_frame: bool
) -> None:
    world.intake.refuse = refusal
    answer = browser.post(PAGE, data=world.form(), headers=JSON)
    assert answer.status_code == 409
    assert answer.json is not None
    error = answer.json["error"]
    assert error["code"] == "START_OVER"
    assert error["fresh_frame"] is fresh_frame
    assert browser.post(PAGE, data=world.form(intake_id=error["intake_id"]), headers=JSON).status_code == 200


def test_the_page_opens_without_the_vault_and_takes_a_slot_later(world: PortalWorld) -> None:
    world.issue()
    world.intake.down = True
    browser = world.opened()
    page = browser.get(PAGE)
    assert (page.status_code == 200 and "can&#39;t be reached" in page.text) or "can't be reached" in page.text
    assert browser.post(f"/pay/{LINK}/intake", headers=JSON).status_code == 503
    world.intake.down = False
    answer = browser.post(f"/pay/{LINK}/intake", headers=JSON)
    assert answer.json == {"intake_id": "int_1"}
    assert browser.post(PAGE, data=world.form()).status_code == 303


def test_another_links_slot_is_not_taken(world: PortalWorld, browser: FlaskClient) -> None:
    world.issue("lnk_b", token="b", about=context("pay_b"))
    browser.post("/pay/lnk_b/open", data={"token": "b"})
    browser.get("/pay/lnk_b/authorize")
    answer = browser.post(PAGE, data=world.form(intake_id="int_2"), headers=JSON)
    assert answer.json is not None
    assert answer.json["error"]["code"] == "START_OVER"
    assert world.intake.stores == 0


def test_what_was_changed_while_the_page_was_open_must_be_read_again(world: PortalWorld, browser: FlaskClient) -> None:
    form = world.form()
    world.issue(issue=2, token="second", terms="Other terms.")
    answer = browser.post(PAGE, data=form, headers=JSON)
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["error"]["code"] == "OFFER_CHANGED"
    assert world.intake.stores == 0


def test_a_link_that_ends_while_the_form_is_filled_in_stores_nothing(world: PortalWorld, browser: FlaskClient) -> None:
    form = world.form()
    world.tell(PaymentLinkRevoked(link_id=LINK, payment_id=PAYMENT))
    assert browser.post(PAGE, data=form, headers=JSON).json == {"next": f"/pay/{LINK}"}
    assert world.intake.stores == 0


def test_a_form_of_a_session_that_ended_hears_so_in_json(world: PortalWorld, browser: FlaskClient) -> None:
    form = world.form()
    world.clock.advance(timedelta(minutes=61))
    answer = browser.post(PAGE, data=form, headers=JSON)
    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["error"]["code"] == "SESSION_ENDED"


def test_sending_the_form_twice_gives_one_authorization(world: PortalWorld, browser: FlaskClient) -> None:
    form = world.form()
    for _ in range(3):
        assert browser.post(PAGE, data=form, headers=JSON).json == {"next": f"/pay/{LINK}/status"}
    assert world.intake.stores == 1
    assert world.published_types() == ["PaymentLinkOpened", "PaymentAuthorized", "DocumentSigned"]


def test_a_second_submission_is_answered_at_once_and_the_page_asks_what_became_of_the_first(
    world: PortalWorld, browser: FlaskClient
) -> None:
    form, outcome = world.form(), f"/pay/{LINK}/outcome"
    met: list[object] = []

    def while_the_vault_works() -> None:
        world.intake.at_store = None
        second = browser.post(PAGE, data=form, headers=JSON)
        met.extend([second.status_code, second.json, browser.get(outcome, headers=JSON).status_code])

    world.intake.at_store = while_the_vault_works
    assert browser.post(PAGE, data=form, headers=JSON).json == {"next": f"/pay/{LINK}/status"}
    assert met == [202, {"under_way": True, "ask": outcome}, 202]
    assert browser.get(outcome, headers=JSON).json == {"next": f"/pay/{LINK}/status"}
    assert world.intake.stores == 1


def test_the_page_that_asks_is_told_when_the_first_submission_failed(world: PortalWorld, browser: FlaskClient) -> None:
    world.intake.down = True
    assert browser.post(PAGE, data=world.form(), headers=JSON).status_code == 503
    answer = browser.get(f"/pay/{LINK}/outcome", headers=JSON)
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["error"]["code"] == "NOT_SENT"


def test_what_the_pdf_cannot_show_is_told_before_anybody_signs(world: PortalWorld, browser: FlaskClient) -> None:
    assert "can't be printed" not in browser.get(PAGE).get_data(as_text=True)
    world.issue("lnk_odd", token="odd", about=context("pay_odd", purpose="𠀁𠀂"))
    odd = world.opened("lnk_odd", "odd")
    assert "“𠀁” (cjk unified ideograph-20001)" in odd.get("/pay/lnk_odd/authorize").get_data(as_text=True)
    for changes, field in (
        ({"signature_text": "𠀁𠀂"}, "signature"),
        ({"line1": "12 𠀁𠀂 Lane"}, "line1"),
        ({"city": "𠀁𠀂"}, "city"),
    ):
        answer = browser.post(PAGE, data=world.form(**changes), headers=JSON)
        assert answer.status_code == 422
        assert answer.json is not None
        assert "cjk unified ideograph-20001" in answer.json["error"]["fields"][field]


def test_a_name_of_any_script_that_has_a_face_authorizes(world: PortalWorld, browser: FlaskClient) -> None:
    answer = browser.post(PAGE, data=world.form(signature_text="ნინო ბერიძე"), headers=JSON)
    assert answer.json == {"next": f"/pay/{LINK}/status"}


def at_once(*calls: Callable[[], object]) -> list[object]:
    """The calls' results, begun together."""
    results: list[object] = [None] * len(calls)
    ready = threading.Barrier(len(calls))

    def run(index: int) -> None:
        ready.wait()
        results[index] = calls[index]()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_eight_submissions_at_once_from_two_windows_give_one_authorization_with_the_live_card(
    world: PortalWorld, browser: FlaskClient
) -> None:
    other = world.opened()
    other.get(PAGE)
    forms = [world.form(intake_id=f"int_{1 + number % 2}", sealed_card=f"eyJ.{number % 2}") for number in range(8)]
    cookies = [browser.get_cookie("wv_portal_session"), other.get_cookie("wv_portal_session")]

    def submit(number: int) -> Callable[[], object]:
        window = world.client()
        cookie = cookies[number % 2]
        assert cookie is not None
        window.set_cookie("wv_portal_session", cookie.value)
        return lambda: window.post(PAGE, data=forms[number], headers=JSON).json

    answers = at_once(*(submit(number) for number in range(8)))
    done, asking = {"next": f"/pay/{LINK}/status"}, {"under_way": True, "ask": f"/pay/{LINK}/outcome"}
    assert done in answers
    assert all(answer in (done, asking) for answer in answers)
    assert browser.get(f"/pay/{LINK}/outcome", headers=JSON).json == done
    told = [message for message in world.published() if isinstance(message, PaymentAuthorized)]
    assert len(told) == 1
    assert told[0].card_token == world.intake.live[PAYMENT]


def test_a_crash_after_the_vault_stored_the_card_leaves_the_link_open_for_another_try(
    world: PortalWorld, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = world.form()

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt  # as a killed process: nothing of the rest runs but `finally`

    with monkeypatch.context() as broken:
        broken.setattr(type(world.deps.documents), "keep", crash)
        broken.setattr(type(world.deps.links), "_release", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            browser.post(PAGE, data=form)
    assert world.published_types() == ["PaymentLinkOpened"]
    # The dead request's claim holds the link for half a minute.
    world.clock.advance(timedelta(seconds=9))
    browser.get(PAGE)
    assert browser.post(PAGE, data=world.form(sealed_card="eyJ.again")).status_code == 303
    authorized = world.published()[1]
    assert isinstance(authorized, PaymentAuthorized)
    assert authorized.card_token == world.intake.live[PAYMENT] == "card_2"


def test_the_same_form_sent_again_after_a_crash_gets_the_same_card(
    world: PortalWorld, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = world.form()

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(type(world.deps.documents), "keep", crash)
        with pytest.raises(KeyboardInterrupt):
            browser.post(PAGE, data=form)
    assert browser.post(PAGE, data=form, headers=JSON).json == {"next": f"/pay/{LINK}/status"}
    authorized = world.published()[1]
    assert isinstance(authorized, PaymentAuthorized)
    assert authorized.card_token == "card_1"


def test_a_claim_that_ran_out_while_the_vault_worked_gives_way_to_the_one_that_followed(
    world: PortalWorld, browser: FlaskClient
) -> None:
    first = world.form()
    browser.get(PAGE)
    second = world.form(intake_id="int_2", sealed_card="eyJ.second")
    other = world.opened()
    answers: list[object] = []

    def overtake() -> None:
        world.intake.at_store = None
        world.clock.advance(timedelta(seconds=9))
        answers.append(other.post(PAGE, data=second, headers=JSON).json)

    world.intake.at_store = overtake
    answers.append(browser.post(PAGE, data=first, headers=JSON).json)
    done = {"next": f"/pay/{LINK}/status"}
    assert answers == [done, {"under_way": True, "ask": f"/pay/{LINK}/outcome"}]
    assert browser.get(f"/pay/{LINK}/outcome", headers=JSON).json == done
    assert world.published_types().count("PaymentAuthorized") == 1


def test_a_revocation_that_overtakes_the_submission_leaves_the_authorization_to_the_agent(
    world: PortalWorld, browser: FlaskClient
) -> None:
    world.intake.at_store = lambda: world.tell(PaymentLinkRevoked(link_id=LINK, payment_id=PAYMENT))
    assert browser.post(PAGE, data=world.form(), headers=JSON).json == {"next": f"/pay/{LINK}/status"}
    assert "PaymentAuthorized" in world.published_types()
