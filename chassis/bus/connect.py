"""Which bus: decided by the URL alone."""

from pathlib import Path

from chassis.bus.port import Bus, TlsPaths


def open_bus(url: str, *, service: str, tls: TlsPaths | None = None) -> Bus:
    """The bus behind `embedded:///path` or `amqps://user:password@host:port,host:port/vhost`; connects on first use.

    Each node of a RabbitMQ cluster may be named; a connection goes to the first that takes it.

    `service` names the connection on the broker's side. `tls` (ca, cert and key files) is needed for amqps.
    Raises ValueError, without the URL in it, for one that can't be used.
    """
    scheme, _, rest = url.partition("://")
    match scheme:
        case "embedded" if rest.startswith("/") and len(rest) > 1:
            from chassis.bus.embedded import EmbeddedBus

            return EmbeddedBus(Path(rest[1:]))
        case "amqp" | "amqps":
            from chassis.bus.rabbit import RabbitBus

            return RabbitBus(url, service=service, tls=tls)
        case _:
            raise ValueError("a bus URL starts with embedded:///, amqps:// or amqp://")
