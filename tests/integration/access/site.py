"""A whole site with one of everything in it, its endpoints by the URL map, its forms by its pages."""

from pathlib import Path

from flask.testing import FlaskClient

from tests.integration.access import crm_entries, crm_house, portal_entries, portal_house
from tests.integration.access.entry import Call, Door, Entry, calls_of
from tests.integration.access.forms_on_pages import forms_on

# What ends the session that the rest needs, and what never ends by itself.
_LEFT_OUT = ("sign_out", "end_session", "stream")
_ODD_IDS = ("%00%ff", "9" * 300, "%F0%9F%99%82%ED%A0%80")


class Site:
    """One site with one of everything, and who may do what there."""

    def __init__(self, house: crm_house.FurnishedHouse | portal_house.FurnishedPortal) -> None:
        self._house = house
        self._here = f"{type(house).__name__}"
        if isinstance(house, portal_house.FurnishedPortal):
            self.app, self.entries = house.wsgi, portal_entries.ENTRIES
            self._database = house.database
            self._browsers = {Door.ANYBODY: house.client()}
            self._browsers |= dict.fromkeys((Door.CLIENTS, Door.OWN_CLIENT), house.browsers["client"])
            self._browsers |= dict.fromkeys((Door.LINK, Door.PAYER), house.browsers["holder"])
        else:
            self.app, self.entries = house.browsers["owner"].app, crm_entries.ENTRIES
            self._database = house.deps.core.database
            self._browsers = dict.fromkeys(Door, house.browsers["owner"].plain)
            self._browsers |= {Door.ADMINS: house.browsers["admin"].plain, Door.ANYBODY: self.app.test_client()}
        self.app.config["WTF_CSRF_ENABLED"] = False
        self._forms: dict[Door, dict[str, dict[str, str]]] = {}
        self._pages: dict[Door, dict[str, str]] = {}

    def endpoints(self) -> list[str]:
        return [name for name in sorted(self.entries) if not any(part in name for part in _LEFT_OUT)]

    def browser(self, entry: Entry) -> FlaskClient:
        return self._browsers[entry.door]

    def browser_of(self, door: Door) -> FlaskClient | None:
        """The browser of whom a door lets in, where this site has such a door."""
        return self._browsers.get(door)

    def calls(self, endpoint: str, method: str) -> list[Call]:
        entry = self.entries[endpoint]
        return [
            call
            for call in calls_of(self.app, endpoint, entry, self._house.objects, self._here)
            if call.method == method
        ]

    def odd_paths(self, call: Call) -> list[str]:
        """The call's address with something odd in place of its objects."""
        ids = set(self._house.objects.values())
        parts = call.path.split("/")
        if not ids & set(parts):
            return []
        return ["/".join(odd if part in ids else part for part in parts) for odd in _ODD_IDS]

    def form(self, call: Call) -> dict[str, str]:
        """What stands in the form that is sent there."""
        entry = self.entries[call.endpoint]
        if entry.door not in self._forms:
            pages = self.pages(entry.door)
            self._forms[entry.door] = forms_on(pages, pages.__getitem__)
        return {**self._forms[entry.door].get(call.path, {}), **entry.form}

    def pages(self, door: Door) -> dict[str, str]:
        """The pages behind a door by their addresses, as they are at first."""
        if door not in self._pages:
            named = [name for name in self.endpoints() if self.entries[name].door is door]
            calls = [call for name in named for call in self.calls(name, "GET")]
            self._pages[door] = {call.path: self.html(self.entries[call.endpoint], call.path) for call in calls}
        return self._pages[door]

    def html(self, entry: Entry, path: str) -> str:
        """The page, or "" for what is none."""
        answer = self.browser(entry).get(path)
        html = answer.get_data() if answer.mimetype == "text/html" else b""
        answer.close()
        return html.decode("utf-8", "replace")

    def kept(self) -> str:
        """Everything that the site's tables hold, in one text; bytes as hexadecimal digits too."""
        return "\n".join(
            value.hex() + value.decode("utf-8", "ignore") if isinstance(value, bytes) else str(value)
            for row in self._house.file.rows()
            for value in row
        )

    def restore(self) -> None:
        self._house.file.restore()

    def close(self) -> None:
        self._database.dispose()


def furnished(which: str, folder: Path) -> Site:
    """`which`: "crm" or "portal"."""
    return Site(crm_house.FurnishedHouse(folder) if which == "crm" else portal_house.FurnishedPortal(folder))
