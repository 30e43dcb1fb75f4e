"""Wayvault in containers on this host: python -m deploy.compose {up,down,status,remove}

`up` builds the images that are missing, writes certificates, passwords and settings below the state directory, starts
engines and services of deploy/compose.yaml and waits until the sites answer; `--demo` also makes the demo agency, and
`--phone ADDRESS` starts Kamailio and the masker for telephones that reach this host by that address (docs/phone.md).
`--prometheus` starts Prometheus, which reads every program's metrics and judges them by deploy/monitoring/rules.yaml;
its pages are at 127.0.0.1:9090 (WAYVAULT_PROMETHEUS_PORT).
`down` stops everything and keeps all data; `remove` takes the data too. Safe to run again. `--check` says what would
be missing and starts nothing.

Exit status: 0 done; 1 not done, the message says why; 2 wrong arguments; 3 something is missing or not well.
"""

import argparse
import http.client
import json
import os
import socket
import ssl
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from chassis.commands import DONE, FOUND, NOT_DONE
from chassis.progress import at_work
from deploy import env_file
from deploy.compose import backups
from deploy.compose.files import HEADING, METRICS, PROGRAM_USER, Layout
from deploy.compose.sites import Sites, is_address, on_this_machine
from deploy.dev.certificates import CertificateFault
from deploy.dev.engines.host import EngineFault
from deploy.images.__main__ import ENGINES, PROGRAMS, build, image_of
from deploy.images.host import ContainerFault, Containers

ROOT = Path(__file__).resolve().parents[2]
_FILE = ROOT / "deploy" / "compose.yaml"
_ENGINES = ("postgres", "vault-postgres", "rabbitmq", "hcvault")
_PROGRAMS = (
    "vault",
    "vault-worker",
    "charging",
    "frame",
    "crm",
    "crm-worker",
    "portal",
    "portal-worker",
    "notifier",
    "proxy",
)
_TELEPHONES = ("masker", "kamailio")
# Who answers /readyz: every program of ours.
_TELLS = frozenset({*_PROGRAMS, "masker"} - {"proxy"})
_PROFILES = tuple(word for name in ("mailbox", "operator", "phone", "seeing") for word in ("--profile", name))
_READY_WITHIN_SECONDS = 180.0
_OK = 200
_OWNER_URL = "VAULT_OWNER_DATABASE_URL"
_CHARGING_URL = "VAULT_CHARGING_DATABASE_URL"


class Stack:
    """One stack of containers, whose names begin with `project`."""

    def __init__(self, state: Path, sites: Sites, *, project: str = "wayvault") -> None:
        self.containers = Containers()
        self.layout = Layout(state, sites)
        self.sites = sites
        self._project = project

    def up(self, *, demo: bool, prometheus: bool = False) -> None:
        """Starts everything and returns when it answers. Raises ContainerFault, CertificateFault, EngineFault."""
        started = time.monotonic()
        seeing = ("prometheus",) if prometheus else ()
        self._start_engines(started, seeing)
        self._migrate()
        self._say("databases at their newest revision", started)
        if demo:
            self._demo()
            self._say("demo agency", started)
        mailbox = ("mailbox",) if "mail" in self.sites.served else ()
        telephones = _TELEPHONES if self.sites.phone else ()
        if not telephones:
            # One after the other: podman removes no container whose network another one shares.
            for name in reversed(_TELEPHONES):
                self.containers.run(["podman", "rm", "--force", "--ignore", self._name(name)])
        self._compose(*_PROFILES, "up", "-d", *_PROGRAMS, *mailbox, *telephones, *seeing)
        self._read_anew()
        self._wait(self.sites.served)
        if demo:
            self._enrol()
        self._say("ready", started)
        print("\n" + "\n".join(f"{site:8} {self.layout.origin(site)}" for site in self.sites.served))

    def _start_engines(self, started: float, more: tuple[str, ...] = ()) -> None:
        self._images(more)
        self.layout.write()
        self._say("certificates, passwords and settings", started)
        self._compose("up", "-d", *_ENGINES)
        self._say("engines started", started)
        self._set_up("vault-store", ("vault", "charging", "operator"))
        self._set_up("store", ("crm", "portal", "notifier", "operator"))
        self._say("engines set up", started)

    def restore(self, identity: Path, keys: Path) -> None:
        """Puts the newest backup in `<root>/backup` into engines that are empty; `up` goes on from there.

        Raises ContainerFault, CertificateFault, EngineFault, BackupFault. RabbitMQ stays as it was set up: what it had
        of messages stands in the services' databases.
        """
        started = time.monotonic()
        self._start_engines(started)
        # As compose would make it, so that `remove` finds it; at a second try it is there.
        label, heads = f"io.podman.compose.project={self._project}", f"{self._project}_vault-heads"
        self.containers.run(["podman", "volume", "create", "--label", label, heads], check=False)
        with backups.place_to_put_back(self.layout, identity) as place:
            command = ("deploy.backup", "restore", "--without", "rabbitmq", "--identity", place)
            more = backups.words(self.layout, self.containers, self._project, back=True)
            self.containers.run(self._once("operator", backups.NETWORKS, command, more=more))
        backups.keep_keys(self.layout, keys)
        # It has the keys of before now, and is sealed when it comes back.
        self.containers.run(["podman", "restart", self._name("hcvault")])
        self._say("backup put back", started)

    def _read_anew(self) -> None:
        """What reads its files at its start only, told that one is another than before."""
        if "proxy" in self.layout.changed:
            # HAProxy's master reads configuration and certificates anew, and open connections go on.
            self.containers.run(["podman", "kill", "--signal", "USR2", self._name("proxy")])
        if "kamailio" in self.layout.changed:
            # Calls go on meanwhile: their sound is the masker's.
            self.containers.run(["podman", "restart", self._name("kamailio")])

    def _name(self, program: str) -> str:
        """The container's, as podman-compose gives it."""
        return f"{self._project}_{program}_1"

    def down(self) -> None:
        """Stops every container; volumes and files stay."""
        self._compose(*_PROFILES, "down", "-t", "30")
        print("Stopped; all data is kept. `make compose-up` starts it again.")

    def remove(self) -> None:
        """Stops every container and removes the volumes: all data of this stack is gone."""
        self._compose(*_PROFILES, "down", "-v", "-t", "30")
        print(f"Stopped, and its data removed. Files that are left: {self.layout.root}")

    def status(self) -> bool:
        """Prints each container, whether each program is ready, and each site; returns whether all are well."""
        listed = self.containers.run(
            ["podman", "ps", "-a", "--filter", f"label=io.podman.compose.project={self._project}", "--format", "json"]
        )
        well = True
        for one in json.loads(listed.stdout or "[]"):
            name = one["Names"][0]
            runs = one["State"] == "running"
            away = self.lacks(name) if runs else ""
            well = well and runs and not away
            told = away or one.get("Status", one["State"])
            print(f"{name:34} {'ok' if runs and not away else 'NOT WELL':9} {told}", flush=True)
        for site in self.sites.served:
            answers = self.answers(site)
            well = well and answers
            print(f"{self.layout.origin(site):34} {'answers' if answers else 'does not answer'}")
        return well

    def lacks(self, container: str) -> str:
        """What a running program says that it can't work without and that is away; empty when it is ready."""
        program = container.removeprefix(f"{self._project}_").rpartition("_")[0]
        if program not in _TELLS:
            return ""
        ask = (
            "import sys, urllib.error, urllib.request\n"
            "try: answer = urllib.request.urlopen(sys.argv[1], timeout=5)\n"
            "except urllib.error.HTTPError as refused: print(refused.read().decode())\n"
        )
        command = ["podman", "exec", container, "/opt/wayvault/venv/bin/python", "-c", ask, f"http://{METRICS}/readyz"]
        asked = self.containers.run(command, check=False)
        return asked.stdout.strip() or ("does not answer" if asked.returncode else "")

    def run_in(self, program: str, *command: str, network: str = "", settings: str = "") -> str:
        """Runs a command in a fresh container of a program and returns what it printed. Raises ContainerFault."""
        joined = network or {"vault": "vault-store", "operator": "vault"}.get(program, "store")
        return self.containers.run(self._once(program, (joined,), command, settings=settings)).stdout

    def operate(self, *command: str) -> tuple[int, str]:
        """Runs an operator's command where what it works with is reached: its status, and what it said. Raises
        ContainerFault.

        But for backups never on both networks of engines: each has a PostgreSQL, and of one name.
        """
        if command[0] == "deploy.backup":
            more = backups.words(self.layout, self.containers, self._project)
            once = self._once("operator", backups.NETWORKS, command, more=more)
        elif command[0].startswith("services.vault"):
            once = self._once("operator", ("vault", "vault-store", "charging"), command)
        else:
            once = self._once("operator", ("store",), command)
        done = self.containers.run(once, check=False)
        return done.returncode, done.stdout + done.stderr

    def logs(self, program: str) -> str:
        """The last of what a program's container said. Raises ContainerFault when there is none."""
        done = self.containers.run(["podman", "logs", "--tail", "200", self._name(program)])
        return done.stdout + done.stderr

    def _once(
        self,
        program: str,
        networks: Sequence[str],
        command: Sequence[str],
        *,
        settings: str = "",
        more: Sequence[str] = (),
    ) -> list[str]:
        """What runs a command in a fresh container of a program's image, with its files; `more` of podman's words."""
        joined = [word for each in networks for word in ("--network", f"{self._project}_{each}")]
        return [
            *("podman", "run", "--rm", *joined, "--read-only", "--cap-drop", "ALL"),
            *("--user", f"{PROGRAM_USER}:{PROGRAM_USER}", "--tmpfs", "/tmp:mode=1777"),
            *("--env-file", str(self.layout.settings_of(settings or program))),
            *("--volume", f"{self.layout.program(program)}:/var/lib/wayvault", *more, image_of(program), *command),
        ]

    def missing_images(self, more: tuple[str, ...] = ()) -> list[str]:
        """Names of images that this stack runs, or `more`, and that are not built yet."""
        wanted = [*PROGRAMS, "proxy", *(("kamailio",) if self.sites.phone else ()), *ENGINES, *more]
        return [name for name in wanted if not self.containers.has_image(image_of(name))]

    def _images(self, more: tuple[str, ...]) -> None:
        missing = self.missing_images(more)
        if missing:
            print(f"\nBuilding {len(missing)} container images, once; this takes 10 to 20 minutes.", flush=True)
            print(f"  {self.containers.ensure_base()}", flush=True)
        for number, name in enumerate(missing, start=1):
            started = time.monotonic()
            print(f"  {number} of {len(missing)}: {name} …", end="", flush=True)
            build(self.containers, name)
            print(f" {time.monotonic() - started:.0f} s", flush=True)

    def _set_up(self, network: str, programs: tuple[str, ...]) -> None:
        said = self.run_in("operator", "deploy.compose.setup", network, network=network)
        found = dict(line.split("=", 1) for line in said.splitlines() if "=" in line and line[:1].isupper())
        for program in programs:
            mine = found if program == "operator" else _of(program, found)
            env_file.update(self.layout.settings_of(program), mine, heading=HEADING)
            if program == "vault":
                owner = {"VAULT_DATABASE_URL": found[_OWNER_URL], "VAULT_STATE_DIR": "/var/lib/wayvault"}
                env_file.update(self.layout.settings_of("vault-owner"), owner, heading=HEADING)
        if network == "vault-store":
            self._hand_over_transit()

    def _hand_over_transit(self) -> None:
        """The identities at the transit engine, from the operator's folder to the vault's and to charging's."""
        for file in sorted((self.layout.program("operator") / "transit").glob("*.json")):
            program = "charging" if file.stem == "charging" else "vault"
            target = self.layout.program(program) / "transit" / file.name
            target.parent.mkdir(mode=0o700, exist_ok=True)
            target.write_text(file.read_text("utf-8"), "utf-8")
            for path in (target.parent, target):
                if os.geteuid() == 0:
                    os.chown(path, PROGRAM_USER, PROGRAM_USER)
            target.chmod(0o600)

    def _migrate(self) -> None:
        self.run_in("vault", "services.vault", "migrate", settings="vault-owner")
        for service in ("crm", "portal", "notifier"):
            self.run_in(service, f"services.{service}", "migrate")
        self.run_in("operator", "deploy.compose.grants", network="vault-store")

    def _demo(self) -> None:
        self.run_in("crm", "services.crm", "import-demo", "--crowd", "10")

    def _enrol(self) -> None:
        people = json.loads((self.layout.program("crm") / "demo.json").read_text("utf-8"))
        for agent in people["agents"]:
            self.run_in(
                "operator",
                *("services.vault", "enroll-agent", "--agent-id", agent["id"], "--agency-id", agent["agency_id"]),
                *("--name", agent["name"], "--email", agent["email"]),
            )

    def _wait(self, sites: tuple[str, ...]) -> None:
        ends = time.monotonic() + _READY_WITHIN_SECONDS
        waiting = list(sites)
        while waiting:
            waiting = [site for site in waiting if not self.answers(site)]
            if waiting and time.monotonic() > ends:
                raise ContainerFault(
                    f"{', '.join(map(self.layout.origin, waiting))} did not answer within {_READY_WITHIN_SECONDS:g} s. "
                    "`python -m deploy.compose status` says what runs; `podman logs` what it said."
                )
            time.sleep(0.5)

    def get(self, site: str, path: str) -> tuple[int, str]:
        """Asks a site by its name and certificate; no resolver need know the name. Raises OSError, HTTPException."""
        name = self.sites.hosts[site]
        context = ssl.create_default_context()
        for authority in (self.layout.state.certs / "ca.pem", self.sites.certificate):
            if authority is not None:
                context.load_verify_locations(authority)
        connection = http.client.HTTPConnection(name, timeout=3)
        try:
            plain = socket.create_connection((self._loopback, self.sites.port), timeout=3)
            connection.sock = context.wrap_socket(plain, server_hostname=name)
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    @property
    def _loopback(self) -> str:
        return "127.0.0.1" if self.sites.address in ("", "0.0.0.0") else self.sites.address  # compared

    def answers(self, site: str) -> bool:
        try:
            return self.get(site, "/healthz")[0] == _OK
        except (OSError, http.client.HTTPException):
            return False

    def _compose(self, *arguments: str) -> None:
        environment = {
            **self.containers.environment,
            **self.layout.sums(),
            "WAYVAULT_STATE_DIR": str(self.layout.root),
            "WAYVAULT_HTTPS_ADDRESS": self.sites.address,
            "WAYVAULT_HTTPS_PORT": str(self.sites.port),
            **({"WAYVAULT_PHONE_ADDRESS": self.sites.phone} if self.sites.phone else {}),
        }
        program = Path(sys.executable).parent / "podman-compose"
        command = [str(program), "--project-name", self._project, "--file", str(_FILE), *arguments]
        self.containers.run(command, cwd=ROOT, environment=environment)

    @staticmethod
    def _say(what: str, started: float) -> None:
        print(f"  {what} ({time.monotonic() - started:.0f} s)", flush=True)


def _of(program: str, settings: dict[str, str]) -> dict[str, str]:
    """One program's own; the vault's running processes never get its tables' owner, nor the role of charging."""
    prefix = "VAULT_" if program == "charging" else f"{program.upper()}_"
    mine = {name: value for name, value in settings.items() if name.startswith(prefix) and name != _OWNER_URL}
    if program == "charging":
        mine["VAULT_DATABASE_URL"] = mine[_CHARGING_URL]
    elif program == "vault":
        # Written empty, so that it goes from a file of before, too.
        mine[_CHARGING_URL] = ""
    return mine


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.compose", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("up", "down", "status", "remove"))
    parser.add_argument("--demo", action="store_true", help="make the demo agency too")
    parser.add_argument("--check", action="store_true", help="say whether images are there; start nothing")
    parser.add_argument("--state", type=Path, help="where files are kept (default: <WAYVAULT_STATE or var>/compose)")
    parser.add_argument("--phone", default="", metavar="ADDRESS", help="this host's address that telephones reach")
    parser.add_argument("--prometheus", action="store_true", help="start Prometheus too")
    parser.add_argument("--port", type=int, default=int(os.environ.get("WAYVAULT_HTTPS_PORT") or 8443))
    given = parser.parse_args(arguments)
    state = given.state or Path(os.environ.get("WAYVAULT_STATE") or "var") / "compose"
    if given.phone and not is_address(given.phone):
        parser.error(f"{given.phone!r} is no IPv4 address; telephones are told where to send their sound")
    stack = Stack(state, on_this_machine(given.port, phone=given.phone))
    try:
        if given.check:
            missing = stack.missing_images(("prometheus",) if given.prometheus else ())
            print(f"missing images: {', '.join(missing)}. `up` builds them." if missing else "Ready to start.")
            return FOUND if missing else DONE
        with at_work(f"compose {given.command}"):
            return _run(stack, given.command, demo=given.demo, prometheus=given.prometheus)
    except (ContainerFault, CertificateFault, EngineFault, OSError) as fault:
        print(f"\n{fault}", file=sys.stderr)
        return NOT_DONE


def _run(stack: Stack, command: str, *, demo: bool, prometheus: bool) -> int:
    match command:
        case "up":
            stack.up(demo=demo, prometheus=prometheus)
            print(f"\nAll files are in {stack.layout.root}. Next: python -m deploy.compose status | down")
        case "down":
            stack.down()
        case "remove":
            stack.remove()
        case _:
            return DONE if stack.status() else FOUND
    return DONE


if __name__ == "__main__":
    sys.exit(main())
