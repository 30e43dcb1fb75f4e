"""A site answers to its own names only."""

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.hosts import host_name
from tests.support.gallery import make_gallery


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return make_gallery().test_client()


@pytest.mark.parametrize("host", ["crm.localhost:8199", "CRM.localhost", "crm.localhost.", "127.0.0.1:4711"])
def test_its_own_names_lead_to_it(client: FlaskClient, host: str) -> None:
    assert client.get("/desk", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "crm.localhost.evil.example", "evil.example:8199", "crm.localhost@evil.example", ""]
)
def test_another_name_gets_nothing_but_words(client: FlaskClient, host: str) -> None:
    answer = client.get("/desk", environ_overrides={"HTTP_HOST": host})
    assert answer.status_code == 421
    assert "does not lead to this site" in answer.text
    assert client.post("/desk", environ_overrides={"HTTP_HOST": host}).status_code == 421


def test_a_load_balancer_may_ask_by_address_whether_it_lives(client: FlaskClient) -> None:
    assert client.get("/healthz", headers={"Host": "10.1.2.3:8101"}).status_code == 200


@given(st.text(max_size=60))
def test_any_header_has_a_name_that_is_no_longer_than_it(host: str) -> None:
    assert len(host_name(host)) <= len(host.strip().lower())
