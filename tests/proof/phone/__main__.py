"""`make phone-proof`: 540 calls, 30 minutes of speech; prints JSON, ends with 1 when something is not as promised."""

import argparse
import json
import sys
import time
from dataclasses import asdict

from tests.proof.phone.parts import Found, played


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof.phone", description=__doc__)
    parser.add_argument("--calls", type=int, default=540)
    parser.add_argument("--first", type=int, default=0, help="the first call's seed")
    parser.add_argument("--minutes", type=int, default=30)
    given = parser.parse_args()
    started = time.monotonic()
    found = played(given.first, given.calls, given.minutes)
    print(json.dumps({**_told(found), "seconds": round(time.monotonic() - started, 1)}, indent=2))
    return 0 if _as_promised(found) else 1


def _told(found: Found) -> dict[str, object]:
    return {
        "calls": found.calls,
        "judges": {name: asdict(verdict) for name, verdict in found.verdicts.items()},
        "events_passed": found.events_passed,
        "tone_samples": sorted(found.tone_samples),
        "ms_until_a_dot": {f"p{part}": round(1000 * _part(found.dots, part)) for part in (50, 99, 100)},
        "cards_with_loss_up_to_2_percent": asdict(found.up_to_two),
        "cards_in_all": asdict(found.in_all),
        "speech_in_a_session": asdict(found.plain),
        "speech_while_a_field_is_keyed": asdict(found.keyed),
    }


def _part(values: list[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0


def _as_promised(found: Found) -> bool:
    safe = all(each.read == 0 and each.found == each.planted for each in found.verdicts.values())
    right = found.up_to_two.stored == found.up_to_two.calls and found.in_all.wrong == 0
    plain = found.plain
    calm = plain.masks <= 2 * plain.minutes and plain.longest_ms <= 120 and not plain.false_keys
    equal = len(found.tone_samples) <= 1
    prompt = _part(found.dots, 99) < 0.3
    return safe and right and calm and equal and prompt and not found.events_passed


if __name__ == "__main__":
    sys.exit(main())
