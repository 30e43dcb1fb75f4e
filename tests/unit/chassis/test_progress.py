"""A command that takes long says so; one that does not, says nothing."""

import io
import threading

import pytest

from chassis.progress import Work, at_work
from tests.support.hurry import in_a_hurry


def test_quick_work_says_nothing() -> None:
    out = io.StringIO()
    with in_a_hurry(0), at_work("copying", out=out):
        pass
    assert out.getvalue() == ""


def test_the_words_follow_what_it_is_at() -> None:
    work = Work("copying")
    assert work.line(2.4) == "  copying, 2 s so far"
    done = ["crm"]
    work.at(lambda: f"{len(done)} of 4")
    done.append("portal")
    assert work.line(7) == "  copying: 2 of 4, 7 s so far"


def test_long_work_says_so_after_two_seconds_and_every_five() -> None:
    said = threading.Semaphore(0)

    class Out(io.StringIO):
        def flush(self) -> None:
            said.release()

    out = Out()
    with in_a_hurry(3), at_work("copying", out=out):
        for _ in range(3):
            assert said.acquire(timeout=10)
    lines = out.getvalue().splitlines()
    assert lines == ["  copying, 2 s so far", "  copying, 7 s so far", "  copying, 12 s so far"]


def test_of_work_within_work_only_the_inner_one_speaks() -> None:
    out = io.StringIO()
    with at_work("outer", out=out):
        with in_a_hurry(1), at_work("inner", out=out):
            pass
        assert out.getvalue() == "  inner, 2 s so far\n"


def test_what_goes_wrong_in_it_ends_the_words_too() -> None:
    out = io.StringIO()
    with pytest.raises(OSError, match="gone"), in_a_hurry(1), at_work("copying", out=out):
        raise OSError("gone")
    assert out.getvalue() == "  copying, 2 s so far\n"
    assert "progress" not in {thread.name for thread in threading.enumerate()}
