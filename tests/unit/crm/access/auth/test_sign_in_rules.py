from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from chassis.web.devices import describe_device
from chassis.web.lockout import FAILURES_ALLOWED, LOCKED_FOR, Attempts
from chassis.web.passwords import password_length_error
from chassis.web.redirects import local_path
from services.crm.access.auth.rules import step_at, steps_to_try

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SITE = "https://crm.harbour.example"


def test_the_tenth_failure_locks_for_thirty_minutes() -> None:
    attempts = Attempts()
    for _ in range(FAILURES_ALLOWED - 1):
        attempts = attempts.with_one_more(NOW)
        assert not attempts.locked(NOW)
    attempts = attempts.with_one_more(NOW)
    assert attempts.locked(NOW)
    assert attempts.locked(NOW + LOCKED_FOR - timedelta(seconds=1))
    assert not attempts.locked(NOW + LOCKED_FOR)


def test_after_a_lock_has_passed_counting_starts_over() -> None:
    attempts = Attempts(failures=FAILURES_ALLOWED, locked_until=NOW)
    assert attempts.with_one_more(NOW) == Attempts(failures=1)


def test_a_right_attempt_takes_its_own_count_back() -> None:
    before = Attempts(failures=4)
    assert before.with_one_more(NOW).with_one_less() == before


@given(st.integers(min_value=-5, max_value=5))
def test_a_used_time_step_and_all_before_it_are_never_tried_again(offset: int) -> None:
    used = step_at(NOW) + offset
    assert all(step > used for step in steps_to_try(NOW, used))


def test_the_present_step_and_its_neighbours_are_tried() -> None:
    assert sorted(steps_to_try(NOW, None)) == [step_at(NOW) - 1, step_at(NOW), step_at(NOW) + 1]


def test_short_and_endless_passwords_are_named() -> None:
    assert "12 characters" in str(password_length_error("elevenchars"))
    assert "128 characters" in str(password_length_error("x" * 129))
    assert password_length_error("twelve chars") is None


@given(st.text(max_size=40) | st.from_regex(r"[/\\]{0,3}[a-z.:@\\/]{0,20}", fullmatch=True))
def test_after_sign_in_nobody_is_sent_to_another_site(target: str) -> None:
    path = local_path(target, default="/")
    assert urlsplit(urljoin(SITE, path)).netloc == urlsplit(SITE).netloc
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))


def test_a_page_of_our_own_is_kept_with_its_query() -> None:
    assert local_path("/bookings?status=booked&page=2", default="/") == "/bookings?status=booked&page=2"


def test_devices_are_named_in_a_few_words() -> None:
    edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0"
    assert describe_device(edge) == "Edge on Windows"
    assert describe_device("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1") == "Safari on iPhone"
    assert describe_device("curl/8") == "A browser"
