"""A merge loses nothing: whatever names the client follows, in any order and beside whatever else happens (C4)."""

import threading
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from chassis.db import open_database
from chassis.db.references import MergedIds, move_all
from chassis.errors import InvalidArgument, NotFound, PermissionDenied
from protos.wayvault.events.v1.events_pb2 import BookingSaved, ClientMerged, ClientSaved, PaymentContext
from services.crm.client_references import CLIENT_REFERENCES
from services.crm.core.actor import Actor
from services.crm.core.errors import ChangedMeanwhile
from services.crm.paying.payments.models import PaymentRow
from services.crm.paying.payments.rules import PaymentState
from services.crm.sales.clients.models import ClientRow
from services.crm.sales.clients.rules import FamilyMember, ProfileField, Relation
from services.crm.sales.clients.service import ClientData, ClientDetail, ClientFilter, ClientMoved
from services.crm.sales.merging.rules import Choice, Side, choices, given_up, merged_data
from services.crm.trips.bookings.models import PassengerRow
from services.crm.trips.bookings.service import BookingData, BookingStatus
from services.portal.merges.models import merged_clients
from services.portal.models import Base as PortalBase
from tests.support.clock import FakeClock
from tests.support.crm_paying import CrmHouse


def merge(crm: CrmHouse, kept: str, other: str, *, actor: Actor | None = None) -> ClientDetail:
    actor = actor or crm.maya
    shown = crm.deps.sales.merges.preview(actor, kept, other)
    sides = {choice.field: choice.suggested for choice in shown.choices}
    return crm.deps.sales.merges.merge(actor, kept, other, sides, versions=(shown.kept.version, shown.other.version))


def test_everything_follows_and_the_old_profile_points_to_the_new(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    crm.deps.sales.tasks.add(crm.maya, crm.grace_id, "Call about the cabin", None)
    crm.deps.sales.profiles.save_member(crm.maya, crm.grace_id, FamilyMember(first_name="Ann", relation=Relation.CHILD))
    merge(crm, crm.tim_id, crm.grace_id)
    assert [passenger.client_id for passenger in crm.booking.passengers] == [crm.tim_id, crm.alan_id]
    assert crm.row(payment_id).payer_client_id == crm.tim_id
    assert PaymentContext.FromString(crm.row(payment_id).context).payer.id == crm.tim_id
    link = crm.deps.paying.links.of_payment(payment_id)
    assert link is not None
    assert link.client_id == crm.tim_id
    assert [task.client_id for task in crm.deps.sales.tasks.on_desk(crm.maya)[0]] == [crm.tim_id]
    assert [member.first_name for member in crm.deps.sales.profiles.household(crm.maya, crm.tim_id).family] == ["Ann"]
    with pytest.raises(ClientMoved) as moved:
        crm.deps.sales.clients.get(crm.maya, crm.grace_id)
    assert moved.value.kept_id == crm.tim_id
    listed = crm.deps.sales.clients.list_page(crm.maya, ClientFilter(), 1)
    assert crm.grace_id not in [client.id for client in listed.items]
    assert crm.grace_id not in [client.id for client in crm.deps.sales.clients.search(crm.maya, "hopper")]


def test_the_merge_is_told_with_the_new_profile_and_the_bookings_that_changed(crm: CrmHouse) -> None:
    before = len(crm.events(BookingSaved))
    merge(crm, crm.alan_id, crm.grace_id)
    [event] = crm.events(ClientMerged)
    assert (event.kept_client_id, event.merged_client_id) == (crm.alan_id, crm.grace_id)
    assert event.profile.client.email == "alan@client.example"
    assert crm.events(ClientSaved)[-1].client.id == crm.alan_id
    told = crm.events(BookingSaved)[before:]
    assert [[passenger.id for passenger in booking.passengers] for booking in told] == [[crm.alan_id, crm.tim_id]]


def test_the_record_says_who_merged_what_when_and_what_was_given_up(crm: CrmHouse) -> None:
    merge(crm, crm.alan_id, crm.grace_id)
    [record] = crm.deps.sales.merges.history(crm.maya, crm.alan_id)
    assert (record.agent_name, record.kept_name, record.merged_name) == ("Maya Okafor", "Alan Turing", "Grace Hopper")
    assert record.at == crm.clock.now()
    assert record.given_up["E-mail"] == "grace@client.example"
    assert record.followed == {"bookings": 1}


def test_a_chain_of_merges_leads_every_old_address_to_the_last_profile(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    merge(crm, crm.alan_id, crm.grace_id)
    merge(crm, crm.tim_id, crm.alan_id)
    for old in (crm.grace_id, crm.alan_id):
        with pytest.raises(ClientMoved) as moved:
            crm.deps.sales.clients.get(crm.maya, old)
        assert moved.value.kept_id == crm.tim_id
    assert crm.row(payment_id).payer_client_id == crm.tim_id
    assert {record.merged_name for record in crm.deps.sales.merges.history(crm.maya, crm.tim_id)} == {
        "Alan Turing",
        "Grace Hopper",
    }


def test_a_merge_is_refused_for_others_clients_for_one_profile_and_for_an_outdated_preview(crm: CrmHouse) -> None:
    merges = crm.deps.sales.merges
    with pytest.raises(NotFound):
        merges.merge(crm.jonas, crm.alan_id, crm.grace_id, {}, versions=(1, 1))
    with pytest.raises(PermissionDenied):
        merges.merge(crm.ada, crm.alan_id, crm.grace_id, {}, versions=(1, 1))
    with pytest.raises(InvalidArgument):
        merges.merge(crm.maya, crm.alan_id, crm.alan_id, {}, versions=(1, 1))
    with pytest.raises(ChangedMeanwhile):
        merges.merge(crm.maya, crm.alan_id, crm.grace_id, {}, versions=(1, 7))
    assert crm.events(ClientMerged) == []


@pytest.mark.parametrize("round_number", range(4))
def test_of_two_merges_at_once_each_is_whole_or_refused_and_nothing_is_lost(crm: CrmHouse, round_number: int) -> None:
    payment_id = crm.requested()
    pairs = [
        ((crm.alan_id, crm.grace_id), (crm.grace_id, crm.alan_id)),
        ((crm.alan_id, crm.grace_id), (crm.tim_id, crm.alan_id)),
        ((crm.alan_id, crm.grace_id), (crm.tim_id, crm.grace_id)),
        ((crm.alan_id, crm.grace_id), (crm.alan_id, crm.tim_id)),
    ][round_number]
    start = threading.Barrier(2)
    refusals: list[Exception] = []

    def act(kept: str, other: str) -> None:
        start.wait(5)
        try:
            crm.deps.sales.merges.merge(crm.maya, kept, other, {}, versions=(1, 1))
        except (ChangedMeanwhile, NotFound) as refusal:
            refusals.append(refusal)

    threads = [threading.Thread(target=act, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(crm.events(ClientMerged)) == 2 - len(refusals) >= 1
    _assert_consistent(crm, payment_id)


def test_a_merge_beside_authorizations_and_new_payments_loses_nothing(crm: CrmHouse) -> None:
    waiting = [crm.requested(key=f"form-{number}-0123456789") for number in range(4)]
    start = threading.Barrier(3)
    faults: list[BaseException] = []

    def guarded(act: Callable[[], None]) -> None:
        start.wait(5)
        try:
            act()
        except BaseException as fault:
            faults.append(fault)

    def authorize() -> None:
        for payment_id in waiting:
            crm.hear(crm.authorization(payment_id))

    def ask() -> None:
        for number in range(4):
            crm.deps.paying.links.send(crm.maya, crm.booking_id, crm.link_request(key=f"more-{number}-0123456789"))

    def join() -> None:
        merge(crm, crm.alan_id, crm.grace_id)

    threads = [threading.Thread(target=guarded, args=(act,)) for act in (authorize, ask, join)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    # Who sent a link to the passenger that had just become another one is told so; nothing is half done.
    assert all(isinstance(fault, InvalidArgument) for fault in faults), faults
    assert {crm.row(payment_id).state for payment_id in waiting} == {PaymentState.AUTHORIZED}
    _assert_consistent(crm, *waiting)


def test_what_was_written_under_the_old_id_after_the_merge_follows_soon(crm: CrmHouse) -> None:
    payment_id = crm.requested()
    merge(crm, crm.alan_id, crm.grace_id)
    with crm.deps.core.database.transaction() as session:
        session.execute(update(PaymentRow).values(payer_client_id=crm.grace_id))
    assert crm.deps.sales.merges.settle() == 1
    assert crm.row(payment_id).payer_client_id == crm.alan_id
    assert crm.deps.sales.merges.settle() == 0


def test_a_booking_form_opened_before_the_merge_seats_the_kept_client(crm: CrmHouse) -> None:
    merge(crm, crm.alan_id, crm.grace_id)
    data = BookingData(
        title="Lisbon", status=BookingStatus.QUOTE, currency="USD", passenger_ids=(crm.grace_id, crm.alan_id)
    )
    booking = crm.deps.trips.bookings.create(crm.maya, data)
    assert [passenger.client_id for passenger in booking.passengers] == [crm.alan_id]


def _assert_consistent(crm: CrmHouse, *payment_ids: str) -> None:
    """No reference names a merged profile, no signpost points to one, no payment is gone."""
    crm.deps.sales.merges.settle()
    with crm.deps.core.database.read() as session:
        merged = set(session.scalars(select(ClientRow.id).where(ClientRow.merged_into_id.is_not(None))))
        for reference in CLIENT_REFERENCES:
            if not reference.stays:
                assert not merged & set(session.scalars(select(reference.column))), str(reference.column)
        seats = session.scalars(select(PassengerRow.client_id)).all()
        assert len(seats) == len(set(seats)) == 3 - len(merged)
        payments = session.scalars(select(PaymentRow)).all()
        assert {payment.id for payment in payments} >= set(payment_ids)
        assert all(
            PaymentContext.FromString(payment.context).payer.id == payment.payer_client_id for payment in payments
        )


# ------------------------------------------------------------------ rules

_TEXT = st.sampled_from(["", "a", "b", "Boston"])
_DATA = st.builds(
    ClientData, first_name=st.sampled_from(["Al", "Alan"]), last_name=_TEXT, email=_TEXT, city=_TEXT, notes=_TEXT
)


@given(kept=_DATA, other=_DATA, side=st.sampled_from([Side.KEPT, Side.OTHER]))
def test_every_value_is_in_the_merged_profile_or_in_the_record(kept: ClientData, other: ClientData, side: Side) -> None:
    sides = dict.fromkeys(ProfileField, side)
    merged = merged_data(kept, other, sides)
    lost = given_up(kept, other, merged)
    for source in (kept, other):
        for value, words in ((source.email, "E-mail"), (source.city, "Address"), (source.notes, "Notes")):
            assert not value or value in (merged.email, merged.city, merged.notes) or value in lost.get(words, "")


@given(kept=_DATA, other=_DATA)
def test_the_suggestion_never_prefers_nothing_to_something(kept: ClientData, other: ClientData) -> None:
    merged = merged_data(kept, other, {choice.field: choice.suggested for choice in _choices(kept, other)})
    for name in ("email", "city", "notes"):
        assert getattr(merged, name) or not (getattr(kept, name) or getattr(other, name))
    if kept.notes and other.notes:
        assert kept.notes in merged.notes
        assert other.notes in merged.notes


def _choices(kept: ClientData, other: ClientData) -> list[Choice]:
    now = FakeClock().now()
    details = [
        ClientDetail(id=name, agency_id="", agent_id="", data=data, created_at=now, updated_at=now, version=1)
        for name, data in (("k", kept), ("o", other))
    ]
    return choices(details[0], details[1], {}, {})


# ------------------------------------------------------------------ the others' side


@pytest.mark.parametrize("order", list(permutations([("a", "b"), ("b", "c"), ("c", "d")])))
def test_a_chain_heard_in_any_order_ends_at_the_same_client(tmp_path: Path, order: list[tuple[str, str]]) -> None:
    database = open_database(f"sqlite:///{tmp_path}/portal.db", name="portal")
    PortalBase.metadata.create_all(database.engine)
    with database.transaction() as session:
        for merged, kept in order:
            final = merged_clients.record(session, kept_id=kept, merged_id=merged)
            move_all(session, (), final, merged)
        # Heard again, as after a crash between the effect and the acknowledgement.
        for merged, kept in order:
            merged_clients.record(session, kept_id=kept, merged_id=merged)
        assert [merged_clients.current(session, each) for each in "abcd"] == ["d"] * 4
    database.dispose()


def test_the_table_of_merges_is_each_services_own() -> None:
    assert isinstance(merged_clients, MergedIds)
    assert "merged_client" in PortalBase.metadata.tables
