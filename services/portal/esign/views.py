"""The eSignature tab (P5), what waits for the client's signature and what was signed; and the pages of a link."""

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from services.portal.esign.documents import TITLE
from services.portal.esign.pages import SigningPages, SigningRoom, pdf_download
from services.portal.esign.request_rules import RequestKind
from services.portal.esign.rules import DOCUMENT_CONSENT_TEXT
from services.portal.parts import portal
from services.portal.web import client_required, current_client

blueprint = Blueprint("esign", __name__, template_folder="templates")
SigningPages(
    SigningRoom(
        name="esign",
        path="sign",
        kind=RequestKind.DOCUMENT,
        consent_text=DOCUMENT_CONSENT_TEXT,
        read_template="esign/read.html",
        done_template="esign/done.html",
        file_name="signed-document.pdf",
    )
).add_to(blueprint)


@blueprint.get("/sign")
@client_required
def index() -> ResponseReturnValue:
    """What waits and what was signed."""
    client = current_client()
    return render_template(
        "esign/index.html",
        waiting=portal().sign_requests.waiting(client.client_id),
        signed=portal().documents.signed_by(client.client_id),
        answers=portal().sign_requests.answers_of(client.client_id),
        authorization_title=TITLE,
        client=client,
    )


@blueprint.get("/sign/documents/<document_id>.pdf")
@client_required
def document(document_id: str) -> ResponseReturnValue:
    """A PDF that the client has signed."""
    pdf = portal().documents.pdf_of_client(current_client().client_id, document_id[:64])
    if pdf is None:
        abort(404)
    return pdf_download(pdf, "signed-document.pdf")
