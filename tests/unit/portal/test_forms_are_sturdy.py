"""Whatever is posted, nobody sees a 500 and nothing is stored that should not be."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.portal import LINK, PortalWorld
from tests.support.thorough import examples

FIELDS = (
    *("line1", "line2", "city", "region", "postal_code", "country", "consent", "intake_id", "sealed_card"),
    *("offer_digest", "signature_kind", "signature_text", "signature_image", "token"),
)
values = st.one_of(
    st.text(max_size=120),
    st.sampled_from(["", "US", "y", "typed", "drawn", "data:image/png;base64,", "a.b.c.d.e", "\x00", "\ud7ff", "<b>"]),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortalWorld]:
    folder: Path = tmp_path_factory.mktemp("portal")
    world = PortalWorld(folder)
    world.issue()
    yield world
    world.close()


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.dictionaries(st.sampled_from(FIELDS), values, max_size=12),
    page=st.sampled_from(["authorize", "open", "intake"]),
    accept=st.sampled_from(["application/json", "text/html", ""]),
)
def test_no_form_breaks_a_page(shared: PortalWorld, form: dict[str, str], page: str, accept: str) -> None:
    browser = shared.opened()
    answer = browser.post(f"/pay/{LINK}/{page}", data=form, headers={"Accept": accept})
    assert answer.status_code < 500
    assert shared.intake.stores == 0


@settings(max_examples=examples(40), deadline=None)
@given(path=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="?#"), max_size=80))
def test_no_address_breaks_a_page(shared: PortalWorld, path: str) -> None:
    for address in (f"/pay/{path}", f"/pay/{path}/authorize", f"/pay/{path}/status"):
        assert shared.client().get(address).status_code < 500
