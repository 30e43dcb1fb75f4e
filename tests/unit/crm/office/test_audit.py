"""The audit viewer: the vault's trail of the agency, and the office's own acts (C13)."""

from dataclasses import replace
from datetime import timedelta

from chassis.errors import Unavailable
from services.crm.core.ports.vault import AccessEntry
from services.crm.office.audit.port import TrailRow
from tests.support.crm_paying import ORIGIN, CrmHouse
from tests.support.crm_site import CrmSite, text_of


def _row(
    crm: CrmHouse, action: str, *, payment: str = "", ok: bool = True, intact: bool = True, number: int = 1
) -> TrailRow:
    entry = AccessEntry(
        at=crm.clock.now() - timedelta(minutes=number),
        action=action,
        ok=ok,
        actor=crm.maya.agent_id,
        reason="" if ok else "ERROR_CODE_CODE_WRONG",
        origin=ORIGIN,
    )
    return TrailRow(entry=entry, payment_id=payment, chain_id="chain_1", sequence=number, intact=intact)


def _filled(crm: CrmHouse, count: int = 1) -> str:
    payment = crm.requested()
    rows = [_row(crm, "card.revealed", payment=payment), _row(crm, "code.refused", payment=payment, ok=False)]
    rows += [_row(crm, "card.stored", number=number) for number in range(2, count)]
    crm.trail.rows[crm.agency_id] = rows
    return payment


def test_an_admin_reads_who_did_what_to_whose_card(crm: CrmHouse) -> None:
    _filled(crm)
    page = text_of(crm.browser(crm.ada).get("/audit"))
    assert "Card shown once" in page
    assert "Maya Okafor" in page
    assert "Grace Hopper, Norwegian fjords for three" in page
    assert "wrong code" in page
    assert "Every row is as it was written" in page


def test_no_amount_in_a_reason_is_parted_over_two_lines_and_the_file_has_it_as_it_was_kept(crm: CrmHouse) -> None:
    row = _row(crm, "challenge.sent")
    kept = replace(row.entry, reason="Supplier ready: Aurora Cruises, US$ 1,240.00")
    crm.trail.rows[crm.agency_id] = [replace(row, entry=kept)]
    ada = crm.browser(crm.ada)
    assert ">Supplier ready: Aurora Cruises, US$\u00a01,240.00<" in ada.get("/audit").text
    assert "Supplier ready: Aurora Cruises, US$ 1,240.00" in ada.get("/audit/trail.csv").text


def test_filters_reach_the_vault(crm: CrmHouse) -> None:
    payment = _filled(crm)
    ada = crm.browser(crm.ada)
    ada.get(
        f"/audit?agent={crm.maya.agent_id}&payment={payment}&action=card.revealed&refused=yes"
        "&from=2026-11-01&to=2026-11-30"
    )
    wanted = crm.trail.asked[-1]
    assert (wanted.agent_id, wanted.payment_id, wanted.action, wanted.refused_only) == (
        crm.maya.agent_id,
        payment,
        "card.revealed",
        True,
    )
    # The admin's own days: New York, five hours behind UTC but for the first days of November.
    assert str(wanted.since) == "2026-11-01 04:00:00+00:00"
    assert str(wanted.until) == "2026-12-01 05:00:00+00:00"


def test_nonsense_in_the_filter_is_no_filter(crm: CrmHouse) -> None:
    ada = crm.browser(crm.ada)
    assert ada.get("/audit?action=drop&from=yesterday&to=0001-01-01").status_code == 200
    assert crm.trail.asked[-1].action == ""
    assert (crm.trail.asked[-1].since, crm.trail.asked[-1].until) == (None, None)


def test_a_changed_row_and_a_cut_chain_are_shouted(crm: CrmHouse) -> None:
    crm.trail.rows[crm.agency_id] = [_row(crm, "card.revealed", intact=False)]
    crm.trail.chains_broken = 1
    page = text_of(crm.browser(crm.ada).get("/audit"))
    assert "The trail was tampered with" in page
    assert "Broken" in page
    assert "Every row is as it was written" not in page


def test_long_trails_have_pages_and_the_file_has_all(crm: CrmHouse) -> None:
    _filled(crm, 130)
    ada = crm.browser(crm.ada)
    first = ada.get("/audit").text
    assert 'rel="next"' in first
    assert "Newest" in ada.get("/audit?after=50").text
    file = ada.get("/audit/trail.csv")
    assert file.mimetype == "text/csv"
    assert len(file.text.strip().splitlines()) == 131
    assert "Trail downloaded" in text_of(ada.get("/audit/office"))


def test_without_the_vault_the_page_says_so(crm: CrmHouse) -> None:
    crm.trail.down = Unavailable()
    page = crm.browser(crm.ada).get("/audit")
    assert page.status_code == 200
    assert "The vault can't be reached" in text_of(page)


def test_agents_have_no_audit_pages(crm: CrmHouse) -> None:
    maya = crm.browser(crm.maya)
    assert {maya.get(path).status_code for path in ("/audit", "/audit/office", "/audit/trail.csv")} == {404}


def test_the_office_notes_sign_ins_and_what_admins_change(site: CrmSite) -> None:
    ada = site.signed_in(site.ada)
    ada.get("/agency")
    shown = site.deps.access.directory.agency(site.agency_id)
    form = {
        "name": "Harbour & Vine Travel",
        "time_zone": shown.data.time_zone,
        "card_retention_days": "10",
        "cvv_retention_hours": "72",
        "notice_days": "3",
        "version": str(shown.version),
    }
    assert ada.post("/agency", form).status_code == 303
    page = text_of(ada.get("/audit/office"))
    assert "Signed in Ada Lindqvist" in page
    assert "Days a card is kept at most: 30 → 10" in page
    only = text_of(ada.get("/audit/office?action=signed_in"))
    assert "card_retention_days" not in only
