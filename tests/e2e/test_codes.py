"""Codes and single showing, where something goes otherwise than planned (M5, M9)."""

from playwright.sync_api import Page, expect

from tests.e2e.conftest import World
from tests.e2e.people import ELEANOR, MASTERCARD, VISA, AgentAtWork, ask, wait_until

_LONG_MS = 20_000


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 100_000_000:08d}"


def test_wrong_codes_are_counted_down_and_the_fifth_locks_the_code(world: World) -> None:
    agent = world.agent()
    payment, code = world.given_shown_code_form(agent)
    for left in (4, 3, 2, 1):
        agent.enter_code(_wrong(code))
        expect(agent.code_problem).to_contain_text(f"{left} {'try' if left == 1 else 'tries'} left", timeout=_LONG_MS)
    agent.enter_code(_wrong(code))
    expect(agent.code_problem).to_contain_text("Too many wrong codes", timeout=_LONG_MS)
    expect(agent.reveal_frame.get_by_label("One-time code")).to_be_disabled()
    assert world.card_of(payment) == "stored"

    agent.reveal_frame.get_by_role("button", name="Send a new code").click()
    fresh = world.mailbox.take(agent.page, agent.account.email, "one-time code for a card").code
    expect(agent.reveal_frame.get_by_label("One-time code")).to_be_enabled()
    agent.enter_code(fresh)
    assert agent.shown_number() == VISA
    history = " ".join(world.history(_leaving(agent), payment))
    assert "locked" in history.lower() or "too many" in history.lower(), history


def test_an_expired_code_shows_nothing_and_uses_nothing_up(world: World) -> None:
    agent = world.agent()
    with world.stack.changed("vault-serve", VAULT_CODE_TTL="PT2S"):
        payment, code = world.given_shown_code_form(agent)
        expect(agent.reveal_frame.locator("#code-left")).to_contain_text("expired", timeout=_LONG_MS)
        agent.enter_code(code)
        expect(agent.code_problem).to_contain_text("expired", timeout=_LONG_MS)
    assert world.card_of(payment) == "stored"


def test_a_refresh_loses_the_card_says_so_and_the_client_is_asked_again(world: World) -> None:
    agent = world.agent()
    payment, code = world.given_shown_code_form(agent)
    agent.enter_code(code)
    assert agent.shown_number() == VISA
    _leaving(agent)
    agent.page.reload()
    expect(agent.page.get_by_text("The card was shown once,")).to_be_visible()
    expect(agent.page.get_by_role("button", name="RETRIEVE and PROCESS")).to_have_count(0)

    agent.page.get_by_role("button", name="Void and ask the client again").click()
    agent.page.get_by_role("dialog").get_by_role("button", name="Void and send a fresh link").click()
    fresh_link = world.mailbox.take(agent.page, ELEANOR, "New payment request").link("/pay/")
    wait_until(agent.page, lambda: world.card_of(payment) not in ("stored", "revealed"), "the old card to go")

    # The fresh link works to the end.
    fresh = world.payment_of(fresh_link)
    world.client().authorize(fresh_link, number=MASTERCARD)
    world.until_authorized(agent, fresh)
    agent.ask_for_code()
    agent.enter_code(world.mailbox.take(agent.page, agent.account.email, "one-time code for a card").code)
    assert agent.shown_number() == MASTERCARD


def test_a_second_tab_is_sent_back_to_the_first(world: World) -> None:
    agent = world.agent()
    payment, code = world.given_shown_code_form(agent)
    second = _second_tab(world, agent, payment)
    second.page.get_by_label("The supplier is on the line").check()
    second.page.get_by_role("button", name="RETRIEVE and PROCESS").click()
    expect(second.page.get_by_role("alert").filter(has_text="another tab")).to_be_visible()

    agent.page.bring_to_front()
    agent.enter_code(code)
    assert agent.shown_number() == VISA
    expect(second.page.get_by_text("The card is shown in another tab")).to_be_visible()


def test_an_admin_can_do_nothing_with_an_agents_payment(world: World) -> None:
    ada = world.agent("Ada")
    ada.page.goto(world.crm)
    _, payment = world.given_authorized(world.agent())
    # An admin may see that the payment is there, never its card.
    for action in ("code", "reveal", "cvv-code", "cvv-link"):
        body = {"jwe": "x", "request_key": "k" * 20, "supplier_ready": True, "challenge_id": "x"}
        answer = ask(ada.page, f"/payments/{payment}/{action}", json_body=body)
        assert answer.status in (403, 404), f"{action}: {answer.status}"
    form = {"process-confirmation": "X", "void-reason": "X", "remove-confirmation": "REMOVE"}
    for action in ("process", "void", "remove", "ask-again"):
        ask(ada.page, f"/payments/{payment}/{action}", form=form)
    assert world.card_of(payment) == "stored"


def test_another_agent_sets_his_authenticator_up_and_finds_nothing_of_his_colleagues(world: World) -> None:
    page = world.window()
    jonas = AgentAtWork(page=page, crm=world.crm, account=world.account("Jonas"))
    secret = jonas.first_sign_in()
    _, payment = world.given_authorized(world.agent())
    assert page.goto(f"{world.crm}/payments/{payment}").status == 404  # type: ignore[union-attr]
    for action in ("code", "reveal", "cvv-code", "cvv-link", "process", "void", "remove", "ask-again"):
        body = {"jwe": "x", "request_key": "k" * 20, "supplier_ready": True, "challenge_id": "x"}
        assert ask(page, f"/payments/{payment}/{action}", json_body=body).status == 404, action
    assert world.card_of(payment) == "stored"
    expect(jonas.pending_alert()).to_have_count(0)
    jonas.sign_out()
    # A signed-out browser opens nothing, and the set-up secret is what signs in from now on.
    page.goto(f"{world.crm}/payments")
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    jonas.give_password()
    jonas.enter_authenticator_code(secret, "Sign in")
    world.kept["Jonas"] = page.context.storage_state()


def _leaving(agent: AgentAtWork) -> AgentAtWork:
    """They leave a page that shows a card, and say yes to the warning."""
    agent.page.on("dialog", lambda dialog: dialog.accept())
    return agent


def _second_tab(world: World, agent: AgentAtWork, payment: str) -> AgentAtWork:
    tab: Page = world.watch(agent.page.context.new_page())
    tab.goto(f"{world.crm}/payments/{payment}")
    return AgentAtWork(page=tab, crm=agent.crm, account=agent.account)
