"""What an operator sees of the bus."""

from chassis.telemetry import Counter, Gauge, Histogram

OUTBOX_DEPTH = Gauge("wayvault_outbox_depth", "Events committed but not yet confirmed by the bus", ["service"])
OUTBOX_LAG = Gauge("wayvault_outbox_lag_seconds", "Age of the oldest event not yet confirmed by the bus", ["service"])
PUBLISHED = Counter("wayvault_events_published_total", "Events confirmed by the bus", ["service"])
UNROUTABLE = Counter("wayvault_events_unroutable_total", "Publishing attempts that no queue was bound to", ["service"])
CONSUMED = Counter("wayvault_events_consumed_total", "Events received, by what became of them", ["service", "outcome"])
CONSUMER_LAG = Histogram(
    "wayvault_consumer_lag_seconds",
    "From the moment an event became true to the end of its effect",
    ["service"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600),
)
ATTEMPTS_FAILED = Counter("wayvault_event_attempts_failed_total", "Handlers that raised", ["service", "type"])
GAPS_ABANDONED = Counter(
    "wayvault_event_gaps_abandoned_total", "Sequence gaps that did not close within the time limit", ["service"]
)
QUEUE_DEPTH = Gauge("wayvault_queue_depth", "Events in the service's queue that it has still to read", ["service"])
PARKED = Gauge("wayvault_events_parked", "Events that wait for an earlier one or for another attempt", ["service"])
DEAD_LETTERS = Gauge("wayvault_dead_letters", "Events in the dead letters, of all services", ["service"])
