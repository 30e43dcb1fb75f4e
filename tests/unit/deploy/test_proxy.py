"""The proxy that deploy/ ships does what the services count on."""

from pathlib import Path

import pytest

from chassis.settings import check_config
from chassis.sites import SiteSettings
from chassis.web.arriving import MOST_BODY
from services.crm.config import CrmSettings
from services.notifier.config import NotifierSettings
from services.portal.config import PortalSettings
from services.vault.config import VaultSettings

NGINX = (Path(__file__).parents[3] / "deploy/proxy/nginx.conf").read_text("utf-8")
HTTPS: dict[type[SiteSettings], dict[str, str]] = {
    CrmSettings: {"PUBLIC_URL": "https://crm.x", "PORTAL_URL": "https://p.x", "FRAME_ORIGIN": "https://card.y"},
    PortalSettings: {"PUBLIC_URL": "https://p.x", "FRAME_ORIGIN": "https://card.y"},
    VaultSettings: {
        "FRAME_ORIGIN": "https://card.y",
        "FRAME_PARENTS": '["https://crm.x", "https://p.x"]',
        "CVV_LINK_URL": "https://crm.x/cvv",
    },
}


def test_it_buffers_and_writes_who_calls_anew() -> None:
    for line in (
        "proxy_request_buffering on;",
        "proxy_set_header X-Forwarded-For $remote_addr;",
        'proxy_set_header Forwarded "";',
        "proxy_set_header Host $host;",
        f"client_max_body_size {MOST_BODY // 1024 // 1024}m;",
    ):
        assert line in NGINX
    assert "metrics" not in NGINX


@pytest.mark.parametrize("service", HTTPS, ids=lambda service: service.name)
def test_production_is_refused_with_http_or_without_a_proxy(
    service: type[SiteSettings], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = service.prefix()
    monkeypatch.setenv(f"{prefix}ENVIRONMENT", "production")
    assert check_config(service) == 1
    said = capsys.readouterr().out
    assert "Not ready to start." in said
    assert f"{prefix}TRUSTED_PROXIES: production needs a buffering proxy" in said
    first = next(iter(HTTPS[service]))
    assert f"{prefix}{first}: production needs an https:// address." in said
    for name, value in HTTPS[service].items():
        monkeypatch.setenv(f"{prefix}{name}", value)
    monkeypatch.setenv(f"{prefix}TRUSTED_PROXIES", "1")
    check_config(service)
    said = capsys.readouterr().out
    assert "https:// address" not in said
    assert "buffering proxy" not in said


def test_the_notifiers_links_lead_to_https_in_production(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NOTIFIER_ENVIRONMENT", "production")
    monkeypatch.setenv("NOTIFIER_SMTP_URL", "smtp://mail.x:25")
    assert check_config(NotifierSettings) == 1
    said = capsys.readouterr().out
    assert "NOTIFIER_CRM_URL: production needs an https:// address." in said
    assert "TRUSTED_PROXIES: production" not in said


def test_in_production_a_site_answers_to_its_public_name_only() -> None:
    settings = PortalSettings(environment="production", public_url="https://Portal.Agency.example:8443")
    assert settings.allowed_hosts() == {"portal.agency.example"}
    assert "127.0.0.1" in PortalSettings().allowed_hosts()
