"""The payment area's page, and the forms on it that close a payment; those that charge it stand in charge_views."""

from collections.abc import Callable
from dataclasses import dataclass, field

from flask import (
    Blueprint,
    flash,
    get_flashed_messages,
    jsonify,
    make_response,
    redirect,
    render_template,
    url_for,
)
from flask.typing import ResponseReturnValue

from chassis.errors import (
    AgentUnknown,
    CardGone,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unavailable,
    WayvaultError,
)
from chassis.ids import new_id
from chassis.web.errors import wants_json
from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.forms import attempt, do_and_say
from services.crm.core.origin import request_origin
from services.crm.core.parts import core
from services.crm.core.ports.vault import CvvState
from services.crm.core.web import current_agent, login_required
from services.crm.paying.charging.forms import ChargeForm
from services.crm.paying.closing.service import may_ask_again
from services.crm.paying.cvv_requests import rules as cvv_rules
from services.crm.paying.parts import paying
from services.crm.paying.payment_page.forms import CvvAgainForm, ProcessForm, RefundForm, RemoveForm, VoidForm
from services.crm.paying.payments.service import Payment, PaymentState, Refused
from services.crm.paying.reveal.history import HistoryLine, Names, history_lines
from services.crm.paying.reveal.service import STEPS, CardDescription, step_of
from services.crm.paying.second_reveals import rules as second_rules
from services.crm.paying.second_reveals.forms import AskForm
from services.crm.paying.second_reveals.service import SecondStatus
from services.crm.sales.parts import sales
from services.crm.trips.bookings.service import SegmentData
from services.crm.trips.parts import trips

blueprint = Blueprint(
    "payment_page",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/payment_page",
)

# What the void form suggests; the client reads the one that is chosen.
REASONS = (
    "The supplier could not charge the card.",
    "The price has changed.",
    "Your plans have changed.",
    "The payment was made another way.",
)
ASK_AGAIN_REASON = "We could not complete the payment with the supplier."


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultNews:
    """What the vault said about a payment's card when the page was made. `problem` says why it said nothing."""

    card: CardDescription | None = None
    history: list[HistoryLine] = field(default_factory=list)
    problem: str = ""


@blueprint.get("/payments/<id:payment_id>")
@login_required
def show(payment_id: str) -> ResponseReturnValue:
    """The payment area (M5): where the payment stands and what can be done now."""
    return page_of(payment_id)


@blueprint.post("/payments/<id:payment_id>/process")
@login_required
def process(payment_id: str) -> ResponseReturnValue:
    """M7: Processed with supplier."""
    form = ProcessForm(prefix="process")

    def act() -> ResponseReturnValue:
        paying().closing.process(
            current_agent(),
            payment_id,
            confirmation=form.confirmation.data or "",
            note=form.note.data or "",
            origin=request_origin(),
        )
        flash("Processed with the supplier. The card is being destroyed in the vault.", "done")
        return here(payment_id)

    return act_on(payment_id, form, act, process=form)


@blueprint.post("/payments/<id:payment_id>/void")
@login_required
def void(payment_id: str) -> ResponseReturnValue:
    """M7: Void, with a fresh link for the client if wished."""
    form = VoidForm(prefix="void")

    def act() -> ResponseReturnValue:
        closed = paying().closing.void(
            current_agent(),
            payment_id,
            reason=form.reason.data or "",
            fresh_link=bool(form.fresh_link.data),
            origin=request_origin(),
        )
        if closed.new_payment_id:
            flash("The payment is void and its card is being destroyed. The client gets a fresh link.", "done")
            return here(closed.new_payment_id)
        flash("The payment is void and its card is being destroyed. The client is told by e-mail.", "done")
        return here(payment_id)

    return act_on(payment_id, form, act, void=form)


@blueprint.post("/payments/<id:payment_id>/ask-again")
@login_required
def ask_again(payment_id: str) -> ResponseReturnValue:
    """M9: a fresh link for a payment that ended without a charge."""
    closed = do_and_say(
        lambda: paying().closing.ask_again(current_agent(), payment_id), lambda _: "The client gets a fresh link."
    )
    return here(closed.new_payment_id if closed else payment_id)


@blueprint.post("/payments/<id:payment_id>/remove")
@login_required
def remove(payment_id: str) -> ResponseReturnValue:
    """M8: Remove from vault."""
    form = RemoveForm(prefix="remove")

    def act() -> ResponseReturnValue:
        done = paying().removals.by_hand(
            current_agent(), payment_id, typed=form.confirmation.data or "", origin=request_origin()
        )
        if done:
            flash("The card and its CVV are destroyed.", "done")
        else:
            flash("The vault can't be reached right now. The card is destroyed as soon as it answers.", "wait")
        return here(payment_id)

    return act_on(payment_id, form, act, remove=form)


@blueprint.post("/payments/<id:payment_id>/second-reveal")
@login_required
def ask_second_reveal(payment_id: str) -> ResponseReturnValue:
    """M9: asks for a second reveal; another admin decides."""
    form = AskForm(prefix="second")

    def act() -> ResponseReturnValue:
        try:
            paying().second_reveals.ask(
                current_agent(), payment_id, reason=form.reason.data or "", origin=request_origin()
            )
        except (PermissionDenied, AgentUnknown, Unavailable, CardGone) as error:
            raise InvalidArgument(error.message) from error
        flash("Asked. Your agency's admins have an e-mail; you get one when it is decided.", "done")
        return here(payment_id)

    return act_on(payment_id, form, act, second=form)


@blueprint.post("/payments/<id:payment_id>/cvv-again")
@login_required
def ask_cvv_again(payment_id: str) -> ResponseReturnValue:
    """M10: asks the client for the CVV again, nothing else."""
    form = CvvAgainForm(prefix="cvv-again")

    def act() -> ResponseReturnValue:
        actor = current_agent()
        news = _news(actor, paying().book.get(actor, payment_id))
        asked = paying().cvv_requests.ask(
            actor, payment_id, request_key=form.request_key.data or "", cvv_gone=_cvv_gone(news)
        )
        flash(f"Asked. {asked.email} gets a link for the CVV alone.", "done")
        return here(payment_id)

    return act_on(payment_id, form, act)


AnyForm = ProcessForm | VoidForm | RemoveForm | RefundForm | AskForm | CvvAgainForm


def act_on(
    payment_id: str,
    form: AnyForm,
    act: Callable[[], ResponseReturnValue],
    **forms: AnyForm,
) -> ResponseReturnValue:
    """Does what a form asks, or shows the page again with what is wrong and what was typed.

    The page that shows a card asks for JSON: it must not be loaded anew over a mistake (M5). It gets where to go, what
    to say where it stays, or what is wrong at which field. Whose payment it is comes first: of another's nothing is
    said, not even what is wrong with a form. Raises NotFound.
    """
    paying().book.get(current_agent(), payment_id)
    if form.validate_on_submit():
        _settle(payment_id)
        done: ResponseReturnValue | None = attempt(form, act)
        if done is not None:
            return _done(done, stays=form.stays) if wants_json() else done
    if wants_json():
        return jsonify(fields=_faults(form), form=[str(message) for message in form.form_errors]), 422
    for message in form.form_errors:
        flash(message, "alert")
    return page_of(payment_id, **forms), 422


def _done(answer: ResponseReturnValue, *, stays: bool) -> ResponseReturnValue:
    if stays:
        return jsonify(said=" ".join(str(message) for message in get_flashed_messages()))
    return jsonify(to=make_response(answer).location)


def _faults(form: AnyForm) -> dict[str, str]:
    return {item.name: str(item.errors[0]) for item in form if item.errors}


def _settle(payment_id: str) -> None:
    """Asks the vault about a reveal that the CRM may have missed, so that it doesn't stand in a closing's way."""
    payment = paying().book.get(current_agent(), payment_id)
    if payment.state is PaymentState.AUTHORIZED:
        try:
            paying().reveals.describe(payment)
        except WayvaultError:
            return  # the closing itself says what it refuses


def page_of(payment_id: str, **forms: AnyForm) -> str:
    """The payment's page, with the forms that were sent and have something wrong."""
    actor = current_agent()
    news = _news(actor, paying().book.whole(actor, payment_id).payment)
    whole = paying().book.whole(actor, payment_id)  # once more: asking the vault may have put a lost reveal on record
    payment = whole.payment
    now = core().clock.now()
    cvv_held = payment.cvv_held(now) and not _cvv_gone(news)
    policy = access().directory.agency(payment.agency_id).data
    # Only a card that was shown can be asked for once more.
    second = paying().second_reveals.of_payment(payment.id) if payment.retrieved_at else None
    segment, travelers = _trip(actor, payment)
    charging = paying().charges.status_of(payment)
    # What was not charged here can't be refunded here.
    charged = payment.is_closed and charging.charge is not None
    refunds = paying().refunds.of_payment(payment) if charged else []
    refund_requests = paying().refund_approvals.of_payment(payment) if charged else []
    by_phone = paying().phone.of_payment(payment.id) if payment.by_phone else None
    return render_template(
        "payment_page/show.html",
        payment=payment,
        segment=segment,
        travelers=travelers,
        own=actor.owns(payment.agent_id),
        charging=charging,
        charge_at=None,
        charge_url=url_for("payment_page.charge", payment_id=payment.id),
        charge_form=(forms.get("charge") or ChargeForm(formdata=None, prefix="charge")) if policy.charge_code else None,
        refunds=refunds,
        refund_requests=refund_requests,
        people=access().directory.names_in(actor) if refunds or refund_requests else {},
        refund_form=forms.get("refund") or refund_form_of(payment, seen=len(refunds)),
        link=paying().links.of_payment(payment.id),
        known=sales().suppliers.of_names(actor, [payment.supplier_name]).get(payment.supplier_name),
        documents=whole.documents,
        phone_call=by_phone,
        phone_outstanding=by_phone is not None and paying().phone.signature_outstanding(by_phone),
        removal=paying().removals.status_of(payment.card_token) if payment.card_token else None,
        replacement=whole.replacement_id,
        can_ask_again=not isinstance(may_ask_again(payment.state), Refused),
        mail_problem=paying().reveals.latest_problem(payment.id) if payment.is_pending else "",
        news=news,
        cvv_held=cvv_held,
        steps=STEPS,
        step=step_of(payment.state, cvv_held=cvv_held),
        second=second,
        second_decided_by=access().directory.agent(second.decided_by).name if second and second.decided_by else "",
        again=second is not None and second.status is SecondStatus.APPROVED and payment.card_held,
        can_ask_second=not second_rules.ask_refusal(
            payment.state,
            card_held=payment.card_held,
            allowed=policy.second_reveal,
            asked=second is not None and second.status in (SecondStatus.REQUESTED, SecondStatus.APPROVED),
        ),
        second_reasons=second_rules.SUGGESTED_REASONS,
        second_form=forms.get("second") or AskForm(formdata=None, prefix="second"),
        cvv_request=paying().cvv_requests.of_payment(payment.id),
        can_ask_cvv=not cvv_rules.ask_refusal(
            payment.state, card_held=payment.card_held, cvv_held=cvv_held, cvv_hours=policy.cvv_retention_hours
        ),
        cvv_again_form=CvvAgainForm(formdata=None, prefix="cvv-again", data={"request_key": new_id("key")}),
        acts=paying().recording.acts_of(payment) if payment.is_closed or payment.is_recorded else (),
        reasons=REASONS,
        ask_again_reason=ASK_AGAIN_REASON,
        process_form=forms.get("process") or ProcessForm(formdata=None, prefix="process"),
        void_form=forms.get("void") or VoidForm(formdata=None, prefix="void"),
        remove_form=forms.get("remove") or RemoveForm(formdata=None, prefix="remove"),
    )


def _trip(actor: Actor, payment: Payment) -> tuple[SegmentData | None, list[str]]:
    """What the agent reads out to the supplier: the segment with its confirmation number, and who travels."""
    try:
        booking = trips().bookings.get(actor, payment.booking_id)
    except NotFound:
        return None, []
    segment = booking.segment(payment.segment_id)
    return segment.data if segment else None, [passenger.name for passenger in booking.passengers]


def refund_form_of(payment: Payment, *, seen: int | None = None) -> RefundForm:
    """The form of a refund, in the payment's currency: as it was sent, or a fresh one on a page with `seen` refunds."""
    if seen is None:
        form = RefundForm(prefix="refund")
    else:
        form = RefundForm(formdata=None, prefix="refund", data={"seen": str(seen)})
    form.amount.currency = payment.amount.currency
    return form


def _news(actor: Actor, payment: Payment) -> VaultNews:
    if payment.card_token is None:
        return VaultNews()
    try:
        card = paying().reveals.describe(payment)
        entries = paying().reveals.access_entries(payment)
    except WayvaultError as error:
        return VaultNews(problem=error.message)
    people = Names(
        names=access().directory.names_in(actor),
        client=payment.payer_name,
        by_phone=payment.by_phone,
        reasons=paying().reason_words.of_codes,
    )
    return VaultNews(card=card, history=history_lines(entries, people))


def _cvv_gone(news: VaultNews) -> bool:
    return news.card is not None and news.card.cvv_state not in (CvvState.HELD, CvvState.LINKED)


def here(payment_id: str) -> ResponseReturnValue:
    return redirect(url_for("payment_page.show", payment_id=payment_id), 303)
