"""The telephones and the line that Kamailio knows: python -m deploy.phone.telephones {list,add,remove,trunk}

    add USER [--desk]        a telephone that registers; --desk: the agency's own, whose user may key PINs
    remove USER
    trunk HOST ADDRESS …     a carrier or PBX: calls from ADDRESS (or a network) are lines; others are called by HOST
    trunk --none             no line any more

`--folder` is where they are kept: <state>/phone of `make up`, <state>/compose/phone of containers. What is changed
counts once Kamailio's configuration is written anew: `make up PHONE=1`, or `python -m deploy.compose up --phone
ADDRESS`. Safe to run again. `--check` changes nothing and says whether it could be done.

Exit status: 0 done; 1 it can't be used as it was typed; 2 wrong arguments.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from chassis.commands import add_command
from deploy.dev.state import State
from deploy.phone import extensions, kamailio
from deploy.phone.kamailio import KamailioFault, Trunk

_NEXT = "Next: write Kamailio's configuration anew (make up PHONE=1, or deploy.compose up --phone ADDRESS)."


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    folder: Path = given.folder or State.from_environment().phone
    try:
        match given.command:
            case "list":
                said = _listed(folder)
            case "add":
                said = _add(folder, given.user, desk=given.desk, check=given.check)
            case "remove":
                said = _remove(folder, given.user, check=given.check)
            case _:
                said = _trunk(folder, given)
    except (KamailioFault, OSError) as fault:
        print(fault, file=sys.stderr)
        return 1
    print(said)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.phone.telephones",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--folder", type=Path, help="where they are kept (default: <WAYVAULT_STATE or var>/phone)")
    parser.add_argument("--check", action="store_true", help="change nothing")
    commands = parser.add_subparsers(dest="command", required=True)
    add_command(commands, "list", "telephones with their passwords, and the line")
    adding = add_command(commands, "add", "a telephone; one that is there keeps its password")
    adding.add_argument("user")
    adding.add_argument("--desk", action="store_true", help="the agency's own, whose user may key PINs")
    add_command(commands, "remove", "a telephone").add_argument("user")
    trunk = add_command(commands, "trunk", "the line to a carrier or PBX")
    trunk.add_argument("host", nargs="?", default="", help="NAME or NAME:PORT that outward calls are sent to")
    trunk.add_argument("addresses", nargs="*", metavar="address", help="192.0.2.10 or 192.0.2.0/28")
    trunk.add_argument("--none", action="store_true", help="no line")
    return parser


def _listed(folder: Path) -> str:
    known = extensions.known(folder)
    lines = [f"{each.user:16} {'desk' if each.desk else 'line':5} {each.password}" for each in known.values()]
    trunk = kamailio.trunk_of(folder)
    lines.append(f"line by {trunk.host}, calls from {', '.join(trunk.addresses)}" if trunk else "no line")
    return "\n".join(lines)


def _add(folder: Path, user: str, *, desk: bool, check: bool) -> str:
    kamailio.demand_name(user)
    known = extensions.known(folder)
    before = known.get(user)
    if before is not None and before.desk == desk:
        return f"{user} is there already. Its password: `list`."
    added = extensions.made(user, desk=desk)
    if before is not None:
        added = extensions.Extension(user=user, password=before.password, desk=desk)
    kind = "desk" if desk else "line"
    if check:
        return f"{user} would be a {kind}."
    extensions.keep(folder, {**known, user: added})
    return f"{user} is a {kind}. User {user}, password {added.password}, realm {extensions.REALM}.\n{_NEXT}"


def _remove(folder: Path, user: str, *, check: bool) -> str:
    known = extensions.known(folder)
    if user not in known:
        return f"There is no {user}."
    if check:
        return f"{user} would be removed."
    extensions.keep(folder, {name: each for name, each in known.items() if name != user})
    return f"{user} is removed.\n{_NEXT}"


def _trunk(folder: Path, given: argparse.Namespace) -> str:
    if not given.none and not (given.host and given.addresses):
        raise KamailioFault("Say the line's host and at least one address that its calls come from, or --none.")
    trunk = None if given.none else Trunk(host=given.host, addresses=tuple(given.addresses))
    if trunk is not None:
        kamailio.check_trunk(trunk)
    words = f"The line is {trunk.host}, calls from {', '.join(trunk.addresses)}" if trunk else "There is no line"
    if given.check:
        return f"{words}: it could be so."
    kamailio.keep_trunk(folder, trunk)
    return f"{words}.\n{_NEXT}"


if __name__ == "__main__":
    sys.exit(main())
