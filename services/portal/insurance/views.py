"""The pages on which an insurance offer is answered (P7)."""

from flask import Blueprint

from chassis.web.forms import RadioField
from services.portal.esign.pages import ConsentForm, SigningPages, SigningRoom
from services.portal.esign.service import RequestKind
from services.portal.insurance.rules import ANSWER_CONSENT_TEXT, read_answer


class AnswerForm(ConsentForm):
    """The answer and the tick."""

    answer = RadioField(
        "Your answer", choices={"accept": "Yes, I want this insurance", "decline": "No, I travel without it"}
    )


def _answer(form: ConsentForm) -> bool | None:
    given = form["answer"]
    answer = read_answer(str(given.data))
    if answer is None:
        given.errors = ["Say whether you want the insurance."]
    return answer


blueprint = Blueprint("insurance", __name__, template_folder="templates")
SigningPages(
    SigningRoom(
        name="insurance",
        path="insurance",
        kind=RequestKind.INSURANCE,
        consent_text=ANSWER_CONSENT_TEXT,
        read_template="insurance/read.html",
        done_template="insurance/done.html",
        file_name="insurance-answer.pdf",
        form=AnswerForm,
        answer=_answer,
    )
).add_to(blueprint)
