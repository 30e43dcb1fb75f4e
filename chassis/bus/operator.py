"""A service's database and bus for the operator's commands, by the service's own settings."""

from pydantic_settings import SettingsConfigDict

from chassis.bus.connect import open_bus
from chassis.bus.port import Bus
from chassis.db import Database, open_database
from chassis.settings import ServiceSettings, load


def settings_of(service: str) -> ServiceSettings:
    """What <SERVICE>_… says in the environment. Raises SettingsError."""

    class Settings(ServiceSettings):
        model_config = SettingsConfigDict(env_prefix=f"{service.upper()}_")

    return load(Settings)


def bus_of(service: str) -> Bus:
    """The bus as that service reaches it. Raises SettingsError."""
    settings = settings_of(service)
    return open_bus(settings.bus_url, service=service, tls=settings.tls)


def database_of(service: str) -> Database:
    """The service's database. Raises SettingsError."""
    return open_database(settings_of(service).database_url, name=f"{service}-operator")
