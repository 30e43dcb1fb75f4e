"""Settings of a service, read once from the environment; a service's config.py extends `ServiceSettings`.

Each variable carries the service's name as prefix (`CRM_DATABASE_URL`). Every text or secret may also come from a
file: `CRM_DATABASE_URL_FILE=/run/secrets/crm_database_url`, so that URLs with passwords need not stand in the
environment. The defaults suit the embedded mode, started from the checkout's root.
"""

import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TextIO, TypeVar, get_args, get_origin

from pydantic import SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as PydanticSettingsError

from chassis.rpc.tls import TlsFiles

MASK = "********"
_SHORTEST_SECRET = 32
_BUS_SCHEMES = ("embedded", "amqp", "amqps")


SettingsT = TypeVar("SettingsT", bound="ServiceSettings")


class SettingsError(Exception):
    """Settings that can't be used. The message has one plain line per fault and never a setting's value."""


class ServiceSettings(BaseSettings):
    """What every service is told. A subclass sets `env_prefix` ("CRM_") and adds its own fields with defaults.

    `name` follows from the prefix ("crm"). `identity` names the certificate files in `var/certs`; it is the name
    unless the subclass says otherwise.
    """

    model_config = SettingsConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True, validate_default=True, env_ignore_empty=True
    )
    name: ClassVar[str] = ""
    identity: ClassVar[str] = ""

    # "production" refuses what suits a developer's machine only: http addresses, the embedded keyring, the mailbox.
    environment: Literal["development", "production"] = "development"
    # DEBUG, INFO, WARNING or ERROR.
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    # Where the embedded engines, certificates and secrets of this machine are.
    state_dir: Path = Path("var")
    # sqlite:///path or postgresql://…; empty = SQLite under state_dir.
    database_url: str = ""
    # amqps://… or embedded:///path; empty = the embedded bus under state_dir. The vault uses none.
    bus_url: str = ""
    # The authority of the services' certificates, and this service's own certificate and key; empty = under state_dir.
    tls_ca: Path = Path()
    tls_cert: Path = Path()
    tls_key: Path = Path()
    # At least 32 random characters, which sign cookies and seal what waits; empty = read from a file under state_dir.
    secret_key: SecretStr = SecretStr("")
    # host:port on which a worker answers GET /metrics; empty = nowhere.
    metrics_listen: str = ""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:  # Any: as in pydantic's signature
        super().__pydantic_init_subclass__(**kwargs)
        if not cls.name:
            cls.name = cls.model_config.get("env_prefix", "").rstrip("_").lower()

    @classmethod
    def prefix(cls) -> str:
        """What the names of this service's environment variables start with, e.g. "CRM_"."""
        return f"{cls.name.upper()}_"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        environment = EnvSettingsSource(settings_cls, env_prefix=cls.prefix(), env_ignore_empty=True)
        return (init_settings, _FileVariables(settings_cls, cls.prefix()), environment)

    @model_validator(mode="before")
    @classmethod
    def _fill_from_state_dir(cls, given: Any) -> Any:  # Any: pydantic's raw input
        """Derives what was not given from `state_dir` and the service's name."""
        if not isinstance(given, dict):
            return given
        state = Path(given.get("state_dir") or "var")
        identity = cls.identity or cls.name
        derived: dict[str, object] = {
            "database_url": f"sqlite:///{state}/{cls.name}/{cls.name}.db",
            "bus_url": f"embedded:///{state}/bus/bus.db",
            "tls_ca": state / "certs" / "ca.pem",
            "tls_cert": state / "certs" / f"{identity}.pem",
            "tls_key": state / "certs" / f"{identity}.key",
        }
        secret_file = cls.default_secret_key_file(state)
        if secret_file.is_file() and os.access(secret_file, os.R_OK):
            derived["secret_key"] = secret_file.read_text("utf-8").strip()
        return derived | {key: value for key, value in given.items() if value not in ("", None)}

    @classmethod
    def default_secret_key_file(cls, state_dir: Path) -> Path:
        return state_dir / "secrets" / cls.name / "secret_key"

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < _SHORTEST_SECRET:
            raise ValueError(f"a secret key needs at least {_SHORTEST_SECRET} characters")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
            raise ValueError("must start with sqlite:/// or postgresql://")
        return value

    @field_validator("bus_url")
    @classmethod
    def _known_bus(cls, value: str) -> str:
        if value.partition("://")[0] not in _BUS_SCHEMES:
            raise ValueError("must start with embedded:///, amqps:// or amqp://")
        return value

    @model_validator(mode="after")
    def _no_plaintext_in_production(self) -> Self:
        if self.environment == "production" and self.bus_url.startswith("amqp://"):
            raise ValueError("bus_url: production talks to RabbitMQ over TLS only; use amqps://")
        return self

    @property
    def tls(self) -> TlsFiles:
        """The service's own certificate, and the authority that it trusts."""
        return TlsFiles(ca=self.tls_ca, cert=self.tls_cert, key=self.tls_key)

    def require_secret_key(self) -> str:
        """The key that signs browser state. Raises SettingsError, saying how to make one, when there is none."""
        if not self.secret_key.get_secret_value():
            raise SettingsError(self._missing_secret_key())
        return self.secret_key.get_secret_value()

    def _missing_secret_key(self) -> str:
        file = self.default_secret_key_file(self.state_dir)
        return (
            f"{self.prefix()}SECRET_KEY: there is none. Put at least {_SHORTEST_SECRET} random characters into "
            f"{file}, or name another file in {self.prefix()}SECRET_KEY_FILE."
        )

    def problems(self) -> list[str]:
        """What stands in the way of starting although each value alone is well formed. Subclasses add to it."""
        tls = {"TLS_CA": self.tls_ca, "TLS_CERT": self.tls_cert, "TLS_KEY": self.tls_key}
        return [
            f"{self.prefix()}{label}: there is no readable file {path}. `make certificates` makes them for development."
            for label, path in tls.items()
            if not (path.is_file() and os.access(path, os.R_OK))
        ]

    def describe(self) -> list[tuple[str, str]]:
        """Each setting's variable name and its value, with secrets and the passwords in URLs masked."""
        fields = type(self).model_fields
        return [(self.prefix() + key.upper(), _masked(getattr(self, key))) for key in fields]


class _FileVariables(PydanticBaseSettingsSource):
    """Reads `<PREFIX><FIELD>_FILE` for every field that holds text or a secret."""

    def __init__(self, settings_cls: type[BaseSettings], prefix: str) -> None:
        super().__init__(settings_cls)
        self._prefix = prefix

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = f"{self._prefix}{field_name.upper()}_FILE"
        path = os.environ.get(variable, "")
        if not path or not _holds_text(field.annotation):
            return None, field_name, False
        if os.environ.get(variable.removesuffix("_FILE")):
            raise SettingsError(f"{variable} and {variable.removesuffix('_FILE')} are both set; keep one of them.")
        try:
            return Path(path).read_text("utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise SettingsError(f"{variable}: can't read {path}: {reason}.") from None

    def __call__(self) -> dict[str, Any]:
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value is not None}


def _holds_text(annotation: Any) -> bool:  # Any: a type expression
    if get_origin(annotation) is not None:
        return any(_holds_text(part) for part in get_args(annotation))
    return annotation in (str, SecretStr)


def _masked(value: object) -> str:
    match value:
        case SecretStr():
            return MASK if value.get_secret_value() else "(none)"
        case str():
            return mask_url(value)
        case list() | tuple():
            return ", ".join(_masked(item) for item in value)
        case dict():
            return ", ".join(f"{key}: {_masked(item)}" for key, item in value.items())
        case timedelta():
            return f"{value.total_seconds():g} s"
        case _:
            return str(value)


def mask_url(text: str) -> str:
    """The text with the password and the query of a URL masked; other text as it is."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        return text
    address, question, _ = rest.partition("?")
    credentials, at, place = address.rpartition("@")
    if ":" in credentials:
        credentials = f"{credentials.partition(':')[0]}:{MASK}"
    return f"{scheme}://{credentials}{at}{place}{question}{MASK if question else ''}"


def load(settings_class: type[SettingsT]) -> SettingsT:
    """The service's settings from the environment. Raises SettingsError with one plain line per fault."""
    try:
        return settings_class()
    except ValidationError as error:
        lines = [_plain(settings_class.prefix(), list(fault["loc"]), fault["msg"]) for fault in error.errors()]
        raise SettingsError("\n".join(lines)) from None
    except PydanticSettingsError:
        raise SettingsError(f"A {settings_class.prefix()}… variable that takes a list is not valid JSON.") from None


def _plain(prefix: str, location: Sequence[object], message: str) -> str:
    text = message.removeprefix("Value error, ")
    return f"{prefix}{str(location[0]).upper()}: {text}" if location else text


def check_config(settings_class: type[ServiceSettings], *, out: TextIO | None = None) -> int:
    """The `check-config` command: prints every setting, masked, then what is wrong. Returns the exit status."""
    stream = out or sys.stdout
    try:
        settings = load(settings_class)
    except SettingsError as error:
        print(f"These settings can't be used:\n{error}", file=stream)
        return 1
    for variable, value in settings.describe():
        print(f"{variable} = {value}", file=stream)
    problems = settings.problems()
    for problem in problems:
        print(f"wrong: {problem}", file=stream)
    print("Not ready to start." if problems else "Ready to start.", file=stream)
    return 1 if problems else 0
