"""`podman kube play` runs the Deployments of deploy/k8s/base beside the containers' engines, until each is ready.

As they stand: image, arguments, settings, security, memory, the volume of /tmp. Not as they stand, since podman 4.3
knows no cluster: certificates and keys are mounted from the containers' own folders (podman gives a Secret's files the
names of its keys, whatever `items` says); what names an engine by its address in a cluster names it here; one replica;
no probes, for podman has no HTTP probe. Jobs, Services, Ingress, policies and budgets are not podman's: their schemas
and policies are checked in unit/deploy.
"""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import env_file
from deploy.compose.__main__ import Stack
from tests.unit.deploy.test_kubernetes import of_kind

# Where each stands in containers: its networks, and whose settings and files it has.
PLACES: dict[str, tuple[str, tuple[str, ...]]] = {
    "vault": ("vault", ("vault", "vault-store")),
    "vault-worker": ("vault", ("vault-store",)),
    "charging": ("charging", ("charging", "charging-store")),
    "frame": ("frame", ("edge", "vault")),
    "crm": ("crm", ("edge", "vault", "charging", "store")),
    "crm-worker": ("crm", ("vault", "charging", "store")),
    "portal": ("portal", ("edge", "vault", "store")),
    "portal-worker": ("portal", ("vault", "store")),
    "notifier": ("notifier", ("store", "mail")),
}
_SECRET_ENDINGS = ("_DATABASE_URL", "_BUS_URL", "_SECRET_KEY", "_SMTP_URL")
# Engines by their addresses here.
_HERE = ("VAULT_TRANSIT_URL",)
_PATIENCE_SECONDS = 90.0


def test_every_deployment_has_a_place() -> None:
    assert {one["metadata"]["name"] for one in of_kind("Deployment")} == set(PLACES)


@pytest.mark.parametrize("name", PLACES)
def test_a_deployment_of_kubernetes_runs_as_it_stands_and_gets_ready(
    containers: Stack, name: str, tmp_path: Path
) -> None:
    (deployment,) = [one for one in of_kind("Deployment") if one["metadata"]["name"] == name]
    pod = deployment["spec"]["template"]["spec"]
    port = deployment["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"]
    with _played(containers, name, deployment, tmp_path) as container:
        _until_ready(containers, container, port)
        said = json.loads(containers.containers.run(["podman", "inspect", container]).stdout)[0]
        assert said["Config"]["Cmd"] == pod["containers"][0]["args"]
        assert said["Config"]["User"] == "10001:10001"
        assert said["HostConfig"]["ReadonlyRootfs"] is True
        assert said["EffectiveCaps"] in (None, [])
        assert "no-new-privileges" in said["HostConfig"]["SecurityOpt"]
        assert said["HostConfig"]["Memory"] > 0


@contextmanager
def _played(containers: Stack, name: str, deployment: dict[str, Any], folder: Path) -> Iterator[str]:
    owner, networks = PLACES[name]
    settings = env_file.read(containers.layout.settings_of(owner))
    documents = [deployment]
    secrets: dict[str, dict[str, str]] = {}
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        del container[kind]
    deployment["spec"]["replicas"] = 1
    for source in container["envFrom"]:
        if "configMapRef" in source:
            documents.append(_config_map(source["configMapRef"]["name"], settings))
        else:
            # No mail server is asked before there is mail.
            settings.setdefault("NOTIFIER_SMTP_URL", "smtps://smtp.example:465")
            wanted = {key: value for key, value in settings.items() if key.endswith(_SECRET_ENDINGS) and value}
            secrets[source["secretRef"]["name"]] = wanted
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    for volume in volumes:
        if volume.pop("secret", None):
            inside = Path(mounts[volume["name"]]).relative_to("/var/lib/wayvault")
            volume["hostPath"] = {"path": str(containers.layout.program(owner) / inside), "type": "Directory"}
        elif "persistentVolumeClaim" in volume:
            volume["persistentVolumeClaim"]["claimName"] = "wayvault_vault-heads"
    file = folder / "pod.yaml"
    file.write_text("---\n".join(yaml.safe_dump(document) for document in documents))
    podman = containers.containers.run
    for secret, held in secrets.items():
        kept = folder / secret
        kept.write_text(json.dumps({key: base64.b64encode(value.encode()).decode() for key, value in held.items()}))
        podman(["podman", "secret", "rm", secret], check=False)
        podman(["podman", "secret", "create", secret, str(kept)])
    try:
        connected = [word for network in networks for word in ("--network", f"wayvault_{network}")]
        podman(["podman", "kube", "play", *connected, str(file)])
        yield f"{name}-pod-0-{container['name']}"
    finally:
        podman(["podman", "kube", "down", str(file)], check=False)
        for secret in secrets:
            podman(["podman", "secret", "rm", secret], check=False)


def _config_map(name: str, settings: dict[str, str]) -> dict[str, Any]:
    (found,) = [one for one in of_kind("ConfigMap") if one["metadata"]["name"] == name]
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
