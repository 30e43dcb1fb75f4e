"""The processes of a stack, as supervisord is told to run them."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.dev.settings import environment_of, gateway_url
from deploy.dev.state import State
from deploy.phone import kamailio

_LONGEST_SOCKET_PATH = 100
# Stands for the demo agency's payment gateway, where none was named.
_SIMULATOR = "tests.support.gateway_sim"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One process: `port` is where it answers, None for a worker. `module` is what runs when it is no service's."""

    service: str
    command: str
    port: int | None
    # Whose settings it gets, where that isn't the service; and what is run, where that is no service of ours.
    settings: str = ""
    argv: tuple[str, ...] = ()
    module: str = ""
    options: tuple[str, ...] = ()

    @property
    def arguments(self) -> list[str]:
        """What Python runs as a module."""
        if self.module:
            return [self.module, "--port", str(self.port), *self.options]
        return [f"services.{self.service}", self.command]

    @property
    def name(self) -> str:
        return f"{self.service}-{self.command}"


def programs_of(state: State, settings: Mapping[str, str]) -> list[Program]:
    """What runs, in the order in which it starts. The mailbox runs only where mail is kept on this machine."""
    ports = state.ports
    found = [
        Program(service="vault", command="serve", port=ports.vault),
        Program(service="vault", command="worker", port=None),
        Program(service="vault", command="web", port=ports.frame),
        Program(service="vault", command="charging", port=ports.charging),
        Program(service="notifier", command="worker", port=None),
        Program(service="crm", command="web", port=ports.crm),
        Program(service="crm", command="worker", port=None),
        Program(service="portal", command="web", port=ports.portal),
        Program(service="portal", command="worker", port=None),
    ]
    if settings.get("NOTIFIER_SMTP_URL", "mailbox://").startswith("mailbox://"):
        found.append(Program(service="notifier", command="web", port=ports.mailbox))
    if settings.get("VAULT_STRIPE_URL") == gateway_url(state):
        journal = ("--journal", str((state.root / "gateway-books.jsonl").resolve()))
        found.append(
            Program(service="gateway", command="simulator", port=ports.gateway, module=_SIMULATOR, options=journal)
        )
    if settings.get("CRM_PHONE_ADDRESS"):
        found.append(Program(service="vault", command="phone", port=ports.phone, settings="phone"))
        found.append(Program(service="kamailio", command="sip", port=None, argv=kamailio.arguments(state.phone)))
    return found


def socket_of(state: State) -> Path:
    """Supervisord's control socket. Raises ValueError when the state directory's path is too long for one."""
    path = (state.run / "supervisor.sock").resolve()
    if len(str(path)) > _LONGEST_SOCKET_PATH:
        raise ValueError(
            f"{path} is too long a path for a socket ({_LONGEST_SOCKET_PATH} characters at most). "
            "Choose a shorter state directory: WAYVAULT_STATE=/tmp/wayvault."
        )
    return path


def configuration(state: State, settings: Mapping[str, str], root: Path) -> str:
    """Supervisord's configuration. It holds the services' settings, so its file is for its owner only."""
    run, log = state.run.resolve(), state.log.resolve()
    sections = [
        _section("unix_http_server", {"file": str(socket_of(state)), "chmod": "0700"}),
        _section(
            "supervisord",
            {
                "logfile": f"{log}/supervisord.log",
                "pidfile": f"{run}/supervisord.pid",
                "childlogdir": str(log),
                "umask": "077",
                "nodaemon": "false",
            },
        ),
        _section(
            "rpcinterface:supervisor",
            {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        ),
    ]
    for program in programs_of(state, settings):
        variables = environment_of(program.settings or program.service, settings)
        sections.append(
            _section(
                f"program:{program.name}",
                {
                    "command": " ".join(program.argv or (sys.executable, "-m", *program.arguments)),
                    "directory": str(root),
                    "environment": ",".join(f"{name}={_quoted(value)}" for name, value in sorted(variables.items())),
                    "autostart": "true",
                    "autorestart": "true",
                    "startsecs": "1",
                    "startretries": "20",
                    "stopwaitsecs": "30",
                    "stopasgroup": "false",
                    "killasgroup": "true",
                    "redirect_stderr": "true",
                    "stdout_logfile": f"{log}/{program.name}.log",
                    "stdout_logfile_maxbytes": "20MB",
                    "stdout_logfile_backups": "3",
                },
            )
        )
    return "\n".join(sections)


def _section(name: str, values: Mapping[str, str]) -> str:
    lines = [f"{key} = {value if key == 'environment' else _percent(value)}" for key, value in values.items()]
    return f"[{name}]\n" + "\n".join(lines) + "\n"


def _quoted(value: str) -> str:
    """A value in quotes, as supervisord reads it: it knows no escapes, but either kind of quote.

    Raises ValueError for a value that holds both kinds.
    """
    quote = '"' if '"' not in value else "'"
    if quote in value:
        raise ValueError("A setting that holds both kinds of quotes can't be passed to a process; use its _FILE form.")
    return f"{quote}{_percent(value)}{quote}"


def _percent(value: str) -> str:
    return value.replace("%", "%%")
