"""Who may call each endpoint of the CRM: the matrix itself.

A new endpoint needs a line here (under its room, by its name), and an argument in its address needs an object in
crm_house.py. test_crm.py then proves the line for every role.
"""

from tests.integration.access.entry import Door, Entry

ANYBODY, AGENTS, ADMINS, OWNER, OWNER_ALONE, BOTH = (
    Entry(Door.ANYBODY),
    Entry(Door.AGENTS),
    Entry(Door.ADMINS),
    Entry(Door.OWNER),
    Entry(Door.OWNER_ALONE),
    Entry(Door.OWNER_AND_ADMIN),
)

ENTRIES: dict[str, Entry] = {
    # the chassis
    "chassis.healthz": ANYBODY,
    "chassis.theme": ANYBODY,
    # session_watch
    "session_watch.left": AGENTS,
    "session_watch.stay": AGENTS,
    # admin
    "agency.show": ADMINS,
    "agency.agent": ADMINS,
    "agency.change_logo": ADMINS,
    "agency.invite": ADMINS,
    # The logo stands on pages of the whole agency; an address with another hash is no page.
    "agency.logo": Entry(Door.AGENCY, objects={"sha256": "logo_sha256"}),
    "agency.new_agent": ADMINS,
    "agency.profile": AGENTS,
    "agency.remove_logo": ADMINS,
    "agency.reset_authenticator": ADMINS,
    # alerts
    "alerts.count": AGENTS,
    "alerts.pending": AGENTS,
    "alerts.stream": AGENTS,
    # calendar
    "calendar.day": AGENTS,
    "calendar.end_feed": AGENTS,
    # Whoever has the secret in its address.
    "calendar.feed": Entry(Door.ANYBODY, objects={"token": "feed_token"}),
    "calendar.file": AGENTS,
    "calendar.month": AGENTS,
    "calendar.renew_feed": AGENTS,
    "calendar.subscribe": AGENTS,
    # charging: a gateway's signed message; charging itself checks the signature
    "charging.notice": ANYBODY,
    # payment_page: Nobody but the owner acts; an admin reads, and sees no card.
    "payment_page.ask_again": OWNER_ALONE,
    "payment_page.ask_cvv_again": Entry(Door.OWNER_ALONE, form={"cvv-again-request_key": "0123456789"}),
    "payment_page.ask_second_reveal": Entry(Door.OWNER_ALONE, form={"second-reason": "The line was cut."}),
    "payment_page.charge": OWNER_ALONE,
    "payment_page.give_up_charge": OWNER_ALONE,
    "payment_page.refund": Entry(
        Door.OWNER_ALONE,
        form={"refund-amount": "1.00", "refund-reason": "Cancelled", "refund-seen": "0"},
    ),
    "payment_page.refund_cared_for": OWNER_ALONE,
    "payment_page.take_refund_back": OWNER_ALONE,
    "payment_page.process": Entry(Door.OWNER_ALONE, form={"process-confirmation": "AUR-1"}),
    "payment_page.remove": Entry(Door.OWNER_ALONE, form={"remove-confirmation": "REMOVE"}),
    "payment_page.show": OWNER,
    "payment_page.void": Entry(Door.OWNER_ALONE, form={"void-reason": "The cabin was gone."}),
    # public_pages: everybody's is their own
    "public_pages.choose_name": AGENTS,
    "public_pages.show": AGENTS,
    "public_pages.state_websites": AGENTS,
    # audit
    "audit.export": ADMINS,
    "audit.export_office": ADMINS,
    "audit.index": ADMINS,
    "audit.office": ADMINS,
    # auth
    "auth.account": AGENTS,
    "auth.authenticator": ANYBODY,
    "auth.end_session": Entry(Door.OWNER_ALONE, objects={"session_id": "session_id"}),
    "auth.invitation": ANYBODY,
    "auth.set_up": ANYBODY,
    "auth.sign_in": ANYBODY,
    "auth.sign_out": ANYBODY,
    # bookings
    "bookings.edit": OWNER_ALONE,
    "bookings.edit_segment": OWNER_ALONE,
    "bookings.export": AGENTS,
    "bookings.index": AGENTS,
    "bookings.new": AGENTS,
    "bookings.new_segment": OWNER_ALONE,
    "bookings.people": AGENTS,
    "bookings.remove_segment": Entry(
        Door.OWNER_ALONE, objects={"segment_id": "unpaid_segment_id"}, form={"version": "1"}
    ),
    "bookings.show": OWNER,
    # clients
    "clients.edit": OWNER_ALONE,
    "clients.export": AGENTS,
    "clients.index": AGENTS,
    "clients.new": AGENTS,
    "clients.search": AGENTS,
    "clients.show": OWNER,
    # dashboard
    "dashboard.show": AGENTS,
    # dispute_packs
    # Making one is noted, so an admin who makes one acts.
    "dispute_packs.download_pack": BOTH,
    # documents
    "documents.file": Entry(Door.OWNER, objects={"document_id": "file_id"}),
    "documents.share": OWNER_ALONE,
    "documents.withdraw": Entry(Door.OWNER_ALONE, objects={"document_id": "file_id"}),
    # esign: an agent's own document is theirs to change; an admin reads it
    "esign.archive": Entry(Door.OWNER_ALONE, form={"version": "1", "archived": "yes"}),
    "esign.export": AGENTS,
    "esign.form_pdf": OWNER,
    "esign.index": AGENTS,
    "esign.library": AGENTS,
    "esign.new": OWNER_ALONE,
    "esign.new_template": AGENTS,
    "esign.preview": AGENTS,
    "esign.print_form": OWNER,
    "esign.record_paper": OWNER_ALONE,
    "esign.remind": Entry(Door.OWNER_ALONE, form={"issue": "1"}),
    "esign.restrictions": ADMINS,
    "esign.show": OWNER,
    "esign.signed_pdf": Entry(Door.OWNER, objects={"request_id": "signed_request_id"}),
    "esign.template": Entry(Door.OWNER, form={"title": "Mine", "body": "Text", "required": "never", "version": "1"}),
    "esign.versions": OWNER,
    "esign.withdraw": OWNER_ALONE,
    # finding
    "finding.show": AGENTS,
    # first_steps
    "first_steps.show": ADMINS,
    "first_steps.tick": Entry(Door.ADMINS, form={"step": "policies"}),
    # handouts
    # Another agency has none.
    "handouts.quick_sheet": Entry(Door.AGENTS, also=(404,)),
    "handouts.remove_sheet": ADMINS,
    "handouts.show": ADMINS,
    # groups: companies and households are seen as clients are
    "groups.choose": OWNER_ALONE,
    "groups.edit": Entry(Door.OWNER_ALONE, form={"name": "Others", "version": "1"}),
    "groups.export": AGENTS,
    "groups.index": AGENTS,
    "groups.join": OWNER_ALONE,
    "groups.leave": OWNER_ALONE,
    "groups.members": OWNER,
    "groups.new": AGENTS,
    "groups.remove": OWNER_ALONE,
    "groups.show": OWNER,
    # household
    "household.edit_member": OWNER_ALONE,
    "household.edit_occasion": OWNER_ALONE,
    "household.new_member": OWNER_ALONE,
    "household.new_occasion": OWNER_ALONE,
    "household.remove_member": OWNER_ALONE,
    "household.remove_occasion": OWNER_ALONE,
    "household.take_note": OWNER_ALONE,
    # insurance
    "insurance.answer_pdf": Entry(Door.OWNER, objects={"offer_id": "answered_offer_id"}),
    "insurance.new": OWNER_ALONE,
    "insurance.remind": Entry(Door.OWNER_ALONE, form={"issue": "1"}),
    "insurance.withdraw": OWNER_ALONE,
    # importing: an import is its agent's alone, also in an admin's eyes
    "importing.columns": Entry(Door.OWNER_ALONE, objects={"import_id": "import_id"}),
    "importing.refused": Entry(Door.OWNER_ALONE, objects={"import_id": "import_id"}),
    "importing.run": Entry(Door.OWNER_ALONE, objects={"import_id": "import_id"}),
    "importing.show": Entry(Door.OWNER_ALONE, objects={"import_id": "import_id"}),
    "importing.similar": Entry(Door.OWNER_ALONE, objects={"import_id": "import_id"}),
    "importing.similar_all": Entry(Door.OWNER_ALONE, objects={"import_id": "import_id"}, form={"all": "1"}),
    "importing.start": AGENTS,
    "importing.undo": Entry(Door.OWNER_ALONE, objects={"import_id": "import_id"}),
    # itinerary
    "itinerary.calendar_file": OWNER,
    "itinerary.paper": OWNER,
    "itinerary.revoke": OWNER_ALONE,
    "itinerary.share": OWNER_ALONE,
    "itinerary.show": OWNER,
    # links
    "links.new": OWNER_ALONE,
    "links.resend": OWNER_ALONE,
    "links.revoke": OWNER_ALONE,
    # link_overview: what its buttons do with others' links is refused link by link (unit/crm/paying/test_overview.py)
    "link_overview.act": AGENTS,
    # What it does with others' reminders: unit/crm/paying/reminders.
    "reminders.act": AGENTS,
    "link_overview.export": AGENTS,
    "link_overview.index": AGENTS,
    # standing_orders
    "standing_orders.ask_for_card": OWNER_ALONE,
    "standing_orders.cancel": OWNER_ALONE,
    "standing_orders.export": AGENTS,
    "standing_orders.index": AGENTS,
    "standing_orders.new": OWNER_ALONE,
    "standing_orders.pause": OWNER_ALONE,
    "standing_orders.resume": OWNER_ALONE,
    "standing_orders.show": OWNER,
    # merging
    "merging.start": AGENTS,
    "merging.pick": OWNER_ALONE,
    "merging.preview": OWNER_ALONE,
    "bookings.cancel_segment": OWNER_ALONE,
    "bookings.take_up_segment": OWNER_ALONE,
    "reminders.send_now": OWNER_ALONE,
    # recording: what was paid otherwise, and what is taken back
    "recording.confirm": OWNER_ALONE,
    "recording.decline": Entry(Door.OWNER_ALONE, form={"reason": "Not found."}),
    "recording.new": OWNER_ALONE,
    "recording.reverse": Entry(Door.OWNER_ALONE, form={"reason": "A mistake."}),
    # phone: cards that clients key during a call
    "phone.back": OWNER_ALONE,
    "phone.calls": AGENTS,
    "phone.cancel": OWNER_ALONE,
    "phone.charge": OWNER_ALONE,
    "phone.capture": Entry(Door.OWNER_ALONE, json={"field": "number"}),
    "phone.export": AGENTS,
    "phone.finish": Entry(
        Door.OWNER_ALONE,
        json={"name": "Grace Hopper", "line1": "1 Bridge Street", "city": "Arlington", "country": "US"},
    ),
    "phone.new": OWNER_ALONE,
    "phone.panel": OWNER_ALONE,
    "phone.send_link": OWNER_ALONE,
    "phone.settings": ADMINS,
    "phone.signature": OWNER_ALONE,
    "phone.start": Entry(Door.OWNER_ALONE, json={"agreed": True}),
    "phone.stream": OWNER_ALONE,
    "phone.telephone": AGENTS,
    # payments
    "payments.authorization": Entry(Door.OWNER, objects={"document_id": "signed_document_id"}),
    "payments.export": AGENTS,
    "payments.report": AGENTS,
    # portal_access
    "portal_access.invite": OWNER_ALONE,
    "portal_access.resend": OWNER_ALONE,
    "portal_access.withdraw": OWNER_ALONE,
    # quotes
    "quotes.act": AGENTS,
    "quotes.book": OWNER_ALONE,
    "quotes.decline": OWNER_ALONE,
    "quotes.export": AGENTS,
    "quotes.index": AGENTS,
    "quotes.reopen": OWNER_ALONE,
    "quotes.show": OWNER,
    # reminders: an agent's own texts, the agency's by its admins; switched by booking
    "reminders.edit": AGENTS,
    "reminders.export": AGENTS,
    "reminders.give_up": AGENTS,
    "reminders.index": AGENTS,
    "reminders.log": AGENTS,
    "reminders.switch": OWNER_ALONE,
    # reports
    "reports.charges": AGENTS,
    "reports.charges_csv": AGENTS,
    "reports.orders_ahead": AGENTS,
    "reports.orders_ahead_csv": AGENTS,
    "reports.payouts": ADMINS,
    "reports.payouts_csv": ADMINS,
    "reports.clients": AGENTS,
    "reports.clients_csv": AGENTS,
    "reports.commission": OWNER,
    "reports.commissions": AGENTS,
    "reports.commissions_csv": AGENTS,
    "reports.due": AGENTS,
    "reports.due_csv": AGENTS,
    "reports.index": AGENTS,
    "reports.processed": AGENTS,
    "reports.processed_csv": AGENTS,
    "reports.take_back": OWNER_ALONE,
    # reveal: codes and cards, for the owner's eyes
    "reveal.confirm_cvv": Entry(Door.OWNER_ALONE, json={"challenge_id": "chal_1", "jwe": "sealed"}),
    "reveal.cvv": AGENTS,
    "reveal.show_card": Entry(Door.OWNER_ALONE, json={"jwe": "sealed"}),
    "reveal.send_code": Entry(Door.OWNER_ALONE, json={"request_key": "0123456789", "supplier_ready": True}),
    "reveal.send_cvv_code": Entry(Door.OWNER_ALONE, json={"request_key": "0123456789"}),
    "reveal.show_cvv": AGENTS,
    "reveal.state": OWNER,
    # refund_approvals: an admin proves themselves in the form that approves
    "refund_approvals.approve": Entry(Door.ADMINS, objects={"request_id": "refund_request_id"}),
    "refund_approvals.refuse": Entry(Door.ADMINS, objects={"request_id": "refund_request_id"}),
    "refund_approvals.show": Entry(Door.ADMINS, objects={"request_id": "refund_request_id"}),
    # gateway_keys: what is sealed goes into the form that this session opened with a fresh code, or nowhere
    "gateway_keys.check": ADMINS,
    "gateway_keys.enter": ADMINS,
    "gateway_keys.open_keys": Entry(Door.ADMINS, form={"open-gateway": "stripe", "open-code": "000000"}),
    "gateway_keys.show": ADMINS,
    "gateway_keys.store": Entry(Door.ADMINS, json={"jwe": "sealed"}, also=(403,)),
    # saved_views: nobody else has them, no admin either
    "saved_views.edit": Entry(Door.OWNER_ALONE, form={"name": "Leaving soon"}),
    "saved_views.new": AGENTS,
    "saved_views.remove": OWNER_ALONE,
    # second_reveals: 403 asks an admin to prove themselves with their authenticator first
    "second_reveals.approve": Entry(Door.ADMINS, also=(403,)),
    "second_reveals.index": ADMINS,
    "second_reveals.prove": ADMINS,
    "second_reveals.refuse": ADMINS,
    "second_reveals.send_code": Entry(Door.ADMINS, also=(403,)),
    "second_reveals.show": ADMINS,
    # suppliers: one directory for the whole agency
    "suppliers.edit": Entry(Door.AGENCY, form={"name": "Other", "version": "1"}),
    "suppliers.export": AGENTS,
    "suppliers.index": AGENTS,
    "suppliers.new": AGENTS,
    "suppliers.remove": Entry(Door.AGENCY),
    # support: the agency's admins answer
    "support.close": BOTH,
    "support.export": AGENTS,
    "support.index": AGENTS,
    "support.new": AGENTS,
    "support.reply": BOTH,
    "support.show": BOTH,
    # tasks
    "tasks.act": AGENTS,
    "tasks.add": OWNER_ALONE,
    "tasks.done": OWNER_ALONE,
    "tasks.edit": OWNER_ALONE,
    "tasks.export": AGENTS,
    "tasks.index": AGENTS,
    "tasks.new": AGENTS,
    "tasks.remove": OWNER_ALONE,
    "tasks.undo": OWNER_ALONE,
    # visits
    "visits.new": OWNER_ALONE,
    "visits.remind": Entry(Door.OWNER_ALONE, form={"issue": "1"}),
    "visits.withdraw": OWNER_ALONE,
    # training
    "training.index": AGENTS,
    "training.words": AGENTS,
    "training.show": Entry(Door.AGENTS, objects={"slug": "guide_slug"}),
    # mail_outcomes: an admin puts away what nobody else sees to; only its own agent sends a link again
    "mail_outcomes.export": AGENTS,
    "mail_outcomes.index": AGENTS,
    "mail_outcomes.resend": OWNER_ALONE,
    "mail_outcomes.settle": BOTH,
}
