"""The public page /verify. Takes a PDF, reads it in memory, answers, and keeps nothing of it."""

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from chassis.web.tripwire import says_of_file_names
from services.portal.parts import portal
from services.portal.verify.forms import VerifyForm
from services.portal.verify.rules import CHECKS_PER_HOUR, MAX_FILE, looks_like_pdf
from services.portal.verify.service import Answer

blueprint = Blueprint("verify", __name__, template_folder="templates")

_TOO_MANY = "Many files were checked from your connection within an hour, so we let it rest. Please try again later."


@blueprint.route("/verify", methods=["GET", "POST"])
@says_of_file_names
def check() -> ResponseReturnValue:
    """The form, and what was found."""
    form = VerifyForm()
    answer = None
    status = 200
    if request.method == "POST":
        if form.validate() and _allowed(form):
            answer = _answer(form)
        status = 429 if _TOO_MANY in form.form_errors else 422 if form.errors else 200
    return make_response(render_template("verify/check.html", form=form, answer=answer), status)


def _allowed(form: VerifyForm) -> bool:
    if portal().throttle.allows("verify", request.remote_addr or "", most=CHECKS_PER_HOUR):
        return True
    form.refuse("", _TOO_MANY)
    return False


def _answer(form: VerifyForm) -> Answer | None:
    upload = form.file.data
    if upload is None or not upload.filename:
        return _answer_text(form)
    with upload.stream as stream:
        content = stream.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        form.refuse("file", "This file is larger than 8 MB. A signed document is much smaller: choose the PDF.")
    elif not content:
        form.refuse("file", "This file is empty. Choose the PDF that you got by e-mail.")
    elif not looks_like_pdf(content):
        form.refuse("file", "This is not a PDF. Choose the signed PDF itself, not a picture or print of it.")
    else:
        return portal().verification.check_file(content)
    return None


def _answer_text(form: VerifyForm) -> Answer | None:
    text = form.reference.data or ""
    if not text:
        form.refuse("file", "Choose the signed PDF, or enter its number below.")
        return None
    answer = portal().verification.check_text(text)
    if answer is None:
        form.refuse(
            "reference",
            "That is neither a document number (doc_ and 26 letters and digits, at the foot of each page) "
            "nor a SHA-256 (64 digits from 0 to f).",
        )
    return answer
