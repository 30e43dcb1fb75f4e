"""The environment of each service's processes on a developer's machine.

Lowest first: what follows from state directory and ports; `.env`; with ENGINES=real `<state>/engines/engines.env`; the
environment that the runner was started in. Each process gets its own service's variables only.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy import env_file
from deploy.dev.state import State

SERVICES = ("vault", "crm", "portal", "notifier")
# The masker has settings of its own and no database.
_PREFIXES = tuple(f"{service.upper()}_" for service in (*SERVICES, "phone"))
_OURS = (*_PREFIXES, "WAYVAULT_", "ENGINES", "PHONE")


class SettingsFault(Exception):
    """Settings that can't be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """Where browsers find each site of this stack."""

    crm: str
    portal: str
    frame: str
    mailbox: str

    @classmethod
    def of(cls, state: State) -> "Origins":
        ports = state.ports
        return cls(
            crm=f"http://crm.localhost:{ports.crm}",
            portal=f"http://portal.localhost:{ports.portal}",
            frame=f"http://card.localhost:{ports.frame}",
            mailbox=f"http://mail.localhost:{ports.mailbox}",
        )


def collect(state: State, environment: Mapping[str, str] | None = None, *, env: Path = Path(".env")) -> dict[str, str]:
    """All settings of all services, by variable. Raises SettingsFault."""
    given = os.environ if environment is None else environment
    try:
        settings = {**_derived(state), **_of_services(env_file.read(env))}
        if given.get("ENGINES") == "real":
            settings |= _of_services(_engines(state))
    except env_file.EnvFileFault as fault:
        raise SettingsFault(str(fault)) from fault
    if given.get("PHONE") == "1":
        settings |= _phone(state)
    return settings | _of_services(given)


def environment_of(service: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The variables of one service, and nobody else's."""
    prefix = f"{service.upper()}_"
    return {name: value for name, value in settings.items() if name.startswith(prefix)}


def base_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """What every process inherits: the caller's environment without any service's settings."""
    given = os.environ if environment is None else environment
    kept = {name: value for name, value in given.items() if not name.startswith(_OURS)}
    tripwire = given.get("WAYVAULT_TRIPWIRE")
    return {**kept, "PYTHONUNBUFFERED": "1", **({"WAYVAULT_TRIPWIRE": tripwire} if tripwire else {})}


def gateway_url(state: State) -> str:
    """Where the simulator of a payment gateway answers."""
    return f"http://127.0.0.1:{state.ports.gateway}"


def _of_services(settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name.startswith(_PREFIXES)}


def _engines(state: State) -> dict[str, str]:
    path = state.engines / "engines.env"
    found = env_file.read(path)
    if not found:
        raise SettingsFault(f"There is no {path}. `make engines` starts the real engines and writes it.")
    return found


def _phone(state: State) -> dict[str, str]:
    ports = state.ports
    return {
        "CRM_PHONE_ADDRESS": f"127.0.0.1:{ports.phone}",
        "PHONE_LISTEN": f"127.0.0.1:{ports.phone}",
        "PHONE_NG_LISTEN": f"127.0.0.1:{ports.phone_ng}",
        "PHONE_MEDIA_FIRST_PORT": str(ports.media.start),
        "PHONE_MEDIA_LAST_PORT": str(ports.media.stop - 1),
        "PHONE_VAULT_ADDRESS": f"127.0.0.1:{ports.vault}",
    }


def _derived(state: State) -> dict[str, str]:
    ports, origins = state.ports, Origins.of(state)
    vault_address = f"127.0.0.1:{ports.vault}"
    return {
        **{f"{prefix}STATE_DIR": str(state.root) for prefix in _PREFIXES},
        "VAULT_LISTEN": vault_address,
        "VAULT_VAULT_ADDRESS": vault_address,
        "VAULT_CHARGING_LISTEN": f"127.0.0.1:{ports.charging}",
        "VAULT_CHARGING_ADDRESS": f"127.0.0.1:{ports.charging}",
        "VAULT_CHARGING_METRICS_LISTEN": f"127.0.0.1:{ports.charging_metrics}",
        "VAULT_STRIPE_URL": gateway_url(state),
        "VAULT_GATEWAY_HOSTS": json.dumps([gateway_url(state)]),
        "VAULT_CHARGING_RETURN_URL": f"{origins.portal}/confirmed/",
        "VAULT_WEB_LISTEN": f"127.0.0.1:{ports.frame}",
        "VAULT_WEB_METRICS_LISTEN": f"127.0.0.1:{ports.metrics + 2}",
        "VAULT_FRAME_ORIGIN": origins.frame,
        "VAULT_FRAME_PARENTS": json.dumps([origins.crm, origins.portal]),
        "VAULT_CVV_LINK_URL": f"{origins.crm}/cvv",
        "CRM_LISTEN": f"127.0.0.1:{ports.crm}",
        "CRM_WEB_METRICS_LISTEN": f"127.0.0.1:{ports.metrics}",
        "CRM_PUBLIC_URL": origins.crm,
        "CRM_PORTAL_URL": origins.portal,
        "CRM_FRAME_ORIGIN": origins.frame,
        "CRM_MAILBOX_URL": origins.mailbox,
        "CRM_VAULT_ADDRESS": vault_address,
        "CRM_CHARGING_ADDRESS": f"127.0.0.1:{ports.charging}",
        "PORTAL_LISTEN": f"127.0.0.1:{ports.portal}",
        "PORTAL_WEB_METRICS_LISTEN": f"127.0.0.1:{ports.metrics + 1}",
        "PORTAL_PUBLIC_URL": origins.portal,
        "PORTAL_FRAME_ORIGIN": origins.frame,
        "PORTAL_MAILBOX_URL": origins.mailbox,
        "PORTAL_VAULT_ADDRESS": vault_address,
        "NOTIFIER_LISTEN": f"127.0.0.1:{ports.mailbox}",
        "NOTIFIER_PUBLIC_URL": origins.mailbox,
        "NOTIFIER_CRM_URL": origins.crm,
        "NOTIFIER_PORTAL_URL": origins.portal,
    }
