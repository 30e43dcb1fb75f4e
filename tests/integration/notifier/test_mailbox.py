"""The development mailbox: pages over what was sent, and never in production."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr

from chassis.db import open_database
from chassis.settings import SettingsError, load
from services.notifier.app import create_app
from services.notifier.config import NotifierSettings
from services.notifier.deliveries.message import Attachment, ReplyTo, build
from services.notifier.mailbox.service import Mailbox
from services.notifier.models import Base
from services.notifier.templates.rules import Rendered
from tests.support.clock import FakeClock


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    settings = NotifierSettings(
        database_url=f"sqlite:///{tmp_path}/notifier.db", secret_key=SecretStr("x" * 40), state_dir=tmp_path
    )
    database = open_database(settings.database_url, name="test")
    Base.metadata.create_all(database.engine)
    clock = FakeClock()
    mailbox = Mailbox(database, clock)
    for subject, to in (("First", "ann@example.com"), ("Second <b>", "maya@harbour.example")):
        message = build(
            message_id=f"dlv_{subject[:5].lower()}",
            sender_name="Harbour & Vine",
            sender_address="no-reply@wayvault.example",
            reply_to=ReplyTo(),
            recipient=to,
            rendered=Rendered(subject=subject, text="Hi\n", html="<p>Hi<script>alert(1)</script></p>"),
            attachments=[Attachment(name="signed.pdf", content=b"%PDF-1.7")],
            now=clock.now(),
        )
        mailbox.send(message, to)
        clock.advance(timedelta(minutes=1))
    yield create_app(settings).test_client()
    database.dispose()


def test_the_newest_message_stands_first_and_one_recipient_can_be_chosen(client: FlaskClient) -> None:
    everything = client.get("/").get_data(as_text=True)
    assert everything.index("Second &lt;b&gt;") < everything.index("First")

    one = client.get("/?to=ann@example.com").get_data(as_text=True)
    assert "First" in one
    assert "Second" not in one


def test_a_script_asks_for_what_came_after_a_moment(client: FlaskClient) -> None:
    def subjects(after: str) -> list[str]:
        return [mail["subject"] for mail in client.get("/messages.json", query_string={"after": after}).get_json()]

    newest, *older = client.get("/messages.json").get_json()
    assert subjects(older[0]["received_at"]) == [newest["subject"]]
    assert subjects(newest["received_at"]) == []
    assert client.get("/messages.json?after=yesterday").status_code == 400


def test_a_message_shows_its_parts_and_its_html_can_run_nothing(client: FlaskClient) -> None:
    (first,) = client.get("/messages.json?to=ann@example.com").get_json()
    page = client.get(f"/messages/{first['id']}")
    html = client.get(f"/messages/{first['id']}/html")
    attachment = client.get(f"/messages/{first['id']}/attachments/0")

    assert "signed.pdf" in page.get_data(as_text=True)
    assert "sandbox" in html.headers["Content-Security-Policy"]
    assert "script-src" not in html.headers["Content-Security-Policy"]
    assert attachment.get_data() == b"%PDF-1.7"
    assert attachment.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("path", ["/messages/nope", "/messages/nope/html", "/messages/nope/attachments/0"])
def test_what_is_not_there_answers_404(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_production_refuses_to_keep_its_mail_in_a_mailbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFIER_ENVIRONMENT", "production")
    monkeypatch.setenv("NOTIFIER_BUS_URL", "amqps://u:p@bus.example/wayvault")

    with pytest.raises(SettingsError, match="production sends its mail"):
        load(NotifierSettings)
