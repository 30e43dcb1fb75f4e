"""One way to write moments: the same in pages, mails and histories (ux 31)."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from chassis.moments import written_evidence, written_moment, zone_of
from chassis.timestamps import moment_of, stamp
from chassis.web import formatting
from services.notifier.deliveries.formats import day as day_in_a_mail
from services.notifier.deliveries.formats import moment as in_a_mail
from tests.support.typed import typed_values

ZONES = st.sampled_from(
    ["America/New_York", "Europe/Berlin", "Asia/Kathmandu", "America/Sao_Paulo", "UTC", "", "No/Such"]
)
SECONDS = st.integers(0, 4_000_000_000)
MOMENTS = SECONDS.map(lambda second: datetime.fromtimestamp(second, UTC))


@given(MOMENTS, ZONES)
def test_pages_and_mails_write_a_moment_alike(at: datetime, zone: str) -> None:
    assert in_a_mail(stamp(at), zone) == written_moment(at, zone_of(zone))


def test_a_page_without_a_zone_writes_utc() -> None:
    assert formatting.when(datetime(2026, 11, 21, 19, 5, tzinfo=UTC)) == "Sat 21 Nov 2026, 7:05 PM UTC"


def test_a_zone_without_a_name_of_its_own_is_called_by_its_distance() -> None:
    at = datetime(2026, 11, 21, 19, 5, tzinfo=UTC)
    assert written_moment(at, zone_of("America/Sao_Paulo")) == "Sat 21 Nov 2026, 4:05 PM UTC-03"
    assert written_moment(at, zone_of("America/New_York")) == "Sat 21 Nov 2026, 2:05 PM EST"


@given(MOMENTS, ZONES)
def test_evidence_ends_with_the_second_in_utc(at: datetime, zone: str) -> None:
    assert written_evidence(at, zone_of(zone)).rstrip(")").endswith(f"{at:%M:%S} {at:%p} UTC")


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1), ZONES)
def test_whatever_moment_a_message_brings_can_be_read_and_written_in_any_zone(
    seconds: int, nanos: int, zone: str
) -> None:
    sent = Timestamp(seconds=seconds, nanos=nanos)
    assert 1970 <= moment_of(sent).year < 2200
    assert in_a_mail(sent, zone)


@given(typed_values())
def test_whatever_day_a_message_brings_a_mail_can_be_written(day: str) -> None:
    assert day_in_a_mail(day) or not day
