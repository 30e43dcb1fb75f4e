"""What any bus must do: one suite over the embedded bus and RabbitMQ."""

from collections.abc import Iterator

import pytest

from chassis.bus import Bus, Unroutable, open_bus
from chassis.bus.port import DELIVERY_LIMIT, Subscription
from protos.wayvault.events.v1.envelope_pb2 import Envelope
from protos.wayvault.events.v1.events_pb2 import ClientSaved
from tests.support.bus import envelope_of, eventually, ids, rabbit_tls, receive, retrieved

PAYMENTS = ("payment.*.v1",)


@pytest.fixture
def subscription(bus: Bus, service: str) -> Iterator[Subscription]:
    opened = bus.subscribe(service, PAYMENTS)
    yield opened
    opened.close()


def test_what_is_published_is_received_unchanged_and_in_order(bus: Bus, subscription: Subscription) -> None:
    sent = [retrieved("p1", number) for number in range(1, 16)]
    bus.publish(sent)
    got = [receive(subscription) for _ in sent]
    for delivery in got:
        delivery.ack()
    assert [Envelope.FromString(delivery.body) for delivery in got] == sent
    assert not any(delivery.replayed for delivery in got)
    assert subscription.receive(0.2) is None


def test_each_service_gets_its_own_copy_of_what_it_is_bound_to(bus: Bus, service: str) -> None:
    payments = bus.subscribe(f"{service}_a", PAYMENTS)
    clients = bus.subscribe(f"{service}_b", ("client.*.v1", *PAYMENTS))
    payment = retrieved("p1")
    client = envelope_of(ClientSaved(agent_id="a"), aggregate_id="c1")
    bus.publish([payment, client])
    assert ids([receive(payments)]) == [payment.event_id]
    assert ids([receive(clients), receive(clients)]) == [payment.event_id, client.event_id]
    assert payments.receive(0.2) is None
    payments.close()
    clients.close()


def test_an_event_that_no_queue_takes_is_refused_and_the_others_of_its_batch_are_kept(
    bus: Bus, subscription: Subscription
) -> None:
    stray = retrieved("p1")
    stray.type = "nobody.listens"
    kept = [retrieved("p1"), retrieved("p2")]
    with pytest.raises(Unroutable) as refusal:
        bus.publish([kept[0], stray, kept[1]])
    assert refusal.value.event_ids == {stray.event_id}
    assert ids([receive(subscription), receive(subscription)]) == [one.event_id for one in kept]


def test_a_queue_keeps_what_comes_while_nobody_reads(bus: Bus, service: str) -> None:
    bus.subscribe(service, PAYMENTS).close()
    event = retrieved("p1")
    bus.publish([event])
    again = bus.subscribe(service, PAYMENTS)
    delivery = receive(again)
    delivery.ack()
    assert ids([delivery]) == [event.event_id]
    again.close()


def test_a_queue_that_was_only_bound_keeps_what_comes_until_its_reader_does(bus: Bus, service: str) -> None:
    bus.bind(service, PAYMENTS)
    bus.bind(service, PAYMENTS)
    event = retrieved("p1")
    bus.publish([event])
    subscription = bus.subscribe(service, PAYMENTS)
    delivery = receive(subscription)
    delivery.ack()
    assert ids([delivery]) == [event.event_id]
    assert subscription.receive(0.2) is None
    subscription.close()


def test_what_was_not_acknowledged_comes_again_and_what_was_does_not(bus: Bus, service: str) -> None:
    first = bus.subscribe(service, PAYMENTS)
    events = [retrieved("p1", number) for number in (1, 2, 3)]
    bus.publish(events)
    got = [receive(first) for _ in events]
    got[0].ack()
    got[2].ack()
    first.close()
    second = bus.subscribe(service, PAYMENTS)
    assert ids([receive(second)]) == [events[1].event_id]
    assert second.receive(0.2) is None
    second.close()


def test_a_second_reader_takes_over_from_the_first(bus: Bus, bus_url: str, service: str) -> None:
    other_bus = open_bus(bus_url, service="tests", tls=rabbit_tls())
    first, second = bus.subscribe(service, PAYMENTS), other_bus.subscribe(service, PAYMENTS)
    events = [retrieved(f"p{number}") for number in range(10)]
    bus.publish(events)
    seen: set[str] = set()

    def read(subscription: Subscription) -> None:
        if (delivery := subscription.receive(0.05)) is not None:
            delivery.ack()
            seen.update(ids([delivery]))

    read(first)
    first.close()

    def all_seen() -> bool:
        read(second)
        return seen >= {event.event_id for event in events[1:]}

    eventually(all_seen, "every event reaches one of the two readers")
    second.close()
    other_bus.close()


def test_a_rejected_message_becomes_a_dead_letter_that_can_be_replayed(
    bus: Bus, service: str, subscription: Subscription
) -> None:
    event = retrieved("p1")
    bus.publish([event])
    receive(subscription).reject("because")
    eventually(lambda: _dead_ids(bus, service) == [event.event_id], "the dead letter shows")
    assert bus.dead_letter_count() >= 1
    assert bus.replay(service) == 1
    delivery = receive(subscription)
    delivery.ack()
    assert ids([delivery]) == [event.event_id]
    assert delivery.replayed
    assert _dead_ids(bus, service) == []


def test_a_buried_event_is_a_dead_letter_with_its_reason(bus: Bus, service: str, subscription: Subscription) -> None:
    event = retrieved("p1")
    bus.bury(event, service=service, reason="attempts")
    (letter,) = [letter for letter in bus.dead_letters() if letter.service == service]
    assert (letter.event_id, letter.type, letter.reason) == (event.event_id, event.type, "attempts")
    bus.replay(service)


def test_replay_takes_only_the_named_events_of_the_named_service(bus: Bus, service: str) -> None:
    mine, also_mine, other = retrieved("p1"), retrieved("p2"), retrieved("p3")
    bus.bury(mine, service=service, reason="attempts")
    bus.bury(also_mine, service=service, reason="attempts")
    bus.bury(other, service=f"{service}_other", reason="attempts")
    assert bus.replay(service, {mine.event_id, other.event_id}) == 1
    assert _dead_ids(bus, service) == [also_mine.event_id]
    assert _dead_ids(bus, f"{service}_other") == [other.event_id]
    subscription = bus.subscribe(service, PAYMENTS)
    assert ids([receive(subscription)]) == [mine.event_id]
    subscription.close()
    bus.replay(service)
    bus.replay(f"{service}_other")


def test_drop_destroys_only_the_named_events_of_the_named_service(bus: Bus, service: str) -> None:
    mine, also_mine, other = retrieved("p1"), retrieved("p2"), retrieved("p3")
    bus.bury(mine, service=service, reason="attempts")
    bus.bury(also_mine, service=service, reason="attempts")
    bus.bury(other, service=f"{service}_other", reason="attempts")
    assert bus.drop(service, {mine.event_id, other.event_id}) == 1
    (left,) = [letter for letter in bus.dead_letters() if letter.service == service]
    assert (left.event_id, left.reason) == (also_mine.event_id, "attempts")
    assert left.facts["about"] == f"{also_mine.aggregate_type} {also_mine.aggregate_id}"
    assert bus.drop(service) == 1
    assert bus.drop(f"{service}_other") == 1


def test_a_message_that_is_handed_out_too_often_becomes_a_dead_letter(bus: Bus, service: str) -> None:
    event = retrieved("p1")
    bus.subscribe(service, PAYMENTS).close()
    bus.publish([event])
    for _ in range(DELIVERY_LIMIT + 1):  # the first time, and DELIVERY_LIMIT more
        reader = bus.subscribe(service, PAYMENTS)
        assert ids([receive(reader)]) == [event.event_id]
        reader.close()
    reader = bus.subscribe(service, PAYMENTS)
    assert reader.receive(0.5) is None
    eventually(lambda: _dead_ids(bus, service) == [event.event_id], "the dead letter shows")
    reader.close()
    bus.replay(service)


def test_what_waits_in_a_queue_is_counted(bus: Bus, service: str) -> None:
    bus.bind(service, PAYMENTS)
    bus.publish([retrieved("p1"), retrieved("p2")])
    eventually(lambda: bus.waiting(service) == 2, "both are counted")
    reader = bus.subscribe(service, PAYMENTS)
    for _ in range(2):
        receive(reader).ack()
    eventually(lambda: bus.waiting(service) == 0, "none is counted any more")
    reader.close()


def test_publishing_nothing_is_fine(bus: Bus) -> None:
    bus.publish([])


def test_a_batch_of_many_is_confirmed(bus: Bus, subscription: Subscription) -> None:
    bus.publish([retrieved(f"p{number}") for number in range(500)])
    for _ in range(500):
        receive(subscription).ack()


def _dead_ids(bus: Bus, service: str) -> list[str]:
    return [letter.event_id for letter in bus.dead_letters() if letter.service == service]
