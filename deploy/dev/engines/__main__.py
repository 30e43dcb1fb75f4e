"""python -m deploy.dev.engines {start,stop,status,restart,reload} [postgres] [rabbitmq] [hcvault]

`start` starts what does not run yet and sets everything up (deploy/*/bootstrap); `<state>/engines/engines.env` then
holds the settings that `make up ENGINES=real` and the tests use. `reload` lets running engines show renewed
certificates; no connection ends.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from deploy import env_file
from deploy.dev import certificates
from deploy.dev.engines.hcvault import HcVault
from deploy.dev.engines.host import EngineFault
from deploy.dev.engines.postgres import Postgres
from deploy.dev.engines.rabbitmq import RabbitMq
from deploy.dev.engines.setup import HEADING, set_up, settings_file
from deploy.dev.state import State


class Engine(Protocol):
    name: str

    def start(self) -> bool: ...

    def stop(self) -> bool: ...

    def reload(self) -> bool: ...

    def answers(self) -> bool: ...


_MAKERS: dict[str, Callable[[State], Engine]] = {"postgres": Postgres, "rabbitmq": RabbitMq, "hcvault": HcVault}


def start(state: State, names: Sequence[str]) -> None:
    """Starts and sets up the named engines. Raises EngineFault at the first that can't start."""
    certificates.ensure(state)
    for name in names:
        engine = _MAKERS[name](state)
        started = engine.start()
        set_up(state, name)
        print(f"{engine.name}: {'started' if started else 'runs already'}, and is set up", flush=True)
    env_file.update(settings_file(state), {"WAYVAULT_CA": str((state.certs / "ca.pem").resolve())}, heading=HEADING)
    print(f"Settings: {settings_file(state)} (make up ENGINES=real uses them)")


def stop(state: State, names: Sequence[str]) -> None:
    """Stops the named engines, the last started first."""
    for name in reversed(names):
        engine = _MAKERS[name](state)
        print(f"{engine.name}: {'stopped' if engine.stop() else 'did not run'}", flush=True)


def reload(state: State, names: Sequence[str]) -> None:
    """Hands renewed certificates to the named engines. Raises EngineFault."""
    for name in names:
        engine = _MAKERS[name](state)
        print(f"{engine.name}: {'shows its new certificate' if engine.reload() else 'does not run'}", flush=True)


def status(state: State, names: Sequence[str]) -> bool:
    """Prints how each engine is; returns whether all are well."""
    well = {name: _MAKERS[name](state).answers() for name in names}
    for name, answers in well.items():
        print(f"{_MAKERS[name](state).name}: {'answers' if answers else 'does not answer'}")
    return all(well.values())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.dev.engines", description="PostgreSQL, RabbitMQ, Vault.")
    parser.add_argument("command", choices=("start", "stop", "restart", "reload", "status"))
    parser.add_argument("engines", nargs="*", metavar="engine", help=f"of {', '.join(_MAKERS)}; default: all")
    given = parser.parse_args(arguments)
    unknown = set(given.engines) - set(_MAKERS)
    if unknown:
        parser.error(f"no engine {', '.join(sorted(unknown))}; there are {', '.join(_MAKERS)}")
    names = [name for name in _MAKERS if not given.engines or name in given.engines]
    try:
        state = State.from_environment()
        match given.command:
            case "status":
                return 0 if status(state, names) else 1
            case "reload":
                reload(state, names)
            case "stop":
                stop(state, names)
            case "restart":
                stop(state, names)
                start(state, names)
            case _:
                start(state, names)
    except (EngineFault, certificates.CertificateFault, ValueError, OSError) as fault:
        print(f"\n{fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
