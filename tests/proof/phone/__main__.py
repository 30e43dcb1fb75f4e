"""`make phone-proof`: 500 calls, 30 minutes of speech; prints JSON, ends with 1 when something is not as promised."""

import argparse
import json
import sys
import time
from dataclasses import asdict

from tests.proof.phone import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof.phone", description=__doc__)
    parser.add_argument("--calls", type=int, default=540)
    parser.add_argument("--first", type=int, default=0, help="the first call's seed")
    parser.add_argument("--minutes", type=int, default=30)
    given = parser.parse_args()
    started = time.monotonic()
    conversations = run.calls(range(given.first, given.first + given.calls))
    verdicts = {judge.name: run.judged(judge, conversations) for judge in run.judges()}
    up_to_two, all_of_them = (run.rightness(conversations, most_loss=loss) for loss in (0.02, 1.0))
    plain = run.comfort(lines=given.minutes, seconds=60)
    keyed = run.comfort(lines=given.minutes, seconds=60, keying=True)
    print(
        json.dumps(
            {
                "calls": len(conversations),
                "judges": {name: asdict(verdict) for name, verdict in verdicts.items()},
                "events_passed": run.events_passed(conversations),
                "tone_samples": sorted(run.tone_lengths(conversations)),
                "cards_with_loss_up_to_2_percent": asdict(up_to_two),
                "cards_in_all": asdict(all_of_them),
                "speech_in_a_session": asdict(plain),
                "speech_while_a_field_is_keyed": asdict(keyed),
                "seconds": round(time.monotonic() - started, 1),
            },
            indent=2,
        )
    )
    safe = all(verdict.read == 0 and verdict.found == verdict.planted for verdict in verdicts.values())
    right = up_to_two.stored == up_to_two.calls and all_of_them.wrong == 0
    calm = plain.masks <= 2 * plain.minutes and plain.longest_ms <= 120 and not plain.false_keys
    return 0 if safe and right and calm and not run.events_passed(conversations) else 1


if __name__ == "__main__":
    sys.exit(main())
