"""Pages of payments by phone: what is to be paid, and the live panel."""

import contextlib
import json
import secrets
import time
from collections.abc import Iterator
from typing import Any, Final

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from chassis.errors import InvalidArgument, NotFound, PermissionDenied, WayvaultError
from chassis.web.server import is_ending
from chassis.web.sessions import passive
from services.crm.access.parts import access
from services.crm.core.actor import Actor
from services.crm.core.forms import attempt, do_and_say
from services.crm.core.web import current_agent, login_required
from services.crm.paying.charging.forms import ChargeForm
from services.crm.paying.charging.pages import charge_and_say, proven
from services.crm.paying.parts import paying
from services.crm.paying.payments.service import Payment, PaymentType
from services.crm.paying.phone.forms import HolderForm, make_form
from services.crm.paying.phone.rules import FIELD_WORDS, read_out
from services.crm.paying.phone.service import Field, PhonePayments
from services.crm.paying.phone.shown import shown
from services.crm.paying.schedule.service import proposal
from services.crm.trips.bookings.service import BookingDetail
from services.crm.trips.parts import trips

blueprint = Blueprint(
    "phone", __name__, template_folder="templates", static_folder="static", static_url_path="/static/phone"
)

_STREAM_SECONDS: Final = 55.0


def _phone() -> PhonePayments:
    return paying().phone


@blueprint.route("/bookings/<id:booking_id>/phone", methods=["GET", "POST"])
@login_required
def new(booking_id: str) -> ResponseReturnValue:
    """T1: who pays how much for what, then the panel."""
    actor = current_agent()
    booking = trips().bookings.get(actor, booking_id)
    if not actor.owns(booking.agent_id):
        raise PermissionDenied("Only the agent who owns this booking can take cards for it.")
    form = make_form(booking, **_first_values(booking))
    if request.method == "POST" and (wanted := form.wanted()) is not None:
        payment_id = attempt(form, lambda: paying().links.open_without_link(actor, booking_id, wanted))
        if payment_id is not None:
            return redirect(url_for("phone.panel", payment_id=payment_id), 303)
    page = render_template("phone/new.html", form=form, booking=booking, set_up=_phone().is_set_up)
    return page, 422 if form.errors else 200


@blueprint.get("/payments/<id:payment_id>/phone")
@login_required
def panel(payment_id: str) -> ResponseReturnValue:
    """The live panel of one payment."""
    actor = current_agent()
    try:
        payment = _phone().payment(actor, payment_id)
    except InvalidArgument:
        return _charge_panel(actor, paying().book.get(actor, payment_id))
    flow = _phone().flow(actor.agency_id)
    agency = access().directory.agency(actor.agency_id)
    return render_template(
        "phone/panel.html",
        payment=payment,
        set_up=_phone().is_set_up,
        script=read_out(flow.script, _script_values(actor, payment, agency.name)),
        fields=[(field, FIELD_WORDS[field]) for field in flow.asks(keeps_cvv=agency.data.cvv_retention_hours > 0)],
        form=HolderForm(data=_holder(payment)),
        desk=_phone().desk(actor.agent_id),
    )


@blueprint.post("/payments/<id:payment_id>/phone/charge")
@login_required
def charge(payment_id: str) -> ResponseReturnValue:
    """T4: has the card charged while the client is on the line; what is wrong with a code stands beside it."""
    actor, form = current_agent(), ChargeForm(prefix="charge")
    payment = paying().book.get(actor, payment_id)
    if not proven(actor, payment, form):
        return _charge_panel(actor, payment, form)
    charge_and_say(actor, payment_id)
    return redirect(url_for("phone.panel", payment_id=payment_id), 303)


def _charge_panel(actor: Actor, payment: Payment, form: ChargeForm | None = None) -> ResponseReturnValue:
    """T4: the card is keyed, and the client still on the line: what is the agency's own money is charged here."""
    charging = paying().charges.status_of(payment)
    policy = access().directory.agency(payment.agency_id).data
    if not payment.by_phone or not (charging.may_charge or charging.charge):
        return redirect(url_for("payment_page.show", payment_id=payment.id), 303)
    page = render_template(
        "phone/charge.html",
        payment=payment,
        charging=charging,
        own=actor.owns(payment.agent_id),
        charge_at="phone",
        charge_url=url_for("phone.charge", payment_id=payment.id),
        charge_form=(form or ChargeForm(formdata=None, prefix="charge")) if policy.charge_code else None,
        # Refunds are the payment's page's.
        refunds=(),
        refund_requests=(),
        refund_form=None,
    )
    return page, 422 if form else 200


@blueprint.post("/payments/<id:payment_id>/phone/start")
@login_required
def start(payment_id: str) -> ResponseReturnValue:
    """{agreed} → {call, pin, seconds}: the client agreed, and the PIN is to be keyed on the agent's telephone."""
    actor = current_agent()
    if _body().get("agreed") is not True:
        raise InvalidArgument("Read the script to the client and tick that they agreed.", field="agreed")
    payment = _phone().payment(actor, payment_id)
    agency = access().directory.agency(actor.agency_id)
    script = "\n\n".join(read_out(_phone().flow(actor.agency_id).script, _script_values(actor, payment, agency.name)))
    call_id, opened = _phone().start(actor, payment_id, script=script)
    return jsonify(call=call_id, pin=opened.pin, stream=url_for("phone.stream", call_id=call_id))


@blueprint.get("/phone/<id:call_id>/stream")
@passive
@login_required
def stream(call_id: str) -> ResponseReturnValue:
    """Server-sent events: `progress` at each key, `over` when the session is, `lost` when it is gone, `stored` when it
    is gone but its card is stored, `away` while nobody answers."""
    actor = current_agent()
    _phone().demand(actor, call_id)
    events = _events(actor, call_id)
    response = Response(stream_with_context(events), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response


@blueprint.post("/phone/<id:call_id>/field")
@login_required
def capture(call_id: str) -> ResponseReturnValue:
    """{field} → progress: the client may key it now."""
    name = _body().get("field")
    if name not in list(Field):
        raise InvalidArgument("Choose which field the client is to key.", field="field")
    return jsonify(shown(_phone().capture(current_agent(), call_id, Field(str(name)))))


@blueprint.post("/phone/<id:call_id>/back")
@login_required
def back(call_id: str) -> ResponseReturnValue:
    """Closes the open field."""
    return jsonify(shown(_phone().give_up_field(current_agent(), call_id)))


@blueprint.post("/phone/<id:call_id>/cancel")
@login_required
def cancel(call_id: str) -> ResponseReturnValue:
    """Ends the session."""
    _phone().cancel(current_agent(), call_id)
    return jsonify(ended=True)


@blueprint.post("/phone/<id:call_id>/finish")
@login_required
def finish(call_id: str) -> ResponseReturnValue:
    """{name, line1, …} → {url}: stores the card; the payment is pending, and charged here if it is the agency's own."""
    body = _body()
    typed = MultiDict({name: str(body.get(name, ""))[:200] for name in _HOLDER_FIELDS})
    # The script's header has proven the form's token.
    form = HolderForm(typed, meta={"csrf": False})
    if not form.validate():
        field, messages = next(iter(form.errors.items()))
        raise InvalidArgument(str(messages[0]), field=str(field))
    actor = current_agent()
    payment_id = _phone().storing.finish(actor, call_id, name=form.name.data or "", billing=form.billing())
    flash("The card is stored. It was keyed by the client; nobody heard or saw it.", "done")
    return jsonify(url=_next_page(actor, payment_id))


@blueprint.post("/payments/<id:payment_id>/phone/link")
@login_required
def send_link(payment_id: str) -> ResponseReturnValue:
    """T9: a link instead, with the same amount and purpose."""
    actor = current_agent()
    payment = _phone().payment(actor, payment_id)
    if call_id := request.form.get("call", ""):
        with contextlib.suppress(WayvaultError):
            _phone().cancel(actor, call_id[:64])
    sent = do_and_say(
        lambda: paying().links.send_for(actor, payment_id), lambda email: f"The link is on its way to {email}."
    )
    if sent is None:
        return redirect(url_for("phone.panel", payment_id=payment_id), 303)
    return redirect(url_for("bookings.show", booking_id=payment.booking_id) + "#payments", 303)


@blueprint.post("/payments/<id:payment_id>/phone/signature")
@login_required
def signature(payment_id: str) -> ResponseReturnValue:
    """Mails the authorization for signature, where that could not be done at once."""
    actor = current_agent()
    if not actor.owns(paying().book.get(actor, payment_id).agent_id):
        raise PermissionDenied("Only the agent who owns this payment can mail its authorization.")
    call = _phone().of_payment(payment_id)
    if call is not None and _phone().storing.ask_signature(actor, call.id):
        flash("The authorization is on its way for signature.", "done")
    else:
        flash("The authorization could not be mailed; the reason stands on this page.", "alert")
    return redirect(url_for("payment_page.show", payment_id=payment_id), 303)


# ---- inside
_HOLDER_FIELDS: Final = ("name", "line1", "line2", "city", "region", "postal_code", "country")


def _events(actor: Actor, call_id: str) -> Iterator[str]:
    yield "retry: 1000\n\n"
    ends = time.monotonic() + _STREAM_SECONDS
    try:
        for progress in _phone().watch(actor, call_id, _STREAM_SECONDS):
            yield f"event: progress\ndata: {json.dumps(shown(progress))}\n\n"
            if is_ending() or time.monotonic() > ends:
                return
            if progress.state == "ended":
                yield "event: over\ndata: {}\n\n"
                return
    except NotFound:
        yield _gone(actor, call_id)
    except WayvaultError:
        yield f"event: away\ndata: {json.dumps({'words': _AWAY})}\n\n"


def _gone(actor: Actor, call_id: str) -> str:
    """What is said of a session that is gone: it may have died after its card was stored."""
    stored = _phone().storing.look(call_id)
    if stored:
        url = _next_page(actor, _phone().storing.payment_of(actor, call_id))
        return f"event: stored\ndata: {json.dumps({'url': url})}\n\n"
    return f"event: lost\ndata: {json.dumps({'words': _UNKNOWN if stored is None else _LOST})}\n\n"


def _next_page(actor: Actor, payment_id: str) -> str:
    """Where the agent goes on once the card is stored."""
    may_charge = paying().charges.status_of(paying().book.get(actor, payment_id)).may_charge
    return url_for("phone.panel" if may_charge else "payment_page.show", payment_id=payment_id)


_LOST: Final = (
    "The secure line was interrupted and the session is over. Nothing was stored, and every digit is gone. "
    "Start again, or send a link instead."
)
_UNKNOWN: Final = (
    "The secure line was interrupted while the card was being stored, and the session is over. Whether the card is "
    "stored will be known within a minute: this payment's page shows it then."
)
_AWAY: Final = (
    "The secure line does not answer. Nothing more is heard of the session until it does; please wait a moment."
)


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def _script_values(actor: Actor, payment: Payment, agency: str) -> dict[str, str]:
    return {
        "ClientName": payment.payer_name,
        "AgencyName": agency,
        "AgentName": actor.name,
        "Amount": payment.amount.format().replace("\u00a0", " "),
        "Supplier": payment.supplier_name or agency,
        "Purpose": payment.purpose,
    }


def _holder(payment: Payment) -> dict[str, str]:
    return {"name": payment.payer_name}


def _first_values(booking: BookingDetail) -> dict[str, Any]:
    values: dict[str, Any] = {"request_key": secrets.token_urlsafe(24)}
    lead = next(iter(booking.passengers), None)
    if lead is not None:
        values["client_id"] = lead.client_id
    first = proposal(
        paying().schedule.of(booking),
        segment_id=request.args.get("segment", ""),
        due_id=request.args.get("due", ""),
        fee=False,
    )
    if first is None:
        return values | {"type": PaymentType.DEPOSIT.value}
    return values | {
        "type": first.type.value,
        "segment_id": first.segment_id or "none",
        "amount": first.amount,
        "due_on": first.due_on,
        "purpose": first.purpose,
    }
