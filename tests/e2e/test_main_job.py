"""The main job, M1 to M8 and M11 to M13, as two people do it in their browsers."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import World
from tests.e2e.people import BOOKING, CVV, ELEANOR, ROBERT, VISA, Keyboard, wait_until

_LONG_MS = 20_000


@pytest.mark.parametrize("phone", [False, True], ids=["desktop-typed", "phone-drawn"])
def test_one_payment_from_the_link_to_the_destroyed_card(world: World, phone: bool) -> None:
    agent, client = world.agent(phone=phone), world.client(phone=phone)
    page, maya = agent.page, agent.account.email

    # M1: a link each for two passengers; the agent reads that they were sent.
    agent.send_links(BOOKING, amount="1240.00", people=2)
    link = world.mailbox.take(page, ELEANOR, "Please authorize").link("/pay/")
    world.mailbox.take(page, ROBERT, "Please authorize")
    world.mailbox.take(page, maya, "Sent: payment link")

    # M2: the client authorizes and signs.
    client.authorize(link, draw=phone)
    expect(client.page.get_by_text("Nobody has seen your card.")).to_be_visible()

    # M3: the alert comes by itself on the page that was open all the time.
    expect(agent.pending_alert()).to_be_visible(timeout=5000)
    world.mailbox.take(page, maya, "Payment to process")
    copy = world.mailbox.take(page, ELEANOR, "Your signed authorization")
    assert any(name.endswith(".pdf") for name in copy.attachments)

    # M4: the report leads to the payment area.
    agent.open_pending("Eleanor Whitcombe", "US$ 1,240.00")
    expect(page.get_by_role("button", name="RETRIEVE and PROCESS")).to_be_disabled()

    # M5: the code, then the card, in fours.
    agent.ask_for_code()
    agent.enter_code(world.mailbox.take(page, maya, "one-time code for a card").code)
    assert agent.shown_number() == VISA
    agent.expect_leaving_to_ask()

    # M6: the CVV, once.
    agent.ask_for_cvv_code()
    agent.enter_cvv_code(world.mailbox.take(page, maya, "one-time code for a CVV").code)
    cvv_link = world.mailbox.take(page, maya, "one-time link to a CVV").link("/cvv")
    agent.show_cvv(world.watch(page.context.new_page()), cvv_link, CVV)
    expect(page.locator("#cvv-done")).to_be_visible()
    assert agent.shown_number() == VISA
    agent.expect_cvv_refused(world.watch(page.context.new_page()), cvv_link)

    # M7: closing asks first, a slip in it costs nothing; then it destroys.
    agent.expect_slips_to_keep_the_card(VISA)
    agent.close_as_processed("AUR-99812")
    payment = page.url.rpartition("/")[2].partition("?")[0]
    wait_until(page, lambda: _destroyed(world, payment), "the vault to destroy card and CVV")
    page.reload()
    expect(page.locator("#processed")).to_contain_text("AUR-99812")
    history = page.locator(".pay-history")
    for what in ("Card stored", "shown", "destroyed"):
        expect(history).to_contain_text(what, ignore_case=True)

    # M12, M13: what the client reads, and what stays.
    wait_until(client.page, lambda: "deleted at" in _reloaded(client.page), "the client to read of the deletion")
    expect(client.page.get_by_text("viewed once by Maya Okafor")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="Signed authorization (PDF)").click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")


def test_the_main_job_by_keyboard_alone(world: World) -> None:
    agent, client = world.agent(), world.client()
    page, maya = agent.page, agent.account.email
    link, payment = world.given_link(agent)
    keys, guest = Keyboard(page), Keyboard(client.page)

    client.page.goto(link)
    guest.to("Open payment request").press("Enter")
    expect(client.card_frame.get_by_label("Card number")).to_be_visible(timeout=_LONG_MS)
    for label, text in (
        ("Card number", VISA),
        ("Expiry date", "0431"),
        ("Security code (CVV)", CVV),
        ("Name on the card", "Eleanor Whitcombe"),
        ("Country", "United States"),
        ("Address", "12 Harbour Street"),
        ("City", "Portland"),
        ("ZIP or postal code", "04101"),
    ):
        guest.to(label).type(text)
    # Whoever signed before is first offered their signature on file; typing is the last of the three.
    on_file = client.page.get_by_role("radio", name="On file").count() > 0
    guest.to("On file" if on_file else "Draw")
    for _ in range(2 if on_file else 1):
        guest.press("ArrowRight")
    guest.to("Type your full name as your signature").type("Eleanor Whitcombe")
    guest.to("I have read").press("Space")
    guest.to("Authorize ").press("Enter")
    client.expect_thanks()

    world.until_authorized(agent, payment)
    keys.to("The supplier is on the line").press("Space")
    keys.to("RETRIEVE and PROCESS").press("Enter")
    expect(agent.reveal_frame.get_by_label("One-time code")).to_be_visible(timeout=_LONG_MS)
    code = world.mailbox.take(page, maya, "one-time code for a card").code
    keys.to("One-time code").type(code)
    keys.press("Enter")
    assert agent.shown_number() == VISA
    keys.to("Email CVV code").press("Enter")
    expect(agent.cvv_frame.get_by_label("One-time code")).to_be_visible(timeout=_LONG_MS)
    keys.to("One-time code").type(world.mailbox.take(page, maya, "one-time code for a CVV").code)
    keys.press("Enter")
    tab = world.watch(page.context.new_page())
    tab.goto(world.mailbox.take(page, maya, "one-time link to a CVV").link("/cvv"))
    frame = tab.frame_locator("#cvv-frame iframe")
    expect(frame.get_by_role("button", name="Show CVV once")).to_be_enabled(timeout=_LONG_MS)
    Keyboard(tab).to("Show CVV once").press("Enter")
    expect(frame.locator("#cvv-digits")).to_have_text(CVV, timeout=_LONG_MS)
    tab.close()
    keys.to("Processed with supplier").press("Enter")
    keys.to("Supplier's confirmation number").type("KEYS-1")
    keys.to("Mark as processed and destroy the card").press("Enter")
    expect(page.locator("#processed")).to_contain_text("KEYS-1", timeout=_LONG_MS)


def _destroyed(world: World, payment: str) -> bool:
    rows = world.stack.query(
        "vault", "SELECT cipher, cvv_cipher FROM cards WHERE payment_id = :payment", payment=payment
    )
    assert len(rows) == 1
    return rows[0] == (None, None)


def _reloaded(page: object) -> str:
    page.reload()  # type: ignore[attr-defined]
    return str(page.inner_text("main"))  # type: ignore[attr-defined]
