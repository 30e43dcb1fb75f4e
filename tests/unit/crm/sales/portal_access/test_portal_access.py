from datetime import timedelta

import pytest

from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from chassis.ids import token_sha256
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import ClientPortalActivated, ClientPortalInvited, ClientPortalWithdrawn
from services.crm.core.actor import Actor
from services.crm.sales.clients.service import ClientData, ClientDetail
from services.crm.sales.portal_access.service import Access, AccessState
from tests.support.crm_people import published, tell
from tests.support.crm_site import CrmSite, text_of


def invite(site: CrmSite, username: str = "eleanor", client: ClientDetail | None = None) -> Access:
    return site.deps.sales.portal_access.invite(site.maya, (client or site.client).id, username)


def invitations(site: CrmSite) -> list[ClientPortalInvited]:
    return [one for one in published(site) if isinstance(one, ClientPortalInvited)]


def activated(site: CrmSite) -> ClientPortalActivated:
    return ClientPortalActivated(client_id=site.client.id, at=stamp(site.clock.now()))


def state_of(site: CrmSite, actor: Actor | None = None) -> AccessState | None:
    access = site.deps.sales.portal_access.of(actor or site.maya, site.client.id)
    return access.state if access else None


def someone(site: CrmSite, name: str, email: str = "someone@mail.example") -> ClientDetail:
    return site.deps.sales.clients.create(site.maya, ClientData(first_name=name, last_name="Else", email=email))


def test_an_invitation_mails_a_link_whose_token_only_the_sealed_letter_holds(site: CrmSite) -> None:
    assert invite(site).state is AccessState.INVITED
    (told,) = invitations(site)
    assert told.username == "eleanor"
    assert told.client.email == "eleanor@mail.example"
    assert told.agent.name == "Maya Okafor"
    assert len(told.token_sha256) == 64
    assert b"password#" not in told.SerializeToString()


def test_each_letter_has_a_token_of_its_own(site: CrmSite) -> None:
    access = invite(site)
    site.deps.sales.portal_access.resend(site.maya, site.client.id, issue=access.issue)
    first, second = invitations(site)
    assert first.token_sha256 != second.token_sha256
    assert token_sha256("") not in (first.token_sha256, second.token_sha256)


def test_a_second_click_on_resend_sends_nothing(site: CrmSite) -> None:
    access = invite(site)
    for _ in range(2):
        site.deps.sales.portal_access.resend(site.maya, site.client.id, issue=access.issue)
    assert len(invitations(site)) == 2


def test_a_username_is_one_clients_only_whatever_its_case(site: CrmSite) -> None:
    invite(site, "Eleanor")
    with pytest.raises(InvalidArgument) as refused:
        invite(site, "eleanor", someone(site, "Ella"))
    assert refused.value.field == "username"
    assert site.deps.sales.portal_access.suggestion(someone(site, "Eleanor")) == "eleanor.else"


def test_a_suggestion_that_is_taken_gets_a_number(site: CrmSite) -> None:
    invite(site, "ella.else")
    assert site.deps.sales.portal_access.suggestion(someone(site, "Ella")) == "ella.else2"


@pytest.mark.parametrize("bad", ["", "ab", "has space", "émile", "-dash", "x" * 61, "line\nbreak"])
def test_a_bad_username_is_refused(site: CrmSite, bad: str) -> None:
    with pytest.raises(InvalidArgument):
        invite(site, bad)
    assert invitations(site) == []


def test_a_client_without_an_address_can_not_be_invited(site: CrmSite) -> None:
    with pytest.raises(InvalidArgument):
        invite(site, "nobody", someone(site, "No", email=""))


def test_an_address_that_mail_servers_can_not_take_is_named_and_not_invited(site: CrmSite) -> None:
    with pytest.raises(InvalidArgument, match="“ë” before the @"):
        invite(site, "zoe", someone(site, "Zoë", "zoë@mail.example"))
    answer = site.signed_in(site.maya).post(
        "/clients/new", data={"first_name": "Zoë", "last_name": "Else", "email": "zoë@mail.example"}
    )
    assert answer.status_code == 422
    assert "“ë” before the @" in answer.text


def test_the_client_is_active_once_she_chose_a_password_and_told_twice_is_once(site: CrmSite) -> None:
    invite(site)
    message = activated(site)
    before = site.deps.paying.signs.of(site.maya).news
    tell(site, message, message)
    assert site.deps.paying.signs.of(site.maya).news != before
    access = site.deps.sales.portal_access.of(site.maya, site.client.id)
    assert access is not None
    assert access.state is AccessState.ACTIVE
    assert access.activated_at == site.clock.now()


def test_a_withdrawal_stands_whatever_was_on_its_way_and_frees_the_username(site: CrmSite) -> None:
    invite(site)
    message = activated(site)
    site.clock.advance(timedelta(minutes=1))
    site.deps.sales.portal_access.withdraw(site.maya, site.client.id)
    site.deps.sales.portal_access.withdraw(site.maya, site.client.id)
    tell(site, message)
    assert state_of(site) is AccessState.WITHDRAWN
    assert len([one for one in published(site) if isinstance(one, ClientPortalWithdrawn)]) == 1
    invite(site, "eleanor", someone(site, "Ella"))
    site.clock.advance(timedelta(minutes=1))
    invite(site, "eleanor2")
    tell(site, message)
    assert state_of(site) is AccessState.INVITED


def test_an_expired_invitation_is_shown_as_such(site: CrmSite) -> None:
    assert not invite(site).expired
    site.clock.advance(timedelta(days=14))
    access = site.deps.sales.portal_access.of(site.maya, site.client.id)
    assert access is not None
    assert access.expired


def test_other_agents_see_nothing_and_admins_only_look(site: CrmSite) -> None:
    invite(site)
    with pytest.raises(NotFound):
        site.deps.sales.portal_access.of(site.jonas, site.client.id)
    assert state_of(site, site.ada) is AccessState.INVITED
    access, client_id = site.deps.sales.portal_access, site.client.id
    for actor, refusal in ((site.jonas, NotFound), (site.ada, PermissionDenied)):
        with pytest.raises(refusal):
            access.invite(actor, client_id, "other")
        with pytest.raises(refusal):
            access.resend(actor, client_id, issue=1)
        with pytest.raises(refusal):
            access.withdraw(actor, client_id)


def test_the_agent_invites_resends_and_withdraws_on_the_clients_profile(site: CrmSite) -> None:
    browser = site.signed_in(site.maya)
    profile = f"/clients/{site.client.id}"
    assert "has no username yet" in text_of(browser.get(profile))
    form = browser.get(f"{profile}/portal-access")
    assert 'value="eleanor.whitcombe"' in form.text
    wrong = browser.post(f"{profile}/portal-access", {"username": "a b"})
    assert wrong.status_code == 422
    assert 'value="a b"' in wrong.text
    assert browser.post(f"{profile}/portal-access", {"username": "eleanor.whitcombe"}).status_code == 303
    assert "Invited" in text_of(browser.get(profile))
    assert browser.post(f"{profile}/portal-access/resend", {"issue": "1"}).status_code == 303
    tell(site, activated(site))
    assert "Active" in text_of(browser.get(profile))
    assert browser.post(f"{profile}/portal-access/withdraw").status_code == 303
    assert "Withdrawn" in text_of(browser.get(profile))


def test_a_foreign_clients_access_is_not_found(site: CrmSite) -> None:
    browser = site.signed_in(site.jonas)
    base = f"/clients/{site.client.id}/portal-access"
    assert browser.get(base).status_code == 404
    for path in (base, f"{base}/resend", f"{base}/withdraw"):
        assert browser.post(path, {"username": "stolen", "issue": "1"}).status_code == 404
