"""Who may call each endpoint of the portal: the matrix itself.

A new endpoint needs a line here (under its room, by its name), and an argument in its address needs an object in
portal_house.py. test_portal.py then proves the line for every role.
"""

from tests.integration.access.entry import Door, Entry

ANYBODY, CLIENTS, OWN_CLIENT, PAYER = (
    Entry(Door.ANYBODY),
    Entry(Door.CLIENTS),
    Entry(Door.OWN_CLIENT),
    Entry(Door.PAYER),
)
SUBMITTED = {"link_id": "submitted_link_id"}
CVV_LINK = {"link_id": "cvv_link_id"}
OFFER = {"request_id": "offer_id"}
# What other sites may show in a frame (chassis.web.framing); everything else they may not.
FRAMED = frozenset({"quotes.embed"})

ENTRIES: dict[str, Entry] = {
    # the chassis
    "chassis.healthz": ANYBODY,
    "chassis.theme": ANYBODY,
    # session_watch
    "session_watch.left": CLIENTS,
    "session_watch.stay": CLIENTS,
    # account
    "account.asked": ANYBODY,
    "account.choose": ANYBODY,
    "account.end_session": OWN_CLIENT,
    "account.forgotten": ANYBODY,
    "account.show": CLIENTS,
    "account.sign_in": ANYBODY,
    "account.sign_out": ANYBODY,
    # agencies: a logo stands on pages before any sign-in
    "agencies.logo": Entry(Door.ANYBODY, objects={"sha256": "logo_sha256"}),
    # standing_orders
    "standing_orders.ask_for_card": OWN_CLIENT,
    "standing_orders.cancel": OWN_CLIENT,
    "standing_orders.show": OWN_CLIENT,
    # payments.confirmed says no more than that a payment is done
    "payments.confirmed": Entry(Door.ANYBODY, objects={"payment_id": "payment_id"}),
    # cvv: a link of its own for the CVV alone
    "cvv.form": Entry(Door.LINK, objects=CVV_LINK),
    "cvv.intake": Entry(Door.LINK, objects=CVV_LINK),
    "cvv.landing": Entry(Door.ANYBODY, objects=CVV_LINK),
    "cvv.open_link": Entry(Door.ANYBODY, objects=CVV_LINK),
    "cvv.supply": Entry(Door.LINK, objects=CVV_LINK),
    # documents
    "documents.file": OWN_CLIENT,
    "documents.index": CLIENTS,
    # esign: as with payment links, but the client who is asked needs no link
    "esign.document": Entry(Door.OWN_CLIENT, objects={"document_id": "signed_document_id"}),
    "esign.index": CLIENTS,
    "esign.landing": ANYBODY,
    "esign.open_request": ANYBODY,
    "esign.read": PAYER,
    "esign.sign": PAYER,
    "esign.signed_copy": Entry(Door.PAYER, objects={"request_id": "signed_request_id"}),
    # insurance
    "insurance.landing": Entry(Door.ANYBODY, objects=OFFER),
    "insurance.open_request": Entry(Door.ANYBODY, objects=OFFER),
    "insurance.read": Entry(Door.PAYER, objects=OFFER),
    "insurance.sign": Entry(Door.PAYER, objects=OFFER),
    "insurance.signed_copy": Entry(Door.PAYER, objects={"request_id": "answered_offer_id"}),
    # itineraries: as with payment links; a trip that is shown needs no account
    "itineraries.calendar_file": Entry(Door.LINK),
    "itineraries.landing": ANYBODY,
    "itineraries.open_link": ANYBODY,
    "itineraries.paper": Entry(Door.LINK),
    "itineraries.trip": Entry(Door.LINK),
    # following: the address is signed, and tells whether there is news, nothing else
    "following.news": ANYBODY,
    # links: looking at the page and trying a token is for anybody; the token opens it
    "links.landing": ANYBODY,
    "links.open_link": ANYBODY,
    "links.start": ANYBODY,
    # payments: by link, and those of a signed-in client
    "payments.authorize": PAYER,
    "payments.go_on": OWN_CLIENT,
    "payments.index": CLIENTS,
    "payments.intake": PAYER,
    "payments.outcome": Entry(Door.PAYER, objects=SUBMITTED),
    "payments.own_copy": OWN_CLIENT,
    "payments.own_receipt": OWN_CLIENT,
    "payments.own_receipt_pdf": OWN_CLIENT,
    "payments.receipt": Entry(Door.PAYER, objects=SUBMITTED),
    "payments.receipt_pdf": Entry(Door.PAYER, objects=SUBMITTED),
    "payments.show": OWN_CLIENT,
    "payments.signed_copy": Entry(Door.PAYER, objects=SUBMITTED),
    "payments.status": Entry(Door.PAYER, objects=SUBMITTED),
    "payments.submit": PAYER,
    # profile
    "profile.edit": CLIENTS,
    "profile.member": OWN_CLIENT,
    "profile.new_member": CLIENTS,
    "profile.new_occasion": CLIENTS,
    "profile.occasion": OWN_CLIENT,
    "profile.remove_member": OWN_CLIENT,
    "profile.remove_occasion": OWN_CLIENT,
    "profile.show": CLIENTS,
    # quotes: an agent's public page
    "quotes.ask": ANYBODY,
    "quotes.embed": ANYBODY,
    "quotes.thanks": ANYBODY,
    # registrations: what became of one is for the browser that proved the address
    "registrations.prove": ANYBODY,
    "registrations.register": ANYBODY,
    "registrations.sent": ANYBODY,
    "registrations.show": Entry(Door.LINK, objects={"registration_id": "registration_id"}),
    # trips
    "trips.calendar_file": OWN_CLIENT,
    "trips.days": OWN_CLIENT,
    "trips.index": CLIENTS,
    "trips.itinerary": OWN_CLIENT,
    "trips.pay": OWN_CLIENT,
    "trips.report": OWN_CLIENT,
    "trips.show": OWN_CLIENT,
    # visits: as with payment links
    "visits.landing": ANYBODY,
    "visits.open_visit": ANYBODY,
    "visits.show": PAYER,
    # verify
    "verify.check": ANYBODY,
}
