"""The vault does not start on a cluster whose failover may forget a commit."""

import psycopg
import pytest
import requests

from chassis.db import open_database
from chassis.db.durability import NotDurable, demand_durable
from deploy.dev.engines.cluster.network import Network
from deploy.dev.engines.cluster.postgres import PostgresCluster
from tests.chaos.cluster.city import City
from tests.chaos.cluster.ledger import until

pytestmark = [pytest.mark.chaos, pytest.mark.enable_socket, pytest.mark.timeout(600)]


def set_synchronous(city: City, *, wanted: bool) -> None:
    """As `patronictl edit-config` does, and waits until the leader has it."""
    state = city.stack.state
    place = Network(state).places("postgres")[0]
    certs = state.certs
    answer = requests.patch(
        f"https://{place.address}:{state.ports.member('postgres', place.number)[1]}/config",
        json={"synchronous_mode": wanted, "synchronous_mode_strict": wanted},
        cert=(str(certs / "operator.pem"), str(certs / "operator.key")),
        verify=str(certs / "ca.pem"),
        timeout=10,
    )
    answer.raise_for_status()

    def done() -> bool:
        try:
            with psycopg.connect(PostgresCluster(state).admin_url(), connect_timeout=2) as connection:
                row = connection.execute("SELECT current_setting('synchronous_standby_names')").fetchone()
        except psycopg.OperationalError:
            return False
        return row is not None and bool(row[0]) == wanted

    until(done, 60, "the other mode")


def test_the_vault_refuses_a_cluster_that_acknowledges_before_a_standby_has_it(running_city: City) -> None:
    stack = running_city.stack
    set_synchronous(running_city, wanted=False)
    try:
        database = open_database(stack.settings["VAULT_DATABASE_URL"], name="vault")
        with pytest.raises(NotDurable, match=r"a standby \(postgres-\d, postgres-\d\)"):
            demand_durable(database)
        database.dispose()
        refused = stack.run("services.vault", "worker")
        assert refused.returncode != 0
        assert "synchronous_standby_names is empty" in refused.stdout
        assert "a card could be shown twice" in refused.stdout
    finally:
        set_synchronous(running_city, wanted=True)
    database = open_database(stack.settings["VAULT_DATABASE_URL"], name="vault")
    demand_durable(database)
    database.dispose()
