"""Settings: from variables or files, masked when shown, plain when wrong."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.settings import MASK, ServiceSettings, SettingsError, check_config, load, mask_url


class TripsSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="TRIPS_")
    ttl: timedelta = timedelta(minutes=5)
    parents: list[str] = ["http://a.localhost"]
    api_token: SecretStr = SecretStr("")
    signers: dict[str, Path] = {}


class HostSettings(TripsSettings):
    identity = "frame"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_defaults_suit_the_embedded_mode() -> None:
    settings = load(TripsSettings)
    assert settings.name == "trips"
    assert settings.database_url == "sqlite:///var/trips/trips.db"
    assert settings.bus_url == "embedded:///var/bus/bus.db"
    assert (settings.tls_ca, settings.tls_cert) == (Path("var/certs/ca.pem"), Path("var/certs/trips.pem"))
    assert load(HostSettings).tls_key == Path("var/certs/frame.key")


def test_the_state_folder_moves_everything_that_was_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPS_STATE_DIR", "/srv/state")
    monkeypatch.setenv("TRIPS_BUS_URL", "embedded:////elsewhere/bus.db")
    settings = load(TripsSettings)
    assert settings.database_url == "sqlite:////srv/state/trips/trips.db"
    assert settings.bus_url == "embedded:////elsewhere/bus.db"
    assert settings.tls_cert == Path("/srv/state/certs/trips.pem")


def test_values_of_every_kind_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPS_TTL", "PT10M")
    monkeypatch.setenv("TRIPS_PARENTS", '["http://b.localhost"]')
    monkeypatch.setenv("TRIPS_SIGNERS", '{"crm": "keys/crm.jwk"}')
    settings = load(TripsSettings)
    assert settings.ttl == timedelta(minutes=10)
    assert settings.parents == ["http://b.localhost"]
    assert settings.signers == {"crm": Path("keys/crm.jwk")}


def test_secrets_and_urls_come_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, content in {"url": "postgresql://u:hidden@h/trips\n", "token": "hidden-too\n"}.items():
        (tmp_path / name).write_text(content)
    monkeypatch.setenv("TRIPS_DATABASE_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("TRIPS_API_TOKEN_FILE", str(tmp_path / "token"))
    settings = load(TripsSettings)
    assert settings.database_url == "postgresql://u:hidden@h/trips"
    assert settings.api_token.get_secret_value() == "hidden-too"


def test_a_file_that_can_not_be_read_or_a_setting_given_twice_is_said_plainly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRIPS_API_TOKEN_FILE", "/no/such/file")
    with pytest.raises(SettingsError, match="TRIPS_API_TOKEN_FILE: can't read /no/such/file: No such file"):
        load(TripsSettings)
    monkeypatch.setenv("TRIPS_API_TOKEN", "hidden")
    with pytest.raises(SettingsError, match="are both set") as error:
        load(TripsSettings)
    assert "hidden" not in str(error.value)


def test_the_secret_key_comes_from_its_own_file_and_must_be_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="var/secrets/trips/secret_key"):
        load(TripsSettings).require_secret_key()
    file = tmp_path / "var/secrets/trips/secret_key"
    file.parent.mkdir(parents=True)
    file.write_text("k" * 32 + "\n")
    assert load(TripsSettings).require_secret_key() == "k" * 32
    monkeypatch.setenv("TRIPS_SECRET_KEY", "hidden")
    with pytest.raises(SettingsError, match="TRIPS_SECRET_KEY: a secret key needs at least 32") as error:
        load(TripsSettings)
    assert "hidden" not in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("TRIPS_DATABASE_URL", "mysql://hidden@h/x", "TRIPS_DATABASE_URL: must start with sqlite:/// or postgresql://"),
        ("TRIPS_BUS_URL", "kafka://hidden", "TRIPS_BUS_URL: must start with embedded:///"),
        ("TRIPS_LOG_LEVEL", "hidden", "TRIPS_LOG_LEVEL: Input should be 'DEBUG'"),
        ("TRIPS_TTL", "hidden", "TRIPS_TTL: "),
        ("TRIPS_PARENTS", "hidden", "not valid JSON"),
    ],
)
def test_a_wrong_value_is_named_but_not_quoted(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    out = io.StringIO()
    assert check_config(TripsSettings, out=out) == 1
    assert said in out.getvalue()
    assert "hidden" not in out.getvalue()


def test_production_refuses_a_broker_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPS_ENVIRONMENT", "production")
    monkeypatch.setenv("TRIPS_BUS_URL", "amqp://u:hidden@broker/v")
    with pytest.raises(SettingsError, match="over TLS only") as error:
        load(TripsSettings)
    assert "hidden" not in str(error.value)


def test_check_config_shows_every_setting_without_its_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRIPS_DATABASE_URL", "postgresql://someone:hid@den/1@db.example/trips?password=hidden")
    monkeypatch.setenv("TRIPS_BUS_URL", "amqps://someone:hidden@127.0.0.1:8121/wayvault")
    monkeypatch.setenv("TRIPS_API_TOKEN", "hidden")
    monkeypatch.setenv("TRIPS_SECRET_KEY", "hidden" * 10)
    for name in ("ca.pem", "trips.pem", "trips.key"):
        (tmp_path / "var/certs").mkdir(parents=True, exist_ok=True)
        (tmp_path / "var/certs" / name).write_text("x")
    out = io.StringIO()
    assert check_config(TripsSettings, out=out) == 0
    text = out.getvalue()
    assert "hid" not in text
    assert "den/1" not in text
    assert f"TRIPS_BUS_URL = amqps://someone:{MASK}@127.0.0.1:8121/wayvault" in text
    assert f"TRIPS_API_TOKEN = {MASK}" in text
    assert {f"TRIPS_{name.upper()}" for name in TripsSettings.model_fields} <= {
        line.partition(" = ")[0] for line in text.splitlines()
    }


def test_check_config_names_missing_certificates() -> None:
    out = io.StringIO()
    assert check_config(TripsSettings, out=out) == 1
    assert "wrong: TRIPS_TLS_CA: there is no readable file var/certs/ca.pem" in out.getvalue()


@given(
    user=st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=10),
    password=st.text(st.characters(exclude_characters="/?#", categories=["L", "N", "P"]), max_size=20).map(
        lambda text: f"hidden{text}"
    ),
)
def test_no_password_in_a_url_survives_masking(user: str, password: str) -> None:
    masked = mask_url(f"amqps://{user}:{password}@127.0.0.1:8121/wayvault")
    assert masked == f"amqps://{user}:{MASK}@127.0.0.1:8121/wayvault"
    assert mask_url("sqlite:///var/crm/crm.db") == "sqlite:///var/crm/crm.db"
    assert mask_url("plain words") == "plain words"
