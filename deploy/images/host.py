"""Containers on this machine: podman and buildah with a configuration of our own, whatever the account's says.

A machine without an image registry gets its base image from debootstrap, under the name that the Containerfile's FROM
has; one with a registry pulls it.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.files import private_directory, write_file

BASE = "docker.io/library/debian:bookworm-slim"
_PACKAGES = "podman runc netavark aardvark-dns catatonit iptables uidmap buildah debootstrap"
_PROGRAMS = ("podman", "buildah", "runc", "debootstrap")
# Limits above the session's own are refused by the kernel where we are root of a container only.
_ENGINE = """\
# Written by deploy/images at every start.
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
"""


class ContainerFault(Exception):
    """Containers can't be built or run here; the message says why and what to do."""


class Containers:
    """podman and buildah over one store, `<cache>/containers`, so that nothing else on the machine is touched."""

    def __init__(self, root: Path | None = None) -> None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wayvault" / "containers"
        self.root = root or cache
        self._environment: Mapping[str, str] | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """What podman, buildah and podman-compose are run with. Raises ContainerFault."""
        if self._environment is None:
            self._environment = self._prepare()
        return self._environment

    def run(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end. Raises ContainerFault with the end of what it said when it failed."""
        done = subprocess.run(
            list(command),
            cwd=cwd,
            env=dict(environment or self.environment),
            text=True,
            errors="replace",
            check=False,
            # Apart: what a program says to people must not get between the lines that are read here.
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
        if check and done.returncode:
            raise ContainerFault(f"`{' '.join(command[:4])} …` failed:\n{(done.stderr or done.stdout).strip()[-3000:]}")
        return done

    def has_image(self, name: str) -> bool:
        return self.run(["podman", "image", "exists", name], check=False).returncode == 0

    def ensure_base(self) -> str:
        """Sees to it that the base image is here; says what it did. Raises ContainerFault."""
        if self.has_image(BASE):
            return "the base image is here"
        if self.run(["podman", "pull", "--quiet", BASE], check=False).returncode == 0:
            return f"pulled {BASE}"
        folder = self.root / "base"
        shutil.rmtree(folder, ignore_errors=True)
        self.run(["debootstrap", "--variant=minbase", "bookworm", str(folder), *_mirror()])
        archive = self.root / "base.tar"
        self.run(["tar", "--create", "--file", str(archive), "--directory", str(folder), "."])
        self.run(["podman", "import", "--quiet", str(archive), BASE])
        shutil.rmtree(folder, ignore_errors=True)
        archive.unlink()
        return f"made {BASE} by debootstrap: no image registry answers here"

    def _prepare(self) -> Mapping[str, str]:
        missing = [name for name in _PROGRAMS if shutil.which(name) is None]
        if missing:
            raise ContainerFault(
                f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed. "
                f"Debian: apt-get install --no-install-recommends {_PACKAGES}"
            )
        private_directory(self.root)
        write_file(self.root / "containers.conf", _ENGINE)
        storage = f'[storage]\ndriver = "overlay"\nrunroot = "{self.root}/run"\ngraphroot = "{self.root}/graph"\n'
        write_file(self.root / "storage.conf", storage)
        return {
            **os.environ,
            "CONTAINERS_CONF": str(self.root / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.root / "storage.conf"),
            "BUILDAH_ISOLATION": "chroot",
        }


def _mirror() -> list[str]:
    """The mirror that this machine's apt uses; debootstrap's own choice when none can be read."""
    for source in sorted(Path("/etc/apt").rglob("*.sources")):
        for line in source.read_text("utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip().lower() == "uris":
                return [value.split()[0]]
    return []
