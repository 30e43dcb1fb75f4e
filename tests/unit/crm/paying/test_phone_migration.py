"""Payments of before the revision that brought payments by phone are none, and can be taken so afterwards."""

from alembic import command
from sqlalchemy import create_engine, inspect

from services.crm.migrations import MIGRATIONS
from services.crm.paying.payments.rules import PaymentState
from tests.support.crm_paying import CrmHouse
from tests.unit.crm.paying.test_phone import BILLING, phone


def test_payments_of_before_are_not_by_phone_and_can_be_taken_by_it(crm: CrmHouse) -> None:
    before, waiting = crm.authorized(), crm.requested("form-2-0123456789")
    url = crm.deps.core.settings.database_url
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # Going back makes the table of payments anew, to which others refer.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        config = MIGRATIONS._config(connection)
        command.stamp(config, "head")
        command.downgrade(config, "0011_find")
        assert "by_phone" not in {column["name"] for column in inspect(connection).get_columns("payment")}
        assert not inspect(connection).has_table("phone_call")
    engine.dispose()
    MIGRATIONS.upgrade(url)
    assert not crm.deps.paying.book.get(crm.maya, before).by_phone
    crm.vault.hold("card_phone_3")
    call_id, _ = phone(crm).start(crm.maya, waiting, script="Read out")
    phone(crm).storing.finish(crm.maya, call_id, name="Grace Hopper", billing=BILLING)
    payment = crm.deps.paying.book.get(crm.maya, waiting)
    assert (payment.by_phone, payment.state) == (True, PaymentState.AUTHORIZED)
