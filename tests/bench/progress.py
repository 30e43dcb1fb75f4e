"""What is going on, for the person who waits: on stderr, because stdout is the document's."""

import sys
import time

_BEGAN = time.monotonic()


def say(text: str) -> None:
    print(f"[{time.monotonic() - _BEGAN:6.1f} s] {text}", file=sys.stderr, flush=True)
