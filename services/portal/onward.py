"""From a part of a visit to the next (C18): for the pages of the parts, whose rooms don't know the visits' room."""

from flask import g, url_for

from services.portal.parts import portal
from services.portal.visits.service import Part, PartKind, VisitView
from services.portal.web import find_client


def holds_visit(visit: VisitView) -> bool:
    """Whether this browser has opened the visit, or its client is signed in here."""
    client = find_client()
    return (client is not None and client.client_id == visit.client_id) or portal().access.holds(visit.visit_id)


def visit_around(part_id: str) -> VisitView | None:
    """The visit that the page's part belongs to, where this browser goes through it; else None."""
    known: dict[str, VisitView | None] = g.setdefault("portal_visits", {})
    if part_id not in known:
        found = portal().visits.around(part_id)
        known[part_id] = found if found is not None and holds_visit(found) else None
    return known[part_id]


def part_url(part: Part) -> str:
    """Where a part is given, or what became of it is shown."""
    match part.kind:
        case PartKind.PAYMENT if part.is_open:
            return url_for("payments.authorize", link_id=part.part_id)
        case PartKind.PAYMENT:
            return url_for("payments.status", link_id=part.part_id)
        case PartKind.INSURANCE:
            return url_for("insurance.read", request_id=part.part_id)
        case PartKind.DOCUMENT:
            return url_for("esign.read", request_id=part.part_id)


def onward(part_id: str, otherwise: str) -> str:
    """Where to go once the part is given: to what waits next, to the visit's end, or `otherwise` outside of one."""
    g.pop("portal_visits", None)  # it has just changed
    visit = visit_around(part_id)
    if visit is None:
        return otherwise
    following = visit.next(after=part_id)
    return part_url(following) if following else url_for("visits.show", visit_id=visit.visit_id)


def landing_of(part_id: str, otherwise: str) -> str:
    """Where who has not opened the part opens it: by the visit's link, which may be the only one there is."""
    visit = portal().visits.around(part_id)
    return url_for("visits.landing", visit_id=visit.visit_id) if visit is not None else otherwise
