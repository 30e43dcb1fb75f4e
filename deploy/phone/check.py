"""`make phone-check`: a test call through Kamailio and the masker, to be run after changes and now and then.

    python -m deploy.phone.check [--server HOST:PORT] [--folder FOLDER] [--from ADDRESS]

Without options it calls through `make up PHONE=1`; with them through containers or another machine. It changes nothing.
Exit status: 0 sound came through both ways; 1 it did not, and how far the call came; 2 wrong arguments.

Two extensions of the check's own call each other and hear each other; the masker notes the time, and an admin of the
CRM reads it on the page of phone payments.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from chassis.progress import at_work
from deploy.dev.state import State
from deploy.phone import extensions
from deploy.phone.softphone import PhoneFault, Softphone

_HEARD = 25
_PATIENCE = 5.0


def check(folder: Path, server: tuple[str, int], address: str) -> None:
    """Calls from `address` of this machine by the extensions of `folder`. Raises PhoneFault: how far the call came."""
    known = extensions.known(folder)
    if extensions.CHECK not in known:
        raise PhoneFault(f"{folder} has no telephones of the check. `make up PHONE=1` makes them.")
    with ExitStack() as stack:
        phones = [Softphone(known[user], server, address).start() for user in (extensions.CHECK, extensions.CHECKED)]
        for phone in phones:
            stack.callback(phone.close)
            phone.register()
        phones[0].call(extensions.CHECKED)
        ends = time.monotonic() + _PATIENCE
        while any(len(phone.heard) < _HEARD for phone in phones):
            if time.monotonic() > ends:
                raise PhoneFault("The call was set up, but sound did not come through in both directions.")
            time.sleep(0.05)
        phones[0].hang_up()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.phone.check", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--server", metavar="HOST:PORT", help="Kamailio (default: the one of make up PHONE=1)")
    parser.add_argument("--folder", type=Path, help="where the telephones are kept (default: <state>/phone)")
    parser.add_argument("--from", dest="source", default="127.0.0.1", metavar="ADDRESS", help="this machine's address")
    given = parser.parse_args(arguments)
    print("Making a test call…", flush=True)
    try:
        state = State.from_environment()
        host, _, port = (given.server or f"127.0.0.1:{state.ports.sip}").rpartition(":")
        with at_work("calling"):
            check(given.folder or state.phone, (host, int(port)), given.source)
    except (PhoneFault, ValueError, OSError) as fault:
        print(fault, file=sys.stderr)
        return 1
    print("Phone payments are ready: a call came through, with sound in both directions.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
