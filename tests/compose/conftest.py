"""The stack of containers, started once: `make compose-test`. Not part of `make test`: it builds images."""

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser

from deploy.compose.__main__ import Stack
from deploy.compose.sites import on_this_machine
from deploy.images.__main__ import FRONT, PROGRAMS, SEEING, build
from deploy.images.host import Containers
from tests.e2e.people import Mail, Mailbox
from tests.support.browser import chromium


@dataclass
class ContainerMailbox(Mailbox):
    """The mailbox page behind the proxy, asked by its name and certificate."""

    stack: Stack | None = field(default=None)

    def messages(self, to: str = "") -> list[Mail]:
        assert self.stack is not None
        status, body = self.stack.get("mail", f"/messages.json?{urlencode({'to': to, 'after': self._since})}")
        assert status == 200, body[:200]
        return [Mail(**{**one, "attachments": tuple(one["attachments"])}) for one in json.loads(body)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.enable_socket)
            item.add_marker(pytest.mark.timeout(2700, method="signal"))


def own_address() -> str:
    """The address of this machine by which others reach it; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        # RFC 5737: nobody's.
        asked.connect(("192.0.2.1", 9))
        return str(asked.getsockname()[0])


@pytest.fixture(scope="session")
def images() -> None:
    """Built from this checkout."""
    builder = Containers()
    for program in (*PROGRAMS, *FRONT, *SEEING):
        build(builder, program)


@pytest.fixture(scope="session")
def containers(images: None) -> Iterator[Stack]:
    """Started with the demo agency, telephones and Prometheus; removed at the end unless WAYVAULT_COMPOSE_KEEP=1."""
    sites = on_this_machine(8453, phone=own_address())
    os.environ.setdefault("WAYVAULT_PROMETHEUS_PORT", "8454")
    stack = Stack(Path(os.environ.get("WAYVAULT_STATE") or "var") / "compose-test", sites)
    stack.up(demo=True, prometheus=True)
    yield stack
    if os.environ.get("WAYVAULT_COMPOSE_KEEP") != "1":
        stack.remove()


@pytest.fixture(scope="session")
def mailbox(containers: Stack) -> ContainerMailbox:
    return ContainerMailbox(containers.layout.origin("mail"), stack=containers)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened
