"""Builds the images of deploy/Containerfile and writes what is in each: `make images`.

    python -m deploy.images [--engines] [--check] [NAME …]

Without names: vault, crm, portal, notifier, operator, proxy and kamailio. `--engines` adds PostgreSQL, RabbitMQ,
HashiCorp Vault and Prometheus from Debian and Go, for machines that reach no image registry (`make compose-up` uses the
first three). `--check` says what is there and builds nothing. Safe to run again: layers that are there are kept.

Exit status: 0 done; 1 not done, the message says why; 2 wrong arguments; 3 an image is missing (--check).
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from chassis.commands import DONE, FOUND, NOT_DONE
from chassis.progress import at_work
from deploy.dev.engines.build_vault import find_or_build
from deploy.dev.engines.host import EngineFault
from deploy.images.host import BASE, ContainerFault, Containers

ROOT = Path(__file__).resolve().parents[2]
CONTEXTS = ROOT / "build" / "images"
SBOMS = ROOT / "build" / "sbom"
# A program's code beside chassis and protos.
PROGRAMS = {
    "vault": ("services/__init__.py", "services/vault"),
    "crm": ("services/__init__.py", "services/crm", "services/crm_demo"),
    "portal": ("services/__init__.py", "services/portal"),
    "notifier": ("services/__init__.py", "services/notifier"),
    "operator": ("services", "deploy"),
}
# In front of the programs: TLS, and telephones.
FRONT = ("proxy", "kamailio")
ENGINES = ("postgres", "rabbitmq", "hcvault")
SEEING = ("prometheus",)
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_MOUNTED = "/run/authorities/ca-certificates.crt"


def image_of(name: str) -> str:
    """The image's name as compose and Kubernetes files have it."""
    return f"localhost/wayvault-{name}:{os.environ.get('WAYVAULT_TAG', 'dev')}"


def build(containers: Containers, name: str) -> str:
    """Builds one image and returns its name. Raises ContainerFault and EngineFault."""
    arguments = ["--build-arg", f"BASE={BASE}"]
    if name in PROGRAMS:
        _fill_context(name)
        arguments += ["--build-arg", f"PROGRAM={name}"]
    elif name == "hcvault":
        target = CONTEXTS / "hcvault" / "vault"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(find_or_build(), target)
    if _AUTHORITIES.exists():
        arguments += ["--volume", f"{_AUTHORITIES.parent}:{Path(_MOUNTED).parent}:ro"]
        for variable in ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS"):
            arguments += ["--build-arg", f"{variable}={_MOUNTED}"]
    target_stage = name if name in ("vault", *FRONT, *ENGINES, *SEEING) else "program"
    containers.run(
        [
            *("buildah", "bud", "--layers", "--pull=false", "--target", target_stage, *arguments),
            *("--tag", image_of(name), "--file", "deploy/Containerfile", "."),
        ],
        cwd=ROOT,
    )
    return image_of(name)


def write_sbom(name: str) -> Path:
    """Writes the CycloneDX bill of materials of a program's lock, which is all that its environment holds."""
    SBOMS.mkdir(parents=True, exist_ok=True)
    path = SBOMS / f"{name}.cdx.json"
    program = Path(sys.executable).parent / "cyclonedx-py"
    lock = ROOT / "requirements" / f"{name}.txt"
    done = subprocess.run(
        [str(program), "requirements", str(lock), "--output-reproducible", "-o", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ContainerFault(f"the bill of materials of {name} could not be written: {done.stderr.strip()[-500:]}")
    return path


def _fill_context(name: str) -> None:
    """The code of one program, and nobody else's, where the Containerfile copies it from."""
    folder = CONTEXTS / name
    shutil.rmtree(folder, ignore_errors=True)
    ignore = shutil.ignore_patterns("__pycache__", "node_modules", "dist")
    for part in PROGRAMS[name]:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignore)
        else:
            shutil.copy2(source, target)
    shutil.copy2(write_sbom(name), folder / "sbom.cdx.json")


def main(arguments: list[str] | None = None) -> int:
    known = [*PROGRAMS, *FRONT, *ENGINES, *SEEING]
    parser = argparse.ArgumentParser(
        prog="python -m deploy.images", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--engines", action="store_true", help="build the engines' images too")
    parser.add_argument("--check", action="store_true", help="say what is there; build nothing")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(known):
        parser.error(f"there is no image {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    names = given.names or [*PROGRAMS, *FRONT, *((*ENGINES, *SEEING) if given.engines else ())]
    containers = Containers()
    try:
        if given.check:
            missing = [name for name in names if not containers.has_image(image_of(name))]
            print(f"missing: {', '.join(missing)}. `make images` builds them." if missing else "all images are here")
            return FOUND if missing else DONE
        with at_work("base image"):
            print(containers.ensure_base(), flush=True)
        for name in names:
            started = time.monotonic()
            print(f"  building {name} …", flush=True)
            with at_work(f"building {name}"):
                built = build(containers, name)
            print(f"  {built} ({time.monotonic() - started:.0f} s)", flush=True)
    except (ContainerFault, EngineFault, OSError) as fault:
        print(fault, file=sys.stderr)
        return NOT_DONE
    print(f"{len(names)} images are built; bills of materials in {SBOMS}. Next: make compose-up")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
