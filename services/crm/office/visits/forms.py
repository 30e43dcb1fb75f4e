"""The form that asks for everything at once."""

from typing import Any

from wtforms import HiddenField
from wtforms.validators import Length

from chassis.money import Money
from chassis.paper.forms import OnPaper
from chassis.web.forms import BooleanField, CheckboxesField, MoneyField, Optional, RadioField, StringField, required
from services.crm.core.forms import WithTickedParts
from services.crm.office.visits.service import VisitRequest
from services.crm.paying.links.pages import PaymentFields
from services.crm.paying.links.service import LinkRequest, Share
from services.crm.paying.payments.pages import chosen_segment, lacks_supplier, segment_choices
from services.crm.paying.payments.service import PaymentType
from services.crm.signing.esign.service import Template
from services.crm.signing.insurance.service import OfferRequest
from services.crm.trips.bookings.service import BookingDetail

_MAX_PLAN = 120
_OF_OFFER = ("plan", "price")
_TICK_OR_EMPTY = "Tick it as well, or take this out."
_TYPED_OF_PAYMENT = ("amount", "purpose", "due_on")
_OF_PAYMENT = ("type", "segment_id", *_TYPED_OF_PAYMENT)


class VisitForm(PaymentFields, WithTickedParts):
    """Passengers, documents and currency come per booking: see `make_form`. What is not asked for is not checked."""

    request_key = HiddenField(validators=[Length(min=16, max=60)])
    client_id = RadioField("Who is asked?", [required("Choose who is asked.")])
    ask_insurance = BooleanField("An insurance answer")
    plan = StringField(
        "Insurance plan",
        [required("Name the plan, such as “Voyager Care Plus”."), Length(max=_MAX_PLAN), OnPaper()],
        description="The passenger reads this. Name the insurer too.",
    )
    document_ids = CheckboxesField("Documents to sign", [Optional()])
    ask_payment = BooleanField("A payment")
    restricted_ok = BooleanField("Send it all the same")
    price: MoneyField
    amount: MoneyField


def make_form(booking: BookingDetail, templates: list[Template], **values: Any) -> VisitForm:
    """The form for one booking. Any: whatever a field takes as data."""
    fields = {
        "price": MoneyField("Price", [required("Enter what the plan costs.")], currency=booking.currency),
        "amount": MoneyField("Amount", [required("Enter the amount.")], currency=booking.currency),
    }
    bound = type("BookingVisitForm", (VisitForm,), fields)
    form: VisitForm = bound(data=values)
    form.client_id.choices = {each.client_id: each.name for each in booking.passengers if each.email}
    form.document_ids.choices = {template.id: template.title for template in templates}
    form.segment_id.choices = segment_choices(booking)
    return form


def read_form(form: VisitForm) -> VisitRequest | None:
    """What the agent asks for; None when something is wrong, which then stands at its field."""
    for asked, names in ((form.ask_insurance, _OF_OFFER), (form.ask_payment, _OF_PAYMENT)):
        if not asked.data:
            for name in names:
                form[name].validators = (Optional(),)
    valid = form.validate_on_submit()
    for asked, typed in ((form.ask_insurance, _OF_OFFER), (form.ask_payment, _TYPED_OF_PAYMENT)):
        if not asked.data:
            words = f"“{asked.label.text}” is not ticked, so this would not be asked for. {_TICK_OR_EMPTY}"
            valid = not form.ask_about_left(typed, words) and valid
    if not (form.ask_insurance.data or form.document_ids.data or form.ask_payment.data):
        form.refuse("", "Choose what you ask for: an insurance answer, documents or a payment.")
        valid = False
    if form.ask_payment.data and lacks_supplier(_type(form), form.segment_id.data):
        form.refuse("segment_id", "Choose the supplier that this payment goes to.")
        valid = False
    if not valid:
        return None
    key, client_id = form.request_key.data or "", form.client_id.data or ""
    return VisitRequest(
        request_key=key,
        client_id=client_id,
        document_ids=list(form.document_ids.data or ()),
        offer=_offer(form, key, client_id),
        payment=_payment(form, key, client_id),
        restricted_ok=bool(form.restricted_ok.data),
    )


def _offer(form: VisitForm, key: str, client_id: str) -> OfferRequest | None:
    price = form.price.data
    if not form.ask_insurance.data or not isinstance(price, Money):
        return None
    return OfferRequest(request_key=key, client_ids=[client_id], plan=form.plan.data or "", price=price)


def _payment(form: VisitForm, key: str, client_id: str) -> LinkRequest | None:
    amount, kind = form.amount.data, _type(form)
    if not form.ask_payment.data or not isinstance(amount, Money) or kind is None:
        return None
    return LinkRequest(
        request_key=key,
        segment_id=chosen_segment(form.segment_id.data),
        type=kind,
        purpose=form.purpose.data or "",
        due_on=form.due_on.data,
        shares=[Share(client_id=client_id, amount=amount)],
    )


def _type(form: VisitForm) -> PaymentType | None:
    return PaymentType(form.type.data) if form.type.data in set(PaymentType) else None
