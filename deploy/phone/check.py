"""`make phone-check`: a test call through Kamailio and the masker, to be run after changes and now and then.

Two extensions of the check's own call each other and hear each other; the masker notes the time, and an admin of the
CRM reads it on the page of phone payments.
"""

import sys
import time
from contextlib import ExitStack

from deploy.dev.state import State
from deploy.phone import extensions
from deploy.phone.softphone import PhoneFault, Softphone

_HEARD = 25
_PATIENCE = 5.0


def check(state: State) -> None:
    """Raises PhoneFault, saying how far the call came."""
    known, server = extensions.ensure(state.phone), ("127.0.0.1", state.ports.sip)
    with ExitStack() as stack:
        phones = [Softphone(known[user], server).start() for user in (extensions.CHECK, extensions.CHECKED)]
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


def main() -> int:
    print("Making a test call…", flush=True)
    try:
        check(State.from_environment())
    except (PhoneFault, ValueError, OSError) as fault:
        print(fault, file=sys.stderr)
        return 1
    print("Phone payments are ready: a call came through, with sound in both directions.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
