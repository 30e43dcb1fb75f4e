"""The people of the walk: what an agent and a client do, in a browser, through the public faces only."""

import contextlib
import json
import re
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

import pyotp
from playwright.sync_api import Dialog, FrameLocator, Locator, Page, expect
from playwright.sync_api import Error as PlaywrightError

VISA: Final = "4111 1111 1111 1111"
MASTERCARD: Final = "5555 5555 5555 4444"
CVV: Final = "837"
BOOKING: Final = "Norwegian fjords for the Whitcombes"
ELEANOR: Final = "eleanor.whitcombe@mail.example"
ROBERT: Final = "robert.whitcombe@mail.example"
_PATIENCE_MS: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message in the development mailbox."""

    id: str
    to: str
    subject: str
    text: str
    attachments: tuple[str, ...]
    received_at: str

    def link(self, containing: str) -> str:
        """The first address in the text that holds a piece of text."""
        found = [url for url in re.findall(r"https?://\S+", self.text) if containing in url]
        assert found, f"no link with {containing!r} in the mail {self.subject!r}"
        return str(found[0])

    @property
    def code(self) -> str:
        """The one-time code in the text."""
        match = re.search(r"^\s+(\d{8})\s*$", self.text, re.MULTILINE)
        assert match, f"no code in the mail {self.subject!r}"
        return match.group(1)


@dataclass
class Mailbox:
    """The mailbox page, read as a person would: what has come since I last looked."""

    url: str
    _seen: set[str] = field(default_factory=set)
    _since: str = ""

    def messages(self, to: str = "") -> list[Mail]:
        """Newest first."""
        asked = urlencode({"to": to, "after": self._since})
        with urllib.request.urlopen(f"{self.url}/messages.json?{asked}", timeout=30) as answer:
            return [Mail(**{**one, "attachments": tuple(one["attachments"])}) for one in json.load(answer)]

    def take(self, page: Page, to: str, subject: str, *, seconds: float = 60) -> Mail:
        """Waits for a message that was not taken before, to an address, with words in its subject."""
        found: list[Mail] = []

        def arrived() -> bool:
            found[:] = [m for m in self.messages(to) if subject in m.subject and m.id not in self._seen]
            return bool(found)

        wait_until(page, arrived, f"a mail to {to} about {subject!r}", seconds=seconds)
        # The oldest of the new ones: mails are taken in the order they came.
        self._seen.add(found[-1].id)
        return found[-1]

    def skip_present(self) -> None:
        """What has come so far counts as taken."""
        self._since = max((m.received_at for m in self.messages()), default=self._since)


_FOCUSED: Final = """() => {
    const node = document.activeElement;
    if (!node || node === document.body || node.tagName === 'IFRAME') return '';
    const label = node.labels?.[0]?.innerText ?? '';
    return (node.getAttribute('aria-label') || label || node.innerText || '').trim();
}"""
_MOST_TABS: Final = 90


@dataclass(frozen=True, slots=True)
class Keyboard:
    """A person who has no pointer: Tab until what they look for has the focus, in the page or in the frame on it."""

    page: Page

    def to(self, name: str) -> "Keyboard":
        """Moves the focus to what is called so, or begins so."""
        passed: list[str] = []
        for _ in range(_MOST_TABS):
            focused = self._focused()
            if focused.startswith(name):
                return self
            passed.append(focused)
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not reach {name!r}; it passed {passed}")

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def _focused(self) -> str:
        """The name of what has the focus; a frame's own focus counts only while the page's focus is on the frame."""
        inside = self.page.evaluate("document.activeElement?.tagName === 'IFRAME' ? document.activeElement.src : ''")
        for frame in self.page.frames:
            if inside and frame.url == inside:
                return str(frame.evaluate(_FOCUSED))
        return str(self.page.evaluate(_FOCUSED))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request of a page's own script got."""

    status: int
    text: str
    kind: str


def ask(page: Page, path: str, *, form: Mapping[str, str] | None = None, json_body: object = None) -> Answer:
    """A request as the page's script would send it, with its cookies and its form token; POST when it has a body."""
    found = page.evaluate(
        """async ([path, form, json]) => {
            const token = document.querySelector('meta[name="csrf-token"]')?.content ?? '';
            const options = { headers: { 'X-CSRFToken': token, Accept: json ? 'application/json' : 'text/html' } };
            if (form) Object.assign(options, { method: 'POST', body: new URLSearchParams(form) });
            if (json) {
                Object.assign(options, { method: 'POST', body: JSON.stringify(json) });
                options.headers['Content-Type'] = 'application/json';
            }
            const answer = await fetch(path, options);
            return [answer.status, await answer.text(), answer.headers.get('content-type') ?? ''];
        }""",
        [path, dict(form) if form else None, json_body],
    )
    return Answer(*found)


def wait_until(page: Page, condition: Callable[[], bool], what: str, *, seconds: float = 20) -> None:
    """Polls a condition, letting the browser work meanwhile. Fails with `what` after `seconds`."""
    begun = datetime.now(UTC)
    while not condition():
        assert (datetime.now(UTC) - begun).total_seconds() < seconds, f"waited {seconds:g} s in vain for {what}"
        page.wait_for_timeout(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An agent of the demo agency."""

    name: str
    email: str
    password: str
    totp_secret: str | None


@dataclass
class AgentAtWork:
    """An agent and their browser page."""

    page: Page
    crm: str
    account: Account

    def sign_in(self, at: str = "/") -> None:
        """Password, then authenticator; ends on the page asked for."""
        self.page.goto(self.crm + at)
        self.sign_in_here()

    def give_password(self) -> None:
        """The first step, on the page that asks for it."""
        self.page.get_by_label("E-mail").fill(self.account.email)
        self.page.get_by_label("Password", exact=True).fill(self.account.password)
        self.page.get_by_role("button", name="Continue to authenticator").click()

    def sign_in_here(self) -> None:
        """Both steps, on the page that asks for the first."""
        self.give_password()
        assert self.account.totp_secret is not None
        self.enter_authenticator_code(self.account.totp_secret, "Sign in")

    def enter_authenticator_code(self, secret: str, button: str) -> None:
        """An authenticator code works once, so a person who was here a moment ago waits for the next."""
        steps: list[int] = []

        def is_there_a_code() -> bool:
            present = int(datetime.now(UTC).timestamp()) // _STEP_SECONDS
            # A clock may be half a minute off either way, so the codes beside the present one are good too.
            steps[:] = [step for step in (present - 1, present, present + 1) if step > _USED_STEPS.get(secret, 0)]
            return bool(steps)

        wait_until(self.page, is_there_a_code, "the next authenticator code", seconds=35)
        _USED_STEPS[secret] = step = steps[0]
        self.page.get_by_label("Authenticator code").fill(pyotp.TOTP(secret).generate_otp(step))
        self.page.get_by_role("button", name=button).click()
        refusal = self.page.get_by_role("link", name=re.compile("^That code is not right, or it was used"))
        expect(self.page.get_by_role("navigation").or_(refusal).first).to_be_visible(timeout=_PATIENCE_MS)
        if refusal.is_visible():  # its half minute was over when it arrived: as a person does, the next one
            self.enter_authenticator_code(secret, button)

    def first_sign_in(self) -> str:
        """Password, then the authenticator is set up with what the page shows; returns the secret."""
        page = self.page
        page.goto(self.crm)
        self.give_password()
        expect(page.get_by_role("img", name=re.compile("^QR code"))).to_be_visible(timeout=_PATIENCE_MS)
        page.get_by_text("I can't scan it").click()
        secret = page.locator("#authenticator-secret").inner_text().replace(" ", "")
        self.enter_authenticator_code(secret, "Confirm and sign in")
        return secret

    def open_booking(self, title: str) -> None:
        """By the list's own search: the list is longer than a page."""
        self.page.goto(f"{self.crm}/bookings")
        wanted = self.page.get_by_role("search", name="Filter bookings").get_by_role("searchbox")
        wanted.fill(title)
        wanted.press("Enter")
        self.page.wait_for_url("**/bookings?*")
        self.page.get_by_role("main").get_by_role("link", name=title, exact=True).first.click()
        expect(self.page.get_by_role("heading", level=1, name=title)).to_be_visible()

    def send_links(self, booking: str, *, amount: str = "1240.00", people: int = 1, purpose: str = "") -> None:
        """Payment authorization link, from the booking's page to the flash that says it is sent."""
        page = self.page
        self.open_booking(booking)
        page.get_by_role("link", name="Payment authorization link").click()
        # It stands after all passengers: when it is there, they are.
        expect(page.get_by_role("button", name=re.compile(r"^Send link"))).to_be_visible(timeout=_PATIENCE_MS)
        picks = page.locator("[data-pick]")
        for number in range(picks.count()):
            picks.nth(number).set_checked(number < people)
        for number in range(people):
            page.locator(".pay-person:not(.is-off)").nth(number).get_by_label("Amount").fill(amount)
        expect(page.locator(".pay-amount").filter(visible=True)).to_have_count(people)
        page.get_by_role("radio", name="Deposit").check()
        page.get_by_label("What is it for?").fill(purpose or "Deposit for the cabin")
        page.get_by_role("button", name=re.compile(r"^Send link")).click()
        page.wait_for_load_state()
        overpay = page.get_by_label("Send it all the same")
        if overpay.count():
            overpay.check()
            page.get_by_role("button", name=re.compile(r"^Send link")).click()
        expect(page.get_by_role("heading", level=1, name=booking)).to_be_visible(timeout=_PATIENCE_MS)

    def pending_alert(self) -> Locator:
        return self.page.get_by_role("link", name="Client online payment pending processing")

    def open_pending(self, payer: str, amount: str) -> None:
        """From the red alert, which another payment may have lit, over the payment report to the payment area."""
        self.pending_alert().click()
        row = self.page.get_by_role("row").filter(has_text=payer).filter(has_text=amount)
        row.get_by_role("link", name="ACTION").click()
        expect(self.page.locator("#payment-area")).to_be_visible()

    @property
    def reveal_frame(self) -> FrameLocator:
        return self.page.frame_locator("#reveal-frame iframe")

    @property
    def cvv_frame(self) -> FrameLocator:
        return self.page.frame_locator("#cvv-frame iframe")

    def ask_for_code(self) -> None:
        """The supplier is ready: RETRIEVE and PROCESS."""
        self.page.get_by_label("The supplier is on the line or the supplier page is open").check()
        self.page.get_by_role("button", name="RETRIEVE and PROCESS").click()
        expect(self.reveal_frame.get_by_label("One-time code")).to_be_visible(timeout=_PATIENCE_MS)

    def enter_code(self, code: str) -> None:
        self.reveal_frame.get_by_label("One-time code").fill(code)
        self.reveal_frame.get_by_role("button", name="Show card once").click()

    def ask_for_cvv_code(self) -> None:
        # Enter, not a click: see sign_by_typing.
        button = self.page.get_by_role("button", name="Email CVV code")
        expect(button).to_be_enabled()
        button.press("Enter")
        expect(self.cvv_frame.get_by_label("One-time code")).to_be_visible(timeout=_PATIENCE_MS)

    def enter_cvv_code(self, code: str) -> None:
        self.cvv_frame.get_by_label("One-time code").fill(code)
        self.cvv_frame.get_by_role("button", name="Confirm code").press("Enter")

    def show_cvv(self, page: Page, link: str, cvv: str) -> None:
        """The mailed link in another window, and the click that shows the CVV."""
        page.goto(link)
        frame = page.frame_locator("#cvv-frame iframe")
        frame.get_by_role("button", name="Show CVV once").click()
        expect(frame.locator("#cvv-digits")).to_have_text(cvv, timeout=_PATIENCE_MS)
        page.close()

    def expect_cvv_refused(self, page: Page, link: str) -> None:
        """The same link once more."""
        page.goto(link)
        frame = page.frame_locator("#cvv-frame iframe")
        frame.get_by_role("button", name="Show CVV once").click()
        expect(frame.locator("#cvv-problem")).to_be_visible(timeout=_PATIENCE_MS)
        expect(frame.locator("#cvv-digits")).to_be_hidden()
        page.close()

    def void(self, reason: str, *, fresh_link: bool = True) -> None:
        """Void: it asks first."""
        self.page.get_by_role("button", name="Void", exact=True).press("Enter")
        dialog = self.page.get_by_role("dialog")
        expect(dialog).to_contain_text("destroyed for good")
        dialog.get_by_label(re.compile("^Reason|^Why")).fill(reason)
        dialog.get_by_role("checkbox").set_checked(fresh_link)
        dialog.get_by_role("button", name="Void and destroy the card").click()
        expect(self.page.get_by_text("The payment is void")).to_be_visible(timeout=_PATIENCE_MS)

    @property
    def code_problem(self) -> Locator:
        """What the secure frame says about the code."""
        return self.reveal_frame.locator("#code-problem")

    @property
    def try_again(self) -> Locator:
        """The frame's button that sends the same request again."""
        return self.reveal_frame.get_by_role("button", name="Try again")

    def expect_leaving_to_ask(self) -> None:
        """Leaving the page with a shown card warns; the agent stays."""
        asked: list[str] = []

        def stay(dialog: Dialog) -> None:
            asked.append(dialog.type)
            dialog.dismiss()

        self.page.on("dialog", stay)
        address = self.page.url
        with contextlib.suppress(PlaywrightError):  # the navigation is aborted: that is the point
            self.page.evaluate("location.assign('/')")
        wait_until(self.page, lambda: bool(asked), "the warning before leaving")
        self.page.remove_listener("dialog", stay)
        assert asked == ["beforeunload"]
        assert self.page.url == address

    def expect_slips_to_keep_the_card(self, number: str) -> None:
        """Closing with an empty field, or without a network, says so in place; the card stays on the screen."""
        for opener, confirm, words in (
            ("Processed with supplier", "Mark as processed and destroy the card", "Enter the supplier"),
            ("Void", "Void and destroy the card", "Say why"),
        ):
            self.page.get_by_role("button", name=opener, exact=True).click()
            dialog = self.page.get_by_role("dialog")
            dialog.get_by_role("button", name=confirm).click()
            expect(dialog.locator(".wv-in-place")).to_contain_text(words)
            self.page.context.set_offline(True)
            dialog.locator("input.form-control").first.fill("AUR-OFFLINE")
            dialog.get_by_role("button", name=confirm).click()
            expect(dialog.locator(".wv-in-place")).to_contain_text("The connection was lost")
            self.page.context.set_offline(False)
            dialog.locator("input.form-control").first.fill("")
            dialog.locator("[data-wv-close]").click()
            assert self.shown_number() == number

    def close_as_processed(self, confirmation: str) -> None:
        """Processed with supplier: it asks first."""
        self.page.get_by_role("button", name="Processed with supplier").press("Enter")
        dialog = self.page.get_by_role("dialog")
        expect(dialog).to_contain_text("destroyed for good")
        dialog.get_by_label("Confirmation number").fill(confirmation)
        dialog.get_by_role("button", name="Mark as processed and destroy the card").click()
        expect(self.page.locator("#processed")).to_be_visible(timeout=_PATIENCE_MS)

    def sign_out(self) -> None:
        self.page.goto(f"{self.crm}/account")
        self.page.get_by_role("button", name="Sign out").first.click()
        expect(self.page.get_by_label("Password", exact=True)).to_be_visible()

    def shown_number(self) -> str:
        """The digits in the secure frame, as shown."""
        groups = self.reveal_frame.locator("#card-number span")
        expect(groups.first).to_be_visible(timeout=_PATIENCE_MS)
        return " ".join(groups.all_inner_texts())


_STEP_SECONDS: Final = 30
_USED_STEPS: dict[str, int] = {}


@dataclass
class ClientAtHome:
    """A client, their browser page, and the link from their mail."""

    page: Page

    def open(self, link: str) -> None:
        """The mail's button, then the click that opens the request."""
        button = self.page.get_by_role("button", name=re.compile("^Open (payment request|your payment)$"))

        def is_known() -> bool:
            # An e-mail may be faster than the portal's own news of the link; its page then says to try again.
            self.page.goto("about:blank")
            self.page.goto(link)
            return button.is_visible()

        wait_until(self.page, is_known, "the portal to know the link")
        button.click()

    @property
    def card_frame(self) -> FrameLocator:
        return self.page.frame_locator("#card-frame iframe")

    def fill_card(self, number: str = VISA, cvv: str = CVV, name: str = "Eleanor Whitcombe") -> None:
        frame = self.card_frame
        expect(frame.get_by_label("Card number")).to_be_visible(timeout=_PATIENCE_MS)
        frame.get_by_label("Card number").fill(number)
        frame.get_by_label("Expiry date").fill("0431")
        frame.get_by_label("Security code (CVV)").fill(cvv)
        frame.get_by_label("Name on the card").fill(name)

    def fill_address(self) -> None:
        page = self.page
        page.get_by_label("Country").select_option("US")
        page.get_by_label("Address", exact=True).fill("12 Harbour Street")
        page.get_by_label("City").fill("Portland")
        page.get_by_label(re.compile("^(Postal|ZIP)")).fill("04101")
        region = page.get_by_label(re.compile("^(State|Region)"))
        if region.count():
            region.first.fill("Maine")

    def sign_by_typing(self, name: str = "Eleanor Whitcombe") -> None:
        page = self.page
        # By key, not by click: right after the frame changed its height, headless Chromium may still find the frame's
        # old area under the pointer.
        page.get_by_role("radiogroup", name="How you sign").get_by_role("radio", name="Type").press("Space")
        page.get_by_label("Type your full name as your signature").fill(name)
        self.consent()

    def sign_by_drawing(self) -> None:
        self.page.get_by_role("radiogroup", name="How you sign").get_by_role("radio", name="Draw").press("Space")
        canvas = self.page.locator("canvas").first
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box is not None
        mouse = self.page.mouse
        mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.6)
        mouse.down()
        for step in range(1, 12):
            mouse.move(
                box["x"] + box["width"] * (0.2 + 0.05 * step), box["y"] + box["height"] * (0.6 - 0.25 * (step % 2))
            )
        mouse.up()
        self.consent()

    def consent(self) -> None:
        consent = self.page.get_by_role("checkbox").last
        if not consent.is_checked():
            consent.press("Space")
        expect(consent).to_be_checked()

    def submit(self) -> None:
        self.page.get_by_role("button", name=re.compile(r"^Authorize ")).press("Enter")

    def submit_until_accepted(self) -> None:
        """Presses the button again, as the page says, until the authorization is in."""
        thanks = self.page.get_by_role("heading", name="Thank you. Your authorization is in.")
        button = self.page.locator("#authorize-button:not([aria-busy=true])")

        def is_in() -> bool:
            if not thanks.is_visible() and button.is_visible():
                with contextlib.suppress(PlaywrightError):  # the page went on just now
                    button.press("Enter", timeout=1000)
            return thanks.is_visible()

        wait_until(self.page, is_in, "the authorization to be accepted", seconds=30)

    def fill_all(self, *, number: str = VISA, cvv: str = CVV, draw: bool = False) -> None:
        """Everything that the authorization page asks for."""
        self.fill_card(number, cvv)
        self.fill_address()
        if draw:
            self.sign_by_drawing()
        else:
            self.sign_by_typing()

    def authorize(self, link: str, *, number: str = VISA, cvv: str = CVV, draw: bool = False) -> None:
        """The whole of M2, from the mail to the thank-you page."""
        self.open(link)
        self.fill_all(number=number, cvv=cvv, draw=draw)
        self.submit()
        self.expect_thanks()

    @property
    def summary(self) -> Locator:
        """What the page says is wrong."""
        return self.page.locator("#summary")

    def expect_thanks(self) -> None:
        expect(self.page.get_by_role("heading", name="Thank you. Your authorization is in.")).to_be_visible(
            timeout=_PATIENCE_MS
        )
