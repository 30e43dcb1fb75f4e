"""What people see when parts of the system are away, and that nothing is lost or done twice."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import expect

from tests.e2e.conftest import World
from tests.e2e.people import BOOKING, ELEANOR, VISA, AgentAtWork, wait_until
from tests.support.gate import Gate

_LONG_MS = 45_000


def test_with_the_vault_down_the_client_reads_so_and_the_same_form_goes_through_later(world: World) -> None:
    link, _ = world.given_link(world.agent())
    client = world.client()
    client.open(link)
    client.fill_all()
    with world.stack.without("vault-serve", kill=True):
        client.submit()
        expect(client.summary).to_contain_text("We can't take your card right now", timeout=_LONG_MS)
        expect(client.summary).to_contain_text("Nothing was charged")
    client.submit_until_accepted()


def test_with_the_vault_down_during_the_reveal_the_same_request_shows_the_card_later(world: World) -> None:
    agent = world.agent()
    _, code = world.given_shown_code_form(agent)
    with world.stack.without("vault-serve", kill=True):
        agent.enter_code(code)
        expect(_whatever_it_says(agent)).to_contain_text("Nothing was used up", timeout=_LONG_MS)
    _send_again(agent, code)
    assert agent.shown_number() == VISA


def test_with_the_engine_sealed_the_agent_reads_that_nothing_was_used_up(world: World) -> None:
    agent = world.agent()
    payment, code = world.given_shown_code_form(agent)
    with world.stack.vault_engine_sealed():
        agent.enter_code(code)
        expect(_whatever_it_says(agent)).to_contain_text("Nothing was used up", timeout=_LONG_MS)
        assert world.card_of(payment) == "stored"
    _send_again(agent, code)
    assert agent.shown_number() == VISA


def test_with_the_bus_down_nothing_is_lost(world: World) -> None:
    agent, client = world.agent(), world.client()
    first, payment = world.given_link(agent)
    with world.stack.bus_down():
        client.authorize(first)
        agent.send_links(BOOKING, amount="35.00")
        agent.page.goto(f"{world.crm}/payments/{payment}")
        expect(agent.page.locator("#payment-area")).to_have_attribute("data-state", "requested")
    world.mailbox.take(agent.page, ELEANOR, "Please authorize", seconds=60)
    world.mailbox.take(agent.page, agent.account.email, "Payment to process", seconds=60)
    world.until_authorized(agent, payment)
    assert _copies(world, payment) == 1


def test_a_mail_server_that_is_away_gets_its_mail_later(world: World) -> None:
    agent = world.agent()
    with _mail_server(start=False) as server, world.stack.changed("notifier-worker", NOTIFIER_SMTP_URL=server.url):
        agent.send_links(BOOKING, amount="41.00")
        wait_until(agent.page, lambda: _tries(world) > 0, "a first try to send", seconds=40)
        assert not server.received
        server.start()
        wait_until(agent.page, lambda: bool(server.of(ELEANOR, "41.00")), "the mail to leave", seconds=60)
        assert len(server.of(ELEANOR, "41.00")) == 1


def test_a_mail_that_can_never_be_delivered_is_told_to_the_agent(world: World) -> None:
    agent = world.agent()
    with _mail_server(refuse=ELEANOR) as server, world.stack.changed("notifier-worker", NOTIFIER_SMTP_URL=server.url):
        agent.send_links(BOOKING, amount="42.00")

        def is_told() -> bool:
            agent.page.reload()
            return agent.page.locator("#payments").get_by_text("e***@mail.example").first.is_visible()

        wait_until(agent.page, is_told, "the agent to read that the mail came back", seconds=60)


def test_a_connection_dropped_after_the_vault_answered_gives_the_same_card_again(world: World) -> None:
    agent = world.agent()
    payment, code = world.given_shown_code_form(agent)
    # The request arrives and is answered; the answer is lost on its way to the page.
    agent.page.evaluate(
        """const real = window.fetch;
        window.fetch = async (...given) => {
            const answer = await real(...given);
            if (!String(given[0]).endsWith('/reveal')) return answer;
            window.fetch = real;
            throw new TypeError('connection reset');
        }"""
    )
    agent.enter_code(code)
    expect(agent.try_again).to_be_visible(timeout=_LONG_MS)
    assert world.card_of(payment) == "revealed"
    agent.try_again.press("Enter")
    assert agent.shown_number() == VISA
    assert _showings(world, payment) == 1


def test_the_crm_killed_after_the_vault_revealed_shows_the_card_once_and_keeps_the_history(world: World) -> None:
    agent = world.agent()
    gate = Gate(("127.0.0.1", world.stack.state.ports.vault))
    try:
        with world.stack.changed("crm-web", CRM_VAULT_ADDRESS=f"127.0.0.1:{gate.port}"):
            payment, code = world.given_shown_code_form(agent)
            gate.hold_answers()
            agent.enter_code(code)
            wait_until(agent.page, lambda: world.card_of(payment) == "revealed", "the vault to reveal")
            world.stack.kill("crm-web")
            expect(agent.try_again).to_be_visible(timeout=_LONG_MS)
            gate.release_answers()
        agent.try_again.press("Enter")
        assert agent.shown_number() == VISA
    finally:
        gate.remove()
    assert _showings(world, payment) == 1
    agent.page.on("dialog", lambda dialog: dialog.accept())
    history = world.history(agent, payment)
    assert sum("shown" in line.lower() and "card" in line.lower() for line in history) >= 1, history
    expect(agent.page.locator("#payment-area")).to_have_attribute("data-state", "retrieved")


@pytest.mark.parametrize("process", ["crm-worker", "portal-worker", "notifier-worker", "portal-web", "vault-worker"])
def test_a_process_killed_with_work_under_way_finishes_it_after_its_restart(world: World, process: str) -> None:
    agent, client = world.agent(), world.client()
    link, payment = world.given_link(agent)
    client.open(link)
    client.fill_all()
    with world.stack.without(process, kill=True):
        if process != "portal-web":
            client.submit()
            client.expect_thanks()
        else:
            client.submit()
            expect(client.summary).to_contain_text("The connection was lost", timeout=_LONG_MS)
    if process == "portal-web":
        client.submit()
        client.expect_thanks()
    world.mailbox.take(agent.page, agent.account.email, "Payment to process", seconds=90)
    world.until_authorized(agent, payment)
    assert _copies(world, payment) == 1


def _whatever_it_says(agent: AgentAtWork) -> Any:  # Any: a locator
    """The frame's problem line, or its offer to try again."""
    return agent.reveal_frame.locator("#code-problem:visible, #code-again:visible").first


def _send_again(agent: AgentAtWork, code: str) -> None:
    """Tries again in a moment, as the page says, until the card is there; a connection takes up to 2 s to come back."""
    card = agent.reveal_frame.locator("#card-number span").first

    def is_shown() -> bool:
        if card.is_visible():
            return True
        if agent.try_again.is_visible():
            agent.try_again.press("Enter")
        elif agent.code_problem.is_visible() and agent.reveal_frame.locator("#code-submit").is_enabled():
            agent.enter_code(code)
        return False

    wait_until(agent.page, is_shown, "the card", seconds=30)


def _copies(world: World, payment: str) -> int:
    """How often the authorization was done: cards, and alerts to the agent."""
    return len(world.stack.query("vault", "SELECT 1 FROM cards WHERE payment_id = :id", id=payment))


def _showings(world: World, payment: str) -> int:
    rows = world.stack.query(
        "vault",
        "SELECT a.action FROM audit_rows a JOIN cards c ON a.card_token = c.token "
        "WHERE c.payment_id = :id AND a.action = 'card.revealed' AND a.result = 'ok'",
        id=payment,
    )
    return len(rows)


def _tries(world: World) -> int:
    rows = world.stack.query("notifier", "SELECT max(attempts) FROM deliveries WHERE state <> 'sent'")
    return int(rows[0][0] or 0)


class _MailServer:
    """An SMTP server that keeps what it gets, and refuses one address for good."""

    def __init__(self, refuse: str) -> None:
        self._refuse = refuse
        self.received: list[tuple[str, bytes]] = []
        gate = Gate(("127.0.0.1", 9))
        self.port = gate.port
        gate.remove()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        with suppress(AssertionError, AttributeError):
            self._controller.stop()

    def of(self, address: str, amount: str) -> list[bytes]:
        """Of the mails to one address those that name an amount: what was done before may still send others."""
        return [content for to, content in self.received if to == address and amount.encode() in content]

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address == self._refuse:
            return "550 5.1.1 There is no mailbox by that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.received += [(address, envelope.content) for address in envelope.rcpt_tos]
        return "250 OK"


@contextmanager
def _mail_server(*, start: bool = True, refuse: str = "") -> Iterator[_MailServer]:
    server = _MailServer(refuse)
    if start:
        server.start()
    try:
        yield server
    finally:
        server.stop()
