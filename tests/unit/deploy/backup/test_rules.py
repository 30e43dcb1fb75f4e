"""Which backups are kept, and what a manifest is."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.backup.rules import BackupFault, Manifest, Part, kept, moment_of, stamp_of

moments = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.lists(moments, max_size=60), st.integers(1, 10), st.integers(0, 8))
def test_the_newest_of_each_of_the_last_days_and_weeks_stays(made: list[datetime], daily: int, weekly: int) -> None:
    stamps = {stamp_of(moment) for moment in made}

    staying = kept(stamps, daily=daily, weekly=weekly)

    assert staying <= stamps
    assert len(staying) <= daily + weekly
    days = sorted({stamp[:8] for stamp in stamps}, reverse=True)[:daily]
    assert {max(stamp for stamp in stamps if stamp.startswith(day)) for day in days} <= staying
    # Thinning out again removes nothing.
    assert kept(staying, daily=daily, weekly=weekly) == staying


def test_a_year_of_daily_backups_leaves_seven_days_and_five_weeks() -> None:
    first = datetime(2026, 1, 1, 3, 15, tzinfo=UTC)
    stamps = [stamp_of(first + timedelta(days=day)) for day in range(365)]

    staying = kept(stamps, daily=7, weekly=5)

    assert set(stamps[-7:]) <= staying
    assert len(staying) == 10  # two of the five weeks' newest are among the seven days


def test_other_names_are_never_touched() -> None:
    assert kept(["keys", "20261301T000000Z", "notes.txt"], daily=1, weekly=1) == frozenset()
    assert moment_of("20260230T000000Z") is None


def test_a_manifest_reads_back_and_another_one_is_refused() -> None:
    part = Part(name="crm", file="crm.age", kind="sqlite", size=9, sealed="a", content="b", rows={"clients": 3})
    manifest = Manifest(made_at=datetime(2026, 11, 27, tzinfo=UTC), parts=(part,))

    assert Manifest.parse(manifest.render()) == manifest
    for text in ("", "[]", "{}", '{"format": 2}', manifest.render().replace('"kind"', '"sort"')):
        with pytest.raises(BackupFault):
            Manifest.parse(text)
    with pytest.raises(BackupFault, match="holds no portal"):
        manifest.part("portal")
