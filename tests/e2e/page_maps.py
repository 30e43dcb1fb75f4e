"""Every page there is, from the URL maps of CRM and portal, its address filled with the demo's own objects."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask import Flask
from pydantic import SecretStr
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from services.crm.app import create_app
from services.crm.bootstrap import bootstrap
from services.crm.config import CrmSettings
from tests.integration.access.crm_entries import ENTRIES as CRM_ENTRIES
from tests.integration.access.entry import Door, Entry
from tests.integration.access.portal_entries import ENTRIES as PORTAL_ENTRIES
from tests.support.portal import PortalWorld
from tests.support.stack import Stack

# What is no page: files, streams, what scripts fetch. Everything else is looked at.
_FILES: Final = (".csv", ".css", ".ics", ".pdf", ".png", ".json", ".xlsx")
NO_PAGES: Final = {
    "alerts.count",
    "alerts.pending",
    "alerts.stream",
    "bookings.people",
    "chassis.healthz",
    "clients.search",
    "documents.file",
    "following.news",
    "payments.outcome",
    "phone.stream",
    "reveal.state",
    "session_watch.left",
}
# Whose pages are looked at in the walk that leads there, for they show a moment rather than an object.
WALKED: Final = {
    "auth.authenticator": "test_pages.py: Maya half signed in",
    "auth.set_up": "test_pages.py: Jonas half signed in, who has not set it up yet",
    "cvv.landing": "test_cvv_only.py",
    "cvv.form": "test_cvv_only.py",
    "household.edit_member": "the form of household.new_member, filled",
    "household.edit_occasion": "the form of household.new_occasion, filled",
    "insurance.landing": "test_esign.py",
    "insurance.read": "test_esign.py",
    "esign.landing": "test_esign.py",
    "esign.read": "test_esign.py",
    "importing.columns": "test_clients.py",
    "importing.show": "test_clients.py",
    "importing.similar": "test_clients.py",
    "itineraries.landing": "test_trips.py",
    "itineraries.trip": "test_trips.py",
    "links.landing": "test_pages.py: the pages of one payment on both sides",
    "payments.authorize": "test_pages.py: the pages of one payment on both sides",
    "payments.receipt": "test_pages.py: the pages of one payment on both sides",
    "payments.status": "test_pages.py: the pages of one payment on both sides",
    "profile.member": "the form of profile.new_member, filled",
    "profile.occasion": "the form of profile.new_occasion, filled",
    "quotes.thanks": "the same page as quotes.ask, with a word of thanks",
    "registrations.show": "test_portal_account.py",
    "gateway_keys.enter": "test_gateway_keys.py",
    "refund_approvals.show": "test_refunds.py",
    "saved_views.edit": "the form of saved_views.new, filled",
    "second_reveals.show": "test_second_reveal.py",
    "standing_orders.show": "test_standing_orders.py",
    "trips.pay": "test_trips.py",
    "trips.report": "test_recorded_payments.py",
    "visits.landing": "test_visits.py",
    "visits.show": "test_visits.py",
}

# One of Maya's objects for each argument of an address. :maya is her id, :client Eleanor's.
_CRM_OBJECTS: Final = {
    "agent_id": "SELECT id FROM agent WHERE name = 'Jonas Weber'",
    "booking_id": "SELECT id FROM booking WHERE agent_id = :maya AND title LIKE 'Norwegian fjords%' LIMIT 1",
    "client_id": "SELECT :client",
    "document_id": "SELECT id FROM booking_document LIMIT 1",
    "other_id": "SELECT id FROM client WHERE agent_id = :maya AND id <> :client ORDER BY created_at LIMIT 1",
    "group_id": "SELECT id FROM client_group WHERE agent_id = :maya AND kind = 'company' LIMIT 1",
    "offer_id": "SELECT id FROM insurance_offer LIMIT 1",
    "payment_id": "SELECT id FROM payment WHERE agent_id = :maya ORDER BY created_at DESC LIMIT 1",
    "quote_id": "SELECT id FROM quote_request WHERE agent_id = :maya ORDER BY asked_at DESC LIMIT 1",
    "segment_id": "SELECT s.id FROM segment s JOIN booking b ON b.id = s.booking_id"
    " WHERE b.agent_id = :maya AND b.title LIKE 'Norwegian fjords%' LIMIT 1",
    "supplier_id": "SELECT id FROM supplier LIMIT 1",
    "task_id": "SELECT id FROM task WHERE agent_id = :maya LIMIT 1",
    "request_id": "SELECT id FROM esign_request WHERE agent_id = :maya ORDER BY created_at LIMIT 1",
    "template_id": "SELECT id FROM esign_template WHERE agent_id = :maya LIMIT 1",
    "ticket_id": "SELECT id FROM support_ticket WHERE agent_id = :maya ORDER BY opened_at LIMIT 1",
}
# And of Eleanor's in the portal.
_PORTAL_OBJECTS: Final = {
    "booking_id": "SELECT booking_id FROM travelers WHERE client_id = :client LIMIT 1",
    "name": "SELECT slug FROM agents WHERE agent_id = :maya",
    "payment_id": "SELECT payment_id FROM payments WHERE client_id = :client LIMIT 1",
}
# What is no identifier.
_WORDS: Final = {"slug": "payment-link", "which": "payment_due", "whose": "own", "kind": "payment_due"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageToSee:
    """`door` says who may open it."""

    endpoint: str
    path: str
    door: Door


class PageMap:
    """The pages of one service; `faults` says what stands in the way of seeing one."""

    def __init__(self, app: Flask, entries: Mapping[str, Entry], found: Mapping[str, str | None]) -> None:
        self.faults: list[str] = []
        self._app, self._entries, self._found = app, entries, found

    def pages(self) -> Iterator[PageToSee]:
        for rule in _rules(self._app):
            endpoint = rule.endpoint
            if endpoint in WALKED:
                continue
            if endpoint not in self._entries:
                self.faults.append(f"{endpoint} has no entry in the access matrix (tests/integration/access)")
                continue
            values = {name: self._found.get(name) or _WORDS.get(name) for name in rule.arguments}
            lacking = sorted(name for name, value in values.items() if not value)
            if lacking:
                self.faults.append(
                    f"{endpoint}: the demo has no {', '.join(lacking)} for {rule.rule}. Add it to the demo and to "
                    "tests/e2e/page_maps.py, or say in NO_PAGES or WALKED there why the page is not looked at"
                )
                continue
            built = rule.build(values, append_unknown=False)
            assert built is not None
            yield PageToSee(endpoint=endpoint, path=built[1], door=self._entries[endpoint].door)


def _rules(app: Flask) -> list[Rule]:
    """Of every page, in the order of their addresses."""
    found = (
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in NO_PAGES
        and not rule.endpoint.endswith("static")
        and not rule.rule.endswith(_FILES)
        and "GET" in (rule.methods or set())
    )
    return sorted(found, key=lambda rule: rule.rule)


def not_among(app: Flask, paths: Iterable[str]) -> list[str]:
    """The endpoints of pages that none of these addresses shows; without those that look like another."""
    adapter, shown = app.url_map.bind("localhost"), set()
    for path in paths:
        # A refused form stands at an address that may not be opened.
        with suppress(HTTPException):
            shown.add(adapter.match(path, method="GET")[0])
    alike = {endpoint for endpoint, where in WALKED.items() if not where.startswith("test_")}
    return sorted({rule.endpoint for rule in _rules(app)} - shown - alike)


def crm_app(folder: Path) -> Flask:
    """For its URL map."""
    secret = SecretStr("made for nothing but its URL map")
    settings = CrmSettings(
        state_dir=folder,
        database_url=f"sqlite:///{folder}/map.db",
        secret_key=secret,
    )
    return create_app(bootstrap(settings))


def portal_app(folder: Path) -> Flask:
    """For its URL map."""
    return PortalWorld(folder).wsgi


def crm_map(stack: Stack, folder: Path) -> PageMap:
    """The CRM's pages with Maya's objects."""
    return PageMap(crm_app(folder), CRM_ENTRIES, _found(stack, "crm", _CRM_OBJECTS))


def portal_map(stack: Stack, folder: Path) -> PageMap:
    """The portal's pages with Eleanor's objects."""
    return PageMap(portal_app(folder), PORTAL_ENTRIES, _found(stack, "portal", _PORTAL_OBJECTS))


def eleanor(stack: Stack) -> str:
    """Their id as a client."""
    query = "SELECT id FROM client WHERE first_name = 'Eleanor' AND last_name = 'Whitcombe'"
    return str(stack.query("crm", query)[0][0])


def _found(stack: Stack, service: str, queries: Mapping[str, str]) -> dict[str, str | None]:
    maya = next(one["id"] for one in stack.people["agents"] if one["name"].startswith("Maya"))
    people = {"maya": maya, "client": eleanor(stack)}
    found: dict[str, str | None] = {}
    for name, query in queries.items():
        named = {key: value for key, value in people.items() if f":{key}" in query}
        rows = stack.query(service, query, **named)
        found[name] = str(rows[0][0]) if rows else None
    return found
