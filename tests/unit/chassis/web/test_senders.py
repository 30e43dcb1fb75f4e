"""Forms come from our own pages: what another site's page sends is refused, with the right token too."""

import re

import pytest
from flask.testing import FlaskClient

from tests.support.gallery import make_gallery

OURS = "http://crm.localhost:8199"
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://evil.crm.localhost:8199"},
    # What a browser never says of our own page.
    {"Sec-Fetch-Site": "cross-site", "Origin": OURS},
    {"Sec-Fetch-Site": "whatever"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://crm.localhost.evil.example"},
    {"Origin": "http://crm.localhost@evil.example"},
    {"Origin": "http://[::1"},
]
OWN = [
    {"Sec-Fetch-Site": "same-origin", "Origin": OURS},
    # The person sends it once more by the browser's own menu.
    {"Sec-Fetch-Site": "none"},
    # A browser from before 2023, and a program.
    {"Origin": OURS},
    {"Origin": "null"},
    {},
]


@pytest.fixture
def client() -> FlaskClient:
    return make_gallery().test_client()


def sent(client: FlaskClient, headers: dict[str, str], **more: str) -> int:
    page = client.get("/desk", headers={"Host": "crm.localhost:8199"}).text
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert token is not None
    answer = client.post(
        "/desk", headers={"Host": "crm.localhost:8199", **headers, **more}, data={"csrf_token": token[1]}
    )
    if answer.status_code == 403:
        assert "Another site sent this" in answer.text or "FOREIGN_FORM" in answer.text
    return answer.status_code


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_another_sites_page_is_refused_in_words_with_the_right_token_too(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    assert sent(client, headers) == 403


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_our_own_pages_and_programs_are_not(client: FlaskClient, headers: dict[str, str]) -> None:
    assert sent(client, headers) != 403


def test_a_script_reads_a_code(client: FlaskClient) -> None:
    assert sent(client, FOREIGN[0], Accept="application/json") == 403


def test_whoever_comes_from_another_site_by_a_link_reads_the_page(client: FlaskClient) -> None:
    headers = {"Host": "crm.localhost:8199", "Sec-Fetch-Site": "cross-site"}
    assert client.get("/desk", headers=headers).status_code == 200
