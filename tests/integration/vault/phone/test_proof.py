"""`make phone-proof` in small: 45 calls, so that each trouble and each transport is met at every run."""

import shutil

import pytest

from services.vault.phone.capture.rules import Result
from tests.proof.phone import run
from tests.proof.phone.people import Conversation

pytestmark = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


def test_forty_calls_give_no_key_away_and_store_every_card() -> None:
    # Every trouble with several transports, every transport with several troubles.
    conversations = run.calls([*range(0, 60, 2), *range(1, 31, 2)])
    for judge in run.judges():
        verdict = run.judged(judge, conversations)
        assert verdict.keys > 500
        assert verdict.read == 0
        assert verdict.found == verdict.planted
    assert run.events_passed(conversations) == 0
    assert len(run.tone_lengths(conversations)) == 1
    dots = sorted(run.waits_for_dots(conversations))
    assert len(dots) > 100
    assert dots[len(dots) * 99 // 100] < 0.3
    _every_card_is_stored_as_it_was_keyed(conversations)


def _every_card_is_stored_as_it_was_keyed(conversations: list[Conversation]) -> None:
    right = run.rightness(conversations, most_loss=0.02)
    assert right.calls > 20
    assert right.stored == right.calls
    assert run.rightness(conversations, most_loss=1).wrong == 0
    held = [call for call in conversations if call.plan.trouble == "hold"]
    assert held
    assert all(call.result is Result.HELD for call in held)


def test_speech_in_a_session_is_unchanged_but_for_the_delay_and_few_short_masks() -> None:
    found = run.comfort(lines=6, seconds=20)
    assert found.masks <= 2 * found.minutes + 2
    assert found.longest_ms <= 120
    assert found.delay_ms <= 100
    assert found.false_keys == 0
