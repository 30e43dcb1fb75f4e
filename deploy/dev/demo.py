"""The demo agency: made by the CRM's `import-demo`, its agents enrolled at the vault by the operator's command."""

import hashlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests

from deploy.dev.settings import environment_of, gateway_url
from deploy.dev.state import State
from deploy.dev.supervisor import run_command
from deploy.files import write_file

_ARRIVAL_SECONDS = 120
# tests/support/gateway_sim.py takes it, and others that begin alike; it opens nothing anywhere else.
SIMULATORS_KEY = "sk_test_simulator0000"


class DemoFault(Exception):
    """The demo agency could not be made; the message holds what the command said."""


def demo_file(state: State) -> Path:
    return state.root / "demo.json"


def import_agency(state: State, settings: Mapping[str, str], root: Path, *, crowd: int = 100) -> None:
    """Makes what is missing of the demo agency, with `crowd` percent of its generated clients, in the CRM's database.

    Raises DemoFault.
    """
    if _is_done(state, settings):
        return
    arguments = ["services.crm", "import-demo", "--file", str(demo_file(state)), "--crowd", str(crowd)]
    _finish([run_command(arguments, environment=environment_of("crm", settings), root=root)])


def enrol_agents(state: State, settings: Mapping[str, str], root: Path) -> None:
    """Enrols the demo's agents at the running vault (O11), and makes its admins approvers of second reveals (M9), once.

    The agency's policy stays off until an admin turns it on. Raises DemoFault.
    """
    if _is_done(state, settings):
        return
    environment = environment_of("vault", settings)
    _finish(
        [
            run_command(
                [
                    "services.vault",
                    "enroll-agent",
                    *("--agent-id", agent["id"]),
                    *("--agency-id", agent["agency_id"]),
                    *("--name", agent["name"]),
                    *("--email", agent["email"]),
                ],
                environment=environment,
                root=root,
            )
            for agent in people(state)["agents"]
        ]
    )
    _finish(
        [
            run_command(
                ["services.vault", "set-approver", "--agent-id", agent["id"]], environment=environment, root=root
            )
            for agent in people(state)["agents"]
            if agent["role"] == "admin"
        ]
    )
    if settings.get("VAULT_STRIPE_URL") == gateway_url(state):
        _give_gateway_key(state, settings, root)
    write_file(_marker(state), _digest(state, settings))


def _give_gateway_key(state: State, settings: Mapping[str, str], root: Path) -> None:
    """The demo agency charges at the simulator, in test mode."""
    typed = state.run / "gateway-key"
    for agency in sorted({agent["agency_id"] for agent in people(state)["agents"]}):
        signing = _tell_where_to_ring(settings, f"{settings['CRM_PUBLIC_URL']}/gateway/{agency}/notices")
        write_file(typed, f"{SIMULATORS_KEY}\n{signing}\n")
        _finish(
            [
                run_command(
                    ["services.vault", "set-gateway-key", "--agency-id", agency],
                    environment=environment_of("vault", settings),
                    root=root,
                    typed=typed,
                )
            ]
        )
    typed.unlink()


def _tell_where_to_ring(settings: Mapping[str, str], url: str) -> str:
    """Registers where the simulator sends its messages; returns what it signs them with. Raises DemoFault."""
    answer = requests.post(
        f"{settings['VAULT_STRIPE_URL']}/v1/webhook_endpoints",
        data={"url": url, "enabled_events[0]": "*"},
        headers={"Authorization": f"Bearer {SIMULATORS_KEY}"},
        timeout=10,
    )
    if answer.status_code != HTTPStatus.OK:
        raise DemoFault("The simulator of a gateway does not take the address for its messages.")
    secret: str = answer.json()["secret"]
    return secret


def await_arrival(state: State, settings: Mapping[str, str], root: Path) -> None:
    """Returns once portal and notifier have read what the import made the CRM tell. Raises DemoFault.

    Else a newcomer's first payment link waits behind some two thousand events.
    """
    if _is_done(state, settings):
        return
    arguments = ["--wait", str(_ARRIVAL_SECONDS)]
    _finish(
        [
            run_command(
                ["chassis.bus.backlog", service, *arguments], environment=environment_of(service, settings), root=root
            )
            for service in ("crm", "portal", "notifier")
        ]
    )


def people(state: State) -> dict[str, Any]:
    """What one needs to sign in: `password`, and `agents` with name, email and role. Raises DemoFault."""
    try:
        found: dict[str, Any] = json.loads(demo_file(state).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DemoFault(
            f"{demo_file(state)} can't be read. `make clean` removes all demo data; then `make up`."
        ) from error
    return found


def _is_done(state: State, settings: Mapping[str, str]) -> bool:
    return (
        demo_file(state).exists()
        and _marker(state).exists()
        and _marker(state).read_text("utf-8") == _digest(state, settings)
    )


def _marker(state: State) -> Path:
    return state.run / "demo-enrolled"


def _digest(state: State, settings: Mapping[str, str]) -> str:
    """Changes when the demo's people or the databases that know them do."""
    databases = "".join(settings.get(f"{name}_DATABASE_URL", "") for name in ("CRM", "VAULT"))
    return hashlib.sha256(demo_file(state).read_bytes() + databases.encode() + b"gateway").hexdigest()


def _finish(processes: list[Any]) -> None:
    said = [(process.communicate(timeout=300)[0], process.returncode) for process in processes]
    faults = [text.strip() for text, status in said if status != 0]
    if faults:
        raise DemoFault("The demo agency could not be made:\n" + "\n".join(faults))
