"""The masker's settings (prefix PHONE_). It has no database and no bus."""

import ipaddress
from typing import ClassVar, Self

from pydantic import Field, field_validator, model_validator

from chassis.hardening import swap_problems
from chassis.settings import ServiceSettings

_PORTS_PER_CALL = 4


class PhoneSettings(ServiceSettings):
    """See ServiceSettings."""

    name: ClassVar[str] = "phone"

    # gRPC, for the CRM.
    listen: str = "127.0.0.1:8112"
    # Threads beside those that watch sessions.
    workers: int = Field(default=32, ge=4, le=512)
    # UDP, for Kamailio's ng protocol: on this machine only, since it has no password.
    ng_listen: str = "127.0.0.1:8113"
    # Where phones and trunks send their sound, and the ports for it: four for each call.
    media_address: str = "127.0.0.1"
    # Where the masker listens for it: behind a NAT or in a container another address than that one, or 0.0.0.0.
    media_listen: str = ""
    media_first_port: int = Field(default=30_000, ge=1024, le=65_000)
    media_last_port: int = Field(default=30_999, ge=1024, le=65_535)
    vault_address: str = "127.0.0.1:8105"
    vault_server_name: str = "vault.wayvault.internal"

    @field_validator("media_address")
    @classmethod
    def _an_address(cls, value: str) -> str:
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            raise ValueError("must be an IP address that phones can reach, not a name") from None

    @field_validator("media_listen")
    @classmethod
    def _an_address_of_ours(cls, value: str) -> str:
        try:
            return value and str(ipaddress.ip_address(value))
        except ValueError:
            raise ValueError("must be an IP address of this machine, or empty for media_address") from None

    @field_validator("ng_listen")
    @classmethod
    def _on_this_machine(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not port.isdigit() or host not in ("127.0.0.1", "[::1]"):
            raise ValueError("must be 127.0.0.1:PORT: whoever reaches it may command the masker")
        return value

    @model_validator(mode="after")
    def _room_for_a_call(self) -> Self:
        if self.media_last_port - self.media_first_port < _PORTS_PER_CALL - 1:
            raise ValueError("media_last_port must leave room for four ports from media_first_port on")
        return self

    def problems(self) -> list[str]:
        """Adds what would let keyed digits reach a disk."""
        return super().problems() + (swap_problems() if self.environment == "production" else [])

    @property
    def most_calls(self) -> int:
        """How many calls the ports carry."""
        return (self.media_last_port - self.media_first_port + 1) // _PORTS_PER_CALL

    @property
    def threads(self) -> int:
        """gRPC's: each session that an agent's page watches holds one, and what the agent presses needs another."""
        return self.workers + self.most_calls
