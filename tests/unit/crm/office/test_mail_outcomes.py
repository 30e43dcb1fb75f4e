"""E-mails that the notifier gave up reach a person (N2, C13)."""

from chassis.ids import new_id
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import DeliveryFailed, DeliverySent, PaymentLinkIssued
from services.crm.office.mail_outcomes.rules import Remedy, kind_of
from services.notifier.templates.rules import Mail
from tests.support.crm_paying import CrmHouse


def _failed(crm: CrmHouse, **fields: str) -> DeliveryFailed:
    values = {"delivery_id": new_id("dlv"), "kind": "quote_request", "agent_id": crm.maya.agent_id, **fields}
    return DeliveryFailed(
        at=stamp(crm.clock.now()), reason="The mailbox does not exist.", address_hint="g***@client.example", **values
    )


def test_a_failure_is_kept_once_however_often_it_is_told(crm: CrmHouse) -> None:
    failure = _failed(crm)
    crm.hear(failure)
    crm.hear(failure)
    page = crm.deps.office.mail_outcomes.list_page(crm.maya, settled=False, number=1)
    assert [one.reason for one in page.items] == ["The mailbox does not exist."]


def test_each_sees_her_own_an_admin_all_and_what_names_nobody(crm: CrmHouse) -> None:
    crm.hear(_failed(crm))
    crm.hear(_failed(crm, agent_id=""))
    undelivered = crm.deps.office.mail_outcomes
    totals = [undelivered.list_page(who, settled=False, number=1).total for who in (crm.maya, crm.jonas, crm.ada)]
    assert totals == [1, 0, 2]


def test_a_code_that_names_its_payment_only_is_its_agents(crm: CrmHouse) -> None:
    payment_id = crm.authorized()
    crm.hear(_failed(crm, kind="reveal_code", agent_id="", payment_id=payment_id))
    (one,) = crm.deps.office.mail_outcomes.list_page(crm.maya, settled=False, number=1).items
    assert (one.kind.remedy, one.payment_id) == (Remedy.PAYMENT, payment_id)


def test_a_link_is_sent_again_from_the_list_and_put_away(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    link = crm.deps.paying.links.of_payment(payment_id)
    assert link is not None
    crm.hear(_failed(crm, kind="payment_link", payment_id=payment_id, link_id=link.id))
    maya = crm.browser(crm.maya)
    (one,) = crm.deps.office.mail_outcomes.list_page(crm.maya, settled=False, number=1).items
    assert "Send again" in maya.get("/undelivered").text
    assert maya.post(f"/undelivered/{one.id}/resend").status_code == 303
    assert [event.issue for event in crm.events(PaymentLinkIssued)] == [1, 2]
    assert crm.deps.core.waiting.of(crm.maya)["mail failures"] == 0
    assert "Put away" in maya.get("/undelivered?state=settled").text


def test_only_the_links_own_agent_sends_it_again(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    crm.hear(_failed(crm, kind="payment_link", payment_id=payment_id))
    (one,) = crm.deps.office.mail_outcomes.list_page(crm.ada, settled=False, number=1).items
    assert crm.browser(crm.ada).post(f"/undelivered/{one.id}/resend").status_code == 404
    assert crm.browser(crm.jonas).post(f"/undelivered/{one.id}/settle").status_code == 404
    assert crm.browser(crm.ada).post(f"/undelivered/{one.id}/settle").status_code == 303


def test_a_link_that_left_after_all_settles_its_failures(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    link = crm.deps.paying.links.of_payment(payment_id)
    assert link is not None
    crm.hear(_failed(crm, kind="payment_link", payment_id=payment_id, link_id=link.id))
    sent = DeliverySent(
        delivery_id=new_id("dlv"),
        kind="payment_link",
        payment_id=payment_id,
        link_id=link.id,
        at=stamp(crm.clock.now()),
    )
    crm.hear(sent)
    assert crm.deps.core.waiting.of(crm.maya)["mail failures"] == 0


def test_the_dashboard_says_so_until_it_is_seen_to(crm: CrmHouse) -> None:
    crm.hear(_failed(crm))
    maya = crm.browser(crm.maya)
    assert "could not be delivered" in maya.get("/").text
    (one,) = crm.deps.office.mail_outcomes.list_page(crm.maya, settled=False, number=1).items
    maya.post(f"/undelivered/{one.id}/settle")
    assert "could not be delivered" not in maya.get("/").text


def test_every_mail_of_the_notifier_has_words() -> None:
    for mail in Mail:
        kind = kind_of(mail.value)
        assert kind.words[0].isupper()
        assert kind.advice.endswith(".")


def test_whoever_may_see_the_client_reads_whom_it_missed_and_at_which_address(crm: CrmHouse) -> None:
    crm.hear(_failed(crm, kind="portal_invitation", address="GRACE@client.example"))
    (one,) = crm.deps.office.mail_outcomes.list_page(crm.maya, settled=False, number=1).items
    assert (one.client_id, one.client_name, one.address) == (crm.grace_id, "Grace Hopper", "GRACE@client.example")
    page = crm.browser(crm.maya).get("/undelivered").text
    assert f'href="/clients/{crm.grace_id}"' in page
    assert f'href="/clients/{crm.grace_id}/edit"' in page
    assert "GRACE@client.example" in page


def test_where_only_the_vault_may_tell_an_address_it_stays_masked(crm: CrmHouse) -> None:
    crm.hear(_failed(crm, kind="reveal_code", payment_id=crm.authorized()))
    (one,) = crm.deps.office.mail_outcomes.list_page(crm.maya, settled=False, number=1).items
    assert (one.client_id, one.address) == ("", "g***@client.example")
