"""Links and the client's form, where something goes otherwise than planned (M1, M2, M7)."""

import http.client
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import World
from tests.e2e.people import ELEANOR, VISA, ask, wait_until

_LONG_MS = 20_000


def _knock(address: str, method: str) -> int:
    """A request as a mail scanner makes it; what stands after # never leaves the client."""
    target = urlsplit(address)
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=10)
    try:
        connection.request(method, target.path, headers={"Host": target.netloc})
        return connection.getresponse().status
    finally:
        connection.close()


def test_scanners_that_open_the_link_a_hundred_times_use_nothing_up(world: World) -> None:
    agent = world.agent()
    link, payment = world.given_link(agent)
    world.until_portal_knows(link, agent.page)
    assert {_knock(link, "GET" if number % 2 else "HEAD") for number in range(100)} == {200}
    scanner = world.window()
    scanner.goto(link)
    scanner.wait_for_load_state("networkidle")
    expect(scanner.get_by_role("button", name="Open payment request")).to_be_visible()
    agent.page.goto(f"{world.crm}/payments/{payment}")
    expect(agent.page.locator("#payment-area")).to_have_attribute("data-state", "requested")
    world.client().authorize(link)


def test_an_expired_link_says_so_and_a_resent_one_works(world: World) -> None:
    agent, client = world.agent(), world.client()
    link, payment = world.given_link(agent)
    for service, table in (("portal", "links"), ("crm", "payment_link")):
        moved = world.stack.execute(
            service, f"UPDATE {table} SET expires_at = issued_at WHERE payment_id = :id", id=payment
        )
        assert moved == 1
    client.page.goto(link)
    _press_if_there(client.page, "Open payment request")
    expect(client.page.get_by_role("heading", name="This link has expired")).to_be_visible()

    agent.page.goto(f"{world.crm}/payments/{payment}")
    agent.page.get_by_role("button", name="Resend link").click()
    fresh = world.mailbox.take(agent.page, ELEANOR, "Please authorize").link("/pay/")
    assert fresh != link
    client.authorize(fresh)


def test_a_revoked_link_says_who_took_it_back(world: World) -> None:
    agent, client = world.agent(), world.client()
    link, payment = world.given_link(agent)
    agent.page.goto(f"{world.crm}/payments/{payment}")
    agent.page.get_by_role("button", name="Revoke link").first.click()
    agent.page.get_by_role("dialog").get_by_role("button", name="Revoke link").click()
    expect(agent.page.locator("#over, #payments").first).to_contain_text("revoked", ignore_case=True)

    def is_closed() -> bool:
        client.page.goto(link)
        _press_if_there(client.page, "Open payment request")
        return client.page.get_by_role("heading", name="Maya Okafor took this link back").is_visible()

    wait_until(client.page, is_closed, "the portal to hear of the revocation")


def test_the_mail_sent_again_is_another_link_to_the_same_payment(world: World) -> None:
    agent, client = world.agent(), world.client()
    _, payment = world.given_link(agent)
    agent.page.goto(f"{world.crm}/payments/{payment}")
    agent.page.get_by_role("button", name="Resend link").click()
    again = world.mailbox.take(agent.page, ELEANOR, "Please authorize").link("/pay/")
    assert world.payment_of(again) == payment
    client.authorize(again)


def test_a_card_that_fails_the_luhn_check_is_refused_in_the_frame(world: World) -> None:
    link, payment = world.given_link(world.agent())
    client = world.client()
    client.open(link)
    client.fill_all(number="4111 1111 1111 1112")
    client.submit()
    expect(client.card_frame.locator("#cc-number-problem")).to_be_visible(timeout=_LONG_MS)
    expect(client.summary).to_be_visible()
    assert not world.stack.query("vault", "SELECT 1 FROM cards WHERE payment_id = :id", id=payment)
    # What else was typed stays; with the number put right it goes through.
    client.card_frame.get_by_label("Card number").fill(VISA)
    client.submit()
    client.expect_thanks()


def test_without_a_signature_nothing_is_submitted(world: World) -> None:
    link, payment = world.given_link(world.agent())
    client = world.client()
    client.open(link)
    client.fill_card()
    client.fill_address()
    client.consent()
    client.submit()
    expect(client.summary).to_contain_text("sign", timeout=_LONG_MS, ignore_case=True)
    assert not world.stack.query("vault", "SELECT 1 FROM cards WHERE payment_id = :id", id=payment)
    client.sign_by_typing()
    client.submit()
    client.expect_thanks()


@pytest.mark.parametrize("field", ["City", "Address"])
def test_a_card_number_typed_into_another_field_is_refused_and_not_kept(world: World, field: str) -> None:
    link, payment = world.given_link(world.agent())
    client = world.client()
    client.open(link)
    client.fill_all()
    box = client.page.get_by_label(field, exact=True)
    box.fill("5105 1051 0510 5100")
    client.submit()
    expect(client.page.get_by_text("That looks like a card number.").first).to_be_visible(timeout=_LONG_MS)
    name = box.get_attribute("name") or ""
    answer = ask(client.page, client.page.url, form={name: "5105 1051 0510 5100"})
    assert answer.status == 422
    assert "5105" not in answer.text
    assert not world.stack.query("vault", "SELECT 1 FROM cards WHERE payment_id = :id", id=payment)
    # Put right, it goes through.
    box.fill("Portland")
    client.submit()
    client.expect_thanks()


def test_a_card_number_in_the_agents_form_is_refused_and_not_kept(world: World) -> None:
    page = world.agent().page
    page.goto(f"{world.crm}/clients/new")
    page.get_by_label("First name").fill("Grace")
    page.get_by_label("Last name").fill("Hopper")
    page.get_by_label("Notes").fill("Her card: 5105-1051-0510-5100")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.get_by_role("button", name="Save client").click()
    expect(page.get_by_text("That looks like a card number.")).to_be_visible()
    # The page keeps it from leaving at all; a request that comes all the same is refused by the server.
    assert "POST" not in sent
    answer = ask(page, "/clients/new", form={"first_name": "G", "last_name": "Hopper", "notes": "5105-1051-0510-5100"})
    assert answer.status == 422
    assert "5105-1051" not in answer.text
    assert not world.stack.query("crm", "SELECT 1 FROM client WHERE last_name = 'Hopper'")


def test_a_voided_payment_tells_the_client_and_a_fresh_link_takes_its_place(world: World) -> None:
    agent = world.agent()
    link, payment = world.given_authorized(agent)
    client = world.client()
    client.open(link)
    agent.void("The cabin was gone")
    fresh = world.mailbox.take(agent.page, ELEANOR, "New payment request").link("/pay/")
    wait_until(agent.page, lambda: world.card_of(payment) not in ("stored", "revealed"), "the card to go")

    def is_told() -> bool:
        client.page.reload()
        return client.page.get_by_text("The cabin was gone").first.is_visible()

    wait_until(client.page, is_told, "the client's page to say that it was cancelled")
    world.client().authorize(fresh)
    world.until_authorized(agent, world.payment_of(fresh))


def test_voided_without_a_fresh_link_the_client_gets_a_plain_notice(world: World) -> None:
    agent = world.agent()
    world.given_authorized(agent)
    agent.void("Trip called off", fresh_link=False)
    notice = world.mailbox.take(agent.page, ELEANOR, "Cancelled: your payment")
    assert "Trip called off" in notice.text


def _press_if_there(page: Page, name: str) -> None:
    button = page.get_by_role("button", name=name)
    if button.is_visible():
        button.click()
        page.wait_for_load_state()
