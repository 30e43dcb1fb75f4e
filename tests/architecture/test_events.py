"""Every event has a reader: one that nobody receives would be refused by the bus for ever (`mandatory`)."""

import ast
from pathlib import Path

import pytest

from chassis.bus import CATALOGUE

ROOT = Path(__file__).resolve().parents[2]
_EVENTS = "protos.wayvault.events.v1.events_pb2"


def _named_beside_handlers(service: str) -> set[str]:
    """The event messages that a service imports where it also registers its reactions."""
    named: set[str] = set()
    for file in (ROOT / "services" / service).rglob("*.py"):
        text = file.read_text("utf-8")
        if "EventHandlers" not in text and "handlers.on(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module == _EVENTS:
                named |= {alias.name for alias in node.names}
    return named


_READERS = {service: _named_beside_handlers(service) for service in ("crm", "portal", "notifier")}


@pytest.mark.parametrize("event_type", sorted(CATALOGUE))
def test_some_service_reacts_to_the_event_or_says_that_it_ignores_it(event_type: str) -> None:
    message = CATALOGUE[event_type].message_class.DESCRIPTOR.name

    assert any(message in named for named in _READERS.values()), (
        f"nobody receives {event_type}: give it handlers.on({message}, …), or handlers.ignore({message}), in a service"
    )
