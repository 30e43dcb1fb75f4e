"""Pages that follow what happens: each names what it shows by ids, and its script (follow.js) asks at `/news` whether
there is news of one of them; only then the page itself is asked for anew (live.js).

The address that a page asks at is signed and says of nobody that they are there, so that no session has to be looked
up: a question costs one query. Whoever has it learns that something changed, and nothing else.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from flask import Blueprint, Response, abort, current_app, g, make_response, request, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer

from chassis.db.news import Seen
from chassis.web.sessions import passive
from services.portal.news import PAGE_NEWS
from services.portal.parts import portal

blueprint = Blueprint("following", __name__)

# As long as the longest session: a page that is older can show nothing new.
_GOOD_FOR: Final = timedelta(hours=12)
_LONGEST_ID: Final = 64
# A visit has a dozen parts.
_MOST_IDS: Final = 40


def follow(*ids: str) -> None:
    """Lets the page at hand follow what these ids name. Called before the page reads what it shows, or in the snapshot
    that it reads from (`sharing_reads`): what changes while it is being made is news to it."""
    known: set[str] = g.setdefault("portal_followed", set())
    if more := {each for each in ids if 0 < len(each) <= _LONGEST_ID} - known:
        with portal().core.database.read() as session:
            # How far the others were known stays: what came since is not on the page.
            g.portal_news_seen = g.get("portal_news_seen", Seen()) + PAGE_NEWS.seen(session, more)
        known |= more


def following() -> dict[str, str]:
    """For the layout: where the page asks, and what it has seen; empty for one that stays as it is."""
    ids = g.get("portal_followed")
    if not ids or len(ids) > _MOST_IDS:
        return {}
    return {"news": url_for("following.news", followed=signed(ids)), "seen": str(g.portal_news_seen)}


def signed(ids: Iterable[str]) -> str:
    """What a page that follows these ids asks by."""
    return str(_signer().dumps(sorted(ids)))


@blueprint.get("/news/<followed>")
@passive
def news(followed: str) -> Response:
    """Whether there is news: 304 while there is none. 404 for an address that is none of ours, or too old."""
    try:
        ids = _signer().loads(followed, max_age=int(_GOOD_FOR.total_seconds()))
    except BadSignature:
        abort(404)
    with portal().core.database.read() as session:
        seen = PAGE_NEWS.seen(session, ids)
    answer = make_response("", 200)
    answer.set_etag(str(seen))
    return answer.make_conditional(request)  # type: ignore[return-value]  # werkzeug's own type for itself


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="page news")
