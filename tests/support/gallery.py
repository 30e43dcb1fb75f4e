"""A small app that shows every part of chassis.web, for looking at and for the accessibility check.

`python -m tests.support.gallery` serves it on 127.0.0.1:8199; nothing in it is real.
"""

import tempfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, flash, render_template, request
from pydantic import SecretStr
from werkzeug.wrappers import Response

from chassis.errors import Unavailable
from chassis.money import Money
from chassis.web import Brand, NavItem, PendingAlert, Viewer, make_app
from chassis.web import forms as f

NOW = datetime(2026, 11, 21, 13, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class GallerySettings:
    secret_key: SecretStr = field(default_factory=lambda: SecretStr("gallery-only"))
    environment: str = "development"
    public_url: str = "http://crm.localhost:8199"
    state_dir: Path = field(default_factory=lambda: Path(tempfile.gettempdir()) / "wv-gallery")
    trusted_proxies: int = 0
    proxy_header: str = "x-forwarded-for"

    def allowed_hosts(self) -> frozenset[str]:
        return frozenset({urlsplit(self.public_url).hostname or "", "localhost", "127.0.0.1"})


class FixedClock:
    def now(self) -> datetime:
        return NOW


class LinkForm(f.Form):
    """A form with every kind of field."""

    passengers = f.CheckboxesField(
        "Who gets a link",
        choices={"1": "Elena Petrova, elena@example.com", "2": "Tomás Petrov, tomas@example.com"},
    )
    amount = f.MoneyField("Amount", [f.required("Enter the amount.")], currency="USD")
    kind = f.SelectField("Type", choices={"deposit": "Deposit", "final": "Final payment", "fee": "Service fee"})
    purpose = f.StringField(
        "What it is for",
        [f.required("Say what the payment is for."), f.Length(max=200)],
        description="The client reads this on their payment page.",
    )
    email = f.EmailField("Copy to", [f.Optional(), f.email_address()])
    due = f.DateField("Due", [f.Optional()])
    country = f.CountryField("Country", [f.Optional()])
    code = f.CodeField("Code from your authenticator app", digits=6)
    note = f.TextAreaField("Note", [f.Length(max=400)])
    how = f.RadioField("How the supplier takes the card", choices={"phone": "By phone", "site": "On its site"})
    agree = f.BooleanField("I have the supplier on the line")


class VoidForm(f.Form):
    """What a dialog asks."""

    reason = f.StringField("Reason", [f.required("Say why.")])


def make_gallery(settings: GallerySettings | None = None, *, frame_origin: str = "http://card.localhost:8103") -> Flask:
    """The gallery as an app: /desk, /list, /guest, /sign-in and some pages that fail."""
    app = make_app(
        import_name="tests.support.gallery",
        service="gallery",
        title="Wayvault",
        settings=settings or GallerySettings(),
        database=None,
        layout="desk",
        frame_origin=frame_origin,
        clock=FixedClock(),
    )
    app.context_processor(_context)
    app.add_url_rule("/desk", view_func=desk, methods=["GET", "POST"])
    app.add_url_rule("/list", view_func=listing)
    app.add_url_rule("/guest", view_func=guest, methods=["GET", "POST"])
    app.add_url_rule("/sign-in", view_func=sign_in, methods=["GET", "POST"])
    app.add_url_rule("/broken", view_func=broken)
    app.add_url_rule("/vault-down", view_func=vault_down)
    return app


def _context() -> dict[str, object]:
    def entry(label: str, icon: str, url: str = "#", count: int = 0) -> NavItem:
        return NavItem(label=label, icon=icon, url=url, count=count, active=url == request.path)

    return {
        "brand": Brand(name="Harbour & Vine Travel", accent=request.args.get("accent", "#0f6b6b")),
        "nav": (
            []
            if request.path in ("/guest", "/sign-in")
            else [
                entry("Today", "layout-dashboard"),
                entry("Clients", "users"),
                entry("Bookings", "luggage", "/desk"),
                entry("Payments", "credit-card", "/list", 3),
                entry("Reports", "chart-column"),
                entry("Help", "life-buoy"),
            ]
        ),
        "viewer": None
        if request.path in ("/guest", "/sign-in")
        else Viewer(
            name="Maya Okafor",
            detail="maya@harbour.example",
            menu=(NavItem(label="Your sessions", icon="monitor-smartphone", url="#"),),
            sign_out_url="/sign-out",
        ),
        "alert": PendingAlert(count=2, url="/list"),
        "search_url": "/list",
        "page_theme": request.args.get("theme", ""),
        "now": NOW,
    }


def desk() -> str:
    form = LinkForm()
    if request.method == "POST":
        form.validate()
    else:
        form.amount.data = Money(minor=124000, currency="USD")
    return render_template(
        "desk.html", form=form, void_form=VoidForm(formdata=None), dates=(date(2027, 3, 6), date(2027, 3, 13))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    client: str
    booking: str
    supplier: str
    amount: Money
    state: str
    at: datetime


ROWS = [
    Row(
        client=client,
        booking=booking,
        supplier=supplier,
        amount=Money(minor=minor, currency="USD"),
        state=state,
        at=NOW - timedelta(minutes=minutes),
    )
    for client, booking, supplier, minor, state, minutes in [
        ("Elena Petrova", "Norwegian fjords", "Aurora Cruises", 124000, "authorized", 4),
        ("Samuel Adeyemi-Richardson", "Lisbon and the Douro", "Quinta Tours", 38950, "authorized", 96),
        ("Grace Liu", "Kyoto in November", "Sakura Hotels", 1250075, "retrieved", 1500),
        ("Hugo Marchetti", "Sicily by rail", "Trenitalia Groups", 8400, "processed", 5000),
        ("Ana Souza", "Iguaçu long weekend", "Cataratas Lodge", 66000, "voided", 30000),
    ]
]


def listing() -> str:
    return render_template("list.html", rows=[] if "empty" in request.args else ROWS)


def guest() -> str:
    if request.method == "GET":
        flash("Your link is good until Sat 28 Nov 2026.", "info")
    return render_template("guest.html", amount=Money(minor=124000, currency="USD"), form=LinkForm())


def sign_in() -> str:
    return render_template("sign_in.html", form=LinkForm())


def broken() -> Response:
    raise RuntimeError("a fault that the page must not show")


def vault_down() -> Response:
    raise Unavailable


if __name__ == "__main__":
    make_gallery().run("127.0.0.1", 8199)
