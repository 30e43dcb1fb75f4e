"""Makes the virtual host, the services' users, their permissions and the queues' policy. Safe to run again.

    python -m deploy.rabbitmq.bootstrap --url https://host:15671 --amqp host:5671 --user ADMIN --password-file FILE

A service may configure, write and read `wayvault.events`, `wayvault.dead` and its own queue, nothing else (chassis.bus
declares them). The vault has no user: it has no way to the bus (docs/design.md, Zones).

Exit status: 0 done, or with --check whatever is missing; 1 not done, the message says why; 2 wrong arguments.
"""

import argparse
import sys
from pathlib import Path
from urllib.parse import quote

from chassis.progress import at_work
from deploy.passwords import password_of
from deploy.rabbitmq.management import Management, ManagementFault, segment

VHOST = "wayvault"
SERVICES = ("crm", "portal", "notifier")
DELIVERY_LIMIT = 5


def bootstrap(management: Management, *, amqp: str, passwords: Path, vhost: str = VHOST) -> dict[str, str]:
    """Sets everything up; `amqp` is host:port of the TLS listener. Returns the services' settings.

    Raises ManagementFault, and OSError when RabbitMQ can't be reached.
    """
    management.put(f"/api/vhosts/{segment(vhost)}", {"default_queue_type": "quorum"})
    settings = {}
    for service in SERVICES:
        user, password = f"wayvault_{service}", password_of(passwords, f"rabbitmq_{service}")
        management.put(f"/api/users/{segment(user)}", {"password": password, "tags": ""})
        allowed = permission_of(service)
        management.put(
            f"/api/permissions/{segment(vhost)}/{segment(user)}",
            {"configure": allowed, "write": allowed, "read": allowed},
        )
        management.put(
            f"/api/user-limits/{segment(user)}/max-connections",
            {"value": 100},
        )
        settings[f"{service.upper()}_BUS_URL"] = f"amqps://{user}:{quote(password, safe='')}@{amqp}/{segment(vhost)}"
    management.put(
        f"/api/policies/{segment(vhost)}/wayvault-services",
        {
            # Not the queue of dead letters, which must never drop what operators look at.
            "pattern": f"^wayvault\\.({'|'.join(SERVICES)})$",
            "apply-to": "queues",
            "definition": {"delivery-limit": DELIVERY_LIMIT},
            "priority": 0,
        },
    )
    return settings


def missing(management: Management) -> list[str]:
    """What `bootstrap` would make, for people. Raises ManagementFault, and OSError when RabbitMQ can't be reached."""
    if "administrator" not in management.get("/api/whoami")["tags"]:
        raise ManagementFault("This user is no administrator of RabbitMQ.")
    hosts = {one["name"] for one in management.get("/api/vhosts")}
    users = {one["name"] for one in management.get("/api/users")}
    wanted = [f"wayvault_{service}" for service in SERVICES]
    return [
        *([] if VHOST in hosts else [f"virtual host {VHOST}"]),
        *(f"user {user}" for user in wanted if user not in users),
    ]


def permission_of(service: str) -> str:
    """The pattern of the names that a service's user may touch."""
    return f"^wayvault\\.(events|dead|{service})$"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.rabbitmq.bootstrap",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--url", required=True, help="the management API, https://host:port")
    parser.add_argument("--amqp", required=True, help="host:port of the AMQP listener with TLS")
    parser.add_argument("--user", required=True, help="an administrator")
    parser.add_argument("--password-file", type=Path, required=True)
    parser.add_argument(
        "--ca", type=Path, default=Path("var/certs/ca.pem"), help="authority of the server's certificate"
    )
    parser.add_argument("--passwords", type=Path, default=Path("var/engines/secrets"), help="where passwords are kept")
    parser.add_argument("--check", action="store_true", help="change nothing, say what would be made")
    given = parser.parse_args(arguments)
    try:
        password = given.password_file.read_text("utf-8").strip()
        management = Management(given.url, user=given.user, password=password, ca=given.ca)
        if given.check:
            lacking = missing(management)
            print(
                f"Would make: {', '.join(lacking)}."
                if lacking
                else "All is there; rights and limits would be set anew."
            )
            return 0
        with at_work("setting RabbitMQ up"):
            settings = bootstrap(management, amqp=given.amqp, passwords=given.passwords)
    except (OSError, ValueError, ManagementFault) as error:
        print(f"RabbitMQ could not be set up: {error}", file=sys.stderr)
        return 1
    for name, value in settings.items():
        print(f"{name}={value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
