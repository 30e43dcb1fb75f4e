"""The secure frame in a real browser, embedded by a page of another origin, against keys of our own."""

import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, FrameLocator, Page, expect

from chassis.errors import Unavailable
from chassis.sealing import OpeningKey, open_sealed, seal_to
from services.vault.frame.app import FrameSettings, create_app
from services.vault.frame.scripts import built, differences, listed, served
from tests.support.browser import chromium
from tests.support.cards import PUBLISHED
from tests.support.web import serving

VISA = "4111 1111 1111 1111"
AMEX = "378282246310005"
# The embedding page: keeps what the frame says, sends what the test says.
PARENT_PAGE = """<!doctype html><title>parent</title><body><script>
window.heard = [];
addEventListener("message", (event) => { if (event.source === document.querySelector("iframe")?.contentWindow) window.heard.push(event.data); });
window.say = (message) => document.querySelector("iframe").contentWindow.postMessage({wv: 1, ...message}, window.frameOrigin);
window.embed = (origin, path) => { window.frameOrigin = origin; const frame = document.createElement("iframe");
  frame.src = origin + path; frame.style = "width:100%;height:600px;border:0"; document.body.append(frame); };
</script>"""  # noqa: E501


@dataclass
class Keys:
    """The vault's sealing key as the frame host gets it."""

    key: OpeningKey
    available: bool = True

    def current_public_jwk(self) -> Mapping[str, str]:
        if not self.available:
            raise Unavailable
        return {**self.key.public.public_jwk, "kid": str(self.key.kid)}


@dataclass(frozen=True)
class Stage:
    """A page that embeds the frame."""

    page: Page
    keys: Keys
    frame_origin: str
    parent_origin: str

    def embed(self, mode: str, extra: str = "") -> FrameLocator:
        self.page.goto(self.parent_origin)
        path = f"/{mode}?parent={self.parent_origin}&scheme=light&accent=0f5b61{extra}"
        self.page.evaluate("([origin, path]) => embed(origin, path)", [self.frame_origin, path])
        self.hear("ready")
        return self.page.frame_locator("iframe")

    def say(self, **message: object) -> None:
        self.page.evaluate("(message) => say(message)", message)

    def hear(self, kind: str, *, count: int = 1) -> dict[str, object]:
        """Waits for the count-th message of a kind."""
        self.page.wait_for_function(
            "([kind, count]) => heard.filter((m) => m.type === kind).length >= count", arg=[kind, count], timeout=10_000
        )
        heard = self.page.evaluate("(kind) => heard.filter((m) => m.type === kind)", kind)
        assert isinstance(heard[count - 1], dict)
        return dict(heard[count - 1])

    def opened(self, message: dict[str, object], typ: str) -> dict[str, object]:
        return dict(json.loads(open_sealed(self.keys.key, str(message["jwe"]), typ)))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def stage(browser: Browser) -> Iterator[Stage]:
    keys = Keys(OpeningKey.generate("seal-1"))
    parent_port = _free_port()
    parent_origin = f"http://crm.localhost:{parent_port}"
    host = create_app(FrameSettings(parents=[parent_origin]), keys)
    parent = Flask("parent")
    parent.add_url_rule("/", "page", lambda: PARENT_PAGE)
    with serving(parent, port=parent_port), serving(host) as frame_port:
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield Stage(page, keys, f"http://card.localhost:{frame_port}", parent_origin)
        page.close()
        assert errors == []


def _fill_card(frame: FrameLocator, number: str = VISA, cvv: str = "123") -> None:
    frame.get_by_label("Card number").fill(number)
    frame.get_by_label("Expiry date").fill("0431")
    frame.get_by_label("Security code (CVV)").fill(cvv)
    frame.get_by_label("Name on the card").fill("Ann Lee")


def test_a_card_is_sealed_to_the_vault_and_opens_there_only(stage: Stage) -> None:
    frame = stage.embed("capture")
    stage.say(type="begin", intake_id="int_1", agent_name="Maya Okafor")
    _fill_card(frame)
    stage.say(type="seal", request_id="r1")

    sealed = stage.hear("sealed")

    assert sealed["request_id"] == "r1"
    assert stage.opened(sealed, "wv-store+jwe") == {
        "pan": "4111111111111111",
        "exp_month": 4,
        "exp_year": 2031,
        "cvv": "123",
        "name": "Ann Lee",
        "intake_id": "int_1",
    }
    heard = json.dumps(stage.page.evaluate("heard"))
    assert "4111" not in heard
    expect(frame.get_by_text("Only Maya Okafor can open it, once.")).to_be_visible()


def test_a_pasted_number_is_grouped_and_its_brand_is_shown(stage: Stage) -> None:
    frame = stage.embed("capture")
    field = frame.get_by_label("Card number")
    field.fill("3782 822463-10005")

    expect(field).to_have_value("3782 822463 10005")
    expect(frame.locator("[data-mark=amex]")).to_be_visible()
    expect(frame.get_by_text("4 digits, on the front above the number")).to_be_visible()
    field.fill(VISA)
    expect(frame.locator("[data-mark=visa]")).to_be_visible()
    expect(frame.get_by_text("3 digits, on the back by the signature")).to_be_visible()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("Card number", "4111 1111 1111 1112", "not quite right"),
        ("Card number", "4111", "too short"),
        ("Expiry date", "0120", "has expired"),
        ("Expiry date", "13/30", "month and year"),
        ("Security code (CVV)", "12", "has 3 digits"),
        ("Name on the card", "4111 1111 1111 1111", "name only"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_sealed(
    stage: Stage, field: str, value: str, message: str
) -> None:
    frame = stage.embed("capture")
    stage.say(type="begin", intake_id="int_1", agent_name="Maya")
    _fill_card(frame)
    frame.get_by_label(field).fill(value)
    stage.say(type="seal", request_id="r1")

    stage.hear("invalid")
    expect(frame.get_by_label(field)).to_have_attribute("aria-invalid", "true")
    expect(frame.get_by_text(message)).to_be_visible()
    assert stage.page.evaluate("heard.every((m) => m.type !== 'sealed')")


def test_fields_ask_for_the_right_autofill_and_phone_keyboard(stage: Stage) -> None:
    frame = stage.embed("capture")
    for label, token in [
        ("Card number", "cc-number"),
        ("Expiry date", "cc-exp"),
        ("Security code (CVV)", "cc-csc"),
        ("Name on the card", "cc-name"),
    ]:
        expect(frame.get_by_label(label)).to_have_attribute("autocomplete", token)
    expect(frame.get_by_label("Card number")).to_have_attribute("inputmode", "numeric")


PASTED_NUMBERS = (
    *(
        "4111-1111-1111-1111",
        "4111\u00a01111\u00a01111\u00a01111",
        "4111\u20111111\u20111111\u20111111",
        "4111.1111.1111.1111",
    ),
    *("\u200e4111 1111 1111 1111\u202c", "4111 1111\n1111 1111", "4111\t1111\t1111\t1111 ", "4\u200b111111111111111"),
    *(
        "\uff14\uff11\uff11\uff11 1111 1111 1111",
        "\u0664\u0661\u0661\u0661 1111 1111 1111",
        "Visa: 4111  1111  1111  1111",
    ),
    *("My card for the cruise and for both hotels: 4111 1111 1111 1111", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"),
)
_PASTE = "(input, text) => { input.focus(); document.execCommand('insertText', false, text); }"


def test_a_number_pasted_in_any_way_is_that_number_or_refused_but_never_cut(stage: Stage) -> None:
    frame = stage.embed("capture")
    stage.say(type="begin", intake_id="int_1", agent_name="Maya")
    _fill_card(frame)
    number, name = frame.get_by_label("Card number"), frame.get_by_label("Name on the card")
    for count, text in enumerate(PASTED_NUMBERS, start=1):
        number.fill("")
        number.evaluate(_PASTE, text)
        expect(number).to_have_value("4111 1111 1111 1111")
        stage.say(type="seal", request_id=f"r{count}")
        assert stage.opened(stage.hear("sealed", count=count), "wv-store+jwe")["pan"] == "4111111111111111", text
    for text, said in {
        "4111 1111 1111 1111 05/27 123": "too long",
        "4111 1111 1111 1111 0100": "too long",
        "3782 822463 10005 0": "too long",
        "4111 1111 1111 11": "right number of digits",
        "4111 1111 111": "too short",
    }.items():
        number.fill("")
        number.evaluate(_PASTE, text)
        name.focus()
        expect(frame.locator("#cc-number-problem")).to_contain_text(said)
        assert [char for char in number.input_value() if char.isdigit()] == [char for char in text if char.isdigit()]


def test_a_security_code_of_another_length_is_refused_and_never_cut(stage: Stage) -> None:
    frame = stage.embed("capture")
    code, name = frame.get_by_label("Security code (CVV)"), frame.get_by_label("Name on the card")
    for number, text, said in (
        (VISA, "1234", "The security code has 3 digits."),
        (AMEX, "123", "The security code has 4 digits."),
        (AMEX, "12345", "The security code has 4 digits."),
        (VISA, "\uff11\uff12\uff13", ""),
        (VISA, " 1 2 3\n", ""),
        (VISA, "CVV: 123", ""),
        (AMEX, "1234", ""),
    ):
        frame.get_by_label("Card number").fill(number)
        code.fill("")
        code.evaluate(_PASTE, text)
        name.focus()
        expect(frame.locator("#cc-csc-problem")).to_have_text(said)


def test_the_caret_stays_behind_its_digit_and_a_blank_between_groups_hinders_no_key(stage: Stage) -> None:
    frame = stage.embed("capture")
    number = frame.get_by_label("Card number")
    caret = "input => input.selectionStart"
    number.press_sequentially("411111111111111")
    for _ in range(6):
        number.press("ArrowLeft")
    number.press("9")
    expect(number).to_have_value("4111 1111 1191 1111")
    assert number.evaluate(caret) == 13
    number.press("Backspace")
    expect(number).to_have_value("4111 1111 1111 111")
    number.evaluate("input => input.setSelectionRange(10, 10)")
    number.press("Backspace")
    expect(number).to_have_value("4111 1111 1111 11")
    assert number.evaluate(caret) == 8
    number.fill("4111 1222 2333 3444")
    number.evaluate("input => input.setSelectionRange(4, 4)")
    number.press("Delete")
    number.press("Delete")
    expect(number).to_have_value("4111 2223 3334 44")
    assert number.evaluate(caret) == 4
    number.fill("4111 1111")
    number.evaluate("input => input.setSelectionRange(2, 2)")
    number.evaluate(_PASTE, "99-88")
    expect(number).to_have_value("4199 8811 1111")
    assert number.evaluate(caret) == 7


def test_what_an_input_method_composes_is_taken_when_it_is_done(stage: Stage) -> None:
    frame = stage.embed("capture")
    method = stage.page.context.new_cdp_session(stage.page)
    for label, composed, value in (
        ("Card number", "\uff14\uff11\uff11\uff11\uff11\uff11", "4111 11"),
        ("Expiry date", "\uff11\uff12\uff13\uff10", "12 / 30"),
        ("Security code (CVV)", "\uff11\uff12\uff13", "123"),
    ):
        field = frame.get_by_label(label)
        field.focus()
        for end in range(1, len(composed) + 1):
            method.send("Input.imeSetComposition", {"text": composed[:end], "selectionStart": end, "selectionEnd": end})
            expect(field).to_have_value(composed[:end])
        method.send("Input.insertText", {"text": composed})
        expect(field).to_have_value(value)


def test_what_a_browser_filled_in_and_told_by_one_event_alone_is_read(stage: Stage) -> None:
    frame = stage.embed("capture")
    stage.say(type="begin", intake_id="int_1", agent_name="Maya")
    _fill_card(frame)
    for label, text, value in (
        ("Card number", "5555555555554444", "5555 5555 5555 4444"),
        ("Expiry date", "5/2031", "05 / 31"),
        ("Security code (CVV)", " 321 ", "321"),
    ):
        field = frame.get_by_label(label)
        field.evaluate(
            "(input, text) => { input.value = text; input.dispatchEvent(new Event('change', {bubbles: true})); }", text
        )
        expect(field).to_have_value(value)
    expect(frame.locator("#brand-name")).to_have_text("Mastercard, number looks right")


EXPIRIES = {
    (12, 2030): "12/2030|122030|12 2030|12-2030|12/30|12-30|12.30|1230|12 / 30|2030-12|203012|2030/12|12 / 2030|"
    "\uff11\uff12/\uff13\uff10|\u0661\u0662/\u0663\u0660",
    (1, 2031): "1/2031|1/31|01/31|131|0131|2031-01|2031-1|1 31",
    (
        4,
        2031,
    ): "431|4/31|4-2031|04/2031|Apr 31|April 2031|apr. 31|Expires: 04/2031|exp date 04/2031|Valid thru 04 / 2031|"
    "04\u00a0/\u00a031|04\u2044 2031|\u200e04/31\u200e|04\uff0f31",
}


def test_every_usual_way_of_writing_an_expiry_is_that_month_typed_pasted_and_filled_in(stage: Stage) -> None:
    frame = stage.embed("capture")
    stage.say(type="begin", intake_id="int_1", agent_name="Maya")
    _fill_card(frame)
    field, name, count = frame.get_by_label("Expiry date"), frame.get_by_label("Name on the card"), 0
    for (month, year), texts in EXPIRIES.items():
        for text in texts.split("|"):
            for way in ("keys", "paste", "autofill"):
                field.fill("")
                if way == "keys":
                    field.press_sequentially(text)
                elif way == "paste":
                    field.focus()
                    field.evaluate("(input, text) => document.execCommand('insertText', false, text)", text)
                else:
                    field.evaluate(
                        "(input, text) => { input.value = text; input.dispatchEvent(new Event('input')); }", text
                    )
                name.focus()
                expect(field).to_have_value(f"{month:02} / {year % 100:02}")
                stage.say(type="seal", request_id=f"r{count}")
                count += 1
                sealed = stage.opened(stage.hear("sealed", count=count), "wv-store+jwe")
                assert (sealed["exp_month"], sealed["exp_year"]) == (month, year), (text, way)


def test_its_text_is_as_large_as_the_page_around_it_has_it(stage: Stage) -> None:
    frame = stage.embed("capture")
    size = "document.documentElement.style.fontSize"
    for px in (32, 20.5):
        stage.say(type="text-size", px=px)
        expect(frame.locator("html")).to_have_css("font-size", f"{px}px")
    for nonsense in (0, 1, 500, -4, "40", None):
        stage.say(type="text-size", px=nonsense)
    stage.say(type="text-size", px=24)
    expect(frame.locator("html")).to_have_css("font-size", "24px")
    assert frame.locator("html").evaluate(f"() => {size}") == "24px"


def test_a_good_number_is_ticked_and_with_large_text_on_a_phone_all_its_digits_are_in_sight(stage: Stage) -> None:
    stage.page.set_viewport_size({"width": 317, "height": 844})  # what the portal leaves the frame of 390 px
    frame = stage.embed("capture")
    stage.say(type="text-size", px=32)
    number, tick = frame.get_by_label("Card number"), frame.locator("#number-good")
    expect(tick).to_be_hidden()
    for digits in (VISA, AMEX, "6212345678900000003", "501800000009"):
        number.fill(digits)
        expect(tick).to_be_visible()
        wide, room = number.evaluate("field => [field.scrollWidth, field.clientWidth]")
        assert wide <= room, digits
    number.fill("4111 1111 1111 1112")
    expect(tick).to_be_hidden()


def test_a_month_or_year_that_is_none_is_refused_as_it_was_typed(stage: Stage) -> None:
    frame = stage.embed("capture")
    field = frame.get_by_label("Expiry date")
    field.press_sequentially("13/30")
    expect(field).to_have_value("13 / 30")
    frame.get_by_label("Name on the card").focus()
    expect(frame.get_by_text("month and year")).to_be_visible()
    field.fill("")
    field.press_sequentially("12/20")
    frame.get_by_label("Name on the card").focus()
    expect(frame.get_by_text("has expired")).to_be_visible()
    for text, said in {
        "00/30": "month and year",
        "13/2030": "month and year",
        "12/2099": "too far ahead",
        "05/27/2030": "month and year",
        "2030": "month and year",
        "12": "month and year",
        "soon": "month and year",
        "Expires: 12/2020": "has expired",
    }.items():
        field.fill("")
        field.evaluate(_PASTE, text)
        frame.get_by_label("Name on the card").focus()
        expect(frame.locator("#cc-exp-problem")).to_contain_text(said)


def test_every_networks_card_is_taken_and_called_by_its_name(stage: Stage) -> None:
    frame = stage.embed("capture")
    stage.say(type="begin", intake_id="int_1", agent_name="Maya")
    for count, (digits, words) in enumerate(PUBLISHED, start=1):
        _fill_card(frame, number=digits, cvv="1234" if words == "American Express" else "123")
        expect(frame.locator("#brand-name")).to_have_text(f"{words}, number looks right")
        stage.say(type="seal", request_id=f"r{count}")
        assert stage.opened(stage.hear("sealed", count=count), "wv-store+jwe")["pan"] == digits


def test_a_card_without_a_security_code_needs_none(stage: Stage) -> None:
    frame = stage.embed("capture")
    stage.say(type="begin", intake_id="int_1", agent_name="Maya")
    _fill_card(frame, number="501800000009", cvv="")
    tick = frame.get_by_label("This card has no security code")
    tick.check()
    expect(frame.get_by_label("Security code (CVV)")).to_be_disabled()
    stage.say(type="seal", request_id="r1")
    assert stage.opened(stage.hear("sealed"), "wv-store+jwe")["cvv"] == ""
    frame.get_by_label("Card number").fill(VISA)
    expect(tick).to_be_hidden()
    expect(frame.get_by_label("Security code (CVV)")).to_be_enabled()


def test_where_the_policy_keeps_no_code_none_is_asked_for(stage: Stage) -> None:
    frame = stage.embed("capture", "&cvv=none")
    stage.say(type="begin", intake_id="int_1", agent_name="Maya")
    expect(frame.get_by_label("Security code (CVV)")).to_be_hidden()
    frame.get_by_label("Card number").fill(VISA)
    frame.get_by_label("Expiry date").fill("0431")
    frame.get_by_label("Name on the card").fill("Ann Lee")
    stage.page.wait_for_function("heard.some((m) => m.type === 'state' && m.complete)", timeout=10_000)
    stage.say(type="seal", request_id="r1")
    assert stage.opened(stage.hear("sealed"), "wv-store+jwe")["cvv"] == ""


def test_the_cvv_form_seals_a_cvv_alone(stage: Stage) -> None:
    frame = stage.embed("capture", "&kind=cvv")
    expect(frame.get_by_label("Card number")).to_be_hidden()
    stage.say(type="begin", intake_id="int_2", agent_name="Maya")
    frame.get_by_label("Security code (CVV)").fill("987")
    stage.say(type="seal", request_id="r1")

    assert stage.opened(stage.hear("sealed"), "wv-cvv-store+jwe") == {"cvv": "987", "intake_id": "int_2"}


def _begin_reveal(stage: Stage, kind: str = "card") -> FrameLocator:
    stage.page.add_init_script(
        "const made = crypto.subtle.generateKey.bind(crypto.subtle); window.extractable = [];"
        "crypto.subtle.generateKey = (alg, extractable, uses) => {"
        " window.extractable.push(extractable); return made(alg, extractable, uses); };"
    )
    frame = stage.embed("reveal")
    stage.say(
        type="begin",
        kind=kind,
        challenge_id="chl_1",
        expires_at="2099-01-01T00:00:00Z",
        address_hint="m***@harbour.example",
    )
    frame.get_by_label("One-time code").fill("48151623")
    return frame


@pytest.mark.parametrize("minutes_wrong", [10, -10, 60 * 24 * 400])
def test_a_browsers_wrong_clock_does_not_call_a_good_code_expired(stage: Stage, minutes_wrong: int) -> None:
    stage.page.add_init_script(
        f"const right = Date.now.bind(Date); Date.now = () => right() + {minutes_wrong} * 60000;"
    )
    frame = stage.embed("reveal")
    expires_at = datetime.now(UTC) + timedelta(minutes=5)
    stage.say(type="begin", kind="card", challenge_id="chl_1", expires_at=expires_at.isoformat(), address_hint="m***")
    expect(frame.get_by_text("This code works for 4:5")).to_be_visible()


def test_the_code_is_sealed_and_the_card_that_comes_back_is_shown(stage: Stage) -> None:
    frame = _begin_reveal(stage)
    expect(frame.get_by_text("m***@harbour.example")).to_be_visible()
    frame.get_by_role("button", name="Show card once").click()
    confirm = stage.hear("confirm")
    request = stage.opened(confirm, "wv-reveal+jwe")
    assert request["challenge_id"] == "chl_1"
    assert request["code"] == "48151623"
    reply_key = request["reply_key"]
    assert isinstance(reply_key, dict)
    assert "d" not in reply_key
    card = {"pan": AMEX, "exp_month": 4, "exp_year": 2031, "name": "Ann Lee", "brand": "amex"}

    answer = seal_to(reply_key, json.dumps(card).encode(), "wv-card+jwe")
    stage.say(type="answer", request_id=confirm["request_id"], jwe=answer)

    stage.hear("shown")
    groups = frame.locator("#card-number span")
    assert groups.all_inner_texts() == ["3782", "822463", "10005"]
    expect(frame.get_by_text("04 / 2031")).to_be_visible()
    expect(frame.get_by_text("Ann Lee")).to_be_visible()
    assert AMEX not in json.dumps(stage.page.evaluate("heard"))
    # The first key pair made is the reply key; jose then makes the request's own ephemeral one, used once.
    assert stage.page.frames[1].evaluate("window.extractable[0]") is False


def test_a_lost_connection_sends_the_very_same_request_again(stage: Stage) -> None:
    frame = _begin_reveal(stage)
    frame.get_by_role("button", name="Show card once").click()
    first = stage.hear("confirm")
    stage.say(type="unreachable", request_id=first["request_id"])

    frame.get_by_role("button", name="Try again").click()

    assert stage.hear("confirm", count=2) == first


def test_a_wrong_code_can_be_corrected_and_a_locked_one_only_replaced(stage: Stage) -> None:
    frame = _begin_reveal(stage)
    frame.get_by_role("button", name="Show card once").click()
    first = stage.hear("confirm")
    stage.say(
        type="refused",
        request_id=first["request_id"],
        code="CODE_WRONG",
        message="That code is not right.",
        attempts_left=4,
    )
    expect(frame.get_by_text("That code is not right. 4 tries left.")).to_be_visible()
    frame.get_by_label("One-time code").fill("11112222")
    frame.get_by_role("button", name="Show card once").click()
    second = stage.hear("confirm", count=2)
    one, two = stage.opened(first, "wv-reveal+jwe"), stage.opened(second, "wv-reveal+jwe")
    assert one["reply_key"] == two["reply_key"]

    stage.say(
        type="refused",
        request_id=second["request_id"],
        code="CODE_LOCKED",
        message="Too many wrong codes.",
        attempts_left=0,
    )

    expect(frame.get_by_label("One-time code")).to_be_disabled()
    frame.get_by_role("button", name="Send a new code").click()
    stage.hear("resend")


def test_a_cvv_code_is_confirmed_without_any_card_coming_back(stage: Stage) -> None:
    frame = _begin_reveal(stage, kind="cvv")
    frame.get_by_role("button", name="Confirm code").click()
    confirm = stage.hear("confirm")
    assert stage.opened(confirm, "wv-cvv-confirm+jwe") == {"challenge_id": "chl_1", "code": "48151623"}

    stage.say(type="answer", request_id=confirm["request_id"], accepted=True, address_hint="m***@harbour.example")

    expect(frame.get_by_text("The code is right.")).to_be_visible()


def test_an_approvers_code_is_confirmed_without_any_card_coming_back(stage: Stage) -> None:
    frame = _begin_reveal(stage, kind="approve")
    frame.get_by_role("button", name="Approve").click()
    confirm = stage.hear("confirm")
    assert stage.opened(confirm, "wv-approve+jwe") == {"challenge_id": "chl_1", "code": "48151623"}

    stage.say(type="answer", request_id=confirm["request_id"], accepted=True)

    expect(frame.get_by_text("The second reveal is approved.")).to_be_visible()
    assert stage.hear("shown")["kind"] == "approved"


def test_the_cvv_is_shown_after_a_click_only(stage: Stage) -> None:
    frame = stage.embed("cvv")
    stage.say(type="begin", link_token="token-1")
    button = frame.get_by_role("button", name="Show CVV once")
    expect(button).to_be_enabled()
    assert stage.page.evaluate("heard.every((m) => m.type !== 'confirm')")
    button.click()
    confirm = stage.hear("confirm")
    request = stage.opened(confirm, "wv-cvv-redeem+jwe")
    assert request["link_token"] == "token-1"
    assert isinstance(request["reply_key"], dict)

    answer = seal_to(request["reply_key"], b'{"cvv":"123"}', "wv-cvv+jwe")
    stage.say(type="answer", request_id=confirm["request_id"], jwe=answer)

    expect(frame.get_by_role("img", name="CVV 1 2 3")).to_have_text("123")


def test_an_answer_of_another_type_or_key_is_not_shown_and_burns_nothing(stage: Stage) -> None:
    frame = _begin_reveal(stage)
    frame.get_by_role("button", name="Show card once").click()
    confirm = stage.hear("confirm")
    stranger = OpeningKey.generate()
    answer = seal_to(stranger.public.public_jwk, b"{}", "wv-card+jwe")

    stage.say(type="answer", request_id=confirm["request_id"], jwe=answer)

    expect(frame.get_by_role("button", name="Try again")).to_be_visible()


def test_a_page_that_may_not_embed_the_frame_gets_nothing(stage: Stage) -> None:
    refused = stage.page.goto(f"{stage.frame_origin}/capture?parent=http://evil.example")
    assert refused is not None
    assert refused.status == 403

    allowed = stage.page.goto(f"{stage.frame_origin}/capture?parent={stage.parent_origin}")
    assert allowed is not None
    policy = allowed.headers["content-security-policy"]
    assert "connect-src 'none'" in policy
    assert f"frame-ancestors {stage.parent_origin}" in policy
    assert allowed.headers["cache-control"] == "no-store"


def test_the_frame_has_no_way_to_the_network(stage: Stage) -> None:
    stage.embed("capture")

    blocked = stage.page.frames[1].evaluate("fetch('/healthz').then(() => 'reached', () => 'blocked')")
    assert blocked == "blocked"


def test_without_a_sealing_key_the_frame_says_so_plainly(stage: Stage) -> None:
    stage.keys.available = False
    frame = stage.embed("capture")

    stage.hear("failed")
    expect(frame.get_by_text("The secure form can't be loaded right now.")).to_be_visible()
    expect(frame.get_by_label("Card number")).to_be_hidden()


def test_every_file_that_a_secure_page_loads_is_on_the_list_with_its_hash() -> None:
    assert differences(listed(), built()) == []


def test_a_running_site_is_compared_with_the_list_and_a_change_is_found() -> None:
    host = create_app(FrameSettings(parents=["http://crm.localhost:1"]), Keys(OpeningKey.generate("seal-1")))
    with serving(host) as port:
        found = served(f"http://127.0.0.1:{port}")
    assert differences(listed(), found) == []
    assert differences(listed(), {**found, "capture.js": "0" * 64}) == ["capture.js: differs from the list"]
    assert differences(listed(), {**found, "extra.js": "0" * 64}) == ["extra.js: is not on the list"]


def test_a_page_loads_nothing_but_listed_files(stage: Stage) -> None:
    loaded: list[str] = []
    stage.page.on("request", lambda request: loaded.append(request.url))
    for mode in ("capture", "reveal", "cvv"):
        stage.embed(mode)

    from_frame = {url.split("?")[0].rpartition("/")[2] for url in loaded if url.startswith(stage.frame_origin)}
    assert from_frame - {"capture", "reveal", "cvv", "favicon.ico"} <= set(listed())
    assert all(url.startswith((stage.frame_origin, stage.parent_origin)) for url in loaded)


def test_over_https_browsers_are_told_to_stay_there_and_another_name_gets_nothing() -> None:
    settings = FrameSettings(parents=["https://crm.agency.example"], hosts=frozenset({"card.example"}), https=True)
    client = create_app(settings, Keys(OpeningKey.generate("seal-1"))).test_client()
    answer = client.get("/asset/frame.css", headers={"Host": "card.example"})
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert client.get("/asset/frame.css", headers={"Host": "evil.example"}).status_code == 421
