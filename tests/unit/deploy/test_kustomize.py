"""What kustomize makes of deploy/k8s, and what checkov says of it: programs that others wrote, built by `.ci/run`."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.unit.deploy.test_kubernetes import FOLDER, THEIR_OWN, VERSIONS

_CACHE = Path.home() / ".cache" / "wayvault"
# `base` is a part of the overlay.
FOLDERS = ("autoscaling", "cert-manager", "keda")


def _program(name: str, built: Path) -> str:
    found = shutil.which(name) or (str(built) if built.exists() else "")
    if not found:
        pytest.skip(f"there is no {name}; .ci/run builds it as {built}")
    return found


@pytest.fixture(scope="module")
def kustomize() -> str:
    return _program("kustomize", Path(os.environ.get("WAYVAULT_GOBIN", _CACHE / "bin")) / "kustomize")


@pytest.fixture(scope="module")
def made(kustomize: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """By folder what kustomize makes of it; `overlay` is base with telephones, as an agency's own overlay has it."""
    overlay = tmp_path_factory.mktemp("overlay")
    # kustomize takes no absolute paths.
    ours = os.path.relpath(FOLDER, overlay.resolve())
    text = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"{ours}/base"],
        "components": [f"{ours}/phone"],
    }
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(text))
    folders = {name: FOLDER / name for name in FOLDERS} | {"overlay": overlay}
    return {name: _built(kustomize, folder) for name, folder in folders.items()}


def _built(kustomize: str, folder: Path) -> str:
    done = subprocess.run([kustomize, "build", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def documents(text: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(text))


def test_all_that_is_made_fits_the_schema(made: dict[str, str]) -> None:
    ours = [one for text in made.values() for one in documents(text) if not one["apiVersion"].startswith(THEIR_OWN)]
    for document in ours:
        kubernetes_validate.validate(document, VERSIONS[-1], strict=True)
    assert len(ours) > 50


def test_an_agencys_overlay_has_its_registrys_images_its_namespace_and_all_that_pods_refer_to(
    made: dict[str, str],
) -> None:
    found = documents(made["overlay"])
    pods = [one["spec"]["template"]["spec"] for one in found if one["kind"] in ("Deployment", "Job")]
    images = {container["image"] for pod in pods for container in pod["containers"]}
    assert {image for image in images if not image.startswith("registry.agency.example/")} == set()
    assert {one["metadata"].get("namespace") for one in found if one["kind"] != "Namespace"} == {"wayvault"}
    there = {(one["kind"], one["metadata"]["name"]) for one in found}
    for pod in pods:
        assert ("ServiceAccount", pod["serviceAccountName"]) in there
        for container in pod["containers"]:
            for source in container.get("envFrom", ()):
                if "configMapRef" in source:
                    assert ("ConfigMap", source["configMapRef"]["name"]) in there
        for volume in pod["volumes"]:
            if claim := volume.get("persistentVolumeClaim"):
                assert ("PersistentVolumeClaim", claim["claimName"]) in there
    (crm,) = [one for one in found if (one["kind"], one["metadata"]["name"]) == ("ConfigMap", "wayvault-crm")]
    assert crm["data"]["CRM_PHONE_ADDRESS"].endswith(":8112")


def test_checkov_finds_nothing_that_is_not_meant_to_be_so(made: dict[str, str], tmp_path: Path) -> None:
    checkov = _program("checkov", _CACHE / "checkov" / "bin" / "checkov")
    file = tmp_path / "all.yaml"
    file.write_text("---\n".join(made.values()))
    command = [
        checkov,
        "--file",
        str(file),
        "--framework",
        "kubernetes",
        "--config-file",
        str(FOLDER / ".checkov.yaml"),
    ]
    done = subprocess.run([*command, "--output", "json"], capture_output=True, text=True, check=False)
    said = json.loads(done.stdout)
    failed = [f"{one['check_id']} {one['check_name']}: {one['resource']}" for one in said["results"]["failed_checks"]]
    assert failed == []
    assert said["summary"]["passed"] > 700
