"""C14: all links by state, acted on from the list, and a link that can be read right after sending only."""

import html
import re
from datetime import timedelta

from chassis.ids import token_sha256
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import PaymentLinkIssued, PaymentLinkOpened, PaymentLinkRevoked
from services.crm.core.ordering import Order
from services.crm.paying.links.models import PaymentLinkRow
from services.crm.paying.links.overview import ENDING_SOON, LinkSort, Picked, Shown
from services.crm.paying.links.rules import DEFAULT_LIFETIME
from services.crm.paying.links.service import Link
from tests.support.crm_paying import CrmHouse


def send(crm: CrmHouse, key: str) -> Link:
    link = crm.deps.paying.links.of_payment(crm.requested(f"{key}-0123456789"))
    assert link is not None
    return link


def listed(crm: CrmHouse, shown: Shown) -> set[str]:
    return {one.link.id for one in crm.deps.paying.overview.page(crm.maya, shown, 1).items}


def key(link: Link) -> str:
    return f"{link.id}:{link.issue}"


def test_links_are_listed_by_state_each_to_its_agent_and_all_to_an_admin(crm: CrmHouse) -> None:
    ended = send(crm, "ended")
    crm.clock.advance(DEFAULT_LIFETIME + timedelta(seconds=1))
    crm.deps.paying.links.expire_due()
    opened, revoked = send(crm, "opened"), send(crm, "revoked")
    crm.hear(PaymentLinkOpened(link_id=opened.id, payment_id=opened.payment_id, at=stamp(crm.clock.now())))
    crm.deps.paying.links.withdraw(crm.maya, revoked.id)
    crm.clock.advance(DEFAULT_LIFETIME - ENDING_SOON + timedelta(hours=1))
    unopened = send(crm, "unopened")
    assert listed(crm, Shown.ALL) == {ended.id, opened.id, revoked.id, unopened.id}
    assert listed(crm, Shown.UNOPENED) == {unopened.id}
    assert listed(crm, Shown.OPENED) == listed(crm, Shown.EXPIRING) == {opened.id}
    assert listed(crm, Shown.EXPIRED) == {ended.id}
    assert listed(crm, Shown.REVOKED) == {revoked.id}
    assert listed(crm, Shown.SUBMITTED) == set()
    counts = crm.deps.paying.overview.counts(crm.maya)
    assert (counts[Shown.UNOPENED], counts[Shown.OPENED], counts[Shown.EXPIRING]) == (1, 1, 1)
    assert crm.deps.paying.overview.page(crm.jonas, Shown.ALL, 1).total == 0
    assert crm.deps.paying.overview.page(crm.ada, Shown.ALL, 1).total == 4
    assert "No link is in this state" in crm.browser(crm.maya).get("/links?show=submitted").text
    assert "No links yet" in crm.browser(crm.jonas).get("/links?show=nonsense").text


def test_the_list_is_ordered_by_clients_names_and_by_amounts(crm: CrmHouse) -> None:
    wanted = crm.link_request(clients=2, key="both-0123456789")
    crm.deps.paying.links.send(crm.maya, crm.booking_id, wanted)
    send(crm, "again")

    def payers(order: Order[LinkSort]) -> list[str]:
        return [one.payer_name for one in crm.deps.paying.overview.page(crm.maya, Shown.ALL, 1, order).items]

    by_name = payers(Order(LinkSort.CLIENT))
    assert by_name == ["Grace Hopper", "Grace Hopper", "Alan Turing"]
    assert payers(Order(LinkSort.CLIENT, turned=True)) == by_name[::-1]
    amounts = [
        one.amount.minor for one in crm.deps.paying.overview.page(crm.maya, Shown.ALL, 1, Order(LinkSort.AMOUNT)).items
    ]
    assert amounts == sorted(amounts, reverse=True)


def test_an_admin_reads_the_list_without_buttons_and_the_file_names_no_token(crm: CrmHouse) -> None:
    send(crm, "one")
    page = crm.browser(crm.ada).get("/links").text
    assert "Grace Hopper" in page
    assert 'name="pick"' not in page
    assert "resend_one" not in page
    lines = crm.browser(crm.maya).get("/links/links.csv?show=unopened").text.splitlines()
    assert len(lines) == 2
    assert "grace@client.example" in lines[1]
    assert "/pay/" not in lines[1]


def test_several_are_sent_again_or_revoked_at_once_and_only_ones_own(crm: CrmHouse) -> None:
    first, second = send(crm, "first"), send(crm, "second")
    both = [key(first), key(second)]
    browser = crm.browser(crm.maya)
    again = {"do": "resend", "pick": both, "list": "show=unopened&sort=-client"}
    assert "Send 2 e-mails to 1 client" in browser.post("/links/act", again).text
    assert [event.issue for event in crm.events(PaymentLinkIssued)] == [1, 1]
    assert browser.post("/links/act", again | {"sure": "yes"}).location == "/links?show=unopened&sort=-client"
    assert [event.issue for event in crm.events(PaymentLinkIssued)] == [1, 1, 2, 2]
    asked = browser.post("/links/act", {"do": "revoke", "pick": both})
    assert "Revoke 2 links?" in asked.text
    assert crm.events(PaymentLinkRevoked) == []
    for stranger in (crm.jonas, crm.ada):
        crm.browser(stranger).post("/links/act", {"do": "revoke", "pick": both, "sure": "yes"})
        assert crm.browser(stranger).post("/links/act", {"fresh": key(first)}).status_code == 303
    assert crm.events(PaymentLinkRevoked) == []
    browser.post("/links/act", {"do": "revoke", "pick": both, "sure": "yes"})
    assert {event.link_id for event in crm.events(PaymentLinkRevoked)} == {first.id, second.id}
    nothing = browser.post("/links/act", {"do": "revoke"})
    assert nothing.status_code == 303
    assert "Tick at least one link first." in browser.get("/links").text


def test_one_that_cannot_be_sent_hinders_no_other(crm: CrmHouse) -> None:
    gone, alive = send(crm, "gone"), send(crm, "alive")
    crm.deps.paying.links.withdraw(crm.maya, gone.id)
    outcome = crm.deps.paying.overview.resend(crm.maya, [Picked(gone.id, 1), Picked(alive.id, 1)])
    assert [link.id for link in outcome.done] == [alive.id]
    assert len(outcome.refused) == 1


def test_a_link_is_shown_right_after_sending_and_never_again(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    form = browser.get(f"/links/new/{crm.booking_id}").text
    request_key = re.search(r'name="request_key"[^>]*value="([^"]+)"', form)
    assert request_key is not None
    wanted = {
        "request_key": request_key[1],
        "type": "deposit",
        "segment_id": crm.segment_id,
        "purpose": "Deposit",
        "pick_0": "y",
        "amount_0": "100.00",
        "overpay_ok": "y",
        "show": "yes",
    }
    answer = browser.post(f"/links/new/{crm.booking_id}", wanted)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    url = re.search(r'value="(http[^"]+/pay/[^"]+)"', answer.text)
    assert url is not None
    address = html.unescape(url[1])
    (issued,) = crm.events(PaymentLinkIssued)
    assert token_sha256(address.partition("#")[2]) == issued.token_sha256
    assert "data:image/svg+xml" in answer.text
    again = browser.post(f"/links/new/{crm.booking_id}", wanted)
    assert "Sent already." in again.text
    token = address.partition("#")[2]
    assert token not in again.text + browser.get("/links").text + browser.get(f"/bookings/{crm.booking_id}").text
    fresh = browser.post("/links/act", {"fresh": f"{issued.link_id}:1"})
    assert "Shown once." in fresh.text
    assert token not in fresh.text


def test_what_did_not_arrive_stands_apart(crm: CrmHouse) -> None:
    link = send(crm, "bounced")
    assert listed(crm, Shown.UNDELIVERED) == set()
    with crm.deps.core.database.transaction() as session:
        row = session.get(PaymentLinkRow, link.id)
        assert row is not None
        row.delivery_problem = "The mailbox is full."
    assert listed(crm, Shown.UNDELIVERED) == {link.id}
    assert "The mailbox is full." in crm.browser(crm.maya).get("/links?show=undelivered").text
