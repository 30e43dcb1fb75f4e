"""Every part of the house in headless Chromium: accessible, never wider than the phone, working by keyboard."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask, Response, render_template_string, request
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

import chassis.web
from tests.support.browser import chromium
from tests.support.gallery import GallerySettings, make_gallery
from tests.support.web import serving

AXE = (Path(chassis.web.__file__).parent / "static" / "vendor" / "axe.min.js").read_text()
PAGES = ["desk", "list", "list?empty=1", "guest", "sign-in", "nope", "vault-down", "desk?accent=%23ffcc00"]

HOST_PAGE = """
{% extends "layout/guest.html" %}
{% block content %}
<h1>Card</h1>
{{ parts.frame_slot("place", "Secure card form") }}
<p id="log"></p>
<script type="module" nonce="{{ csp_nonce() }}">
  import { mountFrame, relayTo } from "{{ asset('frame-host.js') }}";
  const seen = [];
  window.seen = seen;
  window.frameController = mountFrame(document.getElementById("place"), {
    mode: "capture", origin: "{{ frame_origin }}", title: "Secure card form",
    onReady: () => seen.push("ready"),
    onState: (state) => seen.push(state),
    onShown: (kind) => seen.push(kind),
    onSubmit: () => seen.push("submit"),
    onConfirm: relayTo("/relay", { payment: "pay_1" }),
  });
  window.frameController.begin({ intake_id: "itk_1", agent_name: "Maya", amount_text: "US$ 1,240.00" });
</script>
{% endblock %}
"""

# A stand-in for the frame with the protocol's frame side, so that the host side is tested by itself.
FRAME_PAGE = """<!doctype html><title>frame</title><script>
const parent_ = new URLSearchParams(location.search).get("parent");
const tell = (type, more = {}) => window.parent.postMessage({ wv: 1, type, ...more }, parent_);
const got = [];
addEventListener("message", (event) => {
  if (event.origin !== parent_) return;
  got.push(event.data);
  const { type, request_id } = event.data;
  if (type === "begin") tell("state", { complete: false, brand: "visa" });
  if (type === "begin") tell("confirm", { request_id: "r1", jwe: "sealed" });
  if (type === "seal" && !window.bad) tell("sealed", { request_id, jwe: "a.b.c" });
  if (type === "seal" && window.bad) tell("invalid", { request_id, fields: [{ name: "pan", message: "Too short." }] });
});
tell("ready", { mode: "capture" });
tell("resize", { height: 321 });
</script>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def frame_port() -> Iterator[int]:
    frame = Flask("stand_in_frame")
    frame.add_url_rule("/capture", view_func=lambda: Response(FRAME_PAGE, mimetype="text/html"))
    with serving(frame) as port:
        yield port


@pytest.fixture(scope="module")
def relayed() -> list[object]:
    return []


@pytest.fixture(scope="module")
def origin(frame_port: int, relayed: list[object]) -> Iterator[str]:
    app = make_gallery(GallerySettings(), frame_origin=f"http://card.localhost:{frame_port}")
    app.add_url_rule("/host", view_func=lambda: render_template_string(HOST_PAGE))

    def relay() -> Response:
        relayed.append(request.get_json())
        return Response(json.dumps({"jwe": "answer"}), mimetype="application/json")

    app.add_url_rule("/relay", view_func=relay, methods=["POST"])
    with serving(app) as port:
        yield f"http://crm.localhost:{port}"


def _page(browser: Browser, *, width: int = 1280, scheme: str = "light", motion: str = "reduce") -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce" if motion == "reduce" else "no-preference",
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_part_passes_axe_and_fits_its_screen(browser: Browser, origin: str, width: int, scheme: str) -> None:
    page = _page(browser, width=width, scheme=scheme)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("console", lambda message: faults.append(message.text) if "Security Policy" in message.text else None)
    for path in PAGES:
        page.goto(f"{origin}/{path}")
        page.wait_for_load_state("load")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append(f"{path} scrolls sideways")
        page.evaluate(AXE)
        found = page.evaluate("axe.run().then(r => r.violations.map(v => v.id + ' ' + v.nodes[0].html))")
        faults += [f"{path}: {fault}" for fault in found]
    page.context.close()
    assert faults == []


def test_text_at_twice_its_size_stays_on_a_laptop_screen(browser: Browser, origin: str) -> None:
    # 200 % zoom of a 1280 px window leaves 640 CSS pixels (WCAG 1.4.4).
    page = _page(browser, width=640)
    for path in PAGES:
        page.goto(f"{origin}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 640, path
    page.context.close()


def test_the_alert_flashes_once_a_second_and_is_steady_when_motion_is_reduced(browser: Browser, origin: str) -> None:
    for motion, expected in (("reduce", "none"), ("any", "wv-flash")):
        page = _page(browser, motion=motion)
        page.goto(f"{origin}/list")
        alert = page.get_by_role("link", name="Client online payment pending processing")
        assert alert.evaluate("node => getComputedStyle(node).animationName") == expected
        page.context.close()


def test_slash_goes_to_search_and_a_row_opens_as_a_whole(browser: Browser, origin: str) -> None:
    page = _page(browser)
    page.goto(f"{origin}/list")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.get_by_role("cell", name="Norwegian fjords").click()
    page.wait_for_url("**/desk")
    page.context.close()


def test_a_dialog_puts_the_safe_choice_first(browser: Browser, origin: str) -> None:
    page = _page(browser)
    page.goto(f"{origin}/desk")
    page.get_by_role("button", name="Void", exact=True).click()
    expect(page.get_by_role("dialog", name="Void this payment?")).to_be_visible()
    expect(page.get_by_role("button", name="Keep the payment")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.context.close()


def test_errors_are_summed_up_linked_and_what_was_typed_stays(browser: Browser, origin: str) -> None:
    page = _page(browser)
    page.goto(f"{origin}/desk")
    page.get_by_label("Copy to").fill("nonsense")
    page.get_by_label("Amount").fill("")
    page.get_by_role("button", name="Send link to 2 passengers").click()
    summary = page.get_by_role("alert").filter(has_text="Please check")
    expect(summary).to_be_focused()
    expect(page.get_by_label("Copy to")).to_have_value("nonsense")
    summary.get_by_role("link", name="Enter the amount.").click()
    expect(page.get_by_label("Amount")).to_be_focused()
    page.context.close()


def test_a_card_number_typed_into_a_form_is_stopped_before_it_is_sent(browser: Browser, origin: str) -> None:
    page = _page(browser)
    sent: list[str] = []
    page.on("request", lambda made: sent.append(made.url) if made.method == "POST" else None)
    page.goto(f"{origin}/desk")
    page.get_by_label("Note").fill("her card is 4111 1111 1111 1111")
    page.get_by_label("What it is for").fill("Deposit")
    page.get_by_role("button", name="Send link to 2 passengers").click()
    expect(page.get_by_text("That looks like a card number.")).to_be_visible()
    expect(page.get_by_label("Note")).to_be_focused()
    expect(page.get_by_label("What it is for")).to_have_value("Deposit")
    assert sent == []
    page.context.close()


def _paper(name: str) -> FilePayload:
    return {"name": name, "mimeType": "application/pdf", "buffer": b"%PDF-"}


def test_a_card_number_in_a_files_name_is_said_before_it_is_sent_and_nothing_typed_is_lost(
    browser: Browser, origin: str
) -> None:
    page = _page(browser)
    sent: list[str] = []
    page.on("request", lambda made: sent.append(made.url) if made.method == "POST" else None)
    page.goto(f"{origin}/desk")
    page.get_by_label("What it is for").fill("Deposit")
    field = '<div class="wv-field"><input type="file" name="paper" id="paper"></div>'
    page.evaluate("field => document.querySelector('#due').form.insertAdjacentHTML('beforeend', field)", field)
    page.locator("#paper").set_input_files(_paper("4111-1111-1111-1111.pdf"))
    said = page.get_by_text("The name of this file looks like a card number.")
    expect(said).to_be_visible()
    page.get_by_role("button", name="Send link to 2 passengers").click()
    expect(page.get_by_label("What it is for")).to_have_value("Deposit")
    assert sent == []
    page.locator("#paper").set_input_files(_paper("visa.pdf"))
    expect(said).to_be_hidden()
    page.context.close()


def test_a_day_that_there_is_not_is_never_sent_as_none(browser: Browser, origin: str) -> None:
    """Browsers send nothing at all for what stands in a date field and is no day."""
    page = _page(browser)
    page.goto(f"{origin}/desk")
    page.get_by_label("What it is for").fill("Deposit")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    due = page.locator("#due")
    due.press_sequentially("02312027")
    page.get_by_role("button", name="Send link to 2 passengers").click()
    expect(page.get_by_text("There is no such day, or a part of the date is missing.")).to_be_visible()
    expect(due).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("What it is for")).to_have_value("Deposit")
    assert "POST" not in sent
    due.fill("2027-02-28")
    expect(page.get_by_text("There is no such day")).to_have_count(0)
    page.get_by_role("button", name="Send link to 2 passengers").click()
    expect(page.locator("#due")).to_have_value("2027-02-28")
    assert "POST" in sent
    page.context.close()


def test_what_is_pasted_beyond_a_fields_length_is_kept_and_refused_in_words(browser: Browser, origin: str) -> None:
    page = _page(browser)
    page.goto(f"{origin}/desk")
    purpose = page.get_by_label("What it is for")
    purpose.focus()
    page.keyboard.insert_text("Deposit " * 40)
    page.get_by_role("button", name="Send link to 2 passengers").click()
    expect(page.get_by_text("Use at most 200 characters.").first).to_be_visible()
    assert len(page.get_by_label("What it is for").input_value()) > 300
    page.context.close()


def test_a_form_can_t_be_sent_twice(browser: Browser, origin: str) -> None:
    page = _page(browser)
    page.goto(f"{origin}/desk")
    sent: list[str] = []
    page.on("request", lambda made: sent.append(made.url) if made.method == "POST" else None)
    # Answered with nothing, the page stays, as it does while an answer takes its time.
    page.route("**/desk", lambda route: route.fulfill(status=204))
    button = page.locator("#link form button[type=submit]")
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    page.evaluate("document.querySelector('#link form').requestSubmit()")
    assert len(sent) == 1
    page.context.close()


def test_a_signature_is_drawn_or_typed_and_never_missing(browser: Browser, origin: str) -> None:
    page = _page(browser, width=390)
    page.goto(f"{origin}/guest")
    button = page.get_by_role("button", name="Authorize US$")
    button.click()
    expect(page.get_by_text("Please sign in the box")).to_be_visible()
    pad = page.locator("canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 110, steps=12)
    page.mouse.up()
    image = page.locator("[name=signature_image]").input_value()
    assert image.startswith("data:image/png;base64,")
    assert len(image) < 100_000
    page.get_by_role("button", name="Clear").click()
    assert page.locator("[name=signature_image]").input_value() == ""
    page.get_by_text("Type", exact=True).click()
    page.get_by_label("Type your full name").fill("Elena Petrova")
    assert page.locator("[name=signature_kind]").input_value() == "typed"
    with page.expect_request(lambda made: made.method == "POST"):
        button.click()
    page.context.close()


def test_without_scripts_pages_still_say_and_send_everything(browser: Browser, origin: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{origin}/guest")
    expect(page.get_by_label("Type your full name")).to_be_visible()
    page.goto(f"{origin}/desk")
    page.get_by_role("button", name="Send link to 2 passengers").click()
    expect(page.get_by_role("heading", name="Please check")).to_be_visible()
    context.close()


def test_the_host_passes_sealed_messages_both_ways(browser: Browser, origin: str, relayed: list[object]) -> None:
    page = _page(browser)
    page.goto(f"{origin}/host")
    page.wait_for_function("window.seen && window.seen.length >= 2")
    iframe = page.locator("#place iframe")
    assert iframe.get_attribute("title") == "Secure card form"
    assert set((iframe.get_attribute("sandbox") or "").split()) == {"allow-scripts", "allow-same-origin", "allow-forms"}
    expect(iframe).to_have_css("height", "321px")
    assert page.evaluate("seen") == ["ready", {"complete": False, "brand": "visa"}]
    assert page.evaluate("frameController.seal()") == "a.b.c"
    frame = next(frame for frame in page.frames if "card.localhost" in frame.url)
    frame.wait_for_function("got.some((m) => m.type === 'answer')")
    assert frame.evaluate("got.find((m) => m.type === 'answer')") == {
        "wv": 1,
        "type": "answer",
        "request_id": "r1",
        "jwe": "answer",
    }
    assert relayed[-1] == {"payment": "pay_1", "jwe": "sealed"}
    frame.evaluate("window.bad = true")
    assert page.evaluate("frameController.seal().catch((error) => error.messages)") == ["Too short."]
    page.context.close()


def test_the_host_listens_to_its_frame_only(browser: Browser, origin: str) -> None:
    page = _page(browser)
    page.goto(f"{origin}/host")
    page.wait_for_function("window.seen && window.seen.length >= 2")
    page.evaluate("window.postMessage({ wv: 1, type: 'shown', kind: 'card' }, '*')")
    page.evaluate("new Promise((done) => setTimeout(done, 50))")
    assert page.evaluate("seen.length") == 2
    page.context.close()


def _answering(status: int, body: object) -> Callable[[Route], None]:
    def answer(route: Route) -> None:
        if status:
            route.fulfill(status=status, content_type="application/json", body=json.dumps(body))
        else:
            route.abort()

    return answer


def test_a_lost_or_refused_relay_is_told_to_the_frame(browser: Browser, origin: str) -> None:
    for status, body, expected in (
        (
            422,
            {"error": {"code": "CODE_WRONG", "message": "That code is not right.", "field": "", "attempts_left": 4}},
            {"type": "refused", "code": "CODE_WRONG", "message": "That code is not right.", "attempts_left": 4},
        ),
        (0, {}, {"type": "unreachable"}),
    ):
        page = _page(browser)
        page.route("**/relay", _answering(status, body))
        page.goto(f"{origin}/host")
        page.wait_for_function("window.seen && window.seen.length >= 2")
        frame = next(frame for frame in page.frames if "card.localhost" in frame.url)
        frame.wait_for_function("got.some((m) => m.type === 'refused' || m.type === 'unreachable')")
        told = frame.evaluate("got.find((m) => m.type === 'refused' || m.type === 'unreachable')")
        assert {**told, **expected} == told
        page.context.close()
