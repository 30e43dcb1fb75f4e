"""`make demo-call`: a whole call between two small telephones against the running stack, so that the panel fills.

    python -m deploy.phone.demo_call [--pin 123456] [--number 4242424242424242] [--by event|sound|both|info]

Open a booking in the CRM, choose *Take card by phone*, start the secure session, and type its PIN here.
It changes nothing but what that call pays.

Exit status: 0 the call went through; 1 it did not; 2 wrong arguments; 130 interrupted.
"""

import argparse
import sys
import time
from contextlib import ExitStack

from deploy.dev.state import State
from deploy.phone import extensions
from deploy.phone.softphone import PhoneFault, Softphone

_PATIENCE = 20.0
# A published test card number.
_NUMBER = "4242424242424242"


class DemoCall:
    """The client calls the agent; both keep talking until `hang_up`."""

    def __init__(self, state: State, stack: ExitStack) -> None:
        known, server = extensions.ensure(state.phone), ("127.0.0.1", state.ports.sip)
        self.agent = Softphone(known[extensions.AGENT], server).start()
        stack.callback(self.agent.close)
        self.client = Softphone(known[extensions.CLIENT], server).start()
        stack.callback(self.client.close)
        self.agent.register()
        self.client.register()
        self.client.call(extensions.AGENT)

    def pin(self, pin: str) -> None:
        """The agent keys the PIN."""
        self.agent.key(f"*{pin}#")
        self.agent.keyed(_PATIENCE)

    def key(self, digits: str, *, by: str = "event") -> None:
        """The client keys a field and ends it with #."""
        self.client.key(f"{digits}#", by=by)
        self.client.keyed(_PATIENCE)

    def hang_up(self) -> None:
        self.client.hang_up()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.phone.demo_call",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--pin", default="")
    parser.add_argument("--number", default=_NUMBER)
    parser.add_argument("--expiry", default=time.strftime("12%y"))
    parser.add_argument("--cvv", default="123")
    parser.add_argument("--by", choices=("event", "sound", "both", "info"), default="event")
    given = parser.parse_args(arguments)
    print("The client dials the agent…", flush=True)
    try:
        with ExitStack() as stack:
            call = DemoCall(State.from_environment(), stack)
            print("The client is on the telephone with the agent.")
            call.pin(given.pin or input("PIN that the panel shows: ").strip())
            print("The PIN is keyed: the panel shows the fields.")
            for words, digits in (("card number", given.number), ("expiry", given.expiry), ("CVV", given.cvv)):
                input(f"Choose Capture for the {words} in the panel, then press Enter here. ")
                call.key(digits, by=given.by)
            input("Store the card in the panel, then press Enter to hang up. ")
            call.hang_up()
    except (PhoneFault, ValueError, OSError) as fault:
        print(fault, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, EOFError):
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
