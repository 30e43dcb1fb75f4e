"""The main job, M1 to M7, over the containers: by https, through the proxy, on PostgreSQL, RabbitMQ and Vault."""

import json

from playwright.sync_api import Browser, expect

from deploy.compose.__main__ import Stack
from tests.compose.conftest import ContainerMailbox
from tests.e2e.people import BOOKING, CVV, ELEANOR, VISA, Account, AgentAtWork, ClientAtHome


def test_one_payment_goes_through_the_containers(
    containers: Stack, browser: Browser, mailbox: ContainerMailbox
) -> None:
    desk = browser.new_context(ignore_https_errors=True).new_page()
    home = browser.new_context(ignore_https_errors=True).new_page()
    agent = AgentAtWork(page=desk, crm=containers.layout.origin("crm"), account=_account(containers, "Maya"))
    client = ClientAtHome(page=home)
    mailbox.skip_present()

    agent.sign_in()
    agent.send_links(BOOKING, amount="1240.00")
    client.authorize(mailbox.take(desk, ELEANOR, "Please authorize").link("/pay/"))
    expect(agent.pending_alert()).to_be_visible(timeout=15_000)
    agent.open_pending("Eleanor Whitcombe", "US$ 1,240.00")
    agent.ask_for_code()
    agent.enter_code(mailbox.take(desk, agent.account.email, "one-time code for a card").code)
    assert agent.shown_number() == VISA
    agent.ask_for_cvv_code()
    agent.enter_cvv_code(mailbox.take(desk, agent.account.email, "one-time code for a CVV").code)
    link = mailbox.take(desk, agent.account.email, "one-time link to a CVV").link("/cvv")
    agent.show_cvv(desk.context.new_page(), link, CVV)
    agent.close_as_processed("AUR-99812")
    desk.reload()
    expect(desk.locator("#processed")).to_contain_text("AUR-99812")


def test_cookies_are_secure_and_browsers_are_told_to_stay_on_https(containers: Stack, browser: Browser) -> None:
    page = browser.new_context(ignore_https_errors=True).new_page()
    answer = page.goto(containers.layout.origin("crm"))
    assert answer is not None
    assert "max-age" in answer.all_headers().get("strict-transport-security", "")
    cookies = page.context.cookies()
    assert cookies
    assert [cookie.get("name") for cookie in cookies if not cookie.get("secure")] == []


def _account(containers: Stack, first_name: str) -> Account:
    people = json.loads((containers.layout.program("crm") / "demo.json").read_text("utf-8"))
    found = next(one for one in people["agents"] if one["name"].startswith(first_name))
    return Account(
        name=found["name"], email=found["email"], password=people["password"], totp_secret=found["totp_secret"]
    )
