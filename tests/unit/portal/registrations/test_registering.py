"""A visitor registers without a trip in mind, proves their address and has an account (P10)."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from chassis.bus.handlers import RetryLater
from protos.wayvault.events.v1.events_pb2 import Client, RegistrationAnswered, RegistrationProven
from services.portal.registrations.rules import LINK_VALID, MAILS_PER_HOUR, REGISTRATIONS_PER_HOUR
from tests.support.portal import PortalWorld
from tests.support.portal_people import AGENCY, GRACE, MAYA, agent_saved, signed_in, tell, with_account

FORM = "/a/maya-okafor/register"
PASSWORD = "violet harbour tractor moon"
ADA = {
    "first_name": "Ada",
    "last_name": "Byron",
    "email": "ada@visitor.example",
    "phone": "+1 305 555 0142",
    "street": "12 Long Lane",
    "city": "Springfield",
    "region": "Illinois",
    "postal_code": "62701",
    "country": "US",
    "request_key": "form-1",
}


def register(world: PortalWorld, **changed: str) -> int:
    return world.client().post(FORM, data=ADA | changed).status_code


def token(world: PortalWorld) -> str:
    letter = world.letters.written[-1]
    assert letter.template == "registration_link"
    return letter.data["url"].partition("#")[2]


def prove(world: PortalWorld, with_token: str, password: str = PASSWORD) -> tuple[FlaskClient, str]:
    """A browser that pressed the button, and where it was sent; empty when it stayed."""
    browser = world.client()
    answer = browser.post("/registration", data={"token": with_token, "password": password, "again": password})
    return browser, answer.headers.get("Location", "")


def proven(world: PortalWorld) -> list[RegistrationProven]:
    return [message for message in world.published() if isinstance(message, RegistrationProven)]


def answered(world: PortalWorld, outcome: str, username: str = "ada@visitor.example") -> RegistrationAnswered:
    return RegistrationAnswered(
        registration_id=proven(world)[0].registration_id,
        client=Client(id="client_ada", first_name="Ada", last_name="Byron", email="ada@visitor.example"),
        outcome=outcome,
        username=username,
        agent=MAYA,
        agency=AGENCY,
    )


def test_who_proves_their_address_is_told_to_the_crm_and_signed_in_when_it_answers(world: PortalWorld) -> None:
    tell(world, agent_saved())
    assert register(world) == 303
    assert proven(world) == []
    browser, where = prove(world, token(world))
    (told,) = proven(world)
    assert (told.client.email, told.address.line1, told.address.country) == (
        "ada@visitor.example",
        "12 Long Lane",
        "US",
    )
    assert (told.agent.id, told.agency.id) == (MAYA.id, AGENCY.id)
    waiting = browser.get(where)
    assert "Setting up your account" in waiting.get_data(as_text=True)
    assert waiting.headers["Refresh"]
    tell(world, answered(world, "admitted"), answered(world, "admitted"))
    assert browser.get(where).headers["Location"] == "/trips"
    assert "ada@visitor.example" in browser.get("/account").get_data(as_text=True)
    other = world.client()
    other.post("/sign-in", data={"username": "ADA@visitor.example", "password": PASSWORD})
    assert other.get("/account").status_code == 200


def test_looking_at_the_link_uses_nothing_up_and_it_works_once(world: PortalWorld) -> None:
    tell(world, agent_saved())
    register(world)
    for _ in range(20):
        assert world.client().get("/registration").status_code == 200
    assert prove(world, token(world))[1]
    assert prove(world, token(world))[1] == ""
    assert len(proven(world)) == 1


def test_a_link_ends_after_a_day_and_what_nobody_proved_is_forgotten(world: PortalWorld) -> None:
    tell(world, agent_saved())
    register(world)
    world.clock.advance(LINK_VALID + timedelta(seconds=1))
    assert prove(world, token(world))[1] == ""
    world.deps.registrations.sweep()
    register(world)
    assert prove(world, token(world))[1]


def test_an_address_that_is_known_gets_the_same_answer_and_the_same_mail(world: PortalWorld) -> None:
    with_account(world, GRACE)
    pages = []
    for number, email in enumerate((GRACE.email, "nobody@visitor.example")):
        answer = world.client().post(FORM, data=ADA | {"email": email, "request_key": f"form-{number}"})
        pages.append((answer.status_code, answer.headers["Location"]))
        assert world.letters.written[-1].to == email
    assert pages[0] == pages[1]


def test_the_mail_repeats_nothing_that_was_typed(world: PortalWorld) -> None:
    tell(world, agent_saved())
    register(world, first_name="Win a prize at evil.example")
    data = world.letters.written[-1].data
    assert "prize" not in " ".join(data.values())


@pytest.mark.parametrize(
    ("outcome", "said"),
    [("known", "You have an account already"), ("closed", "Maya has been told that you registered")],
)
def test_who_is_not_admitted_reads_why_and_is_nobody(world: PortalWorld, outcome: str, said: str) -> None:
    tell(world, agent_saved())
    register(world)
    browser, where = prove(world, token(world))
    tell(world, answered(world, outcome, "ada.byron"))
    assert said in browser.get(where).get_data(as_text=True)
    assert browser.get("/account").status_code == 303
    other = world.client()
    other.post("/sign-in", data={"username": "ada.byron", "password": PASSWORD})
    assert other.get("/account").status_code == 303


def test_only_the_browser_that_proved_it_sees_what_becomes_of_it(world: PortalWorld) -> None:
    tell(world, agent_saved())
    register(world)
    _, where = prove(world, token(world))
    tell(world, answered(world, "admitted"))
    stranger = world.client()
    assert stranger.get(where).headers["Location"].startswith("/sign-in")
    assert stranger.get("/account").status_code == 303


def test_a_username_that_is_still_somebody_elses_waits(world: PortalWorld) -> None:
    signed_in(world)
    register(world)
    prove(world, token(world))
    with pytest.raises(RetryLater):
        tell(world, answered(world, "admitted", "grace"))
    assert world.deps.registrations.find(proven(world)[0].registration_id).state == "proven"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"email": "ada"}, "Enter an e-mail address"),
        ({"email": ""}, "Enter your e-mail address."),
        ({"first_name": "", "last_name": "."}, "at least one letter"),
        ({"country": "XX"}, "Choose one of the list."),
        ({"street": "x" * 300}, "200"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(world: PortalWorld, wrong: dict[str, str], said: str) -> None:
    tell(world, agent_saved())
    page = world.client().post(FORM, data=ADA | wrong)
    assert page.status_code == 422
    assert said in page.get_data(as_text=True)
    assert 'value="Springfield"' in page.get_data(as_text=True)
    assert not world.letters.written


def test_a_password_that_is_none_is_said_and_the_link_stays_good(world: PortalWorld) -> None:
    tell(world, agent_saved())
    register(world)
    assert prove(world, token(world), "short")[1] == ""
    assert prove(world, token(world), "ada@visitor.example")[1] == ""
    assert prove(world, token(world))[1]


def test_it_is_throttled_by_where_it_comes_from_and_whom_it_mails(world: PortalWorld) -> None:
    tell(world, agent_saved())
    assert [register(world, request_key=f"a{number}") for number in range(MAILS_PER_HOUR + 1)] == [303] * 3 + [429]
    for number in range(REGISTRATIONS_PER_HOUR):
        register(world, request_key=f"b{number}", email=f"ada{number}@visitor.example")
    assert len(world.letters.written) <= REGISTRATIONS_PER_HOUR
    page = world.client().post(FORM, data=ADA | {"email": "late@visitor.example", "request_key": "late"})
    assert page.status_code == 429
    assert 'value="Springfield"' in page.get_data(as_text=True)


def test_machines_are_thanked_and_the_form_sent_twice_mails_once(world: PortalWorld) -> None:
    tell(world, agent_saved())
    assert register(world, website="https://spam.example") == 303
    assert not world.letters.written
    assert register(world) == register(world) == 303
    assert len(world.letters.written) == 1
