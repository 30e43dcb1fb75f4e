"""deploy/compose.yaml: every program of a machine without containers, on the networks that the design gives it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from chassis.settings import ServiceSettings
from deploy.backup.postgres import environment_of
from deploy.compose.__main__ import _of
from deploy.compose.backups import found_at
from deploy.compose.files import METRICS, Layout
from deploy.compose.sites import on_this_machine
from deploy.dev.programs import programs_of
from deploy.dev.settings import collect
from deploy.dev.state import State
from services.crm.config import CrmSettings
from services.notifier.config import NotifierSettings
from services.portal.config import PortalSettings
from services.vault.config import VaultSettings
from services.vault.phone.config import PhoneSettings

COMPOSE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[3] / "deploy" / "compose.yaml").read_text("utf-8"))
SETTINGS: tuple[type[ServiceSettings], ...] = (
    *(CrmSettings, NotifierSettings, PortalSettings),
    *(VaultSettings, PhoneSettings),
)
# Networks that lead out of the host.
OPEN = {"edge", "mail", "gateways", "telephones", "seeing"}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path, on_this_machine(8443, phone="192.0.2.10"))


def networks(service: str) -> set[str]:
    """Those that a program stands on, by itself or by whose address it shares."""
    described = COMPOSE["services"][service]
    shares = described.get("network_mode", "").removeprefix("service:")
    return networks(shares) if shares else set(described["networks"])


def beside(program: str) -> dict[str, set[str]]:
    """Who stands on a network with it, and on which."""
    shared = {name: networks(name) & networks(program) for name in COMPOSE["services"] if name != program}
    return {name: found for name, found in shared.items() if found}


def test_every_program_of_a_machine_runs_in_a_container_too(tmp_path: Path) -> None:
    state = State.from_environment({"WAYVAULT_STATE": str(tmp_path)})
    programs = programs_of(state, collect(state, {}, env=tmp_path / "none"))
    # The simulated gateway is a developer's.
    wanted = {(f"services.{each.service}", each.command) for each in programs if each.service != "gateway"}
    given = {tuple(one["command"]) for one in COMPOSE["services"].values() if "command" in one}
    assert wanted - given == set()


def test_a_database_is_found_at_an_address_and_trusted_by_its_name() -> None:
    url = "postgresql+psycopg://owner:a%2Fb@postgres.wayvault.internal:5432/wayvault_crm"
    told = environment_of(found_at(f"{url}?sslmode=verify-full&sslrootcert=/ca.pem", "10.89.1.7"))
    assert (told["PGHOST"], told["PGHOSTADDR"]) == ("postgres.wayvault.internal", "10.89.1.7")
    assert (told["PGSSLMODE"], told["PGPASSWORD"]) == ("verify-full", "a/b")
    assert environment_of(found_at(url, "10.89.1.7"))["PGHOSTADDR"] == "10.89.1.7"


def test_no_setting_of_a_container_is_unknown_to_the_code(layout: Layout) -> None:
    known = {settings.prefix() + name.upper() for settings in SETTINGS for name in settings.model_fields}
    given = {name for settings in layout._settings().values() for name in settings}
    assert given - known == set()


@pytest.mark.parametrize("site", ["crm", "portal", "frame", "mailbox"])
def test_each_site_is_behind_the_proxy_on_a_network_of_its_own(site: str) -> None:
    own = f"edge-{site}"
    assert COMPOSE["services"][site]["networks"][own] == {"aliases": [f"{site}.wayvault.internal"]}
    assert {name for name in COMPOSE["services"] if own in networks(name)} == {site, "proxy"}
    assert OPEN.isdisjoint(networks(site))


def test_charging_reaches_gateways_its_database_and_its_engine_and_only_the_crm_reaches_it() -> None:
    assert networks("charging") == {"charging", "charging-store", "gateways", "seeing-charging"}
    assert beside("charging") == {
        "crm": {"charging"},
        "crm-worker": {"charging"},
        "operator": {"charging"},
        "vault-postgres": {"charging-store"},
        "hcvault": {"charging-store"},
        "prometheus": {"seeing-charging"},
    }


def test_the_masker_reaches_the_vault_alone_and_kamailio_shares_its_address_and_not_its_keys() -> None:
    assert beside("masker") == {
        "kamailio": {"telephones", "phone", "phone-vault", "seeing-masker"},
        "prometheus": {"seeing-masker"},
        "vault": {"phone-vault"},
        "crm": {"phone"},
        "crm-worker": {"phone"},
    }
    assert [each.partition(":")[0].rpartition("/")[2] for each in mounts("kamailio")] == ["kamailio"]
    assert [each.partition(":")[0].rpartition("/")[2] for each in mounts("masker")] == ["phone"]
    # Neither starts unless asked for.
    assert {COMPOSE["services"][name]["profiles"][0] for name in ("masker", "kamailio")} == {"phone"}


def mounts(service: str) -> list[str]:
    return [each.replace("${WAYVAULT_STATE_DIR}", "") for each in COMPOSE["services"][service]["volumes"]]


def test_the_masker_and_the_crm_are_told_of_each_other_only_where_telephones_are(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = layout._settings()
    assert given["crm"]["CRM_PHONE_ADDRESS"] == "phone.wayvault.internal:8112"
    for name, value in given["phone"].items():
        monkeypatch.setenv(name, value)
    assert PhoneSettings().media_address == "192.0.2.10"
    without = Layout(tmp_path, on_this_machine(8443))._settings()
    assert "phone" not in without
    assert without["crm"]["CRM_PHONE_ADDRESS"] == ""


def test_changed_settings_are_another_label_so_that_the_container_is_made_anew(layout: Layout) -> None:
    file = layout.settings_of("crm")
    file.parent.mkdir(parents=True)
    file.write_text("CRM_LISTEN=0.0.0.0:1\n")
    before = layout.sums()
    file.write_text("CRM_LISTEN=0.0.0.0:2\n")
    assert before.keys() == layout.sums().keys() == {"WAYVAULT_SETTINGS_CRM"}
    assert before != layout.sums()
    for name, described in COMPOSE["services"].items():
        for each in described.get("env_file", ()):
            variable = f"WAYVAULT_SETTINGS_{Path(each).stem.upper()}"
            assert described["labels"] == {"wayvault.settings": f"${{{variable}:-}}"}, name


def test_each_program_tells_its_metrics_on_a_network_of_its_own_that_prometheus_alone_joins(layout: Layout) -> None:
    programs = {name for name, one in COMPOSE["services"].items() if one.get("env_file")} - {"operator"}
    for name in programs:
        own = COMPOSE["services"][name]["networks"][f"seeing-{name}"]
        assert own == {"aliases": [METRICS.rpartition(":")[0]]}, name
        # Kamailio has the masker's address.
        there = {other for other in COMPOSE["services"] if f"seeing-{name}" in networks(other)} - {"kamailio"}
        assert there == {name, "prometheus"}
    assert networks("prometheus") == {"seeing", *(f"seeing-{name}" for name in programs)}
    listens = {value for given in layout._settings().values() for key, value in given.items() if "METRICS" in key}
    assert listens == {METRICS}
    layout._seen()
    (listed,) = json.loads((layout.program("prometheus") / "compose.json").read_text("utf-8"))
    assert {target.partition(":")[0] for target in listed["targets"]} == programs


def test_what_a_program_serves_is_bound_to_its_callers_networks(layout: Layout) -> None:
    aliases = {
        alias: name
        for one in COMPOSE["services"].values()
        for name, network in (one["networks"] if isinstance(one.get("networks"), dict) else {}).items()
        for alias in network.get("aliases", ())
    }
    for given in layout._settings().values():
        for key, value in given.items():
            if key.endswith("_LISTEN") and "MEDIA" not in key:
                assert value.rpartition(":")[0] in aliases, key


def test_every_network_but_five_is_shut_in_and_those_are_kept_from_each_other() -> None:
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
