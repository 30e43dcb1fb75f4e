import re
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask, render_template_string
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from chassis.money import Money
from chassis.web import formatting, forms
from chassis.web.icons import UnknownIcon, icon
from tests.support.gallery import NOW, GallerySettings, LinkForm, make_gallery


@pytest.fixture
def app() -> Flask:
    app = make_gallery(GallerySettings())
    app.config["WTF_CSRF_ENABLED"] = False
    return app


class SmallForm(forms.Form):
    amount = forms.MoneyField("Amount", [forms.required("Enter the amount.")])
    name = forms.StringField("Name", [forms.required("Enter a name.")])
    phone = forms.PhoneField("Phone")
    code = forms.CodeField("Code", digits=6)


def _form(app: Flask, **values: str) -> SmallForm:
    with app.test_request_context("/", method="POST"):
        form = SmallForm(MultiDict(values))
        form.validate()
        return form


GOOD = {"amount": "1,240.50", "name": "Elena", "phone": "+1 (305) 555 0142", "code": "123 456"}


def test_good_values_are_read(app: Flask) -> None:
    form = _form(app, **GOOD)
    assert form.errors == {}
    assert form.amount.data == Money(minor=124050, currency="USD")
    assert form.code.data == "123456"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("amount", "twelve", "Write an amount"),
        ("amount", "0", "above zero"),
        ("amount", "", "Enter the amount."),
        ("amount", "1.005", "smaller"),
        ("name", "  ", "Enter a name."),
        ("phone", "call me", "phone number"),
        ("code", "12", "6 digits"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(app: Flask, field: str, value: str, message: str) -> None:
    form = _form(app, **{**GOOD, field: value})
    assert list(form.errors) == [field]
    assert message in form.errors[field][0]
    if field == "amount":
        assert form.amount._value() == value


def test_text_is_stripped_and_control_characters_are_taken_out(app: Flask) -> None:
    assert _form(app, **{**GOOD, "name": "  Ele\x00na\x1b \n"}).name.data == "Elena"


@pytest.mark.parametrize(
    ("field", "typed", "meant"),
    [
        ("name", "\u2068Maria\u00a0Garcia\u2069", "Maria Garcia"),
        ("phone", "\u202d+1 305 555 0142\u202c", "+1 305 555 0142"),
        ("phone", "305\u2011555\u20110142", "305-555-0142"),
        ("code", "\uff11\uff12\uff13 \uff14\uff15\uff16", "123456"),
        ("amount", "US$\u00a01,240.00", Money(minor=124000, currency="USD")),
    ],
)
def test_pasted_values_are_cleaned(app: Flask, field: str, typed: str, meant: object) -> None:
    form = _form(app, **{**GOOD, field: typed})
    assert form.errors == {}
    assert form[field].data == meant


def test_an_error_found_later_shows_at_its_field_or_on_top(app: Flask) -> None:
    form = _form(app, **GOOD)
    form.refuse("name", "We know nobody by that name.")
    form.refuse("elsewhere", "The vault is away.")
    assert form.name.errors == ["We know nobody by that name."]
    assert form.form_errors == ["The vault is away."]


def test_every_error_of_a_page_is_linked_from_its_summary(app: Flask) -> None:
    page = app.test_client().post("/desk", data={"email": "nonsense", "code": "1"}).text
    targets = re.findall(r'<li><a href="#([\w-]+)">', page)
    assert {"amount", "purpose", "email", "code"} <= set(targets)
    for target in targets:
        assert f'id="{target}"' in page
    assert 'value="nonsense"' in page
    assert page.count('aria-invalid="true"') >= 4


def test_every_field_has_a_label(app: Flask) -> None:
    page = app.test_client().get("/desk").text
    for field in LinkForm.__dict__:
        if f'id="{field}"' in page and f'<fieldset id="{field}"' not in page:
            assert f'for="{field}"' in page


def test_what_people_type_is_escaped(app: Flask) -> None:
    page = app.test_client().post("/desk", data={"purpose": '"><script>alert(1)</script>'}).text
    assert "<script>alert(1)" not in page


# ------------------------------------------------------------------ formatting
def _render(app: Flask, template: str, **values: object) -> str:
    with app.test_request_context("/"):
        return render_template_string(template, **values)


def test_money_dates_and_plurals_read_as_people_write_them(app: Flask) -> None:
    assert _render(app, "{{ m|money }}", m=Money(minor=124000, currency="USD")) == "US$\u00a01,240.00"
    assert _render(app, "{{ d|date }}", d=date(2026, 11, 21)) == "Sat 21 Nov 2026"
    assert _render(app, "{{ 1|plural('passenger') }}, {{ 2|plural('passenger') }}") == "1 passenger, 2 passengers"
    assert _render(app, "{{ 2|plural('company', 'companies') }}") == "2 companies"
    assert _render(app, "{{ 'DE'|country }}") == "Germany"
    assert _render(app, "{{ t|when }}", t=datetime(2026, 11, 21, 23, 30, tzinfo=UTC)) == (
        "Sat 21 Nov 2026, 11:30\u00a0PM\u00a0UTC"
    )
    assert _render(app, "{{ 'a&b@mail.example'|mail_address }}") == "a&amp;b<wbr>@mail.example"
    assert _render(app, "{{ 'a&b'|mail_address }}") == "a&amp;b"
    assert _render(app, "{{ day_range(a, b) }}", a=date(2027, 3, 6), b=date(2027, 3, 13)) == (
        "Sat 6 Mar – Sat 13 Mar 2027"
    )


def test_moments_are_shown_in_the_readers_zone(app: Flask) -> None:
    moment = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    with app.test_request_context("/"):
        assert formatting.when(moment) == "Sat 21 Nov 2026, 11:30 PM UTC"
        formatting.use_zone("Europe/Berlin")
        assert formatting.when(moment) == "Sun 22 Nov 2026, 12:30 AM CET"
        assert formatting.day(moment) == "Sun 22 Nov 2026"
        assert formatting.when_utc(moment) == "Sun 22 Nov 2026, 12:30:00 AM CET (Sat 21 Nov, 11:30:00 PM UTC)"


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        (timedelta(seconds=-10), "just now"),
        (timedelta(minutes=-5), "5 minutes ago"),
        (timedelta(hours=-3), "3 hours ago"),
        (timedelta(days=3), "in 3 days"),
    ],
)
def test_relative_times_carry_the_exact_one(app: Flask, delta: timedelta, words: str) -> None:
    html = _render(app, "{{ moment|ago }}", moment=NOW + delta)
    assert f">{words}</time>" in html
    assert 'title="' in html
    assert 'datetime="2026-11-' in html


def test_nothing_formats_to_nothing(app: Flask) -> None:
    assert _render(app, "{{ n|money }}{{ n|date }}{{ n|when }}{{ n|ago }}{{ n|when_utc }}", n=None) == ""


@pytest.mark.parametrize(
    ("name", "letters"), [("Maya Okafor", "MO"), ("Prince", "P"), ("", "?"), ("Ana de Souza", "AS"), ("& Co", "C")]
)
def test_initials(name: str, letters: str) -> None:
    assert formatting.initials(name) == letters


def test_a_house_has_the_letters_of_its_first_words() -> None:
    assert formatting.monogram("Harbour & Vine Travel") == "HV"


def test_countries_are_all_there_by_name() -> None:
    choices = dict(formatting.country_choices())
    assert len(choices) > 240
    assert choices["US"] == "United States"
    assert "EU" not in choices


# ------------------------------------------------------------------ icons
def test_icons_are_hidden_from_screen_readers_unless_they_speak() -> None:
    assert 'aria-hidden="true"' in icon("lock")
    assert 'aria-label="&lt;b&gt;"' in icon("lock", label="<b>")


def test_an_icon_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(UnknownIcon):
        icon("no-such-icon")


def test_a_cell_that_holds_only_a_dash_is_marked_and_no_other() -> None:
    rows = Markup('<tr><td data-label="Due">–</td><td>–</td><td>1 – 2</td><td></td></tr>')
    marked = '<tr><td data-label="Due" data-empty>–</td><td data-empty>–</td><td>1 – 2</td><td></td></tr>'
    assert formatting.mark_empty(rows) == Markup(marked)
