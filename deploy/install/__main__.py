"""Installs Wayvault for a real agency on this machine: make install (OPTIONS="…" for what stands below)

Asks what it needs (or reads `--answers FILE`), checks names, certificate, mail server, clock, disk and port, starts
everything in containers in production mode, makes the agency and its admin, and prints one link with which the admin
begins. No demo data. Safe to run again: nothing is made twice, and answers are kept in `<state>/answers.json`.

    --check    only look, and say what is not well
    --invite   print a fresh link for the admin (the first one was lost or is over)
    --status   say of each program whether it runs and can work, and what is away
    --logs     the last that a program said: --logs vault
    --run      an operator's command, beside the programs: --run services.vault retention-report
    --restore  a lost installation's backup, from `<state>/stack/backup`: --restore IDENTITY_FILE --unseal KEYS_FILE

Exit status: 0 done; 1 not done, the message says why; 2 wrong arguments; 3 something must be mended first.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from chassis.clock import SystemClock
from chassis.commands import DONE, FOUND, NOT_DONE
from chassis.progress import at_work
from deploy.backup.rules import BackupFault
from deploy.compose.__main__ import Stack
from deploy.compose.files import SIP_PORT
from deploy.dev.certificates import CertificateFault
from deploy.dev.engines.host import EngineFault
from deploy.files import private_directory, write_file
from deploy.images.host import ContainerFault
from deploy.install import answers as told
from deploy.install.answers import AnswerFault, Answers
from deploy.install.checks import Grade, examine, tools

STATE = Path("/var/lib/wayvault")


class Installation:
    """One agency on this machine; `state` is a directory that only its owner may read."""

    def __init__(self, state: Path, answers: Answers, stack: Stack) -> None:
        self._answers = answers
        self._stack = stack
        self._made_file = state / "installed.json"

    @property
    def is_made(self) -> bool:
        """Whether it was installed before: after a machine's restart a mail server that is away holds nothing up."""
        return self._made_file.exists()

    def run(self) -> str:
        """Starts everything, makes what is missing; returns the admin's link, empty when they had one before.

        Raises ContainerFault, CertificateFault, EngineFault.
        """
        self._stack.up(demo=False)
        made = self._made()
        if "agency" not in made:
            named = ("--name", self._answers.agency, "--time-zone", self._answers.time_zone)
            made = self._keep(agency=self._crm("create-agency", *named)[0])
        link = ""
        if "admin" not in made:
            admin, link = self._make_admin(made["agency"])
            made = self._keep(**made, admin=admin)
        if "enrolled" not in made:
            self._enrol(made)
            self._keep(**made, enrolled=self._answers.admin_email)
        return link

    def restore(self, identity: Path, keys: Path) -> None:
        """Puts back what another machine had, where nothing is yet; `run` starts it, and makes nobody anew.

        Raises what `Stack.restore` raises.
        """
        self._stack.restore(identity, keys)
        self._keep(agency="", admin="", enrolled="", restored="from a backup")

    def invite(self) -> str:
        """A fresh link for the admin. Raises ContainerFault."""
        return _link(self._crm("invite-agent", "--email", self._answers.admin_email))

    def _make_admin(self, agency: str) -> tuple[str, str]:
        person = ("--name", self._answers.admin, "--email", self._answers.admin_email)
        place = ("--agency", agency, "--role", "admin", "--time-zone", self._answers.time_zone)
        said = self._crm("create-agent", *person, *place)
        return said[0], _link(said)

    def _enrol(self, made: dict[str, str]) -> None:
        """An admin retrieves cards too; their one-time codes go where an operator said, and that is here."""
        person = ("--name", self._answers.admin, "--email", self._answers.admin_email)
        ids = ("--agent-id", made["admin"], "--agency-id", made["agency"])
        self._stack.run_in("operator", "services.vault", "enroll-agent", *ids, *person)

    def _crm(self, *command: str) -> list[str]:
        return self._stack.run_in("crm", "services.crm", *command).splitlines()

    def _made(self) -> dict[str, str]:
        return json.loads(self._made_file.read_text("utf-8")) if self._made_file.exists() else {}

    def _keep(self, **made: str) -> dict[str, str]:
        write_file(self._made_file, json.dumps(made, indent=2) + "\n")
        return made


def _link(said: list[str]) -> str:
    """The link in what the CRM's command printed. Raises ContainerFault."""
    for line in said:
        if "https://" in line:
            return line[line.index("https://") :].strip()
    raise ContainerFault("The CRM made no link. `make install OPTIONS=--invite` asks for one again.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.install", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--answers", type=Path, help="a JSON file with the answers, instead of questions")
    parser.add_argument("--state", type=Path, default=STATE, help=f"where everything is kept (default: {STATE})")
    parser.add_argument("--address", default="0.0.0.0", help="where the sites listen (default: everywhere)")
    parser.add_argument("--port", type=int, default=443, help="the sites' port (default: 443)")
    parser.add_argument(
        "--phone", metavar="ADDRESS", help="this host's address that telephones reach; '' turns them off"
    )
    parser.add_argument("--check", action="store_true", help="look only")
    parser.add_argument("--invite", action="store_true", help="print a fresh link for the admin")
    parser.add_argument("--status", action="store_true", help="say how each program is; exit status 3 when one is not")
    parser.add_argument("--logs", metavar="PROGRAM", help="print the last that a program said")
    parser.add_argument("--restore", type=Path, metavar="FILE", help="what opens the backup that is to be put back")
    parser.add_argument("--unseal", type=Path, metavar="FILE", help="keys.json of the HashiCorp Vault that it is of")
    parser.add_argument(
        "--run", nargs=argparse.REMAINDER, metavar="…", help="run an operator's command; the last option"
    )
    return parser


def main(
    arguments: list[str] | None = None,
    *,
    stack_of: Callable[[Path, Answers, str, int], Stack] | None = None,
) -> int:
    given = _parser().parse_args(arguments)
    try:
        _demand_sense(given)
        answers = _answers(given.state, given.answers, given.phone)
        stack = (stack_of or _stack)(given.state, answers, given.address, given.port)
        if (status := _asked(given, stack)) is not None:
            return status
        installation = Installation(given.state, answers, stack)
        if given.invite:
            with at_work("making a link"):
                link = installation.invite()
            print(f"The admin's link, good once:\n\n  {link}")
            return DONE
        well = _is_well(given, answers, stack)
        if given.check:
            print("\nNothing stands in the way. Next: make install" if well else "")
            return DONE if well else FOUND
        if not well and not installation.is_made:
            return FOUND
        if given.restore:
            with at_work("restoring"):
                installation.restore(given.restore, given.unseal)
        with at_work("installing"):
            link = installation.run()
        _say_goodbye(link, answers, stack)
    except AnswerFault as fault:
        print(f"\n{fault}", file=sys.stderr)
        return NOT_DONE
    except (ContainerFault, CertificateFault, EngineFault, BackupFault, OSError) as fault:
        print(f"\n{fault}", file=sys.stderr)
        return NOT_DONE
    return DONE


def _demand_sense(given: argparse.Namespace) -> None:
    """Raises AnswerFault for what can't be done here."""
    is_made = (given.state / "installed.json").exists()
    if (given.status or given.logs or given.run or given.invite) and not is_made:
        raise AnswerFault(f"Nothing is installed in {given.state} yet. Begin with: make install")
    if bool(given.restore) != bool(given.unseal):
        raise AnswerFault("A restore needs both: --restore IDENTITY_FILE and --unseal KEYS_FILE.")
    if given.restore and is_made:
        raise AnswerFault("Wayvault is installed here already, and a restore overwrites nothing.")
    for file in filter(None, (given.restore, given.unseal)):
        if not file.is_file():
            raise AnswerFault(f"There is no file {file}.")


def _asked(given: argparse.Namespace, stack: Stack) -> int | None:
    """Answers what is only asked of a stack that is there; None when something else is wanted."""
    if given.status:
        return DONE if stack.status() else FOUND
    if given.logs:
        print(stack.logs(given.logs))
        return DONE
    if given.run:
        status, said = stack.operate(*given.run)
        print(said, end="")
        return status
    return None


def _stack(state: Path, answers: Answers, address: str, port: int) -> Stack:
    return Stack(state / "stack", answers.sites(address=address, port=port), project="wayvault-agency")


def _answers(state: Path, file: Path | None, phone: str | None) -> Answers:
    kept = private_directory(state) / "answers.json"
    if file is not None or kept.exists():
        answers = told.read(file or kept)
    else:
        print("Some questions first; what stands in brackets is taken when you press Enter.\n")
        answers = told.ask()
    if phone is not None:
        answers = told.with_phone(answers, phone)
    told.write(kept, answers)
    return answers


def _is_well(given: argparse.Namespace, answers: Answers, stack: Stack) -> bool:
    print("\nLooking at this machine and its surroundings:")
    well = True
    place = {"address": given.address, "port": given.port, "runs": stack.answers("crm")}
    for finding in (*tools(stack), *examine(answers, given.state, clock=SystemClock(), **place)):
        well = well and finding.grade is not Grade.FAULT
        print(f"  {finding.grade:8} {finding.what}: {finding.words}", flush=True)
    if not well:
        print(
            "\nMend what is marked FAULT, then run this again; what was installed before is started all the same. "
            f"Answers are kept in {given.state / 'answers.json'}; remove that file to be asked anew.",
            file=sys.stderr,
        )
    return well


def _say_goodbye(link: str, answers: Answers, stack: Stack) -> None:
    print(f"\n{answers.agency} is installed.")
    if link:
        print(f"\nGive {answers.admin} this link, good once, to choose a password and begin:\n\n  {link}")
    else:
        print(f"{answers.admin} had their link before; make install OPTIONS=--invite prints a fresh one.")
    if answers.phone_address:
        print(
            f"\nTelephones register at {answers.phone_address}, UDP port {SIP_PORT} (docs/phone.md). To add them and "
            f"a line:\n\n  python -m deploy.phone.telephones --folder {stack.layout.state.phone} --help"
        )
    keys = stack.layout.program("operator") / "hcvault" / "keys.json"
    print(
        "\nNow, before any card is stored, keep a copy of this file in two safe places away from this machine;\n"
        f"without it no card can be read after a restart:\n\n  {keys}\n\n"
        "How everything is: make install OPTIONS=--status. When something is wrong, and for backups: deploy/RUNBOOK.md."
    )


if __name__ == "__main__":
    sys.exit(main())
