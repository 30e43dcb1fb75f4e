"""On PostgreSQL too every revision only adds, and is timed on a copy that goes afterwards."""

import pytest

from chassis.db.migrate import INITIAL
from deploy.upgrade.__main__ import migrations_of
from deploy.upgrade.plan import durations, plan_of
from tests.support import engines

pytestmark = [pytest.mark.engines, pytest.mark.enable_socket]


@pytest.mark.parametrize("service", ["vault", "notifier", "portal", "crm"])
def test_every_revision_since_the_first_only_adds_on_postgresql(service: str, postgres_url: str) -> None:
    migrations, admin_url = migrations_of(service), engines.postgres_admin_url()
    migrations.upgrade(postgres_url, to=INITIAL)

    plan = plan_of(migrations, postgres_url, admin_url=admin_url)

    assert [words for step in plan.steps for words in step.change.narrowed] == []
    if service == "vault":  # one is enough to see that a copy is made and goes
        timed = list(durations(migrations, postgres_url, plan, admin_url=admin_url))
        assert [revision for revision, _ in timed] == [step.revision for step in plan.steps]
