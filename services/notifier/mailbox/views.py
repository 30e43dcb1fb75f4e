"""The mailbox's pages. They exist in development only; no sign-in, loopback only."""

from datetime import UTC, datetime

from flask import Blueprint, Response, abort, jsonify, render_template, request

from chassis.web.parts import held
from services.notifier.mailbox.service import Mailbox

blueprint = Blueprint(
    "mailbox", __name__, template_folder="templates", static_folder="static", static_url_path="/static/mailbox"
)


@blueprint.get("/")
def inbox() -> str:
    recipient = request.args.get("to", "").strip()
    return render_template(
        "mailbox/inbox.html", messages=held(Mailbox).newest(recipient=recipient), recipient=recipient
    )


@blueprint.get("/messages/<message_id>")
def message(message_id: str) -> str:
    mail = held(Mailbox).get(message_id) or abort(404)
    return render_template("mailbox/message.html", mail=mail)


@blueprint.get("/messages/<message_id>/html")
def html(message_id: str) -> Response:
    mail = held(Mailbox).get(message_id) or abort(404)
    response = Response(mail.html, mimetype="text/html")
    # A mail's own page: no scripts, no network, inside our frame only; its links open beside it.
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox"
    )
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@blueprint.get("/messages/<message_id>/attachments/<int:number>")
def attachment(message_id: str, number: int) -> Response:
    mail = held(Mailbox).get(message_id) or abort(404)
    if number >= len(mail.attachments):
        abort(404)
    part = mail.attachments[number]
    response = Response(part.content, mimetype="application/pdf")
    response.headers.set("Content-Disposition", "attachment", filename=part.name)
    return response


@blueprint.get("/messages.json")
def listing() -> Response:
    newest = held(Mailbox).newest(recipient=request.args.get("to", ""), after=_after(), limit=50)
    found = [held(Mailbox).get(summary.id) for summary in newest]
    return jsonify(
        [
            {
                "id": mail.summary.id,
                "to": mail.summary.recipient,
                "subject": mail.summary.subject,
                "text": mail.text,
                "received_at": mail.summary.received_at.isoformat(),
                "attachments": [part.name for part in mail.attachments],
            }
            for mail in found
            if mail is not None
        ]
    )


def _after() -> datetime | None:
    """The moment, with its offset, after which a script asks; None when it asks for all."""
    if not (given := request.args.get("after", "")):
        return None
    try:
        return datetime.fromisoformat(given).astimezone(UTC)
    except ValueError:
        abort(400, "“after” must be a moment such as 2026-03-01T09:30:00+00:00.")
