"""deploy/compose.yaml: every program of a machine without containers, on the networks that the design gives it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from chassis.settings import ServiceSettings
from deploy.compose.__main__ import _of
from deploy.compose.files import Layout
from deploy.compose.sites import on_this_machine
from deploy.dev.programs import programs_of
from deploy.dev.settings import collect
from deploy.dev.state import State
from services.crm.config import CrmSettings
from services.notifier.config import NotifierSettings
from services.portal.config import PortalSettings
from services.vault.config import VaultSettings

COMPOSE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[3] / "deploy" / "compose.yaml").read_text("utf-8"))
SETTINGS: tuple[type[ServiceSettings], ...] = (CrmSettings, NotifierSettings, PortalSettings, VaultSettings)
# Networks that lead out of the host.
OPEN = {"edge", "mail", "gateways"}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path, on_this_machine(8443))


def networks(service: str) -> set[str]:
    return set(COMPOSE["services"][service]["networks"])


def test_every_program_of_a_machine_runs_in_a_container_too(tmp_path: Path) -> None:
    state = State.from_environment({"WAYVAULT_STATE": str(tmp_path)})
    programs = programs_of(state, collect(state, {}, env=tmp_path / "none"))
    # The simulated gateway is a developer's.
    wanted = {(f"services.{each.service}", each.command) for each in programs if each.service != "gateway"}
    given = {tuple(one["command"]) for one in COMPOSE["services"].values() if "command" in one}
    assert wanted - given == set()


def test_no_setting_of_a_container_is_unknown_to_the_code(layout: Layout) -> None:
    known = {settings.prefix() + name.upper() for settings in SETTINGS for name in settings.model_fields}
    given = {name for settings in layout._settings().values() for name in settings}
    assert given - known == set()


def test_charging_reaches_gateways_its_database_and_its_engine_and_only_the_crm_reaches_it() -> None:
    assert networks("charging") == {"charging", "charging-store", "gateways"}
    beside = {name: networks(name) & networks("charging") for name in COMPOSE["services"] if name != "charging"}
    assert {name: shared for name, shared in beside.items() if shared} == {
        "crm": {"charging"},
        "crm-worker": {"charging"},
        "operator": {"charging"},
        "vault-postgres": {"charging-store"},
        "hcvault": {"charging-store"},
    }


def test_every_network_but_three_is_shut_in_and_those_are_kept_from_each_other() -> None:
    leading_out = {name: network for name, network in COMPOSE["networks"].items() if not network.get("internal")}
    assert leading_out.keys() == OPEN
    assert all(network["driver_opts"] == {"isolate": "true"} for network in leading_out.values())


def test_neither_the_vault_nor_charging_has_the_others_role() -> None:
    made = {
        "VAULT_DATABASE_URL": "application",
        "VAULT_CHARGING_DATABASE_URL": "charging",
        "VAULT_OWNER_DATABASE_URL": "owner",
    }
    assert _of("vault", made) == {"VAULT_DATABASE_URL": "application", "VAULT_CHARGING_DATABASE_URL": ""}
    assert set(_of("charging", made).values()) == {"charging"}
