"""One city for all tests of this folder: to start it takes minutes."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.dev.engines.cluster.network import namespaces_work
from deploy.dev.engines.shape import missing_programs
from tests.chaos.cluster.city import City, city
from tests.chaos.cluster.ledger import Ledger
from tests.chaos.cluster.people import People
from tests.support.stack import free_state


@pytest.fixture(scope="session")
def running_city() -> Iterator[City]:
    """Skipped unless it is asked for (make chaos CLUSTER=1); fails where a program is missing."""
    if os.environ.get("CLUSTER") != "1":
        pytest.skip("clusters of engines take minutes: make chaos CLUSTER=1")
    missing = missing_programs(("postgres", "rabbitmq", "hcvault"), cluster=True)
    if missing or not namespaces_work():
        pytest.fail(f"{'; '.join(missing) or 'network namespaces need root and iproute2'}", pytrace=False)
    root = Path(tempfile.mkdtemp(prefix="wv-city-", dir="/tmp"))
    try:
        with (
            contextlib.redirect_stdout(sys.stderr),
            city(free_state(root), lambda text: print(f"  city: {text}")) as made,
        ):
            yield made
    finally:
        if os.environ.get("CLUSTER_KEEP") != "1":
            shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def people(running_city: City) -> People:
    """Signed in, with nothing to do yet; one ledger for all tests."""
    return People(running_city.stack, Ledger())
