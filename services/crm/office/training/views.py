"""Pages of the guides: the list with its search, and one guide."""

import re

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from services.crm.core.addresses import typed_text
from services.crm.core.known_words import KNOWN_WORDS
from services.crm.core.web import current_agent, login_required
from services.crm.office.parts import office
from services.crm.office.training.service import TOPICS

blueprint = Blueprint(
    "training",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/training",
    url_prefix="/training",
)
_BOLD = re.compile(r"\*\*(.+?)\*\*")


@blueprint.app_template_filter("guide_text")
def guide_text(text: str) -> Markup:
    """A guide's text: **bold** as strong, all else escaped."""
    return Markup(_BOLD.sub(r"<strong>\1</strong>", str(escape(text))))  # noqa: S704 - escaped above


@blueprint.get("")
@login_required
def index() -> ResponseReturnValue:
    """All guides by topic; with `?q=` those that answer. The search field fetches the list alone while one types."""
    text = typed_text()
    found = office().guides.find(current_agent(), text)
    by_topic = {} if text else {topic: [pair for pair in found if pair[0].topic == topic] for topic in TOPICS}
    template = "training/_found.html" if "HX-Request" in request.headers else "training/index.html"
    return render_template(
        template, text=text, found=found, by_topic=by_topic, handouts=office().handouts.of(current_agent())
    )


@blueprint.get("/words")
@login_required
def words() -> ResponseReturnValue:
    """C21: what other programs call things, and where they are here."""
    return render_template("training/words.html", words=KNOWN_WORDS)


@blueprint.get("/<slug>")
@login_required
def show(slug: str) -> ResponseReturnValue:
    actor, guides = current_agent(), office().guides
    guide = guides.get(actor, slug)
    return render_template("training/show.html", guide=guide, related=guides.related(actor, guide))
