"""The list of events is closed and free of contradictions."""

from datetime import UTC, datetime

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message_factory import GetMessageClass
from sqlalchemy.orm import Session

from chassis.bus import CATALOGUE, CatalogueError, EventHandlers, EventMeta, event_type_of
from chassis.bus.catalogue import SERVICES, MessageClass, aggregate_pattern, build
from chassis.bus.embedded import matches
from protos.wayvault.events.v1 import events_pb2
from protos.wayvault.events.v1.envelope_pb2 import Envelope
from protos.wayvault.events.v1.events_pb2 import ClientSaved, PaymentAuthorized, PaymentVoided
from protos.wayvault.events.v1.options_pb2 import EventOption
from protos.wayvault.events.v1.options_pb2 import event as event_option


def test_every_event_has_one_producer_and_a_routing_key_of_its_type() -> None:
    for event_type, entry in CATALOGUE.items():
        assert entry.producer in SERVICES
        assert entry.type == event_type == f"{entry.aggregate}.{event_type.partition('.')[2]}"
        assert entry.routing_key == f"{event_type}.v1"
        assert matches(aggregate_pattern(entry.aggregate), entry.routing_key)


def test_every_message_with_the_option_is_in_the_catalogue() -> None:
    declared = [
        message.full_name
        for message in events_pb2.DESCRIPTOR.message_types_by_name.values()
        if message.GetOptions().HasExtension(event_option)
    ]
    listed = [entry.message_class.DESCRIPTOR.full_name for entry in CATALOGUE.values()]
    assert sorted(declared) == sorted(listed)
    assert len(listed) >= 17


def _declare(name: str, event_type: str, aggregate: str, producer: str) -> MessageClass:
    file = descriptor_pb2.FileDescriptorProto(name=f"{name}.proto", package="made.up", syntax="proto3")
    message = file.message_type.add(name=name)
    message.options.Extensions[event_option].CopyFrom(
        EventOption(type=event_type, aggregate=aggregate, producer=producer)
    )
    file.dependency.append("protos/wayvault/events/v1/options.proto")
    descriptor_pool.Default().Add(file)
    return GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(f"made.up.{name}"))


def test_contradicting_declarations_fail_when_the_catalogue_is_built() -> None:
    with pytest.raises(CatalogueError, match="no service is called"):
        build([_declare("NoSuchService", "thing.done", "thing", "billing")])
    with pytest.raises(CatalogueError, match="of its aggregate"):
        build([_declare("OtherAggregate", "thing.done", "other", "crm")])
    with pytest.raises(CatalogueError, match="declared twice"):
        build(
            [_declare("OneOfTwo", "thing.done", "thing", "crm"), _declare("TwoOfTwo", "thing.done", "thing", "portal")]
        )


def test_a_message_that_is_no_event_can_be_neither_published_nor_handled() -> None:
    with pytest.raises(CatalogueError, match=r"declares no \(event\) option"):
        event_type_of(Envelope)
    with pytest.raises(CatalogueError, match=r"declares no \(event\) option"):
        EventHandlers().on(Envelope, lambda session, message, meta: None)


def test_several_rooms_react_to_one_event_in_the_order_in_which_they_were_added() -> None:
    told: list[str] = []
    handlers = EventHandlers()
    handlers.ignore(PaymentAuthorized)

    def join(room: str) -> None:
        handlers.on(
            PaymentAuthorized,
            lambda session, message, meta: told.append(room),
            before=lambda message, meta: told.append(f"before {room}"),
        )

    for room in ("payments", "links", "mail"):
        join(room)
    handlers.ignore(PaymentAuthorized)
    reaction = handlers.reaction("payment.authorized")
    assert reaction is not None
    meta = EventMeta(
        event_id="evt_1",
        type="payment.authorized",
        aggregate_type="payment",
        aggregate_id="pay_1",
        sequence=1,
        occurred_at=datetime(2026, 11, 2, tzinfo=UTC),
        producer="portal",
        agency_id="agency_1",
        traceparent="",
    )
    reaction.prepare(PaymentAuthorized(), meta)
    with Session() as session:
        reaction.handle(session, PaymentAuthorized(), meta)
    assert told == ["before payments", "before links", "before mail", "payments", "links", "mail"]


def test_one_handler_is_added_once() -> None:
    def handler(session: Session, message: PaymentAuthorized, meta: EventMeta) -> None:
        pass

    handlers = EventHandlers()
    handlers.on(PaymentAuthorized, handler)
    with pytest.raises(CatalogueError, match="twice"):
        handlers.on(PaymentAuthorized, handler)


def test_a_queue_binds_whole_aggregates_so_that_other_types_leave_no_gaps() -> None:
    handlers = EventHandlers()
    handlers.on(PaymentAuthorized, lambda session, message, meta: None)
    handlers.on(PaymentVoided, lambda session, message, meta: None)
    handlers.ignore(ClientSaved)
    assert handlers.patterns() == {"payment.*.v1", "client.*.v1"}


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("payment.*.v1", "payment.voided.v1", True),
        ("payment.*.v1", "payment_link.issued.v1", False),
        ("payment.*.v1", "payment.a.b.v1", False),
        ("#", "payment.voided.v1", True),
        ("replay.crm", "replay.crm", True),
        ("replay.crm", "replayXcrm", False),
    ],
)
def test_the_embedded_bus_routes_as_amqp_does(pattern: str, key: str, expected: bool) -> None:
    assert matches(pattern, key) is expected
