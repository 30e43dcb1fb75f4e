"""Saved views: a list's state under a name, its agent's alone."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidArgument, NotFound
from services.crm.access.saved_views.rules import LISTS, LONGEST_STATE, SavedList
from services.crm.access.saved_views.state import state_of
from tests.support.crm_paying import CrmHouse


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[CrmHouse]:
    house = CrmHouse(tmp_path)
    yield house
    house.deps.core.database.dispose()


@given(which=st.sampled_from(SavedList), query=st.text(max_size=60) | st.just("q=" + "a" * 2000))
def test_whatever_an_address_holds_only_the_lists_own_state_is_kept(which: SavedList, query: str) -> None:
    state = state_of(which, query)
    assert {part for part, _ in parse_qsl(state)} <= set(LISTS[which].parts)
    assert len(state) <= LONGEST_STATE
    assert state_of(which, state) == state


@given(
    which=st.sampled_from(SavedList),
    values=st.dictionaries(st.sampled_from(["q", "sort", "page", "pick", "state", "show"]), st.text(max_size=9)),
)
def test_equal_views_are_equal_however_their_address_was_put_together(which: SavedList, values: dict[str, str]) -> None:
    there, back = urlencode(values), urlencode(dict(reversed(values.items())))
    assert state_of(which, there) == state_of(which, back)
    assert "page=" not in state_of(which, there)


def test_a_view_is_kept_shown_renamed_and_deleted(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    assert "Save this view" not in browser.get("/clients").text, "nothing is chosen yet"
    listed = browser.get("/clients?sort=changed&country=CA&page=2").text
    assert "/views/new?of=clients&amp;state=country%3DCA%26sort%3Dchanged" in listed
    address = "/views/new?of=clients&state=country%3DCA%26sort%3Dchanged"
    refused = browser.post(address, {"name": " "})
    assert refused.status_code == 422
    assert "Give it a name." in refused.text
    saved = browser.post(address, {"name": "Canada, lately"})
    assert saved.location == "/clients?country=CA&sort=changed"
    shown = browser.get(saved.location).text
    assert "Rename or delete" in shown
    assert "Save this view" not in shown
    assert "You have a view of this name already." in browser.post(address, {"name": "Canada, lately"}).text
    (view,) = crm.deps.access.saved_views.of(crm.maya, SavedList.CLIENTS)
    assert browser.post(f"/views/{view.id}", {"name": "Canadians"}).location == saved.location
    assert "Canadians" in browser.get("/clients").text
    assert browser.post(f"/views/{view.id}/remove").status_code == 303
    assert crm.deps.access.saved_views.of(crm.maya, SavedList.CLIENTS) == []


def test_views_are_their_agents_alone(crm: CrmHouse) -> None:
    views = crm.deps.access.saved_views
    view = views.save(crm.maya, SavedList.TASKS, "Overdue", "state=overdue")
    for other in (crm.jonas, crm.ada):
        assert views.of(other, SavedList.TASKS) == []
        with pytest.raises(NotFound):
            views.remove(other, view.id)
        with pytest.raises(NotFound):
            views.rename(other, view.id, "Mine")
    assert views.of(crm.maya, SavedList.CLIENTS) == []
    views.save(crm.jonas, SavedList.TASKS, "Overdue", "state=overdue")


def test_there_is_nothing_to_save_without_a_state_and_no_end_of_views(crm: CrmHouse) -> None:
    views = crm.deps.access.saved_views
    with pytest.raises(InvalidArgument):
        views.save(crm.maya, SavedList.LINKS, "Empty", "page=3")
    for number in range(20):
        views.save(crm.maya, SavedList.LINKS, f"View {number}", f"show=opened&sort={number}")
    with pytest.raises(InvalidArgument):
        views.save(crm.maya, SavedList.LINKS, "One more", "show=opened")
