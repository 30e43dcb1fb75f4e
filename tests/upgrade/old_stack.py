"""Runs a whole system of the version in whose checkout it is started, and starts and stops its processes when told.

    cd <checkout> && PYTHONPATH=. .venv/bin/python <this file> {embedded,real}

The first line on standard output says where it is, as JSON. Each line on standard input is `start NAME …` or `stop NAME
…`, and is answered when it is done. It all goes away at the end of the input.
"""

import json
import sys

from tests.support.stack import Engine, running


def main(engine: Engine) -> None:
    with running(engine, lambda said: print(said, file=sys.stderr, flush=True), crowd=0) as stack:
        state = stack.state
        answer({"root": str(state.root), "base": state.ports.base, "settings": stack.settings})
        for line in sys.stdin:
            verb, *names = line.split()
            (stack.start if verb == "start" else stack.stop)(*names)
            answer({"done": names})


def answer(content: dict[str, object]) -> None:
    print(json.dumps(content), flush=True)


if __name__ == "__main__":
    main("real" if sys.argv[1] == "real" else "embedded")
