"""deploy/k8s: schemas of several Kubernetes versions, the code's settings, and the rules that a linter would check."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from chassis.settings import ServiceSettings
from services.crm.config import CrmSettings
from services.notifier.config import NotifierSettings
from services.portal.config import PortalSettings
from services.vault.config import VaultSettings
from services.vault.phone.config import PhoneSettings

FOLDER = Path(__file__).parents[3] / "deploy" / "k8s"
VERSIONS = ("1.30", kubernetes_validate.latest_version())
SETTINGS: Mapping[str, type[ServiceSettings]] = {
    "vault": VaultSettings,
    "crm": CrmSettings,
    "portal": PortalSettings,
    "notifier": NotifierSettings,
}
# They come from Secrets, or are derived from STATE_DIR, where the manifests mount the files.
FROM_SECRETS = {"database_url", "bus_url", "secret_key", "smtp_url", "owner_database_url", "charging_database_url"}
DERIVED = {"tls_ca", "tls_cert", "tls_key", "letter_signing_key", "notifier_letter_key", "letter_key"}
DERIVED |= {"public_keys_dir"}
# For one machine only: the mailbox page, and the vault's bus setting, which it has no use for.
NOT_HERE = {
    # Where there are telephones: the component `phone` adds them.
    "crm": {"mailbox_url", "phone_address", "phone_server_name"},
    "portal": {"mailbox_url"},
    "notifier": {"listen", "trusted_proxies", "proxy_header"},
    "vault": set(),
}
THEIR_OWN = ("cert-manager.io", "keda.sh", "kustomize.config.k8s.io")


def documents(folder: str = "base") -> Iterator[dict[str, Any]]:
    for path in sorted((FOLDER / folder).glob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text("utf-8"))


def of_kind(kind: str, folder: str = "base") -> list[dict[str, Any]]:
    return [document for document in documents(folder) if document["kind"] == kind]


def pods() -> list[tuple[str, dict[str, Any]]]:
    found = (*of_kind("Deployment"), *of_kind("Job"), *of_kind("Deployment", "phone"))
    return [(one["metadata"]["name"], one["spec"]["template"]) for one in found]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", ["base", "autoscaling", "phone"])
def test_every_manifest_fits_the_schema(folder: str, version: str) -> None:
    checked = 0
    for document in documents(folder):
        if not document["apiVersion"].startswith(THEIR_OWN):
            kubernetes_validate.validate(document, version, strict=True)
            checked += 1
    assert checked > 0


def test_kustomizations_list_the_files_that_are_there() -> None:
    for file in FOLDER.glob("*/kustomization.yaml"):
        listed = set(yaml.safe_load(file.read_text("utf-8"))["resources"])
        assert listed == {path.name for path in file.parent.glob("*.yaml")} - {file.name}


@pytest.mark.parametrize("service", SETTINGS)
def test_each_setting_of_the_code_is_here_and_no_other(service: str) -> None:
    prefix = SETTINGS[service].prefix()
    maps = [m for m in of_kind("ConfigMap") if next(iter(m["data"])).startswith(prefix)]
    given = {name for one in maps for name in one["data"]}
    known = {prefix + name.upper() for name in SETTINGS[service].model_fields}
    assert given - known == set(), "deploy/k8s/base/settings.yaml names what is no setting any more: take it out"
    elsewhere = FROM_SECRETS | DERIVED | NOT_HERE[service]
    missing = known - given - {prefix + name.upper() for name in elsewhere}
    assert missing == set(), (
        "write it into deploy/k8s/base/settings.yaml, or name it in NOT_HERE, DERIVED, FROM_SECRETS here"
    )


@pytest.mark.parametrize("service", SETTINGS)
def test_the_settings_are_well_formed(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = next(m for m in of_kind("ConfigMap") if m["metadata"]["name"] == f"wayvault-{service}")
    for name, value in config["data"].items():
        monkeypatch.setenv(name, value)
    if service == "notifier":
        monkeypatch.setenv("NOTIFIER_SMTP_URL", "smtps://smtp.example:465")
    settings = SETTINGS[service]()
    assert settings.environment == "production"


def test_the_frames_own_settings_are_fit_for_production(monkeypatch: pytest.MonkeyPatch) -> None:
    config = next(m for m in of_kind("ConfigMap") if m["metadata"]["name"] == "wayvault-frame")
    for name, value in config["data"].items():
        monkeypatch.setenv(name, value)
    # Its certificate comes from a Secret.
    assert [problem for problem in VaultSettings().frame_problems() if "VAULT_TLS_CERT" not in problem] == []


def test_the_component_for_telephones_has_each_setting_of_the_masker_and_tells_the_crm_where_it_is() -> None:
    (config,) = of_kind("ConfigMap", "phone")
    (deployment,) = of_kind("Deployment", "phone")
    masker = deployment["spec"]["template"]["spec"]["containers"][0]
    given = {*config["data"], *(each["name"] for each in masker["env"])}
    # It has no database, no bus and no secrets but its certificate.
    elsewhere = {"database_url", "bus_url", "secret_key", "tls_ca", "tls_cert", "tls_key"}
    assert given == {"PHONE_" + name.upper() for name in set(PhoneSettings.model_fields) - elsewhere}
    (kustomization,) = of_kind("Component", "phone")
    (patch,) = kustomization["patches"]
    assert patch["target"] == {"kind": "ConfigMap", "name": "wayvault-crm"}
    told = {change["path"].rpartition("/")[2] for change in yaml.safe_load(patch["patch"])}
    assert told == {"CRM_PHONE_ADDRESS", "CRM_PHONE_SERVER_NAME"}


def test_the_masker_reaches_the_vault_and_the_crm_reaches_the_masker_and_nobody_else_is_let_in() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind("NetworkPolicy", "phone")}
    assert policies["vault-from-phone"]["ingress"][0]["ports"] == [{"port": 8105, "protocol": "TCP"}]
    assert policies["crm-to-phone"]["egress"][0]["ports"] == [{"port": 8112, "protocol": "TCP"}]
    assert len(policies) == 2


def test_no_pod_has_more_than_it_needs() -> None:
    for name, pod in pods():
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in spec["containers"]:
            secured = container["securityContext"]
            assert secured["allowPrivilegeEscalation"] is False, name
            assert secured["readOnlyRootFilesystem"] is True, name
            assert secured["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["limits"]["memory"], name
            assert ":latest" not in container["image"], name


def test_every_program_is_asked_whether_it_lives_and_whether_it_can_serve() -> None:
    for one in of_kind("Deployment"):
        (container,) = one["spec"]["template"]["spec"]["containers"]
        paths = [container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")]
        assert paths == ["/healthz", "/readyz", "/healthz"], one["metadata"]["name"]


def test_every_process_of_a_pod_has_a_port_for_its_metrics_which_monitoring_alone_may_reach() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind("NetworkPolicy")}
    processes = {one["data"][key] for one in of_kind("ConfigMap") for key in one["data"] if key.endswith("_PROCESSES")}
    assert processes == {"2"}
    for one in of_kind("Deployment"):
        name = one["metadata"]["name"]
        (container,) = one["spec"]["template"]["spec"]["containers"]
        ports = {port["containerPort"] for port in container["ports"] if port["name"].startswith("metrics")}
        assert ports == ({9464, 9465} if name in ("crm", "portal") else {9464}), name
        opened = [rule for rule in policies[name]["ingress"] if any(each["port"] in ports for each in rule["ports"])]
        assert opened == [
            {
                "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
                "ports": [{"port": port, "protocol": "TCP"} for port in sorted(ports)],
            }
        ], name


def test_each_service_leads_to_pods_that_listen_and_is_what_settings_call_them() -> None:
    services = {one["metadata"]["name"]: one["spec"] for one in of_kind("Service")}
    for name, spec in services.items():
        (deployment,) = [
            one
            for one in of_kind("Deployment")
            if spec["selector"].items() <= one["spec"]["template"]["metadata"]["labels"].items()
        ]
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        listening = {port["name"]: port["containerPort"] for port in container["ports"]}
        for port in spec["ports"]:
            assert listening[port["targetPort"]] == port["port"], name
    called = {
        value
        for one in of_kind("ConfigMap")
        for key, value in one["data"].items()
        if key.endswith(("_VAULT_ADDRESS", "_CHARGING_ADDRESS"))
    }
    assert called == {f"{name}:{services[name]['ports'][0]['port']}" for name in ("vault", "charging")}


def test_secrets_come_by_reference_only() -> None:
    assert of_kind("Secret") == []
    for one in of_kind("ConfigMap"):
        assert [name for name in one["data"] if "SECRET" in name or "PASSWORD" in name or "DATABASE" in name] == []


def test_policies_let_in_and_out_what_the_design_lists() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind("NetworkPolicy")}
    assert policies["deny-all"]["podSelector"] == {}
    assert {one["metadata"]["name"] for one in of_kind("Deployment")} <= set(policies)
    reach = {name: _reached(spec) for name, spec in policies.items() if name != "deny-all"}
    assert reach["vault"] == reach["vault-worker"] == {"wayvault-vault-postgres:5432", "vault:8200"}
    assert reach["charging"] == reach["vault"], "and the gateways, which have no pods here"
    assert reach["frame"] == {"vault:8105"}
    common = {"wayvault-postgres:5432", "wayvault-rabbitmq:5671", "vault:8105"}
    assert reach["portal"] == reach["portal-worker"] == common
    assert reach["crm"] == reach["crm-worker"] == common | {"charging:8106"}
    assert _callers(policies["vault"]) == {"crm", "crm-worker", "portal", "portal-worker", "frame"}
    assert _callers(policies["charging"]) == {"crm", "crm-worker"}
    leading_out = {name for name, spec in policies.items() if name != "deny-all" and "ipBlock" in str(spec)}
    assert leading_out == {"charging", "notifier"}


def _callers(spec: Mapping[str, Any]) -> set[str]:
    """The pods here that a policy lets in."""
    return {
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
        for rule in spec["ingress"]
        for peer in rule["from"]
        if "podSelector" in peer and "namespaceSelector" not in peer
    }


def _reached(spec: Mapping[str, Any]) -> set[str]:
    """name:port of the pods that a policy lets one call; name resolution apart."""
    found: set[str] = set()
    for rule in spec["egress"]:
        for peer in rule["to"]:
            labels = peer.get("podSelector", {}).get("matchLabels", {})
            if name := labels.get("app.kubernetes.io/name"):
                found.update(f"{name}:{port['port']}" for port in rule["ports"])
    return found
