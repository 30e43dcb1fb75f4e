"""The trail of one agency, as its admins read it (C13)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from chassis.errors import InvalidArgument
from chassis.timestamps import stamp
from protos.wayvault.vault.v1 import vault_pb2 as pb
from services.vault.audit_reader.rpc import AuditReaderRpc
from tests.support.vault_kit import AGENCY, AGENT, OTHER_AGENT, Kit, make_kit


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = make_kit(tmp_path)
    yield kit
    kit.vault.close()


def _read(kit: Kit, agency: str = AGENCY, *, limit: int = 100, **wanted: object) -> pb.ListAgencyAuditResponse:
    request = pb.ListAgencyAuditRequest(agency_id=agency, limit=limit, **wanted)  # type: ignore[arg-type]
    face = AuditReaderRpc(kit.vault.reading)
    answer: pb.ListAgencyAuditResponse = kit.call("crm", face.ListAgencyAudit, request)
    return answer


def _actions(answer: pb.ListAgencyAuditResponse) -> list[str]:
    return [row.action for row in answer.rows]


def test_an_agency_reads_what_happened_to_its_cards_and_by_its_people_newest_first(kit: Kit) -> None:
    kit.reveal_once("payment_1")
    answer = _read(kit)
    assert _actions(answer)[:3] == ["card.revealed", "challenge.sent", "card.stored"]
    assert "agent.enrolled" in _actions(answer)
    assert {row.payment_id for row in answer.rows if row.action.startswith("card.")} == {"payment_1"}
    assert all(row.intact for row in answer.rows)
    assert (answer.chains >= 1, answer.chains_broken) == (True, 0)


def test_another_agency_reads_nothing_of_it(kit: Kit) -> None:
    kit.reveal_once()
    kit.enrol("agent_eve", agency="agency_2", email="eve@elsewhere.example")
    assert _actions(_read(kit, "agency_2")) == ["agent.enrolled"]
    assert _actions(_read(kit, "agency_2", payment_id="payment_1")) == []
    assert _actions(_read(kit, "agency_2", agent_id=AGENT)) == []


def test_filters_narrow_by_person_payment_action_refusal_and_time(kit: Kit) -> None:
    token = kit.store("payment_1")
    kit.fake_clock.advance(timedelta(hours=1))
    noon = kit.clock.now()
    kit.store("payment_2")
    with pytest.raises(Exception, match=r".+"):
        kit.request_reveal(token, agent=OTHER_AGENT)
    assert {row.payment_id for row in _read(kit, payment_id="payment_2").rows} == {"payment_2"}
    assert {row.actor for row in _read(kit, agent_id=OTHER_AGENT, payment_id="payment_1").rows} == {OTHER_AGENT}
    assert set(_actions(_read(kit, action="card.stored"))) == {"card.stored"}
    assert len(_read(kit, action="card.stored").rows) == 2
    assert {row.result for row in _read(kit, refused_only=True).rows} == {"refused"}
    assert [row.payment_id for row in _read(kit, action="card.", since=stamp(noon)).rows] == ["payment_2"]
    assert [row.payment_id for row in _read(kit, action="card.", until=stamp(noon)).rows] == ["payment_1"]


def test_pages_follow_each_other_without_gap_or_repetition(kit: Kit) -> None:
    for number in range(7):
        kit.store(f"payment_{number}")
    whole = [(row.chain_id, row.sequence) for row in _read(kit).rows]
    seen, after = [], ""
    while True:
        page = _read(kit, limit=3, after=after)
        seen += [(row.chain_id, row.sequence) for row in page.rows]
        after = page.next
        if not after:
            break
    assert seen == whole
    assert len(set(seen)) == len(seen)


def test_a_row_that_was_changed_behind_the_vaults_back_is_marked_and_so_is_a_cut_chain(kit: Kit) -> None:
    kit.store("payment_1")
    with kit.vault.core.database.transaction() as session:
        session.execute(text("DROP TRIGGER audit_rows_no_update"))
        session.execute(text("UPDATE audit_rows SET reason = 'nothing to see' WHERE action = 'card.stored'"))
        session.execute(text("UPDATE audit_chains SET head_sequence = head_sequence + 1"))
    answer = _read(kit)
    assert {row.action for row in answer.rows if not row.intact} == {"card.stored"}
    assert answer.chains_broken == answer.chains


@pytest.mark.parametrize(
    "wanted", [{"limit": 0}, {"limit": 501}, {"after": "yesterday"}, {"after": "x|y|z"}, {"action": "%"}]
)
def test_what_makes_no_sense_is_refused(kit: Kit, wanted: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument):
        _read(kit, **wanted)  # type: ignore[arg-type]
