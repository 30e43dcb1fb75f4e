"""`podman kube play` runs the programs of deploy/k8s beside the containers' engines: Deployments until each is ready,
the pod for telephones too, and the pods of the migration Jobs until each has ended well.

As they stand: image, arguments, settings, security, memory, the volume of /tmp. Not as they stand, since podman 4.3
knows no cluster: certificates and keys are mounted from the containers' own folders (podman gives a Secret's files the
names of its keys, whatever `items` says); what names an engine by its address in a cluster names it here; one replica;
no probes, for podman has no HTTP probe; the pod for telephones stands on the containers' networks, for the host's ports
are the masker's beside it, and is told its address, for podman has no `status.hostIP`; a Job's pod is played as a Pod.
podman plays Pods, Deployments, ConfigMaps, Secrets and PersistentVolumeClaims, and has no Job, Service, Ingress,
NetworkPolicy, PodDisruptionBudget, ServiceAccount and Namespace: their schemas and what they say are checked in
unit/deploy. `vault:8105`, which a Service is in a cluster, is the container of that name here.
"""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import env_file
from deploy.compose.__main__ import Stack
from tests.unit.deploy.test_kubernetes import of_kind


@dataclass(frozen=True)
class Place:
    """Where a pod stands among the containers: whose settings and files it has, and its networks."""

    settings: str
    networks: tuple[str, ...]
    folder: str = ""

    @property
    def files(self) -> str:
        return self.folder or self.settings


PLACES = {
    "vault": Place("vault", ("vault", "vault-store")),
    "vault-worker": Place("vault", ("vault-store",)),
    "charging": Place("charging", ("charging", "charging-store")),
    "frame": Place("frame", ("edge-frame", "vault")),
    "crm": Place("crm", ("edge-crm", "vault", "charging", "store")),
    "crm-worker": Place("crm", ("vault", "charging", "store")),
    "portal": Place("portal", ("edge-portal", "vault", "store")),
    "portal-worker": Place("portal", ("vault", "store")),
    "notifier": Place("notifier", ("store", "mail")),
    "phone": Place("phone", ("telephones", "phone", "phone-vault")),
}
JOBS = {
    "migrate-vault": Place("vault-owner", ("vault-store",), folder="vault"),
    "migrate-crm": Place("crm", ("store",)),
    "migrate-portal": Place("portal", ("store",)),
    "migrate-notifier": Place("notifier", ("store",)),
}
# What podman plays, and what of the manifests it has no idea of.
PLAYED = {"Deployment", "ConfigMap", "PersistentVolumeClaim"}
_SECRET_ENDINGS = ("_DATABASE_URL", "_BUS_URL", "_SECRET_KEY", "_SMTP_URL")
# An engine by its address here, and that the pod for telephones has another address than they reach.
_HERE = ("VAULT_TRANSIT_URL", "PHONE_MEDIA_LISTEN")
_PATIENCE_SECONDS = 90.0


def _deployments() -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in (*of_kind("Deployment"), *of_kind("Deployment", "phone"))}


def test_every_deployment_and_job_has_a_place() -> None:
    assert _deployments().keys() == PLACES.keys()
    assert {one["metadata"]["name"] for one in of_kind("Job")} == JOBS.keys()


@pytest.mark.parametrize("name", PLACES)
def test_a_deployment_of_kubernetes_runs_as_it_stands_and_gets_ready(
    containers: Stack, name: str, tmp_path: Path
) -> None:
    deployment = _deployments()[name]
    described = deployment["spec"]["template"]["spec"]["containers"]
    port = deployment["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"]
    deployment["spec"]["replicas"] = 1
    with _played(containers, PLACES[name], deployment, deployment["spec"]["template"]["spec"], tmp_path):
        _until_ready(containers, f"{name}-pod-0-{described[0]['name']}", port)
        for container in described:
            _demand_as_described(containers, f"{name}-pod-0-{container['name']}", container)
        if name == "phone":
            # The masker is ready once Kamailio asks it; telephones ask Kamailio.
            containers.containers.run(["podman", "exec", "phone-pod-0-kamailio", "kamailio-answers"])


@pytest.mark.parametrize("name", JOBS)
def test_the_pod_of_a_migration_job_ends_well(containers: Stack, name: str, tmp_path: Path) -> None:
    (job,) = [one for one in of_kind("Job") if one["metadata"]["name"] == name]
    template = job["spec"]["template"]
    (container,) = template["spec"]["containers"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": template["metadata"]["labels"]},
        "spec": template["spec"],
    }
    with _played(containers, JOBS[name], pod, template["spec"], tmp_path):
        played = f"{name}-{container['name']}"
        ended = containers.containers.run(["podman", "wait", played]).stdout.strip()
        said = containers.containers.run(["podman", "logs", played])
        assert ended == "0", said.stdout + said.stderr
        assert "up to date" in said.stdout
        _demand_as_described(containers, played, container)


def test_podman_says_of_each_other_kind_that_it_does_not_play_it(containers: Stack, tmp_path: Path) -> None:
    """Should a newer podman know one of them, it is to be played here too."""
    folder = Path(__file__).parents[2] / "deploy" / "k8s" / "base"
    documents = [one for file in folder.glob("*.yaml") for one in yaml.safe_load_all(file.read_text("utf-8"))]
    for kind in sorted({one["kind"] for one in documents} - PLAYED - {"Kustomization"}):
        file = tmp_path / f"{kind}.yaml"
        file.write_text(yaml.safe_dump(next(one for one in documents if one["kind"] == kind)))
        refused = containers.containers.run(["podman", "kube", "play", str(file)], check=False)
        assert "does not contain any supported kube kind" in refused.stderr, kind


def _demand_as_described(containers: Stack, name: str, described: dict[str, Any]) -> None:
    said = json.loads(containers.containers.run(["podman", "inspect", name]).stdout)[0]
    if "args" in described:
        assert said["Config"]["Cmd"] == described["args"]
    assert said["Config"]["User"] == "10001:10001"
    assert said["HostConfig"]["ReadonlyRootfs"] is True
    assert said["EffectiveCaps"] in (None, [])
    assert "no-new-privileges" in said["HostConfig"]["SecurityOpt"]
    assert said["HostConfig"]["Memory"] > 0


@contextmanager
def _played(
    containers: Stack, place: Place, workload: dict[str, Any], pod: dict[str, Any], folder: Path
) -> Iterator[None]:
    """Plays `workload`, whose pod's description is `pod`, and takes it down at the end."""
    settings = env_file.read(containers.layout.settings_of(place.settings))
    # No mail server is asked before there is mail.
    settings.setdefault("NOTIFIER_SMTP_URL", "smtps://smtp.example:465")
    # From a Secret in a cluster, a file here.
    kept = containers.layout.program(place.files) / "secrets" / place.files / "secret_key"
    if kept.exists():
        settings.setdefault(f"{place.files.upper()}_SECRET_KEY", kept.read_text("utf-8").strip())
    documents = [workload]
    secrets: dict[str, dict[str, str]] = {}
    for container in pod["containers"]:
        for source in container.get("envFrom", ()):
            if "configMapRef" in source:
                documents.append(_config_map(source["configMapRef"]["name"], settings))
            else:
                wanted = {key: value for key, value in settings.items() if key.endswith(_SECRET_ENDINGS) and value}
                secrets[source["secretRef"]["name"]] = wanted
    _adapt(containers, place, pod)
    file = folder / "pod.yaml"
    file.write_text("---\n".join(yaml.safe_dump(document) for document in documents))
    podman = containers.containers.run
    for secret, held in secrets.items():
        kept = folder / secret
        kept.write_text(json.dumps({key: base64.b64encode(value.encode()).decode() for key, value in held.items()}))
        podman(["podman", "secret", "rm", secret], check=False)
        podman(["podman", "secret", "create", secret, str(kept)])
    try:
        connected = [word for network in place.networks for word in ("--network", f"wayvault_{network}")]
        podman(["podman", "kube", "play", *connected, str(file)])
        yield
    finally:
        podman(["podman", "kube", "down", str(file)], check=False)
        for secret in secrets:
            podman(["podman", "secret", "rm", secret], check=False)


def _adapt(containers: Stack, place: Place, pod: dict[str, Any]) -> None:
    """Changes what podman does not know, as is said above."""
    pod.pop("hostNetwork", None)
    pod.pop("dnsPolicy", None)
    inside: dict[str, str] = {}
    for container in pod["containers"]:
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            container.pop(kind, None)
        for variable in container.get("env", ()):
            assert variable.pop("valueFrom") == {"fieldRef": {"fieldPath": "status.hostIP"}}
            # Kamailio is asked on its loopback, the masker tells telephones the address that they reach.
            variable["value"] = "127.0.0.1" if variable["name"] == "SIP_ADDRESS" else containers.sites.phone
        inside |= {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    for volume in pod["volumes"]:
        if secret := volume.pop("secret", None):
            if secret["secretName"] == "wayvault-kamailio":
                path = containers.layout.program("kamailio")
            else:
                within = Path(inside[volume["name"]]).relative_to("/var/lib/wayvault")
                path = containers.layout.program(place.files) / within
            volume["hostPath"] = {"path": str(path), "type": "Directory"}
        elif "persistentVolumeClaim" in volume:
            volume["persistentVolumeClaim"]["claimName"] = "wayvault_vault-heads"


def _config_map(name: str, settings: dict[str, str]) -> dict[str, Any]:
    maps = (*of_kind("ConfigMap"), *of_kind("ConfigMap", "phone"))
    (found,) = [one for one in maps if one["metadata"]["name"] == name]
    found["data"] |= {key: settings[key] for key in _HERE if key in found["data"] and key in settings}
    return found


def _until_ready(containers: Stack, container: str, port: str) -> None:
    script = f"import urllib.request as u; print(u.urlopen('http://127.0.0.1:{port}/readyz').read().decode())"
    command = ["podman", "exec", container, "/opt/wayvault/venv/bin/python", "-c", script]
    ends, paused = time.monotonic() + _PATIENCE_SECONDS, threading.Event()
    while '"ready"' not in (asked := containers.containers.run(command, check=False)).stdout:
        log = containers.containers.run(["podman", "logs", "--tail", "20", container], check=False)
        assert time.monotonic() < ends, f"{asked.stderr}\n{log.stdout}{log.stderr}"
        paused.wait(1.0)
