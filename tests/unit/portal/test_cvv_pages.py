"""Giving the CVV again by a link of its own (M10)."""

import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from chassis import errors
from chassis.ids import token_sha256
from chassis.timestamps import stamp
from chassis.web.passwords import Passwords
from protos.wayvault.events.v1.events_pb2 import CvvRequested, CvvResupplied, PaymentCardRemoved
from services.portal.app import create_app
from services.portal.bootstrap import bootstrap
from services.portal.origin import Origin
from tests.support.portal import PAYMENT, PortalWorld, context

LINK, TOKEN = "cvvlink_first", "a-token-that-only-the-letter-holds"
SEALED = "eyJhbGciOiJFQ0RILUVTIn0..sealed"


class FakeCvvIntake:
    """CvvIntakePort as the vault behaves: slots are used once, the same key gets the same answer."""

    def __init__(self, world: PortalWorld) -> None:
        self._world = world
        self._lock = threading.Lock()
        self.opened: list[dict[str, Any]] = []
        self.answers: dict[str, datetime] = {}
        self.used: set[str] = set()
        self.open_fault: errors.WayvaultError | None = None
        self.fault: errors.WayvaultError | None = None

    def open_cvv_intake(self, **given: Any) -> str:
        if self.open_fault is not None:
            raise self.open_fault
        self.opened.append(given)
        return f"intake_{len(self.opened)}"

    def replace_cvv(self, *, idempotency_key: str, intake_id: str, sealed_cvv: str, origin: Origin) -> datetime:
        if self.fault is not None:
            raise self.fault
        with self._lock:
            if idempotency_key in self.answers:
                return self.answers[idempotency_key]
            if intake_id in self.used:
                raise errors.IntakeUsed
            self.used.add(intake_id)
            self.answers[idempotency_key] = self._world.clock.now() + timedelta(hours=72)
            return self.answers[idempotency_key]


class CvvWorld(PortalWorld):
    """The portal with a vault that takes CVVs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.cvv_intake = FakeCvvIntake(self)
        self.deps = bootstrap(
            self.settings,
            clock=self.clock,
            database=self.database,
            intake=self.intake,
            cvv_intake=self.cvv_intake,
            letters=self.letters,
            passwords=Passwords(memory_kib=64, passes=1),
        )
        self._app = create_app(self.deps)

    def ask(self, link_id: str = LINK, *, token: str = TOKEN, days: int = 3) -> CvvRequested:
        message = CvvRequested(
            link_id=link_id,
            context=context(),
            card_token="card_1",
            brand="visa",
            last4="1111",
            token_sha256=token_sha256(token),
            expires_at=stamp(self.clock.now() + timedelta(days=days)),
        )
        self.tell(message)
        return message

    def in_form(self, link_id: str = LINK, token: str = TOKEN) -> FlaskClient:
        """A browser with the form on show."""
        browser = self.client()
        assert browser.post(f"/cvv/{link_id}/open", data={"token": token}).status_code == 303
        assert browser.get(f"/cvv/{link_id}/form").status_code == 200
        return browser

    def resupplied(self) -> list[CvvResupplied]:
        return [message for message in self.published() if isinstance(message, CvvResupplied)]


@pytest.fixture
def portal(tmp_path: Path) -> Any:
    world = CvvWorld(tmp_path)
    yield world
    world.close()


def send(browser: FlaskClient, intake: str = "intake_1", sealed: str = SEALED, link: str = LINK) -> Any:
    return browser.post(f"/cvv/{link}/form", json={"intake_id": intake, "sealed_cvv": sealed})


def test_looking_at_the_link_changes_nothing_and_a_click_opens_it(portal: CvvWorld) -> None:
    portal.ask()
    browser = portal.client()
    pages = [browser.get(f"/cvv/{LINK}") for _ in range(20)]
    assert {page.status_code for page in pages} == {200}
    text = pages[-1].get_data(as_text=True)
    assert "Maya Okafor needs the security code" in text
    assert "Visa ending in 1111" in text
    assert portal.cvv_intake.opened == []
    assert browser.get(f"/cvv/{LINK}/form").status_code == 303
    assert browser.post(f"/cvv/{LINK}/open", data={"token": TOKEN}).status_code == 303
    assert "Send the security code" in browser.get(f"/cvv/{LINK}/form").get_data(as_text=True)


def test_the_slot_is_for_this_card_and_its_owner(portal: CvvWorld) -> None:
    portal.ask()
    portal.in_form()
    (slot,) = portal.cvv_intake.opened
    request = slot["request"]
    assert (slot["card_token"], request.payment_id, request.agent_id) == ("card_1", PAYMENT, "agt_1")
    assert request.cvv_retention_hours == 72


def test_a_cvv_given_is_told_to_the_crm_once(portal: CvvWorld) -> None:
    portal.ask()
    browser = portal.in_form()
    assert send(browser).get_json()["next"] == f"/cvv/{LINK}/form"
    assert send(browser).status_code == 410
    (event,) = portal.resupplied()
    assert (event.link_id, event.payment_id) == (LINK, PAYMENT)
    done = browser.get(f"/cvv/{LINK}/form").get_data(as_text=True)
    assert "has what is needed" in done
    assert "You have given the security code" in browser.get(f"/cvv/{LINK}").get_data(as_text=True)


def test_two_submissions_at_once_are_told_of_once(portal: CvvWorld) -> None:
    portal.ask()
    browsers = [portal.in_form(), portal.in_form()]
    barrier = threading.Barrier(2)

    def run(browser: FlaskClient) -> None:
        barrier.wait()
        send(browser, "intake_2")

    threads = [threading.Thread(target=run, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(portal.resupplied()) == 1


def test_a_wrong_token_opens_nothing(portal: CvvWorld) -> None:
    portal.ask()
    browser = portal.client()
    for token in ("", "wrong", TOKEN + "x"):
        assert browser.post(f"/cvv/{LINK}/open", data={"token": token}).status_code == 403
    assert browser.get(f"/cvv/{LINK}/form").status_code == 303
    assert send(browser).status_code == 403
    assert portal.cvv_intake.opened == []


def test_an_unknown_link_is_a_kind_404(portal: CvvWorld) -> None:
    browser = portal.client()
    assert browser.get("/cvv/cvvlink_nothing").status_code == 404
    assert browser.post("/cvv/cvvlink_nothing/open", data={"token": TOKEN}).status_code == 404
    assert send(browser, link="cvvlink_nothing").status_code == 404


def test_an_expired_link_says_so_even_with_the_form_open(portal: CvvWorld) -> None:
    portal.ask()
    browser = portal.in_form()
    portal.clock.advance(timedelta(days=3))
    assert "This link has expired" in browser.get(f"/cvv/{LINK}").get_data(as_text=True)
    assert send(browser).status_code in (403, 410)
    assert portal.resupplied() == []


def test_a_newer_link_replaces_the_older_in_whatever_order_they_come(portal: CvvWorld) -> None:
    portal.ask("cvvlink_a")
    portal.clock.advance(timedelta(minutes=1))
    newer = portal.ask("cvvlink_b", token="another-token-of-the-newer")
    assert "There is a newer link" in portal.client().get("/cvv/cvvlink_a").get_data(as_text=True)
    portal.tell(newer)
    assert portal.client().get("/cvv/cvvlink_b").status_code == 200


def test_a_doubled_request_changes_nothing(portal: CvvWorld) -> None:
    event = portal.ask()
    browser = portal.in_form()
    send(browser)
    portal.tell(event)
    assert "You have given the security code" in browser.get(f"/cvv/{LINK}").get_data(as_text=True)


def test_a_closed_payment_needs_no_cvv(portal: CvvWorld) -> None:
    portal.ask()
    browser = portal.in_form()
    portal.tell(PaymentCardRemoved(payment_id=PAYMENT, at=stamp(portal.clock.now())))
    page = browser.get(f"/cvv/{LINK}")
    assert page.status_code == 410
    assert "It is not needed any more" in page.get_data(as_text=True)
    assert send(browser).status_code == 410
    assert portal.cvv_intake.used == set()


def test_a_vault_out_of_reach_loses_nothing(portal: CvvWorld) -> None:
    portal.ask()
    browser = portal.in_form()
    portal.cvv_intake.fault = errors.Unavailable()
    down = send(browser)
    assert (down.status_code, down.get_json()["error"]["code"]) == (503, "UNAVAILABLE")
    portal.cvv_intake.fault = None
    assert send(browser).status_code == 200


def test_a_form_without_a_slot_offers_to_try_again(portal: CvvWorld) -> None:
    portal.ask()
    portal.cvv_intake.open_fault = errors.Unavailable()
    browser = portal.in_form()
    assert browser.post(f"/cvv/{LINK}/intake", json={}).status_code == 503
    portal.cvv_intake.open_fault = None
    assert browser.post(f"/cvv/{LINK}/intake", json={}).get_json()["intake_id"] == "intake_1"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (errors.CardInvalid("The CVV has 3 digits.", field="cvv"), 422, "CARD_INVALID"),
        (errors.IntakeExpired(), 409, "START_OVER"),
        (errors.IntakeUsed(), 409, "START_OVER"),
        (errors.SealBroken(), 409, "START_OVER"),
        (errors.CardGone(), 410, "CARD_GONE"),
        (errors.InvalidArgument("This agency's policy keeps no CVV."), 422, "INVALID_ARGUMENT"),
        (errors.DeadlineTooShort(), 503, "UNAVAILABLE"),
    ],
)
def test_every_refusal_of_the_vault_is_said_kindly(
    portal: CvvWorld, fault: errors.WayvaultError, status: int, code: str
) -> None:
    portal.ask()
    browser = portal.in_form()
    portal.cvv_intake.fault = fault
    answer = send(browser)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code)
    assert portal.resupplied() == []


def test_another_links_slot_is_not_filled(portal: CvvWorld) -> None:
    portal.ask()
    browser = portal.in_form()
    answer = send(browser, "intake_of_somebody_else")
    assert answer.get_json()["error"]["code"] == "START_OVER"
    assert portal.cvv_intake.used == set()


@pytest.mark.parametrize(
    "body", [None, [], {}, {"intake_id": 1, "sealed_cvv": []}, {"intake_id": "x" * 99, "sealed_cvv": "y"}]
)
def test_nonsense_is_refused(portal: CvvWorld, body: object) -> None:
    portal.ask()
    browser = portal.in_form()
    assert browser.post(f"/cvv/{LINK}/form", json=body).status_code == 422


def test_a_card_number_never_passes(portal: CvvWorld) -> None:
    portal.ask()
    browser = portal.in_form()
    assert send(browser, sealed="4111111111111111").status_code == 422
    assert portal.cvv_intake.used == set()


def test_a_form_without_its_token_is_refused(portal: CvvWorld) -> None:
    portal.ask()
    strict = portal.strict_client()
    assert strict.post(f"/cvv/{LINK}/open", data={"token": TOKEN}).status_code == 400
