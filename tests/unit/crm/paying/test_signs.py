"""What tells an agent's open pages that something changed: every change of a payment or link, to its agent only."""

from sqlalchemy import func, select

from chassis.db.news import News
from chassis.timestamps import stamp
from protos.wayvault.events.v1.events_pb2 import DeliveryFailed, DeliverySent
from services.crm.core.news import news_table
from tests.support.crm_paying import CrmHouse


def test_each_step_of_a_payment_is_news_to_its_agent_and_to_nobody_else(crm: CrmHouse) -> None:
    signs = crm.deps.paying.signs
    seen = [signs.of(crm.maya).news]
    payment_id = crm.requested()
    seen.append(signs.of(crm.maya).news)
    link = crm.deps.paying.links.of_payment(payment_id)
    assert link is not None
    told = {"delivery_id": "dlv_1", "kind": "payment_link", "payment_id": payment_id, "link_id": link.id}
    crm.hear(DeliverySent(**told, at=stamp(crm.clock.now())))
    seen.append(signs.of(crm.maya).news)
    crm.hear(DeliveryFailed(**told, reason="Nobody has that address.", at=stamp(crm.clock.now())))
    seen.append(signs.of(crm.maya).news)
    crm.hear(crm.authorization(payment_id))
    seen.append(signs.of(crm.maya).news)
    assert len(set(seen)) == len(seen)
    assert signs.of_all()[crm.maya.agent_id] == signs.of(crm.maya)
    assert signs.of(crm.jonas).news == "0.0"


def test_what_changes_nothing_is_no_news(crm: CrmHouse) -> None:
    message = crm.authorization(crm.requested())
    crm.hear(message)
    before = crm.deps.paying.signs.of(crm.maya)
    crm.hear(message)
    assert crm.deps.paying.signs.of(crm.maya) == before


def test_a_change_that_is_taken_back_is_no_news(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    before = crm.deps.paying.signs.of(crm.maya)
    with crm.deps.core.database.transaction() as session:
        row = session.merge(crm.row(payment_id))
        row.purpose = "Another purpose"
        session.flush()
        session.rollback()
    assert crm.deps.paying.signs.of(crm.maya) == before


def test_old_news_goes_and_numbers_never_come_again(crm: CrmHouse) -> None:
    database = crm.deps.core.database
    payment_id = crm.requested()
    with database.read() as session:
        newest = session.scalar(select(func.max(news_table.c.id)))
    assert newest is not None
    News(table=news_table, about="agent_id", kept=0).sweep(database)
    assert crm.deps.paying.signs.of(crm.maya).news == "0.0"
    crm.hear(crm.authorization(payment_id))
    with database.read() as session:
        assert (session.scalar(select(func.min(news_table.c.id))) or 0) > newest
